/* Which values do not fit a type that was asked for. */
#include "kernels/codec/decode.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static vv_index check_real(vv_dtype to, double value, const vv_encode *like)
{
    vv_encode e = like ? *like : (vv_encode){.scale = 1};
    double at[] = {0, value};
    e.in = VV_F64;
    e.to = to;
    return vv_encode_check(&e, at, 2);
}

static vv_index check_whole(vv_dtype in, vv_dtype to, int64_t value, const vv_encode *like)
{
    vv_encode e = like ? *like : (vv_encode){.scale = 1};
    int64_t at[] = {1, value};
    e.in = in;
    e.to = to;
    return vv_encode_check(&e, at, 2);
}

static void reals_fit_or_not(void **state)
{
    (void)state;
    static const struct {
        vv_dtype to;
        double good, bad;
    } limit[] = {{VV_I8, 127.4, 127.6},
                 {VV_I8, -128.4, -128.6},
                 {VV_U8, -0.4, -0.6},
                 {VV_I16, 32767, 32768},
                 {VV_U16, 65535.4, 65536},
                 {VV_I32, -2147483648., -2147483649.},
                 {VV_U32, 4294967295., 4294967296.},
                 {VV_I64, 0x1.fffffffffffffp62, 0x1p63},
                 {VV_I64, -0x1p63, -0x1.0000000000001p63},
                 {VV_U64, 0x1.fffffffffffffp63, 0x1p64},
                 {VV_U64, 0, -1},
                 {VV_I32, NAN, INFINITY},
                 {VV_F32, (double)FLT_MAX, 1e39},
                 {VV_F32, INFINITY, -1e39}};
    for (size_t i = 0; i < sizeof limit / sizeof *limit; i++) {
        assert_int_equal(-1, check_real(limit[i].to, limit[i].good, NULL));
        assert_int_equal(1, check_real(limit[i].to, limit[i].bad, NULL));
    }
}

static void whole_numbers_are_compared_exactly(void **state)
{
    (void)state;
    assert_int_equal(-1, check_whole(VV_I64, VV_I16, 32767, NULL));
    assert_int_equal(1, check_whole(VV_I64, VV_I16, 32768, NULL));
    assert_int_equal(1, check_whole(VV_I64, VV_U64, -1, NULL));
    assert_int_equal(-1, check_whole(VV_I64, VV_I64, INT64_MIN, NULL));
    assert_int_equal(-1, check_whole(VV_U64, VV_I64, INT64_MAX, NULL));
    assert_int_equal(1, check_whole(VV_U64, VV_I64, INT64_MIN, NULL));
    assert_int_equal(-1, check_whole(VV_U64, VV_U64, -1, NULL));
    assert_int_equal(-1, check_whole(VV_I64, VV_F32, INT64_MAX, NULL));
}

static void missing_has_its_own_number(void **state)
{
    (void)state;
    vv_encode e = {.scale = 1, .has_fill = true};
    const int16_t fill = -32768;
    memcpy(e.fill, &fill, sizeof fill);
    assert_int_equal(1, check_real(VV_I16, -32768, &e));
    assert_int_equal(-1, check_real(VV_I16, -32767, &e));
    assert_int_equal(1, check_whole(VV_I64, VV_I16, -32768, &e));
    assert_int_equal(-1, check_real(VV_I16, NAN, &e));
    e.scaled = true;
    e.scale = 0.01;
    e.offset = 273.15;
    assert_int_equal(-1, check_real(VV_I16, 273.15 + 327.67, &e));
    assert_int_equal(1, check_real(VV_I16, 273.15 + 327.68, &e));
    assert_int_equal(1, check_real(VV_I16, 273.15 - 327.68, &e));
    assert_int_equal(1, check_real(VV_I16, INFINITY, &e));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reals_fit_or_not),
        cmocka_unit_test(whole_numbers_are_compared_exactly),
        cmocka_unit_test(missing_has_its_own_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
