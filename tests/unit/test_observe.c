/* Progress, drawn into a memory file by a clock that the tests turn. */
#include "observe/progress.h"

#include "scratch.h"

#include <stdlib.h>
#include <string.h>

static double fake_time;
static char *shown;
static size_t shown_size;

static double fake_now(void)
{
    return fake_time;
}

static vv_progress_sink begin(bool terminal, int columns, vv_progress_mode mode, vv_index units, vv_bytes bytes)
{
    vv_progress_sink sink = {open_memstream(&shown, &shown_size), terminal, columns, fake_now};
    assert_non_null(sink.out);
    fake_time = 1000;
    vv_progress_set_sink(&sink);
    vv_progress_begin(mode, units, bytes);
    return sink;
}

static void end(const vv_progress_sink *sink, bool ok)
{
    vv_progress_end(ok);
    vv_progress_set_sink(NULL);
    assert_int_equal(0, fclose(sink->out));
}

static int count(const char *text, const char *part)
{
    int n = 0;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part)) n++;
    return n;
}

/* `steps` even updates over `seconds`. */
static void work(int steps, double seconds, vv_index units, vv_bytes bytes)
{
    for (int i = 1; i <= steps; i++) {
        fake_time += seconds / steps;
        vv_progress_update(units * i / steps, bytes * i / steps);
    }
}

static void modes(void **state)
{
    (void)state;
    (void)unsetenv("SLURM_JOB_ID"); /* the tests may be a job */
    static const struct {
        bool terminal;
        vv_progress_mode mode;
        bool shows;
    } row[] = {
        {true, VV_PROGRESS_AUTO, true},   {true, VV_PROGRESS_ON, true},  {true, VV_PROGRESS_OFF, false},
        {false, VV_PROGRESS_AUTO, false}, {false, VV_PROGRESS_ON, true}, {false, VV_PROGRESS_OFF, false},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        vv_progress_sink sink = begin(row[i].terminal, 80, row[i].mode, 100, 1000000000);
        work(1000, 100, 100, 1000000000);
        end(&sink, true);
        assert_int_equal(row[i].shows, shown_size > 0);
        free(shown);
    }
}

/* In a batch job lines come without being asked for, the first one after ten seconds. */
static void batch(void **state)
{
    (void)state;
    assert_int_equal(0, setenv("SLURM_JOB_ID", "17", 1));
    vv_progress_sink sink = begin(false, 80, VV_PROGRESS_AUTO, 100, 1000000000);
    work(90, 9, 100, 100000000);
    assert_int_equal(0, fflush(sink.out));
    assert_int_equal(0, count(shown, "varve:"));
    work(100, 100, 100, 1000000000);
    end(&sink, true);
    assert_in_range(count(shown, "varve:"), 2, 10);
    free(shown);
    sink = begin(false, 80, VV_PROGRESS_OFF, 100, 1000000000);
    work(100, 100, 100, 1000000000);
    end(&sink, true);
    assert_int_equal(0, count(shown, "varve:"));
    free(shown);
    assert_int_equal(0, unsetenv("SLURM_JOB_ID"));
}

static void short_work_shows_nothing(void **state)
{
    (void)state;
    for (int terminal = 0; terminal < 2; terminal++) {
        vv_progress_sink sink = begin(terminal, 80, VV_PROGRESS_ON, 100, 1000000);
        work(1000, 0.49, 100, 1000000);
        end(&sink, true);
        assert_string_equal("", shown);
        free(shown);
        sink = begin(terminal, 80, VV_PROGRESS_ON, 100, 1000000);
        work(1000, 0.9, 100, 1000000); /* nearly done when it might first be shown */
        end(&sink, true);
        assert_string_equal("", shown);
        free(shown);
    }
}

static void bar_is_redrawn_ten_times_a_second(void **state)
{
    (void)state;
    vv_progress_sink sink = begin(true, 80, VV_PROGRESS_AUTO, 100, 3040000000);
    work(100000, 10.5, 100, 3040000000);
    fflush(sink.out);
    int drawn = count(shown, "\rvarve [");
    assert_in_range(drawn, 90, 101);
    assert_int_equal(0, count(shown, "\n"));
    end(&sink, true);
    assert_string_equal("\r\033[K", shown + shown_size - 4);
    free(shown);
}

static void bar_says_how_far(void **state)
{
    (void)state;
    vv_progress_sink sink = begin(true, 100, VV_PROGRESS_AUTO, 100, 3040000000);
    fake_time += 2;
    vv_progress_update(50, 1520000000);
    fflush(sink.out);
    assert_string_equal(
        "\rvarve [####################--------------------]   50 %  1.52 GB of 3.04 GB  760 MB/s  2.0 s left\033[K",
        shown);
    end(&sink, false);
    free(shown);
}

/* Every drawn line fits, however narrow the terminal, and numbers out of bounds do no harm. */
static void bar_fits(void **state)
{
    (void)state;
    for (int columns = 40; columns < 200; columns += 7) {
        vv_progress_sink sink = begin(true, columns, VV_PROGRESS_ON, 0, 1234567890123);
        work(500, 400000, 0, 1300000000000);
        end(&sink, true);
        for (char *line = strtok(shown, "\r"); line; line = strtok(NULL, "\r"))
            assert_true((int)strcspn(line, "\033") < columns);
        assert_null(strstr(shown, "101 %"));
        free(shown);
    }
}

static void lines_become_rare(void **state)
{
    (void)state;
    vv_progress_sink sink = begin(false, 80, VV_PROGRESS_ON, 3600, 3600000000);
    work(36000, 3600, 3600, 3600000000);
    end(&sink, true);
    /* at 2, 12, ... 62, then 92, ... 302, then every minute, and one at the end */
    int expected = 7 + 8 + (3600 - 302) / 60 + 1;
    assert_in_range(count(shown, "\n"), expected - 2, expected + 1);
    assert_int_equal(0, count(shown, "\033"));
    assert_int_equal(0, strncmp(shown, "varve: 0 %, 2.00 MB of 3.60 GB, 1.00 MB/s, 60 min left\n", 55));
    assert_non_null(strstr(shown, "varve: 100 %, 3.60 GB in 60 min, 1.00 MB/s\n"));
    free(shown);
}

static void units_stand_in_for_bytes(void **state)
{
    (void)state;
    vv_progress_sink sink = begin(false, 80, VV_PROGRESS_ON, 200, 0);
    fake_time += 4;
    vv_progress_update(50, 0);
    end(&sink, false);
    assert_string_equal("varve: 25 %, 50 of 200, 12 s left\n", shown);
    free(shown);
}

static void nothing_is_known(void **state)
{
    (void)state;
    vv_progress_sink sink = begin(false, 80, VV_PROGRESS_ON, 0, 0);
    work(10, 10, 0, 0);
    end(&sink, true);
    assert_null(strstr(shown, "nan"));
    assert_null(strstr(shown, "left"));
    free(shown);
    vv_progress_update(1, 1); /* outside: ignored */
    vv_progress_end(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modes),
        cmocka_unit_test(batch),
        cmocka_unit_test(short_work_shows_nothing),
        cmocka_unit_test(bar_is_redrawn_ten_times_a_second),
        cmocka_unit_test(bar_says_how_far),
        cmocka_unit_test(bar_fits),
        cmocka_unit_test(lines_become_rare),
        cmocka_unit_test(units_stand_in_for_bytes),
        cmocka_unit_test(nothing_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
