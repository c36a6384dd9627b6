#include "kernels/order/select.h"

#include "kernels/block/lanes.h"
#include "kernels/order/keys.h"
#include "kernels/order/quantile.h"

#include <math.h>
#include <string.h>

enum { RUN = 512 };

int vv_select_init(void *state, const void *data)
{
    (void)data;
    memset(state, 0, VV_SELECT_COUNTS * sizeof(int64_t));
    return 0;
}

/* Keys compare as signed numbers; turned, as unsigned ones. */
static uint64_t sign_of(vv_dtype in)
{
    return in == VV_F32 ? UINT64_C(1) << 31 : UINT64_C(1) << 63;
}

/* Turned keys of up to RUN elements without the missing ones, 64 bits each. */
static vv_index keys_of(vv_dtype in, vv_index n, const double *x, uint64_t key[])
{
    float narrow[RUN];
    uint32_t bits[RUN];
    vv_index valid;
    if (in == VV_F64) {
        valid = vv_keys_make(VV_F64, n, x, VV_KEYS_DROP, key, NULL);
    } else {
        for (vv_index i = 0; i < n; i++) narrow[i] = (float)x[i];
        valid = vv_keys_make(VV_F32, n, narrow, VV_KEYS_DROP, bits, NULL);
        for (vv_index i = 0; i < valid; i++) key[i] = bits[i];
    }
    for (vv_index i = 0; i < valid; i++) key[i] ^= sign_of(in);
    return valid;
}

static void count(const vv_selection *s, vv_index n, const uint64_t key[], const double *const prefix[],
                  int64_t counts[])
{
    int shift = VV_SELECT_BITS * (vv_select_passes(s->in) - 1 - s->pass);
    if (s->pass == 0) {
        for (vv_index i = 0; i < n; i++) counts[key[i] >> shift]++;
        return;
    }
    for (int k = 0; k < 2; k++, counts += VV_SELECT_BINS) {
        uint64_t begin = (uint64_t)prefix[k][0];
        for (vv_index i = 0; i < n; i++)
            if (key[i] >> (shift + VV_SELECT_BITS) == begin) counts[(key[i] >> shift) & (VV_SELECT_BINS - 1)]++;
    }
}

int vv_select_fold(void *state, vv_index n, const void *const in[], const void *data)
{
    const vv_selection *s = data;
    int64_t *counts = state;
    const double *x = in[0], *prefix[2] = {NULL, NULL};
    uint64_t key[RUN];
    for (int k = 0; k < 2 && s->pass > 0; k++) prefix[k] = in[1 + k];
    for (vv_index i = 0; i < n; i += RUN) {
        vv_index some = n - i < RUN ? n - i : RUN, valid = keys_of(s->in, some, x + i, key);
        count(s, valid, key, prefix, counts);
        counts[VV_SELECT_COUNTS - 1] += some - valid;
    }
    return 0;
}

int vv_select_combine(void *state, const void *later, const void *data)
{
    int64_t *to = state;
    const int64_t *from = later;
    (void)data;
    for (int i = 0; i < VV_SELECT_COUNTS; i++) to[i] += from[i];
    return 0;
}

int vv_select_finish(const void *state, void *out, const void *data)
{
    (void)data;
    memcpy(out, state, VV_SELECT_COUNTS * sizeof(int64_t));
    return 0;
}

/* --- what follows from counts --- */

/* Which ranks are wanted, when it is known how many elements there are. */
static void begin(const vv_selection *s, const int64_t counts[], double state[])
{
    vv_index n = 0;
    vv_quantile_place p = {0};
    for (int i = 0; i < VV_SELECT_BINS; i++) n += counts[i];
    bool none = n == 0 || (s->keep_nan && counts[VV_SELECT_COUNTS - 1] > 0);
    if (!none && s->how >= 0) p = vv_quantile_of(s->how, n, s->q);
    if (!none && s->how < 0) p.low = (n - 1) / 2;
    state[VV_SELECT_N] = none ? -1 : (double)n;
    state[VV_SELECT_WEIGHT] = p.weight;
    state[VV_SELECT_PREFIX] = state[VV_SELECT_NEXT_PREFIX] = 0;
    state[VV_SELECT_RANK] = (double)p.low;
    state[VV_SELECT_NEXT_RANK] = (double)(p.low + 1 < n ? p.low + 1 : p.low);
}

/* The next bits of the element, and its rank among those that have them. */
static uint64_t next_bits(const int64_t counts[], double *rank)
{
    vv_index left = (vv_index)*rank, bin = 0;
    while (bin < VV_SELECT_BINS - 1 && left >= counts[bin]) left -= counts[bin++];
    *rank = (double)left;
    return (uint64_t)bin;
}

static double value_of(const vv_selection *s, vv_index n, double weight, const uint64_t key[2])
{
    uint64_t two[2] = {key[0] ^ sign_of(s->in), key[1] ^ sign_of(s->in)};
    uint32_t narrow[2] = {(uint32_t)two[0], (uint32_t)two[1]};
    if (s->in == VV_F32) memcpy(two, narrow, sizeof narrow);
    if (s->how < 0) return vv_lane_middle(s->in, n, two);
    return vv_quantile_methods[s->how].picks ? vv_key_value(s->in, two, 0) : vv_lane_between(s->in, two, weight);
}

int vv_select_step(const void *const in[], void *out, const vv_index size[], const void *data)
{
    const vv_selection *s = data;
    const int64_t *counts = in[0];
    double state[VV_SELECT_STATE];
    uint64_t key[2];
    (void)size;
    if (s->pass == 0)
        begin(s, counts, state);
    else
        memcpy(state, in[1], sizeof state);
    bool none = state[VV_SELECT_N] < 0;
    for (int k = 0; k < 2 && !none; k++) {
        double *prefix = &state[k ? VV_SELECT_NEXT_PREFIX : VV_SELECT_PREFIX];
        const int64_t *own = counts + (s->pass > 0 ? k * VV_SELECT_BINS : 0);
        key[k] = (uint64_t)*prefix << VV_SELECT_BITS | next_bits(own, prefix + 1);
        *prefix = (double)key[k];
    }
    if (s->pass < vv_select_passes(s->in) - 1)
        memcpy(out, state, sizeof state);
    else
        *(double *)out = none ? (double)NAN : value_of(s, (vv_index)state[VV_SELECT_N], state[VV_SELECT_WEIGHT], key);
    return 0;
}
