/* Working on one unit: from stored bytes, or what earlier steps have made, to a folded state or to mapped values.
 *
 * A worker is one thread's set of buffers, used for all steps. For each chunk of a unit it makes the inputs' blocks available (block.c), each
 * a piece of memory and a stride along every dimension of the work space:
 *
 *   a stored chunk as it was inflated; a few rows of contiguous data that go into the same cells; a window that slides over contiguous data in
 *   the file                                                                                    stored elements, decoded tile by tile
 *   a box put together from files (block_box.c), an inbox that earlier tasks have filled        working values, packed
 *
 * Then it walks the chunk's box in rows and the rows in tiles: decode each input's tile, run the program, fold the values into the state
 * (fold.c, fold_nest.c). Everything between the block and the state stays in the first-level cache. Operations on whole blocks and matrix products take
 * packed blocks as they are (fold_block.c). */
#ifndef VV_EXEC_WORK_H
#define VV_EXEC_WORK_H

#include "exec/net/net.h"
#include "exec/push/keep.h"
#include "kernels/codec/codec.h"
#include "plan/cost/cost.h"
#include "plan/flow.h"

#include <stdatomic.h>

/* --- feeds: the opened sources of a run --- */

/* Chunks from number `first` on have the entries from `at` on, up to where the next stretch begins. */
typedef struct vv_stretch {
    vv_index first, at;
} vv_stretch;

/* The open files of a run with more sources than files may be open: by last use. */
typedef struct vv_pool {
    int open, most;
    struct vv_feed *newest, *oldest;
} vv_pool;

/* A source as this rank reads it. Files are opened by who needs them first. */
typedef struct vv_feed {
    const vv_source *source;
    vv_pool *pool; /* NULL: files stay open until the end */
    int users;     /* in the pool: reading at the moment */
    struct vv_feed *newer, *older;
    _Atomic bool open;      /* file, or slow */
    vv_raw_file file;       /* of a raw source */
    vv_file *slow;          /* of one that the format itself reads */
    int variable;           /* in it */
    vv_keep *keep;          /* of a held source */
    vv_index n_stretches;   /* of chunks that this rank's tasks need, ascending */
    vv_stretch *stretch;    /* one more than that: the end */
    const vv_chunk_at *all; /* the coordinator: every chunk; else NULL */
    const vv_chunk_at *chunk;
    vv_index n_bad; /* damaged chunks met here, each once, ascending; guarded by the lock of feed.c */
    vv_index *bad;
} vv_feed;

typedef struct vv_feeds {
    const vv_plan *plan;
    vv_feed *feed; /* by source */
    vv_feed *
        places; /* by write step: where its chunks go, as far as that is known beforehand; they have a chunk index only */
    vv_pool pool;
    int due;       /* messages with chunk indexes that have not come yet */
    void *message; /* what the stretches and entries are in */
} vv_feeds;

/* rank: this one. index, places: the coordinator's, by source and by write step; they are borrowed. *out stays where it is
 * until it is closed. */
VV_WARN_UNUSED vv_status vv_feeds_open(const vv_plan *p, int rank, vv_chunk_at *const index[],
                                       vv_chunk_at *const places[], vv_feeds *out);
void vv_feeds_close(vv_feeds *f);
/* When all has been read: an error if a file that was read has changed meanwhile, because then some of what was read may be of another version than the rest. */
VV_WARN_UNUSED vv_status vv_feeds_check(const vv_feeds *f);
/* Coordinator: sends every other rank the entries of the chunks that its tasks need. */
VV_WARN_UNUSED vv_status vv_feeds_send(const vv_feeds *f, vv_net *net);
/* What the coordinator sent; takes the message's data. */
VV_WARN_UNUSED vv_status vv_feeds_receive(vv_feeds *f, vv_message *m);

/* The file is open from one to the other. */
VV_WARN_UNUSED vv_status vv_feed_hold(vv_feed *f);
void vv_feed_release(vv_feed *f);
/* Stored bytes of a raw source. Opens its file when it is not open, as vv_feed_read() does. */
VV_WARN_UNUSED vv_status vv_feed_raw(vv_feed *f, vv_bytes at, vv_bytes size, void *out);
/* A raw source's chunk by its number. */
VV_WARN_UNUSED vv_status vv_feed_chunk(const vv_feed *f, vv_index number, vv_chunk_at *out);
/* Elements [first, first + n) of a contiguous variable, in row-major order, as they are stored. */
VV_WARN_UNUSED vv_status vv_feed_elements(vv_feed *f, vv_index first, vv_index n, void *out);
/* Notes that a chunk is damaged; *news: it was not known yet. */
VV_WARN_UNUSED vv_status vv_feed_note_bad(vv_feed *f, vv_index number, bool *news);
/* Damaged chunks of all sources that this rank has met. */
vv_index vv_feeds_bad(const vv_feeds *f);
/* A box through the format's own reader, one thread at a time unless the format says otherwise. */
VV_WARN_UNUSED vv_status vv_feed_read(vv_feed *f, const vv_box *box, void *out);

/* --- work --- */

struct vv_store;

/* One step as this rank runs it. */
typedef struct vv_job {
    const vv_plan *plan;
    const vv_step *step;
    int number; /* of the step */
    vv_work work;
    vv_feed *feed;                          /* by source */
    struct vv_store *store;                 /* inboxes; may be NULL when no input is pushed */
    const vv_edge *edge[VV_PROGRAM_INPUTS]; /* by input; of those that are pushed or put together */
    vv_index own;                           /* units of this rank */
} vv_job;

/* A buffer: a part of the worker's arena, or, where that is too small, a block of its own. */
typedef struct vv_room {
    char *data;
    vv_bytes size;
    char *own;
    vv_bytes own_size;
} vv_room;

typedef struct vv_block {
    const void *bytes; /* stored elements or working values; NULL for a streamed block */
    vv_decode decode;
    vv_index total;               /* elements in the block */
    vv_index stride[VV_MAX_DIMS]; /* along the dimensions of the work space, in elements */
    vv_index first; /* element of the work chunk's first element: in the block, or in the variable when streamed */
    unsigned char fill[16]; /* what `bytes` points to when all elements are this one */
    vv_index run, run_start,
        run_cycle; /* streamed: elements [run_start, run_start + run) of every run_cycle lie together */
    vv_index window_first, window_n; /* streamed: elements in memory */
} vv_block;

/* The elements of a stored variable that are in memory: strides are those of its own dimensions. */
typedef struct vv_slab {
    const void *bytes;
    vv_decode decode;
    vv_index total;
    vv_index origin[VV_MAX_DIMS], stride[VV_MAX_DIMS]; /* index of the first element, and in elements */
    unsigned char fill[16];
} vv_slab;

typedef struct vv_worker {
    const vv_job *job;
    bool (*stop)(void *context); /* asked between chunks: true ends the unit early */
    void *context;
    vv_codec *codec;
    const vv_job *laid; /* the job that the rooms below are laid out for */
    vv_index rows;      /* of streamed data in memory together, along dimension rows_dim of the work; 0: windows */
    int rows_dim;
    bool whole; /* what the last unit has made has no NaN: known of maps alone */
    char *arena;
    vv_bytes arena_size;
    vv_room stored, decoded, program, special;
    vv_room memory[VV_PROGRAM_INPUTS]; /* blocks or windows */
    vv_index key[VV_PROGRAM_INPUTS];   /* what is in memory: an inbox's box, or a stored chunk; -1: nothing of use */
    vv_block block[VV_PROGRAM_INPUTS];
    vv_slab slab[VV_PROGRAM_INPUTS];        /* direct access: what the block is a part of */
    vv_box box[VV_PROGRAM_INPUTS];          /* of a packed block: where it lies in the inboxes' space */
    const vv_edge *edge[VV_PROGRAM_INPUTS]; /* the job's, or */
    vv_edge own_edge[VV_PROGRAM_INPUTS];    /* made here */
    /* Since the worker was made: stored bytes, and seconds. Kernel seconds include decoding. */
    vv_bytes read;
    double seconds_read, seconds_inflate, seconds_kernel;
} vv_worker;

VV_WARN_UNUSED vv_status vv_worker_open(vv_worker *w);
void vv_worker_close(vv_worker *w);
/* At least `size` bytes at r->data; what was there is lost when it has to move. */
VV_WARN_UNUSED vv_status vv_room_for(vv_room *r, vv_bytes size, const char *what);

/* Before a unit: the buffers are as step w->job->step needs them, with nothing in them. */
VV_WARN_UNUSED vv_status vv_worker_begin(vv_worker *w);
/* Runs a unit of step w->job->step: folds into `state` (initialised here), or writes the values of a map chunk to it. */
VV_WARN_UNUSED vv_status vv_worker_run(vv_worker *w, vv_unit u, void *state);

/* States of a piece: of group 0, then of group 1, ..., for each one state after the other of all results.
 * Cells of one group; a state. */
vv_index vv_unit_cells(const vv_step *s, vv_index out);
void *vv_state_at(const vv_step *s, vv_index cells, void *states, vv_index group, int result);

/* finish.c: the values of one result of a finished output chunk, row-major over its box, in working type *type. */
VV_WARN_UNUSED vv_status vv_finish_values(const vv_step *s, vv_index out, const void *state, int result, void *values,
                                          vv_dtype *type);

/* --- block.c: inputs --- */

/* Whether an input's blocks are put together from files: so that they are packed. */
static inline bool vv_block_assembled(const vv_step *s, int input)
{
    vv_access a = s->input[input].access;
    return a == VV_ACCESS_BOX || (a != VV_ACCESS_PUSH && vv_step_packs(s));
}
/* The block of the work chunk at `coords`, and what follows when it is no longer needed. */
VV_WARN_UNUSED vv_status vv_block_load(vv_worker *w, int input, const vv_index coords[], const vv_box *box);
void vv_block_done(vv_worker *w, int input, const vv_index coords[]);
/* Where n elements of a block, `stride` apart, the first one at `offset`, are in memory now: from element `first` of `total` on. */
typedef struct vv_stored {
    const void *bytes;
    vv_index total, first;
} vv_stored;
VV_WARN_UNUSED vv_status vv_block_at(vv_worker *w, int input, vv_index offset, vv_index stride, vv_index n,
                                     vv_stored *out);
/* Values of n <= VV_TILE elements of a block, `stride` apart, the first one at `offset`, in the working type: in the block itself or in `tile`. */
VV_WARN_UNUSED vv_status vv_block_tile(vv_worker *w, int input, vv_index offset, vv_index stride, vv_index n,
                                       void *tile, const void **values);
/* Streamed: n stored elements from `offset` on, which lie together, to where they shall be. */
VV_WARN_UNUSED vv_status vv_block_read(vv_worker *w, int input, vv_index offset, vv_index n, void *to);
/* Longest tile that may be asked for. */
vv_index vv_block_reach(const vv_block *b, vv_index stride);
/* All elements of a block are this working value. */
void vv_block_fill(vv_block *b, vv_dtype type, double value);

/* ahead.c: tells the system what this rank will read when it is done with chunk k of a unit. */
void vv_ahead(const vv_worker *w, vv_unit u, vv_index k);

/* block_slab.c: stored elements into memory. A whole stored chunk; a box of data that is not stored in chunks, or is read through its format. */
VV_WARN_UNUSED vv_status vv_slab_chunk(vv_worker *w, vv_feed *f, const vv_index coords[], vv_room *room, vv_slab *out);
VV_WARN_UNUSED vv_status vv_slab_box(vv_worker *w, vv_feed *f, const vv_box *box, vv_room *room, vv_slab *out);
/* n values, `stride` apart, from element `first` on: where they lie, or in `tile`. */
const void *vv_slab_values(const vv_decode *d, const void *bytes, vv_index total, vv_index first, vv_index stride,
                           vv_index n, void *tile);
/* The current error, told of which source and where. */
vv_status vv_slab_error(const vv_source *s, int nd, const vv_index at[]);

/* block_box.c: the box of an inbox put together from stored parts, as packed working values at `to`. */
VV_WARN_UNUSED vv_status vv_box_assemble(vv_worker *w, int input, const vv_box *box, void *to);

/* --- fold --- */

/* fold_nest.c: all of a box of work elements, inside of a chunk, goes into the chunk's `state`; at: the first element of each block. */
VV_WARN_UNUSED vv_status vv_fold_box(vv_worker *w, const vv_box *chunk, const vv_box *box, const vv_index at[],
                                     char *state);
/* fold_block.c: steps that take packed blocks. */
VV_WARN_UNUSED vv_status vv_fold_tile(vv_worker *w, const vv_index coords[], const vv_box *box, char *state);
VV_WARN_UNUSED vv_status vv_fold_call(vv_worker *w, const vv_box *box, char *state);
VV_WARN_UNUSED vv_status vv_fold_user(vv_worker *w, const vv_box *box, char *state);
VV_WARN_UNUSED vv_status vv_fold_product(vv_worker *w, const vv_box *box, char *state);

#endif
