/* Byte shuffling as a sequence of zips.
 *
 * Put the byte planes of 16 elements of size s into s vectors of 16 bytes, and number all those bytes through. A byte's number then
 * reads, in bits, (plane, element). Zipping vector i with vector i + s/2, for all i, turns the number's bits round by one place; after log2(s)
 * zips it reads (element, plane), which is the elements in memory order. Four zips more, or four zips of elements in memory order, lead to
 * (plane, element) again. So one step serves both directions and all sizes that are powers of two; other sizes go byte by byte. */
#include "kernels/clones.h"
#include "kernels/codec/codec.h"

#include <string.h>

typedef unsigned char byte;

/* Elements [0, n) of planes that start at `in` and lie `total` bytes apart. */
VV_KERNEL void gather_plain(const byte *in, vv_index total, int size, vv_index n, byte *restrict out)
{
    for (int b = 0; b < size; b++)
        for (vv_index i = 0; i < n; i++) out[i * size + b] = in[b * total + i];
}

/* And back: elements at `in` to planes at `out`. */
VV_KERNEL void scatter_plain(const byte *in, vv_index total, int size, vv_index n, byte *restrict out)
{
    for (int b = 0; b < size; b++)
        for (vv_index i = 0; i < n; i++) out[b * total + i] = in[i * size + b];
}

typedef void move_kernel(const byte *in, vv_index total, vv_index n, byte *out);

#define PLAIN(size)                                                                                                    \
    static void gather_plain_##size(const byte *in, vv_index total, vv_index n, byte *out)                             \
    {                                                                                                                  \
        gather_plain(in, total, size, n, out);                                                                         \
    }                                                                                                                  \
    static void scatter_plain_##size(const byte *in, vv_index total, vv_index n, byte *out)                            \
    {                                                                                                                  \
        scatter_plain(in, total, size, n, out);                                                                        \
    }
PLAIN(2)
PLAIN(4)
PLAIN(8)

#if defined(__x86_64__) || defined(__aarch64__)
#define HAVE_VECTORS 1

#if defined(__x86_64__)
#include <immintrin.h>

typedef __m128i vec;
static inline vec load(const byte *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}
static inline void store(byte *p, vec v)
{
    _mm_storeu_si128((__m128i *)(void *)p, v);
}
static inline vec zip_low(vec a, vec b)
{
    return _mm_unpacklo_epi8(a, b);
}
static inline vec zip_high(vec a, vec b)
{
    return _mm_unpackhi_epi8(a, b);
}
#else
#include <arm_neon.h>

typedef uint8x16_t vec;
static inline vec load(const byte *p)
{
    return vld1q_u8(p);
}
static inline void store(byte *p, vec v)
{
    vst1q_u8(p, v);
}
static inline vec zip_low(vec a, vec b)
{
    return vzip1q_u8(a, b);
}
static inline vec zip_high(vec a, vec b)
{
    return vzip2q_u8(a, b);
}
#endif

VV_KERNEL void zip_step(vec v[], int size)
{
    vec w[8];
    for (int i = 0; i < size / 2; i++) {
        w[2 * i] = zip_low(v[i], v[i + size / 2]);
        w[2 * i + 1] = zip_high(v[i], v[i + size / 2]);
    }
    for (int i = 0; i < size; i++) v[i] = w[i];
}

VV_KERNEL void gather_vec(const byte *in, vv_index total, int size, vv_index n, byte *out)
{
    vv_index i = 0;
    for (; i + 16 <= n; i += 16) {
        vec v[8];
        for (int b = 0; b < size; b++) v[b] = load(in + b * total + i);
        for (int step = size; step > 1; step /= 2) zip_step(v, size);
        for (int b = 0; b < size; b++) store(out + i * size + 16 * b, v[b]);
    }
    gather_plain(in + i, total, size, n - i, out + i * size);
}

VV_KERNEL void scatter_vec(const byte *in, vv_index total, int size, vv_index n, byte *out)
{
    vv_index i = 0;
    for (; i + 16 <= n; i += 16) {
        vec v[8];
        for (int b = 0; b < size; b++) v[b] = load(in + i * size + 16 * b);
        for (int step = 0; step < 4; step++) zip_step(v, size);
        for (int b = 0; b < size; b++) store(out + b * total + i, v[b]);
    }
    scatter_plain(in + i * size, total, size, n - i, out + i);
}

#define VEC(size)                                                                                                      \
    static void gather_vec_##size(const byte *in, vv_index total, vv_index n, byte *out)                               \
    {                                                                                                                  \
        gather_vec(in, total, size, n, out);                                                                           \
    }                                                                                                                  \
    static void scatter_vec_##size(const byte *in, vv_index total, vv_index n, byte *out)                              \
    {                                                                                                                  \
        scatter_vec(in, total, size, n, out);                                                                          \
    }
VEC(2)
VEC(4)
VEC(8)
#endif

#if defined(__x86_64__)
/* Two groups of 16 elements side by side in the halves of wider vectors; the halves are put in order when they are stored. */
#define WIDE static inline __attribute__((always_inline, target("avx2")))

WIDE void zip_step_wide(__m256i v[], int size)
{
    __m256i w[8];
    for (int i = 0; i < size / 2; i++) {
        w[2 * i] = _mm256_unpacklo_epi8(v[i], v[i + size / 2]);
        w[2 * i + 1] = _mm256_unpackhi_epi8(v[i], v[i + size / 2]);
    }
    for (int i = 0; i < size; i++) v[i] = w[i];
}

WIDE void store_wide(byte *out, int size, const __m256i v[])
{
    for (int b = 0; b < size; b += 2) {
        __m256i first = _mm256_permute2x128_si256(v[b], v[b + 1], 0x20);
        __m256i second = _mm256_permute2x128_si256(v[b], v[b + 1], 0x31);
        _mm256_storeu_si256((__m256i *)(void *)(out + 16 * b), first);
        _mm256_storeu_si256((__m256i *)(void *)(out + 16 * (size + b)), second);
    }
}

WIDE void gather_wide(const byte *in, vv_index total, int size, vv_index n, byte *out)
{
    vv_index i = 0;
    for (; i + 32 <= n; i += 32) {
        __m256i v[8];
        for (int b = 0; b < size; b++) v[b] = _mm256_loadu_si256((const __m256i *)(const void *)(in + b * total + i));
        for (int step = size; step > 1; step /= 2) zip_step_wide(v, size);
        store_wide(out + i * size, size, v);
    }
    gather_vec(in + i, total, size, n - i, out + i * size);
}

#define WIDE_SIZE(size)                                                                                                \
    VV_TARGET_AVX2 static void gather_wide_##size(const byte *in, vv_index total, vv_index n, byte *out)               \
    {                                                                                                                  \
        gather_wide(in, total, size, n, out);                                                                          \
    }
WIDE_SIZE(2)
WIDE_SIZE(4)
WIDE_SIZE(8)
#endif

#define ROW(kind)                                                                                                      \
    {                                                                                                                  \
        [2] = kind##_2, [4] = kind##_4, [8] = kind##_8                                                                 \
    }

static move_kernel *const gather[VV_CPU_LEVELS][9] = {
    [VV_CPU_PORTABLE] = ROW(gather_plain),
#if defined(__x86_64__)
    [VV_CPU_SSE2] = ROW(gather_vec),
    [VV_CPU_AVX2] = ROW(gather_wide),
    [VV_CPU_AVX512] = ROW(gather_wide),
#elif defined(HAVE_VECTORS)
    [VV_CPU_NEON] = ROW(gather_vec),
#endif
};

static move_kernel *const scatter[VV_CPU_LEVELS][9] = {
    [VV_CPU_PORTABLE] = ROW(scatter_plain),
#if defined(__x86_64__)
    [VV_CPU_SSE2] = ROW(scatter_vec),
    [VV_CPU_AVX2] = ROW(scatter_vec),
    [VV_CPU_AVX512] = ROW(scatter_vec),
#elif defined(HAVE_VECTORS)
    [VV_CPU_NEON] = ROW(scatter_vec),
#endif
};

void vv_unshuffle_range(const void *in, vv_index total, int size, vv_index first, vv_index n, void *out)
{
    const byte *from = (const byte *)in + first;
    move_kernel *kernel = size <= 8 ? gather[vv_cpu()][size] : NULL;
    if (size == 1)
        memcpy(out, from, (size_t)n);
    else if (kernel)
        kernel(from, total, n, out);
    else
        gather_plain(from, total, size, n, out);
}

void vv_shuffle(const void *in, vv_index total, int size, void *out)
{
    move_kernel *kernel = size <= 8 ? scatter[vv_cpu()][size] : NULL;
    if (size == 1)
        memcpy(out, in, (size_t)total);
    else if (kernel)
        kernel(in, total, total, out);
    else
        scatter_plain(in, total, size, total, out);
}

/* Two copies: where the compiler cannot know that places are different or the same, it does not vectorise. */
#define SWAP(bits)                                                                                                     \
    VV_KERNEL void swap_body_##bits(vv_index n, const byte *from, byte *to)                                            \
    {                                                                                                                  \
        for (vv_index i = 0; i < n; i++) {                                                                             \
            uint##bits##_t v;                                                                                          \
            memcpy(&v, from + i * (bits / 8), sizeof v);                                                               \
            v = __builtin_bswap##bits(v);                                                                              \
            memcpy(to + i * (bits / 8), &v, sizeof v);                                                                 \
        }                                                                                                              \
    }                                                                                                                  \
    VV_KERNEL void swap_apart_body_##bits(vv_index n, const byte *restrict from, byte *restrict to)                    \
    {                                                                                                                  \
        swap_body_##bits(n, from, to);                                                                                 \
    }                                                                                                                  \
    VV_CLONES(swap_##bits, swap_body_##bits, (void *data, vv_index n), (n, data, data))                                \
    VV_CLONES(swap_apart_##bits, swap_apart_body_##bits, (vv_index n, const void *from, void *to), (n, from, to))
SWAP(16)
SWAP(32)
SWAP(64)

static void swap_any(byte *p, vv_index n, int size)
{
    for (; n > 0; n--, p += size)
        for (int lo = 0, hi = size - 1; lo < hi; lo++, hi--) {
            byte t = p[lo];
            p[lo] = p[hi];
            p[hi] = t;
        }
}

void vv_byteswap(void *data, vv_index n, int size)
{
    switch (size) {
    case 1: return;
    case 2: swap_16[vv_cpu()](data, n); return;
    case 4: swap_32[vv_cpu()](data, n); return;
    case 8: swap_64[vv_cpu()](data, n); return;
    default: swap_any(data, n, size); return;
    }
}

void vv_byteswap_copy(const void *from, vv_index n, int size, void *to)
{
    switch (size) {
    case 2: swap_apart_16[vv_cpu()](n, from, to); return;
    case 4: swap_apart_32[vv_cpu()](n, from, to); return;
    case 8: swap_apart_64[vv_cpu()](n, from, to); return;
    default: memcpy(to, from, (size_t)(n * size)); vv_byteswap(to, n, size);
    }
}
