/* Element types beyond the public header: kinds and conversion of single values. */
#ifndef VV_BASE_DTYPE_H
#define VV_BASE_DTYPE_H

#include "base/status.h"

#include <string.h>

char vv_dtype_kind(vv_dtype type); /* 'b' 'i' 'u' 'f' 'c', '?' for VV_NONE */
static inline bool vv_dtype_is_float(vv_dtype t)
{
    return t == VV_F32 || t == VV_F64;
}
static inline bool vv_dtype_is_complex(vv_dtype t)
{
    return t == VV_C64 || t == VV_C128;
}
/* The type of the parts of a complex one, and the complex type of such parts. */
static inline vv_dtype vv_dtype_part(vv_dtype t)
{
    return t == VV_C64 ? VV_F32 : VV_F64;
}
static inline vv_dtype vv_dtype_of_parts(vv_dtype t)
{
    return t == VV_F32 ? VV_C64 : VV_C128;
}
static inline bool vv_dtype_is_integer(vv_dtype t)
{
    return t >= VV_I8 && t <= VV_U64;
}
/* NumPy's result_type for two arrays. */
vv_dtype vv_dtype_promote(vv_dtype a, vv_dtype b);
/* One element as double (real part of complex ones), and back with rounding and saturation for integers. */
double vv_dtype_load(vv_dtype type, const void *element);
void vv_dtype_store(vv_dtype type, void *element, double value);

/* The same number, NaN and the zeros by their bits. */
static inline bool vv_same_bits(double a, double b)
{
    uint64_t x, y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    return x == y;
}

#endif
