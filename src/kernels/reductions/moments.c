/* Skewness and kurtosis, from sums of the first four powers of x - k, where k is the first valid value of a cell (var.c tells why). Combining turns both
 * sides into moments about their means, joins them by Pébay's formulas, and stores k = mean and these moments: a state like any other. */
#include "kernels/reductions/fold.h"

#include <string.h>

enum { K, S1, S2, S3, S4, PLANES };

static int planes_of(vv_dtype in)
{
    (void)in;
    return PLANES;
}

static void init(const vv_red *r, vv_index cells, void *const planes[])
{
    (void)r;
    for (vv_index i = 0; i < cells; i++) ((double *)planes[K])[i] = (double)NAN;
    for (int s = S1; s < PLANES; s++) memset(planes[s], 0, sizeof(double) * (size_t)cells);
}

#define LOOPS(name, xtype, USE)                                                                                        \
    VV_KERNEL void vertical_##name##_body(vv_index n, const xtype *restrict x, const double *restrict k,               \
                                          double *restrict s1, double *restrict s2, double *restrict s3,               \
                                          double *restrict s4)                                                         \
    {                                                                                                                  \
        for (vv_index i = 0; i < n; i++) {                                                                             \
            double d = USE(x[i], (double)x[i] - k[i]), dd = d * d;                                                     \
            s1[i] += d;                                                                                                \
            s2[i] += dd;                                                                                               \
            s3[i] += dd * d;                                                                                           \
            s4[i] += dd * dd;                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    VV_CLONES(vertical_##name, vertical_##name##_body,                                                                 \
              (vv_index n, const void *x, const double *k, double *s1, double *s2, double *s3, double *s4),            \
              (n, x, k, s1, s2, s3, s4))                                                                               \
    VV_KERNEL void in_lanes_##name(vv_index lanes, vv_index n, const xtype *x, const double *shift, double *const s[]) \
    {                                                                                                                  \
        _Alignas(64) double lane[PLANES][VV_LANES];                                                                    \
        for (vv_index l = 0; l < lanes; l++) {                                                                         \
            lane[K][l] = *shift;                                                                                       \
            lane[S1][l] = lane[S2][l] = lane[S3][l] = lane[S4][l] = 0;                                                 \
        }                                                                                                              \
        for (; n >= lanes; n -= lanes, x += lanes)                                                                     \
            vertical_##name##_body(lanes, x, lane[K], lane[S1], lane[S2], lane[S3], lane[S4]);                         \
        vertical_##name##_body(n, x, lane[K], lane[S1], lane[S2], lane[S3], lane[S4]);                                 \
        for (int p = S1; p < PLANES; p++) {                                                                            \
            for (vv_index w = lanes / 2; w; w /= 2)                                                                    \
                for (vv_index l = 0; l < w; l++) lane[p][l] += lane[p][l + w];                                         \
            *s[p] += lane[p][0];                                                                                       \
        }                                                                                                              \
    }                                                                                                                  \
    VV_KERNEL void horizontal_##name##_body(vv_index n, const xtype *x, const double *k, double *const s[])            \
    {                                                                                                                  \
        if (n < VV_LONG_ROW)                                                                                           \
            in_lanes_##name(VV_FEW_LANES, n, x, k, s);                                                                 \
        else                                                                                                           \
            in_lanes_##name(VV_LANES, n, x, k, s);                                                                     \
    }                                                                                                                  \
    VV_CLONES(horizontal_##name, horizontal_##name##_body,                                                             \
              (vv_index n, const void *x, const double *k, double *const s[]), (n, x, k, s))
#define EVERY(x, d) (d)
#define VALID(x, d) ((x) == (x) ? (d) : 0.0)
LOOPS(F32, float, EVERY)
LOOPS(F64, double, EVERY)
LOOPS(valid_F32, float, VALID)
LOOPS(valid_F64, double, VALID)

static double element(vv_dtype in, const void *x, vv_index i)
{
    return in == VV_F32 ? (double)((const float *)x)[i] : ((const double *)x)[i];
}

static void vertical_piece(vv_dtype in, bool masked, void *const planes[], vv_index at, vv_index n, const void *x)
{
    double *p[PLANES];
    for (int i = 0; i < PLANES; i++) p[i] = (double *)planes[i] + at;
    for (vv_index i = 0; i < n; i++) p[K][i] = isnan(p[K][i]) ? element(in, x, i) : p[K][i];
    if (in == VV_F32)
        (masked ? vertical_valid_F32 : vertical_F32)[vv_cpu()](n, x, p[K], p[S1], p[S2], p[S3], p[S4]);
    else
        (masked ? vertical_valid_F64 : vertical_F64)[vv_cpu()](n, x, p[K], p[S1], p[S2], p[S3], p[S4]);
}

static void horizontal_piece(vv_dtype in, bool masked, void *const planes[], vv_index at, vv_index n, const void *x)
{
    double *p[PLANES];
    for (int i = 0; i < PLANES; i++) p[i] = (double *)planes[i] + at;
    for (vv_index i = 0; i < n && isnan(*p[K]); i++) *p[K] = element(in, x, i);
    if (in == VV_F32)
        (masked ? horizontal_valid_F32 : horizontal_F32)[vv_cpu()](n, x, p[K], p);
    else
        (masked ? horizontal_valid_F64 : horizontal_F64)[vv_cpu()](n, x, p[K], p);
}

static void vertical(const vv_red *r, vv_red_head *head, void *const planes[], void *missing, vv_index first,
                     vv_index n, const void *x)
{
    vv_fold_vertical(r, head, planes, missing, first, n, x, vertical_piece);
}

static void horizontal(const vv_red *r, vv_red_head *head, void *const planes[], void *missing, vv_index cell,
                       vv_index n, const void *x)
{
    vv_fold_horizontal(r, head, planes, missing, cell, n, x, horizontal_piece);
}

/* Mean and sums of powers of deviations from it. */
typedef struct moments {
    double n, mean, m2, m3, m4;
} moments;

static moments about_mean(double n, void *const planes[], vv_index i)
{
    double s1 = ((const double *)planes[S1])[i], s2 = ((const double *)planes[S2])[i];
    double s3 = ((const double *)planes[S3])[i], s4 = ((const double *)planes[S4])[i];
    double d = s1 / (n > 0 ? n : 1);
    return (moments){n, ((const double *)planes[K])[i] + d, s2 - s1 * d, s3 - 3 * d * s2 + 2 * s1 * d * d,
                     s4 - 4 * d * s3 + 6 * d * d * s2 - 3 * s1 * d * d * d};
}

static moments joined(const moments *a, const moments *b)
{
    if (!(b->n > 0)) return *a;
    if (!(a->n > 0)) return *b;
    double n = a->n + b->n, d = b->mean - a->mean, share = b->n / n, other = a->n / n, dd = d * d;
    moments m = {.n = n, .mean = a->mean + d * share};
    m.m2 = a->m2 + b->m2 + dd * a->n * share;
    m.m3 = a->m3 + b->m3 + dd * d * a->n * share * (other - share) + 3 * d * (other * b->m2 - share * a->m2);
    m.m4 = a->m4 + b->m4 + dd * dd * a->n * share * (other * other - other * share + share * share) +
           6 * dd * (other * other * b->m2 + share * share * a->m2) + 4 * d * (other * b->m3 - share * a->m3);
    return m;
}

static void combine(const vv_red *r, vv_index cells, const vv_red_head *lh, void *const left[], const void *lmissing,
                    const vv_red_head *rh, void *const right[], const void *rmissing)
{
    (void)r;
    for (vv_index i = 0; i < cells; i++) {
        moments a = about_mean(vv_valid(lh, lmissing, i), left, i);
        moments b = about_mean(vv_valid(rh, rmissing, i), right, i);
        moments both = joined(&a, &b);
        ((double *)left[K])[i] = both.mean;
        ((double *)left[S1])[i] = 0;
        ((double *)left[S2])[i] = both.n > 0 ? both.m2 : 0;
        ((double *)left[S3])[i] = both.n > 0 ? both.m3 : 0;
        ((double *)left[S4])[i] = both.n > 0 ? both.m4 : 0;
    }
}

static void finish_skew(const vv_red *r, vv_index cells, const vv_red_head *head, void *const planes[],
                        const void *missing, void *out)
{
    (void)r;
    for (vv_index i = 0; i < cells; i++) {
        moments m = about_mean(vv_valid(head, missing, i), planes, i);
        ((double *)out)[i] = m.m2 > 0 ? sqrt(m.n) * m.m3 / (m.m2 * sqrt(m.m2)) : (double)NAN;
    }
}

static void finish_kurtosis(const vv_red *r, vv_index cells, const vv_red_head *head, void *const planes[],
                            const void *missing, void *out)
{
    (void)r;
    for (vv_index i = 0; i < cells; i++) {
        moments m = about_mean(vv_valid(head, missing, i), planes, i);
        ((double *)out)[i] = m.m2 > 0 ? m.n * m.m4 / (m.m2 * m.m2) - 3 : (double)NAN;
    }
}

#define DESCRIPTOR(id, text)                                                                                           \
    const vv_reduction vv_reduction_of_##id = {.name = #id,                                                            \
                                               .help = text,                                                           \
                                               .counts_missing = true,                                                 \
                                               .planes = planes_of,                                                    \
                                               .result = vv_result_real,                                               \
                                               .init = init,                                                           \
                                               .vertical = vertical,                                                   \
                                               .valid = vertical_piece,                                                \
                                               .horizontal = horizontal,                                               \
                                               .combine = combine,                                                     \
                                               .finish = finish_##id};
DESCRIPTOR(skew, "skewness of the population; 0 of a symmetric distribution")
DESCRIPTOR(kurtosis, "excess kurtosis of the population; 0 of a normal distribution")
