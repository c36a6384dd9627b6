/* Errors: codes, records, bounded traces, prefixes, and records that move between threads. */
#include "scratch.h"

#include <errno.h>
#include <pthread.h>

static void test_table(void **state)
{
    (void)state;
    for (int code = 0; code < VV_STATUS_COUNT; code++) {
        assert_true(strlen(vv_status_name(code)) > 1);
        assert_true(strlen(vv_status_text(code)) > 4);
        int exit = vv_status_exit(code);
        assert_true(code == VV_OK ? exit == 0 : exit >= 1 && exit <= 143);
        for (int other = 0; other < code; other++) assert_string_not_equal(vv_status_name(code), vv_status_name(other));
    }
    assert_string_equal(vv_status_name(VV_ERR_READ), "ERR_READ");
    assert_int_equal(vv_status_exit(VV_ERR_BUDGET), 4);
    static const int unknown[] = {-1, VV_STATUS_COUNT, 9999, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        assert_string_equal(vv_status_name(unknown[i]), "ERR_INTERNAL");
}

static vv_status dive(int depth)
{
    if (depth == 0) return vv_fail(VV_ERR_READ, "at the bottom");
    VV_TRY(dive(depth - 1));
    return VV_OK;
}

static void test_trace_is_bounded(void **state)
{
    (void)state;
    for (int depth = 0; depth < 40; depth++) {
        assert_int_equal(dive(depth), VV_ERR_READ);
        vv_failure e;
        vv_error_get(&e);
        assert_int_equal(e.n_frames, depth + 1);
        assert_string_equal(e.text, "at the bottom");
        char text[4096], more[64];
        vv_error_trace(&e, text, sizeof text);
        int lines = 0;
        for (const char *c = text; *c; c++) lines += *c == '\n';
        bool cut = depth + 1 > VV_ERROR_FRAMES;
        assert_int_equal(lines, cut ? VV_ERROR_FRAMES + 1 : depth + 1);
        assert_non_null(strstr(text, "  in dive (")); /* the origin is kept, not the outermost caller */
        snprintf(more, sizeof more, "  and %d more\n", depth + 1 - VV_ERROR_FRAMES);
        assert_int_equal(strstr(text, more) != NULL, cut);
        char *exact = malloc(4096); /* a sanitizer sees a byte too many */
        for (size_t size = 0; size < 400; size++) {
            char *small = realloc(exact, size ? size : 1);
            assert_non_null(small);
            exact = small;
            memset(exact, 'x', size ? size : 1);
            vv_error_trace(&e, exact, size);
            if (size) assert_true(strlen(exact) < size && !strncmp(exact, text, strlen(exact)));
        }
        free(exact);
    }
}

static void test_text_is_bounded(void **state)
{
    (void)state;
    char whole[2000];
    memset(whole, 'a', sizeof whole - 1);
    whole[sizeof whole - 1] = 0;
    assert_int_equal(vv_fail(VV_ERR_USAGE, "%s", whole), VV_ERR_USAGE);
    assert_int_equal(strlen(vv_last_error()), VV_ERROR_TEXT - 1);
    errno = ENOENT;
    assert_int_equal(vv_fail_errno(VV_ERR_READ, "%s", whole), VV_ERR_READ);
    assert_int_equal(strlen(vv_last_error()), VV_ERROR_TEXT - 1);
    for (size_t n = VV_ERROR_TEXT - 40; n < VV_ERROR_TEXT + 3; n++) { /* the reason ends at the border */
        errno = ENOENT;
        (void)vv_fail_errno(VV_ERR_READ, "%.*s", (int)n, whole);
        assert_true(strlen(vv_last_error()) < VV_ERROR_TEXT);
    }
}

static void test_errno(void **state)
{
    (void)state;
    errno = ENOENT;
    assert_int_equal(vv_fail_errno(VV_ERR_READ, "cannot open %s", "x.nc"), VV_ERR_READ);
    assert_string_equal(vv_last_error(), "cannot open x.nc: No such file or directory");
    errno = 0;
    (void)vv_fail_errno(VV_ERR_READ, "no reason");
    assert_string_equal(vv_last_error(), "no reason");
}

static void test_prefix(void **state)
{
    (void)state;
    (void)vv_fail(VV_ERR_CORRUPT, "bad sum");
    assert_int_equal(vv_error_prefix("%s: variable '%s'", "x.nc", "t"), VV_ERR_CORRUPT);
    assert_string_equal(vv_last_error(), "x.nc: variable 't': bad sum");
    for (int i = 0; i < 300; i++) assert_int_equal(vv_error_prefix("more"), VV_ERR_CORRUPT);
    assert_int_equal(strlen(vv_last_error()), VV_ERROR_TEXT - 1);
    assert_memory_equal(vv_last_error(), "more: more: ", 12);
    char whole[2000];
    memset(whole, 'a', sizeof whole - 1);
    whole[sizeof whole - 1] = 0;
    (void)vv_fail(VV_ERR_CORRUPT, "the cause");
    (void)vv_error_prefix("%s", whole);
    assert_message("the cause"); /* a long prefix does not push the cause out */
}

/* The text of the last error as part of the next one. */
static void test_text_from_itself(void **state)
{
    (void)state;
    (void)vv_fail(VV_ERR_READ, "first");
    (void)vv_fail(VV_ERR_WRITE, "second, after '%s'", vv_last_error());
    assert_string_equal(vv_last_error(), "second, after 'first'");
    (void)vv_error_prefix("third, after '%s'", vv_last_error());
    assert_string_equal(vv_last_error(), "third, after 'second, after 'first'': second, after 'first'");
}

static void test_clear(void **state)
{
    (void)state;
    (void)vv_fail(VV_ERR_READ, "gone soon");
    vv_error_clear();
    assert_string_equal(vv_last_error(), "");
    vv_failure e;
    vv_error_get(&e);
    assert_int_equal(e.code, VV_OK);
    assert_int_equal(e.n_frames, 0);
}

static vv_status with_cleanup(int *cleaned)
{
    vv_status status;
    VV_TRY_GOTO(status, done, VV_OK);
    VV_TRY_GOTO(status, done, vv_fail(VV_ERR_SHAPE, "no fit"));
    *cleaned = 100; /* never reached */
done:
    ++*cleaned;
    return status;
}

static void test_goto(void **state)
{
    (void)state;
    int cleaned = 0;
    assert_int_equal(with_cleanup(&cleaned), VV_ERR_SHAPE);
    assert_int_equal(cleaned, 1);
    vv_failure e;
    vv_error_get(&e);
    assert_int_equal(e.n_frames, 2);
}

static void test_rank(void **state)
{
    (void)state;
    vv_set_rank(3, 7);
    assert_int_equal(vv_this_rank(), 3);
    assert_int_equal(vv_all_ranks(), 7);
    (void)vv_fail(VV_ERR_READ, "here");
    vv_failure e;
    vv_error_get(&e);
    assert_int_equal(e.rank, 3);
    vv_set_rank(0, 1);
}

/* --- threads --- */

static void *failing(void *out)
{
    vv_error_clear();
    for (int i = 0; i < 2000; i++) {
        (void)vv_fail(VV_ERR_CORRUPT, "thread %p", out);
        char expected[64];
        snprintf(expected, sizeof expected, "thread %p", out);
        if (strcmp(vv_last_error(), expected)) return NULL;
    }
    (void)dive(5);
    vv_error_get(out);
    return out;
}

static void test_threads(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    pthread_t thread[THREADS];
    vv_failure e[THREADS];
    (void)vv_fail(VV_ERR_USAGE, "mine");
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&thread[i], NULL, failing, &e[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(thread[i], &result);
        assert_ptr_equal(result, &e[i]);
    }
    assert_string_equal(vv_last_error(), "mine");
    vv_error_set(&e[2]);
    assert_string_equal(vv_last_error(), "at the bottom");
    vv_failure back;
    vv_error_get(&back);
    assert_memory_equal(&back, &e[2], sizeof back);
    assert_int_equal(back.n_frames, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_trace_is_bounded),
        cmocka_unit_test(test_text_is_bounded),
        cmocka_unit_test(test_errno),
        cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_text_from_itself),
        cmocka_unit_test(test_clear),
        cmocka_unit_test(test_goto),
        cmocka_unit_test(test_rank),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
