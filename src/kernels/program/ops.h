/* Kernels of the elementwise machine beside the operations' own. Only for program.c, ops.c and complex.c. */
#ifndef VV_KERNELS_PROGRAM_OPS_H
#define VV_KERNELS_PROGRAM_OPS_H

#include "kernels/program/program.h"

/* The places of operations in vv_ops. */
enum {
#define NUMBER(name, ...)        VV_OP_##name,
#define REAL(name, ...)          VV_OP_##name,
#define INTEGER(name, ...)       VV_OP_##name,
#define BOUNDED(name, ...)       VV_OP_##name,
#define CAST(name, ...)          VV_OP_##name,
#define SMOOTH_REAL(name, ...)   VV_OP_##name,
#define SMOOTH_NUMBER(name, ...) VV_OP_##name,
#define TEST(name, ...)          VV_OP_##name,
#define REAL_TEST(name, ...)     VV_OP_##name,
#define COMPLEX_CAST(name, ...)  VV_OP_##name,
#define PAIR(name, ...)          VV_OP_##name,
#define CHOICE(name, ...)        VV_OP_##name,
#include "kernels/program/ops.def.h"
    VV_OPS
};

/* Between two different working types, with NumPy's results (what does not fit an integer is the machine's choice there, and fixed here). There is none from
 * complex to others. */
vv_op_kernel *vv_cast_kernel(vv_dtype from, vv_dtype to);
/* n copies of one element of 4, 8 or 16 bytes. */
void vv_fill(vv_index n, vv_bytes size, const void *element, void *out);

#endif
