/* From stored bytes to working values: unshuffle, swap bytes, mask missing values, unpack, widen; a piece at a time.
 *
 * Elementwise programs and reductions work on six types only: f32, f64, i64, u64, c64, c128 (vv_working_type). A decode describes how the
 * elements of one stored block become one of them. Packed integers and masked values become NaN in f32 or f64 (as xarray decodes:
 * missing values are compared in the stored type, before unpacking; value = stored * scale + offset, computed in `out`). */
#ifndef VV_KERNELS_CODEC_DECODE_H
#define VV_KERNELS_CODEC_DECODE_H

#include "kernels/codec/quantize.h"

enum { VV_MAX_MISSING = 4 };

/* Stored types that are integers: X(ENUM, C type) */
#define VV_STORED_INTEGERS(X)                                                                                          \
    X(BOOL, uint8_t)                                                                                                   \
    X(I8, int8_t)                                                                                                      \
    X(I16, int16_t)                                                                                                    \
    X(I32, int32_t)                                                                                                    \
    X(I64, int64_t)                                                                                                    \
    X(U8, uint8_t)                                                                                                     \
    X(U16, uint16_t)                                                                                                   \
    X(U32, uint32_t)                                                                                                   \
    X(U64, uint64_t)

typedef struct vv_decode {
    vv_dtype stored;
    vv_dtype out;  /* a working type */
    bool swap;     /* stored in the other byte order */
    bool shuffled; /* the block's bytes are still shuffled */
    bool scaled;   /* scale and offset apply; out is f32 or f64 */
    double scale, offset;
    int n_missing; /* values that become NaN, already in host order; out is f32 or f64 when there are any */
    union {
        double f;
        int64_t i;
        uint64_t u;
    } missing[VV_MAX_MISSING]; /* by the kind of `stored` */
    bool has_min, has_max;     /* valid range, in stored units */
    double valid_min, valid_max;
} vv_decode;

/* The working type that holds every value of a stored type without scale or missing values. */
vv_dtype vv_working_type(vv_dtype stored);

/* Room for a tile of values of a working type. */
vv_bytes vv_tile_bytes(vv_dtype working);

/* True when the bytes of a block already are working values: use them where they lie. */
bool vv_decode_is_plain(const vv_decode *d);
/* True when these n elements of a block are working values where they lie: a plain block, or one that would be but for its missing values, of which
 * none is among them. Looking is cheaper than copying: most tiles of most files have none. */
bool vv_decode_is_ready(const vv_decode *d, const void *elements, vv_index n);

/* Elements [first, first + n) of a block of `total` elements as they are stored, in order and in the host's byte order: where they lie, or in `room`,
 * n elements. */
const void *vv_decode_order(const vv_decode *d, const void *block, vv_index total, vv_index first, vv_index n,
                            void *room);
/* Whether any of such elements is a missing value or NaN; the valid range is not looked at. */
bool vv_decode_any_missing(const vv_decode *d, const void *elements, vv_index n);

/* Elements [first, first + n) of a block of `total` elements at `block` into out. n at most VV_TILE is fastest. The block is aligned to its
 * elements, unless it is shuffled. Reals decode to reals only: casting them to integers is an operation, not a decoding. */
void vv_decode_range(const vv_decode *d, const void *block, vv_index total, vv_index first, vv_index n, void *out);

/* Working values to a type for saving: reals round to nearest (halves to even) and saturate, integers wrap as in NumPy; NaN becomes *fill when
 * fill is given (an element of type `to`), else NaN with one and the same bits, or 0.
 * Scaled saving: stored = round((value - offset) / scale). */
typedef struct vv_encode {
    vv_dtype in; /* working type */
    vv_dtype to;
    bool has_fill;
    unsigned char fill[16];
    bool scaled;
    double scale, offset;
    bool checked; /* values that `to` cannot hold are errors: somebody asked for this type */
    vv_quantize quantize;
} vv_encode;
/* Whether there is a NaN among n values of a working type of reals. */
bool vv_any_nan(vv_dtype type, const void *in, vv_index n);
/* Whether encoding makes anything else of these elements; the values count: a NaN may become a fill value. Of n = 0: of values that are none. */
bool vv_encode_changes(const vv_encode *e, const void *in, vv_index n);
void vv_encode_range(const vv_encode *e, const void *in, vv_index n, void *out);

/* The first of n values that cannot be saved so - too large or too small, or it would be taken for missing - or -1. Rounding is no error. */
vv_index vv_encode_check(const vv_encode *e, const void *in, vv_index n);

/* Elements in the pieces that kernels like best: inputs and state of one piece stay in the first-level cache. */
enum { VV_TILE = 2048 };
/* Bytes of the widest element: room for a tile of any type is VV_TILE * VV_WIDEST. */
enum { VV_WIDEST = 16 };

#endif
