#include "kernels/order/keys.h"

#include "kernels/clones.h"

#include <math.h>
#include <string.h>

enum { SAMPLE = 64, APART = 5, SMALL = 48 };
/* Sorting: bits of a digit where keys are worth so many counts and where there is a place in the cache for each of its values, and else; digits at a time. */
enum { FEW = 32, SOME = 1 << 12, MANY = 1 << 21, WIDE = 11, NARROW = 8, DIGITS = 4 };

#define CLONES(...) VV_CLONES(__VA_ARGS__) /* of a name that is made by a macro */

#define KEY     int32_t
#define UKEY    uint32_t
#define BITS    32
#define MIN_KEY INT32_MIN
#define MAX_KEY INT32_MAX
#define NAME(x) x##_32
#include "kernels/order/keys_body.h"
#undef KEY
#undef UKEY
#undef BITS
#undef MIN_KEY
#undef MAX_KEY
#undef NAME

#define KEY     int64_t
#define UKEY    uint64_t
#define BITS    64
#define MIN_KEY INT64_MIN
#define MAX_KEY INT64_MAX
#define NAME(x) x##_64
#include "kernels/order/keys_body.h"

/* --- values and keys --- */

static inline int32_t turned_32(int32_t bits)
{
    return bits ^ (int32_t)((uint32_t)(bits >> 31) >> 1);
}

static inline int64_t turned_64(int64_t bits)
{
    return bits ^ (int64_t)((uint64_t)(bits >> 63) >> 1);
}

/* Reals: bits in, keys out; what is left out is overwritten by the next one. */
#define REALS(name, bits_type, real, turned, most)                                                                     \
    static vv_index name(vv_index n, const real *x, bool drop, bits_type *keys, int32_t *tag)                          \
    {                                                                                                                  \
        vv_index k = 0;                                                                                                \
        for (vv_index i = 0; i < n; i++) {                                                                             \
            real v = tag ? x[i] + 0 : x[i];                                                                            \
            bits_type bits;                                                                                            \
            bool nan = v != v;                                                                                         \
            memcpy(&bits, &v, sizeof v);                                                                               \
            keys[k] = nan ? most : turned(bits);                                                                       \
            if (tag) tag[k] = (int32_t)i;                                                                              \
            k += !(nan & drop);                                                                                        \
        }                                                                                                              \
        return k;                                                                                                      \
    }
REALS(reals_32, int32_t, float, turned_32, INT32_MAX)
REALS(reals_64, int64_t, double, turned_64, INT64_MAX)

static vv_index integers(vv_dtype in, vv_index n, const int64_t *x, int64_t *keys, int32_t *tag)
{
    for (vv_index i = 0; i < n; i++) {
        keys[i] = in == VV_U64 ? (int64_t)((uint64_t)x[i] ^ (uint64_t)INT64_MIN) : x[i];
        if (tag) tag[i] = (int32_t)i;
    }
    return n;
}

vv_index vv_keys_make(vv_dtype in, vv_index n, const void *x, vv_keys_nan nan, void *keys, int32_t *tag)
{
    if (in == VV_F32) return reals_32(n, x, nan == VV_KEYS_DROP, keys, tag);
    if (in == VV_F64) return reals_64(n, x, nan == VV_KEYS_DROP, keys, tag);
    return integers(in, n, x, keys, tag);
}

vv_index vv_count_nan(vv_dtype in, vv_index n, const void *x)
{
    vv_index k = 0;
    for (vv_index i = 0; i < n && in == VV_F32; i++) k += ((const float *)x)[i] != ((const float *)x)[i];
    for (vv_index i = 0; i < n && in == VV_F64; i++) k += ((const double *)x)[i] != ((const double *)x)[i];
    return k;
}

void vv_keys_select(vv_dtype in, vv_index n, const void *keys, vv_index r, void *room, void *two)
{
    if (in == VV_F32)
        select_two_32(n, keys, r, room, two);
    else
        select_two_64(n, keys, r, room, two);
}

void vv_keys_sort(vv_dtype in, vv_index n, void *keys, void *room, int32_t *tag, int32_t *tag_room)
{
    if (in == VV_F32)
        sort_32(n, keys, room, tag, tag_room);
    else
        sort_64(n, keys, room, tag, tag_room);
}

void vv_keys_turn(vv_dtype in, vv_index n, void *keys)
{
    for (vv_index i = 0; i < n && in == VV_F32; i++) ((int32_t *)keys)[i] = ~((int32_t *)keys)[i];
    for (vv_index i = 0; i < n && in != VV_F32; i++) ((int64_t *)keys)[i] = ~((int64_t *)keys)[i];
}

void vv_key_store(vv_dtype in, const void *keys, vv_index i, void *out)
{
    uint64_t bits = in == VV_F32 ? 0 : ((const uint64_t *)keys)[i];
    if (vv_dtype_is_float(in)) {
        double v = vv_key_value(in, keys, i);
        if (v != v) v = (double)NAN;
        memcpy(&bits, &v, 8);
    } else if (in == VV_U64) {
        bits ^= (uint64_t)INT64_MIN;
    }
    memcpy(out, &bits, 8);
}

/* The other way round; NaN has one and the same bits. */
#define VALUES(name, bits_type, real, turned)                                                                          \
    static void name(vv_index n, const bits_type *keys, real *x)                                                       \
    {                                                                                                                  \
        for (vv_index i = 0; i < n; i++) {                                                                             \
            bits_type bits = turned(keys[i]);                                                                          \
            real v;                                                                                                    \
            memcpy(&v, &bits, sizeof v);                                                                               \
            if (v != v) v = (real)NAN;                                                                                 \
            memcpy(x + i, &v, sizeof v);                                                                               \
        }                                                                                                              \
    }
VALUES(values_32, int32_t, float, turned_32)
VALUES(values_64, int64_t, double, turned_64)

void vv_keys_values(vv_dtype in, vv_index n, const void *keys, void *x)
{
    const int64_t *wide = keys;
    int64_t *out = x;
    if (in == VV_F32) {
        values_32(n, keys, x);
    } else if (in == VV_F64) {
        values_64(n, keys, x);
    } else {
        for (vv_index i = 0; i < n; i++)
            out[i] = in == VV_U64 ? (int64_t)((uint64_t)wide[i] ^ (uint64_t)INT64_MIN) : wide[i];
    }
}

double vv_key_value(vv_dtype in, const void *keys, vv_index i)
{
    float f;
    double d;
    if (in == VV_F32) {
        int32_t bits = turned_32(((const int32_t *)keys)[i]);
        memcpy(&f, &bits, 4);
        return (double)f;
    }
    int64_t key = ((const int64_t *)keys)[i];
    if (in == VV_I64) return (double)key;
    if (in == VV_U64) return (double)((uint64_t)key ^ (uint64_t)INT64_MIN);
    key = turned_64(key);
    memcpy(&d, &key, 8);
    return d;
}
