/* The body of min.c and max.c: they define NAME, HELP, METHOD, FIRST(a, b) (whether a wins over b) and the values that lose to all others,
 * WORST_REAL, WORST_I64, WORST_U64.
 *
 * With skip the state begins as NaN, which any value replaces: a cell without valid values stays NaN, and nothing needs counting.
 * Without, the first NaN replaces the state for good. Which of -0 and 0 wins depends on their order only. A cell that has seen no element is
 * NaN for reals and 0 for integers. */
#include "kernels/reductions/fold.h"

#define BEST(s, x)       (FIRST(x, s) ? (x) : (s))
#define BEST_VALID(s, x) ((FIRST(x, s) | ((s) != (s))) ? (x) : (s))
#define BEST_ALL(s, x)   ((FIRST(x, s) | ((x) != (x))) ? (x) : (s))
VV_FOLD(valid_F32, float, double, (double)NAN, BEST_VALID, BEST_VALID)
VV_FOLD(valid_F64, double, double, (double)NAN, BEST_VALID, BEST_VALID)
VV_FOLD(all_F32, float, double, WORST_REAL, BEST_ALL, BEST_ALL)
VV_FOLD(all_F64, double, double, WORST_REAL, BEST_ALL, BEST_ALL)
VV_FOLD(all_I64, int64_t, int64_t, WORST_I64, BEST, BEST)
VV_FOLD(all_U64, uint64_t, uint64_t, WORST_U64, BEST, BEST)

static vv_fold_table folds = {[VV_F32] = {&all_F32, &valid_F32},
                              [VV_F64] = {&all_F64, &valid_F64},
                              [VV_I64] = {&all_I64, &all_I64},
                              [VV_U64] = {&all_U64, &all_U64}};
VV_FOLD_FUNCTIONS(folds)

static void init(const vv_red *r, vv_index cells, void *const planes[])
{
    double real = r->skip ? (double)NAN : WORST_REAL;
    for (vv_index i = 0; i < cells; i++) {
        if (r->in == VV_I64)
            ((int64_t *)planes[0])[i] = WORST_I64;
        else if (r->in == VV_U64)
            ((uint64_t *)planes[0])[i] = WORST_U64;
        else
            ((double *)planes[0])[i] = real;
    }
}

static void finish(const vv_red *r, vv_index cells, const vv_red_head *head, void *const planes[], const void *missing,
                   void *out)
{
    (void)missing;
    bool real = vv_dtype_is_float(r->in);
    const double *state = planes[0];
    for (vv_index i = 0; i < cells; i++) {
        if (real)
            ((double *)out)[i] = head->count ? state[i] : (double)NAN;
        else
            ((int64_t *)out)[i] = head->count ? ((const int64_t *)planes[0])[i] : 0;
    }
}

const vv_reduction NAME = {.name = SHORT_NAME,
                           .help = HELP,
                           .cell_method = METHOD,
                           .planes = vv_one_plane,
                           .result = vv_result_same,
                           .init = init,
                           .vertical = vertical,
                           .horizontal = horizontal,
                           .combine = combine,
                           .finish = finish};
