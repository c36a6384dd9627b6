/* 07: functions of your own along a dimension: trends, and what goes with what.
 *
 *     mpirun -n 2 ./07_along_time t2m.nc t2m
 *
 * Expected output, with the dataset of examples/make_climate.py:
 *
 *     t2m (lat: 91, lon: 180) f32, ...
 *     mean trend ... K per year
 *     slope (lat: 91, lon: 180) f64, ...
 *     goes most with the global mean: ... K per K, correlated by ...
 *
 * vv_apply_along_axis() calls a function with all elements along one dimension, at every position of the others. The file has its chunks the other
 * way round; what has to be moved is moved, within the memory that there is.
 *
 * vv_apply_gufunc() is the same for several arrays: "(time),(time)->()" says which dimensions the function gets whole, and what it makes of them. All
 * other dimensions are broadcast: here (lat, lon, time) goes with (time). vv_apply_gufuncs() has several results of one call, each an array of its own. */
#include <math.h>
#include <stdio.h>
#include <varve/varve.h>

/* The slope of a straight line through the elements that are there. */
static double slope(vv_index n, const double x[], const float y[])
{
    double m = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (vv_index i = 0; i < n; i++) {
        if (isnan(y[i])) continue;
        double at = x ? x[i] : (double)i, value = (double)y[i];
        m += 1;
        sx += at;
        sy += value;
        sxx += at * at;
        sxy += at * value;
    }
    return (m * sxy - sx * sy) / (m * sxx - sx * sx);
}

static int trend(const void *in, vv_index n, void *out, vv_index n_out, const void *data)
{
    (void)n_out;
    *(float *)out = (float)(slope(n, NULL, in) * *(const double *)data);
    return 0;
}

/* Two results: the slope, and how much of the variance the line has. */
static int regression(const void *const in[], void *const out[], const vv_index size[], const void *data)
{
    const float *y = in[0];
    const double *x = in[1];
    double m = 0, mean[2] = {0, 0}, var[2] = {0, 0}, by = slope(size[0], x, y);
    (void)data;
    for (vv_index i = 0; i < size[0]; i++) {
        if (isnan(y[i])) continue;
        double apart[2] = {x[i] - mean[0], (double)y[i] - mean[1]};
        m += 1;
        for (int k = 0; k < 2; k++) {
            mean[k] += apart[k] / m;
            var[k] += apart[k] * apart[k] * (m - 1) / m;
        }
    }
    *(double *)out[0] = by;
    *(double *)out[1] = by * sqrt(var[0] / var[1]);
    return 0;
}

static int driver(vv_session *s, int argc, char **argv)
{
    if (argc != 3) return vv_error(VV_ERR_USAGE, "usage: %s FILE VARIABLE", argv[0]);
    const double days = 365.25;
    char text[200];
    vv_array *t = vv_open(s, argv[1], argv[2]);

    vv_array *trends =
        vv_apply_along_axis(trend, t, "time", &(vv_apply_options){.data = &days, .data_size = sizeof days});
    float mean;
    vv_status status = vv_compute(vv_mean(trends, NULL), &mean, sizeof mean);
    if (status != VV_OK) return status;
    printf("%s\nmean trend %.3f K per year\n", vv_describe(trends, text, sizeof text), (double)mean);

    vv_array *global = vv_astype(vv_mean(t, "lat,lon"), VV_F64);
    vv_array *with[2], *most[2];
    double found[2];
    vv_apply_gufuncs(s, regression, "(time),(time)->(),()", (vv_array *[]){t, global}, 2, (vv_dtype[]){VV_F64, VV_F64},
                     with, 2, &(vv_apply_options){.name = "slope,correlation"});
    for (int k = 0; k < 2; k++) most[k] = vv_max(with[k], NULL);
    status = vv_compute_all(most, (void *[]){&found[0], &found[1]}, (vv_bytes[]){sizeof(double), sizeof(double)}, 2);
    if (status != VV_OK) return status;
    printf("%s\ngoes most with the global mean: %.3f K per K, correlated by %.3f\n",
           vv_describe(with[0], text, sizeof text), found[0], found[1]);
    return VV_OK;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}
