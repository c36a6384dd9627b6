/* Operations on whole blocks: windows and scans.
 *
 * An elementwise program sees one element at a time and a reduction folds a dimension away; these operations need neighbours along a
 * dimension and keep it. They work on packed row-major boxes of a working type (f32, f64, i64, u64; kernels/codec/decode.h) and write f64 for reals.
 *
 * Windows (`window` is set). Output element i sees the inputs i - before .. i + after in every dimension, so the input box is the
 * larger one: n_in[d] = n_out[d] + before[d] + after[d]. What a window covers outside the data, the caller puts in as NaN: NaN is
 * missing, left out and counted. Fewer valid values than min_count give NaN, as do, whatever min_count says, a mean, minimum or maximum of none and a
 * variance of ddof values or fewer; the sum of none is 0. That is rolling(..., min_periods=min_count) of xarray and pandas. Windows are
 * defined for reals only: an integer has no way to be missing, its caller makes it f64 first.
 *
 * Scans. n_in equals n_out; element i of `axis` is the fold of elements 0 .. i. Missing values change nothing (a scan that has not met a
 * valid value yet is 0 for sums, 1 for products, NaN for minimum and maximum); integers wrap.
 *
 * Lanes (`lanes` is set). All elements along the dimensions that `along` says, together, make `length` elements in the place of the first of these
 * dimensions, and one in the place of the others: quantiles, sorted values, the places of the largest. n_out is n_in, the box that the lanes lie in; what
 * is written has the result's extents. Missing values of reals are left out, or with keep_nan come last and make quantiles NaN.
 *
 * Element by element (`each` is set): what an elementwise program cannot do, because it takes a table. n_in equals n_out.
 *
 *     vv_block_call c = {.op = vv_block_op_find("window_mean"), .before = {2}, .after = {2}, .min_count = 5};
 *     const vv_block_op *op = &vv_block_ops[c.op];
 *     ... workspace of op->workspace(&c, VV_F32, 1, (vv_index[]){104}, (vv_index[]){100}) bytes ...
 *     op->run(&c, VV_F32, 1, (vv_index[]){104}, (vv_index[]){100}, in, out, workspace);
 *
 * Results do not depend on the instruction set, and each output element depends only on the elements that it sees and on its place in the
 * box: a caller that wants the same bits for every split of its data cuts the boxes by its chunk grid. */
#ifndef VV_KERNELS_BLOCK_OP_H
#define VV_KERNELS_BLOCK_OP_H

#include "base/dtype.h"

/* One application. Plain data but for the weights, which belong to the caller. Unused fields are zero. */
typedef struct vv_block_call {
    int op;                                           /* index in vv_block_ops */
    vv_index before[VV_MAX_DIMS], after[VV_MAX_DIMS]; /* windows */
    vv_index min_count;                               /* windows: fewer valid values give NaN */
    double ddof;                                      /* var and std divide by the number of valid values - ddof */
    bool keep_nan;                                    /* NaN in, NaN out, instead of leaving it out */
    int axis;                                         /* scans; the dimension of weights, of groups */
    bool along[VV_MAX_DIMS];                          /* lanes: their dimensions; at least one */
    vv_index length;                                  /* lanes: of the result */
    vv_index points;    /* Fourier transforms: their length; lanes are cut or filled up to it */
    double scale;       /* and what their results are multiplied by */
    vv_index groups;    /* lanes_group_: how many; block_groups.c has the table of their members */
    vv_index extent;    /* and positions along `axis`, by which elements belong to groups */
    vv_index first;     /* and what is in front of the table: quantiles, of a median none */
    int how;            /* lanes: which quantile (vv_quantile_methods); 1: the least, not the greatest */
    vv_index n_weights; /* window_weighted: before[axis] + after[axis] + 1 */
    double
        *weight; /* likewise; lanes_quantile: which ones, 0 to 1; each: a table, of doubles or the bits of integers */
} vv_block_call;

typedef struct vv_block_op {
    const char *name; /* "window_mean" */
    const char *help; /* "mean of a window" */
    bool window;      /* uses before, after and min_count; otherwise a scan along axis */
    bool lanes;       /* uses along and length */
    bool each;        /* uses the table behind weight */
    bool sorts;       /* lanes: what long ones can be made of column by column, too (columns.h) */
    bool reduces; /* lanes: what NumPy calls a reduction, to one element; its name without "lanes_" is that of one */
    bool (*fits)(const vv_block_call *c, vv_index n); /* lanes: whether the call makes sense for lanes of n elements */
    const char *cell_method;                          /* lanes: CF's word for it, or NULL */
    bool weighted; /* uses axis and weight; before and after are zero in the other dimensions */
    bool uses_ddof;
    vv_status (*prepare)(const vv_block_call *c,
                         vv_dtype in); /* before run(), where that needs something made first; or NULL */
    vv_dtype (*result)(vv_dtype in);   /* working type of the output; VV_NONE: not defined for this working type */
    vv_bytes (*workspace)(const vv_block_call *c, vv_dtype in, int nd, const vv_index n_in[], const vv_index n_out[]);
    /* in and out do not overlap; workspace is aligned to 64 bytes */
    void (*run)(const vv_block_call *c, vv_dtype in, int nd, const vv_index n_in[], const vv_index n_out[],
                const void *from, void *to, void *workspace);
} vv_block_op;

extern const vv_block_op vv_block_ops[];
extern const int vv_n_block_ops;
/* Whether all of a dimension has to be in the box: that of a scan, those of lanes. */
static inline bool vv_block_whole(const vv_block_call *c, int d)
{
    const vv_block_op *op = &vv_block_ops[c->op];
    return op->lanes ? c->along[d] : !op->window && !op->each && d == c->axis;
}
/* Index in vv_block_ops, -1 when there is none of this name. */
int vv_block_op_find(const char *name);

#endif
