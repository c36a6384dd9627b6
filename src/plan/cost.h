/* What a plan will cost, before it runs: memory per rank, bytes read, moved and written.
 *
 * The memory figure is the contract: it is never under what a rank will hold, and the engine allocates nothing that it does not count.
 * Exec and this file share vv_work_bytes(), so that the buffers they speak of are the same. */
#ifndef VV_PLAN_COST_H
#define VV_PLAN_COST_H

#include "plan/plan.h"

/* Buffers of one thread that runs a step. */
typedef struct vv_work {
    vv_bytes stored;  /* a compressed chunk as read */
    vv_bytes block;   /* one input's block: a decompressed chunk, or a window of a streamed one */
    vv_bytes program; /* registers, and a tile for each input */
    vv_bytes state;   /* one state of all reductions over the largest output chunk; results of a map chunk */
    vv_bytes finish;  /* values, encoded values and their compressed form, of one output chunk */
    vv_index cells;   /* of the largest output chunk */
} vv_work;
void vv_work_bytes(const vv_plan *p, const vv_step *s, vv_work *out);

/* State of all reductions of a step, over `cells` cells: one behind the other, each of vv_state_size(). */
static inline vv_bytes vv_state_size(const vv_red *r, vv_index cells)
{
    return (vv_red_state_bytes(r, cells) + 63) / 64 * 64;
}
vv_bytes vv_state_bytes(const vv_step *s, vv_index cells);
/* Upper bound of a compressed chunk. */
vv_bytes vv_compressed_bound(vv_bytes raw);

typedef struct vv_step_cost {
    vv_index tasks;
    vv_bytes read, moved, written;
    vv_bytes memory; /* per rank, of the rank that holds most */
} vv_step_cost;

typedef struct vv_cost {
    vv_bytes read, moved, written; /* of all ranks */
    vv_bytes memory;               /* per rank, beyond what the process holds before it starts */
    vv_step_cost *step;            /* n_steps of them; freed with vv_cost_free() */
} vv_cost;

VV_WARN_UNUSED vv_status vv_cost_of(const vv_plan *p, vv_cost *out);
void vv_cost_free(vv_cost *c);

/* Refuses a plan that does not fit its budget, and says which budget would do. baseline: what a rank holds already. */
VV_WARN_UNUSED vv_status vv_cost_check(const vv_plan *p, const vv_cost *c, vv_bytes baseline);

/* Peak resident set of a rank that starts at `baseline`: what explain shows and the budget is checked against. */
vv_bytes vv_cost_peak(const vv_cost *c, vv_bytes baseline);

/* The plan and its cost for people, or as JSON. */
void vv_explain_text(const vv_plan *p, const vv_cost *c, vv_bytes baseline, vv_buf *out);
void vv_explain_json(const vv_plan *p, const vv_cost *c, vv_bytes baseline, vv_buf *out);

#endif
