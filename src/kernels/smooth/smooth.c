#include "kernels/smooth/smooth.h"

#include "kernels/cpu.h"

#include <math.h>
#include <sleef.h>

vv_op_kernel *vv_smooth_kernel(vv_smooth function, vv_dtype type)
{
    static const vv_smooth_table *const table[VV_CPU_LEVELS] = {
        [VV_CPU_PORTABLE] = &vv_smooth_portable,
#if defined(__x86_64__)
        [VV_CPU_SSE2] = &vv_smooth_sse2,
        [VV_CPU_AVX2] = &vv_smooth_avx2,
        [VV_CPU_AVX512] = &vv_smooth_avx512,
#elif defined(__aarch64__)
        [VV_CPU_NEON] = &vv_smooth_neon,
#endif
    };
    return (*table[vv_cpu()])[function][type == VV_F64];
}

double vv_smooth_beyond(vv_smooth function, double x)
{
    double size = fabs(x);
    switch (function) {
    case VV_SMOOTH_log1p: return Sleef_cinz_logd1_u10purec(x);
    case VV_SMOOTH_arccosh: return Sleef_cinz_logd1_u10purec(x) + M_LN2;
    case VV_SMOOTH_arcsinh: return copysign(Sleef_cinz_logd1_u10purec(size) + M_LN2, x);
    case VV_SMOOTH_sinh:
    case VV_SMOOTH_cosh: {
        double half = Sleef_cinz_expd1_u10purec(size / 2), value = half / 2 * half;
        return function == VV_SMOOTH_sinh ? copysign(value, x) : value;
    }
    default: return x;
    }
}
