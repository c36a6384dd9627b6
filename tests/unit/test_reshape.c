/* Shapes of the same elements: pairs of dimensions, and chunks that stay together, by counting elements one by one. */
#include "scratch.h"

#include "base/reshape.h"

static uint64_t seed = 7;
static vv_index pick(vv_index n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (vv_index)((seed >> 33) % (uint64_t)n);
}

/* Row-major number of a chunk's element in the whole array. */
static vv_index number_of(const vv_grid *g, vv_index chunk, vv_index i)
{
    vv_box box;
    vv_index at[VV_MAX_DIMS], number = 0;
    vv_grid_box(g, chunk, &box);
    for (int d = box.nd - 1; d >= 0; d--) {
        at[d] = box.lo[d] + i % box.n[d];
        i /= box.n[d];
    }
    for (int d = 0; d < box.nd; d++) number = number * g->shape.n[d] + at[d];
    return number;
}

static void check_chunks(const vv_grid *in, const vv_grid *out)
{
    assert_int_equal(vv_grid_chunks(in), vv_grid_chunks(out));
    for (vv_index c = 0; c < vv_grid_chunks(in); c++) {
        vv_box a, b;
        vv_grid_box(in, c, &a);
        vv_grid_box(out, c, &b);
        assert_int_equal(vv_box_elements(&a), vv_box_elements(&b));
        for (vv_index i = 0; i < vv_box_elements(&a); i++) assert_int_equal(number_of(in, c, i), number_of(out, c, i));
    }
}

/* A dimension that stays, some that are merged or split, and one that stays; with any room. */
static void chunks_have_the_same_elements(void **state)
{
    (void)state;
    for (int round = 0; round < 3000; round++) {
        vv_grid many = {.shape = {.nd = 2 + (int)pick(3)}}, other;
        vv_shape one = {.nd = 3, .n = {1 + pick(5), 1, 1 + pick(5)}};
        int inner = many.shape.nd;
        many.shape.nd += 2;
        many.shape.n[0] = one.n[0];
        many.shape.n[inner + 1] = one.n[2];
        for (int d = 1; d <= inner; d++) one.n[1] *= many.shape.n[d] = 2 + pick(6);
        many.chunk[0] = 1 + pick(one.n[0]);
        many.shift[0] = vv_grid_count(&many, 0) > 1 ? pick(many.chunk[0]) : 0;
        many.chunk[inner + 1] = 1 + pick(one.n[2]);
        if (one.n[0] == 1 || one.n[2] == 1) continue; /* then these may belong to the others */
        vv_index stretch = vv_reshape_stretch(many.shape.n + 1, inner, 1 + pick(one.n[1] + 3));
        assert_true(vv_reshape_cut(many.shape.n + 1, inner, stretch, many.chunk + 1));
        assert_true(vv_reshape_grid(&many, &one, &other));
        check_chunks(&many, &other);
        vv_grid back;
        assert_true(vv_reshape_grid(&other, &many.shape, &back));
        check_chunks(&other, &back);
    }
}

static void stretches_fill_the_room(void **state)
{
    (void)state;
    const vv_index n[] = {10, 6, 4};
    assert_int_equal(vv_reshape_stretch(n, 3, 1000), 240);
    assert_int_equal(vv_reshape_stretch(n, 3, 100), 96); /* four times 6 x 4 */
    assert_int_equal(vv_reshape_stretch(n, 3, 23), 12);  /* half of 6 rows, not 5 of them */
    assert_int_equal(vv_reshape_stretch(n, 3, 3), 2);
    assert_int_equal(vv_reshape_stretch(n, 3, 1), 1);
    vv_index chunk[3];
    assert_false(vv_reshape_cut(n, 3, 20, chunk));
    assert_false(vv_reshape_cut(n, 3, 9, chunk));
    assert_true(vv_reshape_cut(n, 3, 72, chunk));
    assert_int_equal(chunk[0], 3);
}

static void shapes_pair_up(void **state)
{
    (void)state;
    vv_dims_pair p[VV_MAX_DIMS];
    assert_int_equal(vv_reshape_pairs(&(vv_shape){3, {2, 3, 4}}, &(vv_shape){3, {6, 2, 2}}, p), 2);
    assert_int_equal(p[0].n_in, 2);
    assert_int_equal(p[1].n_out, 2);
    assert_int_equal(vv_reshape_pairs(&(vv_shape){3, {5, 1, 1}}, &(vv_shape){1, {5}}, p), 1);
    assert_int_equal(p[0].n_in, 3);
    assert_int_equal(vv_reshape_pairs(&(vv_shape){0, {0}}, &(vv_shape){2, {1, 1}}, p), 1);
    assert_int_equal(p[0].n_out, 2);
    assert_int_equal(vv_reshape_pairs(&(vv_shape){1, {6}}, &(vv_shape){2, {2, 4}}, p), -1);
    assert_int_equal(vv_reshape_pairs(&(vv_shape){1, {0}}, &(vv_shape){2, {2, 0}}, p), -1);
    assert_int_equal(vv_reshape_pairs(&(vv_shape){2, {-2, -3}}, &(vv_shape){1, {6}}, p), -1);
    assert_false(vv_reshape_grid(&(vv_grid){{1, {6}}, {0}, {0}}, &(vv_shape){2, {2, 3}}, &(vv_grid){0}));
    assert_false(vv_reshape_grid(&(vv_grid){{1, {6}}, {4}, {0}}, &(vv_shape){2, {2, 3}}, &(vv_grid){0}));
    assert_false(vv_reshape_grid(&(vv_grid){{1, {6}}, {3}, {1}}, &(vv_shape){2, {2, 3}}, &(vv_grid){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_have_the_same_elements),
        cmocka_unit_test(stretches_fill_the_room),
        cmocka_unit_test(shapes_pair_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
