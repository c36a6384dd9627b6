/* Products of matrices into an f64 accumulator, by BLAS.
 *
 * c += a * b for one block of c, as often as there are blocks along k: c stays f64 until the last one is in, so that float32 products over a
 * long dimension keep their digits. float32 is multiplied in float32, which is twice as fast, but never adds up more than
 * VV_GEMM_F32_SPAN products before the sum moves to f64. (A quarter of that span costs 10 % of the time of a product.)
 *
 * BLAS runs on one thread: ranks and our own threads use the cores already, and its results may depend on how many threads it has. */
#ifndef VV_KERNELS_GEMM_H
#define VV_KERNELS_GEMM_H

#include "base/dtype.h"

enum { VV_GEMM_F32_SPAN = 1024 };
/* What BLAS itself keeps for a thread that has multiplied: the pieces that it is given, packed its way. Measured with the kernels for ten kinds of processors, for
 * the largest pieces: 1.4 to 3.5 MB. */
enum { VV_GEMM_LIBRARY = 4 << 20 };

/* Bytes of workspace (64-byte aligned) for a product; type is VV_F32, VV_F64, VV_I64 or VV_U64, strides as in vv_gemm. */
vv_bytes vv_gemm_workspace(vv_dtype type, vv_index m, vv_index n, vv_index k, vv_index a_row, vv_index a_col,
                           vv_index b_row, vv_index b_col);

/* c[i][j] += sum over l of a[i][l] * b[l][j]: c is m x n, f64 (of integers their own type, and sums wrap), row i at c + i * c_row; a[i][l] is element i * a_row + l * a_col of a, b[l][j] element
 * l * b_row + j * b_col of b. Strides are arbitrary (0 and negative too); matrices with a stride of 1 are used where they lie. */
void vv_gemm(vv_dtype type, vv_index m, vv_index n, vv_index k, const void *a, vv_index a_row, vv_index a_col,
             const void *b, vv_index b_row, vv_index b_col, void *c, vv_index c_row, void *workspace);

#endif
