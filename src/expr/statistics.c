/* Reductions: mean(x, lat, lon), std(x, time, ddof=1), mean(x.group(month)), x.weighted(w).mean(lat), rolling(x, time=30).mean(), quantile(x, [0.1, 0.9], time). */
#include "expr/call.h"

#include "varve/move.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char arguments[] = "dims? skipna? keepdims? ddof? least? weights?";
static const char quantile_arguments[] = "q dims? method? window? skipna? keepdims? weights?";

/* A statistic as it was written. */
typedef struct asked {
    const char *how, *dims;
    vv_reduce_options options;
    const vv_expr *weights, *q, *method, *window;
} asked;

static bool is(const char *key, const char *one, const char *other)
{
    return !strcmp(key, one) || !strcmp(key, other);
}

static vv_status keyed(vv_script *x, const vv_expr *e, const vv_expr *item, const char *takes, vv_array *const in[],
                       int n_in, asked *a)
{
    const char *key = item->key, *word;
    bool quantile = takes == quantile_arguments, flag;
    if (is(key, "dims", "dim")) {
        VV_TRY(vv_item_word(x, item, in, n_in, &word));
        return vv_join_words(x, word, &a->dims);
    }
    if (is(key, "skipna", "keep_nan")) {
        VV_TRY(vv_item_flag(x, item, &flag));
        a->options.keep_nan = !strcmp(key, "skipna") ? !flag : flag;
        return VV_OK;
    }
    if (is(key, "keepdims", "keep_dims")) return vv_item_flag(x, item, &a->options.keep_dims);
    if (!quantile && !strcmp(key, "ddof")) return vv_item_real(x, item, &a->options.ddof);
    if (!quantile && !strcmp(key, "least")) return vv_item_real(x, item, &a->options.least);
    if (!strcmp(key, "weights"))
        a->weights = item;
    else if (quantile && !strcmp(key, "q"))
        a->q = item;
    else if (quantile && !strcmp(key, "method"))
        a->method = item;
    else if (quantile && !strcmp(key, "window"))
        a->window = item;
    else
        return vv_no_argument(x, e, item, takes);
    return VV_OK;
}

/* max(a, b) is meant as maximum(a, b). */
static vv_status not_a_dim(vv_script *x, const vv_expr *e, const vv_expr *item)
{
    const char *how = vv_usual_name(e->text);
    bool extremum = !strcmp(how, "max") || !strcmp(how, "min");
    if (extremum)
        return vv_passage_error(x->source, item->span, VV_ERR_USAGE,
                                "%s takes dimensions to reduce over; the %s of two arrays is %simum(a, b)", how,
                                *how == 'm' && how[1] == 'a' ? "greater" : "lesser", how);
    return vv_passage_error(x->source, item->span, VV_ERR_USAGE, "expected a dimension to reduce over: %s(x, time)",
                            e->text);
}

static vv_status dims_item(vv_script *x, const vv_expr *e, const vv_expr *item, vv_array *a, const char **dims)
{
    const char *word;
    if (!vv_looks_like_word(item) || item->kind == VV_EXPR_RANGE) return not_a_dim(x, e, item);
    const vv_meaning *m = item->kind == VV_EXPR_NAME ? vv_meaning_find(x, item->text) : NULL;
    bool variable =
        x->dataset && item->kind == VV_EXPR_NAME && vv_meta_find_var(x->dataset->file->meta, item->text) >= 0;
    bool extremum = !strcmp(vv_usual_name(e->text), "max") || !strcmp(vv_usual_name(e->text), "min");
    if (extremum && (m || variable) && vv_dim_of(a, item->text) < 0) return not_a_dim(x, e, item);
    VV_TRY(vv_item_word(x, item, &a, 1, &word));
    return vv_join_words(x, word, dims);
}

static vv_status read_call(vv_script *x, const vv_expr *e, const char *takes, vv_array *a, asked *out)
{
    bool wants_q = takes == quantile_arguments;
    for (int i = 1; i < e->n; i++) {
        const vv_expr *item = e->item[i];
        if (item->key) {
            VV_TRY(keyed(x, e, item, takes, &a, 1, out));
        } else if (wants_q && !out->q) {
            out->q = item;
        } else {
            VV_TRY(dims_item(x, e, item, a, &out->dims));
        }
    }
    return VV_OK;
}

/* --- weights --- */

/* cos(lat) as weights means degrees, where lat is in degrees: as --weights cos(lat) does. */
static vv_status weights_of(vv_script *x, const vv_expr *e, vv_array **out)
{
    if (e->kind == VV_EXPR_CALL && !strcmp(e->text, "cos") && e->n == 1 && e->item[0]->kind == VV_EXPR_NAME) {
        vv_array *angle;
        VV_TRY(vv_evaluate_array(x, e->item[0], &angle));
        const char *units = vv_attr_text(&angle->attrs, "units");
        if (units && !strncmp(units, "degree", 6)) {
            *out = vv_cos(vv_radians(angle));
            return vv_array_status(*out);
        }
    }
    return vv_evaluate_array(x, e, out);
}

static vv_status weighted(vv_script *x, const vv_expr *e, const asked *a, vv_array *in, vv_array *w, vv_value *out)
{
    vv_array *both[] = {in, w};
    if (vv_node_line_up(both, 2, x->inner) != VV_OK) return vv_passage_blame(x->source, e->place);
    vv_array *r = vv_weighted(both[0], a->how, both[1], a->dims, &a->options);
    if (vv_array_status(r) != VV_OK) return vv_blame_call(x, e);
    *out = vv_value_array(r);
    return VV_OK;
}

/* --- of what is pending --- */

static vv_status no_dims(vv_script *x, const vv_expr *e, const asked *a, const vv_value *v)
{
    if (!a->dims) return VV_OK;
    return vv_passage_error(x->source, e->place, VV_ERR_USAGE, "%s(...) has its dimensions already: %s(...).%s()",
                            v->pending.name, v->pending.name, a->how);
}

static vv_array *of_windows(const vv_value *v, const asked *a)
{
    const vv_window_options o = {.centered = v->pending.centered,
                                 .keep_nan = a->options.keep_nan,
                                 .min_count = v->pending.least,
                                 .ddof = a->options.ddof};
    return vv_window(v->array, a->how, v->pending.dims, &o);
}

static vv_status of_pending(vv_script *x, const vv_expr *e, const vv_value *v, asked *a, vv_value *out)
{
    vv_array *r = NULL;
    if (v->pending.kind == VV_WEIGHTED) return weighted(x, e, a, v->array, v->pending.weights, out);
    if (v->pending.kind != VV_RESAMPLED) VV_TRY(no_dims(x, e, a, v));
    switch (v->pending.kind) {
    case VV_ROLLING: r = of_windows(v, a); break;
    case VV_COARSEN: r = vv_coarsen(v->array, a->how, v->pending.dims, v->pending.trim); break;
    default: r = vv_reduce(v->array, a->how, a->dims ? a->dims : v->pending.dims, &a->options); break;
    }
    if (vv_array_status(r) != VV_OK) return vv_blame_call(x, e);
    *out = vv_value_array(r);
    return VV_OK;
}

/* --- statistics --- */

/* Of a grouped array without dimensions: over that of its groups. */
static const char *default_dims(const vv_array *a)
{
    const vv_grouping *g = vv_node_grouping(a);
    return g ? a->dim[g->dim] : NULL;
}

static vv_status reduced(vv_script *x, const vv_expr *e, asked *a, vv_array *in, vv_value *out)
{
    vv_array *w;
    if (!a->dims) a->dims = default_dims(in);
    if (a->weights) {
        VV_TRY(weights_of(x, a->weights, &w));
        return weighted(x, e, a, in, w, out);
    }
    vv_array *r =
        !strcmp(a->how, "median")
            ? vv_quantile(in, 0.5, a->dims,
                          &(vv_quantile_options){.keep_nan = a->options.keep_nan, .keep_dims = a->options.keep_dims})
            : vv_reduce(in, a->how, a->dims, &a->options);
    if (vv_array_status(r) != VV_OK) return vv_blame_call(x, e);
    *out = vv_value_array(r);
    return VV_OK;
}

vv_status vv_evaluate_statistic(vv_script *x, const vv_expr *e, const char *how, vv_value *out)
{
    asked a = {.how = how};
    vv_value first;
    vv_array *in;
    if (e->n == 0 || e->item[0]->key)
        return vv_passage_error(x->source, e->place, VV_ERR_USAGE, "%s wants an array first: %s(x, time)", e->text,
                                e->text);
    VV_TRY(vv_evaluate(x, e->item[0], &first));
    if (first.kind == VV_VALUE_PENDING)
        in = first.array;
    else
        VV_TRY(vv_first_array(x, e, &in));
    VV_TRY(read_call(x, e, arguments, in, &a));
    return first.kind == VV_VALUE_PENDING ? of_pending(x, e, &first, &a, out) : reduced(x, e, &a, in, out);
}

/* --- quantiles --- */

static vv_status read_quantiles(vv_script *x, const vv_expr *e, double scale, double **q, int *n)
{
    const vv_expr *const *item = (const vv_expr *const *)e->item;
    bool list = e->kind == VV_EXPR_LIST;
    *n = list ? e->n : 1;
    VV_TRY(vv_pool_get(&x->pool, (size_t)(*n + 1) * sizeof **q, q));
    for (int i = 0; i < *n; i++) {
        const vv_expr *one = list ? item[i] : e;
        VV_TRY(vv_item_real(x, one, &(*q)[i]));
        (*q)[i] /= scale;
        if (!((*q)[i] >= 0 && (*q)[i] <= 1))
            return vv_passage_error(x->source, one->span, VV_ERR_USAGE, "expected a number from 0 to %g%s", scale,
                                    scale == 1 ? "; percentile(...) takes 0 to 100" : "");
    }
    return *n > 0 ? VV_OK : vv_passage_error(x->source, e->span, VV_ERR_USAGE, "an empty list of quantiles");
}

/* The array, which may be one of periods, or of weighted values: resample(x, "1M").quantile(0.9), x.weighted(w).quantile(0.9, lat). */
static vv_status quantiles_of(vv_script *x, const vv_expr *e, asked *a, vv_array **in, vv_array **w)
{
    vv_value v = {0};
    if (e->n > 0 && !e->item[0]->key) VV_TRY(vv_evaluate(x, e->item[0], &v));
    bool periods = v.kind == VV_VALUE_PENDING && v.pending.kind == VV_RESAMPLED,
         weighted = v.kind == VV_VALUE_PENDING && v.pending.kind == VV_WEIGHTED;
    if (weighted) *w = v.pending.weights;
    if (!periods && !weighted && (v.kind != VV_VALUE_ARRAY || v.array->kind == VV_NODE_SCALAR))
        return vv_first_array(x, e, in);
    *in = v.array;
    if (periods) a->dims = v.pending.dims;
    return VV_OK;
}

static vv_status window_of(vv_script *x, const vv_expr *e, const asked *a, vv_array *in, vv_quantile_options *o)
{
    if (!a->window) return VV_OK;
    VV_TRY(vv_item_whole(x, a->window, &o->window));
    if (!vv_node_grouping(in))
        return vv_passage_error(x->source, a->window->span, VV_ERR_USAGE,
                                "%s has a window for groups: %s(x.group(dayofyear), 0.9, window=5)", e->text, e->text);
    if (o->window > 0) return VV_OK;
    return vv_passage_error(x->source, a->window->span, VV_ERR_USAGE, "expected a number of elements, 1 or more");
}

/* Quantiles by weights. */
typedef struct vv_quantile_job {
    vv_array *in, *weights;
    const double *q;
    int n;
    bool list;
    const char *dims;
    const vv_quantile_options *o;
} vv_quantile_job;

static vv_status weighted_quantiles(vv_script *x, const vv_expr *e, const vv_quantile_job *j, vv_value *out)
{
    vv_array *both[] = {j->in, j->weights};
    if (vv_node_line_up(both, 2, x->inner) != VV_OK) return vv_passage_blame(x->source, e->place);
    vv_array *r = j->list ? vv_weighted_quantiles(both[0], j->q, j->n, both[1], j->dims, j->o)
                          : vv_weighted_quantile(both[0], j->q[0], both[1], j->dims, j->o);
    if (vv_array_status(r) != VV_OK) return vv_blame_call(x, e);
    *out = vv_value_array(r);
    return VV_OK;
}

static vv_status quantiles(vv_script *x, const vv_expr *e, double scale, vv_value *out)
{
    asked a = {0};
    vv_array *in, *w = NULL;
    double *q;
    int n;
    vv_quantile_options o = VV_QUANTILE_OPTIONS_INIT;
    VV_TRY(quantiles_of(x, e, &a, &in, &w));
    VV_TRY(read_call(x, e, quantile_arguments, in, &a));
    if (!a.q)
        return vv_passage_error(x->source, e->place, VV_ERR_USAGE, "%s wants a number: %s(x, %s, time)", e->text,
                                e->text, scale == 1 ? "0.95" : "95");
    if (!a.dims) a.dims = default_dims(in);
    VV_TRY(window_of(x, e, &a, in, &o));
    VV_TRY(read_quantiles(x, a.q, scale, &q, &n));
    o.keep_nan = a.options.keep_nan;
    o.keep_dims = a.options.keep_dims;
    if (a.method) VV_TRY(vv_item_word(x, a.method, NULL, 0, &o.method));
    if (a.weights) VV_TRY(weights_of(x, a.weights, &w));
    if (w) return weighted_quantiles(x, e, &(vv_quantile_job){in, w, q, n, a.q->kind == VV_EXPR_LIST, a.dims, &o}, out);
    vv_array *r = a.q->kind == VV_EXPR_LIST ? vv_quantiles(in, q, n, a.dims, &o) : vv_quantile(in, q[0], a.dims, &o);
    if (vv_array_status(r) != VV_OK) return vv_blame_call(x, e);
    *out = vv_value_array(r);
    return VV_OK;
}

vv_status vv_call_quantile(vv_script *x, const vv_expr *e, vv_value *out)
{
    return quantiles(x, e, 1, out);
}

vv_status vv_call_percentile(vv_script *x, const vv_expr *e, vv_value *out)
{
    return quantiles(x, e, 100, out);
}
