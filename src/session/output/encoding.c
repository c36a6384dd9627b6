#include "session/output/encoding.h"

#include "base/mem.h"
#include "kernels/codec/codec.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CHUNK = 4 << 20, GOOD_CHUNK = 1 << 20 };

/* --- reading --- */

/* A whole number in all of `text`. */
static bool whole(const char *text, long low, long high, long *out)
{
    char *end;
    *out = strtol(text, &end, 10);
    return end != text && !*end && *out >= low && *out <= high;
}

static bool real(const char *text, double *out)
{
    char *end;
    *out = strtod(text, &end);
    return end != text && !*end && isfinite(*out);
}

static vv_status add_chunk(vv_encoding *e, const char *name, vv_index length)
{
    VV_TRY(vv_grow(&e->chunk, e->n_chunks, sizeof *e->chunk, "chunk lengths"));
    e->chunk[e->n_chunks].length = length;
    VV_TRY(vv_strdup(&e->chunk[e->n_chunks].dim, name));
    e->n_chunks++;
    return VV_OK;
}

static vv_status read_chunk(vv_encoding *e, char *word)
{
    char *value = strpbrk(word, "=:");
    long n = -1;
    if (!value || value == word)
        return vv_fail(VV_ERR_USAGE, "chunks are DIM=LENGTH[,DIM=LENGTH...] or auto, not '%s'", word);
    *value++ = 0;
    if (strcmp(value, "all") && (!whole(value, -1, LONG_MAX, &n) || n == 0))
        return vv_fail(VV_ERR_USAGE, "chunks: '%s' is no length along '%s'; use a number from 1, or -1 for all", value,
                       word);
    for (int i = 0; i < e->n_chunks; i++)
        if (!strcmp(e->chunk[i].dim, word)) return vv_fail(VV_ERR_USAGE, "chunks: dimension '%s' is named twice", word);
    return add_chunk(e, word, n);
}

static vv_status read_chunks(vv_encoding *e, char *text)
{
    char *rest = text;
    if (!strcmp(text, "auto")) {
        e->automatic_chunks = true;
        return VV_OK;
    }
    for (char *word = strsep(&rest, ","); word; word = strsep(&rest, ",")) VV_TRY(read_chunk(e, word));
    return VV_OK;
}

static vv_status read_filter(vv_encoding *e, char *text)
{
    long level = -1;
    char *rest = text, *name = strsep(&rest, ":");
    bool deflate = !strcmp(name, "deflate"), zstd = !strcmp(name, "zstd");
    e->says_filter = true;
    if (!strcmp(name, "none") && !rest) return VV_OK;
    if (!deflate && !zstd)
        return vv_fail(VV_ERR_USAGE, "'%s' is no filter; there are deflate[:1-9], zstd[:1-%d] and none", name,
                       VV_ZSTD_MOST);
    if (rest && !whole(rest, deflate ? 0 : 1, deflate ? 9 : VV_ZSTD_MOST, &level))
        return vv_fail(VV_ERR_USAGE, "filter %s has levels %s, not '%s'", name, deflate ? "0 to 9" : "1 to 19", rest);
    if (deflate) e->deflate = rest ? (int)level : 4;
    if (zstd) e->zstd = rest ? (int)level : VV_ZSTD_LEVEL;
    return VV_OK;
}

static vv_status read_packing(vv_encoding *e, char *rest)
{
    bool scale = false, offset = false;
    for (char *word = strsep(&rest, ","); word; word = strsep(&rest, ",")) {
        bool good = false;
        if (!strcmp(word, "packed"))
            good = e->packed = true;
        else if (!strncmp(word, "scale=", 6))
            good = scale = real(word + 6, &e->scale) && e->scale != 0;
        else if (!strncmp(word, "offset=", 7))
            good = offset = real(word + 7, &e->offset);
        if (!good)
            return vv_fail(VV_ERR_USAGE,
                           "dtype: '%s' is not packed, scale=NUMBER or offset=NUMBER (as in "
                           "i16:packed,scale=0.01,offset=273.15)",
                           word);
    }
    if (offset && !scale) return vv_fail(VV_ERR_USAGE, "dtype: an offset needs a scale");
    e->given = scale;
    return VV_OK;
}

static vv_status read_type(vv_encoding *e, char *text)
{
    char *rest = text, *name = strsep(&rest, ":");
    for (int t = VV_I8; t <= VV_F64; t++)
        if (!strcmp(name, vv_dtype_name((vv_dtype)t))) e->type = (vv_dtype)t;
    if (e->type == VV_NONE)
        return vv_fail(VV_ERR_USAGE,
                       "'%s' is no element type of a file; there are i8 i16 i32 i64 u8 u16 u32 u64 f32 f64", name);
    if (!rest) return VV_OK;
    if (!vv_dtype_is_integer(e->type) || vv_dtype_size(e->type) > 4)
        return vv_fail(VV_ERR_USAGE, "dtype: values are packed into i8 i16 i32 u8 u16 u32, not into %s", name);
    return read_packing(e, rest);
}

static const struct {
    const char *name, *attribute;
} quantizers[] = {
    [VV_BIT_GROOM] = {"bitgroom", "_QuantizeBitGroomNumberOfSignificantDigits"},
    [VV_BIT_ROUND] = {"bitround", "_QuantizeBitRoundNumberOfSignificantBits"},
    [VV_GRANULAR_BIT_ROUND] = {"granular", "_QuantizeGranularBitRoundNumberOfSignificantDigits"},
};

const char *vv_quantize_attribute(vv_quantizer how)
{
    return quantizers[how].attribute;
}

/* "3", "bitgroom:3", "bitround:9", "granular:4" */
static vv_status read_quantize(vv_encoding *e, char *text)
{
    long keep;
    char *number = strchr(text, ':');
    vv_quantizer how = number ? VV_QUANTIZE_NOT : VV_BIT_GROOM;
    if (number) *number++ = 0;
    for (int q = VV_BIT_GROOM; number && q <= VV_GRANULAR_BIT_ROUND; q++)
        if (!strcmp(text, quantizers[q].name)) how = (vv_quantizer)q;
    if (how == VV_QUANTIZE_NOT)
        return vv_fail(VV_ERR_USAGE,
                       "quantize: there is no '%s'; there are bitgroom:DIGITS (or just DIGITS), "
                       "granular:DIGITS and bitround:BITS",
                       text);
    int most = vv_quantize_most(how, VV_F64);
    if (!whole(number ? number : text, 1, most, &keep))
        return vv_fail(VV_ERR_USAGE, "quantize: %s keeps 1 to %d %s, not '%s'", quantizers[how].name, most,
                       how == VV_BIT_ROUND ? "bits" : "digits", number ? number : text);
    e->quantize = (vv_quantize){how, (int)keep};
    return VV_OK;
}

static vv_status read_unlimited(vv_encoding *e, char *text)
{
    if (!*text) return vv_fail(VV_ERR_USAGE, "unlimited needs names of dimensions, or none");
    return vv_strdup(&e->unlimited, strcmp(text, "none") ? text : "");
}

static vv_status read_format(vv_encoding *e, char *text)
{
    e->plain = !strcmp(text, "hdf5");
    if (e->plain || !strcmp(text, "netcdf4")) return VV_OK;
    return vv_fail(VV_ERR_USAGE, "'%s' is no format of outputs; there are netcdf4 and hdf5", text);
}

static vv_status read_writer(vv_encoding *e, char *text)
{
    e->collective = !strcmp(text, "hdf5");
    if (e->collective || !strcmp(text, "direct")) return VV_OK;
    return vv_fail(VV_ERR_USAGE, "'%s' is no writer of outputs; there are direct and hdf5", text);
}

/* Reads a copy of the option's text. */
static vv_status read_one(vv_encoding *e, const char *text, vv_status (*read)(vv_encoding *e, char *text))
{
    char *copy;
    if (!text) return VV_OK;
    VV_TRY(vv_strdup(&copy, text));
    vv_status status = read(e, copy);
    free(copy);
    return status;
}

vv_status vv_encoding_read(const vv_save_options *o, vv_encoding *out)
{
    *out = (vv_encoding){.deflate = -1, .scale = 1};
    VV_TRY(read_one(out, o->chunks, read_chunks));
    VV_TRY(read_one(out, o->filter, read_filter));
    VV_TRY(read_one(out, o->dtype, read_type));
    VV_TRY(read_one(out, o->quantize, read_quantize));
    VV_TRY(read_one(out, o->unlimited, read_unlimited));
    VV_TRY(read_one(out, o->writer, read_writer));
    return read_one(out, o->format, read_format);
}

void vv_encoding_free(vv_encoding *e)
{
    for (int i = 0; i < e->n_chunks; i++) free(e->chunk[i].dim);
    free(e->chunk);
    free(e->unlimited);
    *e = (vv_encoding){0};
}

/* --- chunks --- */

static vv_index wished(const vv_encoding *e, const char *dim)
{
    for (int i = 0; i < e->n_chunks; i++)
        if (!strcmp(e->chunk[i].dim, dim)) return e->chunk[i].length;
    return 0;
}

bool vv_encoding_has_chunks(const vv_encoding *e, char *const dim[], int nd)
{
    if (nd > 0 && e->automatic_chunks) return true;
    for (int d = 0; d < nd; d++)
        if (wished(e, dim[d])) return true;
    return false;
}

static void chunks_as_said(const vv_encoding *e, char *const dim[], const vv_shape *shape, vv_bytes size,
                           vv_index chunk[])
{
    vv_bytes bytes = size;
    for (int d = 0; d < shape->nd; d++) {
        vv_index n = vv_imax(1, shape->n[d]), wish = wished(e, dim[d]);
        chunk[d] = wish < 0 ? n : vv_imin(wish, n);
        if (chunk[d]) bytes = vv_times(bytes, chunk[d]);
    }
    for (int d = shape->nd - 1; d >= 0; d--) {
        if (chunk[d]) continue;
        chunk[d] = vv_imax(1, vv_imin(shape->n[d], MOST_CHUNK / vv_imin(bytes, MOST_CHUNK)));
        bytes = vv_times(bytes, chunk[d]);
    }
}

/* `pieces` cuts, shared evenly by dimensions first .. last - 1; what a short dimension cannot take goes to the others. */
static void cut_evenly(const vv_shape *shape, int first, int last, double pieces, vv_index chunk[])
{
    for (int left = last - first, d = first; d < last; d++, left--) {
        double n = (double)vv_imax(1, shape->n[d]), cuts = fmin(n, fmax(1, pow(pieces, 1.0 / left)));
        chunk[d] = vv_imax(1, (vv_index)ceil(n / round(cuts)));
        pieces = fmax(1, pieces / round(cuts));
    }
}

static void chunks_for_readers(const vv_shape *shape, vv_bytes size, vv_index chunk[])
{
    double chunks = fmax(1, (double)size * (double)vv_shape_elements(shape) / GOOD_CHUNK);
    if (shape->nd == 1) {
        cut_evenly(shape, 0, 1, chunks, chunk);
        return;
    }
    cut_evenly(shape, 1, shape->nd, sqrt(chunks), chunk);
    double inner = (double)size;
    for (int d = 1; d < shape->nd; d++) inner *= (double)chunk[d];
    double rows = fmax(1, floor(GOOD_CHUNK / inner));
    chunk[0] = vv_imax(1, vv_imin(shape->n[0], (vv_index)rows));
}

void vv_encoding_chunks(const vv_encoding *e, char *const dim[], const vv_shape *shape, vv_bytes size, vv_index chunk[])
{
    if (e->automatic_chunks)
        chunks_for_readers(shape, size, chunk);
    else
        chunks_as_said(e, dim, shape, size, chunk);
}

/* --- dimensions --- */

static bool in_list(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = list; *at; at += strspn(at, ",")) {
        size_t word = strcspn(at, ",");
        if (word == n && !memcmp(at, name, n)) return true;
        at += word;
    }
    return false;
}

bool vv_encoding_unlimited(const vv_encoding *e, const char *dim, bool otherwise)
{
    return e->unlimited ? in_list(e->unlimited, dim) : otherwise;
}

static vv_status unknown_dim(const vv_meta *m, const char *option, const char *name)
{
    char all[512] = "";
    for (int d = 0; d < m->n_dims; d++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", d ? ", " : "", m->dim[d].name);
    return vv_fail(VV_ERR_USAGE, "%s: the output has no dimension '%s'; it has %s", option, name, *all ? all : "none");
}

vv_status vv_encoding_check(const vv_encoding *e, const vv_meta *m)
{
    for (int i = 0; i < e->n_chunks; i++)
        if (vv_meta_find_dim(m, e->chunk[i].dim) < 0) return unknown_dim(m, "chunks", e->chunk[i].dim);
    for (const char *at = e->unlimited; at && *at; at += strspn(at, ",")) {
        char name[256];
        size_t n = strcspn(at, ",");
        snprintf(name, sizeof name, "%.*s", (int)vv_imin((vv_index)n, 255), at);
        if (n > 0 && vv_meta_find_dim(m, name) < 0) return unknown_dim(m, "unlimited", name);
        at += n;
    }
    return VV_OK;
}

/* --- types --- */

vv_dtype vv_encoding_type(const vv_encoding *e, vv_dtype type)
{
    if (e->type == VV_NONE || vv_dtype_is_complex(type) != vv_dtype_is_complex(e->type)) return type;
    return e->packed && !vv_dtype_is_float(type) ? type : e->type;
}

/* The least and the greatest code. The one that is left stands for missing values. */
static void codes(vv_dtype type, double *low, double *high)
{
    double values = pow(2, 8 * (double)vv_dtype_size(type));
    bool is_signed = vv_dtype_kind(type) == 'i';
    *low = is_signed ? 1 - values / 2 : 0;
    *high = is_signed ? values / 2 - 1 : values - 2;
}

void vv_encoding_pack_range(vv_dtype type, double low, double high, double *scale, double *offset)
{
    double least, most;
    codes(type, &least, &most);
    *scale = 1;
    *offset = 0;
    if (!isfinite(low) || !isfinite(high)) return; /* nothing but missing values */
    *scale = high > low ? (high - low) / (most - least) : 1;
    *offset = high > low ? low - least * *scale : low;
}

void vv_encoding_fill(vv_dtype type, bool packed, void *element)
{
    double low, high;
    codes(type, &low, &high);
    if (packed)
        vv_dtype_store(type, element, vv_dtype_kind(type) == 'i' ? low - 1 : high + 1);
    else
        vv_default_fill(type, element);
}
