/* Counting in bins: histograms along any number of axes, and bincount, whose bins are the elements themselves.
 *
 * Both make the number of its bin of each element of a tile first, -1 for none, and count then. The state of a cell is a number for each bin: counts and totals
 * of integers are exact; a total of reals is a sum and what rounding lost from it, as in total.c.
 *
 * Where edges are about as far apart from each other as linspace makes them, the bin of an element follows from its value, but for rounding: the edges decide. Else
 * it is searched for. */
#include "kernels/clones.h"
#include "kernels/reductions/fold.h"

#include <math.h>
#include <string.h>

/* --- which bin --- */

VV_KERNEL void even_body(vv_index n, const double *restrict x, vv_index bins, const double *edge, int32_t *restrict bin)
{
    double lo = edge[0], hi = edge[bins], scale = (double)bins / (hi - lo);
    int32_t last = (int32_t)bins - 1;
    for (vv_index i = 0; i < n; i++) {
        bool in = (x[i] >= lo) & (x[i] <= hi);
        double place = in ? (x[i] - lo) * scale : 0;
        int32_t at = (int32_t)place;
        at = at < last ? at : last;
        at += (x[i] >= edge[at + 1]) & (at < last);
        at -= x[i] < edge[at];
        bin[i] = in ? at : -1;
    }
}
VV_CLONES(even, even_body, (vv_index n, const double *x, vv_index bins, const double *edge, int32_t *bin),
          (n, x, bins, edge, bin))

/* The last edge that is not above x begins its bin; the last of all begins none. */
static void search(vv_index n, const double x[], vv_index bins, const double edge[], int32_t bin[])
{
    for (vv_index i = 0; i < n; i++) {
        vv_index low = 0, length = bins;
        while (length > 1) {
            vv_index half = length / 2;
            low = edge[low + half] <= x[i] ? low + half : low;
            length -= half;
        }
        bin[i] = x[i] >= edge[0] && x[i] <= edge[bins] ? (int32_t)low : -1;
    }
}

static void find_bins(const vv_red_spec *s, vv_index n, const void *const x[], int32_t bin[])
{
    int32_t along[VV_TILE];
    const double *edge = s->edge;
    for (int k = 0; k < s->n_axes; edge += s->n_bins[k++] + 1) {
        int32_t *to = k ? along : bin;
        if (s->even[k])
            even[vv_cpu()](n, x[k], s->n_bins[k], edge, to);
        else
            search(n, x[k], s->n_bins[k], edge, to);
        for (vv_index i = 0; k && i < n; i++)
            bin[i] = (bin[i] | along[i]) < 0 ? -1 : bin[i] * (int32_t)s->n_bins[k] + along[i];
    }
}

enum { NEGATIVE = 1, TOO_LARGE };

static void own_bins(const vv_red_spec *s, vv_red_head *head, vv_index n, const int64_t x[], int32_t bin[])
{
    for (vv_index i = 0; i < n; i++) {
        bool in = x[i] >= 0 && x[i] < s->length;
        bin[i] = in ? (int32_t)x[i] : -1;
        if (in || head->failed) continue;
        head->failed = x[i] < 0 ? NEGATIVE : TOO_LARGE;
        head->detail = x[i];
    }
}

/* --- counting --- */

static vv_dtype weight_of(const vv_red_spec *s)
{
    int first = s->n_axes ? s->n_axes : 1;
    return s->n_values > first ? s->type[first] : VV_NONE;
}

/* A sum, and what rounding lost from it. */
typedef struct total {
    double sum, lost;
} total;

static void add(total *t, double x)
{
    double sum = t->sum + x, part = sum - t->sum;
    t->lost += (t->sum - (sum - part)) + (x - part);
    t->sum = sum;
}

/* stride: bytes from the cell of one element to that of the next one. */
static void count(vv_index n, const int32_t bin[], char *cell, vv_bytes stride)
{
    for (vv_index i = 0; i < n; i++, cell += stride)
        if (bin[i] >= 0) ((uint64_t *)(void *)cell)[bin[i]]++;
}

static void add_integers(vv_index n, const int32_t bin[], const uint64_t w[], char *cell, vv_bytes stride)
{
    for (vv_index i = 0; i < n; i++, cell += stride)
        if (bin[i] >= 0) ((uint64_t *)(void *)cell)[bin[i]] += w[i];
}

static void add_reals(vv_index n, const int32_t bin[], const double w[], char *cell, vv_bytes stride)
{
    for (vv_index i = 0; i < n; i++, cell += stride)
        if (bin[i] >= 0) add(&((total *)(void *)cell)[bin[i]], w[i]);
}

static void fold(const vv_red *r, vv_red_head *head, void *states, vv_index first, vv_index step, vv_index n,
                 const void *const x[])
{
    const vv_red_spec *s = r->spec;
    vv_dtype weight = weight_of(s);
    int32_t bin[VV_TILE];
    char *cell = (char *)states + first * s->state;
    vv_bytes stride = step * s->state;
    for (vv_index at = 0; at < n; at += VV_TILE, cell += VV_TILE * stride) {
        const void *values[VV_RED_VALUES];
        vv_index some = vv_imin(VV_TILE, n - at);
        for (int k = 0; k < s->n_values; k++) values[k] = (const char *)x[k] + at * 8;
        if (s->n_axes)
            find_bins(s, some, values, bin);
        else
            own_bins(s, head, some, values[0], bin);
        if (weight == VV_NONE)
            count(some, bin, cell, stride);
        else if (weight == VV_F64)
            add_reals(some, bin, values[s->n_values - 1], cell, stride);
        else
            add_integers(some, bin, values[s->n_values - 1], cell, stride);
    }
}

static void init(const vv_red *r, vv_index cells, void *const planes[])
{
    memset(planes[0], 0, (size_t)(cells * r->spec->state));
}

static void combine(const vv_red *r, vv_index cells, const vv_red_head *lh, void *const left[], const void *lmissing,
                    const vv_red_head *rh, void *const right[], const void *rmissing)
{
    vv_index n = cells * r->spec->length;
    (void)lh, (void)rh, (void)lmissing, (void)rmissing;
    if (weight_of(r->spec) != VV_F64) {
        for (vv_index i = 0; i < n; i++) ((uint64_t *)left[0])[i] += ((const uint64_t *)right[0])[i];
        return;
    }
    total *to = left[0];
    const total *from = right[0];
    for (vv_index i = 0; i < n; i++) {
        add(&to[i], from[i].sum);
        to[i].lost += from[i].lost;
    }
}

static void finish(const vv_red *r, vv_index cells, const vv_red_head *head, void *const planes[], const void *missing,
                   void *out)
{
    vv_index n = cells * r->spec->length;
    (void)head, (void)missing;
    if (weight_of(r->spec) != VV_F64) {
        memcpy(out, planes[0], 8 * (size_t)n);
        return;
    }
    const total *from = planes[0];
    for (vv_index i = 0; i < n; i++)
        ((double *)out)[i] = isfinite(from[i].sum) ? from[i].sum + from[i].lost : from[i].sum;
}

static vv_status failure(const vv_red *r, const vv_red_head *head)
{
    if (head->failed == NEGATIVE)
        return vv_fail(VV_ERR_USAGE, "bincount of a negative number, %lld", (long long)head->detail);
    return vv_fail(VV_ERR_USAGE, "bincount of %lld, for which %lld counts have no room", (long long)head->detail,
                   (long long)r->spec->length);
}

const vv_reduction vv_reduction_histogram = {.name = "histogram",
                                             .help = "counts in bins",
                                             .told = VV_TOLD_BINS,
                                             .init = init,
                                             .fold = fold,
                                             .combine = combine,
                                             .finish = finish};
const vv_reduction vv_reduction_bincount = {.name = "bincount",
                                            .help = "how often each number occurs",
                                            .told = VV_TOLD_NUMBERS,
                                            .init = init,
                                            .fold = fold,
                                            .combine = combine,
                                            .finish = finish,
                                            .failure = failure};
