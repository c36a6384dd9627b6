/* Smoothing of what goes round: the days of a year, after whose last the first comes again. */
#include "array/linalg/linalg.h"
#include "varve/analysis.h"
#include "varve/move.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 1464 }; /* six hours of a year: beyond that a matrix of waves is no longer handy */

/* In the shape, with the labels and attributes of what was smoothed. */
static vv_array *like(vv_array *made, vv_array *a, int d)
{
    vv_dtype type = a->dtype == VV_F32 ? VV_F32 : VV_F64;
    return vv_describe_as(vv_node_labelled_as(vv_moveaxis(vv_astype(made, type), a->dim[d], d), a), a);
}

/* --- harmonics --- */

/* Row i has what each of n values adds to the mean and the first `most` waves at i. */
static vv_status wave_matrix(vv_index n, int most, double **out)
{
    VV_TRY(vv_new(out, (size_t)(n * n), sizeof **out));
    for (vv_index lag = 0; lag < n; lag++) {
        double sum = 1;
        for (int k = 1; k <= most; k++) {
            double turn = (double)(k * lag % n) / (double)n;
            sum += (2 * k == n ? 1 : 2) * cos(2 * M_PI * turn);
        }
        for (vv_index i = 0; i < n; i++) (*out)[i * n + (i + lag) % n] = sum / (double)n;
    }
    return VV_OK;
}

/* The matrix goes with the array that it makes: its numbers are one dimension's, shown as two. */
static vv_array *waves(const vv_array *a, int d, int most)
{
    char shape[300];
    double *matrix;
    vv_index n = a->shape.n[d];
    if (wave_matrix(n, most, &matrix) != VV_OK) return vv_node_inert(a->context);
    (void)snprintf(shape, sizeof shape, "%.200s:%lld,of_:%lld", a->dim[d], (long long)n, (long long)n);
    vv_array *flat = vv_node_listed(a->context, "flat_", n * n, matrix, VV_F64, VV_F64);
    free(matrix);
    return vv_reshape(flat, shape);
}

static vv_status check(vv_array *a, const char *dim, vv_index n, const char *what, int *d)
{
    VV_TRY(vv_array_status(a));
    VV_TRY(vv_node_find_dim(a, dim, d));
    vv_index length = a->shape.n[*d];
    if (n < 1 || n > length)
        return vv_fail(VV_ERR_USAGE, "%lld %s of '%s', which has %lld along '%s'", (long long)n, what, a->name,
                       (long long)length, dim);
    return VV_OK;
}

vv_array *vv_harmonics(vv_array *a, const char *dim, int n)
{
    int d = 0;
    vv_status status = check(a, dim, (vv_index)n * 2, "harmonics (as sines and cosines)", &d);
    if (status == VV_OK && a->shape.n[d] > MOST)
        status = vv_fail(VV_ERR_UNSUPPORTED, "harmonics of '%s', which has %lld along '%s': at most %d", a->name,
                         (long long)a->shape.n[d], dim, MOST);
    if (status != VV_OK) return vv_node_inert(a->context);
    vv_making m = vv_making_begin(a->context);
    vv_array *real = vv_node_as_real(a), *wide = vv_astype(real, VV_F64);
    vv_release(&real);
    vv_array *made = like(vv_matmul(waves(a, d, n), vv_rename(wide, dim, "of_"), "of_"), a, d);
    vv_making_end(&m, (vv_array * *const[]){&made}, 1, vv_array_status(made));
    return made;
}

/* --- windows --- */

vv_array *vv_circular_mean(vv_array *a, const char *dim, vv_index n)
{
    int d = 0;
    char window[300];
    if (check(a, dim, n, "neighbours", &d) != VV_OK) return vv_node_inert(a->context);
    const vv_window_options o = {.centered = true, .min_count = 1};
    vv_index before = n / 2, after = (n - 1) / 2;
    vv_making m = vv_making_begin(a->context);
    (void)snprintf(window, sizeof window, "%.250s:%lld", dim, (long long)n);
    vv_array *round = vv_pad(a, dim, before, after, "wrap", 0), *mean = vv_window(round, "mean", window, &o);
    vv_array *made = like(vv_slice(mean, dim, before, before + a->shape.n[d], 1), a, d);
    vv_making_end(&m, (vv_array * *const[]){&made}, 1, vv_array_status(made));
    return made;
}
