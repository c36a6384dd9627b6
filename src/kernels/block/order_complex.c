/* Sorting complex numbers in NumPy's order: by real parts, then by imaginary ones; behind these what has NaN as imaginary part, then as real part, then as both. Equal ones, of
 * which -0 and 0 are two, stay as they were.
 *
 * Places are sorted by the less important part first. */
#include "kernels/block/lanes.h"
#include "kernels/order/keys.h"

#include <math.h>
#include <string.h>

enum { CLASSES = 4 };

static double part_of(const vv_lane *l, vv_index i, int which)
{
    return l->in == VV_C64 ? (double)((const float *)l->x)[2 * i + which] : ((const double *)l->x)[2 * i + which];
}

/* Keys of one part of the elements at tag[0], in that order, to keys. */
static void part_keys(const vv_lane *l, int which)
{
    vv_dtype part = vv_dtype_part(l->in);
    void *values = (char *)l->room + l->n * vv_key_size(part); /* sorting needs the first half */
    for (vv_index i = 0; i < l->n; i++) {
        double v = part_of(l, l->tag[0][i], which) + 0; /* of -0 it is 0 */
        if (part == VV_F32)
            ((float *)values)[i] = (float)v;
        else
            ((double *)values)[i] = v;
    }
    vv_keys_make(part, l->n, values, VV_KEYS_LAST, l->keys, NULL);
}

static int class_of(const vv_lane *l, vv_index i)
{
    return (isnan(part_of(l, i, 0)) ? 2 : 0) + (isnan(part_of(l, i, 1)) ? 1 : 0);
}

/* Those with NaN behind those without; how many have none. */
static vv_index by_class(const vv_lane *l)
{
    vv_index first[CLASSES + 1] = {0}, at[CLASSES];
    for (vv_index i = 0; i < l->n; i++) first[class_of(l, i) + 1]++;
    for (int k = 0; k < CLASSES; k++) at[k] = first[k + 1] += first[k];
    for (vv_index i = l->n - 1; i >= 0; i--) l->tag[1][--at[class_of(l, l->tag[0][i])]] = l->tag[0][i];
    memcpy(l->tag[0], l->tag[1], (size_t)l->n * sizeof *l->tag[0]);
    return first[1];
}

vv_index vv_lane_order_complex(const vv_lane *l, bool greatest_first)
{
    vv_dtype part = vv_dtype_part(l->in);
    for (vv_index i = 0; i < l->n; i++) l->tag[0][i] = (int32_t)i;
    for (int which = 1; which >= 0; which--) {
        part_keys(l, which);
        if (greatest_first) vv_keys_turn(part, l->n, l->keys);
        vv_keys_sort(part, l->n, l->keys, l->room, l->tag[0], l->tag[1]);
    }
    return by_class(l);
}

void vv_lane_put_complex(const vv_lane *l, vv_index i, vv_index from)
{
    const vv_c64 narrow = {NAN, NAN};
    const vv_c128 wide = {(double)NAN, (double)NAN};
    vv_bytes size = vv_dtype_size(l->in);
    const void *none = l->in == VV_C64 ? (const void *)&narrow : &wide;
    memcpy(l->out + size * i * l->stride, from < 0 ? none : (const char *)l->x + from * size, (size_t)size);
}
