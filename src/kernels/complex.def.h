/* What complex numbers have of the operations in ops.def.h, one line each; no include guard: complex.c reads this list several times.
 *
 *   COMPLEX(name, arity, expression)   the result is complex, too
 *   PART(name, arity, expression)      the result is real, of half the size
 *   TRUTH(name, arity, expression)     the result is 0 or 1
 *   WIDE(name, arity, function)        computed in double precision by a function of complex_math.h, and rounded to single where it is
 *   WIDE_PART(name, arity, function)   the same with a real result
 *
 * Expressions are in the operands a, b and give NumPy's results; helpers that need statements are in complex_math.h. Operations that are not here are not
 * defined for complex numbers. Comparisons order by the real part, then by the imaginary one, as NumPy's do. */
COMPLEX(add, 2, complex_of(a, a.re + b.re, a.im + b.im))
COMPLEX(subtract, 2, complex_of(a, a.re - b.re, a.im - b.im))
COMPLEX(multiply, 2, complex_of(a, a.re *b.re - a.im * b.im, a.re *b.im + a.im * b.re))
COMPLEX(divide, 2, complex_divide(a, b))
COMPLEX(negative, 1, complex_of(a, -a.re, -a.im))
COMPLEX(positive, 1, a)
COMPLEX(square, 1, complex_of(a, a.re *a.re - a.im * a.im, a.re *a.im + a.im * a.re))
COMPLEX(reciprocal, 1, complex_reciprocal(a))
COMPLEX(conjugate, 1, complex_of(a, a.re, -a.im))
COMPLEX(rint, 1, complex_of(a, rint(a.re), rint(a.im)))
COMPLEX(sign, 1, complex_of(a, complex_sign(a), 0))
COMPLEX(minimum, 2, complex_nan(a) || (!complex_nan(b) && !complex_less(b, a)) ? a : b)
COMPLEX(maximum, 2, complex_nan(a) || (!complex_nan(b) && !complex_less(a, b)) ? a : b)
COMPLEX(fmin, 2, complex_nan(b) || (!complex_nan(a) && !complex_less(b, a)) ? a : b)
COMPLEX(fmax, 2, complex_nan(b) || (!complex_nan(a) && !complex_less(a, b)) ? a : b)
COMPLEX(as_c64, 1, a)
COMPLEX(as_c128, 1, a)

PART(real, 1, a.re)
PART(imag, 1, a.im)

TRUTH(as_bool, 1, (a.re != 0) | (a.im != 0))
TRUTH(equal, 2, (a.re == b.re) & (a.im == b.im))
TRUTH(not_equal, 2, (a.re != b.re) | (a.im != b.im))
TRUTH(less, 2, complex_less(a, b))
TRUTH(less_equal, 2, complex_less(a, b) || complex_same(a, b))
TRUTH(greater, 2, complex_less(b, a))
TRUTH(greater_equal, 2, complex_less(b, a) || complex_same(a, b))
TRUTH(logical_and, 2, ((a.re != 0) | (a.im != 0)) & ((b.re != 0) | (b.im != 0)))
TRUTH(logical_or, 2, (a.re != 0) | (a.im != 0) | (b.re != 0) | (b.im != 0))
TRUTH(logical_xor, 2, ((a.re != 0) | (a.im != 0)) ^ ((b.re != 0) | (b.im != 0)))
TRUTH(logical_not, 1, (a.re == 0) & (a.im == 0))
TRUTH(isnan, 1, (a.re != a.re) | (a.im != a.im))
TRUTH(isfinite, 1, complex_finite(a))
TRUTH(isinf, 1, fabs(a.re) > REAL_MAX(a.re) || fabs(a.im) > REAL_MAX(a.im))

WIDE_PART(absolute, 1, wide_absolute)
WIDE_PART(angle, 1, wide_angle)
WIDE(sqrt, 1, wide_sqrt)
WIDE(exp, 1, wide_exp)
WIDE(exp2, 1, wide_exp2)
WIDE(expm1, 1, wide_expm1)
WIDE(log, 1, wide_log)
WIDE(log2, 1, wide_log2)
WIDE(log10, 1, wide_log10)
WIDE(log1p, 1, wide_log1p)
WIDE(power, 2, wide_power)
WIDE(sin, 1, wide_sin)
WIDE(cos, 1, wide_cos)
WIDE(tan, 1, wide_tan)
WIDE(sinh, 1, wide_sinh)
WIDE(cosh, 1, wide_cosh)
WIDE(tanh, 1, wide_tanh)
WIDE(arcsin, 1, wide_arcsin)
WIDE(arccos, 1, wide_arccos)
WIDE(arctan, 1, wide_arctan)
WIDE(arcsinh, 1, wide_arcsinh)
WIDE(arccosh, 1, wide_arccosh)
WIDE(arctanh, 1, wide_arctanh)
