/* Chunk codecs: what stands between the bytes in a file and elements in memory.
 *
 * A chunk of n elements of size s is stored as deflate(shuffle(elements)), or zstd in its place, optionally with a Fletcher-32 sum behind either. Shuffle puts
 * byte 0 of all elements first, then byte 1 of all, and so on. Inflating fills one buffer; shuffled bytes are not turned
 * back there: readers take them through vv_unshuffle_range() in cache-sized pieces (see decode.h). All functions are serial and hold no
 * global state; a vv_codec is one thread's workspace. */
#ifndef VV_KERNELS_CODEC_H
#define VV_KERNELS_CODEC_H

#include "base/status.h"

typedef struct vv_codec vv_codec;

VV_WARN_UNUSED vv_status vv_codec_new(vv_codec **out);
void vv_codec_free(vv_codec **codec);

/* zlib stream of `size` bytes into exactly `expected` bytes; VV_ERR_CORRUPT with the reason otherwise (a bad stream, too short, too long). */
VV_WARN_UNUSED vv_status vv_inflate(vv_codec *codec, const void *in, vv_bytes size, void *out, vv_bytes expected);

/* The same for a Zstandard frame. */
VV_WARN_UNUSED vv_status vv_unzstd(vv_codec *codec, const void *in, vv_bytes size, void *out, vv_bytes expected);

/* Upper bound of the deflated size, and deflating at level 0..9 (0 stores); *size gets the result's bytes. Level 1 is ISA-L's where it was built in. */
vv_bytes vv_deflate_bound(vv_bytes size);
VV_WARN_UNUSED vv_status vv_deflate(vv_codec *codec, int level, const void *in, vv_bytes n, void *out,
                                    vv_bytes capacity, vv_bytes *size);

/* The same with zstd, level 1..19: a frame that says how long its content is, as HDF5's filter 32015 wants it. */
enum { VV_ZSTD_LEVEL = 3, VV_ZSTD_MOST = 19 };
vv_bytes vv_zstd_bound(vv_bytes size);
VV_WARN_UNUSED vv_status vv_zstd(vv_codec *codec, int level, const void *in, vv_bytes n, void *out, vv_bytes capacity,
                                 vv_bytes *size);

/* Fletcher-32 as HDF5 computes it; checks and strips the 4 bytes behind `*size`. */
enum { VV_SUM_BYTES = 4 };
uint32_t vv_fletcher32(const void *data, vv_bytes size);
VV_WARN_UNUSED vv_status vv_fletcher32_check(const void *data, vv_bytes *size);

/* Elements [first, first + n) of a shuffled chunk of `total` elements of `size` bytes, into out (n * size bytes). */
void vv_unshuffle_range(const void *in, vv_index total, int size, vv_index first, vv_index n, void *out);
void vv_shuffle(const void *in, vv_index total, int size, void *out);

/* Reverses the bytes of n elements in place. */
void vv_byteswap(void *data, vv_index n, int size);
/* The same from one place to another; they do not overlap. */
void vv_byteswap_copy(const void *from, vv_index n, int size, void *to);

#endif
