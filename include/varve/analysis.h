/* What climatologists ask of series: how two go together, how one changes with time, which patterns vary most.
 *
 * Results are lazy like all others, in one pass over the data unless it is said, and have the same bits for any number of ranks and threads. Missing values are left
 * out, pair by pair. All functions: Driver only.
 *
 *     vv_array *slope = vv_trend(t2m, "time", "slope", NULL), *p = vv_trend(t2m, "time", "p", NULL);     K per year, and whether it is one
 *     vv_array *r = vv_pairs(nino, rain, "corr", "time", &(vv_pair_options){.lag = (vv_index[]){0, 1, 2, 3}, .n_lags = 4}); */
#ifndef VARVE_ANALYSIS_H
#define VARVE_ANALYSIS_H

#include "varve/array.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- pairs --- */

typedef struct vv_pair_options {
    double ddof;         /* cov divides by count - ddof */
    vv_array *weights;   /* of pairs, lined up like an operand; NULL: all count the same */
    const vv_index *lag; /* b so many steps later than a; several lie along a first dimension "lag" */
    int n_lags;          /* 0: no lag, and no dimension */
} vv_pair_options;
#define VV_PAIR_OPTIONS_INIT                                                                                           \
    {                                                                                                                  \
        0, 0, 0, 0                                                                                                     \
    }
/* A statistic of the elements of a and b that are there in both, over dims (NULL: all): "corr" and "cov" as xarray.corr and xarray.cov; of the line by which b follows a "slope",
 * "intercept", "stderr" (of the slope), "t" and "p" (two-sided, of no slope, which is that of no correlation) as scipy.stats.linregress; "n", how many. */
VV_API vv_array *vv_pairs(vv_array *a, vv_array *b, const char *what, const char *dims, const vv_pair_options *options);
/* Both reduced to the labels that both have, along every dimension of both, in a's order. */
VV_API void vv_in_common(vv_array *a, vv_array *b, vv_array **a_out, vv_array **b_out);

/* --- trends --- */

typedef struct vv_trend_options {
    const char *
        per; /* unit of time: "year" (of the calendar's mean length), "decade", "century", "day", "hour", "minute", "second"; "step": positions; "unit": the
                        coordinate's own. NULL: year of times, else unit, without a coordinate step */
    bool
        adjust; /* significance by the effective number of samples n (1 - r) / (1 + r), at most n, where r is the correlation of neighbours in the residual; the data is read
                        twice */
} vv_trend_options;
#define VV_TREND_OPTIONS_INIT                                                                                          \
    {                                                                                                                  \
        0, false                                                                                                       \
    }
/* The least-squares line along a dimension: "slope", "intercept" (at the first time; at coordinate 0 where it is no time), "stderr" (of the slope), "t", "p" (two-sided), "corr", "n" (how
 * many values are there; with adjust how many count). */
VV_API vv_array *vv_trend(vv_array *a, const char *dim, const char *what, const vv_trend_options *options);
/* What is left of the array without that line. The data is read twice. */
VV_API vv_array *vv_detrend(vv_array *a, const char *dim, const vv_trend_options *options);

/* --- patterns --- */

typedef struct vv_eof_options {
    bool
        correlation; /* values are divided by their standard deviation first: patterns of correlations instead of covariances */
    vv_array
        *weights; /* of points, such as vv_cos(vv_radians(lat)), lined up like an operand; NULL: all count the same */
    double ddof;  /* variances divide by the number of times - ddof */
} vv_eof_options;
#define VV_EOF_OPTIONS_INIT                                                                                            \
    {                                                                                                                  \
        false, 0, 0                                                                                                    \
    }
/* The n leading empirical orthogonal functions along a dimension: pattern (mode, ...), series (dim, mode), the principal components, variance (mode) and the fraction of all variance
 * that each explains. NULL: not wanted. Weights count as squares, so values are multiplied by their square roots. A series has mean 0 and variance 1, and a pattern what its series changes by 1, in
 * the units of the array: products of both, added up over all modes, are the anomalies. The element of a pattern that is farthest from 0 is above it. Points where any value is missing
 * are left out, and NaN. The data is read three times; a square matrix of the shorter of both lengths has to fit in memory. */
VV_API void vv_eof(vv_array *a, const char *dim, vv_index n, const vv_eof_options *options, vv_array **pattern,
                   vv_array **series, vv_array **variance, vv_array **fraction);

/* --- around the year --- */

/* The mean and the first n waves along a dimension that goes round, such as the days of the year of a climatology: vv_harmonics(clim, "dayofyear", 4). All NaN where one is. */
VV_API vv_array *vv_harmonics(vv_array *a, const char *dim, int n);
/* Means of n neighbours, of which half lie before each element, where the first comes again after the last; missing ones are left out. */
VV_API vv_array *vv_circular_mean(vv_array *a, const char *dim, vv_index n);

#ifdef __cplusplus
}
#endif
#endif
