/* Medians and quantiles group by group: a lane's elements belong to groups, of which they may be in several (windows of days around each day of the year), or in none.
 *
 * Groups are small and there are many: 366 of 150 elements for each of 64,800 lanes. So LINE bytes of neighbouring lanes are worked on side by side, one line an element. A group's
 * elements become keys (keys.h), and the key of a rank is found bit by bit, from the highest bit in which any two of its keys differ: how many keys are less than what is known of it with the
 * next bit set? That takes some twenty passes without a branch over what the first-level cache holds; which lanes share a line shows in no result. A group of more than
 * MANY elements is selected from lane by lane, as lanes without groups are.
 *
 * The table of a call (c->weight): n_q quantiles (none of a median), where the members of each group begin, and where those of the last one end, and the members: positions
 * along dimension c->axis. Of several dimensions in a lane all elements at such a position are members. Results are a group's behind those of the one before, quantile by quantile. */
#include "kernels/block/lanes.h"
#include "kernels/clones.h"
#include "kernels/order/keys.h"
#include "kernels/order/quantile.h"

#include "base/index.h"

#include <math.h>
#include <string.h>

enum { LINE = 64, MOST_LANES = LINE / 4, VECTOR = 32, HALVES = LINE / VECTOR, MANY = 8192 };

/* --- the table --- */

static const double *begins(const vv_block_call *c)
{
    return c->weight + c->first;
}

static const double *members(const vv_block_call *c)
{
    return begins(c) + c->groups + 1;
}

static vv_index group_size(const vv_block_call *c, vv_index g)
{
    return (vv_index)(begins(c)[g + 1] - begins(c)[g]);
}

static bool whole_within(double x, double low, double high)
{
    return x >= low && x <= high && x == floor(x);
}

bool vv_lanes_group_fits(const vv_block_call *c, vv_index n)
{
    if (c->groups < 1 || c->length < 1 || c->length % c->groups || !c->weight || c->extent < 1 || n % c->extent)
        return false;
    if (c->first < 0 || c->length / c->groups != vv_imax(1, c->first)) return false;
    vv_index listed = c->n_weights - c->first - c->groups - 1;
    if (listed < 0 || c->how < 0 || c->how >= vv_n_quantile_methods) return false;
    for (vv_index i = 0; i < c->first; i++)
        if (!(c->weight[i] >= 0 && c->weight[i] <= 1)) return false;
    for (vv_index g = 0; g <= c->groups; g++)
        if (!whole_within(begins(c)[g], g ? begins(c)[g - 1] : 0, (double)listed)) return false;
    for (vv_index i = 0; i < listed; i++)
        if (!whole_within(members(c)[i], 0, (double)(c->extent - 1))) return false;
    return true;
}

/* --- a vector of lanes --- */

/* The keys at ranks rank[lane] and, behind them, at the next ones, of n vectors of keys. gaps: the greatest key of all stands for what is missing, and is never asked for. */
typedef void select_lanes(vv_index n, bool gaps, const void *keys, const void *rank, void *low, void *high);

#define CHOICE(which, x, y) (((which) & (x)) | (~(which) & (y)))
/* Half a line at a time, which is a vector of most machines: compilers take wider ones to pieces. */
#define SELECT(bits, key, ukey, LEAST, MOST, clz)                                                                      \
    typedef key vector_##bits __attribute__((vector_size(VECTOR)));                                                    \
    VV_KERNEL void half_##bits(vv_index n, bool gaps, const vector_##bits *x, const vector_##bits *rank,               \
                               vector_##bits *low, vector_##bits *high)                                                \
    {                                                                                                                  \
        const vector_##bits none = {0}, flip = none + LEAST, r = *rank, all = none - !gaps;                            \
        vector_##bits least = none + MOST, most = none + LEAST, above = none + MOST, le = none;                        \
        ukey differ = 0;                                                                                               \
        for (vv_index i = 0; i < n; i++, x += HALVES) {                                                                \
            least = CHOICE(*x < least, *x, least);                                                                     \
            most = CHOICE((*x > most) & ((*x != MOST) | all), *x, most);                                               \
        }                                                                                                              \
        x -= n * HALVES;                                                                                               \
        most = CHOICE(most < least, least, most);                                                                      \
        for (int k = 0; k < VECTOR / (int)sizeof(key); k++) differ |= (ukey)(least[k] ^ most[k]);                      \
        int top = differ ? bits - clz(differ) : 0;                                                                     \
        ukey below = top < bits ? ((ukey)1 << top) - 1 : (ukey)-1;                                                     \
        vector_##bits known = (least ^ flip) & (none + (key)~below);                                                   \
        for (int b = top - 1; b >= 0; b--) {                                                                           \
            vector_##bits with = known | (none + (key)((ukey)1 << b)), at = with ^ flip, count = none;                 \
            for (vv_index i = 0; i < n; i++) count -= x[i * HALVES] < at;                                              \
            known = CHOICE(count <= r, with, known);                                                                   \
        }                                                                                                              \
        known ^= flip;                                                                                                 \
        for (vv_index i = 0; i < n; i++, x += HALVES) {                                                                \
            le -= *x <= known;                                                                                         \
            above = CHOICE((*x > known) & (*x < above), *x, above);                                                    \
        }                                                                                                              \
        *low = known;                                                                                                  \
        *high = CHOICE(le > r + 1, known, above);                                                                      \
    }                                                                                                                  \
    VV_KERNEL void select_##bits##_body(vv_index n, bool gaps, const void *keys, const void *rank, void *low,          \
                                        void *high)                                                                    \
    {                                                                                                                  \
        const vector_##bits *x = keys, *r = rank;                                                                      \
        for (int p = 0; p < HALVES; p++)                                                                               \
            half_##bits(n, gaps, x + p, r + p, (vector_##bits *)low + p, (vector_##bits *)high + p);                   \
    }                                                                                                                  \
    VV_CLONES(select_##bits, select_##bits##_body,                                                                     \
              (vv_index n, bool gaps, const void *keys, const void *rank, void *low, void *high),                      \
              (n, gaps, keys, rank, low, high))
SELECT(32, int32_t, uint32_t, INT32_MIN, INT32_MAX, __builtin_clz)
SELECT(64, int64_t, uint64_t, INT64_MIN, INT64_MAX, __builtin_clzll)

/* --- groups at work --- */

typedef struct work {
    const vv_block_call *call;
    vv_dtype in;
    vv_bytes size;                /* of an element, and of its key */
    vv_index lanes;               /* side by side */
    vv_index apart, beside;       /* elements of the input between positions of the groups, and between lanes */
    vv_index n_around, *around;   /* of a lane's other dimensions: where their elements are */
    vv_index out_apart, out_lane; /* elements of the result between groups and quantiles, and between lanes */
    char *raw, *keys;             /* of a group, a line for each of its elements */
    char *lane, *room;            /* of one lane with many elements */
} work;

/* Where things are in the workspace; how large that is. */
static vv_bytes arrange(const vv_block_call *c, vv_dtype in, vv_index n, work *w, char *at)
{
    vv_index most = 1;
    for (vv_index g = 0; g < c->groups; g++) most = vv_imax(most, group_size(c, g));
    *w = (work){.call = c, .in = in, .size = vv_key_size(in), .n_around = n / c->extent};
    w->lanes = LINE / w->size;
    most = vv_times(most, w->n_around);
    vv_bytes lines = vv_times(most, LINE), around = vv_times(w->n_around + 7, 8) / LINE * LINE + LINE;
    vv_bytes one = most > MANY ? vv_times(most, w->size) / LINE * LINE + LINE : 0;
    w->around = (vv_index *)(void *)at;
    w->raw = at + around;
    w->keys = w->raw + lines;
    w->lane = w->keys + lines;
    w->room = w->lane + one;
    return vv_times(2, lines) + around + vv_times(3, one) + LINE;
}

VV_BLOCK_WORKSPACE(vv_lanes_group_workspace)
{
    work w;
    vv_index n = 1;
    (void)n_out;
    for (int d = 0; d < nd; d++)
        if (c->along[d]) n = vv_times(n, n_in[d]);
    return arrange(c, in, n, &w, NULL);
}

static void gather(const work *w, const char *from, vv_index some, char *to)
{
    for (vv_index k = 0; k < some && w->beside != 1; k++, from += w->beside * w->size, to += w->size)
        memcpy(to, from, (size_t)w->size);
    if (w->beside == 1) memcpy(to, from, (size_t)(some * w->size));
}

/* Keys of a group's elements in so many lanes, which begin at `from`; how many elements there are. */
static vv_index collect(const work *w, vv_index g, const char *from, vv_index some)
{
    const double *member = members(w->call) + (vv_index)begins(w->call)[g];
    vv_index n = group_size(w->call, g), at = 0;
    if (some < w->lanes) memset(w->raw, 0, (size_t)(n * w->n_around * LINE));
    for (vv_index i = 0; i < n; i++)
        for (vv_index k = 0; k < w->n_around; k++, at++)
            gather(w, from + ((vv_index)member[i] * w->apart + w->around[k]) * w->size, some, w->raw + at * LINE);
    vv_keys_make(w->in, at * w->lanes, w->raw, VV_KEYS_LAST, w->keys, NULL);
    return at;
}

/* How many elements of each lane there are; 0 where one is missing and that counts. */
static void count_valid(const work *w, vv_index n, vv_index valid[])
{
    for (vv_index k = 0; k < w->lanes; k++) valid[k] = n;
    if (!vv_dtype_is_float(w->in) || vv_count_nan(w->in, n * w->lanes, w->raw) == 0) return;
    for (vv_index i = 0; i < n; i++)
        for (vv_index k = 0; k < w->lanes; k++) valid[k] -= vv_count_nan(w->in, 1, w->raw + i * LINE + k * w->size) > 0;
    for (vv_index k = 0; k < w->lanes && w->call->keep_nan; k++)
        if (valid[k] < n) valid[k] = 0;
}

/* two[k]: the keys at place[k].low and the next one. */
static void select_all(const work *w, vv_index n, const vv_quantile_place place[], uint64_t two[][2])
{
    _Alignas(LINE) char rank[LINE] = {0}, low[LINE], high[LINE];
    for (vv_index k = 0; k < w->lanes; k++) {
        int64_t wide = place[k].low;
        int32_t narrow = (int32_t)place[k].low;
        memcpy(rank + k * w->size, w->size == 4 ? (const void *)&narrow : (const void *)&wide, (size_t)w->size);
    }
    (w->size == 4 ? select_32 : select_64)[vv_cpu()](n, vv_dtype_is_float(w->in), w->keys, rank, low, high);
    for (vv_index k = 0; k < w->lanes; k++) {
        memcpy(two[k], low + k * w->size, (size_t)w->size);
        memcpy((char *)two[k] + w->size, high + k * w->size, (size_t)w->size);
    }
}

/* Lane by lane. Missing keys are the greatest, and never reached. */
static void select_each(const work *w, vv_index n, vv_index some, const vv_quantile_place place[], uint64_t two[][2])
{
    for (vv_index k = 0; k < some; k++) {
        for (vv_index i = 0; i < n; i++)
            memcpy(w->lane + i * w->size, w->keys + i * LINE + k * w->size, (size_t)w->size);
        vv_keys_select(w->in, n, w->lane, place[k].low, w->room, two[k]);
    }
}

/* What becomes of lane k's elements: `valid` of them, of which two lie around the place. */
typedef void put_result(const vv_lane *l, vv_index valid, const uint64_t two[2], double weight);

static void put_median(const vv_lane *l, vv_index valid, const uint64_t two[2], double weight)
{
    (void)weight;
    vv_lane_put(l, 0, two ? vv_lane_middle(l->in, valid, two) : (double)NAN);
}

static void put_between(const vv_lane *l, vv_index valid, const uint64_t two[2], double weight)
{
    (void)valid;
    vv_lane_put(l, 0, two ? vv_lane_between(l->in, two, weight) : (double)NAN);
}

static void put_element(const vv_lane *l, vv_index valid, const uint64_t two[2], double weight)
{
    (void)valid, (void)weight;
    vv_lane_put_element(l, 0, two);
}

/* One quantile (-1: the median) of a group in so many lanes. */
static void one_quantile(const work *w, vv_index n, vv_index some, const vv_index valid[], vv_index q, put_result *put,
                         char *out)
{
    vv_quantile_place place[MOST_LANES] = {{0}};
    uint64_t two[MOST_LANES][2];
    bool any = false;
    for (vv_index k = 0; k < some; k++) {
        if (valid[k] == 0) continue;
        any = true;
        if (q < 0)
            place[k].low = (valid[k] - 1) / 2;
        else if (k > 0 && valid[k] == valid[k - 1])
            place[k] = place[k - 1];
        else
            place[k] = vv_quantile_of(w->call->how, valid[k], w->call->weight[q]);
    }
    if (any && n > MANY)
        select_each(w, n, some, place, two);
    else if (any)
        select_all(w, n, place, two);
    for (vv_index k = 0; k < some; k++, out += 8 * w->out_lane) {
        vv_lane lane = {.call = w->call, .in = w->in, .out = out};
        if (place[k].low + 1 >= valid[k] && valid[k] > 0)
            memcpy((char *)two[k] + w->size, two[k], (size_t)w->size); /* there is no next one */
        put(&lane, valid[k], valid[k] > 0 ? two[k] : NULL, place[k].weight);
    }
}

static void all_groups(const work *w, const char *from, char *out, vv_index some, put_result *put)
{
    const vv_block_call *c = w->call;
    vv_index valid[MOST_LANES];
    for (vv_index g = 0; g < c->groups; g++) {
        vv_index n = collect(w, g, from, some);
        count_valid(w, n, valid);
        for (vv_index q = c->first > 0 ? 0 : -1; q < c->first; q++)
            one_quantile(w, n, some, valid, q, put, out + 8 * (g + (q > 0 ? q : 0) * c->groups) * w->out_apart);
    }
}

/* --- the walk over all lanes --- */

/* Strides of the input and of the result; where a lane's elements are at one position of the groups; the dimension along which lanes lie side by side, -1: there is
 * one lane. */
static int lay_out(work *w, int nd, const vv_index n_in[], vv_index stride[], vv_index out_stride[])
{
    const vv_block_call *c = w->call;
    vv_index extent[VV_MAX_DIMS], at[VV_MAX_DIMS] = {0}, all = 1, out = 1, i = 0;
    int first = 0, row = -1;
    while (!c->along[first]) first++;
    for (int d = nd - 1; d >= 0; d--) {
        stride[d] = all;
        out_stride[d] = out;
        all *= n_in[d];
        out *= !c->along[d] ? n_in[d] : d == first ? c->length : 1;
        extent[d] = c->along[d] && d != c->axis ? n_in[d] : 1;
        if (!c->along[d] && (row < 0 || (n_in[row] == 1 && n_in[d] > 1))) row = d;
    }
    w->apart = stride[c->axis];
    w->beside = row < 0 ? 0 : stride[row];
    w->out_apart = out_stride[first];
    w->out_lane = row < 0 ? 0 : out_stride[row];
    do {
        w->around[i] = 0;
        for (int d = 0; d < nd; d++) w->around[i] += at[d] * stride[d];
        i++;
    } while (vv_odometer(nd, extent, at));
    return row;
}

static void run(const vv_block_call *c, vv_dtype in, int nd, const vv_index n_in[], const char *from, char *to,
                char *workspace, put_result *put)
{
    vv_index at[VV_MAX_DIMS] = {0}, extent[VV_MAX_DIMS], stride[VV_MAX_DIMS], out_stride[VV_MAX_DIMS], n = 1;
    work w;
    for (int d = 0; d < nd; d++)
        if (c->along[d]) n *= n_in[d];
    arrange(c, in, n, &w, workspace);
    int row = lay_out(&w, nd, n_in, stride, out_stride);
    vv_index wide = row < 0 ? 1 : n_in[row];
    for (int d = 0; d < nd; d++) extent[d] = c->along[d] || d == row ? 1 : n_in[d];
    do {
        vv_index first = 0, out = 0;
        for (int d = 0; d < nd; d++) {
            first += at[d] * stride[d];
            out += at[d] * out_stride[d];
        }
        for (vv_index i = 0; i < wide; i += w.lanes)
            all_groups(&w, from + (first + i * w.beside) * w.size, to + 8 * (out + i * w.out_lane),
                       vv_imin(w.lanes, wide - i), put);
    } while (vv_odometer(nd, extent, at));
}

#define OPERATION(name, put)                                                                                           \
    VV_BLOCK_RUN(vv_lanes_##name)                                                                                      \
    {                                                                                                                  \
        (void)n_out;                                                                                                   \
        run(c, in, nd, n_in, from, to, workspace, put);                                                                \
    }
OPERATION(group_median, put_median)
OPERATION(group_quantile, put_between)
OPERATION(group_pick, put_element)
