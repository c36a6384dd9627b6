#include "array/daily.h"

#include "array/build.h"
#include "base/calendar.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>

const char *vv_daily_name(vv_daily kind)
{
    static const char *const name[] = {[VV_TX] = "daily maximum temperature",
                                       [VV_TN] = "daily minimum temperature",
                                       [VV_TG] = "daily mean temperature",
                                       [VV_PR] = "daily precipitation"};
    return kind >= 0 && kind < VV_DAILY_KINDS ? name[kind] : "";
}

/* --- units --- */

/* value = celsius * scale + offset; mm = value * scale */
static const struct unit {
    const char *name; /* in small letters, without what stands between factors */
    bool water;
    double scale, offset;
} units[] = {
    {"k", false, 1, 273.15},
    {"kelvin", false, 1, 273.15},
    {"degk", false, 1, 273.15},
    {"degc", false, 1, 0},
    {"celsius", false, 1, 0},
    {"degreescelsius", false, 1, 0},
    {"degreecelsius", false, 1, 0},
    {"degreesc", false, 1, 0},
    {"degreec", false, 1, 0},
    {"c", false, 1, 0},
    {"\xc2\xb0"
     "c",
     false, 1, 0},
    {"degf", false, 1.8, 32},
    {"f", false, 1.8, 32},
    {"fahrenheit", false, 1.8, 32},
    {"degreesfahrenheit", false, 1.8, 32},
    {"degreesf", false, 1.8, 32},
    {"degreef", false, 1.8, 32},
    {"mm", true, 1, 0},
    {"mmd-1", true, 1, 0},
    {"mm/d", true, 1, 0},
    {"mmday-1", true, 1, 0},
    {"mm/day", true, 1, 0},
    {"kgm-2", true, 1, 0},
    {"kg/m2", true, 1, 0},
    {"kgm-2d-1", true, 1, 0},
    {"kgm-2day-1", true, 1, 0},
    {"kg/m2/d", true, 1, 0},
    {"kg/m2/day", true, 1, 0},
    {"kgm-2s-1", true, 86400, 0},
    {"kg/m2/s", true, 86400, 0},
    {"kg/(m2s)", true, 86400, 0},
    {"mms-1", true, 86400, 0},
    {"mm/s", true, 86400, 0},
    {"m", true, 1000, 0},
    {"md-1", true, 1000, 0},
    {"m/d", true, 1000, 0},
    {"mday-1", true, 1000, 0},
    {"m/day", true, 1000, 0},
    {"ms-1", true, 86400000, 0},
    {"m/s", true, 86400000, 0},
    {"cm", true, 10, 0},
    {"cmd-1", true, 10, 0},
    {"cm/d", true, 10, 0},
    {"cmday-1", true, 10, 0},
    {"cm/day", true, 10, 0},
};

static const struct unit *unit_of(const vv_array *a)
{
    const char *text = vv_attr_text(&a->attrs, "units");
    char plain[64];
    size_t n = 0;
    for (; text && *text && n + 1 < sizeof plain; text++)
        if (!strchr(" *^._", *text)) plain[n++] = (char)tolower((unsigned char)*text);
    plain[n] = 0;
    for (size_t i = 0; text && !*text && i < sizeof units / sizeof *units; i++)
        if (!strcmp(plain, units[i].name)) return &units[i];
    return NULL;
}

static vv_status check_units(const vv_array *a, vv_daily kind)
{
    const struct unit *u = unit_of(a);
    const char *text = vv_attr_text(&a->attrs, "units");
    if (u && u->water == (kind == VV_PR)) return VV_OK;
    return vv_fail(VV_ERR_USAGE, "'%s' has %s%s%s, and is taken for %s: its units must be %s", a->name,
                   text ? "units '" : "no units", text ? text : "", text ? "'" : "", vv_daily_name(kind),
                   kind == VV_PR ? "mm, mm/day, kg m-2, kg m-2 s-1, m or cm" : "K, degC or degF");
}

double vv_daily_degrees(const vv_array *a, double celsius)
{
    const struct unit *u = unit_of(a);
    return u ? celsius * u->scale + u->offset : celsius;
}

vv_array *vv_daily_millimetres(vv_array *a)
{
    const struct unit *u = unit_of(a);
    if (!u || u->scale == 1) return vv_node_again(a);
    return vv_node_of("multiply", vv_node_again(a), vv_node_scalar(a->context, u->scale));
}

/* --- times --- */

static int time_dim(const vv_array *a)
{
    const char *time_units, *calendar;
    for (int d = 0; d < a->shape.nd; d++)
        if (vv_coord_time(&a->coord[d], &time_units, &calendar)) return d;
    return -1;
}

/* Of the steps from one time to the next most are a day; there may be gaps, but no shorter steps. */
static vv_status check_steps(const vv_array *a, int d, const vv_values *v)
{
    const char *text, *calendar;
    vv_time_axis axis;
    vv_instant at[2];
    vv_index day_steps = 0;
    const int64_t day = INT64_C(86400000000);
    if (!vv_coord_time(&a->coord[d], &text, &calendar)) return VV_OK;
    VV_TRY(vv_time_parse(text, calendar, &axis));
    for (vv_index i = 0; i < v->n; i++) {
        at[0] = at[1];
        if (isnan(v->at[i])) return vv_fail(VV_ERR_SHAPE, "'%s': a time along '%s' is missing", a->name, a->dim[d]);
        VV_TRY(vv_time_instant(&axis, v->at[i], &at[1]));
        if (i == 0) continue;
        int64_t days = at[1].day - at[0].day, step = at[1].microsecond - at[0].microsecond;
        if (days < 1 || (days == 1 && step < -day / 2))
            return vv_fail(VV_ERR_USAGE,
                           "'%s' has more than one value a day along '%s': climate indices want daily ones; "
                           "'varve resample -f 1D -m max' makes them (min, mean or sum where that is meant)",
                           a->name, a->dim[d]);
        day_steps += days == 1;
    }
    if (2 * day_steps >= v->n - 1) return VV_OK;
    return vv_fail(VV_ERR_USAGE, "'%s' has less than one value a day along '%s': climate indices want daily ones",
                   a->name, a->dim[d]);
}

static vv_status values_of(const vv_array *a, const char *dim, vv_values **out)
{
    int d = vv_node_dim(a, dim);
    *out = NULL;
    return d < 0 ? VV_OK : vv_coord_values(&a->coord[d], out);
}

/* Dimensions of the same name have the same coordinates, where both have some. */
static vv_status check_alike(const vv_array *a, const vv_array *b)
{
    for (int d = 0; d < a->shape.nd; d++) {
        vv_values *mine, *others = NULL;
        VV_TRY(values_of(a, a->dim[d], &mine));
        vv_status status = values_of(b, a->dim[d], &others);
        bool same = !mine || !others ||
                    (mine->n == others->n && !memcmp(mine->at, others->at, (size_t)mine->n * sizeof *mine->at));
        vv_values_free(&mine);
        vv_values_free(&others);
        if (status == VV_OK && !same)
            status = vv_fail(VV_ERR_SHAPE, "'%s' and '%s' have different coordinates along '%s'", b->name, a->name,
                             a->dim[d]);
        VV_TRY(status);
    }
    return VV_OK;
}

vv_status vv_daily_check(const vv_array *a, vv_daily kind, const vv_array *like, const char **dim)
{
    vv_values *v;
    int d = time_dim(a);
    if (d < 0) return vv_fail(VV_ERR_SHAPE, "'%s' has no dimension with times", a->name);
    *dim = a->dim[d];
    VV_TRY(check_units(a, kind));
    VV_TRY(vv_coord_values(&a->coord[d], &v));
    if (!v) return vv_fail(VV_ERR_NOT_FOUND, "'%s' has no coordinate along '%s'", a->name, a->dim[d]);
    vv_status status = check_steps(a, d, v);
    vv_values_free(&v);
    return status == VV_OK && like ? check_alike(a, like) : status;
}
