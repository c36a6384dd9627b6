#include "kernels/reductions/fold.h"

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

const vv_reduction vv_reduction_of_count_nonzero = {.name = "count_nonzero",
                                                    .help = "number of values that are not zero",
                                                    .planes = vv_one_plane,
                                                    .result = vv_count_result,
                                                    .init = vv_count_init,
                                                    .vertical = vertical,
                                                    .horizontal = horizontal,
                                                    .combine = combine,
                                                    .finish = vv_count_finish};
