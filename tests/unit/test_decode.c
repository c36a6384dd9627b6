#include "kernels/codec/codec.h"
#include "kernels/codec/decode.h"
#include "kernels/cpu.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 5000 };

static const vv_dtype stored_types[] = {VV_BOOL, VV_I8,  VV_I16, VV_I32, VV_I64, VV_U8,
                                        VV_U16,  VV_U32, VV_U64, VV_F32, VV_F64};
static const vv_dtype working_types[] = {VV_F32, VV_F64, VV_I64, VV_U64};

static uint64_t random_bits(void)
{
    uint64_t r = 0;
    for (int i = 0; i < 5; i++) r = r << 15 ^ (uint64_t)rand();
    return r;
}

/* Random values, small ones often, so that missing values are met; floats of all sizes with a few NaN and infinities. */
static void random_stored(vv_dtype type, vv_index n, void *out)
{
    for (vv_index i = 0; i < n; i++) {
        char *at = (char *)out + i * vv_dtype_size(type);
        uint64_t bits = rand() % 2 ? random_bits() : (uint64_t)(rand() % 8);
        if (vv_dtype_is_float(type)) {
            double v = rand() % 20 == 0   ? (double)NAN
                       : rand() % 20 == 0 ? -(double)INFINITY
                       : rand() % 3 == 0  ? rand() % 8 - 4
                                          : ldexp((double)(int64_t)random_bits(), -60 - rand() % 20);
            vv_dtype_store(type, at, rand() % 30 == 0 ? -0.0 : v);
        } else if (type == VV_BOOL) {
            *at = (char)(bits & 1);
        } else {
            memcpy(at, &bits, (size_t)vv_dtype_size(type));
        }
    }
}

static int64_t load_i64(vv_dtype type, const void *at)
{
    switch (type) {
    case VV_I8: return *(const int8_t *)at;
    case VV_I16: return *(const int16_t *)at;
    case VV_I32: return *(const int32_t *)at;
    case VV_I64: return *(const int64_t *)at;
    case VV_U16: return *(const uint16_t *)at;
    case VV_U32: return *(const uint32_t *)at;
    case VV_U64: return (int64_t) * (const uint64_t *)at;
    default: return *(const uint8_t *)at;
    }
}

static bool is_missing(const vv_decode *d, const void *at)
{
    double v = vv_dtype_load(d->stored, at);
    for (int i = 0; i < d->n_missing; i++) {
        bool same = d->stored == VV_F32               ? v == (double)(float)d->missing[i].f
                    : vv_dtype_is_float(d->stored)    ? v == d->missing[i].f
                    : vv_dtype_kind(d->stored) == 'i' ? load_i64(d->stored, at) == d->missing[i].i
                                                      : (uint64_t)load_i64(d->stored, at) == d->missing[i].u;
        if (same) return true;
    }
    return (d->has_min && v < d->valid_min) || (d->has_max && v > d->valid_max);
}

/* One element by the book. */
static void expect(const vv_decode *d, const void *at, void *out)
{
    bool real = vv_dtype_is_float(d->stored), wide = d->stored == VV_U64;
    if (!vv_dtype_is_float(d->out)) {
        int64_t v = load_i64(d->stored, at);
        memcpy(out, &v, 8);
        return;
    }
    int64_t whole = real ? 0 : load_i64(d->stored, at);
    if (d->out == VV_F32) {
        float v = real ? (float)vv_dtype_load(d->stored, at) : wide ? (float)(uint64_t)whole : (float)whole;
        if (d->scaled) v = v * (float)d->scale + (float)d->offset;
        if (is_missing(d, at)) v = NAN;
        memcpy(out, &v, 4);
    } else {
        double v = real ? vv_dtype_load(d->stored, at) : wide ? (double)(uint64_t)whole : (double)whole;
        if (d->scaled) v = v * d->scale + d->offset;
        if (is_missing(d, at)) v = (double)NAN;
        memcpy(out, &v, 8);
    }
}

/* Equal bits, or both NaN. */
static void assert_same(vv_dtype type, const void *a, const void *b)
{
    double x = vv_dtype_load(type, a), y = vv_dtype_load(type, b);
    if (vv_dtype_is_float(type) && isnan(x) && isnan(y)) return;
    assert_memory_equal(a, b, (size_t)vv_dtype_size(type));
}

static vv_decode random_decode(void)
{
    vv_decode d = {.stored = stored_types[rand() % 11], .out = working_types[rand() % 4]};
    if (vv_dtype_is_float(d.stored)) d.out = rand() % 2 ? VV_F32 : VV_F64;
    d.swap = rand() % 3 == 0;
    d.shuffled = rand() % 2;
    if (!vv_dtype_is_float(d.out)) return d;
    d.scaled = rand() % 2;
    d.scale = 0.01 * (rand() % 1000);
    d.offset = rand() % 500 - 250.3;
    d.n_missing = rand() % (VV_MAX_MISSING + 1);
    for (int i = 0; i < d.n_missing; i++) {
        if (vv_dtype_is_float(d.stored))
            d.missing[i].f = rand() % 5 ? rand() % 8 - 4 : (double)NAN;
        else
            d.missing[i].i = rand() % 8 - (vv_dtype_kind(d.stored) == 'i') * 4;
    }
    if (rand() % 8 == 0) d.missing[0].i = 1 << 20; /* more than small types hold: must not match anything there */
    d.has_min = rand() % 4 == 0;
    d.has_max = rand() % 4 == 0;
    d.valid_min = rand() % 9 - 4.5;
    d.valid_max = rand() % 5 ? d.valid_min + rand() % 100 : 1e30;
    return d;
}

static void decode_is_right_at_every_level(void **state)
{
    (void)state;
    static char plain[MOST * 8], block[MOST * 8], swapped[MOST * 8], out[MOST * 8], first_out[MOST * 8];
    vv_cpu_level best = vv_cpu();
    for (int trial = 0; trial < 600; trial++) {
        vv_decode d = random_decode();
        int size = (int)vv_dtype_size(d.stored);
        vv_bytes wide = vv_dtype_size(d.out);
        vv_index total = trial % 3 ? 1 + rand() % MOST : 1 + rand() % 40;
        random_stored(d.stored, total, plain);
        memcpy(swapped, plain, (size_t)(total * size));
        if (d.swap) vv_byteswap(swapped, total, size);
        memcpy(block, swapped, (size_t)(total * size));
        if (d.shuffled) vv_shuffle(swapped, total, size, block);
        vv_index first = rand() % total, n = rand() % (total - first) + 1;
        bool have_first = false;
        for (int level = 0; level < VV_CPU_LEVELS; level++) {
            if (!vv_cpu_set((vv_cpu_level)level)) continue;
            vv_decode_range(&d, block, total, first, n, out);
            for (vv_index i = 0; i < n; i++) {
                char right[8];
                expect(&d, plain + (first + i) * size, right);
                assert_same(d.out, out + i * wide, right);
            }
            if (have_first) assert_memory_equal(out, first_out, (size_t)(n * wide));
            memcpy(first_out, out, (size_t)(n * wide));
            have_first = true;
        }
        bool ready = vv_decode_is_ready(&d, block + first * size, n);
        if (vv_decode_is_plain(&d)) assert_true(ready);
        if (ready) assert_memory_equal(out, block + first * size, (size_t)(n * size));
    }
    vv_cpu_set(best);
}

static void working_types_hold_everything(void **state)
{
    (void)state;
    for (int t = 0; t < 11; t++) {
        vv_dtype w = vv_working_type(stored_types[t]);
        char kind = vv_dtype_kind(stored_types[t]);
        assert_int_equal(vv_dtype_kind(w), kind == 'b' ? 'u' : kind);
        assert_true(vv_dtype_size(w) >= vv_dtype_size(stored_types[t]));
        vv_decode d = {.stored = stored_types[t], .out = w};
        assert_int_equal(vv_decode_is_plain(&d), w == stored_types[t]);
    }
    assert_int_equal(vv_working_type(VV_C64), VV_C64);
    vv_decode d = {.stored = VV_F32, .out = VV_F32, .n_missing = 1};
    assert_false(vv_decode_is_plain(&d));
}

static void tiles_without_missing_values_are_ready(void **state)
{
    (void)state;
    enum { N = 1000 };
    float x[N];
    vv_decode d = {.stored = VV_F32, .out = VV_F32, .n_missing = 2, .missing = {{.f = 9e36F}, {.f = -1}}};
    for (int i = 0; i < N; i++) x[i] = (float)i;
    assert_true(vv_decode_is_ready(&d, x, N));
    for (int i = 0; i < N; i += 37) {
        x[i] = i % 2 ? 9e36F : -1;
        assert_false(vv_decode_is_ready(&d, x, N));
        x[i] = (float)i;
    }
    d.swap = true;
    assert_false(vv_decode_is_ready(&d, x, N));
    d.swap = false;
    d.has_max = true;
    assert_false(vv_decode_is_ready(&d, x, N));
}

/* What encoding one real must give: base's rounding and saturating store. */
static void expect_encoded(const vv_encode *e, double v, void *out)
{
    if (e->scaled) v = (v - e->offset) / e->scale;
    if (isnan(v) && e->has_fill)
        memcpy(out, e->fill, (size_t)vv_dtype_size(e->to));
    else
        vv_dtype_store(e->to, out, v);
}

static void encode_of_reals_rounds_saturates_and_fills(void **state)
{
    (void)state;
    static char in[MOST * 8], out[MOST * 8], first_out[MOST * 8];
    vv_cpu_level best = vv_cpu();
    for (int trial = 0; trial < 300; trial++) {
        vv_encode e = {.in = rand() % 2 ? VV_F32 : VV_F64, .to = stored_types[rand() % 11]};
        e.scaled = rand() % 2;
        e.scale = 0.01 * (1 + rand() % 100);
        e.offset = rand() % 500;
        e.has_fill = rand() % 2;
        vv_dtype_store(e.to, e.fill, -7);
        vv_index n = 1 + rand() % MOST;
        vv_bytes size = vv_dtype_size(e.to), from = vv_dtype_size(e.in);
        random_stored(e.in, n, in);
        bool have_first = false;
        for (int level = 0; level < VV_CPU_LEVELS; level++) {
            if (!vv_cpu_set((vv_cpu_level)level)) continue;
            vv_encode_range(&e, in, n, out);
            for (vv_index i = 0; i < n; i++) {
                char right[16];
                expect_encoded(&e, vv_dtype_load(e.in, in + i * from), right);
                assert_same(e.to, out + i * size, right);
            }
            if (have_first) assert_memory_equal(out, first_out, (size_t)(n * size));
            memcpy(first_out, out, (size_t)(n * size));
            have_first = true;
        }
    }
    vv_cpu_set(best);
}

static void encode_of_integers_wraps(void **state)
{
    (void)state;
    int64_t in[100];
    char out[800];
    for (int t = 0; t < 9; t++) {
        vv_encode e = {.in = t % 2 ? VV_I64 : VV_U64, .to = stored_types[t]};
        for (int i = 0; i < 100; i++) in[i] = (int64_t)random_bits();
        vv_encode_range(&e, in, 100, out);
        for (int i = 0; i < 100; i++) {
            vv_bytes size = vv_dtype_size(e.to);
            if (e.to == VV_BOOL)
                assert_int_equal(out[i], in[i] != 0);
            else
                assert_memory_equal(out + i * size, &in[i], (size_t)size); /* little endian: the low bytes */
        }
    }
}

static void packing_and_unpacking_give_values_back(void **state)
{
    (void)state;
    static double in[3000], out[3000];
    static int16_t packed[3000];
    vv_encode e = {.in = VV_F64, .to = VV_I16, .has_fill = true, .scaled = true, .scale = 0.01, .offset = 250};
    memcpy(e.fill, &(int16_t){-32768}, 2);
    vv_decode d = {.stored = VV_I16, .out = VV_F64, .scaled = true, .scale = 0.01, .offset = 250, .n_missing = 1};
    d.missing[0].i = -32768;
    for (int i = 0; i < 3000; i++) in[i] = i % 7 ? 250 + 0.01 * (i * 20 - 30000) : (double)NAN;
    vv_encode_range(&e, in, 3000, packed);
    vv_decode_range(&d, packed, 3000, 0, 3000, out);
    for (int i = 0; i < 3000; i++) {
        if (i % 7)
            assert_true(fabs(in[i] - out[i]) < 1e-9);
        else
            assert_true(isnan(out[i]));
    }
}

int main(void)
{
    srand(2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decode_is_right_at_every_level),
        cmocka_unit_test(working_types_hold_everything),
        cmocka_unit_test(tiles_without_missing_values_are_ready),
        cmocka_unit_test(encode_of_reals_rounds_saturates_and_fills),
        cmocka_unit_test(encode_of_integers_wraps),
        cmocka_unit_test(packing_and_unpacking_give_values_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
