/* Elements as another type: as NumPy does it, and with values that do not fit as errors. */
#include "array/apply.h"
#include "array/build.h"
#include "kernels/codec/decode.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

vv_array *vv_astype(vv_array *a, vv_dtype type)
{
    if (a->status != VV_OK) return vv_node_inert(a->context);
    if (a->dtype == type) return vv_node_again(a);
    char name[16];
    snprintf(name, sizeof name, "as_%s", vv_dtype_name(type));
    bool loses = vv_dtype_is_complex(a->dtype) && !vv_dtype_is_complex(type) && type != VV_BOOL;
    if (!vv_op_find(name) || loses) {
        (void)vv_fail(VV_ERR_TYPE, "'%s' cannot be made %s%s", a->name, vv_dtype_name(type),
                      loses ? ": it is complex; take vv_real(), vv_imag() or vv_absolute() of it" : "");
        return vv_node_inert(a->context);
    }
    return vv_node_elementwise(a->context, name, &a, 1);
}

/* --- checked --- */

typedef struct casting {
    vv_dtype from, to;
} casting;

static bool whole(vv_dtype type)
{
    return !vv_dtype_is_float(type) && !vv_dtype_is_complex(type);
}

/* Cuts m reals to whole numbers, in place; the first that is none, or -1. */
static vv_index cut(vv_dtype working, void *values, vv_index m)
{
    for (vv_index i = 0; i < m; i++)
        if (working == VV_F32) {
            float *x = (float *)values + i;
            if (isnan(*x)) return i;
            *x = truncf(*x);
        } else {
            double *x = (double *)values + i;
            if (isnan(*x)) return i;
            *x = trunc(*x);
        }
    return -1;
}

/* A piece of working values: the first that does not fit, or -1. */
static vv_index misfit(const vv_encode *e, void *values, vv_index m)
{
    vv_index at = whole(e->to) && !whole(e->in) ? cut(e->in, values, m) : -1;
    return at >= 0 ? at : vv_encode_check(e, values, m);
}

/* A vv_element_function. */
static int checked(vv_index n, const void *const in[], void *out, const void *data)
{
    _Alignas(64) char tile[VV_TILE * VV_WIDEST];
    const casting *c = data;
    const vv_decode decode = {.stored = c->from, .out = vv_working_type(c->from), .scale = 1};
    const vv_encode encode = {.in = decode.out, .to = c->to};
    for (vv_index m, i = 0; i < n; i += m) {
        m = vv_imin(VV_TILE, n - i);
        vv_decode_range(&decode, in[0], n, i, m, tile);
        vv_index bad = misfit(&encode, tile, m);
        if (bad >= 0)
            return (int)vv_fail(VV_ERR_TYPE, "value %.9g is none of type %s",
                                vv_dtype_load(c->from, (const char *)in[0] + (i + bad) * vv_dtype_size(c->from)),
                                vv_dtype_name(c->to));
        vv_encode_range(&encode, tile, m, (char *)out + i * vv_dtype_size(c->to));
    }
    return VV_OK;
}

vv_array *vv_astype_checked(vv_array *a, vv_dtype type)
{
    if (a->status != VV_OK) return vv_node_inert(a->context);
    bool to_complex = vv_dtype_is_complex(type), from_complex = vv_dtype_is_complex(a->dtype);
    if (type == VV_BOOL || vv_working_type(type) == VV_NONE || (from_complex && !to_complex) ||
        vv_dtype_promote(a->dtype, type) == type)
        return vv_astype(a, type); /* which always fits, or is refused there */
    if (to_complex && !from_complex) {
        vv_array *part = vv_astype_checked(a, vv_dtype_part(type));
        return vv_node_then(part, vv_astype(part, type));
    }
    const casting how = {a->dtype, type};
    vv_array *out = vv_node_user_map(a->context, checked, &a, 1,
                                     &(vv_apply_options){.dtype = type, .data = &how, .data_size = sizeof how});
    if (out->status != VV_OK) return out;
    free(out->user->name); /* for messages: users know no function of Varve's */
    out->user->name = NULL;
    vv_status status = vv_strdup(&out->user->name, "astype");
    return vv_node_settle(a->context, out, status == VV_OK ? vv_node_keep_groups(out, a) : status);
}
