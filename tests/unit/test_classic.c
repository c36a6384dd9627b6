/* Classic NetCDF from files made byte by byte: every version, record layouts, what a header may claim wrongly. Files of other programs: tests/sys/test_classic.py */
#include "scratch.h"

#include "base/log.h"
#include "storage/formats.h"

#include <math.h>

/* --- making files --- */

static vv_buf file;
static int version;

static void number(uint64_t v, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--) vv_buf_bytes(&file, &(unsigned char){(unsigned char)(v >> 8 * i)}, 1);
}

static void length(uint64_t v)
{
    number(v, version == 5 ? 8 : 4);
}

static void pad(void)
{
    while (file.size % 4) number(0, 1);
}

static void name(const char *text)
{
    length(strlen(text));
    vv_buf_bytes(&file, text, strlen(text));
    pad();
}

static void list(int tag, uint64_t n)
{
    number((uint64_t)tag, 4);
    length(n);
}

static void begin(int as, uint64_t records)
{
    vv_buf_free(&file);
    file = (vv_buf){0};
    version = as;
    vv_buf_bytes(&file, "CDF", 3);
    number((uint64_t)as, 1);
    length(records);
}

static void variable(const char *text, int nd, const int dims[], int type, uint64_t position)
{
    name(text);
    length((uint64_t)nd);
    for (int d = 0; d < nd; d++) length((uint64_t)dims[d]);
    list(0, 0);
    number((uint64_t)type, 4);
    length(UINT32_MAX); /* the repeated size is nobody's business */
    number(position, version == 1 ? 4 : 8);
}

static const char *stored(const char *as)
{
    const char *path = scratch_path(as);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(file.data, 1, file.size, f), file.size);
    assert_int_equal(fclose(f), 0);
    return path;
}

/* --- a file with all that classic NetCDF can hold --- */

enum { TIME, Y, X, N, RECORDS = 3, NY = 2, NX = 1100, NN = 5 };
enum { BYTE = 1, CHAR, SHORT, INT, FLOAT, DOUBLE };
enum {
    HEADER = 1024,
    FIXED = HEADER,
    SCALAR = FIXED + NY * NX * 2,
    BIG = SCALAR + 8,
    BIG_ROW = NY * NX * 4,
    SMALL = BIG + BIG_ROW
};
enum { WORD = SMALL + 12, RECORD = BIG_ROW + 12 + 8, END = BIG + RECORDS * RECORD };

static float big(int i)
{
    return (float)i / 8 - 300;
}

static void reals(double v, int bytes)
{
    uint64_t wide;
    uint32_t narrow;
    memcpy(&wide, &v, 8);
    memcpy(&narrow, &(float){(float)v}, 4);
    number(bytes == 8 ? wide : narrow, bytes);
}

static void header(int as, uint64_t records)
{
    begin(as, records);
    list(10, 4);
    name("time"), length(0), name("y"), length(NY), name("x"), length(NX), name("n"), length(NN);
    list(12, 3);
    name("title"), number(CHAR, 4), length(6), vv_buf_bytes(&file, "three", 6), pad();
    name("shorts"), number(SHORT, 4), length(3), number(1, 2), number(0xfffe, 2), number(3, 2), pad();
    name("pi"), number(DOUBLE, 4), length(1), reals(3.25, 8);
    list(11, 5);
    variable("fixed", 2, (int[]){Y, X}, SHORT, FIXED);
    variable("scalar", 0, NULL, DOUBLE, SCALAR);
    variable("big", 3, (int[]){TIME, Y, X}, FLOAT, BIG);
    variable("small", 2, (int[]){TIME, N}, SHORT, SMALL);
    variable("word", 2, (int[]){TIME, N}, CHAR, WORD);
    assert_true(file.size <= HEADER);
    while (file.size < HEADER) number(0, 1);
}

static void data(void)
{
    for (int i = 0; i < NY * NX; i++) number((uint64_t)(i - 1000), 2);
    reals(-1.5, 8);
    for (int r = 0; r < RECORDS; r++) {
        for (int i = 0; i < NY * NX; i++) reals(big(r * NY * NX + i), 4);
        for (int i = 0; i < NN; i++) number((uint64_t)(r * NN + i), 2);
        number(0, 2);
        vv_buf_bytes(&file, "abcde\0\0", 8);
    }
    assert_int_equal(file.size, END);
}

static vv_file *opened(const char *path)
{
    vv_file *f;
    must(vv_file_open(path, &f));
    return f;
}

static int var_of(const vv_file *f, const char *text)
{
    int var = vv_meta_find_var(f->meta, text);
    assert_true(var >= 0);
    return var;
}

static void check_meta(const vv_file *f)
{
    const vv_meta *m = f->meta;
    assert_string_equal(m->format, version == 1   ? "NetCDF classic"
                                   : version == 2 ? "NetCDF 64-bit offset"
                                                  : "NetCDF CDF-5");
    assert_int_equal(m->n_dims, 4);
    assert_true(m->dim[TIME].unlimited && m->dim[TIME].length == RECORDS && !m->dim[X].unlimited);
    assert_string_equal(vv_attr_text(&m->attrs, "title"), "three");
    assert_int_equal(vv_attr_find(&m->attrs, "title")->count, 5);
    double v;
    assert_true(vv_attr_number(&m->attrs, "shorts", 1, &v) && v == -2);
    assert_true(vv_attr_number(&m->attrs, "pi", 0, &v) && v == 3.25);
    assert_int_equal(m->n_vars, 5);
    const vv_variable *b = &m->var[var_of(f, "big")];
    assert_int_equal(b->type, VV_F32);
    assert_true(b->fast && b->swapped && b->layout == VV_LAYOUT_CONTIGUOUS);
    assert_int_equal(b->pitch, RECORD);
    assert_int_equal(b->stored, RECORDS * BIG_ROW);
    assert_false(m->var[var_of(f, "small")].fast);
    assert_int_equal(m->var[var_of(f, "word")].type, VV_NONE);
    assert_string_equal(m->var[var_of(f, "word")].type_text, "char");
    assert_int_equal(m->var[var_of(f, "fixed")].pitch, 0);
}

static void check_values(vv_file *f)
{
    static float reals_read[RECORDS * NY * NX];
    static int16_t shorts[NY * NX];
    int16_t small[RECORDS * NN];
    char word[RECORDS * NN];
    double one;
    vv_box box = {3, {0, 0, 0}, {RECORDS, NY, NX}};
    must(f->format->read(f, var_of(f, "big"), &box, reals_read));
    for (int i = 0; i < RECORDS * NY * NX; i++) assert_true(reals_read[i] == big(i));
    box = (vv_box){3, {1, 1, 7}, {2, 1, 3}};
    must(f->format->read(f, var_of(f, "big"), &box, reals_read));
    for (int i = 0; i < 6; i++) assert_true(reals_read[i] == big((1 + i / 3) * NY * NX + NX + 7 + i % 3));
    box = (vv_box){2, {0, 0}, {NY, NX}};
    must(f->format->read(f, var_of(f, "fixed"), &box, shorts));
    for (int i = 0; i < NY * NX; i++) assert_int_equal(shorts[i], i - 1000);
    box = (vv_box){2, {0, 0}, {RECORDS, NN}};
    must(f->format->read(f, var_of(f, "small"), &box, small));
    for (int i = 0; i < RECORDS * NN; i++) assert_int_equal(small[i], i);
    must(f->format->read(f, var_of(f, "word"), &box, word));
    assert_memory_equal(word, "abcdeabcdeabcde", sizeof word);
    must(f->format->read(f, var_of(f, "scalar"), &(vv_box){0}, &one));
    assert_true(one == -1.5);
}

/* As a rank reads it: an address and a pitch. */
static void check_raw(vv_file *f)
{
    vv_raw_file raw;
    vv_bytes address;
    unsigned char element[4], expected[4];
    int var = var_of(f, "big");
    must(f->format->offset(f, var, &address));
    must(vv_raw_open(f->path, &raw));
    for (int r = 0; r < RECORDS; r++) {
        must(vv_raw_read(&raw, address + r * f->meta->var[var].pitch + 4, 4, element));
        memcpy(expected, &(float){big(r * NY * NX + 1)}, 4);
        for (int i = 0; i < 4; i++) assert_int_equal(element[i], expected[3 - i]);
    }
    vv_raw_close(&raw);
    assert_int_equal(VV_ERR_INTERNAL, f->format->index(f, var, 1, (vv_index[]){0}, &(vv_chunk_at){0}));
}

static const int versions[] = {1, 2, 5};

static void all_versions(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        for (int streaming = 0; streaming < 2; streaming++) {
            header(versions[i], !streaming ? RECORDS : versions[i] == 5 ? UINT64_MAX : UINT32_MAX);
            data();
            vv_file *f = opened(stored("all.nc"));
            check_meta(f);
            check_values(f);
            check_raw(f);
            vv_file_close(&f);
        }
}

/* The only record variable is not padded. */
static void alone(void **state)
{
    (void)state;
    begin(2, 4);
    list(10, 2), name("time"), length(0), name("n"), length(3);
    list(0, 0);
    list(11, 1), variable("x", 2, (int[]){0, 1}, SHORT, 200);
    while (file.size < 200) number(0, 1);
    for (int i = 0; i < 12; i++) number((uint64_t)i, 2);
    vv_file *f = opened(stored("alone.nc"));
    assert_true(f->meta->var[0].fast && f->meta->var[0].pitch == 0);
    int16_t x[12];
    must(f->format->read(f, 0, &(vv_box){2, {0, 0}, {4, 3}}, x));
    for (int i = 0; i < 12; i++) assert_int_equal(x[i], i);
    must(f->format->read(f, 0, &(vv_box){2, {1, 1}, {2, 2}}, x));
    assert_true(x[0] == 4 && x[1] == 5 && x[2] == 7 && x[3] == 8);
    vv_file_close(&f);
}

/* Nothing at all, and no records yet. */
static void empty(void **state)
{
    (void)state;
    begin(1, 0);
    list(0, 0), list(0, 0), list(0, 0);
    vv_file *f = opened(stored("nothing.nc"));
    assert_int_equal(f->meta->n_dims + f->meta->n_vars + f->meta->attrs.n, 0);
    vv_file_close(&f);
    header(1, 0);
    f = opened(stored("none.nc"));
    assert_int_equal(f->meta->var[var_of(f, "big")].shape.n[0], 0);
    assert_int_equal(f->meta->var[var_of(f, "big")].stored, 0);
    must(f->format->read(f, var_of(f, "big"), &(vv_box){3, {0}, {0, NY, NX}}, NULL));
    vv_file_close(&f);
}

/* --- damage --- */

/* Opens and reads all that the file claims to have, where that is little; whatever happens has a message. */
static bool survives(const char *path)
{
    vv_file *f;
    vv_error_clear();
    if (vv_file_open(path, &f) != VV_OK) {
        assert_message(path);
        return false;
    }
    bool all = true;
    for (int i = 0; i < f->meta->n_vars; i++) {
        const vv_variable *v = &f->meta->var[i];
        vv_index n = vv_shape_elements(&v->shape);
        vv_bytes address;
        if (f->format->offset(f, i, &address) != VV_OK) {
            assert_message("truncated");
            all = false;
        }
        if (n > 1 << 20) continue;
        vv_box box = {.nd = v->shape.nd};
        memcpy(box.n, v->shape.n, sizeof box.n);
        void *out = malloc((size_t)n * 8 + 1);
        all = f->format->read(f, i, &box, out) == VV_OK && all;
        free(out);
    }
    vv_file_close(&f);
    return all;
}

static void truncated(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        header(versions[i], RECORDS);
        data();
        const char *path = stored("cut.nc");
        assert_true(survives(path));
        for (long size = END - 1; size >= 0; size -= size > HEADER + 4 ? 97 : 1) {
            assert_int_equal(truncate(path, size), 0);
            bool whole = survives(path);
            if (whole != (size >= END - 3)) fail_msg("cut at %ld: %s", size, vv_last_error()); /* 3: padding */
        }
    }
}

static void bit_flips(void **state)
{
    (void)state;
    srand48(3);
    header(5, RECORDS);
    data();
    for (int round = 0; round < 3000; round++) {
        size_t at = (size_t)lrand48() % 600;
        char old = file.data[at];
        file.data[at] = (char)(round % 2 ? file.data[at] ^ 1 << lrand48() % 8 : (char)lrand48());
        (void)survives(stored("flipped.nc"));
        file.data[at] = old;
    }
}

static void refused(const char *why)
{
    vv_file *f;
    const char *path = stored("bad.nc");
    vv_status status = vv_file_open(path, &f);
    if (status != VV_ERR_FORMAT && status != VV_ERR_UNSUPPORTED) fail_msg("'%s': %s", why, vv_status_name(status));
    assert_message(path);
    assert_message(why);
}

static void wrong_headers(void **state)
{
    (void)state;
    begin(1, 0), list(10, 1);
    refused("inside its header");
    begin(1, 0), list(11, 3);
    refused("another kind");
    begin(1, 0), list(10, 1), name("");
    refused("an empty name");
    begin(5, 0), list(10, 1), length(UINT64_MAX / 2);
    refused("absurd length");
    begin(5, UINT64_MAX - 1), list(10, 1);
    refused("negative number of records");
    begin(5, 0), list(10, 1), name("x"), length(UINT64_MAX - 7);
    refused("negative length");
    begin(1, 0), list(10, 2), name("x"), length(0), name("y"), length(0);
    refused("second unlimited");
    begin(2, 0), list(10, 1), name("x"), length(3), list(12, 1), name("a"), number(7, 4), length(1), number(0, 4);
    refused("unknown element type");
    begin(5, 0), list(10, 1), name("x"), length(3), list(12, 1), name("a"), number(DOUBLE, 4), length(UINT64_MAX / 4);
    refused("truncated");
    begin(1, 0), list(10, 1), name("x"), length(3), list(0, 0), list(11, 1), variable("v", 1, (int[]){1}, FLOAT, 0);
    refused("does not exist");
    begin(1, 0), list(10, 2), name("t"), length(0), name("x"), length(3), list(0, 0), list(11, 1);
    variable("v", 2, (int[]){1, 0}, FLOAT, 0);
    refused("not the first");
    int many[40] = {0};
    begin(1, 0), list(10, 1), name("x"), length(1), list(0, 0), list(11, 1), variable("v", 40, many, FLOAT, 0);
    refused("40 dimensions");
}

/* Sizes whose products and sums do not fit any number. */
static void absurd_sizes(void **state)
{
    (void)state;
    const uint64_t huge = UINT64_C(1000000000000000000);
    begin(5, huge);
    list(10, 3), name("t"), length(0), name("x"), length(huge), name("y"), length(huge);
    list(0, 0);
    list(11, 3);
    variable("a", 3, (int[]){0, 1, 2}, DOUBLE, 300);
    variable("b", 2, (int[]){0, 1}, SHORT, INT64_MAX);
    variable("c", 2, (int[]){1, 2}, FLOAT, 300);
    vv_file *f = opened(stored("absurd.nc"));
    for (int i = 0; i < 3; i++) {
        vv_bytes address;
        float x;
        assert_int_equal(VV_ERR_FORMAT, f->format->offset(f, i, &address));
        assert_message("truncated");
        assert_int_equal(VV_ERR_FORMAT, f->format->read(f, i, &(vv_box){2, {0, 0}, {1, 1}}, &x));
        assert_int_equal(f->meta->var[i].stored, VV_INDEX_MAX);
    }
    vv_file_close(&f);
}

static int quiet(void **state)
{
    vv_log_set(VV_LOG_ERROR); /* truncated files warn */
    return make_scratch(state);
}

static int done(void **state)
{
    vv_buf_free(&file);
    return drop_scratch(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_versions), cmocka_unit_test(alone),     cmocka_unit_test(empty),
        cmocka_unit_test(truncated),    cmocka_unit_test(bit_flips), cmocka_unit_test(wrong_headers),
        cmocka_unit_test(absurd_sizes),
    };
    return cmocka_run_group_tests(tests, quiet, done);
}
