#include "kernels/complex.h"

#include "kernels/complex_math.h"

#define PARAMETERS (vv_index n, const void *x, const void *y, const void *z, void *out)
#define ARGUMENTS  (n, x, y, z, out)

/* Operands that an operation does not have are never read. */
#define KERNEL(name, arity, S, stype, otype, expression)                                                               \
    VV_KERNEL void name##_##S##_body(vv_index n, const stype *restrict x, const stype *restrict y,                     \
                                     const void *restrict z, otype *restrict out)                                      \
    {                                                                                                                  \
        (void)z;                                                                                                       \
        for (vv_index i = 0; i < n; i++) {                                                                             \
            const stype a = x[i], b = arity > 1 ? y[i] : a;                                                            \
            (void)b;                                                                                                   \
            out[i] = expression;                                                                                       \
        }                                                                                                              \
    }                                                                                                                  \
    VV_CLONES(name##_##S, name##_##S##_body, PARAMETERS, ARGUMENTS)

/* Every NaN that these functions make leaves with the same bits. */
static inline double one_nan(double x)
{
    return x == x ? x : (double)NAN;
}

static inline vv_c128 wide(vv_c64 a)
{
    return (vv_c128){(double)a.re, (double)a.im};
}

static inline vv_c128 double_result(vv_c128 a)
{
    return (vv_c128){one_nan(a.re), one_nan(a.im)};
}

static inline vv_c64 single_result(vv_c128 a)
{
    return (vv_c64){(float)one_nan(a.re), (float)one_nan(a.im)};
}

/* One loop for all instruction sets: nothing in it is by vectors. */
#define ONE_LOOP(name, arity, S, stype, otype, expression)                                                             \
    static void name##_##S##_loop PARAMETERS                                                                           \
    {                                                                                                                  \
        const stype *left = x, *right = y;                                                                             \
        otype *to = out;                                                                                               \
        (void)z;                                                                                                       \
        for (vv_index i = 0; i < n; i++) {                                                                             \
            const stype a = left[i], b = arity > 1 ? right[i] : a;                                                     \
            (void)b;                                                                                                   \
            to[i] = expression;                                                                                        \
        }                                                                                                              \
    }                                                                                                                  \
    static vv_op_kernel *const name##_##S[VV_CPU_LEVELS] = {name##_##S##_loop, name##_##S##_loop, name##_##S##_loop,   \
                                                            name##_##S##_loop, name##_##S##_loop};

#define CALL_1(function, convert) function(convert(a))
#define CALL_2(function, convert) function(convert(a), convert(b))
#define AS_IT_IS(a)               a

#define COMPLEX(name, arity, expression)                                                                               \
    KERNEL(name, arity, C64, vv_c64, vv_c64, expression)                                                               \
    KERNEL(name, arity, C128, vv_c128, vv_c128, expression)
#define PART(name, arity, expression)                                                                                  \
    KERNEL(name, arity, C64, vv_c64, float, expression)                                                                \
    KERNEL(name, arity, C128, vv_c128, double, expression)
#define TRUTH(name, arity, expression)                                                                                 \
    KERNEL(name, arity, C64, vv_c64, int64_t, expression)                                                              \
    KERNEL(name, arity, C128, vv_c128, int64_t, expression)
#define WIDE(name, arity, function)                                                                                    \
    ONE_LOOP(name, arity, C64, vv_c64, vv_c64, single_result(CALL_##arity(function, wide)))                            \
    ONE_LOOP(name, arity, C128, vv_c128, vv_c128, double_result(CALL_##arity(function, AS_IT_IS)))
#define WIDE_PART(name, arity, function)                                                                               \
    ONE_LOOP(name, arity, C64, vv_c64, float, (float)one_nan(CALL_##arity(function, wide)))                            \
    ONE_LOOP(name, arity, C128, vv_c128, double, one_nan(CALL_##arity(function, AS_IT_IS)))
#include "kernels/complex.def.h"
#undef COMPLEX
#undef PART
#undef TRUTH
#undef WIDE
#undef WIDE_PART

#define ENTRY(name, kind)           [VV_OP_##name] = {kind, {name##_C64, name##_C128}},
#define COMPLEX(name, arity, ...)   ENTRY(name, VV_COMPLEX_SAME)
#define WIDE(name, arity, ...)      ENTRY(name, VV_COMPLEX_SAME)
#define PART(name, arity, ...)      ENTRY(name, VV_COMPLEX_PART)
#define WIDE_PART(name, arity, ...) ENTRY(name, VV_COMPLEX_PART)
#define TRUTH(name, arity, ...)     ENTRY(name, VV_COMPLEX_TRUTH)
const vv_complex_op vv_complex_ops[VV_OPS] = {
#include "kernels/complex.def.h"
};
