/* Climate indices. A row of the table says what an index is of, the recipe that makes it of other operations, and what is said of it; to add one is to add a row, and a recipe if there is none that fits. Help,
 * the list of indices, metadata and tests read the table. varve/climate.h has the rules. */
#include "array/build.h"

#include "array/daily.h"
#include "varve/climate.h"
#include "varve/move.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

typedef struct recipe recipe;

/* An index being made. */
typedef struct task {
    const recipe *r;
    vv_context *context;
    vv_array *x[VV_DAILY_KINDS]; /* precipitation in mm */
    const char *dim;             /* the time's */
    const vv_climate_options *o;
    double threshold;
} task;

struct recipe {
    const char *name;
    unsigned needs;
    vv_array *(*make)(const task *t);
    const char *how, *op; /* a reduction, a comparison with the threshold */
    double threshold;     /* degrees Celsius, mm, or 0 to 1 of a percentile; NAN: none */
    bool base;            /* which is one of the base period */
    const char *units;
    const char *title, *definition;
};

enum { TX = 1 << VV_TX, TN = 1 << VV_TN, PR = 1 << VV_PR };

/* --- what recipes share --- */

static vv_array *series(const task *t)
{
    for (int k = 0; k < VV_DAILY_KINDS; k++)
        if (t->r->needs & 1u << k) return t->x[k];
    return NULL;
}

static vv_array *number(const task *t, double value)
{
    return vv_node_scalar(t->context, value);
}

static vv_array *missing(const task *t)
{
    return number(t, (double)NAN);
}

static const char *periods_of(const vv_climate_options *o)
{
    static const struct {
        const char *word, *frequency;
    } words[] = {{"year", "YS"}, {"season", "QS-DEC"}, {"month", "MS"}};
    for (size_t i = 0; o->frequency && i < sizeof words / sizeof *words; i++)
        if (!strcmp(o->frequency, words[i].word)) return words[i].frequency;
    return o->frequency ? o->frequency : "YS";
}

/* Each period reduced. */
static vv_array *each(const task *t, vv_array *x, const char *how, double least)
{
    vv_array *periods = vv_resample(vv_ungroup(x), t->dim, periods_of(t->o), t->o->complete);
    return vv_reduce(periods, how, t->dim, &(vv_reduce_options){.least = least});
}

/* 1 on days that compare so with a limit, else 0; NaN where either is missing. */
static vv_array *whether(const task *t, vv_array *x, vv_array *limit)
{
    vv_array *yes = vv_astype(vv_node_elementwise(t->context, t->r->op, (vv_array *[]){x, limit}, 2), VV_F32);
    vv_array *none = limit->kind == VV_NODE_SCALAR ? vv_isnan(x) : vv_logical_or(vv_isnan(x), vv_isnan(limit));
    return vv_where(none, missing(t), yes);
}

static vv_array *beyond_threshold(const task *t)
{
    bool water = t->r->needs == PR;
    vv_array *x = series(t);
    return whether(t, x, number(t, water ? t->threshold : vv_daily_degrees(x, t->threshold)));
}

/* Days and spells of days: a sum of nothing but missing days would be 0. */
static vv_array *days(const task *t, vv_array *hit, double least)
{
    return each(t, hit, "run_total", least);
}

/* Beyond a percentile of each day of the year. */
static vv_array *beyond_percentile(const task *t)
{
    char group[300];
    vv_array *x = series(t), *base = t->o->base ? vv_select(x, t->dim, t->o->base) : x;
    const vv_quantile_options o = {.method = t->o->method ? t->o->method : "median_unbiased", .window = 5};
    snprintf(group, sizeof group, "%s.dayofyear", t->dim);
    return whether(t, vv_group(x, group), vv_quantile(vv_group(base, group), t->threshold, t->dim, &o));
}

static vv_array *wet(const task *t, vv_array *pr, vv_array *otherwise)
{
    return vv_where(vv_less(pr, number(t, 1)), otherwise, pr);
}

/* Totals; of nothing but missing days none. */
static vv_array *totals(const task *t, vv_array *x)
{
    vv_array *some = vv_greater(each(t, x, "count", 0), number(t, 0));
    return vv_where(some, each(t, x, "sum", 0), missing(t));
}

/* --- recipes --- */

static vv_array *statistic(const task *t)
{
    return each(t, series(t), t->r->how, 0);
}

static vv_array *count_days(const task *t)
{
    return days(t, beyond_threshold(t), 1);
}

static vv_array *longest_spell(const task *t)
{
    return each(t, beyond_threshold(t), "longest_run", 0);
}

static vv_array *difference(const task *t)
{
    return each(t, vv_sub(t->x[VV_TX], t->x[VV_TN]), "mean", 0);
}

static vv_array *extreme_range(const task *t)
{
    return vv_sub(each(t, t->x[VV_TX], "max", 0), each(t, t->x[VV_TN], "min", 0));
}

static vv_array *percent_of_days(const task *t)
{
    return vv_mul(each(t, beyond_percentile(t), "mean", 0), number(t, 100));
}

static vv_array *days_in_long_spells(const task *t)
{
    return days(t, beyond_percentile(t), 6);
}

static vv_array *five_days(const task *t)
{
    return each(t, vv_rolling(t->x[VV_PR], t->dim, 5, "sum", 5, false), "max", 0);
}

static vv_array *wet_total(const task *t)
{
    return totals(t, wet(t, t->x[VV_PR], number(t, 0)));
}

static vv_array *wet_mean(const task *t)
{
    return each(t, wet(t, t->x[VV_PR], missing(t)), "mean", 0);
}

static vv_array *above_wet_percentile(const task *t)
{
    vv_array *pr = t->x[VV_PR], *base = t->o->base ? vv_select(pr, t->dim, t->o->base) : pr;
    const vv_quantile_options o = {.method = t->o->method ? t->o->method : "median_unbiased"};
    vv_array *limit = vv_quantile(wet(t, base, missing(t)), t->threshold, t->dim, &o);
    vv_array *dry = vv_logical_not(vv_logical_or(vv_greater(pr, limit), vv_isnan(pr)));
    return totals(t, vv_where(dry, number(t, 0), pr));
}

static vv_array *share_above_wet_percentile(const task *t)
{
    return vv_mul(vv_divide(above_wet_percentile(t), wet_total(t)), number(t, 100));
}

/* --- the table --- */

#define OWN         .threshold = NAN
#define LIMIT(x)    .threshold = (x)
#define QUANTILE(x) .threshold = (x), .base = true

static const recipe recipes[] = {
    {"TXx", TX, statistic, "max", OWN, .title = "Warmest day", .definition = "greatest daily maximum temperature"},
    {"TNx", TN, statistic, "max", OWN, .title = "Warmest night", .definition = "greatest daily minimum temperature"},
    {"TXn", TX, statistic, "min", OWN, .title = "Coldest day", .definition = "least daily maximum temperature"},
    {"TNn", TN, statistic, "min", OWN, .title = "Coldest night", .definition = "least daily minimum temperature"},
    {"DTR", TX | TN, difference, OWN, .title = "Daily temperature range",
     .definition = "mean of daily maximum less minimum temperature"},
    {"ETR", TX | TN, extreme_range, OWN, .title = "Extreme temperature range",
     .definition = "greatest daily maximum less least daily minimum temperature"},
    {"FD", TN, count_days, .op = "less", LIMIT(0), .units = "days", .title = "Frost days",
     .definition = "days with a minimum temperature below 0 degC"},
    {"ID", TX, count_days, .op = "less", LIMIT(0), .units = "days", .title = "Icing days",
     .definition = "days with a maximum temperature below 0 degC"},
    {"SU", TX, count_days, .op = "greater", LIMIT(25), .units = "days", .title = "Summer days",
     .definition = "days with a maximum temperature above 25 degC"},
    {"TR", TN, count_days, .op = "greater", LIMIT(20), .units = "days", .title = "Tropical nights",
     .definition = "days with a minimum temperature above 20 degC"},
    {"CFD", TN, longest_spell, .op = "less", LIMIT(0), .units = "days", .title = "Consecutive frost days",
     .definition = "longest spell of days with a minimum temperature below 0 degC"},
    {"CSU", TX, longest_spell, .op = "greater", LIMIT(25), .units = "days", .title = "Consecutive summer days",
     .definition = "longest spell of days with a maximum temperature above 25 degC"},
    {"TX90p", TX, percent_of_days, .op = "greater", QUANTILE(0.9), .units = "%", .title = "Warm days",
     .definition =
         "percentage of days with a maximum temperature above the 90th percentile of the five days around the day of "
         "the year in the base period"},
    {"TX10p", TX, percent_of_days, .op = "less", QUANTILE(0.1), .units = "%", .title = "Cool days",
     .definition =
         "percentage of days with a maximum temperature below the 10th percentile of the five days around the day of "
         "the year in the base period"},
    {"TN90p", TN, percent_of_days, .op = "greater", QUANTILE(0.9), .units = "%", .title = "Warm nights",
     .definition =
         "percentage of days with a minimum temperature above the 90th percentile of the five days around the day of "
         "the year in the base period"},
    {"TN10p", TN, percent_of_days, .op = "less", QUANTILE(0.1), .units = "%", .title = "Cool nights",
     .definition =
         "percentage of days with a minimum temperature below the 10th percentile of the five days around the day of "
         "the year in the base period"},
    {"WSDI", TX, days_in_long_spells, .op = "greater", QUANTILE(0.9), .units = "days",
     .title = "Warm spell duration index",
     .definition =
         "days in spells of at least 6 days with a maximum temperature above the 90th percentile of the five days "
         "around the day of the year in the base period"},
    {"CSDI", TN, days_in_long_spells, .op = "less", QUANTILE(0.1), .units = "days",
     .title = "Cold spell duration index",
     .definition =
         "days in spells of at least 6 days with a minimum temperature below the 10th percentile of the five days "
         "around the day of the year in the base period"},
    {"Rx1day", PR, statistic, "max", OWN, .units = "mm", .title = "Wettest day",
     .definition = "greatest daily precipitation"},
    {"Rx5day", PR, five_days, OWN, .units = "mm", .title = "Wettest five days",
     .definition = "greatest precipitation of five days one after the other, of which the last lies in the period"},
    {"SDII", PR, wet_mean, OWN, .units = "mm d-1", .title = "Simple daily intensity index",
     .definition = "mean precipitation of days with 1 mm or more"},
    {"RR1", PR, count_days, .op = "greater_equal", LIMIT(1), .units = "days", .title = "Wet days",
     .definition = "days with precipitation of 1 mm or more"},
    {"R10mm", PR, count_days, .op = "greater_equal", LIMIT(10), .units = "days", .title = "Heavy precipitation days",
     .definition = "days with precipitation of 10 mm or more"},
    {"R20mm", PR, count_days, .op = "greater_equal", LIMIT(20), .units = "days",
     .title = "Very heavy precipitation days", .definition = "days with precipitation of 20 mm or more"},
    {"CDD", PR, longest_spell, .op = "less", LIMIT(1), .units = "days", .title = "Consecutive dry days",
     .definition = "longest spell of days with precipitation below 1 mm"},
    {"CWD", PR, longest_spell, .op = "greater_equal", LIMIT(1), .units = "days", .title = "Consecutive wet days",
     .definition = "longest spell of days with precipitation of 1 mm or more"},
    {"PRCPTOT", PR, wet_total, OWN, .units = "mm", .title = "Wet-day precipitation",
     .definition = "total precipitation of days with 1 mm or more"},
    {"R95p", PR, above_wet_percentile, QUANTILE(0.95), .units = "mm", .title = "Precipitation of very wet days",
     .definition = "total precipitation of days above the 95th percentile of wet days in the base period"},
    {"R99p", PR, above_wet_percentile, QUANTILE(0.99), .units = "mm", .title = "Precipitation of extremely wet days",
     .definition = "total precipitation of days above the 99th percentile of wet days in the base period"},
    {"R95pTOT", PR, share_above_wet_percentile, QUANTILE(0.95), .units = "%", .title = "Share of very wet days",
     .definition = "R95p as a percentage of PRCPTOT"},
    {"R99pTOT", PR, share_above_wet_percentile, QUANTILE(0.99), .units = "%", .title = "Share of extremely wet days",
     .definition = "R99p as a percentage of PRCPTOT"},
};
enum { RECIPES = sizeof recipes / sizeof *recipes };

bool vv_climate_index_at(int i, vv_climate_info *out)
{
    if (i < 0 || i >= RECIPES) return false;
    const recipe *r = &recipes[i];
    *out = (vv_climate_info){.name = r->name,
                             .needs = r->needs,
                             .units = r->units,
                             .title = r->title,
                             .definition = r->definition,
                             .has_threshold = !isnan(r->threshold),
                             .has_base = r->base};
    return true;
}

/* --- vv_climate_index --- */

static vv_status find(const char *name, const recipe **out)
{
    const char *names[RECIPES];
    for (int i = 0; i < RECIPES; i++) {
        names[i] = recipes[i].name;
        *out = &recipes[i];
        if (!strcasecmp(name, names[i])) return VV_OK;
    }
    const char *near = vv_nearest(name, names, RECIPES);
    return vv_fail(VV_ERR_USAGE, "there is no climate index '%s'%s%s%s", name, near ? "; did you mean '" : "",
                   near ? near : "", near ? "'?" : "");
}

static vv_status check_threshold(task *t)
{
    const recipe *r = t->r;
    t->threshold = t->o->threshold ? *t->o->threshold : r->threshold;
    if (!t->o->threshold) return VV_OK;
    if (isnan(r->threshold)) return vv_fail(VV_ERR_USAGE, "%s has no threshold", r->name);
    if (isfinite(t->threshold) && (!r->base || (t->threshold >= 0 && t->threshold <= 1))) return VV_OK;
    return vv_fail(VV_ERR_USAGE, "%s: %g is no %s", r->name, t->threshold,
                   r->base ? "percentile from 0 to 1" : "threshold");
}

/* "..., threshold 28 degC instead" is said where it is another one. */
static vv_status describe(vv_array *a, const task *t, vv_array *like)
{
    const recipe *r = t->r;
    char text[400];
    const char *of = r->units ? r->units : vv_attr_text(&like->attrs, "units");
    int n = snprintf(text, sizeof text, "%s (ETCCDI): %s", r->name, r->definition);
    if (t->o->threshold)
        n += snprintf(text + n, sizeof text - (size_t)n, "; with %.9g%s instead", t->threshold,
                      r->base         ? ""
                      : r->needs & PR ? " mm"
                                      : " degC");
    if (r->base) snprintf(text + n, sizeof text - (size_t)n, "; base period %s", t->o->base ? t->o->base : "all");
    if (of) VV_TRY(vv_attr_set_text(&a->attrs, "units", of));
    if (r->units) vv_attr_remove(&a->attrs, "standard_name");
    VV_TRY(vv_attr_set_text(&a->attrs, "long_name", r->title));
    return vv_attr_set_text(&a->attrs, "comment", text);
}

static vv_status prepare(task *t, const char *name, vv_array *const daily[])
{
    vv_array *first = NULL;
    VV_TRY(find(name, &t->r));
    VV_TRY(check_threshold(t));
    for (int k = 0; k < VV_DAILY_KINDS; k++) {
        if (!(t->r->needs & 1u << k)) continue;
        if (!daily[k]) return vv_fail(VV_ERR_USAGE, "%s needs %s", t->r->name, vv_daily_name((vv_daily)k));
        VV_TRY(vv_array_status(daily[k]));
        VV_TRY(vv_daily_check(daily[k], (vv_daily)k, first, &t->dim));
        first = first ? first : daily[k];
        t->context = daily[k]->context;
        t->x[k] = k == VV_PR ? vv_daily_millimetres(daily[k]) : daily[k];
        VV_TRY(vv_array_status(t->x[k]));
    }
    return VV_OK;
}

vv_array *vv_climate_index(const char *name, vv_array *const daily[VV_DAILY_KINDS], const vv_climate_options *options)
{
    const vv_climate_options defaults = VV_CLIMATE_OPTIONS_INIT;
    task t = {.o = options ? options : &defaults};
    vv_context *c = NULL;
    for (int k = 0; k < VV_DAILY_KINDS; k++)
        if (daily[k]) c = daily[k]->context;
    if (!c) return NULL;
    int64_t since = c->made;
    vv_status status = prepare(&t, name, daily);
    vv_array *made = status == VV_OK ? t.r->make(&t) : vv_node_inert(c), *a = vv_node_inert(c);
    if (status == VV_OK) status = vv_array_status(made);
    if (status == VV_OK) a = vv_node_seen_again(made);
    if (status == VV_OK) status = vv_array_status(a);
    if (status == VV_OK) status = describe(a, &t, series(&t));
    a = vv_node_settle(c, a, status);
    vv_context_release(c, since, &a, 1);
    return a;
}
