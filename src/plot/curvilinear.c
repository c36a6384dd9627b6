/* Curvilinear grids: latitudes and longitudes of two dimensions, as the attribute `coordinates` names them. Cells become quadrilaterals between the middles of their
 * neighbours, which are painted on a regular grid of latitudes and longitudes, fine enough for the picture. */
#include "plot/shown.h"

#include "base/mem.h"
#include "varve/move.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_ACROSS = 180, MOST_ACROSS = 2400, MOST_UP = 2400 };

/* --- finding it --- */

/* Variable `name` (not 0-terminated) as a grid over two dimensions of the array, which it has in this order. */
static bool is_over(vv_dataset *d, int var, const vv_array *a, int at[2])
{
    vv_var_info v = vv_dataset_var(d, var);
    if (v.n_dims != 2 || v.type == VV_NONE) return false;
    for (int k = 0; k < 2; k++) {
        vv_dim_info dim = vv_dataset_dim(d, v.dim[k]);
        at[k] = -1;
        for (int i = 0; i < a->shape.nd; i++)
            if (!strcmp(a->dim[i], dim.name) && a->shape.n[i] == dim.length) at[k] = i;
        if (at[k] < 0) return false;
    }
    return true;
}

static int find_named(const vv_dataset *d, const char *name, size_t length)
{
    for (int i = 0; i < vv_dataset_n_vars(d); i++) {
        const char *there = vv_dataset_var(d, i).name;
        if (!strncmp(there, name, length) && !there[length]) return i;
    }
    return -1;
}

bool vv_plot_find_grid(const vv_array *a, vv_plot_grid *out)
{
    const char *names = vv_attr_text(&a->attrs, "coordinates");
    *out = (vv_plot_grid){.lat = -1, .lon = -1};
    if (!names || !a->origin || vv_dataset_status(a->origin) != VV_OK) return false;
    for (const char *at = names; *at;) {
        size_t length = strcspn(at, " ");
        int var = find_named(a->origin, at, length), dims[2];
        if (var >= 0 && is_over(a->origin, var, a, dims)) {
            vv_direction way = vv_plot_direction_of(vv_dataset_attr_text(a->origin, var, "units"),
                                                    vv_dataset_attr_text(a->origin, var, "standard_name"));
            if (way == VV_ALONG_LAT) out->lat = var;
            if (way == VV_ALONG_LON) out->lon = var;
            if (way == VV_ALONG_LAT || way == VV_ALONG_LON) out->y = dims[0], out->x = dims[1];
        }
        at += length;
        at += strspn(at, " ");
    }
    return out->lat >= 0 && out->lon >= 0;
}

/* The middle of each block of cells. */
static vv_array *sampled(vv_array *a, const vv_shown *s)
{
    for (int d = 0; d < 2 && a->status == VV_OK; d++) {
        vv_index f = s->factor[d], n = a->shape.n[d], blocks = (n + f - 1) / f, *at;
        if (f < 2) continue;
        if (vv_new(&at, (size_t)blocks, sizeof *at) != VV_OK) return a;
        for (vv_index i = 0; i < blocks; i++) at[i] = i * f + f / 2 < n ? i * f + f / 2 : n - 1;
        a = vv_take(a, a->dim[d], at, blocks);
        free(at);
    }
    return vv_astype(a, VV_F64);
}

vv_status vv_plot_reduce_grid(vv_shown *s)
{
    const int var[2] = {s->grid.lat, s->grid.lon};
    for (int k = 0; k < 2; k++) {
        vv_dataset *d = s->source->origin;
        s->reduced[1 + k] = sampled(vv_dataset_array(d, vv_dataset_var(d, var[k]).name), s);
        VV_TRY(vv_array_status(s->reduced[1 + k]));
    }
    s->n_values = 3;
    return VV_OK;
}

/* --- painting it --- */

typedef struct canvas {
    vv_index ny, nx; /* of the curvilinear grid */
    const double *lat, *lon, *value;
    bool round;               /* its last column lies beside its first one */
    double west, south, step; /* of the regular one */
    int width, height;
    double *out;
} canvas;

static double near(double lon, double to)
{
    return lon - 360 * rint((lon - to) / 360);
}

/* The chord between two cells of a row, on a sphere of radius 1. */
static double apart(const canvas *c, vv_index j, vv_index one, vv_index other)
{
    const double degree = acos(-1) / 180;
    double a = c->lat[j * c->nx + one] * degree, b = c->lat[j * c->nx + other] * degree;
    double turn = (c->lon[j * c->nx + other] - c->lon[j * c->nx + one]) * degree;
    double square = pow(sin((b - a) / 2), 2) + cos(a) * cos(b) * pow(sin(turn / 2), 2);
    return 2 * sqrt(square);
}

static bool goes_round(const canvas *c)
{
    if (c->nx < 4) return false;
    for (int k = 1; k < 4; k++) {
        vv_index j = c->ny * k / 4;
        if (!(apart(c, j, c->nx - 1, 0) < 2.5 * apart(c, j, c->nx - 2, c->nx - 1))) return false;
    }
    return true;
}

/* The middle of a cell; beyond the border as far as the last two are apart. lon near `to`. */
static void middle(const canvas *c, vv_index j, vv_index i, double to, double out[2])
{
    if (c->round) i = (i + c->nx) % c->nx;
    vv_index jj = j < 0 ? 0 : j >= c->ny ? c->ny - 1 : j, ii = i < 0 ? 0 : i >= c->nx ? c->nx - 1 : i;
    vv_index jn = jj + (jj - j), in = ii + (ii - i); /* the inner neighbour of what lies outside */
    if (jn < 0 || jn >= c->ny) jn = jj;
    if (in < 0 || in >= c->nx) in = ii;
    out[0] = near(c->lon[jj * c->nx + ii], to);
    out[1] = c->lat[jj * c->nx + ii];
    if (jn == jj && in == ii) return;
    out[0] = 2 * out[0] - near(c->lon[jn * c->nx + in], to);
    out[1] = 2 * out[1] - c->lat[jn * c->nx + in];
}

/* Corner between cells (j - 1, i - 1) and (j, i). */
static void corner(const canvas *c, vv_index j, vv_index i, double to, double out[2])
{
    out[0] = out[1] = 0;
    for (int k = 0; k < 4; k++) {
        double m[2];
        middle(c, j - k / 2, i - k % 2, to, m);
        out[0] += m[0] / 4;
        out[1] += m[1] / 4;
    }
}

static bool inside(double q[4][2], double x, double y)
{
    bool left = false, right = false;
    for (int k = 0; k < 4; k++) {
        const double *a = q[k], *b = q[(k + 1) % 4];
        double side = (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]);
        left = left || side > 0;
        right = right || side < 0;
    }
    return !(left && right);
}

static int clamped(double x, int n)
{
    return x < 0 ? 0 : x > n - 1 ? n - 1 : (int)x;
}

/* All pixels whose middle lies in the quadrilateral, and the one that the cell's own middle lies in. */
static void paint_quad(const canvas *c, double q[4][2], const double own[2], double value)
{
    double lo[2] = {INFINITY, INFINITY}, hi[2] = {-INFINITY, -INFINITY};
    for (int k = 0; k < 4; k++)
        for (int d = 0; d < 2; d++) lo[d] = fmin(lo[d], q[k][d]), hi[d] = fmax(hi[d], q[k][d]);
    if (!(hi[0] > c->west && lo[0] < c->west + c->width * c->step)) return;
    int i0 = clamped((lo[0] - c->west) / c->step, c->width), i1 = clamped((hi[0] - c->west) / c->step, c->width);
    int j0 = clamped((lo[1] - c->south) / c->step, c->height), j1 = clamped((hi[1] - c->south) / c->step, c->height);
    for (int j = j0; j <= j1; j++)
        for (int i = i0; i <= i1; i++)
            if (inside(q, c->west + (i + 0.5) * c->step, c->south + (j + 0.5) * c->step))
                c->out[j * c->width + i] = value;
    double x = (own[0] - c->west) / c->step, y = (own[1] - c->south) / c->step;
    if (x >= 0 && x < c->width && y >= 0 && y < c->height) c->out[(int)y * c->width + (int)x] = value;
}

static void paint_cell(const canvas *c, vv_index j, vv_index i)
{
    double q[4][2], own[2], value = c->value[j * c->nx + i], lon = c->lon[j * c->nx + i];
    if (isnan(value) || !isfinite(lon) || !isfinite(c->lat[j * c->nx + i])) return;
    double to = near(lon, c->west + c->width * c->step / 2);
    corner(c, j, i, to, q[0]);
    corner(c, j, i + 1, to, q[1]);
    corner(c, j + 1, i + 1, to, q[2]);
    corner(c, j + 1, i, to, q[3]);
    for (int k = 0; k < 4; k++)
        if (!isfinite(q[k][0]) || !isfinite(q[k][1])) return;
    middle(c, j, i, to, own);
    for (int turn = -1; turn <= 1; turn++) {
        double moved[4][2], at[2] = {own[0] + 360 * turn, own[1]};
        for (int k = 0; k < 4; k++) moved[k][0] = q[k][0] + 360 * turn, moved[k][1] = q[k][1];
        paint_quad(c, moved, at, value);
    }
}

/* --- where it lies --- */

/* Of longitudes counted from `from` to `from` + 360: the least and the greatest. */
static void range_from(const double *lon, vv_index n, double from, double *lo, double *hi)
{
    *lo = INFINITY;
    *hi = -INFINITY;
    for (vv_index i = 0; i < n; i++) {
        double x = lon[i] - 360 * floor((lon[i] - from) / 360);
        if (!isfinite(x)) continue;
        *lo = fmin(*lo, x);
        *hi = fmax(*hi, x);
    }
}

/* Counted so that the grid is in one piece, as far as it is; half a cell more on all sides. */
static vv_status find_extent(canvas *c, double pixels)
{
    double west[2], east[2], south = INFINITY, north = -INFINITY;
    vv_index n = c->ny * c->nx;
    bool beyond = false;
    for (vv_index i = 0; i < n; i++) {
        if (isfinite(c->lat[i])) south = fmin(south, c->lat[i]), north = fmax(north, c->lat[i]);
        beyond = beyond || c->lon[i] > 180;
    }
    range_from(c->lon, n, 0, &west[0], &east[0]);
    range_from(c->lon, n, -180, &west[1], &east[1]);
    if (!(south <= north) || !(west[0] <= east[0]))
        return vv_fail(VV_ERR_RUN, "the grid has no latitudes and longitudes");
    int k = east[1] - west[1] < east[0] - west[0] - 1 || (!beyond && east[1] - west[1] <= east[0] - west[0] + 1);
    double cell = (east[k] - west[k]) / (double)c->nx, tall = (north - south) / (double)c->ny;
    double span = fmin(360, east[k] - west[k] + cell);
    c->west = span >= 358 ? (k ? -180 : 0) : west[k] - cell / 2;
    if (span >= 358) span = 360;
    c->south = fmax(-90, south - tall / 2);
    c->width = (int)fmax(LEAST_ACROSS, fmin(MOST_ACROSS, pixels));
    c->step = span / c->width;
    c->height = (int)fmax(1, fmin(MOST_UP, rint((fmin(90, north + tall / 2) - c->south) / c->step)));
    return VV_OK;
}

static vv_status even_edges(double from, double step, int n, vv_axis_kind kind, vv_axis *out)
{
    *out = (vv_axis){.kind = kind, .n = n, .lo = from, .hi = from + n * step};
    VV_TRY(vv_new(&out->edge, (size_t)n + 1, sizeof *out->edge));
    for (int i = 0; i <= n; i++) out->edge[i] = from + i * step;
    return VV_OK;
}

vv_status vv_plot_paint_grid(const vv_shown *s, double pixels, vv_panel *out)
{
    const vv_shape *shape = &s->reduced[0]->shape;
    canvas c = {.ny = shape->n[0], .nx = shape->n[1], .value = s->value[0], .lat = s->value[1], .lon = s->value[2]};
    c.round = goes_round(&c);
    VV_TRY(find_extent(&c, pixels));
    VV_TRY(vv_new(&c.out, (size_t)c.width * (size_t)c.height, sizeof *c.out));
    for (vv_index i = 0; i < (vv_index)c.width * c.height; i++) c.out[i] = NAN;
    for (vv_index j = 0; j < c.ny; j++)
        for (vv_index i = 0; i < c.nx; i++) paint_cell(&c, j, i);
    out->value = c.out;
    VV_TRY(even_edges(c.south, c.step, c.height, VV_AXIS_LATITUDE, &out->y));
    return even_edges(c.west, c.step, c.width, VV_AXIS_LONGITUDE, &out->x);
}
