/* How the variables of an output are stored, as far as its options say: chunks, filters, element type, packing, quantizing, dimensions that can grow.
 *
 * Options are words, the same in C and on the command line; they are read once, before any work. What they leave open stays as it would be without them. */
#ifndef VV_SESSION_OUTPUT_ENCODING_H
#define VV_SESSION_OUTPUT_ENCODING_H

#include "kernels/codec/decode.h"
#include "storage/dataset.h"
#include "varve/output.h"

typedef struct vv_encoding {
    bool automatic_chunks;
    int n_chunks; /* dimensions that are named */
    struct vv_chunk_wish {
        char *dim;
        vv_index length; /* -1: all of it */
    } * chunk;
    bool says_filter; /* deflate -1 and zstd 0: none */
    int deflate, zstd;
    vv_dtype type;      /* VV_NONE: as it is */
    bool packed, given; /* floats are packed; with scale and offset as said, else from their range */
    double scale, offset;
    vv_quantize quantize;
    char *unlimited; /* "time,step", "" for none at all; NULL: not said */
    bool plain;      /* HDF5 without netCDF's conventions */
    bool collective; /* parallel HDF5 writes */
} vv_encoding;

/* VV_ERR_USAGE names the option and what it takes. The caller frees *out in any case. */
VV_WARN_UNUSED vv_status vv_encoding_read(const vv_save_options *options, vv_encoding *out);
void vv_encoding_free(vv_encoding *e);

/* Whether it says something about the chunks of a variable with these dimensions. */
bool vv_encoding_has_chunks(const vv_encoding *e, char *const dim[], int nd);
/* The chunks of a variable of n[] elements of `size` bytes: those of named dimensions as said; others as long as a chunk of 4 MiB allows, inner ones first.
 * Automatic ones are what readers want: about 1 MiB, cut so that a map at one place of the first dimension and a series along it read about as many. */
void vv_encoding_chunks(const vv_encoding *e, char *const dim[], const vv_shape *shape, vv_bytes size,
                        vv_index chunk[]);
/* Whether a dimension can grow, where `otherwise` is what the input says. */
bool vv_encoding_unlimited(const vv_encoding *e, const char *dim, bool otherwise);
/* Every dimension that is named is one of the output's. */
VV_WARN_UNUSED vv_status vv_encoding_check(const vv_encoding *e, const vv_meta *m);
/* The element type that values of this one are stored as. */
vv_dtype vv_encoding_type(const vv_encoding *e, vv_dtype type);
/* Packing of values within [low, high]: all codes but the one for missing values. */
void vv_encoding_pack_range(vv_dtype type, double low, double high, double *scale, double *offset);
/* The element that stands for missing values where a type was chosen: netCDF's own, and the lowest or highest of packed ones. */
void vv_encoding_fill(vv_dtype type, bool packed, void *element);
/* What netCDF calls a quantizer in attributes. */
const char *vv_quantize_attribute(vv_quantizer how);

#endif
