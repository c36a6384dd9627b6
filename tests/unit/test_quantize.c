/* Quantizing: bits that netCDF-C gives (tests/sys/test_writing.py compares with netCDF-C itself), and values that stay as they are. */
#include "kernels/codec/quantize.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static void digits_are_kept(void **state)
{
    (void)state;
    for (int how = VV_BIT_GROOM; how <= VV_GRANULAR_BIT_ROUND; how++) {
        if (how == VV_BIT_ROUND) continue;
        for (int digits = 1; digits <= 6; digits++)
            for (int i = 0; i < 2000; i++) {
                double x = exp(((double)rand() / RAND_MAX - 0.5) * 40) * (rand() % 2 ? 1 : -1), before = x;
                float f = (float)x, as_float = f;
                vv_quantize q = {(vv_quantizer)how, digits};
                vv_quantize_range(&q, VV_F64, i, 1, NULL, &x);
                vv_quantize_range(&q, VV_F32, i, 1, NULL, &f);
                double allowed = 0.5 * pow(10, floor(log10(fabs(before))) + 1 - digits) * 1.001;
                assert_true(fabs(x - before) <= allowed);
                assert_true(fabs((double)f - (double)as_float) <= allowed);
            }
    }
}

static void bits_are_rounded(void **state)
{
    (void)state;
    float x[] = {1.0F + 0x1p-4F, 1.0F + 0x1p-4F + 0x1p-5F, 1.9999F, -3.14159F};
    vv_quantize q = {VV_BIT_ROUND, 3};
    vv_quantize_range(&q, VV_F32, 0, 4, NULL, x);
    static const float want[] = {1.125F, 1.125F, 2.0F, -3.25F};
    for (int i = 0; i < 4; i++) assert_int_equal(bits_of(want[i]), bits_of(x[i]));
    double y[] = {1.0 + 0x1p-30, 3.0};
    q.keep = 52;
    vv_quantize_range(&q, VV_F64, 0, 2, NULL, y);
    assert_true(y[0] == 1.0 + 0x1p-30 && y[1] == 3.0);
}

/* Grooming goes by the number of the element in its variable, not by where a piece begins. */
static void grooming_alternates(void **state)
{
    (void)state;
    float whole[16], pieces[16];
    for (int i = 0; i < 16; i++) whole[i] = pieces[i] = 1.0F / (float)(i + 3);
    vv_quantize q = {VV_BIT_GROOM, 2};
    vv_quantize_range(&q, VV_F32, 0, 16, NULL, whole);
    for (int i = 0; i < 16; i += 3) vv_quantize_range(&q, VV_F32, i, i + 3 <= 16 ? 3 : 1, NULL, pieces + i);
    assert_memory_equal(whole, pieces, sizeof whole);
    assert_int_equal(0, bits_of(whole[0]) & 0x7fff);
    assert_int_equal(0x7fff, bits_of(whole[1]) & 0x7fff);
}

static void what_is_no_number_stays(void **state)
{
    (void)state;
    static const float special[] = {0.0F, -0.0F, INFINITY, -INFINITY, NAN, 1.2345678e20F};
    for (int how = VV_BIT_GROOM; how <= VV_GRANULAR_BIT_ROUND; how++)
        for (int odd = 0; odd < 2; odd++) {
            float x[6];
            memcpy(x, special, sizeof x);
            vv_quantize q = {(vv_quantizer)how, 2};
            vv_quantize_range(&q, VV_F32, odd, 6, &special[5], x);
            assert_memory_equal(special, x, sizeof x);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_are_kept),
        cmocka_unit_test(bits_are_rounded),
        cmocka_unit_test(grooming_alternates),
        cmocka_unit_test(what_is_no_number_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
