#include "kernels/order/quantile_weighted.h"

#include "base/index.h"
#include "base/mem.h"
#include "base/status.h"
#include "kernels/order/keys.h"
#include "kernels/order/quantile.h"

#include <math.h>
#include <string.h>

/* A lane in order: values that are there and have a weight. */
typedef struct lane {
    vv_index n;
    double *x, *w; /* w: shares of all weight */
    double effective;
    char *block; /* what holds all of this and the keys */
} lane;

/* The place among n* values, counted from 1, as the plain definitions have it among n. */
static double place_of(int method, double n, double q)
{
    double h = vv_quantile_methods[method].at(n, q) + 1;
    return h < 1 ? 1 : h > n ? n : h;
}

bool vv_quantile_takes_weights(int method)
{
    const vv_quantile_method *m = &vv_quantile_methods[method];
    return !m->picks && !m->whole && strcmp(m->name, "midpoint") != 0;
}

vv_bytes vv_quantile_weighted_scratch(vv_index n)
{
    return vv_times(n, 6 * (vv_bytes)sizeof(double)) + 64;
}

/* Weights that are missing, or 0, are none. */
static vv_status valid(vv_index n, const double *x, const double *w, bool keep_nan, lane *l, bool *missing)
{
    *missing = false;
    for (vv_index i = 0; i < n; i++) {
        if (w[i] < 0) return vv_fail(VV_ERR_RUN, "a weight is negative: %g", w[i]);
        if (isnan(x[i])) {
            *missing = *missing || keep_nan;
        } else if (w[i] > 0) {
            l->x[l->n] = x[i];
            l->w[l->n++] = w[i];
        }
    }
    return VV_OK;
}

/* Sorts what there is, by keys that carry the places of the weights. */
static void sort(lane *l, vv_index room)
{
    uint64_t *keys = (uint64_t *)(void *)(l->w + room), *spare = keys + room;
    int32_t *tag = (int32_t *)(void *)(spare + room), *tag_room = tag + room;
    double *weights = (double *)(void *)(tag_room + room);
    double sum = 0, squares = 0;
    vv_keys_make(VV_F64, l->n, l->x, VV_KEYS_LAST, keys, tag);
    vv_keys_sort(VV_F64, l->n, keys, spare, tag, tag_room);
    memcpy(weights, l->w, (size_t)l->n * sizeof *weights);
    for (vv_index i = 0; i < l->n; i++) {
        l->x[i] = vv_key_value(VV_F64, keys, i);
        l->w[i] = weights[tag[i]];
        sum += l->w[i];
        squares += l->w[i] * l->w[i];
    }
    for (vv_index i = 0; i < l->n; i++) l->w[i] /= sum;
    l->effective = sum * sum / squares;
}

static double within(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

/* The mean of the values between (h - 1) / n* and h / n* of the weight. */
static double one(const lane *l, int method, double q)
{
    double n = l->effective, h = place_of(method, n, q), low = (h - 1) / n, high = h / n, upto = 0, sum = 0;
    double before = within(0, low, high);
    for (vv_index i = 0; i < l->n && upto < high; i++) {
        upto = i + 1 < l->n ? upto + l->w[i] : fmax(1, high);
        double now = within(upto, low, high);
        sum += l->x[i] * ((now - before) * n);
        before = now;
    }
    return sum;
}

int vv_quantile_weighted(const void *const in[], void *out, const vv_index size[], const void *data)
{
    const vv_quantile_told *told = data;
    vv_index n = 1;
    bool missing;
    double *to = out;
    lane l = {0};
    for (int d = 0; d < told->n_core; d++) n *= size[d];
    if (n > INT32_MAX) return vv_fail(VV_ERR_UNSUPPORTED, "%lld weighted values in a lane", (long long)n);
    VV_TRY(vv_mem_get(&l.block, vv_quantile_weighted_scratch(n), "a lane with weights"));
    l.x = (double *)(void *)l.block;
    l.w = l.x + n;
    vv_status status = valid(n, in[0], in[1], told->keep_nan, &l, &missing);
    if (status == VV_OK && !missing && l.n > 0) sort(&l, n);
    for (vv_index i = 0; i < told->n; i++)
        to[i] = missing || l.n == 0 ? (double)NAN : one(&l, (int)told->method, told->q[i]);
    vv_mem_put(&l.block);
    return status;
}
