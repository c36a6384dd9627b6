/* Linear algebra: factorisations, equations, norms.
 *
 * A matrix is an array of two dimensions, rows and columns; what is new in a result gets the name that is asked for. Elements are f32 or f64 (integers become
 * f64) and are computed in f64. Results are lazy like all others, and have the same bits for any number of ranks and threads. All functions: Driver only.
 *
 *     vv_array *q, *r;                         a (time: 2000000, sensor: 32)
 *     vv_qr(a, "mode", &q, &r);                q (time, mode), r (mode, sensor)
 *     vv_matmul(q, r, "mode")                  a again */
#ifndef VARVE_LINALG_H
#define VARVE_LINALG_H

#include "varve/array.h"

#ifdef __cplusplus
extern "C" {
#endif

/* a = q r: columns of q are orthogonal and of length 1, r is an upper triangle without negative elements on its diagonal. Meant for matrices with
 * far more rows than columns: these are factored piece by piece, each piece on some rank; all columns have to fit in a piece. NULL: not wanted. */
VV_API void vv_qr(vv_array *a, const char *new_dim, vv_array **q, vv_array **r);
/* a = u diag(s) v: singular values s (new_dim) in descending order, u (rows, new_dim) and v (new_dim, columns), as many as the shorter dimension has elements, all
 * of which have to fit in a piece: vv_matmul(vv_mul(u, s), v, "mode"). NULL: not wanted. */
VV_API void vv_svd(vv_array *a, const char *new_dim, vv_array **u, vv_array **s, vv_array **v);

#ifdef __cplusplus
}
#endif
#endif
