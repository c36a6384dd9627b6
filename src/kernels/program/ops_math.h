/* What elementwise operations need beyond an expression, for reals and integers, with NumPy's results. Only for ops.c. */
#ifndef VV_KERNELS_PROGRAM_OPS_MATH_H
#define VV_KERNELS_PROGRAM_OPS_MATH_H

#include "kernels/clones.h"

#include <float.h>
#include <tgmath.h>

#define REAL_MAX(a) _Generic((a), float : FLT_MAX, double : DBL_MAX)

/* Python's division of reals: the remainder has the divisor's sign, and the quotient is the integer that goes with this remainder. */
#define DIVISION(real)                                                                                                 \
    VV_KERNEL real remainder_##real(real a, real b)                                                                    \
    {                                                                                                                  \
        real mod = fmod(a, b);                                                                                         \
        if (b == 0) return mod;                                                                                        \
        if (mod == 0) return copysign((real)0, b);                                                                     \
        return (b < 0) != (mod < 0) ? mod + b : mod;                                                                   \
    }                                                                                                                  \
    VV_KERNEL real floor_divide_##real(real a, real b)                                                                 \
    {                                                                                                                  \
        if (b == 0) return a / b;                                                                                      \
        real mod = fmod(a, b);                                                                                         \
        real quotient = (a - mod) / b;                                                                                 \
        if (mod != 0 && (b < 0) != (mod < 0)) quotient -= 1;                                                           \
        if (quotient == 0) return copysign((real)0, a / b);                                                            \
        real whole = floor(quotient);                                                                                  \
        return quotient - whole > (real)0.5 ? whole + 1 : whole;                                                       \
    }                                                                                                                  \
    VV_KERNEL real clip_##real(real a, real lo, real hi)                                                               \
    {                                                                                                                  \
        real raised = ((a > lo) | (a != a)) ? a : lo;                                                                  \
        return ((raised < hi) | (raised != raised)) ? raised : hi;                                                     \
    }
DIVISION(float)
DIVISION(double)
#undef DIVISION

#define SCALES(real)                                                                                                   \
    VV_KERNEL real spacing_##real(real a)                                                                              \
    {                                                                                                                  \
        if (fabs(a) > REAL_MAX(a)) return (real)NAN;                                                                   \
        return nextafter(a, a < 0 ? -(real)INFINITY : INFINITY) - a;                                                   \
    }                                                                                                                  \
    VV_KERNEL real ldexp_##real(real a, real b)                                                                        \
    {                                                                                                                  \
        return b != b ? b : ldexp(a, (int)(b > 5000 ? 5000 : b < -5000 ? -5000 : b));                                  \
    }
SCALES(float)
SCALES(double)
#undef SCALES

/* Division by zero gives zero; the one quotient that overflows wraps. */
VV_KERNEL int64_t floor_divide_i64(int64_t a, int64_t b)
{
    if (b == 0) return 0;
    if (b == -1) return (int64_t)(0 - (uint64_t)a);
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

VV_KERNEL uint64_t floor_divide_u64(uint64_t a, uint64_t b)
{
    return b == 0 ? 0 : a / b;
}

VV_KERNEL int64_t remainder_i64(int64_t a, int64_t b)
{
    if (b == 0 || b == -1) return 0;
    int64_t mod = a % b;
    return mod != 0 && (mod < 0) != (b < 0) ? mod + b : mod;
}

VV_KERNEL uint64_t remainder_u64(uint64_t a, uint64_t b)
{
    return b == 0 ? 0 : a % b;
}

VV_KERNEL uint64_t power_u64(uint64_t a, uint64_t b)
{
    uint64_t result = 1;
    for (; b; b >>= 1, a *= a)
        if (b & 1) result *= a;
    return result;
}

/* NumPy refuses negative powers of integers; here they are 1/a^|b| cut to an integer. */
VV_KERNEL int64_t power_i64(int64_t a, int64_t b)
{
    if (b >= 0) return (int64_t)power_u64((uint64_t)a, (uint64_t)b);
    if (a == -1) return b % 2 ? -1 : 1;
    return a == 1;
}

/* C's remainder. */
VV_KERNEL int64_t fmod_i64(int64_t a, int64_t b)
{
    return b == 0 || b == -1 ? 0 : a % b;
}

VV_KERNEL uint64_t fmod_u64(uint64_t a, uint64_t b)
{
    return b == 0 ? 0 : a % b;
}

/* Shifting by more bits than there are leaves none, or the sign. */
VV_KERNEL int64_t left_shift_i64(int64_t a, int64_t b)
{
    return (uint64_t)b < 64 ? (int64_t)((uint64_t)a << b) : 0;
}

VV_KERNEL uint64_t left_shift_u64(uint64_t a, uint64_t b)
{
    return b < 64 ? a << b : 0;
}

VV_KERNEL int64_t right_shift_i64(int64_t a, int64_t b)
{
    return a >> ((uint64_t)b < 64 ? b : 63);
}

VV_KERNEL uint64_t right_shift_u64(uint64_t a, uint64_t b)
{
    return b < 64 ? a >> b : 0;
}

VV_KERNEL uint64_t gcd_u64(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

VV_KERNEL uint64_t lcm_u64(uint64_t a, uint64_t b)
{
    uint64_t divisor = gcd_u64(a, b);
    return divisor ? a / divisor * b : 0;
}

VV_KERNEL uint64_t absolute_i64(int64_t a)
{
    return a < 0 ? 0 - (uint64_t)a : (uint64_t)a;
}

VV_KERNEL uint64_t absolute_u64(uint64_t a)
{
    return a;
}

VV_KERNEL uint64_t gcd_i64(int64_t a, int64_t b)
{
    return gcd_u64(absolute_i64(a), absolute_i64(b));
}

VV_KERNEL uint64_t lcm_i64(int64_t a, int64_t b)
{
    return lcm_u64(absolute_i64(a), absolute_i64(b));
}

VV_KERNEL int64_t sign_i64(int64_t a)
{
    return (a > 0) - (a < 0);
}

VV_KERNEL int64_t sign_u64(uint64_t a)
{
    return a > 0;
}

VV_KERNEL int64_t clip_i64(int64_t a, int64_t lo, int64_t hi)
{
    int64_t raised = a > lo ? a : lo;
    return raised < hi ? raised : hi;
}

VV_KERNEL uint64_t clip_u64(uint64_t a, uint64_t lo, uint64_t hi)
{
    uint64_t raised = a > lo ? a : lo;
    return raised < hi ? raised : hi;
}

/* Chebyshev's coefficients of exp(-|x|) I0(x), for |x| up to 8 and beyond (Cephes, as numpy.i0). */
static const double bessel_near[] = {
    -4.4153416464793395e-18, 3.3307945188222384e-17, -2.431279846547955e-16, 1.715391285555133e-15,
    -1.1685332877993451e-14, 7.676185498604936e-14,  -4.856446783111929e-13, 2.95505266312964e-12,
    -1.726826291441556e-11,  9.675809035373237e-11,  -5.189795601635263e-10, 2.6598237246823866e-09,
    -1.300025009986248e-08,  6.046995022541919e-08,  -2.670793853940612e-07, 1.1173875391201037e-06,
    -4.4167383584587505e-06, 1.6448448070728896e-05, -5.754195010082104e-05, 0.00018850288509584165,
    -0.0005763755745385824,  0.0016394756169413357,  -0.004324309995050576,  0.010546460394594998,
    -0.02373741480589947,    0.04930528423967071,    -0.09490109704804764,   0.17162090152220877,
    -0.3046826723431984,     0.6767952744094761};
static const double bessel_far[] = {
    -7.233180487874754e-18,  -4.830504485944182e-18,  4.46562142029676e-17,    3.461222867697461e-17,
    -2.8276239805165836e-16, -3.425485619677219e-16,  1.7725601330565263e-15,  3.8116806693526224e-15,
    -9.554846698828307e-15,  -4.150569347287222e-14,  1.54008621752141e-14,    3.8527783827421426e-13,
    7.180124451383666e-13,   -1.7941785315068062e-12, -1.3215811840447713e-11, -3.1499165279632416e-11,
    1.1889147107846439e-11,  4.94060238822497e-10,    3.3962320257083865e-09,  2.266668990498178e-08,
    2.0489185894690638e-07,  2.8913705208347567e-06,  6.889758346916825e-05,   0.0033691164782556943,
    0.8044904110141088};

VV_KERNEL double chebyshev(double x, const double c[], int n)
{
    double b0 = c[0], b1 = 0, b2 = 0;
    for (int i = 1; i < n; i++) {
        b2 = b1;
        b1 = b0;
        b0 = x * b1 - b2 + c[i];
    }
    return 0.5 * (b0 - b2);
}
VV_KERNEL double bessel_i0e(double x)
{
    double a = fabs(x);
    if (a > DBL_MAX) return 0;
    if (!(a > 8)) return chebyshev(a / 2 - 2, bessel_near, sizeof bessel_near / sizeof *bessel_near);
    return chebyshev(32 / a - 2, bessel_far, sizeof bessel_far / sizeof *bessel_far) / sqrt(a);
}
VV_KERNEL double mantissa_of(double x)
{
    int exponent;
    return fabs(x) <= DBL_MAX ? frexp(x, &exponent) : x;
}
VV_KERNEL double exponent_of(double x)
{
    int exponent = 0;
    if (fabs(x) <= DBL_MAX) (void)frexp(x, &exponent);
    return exponent;
}

#define OF_REAL(name, a)           _Generic((a), float : name##_float, double : name##_double)
#define OF_INTEGER(name, a)        _Generic((a), int64_t : name##_i64, uint64_t : name##_u64)
#define real_floor_divide(a, b)    OF_REAL(floor_divide, a)(a, b)
#define real_remainder(a, b)       OF_REAL(remainder, a)(a, b)
#define real_clip(a, b, c)         OF_REAL(clip, a)(a, b, c)
#define real_spacing(a)            OF_REAL(spacing, a)(a)
#define real_ldexp(a, b)           OF_REAL(ldexp, a)(a, b)
#define real_of(a, value)          _Generic((a), float : (float)(value), double : (double)(value))
#define integer_fmod(a, b)         OF_INTEGER(fmod, a)(a, b)
#define integer_left_shift(a, b)   OF_INTEGER(left_shift, a)(a, b)
#define integer_right_shift(a, b)  OF_INTEGER(right_shift, a)(a, b)
#define integer_sign(a)            OF_INTEGER(sign, a)(a)
#define integer_gcd(a, b)          OF_INTEGER(gcd, a)(a, b)
#define integer_lcm(a, b)          OF_INTEGER(lcm, a)(a, b)
#define integer_floor_divide(a, b) OF_INTEGER(floor_divide, a)(a, b)
#define integer_remainder(a, b)    OF_INTEGER(remainder, a)(a, b)
#define integer_power(a, b)        OF_INTEGER(power, a)(a, b)
#define integer_absolute(a)        OF_INTEGER(absolute, a)(a)
#define integer_clip(a, b, c)      OF_INTEGER(clip, a)(a, b, c)

/* Casts of reals to integers cut the fraction. What does not fit gives what x86 gives, on every machine. */
VV_KERNEL int64_t real_to_i64(double x)
{
    return x >= -0x1p63 && x < 0x1p63 ? (int64_t)x : INT64_MIN;
}

VV_KERNEL uint64_t real_to_u64(double x)
{
    if (x >= 0x1p63 && x < 0x1p64) return (uint64_t)x;
    return (uint64_t)real_to_i64(x);
}

#endif
