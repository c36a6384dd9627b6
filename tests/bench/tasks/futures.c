/* What a task costs that the driver hands out: futures and delayed calls, by public headers alone. futures.py builds and runs it and its peers; README.md says what the figures mean.
 *
 *     mpirun -n 2 futures [empty|tree|latency|dynamic|million|patterns] [tasks] */
#include "patterns.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <varve/varve.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        vv_status status_ = (call);                                                                                    \
        if (status_ != VV_OK) return status_;                                                                          \
    } while (0)

static void *room(size_t n, size_t size)
{
    void *p = calloc(n, size);
    if (!p) exit(1);
    return p;
}

/* --- tasks --- */

static int empty(vv_task *t)
{
    (void)t;
    return 0;
}

static int add(vv_task *t)
{
    int64_t sum = 0;
    for (int i = 0; i < t->n; i++) sum += vv_task_i64(t, i);
    return vv_return_i64(t, sum);
}

static void spin(double seconds)
{
    for (double until = now() + seconds; now() < until;) {
    }
}

/* When it ended. */
static int briefly(vv_task *t)
{
    spin(vv_task_f64(t, 0));
    return vv_return_f64(t, now());
}

/* How long it has slept: any number of tasks can do that at once. */
static int sleeper(vv_task *t)
{
    double begin = now(), s = vv_task_f64(t, 0);
    nanosleep(&(struct timespec){(time_t)s, (long)(1e9 * (s - floor(s)))}, NULL);
    return vv_return_f64(t, now() - begin);
}

/* --- independent ones, and a tree --- */

static vv_status bench_empty(vv_session *s, vv_index n)
{
    vv_future *f = room((size_t)n, sizeof *f);
    double best = INFINITY;
    for (int repeat = 0; repeat < 5; repeat++) {
        double begin = now();
        for (vv_index i = 0; i < n; i++) TRY(vv_submit(s, empty, NULL, 0, NULL, &f[i]));
        TRY(vv_wait_all(s, f, n, -1, NULL));
        best = fmin(best, now() - begin);
        vv_future_release(s, f, n);
    }
    printf("empty    %lld tasks: %.2f us each\n", (long long)n, 1e6 * best / (double)n);
    free(f);
    return VV_OK;
}

static vv_status bench_tree(vv_session *s, vv_index leaves)
{
    enum { WAY = 10 };
    vv_future *f = room((size_t)leaves * 2, sizeof *f);
    double best = INFINITY;
    vv_index all = 0;
    for (int repeat = 0; repeat < 5; repeat++) {
        double begin = now();
        vv_future *level = f, *next = f + leaves;
        for (vv_index i = 0; i < leaves; i++) TRY(vv_submit(s, add, VV_ARGS(vv_i64(i)), NULL, &level[i]));
        all = leaves;
        for (vv_index n = leaves / WAY; n > 0; n /= WAY, level = next, next += n * WAY) {
            for (vv_index i = 0; i < n; i++) {
                vv_arg part[WAY];
                for (int k = 0; k < WAY; k++) part[k] = vv_of(level[i * WAY + k]);
                TRY(vv_submit(s, add, part, WAY, NULL, &next[i]));
            }
            vv_future_release(s, level, n * WAY);
            all += n;
        }
        int64_t sum;
        TRY(vv_gather_i64(s, level[0], &sum));
        best = fmin(best, now() - begin);
        vv_future_release(s, level, 1);
        if (sum != (int64_t)leaves * (leaves - 1) / 2) return vv_error(VV_ERR_RUN, "a wrong sum");
    }
    printf("tree     %lld tasks: %.2f us each\n", (long long)all, 1e6 * best / (double)all);
    free(f);
    return VV_OK;
}

/* --- from a task's end to the driver --- */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static vv_status bench_latency(vv_session *s, vv_index n, int at_once, double length)
{
    double *late = room((size_t)n, sizeof *late);
    vv_future f[64], done;
    vv_completed *c;
    vv_index submitted = 0, seen = 0;
    for (; submitted < at_once; submitted++) TRY(vv_submit(s, briefly, VV_ARGS(vv_f64(length)), NULL, &f[submitted]));
    TRY(vv_completed_new(s, f, at_once, &c));
    while (vv_completed_next(c, -1, &done)) {
        double ended, here = now();
        TRY(vv_gather_f64(s, done, &ended));
        late[seen++] = here - ended;
        vv_future_release(s, &done, 1);
        if (submitted++ >= n) continue;
        TRY(vv_submit(s, briefly, VV_ARGS(vv_f64(length)), NULL, &done));
        TRY(vv_completed_add(c, &done, 1));
    }
    TRY(vv_completed_status(c));
    vv_completed_free(&c);
    qsort(late, (size_t)seen, sizeof *late, ascending);
    printf("latency  %2d at once of %.0f us: median %.1f us, 90 %% %.1f us\n", at_once, 1e6 * length,
           1e6 * late[seen / 2], 1e6 * late[seen * 9 / 10]);
    free(late);
    return VV_OK;
}

/* --- times that nobody knows before --- */

static vv_status bench_dynamic(vv_session *s, vv_index n)
{
    vv_future *f = room((size_t)n, sizeof *f);
    double *took = room((size_t)n, sizeof *took), sum = 0, longest = 0;
    uint64_t state = 12345;
    double begin = now();
    for (vv_index i = 0; i < n; i++) {
        double normal = 0;
        for (int k = 0; k < 12; k++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            normal += (double)(state >> 11) / 9007199254740992.0;
        }
        TRY(vv_submit(s, sleeper, VV_ARGS(vv_f64(2e-3 * exp(normal - 6))), NULL, &f[i]));
    }
    TRY(vv_gather_all(s, f, n, took, sizeof *took));
    double makespan = now() - begin;
    for (vv_index i = 0; i < n; i++) {
        sum += took[i];
        longest = fmax(longest, took[i]);
    }
    double ideal = fmax(longest, sum / (vv_session_ranks(s) * vv_session_threads(s)));
    vv_futures_stats stats;
    vv_futures_get_stats(s, &stats);
    printf("dynamic  %lld tasks, log-normal: %.3f s, %.3f times the ideal; %lld were taken from other ranks\n",
           (long long)n, makespan, makespan / ideal, (long long)stats.taken);
    vv_future_release(s, f, n);
    free(took);
    free(f);
    return VV_OK;
}

/* --- many in flight --- */

static double resident(void)
{
    long all = 0, pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f) {
        if (fscanf(f, "%ld %ld", &all, &pages) != 2) pages = 0;
        fclose(f);
    }
    return 4096.0 * (double)pages;
}

static vv_status bench_million(vv_session *s, vv_index n)
{
    vv_future *f = room((size_t)n, sizeof *f);
    int64_t *item = room((size_t)n, sizeof *item);
    for (vv_index i = 0; i < n; i++) item[i] = i, f[i].id = i;
    double before = resident(), begin = now();
    TRY(vv_submit_map(s, empty, item, sizeof *item, n, NULL, 0, NULL, f));
    double most = resident();
    TRY(vv_wait_all(s, f, n, -1, NULL));
    double took = now() - begin;
    vv_future_release(s, f, n);
    printf("million  %lld tasks by map: %.2f us each, %.0f bytes each on rank 0\n", (long long)n,
           1e6 * took / (double)n, (fmax(most, resident()) - before) / (double)n);
    free(item);
    free(f);
    return VV_OK;
}

/* --- Task Bench's patterns by delayed calls --- */

static int point_of(vv_task *t)
{
    const value *in[32];
    for (int i = 2; i < t->n; i++) in[i - 2] = vv_task_data(t, i, NULL);
    value *out = vv_return_room(t, sizeof *out);
    *out = work(vv_task_i64(t, 0), vv_task_i64(t, 1), t->n - 2, in, 0);
    return 0;
}

static vv_delayed *delay_point(vv_session *s, const pattern *p, long width, long step, long at,
                               vv_delayed *const before[])
{
    long from[32];
    vv_arg args[34] = {vv_i64(step), vv_i64(at)};
    int n = step ? p->from(width, step, at, from) : 0;
    for (int i = 0; i < n; i++) args[i + 2] = vv_later(before[from[i]]);
    return vv_delay(s, point_of, args, n + 2);
}

static vv_status bench_pattern(vv_session *s, const pattern *p, vv_index tasks)
{
    enum { WIDTH = 16 };
    long steps = (long)(tasks / WIDTH);
    vv_delayed *row[2][WIDTH];
    vv_future f[WIDTH];
    double begin = now();
    for (long step = 0; step < steps; step++) {
        for (long at = 0; at < WIDTH; at++) row[step % 2][at] = delay_point(s, p, WIDTH, step, at, row[(step + 1) % 2]);
        /* one that nobody uses is wanted by nobody */
        if (step > 0) vv_delayed_release(row[(step + 1) % 2], WIDTH);
    }
    double built = now();
    TRY(vv_delayed_submit(row[(steps + 1) % 2], WIDTH, f));
    TRY(vv_wait_all(s, f, WIDTH, -1, NULL));
    double end = now();
    vv_futures_stats stats;
    vv_futures_get_stats(s, &stats);
    static vv_index before;
    vv_index ran = stats.finished - before;
    before = stats.finished;
    printf("delayed  %-10s %7lld tasks: %.2f us each to build, %.2f us each to run\n", p->name, (long long)ran,
           1e6 * (built - begin) / (double)(steps * WIDTH), 1e6 * (end - built) / (double)ran);
    vv_future_release(s, f, WIDTH);
    vv_delayed_release(row[(steps + 1) % 2], WIDTH);
    return vv_futures_end(s) == VV_OK ? (before = 0, VV_OK) : VV_ERR_RUN;
}

static int driver(vv_session *s, int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    vv_index tasks = argc > 2 ? (vv_index)atof(argv[2]) : 0;
    if (!*what || !strcmp(what, "empty")) TRY(bench_empty(s, tasks ? tasks : 100000));
    if (!*what || !strcmp(what, "tree")) TRY(bench_tree(s, tasks ? tasks : 100000));
    if (!*what || !strcmp(what, "latency")) {
        TRY(bench_latency(s, tasks ? tasks : 3000, 1, 100e-6));
        TRY(bench_latency(s, tasks ? tasks : 3000, 10, 100e-6));
    }
    if (!*what || !strcmp(what, "dynamic")) TRY(bench_dynamic(s, tasks ? tasks : 2000));
    if (!*what || !strcmp(what, "million")) TRY(bench_million(s, tasks ? tasks : 1000000));
    if (!*what || !strcmp(what, "patterns"))
        for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
            TRY(bench_pattern(s, &patterns[i], tasks ? tasks : 50000));
    return VV_OK;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}
