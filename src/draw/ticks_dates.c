/* Ticks at round dates: the unit (years, months, days, hours, minutes) and how many of them follow from how long the axis is. The calendar is the axis's own: in
 * 360_day a month ends with the 30th. */
#include "draw/ticks.h"

#include <math.h>
#include <stdio.h>

typedef enum unit { YEARS, MONTHS, DAYS, HOURS, MINUTES } unit;

typedef struct rhythm {
    unit unit;
    int every;
    double seconds; /* about */
} rhythm;

#define DAY   86400.0
#define MONTH (30.44 * DAY)
#define YEAR  (365.25 * DAY)

static const rhythm rhythms[] = {
    {MINUTES, 1, 60},         {MINUTES, 5, 300},        {MINUTES, 10, 600},        {MINUTES, 15, 900},
    {MINUTES, 30, 1800},      {HOURS, 1, 3600},         {HOURS, 3, 10800},         {HOURS, 6, 21600},
    {HOURS, 12, 43200},       {DAYS, 1, DAY},           {DAYS, 2, 2 * DAY},        {DAYS, 5, 5 * DAY},
    {DAYS, 10, 10 * DAY},     {MONTHS, 1, MONTH},       {MONTHS, 2, 2 * MONTH},    {MONTHS, 3, 3 * MONTH},
    {MONTHS, 6, 6 * MONTH},   {YEARS, 1, YEAR},         {YEARS, 2, 2 * YEAR},      {YEARS, 5, 5 * YEAR},
    {YEARS, 10, 10 * YEAR},   {YEARS, 20, 20 * YEAR},   {YEARS, 50, 50 * YEAR},    {YEARS, 100, 100 * YEAR},
    {YEARS, 200, 200 * YEAR}, {YEARS, 500, 500 * YEAR}, {YEARS, 1000, 1000 * YEAR}};
enum { N_RHYTHMS = sizeof rhythms / sizeof *rhythms };

static const char *const month_name[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* The last round date at or before this one. */
static void floor_date(const rhythm *r, vv_date *d)
{
    d->second = d->microsecond = 0;
    if (r->unit == MINUTES) d->minute -= d->minute % r->every;
    if (r->unit <= HOURS) d->minute = 0;
    if (r->unit == HOURS) d->hour -= d->hour % r->every;
    if (r->unit <= DAYS) d->hour = 0;
    if (r->unit == DAYS) d->day -= (d->day - 1) % r->every;
    if (r->unit <= MONTHS) d->day = 1;
    if (r->unit == MONTHS) d->month -= (d->month - 1) % r->every;
    if (r->unit == YEARS) {
        d->month = 1;
        d->year -= ((d->year % r->every) + r->every) % r->every;
    }
}

static void next_month(vv_date *d, int months)
{
    d->day = 1;
    d->month += months;
    d->year += (d->month - 1) / 12;
    d->month = (d->month - 1) % 12 + 1;
}

/* The next round date. Days begin anew with each month, and none comes just before its end. */
static void step_date(const rhythm *r, const vv_time_axis *a, vv_date *d)
{
    if (r->unit == YEARS) d->year += r->every;
    if (r->unit == MONTHS) next_month(d, r->every);
    if (r->unit == MINUTES && (d->minute += r->every) < 60) return;
    if (r->unit == MINUTES) d->minute = 0;
    if (r->unit == MINUTES || r->unit == HOURS) {
        if ((d->hour += r->unit == HOURS ? r->every : 1) < 24) return;
        d->hour = 0;
    }
    if (r->unit < DAYS) return;
    d->day += r->unit == DAYS ? r->every : 1;
    int days = vv_time_days_in_month(a, d->year, d->month);
    if (d->day > days || (r->unit == DAYS && r->every > 1 && d->day > days - r->every / 2)) next_month(d, 1);
}

static void name_tick(const rhythm *r, const vv_date *d, const vv_date *before, vv_tick *t)
{
    const char *month = month_name[d->month - 1];
    bool new_year = !before || before->year != d->year;
    bool new_month = new_year || before->month != d->month, new_day = new_month || before->day != d->day;
    long long year = (long long)d->year;
    if (r->unit == YEARS) snprintf(t->text, sizeof t->text, "%lld", year);
    if (r->unit == MONTHS) {
        snprintf(t->text, sizeof t->text, "%s", month);
        if (new_year) snprintf(t->under, sizeof t->under, "%lld", year);
    }
    if (r->unit == DAYS) {
        snprintf(t->text, sizeof t->text, "%d", d->day);
        if (new_month) snprintf(t->under, sizeof t->under, "%s %lld", month, year);
    }
    if (r->unit > DAYS) {
        snprintf(t->text, sizeof t->text, "%02d:%02d", d->hour, d->minute);
        if (new_day) snprintf(t->under, sizeof t->under, "%d %s %lld", d->day, month, year);
    }
}

static const rhythm *rhythm_for(double seconds, int about)
{
    for (int i = 0; i < N_RHYTHMS; i++)
        if (seconds / rhythms[i].seconds <= about) return &rhythms[i];
    return &rhythms[N_RHYTHMS - 1];
}

void vv_ticks_dates(const vv_time_axis *a, double lo, double hi, int about, vv_ticks *out)
{
    vv_date d, before = {0};
    *out = (vv_ticks){0};
    if (vv_time_decode(a, lo, &d) != VV_OK) {
        vv_error_clear();
        return;
    }
    const rhythm *r = rhythm_for((hi - lo) * (double)a->unit * 1e-9, about);
    floor_date(r, &d);
    for (int tries = 0; tries < 4 * VV_TICKS && out->n < VV_TICKS; tries++, step_date(r, a, &d)) {
        double at;
        if (vv_time_encode(a, &d, &at) != VV_OK) { /* a date that the calendar leaves out */
            vv_error_clear();
            continue;
        }
        if (at > hi + 1e-9 * (hi - lo)) break;
        if (at < lo - 1e-9 * (hi - lo)) continue;
        vv_tick *t = &out->tick[out->n];
        *t = (vv_tick){.at = at};
        name_tick(r, &d, out->n++ ? &before : NULL, t);
        before = d;
    }
}
