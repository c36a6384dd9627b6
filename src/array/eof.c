/* Empirical orthogonal functions: the patterns that vary most, with the series by which they do.
 *
 * Anomalies, weighted by the square roots of the points' weights, are a matrix of times and points. Its products with itself, summed over whichever dimension is the longer one, make a small
 * square matrix, whose singular vectors are those of the data and whose singular values their squares. So what is held grows with the square of the shorter dimension, and the data,
 * which is read once for the mean, once for the products and once for the patterns, may be of any size. */
#include "array/linalg/linalg.h"
#include "varve/analysis.h"
#include "varve/linalg.h"
#include "varve/move.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODE  "mode"
#define AGAIN "again_"
#define POINT "point_"

typedef struct eof {
    vv_array *of;
    const char *dim;
    vv_index times, points, modes;
    char *space;             /* the other dimensions: "lat,lon" */
    double samples;          /* what squares are divided by */
    vv_array *anomaly;       /* time first; NaN at points that are left out */
    vv_array *mean;          /* NaN there, too */
    vv_array *matrix;        /* anomalies as they are weighted, 0 there */
    vv_array *unit;          /* (time, mode): series of length 1 */
    vv_array *value, *total; /* (mode): sums of squares, and of all modes together */
} eof;

static vv_array *number(const eof *e, double value)
{
    return vv_node_scalar(e->of->context, value);
}

/* --- the matrix --- */

static vv_status order_dims(const vv_array *a, int d, char **space, char **all)
{
    vv_buf rest = {0}, both = {0};
    for (int k = 0; k < a->shape.nd; k++)
        if (k != d) vv_buf_printf(&rest, rest.size ? ",%s" : "%s", a->dim[k]);
    vv_buf_printf(&both, "%s,%s", a->dim[d], rest.data ? rest.data : "");
    vv_status status = vv_buf_status(&rest);
    if (status == VV_OK) status = vv_buf_status(&both);
    *space = rest.data;
    *all = both.data;
    return status;
}

static vv_status check(const vv_array *a, int d, vv_index n)
{
    vv_index times = a->shape.n[d], points = times > 0 ? vv_shape_elements(&a->shape) / times : 0,
             most = vv_imin(times, points);
    if (vv_node_grouping(a)) return vv_fail(VV_ERR_UNSUPPORTED, "patterns of '%s', which is grouped", a->name);
    if (a->shape.nd < 2)
        return vv_fail(VV_ERR_SHAPE, "'%s' has no dimension besides '%s', along which patterns could lie", a->name,
                       a->dim[d]);
    if (n < 1 || n > most)
        return vv_fail(VV_ERR_USAGE,
                       "%lld patterns of '%s', which has %lld along '%s' of %lld points: there are 1 to %lld",
                       (long long)n, a->name, (long long)times, a->dim[d], (long long)points, (long long)most);
    if (vv_node_dim(a, MODE) >= 0) return vv_fail(VV_ERR_SHAPE, "'%s' has a dimension '%s' already", a->name, MODE);
    return VV_OK;
}

static vv_status make_matrix(vv_array *a, const vv_eof_options *o, int d, eof *e)
{
    char *all = NULL;
    const vv_reduce_options whole = {.keep_nan = true};
    vv_array *real = vv_node_as_real(a);
    vv_status status = order_dims(a, d, &e->space, &all);
    vv_array *wide = status == VV_OK ? vv_transpose(vv_astype(real, VV_F64), all) : vv_node_inert(a->context);
    vv_release(&real);
    free(all);
    e->of = a;
    e->dim = a->dim[d];
    e->times = a->shape.n[d];
    e->points = vv_shape_elements(&a->shape) / e->times;
    e->samples = (double)e->times - o->ddof;
    e->mean = vv_reduce(wide, "mean", e->dim, &whole);
    e->anomaly = vv_sub(wide, e->mean);
    if (o->correlation)
        e->anomaly = vv_divide(e->anomaly,
                               vv_reduce(wide, "std", e->dim, &(vv_reduce_options){.keep_nan = true, .ddof = o->ddof}));
    e->matrix = e->anomaly;
    if (o->weights) e->matrix = vv_mul(e->matrix, vv_sqrt(vv_astype(o->weights, VV_F64)));
    e->matrix = vv_node_elementwise(a->context, "nan_to_zero", &e->matrix, 1);
    return vv_array_status(e->matrix);
}

/* --- its vectors --- */

static vv_array *first_modes(const eof *e, vv_array *a, const char *dim)
{
    return vv_slice(a, dim, 0, e->modes, 1);
}

/* Products of times, summed over points. */
static void by_times(eof *e)
{
    vv_array *u, *s;
    vv_array *square = vv_matmul(e->matrix, vv_rename(e->matrix, e->dim, AGAIN), e->space);
    vv_svd(square, MODE, &u, &s, NULL);
    e->unit = first_modes(e, u, MODE);
    e->value = first_modes(e, s, MODE);
    e->total = vv_sum(s, MODE);
}

/* Products of points, summed over times; series are what the data is along the vectors. */
static void by_points(eof *e)
{
    char shape[400];
    vv_array *u, *s;
    snprintf(shape, sizeof shape, "%.250s:%lld,%s:%lld", e->dim, (long long)e->times, POINT, (long long)e->points);
    vv_array *flat = vv_reshape(e->matrix, shape), *square = vv_matmul(vv_rename(flat, POINT, AGAIN), flat, e->dim);
    vv_svd(square, MODE, &u, &s, NULL);
    e->value = first_modes(e, s, MODE);
    e->total = vv_sum(s, MODE);
    vv_array *along = vv_matmul(flat, vv_rename(first_modes(e, u, MODE), AGAIN, POINT), POINT);
    e->unit = vv_divide(along, vv_sqrt(e->value));
}

/* --- results --- */

static vv_array *with_mode(const eof *e, vv_array *a, vv_dtype type, const char *name, const char *units)
{
    double *at;
    if (vv_array_status(a) != VV_OK || vv_new(&at, (size_t)e->modes, sizeof *at) != VV_OK)
        return vv_node_inert(e->of->context);
    for (vv_index i = 0; i < e->modes; i++) at[i] = (double)(i + 1);
    vv_array *made = vv_assign_coordinate(vv_astype(a, type), MODE, at, e->modes);
    free(at);
    made = vv_with_attribute(made, "long_name", name);
    return units ? vv_with_attribute(made, "units", units) : made;
}

/* Of 1 where the element of a pattern that is farthest from 0 is above it, else -1. */
static vv_array *signs(const eof *e, vv_array *pattern)
{
    vv_array *most = vv_reduce(pattern, "max", e->space, NULL), *least = vv_reduce(pattern, "min", e->space, NULL);
    return vv_where(vv_greater_equal(most, vv_negative(least)), number(e, 1), number(e, -1));
}

static void finish(const eof *e, const vv_eof_options *o, vv_array **pattern, vv_array **series, vv_array **variance,
                   vv_array **fraction)
{
    char text[300];
    const char *name = e->of->name, *units = o->correlation ? "1" : vv_attr_text(&e->of->attrs, "units");
    vv_dtype type = e->of->dtype == VV_F32 ? VV_F32 : VV_F64;
    vv_array *scaled = vv_mul(e->unit, number(e, sqrt(e->samples)));
    vv_array *projected = vv_divide(
        vv_matmul(scaled, vv_node_elementwise(e->of->context, "nan_to_zero", (vv_array *[]){e->anomaly}, 1), e->dim),
        number(e, e->samples));
    vv_array *there = vv_where(vv_isnan(e->mean), number(e, (double)NAN), projected), *sign = signs(e, there);
    vv_array *moved = vv_moveaxis(vv_mul(there, sign), MODE, 0);
    if (pattern) {
        snprintf(text, sizeof text, "EOFs of %.100s: what goes with a principal component of 1", name);
        *pattern = with_mode(e, moved, type, text, units);
    }
    if (series) {
        snprintf(text, sizeof text, "principal components of %.100s, of variance 1", name);
        *series = with_mode(e, vv_mul(scaled, sign), type, text, "1");
    }
    if (variance) {
        snprintf(text, sizeof text, "variance of %.100s that each EOF explains, summed over weighted points", name);
        *variance = with_mode(e, vv_divide(e->value, number(e, e->samples)), VV_F64, text, NULL);
    }
    if (fraction) {
        snprintf(text, sizeof text, "fraction of the variance of %.100s that each EOF explains", name);
        *fraction = with_mode(e, vv_divide(e->value, e->total), VV_F64, text, "1");
    }
}

static vv_status make(vv_array *a, const char *dim, vv_index n, const vv_eof_options *o, eof *e,
                      vv_array **const out[4])
{
    int d;
    VV_TRY(vv_node_find_dim(a, dim, &d));
    VV_TRY(check(a, d, n));
    e->modes = n;
    VV_TRY(make_matrix(a, o, d, e));
    if (e->samples <= 0)
        return vv_fail(VV_ERR_USAGE, "%lld times leave nothing for ddof %g", (long long)e->times, o->ddof);
    (e->times <= e->points ? by_times : by_points)(e);
    VV_TRY(vv_array_status(e->unit));
    finish(e, o, out[0], out[1], out[2], out[3]);
    for (int i = 0; i < 4; i++)
        if (out[i]) VV_TRY(vv_array_status(*out[i]));
    return VV_OK;
}

void vv_eof(vv_array *a, const char *dim, vv_index n, const vv_eof_options *options, vv_array **pattern,
            vv_array **series, vv_array **variance, vv_array **fraction)
{
    const vv_eof_options defaults = VV_EOF_OPTIONS_INIT, *o = options ? options : &defaults;
    vv_array **const out[4] = {pattern, series, variance, fraction};
    vv_array *in[] = {a, o->weights};
    vv_context *c = a->context;
    eof e = {0};
    for (int i = 0; i < 4; i++)
        if (out[i]) *out[i] = NULL;
    if (vv_nodes_usable(in, o->weights ? 2 : 1) != VV_OK) {
        for (int i = 0; i < 4; i++)
            if (out[i]) *out[i] = vv_node_inert(c ? c : o->weights->context);
        return;
    }
    vv_making m = vv_making_begin(c);
    vv_status status = make(a, dim, n, o, &e, out);
    free(e.space);
    vv_making_end(&m, out, 4, status);
}
