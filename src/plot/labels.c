/* What attributes and coordinates say, in the words that people put on pictures. */
#include "plot/shown.h"

#include "array/text.h"
#include "base/calendar.h"
#include "base/mem.h"
#include "draw/ticks.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *vv_plot_coord_attr(const vv_array *a, int d, const char *name)
{
    const vv_coord *c = &a->coord[d];
    const char *text = c->from && c->var >= 0 ? vv_dataset_attr_text(c->from, c->var, name) : NULL;
    return text ? text : "";
}

static bool is_one_of(const char *text, const char *const words[])
{
    for (int i = 0; words[i]; i++)
        if (!strcasecmp(text, words[i])) return true;
    return false;
}

/* --- directions --- */

bool vv_plot_is_pressure(const vv_array *a, int d)
{
    static const char *const units[] = {"Pa", "hPa", "mb", "mbar", "millibar", "millibars", NULL};
    return is_one_of(vv_plot_coord_attr(a, d, "units"), units);
}

bool vv_plot_grows_down(const vv_array *a, int d)
{
    static const char *const names[] = {"depth", "lev_depth", "deptht", "pressure", NULL};
    const char *positive = vv_plot_coord_attr(a, d, "positive");
    if (*positive) return !strcasecmp(positive, "down");
    return vv_plot_is_pressure(a, d) || is_one_of(a->dim[d], names) ||
           is_one_of(vv_plot_coord_attr(a, d, "standard_name"), names);
}

static bool is_level(const vv_array *a, int d)
{
    static const char *const names[] = {"lev", "level", "plev", "depth", "height", "altitude", "z", "isobaric", NULL};
    return *vv_plot_coord_attr(a, d, "positive") || vv_plot_is_pressure(a, d) || is_one_of(a->dim[d], names) ||
           !strcasecmp(vv_plot_coord_attr(a, d, "axis"), "Z");
}

vv_direction vv_plot_direction_of(const char *units, const char *standard_name)
{
    static const char *const lon[] = {"degrees_east", "degree_east", "degrees_E", "degree_E", "degreesE", NULL};
    static const char *const lat[] = {"degrees_north", "degree_north", "degrees_N", "degree_N", "degreesN", NULL};
    const char *standard = standard_name ? standard_name : "", *unit = units ? units : "";
    if (is_one_of(unit, lon) || !strcmp(standard, "longitude")) return VV_ALONG_LON;
    if (is_one_of(unit, lat) || !strcmp(standard, "latitude")) return VV_ALONG_LAT;
    return VV_ALONG_OTHER;
}

vv_direction vv_plot_direction(const vv_array *a, int d)
{
    static const char *const lon_name[] = {"lon", "longitude", NULL}, *const lat_name[] = {"lat", "latitude", NULL};
    const char *units, *calendar;
    if (vv_coord_is_text(&a->coord[d])) return VV_ALONG_OTHER;
    if (vv_coord_time(&a->coord[d], &units, &calendar)) return VV_ALONG_TIME;
    vv_direction way =
        vv_plot_direction_of(vv_plot_coord_attr(a, d, "units"), vv_plot_coord_attr(a, d, "standard_name"));
    if (way != VV_ALONG_OTHER) return way;
    if (is_one_of(a->dim[d], lon_name)) return VV_ALONG_LON;
    if (is_one_of(a->dim[d], lat_name)) return VV_ALONG_LAT;
    return is_level(a, d) ? VV_ALONG_LEVEL : !strcmp(a->dim[d], "time") ? VV_ALONG_TIME : VV_ALONG_OTHER;
}

/* --- coordinates --- */

/* Longitudes that begin anew somewhere go on instead. */
static void unwrap(double *x, vv_index n)
{
    double turn = 0;
    for (vv_index i = 1; i < n; i++) {
        x[i] += turn;
        if (x[i] < x[i - 1] - 180) {
            turn += 360;
            x[i] += 360;
        }
    }
}

static bool is_monotonic(const double *x, vv_index n)
{
    bool up = n < 2 || x[1] > x[0];
    for (vv_index i = 0; i < n; i++) {
        if (!isfinite(x[i])) return false;
        if (i > 0 && (up ? !(x[i] > x[i - 1]) : !(x[i] < x[i - 1]))) return false;
    }
    return true;
}

vv_status vv_plot_coordinate(const vv_array *a, int d, double **out)
{
    vv_values *v;
    *out = NULL;
    if (vv_coord_is_text(&a->coord[d])) return VV_OK;
    VV_TRY(vv_coord_values(&a->coord[d], &v));
    if (!v) return VV_OK;
    vv_status status = vv_new(out, (size_t)v->n, sizeof **out);
    if (status == VV_OK) memcpy(*out, v->at, (size_t)v->n * sizeof **out);
    if (status == VV_OK && vv_plot_direction(a, d) == VV_ALONG_LON) unwrap(*out, v->n);
    if (status == VV_OK && !is_monotonic(*out, v->n)) {
        free(*out);
        *out = NULL;
    }
    vv_values_free(&v);
    return status;
}

/* --- units --- */

/* A letter or bracket, and a power behind it: "m-2", "s**-1", "m^2". */
static bool is_power(const char *text, const char *at)
{
    if (at == text) return false;
    const char *sign = *at == '-' || *at == '+' ? at + 1 : at;
    return (isalpha((unsigned char)at[-1]) || at[-1] == ')') && isdigit((unsigned char)*sign);
}

static char *superscripts(const char *units)
{
    vv_buf b = {0};
    for (const char *at = units; *at;) {
        const char *mark = !strncmp(at, "**", 2) ? at + 2 : *at == '^' ? at + 1 : at;
        if (!is_power(units, at) && !(mark > at && at > units)) {
            vv_buf_printf(&b, "%c", *at++);
            continue;
        }
        char *end, power[VV_TICK_TEXT];
        long n = strtol(mark, &end, 10);
        if (end == mark) {
            vv_buf_printf(&b, "%c", *at++);
            continue;
        }
        vv_power_text((int)n, power);
        vv_buf_text(&b, power);
        at = end;
    }
    vv_buf_text(&b, "");
    return b.failed ? NULL : b.data;
}

char *vv_plot_pretty_units(const char *units)
{
    static const struct {
        const char *from, *to;
    } known[] = {{"degC", "\u00b0C"},
                 {"deg C", "\u00b0C"},
                 {"celsius", "\u00b0C"},
                 {"degrees_celsius", "\u00b0C"},
                 {"degree_C", "\u00b0C"},
                 {"degrees C", "\u00b0C"},
                 {"degF", "\u00b0F"},
                 {"degrees", "\u00b0"},
                 {"degree", "\u00b0"},
                 {"Kelvin", "K"},
                 {"1", ""},
                 {"meters", "m"},
                 {"metres", "m"},
                 {"percent", "%"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcasecmp(units, known[i].from)) return strdup(known[i].to);
    return superscripts(units);
}

char *vv_plot_units(const vv_array *a)
{
    const char *units = vv_attr_text(&a->attrs, "units");
    return vv_plot_pretty_units(units ? units : "");
}

bool vv_plot_is_celsius(const vv_array *a)
{
    char *units = vv_plot_units(a);
    bool yes = units && (!strcmp(units, "\u00b0C") || !strcmp(units, "\u00b0F"));
    free(units);
    return yes;
}

bool vv_plot_is_anomaly(const vv_array *a, const char *name)
{
    static const char *const word[] = {"anom", "diff", "bias", "trend", "departure", "deviation", "change"};
    const char *texts[] = {name, vv_attr_text(&a->attrs, "long_name"), vv_attr_text(&a->attrs, "standard_name")};
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
        for (size_t i = 0; texts[k] && i < sizeof word / sizeof *word; i++)
            if (strcasestr(texts[k], word[i])) return true;
    return false;
}

/* --- titles --- */

static bool has_dim(const vv_array *a, const char *name, int length)
{
    for (int d = 0; d < a->shape.nd; d++)
        if (!strncmp(a->dim[d], name, (size_t)length) && !a->dim[d][length]) return true;
    return false;
}

/* The array lacks a dimension because it was reduced, here or before it was stored; not because one position of it was taken. */
static bool was_reduced(const vv_array *a, const char *name, int length)
{
    if (has_dim(a, name, length)) return false;
    while (a->n_inputs > 0) {
        if (has_dim(a->input[0], name, length)) return a->kind != VV_NODE_VIEW;
        a = a->input[0];
    }
    return true;
}

/* "time: mean", "lat: lon: mean (by month)": the methods over dimensions that the array has no more, as ", mean over time". */
static void add_methods(const vv_array *a, vv_buf *b)
{
    const char *at = vv_attr_text(&a->attrs, "cell_methods");
    char dims[128] = "";
    int n = 0;
    while (at && *at) {
        int length = (int)strcspn(at, " ");
        if (length > 1 && at[length - 1] == ':') {
            size_t used = strlen(dims);
            if (was_reduced(a, at, length - 1))
                snprintf(dims + used, sizeof dims - used, "%s%.*s", n++ ? ", " : "", length - 1, at);
        } else if (*at == '(') {
            length = (int)strcspn(at, ")") + 1;
            if (length > (int)strlen(at)) length = (int)strlen(at);
        } else if (length > 0) {
            char method[200];
            snprintf(method, sizeof method, ", %.*s over %s", length, at, dims);
            if (n > 0 && !(b->data && strstr(b->data, method))) vv_buf_text(b, method);
            dims[0] = 0;
            n = 0;
        }
        at += length;
        at += strspn(at, " ");
    }
}

/* Words rather than a symbol such as pH or u10. */
static bool is_prose(const char *text)
{
    if (!islower((unsigned char)*text)) return false;
    if (strchr(text, ' ')) return true;
    while (islower((unsigned char)*text)) text++;
    return !*text;
}

char *vv_plot_title_of(const vv_array *a, const char *name)
{
    const char *text = vv_attr_text(&a->attrs, "long_name"), *standard = vv_attr_text(&a->attrs, "standard_name");
    bool words = text && *text;
    vv_buf b = {0};
    if (!words && standard && *standard) {
        for (const char *c = standard; *c; c++) vv_buf_printf(&b, "%c", *c == '_' ? ' ' : *c);
        words = true;
    } else {
        vv_buf_text(&b, words ? text : name);
    }
    if (words && b.data && is_prose(b.data)) b.data[0] = (char)toupper((unsigned char)b.data[0]);
    add_methods(a, &b);
    return b.failed ? NULL : b.data;
}

char *vv_plot_dim_label(const vv_array *a, int d, bool positions)
{
    vv_values *v = NULL;
    char *text = NULL;
    int made;
    if (positions) { /* of a coordinate that is of no use for an axis that is told */
        bool known = vv_coord_values(&a->coord[d], &v) == VV_OK && v;
        vv_values_free(&v);
        vv_error_clear();
        made = asprintf(&text, "%s%s", a->dim[d], known ? " (position)" : "");
        return made < 0 ? NULL : text;
    }
    const char *name = vv_plot_coord_attr(a, d, "long_name");
    char *units = vv_plot_pretty_units(vv_plot_coord_attr(a, d, "units"));
    if (!*name) name = a->dim[d];
    made = units && *units ? asprintf(&text, "%s [%s]", name, units) : asprintf(&text, "%s", name);
    free(units);
    return made < 0 ? NULL : text;
}

/* --- places --- */

/* Midnight is not said. */
static void date_text(const vv_time_axis *axis, double value, char *out, size_t size)
{
    vv_date date;
    char text[64];
    snprintf(out, size, "%g", value);
    if (vv_time_decode(axis, value, &date) != VV_OK) {
        vv_error_clear();
        return;
    }
    vv_date_text(&date, text);
    char *space = strchr(text, ' ');
    if (space && !strcmp(space, " 00:00:00")) *space = 0;
    if (space && *space && strlen(space) >= 9 && !strcmp(space + 6, ":00")) space[6] = 0;
    snprintf(out, size, "%s", text);
}

static void number_place(const vv_array *a, int d, double value, char *out, size_t size)
{
    static const char *const season[] = {"DJF", "MAM", "JJA", "SON"};
    static const char *const month[] = {"January", "February", "March",     "April",   "May",      "June",
                                        "July",    "August",   "September", "October", "November", "December"};
    vv_direction way = vv_plot_direction(a, d);
    int whole = (int)value;
    if (way == VV_ALONG_LON || way == VV_ALONG_LAT) {
        if (way == VV_ALONG_LON) value -= 360 * floor((value + 180) / 360);
        const char *side = value == 0 ? "" : way == VV_ALONG_LON ? (value > 0 ? "E" : "W") : (value > 0 ? "N" : "S");
        snprintf(out, size, "%g\u00b0%s", fabs(value), side);
    } else if (!strcmp(a->dim[d], "month") && whole == value && whole >= 1 && whole <= 12) {
        snprintf(out, size, "%s", month[whole - 1]);
    } else if (!strcmp(a->dim[d], "season") && whole == value && whole >= 0 && whole <= 3) {
        snprintf(out, size, "%s", season[whole]);
    } else {
        char *units = vv_plot_pretty_units(vv_plot_coord_attr(a, d, "units"));
        bool bare = way == VV_ALONG_LEVEL && units && *units;
        snprintf(out, size, "%s%s%g%s%s", bare ? "" : a->dim[d], bare ? "" : " ", value, units && *units ? " " : "",
                 units ? units : "");
        free(units);
    }
}

static void place_of(const vv_array *a, int d, vv_index at, char *out, size_t size)
{
    const char *units, *calendar, *word;
    vv_time_axis axis;
    vv_values *v = NULL;
    snprintf(out, size, "%s #%lld", a->dim[d], (long long)at);
    if (vv_coord_values(&a->coord[d], &v) != VV_OK || !v) {
        vv_error_clear();
        return;
    }
    if (vv_coord_is_text(&a->coord[d])) {
        if (vv_text_at(a->context, (int64_t)v->at[at], &word) == VV_OK) snprintf(out, size, "%s", word);
    } else if (vv_coord_time(&a->coord[d], &units, &calendar) && vv_time_parse(units, calendar, &axis) == VV_OK) {
        date_text(&axis, v->at[at], out, size);
    } else {
        number_place(a, d, v->at[at], out, size);
    }
    vv_values_free(&v);
    vv_error_clear();
}

char *vv_plot_place_text(const vv_array *a, int d, vv_index at, bool first)
{
    char place[200], *text = NULL;
    place_of(a, d, at, place, sizeof place);
    bool told = first && a->shape.n[d] > 1;
    int made = told ? asprintf(&text, "%s (the first of %lld)", place, (long long)a->shape.n[d])
                    : asprintf(&text, "%s", place);
    return made < 0 ? NULL : text;
}
