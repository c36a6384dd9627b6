/* The store: inboxes of this rank, in memory or, beyond its limit, in a scratch file.
 *
 * An input that is pushed (plan/flow.h) gets its elements piece by piece from tasks of earlier steps, here and on other ranks. All work chunks
 * that want the same elements share one inbox. Its life:
 *
 *   made      when its first piece arrives: all fill values, elements still due counted, uses counted - one for each (unit, chunk) of this
 *             rank that waits for it. An inbox for which nothing is due is made when somebody uses it.
 *   complete  when nothing is due any more. It gets the next sequence number.
 *   gone      after its last use.
 *
 * A unit can run when the inboxes of all its chunks and inputs are complete. Nobody keeps a list of units: whoever completes an inbox walks the units
 * that wait for it (vv_waiting) and runs those for which this inbox was the last. "Last" is the largest sequence number, and numbers are given under one lock,
 * so exactly one walk finds a unit to be its own. Units that wait for nothing at all have the number 0: they are found by a walk over all units.
 *
 * Memory: inboxes take at most `limit` bytes. One that would take more when it is made is *spilled*: its pieces are appended to the scratch
 * file (spill.h) and put together in a thread's own room at every use - or in memory for good when there is room again. Taking a piece never
 * waits for anything, so ranks cannot block each other by being full.
 *
 * Any thread may call everything but new and free. */
#ifndef VV_EXEC_PUSH_STORE_H
#define VV_EXEC_PUSH_STORE_H

#include "exec/journal/spared.h"
#include "exec/push/spill.h"
#include "plan/cost/cost.h"

typedef struct vv_store vv_store;

VV_WARN_UNUSED vv_status vv_store_new(const vv_plan *plan, int rank, vv_store **out);
void vv_store_free(vv_store **s);

/* What need not be computed; NULL: everything has to be. */
const vv_spared *vv_store_spared(const vv_store *s);

/* The edge of an input; NULL for one that is neither pushed nor put together from files. */
const vv_edge *vv_store_edge(const vv_store *s, int step, int input);

/* Elements of an inbox arrive: those of box `piece` (in the inboxes' space), working values at values[sum at[d] * stride[d]]. *sequence: above 0 when the inbox is
 * complete now, the caller then looks after the units that waited for it; else 0. */
VV_WARN_UNUSED vv_status vv_store_put(vv_store *s, int step, int input, vv_index key, const vv_box *piece,
                                      const void *values, const vv_index stride[], int64_t *sequence);

/* Instead of vv_store_put(), for values that stay as they are until the run has ended: where they are all of an inbox, they become it without being copied. *own: the block from
 * vv_mem_get() that they lie in, the store's from then on (NULL); own NULL: somebody else's. *sequence -1: nothing happened, they have to be put. */
VV_WARN_UNUSED vv_status vv_store_lend(vv_store *s, int step, int input, vv_index key, const vv_box *piece,
                                       const void *values, const vv_index stride[], void **own, int64_t *sequence);

/* Whether all inboxes of a unit are complete and the last one has this sequence number (0: nothing is due for any of them). */
bool vv_store_runs(vv_store *s, int step, vv_unit u, int64_t sequence);
/* Whether they are all complete; of a unit that has not run. */
bool vv_store_ready(vv_store *s, int step, vv_unit u);

/* A complete inbox's block: in memory, or read back into `room`. Valid until vv_store_done(), which follows every use. */
VV_WARN_UNUSED vv_status vv_store_use(vv_store *s, int step, int input, vv_index key, void *room, const void **block);
void vv_store_done(vv_store *s, int step, int input, vv_index key);
/* Instead of vv_store_done(), when nobody else will use the inbox and it is in memory of its own: its block is the caller's. false: nothing done. */
bool vv_store_take(vv_store *s, int step, int input, vv_index key, void **block);

/* An inbox had to be spilled, and what is in memory fills most of the limit: consumers should go first. */
bool vv_store_full(const vv_store *s);
/* The scratch file of this rank; inboxes are not the only ones that go there. Bytes that went to it so far. */
vv_spill *vv_store_scratch(const vv_store *s);
vv_bytes vv_store_spilled(const vv_store *s);
/* An inbox that lacks something, if there is one: what is told of a plan that does not come to its end. */
typedef struct vv_lack {
    int step, input;
    vv_index key, due;
} vv_lack;
bool vv_store_lacks(vv_store *s, vv_lack *out);
/* Inboxes there are: 0 at the end of every run that succeeded. */
vv_index vv_store_count(const vv_store *s);

#endif
