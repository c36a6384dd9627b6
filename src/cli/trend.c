/* Lines by least squares along the time: trend, and detrend, which takes them away. */
#include "cli/choose.h"
#include "cli/inputs.h"
#include "cli/results.h"
#include "varve/analysis.h"

#include <stdlib.h>
#include <string.h>

typedef struct lines {
    vv_cli_results results;
    const vv_cli_request *r;
    vv_cli_words variables, methods, dims; /* dims: the one along which lines go */
    bool removes;
} lines;

static vv_status do_line(void *context, const vv_var_info *v)
{
    lines *j = context;
    const char *dim = j->dims.item[0];
    vv_array *a = vv_dataset_array(j->results.source, v->name);
    vv_trend_options o = {.per = j->r->per, .adjust = j->r->adjust};
    vv_status status = vv_array_status(a);
    if (status == VV_OK && j->removes) return vv_cli_results_add(&j->results, v->name, vv_detrend(a, dim, &o));
    for (int i = 0; status == VV_OK && i < j->methods.n; i++) {
        const char *what = j->methods.item[i];
        status = vv_cli_results_add_as(&j->results, v->name, what, vv_trend(a, dim, what, &o));
    }
    return status;
}

/* The time, unless -d says another one. */
static vv_status find_line_dim(lines *j)
{
    const vv_cli_words *given = &j->r->dims;
    const char *dim = NULL;
    if (given->n > 1)
        return vv_error(VV_ERR_USAGE, "%s goes along one dimension, -d names %d", j->r->command.name, given->n);
    vv_status status = vv_cli_check_dims(j->results.source, given);
    if (status == VV_OK && given->n == 1) dim = given->item[0];
    if (status == VV_OK && given->n == 0) status = vv_cli_time_dim(j->results.source, given, &dim);
    return status == VV_OK ? vv_cli_words_add(&j->dims, dim, strlen(dim)) : status;
}

static vv_status find_line_methods(lines *j)
{
    static const char *const known[] = {"slope", "intercept", "stderr", "t", "p", "corr", "n"};
    const vv_cli_words *given = &j->r->methods;
    if (j->removes) return VV_OK;
    if (given->n == 0) return vv_cli_words_split(&j->methods, "slope,intercept,stderr,p", "trend");
    vv_status status = VV_OK;
    for (int i = 0; i < given->n && status == VV_OK; i++) {
        bool found = false;
        for (size_t k = 0; k < sizeof known / sizeof *known; k++) found = found || !strcmp(known[k], given->item[i]);
        status = found ? vv_cli_words_add(&j->methods, given->item[i], strlen(given->item[i]))
                       : vv_cli_unknown("statistic of a trend", given->item[i], known, sizeof known / sizeof *known);
    }
    return status;
}

static vv_status run_lines(vv_session *s, const vv_cli_request *r, bool removes)
{
    vv_cli_inputs inputs;
    lines j = {.r = r, .removes = removes};
    j.results.session = s;
    j.results.request = r;
    vv_status status = vv_cli_inputs_find(r, &inputs);
    if (status == VV_OK) status = find_line_methods(&j);
    if (status == VV_OK) status = vv_cli_inputs_open(s, r, &inputs, &j.results.source, &j.variables);
    if (status == VV_OK) status = find_line_dim(&j);
    if (status == VV_OK) status = vv_cli_choose(j.results.source, &j.variables, &j.dims, do_line, &j);
    if (status == VV_OK && !removes && !(j.results.touched = vv_cli_words_join(&j.dims)))
        status = vv_error(VV_ERR_NOMEM, "no memory for the dimensions");
    if (status == VV_OK) status = vv_cli_results_deliver(&j.results);
    vv_cli_results_free(&j.results);
    vv_cli_words_free(&j.variables);
    vv_cli_words_free(&j.methods);
    vv_cli_words_free(&j.dims);
    vv_cli_inputs_free(&inputs);
    return status;
}

vv_status vv_cli_trend(vv_session *s, const vv_cli_request *r)
{
    return run_lines(s, r, false);
}

vv_status vv_cli_detrend(vv_session *s, const vv_cli_request *r)
{
    return run_lines(s, r, true);
}
