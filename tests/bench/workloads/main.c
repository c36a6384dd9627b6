/* Runs workloads on Varve and tells what they took.
 *
 *     mpirun -n 2 workloads --dir DATA --only anomaly_mean
 *
 * The peak is the largest resident set of a rank since it started, as the system counts it: give each workload a process of its own (run.py does) where
 * that figure matters. */
#include "report.h"
#include "workload.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WORKLOAD(name) extern const workload wl_##name;
#include "list.h"
#undef WORKLOAD

#define WORKLOAD(name) &wl_##name,
const workload *const wl_all[] = {
#include "list.h"
};
#undef WORKLOAD
const int wl_count = sizeof wl_all / sizeof *wl_all;

static const char usage[] =
    "usage: workloads [OPTION]...\n"
    "  --list            the workloads; with -o json their inputs at the given scale\n"
    "  --only NAME,...   these workloads; all without it\n"
    "  --scale F         bytes of input, as a factor of the size for a workstation (1)\n"
    "  --memory SIZE     budget per rank instead of the workload's own\n"
    "  --threads N       threads per rank\n"
    "  --dir DIR         where stored inputs are and outputs go; BENCH_DIR or the current folder without it\n"
    "  --scratch DIR     for what does not fit in memory\n"
    "  --policy NAME     which task comes first: critical-path or memory\n"
    "  --placement NAME  who does what: outputs, leaves, cyclic or auto\n"
    "  --virtual         computed inputs instead of stored ones: nothing has to be there, and nothing is read\n"
    "  --explain         the plan as text instead of a run\n"
    "  --deflate N       of the outputs, instead of the workload's own: 0 is none, and contiguous\n"
    "  --keep            leaves the outputs, DIR/NAME.out.nc\n"
    "  -o json           one JSON object a line\n";

typedef struct options {
    bool list, json, computed, explain, keep;
    double scale;
    vv_bytes memory;
    int threads, deflate;
    const char *dir, *only, *scratch, *policy, *placement;
} options;

const workload *wl_find(const char *name)
{
    const char *names[64];
    for (int i = 0; i < wl_count; i++) {
        if (!strcmp(wl_all[i]->name, name)) return wl_all[i];
        names[i] = wl_all[i]->name;
    }
    const char *near = vv_suggest(name, names, wl_count);
    vv_status status = vv_error(VV_ERR_USAGE, "no workload '%s'%s%s", name, near ? "; is it " : "", near ? near : "");
    (void)status;
    return NULL;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* --- one workload --- */

static vv_status open_inputs(wl_run *r, wl_figures *figures)
{
    for (int i = 0; i < r->n_in; i++) {
        const wl_field *f = &r->field[i];
        if (f->spec.stored && access(f->path, R_OK))
            return vv_error(VV_ERR_NOT_FOUND, "%s is not there: make the inputs with inputs.py", f->path);
        vv_dataset *d = vv_dataset_open(r->session, f->path);
        r->in[i] = vv_dataset_array(d, f->spec.name);
        if (vv_array_status(r->in[i]) != VV_OK) return vv_array_status(r->in[i]);
        figures->input += wl_elements(f) * vv_dtype_size(f->spec.dtype);
        if (f->spec.stored) figures->stored += vv_dataset_var(d, vv_dataset_find_var(d, f->spec.name)).stored;
    }
    return VV_OK;
}

static vv_status build(wl_run *r, const options *o, const char *path, wl_figures *figures)
{
    vv_save_options save = VV_SAVE_OPTIONS_INIT;
    save.overwrite = true;
    save.deflate = o->deflate >= 0 ? o->deflate : r->what->deflate;
    double start = now();
    vv_status status = open_inputs(r, figures);
    if (status == VV_OK) status = vv_output_new(r->session, path, &save, &r->out);
    if (status == VV_OK) status = r->what->build(r);
    figures->build = now() - start;
    return status;
}

static vv_status predict(wl_run *r, wl_figures *figures)
{
    char *text = NULL;
    double start = now();
    vv_status status = vv_output_explain(r->out, &(vv_explain_options){.form = VV_EXPLAIN_JSON}, &text);
    figures->explain = now() - start;
    if (status == VV_OK) wl_read_prediction(text, &figures->predicted);
    free(text);
    return status;
}

static vv_status show_plan(wl_run *r)
{
    char *text = NULL;
    vv_status status = vv_output_explain(r->out, NULL, &text);
    if (status == VV_OK) printf("--- %s\n%s\n", r->what->name, text);
    free(text);
    vv_output_free(&r->out);
    return status;
}

static vv_status measure(wl_run *r, const char *path, wl_figures *figures)
{
    vv_status status = predict(r, figures);
    figures->cpu = cpu_seconds();
    if (status == VV_OK) status = vv_output_save(&r->out);
    figures->cpu = cpu_seconds() - figures->cpu;
    if (status != VV_OK) return status;
    vv_session_stats(r->session, &figures->measured);
    return wl_check(r, path, &figures->compared);
}

static vv_status run_one(vv_session *s, const options *o, const workload *what)
{
    wl_run r = {.session = s, .what = what, .on_paper = o->explain};
    wl_figures figures = {.scale = o->scale, .budget = o->memory > 0 ? o->memory : what->budget};
    char path[1200];
    vv_index mark = vv_mark(s);
    wl_fields(&r, o->scale, o->dir, !o->computed);
    snprintf(path, sizeof path, "%s/%s.out.nc", o->dir, what->name);
    vv_status status = vv_session_set_memory(s, figures.budget);
    if (status == VV_OK) status = build(&r, o, path, &figures);
    if (status == VV_OK && o->explain) return show_plan(&r);
    if (status == VV_OK) status = measure(&r, path, &figures);
    vv_output_free(&r.out);
    vv_release_since(s, mark, NULL, 0);
    if (!o->keep) unlink(path);
    figures.ranks = vv_session_ranks(s);
    figures.threads = vv_session_threads(s);
    figures.error = status == VV_OK ? NULL : vv_last_error();
    wl_print(&r, &figures, o->json);
    return status;
}

/* --- all --- */

static void list_one(const options *o, const workload *what)
{
    wl_run r = {.what = what};
    wl_fields(&r, o->scale, o->dir, !o->computed);
    wl_print_workload(&r, o->json);
}

static bool wanted(const options *o, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = o->only; p; p = strchr(p, ','), p += p != NULL)
        if (!strncmp(p, name, n) && (!p[n] || p[n] == ',')) return true;
    return !o->only;
}

/* All go on after one that fails; its error is the outcome. */
static vv_status each(vv_session *s, const options *o)
{
    vv_status first = VV_OK;
    if (!o->list && !o->explain && !o->json) wl_print_head();
    for (int i = 0; i < wl_count; i++) {
        vv_status status = VV_OK;
        if (!wanted(o, wl_all[i]->name)) continue;
        if (o->list)
            list_one(o, wl_all[i]);
        else
            status = run_one(s, o, wl_all[i]);
        if (first == VV_OK && status != VV_OK) first = vv_error(status, "%s: %s", wl_all[i]->name, vv_last_error());
    }
    return first;
}

static vv_status check_names(const options *o)
{
    if (!o->only) return VV_OK;
    char *names = strdup(o->only), *rest = names, *name;
    vv_status status = names ? VV_OK : vv_error(VV_ERR_NOMEM, "no memory");
    while (status == VV_OK && (name = strsep(&rest, ",")))
        if (!wl_find(name)) status = vv_error(VV_ERR_USAGE, "%s", vv_last_error());
    free(names);
    return status;
}

static vv_status read_option(options *o, int letter)
{
    switch (letter) {
    case 'l': o->list = true; break;
    case 'n': o->only = optarg; break;
    case 's': o->scale = strtod(optarg, NULL); break;
    case 'm': return vv_parse_bytes(optarg, &o->memory);
    case 't': o->threads = atoi(optarg); break;
    case 'z': o->deflate = atoi(optarg); break;
    case 'd': o->dir = optarg; break;
    case 'c': o->scratch = optarg; break;
    case 'p': o->policy = optarg; break;
    case 'w': o->placement = optarg; break;
    case 'v': o->computed = true; break;
    case 'e': o->explain = true; break;
    case 'k': o->keep = true; break;
    case 'o': o->json = !strcmp(optarg, "json"); break;
    default: return vv_error(VV_ERR_USAGE, "%s", usage);
    }
    return VV_OK;
}

static vv_status read_options(int argc, char **argv, options *o)
{
    static const struct option table[] = {
        {"list", 0, NULL, 'l'},    {"only", 1, NULL, 'n'},   {"scale", 1, NULL, 's'},     {"memory", 1, NULL, 'm'},
        {"threads", 1, NULL, 't'}, {"dir", 1, NULL, 'd'},    {"deflate", 1, NULL, 'z'},   {"virtual", 0, NULL, 'v'},
        {"scratch", 1, NULL, 'c'}, {"policy", 1, NULL, 'p'}, {"placement", 1, NULL, 'w'}, {"explain", 0, NULL, 'e'},
        {"keep", 0, NULL, 'k'},    {NULL, 0, NULL, 0}};
    int letter;
    *o = (options){.scale = 1, .deflate = -1, .dir = getenv("BENCH_DIR")};
    if (!o->dir) o->dir = ".";
    vv_status status = VV_OK;
    while (status == VV_OK && (letter = getopt_long(argc, argv, "o:", table, NULL)) != -1)
        status = read_option(o, letter);
    if (status == VV_OK && (optind < argc || !(o->scale > 0))) status = vv_error(VV_ERR_USAGE, "%s", usage);
    return status == VV_OK ? check_names(o) : status;
}

static vv_status set_up(vv_session *s, const options *o)
{
    vv_status status = VV_OK;
    if (o->threads > 0) status = vv_session_set_threads(s, o->threads);
    if (status == VV_OK && o->scratch) status = vv_session_set_scratch(s, o->scratch);
    if (status == VV_OK && o->policy) status = vv_session_set_policy(s, o->policy);
    if (status == VV_OK && o->placement) status = vv_session_set_placement(s, o->placement);
    return status;
}

static int driver(vv_session *s, int argc, char **argv)
{
    options o;
    vv_status status = read_options(argc, argv, &o);
    if (status == VV_OK) status = set_up(s, &o);
    return status == VV_OK ? each(s, &o) : status;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}
