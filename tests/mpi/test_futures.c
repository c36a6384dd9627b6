/* Tasks that are handed out: values of every kind and size on any rank, order, failures and what they carry, cancelling, time, tasks made by tasks, results that do not
 * fit in memory, arrays between.
 *
 * ranks: 1 2 3 4
 * timeout: 300
 * cores: 1 */
#include "unit/scratch.h"

#include <math.h>
#include <sys/stat.h>
#include <time.h>
#include <varve/varve.h>

static vv_session *session;

static void said(vv_status status, vv_status code, const char *words)
{
    if (status != code) fail_msg("%s: %s", vv_status_name(status), vv_last_error());
    assert_message(words);
}

static void nap(double seconds)
{
    nanosleep(&(struct timespec){(time_t)seconds, (long)(1e9 * (seconds - (double)(time_t)seconds))}, NULL);
}

static vv_index alive(void)
{
    vv_futures_stats stats;
    vv_futures_get_stats(session, &stats);
    return stats.alive;
}

/* --- tasks --- */

static int square(vv_task *t)
{
    int64_t i = vv_task_i64(t, 0);
    return vv_return_i64(t, i * i);
}

/* Numbers, and those in lists within lists. */
static double sum_of(const vv_arg *a)
{
    double sum = a->kind == VV_ARG_I64 ? (double)a->i : a->kind == VV_ARG_F64 ? a->f : 0;
    for (vv_index i = 0; a->kind == VV_ARG_LIST && i < a->n; i++) sum += sum_of(&a->list[i]);
    return sum;
}

static int add(vv_task *t)
{
    double sum = 0;
    for (int i = 0; i < t->n; i++) sum += sum_of(&t->arg[i]);
    return vv_return_f64(t, sum);
}

static int nothing(vv_task *t)
{
    (void)t;
    return 0;
}

/* So many bytes from a seed. */
static int bytes(vv_task *t)
{
    vv_bytes size = vv_task_i64(t, 0);
    int64_t seed = vv_task_i64(t, 1);
    unsigned char *out = vv_return_room(t, size);
    for (vv_bytes i = 0; out && i < size; i++) out[i] = (unsigned char)(seed * 7 + i * 13 + i / 251);
    return out ? 0 : VV_ERR_NOMEM;
}

static int64_t total(const unsigned char *data, vv_bytes size)
{
    int64_t sum = 0;
    for (vv_bytes i = 0; i < size; i++) sum += data[i] * (i % 1000 + 1);
    return sum;
}

static int weigh(vv_task *t)
{
    int64_t sum = 0;
    for (int k = 0; k < t->n; k++) {
        vv_bytes size;
        const unsigned char *data = vv_task_data(t, k, &size);
        if ((uintptr_t)data % 16) return vv_error(VV_ERR_RUN, "data is not aligned");
        sum += total(data, size);
    }
    return vv_return_i64(t, sum);
}

static int64_t expected_total(vv_bytes size, int64_t seed)
{
    int64_t sum = 0;
    for (vv_bytes i = 0; i < size; i++) sum += (unsigned char)(seed * 7 + i * 13 + i / 251) * (i % 1000 + 1);
    return sum;
}

static int where(vv_task *t)
{
    return vv_return_i64(t, t->rank);
}

static int sleepy(vv_task *t)
{
    nap(vv_task_f64(t, 0));
    return vv_return_f64(t, vv_task_f64(t, 0));
}

/* --- values --- */

static void numbers_and_lists(void **state)
{
    (void)state;
    vv_future three, more, all[2];
    int64_t nine;
    double sum;
    must(vv_submit(session, square, VV_ARGS(vv_i64(3)), NULL, &three));
    vv_arg inner[] = {vv_f64(0.5), vv_of(three)};
    vv_arg outer[] = {vv_list(inner, 2), vv_i64(100), vv_list(NULL, 0)};
    must(vv_submit(session, add, VV_ARGS(vv_list(outer, 3), vv_of(three), vv_buffer("abc", 3)), NULL, &more));
    must(vv_gather_i64(session, three, &nine));
    assert_int_equal(nine, 9);
    must(vv_gather_f64(session, more, &sum));
    assert_true(sum == 118.5);
    must(vv_gather_f64(session, three, &sum)); /* integers are numbers, too */
    assert_true(sum == 9);
    said(vv_gather_i64(session, more, &nine), VV_ERR_TYPE, "a real number, not an integer");
    assert_int_equal(vv_future_status(session, more), VV_FUTURE_FINISHED);
    all[0] = three, all[1] = more;
    vv_future old = three;
    vv_future_release(session, all, 2);
    assert_int_equal(all[0].id, 0);
    said(vv_gather_i64(session, old, &nine), VV_ERR_USAGE, "was released");
    said(vv_gather_i64(session, all[0], &nine), VV_ERR_USAGE, "a future that is none");
    assert_int_equal(vv_future_status(session, old), VV_FUTURE_UNKNOWN);
    assert_int_equal(alive(), 0);
}

static void bytes_of_all_sizes(void **state)
{
    (void)state;
    static const vv_bytes size[] = {0, 1, 15, 16, 255, 256, 257, 4096, 100003, 1 << 20};
    enum { N = sizeof size / sizeof *size };
    vv_future made[N], weighed[N], both[N];
    for (int i = 0; i < N; i++) {
        must(vv_submit(session, bytes, VV_ARGS(vv_i64(size[i]), vv_i64(i)), NULL, &made[i]));
        must(vv_submit(session, weigh, VV_ARGS(vv_of(made[i])), NULL, &weighed[i]));
        must(vv_submit(session, weigh, VV_ARGS(vv_of(made[i]), vv_of(made[i / 2]), vv_of(made[i])), NULL, &both[i]));
    }
    for (int i = 0; i < N; i++) {
        int64_t once, all, here = expected_total(size[i], i);
        unsigned char *data;
        vv_bytes got;
        must(vv_gather_i64(session, weighed[i], &once));
        must(vv_gather_i64(session, both[i], &all));
        assert_int_equal(once, here);
        assert_int_equal(all, 2 * here + expected_total(size[i / 2], i / 2));
        must(vv_gather_new(session, made[i], (void **)&data, &got));
        assert_int_equal(got, size[i]);
        assert_int_equal(total(data, got), here);
        free(data);
    }
    vv_future_release(session, made, N);
    vv_future_release(session, weighed, N);
    vv_future_release(session, both, N);
    assert_int_equal(alive(), 0);
}

static void mapped(void **state)
{
    (void)state;
    enum { N = 3000, SIZE = 600 };
    int64_t *item = malloc(N * sizeof *item);
    vv_future *f = malloc(N * sizeof *f);
    unsigned char *all = malloc((size_t)N * SIZE);
    vv_index done;
    assert_true(item && f && all);
    for (int i = 0; i < N; i++) item[i] = i;
    /* the item comes as bytes: the seed is read by this function */
    must(vv_submit_map(session, weigh, item, sizeof *item, N, VV_ARGS(vv_buffer("\1", 1)), NULL, f));
    must(vv_wait_all(session, f, N, -1, &done));
    assert_int_equal(done, N);
    int64_t *sums = malloc(N * sizeof *sums);
    must(vv_gather_all(session, f, N, sums, sizeof *sums));
    for (int i = 0; i < N; i++) assert_int_equal(sums[i], total((unsigned char *)&item[i], 8) + 1);
    vv_future_release(session, f, N);
    for (int i = 0; i < 200; i++) must(vv_submit(session, bytes, VV_ARGS(vv_i64(SIZE), vv_i64(i)), NULL, &f[i]));
    must(vv_gather_all(session, f, 200, all, SIZE));
    for (int i = 0; i < 200; i++) assert_int_equal(total(all + i * SIZE, SIZE), expected_total(SIZE, i));
    said(vv_gather_all(session, f, 200, all, SIZE - 1), VV_ERR_USAGE, "has 600 bytes, not 599");
    vv_future_release(session, f, 200);
    free(sums);
    free(item);
    free(all);
    free(f);
}

static void scattered(void **state)
{
    (void)state;
    enum { SIZE = 50000 };
    static unsigned char data[SIZE];
    int ranks = vv_session_ranks(session);
    for (int i = 0; i < SIZE; i++) data[i] = (unsigned char)(i * 3);
    for (int rank = VV_EVERYWHERE; rank < ranks; rank++) {
        vv_future d, f[8];
        int64_t sum;
        must(vv_scatter(session, data, rank == VV_ANYWHERE ? 100 : SIZE, rank, &d));
        for (int i = 0; i < 8; i++) {
            vv_submit_options o = VV_SUBMIT_OPTIONS_INIT;
            o.rank = i % ranks;
            o.pinned = true;
            must(vv_submit(session, i < 4 ? weigh : where, VV_ARGS(vv_of(d)), &o, &f[i]));
        }
        for (int i = 0; i < 8; i++) {
            must(vv_gather_i64(session, f[i], &sum));
            assert_int_equal(sum, i < 4 ? total(data, rank == VV_ANYWHERE ? 100 : SIZE) : i % ranks);
        }
        unsigned char back[SIZE];
        vv_bytes size;
        must(vv_gather(session, d, back, SIZE, &size));
        assert_memory_equal(back, data, (size_t)size);
        said(vv_gather(session, d, back, 10, NULL), VV_ERR_USAGE, "the buffer 10");
        vv_future_release(session, &d, 1);
        vv_future_release(session, f, 8);
    }
    vv_future none;
    said(vv_scatter(session, data, SIZE, ranks, &none), VV_ERR_USAGE, "scattered to rank");
    assert_int_equal(alive(), 0);
}

/* --- failures --- */

static int fails(vv_task *t)
{
    (void)t;
    return vv_error(VV_ERR_READ, "no such thing as %d", 42);
}

static int returns_seven(vv_task *t)
{
    (void)t;
    return 77;
}

static int wants_text(vv_task *t)
{
    (void)vv_task_string(t, 0);
    return 0;
}

static int writes_past(vv_task *t)
{
    char *room = vv_return_room(t, vv_task_i64(t, 0));
    room[vv_task_i64(t, 0)] = 1;
    return 0;
}

static int writes_before(vv_task *t)
{
    char *room = vv_return_room(t, vv_task_i64(t, 0));
    room[-1] = 1;
    return 0;
}

static int fails_twice(vv_task *t)
{
    if (t->attempt < 2) return vv_error(VV_ERR_RUN, "attempt %d", t->attempt);
    return vv_return_i64(t, t->attempt);
}

static void told(vv_task_function *f, int64_t argument, vv_status code, const char *words)
{
    vv_future a, b;
    double value;
    must(vv_submit(session, f, VV_ARGS(vv_i64(argument)), NULL, &a));
    must(vv_submit(session, add, VV_ARGS(vv_of(a)), NULL, &b));
    said(vv_gather_f64(session, b, &value), code, words); /* what needs it tells the same */
    said(vv_gather_f64(session, a, &value), code, words);
    said(vv_gather_f64(session, a, &value), code, "on rank ");
    assert_int_equal(vv_future_status(session, b), VV_FUTURE_FAILED);
    vv_future_release(session, &a, 1);
    must(vv_submit(session, add, VV_ARGS(vv_of(b)), NULL, &a)); /* submitted when it had failed already */
    said(vv_gather_f64(session, a, &value), code, words);
    vv_future_release(session, &a, 1);
    vv_future_release(session, &b, 1);
}

static void failures(void **state)
{
    (void)state;
    told(fails, 1, VV_ERR_READ, "no such thing as 42");
    told(returns_seven, 1, VV_ERR_RUN, "it returned 77");
    told(wants_text, 1, VV_ERR_TYPE, "asks for argument 0 as bytes, and it is an integer");
    told(writes_past, 10, VV_ERR_RUN, "past the end of its result of 10 bytes");
    told(writes_past, 1000, VV_ERR_RUN, "past the end of its result of 1000 bytes");
    told(writes_before, 1000, VV_ERR_RUN, "in front of its result");
    assert_int_equal(alive(), 0);
    vv_submit_options o = VV_SUBMIT_OPTIONS_INIT;
    vv_future f;
    int64_t attempts;
    o.retries = 2;
    must(vv_submit(session, fails_twice, NULL, 0, &o, &f));
    must(vv_gather_i64(session, f, &attempts));
    assert_int_equal(attempts, 2);
    vv_future_release(session, &f, 1);
    o.retries = 1;
    must(vv_submit(session, fails_twice, NULL, 0, &o, &f));
    said(vv_gather_i64(session, f, &attempts), VV_ERR_RUN, "attempt 1");
    vv_future_release(session, &f, 1);
}

static int divides(vv_task *t)
{
    volatile int zero = (int)vv_task_i64(t, 0);
    return vv_return_i64(t, 1000 / zero);
}

static int strays(vv_task *t)
{
    volatile int *nowhere = (int *)(uintptr_t)vv_task_i64(t, 0); /* NOLINT */
    return vv_return_i64(t, *nowhere);
}

static int (*volatile inner)(vv_task *t) = strays;

static int calls(vv_task *t)
{
    int code = inner(t);
    return code ? code : vv_return_i64(t, 1); /* no tail call */
}

/* A task may fall over its own feet; others go on. */
static void signals(void **state)
{
    (void)state;
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
    skip(); /* the sanitizers want to have such signals themselves */
#endif
    must(vv_futures_end(session)); /* CMocka catches signals, too: who comes last has them */
    for (int i = 0; i < 3; i++) {
        told(divides, 0, VV_ERR_RUN, "signal 8 (Floating point exception) at mpi_futures+0x");
        told(strays, 16, VV_ERR_RUN, "signal 11");
        told(calls, 16, VV_ERR_RUN, ", called from mpi_futures+0x");
    }
    int64_t sum;
    vv_future f;
    must(vv_submit(session, divides, VV_ARGS(vv_i64(10)), NULL, &f));
    must(vv_gather_i64(session, f, &sum));
    assert_int_equal(sum, 100);
    must(vv_futures_end(session));
}

static void bad_input(void **state)
{
    (void)state;
    vv_future f;
    vv_submit_options o = VV_SUBMIT_OPTIONS_INIT;
    void *much = calloc(1, 17 << 20);
    said(vv_submit(session, add, VV_ARGS(vv_buffer(much, 17 << 20)), NULL, &f), VV_ERR_USAGE, "vv_scatter()");
    free(much);
    said(vv_submit(session, NULL, NULL, 0, NULL, &f), VV_ERR_USAGE, "NULL");
    said(vv_submit(session, add, VV_ARGS(vv_of((vv_future){12345678})), NULL, &f), VV_ERR_USAGE, "does not exist");
    said(vv_submit(session, add, VV_ARGS((vv_arg){.kind = 17}), NULL, &f), VV_ERR_USAGE, "no kind");
    o.rank = vv_session_ranks(session);
    said(vv_submit(session, add, NULL, 0, &o, &f), VV_ERR_USAGE, "to run on rank");
    o.rank = VV_ANYWHERE;
    o.pinned = true;
    said(vv_submit(session, add, NULL, 0, &o, &f), VV_ERR_USAGE, "pinned to no rank");
    assert_int_equal(f.id, 0);
    assert_int_equal(alive(), 0);
}

/* --- time --- */

static void cancelled(void **state)
{
    (void)state;
    enum { N = 40 };
    vv_future f[N], after;
    double value;
    vv_index done;
    for (int i = 0; i < N; i++) must(vv_submit(session, sleepy, VV_ARGS(vv_f64(i < 8 ? 0.03 : 0.5)), NULL, &f[i]));
    must(vv_submit(session, add, VV_ARGS(vv_of(f[N - 1])), NULL, &after));
    must(vv_cancel(session, f + 8, N - 8));
    said(vv_gather_f64(session, f[N - 1], &value), VV_ERR_CANCELLED, "was cancelled");
    said(vv_gather_f64(session, after, &value), VV_ERR_CANCELLED, "needs one that was");
    assert_int_equal(vv_future_status(session, after), VV_FUTURE_CANCELLED);
    must(vv_wait_all(session, f, N, -1, &done));
    assert_int_equal(done, N);
    must(vv_gather_f64(session, f[7], &value));
    must(vv_cancel(session, f, 1)); /* has ended: nothing happens */
    must(vv_gather_f64(session, f[0], &value));
    vv_future_release(session, f, N);
    vv_future_release(session, &after, 1);
}

static _Atomic int gate;

static int waits_at_the_gate(vv_task *t)
{
    while (!gate) usleep(200);
    return vv_return_i64(t, 1);
}

/* Waiting ends when its time is over, whatever the tasks do. */
static void waiting_in_vain(void **state)
{
    (void)state;
    vv_future f[2];
    vv_index done;
    vv_submit_options o = VV_SUBMIT_OPTIONS_INIT;
    o.rank = 0;
    o.pinned = true;
    for (int i = 0; i < 2; i++) must(vv_submit(session, waits_at_the_gate, NULL, 0, &o, &f[i]));
    must(vv_wait_all(session, f, 2, 0.02, &done));
    assert_int_equal(done, 0);
    must(vv_wait_any(session, f, 2, 0.02, &done));
    assert_int_equal(done, 0);
    gate = 1;
    must(vv_wait_all(session, f, 2, -1, &done));
    assert_int_equal(done, 2);
    vv_future_release(session, f, 2);
}

static void waiting(void **state)
{
    (void)state;
    enum { N = 4 };
    vv_future f[N];
    vv_index done;
    for (int i = 0; i < N; i++) must(vv_submit(session, sleepy, VV_ARGS(vv_f64(i == 0 ? 0.01 : 1.0)), NULL, &f[i]));
    must(vv_wait_all(session, f, N, 0.0, &done));
    assert_true(done < N);
    must(vv_wait_any(session, f, N, -1, &done));
    assert_true(done >= 1);
    must(vv_wait_all(session, f, N, -1, &done));
    assert_int_equal(done, N);
    must(vv_wait_any(session, f, N, 0, &done));
    assert_int_equal(done, N);
    vv_future_release(session, f, N);
}

static void timeouts(void **state)
{
    (void)state;
    vv_submit_options o = VV_SUBMIT_OPTIONS_INIT;
    vv_future late, good;
    double value;
    o.timeout = 1;
    must(vv_submit(session, sleepy, VV_ARGS(vv_f64(3)), &o, &late));
    must(vv_submit(session, sleepy, VV_ARGS(vv_f64(0.001)), &o, &good));
    must(vv_gather_f64(session, good, &value));
    said(vv_gather_f64(session, late, &value), VV_ERR_RUN, "more than the 1 seconds");
    nap(2.5); /* until its thread is free again: an end before that leaves it what it may still use */
    vv_future_release(session, &late, 1);
    vv_future_release(session, &good, 1);
}

static void in_order_of_end(void **state)
{
    (void)state;
    enum { AT_ONCE = 10, ALL = 200 };
    vv_future f[AT_ONCE], done;
    vv_completed *c;
    int64_t sum = 0;
    int submitted = 0, told_of = 0;
    for (; submitted < AT_ONCE; submitted++)
        must(vv_submit(session, square, VV_ARGS(vv_i64(submitted)), NULL, &f[submitted]));
    must(vv_completed_new(session, f, AT_ONCE, &c));
    while (vv_completed_next(c, -1, &done)) {
        int64_t value;
        must(vv_gather_i64(session, done, &value));
        sum += value;
        told_of++;
        vv_future_release(session, &done, 1);
        if (submitted == ALL) continue;
        vv_future next;
        must(vv_submit(session, square, VV_ARGS(vv_i64(submitted++)), NULL, &next));
        must(vv_completed_add(c, &next, 1));
    }
    assert_int_equal(told_of, ALL);
    assert_int_equal(sum, (int64_t)(ALL - 1) * ALL * (2 * ALL - 1) / 6);
    must(vv_completed_status(c));
    vv_completed_free(&c);
    assert_int_equal(alive(), 0);
    /* given up before its end */
    must(vv_submit(session, sleepy, VV_ARGS(vv_f64(0.5)), NULL, &f[0]));
    must(vv_completed_new(session, f, 1, &c));
    assert_false(vv_completed_next(c, 0, &done));
    assert_int_equal(vv_completed_left(c), 1);
    vv_completed_free(&c);
    vv_future_release(session, f, 1);
}

static void count(vv_session *s, vv_future f, void *context)
{
    int64_t value;
    if (vv_gather_i64(s, f, &value) == VV_OK) *(int64_t *)context += value;
}

static void callbacks(void **state)
{
    (void)state;
    vv_future f[3];
    int64_t sum = 0;
    for (int i = 0; i < 3; i++) {
        must(vv_submit(session, square, VV_ARGS(vv_i64(i + 1)), NULL, &f[i]));
        must(vv_future_then(session, f[i], count, &sum));
    }
    must(vv_wait_all(session, f, 3, -1, NULL));
    assert_int_equal(sum, 14);
    must(vv_future_then(session, f[0], count, &sum));
    assert_int_equal(sum, 15);
    vv_future_release(session, f, 3);
}

/* Says in a file that it has run. */
static int signs(vv_task *t)
{
    nap(vv_task_f64(t, 1));
    FILE *f = fopen(vv_task_string(t, 0), "a");
    if (!f) return VV_ERR_WRITE;
    fputc('x', f);
    return fclose(f) == 0 ? 0 : VV_ERR_WRITE;
}

static long length_of(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 ? (long)s.st_size : 0;
}

/* The driver does nothing of Varve's until tasks have run that take longer than it takes to hand out some: they were handed out before. */
static void busy_driver(void **state)
{
    (void)state;
    enum { SOME = 8, EACH = 40, MOST = 4096 };
    int n = EACH * vv_session_ranks(session) * vv_session_threads(session);
    if (n > MOST) n = MOST;
    vv_future *f = malloc(sizeof *f * (size_t)n);
    char path[64];
    snprintf(path, sizeof path, "/tmp/varve-signs-%d", (int)getpid());
    assert_non_null(f);
    /* what such tasks take is known first */
    for (int i = 0; i < SOME; i++) must(vv_submit(session, signs, VV_ARGS(vv_string(path), vv_f64(0.01)), NULL, &f[i]));
    must(vv_wait_all(session, f, SOME, -1, NULL));
    vv_future_release(session, f, SOME);
    for (int i = 0; i < n; i++) must(vv_submit(session, signs, VV_ARGS(vv_string(path), vv_f64(0.01)), NULL, &f[i]));
    for (int i = 0; i < 6000 && length_of(path) < SOME + n / 2; i++) nap(0.01);
    long ran = length_of(path);
    must(vv_wait_all(session, f, n, -1, NULL));
    assert_true(ran >= SOME + n / 2);
    assert_int_equal(length_of(path), SOME + n);
    unlink(path);
    vv_future_release(session, f, n);
    free(f);
}

/* What has a high priority overtakes what waits. */
static void priorities(void **state)
{
    (void)state;
    enum { N = 400 };
    vv_future f[N], urgent;
    vv_submit_options o = VV_SUBMIT_OPTIONS_INIT;
    vv_index done;
    for (int i = 0; i < N; i++) must(vv_submit(session, sleepy, VV_ARGS(vv_f64(0.004)), NULL, &f[i]));
    o.priority = 10;
    must(vv_submit(session, square, VV_ARGS(vv_i64(1)), &o, &urgent));
    must(vv_wait_all(session, &urgent, 1, -1, NULL));
    must(vv_wait_all(session, f, N, 0, &done));
    assert_true(done < N);
    must(vv_wait_all(session, f, N, -1, NULL));
    vv_future_release(session, f, N);
    vv_future_release(session, &urgent, 1);
}

/* --- tasks made by tasks --- */

static int fibonacci(vv_task *t)
{
    int64_t n = vv_task_i64(t, 0);
    if (n < 2) return vv_return_i64(t, n);
    vv_future a = vv_task_submit(t, fibonacci, VV_ARGS(vv_i64(n - 1)));
    vv_future b = vv_task_submit(t, fibonacci, VV_ARGS(vv_i64(n - 2)));
    return vv_return_future(t, vv_task_submit(t, add, VV_ARGS(vv_of(a), vv_of(b))));
}

static int grows(vv_task *t)
{
    vv_future a = vv_task_submit(t, bytes, VV_ARGS(vv_i64(5000), vv_i64(3)));
    return vv_return_future(t, a);
}

static int makes_failure(vv_task *t)
{
    return vv_return_future(t, vv_task_submit(t, fails, NULL, 0));
}

static int returns_nonsense(vv_task *t)
{
    return vv_return_future(t, (vv_future){-3});
}

static int recurses(vv_task *t)
{
    int64_t n = vv_task_i64(t, 0);
    if (n == 0) return vv_return_i64(t, 4711);
    return vv_return_future(t, vv_task_submit(t, recurses, VV_ARGS(vv_i64(n - 1))));
}

static void from_tasks(void **state)
{
    (void)state;
    vv_future f, g;
    double sum;
    int64_t weight, value;
    must(vv_submit(session, fibonacci, VV_ARGS(vv_i64(12)), NULL, &f));
    must(vv_gather_f64(session, f, &sum));
    assert_true(sum == 144);
    vv_future_release(session, &f, 1);
    must(vv_submit(session, grows, NULL, 0, NULL, &f));
    must(vv_submit(session, weigh, VV_ARGS(vv_of(f)), NULL, &g));
    must(vv_gather_i64(session, g, &weight));
    assert_int_equal(weight, expected_total(5000, 3));
    vv_future_release(session, &g, 1);
    vv_future_release(session, &f, 1);
    must(vv_submit(session, recurses, VV_ARGS(vv_i64(300)), NULL, &f));
    must(vv_gather_i64(session, f, &value));
    assert_int_equal(value, 4711);
    vv_future_release(session, &f, 1);
    told(makes_failure, 1, VV_ERR_READ, "no such thing as 42");
    told(returns_nonsense, 1, VV_ERR_USAGE, "has not made");
    assert_int_equal(alive(), 0);
}

/* --- memory, and arrays --- */

static void beyond_memory(void **state)
{
    (void)state;
    enum { N = 60, SIZE = 4 << 20 };
    vv_bytes before = vv_session_memory(session);
    vv_future f[N], sum[N];
    must(vv_futures_end(session));
    must(vv_session_set_memory(session, 220000000));
    for (int i = 0; i < N; i++) must(vv_submit(session, bytes, VV_ARGS(vv_i64(SIZE), vv_i64(i)), NULL, &f[i]));
    must(vv_wait_all(session, f, N, -1, NULL));
    vv_futures_stats stats;
    vv_futures_get_stats(session, &stats);
    assert_int_equal(stats.results, (vv_bytes)N * SIZE);
    for (int i = 0; i < N; i++) must(vv_submit(session, weigh, VV_ARGS(vv_of(f[i])), NULL, &sum[i]));
    for (int i = 0; i < N; i += 7) {
        int64_t value;
        must(vv_gather_i64(session, sum[i], &value));
        assert_int_equal(value, expected_total(SIZE, i));
    }
    must(vv_wait_all(session, sum, N, -1, NULL));
    vv_future_release(session, f, N);
    vv_future_release(session, sum, N);
    vv_futures_get_stats(session, &stats);
    assert_int_equal(stats.results, 0);
    must(vv_futures_end(session));
    must(vv_session_set_memory(session, before));
}

static void arrays_between(void **state)
{
    (void)state;
    enum { N = 30 };
    vv_future f[N];
    vv_array *a = vv_arange(session, "x", 0, 1000, 1, VV_F64);
    for (int i = 0; i < N; i++) must(vv_submit(session, sleepy, VV_ARGS(vv_f64(0.002)), NULL, &f[i]));
    for (int round = 0; round < 3; round++) {
        double sum;
        must(vv_compute(vv_sum(a, NULL), &sum, sizeof sum));
        assert_true(sum == 499500);
    }
    double value;
    for (int i = 0; i < N; i++) must(vv_gather_f64(session, f[i], &value));
    vv_future_release(session, f, N);
    must(vv_futures_end(session));
    must(vv_compute(vv_sum(a, NULL), &value, sizeof value));
    assert_true(value == 499500);
}

/* Ends while much is under way, and begins again. */
static void ended_early(void **state)
{
    (void)state;
    enum { N = 300 };
    vv_future f[N];
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < N; i++) {
            vv_arg a = i > 0 && i % 3 == 0 ? vv_of(f[i - 1]) : vv_buffer("x", 1);
            if (i % 3 == 2)
                must(vv_submit(session, bytes, VV_ARGS(vv_i64(3000), vv_i64(i)), NULL, &f[i]));
            else
                must(vv_submit(session, weigh, &a, 1, NULL, &f[i]));
        }
        must(vv_futures_end(session));
        assert_int_equal(vv_future_status(session, f[0]), VV_FUTURE_UNKNOWN);
    }
    must(vv_submit(session, nothing, NULL, 0, NULL, f));
    must(vv_wait_all(session, f, 1, -1, NULL));
    vv_future_release(session, f, 1);
}

static int driver(vv_session *s, int argc, char **argv)
{
    (void)argc, (void)argv;
    session = s;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_and_lists), cmocka_unit_test(bytes_of_all_sizes), cmocka_unit_test(mapped),
        cmocka_unit_test(scattered),         cmocka_unit_test(failures),           cmocka_unit_test(signals),
        cmocka_unit_test(bad_input),         cmocka_unit_test(cancelled),          cmocka_unit_test(waiting),
        cmocka_unit_test(waiting_in_vain),   cmocka_unit_test(timeouts),           cmocka_unit_test(in_order_of_end),
        cmocka_unit_test(callbacks),         cmocka_unit_test(priorities),         cmocka_unit_test(busy_driver),
        cmocka_unit_test(from_tasks),        cmocka_unit_test(beyond_memory),      cmocka_unit_test(arrays_between),
        cmocka_unit_test(ended_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? VV_OK : vv_error(VV_ERR_RUN, "tests failed");
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}
