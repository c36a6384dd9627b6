/* Windows and scans: operations on a whole block with its surroundings, whose result has the shape of their input. */
#include "array/build.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* "window_" or "cumulative_" with a name of the user's; those with weights have a function of their own. */
static vv_status find_block_op(const char *family, const char *how, int *out)
{
    char name[64];
    const char *names[64];
    int n = 0;
    size_t prefix = strlen(family);
    snprintf(name, sizeof name, "%s%s", family, how);
    *out = vv_block_op_find(name);
    if (*out >= 0 && !vv_block_ops[*out].weighted) return VV_OK;
    vv_buf all = {0};
    for (int i = 0; i < vv_n_block_ops && n < 64; i++) {
        if (strncmp(vv_block_ops[i].name, family, prefix) != 0 || vv_block_ops[i].weighted) continue;
        names[n++] = vv_block_ops[i].name + prefix;
        vv_buf_printf(&all, n > 1 ? ", %s" : "%s", names[n - 1]);
    }
    const char *near = vv_nearest(how, names, n);
    vv_status status =
        vv_fail(VV_ERR_USAGE, "there is no %s '%s'%s%s%s; use %s", *family == 'w' ? "window" : "running", how,
                near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "", all.data ? all.data : "none");
    vv_buf_free(&all);
    return status;
}

/* A BLOCK node upon an array: the call without what differs between them. */
static vv_array *block_upon(vv_array *in, int op)
{
    vv_array *a = vv_node_upon(in, VV_NODE_BLOCK);
    if (a->status != VV_OK) return a;
    a->call.op = op;
    vv_status status = vv_node_like(a, in);
    if (status == VV_OK) status = vv_cf_statistic_units(&a->attrs, strchr(vv_block_ops[op].name, '_') + 1);
    if (status == VV_OK &&
        (vv_working_type(in->dtype) == VV_NONE || vv_block_ops[op].result(vv_working_type(in->dtype)) == VV_NONE))
        status = vv_fail(VV_ERR_TYPE, "%s is not defined for %s ('%s')", vv_block_ops[op].name,
                         vv_dtype_name(in->dtype), in->name);
    return vv_node_settle(in->context, a, status);
}

/* Integers have no way to be missing, and what lies outside of the data is missing. */
static vv_array *window_upon(vv_array *in, int op)
{
    vv_array *real = vv_node_as_real(in);
    vv_array *a = real->status == VV_OK ? block_upon(real, op) : vv_node_inert(in->context);
    vv_release(&real);
    return a;
}

/* Elements before and after the one that the window belongs to. */
static void spread(vv_index window, bool centered, vv_index *before, vv_index *after)
{
    *before = centered ? window / 2 : window - 1;
    *after = window - 1 - *before;
}

static vv_status read_windows(vv_array *a, const char *windows, bool centered, vv_index *elements)
{
    vv_item_text item;
    bool any, named[VV_MAX_DIMS] = {false};
    *elements = 1;
    for (;;) {
        VV_TRY(vv_next_item(&windows, &item, &any));
        if (!any) break;
        int d;
        vv_index n;
        VV_TRY(vv_node_find_dim(a, item.name, &d));
        VV_TRY(vv_item_number(&item, &n));
        if (named[d]) return vv_fail(VV_ERR_USAGE, "dimension '%s' is named twice", item.name);
        named[d] = true;
        spread(n, centered, &a->call.before[d], &a->call.after[d]);
        *elements = vv_times(*elements, n);
    }
    return VV_OK;
}

static vv_status fill_window(vv_array *a, const char *windows, const vv_window_options *o)
{
    vv_index elements;
    VV_TRY(read_windows(a, windows, o->centered, &elements));
    if (o->min_count < 0 || o->min_count > elements)
        return vv_fail(VV_ERR_USAGE, "'%s': %lld valid elements are wanted of a window of %lld", a->name,
                       (long long)o->min_count, (long long)elements);
    a->call.min_count = o->min_count ? o->min_count : elements;
    a->call.keep_nan = o->keep_nan;
    a->call.ddof = o->ddof;
    return VV_OK;
}

vv_array *vv_window(vv_array *in, const char *how, const char *windows, const vv_window_options *options)
{
    const vv_window_options defaults = VV_WINDOW_OPTIONS_INIT;
    int op;
    if (vv_array_status(in) != VV_OK || find_block_op("window_", how, &op) != VV_OK) return vv_node_inert(in->context);
    vv_array *a = window_upon(in, op);
    if (a->status != VV_OK) return a;
    return vv_node_settle(in->context, a, fill_window(a, windows, options ? options : &defaults));
}

static vv_status fill_rolling(vv_array *a, const char *dim, vv_index window, vv_index min_count, bool centered)
{
    int d;
    VV_TRY(vv_node_find_dim(a, dim, &d));
    if (window < 1 || window > VV_INDEX_MAX / 2)
        return vv_fail(VV_ERR_USAGE, "'%s': a window of %lld along '%s'", a->name, (long long)window, dim);
    if (min_count < 0 || min_count > window)
        return vv_fail(VV_ERR_USAGE, "'%s': %lld valid elements are wanted of a window of %lld", a->name,
                       (long long)min_count, (long long)window);
    spread(window, centered, &a->call.before[d], &a->call.after[d]);
    a->call.min_count = min_count ? min_count : window;
    return VV_OK;
}

vv_array *vv_rolling(vv_array *in, const char *dim, vv_index window, const char *how, vv_index min_count, bool centered)
{
    int op;
    if (vv_array_status(in) != VV_OK || find_block_op("window_", how, &op) != VV_OK) return vv_node_inert(in->context);
    vv_array *a = window_upon(in, op);
    if (a->status != VV_OK) return a;
    return vv_node_settle(in->context, a, fill_rolling(a, dim, window, min_count, centered));
}

static vv_status fill_convolve(vv_array *a, const char *dim, const double weights[], vv_index n)
{
    int d;
    VV_TRY(vv_node_find_dim(a, dim, &d));
    if (n < 1) return vv_fail(VV_ERR_USAGE, "'%s': %lld weights along '%s'", a->name, (long long)n, dim);
    for (vv_index i = 0; i < n; i++)
        if (!isfinite(weights[i]))
            return vv_fail(VV_ERR_USAGE, "'%s': weight %lld along '%s' is not a number", a->name, (long long)i, dim);
    VV_TRY(vv_new(&a->call.weight, (size_t)n, sizeof *weights));
    memcpy(a->call.weight, weights, (size_t)n * sizeof *weights);
    a->call.n_weights = n;
    a->call.axis = d;
    a->call.min_count = n;
    spread(n, true, &a->call.before[d], &a->call.after[d]);
    return VV_OK;
}

vv_array *vv_convolve(vv_array *in, const char *dim, const double weights[], vv_index n)
{
    if (vv_array_status(in) != VV_OK) return vv_node_inert(in->context);
    vv_array *a = window_upon(in, vv_block_op_find("window_weighted"));
    return a->status == VV_OK ? vv_node_settle(in->context, a, fill_convolve(a, dim, weights, n)) : a;
}

/* As NumPy: sums and products of integers are 64 bits wide, extremes have the type of the elements. */
static vv_dtype running_type(const char *how, vv_dtype in)
{
    bool wide = !strcmp(how, "sum") || !strcmp(how, "prod");
    if (!wide || vv_dtype_is_float(in)) return in;
    return in == VV_BOOL ? VV_I64 : vv_working_type(in);
}

vv_array *vv_cumulative(vv_array *in, const char *how, const char *dim)
{
    int op, d;
    if (vv_array_status(in) != VV_OK || find_block_op("cumulative_", how, &op) != VV_OK ||
        vv_node_find_dim(in, dim, &d) != VV_OK)
        return vv_node_inert(in->context);
    if (vv_dtype_is_complex(in->dtype) && !strcmp(how, "sum")) {
        vv_array *re = vv_node_part(in, false), *im = vv_node_part(in, true);
        re = vv_node_then(re, vv_cumulative(re, how, dim));
        im = vv_node_then(im, vv_cumulative(im, how, dim));
        return vv_node_of_parts(re, im);
    }
    vv_array *a = block_upon(in, op);
    if (a->status != VV_OK) return a;
    a->call.axis = d;
    a->dtype = running_type(how, in->dtype);
    return a;
}
