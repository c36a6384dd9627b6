/* Sums of shuffled elements without a stop in between: byte planes are zipped, looked through for missing values, unpacked and added in registers.
 *
 * A cell's sum is loaded and stored once for several rows. That matters where the chunk comes from a far cache, and for doubles, whose sums have two parts:
 * Knuth's two-sum takes six operations for any two numbers, Dekker's three where the sum is the larger one. It gives the same two numbers then, and packed
 * integers tell how large they can be: so most of them go the short way. */
#include "kernels/reductions/total.h"

#include <math.h>

#if defined(__x86_64__)
#include <immintrin.h>

typedef unsigned char byte;
#define WIDE static inline __attribute__((always_inline, target("avx2")))

/* Elements of a shuffled chunk of `total`, row after row `step` elements apart, from `in` on, and what is missing among them. */
typedef struct rows {
    const byte *in;
    vv_index total, step;
    float missing_real;
    int16_t missing;
    int has_missing;            /* all ones */
    double scale, offset, most; /* most: no element is larger, nor smaller than its negative */
} rows;

/* --- f32: 32 cells at a time --- */

WIDE __m256i plane(const rows *x, vv_index i, int b)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)(x->in + i + b * x->total));
}

WIDE void add_eight(__m256i bits, __m256 missing, __m256 *any, __m256d sum[2])
{
    __m256 v = _mm256_castsi256_ps(bits);
    *any = _mm256_or_ps(*any, _mm256_cmp_ps(v, missing, _CMP_EQ_UQ));
    sum[0] = _mm256_add_pd(sum[0], _mm256_cvtps_pd(_mm256_castps256_ps128(v)));
    sum[1] = _mm256_add_pd(sum[1], _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1)));
}

/* Whether none of them is missing, nor NaN; else the sums are as they were. */
WIDE int add_f32(const rows *x, vv_index i, int n_rows, double *at)
{
    __m256 any = _mm256_setzero_ps(), missing = _mm256_set1_ps(x->missing_real);
    __m256d sum[8];
    for (int k = 0; k < 8; k++) sum[k] = _mm256_loadu_pd(at + 4 * k);
    for (int r = 0; r < n_rows; r++) {
        vv_index from = i + r * x->step;
        __m256i p0 = plane(x, from, 0), p1 = plane(x, from, 1), p2 = plane(x, from, 2), p3 = plane(x, from, 3);
        for (int b = 0; b < 4; b++)
            _mm_prefetch((const char *)(x->in + from + n_rows * x->step + b * x->total), _MM_HINT_T0);
        __m256i low02 = _mm256_unpacklo_epi8(p0, p2), high02 = _mm256_unpackhi_epi8(p0, p2);
        __m256i low13 = _mm256_unpacklo_epi8(p1, p3), high13 = _mm256_unpackhi_epi8(p1, p3);
        __m256i a = _mm256_unpacklo_epi8(low02, low13), b = _mm256_unpackhi_epi8(low02, low13);
        __m256i c = _mm256_unpacklo_epi8(high02, high13), d = _mm256_unpackhi_epi8(high02, high13);
        add_eight(_mm256_permute2x128_si256(a, b, 0x20), missing, &any, sum);
        add_eight(_mm256_permute2x128_si256(c, d, 0x20), missing, &any, sum + 2);
        add_eight(_mm256_permute2x128_si256(a, b, 0x31), missing, &any, sum + 4);
        add_eight(_mm256_permute2x128_si256(c, d, 0x31), missing, &any, sum + 6);
    }
    if (_mm256_movemask_ps(any)) return 0;
    for (int k = 0; k < 8; k++) _mm256_storeu_pd(at + 4 * k, sum[k]);
    return 1;
}

/* --- packed i16 as f64: 16 cells at a time --- */

WIDE void two_sum_any(__m256d *sum, __m256d *lost, __m256d x)
{
    __m256d total = _mm256_add_pd(*sum, x), part = _mm256_sub_pd(total, *sum);
    __m256d of_sum = _mm256_sub_pd(*sum, _mm256_sub_pd(total, part)), of_x = _mm256_sub_pd(x, part);
    *lost = _mm256_add_pd(*lost, _mm256_add_pd(of_sum, of_x));
    *sum = total;
}

WIDE void two_sum_small(__m256d *sum, __m256d *lost, __m256d x)
{
    __m256d total = _mm256_add_pd(*sum, x);
    *lost = _mm256_add_pd(*lost, _mm256_sub_pd(x, _mm256_sub_pd(total, *sum)));
    *sum = total;
}

WIDE void add_packed(const rows *x, __m128i four, int small, __m256d *sum, __m256d *lost)
{
    __m256d v = _mm256_mul_pd(_mm256_cvtepi32_pd(four), _mm256_set1_pd(x->scale));
    v = _mm256_add_pd(v, _mm256_set1_pd(x->offset));
    if (small)
        two_sum_small(sum, lost, v);
    else
        two_sum_any(sum, lost, v);
}

WIDE int add_rows_i16(const rows *x, vv_index i, int n_rows, int small, __m256d sum[4], __m256d lost[4])
{
    __m128i any = _mm_setzero_si128(), missing = _mm_set1_epi16(x->missing);
    for (int r = 0; r < n_rows; r++) {
        const byte *in = x->in + i + r * x->step;
        __m128i p0 = _mm_loadu_si128((const __m128i *)(const void *)in);
        __m128i p1 = _mm_loadu_si128((const __m128i *)(const void *)(in + x->total));
        _mm_prefetch((const char *)(in + n_rows * x->step), _MM_HINT_T0);
        _mm_prefetch((const char *)(in + n_rows * x->step + x->total), _MM_HINT_T0);
        __m128i low = _mm_unpacklo_epi8(p0, p1), high = _mm_unpackhi_epi8(p0, p1);
        any = _mm_or_si128(any, _mm_or_si128(_mm_cmpeq_epi16(low, missing), _mm_cmpeq_epi16(high, missing)));
        __m256i a = _mm256_cvtepi16_epi32(low), b = _mm256_cvtepi16_epi32(high);
        add_packed(x, _mm256_castsi256_si128(a), small, &sum[0], &lost[0]);
        add_packed(x, _mm256_extracti128_si256(a, 1), small, &sum[1], &lost[1]);
        add_packed(x, _mm256_castsi256_si128(b), small, &sum[2], &lost[2]);
        add_packed(x, _mm256_extracti128_si256(b, 1), small, &sum[3], &lost[3]);
    }
    return !(_mm_movemask_epi8(any) & x->has_missing);
}

/* All sums are so large that they stay the larger ones while rows are added. */
WIDE int all_large(const rows *x, int n_rows, const __m256d sum[4])
{
    const __m256d sign = _mm256_set1_pd(-0.0), least = _mm256_set1_pd(x->most * (n_rows + 1));
    __m256d yes = _mm256_cmp_pd(_mm256_andnot_pd(sign, sum[0]), least, _CMP_GE_OQ);
    for (int k = 1; k < 4; k++)
        yes = _mm256_and_pd(yes, _mm256_cmp_pd(_mm256_andnot_pd(sign, sum[k]), least, _CMP_GE_OQ));
    return _mm256_movemask_pd(yes) == 15;
}

WIDE int add_i16(const rows *x, vv_index i, int n_rows, double *at, double *lost_at)
{
    __m256d sum[4], lost[4];
    for (int k = 0; k < 4; k++) {
        sum[k] = _mm256_loadu_pd(at + 4 * k);
        lost[k] = _mm256_loadu_pd(lost_at + 4 * k);
    }
    int good =
        all_large(x, n_rows, sum) ? add_rows_i16(x, i, n_rows, 1, sum, lost) : add_rows_i16(x, i, n_rows, 0, sum, lost);
    if (!good) return 0;
    for (int k = 0; k < 4; k++) {
        _mm256_storeu_pd(at + 4 * k, sum[k]);
        _mm256_storeu_pd(lost_at + 4 * k, lost[k]);
    }
    return 1;
}

/* --- by number of rows --- */

typedef vv_index kernel(const rows *x, vv_index n, double *sum, double *lost);
#define KERNELS(ROWS)                                                                                                  \
    VV_TARGET_AVX2 static vv_index f32_##ROWS(const rows *x, vv_index n, double *sum, double *lost)                    \
    {                                                                                                                  \
        vv_index i = 0;                                                                                                \
        (void)lost;                                                                                                    \
        while (i + 32 <= n && add_f32(x, i, ROWS, sum + i)) i += 32;                                                   \
        return i;                                                                                                      \
    }                                                                                                                  \
    VV_TARGET_AVX2 static vv_index i16_##ROWS(const rows *x, vv_index n, double *sum, double *lost)                    \
    {                                                                                                                  \
        vv_index i = 0;                                                                                                \
        while (i + 16 <= n && add_i16(x, i, ROWS, sum + i, lost + i)) i += 16;                                         \
        return i;                                                                                                      \
    }
KERNELS(1)
KERNELS(2)
KERNELS(3)
KERNELS(4)
static kernel *const of_f32[VV_FOLD_ROWS + 1] = {NULL, f32_1, f32_2, f32_3, f32_4};
static kernel *const of_i16[VV_FOLD_ROWS + 1] = {NULL, i16_1, i16_2, i16_3, i16_4};

static kernel *kernel_for(vv_dtype in, const vv_decode *d, int n_rows)
{
    if (!d->shuffled || d->swap || d->n_missing > 1 || (vv_cpu() != VV_CPU_AVX2 && vv_cpu() != VV_CPU_AVX512))
        return NULL;
    if (d->stored == VV_F32 && in == VV_F32 && !d->scaled) return of_f32[n_rows];
    return d->stored == VV_I16 && in == VV_F64 ? of_i16[n_rows] : NULL;
}

vv_index vv_total_rows(vv_dtype in, const vv_decode *d, void *const planes[], vv_index at, vv_index n,
                       const vv_stored_rows *from)
{
    kernel *add = kernel_for(in, d, from->rows);
    if (!add) return 0;
    double *sum = (double *)planes[0] + at, *lost = in == VV_F64 ? (double *)planes[1] + at : NULL;
    rows x = {.in = (const byte *)from->block + from->first, .total = from->total, .step = from->step};
    if (d->stored == VV_F32) {
        x.missing_real = d->n_missing ? (float)d->missing[0].f : NAN;
    } else {
        x.missing = d->n_missing ? (int16_t)d->missing[0].i : 0;
        x.has_missing = d->n_missing && x.missing == d->missing[0].i ? -1 : 0;
        x.scale = d->scaled ? d->scale : 1;
        x.offset = d->scaled ? d->offset : 0;
        x.most = 32768 * fabs(x.scale) + fabs(x.offset);
    }
    return add(&x, n, sum, lost);
}
#else
vv_index vv_total_rows(vv_dtype in, const vv_decode *d, void *const planes[], vv_index at, vv_index n,
                       const vv_stored_rows *from)
{
    (void)in, (void)d, (void)planes, (void)at, (void)n, (void)from;
    return 0;
}
#endif
