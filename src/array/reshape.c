/* Other shapes of the same elements, and what follows from them: points, diagonals, blocks.
 *
 * Where only dimensions of length 1 come and go, a view does it. Else dimensions are merged or split (base/reshape.h); where several become several others, they
 * are merged to one and split again, because chunks of two such shapes that have the same elements may be as large as all of it. */
#include "array/build.h"
#include "array/text.h"

#include "base/reshape.h"
#include "varve/create.h"
#include "varve/move.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the new shape --- */

static vv_status fails_to_fit(const vv_array *a, const char *dims)
{
    char text[160];
    return vv_fail(VV_ERR_SHAPE, "%s cannot be reshaped to '%s': other numbers of elements",
                   vv_describe(a, text, sizeof text), dims);
}

/* Names and lengths; *open is the dimension of length -1, or -1. */
static vv_status read_shape(vv_array *shape, const char *dims, int *open)
{
    vv_item_text item;
    bool any;
    *open = -1;
    for (;;) {
        vv_index n = 0;
        VV_TRY(vv_next_item(&dims, &item, &any));
        if (!any) return VV_OK;
        if (vv_node_dim(shape, item.name) >= 0)
            return vv_fail(VV_ERR_USAGE, "dimension '%s' is named twice", item.name);
        if (!strcmp(item.value, "-1")) {
            if (*open >= 0) return vv_fail(VV_ERR_USAGE, "two lengths are left open");
            *open = shape->shape.nd;
            n = 1;
        } else if (strcmp(item.value, "0") != 0) {
            VV_TRY(vv_item_number(&item, &n));
        }
        VV_TRY(vv_node_set_dim(shape, shape->shape.nd, item.name, n));
    }
}

/* An array that has nothing but the dimensions. */
static vv_status new_shape(const vv_array *a, const char *dims, vv_array **out)
{
    int open;
    vv_index have = vv_shape_elements(&a->shape);
    *out = vv_node_full(a->context, "", NULL, 0, VV_F64);
    VV_TRY(vv_array_status(*out));
    VV_TRY(read_shape(*out, dims, &open));
    vv_index rest = vv_shape_elements(&(*out)->shape);
    if (open >= 0) (*out)->shape.n[open] = rest > 0 ? have / rest : 0;
    return vv_shape_elements(&(*out)->shape) == have ? VV_OK : fails_to_fit(a, dims);
}

/* --- one step --- */

/* The lengths other than 1 are the same, in order. */
static bool only_ones_differ(const vv_shape *a, const vv_shape *b)
{
    int i = 0, k = 0;
    for (;;) {
        while (i < a->nd && a->n[i] == 1) i++;
        while (k < b->nd && b->n[k] == 1) k++;
        if (i == a->nd || k == b->nd) return i == a->nd && k == b->nd;
        if (a->n[i++] != b->n[k++]) return false;
    }
}

static vv_status add_all_part(vv_array *a, const vv_array *in)
{
    vv_part p;
    int k = 0;
    vv_part_same(&in->shape, &p);
    p.box = (vv_box){.nd = a->shape.nd};
    memcpy(p.box.n, a->shape.n, sizeof p.box.n);
    for (int d = 0; d < in->shape.nd; d++) {
        p.dim[d] = -1;
        if (in->shape.n[d] == 1) continue;
        while (a->shape.n[k] == 1) k++;
        p.dim[d] = k++;
    }
    return vv_node_add_part(a, &p);
}

static vv_status fill_reshaped(vv_array *a, const vv_array *in, const vv_array *shape)
{
    vv_dims_pair pair[VV_MAX_DIMS];
    int n = vv_reshape_pairs(&in->shape, &shape->shape, pair);
    a->dtype = in->dtype;
    a->fill = NAN;
    VV_TRY(vv_attrs_copy(&a->attrs, &in->attrs));
    for (int d = 0; d < shape->shape.nd; d++) VV_TRY(vv_node_set_dim(a, d, shape->dim[d], shape->shape.n[d]));
    for (int i = 0; i < n; i++)
        if (vv_pair_is_single(&pair[i]) && !strcmp(in->dim[pair[i].in], a->dim[pair[i].out]))
            vv_coord_copy(&in->coord[pair[i].in], &a->coord[pair[i].out]);
    return a->kind == VV_NODE_VIEW && n >= 0 ? add_all_part(a, in) : VV_OK; /* a view of no elements has no parts */
}

static vv_array *reshaped(vv_array *in, const vv_array *shape)
{
    bool view = vv_shape_elements(&in->shape) == 0 || only_ones_differ(&in->shape, &shape->shape);
    vv_array *a = vv_node_upon(in, view ? VV_NODE_VIEW : VV_NODE_RESHAPE);
    return a->status == VV_OK ? vv_node_settle(in->context, a, fill_reshaped(a, in, shape)) : a;
}

/* Pairs of several dimensions with several others become one each; false when there is none. */
static vv_status merged_shape(const vv_array *in, const vv_array *shape, vv_array *merged, bool *any)
{
    vv_dims_pair pair[VV_MAX_DIMS];
    int n = vv_reshape_pairs(&in->shape, &shape->shape, pair);
    *any = false;
    for (int i = 0; i < n; i++) {
        const vv_dims_pair *p = &pair[i];
        bool several = p->n_in > 1 && p->n_out > 1;
        vv_index length = 1;
        *any = *any || several;
        for (int d = p->out; d < p->out + p->n_out; d++) {
            char name[32];
            snprintf(name, sizeof name, ".%d", i);
            length *= shape->shape.n[d];
            if (!several) VV_TRY(vv_node_set_dim(merged, merged->shape.nd, shape->dim[d], shape->shape.n[d]));
            if (several && d == p->out + p->n_out - 1) VV_TRY(vv_node_set_dim(merged, merged->shape.nd, name, length));
        }
    }
    return VV_OK;
}

vv_array *vv_reshape(vv_array *a, const char *dims)
{
    bool several = false;
    vv_context *c = a->context;
    vv_array *shape = NULL;
    if (vv_array_status(a) != VV_OK) return vv_node_inert(c);
    vv_status status = new_shape(a, dims, &shape);
    vv_array *merged = vv_node_full(c, "", NULL, 0, VV_F64), *x = vv_node_again(a);
    if (status == VV_OK && !only_ones_differ(&a->shape, &shape->shape))
        status = merged_shape(a, shape, merged, &several);
    if (status == VV_OK && several) x = vv_node_then(x, reshaped(x, merged));
    x = vv_node_then(x, status == VV_OK ? reshaped(x, shape) : vv_node_inert(c));
    vv_release(&shape);
    vv_release(&merged);
    return x;
}

vv_array *vv_ravel(vv_array *a, const char *dim)
{
    char dims[300];
    if (vv_array_status(a) != VV_OK) return vv_node_inert(a->context);
    snprintf(dims, sizeof dims, "%s:-1", dim);
    return vv_reshape(a, dims);
}

/* --- points --- */

/* The dimensions named come first, in their order, then the others. */
static vv_array *with_in_front(vv_array *a, const char *dims, int *n)
{
    vv_buf names = {0};
    bool used[VV_MAX_DIMS] = {false};
    vv_status status = VV_OK;
    *n = 0;
    for (int d = 0; status == VV_OK && d >= 0;) {
        status = vv_next_dim(a, &dims, &d);
        if (status != VV_OK || d < 0) break;
        if (used[d]) status = vv_fail(VV_ERR_USAGE, "dimension '%s' is named twice", a->dim[d]);
        used[d] = true;
        vv_buf_printf(&names, *n ? ",%s" : "%s", a->dim[d]);
        ++*n;
    }
    for (int d = 0, k = *n; d < a->shape.nd; d++)
        if (!used[d]) vv_buf_printf(&names, k++ ? ",%s" : "%s", a->dim[d]);
    if (status == VV_OK) status = vv_buf_status(&names);
    if (status == VV_OK && *n == 0) status = vv_fail(VV_ERR_USAGE, "'%s': points along no dimension", a->name);
    vv_array *out = status == VV_OK ? vv_transpose(a, names.data) : vv_node_inert(a->context);
    vv_buf_free(&names);
    return out;
}

/* The first k dimensions as one. */
static vv_array *front_merged(vv_array *a, int k, const char *name)
{
    vv_buf dims = {0};
    vv_index n = 1;
    for (int d = 0; d < k; d++) n = vv_times(n, a->shape.n[d]);
    vv_buf_printf(&dims, "%s:%lld", name, (long long)n);
    for (int d = k; d < a->shape.nd; d++) vv_buf_printf(&dims, ",%s:%lld", a->dim[d], (long long)a->shape.n[d]);
    vv_array *out = vv_buf_status(&dims) == VV_OK ? vv_reshape(a, dims.data) : vv_node_inert(a->context);
    vv_buf_free(&dims);
    return out;
}

/* Positions along the first k dimensions as positions along the merged one. */
static vv_status merge_positions(const vv_array *a, int k, const vv_index position[], vv_index n, vv_index out[])
{
    for (vv_index i = 0; i < n; i++) {
        out[i] = 0;
        for (int d = 0; d < k; d++) {
            vv_index at = position[d * n + i];
            VV_TRY(vv_node_position(a, d, &at));
            out[i] = out[i] * a->shape.n[d] + at;
        }
    }
    return VV_OK;
}

vv_array *vv_points(vv_array *a, const char *dims, const vv_index position[], vv_index n, const char *new_dim)
{
    int k;
    vv_index *at = NULL;
    if (vv_array_status(a) != VV_OK) return vv_node_inert(a->context);
    vv_array *x = with_in_front(a, dims, &k);
    vv_status status = vv_array_status(x);
    if (status == VV_OK && n < 0) status = vv_fail(VV_ERR_USAGE, "%lld points", (long long)n);
    if (status == VV_OK) status = vv_new(&at, (size_t)n + 1, sizeof *at);
    if (status == VV_OK) status = merge_positions(x, k, position, n, at);
    if (status == VV_OK) x = vv_node_then(x, front_merged(x, k, new_dim));
    x = vv_node_then(x, status == VV_OK ? vv_take(x, new_dim, at, n) : vv_node_inert(a->context));
    free(at);
    return x;
}

vv_array *vv_diagonal(vv_array *a, const char *rows, const char *columns, vv_index k, const char *new_dim)
{
    char dims[600];
    int n;
    if (vv_array_status(a) != VV_OK) return vv_node_inert(a->context);
    snprintf(dims, sizeof dims, "%s,%s", rows, columns);
    vv_array *x = with_in_front(a, dims, &n);
    if (x->status != VV_OK) return x;
    vv_index r = x->shape.n[0], c = x->shape.n[1], row = k < 0 ? -k : 0, column = k > 0 ? k : 0;
    vv_index length = vv_imax(0, vv_imin(r - row, c - column));
    x = vv_node_then(x, front_merged(x, 2, new_dim));
    vv_index first = row * c + column, step = c + 1;
    x = vv_node_then(x, vv_slice(x, new_dim, length ? first : 0, length ? first + (length - 1) * step + 1 : 0, step));
    return vv_node_then(x, vv_moveaxis(x, new_dim, -1));
}

/* --- blocks --- */

typedef struct blocks {
    vv_index size[VV_MAX_DIMS]; /* by dimension; 0: not said */
} blocks;

static vv_status read_blocks(const vv_array *a, const char *text, blocks *b)
{
    vv_item_text item;
    bool any;
    for (;;) {
        int d;
        VV_TRY(vv_next_item(&text, &item, &any));
        if (!any) return VV_OK;
        VV_TRY(vv_node_find_dim(a, item.name, &d));
        if (b->size[d]) return vv_fail(VV_ERR_USAGE, "dimension '%s' is named twice", item.name);
        VV_TRY(vv_item_number(&item, &b->size[d]));
    }
}

static vv_array *whole_blocks(vv_array *a, const blocks *b, bool trim)
{
    vv_array *x = vv_node_again(a);
    for (int d = 0; d < a->shape.nd; d++) {
        vv_index rest = b->size[d] ? a->shape.n[d] % b->size[d] : 0;
        if (rest == 0) continue;
        if (!trim) {
            (void)vv_fail(VV_ERR_SHAPE, "'%s' has %lld elements along '%s': no whole number of blocks of %lld", a->name,
                          (long long)a->shape.n[d], a->dim[d], (long long)b->size[d]);
            return vv_node_then(x, vv_node_inert(a->context));
        }
        x = vv_node_then(x, vv_slice(x, a->dim[d], 0, a->shape.n[d] - rest, 1));
    }
    return x;
}

/* Each dimension with blocks becomes two: which block, and where in it. Names of the second ones are listed. */
static vv_array *split_blocks(vv_array *a, const blocks *b, vv_buf *inner)
{
    vv_buf dims = {0};
    for (int d = 0; d < a->shape.nd; d++) {
        vv_index n = b->size[d] ? b->size[d] : 1;
        vv_buf_printf(&dims, "%s%s:%lld", d ? "," : "", a->dim[d], (long long)(a->shape.n[d] / n));
        if (!b->size[d]) continue;
        vv_buf_printf(&dims, ",.%s:%lld", a->dim[d], (long long)n);
        vv_buf_printf(inner, "%s.%s", inner->size ? "," : "", a->dim[d]);
    }
    bool good = vv_buf_status(&dims) == VV_OK && vv_buf_status(inner) == VV_OK;
    vv_array *out = good ? vv_reshape(a, dims.data ? dims.data : "") : vv_node_inert(a->context);
    vv_buf_free(&dims);
    return out;
}

static vv_status mean_coordinates(vv_array *a, const vv_array *in, const blocks *b)
{
    for (int d = 0; d < a->shape.nd; d++) {
        vv_values *old;
        VV_TRY(vv_coord_values(&in->coord[d], &old));
        vv_coord *c = &a->coord[d];
        vv_coord_free(c);
        vv_coord_copy(&in->coord[d], c);
        if (b->size[d] && vv_coord_is_text(c)) { /* labels of several have no middle */
            vv_coord_free(c);
            vv_values_free(&old);
            continue;
        }
        if (!b->size[d] || !old) {
            vv_values_free(&old);
            continue;
        }
        vv_values_free(&c->value);
        c->moved = true;
        vv_status status = vv_values_new(a->shape.n[d], &c->value);
        for (vv_index i = 0; status == VV_OK && i < a->shape.n[d]; i++) {
            double sum = 0;
            for (vv_index k = 0; k < b->size[d]; k++) sum += old->at[i * b->size[d] + k];
            c->value->at[i] = sum / (double)b->size[d];
        }
        vv_values_free(&old);
        VV_TRY(status);
    }
    return VV_OK;
}

vv_array *vv_coarsen(vv_array *a, const char *how, const char *text, bool trim)
{
    blocks b = {{0}};
    vv_buf inner = {0};
    if (vv_array_status(a) != VV_OK || read_blocks(a, text, &b) != VV_OK) return vv_node_inert(a->context);
    vv_array *x = whole_blocks(a, &b, trim);
    if (x->status != VV_OK) return x;
    bool any = false;
    for (int d = 0; d < a->shape.nd; d++) any = any || b.size[d];
    if (!any) return x;
    vv_array *split = split_blocks(x, &b, &inner);
    vv_array *out = split->status == VV_OK ? vv_reduce(split, how, inner.data, NULL) : vv_node_again(split);
    vv_buf_free(&inner);
    vv_release(&split);
    if (out->status == VV_OK) out = vv_node_settle(a->context, out, mean_coordinates(out, x, &b));
    vv_release(&x);
    return out;
}
