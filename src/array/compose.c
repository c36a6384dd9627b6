/* Functions of numbers that are made of elementwise operations. They are fused like these. */
#include "array/build.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* where(condition, yes, no), all given away. */
static vv_array *chosen(vv_array *condition, vv_array *yes, vv_array *no)
{
    vv_array *operands[] = {condition, yes, no}, *made = vv_node_elementwise(yes->context, "where", operands, 3);
    for (int i = 0; i < 3; i++) vv_release(&operands[i]);
    return made;
}

static vv_array *number(const vv_array *like, double x)
{
    return vv_node_scalar(like->context, x);
}

static vv_array *one_of(const char *op, vv_array *a)
{
    return vv_node_of(op, vv_node_again(a), NULL);
}

static vv_array *two_of(const char *op, vv_array *a, vv_array *b)
{
    return vv_node_of(op, vv_node_again(a), vv_node_again(b));
}

/* --- comparing --- */

static vv_array *bound_of(vv_array *b, double rtol, double atol)
{
    return vv_node_of("add", vv_node_of("multiply", one_of("absolute", b), number(b, rtol)), number(b, atol));
}

vv_array *vv_isclose(vv_array *a, vv_array *b, double rtol, double atol, bool equal_nan)
{
    if (vv_nodes_usable((vv_array *[]){a, b}, 2) != VV_OK) return vv_node_inert(a->context ? a->context : b->context);
    vv_array *x = vv_node_as_inexact(a), *y = vv_node_as_inexact(b);
    vv_array *apart = vv_node_of("absolute", two_of("subtract", x, y), NULL);
    vv_array *near = vv_node_of("less_equal", apart, bound_of(y, rtol, atol));
    vv_array *finite = vv_node_of("logical_and", one_of("isfinite", x), one_of("isfinite", y));
    vv_array *made = chosen(finite, near, two_of("equal", x, y));
    if (equal_nan) {
        vv_array *both = vv_node_of("logical_and", one_of("isnan", x), one_of("isnan", y));
        made = vv_node_of("logical_or", made, both);
    }
    vv_release(&x);
    vv_release(&y);
    return made;
}

vv_array *vv_allclose(vv_array *a, vv_array *b, double rtol, double atol, bool equal_nan)
{
    vv_array *close = vv_isclose(a, b, rtol, atol, equal_nan);
    return vv_node_then(close, vv_reduce(close, "all", NULL, NULL));
}

vv_array *vv_iscomplex(vv_array *a)
{
    return vv_node_of("not_equal", one_of("imag", a), number(a, 0));
}

vv_array *vv_isreal(vv_array *a)
{
    return vv_node_of("equal", one_of("imag", a), number(a, 0));
}

/* --- functions --- */

/* The greater one, and what the other one adds to it. Equal ones, infinite ones too, add the logarithm of 2. */
static vv_array *log_of_sum(vv_array *a, vv_array *b, const char *power, double unit)
{
    vv_context *c = a->context ? a->context : b->context;
    if (vv_nodes_usable((vv_array *[]){a, b}, 2) != VV_OK) return vv_node_inert(c);
    vv_array *like = vv_node_of(power, two_of("maximum", a, b), NULL); /* differences of integers would wrap */
    vv_array *x = vv_astype(a, like->dtype), *y = vv_astype(b, like->dtype);
    vv_release(&like);
    vv_array *apart = vv_node_of("negative", vv_node_of("absolute", two_of("subtract", x, y), NULL), NULL);
    vv_array *added = vv_node_of("log1p", vv_node_of(power, apart, NULL), NULL);
    if (unit != 1) added = vv_node_of("multiply", added, vv_node_scalar(c, unit));
    vv_array *sum = vv_node_of("add", two_of("maximum", x, y), added);
    vv_array *made =
        chosen(two_of("equal", x, y), vv_node_of("add", vv_node_again(x), vv_node_scalar(c, M_LN2 * unit)), sum);
    vv_release(&x);
    vv_release(&y);
    return made;
}

vv_array *vv_logaddexp(vv_array *a, vv_array *b)
{
    return log_of_sum(a, b, "exp", 1);
}

vv_array *vv_logaddexp2(vv_array *a, vv_array *b)
{
    return log_of_sum(a, b, "exp2", M_LOG2E);
}

vv_array *vv_sinc(vv_array *a)
{
    vv_array *zero = vv_node_of("equal", vv_node_again(a), number(a, 0));
    vv_array *x = vv_node_of("multiply", chosen(zero, number(a, 1e-20), vv_node_again(a)), number(a, M_PI));
    return vv_node_then(x, vv_node_of("divide", one_of("sin", x), vv_node_again(x)));
}

vv_array *vv_i0(vv_array *a)
{
    vv_array *size = one_of("fabs", a), *grown = vv_node_of("exp", size, NULL);
    return vv_node_of("multiply", grown, one_of("bessel_i0e", a));
}

vv_array *vv_float_power(vv_array *a, vv_array *b)
{
    vv_context *c = a->context ? a->context : b->context;
    if (vv_nodes_usable((vv_array *[]){a, b}, 2) != VV_OK) return vv_node_inert(c);
    bool is_complex = vv_dtype_is_complex(a->dtype) || vv_dtype_is_complex(b->dtype);
    vv_dtype type = is_complex ? VV_C128 : VV_F64;
    return vv_node_of("power", vv_astype(a, type), vv_astype(b, type));
}

vv_array *vv_round(vv_array *a, int digits)
{
    if (vv_array_status(a) != VV_OK) return vv_node_inert(a->context);
    bool whole = vv_dtype_is_integer(a->dtype);
    if (whole && digits >= 0) return vv_node_again(a);
    if (digits == 0) return one_of("rint", a);
    double unit = pow(10, abs(digits));
    const char *before = digits > 0 ? "multiply" : "divide", *behind = digits > 0 ? "divide" : "multiply";
    vv_array *scaled = vv_node_of(before, vv_node_again(a), number(a, unit));
    vv_array *made = vv_node_of(behind, vv_node_of("rint", scaled, NULL), number(a, unit));
    return whole ? vv_node_then(made, vv_astype(made, a->dtype)) : made;
}

static vv_array *replaced(vv_array *a, const char *test, double value)
{
    vv_array *is = one_of(test, a);
    return chosen(is, number(a, value), a);
}

vv_array *vv_nan_to_num(vv_array *a, double nan, double posinf, double neginf)
{
    if (vv_array_status(a) != VV_OK) return vv_node_inert(a->context);
    if (vv_dtype_is_complex(a->dtype)) {
        vv_array *part[] = {vv_node_part(a, false), vv_node_part(a, true)};
        for (int i = 0; i < 2; i++) part[i] = vv_node_then(part[i], vv_nan_to_num(part[i], nan, posinf, neginf));
        return vv_node_of_parts(part[0], part[1]);
    }
    if (!vv_dtype_is_float(a->dtype)) return vv_node_again(a);
    double most = a->dtype == VV_F32 ? (double)FLT_MAX : DBL_MAX;
    vv_array *made = replaced(vv_node_again(a), "isnan", nan);
    made = replaced(made, "isposinf", isnan(posinf) ? most : posinf);
    return replaced(made, "isneginf", isnan(neginf) ? -most : neginf);
}

void vv_frexp(vv_array *a, vv_array **mantissa, vv_array **exponent)
{
    if (mantissa) *mantissa = one_of("mantissa", a);
    if (exponent) *exponent = vv_node_of("as_i32", one_of("exponent", a), NULL);
}

/* What is infinite has no fraction. */
void vv_modf(vv_array *a, vv_array **fraction, vv_array **whole)
{
    if (whole) *whole = one_of("trunc", a);
    if (!fraction) return;
    vv_array *rest = vv_node_of("subtract", vv_node_again(a), one_of("trunc", a));
    vv_array *infinite = one_of("isinf", a);
    *fraction = vv_node_of("copysign", chosen(infinite, number(a, 0), rest), vv_node_again(a));
}

vv_array *vv_vdot(vv_array *a, vv_array *b)
{
    vv_context *c = a->context ? a->context : b->context;
    if (vv_nodes_usable((vv_array *[]){a, b}, 2) != VV_OK) return vv_node_inert(c);
    vv_array *left = vv_dtype_is_complex(a->dtype) ? one_of("conjugate", a) : vv_node_again(a);
    return vv_node_then(left, vv_dot(left, b, NULL));
}
