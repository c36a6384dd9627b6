/* Histograms of variables: how many values are in each bin. */
#include "cli/area.h"
#include "cli/choose.h"
#include "cli/inputs.h"
#include "cli/results.h"
#include "varve/count.h"
#include "varve/move.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct counting {
    vv_cli_results results;
    const vv_cli_request *r;
    vv_cli_area area;
    vv_cli_words variables;
    vv_bins bins;
    double *edge; /* NULL: of equal width */
    char *dims;   /* NULL: all */
    vv_cli_words all;
} counting;

/* --- bins --- */

static vv_status no_bins(const char *text)
{
    return vv_error(VV_ERR_USAGE,
                    "-b takes a number of bins, such as 20, or ascending edges, such as 220,240,260; not '%s'", text);
}

static vv_status read_edges(counting *c)
{
    const vv_cli_words *w = &c->r->bins;
    c->edge = calloc((size_t)w->n, sizeof *c->edge);
    if (!c->edge) return vv_error(VV_ERR_NOMEM, "no memory for %d edges", w->n);
    for (int i = 0; i < w->n; i++) {
        char *end;
        c->edge[i] = strtod(w->item[i], &end);
        bool good = end != w->item[i] && !*end && isfinite(c->edge[i]);
        if (!good || (i > 0 && c->edge[i] <= c->edge[i - 1])) return no_bins(w->item[i]);
    }
    c->bins = (vv_bins){.n = w->n - 1, .edges = c->edge};
    if (c->r->range) return vv_error(VV_ERR_USAGE, "--range is for a number of bins; edges have one");
    return VV_OK;
}

static vv_status read_range(counting *c)
{
    char *end;
    const char *text = c->r->range;
    if (!text) return VV_OK;
    c->bins.lo = strtod(text, &end);
    const char *second = end + (*end == ':');
    bool good = end != text && *end == ':';
    if (good) c->bins.hi = strtod(second, &end);
    if (good && end != second && !*end && isfinite(c->bins.lo) && isfinite(c->bins.hi) && c->bins.lo < c->bins.hi)
        return VV_OK;
    return vv_error(VV_ERR_USAGE, "--range is LOW:HIGH, such as 220:320, not '%s'", text);
}

static vv_status read_bins(counting *c)
{
    char *end;
    if (c->r->bins.n == 0)
        return vv_error(VV_ERR_USAGE,
                        "histogram needs -b BINS, such as -b 20 or -b 220,240,260,280; 'varve histogram --help' "
                        "tells more");
    if (c->r->bins.n > 1) return read_edges(c);
    long n = strtol(c->r->bins.item[0], &end, 10);
    if (end == c->r->bins.item[0] || *end || n < 1 || n > 10000000) return no_bins(c->r->bins.item[0]);
    c->bins.n = n;
    return read_range(c);
}

/* --- one variable --- */

static vv_status note_dims(counting *c, const vv_var_info *v)
{
    vv_status status = VV_OK;
    for (int i = 0; status == VV_OK && i < v->n_dims; i++) {
        const char *dim = vv_dataset_dim(c->results.source, v->dim[i]).name;
        if (!vv_cli_words_has(&c->all, dim)) status = vv_cli_words_add(&c->all, dim, strlen(dim));
    }
    return status;
}

static vv_array *measured(vv_array *counts, vv_array *of, bool density)
{
    vv_array *named = vv_describe_as(counts, of);
    return density ? vv_with_attribute(named, "units", NULL) : vv_with_attribute(named, "units", "1");
}

static vv_status count_variable(void *context, const vv_var_info *v)
{
    counting *c = context;
    char bin[300], edge[300];
    vv_array *of = vv_dataset_array(c->results.source, v->name), *a = vv_cli_area_masked(&c->area, of);
    snprintf(bin, sizeof bin, "%s_bin", v->name);
    snprintf(edge, sizeof edge, "%s_bin_edges", v->name);
    vv_bins bins = c->bins;
    bins.dim = bin;
    vv_status status = vv_array_status(a);
    vv_array *weights = NULL;
    if (status == VV_OK) status = vv_cli_area_weights(&c->area, a, of, c->dims, &weights);
    if (status != VV_OK) return status;
    vv_array *counts = vv_histogram(a, &bins, weights, c->dims, c->r->density);
    status = note_dims(c, v);
    if (status == VV_OK)
        status = vv_cli_results_add_as(&c->results, v->name, "histogram", measured(counts, of, c->r->density));
    if (status == VV_OK && c->r->output)
        status = vv_cli_results_add(&c->results, edge, vv_histogram_bin_edges(a, &bins, edge));
    return status;
}

/* --- the command --- */

static vv_status count_all(counting *c)
{
    vv_cli_words needed = {0};
    const vv_cli_request *r = c->r;
    vv_status status = vv_cli_check_dims(c->results.source, &r->dims);
    if (status == VV_OK && r->dims.n > 0 && !(c->dims = vv_cli_words_join(&r->dims)))
        status = vv_error(VV_ERR_NOMEM, "no memory for the dimensions");
    if (status == VV_OK) status = vv_cli_area_open(c->results.session, r, c->results.source, &c->area);
    if (status == VV_OK) status = vv_cli_words_both(&r->dims, &c->area.dims, &needed);
    if (status == VV_OK)
        status = vv_cli_choose_but(c->results.source, &c->variables, &needed, &c->area.own, count_variable, c);
    vv_cli_words_free(&needed);
    if (status == VV_OK && !(c->results.touched = vv_cli_words_join(c->dims ? &r->dims : &c->all)))
        status = vv_error(VV_ERR_NOMEM, "no memory for the dimensions");
    return status == VV_OK ? vv_cli_results_deliver(&c->results) : status;
}

vv_status vv_cli_histogram(vv_session *s, const vv_cli_request *r)
{
    vv_cli_inputs inputs = {0};
    counting c = {.r = r};
    c.results.session = s;
    c.results.request = r;
    vv_status status = read_bins(&c);
    if (status == VV_OK) status = vv_cli_inputs_find(r, &inputs);
    if (status == VV_OK) status = vv_cli_inputs_open(s, r, &inputs, &c.results.source, &c.variables);
    if (status == VV_OK) status = count_all(&c);
    vv_cli_results_free(&c.results);
    vv_cli_area_free(&c.area);
    vv_cli_words_free(&c.variables);
    vv_cli_words_free(&c.all);
    vv_cli_inputs_free(&inputs);
    free(c.edge);
    free(c.dims);
    return status;
}
