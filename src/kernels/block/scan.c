/* Scans: running sums, products, minima and maxima along a dimension.
 *
 * A scan is a chain along its axis, so loops run across it, over columns. Where there are few columns, rows are transposed, a strip at a time, to
 * get LANES of them side by side. The running state of a piece of columns stays on the stack: the value and, for sums of f64, what rounding lost
 * of it (Knuth's two-sum), which is added to every result but never to the running value. */
#include "base/index.h"
#include "kernels/block/kernels.h"
#include "kernels/clones.h"
#include "kernels/strided.h"

#include <math.h>
#include <string.h>

enum { PIECE = 256, LANES = 16, STRIP = 128 };

/* State of a piece of columns; values are of the result's type. */
typedef struct state {
    union {
        double f[PIECE];
        int64_t i[PIECE];
        uint64_t u[PIECE];
    } value;
    double lost[PIECE];
} state;

/* rows rows of n <= PIECE columns, row_in and row_out elements apart, on from the state. keep: NaN is not left out. */
typedef void scan_loop(vv_index rows, vv_index n, const void *x, vv_index row_in, void *out, vv_index row_out,
                       bool keep, state *s);

#define VALID(x)          ((x) == (x))
#define ADD(s, x, keep)   ((VALID(x) | (keep)) ? (s) + (x) : (s))
#define TIMES(s, x, keep) ((VALID(x) | (keep)) ? (s) * (x) : (s))
/* Leaving NaN out, NaN in the state says that there was no valid value yet; keeping it, that there was one. */
#define LOW(s, x, keep)  (((keep) ? ((x) < (s)) | !VALID(x) : !((s) <= (x)) & VALID(x)) ? (x) : (s))
#define HIGH(s, x, keep) (((keep) ? ((x) > (s)) | !VALID(x) : !((s) >= (x)) & VALID(x)) ? (x) : (s))

#define SCAN_LOOP(name, type, stype, ...)                                                                              \
    VV_KERNEL void name##_rows(vv_index rows, vv_index n, const type *restrict x, vv_index row_in,                     \
                               stype *restrict out, vv_index row_out, bool keep, stype *restrict s,                    \
                               double *restrict lost)                                                                  \
    {                                                                                                                  \
        (void)lost;                                                                                                    \
        for (vv_index r = 0; r < rows; r++, x += row_in, out += row_out)                                               \
            for (vv_index i = 0; i < n; i++) __VA_ARGS__;                                                              \
    }                                                                                                                  \
    VV_KERNEL void name##_body(vv_index rows, vv_index n, const void *x, vv_index row_in, void *out, vv_index row_out, \
                               bool keep, state *s)                                                                    \
    {                                                                                                                  \
        if (keep)                                                                                                      \
            name##_rows(rows, n, x, row_in, out, row_out, true, (stype *)&s->value, s->lost);                          \
        else                                                                                                           \
            name##_rows(rows, n, x, row_in, out, row_out, false, (stype *)&s->value, s->lost);                         \
    }                                                                                                                  \
    VV_CLONES(                                                                                                         \
        name, name##_body,                                                                                             \
        (vv_index rows, vv_index n, const void *x, vv_index row_in, void *out, vv_index row_out, bool keep, state *s), \
        (rows, n, x, row_in, out, row_out, keep, s))

#define SCAN(name, type, stype, STEP)                                                                                  \
    SCAN_LOOP(name, type, stype, {                                                                                     \
        s[i] = STEP(s[i], (stype)x[i], keep);                                                                          \
        out[i] = s[i];                                                                                                 \
    })
SCAN(sum_f32, float, double, ADD)
SCAN(sum_u64, uint64_t, uint64_t, ADD)
SCAN(prod_f32, float, double, TIMES)
SCAN(prod_f64, double, double, TIMES)
SCAN(prod_u64, uint64_t, uint64_t, TIMES)
SCAN(min_f32, float, double, LOW)
SCAN(min_f64, double, double, LOW)
SCAN(min_i64, int64_t, int64_t, LOW)
SCAN(min_u64, uint64_t, uint64_t, LOW)
SCAN(max_f32, float, double, HIGH)
SCAN(max_f64, double, double, HIGH)
SCAN(max_i64, int64_t, int64_t, HIGH)
SCAN(max_u64, uint64_t, uint64_t, HIGH)
/* What an infinity "loses" is NaN, but then the sum is infinite for good. */
SCAN_LOOP(sum_f64, double, double, {
    double add = (VALID(x[i]) | keep) ? x[i] : 0.0;
    double sum = s[i] + add, added = sum - s[i];
    lost[i] += (s[i] - (sum - added)) + (add - added);
    s[i] = sum;
    out[i] = fabs(sum) < (double)INFINITY ? sum + lost[i] : sum;
})

/* What a scan starts from, as the bits of its type. */
typedef union start {
    double f;
    int64_t i;
    uint64_t u;
} start;
typedef struct scan {
    scan_loop *const *loop[VV_DTYPE_COUNT];
    start skipping, keeping, i64, u64;
} scan;
static const scan sums = {
    {[VV_F32] = sum_f32, [VV_F64] = sum_f64, [VV_I64] = sum_u64, [VV_U64] = sum_u64}, {.f = 0}, {.f = 0}, {0}, {0}};
static const scan products = {{[VV_F32] = prod_f32, [VV_F64] = prod_f64, [VV_I64] = prod_u64, [VV_U64] = prod_u64},
                              {.f = 1},
                              {.f = 1},
                              {.i = 1},
                              {.u = 1}};
static const scan lows = {{[VV_F32] = min_f32, [VV_F64] = min_f64, [VV_I64] = min_i64, [VV_U64] = min_u64},
                          {.f = (double)NAN},
                          {.f = (double)INFINITY},
                          {.i = INT64_MAX},
                          {.u = UINT64_MAX}};
static const scan highs = {{[VV_F32] = max_f32, [VV_F64] = max_f64, [VV_I64] = max_i64, [VV_U64] = max_u64},
                           {.f = (double)NAN},
                           {.f = -(double)INFINITY},
                           {.i = INT64_MIN},
                           {.u = 0}};

static start start_of(const scan *k, vv_dtype in, bool keep)
{
    if (in == VV_I64) return k->i64;
    if (in == VV_U64) return k->u64;
    return keep ? k->keeping : k->skipping;
}

static void begin(state *s, start from)
{
    for (int i = 0; i < PIECE; i++) memcpy(s->value.u + i, &from, sizeof from);
    memset(s->lost, 0, sizeof s->lost);
}

/* A box, n rows of `columns` at each of `outer` places. */
typedef struct extent {
    vv_index outer, n, columns;
} extent;

static void across(const scan *k, const vv_block_call *c, vv_dtype in, const extent *e, const char *x, double *out)
{
    state s;
    for (vv_index a = 0; a < e->outer; a++)
        for (vv_index at = 0; at < e->columns; at += PIECE) {
            vv_index first = a * e->n * e->columns + at;
            begin(&s, start_of(k, in, c->keep_nan));
            k->loop[in][vv_cpu()](e->n, vv_imin(PIECE, e->columns - at), x + first * vv_dtype_size(in), e->columns,
                                  out + first, e->columns, c->keep_nan, &s);
        }
}

/* Several places side by side, a strip of rows at a time. */
static void transposed(const scan *k, const vv_block_call *c, vv_dtype in, const extent *e, const char *x, double *out,
                       double *workspace)
{
    state s;
    const vv_bytes size = vv_dtype_size(in);
    const vv_index side = (LANES + e->columns - 1) / e->columns, m = e->columns, place = e->n * m;
    double *results = workspace + STRIP * 2 * LANES;
    for (vv_index a = 0; a < e->outer; a += side) {
        vv_index some = vv_imin(side, e->outer - a), width = some * m;
        begin(&s, start_of(k, in, c->keep_nan));
        for (vv_index row = 0; row < e->n; row += STRIP) {
            vv_index rows = vv_imin(STRIP, e->n - row), first = a * place + row * m;
            const vv_index box[3] = {rows, some, m}, apart[3] = {m, place, 1}, beside[3] = {width, m, 1};
            vv_box_copy(3, box, size, x + first * size, apart, workspace, beside);
            k->loop[in][vv_cpu()](rows, width, workspace, width, results, width, c->keep_nan, &s);
            vv_box_copy(3, box, sizeof *out, results, beside, out + first, apart);
        }
    }
}

static void scan_box(const scan *k, const vv_block_call *c, vv_dtype in, int nd, const vv_index n[], const void *x,
                     void *out, void *workspace)
{
    extent e = {1, n[c->axis], 1};
    for (int d = 0; d < c->axis; d++) e.outer *= n[d];
    for (int d = c->axis + 1; d < nd; d++) e.columns *= n[d];
    if (e.outer * e.n * e.columns == 0) return;
    if (e.columns < LANES && e.outer > 1)
        transposed(k, c, in, &e, x, out, workspace);
    else
        across(k, c, in, &e, x, out);
}

VV_BLOCK_WORKSPACE(vv_scan_workspace)
{
    (void)c, (void)in, (void)nd, (void)n_in, (void)n_out;
    return 2 * STRIP * 2 * LANES * (vv_bytes)sizeof(double);
}

#define OPERATION(name, kind)                                                                                          \
    VV_BLOCK_RUN(vv_scan_##name)                                                                                       \
    {                                                                                                                  \
        (void)n_out;                                                                                                   \
        scan_box(&kind, c, in, nd, n_in, from, to, workspace);                                                         \
    }
OPERATION(sum, sums)
OPERATION(prod, products)
OPERATION(min, lows)
OPERATION(max, highs)
