#include "kernels/codec/quantize.h"

#include "base/index.h"

#include <float.h>
#include <math.h>
#include <string.h>

static const double BITS_PER_DIGIT = 3.32192809488736234787, DIGITS_PER_BIT = 0.30102999566398119521;

/* Bits of the mantissa that are stored. */
static int mantissa(vv_dtype type)
{
    return type == VV_F32 ? FLT_MANT_DIG - 1 : DBL_MANT_DIG - 1;
}

int vv_quantize_most(vv_quantizer how, vv_dtype type)
{
    return how == VV_BIT_ROUND ? mantissa(type) : type == VV_F32 ? 7 : 15;
}

/* Bits of the mantissa that digits need: netCDF-C rounds up, and adds one to be sure. */
static int bits_kept(const vv_quantize *q)
{
    if (q->how == VV_BIT_ROUND) return q->keep;
    return (int)ceil(q->keep * BITS_PER_DIGIT) + 1;
}

/* Bits that this value needs for so many digits, by the number of digits in front of its decimal point (Delaunay et al. 2019, as netCDF-C has it). */
static int bits_for(double value, int digits)
{
    int exponent;
    double logarithm = log10(fabs(frexp(value, &exponent)));
    int in_front = (int)floor(exponent * DIGITS_PER_BIT + logarithm) + 1;
    int power = (int)floor(BITS_PER_DIGIT * (in_front - digits));
    int bits = (int)floor(exponent - BITS_PER_DIGIT * logarithm) - power;
    return (bits < 0 ? -bits : bits) - 1;
}

/* One function for each width: QUANTIZE(name, float type, integer type, bits of the mantissa). */
#define QUANTIZE(NAME, real, bits_t, MANTISSA)                                                                         \
    static bits_t rounded_##NAME(bits_t bits, int dropped)                                                             \
    {                                                                                                                  \
        if (dropped <= 0 || dropped > (MANTISSA)) return bits;                                                         \
        return (bits + ((bits_t)1 << (dropped - 1))) & ~(((bits_t)1 << dropped) - 1);                                  \
    }                                                                                                                  \
                                                                                                                       \
    static bits_t quantized_##NAME(const vv_quantize *q, bits_t bits, real value, int dropped, bool odd)               \
    {                                                                                                                  \
        if (q->how == VV_GRANULAR_BIT_ROUND) return rounded_##NAME(bits, (MANTISSA)-bits_for((double)value, q->keep)); \
        if (q->how == VV_BIT_ROUND) return rounded_##NAME(bits, dropped);                                              \
        bits_t low = ((bits_t)1 << dropped) - 1;                                                                       \
        return odd ? bits | low : bits & ~low;                                                                         \
    }                                                                                                                  \
                                                                                                                       \
    static void quantize_##NAME(const vv_quantize *q, vv_index first, vv_index n, const real *fill, real *data)        \
    {                                                                                                                  \
        int dropped = (MANTISSA)-bits_kept(q);                                                                         \
        if (dropped <= 0 && q->how != VV_GRANULAR_BIT_ROUND) return;                                                   \
        for (vv_index i = 0; i < n; i++) {                                                                             \
            bits_t bits;                                                                                               \
            if (data[i] == 0 || !isfinite(data[i]) || (fill && data[i] == *fill)) continue;                            \
            memcpy(&bits, &data[i], sizeof bits);                                                                      \
            bits = quantized_##NAME(q, bits, data[i], dropped, (first + i) % 2 != 0);                                  \
            memcpy(&data[i], &bits, sizeof bits);                                                                      \
        }                                                                                                              \
    }

QUANTIZE(f32, float, uint32_t, FLT_MANT_DIG - 1)
QUANTIZE(f64, double, uint64_t, DBL_MANT_DIG - 1)

void vv_quantize_range(const vv_quantize *q, vv_dtype type, vv_index first, vv_index n, const void *fill, void *data)
{
    if (q->how == VV_QUANTIZE_NOT) return;
    if (type == VV_F32) quantize_f32(q, first, n, fill, data);
    if (type == VV_F64) quantize_f64(q, first, n, fill, data);
}
