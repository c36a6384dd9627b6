/* What a plan will cost, before it runs: memory per rank, bytes read, moved and written.
 *
 * The memory figure is a contract: the engine allocates nothing that is not counted here, because both ask the same functions. It takes time in
 * proportion to the steps, never to the chunks, so that a plan over a million chunks starts at once. Bytes are counted chunk by chunk, the way the ranks
 * will run (vv_tally_rank), and therefore only when somebody wants to know: explain, --stats, the model of another machine.
 *
 * What is counted as read, and what the engine therefore must do:
 *   - a unit reads a block anew for each of its chunks, unless the input's block is the one of the chunk before (the same inbox key);
 *   - a box reads every stored chunk in which it wants an element, once for each part; of contiguous data, and of what is read through the format's own
 *     reader, it reads the rows that it wants, each from its first to its last wanted element;
 *   - chunks that were never written, and generated data, are not read.
 *
 * What a rank holds:
 *   threads x buffers of the largest step      vv_work_bytes(), vv_work_total()
 *   states of the reductions                   vv_memory.states
 *   inboxes                                    at most plan->store; what is beyond goes to the scratch directory
 *   finished chunks that wait for a file       vv_memory.results: at most VV_PACKED_HELD, what is beyond goes to the scratch directory
 *   held arrays                                at most plan->keep; what is beyond goes to a scratch file
 *   chunk indexes, messages, tables            vv_memory.index, .messages, .tables */
#ifndef VV_PLAN_COST_H
#define VV_PLAN_COST_H

#include "plan/flow.h"

/* Bytes of messages under way to other ranks from which on a rank begins nothing new; at twice as many it makes no more at all until some have arrived. So many
 * are taken in before they are looked at; one message more when that is larger. */
enum { VV_FLIGHT = 2 << 20, VV_TAKEN = 1 << 20 };
/* Small pieces for one rank go together, up to so many bytes. */
enum { VV_PARCEL = 64 << 10 };
/* What precedes the elements of a piece, a partial result or a finished chunk in its message. */
enum { VV_MESSAGE_HEAD = 64 };
/* A piece's head tells where it lies in its inbox, along so many dimensions; more of them take other lines of so many, each as long as a head. */
enum { VV_PIECE_SPANS = 5, VV_PIECE_LINE = 8 };
static inline vv_bytes vv_piece_head(const vv_box *inbox)
{
    int n = -VV_PIECE_SPANS;
    for (int d = 0; d < inbox->nd; d++) n += inbox->n[d] != 1;
    return VV_MESSAGE_HEAD * (1 + (n > 0 ? vv_ceil_div(n, VV_PIECE_LINE) : 0));
}
/* And its values fill whole words. */
static inline vv_bytes vv_piece_room(vv_bytes values)
{
    return (values + 7) / 8 * 8;
}
/* Room for bytes that are copied from file to file: as much as a disk likes to get at once. */
enum { VV_COPY_ROOM = 1 << 20 };
/* What the coordinator keeps of a chunk whose place is known before the run, and what it takes to tell a rank. */
enum { VV_PLACES_TOLD = 40 };
/* Compressed chunks that a rank keeps in memory until they have a place in the file; more go to the scratch directory. What the list of them takes for each. */
enum { VV_PACKED_HELD = 16 << 20, VV_PACKED_ENTRY = 48 };
/* What the coordinator's list of all ranks' chunks takes for each: as sent, in the list that may be half empty, and on its way to storage and back. */
enum { VV_PACKED_PLACING = 24 + 48 + 28 };
/* Pieces of spilled inboxes are gathered to records of at most this size; together such pieces take at most this part of the
 * store's room besides, and never more than VV_SPILL_MOST. */
enum { VV_SPILL_RECORD = 256 << 10, VV_SPILL_SHARE = 6, VV_SPILL_MOST = 8 << 20 };
static inline vv_bytes vv_spill_share(vv_bytes store)
{
    return vv_imin(store / VV_SPILL_SHARE, VV_SPILL_MOST);
}

/* Whether inboxes may have to leave memory. Without a limit (plan->store is VV_INDEX_MAX) nothing is made ready for that. */
static inline bool vv_plan_spills(const vv_plan *p)
{
    return p->store < VV_INDEX_MAX;
}

/* What finishing a chunk goes through: values from states, encoded, decoded again, as stored (exec/write/deliver.c). */
enum { VV_FINISH_VALUES, VV_FINISH_ENCODED, VV_FINISH_DECODED, VV_FINISH_STORED, VV_FINISH_ROOMS };

/* Buffers of one thread that runs a step. Each but block[] may be 0; all count the header of an accounted block. */
typedef struct vv_work {
    vv_bytes block
        [VV_PROGRAM_INPUTS]; /* by input: a decompressed chunk (CHUNK), a window (STREAM), a packed box of working values (BOX, every
                                        * input of a block operation or a product; PUSH: only when the plan may spill, to read it back) */
    vv_bytes stored;  /* a compressed chunk as read */
    vv_bytes decoded; /* a decompressed chunk, or a window of contiguous data, on its way into a box */
    vv_bytes program; /* registers, and a tile for each input */
    vv_bytes special; /* workspace of a block operation or a product */
    vv_bytes blas;    /* what BLAS keeps for a thread; nobody of ours asks for it */
    vv_bytes
        state; /* one piece: states of all results for all groups of the largest output chunk; results of a map chunk */
    vv_bytes room
        [VV_FINISH_ROOMS]; /* finishing an output chunk: kept for the next one, each as large as any step wants it */
    vv_bytes passing;      /* and what it takes only while a chunk is written: as stored, shuffled, compressed */
    vv_index cells;        /* of the largest output chunk, of one group */
    vv_index groups;       /* in it; 1 without groups */
} vv_work;
VV_WARN_UNUSED vv_status vv_work_bytes(const vv_plan *p, const vv_step *s, vv_work *out);
/* The same in parts, for who needs the edges too: those of packed and pushed inputs are made, the others are empty. edge: n_inputs of them. */
VV_WARN_UNUSED vv_status vv_work_edges(const vv_plan *p, const vv_step *s, vv_edge edge[]);
void vv_work_edges_free(const vv_step *s, vv_edge edge[]);
void vv_work_of_edges(const vv_plan *p, const vv_step *s, const vv_edge edge[], vv_work *out);
/* All of a thread's buffers, without states, what finishing takes and what belongs to libraries. */
vv_bytes vv_work_total(const vv_step *s, const vv_work *w);

/* State of one reduction over `cells` cells. States of all results lie one behind the other, each of vv_state_size(); with groups a piece has that as often
 * as there are groups in its output chunk. */
static inline vv_bytes vv_state_size(const vv_red *r, vv_index cells)
{
    return (vv_red_state_bytes(r, cells) + 63) / 64 * 64;
}
/* What a piece has of one result for `cells` cells: its state, or the values of a map; of all results. */
vv_bytes vv_result_bytes(const vv_step *s, int result, vv_index cells);
vv_bytes vv_state_bytes(const vv_step *s, vv_index cells);
/* What a rank holds of an array with these chunks at most, with the heads of blocks. */
vv_bytes vv_held_bytes(const vv_grid *g, vv_dtype type, int ranks);
/* Upper bound of a compressed chunk. */
vv_bytes vv_compressed_bound(vv_bytes raw);
/* Working type of a finished chunk's values. */
vv_dtype vv_step_values(const vv_step *s, int result);
/* Bytes of an inbox's block. */
vv_bytes vv_inbox_bytes(const vv_edge *e, const vv_box *box);

/* --- memory --- */

/* Acts: parts of a plan that have nothing to do with each other need not be there at the same time. Those that hold much run one after the other: all
 * ranks begin the next act when all have ended the one before it (exec/act.c). act: by step; *n: how many. The same on every rank. */
VV_WARN_UNUSED vv_status vv_acts_of(const vv_plan *p, int act[], int *n);

/* Of the rank that holds most, in bytes. States and inboxes are those of the act that has most of them. */
typedef struct vv_memory {
    vv_bytes buffers, states, results, index, messages, tables;
    vv_bytes inboxes;  /* every inbox of every edge */
    vv_bytes held;     /* of those, what is expected to be there at once */
    vv_bytes largest;  /* the largest inbox */
    vv_bytes least;    /* the least store that a plan can run with */
    vv_bytes spilling; /* what it takes to spill at all, if inboxes may have to */
    vv_bytes packed;   /* compressed chunks that go to the scratch directory, at most */
    vv_bytes kept;     /* held arrays in memory */
    int acts;          /* parts of the plan that run one after the other */
    vv_bytes extra;    /* what the caller holds beside the plan: results that rank 0 writes itself */
} vv_memory;
VV_WARN_UNUSED vv_status vv_memory_of(const vv_plan *p, vv_memory *out);
/* Partial results of a reduction that wait for others on one rank while its units run in the order of their numbers, at most. Where inboxes may bring them
 * in another order as many again may wait, and no more (agenda.h). */
vv_index vv_waiting_in_order(const vv_plan *p, const vv_step *s);
/* Peak of a rank that starts at `baseline` with a store of this size. */
vv_bytes vv_memory_peak(const vv_memory *m, vv_bytes store, vv_bytes baseline);

/* --- bytes and work --- */

/* What a step does. Of a compute step: all that its units cause. */
typedef struct vv_tally {
    vv_index tasks, chunks; /* units, and work chunks that they walk */
    vv_index elements;      /* in those chunks */
    vv_bytes read;          /* stored bytes */
    vv_bytes inflated;      /* bytes that came out of inflating */
    vv_index stored;        /* stored chunks read */
    vv_bytes computed;      /* of `read`: not from a file, but made element by element */
    vv_index made;          /* those elements */
    vv_bytes packed;        /* bytes of working values put together into boxes */
    vv_bytes values;        /* of all inputs: bytes of working values that were made available */
    vv_bytes pushed;        /* bytes that went into inboxes, on this rank and others */
    vv_bytes moved;         /* bytes between ranks, heads of messages included */
    vv_bytes across;        /* of these: between machines */
    vv_index messages;      /* what a chunk has for another rank, in parcels of VV_PARCEL */
    vv_bytes written;
    vv_bytes deflated; /* bytes that went into deflating */
} vv_tally;

/* Where bytes are counted. A counter serves any number of ranks, one after the other. */
typedef struct vv_counter vv_counter;
/* index: by source, all chunks; NULL, or an entry NULL: every chunk has the mean size. */
VV_WARN_UNUSED vv_status vv_counter_new(const vv_plan *p, const vv_chunk_at *const index[], vv_counter **out);
void vv_counter_free(vv_counter **c);
/* Adds what a rank does to tally[0 .. n_steps): compute steps count what their units do; read, write and gather steps what is read from
 * them, written and gathered. units: at most so many of a step's units are looked at, spread over all of the rank's, and counted for the rest; 0: all. */
VV_WARN_UNUSED vv_status vv_tally_rank(vv_counter *c, int rank, vv_index units, vv_tally tally[]);
/* Stored bytes of the parts of a source that any rank counted so far has read at least once. */
vv_bytes vv_counter_wanted(const vv_counter *c, int source);

typedef struct vv_step_cost {
    vv_index tasks;
    vv_bytes read, moved, written;
    vv_bytes memory; /* per rank: buffers, states and inboxes of this step */
    vv_bytes
        wanted;     /* read steps, counted: stored bytes of what is wanted at all; read / wanted is the amplification */
    vv_tally tally; /* counted: of all ranks */
    double imbalance; /* counted: elements of the rank that has most, over the mean */
} vv_step_cost;

typedef struct vv_cost {
    bool counted;                  /* bytes are exact; otherwise read and written are estimates, moved is 0 */
    vv_bytes read, moved, written; /* of all ranks */
    vv_bytes across;               /* counted: of what is moved, between machines */
    vv_index messages;             /* counted */
    vv_memory memory;
    vv_step_cost *step; /* n_steps of them; freed with vv_cost_free() */
} vv_cost;

/* Tasks, memory, and estimates of bytes. */
VV_WARN_UNUSED vv_status vv_cost_of(const vv_plan *p, vv_cost *out);
/* Replaces the estimates by exact bytes. */
VV_WARN_UNUSED vv_status vv_cost_count(const vv_plan *p, const vv_chunk_at *const index[], vv_cost *c);
void vv_cost_free(vv_cost *c);

/* The budget, in MB, that would do for a plan that does not fit its own; 0 when it fits. baseline: what a rank holds already. */
vv_bytes vv_cost_enough(const vv_plan *p, const vv_cost *c, vv_bytes baseline);

/* Refuses a plan that does not fit its budget, and says which budget would do. */
VV_WARN_UNUSED vv_status vv_cost_check(const vv_plan *p, const vv_cost *c, vv_bytes baseline);

/* Peak resident set of a rank that starts at `baseline`: what explain shows and the budget is checked against. */
vv_bytes vv_cost_peak(const vv_plan *p, const vv_cost *c, vv_bytes baseline);

#endif
