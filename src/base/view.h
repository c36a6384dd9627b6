/* Views: which element of one array an element of another one comes from.
 *
 * A view of a target space is a list of parts. Each covers a box of the target and says where its elements come from: along every
 * dimension of the array it comes from, an index that follows one dimension of the target by steps, or a table, or stays put. Slices, flips,
 * transpositions, broadcasts, rolls, pads, concatenations, stacks, takes and the matching of groups are all this one thing, and one upon the other is again this:
 *
 *     b = a[:, ::-1]           one part:  b[i, j] = a[i, n - 1 - j]
 *     b = a.T                  one part:  b[i, j] = a[j, i]
 *     b = roll(a, 1)           two parts: b[0] = a[n - 1];  b[1 ..] = a[0 ..]
 *     x - clim[month of time]  of clim: one part with a table along time, and none of its own along the rest
 *
 * Elements of the target that no part covers are fill values. Target dimensions that a part does not follow are broadcast. */
#ifndef VV_BASE_VIEW_H
#define VV_BASE_VIEW_H

#include "base/index.h"

/* A vector of indices, shared by who refers to it. */
typedef struct vv_table {
    int references;
    vv_index n;
    vv_index at[];
} vv_table;
VV_WARN_UNUSED vv_status vv_table_new(vv_index n, vv_table **out); /* one reference; zeros */
vv_table *vv_table_share(vv_table *t);                             /* one more; NULL stays NULL */
void vv_table_free(vv_table **t);                                  /* one less */

typedef struct vv_part {
    int from;                     /* the array: number of an input of a node, of a step of a plan */
    int result;                   /* which result of that step */
    vv_box box;                   /* of the target */
    int nd;                       /* dimensions of the array it comes from */
    int dim[VV_MAX_DIMS];         /* by those: the target's dimension that it follows, -1 for none */
    vv_index start[VV_MAX_DIMS];  /* index at the box's first element; the only one where dim is -1 */
    vv_index stride[VV_MAX_DIMS]; /* steps, never 0; unused where dim is -1 */
    int table_dim; /* the dimension whose index is looked up: table->at[start + stride * i]; -1 for none */
    vv_table *table;
} vv_part;

/* The part that is all of an array of this shape: target and source space are the same. */
void vv_part_same(const vv_shape *shape, vv_part *out);

/* Index along dimension d of the source, for target index w along dim[d] (any w when dim[d] is -1). */
vv_index vv_part_index(const vv_part *p, int d, vv_index w);

/* Bounding box in the source of what a box of the target needs of this part; false when it needs nothing. */
bool vv_part_source(const vv_part *p, const vv_box *target, vv_box *source);
/* Bounding box in the target of everything that comes from a box of the source; along dimensions that are not followed: all of the
 * part's box. False when nothing does. Without tables and with strides of 1 or -1 the bound is exact. */
bool vv_part_target(const vv_part *p, const vv_box *source, vv_box *target);
/* Whether a target dimension has influence on where elements come from. */
bool vv_part_follows(const vv_part *p, int target_dim);

/* One part upon another: outer takes from the space that inner's target is; out takes directly from where inner does. *any is false when inner covers
 * nothing that outer wants. VV_ERR_UNSUPPORTED, with nothing made, when the result is not one part (a table that reaches beyond inner's box, two tables along different dimensions). */
VV_WARN_UNUSED vv_status vv_part_compose(const vv_part *outer, const vv_part *inner, vv_part *out, bool *any);
/* Copies share the table. */
void vv_part_copy(const vv_part *p, vv_part *out);
void vv_part_free(vv_part *p);
bool vv_part_equal(const vv_part *a, const vv_part *b);

#endif
