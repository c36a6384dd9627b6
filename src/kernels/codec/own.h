/* One thread's workspace, as the two sides of the codecs share it. */
#ifndef VV_KERNELS_CODEC_OWN_H
#define VV_KERNELS_CODEC_OWN_H

#include "kernels/codec/codec.h"

#include <libdeflate.h>
#include <zstd.h>

/* Compressors are made when first needed and kept: a thread compresses at one level for a whole run. */
struct vv_codec {
    struct libdeflate_decompressor *inflater;
    struct libdeflate_compressor *deflater;
    int level; /* of the deflater */
    struct vv_igzip *igzip;
    ZSTD_CCtx *zstd;
    ZSTD_DCtx *unzstd;
};

void vv_codec_free_deflate(vv_codec *codec);

#endif
