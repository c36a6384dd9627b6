#include "kernels/reductions/total.h"

#include <string.h>

/* Integers wrap, signed as unsigned. Missing values add nothing: the sum of none is zero. */
#define ADD(s, x) ((s) + (x))
VV_FOLD(wrap, uint64_t, uint64_t, 0, ADD, ADD)

static int planes_of(vv_dtype in)
{
    return vv_dtype_is_float(in) ? vv_total_planes(in) : 1;
}

static void init(const vv_red *r, vv_index cells, void *const planes[])
{
    for (int p = 0; p < planes_of(r->in); p++) memset(planes[p], 0, 8 * (size_t)cells);
}

static void vertical(const vv_red *r, vv_red_head *head, void *const planes[], void *missing, vv_index first,
                     vv_index n, const void *x)
{
    (void)head, (void)missing;
    if (vv_dtype_is_float(r->in))
        vv_total_vertical(r->in, r->skip, planes, first, n, x);
    else
        wrap.vertical[vv_cpu()](n, x, (uint64_t *)planes[0] + first);
}

static void horizontal(const vv_red *r, vv_red_head *head, void *const planes[], void *missing, vv_index cell,
                       vv_index n, const void *x)
{
    (void)head, (void)missing;
    if (vv_dtype_is_float(r->in))
        vv_total_horizontal(r->in, r->skip, planes, cell, n, x);
    else
        wrap.horizontal[vv_cpu()](n, x, (uint64_t *)planes[0] + cell);
}

static void combine(const vv_red *r, vv_index cells, const vv_red_head *lh, void *const left[], const void *lmissing,
                    const vv_red_head *rh, void *const right[], const void *rmissing)
{
    (void)lh, (void)lmissing, (void)rh, (void)rmissing;
    if (vv_dtype_is_float(r->in))
        vv_total_combine(r->in, cells, left, right);
    else
        wrap.merge[vv_cpu()](cells, right[0], left[0]);
}

static void finish(const vv_red *r, vv_index cells, const vv_red_head *head, void *const planes[], const void *missing,
                   void *out)
{
    (void)head, (void)missing;
    if (!vv_dtype_is_float(r->in))
        memcpy(out, planes[0], 8 * (size_t)cells);
    else
        for (vv_index i = 0; i < cells; i++) ((double *)out)[i] = vv_total(r->in, planes, i);
}

const vv_reduction vv_reduction_of_sum = {.name = "sum",
                                          .help = "sum; missing values add nothing",
                                          .cell_method = "sum",
                                          .planes = planes_of,
                                          .result = vv_result_total,
                                          .init = init,
                                          .vertical = vertical,
                                          .valid = vv_total_vertical,
                                          .packed = vv_total_packed,
                                          .rows = vv_total_rows,
                                          .horizontal = horizontal,
                                          .combine = combine,
                                          .finish = finish};
