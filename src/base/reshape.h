/* The same elements in row-major order in another shape: which dimensions become which, and which chunks stay together.
 *
 * Dimensions are paired from the left: as soon as the lengths of some on each side multiply to the same number, these belong together, (2, 3, 4) as (6, 2, 2):
 * 2 x 3 with 6, and 4 with 2 x 2. A chunk stays together where it is, in every pair, a stretch of the row-major order on both sides: whole inner dimensions,
 * some of one, one of those before it. */
#ifndef VV_BASE_RESHAPE_H
#define VV_BASE_RESHAPE_H

#include "base/index.h"

typedef struct vv_dims_pair {
    int in, n_in, out, n_out; /* first dimension and number of them, on each side */
} vv_dims_pair;

static inline bool vv_pair_is_single(const vv_dims_pair *p)
{
    return p->n_in == 1 && p->n_out == 1;
}
/* Pairs of two shapes; -1 when they have different numbers of elements, or none at all. */
int vv_reshape_pairs(const vv_shape *in, const vv_shape *out, vv_dims_pair pair[VV_MAX_DIMS]);
/* The longest stretch of at most `room` elements that chunks of such dimensions can be. */
vv_index vv_reshape_stretch(const vv_index n[], int count, vv_index room);
/* Chunks of so many elements; false when they are no stretches. */
bool vv_reshape_cut(const vv_index n[], int count, vv_index stretch, vv_index chunk[]);
/* The grid of another shape whose chunks have the elements of these, one by one; false when there is none. */
bool vv_reshape_grid(const vv_grid *in, const vv_shape *shape, vv_grid *out);

#endif
