/* Neighbours on a grid, products, windows, and an expression that two passes want. */
#include "workload.h"

#include <math.h>

#define MB 1000000

/* --- vorticity --- */

static double want_vorticity(const wl_run *r, const vv_index at[])
{
    vv_index inside[] = {at[0] % r->field[0].n[0], at[1], at[2]};
    return wl_at(r, 2, at) * wl_at(r, 0, inside) - wl_at(r, 3, at) * wl_at(r, 1, inside);
}

static vv_array *padded(vv_array *a)
{
    return vv_rechunk(vv_pad(a, "y", 0, 1, "wrap", 0), "y:all");
}

static vv_status build_vorticity(wl_run *r)
{
    vv_array *left = vv_mul(padded(r->in[0]), r->in[2]), *right = vv_mul(padded(r->in[1]), r->in[3]);
    return wl_result(r, "vorticity", vv_sub(left, right), want_vorticity, 2e-7);
}

const workload wl_vorticity = {
    .name = "vorticity",
    .story = "dx * u - dy * v, with one row of u and v wrapped around and chunked into the rest",
    .from = "distributed#6571, pangeo-data/distributed-array-examples#1",
    .original = "u, v (5000, 5000, n) f64, chunks (5000, 5000, 1), 130 GB",
    .budget = 256 * MB,
    .input = {{.name = "u", .dim = {WL_DIM("y", 1000, 0, 6), WL_DIM("x", 1000, 0, 5), WL_DIM("time", 160, 1, 4)}},
              {.name = "v", .dim = {WL_DIM("y", 1000, 0, 6), WL_DIM("x", 1000, 0, 5), WL_DIM("time", 160, 1, 4)}},
              {.name = "dx", .dim = {{.name = "y", .more = 1}, {.name = "x"}}},
              {.name = "dy", .dim = {{.name = "y", .more = 1}, {.name = "x"}}}},
    .deflate = 1,
    .build = build_vorticity,
};

/* --- differences across chunks --- */

static double want_double_diff(const wl_run *r, const vv_index at[])
{
    return wl_at(r, 0, (vv_index[]){at[0] + 1, at[1] + 1}) - wl_at(r, 1, at);
}

static vv_array *cut(vv_array *a, vv_index start, vv_index stop)
{
    return vv_slice(vv_slice(a, "y", start, stop, 1), "x", start, stop, 1);
}

static vv_status build_double_diff(wl_run *r)
{
    vv_array *d = vv_sub(cut(r->in[0], 1, VV_END), cut(r->in[1], VV_BEGIN, -1));
    return wl_result(r, "difference", d, want_double_diff, 0);
}

const workload wl_double_diff = {
    .name = "double_diff",
    .story = "a[1:, 1:] - b[:-1, :-1]: every chunk needs four others",
    .from = "distributed#6597, coiled/benchmarks test_array.py",
    .original = "two square f64 arrays, each as large as the cluster's memory, chunks of 20 MiB",
    .budget = 256 * MB,
    .input = {{.name = "a", .dim = {WL_DIM("y", 14000, 1000, 30), WL_DIM("x", 14000, 1000, 30)}},
              {.name = "b", .dim = {WL_DIM("y", 14000, 1000, 30), WL_DIM("x", 14000, 1000, 30)}}},
    .build = build_double_diff,
};

/* --- a product --- */

/* The sum of all dot products of rows is the sum over columns of the squared column sum. */
static double want_dot_product(const wl_run *r, const vv_index at[])
{
    const vv_index *n = r->field[0].n;
    double total = 0;
    (void)at;
    for (vv_index k = 0; k < n[1]; k++) {
        double column = 0;
        for (vv_index i = 0; i < n[0]; i++) column += wl_at(r, 0, (vv_index[]){i, k});
        total += column * column;
    }
    return total;
}

static vv_status build_dot_product(wl_run *r)
{
    vv_array *transposed = vv_rename(vv_transpose(r->in[0], NULL), "x", "x2");
    vv_array *product = vv_matmul(r->in[0], transposed, "y");
    return wl_result(r, "total", vv_sum(product, NULL), want_dot_product, 1e-5);
}

const workload wl_dot_product = {
    .name = "dot_product",
    .story = "(a @ a.T).sum()",
    .from = "coiled/benchmarks test_array.py, test_spill.py",
    .original = "square f64 of 0.3 x the cluster's memory, 11.5 GiB",
    .budget = 1024 * MB,
    .input = {{.name = "a", .dim = {WL_DIM("x", 3000, 1000, 7), WL_DIM("y", 90000, 2000, 11)}}},
    .build = build_dot_product,
};

/* --- windows --- */

/* The mean of the values in a box around a place, as far as it lies inside: `before` and `after` elements in the first `nd` dimensions. */
static double box_mean(const wl_run *r, const vv_index at[], int nd, vv_index before, vv_index after)
{
    vv_index lo[WL_DIMS], hi[WL_DIMS], p[WL_DIMS], count = 0;
    for (int d = 0; d < nd; d++) {
        lo[d] = p[d] = at[d] < before ? 0 : at[d] - before;
        hi[d] = at[d] + after < r->field[0].n[d] ? at[d] + after : r->field[0].n[d] - 1;
    }
    double sum = 0;
    for (int d = 0; d >= 0;) {
        sum += wl_at(r, 0, p);
        count++;
        for (d = nd - 1; d >= 0 && ++p[d] > hi[d]; d--) p[d] = lo[d];
    }
    return sum / (double)count;
}

static double want_overlap_4d(const wl_run *r, const vv_index at[])
{
    const vv_index *n = r->field[0].n;
    double sum = 0;
    for (vv_index i = 0; i < n[0]; i++)
        for (vv_index j = 0; j < n[1]; j++) sum += box_mean(r, (vv_index[]){i, j, at[0], at[1]}, 4, 1, 1);
    return sum / (double)(n[0] * n[1]);
}

static vv_status build_overlap_4d(wl_run *r)
{
    vv_window_options options = VV_WINDOW_OPTIONS_INIT;
    options.min_count = 1;
    vv_array *smooth = vv_window(r->in[0], "mean", "row:3,column:3,y:3,x:3", &options);
    return wl_result(r, "mean", vv_mean(smooth, "row,column"), want_overlap_4d, 3e-7);
}

const workload wl_overlap_4d = {
    .name = "overlap_4d",
    .story = "neighbours within 1 in all of four dimensions, then a mean over two",
    .from = "dask#3671",
    .original = "(500, 500, 300, 300) i64, chunks (10, 10, 30, 30), 180 GB",
    .budget = 512 * MB,
    .input = {{.name = "image",
               .dim = {WL_DIM("row", 50, 10, 4), WL_DIM("column", 50, 10, 4), WL_DIM("y", 330, 30, 7),
                       WL_DIM("x", 330, 30, 7)}}},
    .build = build_overlap_4d,
};

static double want_window_10x10(const wl_run *r, const vv_index at[])
{
    return box_mean(r, at, 2, 5, 4);
}

static vv_status build_window_10x10(wl_run *r)
{
    vv_window_options options = VV_WINDOW_OPTIONS_INIT;
    options.min_count = 1;
    return wl_result(r, "mean", vv_window(r->in[0], "mean", "y:10,x:10", &options), want_window_10x10, 1e-9);
}

const workload wl_window_10x10 = {
    .name = "window_10x10",
    .story = "a 10 x 10 window over 40,000 small chunks",
    .from = "users of dask's map_overlap",
    .original = "(10000, 10000) f64, chunks (50, 50), 0.8 GB",
    .budget = 256 * MB,
    .input = {{.name = "q", .dim = {WL_DIM("y", 10000, 50, 23), WL_DIM("x", 10000, 50, 23)}, .dtype = VV_F64}},
    .build = build_window_10x10,
};

static double want_rolling_100(const wl_run *r, const vv_index at[])
{
    double sum = 0;
    if (at[2] < 50 || at[2] + 49 >= r->field[0].n[2]) return NAN;
    for (vv_index t = at[2] - 50; t < at[2] + 50; t++) sum += wl_at(r, 0, (vv_index[]){at[0], at[1], t});
    return sum / 100;
}

static vv_status build_rolling_100(wl_run *r)
{
    return wl_result(r, "mean", vv_rolling(r->in[0], "time", 100, "mean", 0, true), want_rolling_100, 2e-7);
}

const workload wl_rolling_100 = {
    .name = "rolling_100",
    .story = "a rolling window of 100 over chunks of one step",
    .from = "xarray#9550",
    .original = "(400, 400, 400) f64, chunks (400, 400, 1); chunks of 12 GiB in the way",
    .budget = 512 * MB,
    .input = {{.name = "q",
               .dim = {WL_DIM("lat", 500, 0, 5), WL_DIM("lon", 500, 0, 5), WL_DIM("time", 1000, 1, 130)},
               .stored = true}},
    .deflate = 1,
    .build = build_rolling_100,
};

/* --- two passes over one expression --- */

static double costly(const wl_run *r, vv_index y, vv_index x)
{
    return sqrt(exp(sin(wl_at(r, 0, (vv_index[]){y, x}))));
}

static double known_mean(const wl_run *r)
{
    double sum = 0;
    for (vv_index i = 0; i < r->n_known; i++) sum += r->known[i];
    return sum / (double)r->n_known;
}

static double want_column(const wl_run *r, const vv_index at[])
{
    double sum = 0;
    for (vv_index y = 0; y < r->field[0].n[0]; y++) sum += costly(r, y, at[0]);
    return sum / (double)r->field[0].n[0];
}

static double want_mean(const wl_run *r, const vv_index at[])
{
    (void)at;
    return known_mean(r);
}

static double want_spread(const wl_run *r, const vv_index at[])
{
    double sum = 0, mean = known_mean(r);
    for (vv_index y = 0; y < r->field[0].n[0]; y++) sum += fabs(costly(r, y, at[0]) - mean);
    return sum / (double)r->field[0].n[0];
}

/* More than fits is held: the rest waits in scratch files. Everything after that is made of what is held. */
static vv_status build_persist_sum(wl_run *r)
{
    vv_array *b = vv_sqrt(vv_exp(vv_sin(r->in[0]))), *mean = vv_mean(b, NULL);
    vv_status status = r->on_paper ? VV_OK : vv_persist(b);
    if (status == VV_OK) status = wl_result(r, "column", vv_mean(b, "y"), want_column, 5e-7);
    if (status == VV_OK) status = wl_result(r, "mean", mean, want_mean, 5e-7);
    if (status != VV_OK) return status;
    return wl_result(r, "spread", vv_mean(vv_absolute(vv_sub(b, mean)), "y"), want_spread, 1e-6);
}

const workload wl_persist_sum = {
    .name = "persist_sum",
    .story =
        "a costly expression of 1.8 x the memory is persisted, then reduced three times, once with an earlier outcome",
    .from = "coiled/benchmarks test_spill.py (persist, then sum)",
    .original = "square f64 of 1.8 x the cluster's memory, 64 GiB",
    .budget = 512 * MB,
    .input = {{.name = "q", .dim = {WL_DIM("y", 23000, 1000, 20), WL_DIM("x", 20000, 1000, 20)}}},
    .known = "column",
    .build = build_persist_sum,
};
