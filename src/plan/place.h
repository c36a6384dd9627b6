/* Who does what: pure functions of the plan that every rank evaluates for itself.
 *
 * The unit of work of a step is (out, leaf): one leaf of one output chunk; a map step has one leaf. Leaves combine along a binary tree: node
 * (level, i) joins (level-1, 2i) and (level-1, 2i+1). With groups, an output chunk has only the leaves in which a label of it occurs; a node without
 * any leaf below it is absent, and a node with one child is that child. A node is owned by the owner of its leftmost leaf, so a partial
 * result travels at most once per level, and the finished chunk lives with the owner of its first leaf.
 *
 * Placements number the units differently and cut the numbers into equal stretches, one a rank:
 *   outputs  out-major: a rank has whole outputs; no messages when there are as many outputs as ranks, few states at a time
 *   leaves   leaf-major: a rank has a stretch of the input, read in the file's order; all outputs are open at once
 *   cyclic   leaf-major, dealt out in turn
 * Steps with groups are placed by outputs, always. A map that takes chunks of a held array where they are is placed by these: its units are
 * numbered as those chunks are, and a rank has what of its stretch of them is there. */
#ifndef VV_PLAN_PLACE_H
#define VV_PLAN_PLACE_H

#include "plan/plan.h"

typedef struct vv_unit {
    vv_index out, leaf;
} vv_unit;

extern const char *const vv_placement_name[VV_PLACE_ALL];

vv_index vv_step_outs(const vv_step *s);
vv_index
vv_step_leaves(const vv_step *s); /* at least 1: numbers of leaves are below this; with groups some are absent */
vv_index vv_step_units(const vv_step *s); /* present ones of all outputs */

/* Chunks of a held array are cut into equal stretches by their number: the first chunk of a rank (of rank `ranks`: their number); and who has one. */
vv_index vv_held_first(const vv_grid *g, int rank, int ranks);
int vv_held_owner(const vv_grid *g, int ranks, vv_index chunk);

/* How many units any rank has at most. */
vv_index vv_place_most(const vv_step *s, int ranks);
/* How many units a rank has, its p-th one, and the owner of one. */
vv_index vv_place_count(const vv_step *s, int rank, int ranks);
vv_unit vv_place_unit(const vv_step *s, int rank, int ranks, vv_index p);
int vv_place_owner(const vv_step *s, int ranks, vv_unit u);
/* Which one of its owner's it is. */
vv_index vv_place_index(const vv_step *s, int ranks, vv_unit u);

/* The tree over leaves. */
vv_index vv_tree_nodes(vv_index leaves, int level);
int vv_tree_levels(vv_index leaves); /* of the root: 0 for one leaf */
/* Present: some leaf below it is. The first such leaf; -1 when there is none. */
vv_index vv_tree_first_leaf(const vv_step *s, vv_index out, int level, vv_index i);
int vv_tree_owner(const vv_step *s, int ranks, vv_index out, int level, vv_index i); /* of a present node */
/* The rank that has the finished output chunk; -1 when no unit makes it (a group without elements: its cells are finished from nothing). */
int vv_out_owner(const vv_step *s, int ranks, vv_index out);

/* Chunks of `work` in a unit, in the order in which they are folded; grid coordinates of the k-th one. */
vv_index vv_unit_chunks(const vv_step *s, vv_unit u);
void vv_unit_coords(const vv_step *s, vv_unit u, vv_index k, vv_index coords[]);
/* The unit that folds a work chunk for the output chunk `out`-wise at group block `block` (0 without groups). */
vv_unit vv_unit_of(const vv_step *s, const vv_index coords[], vv_index block);

/* Groups of an output chunk: the first one and how many; 0 and 1 without groups. Cells of one group: elements of the output chunk
 * divided by the number of groups in it. */
void vv_out_groups(const vv_step *s, vv_index out, vv_index *first, vv_index *n);

#endif
