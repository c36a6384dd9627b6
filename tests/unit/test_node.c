/* Lazy nodes: inert chains, shapes, types, labels, references, and how arrays describe themselves. */
#include "scratch.h"

#include "array/node.h"
#include "varve/move.h"

static vv_context context;

static int fresh(void **state)
{
    (void)state;
    context = (vv_context){0};
    vv_error_clear();
    return 0;
}

static int done(void **state)
{
    (void)state;
    vv_context_free(&context);
    return 0;
}

static vv_array *open_array(const char *path, const char *variable)
{
    return vv_dataset_array(vv_dataset_open_in(&context, path), variable);
}

static vv_array *t2m(const char *dtype)
{
    char path[256];
    snprintf(path, sizeof path, "virtual:t2m?shape=time:2920,lat:361,lon:720&chunk=24,181,360&dtype=%s", dtype);
    vv_array *a = open_array(path, "t2m");
    must(vv_array_status(a));
    return a;
}

static int nodes(void)
{
    int n = 0;
    for (vv_array *a = context.arrays; a; a = a->next) n++;
    return n;
}

/* --- inert --- */

static void test_inert_chain(void **state)
{
    (void)state;
    vv_array *a = open_array("no/such/file.nc", "t2m");
    vv_error_clear();
    vv_array *anomaly = vv_sub(a, vv_mean(a, "time"));
    vv_array *end =
        vv_sqrt(vv_max(vv_where(vv_greater(anomaly, vv_node_scalar(&context, 0)), anomaly, a), "no such dim"));
    vv_error_clear();
    assert_int_equal(vv_array_status(end), VV_ERR_NOT_FOUND);
    assert_message("no/such/file.nc"); /* the first cause, not a later one */
    assert_int_equal(vv_array_n_dims(end), 0);
    assert_string_equal(vv_array_name(end), "");
    assert_string_equal(vv_array_dim(end, 0), "");
    assert_int_equal(vv_array_length(end, 0), 0);
    char text[200];
    vv_describe(end, text, sizeof text);
    assert_non_null(strstr(text, "inert"));
    assert_non_null(strstr(text, "no/such/file.nc"));
}

static void test_first_cause_wins(void **state)
{
    (void)state;
    vv_array *t = t2m("f32");
    vv_array *first = vv_mean(t, "tiem");
    vv_array *second = vv_reduce(t, "meen", NULL, NULL);
    (void)vv_add(first, second);
    vv_array *left = vv_add(first, second), *right = vv_add(second, first);
    assert_int_equal(vv_array_status(left), VV_ERR_NOT_FOUND);
    assert_message("did you mean 'time'");
    assert_message("time, lat, lon");
    assert_int_equal(vv_array_status(right), VV_ERR_USAGE);
    assert_message("did you mean 'mean'");
}

static void test_missing_variable(void **state)
{
    (void)state;
    vv_array *a = open_array("virtual:t2m?shape=time:4", "t2n");
    assert_int_equal(vv_array_status(a), VV_ERR_NOT_FOUND);
    assert_message("did you mean 't2m'");
    vv_dataset *d = vv_dataset_open_in(&context, "virtual:nonsense?shape=");
    assert_int_equal(vv_dataset_status(vv_dataset_open_in(&context, "virtual:x?shpae=time:4")), VV_ERR_USAGE);
    must(vv_dataset_status(d));
}

static void test_inert_dataset(void **state)
{
    (void)state;
    vv_dataset *d = vv_dataset_open_in(&context, "no/such/file.nc");
    assert_int_equal(vv_dataset_status(d), VV_ERR_NOT_FOUND);
    assert_ptr_equal(vv_dataset_open_in(&context, "no/such/file.nc"), d); /* once per path */
    assert_int_equal(vv_dataset_n_vars(d), 0);
    assert_int_equal(vv_dataset_n_dims(d), 0);
    assert_int_equal(vv_dataset_n_attrs(d, -1), 0);
    assert_int_equal(vv_dataset_n_attrs(d, 3), 0);
    assert_int_equal(vv_dataset_find_var(d, "t"), -1);
    assert_message("no/such/file.nc");
    assert_int_equal(vv_dataset_find_dim(d, "t"), -1);
    assert_string_equal(vv_dataset_var(d, 0).name, "");
    assert_string_equal(vv_dataset_dim(d, 0).name, "");
    assert_string_equal(vv_dataset_path(d), "no/such/file.nc");
    assert_string_equal(vv_dataset_format(d), "");
    assert_null(vv_dataset_attr_text(d, 0, "units"));
    double x;
    assert_int_equal(vv_dataset_read(d, 0, &x, 1), VV_ERR_NOT_FOUND);
    assert_false(vv_dataset_time_text(d, 0, 0, (char[32]){0}, 32));
}

/* --- shapes, types, labels --- */

static void check_dims(const vv_array *a, int nd, const char *const names[], const vv_index lengths[])
{
    must(vv_array_status(a));
    assert_int_equal(vv_array_n_dims(a), nd);
    for (int d = 0; d < nd; d++) {
        assert_string_equal(vv_array_dim(a, d), names[d]);
        assert_int_equal(vv_array_length(a, d), lengths[d]);
    }
    assert_string_equal(vv_array_dim(a, nd), "");
    assert_string_equal(vv_array_dim(a, -1), "");
    assert_int_equal(vv_array_length(a, nd), 0);
}

static void test_reduced_dims(void **state)
{
    (void)state;
    vv_array *t = t2m("f32");
    check_dims(t, 3, (const char *[]){"time", "lat", "lon"}, (vv_index[]){2920, 361, 720});
    check_dims(vv_mean(t, "time"), 2, (const char *[]){"lat", "lon"}, (vv_index[]){361, 720});
    check_dims(vv_mean(t, "lat"), 2, (const char *[]){"time", "lon"}, (vv_index[]){2920, 720});
    check_dims(vv_mean(t, "lon,time"), 1, (const char *[]){"lat"}, (vv_index[]){361});
    check_dims(vv_mean(t, " lon , lon"), 2, (const char *[]){"time", "lat"}, (vv_index[]){2920, 361});
    check_dims(vv_mean(t, NULL), 0, NULL, NULL);
    check_dims(vv_mean(t, ""), 0, NULL, NULL);
    vv_reduce_options keep = VV_REDUCE_OPTIONS_INIT;
    keep.keep_dims = true;
    check_dims(vv_reduce(t, "max", "lat", &keep), 3, (const char *[]){"time", "lat", "lon"},
               (vv_index[]){2920, 1, 720});
    check_dims(vv_reduce(t, "max", NULL, &keep), 3, (const char *[]){"time", "lat", "lon"}, (vv_index[]){1, 1, 1});
    char longest[400];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    assert_int_equal(vv_array_status(vv_mean(t, longest)), VV_ERR_USAGE);
    assert_int_equal(vv_array_status(vv_mean(t, "time,height")), VV_ERR_NOT_FOUND);
    check_dims(vv_add(t, t), 3, (const char *[]){"time", "lat", "lon"}, (vv_index[]){2920, 361, 720});
}

static void test_reduced_types(void **state)
{
    (void)state;
    static const struct {
        const char *how, *in, *out;
    } known[] = {{"mean", "f32", "f32"}, {"mean", "f64", "f64"}, {"mean", "i16", "f64"},  {"mean", "u8", "f64"},
                 {"sum", "f32", "f32"},  {"sum", "i16", "i64"},  {"sum", "u8", "u64"},    {"sum", "u32", "u64"},
                 {"min", "i16", "i16"},  {"max", "u8", "u8"},    {"max", "f32", "f32"},   {"min", "i64", "i64"},
                 {"std", "f32", "f32"},  {"var", "i32", "f64"},  {"count", "f32", "i64"}, {"prod", "i8", "i64"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        vv_array *a = vv_reduce(t2m(known[i].in), known[i].how, "time", NULL);
        must(vv_array_status(a));
        if (strcmp(vv_dtype_name(vv_array_dtype(a)), known[i].out))
            fail_msg("%s of %s: %s", known[i].how, known[i].in, vv_dtype_name(vv_array_dtype(a)));
    }
    for (int i = 0; vv_reduction_name(i); i++) { /* whatever is registered has a type and a help text */
        assert_true(strlen(vv_reduction_help(i)) > 3);
        vv_array *a = vv_reduce(t2m("f32"), vv_reduction_name(i), "time", NULL);
        must(vv_array_status(a));
        assert_int_not_equal(vv_array_dtype(a), VV_NONE);
    }
    assert_null(vv_reduction_name(-1));
    assert_null(vv_reduction_help(1000));
}

static vv_dtype type_of(vv_array *a)
{
    must(vv_array_status(a));
    return vv_array_dtype(a);
}

/* NumPy's types, where truth values are i64. */
static void test_elementwise_types(void **state)
{
    (void)state;
    vv_array *f32 = t2m("f32"), *f64 = t2m("f64"), *i16 = t2m("i16"), *u8 = t2m("u8"), *i64 = t2m("i64"),
             *u64 = t2m("u64");
    vv_array *number = vv_node_scalar(&context, 2.5);
    assert_int_equal(type_of(vv_add(f32, f32)), VV_F32);
    assert_int_equal(type_of(vv_add(f32, f64)), VV_F64);
    assert_int_equal(type_of(vv_add(f32, i16)), VV_F32);
    assert_int_equal(type_of(vv_add(i16, u8)), VV_I16);
    assert_int_equal(type_of(vv_add(i64, u64)), VV_F64);
    assert_int_equal(type_of(vv_multiply(f32, number)), VV_F32); /* a number does not widen */
    assert_int_equal(type_of(vv_multiply(number, f32)), VV_F32);
    assert_int_equal(type_of(vv_multiply(i16, number)), VV_F64);
    assert_int_equal(type_of(vv_divide(i16, i16)), VV_F64);
    assert_int_equal(type_of(vv_sqrt(f32)), VV_F32);
    assert_int_equal(type_of(vv_sqrt(i64)), VV_F64);
    assert_int_equal(type_of(vv_negative(i16)), VV_I16);
    assert_int_equal(type_of(vv_greater(f32, f32)), VV_BOOL);
    assert_int_equal(type_of(vv_isnan(f32)), VV_BOOL);
    assert_int_equal(type_of(vv_multiply(i16, i16)), VV_I16); /* wrapped */
    assert_int_equal(type_of(vv_bitwise_and(i16, u8)), VV_I16);
    assert_int_equal(type_of(vv_arctan2(u8, i16)), VV_F64);
    assert_int_equal(type_of(vv_astype(f32, VV_U16)), VV_U16);
    assert_int_equal(type_of(vv_astype(i16, VV_F32)), VV_F32);
    assert_int_equal(type_of(vv_astype(f64, VV_BOOL)), VV_BOOL);
    assert_int_equal(type_of(vv_power(f32, vv_node_scalar(&context, 2))), VV_F32);
    vv_array *truth = vv_isnan(f32), *bits = vv_bitwise_or(f32, f32), *less = vv_subtract(truth, truth);
    assert_int_equal(type_of(vv_add(truth, truth)), VV_BOOL);
    assert_int_equal(type_of(vv_invert(truth)), VV_BOOL);
    assert_int_equal(vv_array_status(bits), VV_ERR_TYPE);
    assert_int_equal(vv_array_status(less), VV_ERR_TYPE);
    assert_int_equal(type_of(vv_astype(f32, VV_C64)), VV_C64);
    assert_int_equal(vv_array_status(vv_astype(vv_astype(f32, VV_C64), VV_F64)), VV_ERR_TYPE);
    assert_message("vv_real()");
    vv_array *c64 = vv_make_complex(f32, f32), *i = vv_node_complex_scalar(&context, 0, 1);
    assert_int_equal(type_of(c64), VV_C64);
    assert_int_equal(type_of(vv_add(f32, i)), VV_C64);
    assert_int_equal(type_of(vv_add(i16, i)), VV_C128);
    assert_int_equal(type_of(vv_add(c64, f64)), VV_C128);
    assert_int_equal(type_of(vv_add(c64, number)), VV_C64);
    assert_int_equal(type_of(vv_absolute(c64)), VV_F32);
    assert_int_equal(type_of(vv_imag(f64)), VV_F64);
    assert_int_equal(type_of(vv_equal(c64, i)), VV_BOOL);
    assert_int_equal(type_of(vv_mean(c64, NULL)), VV_C64);
    assert_int_equal(type_of(vv_std(c64, NULL)), VV_F32);
    assert_int_equal(vv_array_status(vv_floor(c64)), VV_ERR_TYPE);
    assert_int_equal(vv_array_status(vv_max(c64, NULL)), VV_ERR_TYPE);
    assert_message("no order");
    assert_int_equal(vv_array_status(vv_median(c64, "time")), VV_ERR_TYPE);
    assert_int_equal(type_of(vv_sort(c64, "time")), VV_C64);
    assert_int_equal(type_of(vv_argsort(c64, "time")), VV_I64);
    assert_int_equal(type_of(vv_add(number, number)), VV_F64);
}

/* The condition of where() decides nothing about the type of what is chosen. */
static void test_where_type(void **state)
{
    (void)state;
    vv_array *f32 = t2m("f32"), *f64 = t2m("f64"), *i16 = t2m("i16"), *number = vv_node_scalar(&context, 0);
    vv_array *condition = vv_greater(f32, number);
    assert_int_equal(type_of(vv_where(condition, f32, f32)), VV_F32);
    assert_int_equal(type_of(vv_where(condition, f32, number)), VV_F32);
    assert_int_equal(type_of(vv_where(condition, number, f32)), VV_F32);
    assert_int_equal(type_of(vv_where(f64, f32, f32)), VV_F32);
    assert_int_equal(type_of(vv_where(f64, i16, i16)), VV_I16);
    assert_int_equal(type_of(vv_where(i16, f32, f64)), VV_F64);
    assert_int_equal(type_of(vv_where(f32, number, number)), VV_F64);
}

static void test_operands_line_up(void **state)
{
    (void)state;
    vv_array *t = t2m("f32");
    vv_array *other = open_array("virtual:x?shape=time:2920,lat:361,lon:720", "x");
    vv_array *named = open_array("virtual:x?shape=t:2920,lat:361,lon:720", "x");
    vv_array *shorter = open_array("virtual:x?shape=time:2919,lat:361,lon:720", "x");
    must(vv_array_status(vv_add(t, other)));
    assert_int_equal(vv_array_n_dims(vv_add(t, named)), 4); /* another name is another dimension */
    assert_int_equal(vv_array_status(vv_add(t, shorter)), VV_ERR_SHAPE);
    assert_message("2919");
    assert_int_equal(vv_array_status(vv_where(t, other, shorter)), VV_ERR_SHAPE);
    assert_int_equal(vv_array_status(vv_node_elementwise(&context, "sqrt", (vv_array *[]){t, t}, 2)), VV_ERR_USAGE);
    assert_int_equal(vv_array_status(vv_node_elementwise(&context, "squirt", (vv_array *[]){t}, 1)), VV_ERR_USAGE);
    assert_message("squirt");
}

static void test_names(void **state)
{
    (void)state;
    vv_array *t = t2m("f32"), *number = vv_node_scalar(&context, 1);
    assert_string_equal(vv_array_name(t), "t2m");
    assert_string_equal(vv_array_name(vv_mean(t, "time")), "t2m");
    assert_string_equal(vv_array_name(vv_sub(number, t)), "t2m");
    assert_string_equal(vv_array_name(vv_sub(t, number)), "t2m");
}

static void test_describe(void **state)
{
    (void)state;
    vv_array *t = t2m("f32");
    char text[400];
    assert_string_equal(vv_describe(t, text, sizeof text),
                        "t2m (time: 2920, lat: 361, lon: 720) f32, chunks 24 x 181 x 360, 3.04 GB");
    assert_string_equal(vv_describe(vv_mean(t, "time"), text, sizeof text),
                        "t2m (lat: 361, lon: 720) f32, chunks 181 x 360, 1.04 MB");
    assert_string_equal(vv_describe(vv_transpose(vv_sqrt(vv_add(t, t)), NULL), text, sizeof text),
                        "t2m (lon: 720, lat: 361, time: 2920) f32, chunks 360 x 181 x 24, 3.04 GB");
    assert_string_equal(vv_describe(vv_rechunk(t, "time:auto,lon:-1"), text, sizeof text),
                        "t2m (time: 2920, lat: 361, lon: 720) f32, chunks 23 x 181 x 720, 3.04 GB");
    assert_string_equal(vv_describe(vv_rechunk(t, "1MB"), text, sizeof text),
                        "t2m (time: 2920, lat: 361, lon: 720) f32, chunks 46 x 46 x 90, 3.04 GB");
    assert_string_equal(vv_describe(vv_mean(t, NULL), text, sizeof text), "t2m () f32, 4 B");
    char whole[400];
    vv_describe(t, whole, sizeof whole);
    for (size_t size = 1; size < 90; size++) {
        char *exact = malloc(size);
        vv_describe(t, exact, size);
        assert_true(strlen(exact) == (size - 1 < strlen(whole) ? size - 1 : strlen(whole)));
        assert_memory_equal(exact, whole, strlen(exact));
        free(exact);
    }
    vv_describe(t, whole, 0);
}

/* --- references --- */

static void test_release_order(void **state)
{
    (void)state;
    vv_array *none = NULL;
    vv_release(&none);
    vv_array *t = t2m("f32"), *m = vv_mean(t, "time"), *s = vv_std(t, "time"), *d = vv_sub(m, s);
    assert_int_equal(nodes(), 4);
    vv_release(&t);
    assert_null(t);
    assert_int_equal(nodes(), 4); /* still wanted by both reductions */
    vv_release(&m);
    vv_release(&s);
    assert_int_equal(nodes(), 4);
    check_dims(d, 2, (const char *[]){"lat", "lon"}, (vv_index[]){361, 720});
    vv_release(&d);
    assert_int_equal(nodes(), 0);
}

static void test_release_twice_used(void **state)
{
    (void)state;
    vv_array *t = t2m("f32"), *twice = vv_add(t, t);
    vv_release(&twice);
    assert_int_equal(nodes(), 1);
    must(vv_array_status(t));
    vv_array *w = vv_where(t, t, t);
    vv_release(&t);
    assert_int_equal(nodes(), 2);
    vv_release(&w);
    assert_int_equal(nodes(), 0);
}

static void test_failed_builders_leave_nothing(void **state)
{
    (void)state;
    vv_array *t = t2m("f32");
    vv_array *bad[] = {vv_mean(t, "nowhere"), vv_reduce(t, "nothing", NULL, NULL),
                       vv_add(t, open_array("virtual:x?shape=time:3", "x"))};
    for (int i = 0; i < 3; i++) {
        assert_int_not_equal(vv_array_status(bad[i]), VV_OK);
        vv_release(&bad[i]);
    }
    assert_int_equal(nodes(), 2); /* t and x */
    assert_int_equal(t->references, 1);
}

/* A long chain that is let go of at once, and a deep one that shares everything. */
static void test_deep(void **state)
{
    (void)state;
    vv_array *t = t2m("f32"), *a = vv_add(t, t);
    for (int i = 0; i < 200000; i++) {
        vv_array *next = vv_add(a, t);
        vv_release(&a);
        a = next;
    }
    must(vv_array_status(a));
    assert_int_equal(nodes(), 200002);
    vv_release(&a);
    assert_int_equal(nodes(), 1);
    a = vv_add(t, t);
    for (int i = 0; i < 60; i++) {
        vv_array *next = vv_add(a, a);
        vv_release(&a);
        a = next;
    }
    vv_release(&a);
    assert_int_equal(nodes(), 1);
}

static void test_datasets_once(void **state)
{
    (void)state;
    vv_dataset *d = vv_dataset_open_in(&context, "virtual:t2m?shape=time:4,lat:3");
    assert_ptr_equal(vv_dataset_open_in(&context, "virtual:t2m?shape=time:4,lat:3"), d);
    assert_ptr_not_equal(vv_dataset_open_in(&context, "virtual:t2m?shape=time:5,lat:3"), d);
    assert_int_equal(vv_dataset_n_vars(d), 3);
    assert_int_equal(vv_dataset_find_var(d, "lat"), 2);
    double hours[4];
    must(vv_dataset_read(d, vv_dataset_find_var(d, "time"), hours, 4));
    assert_true(hours[3] == 18);
    char text[32];
    assert_true(vv_dataset_time_text(d, vv_dataset_find_var(d, "time"), hours[3], text, sizeof text));
    assert_string_equal(text, "1990-01-01 18:00");
    assert_false(vv_dataset_time_text(d, vv_dataset_find_var(d, "lat"), 1, text, sizeof text));
    assert_int_equal(vv_dataset_read(d, 0, hours, 4), VV_ERR_USAGE); /* no room for 12 values */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_inert_chain),
        TEST(test_first_cause_wins),
        TEST(test_missing_variable),
        TEST(test_inert_dataset),
        TEST(test_reduced_dims),
        TEST(test_reduced_types),
        TEST(test_elementwise_types),
        TEST(test_where_type),
        TEST(test_operands_line_up),
        TEST(test_names),
        TEST(test_describe),
        TEST(test_release_order),
        TEST(test_release_twice_used),
        TEST(test_failed_builders_leave_nothing),
        TEST(test_deep),
        TEST(test_datasets_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
