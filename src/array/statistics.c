/* Statistics that are made of other operations: weighted ones, and central moments of any order. */
#include "array/build.h"
#include "varve/move.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static vv_array *reduced(vv_array *a, const char *how, const char *dims, const vv_reduce_options *o)
{
    vv_array *made = vv_reduce(a, how, dims, o);
    vv_release(&a);
    return made;
}

/* a where it is not zero, else NaN; of a NaN in `where` b. Both are given away. */
static vv_array *chosen(const char *test, vv_array *of, vv_array *yes, vv_array *no)
{
    vv_array *operands[] = {vv_node_of(test, of, NULL), yes, no};
    vv_array *made = vv_node_elementwise(yes->context, "where", operands, 3);
    for (int i = 0; i < 3; i++) vv_release(&operands[i]);
    return made;
}

/* Where weights do not cancel, else NaN. It is given away. */
static vv_array *nonzero(vv_array *total)
{
    return chosen("as_bool", vv_node_again(total), total, vv_node_scalar(total->context, (double)NAN));
}

/* Weights of the values that are there; of none, or where they cancel, NaN. */
static vv_array *all_weights(vv_array *x, vv_array *w, const char *dims, const vv_reduce_options *o)
{
    vv_array *there = chosen("isnan", vv_node_again(x), vv_node_scalar(x->context, 0), vv_node_again(w));
    return nonzero(reduced(there, "sum", dims, o));
}

static vv_array *times(vv_array *x, vv_array *w, const char *dims, const vv_reduce_options *o)
{
    return reduced(vv_node_of("multiply", x, vv_node_again(w)), "sum", dims, o);
}

/* --- weights that are the same all along some dimensions ---
 *
 * Along dimensions that only the values have, they are added up before they are weighted: cos(lat) is multiplied with sums of parallels, not with every element. Those
 * sums are not rounded to the type of the values. */

typedef struct split {
    vv_buf alone, shared; /* reduced dimensions that the weights have not, and have */
} split;

static void free_split(split *p)
{
    vv_buf_free(&p->alone);
    vv_buf_free(&p->shared);
}

static bool lies_in(const vv_array *w, const vv_array *x)
{
    for (int d = 0; d < w->shape.nd; d++)
        if (vv_node_dim(x, w->dim[d]) < 0) return false;
    return vv_dtype_is_float(w->dtype) && vv_dtype_is_float(x->dtype) && !vv_node_grouping(w) && !vv_node_grouping(x);
}

/* Whether there is anything to gain. What is wrong with `dims` is told by who uses them. */
static bool splits(const vv_array *x, const vv_array *w, const char *dims, split *p)
{
    bool named[VV_MAX_DIMS] = {false};
    *p = (split){{0}, {0}};
    if (!lies_in(w, x)) return false;
    if (vv_node_named_dims(x, dims, named) != VV_OK) {
        vv_error_clear();
        return false;
    }
    vv_index n = 1;
    for (int d = 0; d < x->shape.nd; d++) {
        bool both = vv_node_dim(w, x->dim[d]) >= 0;
        if (named[d]) vv_buf_printf(both ? &p->shared : &p->alone, "%s,", x->dim[d]);
        if (named[d] && !both) n *= x->shape.n[d];
    }
    if (n > 1 && p->shared.data && vv_buf_status(&p->alone) == VV_OK && vv_buf_status(&p->shared) == VV_OK) return true;
    free_split(p);
    return false;
}

static vv_array *unrounded_sum(vv_array *x, const char *dims, const vv_reduce_options *o)
{
    vv_array *sum = vv_reduce(x, "sum", dims, o);
    if (sum->status == VV_OK) sum->dtype = VV_F64;
    return sum;
}

static vv_array *sum_of_split(vv_array *x, vv_array *w, const split *p, const vv_reduce_options *o)
{
    return times(unrounded_sum(x, p->alone.data, o), w, p->shared.data, o);
}

static vv_array *weights_of_split(vv_array *x, vv_array *w, const split *p, const vv_reduce_options *o)
{
    vv_reduce_options valid = *o;
    valid.keep_nan = false;
    return nonzero(times(vv_reduce(x, "count", p->alone.data, &valid), w, p->shared.data, o));
}

static vv_array *as_type(vv_array *a, vv_dtype type)
{
    return a->status == VV_OK && a->dtype != type ? vv_node_then(a, vv_astype(a, type)) : a;
}

/* --- whatever weights lie along --- */

static vv_array *total_weight(vv_array *x, vv_array *w, const char *dims, const vv_reduce_options *o)
{
    split p;
    if (!splits(x, w, dims, &p)) return all_weights(x, w, dims, o);
    vv_array *made = as_type(weights_of_split(x, w, &p, o), w->dtype);
    free_split(&p);
    return made;
}

static vv_array *weighted_sum(vv_array *x, vv_array *w, const char *dims, const vv_reduce_options *o)
{
    split p;
    if (!splits(x, w, dims, &p)) return times(vv_node_again(x), w, dims, o);
    vv_array *made = as_type(sum_of_split(x, w, &p, o), vv_dtype_promote(x->dtype, w->dtype));
    free_split(&p);
    return made;
}

static vv_array *weighted_mean(vv_array *x, vv_array *w, const char *dims, const vv_reduce_options *o)
{
    split p;
    if (!splits(x, w, dims, &p))
        return vv_node_of("divide", times(vv_node_again(x), w, dims, o), all_weights(x, w, dims, o));
    vv_array *mean = vv_node_of("divide", sum_of_split(x, w, &p, o), weights_of_split(x, w, &p, o));
    free_split(&p);
    return as_type(mean, vv_dtype_promote(x->dtype, w->dtype));
}

/* Squares of deviations from the mean: their mean. */
static vv_array *weighted_var(vv_array *x, vv_array *w, const char *dims, const vv_reduce_options *o)
{
    vv_reduce_options flat = *o;
    flat.keep_dims = false;
    vv_array *apart = vv_node_of("subtract", vv_node_again(x), weighted_mean(x, w, dims, &flat));
    if (vv_dtype_is_complex(x->dtype)) apart = vv_node_of("absolute", apart, NULL);
    vv_array *square = vv_node_of("square", apart, NULL), *mean = weighted_mean(square, w, dims, o);
    vv_release(&square);
    return mean;
}

static vv_array *weighted(vv_array *x, const char *how, vv_array *w, const char *dims, const vv_reduce_options *o)
{
    if (!strcmp(how, "sum")) return weighted_sum(vv_node_again(x), w, dims, o);
    if (!strcmp(how, "mean")) return weighted_mean(x, w, dims, o);
    if (!strcmp(how, "var")) return weighted_var(x, w, dims, o);
    if (!strcmp(how, "std")) return vv_node_of("sqrt", weighted_var(x, w, dims, o), NULL);
    if (!strcmp(how, "sum_of_weights")) return total_weight(x, w, dims, o);
    (void)vv_fail(VV_ERR_USAGE, "there is no weighted '%s'; use sum, mean, var, std or sum_of_weights", how);
    return vv_node_inert(x->context);
}

/* Ungrouped results are called as what they are of, and are measured like it. */
static vv_status describe(vv_array *made, const vv_array *in, const char *how, const char *dims)
{
    bool over[VV_MAX_DIMS] = {false};
    char method[64];
    const vv_grouping *g = vv_node_grouping(in);
    const vv_reduction *r = vv_reduction_find(how);
    bool own = vv_node_named_dims(in, dims, over) == VV_OK;
    if (!own) vv_error_clear(); /* some are of the weights alone */
    VV_TRY(vv_attrs_copy(&made->attrs, &in->attrs));
    VV_TRY(vv_cf_statistic_units(&made->attrs, how));
    if (!r || !r->cell_method || !own) return VV_OK;
    snprintf(method, sizeof method, "%s (weighted)", r->cell_method);
    bool grouped = g && over[g->dim] && strcmp(g->name, in->dim[g->dim]) != 0;
    return vv_cf_cell_method(made, in, over, method, grouped ? g->name : NULL);
}

static vv_array *described(vv_array *made, const vv_array *in, const char *how, const char *dims)
{
    return made->status == VV_OK ? vv_node_settle(in->context, made, describe(made, in, how, dims)) : made;
}

/* The same numbers in a buffer, with the dimensions of `w`. The caller has one reference. */
static vv_status known_now(vv_array *w, vv_array **out)
{
    double *x;
    vv_buf dims = {0};
    vv_index n = vv_shape_elements(&w->shape);
    VV_TRY(vv_new(&x, (size_t)n, sizeof *x));
    vv_status status = w->context->compute(w, x, n * (vv_bytes)sizeof *x);
    for (int d = 0; d < w->shape.nd; d++)
        vv_buf_printf(&dims, "%s%s:%lld", d ? "," : "", w->dim[d], (long long)w->shape.n[d]);
    if (status == VV_OK) status = vv_buf_status(&dims);
    if (status == VV_OK) {
        vv_array *all = vv_node_listed(w->context, "weights", n, x, VV_F64, VV_F64);
        *out = vv_node_then(all, vv_reshape(all, dims.data));
        status = vv_array_status(*out);
    }
    vv_buf_free(&dims);
    free(x);
    return status;
}

/* Few weights that have to be calculated (the cosine of latitudes) are, once, and not for every element that they are weights of. The caller has one reference. */
static vv_array *settled(vv_array *w, const vv_array *a)
{
    enum { FEW = 1 << 20 };
    vv_array *out = NULL;
    vv_index n = vv_shape_elements(&w->shape);
    bool made = w->kind != VV_NODE_OPEN && w->kind != VV_NODE_RANDOM,
         worth = made && w->dtype == VV_F64 && w->shape.nd > 0 && n > 0 && n <= FEW &&
                 n < vv_shape_elements(&a->shape) && !vv_node_grouping(w);
    if (!worth || !w->context->compute) return vv_node_again(w);
    return known_now(w, &out) == VV_OK ? out : vv_node_inert(w->context);
}

vv_array *vv_weighted(vv_array *a, const char *how, vv_array *weights, const char *dims,
                      const vv_reduce_options *options)
{
    const vv_reduce_options defaults = VV_REDUCE_OPTIONS_INIT, *o = options ? options : &defaults;
    vv_array *both[] = {a, weights};
    if (vv_nodes_usable(both, 2) != VV_OK) return vv_node_inert(a->context ? a->context : weights->context);
    if (o->ddof != 0) {
        (void)vv_fail(VV_ERR_USAGE, "weighted %s of '%s': weights leave no degrees of freedom to count", how, a->name);
        return vv_node_inert(a->context);
    }
    vv_array *x = vv_node_as_inexact(a);
    vv_array *w = settled(weights, a);
    vv_array *made =
        x->status == VV_OK && w->status == VV_OK ? weighted(x, how, w, dims, o) : vv_node_inert(a->context);
    vv_release(&x);
    vv_release(&w);
    return strcmp(how, "sum_of_weights") ? described(made, a, how, dims) : made;
}

/* x to the power of n > 0, by squaring: as accurate as products are. */
static vv_array *to_the(vv_array *x, int n)
{
    if (n == 1) return vv_node_again(x);
    vv_array *half = to_the(x, n / 2), *all = vv_node_of("square", half, NULL);
    return n % 2 ? vv_node_of("multiply", all, vv_node_again(x)) : all;
}

vv_array *vv_moment(vv_array *a, int order, const char *dims, const vv_reduce_options *options)
{
    const vv_reduce_options defaults = VV_REDUCE_OPTIONS_INIT, *o = options ? options : &defaults;
    vv_reduce_options flat = *o;
    flat.keep_dims = false;
    if (vv_array_status(a) != VV_OK) return vv_node_inert(a->context);
    if (order < 0 || order > 1000) {
        (void)vv_fail(VV_ERR_USAGE, "'%s': a moment of order %d", a->name, order);
        return vv_node_inert(a->context);
    }
    vv_array *x = vv_astype(a, VV_F64), *made;
    if (order < 2) { /* the mean deviation is nothing, whatever rounding says */
        vv_array *mean = vv_reduce(x, "mean", dims, o);
        vv_context *c = a->context;
        vv_array *plain = chosen("isnan", vv_node_again(mean), vv_node_again(mean), vv_node_scalar(c, order == 0));
        vv_release(&mean);
        made = plain;
    } else {
        vv_array *apart = vv_node_of("subtract", vv_node_again(x), vv_reduce(x, "mean", dims, &flat));
        made = reduced(to_the(apart, order), "mean", dims, o);
        vv_release(&apart);
    }
    vv_release(&x);
    if (a->dtype != VV_F32) return made;
    vv_array *narrow = vv_astype(made, VV_F32);
    vv_release(&made);
    return narrow;
}
