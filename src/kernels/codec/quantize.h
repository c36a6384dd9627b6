/* Quantizing: bits of a float's mantissa that say nothing become zeros, which compress to nothing.
 *
 * The methods of netCDF-C 4.9, bit for bit, so that its readers know what its attributes mean:
 *   BitGroom          keeps enough bits for so many decimal digits; the others become 0 in even elements and 1 in odd ones, so that means stay
 *   BitRound          keeps so many bits of the mantissa, rounded
 *   GranularBitRound  keeps so many decimal digits, with as few bits as each value allows, rounded
 *
 * Missing values, NaN, infinities and zeros stay as they are. (netCDF-C spoils NaN and infinities.) */
#ifndef VV_KERNELS_CODEC_QUANTIZE_H
#define VV_KERNELS_CODEC_QUANTIZE_H

#include "base/dtype.h"

typedef enum vv_quantizer { VV_QUANTIZE_NOT, VV_BIT_GROOM, VV_BIT_ROUND, VV_GRANULAR_BIT_ROUND } vv_quantizer;

typedef struct vv_quantize {
    vv_quantizer how;
    int keep; /* decimal digits, or bits of BitRound */
} vv_quantize;

/* The most digits or bits that a type (f32 or f64) can keep. */
int vv_quantize_most(vv_quantizer how, vv_dtype type);
/* n elements of f32 or f64 in place; `first` is the number of the first one in its variable. fill: the missing value, or NULL. */
void vv_quantize_range(const vv_quantize *q, vv_dtype type, vv_index first, vv_index n, const void *fill, void *data);

#endif
