/* What linear algebra is built from: matrices, and operations on pieces of them. */
#include "array/linalg/linalg.h"

#include "varve/linalg.h"
#include "varve/move.h"

#include <stdlib.h>
#include <string.h>

/* --- one operation --- */

static vv_status check_operands(vv_array *const in[], int n)
{
    for (int k = 0; k < n; k++)
        for (int d = 0; d < in[k]->shape.nd; d++)
            if (in[k]->shape.n[d] < 1)
                return vv_fail(VV_ERR_SHAPE, "'%s' has no elements along '%s'", in[k]->name, in[k]->dim[d]);
    return VV_OK;
}

static vv_status fill_tile(vv_array *a, const vv_tile_want *want)
{
    const vv_array *in = a->input[0];
    vv_tile_call *c = &a->tile;
    vv_dtype type = vv_dtype_promote(in->dtype, a->input[a->n_inputs - 1]->dtype);
    *c = (vv_tile_call){.op = vv_tile_op_find(want->op), .first = in->shape.nd, .from = want->from};
    c->type = vv_dtype_is_complex(type) ? VV_C128 : VV_F64;
    VV_TRY(check_operands(a->input, a->n_inputs));
    for (int d = 0; d < c->first; d++) {
        vv_index n = in->shape.n[d], cut = want->cut[d] > 0 ? vv_imin(want->cut[d], n) : n;
        c->cut[d] = cut;
        c->extent[d] = want->extent[d];
        if (c->extent[d] == 0) continue;
        int k = a->shape.nd;
        if (c->extent[d] == VV_TILE_SAME)
            VV_TRY(vv_node_like_dim(a, k, in, d));
        else
            VV_TRY(vv_node_set_dim(a, k, in->dim[d], vv_times(c->extent[d], vv_ceil_div(n, cut))));
    }
    for (int d = 0; a->n_inputs > 1 && d < a->input[1]->shape.nd; d++) c->cut[c->first + d] = a->input[1]->shape.n[d];
    a->dtype = want->type != VV_NONE ? want->type : type == VV_F32 || type == VV_C64 ? type : c->type;
    return VV_OK;
}

static vv_array *renamed(vv_array *a, const vv_tile_want *want)
{
    for (int d = 0, k = 0; d < a->tile.first && a->status == VV_OK && a->kind == VV_NODE_TILE; d++) {
        if (want->extent[d] == 0) continue;
        if (want->name[d]) {
            char *was = a->dim[k];
            if (vv_strdup(&a->dim[k], want->name[d]) != VV_OK) return vv_node_settle(a->context, a, VV_ERR_NOMEM);
            free(was);
        }
        k++;
    }
    return a;
}

vv_array *vv_node_tile(vv_array *a, vv_array *b, const vv_tile_want *want)
{
    vv_array *both[] = {a, b};
    if (vv_nodes_usable(both, b ? 2 : 1) != VV_OK) return vv_node_inert(a->context);
    if (b && vv_dtype_is_complex(a->dtype) != vv_dtype_is_complex(b->dtype)) {
        vv_dtype type = vv_dtype_promote(a->dtype, b->dtype);
        a = vv_astype(a, type);
        b = vv_astype(b, type);
    }
    vv_array *x = vv_node_upon(a, VV_NODE_TILE);
    if (x->status != VV_OK) return x;
    vv_status status = b ? vv_node_input(x, b) : VV_OK;
    if (status == VV_OK) status = fill_tile(x, want);
    return renamed(vv_node_settle(a->context, x, status), want);
}

/* --- matrices --- */

vv_array *vv_node_matrix(vv_array *a, const char *what)
{
    if (vv_array_status(a) != VV_OK) return vv_node_inert(a->context);
    vv_status status = VV_OK;
    if (a->shape.nd != 2)
        status =
            vv_fail(VV_ERR_SHAPE, "%s of '%s', which has %d dimensions: a matrix has two", what, a->name, a->shape.nd);
    else if (a->shape.n[0] < 1 || a->shape.n[1] < 1)
        status = vv_fail(VV_ERR_SHAPE, "%s of '%s' (%s: %lld, %s: %lld), which has no elements", what, a->name,
                         a->dim[0], (long long)a->shape.n[0], a->dim[1], (long long)a->shape.n[1]);
    return status == VV_OK ? vv_node_as_inexact(a) : vv_node_inert(a->context);
}

static vv_status fill_bare(vv_array *a, const char *const names[])
{
    const vv_array *in = a->input[0];
    vv_part all;
    a->dtype = in->dtype;
    vv_part_same(&in->shape, &all);
    for (int d = 0; d < in->shape.nd; d++) VV_TRY(vv_node_set_dim(a, d, names[d], in->shape.n[d]));
    return vv_node_add_part(a, &all);
}

vv_array *vv_node_bare(vv_array *in, const char *const names[])
{
    vv_array *a = vv_node_upon(in, VV_NODE_VIEW);
    return a->status == VV_OK ? vv_node_settle(in->context, a, fill_bare(a, names)) : a;
}

vv_status vv_node_check_name(const vv_array *a, const char *to)
{
    if (!to || !*to)
        return vv_fail(VV_ERR_USAGE, "a factorisation of '%s' needs a name for its new dimension", a->name);
    if (vv_node_dim(a, to) < 0) return VV_OK;
    return vv_fail(VV_ERR_USAGE, "'%s' has a dimension '%s' already: the new one needs another name", a->name, to);
}

vv_array *vv_node_named(vv_array *a, const char *rows, const char *columns)
{
    vv_array *x = vv_node_seen_again(a);
    const char *name[] = {rows, columns};
    for (int d = 0; d < 2 && x->status == VV_OK; d++)
        if (strcmp(x->dim[d], name[d]) != 0) x = vv_node_then(x, vv_rename(x, x->dim[d], name[d]));
    return x;
}

vv_array *vv_node_conjugate(vv_array *a)
{
    return vv_dtype_is_complex(a->dtype) ? vv_conjugate(a) : a;
}

vv_array *vv_node_stretch(vv_array *a, int d, vv_index from, vv_index n)
{
    if (vv_array_status(a) != VV_OK) return vv_node_inert(a->context);
    return vv_slice(a, a->dim[d], from, from + n, 1);
}

/* --- what is made on the way --- */

vv_making vv_making_begin(vv_context *c)
{
    return (vv_making){c, c->made};
}

void vv_making_end(const vv_making *m, vv_array **const result[], int n, vv_status status)
{
    vv_array *keep[8];
    int kept = 0;
    for (int i = 0; i < n; i++) {
        if (!result[i]) continue;
        if (status != VV_OK) *result[i] = vv_node_inert(m->context);
        keep[kept++] = *result[i];
    }
    vv_context_release(m->context, m->since, keep, kept);
}
