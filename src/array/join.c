/* Arrays put together: one after the other along a dimension, or side by side along a new one. */
#include "array/build.h"
#include "array/text.h"

#include "base/calendar.h"
#include "varve/move.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static vv_status some(vv_array *const arrays[], int n, const char *what)
{
    if (n < 1) return vv_fail(VV_ERR_USAGE, "%s needs at least one array", what);
    return vv_nodes_usable(arrays, n);
}

static vv_status differs(const vv_array *a, const vv_array *b, const char *what)
{
    char both[VV_TWO_TEXT];
    return vv_fail(VV_ERR_SHAPE, "%s: arrays do not line up: %s", what, vv_describe_two(a, b, both));
}

/* The same dimensions, in any order, and the same element type; lengths may differ along `free_dim` of the first. */
static vv_status types_differ(const vv_array *a, const vv_array *b, const char *what)
{
    char both[VV_TWO_TEXT];
    return vv_fail(VV_ERR_TYPE, "%s: arrays of different types: %s", what, vv_describe_two(a, b, both));
}

static vv_status alike(vv_array *const arrays[], int n, int free_dim, const char *what)
{
    const vv_array *a = arrays[0];
    for (int i = 1; i < n; i++) {
        const vv_array *b = arrays[i];
        if (a->shape.nd != b->shape.nd) return differs(a, b, what);
        for (int d = 0; d < a->shape.nd; d++) {
            int k = vv_node_dim(b, a->dim[d]);
            if (k < 0 || (d != free_dim && a->shape.n[d] != b->shape.n[k])) return differs(a, b, what);
        }
        if (a->dtype != b->dtype) return types_differ(a, b, what);
    }
    return VV_OK;
}

/* Input i covers [lo, lo + n) along dimension d of the result; `new_dim` when it has no such dimension itself. */
static vv_status add_input(vv_array *a, vv_array *in, int i, int d, vv_index lo, bool new_dim)
{
    vv_part p;
    VV_TRY(vv_node_input(a, in));
    vv_part_same(&in->shape, &p);
    p.from = i;
    p.box = (vv_box){.nd = a->shape.nd};
    memcpy(p.box.n, a->shape.n, sizeof p.box.n);
    p.box.lo[d] = lo;
    p.box.n[d] = new_dim ? 1 : in->shape.n[vv_node_dim(in, a->dim[d])];
    if (p.box.n[d] == 0) return VV_OK;
    for (int k = 0; k < in->shape.nd; k++) p.dim[k] = vv_node_dim(a, in->dim[k]);
    return vv_node_add_part(a, &p);
}

/* --- coordinates --- */

/* Times of one axis as times of another one: files of one series often count from different dates. */
static vv_status convert_times(double at[], vv_index n, const vv_coord *from, const vv_coord *to)
{
    const char *units[2], *calendar[2];
    vv_time_axis axis[2];
    if (!vv_coord_time(from, &units[0], &calendar[0]) || !vv_coord_time(to, &units[1], &calendar[1])) return VV_OK;
    for (int i = 0; i < 2; i++) VV_TRY(vv_time_parse(units[i], calendar[i], &axis[i]));
    if (axis[0].calendar != axis[1].calendar)
        return vv_fail(VV_ERR_SHAPE, "times of different calendars: %s and %s", vv_calendar_name(axis[1].calendar),
                       vv_calendar_name(axis[0].calendar));
    if (!strcmp(units[0], units[1])) return VV_OK;
    for (vv_index i = 0; i < n; i++) {
        vv_instant t;
        if (isnan(at[i])) continue;
        VV_TRY(vv_time_instant(&axis[0], at[i], &t));
        at[i] = vv_time_value(&axis[1], t);
    }
    return VV_OK;
}

static vv_status joined_values(vv_array *const arrays[], int n, const char *dim, vv_values *out)
{
    vv_index at = 0;
    const vv_coord *first = &arrays[0]->coord[vv_node_dim(arrays[0], dim)];
    for (int i = 0; i < n; i++) {
        const vv_coord *c = &arrays[i]->coord[vv_node_dim(arrays[i], dim)];
        vv_values *v;
        VV_TRY(vv_coord_values(c, &v));
        memcpy(out->at + at, v->at, (size_t)v->n * sizeof *v->at);
        vv_index length = v->n;
        vv_values_free(&v);
        VV_TRY(convert_times(out->at + at, length, c, first));
        at += length;
    }
    return VV_OK;
}

static vv_status all_have_values(vv_array *const arrays[], int n, const char *dim, bool *all)
{
    const vv_coord *first = &arrays[0]->coord[vv_node_dim(arrays[0], dim)];
    *all = true;
    for (int i = 0; i < n && *all; i++) {
        vv_values *v;
        const vv_coord *c = &arrays[i]->coord[vv_node_dim(arrays[i], dim)];
        VV_TRY(vv_coord_values(c, &v));
        *all = v != NULL && vv_coord_is_text(c) == vv_coord_is_text(first);
        vv_values_free(&v);
    }
    return VV_OK;
}

static vv_status joined_coord(vv_array *a, int d, vv_array *const arrays[], int n)
{
    bool all;
    VV_TRY(all_have_values(arrays, n, a->dim[d], &all));
    a->coord[d] = arrays[0]->coord[d];
    a->coord[d].value = a->coord[d].bounds = NULL;
    a->coord[d].moved = true;
    if (!all) return VV_OK;
    VV_TRY(vv_values_new(a->shape.n[d], &a->coord[d].value));
    return joined_values(arrays, n, a->dim[d], a->coord[d].value);
}

/* --- the nodes --- */

static vv_status fill_concat(vv_array *a, vv_array *const arrays[], int n, int d)
{
    const vv_array *first = arrays[0];
    vv_index length = 0, lo = 0;
    a->origin = first->origin;
    a->dtype = first->dtype;
    a->fill = NAN;
    for (int i = 0; i < n; i++) length += arrays[i]->shape.n[vv_node_dim(arrays[i], first->dim[d])];
    VV_TRY(vv_attrs_copy(&a->attrs, &first->attrs));
    for (int k = 0; k < first->shape.nd; k++)
        if (k == d)
            VV_TRY(vv_node_set_dim(a, k, first->dim[k], length));
        else
            VV_TRY(vv_node_like_dim(a, k, first, k));
    for (int i = 0; i < n; i++) {
        VV_TRY(add_input(a, arrays[i], i, d, lo, false));
        lo += arrays[i]->shape.n[vv_node_dim(arrays[i], a->dim[d])];
    }
    return joined_coord(a, d, arrays, n);
}

vv_array *vv_node_concat(vv_context *c, vv_array *const arrays[], int n, const char *dim)
{
    int d;
    if (some(arrays, n, "concat") != VV_OK || vv_node_find_dim(arrays[0], dim, &d) != VV_OK ||
        alike(arrays, n, d, "concat") != VV_OK)
        return vv_node_inert(c);
    vv_array *a = vv_node_new(c, VV_NODE_VIEW, arrays[0]->name);
    return a->status == VV_OK ? vv_node_settle(c, a, fill_concat(a, arrays, n, d)) : a;
}

static vv_status fill_stack(vv_array *a, vv_array *const arrays[], int n, const char *dim)
{
    const vv_array *first = arrays[0];
    a->origin = first->origin;
    a->dtype = first->dtype;
    a->fill = NAN;
    if (vv_node_dim(first, dim) >= 0)
        return vv_fail(VV_ERR_SHAPE, "'%s' has a dimension '%s' already; vv_concat() joins along it", first->name, dim);
    VV_TRY(vv_attrs_copy(&a->attrs, &first->attrs));
    VV_TRY(vv_node_set_dim(a, 0, dim, n));
    for (int d = 0; d < first->shape.nd; d++) VV_TRY(vv_node_like_dim(a, d + 1, first, d));
    for (int i = 0; i < n; i++) VV_TRY(add_input(a, arrays[i], i, 0, i, true));
    return vv_node_keep_groups(a, first);
}

vv_array *vv_node_stack(vv_context *c, vv_array *const arrays[], int n, const char *dim)
{
    if (some(arrays, n, "stack") != VV_OK || alike(arrays, n, -1, "stack") != VV_OK) return vv_node_inert(c);
    vv_array *a = vv_node_new(c, VV_NODE_VIEW, arrays[0]->name);
    return a->status == VV_OK ? vv_node_settle(c, a, fill_stack(a, arrays, n, dim)) : a;
}
