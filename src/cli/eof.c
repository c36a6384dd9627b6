/* Patterns that vary most: eof. */
#include "cli/area.h"
#include "cli/choose.h"
#include "cli/inputs.h"
#include "cli/results.h"
#include "varve/analysis.h"
#include "varve/earth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct patterns {
    vv_cli_results results;
    vv_cli_request request; /* with the weights that count */
    vv_session *session;
    vv_cli_words variables, dims; /* dims: the one along which series lie */
    vv_cli_area area;
    char weights[300];
} patterns;

/* --- weights --- */

static bool is_latitude(const vv_dataset *d, const char *name)
{
    for (int i = 0; i < vv_dataset_n_vars(d); i++) {
        vv_var_info v = vv_dataset_var(d, i);
        if (v.n_dims != 1 || strcmp(v.name, name) != 0) continue;
        const char *units = vv_dataset_attr_text(d, i, "units"),
                   *standard = vv_dataset_attr_text(d, i, "standard_name");
        return (units && !strncmp(units, "degree", 6) && strchr(units, 'N')) ||
               (units && !strncmp(units, "degrees_north", 13)) || (standard && !strcmp(standard, "latitude"));
    }
    return false;
}

/* cos of the latitude, where there is one. */
static vv_status set_weights(patterns *p)
{
    const vv_dataset *d = p->results.source;
    const char *given = p->request.weights;
    if (given && !strcmp(given, "none")) p->request.weights = NULL;
    for (int i = 0; i < vv_dataset_n_dims(d) && !given; i++) {
        const char *dim = vv_dataset_dim(d, i).name;
        if (!is_latitude(d, dim)) continue;
        snprintf(p->weights, sizeof p->weights, "cos(%.250s)", dim);
        p->request.weights = p->weights;
        break;
    }
    return vv_cli_area_open(p->session, &p->request, p->results.source, &p->area);
}

static bool has_dims(const vv_array *a, const vv_array *of)
{
    for (int k = 0; k < vv_array_n_dims(of); k++) {
        bool found = false;
        for (int d = 0; d < vv_array_n_dims(a); d++) found = found || !strcmp(vv_array_dim(a, d), vv_array_dim(of, k));
        if (!found) return false;
    }
    return true;
}

/* --- one variable --- */

/* Points with values at some times, but not at all. */
static vv_status check_gaps(const patterns *p, vv_array *a, const char *name)
{
    const char *dim = p->dims.item[0];
    vv_index times = 0, points = 1;
    int64_t partly = 0;
    if (p->request.gaps == VV_CLI_GAPS_SKIP || p->request.explain != VV_CLI_EXPLAIN_NOT) return VV_OK;
    for (int d = 0; d < vv_array_n_dims(a); d++) {
        if (!strcmp(vv_array_dim(a, d), dim))
            times = vv_array_length(a, d);
        else
            points *= vv_array_length(a, d);
    }
    vv_array *n = vv_reduce(a, "count", dim, NULL);
    vv_array *some =
        vv_logical_and(vv_greater(n, vv_scalar(p->session, 0)), vv_less(n, vv_scalar(p->session, (double)times)));
    vv_status status = vv_compute(vv_sum(vv_astype(some, VV_I64), NULL), &partly, sizeof partly);
    if (status != VV_OK || partly == 0) return status;
    return vv_error(VV_ERR_FORMAT,
                    "%s: '%s' is missing at some times, but not at all, at %lld of %lld points, which patterns cannot "
                    "have; --gaps skip leaves these points out",
                    vv_dataset_path(p->results.source), name, (long long)partly, (long long)points);
}

static vv_index modes(const patterns *p, const vv_array *a)
{
    enum { DEFAULT = 10 };
    vv_index times = 1, points = 1;
    if (p->request.modes > 0) return p->request.modes;
    for (int d = 0; d < vv_array_n_dims(a); d++)
        *(strcmp(vv_array_dim(a, d), p->dims.item[0]) ? &points : &times) *= vv_array_length(a, d);
    vv_index most = times < points ? times : points;
    return most < DEFAULT ? most : DEFAULT;
}

static vv_status decompose(void *context, const vv_var_info *v)
{
    static const char *const names[] = {"eof", "pc", "variance", "fraction"};
    patterns *p = context;
    vv_array *a = vv_cli_area_masked(&p->area, vv_dataset_array(p->results.source, v->name)), *made[4];
    vv_eof_options o = {.correlation = p->request.correlation,
                        .ddof = p->request.ddof,
                        .weights = p->area.cells ? vv_area(a) : p->area.weights};
    vv_status status = vv_array_status(a);
    if (status == VV_OK && o.weights && !has_dims(a, o.weights)) o.weights = NULL;
    if (status == VV_OK) status = check_gaps(p, a, v->name);
    if (status != VV_OK) return status;
    vv_eof(a, p->dims.item[0], modes(p, a), &o, &made[0], &made[1], &made[2], &made[3]);
    for (int i = 0; i < 4 && status == VV_OK; i++)
        status = vv_cli_results_add_as(&p->results, v->name, names[i], made[i]);
    return status;
}

static vv_status find_series_dim(patterns *p)
{
    const vv_cli_words *given = &p->request.dims;
    const char *dim = NULL;
    if (given->n > 1)
        return vv_error(VV_ERR_USAGE, "series of patterns lie along one dimension, -d names %d", given->n);
    vv_status status = vv_cli_check_dims(p->results.source, given);
    if (status == VV_OK && given->n == 1) dim = given->item[0];
    if (status == VV_OK && given->n == 0) status = vv_cli_time_dim(p->results.source, given, &dim);
    return status == VV_OK ? vv_cli_words_add(&p->dims, dim, strlen(dim)) : status;
}

vv_status vv_cli_eof(vv_session *s, const vv_cli_request *r)
{
    vv_cli_inputs inputs;
    vv_cli_words needed = {0};
    patterns p = {.request = *r, .session = s};
    p.results.session = s;
    p.results.request = r;
    p.results.alone = true;
    vv_status status = vv_cli_inputs_find(r, &inputs);
    if (status == VV_OK) status = vv_cli_inputs_open(s, r, &inputs, &p.results.source, &p.variables);
    if (status == VV_OK) status = find_series_dim(&p);
    if (status == VV_OK) status = set_weights(&p);
    if (status == VV_OK) status = vv_cli_words_both(&p.dims, r->weights ? &p.area.dims : &p.dims, &needed);
    if (status == VV_OK)
        status = vv_cli_choose_but(p.results.source, &p.variables, &needed, &p.area.own, decompose, &p);
    if (status == VV_OK) status = vv_cli_results_deliver(&p.results);
    vv_cli_results_free(&p.results);
    vv_cli_area_free(&p.area);
    vv_cli_words_free(&needed);
    vv_cli_words_free(&p.variables);
    vv_cli_words_free(&p.dims);
    vv_cli_inputs_free(&inputs);
    return status;
}
