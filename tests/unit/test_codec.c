#include "base/fault.h"
#include "kernels/codec/codec.h"
#include "kernels/cpu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include <cmocka.h>

static unsigned char *random_bytes(size_t n, int distinct)
{
    unsigned char *p = malloc(n + 1);
    assert_non_null(p);
    for (size_t i = 0; i < n; i++) p[i] = (unsigned char)(rand() % distinct);
    return p;
}

static void deflate_and_inflate_give_the_bytes_back(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 17, 1000, 65537, 300000};
    vv_codec *c;
    assert_int_equal(vv_codec_new(&c), VV_OK);
    for (int level = 0; level <= 9; level++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            unsigned char *in = random_bytes(sizes[s], 17), *back = malloc(sizes[s] + 1);
            vv_bytes bound = vv_deflate_bound((vv_bytes)sizes[s]), size;
            void *packed = malloc((size_t)bound);
            assert_int_equal(vv_deflate(c, level, in, (vv_bytes)sizes[s], packed, bound, &size), VV_OK);
            assert_true(size > 0 && size <= bound);
            if (level > 0 && sizes[s] >= 1000) assert_true(size < (vv_bytes)sizes[s]);
            if (level == 0) assert_true(size > (vv_bytes)sizes[s]);
            assert_int_equal(vv_inflate(c, packed, size, back, (vv_bytes)sizes[s]), VV_OK);
            assert_memory_equal(in, back, sizes[s]);
            free(in), free(back), free(packed);
        }
    vv_codec_free(&c);
    assert_null(c);
    vv_codec_free(&c);
}

static void zstd_gives_the_bytes_back(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 17, 65537, 300000};
    vv_codec *c;
    assert_int_equal(vv_codec_new(&c), VV_OK);
    for (int level = 1; level <= VV_ZSTD_MOST; level += 3)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            unsigned char *in = random_bytes(sizes[s], 17), *back = malloc(sizes[s] + 1);
            vv_bytes bound = vv_zstd_bound((vv_bytes)sizes[s]), size;
            void *packed = malloc((size_t)bound);
            assert_int_equal(vv_zstd(c, level, in, (vv_bytes)sizes[s], packed, bound, &size), VV_OK);
            assert_true(ZSTD_getFrameContentSize(packed, (size_t)size) == sizes[s]);
            assert_true(ZSTD_decompress(back, sizes[s], packed, (size_t)size) == sizes[s]);
            assert_memory_equal(in, back, sizes[s]);
            free(in), free(back), free(packed);
        }
    vv_bytes size;
    char out[16];
    assert_int_equal(vv_zstd(c, 0, "abc", 3, out, sizeof out, &size), VV_ERR_USAGE);
    assert_int_equal(vv_zstd(c, 20, "abc", 3, out, sizeof out, &size), VV_ERR_USAGE);
    assert_int_equal(vv_zstd(c, 1, "abc", 3, out, 2, &size), VV_ERR_INTERNAL);
    vv_codec_free(&c);
}

/* Level 1 may be another library's: streams of any content, also such that do not get smaller, in exactly the room that is promised. */
static void fast_deflate_keeps_its_bound(void **state)
{
    (void)state;
    vv_codec *c;
    assert_int_equal(vv_codec_new(&c), VV_OK);
    for (int distinct = 1; distinct <= 256; distinct += 51)
        for (size_t n = 0; n < 200000; n = n * 3 + 1) {
            unsigned char *in = random_bytes(n, distinct), *back = malloc(n + 1);
            vv_bytes bound = vv_deflate_bound((vv_bytes)n), size;
            unsigned char *packed = malloc((size_t)bound);
            assert_int_equal(vv_deflate(c, 1, in, (vv_bytes)n, packed, bound, &size), VV_OK);
            assert_int_equal(vv_inflate(c, packed, size, back, (vv_bytes)n), VV_OK);
            assert_memory_equal(in, back, n);
            free(in), free(back), free(packed);
        }
    vv_codec_free(&c);
}

/* Frames of zstd's own making; whatever is cut, too long or changed is found. */
static void zstd_is_undone(void **state)
{
    (void)state;
    enum { N = 100000 };
    vv_codec *c;
    assert_int_equal(vv_codec_new(&c), VV_OK);
    unsigned char *in = random_bytes(N, 17), *back = malloc(N + 1);
    size_t bound = ZSTD_compressBound(N);
    unsigned char *packed = malloc(bound);
    size_t n = ZSTD_compress(packed, bound, in, N, 3);
    assert_false(ZSTD_isError(n));
    vv_bytes size = (vv_bytes)n;
    assert_int_equal(vv_unzstd(c, packed, size, back, N), VV_OK);
    assert_memory_equal(in, back, N);
    assert_int_equal(vv_unzstd(c, packed, size, back, N - 1), VV_ERR_CORRUPT);
    assert_int_equal(vv_unzstd(c, packed, size, back, N + 1), VV_ERR_CORRUPT);
    assert_int_equal(vv_unzstd(c, packed, size - 1, back, N), VV_ERR_CORRUPT);
    assert_int_equal(vv_unzstd(c, packed, 0, back, N), VV_ERR_CORRUPT);
    packed[0] ^= 1;
    assert_int_equal(vv_unzstd(c, packed, size, back, N), VV_ERR_CORRUPT);
    free(in), free(back), free(packed);
    vv_codec_free(&c);
}

static void damage_is_found(void **state)
{
    (void)state;
    enum { N = 5000 };
    vv_codec *c;
    assert_int_equal(vv_codec_new(&c), VV_OK);
    unsigned char *in = random_bytes(N, 5), out[N + 1], packed[2 * N];
    vv_bytes size;
    assert_int_equal(vv_deflate(c, 4, in, N, packed, sizeof packed, &size), VV_OK);
    assert_int_equal(vv_inflate(c, packed, size, out, N + 1), VV_ERR_CORRUPT);
    assert_non_null(strstr(vv_last_error(), "ends before"));
    assert_int_equal(vv_inflate(c, packed, size, out, N - 1), VV_ERR_CORRUPT);
    assert_non_null(strstr(vv_last_error(), "more than"));
    assert_int_equal(vv_inflate(c, packed, size / 2, out, N), VV_ERR_CORRUPT);
    assert_int_equal(vv_inflate(c, packed, 0, out, N), VV_ERR_CORRUPT);
    for (int trial = 0; trial < 200; trial++) {
        vv_bytes at = rand() % size;
        unsigned char bit = (unsigned char)(1 << rand() % 8);
        packed[at] ^= bit;
        vv_status s = vv_inflate(c, packed, size, out, N);
        assert_true(s == VV_ERR_CORRUPT || !memcmp(in, out, N)); /* some bits of the header mean nothing */
        packed[at] ^= bit;
    }
    assert_int_equal(vv_deflate(c, 4, in, N, packed, 100, &size), VV_ERR_INTERNAL);
    assert_int_equal(vv_deflate(c, 10, in, N, packed, sizeof packed, &size), VV_ERR_USAGE);
    free(in);
    vv_codec_free(&c);
}

static void planted_faults_fail(void **state)
{
    (void)state;
    vv_codec *c;
    char data[64] = {0}, packed[200];
    vv_bytes size;
    assert_int_equal(vv_codec_new(&c), VV_OK);
    setenv("VV_FAULT", "compress:2", 1);
    assert_int_equal(vv_fault_setup(), VV_OK);
    assert_int_equal(vv_deflate(c, 1, data, 64, packed, 200, &size), VV_OK);
    assert_int_equal(vv_deflate(c, 1, data, 64, packed, 200, &size), VV_ERR_FAULT);
    setenv("VV_FAULT", "inflate:1", 1);
    assert_int_equal(vv_fault_setup(), VV_OK);
    assert_int_equal(vv_inflate(c, packed, size, data, 64), VV_ERR_FAULT);
    assert_int_equal(vv_inflate(c, packed, size, data, 64), VV_OK);
    unsetenv("VV_FAULT");
    assert_int_equal(vv_fault_setup(), VV_OK);
    vv_codec_free(&c);
}

/* Sums that HDF5 1.10 (through h5py) stored behind chunks of the bytes 3, 10, 17, ... */
static void fletcher32_is_hdf5s(void **state)
{
    (void)state;
    static const struct {
        int n;
        uint32_t sum;
    } stored[] = {{1, 0x03000300},   {2, 0x030a030a},   {3, 0x1714140a},    {719, 0xacc6d0fe}, {720, 0xad72d1aa},
                  {721, 0x321e84ab}, {722, 0x32d88565}, {1441, 0xc46287d7}, {5000, 0x2c1f3ba1}};
    unsigned char data[5004];
    for (size_t k = 0; k < sizeof stored / sizeof *stored; k++) {
        int n = stored[k].n;
        uint32_t sum = stored[k].sum;
        for (int i = 0; i < n; i++) data[i] = (unsigned char)(i * 7 + 3);
        assert_int_equal(vv_fletcher32(data, n), sum);
        for (int i = 0; i < 4; i++) data[n + i] = (unsigned char)(sum >> 8 * i);
        vv_bytes size = n + 4;
        assert_int_equal(vv_fletcher32_check(data, &size), VV_OK);
        assert_int_equal(size, n);
        data[n / 2] ^= 4;
        size = n + 4;
        assert_int_equal(vv_fletcher32_check(data, &size), VV_ERR_CORRUPT);
    }
    vv_bytes size = 3;
    assert_int_equal(vv_fletcher32_check(data, &size), VV_ERR_CORRUPT);
}

static void check_shuffle(vv_index total, int size)
{
    size_t bytes = (size_t)(total * size);
    unsigned char *in = random_bytes(bytes, 256), *shuffled = malloc(bytes + 1), *out = malloc(bytes + 1);
    vv_shuffle(in, total, size, shuffled);
    for (vv_index i = 0; i < total; i++)
        for (int b = 0; b < size; b++) assert_int_equal(shuffled[b * total + i], in[i * size + b]);
    for (int trial = 0; trial < 4; trial++) {
        vv_index first = trial ? rand() % (total + 1) : 0, n = trial ? rand() % (total - first + 1) : total;
        memset(out, 0x55, bytes + 1);
        vv_unshuffle_range(shuffled, total, size, first, n, out);
        assert_memory_equal(out, in + first * size, (size_t)(n * size));
        assert_int_equal(out[n * size], 0x55);
    }
    free(in), free(shuffled), free(out);
}

static void shuffle_is_undone_everywhere(void **state)
{
    (void)state;
    vv_cpu_level best = vv_cpu();
    for (int level = 0; level < VV_CPU_LEVELS; level++) {
        if (!vv_cpu_set((vv_cpu_level)level)) continue;
        for (int size = 1; size <= 16; size++) {
            for (vv_index total = 0; total < 70; total++) check_shuffle(total, size);
            check_shuffle(2048, size);
            check_shuffle(4099, size);
        }
    }
    vv_cpu_set(best);
}

static void byteswap_reverses(void **state)
{
    (void)state;
    vv_cpu_level best = vv_cpu();
    for (int level = 0; level < VV_CPU_LEVELS; level++) {
        if (!vv_cpu_set((vv_cpu_level)level)) continue;
        for (int size = 1; size <= 16; size++) {
            vv_index n = rand() % 200;
            unsigned char *in = random_bytes((size_t)(n * size), 256), *out = malloc((size_t)(n * size) + 1);
            memcpy(out, in, (size_t)(n * size));
            vv_byteswap(out, n, size);
            for (vv_index i = 0; i < n; i++)
                for (int b = 0; b < size; b++) assert_int_equal(out[i * size + b], in[i * size + size - 1 - b]);
            free(in), free(out);
        }
    }
    vv_cpu_set(best);
}

static void a_level_that_is_not_there_is_refused(void **state)
{
    (void)state;
    int available = 0;
    for (int level = 0; level < VV_CPU_LEVELS; level++) {
        vv_cpu_level before = vv_cpu();
        bool has = vv_cpu_has((vv_cpu_level)level);
        available += has;
        assert_int_equal(vv_cpu_set((vv_cpu_level)level), has);
        assert_int_equal(vv_cpu(), has ? (vv_cpu_level)level : before);
    }
    assert_true(available >= 1);
}

int main(void)
{
    srand(1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deflate_and_inflate_give_the_bytes_back),
        cmocka_unit_test(zstd_gives_the_bytes_back),
        cmocka_unit_test(fast_deflate_keeps_its_bound),
        cmocka_unit_test(zstd_is_undone),
        cmocka_unit_test(damage_is_found),
        cmocka_unit_test(planted_faults_fail),
        cmocka_unit_test(fletcher32_is_hdf5s),
        cmocka_unit_test(shuffle_is_undone_everywhere),
        cmocka_unit_test(byteswap_reverses),
        cmocka_unit_test(a_level_that_is_not_there_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
