/* What the builders of linear algebra share. For this room only. */
#ifndef VV_ARRAY_LINALG_H
#define VV_ARRAY_LINALG_H

#include "array/build.h"

/* An operation on matrices (kernels/tile/tile.h) upon one or two arrays of at most two dimensions (b: NULL for none). By dimension of the first one: how it is cut (0: not at
 * all), what the result has for each piece, and what that is called (NULL: as it is). type: of the result, VV_NONE for that of the operands. */
typedef struct vv_tile_want {
    const char *op;
    vv_index from, cut[2], extent[2];
    const char *name[2];
    vv_dtype type;
} vv_tile_want;
vv_array *vv_node_tile(vv_array *a, vv_array *b, const vv_tile_want *want);

/* `a` as a matrix of reals or of complex numbers, with one reference of the caller's; inert, with both dimensions in the message, when it is none. */
vv_array *vv_node_matrix(vv_array *a, const char *what);
/* The same elements, whose dimensions have these names and no coordinates. */
vv_array *vv_node_bare(vv_array *a, const char *const names[]);
/* A new dimension needs a name that `a` does not have. */
VV_WARN_UNUSED vv_status vv_node_check_name(const vv_array *a, const char *new_dim);
/* The right-hand side b of equations with the matrix a, as a matrix (row, side), and its other dimension's number, -1 for a vector; and the unknowns (column, side) as what they
 * are to the user. */
VV_WARN_UNUSED vv_status vv_node_right_hand_side(const vv_array *a, vv_array *b, const char *what, vv_array **out,
                                                 int *other);
vv_array *vv_node_unknowns(vv_array *x, const vv_array *a, const vv_array *b, int other);
/* Complex numbers conjugated, reals as they are. */
vv_array *vv_node_conjugate(vv_array *a);
/* Other names for both dimensions. */
vv_array *vv_node_named(vv_array *a, const char *rows, const char *columns);
/* A stretch of one dimension. */
vv_array *vv_node_stretch(vv_array *a, int d, vv_index from, vv_index n);

/* Stacks of matrices (linalg_stack.c): more than two dimensions, of which the last two are rows and columns. */
static inline bool vv_node_is_stack(const vv_array *a)
{
    return a->status == VV_OK && a->shape.nd > 2;
}
vv_array *vv_node_stack_inverse(vv_array *a);
vv_array *vv_node_stack_cholesky(vv_array *a);
vv_array *vv_node_stack_solve(vv_array *a, vv_array *b);
void vv_node_stack_qr(vv_array *a, const char *to, vv_array **q, vv_array **r);
void vv_node_stack_svd(vv_array *a, const char *to, vv_array **u, vv_array **s, vv_array **v);

/* What a builder makes on its way goes when it is done, but for its results. */
typedef struct vv_making {
    vv_context *context;
    int64_t since;
} vv_making;
vv_making vv_making_begin(vv_context *c);
/* Failed results are inert, and become all of them. NULL results are not wanted. */
void vv_making_end(const vv_making *m, vv_array **const result[], int n, vv_status status);

#endif
