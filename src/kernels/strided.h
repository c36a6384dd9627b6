/* Moving boxes of elements between layouts: permuting, slicing, flipping, broadcasting, packing and unpacking.
 *
 * vv_box_copy() first makes the problem small: extents of 1 go, dimensions that both sides walk as one become one, and the loop whose
 * target is densest becomes the innermost. What is left is one of three things: contiguous rows (memcpy), two dimensions of which one is
 * dense here and the other there (a transposition, done in square blocks that stay in the cache), or plain strided rows. */
#ifndef VV_KERNELS_STRIDED_H
#define VV_KERNELS_STRIDED_H

#include "varve/types.h"

/* to[sum at[d]*to_stride[d]] = from[sum at[d]*from_stride[d]] for all positions `at` within n. Strides count elements, may be negative, and 0 in
 * `from` (broadcast); different positions have different places in `to`. size is 1, 2, 4, 8 or 16 bytes. No overlap. */
void vv_box_copy(int nd, const vv_index n[], vv_bytes size, const void *from, const vv_index from_stride[], void *to,
                 const vv_index to_stride[]);

/* Row-major strides; returns the number of elements. */
vv_index vv_pack_strides(int nd, const vv_index extent[], vv_index stride[]);

/* A strided row into a contiguous tile: to[i] = from[i * stride]; stride 0 broadcasts. */
void vv_tile_gather(vv_bytes size, vv_index n, const void *from, vv_index stride, void *to);

#endif
