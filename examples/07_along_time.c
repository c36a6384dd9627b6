/* 07: functions of your own along a dimension: trends, and what goes with what.
 *
 *     mpirun -n 2 ./07_along_time t2m.nc t2m
 *
 * Expected output, with the dataset of examples/make_climate.py:
 *
 *     t2m (lat: 91, lon: 180) f32, ...
 *     mean trend ... K per year
 *     t2m (lat: 91, lon: 180) f64, ...
 *     goes most with the global mean: ... K per K
 *
 * vv_apply_along_axis() calls a function with all elements along one dimension, at every position of the others. The file has its chunks the other
 * way round; what has to be moved is moved, within the memory that there is.
 *
 * vv_apply_gufunc() is the same for several arrays: "(time),(time)->()" says which dimensions the function gets whole, and what it makes of them. All
 * other dimensions are broadcast: here (lat, lon, time) goes with (time). */
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

static int regression(const void *const in[], void *out, const vv_index size[], const void *data)
{
    (void)data;
    *(double *)out = slope(size[0], in[1], in[0]);
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
    vv_array *with = vv_apply_gufunc(s, regression, "(time),(time)->()", (vv_array *[]){t, global}, 2,
                                     &(vv_apply_options){.dtype = VV_F64});
    double most;
    status = vv_compute(vv_max(with, NULL), &most, sizeof most);
    if (status != VV_OK) return status;
    printf("%s\ngoes most with the global mean: %.3f K per K\n", vv_describe(with, text, sizeof text), most);
    return VV_OK;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}
