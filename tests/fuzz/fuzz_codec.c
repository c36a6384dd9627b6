/* Stored bytes of a chunk: inflate, zstd, checksum, unshuffle, decode; any bytes into a chunk of any small shape. */
#include "fuzz.h"

#include "kernels/codec/codec.h"
#include "kernels/codec/decode.h"

enum { MOST = 4096 };

size_t vv_fuzz_seed(int i, uint8_t *out, size_t room)
{
    vv_codec *codec;
    float values[256];
    unsigned char shuffled[sizeof values];
    vv_bytes n = 0;
    const uint8_t how[8] = {(uint8_t)i, 11, 0, 1, 3, 7, 9, 200};
    if (i >= 4 || vv_codec_new(&codec) != VV_OK) return 0;
    for (int k = 0; k < 256; k++) values[k] = (float)(k % 17);
    vv_shuffle(values, 256, 4, shuffled);
    memcpy(out, how, sizeof how);
    vv_status status = i % 2 ? vv_zstd(codec, 3, shuffled, sizeof shuffled, out + 8, (vv_bytes)room - 8, &n)
                             : vv_deflate(codec, 6, shuffled, sizeof shuffled, out + 8, (vv_bytes)room - 8, &n);
    vv_codec_free(&codec);
    return status == VV_OK ? (size_t)n + 8 : 0;
}

static vv_decode any_decode(vv_fuzz_in *in)
{
    vv_decode d = {.stored = (vv_dtype)(1 + vv_fuzz_take(in, 1) % (VV_C64 - 1)), .scale = 0.5, .offset = 3};
    uint64_t bits = vv_fuzz_take(in, 1);
    bool real = bits & 1;
    d.swap = bits & 2;
    d.shuffled = bits & 4;
    d.out = vv_dtype_is_float(d.stored) || real ? VV_F64 : vv_working_type(d.stored);
    if (d.stored == VV_F32 && bits & 8) d.out = VV_F32;
    if (d.out == VV_F64) {
        d.scaled = bits & 16;
        d.n_missing = (int)(bits >> 5 & 3);
        d.has_min = bits & 128;
    }
    return d;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vv_fuzz_in in = {data, size};
    uint64_t how = vv_fuzz_take(&in, 1);
    vv_decode d = any_decode(&in);
    vv_index total = (vv_index)(vv_fuzz_take(&in, 2) % MOST), first = 0, n = 0;
    if (total) first = (vv_index)vv_fuzz_take(&in, 2) % total;
    if (total) n = (vv_index)vv_fuzz_take(&in, 1) % (total - first + 1);
    vv_bytes bytes = total * vv_dtype_size(d.stored), stored = (vv_bytes)in.size;
    vv_codec *codec;
    unsigned char *chunk = calloc((size_t)bytes + 1, 1), *values = malloc((size_t)n * 16 + 1);
    vv_fuzz_demand(chunk && values && vv_codec_new(&codec) == VV_OK);
    if (how & 4 && vv_fletcher32_check(in.data, &stored) != VV_OK) vv_error_clear();
    vv_status status =
        how & 1 ? vv_unzstd(codec, in.data, stored, chunk, bytes) : vv_inflate(codec, in.data, stored, chunk, bytes);
    if (status != VV_OK) vv_error_clear();
    if (n) vv_decode_range(&d, chunk, total, first, n, values);
    vv_codec_free(&codec);
    free(chunk);
    free(values);
    return 0;
}
