/* Compiled for AVX-512; the variant without fused multiply-add. */
#if defined(__x86_64__)
#define TABLE                 vv_smooth_avx512
#define LANES64               8
#define LANES32               16
#define LOAD64                _mm512_loadu_pd
#define LOAD32                _mm512_loadu_ps
#define STORE64               _mm512_storeu_pd
#define STORE32               _mm512_storeu_ps
#define CALL64(function, ulp) Sleef_cinz_##function##d8_##ulp##avx512fnofma
#define CALL32(function, ulp) Sleef_cinz_##function##f16_##ulp##avx512fnofma
#include <immintrin.h>

#include "kernels/smooth/body.h"
#else
typedef int vv_smooth_avx512_is_not_for_this_machine;
#endif
