/* QR and singular values of a tall held matrix, in memory: tall qr|svd ROWS COLUMNS [INPUT]. Prints a line of JSON.
 *
 * INPUT is a file of ROWS x COLUMNS f64 elements, so that others can be given the same ones; without it they are random. What is measured is vv_persist() of all factors
 * when the matrix is held already. Then factors are checked: what is left of a - q r, and of q' q - 1. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <varve/varve.h>

enum { RUNS = 3 };

static vv_status largest(vv_array *x, double *out)
{
    return vv_compute(vv_max(vv_fabs(x), NULL), out, sizeof *out);
}

static vv_status errors(vv_session *s, vv_array *a, vv_array *left, vv_array *right, double *residual, double *slant)
{
    char dims[64];
    vv_array *again = vv_rename(left, "k", "l"), *gram = vv_matmul(left, again, "row");
    snprintf(dims, sizeof dims, "k:%lld,l:%lld", (long long)vv_array_length(left, 1),
             (long long)vv_array_length(left, 1));
    vv_status status = largest(vv_sub(vv_matmul(left, right, "k"), a), residual);
    return status == VV_OK ? largest(vv_sub(gram, vv_eye(s, dims, 0, VV_F64)), slant) : status;
}

static double *read_all(const char *path, vv_index n)
{
    FILE *f = fopen(path, "rb");
    double *x = malloc((size_t)n * sizeof *x);
    bool whole = f && x && fread(x, sizeof *x, (size_t)n, f) == (size_t)n;
    if (f) (void)fclose(f);
    if (whole) return x;
    free(x);
    return NULL;
}

static vv_status measure(vv_session *s, vv_array *a, bool svd)
{
    vv_array *factor[3], *right;
    vv_run_stats stats;
    double best = INFINITY, residual, slant;
    vv_status status = vv_persist(a);
    for (int i = 0; i < RUNS && status == VV_OK; i++) {
        if (svd)
            vv_svd(a, "k", &factor[0], &factor[1], &factor[2]);
        else
            vv_qr(a, "k", &factor[0], &factor[1]);
        if (i > 0) vv_unpersist(factor[0]);
        status = vv_persist_all(factor, svd ? 3 : 2);
        vv_session_stats(s, &stats);
        best = fmin(best, stats.seconds);
        if (i + 1 < RUNS)
            for (int k = 0; k < (svd ? 3 : 2); k++) vv_release(&factor[k]);
    }
    if (status != VV_OK) return status;
    right = svd ? vv_mul(factor[1], factor[2]) : factor[1];
    status = errors(s, a, factor[0], right, &residual, &slant);
    if (status != VV_OK) return status;
    printf("{\"seconds\": %.6f, \"moved\": %lld, \"peak\": %lld, \"residual\": %.3g, \"slant\": %.3g, \"values\": [",
           best, (long long)stats.moved, (long long)stats.peak, residual, slant);
    vv_index n = svd ? vv_array_length(factor[1], 0) : 0;
    double *values = malloc((size_t)(n + 1) * sizeof *values);
    if (values && svd) status = vv_compute(factor[1], values, n * (vv_bytes)sizeof *values);
    for (vv_index i = 0; i < n && values; i++) printf(i ? ", %.17g" : "%.17g", values[i]);
    printf("]}\n");
    free(values);
    return status;
}

static int driver(vv_session *s, int argc, char **argv)
{
    char dims[64];
    vv_index rows = argc > 3 ? atoll(argv[2]) : 0, columns = argc > 3 ? atoll(argv[3]) : 0;
    if (rows < columns || columns < 1 || (strcmp(argv[1], "qr") != 0 && strcmp(argv[1], "svd") != 0)) {
        fprintf(stderr, "tall qr|svd ROWS COLUMNS [INPUT]\n");
        return VV_ERR_USAGE;
    }
    snprintf(dims, sizeof dims, "row:%lld,column:%lld", (long long)rows, (long long)columns);
    double *given = argc > 4 ? read_all(argv[4], rows * columns) : NULL;
    if (argc > 4 && !given) {
        fprintf(stderr, "tall: %s is no file of %lld elements\n", argv[4], (long long)(rows * columns));
        return VV_ERR_READ;
    }
    vv_array *a =
        given ? vv_from_buffer(s, dims, NULL, VV_F64, given) : vv_random_array(s, "normal", dims, NULL, 1, VV_F64);
    vv_status status = measure(s, a, !strcmp(argv[1], "svd"));
    if (status != VV_OK) fprintf(stderr, "tall: %s\n", vv_last_error());
    free(given);
    return status;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}
