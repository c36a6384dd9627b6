/* Groups: labels along a dimension, from its times or from the user.
 *
 * Grouping moves nothing: the result is a view of the whole array that remembers labels. A reduction over the dimension folds group by
 * group; elementwise operations match groups with operands that have one element for each (map.c). */
#include "array/build.h"

#include "base/calendar.h"
#include "varve/move.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What labels are made from: one time of an axis. */
typedef struct moment {
    const vv_time_axis *axis;
    vv_instant t;
    vv_date date;
} moment;

static int64_t key_year(const moment *m)
{
    return m->date.year;
}
static int64_t key_season(const moment *m)
{
    return m->date.month % 12 / 3;
}
static int64_t key_month(const moment *m)
{
    return m->date.month;
}
static int64_t key_dayofyear(const moment *m)
{
    return vv_time_day_of_year(m->axis, &m->date);
}
static int64_t key_day(const moment *m)
{
    return m->date.day;
}
static int64_t key_hour(const moment *m)
{
    return m->date.hour;
}
static int64_t key_minute(const moment *m)
{
    return m->date.minute;
}
static int64_t key_weekday(const moment *m)
{
    return vv_time_weekday(m->t);
}

static const struct accessor {
    const char *name;
    int64_t (*key)(const moment *m);
    int digits; /* of a key, where it is the second of a pair; 0: it cannot be */
} accessors[] = {{"year", key_year, 0},           {"season", key_season, 1},  {"month", key_month, 2},
                 {"dayofyear", key_dayofyear, 3}, {"day", key_day, 2},        {"hour", key_hour, 2},
                 {"minute", key_minute, 2},       {"weekday", key_weekday, 1}};
enum { ACCESSORS = sizeof accessors / sizeof *accessors };

enum { MOST_GROUPS = 1 << 26 };

static const struct accessor *find_accessor(const char *name, size_t length)
{
    for (int i = 0; i < ACCESSORS; i++)
        if (strlen(accessors[i].name) == length && !memcmp(name, accessors[i].name, length)) return &accessors[i];
    return NULL;
}

static const int64_t day_length = INT64_C(86400000000); /* microseconds */

/* Times along a dimension while its labels are made. */
typedef struct times {
    const vv_array *array;
    int d;
    vv_time_axis axis;
    vv_values *value;
} times;

static vv_status open_times(times *t)
{
    const vv_coord *c = &t->array->coord[t->d];
    const char *units, *calendar;
    if (!vv_coord_time(c, &units, &calendar))
        return vv_fail(VV_ERR_USAGE, "'%s': the coordinate of '%s' has no times (\"hours since 1990-01-01\")",
                       t->array->name, t->array->dim[t->d]);
    VV_TRY(vv_time_parse(units, calendar, &t->axis));
    VV_TRY(vv_coord_values(c, &t->value));
    return t->value
               ? VV_OK
               : vv_fail(VV_ERR_NOT_FOUND, "'%s' has no coordinate along '%s'", t->array->name, t->array->dim[t->d]);
}

static vv_status too_many(const vv_grouping *g)
{
    return vv_fail(VV_ERR_UNSUPPORTED, "'%s' makes more than %d groups", g->name, MOST_GROUPS);
}

/* --- parts of a date --- */

static vv_status date_keys(const times *t, int64_t (*key)(const moment *), vv_table *out)
{
    for (vv_index i = 0; i < out->n; i++) {
        moment m = {.axis = &t->axis};
        out->at[i] = VV_INDEX_MAX; /* a missing time is in no group */
        if (isnan(t->value->at[i])) continue;
        VV_TRY(vv_time_instant(&t->axis, t->value->at[i], &m.t));
        vv_time_date(&t->axis, m.t, &m.date);
        out->at[i] = key(&m);
    }
    return VV_OK;
}

/* The range of keys; missing ones do not count. False when there are none. */
static bool key_range(const vv_table *keys, vv_index *low, vv_index *n)
{
    vv_index least = VV_INDEX_MAX, most = -VV_INDEX_MAX;
    for (vv_index i = 0; i < keys->n; i++) {
        if (keys->at[i] == VV_INDEX_MAX) continue;
        least = vv_imin(least, keys->at[i]);
        most = vv_imax(most, keys->at[i]);
    }
    *low = least;
    *n = least > most ? 0 : most - least + 1;
    return *n > 0;
}

/* Keys become labels: the number of each key among those that occur, which become the coordinate. */
static vv_status number_keys(vv_grouping *g, vv_index low, vv_index n)
{
    vv_index *number;
    VV_TRY(vv_new(&number, (size_t)n, sizeof *number));
    for (vv_index i = 0; i < g->label->n; i++)
        if (g->label->at[i] != VV_INDEX_MAX) number[g->label->at[i] - low] = 1;
    for (vv_index k = 0; k < n; k++) number[k] = number[k] ? g->n++ : -1;
    vv_status status = vv_values_new(g->n, &g->coord.value);
    for (vv_index k = 0; status == VV_OK && k < n; k++)
        if (number[k] >= 0) g->coord.value->at[number[k]] = (double)(low + k);
    for (vv_index i = 0; i < g->label->n; i++)
        g->label->at[i] = g->label->at[i] == VV_INDEX_MAX ? -1 : number[g->label->at[i] - low];
    free(number);
    return status;
}

static vv_status no_times(const times *t)
{
    return vv_fail(VV_ERR_SHAPE, "'%s' has no times along '%s' to group", t->array->name, t->array->dim[t->d]);
}

static vv_status group_by_date(const times *t, const struct accessor *by, vv_grouping *g)
{
    vv_index low, n;
    VV_TRY(vv_strdup(&g->name, by->name));
    VV_TRY(date_keys(t, by->key, g->label));
    if (!key_range(g->label, &low, &n)) return no_times(t);
    if (n > MOST_GROUPS) return too_many(g);
    return number_keys(g, low, n);
}

/* --- pairs of parts: the second within the first, all that occur of the one with all of the other --- */

static vv_index power_of_ten(int digits)
{
    vv_index n = 1;
    while (digits-- > 0) n *= 10;
    return n;
}

static vv_status pair_up(const vv_grouping *a, const vv_grouping *b, int digits, vv_grouping *g)
{
    g->n = vv_times(a->n, b->n);
    if (g->n > MOST_GROUPS) return too_many(g);
    for (vv_index i = 0; i < g->label->n; i++) {
        bool there = a->label->at[i] >= 0 && b->label->at[i] >= 0;
        g->label->at[i] = there ? a->label->at[i] * b->n + b->label->at[i] : -1;
    }
    VV_TRY(vv_values_new(g->n, &g->coord.value));
    for (vv_index k = 0; k < g->n; k++)
        g->coord.value->at[k] =
            a->coord.value->at[k / b->n] * (double)power_of_ten(digits) + b->coord.value->at[k % b->n];
    return VV_OK;
}

static void free_grouping(vv_grouping *g)
{
    vv_table_free(&g->label);
    vv_coord_free(&g->coord);
    free(g->name);
}

static vv_status group_by_pair(const times *t, const struct accessor *const by[2], vv_grouping *g)
{
    vv_grouping part[2] = {{.coord.var = -1}, {.coord.var = -1}};
    vv_buf b = {0};
    vv_buf_printf(&b, "%s_%s", by[0]->name, by[1]->name);
    vv_status status = vv_buf_status(&b);
    if (status == VV_OK) status = vv_strdup(&g->name, b.data);
    vv_buf_free(&b);
    for (int i = 0; i < 2 && status == VV_OK; i++) {
        status = vv_table_new(g->label->n, &part[i].label);
        if (status == VV_OK) status = group_by_date(t, by[i], &part[i]);
    }
    if (status == VV_OK) status = pair_up(&part[0], &part[1], by[1]->digits, g);
    for (int i = 0; i < 2; i++) free_grouping(&part[i]);
    return status;
}

/* --- blocks of equal length --- */

/* "7D", "12H", "30MIN": microseconds; 0 when it is none. */
static int64_t block_length(const char *text)
{
    static const struct {
        const char *unit;
        int64_t length;
    } units[] = {{"D", INT64_C(86400000000)}, {"H", INT64_C(3600000000)}, {"MIN", 60000000}};
    char *end;
    if (!isdigit((unsigned char)*text)) return 0;
    long long n = strtoll(text, &end, 10);
    for (size_t u = 0; u < sizeof units / sizeof *units; u++)
        if (!strcasecmp(end, units[u].unit) && n > 0 && n < 10000000) return n * units[u].length;
    return 0;
}

/* Microseconds since the first day's midnight into out; *day is that day. Missing times are VV_INDEX_MAX. */
static vv_status since_first_day(const times *t, vv_table *out, int64_t *day)
{
    enum { MOST_DAYS = 100000000 };
    vv_instant at;
    bool any = false;
    for (int pass = 0; pass < 2; pass++)
        for (vv_index i = 0; i < out->n; i++) {
            out->at[i] = VV_INDEX_MAX;
            if (isnan(t->value->at[i])) continue;
            VV_TRY(vv_time_instant(&t->axis, t->value->at[i], &at));
            if (!any || (pass == 0 && at.day < *day)) *day = at.day;
            any = true;
            if (pass == 1 && at.day - *day > MOST_DAYS)
                return vv_fail(VV_ERR_UNSUPPORTED, "times along '%s' are more than %d days apart", t->array->dim[t->d],
                               MOST_DAYS);
            if (pass == 1) out->at[i] = (at.day - *day) * day_length + at.microsecond;
        }
    return any ? VV_OK : no_times(t);
}

static vv_status block_name(const times *t, const char *text, vv_grouping *g)
{
    vv_buf b = {0};
    vv_buf_printf(&b, "%s_%s", t->array->dim[t->d], text);
    vv_status status = vv_buf_status(&b);
    if (status == VV_OK) status = vv_strdup(&g->name, b.data);
    vv_buf_free(&b);
    return status;
}

static vv_status group_by_blocks(const times *t, const char *text, int64_t length, vv_grouping *g)
{
    int64_t day = 0;
    VV_TRY(block_name(t, text, g));
    VV_TRY(since_first_day(t, g->label, &day));
    for (vv_index i = 0; i < g->label->n; i++) {
        vv_index *label = &g->label->at[i];
        *label = *label == VV_INDEX_MAX ? -1 : *label / length;
        g->n = vv_imax(g->n, *label + 1);
    }
    if (g->n > MOST_GROUPS) return too_many(g);
    VV_TRY(vv_values_new(g->n, &g->coord.value));
    for (vv_index k = 0; k < g->n; k++) {
        vv_instant begin = {day + k * length / day_length, k * length % day_length};
        g->coord.value->at[k] = vv_time_value(&t->axis, begin);
    }
    const vv_coord *c = &t->array->coord[t->d];
    g->coord.from = c->from;
    g->coord.var = c->var;
    g->coord.moved = true;
    return VV_OK;
}

/* --- for others --- */

vv_status vv_date_part_keys(const vv_array *a, int d, const char *part, vv_table **out)
{
    const struct accessor *by = find_accessor(part, strlen(part));
    times t = {.array = a, .d = d};
    if (!by) return vv_fail(VV_ERR_USAGE, "'%s' is no part of a date", part);
    vv_status status = open_times(&t);
    if (status == VV_OK) status = vv_table_new(a->shape.n[d], out);
    if (status == VV_OK) status = date_keys(&t, by->key, *out);
    if (status != VV_OK) vv_table_free(out);
    vv_values_free(&t.value);
    return status;
}

bool vv_is_date_part(const char *name)
{
    return find_accessor(name, strlen(name)) != NULL;
}

/* --- vv_group --- */

static vv_status no_such_grouping(const vv_array *a, const char *what, const char *by)
{
    const char *names[ACCESSORS];
    for (int i = 0; i < ACCESSORS; i++) names[i] = accessors[i].name;
    const char *near = vv_nearest(by, names, ACCESSORS);
    return vv_fail(
        VV_ERR_USAGE,
        "'%s' cannot be grouped by '%s'%s%s%s; after the point stands year, season, month, dayofyear, day, hour, "
        "minute, weekday, a pair such as month+hour, or a length such as 7D, 12H, 30MIN",
        a->name, what, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static vv_status make_labels(times *t, const char *what, const char *by, vv_grouping *g)
{
    size_t length = strcspn(by, "+");
    const char *second = by[length] ? by + length + 1 : NULL;
    const struct accessor *pair[2] = {find_accessor(by, length), second ? find_accessor(second, strlen(second)) : NULL};
    int64_t block = second ? 0 : block_length(by);
    if (second && pair[0] && pair[1] && (pair[0] == pair[1] || !pair[1]->digits))
        return vv_fail(VV_ERR_USAGE, "'%s' cannot be grouped by '%s': a year comes first, and two parts differ",
                       t->array->name, what);
    if (!block && (!pair[0] || (second && !pair[1])))
        return no_such_grouping(t->array, what, second && pair[0] ? second : by);
    VV_TRY(open_times(t));
    VV_TRY(vv_table_new(t->array->shape.n[t->d], &g->label));
    if (second) return group_by_pair(t, pair, g);
    return block ? group_by_blocks(t, by, block, g) : group_by_date(t, pair[0], g);
}

static vv_status fill_group(vv_array *a, const char *what)
{
    const char *point = strrchr(what, '.');
    char dim[256];
    if (!point || point == what || (size_t)(point - what) >= sizeof dim)
        return vv_fail(VV_ERR_USAGE, "'%s' does not name groups as \"time.month\" does", what);
    memcpy(dim, what, (size_t)(point - what));
    dim[point - what] = 0;
    times t = {.array = a};
    VV_TRY(vv_node_find_dim(a, dim, &t.d));
    vv_status status = make_labels(&t, what, point + 1, &a->group);
    vv_values_free(&t.value);
    a->group.dim = t.d;
    return status;
}

static void forget_groups(vv_array *a)
{
    vv_table_free(&a->group.label);
    vv_coord_free(&a->group.coord);
    free(a->group.name);
    a->group = (vv_grouping){.dim = -1, .coord.var = -1};
}

/* A view of the whole, without groups. */
vv_array *vv_node_ungrouped(vv_array *in)
{
    vv_array *a = vv_node_seen_again(in);
    if (a->status == VV_OK) forget_groups(a);
    return a;
}

vv_array *vv_group(vv_array *in, const char *what)
{
    vv_array *a = vv_node_ungrouped(in);
    return a->status == VV_OK ? vv_node_settle(in->context, a, fill_group(a, what)) : a;
}

vv_array *vv_ungroup(vv_array *a)
{
    if (a->status == VV_OK && !vv_node_grouping(a)) return vv_node_again(a);
    return vv_node_ungrouped(a);
}

const char *vv_array_group(const vv_array *a)
{
    const vv_grouping *g = vv_node_grouping(a);
    return g ? g->name : NULL;
}

/* --- vv_split_pairs --- */

/* The dimension that was made of pairs: "month_hour"; *digits: of the second. */
static int pair_dim(const vv_array *a, size_t *first, int *digits)
{
    for (int d = 0; d < a->shape.nd; d++) {
        const char *name = a->dim[d];
        *first = strcspn(name, "_");
        if (!name[*first] || !find_accessor(name, *first) || !a->coord[d].value) continue;
        const struct accessor *second = find_accessor(name + *first + 1, strlen(name + *first + 1));
        *digits = second ? second->digits : 0;
        if (*digits > 0) return d;
    }
    return -1;
}

/* The shape with that dimension in two: "month:12,hour:4,lat:361". */
static vv_status two_dims(const vv_array *a, int pair, const char *first, const char *second, vv_index inner,
                          char **out)
{
    vv_buf b = {0};
    for (int d = 0; d < a->shape.nd; d++) {
        if (d != pair)
            vv_buf_printf(&b, "%s%s:%lld", d ? "," : "", a->dim[d], (long long)a->shape.n[d]);
        else
            vv_buf_printf(&b, "%s%s:%lld,%s:%lld", d ? "," : "", first, (long long)(a->shape.n[d] / inner), second,
                          (long long)inner);
    }
    *out = b.data;
    return vv_buf_status(&b);
}

static vv_array *split(vv_array *a, int d, const char *first, const char *second, int digits)
{
    const vv_values *code = a->coord[d].value;
    vv_index scale = power_of_ten(digits), inner = 1;
    double *values;
    char *shape = NULL;
    while (inner < code->n && (vv_index)code->at[inner] / scale == (vv_index)code->at[0] / scale) inner++;
    if (vv_new(&values, (size_t)code->n, sizeof *values) != VV_OK ||
        two_dims(a, d, first, second, inner, &shape) != VV_OK) {
        free(values);
        free(shape);
        return vv_node_inert(a->context);
    }
    vv_array *apart = vv_reshape(a, shape);
    for (vv_index i = 0; i < code->n / inner; i++) values[i] = (double)((vv_index)code->at[i * inner] / scale);
    vv_array *half = vv_assign_coordinate(apart, first, values, code->n / inner);
    for (vv_index i = 0; i < inner; i++) values[i] = (double)((vv_index)code->at[i] % scale);
    vv_array *made = vv_assign_coordinate(half, second, values, inner);
    vv_release(&apart);
    vv_release(&half);
    free(values);
    free(shape);
    return made;
}

vv_array *vv_split_pairs(vv_array *a)
{
    size_t length;
    int digits, d = vv_array_status(a) == VV_OK ? pair_dim(a, &length, &digits) : -1;
    char first[32];
    if (vv_array_status(a) != VV_OK) return vv_node_inert(a->context);
    if (d < 0) {
        (void)vv_fail(VV_ERR_SHAPE, "'%s' has no dimension of pairs such as month_hour", a->name);
        return vv_node_inert(a->context);
    }
    snprintf(first, sizeof first, "%.*s", (int)length, a->dim[d]);
    return split(a, d, first, a->dim[d] + length + 1, digits);
}

/* --- vv_group_labels --- */

static vv_status fill_labels(vv_array *a, int d, const vv_index labels[], vv_index n_labels, const double *values)
{
    vv_grouping *g = &a->group;
    if (n_labels != a->shape.n[d])
        return vv_fail(VV_ERR_SHAPE, "'%s' has %lld elements along '%s' for %lld labels", a->name,
                       (long long)a->shape.n[d], a->dim[d], (long long)n_labels);
    if (g->n < 1 || g->n > MOST_GROUPS)
        return vv_fail(VV_ERR_USAGE, "%lld groups are not within 1 .. %d", (long long)g->n, MOST_GROUPS);
    VV_TRY(vv_table_new(n_labels, &g->label));
    for (vv_index i = 0; i < n_labels; i++) {
        if (labels[i] < -1 || labels[i] >= g->n)
            return vv_fail(VV_ERR_USAGE, "label %lld at position %lld is not within -1 .. %lld", (long long)labels[i],
                           (long long)i, (long long)g->n - 1);
        g->label->at[i] = labels[i];
    }
    if (!values) return VV_OK;
    VV_TRY(vv_values_new(g->n, &g->coord.value));
    memcpy(g->coord.value->at, values, (size_t)g->n * sizeof *values);
    return VV_OK;
}

vv_array *vv_group_labels(vv_array *in, const char *dim, const vv_index labels[], vv_index n_labels, vv_index n_groups,
                          const char *name, const double *values)
{
    int d;
    if (vv_array_status(in) != VV_OK || vv_node_find_dim(in, dim, &d) != VV_OK) return vv_node_inert(in->context);
    vv_array *a = vv_node_ungrouped(in);
    if (a->status != VV_OK) return a;
    a->group.dim = d;
    a->group.n = n_groups;
    vv_status status = vv_strdup(&a->group.name, name);
    if (status == VV_OK) status = fill_labels(a, d, labels, n_labels, values);
    return vv_node_settle(in->context, a, status);
}
