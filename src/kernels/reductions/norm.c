#include "kernels/reductions/fold.h"

#include <string.h>

/* The root of the sum of squares, in f64. */
#define SQUARE(s, x)       ((s) + (double)(x) * (double)(x))
#define SQUARE_VALID(s, x) ((s) + ((x) == (x) ? (double)(x) * (double)(x) : 0.0))
#define ADD(s, x)          ((s) + (x))
VV_FOLD(all_F32, float, double, 0.0, SQUARE, ADD)
VV_FOLD(all_F64, double, double, 0.0, SQUARE, ADD)
VV_FOLD(valid_F32, float, double, 0.0, SQUARE_VALID, ADD)
VV_FOLD(valid_F64, double, double, 0.0, SQUARE_VALID, ADD)
VV_FOLD(signed_I64, int64_t, double, 0.0, SQUARE, ADD)
VV_FOLD(unsigned_U64, uint64_t, double, 0.0, SQUARE, ADD)

static vv_fold_table folds = {[VV_F32] = {&all_F32, &valid_F32},
                              [VV_F64] = {&all_F64, &valid_F64},
                              [VV_I64] = {&signed_I64, &signed_I64},
                              [VV_U64] = {&unsigned_U64, &unsigned_U64}};
VV_FOLD_FUNCTIONS(folds)

static void init(const vv_red *r, vv_index cells, void *const planes[])
{
    (void)r;
    memset(planes[0], 0, sizeof(double) * (size_t)cells);
}

static void finish(const vv_red *r, vv_index cells, const vv_red_head *head, void *const planes[], const void *missing,
                   void *out)
{
    (void)r, (void)head, (void)missing;
    for (vv_index i = 0; i < cells; i++) ((double *)out)[i] = sqrt(((const double *)planes[0])[i]);
}

const vv_reduction vv_reduction_of_norm = {.name = "norm",
                                           .help = "Euclidean length: root of the sum of squares",
                                           .planes = vv_one_plane,
                                           .result = vv_result_real,
                                           .init = init,
                                           .vertical = vertical,
                                           .horizontal = horizontal,
                                           .combine = combine,
                                           .finish = finish};
