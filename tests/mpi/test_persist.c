/* Persisted arrays in a session: what is computed from them has the bits that it has without, no file is read again, nothing moves where chunks
 * stay where they are, and what is let go of is gone on all ranks.
 *
 * ranks: 1 2 3 4
 * timeout: 300
 * cores: 1 */
#include "unit/scratch.h"

#include "session/session.h"

#include <math.h>
#include <varve/varve.h>

static vv_session *session;

#define X "virtual:x?shape=time:60,lat:21,lon:34&chunk=7,8,9&dtype=f32"
enum { TIME = 60, LAT = 21, LON = 34, ALL = TIME * LAT * LON };

static vv_array *open_x(void)
{
    vv_array *x = vv_open(session, X, "x");
    must(vv_array_status(x));
    return x;
}

static vv_bytes size_of(const vv_array *a)
{
    vv_bytes n = vv_dtype_size(vv_array_dtype(a));
    for (int d = 0; d < vv_array_n_dims(a); d++) n *= vv_array_length(a, d);
    return n;
}

static void *computed(vv_array *a)
{
    void *values = calloc(1, (size_t)size_of(a) + 1);
    must(vv_compute(a, values, size_of(a)));
    return values;
}

static vv_run_stats stats(void)
{
    vv_run_stats s;
    vv_session_stats(session, &s);
    return s;
}

/* What may be built on an array: n of them. */
enum { BUILT = 9 };
static void build(vv_array *p, vv_array *out[BUILT])
{
    vv_index label[TIME];
    for (int i = 0; i < TIME; i++) label[i] = i % 5;
    vv_array *by = vv_group_labels(p, "time", label, TIME, 5, "five", NULL);
    vv_array *all[BUILT] = {vv_sum(p, NULL),
                            vv_std(p, "time"),
                            vv_mean(p, "lat,lon"),
                            vv_slice(vv_mean(p, "time"), "lon", 5, 6, 1),
                            vv_mean(vv_slice(p, "time", 3, 50, 1), "time"),
                            vv_sub(by, vv_mean(by, "time")),
                            vv_rolling(p, "time", 8, "mean", 0, true),
                            vv_transpose(p, NULL),
                            vv_sqrt(vv_absolute(vv_slice(p, "lat", 9, 20, 1)))};
    memcpy(out, all, sizeof all);
}

static void same_as_without(void)
{
    vv_array *p = vv_mul(open_x(), vv_scalar(session, 1.5)), *q = vv_mul(open_x(), vv_scalar(session, 1.5));
    vv_array *of_p[BUILT], *of_q[BUILT];
    build(p, of_p);
    build(q, of_q);
    must(vv_persist(p));
    assert_true(vv_array_persisted(p));
    for (int i = 0; i < BUILT; i++) {
        void *held = computed(of_p[i]);
        assert_int_equal(stats().read, 0);
        void *plain = computed(of_q[i]);
        assert_true(stats().read > 0);
        if (memcmp(held, plain, (size_t)size_of(of_p[i]))) fail_msg("other bits in what is built as number %d", i);
        free(held);
        free(plain);
        vv_release(&of_p[i]);
        vv_release(&of_q[i]);
    }
    vv_release(&q);
    vv_release(&p);
}

static void test_same_bits(void **state)
{
    (void)state;
    same_as_without();
}

static void test_same_bits_from_scratch(void **state)
{
    (void)state;
    setenv("VARVE_KEEP", "30000", 1);
    same_as_without();
    setenv("VARVE_KEEP", "0", 1);
    same_as_without();
    unsetenv("VARVE_KEEP");
}

/* Chunks of what is made of a held array alone, element by element, are made where they are. */
static void test_no_messages(void **state)
{
    (void)state;
    vv_array *p = vv_square(open_x()), *roots = vv_sqrt(p), *part = vv_negative(vv_slice(p, "time", 14, 43, 1));
    must(vv_persist(p));
    assert_int_equal(stats().moved, 0);
    must(vv_persist(roots));
    assert_int_equal(stats().moved, 0);
    assert_int_equal(stats().read, 0);
    must(vv_persist(part)); /* has chunks of its own */
    double *sum = computed(vv_sum(roots, NULL)), *again = computed(vv_sum(vv_sqrt(vv_square(open_x())), NULL));
    assert_memory_equal(sum, again, sizeof(float));
    free(sum);
    free(again);
}

/* Several at once share what they are made of. */
static void test_together(void **state)
{
    (void)state;
    vv_array *x = open_x(), *all[] = {vv_square(x), vv_negative(x), vv_square(x), vv_square(open_x())};
    vv_bytes once = ALL * (vv_bytes)sizeof(float);
    must(vv_persist_all(all, 4));
    assert_int_equal(stats().read, once);
    must(vv_persist_all(all, 4)); /* nothing to do */
    for (int i = 0; i < 4; i++) assert_true(vv_array_persisted(all[i]));
    float *mean = computed(vv_mean(all[1], "time"));
    assert_int_equal(stats().read, 0);
    float *plain = computed(vv_mean(vv_negative(open_x()), "time"));
    assert_memory_equal(mean, plain, LAT * LON * sizeof(float));
    free(mean);
    free(plain);
    for (int i = 0; i < 4; i++) vv_unpersist(all[i]);
}

static void test_release(void **state)
{
    (void)state;
    vv_bytes before = stats().held, used = vv_mem_used();
    vv_array *p = vv_square(open_x()), *late = vv_mean(p, "time");
    must(vv_persist(p));
    assert_int_equal(stats().held, before + ALL * (vv_bytes)sizeof(float));
    vv_release(&p); /* `late` still wants it */
    float *mean = computed(late);
    assert_int_equal(stats().read, 0);
    free(mean);
    assert_int_equal(stats().held, before + ALL * (vv_bytes)sizeof(float));
    vv_release(&late);
    assert_int_equal(stats().held, before);
    assert_int_equal(vv_mem_used(), used);
    /* Let go of while something is built on it: computed again. */
    p = vv_square(open_x());
    must(vv_persist(p));
    vv_unpersist(p);
    assert_false(vv_array_persisted(p));
    assert_int_equal(stats().held, before);
    mean = computed(vv_mean(p, "time"));
    assert_true(stats().read > 0);
    free(mean);
}

/* A persist that fails holds nothing, and the session goes on. */
static void test_failure(void **state)
{
    (void)state;
    vv_bytes before = stats().held;
    vv_array *p = vv_square(open_x()), *inert = vv_open(session, X, "y");
    assert_int_not_equal(vv_persist_all((vv_array *[]){p, inert}, 2), VV_OK);
    assert_false(vv_array_persisted(p));
    setenv("VARVE_KEEP", "0", 1);
    must(vv_session_set_scratch(session, "/there/is/no/such/directory"));
    assert_int_not_equal(vv_persist(p), VV_OK);
    assert_false(vv_array_persisted(p));
    unsetenv("VARVE_KEEP");
    must(vv_session_set_scratch(session, "/tmp"));
    must(vv_persist(p));
    assert_int_equal(stats().held, before + ALL * (vv_bytes)sizeof(float));
    vv_release(&p);
    assert_int_equal(stats().held, before);
}

static void test_explained(void **state)
{
    (void)state;
    vv_array *p = vv_square(open_x()), *mean = vv_mean(p, "time");
    char *text;
    must(vv_explain_persist(&p, 1, NULL, &text));
    assert_non_null(strstr(text, "held by its owners"));
    assert_non_null(strstr(text, "held arrays "));
    free(text);
    assert_false(vv_array_persisted(p));
    must(vv_persist(p));
    must(vv_explain(mean, NULL, &text));
    assert_non_null(strstr(text, "held by its owners"));
    free(text);
    vv_release(&mean);
    vv_release(&p);
}

static void test_full(void **state)
{
    (void)state;
    vv_array *ones = vv_full(session, "y:700,x:300", "y:99", 1, VV_F32), *sevens = vv_full_like(open_x(), 7);
    double total;
    must(vv_compute(vv_astype(vv_sum(ones, NULL), VV_F64), &total, sizeof total));
    assert_true(total == 700 * 300);
    assert_int_equal(vv_array_dtype(sevens), VV_F32);
    assert_int_equal(vv_array_length(sevens, 2), LON);
    float *values = computed(vv_sub(vv_add(open_x(), sevens), open_x()));
    for (int i = 0; i < ALL; i++) assert_true(fabsf(values[i] - 7) < 1e-5F);
    free(values);
    int8_t *small = computed(vv_transpose(vv_full(session, "y:3,x:5", NULL, -4, VV_I8), NULL));
    for (int i = 0; i < 15; i++) assert_int_equal(small[i], -4);
    free(small);
    assert_int_equal(vv_array_status(vv_full(session, "y:3", NULL, 0.5, VV_I32)), VV_ERR_TYPE);
    assert_int_equal(vv_array_status(vv_full(session, "y:3", NULL, 300, VV_U8)), VV_ERR_TYPE);
    must(vv_persist(ones));
    must(vv_compute(vv_astype(vv_sum(ones, NULL), VV_F64), &total, sizeof total));
    assert_true(total == 700 * 300);
    vv_unpersist(ones);
}

/* What has no name goes, what is kept stays, with what it is made of. */
static void test_release_since(void **state)
{
    (void)state;
    vv_array *before = vv_square(open_x());
    vv_index mark = vv_mark(session);
    vv_array *kept = vv_mean(vv_sqrt(before), "time"), *same = vv_ungroup(before), *held = vv_negative(before);
    vv_bytes bytes = stats().held;
    assert_ptr_equal(same, before);
    must(vv_persist(held));
    vv_release_since(session, mark, &kept, 1);
    assert_int_equal(stats().held, bytes);
    float *mean = computed(kept);
    assert_true(mean[0] > 0);
    free(mean);
    vv_release(&kept);
    assert_int_equal(session->context.arrays->serial, mark); /* nothing is newer */
    float *square = computed(before);
    assert_true(square[0] >= 0);
    free(square);
}

static int driver(vv_session *s, int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failure),       cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_no_messages),   cmocka_unit_test(test_same_bits_from_scratch),
        cmocka_unit_test(test_together),      cmocka_unit_test(test_release),
        cmocka_unit_test(test_explained),     cmocka_unit_test(test_full),
        cmocka_unit_test(test_release_since),
    };
    (void)argc;
    (void)argv;
    session = s;
    return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? VV_OK : VV_ERR_INTERNAL;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}
