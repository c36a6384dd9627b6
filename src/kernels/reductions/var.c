/* Variance and standard deviation without a division per element.
 *
 * A leaf keeps, for each cell, a shift k (its first valid value) and the sums s and q of x - k and (x - k)^2. With k among the values
 * these sums stay as small as the spread of the data, and nothing is lost to a large mean. Combining turns both sides into mean and sum
 * of squared deviations, joins them as Chan, Golub and LeVeque do, and stores k = mean, s = 0, q = that sum: a state like any other. k is NaN
 * while a cell has no valid value. */
#include "kernels/reductions/fold.h"

#include <string.h>

enum { K, S, Q, PLANES };

static int planes_of(vv_dtype in)
{
    (void)in;
    return PLANES;
}

static void init(const vv_red *r, vv_index cells, void *const planes[])
{
    (void)r;
    for (vv_index i = 0; i < cells; i++) ((double *)planes[K])[i] = (double)NAN;
    memset(planes[S], 0, sizeof(double) * (size_t)cells);
    memset(planes[Q], 0, sizeof(double) * (size_t)cells);
}

VV_KERNEL void unset_body(vv_index n, const double *k, int *found)
{
    int any = 0;
    for (vv_index i = 0; i < n; i++) any |= k[i] != k[i];
    *found = any;
}
VV_CLONES(unset, unset_body, (vv_index n, const double *k, int *found), (n, k, found))

#define LOOPS(name, xtype, USE)                                                                                        \
    VV_KERNEL void vertical_##name##_body(vv_index n, const xtype *restrict x, const double *restrict k,               \
                                          double *restrict s, double *restrict q)                                      \
    {                                                                                                                  \
        for (vv_index i = 0; i < n; i++) {                                                                             \
            double d = USE(x[i], (double)x[i] - k[i]);                                                                 \
            s[i] += d;                                                                                                 \
            q[i] += d * d;                                                                                             \
        }                                                                                                              \
    }                                                                                                                  \
    VV_CLONES(vertical_##name, vertical_##name##_body,                                                                 \
              (vv_index n, const void *x, const double *k, double *s, double *q), (n, x, k, s, q))                     \
    VV_KERNEL void in_lanes_##name(vv_index lanes, vv_index n, const xtype *x, const double *shift, double *s,         \
                                   double *q)                                                                          \
    {                                                                                                                  \
        _Alignas(64) double lk[VV_LANES], ls[VV_LANES], lq[VV_LANES];                                                  \
        for (vv_index l = 0; l < lanes; l++) {                                                                         \
            lk[l] = *shift;                                                                                            \
            ls[l] = lq[l] = 0;                                                                                         \
        }                                                                                                              \
        for (; n >= lanes; n -= lanes, x += lanes) vertical_##name##_body(lanes, x, lk, ls, lq);                       \
        vertical_##name##_body(n, x, lk, ls, lq);                                                                      \
        for (vv_index w = lanes / 2; w; w /= 2)                                                                        \
            for (vv_index l = 0; l < w; l++) {                                                                         \
                ls[l] += ls[l + w];                                                                                    \
                lq[l] += lq[l + w];                                                                                    \
            }                                                                                                          \
        *s += ls[0];                                                                                                   \
        *q += lq[0];                                                                                                   \
    }                                                                                                                  \
    VV_KERNEL void horizontal_##name##_body(vv_index n, const xtype *x, const double *k, double *s, double *q)         \
    {                                                                                                                  \
        if (n < VV_LONG_ROW)                                                                                           \
            in_lanes_##name(VV_FEW_LANES, n, x, k, s, q);                                                              \
        else                                                                                                           \
            in_lanes_##name(VV_LANES, n, x, k, s, q);                                                                  \
    }                                                                                                                  \
    VV_CLONES(horizontal_##name, horizontal_##name##_body,                                                             \
              (vv_index n, const void *x, const double *k, double *s, double *q), (n, x, k, s, q))
#define EVERY(x, d) (d)
#define VALID(x, d) ((x) == (x) ? (d) : 0.0)
LOOPS(F32, float, EVERY)
LOOPS(F64, double, EVERY)
LOOPS(valid_F32, float, VALID)
LOOPS(valid_F64, double, VALID)

/* Four rows, none of them with a NaN. */
#define ROWS(name, xtype)                                                                                              \
    VV_KERNEL void name##_body(vv_index n, const xtype *restrict x, vv_index step, const double *restrict k,           \
                               double *restrict s, double *restrict q)                                                 \
    {                                                                                                                  \
        const xtype *restrict y = x + step, *restrict z = y + step, *restrict u = z + step;                            \
        for (vv_index i = 0; i < n; i++) {                                                                             \
            double a = (double)x[i] - k[i], b = (double)y[i] - k[i], c = (double)z[i] - k[i], d = (double)u[i] - k[i]; \
            s[i] = s[i] + a + b + c + d;                                                                               \
            q[i] = q[i] + a * a + b * b + c * c + d * d;                                                               \
        }                                                                                                              \
    }                                                                                                                  \
    VV_CLONES(name, name##_body, (vv_index n, const void *x, vv_index step, const double *k, double *s, double *q),    \
              (n, x, step, k, s, q))
ROWS(rows_F32, float)
ROWS(rows_F64, double)

static double element(vv_dtype in, const void *x, vv_index i)
{
    return in == VV_F32 ? (double)((const float *)x)[i] : ((const double *)x)[i];
}

/* Cells that have no shift yet take it from their element of this piece. */
static void set_shifts(vv_dtype in, vv_index n, double *k, const void *x)
{
    int found;
    unset[vv_cpu()](n, k, &found);
    if (!found) return;
    for (vv_index i = 0; i < n; i++)
        if (isnan(k[i])) k[i] = element(in, x, i);
}

static void vertical_piece(vv_dtype in, bool masked, void *const planes[], vv_index at, vv_index n, const void *x)
{
    double *k = (double *)planes[K] + at, *s = (double *)planes[S] + at, *q = (double *)planes[Q] + at;
    set_shifts(in, n, k, x);
    if (in == VV_F32)
        (masked ? vertical_valid_F32 : vertical_F32)[vv_cpu()](n, x, k, s, q);
    else
        (masked ? vertical_valid_F64 : vertical_F64)[vv_cpu()](n, x, k, s, q);
}

static void horizontal_piece(vv_dtype in, bool masked, void *const planes[], vv_index at, vv_index n, const void *x)
{
    double *k = (double *)planes[K] + at, *s = (double *)planes[S] + at, *q = (double *)planes[Q] + at;
    for (vv_index i = 0; i < n && isnan(*k); i++) *k = element(in, x, i);
    if (in == VV_F32)
        (masked ? horizontal_valid_F32 : horizontal_F32)[vv_cpu()](n, x, k, s, q);
    else
        (masked ? horizontal_valid_F64 : horizontal_F64)[vv_cpu()](n, x, k, s, q);
}

static vv_index rows(const vv_red *r, const vv_decode *d, void *const planes[], vv_index at, vv_index n,
                     const vv_stored_rows *from)
{
    if (from->rows != VV_FOLD_ROWS || !vv_rows_plain(r, d, n, from)) return 0;
    const char *x = (const char *)from->block + from->first * vv_dtype_size(r->in);
    double *k = (double *)planes[K] + at, *s = (double *)planes[S] + at, *q = (double *)planes[Q] + at;
    set_shifts(r->in, n, k, x);
    (r->in == VV_F32 ? rows_F32 : rows_F64)[vv_cpu()](n, x, from->step, k, s, q);
    return n;
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

/* Sum of squared deviations from the mean, and the mean's distance from k. */
VV_KERNEL double squares(double n, double s, double q, double *distance)
{
    double d = s / (n > 0 ? n : 1);
    *distance = d;
    return q - s * d;
}

VV_KERNEL void combine_body(vv_index n, const double *restrict ln, const double *restrict rn, double *restrict k,
                            double *restrict s, double *restrict q, const double *restrict rk,
                            const double *restrict rs, const double *restrict rq)
{
    for (vv_index i = 0; i < n; i++) {
        double ld, rd, lm = squares(ln[i], s[i], q[i], &ld), rm = squares(rn[i], rs[i], rq[i], &rd);
        double a = k[i] + ld, b = rk[i] + rd;
        double left = ln[i] > 0 ? a : b, right = rn[i] > 0 ? b : a;
        double total = ln[i] + rn[i], share = rn[i] / (total > 0 ? total : 1), delta = right - left;
        double both = lm + rm + delta * delta * (ln[i] * share);
        k[i] = left + delta * share;
        s[i] = 0;
        q[i] = total > 0 ? both : 0;
    }
}
VV_CLONES(combine_tile, combine_body,
          (vv_index n, const double *ln, const double *rn, double *k, double *s, double *q, const double *rk,
           const double *rs, const double *rq),
          (n, ln, rn, k, s, q, rk, rs, rq))

static void valid_counts(const vv_red_head *head, const void *missing, vv_index first, vv_index n, double *out)
{
    for (vv_index i = 0; i < n; i++) out[i] = (double)head->count;
    if (!head->has_missing) return;
    for (vv_index i = 0; i < n; i++) out[i] -= (double)vv_missing_at(head, missing, first + i);
}

static void combine(const vv_red *r, vv_index cells, const vv_red_head *lh, void *const left[], const void *lmissing,
                    const vv_red_head *rh, void *const right[], const void *rmissing)
{
    (void)r;
    double ln[VV_TILE / 2], rn[VV_TILE / 2];
    for (vv_index at = 0; at < cells; at += VV_TILE / 2) {
        vv_index some = vv_imin(VV_TILE / 2, cells - at);
        valid_counts(lh, lmissing, at, some, ln);
        valid_counts(rh, rmissing, at, some, rn);
        combine_tile[vv_cpu()](some, ln, rn, (double *)left[K] + at, (double *)left[S] + at, (double *)left[Q] + at,
                               (double *)right[K] + at, (double *)right[S] + at, (double *)right[Q] + at);
    }
}

static void variances(const vv_red *r, vv_index cells, const vv_red_head *head, void *const planes[],
                      const void *missing, double *out)
{
    const double *s = planes[S], *q = planes[Q];
    for (vv_index i = 0; i < cells; i++) {
        double n = vv_valid(head, missing, i), distance;
        double m = squares(n, s[i], q[i], &distance);
        if (m < 0) m = 0; /* rounding, when all values are nearly the same */
        out[i] = n > 0 && n - r->ddof > 0 ? m / (n - r->ddof) : (double)NAN;
    }
}

static void finish_var(const vv_red *r, vv_index cells, const vv_red_head *head, void *const planes[],
                       const void *missing, void *out)
{
    variances(r, cells, head, planes, missing, out);
}

static void finish_std(const vv_red *r, vv_index cells, const vv_red_head *head, void *const planes[],
                       const void *missing, void *out)
{
    variances(r, cells, head, planes, missing, out);
    for (vv_index i = 0; i < cells; i++) ((double *)out)[i] = sqrt(((double *)out)[i]);
}

#define DESCRIPTOR(id, text, method)                                                                                   \
    const vv_reduction vv_reduction_of_##id = {.name = #id,                                                            \
                                               .help = text,                                                           \
                                               .cell_method = method,                                                  \
                                               .uses_ddof = true,                                                      \
                                               .counts_missing = true,                                                 \
                                               .planes = planes_of,                                                    \
                                               .result = vv_result_real,                                               \
                                               .init = init,                                                           \
                                               .vertical = vertical,                                                   \
                                               .valid = vertical_piece,                                                \
                                               .rows = rows,                                                           \
                                               .horizontal = horizontal,                                               \
                                               .combine = combine,                                                     \
                                               .finish = finish_##id};
DESCRIPTOR(var, "variance; divides by count - ddof", "variance")
DESCRIPTOR(std, "standard deviation; divides by count - ddof", "standard_deviation")
