/* Inboxes of a rank: how many there are, and how many are expected to be open at once. */
#ifndef VV_PLAN_COST_INBOXES_H
#define VV_PLAN_COST_INBOXES_H

#include "plan/cost/cost.h"

typedef struct vv_inboxes {
    vv_bytes all;  /* every one */
    vv_bytes held; /* of those, what is expected to be there at once */
    vv_bytes
        passing; /* what is used up as soon as it is there: not in `held`, because only one step does that at a time */
    vv_bytes largest; /* what a task needs together */
} vv_inboxes;

/* prompt: by step, whether its chunks are finished roughly in row-major order from the start: not those that wait for a whole pass over something.
 * That of this step is set; those before it are known. edge: of its inputs. */
vv_inboxes vv_inboxes_of(const vv_plan *p, bool prompt[], int step, const vv_edge edge[]);

/* Whether every rank makes what it wants of this input itself: nothing of it travels. In time proportional to the ranks. */
bool vv_edge_is_local(const vv_plan *p, const vv_edge *e);

#endif
