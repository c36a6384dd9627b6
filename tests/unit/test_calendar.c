/* CF time against cftime's answers: a table kept here (data/calendar.txt) and 10,000 dates of each calendar drawn by
 * tests/data/golden_dates.py; and against itself. */
#include "base/calendar.h"

#include "scratch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static vv_time_axis axis_of(const char *units, const char *calendar)
{
    vv_time_axis a;
    must(vv_time_parse(units, calendar, &a));
    return a;
}

static const char *decoded(const vv_time_axis *a, double value)
{
    static char text[64];
    vv_date d;
    must(vv_time_decode(a, value, &d));
    return vv_date_text(&d, text);
}

static void assert_date(const vv_date *d, const vv_date *expected, const char *line)
{
    if (d->year != expected->year || d->month != expected->month || d->day != expected->day ||
        d->hour != expected->hour || d->minute != expected->minute || d->second != expected->second ||
        d->microsecond != expected->microsecond) {
        char text[64];
        fail_msg("%s gave %s", line, vv_date_text(d, text));
    }
}

/* calendar|units|value|year month day hour minute second microsecond|day of year */
static void check_line(char *line)
{
    char whole[256];
    snprintf(whole, sizeof whole, "%s", line);
    char *field[5], *rest = line;
    for (int i = 0; i < 5; i++) assert_non_null(field[i] = strsep(&rest, "|"));
    vv_time_axis a = axis_of(field[1], field[0]);
    vv_date expected, d;
    long long year;
    assert_int_equal(7, sscanf(field[3], "%lld %d %d %d %d %d %d", &year, &expected.month, &expected.day,
                               &expected.hour, &expected.minute, &expected.second, &expected.microsecond));
    expected.year = year;
    double value = strtod(field[2], NULL), back;
    if (fabs(value) < 0x1p53) { /* where a double holds it */
        must(vv_time_decode(&a, value, &d));
        assert_date(&d, &expected, whole);
    }
    assert_int_equal(vv_time_day_of_year(&a, &expected), atoi(field[4]));
    if (!strchr(field[2], '.')) {
        must(vv_time_decode_int(&a, strtoll(field[2], NULL, 10), &d));
        assert_date(&d, &expected, whole);
    }
    must(vv_time_encode(&a, &expected, &back));
    if (back != value) fail_msg("%s came back as %.17g", whole, back);
}

static int check_table(const char *path)
{
    char line[256];
    FILE *f = fopen(path, "r");
    if (!f) fail_msg("cannot open %s", path);
    int n = 0;
    for (; fgets(line, sizeof line, f); n++) {
        line[strcspn(line, "\n")] = 0;
        check_line(line);
    }
    fclose(f);
    return n;
}

static void golden_table(void **state)
{
    (void)state;
    char path[1024];
    assert_true(check_table(source_path("tests/unit/data/calendar.txt", path, sizeof path)) > 1200);
}

static void random_table(void **state)
{
    (void)state;
    enum { EACH = 10000 };
    char script[1024];
    const char *table = scratch_path("dates.txt");
    if (!have_python("cftime, numpy")) return;
    source_path("tests/data/golden_dates.py", script, sizeof script);
    assert_int_equal(shell("%s -W ignore '%s' --random %d > '%s'", python(), script, EACH, table), 0);
    assert_int_equal(check_table(table), EACH * VV_CALENDARS);
}

/* Every day of 1000 years has its number, and the next day has the next one. */
static void days_are_consecutive(void **state)
{
    (void)state;
    static const char *const name[] = {"standard", "proleptic_gregorian", "julian", "noleap", "all_leap", "360_day"};
    for (size_t c = 0; c < sizeof name / sizeof *name; c++) {
        vv_time_axis a = axis_of("days since 1970-01-01", name[c]);
        vv_instant t, expected = {0};
        for (int64_t year = 1200; year < 2200; year++) {
            int in_year = 0;
            for (int month = 1; month <= 12; month++) {
                int n = vv_time_days_in_month(&a, year, month), day = 0;
                in_year += n;
                for (int i = 0; i < n; i++) {
                    day++;
                    if (c == 0 && year == 1582 && month == 10 && day == 5) day = 15;
                    vv_date d = {.year = year, .month = month, .day = day}, back;
                    must(vv_time_of_date(&a, &d, &t));
                    if (year > 1200 || month > 1 || day > 1) assert_int_equal(t.day, expected.day + 1);
                    expected = t;
                    vv_time_date(&a, t, &back);
                    assert_date(&back, &d, name[c]);
                }
            }
            assert_int_equal(in_year, vv_time_days_in_year(&a, year));
        }
    }
}

static void random_round_trips(void **state)
{
    (void)state;
    static const char *const name[] = {"standard", "proleptic_gregorian", "julian", "noleap", "all_leap", "360_day"};
    static const char *const unit[] = {"days", "hours", "minutes", "seconds", "milliseconds", "microseconds"};
    srand48(7);
    for (int i = 0; i < 20000; i++) {
        char units[64];
        snprintf(units, sizeof units, "%s since %d-%d-%d %d:%d", unit[i % 6], 1 + (int)(lrand48() % 3000),
                 1 + (int)(lrand48() % 12), 1 + (int)(lrand48() % 4), (int)(lrand48() % 24), (int)(lrand48() % 60));
        vv_time_axis a = axis_of(units, name[i / 6 % 6]);
        int64_t value = (int64_t)(mrand48()) * (i % 6 > 3 ? 1000 : 1) / (i % 6 ? 1 : 1000);
        vv_date d;
        vv_instant t, direct;
        double back;
        must(vv_time_decode_int(&a, value, &d));
        must(vv_time_encode(&a, &d, &back));
        assert_true(back == (double)value);
        must(vv_time_of_date(&a, &d, &t));
        must(vv_time_instant(&a, (double)value, &direct));
        assert_int_equal(t.day, direct.day);
        assert_int_equal(t.microsecond, direct.microsecond);
    }
}

static void spellings(void **state)
{
    (void)state;
    static const struct {
        const char *units;
        double value;
        const char *date;
    } same[] = {
        {"hours since 1990-01-01", 6, "1990-01-01 06:00:00"},
        {"Hours Since 1990-01-01T00:00:00Z", 6, "1990-01-01 06:00:00"},
        {"hr since 1990-1-1 0", 6, "1990-01-01 06:00:00"},
        {"h since 1990-01-01 00:00:00 UTC", 6, "1990-01-01 06:00:00"},
        {"  days   since 1990-01-01 00:00", 0.25, "1990-01-01 06:00:00"},
        {"d since 1990", 0.25, "1990-01-01 06:00:00"},
        {"day since 1990-01", 0.25, "1990-01-01 06:00:00"},
        {"minutes since 1990-01-01 00:00:00.0", 360, "1990-01-01 06:00:00"},
        {"mins since 1990-01-01 06:00:00 +06:00", 360, "1990-01-01 06:00:00"},
        {"secs since 1989-12-31 18:30 -0530", 21600, "1990-01-01 06:00:00"},
        {"s since 1990-01-01 01:00 +1", 21600, "1990-01-01 06:00:00"},
        {"msecs since 1990-01-01", 21600000, "1990-01-01 06:00:00"},
        {"microseconds since 1990-01-01 06:00:00", 1, "1990-01-01 06:00:00.000001"},
        {"us since 1990-01-01", -1, "1989-12-31 23:59:59.999999"},
        {"nanoseconds since 1970-01-01", 1500000000123456789., "2017-07-14 02:40:00.123457"},
        {"ns since 1990-01-01 06:00:00", 1999, "1990-01-01 06:00:00.000001"},
        {"nanosecond since 1990-01-01", -1, "1989-12-31 23:59:59.999999"},
        {"seconds since 1990-01-01 06:00:00.5", 0.25, "1990-01-01 06:00:00.750000"},
        {"days since 0000-01-01", 366, "0001-01-01 00:00:00"},
        {"days since -0001-12-31", 1, "0001-01-01 00:00:00"},
        {"days since 0001-01-01", -1, "-0001-12-31 00:00:00"},
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        vv_time_axis a = axis_of(same[i].units, i % 2 ? NULL : "Gregorian");
        assert_string_equal(decoded(&a, same[i].value), same[i].date);
    }
}

/* Where a calendar fixes their length. */
static void months_and_years(void **state)
{
    (void)state;
    vv_time_axis months = axis_of("months since 1850-01-16", "360_day");
    assert_string_equal(decoded(&months, 25), "1852-02-16 00:00:00");
    assert_string_equal(decoded(&months, -1.5), "1849-12-01 00:00:00");
    assert_string_equal(decoded(&months, 0.25), "1850-01-23 12:00:00");
    vv_time_axis years = axis_of("common_years since 1850-03-01", "noleap");
    assert_string_equal(decoded(&years, 150), "2000-03-01 00:00:00");
    vv_date d;
    double back;
    must(vv_time_decode_int(&months, 1200000, &d));
    must(vv_time_encode(&months, &d, &back));
    assert_true(back == 1200000);
}

/* A double that holds a whole number of microseconds is exact to the last of them. */
static void microseconds_are_exact(void **state)
{
    (void)state;
    vv_time_axis a = axis_of("microseconds since 1970-01-01", NULL);
    assert_string_equal(decoded(&a, 1700000000999999.0), "2023-11-14 22:13:20.999999");
    assert_string_equal(decoded(&a, 8000000000000001.0), "2223-07-06 14:13:20.000001");
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *units, *calendar, *why;
    } bad[] = {
        {"months since 1990-01-01", NULL, "no fixed length"},
        {"months since 1990-01-01", "noleap", "no fixed length"},
        {"common_years since 1990-01-01", "360_day", "no fixed length"},
        {"day as %Y%m%d.%f", NULL, "since"},
        {"years since 1990-01-01", NULL, "no fixed length"},
        {"weeks since 1990-01-01", NULL, "no fixed length"},
        {"furlongs since 1990-01-01", NULL, "not a unit of time"},
        {"ss since 1990-01-01", NULL, "not a unit of time"},
        {"K", NULL, "since"},
        {"days since", NULL, "since"},
        {"days since yesterday", NULL, "reference date"},
        {"days since 19900101", NULL, "reference date"},
        {"days since 1990-01-01 12:00:00 CET", NULL, "reference date"},
        {"days since 1990-13-01", NULL, "there is no"},
        {"days since 1990-02-30", "standard", "there is no"},
        {"days since 1582-10-10", "standard", "there is no"},
        {"days since 1990-01-31", "360_day", "there is no"},
        {"days since 1990-01-01", "mayan", "calendar 'mayan'"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        vv_time_axis a;
        assert_int_equal(VV_ERR_FORMAT, vv_time_parse(bad[i].units, bad[i].calendar, &a));
        assert_message(bad[i].why);
    }
    vv_time_axis a = axis_of("days since 2000-01-01", "360_day");
    vv_date d;
    assert_int_equal(VV_ERR_FORMAT, vv_time_decode(&a, NAN, &d));
    assert_int_equal(VV_ERR_FORMAT, vv_time_decode(&a, 1e300, &d));
    must(vv_time_of_date(&a, &(vv_date){.year = 2000, .month = 2, .day = 30}, &(vv_instant){0}));
    assert_true(vv_time_is_units("days since 2000-01-01"));
    assert_false(vv_time_is_units("K"));
    assert_false(vv_time_is_units(NULL));
}

/* What xarray writes for times of any precision: 64-bit numbers, of which a double does not hold the last digits. Whole seconds are exact in both. */
static void nanoseconds_are_exact(void **state)
{
    (void)state;
    vv_time_axis a = axis_of("nanoseconds since 1970-01-01", "proleptic_gregorian");
    vv_instant t, u;
    for (int64_t second = -2208988800; second < 4000000000; second += 7654321) {
        must(vv_time_instant_int(&a, second * 1000000000 + 123456789, &t));
        must(vv_time_instant(&a, (double)(second * 1000000000), &u));
        assert_int_equal(t.day * 86400 + t.microsecond / 1000000, second);
        assert_int_equal(t.microsecond % 1000000, 123456);
        assert_int_equal(u.day * 86400 + u.microsecond / 1000000, second);
        assert_int_equal(u.microsecond % 1000000, 0);
        assert_true(vv_time_value(&a, u) == (double)(second * 1000000000));
    }
    must(vv_time_instant_int(&a, INT64_MIN, &t)); /* xarray's NaT */
    assert_int_equal(t.day, -106752);
}

/* Hourly values in days are off by microseconds far from the reference; hours are meant. */
static void whole_seconds_are_meant(void **state)
{
    (void)state;
    vv_time_axis a = axis_of("days since 0001-01-01", "proleptic_gregorian");
    for (int hour = 0; hour < 24 * 400; hour++) {
        vv_date d;
        double value = 730000 + hour / 24.0;
        must(vv_time_decode(&a, value, &d));
        assert_int_equal(d.hour, hour % 24);
        assert_int_equal(d.minute + d.second + d.microsecond, 0);
    }
    vv_time_axis fine = axis_of("seconds since 2000-01-01", "standard");
    assert_string_equal(decoded(&fine, 0.999999), "2000-01-01 00:00:00.999999");
}

static void dates(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int fields;
        const char *date;
    } good[] = {{"1990", 1, "1990-01-01 00:00:00"},
                {"1990-07", 2, "1990-07-01 00:00:00"},
                {"1990-07-31", 3, "1990-07-31 00:00:00"},
                {"1990-07-31T12", 4, "1990-07-31 12:00:00"},
                {"1990-07-31 12:30", 5, "1990-07-31 12:30:00"},
                {"1990-07-31T12:30:15.25 ", 6, "1990-07-31 12:30:15.250000"},
                {"-44-3-15", 3, "-0044-03-15 00:00:00"}};
    static const char *const bad[] = {"",           "x",     "1990-",       "1990-01-01T", "1990-01-01 x",
                                      "1990/01/01", "12:30", "1990-1-1 12:"};
    vv_date d;
    int fields;
    char text[64];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        must(vv_date_parse(good[i].text, &d, &fields));
        assert_int_equal(fields, good[i].fields);
        assert_string_equal(vv_date_text(&d, text), good[i].date);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (vv_date_parse(bad[i], &d, &fields) != VV_ERR_USAGE) fail_msg("'%s' was taken for a date", bad[i]);
}

static void weekdays(void **state)
{
    (void)state;
    vv_time_axis a = axis_of("days since 1970-01-01", "standard");
    vv_instant t;
    must(vv_time_of_date(&a, &(vv_date){.year = 2024, .month = 2, .day = 29}, &t));
    assert_int_equal(vv_time_weekday(t), 3);
    must(vv_time_of_date(&a, &(vv_date){.year = 1582, .month = 10, .day = 4}, &t));
    assert_int_equal(vv_time_weekday(t), 3);
}

static void names(void **state)
{
    (void)state;
    vv_calendar c;
    for (int i = 0; i < VV_CALENDARS; i++) {
        must(vv_calendar_parse(vv_calendar_name((vv_calendar)i), &c));
        assert_int_equal(c, i);
    }
    must(vv_calendar_parse("365_DAY", &c));
    assert_int_equal(c, VV_CALENDAR_NOLEAP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_table),
        cmocka_unit_test(random_table),
        cmocka_unit_test(months_and_years),
        cmocka_unit_test(microseconds_are_exact),
        cmocka_unit_test(nanoseconds_are_exact),
        cmocka_unit_test(days_are_consecutive),
        cmocka_unit_test(random_round_trips),
        cmocka_unit_test(spellings),
        cmocka_unit_test(refused),
        cmocka_unit_test(whole_seconds_are_meant),
        cmocka_unit_test(dates),
        cmocka_unit_test(weekdays),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, make_scratch, drop_scratch);
}
