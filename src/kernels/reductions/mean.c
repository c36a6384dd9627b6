#include "kernels/reductions/total.h"

/* Integers are averaged as f64, like NumPy does, with a compensated sum. */
static vv_dtype real(vv_dtype in)
{
    return in == VV_F32 ? VV_F32 : VV_F64;
}

static int planes_of(vv_dtype in)
{
    return vv_total_planes(real(in));
}

static void init(const vv_red *r, vv_index cells, void *const planes[])
{
    vv_total_init(real(r->in), cells, planes);
}

static void vertical(const vv_red *r, vv_red_head *head, void *const planes[], void *missing, vv_index first,
                     vv_index n, const void *x)
{
    vv_fold_vertical(r, head, planes, missing, first, n, x, vv_total_vertical);
}

static void horizontal(const vv_red *r, vv_red_head *head, void *const planes[], void *missing, vv_index cell,
                       vv_index n, const void *x)
{
    vv_fold_horizontal(r, head, planes, missing, cell, n, x, vv_total_horizontal);
}

static void combine(const vv_red *r, vv_index cells, const vv_red_head *lh, void *const left[], const void *lmissing,
                    const vv_red_head *rh, void *const right[], const void *rmissing)
{
    (void)lh, (void)lmissing, (void)rh, (void)rmissing;
    vv_total_combine(real(r->in), cells, left, right);
}

static void finish(const vv_red *r, vv_index cells, const vv_red_head *head, void *const planes[], const void *missing,
                   void *out)
{
    double *mean = out, all = (double)head->count;
    if (r->in == VV_F32 && !head->has_missing && all > 0) {
        for (vv_index i = 0; i < cells; i++) mean[i] = ((const double *)planes[0])[i] / all;
        return;
    }
    for (vv_index i = 0; i < cells; i++) {
        double n = vv_valid(head, missing, i);
        mean[i] = n > 0 ? vv_total(real(r->in), planes, i) / n : (double)NAN;
    }
}

const vv_reduction vv_reduction_of_mean = {.name = "mean",
                                           .help = "arithmetic mean",
                                           .cell_method = "mean",
                                           .counts_missing = true,
                                           .planes = planes_of,
                                           .result = vv_result_real,
                                           .init = init,
                                           .vertical = vertical,
                                           .valid = vv_total_vertical,
                                           .packed = vv_total_packed,
                                           .rows = vv_total_rows,
                                           .horizontal = horizontal,
                                           .combine = combine,
                                           .finish = finish};
