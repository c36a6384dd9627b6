/* Groups of a time axis: climatologies, anomalies, and the statistics made of them. */
#include "workload.h"

#include <math.h>
#include <stdlib.h>

#define MB 1000000

/* The mean of input `in` over the steps of its first dimension for which `group` of a step is g; the other positions stand in p[1..]. */
typedef vv_index group_of(const wl_run *r, vv_index step);

static double group_mean(const wl_run *r, int in, group_of *group, vv_index g, vv_index p[])
{
    double sum = 0;
    vv_index count = 0;
    for (vv_index t = 0; t < r->field[in].n[0]; t++) {
        if (group(r, t) != g) continue;
        p[0] = t;
        sum += wl_at(r, in, p);
        count++;
    }
    return sum / (double)count;
}

static vv_index by_day_of_year(const wl_run *r, vv_index step)
{
    return wl_day_of_year(r, 0, step);
}

static vv_index by_week(const wl_run *r, vv_index step)
{
    return wl_day(r, 0, step) / 7;
}

/* --- the mean of anomalies --- */

static vv_index anomaly_groups(const wl_run *r)
{
    return r->field[0].n[0] / 20;
}

static vv_index by_remainder(const wl_run *r, vv_index step)
{
    return step % anomaly_groups(r);
}

/* The mean over time of the anomalies' values or, `spread`, of their sizes. */
static double anomaly_statistic(const wl_run *r, vv_index x, bool spread)
{
    double total = 0;
    for (vv_index g = 0; g < anomaly_groups(r); g++) {
        vv_index p[2] = {0, x};
        double mean = group_mean(r, 0, by_remainder, g, p);
        for (p[0] = g; p[0] < r->field[0].n[0]; p[0] += anomaly_groups(r)) {
            double anomaly = wl_at(r, 0, p) - mean;
            total += spread ? fabs(anomaly) : anomaly;
        }
    }
    return total / (double)r->field[0].n[0];
}

static double want_anomaly_mean(const wl_run *r, const vv_index at[])
{
    return anomaly_statistic(r, at[0], false);
}

static double want_anomaly_size(const wl_run *r, const vv_index at[])
{
    return anomaly_statistic(r, at[0], true);
}

/* The mean itself is 0 but for rounding; that of the anomalies' sizes tells more, and is made in the same pass. */
static vv_status build_anomaly_mean(wl_run *r)
{
    vv_index n = r->field[0].n[0], groups = anomaly_groups(r), *label = calloc((size_t)n, sizeof *label);
    if (!label) return vv_error(VV_ERR_NOMEM, "no memory for labels");
    for (vv_index t = 0; t < n; t++) label[t] = t % groups;
    vv_array *x = vv_group_labels(r->in[0], "time", label, n, groups, "day", NULL);
    free(label);
    vv_array *anomaly = vv_ungroup(vv_sub(x, vv_mean(x, "time")));
    vv_status status = wl_result(r, "mean", vv_mean(anomaly, "time"), want_anomaly_mean, 3e-7);
    if (status != VV_OK) return status;
    return wl_result(r, "size", vv_mean(vv_absolute(anomaly), "time"), want_anomaly_size, 3e-7);
}

const workload wl_anomaly_mean = {
    .name = "anomaly_mean",
    .story = "anomalies from the means of groups, and their mean",
    .from = "distributed#2602",
    .original = "(10000, 1e6) f64, chunks (1, 1e6), 100 groups, 80 GB",
    .budget = 512 * MB,
    .input = {{.name = "q", .dim = {WL_DIM("time", 2000, 1, 60), WL_DIM("x", 250000, 0, 50)}, .stored = true}},
    .build = build_anomaly_mean,
};

/* --- climatic mean of an ensemble --- */

static double want_ensemble_mean(const wl_run *r, const vv_index at[])
{
    double sum = 0;
    vv_index count = 0, p[6] = {at[0], 0, at[2], at[3], at[4], at[5]};
    for (; p[1] < r->field[0].n[1]; p[1]++) {
        if (wl_month(r, 0, p[1]) != at[1]) continue;
        sum += wl_at(r, 0, p);
        count++;
    }
    return sum / (double)count;
}

static vv_status build_ensemble_mean(wl_run *r)
{
    vv_array *mean = vv_mean(vv_group(r->in[0], "time.month"), "time");
    return wl_result(r, "climate", mean, want_ensemble_mean, 1e-7);
}

const workload wl_ensemble_mean = {
    .name = "ensemble_mean",
    .story = "climatic mean by month of an ensemble of forecasts in six dimensions",
    .from = "distributed#2602, coiled/benchmarks test_array.py",
    .original = "(28, 237, 48, 21, 90, 144) f64, chunks (1, 1, 48, 21, 90, 144), 690 GB",
    .budget = 512 * MB,
    .input = {{.name = "q",
               .dim = {WL_DIM("ensemble", 8, 1, 2), WL_DIM("time", 237, 1, 40), WL_DIM("lat", 12, 0, 3),
                       WL_DIM("lead", 21, 0, 4), WL_DIM("level", 15, 0, 4), WL_DIM("lon", 36, 0, 6)}}},
    .build = build_ensemble_mean,
};

/* --- the variance of weekly anomalies --- */

static double weekly_variance(const wl_run *r, int in, const vv_index at[])
{
    double total = 0;
    vv_index n = r->field[in].n[0];
    for (vv_index g = 0; g * 7 < n; g++) {
        vv_index p[4] = {0, at[0], at[1], at[2]};
        double mean = group_mean(r, in, by_week, g, p);
        for (p[0] = g * 7; p[0] < n && p[0] < g * 7 + 7; p[0]++) total += pow(wl_at(r, in, p) - mean, 2);
    }
    return total / (double)n;
}

static double want_variance_u(const wl_run *r, const vv_index at[])
{
    return weekly_variance(r, 0, at);
}

static double want_variance_v(const wl_run *r, const vv_index at[])
{
    return weekly_variance(r, 1, at);
}

static double want_variance_w(const wl_run *r, const vv_index at[])
{
    return weekly_variance(r, 2, at);
}

static vv_status build_weekly_variance(wl_run *r)
{
    wl_want *const want[] = {want_variance_u, want_variance_v, want_variance_w};
    vv_status status = VV_OK;
    for (int i = 0; i < r->n_in && status == VV_OK; i++) {
        vv_array *x = vv_group(r->in[i], "time.7D");
        vv_array *anomaly = vv_ungroup(vv_sub(x, vv_mean(x, "time")));
        status = wl_result(r, r->field[i].spec.name, vv_mean(vv_square(anomaly), "time"), want[i], 3e-7);
    }
    return status;
}

#define WEEKLY                                                                                                         \
    {                                                                                                                  \
        WL_DIM("time", 336, 1, 21), WL_DIM("depth", 5, 1, 0), WL_DIM("lat", 360, 0, 4), WL_DIM("lon", 180, 0, 5)       \
    }
const workload wl_weekly_variance = {
    .name = "weekly_variance",
    .story = "anomalies of u, v, w from weekly means, and their variance",
    .from = "xarray#1832",
    .original = "three of (336, 5, 1800, 360) f64, chunks (1, 1, 1800, 360), 26 GB",
    .budget = 512 * MB,
    .input = {{.name = "u", .dim = WEEKLY, .stored = true},
              {.name = "v", .dim = WEEKLY, .stored = true},
              {.name = "w", .dim = WEEKLY, .stored = true}},
    .build = build_weekly_variance,
};

/* --- days of the year --- */

static double want_day_mean(const wl_run *r, const vv_index at[])
{
    vv_index p[3] = {0, at[1], at[2]};
    return group_mean(r, 0, by_day_of_year, at[0], p);
}

static vv_status build_day_mean(wl_run *r)
{
    vv_array *mean = vv_mean(vv_group(r->in[0], "time.dayofyear"), "time");
    return wl_result(r, "sst", mean, want_day_mean, 1e-7);
}

const workload wl_oisst_dayofyear = {
    .name = "oisst_dayofyear",
    .story = "the mean of each day of the year of daily sea surface temperatures",
    .from = "users of OISST on xarray",
    .original = "(14532, 720, 1440) f32, chunks (1, 720, 1440), 60 GB",
    .budget = 512 * MB,
    .input = {{.name = "sst",
               .dim = {WL_DIM("time", 1461, 1, 400), WL_DIM("lat", 360, 0, 4), WL_DIM("lon", 720, 0, 6)},
               .stored = true}},
    .build = build_day_mean,
};

static double want_day_anomaly(const wl_run *r, const vv_index at[])
{
    vv_index p[3] = {0, at[1], at[2]};
    return wl_at(r, 0, at) - group_mean(r, 0, by_day_of_year, by_day_of_year(r, at[0]), p);
}

static vv_status build_hourly_anomalies(wl_run *r)
{
    vv_array *x = vv_group(r->in[0], "time.dayofyear");
    return wl_result(r, "anomaly", vv_ungroup(vv_sub(x, vv_mean(x, "time"))), want_day_anomaly, 2e-7);
}

const workload wl_hourly_anomalies = {
    .name = "hourly_anomalies",
    .story = "anomalies of hourly data from the mean of each day of the year, all written",
    .from = "pangeo-data/distributed-array-examples#4",
    .original = "ERA5, hourly since 1979, (n, 721, 1440) f32, chunks (31, 721, 1440), 1.5 TB a variable",
    .budget = 512 * MB,
    .input = {{.name = "t2m",
               .dim = {WL_DIM("time", 17520, 31, 100), WL_DIM("lat", 91, 0, 4), WL_DIM("lon", 180, 0, 5)},
               .stored = true,
               .hours = 1}},
    .build = build_hourly_anomalies,
};

/* --- a smooth climatology --- */

enum { HALF = 30, WINDOW = 2 * HALF + 1 };

static double weight(int i)
{
    return HALF + 1 - abs(i - HALF);
}

static double want_weighted_climatology(const wl_run *r, const vv_index at[])
{
    double sum = 0, weights = 0;
    vv_index days = 0;
    for (vv_index t = 0; t < r->field[0].n[0] && days < 366; t++)
        days = fmax((double)days, wl_day_of_year(r, 0, t) + 1);
    for (int i = 0; i < WINDOW; i++) {
        vv_index p[3] = {0, at[1], at[2]};
        sum += weight(i) * group_mean(r, 0, by_day_of_year, (at[0] + i - HALF + days) % days, p);
        weights += weight(i);
    }
    return sum / weights;
}

static vv_status build_weighted_climatology(wl_run *r)
{
    double weights[WINDOW];
    for (int i = 0; i < WINDOW; i++) weights[i] = weight(i);
    vv_array *mean = vv_mean(vv_group(r->in[0], "time.dayofyear"), "time");
    vv_array *smooth = vv_convolve(vv_pad(mean, "dayofyear", HALF, HALF, "wrap", 0), "dayofyear", weights, WINDOW);
    return wl_result(r, "climatology", vv_slice(smooth, "dayofyear", HALF, -HALF, 1), want_weighted_climatology, 3e-7);
}

const workload wl_weighted_climatology = {
    .name = "weighted_climatology",
    .story =
        "the mean of each day of the year, smoothed over 61 days with triangular weights across the turn of the year",
    .from = "coiled/benchmarks#1552 (WeatherBench 2)",
    .original = "ERA5 of 1990-2020, 6-hourly, (45000, 721, 1440) f32 a variable, 190 GB each",
    .budget = 512 * MB,
    .input = {{.name = "t2m",
               .dim = {WL_DIM("time", 11688, 8, 1460), WL_DIM("lat", 121, 0, 3), WL_DIM("lon", 240, 0, 4)},
               .stored = true,
               .hours = 6}},
    .build = build_weighted_climatology,
};
