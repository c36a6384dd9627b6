/* Views: shapes, coordinates, and every element against what NumPy and xarray say it is. */
#include "array_check.h"

static void test_transpose(void **state)
{
    (void)state;
    vv_array *a = numbered("time:2,y:3,x:4", "f64");
    vv_array *t = vv_transpose(a, "x,time, y");
    double want[24];
    int k = 0;
    check_shape(t, "v (x: 4, time: 2, y: 3)");
    for (int x = 0; x < 4; x++)
        for (int time = 0; time < 2; time++)
            for (int y = 0; y < 3; y++) want[k++] = time * 12 + y * 4 + x;
    check_elements(t, 24, want);
    check_coordinate(t, "time", 2, (double[]){0, 6});
    check_shape(vv_transpose(a, NULL), "v (x: 4, y: 3, time: 2)");
    check_shape(vv_transpose(vv_transpose(a, NULL), NULL), "v (time: 2, y: 3, x: 4)");
    check_inert(vv_transpose(a, "x,y"), VV_ERR_USAGE, "'time' is not");
    check_inert(vv_transpose(a, "x,y,x"), VV_ERR_USAGE, "'x' is named twice");
    check_inert(vv_transpose(a, "x,y,tiem"), VV_ERR_NOT_FOUND, "did you mean 'time'");
}

/* What Python's slice(start, stop, step).indices(n) gives, one by one. */
static int python_slice(vv_index n, vv_index start, vv_index stop, vv_index step, vv_index out[])
{
    int k = 0;
    vv_index low = step < 0 ? -1 : 0, high = step < 0 ? n - 1 : n;
    vv_index i = start == VV_BEGIN ? (step < 0 ? high : low) : start < 0 ? start + n : start;
    vv_index end = stop == VV_END ? (step < 0 ? low : high) : stop < 0 ? stop + n : stop;
    if (i < low) i = low;
    if (i > high) i = high;
    if (end < low) end = low;
    if (end > high) end = high;
    for (; step < 0 ? i > end : i < end; i += step) out[k++] = i;
    return k;
}

static void check_slice(vv_array *a, vv_index start, vv_index stop, vv_index step)
{
    vv_index at[16], n = a->shape.n[1];
    double want[32], x[16];
    int k = python_slice(n, start, stop, step, at);
    vv_array *s = vv_slice(a, "x", start, stop, step);
    for (int i = 0; i < 2 * k; i++) want[i] = (double)(i / k * n + at[i % k]);
    for (int i = 0; i < k; i++) x[i] = (double)at[i];
    check_elements(s, 2 * k, want);
    check_coordinate(s, "x", k, x);
    vv_release(&s);
}

static void test_slice(void **state)
{
    (void)state;
    for (vv_index n = 1; n <= 5; n++) {
        char shape[32];
        snprintf(shape, sizeof shape, "y:2,x:%d", (int)n);
        vv_array *a = numbered(shape, "f32");
        for (vv_index start = -8; start <= 8; start++)
            for (vv_index stop = -8; stop <= 8; stop++)
                for (vv_index step = -3; step <= 3; step++) {
                    if (step == 0) continue;
                    check_slice(a, start == -8 ? VV_BEGIN : start, stop == 8 ? VV_END : stop, step);
                }
        check_slice(a, 0, VV_END, VV_INDEX_MAX);
        check_slice(a, VV_BEGIN, VV_END, VV_BEGIN); /* a step as large as there is */
        assert_ptr_equal(vv_slice(a, "x", VV_BEGIN, VV_END, 1), a);
    }
    vv_array *a = numbered("y:2,x:5", "f32");
    check_inert(vv_slice(a, "x", 0, 1, 0), VV_ERR_USAGE, "step 0");
    check_inert(vv_slice(a, "xx", 0, 1, 1), VV_ERR_NOT_FOUND, "did you mean 'x'");
    check_elements(vv_slice(vv_slice(a, "x", 4, 1, -1), "x", 1, VV_END, 1), 4, (double[]){3, 2, 8, 7});
}

static void test_at(void **state)
{
    (void)state;
    vv_array *a = numbered("y:2,x:3", "i32");
    check_shape(vv_at(a, "x", -1), "v (y: 2)");
    check_elements(vv_at(a, "x", -1), 2, (double[]){2, 5});
    check_elements(vv_at(vv_at(a, "y", 1), "x", 0), 1, (double[]){3});
    assert_int_equal(vv_array_dtype(vv_at(a, "y", 0)), VV_I32);
    check_inert(vv_at(a, "x", 3), VV_ERR_SHAPE, "position 3 is outside of 'v', which has 3 elements along 'x'");
    check_inert(vv_at(a, "x", -4), VV_ERR_SHAPE, "position -4");
}

static void test_flip_and_roll(void **state)
{
    (void)state;
    vv_array *a = numbered("y:2,x:5", "f64");
    check_elements(vv_flip(a, "x"), 10, (double[]){4, 3, 2, 1, 0, 9, 8, 7, 6, 5});
    check_coordinate(vv_flip(a, "y"), "y", 2, (double[]){1, 0});
    for (vv_index shift = -12; shift <= 12; shift++) {
        double want[10], x[5];
        for (vv_index i = 0; i < 10; i++) want[(i / 5) * 5 + ((i % 5 + shift) % 5 + 5) % 5] = (double)i;
        memcpy(x, want, sizeof x);
        vv_array *r = vv_roll(a, "x", shift);
        check_elements(r, 10, want);
        check_coordinate(r, "x", 5, x);
        assert_true(r->kind == VV_NODE_OPEN || r->n_parts == 2);
    }
}

/* By walking there, step by step. */
static vv_index walk(const char *how, vv_index i, vv_index n)
{
    vv_index at = 0, step = 1;
    if (!strcmp(how, "edge")) return i < 0 ? 0 : i >= n ? n - 1 : i;
    if (!strcmp(how, "wrap")) {
        while (i < 0) i += n;
        while (i >= n) i -= n;
        return i;
    }
    for (vv_index k = 0; k < (i < 0 ? -i : i) && n > 1; k++) { /* mirrored at 0: both ways are the same */
        if (at + step < 0 || at + step >= n) step = -step;
        at += step;
    }
    return at;
}

static void test_pad(void **state)
{
    (void)state;
    static const char *const modes[] = {"edge", "wrap", "reflect"};
    for (vv_index n = 1; n <= 4; n++) {
        char shape[32];
        snprintf(shape, sizeof shape, "y:2,x:%d", (int)n);
        vv_array *a = numbered(shape, "f64");
        for (vv_index before = 0; before <= 9; before++)
            for (vv_index after = 0; after <= 9; after++)
                for (int m = 0; m < 3; m++) {
                    double want[64], x[32];
                    vv_index k = 0, length = before + n + after;
                    for (vv_index y = 0; y < 2; y++)
                        for (vv_index i = 0; i < length; i++)
                            want[k++] = (double)(y * n + walk(modes[m], i - before, n));
                    memcpy(x, want, sizeof x);
                    vv_array *p = vv_pad(a, "x", before, after, modes[m], 0);
                    check_elements(p, 2 * length, want);
                    check_coordinate(p, "x", length, x);
                    vv_release(&p);
                }
    }
}

static void test_pad_with_values(void **state)
{
    (void)state;
    vv_array *a = numbered("y:2,x:2", "f32"), *i = numbered("y:2,x:2", "i16");
    check_elements(vv_pad(a, "x", 1, 2, "constant", 7), 10, (double[]){7, 0, 1, 7, 7, 7, 2, 3, 7, 7});
    check_elements(vv_pad(a, "y", 0, 1, "nan", 7), 6, (double[]){0, 1, 2, 3, NAN, NAN});
    check_coordinate(vv_pad(a, "x", 1, 0, "constant", 7), "x", 3, (double[]){NAN, 0, 1});
    assert_int_equal(vv_array_dtype(vv_pad(i, "x", 1, 0, "constant", 7)), VV_I16);
    assert_int_equal(vv_array_dtype(vv_pad(i, "x", 1, 0, "constant", 1e6)), VV_F64); /* no i16 */
    assert_int_equal(vv_array_dtype(vv_pad(i, "x", 1, 0, "nan", 0)), VV_F64);
    assert_int_equal(vv_array_dtype(vv_pad(i, "x", 0, 0, "nan", 0)), VV_I16); /* nothing is missing */
    check_elements(vv_pad(i, "x", 1, 0, "nan", 0), 6, (double[]){NAN, 0, 1, NAN, 2, 3});
    assert_int_equal(vv_array_dtype(vv_pad(a, "x", 1, 0, "nan", 0)), VV_F32);
    check_inert(vv_pad(a, "x", 1, 1, "wrop", 0), VV_ERR_USAGE, "did you mean 'wrap'");
    check_inert(vv_pad(a, "x", -1, 1, "wrap", 0), VV_ERR_USAGE, "-1");
    check_inert(vv_pad(vv_slice(a, "x", 0, 0, 1), "x", 1, 1, "edge", 0), VV_ERR_SHAPE, "no elements along 'x'");
}

static void test_concat(void **state)
{
    (void)state;
    vv_array *a = numbered("y:2,x:3", "f64"), *b = vv_slice(a, "x", 1, 2, 1), *turned = vv_transpose(a, "x,y");
    vv_array *c = vv_node_concat(&context, (vv_array *[]){a, b, turned}, 3, "x");
    check_shape(c, "v (y: 2, x: 7)");
    check_elements(c, 14, (double[]){0, 1, 2, 1, 0, 1, 2, 3, 4, 5, 4, 3, 4, 5});
    check_coordinate(c, "x", 7, (double[]){0, 1, 2, 1, 0, 1, 2});
    check_coordinate(c, "y", 2, (double[]){0, 1});
    vv_array *bare = vv_expand(vv_at(a, "x", 0), "x", 2, -1);
    check_no_coordinate(vv_node_concat(&context, (vv_array *[]){a, bare}, 2, "x"), "x");
    check_inert(vv_node_concat(&context, (vv_array *[]){a, vv_slice(a, "y", 0, 1, 1)}, 2, "x"), VV_ERR_SHAPE, "y: 1");
    check_inert(vv_node_concat(&context, (vv_array *[]){a, vv_at(a, "y", 0)}, 2, "x"), VV_ERR_SHAPE, "line up");
    check_inert(vv_node_concat(&context, (vv_array *[]){a, numbered("y:2,x:3", "f32")}, 2, "x"), VV_ERR_TYPE, "f32");
    check_inert(vv_node_concat(&context, (vv_array *[]){a, b}, 2, "z"), VV_ERR_NOT_FOUND, "no dimension 'z'");
    check_inert(vv_node_concat(&context, NULL, 0, "z"), VV_ERR_USAGE, "at least one");
    check_inert(vv_node_concat(&context, (vv_array *[]){a, vv_at(a, "x", 9)}, 2, "x"), VV_ERR_SHAPE, "position 9");
}

static void test_many_inputs(void **state)
{
    (void)state;
    enum { MANY = 1000 };
    static vv_array *list[MANY];
    double want[MANY];
    vv_array *a = numbered("x:7", "f64");
    for (int i = 0; i < MANY; i++) {
        list[i] = vv_slice(a, "x", i % 7, i % 7 + 1, 1);
        want[i] = i % 7;
    }
    vv_array *c = vv_node_concat(&context, list, MANY, "x");
    check_elements(c, MANY, want);
    for (int i = 0; i < MANY; i++) vv_release(&list[i]);
    check_elements(c, MANY, want);
    vv_release(&c);
    assert_int_equal(a->references, 1);
}

static void test_stack(void **state)
{
    (void)state;
    vv_array *a = numbered("y:2,x:3", "f64"), *b = vv_transpose(vv_flip(a, "x"), "x,y");
    vv_array *s = vv_node_stack(&context, (vv_array *[]){a, b}, 2, "member");
    check_shape(s, "v (member: 2, y: 2, x: 3)");
    check_elements(s, 12, (double[]){0, 1, 2, 3, 4, 5, 2, 1, 0, 5, 4, 3});
    check_no_coordinate(s, "member");
    check_inert(vv_node_stack(&context, (vv_array *[]){a, a}, 2, "x"), VV_ERR_SHAPE, "'x' already");
    check_inert(vv_node_stack(&context, (vv_array *[]){a, vv_rename(a, "x", "z")}, 2, "m"), VV_ERR_SHAPE, "z: 3");
}

static void test_take(void **state)
{
    (void)state;
    vv_array *a = numbered("y:3,x:11", "f64");
    seed_state = 7;
    for (int round = 0; round < 50; round++) {
        vv_index at[20], n = pick(20);
        double want[60], x[20];
        for (vv_index i = 0; i < n; i++) {
            at[i] = pick(22) - 11;
            x[i] = (double)((at[i] + 11) % 11);
            for (int y = 0; y < 3; y++) want[y * n + i] = y * 11 + x[i];
        }
        vv_array *t = vv_take(a, "x", at, n);
        check_elements(t, 3 * n, want);
        check_coordinate(t, "x", n, x);
    }
    vv_array *even = vv_take(a, "x", (vv_index[]){9, 6, 3}, 3), *same = vv_take(a, "x", (vv_index[]){4, 4}, 2);
    assert_int_equal(even->part[0].stride[1], -3);
    assert_int_equal(even->part[0].table_dim, -1);
    assert_int_equal(same->part[0].dim[1], -1);
    check_elements(same, 6, (double[]){4, 4, 15, 15, 26, 26});
    check_inert(vv_take(a, "x", (vv_index[]){0, 11}, 2), VV_ERR_SHAPE, "position 11");
}

static void test_expand_rename_squeeze(void **state)
{
    (void)state;
    vv_array *a = numbered("y:2,x:2", "f64");
    check_shape(vv_expand(a, "m", 3, 0), "v (m: 3, y: 2, x: 2)");
    check_shape(vv_expand(a, "m", 3, -1), "v (y: 2, x: 2, m: 3)");
    check_shape(vv_expand(a, "m", 3, -2), "v (y: 2, m: 3, x: 2)");
    check_elements(vv_expand(a, "m", 2, 1), 8, (double[]){0, 1, 0, 1, 2, 3, 2, 3});
    check_inert(vv_expand(a, "y", 3, 0), VV_ERR_SHAPE, "'y' already");
    check_inert(vv_expand(a, "m", 3, 3), VV_ERR_USAGE, "number 3");
    check_inert(vv_expand(a, "m", -1, 0), VV_ERR_USAGE, "-1 elements");
    vv_array *r = vv_rename(vv_flip(a, "y"), "y", "lat");
    check_shape(r, "v (lat: 2, x: 2)");
    check_coordinate(r, "lat", 2, (double[]){1, 0});
    check_inert(vv_rename(a, "y", "x"), VV_ERR_SHAPE, "'x' already");
    check_inert(vv_rename(a, "z", "x"), VV_ERR_NOT_FOUND, "'z'");
    vv_array *thin = vv_expand(vv_slice(a, "y", 1, 2, 1), "m", 1, 0);
    check_shape(vv_squeeze(thin, NULL), "v (x: 2)");
    check_shape(vv_squeeze(thin, "m"), "v (y: 1, x: 2)");
    check_elements(vv_squeeze(thin, "y,m"), 2, (double[]){2, 3});
    check_inert(vv_squeeze(thin, "x"), VV_ERR_SHAPE, "2 elements along 'x', not one");
    vv_array *number = vv_expand(vv_node_scalar(&context, 4), "x", 3, 0);
    check_elements(number, 3, (double[]){4, 4, 4});
}

static void test_rechunk(void **state)
{
    (void)state;
    vv_array *a = numbered("time:10,y:4,x:6", "f32");
    vv_array *r = vv_rechunk(a, "time:all,x:4");
    char text[200];
    assert_string_equal(vv_describe(r, text, sizeof text), "v (time: 10, y: 4, x: 6) f32, chunks 10 x any x 4, 960 B");
    assert_int_equal(vv_rechunk(a, "time:-1")->chunk[0], 10);
    assert_int_equal(vv_rechunk(a, "time:99")->chunk[0], 10);
    check_coordinate(r, "x", 6, (double[]){0, 1, 2, 3, 4, 5});
    check_inert(vv_rechunk(a, "time:0"), VV_ERR_USAGE, "time:0");
    check_inert(vv_rechunk(a, "time"), VV_ERR_USAGE, "time:");
    check_inert(vv_rechunk(a, "time:2,time:3"), VV_ERR_USAGE, "twice");
    check_inert(vv_rechunk(a, "tim:2"), VV_ERR_NOT_FOUND, "did you mean 'time'");
}

static void test_views_of_inert_arrays(void **state)
{
    (void)state;
    vv_array *bad = vv_at(numbered("y:2,x:2", "f64"), "x", 5);
    vv_array *all[] = {vv_transpose(bad, NULL),
                       vv_slice(bad, "x", 0, 1, 1),
                       vv_at(bad, "x", 0),
                       vv_flip(bad, "x"),
                       vv_roll(bad, "x", 1),
                       vv_pad(bad, "x", 1, 1, "nan", 0),
                       vv_take(bad, "x", (vv_index[]){0}, 1),
                       vv_expand(bad, "m", 2, 0),
                       vv_rename(bad, "x", "y"),
                       vv_squeeze(bad, NULL),
                       vv_rechunk(bad, "x:1"),
                       vv_group(bad, "time.month"),
                       vv_group_labels(bad, "x", NULL, 0, 1, "g", NULL),
                       vv_ungroup(bad),
                       vv_rolling(bad, "x", 2, "mean", 0, false),
                       vv_window(bad, "mean", "x:2", NULL),
                       vv_convolve(bad, "x", (double[]){1}, 1),
                       vv_cumulative(bad, "sum", "x"),
                       vv_matmul(bad, bad, "x"),
                       vv_node_concat(&context, &bad, 1, "x"),
                       vv_node_stack(&context, &bad, 1, "m")};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) check_inert(all[i], VV_ERR_SHAPE, "position 5");
    assert_null(vv_array_group(bad));
}

/* A long chain of views is freed, and described, without recursion. */
static void test_long_chain(void **state)
{
    (void)state;
    vv_array *start = numbered("y:2,x:5", "f64"), *a = vv_flip(start, "x");
    for (int i = 0; i < 20000; i++) {
        vv_array *next = i % 2 ? vv_flip(a, "x") : vv_roll(a, "x", 1);
        vv_release(&a);
        a = next;
    }
    must(vv_array_status(a));
    vv_release(&a);
    assert_ptr_equal(context.arrays, start);
    assert_null(start->next);
    assert_int_equal(start->references, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_transpose),
        TEST(test_slice),
        TEST(test_at),
        TEST(test_flip_and_roll),
        TEST(test_pad),
        TEST(test_pad_with_values),
        TEST(test_concat),
        TEST(test_many_inputs),
        TEST(test_stack),
        TEST(test_take),
        TEST(test_expand_rename_squeeze),
        TEST(test_rechunk),
        TEST(test_views_of_inert_arrays),
        TEST(test_long_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
