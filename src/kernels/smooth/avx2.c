/* Compiled for AVX; the variant without fused multiply-add. */
#if defined(__x86_64__)
#define TABLE                 vv_smooth_avx2
#define LANES64               4
#define LANES32               8
#define LOAD64                _mm256_loadu_pd
#define LOAD32                _mm256_loadu_ps
#define STORE64               _mm256_storeu_pd
#define STORE32               _mm256_storeu_ps
#define CALL64(function, ulp) Sleef_cinz_##function##d4_##ulp##avx
#define CALL32(function, ulp) Sleef_cinz_##function##f8_##ulp##avx
#include <immintrin.h>

#include "kernels/smooth/body.h"
#else
typedef int vv_smooth_avx2_is_not_for_this_machine;
#endif
