/* What elementwise operations need beyond an expression, for reals and integers, with NumPy's results. Only for ops.c. */
#ifndef VV_KERNELS_OPS_MATH_H
#define VV_KERNELS_OPS_MATH_H

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
