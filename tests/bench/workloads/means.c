/* Means of several variables and of their products: much input, one pass, small results. */
#include "workload.h"

#include <stdio.h>

#define MB 1000000

/* --- very many chunks --- */

/* The mean over the steps of a month of x to the power of `power`. */
static double monthly(const wl_run *r, int in, int power, const vv_index at[])
{
    double sum = 0;
    vv_index count = 0, p[4] = {0, at[1], at[2], at[3]};
    for (; p[0] < r->field[in].n[0]; p[0]++) {
        if (wl_month(r, in, p[0]) != at[0]) continue;
        double x = wl_at(r, in, p);
        sum += power == 2 ? x * x : x;
        count++;
    }
    return sum / (double)count;
}

#define MONTHLY(variable, number)                                                                                      \
    static double want_##variable(const wl_run *r, const vv_index at[])                                                \
    {                                                                                                                  \
        return monthly(r, number, 1, at);                                                                              \
    }                                                                                                                  \
    static double want_##variable##_squared(const wl_run *r, const vv_index at[])                                      \
    {                                                                                                                  \
        return monthly(r, number, 2, at);                                                                              \
    }
MONTHLY(temp, 0)
MONTHLY(salt, 1)
MONTHLY(u, 2)
MONTHLY(v, 3)

static vv_status build_many_chunks(wl_run *r)
{
    wl_want *const want[] = {want_temp, want_salt, want_u, want_v};
    wl_want *const squared[] = {want_temp_squared, want_salt_squared, want_u_squared, want_v_squared};
    vv_status status = VV_OK;
    for (int i = 0; i < r->n_in && status == VV_OK; i++) {
        char name[64];
        const char *variable = r->field[i].spec.name;
        vv_array *square = vv_group(vv_square(r->in[i]), "time.month");
        status = wl_result(r, variable, vv_mean(vv_group(r->in[i], "time.month"), "time"), want[i], 1e-7);
        snprintf(name, sizeof name, "%s_squared", variable);
        if (status == VV_OK) status = wl_result(r, name, vv_mean(square, "time"), squared[i], 2e-7);
    }
    return status;
}

#define OCEAN                                                                                                          \
    {WL_DIM("time", 1460, 1, 24), WL_DIM("depth", 50, 1, 3), WL_DIM("lat", 27, 0, 2), WL_DIM("lon", 36, 0, 2)},        \
        .stored = true, .hours = 120
const workload wl_many_chunks = {
    .name = "many_chunks",
    .story = "opens 292,000 chunks; monthly means of four variables and of their squares",
    .from = "pangeo-data/pangeo#266",
    .original = "four of (1460, 50, 2700, 3600) f32, chunks (1, 1, 2700, 3600), 292,000 chunks, 11.3 TB",
    .budget = 256 * MB,
    .input = {{.name = "temp", .dim = OCEAN},
              {.name = "salt", .dim = OCEAN},
              {.name = "u", .dim = OCEAN},
              {.name = "v", .dim = OCEAN}},
    .build = build_many_chunks,
};

/* --- quadratic means --- */

/* The mean over time of the product of some inputs: u, v, u * u, v * v, u * v. */
static double mean_product(const wl_run *r, int first, int second, const vv_index at[])
{
    double sum = 0;
    vv_index p[4] = {0, at[0], at[1], at[2]};
    for (; p[0] < r->field[0].n[0]; p[0]++) sum += wl_at(r, first, p) * (second < 0 ? 1 : wl_at(r, second, p));
    return sum / (double)r->field[0].n[0];
}

#define PRODUCT(name, first, second)                                                                                   \
    static double want_mean_##name(const wl_run *r, const vv_index at[])                                               \
    {                                                                                                                  \
        return mean_product(r, first, second, at);                                                                     \
    }
PRODUCT(u, 0, -1)
PRODUCT(v, 1, -1)
PRODUCT(uu, 0, 0)
PRODUCT(vv, 1, 1)
PRODUCT(uv, 0, 1)

static vv_status build_quadratic_means(wl_run *r)
{
    vv_array *u = r->in[0], *v = r->in[1];
    const struct {
        const char *name;
        vv_array *a;
        wl_want *want;
    } result[] = {{"u", u, want_mean_u},
                  {"v", v, want_mean_v},
                  {"u2", vv_square(u), want_mean_uu},
                  {"v2", vv_square(v), want_mean_vv},
                  {"uv", vv_mul(u, v), want_mean_uv}};
    vv_status status = VV_OK;
    for (size_t i = 0; i < sizeof result / sizeof *result && status == VV_OK; i++)
        status = wl_result(r, result[i].name, vv_mean(result[i].a, "time"), result[i].want, 2e-7);
    return status;
}

#define ANOMALY                                                                                                        \
    {WL_DIM("time", 1000, 10, 24), WL_DIM("face", 1, 1, 0), WL_DIM("lat", 360, 0, 6), WL_DIM("lon", 640, 0, 8)},       \
        .stored = true
const workload wl_quadratic_means = {
    .name = "quadratic_means",
    .story = "means over time of u, v, u * u, v * v, u * v, in one pass",
    .from = "pangeo-data/distributed-array-examples#2",
    .original = "u, v (5000, 1, 987, 1920) f64, chunks (10, 1, 987, 1920), 150 GB",
    .budget = 256 * MB,
    .input = {{.name = "u", .dim = ANOMALY}, {.name = "v", .dim = ANOMALY}},
    .build = build_quadratic_means,
};

/* --- transformed Eulerian mean --- */

static double zonal_mean(const wl_run *r, int in, vv_index p[])
{
    double sum = 0;
    vv_index n = r->field[in].n[3];
    for (p[3] = 0; p[3] < n; p[3]++) sum += wl_at(r, in, p);
    return sum / (double)n;
}

/* Of two variables: the zonal mean of the product of their deviations from their zonal means. */
static double zonal_flux(const wl_run *r, int first, int second, vv_index p[])
{
    double sum = 0, a = zonal_mean(r, first, p), b = zonal_mean(r, second, p);
    vv_index n = r->field[first].n[3];
    for (p[3] = 0; p[3] < n; p[3]++) sum += (wl_at(r, first, p) - a) * (wl_at(r, second, p) - b);
    return sum / (double)n;
}

static double daily(const wl_run *r, int first, int second, const vv_index at[])
{
    double sum = 0;
    vv_index count = 0, p[4] = {at[0] * 24, at[1], at[2], 0};
    for (; p[0] < r->field[0].n[0] && p[0] < at[0] * 24 + 24; p[0]++, count++)
        sum += second < 0 ? zonal_mean(r, first, p) : zonal_flux(r, first, second, p);
    return sum / (double)count;
}

enum { U, V, W, T };
#define DAILY(name, first, second)                                                                                     \
    static double want_daily_##name(const wl_run *r, const vv_index at[])                                              \
    {                                                                                                                  \
        return daily(r, first, second, at);                                                                            \
    }
DAILY(u, U, -1)
DAILY(v, V, -1)
DAILY(w, W, -1)
DAILY(t, T, -1)
DAILY(uv, U, V)
DAILY(vt, V, T)
DAILY(uw, U, W)

static vv_status add_daily(wl_run *r, const char *name, vv_array *a, wl_want *want)
{
    return wl_result(r, name, vv_mean(vv_group(a, "time.1D"), "time"), want, 3e-7);
}

static vv_status build_eulerian_mean(wl_run *r)
{
    static const struct {
        const char *name;
        int first, second;
        wl_want *want;
    } flux[] = {{"uv", U, V, want_daily_uv}, {"vt", V, T, want_daily_vt}, {"uw", U, W, want_daily_uw}};
    wl_want *const want[] = {want_daily_u, want_daily_v, want_daily_w, want_daily_t};
    vv_array *anomaly[WL_INPUTS];
    vv_status status = VV_OK;
    for (int i = 0; i < r->n_in && status == VV_OK; i++) {
        vv_array *mean = vv_mean(r->in[i], "lon");
        anomaly[i] = vv_sub(r->in[i], mean);
        status = add_daily(r, r->field[i].spec.name, mean, want[i]);
    }
    for (size_t k = 0; k < sizeof flux / sizeof *flux && status == VV_OK; k++) {
        vv_array *product = vv_mul(anomaly[flux[k].first], anomaly[flux[k].second]);
        status = add_daily(r, flux[k].name, vv_mean(product, "lon"), flux[k].want);
    }
    return status;
}

#define AIR                                                                                                            \
    {WL_DIM("time", 480, 24, 48), WL_DIM("level", 8, 1, 2), WL_DIM("lat", 91, 0, 5), WL_DIM("lon", 360, 0, 8)},        \
        .stored = true, .hours = 1
const workload wl_eulerian_mean = {
    .name = "eulerian_mean",
    .story = "transformed Eulerian mean: zonal means and fluxes of u, v, w, t by day",
    .from = "pangeo-data/distributed-array-examples#3",
    .original = "four of (175200, 37, 721, 1440) f64, chunks (24, 1, 721, 1440), 215 TB",
    .budget = 256 * MB,
    .input = {{.name = "u", .dim = AIR},
              {.name = "v", .dim = AIR},
              {.name = "w", .dim = AIR},
              {.name = "t", .dim = AIR}},
    .build = build_eulerian_mean,
};
