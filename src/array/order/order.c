/* What order decides: medians and quantiles, sorted values, the greatest and the least. All of them are operations on whole lanes (kernels/block/op.h): a BLOCK whose result
 * has another length along the lanes, and a view that drops or moves dimensions. */
#include "array/order/order.h"
#include "array/build.h"

#include "kernels/order/quantile.h"
#include "varve/move.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- lanes --- */

static vv_status check_lanes(const vv_array *in, const vv_block_op *op, const bool along[])
{
    const vv_grouping *g = vv_node_grouping(in);
    bool some = false;
    for (int d = 0; d < in->shape.nd; d++) {
        some = some || along[d];
        if (!along[d] || in->shape.n[d] > 0) continue;
        return vv_fail(VV_ERR_SHAPE, "'%s' has no elements along '%s'", in->name, in->dim[d]);
    }
    if (!some) return vv_fail(VV_ERR_SHAPE, "'%s' has no dimensions along which to order it", in->name);
    if (g && along[g->dim])
        return vv_fail(VV_ERR_USAGE,
                       "'%s' is grouped along '%s': there is no %s by group; vv_ungroup() it, or take each group's "
                       "elements with vv_take()",
                       in->name, in->dim[g->dim], strchr(op->name, '_') + 1);
    return VV_OK;
}

/* call: without what lanes_upon() fills in itself; its weights are copied. first: the name of what takes the place of the first dimension, NULL for the
 * dimension's own. */
static vv_status fill_lanes(vv_array *a, const vv_array *in, const char *first)
{
    vv_block_call *c = &a->call;
    const vv_block_op *op = &vv_block_ops[c->op];
    vv_dtype working = vv_working_type(in->dtype);
    bool begun = false;
    if (working == VV_NONE || op->result(working) == VV_NONE)
        return vv_fail(VV_ERR_TYPE, "%s is not defined for %s ('%s')", strchr(op->name, '_') + 1,
                       vv_dtype_name(in->dtype), in->name);
    vv_index n = 1;
    for (int d = 0; d < in->shape.nd; d++) {
        if (c->along[d]) n = vv_times(n, in->shape.n[d]);
        if (!c->along[d])
            VV_TRY(vv_node_like_dim(a, d, in, d));
        else
            VV_TRY(vv_node_set_dim(a, d, begun || !first ? in->dim[d] : first, begun ? 1 : c->length));
        begun = begun || c->along[d];
    }
    if (!op->fits(c, n) && !(op->sorts && n > INT32_MAX)) /* column by column they may be longer */
        return vv_fail(VV_ERR_SHAPE, "'%s': %s of lanes of %lld elements", in->name, strchr(op->name, '_') + 1,
                       (long long)n);
    a->dtype = op->result(working) == VV_F64 && in->dtype == VV_F32 ? VV_F32 : op->result(working);
    if (op->result(VV_I64) == VV_I64 && op->result(VV_F64) == VV_F64) a->dtype = in->dtype; /* elements as they are */
    VV_TRY(vv_attrs_copy(&a->attrs, &in->attrs));
    VV_TRY(vv_cf_statistic_units(&a->attrs, strchr(op->name, '_') + 1));
    VV_TRY(vv_cf_cell_method(a, a->input[0], c->along, op->cell_method, NULL));
    return vv_node_keep_groups(a, in);
}

static vv_array *lanes_upon(vv_array *in, const vv_block_call *call, const char *first)
{
    vv_status status = vv_array_status(in);
    if (status == VV_OK) status = check_lanes(in, &vv_block_ops[call->op], call->along);
    vv_array *a = status == VV_OK ? vv_node_upon(in, VV_NODE_BLOCK) : vv_node_inert(in->context);
    if (a->status != VV_OK) return a;
    a->call = *call;
    a->call.weight = NULL;
    if (call->n_weights > 0) status = vv_new(&a->call.weight, (size_t)call->n_weights, sizeof *call->weight);
    if (status == VV_OK && call->n_weights > 0)
        memcpy(a->call.weight, call->weight, (size_t)call->n_weights * sizeof *call->weight);
    if (status == VV_OK) status = fill_lanes(a, in, first);
    return vv_node_settle(in->context, a, status);
}

vv_array *vv_node_lanes(vv_array *in, const vv_block_call *call)
{
    return lanes_upon(in, call, NULL);
}

/* Without the lanes' dimensions but perhaps the first one. Takes `a` over. */
static vv_array *flattened(vv_array *a, const bool along[], bool keep_first)
{
    vv_buf gone = {0};
    vv_array *flat = NULL;
    bool first = true;
    if (a->status != VV_OK) return a;
    for (int d = 0; d < a->shape.nd; d++) {
        if (!along[d]) continue;
        if (!first || !keep_first) vv_buf_printf(&gone, gone.size ? ",%s" : "%s", a->dim[d]);
        first = false;
    }
    if (vv_buf_status(&gone) != VV_OK)
        flat = vv_node_inert(a->context);
    else
        flat = gone.size ? vv_squeeze(a, gone.data) : vv_node_again(a);
    vv_buf_free(&gone);
    vv_release(&a);
    return flat;
}

/* Whether an array is grouped along one of these dimensions. */
static bool by_group(const vv_array *in, const bool along[])
{
    const vv_grouping *g = vv_node_grouping(in);
    return g && along[g->dim];
}

vv_array *vv_node_reduce_lanes(vv_array *in, int op, const char *dims, const vv_reduce_options *options)
{
    const vv_reduce_options defaults = VV_REDUCE_OPTIONS_INIT, *o = options ? options : &defaults;
    vv_block_call c = {.op = op, .length = 1, .keep_nan = o->keep_nan};
    if (vv_node_named_dims(in, dims, c.along) != VV_OK) return vv_node_inert(in->context);
    if (by_group(in, c.along) && !strcmp(vv_block_ops[op].name, "lanes_median"))
        return vv_node_order_groups(in, c.along, &(vv_group_order){.keep_nan = o->keep_nan, .keep_dims = o->keep_dims});
    if (!o->keep_dims && vv_node_is_long(in, c.along) && op == vv_block_op_find("lanes_median"))
        return vv_node_select_long(in, -1, 0.5, o->keep_nan);
    vv_array *a = lanes_upon(in, &c, NULL);
    return o->keep_dims ? a : flattened(a, c.along, false);
}

/* --- quantiles --- */

static vv_status find_method(const char *name, int *out)
{
    const char *names[32];
    int n = vv_n_quantile_methods < 32 ? vv_n_quantile_methods : 32;
    *out = vv_quantile_find(name ? name : "linear");
    if (*out >= 0) return VV_OK;
    for (int i = 0; i < n; i++) names[i] = vv_quantile_methods[i].name;
    const char *near = vv_nearest(name, names, n);
    return vv_fail(VV_ERR_USAGE, "there is no quantile method '%s'%s%s%s", name, near ? "; did you mean '" : "",
                   near ? near : "", near ? "'?" : "");
}

static vv_status prepare(const vv_array *in, const double q[], vv_index n, const char *dims,
                         const vv_quantile_options *o, vv_block_call *c)
{
    int method;
    VV_TRY(vv_array_status(in));
    VV_TRY(find_method(o->method, &method));
    if (n < 1) return vv_fail(VV_ERR_USAGE, "'%s': %lld quantiles", in->name, (long long)n);
    for (vv_index i = 0; i < n; i++)
        if (!(q[i] >= 0 && q[i] <= 1))
            return vv_fail(VV_ERR_USAGE, "'%s': %g is no quantile; they are between 0 and 1", in->name, q[i]);
    *c = (vv_block_call){.length = n, .n_weights = n, .how = method, .keep_nan = o->keep_nan};
    c->op = vv_block_op_find(vv_quantile_methods[method].picks ? "lanes_pick" : "lanes_quantile");
    return vv_node_named_dims(in, dims, c->along);
}

/* The first dimension of the lanes has become that of the quantiles, with these coordinates. */
static vv_status name_quantiles(vv_array *a, const bool along[], const double q[])
{
    int d = 0;
    while (!along[d]) d++;
    vv_values *v;
    VV_TRY(vv_values_new(a->shape.n[d], &v));
    memcpy(v->at, q, (size_t)v->n * sizeof *q);
    vv_coord_free(&a->coord[d]);
    a->coord[d] = (vv_coord){.var = -1, .value = v};
    return VV_OK;
}

static vv_array *quantiles(vv_array *in, const double q[], vv_index n, const char *dims, const vv_quantile_options *o,
                           bool alone)
{
    static const char name[] = "quantile";
    vv_block_call c;
    if (prepare(in, q, n, dims, o, &c) != VV_OK) return vv_node_inert(in->context);
    if (by_group(in, c.along))
        return vv_node_order_groups(in, c.along,
                                    &(vv_group_order){.q = q,
                                                      .n = n,
                                                      .several = !alone,
                                                      .how = c.how,
                                                      .picks = vv_quantile_methods[c.how].picks,
                                                      .window = o->window,
                                                      .keep_nan = o->keep_nan,
                                                      .keep_dims = o->keep_dims});
    if (o->window) {
        (void)vv_fail(VV_ERR_USAGE,
                      "'%s' is not grouped along these dimensions: a window of quantiles belongs to groups", in->name);
        return vv_node_inert(in->context);
    }
    if (alone && !o->keep_dims && vv_node_is_long(in, c.along)) return vv_node_select_long(in, c.how, *q, o->keep_nan);
    c.weight = (double *)(uintptr_t)q; /* copied from there */
    if (!alone && vv_node_dim(in, name) >= 0) {
        (void)vv_fail(VV_ERR_SHAPE, "'%s' has a dimension '%s' already; vv_rename() it", in->name, name);
        return vv_node_inert(in->context);
    }
    vv_array *a = lanes_upon(in, &c, alone ? NULL : name);
    if (a->status == VV_OK && !alone) a = vv_node_settle(in->context, a, name_quantiles(a, c.along, q));
    return alone && o->keep_dims ? a : flattened(a, c.along, !alone);
}

vv_array *vv_quantile(vv_array *in, double q, const char *dims, const vv_quantile_options *options)
{
    const vv_quantile_options defaults = VV_QUANTILE_OPTIONS_INIT;
    return quantiles(in, &q, 1, dims, options ? options : &defaults, true);
}

/* The quantiles come first, as in NumPy. */
static vv_array *moved_first(vv_array *a, const char *dim)
{
    vv_buf order = {0};
    if (a->status != VV_OK) return a;
    vv_buf_text(&order, dim);
    for (int d = 0; d < a->shape.nd; d++)
        if (strcmp(a->dim[d], dim) != 0) vv_buf_printf(&order, ",%s", a->dim[d]);
    vv_array *moved = vv_buf_status(&order) == VV_OK ? vv_transpose(a, order.data) : vv_node_inert(a->context);
    vv_buf_free(&order);
    vv_release(&a);
    return moved;
}

vv_array *vv_quantiles(vv_array *in, const double q[], vv_index n, const char *dims, const vv_quantile_options *options)
{
    const vv_quantile_options defaults = VV_QUANTILE_OPTIONS_INIT;
    return moved_first(quantiles(in, q, n, dims, options ? options : &defaults, false), "quantile");
}

const char *vv_quantile_method_name(int i)
{
    return i >= 0 && i < vv_n_quantile_methods ? vv_quantile_methods[i].name : NULL;
}

/* --- sorted lanes --- */

/* Of long lanes: the best of the best of their pieces. */
enum { LONG = 1 << 21, PIECES = 64 };

static vv_array *best_of_pieces(vv_array *in, vv_index k, const char *dim, int d)
{
    vv_array *best[PIECES];
    vv_index n = in->shape.n[d], piece = vv_ceil_div(n, PIECES);
    int count = 0;
    for (vv_index at = 0; at < n; at += piece) {
        vv_array *some = vv_slice(in, dim, at, vv_imin(n, at + piece), 1);
        best[count++] = vv_node_then(some, vv_topk(some, k, dim));
    }
    vv_array *all = vv_node_concat(in->context, best, count, dim), *made = vv_node_then(all, vv_topk(all, k, dim));
    for (int i = 0; i < count; i++) vv_release(&best[i]);
    return made;
}

/* Element place[k] of `from`; -1 of none. */
static int element_at(const void *const in[], void *out, const vv_index size[], const void *data)
{
    const int64_t *from = in[0], *place = in[1];
    (void)data;
    for (vv_index k = 0; k < size[1]; k++) ((int64_t *)out)[k] = place[k] < 0 ? -1 : from[place[k]];
    return 0;
}

/* "lat,?k" as "k,lat": dimensions in the order of `like`, the new one called as it is there. Takes `a` over. */
static vv_array *in_place_of(vv_array *a, const char *name, const vv_array *like, int d)
{
    vv_buf order = {0};
    a = vv_node_then(a, vv_rename(a, name, like->dim[d]));
    for (int k = 0; k < like->shape.nd; k++) vv_buf_printf(&order, k ? ",%s" : "%s", like->dim[k]);
    vv_array *out = vv_buf_status(&order) == VV_OK ? vv_transpose(a, order.data) : vv_node_inert(a->context);
    vv_buf_free(&order);
    return vv_node_then(a, out);
}

/* Places of the best of the best of the pieces, each from where its piece begins; the earlier of equal ones comes first in its piece and in all of them. */
static vv_array *places_in_pieces(vv_array *in, vv_index k, const char *dim, int d)
{
    vv_array *best[PIECES], *place[PIECES], *of[2], *all[2];
    vv_index n = in->shape.n[d], piece = vv_ceil_div(n, PIECES);
    vv_context *c = in->context;
    int count = 0;
    for (vv_index at = 0; at < n; at += piece, count++) {
        vv_array *some = vv_slice(in, dim, at, vv_imin(n, at + piece), 1);
        place[count] = vv_node_of("add", vv_argtopk(some, k, dim), vv_node_whole(c, (double)at));
        best[count] = vv_node_then(some, vv_topk(some, k, dim));
    }
    all[0] = vv_node_concat(c, place, count, dim);
    all[1] = vv_node_concat(c, best, count, dim);
    for (int i = 0; i < count; i++) {
        vv_release(&best[i]);
        vv_release(&place[i]);
    }
    all[1] = vv_node_then(all[1], vv_argtopk(all[1], k, dim));
    of[0] = vv_node_then(all[0], vv_rename(all[0], dim, "?n"));
    of[1] = vv_node_then(all[1], vv_rename(all[1], dim, "?k"));
    vv_array *made = vv_node_gufunc(c, element_at, "(?n),(?k)->(?k)", of, 2, NULL);
    for (int i = 0; i < 2; i++) vv_release(&of[i]);
    return made->status == VV_OK ? in_place_of(made, "?k", in, d) : made;
}

static vv_array *sorted(vv_array *in, const char *op, vv_index k, const char *dim)
{
    int d;
    if (vv_array_status(in) != VV_OK || vv_node_find_dim(in, dim, &d) != VV_OK) return vv_node_inert(in->context);
    if (k == 0) {
        (void)vv_fail(VV_ERR_USAGE, "'%s': the 0 greatest elements along '%s'", in->name, dim);
        return vv_node_inert(in->context);
    }
    vv_index wanted = k < 0 ? -k : k;
    bool few = in->shape.n[d] > LONG && labs(k) < in->shape.n[d] / (2 * PIECES);
    if (few && !strcmp(op, "lanes_topk")) return best_of_pieces(in, k, dim, d);
    if (few && !strcmp(op, "lanes_argtopk")) return places_in_pieces(in, k, dim, d);
    vv_block_call c = {.op = vv_block_op_find(op), .how = k < 0};
    c.length = wanted < in->shape.n[d] ? wanted : in->shape.n[d];
    c.along[d] = true;
    vv_array *a = lanes_upon(in, &c, NULL);
    return a->status == VV_OK ? vv_node_settle(in->context, a, vv_node_sort_columns(a, in, d)) : a;
}

vv_array *vv_sort(vv_array *a, const char *dim)
{
    return sorted(a, "lanes_sort", VV_INDEX_MAX, dim);
}

vv_array *vv_argsort(vv_array *a, const char *dim)
{
    return sorted(a, "lanes_argsort", VV_INDEX_MAX, dim);
}

vv_array *vv_topk(vv_array *a, vv_index k, const char *dim)
{
    return sorted(a, "lanes_topk", k, dim);
}

vv_array *vv_argtopk(vv_array *a, vv_index k, const char *dim)
{
    return sorted(a, "lanes_argtopk", k, dim);
}
