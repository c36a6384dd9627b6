/* 09: the patterns that vary most (EOFs), by singular values.
 *
 *     mpirun -n 2 ./09_modes t2m.nc t2m modes.nc
 *
 * Expected output, with the dataset of examples/make_climate.py:
 *
 *     matrix (time: 1096, cell: 16380), 71.8 MB
 *     mode 1: 74.8 % of the variance
 *     mode 2: 0.4 % of the variance
 *     mode 3: 0.4 % of the variance
 *     orthogonal to ... of 1
 *     saved modes.nc
 *
 * A field over time is a matrix, a row for each time and a column for each cell of the map; cells count by their area. Its singular values say how much of the variance
 * a pattern explains, its right vectors are the patterns, its left ones how strong each is at every time.
 *
 * Of a thousand singular values three are wanted: vv_svd_compressed() finds these by products with a few random vectors, always the same for a seed, and factors what is
 * thin. vv_svd() would find all of them, exactly, of matrices of which one side is short. */
#include <math.h>
#include <stdio.h>
#include <varve/varve.h>

enum { MODES = 3 };

/* Anomalies, times the root of each cell's area; missing values are 0, which is no anomaly. */
static vv_array *weighted_anomalies(vv_array *field, vv_array *lat)
{
    vv_array *anomaly = vv_nan_to_zero(vv_sub(field, vv_mean(field, "time")));
    vv_array *area = vv_cos(vv_radians(lat));
    return vv_mul(anomaly, vv_astype(vv_sqrt(area), vv_array_dtype(field)));
}

static vv_status shares(vv_session *s, vv_array *matrix, vv_array *value, vv_array *pattern)
{
    double share[MODES], slant;
    vv_array *variance = vv_sum(vv_square(vv_astype(matrix, VV_F64)), NULL);
    vv_array *part = vv_divide(vv_square(vv_astype(value, VV_F64)), variance);
    vv_array *gram = vv_astype(vv_matmul(pattern, vv_rename(pattern, "mode", "other"), "cell"), VV_F64);
    vv_array *off = vv_max(vv_fabs(vv_sub(gram, vv_eye(s, "mode:3,other:3", 0, VV_F64))), NULL);
    vv_status status = vv_compute(part, share, sizeof share);
    if (status == VV_OK) status = vv_compute(off, &slant, sizeof slant);
    for (int i = 0; i < MODES && status == VV_OK; i++)
        printf("mode %d: %.1f %% of the variance\n", i + 1, 100 * share[i]);
    if (status == VV_OK) printf("orthogonal to %.1g of 1\n", slant);
    return status;
}

static int driver(vv_session *s, int argc, char **argv)
{
    char dims[64], size[32];
    vv_array *strength, *value, *pattern;
    if (argc != 4) return vv_error(VV_ERR_USAGE, "usage: %s FILE VARIABLE OUTPUT", argv[0]);

    vv_array *field = vv_open(s, argv[1], argv[2]);
    vv_array *matrix = vv_reshape(weighted_anomalies(field, vv_open(s, argv[1], "lat")), "time:1096,cell:-1");
    vv_svd_compressed(matrix, "mode", MODES, 2, 1, &strength, &value, &pattern);
    vv_status status = vv_persist_all((vv_array *[]){matrix, strength, value, pattern}, 4);
    if (status != VV_OK) return status;
    vv_index times = vv_array_length(matrix, 0), cells = vv_array_length(matrix, 1);
    printf("matrix (time: %lld, cell: %lld), %s\n", (long long)times, (long long)cells,
           vv_format_bytes(times * cells * vv_dtype_size(vv_array_dtype(matrix)), size));
    status = shares(s, matrix, value, pattern);
    if (status != VV_OK) return status;

    snprintf(dims, sizeof dims, "mode:%d,lat:%lld,lon:%lld", MODES, (long long)vv_array_length(field, 1),
             (long long)vv_array_length(field, 2));
    vv_save_options options = VV_SAVE_OPTIONS_INIT;
    options.overwrite = true;
    status = vv_save(vv_reshape(pattern, dims), argv[3], &options);
    if (status == VV_OK) printf("saved %s\n", argv[3]);
    return status;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}
