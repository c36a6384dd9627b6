/* Element types: names, promotion as in NumPy, single values to double and back. */
#include "scratch.h"

#include "base/dtype.h"

#include <math.h>

static uint64_t seed = 71;
static uint64_t draw(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return seed ^ seed >> 32;
}

static void test_names(void **state)
{
    (void)state;
    for (int t = VV_NONE + 1; t < VV_DTYPE_COUNT; t++) {
        assert_int_equal(vv_dtype_parse(vv_dtype_name((vv_dtype)t)), t);
        assert_true(vv_dtype_size((vv_dtype)t) >= 1 && vv_dtype_size((vv_dtype)t) <= 16);
        assert_non_null(strchr("biufc", vv_dtype_kind((vv_dtype)t)));
    }
    static const char *const unknown[] = {"", "none", "f16", "F32", "float", "i128", "f32 "};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) assert_int_equal(vv_dtype_parse(unknown[i]), VV_NONE);
    static const int strange[] = {VV_NONE, VV_DTYPE_COUNT, -1, 1000000};
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        assert_int_equal(vv_dtype_size((vv_dtype)strange[i]), 0);
        assert_int_equal(vv_dtype_kind((vv_dtype)strange[i]), '?');
        assert_string_equal(vv_dtype_name((vv_dtype)strange[i]), "none");
    }
}

/* numpy.result_type of two arrays, as NumPy 1.24 and 2.x both have it, in the order of VV_DTYPE_LIST. */
static const char *const promoted[VV_DTYPE_COUNT - 1][VV_DTYPE_COUNT - 1] = {
    {"bool", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32", "f64", "c64", "c128"},
    {"i8", "i8", "i16", "i32", "i64", "i16", "i32", "i64", "f64", "f32", "f64", "c64", "c128"},
    {"i16", "i16", "i16", "i32", "i64", "i16", "i32", "i64", "f64", "f32", "f64", "c64", "c128"},
    {"i32", "i32", "i32", "i32", "i64", "i32", "i32", "i64", "f64", "f64", "f64", "c128", "c128"},
    {"i64", "i64", "i64", "i64", "i64", "i64", "i64", "i64", "f64", "f64", "f64", "c128", "c128"},
    {"u8", "i16", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32", "f64", "c64", "c128"},
    {"u16", "i32", "i32", "i32", "i64", "u16", "u16", "u32", "u64", "f32", "f64", "c64", "c128"},
    {"u32", "i64", "i64", "i64", "i64", "u32", "u32", "u32", "u64", "f64", "f64", "c128", "c128"},
    {"u64", "f64", "f64", "f64", "f64", "u64", "u64", "u64", "u64", "f64", "f64", "c128", "c128"},
    {"f32", "f32", "f32", "f64", "f64", "f32", "f32", "f64", "f64", "f32", "f64", "c64", "c128"},
    {"f64", "f64", "f64", "f64", "f64", "f64", "f64", "f64", "f64", "f64", "f64", "c128", "c128"},
    {"c64", "c64", "c64", "c128", "c128", "c64", "c64", "c128", "c128", "c64", "c128", "c64", "c128"},
    {"c128", "c128", "c128", "c128", "c128", "c128", "c128", "c128", "c128", "c128", "c128", "c128", "c128"},
};

static void test_promotion(void **state)
{
    (void)state;
    for (int a = VV_NONE + 1; a < VV_DTYPE_COUNT; a++)
        for (int b = VV_NONE + 1; b < VV_DTYPE_COUNT; b++) {
            const char *got = vv_dtype_name(vv_dtype_promote((vv_dtype)a, (vv_dtype)b)), *want = promoted[a - 1][b - 1];
            if (strcmp(got, want))
                fail_msg("%s with %s: %s, not %s", vv_dtype_name((vv_dtype)a), vv_dtype_name((vv_dtype)b), got, want);
        }
    for (int t = VV_NONE; t < VV_DTYPE_COUNT; t++) {
        assert_int_equal(vv_dtype_promote((vv_dtype)t, VV_NONE), VV_NONE);
        assert_int_equal(vv_dtype_promote(VV_NONE, (vv_dtype)t), VV_NONE);
    }
}

/* Stores into bytes that are not aligned, between guards. */
static void store(vv_dtype type, double value, unsigned char out[16])
{
    unsigned char room[32];
    memset(room, 0xa5, sizeof room);
    vv_dtype_store(type, room + 5, value);
    vv_bytes size = vv_dtype_size(type);
    for (size_t i = 0; i < sizeof room; i++)
        if (i < 5 || i >= 5 + (size_t)size) assert_int_equal(room[i], 0xa5);
    memcpy(out, room + 5, (size_t)size);
}

#define CHECK_INTEGER(ENUM, ctype, lo, hi)                                                                             \
    static void check_##ENUM(double value)                                                                             \
    {                                                                                                                  \
        unsigned char out[16];                                                                                         \
        ctype got, want;                                                                                               \
        store(VV_##ENUM, value, out);                                                                                  \
        memcpy(&got, out, sizeof got);                                                                                 \
        double r = rint(value);                                                                                        \
        if (isnan(value))                                                                                              \
            want = 0;                                                                                                  \
        else if (r <= (double)(lo))                                                                                    \
            want = (lo);                                                                                               \
        else if (r >= (double)(hi))                                                                                    \
            want = (hi);                                                                                               \
        else                                                                                                           \
            want = (ctype)r;                                                                                           \
        if (got != want) fail_msg("%s of %.17g: %lld", #ENUM, value, (long long)got);                                  \
    }
CHECK_INTEGER(I8, int8_t, INT8_MIN, INT8_MAX)
CHECK_INTEGER(I16, int16_t, INT16_MIN, INT16_MAX)
CHECK_INTEGER(I32, int32_t, INT32_MIN, INT32_MAX)
/* Wide ones saturate at the greatest value that a double can hold. */
CHECK_INTEGER(I64, int64_t, INT64_MIN, INT64_MAX - 1023)
CHECK_INTEGER(U8, uint8_t, 0, UINT8_MAX)
CHECK_INTEGER(U16, uint16_t, 0, UINT16_MAX)
CHECK_INTEGER(U32, uint32_t, 0, UINT32_MAX)
CHECK_INTEGER(U64, uint64_t, 0, UINT64_MAX - 2047)

static void check_all(double value)
{
    static void (*const check[])(double) = {check_I8, check_I16, check_I32, check_I64,
                                            check_U8, check_U16, check_U32, check_U64};
    for (size_t i = 0; i < sizeof check / sizeof *check; i++) check[i](value);
}

static void test_store_saturates(void **state)
{
    (void)state;
    static const double special[] = {0.0,
                                     -0.0,
                                     0.5,
                                     1.5,
                                     2.5,
                                     -0.5,
                                     -1.5,
                                     126.5,
                                     127.5,
                                     -128.5,
                                     -129,
                                     255.5,
                                     254.5,
                                     32767.5,
                                     -32768.5,
                                     65535.5,
                                     2147483647.5,
                                     -2147483648.5,
                                     4294967295.5,
                                     9.3e18,
                                     -9.3e18,
                                     1.9e19,
                                     1e300,
                                     -1e300,
                                     INFINITY,
                                     -INFINITY,
                                     NAN,
                                     0x1p63,
                                     -0x1p63,
                                     0x1p64,
                                     0x1.fffffffffffffp62,
                                     0x1.fffffffffffffp63,
                                     5e-324};
    for (size_t i = 0; i < sizeof special / sizeof *special; i++) check_all(special[i]);
    for (int i = 0; i < 20000; i++) {
        double v = ldexp((double)(int64_t)draw(), (int)(draw() % 140) - 120);
        check_all(v);
        check_all(rint(v) + 0.5);
    }
}

static void test_load(void **state)
{
    (void)state;
#define LOADS(ENUM, ctype, value)                                                                                      \
    do {                                                                                                               \
        char room[24];                                                                                                 \
        memcpy(room + 3, &(ctype){value}, sizeof(ctype));                                                              \
        assert_true(vv_dtype_load(VV_##ENUM, room + 3) == (double)(value));                                            \
    } while (0)
    for (int i = 0; i < 1000; i++) {
        uint64_t r = draw();
        LOADS(I8, int8_t, (int8_t)r);
        LOADS(I16, int16_t, (int16_t)r);
        LOADS(I32, int32_t, (int32_t)r);
        LOADS(I64, int64_t, (int64_t)r);
        LOADS(U8, uint8_t, (uint8_t)r);
        LOADS(U16, uint16_t, (uint16_t)r);
        LOADS(U32, uint32_t, (uint32_t)r);
        LOADS(U64, uint64_t, r);
        LOADS(F32, float, (float)(int64_t)r);
        LOADS(F64, double, (double)r);
        LOADS(BOOL, uint8_t, (uint8_t)(r & 1));
    }
    vv_c128 c = {2.5, -1};
    assert_true(vv_dtype_load(VV_C128, &c) == 2.5);
    vv_c64 d = {-2.5f, 7};
    assert_true(vv_dtype_load(VV_C64, &d) == -2.5);
    assert_true(isnan(vv_dtype_load(VV_NONE, &c)));
}

/* What fits goes through unchanged. */
static void test_round_trip(void **state)
{
    (void)state;
    for (int t = VV_NONE + 1; t < VV_DTYPE_COUNT; t++)
        for (int i = 0; i < 300; i++) {
            vv_dtype type = (vv_dtype)t;
            double v = (double)(draw() % 100);
            if (vv_dtype_kind(type) == 'i' && i % 2) v = -v;
            if (vv_dtype_kind(type) == 'f' || vv_dtype_kind(type) == 'c') v = v / 8 - 3;
            if (type == VV_BOOL) v = i % 2;
            unsigned char out[16];
            store(type, v, out);
            assert_true(vv_dtype_load(type, out) == v);
        }
    vv_c128 c = {7, 7};
    vv_dtype_store(VV_C128, &c, 3);
    assert_true(c.re == 3 && c.im == 0);
    float f;
    vv_dtype_store(VV_F32, &f, 1e300);
    assert_true(isinf(f));
    vv_dtype_store(VV_F32, &f, NAN);
    assert_true(isnan(f));
    uint8_t b = 7;
    vv_dtype_store(VV_BOOL, &b, 0.25);
    assert_int_equal(b, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names), cmocka_unit_test(test_promotion),  cmocka_unit_test(test_store_saturates),
        cmocka_unit_test(test_load),  cmocka_unit_test(test_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
