/* Whole computations through the public functions: values against naive ones, the same bits for every placement, number of threads and number
 * of ranks - a process that runs alone computes everything once more -, and failures that leave the session in good order.
 *
 * ranks: 1 2 3 4
 * timeout: 300
 * cores: 1 */
#include "unit/scratch.h"

#include "storage/storage.h"
#include "varve/varve.h"

#include <fcntl.h>
#include <math.h>

enum { TIME = 53, LAT = 19, LON = 23, ELEMENTS = TIME * LAT * LON };

static vv_session *session;
static const char *program;

static uint64_t seed = 1;
static uint64_t draw(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return seed >> 24;
}

/* --- the input: one variable for each way of storing --- */

static const struct {
    const char *name;
    vv_dtype type;
    bool chunked, shuffle, fletcher32, nan;
    int deflate;
    double fill, scale, offset; /* when not 0 */
} store[] = {
    {"plain", VV_F32, false, false, false, true, -1, 0, 0, 0},
    {"zipped", VV_F32, true, true, false, true, 4, 1e20, 0, 0},
    {"packed", VV_I16, true, false, true, false, 1, -32767, 0.01, 273.15},
    {"whole", VV_I32, true, false, false, false, -1, 0, 0, 0},
    {"small", VV_U8, false, false, false, false, -1, 0, 0, 0},
    {"wide", VV_F64, true, true, true, true, 6, 0, 0, 0},
    {"scaled", VV_I8, false, false, false, false, -1, -128, 0.5, 0},
};
enum { STORES = sizeof store / sizeof *store };

static void random_elements(int k, void *data)
{
    vv_bytes size = vv_dtype_size(store[k].type);
    for (int i = 0; i < ELEMENTS; i++) {
        double v = (double)(draw() % 2000) - 1000;
        if (store[k].type == VV_U8) v = (double)(draw() % 256);
        if (store[k].type == VV_I8) v = (double)(draw() % 256) - 128;
        if (vv_dtype_is_float(store[k].type)) v = v / 7 + (double)(draw() % 1000) * 1e-5;
        if (store[k].nan && draw() % 9 == 0) v = NAN;
        if (store[k].fill != 0 && draw() % 11 == 0) v = store[k].fill;
        vv_dtype_store(store[k].type, (char *)data + i * size, v);
    }
}

static void number_attr(vv_variable *v, const char *name, vv_dtype type, double value)
{
    char element[16];
    if (value == 0) return;
    vv_dtype_store(type, element, value);
    must(vv_attr_set(&v->attrs, name, type, 1, element));
}

static void define(vv_meta *m, int k, const int dim[3])
{
    vv_variable *v;
    must(vv_meta_add_var(m, store[k].name, store[k].type, &v));
    v->shape = (vv_shape){3, {TIME, LAT, LON}};
    memcpy(v->dim, dim, 3 * sizeof *dim);
    v->deflate = store[k].deflate;
    v->shuffle = store[k].shuffle;
    v->fletcher32 = store[k].fletcher32;
    if (store[k].chunked) v->layout = VV_LAYOUT_CHUNKED;
    memcpy(v->chunk, (vv_index[]){7, 5, 23}, 3 * sizeof(vv_index));
    if (store[k].fill != 0) vv_dtype_store(store[k].type, v->fill, store[k].fill);
    number_attr(v, "_FillValue", store[k].type, store[k].fill);
    number_attr(v, "scale_factor", VV_F64, store[k].scale);
    number_attr(v, "add_offset", VV_F64, store[k].offset);
}

static void make_input(const char *path)
{
    vv_meta *m;
    vv_writer *w;
    int dim[3];
    must(vv_meta_new(&m));
    must(vv_meta_add_dim(m, "time", TIME, false, &dim[0]));
    must(vv_meta_add_dim(m, "lat", LAT, false, &dim[1]));
    must(vv_meta_add_dim(m, "lon", LON, false, &dim[2]));
    for (int k = 0; k < STORES; k++) define(m, k, dim);
    must(vv_writer_create(path, m, &w));
    char *data = malloc(ELEMENTS * 8);
    for (int k = 0; k < STORES; k++) {
        random_elements(k, data);
        must(vv_writer_put(w, k, data));
    }
    must(vv_writer_close(&w));
    vv_meta_free(&m);
    free(data);
}

/* --- naive reference: HDF5's own reading, decoding and reducing one element after the other --- */

static double *naive_values(const char *path, int k)
{
    vv_file *f;
    must(vv_file_open(path, &f));
    vv_box all = {3, {0}, {TIME, LAT, LON}};
    char *raw = malloc(ELEMENTS * 8);
    must(f->format->read(f, vv_meta_find_var(f->meta, store[k].name), &all, raw));
    vv_file_close(&f);
    double *out = malloc(ELEMENTS * sizeof *out);
    for (int i = 0; i < ELEMENTS; i++) {
        double v = vv_dtype_load(store[k].type, raw + i * vv_dtype_size(store[k].type));
        bool missing = store[k].fill != 0 && v == (store[k].type == VV_F32 ? (float)store[k].fill : store[k].fill);
        if (store[k].scale != 0) v = v * store[k].scale + store[k].offset;
        if (store[k].type == VV_I8) v = (float)v;
        out[i] = missing ? NAN : v;
    }
    free(raw);
    return out;
}

static const char *const dims[] = {"time", "lat", "lon", "time,lon", "lat,lon", NULL};
enum { DIMS = sizeof dims / sizeof *dims };

/* Cell of an element when some dimensions go. */
static int cell_of(int i, const char *reduced, int *cells)
{
    static const char *const name[] = {"time", "lat", "lon"};
    static const int length[] = {TIME, LAT, LON};
    int at[] = {i / (LAT * LON), i / LON % LAT, i % LON}, cell = 0;
    *cells = 1;
    for (int d = 0; d < 3; d++) {
        if (!reduced || strstr(reduced, name[d])) continue;
        cell = cell * length[d] + at[d];
        *cells *= length[d];
    }
    return cell;
}

typedef struct sums {
    long double sum, squares;
    double min, max;
    int n;
} sums;

static sums *naive_sums(const double *value, const char *reduced, int *cells)
{
    sums *s = calloc(ELEMENTS, sizeof *s);
    for (int i = 0; i < ELEMENTS; i++) {
        sums *c = &s[cell_of(i, reduced, cells)];
        if (isnan(value[i])) continue;
        c->sum += (long double)value[i];
        c->squares += (long double)value[i] * (long double)value[i];
        c->min = c->n == 0 || value[i] < c->min ? value[i] : c->min;
        c->max = c->n == 0 || value[i] > c->max ? value[i] : c->max;
        c->n++;
    }
    return s;
}

static const char *const how[] = {"sum", "mean", "min", "max", "std", "count", "range"};
enum { HOWS = sizeof how / sizeof *how };

static double expected(const sums *s, const char *reduction)
{
    if (!strcmp(reduction, "count")) return s->n;
    if (!strcmp(reduction, "sum")) return (double)s->sum;
    if (s->n == 0) return NAN;
    if (!strcmp(reduction, "mean")) return (double)(s->sum / s->n);
    if (!strcmp(reduction, "min")) return s->min;
    if (!strcmp(reduction, "max")) return s->max;
    if (!strcmp(reduction, "range")) return s->max - s->min;
    long double mean = s->sum / s->n, var = s->squares / s->n - mean * mean;
    return var > 0 ? (double)sqrtl(var) : 0;
}

static vv_bytes bytes_of(const vv_array *a)
{
    vv_bytes n = vv_dtype_size(vv_array_dtype(a));
    for (int d = 0; d < vv_array_n_dims(a); d++) n *= vv_array_length(a, d);
    return n;
}

static void *computed(vv_array *a)
{
    vv_bytes bytes = bytes_of(a);
    char *out = malloc((size_t)bytes + 1);
    memset(out, 0x5a, (size_t)bytes + 1);
    must(vv_compute(a, out, bytes));
    assert_int_equal(out[bytes], 0x5a);
    return out;
}

/* f32 results are rounded once; the rest is exact but for the order of additions. */
static bool close_enough(double got, double want, const char *reduction, vv_dtype type)
{
    if (isnan(want)) return isnan(got);
    bool exact = !strcmp(reduction, "min") || !strcmp(reduction, "max") || !strcmp(reduction, "count");
    if (exact) return type == VV_F32 ? (float)got == (float)want : got == want;
    double unit = type == VV_F32 ? 0x1p-23 : 0x1p-42;
    return fabs(got - want) <= unit * fmax(fabs(want), !strcmp(reduction, "std") ? 1 : 0.01);
}

static void check_variable(const char *path, int k, const double *value)
{
    vv_array *a = vv_open(session, path, store[k].name);
    for (int d = 0; d < DIMS; d++) {
        int cells;
        sums *s = naive_sums(value, dims[d], &cells);
        for (int h = 0; h < HOWS; h++) {
            vv_array *r = vv_reduce(a, how[h], dims[d], NULL);
            must(vv_array_status(r));
            vv_dtype type = vv_array_dtype(r);
            char *out = computed(r);
            assert_int_equal(bytes_of(r), cells * vv_dtype_size(type));
            for (int i = 0; i < cells; i++) {
                double got = vv_dtype_load(type, out + i * vv_dtype_size(type)), want = expected(&s[i], how[h]);
                if (!close_enough(got, want, how[h], type))
                    fail_msg("%s of %s over %s, cell %d: %.17g, not %.17g", how[h], store[k].name, dims[d], i, got,
                             want);
            }
            free(out);
        }
        free(s);
    }
}

static void test_values(void **state)
{
    (void)state;
    for (int k = 0; k < STORES; k++) {
        double *value = naive_values(scratch_path("in.nc"), k);
        check_variable(scratch_path("in.nc"), k, value);
        free(value);
    }
}

static void test_keep_nan(void **state)
{
    (void)state;
    double *value = naive_values(scratch_path("in.nc"), 1);
    vv_reduce_options o = {.keep_nan = true};
    float *out = computed(vv_reduce(vv_open(session, scratch_path("in.nc"), "zipped"), "max", "lon", &o));
    for (int i = 0; i < TIME * LAT; i++) {
        double most = -INFINITY;
        for (int j = 0; j < LON; j++)
            most = isnan(value[i * LON + j]) || isnan(most) ? NAN : fmax(most, value[i * LON + j]);
        assert_true(isnan(most) ? isnan(out[i]) : out[i] == (float)most);
    }
    free(out);
    free(value);
}

/* Elementwise over inputs that are stored in different ways. */
static void test_expressions(void **state)
{
    (void)state;
    const char *in = scratch_path("in.nc");
    double *x = naive_values(in, 0), *y = naive_values(in, 1), *z = naive_values(in, 2);
    vv_array *plain = vv_open(session, in, "plain"), *zipped = vv_open(session, in, "zipped"),
             *packed = vv_open(session, in, "packed");
    vv_array *speed = vv_sqrt(vv_add(vv_square(plain), vv_square(zipped)));
    float *got = computed(speed);
    for (int i = 0; i < ELEMENTS; i++) {
        float want = sqrtf((float)x[i] * (float)x[i] + (float)y[i] * (float)y[i]);
        assert_true(isnan(want) ? isnan(got[i]) : got[i] == want);
    }
    free(got);
    double *mixed = computed(vv_where(vv_greater(zipped, vv_scalar(session, 0)), packed, vv_scalar(session, -1)));
    for (int i = 0; i < ELEMENTS; i++) {
        double want = y[i] > 0 ? z[i] : -1;
        assert_true(isnan(want) ? isnan(mixed[i]) : mixed[i] == want);
    }
    free(mixed);
    float *most = computed(vv_max(speed, "time"));
    for (int c = 0; c < LAT * LON; c++) {
        float want = NAN;
        for (int t = 0; t < TIME; t++) {
            int i = t * LAT * LON + c;
            want = fmaxf(want, sqrtf((float)x[i] * (float)x[i] + (float)y[i] * (float)y[i]));
        }
        assert_true(isnan(want) ? isnan(most[c]) : most[c] == want);
    }
    free(most);
    free(x), free(y), free(z);
}

/* Integer sums over a grid with very many leaves: exact. */
static void test_many_leaves(void **state)
{
    (void)state;
    vv_array *a = vv_open(session, "virtual:x?shape=time:5000,lat:6&chunk=1,2&dtype=i64&value=index", "x");
    int64_t *got = computed(vv_sum(a, "time"));
    for (int i = 0; i < 6; i++) assert_int_equal(got[i], 6LL * 5000 * 4999 / 2 + 5000LL * i);
    free(got);
    got = computed(vv_sum(a, NULL));
    assert_int_equal(got[0], 30000LL * 29999 / 2);
    free(got);
}

static void test_empty_and_scalar(void **state)
{
    (void)state;
    vv_array *none = vv_open(session, "virtual:x?shape=time:0,lat:4&chunk=1,3", "x");
    float *mean = computed(vv_mean(none, "time"));
    int64_t *count = computed(vv_reduce(none, "count", "time", NULL));
    float *sum = computed(vv_sum(none, NULL));
    for (int i = 0; i < 4; i++) assert_true(isnan(mean[i]) && count[i] == 0);
    assert_true(sum[0] == 0);
    free(mean), free(count), free(sum);
    free(computed(vv_mean(none, "lat"))); /* no cells at all */
    free(computed(none));
    vv_array *flat = vv_open(session, "virtual:x?shape=time:0,lat:4", "x");
    free(computed(vv_mean(flat, "time")));
    free(computed(vv_mean(flat, "lat")));
    double *one = computed(vv_open(session, "virtual:x?shape=&dtype=f64", "x"));
    assert_true(one[0] >= 0 && one[0] < 1);
    double *same = computed(vv_mean(vv_open(session, "virtual:x?shape=&dtype=f64", "x"), NULL));
    assert_true(one[0] == same[0]);
    free(one), free(same);
}

/* --- the same bits everywhere --- */

enum { VIRTUAL = 3, CASES = (STORES + VIRTUAL) * DIMS * 2 };

static vv_array *bits_case(const char *path, int c)
{
    static const char *const computed_path[VIRTUAL] = {"virtual:x?shape=time:301,lat:40,lon:30&chunk=5,16,30",
                                                       "virtual:x?shape=time:301,lat:40,lon:30&dtype=f64",
                                                       "virtual:x?shape=time:2000,lat:3,lon:2&chunk=1,3,1&seed=5"};
    static const char *const inexact[] = {"sum", "mean", "std", "var", "prod", "mean", "sum"};
    int which = c / 2 % (STORES + VIRTUAL), d = c / 2 / (STORES + VIRTUAL);
    vv_array *a = which < STORES ? vv_open(session, path, store[which].name)
                                 : vv_open(session, computed_path[which - STORES], "x");
    if (c % 2) a = vv_mul(vv_add(a, vv_scalar(session, 0.3)), a);
    return vv_reduce(a, inexact[c % 7], dims[d], NULL);
}

static uint64_t hash_of(vv_array *a)
{
    must(vv_array_status(a));
    char *out = computed(a);
    uint64_t h = vv_hash(out, (size_t)bytes_of(a));
    free(out);
    return h;
}

static vv_status configure(const char *placement, int threads)
{
    vv_status status = vv_session_set_placement(session, placement);
    return status == VV_OK ? vv_session_set_threads(session, threads) : status;
}

/* What a process alone computes: itself again, without the launcher's variables. */
static void hashes_alone(uint64_t out[CASES])
{
    assert_int_equal(
        shell("env -u OMPI_COMM_WORLD_SIZE -u PMI_SIZE -u MPI_LOCALNRANKS -u PMIX_RANK '%s' hashes '%s' > '%s'",
              program, scratch_path("in.nc"), scratch_path("hashes")),
        0);
    FILE *f = fopen(scratch_path("hashes"), "r");
    assert_non_null(f);
    for (int c = 0; c < CASES; c++) {
        unsigned long long h;
        assert_int_equal(fscanf(f, "%llx", &h), 1);
        out[c] = h;
    }
    fclose(f);
}

static void test_same_bits(void **state)
{
    (void)state;
    static const char *const placement[] = {"outputs", "leaves", "cyclic", "auto"};
    static uint64_t alone[CASES];
    hashes_alone(alone);
    for (int c = 0; c < CASES; c++)
        for (int k = 0; k < 4; k++) {
            int threads = 1 + (c + k) % 2;
            must(configure(placement[k], threads));
            if (hash_of(bits_case(scratch_path("in.nc"), c)) != alone[c])
                fail_msg("case %d by %s with %d threads has other bits than one process", c, placement[k], threads);
        }
    must(configure("auto", 3));
    for (int c = 0; c < CASES; c += 5) assert_true(hash_of(bits_case(scratch_path("in.nc"), c)) == alone[c]);
    must(configure("auto", 1));
}

/* --- failures --- */

/* A copy of the input in which one chunk of a variable is damaged. */
static void damage(const char *variable, vv_index chunk, const char *path)
{
    assert_int_equal(shell("cp '%s' '%s'", scratch_path("in.nc"), path), 0);
    vv_file *f;
    vv_chunk_at at;
    must(vv_file_open(path, &f));
    must(f->format->index(f, vv_meta_find_var(f->meta, variable), 1, &chunk, &at));
    vv_file_close(&f);
    int fd = open(path, O_RDWR);
    char byte[8];
    assert_true(fd >= 0 && pread(fd, byte, 8, at.address + at.size / 2) == 8);
    for (int i = 0; i < 8; i++) byte[i] = (char)~byte[i];
    assert_true(pwrite(fd, byte, 8, at.address + at.size / 2) == 8);
    close(fd);
}

static void test_corrupt_chunk(void **state)
{
    (void)state;
    static const char *const variable[] = {"zipped", "packed", "wide"}, *const placement[] = {"outputs", "leaves",
                                                                                              "cyclic"};
    vv_array *good = vv_mean(vv_open(session, scratch_path("in.nc"), "zipped"), "time");
    uint64_t before = hash_of(good);
    for (int k = 0; k < 9; k++) {
        char path[600], *out = malloc(ELEMENTS * 8);
        snprintf(path, sizeof path, "%s-%d", scratch_path("damaged.nc"), k);
        damage(variable[k / 3], 5 + 3 * k, path);
        must(configure(placement[k % 3], 1 + k % 2));
        vv_array *bad = vv_mean(vv_open(session, path, variable[k / 3]), "time");
        vv_status status = vv_compute(bad, out, bytes_of(bad));
        assert_int_equal(status, VV_ERR_CORRUPT);
        assert_message(path);
        assert_message(variable[k / 3]);
        char chunk[32];
        snprintf(chunk, sizeof chunk, "chunk [%d, %d, 0]", (5 + 3 * k) / 4, (5 + 3 * k) % 4);
        assert_message(chunk);
        assert_message("rank ");
        assert_true(hash_of(good) == before); /* and the session goes on */
        free(out);
    }
    must(configure("auto", 1));
}

static void test_file_gone(void **state)
{
    (void)state;
    char path[600], out[8];
    snprintf(path, sizeof path, "%s", scratch_path("gone.nc"));
    assert_int_equal(shell("cp '%s' '%s'", scratch_path("in.nc"), path), 0);
    vv_array *a = vv_mean(vv_open(session, path, "plain"), NULL);
    must(vv_array_status(a));
    assert_int_equal(truncate(path, 6000), 0);
    vv_status status = vv_compute(a, out, 8);
    assert_int_equal(vv_status_exit(status), 3);
    assert_message(path);
}

static void test_small_buffer_and_budget(void **state)
{
    (void)state;
    char out[64];
    vv_array *a = vv_open(session, scratch_path("in.nc"), "plain");
    assert_int_equal(vv_compute(a, out, sizeof out), VV_ERR_USAGE);
    vv_bytes memory = vv_session_memory(session);
    must(vv_session_set_memory(session, 2000000));
    assert_int_equal(vv_compute(vv_mean(a, NULL), out, sizeof out), VV_ERR_BUDGET);
    assert_message("--memory");
    must(vv_session_set_memory(session, memory));
    must(vv_compute(vv_mean(a, NULL), out, sizeof out));
}

static void test_many_plans(void **state)
{
    (void)state;
    uint64_t first = 0;
    for (int i = 0; i < 50; i++) {
        must(configure(i % 2 ? "leaves" : "cyclic", 1 + i % 3));
        uint64_t h = hash_of(vv_std(vv_open(session, scratch_path("in.nc"), "wide"), "time"));
        if (i == 0) first = h;
        assert_true(h == first);
        vv_run_stats stats;
        vv_session_stats(session, &stats);
        assert_true(stats.tasks > 0 && stats.read > 0 && stats.seconds > 0);
        if (vv_session_ranks(session) == 1) assert_int_equal(stats.moved, 0);
    }
    must(configure("auto", 1));
}

/* --- programs --- */

static int setup(void **state)
{
    if (make_scratch(state)) return -1;
    make_input(scratch_path("in.nc"));
    return 0;
}

static int test_driver(vv_session *s, int argc, char **argv)
{
    (void)argc;
    session = s;
    program = argv[0];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_keep_nan),
        cmocka_unit_test(test_expressions),
        cmocka_unit_test(test_many_leaves),
        cmocka_unit_test(test_empty_and_scalar),
        cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_corrupt_chunk),
        cmocka_unit_test(test_file_gone),
        cmocka_unit_test(test_small_buffer_and_budget),
        cmocka_unit_test(test_many_plans),
    };
    int failed = cmocka_run_group_tests(tests, setup, drop_scratch);
    return failed ? vv_error(VV_ERR_RUN, "%d tests failed", failed) : VV_OK;
}

static int hash_driver(vv_session *s, int argc, char **argv)
{
    (void)argc;
    session = s;
    for (int c = 0; c < CASES; c++) {
        vv_array *a = bits_case(argv[2], c);
        char *out = malloc((size_t)bytes_of(a) + 1);
        vv_status status = vv_compute(a, out, bytes_of(a));
        if (status != VV_OK) return status;
        printf("%llx\n", (unsigned long long)vv_hash(out, (size_t)bytes_of(a)));
        free(out);
    }
    return VV_OK;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, argc > 1 && !strcmp(argv[1], "hashes") ? hash_driver : test_driver);
}
