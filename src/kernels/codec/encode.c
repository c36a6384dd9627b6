#include "base/index.h"
#include "kernels/clones.h"
#include "kernels/codec/decode.h"

#include <math.h>
#include <string.h>

/* X(ENUM, C type, least and greatest value that a double can hold too) */
#define INTEGERS(X)                                                                                                    \
    X(I8, int8_t, INT8_MIN, INT8_MAX)                                                                                  \
    X(I16, int16_t, INT16_MIN, INT16_MAX)                                                                              \
    X(I32, int32_t, INT32_MIN, INT32_MAX)                                                                              \
    X(I64, int64_t, -0x1p63, 0x1.fffffffffffffp62)                                                                     \
    X(U8, uint8_t, 0, UINT8_MAX)                                                                                       \
    X(U16, uint16_t, 0, UINT16_MAX)                                                                                    \
    X(U32, uint32_t, 0, UINT32_MAX)                                                                                    \
    X(U64, uint64_t, 0, 0x1.fffffffffffffp63)

/* fill: the element that NaN becomes. */
typedef void kernel(vv_index n, const void *in, const void *fill, void *out);
#define PARAMETERS (vv_index n, const void *in, const void *fill, void *out)
#define ARGUMENTS  (n, in, fill, out)

#define KERNEL(I, itype, O, otype, expression)                                                                         \
    VV_KERNEL void I##_##O##_body(vv_index n, const itype *restrict in, const otype *fill, otype *restrict out)        \
    {                                                                                                                  \
        const otype missing = *fill;                                                                                   \
        (void)missing;                                                                                                 \
        for (vv_index i = 0; i < n; i++) {                                                                             \
            const itype x = in[i];                                                                                     \
            out[i] = expression;                                                                                       \
        }                                                                                                              \
    }                                                                                                                  \
    VV_CLONES(I##_##O, I##_##O##_body, PARAMETERS, ARGUMENTS)

VV_KERNEL double clamp(double v, double lo, double hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* Reals saturate, integers wrap: an i16 array computed in i64 gets the values that NumPy's i16 arithmetic gives. A NaN is replaced before
 * the conversion, which is undefined for it. */
#define TO_INTEGER(O, otype, lo, hi)                                                                                   \
    KERNEL(F32, float, O, otype, x != x ? missing : (otype)clamp(rint(x != x ? 0 : (double)x), lo, hi))                \
    KERNEL(F64, double, O, otype, x != x ? missing : (otype)clamp(rint(x != x ? 0 : x), lo, hi))                       \
    KERNEL(I64, int64_t, O, otype, (otype)x)                                                                           \
    KERNEL(U64, uint64_t, O, otype, (otype)x)
INTEGERS(TO_INTEGER)

#define TO_REAL(O, otype)                                                                                              \
    KERNEL(F32, float, O, otype, x != x ? missing : (otype)x)                                                          \
    KERNEL(F64, double, O, otype, x != x ? missing : (otype)x)                                                         \
    KERNEL(I64, int64_t, O, otype, (otype)x)                                                                           \
    KERNEL(U64, uint64_t, O, otype, (otype)x)
TO_REAL(F32, float)
TO_REAL(F64, double)

KERNEL(F32, float, BOOL, uint8_t, x != x ? missing : x != 0)
KERNEL(F64, double, BOOL, uint8_t, x != x ? missing : x != 0)
KERNEL(I64, int64_t, BOOL, uint8_t, x != 0)
KERNEL(U64, uint64_t, BOOL, uint8_t, x != 0)

static kernel *const *const table[VV_DTYPE_COUNT][VV_DTYPE_COUNT] = {
#define ROW(O, otype, lo, hi)                                                                                          \
    [VV_##O] = {[VV_F32] = F32_##O, [VV_F64] = F64_##O, [VV_I64] = I64_##O, [VV_U64] = U64_##O},
    INTEGERS(ROW) ROW(F32, float, , ) ROW(F64, double, , ) ROW(BOOL, uint8_t, , )
#undef ROW
};

VV_KERNEL void pack_body(vv_index n, double scale, double offset, double *x)
{
    for (vv_index i = 0; i < n; i++) x[i] = (x[i] - offset) / scale;
}
VV_CLONES(pack, pack_body, (vv_index n, double scale, double offset, double *x), (n, scale, offset, x))

static void encode_scaled(const vv_encode *e, const char *in, vv_index n, const void *fill, char *out)
{
    const vv_decode widen = {.stored = e->in, .out = VV_F64};
    _Alignas(64) double tile[VV_TILE];
    for (vv_index done = 0; done < n; done += VV_TILE) {
        vv_index some = vv_imin(VV_TILE, n - done);
        vv_decode_range(&widen, in, n, done, some, tile);
        pack[vv_cpu()](some, e->scale, e->offset, tile);
        table[e->to][VV_F64][vv_cpu()](some, tile, fill, out + done * vv_dtype_size(e->to));
    }
}

/* Gathered in elements' own width, which is what vectorises. */
#define HAS_NAN(type, atype, name)                                                                                     \
    VV_KERNEL void name##_body(const type *x, vv_index n, bool *out)                                                   \
    {                                                                                                                  \
        atype any = 0;                                                                                                 \
        for (vv_index k = 0; k < n; k++) any |= (atype)(x[k] != x[k]);                                                 \
        *out = any != 0;                                                                                               \
    }                                                                                                                  \
    VV_CLONES(name, name##_body, (const type *x, vv_index n, bool *out), (x, n, out))
HAS_NAN(float, int32_t, f32_has_nan)
HAS_NAN(double, int64_t, f64_has_nan)

bool vv_any_nan(vv_dtype type, const void *in, vv_index n)
{
    bool any = false;
    vv_bytes size = vv_dtype_size(type);
    for (vv_index i = 0; vv_dtype_is_float(type) && i < n && !any; i += VV_TILE) {
        const char *x = (const char *)in + i * size;
        vv_index some = vv_imin(VV_TILE, n - i);
        if (type == VV_F32)
            f32_has_nan[vv_cpu()]((const float *)(const void *)x, some, &any);
        else
            f64_has_nan[vv_cpu()]((const double *)(const void *)x, some, &any);
    }
    return any;
}

/* Complex numbers are twice as many reals; there is no fill value for them. */
static vv_encode of_parts(const vv_encode *e)
{
    return (vv_encode){.in = vv_dtype_part(e->in), .to = vv_dtype_part(e->to), .checked = e->checked};
}

bool vv_encode_changes(const vv_encode *e, const void *in, vv_index n)
{
    if (vv_dtype_is_complex(e->in)) {
        const vv_encode parts = of_parts(e);
        return vv_encode_changes(&parts, in, 2 * n);
    }
    if (e->in != e->to || e->scaled || e->quantize.how != VV_QUANTIZE_NOT) return true;
    if (vv_dtype_is_float(e->in)) return vv_any_nan(e->in, in, n);
    return e->in != VV_I64 && e->in != VV_U64;
}

void vv_encode_range(const vv_encode *e, const void *in, vv_index n, void *out)
{
    if (vv_dtype_is_complex(e->in)) {
        const vv_encode parts = of_parts(e);
        vv_encode_range(&parts, in, 2 * n, out);
        return;
    }
    _Alignas(16) unsigned char fill[16];
    if (e->has_fill)
        memcpy(fill, e->fill, sizeof fill);
    else
        vv_dtype_store(e->to, fill, NAN);
    if (e->scaled)
        encode_scaled(e, in, n, fill, out);
    else
        table[e->to][e->in][vv_cpu()](n, in, fill, out);
}
