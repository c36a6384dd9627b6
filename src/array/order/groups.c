/* Medians and quantiles by group. They are operations on whole lanes (kernels/block/groups.c), whose result has the groups, quantile by quantile, in the place of the lanes' first dimension; here
 * the table of the groups' members is made, and the result gets its dimensions: the groups' in the place of that which was grouped, in front of all the quantiles. */
#include "array/build.h"

#include "array/order/order.h"
#include "varve/move.h"

#include <stdlib.h>
#include <string.h>

/* --- the table --- */

/* Members of group `label`: positions that have it and, of a window, those around each of them, as far as there are any. */
typedef struct span {
    vv_index before, after, n; /* n: positions */
} span;

static vv_index first_of(const span *s, vv_index i)
{
    return vv_imax(0, i - s->before);
}

static vv_index end_of(const span *s, vv_index i)
{
    return vv_imin(s->n, i + s->after + 1);
}

/* Where each group's members begin, group n: where they end. */
static void count_members(const vv_grouping *g, const span *s, double begin[])
{
    for (vv_index i = 0; i < s->n; i++)
        if (g->label->at[i] >= 0) begin[g->label->at[i] + 1] += (double)(end_of(s, i) - first_of(s, i));
    for (vv_index k = 0; k < g->n; k++) begin[k + 1] += begin[k];
}

static vv_status list_members(const vv_grouping *g, const span *s, const double begin[], double member[])
{
    vv_index *next;
    VV_TRY(vv_new(&next, (size_t)g->n, sizeof *next));
    for (vv_index i = 0; i < s->n; i++) {
        vv_index k = g->label->at[i];
        for (vv_index p = first_of(s, i); k >= 0 && p < end_of(s, i); p++)
            member[(vv_index)begin[k] + next[k]++] = (double)p;
    }
    free(next);
    return VV_OK;
}

static vv_status make_table(const vv_grouping *g, const vv_group_order *o, vv_block_call *c)
{
    double *begin;
    vv_index window = vv_imax(1, o->window);
    const span s = {.before = window / 2, .after = window - 1 - window / 2, .n = g->label->n};
    VV_TRY(vv_new(&begin, (size_t)g->n + 1, sizeof *begin));
    count_members(g, &s, begin);
    c->groups = g->n;
    c->extent = s.n;
    c->first = o->n;
    c->length = vv_times(g->n, vv_imax(1, o->n));
    c->n_weights = o->n + g->n + 1 + (vv_index)begin[g->n];
    vv_status status = vv_new(&c->weight, (size_t)c->n_weights, sizeof *c->weight);
    if (status == VV_OK) {
        if (o->n > 0) memcpy(c->weight, o->q, (size_t)o->n * sizeof *o->q);
        memcpy(c->weight + o->n, begin, (size_t)(g->n + 1) * sizeof *begin);
        status = list_members(g, &s, begin, c->weight + o->n + g->n + 1);
    }
    free(begin);
    return status;
}

/* --- dimensions of the result --- */

/* Names of the lanes' dimensions that go, or that stay with length 1, but for the first one, in whose place the groups are. */
static vv_status list_gone(const vv_array *in, const bool along[], int place, const vv_group_order *o, vv_buf *out)
{
    for (int d = 0; d < in->shape.nd && !o->keep_dims; d++)
        if (along[d] && d != place) vv_buf_printf(out, out->size ? ",%s" : "%s", in->dim[d]);
    return vv_buf_status(out);
}

/* The groups, behind the quantiles where there are any, instead of dimension `place`. */
static vv_status list_split(const vv_array *a, int place, const vv_grouping *g, const vv_group_order *o, vv_buf *out)
{
    for (int d = 0; d < a->shape.nd; d++) {
        if (d) vv_buf_text(out, ",");
        if (d != place)
            vv_buf_printf(out, "%s:%lld", a->dim[d], (long long)a->shape.n[d]);
        else
            vv_buf_printf(out, "quantile:%lld,%s:%lld", (long long)o->n, g->name, (long long)g->n);
    }
    return vv_buf_status(out);
}

/* The quantiles first, the groups where their dimension was. */
static vv_status list_order(const vv_array *in, const bool along[], const vv_grouping *g, const vv_group_order *o,
                            vv_buf *out)
{
    if (o->several) vv_buf_text(out, "quantile");
    for (int d = 0; d < in->shape.nd; d++) {
        const char *name = d == g->dim ? g->name : in->dim[d];
        if (!along[d] || d == g->dim || o->keep_dims) vv_buf_printf(out, out->size ? ",%s" : "%s", name);
    }
    return vv_buf_status(out);
}

static bool in_order(const vv_array *a, const char *order)
{
    for (int d = 0; d < a->shape.nd; d++) {
        size_t n = strcspn(order, ",");
        if (strlen(a->dim[d]) != n || strncmp(a->dim[d], order, n) != 0) return false;
        order += n + (order[n] == ',');
    }
    return true;
}

typedef vv_array *dims_function(vv_array *a, const char *dims);

/* f of `a`, which is given away, and of what the list says; of an empty one `a` itself. Frees the list. */
static vv_array *with_list(vv_array *a, vv_status status, vv_buf *list, dims_function *f)
{
    vv_array *made = status != VV_OK || a->status != VV_OK ? vv_node_inert(a->context)
                     : list->size                          ? f(a, list->data)
                                                           : vv_node_again(a);
    vv_buf_free(list);
    return vv_node_then(a, made);
}

static vv_status label(vv_array *a, const vv_array *in, const bool along[], const vv_grouping *g,
                       const vv_group_order *o)
{
    for (int d = 0; d < a->shape.nd; d++) {
        int from = vv_node_dim(in, a->dim[d]);
        bool grouped = !strcmp(a->dim[d], g->name), quantile = o->several && !strcmp(a->dim[d], "quantile");
        vv_coord_free(&a->coord[d]);
        a->coord[d] = (vv_coord){.var = -1};
        if (grouped) {
            vv_coord_copy(&g->coord, &a->coord[d]);
        } else if (quantile) {
            VV_TRY(vv_values_new(o->n, &a->coord[d].value));
            memcpy(a->coord[d].value->at, o->q, (size_t)o->n * sizeof *o->q);
        } else if (from >= 0 && !along[from]) {
            vv_coord_copy(&in->coord[from], &a->coord[d]);
        }
    }
    return VV_OK;
}

static vv_array *shaped(vv_array *a, const vv_array *in, const bool along[], const vv_grouping *g,
                        const vv_group_order *o)
{
    vv_buf gone = {0}, split = {0}, order = {0};
    int first = 0;
    while (!along[first]) first++;
    a = with_list(a, list_gone(in, along, first, o, &gone), &gone, vv_squeeze);
    if (a->status != VV_OK) return a;
    if (o->several) {
        vv_status status = list_split(a, vv_node_dim(a, in->dim[first]), g, o, &split);
        a = with_list(a, status, &split, vv_reshape);
    } else if (strcmp(in->dim[first], g->name) != 0) {
        a = vv_node_then(a, vv_rename(a, in->dim[first], g->name));
    }
    if (a->status != VV_OK) return a;
    vv_status status = list_order(in, along, g, o, &order);
    if (status != VV_OK || !in_order(a, order.data)) return with_list(a, status, &order, vv_transpose);
    vv_buf_free(&order);
    return vv_node_then(a, vv_node_seen_again(a));
}

/* --- by group --- */

static vv_status check(const vv_array *in, const bool along[], const vv_grouping *g, const vv_group_order *o)
{
    for (int d = 0; d < in->shape.nd; d++)
        if (d != g->dim && (!along[d] || o->keep_dims) && !strcmp(in->dim[d], g->name))
            return vv_fail(VV_ERR_SHAPE, "'%s' cannot be grouped by '%s': it has a dimension of this name", in->name,
                           g->name);
    if (o->several && (vv_node_dim(in, "quantile") >= 0 || !strcmp(g->name, "quantile")))
        return vv_fail(VV_ERR_SHAPE, "'%s' has a dimension 'quantile' already; vv_rename() it", in->name);
    if (o->window < 0 || o->window > in->shape.n[g->dim])
        return vv_fail(VV_ERR_USAGE, "'%s': a window of %lld elements along '%s', which has %lld", in->name,
                       (long long)o->window, in->dim[g->dim], (long long)in->shape.n[g->dim]);
    return VV_OK;
}

static const char *operation(const vv_group_order *o)
{
    return o->n == 0 ? "lanes_group_median" : o->picks ? "lanes_group_pick" : "lanes_group_quantile";
}

vv_array *vv_node_order_groups(vv_array *in, const bool along[], const vv_group_order *o)
{
    vv_context *c = in->context;
    const vv_grouping *g = vv_node_grouping(in);
    vv_block_call call = {.op = vv_block_op_find(operation(o)), .how = o->how, .keep_nan = o->keep_nan, .axis = g->dim};
    memcpy(call.along, along, sizeof call.along);
    vv_array *flat = vv_node_ungrouped(in), *a = vv_node_inert(c);
    vv_status status = vv_array_status(flat);
    if (status == VV_OK) status = check(in, along, g, o);
    if (status == VV_OK) status = make_table(g, o, &call);
    if (status == VV_OK) a = vv_node_then(a, vv_node_lanes(flat, &call));
    free(call.weight);
    vv_release(&flat);
    bool periods = !strcmp(g->name, in->dim[g->dim]);
    if (status == VV_OK) status = vv_array_status(a);
    if (status == VV_OK && o->n == 0)
        status = vv_cf_cell_method(a, a->input[0], along, "median", periods ? NULL : g->name);
    if (status == VV_OK) a = shaped(a, in, along, g, o);
    if (status == VV_OK) status = vv_array_status(a);
    if (status == VV_OK) status = label(a, in, along, g, o);
    return vv_node_settle(c, a, status);
}
