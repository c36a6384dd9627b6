/* What a task costs: Task Bench's patterns through the engine, and beside it in the same run as MPI programs written by hand.
 *
 *     mpirun -n 2 tasks [--tasks 1e5] [--width 1] [--work 0] [--patterns a,b] [--metg] [--threads 1] [--policy memory] [--repeat 3] [--no-mpi]
 *
 * run.py builds and runs it; README.md says what the figures mean. */
#include "patterns.h"

#include "exec/graph/graph.h"

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct bench {
    const pattern *pattern;
    long width, steps, iterations;
    int rank, ranks, repeat;
    uint64_t sum; /* of the last step's values on this rank */
    vv_net *net;
    vv_graph_options options;
    vv_graph_stats stats;
} bench;

static void stop(const char *why)
{
    fprintf(stderr, "tasks: %s\n", why);
    MPI_Abort(MPI_COMM_WORLD, 1);
    exit(1);
}

/* --- through the engine --- */

static const bench *of(const vv_graph *g)
{
    return g->context;
}

static int owner(const vv_graph *g, vv_index task, int ranks)
{
    return owner_of(task % of(g)->width, of(g)->width, ranks);
}

static int inputs(const vv_graph *g, vv_index task, vv_index from[])
{
    long w = of(g)->width, step = task / w;
    int n = step ? of(g)->pattern->from(w, step, task % w, from) : 0;
    for (int i = 0; i < n; i++) from[i] += (step - 1) * w;
    return n;
}

static int consumers(const vv_graph *g, vv_index task, vv_index to[])
{
    long w = of(g)->width, step = task / w;
    int n = step + 1 < of(g)->steps ? of(g)->pattern->to(w, step, task % w, to) : 0;
    for (int i = 0; i < n; i++) to[i] += (step + 1) * w;
    return n;
}

static vv_bytes size_of(const vv_graph *g, vv_index task)
{
    (void)g, (void)task;
    return sizeof(value);
}

static vv_index own(const vv_graph *g, int rank, int ranks, vv_index from)
{
    long w = of(g)->width, first = first_point(rank, w, ranks), last = first_point(rank + 1, w, ranks),
         point = from % w;
    if (point < first) return from - point + first;
    return point < last ? from : from - point + w + first;
}

static vv_status run(const vv_graph *g, vv_index task, int n, const void *const in[], const vv_bytes size[], void *out)
{
    (void)size;
    long w = of(g)->width;
    *(value *)out = work(task / w, task % w, n, (const value *const *)in, of(g)->iterations);
    return VV_OK;
}

static int target(const vv_graph *g, vv_index task, int ranks)
{
    return task >= g->n - of(g)->width ? owner(g, task, ranks) : -1;
}

static vv_status deliver(void *context, vv_index task, const void *data, vv_bytes size)
{
    (void)task, (void)size;
    ((bench *)context)->sum += ((const value *)data)->sum;
    return VV_OK;
}

static void run_varve(bench *b)
{
    vv_graph g = {
        b->width * b->steps, (int)b->width + 11, (int)b->width + 11, owner, inputs, consumers, size_of, run, own, b};
    b->options.target = target;
    b->options.deliver = deliver;
    b->options.context = b;
    if (vv_graph_run(b->net, &g, &b->options, &b->stats) != VV_OK) stop(vv_last_error());
}

/* --- by hand: two rows of values; a message for each point and each rank that uses it --- */

typedef struct hand {
    value *row[2];
    const value **in;
    long *list;
    char *wanted;
    MPI_Request *request;
    int n_requests;
} hand;

static void hand_open(const bench *b, hand *h)
{
    size_t w = (size_t)b->width;
    *h = (hand){{calloc(w, sizeof(value)), calloc(w, sizeof(value))},
                calloc(w + 11, sizeof(value *)),
                calloc(w + 11, sizeof(long)),
                calloc(w > (size_t)b->ranks ? w : (size_t)b->ranks, 1),
                calloc(w * (size_t)(b->ranks + 1), sizeof(MPI_Request)),
                0};
}

static void hand_close(hand *h)
{
    free(h->row[0]);
    free(h->row[1]);
    free(h->in);
    free(h->list);
    free(h->wanted);
    free(h->request);
}

/* Receives the values of step - 1 that the points [lo, hi) use and others own. */
static void post_receives(const bench *b, hand *h, long step, long lo, long hi)
{
    memset(h->wanted, 0, (size_t)b->width);
    for (long point = lo; point < hi; point++) {
        int n = b->pattern->from(b->width, step, point, h->list);
        for (int i = 0; i < n; i++) {
            long p = h->list[i];
            if ((p >= lo && p < hi) || h->wanted[p]) continue;
            h->wanted[p] = 1;
            MPI_Irecv(&h->row[(step - 1) % 2][p], sizeof(value), MPI_BYTE, owner_of(p, b->width, b->ranks), (int)p,
                      MPI_COMM_WORLD, &h->request[h->n_requests++]);
        }
    }
}

static void post_sends(const bench *b, hand *h, long step, long lo, long hi)
{
    for (long point = lo; point < hi; point++) {
        int n = b->pattern->to(b->width, step - 1, point, h->list);
        memset(h->wanted, 0, (size_t)b->ranks);
        h->wanted[b->rank] = 1;
        for (int i = 0; i < n; i++) {
            int to = owner_of(h->list[i], b->width, b->ranks);
            if (h->wanted[to]) continue;
            h->wanted[to] = 1;
            MPI_Isend(&h->row[(step - 1) % 2][point], sizeof(value), MPI_BYTE, to, (int)point, MPI_COMM_WORLD,
                      &h->request[h->n_requests++]);
        }
    }
}

static void run_hand(bench *b)
{
    hand h;
    hand_open(b, &h);
    long lo = first_point(b->rank, b->width, b->ranks), hi = first_point(b->rank + 1, b->width, b->ranks);
    for (long step = 0; step < b->steps; step++) {
        h.n_requests = 0;
        if (step > 0) {
            post_receives(b, &h, step, lo, hi);
            post_sends(b, &h, step, lo, hi);
            MPI_Waitall(h.n_requests, h.request, MPI_STATUSES_IGNORE);
        }
        for (long point = lo; point < hi; point++) {
            int n = step ? b->pattern->from(b->width, step, point, h.list) : 0;
            for (int i = 0; i < n; i++) h.in[i] = &h.row[(step - 1) % 2][h.list[i]];
            h.row[step % 2][point] = work(step, point, n, h.in, b->iterations);
        }
    }
    for (long point = lo; point < hi; point++) b->sum += h.row[(b->steps - 1) % 2][point].sum;
    hand_close(&h);
}

/* --- measuring --- */

/* Best of several runs: seconds of the slowest rank, and the checksum of all. */
static double measure(bench *b, void (*how)(bench *), uint64_t *sum)
{
    double best = 1e30;
    for (int i = 0; i < b->repeat; i++) {
        b->sum = 0;
        MPI_Barrier(MPI_COMM_WORLD);
        double t = MPI_Wtime();
        how(b);
        t = MPI_Wtime() - t;
        MPI_Allreduce(MPI_IN_PLACE, &t, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
        if (t < best) best = t;
        MPI_Allreduce(&b->sum, sum, 1, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
    }
    return best;
}

/* Microseconds of one core for a task. */
static double per_task(const bench *b, double seconds, int threads)
{
    return 1e6 * seconds * b->ranks * threads / (double)(b->width * b->steps);
}

/* The time of one iteration when all ranks compute: what efficiency is measured against. */
static double calibrate(void)
{
    enum { ITERATIONS = 2000000, TRIES = 5 };
    double best = 1e30;
    for (int i = 0; i < TRIES; i++) {
        MPI_Barrier(MPI_COMM_WORLD);
        double t = MPI_Wtime();
        if (compute(ITERATIONS) < 0) stop("arithmetic is broken");
        t = MPI_Wtime() - t;
        if (t < best) best = t;
    }
    MPI_Allreduce(MPI_IN_PLACE, &best, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    return 1e6 * best / ITERATIONS;
}

/* One granularity: microseconds of a core for a task, and the share of it that is useful work. A bad one is measured again: the machine may
 * have been busy with something else. */
static double granularity(bench *b, void (*how)(bench *), int threads, double iteration, double *share)
{
    enum { AGAIN = 4 };
    double time = 1e30;
    uint64_t sum;
    *share = 0;
    for (int i = 0; i < AGAIN && *share < 0.5; i++) {
        double now = per_task(b, measure(b, how, &sum), threads);
        if (now < time) time = now;
        *share = (double)b->iterations * iteration / time;
    }
    return time;
}

/* The minimum effective task granularity: the time of the shortest task of which half is useful work, found by giving tasks more and more
 * work and interpolating where efficiency crosses one half. */
static double metg(bench *b, void (*how)(bench *), int threads, double iteration)
{
    enum { LONGEST_US = 500 };
    double last_time = 0, last_share = 0, time = 0;
    for (double us = 0.01; us < LONGEST_US; us *= 1.5) {
        double share;
        b->iterations = (long)(us / iteration) + 1;
        b->steps = (long)(1e4 / (us + 5)) / b->width + 50;
        time = granularity(b, how, threads, iteration, &share);
        if (share >= 0.5) return last_time + (time - last_time) * (0.5 - last_share) / (share - last_share);
        last_time = time;
        last_share = share;
    }
    return time;
}

typedef struct request {
    double tasks, work_us, iteration; /* work of a task; an iteration's time */
    long width_per_core;
    bool metg, mpi;
    const char *patterns;
} request;

static bool listed(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = list; at && (at = strstr(at, name)); at += n)
        if ((at == list || at[-1] == ',') && (at[n] == ',' || !at[n])) return true;
    return !list;
}

static void run_pattern(bench *b, const request *q)
{
    int threads = b->options.threads;
    uint64_t sum[2] = {0};
    double hand_us = 0, metg_us[2] = {0};
    b->width = q->width_per_core * b->ranks * threads;
    b->steps = (long)(q->tasks / (double)b->width) + 1;
    b->iterations = (long)(q->work_us / q->iteration);
    double us = per_task(b, measure(b, run_varve, &sum[0]), threads);
    vv_graph_stats stats = b->stats;
    if (q->mpi) hand_us = per_task(b, measure(b, run_hand, &sum[1]), 1);
    if (q->mpi && sum[0] != sum[1]) stop("the checksums of both programs differ");
    long tasks = b->width * b->steps;
    if (q->metg) metg_us[0] = metg(b, run_varve, threads, q->iteration);
    if (q->metg && q->mpi) metg_us[1] = metg(b, run_hand, 1, q->iteration);
    if (b->rank == 0)
        printf("%-11s %5d %7d %5ld %8ld %9.3f %9.3f %9.2f %9.2f %9lld %8lld %7.3f %7.3f %7.3f\n", b->pattern->name,
               b->ranks, threads, b->width, tasks, us, hand_us, metg_us[0], metg_us[1], (long long)stats.messages,
               (long long)stats.live, stats.kernel, stats.send, stats.wait);
    fflush(stdout);
}

static void read_options(int argc, char **argv, bench *b, request *q)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "0";
        if (!strcmp(argv[i], "--metg")) q->metg = true;
        if (!strcmp(argv[i], "--no-mpi")) q->mpi = false;
        if (!strcmp(argv[i], "--tasks")) q->tasks = atof(value);
        if (!strcmp(argv[i], "--work")) q->work_us = atof(value);
        if (!strcmp(argv[i], "--width")) q->width_per_core = atol(value);
        if (!strcmp(argv[i], "--patterns")) q->patterns = value;
        if (!strcmp(argv[i], "--threads")) b->options.threads = atoi(value);
        if (!strcmp(argv[i], "--repeat")) b->repeat = atoi(value);
        if (!strcmp(argv[i], "--lookahead")) b->options.lookahead = atol(value);
        if (!strcmp(argv[i], "--policy") && !(b->options.sched = vv_sched_find(value))) stop("no such policy");
    }
}

int main(int argc, char **argv)
{
    bench b = {.repeat = 3, .options = {.threads = 1}};
    request q = {.tasks = 1e5, .width_per_core = 1, .mpi = true};
    if (vv_net_mpi_open(&argc, &argv, &b.net) != VV_OK) return 1;
    b.rank = b.net->rank;
    b.ranks = b.net->size;
    read_options(argc, argv, &b, &q);
    q.iteration = calibrate();
    if (b.rank == 0)
        printf("%-11s %5s %7s %5s %8s %9s %9s %9s %9s %9s %8s %7s %7s %7s\n", "pattern", "ranks", "threads", "width",
               "tasks", "us/task", "mpi", "METG us", "mpi", "messages", "live", "kernel", "send", "wait");
    for (int i = 0; i < PATTERNS; i++) {
        b.pattern = &patterns[i];
        if (listed(q.patterns, b.pattern->name)) run_pattern(&b, &q);
    }
    vv_net_close(&b.net);
    return 0;
}
