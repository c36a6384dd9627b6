/* For test_errands.py: a graph of tasks drawn at random, computed here and by tasks.
 *
 *     mpirun -n 3 errands SEED TASKS
 *     mpirun -n 2 errands endless
 *
 * Some tasks fail, for good or at first; some results are large, some tasks make others. Prints what came of it; a wrong value, or an
 * error of a task that should not have one, ends with exit status 9. An error of all tasks (a planted fault, a message that was lost) ends the driver with it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <varve/varve.h>

enum { MOST_INPUTS = 4, WRONG = 9 };

typedef struct plan {
    int64_t number, kind, size; /* kind: 0 .. see make() */
    int n, input[MOST_INPUTS];
    bool fails;     /* itself or by an input */
    uint64_t value; /* of its result */
} plan;

enum { PLAIN, LARGE, FAILING, SECOND_TRY, MAKING, KINDS = 12 };

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 31) * 0x9e3779b97f4a7c15u;
    return x ^ x >> 29;
}

/* A result: its value everywhere. */
static int write_result(vv_task *t, uint64_t value, vv_bytes size)
{
    uint64_t *out = vv_return_room(t, size);
    for (vv_bytes i = 0; out && i < size / 8; i++) out[i] = value + (uint64_t)i;
    return out ? VV_OK : VV_ERR_NOMEM;
}

static int read_result(vv_task *t, int k, uint64_t *value)
{
    vv_bytes size;
    const uint64_t *data = vv_task_data(t, k, &size);
    for (vv_bytes i = 0; i < size / 8; i++)
        if (data[i] != data[0] + (uint64_t)i) return vv_error(VV_ERR_CORRUPT, "WRONG input %d", k);
    *value = size ? data[0] : 0;
    return VV_OK;
}

static int combine(vv_task *t)
{
    uint64_t value = (uint64_t)vv_task_i64(t, 0), one = 0;
    for (int k = 2; k < t->n; k++) {
        int status = read_result(t, k, &one);
        if (status != VV_OK) return status;
        value = mix(value + one);
    }
    return write_result(t, value, vv_task_i64(t, 1));
}

static int failing(vv_task *t)
{
    return vv_error(VV_ERR_RUN, "meant to fail: %d", (int)vv_task_i64(t, 0));
}

static int second_try(vv_task *t)
{
    return t->attempt == 0 ? vv_error(VV_ERR_RUN, "at first") : combine(t);
}

/* Has another one make the result. */
static int making(vv_task *t)
{
    uint64_t one;
    vv_arg args[MOST_INPUTS + 2] = {t->arg[0], t->arg[1]};
    for (int k = 2; k < t->n; k++) {
        int status = read_result(t, k, &one);
        if (status != VV_OK) return status;
        args[k] = t->arg[k];
    }
    return vv_return_future(t, vv_task_submit(t, combine, args, t->n));
}

static void draw(plan *p, int n, uint64_t seed)
{
    uint64_t state = seed;
    for (int i = 0; i < n; i++) {
        p[i] = (plan){.number = i + 1, .kind = (int64_t)((state = mix(state + 1)) % KINDS), .size = 8};
        if (p[i].kind == LARGE || p[i].kind == MAKING) p[i].size = (int64_t)((state = mix(state + 1)) % 5000 + 1) * 8;
        if (i > 0) p[i].n = (int)((state = mix(state + 1)) % (MOST_INPUTS + 1));
        p[i].fails = p[i].kind == FAILING && i % 9 == 0;
        p[i].value = (uint64_t)p[i].number;
        for (int k = 0; k < p[i].n; k++) {
            int from = i - 1 - (int)((state = mix(state + 1)) % (uint64_t)(i < 40 ? i : 40));
            p[i].input[k] = from;
            p[i].fails |= p[from].fails;
            p[i].value = mix(p[i].value + p[from].value);
        }
    }
}

static vv_status submit(vv_session *s, const plan *p, vv_future f[], int i)
{
    vv_submit_options o = VV_SUBMIT_OPTIONS_INIT;
    vv_arg args[MOST_INPUTS + 2] = {vv_i64(p[i].number), vv_i64(p[i].size)};
    bool fails = p[i].kind == FAILING && i % 9 == 0;
    for (int k = 0; k < p[i].n; k++) args[k + 2] = vv_of(f[p[i].input[k]]);
    o.retries = p[i].kind == SECOND_TRY ? 3 : 0;
    o.priority = (int)(i % 7);
    return vv_submit(s,
                     fails                     ? failing
                     : p[i].kind == SECOND_TRY ? second_try
                     : p[i].kind == MAKING     ? making
                                               : combine,
                     args, p[i].n + 2, &o, &f[i]);
}

/* VV_OK: as it should be. Any other status ends the driver; WRONG at once. */
static vv_status look_at(vv_session *s, const plan *p, vv_future f, int64_t counts[3])
{
    uint64_t *data;
    vv_bytes size;
    vv_status status = vv_gather_new(s, f, (void **)&data, &size);
    if (status == VV_OK) {
        bool right = !p->fails && size == p->size;
        for (vv_bytes i = 0; i < size / 8 && right; i++) right = data[i] == p->value + (uint64_t)i;
        free(data);
        counts[0]++;
        if (right) return VV_OK;
        fprintf(stderr, "errands: task %lld has a wrong result\n", (long long)p->number);
        _exit(WRONG);
    }
    if (p->fails && strstr(vv_last_error(), "meant to fail")) {
        counts[1]++;
        return VV_OK;
    }
    if (strstr(vv_last_error(), "WRONG")) _exit(WRONG);
    counts[2]++; /* a fault, planted elsewhere */
    return status;
}

static int for_ever(vv_task *t)
{
    volatile int more = t->n == 0;
    while (more) {
    }
    return 0;
}

/* A task without end is given up; others go on, and so does the driver. */
static vv_status endless(vv_session *s)
{
    vv_submit_options o = VV_SUBMIT_OPTIONS_INIT;
    vv_future f, after;
    int64_t number;
    o.timeout = 0.5;
    vv_status status = vv_submit(s, for_ever, NULL, 0, &o, &f);
    if (status != VV_OK) return status;
    if (vv_gather_i64(s, f, &number) == VV_OK) return vv_error(VV_ERR_INTERNAL, "an endless task has ended");
    printf("%s\n", vv_last_error());
    o.timeout = 0;
    o.rank = vv_future_rank(s, f) > 0 ? vv_future_rank(s, f) : 0;
    for (int i = 0; i < 20 && status == VV_OK; i++) {
        uint64_t *data = NULL;
        status = vv_submit(s, combine, VV_ARGS(vv_i64(i), vv_i64(8)), &o, &after);
        if (status == VV_OK) status = vv_gather_new(s, after, (void **)&data, NULL);
        if (status == VV_OK && *data != (uint64_t)i) status = vv_error(VV_ERR_INTERNAL, "a wrong result");
        free(data);
    }
    return status;
}

static int driver(vv_session *s, int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "endless")) return endless(s);
    int n = argc > 2 ? atoi(argv[2]) : 300;
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    plan *p = calloc((size_t)n, sizeof *p);
    vv_future *f = calloc((size_t)n, sizeof *f);
    int64_t counts[3] = {0};
    vv_status status = VV_OK, first = VV_OK;
    if (!p || !f) return VV_ERR_NOMEM;
    draw(p, n, seed);
    for (int i = 0; i < n && status == VV_OK; i++) status = submit(s, p, f, i);
    for (int i = n - 1; i >= 0 && status == VV_OK; i -= 1 + (int)(seed % 3)) {
        vv_status here = look_at(s, &p[i], f[i], counts);
        if (here == VV_OK || first != VV_OK) continue;
        first = here;
        fprintf(stderr, "errands: task %lld: %s\n", (long long)p[i].number, vv_last_error());
    }
    if (status == VV_OK && first == VV_OK)
        printf("%d tasks, %lld right, %lld meant to fail\n", n, (long long)counts[0], (long long)counts[1]);
    free(p);
    free(f);
    return status != VV_OK ? status : first;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}
