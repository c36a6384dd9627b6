/* Order: values as integer keys that compare as the values do, keys selected by rank and sorted.
 *
 * f32 has keys of 32 bits, f64, i64 and u64 of 64. The key of a real is its bits with all but the sign turned where it is negative; so the order
 * is total: -0 comes before 0, and every NaN is the greatest key. Nothing here depends on the instruction set, or in its results on chance.
 *
 *     vv_index n = vv_keys_make(VV_F32, 100, x, VV_KEYS_DROP, keys);
 *     vv_keys_select(VV_F32, n, keys, n / 2, room, two);           two[0], two[1]: the keys of ranks n / 2 and n / 2 + 1
 *     double median = vv_key_value(VV_F32, two, 0); */
#ifndef VV_KERNELS_ORDER_KEYS_H
#define VV_KERNELS_ORDER_KEYS_H

#include "base/dtype.h"

/* Of complex numbers those of a part. */
static inline vv_bytes vv_key_size(vv_dtype in)
{
    return in == VV_F32 || in == VV_C64 ? 4 : 8;
}

/* NaN is left out; or stays, as the greatest key. */
typedef enum vv_keys_nan { VV_KEYS_DROP, VV_KEYS_LAST } vv_keys_nan;
/* Keys of n values; how many there are. tag: NULL, or of each key its value's number; then -0 is as 0, lest equal values change places. */
vv_index vv_keys_make(vv_dtype in, vv_index n, const void *x, vv_keys_nan nan, void *keys, int32_t *tag);
/* How many of n values are NaN. */
vv_index vv_count_nan(vv_dtype in, vv_index n, const void *x);

/* The keys that would stand at r and r + 1 (or the last one), were all n sorted, to two[]. room: as large as 2 n keys. */
void vv_keys_select(vv_dtype in, vv_index n, const void *keys, vv_index r, void *room, void *two);
/* Sorts, stably; tag (or NULL) is moved along. room, tag_room: as large as keys, tag. */
void vv_keys_sort(vv_dtype in, vv_index n, void *keys, void *room, int32_t *tag, int32_t *tag_room);
/* All turned around: what was the greatest key becomes the least. */
void vv_keys_turn(vv_dtype in, vv_index n, void *keys);

/* Key i as a value of the working type: reals as f64, integers as they are. */
void vv_key_store(vv_dtype in, const void *keys, vv_index i, void *out);
/* All of them, of their own type; x may be keys. */
void vv_keys_values(vv_dtype in, vv_index n, const void *keys, void *x);
/* As a real. */
double vv_key_value(vv_dtype in, const void *keys, vv_index i);

#endif
