/* CF time: numbers "hours since 1990-01-01" in one of six calendars, to dates and back.
 *
 * A time is a day number and microseconds within that day; all of it is integer arithmetic. Day numbers count from 1970-01-01, the same real
 * days in standard, proleptic_gregorian and julian; in noleap, all_leap and 360_day the 1970-01-01 of that calendar. Calendars:
 *   standard (gregorian)   Julian until 1582-10-04, Gregorian from 1582-10-15 on; the ten days between do not exist
 *   proleptic_gregorian    Gregorian rules for all years
 *   julian                 a leap year every fourth year
 *   noleap (365_day), all_leap (366_day), 360_day
 * As in CF and cftime, standard and julian have no year 0 (1 BC is -1) unless the reference date is in year 0 itself; the others have one.
 *
 * Whole numbers are exact, those of nanoseconds to the microsecond that they lie in. Another value that is a double is known only to its own precision: 1/24 day, 2000 years after the reference, is off by microseconds. What lies within
 * that precision of a whole second is taken for the whole second, so that midnight at the end of a month is in the next one.
 *
 *     vv_time_axis axis; vv_date d;
 *     VV_TRY(vv_time_parse("hours since 1990-01-01 00:00:00", "standard", &axis));
 *     VV_TRY(vv_time_decode(&axis, 6.0, &d));   -> 1990-01-01 06:00:00
 */
#ifndef VV_BASE_CALENDAR_H
#define VV_BASE_CALENDAR_H

#include "base/status.h"

typedef enum vv_calendar {
    VV_CALENDAR_STANDARD,
    VV_CALENDAR_PROLEPTIC,
    VV_CALENDAR_JULIAN,
    VV_CALENDAR_NOLEAP,
    VV_CALENDAR_ALL_LEAP,
    VV_CALENDAR_360,
    VV_CALENDARS
} vv_calendar;

typedef struct vv_date {
    int64_t year;
    int month, day; /* from 1 */
    int hour, minute, second, microsecond;
} vv_date;

/* A point in time: days since 1970-01-01, and microseconds since that midnight, 0 <= microsecond < 86400000000. */
typedef struct vv_instant {
    int64_t day;
    int64_t microsecond;
} vv_instant;

typedef struct vv_time_axis {
    vv_calendar calendar;
    bool year_zero;    /* years are counted through 0 */
    int64_t unit;      /* nanoseconds of one unit; divides a day, or is a number of days */
    vv_instant origin; /* the reference date, in UTC */
} vv_time_axis;

/* The name CF prefers; and a calendar from any of its names, VV_ERR_FORMAT for others. NULL or "" mean standard. */
const char *vv_calendar_name(vv_calendar c);
VV_WARN_UNUSED vv_status vv_calendar_parse(const char *name, vv_calendar *out);

/* "UNIT since DATE [TIME] [ZONE]" with the variable's calendar attribute (NULL: standard). Units are days, hours, minutes, seconds,
 * milliseconds, microseconds and nanoseconds in their usual spellings; months only in 360_day and common years only in noleap, where their length is fixed:
 * elsewhere they are refused, as are years and weeks. VV_ERR_FORMAT. */
VV_WARN_UNUSED vv_status vv_time_parse(const char *units, const char *calendar, vv_time_axis *out);
/* Whether units look like a time at all: "... since ...". */
bool vv_time_is_units(const char *units);

/* Values to dates. VV_ERR_FORMAT when a value is not finite or further from the origin than about 10^11 days. */
VV_WARN_UNUSED vv_status vv_time_instant(const vv_time_axis *a, double value, vv_instant *out);
VV_WARN_UNUSED vv_status vv_time_instant_int(const vv_time_axis *a, int64_t value, vv_instant *out);
VV_WARN_UNUSED vv_status vv_time_decode(const vv_time_axis *a, double value, vv_date *out);
VV_WARN_UNUSED vv_status vv_time_decode_int(const vv_time_axis *a, int64_t value, vv_date *out);
void vv_time_date(const vv_time_axis *a, vv_instant t, vv_date *out);

/* Dates to values; VV_ERR_USAGE for a date that the calendar does not have (1582-10-10, 30 February). */
VV_WARN_UNUSED vv_status vv_time_of_date(const vv_time_axis *a, const vv_date *d, vv_instant *out);
VV_WARN_UNUSED vv_status vv_time_encode(const vv_time_axis *a, const vv_date *d, double *value);
double vv_time_value(const vv_time_axis *a, vv_instant t);
/* The value as a whole number; false when it is none, or too large. */
bool vv_time_whole(const vv_time_axis *a, vv_instant t, int64_t *value);

/* Calendar arithmetic, with the axis's counting of years. */
int vv_time_days_in_month(const vv_time_axis *a, int64_t year, int month);
int vv_time_days_in_year(const vv_time_axis *a, int64_t year);
/* From 1; as if the ten days of 1582 had been there, as cftime has it. */
int vv_time_day_of_year(const vv_time_axis *a, const vv_date *d);
/* 0 Monday ... 6 Sunday, by the day number: real in the calendars of real days, a plain cycle of 7 in the others. */
int vv_time_weekday(vv_instant t);

/* "1990-01-01 06:00:00", with microseconds only where there are any. */
const char *vv_date_text(const vv_date *d, char out[64]);
/* "1990", "1990-01", "1990-01-01", "1990-01-01 06", "1990-01-01T06:00:00.5": `fields` gets how many of year, month, day, hour, minute, second
 * were given; the others are their first values. VV_ERR_USAGE. */
VV_WARN_UNUSED vv_status vv_date_parse(const char *text, vv_date *out, int *fields);

#endif
