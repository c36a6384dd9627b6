/* Histograms and bincount: reductions of one array or several, with weights or without, whose cells are as many numbers as there are bins. Along several axes bins are numbered
 * row-major; the result is shown with a dimension for each. */
#include "array/build.h"

#include "varve/count.h"
#include "varve/move.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- edges --- */

/* What the bins of one axis are. */
typedef struct axis {
    vv_index n;
    char dim[64];
    bool single;  /* edges are f32 */
    double *edge; /* n + 1 */
} axis;

typedef struct axes {
    int n;
    axis at[VV_RED_VALUES];
} axes;

static void free_axes(axes *x)
{
    for (int k = 0; k < x->n; k++) free(x->at[k].edge);
    *x = (axes){0};
}

/* The least element and the greatest one of those that are not missing, computed now. */
static vv_status extremes(vv_array *a, double *lo, double *hi)
{
    double both[2];
    *lo = 0, *hi = 1;
    if (vv_shape_elements(&a->shape) == 0) return VV_OK;
    if (!a->context->compute)
        return vv_fail(VV_ERR_UNSUPPORTED, "the extremes of '%s' cannot be computed here", a->name);
    vv_array *real = vv_astype(a, VV_F64);
    vv_array *end[] = {vv_reduce(real, "min", NULL, NULL), vv_reduce(real, "max", NULL, NULL)};
    vv_array *two = vv_node_stack(a->context, end, 2, "end");
    vv_status status = vv_array_status(two);
    if (status == VV_OK) status = a->context->compute(two, both, sizeof both);
    vv_release(&two);
    vv_release(&end[0]);
    vv_release(&end[1]);
    vv_release(&real);
    if (status == VV_OK && !(isfinite(both[0]) && isfinite(both[1])))
        status = vv_fail(VV_ERR_USAGE, "'%s' has elements from %g to %g: say between which edges to count", a->name,
                         both[0], both[1]);
    *lo = both[0], *hi = both[1];
    return status;
}

static vv_status check_bins(const vv_array *a, const vv_bins *b)
{
    if (b->n < 1 || b->n >= INT32_MAX)
        return vv_fail(VV_ERR_USAGE, "histogram of '%s': %lld bins", a->name, (long long)b->n);
    for (vv_index i = 0; b->edges && i < b->n; i++)
        if (!(b->edges[i] <= b->edges[i + 1]))
            return vv_fail(VV_ERR_USAGE, "histogram of '%s': edges ascend, but %g comes before %g", a->name,
                           b->edges[i], b->edges[i + 1]);
    if (b->edges || (isfinite(b->lo) && isfinite(b->hi) && b->lo <= b->hi)) return VV_OK;
    return vv_fail(VV_ERR_USAGE, "histogram of '%s': bins from %g to %g", a->name, b->lo, b->hi);
}

/* single: edges of equal bins for f32 are f32, as NumPy has them along one axis. */
static vv_status make_axis(vv_array *a, const vv_bins *b, bool single, axis *out)
{
    double lo = b->lo, hi = b->hi;
    VV_TRY(vv_array_status(a));
    VV_TRY(check_bins(a, b));
    out->n = b->n;
    out->single = single && !b->edges && a->dtype == VV_F32;
    VV_TRY(vv_new(&out->edge, (size_t)b->n + 1, sizeof *out->edge));
    if (b->edges) {
        memcpy(out->edge, b->edges, sizeof *out->edge * (size_t)(b->n + 1));
        return VV_OK;
    }
    if (lo == 0 && hi == 0) VV_TRY(extremes(a, &lo, &hi));
    vv_even_edges(b->n, lo, hi, out->single, out->edge);
    return VV_OK;
}

static vv_status make_axes(vv_array *const arrays[], const vv_bins bins[], int n, axes *out)
{
    *out = (axes){0};
    if (n < 1 || n >= VV_RED_VALUES) return vv_fail(VV_ERR_USAGE, "a histogram along %d axes", n);
    for (int k = 0; k < n; k++) {
        axis *x = &out->at[out->n++];
        VV_TRY(make_axis(arrays[k], &bins[k], n == 1, x));
        if (bins[k].dim)
            snprintf(x->dim, sizeof x->dim, "%s", bins[k].dim);
        else
            snprintf(x->dim, sizeof x->dim, n > 1 ? "bin%d" : "bin", k);
    }
    return VV_OK;
}

vv_array *vv_histogram_bin_edges(vv_array *a, const vv_bins *bins, const char *dim)
{
    axis x = {0};
    vv_status status = make_axis(a, bins, true, &x);
    vv_array *out = status == VV_OK
                        ? vv_node_listed(a->context, dim, x.n + 1, x.edge, VV_F64, x.single ? VV_F32 : VV_F64)
                        : vv_node_inert(a->context);
    free(x.edge);
    return out;
}

/* --- counts --- */

/* The coordinate of a new dimension: the middle of each bin. */
static vv_status set_middles(vv_array *a, const axis *x)
{
    vv_values *v;
    int d = vv_node_dim(a, x->dim);
    VV_TRY(vv_values_new(x->n, &v));
    for (vv_index i = 0; i < x->n; i++) v->at[i] = x->edge[i] / 2 + x->edge[i + 1] / 2;
    vv_coord_free(&a->coord[d]);
    a->coord[d] = (vv_coord){.var = -1, .value = v};
    return VV_OK;
}

/* "lat:4,x:30,y:20": the dimensions of `flat` but its last one, then those of the axes. */
static vv_array *with_axes(vv_array *flat, const axes *x)
{
    vv_buf dims = {0};
    if (flat->status != VV_OK || x->n == 1) return flat;
    for (int d = 0; d < flat->shape.nd - 1; d++)
        vv_buf_printf(&dims, "%s:%lld,", flat->dim[d], (long long)flat->shape.n[d]);
    for (int k = 0; k < x->n; k++)
        vv_buf_printf(&dims, k ? ",%s:%lld" : "%s:%lld", x->at[k].dim, (long long)x->at[k].n);
    vv_array *out = vv_buf_status(&dims) == VV_OK ? vv_reshape(flat, dims.data) : vv_node_inert(flat->context);
    vv_buf_free(&dims);
    return vv_node_then(flat, out);
}

/* Operands are given away. */
static vv_array *divided(vv_array *a, vv_array *b)
{
    vv_array *made = vv_node_elementwise(a->context, "divide", (vv_array *[]){a, b}, 2);
    vv_release(&a);
    vv_release(&b);
    return made;
}

static vv_array *widths(vv_context *c, const axis *x)
{
    double *width;
    if (vv_new(&width, (size_t)x->n, sizeof *width) != VV_OK) return vv_node_inert(c);
    for (vv_index i = 0; i < x->n; i++) {
        width[i] = x->edge[i + 1] - x->edge[i];
        if (x->single) width[i] = (double)(float)width[i];
    }
    vv_array *a = vv_node_listed(c, x->dim, x->n, width, VV_F64, VV_F64);
    free(width);
    return a;
}

/* Divided by the volume of each bin and by the total of its lane. Takes `counts` over. */
static vv_array *as_density(vv_array *counts, const axes *x)
{
    vv_buf dims = {0};
    vv_dtype type = counts->status == VV_OK && vv_dtype_is_complex(counts->dtype) ? VV_C128 : VV_F64;
    vv_array *total = vv_node_inert(counts->context), *a = vv_node_then(counts, vv_astype(counts, type));
    for (int k = 0; k < x->n; k++) vv_buf_printf(&dims, k ? ",%s" : "%s", x->at[k].dim);
    const vv_reduce_options o = {.keep_nan = true};
    if (vv_buf_status(&dims) == VV_OK && a->status == VV_OK)
        total = vv_node_then(total, vv_reduce(a, "sum", dims.data, &o));
    vv_buf_free(&dims);
    for (int k = 0; k < x->n; k++) a = divided(a, widths(a->context, &x->at[k]));
    return divided(a, total);
}

/* The type in which weights are added up. */
static vv_dtype total_type(const vv_array *weights)
{
    return !weights ? VV_NONE : vv_dtype_is_float(weights->dtype) ? VV_F64 : VV_I64;
}

static vv_array *histogram(vv_array *const arrays[], const vv_bins bins[], int n, vv_array *weights, const char *dims,
                           bool density, bool several);

/* Totals of complex weights are those of their parts. */
static vv_array *complex_histogram(vv_array *a, const vv_bins *bins, vv_array *weights, const char *dims, bool density)
{
    vv_array *total[2];
    axes x;
    for (int i = 0; i < 2; i++) {
        vv_array *part = vv_node_part(weights, i > 0);
        total[i] = vv_node_then(part, histogram(&a, bins, 1, part, dims, false, false));
    }
    vv_array *both = vv_node_of_parts(total[0], total[1]);
    if (!density || both->status != VV_OK) return both;
    vv_status status = make_axes(&a, bins, 1, &x);
    if (status == VV_OK) both = as_density(both, &x);
    free_axes(&x);
    return vv_node_settle(a->context, both, status);
}

/* several: as numpy.histogramdd, whose result is f64. */
static vv_array *histogram(vv_array *const arrays[], const vv_bins bins[], int n, vv_array *weights, const char *dims,
                           bool density, bool several)
{
    vv_context *c = arrays[0]->context;
    vv_array *in[VV_RED_VALUES];
    vv_index n_bins[VV_RED_VALUES];
    vv_red_spec *spec = NULL;
    vv_buf edges = {0};
    axes x;
    vv_status status = make_axes(arrays, bins, n, &x);
    for (int k = 0; k < n && status == VV_OK; k++) {
        in[k] = arrays[k];
        n_bins[k] = x.at[k].n;
        vv_buf_bytes(&edges, x.at[k].edge, (size_t)(x.at[k].n + 1) * sizeof(double));
    }
    if (status == VV_OK) status = vv_buf_status(&edges);
    if (status == VV_OK && weights) status = vv_array_status(weights);
    if (status == VV_OK)
        status = vv_histogram_spec(n, n_bins, (const double *)(void *)edges.data, total_type(weights), &spec);
    vv_buf_free(&edges);
    if (weights) in[n] = weights;
    vv_array *a = vv_node_inert(c);
    if (status == VV_OK) {
        vv_dtype type = weights ? weights->dtype : VV_I64;
        a = vv_node_then(a, vv_node_reduce_told(in, n + (weights != NULL), &vv_reduction_histogram, spec, type, dims,
                                                "histogram", n > 1 ? "bins" : x.at[0].dim));
        a = with_axes(a, &x);
        if (a->status == VV_OK && several && !density) a = vv_node_then(a, vv_astype(a, VV_F64));
        if (a->status == VV_OK && density) a = as_density(a, &x);
    }
    for (int k = 0; k < x.n && status == VV_OK && a->status == VV_OK; k++) status = set_middles(a, &x.at[k]);
    free_axes(&x);
    return vv_node_settle(c, a, status);
}

vv_array *vv_histogram(vv_array *a, const vv_bins *bins, vv_array *weights, const char *dims, bool density)
{
    if (weights && weights->status == VV_OK && vv_dtype_is_complex(weights->dtype))
        return complex_histogram(a, bins, weights, dims, density);
    return histogram(&a, bins, 1, weights, dims, density, false);
}

vv_array *vv_histogramdd(vv_array *const arrays[], const vv_bins bins[], int n, vv_array *weights, const char *dims,
                         bool density)
{
    return histogram(arrays, bins, n, weights, dims, density, true);
}

/* --- whole numbers --- */

/* One more than the greatest element, computed now. */
static vv_status counts_needed(vv_array *a, vv_index least, vv_index *out)
{
    int64_t most = -1;
    if (vv_shape_elements(&a->shape) > 0) {
        if (!a->context->compute)
            return vv_fail(VV_ERR_UNSUPPORTED, "the greatest element of '%s' cannot be computed here", a->name);
        vv_array *wide = vv_astype(a, VV_I64), *max = vv_node_then(wide, vv_reduce(wide, "max", NULL, NULL));
        vv_status status = vv_array_status(max);
        if (status == VV_OK) status = a->context->compute(max, &most, sizeof most);
        vv_release(&max);
        VV_TRY(status);
    }
    if (most >= INT32_MAX)
        return vv_fail(VV_ERR_USAGE, "bincount of '%s', whose greatest element is %lld", a->name, (long long)most);
    *out = vv_imax(least, most + 1);
    return VV_OK;
}

static vv_status prepare_counts(vv_array *a, vv_array *weights, vv_index *length, vv_index least, vv_red_spec **spec)
{
    VV_TRY(vv_array_status(a));
    if (weights) VV_TRY(vv_array_status(weights));
    if (vv_dtype_is_float(a->dtype))
        return vv_fail(VV_ERR_TYPE, "bincount is not defined for %s ('%s')", vv_dtype_name(a->dtype), a->name);
    if (*length < 0 || least < 0)
        return vv_fail(VV_ERR_USAGE, "bincount of '%s': %lld counts", a->name, (long long)vv_imin(*length, least));
    if (*length == 0) VV_TRY(counts_needed(a, least, length));
    return *length > 0 ? vv_bincount_spec(*length, weights ? VV_F64 : VV_NONE, spec) : VV_OK;
}

vv_array *vv_bincount(vv_array *a, vv_array *weights, vv_index length, vv_index least, const char *dims,
                      const char *new_dim)
{
    vv_red_spec *spec = NULL;
    vv_dtype type = weights ? VV_F64 : VV_I64;
    char none[96];
    if (prepare_counts(a, weights, &length, least, &spec) != VV_OK) return vv_node_inert(a->context);
    if (spec)
        return vv_node_reduce_told((vv_array *[]){a, weights}, weights ? 2 : 1, &vv_reduction_bincount, spec, type,
                                   dims, "bincount", new_dim);
    snprintf(none, sizeof none, "%s:0", new_dim); /* nothing at all */
    return vv_node_full(a->context, none, NULL, 0, type);
}
