/* Moments of pairs: how many pairs are there, their means, and the sums of squares and products of what lies about the means. Slopes, covariances and correlations are made of these six
 * numbers, in one pass.
 *
 * A cell keeps a pair that it has seen as its origin (k) and sums of the distances from it, their squares and products, as var.c does: with the origin among the values
 * nothing is lost to large means. Combining turns both sides into means and sums about these, joins them as Chan, Golub and LeVeque do, and stores a state whose origin is
 * the mean. A pair of which one is NaN does not count. A third value is a weight; then the number of pairs is the sum of weights. */
#include "kernels/reductions/fold.h"

#include <string.h>

enum { N, KX, KY, SX, SY, SXX, SXY, SYY, PLANES };
enum { LANES = 16 };

/* States of all cells lie plane by plane. */
typedef struct planes {
    double *at[PLANES];
} planes;

static planes planes_of(void *states, vv_index cells, vv_index first)
{
    planes p;
    for (int k = 0; k < PLANES; k++) p.at[k] = (double *)states + k * cells + first;
    return p;
}

static void init(const vv_red *r, vv_index cells, void *const states[])
{
    planes p = planes_of(states[0], cells, 0);
    (void)r;
    memset(p.at[0], 0, sizeof(double) * PLANES * (size_t)cells);
    for (vv_index i = 0; i < cells; i++) p.at[KX][i] = p.at[KY][i] = (double)NAN;
}

VV_KERNEL void unset_body(vv_index n, const double *k, int *found)
{
    int any = 0;
    for (vv_index i = 0; i < n; i++) any |= k[i] != k[i];
    *found = any;
}
VV_CLONES(unset, unset_body, (vv_index n, const double *k, int *found), (n, k, found))

/* Cells without an origin take the pair of this piece, if it is one. */
VV_KERNEL void originate_body(vv_index n, const double *restrict x, const double *restrict y, double *restrict kx,
                              double *restrict ky)
{
    for (vv_index i = 0; i < n; i++) {
        bool take = (kx[i] != kx[i]) & (x[i] == x[i]) & (y[i] == y[i]);
        kx[i] = take ? x[i] : kx[i];
        ky[i] = take ? y[i] : ky[i];
    }
}
VV_CLONES(originate, originate_body, (vv_index n, const double *x, const double *y, double *kx, double *ky),
          (n, x, y, kx, ky))

#define LOOP(name, WEIGHT, parameters, arguments)                                                                      \
    VV_KERNEL void name##_body parameters                                                                              \
    {                                                                                                                  \
        const double *restrict kx = p.at[KX], *restrict ky = p.at[KY];                                                 \
        double *restrict count = p.at[N], *restrict sx = p.at[SX], *restrict sy = p.at[SY];                            \
        double *restrict sxx = p.at[SXX], *restrict sxy = p.at[SXY], *restrict syy = p.at[SYY];                        \
        for (vv_index i = 0; i < n; i++) {                                                                             \
            double weight = WEIGHT;                                                                                    \
            bool there = (x[i] == x[i]) & (y[i] == y[i]) & (weight == weight);                                         \
            double w = there ? weight : 0;                                                                             \
            double dx = there ? x[i] - kx[i] : 0, dy = there ? y[i] - ky[i] : 0;                                       \
            double wx = w * dx, wy = w * dy;                                                                           \
            count[i] += w;                                                                                             \
            sx[i] += wx;                                                                                               \
            sy[i] += wy;                                                                                               \
            sxx[i] += wx * dx;                                                                                         \
            sxy[i] += wx * dy;                                                                                         \
            syy[i] += wy * dy;                                                                                         \
        }                                                                                                              \
    }                                                                                                                  \
    VV_CLONES(name, name##_body, parameters, arguments)
LOOP(fold_plain, 1.0, (vv_index n, const double *restrict x, const double *restrict y, planes p), (n, x, y, p))
LOOP(fold_weighted, weights[i],
     (vv_index n, const double *restrict x, const double *restrict y, const double *restrict weights, planes p),
     (n, x, y, weights, p))

static void fold_cells(vv_index n, const double *x, const double *y, const double *w, planes p)
{
    int found;
    unset[vv_cpu()](n, p.at[KX], &found);
    if (found) originate[vv_cpu()](n, x, y, p.at[KX], p.at[KY]);
    if (w)
        fold_weighted[vv_cpu()](n, x, y, w, p);
    else
        fold_plain[vv_cpu()](n, x, y, p);
}

/* All for one cell: dealt out to lanes with its origin, which are added in pairs. */
static void fold_row(vv_index n, const double *x, const double *y, const double *w, planes p)
{
    _Alignas(64) double room[PLANES * LANES] = {0};
    planes lane = planes_of(room, LANES, 0);
    for (vv_index i = 0; i < n && isnan(*p.at[KX]); i++) originate[vv_cpu()](1, x + i, y + i, p.at[KX], p.at[KY]);
    for (int l = 0; l < LANES; l++) {
        lane.at[KX][l] = *p.at[KX];
        lane.at[KY][l] = *p.at[KY];
    }
    for (vv_index i = 0; i < n; i += LANES) {
        vv_index some = vv_imin(LANES, n - i);
        if (w)
            fold_weighted[vv_cpu()](some, x + i, y + i, w + i, lane);
        else
            fold_plain[vv_cpu()](some, x + i, y + i, lane);
    }
    for (int k = 0; k < PLANES; k++) {
        if (k == KX || k == KY) continue;
        for (int half = LANES / 2; half; half /= 2)
            for (int l = 0; l < half; l++) lane.at[k][l] += lane.at[k][l + half];
        *p.at[k] += lane.at[k][0];
    }
}

static void fold(const vv_red *r, vv_red_head *head, void *states, vv_index first, vv_index step, vv_index n,
                 const void *const x[])
{
    planes p = planes_of(states, head->cells, first);
    (step ? fold_cells : fold_row)(n, x[0], x[1], r->spec->n_values > 2 ? x[2] : NULL, p);
}

/* A state in terms of its means. */
typedef struct about {
    double n, x, y, xx, xy, yy;
} about;

static about about_means(const planes *p, vv_index i)
{
    double n = p->at[N][i], by = n != 0 ? n : 1, dx = p->at[SX][i] / by, dy = p->at[SY][i] / by;
    return (about){.n = n,
                   .x = p->at[KX][i] + dx,
                   .y = p->at[KY][i] + dy,
                   .xx = p->at[SXX][i] - p->at[SX][i] * dx,
                   .xy = p->at[SXY][i] - p->at[SX][i] * dy,
                   .yy = p->at[SYY][i] - p->at[SY][i] * dy};
}

static void combine(const vv_red *r, vv_index cells, const vv_red_head *lh, void *const left[], const void *lmissing,
                    const vv_red_head *rh, void *const right[], const void *rmissing)
{
    planes p = planes_of(left[0], cells, 0), q = planes_of(right[0], cells, 0);
    (void)r, (void)lh, (void)rh, (void)lmissing, (void)rmissing;
    for (vv_index i = 0; i < cells; i++) {
        about a = about_means(&p, i), b = about_means(&q, i);
        if (isnan(b.x)) continue; /* has seen no pair */
        if (isnan(a.x)) a = (about){.x = b.x, .y = b.y};
        double n = a.n + b.n, share = n != 0 ? b.n / n : 0, dx = b.x - a.x, dy = b.y - a.y, by = a.n * share;
        p.at[N][i] = n;
        p.at[KX][i] = a.x + dx * share;
        p.at[KY][i] = a.y + dy * share;
        p.at[SX][i] = p.at[SY][i] = 0;
        p.at[SXX][i] = a.xx + b.xx + dx * dx * by;
        p.at[SXY][i] = a.xy + b.xy + dx * dy * by;
        p.at[SYY][i] = a.yy + b.yy + dy * dy * by;
    }
}

static void finish(const vv_red *r, vv_index cells, const vv_red_head *head, void *const states[], const void *missing,
                   void *out)
{
    planes p = planes_of(states[0], cells, 0);
    double *to = out;
    (void)r, (void)head, (void)missing;
    for (vv_index i = 0; i < cells; i++, to += VV_PAIR_MOMENTS) {
        about a = about_means(&p, i);
        to[VV_PAIR_N] = a.n;
        to[VV_PAIR_X] = a.n != 0 ? a.x : (double)NAN;
        to[VV_PAIR_Y] = a.n != 0 ? a.y : (double)NAN;
        to[VV_PAIR_XX] = a.xx > 0 ? a.xx : 0; /* rounding, where all are nearly the same */
        to[VV_PAIR_XY] = a.xy;
        to[VV_PAIR_YY] = a.yy > 0 ? a.yy : 0;
    }
}

const vv_reduction vv_reduction_pairs = {.name = "pairs",
                                         .help = "moments of pairs",
                                         .told = VV_TOLD_PAIRS,
                                         .init = init,
                                         .fold = fold,
                                         .combine = combine,
                                         .finish = finish};
