/* Selecting along a dimension by text: by labels, which are values of its coordinate, or by positions.
 *
 *     "850"  "-30:30"  ":0"       the value; values from, to and including; open ends
 *     "~47.3"  "~47:~55"          the nearest one
 *     "1990-01"  "1990-06:1999"   of a time coordinate: all of that month; from the begin of the one to the end of the other
 *     "OSLO"  "KIEV:ROMA"         where the coordinate holds strings: that one; from the first place of the one to the last of the other
 *     "#0"  "#-12:"  "#0:100:10"  positions, as Python has them
 *
 * A label becomes a stretch of coordinates, [from, to] for a number and [begin, end) for a date. The dimension stays, with length 1 if need be. */
#include "array/build.h"

#include "array/text.h"
#include "base/calendar.h"
#include "varve/move.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A place along a coordinate: a number in `low`, or a day and the microsecond in it. Of a string: the first position that has it. */
typedef struct place {
    int64_t high;
    double low;
} place;

/* A coordinate with its values as places; those that are NaN are nowhere. */
typedef struct axis {
    const vv_array *array;
    int dim;
    bool time, narrow, text; /* narrow: values are f32, and so is what they are compared with */
    vv_time_axis clock;
    vv_values *value;
    place *at;
} axis;

typedef struct label {
    place first, end; /* what it means; end is not included when `open` */
    bool open, nearest;
} label;

static int compare(place a, place b)
{
    if (a.high != b.high) return a.high < b.high ? -1 : 1;
    return a.low < b.low ? -1 : a.low > b.low;
}

static double distance(place a, place b)
{
    return fabs((double)(a.high - b.high) * 86400e6 + (a.low - b.low));
}

/* --- the coordinate --- */

/* Equal strings are at one place: the position of the first of them. */
static vv_status place_strings(axis *x)
{
    vv_index *first, known = x->array->context->texts.n;
    VV_TRY(vv_new(&first, (size_t)known + 1, sizeof *first));
    for (vv_index i = x->value->n - 1; i >= 0; i--)
        if (!isnan(x->value->at[i])) first[(vv_index)x->value->at[i]] = i;
    for (vv_index i = 0; i < x->value->n; i++)
        x->at[i].low = isnan(x->value->at[i]) ? 0 : (double)first[(vv_index)x->value->at[i]];
    free(first);
    return VV_OK;
}

static vv_status fill_axis(axis *x)
{
    const char *units, *calendar;
    const vv_coord *c = &x->array->coord[x->dim];
    x->text = vv_coord_is_text(c);
    x->time = !x->text && vv_coord_time(c, &units, &calendar);
    x->narrow = c->from && c->var >= 0 && c->from->file->meta->var[c->var].type == VV_F32;
    if (x->time) VV_TRY(vv_time_parse(units, calendar, &x->clock));
    VV_TRY(vv_new(&x->at, (size_t)x->value->n + 1, sizeof *x->at));
    if (x->text) return place_strings(x);
    for (vv_index i = 0; i < x->value->n; i++) {
        vv_instant t;
        x->at[i].low = x->value->at[i];
        if (!x->time || isnan(x->value->at[i])) continue;
        VV_TRY(vv_time_instant(&x->clock, x->value->at[i], &t));
        x->at[i] = (place){t.day, (double)t.microsecond};
    }
    return VV_OK;
}

/* What cannot be understood is of a file. */
static vv_status of_coordinate(const vv_array *a, int dim)
{
    const vv_dataset *d = a->coord[dim].from;
    return d ? vv_error_prefix("%s: coordinate '%s'", d->path, a->dim[dim])
             : vv_error_prefix("coordinate '%s'", a->dim[dim]);
}

static vv_status open_axis(const vv_array *a, int dim, axis *x)
{
    *x = (axis){.array = a, .dim = dim};
    VV_TRY(vv_coord_values(&a->coord[dim], &x->value));
    if (!x->value)
        return vv_fail(VV_ERR_NOT_FOUND,
                       "'%s' has no coordinate along '%s' to select by; positions are written %s=#0:10", a->name,
                       a->dim[dim], a->dim[dim]);
    vv_status status = fill_axis(x);
    return status == VV_OK ? VV_OK : of_coordinate(a, dim);
}

static void close_axis(axis *x)
{
    vv_values_free(&x->value);
    free(x->at);
}

/* --- labels --- */

static vv_status next_period(const vv_time_axis *clock, vv_date d, int fields, vv_instant begin, vv_instant *end)
{
    static const int64_t microseconds[] = {86400000000, 3600000000, 60000000, 1000000};
    *end = begin;
    if (fields > 2) {
        end->microsecond += microseconds[fields > 6 ? 3 : fields - 3];
        end->day += end->microsecond / microseconds[0];
        end->microsecond %= microseconds[0];
        return VV_OK;
    }
    if (fields == 1 || d.month == 12) {
        d.month = 1;
        d.year++;
        if (d.year == 0 && !clock->year_zero) d.year = 1;
    } else {
        d.month++;
    }
    return vv_time_of_date(clock, &d, end);
}

static vv_status read_date(const axis *x, const char *text, label *out)
{
    vv_date d;
    vv_instant begin, end;
    int fields;
    VV_TRY(vv_date_parse(text, &d, &fields));
    VV_TRY(vv_time_of_date(&x->clock, &d, &begin));
    VV_TRY(next_period(&x->clock, d, fields, begin, &end));
    *out = (label){{begin.day, (double)begin.microsecond}, {end.day, (double)end.microsecond}, true, out->nearest};
    return VV_OK;
}

/* Values of a file that are f32 are meant by their short text: 0.1 is the f32 next to it. */
static vv_status read_number(const axis *x, const char *text, label *out)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || isnan(value)) return vv_fail(VV_ERR_USAGE, "'%s' is no number", text);
    if (x->narrow) value = (float)value;
    out->first.low = out->end.low = value;
    return VV_OK;
}

static vv_status read_string(const axis *x, const char *text, label *out)
{
    int64_t number = vv_text_find(x->array->context, text);
    for (vv_index i = 0; number >= 0 && i < x->value->n; i++) {
        if (isnan(x->value->at[i]) || (int64_t)x->value->at[i] != number) continue;
        out->first = out->end = x->at[i];
        return VV_OK;
    }
    return vv_fail(VV_ERR_NOT_FOUND, "no element is called '%s'", text);
}

static vv_status read_label(const axis *x, const char *text, size_t length, label *out)
{
    char word[128];
    *out = (label){.nearest = length > 0 && text[0] == '~'};
    text += out->nearest;
    length -= out->nearest;
    if (x->text && out->nearest) return vv_fail(VV_ERR_USAGE, "of strings none is the nearest to '%s'", text);
    if (length >= sizeof word) return vv_fail(VV_ERR_USAGE, "'%s' is too long for a label", text);
    memcpy(word, text, length);
    word[length] = 0;
    return x->text ? read_string(x, word, out) : x->time ? read_date(x, word, out) : read_number(x, word, out);
}

static bool is_label(const axis *x, const char *text, size_t length)
{
    label unused;
    bool good = length == 0 || read_label(x, text, length, &unused) == VV_OK;
    vv_error_clear();
    return good;
}

/* The colon between two labels; times have colons of their own. NULL: there is none. */
static const char *middle(const axis *x, const char *text)
{
    if (is_label(x, text, strlen(text))) return NULL;
    for (const char *c = strchr(text, ':'); c; c = strchr(c + 1, ':'))
        if (is_label(x, text, (size_t)(c - text)) && is_label(x, c + 1, strlen(c + 1))) return c;
    return NULL;
}

/* --- what they choose --- */

static vv_index nearest(const axis *x, place to)
{
    vv_index best = -1;
    for (vv_index i = 0; i < x->value->n; i++)
        if (!isnan(x->value->at[i]) && (best < 0 || distance(x->at[i], to) < distance(x->at[best], to))) best = i;
    return best;
}

/* A label that means the nearest value becomes that value. */
static void settle(const axis *x, label *l)
{
    vv_index at = l->nearest ? nearest(x, l->first) : -1;
    if (at >= 0) *l = (label){.first = x->at[at], .end = x->at[at]};
}

static vv_index choose(const axis *x, const label *from, const label *to, vv_index position[])
{
    vv_index n = 0;
    for (vv_index i = 0; i < x->value->n; i++) {
        if (isnan(x->value->at[i]) || (from && compare(x->at[i], from->first) < 0)) continue;
        int end = to ? compare(x->at[i], to->end) : -1;
        if (end < 0 || (end == 0 && !to->open)) position[n++] = i;
    }
    return n;
}

static const char *value_text(const axis *x, vv_index i, char out[64])
{
    vv_date d;
    if (x->time && vv_time_decode(&x->clock, x->value->at[i], &d) == VV_OK) return vv_date_text(&d, out);
    snprintf(out, 64, "%.9g", x->value->at[i]);
    return out;
}

static vv_status nothing(const axis *x, const char *text)
{
    char first[64] = "", last[64] = "";
    vv_index n = x->value->n;
    if (n == 0) return vv_fail(VV_ERR_SHAPE, "'%s' has no elements along '%s'", x->array->name, x->array->dim[x->dim]);
    return vv_fail(VV_ERR_NOT_FOUND, "'%s' has no element with %s=%s: its %lld values go from %s to %s%s",
                   x->array->name, x->array->dim[x->dim], text, (long long)n, value_text(x, 0, first),
                   value_text(x, n - 1, last), strpbrk(text, "~:") ? "" : "; ~ takes the nearest");
}

/* A range may be given in either order: coordinates come in both. */
static void put_in_order(label *from, label *to)
{
    if (compare(to->first, from->first) >= 0) return;
    label swap = *from;
    *from = *to;
    *to = swap;
}

static vv_status find(const axis *x, const char *text, vv_index position[], vv_index *n)
{
    label from = {0}, to = {0};
    const char *colon = middle(x, text), *second = colon ? colon + 1 : text;
    if (!*text)
        return vv_fail(VV_ERR_USAGE, "'%s': nothing is selected along '%s'", x->array->name, x->array->dim[x->dim]);
    size_t length = colon ? (size_t)(colon - text) : strlen(text);
    bool has_from = length > 0, has_to = !colon || *second;
    if (has_from && read_label(x, text, length, &from) != VV_OK)
        return vv_error_prefix("'%s': %s=%s", x->array->name, x->array->dim[x->dim], text);
    if (has_from) settle(x, &from);
    if (!colon) {
        to = from;
    } else if (has_to) {
        VV_TRY(read_label(x, second, strlen(second), &to));
        settle(x, &to);
    }
    if (colon && has_from && has_to) put_in_order(&from, &to);
    *n = choose(x, has_from ? &from : NULL, has_to ? &to : NULL, position);
    return *n > 0 ? VV_OK : nothing(x, text);
}

static vv_array *by_labels(vv_array *a, int dim, const char *text)
{
    axis x;
    vv_index *position = NULL, n = 0;
    vv_status status = open_axis(a, dim, &x);
    if (status == VV_OK) status = vv_new(&position, (size_t)x.value->n + 1, sizeof *position);
    if (status == VV_OK) status = find(&x, text, position, &n);
    vv_array *out = status == VV_OK ? vv_take(a, a->dim[dim], position, n) : vv_node_inert(a->context);
    free(position);
    close_axis(&x);
    return out;
}

/* --- positions --- */

/* One of the numbers between colons; *text moves behind it. False when it is none. */
static bool next_number(const char **text, vv_index *out)
{
    char *end;
    if (**text == ':' || !**text) return true;
    *out = strtoll(*text, &end, 10);
    bool good = end != *text && (*end == ':' || !*end);
    *text = end;
    return good;
}

static vv_array *by_positions(vv_array *a, int dim, const char *text)
{
    vv_index start = VV_BEGIN, stop = VV_END, step = 1;
    const char *at = text;
    bool good = *text && next_number(&at, &start), range = good && *at == ':';
    if (good && !range && start != VV_BEGIN) return vv_take(a, a->dim[dim], &start, 1);
    if (range) at++;
    good = good && range && next_number(&at, &stop);
    if (good && *at == ':') {
        at++;
        good = next_number(&at, &step);
    }
    if (good && !*at) return vv_slice(a, a->dim[dim], start, stop, step);
    (void)vv_fail(VV_ERR_USAGE, "%s=#%s: positions are written #5, #0:10 or #0:100:10", a->dim[dim], text);
    return vv_node_inert(a->context);
}

vv_array *vv_select(vv_array *a, const char *dim, const char *what)
{
    int d;
    if (vv_array_status(a) != VV_OK || vv_node_find_dim(a, dim, &d) != VV_OK) return vv_node_inert(a->context);
    return what[0] == '#' ? by_positions(a, d, what + 1) : by_labels(a, d, what);
}
