#include "kernels/checksum.h"

#include "kernels/clones.h"

#include <string.h>

enum { LANES = VV_CHECKSUM_LANES, BLOCK = VV_CHECKSUM_BLOCK };

/* A multiplier for which the generator's period is as long as it can be. */
static const uint64_t multiplier = 0xffffda61u;

VV_KERNEL void add_body(vv_index blocks, const char *data, uint64_t *lanes)
{
    uint64_t lane[LANES], word[LANES];
    memcpy(lane, lanes, sizeof lane);
    for (vv_index b = 0; b < blocks; b++) {
        memcpy(word, data + b * BLOCK, sizeof word);
        for (int i = 0; i < LANES; i++) {
            uint64_t x = lane[i] ^ word[i];
            lane[i] = (x & 0xffffffffu) * multiplier + (x >> 32);
        }
    }
    memcpy(lanes, lane, sizeof lane);
}
VV_CLONES(add, add_body, (vv_index blocks, const char *data, uint64_t *lanes), (blocks, data, lanes))

void vv_checksum_begin(vv_checksum *c)
{
    c->size = 0;
    for (int i = 0; i < LANES; i++) c->lane[i] = (uint64_t)(i + 1) * 0x9e3779b97f4a7c15u;
}

void vv_checksum_add(vv_checksum *c, const void *data, vv_bytes size)
{
    const char *at = data;
    vv_bytes held = c->size % BLOCK;
    c->size += size;
    if (held > 0) {
        vv_bytes n = size < BLOCK - held ? size : BLOCK - held;
        memcpy(c->rest + held, at, (size_t)n);
        if (held + n < BLOCK) return;
        add[vv_cpu()](1, c->rest, c->lane);
        at += n;
        size -= n;
    }
    add[vv_cpu()](size / BLOCK, at, c->lane);
    memcpy(c->rest, at + size / BLOCK * BLOCK, (size_t)(size % BLOCK));
}

uint64_t vv_checksum_end(vv_checksum *c)
{
    static const uint64_t factor = 0x9e3779b97f4a7c15u;
    vv_bytes held = c->size % BLOCK;
    uint64_t sum = (uint64_t)c->size;
    memset(c->rest + held, 0, (size_t)(BLOCK - held));
    if (held > 0) add[vv_cpu()](1, c->rest, c->lane);
    for (int i = 0; i < LANES; i++) {
        sum = (sum ^ c->lane[i]) * factor;
        sum ^= sum >> 29;
    }
    return sum;
}

uint64_t vv_checksum_of(const void *data, vv_bytes size)
{
    vv_checksum c;
    vv_checksum_begin(&c);
    vv_checksum_add(&c, data, size);
    return vv_checksum_end(&c);
}
