/* Lines by least squares along a dimension: pairs of its coordinate and the values. */
#include "array/linalg/linalg.h"
#include "array/pairs.h"
#include "base/calendar.h"
#include "varve/analysis.h"
#include "varve/move.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the coordinate --- */

/* Where the values are, in units of `per`. */
typedef struct abscissa {
    vv_index n;
    double *at; /* NULL: positions */
    bool time;
    char unit[40];   /* "year"; empty: the coordinate has none */
    char origin[64]; /* "1979-01-01": what 0 is; empty: just 0 */
} abscissa;

static const double day = 86400;

/* Seconds; years are as long as the calendar's are in the mean. */
static double unit_length(const char *per, vv_calendar calendar)
{
    static const double year[VV_CALENDARS] = {
        [VV_CALENDAR_STANDARD] = 365.2425, [VV_CALENDAR_PROLEPTIC] = 365.2425, [VV_CALENDAR_JULIAN] = 365.25,
        [VV_CALENDAR_NOLEAP] = 365,        [VV_CALENDAR_ALL_LEAP] = 366,       [VV_CALENDAR_360] = 360};
    const struct {
        const char *name;
        double length;
    } units[] = {{"year", year[calendar] * day},
                 {"decade", 10 * year[calendar] * day},
                 {"century", 100 * year[calendar] * day},
                 {"day", day},
                 {"hour", 3600},
                 {"minute", 60},
                 {"second", 1}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (!strcmp(units[i].name, per)) return units[i].length;
    return 0;
}

static vv_status no_unit(const char *per)
{
    static const char *const names[] = {"year", "decade", "century", "day", "hour", "minute", "second", "step", "unit"};
    const char *near = vv_nearest(per, names, sizeof names / sizeof *names);
    return vv_fail(VV_ERR_USAGE,
                   "a trend per '%s'%s%s%s; it is per year, decade, century, day, hour, minute, second, step "
                   "(position) or unit (of the coordinate)",
                   per, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* Since the first time that there is. */
static vv_status read_times(const vv_coord *c, const vv_values *v, const char *per, abscissa *x)
{
    const char *units, *calendar;
    vv_time_axis axis;
    vv_instant first = {0, 0}, t;
    vv_date date;
    bool any = false;
    (void)vv_coord_time(c, &units, &calendar);
    VV_TRY(vv_time_parse(units, calendar, &axis));
    double length = unit_length(per, axis.calendar);
    if (length == 0) return no_unit(per);
    for (vv_index i = 0; i < v->n; i++) {
        x->at[i] = (double)NAN;
        if (isnan(v->at[i])) continue;
        VV_TRY(vv_time_instant(&axis, v->at[i], &t));
        if (!any) first = t;
        any = true;
        x->at[i] = ((double)(t.day - first.day) * day + (double)(t.microsecond - first.microsecond) * 1e-6) / length;
    }
    vv_time_date(&axis, first, &date);
    if (any) vv_date_text(&date, x->origin);
    char *midnight = strstr(x->origin, " 00:00:00");
    if (midnight && !midnight[9]) *midnight = 0;
    snprintf(x->unit, sizeof x->unit, "%s", per);
    return VV_OK;
}

static vv_status read_coordinate(const vv_array *a, int d, const char *per, abscissa *x)
{
    const vv_coord *c = &a->coord[d];
    const char *units, *calendar;
    vv_values *v;
    x->n = a->shape.n[d];
    x->time = vv_coord_time(c, &units, &calendar);
    if (per && !strcmp(per, "step")) return snprintf(x->unit, sizeof x->unit, "step"), VV_OK;
    VV_TRY(vv_coord_values(c, &v));
    if (!v && !per) return snprintf(x->unit, sizeof x->unit, "step"), VV_OK;
    if (!v)
        return vv_fail(VV_ERR_USAGE, "'%s' has no coordinate along '%s' for a trend per %s; per step counts positions",
                       a->name, a->dim[d], per);
    vv_status status = vv_new(&x->at, (size_t)x->n + 1, sizeof *x->at);
    bool own = per ? !strcmp(per, "unit") : !x->time;
    if (status == VV_OK && own) {
        units = c->from && c->var >= 0 ? vv_dataset_attr_text(c->from, c->var, "units") : NULL;
        if (units && !x->time) snprintf(x->unit, sizeof x->unit, "%s", units);
        memcpy(x->at, v->at, (size_t)x->n * sizeof *x->at);
    } else if (status == VV_OK && x->time) {
        status = read_times(c, v, per ? per : "year", x);
    } else if (status == VV_OK) {
        status = unit_length(per, VV_CALENDAR_STANDARD) > 0
                     ? vv_fail(VV_ERR_USAGE,
                               "the coordinate of '%s' along '%s' is no time: a trend is per unit of it, or per step",
                               a->name, a->dim[d])
                     : no_unit(per);
    }
    vv_values_free(&v);
    return status;
}

static vv_array *array_of(vv_array *a, int d, const abscissa *x)
{
    if (!x->at) return vv_node_sequence(a->context, a->dim[d], x->n, 0, 1, VV_F64);
    return vv_node_listed(a->context, a->dim[d], x->n, x->at, VV_F64, VV_F64);
}

/* --- the line --- */

typedef struct line {
    const char *dim;
    int d;
    abscissa x;
    vv_array *at, *of, *moments; /* the coordinate, the values as reals, what they make together */
} line;

static vv_status make_line(vv_array *a, const char *dim, const vv_trend_options *o, line *l)
{
    VV_TRY(vv_array_status(a));
    VV_TRY(vv_node_find_dim(a, dim, &l->d));
    if (vv_node_grouping(a)) return vv_fail(VV_ERR_UNSUPPORTED, "the trend of '%s', which is grouped", a->name);
    l->dim = a->dim[l->d];
    VV_TRY(read_coordinate(a, l->d, o->per, &l->x));
    vv_array *real = vv_node_as_real(a);
    l->of = vv_node_seen_again(real);
    vv_release(&real);
    l->at = array_of(a, l->d, &l->x);
    l->moments = vv_node_pairs(vv_node_seen_as(l->at, l->of, NULL, -1, NULL), l->of, NULL, l->dim, a->name);
    return vv_array_status(l->moments);
}

/* From the means: as exact as the values are. */
static vv_array *residual(const line *l)
{
    vv_array *slope = vv_node_of_pairs(l->moments, "slope", 0, NULL);
    vv_array *from = vv_sub(l->at, vv_node_moment(l->moments, VV_PAIR_X));
    return vv_sub(vv_sub(vv_astype(l->of, VV_F64), vv_node_moment(l->moments, VV_PAIR_Y)), vv_mul(slope, from));
}

/* n (1 - r) / (1 + r), with r of neighbours that are both there. */
static vv_array *effective(const line *l)
{
    vv_context *c = l->of->context;
    vv_array *one = vv_node_scalar(c, 1), *e = residual(l), *n = vv_node_moment(l->moments, VV_PAIR_N);
    vv_array *r =
        vv_divide(vv_sum(vv_mul(e, vv_shift(e, l->dim, 1, (double)NAN)), l->dim), vv_sum(vv_square(e), l->dim));
    vv_array *some = vv_mul(n, vv_divide(vv_sub(one, r), vv_add(one, r)));
    return vv_minimum(some, n);
}

static void describe_unit(const line *l, const vv_array *a, const char *what, char out[160])
{
    const char *units = vv_attr_text(&a->attrs, "units");
    bool slope = !strcmp(what, "slope") || !strcmp(what, "stderr");
    bool plain = l->x.unit[strcspn(l->x.unit, " ")] == 0;
    *out = 0;
    if (!slope && strcmp(what, "intercept") != 0)
        snprintf(out, 160, "1");
    else if (!units)
        return;
    else if (!slope || !*l->x.unit)
        snprintf(out, 160, "%.70s", units);
    else
        snprintf(out, 160, plain ? "%.70s %s-1" : "%.70s (%s)-1", units, l->x.unit);
}

static vv_array *described(vv_array *made, const line *l, const vv_array *a, const char *what, bool adjusted)
{
    char units[160], name[300], per[64] = "";
    const char *first = *l->x.origin ? l->x.origin : NULL;
    if (*l->x.unit) snprintf(per, sizeof per, " per %s", l->x.unit);
    if (!strcmp(what, "slope"))
        snprintf(name, sizeof name, "trend of %.100s%s", a->name, per);
    else if (!strcmp(what, "intercept"))
        snprintf(name, sizeof name, "trend line of %.100s at %s%s", a->name, first ? "" : l->dim, first ? first : " 0");
    else if (!strcmp(what, "stderr"))
        snprintf(name, sizeof name, "standard error of the trend of %.100s%s", a->name, per);
    else if (!strcmp(what, "n"))
        snprintf(name, sizeof name, "%s of %.100s", adjusted ? "effective number of values" : "number of values",
                 a->name);
    else
        snprintf(name, sizeof name, "%s of the trend of %.100s", !strcmp(what, "p") ? "two-sided p-value" : what,
                 a->name);
    describe_unit(l, a, what, units);
    made = vv_with_attribute(made, "long_name", name);
    return *units ? vv_with_attribute(made, "units", units) : made;
}

static vv_array *statistic(vv_array *a, const char *dim, const char *what, const vv_trend_options *o, line *l)
{
    if (make_line(a, dim, o, l) != VV_OK) return vv_node_inert(a->context);
    bool significance = !strcmp(what, "stderr") || !strcmp(what, "t") || !strcmp(what, "p") || !strcmp(what, "n");
    bool adjusted = o->adjust && significance;
    vv_array *made = vv_node_of_pairs(l->moments, what, 0, adjusted ? effective(l) : NULL);
    vv_dtype type = strcmp(what, "n") ? l->of->dtype : adjusted ? VV_F64 : VV_I64;
    return described(vv_astype(made, type), l, a, what, adjusted);
}

vv_array *vv_trend(vv_array *a, const char *dim, const char *what, const vv_trend_options *options)
{
    const vv_trend_options defaults = VV_TREND_OPTIONS_INIT;
    line l = {0};
    if (vv_array_status(a) != VV_OK) return vv_node_inert(a->context);
    vv_making m = vv_making_begin(a->context);
    vv_array *made = statistic(a, dim, what, options ? options : &defaults, &l);
    free(l.x.at);
    vv_making_end(&m, (vv_array * *const[]){&made}, 1, vv_array_status(made));
    return made;
}

vv_array *vv_detrend(vv_array *a, const char *dim, const vv_trend_options *options)
{
    const vv_trend_options defaults = VV_TREND_OPTIONS_INIT;
    line l = {0};
    if (vv_array_status(a) != VV_OK) return vv_node_inert(a->context);
    vv_making m = vv_making_begin(a->context);
    vv_array *made = vv_node_inert(a->context);
    if (make_line(a, dim, options ? options : &defaults, &l) == VV_OK)
        made = vv_describe_as(vv_node_labelled_as(vv_astype(residual(&l), l.of->dtype), l.of), a);
    free(l.x.at);
    vv_making_end(&m, (vv_array * *const[]){&made}, 1, vv_array_status(made));
    return made;
}
