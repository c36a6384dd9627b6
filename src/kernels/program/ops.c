/* The operations of ops.def.h as kernels and descriptors: the list is read once for the kernels and the functions that pick one of them,
 * and once for the table. */
#include "kernels/complex.h"
#include "kernels/program/ops_math.h"
#include "kernels/smooth/smooth.h"
#include "kernels/student.h"

#include <string.h>

#define PARAMETERS (vv_index n, const void *x, const void *y, const void *z, void *out)
#define ARGUMENTS  (n, x, y, z, out)

/* Operands that an operation does not have are never read. */
#define KERNEL(name, arity, S, stype, otype, expression)                                                               \
    VV_KERNEL void name##_##S##_body(vv_index n, const stype *restrict x, const stype *restrict y,                     \
                                     const stype *restrict z, otype *restrict out)                                     \
    {                                                                                                                  \
        for (vv_index i = 0; i < n; i++) {                                                                             \
            const stype a = x[i], b = arity > 1 ? y[i] : a, c = arity > 2 ? z[i] : a;                                  \
            (void)b, (void)c;                                                                                          \
            out[i] = (otype)(expression);                                                                              \
        }                                                                                                              \
    }                                                                                                                  \
    VV_CLONES(name##_##S, name##_##S##_body, PARAMETERS, ARGUMENTS)

/* Of one operand, with a result that is no number in C. */
#define KERNEL_OF(name, S, stype, otype, expression)                                                                   \
    VV_KERNEL void name##_##S##_body(vv_index n, const stype *restrict x, const void *y, const void *z,                \
                                     otype *restrict out)                                                              \
    {                                                                                                                  \
        (void)y, (void)z;                                                                                              \
        for (vv_index i = 0; i < n; i++) {                                                                             \
            const stype a = x[i];                                                                                      \
            out[i] = expression;                                                                                       \
        }                                                                                                              \
    }                                                                                                                  \
    VV_CLONES(name##_##S, name##_##S##_body, PARAMETERS, ARGUMENTS)

#define PICK_REAL(name)                                                                                                \
    static vv_op_kernel *name##_kernel(vv_dtype in)                                                                    \
    {                                                                                                                  \
        return (in == VV_F32 ? name##_F32 : name##_F64)[vv_cpu()];                                                     \
    }
#define PICK_ANY(name)                                                                                                 \
    static vv_op_kernel *name##_kernel(vv_dtype in)                                                                    \
    {                                                                                                                  \
        return (in == VV_F32   ? name##_F32                                                                            \
                : in == VV_F64 ? name##_F64                                                                            \
                : in == VV_I64 ? name##_I64                                                                            \
                               : name##_U64)[vv_cpu()];                                                                \
    }

#define NUMBER(name, help, arity, real, integer)                                                                       \
    KERNEL(name, arity, F32, float, float, real)                                                                       \
    KERNEL(name, arity, F64, double, double, real)                                                                     \
    KERNEL(name, arity, I64, int64_t, int64_t, integer)                                                                \
    KERNEL(name, arity, U64, uint64_t, uint64_t, integer)                                                              \
    PICK_ANY(name)
#define REAL(name, help, arity, real)                                                                                  \
    KERNEL(name, arity, F32, float, float, real)                                                                       \
    KERNEL(name, arity, F64, double, double, real)                                                                     \
    PICK_REAL(name)
#define PICK_INTEGER(name)                                                                                             \
    static vv_op_kernel *name##_kernel(vv_dtype in)                                                                    \
    {                                                                                                                  \
        return (in == VV_I64 ? name##_I64 : name##_U64)[vv_cpu()];                                                     \
    }
#define INTEGER(name, help, arity, integer)                                                                            \
    KERNEL(name, arity, I64, int64_t, int64_t, integer)                                                                \
    KERNEL(name, arity, U64, uint64_t, uint64_t, integer)                                                              \
    PICK_INTEGER(name)
#define BOUNDED NUMBER
#define CAST(name, help, type, working, ctype, expression)                                                             \
    KERNEL(name, 1, working, ctype, ctype, expression)                                                                 \
    static vv_op_kernel *name##_kernel(vv_dtype in)                                                                    \
    {                                                                                                                  \
        (void)in;                                                                                                      \
        return name##_##working[vv_cpu()];                                                                             \
    }                                                                                                                  \
    static vv_dtype name##_in(vv_dtype in)                                                                             \
    {                                                                                                                  \
        (void)in;                                                                                                      \
        return VV_##working;                                                                                           \
    }
#define SMOOTH_REAL(name, help, arity)                                                                                 \
    static vv_op_kernel *name##_kernel(vv_dtype in)                                                                    \
    {                                                                                                                  \
        return vv_smooth_kernel(VV_SMOOTH_##name, in);                                                                 \
    }
#define SMOOTH_NUMBER(name, help, arity, integer)                                                                      \
    KERNEL(name, arity, I64, int64_t, int64_t, integer)                                                                \
    KERNEL(name, arity, U64, uint64_t, uint64_t, integer)                                                              \
    static vv_op_kernel *name##_kernel(vv_dtype in)                                                                    \
    {                                                                                                                  \
        if (vv_dtype_is_float(in)) return vv_smooth_kernel(VV_SMOOTH_##name, in);                                      \
        return (in == VV_I64 ? name##_I64 : name##_U64)[vv_cpu()];                                                     \
    }
#define TEST(name, help, arity, expression)                                                                            \
    KERNEL(name, arity, F32, float, int64_t, expression)                                                               \
    KERNEL(name, arity, F64, double, int64_t, expression)                                                              \
    KERNEL(name, arity, I64, int64_t, int64_t, expression)                                                             \
    KERNEL(name, arity, U64, uint64_t, int64_t, expression)                                                            \
    PICK_ANY(name)
#define REAL_TEST(name, help, arity, expression)                                                                       \
    KERNEL(name, arity, F32, float, int64_t, expression)                                                               \
    KERNEL(name, arity, F64, double, int64_t, expression)                                                              \
    PICK_REAL(name)

/* A choice moves elements without looking at them: their size is enough. */
#define CHOOSE(name, bits, type)                                                                                       \
    VV_KERNEL void name##_##bits##_body(vv_index n, const int64_t *restrict x, const type *restrict y,                 \
                                        const type *restrict z, type *restrict out)                                    \
    {                                                                                                                  \
        for (vv_index i = 0; i < n; i++) out[i] = x[i] != 0 ? y[i] : z[i];                                             \
    }                                                                                                                  \
    VV_CLONES(name##_##bits, name##_##bits##_body, PARAMETERS, ARGUMENTS)
#define CHOICE(name, help)                                                                                             \
    CHOOSE(name, 32, uint32_t)                                                                                         \
    CHOOSE(name, 64, uint64_t)                                                                                         \
    CHOOSE(name, 128, vv_c128)                                                                                         \
    static vv_op_kernel *name##_kernel(vv_dtype in)                                                                    \
    {                                                                                                                  \
        return (in == VV_F32 ? name##_32 : in == VV_C128 ? name##_128 : name##_64)[vv_cpu()];                          \
    }
#define COMPLEX_CAST(name, help, type)                                                                                 \
    static vv_dtype name##_in(vv_dtype in)                                                                             \
    {                                                                                                                  \
        (void)in;                                                                                                      \
        return VV_##type;                                                                                              \
    }                                                                                                                  \
    static vv_op_kernel *name##_kernel(vv_dtype in)                                                                    \
    {                                                                                                                  \
        (void)in;                                                                                                      \
        return NULL; /* it computes in complex types only */                                                           \
    }
#define JOIN(name, S, stype, ctype)                                                                                    \
    VV_KERNEL void name##_##S##_body(vv_index n, const stype *restrict x, const stype *restrict y, const void *z,      \
                                     ctype *restrict out)                                                              \
    {                                                                                                                  \
        (void)z;                                                                                                       \
        for (vv_index i = 0; i < n; i++) out[i] = (ctype){x[i], y[i]};                                                 \
    }                                                                                                                  \
    VV_CLONES(name##_##S, name##_##S##_body, PARAMETERS, ARGUMENTS)
#define PAIR(name, help)                                                                                               \
    JOIN(name, F32, float, vv_c64)                                                                                     \
    JOIN(name, F64, double, vv_c128)                                                                                   \
    PICK_REAL(name)

#include "kernels/program/ops.def.h"

static vv_dtype same(vv_dtype in)
{
    return in;
}

static vv_dtype to_real(vv_dtype in)
{
    return in == VV_I64 || in == VV_U64 ? VV_F64 : in;
}

static vv_dtype real_only(vv_dtype in)
{
    return vv_dtype_is_float(in) ? in : VV_NONE;
}

static vv_dtype integer_only(vv_dtype in)
{
    return vv_dtype_is_integer(in) ? in : VV_NONE;
}

static vv_dtype of_parts(vv_dtype in)
{
    return vv_dtype_is_float(in) ? vv_dtype_of_parts(in) : VV_NONE;
}

static vv_dtype truth(vv_dtype in)
{
    (void)in;
    return VV_I64;
}

static vv_dtype truth_of_real(vv_dtype in)
{
    return vv_dtype_is_float(in) ? VV_I64 : VV_NONE;
}

#define OP(id, text, operands, result_type, cast_type, ...)                                                            \
    static const vv_op id##_op = {.name = #id,                                                                         \
                                  .help = text,                                                                        \
                                  .number = VV_OP_##id,                                                                \
                                  .arity = operands,                                                                   \
                                  .result = result_type,                                                               \
                                  .cast = cast_type,                                                                   \
                                  .kernel = id##_kernel,                                                               \
                                  __VA_ARGS__};
#define NUMBER(name, help, arity, real, integer)  OP(name, help, arity, same, same, .wraps = true)
#define BOUNDED(name, help, arity, real, integer) OP(name, help, arity, same, same, .wraps = false)
#define REAL(name, help, arity, real)             OP(name, help, arity, real_only, to_real, .wraps = false)
#define SMOOTH_REAL(name, help, arity)            OP(name, help, arity, real_only, to_real, .wraps = false)
#define SMOOTH_NUMBER(name, help, arity, integer) OP(name, help, arity, same, same, .wraps = true)
#define INTEGER(name, help, arity, integer)       OP(name, help, arity, integer_only, integer_only, .wraps = true)
#define CAST(name, help, type, ...)               OP(name, help, 1, same, name##_in, .gives = VV_##type)
#define TEST(name, help, arity, expression)       OP(name, help, arity, truth, same, .gives = VV_BOOL)
#define REAL_TEST(name, help, arity, expression)  OP(name, help, arity, truth_of_real, to_real, .gives = VV_BOOL)
#define COMPLEX_CAST(name, help, type)            OP(name, help, 1, same, name##_in, .gives = VV_##type)
#define PAIR(name, help)                          OP(name, help, 2, of_parts, to_real, .wraps = false)
#define CHOICE(name, help)                        OP(name, help, 3, same, same, .condition = true)
#include "kernels/program/ops.def.h"

const vv_op *const vv_ops[] = {
#define NUMBER(name, ...)        &name##_op,
#define REAL(name, ...)          &name##_op,
#define INTEGER(name, ...)       &name##_op,
#define BOUNDED(name, ...)       &name##_op,
#define CAST(name, ...)          &name##_op,
#define SMOOTH_REAL(name, ...)   &name##_op,
#define SMOOTH_NUMBER(name, ...) &name##_op,
#define TEST(name, ...)          &name##_op,
#define REAL_TEST(name, ...)     &name##_op,
#define COMPLEX_CAST(name, ...)  &name##_op,
#define PAIR(name, ...)          &name##_op,
#define CHOICE(name, ...)        &name##_op,
#include "kernels/program/ops.def.h"
};
const int vv_n_ops = sizeof vv_ops / sizeof *vv_ops;

bool vv_op_is_smooth(int op)
{
    static const char *const smooth[] = {
#define SMOOTH(name, ...) #name,
#include "kernels/smooth/smooth.def.h"
#undef SMOOTH
        "power"};
    for (size_t i = 0; i < sizeof smooth / sizeof *smooth; i++)
        if (!strcmp(vv_ops[op]->name, smooth[i])) return true;
    return false;
}

/* A choice moves complex numbers like others, and casts to complex types take all. */
static bool of_any(const vv_op *op)
{
    return op->condition || vv_dtype_is_complex(op->gives);
}

vv_dtype vv_op_cast(const vv_op *op, vv_dtype in)
{
    if (!vv_dtype_is_complex(in) || of_any(op)) return op->cast(in);
    return vv_complex_ops[op->number].result == VV_COMPLEX_NOT ? VV_NONE : in;
}

vv_dtype vv_op_result(const vv_op *op, vv_dtype in)
{
    if (!vv_dtype_is_complex(in) || of_any(op)) return op->result(in);
    switch (vv_complex_ops[op->number].result) {
    case VV_COMPLEX_SAME: return in;
    case VV_COMPLEX_PART: return vv_dtype_part(in);
    case VV_COMPLEX_TRUTH: return VV_I64;
    default: return VV_NONE;
    }
}

vv_op_kernel *vv_op_kernel_of(const vv_op *op, vv_dtype in)
{
    if (!vv_dtype_is_complex(in) || op->condition) return op->kernel(in);
    return vv_complex_ops[op->number].kernel[in == VV_C128][vv_cpu()];
}

const vv_op *vv_op_find(const char *name)
{
    for (int i = 0; i < vv_n_ops; i++)
        if (!strcmp(vv_ops[i]->name, name)) return vv_ops[i];
    return NULL;
}

#define CAST(S, stype, O, otype, expression) KERNEL(cast_##O, 1, S, stype, otype, expression)
CAST(F32, float, F64, double, a)
CAST(F32, float, I64, int64_t, real_to_i64(a))
CAST(F32, float, U64, uint64_t, real_to_u64(a))
CAST(F64, double, F32, float, a)
CAST(F64, double, I64, int64_t, real_to_i64(a))
CAST(F64, double, U64, uint64_t, real_to_u64(a))
CAST(I64, int64_t, F32, float, a)
CAST(I64, int64_t, F64, double, a)
CAST(I64, int64_t, U64, uint64_t, a)
CAST(U64, uint64_t, F32, float, a)
CAST(U64, uint64_t, F64, double, a)
CAST(U64, uint64_t, I64, int64_t, a)
#define TO_COMPLEX(S, stype)                                                                                           \
    KERNEL_OF(cast_C64, S, stype, vv_c64, ((vv_c64){(float)a, 0}))                                                     \
    KERNEL_OF(cast_C128, S, stype, vv_c128, ((vv_c128){(double)a, 0}))
TO_COMPLEX(F32, float)
TO_COMPLEX(F64, double)
TO_COMPLEX(I64, int64_t)
TO_COMPLEX(U64, uint64_t)
KERNEL_OF(cast_C128, C64, vv_c64, vv_c128, ((vv_c128){(double)a.re, (double)a.im}))
KERNEL_OF(cast_C64, C128, vv_c128, vv_c64, ((vv_c64){(float)a.re, (float)a.im}))

vv_op_kernel *vv_cast_kernel(vv_dtype from, vv_dtype to)
{
    static vv_op_kernel *const *const cast[VV_DTYPE_COUNT][VV_DTYPE_COUNT] = {
#define WIDENED(S) [VV_C64] = cast_C64_##S, [VV_C128] = cast_C128_##S
        [VV_F32] = {[VV_F64] = cast_F64_F32, [VV_I64] = cast_I64_F32, [VV_U64] = cast_U64_F32, WIDENED(F32)},
        [VV_F64] = {[VV_F32] = cast_F32_F64, [VV_I64] = cast_I64_F64, [VV_U64] = cast_U64_F64, WIDENED(F64)},
        [VV_I64] = {[VV_F32] = cast_F32_I64, [VV_F64] = cast_F64_I64, [VV_U64] = cast_U64_I64, WIDENED(I64)},
        [VV_U64] = {[VV_F32] = cast_F32_U64, [VV_F64] = cast_F64_U64, [VV_I64] = cast_I64_U64, WIDENED(U64)},
        [VV_C64] = {[VV_C128] = cast_C128_C64},
        [VV_C128] = {[VV_C64] = cast_C64_C128},
#undef WIDENED
    };
    return cast[from][to][vv_cpu()];
}

#define FILL(bits, type)                                                                                               \
    VV_KERNEL void fill_##bits##_body(vv_index n, const void *element, void *out)                                      \
    {                                                                                                                  \
        type v, *to = out;                                                                                             \
        memcpy(&v, element, sizeof v);                                                                                 \
        for (vv_index i = 0; i < n; i++) to[i] = v;                                                                    \
    }                                                                                                                  \
    VV_CLONES(fill_##bits, fill_##bits##_body, (vv_index n, const void *element, void *out), (n, element, out))
FILL(32, uint32_t)
FILL(64, uint64_t)
FILL(128, vv_c128)

void vv_fill(vv_index n, vv_bytes size, const void *element, void *out)
{
    (size == 4 ? fill_32 : size == 8 ? fill_64 : fill_128)[vv_cpu()](n, element, out);
}
