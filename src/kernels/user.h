/* Functions of the user's on blocks: what a plan says of them, and calling them.
 *
 * The work space of such a step has the dimensions of its result, and with length 1 or whole those that the result lacks. Arrays come as packed boxes of it
 * in working types; what the function gets are elements of the arrays' own types, packed in the order of the arrays' own dimensions. Where that is the same thing
 * (most often) nothing is copied.
 *
 * Kinds differ in the function's signature alone (include/varve/apply.h): a block at once; every position of the first `loops` dimensions; elements
 * in stretches; rows by their position. */
#ifndef VV_KERNELS_USER_H
#define VV_KERNELS_USER_H

#include "base/index.h"
#include "base/symbol.h"
#include "kernels/program/program.h"
#include "varve/function.h"

typedef enum vv_user_kind {
    VV_USER_BLOCKS,   /* vv_block_function */
    VV_USER_LANES,    /* vv_lane_function, at every position of the loops */
    VV_USER_GUFUNC,   /* vv_gufunc_function, likewise */
    VV_USER_SEVERAL,  /* vv_gufuncs_function, likewise: its results lie one behind the other in the step's */
    VV_USER_ELEMENTS, /* vv_element_function */
    VV_USER_INDEX,    /* vv_index_function */
    VV_USER_KINDS
} vv_user_kind;

enum { VV_USER_RESULTS = 16 };

typedef struct vv_user_operand {
    vv_dtype type;
    int nd, dim[VV_MAX_DIMS]; /* what each of its dimensions is in the work; -1: of length 1, for all */
} vv_user_operand;

typedef struct vv_user {
    vv_user_kind kind;
    char *name; /* of the function, for messages */
    vv_symbol symbol;
    vv_function *function; /* on this rank */
    int n_in;
    vv_user_operand in[VV_PROGRAM_INPUTS];
    vv_dtype type; /* of the result */
    int result_nd; /* the result's dimensions are the first ones of the work; behind them only contracted ones follow */
    vv_shape work; /* all of it: a step may make a part */
    vv_index origin[VV_MAX_DIMS]; /* where the step's work begins in it */
    bool whole[VV_MAX_DIMS];      /* all of a dimension in one chunk */
    vv_index chunk[VV_MAX_DIMS];  /* of the work, as the user says; 0: not said */
    vv_index length[VV_MAX_DIMS]; /* of the result along dimensions where it is not the work's; else -1 */
    vv_index piece[VV_MAX_DIMS];  /* and its chunks there */
    vv_index before[VV_MAX_DIMS], after[VV_MAX_DIMS]; /* surroundings */
    bool open[VV_MAX_DIMS];                           /* which end where the arrays end */
    int loops;                                        /* lanes, gufunc: leading dimensions that are walked */
    int n_sizes, size_dim[VV_MAX_DIMS];               /* gufunc: the core dimensions in the signature's order */
    vv_index size[VV_MAX_DIMS];                       /* of those that are no dimension of the work, -1: their length */
    int n_results; /* several: how many, and at which byte of the step's each begins */
    vv_bytes result_at[VV_USER_RESULTS];
    bool by_rank; /* chunk r is that of rank r, and no other one may make it */
    bool lists;
    vv_index list[VV_MAX_DIMS], list_shift[VV_MAX_DIMS]; /* chunks of the whole dimensions */
    vv_bytes scratch;
    vv_bytes data_size;
    void *data;
} vv_user;

VV_WARN_UNUSED vv_status vv_user_copy(const vv_user *u, vv_user **out);
void vv_user_free(vv_user **u);
/* The same function of the same data, in the same way; not: called the same, or of the same box. */
bool vv_user_equal(const vv_user *a, const vv_user *b);
/* Plain numbers are within bounds: what a rank checks before it uses them. nd: of the step's work. */
bool vv_user_valid(const vv_user *u, int nd);
/* Along dimension d of the work the result has elements of its own. */
static inline bool vv_user_differs(const vv_user *u, int d)
{
    return u->length[d] >= 0;
}

/* Position by position of the loops. */
static inline bool vv_user_walks(const vv_user *u)
{
    return u->kind == VV_USER_LANES || u->kind == VV_USER_GUFUNC || u->kind == VV_USER_SEVERAL;
}

/* Where the blocks of a call are. */
typedef struct vv_user_blocks {
    vv_grid work; /* the step's */
    vv_box box;   /* the chunk, in it */
    vv_box out;   /* the result's chunk, likewise */
    const void
        *in[VV_PROGRAM_INPUTS]; /* first element that belongs to the call, surroundings included; working types */
    vv_index stride[VV_PROGRAM_INPUTS][VV_MAX_DIMS]; /* along the work's dimensions */
    const bool *follows[VV_PROGRAM_INPUTS]; /* the work's dimensions along which the operand's box has elements */
    void *result;                           /* of the working type of u->type */
} vv_user_blocks;

/* Which chunk of the whole work, along dimension d, a chunk of the step's work that begins at `lo` is; of *count. */
vv_index vv_user_number(const vv_user *u, const vv_grid *work, int d, vv_index lo, vv_index *count);
/* Bytes that a call wants besides; n: the largest chunk of the work, out: of the result, follows[]: by operand, the work's dimensions along which its box has elements. */
vv_bytes vv_user_workspace(const vv_user *u, const vv_index n[], const vv_index out[], const bool *const follows[]);
/* Calls the function for a chunk. VV_ERR_RUN, or the function's own code, when it fails. workspace: aligned to 64 bytes. */
VV_WARN_UNUSED vv_status vv_user_run(const vv_user *u, const vv_user_blocks *b, void *workspace);

#endif
