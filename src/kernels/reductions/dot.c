/* The sum behind a matrix product: blocks of products are added into the state by kernels/gemm.h, in place of vertical and horizontal folds.
 * Not in the list of reductions, because it reduces nothing that a user could name. */
#include "kernels/reductions/fold.h"

#include <string.h>

VV_KERNEL void add_body(vv_index n, const double *restrict right, double *restrict left)
{
    for (vv_index i = 0; i < n; i++) left[i] += right[i];
}
VV_CLONES(add, add_body, (vv_index n, const void *right, void *left), (n, right, left))

VV_KERNEL void add_whole_body(vv_index n, const uint64_t *restrict right, uint64_t *restrict left)
{
    for (vv_index i = 0; i < n; i++) left[i] += right[i];
}
VV_CLONES(add_whole, add_whole_body, (vv_index n, const void *right, void *left), (n, right, left))

static int planes_of(vv_dtype in)
{
    return vv_dtype_is_float(in) || in == VV_I64 || in == VV_U64;
}

static vv_dtype result(vv_dtype stored)
{
    return vv_working_type(stored);
}

static void init(const vv_red *r, vv_index cells, void *const planes[])
{
    (void)r;
    memset(planes[0], 0, 8 * (size_t)cells);
}

static void combine(const vv_red *r, vv_index cells, const vv_red_head *lh, void *const left[], const void *lmissing,
                    const vv_red_head *rh, void *const right[], const void *rmissing)
{
    (void)lh, (void)rh, (void)lmissing, (void)rmissing;
    (vv_dtype_is_float(r->in) ? add : add_whole)[vv_cpu()](cells, right[0], left[0]);
}

static void finish(const vv_red *r, vv_index cells, const vv_red_head *head, void *const planes[], const void *missing,
                   void *out)
{
    (void)r, (void)head, (void)missing;
    memcpy(out, planes[0], 8 * (size_t)cells);
}

const vv_reduction vv_reduction_dot = {.name = "dot",
                                       .help = "sum of products",
                                       .planes = planes_of,
                                       .result = result,
                                       .init = init,
                                       .combine = combine,
                                       .finish = finish};
