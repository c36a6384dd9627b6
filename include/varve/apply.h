/* Functions of your own, in plain C, as operations on lazy arrays. All functions that make arrays: Driver only.
 *
 * An array made here is as lazy as any other: nothing is called until a result is wanted, and then each rank calls the function for its own chunks. Static
 * functions will do; ranks find them by file and offset, so that all have to run the same build of the program. (A library that rank 0 has loaded by
 * itself is loaded there, too.) A function
 *
 * - sees packed, row-major elements of the arrays' own types and writes packed elements of the result's type, which are zero before;
 * - depends on nothing but what it is given, and changes nothing else: variables of the driver's are not there on other ranks. What it is to know besides travels with
 *   it: `data`, a copy of so many bytes;
 * - may be called by several threads at once;
 * - returns 0. Anything else ends the run on all ranks with an error that names the array, the chunk and the rank;
 *   `return vv_error(VV_ERR_RUN, "no convergence at %g", x);` adds your words.
 *
 * Memory: inputs, result and `scratch` bytes of a call are counted before the run, like everything else.
 *
 *     static int celsius(vv_index n, const void *const in[], void *out, const void *data)
 *     {
 *         for (vv_index i = 0; i < n; i++) ((float *)out)[i] = ((const float *)in[0])[i] - 273.15f;
 *         return 0;
 *     }
 *     vv_array *c = vv_map(s, celsius, &t, 1, NULL); */
#ifndef VARVE_APPLY_H
#define VARVE_APPLY_H

#include "varve/array.h"
#include "varve/function.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is said besides; VV_APPLY_OPTIONS_INIT, or NULL, is nothing. */
typedef struct vv_apply_options {
    const char *name; /* of the result; NULL: that of the first array */
    vv_dtype dtype;   /* of the result; VV_NONE: that of the first array, f64 without one */
    const char *dims; /* of the result; see the functions */
    const char *
        chunks; /* "time:100,lat:-1": chunks that the arrays are cut into; -1 is all. Where nothing is said, those of the arrays */
    const char *results; /* "time:10": chunks of the result along dimensions that have another length there */
    const void *data;    /* for the function: copied now, the same address on no rank */
    vv_bytes data_size;
    vv_bytes scratch; /* bytes that it may use during a call */
    bool lists;       /* vv_blockwise: contracted dimensions come chunk by chunk */
} vv_apply_options;
#define VV_APPLY_OPTIONS_INIT                                                                                          \
    {                                                                                                                  \
        NULL, VV_NONE, NULL, NULL, NULL, NULL, 0, 0, false                                                             \
    }

/* --- element by element --- */

/* Arrays are broadcast by the names of their dimensions, as elementwise operations do it. */
VV_API vv_array *vv_map(vv_session *s, vv_element_function *f, vv_array *const arrays[], int n,
                        const vv_apply_options *options);

/* vv_fromfunction(s, hilbert, "i:1000,j:1000", NULL, VV_F64, NULL, 0). chunks NULL: of a fitting size. */
VV_API vv_array *vv_fromfunction(vv_session *s, vv_index_function *f, const char *dims, const char *chunks,
                                 vv_dtype dtype, const void *data, vv_bytes data_size);

/* --- chunk by chunk --- */

/* A function of chunks that lie at the same place. Arrays have the same chunks, or are cut into those of the first one; dimensions that an array lacks are not
 * repeated: its chunk has the dimensions that it has. options->dims are those of the result, in its order, if they are other ones: "time:12,lat,level:5".
 *
 *     a dimension of the arrays in another length   comes whole; or, with options->chunks, chunk by chunk, and options->results says how long the result's chunks are: there
 *                                                   are as many as the function sees
 *     one that no array has                         is new, and in one chunk
 *     one that is not named                         is gone from the result, and comes to the function whole
 *
 * Chunks of different lengths, months say, are listed: options->chunks "time:31+28+31", or vv_rechunk(a, "time:31+28+31") of the first array; at most 4,096 of them. A plan has a step for each.
 *
 * Without arrays (n 0) dims says what is made, and chunks how it is cut.
 *
 *     vv_map_blocks(s, sums, &t, 1, &(vv_apply_options){.dims = "time:12,lat,lon", .chunks = "time:100", .results = "time:1"}) */
VV_API vv_array *vv_map_blocks(vv_session *s, vv_block_function *f, vv_array *const arrays[], int n,
                               const vv_apply_options *options);

/* The same with dimensions by letters, as dask.array.blockwise: vv_blockwise(s, f, "ij,jk->ik", (vv_array *[]){a, b}, 2, NULL). Every letter stands for a dimension;
 * dimensions of the same letter have the same length, or 1. The function gets each array's chunk with its dimensions in the array's order. Letters that the result does not have are
 * contracted: all elements along them come at once, put together, or with options->lists chunk by chunk: then in[k].part[] are the chunks. Letters that no array has are new dimensions, whose
 * lengths options->dims says, "z:5". */
VV_API vv_array *vv_blockwise(vv_session *s, vv_block_function *f, const char *letters, vv_array *const arrays[], int n,
                              const vv_apply_options *options);

/* What the ranks have, each its own: the function is called once on every rank, there and nowhere else, and copies so many elements to t->result. The array has a first dimension
 * `rank` before these: vv_from_ranks(s, mine, "cell:1000", VV_F64, NULL, 0) is (rank, cell). What a rank has it keeps in variables that main() has filled before vv_run(),
 * or reads from where it is. (What rank 0 has: vv_from_buffer().) */
VV_API vv_array *vv_from_ranks(vv_session *s, vv_block_function *f, const char *dims, vv_dtype dtype, const void *data,
                               vv_bytes data_size);

/* A function of chunks and of what surrounds them. depth: "lat:1,lon:2:3" is one element on each side along lat, two before and three after along lon.
 * boundary says what lies outside of the array, for all dimensions or by name, "lat:nearest,lon:periodic":
 *
 *     none       nothing: the first chunk's surroundings end where the array does (chunk.before tells)
 *     periodic   the other end: c d | a b c d | a b
 *     reflect    mirrored at the border: b a | a b c d | d c
 *     mirror     mirrored at the last element: c b | a b c d | c b
 *     nearest    the last element again: a a | a b c d | d d
 *     a number   this value: "lat:0"
 *
 * NULL: none. The function writes the chunk without surroundings: element i of the result lies at before + i of the input, so that nothing is trimmed. Any depth will do, also one
 * that reaches over several chunks. */
VV_API vv_array *vv_map_overlap(vv_session *s, vv_block_function *f, vv_array *const arrays[], int n, const char *depth,
                                const char *boundary, const vv_apply_options *options);

/* --- along dimensions --- */

/* options->dims "quantile:3": the dimension that is there instead; NULL: there is one element, and the dimension is gone. */
VV_API vv_array *vv_apply_along_axis(vv_lane_function *f, vv_array *a, const char *dim,
                                     const vv_apply_options *options);

/* A generalized ufunc: "(i),(i)->()", "(m,n),(n,p)->(m,p)". Names in brackets are dimensions of that array; if one of them is not, they are its last dimensions in that order. All other dimensions
 * are broadcast by their names, come first in the result, and are walked. Core dimensions that no array has are new: options->dims says
 * their length, "k:5". A core dimension has the name that the first array has for it. */
VV_API vv_array *vv_apply_gufunc(vv_session *s, vv_gufunc_function *f, const char *signature, vv_array *const arrays[],
                                 int n, const vv_apply_options *options);
/* Several results, each with core dimensions and a type of its own, at most 16: "(i)->(),(i),(k)". results[] are `n_results` new arrays, of which options->name lists the names, "slope,rest,way"; inert ones when
 * something is wrong. They are made by the same calls: computed or saved together, they call the function once for each position; one alone calls it as well.
 *
 *     vv_array *r[2];
 *     vv_apply_gufuncs(s, line, "(time)->(),(time)", &t, 1, (vv_dtype[]){VV_F64, VV_F32}, r, 2, &(vv_apply_options){.name = "slope,rest"}); */
VV_API void vv_apply_gufuncs(vv_session *s, vv_gufuncs_function *f, const char *signature, vv_array *const arrays[],
                             int n, const vv_dtype types[], vv_array *results[], int n_results,
                             const vv_apply_options *options);

#ifdef __cplusplus
}
#endif
#endif
