/* Sums of floats, for sum and mean. f32 adds up in one f64 plane. f64 adds up in two: the running sum and what rounding lost from it, so that
 * the total of millions of values of mixed size is right to the last bits. */
#ifndef VV_KERNELS_REDUCTIONS_TOTAL_H
#define VV_KERNELS_REDUCTIONS_TOTAL_H

#include "kernels/reductions/fold.h"

/* `in` is VV_F32 or VV_F64 everywhere. */
static inline int vv_total_planes(vv_dtype in)
{
    return in == VV_F32 ? 1 : 2;
}
vv_fold_piece vv_total_vertical, vv_total_horizontal;
/* vv_reduction.packed */
void vv_total_packed(vv_dtype in, const vv_decode *d, void *const planes[], vv_index at, vv_index n, const void *x);
/* vv_reduction.rows */
vv_index vv_total_rows(const vv_red *r, const vv_decode *d, void *const planes[], vv_index at, vv_index n,
                       const vv_stored_rows *from);
void vv_total_init(vv_dtype in, vv_index cells, void *const planes[]);
void vv_total_combine(vv_dtype in, vv_index cells, void *const left[], void *const right[]);
/* The corrected sum of cell i. An infinite sum has no correction: what was lost is not a number then. */
static inline double vv_total(vv_dtype in, void *const planes[], vv_index i)
{
    double sum = ((const double *)planes[0])[i];
    return in == VV_F32 || !isfinite(sum) ? sum : sum + ((const double *)planes[1])[i];
}

#endif
