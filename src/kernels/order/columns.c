#include "kernels/order/columns.h"

#include "kernels/order/columns_own.h"
#include "kernels/order/keys.h"

#include <math.h>
#include <string.h>

/* --- how a lane is cut --- */

/* Runs are what ranks send each other; those of lanes that are long enough have so many records. */
enum { RUN = 512, FEW = 6 };

/* Records of a run, so that all but one column hold the lane. */
static vv_index run_of(vv_index n, vv_index columns)
{
    return (n + columns * (columns - 1) - 1) / (columns * (columns - 1));
}

bool vv_columns_cut(vv_index n, vv_columns *c)
{
    vv_index s = 2;
    while (run_of(n, s + 2) >= 2 * (s + 2) && (s < FEW || run_of(n, s + 2) >= RUN)) s += 2;
    c->n = n;
    c->columns = s;
    c->run = run_of(n, s);
    c->share = (n + s - 1) / s;
    return c->run >= 2 * s;
}

vv_index vv_columns_length(const vv_columns *c)
{
    return c->columns * c->run;
}

static bool by_value(const vv_columns *c)
{
    return !c->places && !vv_dtype_is_complex(c->in);
}

int vv_columns_words(const vv_columns *c)
{
    if (by_value(c)) return 1;
    if (!vv_dtype_is_complex(c->in)) return 2;
    return c->places ? 3 : 3 + (int)vv_dtype_size(c->in) / 8;
}

vv_dtype vv_columns_type(const vv_columns *c)
{
    return by_value(c) ? vv_columns_working(c) : VV_U64;
}

/* Bytes of the records of a column. */
static vv_bytes column_bytes(const vv_columns *c)
{
    return vv_columns_length(c) * vv_columns_words(c) * vv_dtype_size(vv_columns_type(c));
}

/* Of the working values of a share, where these are not what is there. */
static vv_bytes widened_bytes(const vv_columns *c)
{
    return c->in == vv_columns_working(c) ? 0 : vv_round64(c->share * vv_dtype_size(vv_columns_working(c)));
}

vv_bytes vv_columns_scratch_first(const vv_columns *c)
{
    return widened_bytes(c) + (by_value(c) ? column_bytes(c) : vv_records_scratch(c));
}

vv_bytes vv_columns_scratch_again(const vv_columns *c)
{
    return column_bytes(c);
}

vv_bytes vv_columns_scratch_last(const vv_columns *c)
{
    return by_value(c) ? 2 * column_bytes(c) : 0;
}

/* Where a column begins, so many records are in front of it that no element fills; those with the least keys are half a column in all. */
static vv_filling filling_of(const vv_columns *c, vv_index column, vv_index n)
{
    vv_index r = vv_columns_length(c), first = column * c->share, before = column * r - (first < c->n ? first : c->n);
    vv_index least = r / 2 - before, room = r - n;
    vv_filling f = {.before = least < 0 ? 0 : least < room ? least : room};
    f.behind = room - f.before;
    return f;
}

/* --- keys --- */

void vv_columns_turn(const vv_columns *c, vv_index n, void *keys)
{
    vv_dtype in = vv_dtype_is_complex(c->in) ? VV_F64 : vv_columns_working(c);
    int32_t *narrow = keys;
    int64_t *wide = keys;
    if (!c->greatest) return;
    for (vv_index i = 0; i < n && in == VV_F32; i++) narrow[i] = narrow[i] == INT32_MAX ? INT32_MAX : ~narrow[i];
    for (vv_index i = 0; i < n && in == VV_F64; i++) wide[i] = wide[i] == INT64_MAX ? INT64_MAX : ~wide[i];
    for (vv_index i = 0; i < n && !vv_dtype_is_float(in); i++) wide[i] = ~wide[i];
}

/* n records without an element, as keys: of reals they are infinite and NaN, of integers the least and the greatest one; equal elements are not told from them. */
static void fill(vv_dtype in, bool least, vv_index n, char *keys)
{
    int32_t narrow = INT32_MAX;
    int64_t wide = least ? INT64_MIN : INT64_MAX;
    if (least && in == VV_F32) (void)vv_keys_make(in, 1, &(float){-INFINITY}, VV_KEYS_LAST, &narrow, NULL);
    if (least && in == VV_F64) (void)vv_keys_make(in, 1, &(double){(double)-INFINITY}, VV_KEYS_LAST, &wide, NULL);
    for (vv_index i = 0; i < n && in == VV_F32; i++) ((int32_t *)(void *)keys)[i] = narrow;
    for (vv_index i = 0; i < n && in != VV_F32; i++) ((int64_t *)(void *)keys)[i] = wide;
}

/* Values as keys that are in order. room: as large. */
static void sort(const vv_columns *c, vv_index n, const void *x, char *keys, void *room)
{
    vv_dtype in = vv_columns_working(c);
    (void)vv_keys_make(in, n, x, VV_KEYS_LAST, keys, NULL);
    vv_columns_turn(c, n, keys);
    vv_keys_sort(in, n, keys, room, NULL, NULL);
}

static void values(const vv_columns *c, vv_index n, void *keys)
{
    vv_columns_turn(c, n, keys);
    vv_keys_values(vv_columns_working(c), n, keys, keys);
}

/* --- the first step --- */

/* A few runs at a time, so that what is read are whole cache lines. */
#define DEAL(type, n)                                                                                                  \
    static void deal_##type##_##n(const vv_columns *c, const type *from, type *to)                                     \
    {                                                                                                                  \
        enum { SOME = 8 };                                                                                             \
        vv_index s = c->columns, m = c->run;                                                                           \
        for (vv_index j = 0; j < s; j += SOME)                                                                         \
            for (vv_index q = 0; q < m; q++)                                                                           \
                for (vv_index k = j; k < j + SOME && k < s; k++)                                                       \
                    memcpy(to + (k * m + q) * n, from + (q * s + k) * n, n * sizeof *to);                              \
    }
DEAL(uint32_t, 1)
DEAL(uint64_t, 1)
DEAL(uint64_t, 2)
DEAL(uint64_t, 3)
DEAL(uint64_t, 4)
DEAL(uint64_t, 5)

void vv_columns_deal(const vv_columns *c, int words, const void *from, void *to)
{
    switch (words) {
    case 1: deal_uint32_t_1(c, from, to); break;
    case 2: deal_uint64_t_1(c, from, to); break;
    case 4: deal_uint64_t_2(c, from, to); break;
    case 6: deal_uint64_t_3(c, from, to); break;
    case 8: deal_uint64_t_4(c, from, to); break;
    default: deal_uint64_t_5(c, from, to);
    }
}

/* keys: room for a column; so is `to`. */
static void first_values(const vv_columns *c, vv_filling f, vv_index n, const void *x, void *to, char *keys)
{
    vv_dtype in = vv_columns_working(c);
    vv_bytes size = vv_dtype_size(in);
    sort(c, n, x, keys + f.before * size, to);
    fill(in, true, f.before, keys);
    fill(in, false, f.behind, keys + (f.before + n) * size);
    values(c, vv_columns_length(c), keys);
    vv_columns_deal(c, (int)size / 4, keys, to);
}

/* Packed elements as working values. */
static const void *widened(const vv_columns *c, vv_index n, const void *x, void *room)
{
    const vv_decode decode = {.stored = c->in, .out = vv_columns_working(c), .scale = 1};
    vv_bytes size = vv_dtype_size(decode.out);
    if (decode.stored == decode.out) return x;
    for (vv_index i = 0; i < n; i += VV_TILE)
        vv_decode_range(&decode, x, n, i, n - i < VV_TILE ? n - i : VV_TILE, (char *)room + i * size);
    return room;
}

static vv_index product(int n, const vv_index length[])
{
    vv_index all = 1;
    for (int d = 0; d < n; d++) all *= length[d];
    return all;
}

int vv_columns_first(const vv_block_task *t)
{
    const vv_columns *c = t->data;
    const vv_chunk *in = &t->in[0];
    int last = in->n_dims - 1;
    vv_index n = in->length[last], lanes = product(last, in->length), at = in->first[last];
    vv_filling f = filling_of(c, in->number[last], n);
    char *scratch = (char *)t->scratch + widened_bytes(c);
    for (vv_index k = 0; k < lanes; k++) {
        const void *x = widened(c, n, (const char *)in->data + k * n * vv_dtype_size(c->in), t->scratch);
        char *to = (char *)t->result + k * column_bytes(c);
        if (by_value(c))
            first_values(c, f, n, x, to, scratch);
        else
            vv_records_first(c, f, at, n, x, (uint64_t *)(void *)to, scratch);
    }
    return 0;
}

/* --- the next two --- */

int vv_columns_again(const vv_block_task *t)
{
    const vv_columns *c = t->data;
    vv_index lanes = product(t->in[0].n_dims - 3, t->in[0].length);
    for (vv_index k = 0; k < lanes; k++) {
        const char *from = (const char *)t->in[0].data + k * column_bytes(c);
        char *to = (char *)t->result + k * column_bytes(c);
        if (by_value(c)) {
            sort(c, vv_columns_length(c), from, to, t->scratch);
            values(c, vv_columns_length(c), to);
        } else {
            vv_records_again(c, (const uint64_t *)(const void *)from, (uint64_t *)(void *)to, t->scratch);
        }
    }
    return 0;
}

/* --- the last one --- */

#define MERGE(name, key)                                                                                               \
    static void name(vv_index half, const key *a, const key *b, vv_index n, key *to)                                   \
    {                                                                                                                  \
        vv_index i = 0, j = 0, k = 0;                                                                                  \
        for (; k < n && i < half && j < half; k++) {                                                                   \
            bool second = b[j] < a[i];                                                                                 \
            to[k] = second ? b[j] : a[i];                                                                              \
            j += second;                                                                                               \
            i += !second;                                                                                              \
        }                                                                                                              \
        for (; k < n; k++) to[k] = i < half ? a[i++] : b[j++];                                                         \
    }
MERGE(merge_32, int32_t)
MERGE(merge_64, int64_t)

/* x: a window, half of a column and half of the next one. */
static void last_values(const vv_columns *c, const void *x, vv_index n, void *out, char *keys)
{
    vv_dtype in = vv_columns_working(c);
    vv_index r = vv_columns_length(c);
    char *second = keys + r / 2 * vv_dtype_size(in), *merged = keys + r * vv_dtype_size(in);
    (void)vv_keys_make(in, r, x, VV_KEYS_LAST, keys, NULL);
    vv_columns_turn(c, r, keys);
    if (in == VV_F32)
        merge_32(r / 2, (void *)keys, (void *)second, n, (void *)merged);
    else
        merge_64(r / 2, (void *)keys, (void *)second, n, (void *)merged);
    values(c, n, merged);
    if (in == c->in)
        memcpy(out, merged, (size_t)(n * vv_dtype_size(in)));
    else
        vv_encode_range(&(vv_encode){.in = in, .to = c->in}, merged, n, out);
}

int vv_columns_last(const vv_block_task *t)
{
    const vv_columns *c = t->data;
    int last = t->out->n_dims - 1;
    vv_index lanes = product(last, t->out->length), n = t->out->length[last];
    for (vv_index k = 0; k < lanes; k++) {
        const char *x = (const char *)t->in[0].data + k * column_bytes(c);
        char *out = (char *)t->result + k * n * (c->places ? 8 : vv_dtype_size(c->in));
        if (by_value(c))
            last_values(c, x, n, out, t->scratch);
        else
            vv_records_last(c, (const uint64_t *)(const void *)x, n, out);
    }
    return 0;
}
