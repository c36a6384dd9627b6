/* Functions that are made of views and elementwise operations: coordinates, names and errors; their values are compared with NumPy's in sys/test_trees.py. */
#include "array_check.h"

static void test_positions(void **state)
{
    (void)state;
    check_elements(vv_node_arange(&context, "x", 5, -3, -2, VV_I16), 4, (double[]){5, 3, 1, -1});
    check_elements(vv_node_linspace(&context, "x", 0, 1, 5, false), 5, (double[]){0, 0.25, 0.5, 0.75, 1});
    check_shape(vv_node_indices(&context, "y:2,x:3", "axis", VV_I64), "y (axis: 2, y: 2, x: 3)");
    check_elements(vv_node_eye(&context, "y:2,x:3", 1, VV_F32), 6, (double[]){0, 1, 0, 0, 0, 1});
    check_inert(vv_node_arange(&context, "x", 0, 1, 0, VV_F64), VV_ERR_USAGE, "from 0 to 1 by 0");
    check_inert(vv_node_arange(&context, "x", 0, 1, 0.5, VV_I64), VV_ERR_TYPE, "is not made of i64");
    check_inert(vv_node_eye(&context, "x:3", 0, VV_F64), VV_ERR_SHAPE, "two dimensions");
}

static void test_labels_stay_or_go(void **state)
{
    (void)state;
    vv_array *a = numbered("time:4,x:3", "f64");
    check_coordinate(vv_shift(a, "time", 1, NAN), "time", 4, (double[]){0, 6, 12, 18});
    check_elements(vv_shift(a, "time", -3, 9), 12, (double[]){9, 10, 11, 9, 9, 9, 9, 9, 9, 9, 9, 9});
    check_coordinate(vv_diff(a, "time", 1), "time", 3, (double[]){6, 12, 18});
    check_coordinate(vv_gradient(a, "time", 2), "time", 4, (double[]){0, 6, 12, 18});
    check_elements(vv_gradient(a, "x", 2), 12, (double[]){.5, .5, .5, .5, .5, .5, .5, .5, .5, .5, .5, .5});
    check_coordinate(vv_repeat(a, "x", 2), "x", 6, (double[]){0, 0, 1, 1, 2, 2});
    check_coordinate(vv_flip(a, "x,time"), "time", 4, (double[]){18, 12, 6, 0});
    check_coordinate(vv_broadcast_to(a, "m:2,time:4,x:3"), "time", 4, (double[]){0, 6, 12, 18});
    check_coordinate(vv_tril(a, "time", "x", 0), "time", 4, (double[]){0, 6, 12, 18});
    check_shape(vv_rot90(a, "time", "x", 1), "v (time: 3, x: 4)");
    check_shape(vv_moveaxis(a, "time", -1), "v (x: 3, time: 4)");
    assert_ptr_equal(vv_shift(a, "time", 0, 0)->input[0], a);
}

static void test_assign(void **state)
{
    (void)state;
    vv_array *a = numbered("y:2,x:3", "i32"), *b = numbered("x:2", "f64");
    check_elements(vv_assign(a, "y:1,x:1:3", b), 6, (double[]){0, 1, 2, 3, 0, 1});
    check_elements(vv_assign(a, "x:-1", vv_node_scalar(&context, 7)), 6, (double[]){0, 1, 7, 3, 4, 7});
    check_coordinate(vv_assign(a, "y:1", vv_node_scalar(&context, 7)), "x", 3, (double[]){0, 1, 2});
    check_elements(vv_assign(a, "", vv_node_scalar(&context, 7)), 6, (double[]){7, 7, 7, 7, 7, 7});
    check_inert(vv_assign(a, "y:1", b), VV_ERR_SHAPE, "v (x: 2) i32, 8 B cannot be broadcast to 'y:1,x:3'");
    check_inert(vv_assign(a, "z:1", b), VV_ERR_NOT_FOUND, "'v' has no dimension 'z'");
    check_inert(vv_assign(a, "x:1-3", b), VV_ERR_USAGE, "a region is written");
}

static void test_by_position(void **state)
{
    (void)state;
    vv_array *a = numbered("y:2,x:3", "i32"), *row = numbered("y:3", "i32"), *column = numbered("x:2,one:1", "i32"),
             *out[3];
    vv_node_broadcast_by_position(&context, (vv_array *[]){row, a, column}, 3, out);
    check_elements(out[0], 6, (double[]){0, 1, 2, 0, 1, 2});
    check_elements(out[2], 6, (double[]){0, 0, 0, 1, 1, 1});
    for (int i = 0; i < 3; i++) check_shape(out[i], "v (y: 2, x: 3)");
    vv_node_broadcast_by_position(&context, (vv_array *[]){a, numbered("x:2", "i32")}, 2, out);
    check_inert(out[0], VV_ERR_SHAPE,
                "counted from the last dimension on: v (y: 2, x: 3) i32, 24 B and v (x: 2) i32, 8 B");
    vv_array *windows = vv_sliding_window(a, "x", 2, "k");
    check_shape(windows, "v (y: 2, x: 2, k: 2)");
    check_elements(windows, 8, (double[]){0, 1, 1, 2, 3, 4, 4, 5});
    check_inert(vv_sliding_window(a, "x", 4, "k"), VV_ERR_SHAPE, "windows of 4 along 'x', which has 3");
}

static void test_refusals(void **state)
{
    (void)state;
    vv_array *a = numbered("y:2,x:3", "i32"), *out[2];
    check_inert(vv_broadcast_to(a, "y:2,x:4"), VV_ERR_SHAPE,
                "v (y: 2, x: 3) i32, 24 B cannot be broadcast to 'y:2,x:4'");
    check_inert(vv_compress(a, "x", (bool[]){true, false}, 2), VV_ERR_SHAPE, "a mask of 2 for 'v', which has 3");
    check_inert(vv_choice(a, "x", 4, false, 1), VV_ERR_USAGE, "4 cannot be chosen");
    check_inert(vv_diag(a, "y", "x", 0), VV_ERR_SHAPE, "of one dimension; 'v' has 2");
    check_inert(vv_gradient(vv_slice(a, "x", 0, 1, 1), "x", 1), VV_ERR_SHAPE, "no gradient along 'x' of 1");
    check_inert(vv_rot90(a, "x", "x", 1), VV_ERR_USAGE, "to itself");
    check_inert(vv_repeat(a, "x", -1), VV_ERR_USAGE, "-1 times");
    check_inert(vv_moveaxis(a, "x", 2), VV_ERR_USAGE, "cannot be number 2");
    vv_node_broadcast(&context, (vv_array *[]){a, numbered("x:2", "i32")}, 2, out);
    check_inert(out[1], VV_ERR_SHAPE, "do not line up along 'x'");
    vv_node_broadcast(&context, (vv_array *[]){numbered("x:3", "i32"), numbered("y:2", "i32")}, 2, out);
    check_elements(out[0], 6, (double[]){0, 0, 1, 1, 2, 2});
    check_elements(out[1], 6, (double[]){0, 1, 0, 1, 0, 1});
}

static vv_status every_second(vv_array *a, void *buffer, vv_bytes bytes)
{
    uint8_t *is = buffer;
    assert_int_equal(vv_array_dtype(a), VV_BOOL);
    for (vv_bytes i = 0; i < bytes; i++) is[i] = i % 2 == 0;
    return VV_OK;
}

static void test_masks(void **state)
{
    (void)state;
    vv_array *a = numbered("y:2,x:3", "i32"), *m = numbered("x:3", "i32");
    check_inert(vv_extract(a, m, "p"), VV_ERR_UNSUPPORTED, "cannot be computed here");
    context.compute = every_second;
    check_elements(vv_compress_where(a, m), 4, (double[]){0, 2, 3, 5});
    check_coordinate(vv_compress_where(a, m), "x", 2, (double[]){0, 2});
    check_shape(vv_extract(a, m, "p"), "v (p: 2, y: 2)");
    check_shape(vv_extract(a, a, "p"), "v (p: 3)");
    check_shape(vv_argwhere(a, "p", "axis"), "p (p: 3, axis: 2)");
    check_inert(vv_compress_where(a, a), VV_ERR_SHAPE, "'v' has 2 dimensions");
    check_inert(vv_extract(a, numbered("x:4", "i32"), "p"), VV_ERR_SHAPE,
                "a mask does not line up: v (x: 4) i32, 16 B and v (y: 2, x: 3) i32, 24 B");
}

static void test_reshape(void **state)
{
    (void)state;
    vv_array *a = numbered("time:4,y:3,x:1", "f64");
    assert_int_equal(vv_reshape(a, "time:4,y:3")->kind, VV_NODE_VIEW);
    check_coordinate(vv_reshape(a, "time:4,y:1,z:3"), "time", 4, (double[]){0, 6, 12, 18});
    check_coordinate(vv_reshape(numbered("time:4,y:6,x:2", "f64"), "time:4,z:-1,w:3"), "time", 4,
                     (double[]){0, 6, 12, 18});
    check_shape(vv_reshape(numbered("y:6,x:4", "f64"), "a:8,b:3"), "v (a: 8, b: 3)");
    check_shape(vv_ravel(vv_slice(a, "time", 0, 0, 1), "i"), "v (i: 0)");
    check_coordinate(vv_coarsen(a, "mean", "time:2", false), "time", 2, (double[]){3, 15});
    check_inert(vv_reshape(a, "a:5,b:-1"), VV_ERR_SHAPE,
                "v (time: 4, y: 3, x: 1) f64, 96 B cannot be reshaped to 'a:5,b:-1'");
    check_inert(vv_reshape(a, "a:-1,b:-1"), VV_ERR_USAGE, "two lengths");
    check_inert(vv_reshape(a, "a:6,a:2"), VV_ERR_USAGE, "named twice");
    check_inert(vv_coarsen(a, "mean", "time:3", false), VV_ERR_SHAPE, "no whole number of blocks of 3");
    check_inert(vv_points(a, "y,z", NULL, 0, "p"), VV_ERR_NOT_FOUND, "'z'");
    check_inert(vv_points(a, "y", (vv_index[]){3}, 1, "p"), VV_ERR_SHAPE, "position 3 is outside");
}

static void test_choices(void **state)
{
    (void)state;
    vv_array *a = numbered("x:50", "i32"), *p = vv_permutation(a, "x", 3), *q = vv_permutation(a, "x", 4);
    bool seen[50] = {false}, differ = false, again = false;
    for (vv_index i = 0; i < 50; i++) {
        int at = (int)element(p, &i);
        assert_false(seen[at]);
        seen[at] = true;
        differ = differ || at != (int)element(q, &i);
    }
    assert_true(differ);
    vv_array *some = vv_choice(a, "x", 50, true, 3);
    memset(seen, 0, sizeof seen);
    for (vv_index i = 0; i < 50; i++) {
        again = again || seen[(int)element(some, &i)];
        seen[(int)element(some, &i)] = true;
    }
    assert_true(again);
    assert_int_equal(vv_array_length(vv_choice(a, "x", 7, false, 1), 0), 7);
}

static void test_calls(void **state)
{
    (void)state;
    vv_array *a = numbered("y:2,x:3", "f64");
    check_elements(vv_node_call(&context, "take", &a, 1, "dim=x at=2,0,0"), 6, (double[]){2, 0, 0, 5, 3, 3});
    check_elements(vv_node_call(&context, "sum", &a, 1, "dims=x,y"), 1, (double[]){15});
    check_elements(vv_node_call(&context, "add", (vv_array *[]){a, a}, 2, NULL), 6, (double[]){0, 2, 4, 6, 8, 10});
    check_inert(vv_node_call(&context, "rol", &a, 1, ""), VV_ERR_USAGE, "did you mean 'roll'");
    check_inert(vv_node_call(&context, "roll", &a, 1, "by=3"), VV_ERR_USAGE,
                "roll needs dim=...; its arguments: dim by");
    check_inert(vv_node_call(&context, "roll", &a, 1, "dim=x by=1 times=3"), VV_ERR_USAGE,
                "roll has no argument 'times'");
    check_inert(vv_node_call(&context, "roll", &a, 1, "dim=x by=1 by=3"), VV_ERR_USAGE, "said twice");
    check_inert(vv_node_call(&context, "roll", &a, 1, "dim=x by=one"), VV_ERR_USAGE, "by=one is no whole number");
    check_inert(vv_node_call(&context, "roll", &a, 1, "x"), VV_ERR_USAGE, "not written name=value");
    check_inert(vv_node_call(&context, "add", &a, 1, ""), VV_ERR_USAGE, "add takes 2 operands, not 1");
    check_inert(vv_node_call(&context, "zeros", NULL, 0, "dims=x:3 dtype=f99"), VV_ERR_USAGE, "no element type");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_positions),   TEST(test_labels_stay_or_go), TEST(test_assign),
        TEST(test_by_position), TEST(test_refusals),          TEST(test_choices),
        TEST(test_masks),       TEST(test_reshape),           TEST(test_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
