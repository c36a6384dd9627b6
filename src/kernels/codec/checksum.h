/* A checksum of 64 bits against damage, of what is kept on a disk for a while and read back. It is not meant to withstand anybody.
 *
 * 32 sums side by side take a word of 8 bytes each in turn: exclusive or, then a step of a multiply-with-carry generator, which no two states share the outcome of. So damage within one
 * word is always found, and several damaged words but for one case in 2^64 or so. All of it vectorises: it runs at the speed at which the cache hands over the bytes.
 *
 *     vv_checksum_begin(&c);
 *     while (...) vv_checksum_add(&c, piece, size);       the same as of all pieces one behind the other
 *     sum = vv_checksum_end(&c); */
#ifndef VV_KERNELS_CODEC_CHECKSUM_H
#define VV_KERNELS_CODEC_CHECKSUM_H

#include "varve/types.h"

#include <stdint.h>

enum { VV_CHECKSUM_LANES = 32, VV_CHECKSUM_BLOCK = 8 * VV_CHECKSUM_LANES };

typedef struct vv_checksum {
    uint64_t lane[VV_CHECKSUM_LANES];
    vv_bytes size;                /* of all so far */
    char rest[VV_CHECKSUM_BLOCK]; /* size % VV_CHECKSUM_BLOCK bytes that fill no block yet */
} vv_checksum;

void vv_checksum_begin(vv_checksum *c);
void vv_checksum_add(vv_checksum *c, const void *data, vv_bytes size);
uint64_t vv_checksum_end(vv_checksum *c);
uint64_t vv_checksum_of(const void *data, vv_bytes size);

#endif
