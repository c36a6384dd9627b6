/* Which instruction set the kernels use.
 *
 * Found out once; VV_CPU=portable|sse2|avx2|avx512|neon in the environment asks for a lesser one. Results are the same bits with each of them:
 * the choice is about speed only, and tests run every kernel under every level that this machine has. */
#ifndef VV_KERNELS_CPU_H
#define VV_KERNELS_CPU_H

#include "varve/types.h"

/* X(ENUM, name), each able to run what stands above it on its own architecture. */
#define VV_CPU_LIST(X)                                                                                                 \
    X(PORTABLE, "portable")                                                                                            \
    X(SSE2, "sse2")                                                                                                    \
    X(NEON, "neon")                                                                                                    \
    X(AVX2, "avx2")                                                                                                    \
    X(AVX512, "avx512")

typedef enum vv_cpu_level {
#define VV_CPU_ENUM(ENUM, name) VV_CPU_##ENUM,
    VV_CPU_LIST(VV_CPU_ENUM)
#undef VV_CPU_ENUM
        VV_CPU_LEVELS
} vv_cpu_level;

/* The level in use, to index tables of kernels with. */
vv_cpu_level vv_cpu(void);
const char *vv_cpu_name(vv_cpu_level level);
/* Whether this machine can run a level. */
bool vv_cpu_has(vv_cpu_level level);
/* Changes the level; false, and no change, when the machine does not have it. Between kernels, not beside them: for tests. */
bool vv_cpu_set(vv_cpu_level level);

#endif
