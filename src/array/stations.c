/* Values at points of the globe: of the nearest cell, or between four of them.
 *
 * Where latitudes and longitudes have a dimension each, the cell nearest to a point is, for each latitude, that of the nearest longitude; among these the one at the least distance
 * is taken. On other grids all cells are compared. Distances are those of straight lines through the globe, which order points as great circles do, without cosines of angles near 0. */
#include "array/build.h"
#include "array/earth.h"
#include "varve/earth.h"
#include "varve/move.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double degree = 0x1.1df46a2529d39p-6;
static const double radius = 6371000;

enum { CORNERS = 4 };

/* A grid, and what has been found in it. */
typedef struct search {
    vv_array *a;
    vv_array *lat, *lon;
    double *y, *x; /* their values */
    bool apart;    /* a dimension each */
    vv_index n;    /* points */
    const double *point;
    vv_index *row, *column; /* CORNERS * n: of the corners of point i at i, n + i ... */
    double *weight;
} search;

typedef struct vec {
    double x, y, z;
} vec;

static vec on_globe(double lon, double lat)
{
    double c = cos(lat * degree);
    return (vec){c * cos(lon * degree), c * sin(lon * degree), sin(lat * degree)};
}

static double chord(vec a, vec b)
{
    double x = a.x - b.x, y = a.y - b.y, z = a.z - b.z;
    return x * x + y * y + z * z;
}

static double meters(vec a, vec b)
{
    return 2 * radius * asin(fmin(1, sqrt(chord(a, b)) / 2));
}

/* --- the grid --- */

static vv_status read_all(vv_array *a, double **out)
{
    vv_index n = vv_shape_elements(&a->shape);
    VV_TRY(vv_new(out, (size_t)n + 1, sizeof **out));
    if (!a->context->compute) return vv_fail(VV_ERR_UNSUPPORTED, "'%s' cannot be computed here", a->name);
    vv_array *real = vv_astype(a, VV_F64);
    vv_status status = vv_array_status(real);
    if (status == VV_OK && n > 0) status = a->context->compute(real, *out, n * (vv_bytes)sizeof **out);
    vv_release(&real);
    return status;
}

static vv_status check_dims(const search *s)
{
    for (int d = 0; d < s->lat->shape.nd; d++)
        if (vv_node_dim(s->a, s->lat->dim[d]) < 0)
            return vv_fail(VV_ERR_SHAPE, "'%s' has no dimension '%s', as '%s' has", s->a->name, s->lat->dim[d],
                           s->lat->name);
    for (int d = 0; d < s->lon->shape.nd; d++)
        if (vv_node_dim(s->a, s->lon->dim[d]) < 0)
            return vv_fail(VV_ERR_SHAPE, "'%s' has no dimension '%s', as '%s' has", s->a->name, s->lon->dim[d],
                           s->lon->name);
    return VV_OK;
}

static vv_status open_grid(search *s)
{
    const vv_array *lat = s->lat, *lon = s->lon;
    s->apart = lat->shape.nd == 1 && lon->shape.nd == 1 && strcmp(lat->dim[0], lon->dim[0]) != 0;
    bool same = lat->shape.nd == lon->shape.nd && lat->shape.nd <= 2 && lat->shape.nd > 0;
    for (int d = 0; same && d < lat->shape.nd; d++)
        same = !strcmp(lat->dim[d], lon->dim[d]) && lat->shape.n[d] == lon->shape.n[d];
    if (!s->apart && !same)
        return vv_fail(VV_ERR_SHAPE, "'%s' and '%s' are no grid: they have one dimension each, or the same ones",
                       lat->name, lon->name);
    VV_TRY(check_dims(s));
    VV_TRY(read_all(s->lat, &s->y));
    return read_all(s->lon, &s->x);
}

static vv_status check_points(const search *s)
{
    for (vv_index i = 0; i < s->n; i++) {
        double lon = s->point[2 * i], lat = s->point[2 * i + 1];
        if (!(fabs(lat) <= 90) || !(fabs(lon) <= 720))
            return vv_fail(VV_ERR_USAGE, "point %lld has longitude %g and latitude %g, which is not on the globe",
                           (long long)i + 1, lon, lat);
    }
    return VV_OK;
}

/* --- the nearest cell --- */

static vv_index nearest_longitude(const search *s, double lon)
{
    vv_index best = -1, n = s->lon->shape.n[0];
    for (vv_index i = 0; i < n; i++) {
        if (isnan(s->x[i])) continue;
        if (best < 0 || vv_longitude_distance(s->x[i], lon) < vv_longitude_distance(s->x[best], lon)) best = i;
    }
    return best;
}

static vv_status no_cells(const search *s)
{
    return vv_fail(VV_ERR_SHAPE, "'%s' and '%s' have no values", s->lat->name, s->lon->name);
}

static vv_status nearest_of_lines(search *s, vv_index i)
{
    vec p = on_globe(s->point[2 * i], s->point[2 * i + 1]);
    vv_index column = nearest_longitude(s, s->point[2 * i]), row = -1;
    double least = INFINITY;
    for (vv_index k = 0; column >= 0 && k < s->lat->shape.n[0]; k++) {
        double apart = isnan(s->y[k]) ? INFINITY : chord(p, on_globe(s->x[column], s->y[k]));
        if (apart < least) {
            least = apart;
            row = k;
        }
    }
    if (row < 0) return no_cells(s);
    s->row[i] = row;
    s->column[i] = column;
    return VV_OK;
}

static vv_status nearest_of_all(search *s)
{
    vv_index cells = vv_shape_elements(&s->lat->shape), inner = s->lat->shape.n[s->lat->shape.nd - 1];
    double *least;
    vec *p = NULL;
    vv_status status = vv_new(&least, (size_t)s->n + 1, sizeof *least);
    if (status == VV_OK) status = vv_new(&p, (size_t)s->n + 1, sizeof *p);
    for (vv_index i = 0; status == VV_OK && i < s->n; i++) {
        p[i] = on_globe(s->point[2 * i], s->point[2 * i + 1]);
        least[i] = INFINITY;
        s->row[i] = -1;
    }
    for (vv_index c = 0; status == VV_OK && c < cells; c++) {
        if (isnan(s->x[c]) || isnan(s->y[c])) continue;
        vec at = on_globe(s->x[c], s->y[c]);
        for (vv_index i = 0; i < s->n; i++) {
            double apart = chord(p[i], at);
            if (!(apart < least[i])) continue;
            least[i] = apart;
            s->row[i] = s->lat->shape.nd == 2 ? c / inner : c;
            s->column[i] = c % inner;
        }
    }
    for (vv_index i = 0; status == VV_OK && i < s->n; i++)
        if (s->row[i] < 0) status = no_cells(s);
    free(least);
    free(p);
    return status;
}

static vv_status find_nearest(search *s)
{
    if (!s->apart) return nearest_of_all(s);
    for (vv_index i = 0; i < s->n; i++) VV_TRY(nearest_of_lines(s, i));
    return VV_OK;
}

/* --- between neighbours --- */

/* Two neighbours of a place, and the share of the second one. */
typedef struct between {
    vv_index at[2];
    double share;
} between;

static vv_status outside(const search *s, vv_index i)
{
    return vv_fail(VV_ERR_USAGE, "point %lld (longitude %g, latitude %g) lies outside of the grid of '%s'",
                   (long long)i + 1, s->point[2 * i], s->point[2 * i + 1], s->a->name);
}

/* False where the grid ends. What lies between the last and the first longitude is no end, but the seam, if it is less than two cells wide. */
static bool between_longitudes(const search *s, double lon, between *b)
{
    vv_index n = s->lon->shape.n[0], west = -1, east = -1;
    double to_west = 361, to_east = 361;
    for (vv_index i = 0; i < n; i++) {
        double e = vv_east_of(s->x[i], lon, 0) - lon, w = e == 0 ? 0 : 360 - e;
        if (e < to_east) {
            to_east = e;
            east = i;
        }
        if (w < to_west) {
            to_west = w;
            west = i;
        }
    }
    if (west < 0 || east < 0) return false;
    *b = (between){{west, east}, to_west + to_east > 0 ? to_west / (to_west + to_east) : 0};
    double usual = n > 1 ? fabs(s->x[n - 1] - s->x[0]) / (double)(n - 1) : 0, gap = to_west + to_east;
    return fabs(fabs(s->x[west] - s->x[east]) - gap) < 1e-3 || gap < 1.99 * usual;
}

static bool goes_round(const search *s)
{
    vv_index n = s->lon->shape.n[0];
    double across = fabs(s->x[n - 1] - s->x[0]);
    return n > 2 && across * (double)n / (double)(n - 1) > 359;
}

static bool between_latitudes(const search *s, double lat, between *b)
{
    for (vv_index k = 0; k < s->lat->shape.n[0]; k++) {
        if (s->y[k] == lat) {
            *b = (between){{k, k}, 0};
            return true;
        }
        double first = s->y[k], next = k + 1 < s->lat->shape.n[0] ? s->y[k + 1] : NAN;
        if (!(fmin(first, next) < lat && lat < fmax(first, next)) || isnan(next)) continue;
        *b = (between){{k, k + 1}, (lat - first) / (next - first)};
        return true;
    }
    return false;
}

static void set_corner(search *s, vv_index i, int corner, vv_index row, vv_index column, double weight)
{
    s->row[corner * s->n + i] = row;
    s->column[corner * s->n + i] = column;
    s->weight[corner * s->n + i] = weight;
}

/* Beyond the last row lies the same row on the other side of the pole. */
static vv_status over_the_pole(search *s, vv_index i)
{
    double lon = s->point[2 * i], lat = s->point[2 * i + 1];
    between here, there;
    vv_index n = s->lat->shape.n[0], last = n > 0 && fabs(s->y[0] - lat) < fabs(s->y[n - 1] - lat) ? 0 : n - 1;
    double pole = lat > 0 ? 90 : -90, gap = fabs(pole - s->y[last]);
    double step = n > 1 ? fabs(s->y[n - 1] - s->y[0]) / (double)(n - 1) : 0;
    if (!goes_round(s) || gap > step * 1.01 || fabs(lat) < fabs(s->y[last])) return outside(s, i);
    if (!between_longitudes(s, lon, &here) || !between_longitudes(s, lon + 180, &there)) return outside(s, i);
    double share = fabs(lat - s->y[last]) / (2 * gap);
    for (int k = 0; k < 2; k++) {
        set_corner(s, i, k, last, here.at[k], (1 - share) * (k ? here.share : 1 - here.share));
        set_corner(s, i, 2 + k, last, there.at[k], share * (k ? there.share : 1 - there.share));
    }
    return VV_OK;
}

static vv_status find_corners(search *s)
{
    if (!s->apart)
        return vv_fail(VV_ERR_UNSUPPORTED,
                       "between neighbours only where latitudes and longitudes have a dimension each; "
                       "take the nearest cell");
    for (vv_index i = 0; i < s->n; i++) {
        between x, y;
        if (!between_latitudes(s, s->point[2 * i + 1], &y)) {
            VV_TRY(over_the_pole(s, i));
            continue;
        }
        if (!between_longitudes(s, s->point[2 * i], &x)) return outside(s, i);
        for (int k = 0; k < CORNERS; k++)
            set_corner(s, i, k, y.at[k / 2], x.at[k % 2],
                       (k / 2 ? y.share : 1 - y.share) * (k % 2 ? x.share : 1 - x.share));
    }
    return VV_OK;
}

/* --- taking --- */

/* The positions that occur, ascending, once; in[] becomes their places among them. */
static vv_status squeeze(vv_index in[], vv_index n, vv_index length, vv_index **out, vv_index *n_out)
{
    vv_index *place;
    VV_TRY(vv_new(&place, (size_t)length + 1, sizeof *place));
    vv_status status = vv_new(out, (size_t)vv_imin(n, length) + 1, sizeof **out);
    for (vv_index i = 0; i < n; i++) place[in[i]] = 1;
    *n_out = 0;
    for (vv_index p = 0; status == VV_OK && p < length; p++)
        if (place[p]) {
            (*out)[*n_out] = p;
            place[p] = (*n_out)++;
        }
    for (vv_index i = 0; status == VV_OK && i < n; i++) in[i] = place[in[i]];
    free(place);
    return status;
}

/* The rows that are wanted, or the columns. */
static vv_array *only(vv_array *a, const char *dim, vv_index at[], vv_index n)
{
    vv_index *some = NULL, count = 0;
    int d = vv_node_dim(a, dim);
    vv_status status = squeeze(at, n, a->shape.n[d], &some, &count);
    vv_array *out = status == VV_OK ? vv_take(a, dim, some, count) : vv_node_inert(a->context);
    free(some);
    return out;
}

/* Elements at n places of the grid along a new last dimension. */
static vv_array *gathered(vv_array *a, const search *s, vv_index n, const char *new_dim)
{
    bool two = s->apart || s->lat->shape.nd == 2;
    const char *rows = s->lat->dim[0], *columns = s->apart ? s->lon->dim[0] : s->lat->dim[s->lat->shape.nd - 1];
    vv_index *at;
    char dims[520];
    if (vv_array_status(a) != VV_OK || vv_new(&at, 2 * (size_t)n + 1, sizeof *at) != VV_OK)
        return vv_node_inert(a->context);
    memcpy(at, s->row, (size_t)n * sizeof *at);
    memcpy(at + n, s->column, (size_t)n * sizeof *at);
    vv_array *part = only(a, rows, at, n);
    if (two && part->status == VV_OK) part = vv_node_then(part, only(part, columns, at + n, n));
    snprintf(dims, sizeof dims, two ? "%s,%s" : "%s", rows, columns);
    vv_array *first = vv_node_then(part, vv_points(part, dims, at, n, new_dim));
    free(at);
    return first->status == VV_OK ? vv_node_then(first, vv_moveaxis(first, new_dim, -1)) : first;
}

/* The sum of the corners' values, each with its weight, in f64 and then as they were. */
static vv_array *mixed(vv_array *a, const search *s, const char *new_dim)
{
    vv_array *corner = gathered(a, s, CORNERS * s->n, new_dim), *sum = NULL;
    for (int k = 0; corner->status == VV_OK && k < CORNERS; k++) {
        vv_array *part = vv_slice(corner, new_dim, k * s->n, (k + 1) * s->n, 1);
        vv_array *weight = vv_node_listed(a->context, new_dim, s->n, s->weight + k * s->n, VV_F64, VV_F64);
        vv_array *zero = vv_node_scalar(a->context, 0), *no = vv_node_scalar(a->context, 0);
        vv_array *used = vv_node_of("greater", vv_node_again(weight), zero);
        vv_array *product = vv_node_of("multiply", part, weight), *three[] = {used, product, no};
        vv_array *share = vv_node_elementwise(a->context, "where", three, 3);
        for (int i = 0; i < 3; i++) vv_release(&three[i]);
        sum = sum ? vv_node_of("add", sum, share) : share;
    }
    if (!sum) return corner;
    vv_release(&corner);
    sum = vv_node_then(sum, vv_moveaxis(sum, new_dim, -1));
    vv_array *as = a->dtype == VV_F32 ? vv_node_then(sum, vv_astype(sum, VV_F32)) : sum;
    return vv_node_then(as, vv_describe_as(as, a));
}

/* --- where they are --- */

static double at_cell(const search *s, vv_index i, const double *value, bool of_row)
{
    if (s->apart) return value[of_row ? s->row[i] : s->column[i]];
    return value[s->lat->shape.nd == 2 ? s->row[i] * s->lat->shape.n[1] + s->column[i] : s->row[i]];
}

static vv_array *listed(const search *s, const double *x, const char *new_dim, const vv_array *like, const char *name,
                        const char *units)
{
    vv_array *a = vv_node_listed(s->a->context, new_dim, s->n, x, VV_F64, VV_F64);
    if (a->status != VV_OK) return a;
    vv_status status = VV_OK;
    if (like) status = vv_cf_moved_attrs(&a->attrs, &like->attrs);
    free(a->name);
    a->name = NULL;
    if (status == VV_OK) status = vv_strdup(&a->name, like ? like->name : name);
    if (status == VV_OK && units) status = vv_attr_set_text(&a->attrs, "units", units);
    return vv_node_settle(s->a->context, a, status);
}

static vv_status tell_places(const search *s, bool nearest, const char *new_dim, vv_points_at *out)
{
    double *lat, *lon, *far;
    VV_TRY(vv_new(&lat, 3 * (size_t)s->n + 1, sizeof *lat));
    lon = lat + s->n;
    far = lon + s->n;
    for (vv_index i = 0; i < s->n; i++) {
        lon[i] = nearest ? at_cell(s, i, s->x, false) : s->point[2 * i];
        lat[i] = nearest ? at_cell(s, i, s->y, true) : s->point[2 * i + 1];
        far[i] = meters(on_globe(lon[i], lat[i]), on_globe(s->point[2 * i], s->point[2 * i + 1]));
    }
    out->lat = listed(s, lat, new_dim, s->lat, NULL, NULL);
    out->lon = listed(s, lon, new_dim, s->lon, NULL, NULL);
    out->distance = nearest ? listed(s, far, new_dim, NULL, "distance", "m") : NULL;
    free(lat);
    VV_TRY(vv_array_status(out->lat));
    VV_TRY(vv_array_status(out->lon));
    return out->distance ? vv_array_status(out->distance) : VV_OK;
}

static vv_status find(search *s, bool nearest)
{
    size_t room = CORNERS * (size_t)s->n + 1;
    VV_TRY(check_points(s));
    VV_TRY(open_grid(s));
    VV_TRY(vv_new(&s->row, room, sizeof *s->row));
    VV_TRY(vv_new(&s->column, room, sizeof *s->column));
    VV_TRY(vv_new(&s->weight, room, sizeof *s->weight));
    return nearest ? find_nearest(s) : find_corners(s);
}

vv_status vv_at_points(vv_array *a, vv_array *lat, vv_array *lon, const double points[], vv_index n, const char *how,
                       const char *new_dim, vv_points_at *out)
{
    bool nearest = !strcmp(how, "nearest");
    search s = {.a = a, .lat = lat, .lon = lon, .n = n, .point = points};
    *out = (vv_points_at){0};
    VV_TRY(vv_nodes_usable((vv_array *[]){a, lat, lon}, 3));
    if (!nearest && strcmp(how, "bilinear") != 0)
        return vv_fail(VV_ERR_USAGE, "values at points are of the nearest cell or bilinear, not '%s'", how);
    if (n < 1) return vv_fail(VV_ERR_USAGE, "no points");
    vv_status status = find(&s, nearest);
    if (status == VV_OK) status = tell_places(&s, nearest, new_dim, out);
    if (status == VV_OK) {
        out->values = nearest ? gathered(a, &s, n, new_dim) : mixed(a, &s, new_dim);
        status = vv_array_status(out->values);
    }
    free(s.x);
    free(s.y);
    free(s.row);
    free(s.column);
    free(s.weight);
    return status;
}
