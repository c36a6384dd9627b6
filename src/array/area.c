/* Areas of the cells of a grid of latitudes and longitudes. */
#include "array/build.h"
#include "array/earth.h"
#include "varve/earth.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double radius = 6371000; /* m, as in CDO */
static const double degree = 0x1.1df46a2529d39p-6;

/* Where the bounds of a coordinate are in its file; -1: nowhere. */
static int bounds_of(const vv_coord *c, vv_index n)
{
    if (c->moved || !c->from || !c->from->file || c->var < 0) return -1;
    const vv_meta *m = c->from->file->meta;
    const char *name = vv_attr_text(&m->var[c->var].attrs, "bounds");
    int var = name ? vv_meta_find_var(m, name) : -1;
    if (var < 0 || m->var[var].type == VV_NONE || m->var[var].shape.nd != 2) return -1;
    return m->var[var].shape.n[0] == n && m->var[var].shape.n[1] == 2 ? var : -1;
}

/* Between neighbours; the first and the last cell have their middle in the middle. */
static vv_status middles(const vv_array *a, int d, double edge[])
{
    vv_values *v;
    vv_index n = a->shape.n[d];
    VV_TRY(vv_coord_values(&a->coord[d], &v));
    if (!v) return vv_fail(VV_ERR_NOT_FOUND, "'%s' has no coordinate along '%s'", a->name, a->dim[d]);
    for (vv_index i = 0; i < n && n > 1; i++) {
        double before = i > 0 ? (v->at[i] + v->at[i - 1]) / 2 : v->at[0] - (v->at[1] - v->at[0]) / 2;
        double after = i < n - 1 ? (v->at[i] + v->at[i + 1]) / 2 : v->at[n - 1] + (v->at[n - 1] - v->at[n - 2]) / 2;
        edge[2 * i] = before;
        edge[2 * i + 1] = after;
    }
    vv_values_free(&v);
    return n > 1 ? VV_OK
                 : vv_fail(VV_ERR_SHAPE,
                           "'%s' has one element along '%s' and no bounds: how large its cells are is not known",
                           a->name, a->dim[d]);
}

static vv_status edges(const vv_array *a, int d, double edge[])
{
    int bounds = bounds_of(&a->coord[d], a->shape.n[d]);
    return bounds >= 0 ? vv_dataset_read(a->coord[d].from, bounds, edge, 2 * a->shape.n[d]) : middles(a, d, edge);
}

static double band(double south, double north)
{
    double s = fmax(-90, fmin(90, south)), n = fmax(-90, fmin(90, north));
    return fabs(sin(n * degree) - sin(s * degree)) * radius * radius;
}

/* The share of each element along a dimension: of latitudes m2 a radian, of longitudes radians. */
static vv_array *share(const vv_array *a, int d, bool latitude)
{
    vv_index n = a->shape.n[d];
    double *edge, *size = NULL;
    if (vv_new(&edge, 2 * (size_t)n + 1, sizeof *edge) != VV_OK) return vv_node_inert(a->context);
    vv_status status = vv_new(&size, (size_t)n + 1, sizeof *size);
    if (status == VV_OK) status = edges(a, d, edge);
    for (vv_index i = 0; status == VV_OK && i < n; i++)
        size[i] = latitude ? band(edge[2 * i], edge[2 * i + 1]) : fabs(edge[2 * i + 1] - edge[2 * i]) * degree;
    vv_array *out =
        status == VV_OK ? vv_node_listed(a->context, a->dim[d], n, size, VV_F64, VV_F64) : vv_node_inert(a->context);
    free(edge);
    free(size);
    return out;
}

static int find(const vv_array *a, bool (*is)(const vv_coord *))
{
    for (int d = 0; d < a->shape.nd; d++)
        if (is(&a->coord[d])) return d;
    return -1;
}

vv_array *vv_area(vv_array *a)
{
    if (vv_array_status(a) != VV_OK) return vv_node_inert(a->context);
    int lat = find(a, vv_coord_is_latitude), lon = find(a, vv_coord_is_longitude);
    if (lat < 0) {
        (void)vv_fail(VV_ERR_SHAPE, "'%s' has no dimension of latitudes (units degrees_north): areas are not known",
                      a->name);
        return vv_node_inert(a->context);
    }
    vv_array *wide = lon >= 0 ? share(a, lon, false) : vv_node_scalar(a->context, 360 * degree);
    return vv_node_of("multiply", share(a, lat, true), wide);
}
