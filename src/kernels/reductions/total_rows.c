/* Sums of stored elements without a stop in between: byte planes are zipped, or bytes swapped, values looked through for missing ones, unpacked and added in
 * registers.
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

typedef enum layout { SHUFFLED, IN_ORDER, SWAPPED, LAYOUTS } layout;

WIDE __m256i load(const byte *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

WIDE void unshuffled(const rows *x, vv_index i, __m256i out[4])
{
    __m256i p[4];
    for (int b = 0; b < 4; b++) p[b] = load(x->in + i + b * x->total);
    __m256i low02 = _mm256_unpacklo_epi8(p[0], p[2]), high02 = _mm256_unpackhi_epi8(p[0], p[2]);
    __m256i low13 = _mm256_unpacklo_epi8(p[1], p[3]), high13 = _mm256_unpackhi_epi8(p[1], p[3]);
    __m256i a = _mm256_unpacklo_epi8(low02, low13), b = _mm256_unpackhi_epi8(low02, low13);
    __m256i c = _mm256_unpacklo_epi8(high02, high13), d = _mm256_unpackhi_epi8(high02, high13);
    out[0] = _mm256_permute2x128_si256(a, b, 0x20);
    out[1] = _mm256_permute2x128_si256(c, d, 0x20);
    out[2] = _mm256_permute2x128_si256(a, b, 0x31);
    out[3] = _mm256_permute2x128_si256(c, d, 0x31);
}

WIDE void in_order(const rows *x, vv_index i, layout how, __m256i out[4])
{
    const __m256i back = _mm256_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10,
                                         11, 4, 5, 6, 7, 0, 1, 2, 3);
    for (int k = 0; k < 4; k++) {
        out[k] = load(x->in + 4 * i + 32 * k);
        if (how == SWAPPED) out[k] = _mm256_shuffle_epi8(out[k], back);
    }
}

WIDE void prefetch(const rows *x, vv_index i, int planes)
{
    for (int b = 0; b < planes; b++) _mm_prefetch((const char *)(x->in + i + b * x->total), _MM_HINT_T0);
}

WIDE void add_eight(__m256i bits, __m256 missing, __m256 *any, __m256d sum[2])
{
    __m256 v = _mm256_castsi256_ps(bits);
    *any = _mm256_or_ps(*any, _mm256_cmp_ps(v, missing, _CMP_EQ_UQ));
    sum[0] = _mm256_add_pd(sum[0], _mm256_cvtps_pd(_mm256_castps256_ps128(v)));
    sum[1] = _mm256_add_pd(sum[1], _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1)));
}

/* Whether none of them is missing, nor NaN; else the sums are as they were. */
WIDE int add_f32(const rows *x, vv_index i, int n_rows, layout how, double *at)
{
    __m256 any = _mm256_setzero_ps(), missing = _mm256_set1_ps(x->missing_real);
    __m256d sum[8];
    for (int k = 0; k < 8; k++) sum[k] = _mm256_loadu_pd(at + 4 * k);
    for (int r = 0; r < n_rows; r++) {
        __m256i v[4];
        if (how == SHUFFLED) {
            unshuffled(x, i + r * x->step, v);
            if (n_rows > 1) prefetch(x, i + (r + n_rows) * x->step, 4);
        } else {
            in_order(x, i + r * x->step, how, v);
        }
        for (int k = 0; k < 4; k++) add_eight(v[k], missing, &any, sum + 2 * k);
    }
    if (_mm256_movemask_ps(any)) return 0;
    for (int k = 0; k < 8; k++) _mm256_storeu_pd(at + 4 * k, sum[k]);
    return 1;
}

/* --- packed i16 as f64, shuffled: 8 cells at a time --- */

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

WIDE __m128i eight_bytes(const byte *p)
{
    return _mm_loadl_epi64((const __m128i *)(const void *)p);
}

WIDE int add_rows_i16(const rows *x, vv_index i, int n_rows, int small, __m256d sum[2], __m256d lost[2])
{
    __m128i any = _mm_setzero_si128(), missing = _mm_set1_epi16(x->missing);
    for (int r = 0; r < n_rows; r++) {
        const byte *in = x->in + i + r * x->step;
        __m128i v = _mm_unpacklo_epi8(eight_bytes(in), eight_bytes(in + x->total));
        prefetch(x, i + (r + n_rows) * x->step, 2);
        any = _mm_or_si128(any, _mm_cmpeq_epi16(v, missing));
        add_packed(x, _mm_cvtepi16_epi32(v), small, &sum[0], &lost[0]);
        add_packed(x, _mm_cvtepi16_epi32(_mm_unpackhi_epi64(v, v)), small, &sum[1], &lost[1]);
    }
    return !(_mm_movemask_epi8(any) & x->has_missing);
}

/* All sums are so large that they stay the larger ones while rows are added. */
WIDE int all_large(const rows *x, int n_rows, const __m256d sum[2])
{
    const __m256d sign = _mm256_set1_pd(-0.0), least = _mm256_set1_pd(x->most * (n_rows + 1));
    __m256d first = _mm256_cmp_pd(_mm256_andnot_pd(sign, sum[0]), least, _CMP_GE_OQ);
    __m256d second = _mm256_cmp_pd(_mm256_andnot_pd(sign, sum[1]), least, _CMP_GE_OQ);
    return _mm256_movemask_pd(_mm256_and_pd(first, second)) == 15;
}

WIDE int add_i16(const rows *x, vv_index i, int n_rows, double *at, double *lost_at)
{
    __m256d sum[2] = {_mm256_loadu_pd(at), _mm256_loadu_pd(at + 4)};
    __m256d lost[2] = {_mm256_loadu_pd(lost_at), _mm256_loadu_pd(lost_at + 4)};
    int good =
        all_large(x, n_rows, sum) ? add_rows_i16(x, i, n_rows, 1, sum, lost) : add_rows_i16(x, i, n_rows, 0, sum, lost);
    if (!good) return 0;
    for (int k = 0; k < 2; k++) {
        _mm256_storeu_pd(at + 4 * k, sum[k]);
        _mm256_storeu_pd(lost_at + 4 * k, lost[k]);
    }
    return 1;
}

/* --- by number of rows --- */

typedef vv_index kernel(const rows *x, vv_index n, double *sum, double *lost);
#define KERNEL(name, ROWS, CELLS, add)                                                                                 \
    VV_TARGET_AVX2 static vv_index name##_##ROWS(const rows *x, vv_index n, double *sum, double *lost)                 \
    {                                                                                                                  \
        vv_index i = 0;                                                                                                \
        (void)lost;                                                                                                    \
        while (i + CELLS <= n && add) i += CELLS;                                                                      \
        return i;                                                                                                      \
    }
#define KERNELS(ROWS)                                                                                                  \
    KERNEL(shuffled, ROWS, 32, add_f32(x, i, ROWS, SHUFFLED, sum + i))                                                 \
    KERNEL(ordered, ROWS, 32, add_f32(x, i, ROWS, IN_ORDER, sum + i))                                                  \
    KERNEL(swapped, ROWS, 32, add_f32(x, i, ROWS, SWAPPED, sum + i))                                                   \
    KERNEL(packed, ROWS, 8, add_i16(x, i, ROWS, sum + i, lost + i))
KERNELS(1)
KERNELS(2)
KERNELS(3)
KERNELS(4)
#define BY_ROWS(name)                                                                                                  \
    {                                                                                                                  \
        NULL, name##_1, name##_2, name##_3, name##_4                                                                   \
    }
static kernel *const of_f32[LAYOUTS][VV_FOLD_ROWS + 1] = {
    [SHUFFLED] = BY_ROWS(shuffled), [IN_ORDER] = BY_ROWS(ordered), [SWAPPED] = BY_ROWS(swapped)};
static kernel *const of_i16[VV_FOLD_ROWS + 1] = BY_ROWS(packed);

static kernel *kernel_for(vv_dtype in, const vv_decode *d, vv_index n_rows)
{
    if (d->n_missing > 1 || (d->shuffled && d->swap) || (vv_cpu() != VV_CPU_AVX2 && vv_cpu() != VV_CPU_AVX512))
        return NULL;
    if (d->stored == VV_F32 && in == VV_F32 && !d->scaled)
        return of_f32[d->shuffled ? SHUFFLED : d->swap ? SWAPPED : IN_ORDER][n_rows];
    return d->stored == VV_I16 && in == VV_F64 && d->shuffled ? of_i16[n_rows] : NULL;
}

vv_index vv_total_rows(const vv_red *r, const vv_decode *d, void *const planes[], vv_index at, vv_index n,
                       const vv_stored_rows *from)
{
    vv_dtype in = r->in;
    kernel *add = kernel_for(in, d, from->rows);
    if (!add) return 0;
    double *sum = (double *)planes[0] + at, *lost = in == VV_F64 ? (double *)planes[1] + at : NULL;
    rows x = {.in = (const byte *)from->block + from->first * (d->shuffled ? 1 : vv_dtype_size(d->stored)),
              .total = from->total,
              .step = from->step};
    if (d->stored == VV_F32) {
        /* What is compared with a NaN is always taken for missing. So where only NaNs are, it is another number that few files have: that goes the long way, to
         * the same sums. */
        float missing = d->n_missing ? (float)d->missing[0].f : NAN;
        x.missing_real = isnan(missing) ? INFINITY : missing;
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
vv_index vv_total_rows(const vv_red *r, const vv_decode *d, void *const planes[], vv_index at, vv_index n,
                       const vv_stored_rows *from)
{
    (void)r, (void)d, (void)planes, (void)at, (void)n, (void)from;
    return 0;
}
#endif
