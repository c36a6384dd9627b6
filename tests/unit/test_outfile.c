/* What a file gets beside the results: coordinates that fit, made ones where positions were moved or grouped, and their attributes. */
#include "array_check.h"

#include "session/output/file.h"

static vv_session session;
static int files;

typedef struct made {
    const char *name, *dims, *attribute, *text;
    vv_dtype type;
} made;

/* v(time, y, x) with times and their bounds, y without x, and a longitude of two dimensions. */
static const made variables[] = {{"v", "time,y,x", "coordinates", "lon2d", VV_F32},
                                 {"time", "time", "units", "days since 2000-01-30", VV_I32},
                                 {"time_bnds", "time,nv", NULL, NULL, VV_F64},
                                 {"y", "y", "units", "degrees_north", VV_F32},
                                 {"lon2d", "y,x", NULL, NULL, VV_F32}};
enum { VARIABLES = sizeof variables / sizeof *variables };

static vv_status add_variable(vv_meta *m, const made *from)
{
    vv_variable *v;
    VV_TRY(vv_meta_add_var(m, from->name, from->type, &v));
    v->deflate = -1;
    for (int d = 0; d < m->n_dims; d++) {
        if (!strstr(from->dims, m->dim[d].name)) continue;
        v->dim[v->shape.nd] = d;
        v->shape.n[v->shape.nd++] = m->dim[d].length;
    }
    if (!strcmp(from->name, "time")) VV_TRY(vv_attr_set_text(&v->attrs, "bounds", "time_bnds"));
    return from->attribute ? vv_attr_set_text(&v->attrs, from->attribute, from->text) : VV_OK;
}

static vv_array *stored_array(void)
{
    static const struct {
        const char *name;
        vv_index n;
    } dims[] = {{"time", 4}, {"y", 3}, {"x", 2}, {"nv", 2}};
    char name[32];
    snprintf(name, sizeof name, "in%d.nc", files++);
    const char *path = scratch_path(name);
    vv_meta *m;
    vv_writer *w;
    must(vv_meta_new(&m));
    for (int d = 0; d < 4; d++) must(vv_meta_add_dim(m, dims[d].name, dims[d].n, d == 0, &(int){0}));
    for (int v = 0; v < VARIABLES; v++) must(add_variable(m, &variables[v]));
    must(vv_writer_create(path, m, &w));
    for (int v = 0; v < VARIABLES; v++) {
        char data[4 * 3 * 2 * 8] = {0};
        vv_index n = vv_shape_elements(&m->var[v].shape);
        for (vv_index i = 0; i < n; i++)
            vv_dtype_store(variables[v].type, data + i * vv_dtype_size(variables[v].type), (double)i);
        must(vv_writer_put(w, v, data));
    }
    must(vv_writer_close(&w));
    vv_meta_free(&m);
    vv_array *a = vv_dataset_array(vv_dataset_open_in(&context, path), "v");
    must(vv_array_status(a));
    return a;
}

/* The metadata of a file of these arrays, as saving makes it. */
static vv_output *output_of(vv_array *const arrays[], int n, vv_meta **m)
{
    vv_output *o;
    char name[32];
    snprintf(name, sizeof name, "out%d.nc", files++);
    must(vv_output_new(&session, scratch_path(name), NULL, &o));
    for (int i = 0; i < n; i++) {
        char as[16];
        snprintf(as, sizeof as, "r%d", i);
        must(vv_output_add(o, as, arrays[i]));
        must(vv_outfile_carry_coordinates(o, arrays[i]));
    }
    must(vv_outfile_meta(o, m));
    assert_int_equal((*m)->n_vars, o->n_items);
    return o;
}

/* "name(dim, dim) type, ..." of all variables. */
static const char *summary(const vv_meta *m)
{
    static char text[1000];
    vv_buf b = {0};
    for (int v = 0; v < m->n_vars; v++) {
        vv_buf_printf(&b, "%s%s(", v ? ", " : "", m->var[v].name);
        for (int d = 0; d < m->var[v].shape.nd; d++) vv_buf_printf(&b, d ? " %s" : "%s", m->dim[m->var[v].dim[d]].name);
        vv_buf_printf(&b, ") %s", vv_dtype_name(m->var[v].type));
    }
    snprintf(text, sizeof text, "%s", b.data);
    vv_buf_free(&b);
    return text;
}

static void check_file(vv_array *a, const char *want)
{
    vv_meta *m;
    must(vv_array_status(a));
    vv_output *o = output_of(&a, 1, &m);
    assert_string_equal(summary(m), want);
    vv_meta_free(&m);
    vv_output_free(&o);
}

static void test_unmoved(void **state)
{
    (void)state;
    vv_array *a = stored_array();
    check_file(a, "r0(time y x) f32, time(time) i32, time_bnds(time nv) f64, y(y) f32, lon2d(y x) f32");
    check_file(vv_transpose(a, "x,time,y"),
               "r0(x time y) f32, time(time) i32, time_bnds(time nv) f64, y(y) f32, lon2d(y x) f32");
    check_file(vv_mean(a, "time"), "r0(y x) f32, y(y) f32, lon2d(y x) f32");
    check_file(vv_at(a, "x", 0), "r0(time y) f32, time(time) i32, time_bnds(time nv) f64, y(y) f32");
    vv_reduce_options keep = VV_REDUCE_OPTIONS_INIT;
    keep.keep_dims = true;
    check_file(vv_reduce(a, "mean", "time", &keep), "r0(time y x) f32, y(y) f32, lon2d(y x) f32");
}

static void test_moved(void **state)
{
    (void)state;
    vv_array *a = stored_array();
    check_file(vv_flip(a, "y"), "r0(time y x) f32, y(y) f32, time(time) i32, time_bnds(time nv) f64");
    check_file(vv_roll(a, "x", 1), "r0(time y x) f32, time(time) i32, time_bnds(time nv) f64, y(y) f32");
    check_file(vv_slice(a, "time", 1, 3, 1), "r0(time y x) f32, time(time) i32, y(y) f32, lon2d(y x) f32");
    check_file(vv_pad(a, "time", 1, 0, "nan", 0), "r0(time y x) f32, time(time) f64, y(y) f32, lon2d(y x) f32");
    check_file(vv_rename(a, "y", "lat"), "r0(time lat x) f32, lat(lat) f32, time(time) i32, time_bnds(time nv) f64");
    check_file(vv_rename(a, "x", "y2"), "r0(time y y2) f32, time(time) i32, time_bnds(time nv) f64, y(y) f32");
    check_file(vv_node_random(&context, "uniform", NAN, NAN, "x:3", NULL, 1, VV_F32), "r0(x) f32");
}

static void test_groups(void **state)
{
    (void)state;
    vv_array *a = stored_array(); /* 30 and 31 January, 1 and 2 February */
    vv_array *clim = vv_mean(vv_group(a, "time.month"), "time");
    check_file(clim, "r0(month y x) f32, month(month) i32, y(y) f32, lon2d(y x) f32");
    check_file(vv_mean(vv_group(a, "time.2D"), "time"),
               "r0(time_2D y x) f32, time_2D(time_2D) i32, y(y) f32, lon2d(y x) f32");
    check_file(vv_mean(vv_group(a, "time.12H"), "time"), /* half days do not fit the type of the file's times */
               "r0(time_12H y x) f32, time_12H(time_12H) f64, y(y) f32, lon2d(y x) f32");
    vv_array *g = vv_group_labels(a, "x", (vv_index[]){0, 0}, 2, 1, "g", NULL);
    check_file(vv_mean(g, "time,x"), "r0(y g) f32, y(y) f32");
    vv_meta *m;
    vv_output *o = output_of((vv_array *[]){clim, a}, 2, &m);
    assert_string_equal(summary(m), "r0(month y x) f32, month(month) i32, y(y) f32, lon2d(y x) f32, "
                                    "r1(time y x) f32, time(time) i32, time_bnds(time nv) f64");
    vv_meta_free(&m);
    vv_output_free(&o);
}

static void test_attributes(void **state)
{
    (void)state;
    vv_array *a = stored_array(), *two[] = {vv_slice(a, "time", 1, 3, 1), vv_mean(vv_group(a, "time.season"), "time")};
    vv_meta *m;
    vv_output *o = output_of(two, 2, &m);
    const vv_attrs *time = &m->var[vv_meta_find_var(m, "time")].attrs;
    assert_string_equal(vv_attr_text(time, "units"), "days since 2000-01-30");
    assert_null(vv_attr_find(time, "bounds")); /* those of the file do not fit any more */
    const vv_attrs *season = &m->var[vv_meta_find_var(m, "season")].attrs;
    assert_string_equal(vv_attr_text(season, "flag_meanings"), "DJF MAM JJA SON");
    assert_true(m->dim[vv_meta_find_dim(m, "time")].unlimited == false);
    vv_meta_free(&m);
    vv_output_free(&o);
    o = output_of(&a, 1, &m);
    assert_true(m->dim[vv_meta_find_dim(m, "time")].unlimited);
    assert_true(vv_item_needs_chunks(o, &o->item[0]));
    vv_meta_free(&m);
    vv_output_free(&o);
}

/* Names of variables that are not there any more are not named. */
static void test_named_variables(void **state)
{
    (void)state;
    vv_array *a = stored_array(), *two[] = {a, vv_flip(a, "x")};
    for (int i = 0; i < 2; i++) {
        vv_meta *m;
        vv_output *o = output_of(&two[i], 1, &m);
        const char *names = vv_attr_text(&m->var[0].attrs, "coordinates");
        if (i == 0)
            assert_string_equal(names, "lon2d");
        else
            assert_null(names);
        vv_meta_free(&m);
        vv_output_free(&o);
    }
}

/* Two arrays that do not agree about a dimension cannot be in one file. */
static void test_conflict(void **state)
{
    (void)state;
    vv_array *a = stored_array(), *two[] = {vv_slice(a, "time", 0, 2, 1), vv_slice(a, "time", 0, 3, 1)};
    vv_output *o;
    vv_meta *m;
    must(vv_output_new(&session, scratch_path("conflict.nc"), NULL, &o));
    must(vv_output_add(o, "one", two[0]));
    must(vv_output_add(o, "two", two[1]));
    assert_int_equal(vv_outfile_meta(o, &m), VV_ERR_SHAPE);
    assert_message("'time' has 3 elements and elsewhere in the output 2");
    vv_meta_free(&m);
    vv_output_free(&o);
}

static void check_values(const char *path, const char *variable, vv_index n, const double want[])
{
    vv_dataset *d = vv_dataset_open_in(&context, path);
    double got[16];
    must(vv_dataset_read(d, vv_dataset_find_var(d, variable), got, 16));
    for (vv_index i = 0; i < n; i++)
        if (got[i] != want[i]) fail_msg("%s[%d] is %g, not %g", variable, (int)i, got[i], want[i]);
}

static void test_values_are_written(void **state)
{
    (void)state;
    vv_array *a = stored_array(), *two[] = {vv_flip(a, "y"), vv_mean(vv_group(a, "time.month"), "time,y")};
    vv_meta *m;
    vv_output *o = output_of(two, 2, &m);
    vv_writer *w;
    const char *path = scratch_path("written.nc");
    must(vv_writer_create(path, m, &w));
    for (int i = 0; i < o->n_items; i++)
        if (o->item[i].made.value) must(vv_outfile_put_made(o, &o->item[i], &m->var[i], w, i));
    must(vv_writer_close(&w));
    check_values(path, "y", 3, (double[]){2, 1, 0});
    check_values(path, "month", 2, (double[]){1, 2});
    vv_meta_free(&m);
    vv_output_free(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_unmoved),
        TEST(test_moved),
        TEST(test_groups),
        TEST(test_attributes),
        TEST(test_named_variables),
        TEST(test_conflict),
        TEST(test_values_are_written),
    };
    return cmocka_run_group_tests(tests, make_scratch, drop_scratch);
}
