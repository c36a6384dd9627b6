/* The elementwise operations, one line each; no include guard: ops.c reads this list several times, and defines all of these anew each time.
 *
 *   NUMBER(name, help, arity, real, integer)   defined for all working types; the result has the operands' type
 *   BOUNDED(name, help, arity, real, integer)  the same, and of narrow integers the result never wraps
 *   REAL(name, help, arity, real)              defined for f32 and f64; integers are cast to f64 first
 *   INTEGER(name, help, arity, integer)        defined for i64 and u64 only
 *   CAST(name, help, type, working, C type, expression) to an element type; integers that do not fit wrap, reals are cut to integers
 *   TEST(name, help, arity, expression)        defined for all; the result is 0 or 1: i64 in a program, bool in an array
 *   REAL_TEST(name, help, arity, expression)   the same for f32 and f64 only
 *   COMPLEX_CAST(name, help, type)             to a complex element type
 *   PAIR(name, help)                           complex numbers of two reals
 *   CHOICE(name, help)                         where(condition, if true, if false)
 *
 * Complex numbers have their own list, complex.def.h: of operations that are in this one. Transcendental functions are in smooth.def.h, which is a part of this list; SMOOTH_NUMBER is one that integers have too.
 *
 * Expressions are in the operands a, b, c and give NumPy's results. <tgmath.h> picks expf or exp. Integers are computed as unsigned, where
 * overflow wraps. Helpers that need statements are in ops_math.h. Where an expression can be written without branches it is (| instead of
 * ||), so that the loop is vectorised. */
NUMBER(add, "sum", 2, a + b, (uint64_t)a + (uint64_t)b)
NUMBER(subtract, "difference", 2, a - b, (uint64_t)a - (uint64_t)b)
NUMBER(multiply, "product", 2, a *b, (uint64_t)a *(uint64_t)b)
REAL(divide, "true quotient", 2, a / b)
NUMBER(floor_divide, "quotient rounded down", 2, real_floor_divide(a, b), integer_floor_divide(a, b))
BOUNDED(remainder, "remainder with the sign of the divisor", 2, real_remainder(a, b), integer_remainder(a, b))
SMOOTH_NUMBER(power, "first operand to the power of the second", 2, integer_power(a, b))
NUMBER(negative, "negated value", 1, -a, -(uint64_t)a)
NUMBER(absolute, "absolute value", 1, fabs(a), integer_absolute(a))
NUMBER(square, "square", 1, a *a, (uint64_t)a *(uint64_t)a)
BOUNDED(positive, "the value itself", 1, a, a)
BOUNDED(conjugate, "complex conjugate", 1, a, a)
BOUNDED(real, "real part", 1, a, a)
BOUNDED(imag, "imaginary part", 1, 0, 0)
BOUNDED(sign, "-1, 0 or 1; NaN of NaN", 1, a != a ? a : (a > 0) - (a < 0), integer_sign(a))
BOUNDED(fmod, "remainder with the sign of the dividend", 2, fmod(a, b), integer_fmod(a, b))
NUMBER(reciprocal, "1 divided by it", 1, 1 / a, a == 0 ? 0 : 1 / a)
BOUNDED(minimum, "lesser operand; NaN when one is", 2, ((a < b) | (a != a)) ? a : b, a < b ? a : b)
BOUNDED(maximum, "greater operand; NaN when one is", 2, ((a > b) | (a != a)) ? a : b, a > b ? a : b)
BOUNDED(fmin, "lesser operand; the other one when one is NaN", 2, ((a < b) | (b != b)) ? a : b, a < b ? a : b)
BOUNDED(fmax, "greater operand; the other one when one is NaN", 2, ((a > b) | (b != b)) ? a : b, a > b ? a : b)
BOUNDED(clip, "value limited to between the second and the third operand", 3, real_clip(a, b, c), integer_clip(a, b, c))

REAL(sqrt, "square root", 1, sqrt(a))
REAL(floor, "rounded down", 1, floor(a))
REAL(ceil, "rounded up", 1, ceil(a))
REAL(rint, "rounded to nearest, halves to even", 1, rint(a))

REAL(trunc, "rounded towards zero", 1, trunc(a))
REAL(fabs, "absolute value as a real number", 1, fabs(a))
REAL(copysign, "first operand with the sign of the second; NaN has none", 2, b == b ? copysign(a, b) : fabs(a))
REAL(nextafter, "next number from the first operand towards the second", 2, nextafter(a, b))
REAL(spacing, "distance to the next number away from zero", 1, real_spacing(a))
REAL(heaviside, "0 below zero, 1 above, the second operand at zero", 2, a != a ? a : a == 0 ? b : (a > 0))
REAL(student_p, "two-sided probability of Student's t, the first operand, with degrees of freedom, the second", 2,
     real_of(a, vv_student_p(a, b)))
REAL(degrees, "radians to degrees", 1, a *real_of(a, 180 / M_PI))
REAL(radians, "degrees to radians", 1, a *real_of(a, M_PI / 180))
REAL(ldexp, "first operand times 2 to the power of the second", 2, real_ldexp(a, b))
REAL(angle, "angle of a complex number; that of a negative real is pi", 1,
     a != a       ? a
     : signbit(a) ? real_of(a, M_PI)
                  : 0)
REAL(mantissa, "from 0.5 to 1: it is that times 2 to the power of its exponent", 1, real_of(a, mantissa_of(a)))
REAL(exponent, "exponent of 2 that belongs to its mantissa", 1, real_of(a, exponent_of(a)))
REAL(bessel_i0e, "modified Bessel function of order 0 times exp(-|x|)", 1, real_of(a, bessel_i0e(a)))
REAL(nan_to_zero, "0 where it is NaN", 1, a == a ? a : 0)

#define SMOOTH(name, help, arity, function, ulp) SMOOTH_REAL(name, help, arity)
#include "kernels/smooth/smooth.def.h"
#undef SMOOTH

INTEGER(bitwise_and, "bits that both have", 2, a &b)
INTEGER(bitwise_or, "bits that one of them has", 2, a | b)
INTEGER(bitwise_xor, "bits that differ", 2, a ^ b)
INTEGER(invert, "all bits turned", 1, ~a)
INTEGER(left_shift, "bits moved up by the second operand", 2, integer_left_shift(a, b))
INTEGER(right_shift, "bits moved down by the second operand; the sign stays", 2, integer_right_shift(a, b))
INTEGER(gcd, "greatest common divisor", 2, integer_gcd(a, b))
INTEGER(lcm, "least common multiple", 2, integer_lcm(a, b))

CAST(as_i8, "as i8", I8, I64, int64_t, (int8_t)a)
CAST(as_i16, "as i16", I16, I64, int64_t, (int16_t)a)
CAST(as_i32, "as i32", I32, I64, int64_t, (int32_t)a)
CAST(as_i64, "as i64", I64, I64, int64_t, a)
CAST(as_u8, "as u8", U8, U64, uint64_t, (uint8_t)a)
CAST(as_u16, "as u16", U16, U64, uint64_t, (uint16_t)a)
CAST(as_u32, "as u32", U32, U64, uint64_t, (uint32_t)a)
CAST(as_u64, "as u64", U64, U64, uint64_t, a)
CAST(as_f32, "as f32", F32, F32, float, a)
CAST(as_f64, "as f64", F64, F64, double, a)
COMPLEX_CAST(as_c64, "as c64", C64)
COMPLEX_CAST(as_c128, "as c128", C128)
PAIR(make_complex, "complex number of a real and an imaginary part")

TEST(as_bool, "1 where it is not zero", 1, a != 0)
TEST(equal, "whether operands are equal", 2, a == b)
TEST(not_equal, "whether operands differ", 2, a != b)
TEST(less, "whether the first is less", 2, a < b)
TEST(less_equal, "whether the first is less or equal", 2, a <= b)
TEST(greater, "whether the first is greater", 2, a > b)
TEST(greater_equal, "whether the first is greater or equal", 2, a >= b)
TEST(logical_and, "whether both are not zero", 2, (a != 0) & (b != 0))
TEST(logical_or, "whether one is not zero", 2, (a != 0) | (b != 0))
TEST(logical_xor, "whether just one is not zero", 2, (a != 0) ^ (b != 0))
TEST(logical_not, "whether it is zero", 1, a == 0)
REAL_TEST(isnan, "whether it is not a number", 1, a != a)
REAL_TEST(isfinite, "whether it is neither infinite nor not a number", 1, fabs(a) <= REAL_MAX(a))
REAL_TEST(isinf, "whether it is infinite", 1, fabs(a) > REAL_MAX(a))
REAL_TEST(isposinf, "whether it is infinite and positive", 1, a > REAL_MAX(a))
REAL_TEST(isneginf, "whether it is infinite and negative", 1, a < -REAL_MAX(a))
REAL_TEST(signbit, "whether its sign is a minus, that of zero included; NaN has none", 1, (signbit(a) != 0) & (a == a))

CHOICE(where, "second operand where the first is not zero, else the third")

#undef NUMBER
#undef REAL
#undef INTEGER
#undef BOUNDED
#undef CAST
#undef SMOOTH_REAL
#undef SMOOTH_NUMBER
#undef TEST
#undef REAL_TEST
#undef COMPLEX_CAST
#undef PAIR
#undef CHOICE
