/* Weighted windows along one dimension: sum of w * x over sum of w, of the valid elements. There is no way around a multiplication per weight; what can be
 * saved is memory: columns are taken in tiles, so that the rows of a window stay in the cache from one output row to the next. Rows that
 * are shorter than a tile are one long row: an output element sees the elements at 0, columns, 2 * columns ... behind it either way. */
#include "base/index.h"
#include "kernels/block/kernels.h"
#include "kernels/clones.h"

#include <math.h>

enum { TILE = 512 };

/* out[i] from x[i + k * apart], k < n_weights. */
typedef struct taps {
    vv_index n_weights, apart;
    const double *weight;
    double least;
} taps;

#define WEIGHTED(name, type)                                                                                           \
    VV_KERNEL void has_nan_##name##_body(vv_index n, const type *x, int *found)                                        \
    {                                                                                                                  \
        int any = 0;                                                                                                   \
        for (vv_index i = 0; i < n; i++) any |= x[i] != x[i];                                                          \
        *found = any;                                                                                                  \
    }                                                                                                                  \
    VV_KERNEL void whole_##name##_body(const taps *t, vv_index n, const type *x, double *out)                          \
    {                                                                                                                  \
        _Alignas(64) double sum[TILE] = {0};                                                                           \
        double total = 0;                                                                                              \
        for (vv_index k = 0; k < t->n_weights; k++) {                                                                  \
            const double w = t->weight[k];                                                                             \
            const type *f = x + k * t->apart;                                                                          \
            total += w;                                                                                                \
            for (vv_index i = 0; i < n; i++) sum[i] += w * (double)f[i];                                               \
        }                                                                                                              \
        const bool enough = (double)t->n_weights >= t->least;                                                          \
        for (vv_index i = 0; i < n; i++) out[i] = enough ? sum[i] / total : (double)NAN;                               \
    }                                                                                                                  \
    VV_KERNEL void holes_##name##_body(const taps *t, vv_index n, const type *x, double *out)                          \
    {                                                                                                                  \
        _Alignas(64) double sum[TILE] = {0}, total[TILE] = {0}, count[TILE] = {0};                                     \
        for (vv_index k = 0; k < t->n_weights; k++) {                                                                  \
            const double w = t->weight[k];                                                                             \
            const type *f = x + k * t->apart;                                                                          \
            for (vv_index i = 0; i < n; i++) {                                                                         \
                bool valid = f[i] == f[i];                                                                             \
                sum[i] += valid ? w * (double)f[i] : 0.0;                                                              \
                total[i] += valid ? w : 0.0;                                                                           \
                count[i] += valid ? 1.0 : 0.0;                                                                         \
            }                                                                                                          \
        }                                                                                                              \
        for (vv_index i = 0; i < n; i++) out[i] = count[i] >= t->least ? sum[i] / total[i] : (double)NAN;              \
    }                                                                                                                  \
    VV_CLONES(has_nan_##name, has_nan_##name##_body, (vv_index n, const void *x, int *found), (n, x, found))           \
    VV_CLONES(whole_##name, whole_##name##_body, (const taps *t, vv_index n, const void *x, double *out),              \
              (t, n, x, out))                                                                                          \
    VV_CLONES(holes_##name, holes_##name##_body, (const taps *t, vv_index n, const void *x, double *out),              \
              (t, n, x, out))
WEIGHTED(f32, float)
WEIGHTED(f64, double)

/* rows x columns of outputs, rows + n_weights - 1 rows of inputs. */
static void one_panel(const taps *t, vv_dtype in, vv_index rows, vv_index columns, const char *x, double *out)
{
    vv_bytes size = vv_dtype_size(in);
    int holes = 0;
    (in == VV_F32 ? has_nan_f32 : has_nan_f64)[vv_cpu()]((rows + t->n_weights - 1) * columns, x, &holes);
    if (columns < TILE) {
        columns *= rows;
        rows = 1;
    }
    for (vv_index at = 0; at < columns; at += TILE) {
        vv_index n = vv_imin(TILE, columns - at);
        for (vv_index row = 0; row < rows; row++) {
            const char *f = x + (row * columns + at) * size;
            double *to = out + row * columns + at;
            if (holes)
                (in == VV_F32 ? holes_f32 : holes_f64)[vv_cpu()](t, n, f, to);
            else
                (in == VV_F32 ? whole_f32 : whole_f64)[vv_cpu()](t, n, f, to);
        }
    }
}

VV_BLOCK_RUN(vv_window_weighted)
{
    (void)workspace;
    vv_index outer = 1, columns = 1;
    for (int d = 0; d < c->axis; d++) outer *= n_in[d];
    for (int d = c->axis + 1; d < nd; d++) columns *= n_in[d];
    if (outer * columns * n_out[c->axis] == 0) return;
    double least = c->keep_nan ? (double)c->n_weights : fmax((double)c->min_count, 1);
    const taps t = {c->n_weights, columns, c->weight, least};
    for (vv_index a = 0; a < outer; a++)
        one_panel(&t, in, n_out[c->axis], columns, (const char *)from + a * n_in[c->axis] * columns * vv_dtype_size(in),
                  (double *)to + a * n_out[c->axis] * columns);
}

VV_BLOCK_WORKSPACE(vv_window_weighted_workspace)
{
    (void)c, (void)in, (void)nd, (void)n_in, (void)n_out;
    return 0;
}
