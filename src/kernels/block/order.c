/* What order decides: medians, quantiles, sorted lanes, the greatest and the least.
 *
 * A lane becomes keys (keys.h). Few ranks are selected, for which the lane is never sorted; many are looked up in the sorted lane. Places are those in the
 * lane, and of equal values the earlier one comes first. */
#include "kernels/block/lanes.h"
#include "kernels/order/keys.h"
#include "kernels/order/quantile.h"

#include <math.h>
#include <string.h>

/* From so many quantiles on the lane is sorted. */
enum { MANY = 5 };

/* Keys of the lane's values without the missing ones; -1 where one is missing and that counts. */
static vv_index valid_keys(const vv_lane *l)
{
    if (l->call->keep_nan && vv_dtype_is_float(l->in) && vv_count_nan(l->in, l->n, l->x) > 0) return -1;
    return vv_keys_make(l->in, l->n, l->x, VV_KEYS_DROP, l->keys, NULL);
}

/* The keys numbered `low` and low + 1 of n in order, at two[]. */
static void two_at(const vv_lane *l, vv_index n, vv_index low, bool sorted, uint64_t two[2])
{
    vv_bytes size = vv_key_size(l->in);
    if (!sorted) {
        vv_keys_select(l->in, n, l->keys, low, l->room, two);
        return;
    }
    const char *keys = l->keys;
    memcpy(two, keys + low * size, (size_t)size);
    memcpy((char *)two + size, keys + (low + 1 < n ? low + 1 : low) * size, (size_t)size);
}

/* The difference has the type of the elements, as in NumPy: f32 rounds, integers are exact. */
static double difference(vv_dtype in, const uint64_t two[2])
{
    if (in == VV_F32) return (double)((float)vv_key_value(in, two, 1) - (float)vv_key_value(in, two, 0));
    if (in == VV_F64) return vv_key_value(in, two, 1) - vv_key_value(in, two, 0);
    return (double)(two[1] - two[0]);
}

double vv_lane_between(vv_dtype in, const uint64_t two[2], double weight)
{
    double low = vv_key_value(in, two, 0), high = vv_key_value(in, two, 1), apart = difference(in, two);
    if (weight == 0) return low;
    return weight < 0.5 ? low + apart * weight : high - apart * (1 - weight);
}

double vv_lane_middle(vv_dtype in, vv_index n, const uint64_t two[2])
{
    double low = vv_key_value(in, two, 0), high = vv_key_value(in, two, 1);
    if (n % 2) return low;
    return in == VV_F32 ? (double)(((float)low + (float)high) / 2) : (low + high) / 2;
}

static void median(const vv_lane *l)
{
    uint64_t two[2];
    vv_index n = valid_keys(l);
    if (n > 0) two_at(l, n, (n - 1) / 2, false, two);
    vv_lane_put(l, 0, n > 0 ? vv_lane_middle(l->in, n, two) : (double)NAN);
}

/* Each quantile of n keys to `put`. */
typedef void put_quantile(const vv_lane *l, vv_index i, const uint64_t two[2], double weight);

static void quantiles(const vv_lane *l, put_quantile *put)
{
    const vv_block_call *c = l->call;
    uint64_t two[2];
    vv_index n = valid_keys(l);
    bool sorted = n > 0 && c->n_weights >= MANY;
    if (sorted) vv_keys_sort(l->in, n, l->keys, l->room, NULL, NULL);
    for (vv_index i = 0; i < c->n_weights; i++) {
        if (n <= 0) {
            put(l, i, NULL, 0);
            continue;
        }
        vv_quantile_place p = vv_quantile_of(c->how, n, c->weight[i]);
        two_at(l, n, p.low, sorted, two);
        put(l, i, two, p.weight);
    }
}

static void put_between(const vv_lane *l, vv_index i, const uint64_t two[2], double weight)
{
    vv_lane_put(l, i, two ? vv_lane_between(l->in, two, weight) : (double)NAN);
}

void vv_lane_put_element(const vv_lane *l, vv_index i, const uint64_t two[2])
{
    if (two)
        vv_key_store(l->in, two, 0, l->out + 8 * i * l->stride);
    else if (vv_dtype_is_float(l->in))
        vv_lane_put(l, i, (double)NAN);
    else
        vv_lane_put_integer(l, i, 0);
}

static void put_picked(const vv_lane *l, vv_index i, const uint64_t two[2], double weight)
{
    (void)weight;
    vv_lane_put_element(l, i, two);
}

static void quantile(const vv_lane *l)
{
    quantiles(l, put_between);
}

static void pick(const vv_lane *l)
{
    quantiles(l, put_picked);
}

/* --- sorted lanes --- */

static void sort(const vv_lane *l)
{
    if (vv_dtype_is_complex(l->in)) {
        (void)vv_lane_order_complex(l, false);
        for (vv_index i = 0; i < l->n; i++) vv_lane_put_complex(l, i, l->tag[0][i]);
        return;
    }
    vv_index n = vv_keys_make(l->in, l->n, l->x, VV_KEYS_LAST, l->keys, NULL);
    vv_keys_sort(l->in, n, l->keys, l->room, NULL, NULL);
    for (vv_index i = 0; i < n; i++) vv_key_store(l->in, l->keys, i, l->out + 8 * i * l->stride);
}

static void argsort(const vv_lane *l)
{
    if (vv_dtype_is_complex(l->in))
        (void)vv_lane_order_complex(l, false);
    else
        vv_keys_sort(l->in, vv_keys_make(l->in, l->n, l->x, VV_KEYS_LAST, l->keys, l->tag[0]), l->keys, l->room,
                     l->tag[0], l->tag[1]);
    for (vv_index i = 0; i < l->n; i++) vv_lane_put_integer(l, i, l->tag[0][i]);
}

/* Sorted from the best on, with places or without; the number of values that are not missing. Missing ones never count. */
static vv_index best_first(const vv_lane *l, bool places)
{
    if (vv_dtype_is_complex(l->in)) return vv_lane_order_complex(l, !l->call->how);
    vv_index n = vv_keys_make(l->in, l->n, l->x, VV_KEYS_DROP, l->keys, places ? l->tag[0] : NULL);
    if (!l->call->how) vv_keys_turn(l->in, n, l->keys);
    vv_keys_sort(l->in, n, l->keys, l->room, places ? l->tag[0] : NULL, places ? l->tag[1] : NULL);
    if (!l->call->how) vv_keys_turn(l->in, n, l->keys);
    return n;
}

static void topk(const vv_lane *l)
{
    vv_index n = best_first(l, false);
    for (vv_index i = 0; i < l->call->length; i++)
        if (vv_dtype_is_complex(l->in))
            vv_lane_put_complex(l, i, i < n ? l->tag[0][i] : -1);
        else if (i < n)
            vv_key_store(l->in, l->keys, i, l->out + 8 * i * l->stride);
        else
            vv_lane_put_element(l, i, NULL);
}

static void argtopk(const vv_lane *l)
{
    vv_index n = best_first(l, true);
    for (vv_index i = 0; i < l->call->length; i++) vv_lane_put_integer(l, i, i < n ? l->tag[0][i] : -1);
}

#define OPERATION(name)                                                                                                \
    VV_BLOCK_RUN(vv_lanes_##name)                                                                                      \
    {                                                                                                                  \
        (void)n_out;                                                                                                   \
        vv_lanes_run(c, in, nd, n_in, from, to, workspace, name);                                                      \
    }
OPERATION(median)
OPERATION(quantile)
OPERATION(pick)
OPERATION(sort)
OPERATION(argsort)
OPERATION(topk)
OPERATION(argtopk)
