/* The body of min.c and max.c: they define NAME, HELP, METHOD, FIRST(a, b) (whether a wins over b) and the values that lose to all others,
 * WORST_REAL, WORST_I64, WORST_U64; KEEPS(a, b): a stays beside b, which is not NaN as a may be.
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

/* Rows without NaN: the best of a few, earlier ones first, then the state's turn. */
#define ROWS(name, xtype, BETTER)                                                                                      \
    VV_KERNEL void name##_body(vv_index n, const xtype *restrict x, vv_index step, double *restrict state)             \
    {                                                                                                                  \
        const xtype *restrict b = x + step, *restrict c = b + step, *restrict d = c + step;                            \
        for (vv_index i = 0; i < n; i++) {                                                                             \
            xtype two = BEST(x[i], b[i]), three = BEST(two, c[i]), best = BEST(three, d[i]);                           \
            state[i] = BETTER(state[i], (double)best);                                                                 \
        }                                                                                                              \
    }                                                                                                                  \
    VV_CLONES(name, name##_body, (vv_index n, const void *x, vv_index step, double *state), (n, x, step, state))
#define BEST_OR_FIRST(s, x) (KEEPS(s, x) ? (s) : (x))
ROWS(rows_F32, float, BEST)
ROWS(rows_F64, double, BEST)
ROWS(rows_valid_F32, float, BEST_OR_FIRST)
ROWS(rows_valid_F64, double, BEST_OR_FIRST)

static vv_index rows(const vv_red *r, const vv_decode *d, void *const planes[], vv_index at, vv_index n,
                     const vv_stored_rows *from)
{
    if (from->rows != VV_FOLD_ROWS || !vv_rows_plain(r, d, n, from)) return 0;
    double *state = (double *)planes[0] + at;
    if (r->in == VV_F32)
        (r->skip ? rows_valid_F32 : rows_F32)[vv_cpu()](n, (const float *)from->block + from->first, from->step, state);
    else
        (r->skip ? rows_valid_F64 : rows_F64)[vv_cpu()](n, (const double *)from->block + from->first, from->step,
                                                        state);
    return n;
}

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
                           .rows = rows,
                           .horizontal = horizontal,
                           .combine = combine,
                           .finish = finish};
