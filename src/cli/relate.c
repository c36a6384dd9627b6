/* Two variables beside each other: corr and cov, of one file or of two that are lined up by their coordinates. */
#include "cli/area.h"
#include "cli/choose.h"
#include "cli/inputs.h"
#include "cli/results.h"
#include "varve/analysis.h"
#include "varve/earth.h"
#include "varve/move.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LAGS = 1000 };

typedef struct relation {
    vv_cli_results results;
    const vv_cli_request *r;
    vv_dataset *file[2];
    vv_array *side[2];
    vv_cli_words methods;
    char *dims; /* "time" */
    int n_lags;
    vv_index lag[MOST_LAGS];
    vv_cli_area area;
} relation;

/* --- lags --- */

static vv_status bad_lags(const char *text)
{
    return vv_error(VV_ERR_USAGE,
                    "--lag takes steps, such as 3, -2,0,2 or -12:12 or 0:24:6 (both ends included), not '%s'", text);
}

static vv_status add_one_lag(relation *j, vv_index lag)
{
    for (int i = 0; i < j->n_lags; i++)
        if (j->lag[i] == lag) return VV_OK;
    if (j->n_lags == MOST_LAGS) return vv_error(VV_ERR_USAGE, "--lag names more than %d lags", MOST_LAGS);
    j->lag[j->n_lags++] = lag;
    return VV_OK;
}

/* "-12:12" or "3" */
static vv_status add_lags(relation *j, const char *text)
{
    enum { FARTHEST = 1000000000 };
    long long part[3] = {0, 0, 1};
    int n = 0;
    const char *at = text;
    for (char *end; n < 3; at = end + 1) {
        part[n] = strtoll(at, &end, 10);
        if (end == at || (*end && *end != ':') || llabs(part[n]) > FARTHEST) return bad_lags(text);
        n++;
        if (!*end) break;
        if (n == 3) return bad_lags(text);
    }
    if (n == 1) part[1] = part[0];
    if (part[2] < 1 || part[1] < part[0]) return bad_lags(text);
    vv_status status = VV_OK;
    for (long long lag = part[0]; lag <= part[1] && status == VV_OK; lag += part[2]) status = add_one_lag(j, lag);
    return status;
}

static vv_status read_lags(relation *j)
{
    vv_status status = VV_OK;
    for (int i = 0; i < j->r->lags.n && status == VV_OK; i++) status = add_lags(j, j->r->lags.item[i]);
    return status;
}

/* --- what is written --- */

static vv_status read_pair_methods(relation *j)
{
    static const char *const known[] = {"corr", "cov", "slope", "intercept", "stderr", "t", "p", "n"};
    const vv_cli_words *given = &j->r->methods;
    if (given->n == 0) return vv_cli_words_add(&j->methods, j->r->command.name, strlen(j->r->command.name));
    vv_status status = VV_OK;
    for (int i = 0; i < given->n && status == VV_OK; i++) {
        bool found = false;
        for (size_t k = 0; k < sizeof known / sizeof *known; k++) found = found || !strcmp(known[k], given->item[i]);
        status = found ? vv_cli_words_add(&j->methods, given->item[i], strlen(given->item[i]))
                       : vv_cli_unknown("statistic of pairs", given->item[i], known, sizeof known / sizeof *known);
    }
    return status;
}

/* --- which two --- */

/* The only data variable of a file, or the one that is named. */
static vv_status one_of(vv_dataset *d, const vv_cli_words *named, const char **out)
{
    if (named->n == 1) {
        *out = named->item[0];
        return VV_OK;
    }
    if (named->n > 1) return vv_error(VV_ERR_USAGE, "of two files one variable each: FILE:VAR, not %d", named->n);
    *out = NULL;
    for (int i = 0; i < vv_dataset_n_vars(d); i++) {
        vv_var_info v = vv_dataset_var(d, i);
        if (v.role != VV_ROLE_DATA || v.decoded == VV_NONE || v.n_dims == 0) continue;
        if (*out)
            return vv_error(VV_ERR_USAGE, "%s has several variables, such as %s and %s; say which one is meant: %s:%s",
                            vv_dataset_path(d), *out, v.name, vv_dataset_path(d), v.name);
        *out = v.name;
    }
    return *out ? VV_OK : vv_error(VV_ERR_SHAPE, "%s has no data variable", vv_dataset_path(d));
}

static vv_status no_pair(const vv_cli_request *r)
{
    return vv_error(VV_ERR_USAGE, "%s takes two variables: %s A.nc:VAR B.nc:VAR, or two of one file with -v VAR,VAR",
                    r->command.name, r->command.name);
}

static vv_status take_side(relation *j, int k, const char *name)
{
    if (vv_dataset_find_var(j->file[k], name) < 0) return VV_ERR_NOT_FOUND;
    j->side[k] = vv_dataset_array(j->file[k], name);
    return vv_array_status(j->side[k]);
}

static vv_status of_one_file(vv_session *s, relation *j, const vv_cli_inputs *in)
{
    const vv_cli_words *named = &in->item[0].variables;
    const char *pair[2] = {named->n > 0 ? named->item[0] : NULL, named->n > 1 ? named->item[1] : NULL};
    if (named->n != 2) return no_pair(j->r);
    j->file[0] = j->file[1] = vv_dataset_open(s, in->words.item[0]);
    vv_status status = vv_dataset_status(j->file[0]);
    for (int k = 0; k < 2 && status == VV_OK; k++) status = take_side(j, k, pair[k]);
    return status;
}

/* Of each word the files that it stands for: a pattern is one dataset. */
static vv_status of_two_files(vv_session *s, relation *j, const vv_cli_inputs *in)
{
    vv_status status = VV_OK;
    for (int k = 0; k < 2 && status == VV_OK; k++) {
        const vv_cli_words *named = NULL;
        const char *name = NULL;
        for (int i = 0; i < in->n && !named; i++)
            if (in->item[i].word == k) named = &in->item[i].variables;
        j->file[k] = vv_dataset_open(s, in->words.item[k]);
        status = vv_dataset_status(j->file[k]);
        if (status == VV_OK && named) status = one_of(j->file[k], named, &name);
        if (status == VV_OK && name) status = take_side(j, k, name);
    }
    return status;
}

static vv_status open_sides(vv_session *s, relation *j, const vv_cli_inputs *in)
{
    vv_cli_words all;
    vv_status status = vv_cli_inputs_check(j->r, in, &all);
    vv_cli_words_free(&all);
    if (status != VV_OK) return status;
    if (in->words.n > 2) return no_pair(j->r);
    status = in->words.n == 1 ? of_one_file(s, j, in) : of_two_files(s, j, in);
    j->results.source = j->file[0];
    return status;
}

/* --- lined up --- */

static void say_left_out(const relation *j, const vv_array *whole, const vv_array *part)
{
    for (int d = 0; d < vv_array_n_dims(part) && !j->r->quiet; d++) {
        vv_index had = vv_array_length(whole, d), has = vv_array_length(part, d);
        if (had != has)
            fprintf(stderr, "varve: %lld of %lld positions of '%s' along '%s' are in both\n", (long long)has,
                    (long long)had, vv_array_name(part), vv_array_dim(part, d));
    }
}

static vv_status line_up_sides(relation *j)
{
    vv_array *part[2];
    vv_in_common(j->side[0], j->side[1], &part[0], &part[1]);
    for (int k = 0; k < 2; k++) {
        vv_status status = vv_array_status(part[k]);
        if (status != VV_OK) return status;
        say_left_out(j, j->side[k], part[k]);
        j->side[k] = part[k];
    }
    return VV_OK;
}

static bool side_has_dim(const vv_array *a, const char *name)
{
    for (int d = 0; d < vv_array_n_dims(a); d++)
        if (!strcmp(vv_array_dim(a, d), name)) return true;
    return false;
}

/* -d, or the time. All are dimensions of one of both. */
static vv_status find_pair_dims(relation *j)
{
    const vv_cli_words *given = &j->r->dims;
    vv_cli_words none = {0};
    const char *time = NULL;
    for (int i = 0; i < given->n; i++)
        if (!side_has_dim(j->side[0], given->item[i]))
            return vv_error(VV_ERR_SHAPE, "%s: variable '%s' has no dimension '%s'", vv_dataset_path(j->file[0]),
                            vv_array_name(j->side[0]), given->item[i]);
    if (given->n > 0) {
        j->dims = vv_cli_words_join(given);
    } else {
        vv_status status = vv_cli_time_dim(j->file[0], &none, &time);
        if (status != VV_OK) return status;
        j->dims = strdup(time);
    }
    return j->dims ? VV_OK : vv_error(VV_ERR_NOMEM, "no memory for the dimensions");
}

/* Of pairs: cos(lat), areas, a variable or an expression. */
static vv_array *weights_of(const relation *j)
{
    if (j->area.cells) return vv_area(j->side[0]);
    return j->area.weights ? vv_align(j->area.weights, j->side[0]) : NULL;
}

/* --- the commands --- */

static vv_status add_relations(relation *j)
{
    const char *names[2] = {vv_array_name(j->side[0]), vv_array_name(j->side[1])};
    vv_pair_options o = VV_PAIR_OPTIONS_INIT;
    vv_status status = VV_OK;
    o.ddof = j->r->pair_ddof;
    o.lag = j->lag;
    o.n_lags = j->n_lags;
    o.weights = weights_of(j);
    j->side[0] = vv_cli_area_masked(&j->area, j->side[0]);
    for (int i = 0; i < j->methods.n && status == VV_OK; i++) {
        const char *what = j->methods.item[i];
        char name[600];
        snprintf(name, sizeof name, "%.250s_%.250s_%s", names[0], names[1], what);
        status = vv_cli_results_add(&j->results, name, vv_pairs(j->side[0], j->side[1], what, j->dims, &o));
    }
    return status;
}

vv_status vv_cli_relate(vv_session *s, const vv_cli_request *r)
{
    vv_cli_inputs inputs;
    relation *j = calloc(1, sizeof *j);
    if (!j) return vv_error(VV_ERR_NOMEM, "no memory for %s", r->command.name);
    j->r = j->results.request = r;
    j->results.session = s;
    j->results.alone = true;
    vv_status status = vv_cli_inputs_find(r, &inputs);
    if (status == VV_OK) status = read_pair_methods(j);
    if (status == VV_OK) status = read_lags(j);
    if (status == VV_OK) status = open_sides(s, j, &inputs);
    if (status == VV_OK) status = line_up_sides(j);
    if (status == VV_OK) status = find_pair_dims(j);
    if (status == VV_OK) status = vv_cli_area_open(s, r, j->file[0], &j->area);
    if (status == VV_OK) status = add_relations(j);
    if (status == VV_OK) status = vv_cli_results_deliver(&j->results);
    vv_cli_results_free(&j->results);
    vv_cli_area_free(&j->area);
    vv_cli_words_free(&j->methods);
    vv_cli_inputs_free(&inputs);
    free(j->dims);
    free(j);
    return status;
}
