#include "base/calendar.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DAY INT64_C(86400000000) /* microseconds */

enum { SECOND = 1000000, NANO = 1000 }; /* microseconds in a second, nanoseconds in a microsecond */

/* --- calendars --- */

/* A calendar is Gregorian or Julian by the day, or its years are all alike. */
static const struct {
    bool real;        /* days are real days */
    int days_in_year; /* of an idealised calendar */
} calendar[VV_CALENDARS] = {
    [VV_CALENDAR_STANDARD] = {true, 0},  [VV_CALENDAR_PROLEPTIC] = {true, 0},   [VV_CALENDAR_JULIAN] = {true, 0},
    [VV_CALENDAR_NOLEAP] = {false, 365}, [VV_CALENDAR_ALL_LEAP] = {false, 366}, [VV_CALENDAR_360] = {false, 360}};

static const struct {
    const char *name;
    vv_calendar calendar;
} calendar_name[] = {{"standard", VV_CALENDAR_STANDARD},
                     {"gregorian", VV_CALENDAR_STANDARD},
                     {"proleptic_gregorian", VV_CALENDAR_PROLEPTIC},
                     {"julian", VV_CALENDAR_JULIAN},
                     {"noleap", VV_CALENDAR_NOLEAP},
                     {"365_day", VV_CALENDAR_NOLEAP},
                     {"all_leap", VV_CALENDAR_ALL_LEAP},
                     {"366_day", VV_CALENDAR_ALL_LEAP},
                     {"360_day", VV_CALENDAR_360}};
enum { N_NAMES = sizeof calendar_name / sizeof *calendar_name };

const char *vv_calendar_name(vv_calendar c)
{
    for (int i = 0; i < N_NAMES; i++)
        if (calendar_name[i].calendar == c) return calendar_name[i].name;
    return "unknown";
}

vv_status vv_calendar_parse(const char *name, vv_calendar *out)
{
    *out = VV_CALENDAR_STANDARD;
    if (!name || !*name) return VV_OK;
    for (int i = 0; i < N_NAMES; i++)
        if (!strcasecmp(name, calendar_name[i].name)) {
            *out = calendar_name[i].calendar;
            return VV_OK;
        }
    return vv_fail(VV_ERR_FORMAT, "calendar '%s' is not known", name);
}

/* --- days and dates; years in this part count through 0 --- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t floor_mod(int64_t a, int64_t b)
{
    int64_t r = a % b;
    return r < 0 ? r + b : r;
}

/* 1582-10-15, the first day that the standard calendar counts in the Gregorian way. */
static const int64_t first_gregorian = -141427;

/* From 0000-03-01 to 1970-01-01. Years that start in March have their leap day last. */
static const int64_t gregorian_epoch = 719468, julian_epoch = 719470;

static int64_t real_day(bool gregorian, int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t in_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t whole = 365 * y + floor_div(y, 4) + in_year;
    return gregorian ? whole - floor_div(y, 100) + floor_div(y, 400) - gregorian_epoch : whole - julian_epoch;
}

static void set_from_march(int64_t year, int64_t in_year, vv_date *d)
{
    int month = (int)((5 * in_year + 2) / 153);
    d->day = (int)(in_year - (153 * month + 2) / 5 + 1);
    d->month = month < 10 ? month + 3 : month - 9;
    d->year = year + (d->month <= 2);
}

static void real_date(bool gregorian, int64_t day, vv_date *d)
{
    int64_t era_days = gregorian ? 146097 : 1461, era_years = gregorian ? 400 : 4;
    int64_t z = day + (gregorian ? gregorian_epoch : julian_epoch);
    int64_t era = floor_div(z, era_days), in_era = floor_mod(z, era_days);
    int64_t y =
        gregorian ? (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365 : (in_era - in_era / 1460) / 365;
    set_from_march(y + era * era_years, in_era - (365 * y + y / 4 - (gregorian ? y / 100 : 0)), d);
}

static bool is_gregorian(vv_calendar c, int64_t year, int month, int day)
{
    if (c != VV_CALENDAR_STANDARD) return c == VV_CALENDAR_PROLEPTIC;
    return year != 1582 ? year > 1582 : month != 10 ? month > 10 : day >= 15;
}

static bool is_leap(vv_calendar c, int64_t year)
{
    if (!calendar[c].real) return c == VV_CALENDAR_ALL_LEAP;
    if (year % 4) return false;
    return !is_gregorian(c, year, 1, 1) || year % 100 || year % 400 == 0;
}

/* Days before a month, in a year without leap day. */
static const int before[14] = {0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};

static int month_start(vv_calendar c, bool leap, int month)
{
    return c == VV_CALENDAR_360 ? 30 * (month - 1) : before[month] + (leap && month > 2);
}

static int month_days(vv_calendar c, int64_t year, int month)
{
    bool leap = is_leap(c, year);
    return month_start(c, leap, month + 1) - month_start(c, leap, month);
}

static int64_t day_of(vv_calendar c, int64_t year, int month, int day)
{
    if (calendar[c].real) return real_day(is_gregorian(c, year, month, day), year, month, day);
    return calendar[c].days_in_year * (year - 1970) + month_start(c, is_leap(c, year), month) + day - 1;
}

static void date_of(vv_calendar c, int64_t day, vv_date *d)
{
    if (calendar[c].real) {
        real_date(c == VV_CALENDAR_PROLEPTIC || (c == VV_CALENDAR_STANDARD && day >= first_gregorian), day, d);
        return;
    }
    int n = calendar[c].days_in_year, in_year = (int)floor_mod(day, n);
    d->year = 1970 + floor_div(day, n);
    d->month = 1;
    while (month_start(c, is_leap(c, d->year), d->month + 1) <= in_year) d->month++;
    d->day = in_year - month_start(c, is_leap(c, d->year), d->month) + 1;
}

/* --- years as they are written: without 0, unless the axis has one --- */

static int64_t inner_year(const vv_time_axis *a, int64_t year)
{
    return !a->year_zero && year < 0 ? year + 1 : year;
}

static int64_t written_year(const vv_time_axis *a, int64_t year)
{
    return !a->year_zero && year <= 0 ? year - 1 : year;
}

int vv_time_days_in_month(const vv_time_axis *a, int64_t year, int month)
{
    bool cut = a->calendar == VV_CALENDAR_STANDARD && year == 1582 && month == 10;
    return cut ? 21 : month_days(a->calendar, inner_year(a, year), month);
}

int vv_time_days_in_year(const vv_time_axis *a, int64_t year)
{
    int64_t y = inner_year(a, year);
    return (int)(day_of(a->calendar, y + 1, 1, 1) - day_of(a->calendar, y, 1, 1));
}

int vv_time_day_of_year(const vv_time_axis *a, const vv_date *d)
{
    return month_start(a->calendar, is_leap(a->calendar, inner_year(a, d->year)), d->month) + d->day;
}

int vv_time_weekday(vv_instant t)
{
    return (int)floor_mod(t.day + 3, 7); /* 1970-01-01 was a Thursday */
}

/* --- text to dates --- */

/* An unsigned number of 1..most digits. */
static bool read_digits(const char **p, int most, int64_t *out)
{
    int n = 0;
    for (*out = 0; n < most && isdigit((unsigned char)**p); n++) *out = 10 * *out + (*(*p)++ - '0');
    return n > 0 && !isdigit((unsigned char)**p);
}

static bool read_int(const char **p, int *out)
{
    int64_t v;
    if (!read_digits(p, 2, &v)) return false;
    *out = (int)v;
    return true;
}

static void read_fraction(const char **p, vv_date *d)
{
    if (**p != '.') return;
    int scale = SECOND;
    for (++*p; isdigit((unsigned char)**p); ++*p) {
        scale /= 10;
        d->microsecond += scale * (**p - '0');
    }
}

static void skip_spaces(const char **p)
{
    while (isspace((unsigned char)**p)) ++*p;
}

/* [-]YYYY[-MM[-DD]] */
static bool read_day(const char **p, vv_date *d, int *fields)
{
    bool negative = **p == '-';
    if (negative) ++*p;
    if (!read_digits(p, 6, &d->year)) return false;
    if (negative) d->year = -d->year;
    *fields = 1;
    if (**p != '-') return true;
    ++*p;
    if (!read_int(p, &d->month)) return false;
    *fields = 2;
    if (**p != '-') return true;
    ++*p;
    *fields = 3;
    return read_int(p, &d->day);
}

/* HH[:MM[:SS[.fraction]]] */
static bool read_clock(const char **p, vv_date *d, int *fields)
{
    int *part[3] = {&d->hour, &d->minute, &d->second};
    for (int i = 0; i < 3; i++) {
        if (!read_int(p, part[i])) return false;
        *fields = 4 + i;
        if (**p != ':') break;
        if (i < 2) ++*p;
    }
    read_fraction(p, d);
    return true;
}

static bool read_date(const char **p, vv_date *d, int *fields)
{
    *d = (vv_date){.month = 1, .day = 1};
    skip_spaces(p);
    if (!read_day(p, d, fields)) return false;
    const char *behind = *p;
    if (**p == 'T' || **p == 't')
        ++*p;
    else
        skip_spaces(p);
    if (isdigit((unsigned char)**p)) return *p != behind && read_clock(p, d, fields);
    *p = behind;
    return true;
}

vv_status vv_date_parse(const char *text, vv_date *out, int *fields)
{
    const char *p = text;
    if (!read_date(&p, out, fields) || (skip_spaces(&p), *p))
        return vv_fail(VV_ERR_USAGE, "'%s' is not a date such as 1990-01-31 or 1990-01-31T12:00", text);
    return VV_OK;
}

/* Z, UTC, GMT, +1, +01:30, -0530: minutes east of Greenwich. */
static bool read_zone(const char **p, int *minutes)
{
    *minutes = 0;
    skip_spaces(p);
    static const char *const zero[] = {"UTC", "GMT", "Z"};
    for (int i = 0; i < 3; i++)
        if (!strncasecmp(*p, zero[i], strlen(zero[i]))) {
            *p += strlen(zero[i]);
            return true;
        }
    if (**p != '+' && **p != '-') return true;
    int sign = *(*p)++ == '-' ? -1 : 1, minute = 0;
    const char *start = *p;
    int64_t hours;
    if (!read_digits(p, 4, &hours)) return false;
    if (*p - start > 2) {
        minute = (int)(hours % 100);
        hours /= 100;
    } else if (**p == ':') {
        ++*p;
        if (!read_int(p, &minute)) return false;
    }
    *minutes = sign * ((int)hours * 60 + minute);
    return hours < 24 && minute < 60;
}

/* --- units --- */

#define DAY_NANO (DAY * NANO)

static const struct {
    const char *name;
    int64_t nanoseconds; /* 0: no fixed length, but perhaps in one calendar */
} unit_name[] = {{"day", DAY_NANO},
                 {"d", DAY_NANO},
                 {"hour", DAY_NANO / 24},
                 {"hr", DAY_NANO / 24},
                 {"h", DAY_NANO / 24},
                 {"minute", DAY_NANO / 1440},
                 {"min", DAY_NANO / 1440},
                 {"second", INT64_C(1000000000)},
                 {"sec", INT64_C(1000000000)},
                 {"s", INT64_C(1000000000)},
                 {"millisecond", 1000000},
                 {"millisec", 1000000},
                 {"msec", 1000000},
                 {"ms", 1000000},
                 {"microsecond", NANO},
                 {"microsec", NANO},
                 {"us", NANO},
                 {"nanosecond", 1},
                 {"nanosec", 1},
                 {"nsec", 1},
                 {"ns", 1},
                 {"month", 0},
                 {"mon", 0},
                 {"year", 0},
                 {"yr", 0},
                 {"common_year", 0},
                 {"week", 0},
                 {"season", 0}};

/* Units whose length only an idealised calendar fixes; as cftime has them. */
static const struct {
    const char *name;
    vv_calendar calendar;
    int64_t nanoseconds;
} calendar_unit[] = {{"month", VV_CALENDAR_360, 30 * DAY_NANO}, {"common_year", VV_CALENDAR_NOLEAP, 365 * DAY_NANO}};

/* Singular or plural; `n` letters. */
static bool is_unit(const char *text, size_t n, const char *name)
{
    size_t m = strlen(name);
    return !strncasecmp(text, name, m) && (n == m || (n == m + 1 && m > 1 && tolower((unsigned char)text[m]) == 's'));
}

static int64_t length_in(vv_calendar c, const char *name)
{
    for (size_t i = 0; i < sizeof calendar_unit / sizeof *calendar_unit; i++)
        if (calendar_unit[i].calendar == c && !strcmp(calendar_unit[i].name, name)) return calendar_unit[i].nanoseconds;
    return 0;
}

static vv_status find_unit(const char *units, const char *text, size_t n, vv_calendar c, int64_t *out)
{
    for (size_t i = 0; i < sizeof unit_name / sizeof *unit_name; i++) {
        if (n < strlen(unit_name[i].name) || !is_unit(text, n, unit_name[i].name)) continue;
        *out = unit_name[i].nanoseconds ? unit_name[i].nanoseconds : length_in(c, unit_name[i].name);
        if (*out) return VV_OK;
        return vv_fail(
            VV_ERR_FORMAT,
            "time units '%s': %ss have no fixed length in the calendar %s; use days, hours, minutes or seconds", units,
            unit_name[i].name, vv_calendar_name(c));
    }
    return vv_fail(VV_ERR_FORMAT, "time units '%s': '%.*s' is not a unit of time", units, (int)n, text);
}

/* " since " between unit and date, spaces of any kind around it; NULL when there is none. */
static const char *find_since(const char *units)
{
    for (const char *p = units; *p; p++)
        if (isspace((unsigned char)*p) && !strncasecmp(p + 1, "since", 5) && isspace((unsigned char)p[6])) return p;
    return NULL;
}

bool vv_time_is_units(const char *units)
{
    return units && find_since(units) != NULL;
}

static vv_instant shifted(vv_instant t, int64_t microseconds)
{
    int64_t us = t.microsecond + microseconds;
    return (vv_instant){t.day + floor_div(us, DAY), floor_mod(us, DAY)};
}

static vv_status parse_origin(const char *units, const char *text, vv_time_axis *a)
{
    vv_date d;
    int fields, zone;
    const char *p = text;
    if (!read_date(&p, &d, &fields) || !read_zone(&p, &zone) || (skip_spaces(&p), *p))
        return vv_fail(VV_ERR_FORMAT, "time units '%s': the reference date is not YYYY-MM-DD hh:mm:ss", units);
    a->year_zero = a->year_zero || d.year == 0;
    if (vv_time_of_date(a, &d, &a->origin) != VV_OK) {
        (void)!vv_error_prefix("time units '%s'", units);
        return VV_ERR_FORMAT;
    }
    a->origin = shifted(a->origin, -zone * (DAY / 1440));
    return VV_OK;
}

vv_status vv_time_parse(const char *units, const char *calendar_text, vv_time_axis *out)
{
    *out = (vv_time_axis){0};
    const char *start = units, *since = find_since(units);
    if (!since) return vv_fail(VV_ERR_FORMAT, "'%s' is not '<time unit> since <date>'", units);
    VV_TRY(vv_calendar_parse(calendar_text, &out->calendar));
    out->year_zero = out->calendar != VV_CALENDAR_STANDARD && out->calendar != VV_CALENDAR_JULIAN;
    skip_spaces(&start);
    const char *end = since;
    while (end > start && isspace((unsigned char)end[-1])) end--;
    VV_TRY(find_unit(units, start, (size_t)(end - start), out->calendar, &out->unit));
    return parse_origin(units, since + 6, out);
}

/* --- values --- */

static const double furthest = 1e11; /* days */

static vv_status too_far(double value)
{
    return vv_fail(VV_ERR_FORMAT, "time value %g is out of range", value);
}

/* Values far from 0 know only every so many microseconds: near a whole second, that second is meant. */
static vv_instant snapped(vv_instant t, double spacing)
{
    if (spacing < 0.125 || spacing > SECOND / 8.) return t;
    int64_t tolerance = (int64_t)(2 * spacing) + 1, part = t.microsecond % SECOND;
    if (part && part <= tolerance) return shifted(t, -part);
    if (part >= SECOND - tolerance) return shifted(t, SECOND - part);
    return t;
}

vv_status vv_time_instant(const vv_time_axis *a, double value, vv_instant *out)
{
    if (a->unit > DAY_NANO && isfinite(value)) { /* months of 30 days: days and the rest of one */
        vv_time_axis days = *a;
        days.unit = DAY_NANO;
        return vv_time_instant(&days, value * (double)(a->unit / DAY_NANO), out);
    }
    double per_day = (double)(DAY_NANO / a->unit);
    if (!isfinite(value) || fabs(value) / per_day > furthest) return too_far(value);
    bool exact = value == trunc(value) && fabs(value) < 0x1p53;
    double rest = fmod(value, per_day);
    double days = (value - rest) / per_day;
    double us = a->unit < NANO ? rest / NANO : rest * (double)(a->unit / NANO);
    us = exact ? floor(us) : rint(us);
    *out = shifted((vv_instant){a->origin.day + (int64_t)rint(days), a->origin.microsecond}, (int64_t)us);
    double spacing = (nextafter(fabs(value), INFINITY) - fabs(value)) * (double)a->unit / NANO;
    if (!exact) *out = snapped(*out, spacing);
    return VV_OK;
}

vv_status vv_time_instant_int(const vv_time_axis *a, int64_t value, vv_instant *out)
{
    if (a->unit > DAY_NANO) return vv_time_instant(a, (double)value, out);
    int64_t per_day = DAY_NANO / a->unit;
    int64_t days = floor_div(value, per_day);
    if (fabs((double)days) > furthest) return too_far((double)value);
    int64_t us = floor_mod(value, per_day) * a->unit / NANO;
    *out = shifted((vv_instant){a->origin.day + days, a->origin.microsecond}, us);
    return VV_OK;
}

void vv_time_date(const vv_time_axis *a, vv_instant t, vv_date *out)
{
    date_of(a->calendar, t.day, out);
    out->year = written_year(a, out->year);
    int64_t second = t.microsecond / SECOND;
    out->microsecond = (int)(t.microsecond % SECOND);
    out->second = (int)(second % 60);
    out->minute = (int)(second / 60 % 60);
    out->hour = (int)(second / 3600);
}

vv_status vv_time_decode(const vv_time_axis *a, double value, vv_date *out)
{
    vv_instant t;
    VV_TRY(vv_time_instant(a, value, &t));
    vv_time_date(a, t, out);
    return VV_OK;
}

vv_status vv_time_decode_int(const vv_time_axis *a, int64_t value, vv_date *out)
{
    vv_instant t;
    VV_TRY(vv_time_instant_int(a, value, &t));
    vv_time_date(a, t, out);
    return VV_OK;
}

static bool exists(const vv_time_axis *a, const vv_date *d)
{
    if ((d->year == 0 && !a->year_zero) || d->month < 1 || d->month > 12 || d->day < 1) return false;
    if (a->calendar == VV_CALENDAR_STANDARD && d->year == 1582 && d->month == 10 && d->day > 4 && d->day < 15)
        return false;
    bool clock = d->hour >= 0 && d->hour < 24 && d->minute >= 0 && d->minute < 60 && d->second >= 0 && d->second < 60;
    return clock && d->microsecond >= 0 && d->microsecond < SECOND &&
           d->day <= month_days(a->calendar, inner_year(a, d->year), d->month);
}

vv_status vv_time_of_date(const vv_time_axis *a, const vv_date *d, vv_instant *out)
{
    char text[64];
    if (!exists(a, d))
        return vv_fail(VV_ERR_USAGE, "there is no %s in the calendar %s", vv_date_text(d, text),
                       vv_calendar_name(a->calendar));
    out->day = day_of(a->calendar, inner_year(a, d->year), d->month, d->day);
    out->microsecond = ((d->hour * 60 + d->minute) * 60 + d->second) * (int64_t)SECOND + d->microsecond;
    return VV_OK;
}

double vv_time_value(const vv_time_axis *a, vv_instant t)
{
    long double days = (long double)(t.day - a->origin.day), us = (long double)(t.microsecond - a->origin.microsecond);
    long double since = days * (long double)DAY + us;
    if (a->unit < NANO) return (double)(since * NANO / (long double)a->unit);
    return (double)(since / (long double)(a->unit / NANO));
}

bool vv_time_whole(const vv_time_axis *a, vv_instant t, int64_t *value)
{
    int64_t days = t.day - a->origin.day, us = t.microsecond - a->origin.microsecond;
    if (a->unit >= DAY_NANO) { /* whole days, or months of so many */
        int64_t unit = a->unit / DAY_NANO;
        *value = days / unit;
        return us == 0 && days % unit == 0;
    }
    *value = us * NANO / a->unit;
    if (us * NANO % a->unit) return false;
    return !__builtin_mul_overflow(days, DAY_NANO / a->unit, &days) && !__builtin_add_overflow(days, *value, value);
}

vv_status vv_time_encode(const vv_time_axis *a, const vv_date *d, double *value)
{
    vv_instant t = {0};
    VV_TRY(vv_time_of_date(a, d, &t));
    *value = vv_time_value(a, t);
    return VV_OK;
}

const char *vv_date_text(const vv_date *d, char out[64])
{
    int n = snprintf(out, 64, "%s%04lld-%02d-%02d %02d:%02d:%02d", d->year < 0 ? "-" : "", llabs((long long)d->year),
                     d->month, d->day, d->hour, d->minute, d->second);
    if (d->microsecond && n > 0 && n < 56) snprintf(out + n, 64 - (size_t)n, ".%06d", d->microsecond);
    return out;
}
