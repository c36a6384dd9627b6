/* Periods of the calendar along a dimension: hours, days, months, quarters, years. They are groups whose labels are times, and so become the same dimension again. */
#include "array/build.h"

#include "base/calendar.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* One of the two lengths. */
typedef struct frequency {
    int64_t length; /* microseconds */
    int64_t months; /* in all; made of `base` each, one of which begins in month `anchor` (0 January) */
    int base, anchor;
    bool at_end; /* the label is the last day, not the first */
} frequency;

typedef struct period {
    vv_instant begin, end;
} period;

typedef struct work {
    const vv_array *array;
    int d;
    const char *text;
    frequency f;
    vv_time_axis axis;
    vv_values *value;
    vv_index n; /* times */
    vv_instant *at;
    bool *there;
    vv_instant first;  /* the earliest time */
    vv_instant origin; /* the first period begins here, where periods have a length */
    int64_t month;     /* else with this month */
} work;

enum { MOST_PERIODS = 1 << 26 };
static const int64_t day_length = INT64_C(86400000000);

/* --- the frequency --- */

static const struct unit {
    const char *name;
    int64_t length;
    int months;
    bool at_end;
} units[] = {
    {"S", 1000000, 0, false},
    {"MIN", 60000000, 0, false},
    {"T", 60000000, 0, false},
    {"H", INT64_C(3600000000), 0, false},
    {"D", INT64_C(86400000000), 0, false},
    {"MS", 0, 1, false},
    {"M", 0, 1, true},
    {"ME", 0, 1, true},
    {"QS", 0, 3, false},
    {"Q", 0, 3, true},
    {"QE", 0, 3, true},
    {"YS", 0, 12, false},
    {"AS", 0, 12, false},
    {"Y", 0, 12, true},
    {"YE", 0, 12, true},
    {"A", 0, 12, true},
};

static const char *const month_names[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                          "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};

static vv_status no_frequency(const char *text)
{
    return vv_fail(VV_ERR_USAGE,
                   "'%s' is no frequency; write 6h, 1D, 5D, 1M (labelled by its last day) or MS (by its first), Q or "
                   "QS-DEC (quarters, one of which begins with December: seasons), 1Y or YS",
                   text);
}

/* "-DEC": the month with which a period begins, or ends. */
static bool read_anchor(const char *text, frequency *f)
{
    int month = 0;
    if (!*text) return true;
    if (*text != '-' || f->base < 3) return false;
    while (month < 12 && strcasecmp(text + 1, month_names[month]) != 0) month++;
    f->anchor = (f->at_end ? month + 1 : month) % f->base;
    return month < 12;
}

static vv_status read_frequency(const char *text, frequency *out)
{
    enum { MOST = 1000000 };
    char *name, word[8];
    long long n = isdigit((unsigned char)*text) ? strtoll(text, &name, 10) : 1;
    if (!isdigit((unsigned char)*text)) name = (char *)(uintptr_t)text;
    size_t length = strcspn(name, "-");
    if (n < 1 || n > MOST || length == 0 || length >= sizeof word) return no_frequency(text);
    memcpy(word, name, length);
    word[length] = 0;
    for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
        if (strcasecmp(word, units[u].name) != 0) continue;
        *out = (frequency){.length = n * units[u].length, .base = units[u].months, .at_end = units[u].at_end};
        out->months = n * out->base;
        return read_anchor(name + length, out) ? VV_OK : no_frequency(text);
    }
    return no_frequency(text);
}

/* --- times --- */

static vv_status read_times(work *w)
{
    const vv_coord *c = &w->array->coord[w->d];
    const char *dim = w->array->dim[w->d], *time_units, *calendar;
    if (!vv_coord_time(c, &time_units, &calendar))
        return vv_fail(VV_ERR_USAGE, "'%s': the coordinate of '%s' has no times (\"hours since 1990-01-01\")",
                       w->array->name, dim);
    VV_TRY(vv_time_parse(time_units, calendar, &w->axis));
    VV_TRY(vv_coord_values(c, &w->value));
    if (!w->value) return vv_fail(VV_ERR_NOT_FOUND, "'%s' has no coordinate along '%s'", w->array->name, dim);
    w->n = w->value->n;
    VV_TRY(vv_new(&w->at, (size_t)w->n, sizeof *w->at));
    VV_TRY(vv_new(&w->there, (size_t)w->n, sizeof *w->there));
    bool any = false;
    for (vv_index i = 0; i < w->n; i++) {
        vv_instant *t = &w->at[i];
        if (isnan(w->value->at[i])) continue;
        VV_TRY(vv_time_instant(&w->axis, w->value->at[i], t));
        if (!any || t->day < w->first.day || (t->day == w->first.day && t->microsecond < w->first.microsecond))
            w->first = *t;
        any = w->there[i] = true;
    }
    return any ? VV_OK : vv_fail(VV_ERR_SHAPE, "'%s' has no times along '%s' to resample", w->array->name, dim);
}

/* Rounded towards the past. */
static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Months since the year 0, counted as if there were one. */
static int64_t month_number(const vv_time_axis *axis, vv_instant t)
{
    vv_date d;
    vv_time_date(axis, t, &d);
    return (d.year + (d.year < 0 && !axis->year_zero)) * 12 + d.month - 1;
}

static vv_status month_begin(const vv_time_axis *axis, int64_t month, vv_instant *out)
{
    vv_date d = {.year = floor_div(month, 12), .day = 1};
    d.month = (int)(month - d.year * 12) + 1;
    d.year -= d.year <= 0 && !axis->year_zero;
    return vv_time_of_date(axis, &d, out);
}

/* Microseconds from one to the other; days apart are few enough (MOST_PERIODS of less than 10^6 days each would not be: they saturate). */
static int64_t between(vv_instant from, vv_instant to)
{
    int64_t days = to.day - from.day;
    if (days > INT64_MAX / day_length / 2) return INT64_MAX / 2;
    return days * day_length + to.microsecond - from.microsecond;
}

/* --- periods --- */

static void find_origin(work *w)
{
    const frequency *f = &w->f;
    if (!f->months) {
        w->origin = (vv_instant){w->first.day, w->first.microsecond / f->length * f->length};
        return;
    }
    int64_t first = month_number(&w->axis, w->first);
    w->month = floor_div(first - f->anchor, f->base) * f->base + f->anchor;
    if (f->at_end) w->month += f->base - f->months; /* the first one ends with the first base */
}

static int64_t period_of(const work *w, vv_instant t)
{
    if (w->f.months) return floor_div(month_number(&w->axis, t) - w->month, w->f.months);
    return between(w->origin, t) / w->f.length;
}

static vv_instant later(vv_instant t, int64_t periods, int64_t length)
{
    int64_t days = length / day_length, rest = length % day_length; /* no product of all three fits */
    t.day += periods * days;
    int64_t more = t.microsecond + periods % day_length * rest;
    t.day += floor_div(more, day_length);
    t.microsecond = more - floor_div(more, day_length) * day_length;
    return t;
}

static vv_status nth(const work *w, int64_t k, period *out)
{
    const frequency *f = &w->f;
    if (!f->months) {
        *out = (period){later(w->origin, k, f->length), later(w->origin, k + 1, f->length)};
        return VV_OK;
    }
    VV_TRY(month_begin(&w->axis, w->month + k * f->months, &out->begin));
    return month_begin(&w->axis, w->month + (k + 1) * f->months, &out->end);
}

static vv_status label_all(const work *w, vv_grouping *g)
{
    VV_TRY(vv_table_new(w->n, &g->label));
    for (vv_index i = 0; i < w->n; i++) {
        int64_t k = w->there[i] ? period_of(w, w->at[i]) : -1;
        if (k >= MOST_PERIODS)
            return vv_fail(VV_ERR_UNSUPPORTED, "'%s': times along '%s' lie in more than %d periods of %s",
                           w->array->name, w->array->dim[w->d], MOST_PERIODS, w->text);
        g->label->at[i] = k;
        g->n = vv_imax(g->n, k + 1);
    }
    return VV_OK;
}

static vv_status set_times(const work *w, const vv_index number[], vv_index periods, vv_grouping *g)
{
    vv_coord *c = &g->coord;
    VV_TRY(vv_values_new(g->n, &c->value));
    VV_TRY(vv_values_new(2 * g->n, &c->bounds));
    for (vv_index k = 0; k < periods; k++) {
        vv_index at = number ? number[k] : k;
        period p;
        if (at < 0) continue;
        VV_TRY(nth(w, k, &p));
        c->bounds->at[2 * at] = vv_time_value(&w->axis, p.begin);
        c->bounds->at[2 * at + 1] = vv_time_value(&w->axis, p.end);
        if (w->f.at_end) p.begin = (vv_instant){p.end.day - 1, p.end.microsecond};
        c->value->at[at] = vv_time_value(&w->axis, p.begin);
    }
    return VV_OK;
}

/* --- only complete ones --- */

static int by_length(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The median of the steps from one time to the next; 0 for a single time. */
static vv_status usual_step(const work *w, int64_t *out)
{
    int64_t *step;
    vv_index n = 0;
    *out = 0;
    VV_TRY(vv_new(&step, (size_t)w->n, sizeof *step));
    for (vv_index i = 1; i < w->n; i++)
        if (w->there[i] && w->there[i - 1]) step[n++] = llabs(between(w->at[i - 1], w->at[i]));
    qsort(step, (size_t)n, sizeof *step, by_length);
    if (n > 0) *out = step[n / 2];
    free(step);
    return VV_OK;
}

/* Periods keep their number among those that have as many times as fit into them; the others get -1. */
static vv_status number_complete(const work *w, const vv_index count[], vv_index periods, vv_index number[],
                                 vv_index *n)
{
    int64_t step;
    VV_TRY(usual_step(w, &step));
    *n = 0;
    for (vv_index k = 0; k < periods; k++) {
        period p;
        VV_TRY(nth(w, k, &p));
        double due = step > 0 ? rint((double)between(p.begin, p.end) / (double)step) : 1;
        number[k] = (double)count[k] >= fmax(due, 1) ? (*n)++ : -1;
    }
    return VV_OK;
}

static vv_status drop_incomplete(const work *w, vv_grouping *g)
{
    vv_index periods = g->n, *count, *number = NULL;
    VV_TRY(vv_new(&count, (size_t)periods, sizeof *count));
    vv_status status = vv_new(&number, (size_t)periods, sizeof *number);
    for (vv_index i = 0; i < w->n; i++)
        if (g->label->at[i] >= 0) count[g->label->at[i]]++;
    if (status == VV_OK) status = number_complete(w, count, periods, number, &g->n);
    for (vv_index i = 0; status == VV_OK && i < w->n; i++)
        if (g->label->at[i] >= 0) g->label->at[i] = number[g->label->at[i]];
    if (status == VV_OK && g->n == 0)
        status = vv_fail(VV_ERR_SHAPE, "'%s' has no complete period of %s along '%s'", w->array->name, w->text,
                         w->array->dim[w->d]);
    if (status == VV_OK) status = set_times(w, number, periods, g);
    free(count);
    free(number);
    return status;
}

/* --- vv_resample --- */

static vv_status group_periods(work *w, bool complete, vv_grouping *g)
{
    const vv_coord *c = &w->array->coord[w->d];
    VV_TRY(read_frequency(w->text, &w->f));
    VV_TRY(read_times(w));
    find_origin(w);
    VV_TRY(vv_strdup(&g->name, w->array->dim[w->d]));
    VV_TRY(label_all(w, g));
    g->dim = w->d;
    g->coord = (vv_coord){.from = c->from, .var = c->var, .moved = true};
    return complete ? drop_incomplete(w, g) : set_times(w, NULL, g->n, g);
}

vv_array *vv_resample(vv_array *in, const char *dim, const char *frequency_text, bool complete)
{
    work w = {.array = in, .text = frequency_text};
    if (vv_array_status(in) != VV_OK || vv_node_find_dim(in, dim, &w.d) != VV_OK) return vv_node_inert(in->context);
    vv_array *a = vv_node_ungrouped(in);
    if (a->status != VV_OK) return a;
    vv_status status = group_periods(&w, complete, &a->group);
    vv_values_free(&w.value);
    free(w.at);
    free(w.there);
    return vv_node_settle(in->context, a, status);
}
