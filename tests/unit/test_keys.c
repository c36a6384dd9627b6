/* Keys: order-preserving, selected and sorted as by qsort, with ties, NaN and infinities, on every instruction set. */
#include "kernels/cpu.h"
#include "kernels/order/keys.h"
#include "kernels/order/quantile.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const vv_dtype working[] = {VV_F32, VV_F64, VV_I64, VV_U64};
enum { MOST = 6000 };

static uint64_t random_bits(void)
{
    uint64_t r = 0;
    for (int i = 0; i < 5; i++) r = r << 15 ^ (uint64_t)rand();
    return r;
}

/* flavour 0: all bits; 1: few different values; 2: one value and a few others; 3: ascending; 4: around a mean; 5: all but the last bits of a few. */
static void random_value(vv_dtype type, int flavour, int i, void *out)
{
    uint64_t bits = random_bits();
    double v = flavour == 1   ? rand() % 5 - 2
               : flavour == 2 ? (rand() % 50 ? 7 : rand())
               : flavour == 3 ? i
                              : 280 + 20.0 * rand() / RAND_MAX;
    if (flavour == 0 && vv_dtype_is_float(type) && rand() % 30 == 0) v = rand() % 2 ? (double)INFINITY : (double)NAN;
    if (flavour == 5) bits = (uint64_t)(rand() % 3 + 1) << (type == VV_F32 ? 24 : 56) | bits % 1000;
    if ((flavour == 0 && rand() % 30) || flavour == 5) {
        if (type == VV_F32) bits &= 0xffffffff;
        memcpy(out, &bits, (size_t)vv_dtype_size(type));
    } else {
        vv_dtype_store(type, out, v);
    }
}

static vv_dtype now;
static int by_value(const void *a, const void *b)
{
    if (now == VV_I64) return (*(const int64_t *)a > *(const int64_t *)b) - (*(const int64_t *)a < *(const int64_t *)b);
    if (now == VV_U64)
        return (*(const uint64_t *)a > *(const uint64_t *)b) - (*(const uint64_t *)a < *(const uint64_t *)b);
    double x = vv_dtype_load(now, a), y = vv_dtype_load(now, b);
    return (x > y) - (x < y);
}

static void assert_value(const void *keys, vv_index i, const char *want)
{
    char got[8];
    vv_key_store(now, keys, i, got);
    if (vv_dtype_is_float(now)) {
        double g, w = vv_dtype_load(now, want);
        memcpy(&g, got, 8);
        assert_true(g == w && vv_key_value(now, keys, i) == w);
    } else {
        assert_memory_equal(got, want, 8);
    }
}

static void check(vv_dtype type, vv_index n, int flavour)
{
    static uint64_t x[MOST], valid[MOST], keys[MOST], copy[MOST], room[2 * MOST], two[2];
    static int32_t tag[MOST], tag_room[MOST];
    vv_bytes size = vv_dtype_size(type);
    vv_index k = 0;
    now = type;
    for (vv_index i = 0; i < n; i++) {
        char *at = (char *)x + i * size;
        random_value(type, flavour, (int)i, at);
        if (!isnan(vv_dtype_load(type, at)) || !vv_dtype_is_float(type))
            memcpy((char *)valid + k++ * size, at, (size_t)size);
    }
    qsort(valid, (size_t)k, (size_t)size, by_value);
    assert_int_equal(vv_count_nan(type, n, x), n - k);
    assert_int_equal(vv_keys_make(type, n, x, VV_KEYS_DROP, keys, NULL), k);
    memcpy(copy, keys, sizeof keys);
    for (int trial = 0; trial < 5 && k > 0; trial++) {
        vv_index r = trial == 0 ? 0 : trial == 1 ? k - 1 : rand() % k;
        vv_keys_select(type, k, keys, r, room, two);
        assert_value(two, 0, (char *)valid + r * size);
        assert_value(two, 1, (char *)valid + (r + 1 < k ? r + 1 : r) * size);
        assert_memory_equal(keys, copy, k * vv_key_size(type));
    }
    assert_int_equal(vv_keys_make(type, n, x, VV_KEYS_LAST, keys, tag), n);
    vv_keys_sort(type, n, keys, room, tag, tag_room);
    for (vv_index i = 0; i < k; i++) {
        const char *from = (char *)x + tag[i] * size, *before = (char *)x + tag[i ? i - 1 : 0] * size;
        assert_int_equal(by_value(from, (char *)valid + i * size), 0);
        if (i > 0 && by_value(before, from) == 0) assert_true(tag[i - 1] < tag[i]);
    }
    for (vv_index i = k; i < n; i++) assert_true(isnan(vv_key_value(type, keys, i)));
}

static void order_is_that_of_the_values(void **state)
{
    (void)state;
    static const vv_index lengths[] = {1, 2, 47, 48, 49, 200, 511, 513, 2920, 6000};
    vv_cpu_level best = vv_cpu();
    for (int level = 0; level < VV_CPU_LEVELS; level++) {
        if (!vv_cpu_set((vv_cpu_level)level)) continue;
        for (int t = 0; t < 4; t++)
            for (int f = 0; f < 6; f++)
                for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) check(working[t], lengths[l], f);
    }
    vv_cpu_set(best);
}

static void turned_keys_turn_the_order(void **state)
{
    (void)state;
    float x[] = {3, -1, 2, 3, -7}, keys[5], room[5];
    int32_t tag[5], tag_room[5], want[] = {0, 3, 2, 1, 4};
    vv_keys_make(VV_F32, 5, x, VV_KEYS_DROP, keys, tag);
    vv_keys_turn(VV_F32, 5, keys);
    vv_keys_sort(VV_F32, 5, keys, room, tag, tag_room);
    assert_memory_equal(tag, want, sizeof want);
}

static void quantiles_are_where_numpy_has_them(void **state)
{
    (void)state;
    static const struct {
        const char *method;
        vv_index n, low;
        double q, weight;
    } row[] = {{"linear", 5, 1, 0.25, 0},
               {"linear", 4, 2, 0.95, 0.85},
               {"lower", 4, 2, 0.95, 0},
               {"higher", 4, 3, 0.95, 0},
               {"nearest", 4, 2, 0.5, 0},
               {"midpoint", 4, 1, 0.5, 0.5},
               {"weibull", 4, 0, 0, 0},
               {"weibull", 4, 3, 1, 0},
               {"hazen", 4, 1, 0.5, 0.5},
               {"inverted_cdf", 4, 1, 0.5, 0},
               {"averaged_inverted_cdf", 4, 1, 0.5, 0.5},
               {"inverted_cdf", 4, 2, 0.51, 0},
               {"averaged_inverted_cdf", 4, 1, 0.51, 1},
               {"closest_observation", 4, 1, 0.5, 0}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        vv_quantile_place p = vv_quantile_of(vv_quantile_find(row[i].method), row[i].n, row[i].q);
        assert_int_equal(p.low, row[i].low);
        assert_true(fabs(p.weight - row[i].weight) < 1e-12);
        assert_true(p.high == p.low || p.high == p.low + 1);
    }
    assert_int_equal(vv_quantile_find("median"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(order_is_that_of_the_values),
                                       cmocka_unit_test(turned_keys_turn_the_order),
                                       cmocka_unit_test(quantiles_are_where_numpy_has_them)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
