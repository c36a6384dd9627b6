/* Quantiles of values with weights, as a function of generalized ufuncs: (lanes),(lanes)->(quantile), everything f64.
 *
 * The definition is that of A. Akinshin (2022), which xarray has, too: a quantile is a mean of the sorted values over a window of the cumulated weight, whose width is 1/n* and whose place follows from
 * n* as the usual definitions have it from n, where n* = (sum w)^2 / sum w^2 is Kish's effective number of values. Equal weights give the plain quantile. */
#ifndef VV_KERNELS_ORDER_QUANTILE_WEIGHTED_H
#define VV_KERNELS_ORDER_QUANTILE_WEIGHTED_H

#include "varve/function.h"

/* What the function is told. */
typedef struct vv_quantile_told {
    int64_t method;      /* vv_quantile_methods */
    int64_t n_core;      /* dimensions of a lane */
    int64_t keep_nan, n; /* a missing value makes the result missing; quantiles */
    double q[];
} vv_quantile_told;

/* Whether a definition goes with weights: not those that know nothing between two elements. */
bool vv_quantile_takes_weights(int method);
vv_gufunc_function vv_quantile_weighted;
/* Bytes that it takes for lanes of so many elements. */
vv_bytes vv_quantile_weighted_scratch(vv_index n);

#endif
