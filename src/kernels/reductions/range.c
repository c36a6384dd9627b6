/* Greatest less least value: min in the first plane, max in the second. */
#include "kernels/reductions/fold.h"

static int planes_of(vv_dtype in)
{
    (void)in;
    return 2;
}

static void init(const vv_red *r, vv_index cells, void *const planes[])
{
    vv_reduction_of_min.init(r, cells, planes);
    vv_reduction_of_max.init(r, cells, planes + 1);
}

static void vertical(const vv_red *r, vv_red_head *head, void *const planes[], void *missing, vv_index first,
                     vv_index n, const void *x)
{
    vv_reduction_of_min.vertical(r, head, planes, missing, first, n, x);
    vv_reduction_of_max.vertical(r, head, planes + 1, missing, first, n, x);
}

static void horizontal(const vv_red *r, vv_red_head *head, void *const planes[], void *missing, vv_index cell,
                       vv_index n, const void *x)
{
    vv_reduction_of_min.horizontal(r, head, planes, missing, cell, n, x);
    vv_reduction_of_max.horizontal(r, head, planes + 1, missing, cell, n, x);
}

static void combine(const vv_red *r, vv_index cells, const vv_red_head *lh, void *const left[], const void *lmissing,
                    const vv_red_head *rh, void *const right[], const void *rmissing)
{
    vv_reduction_of_min.combine(r, cells, lh, left, lmissing, rh, right, rmissing);
    vv_reduction_of_max.combine(r, cells, lh, left + 1, lmissing, rh, right + 1, rmissing);
}

static void finish(const vv_red *r, vv_index cells, const vv_red_head *head, void *const planes[], const void *missing,
                   void *out)
{
    bool real = vv_dtype_is_float(r->in);
    const double *low = planes[0], *high = planes[1];
    (void)missing;
    for (vv_index i = 0; i < cells; i++) {
        uint64_t u = ((const uint64_t *)planes[1])[i] - ((const uint64_t *)planes[0])[i];
        if (real)
            ((double *)out)[i] = head->count ? high[i] - low[i] : (double)NAN;
        else
            ((uint64_t *)out)[i] = head->count ? u : 0;
    }
}

const vv_reduction vv_reduction_of_range = {.name = "range",
                                            .also = "ptp",
                                            .help = "greatest less least value, NumPy's ptp",
                                            .cell_method = "range",
                                            .planes = planes_of,
                                            .result = vv_result_same,
                                            .init = init,
                                            .vertical = vertical,
                                            .horizontal = horizontal,
                                            .combine = combine,
                                            .finish = finish};
