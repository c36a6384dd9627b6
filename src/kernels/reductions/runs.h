/* The body of longest_run.c, runs.c, run_total.c, first_run.c and last_run.c: they define NAME, SHORT_NAME, HELP, START (before any run), TAKE(b, from, to) (what a run from place `from`
 * to before place `to` makes of b) and FINISH(b, first) (the result, where the first element was at place `first`).
 *
 * A run is a stretch of neighbours that are not 0. What is missing is in no run, and places that are not given end one: of the Januaries of many years each is on its own. Runs shorter than
 * r->least do not count.
 *
 * A state is about the elements from place FIRST to before END. The run that it begins with, up to before LEAD (none: LEAD is FIRST), and the one that it ends with, from TAIL on (none: TAIL is END), may
 * go on in a state before or behind it, and wait; those between them are taken into BEST. TAIL is FIRST where all of it is one run so far. So states are joined in any grouping, in order. SEEN is 1 when some
 * element was not missing, 2 when one was that counts. Six numbers of 32 bits in three planes. */
#include "kernels/reductions/fold.h"

#include <math.h>

enum { FIRST, LEAD, TAIL, END, BEST, SEEN, NUMBERS };
enum { PLANES = NUMBERS / 2 };

static int32_t *number(void *const planes[], const vv_red_head *head, int which)
{
    return (int32_t *)planes[which / 2] + which % 2 * head->cells;
}

static int planes_of(vv_dtype in)
{
    return in == VV_F32 || in == VV_F64 || in == VV_I64 || in == VV_U64 ? PLANES : 0;
}

/* The head of states lies in front of them. */
static void init(const vv_red *r, vv_index cells, void *const planes[])
{
    const int32_t start[NUMBERS] = {-1, -1, -1, -1, START, 0};
    (void)r;
    for (int k = 0; k < NUMBERS; k++)
        for (vv_index i = 0; i < cells; i++) ((int32_t *)planes[k / 2] + k % 2 * cells)[i] = start[k];
}

/* One element at a place; no branches: this is the body of a vectorised loop. */
#define STEP(hit, nan)                                                                                                 \
    {                                                                                                                  \
        bool none = f < 0;                                                                                             \
        f = none ? place : f;                                                                                          \
        l = none ? place : l;                                                                                          \
        s = none ? place : s;                                                                                          \
        e = none ? place : e;                                                                                          \
        bool apart = e != place;                                                                                       \
        bool over = (apart | !(hit)) & (s != f) & (e - s >= least);                                                    \
        b = over ? TAKE(b, s, e) : b;                                                                                  \
        s = (apart | !(hit)) ? place + !(hit) : s;                                                                     \
        e = place + 1;                                                                                                 \
        l = ((hit) & (s == f)) ? e : l;                                                                                \
        v = nan ? (v > missing ? v : missing) : (v > 1 ? v : 1);                                                       \
    }

typedef struct numbers {
    int32_t *at[NUMBERS];
} numbers;
typedef void vertical_loop(vv_index n, const void *x, int32_t place, int32_t least, int32_t missing, numbers to);
typedef void row_loop(vv_index n, const void *x, int32_t place, int32_t least, int32_t missing, int32_t cell[]);

#define LOOPS(name, xtype)                                                                                             \
    VV_KERNEL void name##_vertical_body(vv_index n, const xtype *restrict x, int32_t place, int32_t least,             \
                                        int32_t missing, numbers to)                                                   \
    {                                                                                                                  \
        int32_t *restrict first = to.at[FIRST], *restrict lead = to.at[LEAD], *restrict tail = to.at[TAIL];            \
        int32_t *restrict end = to.at[END], *restrict best = to.at[BEST], *restrict seen = to.at[SEEN];                \
        for (vv_index i = 0; i < n; i++) {                                                                             \
            int32_t f = first[i], l = lead[i], s = tail[i], e = end[i], b = best[i], v = seen[i];                      \
            bool is_nan = x[i] != x[i], is_hit = (x[i] != 0) & !is_nan;                                                \
            STEP(is_hit, is_nan)                                                                                       \
            first[i] = f, lead[i] = l, tail[i] = s, end[i] = e, best[i] = b, seen[i] = v;                              \
        }                                                                                                              \
    }                                                                                                                  \
    VV_CLONES(name##_vertical, name##_vertical_body,                                                                   \
              (vv_index n, const void *x, int32_t place, int32_t least, int32_t missing, numbers to),                  \
              (n, x, place, least, missing, to))                                                                       \
    static void name##_row(vv_index n, const void *from, int32_t place, int32_t least, int32_t missing,                \
                           int32_t cell[])                                                                             \
    {                                                                                                                  \
        const xtype *x = from;                                                                                         \
        int32_t f = cell[FIRST], l = cell[LEAD], s = cell[TAIL], e = cell[END], b = cell[BEST], v = cell[SEEN];        \
        for (vv_index i = 0; i < n; i++, place++) {                                                                    \
            bool is_nan = x[i] != x[i], is_hit = (x[i] != 0) & !is_nan;                                                \
            STEP(is_hit, is_nan)                                                                                       \
        }                                                                                                              \
        cell[FIRST] = f, cell[LEAD] = l, cell[TAIL] = s, cell[END] = e, cell[BEST] = b, cell[SEEN] = v;                \
    }
LOOPS(f32, float)
LOOPS(f64, double)
LOOPS(i64, int64_t) /* and u64: all that counts is whether they are 0 */

static const struct {
    vertical_loop *const *vertical; /* by vv_cpu_level */
    row_loop *row;
} loops[VV_DTYPE_COUNT] = {[VV_F32] = {f32_vertical, f32_row},
                           [VV_F64] = {f64_vertical, f64_row},
                           [VV_I64] = {i64_vertical, i64_row},
                           [VV_U64] = {i64_vertical, i64_row}};

static int32_t least_of(const vv_red *r)
{
    return r->least > 1 ? (int32_t)fmin(r->least, INT32_MAX) : 1;
}

static void vertical(const vv_red *r, vv_red_head *head, void *const planes[], void *missing, vv_index first,
                     vv_index n, const void *x)
{
    numbers to;
    (void)missing;
    for (int k = 0; k < NUMBERS; k++) to.at[k] = number(planes, head, k) + first;
    loops[r->in].vertical[vv_cpu()](n, x, (int32_t)head->place, least_of(r), r->skip ? 0 : 2, to);
}

static void horizontal(const vv_red *r, vv_red_head *head, void *const planes[], void *missing, vv_index cell,
                       vv_index n, const void *x)
{
    int32_t one[NUMBERS];
    (void)missing;
    for (int k = 0; k < NUMBERS; k++) one[k] = number(planes, head, k)[cell];
    loops[r->in].row(n, x, (int32_t)head->place, least_of(r), r->skip ? 0 : 2, one);
    for (int k = 0; k < NUMBERS; k++) number(planes, head, k)[cell] = one[k];
}

static int32_t taken(int32_t b, int32_t from, int32_t to, int32_t least)
{
    return to - from >= least ? TAKE(b, from, to) : b;
}

/* b is of elements behind those of a: the run that a ends with and the one that b begins with are one, or both are over. */
static void join(int32_t a[], const int32_t b[], int32_t least)
{
    bool one = b[TAIL] == b[FIRST], whole = a[TAIL] == a[FIRST];
    bool meet = a[END] == b[FIRST] && a[TAIL] < a[END] && b[FIRST] < b[LEAD];
    int32_t from = meet ? a[TAIL] : b[FIRST];
    a[BEST] = MERGE(a[BEST], b[BEST]);
    if (!meet && !whole) a[BEST] = taken(a[BEST], a[TAIL], a[END], least);
    if (meet && whole) a[LEAD] = b[LEAD];
    if (!one && !(meet && whole)) a[BEST] = taken(a[BEST], from, b[LEAD], least);
    a[TAIL] = one ? from : b[TAIL];
    a[END] = b[END];
}

static void combine(const vv_red *r, vv_index cells, const vv_red_head *lh, void *const left[], const void *lmissing,
                    const vv_red_head *rh, void *const right[], const void *rmissing)
{
    (void)lmissing, (void)rmissing;
    for (vv_index i = 0; i < cells; i++) {
        int32_t a[NUMBERS], b[NUMBERS];
        for (int k = 0; k < NUMBERS; k++) a[k] = number(left, lh, k)[i];
        for (int k = 0; k < NUMBERS; k++) b[k] = number(right, rh, k)[i];
        if (b[FIRST] < 0) continue;
        int32_t seen = a[SEEN] > b[SEEN] ? a[SEEN] : b[SEEN];
        if (a[FIRST] < 0)
            for (int k = 0; k < NUMBERS; k++) a[k] = b[k];
        else
            join(a, b, least_of(r));
        a[SEEN] = seen;
        for (int k = 0; k < NUMBERS; k++) number(left, lh, k)[i] = a[k];
    }
}

static void finish(const vv_red *r, vv_index cells, const vv_red_head *head, void *const planes[], const void *missing,
                   void *out)
{
    int32_t a[NUMBERS], least = least_of(r);
    (void)missing;
    for (vv_index i = 0; i < cells; i++) {
        for (int k = 0; k < NUMBERS; k++) a[k] = number(planes, head, k)[i];
        int32_t b = taken(a[BEST], a[FIRST], a[LEAD], least);
        if (a[TAIL] != a[FIRST]) b = taken(b, a[TAIL], a[END], least);
        ((double *)out)[i] = a[SEEN] == 1 ? FINISH(b, a[FIRST]) : (double)NAN;
    }
}

const vv_reduction NAME = {.name = SHORT_NAME,
                           .help = HELP,
                           .places = true,
                           .in_order = true,
                           .planes = planes_of,
                           .result = vv_result_real,
                           .init = init,
                           .vertical = vertical,
                           .horizontal = horizontal,
                           .combine = combine,
                           .finish = finish};
