/* Delayed calls: what is the same runs once, what is wanted runs, in any order and on any rank; chunks of arrays are calls, and results are chunks of arrays.
 *
 * ranks: 1 2 3 4
 * timeout: 300
 * cores: 1 */
#include "unit/scratch.h"

#include <varve/varve.h>

static vv_session *session;

static void said(vv_status status, vv_status code, const char *words)
{
    if (status != code) fail_msg("%s: %s", vv_status_name(status), vv_last_error());
    assert_message(words);
}

static vv_index submitted(void)
{
    vv_futures_stats stats;
    vv_futures_get_stats(session, &stats);
    return stats.submitted;
}

static vv_index alive(void)
{
    vv_futures_stats stats;
    vv_futures_get_stats(session, &stats);
    return stats.alive;
}

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

static int fails(vv_task *t)
{
    (void)t;
    return vv_error(VV_ERR_READ, "nothing there");
}

static void once(void **state)
{
    (void)state;
    double value;
    vv_delayed *a = vv_delay(session, add, VV_ARGS(vv_i64(1), vv_i64(2)));
    vv_delayed *b = vv_delay(session, add, VV_ARGS(vv_i64(1), vv_i64(2)));
    vv_delayed *c = vv_delay(session, add, VV_ARGS(vv_i64(1), vv_f64(2)));
    vv_delayed *d = vv_delay_impure(session, add, VV_ARGS(vv_i64(1), vv_i64(2)), NULL);
    assert_ptr_equal(a, b);
    assert_ptr_not_equal(a, c);
    assert_ptr_not_equal(a, d);
    vv_arg list[] = {vv_later(a), vv_later(b), vv_later(d), vv_later(a)};
    vv_delayed *e = vv_delay(session, add, VV_ARGS(vv_list(list, 4), vv_later(c)));
    vv_delayed *f = vv_delay(session, add, VV_ARGS(vv_list(list, 4), vv_later(c)));
    assert_ptr_equal(e, f);
    vv_index before = submitted();
    must(vv_delayed_f64(e, &value));
    assert_true(value == 15);
    assert_int_equal(submitted() - before, 4); /* a, c, d, e */
    vv_future both[2];
    before = submitted();
    must(vv_delayed_submit((vv_delayed *[]){e, a}, 2, both));
    assert_int_equal(submitted() - before, 4);
    before = submitted();
    must(vv_delayed_f64(e, &value)); /* its future is held: nothing runs */
    assert_int_equal(submitted() - before, 0);
    vv_future_release(session, both, 2);
    assert_int_equal(alive(), 0);
    vv_delayed *all[] = {a, b, c, d, e, f};
    vv_delayed_release(all, 6);
    assert_null(all[0]);
}

/* 10,000 numbers in a tree of tens. */
static void tree(void **state)
{
    (void)state;
    enum { N = 10000, WAY = 10 };
    vv_delayed **d = malloc(N * sizeof *d);
    int n = N;
    double sum;
    assert_non_null(d);
    for (int i = 0; i < N; i++) d[i] = vv_delay(session, add, VV_ARGS(vv_i64(i)));
    for (; n > 1; n /= WAY)
        for (int i = 0; i < n / WAY; i++) {
            vv_arg part[WAY];
            for (int k = 0; k < WAY; k++) part[k] = vv_later(d[i * WAY + k]);
            vv_delayed *up = vv_delay(session, add, part, WAY);
            vv_delayed_release(d + (ptrdiff_t)i * WAY, WAY);
            d[i] = up;
        }
    must(vv_delayed_f64(d[0], &sum));
    assert_true(sum == 49995000);
    vv_delayed_release(d, 1);
    free(d);
    assert_int_equal(alive(), 0);
}

static void chain(void **state)
{
    (void)state;
    enum { N = 20000 };
    double value;
    vv_delayed *d = vv_delay(session, add, NULL, 0);
    for (int i = 0; i < N; i++) {
        vv_delayed *next = vv_delay(session, add, VV_ARGS(vv_later(d), vv_i64(1)));
        vv_delayed_release(&d, 1);
        d = next;
    }
    must(vv_delayed_f64(d, &value));
    assert_true(value == N);
    vv_delayed_release(&d, 1);
}

static void mistakes(void **state)
{
    (void)state;
    double value;
    vv_delayed *none = vv_delay(session, NULL, NULL, 0);
    vv_delayed *after = vv_delay(session, add, VV_ARGS(vv_later(none)));
    said(vv_delayed_f64(after, &value), VV_ERR_USAGE, "a delayed function is NULL");
    vv_delayed *future = vv_delay(session, add, VV_ARGS(vv_of((vv_future){7})));
    said(vv_delayed_status(future), VV_ERR_USAGE, "vv_later()");
    vv_delayed *bad = vv_delay(session, fails, NULL, 0), *use = vv_delay(session, add, VV_ARGS(vv_later(bad)));
    said(vv_delayed_f64(use, &value), VV_ERR_READ, "nothing there");
    vv_delayed *a = vv_delay_impure(session, add, VV_ARGS(vv_i64(1), vv_i64(5)), NULL);
    vv_delayed *b = vv_delay_impure(session, add, VV_ARGS(vv_later(a), vv_i64(1)), NULL);
    must(vv_delayed_set(a, 0, vv_i64(3)));
    must(vv_delayed_f64(b, &value));
    assert_true(value == 9);
    vv_arg list[] = {vv_i64(1), vv_i64(2)};
    must(vv_delayed_set(a, 0, vv_list(list, 2)));
    must(vv_delayed_f64(b, &value));
    assert_true(value == 9);
    must(vv_delayed_set(a, 1, vv_later(b)));
    said(vv_delayed_f64(b, &value), VV_ERR_USAGE, "that wait for each other");
    said(vv_delayed_set(a, 2, vv_i64(1)), VV_ERR_USAGE, "argument 2 of a call that has 2");
    said(vv_delayed_set(use, 0, vv_i64(1)), VV_ERR_USAGE, "impure");
    must(vv_delayed_set(a, 1, vv_i64(0)));
    must(vv_delayed_f64(b, &value));
    assert_true(value == 4);
    vv_delayed *all[] = {none, after, future, bad, use, a, b};
    vv_delayed_release(all, 7);
    assert_int_equal(alive(), 0);
}

static void picture(void **state)
{
    (void)state;
    char path[64], line[200];
    int edges = 0;
    snprintf(path, sizeof path, "/tmp/varve-calls-%d.dot", (int)getpid());
    vv_delayed *a = vv_delay(session, add, VV_ARGS(vv_i64(1))),
               *b = vv_delay(session, add, VV_ARGS(vv_later(a), vv_later(a)));
    must(vv_delayed_visualise(&b, 1, path));
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) edges += strstr(line, "->") != NULL;
    fclose(f);
    unlink(path);
    assert_int_equal(edges, 2);
    said(vv_delayed_visualise(&b, 1, "/nowhere/calls.dot"), VV_ERR_WRITE, "cannot write");
    said(vv_delayed_visualise(&b, 1, "calls.doc"), VV_ERR_USAGE, ".svg");
    /* drawn: a box for each call, a line for each use of a result, what is in chunks of arrays too */
    vv_delayed **chunk, *all[3] = {b};
    int n, boxes = 0, lines = 0;
    must(vv_delayed_from_array(vv_rechunk(vv_arange(session, "x", 0, 4, 1, VV_F64), "x:2"), &chunk, &n));
    assert_int_equal(n, 2);
    all[1] = vv_delay(session, add, VV_ARGS(vv_later(a), vv_f64(0.5), vv_later(chunk[0])));
    all[2] = vv_delay_impure(session, add, VV_ARGS(vv_later(all[1]), vv_buffer("<&>", 3), vv_later(chunk[1])), NULL);
    snprintf(path, sizeof path, "/tmp/varve-calls-%d.svg", (int)getpid());
    must(vv_delayed_visualise(all, 3, path));
    f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f))
        boxes += strstr(line, "</text>") != NULL, lines += strstr(line, "(_, 0.5, _)") != NULL;
    fclose(f);
    unlink(path);
    assert_int_equal(boxes, 6);
    assert_int_equal(lines, 1);
    vv_delayed_release(all + 1, 2);
    vv_delayed_release(chunk, n);
    free(chunk);
    vv_delayed_release(&a, 1);
    vv_delayed_release(&b, 1);
}

/* --- arrays --- */

static int total(vv_task *t)
{
    vv_bytes size;
    const double *x = vv_task_data(t, 0, &size);
    double sum = 0;
    for (vv_index i = 0; i < size / 8; i++) sum += x[i];
    return vv_return_f64(t, sum);
}

static int ramp(vv_task *t)
{
    int64_t from = vv_task_i64(t, 0), n = vv_task_i64(t, 1);
    double *out = vv_return_room(t, n * 8);
    for (int64_t i = 0; out && i < n; i++) out[i] = (double)(from + i);
    return out ? 0 : VV_ERR_NOMEM;
}

static void from_arrays(void **state)
{
    (void)state;
    vv_array *a = vv_rechunk(vv_arange(session, "x", 0, 10000, 1, VV_F64), "x:700");
    vv_delayed **chunk, *sums[64];
    vv_arg part[64];
    int n;
    double value;
    must(vv_delayed_from_array(a, &chunk, &n));
    assert_int_equal(n, 15);
    assert_false(vv_array_persisted(a)); /* nothing is computed before anything is wanted */
    for (int i = 0; i < n; i++) {
        sums[i] = vv_delay(session, total, VV_ARGS(vv_later(chunk[i])));
        part[i] = vv_later(sums[i]);
    }
    vv_delayed *all = vv_delay(session, add, VV_ARGS(vv_list(part, n)));
    must(vv_delayed_f64(all, &value));
    assert_true(value == 49995000);
    must(vv_delayed_f64(sums[14], &value));
    assert_true(value == (9800 + 9999) * 100.);
    assert_true(vv_array_persisted(a));
    vv_unpersist(a);
    must(vv_delayed_f64(sums[2], &value)); /* it is computed again */
    assert_true(value == (1400 + 2099) * 350.);
    /* the same chunks, however it is held: of the whole array, then again of chunks */
    vv_delayed **again;
    int same;
    must(vv_delayed_from_array(a, &again, &same));
    assert_int_equal(same, n);
    for (int i = 0; i < n; i++) assert_ptr_equal(again[i], chunk[i]);
    vv_delayed_release(again, same);
    free(again);
    vv_delayed_release(&all, 1);
    vv_delayed_release(sums, n);
    vv_delayed_release(chunk, n);
    free(chunk);
}

static void to_arrays(void **state)
{
    (void)state;
    enum { N = 13, LENGTH = 60 };
    vv_delayed *d[N], *bad[2];
    double sum, all[N * LENGTH];
    for (int i = 0; i < N; i++) d[i] = vv_delay(session, ramp, VV_ARGS(vv_i64(i * LENGTH), vv_i64(LENGTH)));
    vv_index before = submitted();
    vv_array *a = vv_array_from_delayed(session, d, N, "y:13,x:60", "y:1", VV_F64);
    vv_array *other = vv_array_from_delayed(session, d, N, "x:780", "x:60", VV_F64); /* never wanted */
    vv_array *s = vv_sum(vv_mul(a, vv_scalar(session, 2)), NULL);
    must(vv_array_status(other));
    assert_int_equal(submitted(), before);
    must(vv_compute(s, &sum, sizeof sum));
    assert_true(sum == 779. * 780);
    before = submitted();
    must(vv_compute(vv_transpose(a, NULL), all, sizeof all));
    assert_int_equal(submitted(), before); /* they are there */
    for (int i = 0; i < N * LENGTH; i++) assert_true(all[i] == i / N + i % N * LENGTH);
    /* and back again */
    vv_delayed **chunk;
    int n;
    must(vv_delayed_from_array(vv_rechunk(a, "y:-1,x:7"), &chunk, &n));
    assert_int_equal(n, 9);
    vv_delayed *part = vv_delay(session, total, VV_ARGS(vv_later(chunk[8])));
    must(vv_delayed_f64(part, &sum));
    double expected = 0;
    for (int y = 0; y < N; y++)
        for (int x = 56; x < 60; x++) expected += y * LENGTH + x;
    assert_true(sum == expected);
    vv_delayed_release(&part, 1);
    vv_delayed_release(chunk, n);
    free(chunk);
    /* what does not fit */
    said(vv_array_status(vv_array_from_delayed(session, d, N, "y:13,x:60", NULL, VV_F64)), VV_ERR_SHAPE,
         "1 chunks from 13");
    bad[0] = d[0];
    bad[1] = vv_delay(session, ramp, VV_ARGS(vv_i64(0), vv_i64(59)));
    vv_array *short_of = vv_array_from_delayed(session, bad, 2, "x:120", "x:60", VV_F64);
    said(vv_compute(vv_sum(short_of, NULL), &sum, sizeof sum), VV_ERR_SHAPE, "480 bytes, and a delayed call gave 472");
    vv_delayed *failing = vv_delay(session, fails, NULL, 0);
    vv_array *none = vv_array_from_delayed(session, &failing, 1, "x:1", NULL, VV_F64);
    said(vv_compute(none, &sum, sizeof sum), VV_ERR_READ, "nothing there");
    must(vv_compute(vv_sum(a, NULL), &sum, sizeof sum)); /* the others are still there */
    assert_true(sum == 779. * 390);
    vv_delayed_release(&bad[1], 1);
    vv_delayed_release(&failing, 1);
    vv_delayed_release(d, N);
}

/* --- arrays and calls in turn --- */

static int twice(vv_task *t)
{
    vv_bytes size;
    const double *x = vv_task_data(t, 0, &size);
    double *out = vv_return_room(t, size);
    for (vv_index i = 0; out && i < size / 8; i++) out[i] = 2 * x[i];
    return out ? 0 : VV_ERR_NOMEM;
}

/* Of two arrays. */
static int plus(vv_task *t)
{
    vv_bytes size;
    const double *x = vv_task_data(t, 0, &size), *y = vv_task_data(t, 1, NULL);
    double *out = vv_return_room(t, size);
    for (vv_index i = 0; out && i < size / 8; i++) out[i] = x[i] + y[i];
    return out ? 0 : VV_ERR_NOMEM;
}

static _Atomic int counted;
static int count_up(vv_index n, const void *const in[], void *out, const void *data)
{
    (void)data;
    for (vv_index i = 0; i < n; i++) ((double *)out)[i] = ((const double *)in[0])[i] + 1;
    counted += (int)n;
    return 0;
}

/* n calls of the chunks of an array as an array of the same shape, in chunks of `chunks`. */
static vv_array *doubled(vv_array *a, const char *dims, const char *chunks, int expected)
{
    vv_delayed **chunk, *call[64];
    int n;
    must(vv_delayed_from_array(a, &chunk, &n));
    assert_int_equal(n, expected);
    for (int i = 0; i < n; i++) call[i] = vv_delay(session, twice, VV_ARGS(vv_later(chunk[i])));
    vv_delayed_release(chunk, n);
    free(chunk);
    vv_array *b = vv_array_from_delayed(session, call, n, dims, chunks, VV_F64);
    vv_delayed_release(call, n);
    must(vv_array_status(b));
    return b;
}

/* An array, calls of its chunks, an array of these, calls of that one's chunks, and what both arrays are part of: by one compute. */
static void mixed(void **state)
{
    (void)state;
    enum { N = 60 };
    double got[N], sum;
    vv_array *x = vv_mul(vv_rechunk(vv_arange(session, "x", 0, N, 1, VV_F64), "x:7"), vv_scalar(session, 3));
    vv_array *shared = vv_map(session, count_up, &x, 1, NULL),
             *first = vv_rechunk(vv_mul(shared, vv_scalar(session, 0.5)), "x:7");
    vv_array *a = doubled(first, "x:60", "x:7", 9);                             /* shared */
    vv_array *b = doubled(vv_add(a, vv_scalar(session, 10)), "x:60", "x:7", 9); /* 2 (shared + 10) */
    vv_array *all = vv_add(vv_add(a, b), shared);                               /* 4 shared + 20 */
    vv_index before = submitted();
    char *text;
    must(vv_explain(all, NULL, &text));
    assert_non_null(strstr(text, "9 delayed calls"));
    free(text);
    assert_int_equal(submitted(), before); /* nothing of this runs before it is wanted */
    assert_false(vv_array_persisted(first));
    vv_array *total_of = vv_sum(all, NULL);
    must(vv_compute_all((vv_array *[]){all, total_of}, (void *[]){got, &sum}, (vv_bytes[]){sizeof got, sizeof sum}, 2));
    for (int i = 0; i < N; i++) assert_true(got[i] == 4 * (3 * i + 1) + 20);
    assert_true(sum == 4 * (3 * 1770 + N) + 20 * N);
    /* 2 arrays of 9 chunks, each with a call; two promises of 9 chunks, and as many ranks that get to know them */
    assert_int_equal(submitted() - before, 4 * 9 + 2 * 9 + 2 * vv_session_ranks(session));
    if (vv_session_ranks(session) == 1) assert_int_equal(counted, N);
    assert_false(vv_array_persisted(shared)); /* it was held while that was of use */
    before = submitted();
    must(vv_compute(vv_max(all, NULL), &sum, sizeof sum)); /* they are there */
    assert_true(sum == 4 * (3 * 59 + 1) + 20);
    assert_int_equal(submitted(), before);
}

/* What calls of several arrays have in common runs once. */
static void promised_together(void **state)
{
    (void)state;
    double sum;
    vv_delayed *ramped = vv_delay_impure(session, ramp, VV_ARGS(vv_i64(5), vv_i64(4)), NULL);
    vv_delayed *more = vv_delay(session, twice, VV_ARGS(vv_later(ramped)));
    vv_array *a = vv_array_from_delayed(session, &ramped, 1, "x:4", NULL, VV_F64);
    vv_array *b = vv_array_from_delayed(session, &more, 1, "x:4", NULL, VV_F64);
    vv_index before = submitted();
    must(vv_compute(vv_sum(vv_add(a, b), NULL), &sum, sizeof sum));
    assert_true(sum == 3 * (5 + 6 + 7 + 8));
    assert_int_equal(submitted() - before, 2 + 2 + 2 * vv_session_ranks(session));
    vv_delayed_release(&ramped, 1);
    vv_delayed_release(&more, 1);
}

/* Calls of one chunk each, whose arguments are a chunk of an array and the results of others. */
static vv_array *made_of(vv_array *a, vv_delayed *other)
{
    vv_delayed **chunk;
    int n;
    must(vv_delayed_from_array(a, &chunk, &n));
    assert_int_equal(n, 1);
    vv_delayed *both = vv_delay(session, plus, VV_ARGS(vv_later(chunk[0]), vv_later(other)));
    vv_array *b = vv_array_from_delayed(session, &both, 1, "x:4", NULL, VV_F64);
    vv_delayed_release(&both, 1);
    vv_delayed_release(chunk, n);
    free(chunk);
    must(vv_array_status(b));
    return b;
}

/* Calls whose results are wanted early and again late, in one computation. */
static void shared_across(void **state)
{
    (void)state;
    double sum, *values;
    int holding = 1 + vv_session_ranks(session); /* tasks that keep an array of one chunk */
    vv_delayed *early = vv_delay_impure(session, ramp, VV_ARGS(vv_i64(5), vv_i64(4)), NULL);
    vv_delayed *also = vv_delay_impure(session, twice, VV_ARGS(vv_later(early)), NULL);
    vv_array *a = vv_array_from_delayed(session, &early, 1, "x:4", NULL, VV_F64);
    vv_array *c = vv_array_from_delayed(session, &also, 1, "x:4", NULL, VV_F64);
    /* one array feeds the other's call, which shares a call with it */
    vv_array *b = made_of(vv_add(a, vv_scalar(session, 1)), early);
    vv_index before = submitted();
    must(vv_compute(vv_sum(vv_add(a, b), NULL), &sum, sizeof sum));
    assert_true(sum == 3 * 26 + 4);
    assert_int_equal(submitted() - before, 3 + 2 * holding); /* early, the chunk, the call of both */
    /* neither array is part of what is computed; one follows the other: also, which needs early, is for both */
    vv_array *d = made_of(vv_add(c, vv_scalar(session, 2)), also), *e = made_of(vv_add(d, c), also);
    before = submitted();
    must(vv_compute(vv_sum(e, NULL), &sum, sizeof sum));
    assert_true(sum == 8 * 26 + 4 * 2);
    assert_int_equal(submitted() - before, 2 + 2 * 2 + 3 * holding);
    /* the same for a call that the driver wants */
    vv_delayed *late = vv_delay_impure(session, twice, VV_ARGS(vv_later(early)), NULL), **chunk;
    vv_array *f = vv_array_from_delayed(session, &late, 1, "x:4", NULL, VV_F64);
    int n;
    vv_bytes size;
    must(vv_delayed_from_array(vv_add(f, vv_scalar(session, 3)), &chunk, &n));
    vv_delayed *all = vv_delay(session, plus, VV_ARGS(vv_later(chunk[0]), vv_later(late)));
    before = submitted();
    must(vv_delayed_bytes(all, (void **)&values, &size));
    assert_int_equal(size, 4 * sizeof *values);
    for (int i = 0; i < 4; i++) assert_true(values[i] == 4 * (5 + i) + 3);
    assert_int_equal(submitted() - before, 4 + holding);
    free(values);
    assert_int_equal(alive(), 0); /* nothing is held behind the end */
    vv_delayed_release(chunk, n);
    free(chunk);
    vv_delayed *own[] = {early, also, late, all};
    vv_delayed_release(own, 4);
}

/* A call that gets a chunk of what is made of it. */
static void ring(void **state)
{
    (void)state;
    double values[4], sum;
    vv_delayed *c = vv_delay_impure(session, twice, VV_ARGS(vv_buffer(values, sizeof values)), NULL), **chunk;
    vv_array *a = vv_array_from_delayed(session, &c, 1, "x:4", NULL, VV_F64), *b = vv_add(a, vv_scalar(session, 1));
    int n;
    for (int i = 0; i < 4; i++) values[i] = i;
    must(vv_delayed_from_array(b, &chunk, &n));
    assert_int_equal(n, 1);
    must(vv_delayed_set(c, 0, vv_later(chunk[0])));
    said(vv_compute(vv_sum(b, NULL), &sum, sizeof sum), VV_ERR_USAGE, "wait for each other");
    said(vv_delayed_f64(c, &sum), VV_ERR_USAGE, "wait for each other");
    must(vv_delayed_set(c, 0, vv_buffer(values, sizeof values)));
    must(vv_compute(vv_sum(b, NULL), &sum, sizeof sum));
    assert_true(sum == 16);
    vv_delayed_release(chunk, n);
    free(chunk);
    vv_delayed_release(&c, 1);
    /* an array that cannot be computed is the error of who wants a chunk */
    vv_array *bad = vv_add(a, vv_call(session, "no_such_thing", NULL, 0, NULL));
    assert_int_not_equal(vv_delayed_from_array(bad, &chunk, &n), VV_OK);
    assert_int_equal(n, 0);
    assert_null(chunk);
}

static int driver(vv_session *s, int argc, char **argv)
{
    (void)argc, (void)argv;
    session = s;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(once),          cmocka_unit_test(tree),    cmocka_unit_test(chain),
        cmocka_unit_test(mistakes),      cmocka_unit_test(picture), cmocka_unit_test(from_arrays),
        cmocka_unit_test(to_arrays),     cmocka_unit_test(mixed),   cmocka_unit_test(promised_together),
        cmocka_unit_test(shared_across), cmocka_unit_test(ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? VV_OK : vv_error(VV_ERR_RUN, "tests failed");
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}
