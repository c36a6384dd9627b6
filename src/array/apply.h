/* Building arrays that functions of the user's make: what apply.c, overlap.c and gufunc.c share. For src/array only.
 *
 * First the dimensions of the work are collected, the result's before those that it lacks, with what is known of each; then what is said of chunks and lengths; then there is a node,
 * seen without the dimensions that are gone. */
#ifndef VV_ARRAY_APPLY_H
#define VV_ARRAY_APPLY_H

#include "array/build.h"

#include "varve/apply.h"

/* A dimension of the work. */
typedef struct vv_work_dim {
    char name[256];
    char letter;          /* that it is called by, too; 0: none */
    const vv_array *from; /* whose coordinate it has: dimension from_dim of it; NULL: it is new */
    int from_dim;
    vv_index n;    /* elements that go in; of new ones 1 */
    vv_index made; /* elements that come out, where these are others; else -1 */
} vv_work_dim;

typedef struct vv_applying {
    const char *what; /* for messages: "vv_map_blocks" */
    vv_context *context;
    vv_array *const *in;
    int n;
    vv_apply_options o;
    int nd;
    vv_work_dim dim[VV_MAX_DIMS];
    vv_user user; /* its operands say which of their dimensions is which of the work, as these are numbered here */
} vv_applying;

VV_WARN_UNUSED vv_status vv_apply_begin(vv_applying *b, vv_user_kind kind, vv_function *f, vv_array *const in[], int n,
                                        const vv_apply_options *o);
/* Another dimension; *out: its number. */
VV_WARN_UNUSED vv_status vv_apply_add_dim(vv_applying *b, const char *name, vv_index n, int *out);
int vv_apply_find_dim(const vv_applying *b, const char *name); /* -1: none */
/* Dimension d of array k is this one: lengths are the same, or one is 1 and then broadcast. */
VV_WARN_UNUSED vv_status vv_apply_same_dim(vv_applying *b, int k, int d, int dim);
/* Dimension d of array k is that of its name. */
VV_WARN_UNUSED vv_status vv_apply_by_name(vv_applying *b, int k, int d);
/* Numbers them as order[] says, n of them; those that are not in it are behind, wanted whole, and gone from the result. */
VV_WARN_UNUSED vv_status vv_apply_arrange(vv_applying *b, const int order[], int n);
/* The array; or an inert one, when the status is none. Takes back what begin took. */
vv_array *vv_apply_finish(vv_applying *b, vv_status status);

/* Result's dimensions as options say them ("time:12,lat,level:5"), in their order; NULL: all of the work's. */
VV_WARN_UNUSED vv_status vv_apply_result_dims(vv_applying *b, const char *dims);

#endif
