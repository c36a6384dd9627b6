/* n-d arithmetic: grids cover shapes exactly once, numbers and coordinates are inverse, boxes intersect as sets do. */
#include "scratch.h"

#include "base/index.h"

static uint64_t seed = 4242;
static uint64_t draw(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return seed >> 20;
}

static vv_index below(vv_index n)
{
    return (vv_index)(draw() % (uint64_t)n);
}

static void random_grid(vv_grid *g, bool zeros)
{
    g->shape.nd = (int)below(5);
    for (int d = 0; d < g->shape.nd; d++) {
        g->shape.n[d] = zeros && below(6) == 0 ? 0 : 1 + below(8);
        g->chunk[d] = 1 + below(10);
        g->shift[d] = below(3) ? 0 : below(g->chunk[d]);
    }
}

static void test_grid_covers(void **state)
{
    (void)state;
    for (int round = 0; round < 3000; round++) {
        vv_grid g;
        random_grid(&g, true);
        vv_index elements = vv_shape_elements(&g.shape), seen = 0, expected = 1;
        for (int d = 0; d < g.shape.nd; d++) expected *= g.shape.n[d];
        assert_int_equal(elements, expected);
        int *hits = calloc((size_t)elements + 1, sizeof *hits);
        for (vv_index c = 0; c < vv_grid_chunks(&g); c++) {
            vv_index coords[VV_MAX_DIMS], at[VV_MAX_DIMS] = {0};
            vv_box box, same;
            vv_grid_coords(&g, c, coords);
            for (int d = 0; d < g.shape.nd; d++) assert_true(coords[d] >= 0 && coords[d] < vv_grid_count(&g, d));
            assert_int_equal(vv_grid_number(&g, coords), c);
            vv_grid_box(&g, c, &box);
            vv_grid_box_at(&g, coords, &same);
            assert_int_equal(box.nd, g.shape.nd);
            assert_memory_equal(box.lo, same.lo, sizeof box.lo[0] * (size_t)box.nd);
            assert_memory_equal(box.n, same.n, sizeof box.n[0] * (size_t)box.nd);
            assert_true(vv_box_elements(&box) > 0);
            do {
                vv_index linear = 0;
                for (int d = 0; d < box.nd; d++) linear = linear * g.shape.n[d] + box.lo[d] + at[d];
                assert_true(linear < elements);
                hits[linear]++;
                seen++;
            } while (vv_odometer(box.nd, box.n, at));
        }
        assert_int_equal(seen, elements);
        for (vv_index i = 0; i < elements; i++) assert_int_equal(hits[i], 1);
        free(hits);
    }
}

static void test_scalar_and_empty(void **state)
{
    (void)state;
    vv_grid scalar = {0}, empty = {.shape = {2, {0, 5}}, .chunk = {3, 2}};
    assert_int_equal(vv_grid_chunks(&scalar), 1);
    assert_int_equal(vv_shape_elements(&scalar.shape), 1);
    vv_box box;
    vv_grid_box(&scalar, 0, &box);
    assert_int_equal(box.nd, 0);
    assert_int_equal(vv_box_elements(&box), 1);
    assert_int_equal(vv_grid_chunks(&empty), 0);
    assert_int_equal(vv_shape_elements(&empty.shape), 0);
    assert_false(vv_odometer(0, NULL, NULL));
}

static void test_odometer(void **state)
{
    (void)state;
    for (int round = 0; round < 500; round++) {
        vv_index n[4], at[4] = {0}, steps = 1, linear = 0;
        int nd = 1 + (int)below(4);
        for (int d = 0; d < nd; d++) steps *= n[d] = 1 + below(6);
        while (vv_odometer(nd, n, at)) {
            vv_index number = 0;
            for (int d = 0; d < nd; d++) number = number * n[d] + at[d];
            assert_int_equal(number, ++linear); /* row-major, one at a time */
        }
        assert_int_equal(linear, steps - 1);
        for (int d = 0; d < nd; d++) assert_int_equal(at[d], 0); /* ready for another turn */
    }
}

static bool inside(const vv_box *b, const vv_index p[])
{
    for (int d = 0; d < b->nd; d++)
        if (p[d] < b->lo[d] || p[d] >= b->lo[d] + b->n[d]) return false;
    return true;
}

static void test_intersection(void **state)
{
    (void)state;
    for (int round = 0; round < 5000; round++) {
        vv_box a = {.nd = (int)below(4)}, b = {.nd = a.nd}, both;
        for (int d = 0; d < a.nd; d++) {
            a.lo[d] = below(6);
            b.lo[d] = below(6);
            a.n[d] = below(5);
            b.n[d] = below(5);
        }
        bool any = vv_box_intersect(&a, &b, &both);
        vv_index common = 0, p[4] = {0}, extent[4] = {12, 12, 12, 12};
        do {
            bool in = inside(&a, p) && inside(&b, p);
            common += in;
            assert_int_equal(in, any && inside(&both, p));
        } while (vv_odometer(a.nd, extent, p));
        assert_int_equal(any, common > 0);
        assert_int_equal(vv_box_elements(&both), common);
    }
}

static void test_products(void **state)
{
    (void)state;
    assert_int_equal(vv_times(0, VV_INDEX_MAX), 0);
    assert_int_equal(vv_times(VV_INDEX_MAX, 1), VV_INDEX_MAX);
    assert_int_equal(vv_times(VV_INDEX_MAX, 2), VV_INDEX_MAX);
    assert_int_equal(vv_times(3037000500, 3037000500), VV_INDEX_MAX);
    assert_int_equal(vv_plus(VV_INDEX_MAX, 9480), VV_INDEX_MAX);
    assert_int_equal(vv_plus(9480, VV_INDEX_MAX - 9480), VV_INDEX_MAX);
    assert_int_equal(vv_plus(2, 3), 5);
    assert_int_equal(vv_times(3037000499, 3037000499), 9223372030926249001);
    for (int i = 0; i < 100000; i++) {
        vv_index a = (vv_index)(draw() >> below(44)), b = (vv_index)(draw() >> below(44));
        __int128 exact = (__int128)a * b;
        assert_int_equal(vv_times(a, b), exact > VV_INDEX_MAX ? VV_INDEX_MAX : (vv_index)exact);
    }
    vv_shape huge = {.nd = 4, .n = {1LL << 40, 1LL << 40, 1LL << 40, 3}};
    assert_int_equal(vv_shape_elements(&huge), VV_INDEX_MAX);
    huge.n[3] = 0; /* nothing is nothing, whatever comes before it */
    assert_int_equal(vv_shape_elements(&huge), 0);
    vv_grid g = {.shape = {3, {1LL << 40, 1LL << 40, 1}}, .chunk = {1, 1, 1}};
    assert_int_equal(vv_grid_chunks(&g), VV_INDEX_MAX);
    g.shape.n[2] = 0;
    assert_int_equal(vv_grid_chunks(&g), 0);
}

static void test_division(void **state)
{
    (void)state;
    assert_int_equal(vv_common_divisor(12, 18), 6);
    assert_int_equal(vv_common_divisor(7, 0), 7);
    assert_int_equal(vv_ceil_div(VV_INDEX_MAX, 2), VV_INDEX_MAX / 2 + 1);
    assert_int_equal(vv_ceil_div(VV_INDEX_MAX, VV_INDEX_MAX), 1);
    for (vv_index a = 0; a < 60; a++)
        for (vv_index b = 1; b < 20; b++) {
            vv_index q = vv_ceil_div(a, b);
            assert_true(q * b >= a && (q - 1) * b < a);
        }
    assert_int_equal(vv_imin(-3, 2), -3);
    assert_int_equal(vv_imax(-3, 2), 2);
}

static void test_shapes(void **state)
{
    (void)state;
    vv_shape a = {2, {3, 4}}, b = {2, {3, 4}}, c = {2, {3, 5}}, d = {3, {3, 4, 1}}, none = {0};
    b.n[2] = 77; /* beyond its dimensions */
    assert_true(vv_shape_equal(&a, &b));
    assert_false(vv_shape_equal(&a, &c));
    assert_false(vv_shape_equal(&a, &d));
    assert_true(vv_shape_equal(&none, &none));
}

static void test_text(void **state)
{
    (void)state;
    char out[64];
    assert_string_equal(vv_dims_text(3, (vv_index[]){2920, 361, 720}, out, sizeof out), "[2920, 361, 720]");
    assert_string_equal(vv_dims_text(0, NULL, out, sizeof out), "[]");
    vv_index many[VV_MAX_DIMS];
    for (int d = 0; d < VV_MAX_DIMS; d++) many[d] = INT64_MAX;
    for (size_t size = 1; size < 200; size++) {
        char *exact = malloc(size);
        vv_dims_text(VV_MAX_DIMS, many, exact, size);
        assert_true(strlen(exact) < size);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grid_covers), cmocka_unit_test(test_scalar_and_empty),
        cmocka_unit_test(test_odometer),    cmocka_unit_test(test_intersection),
        cmocka_unit_test(test_products),    cmocka_unit_test(test_division),
        cmocka_unit_test(test_shapes),      cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
