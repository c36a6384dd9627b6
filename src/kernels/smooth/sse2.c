/* Any x86-64. */
#if defined(__x86_64__)
#define TABLE                 vv_smooth_sse2
#define LANES64               2
#define LANES32               4
#define LOAD64                _mm_loadu_pd
#define LOAD32                _mm_loadu_ps
#define STORE64               _mm_storeu_pd
#define STORE32               _mm_storeu_ps
#define CALL64(function, ulp) Sleef_cinz_##function##d2_##ulp##sse2
#define CALL32(function, ulp) Sleef_cinz_##function##f4_##ulp##sse2
#include <emmintrin.h>

#include "kernels/smooth/body.h"
#else
typedef int vv_smooth_sse2_is_not_for_this_machine;
#endif
