#include "kernels/reductions/fold.h"

#include <string.h>

/* NaN is not zero, unless it is missing. */
#define NONZERO(s, x) ((s) + ((x) != 0))
#define VALID(s, x)   ((s) + (((x) != 0) & ((x) == (x))))
#define ADD(s, x)     ((s) + (x))
VV_FOLD(all_F32, float, int64_t, 0, NONZERO, ADD)
VV_FOLD(all_F64, double, int64_t, 0, NONZERO, ADD)
VV_FOLD(valid_F32, float, int64_t, 0, VALID, ADD)
VV_FOLD(valid_F64, double, int64_t, 0, VALID, ADD)
VV_FOLD(all_I64, int64_t, int64_t, 0, NONZERO, ADD)

static vv_fold_table folds = {[VV_F32] = {&all_F32, &valid_F32},
                              [VV_F64] = {&all_F64, &valid_F64},
                              [VV_I64] = {&all_I64, &all_I64},
                              [VV_U64] = {&all_I64, &all_I64}};
VV_FOLD_FUNCTIONS(folds)

static vv_dtype result(vv_dtype stored)
{
    return vv_working_type(stored) == VV_NONE ? VV_NONE : VV_I64;
}

static void init(const vv_red *r, vv_index cells, void *const planes[])
{
    (void)r;
    memset(planes[0], 0, 8 * (size_t)cells);
}

static void finish(const vv_red *r, vv_index cells, const vv_red_head *head, void *const planes[], const void *missing,
                   void *out)
{
    (void)r, (void)head, (void)missing;
    memcpy(out, planes[0], 8 * (size_t)cells);
}

const vv_reduction vv_reduction_of_count_nonzero = {.name = "count_nonzero",
                                                    .help = "number of values that are not zero",
                                                    .planes = vv_one_plane,
                                                    .result = result,
                                                    .init = init,
                                                    .vertical = vertical,
                                                    .horizontal = horizontal,
                                                    .combine = combine,
                                                    .finish = finish};
