#include "kernels/reductions/fold.h"

/* NaN is missing whether it is to be skipped or not: there is nothing else to count. */
#define TALLY(s, x) ((s) + ((x) == (x)))
#define ONE(s, x)   ((void)(x), (s) + 1)
#define ADD(s, x)   ((s) + (x))
VV_FOLD(valid_F32, float, int64_t, 0, TALLY, ADD)
VV_FOLD(valid_F64, double, int64_t, 0, TALLY, ADD)
VV_FOLD(every, int64_t, int64_t, 0, ONE, ADD)

static vv_fold_table folds = {[VV_F32] = {&valid_F32, &valid_F32},
                              [VV_F64] = {&valid_F64, &valid_F64},
                              [VV_I64] = {&every, &every},
                              [VV_U64] = {&every, &every}};
VV_FOLD_FUNCTIONS(folds)

const vv_reduction vv_reduction_of_count = {.name = "count",
                                            .help = "number of values that are not missing",
                                            .planes = vv_one_plane,
                                            .result = vv_count_result,
                                            .init = vv_count_init,
                                            .vertical = vertical,
                                            .horizontal = horizontal,
                                            .combine = combine,
                                            .finish = vv_count_finish};
