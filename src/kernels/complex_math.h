/* Functions of complex numbers. Only for complex.c.
 *
 * Arithmetic is NumPy's, rounding for rounding. Transcendental functions are made of SLEEF's deterministic real ones, in double precision whatever the operands
 * are, so that they have the same bits on every machine; within a few ulp of the larger part (c64: correctly rounded but for rare ties). Operands that are
 * infinite or NaN go to the C library, whose results for them are laid down in its standard (Annex G). */
#ifndef VV_KERNELS_COMPLEX_MATH_H
#define VV_KERNELS_COMPLEX_MATH_H

#include "kernels/clones.h"
#include "kernels/smooth/smooth.h"

#include <complex.h>
#include <float.h>
#include <sleef.h>
#include <string.h>
#include <tgmath.h>

#define REAL_MAX(a) _Generic((a), float : FLT_MAX, double : DBL_MAX)

/* --- in both precisions --- */

#define BOTH_PRECISIONS(C, real)                                                                                       \
    VV_KERNEL C of_##C(real re, real im)                                                                               \
    {                                                                                                                  \
        return (C){re, im};                                                                                            \
    }                                                                                                                  \
    VV_KERNEL bool nan_##C(C a)                                                                                        \
    {                                                                                                                  \
        return (a.re != a.re) | (a.im != a.im);                                                                        \
    }                                                                                                                  \
    VV_KERNEL bool finite_##C(C a)                                                                                     \
    {                                                                                                                  \
        return fabs(a.re) <= REAL_MAX(a.re) && fabs(a.im) <= REAL_MAX(a.im);                                           \
    }                                                                                                                  \
    VV_KERNEL bool less_##C(C a, C b)                                                                                  \
    {                                                                                                                  \
        return ((a.re < b.re) & (a.im == a.im) & (b.im == b.im)) | ((a.re == b.re) & (a.im < b.im));                   \
    }                                                                                                                  \
    VV_KERNEL bool same_##C(C a, C b)                                                                                  \
    {                                                                                                                  \
        return (a.re == b.re) & (a.im == b.im);                                                                        \
    }                                                                                                                  \
    VV_KERNEL real sign_##C(C a)                                                                                       \
    {                                                                                                                  \
        if (nan_##C(a)) return (real)NAN;                                                                              \
        real first = a.re != 0 ? a.re : a.im;                                                                          \
        return (real)((first > 0) - (first < 0));                                                                      \
    }                                                                                                                  \
    /* Which of two NaNs an operation passes on, with its sign, is up to instructions; bits should not be. */          \
    VV_KERNEL C one_nan_##C(C a)                                                                                       \
    {                                                                                                                  \
        return (C){isnan(a.re) ? (real)NAN : a.re, isnan(a.im) ? (real)NAN : a.im};                                    \
    }                                                                                                                  \
    VV_KERNEL C divide_##C(C a, C b)                                                                                   \
    {                                                                                                                  \
        if (fabs(b.re) >= fabs(b.im)) {                                                                                \
            if (b.re == 0 && b.im == 0) return one_nan_##C((C){a.re / fabs(b.re), a.im / fabs(b.re)});                 \
            real ratio = b.im / b.re, scale = (real)1 / (b.re + b.im * ratio);                                         \
            return one_nan_##C((C){(a.re + a.im * ratio) * scale, (a.im - a.re * ratio) * scale});                     \
        }                                                                                                              \
        real ratio = b.re / b.im, scale = (real)1 / (b.im + b.re * ratio);                                             \
        return one_nan_##C((C){(a.re * ratio + a.im) * scale, (a.im * ratio - a.re) * scale});                         \
    }                                                                                                                  \
    VV_KERNEL C reciprocal_##C(C a)                                                                                    \
    {                                                                                                                  \
        if (fabs(a.im) <= fabs(a.re)) {                                                                                \
            real ratio = a.im / a.re, size = a.re + a.im * ratio;                                                      \
            return one_nan_##C((C){1 / size, -ratio / size});                                                          \
        }                                                                                                              \
        real ratio = a.re / a.im, size = a.re * ratio + a.im;                                                          \
        return one_nan_##C((C){ratio / size, -1 / size});                                                              \
    }
BOTH_PRECISIONS(vv_c64, float)
BOTH_PRECISIONS(vv_c128, double)
#undef BOTH_PRECISIONS

#define OF_COMPLEX(name, a)   _Generic((a), vv_c64 : name##_vv_c64, vv_c128 : name##_vv_c128)
#define complex_of(a, re, im) OF_COMPLEX(of, a)(re, im)
#define complex_nan(a)        OF_COMPLEX(nan, a)(a)
#define complex_finite(a)     OF_COMPLEX(finite, a)(a)
#define complex_less(a, b)    OF_COMPLEX(less, a)(a, b)
#define complex_same(a, b)    OF_COMPLEX(same, a)(a, b)
#define complex_sign(a)       OF_COMPLEX(sign, a)(a)
#define complex_divide(a, b)  OF_COMPLEX(divide, a)(a, b)
#define complex_reciprocal(a) OF_COMPLEX(reciprocal, a)(a)

/* --- real functions --- */

static inline double real_log(double x)
{
    return Sleef_cinz_logd1_u10purec(x);
}

static inline double real_log1p(double x)
{
    return x > 1e17 ? vv_smooth_beyond(VV_SMOOTH_log1p, x) : Sleef_cinz_log1pd1_u10purec(x);
}

static inline double real_exp(double x)
{
    return Sleef_cinz_expd1_u10purec(x);
}

static inline double real_sin(double x)
{
    return Sleef_cinz_sind1_u10purec(x);
}

static inline double real_cos(double x)
{
    return Sleef_cinz_cosd1_u10purec(x);
}

static inline double real_sinh(double x)
{
    return fabs(x) > 700 ? vv_smooth_beyond(VV_SMOOTH_sinh, x) : Sleef_cinz_sinhd1_u10purec(x);
}

static inline double real_cosh(double x)
{
    return fabs(x) > 700 ? vv_smooth_beyond(VV_SMOOTH_cosh, x) : Sleef_cinz_coshd1_u10purec(x);
}

static inline double real_asinh(double x)
{
    return fabs(x) > 1e17 ? vv_smooth_beyond(VV_SMOOTH_arcsinh, x) : Sleef_cinz_asinhd1_u10purec(x);
}

static inline double real_atan2(double y, double x)
{
    return Sleef_cinz_atan2d1_u10purec(y, x);
}

/* Whether the standard says what comes out. */
static inline bool special(vv_c128 z)
{
    return !isfinite(z.re) || !isfinite(z.im);
}

static inline vv_c128 from_library(double complex z)
{
    return (vv_c128){creal(z), cimag(z)};
}
static inline double complex for_library(vv_c128 z)
{
    double complex c;
    memcpy(&c, &z, sizeof c); /* both are laid out as two reals */
    return c;
}
#define LIBRARY(function, z) from_library(function(for_library(z)))

/* i times it, and -i times it. */
static inline vv_c128 turned(vv_c128 z)
{
    return (vv_c128){-z.im, z.re};
}

static inline vv_c128 turned_back(vv_c128 z)
{
    return (vv_c128){z.im, -z.re};
}

/* --- complex functions --- */

static inline double wide_absolute(vv_c128 z)
{
    if (isinf(z.re) || isinf(z.im)) return (double)INFINITY;
    return Sleef_cinz_hypotd1_u05purec(z.re, z.im);
}

static inline double wide_angle(vv_c128 z)
{
    return special(z) ? atan2(z.im, z.re) : real_atan2(z.im, z.re);
}

static inline vv_c128 wide_sqrt(vv_c128 z)
{
    if (special(z)) return LIBRARY(csqrt, z);
    if (z.re == 0 && z.im == 0) return (vv_c128){0, z.im};
    double scale = 1, most = fmax(fabs(z.re), fabs(z.im));
    if (most > 0x1p1020) {
        z = (vv_c128){z.re / 4, z.im / 4};
        scale = 2;
    } else if (most < 0x1p-960) {
        z = (vv_c128){z.re * 0x1p108, z.im * 0x1p108};
        scale = 0x1p-54;
    }
    double t = sqrt((fabs(z.re) + wide_absolute(z)) * 0.5), other = fabs(z.im) / (2 * t);
    if (z.re >= 0) return (vv_c128){t * scale, copysign(other, z.im) * scale};
    return (vv_c128){other * scale, copysign(t, z.im) * scale};
}

static inline vv_c128 wide_exp(vv_c128 z)
{
    if (special(z)) return LIBRARY(cexp, z);
    if (z.im == 0) return (vv_c128){real_exp(z.re), z.im};
    if (z.re > 700) { /* the parts may be less than the factor, which is taken in two */
        double half = real_exp(z.re / 2);
        return (vv_c128){half * real_cos(z.im) * half, half * real_sin(z.im) * half};
    }
    double size = real_exp(z.re);
    return (vv_c128){size * real_cos(z.im), size * real_sin(z.im)};
}

static inline vv_c128 wide_exp2(vv_c128 z)
{
    return wide_exp((vv_c128){z.re * M_LN2, z.im * M_LN2});
}

static inline vv_c128 wide_expm1(vv_c128 z)
{
    if (special(z)) {
        vv_c128 e = wide_exp(z);
        return (vv_c128){e.re - 1, e.im};
    }
    double half = real_sin(z.im / 2);
    return (vv_c128){Sleef_cinz_expm1d1_u10purec(z.re) * real_cos(z.im) - 2 * half * half,
                     real_exp(z.re) * real_sin(z.im)};
}

/* x * x + y * y - 1 where it is near zero: products and sums with what they lose. */
static inline double square_less_one(double x, double y)
{
    double xx = x * x, yy = y * y, x_lost = fma(x, x, -xx), y_lost = fma(y, y, -yy);
    double rest = xx - 1, sum = rest + yy, back = sum - rest;
    return sum + ((rest - (sum - back)) + (yy - back) + x_lost + y_lost);
}

static inline double log_absolute(vv_c128 z)
{
    double x = fmax(fabs(z.re), fabs(z.im)), y = fmin(fabs(z.re), fabs(z.im));
    if (x > 0x1p1000) return real_log(wide_absolute((vv_c128){x / 2, y / 2})) + M_LN2;
    if (x < 0x1p-900) return real_log(wide_absolute((vv_c128){x * 0x1p120, y * 0x1p120})) - 120 * M_LN2;
    if (x < 0.5 || x > 1.5 || y > 1.2) return real_log(wide_absolute(z));
    return real_log1p(square_less_one(x, y)) / 2;
}

static inline vv_c128 wide_log(vv_c128 z)
{
    if (special(z) || (z.re == 0 && z.im == 0)) return LIBRARY(clog, z);
    return (vv_c128){log_absolute(z), real_atan2(z.im, z.re)};
}

static inline vv_c128 wide_log2(vv_c128 z)
{
    vv_c128 l = wide_log(z);
    return (vv_c128){l.re * M_LOG2E, l.im * M_LOG2E};
}

static inline vv_c128 wide_log10(vv_c128 z)
{
    vv_c128 l = wide_log(z);
    return (vv_c128){l.re * M_LOG10E, l.im * M_LOG10E};
}

static inline vv_c128 wide_log1p(vv_c128 z)
{
    if (special(z) || fabs(z.re) > 0.5 || fabs(z.im) > 0.5) return wide_log((vv_c128){z.re + 1, z.im});
    return (vv_c128){real_log1p(z.re * (2 + z.re) + z.im * z.im) / 2, real_atan2(z.im, z.re + 1)};
}

static inline vv_c128 wide_multiply(vv_c128 a, vv_c128 b)
{
    return (vv_c128){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

/* By squaring, as NumPy does it for whole powers below 100. */
static inline vv_c128 whole_power(vv_c128 a, int n)
{
    vv_c128 result = {1, 0}, power = a;
    int left = n < 0 ? -n : n;
    if (n == 1) return a;
    if (n == 2) return wide_multiply(a, a);
    if (n == 3) return wide_multiply(a, wide_multiply(a, a));
    for (;; power = wide_multiply(power, power)) {
        if (left & 1) result = wide_multiply(result, power);
        left >>= 1;
        if (!left) break;
    }
    return n < 0 ? divide_vv_c128((vv_c128){1, 0}, result) : result;
}

static inline vv_c128 wide_power(vv_c128 a, vv_c128 b)
{
    if (b.re == 0 && b.im == 0) return (vv_c128){1, 0};
    if (a.re == 0 && a.im == 0) return b.re > 0 && b.im == 0 ? (vv_c128){0, 0} : (vv_c128){(double)NAN, (double)NAN};
    if (b.im == 0 && b.re == rint(b.re) && fabs(b.re) < 100) return whole_power(a, (int)b.re);
    return wide_exp(wide_multiply(b, wide_log(a)));
}

static inline vv_c128 wide_sinh(vv_c128 z)
{
    if (special(z)) return LIBRARY(csinh, z);
    if (z.im == 0) return (vv_c128){real_sinh(z.re), z.im};
    return (vv_c128){real_sinh(z.re) * real_cos(z.im), real_cosh(z.re) * real_sin(z.im)};
}

static inline vv_c128 wide_cosh(vv_c128 z)
{
    if (special(z)) return LIBRARY(ccosh, z);
    return (vv_c128){real_cosh(z.re) * real_cos(z.im), real_sinh(z.re) * real_sin(z.im)};
}

/* Kahan's: no overflow, and no cancellation where the tangent is large. */
static inline vv_c128 wide_tanh(vv_c128 z)
{
    if (special(z)) return LIBRARY(ctanh, z);
    double sine = real_sin(z.im), cosine = real_cos(z.im);
    if (fabs(z.re) > 22) return (vv_c128){copysign(1.0, z.re), 4 * sine * cosine * real_exp(-2 * fabs(z.re))};
    double t = sine / cosine, beta = 1 + t * t, s = real_sinh(z.re), rho = sqrt(1 + s * s), size = 1 + beta * s * s;
    return (vv_c128){beta * rho * s / size, t / size};
}

static inline vv_c128 wide_sin(vv_c128 z)
{
    return turned_back(wide_sinh(turned(z)));
}

static inline vv_c128 wide_cos(vv_c128 z)
{
    return wide_cosh(turned(z));
}

static inline vv_c128 wide_tan(vv_c128 z)
{
    return turned_back(wide_tanh(turned(z)));
}

/* Kahan's: Branch cuts for complex elementary functions, 1987. */
static inline vv_c128 wide_arcsin(vv_c128 z)
{
    if (special(z)) return LIBRARY(casin, z);
    vv_c128 below = wide_sqrt((vv_c128){1 - z.re, -z.im}), above = wide_sqrt((vv_c128){1 + z.re, z.im});
    return (vv_c128){real_atan2(z.re, below.re * above.re - below.im * above.im),
                     real_asinh(below.re * above.im - below.im * above.re)};
}

static inline vv_c128 wide_arccos(vv_c128 z)
{
    if (special(z)) return LIBRARY(cacos, z);
    vv_c128 below = wide_sqrt((vv_c128){1 - z.re, -z.im}), above = wide_sqrt((vv_c128){1 + z.re, z.im});
    return (vv_c128){2 * real_atan2(below.re, above.re), real_asinh(above.re * below.im - above.im * below.re)};
}

static inline vv_c128 wide_arccosh(vv_c128 z)
{
    if (special(z)) return LIBRARY(cacosh, z);
    vv_c128 below = wide_sqrt((vv_c128){z.re - 1, z.im}), above = wide_sqrt((vv_c128){z.re + 1, z.im});
    return (vv_c128){real_asinh(below.re * above.re + below.im * above.im), 2 * real_atan2(below.im, above.re)};
}

static inline vv_c128 wide_arcsinh(vv_c128 z)
{
    return turned_back(wide_arcsin(turned(z)));
}

static inline vv_c128 wide_arctanh(vv_c128 z)
{
    if (special(z)) return LIBRARY(catanh, z);
    double x = fabs(z.re), y = fabs(z.im);
    if (x > 1e150 || y > 1e150) return (vv_c128){reciprocal_vv_c128(z).re, copysign(M_PI_2, z.im)};
    double re = real_log1p(4 * x / ((1 - x) * (1 - x) + y * y)) / 4;
    return (vv_c128){copysign(re, z.re), real_atan2(2 * z.im, (1 - x) * (1 + x) - y * y) / 2};
}

static inline vv_c128 wide_arctan(vv_c128 z)
{
    return turned_back(wide_arctanh(turned(z)));
}

#endif
