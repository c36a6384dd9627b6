/* `varve bench scaling`: what the ranks that there are do in a second, of four things that programs spend their time with.
 *
 * A benchmark makes its data, which is not measured, then runs some times; the middle run counts. Efficiency follows from rates: of one rank, so many times. */
#include "cli/bench/bench.h"
#include "cli/format.h"
#include "cli/units.h"
#include "varve/create.h"
#include "varve/linalg.h"
#include "varve/move.h"
#include "varve/output.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RUNS = 3, MOST_RUNS = 1000, SHAPE = 128 };
static const vv_bytes usual_size = 256000000;

typedef struct trial {
    vv_session *session;
    const vv_cli_request *request;
    bool disk;
    vv_bytes size; /* that was asked for, on all ranks */
    vv_cli_field field;
    vv_array *a, *b;
    char *input, *output; /* files; NULL: none */
    vv_cli_measure row;
} trial;

/* --- data --- */

static vv_status save(vv_array *a, const char *path, const char *chunks)
{
    vv_save_options o = VV_SAVE_OPTIONS_INIT;
    o.overwrite = true;
    o.chunks = chunks;
    return vv_save(a, path, &o);
}

static vv_status prepare_field(trial *t)
{
    char chunks[SHAPE];
    t->a = vv_cli_field_open(t->session, &t->field);
    t->row.bytes = t->row.amount = vv_cli_field_bytes(&t->field);
    if (!t->disk) return vv_persist(t->a);
    snprintf(chunks, sizeof chunks, "time=%lld,lat=-1,lon=-1", (long long)t->field.maps);
    vv_status status = save(t->a, t->input, chunks);
    if (status == VV_OK) t->a = vv_open(t->session, t->input, "x");
    return status;
}

static vv_status prepare_matrices(trial *t)
{
    char dims[2][SHAPE];
    vv_index n = (vv_index)sqrt((double)t->size / (3 * 8));
    if (n < 2) n = 2;
    snprintf(dims[0], SHAPE, "i:%lld,k:%lld", (long long)n, (long long)n);
    snprintf(dims[1], SHAPE, "k:%lld,j:%lld", (long long)n, (long long)n);
    t->a = vv_random_array(t->session, "normal", dims[0], NULL, 1, VV_F64);
    t->b = vv_random_array(t->session, "normal", dims[1], NULL, 2, VV_F64);
    t->row.bytes = 3.0 * 8 * (double)n * (double)n;
    t->row.amount = 2.0 * (double)n * (double)n * (double)n;
    return vv_persist_all((vv_array *[]){t->a, t->b}, 2);
}

/* --- runs --- */

static vv_status run_reduce(trial *t)
{
    const vv_cli_field *f = &t->field;
    vv_bytes bytes = 4 * f->lat * f->lon;
    vv_array *results[] = {vv_mean(t->a, "time"), vv_std(t->a, "time")};
    float *values = malloc(2 * (size_t)bytes);
    if (!values) return vv_error(VV_ERR_NOMEM, "no memory for results");
    vv_status status =
        vv_compute_all(results, (void *[]){values, values + f->lat * f->lon}, (vv_bytes[]){bytes, bytes}, 2);
    free(values);
    return status;
}

static vv_status run_rechunk(trial *t)
{
    char chunks[SHAPE];
    const char *form = t->disk ? "time=-1,lat=%d,lon=%d" : "time:-1,lat:%d,lon:%d";
    snprintf(chunks, sizeof chunks, form, t->field.tile, t->field.tile);
    return t->disk ? save(t->a, t->output, chunks) : vv_persist(vv_rechunk(t->a, chunks));
}

static vv_status run_matmul(trial *t)
{
    return vv_persist(vv_matmul(t->a, t->b, "k"));
}

static vv_status run_write(trial *t)
{
    return save(t->a, t->output, NULL);
}

typedef struct benchmark {
    const char *name, *unit;
    bool from_disk; /* --disk concerns it */
    vv_status (*prepare)(trial *t);
    vv_status (*run)(trial *t);
} benchmark;
static const benchmark benchmarks[] = {
    {"reduce", "B", true, prepare_field, run_reduce},
    {"rechunk", "B", true, prepare_field, run_rechunk},
    {"matmul", "flop", false, prepare_matrices, run_matmul},
    {"write", "B", false, prepare_field, run_write},
};
enum { N_BENCHMARKS = sizeof benchmarks / sizeof *benchmarks };

/* --- measuring --- */

static int by_seconds(const void *a, const void *b)
{
    double x = ((const vv_run_stats *)a)->seconds, y = ((const vv_run_stats *)b)->seconds;
    return x < y ? -1 : x > y;
}

/* Results go after each run, so that all begin alike. */
static vv_status run_all(const benchmark *b, trial *t)
{
    vv_run_stats all[MOST_RUNS];
    int runs = t->request->runs ? t->request->runs : RUNS;
    vv_status status = VV_OK;
    for (int i = 0; i < runs && status == VV_OK; i++) {
        vv_index mark = vv_mark(t->session);
        status = b->run(t);
        vv_session_stats(t->session, &all[i]);
        vv_release_since(t->session, mark, NULL, 0);
    }
    if (status != VV_OK) return status;
    qsort(all, (size_t)runs, sizeof *all, by_seconds);
    const vv_run_stats *middle = &all[(runs - 1) / 2];
    vv_cli_measure *m = &t->row;
    m->runs = runs;
    m->seconds = middle->seconds;
    m->rate = m->amount / m->seconds;
    m->read = (double)middle->read;
    m->moved = (double)middle->moved;
    m->across = (double)middle->across;
    m->written = (double)middle->written;
    for (int i = 0; i < runs; i++) m->peak = fmax(m->peak, (double)all[i].peak);
    return VV_OK;
}

static void describe(const benchmark *b, trial *t)
{
    vv_cli_measure *m = &t->row;
    time_t now = time(NULL);
    struct tm utc;
    snprintf(m->benchmark, sizeof m->benchmark, "%s", b->name);
    snprintf(m->scaling, sizeof m->scaling, "%s", t->request->weak ? "weak" : "strong");
    snprintf(m->source, sizeof m->source, "%s", t->disk ? "disk" : "memory");
    snprintf(m->unit, sizeof m->unit, "%s", b->unit);
    m->ranks = vv_session_ranks(t->session);
    m->nodes = vv_session_nodes(t->session);
    m->threads = vv_session_threads(t->session);
    vv_cli_take_text(vv_session_placed(t->session), m->placed);
    vv_cli_take_text(vv_machine_text(), m->machine);
    snprintf(m->version, sizeof m->version, "%s", vv_version());
    strftime(m->date, sizeof m->date, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
}

/* Beside the table, where the ranks of all nodes can see them. */
static vv_status name_files(trial *t)
{
    const char *table = t->request->output ? t->request->output : "", *slash = strrchr(table, '/');
    int folder = slash ? (int)(slash - table) + 1 : 0;
    if (asprintf(&t->input, "%.*s.varve-bench-%ld-in.nc", folder, table, (long)getpid()) < 0) t->input = NULL;
    if (asprintf(&t->output, "%.*s.varve-bench-%ld-out.nc", folder, table, (long)getpid()) < 0) t->output = NULL;
    return t->input && t->output ? VV_OK : vv_error(VV_ERR_NOMEM, "no memory for a file's name");
}

static vv_status measure(const benchmark *b, vv_session *s, const vv_cli_request *r, vv_cli_measure *out)
{
    trial t = {.session = s, .request = r, .disk = r->on_disk && b->from_disk};
    vv_index mark = vv_mark(s);
    t.size = (r->size ? r->size : usual_size) * (r->weak ? vv_session_ranks(s) : 1);
    t.field = vv_cli_field_of(t.size);
    vv_status status = name_files(&t);
    if (status == VV_OK) status = b->prepare(&t);
    if (status == VV_OK) status = run_all(b, &t);
    if (status == VV_OK) describe(b, &t);
    vv_release_since(s, mark, NULL, 0);
    if (t.input) (void)unlink(t.input);
    if (t.output) (void)unlink(t.output);
    free(t.input);
    free(t.output);
    *out = t.row;
    return status;
}

/* --- telling --- */

static void print_names(void)
{
    printf("%-10s %-6s %-6s %5s %5s %10s %9s %12s %10s\n", "benchmark", "", "", "ranks", "nodes", "data", "seconds",
           "rate", "memory");
}

static void print_row(const vv_cli_measure *m)
{
    char text[3][32];
    printf("%-10s %-6s %-6s %5d %5d %10s %9.4f %12s %10s\n", m->benchmark, m->scaling, m->source, m->ranks, m->nodes,
           vv_cli_rate(m->bytes, "B", text[0]), m->seconds,
           vv_cli_rate(m->rate, strcmp(m->unit, "B") ? "flop/s" : "B/s", text[1]), vv_cli_rate(m->peak, "B", text[2]));
    fflush(stdout);
}

vv_status vv_cli_bench_scaling(vv_session *s, const vv_cli_request *r)
{
    vv_cli_words some = {0};
    const char *names[N_BENCHMARKS];
    for (int i = 0; i < N_BENCHMARKS; i++) names[i] = benchmarks[i].name;
    vv_status status = vv_cli_bench_words(r, "benchmark", names, N_BENCHMARKS, &some);
    if (status == VV_OK && r->output && r->overwrite) (void)unlink(r->output);
    if (status == VV_OK && !r->quiet) print_names();
    for (int i = 0; i < N_BENCHMARKS && status == VV_OK; i++) {
        vv_cli_measure row;
        if (some.n > 0 && !vv_cli_words_has(&some, benchmarks[i].name)) continue;
        status = measure(&benchmarks[i], s, r, &row);
        if (status == VV_OK && !r->quiet) print_row(&row);
        if (status == VV_OK && r->output) status = vv_cli_measure_append(r->output, &row);
    }
    vv_cli_words_free(&some);
    return status;
}
