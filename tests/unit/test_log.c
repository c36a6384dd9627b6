/* Log lines: levels, format, one write per line whatever its length. */
#include "scratch.h"

#include "base/log.h"

#include <pthread.h>

/* What vv_say writes to stderr while `speak` runs. */
static size_t caught(void (*speak)(void), char *out, size_t size)
{
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);
    assert_true(file && saved >= 0);
    dup2(fileno(file), STDERR_FILENO);
    speak();
    dup2(saved, STDERR_FILENO);
    ssize_t n = pread(fileno(file), out, size - 1, 0);
    assert_true(n >= 0);
    out[n] = 0;
    fclose(file);
    close(saved);
    return (size_t)n;
}

static void every_level(void)
{
    vv_say(VV_LOG_ERROR, "e%d", 1);
    vv_say(VV_LOG_WARN, "w%d", 2);
    vv_say(VV_LOG_INFO, "i%d", 3);
    vv_say(VV_LOG_DEBUG, "d%d", 4);
}

static void test_levels(void **state)
{
    (void)state;
    static const char *const line[] = {"varve error: e1\n", "varve warn: w2\n", "varve info: i3\n",
                                       "varve debug: d4\n"};
    assert_int_equal(vv_log_get(), VV_LOG_WARN);
    for (int level = VV_LOG_ERROR; level <= VV_LOG_DEBUG; level++) {
        char expected[256] = "", out[256];
        for (int i = 0; i <= level; i++) strcat(expected, line[i]);
        vv_log_set((vv_log_level)level);
        assert_int_equal(vv_log_get(), level);
        caught(every_level, out, sizeof out);
        assert_string_equal(out, expected);
    }
    vv_log_set(VV_LOG_WARN);
}

static void test_names(void **state)
{
    (void)state;
    static const char *const name[] = {"error", "warn", "info", "debug"};
    for (int i = 0; i < 4; i++) {
        vv_log_level level;
        must(vv_log_parse(name[i], &level));
        assert_int_equal(level, i);
    }
    vv_log_level level = VV_LOG_INFO;
    static const char *const bad[] = {"", "Error", "warning", "all", "3"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_int_equal(vv_log_parse(bad[i], &level), VV_ERR_USAGE);
    assert_int_equal(level, VV_LOG_INFO);
}

static void on_a_rank(void)
{
    vv_set_rank(5, 8);
    vv_say(VV_LOG_ERROR, "x");
    vv_set_rank(0, 1);
}

static void test_rank(void **state)
{
    (void)state;
    char out[64];
    caught(on_a_rank, out, sizeof out);
    assert_string_equal(out, "varve[5] error: x\n");
}

static char long_text[4000];
static void very_long(void)
{
    vv_say(VV_LOG_ERROR, "%s", long_text);
}

static void test_long_lines(void **state)
{
    (void)state;
    for (size_t n = 990; n < 1040; n++) {
        memset(long_text, 'a', n);
        long_text[n] = 0;
        char out[4096];
        size_t length = caught(very_long, out, sizeof out);
        assert_true(length <= 1024);
        assert_int_equal(out[length - 1], '\n');
        assert_ptr_equal(strchr(out, '\n'), out + length - 1);
        assert_null(memchr(out, 0, length));
        if (strlen("varve error: ") + n + 1 < 1000) assert_int_equal(length, strlen("varve error: ") + n + 1);
    }
}

static void *chatter(void *argument)
{
    for (int i = 0; i < 200; i++) vv_say(VV_LOG_ERROR, "%s", (const char *)argument);
    return NULL;
}

static void crowd(void)
{
    pthread_t thread[3];
    static char *const word[] = {"first", "second", "third"};
    for (int i = 0; i < 3; i++) pthread_create(&thread[i], NULL, chatter, word[i]);
    for (int i = 0; i < 3; i++) pthread_join(thread[i], NULL);
}

static void test_lines_stay_whole(void **state)
{
    (void)state;
    static char out[64 * 1024];
    caught(crowd, out, sizeof out);
    int seen[3] = {0};
    for (char *line = strtok(out, "\n"); line; line = strtok(NULL, "\n")) {
        seen[0] += !strcmp(line, "varve error: first");
        seen[1] += !strcmp(line, "varve error: second");
        seen[2] += !strcmp(line, "varve error: third");
    }
    for (int i = 0; i < 3; i++) assert_int_equal(seen[i], 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_rank),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_lines_stay_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
