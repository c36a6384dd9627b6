/* Quantiles of values with weights: a generalized ufunc (kernels/order/quantile_weighted.h), so that lanes, chunks and memory are those of functions of the user's. Weights that a lane's dimensions are
 * not all of are repeated along the others. */
#include "array/build.h"

#include "kernels/order/quantile.h"
#include "kernels/order/quantile_weighted.h"
#include "varve/move.h"

#include <stdlib.h>
#include <string.h>

/* What was asked for. */
typedef struct asked {
    vv_array *a, *w;
    const double *q;
    vv_index n;
    bool along[VV_MAX_DIMS];
    vv_quantile_options o;
} asked;

static vv_status check(asked *t, const char *dims, int *method)
{
    vv_array *const both[] = {t->a, t->w};
    VV_TRY(vv_nodes_usable(both, 2));
    if (vv_dtype_is_complex(t->a->dtype) || vv_dtype_is_complex(t->w->dtype))
        return vv_fail(VV_ERR_TYPE, "quantiles of '%s' by weights: complex numbers have no order", t->a->name);
    if (vv_node_grouping(t->a))
        return vv_fail(VV_ERR_UNSUPPORTED, "quantiles of '%s' by weights are not made group by group", t->a->name);
    *method = vv_quantile_find(t->o.method ? t->o.method : "linear");
    if (*method < 0) return vv_fail(VV_ERR_USAGE, "there is no quantile method '%s'", t->o.method);
    if (!vv_quantile_takes_weights(*method))
        return vv_fail(VV_ERR_USAGE,
                       "the quantile method '%s' takes no weights; linear, hazen, weibull, median_unbiased, "
                       "normal_unbiased and interpolated_inverted_cdf do",
                       t->o.method);
    if (t->n < 1) return vv_fail(VV_ERR_USAGE, "'%s': %lld quantiles", t->a->name, (long long)t->n);
    for (vv_index i = 0; i < t->n; i++)
        if (!(t->q[i] >= 0 && t->q[i] <= 1))
            return vv_fail(VV_ERR_USAGE, "'%s': %g is no quantile; they are between 0 and 1", t->a->name, t->q[i]);
    for (int d = 0; d < t->w->shape.nd; d++)
        if (vv_node_dim(t->a, t->w->dim[d]) < 0)
            return vv_fail(VV_ERR_SHAPE, "weights lie along '%s', which '%s' does not have", t->w->dim[d], t->a->name);
    return vv_node_named_dims(t->a, dims, t->along);
}

/* "lat:10,lon:20", and "lat,lon": the dimensions of a lane. */
static vv_status list(const asked *t, vv_buf *lengths, vv_buf *names)
{
    for (int d = 0; d < t->a->shape.nd; d++) {
        if (!t->along[d]) continue;
        vv_buf_printf(lengths, "%s%s:%lld", lengths->size ? "," : "", t->a->dim[d], (long long)t->a->shape.n[d]);
        vv_buf_printf(names, "%s%s", names->size ? "," : "", t->a->dim[d]);
    }
    VV_TRY(vv_buf_status(lengths));
    return vv_buf_status(names);
}

/* Weights with all of a lane's dimensions. */
static vv_array *whole(const asked *t, const char *lengths)
{
    vv_buf all = {0};
    for (int d = 0; d < t->w->shape.nd; d++) {
        int in = vv_node_dim(t->a, t->w->dim[d]);
        if (!t->along[in]) vv_buf_printf(&all, "%s:%lld,", t->w->dim[d], (long long)t->w->shape.n[d]);
    }
    vv_buf_text(&all, lengths);
    vv_array *w = vv_buf_status(&all) == VV_OK ? vv_broadcast_to(t->w, all.data) : vv_node_inert(t->a->context);
    vv_buf_free(&all);
    return vv_node_then(w, vv_astype(w, VV_F64));
}

/* Quantiles come last, with their coordinate. */
static vv_status name_quantiles(vv_array *a, const asked *t)
{
    int d = a->shape.nd - 1;
    vv_values *v;
    VV_TRY(vv_values_new(t->n, &v));
    memcpy(v->at, t->q, (size_t)t->n * sizeof *t->q);
    vv_coord_free(&a->coord[d]);
    a->coord[d] = (vv_coord){.var = -1, .value = v};
    return VV_OK;
}

static vv_status call(const asked *t, int method, vv_array **out)
{
    vv_buf lengths = {0}, names = {0}, signature = {0}, new = {0};
    vv_index lane = 1;
    int core = 0;
    vv_quantile_told *told;
    vv_bytes size = (vv_bytes)sizeof *told + t->n * (vv_bytes)sizeof *t->q;
    VV_TRY(vv_new(&told, 1, (size_t)size));
    for (int d = 0; d < t->a->shape.nd; d++) {
        if (!t->along[d]) continue;
        lane = vv_times(lane, t->a->shape.n[d]);
        core++;
    }
    *told = (vv_quantile_told){method, core, t->o.keep_nan, t->n};
    memcpy(told->q, t->q, (size_t)t->n * sizeof *t->q);
    vv_status status = list(t, &lengths, &names);
    if (status == VV_OK) {
        vv_buf_printf(&signature, "(%s),(%s)->(quantile)", names.data, names.data);
        vv_buf_printf(&new, "quantile:%lld", (long long)t->n);
        status = vv_buf_status(&signature) == VV_OK ? vv_buf_status(&new) : VV_ERR_NOMEM;
    }
    if (status == VV_OK) {
        const vv_apply_options o = {.name = t->a->name,
                                    .dtype = VV_F64,
                                    .dims = new.data,
                                    .data = told,
                                    .data_size = size,
                                    .scratch = vv_quantile_weighted_scratch(lane)};
        vv_array *in[] = {vv_astype(t->a, VV_F64), whole(t, lengths.data)};
        *out = vv_node_gufunc(t->a->context, vv_quantile_weighted, signature.data, in, 2, &o);
        status = vv_array_status(*out);
        for (int i = 0; i < 2; i++) vv_release(&in[i]);
    }
    vv_buf_free(&lengths);
    vv_buf_free(&names);
    vv_buf_free(&signature);
    vv_buf_free(&new);
    free(told);
    return status == VV_OK ? name_quantiles(*out, t) : status;
}

/* The one without its dimension, or the dimension in front; attributes are the array's. */
static vv_array *dressed(vv_array *made, const asked *t, bool alone)
{
    vv_array *a = made;
    if (t->a->dtype == VV_F32) a = vv_node_then(a, vv_astype(a, VV_F32));
    a = vv_node_then(a, alone ? vv_squeeze(a, "quantile") : vv_moveaxis(a, "quantile", 0));
    return a->status == VV_OK ? vv_node_then(a, vv_describe_as(a, t->a)) : a;
}

static vv_array *quantiles(vv_array *a, const double q[], vv_index n, vv_array *weights, const char *dims,
                           const vv_quantile_options *o, bool alone)
{
    const vv_quantile_options defaults = VV_QUANTILE_OPTIONS_INIT;
    asked t = {.a = a, .w = weights, .q = q, .n = n, .o = o ? *o : defaults};
    vv_context *c = a->context ? a->context : weights->context;
    vv_array *made = vv_node_inert(c);
    int method = 0;
    vv_status status = check(&t, dims, &method);
    if (status == VV_OK && vv_node_dim(a, "quantile") >= 0)
        status = vv_fail(VV_ERR_SHAPE, "'%s' has a dimension 'quantile' already; vv_rename() it", a->name);
    if (status == VV_OK) status = call(&t, method, &made);
    return status == VV_OK ? dressed(made, &t, alone) : vv_node_settle(c, made, status);
}

vv_array *vv_weighted_quantile(vv_array *a, double q, vv_array *weights, const char *dims,
                               const vv_quantile_options *options)
{
    return quantiles(a, &q, 1, weights, dims, options, true);
}

vv_array *vv_weighted_quantiles(vv_array *a, const double q[], vv_index n, vv_array *weights, const char *dims,
                                const vv_quantile_options *options)
{
    return quantiles(a, q, n, weights, dims, options, false);
}
