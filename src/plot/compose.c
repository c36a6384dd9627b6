/* Numbers and labels put together as a picture. */
#include "plot/shown.h"

#include "base/calendar.h"
#include "base/mem.h"
#include "draw/ticks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- axes --- */

/* What lies along dimension d: its coordinate, or positions where it has none that can be drawn. */
static vv_status axis_values(const vv_array *a, int d, double **out, bool *positions)
{
    VV_TRY(vv_plot_coordinate(a, d, out));
    *positions = !*out;
    if (*out) return VV_OK;
    VV_TRY(vv_new(out, (size_t)a->shape.n[d] + 1, sizeof **out));
    for (vv_index i = 0; i < a->shape.n[d]; i++) (*out)[i] = (double)i;
    return VV_OK;
}

static void set_kind(const vv_array *a, int d, bool across, const double *at, vv_index n, vv_axis *out)
{
    static const vv_axis_kind kind[] = {
        [VV_ALONG_LON] = VV_AXIS_LONGITUDE, [VV_ALONG_LAT] = VV_AXIS_LATITUDE, [VV_ALONG_TIME] = VV_AXIS_TIME};
    const char *units, *calendar;
    vv_direction way = vv_plot_direction(a, d);
    out->kind = kind[way];
    if (way == VV_ALONG_TIME &&
        (!vv_coord_time(&a->coord[d], &units, &calendar) || vv_time_parse(units, calendar, &out->time) != VV_OK)) {
        vv_error_clear();
        out->kind = VV_AXIS_NUMBERS;
    }
    if (way == VV_ALONG_LEVEL) {
        double lo = fmin(at[0], at[n - 1]), hi = fmax(at[0], at[n - 1]);
        out->down = !across && vv_plot_grows_down(a, d);
        if (out->down && vv_plot_is_pressure(a, d) && lo > 0 && hi > 30 * lo) out->kind = VV_AXIS_LOG;
    }
}

/* Half way between places; on a logarithmic axis by ratios. Latitudes end at the poles. */
static vv_status set_edges(const double *at, vv_index n, vv_index factor, vv_axis *out)
{
    double *fine;
    vv_index coarse = (n + factor - 1) / factor;
    bool log_axis = out->kind == VV_AXIS_LOG;
    VV_TRY(vv_new(&fine, (size_t)n + 1, sizeof *fine));
    for (vv_index i = 0; i <= n; i++) {
        double before = i > 0 ? at[i - 1] : NAN, after = i < n ? at[i] : NAN;
        if (n == 1)
            fine[i] = at[0] + (i ? 0.5 : -0.5);
        else if (i == 0)
            fine[i] = log_axis ? at[0] * sqrt(at[0] / at[1]) : at[0] - (at[1] - at[0]) / 2;
        else if (i == n)
            fine[i] = log_axis ? before * sqrt(before / at[n - 2]) : before + (before - at[n - 2]) / 2;
        else
            fine[i] = log_axis ? sqrt(before * after) : (before + after) / 2;
        if (out->kind == VV_AXIS_LATITUDE) fine[i] = fmax(-90, fmin(90, fine[i]));
    }
    vv_status status = vv_new(&out->edge, (size_t)coarse + 1, sizeof *out->edge);
    for (vv_index i = 0; status == VV_OK && i <= coarse; i++) out->edge[i] = fine[i * factor < n ? i * factor : n];
    if (status == VV_OK) {
        out->n = coarse;
        out->lo = fmin(fine[0], fine[n]);
        out->hi = fmax(fine[0], fine[n]);
    }
    free(fine);
    return status;
}

/* The middles of stretches. */
static vv_status set_points(const double *at, vv_index n, vv_index factor, vv_axis *out)
{
    vv_index coarse = (n + factor - 1) / factor;
    VV_TRY(vv_new(&out->at, (size_t)coarse, sizeof *out->at));
    out->n = coarse;
    for (vv_index i = 0; i < coarse; i++) {
        vv_index last = (i + 1) * factor < n ? (i + 1) * factor - 1 : n - 1;
        out->at[i] = (at[i * factor] + at[last]) / 2;
    }
    out->lo = fmin(at[0], at[n - 1]);
    out->hi = fmax(at[0], at[n - 1]);
    double some = out->hi > out->lo ? out->kind == VV_AXIS_LOG ? 0 : 0.01 * (out->hi - out->lo) : 0.5;
    out->lo -= some;
    out->hi += some;
    return VV_OK;
}

static vv_status set_axis(const vv_shown *s, int d, bool across, bool cells, vv_axis *out)
{
    const vv_array *a = s->array;
    double *at = NULL;
    bool positions;
    VV_TRY(axis_values(a, d, &at, &positions));
    vv_index n = a->shape.n[d];
    if (!positions) set_kind(a, d, across, at, n, out);
    vv_status status = (cells ? set_edges : set_points)(at, n, s->factor[d], out);
    free(at);
    bool speaks = out->kind == VV_AXIS_LONGITUDE || out->kind == VV_AXIS_LATITUDE || out->kind == VV_AXIS_TIME;
    if (status == VV_OK && !speaks && !(out->label = vv_plot_dim_label(a, d, positions)))
        status = vv_fail(VV_ERR_NOMEM, "no memory for a label");
    return status;
}

/* --- labels --- */

/* "temperature [K]", "[K]" without a name, "" without both. */
static char *value_label(const vv_array *a, const char *name)
{
    char *units = vv_plot_units(a), *text = NULL;
    bool has = units && *units;
    int made = asprintf(&text, "%s%s%s%s%s", name ? name : "", name && has ? " " : "", has && name ? "[" : "",
                        has ? units : "", has && name ? "]" : "");
    free(units);
    return made < 0 ? NULL : text;
}

static char *title_of(const vv_shown *s)
{
    return vv_plot_title_of(s->source, s->name);
}

/* Beside others an array is called as the user calls it, where that is not just its own name. */
static char *name_of(const vv_plotting *p, const vv_shown *s)
{
    return p->n_arrays > 1 && strcmp(s->name, s->source->name) != 0 ? strdup(s->name) : title_of(s);
}

/* --- panels --- */

static vv_status field_panel(const vv_plotting *p, vv_shown *s, vv_panel *out)
{
    out->kind = VV_PANEL_FIELD;
    if (s->grid.lat >= 0) {
        VV_TRY(vv_plot_paint_grid(s, p->width / floor(sqrt(p->n_panels)), out));
    } else {
        VV_TRY(set_axis(s, 0, false, true, &out->y));
        VV_TRY(set_axis(s, 1, true, true, &out->x));
        out->value = s->value[0];
        s->value[0] = NULL;
    }
    out->scale_label = value_label(s->source, NULL);
    if (out->scale_label && !*out->scale_label) {
        free(out->scale_label);
        out->scale_label = NULL;
    }
    return VV_OK;
}

static vv_status add_series(const vv_plotting *p, vv_shown *s, vv_panel *out)
{
    vv_series *q = &out->series[out->n_series++];
    char *title = name_of(p, s);
    bool many = p->n_arrays > 1;
    if (s->series_place && many && title) {
        if (asprintf(&q->name, "%s, %s", title, s->series_place) < 0) q->name = NULL;
        free(title);
    } else {
        q->name = s->series_place ? strdup(s->series_place) : title;
        if (s->series_place) free(title);
    }
    q->value = s->value[0];
    q->low = s->n_values == 3 ? s->value[1] : NULL;
    q->high = s->n_values == 3 ? s->value[2] : NULL;
    for (int k = 0; k < 3; k++) s->value[k] = NULL;
    return VV_OK;
}

/* From the least to the greatest value and a little more, or as asked for; bars stand on zero. */
static vv_status value_range(const vv_plot_options *o, const vv_panel *p, vv_index n, vv_axis *out)
{
    double lo = INFINITY, hi = -INFINITY;
    for (int i = 0; i < p->n_series; i++)
        for (vv_index k = 0; k < n; k++) {
            const vv_series *s = &p->series[i];
            double low = s->low ? s->low[k] : s->value[k], high = s->high ? s->high[k] : s->value[k];
            if (isfinite(low)) lo = fmin(lo, low);
            if (isfinite(high)) hi = fmax(hi, high);
        }
    if (!(lo <= hi)) return vv_fail(VV_ERR_RUN, "'%s' has no values to draw: all are missing", p->series[0].name);
    bool bars = p->kind == VV_PANEL_BARS;
    double some = hi > lo ? 0.05 * (hi - lo) : lo != 0 ? 0.05 * fabs(lo) : 1;
    out->lo = bars ? 0 : !isnan(o->vmin) ? o->vmin : lo >= 0 && lo < some ? 0 : lo - some;
    out->hi = !isnan(o->vmax) && !bars ? o->vmax : hi + some;
    if (out->lo < out->hi) return VV_OK;
    return vv_fail(VV_ERR_USAGE, "the axis of values would go from %g to %g", out->lo, out->hi);
}

static vv_status line_panel(const vv_plotting *p, vv_shown *s, int n, vv_panel *out)
{
    out->kind = VV_PANEL_LINES;
    VV_TRY(vv_new(&out->series, (size_t)n, sizeof *out->series));
    out->upright = vv_plot_direction(s->array, 0) == VV_ALONG_LEVEL;
    vv_axis *along = out->upright ? &out->y : &out->x, *values = out->upright ? &out->x : &out->y;
    VV_TRY(set_axis(s, 0, !out->upright, false, along));
    for (int i = 0; i < n; i++) VV_TRY(add_series(p, &s[i], out));
    VV_TRY(value_range(p->o, out, along->n, values));
    values->label = value_label(s->source, out->upright ? s->name : NULL);
    if (values->label && !*values->label) {
        free(values->label);
        values->label = strdup(s->name);
    }
    return VV_OK;
}

static void make_shares(double *count, vv_index n)
{
    double all = 0;
    for (vv_index i = 0; i < n; i++) all += count[i];
    for (vv_index i = 0; i < n; i++) count[i] = all > 0 ? 100 * count[i] / all : 0;
}

static vv_status histogram_panel(const vv_plotting *p, vv_shown *s, int n, vv_panel *out)
{
    vv_index bins = s->reduced[0]->shape.n[0];
    out->kind = VV_PANEL_BARS;
    VV_TRY(vv_new(&out->series, (size_t)n, sizeof *out->series));
    VV_TRY(vv_new(&out->x.edge, (size_t)bins + 1, sizeof *out->x.edge));
    memcpy(out->x.edge, s->edge, (size_t)(bins + 1) * sizeof *s->edge);
    out->x.n = bins;
    out->x.lo = s->edge[0];
    out->x.hi = s->edge[bins];
    for (int i = 0; i < n; i++) {
        make_shares(s[i].value[0], bins);
        VV_TRY(add_series(p, &s[i], out));
    }
    VV_TRY(value_range(p->o, out, bins, &out->y));
    char *title = n == 1 ? title_of(s) : NULL;
    out->x.label = value_label(s->source, title && strcmp(title, s->name) != 0 ? s->name : title);
    free(title);
    out->y.label = strdup("share of values [%]");
    return VV_OK;
}

/* --- what is above --- */

static void set_panel_title(const vv_plotting *p, const vv_shown *s, int n, vv_panel *out)
{
    bool several = p->n_arrays > 1 && (n == 1 || p->kind == VV_PLOT_MAP);
    char *title = several && p->n_panels > 1 ? name_of(p, s) : NULL;
    if (s->panel_place && title) {
        if (asprintf(&out->title, "%s, %s", title, s->panel_place) < 0) out->title = NULL;
        free(title);
        return;
    }
    out->title = s->panel_place ? strdup(s->panel_place) : title;
}

static char *picture_title(const vv_plotting *p)
{
    if (p->o->title) return *p->o->title ? strdup(p->o->title) : NULL;
    char *first = title_of(&p->item[0]);
    bool same = true;
    for (int i = 1; first && same && i < p->n; i++) {
        char *other = title_of(&p->item[i]);
        same = other && !strcmp(first, other);
        free(other);
    }
    if (same) return first;
    free(first);
    return NULL;
}

/* Where all were taken, when that is the same place. */
static char *picture_subtitle(const vv_plotting *p)
{
    const char *place = p->item[0].place;
    for (int i = 1; i < p->n; i++)
        if (!place || !p->item[i].place || strcmp(place, p->item[i].place) != 0) return NULL;
    return place ? strdup(place) : NULL;
}

/* --- scales --- */

/* One for all panels, if they are in the same units; else each has its own. */
static bool one_scale(const vv_plotting *p)
{
    for (int i = 1; i < p->n; i++) {
        const char *a = vv_attr_text(&p->item[0].source->attrs, "units"),
                   *b = vv_attr_text(&p->item[i].source->attrs, "units");
        bool same = p->item[0].source == p->item[i].source || (a && b && !strcmp(a, b));
        bool one = p->n_arrays == 1 || same;
        if (!one) return false;
    }
    return true;
}

static vv_status copy_scale(const vv_scale *from, vv_scale *to)
{
    *to = *from;
    to->level = NULL;
    if (from->n_levels == 0) return VV_OK;
    VV_TRY(vv_new(&to->level, (size_t)from->n_levels, sizeof *to->level));
    memcpy(to->level, from->level, (size_t)from->n_levels * sizeof *to->level);
    return VV_OK;
}

static vv_status set_scales(const vv_plotting *p, vv_picture *out)
{
    double *value[VV_PLOT_PANELS];
    vv_index n[VV_PLOT_PANELS];
    if (p->kind != VV_PLOT_MAP) return VV_OK;
    out->one_scale = one_scale(p);
    for (int i = 0; i < p->n; i++) {
        value[i] = out->panel[i].value;
        n[i] = out->panel[i].x.n * out->panel[i].y.n;
    }
    if (out->one_scale) {
        VV_TRY(vv_plot_scale(p->o, &p->item[0], value, n, p->n, &out->panel[0].scale));
        for (int i = 1; i < p->n; i++) VV_TRY(copy_scale(&out->panel[0].scale, &out->panel[i].scale));
        return VV_OK;
    }
    for (int i = 0; i < p->n; i++) VV_TRY(vv_plot_scale(p->o, &p->item[i], &value[i], &n[i], 1, &out->panel[i].scale));
    return VV_OK;
}

/* Lines of several panels have one axis of values where they are in the same units; histograms have shares. */
static void share_values(const vv_plotting *p, vv_picture *out)
{
    double lo = INFINITY, hi = -INFINITY;
    if (p->kind == VV_PLOT_MAP || (p->kind == VV_PLOT_LINE && !one_scale(p))) return;
    for (int i = 0; i < out->n_panels; i++) {
        const vv_axis *a = out->panel[i].upright ? &out->panel[i].x : &out->panel[i].y;
        lo = fmin(lo, a->lo);
        hi = fmax(hi, a->hi);
    }
    for (int i = 0; i < out->n_panels; i++) {
        vv_axis *a = out->panel[i].upright ? &out->panel[i].x : &out->panel[i].y;
        a->lo = lo;
        a->hi = hi;
    }
}

static vv_status compose_panel(const vv_plotting *p, vv_shown *s, int n, vv_panel *out)
{
    set_panel_title(p, s, n, out);
    if (p->kind == VV_PLOT_MAP) return field_panel(p, s, out);
    return (p->kind == VV_PLOT_LINE ? line_panel : histogram_panel)(p, s, n, out);
}

vv_status vv_plot_compose(const vv_plotting *p, vv_picture *out)
{
    *out = (vv_picture){0};
    VV_TRY(vv_new(&out->panel, (size_t)p->n_panels, sizeof *out->panel));
    out->n_panels = p->n_panels;
    vv_status status = VV_OK;
    for (int i = 0, last; status == VV_OK && i < p->n; i = last) {
        for (last = i + 1; last < p->n && p->item[last].panel == p->item[i].panel;) last++;
        status = compose_panel(p, &p->item[i], last - i, &out->panel[p->item[i].panel]);
    }
    if (status == VV_OK) status = set_scales(p, out);
    if (status == VV_OK) {
        share_values(p, out);
        out->title = picture_title(p);
        out->subtitle = picture_subtitle(p);
        return VV_OK;
    }
    vv_picture_free(out);
    return status;
}
