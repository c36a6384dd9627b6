/* Linear algebra: factorisations, equations, norms.
 *
 * A matrix is an array of two dimensions, rows and columns; what is new in a result gets the name that is asked for. Elements are f32, f64, c64 or c128 (integers become
 * f64) and are computed in double precision. Of complex matrices, l' and orthogonal mean the conjugate too, as in numpy.linalg. Results are lazy like all others, and have the same bits for any number of ranks and threads. All functions: Driver only.
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

/* Stacks of matrices, as in numpy.linalg: of more than two dimensions vv_qr(), vv_svd(), vv_cholesky(), vv_solve(), vv_inverse() and vv_det() take the last two for rows and columns,
 * and do the same with every matrix, each on one rank: vv_inverse(a) of a (time, row, column) is (time, column, row). Right-hand sides of a stack have the rows, any of its other
 * dimensions, and one of their own at most. vv_matmul() multiplies stacks with vv_dot(a, b, "k"), which matches all other dimensions that both have. */

/* a = q r: columns of q are orthogonal and of length 1, r is an upper triangle without negative elements on its diagonal. Meant for matrices with
 * far more rows than columns: these are factored piece by piece, each piece on some rank; all columns have to fit in a piece. NULL: not wanted. */
VV_API void vv_qr(vv_array *a, const char *new_dim, vv_array **q, vv_array **r);
/* a = u diag(s) v: singular values s (new_dim) in descending order, u (rows, new_dim) and v (new_dim, columns), as many as the shorter dimension has elements, all
 * of which have to fit in a piece: vv_matmul(vv_mul(u, s), v, "mode"). NULL: not wanted. */
VV_API void vv_svd(vv_array *a, const char *new_dim, vv_array **u, vv_array **s, vv_array **v);

/* A symmetric matrix that is positive definite as l l', where l is lower triangular: only the lower triangle of `a` is looked at. A matrix that is not positive definite ends
 * the computation, with the number of the pivot that is not above 0. */
VV_API vv_array *vv_cholesky(vv_array *a);
/* A square matrix, its rows in the order `order` (new_dim: positions, i64), is l u: l (rows, new_dim) has ones on its diagonal, u (new_dim, columns) is upper
 * triangular; in every column the largest element is the pivot. NULL: not wanted. */
VV_API void vv_lu(vv_array *a, const char *new_dim, vv_array **order, vv_array **l, vv_array **u);
/* The x with a x = b: a (rows, columns) square, b (rows) or (rows, other) gives x (columns) or (columns, other). A pivot that is 0 ends the computation:
 * the matrix is singular. */
VV_API vv_array *vv_solve(vv_array *a, vv_array *b);
/* The same where a is a triangle, "lower" or "upper"; the other one is not looked at. */
VV_API vv_array *vv_solve_triangular(vv_array *a, vv_array *b, const char *which);
/* Of a (rows, columns) as (columns, rows). vv_solve() is faster and more exact where there is a right-hand side. */
VV_API vv_array *vv_inverse(vv_array *a);

/* The determinant of a square matrix, all of it on one rank. */
VV_API vv_array *vv_det(vv_array *a);

/* The x that is nearest to a solution, the shortest where there are several: a and b as for vv_solve(), but of any shape. Singular values of `a` up to `least` times
 * the largest count as 0; NAN: as many units of its type's precision as its longer dimension has elements. */
VV_API vv_array *vv_lstsq(vv_array *a, vv_array *b, double least);
/* The k largest singular values of a matrix of any shape, and their vectors, from products with random vectors of the seed: near to exact where values fall off quickly, the
 * nearer the more iterations (0 to 4). */
VV_API void vv_svd_compressed(vv_array *a, const char *new_dim, vv_index k, int iterations, uint64_t seed, vv_array **u,
                              vv_array **s, vv_array **v);

/* The norm of order p (INFINITY and -INFINITY, too) of all vectors along dims (NULL: all elements are one): vv_vector_norm(a, 2, "x"). NaN stays. */
VV_API vv_array *vv_vector_norm(vv_array *a, double p, const char *dims);
/* Of a matrix: "fro", "nuc" (sum of singular values), "2", "-2" (the largest, the least of them), "1", "-1" (sums of columns), "inf", "-inf" (of rows). */
VV_API vv_array *vv_matrix_norm(vv_array *a, const char *order);
/* The sum of the k-th diagonal of two dimensions: vv_trace(a, "y", "x", 0). NaN stays. */
VV_API vv_array *vv_trace(vv_array *a, const char *rows, const char *columns, vv_index k);

#ifdef __cplusplus
}
#endif
#endif
