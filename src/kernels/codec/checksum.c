#include "kernels/codec/checksum.h"

#include "kernels/clones.h"

#include <string.h>

enum { LANES = VV_CHECKSUM_LANES, BLOCK = VV_CHECKSUM_BLOCK };

/* A multiplier for which the generator's period is as long as it can be. */
static const uint64_t multiplier = 0xffffda61u;

typedef void add_kernel(vv_index blocks, const char *data, uint64_t *lanes);

static void add_plain(vv_index blocks, const char *data, uint64_t *lanes)
{
    uint64_t lane[LANES], word[LANES];
    memcpy(lane, lanes, sizeof lane);
    for (vv_index b = 0; b < blocks; b++) {
        memcpy(word, data + b * BLOCK, sizeof word);
        for (int i = 0; i < LANES; i++) {
            uint64_t x = lane[i] ^ word[i];
            lane[i] = (x & 0xffffffffu) * multiplier + (x >> 32);
        }
    }
    memcpy(lanes, lane, sizeof lane);
}

#if defined(__x86_64__)
#include <immintrin.h>

/* Of the loop above compilers make shifts instead of a product, and keep no lane in a register: a fifth of the speed. */
#define ADD(name, vec, load, store, xor, multiply, right, plus, all)                                                   \
    static void name(vv_index blocks, const char *data, uint64_t *lanes)                                               \
    {                                                                                                                  \
        enum { EACH = sizeof(vec), N = BLOCK / EACH };                                                                 \
        char *at = (char *)lanes;                                                                                      \
        const vec by = all((long long)multiplier);                                                                     \
        vec lane[N];                                                                                                   \
        for (int i = 0; i < N; i++) lane[i] = load((const void *)(at + i * EACH));                                     \
        for (; blocks > 0; blocks--, data += BLOCK)                                                                    \
            for (int i = 0; i < N; i++) {                                                                              \
                vec x = xor(lane[i], load((const void *)(data + i * EACH)));                                           \
                lane[i] = plus(multiply(x, by), right(x, 32));                                                         \
            }                                                                                                          \
        for (int i = 0; i < N; i++) store((void *)(at + i * EACH), lane[i]);                                           \
    }
ADD(add_sse2, __m128i, _mm_loadu_si128, _mm_storeu_si128, _mm_xor_si128, _mm_mul_epu32, _mm_srli_epi64, _mm_add_epi64,
    _mm_set1_epi64x)
VV_TARGET_AVX2 ADD(add_avx2, __m256i, _mm256_loadu_si256, _mm256_storeu_si256, _mm256_xor_si256, _mm256_mul_epu32,
                   _mm256_srli_epi64, _mm256_add_epi64, _mm256_set1_epi64x)
VV_TARGET_AVX512 ADD(add_avx512, __m512i, _mm512_loadu_si512, _mm512_storeu_si512, _mm512_xor_si512, _mm512_mul_epu32,
                     _mm512_srli_epi64, _mm512_add_epi64, _mm512_set1_epi64)
#else
#define add_sse2   add_plain
#define add_avx2   add_plain
#define add_avx512 add_plain
#endif

    static add_kernel *const add[VV_CPU_LEVELS] = {[VV_CPU_PORTABLE] = add_plain,
                                                   [VV_CPU_NEON] = add_plain,
                                                   [VV_CPU_SSE2] = add_sse2,
                                                   [VV_CPU_AVX2] = add_avx2,
                                                   [VV_CPU_AVX512] = add_avx512};

void vv_checksum_begin(vv_checksum *c)
{
    c->size = 0;
    for (int i = 0; i < LANES; i++) c->lane[i] = (uint64_t)(i + 1) * 0x9e3779b97f4a7c15u;
}

void vv_checksum_add(vv_checksum *c, const void *data, vv_bytes size)
{
    const char *at = data;
    vv_bytes held = c->size % BLOCK;
    c->size += size;
    if (held > 0) {
        vv_bytes n = size < BLOCK - held ? size : BLOCK - held;
        memcpy(c->rest + held, at, (size_t)n);
        if (held + n < BLOCK) return;
        add[vv_cpu()](1, c->rest, c->lane);
        at += n;
        size -= n;
    }
    add[vv_cpu()](size / BLOCK, at, c->lane);
    memcpy(c->rest, at + size / BLOCK * BLOCK, (size_t)(size % BLOCK));
}

uint64_t vv_checksum_end(vv_checksum *c)
{
    static const uint64_t factor = 0x9e3779b97f4a7c15u;
    vv_bytes held = c->size % BLOCK;
    uint64_t sum = (uint64_t)c->size;
    memset(c->rest + held, 0, (size_t)(BLOCK - held));
    if (held > 0) add[vv_cpu()](1, c->rest, c->lane);
    for (int i = 0; i < LANES; i++) {
        sum = (sum ^ c->lane[i]) * factor;
        sum ^= sum >> 29;
    }
    return sum;
}

uint64_t vv_checksum_of(const void *data, vv_bytes size)
{
    vv_checksum c;
    vv_checksum_begin(&c);
    vv_checksum_add(&c, data, size);
    return vv_checksum_end(&c);
}
