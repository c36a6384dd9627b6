/* Products of integer matrices, which BLAS does not have: exact modulo 2^64, signed as unsigned. A block of b is packed, so that rows of c are added to along memory. */
#include "kernels/gemm_integers.h"

#include "base/index.h"
#include "kernels/clones.h"
#include "kernels/strided.h"

enum { DEEP = 64, WIDE = 256 }; /* a block of b stays in the second-level cache */

vv_bytes vv_gemm_integers_workspace(vv_index n, vv_index k)
{
    return vv_imin(k, DEEP) * vv_imin(n, WIDE) * (vv_bytes)sizeof(uint64_t);
}

VV_KERNEL void add_row_body(vv_index n, uint64_t factor, const uint64_t *restrict b, uint64_t *restrict c)
{
    for (vv_index j = 0; j < n; j++) c[j] += factor * b[j];
}
VV_CLONES(add_row, add_row_body, (vv_index n, uint64_t factor, const uint64_t *b, uint64_t *c), (n, factor, b, c))

void vv_gemm_integers(vv_index m, vv_index n, vv_index k, const void *a, vv_index a_row, vv_index a_col, const void *b,
                      vv_index b_row, vv_index b_col, void *c, vv_index c_row, void *workspace)
{
    const uint64_t *left = a, *right = b;
    uint64_t *block = workspace;
    for (vv_index l = 0; l < k; l += DEEP)
        for (vv_index j = 0; j < n; j += WIDE) {
            vv_index some[2] = {vv_imin(DEEP, k - l), vv_imin(WIDE, n - j)};
            vv_box_copy(2, some, (vv_bytes)sizeof *right, right + l * b_row + j * b_col,
                        (const vv_index[]){b_row, b_col}, block, (const vv_index[]){some[1], 1});
            for (vv_index i = 0; i < m; i++)
                for (vv_index d = 0; d < some[0]; d++)
                    add_row[vv_cpu()](some[1], left[i * a_row + (l + d) * a_col], block + d * some[1],
                                      (uint64_t *)c + i * c_row + j);
        }
}
