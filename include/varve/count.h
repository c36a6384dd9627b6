/* Counting and looking up: histograms along any number of axes, of everything or lane by lane, how often whole numbers occur, which bin an element is in, what is different.
 * Counts are exact. All functions: Driver only. */
#ifndef VARVE_COUNT_H
#define VARVE_COUNT_H

#include "varve/array.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bins along one axis: n of equal width from lo to hi (both 0: from the least element to the greatest one that are not missing, which are computed when the function is called), or
 * n bins between n + 1 ascending edges. They become the dimension `dim` (NULL: "bin"; of several arrays "bin0", "bin1" ...), whose coordinate is the middle of each. An element
 * on an edge is in the bin that begins there, on the last edge in the last bin; what lies outside, and NaN, is not counted. As numpy.histogram. */
typedef struct vv_bins {
    vv_index n;
    double lo, hi;
    const double *edges; /* NULL: of equal width */
    const char *dim;
} vv_bins;

/* How many elements are in each bin, i64: vv_histogram(t, &(vv_bins){.n = 20, .lo = 220, .hi = 320}, NULL, "time", false) is (lat, lon, bin); dims NULL: of all elements. weights (NULL: none) are
 * lined up with the array like any operand and added up instead: the result is of their type. density: divided by the width of the bin and by the total, so that the integral
 * is 1; f64. */
VV_API vv_array *vv_histogram(vv_array *a, const vv_bins *bins, vv_array *weights, const char *dims, bool density);
/* Of n arrays, which are lined up like operands: element by element they are points, and bins boxes of bins[0] x bins[1] .. The result has a dimension for each and is f64, as
 * numpy.histogram2d and numpy.histogramdd have it: vv_histogramdd((vv_array *[]){t, q}, (vv_bins[]){{.n = 30, .dim = "t"}, {.n = 20, .dim = "q"}}, 2, NULL, NULL, false). At most 7. */
VV_API vv_array *vv_histogramdd(vv_array *const arrays[], const vv_bins bins[], int n, vv_array *weights,
                                const char *dims, bool density);
static inline vv_array *vv_histogram2d(vv_array *x, vv_array *y, const vv_bins *x_bins, const vv_bins *y_bins,
                                       vv_array *weights, const char *dims, bool density)
{
    vv_array *arrays[2] = {x, y};
    vv_bins bins[2] = {*x_bins, *y_bins};
    return vv_histogramdd(arrays, bins, 2, weights, dims, density);
}
/* The edges that vv_histogram() takes, n + 1 along dimension `dim`: numpy.histogram_bin_edges. */
VV_API vv_array *vv_histogram_bin_edges(vv_array *a, const vv_bins *bins, const char *dim);

/* How often 0, 1, 2 ... length - 1 occur among integers, along a new last dimension; with weights, their totals, f64. Any other number is an error. length 0: up to the greatest
 * element, which is computed when the function is called, and at least `least` counts: numpy.bincount. dims NULL: among all elements. */
VV_API vv_array *vv_bincount(vv_array *a, vv_array *weights, vv_index length, vv_index least, const char *dims,
                             const char *new_dim);

/* --- looking up --- */

/* Which bin each element is in, i64: how many of the n bins, which ascend, are not greater (right: less). Where they descend, as numpy.digitize has it. NaN is greater
 * than all. */
VV_API vv_array *vv_digitize(vv_array *a, const double bins[], vv_index n, bool right);
/* Where each value would stand in a sorted vector, i64: before equal elements, or behind them (right). numpy.searchsorted(sorted, values). The vector is computed when the function is
 * called, and travels with the plan. */
VV_API vv_array *vv_searchsorted(vv_array *sorted, vv_array *values, bool right);
/* Whether each element is one of those of another array (invert: none of them), which is computed when the function is called. */
VV_API vv_array *vv_isin(vv_array *a, vv_array *elements, bool invert);

/* --- what is different: computed when these functions are called, by all ranks, because without it no length is known --- */

/* The different elements, ascending, along a new dimension. counts, inverse (or NULL): how often each occurs, i64; and for each element of a, in its shape, its position among the
 * different ones. NaN is one element, the last. As numpy.unique. */
VV_API vv_array *vv_unique(vv_array *a, const char *new_dim, vv_array **counts, vv_array **inverse);
/* The different elements of both. */
VV_API vv_array *vv_union1d(vv_array *a, vv_array *b, const char *new_dim);

#ifdef __cplusplus
}
#endif
#endif
