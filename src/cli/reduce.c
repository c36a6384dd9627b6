/* The reductions, one at a time or several in one pass: which variables, which dimensions, what the results are called. */
#include "cli/inputs.h"
#include "cli/results.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct job {
    vv_cli_results results;
    const vv_cli_request *r;
    vv_cli_words variables;      /* that were asked for; none: those that suit */
    const vv_cli_words *methods; /* NULL: quantiles */
    double *quantile;
    bool suffix;      /* results are called VAR_METHOD */
    char *dims;       /* "time,lat"; NULL: all */
    vv_cli_words all; /* dimensions of the chosen variables */
} job;

/* --- which variables --- */

static bool has_dim(const vv_dataset *d, const vv_var_info *v, const char *name)
{
    for (int i = 0; i < v->n_dims; i++)
        if (!strcmp(vv_dataset_dim(d, v->dim[i]).name, name)) return true;
    return false;
}

/* The first wanted dimension that the variable does not have, NULL when it has all. */
static const char *missing_dim(const job *j, const vv_var_info *v)
{
    for (int i = 0; i < j->r->dims.n; i++)
        if (!has_dim(j->results.source, v, j->r->dims.item[i])) return j->r->dims.item[i];
    return NULL;
}

static vv_status note_dims(job *j, const vv_var_info *v)
{
    vv_status status = VV_OK;
    for (int i = 0; status == VV_OK && i < v->n_dims; i++) {
        const char *dim = vv_dataset_dim(j->results.source, v->dim[i]).name;
        if (!vv_cli_words_has(&j->all, dim)) status = vv_cli_words_add(&j->all, dim, strlen(dim));
    }
    return status;
}

static vv_array *quantiles(const job *j, vv_array *a)
{
    vv_quantile_options options = VV_QUANTILE_OPTIONS_INIT;
    options.method = j->r->definition;
    options.keep_nan = !j->r->skipna;
    options.keep_dims = j->r->keepdims;
    if (j->r->quantiles.n == 1) return vv_quantile(a, j->quantile[0], j->dims, &options);
    return vv_quantiles(a, j->quantile, j->r->quantiles.n, j->dims, &options);
}

static vv_status reduce_variable(job *j, const vv_var_info *v)
{
    vv_reduce_options options = VV_REDUCE_OPTIONS_INIT;
    options.keep_nan = !j->r->skipna;
    options.keep_dims = j->r->keepdims;
    options.ddof = j->r->ddof;
    vv_array *a = vv_dataset_array(j->results.source, v->name);
    vv_status status = note_dims(j, v);
    if (!j->methods) return status == VV_OK ? vv_cli_results_add(&j->results, v->name, quantiles(j, a)) : status;
    for (int i = 0; status == VV_OK && i < j->methods->n; i++) {
        const char *how = j->methods->item[i];
        char *name = NULL;
        if (asprintf(&name, "%s%s%s", v->name, j->suffix ? "_" : "", j->suffix ? how : "") < 0)
            return vv_error(VV_ERR_NOMEM, "no memory for the name of a result");
        status = vv_cli_results_add(&j->results, name, vv_reduce(a, how, j->dims, &options));
        free(name);
    }
    return status;
}

static vv_status reduce_named(job *j, const char *name)
{
    const vv_dataset *d = j->results.source;
    int var = vv_dataset_find_var(d, name);
    if (var < 0) return VV_ERR_NOT_FOUND;
    vv_var_info v = vv_dataset_var(d, var);
    if (v.decoded == VV_NONE)
        return vv_error(VV_ERR_TYPE, "%s: variable '%s' is of type %s, which cannot be reduced", vv_dataset_path(d),
                        name, v.type_text);
    const char *missing = missing_dim(j, &v);
    if (missing)
        return vv_error(VV_ERR_SHAPE, "%s: variable '%s' has no dimension '%s'", vv_dataset_path(d), name, missing);
    return reduce_variable(j, &v);
}

/* Data that has the wanted dimensions; when none are named, data that has any. */
static bool suits(const job *j, const vv_var_info *v)
{
    return v->role == VV_ROLE_DATA && v->decoded != VV_NONE && v->n_dims > 0 && !missing_dim(j, v);
}

static vv_status reduce_suitable(job *j)
{
    const vv_dataset *d = j->results.source;
    vv_status status = VV_OK;
    for (int i = 0; status == VV_OK && i < vv_dataset_n_vars(d); i++) {
        vv_var_info v = vv_dataset_var(d, i);
        if (suits(j, &v)) status = reduce_variable(j, &v);
    }
    if (status != VV_OK || j->results.n > 0) return status;
    if (!j->dims)
        return vv_error(VV_ERR_SHAPE, "%s has no data variable with dimensions to reduce", vv_dataset_path(d));
    return vv_error(VV_ERR_SHAPE, "%s has no data variable with %s %s; 'varve info' shows what it has",
                    vv_dataset_path(d), j->r->dims.n == 1 ? "dimension" : "all of the dimensions", j->dims);
}

/* --- which dimensions --- */

static vv_status check_dims(job *j)
{
    for (int i = 0; i < j->r->dims.n; i++)
        if (vv_dataset_find_dim(j->results.source, j->r->dims.item[i]) < 0) return VV_ERR_NOT_FOUND;
    if (j->r->dims.n > 0 && !(j->dims = vv_cli_words_join(&j->r->dims)))
        return vv_error(VV_ERR_NOMEM, "no memory for the dimensions");
    return VV_OK;
}

/* What is reduced away: the dimensions of -d, or all of every chosen variable. */
static vv_status note_touched(job *j)
{
    j->results.touched = vv_cli_words_join(j->dims ? &j->r->dims : &j->all);
    return j->results.touched ? VV_OK : vv_error(VV_ERR_NOMEM, "no memory for the dimensions");
}

/* --- the commands --- */

static vv_status reduce_all(job *j)
{
    vv_status status = check_dims(j);
    if (status != VV_OK) return status;
    if (j->variables.n == 0) status = reduce_suitable(j);
    for (int i = 0; status == VV_OK && i < j->variables.n; i++) status = reduce_named(j, j->variables.item[i]);
    if (status == VV_OK) status = note_touched(j);
    return status == VV_OK ? vv_cli_results_deliver(&j->results) : status;
}

static vv_status read_quantiles(job *j)
{
    const vv_cli_words *q = &j->r->quantiles;
    if (j->methods) return VV_OK;
    j->quantile = calloc((size_t)q->n, sizeof *j->quantile);
    if (!j->quantile) return vv_error(VV_ERR_NOMEM, "no memory for %d quantiles", q->n);
    for (int i = 0; i < q->n; i++) {
        char *end;
        j->quantile[i] = strtod(q->item[i], &end);
        if (end == q->item[i] || *end || !(j->quantile[i] >= 0 && j->quantile[i] <= 1))
            return vv_error(VV_ERR_USAGE, "--quantile takes numbers from 0 to 1, not '%s'", q->item[i]);
    }
    return VV_OK;
}

static vv_status reduce_with(vv_session *s, const vv_cli_request *r, const vv_cli_words *methods, bool suffix)
{
    vv_cli_inputs inputs;
    vv_status status = vv_cli_inputs_find(r, &inputs);
    if (status == VV_OK) {
        job j = {.r = r, .methods = methods, .suffix = suffix};
        j.results.session = s;
        j.results.request = r;
        status = read_quantiles(&j);
        if (status == VV_OK) status = vv_cli_inputs_open(s, r, &inputs, &j.results.source, &j.variables);
        if (status == VV_OK) status = reduce_all(&j);
        vv_cli_results_free(&j.results);
        vv_cli_words_free(&j.variables);
        vv_cli_words_free(&j.all);
        free(j.dims);
        free(j.quantile);
    }
    vv_cli_inputs_free(&inputs);
    return status;
}

vv_status vv_cli_reduction(vv_session *s, const vv_cli_request *r)
{
    vv_cli_words one = {0};
    vv_status status = vv_cli_words_add(&one, r->command.name, strlen(r->command.name));
    if (status == VV_OK) status = reduce_with(s, r, &one, false);
    vv_cli_words_free(&one);
    return status;
}

static vv_status check_method(const char *name)
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
        vv_status status = check_method(r->methods.item[i]);
        if (status != VV_OK) return status;
    }
    return reduce_with(s, r, &r->methods, true);
}

vv_status vv_cli_quantile(vv_session *s, const vv_cli_request *r)
{
    if (r->quantiles.n == 0)
        return vv_error(VV_ERR_USAGE, "quantile needs -q Q,... such as -q 0.95; 'varve quantile --help' tells more");
    return reduce_with(s, r, NULL, false);
}

vv_status vv_cli_explain(vv_session *s, const vv_cli_request *r)
{
    (void)s;
    (void)r;
    return vv_error(VV_ERR_USAGE, "explain needs a command to explain, such as 'varve explain mean -d time FILE'");
}
