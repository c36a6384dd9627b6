/* Medians and quantiles of all elements of large arrays. Brought to one rank they would take many times their bytes; instead the element is found by the bits of its key
 * (kernels/order/select.h), in two passes over f32 and four over f64, whose memory does not grow with the array. */
#include "array/build.h"

#include "kernels/order/select.h"
#include "varve/apply.h"
#include "varve/move.h"
#include "varve/reduction.h"

enum { LONG = 1 << 24 };

bool vv_node_is_long(const vv_array *a, const bool along[])
{
    if (a->status != VV_OK || !vv_dtype_is_float(a->dtype) || vv_node_grouping(a)) return false;
    for (int d = 0; d < a->shape.nd; d++)
        if (!along[d]) return false;
    return vv_shape_elements(&a->shape) > LONG;
}

/* Counts of a pass, by the state that the one before has left. */
static vv_array *counted(vv_array *x, vv_array *state, const vv_selection *s)
{
    const vv_own_reduction how = {
        .name = "select",
        .state = VV_SELECT_COUNTS * (vv_bytes)sizeof(int64_t),
        .in = VV_F64,
        .out = VV_I64,
        .length = VV_SELECT_COUNTS,
        .init = vv_select_init,
        .fold = vv_select_fold,
        .combine = vv_select_combine,
        .finish = vv_select_finish,
        .data = s,
        .data_size = sizeof *s,
    };
    if (s->pass == 0) return vv_reduce_own(&x, 1, &how, NULL, "bin_");
    vv_array *in[] = {x, vv_at(state, "state_", VV_SELECT_PREFIX), vv_at(state, "state_", VV_SELECT_NEXT_PREFIX)};
    vv_array *made = vv_reduce_own(in, 3, &how, NULL, "bin_");
    vv_release(&in[1]);
    vv_release(&in[2]);
    return made;
}

static vv_array *passed(vv_array *x, vv_array *state, const vv_selection *s, bool last)
{
    vv_array *in[] = {counted(x, state, s), state};
    vv_apply_options o = {.dtype = VV_F64, .data = s, .data_size = sizeof *s, .dims = last ? NULL : "state_:6"};
    const char *signature = s->pass == 0 ? "(bin_)->(state_)"
                            : last       ? "(bin_),(state_)->()"
                                         : "(bin_),(state_)->(state_)";
    if (s->pass > 0) o.dims = NULL;
    vv_array *made = in[0]->status == VV_OK
                         ? vv_node_gufunc(x->context, vv_select_step, signature, in, s->pass == 0 ? 1 : 2, &o)
                         : vv_node_inert(x->context);
    vv_release(&in[0]);
    return made;
}

vv_array *vv_node_select_long(vv_array *a, int how, double q, bool keep_nan)
{
    vv_selection s = {.in = a->dtype, .how = how, .q = q, .keep_nan = keep_nan};
    vv_array *x = vv_astype(a, VV_F64), *state = NULL;
    for (int last = vv_select_passes(a->dtype) - 1; s.pass <= last; s.pass++) {
        vv_array *next = passed(x, state, &s, s.pass == last);
        vv_release(&state);
        state = next;
    }
    vv_release(&x);
    vv_array *made = vv_node_then(state, vv_astype(state, a->dtype));
    return vv_node_about(made, a);
}
