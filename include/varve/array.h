/* Arrays: lazy, chunked, labelled.
 *
 * An array is a promise: building one reads no data. Functions that build arrays never return NULL; when something is wrong they return
 * an *inert* array that remembers the first cause, whatever is built on it is inert too, and compute or save report it. One check at
 * the end of a chain is enough.
 *
 * Arrays belong to their session and go with it. vv_release() lets go of one earlier. All functions: Driver only. */
#ifndef VARVE_ARRAY_H
#define VARVE_ARRAY_H

#include "varve/session.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vv_array vv_array;

/* --- opening --- */

/* A variable of a file: vv_open(s, "t2m.nc", "t2m"). Packed values are unpacked and missing ones are NaN when computed. */
VV_API vv_array *vv_open(vv_session *s, const char *path, const char *variable);

/* --- elementwise: one function per line, NumPy's names and rules --- */

#define VV_UNARY_LIST(X)                                                                                               \
    X(negative)                                                                                                        \
    X(absolute)                                                                                                        \
    X(square)                                                                                                          \
    X(sqrt)                                                                                                            \
    X(exp)                                                                                                             \
    X(log)                                                                                                             \
    X(sin)                                                                                                             \
    X(cos)                                                                                                             \
    X(isnan)
#define VV_BINARY_LIST(X)                                                                                              \
    X(add)                                                                                                             \
    X(subtract)                                                                                                        \
    X(multiply)                                                                                                        \
    X(divide)                                                                                                          \
    X(power)                                                                                                           \
    X(minimum)                                                                                                         \
    X(maximum)                                                                                                         \
    X(floor_divide)                                                                                                    \
    X(remainder)                                                                                                       \
    X(greater)                                                                                                         \
    X(greater_equal)                                                                                                   \
    X(less)                                                                                                            \
    X(less_equal)                                                                                                      \
    X(equal)                                                                                                           \
    X(not_equal)

#define VV_DECLARE_UNARY(name)  VV_API vv_array *vv_##name(vv_array *a);
#define VV_DECLARE_BINARY(name) VV_API vv_array *vv_##name(vv_array *a, vv_array *b);
VV_UNARY_LIST(VV_DECLARE_UNARY)
VV_BINARY_LIST(VV_DECLARE_BINARY)
#undef VV_DECLARE_UNARY
#undef VV_DECLARE_BINARY
VV_API vv_array *vv_sub(vv_array *a, vv_array *b); /* vv_subtract */
VV_API vv_array *vv_mul(vv_array *a, vv_array *b); /* vv_multiply */
VV_API vv_array *vv_where(vv_array *condition, vv_array *a, vv_array *b);
/* A number to use as an operand. */
VV_API vv_array *vv_scalar(vv_session *s, double value);
/* By name, for tables and languages: vv_elementwise(s, "sqrt", (vv_array *[]){a}, 1). */
VV_API vv_array *vv_elementwise(vv_session *s, const char *op, vv_array *const operands[], int n);

/* --- reductions --- */

typedef struct vv_reduce_options {
    bool keep_nan;  /* NaN in, NaN out; by default missing values are skipped */
    bool keep_dims; /* reduced dimensions stay, with length 1 */
    double ddof;    /* var and std divide by count - ddof */
} vv_reduce_options;
#define VV_REDUCE_OPTIONS_INIT                                                                                         \
    {                                                                                                                  \
        false, false, 0                                                                                                \
    }

/* dims: "time" or "lat,lon"; NULL for all. options: NULL for the defaults. how: "mean", "sum", ... see vv_reduction_name. */
VV_API vv_array *vv_reduce(vv_array *a, const char *how, const char *dims, const vv_reduce_options *options);

VV_API vv_array *vv_sum(vv_array *a, const char *dims);
VV_API vv_array *vv_mean(vv_array *a, const char *dims);
VV_API vv_array *vv_min(vv_array *a, const char *dims);
VV_API vv_array *vv_max(vv_array *a, const char *dims);
VV_API vv_array *vv_var(vv_array *a, const char *dims);
VV_API vv_array *vv_std(vv_array *a, const char *dims);

/* The registry of reductions, for help texts and tests: NULL past the end. */
VV_API const char *vv_reduction_name(int i);
VV_API const char *vv_reduction_help(int i);

/* --- what an array is --- */

VV_API vv_status vv_array_status(const vv_array *a); /* VV_OK, or why it is inert (vv_last_error() then tells) */
VV_API const char *vv_array_name(const vv_array *a);
VV_API int vv_array_n_dims(const vv_array *a);
VV_API const char *vv_array_dim(const vv_array *a, int d);
VV_API vv_index vv_array_length(const vv_array *a, int d);
VV_API vv_dtype vv_array_dtype(const vv_array *a);
/* "t2m (time: 2920, lat: 361, lon: 720) f32, chunks 24 x 181 x 360, 3.04 GB" into out; returns out. */
VV_API const char *vv_describe(const vv_array *a, char *out, size_t size);

/* Lets go of an array; *a becomes NULL. Arrays built on it stay valid. Accepts NULL. */
VV_API void vv_release(vv_array **a);

#ifdef __cplusplus
}
#endif
#endif
