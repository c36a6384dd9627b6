#include "kernels/codec/decode.h"
#include "kernels/cpu.h"
#include "kernels/program/program.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const vv_dtype working[] = {VV_F32, VV_F64, VV_I64, VV_U64, VV_C64, VV_C128};
enum { WORKING = sizeof working / sizeof *working, WIDEST = 16 };

static uint64_t random_bits(void)
{
    uint64_t r = 0;
    for (int i = 0; i < 5; i++) r = r << 15 ^ (uint64_t)rand();
    return r;
}

static void random_values(vv_dtype type, vv_index n, void *out)
{
    if (vv_dtype_is_complex(type)) {
        random_values(vv_dtype_part(type), 2 * n, out);
        return;
    }
    static const double special[] = {NAN, INFINITY, -INFINITY, 0.0, -0.0, 1, -1, 2, 0.5, 1e300, -3};
    for (vv_index i = 0; i < n; i++) {
        char *at = (char *)out + i * vv_dtype_size(type);
        uint64_t bits = rand() % 2 ? random_bits() : (uint64_t)(rand() % 13 - 6);
        if (rand() % 20 == 0) bits = (uint64_t)1 << 63;
        if (!vv_dtype_is_float(type))
            memcpy(at, &bits, 8);
        else
            vv_dtype_store(type, at, rand() % 4 ? (rand() % 20000 - 10000) / 128.0 : special[rand() % 11]);
    }
}

/* --- references: one element, in the plainest way; NULL where an operation has none and only the general checks apply --- */

typedef double real_reference(double a, double b, double c);
typedef int64_t integer_reference(int64_t a, int64_t b, int64_t c, bool is_signed);

#define REAL(name, expression)                                                                                         \
    static double name##_real(double a, double b, double c)                                                            \
    {                                                                                                                  \
        (void)a, (void)b, (void)c;                                                                                     \
        return expression;                                                                                             \
    }
#define INTEGER(name, expression)                                                                                      \
    static int64_t name##_integer(int64_t a, int64_t b, int64_t c, bool is_signed)                                     \
    {                                                                                                                  \
        uint64_t ua = (uint64_t)a, ub = (uint64_t)b;                                                                   \
        (void)ua, (void)ub, (void)a, (void)b, (void)c, (void)is_signed;                                                \
        return (int64_t)(expression);                                                                                  \
    }
#define LESS(a, b) (is_signed ? (a) < (b) : (uint64_t)(a) < (uint64_t)(b))

REAL(add, a + b)
REAL(subtract, a - b)
REAL(multiply, a *b)
REAL(divide, a / b)
REAL(negative, -a)
REAL(absolute, fabs(a))
REAL(square, a *a)
REAL(sqrt, sqrt(a))
REAL(floor, floor(a))
REAL(ceil, ceil(a))
REAL(rint, rint(a))
REAL(exp, exp(a))
REAL(exp2, exp2(a))
REAL(expm1, expm1(a))
REAL(log, log(a))
REAL(log2, log2(a))
REAL(log10, log10(a))
REAL(log1p, log1p(a))
REAL(sin, sin(a))
REAL(cos, cos(a))
REAL(tan, tan(a))
REAL(arcsin, asin(a))
REAL(arccos, acos(a))
REAL(arctan, atan(a))
REAL(arctan2, atan2(a, b))
REAL(sinh, sinh(a))
REAL(cosh, cosh(a))
REAL(tanh, tanh(a))
REAL(arcsinh, asinh(a))
REAL(arccosh, acosh(a))
REAL(arctanh, atanh(a))
REAL(cbrt, cbrt(a))
REAL(hypot, hypot(a, b))
REAL(power, pow(a, b))
REAL(positive, a)
REAL(sign, isnan(a) ? a : a > 0 ? 1 : a < 0 ? -1 : 0)
REAL(fmod, fmod(a, b))
REAL(reciprocal, 1 / a)
REAL(fmin, fmin(a, b))
REAL(fmax, fmax(a, b))
REAL(trunc, trunc(a))
REAL(fabs, fabs(a))
REAL(copysign, isnan(b) ? fabs(a) : copysign(a, b))
REAL(heaviside, isnan(a) ? a : a == 0 ? b : a > 0)
REAL(nan_to_zero, isnan(a) ? 0 : a)
REAL(isinf, isinf(a) != 0)
REAL(isposinf, a == INFINITY)
REAL(isneginf, a == -INFINITY)
REAL(signbit, !isnan(a) && signbit(a) != 0)
REAL(logical_xor, (a != 0) != (b != 0))
REAL(minimum, isnan(a) ? a : isnan(b) ? b : a < b ? a : b)
REAL(maximum, isnan(a) ? a : isnan(b) ? b : a > b ? a : b)
REAL(clip, minimum_real(maximum_real(a, b, 0), c, 0))
REAL(equal, a == b)
REAL(not_equal, !(a == b))
REAL(less, a < b)
REAL(less_equal, a <= b)
REAL(greater, b < a)
REAL(greater_equal, b <= a)
REAL(isnan, isnan(a) != 0)
REAL(isfinite, isfinite(a) != 0)
REAL(logical_and, a != 0 && b != 0)
REAL(logical_or, a != 0 || b != 0)
REAL(logical_not, a == 0)
INTEGER(add, ua + ub)
INTEGER(subtract, ua - ub)
INTEGER(multiply, ua *ub)
INTEGER(negative, 0 - ua)
INTEGER(absolute, is_signed &&a < 0 ? 0 - ua : ua)
INTEGER(square, ua *ua)
INTEGER(minimum, LESS(a, b) ? a : b)
INTEGER(maximum, LESS(b, a) ? a : b)
INTEGER(clip, minimum_integer(maximum_integer(a, b, 0, is_signed), c, 0, is_signed))
INTEGER(equal, a == b)
INTEGER(not_equal, a != b)
INTEGER(less, LESS(a, b))
INTEGER(less_equal, !LESS(b, a))
INTEGER(greater, LESS(b, a))
INTEGER(greater_equal, !LESS(a, b))
INTEGER(logical_and, a &&b)
INTEGER(logical_or, a || b)
INTEGER(logical_not, !a)
INTEGER(logical_xor, !a != !b)
INTEGER(positive, a)
INTEGER(sign, is_signed ? (a > 0) - (a < 0) : a != 0)
INTEGER(fmin, LESS(a, b) ? a : b)
INTEGER(fmax, LESS(b, a) ? a : b)
INTEGER(fmod, b == 0 || (is_signed && b == -1) ? 0 : is_signed ? (uint64_t)(a % b) : ua % ub)
INTEGER(reciprocal, a == 1 || (is_signed && a == -1) ? a : 0)
INTEGER(bitwise_and, ua &ub)
INTEGER(bitwise_or, ua | ub)
INTEGER(bitwise_xor, ua ^ ub)
INTEGER(invert, ~ua)
INTEGER(left_shift, ub > 63 ? 0 : ua << ub)
INTEGER(right_shift, is_signed ? (uint64_t)(a >> (ub > 63 ? 63 : b)) : ub > 63 ? 0 : ua >> ub)
INTEGER(as_i64, a)
INTEGER(as_u64, ua)
INTEGER(as_bool, a != 0)
INTEGER(as_i8, (int8_t)a)
INTEGER(as_i16, (int16_t)a)
INTEGER(as_i32, (int32_t)a)
INTEGER(as_u8, (uint8_t)a)
INTEGER(as_u16, (uint16_t)a)
INTEGER(as_u32, (uint32_t)a)

static int64_t gcd_integer(int64_t a, int64_t b, int64_t c, bool is_signed)
{
    uint64_t x = is_signed && a < 0 ? 0 - (uint64_t)a : (uint64_t)a;
    uint64_t y = is_signed && b < 0 ? 0 - (uint64_t)b : (uint64_t)b;
    if (x < y) return gcd_integer((int64_t)y, (int64_t)x, c, false);
    return y == 0 ? (int64_t)x : gcd_integer((int64_t)y, (int64_t)(x % y), c, false);
}

static int64_t lcm_integer(int64_t a, int64_t b, int64_t c, bool is_signed)
{
    uint64_t x = is_signed && a < 0 ? 0 - (uint64_t)a : (uint64_t)a;
    uint64_t y = is_signed && b < 0 ? 0 - (uint64_t)b : (uint64_t)b;
    uint64_t divisor = (uint64_t)gcd_integer(a, b, c, is_signed);
    return divisor ? (int64_t)(x / divisor * y) : 0;
}

static int64_t floor_divide_integer(int64_t a, int64_t b, int64_t c, bool is_signed)
{
    (void)c;
    if (b == 0) return 0;
    if (!is_signed) return (int64_t)((uint64_t)a / (uint64_t)b);
    __int128 q = (__int128)a / b;
    return (int64_t)(q * b != a && (a < 0) != (b < 0) ? q - 1 : q);
}

static int64_t remainder_integer(int64_t a, int64_t b, int64_t c, bool is_signed)
{
    if (b == 0) return 0;
    return (int64_t)((uint64_t)a - (uint64_t)b * (uint64_t)floor_divide_integer(a, b, c, is_signed));
}

static int64_t power_integer(int64_t a, int64_t b, int64_t c, bool is_signed)
{
    (void)c;
    if (is_signed && b < 0) return a == 1 ? 1 : a == -1 ? (b & 1 ? -1 : 1) : 0;
    uint64_t r = 1, square = (uint64_t)a;
    for (int bit = 0; bit < 64; bit++, square *= square)
        if ((uint64_t)b >> bit & 1) r *= square;
    return (int64_t)r;
}

static const struct {
    const char *name;
    real_reference *real;
    integer_reference *integer;
} references[] = {
#define BOTH(name)         {#name, name##_real, name##_integer},
#define REAL_ONLY(name)    {#name, name##_real, NULL},
#define INTEGER_ONLY(name) {#name, NULL, name##_integer},
    /* clang-format off */
    BOTH(add) BOTH(subtract) BOTH(multiply) BOTH(negative) BOTH(absolute) BOTH(square) BOTH(minimum) BOTH(maximum) BOTH(clip) BOTH(equal)
    BOTH(not_equal) BOTH(less) BOTH(less_equal) BOTH(greater) BOTH(greater_equal) BOTH(logical_and) BOTH(logical_or) BOTH(logical_not)
    BOTH(logical_xor) BOTH(power) BOTH(positive) BOTH(sign) BOTH(fmin) BOTH(fmax) BOTH(fmod) BOTH(reciprocal)
    REAL_ONLY(divide) REAL_ONLY(sqrt) REAL_ONLY(floor) REAL_ONLY(ceil) REAL_ONLY(rint) REAL_ONLY(trunc) REAL_ONLY(fabs) REAL_ONLY(copysign)
    REAL_ONLY(heaviside) REAL_ONLY(nan_to_zero) REAL_ONLY(isnan) REAL_ONLY(isfinite) REAL_ONLY(isinf) REAL_ONLY(isposinf)
    REAL_ONLY(isneginf) REAL_ONLY(signbit)
#define SMOOTH(name, ...) REAL_ONLY(name)
#include "kernels/smooth/smooth.def.h"
#undef SMOOTH
    INTEGER_ONLY(floor_divide) INTEGER_ONLY(remainder) INTEGER_ONLY(bitwise_and) INTEGER_ONLY(bitwise_or) INTEGER_ONLY(bitwise_xor)
    INTEGER_ONLY(invert) INTEGER_ONLY(left_shift) INTEGER_ONLY(right_shift) INTEGER_ONLY(gcd) INTEGER_ONLY(lcm) INTEGER_ONLY(as_i64) INTEGER_ONLY(as_u64) INTEGER_ONLY(as_bool)
    INTEGER_ONLY(as_i8) INTEGER_ONLY(as_i16) INTEGER_ONLY(as_i32) INTEGER_ONLY(as_u8) INTEGER_ONLY(as_u16) INTEGER_ONLY(as_u32)
    /* clang-format on */
};

static int reference_of(const char *name)
{
    for (size_t i = 0; i < sizeof references / sizeof *references; i++)
        if (!strcmp(references[i].name, name)) return (int)i;
    return -1;
}

static void assert_near(vv_dtype type, const char *op, double got, double right)
{
    if (isnan(got) && isnan(right)) return;
    if (type == VV_F32) right = (double)(float)right;
    if (got == right) return;
    /* f32 is computed in f32: two roundings against one, and libm's own error */
    double unit = type == VV_F32 ? 0x1p-23 : 0x1p-52;
    if (fabs(got - right) <= 2 * unit * fabs(right) + (type == VV_F32 ? 0x1p-149 : 0)) return;
    fail_msg("%s of %s: %.17g, should be %.17g", op, vv_dtype_name(type), got, right);
}

static void check_element(const vv_op *op, vv_dtype in, vv_dtype out, char *const operands[3], vv_index i,
                          const char *result)
{
    int r = vv_dtype_is_complex(in) ? -1 : reference_of(op->name);
    const char *got = result + i * vv_dtype_size(out);
    if (r < 0) return;
    if (vv_dtype_is_float(in) && references[r].real) {
        double x[3] = {0};
        for (int k = 0; k < op->arity; k++) x[k] = vv_dtype_load(in, operands[k] + i * vv_dtype_size(in));
        assert_near(out, op->name, vv_dtype_load(out, got), references[r].real(x[0], x[1], x[2]));
    } else if (!vv_dtype_is_float(in) && references[r].integer) {
        int64_t x[3] = {0}, v;
        for (int k = 0; k < op->arity; k++) memcpy(&x[k], operands[k] + i * 8, 8);
        memcpy(&v, got, 8);
        assert_int_equal(v, references[r].integer(x[0], x[1], x[2], in == VV_I64));
    }
}

/* Runs one operation on n values as a program and returns the results' type. */
static vv_dtype run_op(const vv_op *op, vv_dtype in, vv_index n, char *const operands[3], char *out)
{
    static vv_program p;
    p = (vv_program){0};
    int regs[3], r;
    for (int k = 0; k < op->arity; k++) assert_int_equal(vv_program_input(&p, in, &regs[k]), VV_OK);
    assert_int_equal(vv_program_op(&p, op, regs, &r), VV_OK);
    assert_int_equal(p.output[0], r);
    void *workspace = malloc((size_t)vv_program_workspace(&p));
    const void *result = vv_program_run(&p, n, (const void *const *)operands, workspace);
    memcpy(out, result, (size_t)(n * vv_dtype_size(p.type[r])));
    free(workspace);
    return p.type[r];
}

/* Every operation in the table, every type, every level: right by the reference, the same bits at every level and for every length. */
static void every_operation_is_right(void **state)
{
    (void)state;
    static char data[3][VV_TILE * WIDEST], out[VV_TILE * WIDEST], first_out[VV_TILE * WIDEST];
    char *const operands[3] = {data[0], data[1], data[2]};
    vv_cpu_level best = vv_cpu();
    for (int o = 0; o < vv_n_ops; o++)
        for (int t = 0; t < WORKING; t++) {
            const vv_op *op = vv_ops[o];
            assert_ptr_equal(vv_op_find(op->name), op);
            vv_dtype in = working[t], computed = vv_op_cast(op, in), type = VV_NONE;
            if (computed == VV_NONE) { /* bits of reals, order and steps of complex numbers */
                assert_false(vv_dtype_is_integer(in));
                continue;
            }
            if (vv_dtype_is_complex(in) && !vv_dtype_is_complex(computed))
                continue; /* complex numbers become no reals */
            for (int k = 0; k < 3; k++) random_values(in, VV_TILE, data[k]);
            for (int level = 0; level < VV_CPU_LEVELS; level++) {
                if (!vv_cpu_set((vv_cpu_level)level)) continue;
                vv_dtype result = run_op(op, in, VV_TILE, operands, out);
                vv_bytes size = vv_dtype_size(result);
                for (int i = 0; computed == in && i < VV_TILE; i++) check_element(op, in, result, operands, i, out);
                if (type && memcmp(out, first_out, (size_t)(VV_TILE * size)))
                    fail_msg("%s of %s: other bits with %s", op->name, vv_dtype_name(in),
                             vv_cpu_name((vv_cpu_level)level));
                memcpy(first_out, out, (size_t)(VV_TILE * size));
                type = result;
                vv_index n = 1 + rand() % 37;
                run_op(op, in, n, operands, out);
                assert_memory_equal(out, first_out, (size_t)(n * size));
            }
        }
    vv_cpu_set(best);
    assert_null(vv_op_find("no such operation"));
}

static double run_reals(const char *name, double a, double b)
{
    char data[3][8], out[8];
    memcpy(data[0], &a, 8);
    memcpy(data[1], &b, 8);
    run_op(vv_op_find(name), VV_F64, 1, (char *const[]){data[0], data[1], data[2]}, out);
    double v;
    memcpy(&v, out, 8);
    return v;
}

/* NumPy 1.24's answers. */
static void division_of_reals_is_numpys(void **state)
{
    (void)state;
    static const struct {
        double a, b, quotient, remainder;
    } rows[] = {{7, 2, 3, 1},
                {-7, 2, -4, 1},
                {7, -2, -4, -1},
                {-7, -2, 3, -1},
                {0.3, 0.1, 2, 0.09999999999999998},
                {1, 0.1, 9, 0.09999999999999995},
                {-0.5, 1e300, -1, 1e300},
                {6, 3, 2, 0},
                {-6, 3, -2, 0},
                {5, INFINITY, 0, 5},
                {-5, INFINITY, -1, INFINITY},
                {1, 0, INFINITY, NAN},
                {0, 0, NAN, NAN},
                {INFINITY, 2, NAN, NAN},
                {NAN, 2, NAN, NAN}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double q = run_reals("floor_divide", rows[i].a, rows[i].b), r = run_reals("remainder", rows[i].a, rows[i].b);
        assert_true(q == rows[i].quotient || (isnan(q) && isnan(rows[i].quotient)));
        assert_true(r == rows[i].remainder || (isnan(r) && isnan(rows[i].remainder)));
    }
    assert_true(signbit(run_reals("remainder", 6, -3)));
    assert_false(signbit(run_reals("remainder", -6, 3)));
    assert_true(signbit(run_reals("floor_divide", 0, -3)));
}

static void operands_are_promoted(void **state)
{
    (void)state;
    static const struct {
        const char *op;
        vv_dtype a, b, result;
    } rows[] = {{"add", VV_F32, VV_F32, VV_F32},  {"add", VV_F32, VV_F64, VV_F64},  {"add", VV_I64, VV_F32, VV_F64},
                {"add", VV_I64, VV_I64, VV_I64},  {"add", VV_I64, VV_U64, VV_F64},  {"divide", VV_I64, VV_I64, VV_F64},
                {"less", VV_F32, VV_U64, VV_I64}, {"power", VV_U64, VV_U64, VV_U64}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        static vv_program p;
        p = (vv_program){0};
        int a, b, r;
        assert_int_equal(vv_program_input(&p, rows[i].a, &a), VV_OK);
        assert_int_equal(vv_program_input(&p, rows[i].b, &b), VV_OK);
        assert_int_equal(vv_program_op(&p, vv_op_find(rows[i].op), (int[]){a, b}, &r), VV_OK);
        assert_int_equal(p.type[r], rows[i].result);
    }
}

static void where_keeps_the_values_type(void **state)
{
    (void)state;
    static vv_program p;
    p = (vv_program){0};
    float x[5] = {1, -2, NAN, 0, 5}, condition[5] = {0, 1, NAN, -0.0f, 2};
    int c, v, zero, chosen;
    assert_int_equal(vv_program_input(&p, VV_F32, &c), VV_OK);
    assert_int_equal(vv_program_input(&p, VV_F32, &v), VV_OK);
    assert_int_equal(vv_program_constant(&p, VV_F32, -9, &zero), VV_OK);
    assert_int_equal(vv_program_op(&p, vv_op_find("where"), (int[]){c, v, zero}, &chosen), VV_OK);
    assert_int_equal(p.type[chosen], VV_F32);
    void *workspace = malloc((size_t)vv_program_workspace(&p));
    const float *out = vv_program_run(&p, 5, (const void *[]){condition, x}, workspace);
    assert_true(out[0] == -9 && out[1] == -2 && isnan(out[2]) && out[3] == -9 && out[4] == 5);
    free(workspace);
}

static void casts_cut_and_say_what_does_not_fit(void **state)
{
    (void)state;
    static const double x[6] = {2.9, -2.9, 1e300, NAN, 0x1p63, -1};
    static const int64_t to_i64[6] = {2, -2, INT64_MIN, INT64_MIN, INT64_MIN, -1};
    static const uint64_t to_u64[6] = {2, (uint64_t)-2, 1ULL << 63, 1ULL << 63, 1ULL << 63, UINT64_MAX};
    for (int t = 2; t < 4; t++) {
        static vv_program p;
        p = (vv_program){0};
        int in, out;
        assert_int_equal(vv_program_input(&p, VV_F64, &in), VV_OK);
        assert_int_equal(vv_program_cast(&p, VV_F64, in, &out), VV_OK);
        assert_int_equal(out, in);
        assert_int_equal(vv_program_cast(&p, working[t], in, &out), VV_OK);
        void *workspace = malloc((size_t)vv_program_workspace(&p));
        const void *got = vv_program_run(&p, 6, (const void *[]){x}, workspace);
        assert_memory_equal(got, t == 2 ? (const void *)to_i64 : to_u64, sizeof to_i64);
        free(workspace);
    }
}

static void an_empty_program_gives_its_input(void **state)
{
    (void)state;
    static vv_program p;
    p = (vv_program){0};
    int in;
    double x[3] = {1, 2, 3};
    assert_int_equal(vv_program_input(&p, VV_F64, &in), VV_OK);
    assert_int_equal(vv_program_workspace(&p), 0);
    assert_ptr_equal(vv_program_run(&p, 3, (const void *[]){x}, NULL), x);
}

static void wrong_programs_are_refused(void **state)
{
    (void)state;
    static vv_program p;
    p = (vv_program){0};
    int r, x;
    assert_int_equal(vv_program_input(&p, VV_I16, &r), VV_ERR_TYPE);
    assert_int_equal(vv_program_constant(&p, VV_I8, 1, &r), VV_ERR_TYPE);
    for (int i = 0; i < VV_PROGRAM_INPUTS; i++) assert_int_equal(vv_program_input(&p, VV_F64, &x), VV_OK);
    assert_int_equal(vv_program_input(&p, VV_F64, &r), VV_ERR_USAGE);
    for (int i = 0; i < VV_PROGRAM_MAX; i++) assert_int_equal(vv_program_op(&p, vv_op_find("negative"), &x, &x), VV_OK);
    assert_int_equal(vv_program_op(&p, vv_op_find("negative"), &x, &x), VV_ERR_USAGE);
    assert_int_equal(vv_program_input(&p, VV_F64, &r), VV_ERR_INTERNAL);
    assert_true(vv_program_workspace(&p) <= 3 * VV_TILE * 8); /* a chain needs two pieces, however long it is */
}

/* A random program over three inputs. */
static void random_program(vv_program *p, int length)
{
    *p = (vv_program){0};
    int r;
    for (int i = 0; i < 3; i++) assert_int_equal(vv_program_input(p, working[rand() % WORKING], &r), VV_OK);
    while (p->n < length) {
        const vv_op *op = vv_ops[rand() % vv_n_ops];
        int regs[3];
        for (int k = 0; k < 3; k++) regs[k] = rand() % p->n_registers;
        vv_dtype common = VV_NONE;
        for (int k = op->condition ? 1 : 0; k < op->arity; k++)
            common = common == VV_NONE ? p->type[regs[k]] : vv_dtype_promote(common, p->type[regs[k]]);
        if (rand() % 5 == 0)
            assert_int_equal(vv_program_constant(p, working[rand() % WORKING], rand() % 9 - 4, &r), VV_OK);
        else if (vv_op_cast(op, common) == VV_NONE ||
                 (vv_dtype_is_complex(common) && !vv_dtype_is_complex(vv_op_cast(op, common))))
            assert_int_equal(vv_program_op(p, op, regs, &r), VV_ERR_TYPE);
        else
            assert_int_equal(vv_program_op(p, op, regs, &r), VV_OK);
    }
    if (rand() % 3 == 0) vv_program_set_output(p, rand() % p->n_registers);
}

/* Registers share slots and chains keep values in registers of the processor: the result must be that of a run where every instruction is run by its own kernel
 * and has a slot of its own, which is what unshare makes. */
static void unshare(vv_program *p)
{
    p->n_slots = p->n;
    for (int i = 0; i < p->n; i++) {
        p->as[i] = VV_AS_KERNEL;
        p->slot[p->code[i].out] = (short)i;
    }
}

static void sharing_storage_changes_nothing(void **state)
{
    (void)state;
    static char data[3][VV_TILE * WIDEST];
    static vv_program p, alone, again;
    for (int trial = 0; trial < 200; trial++) {
        random_program(&p, 1 + rand() % 40);
        for (int i = 0; i < 3; i++) random_values(p.type[i], VV_TILE, data[i]);
        const void *const inputs[3] = {data[0], data[1], data[2]};
        alone = p;
        unshare(&alone);
        vv_index n = 1 + rand() % VV_TILE;
        char *w1 = malloc((size_t)vv_program_workspace(&p) + 1), *w2 = malloc((size_t)vv_program_workspace(&alone));
        const void *a = vv_program_run(&p, n, inputs, w1), *b = vv_program_run(&alone, n, inputs, w2);
        vv_bytes size = n * vv_dtype_size(p.type[p.output[0]]);
        assert_memory_equal(a, b, (size_t)size);
        char *elsewhere = malloc((size_t)size);
        assert_memory_equal(vv_program_run_to(&p, n, inputs, w1, elsewhere), b, (size_t)size);
        free(elsewhere);

        vv_buf packed = {0}, text = {0}, text_again = {0};
        vv_program_pack(&p, &packed);
        vv_reader from = {.data = packed.data, .size = packed.size};
        assert_int_equal(vv_program_unpack(&again, &from), VV_OK);
        vv_program_print(&p, &text);
        vv_program_print(&again, &text_again);
        assert_string_equal(text.data, text_again.data);
        const void *c = vv_program_run(&again, n, inputs, w1);
        assert_memory_equal(c, b, (size_t)size);
        vv_buf_free(&packed), vv_buf_free(&text), vv_buf_free(&text_again);
        free(w1), free(w2);
    }
}

/* A random program of arithmetic alone, on one type: long chains, begun and joined in all ways. */
static void random_chain(vv_program *p, vv_dtype type, int length)
{
    static const char *const links[] = {"add",      "subtract", "multiply", "divide", "minimum", "maximum",
                                        "negative", "absolute", "fabs",     "square", "sqrt"};
    *p = (vv_program){0};
    int r, last = 0;
    for (int i = 0; i < 3; i++) assert_int_equal(vv_program_input(p, type, &r), VV_OK);
    while (p->n < length) {
        const vv_op *op = vv_op_find(links[rand() % 11]);
        int other = rand() % 8 ? rand() % 3 : rand() % p->n_registers, regs[2] = {last, other};
        if (rand() % 2) assert_int_equal(vv_program_constant(p, type, rand() % 9 - 4, &regs[1]), VV_OK);
        if (op->arity == 2 && rand() % 2) regs[0] = regs[1], regs[1] = last;
        assert_int_equal(vv_program_op(p, op, regs, &last), VV_OK);
    }
    for (int k = rand() % 3; k > 0; k--) assert_int_equal(vv_program_add_output(p, rand() % p->n_registers), VV_OK);
}

/* The same numbers; which of two NaNs comes out, if any does, is the processor's choice. */
static void assert_same_values(vv_dtype type, vv_index n, const void *a, const void *b)
{
    int size = (int)vv_dtype_size(type);
    for (vv_index i = 0; i < n; i++) {
        const void *x = (const char *)a + i * size, *y = (const char *)b + i * size;
        if (isnan(vv_dtype_load(type, x)) && isnan(vv_dtype_load(type, y))) continue;
        assert_memory_equal(x, y, (size_t)size);
    }
}

static void chains_change_nothing(void **state)
{
    (void)state;
    static char data[3][VV_TILE * 8];
    static vv_program p, alone;
    int linked = 0;
    for (int trial = 0; trial < 400; trial++) {
        vv_dtype type = rand() % 2 ? VV_F32 : VV_F64;
        random_chain(&p, type, 1 + rand() % 100);
        for (int i = 0; i < 3; i++) random_values(type, VV_TILE, data[i]);
        const void *const inputs[3] = {data[0], data[1], data[2]};
        alone = p;
        unshare(&alone);
        vv_index n = 1 + rand() % (rand() % 2 ? VV_TILE : 80);
        char *w1 = malloc((size_t)vv_program_workspace(&p) + 1), *w2 = malloc((size_t)vv_program_workspace(&alone));
        (void)vv_program_run(&p, n, inputs, w1);
        (void)vv_program_run(&alone, n, inputs, w2);
        for (int k = 0; k < p.n_outputs; k++)
            assert_same_values(type, n, vv_program_values(&p, p.output[k], inputs, w1),
                               vv_program_values(&alone, p.output[k], inputs, w2));
        for (int i = 0; i < p.n; i++) linked += p.as[i] == VV_AS_LINK;
        free(w1), free(w2);
    }
    assert_true(linked > 400);
}

/* Several results: each has the values that it has alone, and two programs in one those of both, whatever they share. */
static void several_results(void **state)
{
    (void)state;
    static char data[3][VV_TILE * WIDEST];
    static vv_program p, other, both, alone;
    for (int trial = 0; trial < 200; trial++) {
        int same[3], reg[2][VV_PROGRAM_MAX + VV_PROGRAM_INPUTS];
        random_program(&p, 1 + rand() % 40);
        other = p;
        if (rand() % 2) random_program(&other, 1 + rand() % 40);
        both = (vv_program){0};
        for (int i = 0; i < 3; i++) assert_int_equal(vv_program_input(&both, p.type[i], &same[i]), VV_OK);
        bool alike = !memcmp(p.type, other.type, 3 * sizeof p.type[0]);
        assert_int_equal(vv_program_embed(&both, &p, same, reg[0]), VV_OK);
        int before = both.n;
        assert_true(before <= p.n);
        if (alike) assert_int_equal(vv_program_embed(&both, &other, same, reg[1]), VV_OK);
        if (alike && other.n == p.n && !memcmp(other.code, p.code, sizeof p.code)) assert_int_equal(both.n, before);
        vv_program_set_output(&both, reg[0][rand() % p.n_registers]);
        for (int k = 0; k < 6; k++)
            assert_int_equal(vv_program_add_output(&both, reg[0][rand() % p.n_registers]), VV_OK);
        if (alike) assert_int_equal(vv_program_add_output(&both, reg[1][other.output[0]]), VV_OK);
        assert_true(both.n_outputs <= 8);
        const void *inputs[3] = {data[0], data[1], data[2]};
        for (int i = 0; i < 3; i++) random_values(p.type[i], VV_TILE, data[i]);
        vv_index n = 1 + rand() % VV_TILE;
        alone = both;
        unshare(&alone);
        char *w1 = malloc((size_t)vv_program_workspace(&both) + 1),
             *w2 = malloc((size_t)vv_program_workspace(&alone) + 1);
        assert_ptr_equal(vv_program_run(&both, n, inputs, w1), vv_program_values(&both, both.output[0], inputs, w1));
        (void)vv_program_run(&alone, n, inputs, w2);
        for (int k = 0; k < both.n_outputs; k++) {
            size_t size = (size_t)(n * vv_dtype_size(both.type[both.output[k]]));
            assert_memory_equal(vv_program_values(&both, both.output[k], inputs, w1),
                                vv_program_values(&alone, both.output[k], inputs, w2), size);
        }
        free(w1), free(w2);
        w1 = malloc((size_t)vv_program_workspace(&both) + 1), w2 = malloc((size_t)vv_program_workspace(&other) + 1);
        (void)vv_program_run(&both, n, inputs, w1);
        if (alike)
            assert_memory_equal(vv_program_values(&both, reg[1][other.output[0]], inputs, w1),
                                vv_program_run(&other, n, inputs, w2),
                                (size_t)(n * vv_dtype_size(other.type[other.output[0]])));
        free(w1), free(w2);
    }
}

static void damaged_programs_are_refused(void **state)
{
    (void)state;
    static vv_program p, out;
    for (int trial = 0; trial < 300; trial++) {
        random_program(&p, 1 + rand() % 10);
        vv_buf packed = {0};
        vv_program_pack(&p, &packed);
        vv_reader cut = {.data = packed.data, .size = (size_t)rand() % packed.size};
        assert_int_not_equal(vv_program_unpack(&out, &cut), VV_OK);
        packed.data[(size_t)rand() % packed.size] ^= (char)(1 << rand() % 8);
        vv_reader from = {.data = packed.data, .size = packed.size};
        if (vv_program_unpack(&out, &from) == VV_OK) assert_true(out.output[0] >= 0 && out.output[0] < out.n_registers);
        vv_buf_free(&packed);
    }
}

static void text_can_be_read(void **state)
{
    (void)state;
    static vv_program p;
    p = (vv_program){0};
    vv_buf text = {0};
    int x, y, r;
    assert_int_equal(vv_program_input(&p, VV_F32, &x), VV_OK);
    assert_int_equal(vv_program_input(&p, VV_I64, &y), VV_OK);
    assert_int_equal(vv_program_op(&p, vv_op_find("multiply"), (int[]){x, y}, &r), VV_OK);
    assert_int_equal(vv_program_constant(&p, VV_F64, 2.5, &y), VV_OK);
    assert_int_equal(vv_program_op(&p, vv_op_find("greater"), (int[]){r, y}, &r), VV_OK);
    vv_program_print(&p, &text);
    assert_string_equal(text.data, "r0 f32 = input\n"
                                   "r1 i64 = input\n"
                                   "r2 f64 = cast r0\n"
                                   "r3 f64 = cast r1\n"
                                   "r4 f64 = multiply r2 r3\n"
                                   "r5 f64 = 2.5\n"
                                   "r6 i64 = greater r4 r5\n"
                                   "result r6\n");
    vv_buf_free(&text);
}

int main(void)
{
    srand(3);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_is_right),
        cmocka_unit_test(division_of_reals_is_numpys),
        cmocka_unit_test(operands_are_promoted),
        cmocka_unit_test(where_keeps_the_values_type),
        cmocka_unit_test(casts_cut_and_say_what_does_not_fit),
        cmocka_unit_test(an_empty_program_gives_its_input),
        cmocka_unit_test(wrong_programs_are_refused),
        cmocka_unit_test(sharing_storage_changes_nothing),
        cmocka_unit_test(chains_change_nothing),
        cmocka_unit_test(several_results),
        cmocka_unit_test(damaged_programs_are_refused),
        cmocka_unit_test(text_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
