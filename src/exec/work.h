/* Working on one unit: from stored bytes to a folded state, or to mapped values.
 *
 * A worker is one thread's set of buffers for one step. For each chunk of a unit it makes the inputs' blocks available (block.c: a
 * decompressed chunk in memory, or a window that slides over contiguous data in the file), then walks the chunk's box in rows and the rows in
 * tiles: decode each input's tile, run the program, fold the values into the state (fold.c). Everything between the block and
 * the state stays in the first-level cache. */
#ifndef VV_EXEC_WORK_H
#define VV_EXEC_WORK_H

#include "kernels/codec.h"
#include "plan/cost.h"
#include "plan/place.h"

/* What the tasks of this rank know of a step's inputs. */
typedef struct vv_feed {
    const vv_source *source;
    vv_raw_file file;   /* open when source->raw */
    vv_chunk_at *chunk; /* of this rank's tasks, in their order; NULL unless raw and chunked */
    vv_file *slow;      /* opened on first use by the format's own reading */
} vv_feed;

/* One step as this rank runs it. */
typedef struct vv_job {
    const vv_plan *plan;
    const vv_step *step;
    int number; /* of the step */
    vv_work work;
    bool streams; /* inputs are read through windows */
    bool
        whole_dims; /* loops join only across dimensions that a chunk covers whole: in virtual chunks of contiguous data */
    vv_feed feed[VV_PROGRAM_INPUTS];
    vv_index own; /* units of this rank */
} vv_job;

typedef struct vv_block {
    const void *bytes; /* stored elements; NULL for a streamed block */
    vv_decode decode;
    vv_index total;               /* elements in the block */
    vv_index stride[VV_MAX_DIMS]; /* of the chunk's box, in elements */
    vv_index first; /* element of the box's first element: in the block, or in the variable when streamed */
    bool constant;  /* never written: `fill` repeated, decoded into the tile */
    vv_index run, run_start,
        run_cycle; /* streamed: elements [run_start, run_start + run) of every run_cycle lie together */
    vv_index window_first, window_n; /* streamed: elements in memory */
} vv_block;

typedef struct vv_worker {
    const vv_job *job;
    bool (*stop)(void *context); /* asked between chunks: true ends the unit early */
    void *context;
    vv_codec *codec;
    char *stored;
    char *memory[VV_PROGRAM_INPUTS]; /* blocks or windows */
    char *program;                   /* workspace, then a tile per input */
    vv_block block[VV_PROGRAM_INPUTS];
    vv_bytes read; /* stored bytes since the worker was made */
} vv_worker;

VV_WARN_UNUSED vv_status vv_worker_open(const vv_job *job, vv_worker *w);
void vv_worker_close(vv_worker *w);

/* Runs a unit: folds into `state` (initialised here), or writes the values of a map chunk to it. position: of its first chunk among
 * this rank's chunks. */
VV_WARN_UNUSED vv_status vv_worker_run(vv_worker *w, vv_unit u, vv_index position, void *state);

/* block.c: the inputs of the chunk at `coords`; at: position of the chunk among this rank's, for the index. */
VV_WARN_UNUSED vv_status vv_block_load(vv_worker *w, int input, const vv_index coords[], const vv_box *box,
                                       vv_index at);
/* Values of elements [offset, offset + n) of a block in the working type, n <= VV_TILE: in the block itself or in `tile`. */
VV_WARN_UNUSED vv_status vv_block_tile(vv_worker *w, int input, vv_index offset, vv_index n, void *tile,
                                       const void **values);

#endif
