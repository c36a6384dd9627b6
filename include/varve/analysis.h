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

#ifdef __cplusplus
}
#endif
#endif
