/* The body of smooth_*.c, which say what a vector is:
 *
 *   TABLE                      the table's name
 *   F64, F32, LANES64, LANES32 types of vectors and how many elements they hold
 *   LOAD64(p) STORE64(p, v) LOAD32 STORE32
 *   CALL64(function, ulp) CALL32(function, ulp)   names of SLEEF's functions */
#include "kernels/smooth/smooth.h"

#include <math.h>
#include <sleef.h>
#include <string.h>

/* From what magnitude on vv_smooth_beyond() knows better; infinity: never. */
static double limit_of(vv_smooth f, bool single)
{
    switch (f) {
    case VV_SMOOTH_log1p: return single ? 1e8 : 1e17;
    case VV_SMOOTH_arcsinh:
    case VV_SMOOTH_arccosh: return single ? 1e8 : 1e17;
    case VV_SMOOTH_sinh:
    case VV_SMOOTH_cosh: return single ? 80 : 700;
    default: return INFINITY;
    }
}

#define APPLY_1(call, load, p, q) call(load(p))
#define APPLY_2(call, load, p, q) call(load(p), load(q))

#define LOOP(name, arity, real, lanes, call, load, store, single)                                                      \
    static void name##_##real(vv_index n, const void *x, const void *y, const void *z, void *out)                      \
    {                                                                                                                  \
        const real *a = x, *b = y;                                                                                     \
        real *to = out;                                                                                                \
        vv_index i = 0;                                                                                                \
        (void)z, (void)b;                                                                                              \
        for (; i + lanes <= n; i += lanes) store(to + i, APPLY_##arity(call, load, a + i, b + i));                     \
        if (i < n) { /* the last ones in a vector that is filled up */                                                 \
            real first[lanes] = {0}, second[lanes] = {0}, result[lanes];                                               \
            size_t rest = (size_t)(n - i) * sizeof(real);                                                              \
            memcpy(first, a + i, rest);                                                                                \
            if (arity > 1) memcpy(second, b + i, rest);                                                                \
            store(result, APPLY_##arity(call, load, first, second));                                                   \
            memcpy(to + i, result, rest);                                                                              \
        }                                                                                                              \
        for (i = 0; i < n; i++) to[i] = to[i] == to[i] ? to[i] : (real)NAN; /* one NaN for all instruction sets */     \
        const double limit = limit_of(VV_SMOOTH_##name, single);                                                       \
        for (i = 0; limit < INFINITY && i < n; i++)                                                                    \
            if (fabs((double)a[i]) > limit) to[i] = (real)vv_smooth_beyond(VV_SMOOTH_##name, (double)a[i]);            \
    }

#define SMOOTH(name, help, arity, function, ulp)                                                                       \
    LOOP(name, arity, double, LANES64, CALL64(function, ulp), LOAD64, STORE64, false)                                  \
    LOOP(name, arity, float, LANES32, CALL32(function, ulp), LOAD32, STORE32, true)
#include "kernels/smooth/smooth.def.h"
SMOOTH(power, "", 2, pow, u10)
#undef SMOOTH

const vv_smooth_table TABLE = {
#define SMOOTH(name, ...) [VV_SMOOTH_##name] = {name##_float, name##_double},
#include "kernels/smooth/smooth.def.h"
    SMOOTH(power)
#undef SMOOTH
};
