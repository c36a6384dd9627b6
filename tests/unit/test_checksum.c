/* The checksum: the same for any cutting into pieces and any instruction set, another one for any damage. */
#include "kernels/codec/checksum.h"

#include "kernels/cpu.h"
#include "scratch.h"

#include <string.h>

enum { N = 3000 };
static unsigned char data[N];

static void make_data(void)
{
    uint32_t x = 1;
    for (int i = 0; i < N; i++) data[i] = (unsigned char)((x = x * 1664525u + 1013904223u) >> 24);
}

/* As the header tells it, one word after the other. */
static uint64_t plainly(const unsigned char *bytes, vv_bytes size)
{
    uint64_t lane[VV_CHECKSUM_LANES], word, sum = (uint64_t)size;
    vv_bytes whole = (size + VV_CHECKSUM_BLOCK - 1) / VV_CHECKSUM_BLOCK * VV_CHECKSUM_BLOCK;
    for (int i = 0; i < VV_CHECKSUM_LANES; i++) lane[i] = (uint64_t)(i + 1) * 0x9e3779b97f4a7c15u;
    for (vv_bytes at = 0; at < whole; at += 8) {
        unsigned char eight[8] = {0};
        for (int i = 0; i < 8 && at + i < size; i++) eight[i] = bytes[at + i];
        memcpy(&word, eight, 8);
        uint64_t x = lane[at / 8 % VV_CHECKSUM_LANES] ^ word;
        lane[at / 8 % VV_CHECKSUM_LANES] = (x & 0xffffffffu) * 0xffffda61u + (x >> 32);
    }
    for (int i = 0; i < VV_CHECKSUM_LANES; i++) {
        sum = (sum ^ lane[i]) * 0x9e3779b97f4a7c15u;
        sum ^= sum >> 29;
    }
    return sum;
}

static void same_on_every_instruction_set(void **state)
{
    (void)state;
    vv_cpu_level before = vv_cpu();
    for (int level = 0; level < VV_CPU_LEVELS; level++) {
        if (!vv_cpu_set((vv_cpu_level)level)) continue;
        for (vv_bytes n = 0; n < N; n += n < 600 ? 1 : 97) assert_true(vv_checksum_of(data, n) == plainly(data, n));
    }
    assert_true(vv_cpu_set(before));
}

static void same_in_pieces(void **state)
{
    (void)state;
    uint32_t x = 7;
    for (int round = 0; round < 300; round++) {
        vv_checksum c;
        vv_checksum_begin(&c);
        for (vv_bytes at = 0; at < N;) {
            vv_bytes n = (x = x * 1664525u + 1013904223u) >> (round % 3 ? 22 : 28);
            if (n > N - at) n = N - at;
            vv_checksum_add(&c, data + at, n);
            at += n;
        }
        assert_true(vv_checksum_end(&c) == vv_checksum_of(data, N));
    }
}

static void damage_is_found(void **state)
{
    (void)state;
    uint64_t whole = vv_checksum_of(data, N);
    for (int i = 0; i < N; i++)
        for (int bit = 0; bit < 8; bit++) {
            data[i] ^= (unsigned char)(1 << bit);
            assert_true(vv_checksum_of(data, N) != whole);
            data[i] ^= (unsigned char)(1 << bit);
        }
    /* Pieces that changed places, zeros where a page is missing, zeros of another length. */
    unsigned char other[N];
    memcpy(other, data, N);
    memcpy(other + 256, data + 512, 256);
    memcpy(other + 512, data + 256, 256);
    assert_true(vv_checksum_of(other, N) != whole);
    memcpy(other, data, N);
    memcpy(other + 8, data + 16, 8);
    memcpy(other + 16, data + 8, 8);
    assert_true(vv_checksum_of(other, N) != whole);
    memcpy(other, data, N);
    memset(other + 1024, 0, 512);
    assert_true(vv_checksum_of(other, N) != whole);
    memset(other, 0, N);
    for (vv_bytes n = 1; n < N; n++) assert_true(vv_checksum_of(other, n) != vv_checksum_of(other, n - 1));
}

int main(void)
{
    make_data();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_on_every_instruction_set),
        cmocka_unit_test(same_in_pieces),
        cmocka_unit_test(damage_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
