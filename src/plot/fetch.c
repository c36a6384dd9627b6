/* Numbers for pictures. A picture has some thousand pixels, a field may have a hundred thousand cells along each side: blocks of cells are reduced to their means where
 * they are, in one plan for all panels, and only means travel to rank 0. Blocks are at least half as small as pixels, what is left is averaged when it is drawn. */
#include "plot/shown.h"

#include "base/mem.h"
#include "draw/ticks.h"
#include "varve/count.h"
#include "varve/move.h"
#include "varve/output.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { BINS = 40, LINE_POINTS = 2 }; /* points of a line for each pixel before it is reduced */

/* So many elements that at least `pixels` are left of n: a number that divides n, where there is one that leaves less than twice as many. */
static vv_index factor_of(vv_index n, double pixels)
{
    vv_index most = (vv_index)((double)n / fmax(pixels, 1));
    for (vv_index k = most; k > most / 2 && k > 1; k--)
        if (n % k == 0) return k;
    return most > 1 ? most : 1;
}

static vv_array *padded(vv_array *a, int d, vv_index factor)
{
    vv_index rest = a->shape.n[d] % factor;
    return rest ? vv_pad(a, a->dim[d], 0, factor - rest, "nan", 0) : a;
}

static vv_array *reduced(const vv_shown *s, const char *how)
{
    vv_array *a = s->array;
    vv_buf blocks = {0};
    for (int d = 0; d < a->shape.nd; d++) {
        if (s->factor[d] < 2) continue;
        vv_buf_printf(&blocks, "%s%s:%lld", blocks.size ? "," : "", a->dim[d], (long long)s->factor[d]);
        a = padded(a, d, s->factor[d]);
    }
    if (blocks.size && !blocks.failed) a = vv_coarsen(a, how, blocks.data, false);
    vv_buf_free(&blocks);
    return vv_astype(a, VV_F64);
}

static vv_status reduce_field(const vv_plotting *p, vv_shown *s)
{
    double pixels = p->width / floor(sqrt(p->n_panels)); /* of a panel, or more */
    for (int d = 0; d < 2; d++) s->factor[d] = factor_of(s->array->shape.n[d], pixels);
    s->reduced[0] = reduced(s, "mean");
    s->n_values = 1;
    VV_TRY(vv_array_status(s->reduced[0]));
    return s->grid.lat >= 0 ? vv_plot_reduce_grid(s) : VV_OK;
}

/* A long line is drawn as the mean of each stretch, in a band from its least value to its greatest. */
static vv_status reduce_line(const vv_plotting *p, vv_shown *s)
{
    static const char *const how[] = {"mean", "min", "max"};
    s->factor[0] = (vv_index)((double)s->array->shape.n[0] / (LINE_POINTS * fmax(p->width, 1)));
    if (s->factor[0] < 1) s->factor[0] = 1;
    s->n_values = s->factor[0] > 1 ? 3 : 1;
    for (int k = 0; k < s->n_values; k++) {
        s->reduced[k] = reduced(s, how[k]);
        VV_TRY(vv_array_status(s->reduced[k]));
    }
    return VV_OK;
}

/* --- histograms --- */

/* Bins of a round width that hold all values; several in a panel have the same. */
static vv_status find_bins(const vv_plotting *p, double lo, double hi, double **edge, vv_index *n)
{
    if (!(lo <= hi)) return vv_fail(VV_ERR_RUN, "there are no values to count: all are missing");
    if (!isfinite(lo) || !isfinite(hi))
        return vv_fail(VV_ERR_RUN, "values reach to infinity: give limits with vmin and vmax");
    if (lo == hi) lo -= 0.5, hi += 0.5;
    double step = vv_round_step(hi - lo, p->o->bins > 0 ? p->o->bins : BINS), first = floor(lo / step);
    bool exact = !isnan(p->o->vmin) && !isnan(p->o->vmax) && p->o->bins > 0;
    if (exact) step = (hi - lo) / p->o->bins, first = lo / step;
    *n = exact ? p->o->bins : (vv_index)(ceil(hi / step) - first);
    VV_TRY(vv_new(edge, (size_t)*n + 1, sizeof **edge));
    for (vv_index i = 0; i <= *n; i++) (*edge)[i] = (first + (double)i) * step;
    return VV_OK;
}

static vv_status find_range(const vv_plotting *p, double *lo, double *hi)
{
    vv_array *ask[2 * VV_PLOT_PANELS] = {NULL};
    double answer[2 * VV_PLOT_PANELS];
    void *buffer[2 * VV_PLOT_PANELS] = {NULL};
    vv_bytes bytes[2 * VV_PLOT_PANELS] = {0};
    int n = 0;
    for (int i = 0; i < p->n && n < 2 * VV_PLOT_PANELS; i++) {
        ask[n++] = vv_astype(vv_min(p->item[i].array, NULL), VV_F64);
        ask[n++] = vv_astype(vv_max(p->item[i].array, NULL), VV_F64);
    }
    for (int i = 0; i < n; i++) buffer[i] = &answer[i], bytes[i] = sizeof answer[i];
    VV_TRY(vv_compute_all(ask, buffer, bytes, n));
    *lo = INFINITY;
    *hi = -INFINITY;
    for (int i = 0; i < n; i += 2) *lo = fmin(*lo, answer[i]), *hi = fmax(*hi, answer[i + 1]);
    if (!isnan(p->o->vmin)) *lo = p->o->vmin;
    if (!isnan(p->o->vmax)) *hi = p->o->vmax;
    return VV_OK;
}

static vv_status reduce_histograms(vv_plotting *p)
{
    double lo, hi;
    if (isnan(p->o->vmin) || isnan(p->o->vmax))
        VV_TRY(find_range(p, &lo, &hi));
    else
        lo = p->o->vmin, hi = p->o->vmax;
    for (int i = 0; i < p->n; i++) {
        vv_shown *s = &p->item[i];
        vv_index n = 0;
        VV_TRY(find_bins(p, lo, hi, &s->edge, &n));
        vv_array *real = vv_astype(s->array, VV_F64);
        s->reduced[0] = vv_astype(vv_histogram(real, &(vv_bins){.n = n, .edges = s->edge}, NULL, NULL, false), VV_F64);
        s->n_values = 1;
        VV_TRY(vv_array_status(s->reduced[0]));
    }
    return VV_OK;
}

/* --- all --- */

vv_status vv_plot_reduce(vv_plotting *p)
{
    if (p->kind == VV_PLOT_HISTOGRAM) return reduce_histograms(p);
    for (int i = 0; i < p->n; i++) VV_TRY((p->kind == VV_PLOT_MAP ? reduce_field : reduce_line)(p, &p->item[i]));
    return VV_OK;
}

static vv_status compute(vv_plotting *p, vv_array **arrays, void **buffers, vv_bytes *bytes)
{
    int n = 0;
    for (int i = 0; i < p->n; i++)
        for (int k = 0; k < p->item[i].n_values; k++) {
            vv_shown *s = &p->item[i];
            vv_index count = vv_shape_elements(&s->reduced[k]->shape);
            VV_TRY(vv_new(&s->value[k], (size_t)(count > 0 ? count : 1), sizeof(double)));
            arrays[n] = s->reduced[k];
            buffers[n] = s->value[k];
            bytes[n++] = count * (vv_bytes)sizeof(double);
        }
    return vv_compute_all(arrays, buffers, bytes, n);
}

vv_status vv_plot_fetch(vv_plotting *p)
{
    vv_array **arrays = NULL;
    void **buffers = NULL;
    vv_bytes *bytes = NULL;
    size_t most = 3 * (size_t)p->n;
    vv_status status = vv_new(&arrays, most, sizeof *arrays);
    if (status == VV_OK) status = vv_new(&buffers, most, sizeof *buffers);
    if (status == VV_OK) status = vv_new(&bytes, most, sizeof *bytes);
    if (status == VV_OK) status = compute(p, arrays, buffers, bytes);
    free(arrays);
    free(buffers);
    free(bytes);
    return status;
}
