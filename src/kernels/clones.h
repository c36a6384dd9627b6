/* One loop, compiled once per instruction set.
 *
 * A kernel is written once, as a plain loop in an always-inline function that the compiler vectorises. VV_CLONES makes a copy of it for
 * every level of kernels/cpu.h and a table of them with the kernel's name:
 *
 *     VV_KERNEL void add_body(vv_index n, const float *restrict a, const float *restrict b, float *restrict out)
 *     {
 *         for (vv_index i = 0; i < n; i++) out[i] = a[i] + b[i];
 *     }
 *     VV_CLONES(add, add_body, (vv_index n, const float *a, const float *b, float *out), (n, a, b, out))
 *     ...
 *     add[vv_cpu()](n, a, b, out);
 *
 * Copies give the same bits because the loop says the order of every operation and nothing is contracted (-ffp-contract=off).
 * GCC vectorises comparisons and square roots only under -fno-trapping-math -fno-math-errno, and freely only at -O3: build this
 * folder so. None of these flags changes a result. */
#ifndef VV_KERNELS_CLONES_H
#define VV_KERNELS_CLONES_H

#include "kernels/cpu.h"

#define VV_KERNEL static inline __attribute__((always_inline))

#if defined(__x86_64__)
#define VV_TARGET_AVX2   __attribute__((target("avx2")))
#define VV_TARGET_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#define VV_CLONES(name, body, parameters, arguments)                                                                   \
    static void name##_base parameters                                                                                 \
    {                                                                                                                  \
        body arguments;                                                                                                \
    }                                                                                                                  \
    VV_TARGET_AVX2 static void name##_avx2 parameters                                                                  \
    {                                                                                                                  \
        body arguments;                                                                                                \
    }                                                                                                                  \
    VV_TARGET_AVX512 static void name##_avx512 parameters                                                              \
    {                                                                                                                  \
        body arguments;                                                                                                \
    }                                                                                                                  \
    static void(*const name[VV_CPU_LEVELS]) parameters = {[VV_CPU_PORTABLE] = name##_base,                             \
                                                          [VV_CPU_SSE2] = name##_base,                                 \
                                                          [VV_CPU_AVX2] = name##_avx2,                                 \
                                                          [VV_CPU_AVX512] = name##_avx512};
#else
#define VV_CLONES(name, body, parameters, arguments)                                                                   \
    static void name##_base parameters                                                                                 \
    {                                                                                                                  \
        body arguments;                                                                                                \
    }                                                                                                                  \
    static void(*const name[VV_CPU_LEVELS]) parameters = {[VV_CPU_PORTABLE] = name##_base, [VV_CPU_NEON] = name##_base};
#endif

#endif
