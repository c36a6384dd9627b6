/* Moments of pairs: split anyhow, as rows or as cells side by side, with weights or without, against the definitions in long double; and Student's probabilities. */
#include "unit/scratch.h"

#include "base/index.h"
#include "kernels/reduce.h"
#include "kernels/student.h"

#include <math.h>

enum { N = 4000, CELLS = 37 };

static double uniform(double lo, double hi)
{
    return lo + (hi - lo) * (rand() / (double)RAND_MAX);
}

static void *state_of(const vv_red *r, vv_index cells)
{
    void *state;
    assert_int_equal(posix_memalign(&state, 64, (size_t)vv_red_state_bytes(r, cells)), 0);
    vv_red_init(r, cells, state);
    return state;
}

/* value[k][i] goes to cell i % cells, in pieces of rows of cells; states are combined from left to right. */
static void *folded(const vv_red *r, vv_index cells, vv_index rows, double *const value[3])
{
    void *all = state_of(r, cells);
    for (vv_index row = 0; row < rows;) {
        void *some = state_of(r, cells);
        for (int piece = rand() % 4; piece >= 0 && row < rows; piece--) {
            vv_index length = cells == 1 ? vv_imin(1 + rand() % 900, rows - row) : cells, step = cells > 1;
            const void *x[3];
            for (int k = 0; k < 3; k++) x[k] = value[k] + row * cells;
            vv_red_fold(r, some, 0, step, length, x);
            row += cells == 1 ? length : 1;
        }
        vv_red_combine(r, all, some);
        free(some);
    }
    return all;
}

static void direct(vv_index cells, vv_index rows, vv_index cell, double *const value[3], bool weighted,
                   long double out[])
{
    long double n = 0, mean[2] = {0, 0}, xx = 0, xy = 0, yy = 0;
    for (int pass = 0; pass < 2; pass++)
        for (vv_index i = cell; i < rows * cells; i += cells) {
            double x = value[0][i], y = value[1][i], w = weighted ? value[2][i] : 1;
            if (isnan(x) || isnan(y) || isnan(w)) continue;
            if (pass == 0) {
                n += w;
                mean[0] += w * (long double)x;
                mean[1] += w * (long double)y;
                continue;
            }
            long double dx = x - mean[0] / n, dy = y - mean[1] / n;
            xx += w * dx * dx, xy += w * dx * dy, yy += w * dy * dy;
        }
    const long double all[VV_PAIR_MOMENTS] = {n, mean[0] / n, mean[1] / n, xx, xy, yy};
    memcpy(out, all, sizeof all);
}

static void check_cells(vv_index cells, vv_index rows, bool weighted, double missing)
{
    double *value[3], *found = malloc((size_t)(cells * VV_PAIR_MOMENTS) * sizeof *found);
    vv_red_spec *spec;
    must(vv_pairs_spec(weighted, &spec));
    const vv_red r = {.kind = &vv_reduction_pairs, .in = VV_F64, .spec = spec};
    assert_true(vv_red_defined(&r) && vv_red_spec_ok(spec));
    for (int k = 0; k < 3; k++) {
        value[k] = malloc((size_t)(cells * rows) * sizeof(double));
        for (vv_index i = 0; i < cells * rows; i++)
            value[k][i] = uniform(0, 1) < missing ? (double)NAN
                          : k == 2                ? uniform(0, 2)
                                                  : uniform(-1, 1) + (k ? -3e5 : 1e6);
    }
    void *state = folded(&r, cells, rows, value);
    vv_red_finish(&r, state, found);
    for (vv_index c = 0; c < cells; c++) {
        long double right[VV_PAIR_MOMENTS];
        const double *got = found + c * VV_PAIR_MOMENTS;
        direct(cells, rows, c, value, weighted, right);
        for (int k = 0; k < VV_PAIR_MOMENTS; k++) {
            long double size = k <= VV_PAIR_Y ? fabsl(right[k]) : sqrtl(right[VV_PAIR_XX] * right[VV_PAIR_YY]);
            if (missing >= 1)
                assert_true(k == VV_PAIR_X || k == VV_PAIR_Y ? isnan(got[k]) : got[k] == 0);
            else
                assert_true(fabsl(got[k] - right[k]) <= 1e-9L * (size + 1e-300L));
        }
    }
    free(state), free(found);
    for (int k = 0; k < 3; k++) free(value[k]);
    vv_red_spec_free(&spec);
}

static void test_moments(void **state)
{
    (void)state;
    for (int trial = 0; trial < 12; trial++) {
        bool weighted = trial % 2;
        double missing = trial % 3 == 0 ? 0 : trial % 3 == 1 ? 0.1 : 0.6;
        check_cells(1, N, weighted, missing);
        check_cells(CELLS, 100, weighted, missing);
    }
    check_cells(1, 50, false, 1);
    check_cells(CELLS, 20, true, 1);
}

/* What one side has not seen leaves the other one as it is, bit by bit. */
static void test_empty_sides(void **state)
{
    const double x[] = {1, 4, 9, 2}, y[] = {3, 3.5, -1, 0};
    double alone[VV_PAIR_MOMENTS], both[VV_PAIR_MOMENTS];
    vv_red_spec *spec;
    (void)state;
    must(vv_pairs_spec(false, &spec));
    const vv_red r = {.kind = &vv_reduction_pairs, .in = VV_F64, .spec = spec};
    for (int side = 0; side < 2; side++) {
        void *full = state_of(&r, 1), *empty = state_of(&r, 1);
        vv_red_fold(&r, full, 0, 0, 4, (const void *[]){x, y});
        vv_red_finish(&r, full, alone);
        if (side) {
            vv_red_combine(&r, empty, full);
            vv_red_finish(&r, empty, both);
        } else {
            vv_red_combine(&r, full, empty);
            vv_red_finish(&r, full, both);
        }
        for (int k = 0; k < VV_PAIR_MOMENTS; k++) assert_true(fabs(alone[k] - both[k]) <= 1e-14 * fabs(alone[k]));
        free(full), free(empty);
    }
    vv_red_spec_free(&spec);
}

/* Answers of scipy.stats.t.sf, doubled. */
static void test_student(void **state)
{
    static const struct {
        double t, freedom, p;
    } rows[] = {
#include "unit/data/student.h"
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double p = vv_student_p(rows[i].t, rows[i].freedom);
        assert_true(fabs(p - rows[i].p) <= 1e-10 * rows[i].p);
        assert_true(p == vv_student_p(-rows[i].t, rows[i].freedom));
    }
    assert_true(vv_student_p(0, 3) == 1 && vv_student_p((double)INFINITY, 3) == 0);
    assert_true(isnan(vv_student_p(1, 0)) && isnan(vv_student_p((double)NAN, 5)) &&
                isnan(vv_student_p(1, (double)NAN)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_moments), cmocka_unit_test(test_empty_sides),
                                       cmocka_unit_test(test_student)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
