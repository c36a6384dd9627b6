/* Reductions that are told more: split anyhow, folded as rows or into cells side by side, combined in order, against counting directly; and what is nonsense is refused. */
#include "unit/scratch.h"

#include "kernels/reduce.h"

#include <math.h>

enum { N = 5000, CELLS = 3 };

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

/* n elements of each value for one cell, in pieces of random length, in states that are combined from left to right. */
static void *folded(const vv_red *r, vv_index n, const char *const x[], vv_bytes size)
{
    void *all = state_of(r, 1);
    for (vv_index at = 0; at < n;) {
        void *some = state_of(r, 1);
        for (int piece = rand() % 3; piece >= 0 && at < n; piece--) {
            const void *values[VV_RED_VALUES];
            vv_index length = 1 + rand() % 1500;
            if (length > n - at) length = n - at;
            for (int k = 0; k < r->spec->n_values; k++) values[k] = x[k] + at * size;
            vv_red_fold(r, some, 0, 0, length, values);
            at += length;
        }
        vv_red_combine(r, all, some);
        free(some);
    }
    must(vv_red_check(r, all));
    return all;
}

static int64_t direct_count(const double edges[], vv_index bins, vv_index bin, const double x[], vv_index n)
{
    int64_t count = 0;
    for (vv_index i = 0; i < n; i++) {
        bool last = bin == bins - 1;
        count += x[i] >= edges[bin] && (x[i] < edges[bin + 1] || (last && x[i] == edges[bins]));
    }
    return count;
}

static void test_bins(void **state)
{
    double *x = malloc(N * sizeof *x);
    (void)state;
    for (int trial = 0; trial < 40; trial++) {
        double edges[61];
        vv_index bins = 1 + rand() % 60;
        bool even = trial % 2;
        vv_even_edges(bins, uniform(-9, 0), uniform(0, 9), trial % 3 == 0, edges);
        for (vv_index i = 1; i < bins && !even; i++) edges[i] = edges[i - 1] + (rand() % 4 ? uniform(0, 0.4) : 0);
        edges[bins] = even || edges[bins] > edges[bins - 1] ? edges[bins] : edges[bins - 1] + 1;
        for (int i = 0; i < N; i++)
            x[i] = rand() % 10 == 0 ? edges[rand() % (bins + 1)] : rand() % 50 == 0 ? (double)NAN : uniform(-12, 12);
        vv_red_spec *spec;
        must(vv_histogram_spec(1, &bins, edges, VV_NONE, &spec));
        const vv_red r = {.kind = &vv_reduction_histogram, .in = VV_F64, .spec = spec};
        assert_true(vv_red_defined(&r));
        int64_t found[60];
        void *all = folded(&r, N, (const char *[]){(const char *)x}, sizeof *x);
        vv_red_finish(&r, all, found);
        for (vv_index b = 0; b < bins; b++)
            if (edges[b] < edges[b + 1] || b == bins - 1)
                assert_int_equal(found[b], direct_count(edges, bins, b, x, N));
        free(all);
        vv_red_spec_free(&spec);
    }
    free(x);
}

/* Cells side by side: element i goes to cell i. */
static void test_cells(void **state)
{
    const vv_index bins[] = {2, 3};
    const double edges[] = {0, 1, 2, -1, 0, 5, 6}, x[CELLS] = {0.5, 2, 1}, y[CELLS] = {-1, 6, 9}, w[CELLS] = {3, 4, 5};
    vv_red_spec *spec;
    double found[CELLS * 6];
    (void)state;
    must(vv_histogram_spec(2, bins, edges, VV_F64, &spec));
    const vv_red r = {.kind = &vv_reduction_histogram, .in = VV_F64, .spec = spec};
    void *all = state_of(&r, CELLS);
    for (int i = 0; i < 2; i++) vv_red_fold(&r, all, 0, 1, CELLS, (const void *[]){x, y, w});
    vv_red_finish(&r, all, found);
    for (int i = 0; i < CELLS * 6; i++) assert_true(found[i] == (i == 0 ? 6 : i == 6 + 5 ? 8 : 0));
    free(all);
    vv_red_spec_free(&spec);
}

static void test_numbers(void **state)
{
    int64_t x[] = {3, 0, 3, 1}, bad[] = {1, -5}, found[4];
    vv_red_spec *spec;
    (void)state;
    must(vv_bincount_spec(4, VV_NONE, &spec));
    const vv_red r = {.kind = &vv_reduction_bincount, .in = VV_I64, .spec = spec};
    void *all = folded(&r, 4, (const char *[]){(const char *)x}, 8);
    vv_red_finish(&r, all, found);
    assert_memory_equal(found, ((int64_t[]){1, 1, 0, 2}), sizeof found);
    vv_red_fold(&r, all, 0, 0, 2, (const void *[]){bad});
    assert_int_equal(vv_red_check(&r, all), VV_ERR_USAGE);
    assert_non_null(strstr(vv_last_error(), "-5"));
    free(all);
    vv_red_spec_free(&spec);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void test_distinct(void **state)
{
    enum { ROOM = 700 };
    double *x = malloc(N * sizeof *x), *sorted = malloc(N * sizeof *x);
    int64_t *found = malloc((1 + 2 * ROOM) * sizeof *found);
    vv_red_spec *spec;
    (void)state;
    must(vv_distinct_spec(ROOM, VV_F64, &spec));
    const vv_red r = {.kind = &vv_reduction_distinct, .in = VV_F64, .spec = spec};
    for (int trial = 0; trial < 20; trial++) {
        int most = trial == 0 ? 4000 : 1 + rand() % 600;
        for (int i = 0; i < N; i++) x[i] = sorted[i] = (double)(rand() % most - most / 2) / 8 + 0.0;
        void *all = folded(&r, N, (const char *[]){(const char *)x}, sizeof *x);
        vv_red_finish(&r, all, found);
        free(all);
        qsort(sorted, N, sizeof *sorted, by_value);
        int n = 0;
        for (int i = 0, k; i < N; i = k, n++) {
            for (k = i; k < N && sorted[k] == sorted[i]; k++) continue;
            if (found[0] < 0) continue;
            assert_memory_equal(&found[1 + n], &sorted[i], sizeof *sorted);
            assert_int_equal(found[1 + ROOM + n], k - i);
        }
        assert_int_equal(found[0], n > ROOM ? -1 : n);
    }
    vv_red_spec_free(&spec);
    free(x), free(sorted), free(found);
}

/* NaN is one, the last; zeros are one; every number of 64 bits is itself. */
static void test_distinct_extremes(void **state)
{
    const double x[] = {-0.0, (double)NAN, 0.0, -(double)INFINITY, -(double)NAN, 5e-324, (double)INFINITY, -5e-324};
    const uint64_t u[] = {UINT64_MAX, 0, (uint64_t)1 << 63, UINT64_MAX};
    const int64_t s[] = {INT64_MAX, 0, INT64_MIN, -1};
    const void *const all[] = {x, u, s};
    const vv_dtype type[] = {VV_F64, VV_U64, VV_I64};
    const int n[] = {8, 4, 4}, different[] = {6, 3, 4};
    int64_t found[41];
    (void)state;
    for (int t = 0; t < 3; t++) {
        vv_red_spec *spec;
        must(vv_distinct_spec(20, type[t], &spec));
        const vv_red r = {.kind = &vv_reduction_distinct, .in = type[t], .spec = spec};
        void *one = folded(&r, n[t], (const char *[]){all[t]}, 8);
        vv_red_finish(&r, one, found);
        assert_int_equal(found[0], different[t]);
        if (t == 0) assert_true(isnan(((double *)found)[6]) && ((double *)found)[3] == 0 && found[1 + 20 + 5] == 2);
        if (t == 1) assert_true(found[1] == 0 && found[3] == -1 && found[1 + 20 + 2] == 2);
        if (t == 2) assert_true(found[1] == INT64_MIN && found[4] == INT64_MAX);
        free(one);
        vv_red_spec_free(&spec);
    }
}

static void test_nonsense(void **state)
{
    vv_red_spec *spec = NULL;
    (void)state;
    assert_int_equal(vv_histogram_spec(1, (vv_index[]){2}, (double[]){0, 2, 1}, VV_NONE, &spec), VV_ERR_USAGE);
    assert_int_equal(vv_histogram_spec(1, (vv_index[]){1}, (double[]){0, (double)NAN}, VV_NONE, &spec), VV_ERR_USAGE);
    assert_int_equal(vv_bincount_spec(0, VV_NONE, &spec), VV_ERR_USAGE);
    assert_int_equal(vv_distinct_spec(5, VV_F32, &spec), VV_ERR_UNSUPPORTED);
    assert_null(spec);
    must(vv_bincount_spec(5, VV_NONE, &spec));
    const vv_red wrong = {.kind = &vv_reduction_histogram, .in = VV_I64, .spec = spec},
                 none = {.kind = &vv_reduction_histogram, .in = VV_F64},
                 needless = {.kind = vv_reduction_find("mean"), .in = VV_I64, .spec = spec};
    assert_false(vv_red_defined(&wrong) || vv_red_defined(&none) || vv_red_defined(&needless));
    spec->state -= 8;
    assert_false(vv_red_spec_ok(spec));
    vv_red_spec_free(&spec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bins),     cmocka_unit_test(test_cells),    cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_distinct), cmocka_unit_test(test_nonsense), cmocka_unit_test(test_distinct_extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
