/* Climate indices: which variables are the daily temperatures and precipitation that they are made of, and the list of all there are. */
#include "cli/choose.h"
#include "cli/format.h"
#include "cli/inputs.h"
#include "cli/results.h"
#include "varve/climate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What daily series are called in files: names in small letters; of CF's standard names and cell methods. */
static const struct called {
    const char *word; /* in --series tx=VAR */
    const char *names[8];
    const char *standard[4], *method;
} called[VV_DAILY_KINDS] = {
    [VV_TX] = {"tx", {"tasmax", "tx", "tmax", "mx2t", "t2m_max", "tmp_max"}, {"air_temperature"}, "maximum"},
    [VV_TN] = {"tn", {"tasmin", "tn", "tmin", "mn2t", "t2m_min", "tmp_min"}, {"air_temperature"}, "minimum"},
    [VV_TG] = {"tg", {"tas", "tg", "tavg", "tmean", "t2m"}, {"air_temperature"}, "mean"},
    [VV_PR] = {"pr",
               {"pr", "rr", "precip", "precipitation", "prcp", "rain", "tp"},
               {"precipitation_flux", "precipitation_amount", "lwe_thickness_of_precipitation_amount",
                "lwe_precipitation_rate"},
               ""},
};

/* A series of a file. */
typedef struct found {
    vv_dataset *in;
    int var;
} found;

typedef struct indices {
    vv_cli_results results;
    const vv_cli_request *r;
    vv_cli_words names, variables; /* asked for: indices; variables */
    vv_dataset **file;             /* of each input word */
    int n_files;
    vv_array *daily[VV_DAILY_KINDS];
    double threshold;
} indices;

/* --- which series a variable is --- */

static bool is_called(const struct called *c, const char *name)
{
    for (int i = 0; i < 8 && c->names[i]; i++)
        if (!strcasecmp(name, c->names[i])) return true;
    return false;
}

static bool is_described(const struct called *c, const vv_dataset *d, int var)
{
    const char *standard = vv_dataset_attr_text(d, var, "standard_name");
    const char *methods = vv_dataset_attr_text(d, var, "cell_methods");
    bool named = false;
    for (int i = 0; i < 4 && c->standard[i] && standard; i++) named = named || !strcmp(standard, c->standard[i]);
    return named && (!*c->method || (methods && strstr(methods, c->method)));
}

static bool usable(const indices *x, const vv_var_info *v)
{
    return v->role == VV_ROLE_DATA && v->decoded != VV_NONE && v->n_dims > 0 &&
           (x->variables.n == 0 || vv_cli_words_has(&x->variables, v->name));
}

/* The variable of a file that is this series: by name, else by what is said of it; -1: none. */
static int find_in(const indices *x, vv_dataset *d, vv_daily kind)
{
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < vv_dataset_n_vars(d); i++) {
            vv_var_info v = vv_dataset_var(d, i);
            if (!usable(x, &v)) continue;
            if (pass == 0 ? is_called(&called[kind], v.name) : is_described(&called[kind], d, i)) return i;
        }
    return -1;
}

/* --series tx=VAR */
static const char *given_series(const indices *x, vv_daily kind)
{
    const vv_cli_words *s = &x->r->series;
    size_t n = strlen(called[kind].word);
    for (int i = 0; i < s->n; i++)
        if (!strncasecmp(s->item[i], called[kind].word, n) && s->item[i][n] == '=') return s->item[i] + n + 1;
    return NULL;
}

static vv_status check_series(const indices *x)
{
    for (int i = 0; i < x->r->series.n; i++) {
        const char *word = x->r->series.item[i];
        bool known = false;
        for (int k = 0; k < VV_DAILY_KINDS; k++) {
            const char *var = given_series(x, (vv_daily)k);
            known = known || (var && *var && var == strchr(word, '=') + 1);
        }
        if (!known) return vv_error(VV_ERR_USAGE, "--series takes tx=VAR, tn=VAR, tg=VAR and pr=VAR, not '%s'", word);
    }
    return VV_OK;
}

/* --- looking for them --- */

/* In which file a series is; *n: in how many. */
static found find_series(const indices *x, vv_daily kind, int *n)
{
    const char *given = given_series(x, kind);
    found out = {NULL, -1};
    *n = 0;
    for (int i = 0; i < x->n_files; i++) {
        int var = -1;
        for (int k = 0; given && k < vv_dataset_n_vars(x->file[i]); k++)
            if (!strcmp(vv_dataset_var(x->file[i], k).name, given)) var = k;
        if (!given) var = find_in(x, x->file[i], kind);
        if (var < 0) continue;
        out = (found){x->file[i], var};
        ++*n;
    }
    return out;
}

static vv_status open_as_one(indices *x, vv_session *s, const vv_cli_words *words)
{
    x->n_files = 1;
    x->file[0] = vv_dataset_open_list(s, (const char *const *)words->item, words->n, x->r->concat);
    return vv_dataset_status(x->file[0]);
}

/* Files are one dataset, unless they have different series: the temperature by day, and that by night. */
static vv_status open_all(indices *x, vv_session *s, const vv_cli_words *words)
{
    x->file = calloc((size_t)words->n + 1, sizeof *x->file);
    if (!x->file) return vv_error(VV_ERR_NOMEM, "no memory for %d inputs", words->n);
    if (words->n == 1 || x->r->concat) return open_as_one(x, s, words);
    for (int i = 0; i < words->n; i++) {
        x->file[x->n_files++] = vv_dataset_open(s, words->item[i]);
        vv_status status = vv_dataset_status(x->file[i]);
        if (status != VV_OK) return status;
    }
    for (int k = 0, n; k < VV_DAILY_KINDS; k++) {
        (void)find_series(x, (vv_daily)k, &n);
        if (n > 1) return open_as_one(x, s, words);
    }
    return VV_OK;
}

/* The only variable that was asked for, where an index has only one series. */
static found only_one(const indices *x)
{
    for (int i = 0; i < x->n_files && x->variables.n == 1; i++)
        for (int k = 0; k < vv_dataset_n_vars(x->file[i]); k++)
            if (!strcmp(vv_dataset_var(x->file[i], k).name, x->variables.item[0])) return (found){x->file[i], k};
    return (found){NULL, -1};
}

static vv_status not_found(const indices *x, const vv_climate_info *index, vv_daily kind)
{
    char names[200] = "";
    const char *given = given_series(x, kind);
    if (given) return vv_error(VV_ERR_NOT_FOUND, "--series %s=%s: there is no such variable", called[kind].word, given);
    for (int i = 0; i < 8 && called[kind].names[i]; i++) {
        if (i) strncat(names, ", ", sizeof names - strlen(names) - 1);
        strncat(names, called[kind].names[i], sizeof names - strlen(names) - 1);
    }
    return vv_error(
        VV_ERR_NOT_FOUND,
        "%s needs %s: none of the variables is called so (%s) or has CF's name for it; --series %s=VAR says "
        "which one it is",
        index->name, vv_daily_name(kind), names, called[kind].word);
}

static vv_status take_series(indices *x, const vv_climate_info *index)
{
    bool single = (index->needs & (index->needs - 1)) == 0;
    for (int k = 0, n; k < VV_DAILY_KINDS; k++) {
        if (x->daily[k] || !(index->needs & 1u << k)) continue;
        found f = find_series(x, (vv_daily)k, &n);
        if (f.var < 0 && single) f = only_one(x);
        if (f.var < 0) return not_found(x, index, (vv_daily)k);
        x->daily[k] = vv_dataset_array(f.in, vv_dataset_var(f.in, f.var).name);
        if (!x->results.source) x->results.source = f.in;
    }
    return VV_OK;
}

/* --- making them --- */

static vv_status find_index(const char *name, vv_climate_info *out)
{
    const char *names[128];
    int n = 0;
    for (; n < 128 && vv_climate_index_at(n, out); n++) {
        if (!strcasecmp(name, out->name)) return VV_OK;
        names[n] = out->name;
    }
    return vv_cli_unknown("climate index", name, names, n);
}

static vv_status add_index(indices *x, const char *name)
{
    vv_climate_info index;
    vv_climate_options o = VV_CLIMATE_OPTIONS_INIT;
    vv_status status = find_index(name, &index);
    if (status == VV_OK && x->r->base && !index.has_base && x->names.n == 1)
        status = vv_error(VV_ERR_USAGE, "%s is no index of percentiles: it has no base period", index.name);
    if (status == VV_OK) status = take_series(x, &index);
    if (status != VV_OK) return status;
    o.frequency = x->r->frequency;
    o.complete = x->r->complete;
    o.base = x->r->base;
    o.method = x->r->definition;
    o.threshold = x->r->threshold ? &x->threshold : NULL;
    return vv_cli_results_add(&x->results, index.name, vv_climate_index(index.name, x->daily, &o));
}

/* The dimension of times, which the periods take the place of. */
static vv_status note_touched(indices *x)
{
    const char *dim;
    const vv_cli_words any = {0};
    vv_status status = vv_cli_time_dim(x->results.source, &any, &dim);
    if (status == VV_OK && !(x->results.touched = strdup(dim)))
        status = vv_error(VV_ERR_NOMEM, "no memory for the dimensions");
    return status;
}

static vv_status make_all(indices *x, vv_session *s, const vv_cli_words *words)
{
    vv_status status = check_series(x);
    if (status == VV_OK) status = open_all(x, s, words);
    for (int i = 0; status == VV_OK && i < x->names.n; i++) status = add_index(x, x->names.item[i]);
    if (status == VV_OK) status = note_touched(x);
    return status == VV_OK ? vv_cli_results_deliver(&x->results) : status;
}

static vv_status read_threshold(indices *x)
{
    char *end;
    if (!x->r->threshold) return VV_OK;
    x->threshold = strtod(x->r->threshold, &end);
    if (end == x->r->threshold || *end || !isfinite(x->threshold))
        return vv_error(VV_ERR_USAGE, "--threshold takes a number, not '%s'", x->r->threshold);
    return x->names.n == 1 ? VV_OK : vv_error(VV_ERR_USAGE, "--threshold is that of one index");
}

static vv_status print_list(void)
{
    vv_climate_info index;
    vv_cli_table t = {0};
    for (int i = 0; vv_climate_index_at(i, &index); i++) {
        vv_cli_table_row(&t);
        vv_cli_table_cell(&t, "%s", index.name);
        vv_cli_table_cell(&t, "%s", index.units ? index.units : "degree");
        vv_cli_table_cell(&t, "%s: %s", index.title, index.definition);
    }
    return vv_cli_table_print(&t, stdout, "lll");
}

vv_status vv_cli_index(vv_session *s, const vv_cli_request *r)
{
    if (r->list) return print_list();
    if (r->inputs.n < 2)
        return vv_error(VV_ERR_USAGE,
                        "index needs the names of indices and a file: varve index SU,FD FILE; 'varve index "
                        "--list' shows all there are");
    indices x = {.r = r, .results = {.session = s, .request = r}};
    vv_cli_inputs inputs;
    vv_status status = vv_cli_inputs_behind(r, 1, &inputs);
    if (status == VV_OK) status = vv_cli_words_split(&x.names, r->inputs.item[0], "indices");
    if (status == VV_OK) status = read_threshold(&x);
    if (status == VV_OK) status = vv_cli_inputs_check(r, &inputs, &x.variables);
    if (status == VV_OK) status = make_all(&x, s, &inputs.words);
    vv_cli_results_free(&x.results);
    vv_cli_words_free(&x.names);
    vv_cli_words_free(&x.variables);
    free(x.file);
    vv_cli_inputs_free(&inputs);
    return status;
}
