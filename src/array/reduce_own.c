/* Reductions of the user's: what is told of them goes into a spec, the rest is as with all reductions. */
#include "array/build.h"

#include "varve/reduction.h"

#include <stdlib.h>
#include <string.h>

static vv_status check(const vv_own_reduction *how, int n)
{
    const char *name = how->name ? how->name : "without a name";
    if (!how->name || !how->init || !how->fold || !how->combine || !how->finish)
        return vv_fail(VV_ERR_USAGE, "reduction '%s': it needs a name, init, fold, combine and finish", name);
    if (how->state < 1 || how->state > INT32_MAX || how->length < 0 || how->length > INT32_MAX || how->data_size < 0)
        return vv_fail(VV_ERR_USAGE, "reduction '%s': a state of %lld bytes, %lld results, %lld bytes of data", name,
                       (long long)how->state, (long long)how->length, (long long)how->data_size);
    if (n < 1 || n > VV_RED_VALUES)
        return vv_fail(VV_ERR_USAGE, "reduction '%s' of %d arrays; of 1 to %d", name, n, VV_RED_VALUES);
    const vv_dtype types[] = {how->in, how->out};
    for (int i = 0; i < 2; i++)
        if (types[i] != VV_NONE && vv_working_type(types[i]) != types[i])
            return vv_fail(VV_ERR_TYPE, "reduction '%s': elements come as f32, f64, i64 or u64, not as %s", name,
                           vv_dtype_name(types[i]));
    return VV_OK;
}

static vv_status make_spec(const vv_own_reduction *how, int n, vv_red_spec **out)
{
    vv_function *f[VV_OWN_FUNCTIONS] = {(vv_function *)how->init, (vv_function *)how->fold, (vv_function *)how->combine,
                                        (vv_function *)how->finish};
    vv_dtype in = how->in == VV_NONE ? VV_F64 : how->in, result = how->out == VV_NONE ? VV_F64 : how->out;
    VV_TRY(check(how, n));
    return vv_own_spec(how->name, n, in, result, how->state, how->length, f, how->data, how->data_size, out);
}

vv_array *vv_reduce_own(vv_array *const arrays[], int n, const vv_own_reduction *how, const char *dims,
                        const char *new_dim)
{
    vv_red_spec *spec = NULL;
    if (make_spec(how, n, &spec) != VV_OK) return vv_node_inert(arrays[0]->context);
    vv_dtype type = spec->result;
    return vv_node_reduce_told(arrays, n, &vv_reduction_own, spec, type, dims, how->name, new_dim ? new_dim : "result");
}
