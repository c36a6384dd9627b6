/* CF conventions: how attributes say that values are decoded (as xarray decodes them), roles of variables, attributes of results. */
#include "scratch.h"

#include "array/node.h"

#include <math.h>

/* A variable without a file: numbers as attributes, in the type given. */
static vv_variable variable;

static int fresh(void **state)
{
    (void)state;
    variable = (vv_variable){.name = (char *)"x", .type = VV_F32, .deflate = -1};
    return 0;
}

static int done(void **state)
{
    (void)state;
    while (variable.attrs.n) vv_attr_remove(&variable.attrs, variable.attrs.item[0].name);
    free(variable.attrs.item);
    variable.attrs = (vv_attrs){0};
    return 0;
}

static void attr(const char *name, vv_dtype type, double value)
{
    char element[16];
    vv_dtype_store(type, element, value);
    must(vv_attr_set(&variable.attrs, name, type, 1, element));
}

static vv_decode decoded(vv_dtype *dtype)
{
    vv_decode d;
    must(vv_cf_decode(&variable, &d, dtype));
    return d;
}

/* Element types that xarray gives (an offset always means f64, as in its newer releases), by stored type and by attributes: none, _FillValue, missing_value, scale_factor,
 * add_offset, scale and offset, fill and scale, all three, scale_factor as f32. */
static void test_types(void **state)
{
    (void)state;
    enum { CASES = 9 };
    static const struct {
        bool fill, missing, scale, offset;
        vv_dtype type; /* of the scale */
    } with[CASES] = {{0, 0, 0, 0, VV_F64}, {1, 0, 0, 0, VV_F64}, {0, 1, 0, 0, VV_F64},
                     {0, 0, 1, 0, VV_F64}, {0, 0, 0, 1, VV_F64}, {0, 0, 1, 1, VV_F64},
                     {1, 0, 1, 0, VV_F64}, {1, 0, 1, 1, VV_F64}, {0, 0, 1, 0, VV_F32}};
    static const char *const table[][CASES + 1] = {
        {"i8", "i8", "f32", "f32", "f32", "f64", "f64", "f32", "f64", "f32"},
        {"i16", "i16", "f32", "f32", "f32", "f64", "f64", "f32", "f64", "f32"},
        {"i32", "i32", "f64", "f64", "f64", "f64", "f64", "f64", "f64", "f64"},
        {"i64", "i64", "f64", "f64", "f64", "f64", "f64", "f64", "f64", "f64"},
        {"u8", "u8", "f32", "f32", "f32", "f64", "f64", "f32", "f64", "f32"},
        {"u16", "u16", "f32", "f32", "f32", "f64", "f64", "f32", "f64", "f32"},
        {"u32", "u32", "f64", "f64", "f64", "f64", "f64", "f64", "f64", "f64"},
        {"u64", "u64", "f64", "f64", "f64", "f64", "f64", "f64", "f64", "f64"},
        {"f32", "f32", "f32", "f32", "f32", "f32", "f32", "f32", "f32", "f32"},
        {"f64", "f64", "f64", "f64", "f64", "f64", "f64", "f64", "f64", "f64"},
    };
    for (size_t t = 0; t < sizeof table / sizeof *table; t++)
        for (int k = 0; k < CASES; k++) {
            done(state);
            variable.type = vv_dtype_parse(table[t][0]);
            if (with[k].fill) attr("_FillValue", variable.type, 1);
            if (with[k].missing) attr("missing_value", variable.type, 1);
            if (with[k].scale) attr("scale_factor", with[k].type, 2);
            if (with[k].offset) attr("add_offset", VV_F64, 1);
            vv_dtype type;
            vv_decode d = decoded(&type);
            if (strcmp(vv_dtype_name(type), table[t][k + 1]))
                fail_msg("%s, case %d: %s, not %s", table[t][0], k, vv_dtype_name(type), table[t][k + 1]);
            assert_int_equal(d.stored, variable.type);
            assert_int_equal(d.scaled, with[k].scale || with[k].offset);
            assert_true(d.scale == (with[k].scale ? 2 : 1) && d.offset == with[k].offset);
            assert_int_equal(d.n_missing, with[k].fill || with[k].missing);
            assert_int_equal(d.out, d.scaled || d.n_missing ? type : vv_working_type(variable.type));
        }
}

static void test_no_numbers(void **state)
{
    (void)state;
    vv_decode d;
    vv_dtype type;
    variable.type = VV_NONE;
    variable.type_text = (char *)"string";
    assert_int_equal(vv_cf_decode(&variable, &d, &type), VV_ERR_TYPE);
    assert_message("string");
    variable.type = VV_C64; /* of which CF knows nothing */
    assert_int_equal(vv_cf_decode(&variable, &d, &type), VV_OK);
    assert_int_equal(type, VV_C64);
    assert_true(vv_decode_is_plain(&d));
}

/* --- missing values, by what happens to elements --- */

static void check_values(const void *stored, int n, const double *expected)
{
    double out[16];
    vv_dtype type;
    vv_decode d = decoded(&type);
    if (d.out == VV_F32) {
        float narrow[16];
        vv_decode_range(&d, stored, n, 0, n, narrow);
        for (int i = 0; i < n; i++) out[i] = narrow[i];
    } else {
        assert_int_equal(d.out, VV_F64);
        vv_decode_range(&d, stored, n, 0, n, out);
    }
    for (int i = 0; i < n; i++)
        if (isnan(expected[i]) ? !isnan(out[i]) : out[i] != expected[i])
            fail_msg("element %d: %g, not %g", i, out[i], expected[i]);
}

static void test_missing_that_no_element_equals(void **state)
{
    (void)state;
    static const double strange[] = {0.5, 1e20, -1e20, 40000, -40000, 1e300, INFINITY};
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        variable.type = VV_I16;
        attr("missing_value", VV_F64, strange[i]);
        check_values((int16_t[]){0, -32768, 32767, 1, -25536}, 5, (double[]){0, -32768, 32767, 1, -25536});
    }
    variable.type = VV_U8;
    attr("missing_value", VV_I16, -1);
    check_values((uint8_t[]){0, 255, 254}, 3, (double[]){0, 255, 254});
    attr("missing_value", VV_I16, 300);
    check_values((uint8_t[]){0, 255, 44}, 3, (double[]){0, 255, 44});
    variable.type = VV_F32;
    attr("missing_value", VV_F64, 1e300);
    check_values((float[]){INFINITY, 1}, 2, (double[]){INFINITY, 1});
}

static void test_missing_in_other_types(void **state)
{
    (void)state;
    variable.type = VV_I16;
    attr("missing_value", VV_F64, 2);
    check_values((int16_t[]){1, 2, 3}, 3, (double[]){1, NAN, 3});
    variable.type = VV_F32;
    attr("missing_value", VV_F64, 0.1); /* compared as stored: in f32 */
    check_values((float[]){0.1f, 1}, 2, (double[]){NAN, 1});
    variable.type = VV_F64;
    attr("missing_value", VV_F32, 0.1);
    check_values((double[]){0.1, 0.1f}, 2, (double[]){0.1, NAN});
    attr("missing_value", VV_F64, NAN); /* NaN is NaN anyway */
    check_values((double[]){0.1, NAN}, 2, (double[]){0.1, NAN});
}

static void test_wide_missing(void **state)
{
    (void)state;
    variable.type = VV_I64;
    must(vv_attr_set(&variable.attrs, "_FillValue", VV_I64, 1, &(int64_t){INT64_MAX - 1}));
    vv_dtype type;
    vv_decode d = decoded(&type);
    assert_int_equal(d.n_missing, 1);
    assert_true(d.missing[0].i == INT64_MAX - 1);
    variable.type = VV_U64;
    must(vv_attr_set(&variable.attrs, "_FillValue", VV_U64, 1, &(uint64_t){UINT64_MAX - 1}));
    d = decoded(&type);
    assert_true(d.missing[0].u == UINT64_MAX - 1);
}

/* The usual pair of equal values is one comparison; different ones count separately; too many are no silent loss. */
static void test_several_missing(void **state)
{
    (void)state;
    vv_dtype type;
    vv_decode d;
    attr("_FillValue", VV_F32, 1e20);
    attr("missing_value", VV_F64, 1e20);
    d = decoded(&type);
    assert_int_equal(d.n_missing, 1);
    check_values((float[]){1e20f, 1}, 2, (double[]){NAN, 1});
    attr("missing_value", VV_F32, -7);
    check_values((float[]){1e20f, 1, -7}, 3, (double[]){NAN, 1, NAN});
    must(vv_attr_set(&variable.attrs, "missing_value", VV_F32, 3, (float[]){1, 2, 3}));
    check_values((float[]){1e20f, 1, 2, 3, 4}, 5, (double[]){NAN, NAN, NAN, NAN, 4});
    must(vv_attr_set(&variable.attrs, "missing_value", VV_F32, 4, (float[]){1, 2, 3, 4}));
    assert_int_equal(vv_cf_decode(&variable, &d, &type), VV_ERR_UNSUPPORTED);
}

static void test_valid_ranges(void **state)
{
    (void)state;
    vv_dtype type;
    variable.type = VV_I16;
    must(vv_attr_set(&variable.attrs, "valid_range", VV_I16, 2, (int16_t[]){-5, 7}));
    check_values((int16_t[]){-6, -5, 0, 7, 8}, 5, (double[]){NAN, -5, 0, 7, NAN});
    (void)decoded(&type);
    assert_int_equal(type, VV_F32);
    attr("scale_factor", VV_F64, 0.1);
    attr("add_offset", VV_F64, 1);
    check_values((int16_t[]){-6, -5, 7, 8}, 4, (double[]){NAN, -5 * 0.1 + 1, 7 * 0.1 + 1, NAN});
    /* real bounds of whole numbers speak of what they unpack to, exactly */
    vv_attr_remove(&variable.attrs, "valid_range");
    for (int k = -50; k < 50; k++) {
        attr("valid_min", VV_F64, k * 0.1 + 1);
        check_values((int16_t[]){(int16_t)(k - 1), (int16_t)k}, 2, (double[]){NAN, k * 0.1 + 1});
    }
    attr("scale_factor", VV_F64, -0.1);
    for (int k = -50; k < 50; k++) {
        attr("valid_min", VV_F64, k * -0.1 + 1);
        check_values((int16_t[]){(int16_t)(k + 1), (int16_t)k}, 2, (double[]){NAN, k * -0.1 + 1});
    }
    done(state);
    variable.type = VV_I8; /* borrowed for 0..255: so are the bounds */
    must(vv_attr_set_text(&variable.attrs, "_Unsigned", "true"));
    must(vv_attr_set(&variable.attrs, "valid_range", VV_I8, 2, (int8_t[]){1, -56}));
    check_values((int8_t[]){0, 1, -56, -55}, 4, (double[]){NAN, 1, 200, NAN});
    done(state);
    variable.type = VV_F32;
    attr("valid_max", VV_F32, 10);
    check_values((float[]){10, 10.5f, NAN, -INFINITY}, 4, (double[]){10, NAN, NAN, -INFINITY});
}

static void test_unsigned(void **state)
{
    (void)state;
    vv_dtype type;
    variable.type = VV_I8;
    must(vv_attr_set_text(&variable.attrs, "_Unsigned", "true"));
    vv_decode d = decoded(&type);
    assert_int_equal(type, VV_U8);
    assert_int_equal(d.stored, VV_U8);
    attr("_FillValue", VV_I8, -1);
    assert_int_equal(decoded(&type).stored, VV_U8);
    assert_int_equal(type, VV_F32);
    check_values((int8_t[]){0, -1, -2, 127}, 4, (double[]){0, NAN, 254, 127});
    attr("scale_factor", VV_F64, 0.5);
    attr("add_offset", VV_F64, 10);
    check_values((int8_t[]){0, -1, -2, 127}, 4, (double[]){10, NAN, 137, 73.5});
    done(state);
    variable.type = VV_U16;
    must(vv_attr_set_text(&variable.attrs, "_Unsigned", "false"));
    attr("_FillValue", VV_U16, 65535);
    check_values((uint16_t[]){0, 65535, 65534}, 3, (double[]){0, NAN, -2});
    must(vv_attr_set_text(&variable.attrs, "_Unsigned", "true")); /* as it is */
    check_values((uint16_t[]){0, 65535, 65534}, 3, (double[]){0, NAN, 65534});
    done(state);
    variable.type = VV_F32;
    must(vv_attr_set_text(&variable.attrs, "_Unsigned", "true")); /* says nothing about reals */
    assert_int_equal(decoded(&type).stored, VV_F32);
}

static void test_packing_attributes(void **state)
{
    (void)state;
    static const char *const yes[] = {"_FillValue", "missing_value", "scale_factor",
                                      "add_offset", "valid_range",   "_Unsigned"};
    static const char *const no[] = {"units", "long_name", "fillvalue", "scale", "", "coordinates"};
    for (int i = 0; i < 6; i++) {
        assert_true(vv_cf_is_packing(yes[i]));
        assert_false(vv_cf_is_packing(no[i]));
    }
}

/* --- roles --- */

static void add_var(vv_meta *m, const char *name, int dim, const char *attribute, const char *text)
{
    vv_variable *v;
    must(vv_meta_add_var(m, name, VV_F32, &v));
    if (dim >= 0) {
        v->shape = (vv_shape){1, {m->dim[dim].length}};
        v->dim[0] = dim;
    }
    if (attribute) must(vv_attr_set_text(&v->attrs, attribute, text));
}

static void test_roles(void **state)
{
    (void)state;
    vv_meta *m;
    int time, cell;
    must(vv_meta_new(&m));
    must(vv_meta_add_dim(m, "time", 4, true, &time));
    must(vv_meta_add_dim(m, "cell", 9, false, &cell));
    add_var(m, "time", time, "bounds", "time_bnds");
    add_var(m, "time_bnds", time, NULL, NULL);
    add_var(m, "lat", cell, "climatology", "lat_bnds");
    add_var(m, "lat_bnds", cell, NULL, NULL);
    add_var(m, "tas", cell, "coordinates", "  lat\tlon\n height missing ");
    add_var(m, "lon", cell, NULL, NULL);
    add_var(m, "height", -1, NULL, NULL);
    add_var(m, "pr", cell, "cell_measures", "area: areacella volume: vol");
    add_var(m, "areacella", cell, NULL, NULL);
    add_var(m, "area", cell, NULL, NULL);
    add_var(m, "vol", cell, NULL, NULL);
    add_var(m, "ua", cell, "grid_mapping", "crs");
    add_var(m, "crs", -1, NULL, NULL);
    add_var(m, "va", cell, "ancillary_variables", "va_error time");
    add_var(m, "va_error", cell, NULL, NULL);
    add_var(m, "lev", cell, "formula_terms", "a: hyam b: hybm ps: ps");
    add_var(m, "hyam", cell, NULL, NULL);
    add_var(m, "ps", cell, NULL, NULL);
    add_var(m, "la", cell, NULL, NULL); /* only a part of a name */
    static const struct {
        const char *name;
        vv_role role;
    } expected[] = {{"time", VV_ROLE_COORDINATE}, {"time_bnds", VV_ROLE_BOUNDS},  {"lat", VV_ROLE_AUXILIARY},
                    {"lat_bnds", VV_ROLE_BOUNDS}, {"lon", VV_ROLE_AUXILIARY},     {"height", VV_ROLE_AUXILIARY},
                    {"pr", VV_ROLE_DATA},         {"areacella", VV_ROLE_SUPPORT}, {"area", VV_ROLE_DATA},
                    {"vol", VV_ROLE_SUPPORT},     {"ua", VV_ROLE_DATA},           {"crs", VV_ROLE_SUPPORT},
                    {"va", VV_ROLE_DATA},         {"va_error", VV_ROLE_SUPPORT},  {"hyam", VV_ROLE_SUPPORT},
                    {"ps", VV_ROLE_SUPPORT},      {"la", VV_ROLE_DATA},           {"tas", VV_ROLE_DATA}};
    vv_role *role = calloc((size_t)m->n_vars, sizeof *role);
    vv_cf_roles(m, role);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        if (role[vv_meta_find_var(m, expected[i].name)] != expected[i].role)
            fail_msg("%s has role %d", expected[i].name, role[vv_meta_find_var(m, expected[i].name)]);
    free(role);
    vv_meta_free(&m);
}

/* --- attributes of results --- */

static vv_context context;

static int no_context(void **state)
{
    (void)state;
    vv_context_free(&context);
    return 0;
}

/* A reduction of an array with these attributes. */
static const vv_attrs *reduced(const char *how, const char *dims, const char *units, const char *methods)
{
    vv_array *a = vv_dataset_array(vv_dataset_open_in(&context, "virtual:t?shape=time:4,lat:3,lon:2"), "t");
    must(vv_array_status(a));
    if (units) must(vv_attr_set_text(&a->attrs, "units", units));
    if (methods) must(vv_attr_set_text(&a->attrs, "cell_methods", methods));
    must(vv_attr_set_text(&a->attrs, "long_name", "something"));
    vv_array *r = vv_reduce(a, how, dims, NULL);
    must(vv_array_status(r));
    assert_string_equal(vv_attr_text(&r->attrs, "long_name"), "something");
    return &r->attrs;
}

static void test_cell_methods(void **state)
{
    (void)state;
    assert_string_equal(vv_attr_text(reduced("mean", "time", NULL, NULL), "cell_methods"), "time: mean");
    assert_string_equal(vv_attr_text(reduced("max", "lon,lat", NULL, NULL), "cell_methods"), "lat: lon: maximum");
    assert_string_equal(vv_attr_text(reduced("std", "time", NULL, "area: mean"), "cell_methods"),
                        "area: mean time: standard_deviation");
    assert_string_equal(vv_attr_text(reduced("sum", NULL, NULL, ""), "cell_methods"), "time: lat: lon: sum");
    assert_null(vv_attr_text(reduced("count", "time", NULL, NULL), "cell_methods"));
    assert_string_equal(vv_attr_text(reduced("mean", "time", NULL, "area: mean time: mean"), "cell_methods"),
                        "area: mean time: mean"); /* means of means */
    assert_string_equal(vv_attr_text(reduced("max", "time", NULL, "time: mean"), "cell_methods"),
                        "time: mean time: maximum");
    assert_string_equal(vv_attr_text(reduced("mean", "time", NULL, "leadtime: mean"), "cell_methods"),
                        "leadtime: mean time: mean");
}

static void test_units(void **state)
{
    (void)state;
    assert_string_equal(vv_attr_text(reduced("mean", "time", "K", NULL), "units"), "K");
    assert_string_equal(vv_attr_text(reduced("var", "time", "K", NULL), "units"), "K2");
    assert_string_equal(vv_attr_text(reduced("var", "time", "m s-1", NULL), "units"), "(m s-1)2");
    assert_string_equal(vv_attr_text(reduced("count", "time", "K", NULL), "units"), "1");
    assert_null(vv_attr_text(reduced("mean", "time", NULL, NULL), "units"));
    assert_null(vv_attr_text(reduced("count", "time", NULL, NULL), "units"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_types),
        TEST(test_no_numbers),
        TEST(test_missing_that_no_element_equals),
        TEST(test_missing_in_other_types),
        TEST(test_wide_missing),
        TEST(test_several_missing),
        TEST(test_valid_ranges),
        TEST(test_unsigned),
        TEST(test_packing_attributes),
        TEST(test_roles),
        cmocka_unit_test_teardown(test_cell_methods, no_context),
        cmocka_unit_test_teardown(test_units, no_context),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
