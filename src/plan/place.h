/* Who does what: pure functions of the plan that every rank evaluates for itself.
 *
 * The unit of work of a step is (out, leaf): one leaf of one output chunk; a map step has one leaf. Leaves combine along a binary tree: node
 * (level, i) joins (level-1, 2i) and (level-1, 2i+1); a node without a right child is its left child. A node is owned by the owner of its
 * leftmost leaf, so a partial result travels at most once per level, and the finished chunk lives with the owner of leaf 0.
 *
 * Placements number the units differently and cut the numbers into equal stretches, one a rank:
 *   outputs  out-major: a rank has whole outputs; no messages when there are as many outputs as ranks, few states at a time
 *   leaves   leaf-major: a rank has a stretch of the input, read in the file's order; all outputs are open at once
 *   cyclic   leaf-major, dealt out in turn */
#ifndef VV_PLAN_PLACE_H
#define VV_PLAN_PLACE_H

#include "plan/plan.h"

typedef struct vv_unit {
    vv_index out, leaf;
} vv_unit;

extern const char *const vv_placement_name[VV_PLACEMENTS];

vv_index vv_step_outs(const vv_step *s);
vv_index vv_step_reduced_chunks(const vv_step *s); /* chunks of `work` behind one output chunk */
vv_index vv_step_leaves(const vv_step *s);         /* at least 1 */

/* How many units a rank has, its p-th one, and the owner of one. */
vv_index vv_place_count(const vv_step *s, int rank, int ranks);
vv_unit vv_place_unit(const vv_step *s, int rank, int ranks, vv_index p);
int vv_place_owner(const vv_step *s, int ranks, vv_unit u);
/* Chunks of `work` in the first p units of a rank. */
vv_index vv_place_chunks_before(const vv_step *s, int rank, int ranks, vv_index p);

/* The tree over leaves. */
vv_index vv_tree_nodes(vv_index leaves, int level);
int vv_tree_levels(vv_index leaves); /* of the root: 0 for one leaf */
int vv_tree_owner(const vv_step *s, int ranks, vv_index out, int level, vv_index i);

/* Chunks of `work` in a unit: numbers [first, last) along the reduced dimensions; grid coordinates of one. */
void vv_unit_chunks(const vv_step *s, vv_unit u, vv_index *first, vv_index *last);
void vv_unit_coords(const vv_step *s, vv_index out, vv_index reduced, vv_index coords[]);

#endif
