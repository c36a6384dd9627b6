/* Which values a type cannot hold: asked before values are saved as a type that somebody has chosen for them. */
#include "base/index.h"
#include "kernels/codec/decode.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* What a stored element may be: whole numbers within [low, high] without `hole`, which means missing; or reals up to `most`. */
typedef struct range {
    bool whole, has_hole, scaled;
    double low, high, hole, scale, offset;
} range;

static range range_of(const vv_encode *e)
{
    static const double low[VV_DTYPE_COUNT] = {[VV_I8] = INT8_MIN, [VV_I16] = INT16_MIN, [VV_I32] = INT32_MIN,
                                               [VV_I64] = -0x1p63, [VV_F32] = -FLT_MAX,  [VV_F64] = -DBL_MAX};
    static const double high[VV_DTYPE_COUNT] = {
        [VV_BOOL] = 1,     [VV_I8] = INT8_MAX,  [VV_I16] = INT16_MAX,  [VV_I32] = INT32_MAX,
        [VV_I64] = 0x1p63, [VV_U8] = UINT8_MAX, [VV_U16] = UINT16_MAX, [VV_U32] = UINT32_MAX,
        [VV_U64] = 0x1p64, [VV_F32] = FLT_MAX,  [VV_F64] = DBL_MAX};
    range r = {!vv_dtype_is_float(e->to), e->has_fill, e->scaled, low[e->to], high[e->to], 0, e->scale, e->offset};
    if (e->has_fill) r.hole = vv_dtype_load(e->to, e->fill);
    return r;
}

/* 2^63 and 2^64 are no values of their types, but the least doubles beyond them. */
static bool beyond(const range *r, double x)
{
    return r->high >= 0x1p63 ? x >= r->high : x > r->high;
}

static bool bad_real(const range *r, double x)
{
    if (isnan(x)) return false;
    if (r->scaled) x = (x - r->offset) / r->scale;
    if (!r->whole) {
        double stored = r->high == (double)FLT_MAX ? (double)(float)x : x;
        return (isinf(stored) && !isinf(x)) || (r->has_hole && stored == r->hole);
    }
    x = rint(x);
    return isnan(x) || x < r->low || beyond(r, x) || (r->has_hole && x == r->hole);
}

/* The target of whole numbers: compared as they are, since doubles do not tell all of 64 bits apart. */
static bool bad_signed(const vv_encode *e, const range *r, int64_t x)
{
    unsigned char element[16];
    if (r->scaled || !r->whole) return bad_real(r, (double)x);
    if (e->to == VV_U64 ? x < 0 : e->to != VV_I64 && ((double)x < r->low || (double)x > r->high)) return true;
    memset(element, 0, sizeof element);
    memcpy(element, &x, sizeof x); /* of the low bytes, as every machine that we know has them */
    return r->has_hole && !memcmp(element, e->fill, (size_t)vv_dtype_size(e->to));
}

static bool bad_unsigned(const vv_encode *e, const range *r, uint64_t x)
{
    if (r->scaled || !r->whole) return bad_real(r, (double)x);
    if (e->to == VV_U64) return r->has_hole && !memcmp(&x, e->fill, sizeof x);
    return x > INT64_MAX || bad_signed(e, r, (int64_t)x);
}

static bool bad(const vv_encode *e, const range *r, const void *in, vv_index i)
{
    switch (e->in) {
    case VV_F32: return bad_real(r, (double)((const float *)in)[i]);
    case VV_F64: return bad_real(r, ((const double *)in)[i]);
    case VV_I64: return bad_signed(e, r, ((const int64_t *)in)[i]);
    default: return bad_unsigned(e, r, ((const uint64_t *)in)[i]);
    }
}

vv_index vv_encode_check(const vv_encode *e, const void *in, vv_index n)
{
    if (vv_dtype_is_complex(e->in)) { /* its parts */
        const vv_encode parts = {.in = vv_dtype_part(e->in), .to = vv_dtype_part(e->to)};
        vv_index at = vv_encode_check(&parts, in, 2 * n);
        return at < 0 ? at : at / 2;
    }
    const range r = range_of(e);
    for (vv_index i = 0; i < n; i++)
        if (bad(e, &r, in, i)) return i;
    return -1;
}
