/* Weights, masks and groups by another variable: 'cos(lat)', 'sftlf > 50', basins.nc:basin. */
#include "cli/area.h"

#include "varve/earth.h"
#include "varve/expression.h"
#include "varve/move.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char merged[] = "varve_cell"; /* what several dimensions of labels become, until they are reduced */

/* --- [FILE:]EXPRESSION --- */

/* The colon behind the name of a file that is there; NULL: there is none. */
static const char *file_colon(const char *text)
{
    for (const char *c = strchr(text, ':'); c; c = strchr(c + 1, ':')) {
        char *path = strndup(text, (size_t)(c - text));
        bool is = path && *path && c[1] && !access(path, F_OK);
        free(path);
        if (is) return c;
    }
    return NULL;
}

static bool is_variable(const vv_dataset *d, const char *name)
{
    for (int i = 0; i < vv_dataset_n_vars(d); i++)
        if (!strcmp(vv_dataset_var(d, i).name, name)) return true;
    return false;
}

static vv_dataset *dataset_of(vv_session *s, vv_dataset *source, const char **text)
{
    const char *colon = file_colon(*text);
    if (!colon) return source;
    char *path = strndup(*text, (size_t)(colon - *text));
    vv_dataset *d = vv_dataset_open(s, path ? path : "");
    free(path);
    *text = colon + 1;
    return d;
}

vv_array *vv_cli_expression(vv_session *s, vv_dataset *source, const char *text)
{
    vv_dataset *d = dataset_of(s, source, &text);
    return is_variable(d, text) ? vv_dataset_array(d, text) : vv_expression(s, d, text);
}

/* cos(lat) means degrees here, unless its units say that it is in radians. */
static vv_array *cosine(vv_session *s, vv_dataset *source, const char *text)
{
    char name[256] = "";
    int end = 0;
    vv_dataset *d = dataset_of(s, source, &text);
    if (sscanf(text, " cos ( %200[^() ] ) %n", name, &end) != 1 || text[end] || !is_variable(d, name)) return NULL;
    const char *units = vv_dataset_attr_text(d, vv_dataset_find_var(d, name), "units");
    vv_array *angle = vv_dataset_array(d, name);
    return vv_cos(units && !strncmp(units, "rad", 3) ? angle : vv_radians(angle));
}

/* --- opening --- */

/* Characters lie along one dimension more than the words that they make. */
static int n_own_dims(const vv_cli_area *x, const vv_array *a, const char *text)
{
    bool chars = is_variable(x->source, text) &&
                 !strcmp(vv_dataset_var(x->source, vv_dataset_find_var(x->source, text)).type_text, "char");
    return vv_array_n_dims(a) - chars;
}

static vv_status add_dims(vv_cli_area *x, const vv_array *a, int n)
{
    vv_status status = VV_OK;
    for (int d = 0; status == VV_OK && d < n; d++) {
        const char *dim = vv_array_dim(a, d);
        bool known = vv_cli_words_has(&x->dims, dim);
        bool there = vv_dataset_find_dim(x->source, dim) >= 0;
        if (!there)
            return vv_error(VV_ERR_SHAPE, "%s has no dimension '%s', along which '%s' lies", vv_dataset_path(x->source),
                            dim, vv_array_name(a));
        if (!known) status = vv_cli_words_add(&x->dims, dim, strlen(dim));
    }
    return status;
}

static vv_status took(vv_cli_area *x, const char *option, const char *text, vv_array *a)
{
    vv_status status = vv_array_status(a);
    if (status != VV_OK) {
        char why[2000];
        snprintf(why, sizeof why, "%s", vv_last_error());
        return vv_error(status, "--%s %s: %s", option, text, why);
    }
    if (is_variable(x->source, text)) status = vv_cli_words_add(&x->own, text, strlen(text));
    return status == VV_OK ? add_dims(x, a, n_own_dims(x, a, text)) : status;
}

static vv_status open_weights(vv_cli_area *x, const char *text)
{
    x->cells = !strcmp(text, "area") && !is_variable(x->source, "area");
    if (x->cells) return VV_OK;
    x->weights = cosine(x->session, x->source, text);
    if (!x->weights) x->weights = vv_cli_expression(x->session, x->source, text);
    return took(x, "weights", text, x->weights);
}

vv_status vv_cli_area_open(vv_session *s, const vv_cli_request *r, vv_dataset *source, vv_cli_area *x)
{
    *x = (vv_cli_area){.request = r, .session = s, .source = source};
    vv_status status = VV_OK;
    if (r->weights) status = open_weights(x, r->weights);
    if (status == VV_OK && r->mask) {
        x->mask = vv_cli_expression(s, source, r->mask);
        status = took(x, "mask", r->mask, x->mask);
    }
    if (status == VV_OK && r->by) {
        x->by = vv_cli_expression(s, source, r->by);
        status = took(x, "by", r->by, x->by);
    }
    return status;
}

void vv_cli_area_free(vv_cli_area *x)
{
    vv_cli_words_free(&x->dims);
    vv_cli_words_free(&x->own);
}

/* --- masks --- */

/* "time:2920,lat:361,lon:720", to be freed. */
static char *shape_of(const vv_array *a)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    for (int d = 0; out && d < vv_array_n_dims(a); d++)
        fprintf(out, "%s%s:%lld", d ? "," : "", vv_array_dim(a, d), (long long)vv_array_length(a, d));
    return out && !fclose(out) ? text : NULL;
}

/* Where a mask holds. What is missing in it is not chosen: comparisons with it are false. */
static vv_array *holds(const vv_cli_area *x, vv_array *mask)
{
    vv_dtype type = vv_array_dtype(mask);
    if (type == VV_BOOL) return mask;
    bool real = type == VV_F32 || type == VV_F64;
    return real ? vv_greater(vv_absolute(mask), vv_scalar(x->session, 0))
                : vv_not_equal(mask, vv_scalar(x->session, 0));
}

vv_array *vv_cli_area_masked(const vv_cli_area *x, vv_array *a)
{
    if (!x->mask || vv_array_status(a) != VV_OK) return a;
    char *shape = shape_of(a);
    vv_array *all = vv_broadcast_to(holds(x, vv_align(x->mask, a)), shape ? shape : "");
    free(shape);
    return vv_describe_as(vv_where(all, a, vv_scalar(x->session, (double)NAN)), a);
}

/* --- weights --- */

static bool is_listed(const char *dims, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = dims; at && *at; at += strcspn(at, ","), at += *at == ',')
        if (strcspn(at, ",") == n && !memcmp(at, name, n)) return true;
    return !dims;
}

static bool has_dim(const vv_array *a, const char *name)
{
    for (int d = 0; d < vv_array_n_dims(a); d++)
        if (!strcmp(vv_array_dim(a, d), name)) return true;
    return false;
}

/* By the variable's cell_measures, if the file has them; else by its latitudes and longitudes. */
static vv_array *cell_areas(const vv_cli_area *x, vv_array *a, vv_array *of)
{
    char name[256] = "";
    int var = vv_dataset_find_var(x->source, vv_array_name(of));
    const char *measures = var >= 0 ? vv_dataset_attr_text(x->source, var, "cell_measures") : NULL;
    const char *area = measures ? strstr(measures, "area:") : NULL;
    if (area && sscanf(area, "area: %200s", name) == 1 && is_variable(x->source, name))
        return vv_align(vv_dataset_array(x->source, name), a);
    return vv_area(a);
}

static vv_status reduces_weights(const vv_array *w, const char *dims, const char *text)
{
    for (int d = 0; d < vv_array_n_dims(w); d++)
        if (is_listed(dims, vv_array_dim(w, d))) return VV_OK;
    return vv_error(VV_ERR_USAGE, "--weights %s: they lie along '%s', which is not reduced over; give it with -d", text,
                    vv_array_n_dims(w) ? vv_array_dim(w, 0) : "no dimension");
}

static vv_array *weights_for(const vv_cli_area *x, vv_array *a, vv_array *of, const char *dims)
{
    vv_array *w = x->cells ? cell_areas(x, of, of) : vv_align(x->weights, a);
    vv_status status = vv_array_status(w);
    if (status == VV_OK) status = reduces_weights(w, dims, x->request->weights);
    return status == VV_OK ? w : vv_failed(x->session, status);
}

static bool takes_weights(const char *how)
{
    static const char *const names[] = {"mean", "sum", "var", "std"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(how, names[i])) return true;
    return false;
}

static vv_array *weighted(const vv_cli_area *x, vv_array *a, vv_array *w, const char *how, const char *dims,
                          const vv_reduce_options *o)
{
    const vv_quantile_options q = {.keep_nan = o->keep_nan};
    if (takes_weights(how)) return vv_weighted(a, how, w, dims, o);
    if (!strcmp(how, "median") && !o->keep_dims) return vv_weighted_quantile(a, 0.5, w, dims, &q);
    return vv_failed(
        x->session,
        vv_error(VV_ERR_USAGE,
                 "--weights: there is no weighted %s; mean, sum, var, std, median and quantile take weights", how));
}

/* --- groups by labels --- */

static int n_label_dims(const vv_cli_area *x, const vv_array *a)
{
    int n = 0;
    for (int d = 0; d < vv_array_n_dims(x->by); d++) n += has_dim(a, vv_array_dim(x->by, d));
    return n;
}

/* The dimensions that are reduced, with those of the labels as one: "time,varve_cell". To be freed; NULL: no memory. */
static char *dims_by(const vv_cli_area *x, vv_array *a, const char *dims)
{
    vv_cli_words all = {0};
    bool several = n_label_dims(x, a) > 1;
    vv_status status = VV_OK;
    const char *last = several ? merged : vv_array_dim(x->by, 0);
    for (int d = 0; status == VV_OK && dims && d < vv_array_n_dims(a); d++) {
        const char *dim = vv_array_dim(a, d);
        if (is_listed(dims, dim) && !has_dim(x->by, dim)) status = vv_cli_words_add(&all, dim, strlen(dim));
    }
    if (status == VV_OK) status = vv_cli_words_add(&all, last, strlen(last));
    char *text = status == VV_OK ? vv_cli_words_join(&all) : NULL;
    vv_cli_words_free(&all);
    return text;
}

/* Weights as elements along the merged dimension, if there is one. */
static vv_array *weights_by(const vv_cli_area *x, vv_array *w, vv_array *a)
{
    vv_cli_words shape = {0}, names = {0};
    if (n_label_dims(x, a) < 2 || vv_array_status(w) != VV_OK) return w;
    for (int d = 0; d < vv_array_n_dims(w); d++)
        if (!has_dim(x->by, vv_array_dim(w, d)))
            return vv_failed(x->session,
                             vv_error(VV_ERR_UNSUPPORTED, "--weights along '%s', which the labels of --by do not have",
                                      vv_array_dim(w, d)));
    vv_status status = VV_OK;
    for (int d = 0; status == VV_OK && d < vv_array_n_dims(a); d++) {
        char one[300];
        if (!has_dim(x->by, vv_array_dim(a, d))) continue;
        snprintf(one, sizeof one, "%s:%lld", vv_array_dim(a, d), (long long)vv_array_length(a, d));
        status = vv_cli_words_add(&shape, one, strlen(one));
        if (status == VV_OK) status = vv_cli_words_add(&names, vv_array_dim(a, d), strlen(vv_array_dim(a, d)));
    }
    char *dims = vv_cli_words_join(&shape), *order = vv_cli_words_join(&names), one[64];
    snprintf(one, sizeof one, "%s:-1", merged);
    vv_array *flat = status == VV_OK && dims && order
                         ? vv_reshape(vv_transpose(vv_broadcast_to(w, dims), order), one)
                         : vv_failed(x->session, vv_error(VV_ERR_NOMEM, "no memory for the dimensions"));
    free(dims);
    free(order);
    vv_cli_words_free(&shape);
    vv_cli_words_free(&names);
    return flat;
}

static vv_status label_dims_are_reduced(const vv_cli_area *x, const vv_array *a, const char *dims)
{
    for (int d = 0; d < vv_array_n_dims(x->by); d++)
        if (has_dim(a, vv_array_dim(x->by, d)) && !is_listed(dims, vv_array_dim(x->by, d)))
            return vv_error(VV_ERR_USAGE,
                            "--by %s: its labels lie along '%s', which is not reduced over; give it with -d",
                            x->request->by, vv_array_dim(x->by, d));
    return VV_OK;
}

static vv_array *reduced_by(const vv_cli_area *x, vv_array *a, vv_array *of, const char *how, const char *dims,
                            const vv_reduce_options *o)
{
    vv_status status = label_dims_are_reduced(x, a, dims);
    if (status != VV_OK) return vv_failed(x->session, status);
    bool weigh = x->cells || x->weights;
    vv_array *w = weigh ? weights_by(x, weights_for(x, a, of, dims), a) : NULL;
    char *over = dims_by(x, a, dims);
    vv_array *groups = vv_group_by(a, x->by, merged);
    vv_array *made = !over ? vv_failed(x->session, vv_error(VV_ERR_NOMEM, "no memory for the dimensions"))
                     : w   ? weighted(x, groups, w, how, over, o)
                           : vv_reduce(groups, how, over, o);
    free(over);
    return made;
}

vv_array *vv_cli_area_reduced(const vv_cli_area *x, vv_array *a, vv_array *of, const char *how, const char *dims,
                              const vv_reduce_options *o)
{
    if (vv_array_status(a) != VV_OK) return a;
    if (x->by) return reduced_by(x, a, of, how, dims, o);
    if (!x->cells && !x->weights) return vv_reduce(a, how, dims, o);
    vv_array *w = weights_for(x, a, of, dims);
    return vv_array_status(w) == VV_OK ? weighted(x, a, w, how, dims, o) : w;
}

static vv_array *quantiles_by(const vv_cli_area *x, vv_array *a, const double q[], int n, const char *dims,
                              const vv_quantile_options *o)
{
    vv_status status = label_dims_are_reduced(x, a, dims);
    if (status == VV_OK && (x->cells || x->weights))
        status = vv_error(VV_ERR_UNSUPPORTED, "quantiles take --weights or --by, not both");
    if (status != VV_OK) return vv_failed(x->session, status);
    char *over = dims_by(x, a, dims);
    vv_array *groups = vv_group_by(a, x->by, merged);
    vv_array *made = !over    ? vv_failed(x->session, vv_error(VV_ERR_NOMEM, "no memory for the dimensions"))
                     : n == 1 ? vv_quantile(groups, q[0], over, o)
                              : vv_quantiles(groups, q, n, over, o);
    free(over);
    return made;
}

vv_array *vv_cli_area_quantiles(const vv_cli_area *x, vv_array *a, vv_array *of, const double q[], int n,
                                const char *dims, const vv_quantile_options *o)
{
    if (vv_array_status(a) != VV_OK) return a;
    if (x->by) return quantiles_by(x, a, q, n, dims, o);
    vv_array *w = x->cells || x->weights ? weights_for(x, a, of, dims) : NULL;
    if (w && vv_array_status(w) != VV_OK) return w;
    if (w && o->keep_dims)
        return vv_failed(x->session, vv_error(VV_ERR_UNSUPPORTED, "--keepdims is not for quantiles with --weights"));
    if (w) return n == 1 ? vv_weighted_quantile(a, q[0], w, dims, o) : vv_weighted_quantiles(a, q, n, w, dims, o);
    return n == 1 ? vv_quantile(a, q[0], dims, o) : vv_quantiles(a, q, n, dims, o);
}

vv_status vv_cli_area_weights(const vv_cli_area *x, vv_array *a, vv_array *of, const char *dims, vv_array **out)
{
    *out = x->cells || x->weights ? weights_for(x, a, of, dims) : NULL;
    return *out ? vv_array_status(*out) : VV_OK;
}
