#include "kernels/codec/own.h"

#include "base/fault.h"
#include "base/mem.h"

#include <stdlib.h>

vv_status vv_codec_new(vv_codec **out)
{
    return vv_new(out, 1, sizeof **out);
}

void vv_codec_free(vv_codec **codec)
{
    if (!*codec) return;
    libdeflate_free_decompressor((*codec)->inflater);
    ZSTD_freeDCtx((*codec)->unzstd);
    vv_codec_free_deflate(*codec);
    free(*codec);
    *codec = NULL;
}

vv_status vv_inflate(vv_codec *codec, const void *in, vv_bytes size, void *out, vv_bytes expected)
{
    VV_TRY(vv_fault(VV_FAULT_INFLATE));
    if (!codec->inflater) codec->inflater = libdeflate_alloc_decompressor();
    if (!codec->inflater) return vv_fail(VV_ERR_NOMEM, "no memory for a decompressor");
    switch (libdeflate_zlib_decompress(codec->inflater, in, (size_t)size, out, (size_t)expected, NULL)) {
    case LIBDEFLATE_SUCCESS: return VV_OK;
    case LIBDEFLATE_SHORT_OUTPUT:
        return vv_fail(VV_ERR_CORRUPT, "compressed data ends before %lld bytes", (long long)expected);
    case LIBDEFLATE_INSUFFICIENT_SPACE:
        return vv_fail(VV_ERR_CORRUPT, "compressed data holds more than %lld bytes", (long long)expected);
    default: return vv_fail(VV_ERR_CORRUPT, "%lld bytes of compressed data are damaged", (long long)size);
    }
}

vv_status vv_unzstd(vv_codec *codec, const void *in, vv_bytes size, void *out, vv_bytes expected)
{
    VV_TRY(vv_fault(VV_FAULT_INFLATE));
    if (!codec->unzstd) codec->unzstd = ZSTD_createDCtx();
    if (!codec->unzstd) return vv_fail(VV_ERR_NOMEM, "no memory for a decompressor");
    size_t n = ZSTD_decompressDCtx(codec->unzstd, out, (size_t)expected, in, (size_t)size);
    if (ZSTD_isError(n))
        return vv_fail(VV_ERR_CORRUPT, "%lld bytes of zstd data are damaged: %s", (long long)size,
                       ZSTD_getErrorName(n));
    if ((vv_bytes)n == expected) return VV_OK;
    return vv_fail(VV_ERR_CORRUPT, "zstd data ends before %lld bytes", (long long)expected);
}

static uint32_t fold16(uint32_t sum)
{
    return (sum & 0xffff) + (sum >> 16);
}

/* Sums of big-endian 16-bit words; 360 of them is what 32 bits hold before the carries must be folded back. */
uint32_t vv_fletcher32(const void *data, vv_bytes size)
{
    const unsigned char *p = data;
    uint32_t one = 0, two = 0;
    for (vv_bytes words = size / 2; words > 0;) {
        int some = words > 360 ? 360 : (int)words;
        words -= some;
        for (; some > 0; some--, p += 2) {
            one += (uint32_t)p[0] << 8 | p[1];
            two += one;
        }
        one = fold16(one);
        two = fold16(two);
    }
    if (size % 2) {
        one = fold16(one + ((uint32_t)*p << 8));
        two = fold16(two + one);
    }
    return fold16(two) << 16 | fold16(one);
}

/* HDF5 before 1.6.3 wrote the sum with the bytes of each half swapped on some machines, and still accepts it; so do we. */
static uint32_t swap_halves(uint32_t v)
{
    return (v & 0x00ff00ff) << 8 | (v >> 8 & 0x00ff00ff);
}

vv_status vv_fletcher32_check(const void *data, vv_bytes *size)
{
    if (*size < 4) return vv_fail(VV_ERR_CORRUPT, "no room for a checksum in %lld bytes", (long long)*size);
    const unsigned char *at = (const unsigned char *)data + *size - 4;
    uint32_t stored = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
    uint32_t found = vv_fletcher32(data, *size - 4);
    if (found != stored && swap_halves(found) != stored)
        return vv_fail(VV_ERR_CORRUPT, "checksum is %08x, should be %08x", found, stored);
    *size -= 4;
    return VV_OK;
}
