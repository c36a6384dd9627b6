/* timeout: 300 */
#include "base/index.h"
#include "kernels/block/op.h"
#include "kernels/cpu.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One problem: a box of windows with its input. */
typedef struct problem {
    vv_block_call call;
    const vv_block_op *op;
    vv_dtype in;
    int nd;
    vv_index n_in[VV_MAX_DIMS], n_out[VV_MAX_DIMS], inputs, outputs;
    void *x;
} problem;

static double at(const problem *p, vv_index i)
{
    return vv_dtype_load(p->in, (const char *)p->x + i * vv_dtype_size(p->in));
}

/* Everything about the window of one output position, without any cleverness. */
typedef struct seen {
    long double valid, all, sum, squares, low, high, weighted, weights, size;
} seen;

static seen look(const problem *p, const vv_index position[])
{
    seen s = {.low = (long double)INFINITY, .high = -(long double)INFINITY};
    vv_index n[VV_MAX_DIMS], k[VV_MAX_DIMS] = {0};
    for (int pass = 0; pass < 2; pass++) {
        long double mean = pass ? s.sum / s.valid : 0;
        for (int d = 0; d < p->nd; d++) n[d] = p->call.before[d] + p->call.after[d] + 1;
        do {
            vv_index i = 0;
            for (int d = 0; d < p->nd; d++) i = i * p->n_in[d] + position[d] + k[d];
            long double x = (long double)at(p, i),
                        w = p->call.weight ? (long double)p->call.weight[k[p->call.axis]] : 1;
            if (pass && !isnan(x)) s.squares += (x - mean) * (x - mean);
            if (pass) continue;
            s.all++;
            if (isnan(x)) continue;
            s.valid++;
            s.sum += x;
            s.size += fabsl(x);
            s.weighted += w * x;
            s.weights += w;
            s.low = x < s.low ? x : s.low;
            s.high = x > s.high ? x : s.high;
        } while (vv_odometer(p->nd, n, k));
    }
    return s;
}

/* The right value, and how far off an f64 computation may be. */
static long double right_value(const problem *p, const seen *s, long double *tolerance)
{
    const char *name = p->op->name + strlen("window_");
    const long double nan = (long double)NAN, unit = 0x1p-50L;
    *tolerance = 0;
    if (s->valid < (p->call.keep_nan ? s->all : (long double)p->call.min_count)) return nan;
    if (!strcmp(name, "count")) return s->valid;
    *tolerance = unit * s->size;
    if (!strcmp(name, "sum")) return s->sum;
    if (s->valid == 0) return nan;
    if (!strcmp(name, "mean")) return s->sum / s->valid;
    if (!strcmp(name, "weighted")) {
        *tolerance = unit * 4 * (s->size + 1);
        return s->weighted / s->weights;
    }
    if (!strcmp(name, "min") || !strcmp(name, "max")) {
        *tolerance = 0;
        return !strcmp(name, "min") ? s->low : s->high;
    }
    long double freedom = s->valid - (long double)p->call.ddof;
    if (freedom <= 0) return nan;
    long double var = s->squares / freedom, mean = fabsl(s->sum / s->valid);
    long double slip =
        64 * s->valid * 0x1p-53L * (var + mean * sqrtl(var)) + s->valid * s->valid * mean * mean * 0x1p-100L;
    *tolerance = slip;
    if (!strcmp(name, "var")) return var;
    *tolerance = var > slip ? slip / sqrtl(var) : sqrtl(slip);
    return sqrtl(var);
}

static void check_value(const problem *p, const vv_index position[], double got)
{
    seen s = look(p, position);
    long double tolerance, right = right_value(p, &s, &tolerance);
    if (isnan(right) ? !isnan(got) : !(fabsl(right - (long double)got) <= tolerance))
        fail_msg("%s at %s: %.17g instead of %.17Lg (%.3Lg off, %.3Lg allowed)", p->op->name, vv_cpu_name(vv_cpu()),
                 got, right, fabsl(right - (long double)got), tolerance);
}

/* At every level: the right values within tolerance at the first, the same bits at the others; nothing written behind the result or the workspace. */
static void check(const problem *p)
{
    enum { GUARD = 8 };
    vv_bytes room = p->op->workspace(&p->call, p->in, p->nd, p->n_in, p->n_out);
    size_t bytes = (size_t)p->outputs * sizeof(double);
    char *workspace = aligned_alloc(64, (size_t)(room + 2 * 64) / 64 * 64);
    double *first = malloc(bytes + GUARD), *out = malloc(bytes + GUARD);
    assert_true(workspace && first && out);
    vv_cpu_level before = vv_cpu();
    bool begun = false;
    for (int level = 0; level < VV_CPU_LEVELS; level++) {
        if (!vv_cpu_set((vv_cpu_level)level)) continue;
        double *to = begun ? out : first;
        memset(to, 0x5a, bytes + GUARD);
        memset(workspace + room, 0x5a, GUARD);
        p->op->run(&p->call, p->in, p->nd, p->n_in, p->n_out, p->x, to, workspace);
        for (int i = 0; i < GUARD; i++) {
            assert_int_equal(((char *)to)[bytes + (size_t)i], 0x5a);
            assert_int_equal(workspace[room + i], 0x5a);
        }
        vv_index position[VV_MAX_DIMS] = {0};
        for (vv_index i = 0; !begun && i < p->outputs; i++, vv_odometer(p->nd, p->n_out, position))
            check_value(p, position, first[i]);
        for (vv_index i = 0; begun && i < p->outputs; i++)
            if (!(isnan(first[i]) && isnan(out[i]))) assert_memory_equal(first + i, out + i, sizeof *out);
        begun = true;
    }
    vv_cpu_set(before);
    free(workspace);
    free(first);
    free(out);
}

static void make_input(problem *p, double mean, double nan_share)
{
    p->inputs = p->outputs = 1;
    for (int d = 0; d < p->nd; d++) {
        p->n_in[d] = p->n_out[d] + p->call.before[d] + p->call.after[d];
        p->inputs *= p->n_in[d];
        p->outputs *= p->n_out[d];
    }
    p->x = malloc((size_t)(p->inputs + 1) * 8);
    assert_non_null(p->x);
    for (vv_index i = 0; i < p->inputs; i++) {
        double v = rand() < nan_share * RAND_MAX ? (double)NAN : mean + rand() / (double)RAND_MAX - 0.5;
        vv_dtype_store(p->in, (char *)p->x + i * vv_dtype_size(p->in), v);
    }
}

static vv_index random_extent(void)
{
    static const vv_index some[] = {0, 1, 2, 3, 5, 7, 15, 16, 17, 33, 40};
    return some[rand() % 11 ? 1 + rand() % 10 : 0];
}

/* A window of up to `most` elements. */
static void random_window(problem *p, int d, vv_index most)
{
    p->call.before[d] = rand() % most;
    p->call.after[d] = rand() % (most - p->call.before[d]);
}

static void check_random(const char *name, double mean, double nan_share)
{
    problem p = {.in = rand() % 2 ? VV_F32 : VV_F64, .nd = rand() % 4};
    p.call.op = vv_block_op_find(name);
    assert_true(p.call.op >= 0);
    p.op = &vv_block_ops[p.call.op];
    if (p.op->weighted && p.nd == 0) p.nd = 1;
    for (int d = 0; d < p.nd; d++) p.n_out[d] = p.nd == 3 ? vv_imin(random_extent(), 7) : random_extent();
    p.call.axis = p.nd ? rand() % p.nd : 0;
    double weight[64];
    for (int d = 0; d < p.nd; d++)
        if (p.op->weighted ? d == p.call.axis : rand() % 2) random_window(&p, d, rand() % 4 ? 9 : p.nd == 1 ? 60 : 25);
    if (p.op->weighted) {
        p.call.n_weights = p.call.before[p.call.axis] + p.call.after[p.call.axis] + 1;
        for (int i = 0; i < p.call.n_weights; i++) weight[i] = 0.1 + rand() / (double)RAND_MAX;
        p.call.weight = weight;
    }
    p.call.min_count = rand() % 5;
    p.call.ddof = rand() % 3;
    p.call.keep_nan = rand() % 4 == 0;
    make_input(&p, mean, nan_share);
    check(&p);
    free(p.x);
}

static void every_window_is_right(void **state)
{
    (void)state;
    srand(5);
    static const double shares[] = {0, 0.1, 0.7, 1};
    for (int op = 0; op < vv_n_block_ops; op++)
        for (int round = 0; vv_block_ops[op].window && round < 80; round++)
            check_random(vv_block_ops[op].name, 0, shares[round % 4]);
}

static void large_means_do_not_spoil_variances(void **state)
{
    (void)state;
    srand(6);
    for (int round = 0; round < 60; round++) check_random(round % 2 ? "window_var" : "window_std", 1e5, 0.1);
}

/* Boxes of several slabs, with columns, with rows to transpose, and windows longer than the data, which is NaN around a few values. */
static void large_boxes(void **state)
{
    (void)state;
    srand(7);
    static const struct {
        vv_index n[3], before[3], after[3];
    } boxes[] = {{{3, 700, 90}, {0, 3, 0}, {0, 2, 0}}, {{50, 3, 900}, {0, 0, 4}, {0, 0, 4}},
                 {{1, 40, 60}, {0, 4, 5}, {0, 5, 4}},  {{2, 5, 3}, {0, 300, 0}, {0, 250, 0}},
                 {{300, 9, 5}, {2, 0, 0}, {0, 0, 0}},  {{90, 40, 5}, {0, 3, 0}, {0, 3, 0}}};
    for (size_t b = 0; b < sizeof boxes / sizeof *boxes; b++)
        for (int op = 0; op < vv_n_block_ops; op++) {
            if (!vv_block_ops[op].window || vv_block_ops[op].weighted) continue;
            problem p = {.call = {.op = op, .min_count = 2}, .op = &vv_block_ops[op], .in = VV_F32, .nd = 3};
            for (int d = 0; d < 3; d++) {
                p.n_out[d] = boxes[b].n[d];
                p.call.before[d] = boxes[b].before[d];
                p.call.after[d] = boxes[b].after[d];
            }
            make_input(&p, 3, b == 3 ? 0.98 : b % 2 ? 0.05 : 0);
            check(&p);
            free(p.x);
        }
}

/* An infinity is gone when the window has passed it, and a huge value leaves no rounding behind. */
static void nothing_stays_behind(void **state)
{
    (void)state;
    enum { N = 60, W = 4, OUT = N - W + 1 };
    double x[N], out[OUT];
    for (int i = 0; i < N; i++) x[i] = 1;
    x[10] = 1e300;
    x[20] = (double)INFINITY;
    static const char *const names[] = {"window_sum", "window_mean"};
    for (int k = 0; k < 2; k++) {
        vv_block_call c = {.op = vv_block_op_find(names[k]), .before = {W - 1}, .min_count = 1};
        const vv_block_op *op = &vv_block_ops[c.op];
        const vv_index n_in = N, n_out = OUT;
        void *workspace = aligned_alloc(64, (size_t)(op->workspace(&c, VV_F64, 1, &n_in, &n_out) / 64 + 1) * 64);
        op->run(&c, VV_F64, 1, &n_in, &n_out, x, out, workspace);
        for (int i = 0; i < OUT; i++)
            if ((i > 10 || i + W <= 10) && (i > 20 || i + W <= 20)) assert_true(out[i] == (k ? 1 : W));
        assert_true(isinf(out[18]));
        free(workspace);
    }
}

static void types_and_names(void **state)
{
    (void)state;
    assert_int_equal(vv_block_op_find("window_nothing"), -1);
    for (int op = 0; op < vv_n_block_ops; op++) {
        const vv_block_op *o = &vv_block_ops[op];
        assert_int_equal(vv_block_op_find(o->name), op);
        if (strncmp(o->name, "window_", 7) != 0 && strncmp(o->name, "cumulative_", 11) != 0) continue;
        assert_int_equal(o->result(VV_F32), VV_F64);
        assert_int_equal(o->result(VV_F64), VV_F64);
        assert_int_equal(o->result(VV_I64), o->window ? VV_NONE : VV_I64);
        assert_int_equal(o->result(VV_U64), o->window ? VV_NONE : VV_U64);
        assert_int_equal(o->result(VV_C64), VV_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_window_is_right), cmocka_unit_test(large_means_do_not_spoil_variances),
        cmocka_unit_test(large_boxes),           cmocka_unit_test(nothing_stays_behind),
        cmocka_unit_test(types_and_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
