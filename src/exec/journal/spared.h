/* What need not be computed in a run that goes on with a journal (journal.h): its *spared* units wait for nothing.
 *
 *   a node of the journal covers the unit                                  it brings the node
 *   all that a map makes of this chunk is in the journal or in the output  it brings that to the new output (restore.c)
 *   and whoever it would push it to is spared, too                         it does nothing; so what feeds finished chunks alone is not read again
 *
 * All ranks find the same, from the plan; inboxes for which only spared units would wait are not made. */
#ifndef VV_EXEC_JOURNAL_SPARED_H
#define VV_EXEC_JOURNAL_SPARED_H

#include "plan/flow.h"

typedef struct vv_spared vv_spared;

/* edge: of an input, NULL for those that are not pushed. *out stays NULL for a plan without a journal to go on with: nothing is spared then. */
typedef const vv_edge *vv_edge_of(const void *context, int step, int input);
VV_WARN_UNUSED vv_status vv_spared_find(const vv_plan *p, int rank, vv_edge_of *edge, const void *context,
                                        vv_spared **out);
void vv_spared_free(vv_spared **s);

/* s: may be NULL. Whether a unit is spared; any unit of a step; whether a unit of this rank waits for an inbox. */
bool vv_spared_has(const vv_spared *s, int step, vv_unit u);
bool vv_spared_any(const vv_spared *s, int step);
bool vv_spared_waits(const vv_spared *s, int step, int input, vv_index key);

#endif
