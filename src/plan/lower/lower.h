/* Lowering: from lazy arrays to a plan.
 *
 * Chains of elementwise operations become one program, fused into the reduction behind them or into one map step. Reductions of the same
 * expression over the same dimensions become one step with several results, and so do steps that walk the same inputs alike: these are read once. */
#ifndef VV_PLAN_LOWER_H
#define VV_PLAN_LOWER_H

#include "array/node.h"
#include "plan/plan.h"

/* What a source was lowered from: for the coordinator, who collects chunk indexes and opens files. Parallel to plan->source. */
typedef struct vv_origin {
    vv_file *file;
    int var;
} vv_origin;

typedef struct vv_target {
    vv_array *array;
    int output_variable; /* written there; -1: gathered on rank 0 */
    int keep;            /* number of the held array that it becomes; 0: it is written or gathered */
    const vv_grid *grid; /* of what is kept: the chunks that it has to have; NULL: those that come about */
    bool chunked;        /* that variable is stored in chunks, which will be those of the step; else in one piece */
    /* out: the deliver step */
    int step;
} vv_target;

typedef struct vv_lowering {
    vv_plan *plan;
    vv_origin *origin;
} vv_lowering;

/* The plan of several targets at once. placement: -1 chooses for each step. The caller frees both parts with vv_lowering_free(). */
VV_WARN_UNUSED vv_status vv_lower(vv_target targets[], int n, int ranks, int placement, vv_lowering *out);
/* The same; columns: long lanes are sorted column by column (array/order/columns.c) instead of one by one. */
VV_WARN_UNUSED vv_status vv_lower_columns(vv_target targets[], int n, int ranks, int placement, bool columns,
                                          vv_lowering *out);
void vv_lowering_free(vv_lowering *l);

#endif
