/* Transcendental functions by vectors, from SLEEF: within 1 ulp, and the same bits whatever the instruction set. A table for each level of kernels/cpu.h
 * is made from smooth_body.h by a file that is compiled for it. Only for ops.c. */
#ifndef VV_KERNELS_SMOOTH_H
#define VV_KERNELS_SMOOTH_H

#include "kernels/program/program.h"

typedef enum vv_smooth {
#define SMOOTH(name, ...) VV_SMOOTH_##name,
#include "kernels/smooth/smooth.def.h"
#undef SMOOTH
    VV_SMOOTH_power,
    VV_SMOOTHS
} vv_smooth;

/* By function; f32, f64. */
typedef vv_op_kernel *vv_smooth_table[VV_SMOOTHS][2];
extern const vv_smooth_table vv_smooth_portable;
#if defined(__x86_64__)
extern const vv_smooth_table vv_smooth_sse2, vv_smooth_avx2, vv_smooth_avx512;
#elif defined(__aarch64__)
extern const vv_smooth_table vv_smooth_neon;
#endif

/* The kernel for f32 or f64 of the level in use. */
vv_op_kernel *vv_smooth_kernel(vv_smooth function, vv_dtype type);

/* Arguments beyond which the library's functions overflow too early, and what is right there. */
double vv_smooth_beyond(vv_smooth function, double x);

#endif
