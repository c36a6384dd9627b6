/* The writing side of the codecs.
 *
 * Level 1 is for who wants to write fast: ISA-L's deflate is three times as fast as libdeflate's at that level, and compresses climate data as zlib's level 1
 * does. It exists for x86 and arm64 only, so it is optional; without it, and at all other levels, libdeflate does the work.
 *
 * A level is a promise of size: chunks are about as small as zlib makes them at that level, or smaller. libdeflate gets there sooner: its level 2 is beyond
 * zlib's 4 on floats and on packed integers, at more than twice the speed. */
#include "kernels/codec/own.h"

#include "base/fault.h"
#include "base/mem.h"

#include <stdlib.h>

#ifdef VARVE_HAVE_ISAL
#include <isa-l/igzip_lib.h>

struct vv_igzip {
    struct isal_zstream stream;
    uint8_t level[ISAL_DEF_LVL1_DEFAULT];
};

/* *size stays 0 when ISA-L cannot do it. */
static vv_status igzip(vv_codec *codec, const void *in, vv_bytes n, void *out, vv_bytes capacity, vv_bytes *size)
{
    *size = 0;
    if (n > UINT32_MAX || capacity > UINT32_MAX) return VV_OK;
    if (!codec->igzip) VV_TRY(vv_new(&codec->igzip, 1, sizeof *codec->igzip));
    struct isal_zstream *s = &codec->igzip->stream;
    isal_deflate_init(s);
    s->level = 1;
    s->level_buf = codec->igzip->level;
    s->level_buf_size = sizeof codec->igzip->level;
    s->gzip_flag = IGZIP_ZLIB;
    s->end_of_stream = 1;
    s->flush = NO_FLUSH;
    s->next_in = (uint8_t *)(uintptr_t)in;
    s->avail_in = (uint32_t)n;
    s->next_out = out;
    s->avail_out = (uint32_t)capacity;
    if (isal_deflate(s) == COMP_OK && s->internal_state.state == ZSTATE_END) *size = s->total_out;
    return VV_OK;
}
#else
static vv_status igzip(vv_codec *codec, const void *in, vv_bytes n, void *out, vv_bytes capacity, vv_bytes *size)
{
    (void)codec, (void)in, (void)n, (void)out, (void)capacity;
    *size = 0;
    return VV_OK;
}
#endif

void vv_codec_free_deflate(vv_codec *codec)
{
    libdeflate_free_compressor(codec->deflater);
    ZSTD_freeCCtx(codec->zstd);
    free(codec->igzip);
}

vv_bytes vv_deflate_bound(vv_bytes size)
{
    return (vv_bytes)libdeflate_zlib_compress_bound(NULL, (size_t)size);
}

static vv_status use_level(vv_codec *codec, int level)
{
    static const int theirs[] = {0, 1, 1, 2, 2, 4, 6, 7, 8, 9};
    if (level < 0 || level > 9) return vv_fail(VV_ERR_USAGE, "deflate level %d is not one of 0 to 9", level);
    if (codec->deflater && codec->level == level) return VV_OK;
    libdeflate_free_compressor(codec->deflater);
    codec->deflater = libdeflate_alloc_compressor(theirs[level]);
    codec->level = level;
    return codec->deflater ? VV_OK : vv_fail(VV_ERR_NOMEM, "no memory for a compressor of level %d", level);
}

vv_status vv_deflate(vv_codec *codec, int level, const void *in, vv_bytes n, void *out, vv_bytes capacity,
                     vv_bytes *size)
{
    VV_TRY(vv_fault(VV_FAULT_COMPRESS));
    *size = 0;
    if (level == 1) VV_TRY(igzip(codec, in, n, out, capacity, size));
    if (*size) return VV_OK;
    VV_TRY(use_level(codec, level));
    *size = (vv_bytes)libdeflate_zlib_compress(codec->deflater, in, (size_t)n, out, (size_t)capacity);
    if (*size) return VV_OK;
    return vv_fail(VV_ERR_INTERNAL, "%lld bytes do not compress into %lld", (long long)n, (long long)capacity);
}

vv_bytes vv_zstd_bound(vv_bytes size)
{
    return (vv_bytes)ZSTD_compressBound((size_t)size);
}

vv_status vv_zstd(vv_codec *codec, int level, const void *in, vv_bytes n, void *out, vv_bytes capacity, vv_bytes *size)
{
    VV_TRY(vv_fault(VV_FAULT_COMPRESS));
    if (level < 1 || level > VV_ZSTD_MOST)
        return vv_fail(VV_ERR_USAGE, "zstd level %d is not one of 1 to %d", level, VV_ZSTD_MOST);
    if (!codec->zstd) codec->zstd = ZSTD_createCCtx();
    if (!codec->zstd) return vv_fail(VV_ERR_NOMEM, "no memory for a zstd compressor");
    size_t done = ZSTD_compressCCtx(codec->zstd, out, (size_t)capacity, in, (size_t)n, level);
    if (ZSTD_isError(done))
        return vv_fail(VV_ERR_INTERNAL, "%lld bytes do not compress into %lld: %s", (long long)n, (long long)capacity,
                       ZSTD_getErrorName(done));
    *size = (vv_bytes)done;
    return VV_OK;
}
