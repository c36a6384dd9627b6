/* HDF5's registered filter 32015, so that HDF5 itself reads and writes chunks that are compressed with zstd: whatever takes its own path needs no plug-in.
 * The frames are those of the plug-in (github.com/aparamon/HDF5Plugin-Zstandard): one for a chunk, with its length in front. */
#include "storage/hdf5/lib.h"

#include <stdlib.h>
#include <zstd.h>

static size_t compress(unsigned level, size_t n, size_t *size, void **data)
{
    size_t room = ZSTD_compressBound(n);
    void *out = malloc(room);
    size_t done = out ? ZSTD_compress(out, room, *data, n, (int)level) : 0;
    if (!out || ZSTD_isError(done)) {
        free(out);
        return 0;
    }
    free(*data);
    *data = out;
    *size = room;
    return done;
}

/* A damaged frame may claim any length; HDF5 itself checks that of the chunk afterwards. */
static size_t decompress(size_t n, size_t *size, void **data)
{
    static const unsigned long long MOST = 1ULL << 32;
    unsigned long long length = ZSTD_getFrameContentSize(*data, n);
    if (length == ZSTD_CONTENTSIZE_UNKNOWN || length == ZSTD_CONTENTSIZE_ERROR || length > MOST) return 0;
    void *out = malloc(length ? (size_t)length : 1);
    size_t done = out ? ZSTD_decompress(out, (size_t)length, *data, n) : 0;
    if (!out || ZSTD_isError(done) || done != (size_t)length) {
        free(out);
        return 0;
    }
    free(*data);
    *data = out;
    *size = (size_t)length;
    return done;
}

/* 0 is a failure to HDF5. */
static size_t filter(unsigned flags, size_t n_values, const unsigned values[], size_t n, size_t *size, void **data)
{
    if (flags & H5Z_FLAG_REVERSE) return decompress(n, size, data);
    return compress(n_values > 0 ? values[0] : 0, n, size, data);
}

vv_status vv_h5_zstd_register(void)
{
    static const H5Z_class2_t zstd = {.version = H5Z_CLASS_T_VERS,
                                      .id = VV_H5_ZSTD,
                                      .encoder_present = 1,
                                      .decoder_present = 1,
                                      .name = "zstd",
                                      .filter = filter};
    if (H5Zregister(&zstd) >= 0) return VV_OK;
    return vv_fail(VV_ERR_RUN, "HDF5 does not take the zstd filter: %s", vv_h5_reason());
}
