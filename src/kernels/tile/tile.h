/* Linear algebra on tiles: operations of matrices that make a matrix.
 *
 * A product adds up over the chunks of its operands and an operation on lanes knows one operand; factorisations need neither: they take whole matrices, or
 * a chunk of rows or columns of the first one beside all of the second one, and what they make has other lengths than what they take.
 *
 * The dimensions of the operands, one after the other, are the work space. Only those of the first operand are ever cut: `cut` says into pieces of which length,
 * as part of the operation's meaning, so that bits follow from it. The result has dimensions of the first operand: along each one as many elements as that has, or
 * a number of its own for each piece, or none at all, and then it is no dimension of the result.
 *
 *     R factors of pieces of rows   a[n, 32] cut {4096, 32}, extent {32, VV_TILE_SAME}  ->  [32 for each piece, 32]
 *     solved by a triangle          b[256, k] cut {256, 64} beside t[256, 256]          ->  [256, k]
 *
 * Everything is row-major, and f64 or c128. LAPACK and BLAS run on one thread (kernels/gemm.h). */
#ifndef VV_KERNELS_TILE_H
#define VV_KERNELS_TILE_H

#include "base/dtype.h"
#include "base/index.h"

enum { VV_TILE_INPUTS = 2, VV_TILE_SAME = -1 };

/* One application, as plain data. */
typedef struct vv_tile_call {
    int op;    /* index in vv_tile_ops */
    int first; /* dimensions of the first operand; those behind are the second one's */
    vv_index
        from; /* number of the whole matrix's row or column that the operand's first one is: for messages, and seeds */
    vv_index cut[VV_MAX_DIMS];    /* by work dimension: length of its pieces; all of it beyond the first operand */
    vv_index extent[VV_MAX_DIMS]; /* of the result for each piece; 0: it has no such dimension */
    vv_dtype type;                /* of all elements: VV_F64 or VV_C128 */
} vv_tile_call;

/* A dense row-major matrix; a vector is one column. Complex elements are pairs. */
typedef struct vv_matrix {
    vv_index rows, columns;
    double *at;
} vv_matrix;

/* One piece at work. `piece`: its number along the only dimension that is cut. */
typedef struct vv_tile_work {
    vv_index from, piece, cut;
    vv_matrix in[VV_TILE_INPUTS], out;
    char *room; /* workspace, 64-byte aligned */
} vv_tile_work;

typedef struct vv_tile_op {
    const char *name, *help;
    int least, most; /* operands */
    /* Of real elements, and of complex ones. Bytes of workspace, NULL for none; the matrices have no elements yet. */
    vv_bytes (*workspace[2])(const vv_tile_work *w);
    /* Inputs are read only. */
    vv_status (*run[2])(const vv_tile_work *w);
} vv_tile_op;

extern const vv_tile_op vv_tile_ops[];
extern const int vv_n_tile_ops;
int vv_tile_op_find(const char *name); /* -1 when there is none */
vv_bytes vv_tile_workspace(const vv_tile_call *c, const vv_tile_work *w);
VV_WARN_UNUSED vv_status vv_tile_run(const vv_tile_call *c, const vv_tile_work *w);

/* Whether an operand has a work dimension. */
static inline bool vv_tile_sees(const vv_tile_call *c, int operand, int d)
{
    return (d < c->first) == (operand == 0);
}
/* The operand as a matrix whose extents along the work dimensions are n[]. */
void vv_tile_shape(const vv_tile_call *c, int operand, int nd, const vv_index n[], vv_matrix *out);
/* The result of a piece with these extents. */
void vv_tile_result(const vv_tile_call *c, const vv_index n[], vv_matrix *out);

#endif
