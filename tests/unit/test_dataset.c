/* The metadata container: attributes, names, and the packed form. */
#include "base/mem.h"
#include "storage/dataset.h"

#include "scratch.h"

static vv_meta *sample(void)
{
    vv_meta *m;
    vv_variable *v;
    int time, lat;
    must(vv_meta_new(&m));
    must(vv_strdup(&m->path, "some/where.nc"));
    must(vv_strdup(&m->format, "NetCDF-4"));
    must(vv_meta_add_dim(m, "time", 10, true, &time));
    must(vv_meta_add_dim(m, "lat", 3, false, &lat));
    must(vv_meta_add_var(m, "time", VV_F64, &v));
    v->shape = (vv_shape){.nd = 1, .n = {10}};
    v->dim[0] = time;
    must(vv_attr_set_text(&v->attrs, "units", "hours since 1990-01-01"));
    must(vv_meta_add_var(m, "t2m", VV_I16, &v));
    v->shape = (vv_shape){.nd = 2, .n = {10, 3}};
    v->dim[0] = time;
    v->dim[1] = lat;
    v->layout = VV_LAYOUT_CHUNKED;
    v->chunk[0] = 4;
    v->chunk[1] = 3;
    v->swapped = v->shuffle = v->fletcher32 = true;
    v->deflate = 5;
    v->zstd = 7;
    v->stored = 12345678901;
    v->fill[1] = 0x80;
    must(vv_strdup(&v->why_not_fast, "filter szip"));
    must(vv_attr_set(&v->attrs, "_FillValue", VV_I16, 1, &(int16_t){-32768}));
    must(vv_attr_set(&v->attrs, "range", VV_F64, 3, (double[]){1, 2.5, -3}));
    must(vv_meta_add_var(m, "crs", VV_NONE, &v));
    v->fast = true;
    must(vv_attr_set_text(&m->attrs, "title", "Grüße"));
    must(vv_attr_set_text(&m->attrs, "empty", ""));
    must(vv_attr_set(&m->attrs, "none", VV_I32, 0, NULL));
    return m;
}

static void attributes(void **state)
{
    (void)state;
    vv_attrs a = {0}, b = {0};
    double x;
    must(vv_attr_set_text(&a, "one", "first"));
    must(vv_attr_set(&a, "two", VV_I32, 2, (int32_t[]){7, -8}));
    must(vv_attr_set_text(&a, "three", ""));
    assert_int_equal(a.n, 3);
    assert_string_equal(vv_attr_text(&a, "one"), "first");
    assert_null(vv_attr_text(&a, "two"));
    assert_null(vv_attr_text(&a, "four"));
    assert_true(vv_attr_number(&a, "two", 1, &x) && x == -8);
    assert_false(vv_attr_number(&a, "two", 2, &x));
    assert_false(vv_attr_number(&a, "two", -1, &x));
    assert_false(vv_attr_number(&a, "one", 0, &x));
    must(vv_attr_set(&a, "one", VV_F32, 1, &(float){1.5f})); /* replaced in place */
    assert_int_equal(a.n, 3);
    assert_string_equal(a.item[0].name, "one");
    assert_true(vv_attr_number(&a, "one", 0, &x) && x == 1.5);
    must(vv_attrs_copy(&b, &a));
    vv_attr_remove(&a, "two");
    vv_attr_remove(&a, "four");
    assert_int_equal(a.n, 2);
    assert_string_equal(a.item[1].name, "three");
    assert_int_equal(b.n, 3);
    assert_true(vv_attr_number(&b, "two", 0, &x) && x == 7);
    for (const char *const *name = (const char *const[]){"one", "two", "three", NULL}; *name; name++) {
        vv_attr_remove(&a, *name);
        vv_attr_remove(&b, *name);
    }
    assert_int_equal(a.n + b.n, 0);
    free(a.item);
    free(b.item);
}

static void finding(void **state)
{
    (void)state;
    vv_meta *m = sample();
    assert_int_equal(vv_meta_find_var(m, "t2m"), 1);
    assert_int_equal(vv_meta_find_var(m, "T2M"), -1);
    assert_int_equal(vv_meta_find_dim(m, "lat"), 1);
    assert_int_equal(vv_meta_find_dim(m, "lon"), -1);
    assert_true(vv_meta_is_coordinate(m, 0));
    assert_false(vv_meta_is_coordinate(m, 1));
    assert_false(vv_meta_is_coordinate(m, 2));
    vv_meta_free(&m);
    assert_null(m);
    vv_meta_free(&m);
}

static void assert_same_attrs(const vv_attrs *a, const vv_attrs *b)
{
    assert_int_equal(a->n, b->n);
    for (int i = 0; i < a->n; i++) {
        const vv_attr *x = &a->item[i], *y = &b->item[i];
        assert_string_equal(x->name, y->name);
        assert_int_equal(x->type, y->type);
        assert_int_equal(x->count, y->count);
        size_t bytes = (size_t)x->count * (x->type ? (size_t)vv_dtype_size(x->type) : 1);
        assert_memory_equal(x->data, y->data, bytes + (x->type == VV_NONE));
    }
}

static void assert_same_var(const vv_variable *a, const vv_variable *b)
{
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->type_text, b->type_text);
    assert_int_equal(a->type, b->type);
    assert_true(vv_shape_equal(&a->shape, &b->shape));
    assert_memory_equal(a->dim, b->dim, sizeof a->dim[0] * (size_t)a->shape.nd);
    assert_memory_equal(a->chunk, b->chunk, sizeof a->chunk[0] * (size_t)a->shape.nd);
    assert_memory_equal(a->fill, b->fill, sizeof a->fill);
    assert_int_equal(a->layout, b->layout);
    assert_int_equal(a->deflate, b->deflate);
    assert_int_equal(a->zstd, b->zstd);
    assert_int_equal(a->stored, b->stored);
    assert_int_equal(a->swapped << 3 | a->shuffle << 2 | a->fletcher32 << 1 | a->fast,
                     b->swapped << 3 | b->shuffle << 2 | b->fletcher32 << 1 | b->fast);
    assert_int_equal(a->why_not_fast == NULL, b->why_not_fast == NULL);
    if (a->why_not_fast) assert_string_equal(a->why_not_fast, b->why_not_fast);
    assert_same_attrs(&a->attrs, &b->attrs);
}

static void packed_form(void **state)
{
    (void)state;
    vv_meta *m = sample(), *back;
    vv_buf packed = {0};
    vv_meta_pack(m, &packed);
    must(vv_buf_status(&packed));
    vv_reader r = {.data = packed.data, .size = packed.size};
    must(vv_meta_unpack(&back, &r));
    assert_int_equal(r.at, packed.size);
    assert_string_equal(m->path, back->path);
    assert_string_equal(m->format, back->format);
    assert_int_equal(m->n_dims, back->n_dims);
    for (int i = 0; i < m->n_dims; i++) {
        assert_string_equal(m->dim[i].name, back->dim[i].name);
        assert_int_equal(m->dim[i].length, back->dim[i].length);
        assert_int_equal(m->dim[i].unlimited, back->dim[i].unlimited);
    }
    assert_int_equal(m->n_vars, back->n_vars);
    for (int i = 0; i < m->n_vars; i++) assert_same_var(&m->var[i], &back->var[i]);
    assert_same_attrs(&m->attrs, &back->attrs);
    vv_meta_free(&back);

    /* Cut anywhere, it is an error and nothing worse. */
    for (size_t n = 0; n < packed.size; n++) {
        vv_reader cut = {.data = packed.data, .size = n};
        assert_int_equal(vv_meta_unpack(&back, &cut), VV_ERR_INTERNAL);
        assert_null(back);
    }
    vv_buf_free(&packed);
    vv_meta_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes),
        cmocka_unit_test(finding),
        cmocka_unit_test(packed_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
