/* Linear algebra of one small matrix at a call, as functions of generalized ufuncs (include/varve/apply.h): what stacks of matrices are made of. Each is a few operations on tiles
 * (tile.h) with nothing cut, so that real and complex matrices are as good here as large ones are there. */
#ifndef VV_KERNELS_STACKED_H
#define VV_KERNELS_STACKED_H

#include "base/dtype.h"
#include "varve/function.h"

/* What the functions are told. */
typedef struct vv_stacked_data {
    vv_dtype type; /* of all elements: VV_F64 or VV_C128 */
    bool sides;    /* solve: right-hand sides have a dimension of their own */
} vv_stacked_data;

vv_gufunc_function vv_stacked_inverse;  /* (r,c)->(c,r) */
vv_gufunc_function vv_stacked_solve;    /* (r,c),(r,o)->(c,o), and without o */
vv_gufunc_function vv_stacked_cholesky; /* (r,c)->(r,c) */
vv_gufunc_function vv_stacked_det;      /* (r,c)->() */
vv_gufunc_function vv_stacked_qr_q;     /* (r,c)->(r,k), k the shorter one */
vv_gufunc_function vv_stacked_qr_r;     /* (r,c)->(k,c) */
/* Of matrices that have no more columns than rows. */
vv_gufunc_function vv_stacked_svd_u; /* (r,c)->(r,k) */
vv_gufunc_function vv_stacked_svd_s; /* (r,c)->(k): real */
vv_gufunc_function vv_stacked_svd_v; /* (r,c)->(k,c) */
/* Bytes that one of them may take for matrices of this shape, with so many right-hand sides. */
vv_bytes vv_stacked_scratch(vv_index rows, vv_index columns, vv_index sides);

#endif
