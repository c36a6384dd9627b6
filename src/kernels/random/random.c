#include "kernels/random/random.h"

#include "base/index.h"
#include "kernels/clones.h"
#include "kernels/random/draw.h"
#include "kernels/random/normal.h"

#include <Random123/philox.h>

#include <math.h>
#include <string.h>

static bool any(double a, double b)
{
    return isfinite(a) && isfinite(b);
}

static bool range_is_whole(double a, double b)
{
    return a < b && a == trunc(a) && b == trunc(b) && a >= -0x1p63 && b < 0x1p63;
}

static bool scale_is_positive(double a, double b)
{
    return a > 0 && any(a, b);
}

static bool both_are_positive(double a, double b)
{
    return b > 0 && scale_is_positive(a, b);
}

static bool mean_of_counts(double a, double b)
{
    return a >= 0 && a <= VV_DRAW_MOST && any(a, b);
}

static bool counts_and_chance(double a, double b)
{
    return mean_of_counts(a, b) && a == trunc(a) && b >= 0 && b <= 1;
}

const vv_random_kind vv_random_kinds[] = {
    {"uniform", "evenly distributed in [a, b)", 0, 1, true, any, NULL},
    {"normal", "normally distributed with mean a and standard deviation b", 0, 1, true, any, NULL},
    {"integers", "whole numbers a .. b - 1, evenly distributed", 0, 2, false, range_is_whole, NULL},
    {"exponential", "exponentially distributed with mean a", 1, 0, true, scale_is_positive, vv_draw_exponential},
    {"gamma", "gamma distributed with shape a and scale b", 1, 1, true, both_are_positive, vv_draw_gamma},
    {"beta", "beta distributed with parameters a and b", 1, 1, true, both_are_positive, vv_draw_beta},
    {"poisson", "Poisson distributed counts with mean a", 1, 0, false, mean_of_counts, vv_draw_poisson},
    {"binomial", "successes of a trials that succeed with probability b", 1, 0.5, false, counts_and_chance,
     vv_draw_binomial},
    {"sequence", "a + b i of element i: not random", 0, 1, true, any, NULL},
};
const int vv_random_sequence = sizeof vv_random_kinds / sizeof *vv_random_kinds - 1;
const int vv_n_random_kinds = vv_random_sequence;
enum { UNIFORM, NORMAL, INTEGERS, SEQUENCE = sizeof vv_random_kinds / sizeof *vv_random_kinds - 1 };

int vv_random_find(const char *name)
{
    for (int i = 0; i < vv_n_random_kinds; i++)
        if (!strcmp(vv_random_kinds[i].name, name)) return i;
    return -1;
}

/* --- bits --- */

/* Counters at a time, side by side so that compilers vectorise the rounds; a group of them gives WORDS words of 32 bits, in the order of
 * elements: word 4 * c + l of a group is word l of its counter c. */
enum { COUNTERS = 64, WORDS = 4 * COUNTERS, ROUNDS = 10 };

VV_KERNEL void one_round(uint32_t x[4][COUNTERS], uint32_t k0, uint32_t k1)
{
    for (int c = 0; c < COUNTERS; c++) {
        uint64_t p = (uint64_t)PHILOX_M4x32_0 * x[0][c], q = (uint64_t)PHILOX_M4x32_1 * x[2][c];
        uint32_t x1 = x[1][c], x3 = x[3][c];
        x[0][c] = (uint32_t)(q >> 32) ^ x1 ^ k0;
        x[1][c] = (uint32_t)q;
        x[2][c] = (uint32_t)(p >> 32) ^ x3 ^ k1;
        x[3][c] = (uint32_t)p;
    }
}

/* Counters first, first + 1 ... under a seed. */
VV_KERNEL void bits_of(uint64_t seed, uint64_t first, uint32_t word[WORDS])
{
    _Alignas(64) uint32_t x[4][COUNTERS];
    for (int c = 0; c < COUNTERS; c++) {
        x[0][c] = (uint32_t)(first + (uint64_t)c);
        x[1][c] = (uint32_t)((first + (uint64_t)c) >> 32);
        x[2][c] = x[3][c] = 0;
    }
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int r = 0; r < ROUNDS; r++, k0 += PHILOX_W32_0, k1 += PHILOX_W32_1) one_round(x, k0, k1);
    for (int c = 0; c < COUNTERS; c++)
        for (int l = 0; l < 4; l++) word[4 * c + l] = x[l][c];
}

/* Words 2i and 2i + 1 as one number. */
VV_KERNEL uint64_t both(const uint32_t *word, int i)
{
    return (uint64_t)word[2 * i + 1] << 32 | word[2 * i];
}

/* --- elements of one group of counters --- */

/* A group: all elements that its words make. */
typedef void group_loop(const vv_random *r, uint64_t group, void *out);
#define GROUP_CLONES(name)                                                                                             \
    VV_CLONES(name, name##_body, (const vv_random *r, uint64_t group, void *out), (r, group, out))

VV_KERNEL void uniform_f32_body(const vv_random *r, uint64_t group, float *restrict out)
{
    _Alignas(64) uint32_t word[WORDS];
    bits_of(r->seed, group * COUNTERS, word);
    const float low = (float)r->a, high = (float)r->b, width = high - low;
    for (int i = 0; i < WORDS; i++) {
        float x = low + width * ((float)(int32_t)(word[i] >> 8) * 0x1p-24F);
        out[i] = x < high ? x : low; /* rounding may reach the end that is not in */
    }
}
GROUP_CLONES(uniform_f32)

VV_KERNEL void uniform_f64_body(const vv_random *r, uint64_t group, double *restrict out)
{
    _Alignas(64) uint32_t word[WORDS];
    bits_of(r->seed, group * COUNTERS, word);
    const double low = r->a, high = r->b, width = high - low;
    for (int i = 0; i < WORDS / 2; i++) {
        double x = low + width * unit(both(word, i));
        out[i] = x < high ? x : low;
    }
}
GROUP_CLONES(uniform_f64)

VV_KERNEL void normal_f32_body(const vv_random *r, uint64_t group, float *restrict out)
{
    _Alignas(64) uint32_t word[WORDS];
    bits_of(r->seed, group * COUNTERS, word);
    for (int i = 0; i < WORDS / 2; i++) {
        double x, y;
        uint64_t circle = (uint64_t)word[2 * i + 1] << 32;
        two_normals(1 - unit((uint64_t)word[2 * i] << 32), unit(circle << 2) * 2 - 1, circle >> 62, &x, &y);
        out[2 * i] = (float)(r->a + r->b * x);
        out[2 * i + 1] = (float)(r->a + r->b * y);
    }
}
GROUP_CLONES(normal_f32)

VV_KERNEL void normal_f64_body(const vv_random *r, uint64_t group, double *restrict out)
{
    _Alignas(64) uint32_t word[WORDS];
    bits_of(r->seed, group * COUNTERS, word);
    for (int i = 0; i < WORDS / 4; i++) {
        double x, y;
        uint64_t circle = both(word, 2 * i + 1);
        two_normals(1 - unit(both(word, 2 * i)), unit(circle << 2) * 2 - 1, circle >> 62, &x, &y);
        out[2 * i] = r->a + r->b * x;
        out[2 * i + 1] = r->a + r->b * y;
    }
}
GROUP_CLONES(normal_f64)

/* The upper half of bits * range: each number is hit equally often but for range / 2^64. */
VV_KERNEL void integers_i64_body(const vv_random *r, uint64_t group, int64_t *restrict out)
{
    _Alignas(64) uint32_t word[WORDS];
    bits_of(r->seed, group * COUNTERS, word);
    const int64_t low = (int64_t)r->a;
    const uint64_t range = (uint64_t)(int64_t)r->b - (uint64_t)low;
    for (int i = 0; i < WORDS / 2; i++)
        out[i] = (int64_t)((uint64_t)low + (uint64_t)((unsigned __int128)both(word, i) * range >> 64));
}
GROUP_CLONES(integers_i64)

VV_KERNEL void sequence_f64_body(const vv_random *r, uint64_t group, double *restrict out)
{
    const double first = (double)(group * (WORDS / 2));
    for (int i = 0; i < WORDS / 2; i++) out[i] = r->a + r->b * (first + i);
}
GROUP_CLONES(sequence_f64)

VV_KERNEL void sequence_i64_body(const vv_random *r, uint64_t group, int64_t *restrict out)
{
    const uint64_t a = (uint64_t)(int64_t)r->a, b = (uint64_t)(int64_t)r->b, first = group * (WORDS / 2);
    for (int i = 0; i < WORDS / 2; i++) out[i] = (int64_t)(a + b * (first + (uint64_t)i));
}
GROUP_CLONES(sequence_i64)

static group_loop *const *const loops[][VV_DTYPE_COUNT] = {
    [UNIFORM] = {[VV_F32] = uniform_f32, [VV_F64] = uniform_f64},
    [NORMAL] = {[VV_F32] = normal_f32, [VV_F64] = normal_f64},
    [INTEGERS] = {[VV_I64] = integers_i64},
    [SEQUENCE] = {[VV_F64] = sequence_f64, [VV_I64] = sequence_i64},
};

bool vv_random_makes(int kind, vv_dtype type)
{
    if (kind < 0 || kind > vv_random_sequence || (int)type < 0 || type >= VV_DTYPE_COUNT) return false;
    if (vv_random_kinds[kind].draw) return vv_random_kinds[kind].real ? vv_dtype_is_float(type) : type == VV_I64;
    return loops[kind][type] != NULL;
}

/* Element by element, each from random bits of its own. */
static void draw_each(const vv_random *r, vv_dtype type, vv_index first, vv_index n, char *out)
{
    vv_random_draw *draw = vv_random_kinds[r->kind].draw;
    bool valid = vv_random_kinds[r->kind].valid(r->a, r->b);
    for (vv_index i = 0; i < n; i++, out += vv_dtype_size(type)) {
        double x = valid ? draw(r, (uint64_t)(first + i)) : 0;
        vv_dtype_store(type, out, x);
    }
}

void vv_random_fill(const vv_random *r, vv_dtype type, vv_index first, vv_index n, void *out)
{
    if (vv_random_kinds[r->kind].draw) {
        draw_each(r, type, first, n, out);
        return;
    }
    group_loop *group = loops[r->kind][type][vv_cpu()];
    const vv_bytes size = vv_dtype_size(type);
    const vv_index per = WORDS * (vv_index)sizeof(uint32_t) / size;
    _Alignas(64) char whole[WORDS * sizeof(uint32_t)];
    char *to = out;
    while (n > 0) {
        vv_index skip = first % per, some = vv_imin(per - skip, n);
        if (some == per) {
            group(r, (uint64_t)(first / per), to);
        } else {
            group(r, (uint64_t)(first / per), whole);
            memcpy(to, whole + skip * size, (size_t)(some * size));
        }
        first += some;
        n -= some;
        to += some * size;
    }
}
