/* Kernels of the elementwise machine beside the operations' own. Only for program.c. */
#ifndef VV_KERNELS_OPS_H
#define VV_KERNELS_OPS_H

#include "kernels/program.h"

/* Between two different working types, with NumPy's results (what does not fit an integer is the machine's choice there, and fixed here). */
vv_op_kernel *vv_cast_kernel(vv_dtype from, vv_dtype to);
/* n copies of one element of 4 or 8 bytes. */
void vv_fill(vv_index n, vv_bytes size, const void *element, void *out);

#endif
