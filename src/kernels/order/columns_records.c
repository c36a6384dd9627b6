/* Records of several words: (key, place), of complex numbers (key, key, place, the number where that is what is wanted). Keys and places are unsigned; places count from 1, so that records
 * without an element, whose words are all 0 or all ones, are less and greater than any other. */
#include "kernels/block/lanes.h"
#include "kernels/order/columns_own.h"
#include "kernels/order/keys.h"

#include <math.h>
#include <string.h>

/* Keys of complex numbers that have NaN begin with these bits, which those of reals end before: behind all others come those with NaN as imaginary part, then as real
 * part, then as both. */
enum { IMAGINARY_NAN = 0xfff1, REAL_NAN, BOTH_NAN };

/* How many words of a record are compared. */
static int compared(const vv_columns *c)
{
    return vv_dtype_is_complex(c->in) ? 3 : 2;
}

typedef struct rooms {
    void *keys, *room;
    int32_t *tag[2];
    uint64_t *column;
} rooms;

static vv_bytes keys_bytes(const vv_columns *c)
{
    return vv_round64(c->share * vv_key_size(vv_columns_working(c)));
}

static vv_bytes tags_bytes(const vv_columns *c)
{
    return vv_round64(4 * c->share);
}

vv_bytes vv_records_scratch(const vv_columns *c)
{
    return 3 * keys_bytes(c) + 2 * tags_bytes(c) + vv_columns_length(c) * vv_columns_words(c) * 8;
}

static rooms rooms_in(const vv_columns *c, char *at)
{
    char *tags = at + 3 * keys_bytes(c);
    return (rooms){.keys = at,
                   .room = at + keys_bytes(c),
                   .tag = {(int32_t *)(void *)tags, (int32_t *)(void *)(tags + tags_bytes(c))},
                   .column = (uint64_t *)(void *)(tags + 2 * tags_bytes(c))};
}

/* --- from elements --- */

static uint64_t part_key(const vv_columns *c, double v)
{
    int64_t key;
    v += 0; /* of -0 it is 0 */
    (void)vv_keys_make(VV_F64, 1, &v, VV_KEYS_LAST, &key, NULL);
    vv_columns_turn(c, 1, &key);
    return (uint64_t)key ^ (uint64_t)INT64_MIN;
}

static void complex_keys(const vv_columns *c, const void *x, vv_index i, uint64_t key[2])
{
    const float *narrow = x;
    const double *wide = x;
    double re = c->in == VV_C64 ? (double)narrow[2 * i] : wide[2 * i];
    double im = c->in == VV_C64 ? (double)narrow[2 * i + 1] : wide[2 * i + 1];
    bool no_re = isnan(re), no_im = isnan(im);
    int class = no_re ? no_im ? BOTH_NAN : REAL_NAN : IMAGINARY_NAN;
    key[0] = no_re || no_im ? (uint64_t) class << 48 : part_key(c, re);
    key[1] = no_re && no_im ? 0 : part_key(c, no_re ? im : no_im ? re : im);
}

static void complex_records(const vv_columns *c, vv_index at, vv_index n, const void *x, const rooms *r, uint64_t *to)
{
    const vv_lane l = {.in = c->in, .n = n, .x = x, .keys = r->keys, .room = r->room, .tag = {r->tag[0], r->tag[1]}};
    int words = vv_columns_words(c);
    vv_bytes size = vv_dtype_size(c->in);
    (void)vv_lane_order_complex(&l, c->greatest);
    for (vv_index k = 0; k < n; k++, to += words) {
        vv_index i = r->tag[0][k];
        complex_keys(c, x, i, to);
        to[2] = (uint64_t)(at + i + 1);
        if (!c->places) memcpy(to + 3, (const char *)x + i * size, (size_t)size);
    }
}

static void real_records(const vv_columns *c, vv_index at, vv_index n, const void *x, const rooms *r, uint64_t *to)
{
    vv_dtype in = vv_columns_working(c);
    const int32_t *narrow = r->keys;
    const int64_t *wide = r->keys;
    (void)vv_keys_make(in, n, x, VV_KEYS_LAST, r->keys, r->tag[0]);
    vv_columns_turn(c, n, r->keys);
    vv_keys_sort(in, n, r->keys, r->room, r->tag[0], r->tag[1]);
    for (vv_index k = 0; k < n; k++) {
        int64_t key = in != VV_F32 ? wide[k] : narrow[k] == INT32_MAX ? INT64_MAX : narrow[k];
        to[2 * k] = (uint64_t)key ^ (uint64_t)INT64_MIN;
        to[2 * k + 1] = (uint64_t)(at + r->tag[0][k] + 1);
    }
}

void vv_records_first(const vv_columns *c, vv_filling f, vv_index at, vv_index n, const void *x, uint64_t *to,
                      char *scratch)
{
    vv_index words = vv_columns_words(c);
    rooms r = rooms_in(c, scratch);
    uint64_t *begin = r.column + f.before * words;
    memset(r.column, 0, (size_t)(f.before * words) * sizeof *to);
    memset(begin + n * words, 0xff, (size_t)(f.behind * words) * sizeof *to);
    if (vv_dtype_is_complex(c->in))
        complex_records(c, at, n, x, &r, begin);
    else
        real_records(c, at, n, x, &r, begin);
    vv_columns_deal(c, 2 * (int)words, r.column, to);
}

/* --- merging --- */

static inline bool less(int compare, const uint64_t *a, const uint64_t *b)
{
    bool last = a[compare - 1] < b[compare - 1];
    if (compare == 3) last = (a[1] < b[1]) | ((a[1] == b[1]) & last);
    return (a[0] < b[0]) | ((a[0] == b[0]) & last);
}

/* Two sorted stretches, n_a and n_b records; no two are equal but those that have no element. */
static inline void merge_two(int words, int compare, const uint64_t *a, vv_index n_a, const uint64_t *b, vv_index n_b,
                             uint64_t *to)
{
    const uint64_t *end_a = a + n_a * words, *end_b = b + n_b * words;
    while (a < end_a && b < end_b) {
        bool second = less(compare, b, a);
        memcpy(to, second ? b : a, (size_t)words * sizeof *to);
        b += second ? words : 0;
        a += second ? 0 : words;
        to += words;
    }
    memcpy(to, a, (size_t)(end_a - a) * sizeof *to);
    memcpy(to + (end_a - a), b, (size_t)(end_b - b) * sizeof *to);
}

/* Runs of so many records, of all, become runs of twice as many. */
static inline void merge_runs(int words, int compare, vv_index all, vv_index run, const uint64_t *from, uint64_t *to)
{
    for (vv_index i = 0; i < all; i += 2 * run) {
        vv_index n_a = all - i < run ? all - i : run, left = all - i - n_a, n_b = left < run ? left : run;
        merge_two(words, compare, from + i * words, n_a, from + (i + n_a) * words, n_b, to + i * words);
    }
}

static void merge_pass(const vv_columns *c, vv_index run, const uint64_t *from, uint64_t *to)
{
    vv_index all = vv_columns_length(c);
    switch (vv_columns_words(c)) {
    case 2: merge_runs(2, 2, all, run, from, to); break;
    case 3: merge_runs(3, 3, all, run, from, to); break;
    case 4: merge_runs(4, 3, all, run, from, to); break;
    default: merge_runs(5, 3, all, run, from, to);
    }
}

void vv_records_again(const vv_columns *c, const uint64_t *from, uint64_t *to, uint64_t *scratch)
{
    int passes = 0;
    for (vv_index runs = 1; runs < c->columns; runs *= 2) passes++;
    for (vv_index run = c->run; passes > 0; run *= 2, passes--) {
        uint64_t *next = passes % 2 ? to : scratch;
        merge_pass(c, run, from, next);
        from = next;
    }
}

/* --- to elements --- */

static void put(const vv_columns *c, const uint64_t *record, vv_index i, char *out)
{
    bool number = vv_dtype_is_complex(c->in);
    bool missing = number ? record[0] >> 48 >= IMAGINARY_NAN : vv_dtype_is_float(c->in) && record[0] == UINT64_MAX;
    vv_bytes size = vv_dtype_size(c->in);
    missing = missing && c->valid;
    if (c->places) {
        ((int64_t *)(void *)out)[i] = missing ? -1 : (int64_t)record[compared(c) - 1] - 1;
    } else if (!missing) {
        memcpy(out + i * size, record + 3, (size_t)size);
    } else if (c->in == VV_C64) {
        ((vv_c64 *)(void *)out)[i] = (vv_c64){NAN, NAN};
    } else {
        ((vv_c128 *)(void *)out)[i] = (vv_c128){(double)NAN, (double)NAN};
    }
}

void vv_records_last(const vv_columns *c, const uint64_t *window, vv_index n, void *out)
{
    int words = vv_columns_words(c), compare = compared(c);
    vv_index half = vv_columns_length(c) / 2 * words;
    const uint64_t *a = window, *b = a + half, *end_a = b, *end_b = b + half;
    for (vv_index i = 0; i < n; i++) {
        bool second = b < end_b && (a == end_a || less(compare, b, a));
        put(c, second ? b : a, i, out);
        b += second ? words : 0;
        a += second ? 0 : words;
    }
}
