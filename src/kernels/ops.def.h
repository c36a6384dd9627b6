/* The elementwise operations, one line each; no include guard: ops.c reads this list several times.
 *
 *   NUMBER(name, help, arity, real, integer)   defined for all working types; the result has the operands' type
 *   REAL(name, help, arity, real)              defined for f32 and f64; integers are cast to f64 first
 *   TEST(name, help, arity, expression)        defined for all; the result is i64, 0 or 1
 *   REAL_TEST(name, help, arity, expression)   the same for f32 and f64 only
 *   CHOICE(name, help)                         where(condition, if true, if false)
 *
 * Expressions are in the operands a, b, c and give NumPy's results. <tgmath.h> picks expf or exp. Integers are computed as unsigned, where
 * overflow wraps. Helpers that need statements are in ops_math.h. Where an expression can be written without branches it is (| instead of
 * ||), so that the loop is vectorised. */
NUMBER(add, "sum", 2, a + b, (uint64_t)a + (uint64_t)b)
NUMBER(subtract, "difference", 2, a - b, (uint64_t)a - (uint64_t)b)
NUMBER(multiply, "product", 2, a *b, (uint64_t)a *(uint64_t)b)
REAL(divide, "true quotient", 2, a / b)
NUMBER(floor_divide, "quotient rounded down", 2, real_floor_divide(a, b), integer_floor_divide(a, b))
NUMBER(remainder, "remainder with the sign of the divisor", 2, real_remainder(a, b), integer_remainder(a, b))
NUMBER(power, "first operand to the power of the second", 2, pow(a, b), integer_power(a, b))
NUMBER(negative, "negated value", 1, -a, -(uint64_t)a)
NUMBER(absolute, "absolute value", 1, fabs(a), integer_absolute(a))
NUMBER(square, "square", 1, a *a, (uint64_t)a *(uint64_t)a)
NUMBER(minimum, "lesser operand; NaN when one is", 2, ((a < b) | (a != a)) ? a : b, a < b ? a : b)
NUMBER(maximum, "greater operand; NaN when one is", 2, ((a > b) | (a != a)) ? a : b, a > b ? a : b)
NUMBER(clip, "value limited to between the second and the third operand", 3, real_clip(a, b, c), integer_clip(a, b, c))

REAL(sqrt, "square root", 1, sqrt(a))
REAL(floor, "rounded down", 1, floor(a))
REAL(ceil, "rounded up", 1, ceil(a))
REAL(rint, "rounded to nearest, halves to even", 1, rint(a))

/* Through libm, one element at a time. */
REAL(exp, "exponential", 1, exp(a))
REAL(log, "natural logarithm", 1, log(a))
REAL(sin, "sine", 1, sin(a))
REAL(cos, "cosine", 1, cos(a))

TEST(equal, "whether operands are equal", 2, a == b)
TEST(not_equal, "whether operands differ", 2, a != b)
TEST(less, "whether the first is less", 2, a < b)
TEST(less_equal, "whether the first is less or equal", 2, a <= b)
TEST(greater, "whether the first is greater", 2, a > b)
TEST(greater_equal, "whether the first is greater or equal", 2, a >= b)
TEST(logical_and, "whether both are not zero", 2, (a != 0) & (b != 0))
TEST(logical_or, "whether one is not zero", 2, (a != 0) | (b != 0))
TEST(logical_not, "whether it is zero", 1, a == 0)
REAL_TEST(isnan, "whether it is not a number", 1, a != a)
REAL_TEST(isfinite, "whether it is neither infinite nor not a number", 1, fabs(a) <= REAL_MAX(a))

CHOICE(where, "second operand where the first is not zero, else the third")
