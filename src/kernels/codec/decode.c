/* Decoding a tile takes at most three steps, all in the first-level cache: stored bytes in order (unshuffled, swapped) in a tile on the
 * stack, unless they are usable where they lie; one kernel that widens, unpacks and masks the first missing value; a pass for each further
 * missing value and for the valid range, which are rare. */
#include "kernels/codec/decode.h"

#include "base/index.h"
#include "kernels/clones.h"
#include "kernels/codec/codec.h"

#include <math.h>
#include <string.h>

/* Stored types: X(ENUM, C type) */
#define REALS(X)                                                                                                       \
    X(F32, float)                                                                                                      \
    X(F64, double)
#define STORED(X) VV_STORED_INTEGERS(X) REALS(X)

typedef union value {
#define MEMBER(ENUM, ctype) ctype ENUM;
    STORED(MEMBER)
#undef MEMBER
} value;

/* A decode made ready for its stored type. */
typedef struct params {
    double scale, offset;
    int n_missing;
    value missing[VV_MAX_MISSING];
    bool ranged;
    value lo, hi;
} params;

typedef void kernel(vv_index n, const void *in, const params *p, value which, void *out);
#define PARAMETERS (vv_index n, const void *in, const params *p, value which, void *out)
#define ARGUMENTS  (n, in, p, which, out)

/* The loop of one kernel: element x of stored type to element y of working type. */
#define KERNEL(name, S, stype, O, otype, expression)                                                                   \
    VV_KERNEL void name##_##S##_##O##_body(vv_index n, const stype *restrict in, const params *p, value which,         \
                                           otype *restrict out)                                                        \
    {                                                                                                                  \
        const otype scale = (otype)p->scale, offset = (otype)p->offset;                                                \
        const stype missing = which.S, lo = p->lo.S, hi = p->hi.S;                                                     \
        (void)scale, (void)offset, (void)missing, (void)lo, (void)hi;                                                  \
        for (vv_index i = 0; i < n; i++) {                                                                             \
            const stype x = in[i];                                                                                     \
            out[i] = expression;                                                                                       \
        }                                                                                                              \
    }                                                                                                                  \
    VV_CLONES(name##_##S##_##O, name##_##S##_##O##_body, PARAMETERS, ARGUMENTS)

#define UNPACK(S, stype, O, otype)                                                                                     \
    KERNEL(widen, S, stype, O, otype, (otype)x)                                                                        \
    KERNEL(scale, S, stype, O, otype, (otype)x *scale + offset)                                                        \
    KERNEL(scale_masked, S, stype, O, otype, x == missing ? (otype)NAN : (otype)x * scale + offset)                    \
    KERNEL(mask, S, stype, O, otype, x == missing ? (otype)NAN : out[i])                                               \
    KERNEL(range, S, stype, O, otype, x >= lo && x <= hi ? out[i] : (otype)NAN)
#define UNPACK_BOTH(S, stype)                                                                                          \
    UNPACK(S, stype, F32, float)                                                                                       \
    UNPACK(S, stype, F64, double)
STORED(UNPACK_BOTH)

#define WIDEN_INTEGERS(S, stype)                                                                                       \
    KERNEL(widen, S, stype, I64, int64_t, (int64_t)x)                                                                  \
    KERNEL(widen, S, stype, U64, uint64_t, (uint64_t)x)
VV_STORED_INTEGERS(WIDEN_INTEGERS)

/* Reals that are not scaled must not be multiplied by one and increased by zero: that would lose the sign of -0. */
#define WIDEN_MASKED(S, stype)                                                                                         \
    KERNEL(widen_masked, S, stype, F32, float, x == missing ? (float)NAN : (float)x)                                   \
    KERNEL(widen_masked, S, stype, F64, double, x == missing ? (double)NAN : (double)x)
REALS(WIDEN_MASKED)

/* For one stored type: by working type, by clone. */
typedef struct kernels {
    kernel *const *widen[VV_DTYPE_COUNT];
    kernel *const *widen_masked[VV_DTYPE_COUNT];
    kernel *const *scale[VV_DTYPE_COUNT];
    kernel *const *scale_masked[VV_DTYPE_COUNT];
    kernel *const *mask[VV_DTYPE_COUNT];
    kernel *const *range[VV_DTYPE_COUNT];
} kernels;

#define BOTH(name, S)                                                                                                  \
    {                                                                                                                  \
        [VV_F32] = name##_##S##_F32, [VV_F64] = name##_##S##_F64                                                       \
    }
#define ALL(name, S)                                                                                                   \
    {                                                                                                                  \
        [VV_F32] = name##_##S##_F32, [VV_F64] = name##_##S##_F64, [VV_I64] = name##_##S##_I64,                         \
        [VV_U64] = name##_##S##_U64                                                                                    \
    }
static const kernels table[VV_DTYPE_COUNT] = {
#define ROW(S, stype)                                                                                                  \
    [VV_##S] = {.widen = ALL(widen, S),                                                                                \
                .widen_masked = BOTH(scale_masked, S),                                                                 \
                .scale = BOTH(scale, S),                                                                               \
                .scale_masked = BOTH(scale_masked, S),                                                                 \
                .mask = BOTH(mask, S),                                                                                 \
                .range = BOTH(range, S)},
    VV_STORED_INTEGERS(ROW)
#undef ROW
#define ROW(S, stype)                                                                                                  \
    [VV_##S] = {.widen = BOTH(widen, S),                                                                               \
                .widen_masked = BOTH(widen_masked, S),                                                                 \
                .scale = BOTH(scale, S),                                                                               \
                .scale_masked = BOTH(scale_masked, S),                                                                 \
                .mask = BOTH(mask, S),                                                                                 \
                .range = BOTH(range, S)},
        REALS(ROW)
#undef ROW
};

vv_dtype vv_working_type(vv_dtype stored)
{
    switch (vv_dtype_kind(stored)) {
    case 'f':
    case 'c': return stored;
    case 'i': return VV_I64;
    case 'b':
    case 'u': return VV_U64;
    default: return VV_NONE;
    }
}

vv_bytes vv_tile_bytes(vv_dtype working)
{
    return VV_TILE * vv_imax(8, vv_dtype_size(working));
}

/* A missing value or a bound as an element of the stored type; false when that type cannot hold it, so that nothing can equal it. */
static bool missing_value(const vv_decode *d, int i, value *out)
{
    switch (d->stored) {
#define SIGNED(S, stype)                                                                                               \
    case VV_##S:                                                                                                       \
        out->S = (stype)d->missing[i].i;                                                                               \
        return out->S == d->missing[i].i;
#define UNSIGNED(S, stype)                                                                                             \
    case VV_##S: out->S = (stype)d->missing[i].u; return out->S == d->missing[i].u;
        SIGNED(I8, int8_t)
        SIGNED(I16, int16_t)
        SIGNED(I32, int32_t)
        SIGNED(I64, int64_t)
        UNSIGNED(BOOL, uint8_t)
        UNSIGNED(U8, uint8_t)
        UNSIGNED(U16, uint16_t)
        UNSIGNED(U32, uint32_t)
        UNSIGNED(U64, uint64_t)
#undef SIGNED
#undef UNSIGNED
    case VV_F32: out->F32 = (float)d->missing[i].f; return true;
    case VV_F64: out->F64 = d->missing[i].f; return true;
    default: return false;
    }
}

/* A bound of the valid range, rounded inwards for integers; storing saturates, which is what a bound beyond the type wants. */
static value bound(vv_dtype stored, double v, bool lower)
{
    value out;
    if (!vv_dtype_is_float(stored)) v = lower ? ceil(v) : floor(v);
    if (stored == VV_BOOL) stored = VV_U8;
    vv_dtype_store(stored, &out, v);
    return out;
}

static params prepare(const vv_decode *d)
{
    params p = {.scale = d->scaled ? d->scale : 1, .offset = d->scaled ? d->offset : 0};
    for (int i = 0; i < d->n_missing; i++)
        if (missing_value(d, i, &p.missing[p.n_missing])) p.n_missing++;
    p.ranged = d->has_min || d->has_max;
    if (!p.ranged) return p;
    p.lo = bound(d->stored, d->has_min ? d->valid_min : -INFINITY, true);
    p.hi = bound(d->stored, d->has_max ? d->valid_max : INFINITY, false);
    return p;
}

/* Complex numbers, which are neither packed nor missing, are twice as many reals. */
static void convert(const vv_decode *d, const params *p, const void *in, vv_index n, void *out)
{
    if (vv_dtype_is_complex(d->stored)) {
        const vv_decode parts = {.stored = vv_dtype_part(d->stored), .out = vv_dtype_part(d->out)};
        convert(&parts, p, in, 2 * n, out);
        return;
    }
    const kernels *k = &table[d->stored];
    vv_cpu_level cpu = vv_cpu();
    value none = {0};
    if (p->n_missing == 0)
        (d->scaled ? k->scale : k->widen)[d->out][cpu](n, in, p, none, out);
    else
        (d->scaled ? k->scale_masked : k->widen_masked)[d->out][cpu](n, in, p, p->missing[0], out);
    for (int i = 1; i < p->n_missing; i++) k->mask[d->out][cpu](n, in, p, p->missing[i], out);
    if (p->ranged) k->range[d->out][cpu](n, in, p, none, out);
}

/* Stored elements in order at `out`. */
static void arrange(const vv_decode *d, const void *block, vv_index total, vv_index first, vv_index n, void *out)
{
    int size = (int)vv_dtype_size(d->stored);
    if (d->shuffled)
        vv_unshuffle_range(block, total, size, first, n, out);
    else if (d->swap)
        vv_byteswap_copy((const char *)block + first * size, n, size, out);
    else
        memcpy(out, (const char *)block + first * size, (size_t)(n * size));
    if (d->shuffled && d->swap) vv_byteswap(out, n, size);
}

/* True when stored elements that are not missing, once in order, are working values. */
static bool only_masks(const vv_decode *d)
{
    return d->stored == d->out && !d->scaled && !d->has_min && !d->has_max;
}

static bool converts_nothing(const vv_decode *d)
{
    return only_masks(d) && !d->n_missing;
}

static bool lies_in_order(const vv_decode *d)
{
    return vv_dtype_size(d->stored) == 1 || (!d->shuffled && !d->swap);
}

bool vv_decode_is_plain(const vv_decode *d)
{
    return converts_nothing(d) && lies_in_order(d);
}

/* Is any of n elements missing? The answer is gathered in elements' own width, which is what vectorises. */
#define HAS(name, S, stype, atype, test)                                                                               \
    VV_KERNEL void name##_##S##_body(vv_index n, const stype *in, stype missing, int *found)                           \
    {                                                                                                                  \
        atype any = 0;                                                                                                 \
        for (vv_index i = 0; i < n; i++) {                                                                             \
            const stype x = in[i];                                                                                     \
            any |= (atype)(test);                                                                                      \
        }                                                                                                              \
        *found = any != 0;                                                                                             \
    }                                                                                                                  \
    VV_CLONES(name##_##S, name##_##S##_body, (vv_index n, const void *in, value missing, int *found),                  \
              (n, in, missing.S, found))
#define HAS_INTEGER(S, stype) HAS(has, S, stype, stype, x == missing)
VV_STORED_INTEGERS(HAS_INTEGER)
HAS(has, F32, float, int32_t, x == missing)
HAS(has, F64, double, int64_t, x == missing)
HAS(has_or_nan, F32, float, int32_t, (x == missing) | (x != x))
HAS(has_or_nan, F64, double, int64_t, (x == missing) | (x != x))

typedef void has_kernel(vv_index n, const void *in, value missing, int *found);

#define ROW(S, stype) [VV_##S] = has_##S,
static has_kernel *const *const has[VV_DTYPE_COUNT] = {STORED(ROW)};
#undef ROW
static has_kernel *const *const has_or_nan[VV_DTYPE_COUNT] = {[VV_F32] = has_or_nan_F32, [VV_F64] = has_or_nan_F64};

static value nan_of(vv_dtype real)
{
    value v;
    vv_dtype_store(real, &v, NAN);
    return v;
}

static bool has_any(const params *p, has_kernel *const *kernel, const void *elements, vv_index n)
{
    int found = 0;
    for (int i = 0; i < p->n_missing && !found; i++) kernel[vv_cpu()](n, elements, p->missing[i], &found);
    return found;
}

bool vv_decode_is_ready(const vv_decode *d, const void *elements, vv_index n)
{
    if (vv_decode_is_plain(d)) return true;
    if (!only_masks(d) || !lies_in_order(d) || !vv_dtype_is_float(d->stored)) return false;
    params p = prepare(d);
    return !has_any(&p, has[d->stored], elements, n);
}

const void *vv_decode_order(const vv_decode *d, const void *block, vv_index total, vv_index first, vv_index n,
                            void *room)
{
    if (lies_in_order(d)) return (const char *)block + first * vv_dtype_size(d->stored);
    arrange(d, block, total, first, n, room);
    return room;
}

bool vv_decode_any_missing(const vv_decode *d, const void *elements, vv_index n)
{
    params p = prepare(d);
    if (!vv_dtype_is_float(d->stored)) return has_any(&p, has[d->stored], elements, n);
    if (p.n_missing == 0) p.missing[p.n_missing++] = nan_of(d->stored);
    return has_any(&p, has_or_nan[d->stored], elements, n);
}

void vv_decode_range(const vv_decode *d, const void *block, vv_index total, vv_index first, vv_index n, void *out)
{
    if (converts_nothing(d)) {
        arrange(d, block, total, first, n, out);
        return;
    }
    params p = prepare(d);
    vv_bytes in_size = vv_dtype_size(d->stored), out_size = vv_dtype_size(d->out);
    _Alignas(64) char tile[VV_TILE * VV_WIDEST];
    for (vv_index done = 0; done < n; done += VV_TILE) {
        vv_index some = vv_imin(VV_TILE, n - done);
        const void *in = tile;
        if (lies_in_order(d))
            in = (const char *)block + (first + done) * in_size;
        else
            arrange(d, block, total, first + done, some, tile);
        convert(d, &p, in, some, (char *)out + done * out_size);
    }
}
