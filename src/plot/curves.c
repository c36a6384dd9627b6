/* Curves of numbers that belong to no array. */
#include "plot/shown.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

static vv_status copy_values(const double *from, int n, double **to)
{
    VV_TRY(vv_new(to, (size_t)n, sizeof **to));
    memcpy(*to, from, (size_t)n * sizeof **to);
    return VV_OK;
}

/* A little more than from the least to the greatest; linear ones begin at zero where values lie above it. */
static vv_status set_range(double lo, double hi, bool logarithmic, bool from_zero, vv_axis *out)
{
    if (!(lo <= hi)) return vv_fail(VV_ERR_USAGE, "there is nothing to draw: all values are missing");
    if (logarithmic && lo <= 0) return vv_fail(VV_ERR_USAGE, "a logarithmic axis cannot show %g", lo);
    double some = hi > lo ? 0.06 * (hi - lo) : lo != 0 ? 0.06 * fabs(lo) : 1;
    double ratio = pow(hi / lo, 0.06) < 1.05 ? 1.05 : pow(hi / lo, 0.06);
    out->kind = logarithmic ? VV_AXIS_LOG : VV_AXIS_NUMBERS;
    out->lo = logarithmic ? lo / ratio : from_zero && lo >= 0 ? 0 : lo - some;
    out->hi = logarithmic ? hi * ratio : hi + some;
    return VV_OK;
}

static void note_range(const double *value, int n, double *lo, double *hi)
{
    for (int i = 0; i < n; i++) {
        if (!isfinite(value[i])) continue;
        *lo = fmin(*lo, value[i]);
        *hi = fmax(*hi, value[i]);
    }
}

static bool all_whole(const double *value, int n)
{
    bool whole = true;
    for (int i = 0; i < n; i++) whole = whole && value[i] == rint(value[i]);
    return whole;
}

static vv_status set_label(const char *text, char **out)
{
    return text ? vv_strdup(out, text) : VV_OK;
}

static vv_status panel_of(const vv_curves *c, vv_panel *out)
{
    double lo = INFINITY, hi = -INFINITY;
    out->kind = VV_PANEL_LINES;
    VV_TRY(set_label(c->title, &out->title));
    VV_TRY(set_label(c->x_label, &out->x.label));
    VV_TRY(set_label(c->y_label, &out->y.label));
    VV_TRY(copy_values(c->x, c->n, &out->x.at));
    out->x.n = c->n;
    note_range(c->x, c->n, &lo, &hi);
    VV_TRY(set_range(lo, hi, c->log_x, false, &out->x));
    out->x.whole = all_whole(c->x, c->n);
    VV_TRY(vv_new(&out->series, (size_t)c->n_curves, sizeof *out->series));
    lo = INFINITY;
    hi = -INFINITY;
    for (int i = 0; i < c->n_curves; i++) {
        vv_series *s = &out->series[out->n_series++];
        VV_TRY(copy_values(c->curve[i].y, c->n, &s->value));
        VV_TRY(set_label(c->curve[i].name, &s->name));
        s->pale = !c->curve[i].name;
        note_range(s->value, c->n, &lo, &hi);
    }
    return set_range(lo, hi, c->log_y, true, &out->y);
}

vv_status vv_plot_compose_curves(const vv_curves panels[], int n, const char *title, vv_picture *out)
{
    *out = (vv_picture){.one_legend = true, .columns = n > 4 && n % 4 == 0 ? 4 : 0};
    VV_TRY(set_label(title, &out->title));
    VV_TRY(vv_new(&out->panel, (size_t)n, sizeof *out->panel));
    for (int i = 0; i < n; i++) {
        out->n_panels++;
        VV_TRY(panel_of(&panels[i], &out->panel[i]));
    }
    return VV_OK;
}
