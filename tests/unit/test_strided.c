#include "kernels/strided.h"

#include "base/index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const vv_bytes sizes[] = {1, 2, 4, 8, 16};
enum { N_SIZES = 5, GUARD = 64 };

/* A side of a copy: strides of some box and the elements that it reaches, `first` the place of position 0 in them. */
typedef struct side {
    vv_index stride[VV_MAX_DIMS], first, elements;
    unsigned char *data;
} side;

/* Random nested strides in a random order of dimensions, with gaps and flips; broadcasts where they are allowed. */
static void random_strides(int nd, const vv_index n[], bool broadcast, bool gaps, side *s)
{
    int order[VV_MAX_DIMS];
    for (int d = 0; d < nd; d++) order[d] = d;
    for (int d = nd - 1; d > 0; d--) {
        int other = rand() % (d + 1), t = order[d];
        order[d] = order[other];
        order[other] = t;
    }
    *s = (side){.elements = 1};
    vv_index stride = gaps ? 1 + rand() % 3 : 1;
    for (int k = 0; k < nd; k++) {
        int d = order[k];
        s->stride[d] = stride;
        stride = stride * vv_imax(n[d], 1) + (gaps && rand() % 2 ? rand() % 5 : 0);
        if (broadcast && rand() % 4 == 0) s->stride[d] = 0;
        vv_index reach = s->stride[d] * (vv_imax(n[d], 1) - 1);
        if (gaps && rand() % 3 == 0) {
            s->stride[d] = -s->stride[d];
            s->first += reach;
        }
        s->elements += reach;
    }
}

static void fill(side *s, vv_bytes size)
{
    s->data = malloc((size_t)(s->elements * size + GUARD));
    assert_non_null(s->data);
    for (vv_index i = 0; i < s->elements * size + GUARD; i++) s->data[i] = (unsigned char)(rand() >> 3);
}

static void naive(int nd, const vv_index n[], vv_bytes size, const side *from, unsigned char *to, const side *t)
{
    vv_index at[VV_MAX_DIMS] = {0};
    for (int d = 0; d < nd; d++)
        if (n[d] == 0) return;
    do {
        vv_index f = from->first, p = t->first;
        for (int d = 0; d < nd; d++) {
            f += at[d] * from->stride[d];
            p += at[d] * t->stride[d];
        }
        memcpy(to + p * size, from->data + f * size, (size_t)size);
    } while (vv_odometer(nd, n, at));
}

static void check_copy(int nd, const vv_index n[], vv_bytes size, bool gaps)
{
    side from, to;
    random_strides(nd, n, gaps, gaps, &from);
    random_strides(nd, n, false, gaps, &to);
    fill(&from, size);
    fill(&to, size);
    size_t bytes = (size_t)(to.elements * size + GUARD);
    unsigned char *expected = malloc(bytes);
    assert_non_null(expected);
    memcpy(expected, to.data, bytes);
    naive(nd, n, size, &from, expected, &to);
    vv_box_copy(nd, n, size, from.data + from.first * size, from.stride, to.data + to.first * size, to.stride);
    assert_memory_equal(to.data, expected, bytes);
    free(expected);
    free(from.data);
    free(to.data);
}

static void random_boxes_arrive_whole_and_touch_nothing_else(void **state)
{
    (void)state;
    srand(1);
    for (int round = 0; round < 3000; round++) {
        int nd = rand() % 6;
        vv_index n[VV_MAX_DIMS];
        for (int d = 0; d < nd; d++) n[d] = rand() % 40 == 0 ? 0 : rand() % 5 == 0 ? 1 : 1 + rand() % 9;
        check_copy(nd, n, sizes[rand() % N_SIZES], rand() % 4 != 0);
    }
}

/* Large enough for whole tiles, groups of tiles and all their edges. */
static void transpositions_of_every_size_of_element(void **state)
{
    (void)state;
    srand(2);
    for (int round = 0; round < 60; round++) {
        vv_index n[3] = {1 + rand() % 200, 1 + rand() % 200, 1 + rand() % 4};
        for (int s = 0; s < N_SIZES; s++) check_copy(3, n, sizes[s], rand() % 4 == 0);
    }
    for (int s = 0; s < N_SIZES; s++) check_copy(2, (vv_index[]){600, 70}, sizes[s], false);
}

static void thirty_two_dimensions(void **state)
{
    (void)state;
    srand(3);
    vv_index n[VV_MAX_DIMS];
    for (int round = 0; round < 20; round++) {
        for (int d = 0; d < VV_MAX_DIMS; d++) n[d] = 1 + (rand() % 4 == 0);
        check_copy(VV_MAX_DIMS, n, 4, round % 2);
    }
}

static void tiles_are_gathered(void **state)
{
    (void)state;
    srand(4);
    static const vv_index strides[] = {0, 1, 2, 7, -1, -3};
    for (int round = 0; round < 300; round++) {
        vv_bytes size = sizes[rand() % N_SIZES];
        vv_index n = rand() % 100, stride = strides[rand() % 6];
        side from = {.first = stride < 0 ? -stride * n : 0, .elements = 7 * n + 8};
        fill(&from, size);
        const unsigned char *first = from.data + from.first * size;
        unsigned char *to = calloc((size_t)n + 1, (size_t)size);
        assert_non_null(to);
        vv_tile_gather(size, n, first, stride, to);
        for (vv_index i = 0; i < n; i++) assert_memory_equal(to + i * size, first + i * stride * size, (size_t)size);
        for (vv_bytes b = 0; b < size; b++) assert_int_equal(to[n * size + b], 0);
        free(to);
        free(from.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_boxes_arrive_whole_and_touch_nothing_else),
        cmocka_unit_test(transpositions_of_every_size_of_element),
        cmocka_unit_test(thirty_two_dimensions),
        cmocka_unit_test(tiles_are_gathered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
