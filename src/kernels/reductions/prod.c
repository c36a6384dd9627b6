#include "kernels/reductions/fold.h"

#include <string.h>

/* Integers wrap, signed as unsigned. Missing values change nothing: the product of none is one. */
#define TIMES(s, x)       ((s) * (x))
#define TIMES_VALID(s, x) ((s) * ((x) == (x) ? (double)(x) : 1.0))
VV_FOLD(all_F32, float, double, 1.0, TIMES, TIMES)
VV_FOLD(all_F64, double, double, 1.0, TIMES, TIMES)
VV_FOLD(valid_F32, float, double, 1.0, TIMES_VALID, TIMES)
VV_FOLD(valid_F64, double, double, 1.0, TIMES_VALID, TIMES)
VV_FOLD(wrap, uint64_t, uint64_t, 1, TIMES, TIMES)

static vv_fold_table folds = {[VV_F32] = {&all_F32, &valid_F32},
                              [VV_F64] = {&all_F64, &valid_F64},
                              [VV_I64] = {&wrap, &wrap},
                              [VV_U64] = {&wrap, &wrap}};
VV_FOLD_FUNCTIONS(folds)

static void init(const vv_red *r, vv_index cells, void *const planes[])
{
    bool real = vv_dtype_is_float(r->in);
    for (vv_index i = 0; i < cells; i++) {
        if (real)
            ((double *)planes[0])[i] = 1;
        else
            ((uint64_t *)planes[0])[i] = 1;
    }
}

static void finish(const vv_red *r, vv_index cells, const vv_red_head *head, void *const planes[], const void *missing,
                   void *out)
{
    (void)r, (void)head, (void)missing;
    memcpy(out, planes[0], 8 * (size_t)cells);
}

const vv_reduction vv_reduction_of_prod = {.name = "prod",
                                           .help = "product; missing values change nothing",
                                           .planes = vv_one_plane,
                                           .result = vv_result_total,
                                           .init = init,
                                           .vertical = vertical,
                                           .horizontal = horizontal,
                                           .combine = combine,
                                           .finish = finish};
