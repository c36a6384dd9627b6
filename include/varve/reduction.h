/* Reductions of your own, in plain C: many elements into a state, states into one, the last one into results. All functions that make arrays: Driver only.
 *
 * What apply.h says of functions holds for these: static ones will do, each rank calls them for its own chunks, several threads at once, `data` is copied and travels with them, and anything but
 * 0 ends the run on all ranks with an error that names the array, the chunk and the rank.
 *
 * A state is plain data of so many bytes, without pointers: it is copied, and sent to other ranks. Elements come in runs, in the row-major order of the reduced dimensions within a chunk;
 * states are combined in an order that follows from the array's chunks alone, the left one being that of elements before those of the right one where the array is reduced along one dimension. So
 * the result has the same bits on any number of ranks and threads, whatever the functions do with floating point numbers.
 *
 *     typedef struct extent { double lo, hi; } extent;
 *     static int none(void *state, const void *data) { *(extent *)state = (extent){INFINITY, -INFINITY}; return 0; }
 *     static int see(void *state, vv_index n, const void *const in[], const void *data) { ... for each ((const double *)in[0])[i] ... return 0; }
 *     static int join(void *state, const void *later, const void *data) { ... return 0; }
 *     static int range(const void *state, void *out, const void *data) { const extent *e = state; *(double *)out = e->hi - e->lo; return 0; }
 *
 *     vv_own_reduction ptp = {.name = "ptp", .state = sizeof(extent), .init = none, .fold = see, .combine = join, .finish = range};
 *     vv_array *r = vv_reduce_own(&t, 1, &ptp, "time", NULL); */
#ifndef VARVE_REDUCTION_H
#define VARVE_REDUCTION_H

#include "varve/array.h"
#include "varve/function.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vv_own_reduction {
    const char *name; /* for messages, and of the result */
    vv_bytes state;   /* bytes of a state; aligned to 16 */
    vv_dtype
        in; /* what elements come as: VV_F64 (VV_NONE, too), VV_F32, VV_I64 or VV_U64. Missing ones of reals are NaN */
    vv_dtype out;              /* of the results; one of these */
    vv_index length;           /* results of a state, along a new last dimension; 0: one, and no dimension */
    vv_state_init *init;       /* of no elements yet */
    vv_state_fold *fold;       /* a run of elements goes into a state */
    vv_state_combine *combine; /* `later` goes into a state */
    vv_state_finish *finish;   /* a state becomes its results */
    const void *data;          /* for the functions: copied now, the same address on no rank */
    vv_bytes data_size;
} vv_own_reduction;

/* Over dims (NULL: all) of n arrays, which are lined up like operands and come element by element together, at most 8. new_dim: what several results lie along. Of grouped arrays: group by
 * group. */
VV_API vv_array *vv_reduce_own(vv_array *const arrays[], int n, const vv_own_reduction *how, const char *dims,
                               const char *new_dim);

#ifdef __cplusplus
}
#endif
#endif
