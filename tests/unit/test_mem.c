/* Memory accounting: alignment, budget, peak; and sizes as text. */
#include "scratch.h"

#include "base/mem.h"

#include <pthread.h>

static uint64_t seed = 20240501;
static uint64_t draw(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return seed >> 17;
}

static int reset(void **state)
{
    (void)state;
    vv_mem_set_budget(0, 0);
    vv_mem_trim();
    vv_mem_reset_peak();
    return 0;
}

static void test_blocks(void **state)
{
    (void)state;
    enum { N = 200 };
    unsigned char *block[N];
    vv_bytes size[N], start = vv_mem_used(), total = 0;
    for (int i = 0; i < N; i++) {
        size[i] = i < 130 ? i : (vv_bytes)(draw() % 100000);
        must(vv_mem_get(&block[i], size[i], "a test"));
        assert_int_equal((uintptr_t)block[i] % 64, 0);
        memset(block[i], i, (size_t)size[i]);
        total += size[i];
    }
    assert_true(vv_mem_used() - start >= total);
    assert_true(vv_mem_used() - start <= total + N * 128); /* a header and rounding for each */
    for (int i = 0; i < N; i++)
        for (vv_bytes k = 0; k < size[i]; k++) assert_int_equal(block[i][k], i);
    for (int i = 0; i < N; i++) {
        int at = (i * 77) % N;
        vv_mem_put(&block[at]);
        assert_null(block[at]);
        vv_mem_put(&block[at]); /* NULL is fine */
    }
    assert_int_equal(vv_mem_used(), start);
    assert_true(vv_mem_peak() >= start + total);
    vv_mem_reset_peak();
    assert_int_equal(vv_mem_peak(), start);
}

static void test_a_list_that_grows(void **state)
{
    (void)state;
    int *list = NULL, n = 0;
    for (int round = 0; round < 3; round++) { /* elements that were taken off again change nothing */
        for (int i = 0; i < 1000; i++, n++) {
            must(vv_grow(&list, n, sizeof *list, "numbers"));
            list[n] = n;
        }
        for (int i = 0; i < n; i++) assert_int_equal(list[i], i);
        n = round == 0 ? 0 : n - 700;
    }
    int *before = list;
    assert_int_equal(vv_grow(&list, INT64_C(1) << 58, sizeof *list, "numbers"), VV_ERR_NOMEM);
    assert_ptr_equal(list, before); /* still there */
    free(list);
}

static void test_budget(void **state)
{
    (void)state;
    void *a, *b = &a;
    vv_mem_set_budget(vv_mem_used() + 1000000 + 50000, 50000);
    must(vv_mem_get(&a, 900000, "the first"));
    vv_bytes used = vv_mem_used(), peak = vv_mem_peak();
    assert_int_equal(vv_mem_get(&b, 200000, "the second"), VV_ERR_BUDGET);
    assert_null(b);
    assert_message("the second");
    assert_message("--memory");
    assert_message("1.05 MB");
    assert_int_equal(vv_mem_used(), used);
    assert_int_equal(vv_mem_peak(), peak); /* what was refused was never there */
    must(vv_mem_get(&b, 90000, "a smaller one"));
    vv_mem_put(&a);
    vv_mem_put(&b);
    must(vv_mem_get(&b, 900000, "again"));
    vv_mem_put(&b);
    assert_int_equal(vv_mem_budget(), vv_mem_used() + 1050000);
}

/* Freed large blocks come again when just their size is asked for; together with what is in use they never exceed the peak. */
static void test_kept(void **state)
{
    (void)state;
    enum { N = 8, SIZE = 2 * VV_MEM_LARGE };
    void *block[N], *other;
    vv_bytes start = vv_mem_used();
    for (int i = 0; i < N; i++) must(vv_mem_get(&block[i], SIZE, "a test"));
    vv_bytes peak = vv_mem_peak(), each = (vv_mem_used() - start) / N;
    void *last = block[N - 1];
    for (int i = 0; i < N; i++) vv_mem_put(&block[i]);
    assert_int_equal(vv_mem_used(), start);
    if (vv_mem_kept() == 0) return; /* built with a sanitizer */
    assert_int_equal(vv_mem_kept(), N * each);
    must(vv_mem_get(&block[0], SIZE, "the same again"));
    assert_ptr_equal(block[0], last);
    assert_int_equal(vv_mem_kept(), (N - 1) * each);
    must(vv_mem_get(&other, SIZE / 2, "a smaller one"));
    assert_true(vv_mem_used() + vv_mem_kept() <= peak);
    assert_int_equal(vv_mem_kept(), (N - 2) * each);
    vv_mem_put(&other);
    must(vv_mem_get(&other, (N - 1) * each - 64, "all the rest"));
    assert_int_equal(vv_mem_kept(), 0);
    assert_int_equal(vv_mem_peak(), peak);
    vv_mem_put(&other);
    vv_mem_put(&block[0]);
    assert_true(vv_mem_kept() > 0);
    vv_mem_trim();
    assert_int_equal(vv_mem_kept(), 0);
    must(vv_mem_get(&other, 1000, "a small one"));
    vv_mem_put(&other);
    assert_int_equal(vv_mem_kept(), 0);
}

/* What is kept between runs is there for the next one, does not count as anybody's, and goes where a budget leaves no room for it. */
static void test_rest(void **state)
{
    (void)state;
    enum { SIZE = 64 * VV_MEM_LARGE };
    char *block, *again;
    vv_bytes before = vv_mem_baseline();
    must(vv_mem_get(&block, SIZE, "a test"));
    memset(block, 1, SIZE);
    char *there = block;
    vv_mem_put(&block);
    if (vv_mem_kept() == 0) return; /* built with a sanitizer */
    vv_mem_rest();
    vv_mem_reset_peak();
    assert_true(vv_mem_kept() >= SIZE);
    assert_true(llabs((long long)(vv_mem_baseline() - before)) < SIZE / 4);
    must(vv_mem_get(&again, SIZE, "the same again"));
    assert_ptr_equal(again, there);
    memset(again, 2, SIZE);
    assert_true(llabs((long long)(vv_mem_baseline() - before)) < SIZE / 4);
    vv_mem_put(&again);
    vv_mem_set_budget(vv_mem_used() + SIZE / 2, 0);
    assert_true(vv_mem_kept() <= SIZE / 2);
    vv_mem_trim();
}

/* From several threads at once: no block has two owners, and the sums are right in the end. Meanwhile they are read one after the other, while others change them. */
enum { CHURNERS = 4, HANDS = 4, LARGEST = 3 };
static void *churn(void *argument)
{
    const vv_bytes all = (vv_bytes)CHURNERS * HANDS * (LARGEST + 1) * VV_MEM_LARGE;
    uint64_t x = (uint64_t)(uintptr_t)argument;
    uint64_t *block[HANDS] = {NULL};
    for (int i = 0; i < 4000; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        int k = (int)(x >> 60) % HANDS;
        if (block[k] && *block[k] != (uint64_t)(uintptr_t)block[k]) return argument;
        vv_mem_put(&block[k]);
        if (vv_mem_get(&block[k], VV_MEM_LARGE * (1 + (vv_bytes)(x >> 40) % LARGEST), "a test") != VV_OK)
            return argument;
        *block[k] = (uint64_t)(uintptr_t)block[k];
        if (vv_mem_kept() > all) return argument;
    }
    for (int k = 0; k < HANDS; k++) vv_mem_put(&block[k]);
    return NULL;
}

static void test_kept_threads(void **state)
{
    (void)state;
    pthread_t thread[CHURNERS];
    vv_bytes start = vv_mem_used();
    vv_mem_trim();
    vv_mem_reset_peak();
    for (int i = 0; i < CHURNERS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, churn, (void *)(uintptr_t)(i + 1)), 0);
    for (int i = 0; i < CHURNERS; i++) {
        void *failed;
        pthread_join(thread[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(vv_mem_used(), start);
    assert_true(vv_mem_used() + vv_mem_kept() <= vv_mem_peak());
    vv_mem_trim();
}

/* Saturated products come here when a file claims absurd shapes. */
static void test_absurd_sizes(void **state)
{
    (void)state;
    void *p = &p;
    vv_bytes used = vv_mem_used(), peak = vv_mem_peak();
    static const vv_bytes absurd[] = {INT64_MAX,       INT64_MAX - 1, INT64_MAX - 63,
                                      INT64_MAX - 128, INT64_MAX / 2, 1LL << 60};
    for (int limited = 0; limited < 2; limited++) {
        vv_mem_set_budget(limited ? 1 << 30 : 0, 0);
        for (size_t i = 0; i < sizeof absurd / sizeof *absurd; i++) {
            p = &p;
            assert_int_equal(vv_mem_get(&p, absurd[i], "everything"), limited ? VV_ERR_BUDGET : VV_ERR_NOMEM);
            assert_null(p);
            assert_message("everything");
            assert_int_equal(vv_mem_used(), used);
            assert_int_equal(vv_mem_peak(), peak);
        }
    }
    assert_int_equal(vv_mem_get(&p, -1, "less than nothing"), VV_ERR_INTERNAL);
    assert_null(p);
}

static void *reuse(void *argument)
{
    uint64_t mine = (uint64_t)(uintptr_t)argument * 0x9e3779b97f4a7c15u;
    for (int i = 0; i < 3000; i++) {
        void *p;
        mine = mine * 6364136223846793005u + 1442695040888963407u;
        if (vv_mem_get(&p, (vv_bytes)(mine >> 50), "a thread's block") != VV_OK) return argument;
        vv_mem_put(&p);
    }
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    pthread_t thread[4];
    vv_bytes used = vv_mem_used();
    for (intptr_t i = 0; i < 4; i++) assert_int_equal(pthread_create(&thread[i], NULL, reuse, (void *)(i + 1)), 0);
    for (int i = 0; i < 4; i++) {
        void *failed;
        pthread_join(thread[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(vv_mem_used(), used);
}

static void test_bookkeeping(void **state)
{
    (void)state;
    char *text, *zeros;
    must(vv_strdup(&text, "time"));
    assert_string_equal(text, "time");
    free(text);
    must(vv_new(&zeros, 33, 7));
    for (int i = 0; i < 33 * 7; i++) assert_int_equal(zeros[i], 0);
    free(zeros);
    must(vv_new(&zeros, 0, 8));
    assert_non_null(zeros);
    free(zeros);
    assert_int_equal(vv_new(&zeros, SIZE_MAX / 2, 8), VV_ERR_NOMEM);
}

static void test_resident(void **state)
{
    (void)state;
    enum { SIZE = 64 << 20 };
    vv_bytes before = vv_mem_resident();
    assert_true(before > 100000);
    char *p;
    must(vv_mem_get(&p, SIZE, "a large block"));
    memset(p, 1, SIZE);
    assert_true(vv_mem_resident() >= before + SIZE / 10 * 9);
    vv_mem_put(&p);
    assert_true(vv_mem_resident_peak() >= before + SIZE / 10 * 9);
}

/* --- sizes as text --- */

static void test_sizes_known(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        vv_bytes bytes;
    } good[] = {{"0", 0},
                {"1", 1},
                {"512MB", 512000000},
                {"1.5G", 1500000000},
                {"1.5 GB", 1500000000},
                {"300k", 300000},
                {"300K", 300000},
                {"2Ki", 2048},
                {"2KiB", 2048},
                {"1Mi", 1 << 20},
                {"3 GiB", 3LL << 30},
                {"1T", 1000000000000},
                {"1PB", 1000000000000000},
                {"17 B", 17},
                {"17b", 17},
                {"1.001kB", 1001},
                {"4.35kB", 4350},
                {"8.2MB", 8200000}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        vv_bytes n = -1;
        must(vv_bytes_parse(good[i].text, &n));
        if (n != good[i].bytes) fail_msg("%s: %lld", good[i].text, (long long)n);
    }
    static const char *const bad[] = {"",      "x",    "MB",  "-1",   "-5GB",   "1.5 XB", "1GBB",
                                      "1 G B", "nan",  "inf", "1e30", "99999E", "10EiB",  "1kk",
                                      "12 %",  "1..5", "5,5", "B",    "1Mi k",  "1 Gi_",  "--1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        vv_bytes n = 42;
        if (vv_bytes_parse(bad[i], &n) != VV_ERR_USAGE) fail_msg("'%s' was taken as %lld", bad[i], (long long)n);
        assert_int_equal(n, 42);
    }
}

static void test_sizes_as_text(void **state)
{
    (void)state;
    static const struct {
        vv_bytes bytes;
        const char *text;
    } known[] = {{0, "0 B"},         {1, "1 B"},          {999, "999 B"},          {1000, "1.00 kB"},
                 {9994, "9.99 kB"},  {9996, "10.0 kB"},   {99940, "99.9 kB"},      {99960, "100 kB"},
                 {999400, "999 kB"}, {999600, "1.00 MB"}, {1500000000, "1.50 GB"}, {INT64_MAX, "9.22 EB"},
                 {-1500, "-1.50 kB"}};
    char out[32];
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_string_equal(vv_bytes_text(known[i].bytes, out), known[i].text);
}

static void test_sizes_round_trip(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        vv_bytes n = (vv_bytes)(draw() >> (draw() % 46)), back;
        char text[32], again[32], exact[32];
        must(vv_bytes_parse(vv_bytes_text(n, text), &back));
        assert_string_equal(vv_bytes_text(back, again), text);
        assert_true(llabs(back - n) <= n / 180 + 1); /* three digits */
        snprintf(exact, sizeof exact, "%lldB", (long long)n);
        must(vv_bytes_parse(exact, &back));
        assert_int_equal(back, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_blocks, reset),
        cmocka_unit_test_setup_teardown(test_budget, reset, reset),
        cmocka_unit_test_setup_teardown(test_absurd_sizes, reset, reset),
        cmocka_unit_test_setup(test_threads, reset),
        cmocka_unit_test_setup(test_kept, reset),
        cmocka_unit_test_setup(test_kept_threads, reset),
        cmocka_unit_test_setup_teardown(test_rest, reset, reset),
        cmocka_unit_test(test_a_list_that_grows),
        cmocka_unit_test(test_bookkeeping),
        cmocka_unit_test_setup(test_resident, reset),
        cmocka_unit_test(test_sizes_known),
        cmocka_unit_test(test_sizes_as_text),
        cmocka_unit_test(test_sizes_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
