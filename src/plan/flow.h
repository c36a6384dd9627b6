/* What flows from step to step: inboxes, who fills them and who waits for them. Pure functions of the plan.
 *
 * An input with VV_ACCESS_PUSH gets its elements from tasks of earlier steps. All tasks whose work chunks agree along the dimensions that the input
 * depends on want the same elements: they share one *inbox* on their rank. Its key is the row-major number of the work chunk's grid coordinates along those dimensions
 * (others count as one chunk). An inbox is a packed row-major block over the dimensions of the work space that the input depends on (extent 1 along
 * the others), the work chunk's box with its halo, not clipped: elements outside of the work space and those that no part covers
 * are fill values from the start.
 *
 * Where an input looks its elements up in a table (vv_input.lookup), the block lies in the source's indices along that dimension: all that the work chunk's
 * table entries span, rounded to whole chunks of the source. Work chunks with the same span share the inbox. The edge's parts are those of the input as seen
 * from that block: `part`, without a table.
 *
 *     clim[lat, lon] wanted by anomaly[time, lat, lon]: one inbox for each (lat, lon) chunk and rank, however many chunks time has
 *     a halo of 1 along y: an inbox per chunk; a producer's chunk has pieces for its own place and for its neighbours'
 *
 * When a producer's output chunk is finished, its owner asks for the pieces (vv_flow_pieces) and puts each into its own inbox, or sends it to
 * the ranks that have tasks waiting for it. */
#ifndef VV_PLAN_FLOW_H
#define VV_PLAN_FLOW_H

#include "plan/place.h"

/* Steps that feed each other, over any number of others, are one component: component[] gets the number of its first step, by step. */
void vv_components(const vv_plan *p, int component[]);

/* One input of one step. */
typedef struct vv_edge {
    const vv_plan *plan;
    int step, input;
    bool follows[VV_MAX_DIMS];   /* by work dimension: the input depends on it */
    vv_index count[VV_MAX_DIMS]; /* keys along each work dimension; 1 where it does not */
    vv_index keys;               /* inboxes of all: their product */
    int lookup;                  /* the work dimension that is looked up; -1: none */
    vv_index *span_of;           /* by chunk along it: the number of its span */
    vv_index *span_lo, *span_n;  /* by span: in the source's indices */
    vv_index *user_first, *user; /* chunks along it by span: user[user_first[span] .. user_first[span + 1]) */
    vv_index *near_first, *near; /* spans by the source's chunk along the table's dimension, likewise */
    int n_parts;
    vv_part *part; /* target: the inboxes' space */
    int ordered;   /* a dimension along which the parts follow each other, as those of joined files do; -1: none */
} vv_edge;
VV_WARN_UNUSED vv_status vv_edge_make(const vv_plan *p, int step, int input, vv_edge *out);
void vv_edge_free(vv_edge *e);

/* The inbox that the work chunk at `coords` uses; the box of an inbox: with halo, perhaps reaching outside of the work space; 1 element at
 * 0 along dimensions that the input does not depend on. The same box for any access: also what VV_ACCESS_BOX puts together. */
vv_index vv_edge_key(const vv_edge *e, const vv_index coords[]);
void vv_edge_box(const vv_edge *e, vv_index key, vv_box *out);
/* The parts that may have elements of a box are among [*first, *end). */
void vv_edge_near(const vv_edge *e, const vv_box *box, int *first, int *end);
/* How many of the box's elements are pushed. */
vv_index vv_edge_due(const vv_edge *e, vv_index key);

/* Calls back for every piece of an output chunk `out` of the step that part `part` of the edge comes from which some inbox wants: its key, and its box in the
 * inboxes' space. All elements of a piece come from this output chunk, at a constant stride along every dimension. Stops at the first failure. */
typedef vv_status vv_flow_visitor(void *context, const vv_edge *e, int part, vv_index key, const vv_box *piece);
VV_WARN_UNUSED vv_status vv_edge_pieces(const vv_edge *e, int part, vv_index out, vv_flow_visitor *visit,
                                        void *context);
/* Where a piece's elements lie in the producer's chunk: offset of its first one, and the stride along every dimension of the inboxes' space. layout: strides
 * along the chunk's own dimensions; NULL: it is packed. */
void vv_piece_strides(const vv_edge *e, int part, vv_index out, const vv_box *piece, const vv_index layout[],
                      vv_index *first, vv_index stride[]);

/* Ranks that have a task that uses this inbox: sets want[0 .. ranks); returns how many. */
int vv_edge_ranks(const vv_edge *e, vv_index key, int ranks, bool want[]);

/* Walks the units of a rank (of all ranks: -1) that use an inbox, one for each (unit, chunk) in order; false at the end.
 * A walker starts zeroed but for its first four fields. */
typedef struct vv_waiting {
    const vv_edge *edge;
    vv_index key;
    int rank, ranks;
    bool begun;
    vv_index at[VV_MAX_DIMS + 1]; /* grid coordinates of the work chunk, and the group block */
} vv_waiting;
bool vv_waiting_next(vv_waiting *w, vv_unit *u, vv_index coords[]);

#endif
