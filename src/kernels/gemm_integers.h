/* What vv_gemm() does of VV_I64 and VV_U64. */
#ifndef VV_KERNELS_GEMM_INTEGERS_H
#define VV_KERNELS_GEMM_INTEGERS_H

#include "base/dtype.h"

vv_bytes vv_gemm_integers_workspace(vv_index n, vv_index k);
void vv_gemm_integers(vv_index m, vv_index n, vv_index k, const void *a, vv_index a_row, vv_index a_col, const void *b,
                      vv_index b_row, vv_index b_col, void *c, vv_index c_row, void *workspace);

#endif
