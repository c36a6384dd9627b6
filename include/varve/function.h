/* What functions of the user's look like that are operations on arrays; apply.h says what they may do, and makes arrays of them. */
#ifndef VARVE_FUNCTION_H
#define VARVE_FUNCTION_H

#include "varve/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* n elements of every array, as many of the result; how many at a time, and which, is no business of the function's. */
typedef int vv_element_function(vv_index n, const void *const in[], void *out, const void *data);

/* Elements of an array by their position: n of them that follow each other along the last dimension, the first one at at[]. */
typedef int vv_index_function(const vv_index at[], vv_index n, void *out, const void *data);

/* A chunk of an array. */
typedef struct vv_chunk {
    const void *data; /* packed, row-major; with lists: NULL */
    vv_dtype dtype;
    int n_dims;
    vv_index length[VV_MAX_DIMS]; /* of the chunk, with what surrounds it */
    vv_index first[VV_MAX_DIMS];  /* position in the array of its first element; below 0 in front of a boundary */
    vv_index shape[VV_MAX_DIMS];  /* of the whole array */
    vv_index number[VV_MAX_DIMS]; /* which chunk this is along each dimension */
    vv_index count[VV_MAX_DIMS];  /* of how many */
    vv_index before[VV_MAX_DIMS], after[VV_MAX_DIMS]; /* vv_map_overlap: so much of length[] is surroundings */
    int n_parts; /* with lists: chunks in row-major order of the contracted dimensions */
    const struct vv_chunk *part;
} vv_chunk;

/* One call. */
typedef struct vv_block_task {
    int n_in;
    const vv_chunk *in;
    const vv_chunk *out; /* where the result's chunk lies */
    void *result;        /* its elements, to be written */
    void *scratch;
    vv_bytes scratch_size;
    const void *data;
    vv_bytes data_size;
    int rank;
} vv_block_task;
typedef int vv_block_function(const vv_block_task *t);

/* All n elements along a dimension, at one position of the others; n_out elements take their place. */
typedef int vv_lane_function(const void *in, vv_index n, void *out, vv_index n_out, const void *data);

/* One position of all dimensions but the core ones. in[k], out: packed elements of the core dimensions. size[]: lengths of the core dimensions, in the order in which the signature has
 * them first. */
typedef int vv_gufunc_function(const void *const in[], void *out, const vv_index size[], const void *data);

/* The same with several results: out[r] are packed elements of the core dimensions of result r. */
typedef int vv_gufuncs_function(const void *const in[], void *const out[], const vv_index size[], const void *data);

/* Reductions (reduction.h): a state of no elements; n elements of every array go into it; a later one goes into it; it becomes results. */
typedef int vv_state_init(void *state, const void *data);
typedef int vv_state_fold(void *state, vv_index n, const void *const in[], const void *data);
typedef int vv_state_combine(void *state, const void *later, const void *data);
typedef int vv_state_finish(const void *state, void *out, const void *data);

#ifdef __cplusplus
}
#endif
#endif
