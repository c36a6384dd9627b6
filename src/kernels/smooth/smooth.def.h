/* The transcendental functions, one line each; no include guard: several files read this list.
 *
 *   SMOOTH(name, help, arity, function, ulp)   NumPy's name; SLEEF's function and the bound of its error as its name has it: u10 is 1.0 ulp
 *
 * The library's deterministic variants (cinz) give the same bits with vectors of any width and on any machine: unlike the C library's own. */
SMOOTH(exp, "exponential", 1, exp, u10)
SMOOTH(exp2, "2 to the power of it", 1, exp2, u10)
SMOOTH(expm1, "exponential minus 1, exact near 0", 1, expm1, u10)
SMOOTH(log, "natural logarithm", 1, log, u10)
SMOOTH(log2, "logarithm of base 2", 1, log2, u10)
SMOOTH(log10, "logarithm of base 10", 1, log10, u10)
SMOOTH(log1p, "natural logarithm of 1 plus it, exact near 0", 1, log1p, u10)
SMOOTH(sin, "sine", 1, sin, u10)
SMOOTH(cos, "cosine", 1, cos, u10)
SMOOTH(tan, "tangent", 1, tan, u10)
SMOOTH(arcsin, "inverse sine", 1, asin, u10)
SMOOTH(arccos, "inverse cosine", 1, acos, u10)
SMOOTH(arctan, "inverse tangent", 1, atan, u10)
SMOOTH(arctan2, "angle of the point (second, first operand)", 2, atan2, u10)
SMOOTH(sinh, "hyperbolic sine", 1, sinh, u10)
SMOOTH(cosh, "hyperbolic cosine", 1, cosh, u10)
SMOOTH(tanh, "hyperbolic tangent", 1, tanh, u10)
SMOOTH(arcsinh, "inverse hyperbolic sine", 1, asinh, u10)
SMOOTH(arccosh, "inverse hyperbolic cosine", 1, acosh, u10)
SMOOTH(arctanh, "inverse hyperbolic tangent", 1, atanh, u10)
SMOOTH(cbrt, "cubic root", 1, cbrt, u10)
SMOOTH(hypot, "length of the hypotenuse", 2, hypot, u05)
