/* Text as arrays: numbers of strings that the context keeps, characters as bytes; what may be done with them and what not. */
#include "array_check.h"

#include "array/text.h"
#include "storage/header.h"

static const char *const words[] = {"OSLO", "ROMA", "", "OSLO", "Zürich", "ROMA"};
enum { N = 6, W = 4 };

static vv_variable *add(vv_meta *m, const char *name, const char *type_text, int nd)
{
    vv_variable *v;
    must(vv_meta_add_var(m, name, VV_NONE, &v));
    free(v->type_text);
    must(vv_strdup(&v->type_text, type_text));
    v->deflate = -1;
    v->shape = (vv_shape){.nd = nd, .n = {N, W}};
    v->dim[0] = 0;
    v->dim[1] = 1;
    return v;
}

/* place(place), name(place) in the order of `turn`, code(place, w). */
static vv_dataset *make_file(const char *file, int turn)
{
    const char *path = scratch_path(file), *name[N];
    char code[N][W] = {{0}};
    vv_meta *m;
    vv_writer *w;
    for (int i = 0; i < N; i++) {
        name[i] = words[(i + turn) % N];
        memcpy(code[i], name[i], strnlen(name[i], W));
    }
    must(vv_meta_new(&m));
    must(vv_meta_add_dim(m, "place", N, false, NULL));
    must(vv_meta_add_dim(m, "w", W, false, NULL));
    add(m, "place", VV_STRINGS, 1);
    add(m, "name", VV_STRINGS, 1);
    add(m, "code", VV_CHARS, 2);
    must(vv_writer_create(path, m, &w));
    must(vv_writer_put(w, 0, name));
    must(vv_writer_put(w, 1, name));
    must(vv_writer_put(w, 2, code));
    must(vv_writer_close(&w));
    vv_meta_free(&m);
    vv_dataset *d = vv_dataset_open_in(&context, path);
    must(vv_dataset_status(d));
    return d;
}

static void check_text(int64_t number, const char *want)
{
    const char *text;
    must(vv_text_at(&context, number, &text));
    assert_string_equal(text, want);
}

static void test_equal_strings_have_equal_numbers(void **state)
{
    (void)state;
    const int64_t *a, *b;
    must(vv_texts_of(make_file("a.nc", 0), 1, &a));
    must(vv_texts_of(make_file("b.nc", 1), 1, &b));
    for (int i = 0; i < N; i++) {
        check_text(a[i], words[i]);
        check_text(b[i], words[(i + 1) % N]);
        assert_int_equal(a[(i + 1) % N], b[i]);
        assert_int_equal(vv_text_find(&context, words[i]), a[i]);
    }
    assert_int_equal(a[0], a[3]);
    assert_int_equal(a[2], 0);
    assert_int_equal(vv_text_find(&context, "BERN"), -1);
    const char *none;
    assert_int_equal(vv_text_at(&context, 1000, &none), VV_ERR_INTERNAL);
}

/* A header has the strings of coordinates and of other small variables: the file need not be opened again. */
static void test_headers_keep_them(void **state)
{
    (void)state;
    vv_header *h, *travelled;
    vv_file *f;
    vv_buf packed = {0};
    (void)make_file("kept.nc", 0);
    must(vv_header_read(scratch_path("kept.nc"), &h));
    vv_header_pack(h, &packed);
    vv_header_free(&h);
    must(vv_header_unpack(&(vv_reader){.data = packed.data, .size = packed.size}, &travelled));
    vv_buf_free(&packed);
    must(vv_header_file(&travelled, &f));
    assert_int_equal(unlink(scratch_path("kept.nc")), 0);
    vv_buf text = {0};
    must(f->format->text(f, 0, &text));
    const char *at = text.data;
    for (int i = 0; i < N; i++, at += strlen(at) + 1) assert_string_equal(at, words[i]);
    assert_int_equal(at - text.data, text.size);
    vv_buf_free(&text);
    vv_file_close(&f);
}

static void test_they_move(void **state)
{
    (void)state;
    vv_dataset *d = make_file("moved.nc", 0);
    vv_array *name = vv_dataset_array(d, "name"), *both[] = {name, vv_flip(name, "place")};
    vv_array *stacked = vv_node_stack(&context, both, 2, "way"),
             *code = vv_transpose(vv_dataset_stored(d, "code"), NULL);
    must(vv_array_status(stacked));
    must(vv_array_status(code));
    assert_int_equal(stacked->text, VV_TEXT_STRINGS);
    assert_int_equal(code->text, VV_TEXT_CHARS);
    vv_values *v;
    must(vv_coord_values(&both[1]->coord[0], &v));
    for (int i = 0; i < N; i++) check_text((int64_t)v->at[i], words[N - 1 - i]);
    vv_values_free(&v);
    assert_int_equal(vv_array_length(vv_select(name, "place", "OSLO"), 0), 2);
    assert_int_equal(vv_array_length(vv_select(name, "place", "ROMA:Zürich"), 0), 4);
}

static void test_nothing_is_computed(void **state)
{
    (void)state;
    vv_dataset *d = make_file("computed.nc", 0);
    vv_array *name = vv_dataset_array(d, "name"), *code = vv_dataset_array(d, "code");
    const struct {
        vv_array *a;
        const char *message;
    } bad[] = {{vv_exp(code), "'code' holds characters, not numbers"},
               {vv_max(name, NULL), "'name' holds strings, not numbers"},
               {vv_add(name, name), "'name' holds strings, not numbers"},
               {vv_group(name, "place.month"), "place"},
               {vv_node_stack(&context, (vv_array *[]){name, vv_at(code, "w", 0)}, 2, "x"), ""}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_not_equal(vv_array_status(bad[i].a), VV_OK);
        assert_message(bad[i].message);
    }
    double coordinate[N];
    assert_int_equal(vv_array_coordinate(name, "place", coordinate, N), VV_ERR_TYPE);
    assert_int_not_equal(vv_array_status(vv_select(name, "place", "BERN")), VV_OK);
    assert_message("no element is called 'BERN'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_equal_strings_have_equal_numbers),
        TEST(test_headers_keep_them),
        TEST(test_they_move),
        TEST(test_nothing_is_computed),
    };
    return cmocka_run_group_tests(tests, make_scratch, drop_scratch);
}
