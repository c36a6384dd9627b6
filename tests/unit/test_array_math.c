/* Operands matched by name, windows, scans, products and random numbers: what their results look like. */
#include "array_check.h"

/* --- matching operands --- */

static void test_broadcasting(void **state)
{
    (void)state;
    vv_array *a = numbered("time:2,y:3,x:4", "f64");
    vv_array *yx = vv_at(a, "time", 1), *xy = vv_transpose(yx, NULL), *number = vv_node_scalar(&context, 2);
    vv_array *d = vv_sub(a, xy);
    double want[24];
    for (int i = 0; i < 24; i++) want[i] = i - (12 + i % 12);
    check_shape(d, "v (time: 2, y: 3, x: 4)");
    check_elements(d, 24, want);
    assert_ptr_equal(d->input[0], a); /* no view where none is needed */
    check_elements(vv_sub(a, vv_transpose(a, NULL)), 24, (double[24]){0});
    d = vv_sub(xy, a);
    check_shape(d, "v (x: 4, y: 3, time: 2)");
    for (int x = 0, k = 0; x < 4; x++)
        for (int y = 0; y < 3; y++)
            for (int t = 0; t < 2; t++) want[k++] = 12 * (1 - t);
    check_elements(d, 24, want);
    vv_array *outer = vv_mul(vv_at(xy, "x", 0), vv_at(xy, "y", 0));
    check_shape(outer, "v (y: 3, x: 4)");
    for (int i = 0; i < 12; i++) want[i] = (12 + i / 4 * 4) * (12 + i % 4);
    check_elements(outer, 12, want);
    check_shape(vv_where(number, vv_at(xy, "x", 0), a), "v (y: 3, time: 2, x: 4)");
    check_shape(vv_add(vv_at(vv_at(xy, "x", 0), "y", 0), a), "v (time: 2, y: 3, x: 4)");
    check_coordinate(outer, "x", 4, (double[]){0, 1, 2, 3});
}

static void test_operands_that_do_not_line_up(void **state)
{
    (void)state;
    vv_array *a = numbered("time:2,y:3", "f64"), *b = vv_reduce(numbered("time:2,y:4", "f64"), "mean", "time", NULL);
    check_inert(vv_add(a, b), VV_ERR_SHAPE,
                "add: operands do not line up along 'y': v (time: 2, y: 3) f64, 48 B and v (y: 4) f64, 32 B");
    vv_array *one = vv_slice(a, "y", 0, 1, 1);
    check_inert(vv_add(a, one), VV_ERR_SHAPE, "along 'y'"); /* as xarray: a length of 1 is a length */
    vv_array *many = vv_node_scalar(&context, 1);
    for (int i = 0; i < VV_MAX_DIMS; i++) {
        char name[16];
        snprintf(name, sizeof name, "d%d", i);
        many = vv_expand(many, name, 1, -1);
    }
    must(vv_array_status(many));
    check_inert(vv_add(many, a), VV_ERR_SHAPE, "more than 32 dimensions");
    check_inert(vv_expand(many, "more", 1, 0), VV_ERR_SHAPE, "32 dimensions already");
}

/* Coordinates come from whoever has them. */
static void test_coordinates_of_operands(void **state)
{
    (void)state;
    vv_array *a = numbered("y:3,x:2", "f64");
    vv_array *bare = vv_expand(vv_expand(vv_node_scalar(&context, 1), "x", 2, 0), "m", 2, 0);
    vv_array *sum = vv_add(bare, a);
    check_shape(sum, "scalar (m: 2, x: 2, y: 3)");
    check_coordinate(sum, "x", 2, (double[]){0, 1});
    check_no_coordinate(sum, "m");
    check_coordinate(vv_add(vv_flip(a, "x"), a), "x", 2, (double[]){1, 0}); /* the first one's */
    vv_reduce_options keep = VV_REDUCE_OPTIONS_INIT;
    keep.keep_dims = true;
    check_no_coordinate(vv_reduce(a, "mean", "x", &keep), "x");
    double room[1];
    assert_int_equal(vv_array_coordinate(a, "x", room, 1), VV_ERR_USAGE);
    assert_int_equal(vv_array_coordinate(a, "z", room, 1), VV_ERR_NOT_FOUND);
}

/* --- windows and scans --- */

static const char *op_name(const vv_array *a)
{
    must(vv_array_status(a));
    assert_int_equal(a->kind, VV_NODE_BLOCK);
    return vv_block_ops[a->call.op].name;
}

static void check_window(const vv_array *a, int d, vv_index before, vv_index after, vv_index min_count)
{
    must(vv_array_status(a));
    assert_int_equal(a->call.before[d], before);
    assert_int_equal(a->call.after[d], after);
    assert_int_equal(a->call.min_count, min_count);
}

static void test_rolling(void **state)
{
    (void)state;
    vv_array *a = numbered("time:9,x:2", "f32");
    vv_array *r = vv_rolling(a, "time", 4, "mean", 0, false);
    assert_string_equal(op_name(r), "window_mean");
    check_shape(r, "v (time: 9, x: 2)");
    check_window(r, 0, 3, 0, 4);
    check_window(r, 1, 0, 0, 4);
    check_window(vv_rolling(a, "time", 4, "mean", 2, true), 0, 2, 1, 2); /* pandas and xarray: one more before */
    check_window(vv_rolling(a, "time", 5, "std", 1, true), 0, 2, 2, 1);
    check_window(vv_rolling(a, "x", 1, "max", 0, true), 1, 0, 0, 1);
    check_coordinate(r, "time", 3, (double[]){0, 6, 12});
    assert_int_equal(vv_array_dtype(r), VV_F32);
    vv_array *ints = vv_rolling(numbered("time:9", "i16"), "time", 3, "sum", 1, false);
    assert_int_equal(vv_array_dtype(ints), VV_F64); /* as pandas: there may be gaps */
    assert_int_equal(ints->input[0]->dtype, VV_F64);
    check_inert(vv_rolling(a, "time", 0, "mean", 0, false), VV_ERR_USAGE, "a window of 0");
    check_inert(vv_rolling(a, "time", 3, "mean", 4, false), VV_ERR_USAGE, "4 valid elements");
    check_inert(vv_rolling(a, "time", 3, "meen", 0, false), VV_ERR_USAGE, "did you mean 'mean'");
    check_inert(vv_rolling(a, "time", 3, "weighted", 0, false), VV_ERR_USAGE, "no window 'weighted'");
    check_inert(vv_rolling(a, "times", 3, "mean", 0, false), VV_ERR_NOT_FOUND, "did you mean 'time'");
}

static void test_window(void **state)
{
    (void)state;
    vv_array *a = numbered("time:9,y:20,x:20", "f64");
    vv_window_options o = VV_WINDOW_OPTIONS_INIT;
    vv_array *w = vv_window(a, "max", "y:10,x:3", NULL);
    check_window(w, 0, 0, 0, 30);
    check_window(w, 1, 5, 4, 30);
    check_window(w, 2, 1, 1, 30);
    o.centered = false;
    o.min_count = 7;
    o.ddof = 1;
    o.keep_nan = true;
    w = vv_window(a, "var", "x:3 y:10", &o);
    check_window(w, 1, 9, 0, 7);
    check_window(w, 2, 2, 0, 7);
    assert_true(w->call.ddof == 1);
    assert_true(w->call.keep_nan);
    check_inert(vv_window(a, "max", "y:10,y:3", NULL), VV_ERR_USAGE, "twice");
    check_inert(vv_window(a, "max", "y", NULL), VV_ERR_USAGE, "'y:'");
    check_inert(vv_window(a, "max", "z:2", NULL), VV_ERR_NOT_FOUND, "'z'");
    o.min_count = 31;
    check_inert(vv_window(a, "max", "y:10,x:3", &o), VV_ERR_USAGE, "31 valid elements");
}

static void test_convolve(void **state)
{
    (void)state;
    vv_array *a = numbered("time:9,x:2", "f32");
    double weights[4] = {1, 2, 3, 4};
    vv_array *c = vv_convolve(a, "time", weights, 4);
    weights[0] = 99; /* a copy was made */
    assert_string_equal(op_name(c), "window_weighted");
    check_window(c, 0, 2, 1, 4);
    assert_int_equal(c->call.axis, 0);
    assert_int_equal(c->call.n_weights, 4);
    assert_true(c->call.weight[0] == 1 && c->call.weight[3] == 4);
    check_inert(vv_convolve(a, "time", weights, 0), VV_ERR_USAGE, "0 weights");
    check_inert(vv_convolve(a, "time", (double[]){1, NAN}, 2), VV_ERR_USAGE, "weight 1");
}

static void test_cumulative(void **state)
{
    (void)state;
    static const struct {
        const char *how, *in, *out;
    } known[] = {{"sum", "f32", "f32"}, {"sum", "i16", "i64"}, {"sum", "u8", "u64"}, {"prod", "i32", "i64"},
                 {"min", "i16", "i16"}, {"max", "u8", "u8"},   {"max", "f64", "f64"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        vv_array *c = vv_cumulative(numbered("time:9,x:2", known[i].in), known[i].how, "x");
        assert_string_equal(vv_dtype_name(vv_array_dtype(c)), known[i].out);
        assert_int_equal(c->call.axis, 1);
        assert_true(!strncmp(op_name(c), "cumulative_", 11));
    }
    check_inert(vv_cumulative(numbered("x:2", "f32"), "som", "x"), VV_ERR_USAGE, "did you mean 'sum'");
    check_inert(vv_cumulative(numbered("x:2", "f32"), "sum", "y"), VV_ERR_NOT_FOUND, "'y'");
}

static void test_units(void **state)
{
    (void)state;
    vv_array *a = vv_node_open(vv_dataset_open_in(&context, "virtual:v?shape=time:4"), 1, true); /* time itself */
    must(vv_array_status(a));
    vv_array *var = vv_rolling(a, "time", 2, "var", 0, false), *mean = vv_rolling(a, "time", 2, "mean", 0, false);
    assert_string_equal(vv_attr_text(&mean->attrs, "units"), vv_attr_text(&a->attrs, "units"));
    assert_non_null(strstr(vv_attr_text(&var->attrs, "units"), ")2"));
    assert_string_equal(vv_attr_text(&vv_rolling(a, "time", 2, "count", 0, false)->attrs, "units"), "1");
}

/* --- products --- */

static void test_matmul(void **state)
{
    (void)state;
    vv_array *a = numbered("y:3,x:4", "f32"), *b = numbered("m:2,x:4,k:5", "f32");
    vv_array *p = vv_matmul(a, b, "x");
    check_shape(p, "v (y: 3, m: 2, k: 5)");
    assert_int_equal(p->n_summed, 1);
    assert_int_equal(p->work_dim[0][1], 3);
    assert_int_equal(p->work_dim[1][1], 3);
    assert_int_equal(p->work_dim[1][2], 2);
    assert_int_equal(vv_array_dtype(p), VV_F32);
    check_coordinate(p, "k", 5, (double[]){0, 1, 2, 3, 4});
    check_inert(vv_matmul(a, a, "x"), VV_ERR_SHAPE, "both 'v' and 'v' have a dimension 'y'; vv_rename()");
    check_shape(vv_matmul(a, vv_rename(a, "y", "y2"), "x"), "v (y: 3, y2: 3)");
    check_shape(vv_matmul(vv_at(a, "y", 0), vv_at(a, "y", 1), "x"), "v ()");
    check_inert(vv_matmul(a, vv_slice(b, "x", 0, 3, 1), "x"), VV_ERR_SHAPE,
                "matmul: factors do not line up along 'x' and 'x': v (y: 3, x: 4) f32");
    check_inert(vv_matmul(a, b, "k"), VV_ERR_NOT_FOUND, "no dimension 'k'");
    check_inert(vv_matmul(a, numbered("x:4", "f64"), "x"), VV_ERR_TYPE, "f32");
    assert_int_equal(vv_array_dtype(vv_matmul(numbered("x:4", "i32"), numbered("x:4,z:2", "u8"), "x")), VV_I32);
}

static void test_products_by_names(void **state)
{
    (void)state;
    vv_array *a = numbered("b:2,y:3,x:4", "f32"), *b = numbered("b:2,x:4,k:5", "f32");
    check_shape(vv_dot(a, b, "x"), "v (b: 2, y: 3, k: 5)");
    check_shape(vv_dot(a, b, NULL), "v (y: 3, k: 5)");
    check_shape(vv_matmul(a, b, "x,b"), "v (y: 3, k: 5)");
    check_shape(vv_tensordot(a, numbered("u:3,w:2,v:4", "f32"), "x,y", "v,u"), "v (b: 2, w: 2)");
    check_shape(vv_dot(numbered("y:3", "f32"), numbered("x:4", "f32"), NULL), "v (y: 3, x: 4)");
    check_inert(vv_tensordot(a, b, "x,y", "x"), VV_ERR_USAGE, "lists of different length");
    check_inert(vv_tensordot(a, b, "x,x", "x,k"), VV_ERR_USAGE, "dimension 'x' is named twice");
    check_inert(vv_matmul(a, b, "x"), VV_ERR_SHAPE, "both 'v' and 'v' have a dimension 'b'");
    check_inert(vv_matmul(a, b, ""), VV_ERR_USAGE, "no dimension to sum over");
    check_inert(vv_dot(a, vv_slice(b, "b", 0, 1, 1), "x"), VV_ERR_SHAPE, "along 'b' and 'b': v (b: 2, y: 3, x: 4) f32");
    check_inert(vv_dot(a, b, "y"), VV_ERR_NOT_FOUND, "no dimension 'y'");
}

static vv_array *einsum(const char *letters, vv_array *a, vv_array *b)
{
    return vv_node_einsum(&context, letters, (vv_array *[]){a, b}, b ? 2 : 1);
}

static void test_einsum(void **state)
{
    (void)state;
    vv_array *a = numbered("y:3,x:4", "f32"), *b = numbered("y:4,k:5", "f32");
    check_shape(einsum("ij,jk->ik", a, b), "v (y: 3, k: 5)");
    check_shape(einsum("ij,jk->ki", a, b), "v (k: 5, y: 3)");
    check_shape(einsum("ij, jk", a, b), "v (y: 3, k: 5)");
    check_shape(einsum("ij,kj->ik", a, a), "v (y: 3, k: 3)");
    check_shape(einsum("ij,ij->ij", a, a), "v (y: 3, x: 4)");
    check_shape(einsum("ij,pq->ijpq", a, b), "v (y: 3, x: 4, p: 4, k: 5)");
    check_shape(einsum("ij->j", a, NULL), "v (x: 4)");
    check_shape(einsum("ij->ji", a, NULL), "v (x: 4, y: 3)");
    check_shape(einsum("ij->", a, NULL), "v ()");
    check_inert(einsum("ij,jk->ik", a, a), VV_ERR_SHAPE, "einsum: factors do not line up along 'x' and 'y'");
    check_inert(einsum("ij,k->ik", a, b), VV_ERR_SHAPE, "'v' has 2 dimensions, its term has 1 letters");
    check_shape(einsum("...j->...", a, NULL), "v (y: 3)");
    check_shape(einsum("...ij,jk", a, b), "v (y: 3, k: 5)");
    check_shape(einsum("...j,jk->k...", a, b), "v (k: 5, y: 3)");
    check_inert(einsum("ii->i", a, NULL), VV_ERR_SHAPE, "a diagonal of 'v' along 'y' with 3 elements and 'x' with 4");
    check_inert(einsum("ij->ii", a, NULL), VV_ERR_USAGE, "a letter stands twice in the result");
    check_inert(einsum("...j->j", a, NULL), VV_ERR_USAGE, "behind an ellipsis, and the result has none");
    check_inert(einsum("......j->j", a, NULL), VV_ERR_USAGE, "only letters");
    check_inert(einsum("ij->k", a, NULL), VV_ERR_USAGE, "a letter that no array has");
    check_inert(einsum("ij", a, b), VV_ERR_USAGE, "fewer terms than arrays");
    check_inert(einsum("ij,jk,kl", a, b), VV_ERR_USAGE, "more terms than arrays");
    check_inert(einsum("i1->i", a, NULL), VV_ERR_USAGE, "only letters");
}

static void test_covariance(void **state)
{
    (void)state;
    vv_array *a = numbered("station:3,time:4", "f32");
    check_shape(vv_cov_matrix(a, "time", "other", 1), "v (station: 3, other: 3)");
    check_shape(vv_corrcoef(a, "time", "other"), "v (station: 3, other: 3)");
    check_shape(vv_cov(a, a, "time", 1), "v (station: 3)");
    check_shape(vv_corr(a, vv_at(a, "station", 0), "time"), "v (station: 3)");
    check_inert(vv_cov_matrix(vv_at(a, "time", 0), "station", "other", 1), VV_ERR_SHAPE, "of two dimensions");
}

/* --- random numbers --- */

static vv_array *random_array(const char *kind, const char *dims, const char *chunks, vv_dtype type)
{
    return vv_node_random(&context, kind, NAN, NAN, dims, chunks, 42, type);
}

static void test_random(void **state)
{
    (void)state;
    for (int i = 0; vv_random_name(i); i++) {
        assert_true(strlen(vv_random_help(i)) > 0);
        vv_dtype type = vv_random_kinds[i].real ? VV_F32 : VV_I64;
        vv_array *a = random_array(vv_random_name(i), "x:30,y:50", "x:10", type);
        must(vv_array_status(a));
        assert_int_equal(vv_array_dtype(a), type);
        assert_true(a->random.a == vv_random_kinds[i].a && a->random.b == vv_random_kinds[i].b);
        assert_true(a->random.seed == 42);
        check_inert(random_array(vv_random_name(i), "x:3", NULL, VV_I16), VV_ERR_TYPE, "i16");
    }
    assert_null(vv_random_name(-1));
    vv_array *a = random_array("uniform", "x:30,y:50", "x:10,y:all", VV_F64);
    char text[200];
    assert_string_equal(vv_describe(a, text, sizeof text), "uniform (x: 30, y: 50) f64, chunks 10 x 50, 12.0 kB");
    assert_int_equal(random_array("uniform", "x:30", NULL, VV_F64)->chunk[0], 0);
    check_no_coordinate(a, "x");
    vv_array *between = vv_node_random(&context, "uniform", -1, 4, "x:3", NULL, 1, VV_F64);
    assert_true(between->random.a == -1 && between->random.b == 4);
    check_inert(random_array("unifrom", "x:3", NULL, VV_F32), VV_ERR_USAGE, "did you mean 'uniform'");
    check_inert(random_array("uniform", "x:3,x:4", NULL, VV_F32), VV_ERR_USAGE, "twice");
    check_inert(random_array("uniform", "x:-3", NULL, VV_F32), VV_ERR_USAGE, "x:-3");
    check_inert(random_array("uniform", "x:3", "y:3", VV_F32), VV_ERR_NOT_FOUND, "'y'");
    check_inert(random_array("uniform", "x:4000000000,y:4000000000,z:4000000000", NULL, VV_F32), VV_ERR_SHAPE, "2^63");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_broadcasting),
        TEST(test_operands_that_do_not_line_up),
        TEST(test_coordinates_of_operands),
        TEST(test_rolling),
        TEST(test_window),
        TEST(test_convolve),
        TEST(test_cumulative),
        TEST(test_units),
        TEST(test_matmul),
        TEST(test_products_by_names),
        TEST(test_einsum),
        TEST(test_covariance),
        TEST(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
