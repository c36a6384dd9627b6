/* The body of argmin.c and argmax.c: they define NAME, SHORT_NAME, HELP, FIRST(a, b) (whether a wins over b) and BEST, the reduction that finds the
 * value itself.
 *
 * State is the best value so far and its place, as the caller tells places (vv_red_at): of equal values the one with the smaller place wins, so that
 * the order of folding does not show. As in min and max, with skip the value begins as NaN, which any value replaces; without, the first NaN wins
 * over everything. The place of nothing is NOWHERE, which loses to all others. */
#include "kernels/reductions/fold.h"

#include <string.h>

enum { VALUE, PLACE, PLANES };
static const int64_t NOWHERE = INT64_MAX;

/* Whether element x at place p replaces s, which is at place q. No branches: these are the bodies of vectorised loops. */
#define SOONER(x, s, p, q) (((x) == (s)) & ((p) < (q)))
#define ANY(x, s, p, q)    (FIRST(x, s) | SOONER(x, s, p, q))
#define VALID(x, s, p, q)  (FIRST(x, s) | (((s) != (s)) & ((x) == (x))) | SOONER(x, s, p, q))
#define KEEP(x, s, p, q)                                                                                               \
    ((FIRST(x, s) & ((s) == (s))) | (((x) != (x)) & (((s) == (s)) | ((p) < (q)))) | SOONER(x, s, p, q))

typedef void vertical_loop(vv_index n, const void *x, int64_t place, void *value, int64_t *at);
typedef void merge_loop(vv_index n, const void *x, const int64_t *place, void *value, int64_t *at);

#define LOOPS(name, xtype, stype, WINS)                                                                                \
    VV_KERNEL void name##_vertical_body(vv_index n, const xtype *restrict x, int64_t place, stype *restrict value,     \
                                        int64_t *restrict at)                                                          \
    {                                                                                                                  \
        for (vv_index i = 0; i < n; i++) {                                                                             \
            stype v = (stype)x[i];                                                                                     \
            bool wins = WINS(v, value[i], place, at[i]);                                                               \
            value[i] = wins ? v : value[i];                                                                            \
            at[i] = wins ? place : at[i];                                                                              \
        }                                                                                                              \
    }                                                                                                                  \
    VV_KERNEL void name##_merge_body(vv_index n, const stype *restrict x, const int64_t *restrict place,               \
                                     stype *restrict value, int64_t *restrict at)                                      \
    {                                                                                                                  \
        for (vv_index i = 0; i < n; i++) {                                                                             \
            bool wins = WINS(x[i], value[i], place[i], at[i]);                                                         \
            value[i] = wins ? x[i] : value[i];                                                                         \
            at[i] = wins ? place[i] : at[i];                                                                           \
        }                                                                                                              \
    }                                                                                                                  \
    VV_CLONES(name##_vertical, name##_vertical_body,                                                                   \
              (vv_index n, const void *x, int64_t place, void *value, int64_t *at), (n, x, place, value, at))          \
    VV_CLONES(name##_merge, name##_merge_body,                                                                         \
              (vv_index n, const void *x, const int64_t *place, void *value, int64_t *at), (n, x, place, value, at))
LOOPS(valid_F32, float, double, VALID)
LOOPS(valid_F64, double, double, VALID)
LOOPS(all_F32, float, double, KEEP)
LOOPS(all_F64, double, double, KEEP)
LOOPS(all_I64, int64_t, int64_t, ANY)
LOOPS(all_U64, uint64_t, uint64_t, ANY)

typedef struct loops {
    vertical_loop *const *vertical; /* by vv_cpu_level */
    merge_loop *const *merge;
} loops;
static const loops loops_of[VV_DTYPE_COUNT][2] = {
    [VV_F32] = {{all_F32_vertical, all_F32_merge}, {valid_F32_vertical, valid_F32_merge}},
    [VV_F64] = {{all_F64_vertical, all_F64_merge}, {valid_F64_vertical, valid_F64_merge}},
    [VV_I64] = {{all_I64_vertical, all_I64_merge}, {all_I64_vertical, all_I64_merge}},
    [VV_U64] = {{all_U64_vertical, all_U64_merge}, {all_U64_vertical, all_U64_merge}}};

static int planes_of(vv_dtype in)
{
    (void)in;
    return PLANES;
}

static vv_dtype result(vv_dtype stored)
{
    return vv_working_type(stored) == VV_NONE ? VV_NONE : VV_I64;
}

static void init(const vv_red *r, vv_index cells, void *const planes[])
{
    BEST.init(r, cells, planes);
    for (vv_index i = 0; i < cells; i++) ((int64_t *)planes[PLACE])[i] = NOWHERE;
}

static void vertical(const vv_red *r, vv_red_head *head, void *const planes[], void *missing, vv_index first,
                     vv_index n, const void *x)
{
    (void)missing;
    loops_of[r->in][r->skip].vertical[vv_cpu()](n, x, head->place, (int64_t *)planes[VALUE] + first,
                                                (int64_t *)planes[PLACE] + first);
}

/* The number of the first element that is this one (any NaN, where it is NaN); -1: none. `want` is as BEST keeps it. */
static vv_index find(vv_dtype in, vv_index n, const void *x, const void *want)
{
    double real;
    uint64_t bits;
    memcpy(&real, want, 8);
    memcpy(&bits, want, 8);
    for (vv_index i = 0; i < n; i++) {
        double v = in == VV_F32 ? (double)((const float *)x)[i] : in == VV_F64 ? ((const double *)x)[i] : 0;
        if (vv_dtype_is_float(in) ? v == real || (v != v && real != real) : ((const uint64_t *)x)[i] == bits) return i;
    }
    return -1;
}

static bool is_nan(vv_dtype in, const void *value)
{
    double v;
    memcpy(&v, value, 8);
    return vv_dtype_is_float(in) && v != v;
}

/* The best value first, which is quick; then, only where it matters, its place. */
static void horizontal(const vv_red *r, vv_red_head *head, void *const planes[], void *missing, vv_index cell,
                       vv_index n, const void *x)
{
    uint64_t best;
    int64_t *value = (int64_t *)planes[VALUE] + cell, *at = (int64_t *)planes[PLACE] + cell;
    BEST.init(r, 1, (void *[]){&best});
    BEST.horizontal(r, head, (void *[]){&best}, missing, 0, n, x);
    vv_index i = find(r->in, n, x, &best);
    if (i < 0 || (r->skip && is_nan(r->in, &best))) return;
    int64_t place = head->place + head->place_step * i;
    loops_of[r->in][r->skip].merge[vv_cpu()](1, &best, &place, value, at);
}

static void combine(const vv_red *r, vv_index cells, const vv_red_head *lh, void *const left[], const void *lmissing,
                    const vv_red_head *rh, void *const right[], const void *rmissing)
{
    (void)lh, (void)lmissing, (void)rh, (void)rmissing;
    loops_of[r->in][r->skip].merge[vv_cpu()](cells, right[VALUE], right[PLACE], left[VALUE], left[PLACE]);
}

static void finish(const vv_red *r, vv_index cells, const vv_red_head *head, void *const planes[], const void *missing,
                   void *out)
{
    (void)r, (void)head, (void)missing;
    for (vv_index i = 0; i < cells; i++) {
        int64_t at = ((const int64_t *)planes[PLACE])[i];
        ((int64_t *)out)[i] = at == NOWHERE ? -1 : at;
    }
}

const vv_reduction NAME = {.name = SHORT_NAME,
                           .help = HELP,
                           .places = true,
                           .planes = planes_of,
                           .result = result,
                           .init = init,
                           .vertical = vertical,
                           .horizontal = horizontal,
                           .combine = combine,
                           .finish = finish};
