#include "kernels/random.h"

#include "base/index.h"
#include "kernels/clones.h"

#include <Random123/philox.h>

#include <math.h>
#include <string.h>

const vv_random_kind vv_random_kinds[] = {
    {"uniform", "evenly distributed in [a, b)", 0, 1, true},
    {"normal", "normally distributed with mean a and standard deviation b", 0, 1, true},
    {"integers", "whole numbers a .. b - 1, evenly distributed", 0, 2, false},
};
const int vv_n_random_kinds = sizeof vv_random_kinds / sizeof *vv_random_kinds;
enum { UNIFORM, NORMAL, INTEGERS };

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

/* --- logarithm, sine and cosine for normal numbers: additions, multiplications and one division, the same on every machine --- */

/* log(u) for u in [2^-64, 1]: u = 2^e m with m around 1, and log m = 2 atanh((m - 1) / (m + 1)). */
VV_KERNEL double logarithm(double u)
{
    uint64_t b;
    memcpy(&b, &u, sizeof b);
    uint64_t shifted = b - 0x3fe6a09e00000000; /* sqrt(1/2): m in [sqrt(1/2), sqrt(2)) */
    uint64_t mantissa = (shifted & 0x000fffffffffffff) + 0x3fe6a09e00000000;
    /* the exponent, -64 .. 0, to f64 by way of a mantissa: no conversion of 64-bit integers, which few machines have as vectors */
    uint64_t biased = (((shifted >> 52) + 128) & 0xfff) | 0x4330000000000000;
    double m, e;
    memcpy(&m, &mantissa, sizeof m);
    memcpy(&e, &biased, sizeof e);
    e -= 0x1p52 + 128;
    double z = (m - 1) / (m + 1), y = z * z;
    double p = 1.0 / 19;
    p = p * y + 1.0 / 17;
    p = p * y + 1.0 / 15;
    p = p * y + 1.0 / 13;
    p = p * y + 1.0 / 11;
    p = p * y + 1.0 / 9;
    p = p * y + 1.0 / 7;
    p = p * y + 1.0 / 5;
    p = p * y + 1.0 / 3;
    return e * 0x1.62e42fefa39efp-1 + 2 * (z + z * y * p);
}

/* Sine and cosine of a in [-pi/4, pi/4], by their series. */
VV_KERNEL double sine(double a)
{
    double y = a * a, p = 1.0 / 355687428096000;
    p = p * y - 1.0 / 1307674368000;
    p = p * y + 1.0 / 6227020800;
    p = p * y - 1.0 / 39916800;
    p = p * y + 1.0 / 362880;
    p = p * y - 1.0 / 5040;
    p = p * y + 1.0 / 120;
    p = p * y - 1.0 / 6;
    return a + a * y * p;
}
VV_KERNEL double cosine(double a)
{
    double y = a * a, p = 1.0 / 20922789888000;
    p = p * y - 1.0 / 87178291200;
    p = p * y + 1.0 / 479001600;
    p = p * y - 1.0 / 3628800;
    p = p * y + 1.0 / 40320;
    p = p * y - 1.0 / 720;
    p = p * y + 1.0 / 24;
    return 1 - 0.5 * y + y * y * p;
}

/* Box and Muller: two independent normal numbers from u in (0, 1] and a point on the circle: two bits choose the quarter, `angle` in
 * [-1, 1) the place in it. */
VV_KERNEL void two_normals(double u, double angle, uint64_t quarter, double *first, double *second)
{
    double radius = sqrt(-2 * logarithm(u)), a = angle * 0x1.921fb54442d18p-1;
    double s = sine(a), c = cosine(a);
    double x = quarter & 1 ? -s : c, y = quarter & 1 ? c : s;
    double sign = quarter & 2 ? -1.0 : 1.0;
    *first = sign * radius * x;
    *second = sign * radius * y;
}

/* --- elements of one group of counters --- */

/* An f64 in [0, 1) from 52 bits, by way of a mantissa. */
VV_KERNEL double unit(uint64_t bits)
{
    uint64_t b = bits >> 12 | 0x3ff0000000000000;
    double u;
    memcpy(&u, &b, sizeof u);
    return u - 1;
}

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

static group_loop *const *const loops[][VV_DTYPE_COUNT] = {[UNIFORM] = {[VV_F32] = uniform_f32, [VV_F64] = uniform_f64},
                                                           [NORMAL] = {[VV_F32] = normal_f32, [VV_F64] = normal_f64},
                                                           [INTEGERS] = {[VV_I64] = integers_i64}};

void vv_random_fill(const vv_random *r, vv_dtype type, vv_index first, vv_index n, void *out)
{
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
