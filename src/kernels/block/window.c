/* Windows at a price that does not depend on their length.
 *
 * van Herk's and Gil and Werman's method: cut a dimension into blocks of the window's length w. A window that begins at i is the end of
 * one block and the beginning of the next, so with S(i) = elements i .. end of i's block and P(j) = elements from the beginning of j's
 * block to j, a window is S(i) with P(i + w - 1): three merges an element, whatever w is. Nothing is ever taken out of a sum again, so nothing cancels and
 * nothing drifts, an infinity is gone when the window has passed it, and it works for everything that merges: sums, extremes, counts, and
 * for variances (count, mean, sum of squared deviations), which merge without ever squaring a large mean (Chan et al. 1979).
 *
 *     w = 3    x: a b c | d e f | g        window 1: S(1) = b+c with P(3) = d
 *
 * A window over several dimensions is one over the first of windows over the second, and so on: one pass a dimension, each in place: suffixes
 * replace a block, prefixes run through one row and merge into the block before. Missing values are replaced by what does not matter and
 * counted in a plane of their own, which goes through the same passes; without any missing value there is no such plane.
 *
 * The box is worked through in slabs that fit the second-level cache: as many columns (elements behind the last windowed dimension)
 * and outer positions (in front of the first one) as fit. Passes run along columns; where these are few, rows are transposed to get LANES of them. */
#include "base/index.h"
#include "kernels/block/kernels.h"
#include "kernels/clones.h"
#include "kernels/strided.h"

#include <math.h>
#include <string.h>

enum { LANES = 16, MIN_COLUMNS = 64, SLAB = 65536, PIECE = 256, MAX_PLANES = 3 };

/* --- merging rows: left = left with right; running = running with x, left = left with running --- */

#define MERGE_SUM(l, r) ((l) + (r))
#define MERGE_MIN(l, r) ((r) < (l) ? (r) : (l))
#define MERGE_MAX(l, r) ((r) > (l) ? (r) : (l))
#define ROWS(name, MERGE)                                                                                              \
    VV_KERNEL void name##_row(vv_index m, double *restrict left, vv_index lp, const double *restrict right,            \
                              vv_index rp)                                                                             \
    {                                                                                                                  \
        (void)lp, (void)rp;                                                                                            \
        for (vv_index i = 0; i < m; i++) left[i] = MERGE(left[i], right[i]);                                           \
    }
ROWS(sum, MERGE_SUM)
ROWS(min, MERGE_MIN)
ROWS(max, MERGE_MAX)

/* Planes of a variance: mean, sum of squared deviations, count; lp and rp elements apart. */
VV_KERNEL void var_row(vv_index m, double *restrict left, vv_index lp, const double *restrict right, vv_index rp)
{
    for (vv_index i = 0; i < m; i++) {
        double a = left[i + 2 * lp], b = right[i + 2 * rp], n = a + b;
        double share = b / (n > 0 ? n : 1), d = right[i] - left[i];
        left[i] += d * share;
        left[i + lp] += right[i + rp] + d * d * (a * share);
        left[i + 2 * lp] = n;
    }
}

/* One pass in place over n rows of m elements: row i becomes the merge of rows i .. i + w - 1, for i <= n - w; rows after that are spoilt.
 * Planes are `plane` elements apart in v and m in `running`, which is room for one row. */
#define PASS(name, planes)                                                                                             \
    VV_KERNEL void name##_pass_body(vv_index n, vv_index w, vv_index m, double *v, vv_index plane, double *running)    \
    {                                                                                                                  \
        for (vv_index b = 0; b < n; b += w) {                                                                          \
            vv_index end = vv_imin(b + w, n);                                                                          \
            for (vv_index j = b; b > 0 && j < end && j < b + w - 1; j++) {                                             \
                if (j == b)                                                                                            \
                    for (int p = 0; p < planes; p++)                                                                   \
                        memcpy(running + p * m, v + j * m + p * plane, (size_t)m * sizeof *v);                         \
                else                                                                                                   \
                    name##_row(m, running, m, v + j * m, plane);                                                       \
                name##_row(m, v + (j - w + 1) * m, plane, running, m);                                                 \
            }                                                                                                          \
            for (vv_index j = end - 2; end - b == w && j >= b; j--)                                                    \
                name##_row(m, v + j * m, plane, v + (j + 1) * m, plane);                                               \
        }                                                                                                              \
    }                                                                                                                  \
    VV_CLONES(name##_pass, name##_pass_body,                                                                           \
              (vv_index n, vv_index w, vv_index m, double *v, vv_index plane, double *running),                        \
              (n, w, m, v, plane, running))
PASS(sum, 1)
PASS(min, 1)
PASS(max, 1)
PASS(var, 3)
typedef void pass_loop(vv_index n, vv_index w, vv_index m, double *v, vv_index plane, double *running);

/* --- loading: f64, `missing` in place of NaN; whether there was one; and which are valid --- */

#define LOAD(name, type)                                                                                               \
    VV_KERNEL void values_##name##_body(vv_index n, const type *restrict x, double missing, double *restrict v,        \
                                        int *found)                                                                    \
    {                                                                                                                  \
        int any = 0;                                                                                                   \
        for (vv_index i = 0; i < n; i++) {                                                                             \
            any |= x[i] != x[i];                                                                                       \
            v[i] = x[i] == x[i] ? (double)x[i] : missing;                                                              \
        }                                                                                                              \
        *found |= any;                                                                                                 \
    }                                                                                                                  \
    VV_KERNEL void valid_##name##_body(vv_index n, const type *restrict x, double *restrict v)                         \
    {                                                                                                                  \
        for (vv_index i = 0; i < n; i++) v[i] = x[i] == x[i] ? 1.0 : 0.0;                                              \
    }                                                                                                                  \
    VV_CLONES(values_##name, values_##name##_body, (vv_index n, const void *x, double missing, double *v, int *found), \
              (n, x, missing, v, found))                                                                               \
    VV_CLONES(valid_##name, valid_##name##_body, (vv_index n, const void *x, double *v), (n, x, v))
LOAD(f32, float)
LOAD(f64, double)

/* --- finishing: value, deviations and count to the result --- */

/* least: fewer valid values give NaN. */
typedef struct rule {
    double least, ddof;
} rule;
#define FINISH(name, VALUE)                                                                                            \
    VV_KERNEL void finish_##name##_body(const rule *r, vv_index n, const double *restrict v, const double *restrict q, \
                                        const double *restrict c, double *restrict out)                                \
    {                                                                                                                  \
        const double least = r->least, ddof = r->ddof;                                                                 \
        (void)v, (void)q, (void)ddof;                                                                                  \
        for (vv_index i = 0; i < n; i++) {                                                                             \
            double value = VALUE;                                                                                      \
            out[i] = c[i] >= least ? value : (double)NAN;                                                              \
        }                                                                                                              \
    }                                                                                                                  \
    VV_CLONES(finish_##name, finish_##name##_body,                                                                     \
              (const rule *r, vv_index n, const double *v, const double *q, const double *c, double *out),             \
              (r, n, v, q, c, out))
FINISH(value, v[i])
FINISH(mean, v[i] / c[i])
FINISH(count, c[i])
#define VARIANCE (c[i] > ddof ? q[i] / (c[i] - ddof) : (double)NAN)
FINISH(var, VARIANCE)
FINISH(std, sqrt(VARIANCE))
typedef void finish_loop(const rule *r, vv_index n, const double *v, const double *q, const double *c, double *out);

/* --- what the operations differ in --- */

/* The planes of a slab are v (values: sums, extremes, or means), q (squared deviations) where there is one, c (counts). `values` of them pass
 * together in one call of `pass`; counts are summed apart unless they are among them. */
typedef struct family {
    int planes;      /* room: values and counts */
    bool has_values; /* there is v */
    bool together;   /* all planes pass in one call, always with counts */
    double missing;  /* stands for NaN in v */
    pass_loop *const *pass;
} family;
static const family sums = {2, true, false, 0, sum_pass}, lows = {2, true, false, (double)INFINITY, min_pass},
                    highs = {2, true, false, -(double)INFINITY, max_pass}, counts = {1, false, false, 0, NULL},
                    vars = {MAX_PLANES, true, true, 0, var_pass};

/* How a box is cut into slabs. `span` is the dimensions from the first to the last windowed one, outer and columns what is before and behind them.
 * A slab is group x span x tile elements. */
typedef struct layout {
    int nd; /* of the span */
    vv_index n[VV_MAX_DIMS], out[VV_MAX_DIMS], w[VV_MAX_DIMS];
    vv_index outer, columns, rows, out_rows; /* rows: positions of the span */
    vv_index group, tile;
    double volume; /* elements of a window */
} layout;

static layout lay_out(const vv_block_call *c, int nd, const vv_index n_in[], const vv_index n_out[])
{
    layout l = {.outer = 1, .columns = 1, .rows = 1, .out_rows = 1, .volume = 1};
    const vv_index one = 1;
    if (nd == 0) n_in = n_out = &one;
    int first = 0, last = nd ? nd - 1 : 0;
    while (first < last && c->before[first] + c->after[first] == 0) l.outer *= n_in[first++];
    while (last > first && c->before[last] + c->after[last] == 0) l.columns *= n_in[last--];
    for (int d = first; d <= last; d++) {
        l.n[l.nd] = n_in[d];
        l.out[l.nd] = n_out[d];
        l.w[l.nd] = c->before[d] + c->after[d] + 1;
        l.rows *= n_in[d];
        l.out_rows *= n_out[d];
        l.volume *= (double)l.w[l.nd++];
    }
    vv_index rows = vv_imax(l.rows, 1);
    l.tile = vv_imin(l.columns, vv_imax(MIN_COLUMNS, SLAB / rows / LANES * LANES));
    vv_index least = l.nd == 1 && l.tile < LANES ? LANES : 1;
    l.group = vv_imin(l.outer, vv_imax(least, SLAB / (rows * vv_imax(l.tile, 1))));
    return l;
}

/* Neighbours of a dimension of the span that are put side by side when its rows of m elements are short. */
static vv_index beside(const layout *l, int d, vv_index m)
{
    return m < LANES ? vv_imin((LANES + m - 1) / m, d ? l->out[d - 1] : l->group) : 1;
}

/* Room for rows side by side: only the last dimensions have rows so short. */
static vv_index packed_elements(const layout *l)
{
    vv_index most = 0, m = l->tile;
    for (int d = l->nd - 1; d >= 0 && m < LANES; m *= l->n[d--])
        if (l->w[d] > 1 && beside(l, d, m) > 1) most = vv_imax(most, l->n[d] * beside(l, d, m) * m);
    return most;
}

/* Elements of one row of the first, longest pass, and at least those of a transposed one. */
static vv_index running_elements(const layout *l)
{
    return vv_imax(l->tile * l->rows / l->n[0], 2 * LANES);
}

/* One call: workspace is planes of a slab | planes of transposed rows | one running row a plane. */
typedef struct run {
    const family *f;
    vv_dtype in;
    layout l;
    vv_index plane; /* elements of one plane of a slab */
    double *v, *c, *packed, *running;
    bool counted; /* the slab at hand has a plane of counts */
    finish_loop *const *finish;
    rule rule;
} run;

static vv_bytes bytes_of(const family *f, const vv_block_call *c, int nd, const vv_index n_in[], const vv_index n_out[])
{
    layout l = lay_out(c, nd, n_in, n_out);
    if (l.outer * l.out_rows * l.columns == 0) return 0;
    vv_index cells = l.group * l.rows * l.tile + packed_elements(&l) + running_elements(&l);
    return f->planes * (vv_bytes)sizeof(double) * cells;
}

/* --- a slab, from loading to finishing --- */

static void load(run *r, vv_index group, vv_index tile, vv_index first, const char *x)
{
    vv_bytes size = vv_dtype_size(r->in);
    const layout *l = &r->l;
    bool whole = tile == l->columns;
    vv_index rows = whole ? 1 : group * l->rows, width = whole ? group * l->rows * tile : tile;
    int missing = !r->f->has_values || r->f->together;
    for (vv_index row = 0; r->f->has_values && row < rows; row++)
        (r->in == VV_F32 ? values_f32 : values_f64)[vv_cpu()](width, x + (first + row * l->columns) * size,
                                                              r->f->missing, r->v + row * width, &missing);
    r->counted = missing;
    for (vv_index row = 0; r->counted && row < rows; row++)
        (r->in == VV_F32 ? valid_f32 : valid_f64)[vv_cpu()](width, x + (first + row * l->columns) * size,
                                                            r->c + row * width);
    if (r->f->together) memset(r->v + r->plane, 0, (size_t)(rows * width) * sizeof *r->v);
}

/* A pass over n rows of m elements at `side` places, `apart` elements from each other: put side by side by a transposition, and put back. */
static void pass_packed(const run *r, pass_loop *const *pass, int planes, vv_index n, vv_index w, vv_index m, double *v,
                        vv_index side, vv_index apart)
{
    const vv_index extent[3] = {n, side, m}, spread[3] = {m, apart, 1}, dense[3] = {side * m, m, 1};
    const vv_index kept[3] = {n - w + 1, side, m};
    vv_index plane = n * side * m;
    for (int p = 0; p < planes; p++)
        vv_box_copy(3, extent, sizeof *v, v + p * r->plane, spread, r->packed + p * plane, dense);
    pass[vv_cpu()](n, w, side * m, r->packed, plane, r->running);
    for (int p = 0; p < planes; p++)
        vv_box_copy(3, kept, sizeof *v, r->packed + p * plane, dense, v + p * r->plane, spread);
}

/* Along the dimension d of the span, for all positions in front of it: of the group, and of what is left of the dimensions that are done. */
static void pass_along(const run *r, pass_loop *const *pass, int planes, int d, vv_index group, vv_index tile,
                       double *v)
{
    const layout *l = &r->l;
    vv_index m = tile, stride[VV_MAX_DIMS], at[VV_MAX_DIMS] = {0};
    for (int e = l->nd - 1; e > d; e--) m *= l->n[e];
    stride[d] = m;
    for (int e = d - 1; e >= 0; e--) stride[e] = stride[e + 1] * l->n[e + 1];
    vv_index all = l->rows * tile; /* from one position of the group to the next */
    vv_index near = d ? l->out[d - 1] : group, apart = d ? stride[d - 1] : all;
    vv_index side = beside(l, d, m);
    vv_index groups = d ? group : 1;
    for (vv_index g = 0; g < groups; g++) {
        do {
            double *base = v + g * all;
            for (int e = 0; e < d - 1; e++) base += at[e] * stride[e];
            for (vv_index k = 0; k < near; k += side) {
                vv_index some = vv_imin(side, near - k);
                if (some == 1)
                    pass[vv_cpu()](l->n[d], l->w[d], m, base + k * apart, r->plane, r->running);
                else
                    pass_packed(r, pass, planes, l->n[d], l->w[d], m, base + k * apart, some, apart);
            }
        } while (vv_odometer(d > 1 ? d - 1 : 0, l->out, at));
    }
}

static void pass_all(const run *r, vv_index group, vv_index tile)
{
    const family *f = r->f;
    for (int d = 0; d < r->l.nd; d++) {
        if (r->l.w[d] == 1) continue;
        if (f->has_values) pass_along(r, f->pass, f->together ? f->planes : 1, d, group, tile, r->v);
        if (r->counted && !f->together) pass_along(r, sum_pass, 1, d, group, tile, r->c);
    }
}

static void finish_row(const run *r, vv_index at, vv_index n, double *out)
{
    double full[PIECE];
    for (vv_index i = 0; !r->counted && i < vv_imin(n, PIECE); i++) full[i] = r->l.volume;
    for (vv_index i = 0; i < n; i += PIECE) {
        const double *v = r->v + at + i, *c = r->counted ? r->c + at + i : full;
        r->finish[vv_cpu()](&r->rule, vv_imin(PIECE, n - i), v, r->f->together ? v + r->plane : v, c, out + i);
    }
}

/* Rows of the result: all of the last dimension of the span at once where the slab has all columns. */
static void finish(const run *r, vv_index group, vv_index tile, double *out)
{
    const layout *l = &r->l;
    int loops = tile == l->columns ? l->nd - 1 : l->nd;
    vv_index width = tile == l->columns ? tile * l->out[l->nd - 1] : tile;
    for (vv_index g = 0; g < group; g++) {
        vv_index at[VV_MAX_DIMS] = {0};
        double *to = out + g * l->out_rows * l->columns;
        do {
            vv_index row = g;
            for (int d = 0; d < l->nd; d++) row = row * l->n[d] + at[d];
            finish_row(r, row * tile, width, to);
            to += tile == l->columns ? width : l->columns;
        } while (vv_odometer(loops, l->out, at));
    }
}

static void windows(const family *f, finish_loop *const *finish_one, double least, const vv_block_call *c, vv_dtype in,
                    int nd, const vv_index n_in[], const vv_index n_out[], const void *from, double *to,
                    double *workspace)
{
    run r = {.f = f, .in = in, .l = lay_out(c, nd, n_in, n_out), .finish = finish_one, .v = workspace};
    const layout *l = &r.l;
    if (l->outer * l->out_rows * l->columns == 0) return;
    r.plane = l->group * l->rows * l->tile;
    r.c = r.v + (f->planes - 1) * r.plane;
    r.packed = r.v + f->planes * r.plane;
    r.running = r.packed + f->planes * packed_elements(l);
    r.rule = (rule){c->keep_nan ? l->volume : fmax((double)c->min_count, least), c->ddof};
    for (vv_index a = 0; a < l->outer; a += l->group) {
        vv_index group = vv_imin(l->group, l->outer - a);
        for (vv_index at = 0; at < l->columns; at += l->tile) {
            vv_index tile = vv_imin(l->tile, l->columns - at);
            load(&r, group, tile, a * l->rows * l->columns + at, from);
            pass_all(&r, group, tile);
            finish(&r, group, tile, to + a * l->out_rows * l->columns + at);
        }
    }
}

#define OPERATION(name, family, finish, least)                                                                         \
    VV_BLOCK_RUN(vv_window_##name)                                                                                     \
    {                                                                                                                  \
        windows(&family, finish, least, c, in, nd, n_in, n_out, from, to, workspace);                                  \
    }
OPERATION(sum, sums, finish_value, 0)
OPERATION(mean, sums, finish_mean, 1)
OPERATION(min, lows, finish_value, 1)
OPERATION(max, highs, finish_value, 1)
OPERATION(count, counts, finish_count, 0)
OPERATION(var, vars, finish_var, 1)
OPERATION(std, vars, finish_std, 1)

#define WORKSPACE(name, family)                                                                                        \
    VV_BLOCK_WORKSPACE(vv_window_##name##_workspace)                                                                   \
    {                                                                                                                  \
        (void)in;                                                                                                      \
        return bytes_of(&family, c, nd, n_in, n_out);                                                                  \
    }
WORKSPACE(sums, sums)
WORKSPACE(extremes, lows)
WORKSPACE(count, counts)
WORKSPACE(vars, vars)
