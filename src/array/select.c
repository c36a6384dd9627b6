/* Selecting along a dimension by text: by labels, which are values of its coordinate, or by positions.
 *
 *     "850"  "-30:30"  ":0"       the value; values from, to and including; open ends
 *     "~47.3"  "~47:~55"          the nearest one
 *     "1990-01"  "1990-06:1999"   of a time coordinate: all of that month; from the begin of the one to the end of the other
 *     "OSLO"  "KIEV:ROMA"         where the coordinate holds strings: that one; from the first place of the one to the last of the other
 *     "#0"  "#-12:"  "#0:100:10"  positions, as Python has them
 *     "850,500,~47"               several of these, one after the other
 *
 * Longitudes mean the same whether they are counted from 0 to 360 or from -180 to 180, and a range of them goes eastwards: "170:-170" is 20 degrees wide, "350:10",
 * too, "-30:30" of a file that counts from 0 has Greenwich in the middle. What is chosen so lies in that order, with longitudes that go on from the first label as it was written.
 *
 * A label becomes a stretch of coordinates, [from, to] for a number and [begin, end) for a date. The dimension stays, with length 1 if need be. */
#include "array/build.h"

#include "array/earth.h"
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
    bool longitude;
    vv_time_axis clock;
    vv_values *value;
    place *at;
} axis;

/* Positions that were chosen, and what their coordinate becomes. */
typedef struct chosen {
    vv_index n;
    vv_index *position;
    double *value;
} chosen;

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
    x->longitude = !x->text && !x->time && vv_coord_is_longitude(c);
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

static double apart(const axis *x, place a, place b)
{
    return x->longitude ? vv_longitude_distance(a.low, b.low) : distance(a, b);
}

static vv_index nearest(const axis *x, place to)
{
    vv_index best = -1;
    for (vv_index i = 0; i < x->value->n; i++)
        if (!isnan(x->value->at[i]) && (best < 0 || apart(x, x->at[i], to) < apart(x, x->at[best], to))) best = i;
    return best;
}

/* A label that means the nearest value becomes that value. */
static void settle(const axis *x, label *l)
{
    vv_index at = l->nearest ? nearest(x, l->first) : -1;
    if (at >= 0) *l = (label){.first = x->at[at], .end = x->at[at]};
}

static void take(chosen *c, vv_index position, double value)
{
    c->position[c->n] = position;
    c->value[c->n++] = value;
}

static void choose(const axis *x, const label *from, const label *to, chosen *out)
{
    for (vv_index i = 0; i < x->value->n; i++) {
        if (isnan(x->value->at[i]) || (from && compare(x->at[i], from->first) < 0)) continue;
        int end = to ? compare(x->at[i], to->end) : -1;
        if (end < 0 || (end == 0 && !to->open)) take(out, i, x->value->at[i]);
    }
}

/* --- longitudes --- */

typedef struct eastern {
    double value;
    vv_index position;
} eastern;

static int by_longitude(const void *a, const void *b)
{
    const eastern *x = a, *y = b;
    if (x->value != y->value) return x->value < y->value ? -1 : 1;
    return x->position < y->position ? -1 : x->position > y->position;
}

/* Those from one longitude eastwards to another, in this order. */
static vv_status choose_eastwards(const axis *x, double from, double to, chosen *out)
{
    double slack = vv_longitude_slack(x->narrow);
    eastern *found;
    vv_index n = 0;
    if (to < from) to += 360 * ceil((from - to) / 360);
    VV_TRY(vv_new(&found, (size_t)x->value->n + 1, sizeof *found));
    for (vv_index i = 0; i < x->value->n; i++) {
        double at = isnan(x->value->at[i]) ? INFINITY : vv_east_of(x->value->at[i], from, slack);
        if (at <= to + slack) found[n++] = (eastern){at, i};
    }
    qsort(found, (size_t)n, sizeof *found, by_longitude);
    for (vv_index i = 0; i < n; i++) take(out, found[i].position, found[i].value);
    free(found);
    return VV_OK;
}

/* As the file counts longitudes, if it has all that is meant; else eastwards, over its seam. */
static vv_status choose_longitudes(const axis *x, const label *from, const label *to, chosen *out)
{
    double first = from->first.low, last = to->end.low;
    vv_index before = out->n, plain;
    if (first <= last) choose(x, from, to, out);
    plain = out->n;
    if (!isfinite(first) || !isfinite(last)) return VV_OK;
    VV_TRY(choose_eastwards(x, first, last, out));
    vv_index all = out->n - plain;
    if (all > plain - before) {
        memmove(out->position + before, out->position + plain, (size_t)all * sizeof *out->position);
        memmove(out->value + before, out->value + plain, (size_t)all * sizeof *out->value);
        plain = before + all;
    }
    out->n = plain;
    return VV_OK;
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

static vv_status find(const axis *x, const char *text, chosen *out)
{
    vv_index before = out->n;
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
    if (x->longitude && has_from && has_to) {
        VV_TRY(choose_longitudes(x, &from, &to, out));
    } else {
        if (colon && has_from && has_to) put_in_order(&from, &to);
        choose(x, has_from ? &from : NULL, has_to ? &to : NULL, out);
    }
    return out->n > before ? VV_OK : nothing(x, text);
}

static vv_status make_room(const axis *x, chosen *c)
{
    size_t room = (size_t)(c->n + 2 * x->value->n + 1);
    vv_index *position = realloc(c->position, room * sizeof *position);
    if (position) c->position = position;
    double *value = realloc(c->value, room * sizeof *value);
    if (value) c->value = value;
    return position && value ? VV_OK : vv_fail(VV_ERR_NOMEM, "no memory for %zu positions", room);
}

/* All of the text if it is one label or range, else what stands between commas. */
static vv_status find_all(const axis *x, const char *text, chosen *out)
{
    VV_TRY(make_room(x, out));
    if (!strchr(text, ',') || is_label(x, text, strlen(text))) return find(x, text, out);
    for (const char *at = text; *at;) {
        char one[160];
        size_t length = strcspn(at, ",");
        if (length == 0 || length >= sizeof one)
            return vv_fail(VV_ERR_USAGE, "'%s': %s=%s: between commas stand labels", x->array->name,
                           x->array->dim[x->dim], text);
        memcpy(one, at, length);
        one[length] = 0;
        VV_TRY(make_room(x, out));
        VV_TRY(find(x, one, out));
        at += length + (at[length] == ',');
    }
    return VV_OK;
}

/* Coordinates that were moved, with other values. */
static vv_status put_values(vv_array *a, int dim, const chosen *c)
{
    vv_coord *coord = &a->coord[dim];
    vv_values_free(&coord->value);
    vv_values_free(&coord->bounds);
    VV_TRY(vv_values_new(c->n, &coord->value));
    memcpy(coord->value->at, c->value, (size_t)c->n * sizeof *c->value);
    coord->moved = true;
    return VV_OK;
}

static vv_array *taken(vv_array *a, int dim, const axis *x, const chosen *c)
{
    vv_array *made = vv_take(a, a->dim[dim], c->position, c->n);
    bool other = false;
    for (vv_index i = 0; i < c->n; i++) other = other || c->value[i] != x->value->at[c->position[i]];
    if (!other || made->status != VV_OK) return made;
    vv_array *out = vv_node_then(made, vv_node_seen_again(made));
    return out->status == VV_OK ? vv_node_settle(a->context, out, put_values(out, dim, c)) : out;
}

static vv_array *by_labels(vv_array *a, int dim, const char *text)
{
    axis x;
    chosen c = {0};
    vv_status status = open_axis(a, dim, &x);
    if (status == VV_OK) status = find_all(&x, text, &c);
    vv_array *out = status == VV_OK ? taken(a, dim, &x, &c) : vv_node_inert(a->context);
    free(c.position);
    free(c.value);
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
