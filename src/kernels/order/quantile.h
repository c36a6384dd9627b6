/* NumPy's definitions of quantiles: which elements of a sorted sample, and how they are weighed. */
#ifndef VV_KERNELS_ORDER_QUANTILE_H
#define VV_KERNELS_ORDER_QUANTILE_H

#include "varve/types.h"

typedef struct vv_quantile_method {
    const char *name; /* "linear" */
    bool picks;       /* always an element: the result has the type of the elements */
    bool whole;       /* between two elements there are only fixed places */
    /* Where in n sorted elements the quantile is; less than 0 and more than n - 1 are the ends. */
    double (*at)(double n, double q);
} vv_quantile_method;
extern const vv_quantile_method vv_quantile_methods[];
extern const int vv_n_quantile_methods;
/* -1: none of this name. */
int vv_quantile_find(const char *name);

/* Of n > 0 elements: numbers `low` and `high`, and the weight of the latter. */
typedef struct vv_quantile_place {
    vv_index low, high;
    double weight;
} vv_quantile_place;
vv_quantile_place vv_quantile_of(int method, vv_index n, double q);

#endif
