/* Limits of colours: from the data or as asked for; around a centre where values lie on both sides of zero; cut into classes. */
#include "plot/shown.h"

#include "base/mem.h"
#include "draw/ticks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LEVELS = 100 };
static const double robust_share = 0.02;

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* All values that are there, sorted. */
static vv_status sorted_values(double *const value[], const vv_index n[], int pieces, double **out, vv_index *count)
{
    size_t most = 1;
    for (int i = 0; i < pieces; i++) most += (size_t)n[i];
    VV_TRY(vv_new(out, most, sizeof **out));
    *count = 0;
    for (int i = 0; i < pieces; i++)
        for (vv_index k = 0; k < n[i]; k++)
            if (isfinite(value[i][k])) (*out)[(*count)++] = value[i][k];
    qsort(*out, (size_t)*count, sizeof **out, by_value);
    return VV_OK;
}

static double quantile(const double *sorted, vv_index n, double q)
{
    double place = q * (double)(n - 1);
    vv_index below = (vv_index)place;
    if (below >= n - 1) return sorted[n - 1];
    return sorted[below] + (place - (double)below) * (sorted[below + 1] - sorted[below]);
}

/* Values on both sides of zero are deviations, unless they are temperatures in degrees Celsius that do not lie about it. */
static bool lies_around_zero(const vv_shown *s, const double *sorted, vv_index n)
{
    double lo = quantile(sorted, n, robust_share), hi = quantile(sorted, n, 1 - robust_share);
    double most = fmax(-lo, hi);
    if (!(lo < 0 && hi > 0)) return vv_plot_is_anomaly(s->source, s->name) && sorted[0] < 0 && sorted[n - 1] > 0;
    if (vv_plot_is_anomaly(s->source, s->name)) return true;
    bool celsius = vv_plot_is_celsius(s->source);
    if (fmin(-lo, hi) < (celsius ? 0.3 : 0.05) * most) return false;
    return !celsius || fabs(quantile(sorted, n, 0.5)) < 0.2 * most;
}

static vv_status choose_map(const vv_plot_options *o, bool around_zero, vv_scale *out)
{
    const char *name = o->cmap ? o->cmap : around_zero || !isnan(o->center) ? "balance" : "viridis";
    VV_TRY(vv_colormap_find(name, &out->map, &out->reversed));
    out->center = NAN;
    if (out->map->diverging && !o->uncentered) out->center = !isnan(o->center) ? o->center : around_zero ? 0 : NAN;
    return VV_OK;
}

static vv_status set_limits(const vv_plot_options *o, const double *sorted, vv_index n, vv_scale *out)
{
    double lo = sorted[0], hi = sorted[n - 1];
    if (o->robust) lo = quantile(sorted, n, robust_share), hi = quantile(sorted, n, 1 - robust_share);
    if (!isnan(out->center)) {
        double reach = fmax(fabs(out->center - lo), fabs(hi - out->center));
        lo = out->center - reach;
        hi = out->center + reach;
    }
    if (!isnan(o->vmin)) lo = o->vmin;
    if (!isnan(o->vmax)) hi = o->vmax;
    if (lo > hi)
        return vv_fail(VV_ERR_USAGE, "no value lies between the limits: the lowest colour is at %g, the highest at %g",
                       lo, hi);
    if (lo == hi) {
        double some = lo != 0 ? fabs(lo) * 0.01 : 1;
        lo -= some;
        hi += some;
    }
    out->lo = lo;
    out->hi = hi;
    return VV_OK;
}

/* --- classes --- */

static vv_status read_levels(const char *text, vv_scale *out)
{
    VV_TRY(vv_new(&out->level, MOST_LEVELS, sizeof *out->level));
    for (const char *at = text; *at;) {
        char *end;
        double x = strtod(at, &end);
        if (end == at || (*end && *end != ',') || !isfinite(x))
            return vv_fail(VV_ERR_USAGE,
                           "levels are a number of classes or borders between them, such as -4,-2,0,2,4, not '%s'",
                           text);
        if (out->n_levels > 0 && x <= out->level[out->n_levels - 1])
            return vv_fail(VV_ERR_USAGE, "levels ascend: %g cannot follow %g", x, out->level[out->n_levels - 1]);
        if (out->n_levels == MOST_LEVELS) return vv_fail(VV_ERR_USAGE, "more than %d levels", MOST_LEVELS);
        out->level[out->n_levels++] = x;
        at = end + (*end == ',');
    }
    if (out->n_levels < 2)
        return vv_fail(VV_ERR_USAGE, "levels '%s': two borders at least have a class between them", text);
    return VV_OK;
}

/* About n classes of a round width, which begin at multiples of it. */
static vv_status round_levels(int n, vv_scale *out)
{
    double base = isnan(out->center) ? 0 : out->center, step = vv_round_step(out->hi - out->lo, n);
    double first = floor((out->lo - base) / step + 1e-6), last = ceil((out->hi - base) / step - 1e-6);
    if (last <= first) last = first + 1;
    out->n_levels = (int)(last - first) + 1;
    VV_TRY(vv_new(&out->level, (size_t)out->n_levels, sizeof *out->level));
    for (int i = 0; i < out->n_levels; i++) out->level[i] = base + (first + i) * step;
    return VV_OK;
}

static vv_status set_levels(const vv_plot_options *o, vv_scale *out)
{
    char *end;
    if (!o->levels) return VV_OK;
    long n = strtol(o->levels, &end, 10);
    if (!*end && end != o->levels && (n < 2 || n > MOST_LEVELS))
        return vv_fail(VV_ERR_USAGE, "a scale has 2 to %d classes, not %ld", MOST_LEVELS, n);
    VV_TRY(!*end && end != o->levels ? round_levels((int)n, out) : read_levels(o->levels, out));
    out->lo = out->level[0];
    out->hi = out->level[out->n_levels - 1];
    return VV_OK;
}

/* What differs in the last digits of single precision does not lie beyond. */
static void set_arrows(const double *sorted, vv_index n, vv_scale *out)
{
    double slack = 1e-6 * (out->hi - out->lo);
    out->below = sorted[0] < out->lo - slack;
    out->above = sorted[n - 1] > out->hi + slack;
}

vv_status vv_plot_scale(const vv_plot_options *o, const vv_shown *first, double *const value[], const vv_index n[],
                        int pieces, vv_scale *out)
{
    double *sorted = NULL;
    vv_index count = 0;
    *out = (vv_scale){0};
    vv_status status = sorted_values(value, n, pieces, &sorted, &count);
    if (status == VV_OK && count == 0)
        status = vv_fail(VV_ERR_RUN, "'%s' has no values to draw: all are missing", first->name);
    if (status == VV_OK) status = choose_map(o, lies_around_zero(first, sorted, count) && !o->uncentered, out);
    if (status == VV_OK) status = set_limits(o, sorted, count, out);
    if (status == VV_OK) status = set_levels(o, out);
    if (status == VV_OK) set_arrows(sorted, count, out);
    free(sorted);
    if (status != VV_OK) {
        free(out->level);
        *out = (vv_scale){0};
    }
    return status;
}
