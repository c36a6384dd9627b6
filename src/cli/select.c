/* Part of a file: 'time=1990-01:1999-12,lat=-30:30,level=#0', 'season=DJF', or values at points. */
#include "cli/choose.h"
#include "cli/move.h"
#include "cli/points.h"
#include "varve/create.h"
#include "varve/earth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* DIM=WHAT of each dimension, PART=WHAT of dates. */
typedef struct selection {
    vv_cli_words dims, whats; /* as they were written */
    vv_cli_words touched;     /* the dimensions that this is about */
    const char *time;         /* NULL: no parts of dates */
    bool at_points;
    vv_cli_points points;
} selection;

static const char station[] = "station";

/* --- reading it --- */

static vv_status no_selection(const char *text)
{
    return vv_error(
        VV_ERR_USAGE,
        "'%s' is no selection; they are written 'time=1990-01:1999-12,lat=-30:30', time=#0:10 or season=DJF", text);
}

/* What stands behind a comma without a name belongs to what is before: level=850,500. */
static vv_status go_on(selection *x, const char *text, size_t length)
{
    char *last, **what = x->whats.n > 0 ? &x->whats.item[x->whats.n - 1] : NULL;
    if (!what || length == 0) return no_selection(text);
    size_t before = strlen(*what);
    last = realloc(*what, before + length + 2);
    if (!last) return vv_error(VV_ERR_NOMEM, "no memory for the selection");
    *what = last;
    last[before] = ',';
    memcpy(last + before + 1, text, length);
    last[before + 1 + length] = 0;
    return VV_OK;
}

static vv_status take_selection(selection *x, const char *text, size_t length)
{
    const char *equals = memchr(text, '=', length);
    if (!equals) return go_on(x, text, length);
    if (equals == text || equals + 1 == text + length) return no_selection(text);
    int before = x->dims.n;
    vv_status status = vv_cli_words_add(&x->dims, text, (size_t)(equals - text));
    if (status == VV_OK) status = vv_cli_words_add(&x->whats, equals + 1, length - (size_t)(equals + 1 - text));
    for (int i = 0; i < before && status == VV_OK; i++)
        if (!strcmp(x->dims.item[i], x->dims.item[before]))
            return vv_error(VV_ERR_USAGE, "'%s' is selected along twice", x->dims.item[i]);
    return status;
}

static vv_status read_selection(selection *x, const char *text)
{
    vv_status status = *text ? VV_OK : no_selection(text);
    while (status == VV_OK && *text) {
        size_t length = strcspn(text, ",");
        status = take_selection(x, text, length);
        text += length + (text[length] == ',');
    }
    return status;
}

/* --- which dimensions it is about --- */

static bool has_dim(const vv_dataset *d, const char *name)
{
    for (int i = 0; i < vv_dataset_n_dims(d); i++)
        if (!strcmp(vv_dataset_dim(d, i).name, name)) return true;
    return false;
}

static bool is_part(const vv_dataset *d, const char *name)
{
    return vv_is_date_part(name) && !has_dim(d, name);
}

static vv_status touch(selection *x, const char *dim)
{
    return vv_cli_words_has(&x->touched, dim) ? VV_OK : vv_cli_words_add(&x->touched, dim, strlen(dim));
}

static vv_status touch_grid(selection *x, vv_dataset *d)
{
    vv_status status = vv_cli_points_grid(&x->points, d);
    if (status != VV_OK) return status;
    const int grid[2] = {x->points.lat, x->points.lon};
    for (int k = 0; k < 2; k++) {
        vv_var_info v = vv_dataset_var(d, grid[k]);
        for (int i = 0; status == VV_OK && i < v.n_dims; i++) status = touch(x, vv_dataset_dim(d, v.dim[i]).name);
    }
    return status;
}

/* What a coordinate does not have is told of it, not of the first variable that lies along it. */
static vv_status check_labels(const vv_dataset *d, vv_array *coordinate, const char *dim, const char *what)
{
    char why[2000];
    vv_status status = vv_array_status(vv_select(coordinate, dim, what));
    if (status == VV_OK) return VV_OK;
    snprintf(why, sizeof why, "%s", vv_last_error());
    return vv_error(status, "%s: %s", vv_dataset_path(d), why);
}

static vv_status check_selection(const selection *x, vv_dataset *d)
{
    vv_status status = VV_OK;
    for (int i = 0; status == VV_OK && i < x->dims.n; i++) {
        const char *dim = x->dims.item[i];
        int var = has_dim(d, dim) ? vv_dataset_find_var(d, dim) : -1;
        bool real = var >= 0 && vv_dataset_var(d, var).n_dims == 1 && vv_dataset_var(d, var).decoded != VV_NONE;
        if (real) status = check_labels(d, vv_dataset_array(d, dim), dim, x->whats.item[i]);
    }
    return status;
}

static vv_status opened(vv_cli_move *m)
{
    selection *x = m->context;
    vv_dataset *d = m->results.source;
    vv_status status = VV_OK;
    for (int i = 0; status == VV_OK && i < x->dims.n; i++) {
        const char *dim = x->dims.item[i];
        if (is_part(d, dim)) {
            if (!x->time) status = vv_cli_time_dim(d, &(vv_cli_words){0}, &x->time);
            dim = x->time;
        }
        if (status == VV_OK) status = touch(x, dim);
    }
    if (status == VV_OK) status = check_selection(x, d);
    if (status == VV_OK && x->at_points) status = touch_grid(x, d);
    return status;
}

/* --- one variable --- */

static bool has_array_dim(const vv_array *a, const char *name)
{
    for (int i = 0; i < vv_array_n_dims(a); i++)
        if (!strcmp(vv_array_dim(a, i), name)) return true;
    return false;
}

static vv_array *part_of(const vv_cli_move *m, vv_array *a)
{
    const selection *x = m->context;
    for (int i = 0; i < x->dims.n && vv_array_status(a) == VV_OK; i++) {
        const char *dim = x->dims.item[i], *what = x->whats.item[i];
        if (is_part(m->results.source, dim))
            a = has_array_dim(a, x->time) ? vv_select_dates(a, x->time, dim, what) : a;
        else if (has_array_dim(a, dim))
            a = vv_select(a, dim, what);
    }
    return a;
}

/* Bounds of longitudes go on with what these are counted from: 350 to 360 become -10 to 0. */
static vv_array *bounds_of(const vv_cli_move *m, vv_array *a, const vv_var_info *v)
{
    const vv_dataset *d = m->results.source;
    int var =
        v->role == VV_ROLE_BOUNDS && v->n_dims == 2 ? vv_dataset_find_var(d, vv_dataset_dim(d, v->dim[0]).name) : -1;
    if (var < 0 || vv_array_status(a) != VV_OK || !vv_cli_is_angle(d, var, "longitude")) return a;
    const char *lon = vv_array_dim(a, 0), *side = vv_array_dim(a, 1);
    vv_array *turn = vv_scalar(m->results.session, 360), *middle = vv_mean(a, side);
    vv_array *turns = vv_rint(vv_divide(vv_sub(vv_coordinate(a, lon), middle), turn));
    return vv_describe_as(vv_astype(vv_add(a, vv_mul(turns, turn)), vv_array_dtype(a)), a);
}

static vv_array *grid_variable(const vv_cli_move *m, int var)
{
    return part_of(m, vv_dataset_array(m->results.source, vv_dataset_var(m->results.source, var).name));
}

static vv_status at_points(const vv_cli_move *m, vv_array *a, vv_points_at *out)
{
    const selection *x = m->context;
    const char *how = m->request->interpolate ? m->request->interpolate : "nearest";
    return vv_at_points(part_of(m, a), grid_variable(m, x->points.lat), grid_variable(m, x->points.lon), x->points.at,
                        x->points.n, how, station, out);
}

static vv_array *selected(const vv_cli_move *m, const vv_var_info *v, vv_array *const arrays[])
{
    const selection *x = m->context;
    vv_points_at at;
    if (!x->at_points) return bounds_of(m, part_of(m, arrays[0]), v);
    vv_status status = at_points(m, arrays[0], &at);
    if (status != VV_OK) return vv_failed(m->results.session, status);
    char places[600];
    snprintf(places, sizeof places, "%s %s%s", vv_dataset_var(m->results.source, x->points.lat).name,
             vv_dataset_var(m->results.source, x->points.lon).name, at.distance ? " distance" : "");
    return vv_with_attribute(at.values, "coordinates", places);
}

/* What is not on the grid but has a part of it, such as bounds of latitudes, has no values at points. */
static bool is_left_out(const vv_cli_move *m, const vv_var_info *v)
{
    const selection *x = m->context;
    bool grid = x->at_points && (!strcmp(v->name, vv_dataset_var(m->results.source, x->points.lat).name) ||
                                 !strcmp(v->name, vv_dataset_var(m->results.source, x->points.lon).name));
    if (grid) return true;
    bool some = false;
    for (int i = 0; i < v->n_dims; i++) {
        const char *dim = vv_dataset_dim(m->results.source, v->dim[i]).name;
        for (int k = 0; k < 2 && x->at_points; k++) {
            vv_var_info g = vv_dataset_var(m->results.source, k ? x->points.lon : x->points.lat);
            for (int j = 0; j < g.n_dims; j++)
                some = some || !strcmp(dim, vv_dataset_dim(m->results.source, g.dim[j]).name);
        }
    }
    return some && !vv_cli_points_has(&x->points, m->results.source, v);
}

/* --- where the points are --- */

static vv_status add_names(vv_cli_move *m)
{
    const selection *x = m->context;
    if (x->points.names.n == 0) return VV_OK;
    return vv_cli_results_add(
        &m->results, station,
        vv_strings(m->results.session, station, (const char *const *)x->points.names.item, x->points.n));
}

static vv_status moved(vv_cli_move *m)
{
    const selection *x = m->context;
    vv_dataset *d = m->results.source;
    vv_points_at at;
    if (!x->at_points) return VV_OK;
    for (int i = 0; i < vv_dataset_n_vars(d); i++) {
        vv_var_info v = vv_dataset_var(d, i);
        if (v.decoded == VV_NONE || i == x->points.lat || i == x->points.lon || !vv_cli_points_has(&x->points, d, &v))
            continue;
        vv_status status = at_points(m, vv_dataset_array(d, v.name), &at);
        if (status == VV_OK) status = vv_cli_results_add(&m->results, vv_dataset_var(d, x->points.lat).name, at.lat);
        if (status == VV_OK) status = vv_cli_results_add(&m->results, vv_dataset_var(d, x->points.lon).name, at.lon);
        if (status == VV_OK && at.distance) status = vv_cli_results_add(&m->results, "distance", at.distance);
        return status == VV_OK ? add_names(m) : status;
    }
    return vv_error(VV_ERR_SHAPE, "%s has no variable on the grid of its latitudes and longitudes", vv_dataset_path(d));
}

static bool is_file(const char *word)
{
    return !access(word, F_OK) || !strchr(word, '=');
}

vv_status vv_cli_select(vv_session *s, const vv_cli_request *r)
{
    selection x = {.at_points = r->points != NULL};
    vv_cli_move m = {
        .dims = &x.touched, .context = &x, .make = selected, .opened = opened, .leaves = is_left_out, .moved = moved};
    vv_status status = VV_OK;
    bool whole = x.at_points && (r->inputs.n == 0 || is_file(r->inputs.item[0]));
    if (r->inputs.n == 0)
        status = vv_error(VV_ERR_USAGE, "select needs a selection and a file: varve select 'time=1990' FILE");
    else if (!whole)
        status = read_selection(&x, r->inputs.item[0]);
    if (status == VV_OK && x.at_points) status = vv_cli_points_read(r->points, &x.points);
    if (status == VV_OK) status = vv_cli_move_all(s, r, whole ? 0 : 1, &m);
    vv_cli_words_free(&x.dims);
    vv_cli_words_free(&x.whats);
    vv_cli_words_free(&x.touched);
    vv_cli_points_free(&x.points);
    return status;
}
