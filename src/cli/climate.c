/* What climatologists do along the time: climatologies, anomalies, means of periods, running means. */
#include "cli/area.h"
#include "cli/choose.h"
#include "cli/inputs.h"
#include "cli/results.h"
#include "cli/when.h"
#include "varve/analysis.h"
#include "varve/move.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct climate {
    vv_cli_results results;
    const vv_cli_request *r;
    vv_cli_words variables; /* that were asked for; none: those that suit */
    vv_cli_words methods;
    vv_cli_words dims; /* of -d, else the time */
    const char *along; /* the one that is grouped, or walked along */
    char *over;        /* all of them: "time,lat" */
    char *group;       /* "time.month" */
    vv_dataset *reference;
    const double *quantile; /* of -q; NULL: other commands */
    vv_cli_area area;
    vv_array *(*make)(const struct climate *c, vv_array *a, const char *name, const char *how);
} climate;

static vv_array *reduced_to(const climate *c, vv_array *a, const char *name, const char *how, bool keep_dims)
{
    vv_reduce_options o = VV_REDUCE_OPTIONS_INIT;
    o.keep_nan = !c->r->skipna;
    o.keep_dims = keep_dims;
    o.ddof = c->r->ddof;
    o.least = c->r->least;
    return vv_cli_area_reduced(&c->area, a, vv_dataset_array(c->results.source, name), how, c->over, &o);
}

static vv_array *reduced(const climate *c, vv_array *a, const char *name, const char *how)
{
    return reduced_to(c, a, name, how, c->r->keepdims);
}

/* --- climatologies --- */

/* A cycle of groups, as the request wants it smoothed. */
static vv_array *smoothed(const climate *c, vv_array *groups)
{
    vv_array *made = groups;
    if (c->r->smooth > 0) made = vv_circular_mean(made, c->r->group, c->r->smooth);
    if (c->r->harmonics > 0) made = vv_harmonics(made, c->r->group, c->r->harmonics);
    return made;
}

/* Years do not go round, and hours of months are two cycles. */
static vv_status check_smoothing(const vv_cli_request *r)
{
    static const char *const cycles[] = {"dayofyear", "month", "season", "hour", "weekday"};
    const char *option = r->smooth > 0 ? "smooth" : "harmonics";
    if (r->smooth == 0 && r->harmonics == 0) return VV_OK;
    for (size_t i = 0; r->group && i < sizeof cycles / sizeof *cycles; i++)
        if (!strcmp(r->group, cycles[i])) return VV_OK;
    return vv_error(VV_ERR_USAGE,
                    "--%s goes round a cycle of groups: it needs -g dayofyear, month, season, hour or weekday%s%s",
                    option, r->group ? ", not " : "", r->group ? r->group : "");
}

static vv_array *climatology(const climate *c, vv_array *a, const char *name, const char *how)
{
    vv_array *made = smoothed(c, reduced(c, vv_group(a, c->group), name, how));
    return strchr(c->r->group, '+') ? vv_split_pairs(made) : made;
}

/* --- anomalies --- */

/* A period of --reference, or all. */
static vv_array *reference_part(const climate *c, vv_array *a)
{
    return c->r->reference && !c->reference ? vv_select(a, c->along, c->r->reference) : a;
}

static vv_array *grouped(const climate *c, vv_array *a)
{
    return c->group ? vv_group(a, c->group) : a;
}

static vv_array *anomaly(const climate *c, vv_array *a, const char *name, const char *how)
{
    (void)how;
    vv_array *all = grouped(c, a);
    if (c->reference) return vv_describe_as(vv_sub(all, vv_align(vv_dataset_array(c->reference, name), a)), a);
    vv_array *part = grouped(c, reference_part(c, a));
    vv_array *deviation =
        vv_sub(all, smoothed(c, reduced_to(c, part, name, "mean", false))); /* the shape stays in any case */
    if (!c->r->standardize) return vv_describe_as(deviation, a);
    vv_array *spreads = vv_divide(deviation, reduced_to(c, part, name, "std", false));
    return vv_with_attribute(vv_describe_as(spreads, a), "units", "1");
}

/* --- periods and windows --- */

static vv_array *resampled(const climate *c, vv_array *a, const char *name, const char *how)
{
    return reduced(c, vv_resample(a, c->along, c->r->frequency, c->r->complete), name, how);
}

static vv_array *rolled(const climate *c, vv_array *a, const char *name, const char *how)
{
    (void)name;
    char window[300];
    vv_window_options o = VV_WINDOW_OPTIONS_INIT;
    o.centered = c->r->center;
    o.keep_nan = !c->r->skipna;
    o.ddof = c->r->ddof;
    o.min_count = c->r->min_periods;
    snprintf(window, sizeof window, "%s:%d", c->along, c->r->window);
    return vv_describe_as(vv_window(a, how, window, &o), a);
}

/* --- quantiles by group --- */

static vv_array *group_quantiles(const climate *c, vv_array *a, const char *name, const char *how)
{
    (void)name, (void)how;
    vv_quantile_options o = VV_QUANTILE_OPTIONS_INIT;
    o.method = c->r->definition;
    o.keep_nan = !c->r->skipna;
    o.keep_dims = c->r->keepdims;
    o.window = c->r->window;
    vv_array *all = c->group ? vv_group(a, c->group) : vv_resample(a, c->along, c->r->frequency, c->r->complete);
    int n = c->r->quantiles.n;
    vv_array *made =
        n == 1 ? vv_quantile(all, c->quantile[0], c->over, &o) : vv_quantiles(all, c->quantile, n, c->over, &o);
    return c->group && strchr(c->r->group, '+') ? vv_split_pairs(made) : made;
}

/* --- what they share --- */

static vv_status do_variable(void *context, const vv_var_info *v)
{
    climate *c = context;
    vv_array *masked = vv_cli_area_masked(&c->area, vv_dataset_array(c->results.source, v->name));
    vv_array *a = vv_cli_when(c->results.session, c->r, masked);
    vv_status status = vv_array_status(a);
    for (int i = 0; status == VV_OK && i < c->methods.n; i++) {
        const char *how = c->methods.item[i];
        status =
            vv_cli_results_add_as(&c->results, v->name, c->methods.n > 1 ? how : NULL, c->make(c, a, v->name, how));
    }
    return status;
}

/* Windows go along any one dimension; all else along the time. */
static vv_status find_along(climate *c)
{
    const vv_cli_words *given = &c->r->dims;
    if (c->make != rolled || given->n == 0) return vv_cli_time_dim(c->results.source, given, &c->along);
    if (given->n > 1) return vv_error(VV_ERR_USAGE, "rolling moves along one dimension, -d names %d", given->n);
    c->along = given->item[0];
    return VV_OK;
}

static vv_status find_dims(climate *c)
{
    const vv_cli_words *given = &c->r->dims;
    vv_status status = vv_cli_check_dims(c->results.source, given);
    if (status == VV_OK) status = find_along(c);
    if (status == VV_OK && given->n == 0) status = vv_cli_words_add(&c->dims, c->along, strlen(c->along));
    for (int i = 0; status == VV_OK && i < given->n; i++)
        status = vv_cli_words_add(&c->dims, given->item[i], strlen(given->item[i]));
    if (status != VV_OK) return status;
    c->over = vv_cli_words_join(&c->dims);
    if (c->r->group && asprintf(&c->group, "%s.%s", c->along, c->r->group) < 0) c->group = NULL;
    if (!c->over || (c->r->group && !c->group)) return vv_error(VV_ERR_NOMEM, "no memory for the dimensions");
    return VV_OK;
}

/* Dates are digits and signs. */
static bool is_period(const char *text)
{
    return *text && !text[strspn(text, "0123456789-:T #")];
}

/* --reference is a file, if there is one of this name; else a period. */
static vv_status open_reference(climate *c, vv_session *s)
{
    const char *given = c->r->reference;
    if (!given) return VV_OK;
    if (access(given, F_OK) != 0)
        return is_period(given)
                   ? VV_OK
                   : vv_error(VV_ERR_USAGE, "--reference %s is neither a file nor a period such as 1981:2010", given);
    c->reference = vv_dataset_open(s, given);
    if (c->r->standardize)
        return vv_error(VV_ERR_USAGE,
                        "--standardize divides by the spread within the reference, which %s does not tell; give the "
                        "reference as a period, such as --reference 1981:2010",
                        given);
    return vv_dataset_status(c->reference);
}

static vv_status set_methods(climate *c)
{
    for (int i = 0; i < c->r->methods.n; i++) {
        const char *name = c->r->methods.item[i];
        vv_status status = vv_cli_check_method(name);
        if (status == VV_OK) status = vv_cli_words_add(&c->methods, name, strlen(name));
        if (status != VV_OK) return status;
    }
    return c->methods.n > 0 ? VV_OK : vv_cli_words_add(&c->methods, "mean", 4);
}

static vv_status run_climate(vv_session *s, const vv_cli_request *r, climate *c, bool reduces)
{
    vv_cli_inputs inputs;
    vv_cli_words needed = {0};
    c->r = r;
    c->results.session = s;
    c->results.request = r;
    vv_status status = vv_cli_inputs_find(r, &inputs);
    if (status == VV_OK) status = check_smoothing(r);
    if (status == VV_OK) status = set_methods(c);
    if (status == VV_OK) status = vv_cli_inputs_open(s, r, &inputs, &c->results.source, &c->variables);
    if (status == VV_OK) status = find_dims(c);
    if (status == VV_OK) status = open_reference(c, s);
    if (status == VV_OK) status = vv_cli_area_open(s, r, c->results.source, &c->area);
    if (status == VV_OK) status = vv_cli_words_both(&c->dims, &c->area.dims, &needed);
    if (status == VV_OK)
        status = vv_cli_choose_but(c->results.source, &c->variables, &needed, &c->area.own, do_variable, c);
    if (status == VV_OK && reduces && !(c->results.touched = strdup(c->over)))
        status = vv_error(VV_ERR_NOMEM, "no memory for the dimensions");
    if (status == VV_OK) status = vv_cli_results_deliver(&c->results);
    vv_cli_results_free(&c->results);
    vv_cli_area_free(&c->area);
    vv_cli_words_free(&needed);
    vv_cli_words_free(&c->variables);
    vv_cli_words_free(&c->methods);
    vv_cli_words_free(&c->dims);
    free(c->over);
    free(c->group);
    vv_cli_inputs_free(&inputs);
    return status;
}

/* --- the commands --- */

vv_status vv_cli_clim(vv_session *s, const vv_cli_request *r)
{
    climate c = {.make = climatology};
    if (!r->group)
        return vv_error(VV_ERR_USAGE, "clim needs -g GROUP, such as -g month; 'varve clim --help' tells more");
    return run_climate(s, r, &c, true);
}

vv_status vv_cli_anom(vv_session *s, const vv_cli_request *r)
{
    climate c = {.make = anomaly};
    return run_climate(s, r, &c, false);
}

vv_status vv_cli_resample(vv_session *s, const vv_cli_request *r)
{
    climate c = {.make = resampled};
    if (!r->frequency)
        return vv_error(VV_ERR_USAGE, "resample needs -f FREQUENCY, such as -f 1D; 'varve resample --help' tells more");
    return run_climate(s, r, &c, true);
}

vv_status vv_cli_group_quantiles(vv_session *s, const vv_cli_request *r, const double q[])
{
    climate c = {.make = group_quantiles, .quantile = q};
    if (r->group && r->frequency) return vv_error(VV_ERR_USAGE, "groups (-g) or periods (-f), not both");
    if (r->weights || r->by || r->stack)
        return vv_error(VV_ERR_UNSUPPORTED, "quantiles of groups or periods (%s) take a mask, but no --%s",
                        r->group ? "-g" : "-f",
                        r->weights ? "weights"
                        : r->by    ? "by"
                                   : "stack");
    return run_climate(s, r, &c, true);
}

vv_status vv_cli_rolling(vv_session *s, const vv_cli_request *r)
{
    climate c = {.make = rolled};
    if (r->window == 0)
        return vv_error(VV_ERR_USAGE, "rolling needs -w LENGTH, such as -w 30; 'varve rolling --help' tells more");
    return run_climate(s, r, &c, false);
}
