/* Growing buffers, their readers, misspelled names, and the hash. */
#include "scratch.h"

#include "base/text.h"

static uint64_t seed = 99;
static uint64_t draw(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return seed >> 24;
}

static void test_text_grows(void **state)
{
    (void)state;
    vv_buf b = {0};
    char *naive = calloc(1, 400000);
    size_t n = 0;
    for (int i = 0; i < 3000; i++) {
        char piece[200];
        int k = snprintf(piece, sizeof piece, "%0*d;", (int)(draw() % 120), i);
        if (i % 3 == 0)
            vv_buf_text(&b, piece);
        else if (i % 3 == 1)
            vv_buf_printf(&b, "%s", piece);
        else
            vv_buf_bytes(&b, piece, (size_t)k);
        memcpy(naive + n, piece, (size_t)k);
        n += (size_t)k;
        assert_int_equal(b.size, n);
        assert_int_equal(b.data[n], 0);
    }
    assert_string_equal(b.data, naive);
    must(vv_buf_status(&b));
    vv_buf_free(&b);
    assert_null(b.data);
    vv_buf_text(&b, ""); /* a freed buffer is an empty one */
    assert_string_equal(b.data, "");
    vv_buf_free(&b);
    free(naive);
}

static void test_failed_buffer(void **state)
{
    (void)state;
    vv_buf b = {.failed = true};
    vv_buf_text(&b, "x");
    vv_buf_printf(&b, "%d", 5);
    vv_buf_put_i64(&b, 5);
    assert_null(b.data);
    assert_int_equal(vv_buf_status(&b), VV_ERR_NOMEM);
    vv_buf_free(&b);
}

/* A random sequence of values, packed and read back. */
static void test_round_trip(void **state)
{
    (void)state;
    enum { N = 500 };
    for (int round = 0; round < 20; round++) {
        vv_buf b = {0};
        uint64_t start = seed;
        char text[64];
        for (int i = 0; i < N; i++) {
            uint64_t v = draw();
            snprintf(text, sizeof text, "%.*s", (int)(v % 40), "abcdefghijklmnopqrstuvwxyzabcdefghijklmnop");
            if (v % 3 == 0) vv_buf_put_i64(&b, (int64_t)(v * 0x9e3779b97f4a7c15u));
            if (v % 3 == 1) vv_buf_put_f64(&b, (double)v / 7);
            if (v % 3 == 2) vv_buf_put_string(&b, text);
        }
        vv_reader r = {.data = b.data, .size = b.size};
        seed = start;
        for (int i = 0; i < N; i++) {
            uint64_t v = draw();
            snprintf(text, sizeof text, "%.*s", (int)(v % 40), "abcdefghijklmnopqrstuvwxyzabcdefghijklmnop");
            if (v % 3 == 0) assert_true(vv_read_i64(&r) == (int64_t)(v * 0x9e3779b97f4a7c15u));
            if (v % 3 == 1) assert_true(vv_read_f64(&r) == (double)v / 7);
            if (v % 3 == 2) assert_string_equal(vv_read_string(&r), text);
        }
        assert_false(r.failed);
        assert_int_equal(r.at, r.size);
        assert_int_equal(vv_read_i64(&r), 0);
        assert_true(r.failed);
        vv_buf_free(&b);
    }
}

static void test_reader_stays_failed(void **state)
{
    (void)state;
    vv_buf b = {0};
    vv_buf_put_i64(&b, 7);
    vv_buf_put_i64(&b, 8);
    vv_reader r = {.data = b.data, .size = 12};
    assert_int_equal(vv_read_i64(&r), 7);
    assert_int_equal(vv_read_i64(&r), 0);
    assert_null(vv_read_bytes(&r, 1)); /* though four bytes are left */
    assert_true(vv_read_f64(&r) == 0);
    assert_string_equal(vv_read_string(&r), "");
    assert_true(r.failed);
    vv_buf_free(&b);
}

/* Lengths that are wrong in every way, in a block that ends exactly there. */
static void test_damaged_strings(void **state)
{
    (void)state;
    static const int64_t lengths[] = {0, -1, 5, 7, 1000, INT64_MAX, INT64_MIN, INT64_MAX - 7};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char *exact = malloc(14);
        memcpy(exact, &lengths[i], 8);
        memcpy(exact + 8, "hello", 6);
        vv_reader r = {.data = exact, .size = 14};
        assert_string_equal(vv_read_string(&r), "");
        assert_true(r.failed);
        free(exact);
    }
    for (int cut = 0; cut <= 13; cut++) { /* cut short anywhere */
        vv_buf b = {0};
        vv_buf_put_string(&b, "hello");
        char *exact = malloc((size_t)cut ? (size_t)cut : 1);
        memcpy(exact, b.data, (size_t)cut);
        vv_reader r = {.data = exact, .size = (size_t)cut};
        assert_string_equal(vv_read_string(&r), "");
        assert_true(r.failed);
        free(exact);
        vv_buf_free(&b);
    }
}

static void test_nearest(void **state)
{
    (void)state;
    static const char *const names[] = {"time", "latitude", "longitude", "level", "t2m"};
    static const struct {
        const char *word, *near;
    } known[] = {{"tiem", "time"},
                 {"tim", "time"},
                 {"Time", "time"},
                 {"lattitude", "latitude"},
                 {"longitud", "longitude"},
                 {"lat", "latitude"},
                 {"levels", "level"},
                 {"T2M", "t2m"},
                 {"t2", "t2m"},
                 {"elephant", NULL},
                 {"xyz", NULL},
                 {"pressure", NULL}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const char *got = vv_nearest(known[i].word, names, 5);
        if (!got != !known[i].near || (got && strcmp(got, known[i].near)))
            fail_msg("%s: %s", known[i].word, got ? got : "nothing");
    }
    assert_null(vv_nearest("time", names, 0));
    char longest[3000];
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = 0;
    const char *const both[] = {longest, longest + 100};
    assert_non_null(vv_nearest(longest + 1, both, 2)); /* words are cut, nothing is overrun */
    vv_nearest("", names, 5);
    vv_nearest("\xff\xfe", names, 5);
}

static void test_hash(void **state)
{
    (void)state;
    assert_true(vv_hash("", 0) == 0xcbf29ce484222325u);
    assert_true(vv_hash("a", 1) == 0xaf63dc4c8601ec8cu);
    assert_true(vv_hash("foobar", 6) == 0x85944171f73967e8u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_grows),
        cmocka_unit_test(test_failed_buffer),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_reader_stays_failed),
        cmocka_unit_test(test_damaged_strings),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
