/* The plan: what to compute, as plain data that every rank can read.
 *
 * A plan is a list of steps over whole arrays, never a list of tasks. Its size does not depend on how many chunks there are: each rank works out
 * its own share from three pure functions (place.h). Steps:
 *
 *   read    a stored variable; fused into the steps that use it, never a task of its own
 *   map     an elementwise program over its inputs, chunk by chunk
 *   reduce  the same, with its values folded into cells by one or several reductions
 *   write   a result goes to a variable of the output file
 *   gather  a result goes to a buffer on rank 0
 *
 * The work of a map or reduce step is cut by its `work` grid. A reduce step folds `leaf` consecutive chunks (row-major over the reduced
 * dimensions) into one state, and combines states along a binary tree over leaves. Grid, leaf and tree depend on shapes and stored
 * chunks alone: never on ranks, threads or memory. That is why results have the same bits everywhere.
 *
 *     0 read   t2m[time: 2920, lat: 361, lon: 720] f32 from B.nc, chunks 24 x 181 x 360
 *     1 reduce mean over time of 0 -> [361, 720] f32, 4 chunks, 122 leaves each, placed by outputs
 *     2 write  1 -> t2m
 */
#ifndef VV_PLAN_PLAN_H
#define VV_PLAN_PLAN_H

#include "base/index.h"
#include "base/mem.h"
#include "base/text.h"
#include "kernels/decode.h"
#include "kernels/program.h"
#include "kernels/reduce.h"
#include "storage/storage.h"

enum { VV_MAX_RESULTS = 16 };

typedef enum vv_step_op { VV_STEP_READ, VV_STEP_MAP, VV_STEP_REDUCE, VV_STEP_WRITE, VV_STEP_GATHER } vv_step_op;
typedef enum vv_index_map { VV_MAP_SAME, VV_MAP_REDUCE } vv_index_map;
typedef enum vv_placement { VV_PLACE_OUTPUTS, VV_PLACE_LEAVES, VV_PLACE_CYCLIC, VV_PLACEMENTS } vv_placement;

/* A stored variable and how to read it without opening its file's metadata again. */
typedef struct vv_source {
    char *path, *variable;
    bool raw;     /* stored bytes are read directly; else through the format's own read */
    bool chunked; /* stored in chunks; else one piece at `address` */
    bool deflated, fletcher32;
    int filters;    /* length of the filter pipeline: bits of a chunk's filter mask */
    vv_grid stored; /* its shape and stored chunks */
    vv_decode decode;
    unsigned char fill[16]; /* a never-written element, host order */
    vv_bytes address;       /* of contiguous data, -1 when never written */
    vv_bytes largest;       /* stored bytes of the largest chunk */
    vv_bytes total;         /* stored bytes of all */
} vv_source;

typedef struct vv_edge {
    int step, result;
    vv_index_map map;
} vv_edge;

typedef struct vv_result {
    vv_dtype type; /* of its elements */
    vv_red red;    /* of a reduce step */
    char *name;
} vv_result;

/* Where a write step's elements go. */
typedef struct vv_write_to {
    vv_bytes address; /* of contiguous data */
    int variable;     /* number in the output file */
    bool chunked;     /* chunks are the grid of the step, compressed by the rank that has them */
    int deflate;
    bool shuffle;
    vv_encode encode;
} vv_write_to;

typedef struct vv_step {
    vv_step_op op;
    char *name;
    int n_inputs;
    vv_edge input[VV_PROGRAM_INPUTS];
    vv_grid grid;              /* chunks of the result */
    int source;                /* read */
    vv_program *program;       /* map, reduce: over its inputs' values */
    vv_grid work;              /* map, reduce: chunks of the elements that go in */
    bool reduced[VV_MAX_DIMS]; /* reduce: dimensions of `work` */
    vv_index leaf;             /* reduce: chunks in a leaf */
    vv_placement placement;    /* map, reduce */
    int n_results;             /* map: 1 */
    vv_result result[VV_MAX_RESULTS];
    vv_write_to to; /* write; gather: its encoding */
} vv_step;

typedef struct vv_plan {
    int ranks, threads;
    vv_bytes budget; /* per rank, 0 unlimited */
    int log;         /* vv_log_level for all ranks */
    bool progress;   /* ranks report progress */
    char *output;    /* temporary path of the output file, NULL when there is none */
    int n_sources, n_steps;
    vv_source *source;
    vv_step *step;
} vv_plan;

VV_WARN_UNUSED vv_status vv_plan_new(vv_plan **out);
void vv_plan_free(vv_plan **p);
/* A new zeroed source or step; pointers into the plan are valid until the next addition. */
VV_WARN_UNUSED vv_status vv_plan_add_source(vv_plan *p, vv_source **out);
VV_WARN_UNUSED vv_status vv_plan_add_step(vv_plan *p, vv_step_op op, const char *name, vv_step **out);

/* Every reference inside a plan points to something that fits: what a rank checks before it trusts bytes. */
VV_WARN_UNUSED vv_status vv_plan_validate(const vv_plan *p);

void vv_plan_pack(const vv_plan *p, vv_buf *out);
VV_WARN_UNUSED vv_status vv_plan_unpack(const void *data, vv_bytes size, vv_plan **out);
uint64_t vv_plan_hash(const vv_plan *p);

/* True for the steps that have tasks. */
static inline bool vv_step_computes(const vv_step *s)
{
    return s->op == VV_STEP_MAP || s->op == VV_STEP_REDUCE;
}

/* The chunks of a map or reduce step's result: those of its work along the kept dimensions. A stored chunk may be longer than its dimension; the
 * result's is not. */
void vv_step_result_grid(const vv_step *s, vv_grid *out);

/* Whether a step streams its inputs: when none of them is stored in chunks, windows of them are read as the program runs over them, instead of
 * whole chunks beforehand. */
bool vv_step_streams(const vv_plan *p, const vv_step *s);
enum { VV_WINDOW = 256 * 1024 };

#endif
