/* `varve bench compare`: the same work done by varve and by its peers, those that are installed, in turn within one run.
 *
 * A trial is one thing to do with a file that is made for it. Every program runs as a process of its own and is measured from outside: start, reading, computing, writing. The middle
 * run counts. What the peers have written is compared with what varve has. */
#include "cli/bench/bench.h"
#include "cli/bench/peers.h"
#include "cli/format.h"
#include "cli/units.h"
#include "varve/array.h"
#include "varve/move.h"
#include "varve/output.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RUNS = 3, MOST_RUNS = 1000, LIMIT = 120 };
static const vv_bytes usual_size = 256000000;

typedef struct row {
    char benchmark[16], peer[16], outcome[16];
    int threads;
    double bytes, seconds, processor, peak, times_varve, difference;
    int runs;
    char machine[VV_CLI_BENCH_TEXT], version[16], date[32];
} row;

#define COLUMN(kind, name) VV_CLI_COLUMN(row, kind, name)
static const vv_cli_column columns[] = {
    COLUMN(TEXT, benchmark),   COLUMN(TEXT, peer),       COLUMN(TEXT, outcome),   COLUMN(WHOLE, threads),
    COLUMN(REAL, bytes),       COLUMN(REAL, seconds),    COLUMN(REAL, processor), COLUMN(REAL, peak),
    COLUMN(REAL, times_varve), COLUMN(REAL, difference), COLUMN(WHOLE, runs),     COLUMN(TEXT, machine),
    COLUMN(TEXT, version),     COLUMN(TEXT, date),
};
static const vv_cli_rows table = {"bench compare", columns, sizeof columns / sizeof *columns};

typedef struct contest {
    vv_session *session;
    const vv_cli_request *request;
    vv_cli_field field;
    char *in, *said, *out[VV_CLI_PEERS];
    bool installed[VV_CLI_PEERS];
} contest;

/* --- one trial --- */

/* Beside the table, hidden, and gone after the trial. The session knows files by their names: each trial has its own. */
static vv_status name_files(contest *c, const char *trial)
{
    const char *output = c->request->output ? c->request->output : "", *slash = strrchr(output, '/');
    int folder = slash ? (int)(slash - output) + 1 : 0, bad = 0;
    long me = (long)getpid();
    bad |= asprintf(&c->in, "%.*s.varve-bench-%ld-%s-in.nc", folder, output, me, trial) < 0;
    bad |= asprintf(&c->said, "%.*s.varve-bench-%ld.log", folder, output, me) < 0;
    for (int p = 0; p < VV_CLI_PEERS; p++)
        bad |=
            asprintf(&c->out[p], "%.*s.varve-bench-%ld-%s-%s.nc", folder, output, me, trial, vv_cli_peers[p].name) < 0;
    return bad ? vv_error(VV_ERR_NOMEM, "no memory for a file's name") : VV_OK;
}

static void drop_files(contest *c)
{
    char **all[] = {&c->in, &c->said};
    for (int i = 0; i < 2 + VV_CLI_PEERS; i++) {
        char **name = i < 2 ? all[i] : &c->out[i - 2];
        if (*name) (void)unlink(*name);
        free(*name);
        *name = NULL;
    }
}

static vv_status make_input(const contest *c, bool deflated)
{
    char chunks[64];
    vv_save_options o = VV_SAVE_OPTIONS_INIT;
    snprintf(chunks, sizeof chunks, "time=%lld,lat=-1,lon=-1", (long long)c->field.maps);
    o.overwrite = true;
    o.deflate = deflated ? 1 : 0;
    o.chunks = deflated ? chunks : NULL;
    return vv_save(vv_cli_field_open(c->session, &c->field), c->in, &o);
}

static vv_array *written(const contest *c, int peer)
{
    return vv_astype(vv_ravel(vv_open(c->session, c->out[peer], "x"), "i"), VV_F64);
}

/* The largest difference of a peer's values to varve's, in parts of the largest of these. */
static vv_status differ(const contest *c, int peer, double *out)
{
    double least = 0, most = 0, low = 0, high = 0;
    vv_array *ours = written(c, 0), *far = vv_sub(written(c, peer), ours);
    vv_array *all[] = {vv_min(far, NULL), vv_max(far, NULL), vv_min(ours, NULL), vv_max(ours, NULL)};
    vv_status status = vv_compute_all(all, (void *[]){&least, &most, &low, &high},
                                      (vv_bytes[]){sizeof least, sizeof most, sizeof low, sizeof high}, 4);
    *out = fmax(fabs(least), fabs(most)) / fmax(fmax(fabs(low), fabs(high)), 1e-300);
    return status;
}

static int by_seconds(const void *a, const void *b)
{
    double x = ((const vv_cli_cost *)a)->seconds, y = ((const vv_cli_cost *)b)->seconds;
    return x < y ? -1 : x > y;
}

/* The first lines of what a program has said before it failed. */
static void print_said(const char *path)
{
    enum { LINES = 4 };
    char text[256];
    FILE *f = fopen(path, "re");
    for (int i = 0; f && i < LINES && fgets(text, sizeof text, f); i++)
        fprintf(stderr, "    %s%s", text, strchr(text, '\n') ? "" : "\n");
    if (f) fclose(f);
}

/* One run of one peer; a failed one is not run again. */
static vv_status run_once(const contest *c, const vv_cli_trial *t, int peer, vv_cli_cost *out)
{
    const vv_cli_task task = {.in = c->in,
                              .out = c->out[peer],
                              .threads = vv_session_threads(c->session),
                              .times = (int)c->field.time,
                              .tile = c->field.tile};
    (void)unlink(c->out[peer]);
    vv_status status = vv_cli_peer_run(&vv_cli_peers[peer], t->words[peer], &task, c->said, LIMIT, out);
    if (status != VV_OK) return status;
    if (out->outcome == VV_CLI_INTERRUPTED) return vv_error(VV_ERR_INTERRUPTED, "interrupted");
    if (out->outcome == VV_CLI_DONE) return VV_OK;
    if (out->outcome == VV_CLI_FAILED) {
        fprintf(stderr, "varve: %s, %s failed:\n", t->name, vv_cli_peers[peer].name);
        print_said(c->said);
    }
    return peer > 0 ? VV_OK : vv_error(VV_ERR_RUN, "%s: varve itself has failed", t->name);
}

static void begin_row(const contest *c, const vv_cli_trial *t, int peer, row *out)
{
    time_t now = time(NULL);
    struct tm utc;
    *out = (row){.threads = vv_session_threads(c->session), .bytes = vv_cli_field_bytes(&c->field)};
    snprintf(out->benchmark, sizeof out->benchmark, "%s", t->name);
    snprintf(out->peer, sizeof out->peer, "%s", vv_cli_peers[peer].name);
    vv_cli_take_text(vv_machine_text(), out->machine);
    snprintf(out->version, sizeof out->version, "%s", vv_version());
    strftime(out->date, sizeof out->date, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
}

static void print_row(const row *m)
{
    char peak[32];
    if (strcmp(m->outcome, "done") != 0) {
        printf("%-13s %-7s %s\n", m->benchmark, m->peer, m->outcome);
        return;
    }
    printf("%-13s %-7s %9.3f %9.3f %9s %7.2f %11.1e\n", m->benchmark, m->peer, m->seconds, m->processor,
           vv_cli_rate(m->peak, "B", peak), m->times_varve, m->difference);
    fflush(stdout);
}

static vv_status tell(const contest *c, const vv_cli_trial *t, int peer, vv_cli_cost *cost, int runs, double ours)
{
    static const char *const outcome[] = {"done", "failed", "took too long"};
    row m;
    vv_status status = VV_OK;
    begin_row(c, t, peer, &m);
    if (!c->installed[peer]) {
        snprintf(m.outcome, sizeof m.outcome, "not installed");
    } else {
        const vv_cli_cost *last = &cost[runs - 1];
        snprintf(m.outcome, sizeof m.outcome, "%s", outcome[last->outcome]);
        if (last->outcome == VV_CLI_DONE) {
            for (int i = 0; i < runs; i++) m.peak = fmax(m.peak, cost[i].peak);
            qsort(cost, (size_t)runs, sizeof *cost, by_seconds);
            m.seconds = cost[(runs - 1) / 2].seconds;
            m.processor = cost[(runs - 1) / 2].processor;
            m.times_varve = ours > 0 ? m.seconds / ours : 1;
            if (peer > 0) status = differ(c, peer, &m.difference);
        }
        m.runs = runs;
    }
    if (status == VV_OK && !c->request->quiet) print_row(&m);
    if (status == VV_OK && c->request->output) status = vv_cli_rows_append(c->request->output, &table, &m);
    return status;
}

static double middle(vv_cli_cost *cost, int runs)
{
    qsort(cost, (size_t)runs, sizeof *cost, by_seconds);
    return cost[(runs - 1) / 2].seconds;
}

static vv_status run_trial(contest *c, const vv_cli_trial *t)
{
    static vv_cli_cost cost[VV_CLI_PEERS][MOST_RUNS];
    int runs = c->request->runs ? c->request->runs : RUNS, done[VV_CLI_PEERS] = {0};
    vv_index mark = vv_mark(c->session);
    vv_status status = name_files(c, t->name);
    if (status == VV_OK) status = make_input(c, t->deflated);
    for (int i = 0; i < runs; i++)
        for (int p = 0; p < VV_CLI_PEERS && status == VV_OK; p++) {
            bool over = done[p] > 0 && cost[p][done[p] - 1].outcome != VV_CLI_DONE;
            if (!t->words[p] || !c->installed[p] || over) continue;
            status = run_once(c, t, p, &cost[p][done[p]++]);
        }
    double ours = status == VV_OK ? middle(cost[0], done[0]) : 0;
    for (int p = 0; p < VV_CLI_PEERS && status == VV_OK; p++)
        if (t->words[p]) status = tell(c, t, p, cost[p], done[p], ours);
    vv_release_since(c->session, mark, NULL, 0);
    drop_files(c);
    return status;
}

/* --- all of them --- */

static void print_head(const contest *c)
{
    char *machine = vv_machine_text(), data[32];
    printf("%s; %s of data, %d thread%s\n", machine ? machine : "",
           vv_cli_rate(vv_cli_field_bytes(&c->field), "B", data), vv_session_threads(c->session),
           vv_session_threads(c->session) == 1 ? "" : "s");
    for (int p = 0; p < VV_CLI_PEERS; p++)
        if (!c->installed[p])
            printf("%s is not installed: %s%s%s\n", vv_cli_peers[p].name, vv_cli_peers[p].program,
                   vv_cli_peers[p].imports ? " has no " : " is not on the path",
                   vv_cli_peers[p].imports ? vv_cli_peers[p].imports : "");
    printf("%-13s %-7s %9s %9s %9s %7s %11s\n", "trial", "", "seconds", "processor", "memory", "x varve", "difference");
    fflush(stdout);
    free(machine);
}

vv_status vv_cli_bench_compare(vv_session *s, const vv_cli_request *r)
{
    contest c = {.session = s, .request = r, .field = vv_cli_field_of(r->size ? r->size : usual_size)};
    vv_cli_words some = {0};
    const char *names[VV_CLI_TRIALS];
    if (vv_session_ranks(s) > 1)
        return vv_error(VV_ERR_USAGE, "bench compare starts all programs itself: call it without mpirun");
    for (int i = 0; i < VV_CLI_TRIALS; i++) names[i] = vv_cli_trials[i].name;
    vv_status status = vv_cli_bench_words(r, "trial", names, VV_CLI_TRIALS, &some);
    if (status == VV_OK && r->output && r->overwrite) (void)unlink(r->output);
    for (int p = 0; p < VV_CLI_PEERS && status == VV_OK; p++) c.installed[p] = vv_cli_peer_installed(&vv_cli_peers[p]);
    if (status == VV_OK && !r->quiet) print_head(&c);
    for (int i = 0; i < VV_CLI_TRIALS && status == VV_OK; i++)
        if (some.n == 0 || vv_cli_words_has(&some, vv_cli_trials[i].name)) status = run_trial(&c, &vv_cli_trials[i]);
    vv_cli_words_free(&some);
    return status;
}
