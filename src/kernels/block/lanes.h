/* Operations on lanes: all elements along one dimension or several, together, make the elements that take their place.
 *
 * A lane's elements are in row-major order of the dimensions that c->along says. The result has c->length elements along the first of these and one
 * along the others. vv_lanes_run() puts lanes side by side, packed, some at a time, and hands each to the operation. */
#ifndef VV_KERNELS_BLOCK_LANES_H
#define VV_KERNELS_BLOCK_LANES_H

#include "kernels/block/kernels.h"

/* One lane at work: room for all that its operations need. */
typedef struct vv_lane {
    const vv_block_call *call;
    vv_dtype in;
    vv_index n;      /* elements */
    const void *x;   /* them */
    void *keys;      /* room for n */
    void *room;      /* for 2 n keys */
    int32_t *tag[2]; /* for n each */
    char *out;       /* call->length elements of 8 bytes - complex ones of their own -, `stride` elements apart */
    vv_index stride;
} vv_lane;
typedef void vv_lane_op(const vv_lane *l);

void vv_lanes_run(const vv_block_call *c, vv_dtype in, int nd, const vv_index n_in[], const void *from, void *to,
                  void *workspace, vv_lane_op *op);

static inline void vv_lane_put(const vv_lane *l, vv_index i, double value)
{
    *(double *)(void *)(l->out + 8 * i * l->stride) = value;
}
static inline void vv_lane_put_integer(const vv_lane *l, vv_index i, int64_t value)
{
    *(int64_t *)(void *)(l->out + 8 * i * l->stride) = value;
}

/* block_order.c, of two keys that follow each other: what lies between them, in NumPy's form, which is monotonic and meets both ends; the middle of n elements; an element, the first of them (NULL:
 * of none, where integers, which have no way to be missing, are 0). */
double vv_lane_between(vv_dtype in, const uint64_t two[2], double weight);
double vv_lane_middle(vv_dtype in, vv_index n, const uint64_t two[2]);
void vv_lane_put_element(const vv_lane *l, vv_index i, const uint64_t two[2]);

/* block_order_complex.c: the places of complex elements in order, to tag[0]; how many have no NaN, which come first. Then element i is the one that was at `from`; below 0: NaN. */
vv_index vv_lane_order_complex(const vv_lane *l, bool greatest_first);
void vv_lane_put_complex(const vv_lane *l, vv_index i, vv_index from);

#endif
