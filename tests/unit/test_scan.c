#include "base/index.h"
#include "kernels/block/op.h"
#include "kernels/cpu.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const vv_dtype working[] = {VV_F32, VV_F64, VV_I64, VV_U64};
enum { MAX_N = 1500 };

/* --- references along one line, in long double for reals and with wrapping for integers --- */

static uint64_t integer_step(const char *name, vv_dtype type, uint64_t s, uint64_t x)
{
    bool less = type == VV_I64 ? (int64_t)x < (int64_t)s : x < s;
    if (!strcmp(name, "sum")) return s + x;
    if (!strcmp(name, "prod")) return s * x;
    return less == !strcmp(name, "min") ? x : s;
}

static long double real_step(const char *name, long double s, long double x, bool first, bool keep)
{
    if (isnan(x)) return keep ? x : s;
    if (!strcmp(name, "sum")) return s + x;
    if (!strcmp(name, "prod")) return s * x;
    if (isnan(s)) return first || !keep ? x : s;
    return (x < s) == !strcmp(name, "min") ? x : s;
}

static void integer_line(const char *name, vv_dtype type, vv_index n, vv_index apart, const uint64_t *x,
                         const uint64_t *out)
{
    uint64_t s = 0;
    for (vv_index i = 0; i < n; i++) {
        s = i ? integer_step(name, type, s, x[i * apart]) : x[0];
        assert_true(out[i * apart] == s);
    }
}

static void real_line(const char *name, vv_dtype type, vv_index n, vv_index apart, const void *x, const double *out,
                      bool keep)
{
    long double s = !strcmp(name, "sum") ? 0 : !strcmp(name, "prod") ? 1 : (long double)NAN, size = 0;
    for (vv_index i = 0; i < n; i++) {
        long double v = (long double)vv_dtype_load(type, (const char *)x + i * apart * vv_dtype_size(type));
        s = real_step(name, s, v, i == 0, keep);
        size += isnan(v) ? 0 : fabsl(v);
        long double unit = !strcmp(name, "sum")
                               ? (type == VV_F64 ? 0x1p-52L : 0x1p-51L * (i + 1) * size / fmaxl(fabsl(s), 1e-300L))
                           : !strcmp(name, "prod") ? 0x1p-52L * (i + 1)
                                                   : 0;
        long double allowed = unit * fabsl(s) + size * 0x1p-62L * (unit > 0);
        double got = out[i * apart];
        if (isnan(s) ? !isnan(got) : !(s == (long double)got || fabsl(s - (long double)got) <= allowed))
            fail_msg("%s %s: element %d is %.17g instead of %.17Lg", name, vv_dtype_name(type), (int)i, got, s);
    }
}

typedef struct problem {
    vv_block_call call;
    const vv_block_op *op;
    vv_dtype in;
    int nd;
    vv_index n[VV_MAX_DIMS], elements;
} problem;

static void *random_input(const problem *p, double nan_share)
{
    char *x = malloc((size_t)(p->elements + 1) * 8);
    assert_non_null(x);
    for (vv_index i = 0; i < p->elements; i++) {
        uint64_t bits = (uint64_t)rand() << 40 ^ (uint64_t)rand() << 20 ^ (uint64_t)rand();
        double v = rand() < nan_share * RAND_MAX ? (double)NAN : 0.5 + rand() / (double)RAND_MAX;
        if (rand() % 2) v = -v;
        if (vv_dtype_is_float(p->in))
            vv_dtype_store(p->in, x + i * vv_dtype_size(p->in), v);
        else
            memcpy(x + i * 8, &bits, 8);
    }
    return x;
}

static void check_lines(const problem *p, const void *x, const void *out)
{
    const char *name = p->op->name + strlen("cumulative_");
    vv_index outer = 1, columns = 1, n = p->n[p->call.axis];
    for (int d = 0; d < p->nd; d++)
        if (d != p->call.axis) *(d < p->call.axis ? &outer : &columns) *= p->n[d];
    for (vv_index a = 0; a < outer; a++)
        for (vv_index c = 0; c < columns; c++) {
            vv_index first = a * n * columns + c;
            const char *line = (const char *)x + first * vv_dtype_size(p->in);
            if (vv_dtype_is_float(p->in))
                real_line(name, p->in, n, columns, line, (const double *)out + first, p->call.keep_nan);
            else
                integer_line(name, p->in, n, columns, (const uint64_t *)x + first, (const uint64_t *)out + first);
        }
}

static void check(const problem *p, double nan_share)
{
    void *x = random_input(p, nan_share), *out = malloc((size_t)(p->elements + 1) * 8);
    vv_bytes room = p->op->workspace(&p->call, p->in, p->nd, p->n, p->n);
    void *workspace = aligned_alloc(64, (size_t)(room / 64 + 1) * 64);
    assert_true(out && workspace);
    vv_cpu_level before = vv_cpu();
    for (int level = 0; level < VV_CPU_LEVELS; level++) {
        if (!vv_cpu_set((vv_cpu_level)level)) continue;
        memset(out, 0x5a, (size_t)(p->elements + 1) * 8);
        p->op->run(&p->call, p->in, p->nd, p->n, p->n, x, out, workspace);
        check_lines(p, x, out);
        for (int i = 0; i < 8; i++) assert_int_equal(((char *)out)[p->elements * 8 + i], 0x5a);
    }
    vv_cpu_set(before);
    free(x);
    free(out);
    free(workspace);
}

static problem problem_of(int op, vv_dtype in, int nd, const vv_index n[], int axis, bool keep)
{
    problem p = {
        .call = {.op = op, .axis = axis, .keep_nan = keep}, .op = &vv_block_ops[op], .in = in, .nd = nd, .elements = 1};
    for (int d = 0; d < nd; d++) p.elements *= p.n[d] = n[d];
    return p;
}

static bool is_scan(int op)
{
    return !vv_block_ops[op].window && !vv_block_ops[op].lanes && !vv_block_ops[op].each;
}

static void every_scan_is_right(void **state)
{
    (void)state;
    srand(11);
    static const vv_index extents[] = {0, 1, 2, 3, 15, 16, 17, 40};
    static const double shares[] = {0, 0.1, 0.9};
    for (int op = 0; op < vv_n_block_ops; op++)
        for (int round = 0; is_scan(op) && round < 120; round++) {
            int nd = 1 + rand() % 3;
            vv_index n[3];
            for (int d = 0; d < nd; d++) n[d] = extents[rand() % 12 ? 1 + rand() % 7 : 0];
            problem p = problem_of(op, working[round % 4], nd, n, rand() % nd, rand() % 3 == 0);
            check(&p, shares[rand() % 3]);
        }
}

static void long_lines_and_wide_boxes(void **state)
{
    (void)state;
    srand(12);
    static const vv_index boxes[][3] = {{1, MAX_N, 1}, {20, 300, 1}, {3, 7, 700}, {33, 260, 3}};
    for (int op = 0; op < vv_n_block_ops; op++)
        for (int b = 0; is_scan(op) && b < 4; b++)
            for (int t = 0; t < 4; t++) {
                problem p = problem_of(op, working[t], 3, boxes[b], 1, b % 2);
                check(&p, b % 2 ? 0 : 0.05);
            }
}

/* A running sum of f64 keeps what single additions lose. */
static void long_sums_do_not_drift(void **state)
{
    (void)state;
    enum { N = 100000 };
    double *x = malloc(N * sizeof *x), *out = malloc(N * sizeof *out);
    assert_true(x && out);
    for (int i = 0; i < N; i++) x[i] = i == 0 ? 1e16 : i == N - 1 ? -1e16 : 0.25;
    problem p = problem_of(vv_block_op_find("cumulative_sum"), VV_F64, 1, (const vv_index[]){N}, 0, false);
    void *workspace = aligned_alloc(64, (size_t)(p.op->workspace(&p.call, p.in, 1, p.n, p.n) / 64 + 1) * 64);
    p.op->run(&p.call, p.in, 1, p.n, p.n, x, out, workspace);
    assert_true(out[N - 1] == 0.25 * (N - 2));
    x[5] = (double)INFINITY;
    p.op->run(&p.call, p.in, 1, p.n, p.n, x, out, workspace);
    assert_true(isinf(out[5]) && isinf(out[N - 1]) && !isinf(out[4]));
    free(x);
    free(out);
    free(workspace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_scan_is_right),
        cmocka_unit_test(long_lines_and_wide_boxes),
        cmocka_unit_test(long_sums_do_not_drift),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
