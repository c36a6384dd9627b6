/* The same tasks with StarPU, on the threads of one process: futures.py builds and runs it beside futures.c where StarPU is installed.
 *
 *     STARPU_NCPU=2 peer_starpu [tasks] */
#include <math.h>
#include <starpu.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { WAY = 10 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *room(size_t n, size_t size)
{
    void *p = calloc(n, size);
    if (!p) exit(1);
    return p;
}

/* --- tasks --- */

static void empty(void *buffers[], void *argument)
{
    (void)buffers, (void)argument;
}

typedef struct node {
    int64_t value;
    struct node *part; /* WAY of them; NULL: it has its value */
} node;

static void add(void *buffers[], void *argument)
{
    node *n = argument;
    (void)buffers;
    for (int i = 0; n->part && i < WAY; i++) n->value += n->part[i].value;
}

/* So many seconds; then when it ended. */
static void briefly(void *buffers[], void *argument)
{
    double *x = argument;
    (void)buffers;
    for (double until = now() + *x; now() < until;) {
    }
    *x = now();
}

static void sleeper(void *buffers[], void *argument)
{
    double *x = argument, begin = now();
    (void)buffers;
    nanosleep(&(struct timespec){(time_t)*x, (long)(1e9 * (*x - floor(*x)))}, NULL);
    *x = now() - begin;
}

static struct starpu_codelet does_nothing = {.cpu_funcs = {empty}}, adds = {.cpu_funcs = {add}},
                             is_brief = {.cpu_funcs = {briefly}}, sleeps = {.cpu_funcs = {sleeper}};

static struct starpu_task *task_of(struct starpu_codelet *c, void *argument)
{
    struct starpu_task *t = starpu_task_create();
    t->cl = c;
    t->cl_arg = argument;
    t->cl_arg_size = argument ? sizeof(void *) : 0;
    return t;
}

static void submit(struct starpu_task *t)
{
    if (starpu_task_submit(t) != 0) exit(2);
}

/* --- as in futures.c --- */

static void bench_empty(long n)
{
    double best = INFINITY;
    for (int repeat = 0; repeat < 5; repeat++) {
        double begin = now();
        for (long i = 0; i < n; i++) submit(task_of(&does_nothing, NULL));
        starpu_task_wait_for_all();
        best = fmin(best, now() - begin);
    }
    printf("  StarPU: empty %ld tasks: %.2f us each\n", n, 1e6 * best / (double)n);
}

static void bench_tree(long leaves)
{
    double best = INFINITY;
    long all = 0;
    for (int repeat = 0; repeat < 5; repeat++) {
        node *at = room((size_t)leaves * 2, sizeof *at);
        struct starpu_task **task = room((size_t)leaves * 2, sizeof *task);
        double begin = now();
        long level = 0, next = leaves;
        for (long i = 0; i < leaves; i++) {
            at[i].value = i;
            task[i] = task_of(&adds, &at[i]);
        }
        for (long n = leaves / WAY; n > 0; level = next, next += n, n /= WAY)
            for (long i = 0; i < n; i++) {
                at[next + i].part = &at[level + i * WAY];
                task[next + i] = task_of(&adds, &at[next + i]);
                starpu_task_declare_deps_array(task[next + i], WAY, &task[level + i * WAY]);
            }
        all = next;
        for (long i = 0; i < all; i++) submit(task[i]);
        starpu_task_wait_for_all();
        best = fmin(best, now() - begin);
        if (at[all - 1].value != (int64_t)leaves * (leaves - 1) / 2) exit(3);
        free(task);
        free(at);
    }
    printf("  StarPU: tree %ld tasks: %.2f us each\n", all, 1e6 * best / (double)all);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* One at a time: a loop over what has completed, in any order, is nothing that StarPU has. */
static void bench_latency(void)
{
    enum { N = 3000 };
    static double late[N];
    for (int i = 0; i < N; i++) {
        double x = 100e-6;
        struct starpu_task *t = task_of(&is_brief, &x);
        t->destroy = 0;
        t->detach = 0;
        submit(t);
        if (starpu_task_wait(t) != 0) exit(2);
        late[i] = now() - x;
        starpu_task_destroy(t);
    }
    qsort(late, N, sizeof *late, ascending);
    printf("  StarPU: latency, median %.1f us, 90 %% %.1f us\n", 1e6 * late[N / 2], 1e6 * late[N * 9 / 10]);
}

static void bench_dynamic(void)
{
    enum { N = 2000 };
    static double took[N];
    double sum = 0, longest = 0;
    uint64_t state = 12345;
    for (int i = 0; i < N; i++) {
        double normal = 0;
        for (int k = 0; k < 12; k++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            normal += (double)(state >> 11) / 9007199254740992.0;
        }
        took[i] = 2e-3 * exp(normal - 6);
    }
    double begin = now();
    for (int i = 0; i < N; i++) submit(task_of(&sleeps, &took[i]));
    starpu_task_wait_for_all();
    double makespan = now() - begin;
    for (int i = 0; i < N; i++) {
        sum += took[i];
        longest = fmax(longest, took[i]);
    }
    printf("  StarPU: dynamic %d tasks: %.3f times the ideal\n", N,
           makespan / fmax(longest, sum / (double)starpu_cpu_worker_get_count()));
}

int main(int argc, char **argv)
{
    long tasks = argc > 1 ? (long)atof(argv[1]) : 100000;
    if (starpu_init(NULL) != 0) return 1;
    bench_empty(tasks);
    bench_tree(tasks);
    bench_latency();
    bench_dynamic();
    starpu_shutdown();
    return 0;
}
