/* Writing: files whose bytes come from put(), from pwrite to a contiguous address and from placed chunks, read back by everybody. */
#include "base/fault.h"
#include "base/mem.h"
#include "storage/storage.h"

#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <sys/stat.h>

enum { NT = 7, NY = 4, NX = 6, N = NT * NY * NX };

/* --- the file --- */

static vv_variable *add(vv_meta *m, const char *name, vv_dtype type, int nd, const int dim[])
{
    vv_variable *v;
    must(vv_meta_add_var(m, name, type, &v));
    v->shape.nd = nd;
    for (int d = 0; d < nd; d++) {
        v->dim[d] = dim[d];
        v->shape.n[d] = m->dim[dim[d]].length;
    }
    return v;
}

static void chunk(vv_variable *v, vv_index a, vv_index b, vv_index c, int deflate)
{
    v->layout = VV_LAYOUT_CHUNKED;
    v->chunk[0] = a;
    v->chunk[1] = b;
    v->chunk[2] = c;
    v->deflate = deflate;
}

enum { TIME, LAT, BNDS, PLAIN, PACKED, CHECKED, CRS, FLAG, SCALAR, LON, BYTES, LONGS };

static vv_meta *make_meta(void)
{
    vv_meta *m;
    vv_variable *v;
    static const int t[] = {0}, y[] = {1}, tb[] = {0, 3}, yx[] = {1, 2}, tyx[] = {0, 1, 2};
    must(vv_meta_new(&m));
    must(vv_meta_add_dim(m, "time", NT, true, NULL));
    must(vv_meta_add_dim(m, "lat", NY, false, NULL));
    must(vv_meta_add_dim(m, "lon", NX, false, NULL));
    must(vv_meta_add_dim(m, "nv", 2, false, NULL));
    must(vv_attr_set_text(&m->attrs, "title", "written"));
    must(vv_attr_set_text(&m->attrs, "Conventions", "CF-1.8"));
    v = add(m, "time", VV_F64, 1, t);
    must(vv_attr_set_text(&v->attrs, "units", "hours since 1990-01-01 00:00:00"));
    must(vv_attr_set_text(&v->attrs, "bounds", "time_bnds"));
    v = add(m, "lat", VV_F32, 1, y);
    must(vv_attr_set_text(&v->attrs, "units", "degrees_north"));
    add(m, "time_bnds", VV_F64, 2, tb);
    v = add(m, "plain", VV_F32, 2, yx);
    must(vv_attr_set_text(&v->attrs, "long_name", "Grüße"));
    must(vv_attr_set_text(&v->attrs, "empty", ""));
    v = add(m, "packed", VV_I16, 3, tyx);
    chunk(v, 3, 2, 4, 4);
    v->shuffle = true;
    must(vv_attr_set(&v->attrs, "_FillValue", VV_F64, 1, &(double){-999})); /* to become an i16 */
    must(vv_attr_set_text(&v->attrs, "units", "K"));
    must(vv_attr_set(&v->attrs, "range", VV_F64, 2, (double[]){1.5, 2.5}));
    v = add(m, "checked", VV_I32, 3, tyx);
    chunk(v, 1, 4, 6, 1);
    v->fletcher32 = true;
    v = add(m, "crs", VV_NONE, 0, NULL);
    free(v->type_text);
    must(vv_strdup(&v->type_text, "char"));
    must(vv_attr_set_text(&v->attrs, "grid_mapping_name", "latitude_longitude"));
    add(m, "flag", VV_BOOL, 1, y);
    add(m, "scalar", VV_F64, 0, NULL);
    add(m, "lon", VV_I16, 1, y);
    add(m, "u8", VV_U8, 1, y);
    add(m, "i64", VV_I64, 1, y);
    return m;
}

static void put_small(vv_writer *w)
{
    double t[NT], b[NT * 2];
    for (int i = 0; i < NT; i++) t[i] = i * 6;
    for (int i = 0; i < NT * 2; i++) b[i] = i;
    int32_t checked[N];
    for (int i = 0; i < N; i++) checked[i] = 3 * i;
    must(vv_writer_put(w, TIME, t));
    must(vv_writer_put(w, BNDS, b));
    must(vv_writer_put(w, LAT, (float[]){-60, -20, 20, 60}));
    must(vv_writer_put(w, CHECKED, checked));
    must(vv_writer_put(w, CRS, "x"));
    must(vv_writer_put(w, FLAG, (uint8_t[]){1, 0, 1, 1}));
    must(vv_writer_put(w, SCALAR, &(double){42}));
    must(vv_writer_put(w, LON, (int16_t[]){1, 2, 3, 4}));
    must(vv_writer_put(w, BYTES, (uint8_t[]){0, 255, 7, 1}));
    must(vv_writer_put(w, LONGS, (int64_t[]){INT64_C(1) << 40, -(INT64_C(1) << 62), 0, 1}));
}

/* One chunk of "packed", compressed as a rank would. */
static size_t pack_chunk(const vv_grid *g, vv_index number, char out[256])
{
    vv_box box;
    int16_t elements[24] = {0};
    char bytes[48];
    vv_grid_box(g, number, &box);
    for (int t = 0; t < box.n[0]; t++)
        for (int y = 0; y < box.n[1]; y++)
            for (int x = 0; x < box.n[2]; x++)
                elements[(t * 2 + y) * 4 + x] = (int16_t)(((box.lo[0] + t) * NY + box.lo[1] + y) * NX + box.lo[2] + x);
    for (int i = 0; i < 48; i++) bytes[i] = ((char *)elements)[i % 24 * 2 + i / 24];
    struct libdeflate_compressor *c = libdeflate_alloc_compressor(4);
    size_t size = libdeflate_zlib_compress(c, bytes, 48, out, 256);
    libdeflate_free_compressor(c);
    assert_true(size > 0);
    return size;
}

/* Two rounds of placing: half of the bytes are written before the file is closed, half after. */
typedef struct pending {
    char data[32][256];
    uint32_t size[32];
    vv_bytes address[32];
} pending;

static int place_chunks(vv_writer *w, const vv_meta *m, pending *p)
{
    vv_grid g = {.shape = m->var[PACKED].shape};
    memcpy(g.chunk, m->var[PACKED].chunk, sizeof g.chunk);
    int n = (int)vv_grid_chunks(&g);
    assert_int_equal(n, 12);
    vv_index number[32];
    for (int i = 0; i < n; i++) {
        number[i] = n - 1 - i; /* any order */
        p->size[i] = (uint32_t)pack_chunk(&g, number[i], p->data[i]);
    }
    must(vv_writer_place(w, PACKED, n / 2, number, p->size, NULL, p->address));
    must(vv_writer_place(w, PACKED, n - n / 2, number + n / 2, p->size + n / 2, NULL, p->address + n / 2));
    return n;
}

static void write_plain(const vv_raw_out *out, vv_bytes at)
{
    float data[NY * NX];
    for (int i = 0; i < NY * NX; i++) data[i] = (float)i * 0.5f;
    must(vv_raw_write(out, at, sizeof data, data));
}

static void write_file(const char *path)
{
    vv_meta *m = make_meta();
    vv_writer *w;
    vv_raw_out out;
    vv_bytes at;
    pending p;
    must(vv_writer_create(path, m, &w));
    must(vv_raw_out_open(path, &out));
    must(vv_writer_offset(w, PLAIN, &at));
    write_plain(&out, at);
    int n = place_chunks(w, m, &p);
    for (int i = 0; i < n / 2; i++) must(vv_raw_write(&out, p.address[i], p.size[i], p.data[i]));
    put_small(w);
    must(vv_writer_close(&w));
    assert_null(w);
    for (int i = n / 2; i < n; i++) must(vv_raw_write(&out, p.address[i], p.size[i], p.data[i]));
    must(vv_raw_out_sync(&out));
    vv_raw_out_close(&out);
    vv_meta_free(&m);
}

/* --- readers --- */

static void read_back(void **state)
{
    (void)state;
    vv_file *f;
    const char *path = scratch_path("written.nc");
    write_file(path);
    must(vv_file_open(path, &f));
    assert_string_equal(f->meta->format, "NetCDF-4");
    assert_int_equal(f->meta->n_vars, 12);
    int16_t data[N];
    must(f->format->read(f, PACKED, &(vv_box){.nd = 3, .n = {NT, NY, NX}}, data));
    for (int i = 0; i < N; i++) assert_int_equal(data[i], i);
    const vv_variable *v = &f->meta->var[PACKED];
    assert_true(v->fast && v->shuffle && v->deflate == 4);
    assert_int_equal(vv_attr_find(&v->attrs, "_FillValue")->type, VV_I16);
    assert_string_equal(f->meta->var[LON].name, "lon");
    assert_false(vv_meta_is_coordinate(f->meta, LON));
    assert_true(f->meta->dim[0].unlimited);
    vv_file_close(&f);
}

static void ecosystem(void **state)
{
    (void)state;
    const char *path = scratch_path("written.nc");
    char script[1024];
    if (have_python("xarray, netCDF4, h5py, h5netcdf"))
        assert_int_equal(
            shell("%s %s %s", python(), source_path("tests/data/check_written.py", script, sizeof script), path), 0);
    if (have_program("ncdump")) {
        assert_int_equal(shell("ncdump %s > %s", path, scratch_path("dump")), 0);
        assert_int_equal(shell("grep -q 'short packed(time, lat, lon)' %s", scratch_path("dump")), 0);
        assert_int_equal(shell("grep -q 'char crs' %s", scratch_path("dump")), 0);
    }
    if (have_program("cdo")) assert_int_equal(shell("cdo -s sinfon %s > %s", path, scratch_path("sinfon")), 0);
    if (have_program("ncks")) {
        assert_int_equal(shell("ncks -O -d time,1,3 %s %s", path, scratch_path("cut.nc")), 0);
        assert_int_equal(shell("ncatted -O -h -a note,packed,c,c,hello %s %s", path, scratch_path("note.nc")), 0);
    }
}

/* Equal data give equal files, whatever was in memory before. */
static void same_bytes(void **state)
{
    (void)state;
    char *dirty = malloc(1 << 20);
    memset(dirty, 0x5a, 1 << 20);
    free(dirty);
    write_file(scratch_path("a.nc"));
    sleep(1);
    for (int i = 1; i < 2000; i++) {
        dirty = malloc((size_t)i);
        memset(dirty, i, (size_t)i);
        free(dirty);
    }
    write_file(scratch_path("b.nc"));
    assert_int_equal(shell("cmp %s %s", scratch_path("a.nc"), scratch_path("b.nc")), 0);
}

static void complex_and_empty(void **state)
{
    (void)state;
    vv_meta *m;
    vv_writer *w;
    vv_file *f;
    vv_bytes at;
    must(vv_meta_new(&m));
    must(vv_meta_add_dim(m, "x", 3, false, NULL));
    must(vv_meta_add_dim(m, "none", 0, false, NULL));
    must(vv_meta_add_dim(m, "record", 0, true, NULL));
    add(m, "z", VV_C128, 1, (int[]){0});
    add(m, "zz", VV_C64, 1, (int[]){0});
    add(m, "more", VV_C64, 1, (int[]){0});
    add(m, "nothing", VV_F32, 2, (int[]){0, 1});
    add(m, "records", VV_F32, 2, (int[]){2, 0});
    const char *path = scratch_path("complex.nc");
    must(vv_writer_create(path, m, &w));
    const vv_c128 z[3] = {{1, 2}, {3, -4}, {0, 1}};
    must(vv_writer_put(w, 0, z));
    must(vv_writer_put(w, 3, NULL));
    must(vv_writer_put(w, 4, NULL));
    must(vv_writer_offset(w, 3, &at));
    assert_int_equal(at, -1);
    must(vv_writer_close(&w));
    vv_c128 back[3];
    must(vv_file_open(path, &f));
    assert_int_equal(f->meta->var[0].type, VV_C128);
    must(f->format->read(f, 0, &(vv_box){.nd = 1, .n = {3}}, back));
    assert_memory_equal(z, back, sizeof z);
    vv_file_close(&f);
    vv_meta_free(&m);
    if (have_program("ncdump")) assert_int_equal(shell("ncdump %s > %s", path, scratch_path("dump")), 0);
}

/* A variable of several dimensions with the name of its first one is a scale too, as netCDF has it. */
static void wide_coordinate(void **state)
{
    (void)state;
    vv_meta *m;
    vv_writer *w;
    vv_file *f;
    must(vv_meta_new(&m));
    must(vv_meta_add_dim(m, "x", 3, false, NULL));
    must(vv_meta_add_dim(m, "y", 2, false, NULL));
    add(m, "x", VV_F32, 2, (int[]){0, 1});
    add(m, "data", VV_F32, 2, (int[]){1, 0});
    const char *path = scratch_path("wide.nc");
    must(vv_writer_create(path, m, &w));
    must(vv_writer_put(w, 0, (float[6]){1, 2, 3, 4, 5, 6}));
    must(vv_writer_close(&w));
    must(vv_file_open(path, &f));
    assert_int_equal(f->meta->n_vars, 2);
    assert_int_equal(f->meta->n_dims, 2);
    assert_int_equal(f->meta->var[0].dim[1], 1);
    assert_int_equal(f->meta->var[1].dim[0], 1);
    vv_file_close(&f);
    vv_meta_free(&m);
    if (have_program("ncdump")) assert_int_equal(shell("ncdump -h %s | grep -q 'float x(x, y)'", path), 0);
}

/* Enough for the metadata cache to write things out between two chunks. */
static void many_chunks(void **state)
{
    (void)state;
    enum { CHUNKS = 60000 };
    vv_meta *m;
    vv_writer *w;
    vv_file *f;
    must(vv_meta_new(&m));
    must(vv_meta_add_dim(m, "x", CHUNKS, false, NULL));
    vv_variable *v = add(m, "v", VV_F32, 1, (int[]){0});
    chunk(v, 1, 0, 0, 1);
    vv_index *number = calloc(CHUNKS, sizeof *number);
    uint32_t *size = calloc(CHUNKS, sizeof *size);
    vv_bytes *address = calloc(CHUNKS, sizeof *address);
    vv_chunk_at *at = calloc(CHUNKS, sizeof *at);
    for (int i = 0; i < CHUNKS; i++) {
        number[i] = i;
        size[i] = (uint32_t)(1 + i * 7 % 50);
    }
    const char *path = scratch_path("many.nc");
    must(vv_writer_create(path, m, &w));
    must(vv_writer_place(w, 0, CHUNKS, number, size, NULL, address));
    must(vv_writer_close(&w));
    must(vv_file_open(path, &f));
    assert_string_equal(f->meta->dim[f->meta->var[0].dim[0]].name, "x");
    must(f->format->index(f, 0, CHUNKS, number, at));
    for (int i = 0; i < CHUNKS; i++) {
        assert_int_equal(at[i].address, address[i]);
        assert_int_equal(at[i].size, size[i]);
    }
    vv_file_close(&f);
    free(number);
    free(size);
    free(address);
    free(at);
    vv_meta_free(&m);
}

/* --- trouble --- */

static void refused(void **state)
{
    (void)state;
    vv_writer *w;
    vv_meta *m = make_meta();
    assert_int_equal(vv_writer_create(scratch_path("no/such/x.nc"), m, &w), VV_ERR_WRITE);
    assert_message("No such file or directory");
    assert_null(w);
    vv_variable *v = &m->var[PACKED];
    v->chunk[1] = 99;
    assert_int_equal(vv_writer_create(scratch_path("x.nc"), m, &w), VV_ERR_SHAPE);
    assert_message("packed: chunk length 99 along lat");
    v->chunk[1] = 2;
    v->layout = VV_LAYOUT_CONTIGUOUS;
    assert_int_equal(vv_writer_create(scratch_path("x.nc"), m, &w), VV_ERR_USAGE);
    v->layout = VV_LAYOUT_CHUNKED;
    free(m->var[CRS].type_text);
    must(vv_strdup(&m->var[CRS].type_text, "opaque"));
    assert_int_equal(vv_writer_create(scratch_path("x.nc"), m, &w), VV_ERR_UNSUPPORTED);
    assert_message("crs");
    vv_meta_free(&m);
    vv_raw_out out;
    assert_int_equal(vv_raw_out_open(scratch_path("no/such/file"), &out), VV_ERR_WRITE);
}

static void plant(const char *fault)
{
    if (fault)
        setenv("VV_FAULT", fault, 1);
    else
        unsetenv("VV_FAULT");
    must(vv_fault_setup());
}

/* Failing at the n-th write of any kind: reported once, at the latest when closing, and the handle is gone. */
static void planted(void **state)
{
    (void)state;
    vv_meta *m = make_meta();
    const char *path = scratch_path("planted.nc");
    vv_writer *w;
    pending p;
    plant("create:1");
    assert_int_equal(vv_writer_create(path, m, &w), VV_ERR_FAULT);
    plant(NULL);
    must(vv_writer_create(path, m, &w));
    plant("place:1");
    vv_index zero = 0;
    assert_int_equal(vv_writer_place(w, PACKED, 1, &zero, (uint32_t[]){30}, NULL, p.address), VV_ERR_FAULT);
    plant(NULL);
    must(vv_writer_close(&w)); /* without complaint, after a failure */
    for (int n = 1, failures = 1; failures; n++) {
        char fault[32];
        snprintf(fault, sizeof fault, "write:%d", n);
        plant(fault);
        vv_status create = vv_writer_create(path, m, &w), put = VV_OK;
        if (create == VV_OK) put = vv_writer_put(w, LAT, (float[]){1, 2, 3, 4});
        vv_status closed = vv_writer_close(&w);
        failures = (create != VV_OK) + (put != VV_OK) + (closed != VV_OK);
        assert_true(failures <= 1);
        if (failures) assert_message("planted");
        plant(NULL);
    }
    vv_meta_free(&m);
}

/* Large blocks that begin at pages, in memory and in the file, or do not; small ones between them: whichever way each of them goes, the file has them all. */
static void straight_to_disk(void **state)
{
    (void)state;
    enum { MEBI = 1 << 20, SIZE = 12 * MEBI };
    static const struct {
        vv_bytes at, size, from; /* in the file, in memory behind a page's begin */
    } piece[] = {{0, 2048, 0},
                 {VV_PAGE, 2 * MEBI, 0},
                 {VV_PAGE + 2 * MEBI, 100, 0},
                 {3 * MEBI, MEBI + 1, 0},
                 {5 * MEBI, MEBI, 64},
                 {6 * MEBI + 8, MEBI, 0},
                 {8 * MEBI, VV_PAGE, 0},
                 {9 * MEBI, 2 * MEBI + 4095, 0},
                 {8 * MEBI + VV_PAGE, MEBI - VV_PAGE, 0}};
    const char *path = scratch_path("straight");
    char *image, *data, *back;
    vv_raw_out out;
    must(vv_mem_get(&image, SIZE, "a test"));
    must(vv_mem_get(&data, SIZE, "a test"));
    must(vv_mem_get(&back, SIZE, "a test"));
    memset(image, 0, SIZE);
    close(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600));
    vv_raw_allocate(path, SIZE);
    must(vv_raw_out_open(path, &out));
    vv_raw_out_direct(&out);
    for (size_t i = 0; i < sizeof piece / sizeof *piece; i++) {
        char *from = data + piece[i].from;
        for (vv_bytes k = 0; k < piece[i].size; k++) from[k] = (char)(k * 7 + k / 4096 + (vv_bytes)i);
        memcpy(image + piece[i].at, from, (size_t)piece[i].size);
        must(vv_raw_write(&out, piece[i].at, piece[i].size, from));
    }
    must(vv_raw_out_sync(&out));
    vv_raw_out_close(&out);
    assert_int_equal(truncate(path, SIZE), 0);
    vv_raw_file f;
    must(vv_raw_open(path, &f));
    must(vv_raw_read(&f, 0, SIZE, back));
    assert_memory_equal(back, image, SIZE);
    vv_raw_close(&f);
    vv_mem_put(&image);
    vv_mem_put(&data);
    vv_mem_put(&back);
}

/* Copies of stretches that begin at pages or anywhere, through a room that begins at a page or not, straight to the disk or not: the same bytes, and none besides. */
static void copied_straight_to_disk(void **state)
{
    (void)state;
    enum { MEBI = 1 << 20, SIZE = 8 * MEBI };
    static const struct {
        vv_bytes from, to, size, room;
    } piece[] = {{0, 0, MEBI, MEBI},
                 {17, MEBI + 5, 2 * MEBI + 3, MEBI},
                 {MEBI + 1, 3 * MEBI + 4096, MEBI + 4095, MEBI / 2 + 100},
                 {5, 5 * MEBI, 1000, MEBI},
                 {MEBI, 5 * MEBI + 2000, MEBI, 4095},
                 {3 * MEBI, SIZE - MEBI - 9, MEBI + 9, MEBI}};
    const char *path = scratch_path("copied"), *source = scratch_path("copied_from");
    char *data, *image, *back, *room;
    vv_raw_file in, f;
    must(vv_mem_get(&data, SIZE, "a test"));
    must(vv_mem_get(&image, SIZE, "a test"));
    must(vv_mem_get(&back, SIZE, "a test"));
    must(vv_mem_get(&room, MEBI + 64, "a test"));
    for (vv_bytes k = 0; k < SIZE; k++) data[k] = (char)(k * 7 + k / 4096);
    close(open(source, O_WRONLY | O_CREAT | O_TRUNC, 0600));
    vv_raw_out out;
    must(vv_raw_out_open(source, &out));
    must(vv_raw_write(&out, 0, SIZE, data));
    vv_raw_out_close(&out);
    must(vv_raw_open(source, &in));
    for (int way = 0; way < 4; way++) {
        close(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600));
        assert_int_equal(truncate(path, SIZE), 0);
        must(vv_raw_out_open(path, &out));
        if (way & 1) vv_raw_out_direct(&out);
        memset(image, 0, SIZE);
        for (size_t i = 0; i < sizeof piece / sizeof *piece; i++) {
            memcpy(image + piece[i].to, data + piece[i].from, (size_t)piece[i].size);
            must(vv_raw_copy(&in, piece[i].from, &out, piece[i].to, piece[i].size, room + (way & 2 ? 64 : 0),
                             piece[i].room));
        }
        must(vv_raw_out_sync(&out));
        vv_raw_out_close(&out);
        must(vv_raw_open(path, &f));
        assert_int_equal(f.size, SIZE);
        must(vv_raw_read(&f, 0, SIZE, back));
        assert_memory_equal(back, image, SIZE);
        vv_raw_close(&f);
    }
    must(vv_raw_out_open(path, &out));
    vv_raw_out_direct(&out);
    assert_int_equal(vv_raw_copy(&in, SIZE - MEBI, &out, 0, 2 * MEBI, room, MEBI), VV_ERR_READ);
    assert_message("the file ends at 8388608");
    vv_raw_out_close(&out);
    vv_raw_close(&in);
    vv_mem_put(&data);
    vv_mem_put(&image);
    vv_mem_put(&back);
    vv_mem_put(&room);
}

static void disk_full(void **state)
{
    (void)state;
    const char *mount = scratch_path("small");
    mkdir(mount, 0755);
    if (geteuid() != 0 || shell("mount -t tmpfs -o size=256k varve-test %s 2>/dev/null", mount)) {
        printf("skipped: cannot mount a small file system\n");
        return;
    }
    char path[300];
    snprintf(path, sizeof path, "%s/full.nc", mount);
    vv_meta *m = make_meta();
    vv_writer *w;
    vv_raw_out out;
    char *block = calloc(1, 1 << 20);
    must(vv_writer_create(path, m, &w));
    must(vv_raw_out_open(path, &out));
    assert_int_equal(vv_raw_write(&out, 100000, 1 << 20, block), VV_ERR_WRITE);
    assert_message("disk full");
    assert_message("full.nc");
    vv_raw_out_close(&out);
    vv_status status = vv_writer_put(w, LAT, (float[]){1, 2, 3, 4}); /* may still fit */
    vv_status closed = vv_writer_close(&w);
    assert_true(status == VV_OK || closed == VV_OK);
    assert_int_equal(vv_writer_create(path, m, &w), VV_OK); /* truncated: there is room again */
    assert_int_equal(vv_writer_close(&w), VV_OK);
    assert_int_equal(shell("dd if=/dev/zero of=%s/filler bs=1k count=1000 2>/dev/null; true", mount), 0);
    snprintf(path, sizeof path, "%s/second.nc", mount);
    status = vv_writer_create(path, m, &w);
    if (status == VV_OK) status = vv_writer_close(&w);
    assert_int_equal(status, VV_ERR_WRITE);
    assert_message("disk full");
    free(block);
    vv_meta_free(&m);
    assert_int_equal(shell("umount %s", mount), 0);
}

/* --- names of outputs --- */

static void touch(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static bool holds(const char *path, const char *text)
{
    return shell("test \"$(cat '%s' 2>/dev/null)\" = '%s'", path, text) == 0;
}

static void output_names(void **state)
{
    (void)state;
    char *temporary;
    const char *path = scratch_path("result.nc");
    must(vv_output_path_check(path, false, &temporary));
    assert_non_null(strstr(temporary, "/.result.nc."));
    touch(temporary, "new");
    must(vv_output_path_commit(temporary, path, false));
    assert_true(holds(path, "new"));
    free(temporary);
    assert_int_equal(vv_output_path_check(path, false, &temporary), VV_ERR_EXISTS);
    assert_message("exists; use -O to overwrite");
    assert_null(temporary);
    must(vv_output_path_check(path, true, &temporary));
    touch(temporary, "newer");
    assert_int_equal(vv_output_path_commit(temporary, path, false),
                     VV_ERR_EXISTS); /* as if it had appeared meanwhile */
    assert_message("appeared");
    assert_true(holds(path, "new") && holds(temporary, "newer"));
    plant("rename:1");
    assert_int_equal(vv_output_path_commit(temporary, path, true), VV_ERR_FAULT);
    plant(NULL);
    must(vv_output_path_commit(temporary, path, true));
    assert_true(holds(path, "newer"));
    touch(temporary, "unwanted");
    vv_output_path_discard(temporary);
    assert_int_equal(access(temporary, F_OK), -1);
    vv_output_path_discard(temporary);
    vv_output_path_discard(NULL);
    free(temporary);
}

static void output_names_refused(void **state)
{
    (void)state;
    char *temporary, longest[300];
    assert_int_equal(vv_output_path_check(scratch_path("no/x.nc"), false, &temporary), VV_ERR_WRITE);
    assert_message("No such file or directory");
    assert_int_equal(vv_output_path_check(scratch, true, &temporary), VV_ERR_WRITE);
    assert_message("is a directory");
    assert_int_equal(vv_output_path_check(scratch_path(""), true, &temporary), VV_ERR_WRITE);
    assert_int_equal(vv_output_path_check("/dev/null", true, &temporary), VV_ERR_WRITE);
    assert_message("regular file");
    touch(scratch_path("file"), "");
    assert_int_equal(vv_output_path_check(scratch_path("file/x.nc"), true, &temporary), VV_ERR_WRITE);
    memset(longest, 'x', sizeof longest);
    longest[256] = 0;
    assert_int_equal(vv_output_path_check(scratch_path(longest), true, &temporary), VV_ERR_WRITE);
    assert_message("255");
    must(vv_output_path_check("plain-name.nc", true, &temporary));
    assert_memory_equal(temporary, "./.plain-name.nc.", 17);
    free(temporary);
    assert_int_equal(chmod(scratch_path(""), 0555), 0);
    if (geteuid() != 0 || seteuid(65534) == 0) {
        assert_int_equal(vv_output_path_check(scratch_path("x.nc"), true, &temporary), VV_ERR_WRITE);
        if (getuid() == 0) assert_int_equal(seteuid(0), 0);
    }
    assert_int_equal(chmod(scratch_path(""), 0755), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_back),
        cmocka_unit_test(ecosystem),
        cmocka_unit_test(same_bytes),
        cmocka_unit_test(complex_and_empty),
        cmocka_unit_test(wide_coordinate),
        cmocka_unit_test(many_chunks),
        cmocka_unit_test(refused),
        cmocka_unit_test(planted),
        cmocka_unit_test(straight_to_disk),
        cmocka_unit_test(copied_straight_to_disk),
        cmocka_unit_test(disk_full),
        cmocka_unit_test(output_names),
        cmocka_unit_test(output_names_refused),
    };
    return cmocka_run_group_tests(tests, make_scratch, drop_scratch);
}
