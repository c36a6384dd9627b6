/* Opening: which driver takes a file, what is said of files that none takes, damage, and the two small drivers. */
#include "storage/formats.h"

#include "base/fault.h"
#include "scratch.h"

#include <hdf5.h>
#include <sys/stat.h>

static const char *make(const char *name, const void *data, size_t size)
{
    const char *path = scratch_path(name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
    return path;
}

static void assert_refused(const char *path, vv_status code, const char *why)
{
    vv_file *f;
    vv_status status = vv_file_open(path, &f);
    if (status != code) fail_msg("%s: %s: %s", path, vv_status_name(status), vv_last_error());
    assert_null(f);
    assert_message(path);
    assert_message(why);
}

static void not_ours(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t n;
        const char *bytes, *why;
    } file[] = {
        {"classic.nc", 32, "CDF\001                            ", "damaged"},
        {"later.nc", 32, "CDF\003                            ", "not a NetCDF or HDF5 file"},
        {"x.grib", 8, "GRIB\0\0\0\2", "GRIB"},
        {"x.nc.gz", 4, "\037\213\010\0", "gzip"},
        {"x.zip", 8, "PK\003\004\0\0\0\0", "zip"},
        {"x.txt", 12, "hello, world", "text"},
        {"empty.nc", 0, "", "empty"},
        {"page.nc", 20, "<!DOCTYPE html><html", "web page"},
        {"noise.nc", 8, "\1\2\3\4\5\6\7\0", "not a NetCDF or HDF5 file"},
        {"cut.nc", 8, "\211HDF\r\n\032\n", "damaged"},
    };
    for (size_t i = 0; i < sizeof file / sizeof *file; i++)
        assert_refused(make(file[i].name, file[i].bytes, file[i].n), VV_ERR_FORMAT, file[i].why);
    assert_refused(scratch_path("nothing.nc"), VV_ERR_NOT_FOUND, "No such file");
    assert_refused(scratch, VV_ERR_FORMAT, "directory");
    assert_refused("/dev/null", VV_ERR_FORMAT, "regular file");
}

static void no_permission(void **state)
{
    (void)state;
    const char *path = make("secret.nc", "x", 1);
    chmod(path, 0);
    bool root = geteuid() == 0;
    if (root && seteuid(65534)) {
        printf("skipped: cannot become another user\n");
        return;
    }
    assert_refused(path, VV_ERR_READ, "Permission denied");
    if (root) assert_int_equal(seteuid(0), 0);
}

/* --- damage --- */

static const char *make_hdf5(const char *name, hsize_t rows)
{
    const char *path = scratch_path(name);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), list = H5Pcreate(H5P_DATASET_CREATE);
    hid_t space = H5Screate_simple(1, &rows, NULL);
    H5Pset_chunk(list, 1, &(hsize_t){4});
    hid_t id = H5Dcreate2(file, "x", H5T_NATIVE_INT, space, H5P_DEFAULT, list, H5P_DEFAULT);
    int *data = calloc(rows, sizeof *data);
    assert_true(H5Dwrite(id, H5T_NATIVE_INT, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
    free(data);
    H5Dclose(id);
    H5Pclose(list);
    H5Sclose(space);
    H5Fclose(file);
    return path;
}

static void truncated(void **state)
{
    (void)state;
    const char *path = make_hdf5("truncated.h5", 4000);
    struct stat s;
    char why[64];
    assert_int_equal(stat(path, &s), 0);
    snprintf(why, sizeof why, "truncated: %lld bytes of %lld", (long long)s.st_size / 2, (long long)s.st_size);
    assert_int_equal(truncate(path, s.st_size / 2), 0);
    assert_refused(path, VV_ERR_FORMAT, why);
    assert_int_equal(truncate(path, 100), 0);
    assert_refused(path, VV_ERR_FORMAT, "100 bytes of");
}

/* Whatever byte is overwritten, opening and indexing succeed or fail with a message: nothing crashes. */
static void damaged(void **state)
{
    (void)state;
    const char *path = make_hdf5("damaged.h5", 400);
    struct stat s;
    assert_int_equal(stat(path, &s), 0);
    FILE *f = fopen(path, "r+b");
    srand48(11);
    for (int round = 0; round < 300; round++) {
        long at = lrand48() % (s.st_size < 2048 ? s.st_size : 2048);
        fseek(f, at, SEEK_SET);
        int old = fgetc(f);
        fseek(f, at, SEEK_SET);
        fputc((int)(lrand48() & 255), f);
        fflush(f);
        vv_file *file;
        if (vv_file_open(path, &file) == VV_OK) {
            vv_chunk_at where[100];
            vv_index number[100];
            for (int i = 0; i < 100; i++) number[i] = i;
            const vv_variable *v = file->meta->n_vars ? &file->meta->var[0] : NULL;
            if (v && v->layout == VV_LAYOUT_CHUNKED && v->shape.n[0] == 400 && v->chunk[0] == 4 &&
                file->format->index(file, 0, 100, number, where) != VV_OK)
                assert_message(path);
            vv_file_close(&file);
        } else {
            assert_message(path);
        }
        fseek(f, at, SEEK_SET);
        fputc(old, f);
    }
    fclose(f);
}

static void planted(void **state)
{
    (void)state;
    const char *path = make_hdf5("fault.h5", 40);
    vv_file *f;
    vv_chunk_at at;
    vv_raw_file raw;
    int data[40];
    setenv("VV_FAULT", "open:1", 1);
    must(vv_fault_setup());
    assert_int_equal(vv_file_open(path, &f), VV_ERR_FAULT);
    must(vv_file_open(path, &f));
    setenv("VV_FAULT", "index:1", 1);
    must(vv_fault_setup());
    assert_int_equal(f->format->index(f, 0, 1, (vv_index[]){0}, &at), VV_ERR_FAULT);
    assert_message("x");
    must(f->format->index(f, 0, 1, (vv_index[]){0}, &at));
    setenv("VV_FAULT", "read:2", 1);
    must(vv_fault_setup());
    must(vv_raw_open(path, &raw));
    must(vv_raw_read(&raw, at.address, at.size, data));
    assert_int_equal(vv_raw_read(&raw, at.address, at.size, data), VV_ERR_FAULT);
    unsetenv("VV_FAULT");
    must(vv_fault_setup());
    assert_int_equal(vv_raw_read(&raw, raw.size - 10, 11, data), VV_ERR_READ);
    assert_message("fault.h5: the file ends at");
    vv_raw_close(&raw);
    vv_file_close(&f);
}

/* --- computed data --- */

static void computed(void **state)
{
    (void)state;
    vv_file *f;
    must(vv_file_open("virtual:t2m?shape=time:2920,lat:361,lon:720&chunk=24,181,360&dtype=f32&seed=3", &f));
    const vv_variable *v = &f->meta->var[0];
    assert_string_equal(v->name, "t2m");
    assert_int_equal(v->type, VV_F32);
    assert_int_equal(v->layout, VV_LAYOUT_CHUNKED);
    assert_int_equal(v->chunk[1], 181);
    assert_int_equal(v->stored, INT64_C(2920) * 361 * 720 * 4);
    assert_false(v->fast);
    assert_int_equal(f->meta->n_vars, 4);
    assert_true(vv_meta_is_coordinate(f->meta, 1));
    assert_string_equal(vv_attr_text(&f->meta->var[1].attrs, "units"), "hours since 1990-01-01 00:00:00");
    double t[3];
    must(f->format->read(f, 1, &(vv_box){.nd = 1, .lo = {2}, .n = {3}}, t));
    assert_true(t[0] == 12 && t[2] == 24);
    float a[24], b[2];
    must(f->format->read(f, 0, &(vv_box){.nd = 3, .lo = {100, 50, 7}, .n = {2, 3, 4}}, a));
    must(f->format->read(f, 0, &(vv_box){.nd = 3, .lo = {101, 52, 8}, .n = {1, 1, 2}}, b));
    assert_memory_equal(&a[21], b, sizeof b);
    for (int i = 0; i < 24; i++) assert_true(a[i] >= 0 && a[i] < 1 && (i == 0 || a[i] != a[i - 1]));
    vv_file_close(&f);
    int16_t numbers[6];
    must(vv_file_open("virtual:n?shape=y:2,x:3&dtype=i16&value=index", &f));
    must(f->format->read(f, 0, &(vv_box){.nd = 2, .n = {2, 3}}, numbers));
    assert_memory_equal(numbers, ((int16_t[]){0, 1, 2, 3, 4, 5}), sizeof numbers);
    vv_file_close(&f);
    must(vv_file_open("virtual:s?shape=", &f));
    must(f->format->read(f, 0, &(vv_box){.nd = 0}, b));
    vv_file_close(&f);
}

static void computed_refused(void **state)
{
    (void)state;
    static const struct {
        const char *path, *why;
    } bad[] = {
        {"virtual:", "name of the variable"},
        {"virtual:x", "shape=DIM:LENGTH"},
        {"virtual:x?shape=3", "not DIM:LENGTH"},
        {"virtual:x?shape=a:-3", "not a length"},
        {"virtual:x?shape=a:3,a:4", "twice"},
        {"virtual:x?shape=a:3&shape=a:3", "twice"},
        {"virtual:x?shape=a:3&chunk=1,2", "2 lengths"},
        {"virtual:x?shape=a:3&chunk=0", "at least 1"},
        {"virtual:x?shape=a:3&dtype=real", "element type"},
        {"virtual:x?shape=a:3&chunks=1", "is it chunk?"},
        {"virtual:x?shape=a:3&value=7", "hash or index"},
        {"virtual:x?shape=a:3&seed", "KEY=VALUE"},
        {"virtual:x?shape=a:3&hours=0", "positive"},
        {"virtual:x?shape=a:4000000000,b:4000000000", "too many"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_refused(bad[i].path, VV_ERR_USAGE, bad[i].why);
}

/* --- the driver to copy --- */

static void template_file(void **state)
{
    (void)state;
    static const char head[] =
        "varve-template 1\nvariable t2m i16\ndimension time 3\ndimension lat 4\norder big\ndata\n";
    char bytes[sizeof head - 1 + 24];
    memcpy(bytes, head, sizeof head - 1);
    for (int i = 0; i < 12; i++) {
        bytes[sizeof head - 1 + 2 * i] = (char)(i * 300 >> 8);
        bytes[sizeof head + 2 * i] = (char)(i * 300);
    }
    const char *path = make("a.vvt", bytes, sizeof bytes);
    vv_file *f;
    vv_bytes at;
    int16_t box[4];
    must(vv_file_open(path, &f));
    assert_true(f->meta->var[0].fast);
    assert_int_equal(f->meta->var[0].shape.n[1], 4);
    must(f->format->offset(f, 0, &at));
    assert_int_equal(at, sizeof head - 1);
    must(f->format->read(f, 0, &(vv_box){.nd = 2, .lo = {1, 2}, .n = {2, 2}}, box));
    assert_memory_equal(box, ((int16_t[]){1800, 2100, 3000, 3300}), sizeof box);
    vv_file_close(&f);
    assert_refused(make("cut.vvt", bytes, sizeof bytes - 5), VV_ERR_FORMAT, "truncated");
    assert_refused(make("b.vvt", "varve-template 1\ndata\n", 22), VV_ERR_FORMAT, "no variable");
    assert_refused(make("c.vvt", "varve-template 1\nvariable x f99\n", 32), VV_ERR_FORMAT, "NAME TYPE");
    assert_refused(make("d.vvt", "varve-template 1\nvariable x f32\ncolour red\n", 43), VV_ERR_FORMAT, "colour");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(not_ours),         cmocka_unit_test(no_permission), cmocka_unit_test(truncated),
        cmocka_unit_test(damaged),          cmocka_unit_test(planted),       cmocka_unit_test(computed),
        cmocka_unit_test(computed_refused), cmocka_unit_test(template_file),
    };
    return cmocka_run_group_tests(tests, make_scratch, drop_scratch);
}
