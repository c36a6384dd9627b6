/* Masks: how many elements they choose is known only when they are computed, and nothing can be built on an array of unknown length. So the mask - and nothing
 * else - is computed when the function is called, piece by piece along its first dimension; its positions become a table, and the rest is as lazy as ever. */
#include "array/build.h"

#include "varve/create.h"
#include "varve/move.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE = 64 << 20, MOST = 1 << 26 }; /* bytes at a time; positions that a plan may carry */

typedef struct positions {
    vv_index n;
    vv_index *at;
} positions;

static vv_status note(positions *p, vv_index at)
{
    VV_TRY(vv_grow(&p->at, p->n, sizeof *p->at, "positions of a mask"));
    p->at[p->n++] = at;
    return VV_OK;
}

/* One piece, whose first element has number `first` in the whole mask. */
static vv_status note_piece(vv_array *piece, vv_index first, positions *p)
{
    vv_index n = vv_shape_elements(&piece->shape);
    uint8_t *is;
    VV_TRY(vv_array_status(piece));
    VV_TRY(vv_mem_get(&is, n + 1, "a mask"));
    vv_status status = piece->context->compute(piece, is, n);
    for (vv_index i = 0; i < n && status == VV_OK; i++)
        if (is[i]) status = note(p, first + i);
    if (status == VV_OK && p->n > MOST)
        status = vv_fail(VV_ERR_UNSUPPORTED, "mask '%s' is true more than %d times: a plan carries no more positions",
                         piece->name, MOST);
    vv_mem_put(&is);
    return status;
}

static vv_status find_true(vv_array *mask, positions *p)
{
    if (!mask->context->compute) return vv_fail(VV_ERR_UNSUPPORTED, "mask '%s' cannot be computed here", mask->name);
    vv_index all = vv_shape_elements(&mask->shape), rows = mask->shape.nd ? mask->shape.n[0] : 1;
    if (all == 0) return VV_OK;
    if (mask->shape.nd == 0) return note_piece(mask, 0, p);
    vv_index row = all / rows, some = vv_imax(1, PIECE / row);
    vv_status status = VV_OK;
    for (vv_index i = 0; i < rows && status == VV_OK; i += some) {
        vv_array *piece = vv_slice(mask, mask->dim[0], i, vv_imin(i + some, rows), 1);
        status = note_piece(piece, i * row, p);
        vv_release(&piece);
    }
    return status;
}

/* Where a mask is true, by number of its elements. */
static vv_status positions_of(vv_array *mask, positions *p)
{
    *p = (positions){0};
    vv_array *is = vv_astype(mask, VV_BOOL);
    vv_status status = vv_array_status(is);
    if (status == VV_OK) status = find_true(is, p);
    vv_release(&is);
    if (status != VV_OK) free(p->at);
    return status;
}

static vv_status check_mask(const vv_array *a, const vv_array *mask)
{
    for (int k = 0; k < mask->shape.nd; k++) {
        int d = vv_node_dim(a, mask->dim[k]);
        if (d >= 0 && a->shape.n[d] == mask->shape.n[k]) continue;
        char both[VV_TWO_TEXT];
        return vv_fail(VV_ERR_SHAPE, "a mask does not line up: %s", vv_describe_two(mask, a, both));
    }
    return mask->shape.nd ? VV_OK : vv_fail(VV_ERR_SHAPE, "mask '%s' has no dimensions", mask->name);
}

vv_array *vv_compress_where(vv_array *a, vv_array *mask)
{
    positions p;
    if (vv_nodes_usable((vv_array *[]){a, mask}, 2) != VV_OK || check_mask(a, mask) != VV_OK)
        return vv_node_inert(a->context);
    if (mask->shape.nd != 1) {
        (void)vv_fail(VV_ERR_SHAPE, "'%s' has %d dimensions; along one, a mask has one", mask->name, mask->shape.nd);
        return vv_node_inert(a->context);
    }
    if (positions_of(mask, &p) != VV_OK) return vv_node_inert(a->context);
    vv_array *out = vv_take(a, mask->dim[0], p.at, p.n);
    free(p.at);
    return out;
}

/* The mask's dimensions in front, as one. */
static vv_array *flattened(vv_array *a, const vv_array *mask, const char *name)
{
    vv_buf order = {0}, dims = {0};
    vv_buf_printf(&dims, "%s:%lld", name, (long long)vv_shape_elements(&mask->shape));
    for (int k = 0; k < mask->shape.nd; k++) vv_buf_printf(&order, k ? ",%s" : "%s", mask->dim[k]);
    for (int d = 0; d < a->shape.nd; d++) {
        if (vv_node_dim(mask, a->dim[d]) >= 0) continue;
        vv_buf_printf(&order, ",%s", a->dim[d]);
        vv_buf_printf(&dims, ",%s:%lld", a->dim[d], (long long)a->shape.n[d]);
    }
    bool good = vv_buf_status(&order) == VV_OK && vv_buf_status(&dims) == VV_OK;
    vv_array *out = good ? vv_transpose(a, order.data) : vv_node_inert(a->context);
    if (good) out = vv_node_then(out, vv_reshape(out, dims.data));
    vv_buf_free(&order);
    vv_buf_free(&dims);
    return out;
}

vv_array *vv_extract(vv_array *a, vv_array *mask, const char *new_dim)
{
    positions p;
    if (vv_nodes_usable((vv_array *[]){a, mask}, 2) != VV_OK || check_mask(a, mask) != VV_OK ||
        positions_of(mask, &p) != VV_OK)
        return vv_node_inert(a->context);
    vv_array *flat = flattened(a, mask, new_dim);
    vv_array *out = vv_node_then(flat, vv_take(flat, new_dim, p.at, p.n));
    free(p.at);
    return out;
}

vv_array *vv_flatnonzero(vv_array *mask, const char *new_dim)
{
    positions p;
    if (vv_array_status(mask) != VV_OK || positions_of(mask, &p) != VV_OK) return vv_node_inert(mask->context);
    vv_array *all = vv_node_sequence(mask->context, new_dim, vv_shape_elements(&mask->shape), 0, 1, VV_I64);
    vv_array *out = vv_node_then(all, vv_take(all, new_dim, p.at, p.n));
    free(p.at);
    return out;
}

vv_array *vv_argwhere(vv_array *mask, const char *new_dim, const char *axis)
{
    vv_array *along[VV_MAX_DIMS], *number = vv_flatnonzero(mask, new_dim);
    int nd = mask->shape.nd;
    if (number->status != VV_OK) return number;
    if (nd == 0) {
        (void)vv_fail(VV_ERR_SHAPE, "mask '%s' has no dimensions", mask->name);
        return vv_node_then(number, vv_node_inert(mask->context));
    }
    for (int d = nd - 1; d >= 0; d--) {
        vv_array *n = vv_node_full(mask->context, "", NULL, (double)mask->shape.n[d], VV_I64);
        along[d] = vv_node_elementwise(mask->context, "remainder", (vv_array *[]){number, n}, 2);
        number = vv_node_then(number, vv_node_elementwise(mask->context, "floor_divide", (vv_array *[]){number, n}, 2));
        vv_release(&n);
    }
    vv_release(&number);
    vv_array *out = vv_node_stack(mask->context, along, nd, axis);
    for (int d = 0; d < nd; d++) vv_release(&along[d]);
    return vv_node_then(out, vv_moveaxis(out, axis, -1));
}
