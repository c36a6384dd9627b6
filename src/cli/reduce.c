/* The reductions, one at a time or several in one pass: which variables, which dimensions, what the results are called. */
#include "cli/area.h"
#include "cli/choose.h"
#include "cli/inputs.h"
#include "cli/members.h"
#include "cli/results.h"
#include "cli/when.h"

#include <stdlib.h>
#include <string.h>

typedef struct job {
    vv_cli_results results;
    const vv_cli_request *r;
    vv_cli_members members;
    vv_cli_area area;
    vv_cli_words variables;      /* that were asked for; none: those that suit */
    const vv_cli_words *methods; /* NULL: quantiles */
    const double *quantile;
    bool suffix;      /* results are called VAR_METHOD */
    char *dims;       /* "time,lat"; NULL: all */
    vv_cli_words all; /* dimensions of the chosen variables */
    vv_cli_words own; /* dimensions of -d that the files have */
} job;

/* --- one variable --- */

static vv_status note_dims(job *j, const vv_var_info *v)
{
    vv_status status = VV_OK;
    for (int i = 0; status == VV_OK && i < v->n_dims; i++) {
        const char *dim = vv_dataset_dim(j->results.source, v->dim[i]).name;
        if (!vv_cli_words_has(&j->all, dim)) status = vv_cli_words_add(&j->all, dim, strlen(dim));
    }
    return status;
}

static vv_array *quantiles(const job *j, vv_array *a, vv_array *of)
{
    vv_quantile_options options = VV_QUANTILE_OPTIONS_INIT;
    options.method = j->r->definition;
    options.keep_nan = !j->r->skipna;
    options.keep_dims = j->r->keepdims;
    return vv_cli_area_quantiles(&j->area, a, of, j->quantile, j->r->quantiles.n, j->dims, &options);
}

static vv_status reduce_variable(void *context, const vv_var_info *v)
{
    job *j = context;
    vv_reduce_options options = VV_REDUCE_OPTIONS_INIT;
    options.keep_nan = !j->r->skipna;
    options.keep_dims = j->r->keepdims;
    options.ddof = j->r->ddof;
    options.least = j->r->least;
    vv_array *of = vv_cli_members_array(&j->members, j->results.source, v->name);
    vv_array *a = vv_cli_when(j->results.session, j->r, vv_cli_area_masked(&j->area, of));
    vv_status status = note_dims(j, v);
    if (!j->methods) return status == VV_OK ? vv_cli_results_add(&j->results, v->name, quantiles(j, a, of)) : status;
    for (int i = 0; status == VV_OK && i < j->methods->n; i++) {
        const char *how = j->methods->item[i];
        vv_array *made = vv_cli_area_reduced(&j->area, a, of, how, j->dims, &options);
        status = vv_cli_results_add_as(&j->results, v->name, j->suffix ? how : NULL, made);
    }
    return status;
}

/* What is reduced away: the dimensions of -d, or of labels, or all of every chosen variable. */
static vv_status note_touched(job *j)
{
    j->results.touched = vv_cli_words_join(j->dims ? &j->own : j->area.by ? &j->area.dims : &j->all);
    return j->results.touched ? VV_OK : vv_error(VV_ERR_NOMEM, "no memory for the dimensions");
}

/* --- the commands --- */

static vv_status reduce_all(job *j)
{
    vv_cli_words needed = {0};
    vv_status status = vv_cli_members_dims(&j->members, &j->r->dims, &j->own);
    if (status == VV_OK) status = vv_cli_check_dims(j->results.source, &j->own);
    if (status == VV_OK && j->r->dims.n > 0 && !(j->dims = vv_cli_words_join(&j->r->dims)))
        status = vv_error(VV_ERR_NOMEM, "no memory for the dimensions");
    if (status == VV_OK) status = vv_cli_area_open(j->results.session, j->r, j->results.source, &j->area);
    if (status == VV_OK) status = vv_cli_words_both(&j->own, &j->area.dims, &needed);
    if (status == VV_OK)
        status = vv_cli_choose_but(j->results.source, &j->variables, &needed, &j->area.own, reduce_variable, j);
    vv_cli_words_free(&needed);
    if (status == VV_OK) status = note_touched(j);
    return status == VV_OK ? vv_cli_results_deliver(&j->results) : status;
}

static vv_status read_quantiles(const vv_cli_words *q, double **out)
{
    double *x = *out = calloc((size_t)q->n, sizeof *x);
    if (!x) return vv_error(VV_ERR_NOMEM, "no memory for %d quantiles", q->n);
    for (int i = 0; i < q->n; i++) {
        char *end;
        x[i] = strtod(q->item[i], &end);
        if (end == q->item[i] || *end || !(x[i] >= 0 && x[i] <= 1))
            return vv_error(VV_ERR_USAGE, "--quantile takes numbers from 0 to 1, not '%s'%s", q->item[i],
                            x[i] > 1 && x[i] <= 100 ? "; the 95th percentile is -q 0.95" : "");
    }
    return VV_OK;
}

static vv_status reduce_with(vv_session *s, const vv_cli_request *r, const vv_cli_words *methods, bool suffix,
                             const double quantile[])
{
    vv_cli_inputs inputs;
    vv_status status = vv_cli_inputs_find(r, &inputs);
    if (status == VV_OK) {
        job j = {.r = r, .methods = methods, .suffix = suffix, .quantile = quantile};
        j.results.session = s;
        j.results.request = r;
        status = vv_cli_members_open(s, r, &inputs, &j.members, &j.results.source, &j.variables);
        if (status == VV_OK) status = reduce_all(&j);
        vv_cli_results_free(&j.results);
        vv_cli_words_free(&j.variables);
        vv_cli_words_free(&j.all);
        vv_cli_words_free(&j.own);
        vv_cli_area_free(&j.area);
        vv_cli_members_free(&j.members);
        free(j.dims);
    }
    vv_cli_inputs_free(&inputs);
    return status;
}

vv_status vv_cli_reduction(vv_session *s, const vv_cli_request *r)
{
    vv_cli_words one = {0};
    vv_status status = vv_cli_words_add(&one, r->command.name, strlen(r->command.name));
    if (status == VV_OK) status = reduce_with(s, r, &one, false, NULL);
    vv_cli_words_free(&one);
    return status;
}

vv_status vv_cli_check_method(const char *name)
{
    const char *names[256];
    int n = 0;
    for (; n < 256 && (names[n] = vv_reduction_name(n)); n++)
        if (!strcmp(names[n], name)) return VV_OK;
    return vv_cli_unknown("reduction", name, names, n);
}

vv_status vv_cli_reduce(vv_session *s, const vv_cli_request *r)
{
    if (r->methods.n == 0)
        return vv_error(VV_ERR_USAGE, "reduce needs -m NAME,... such as -m mean,std; 'varve reduce --help' tells more");
    for (int i = 0; i < r->methods.n; i++) {
        vv_status status = vv_cli_check_method(r->methods.item[i]);
        if (status != VV_OK) return status;
    }
    return reduce_with(s, r, &r->methods, true, NULL);
}

vv_status vv_cli_quantile(vv_session *s, const vv_cli_request *r)
{
    if (r->quantiles.n == 0)
        return vv_error(VV_ERR_USAGE, "quantile needs -q Q,... such as -q 0.95; 'varve quantile --help' tells more");
    if (!r->group && (r->window || r->complete) && !r->frequency)
        return vv_error(VV_ERR_USAGE, "%s is for groups, such as -g dayofyear, or periods, such as -f 1M",
                        r->window ? "--window" : "--complete");
    double *q;
    vv_status status = read_quantiles(&r->quantiles, &q);
    if (status == VV_OK)
        status = r->group || r->frequency ? vv_cli_group_quantiles(s, r, q) : reduce_with(s, r, NULL, false, q);
    free(q);
    return status;
}

vv_status vv_cli_graph(vv_session *s, const vv_cli_request *r)
{
    (void)s;
    (void)r;
    return vv_error(VV_ERR_USAGE, "graph needs a command to draw, such as 'varve graph mean -d time FILE'");
}

vv_status vv_cli_explain(vv_session *s, const vv_cli_request *r)
{
    (void)s;
    (void)r;
    return vv_error(VV_ERR_USAGE, "explain needs a command to explain, such as 'varve explain mean -d time FILE'");
}
