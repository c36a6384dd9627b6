/* Reading: raw bytes by the chunk index against HDF5's own reading, metadata of files from netCDF4-python and h5py, what is no file of ours. */
#include "base/fault.h"
#include "base/mem.h"
#include "storage/storage.h"

#include "scratch.h"

#include <hdf5.h>
#include <libdeflate.h>
#include <math.h>
#include <sys/stat.h>

/* --- undoing what the file did, in the plainest way --- */

static void unshuffle(size_t n, size_t size, const char *in, char *out)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < size; k++) out[i * size + k] = in[k * n + i];
}

static void swap(size_t n, size_t size, char *p)
{
    for (size_t i = 0; i < n; i++, p += size)
        for (size_t k = 0; k < size / 2; k++) {
            char x = p[k];
            p[k] = p[size - 1 - k];
            p[size - 1 - k] = x;
        }
}

static char *inflate(const char *in, size_t bytes, char *out, size_t room, size_t *n)
{
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    assert_int_equal(libdeflate_zlib_decompress(d, in, bytes, out, room, n), LIBDEFLATE_SUCCESS);
    libdeflate_free_decompressor(d);
    return out;
}

/* Stored bytes of one chunk to its elements, filter by filter; consumes `raw`. */
static char *decode(const vv_variable *v, vv_chunk_at at, char *raw, size_t n)
{
    size_t size = (size_t)vv_dtype_size(v->type), bytes = at.size, room = n * size + 4 * VV_MAX_FILTERS;
    char *now = malloc(room > bytes ? room : bytes), *next = malloc(room);
    memcpy(now, raw, bytes);
    free(raw);
    for (int i = v->n_filters - 1; i >= 0; i--) {
        if (at.filter_mask >> i & 1) continue;
        if (v->filter[i] == VV_FILTER_FLETCHER32) {
            bytes -= 4;
            continue;
        }
        if (v->filter[i] == VV_FILTER_DEFLATE) inflate(now, bytes, next, room, &bytes);
        if (v->filter[i] == VV_FILTER_SHUFFLE) {
            unshuffle(bytes / size, size, now, next);
            memcpy(next + bytes / size * size, now + bytes / size * size, bytes % size);
        }
        char *old = now;
        now = next;
        next = old;
    }
    free(next);
    assert_int_equal(bytes, n * size);
    if (v->swapped) swap(n, size, now);
    return now;
}

static void place_box(const vv_variable *v, const vv_box *box, const char *chunk, char *whole)
{
    size_t size = (size_t)vv_dtype_size(v->type);
    vv_index at[VV_MAX_DIMS] = {0};
    do {
        vv_index from = 0, to = 0;
        for (int d = 0; d < box->nd; d++) {
            from = from * v->chunk[d] + at[d];
            to = to * v->shape.n[d] + box->lo[d] + at[d];
        }
        memcpy(whole + (size_t)to * size, chunk + (size_t)from * size, size);
    } while (vv_odometer(box->nd, box->n, at));
}

static vv_grid grid_of(const vv_variable *v)
{
    vv_grid g = {.shape = v->shape};
    memcpy(g.chunk, v->chunk, sizeof v->chunk);
    return g;
}

static char *filled(const vv_variable *v)
{
    size_t size = (size_t)vv_dtype_size(v->type), n = (size_t)vv_shape_elements(&v->shape);
    char *out = malloc(n * size + 1);
    for (size_t i = 0; i < n; i++) memcpy(out + i * size, v->fill, size);
    return out;
}

static int missing_chunks; /* seen by the last raw_chunks() */

static char *raw_chunks(vv_file *f, int var, const vv_raw_file *raw)
{
    const vv_variable *v = &f->meta->var[var];
    vv_grid g = grid_of(v);
    vv_shape one = {.nd = v->shape.nd};
    memcpy(one.n, v->chunk, sizeof v->chunk);
    size_t n = (size_t)vv_shape_elements(&one);
    vv_index chunks = vv_grid_chunks(&g), *number = calloc((size_t)chunks + 1, sizeof *number);
    vv_chunk_at *at = calloc((size_t)chunks + 1, sizeof *at);
    for (vv_index i = 0; i < chunks; i++) number[i] = i;
    must(f->format->index(f, var, chunks, number, at));
    char *whole = filled(v);
    missing_chunks = 0;
    for (vv_index i = 0; i < chunks; i++) {
        missing_chunks += at[i].address < 0;
        if (at[i].address < 0) continue;
        vv_box box;
        vv_grid_box(&g, i, &box);
        for (int d = 0; d < box.nd; d++) box.n[d] = vv_imin(box.n[d], v->shape.n[d] - v->absent[d] - box.lo[d]);
        char *bytes = malloc(at[i].size);
        must(vv_raw_read(raw, at[i].address, at[i].size, bytes));
        char *elements = decode(v, at[i], bytes, n);
        place_box(v, &box, elements, whole);
        free(elements);
    }
    free(number);
    free(at);
    return whole;
}

/* The whole variable from raw bytes, as a rank would do it. */
static char *by_raw(vv_file *f, int var)
{
    const vv_variable *v = &f->meta->var[var];
    vv_raw_file raw;
    must(vv_raw_open(f->path, &raw));
    char *whole;
    if (v->layout == VV_LAYOUT_CHUNKED) {
        whole = raw_chunks(f, var, &raw);
    } else {
        vv_bytes address, bytes = vv_shape_elements(&v->shape) * vv_dtype_size(v->type);
        whole = filled(v);
        must(f->format->offset(f, var, &address));
        if (address >= 0) {
            must(vv_raw_read(&raw, address, bytes, whole));
            if (v->swapped) swap((size_t)vv_shape_elements(&v->shape), (size_t)vv_dtype_size(v->type), whole);
        }
    }
    vv_raw_close(&raw);
    return whole;
}

static vv_box whole_box(const vv_variable *v)
{
    vv_box b = {.nd = v->shape.nd};
    memcpy(b.n, v->shape.n, sizeof b.n);
    return b;
}

static char *by_driver(vv_file *f, int var)
{
    const vv_variable *v = &f->meta->var[var];
    vv_box box = whole_box(v);
    char *out = calloc((size_t)vv_shape_elements(&v->shape) + 1, v->type ? (size_t)vv_dtype_size(v->type) : 1);
    must(f->format->read(f, var, &box, out));
    return out;
}

static int var_of(const vv_file *f, const char *name)
{
    int var = vv_meta_find_var(f->meta, name);
    if (var < 0) fail_msg("%s has no %s", f->path, name);
    return var;
}

static void check_same(vv_file *f, int var)
{
    const vv_variable *v = &f->meta->var[var];
    size_t bytes = (size_t)(vv_shape_elements(&v->shape) * vv_dtype_size(v->type));
    char *raw = by_raw(f, var), *driver = by_driver(f, var);
    if (memcmp(raw, driver, bytes)) fail_msg("%s: %s: raw bytes and HDF5 differ", f->path, v->name);
    free(raw);
    free(driver);
}

/* Random boxes through the driver are parts of the whole. */
static void check_boxes(vv_file *f, int var, const char *whole)
{
    const vv_variable *v = &f->meta->var[var];
    size_t size = (size_t)vv_dtype_size(v->type);
    for (int round = 0; round < 10; round++) {
        vv_box box = {.nd = v->shape.nd};
        for (int d = 0; d < box.nd; d++) {
            box.lo[d] = lrand48() % v->shape.n[d];
            box.n[d] = 1 + lrand48() % (v->shape.n[d] - box.lo[d]);
        }
        char *out = malloc((size_t)vv_box_elements(&box) * size), *p = out;
        must(f->format->read(f, var, &box, out));
        vv_index at[VV_MAX_DIMS] = {0};
        do {
            vv_index linear = 0;
            for (int d = 0; d < box.nd; d++) linear = linear * v->shape.n[d] + box.lo[d] + at[d];
            assert_memory_equal(p, whole + (size_t)linear * size, size);
            p += size;
        } while (vv_odometer(box.nd, box.n, at));
        free(out);
    }
}

/* --- every kind of chunk index --- */

typedef struct dataset {
    const char *name;
    int nd;
    hsize_t n[3], most[3], chunk[3]; /* chunk[0] 0: contiguous */
    bool shuffle, deflate, fletcher, early, big, sparse, raw_edges;
} dataset;

#define U H5S_UNLIMITED
static const dataset datasets[] = {
    {.name = "contiguous", .nd = 3, .n = {7, 5, 6}, .most = {7, 5, 6}},
    {.name = "contiguous_big", .nd = 2, .n = {5, 6}, .most = {5, 6}, .big = true},
    {.name = "one_chunk", .nd = 2, .n = {5, 6}, .most = {5, 6}, .chunk = {5, 6}},
    {.name = "one_chunk_deflated", .nd = 2, .n = {5, 6}, .most = {5, 6}, .chunk = {5, 6}, .deflate = true},
    {.name = "implicit", .nd = 2, .n = {9, 10}, .most = {9, 10}, .chunk = {4, 3}, .early = true},
    {.name = "fixed", .nd = 2, .n = {9, 10}, .most = {9, 10}, .chunk = {4, 3}},
    {.name = "fixed_deflated",
     .nd = 3,
     .n = {9, 10, 11},
     .most = {9, 10, 11},
     .chunk = {4, 3, 5},
     .shuffle = true,
     .deflate = true},
    {.name = "fixed_big", .nd = 2, .n = {9, 10}, .most = {9, 10}, .chunk = {4, 3}, .deflate = true, .big = true},
    {.name = "fixed_fletcher",
     .nd = 2,
     .n = {9, 10},
     .most = {9, 10},
     .chunk = {4, 3},
     .shuffle = true,
     .deflate = true,
     .fletcher = true},
    {.name = "only_fletcher", .nd = 1, .n = {100}, .most = {100}, .chunk = {7}, .fletcher = true},
    {.name = "only_shuffle", .nd = 1, .n = {100}, .most = {100}, .chunk = {7}, .shuffle = true},
    {.name = "paged_fixed", .nd = 1, .n = {5000}, .most = {5000}, .chunk = {2}, .deflate = true},
    {.name = "extensible", .nd = 2, .n = {90, 10}, .most = {U, 10}, .chunk = {4, 3}, .shuffle = true, .deflate = true},
    {.name = "extensible_plain", .nd = 1, .n = {1000}, .most = {U}, .chunk = {3}},
    {.name = "tree", .nd = 2, .n = {50, 30}, .most = {U, U}, .chunk = {4, 3}, .shuffle = true, .deflate = true},
    {.name = "tree_plain", .nd = 2, .n = {50, 30}, .most = {U, U}, .chunk = {4, 3}},
    {.name = "sparse", .nd = 2, .n = {50, 30}, .most = {50, 30}, .chunk = {4, 3}, .deflate = true, .sparse = true},
    {.name = "sparse_tree", .nd = 2, .n = {50, 30}, .most = {U, U}, .chunk = {4, 3}, .deflate = true, .sparse = true},
    {.name = "sparse_extensible", .nd = 2, .n = {50, 30}, .most = {U, 30}, .chunk = {4, 3}, .sparse = true},
    {.name = "raw_edges",
     .nd = 2,
     .n = {9, 10},
     .most = {9, 10},
     .chunk = {4, 3},
     .shuffle = true,
     .deflate = true,
     .raw_edges = true},
    {.name = "empty", .nd = 2, .n = {0, 10}, .most = {U, 10}, .chunk = {4, 3}, .deflate = true},
    {.name = "scalar", .nd = 0},
};
enum { N_DATASETS = sizeof datasets / sizeof *datasets };

static hid_t creation_list(const dataset *x)
{
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    int fill = -77;
    H5Pset_fill_value(list, H5T_NATIVE_INT, &fill);
    if (x->early) H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY);
    if (x->nd && x->chunk[0]) H5Pset_chunk(list, x->nd, x->chunk);
    if (x->shuffle) H5Pset_shuffle(list);
    if (x->deflate) H5Pset_deflate(list, 4);
    if (x->fletcher) H5Pset_fletcher32(list);
    if (x->raw_edges) H5Pset_chunk_opts(list, H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS);
    return list;
}

static void write_random(hid_t id, const dataset *x)
{
    size_t n = 1;
    for (int d = 0; d < x->nd; d++) n *= x->n[d];
    int *data = malloc(n * sizeof *data + 1);
    for (size_t i = 0; i < n; i++) data[i] = (int)(lrand48() % 1000) - 500;
    hid_t space = H5Dget_space(id);
    hsize_t lo[2] = {8, 9}, count[2] = {20, 7};
    if (x->sparse) H5Sselect_hyperslab(space, H5S_SELECT_SET, lo, NULL, count, NULL);
    if (n) assert_true(H5Dwrite(id, H5T_NATIVE_INT, x->sparse ? space : H5S_ALL, space, H5P_DEFAULT, data) >= 0);
    H5Sclose(space);
    free(data);
}

static void make_file(const char *path, H5F_libver_t low)
{
    hid_t fapl = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_libver_bounds(fapl, low, H5F_LIBVER_LATEST);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, fapl);
    assert_true(file >= 0);
    for (int i = 0; i < N_DATASETS; i++) {
        const dataset *x = &datasets[i];
        hid_t list = creation_list(x);
        hid_t space = x->nd ? H5Screate_simple(x->nd, x->n, x->most) : H5Screate(H5S_SCALAR);
        hid_t id =
            H5Dcreate2(file, x->name, x->big ? H5T_STD_I32BE : H5T_STD_I32LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
        assert_true(id >= 0);
        write_random(id, x);
        H5Dclose(id);
        H5Sclose(space);
        H5Pclose(list);
    }
    H5Fclose(file);
    H5Pclose(fapl);
}

/* Straight from the library's default driver, past all of our code. */
static int *reference(const char *path, const char *name, size_t n)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), id = H5Dopen2(file, name, H5P_DEFAULT);
    int *out = malloc(n * sizeof *out + 1);
    assert_true(H5Dread(id, H5T_NATIVE_INT, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0 || n == 0);
    H5Dclose(id);
    H5Fclose(file);
    return out;
}

static void check_dataset(vv_file *f, const dataset *x)
{
    int var = var_of(f, x->name);
    const vv_variable *v = &f->meta->var[var];
    size_t n = (size_t)vv_shape_elements(&v->shape);
    assert_int_equal(v->type, VV_I32);
    assert_int_equal(v->shape.nd, x->nd);
    assert_true(v->fast);
    assert_int_equal(v->swapped, x->big);
    assert_int_equal(v->shuffle, x->shuffle);
    assert_int_equal(v->fletcher32, x->fletcher);
    int *expected = reference(f->path, x->name, n);
    char *raw = by_raw(f, var);
    if (memcmp(raw, expected, n * sizeof(int))) fail_msg("%s: %s: raw bytes and H5Dread differ", f->path, x->name);
    if (x->sparse) assert_true(missing_chunks > 50);
    if (n) check_boxes(f, var, raw);
    check_same(f, var);
    free(raw);
    free(expected);
}

static void every_chunk_index(void **state)
{
    (void)state;
    static const H5F_libver_t low[] = {H5F_LIBVER_EARLIEST, H5F_LIBVER_V18, H5F_LIBVER_LATEST};
    srand48(3);
    for (int i = 0; i < 3; i++) {
        vv_file *f;
        const char *path = scratch_path("index.h5");
        make_file(path, low[i]);
        must(vv_file_open(path, &f));
        assert_string_equal(f->meta->format, "HDF5");
        assert_int_equal(f->meta->n_vars, N_DATASETS);
        for (int k = 0; k < N_DATASETS; k++) check_dataset(f, &datasets[k]);
        vv_file_close(&f);
        assert_null(f);
    }
}

/* A subset of chunks, out of order, gives the same places. */
static void some_chunks(void **state)
{
    (void)state;
    vv_file *f;
    vv_chunk_at all[150], some[3];
    vv_index number[150];
    must(vv_file_open(scratch_path("index.h5"), &f));
    int var = var_of(f, "tree");
    vv_grid g = grid_of(&f->meta->var[var]);
    assert_int_equal(vv_grid_chunks(&g), 130);
    for (int i = 0; i < 130; i++) number[i] = i;
    must(f->format->index(f, var, 130, number, all));
    must(f->format->index(f, var, 3, (vv_index[]){77, 3, 129}, some));
    assert_int_equal(some[0].address, all[77].address);
    assert_int_equal(some[1].address, all[3].address);
    assert_int_equal(some[2].address, all[129].address);
    assert_int_equal(some[2].size, all[129].size);
    assert_int_equal(f->format->index(f, var_of(f, "contiguous"), 1, number, some), VV_ERR_INTERNAL);
    vv_bytes address;
    assert_int_equal(f->format->offset(f, var, &address), VV_ERR_INTERNAL);
    vv_file_close(&f);
}

/* --- files of other programs --- */

static bool python_files(void)
{
    static int made; /* 0 not tried, 1 yes, -1 no */
    char script[1024];
    if (!made)
        made = have_python("h5py, netCDF4, numpy") &&
                       shell("%s %s %s", python(), source_path("tests/data/netcdf_files.py", script, sizeof script),
                             scratch) == 0
                   ? 1
                   : -1;
    if (made < 0) printf("skipped: no files from Python\n");
    return made > 0;
}

static const char *dims_of(const vv_file *f, const char *name)
{
    static char text[512];
    const vv_variable *v = &f->meta->var[var_of(f, name)];
    text[0] = 0;
    for (int d = 0; d < v->shape.nd; d++) {
        if (d) strcat(text, " ");
        strcat(text, f->meta->dim[v->dim[d]].name);
    }
    return text;
}

static const char *why(const vv_file *f, const char *name)
{
    const vv_variable *v = &f->meta->var[var_of(f, name)];
    assert_int_equal(v->fast, v->why_not_fast == NULL);
    return v->fast ? "fast" : v->why_not_fast;
}

static double value_at(vv_file *f, const char *name, vv_index linear)
{
    int var = var_of(f, name);
    char *all = by_driver(f, var);
    double v = vv_dtype_load(f->meta->var[var].type, all + linear * vv_dtype_size(f->meta->var[var].type));
    free(all);
    return v;
}

static void check_netcdf_attributes(const vv_meta *m)
{
    double x;
    assert_string_equal(vv_attr_text(&m->attrs, "title"), "a title");
    assert_string_equal(vv_attr_text(&m->attrs, "empty"), "");
    assert_string_equal(vv_attr_text(&m->attrs, "utf8"), "Grüße");
    assert_true(vv_attr_number(&m->attrs, "numbers", 2, &x) && x == 3);
    assert_true(vv_attr_number(&m->attrs, "one", 0, &x) && x == 1.5);
    assert_int_equal(vv_attr_find(&m->attrs, "numbers")->type, VV_I16);
    assert_int_equal(m->attrs.n, 5);
    const vv_variable *t = &m->var[vv_meta_find_var(m, "time")];
    assert_int_equal(t->attrs.n, 2);
    assert_string_equal(t->attrs.item[0].name, "units"); /* in the order of creation */
}

static void check_netcdf_values(vv_file *f)
{
    assert_true(value_at(f, "v", 100) == 100);
    assert_true(value_at(f, "w", 150) == 150);
    assert_true(value_at(f, "big", 3) == 1e300);
    assert_true(value_at(f, "short", 1) == 2);
    assert_true(value_at(f, "short", 6) == -9); /* past the end of the variable, inside its dimension */
    assert_true(value_at(f, "/sub/in_group", 11) == 11);
    char *name = by_driver(f, var_of(f, "name"));
    assert_memory_equal(name, "a\0\0\0\0bcd\0\0efghi\0\0\0\0\0", 20);
    free(name);
    check_same(f, var_of(f, "v"));
    check_same(f, var_of(f, "big"));
    check_same(f, var_of(f, "time_bnds"));
    vv_box box = {.nd = 1, .n = {1}};
    char out[64];
    assert_int_equal(f->format->read(f, var_of(f, "text"), &box, out), VV_ERR_UNSUPPORTED);
    assert_message("string");
    assert_message("string");
}

static void netcdf(void **state)
{
    (void)state;
    vv_file *f;
    if (!python_files()) return;
    must(vv_file_open(scratch_path("full.nc"), &f));
    const vv_meta *m = f->meta;
    static const char *const dim[] = {"time", "lat", "lon", "nv", "strlen", "zero", "/sub/x"};
    static const char *const var[] = {"time", "zz",     "lat",   "time_bnds", "short",
                                      "v",    "w",      "name",  "text",      "crs",
                                      "big",  "strlen", "pairs", "/sub/x",    "/sub/in_group"};
    assert_string_equal(m->format, "NetCDF-4");
    assert_int_equal(m->n_dims, 7);
    assert_int_equal(m->n_vars, 15);
    for (int i = 0; i < 7; i++) assert_string_equal(m->dim[i].name, dim[i]);
    for (int i = 0; i < 15; i++) assert_string_equal(m->var[i].name, var[i]);
    assert_int_equal(m->dim[0].length, 7);
    assert_true(m->dim[0].unlimited && !m->dim[1].unlimited && m->dim[5].unlimited && m->dim[5].length == 0);
    assert_string_equal(dims_of(f, "v"), "time lat lon");
    assert_string_equal(dims_of(f, "time_bnds"), "time nv");
    assert_string_equal(dims_of(f, "strlen"), "lat");
    assert_string_equal(dims_of(f, "/sub/in_group"), "lat /sub/x");
    assert_true(vv_meta_is_coordinate(m, 0) && !vv_meta_is_coordinate(m, 1) && !vv_meta_is_coordinate(m, 11));
    assert_string_equal(why(f, "v"), "fast");
    assert_string_equal(why(f, "short"), "fast");
    check_same(f, var_of(f, "short"));
    assert_string_equal(why(f, "text"), "type string");
    assert_string_equal(m->var[12].type_text, "compound");
    assert_int_equal(m->var[7].type, VV_NONE);
    assert_string_equal(m->var[7].type_text, "char");
    assert_int_equal(m->var[5].deflate, 3);
    check_netcdf_attributes(m);
    check_netcdf_values(f);
    vv_file_close(&f);
}

static void check_plain_values(vv_file *f)
{
    static const char *const same[] = {"a",      "b",     "bool",          "complex",          "big_i2",
                                       "scalar", "never", "never_chunked", "zip_then_shuffle", "/g/inner"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        assert_string_equal(why(f, same[i]), "fast");
        check_same(f, var_of(f, same[i]));
    }
    assert_true(value_at(f, "half", 3) == 65504);
    assert_true(value_at(f, "big_i2", 1) == -2);
    assert_true(value_at(f, "never", 4) == 7);
    assert_true(value_at(f, "never_chunked", 24) == -3);
    assert_true(value_at(f, "compact", 3) == 3);
    assert_true(value_at(f, "external", 2) == 2);
    assert_true(value_at(f, "virtual", 19) == 19);
    assert_true(value_at(f, "lzf", 99) == 99);
}

static void plain_hdf5(void **state)
{
    (void)state;
    vv_file *f;
    if (!python_files()) return;
    must(vv_file_open(scratch_path("plain.h5"), &f));
    assert_string_equal(f->meta->format, "HDF5");
    assert_string_equal(dims_of(f, "a"), "phony_dim_0 phony_dim_1 phony_dim_2");
    assert_string_equal(dims_of(f, "b"), "phony_dim_0 phony_dim_2");
    assert_string_equal(dims_of(f, "soft"), "phony_dim_0 phony_dim_1 phony_dim_2");
    assert_int_equal(vv_meta_find_var(f->meta, "dangling"), -1);
    assert_int_equal(vv_meta_find_var(f->meta, "outside"), -1);
    assert_int_equal(vv_meta_find_var(f->meta, "empty"), -1);
    assert_int_equal(vv_meta_find_var(f->meta, "/g/circle/a"), -1);
    assert_int_equal(f->meta->var[var_of(f, "bool")].type, VV_BOOL);
    assert_int_equal(f->meta->var[var_of(f, "complex")].type, VV_C128);
    assert_string_equal(why(f, "half"), "stored as 16-bit float");
    assert_string_equal(why(f, "lzf"), "filter lzf");
    assert_string_equal(why(f, "compact"), "compact layout");
    assert_string_equal(why(f, "external"), "external files");
    assert_string_equal(why(f, "virtual"), "virtual dataset");
    double x;
    assert_null(vv_attr_find(&f->meta->attrs, "array_of_strings"));
    assert_int_equal(vv_attr_find(&f->meta->attrs, "nothing")->count, 0);
    assert_true(vv_attr_number(&f->meta->attrs, "flag", 0, &x) && x == 1);
    check_plain_values(f);
    vv_file_close(&f);
}

static void user_block_and_scales(void **state)
{
    (void)state;
    vv_file *f;
    if (!python_files()) return;
    must(vv_file_open(scratch_path("user.h5"), &f));
    check_same(f, var_of(f, "contiguous"));
    check_same(f, var_of(f, "chunked"));
    assert_true(value_at(f, "chunked", 99) == 99);
    vv_file_close(&f);
    must(vv_file_open(scratch_path("scales.h5"), &f));
    assert_string_equal(dims_of(f, "data"), "y x");
    assert_string_equal(dims_of(f, "half_named"), "phony_dim_2 x");
    assert_true(vv_meta_is_coordinate(f->meta, var_of(f, "x")));
    vv_file_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_chunk_index), cmocka_unit_test(some_chunks),           cmocka_unit_test(netcdf),
        cmocka_unit_test(plain_hdf5),        cmocka_unit_test(user_block_and_scales),
    };
    return cmocka_run_group_tests(tests, make_scratch, drop_scratch);
}
