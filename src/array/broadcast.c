/* Arrays brought to one shape: by the names of their dimensions, or, as NumPy does it, by their places counted from the last one. */
#include "array/build.h"

#include "varve/create.h"
#include "varve/move.h"

#include <stdio.h>

/* --- by name --- */

static vv_status union_of_dims(vv_array *shape, vv_array *const arrays[], int n)
{
    const vv_array *from[VV_MAX_DIMS];
    char both[VV_TWO_TEXT];
    VV_TRY(vv_nodes_usable(arrays, n));
    for (int i = 0; i < n; i++)
        for (int k = 0; k < arrays[i]->shape.nd; k++) {
            int d = vv_node_dim(shape, arrays[i]->dim[k]);
            if (d >= 0 && shape->shape.n[d] != arrays[i]->shape.n[k])
                return vv_fail(VV_ERR_SHAPE, "broadcast: arrays do not line up along '%s': %s", shape->dim[d],
                               vv_describe_two(from[d], arrays[i], both));
            if (d >= 0) continue;
            VV_TRY(vv_node_like_dim(shape, shape->shape.nd, arrays[i], k));
            from[shape->shape.nd - 1] = arrays[i];
        }
    return VV_OK;
}

void vv_node_broadcast(vv_context *c, vv_array *const arrays[], int n, vv_array *out[])
{
    vv_array *shape = vv_node_new(c, VV_NODE_VIEW, "shape");
    vv_status status = vv_array_status(shape);
    if (status == VV_OK) status = union_of_dims(shape, arrays, n);
    for (int i = 0; i < n; i++)
        out[i] = status == VV_OK ? vv_node_seen_as(arrays[i], shape, NULL, -1, NULL) : vv_node_inert(c);
    vv_release(&shape);
}

/* --- by position --- */

/* The array that has most dimensions, the first of these: all get the names of its dimensions. */
static const vv_array *widest(vv_array *const arrays[], int n)
{
    const vv_array *most = arrays[0];
    for (int i = 1; i < n; i++)
        if (arrays[i]->shape.nd > most->shape.nd) most = arrays[i];
    return most;
}

static vv_status no_match(const vv_array *a, const vv_array *b)
{
    char both[VV_TWO_TEXT];
    return vv_fail(VV_ERR_SHAPE, "broadcast: lengths differ, counted from the last dimension on: %s",
                   vv_describe_two(a, b, both));
}

/* Dimension d of the common shape: the length that is not 1, the names and coordinates of `names` where they are as long. */
static vv_status common_dim(vv_array *shape, int d, const vv_array *names, vv_array *const arrays[], int n)
{
    const vv_array *longest = names;
    vv_index length = names->shape.n[d];
    for (int i = 0; i < n; i++) {
        int k = d - (names->shape.nd - arrays[i]->shape.nd);
        vv_index own = k < 0 ? 1 : arrays[i]->shape.n[k];
        if (own == 1 || own == length) continue;
        if (length != 1) return no_match(longest, arrays[i]);
        length = own;
        longest = arrays[i];
    }
    if (length == names->shape.n[d]) return vv_node_like_dim(shape, d, names, d);
    return vv_node_set_dim(shape, d, names->dim[d], length);
}

/* An array without the dimensions that are repeated, the others called as those of the shape, without coordinates of their own. */
static vv_array *called_as(vv_array *a, const vv_array *shape)
{
    char between[32];
    int behind = shape->shape.nd - a->shape.nd;
    vv_array *out = vv_node_again(a);
    for (int d = a->shape.nd - 1; d >= 0; d--)
        if (a->shape.n[d] == 1 && shape->shape.n[behind + d] != 1) out = vv_node_then(out, vv_squeeze(out, a->dim[d]));
    for (int round = 0; round < 2; round++) /* names may change places */
        for (int d = 0; d < a->shape.nd; d++) {
            if (a->shape.n[d] == 1 && shape->shape.n[behind + d] != 1) continue;
            snprintf(between, sizeof between, ".%d", d);
            out = vv_node_then(out, round == 0 ? vv_rename(out, a->dim[d], between)
                                               : vv_rename(out, between, shape->dim[behind + d]));
        }
    out = vv_node_then(out, vv_node_seen_as(out, shape, NULL, -1, NULL));
    return out->status == VV_OK ? vv_node_then(out, vv_node_labelled_as(out, shape)) : out;
}

static vv_status common_shape(vv_array *shape, vv_array *const arrays[], int n)
{
    VV_TRY(vv_nodes_usable(arrays, n));
    if (n == 0) return VV_OK;
    const vv_array *names = widest(arrays, n);
    for (int d = 0; d < names->shape.nd; d++) VV_TRY(common_dim(shape, d, names, arrays, n));
    return VV_OK;
}

void vv_node_broadcast_by_position(vv_context *c, vv_array *const arrays[], int n, vv_array *out[])
{
    vv_array *shape = vv_node_new(c, VV_NODE_VIEW, "shape");
    vv_status status = vv_array_status(shape);
    if (status == VV_OK) status = common_shape(shape, arrays, n);
    for (int i = 0; i < n; i++) out[i] = status == VV_OK ? called_as(arrays[i], shape) : vv_node_inert(c);
    vv_release(&shape);
}
