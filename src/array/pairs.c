/* What is made of the moments of pairs (kernels/reductions/pairs.c), in one pass over both arrays: covariance, correlation, and the line by which the second one
 * follows the first one, with its significance. */
#include "array/pairs.h"

#include "array/align.h"
#include "array/linalg/linalg.h"
#include "varve/analysis.h"
#include "varve/move.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOMENT  "moment"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

vv_array *vv_node_pairs(vv_array *x, vv_array *y, vv_array *weights, const char *dims, const char *name)
{
    vv_array *in[] = {x, y, weights};
    vv_red_spec *spec = NULL;
    if (vv_nodes_usable(in, weights ? 3 : 2) != VV_OK || vv_pairs_spec(weights != NULL, &spec) != VV_OK)
        return vv_node_inert(x->context);
    return vv_node_reduce_told(in, weights ? 3 : 2, &vv_reduction_pairs, spec, VV_F64, dims, name, MOMENT);
}

vv_array *vv_node_moment(vv_array *pairs, vv_pair_moment which)
{
    return vv_at(pairs, MOMENT, which);
}

/* --- what is made of them; arrays on the way are given back by the caller's vv_making_end() --- */

static vv_array *number(const vv_array *like, double value)
{
    return vv_node_scalar(like->context, value);
}

/* Squares about the line, never below 0 by rounding. */
static vv_array *unexplained(vv_array *m)
{
    vv_array *xx = vv_node_moment(m, VV_PAIR_XX), *xy = vv_node_moment(m, VV_PAIR_XY),
             *yy = vv_node_moment(m, VV_PAIR_YY);
    return vv_maximum(vv_sub(yy, vv_divide(vv_square(xy), xx)), number(m, 0));
}

static vv_array *slope(vv_array *m)
{
    return vv_divide(vv_node_moment(m, VV_PAIR_XY), vv_node_moment(m, VV_PAIR_XX));
}

static vv_array *freedom(vv_array *m, vv_array *samples)
{
    vv_array *n = samples ? samples : vv_node_moment(m, VV_PAIR_N), *left = vv_sub(n, number(m, 2));
    vv_array *some = vv_greater(left, number(m, 0));
    return vv_where(some, left, number(m, (double)NAN));
}

static vv_array *of_line(vv_array *m, const char *what, vv_array *samples)
{
    if (!strcmp(what, "slope")) return slope(m);
    if (!strcmp(what, "intercept"))
        return vv_sub(vv_node_moment(m, VV_PAIR_Y), vv_mul(slope(m), vv_node_moment(m, VV_PAIR_X)));
    vv_array *df = freedom(m, samples);
    vv_array *error = vv_sqrt(vv_divide(vv_divide(unexplained(m), df), vv_node_moment(m, VV_PAIR_XX)));
    if (!strcmp(what, "stderr")) return error;
    vv_array *t = vv_divide(slope(m), error);
    if (!strcmp(what, "t")) return t;
    return vv_node_elementwise(m->context, "student_p", (vv_array *[]){t, df}, 2);
}

/* Of pairs that are there; NaN where there are none. */
static vv_array *covariance(vv_array *m, double ddof)
{
    vv_array *n = vv_node_moment(m, VV_PAIR_N), *some = vv_greater(n, number(m, 0));
    vv_array *value = vv_divide(vv_node_moment(m, VV_PAIR_XY), vv_sub(n, number(m, ddof)));
    return vv_where(some, value, number(m, (double)NAN));
}

static vv_array *correlation(vv_array *m)
{
    vv_array *xx = vv_sqrt(vv_node_moment(m, VV_PAIR_XX)), *yy = vv_sqrt(vv_node_moment(m, VV_PAIR_YY));
    vv_array *r = vv_divide(vv_node_moment(m, VV_PAIR_XY), vv_mul(xx, yy));
    return vv_node_elementwise(m->context, "clip", (vv_array *[]){r, number(m, -1), number(m, 1)}, 3);
}

/* The first ones are those of correlations, then those of lines. */
static const char *const statistics[] = {"corr", "cov", "slope", "intercept", "stderr", "t", "p", "n", NULL};

vv_array *vv_node_of_pairs(vv_array *m, const char *what, double ddof, vv_array *samples)
{
    int n = 0;
    if (vv_array_status(m) != VV_OK) return vv_node_inert(m->context);
    if (!strcmp(what, "corr")) return correlation(m);
    if (!strcmp(what, "cov")) return covariance(m, ddof);
    if (!strcmp(what, "n")) return samples ? samples : vv_node_moment(m, VV_PAIR_N);
    for (; statistics[n]; n++)
        if (!strcmp(statistics[n], what)) return of_line(m, what, samples);
    const char *near = vv_nearest(what, statistics, n);
    (void)vv_fail(VV_ERR_USAGE, "there is no '%s' of pairs%s%s%s; it is corr, cov, slope, intercept, stderr, t, p or n",
                  what, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return vv_node_inert(m->context);
}

/* --- of two arrays --- */

static vv_dtype result_type(const vv_array *a, const vv_array *b, const char *what)
{
    if (!strcmp(what, "n")) return VV_I64;
    return a->dtype == VV_F32 && b->dtype == VV_F32 ? VV_F32 : VV_F64;
}

/* What a unit of one is for a unit of the other: "K", "mm" and "slope" make "mm K-1". */
static void units_of(const vv_array *a, const vv_array *b, const char *what, char out[160])
{
    const char *x = vv_attr_text(&a->attrs, "units"), *y = vv_attr_text(&b->attrs, "units");
    bool line = !strcmp(what, "slope") || !strcmp(what, "stderr");
    *out = 0;
    if (!strcmp(what, "cov") && x && y)
        snprintf(out, 160, "%.70s %.70s", x, y);
    else if (line && x && y && !strcmp(x, "1"))
        snprintf(out, 160, "%.70s", y);
    else if (line && x && y)
        snprintf(out, 160, x[strspn(x, LETTERS)] ? "%.70s (%.70s)-1" : "%.70s %.70s-1", y, x);
    else if (!strcmp(what, "intercept") && y)
        snprintf(out, 160, "%.70s", y);
    else if (strcmp(what, "cov") != 0 && strcmp(what, "intercept") != 0 && !line)
        snprintf(out, 160, "1");
}

static vv_array *described(vv_array *made, const vv_array *a, const vv_array *b, const char *what)
{
    static const char *const words[][2] = {{"corr", "correlation"},
                                           {"cov", "covariance"},
                                           {"n", "number of pairs"},
                                           {"p", "two-sided p-value of the correlation"},
                                           {"slope", "regression"},
                                           {"intercept", "intercept"},
                                           {"stderr", "standard error of the regression"},
                                           {"t", "t-value of the regression"}};
    char units[160], name[300];
    const char *word = what;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(words[i][0], what)) word = words[i][1];
    units_of(a, b, what, units);
    bool line = !strcmp(what, "slope") || !strcmp(what, "stderr") || !strcmp(what, "intercept") || !strcmp(what, "t");
    if (line)
        snprintf(name, sizeof name, "%s of %.100s on %.100s", word, b->name, a->name);
    else
        snprintf(name, sizeof name, "%s of %.100s and %.100s", word, a->name, b->name);
    made = vv_with_attribute(made, "long_name", name);
    return *units ? vv_with_attribute(made, "units", units) : made;
}

/* a at the times of b that lie `lag` later. */
static vv_status lagged(vv_array *const in[2], const char *dim, vv_index lag, vv_array *out[2])
{
    int d;
    VV_TRY(vv_node_find_dim(in[0], dim, &d));
    vv_index n = in[0]->shape.n[d], far = lag < 0 ? -lag : lag;
    if (far >= n)
        return vv_fail(VV_ERR_USAGE, "a lag of %lld steps along '%s', which has %lld", (long long)lag, dim,
                       (long long)n);
    for (int k = 0; k < 2; k++) {
        bool early = (k == 0) == (lag >= 0);
        out[k] = lag == 0 ? vv_node_seen_again(in[k]) : vv_slice(in[k], dim, early ? 0 : far, early ? n - far : n, 1);
    }
    return vv_nodes_usable(out, 2);
}

static vv_array *at_lag(vv_array *const in[2], const char *what, const char *dims, const vv_pair_options *o,
                        vv_index lag)
{
    vv_array *pair[2] = {in[0], in[1]};
    if (lag != 0 && lagged(in, dims, lag, pair) != VV_OK) return vv_node_inert(in[0]->context);
    vv_array *m = vv_node_pairs(pair[0], pair[1], o->weights, dims, in[0]->name);
    return vv_node_of_pairs(m, what, o->ddof, NULL);
}

static vv_array *at_lags(vv_array *const in[2], const char *what, const char *dims, const vv_pair_options *o)
{
    vv_context *c = in[0]->context;
    vv_array **each;
    double *at;
    if (o->n_lags == 0) return at_lag(in, what, dims, o, 0);
    if (vv_new(&each, (size_t)o->n_lags, sizeof(vv_array *)) != VV_OK) return vv_node_inert(c);
    if (vv_new(&at, (size_t)o->n_lags, sizeof *at) != VV_OK) {
        free(each);
        return vv_node_inert(c);
    }
    for (int i = 0; i < o->n_lags; i++) {
        each[i] = at_lag(in, what, dims, o, o->lag[i]);
        at[i] = (double)o->lag[i];
    }
    vv_array *made = vv_assign_coordinate(vv_node_stack(c, each, o->n_lags, "lag"), "lag", at, o->n_lags);
    free(each);
    free(at);
    return made;
}

static vv_status check(vv_array *a, vv_array *b, const char *dims, const vv_pair_options *o)
{
    vv_array *in[] = {a, b, o->weights};
    VV_TRY(vv_nodes_usable(in, o->weights ? 3 : 2));
    for (int i = 0; i < 2; i++)
        if (vv_node_grouping(in[i]))
            return vv_fail(VV_ERR_UNSUPPORTED, "pairs of '%s', which is grouped; vv_ungroup() forgets the groups",
                           in[i]->name);
    if (o->n_lags > 0 && (!dims || !*dims || strpbrk(dims, ", ")))
        return vv_fail(VV_ERR_USAGE, "lags are along one dimension, such as time");
    for (int d = 0; d < a->shape.nd; d++) {
        int other = vv_node_dim(b, a->dim[d]);
        if (other >= 0 && a->shape.n[d] != b->shape.n[other])
            return vv_fail(VV_ERR_SHAPE, "'%s' has %lld positions along '%s', and '%s' %lld", a->name,
                           (long long)a->shape.n[d], a->dim[d], b->name, (long long)b->shape.n[other]);
    }
    return VV_OK;
}

vv_array *vv_pairs(vv_array *a, vv_array *b, const char *what, const char *dims, const vv_pair_options *options)
{
    const vv_pair_options defaults = VV_PAIR_OPTIONS_INIT, *o = options ? options : &defaults;
    vv_context *c = a->context ? a->context : b->context;
    if (check(a, b, dims, o) != VV_OK) return vv_node_inert(c);
    vv_making m = vv_making_begin(c);
    vv_array *real[2] = {vv_node_as_real(a), vv_node_as_real(b)}, *made = vv_node_inert(c);
    vv_array *in[2] = {vv_node_seen_again(real[0]), vv_node_seen_again(real[1])};
    for (int i = 0; i < 2; i++) vv_release(&real[i]);
    vv_status status = vv_nodes_usable(in, 2);
    if (status == VV_OK) {
        vv_dtype type = result_type(in[0], in[1], what);
        made = described(vv_astype(at_lags(in, what, dims, o), type), a, b, what);
        status = vv_array_status(made);
    }
    vv_making_end(&m, (vv_array * *const[]){&made}, 1, status);
    return made;
}

void vv_in_common(vv_array *a, vv_array *b, vv_array **a_out, vv_array **b_out)
{
    vv_array *in[] = {a, b}, *both[] = {a, b};
    vv_context *c = a->context ? a->context : b->context;
    *a_out = *b_out = NULL;
    if (vv_nodes_usable(in, 2) != VV_OK) {
        *a_out = vv_node_inert(c);
        *b_out = vv_node_inert(c);
        return;
    }
    vv_making m = vv_making_begin(c);
    vv_status status = vv_node_line_up(both, 2, true);
    *a_out = vv_node_seen_again(both[0]);
    *b_out = vv_node_seen_again(both[1]);
    vv_making_end(&m, (vv_array * *const[]){a_out, b_out}, 2, status);
}

vv_array *vv_cov(vv_array *a, vv_array *b, const char *dims, double ddof)
{
    return vv_pairs(a, b, "cov", dims, &(vv_pair_options){.ddof = ddof});
}

vv_array *vv_corr(vv_array *a, vv_array *b, const char *dims)
{
    return vv_pairs(a, b, "corr", dims, NULL);
}
