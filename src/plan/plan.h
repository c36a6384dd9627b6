/* The plan: what to compute, as plain data that every rank can read.
 *
 * A plan is a list of steps over whole arrays, never a list of tasks. Its size does not depend on how many chunks there are: each rank works out
 * its own share from pure functions (place.h, flow.h). Steps:
 *
 *   read    a stored, held or generated variable; fused into the steps that use it, never a task of its own
 *   map     new elements from those at the same place: an elementwise program, or an operation on a whole block with its surroundings, or a function
 *           of the user's on blocks of several arrays; or matrices made from pieces of matrices (kernels/tile/tile.h)
 *   reduce  the same, with its values folded into cells by one or several reductions, perhaps group by group; or a matrix product
 *   write   a result goes to a variable of the output file
 *   gather  a result goes to a buffer on rank 0
 *   keep    a result's chunks stay with the ranks that own them, for later plans
 *
 * Work space: a map or reduce step walks one index space, cut into chunks by its `work` grid. Every input is a *view* of that space
 * (base/view.h): for each element of the work space it says which element of which earlier step is meant, or none. With the halo of an input and
 * the labels of a group this is the closed list of index maps: same chunk, broadcast, permute, region (slice, pad, roll, concatenate, stack, rechunk),
 * halo, reduce, group, all along dimensions (a chunk as long as the dimension), explicit table.
 *
 * How a chunk's elements get to it is the input's *access*: straight from a file, or pushed by the tasks of an earlier step, piece by piece,
 * into an inbox that completes when all have come (flow.h).
 *
 * Grid, leaf and tree depend on shapes and stored chunks alone: never on ranks, threads or memory. That is why results have the same bits
 * everywhere. (The exception proves the rule: how many groups share an output chunk follows the budget; partial results of absent groups change no bit.)
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
#include "base/view.h"
#include "kernels/block/op.h"
#include "kernels/codec/decode.h"
#include "kernels/program/program.h"
#include "kernels/random/random.h"
#include "kernels/reduce.h"
#include "kernels/tile/tile.h"
#include "kernels/user.h"
#include "storage/storage.h"

enum { VV_MAX_RESULTS = VV_PROGRAM_OUTPUTS };

typedef enum vv_step_op {
    VV_STEP_READ,
    VV_STEP_MAP,
    VV_STEP_REDUCE,
    VV_STEP_WRITE,
    VV_STEP_GATHER,
    VV_STEP_KEEP,
    VV_STEP_OPS
} vv_step_op;
/* Those that can be asked for; and a map where the chunks of a held array are. */
typedef enum vv_placement {
    VV_PLACE_OUTPUTS,
    VV_PLACE_LEAVES,
    VV_PLACE_CYCLIC,
    VV_PLACEMENTS,
    VV_PLACE_HELD = VV_PLACEMENTS,
    VV_PLACE_FIRST, /* all on rank 0: what has a buffer there */
    VV_PLACE_ALL
} vv_placement;

/* How the elements of an input get to the task that wants them. */
typedef enum vv_access {
    VV_ACCESS_STREAM, /* contiguous data, read through a window as the program runs over it; of a reduction all inputs or none */
    VV_ACCESS_CHUNK, /* the one stored chunk that the work chunk lies in, decoded tile by tile */
    VV_ACCESS_BOX,   /* a box put together from files (or generated): one packed block of working values */
    VV_ACCESS_PUSH,  /* an inbox that tasks of earlier steps fill: one packed block of working values */
    VV_ACCESSES
} vv_access;

/* A variable and how to read it without opening its file's metadata again. */
typedef struct vv_source {
    char *path, *variable;
    vv_stamp stamp;     /* of the file when it was opened: all ranks read that version, or none */
    bool raw;           /* stored bytes are read directly; else through the format's own read */
    bool generated;     /* nothing is stored: elements are random numbers of their linear index */
    bool given;         /* generated: by a copy from a buffer that rank 0 has */
    const void *buffer; /* there; stays with the coordinator */
    int held;           /* number of a held array, whose chunks the ranks have (vv_held_owner); 0: none */
    vv_random random;
    bool chunked;    /* stored in chunks; else one piece at `address` */
    bool compressed; /* by one of its filters */
    int n_filters;   /* vv_variable.filter */
    unsigned char filter[VV_MAX_FILTERS];
    vv_grid stored;               /* its shape and stored chunks */
    vv_index absent[VV_MAX_DIMS]; /* at the end of each dimension: fill, whatever chunks hold there */
    vv_decode decode;
    unsigned char fill[16]; /* a never-written element, host order */
    vv_bytes address;       /* of contiguous data, -1 when never written */
    vv_bytes
        pitch; /* of contiguous data: bytes from one index of the first dimension to the next, where other things lie between; else 0 */
    vv_bytes largest; /* stored bytes of the largest chunk */
    vv_bytes total;   /* stored bytes of all */
} vv_source;

typedef struct vv_input {
    int n_parts;
    vv_part *part; /* target: the work space; from: an earlier step */
    vv_access access;
    vv_dtype type; /* element type as its array has it; working values of it are what programs see */
    double fill;   /* of elements that no part covers */
    bool
        lookup; /* the only part has a table with few entries for many elements: along its dimension the block holds the source's indices, not the
                  * work space's, and each element is looked up */
    vv_index before[VV_MAX_DIMS],
        after[VV_MAX_DIMS]; /* halo: elements wanted around the work chunk, by work dimension */
} vv_input;

typedef struct vv_result {
    vv_dtype type;               /* of its elements */
    int value;                   /* register of the program with its elements, or with those that it folds */
    int more[VV_RED_VALUES - 1]; /* those with the other values that it folds: red.spec->n_values - 1 of them */
    vv_red red;                  /* of a reduce step; its spec is shared */
    char *name;
} vv_result;

/* Groups of a reduce step: along work dimension `dim` (reduced) every element belongs to the group of its label. In the result the groups are
 * a dimension in its place. */
typedef struct vv_groups {
    int dim;         /* -1: none */
    vv_index n;      /* groups */
    vv_index chunk;  /* of them in an output chunk */
    vv_table *label; /* by index along dim; -1: in no group */
    /* Made by vv_step_complete(): for each block of `chunk` groups, the work chunks along dim that have a label of it, ascending (present[first[b] .. first[b + 1])), and
     * the numbers of the leaves that these are in (leaf[leaf_first[b] .. leaf_first[b + 1])). */
    vv_index *first, *present, *leaf_first, *leaf;
} vv_groups;

/* Placed by the chunks of a held array: the chunk of it that the first chunk of the work lies in, and how many it has, by dimension. */
typedef struct vv_within {
    vv_index first[VV_MAX_DIMS], count[VV_MAX_DIMS];
} vv_within;

/* New elements of a variable that the output has already. */
typedef struct vv_grown {
    bool on;
    vv_grid grid; /* chunks as the file has them; as many as the step has, in the same order */
    int dim;      /* along which it grows, with what follows */
    vv_index
        kept; /* elements at the begin of the grid that are those of plan->original: the step's own in their place mean nothing */
    vv_index first; /* where the grid begins in the file */
} vv_grown;

/* Where a write step's elements go. */
typedef struct vv_write_to {
    vv_bytes
        address; /* of contiguous data, or of chunks without filters that follow each other; written collectively: the variable's object */
    int variable; /* number in the output file; keep: of the held array */
    bool chunked; /* chunks are the grid of the step, compressed by the rank that has them */
    int deflate;  /* level, -1 without */
    int zstd;     /* level from 1, 0 without */
    bool shuffle;
    bool sum;       /* a Fletcher-32 sum behind each chunk */
    bool sum_first; /* of its elements, and shuffled and compressed with them; else of what is stored */
    bool swap;      /* stored in the other byte order */
    vv_encode encode;
    vv_grown grown;
} vv_write_to;

typedef struct vv_step {
    vv_step_op op;
    char *name;
    vv_grid grid;        /* chunks of the result */
    int source;          /* read */
    int from, result_of; /* write, gather: the step and which of its results */
    vv_write_to to;      /* write; gather: its encoding */

    /* map and reduce */
    int n_inputs;
    vv_input *input;
    vv_program *
        program; /* over its inputs' values, with a result for each of the step's; NULL for a block operation, a product or tiles */
    bool block; /* map: `call` makes the chunk from the only input's block with its halo */
    vv_block_call call;
    vv_user *user; /* likewise, of all its inputs' blocks: a function of the user's instead of `call`; NULL: none */
    bool
        tiled; /* map: `tile` makes the chunk from one of the first input and all of the second one, whose dimensions are behind the first one's */
    vv_tile_call tile;
    bool product; /* reduce: the two inputs are multiplied and summed over the reduced dimensions, chunk by chunk */
    vv_grid work; /* chunks of the elements that go in */
    bool
        reshaped; /* map: the result's chunks have the same elements in the same order, but in another shape (base/reshape.h) */
    vv_shape shown;
    bool reduced[VV_MAX_DIMS]; /* reduce: dimensions of `work` */
    bool join[VV_MAX_DIMS];    /* dimensions d - 1 and d are walked as one where the chunk is full along d */
    vv_groups groups;          /* reduce */
    vv_index length; /* reduce: every cell is finished as so many elements, along a last dimension; 0: as one */
    vv_index
        leaf; /* reduce: chunks in a leaf (with groups: chunks along their dimension, with all of the other reduced dimensions behind them) */
    bool shaped; /* joins and leaf are decided: those of the whole array that this is a box of; while lowering */
    vv_placement placement;
    vv_within within; /* where placed by held chunks */
    int copied_to; /* map: the write step that takes chunks as they are stored, where they are stored ones (copy.h); 0: none */
    bool copied_all; /* every chunk is one: nothing is computed */
    int told_to; /* map: the write step whose chunks get their places before the run, each rank those of its own: chunks that are copied, and all chunks
                      * of a variable without filters; 0: none */
    int n_results;
    vv_result result[VV_MAX_RESULTS];
    char *why; /* what the planner chose and why, for explain: "held: ...", "read again: ..."; may be NULL; stays with
                * the coordinator, does not travel */
} vv_step;

/* What an earlier run has left in its journal (exec/journal/journal.h), and where it lies: node (level, i) of the tree of an output chunk; or, of a write step, a finished
 * chunk as it is stored. */
typedef struct vv_saved {
    int step, run, rank; /* whose file */
    bool done;           /* which one of its two */
    bool placed;         /* it is in that run's output: `at` there, or the variable is, where it is contiguous */
    vv_index out, level, i;
    vv_bytes at, size;
    uint64_t sum;
} vv_saved;

typedef struct vv_plan {
    int ranks, threads;
    const int *
        node; /* by rank: the number of its machine; NULL: there is one. The coordinator's own, to foretell what goes between machines: does not travel */
    vv_bytes budget; /* per rank, 0 unlimited */
    vv_bytes store;  /* per rank, bytes of inboxes in memory; what is beyond goes to `scratch` */
    vv_bytes keep;   /* per rank, bytes of held arrays in memory; likewise */
    vv_bytes
        held; /* of held arrays, with those that this plan makes, on the rank that has most; the coordinator's own */
    int n_drops, *drop; /* held arrays that nobody wants any more: they go when the plan begins */
    int policy;         /* exec/sched.h */
    int64_t fuzz;       /* seed of a random schedule, for tests; 0: none */
    int log;            /* vv_log_level for all ranks */
    int report_every;   /* milliseconds between what a rank reports of its progress; 0: nothing */
    int trace;          /* so many things at most that a rank tells of what its threads did when; 0: nothing */
    bool fill_bad;      /* damaged chunks become missing values instead of ending the run */
    bool
        collective; /* finished chunks wait until the end, and all ranks write them together (exec/write/collective.c) */
    char *output;   /* temporary path of the output file, NULL when there is none */
    char *heartbeat;   /* the file beside it that tells how the run is getting on (observe/beat.h); NULL: none does */
    char *original;    /* the file that is appended to, NULL when none is */
    char *scratch;     /* directory for what does not fit in memory */
    char *journal;     /* directory where partial results are kept, for a run that goes on with them; NULL: none are */
    int journal_run;   /* number of this run there */
    int journal_every; /* milliseconds */
    int64_t journal_end; /* when the job's time is over, in seconds since 1970; 0: not known */
    vv_index n_saved;
    vv_saved *saved; /* by step, out, level, i */
    int n_sources, n_steps;
    vv_source *source;
    vv_step *step;
} vv_plan;

static inline bool vv_plan_crosses(const vv_plan *p, int from, int to)
{
    return p->node && p->node[from] != p->node[to];
}

VV_WARN_UNUSED vv_status vv_plan_new(vv_plan **out);
void vv_plan_free(vv_plan **p);
/* A new zeroed source or step (groups.dim -1); pointers into the plan are valid until the next addition. */
VV_WARN_UNUSED vv_status vv_plan_add_source(vv_plan *p, vv_source **out);
VV_WARN_UNUSED vv_status vv_plan_add_step(vv_plan *p, vv_step_op op, const char *name, vv_step **out);
void vv_step_free(vv_step *s); /* what is in it */
void vv_result_free(vv_result *r);
/* The number of a result that is the same, whatever its name; -1 for none. */
int vv_step_find_result(const vv_step *s, const vv_result *like);
/* A new input without parts; a part appended to one (taken over, whatever happens). */
VV_WARN_UNUSED vv_status vv_step_add_input(vv_step *s, vv_input **out);
VV_WARN_UNUSED vv_status vv_input_add_part(vv_input *in, vv_part *part);
/* Fills in what follows from the rest of a map or reduce step: its result grid and the tables of its groups. After this the step is
 * ready for place.h and flow.h. Again after a change of groups.chunk. */
VV_WARN_UNUSED vv_status vv_step_complete(vv_step *s);
/* The chunks of a map or reduce step's result: those of its work along the kept dimensions, and of its groups. A stored chunk may be longer than its
 * dimension; the result's is not. */
void vv_step_result_grid(const vv_step *s, vv_grid *out);

/* Every reference inside a plan points to something that fits: what a rank checks before it trusts bytes. */
VV_WARN_UNUSED vv_status vv_plan_validate(const vv_plan *p);

void vv_plan_pack(const vv_plan *p, vv_buf *out);
VV_WARN_UNUSED vv_status vv_plan_unpack(const void *data, vv_bytes size, vv_plan **out); /* steps completed */
uint64_t vv_plan_hash(const vv_plan *p);
/* Whether the journal of a plan speaks of chunks in the output: then that stays when the run fails. */
bool vv_plan_keeps_output(const vv_plan *p);
/* By step, what it computes from which files: the same for any number of ranks and threads. */
VV_WARN_UNUSED vv_status vv_plan_identities(const vv_plan *p, uint64_t identity[]);

/* True for the steps that have tasks. */
static inline bool vv_step_computes(const vv_step *s)
{
    return s->op == VV_STEP_MAP || s->op == VV_STEP_REDUCE;
}

/* True for those that hand a result to somebody outside of the plan. */
static inline bool vv_step_delivers(const vv_step *s)
{
    return s->op == VV_STEP_WRITE || s->op == VV_STEP_GATHER || s->op == VV_STEP_KEEP;
}

/* An operation on lanes: along their dimensions the result has other lengths than the work. */
static inline bool vv_step_lanes(const vv_step *s)
{
    return s->block && !s->user && vv_block_ops[s->call.op].lanes;
}

/* Along dimension d of its work a step's result has elements of its own making. */
static inline bool vv_step_differs(const vv_step *s, int d)
{
    return s->user ? vv_user_differs(s->user, d) : vv_step_lanes(s) && s->call.along[d];
}

/* Elements of a step's result that are finished from one cell. */
static inline vv_index vv_step_length(const vv_step *s)
{
    return s->length > 0 ? s->length : 1;
}

/* Takes its inputs as packed blocks of working values, wherever they come from. */
static inline bool vv_step_packs(const vv_step *s)
{
    return s->block || s->product || s->tiled;
}

/* Whether a step streams all its inputs. */
static inline bool vv_step_streams(const vv_step *s)
{
    int n = 0;
    while (n < s->n_inputs && s->input[n].access == VV_ACCESS_STREAM) n++;
    return n > 0 && n == s->n_inputs;
}
enum { VV_WINDOW = 256 * 1024 };
/* Rows of streamed data - all that a chunk has at one place of dimension *dim - that are brought into memory together, because they go into the same cells; 0: it is
 * read through windows. And their bytes, of one input. */
vv_index vv_step_rows(const vv_plan *p, const vv_step *s, int *dim);
vv_bytes vv_input_rows(const vv_plan *p, const vv_step *s, int input, vv_index rows);

/* Chunks go to the file as they are encoded: their size is known beforehand. */
static inline bool vv_write_plain(const vv_write_to *to)
{
    return to->chunked && to->deflate <= 0 && to->zstd <= 0 && !to->shuffle && !to->sum;
}

/* The chunks of a write step as the file has them. */
static inline const vv_grid *vv_write_grid(const vv_step *s)
{
    return s->to.grown.on ? &s->to.grown.grid : &s->grid;
}

/* Whether tasks of this step wait for tasks of others. */
bool vv_step_waits(const vv_step *s);

/* Whether chunks are put in order right away, which takes a second buffer: where a sum was taken before shuffling, or the last chunks are cut. */
bool vv_source_straightens(const vv_source *s);

/* The source that a part reads from; NULL when it comes from a computing step. */
const vv_source *vv_part_stored(const vv_plan *p, const vv_part *part);

#endif
