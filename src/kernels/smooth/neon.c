/* ARM, 64 bits. */
#if defined(__aarch64__)
#define TABLE                 vv_smooth_neon
#define LANES64               2
#define LANES32               4
#define LOAD64                vld1q_f64
#define LOAD32                vld1q_f32
#define STORE64               vst1q_f64
#define STORE32               vst1q_f32
#define CALL64(function, ulp) Sleef_cinz_##function##d2_##ulp##advsimdnofma
#define CALL32(function, ulp) Sleef_cinz_##function##f4_##ulp##advsimdnofma
#include <arm_neon.h>

#include "kernels/smooth/body.h"
#else
typedef int vv_smooth_neon_is_not_for_this_machine;
#endif
