/* Compositions of views: more copies, other orders, larger shapes, arrays put into a grid, a part that becomes another one. */
#include "array/build.h"

#include "varve/create.h"
#include "varve/move.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static vv_array *fails(vv_context *c, vv_status status)
{
    (void)status;
    return vv_node_inert(c);
}

/* --- copies --- */

static vv_status check_copies(const vv_array *a, const char *dim, vv_index n, int *d)
{
    VV_TRY(vv_node_find_dim(a, dim, d));
    if (n < 0 || vv_times(n, vv_imax(1, a->shape.n[*d])) >= (vv_index)1 << 40)
        return vv_fail(VV_ERR_USAGE, "'%s' cannot be repeated %lld times along '%s'", a->name, (long long)n, dim);
    return VV_OK;
}

/* Position by position: which element of the dimension's n comes at i. */
static vv_array *looked_up(vv_array *a, int d, vv_index count,
                           vv_index (*from)(vv_index i, vv_index n, vv_index copies), vv_index copies)
{
    vv_index *at;
    if (vv_new(&at, (size_t)count + 1, sizeof *at) != VV_OK) return vv_node_inert(a->context);
    for (vv_index i = 0; i < count; i++) at[i] = from(i, a->shape.n[d], copies);
    vv_array *out = vv_take(a, a->dim[d], at, count);
    free(at);
    return out;
}

static vv_index repeated(vv_index i, vv_index n, vv_index copies)
{
    (void)n;
    return i / copies;
}

static vv_index tiled(vv_index i, vv_index n, vv_index copies)
{
    (void)copies;
    return i % n;
}

static vv_array *copied(vv_array *a, const char *dim, vv_index n, vv_index (*from)(vv_index, vv_index, vv_index))
{
    int d;
    if (vv_array_status(a) != VV_OK || check_copies(a, dim, n, &d) != VV_OK) return vv_node_inert(a->context);
    return looked_up(a, d, n * a->shape.n[d], from, n);
}

vv_array *vv_repeat(vv_array *a, const char *dim, vv_index n)
{
    return copied(a, dim, n, repeated);
}

vv_array *vv_tile(vv_array *a, const char *dim, vv_index n)
{
    return copied(a, dim, n, tiled);
}

vv_array *vv_compress(vv_array *a, const char *dim, const bool keep[], vv_index n)
{
    int d;
    vv_index *at, some = 0;
    if (vv_array_status(a) != VV_OK || vv_node_find_dim(a, dim, &d) != VV_OK) return vv_node_inert(a->context);
    if (n != a->shape.n[d])
        return fails(a->context, vv_fail(VV_ERR_SHAPE, "a mask of %lld for '%s', which has %lld elements along '%s'",
                                         (long long)n, a->name, (long long)a->shape.n[d], dim));
    if (vv_new(&at, (size_t)n + 1, sizeof *at) != VV_OK) return vv_node_inert(a->context);
    for (vv_index i = 0; i < n; i++)
        if (keep[i]) at[some++] = i;
    vv_array *out = vv_take(a, dim, at, some);
    free(at);
    return out;
}

/* --- order --- */

vv_array *vv_flip(vv_array *a, const char *dims)
{
    vv_array *out = vv_node_again(a);
    if (a->status != VV_OK) return out;
    for (int d = 0; d < a->shape.nd && !dims; d++)
        out = vv_node_then(out, vv_slice(out, a->dim[d], VV_BEGIN, VV_END, -1));
    while (dims) {
        int d;
        if (vv_next_dim(a, &dims, &d) != VV_OK) return vv_node_then(out, vv_node_inert(a->context));
        if (d < 0) break;
        out = vv_node_then(out, vv_slice(out, a->dim[d], VV_BEGIN, VV_END, -1));
    }
    return out;
}

/* Dimensions in the order of order[], by their names. */
static vv_array *ordered(vv_array *a, const int order[])
{
    vv_buf names = {0};
    for (int d = 0; d < a->shape.nd; d++) vv_buf_printf(&names, d ? ",%s" : "%s", a->dim[order[d]]);
    vv_array *out = vv_buf_status(&names) == VV_OK ? vv_transpose(a, names.data) : vv_node_inert(a->context);
    vv_buf_free(&names);
    return out;
}

vv_array *vv_swapaxes(vv_array *a, const char *one, const char *other)
{
    int d, e, order[VV_MAX_DIMS];
    if (vv_array_status(a) != VV_OK || vv_node_find_dim(a, one, &d) != VV_OK || vv_node_find_dim(a, other, &e) != VV_OK)
        return vv_node_inert(a->context);
    for (int k = 0; k < a->shape.nd; k++) order[k] = k == d ? e : k == e ? d : k;
    return ordered(a, order);
}

vv_array *vv_moveaxis(vv_array *a, const char *dim, int position)
{
    int d, order[VV_MAX_DIMS], n = a->shape.nd;
    if (vv_array_status(a) != VV_OK || vv_node_find_dim(a, dim, &d) != VV_OK) return vv_node_inert(a->context);
    if (position < -n || position >= n)
        return fails(a->context, vv_fail(VV_ERR_USAGE, "'%s' has %d dimensions; '%s' cannot be number %d", a->name, n,
                                         dim, position));
    if (position < 0) position += n;
    for (int k = 0, from = 0; k < n; k++) {
        if (k == position)
            order[k] = d;
        else
            order[k] = from == d ? ++from : from, from++;
    }
    return ordered(a, order);
}

/* What turns from the first dimension towards the second one takes its name and length along. */
static vv_array *quarter(vv_array *a, const char *from, const char *to)
{
    const char *between = ".turned";
    vv_array *x = vv_flip(a, to);
    x = vv_node_then(x, vv_swapaxes(x, from, to));
    x = vv_node_then(x, vv_rename(x, from, between));
    x = vv_node_then(x, vv_rename(x, to, from));
    return vv_node_then(x, vv_rename(x, between, to));
}

vv_array *vv_rot90(vv_array *a, const char *from, const char *to, int k)
{
    if (vv_array_status(a) != VV_OK) return vv_node_inert(a->context);
    if (!strcmp(from, to))
        return fails(a->context, vv_fail(VV_ERR_USAGE, "'%s' cannot be turned from '%s' to itself", a->name, from));
    vv_array *out = vv_node_again(a);
    for (k = (k % 4 + 4) % 4; k > 0; k--) out = vv_node_then(out, quarter(out, from, to));
    return out;
}

/* --- larger shapes --- */

/* Dimensions of length 1 may become longer: those of the shape that a lacks, or has once. */
static vv_array *squeezed_for(vv_array *a, const vv_array *shape)
{
    vv_array *out = vv_node_again(a);
    for (int d = 0; d < a->shape.nd; d++) {
        int k = vv_node_dim(shape, a->dim[d]);
        if (k >= 0 && a->shape.n[d] == 1 && shape->shape.n[k] != 1) out = vv_node_then(out, vv_squeeze(out, a->dim[d]));
    }
    return out;
}

static vv_status check_broadcast(const vv_array *a, const vv_array *shape, const char *dims)
{
    for (int d = 0; d < a->shape.nd; d++) {
        int k = vv_node_dim(shape, a->dim[d]);
        if (k >= 0 && a->shape.n[d] == shape->shape.n[k]) continue;
        char text[160];
        return vv_fail(VV_ERR_SHAPE, "%s cannot be broadcast to '%s'", vv_describe(a, text, sizeof text), dims);
    }
    return VV_OK;
}

/* Coordinates of those dimensions that stay. */
static vv_status keep_coords(vv_array *shape, const vv_array *a)
{
    for (int d = 0; d < shape->shape.nd; d++) {
        int k = vv_node_dim(a, shape->dim[d]);
        if (k >= 0) vv_coord_copy(&a->coord[k], &shape->coord[d]);
    }
    return VV_OK;
}

vv_array *vv_broadcast_to(vv_array *a, const char *dims)
{
    vv_context *c = a->context;
    if (vv_array_status(a) != VV_OK) return vv_node_inert(c);
    vv_array *shape = vv_node_full(c, dims, NULL, 0, VV_F64);
    vv_status status = vv_array_status(shape);
    vv_array *narrow = status == VV_OK ? squeezed_for(a, shape) : vv_node_inert(c);
    if (status == VV_OK) status = check_broadcast(narrow, shape, dims);
    if (status == VV_OK) status = keep_coords(shape, narrow);
    vv_array *out = status == VV_OK ? vv_node_seen_as(narrow, shape, NULL, -1, NULL) : vv_node_inert(c);
    vv_release(&shape);
    vv_release(&narrow);
    return out;
}

/* --- grids of arrays --- */

/* Joins n of them at a time along a dimension: count arrays become count / n, in place. */
static int joined(vv_context *c, vv_array *at[], int count, int n, const char *dim)
{
    for (int i = 0; i < count / n; i++) {
        vv_array *row = vv_node_concat(c, at + (size_t)i * (size_t)n, n, dim);
        for (int k = 0; k < n; k++) vv_release(&at[i * n + k]);
        at[i] = row;
    }
    return count / n;
}

vv_array *vv_node_block(vv_context *c, vv_array *const arrays[], const char *grid)
{
    vv_array *shape = vv_node_full(c, grid, NULL, 0, VV_F64), **at = NULL;
    vv_index n = shape->status == VV_OK ? vv_shape_elements(&shape->shape) : 0;
    if (shape->status != VV_OK) return shape;
    if (n < 1 || n > INT32_MAX || vv_new(&at, (size_t)n, sizeof(vv_array *)) != VV_OK) {
        if (at == NULL) (void)vv_fail(VV_ERR_USAGE, "a block of '%s' arrays", grid);
        return vv_node_then(shape, vv_node_inert(c));
    }
    int count = (int)n;
    for (int i = 0; i < count; i++) at[i] = vv_node_again(arrays[i]);
    for (int d = shape->shape.nd - 1; d >= 0; d--) count = joined(c, at, count, (int)shape->shape.n[d], shape->dim[d]);
    vv_array *out = at[0];
    free(at);
    vv_release(&shape);
    return out;
}

/* --- one place further --- */

vv_array *vv_shift(vv_array *a, const char *dim, vv_index by, double value)
{
    int d;
    if (vv_array_status(a) != VV_OK || vv_node_find_dim(a, dim, &d) != VV_OK) return vv_node_inert(a->context);
    vv_index n = a->shape.n[d], step = vv_imin(by < 0 ? -vv_imax(by, -n) : by, n);
    vv_array *x = vv_pad(a, dim, by > 0 ? step : 0, by < 0 ? step : 0, isnan(value) ? "nan" : "constant", value);
    x = vv_node_then(x, by > 0 ? vv_slice(x, dim, 0, n, 1) : vv_slice(x, dim, step, VV_END, 1));
    return x->status == VV_OK ? vv_node_then(x, vv_node_labelled_as(x, a)) : x;
}

/* --- assignment --- */

typedef struct region {
    vv_index lo[VV_MAX_DIMS], n[VV_MAX_DIMS];
} region;

/* "5", "2:8", ":-1", "" of a dimension. A single position is a stretch of one. */
static vv_status read_stretch(const vv_array *a, int d, const char *text, region *r)
{
    char *end;
    const char *colon = strchr(text, ':');
    vv_index n = a->shape.n[d], lo = 0, hi = n;
    bool good = true;
    if (*text && *text != ':') {
        lo = strtoll(text, &end, 10);
        good = end != text && end == (colon ? colon : text + strlen(text));
    }
    if (good && *text && !colon) {
        VV_TRY(vv_node_position(a, d, &lo));
        hi = lo + 1;
    }
    if (good && colon && colon[1]) {
        hi = strtoll(colon + 1, &end, 10);
        good = !*end;
    }
    if (!good) return vv_fail(VV_ERR_USAGE, "%s:%s: a region is written lat:3, lat:2:8 or lat::-1", a->dim[d], text);
    if (lo < 0) lo += n;
    if (hi < 0) hi += n;
    r->lo[d] = vv_imax(0, vv_imin(lo, n));
    r->n[d] = vv_imax(0, vv_imin(hi, n) - r->lo[d]);
    return VV_OK;
}

static vv_status read_region(const vv_array *a, const char *text, region *r)
{
    bool named[VV_MAX_DIMS] = {false}, any;
    vv_item_text item;
    for (int d = 0; d < a->shape.nd; d++) r->n[d] = a->shape.n[d];
    for (;;) {
        int d;
        VV_TRY(vv_next_item(&text, &item, &any));
        if (!any) return VV_OK;
        VV_TRY(vv_node_find_dim(a, item.name, &d));
        if (named[d]) return vv_fail(VV_ERR_USAGE, "dimension '%s' is named twice", item.name);
        named[d] = true;
        VV_TRY(read_stretch(a, d, item.value, r));
    }
}

/* The part of input `from` that covers a box, whose elements begin at `start` there. */
static vv_status add_box(vv_array *a, int from, const vv_box *box, const vv_index start[])
{
    vv_part p;
    if (vv_box_elements(box) == 0) return VV_OK;
    vv_part_same(&a->shape, &p);
    p.from = from;
    p.box = *box;
    for (int d = 0; d < box->nd; d++) p.start[d] = start ? start[d] : box->lo[d];
    return vv_node_add_part(a, &p);
}

/* Before and after the region along each dimension, within it along those before: boxes of the old elements; then the new ones. */
static vv_status add_boxes(vv_array *a, const region *r)
{
    vv_box box = {.nd = a->shape.nd};
    static const vv_index zero[VV_MAX_DIMS];
    memcpy(box.n, a->shape.n, sizeof box.n);
    for (int d = 0; d < box.nd; d++) {
        vv_box side = box;
        side.n[d] = r->lo[d];
        VV_TRY(add_box(a, 0, &side, NULL));
        side.lo[d] = r->lo[d] + r->n[d];
        side.n[d] = a->shape.n[d] - side.lo[d];
        VV_TRY(add_box(a, 0, &side, NULL));
        box.lo[d] = r->lo[d];
        box.n[d] = r->n[d];
    }
    return add_box(a, 1, &box, zero);
}

/* Elements broadcast to the shape of another array, as its type; a number too. */
static vv_array *fitted(vv_array *x, const vv_array *shape, vv_dtype type)
{
    vv_buf dims = {0};
    for (int d = 0; d < shape->shape.nd; d++)
        vv_buf_printf(&dims, "%s%s:%lld", d ? "," : "", shape->dim[d], (long long)shape->shape.n[d]);
    vv_array *out = vv_node_again(x);
    if (x->kind == VV_NODE_SCALAR) out = vv_node_then(out, vv_node_full(x->context, "", NULL, x->scalar, VV_F64));
    if (x->kind == VV_NODE_SCALAR && vv_dtype_is_complex(x->dtype))
        out = vv_node_of_parts(out, vv_node_full(x->context, "", NULL, x->imaginary, VV_F64));
    out = vv_node_then(out, vv_astype(out, type));
    if (vv_buf_status(&dims) != VV_OK || shape->status != VV_OK) out = vv_node_then(out, vv_node_inert(x->context));
    out = vv_node_then(out, vv_broadcast_to(out, dims.data ? dims.data : ""));
    vv_buf_free(&dims);
    return out;
}

/* New elements in the shape of the region. */
static vv_array *fitted_to_region(vv_array *a, const region *r, vv_array *b)
{
    vv_array *shape = vv_node_again(a);
    for (int d = 0; d < a->shape.nd; d++)
        shape = vv_node_then(shape, vv_slice(shape, a->dim[d], r->lo[d], r->lo[d] + r->n[d], 1));
    return vv_node_then(shape, fitted(b, shape, a->dtype));
}

static vv_status fill_assigned(vv_array *a, vv_array *in, vv_array *b, const region *r)
{
    VV_TRY(vv_node_like(a, in));
    a->fill = NAN;
    VV_TRY(vv_array_status(b));
    VV_TRY(vv_node_input(a, b));
    return add_boxes(a, r);
}

vv_array *vv_assign(vv_array *a, const char *text, vv_array *b)
{
    region r = {{0}, {0}};
    vv_context *c = a->context;
    if (vv_nodes_usable((vv_array *[]){a, b}, 2) != VV_OK || read_region(a, text, &r) != VV_OK) return vv_node_inert(c);
    vv_array *x = fitted_to_region(a, &r, b), *out = vv_node_upon(a, VV_NODE_VIEW);
    if (out->status == VV_OK) out = vv_node_settle(c, out, fill_assigned(out, a, x, &r));
    vv_release(&x);
    return out;
}

vv_array *vv_assign_where(vv_array *a, vv_array *mask, vv_array *b)
{
    vv_context *c = a->context;
    if (vv_nodes_usable((vv_array *[]){a, mask, b}, 3) != VV_OK) return vv_node_inert(c);
    vv_array *value = fitted(b, a, a->dtype), *here = fitted(mask, a, VV_BOOL);
    vv_array *out = vv_node_elementwise(c, "where", (vv_array *[]){here, value, a}, 3);
    vv_release(&here);
    vv_release(&value);
    return vv_node_about(out, a);
}
