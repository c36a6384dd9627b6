/* The graph below the targets as lowering sees it: nodes that are the same computation have one number, inputs have lower numbers than what is
 * built on them. Chains may be long: nothing here calls itself. */
#ifndef VV_PLAN_LOWER_GRAPH_H
#define VV_PLAN_LOWER_GRAPH_H

#include "array/node.h"

typedef struct vv_dag_node {
    vv_array *array; /* one of those that are this computation */
    int *input;      /* numbers, array->n_inputs of them */
    int uses;        /* ways from here to a step that is certain to be made, 2 for more: then it is made whole */
    int depth;       /* operations on the longest way down to the next step */
    int level;       /* steps one upon the other below it */
    bool cut;        /* becomes a step of its own although it could be part of another one's program */
    bool early;      /* is made before the targets are looked at, so that no call goes deep */
    uint64_t hash;
    int next; /* with the same hash */
} vv_dag_node;

typedef struct vv_dag_entry {
    const vv_array *array;
    int number;
} vv_dag_entry;

typedef struct vv_dag {
    bool behind, columns;
    int n;
    vv_dag_node *node;
    int n_buckets, *bucket; /* by structure */
    int n_entries, n_slots; /* by address */
    vv_dag_entry *slot;
} vv_dag;

/* behind: held arrays are what they were computed from, else they stand for themselves. columns: long lanes are sorted column by column (vv_array.columns). */
VV_WARN_UNUSED vv_status vv_dag_build(vv_array *const roots[], int n, bool behind, bool columns, vv_dag *out);
void vv_dag_free(vv_dag *g);
int vv_dag_find(const vv_dag *g, const vv_array *a); /* -1: not in it */

/* Steps of their own, always. */
static inline bool vv_dag_barrier(const vv_dag *g, int i)
{
    vv_node_kind k = g->node[i].array->kind;
    return k == VV_NODE_REDUCE || k == VV_NODE_BLOCK || k == VV_NODE_PRODUCT || k == VV_NODE_TILE ||
           k == VV_NODE_RESHAPE || k == VV_NODE_USER;
}
/* Instructions that an operation takes at most, with its constants and casts. */
int vv_dag_weight(const vv_array *a);

bool vv_same_decode(const vv_decode *a, const vv_decode *b);
bool vv_same_grouping(const vv_grouping *a, const vv_grouping *b);

#endif
