/* Elementwise operations on complex numbers: what the entries of vv_ops do with c64 and c128. Only for ops.c, and for kernels that compute with complex
 * numbers themselves. */
#ifndef VV_KERNELS_COMPLEX_H
#define VV_KERNELS_COMPLEX_H

#include "kernels/program/ops.h"

typedef enum vv_complex_result {
    VV_COMPLEX_NOT, /* not defined */
    VV_COMPLEX_SAME,
    VV_COMPLEX_PART,
    VV_COMPLEX_TRUTH
} vv_complex_result;

typedef struct vv_complex_op {
    vv_complex_result result;
    vv_op_kernel *const *kernel[2]; /* of c64 and c128, by instruction set */
} vv_complex_op;

/* By vv_op.number. */
extern const vv_complex_op vv_complex_ops[];

#endif
