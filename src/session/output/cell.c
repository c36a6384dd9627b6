/* What is left of a time that was reduced away: a cell.
 *
 * The mean over a year is valid for that year: CF has such a time as a scalar coordinate in the middle of its bounds (CDO with a time dimension of
 * length 1: so with keep_dims). The bounds reach over those of the times that went in, or, where these have none, from the first time to the last, as
 * CDO has them.
 *
 *     double time ;            time:bounds = "time_bnds" ;
 *     double time_bnds(bnds) ;
 *     float t2m(lat, lon) ;    t2m:cell_methods = "time: mean" ;
 *
 * It is written as NCO writes it, without an attribute `coordinates` of the data: CDO, which finds the time anyway, would warn of it. xarray is
 * told that the time is a coordinate by its own global attribute of this name.
 *
 * Only times are kept in this way: nobody looks for the middle of all latitudes. Results by group (a climatology) and of several inputs have no one cell. */
#include "session/output/file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct cell {
    const vv_coord *coord; /* of the times that were reduced */
    const char *name;
    const char *bounds, *bounds_dim; /* in its file; NULL where the times have none */
    double lo, hi, at;
    bool kept; /* as a dimension of length 1 */
} cell;

/* The reduction that an array is the result of, by itself or with elementwise changes and another arrangement. */
static const vv_array *reduction_of(const vv_array *a)
{
    while (a && a->kind != VV_NODE_REDUCE) {
        const vv_array *only = NULL;
        if (a->kind != VV_NODE_MAP && a->kind != VV_NODE_VIEW && a->kind != VV_NODE_RECHUNK) return NULL;
        for (int i = 0; i < a->n_inputs; i++) {
            if (a->input[i]->kind == VV_NODE_SCALAR) continue;
            if (only) return NULL;
            only = a->input[i];
        }
        a = only;
    }
    return a && a->group.dim < 0 && a->reduction->cell_method ? a : NULL;
}

/* The dimension of the reduction's input that is time; -1: none of the reduced ones. */
static int reduced_time(const vv_array *reduction)
{
    const char *units, *calendar;
    for (int d = 0; d < reduction->input[0]->shape.nd; d++)
        if (reduction->reduced[d] && vv_coord_time(&reduction->input[0]->coord[d], &units, &calendar)) return d;
    return -1;
}

static void widen(cell *c, const double *x, vv_index n)
{
    for (vv_index i = 0; i < n; i++) {
        if (!isfinite(x[i])) continue;
        c->lo = fmin(c->lo, x[i]);
        c->hi = fmax(c->hi, x[i]);
    }
}

/* The bounds variable of a coordinate whose positions are those of its file; -1 when there is none that fits. */
static int bounds_of(const vv_coord *c, vv_index n)
{
    if (c->moved || !c->from || c->var < 0) return -1;
    const vv_meta *m = c->from->file->meta;
    const char *name = vv_attr_text(&m->var[c->var].attrs, "bounds");
    int b = name ? vv_meta_find_var(m, name) : -1;
    if (b < 0 || m->var[b].type == VV_NONE) return -1;
    const vv_shape *s = &m->var[b].shape;
    return s->nd == 2 && s->n[0] == n && s->n[1] == 2 ? b : -1;
}

static vv_status reach_of_bounds(cell *c, int var, vv_index n)
{
    double *x;
    const vv_meta *m = c->coord->from->file->meta;
    VV_TRY(vv_mem_get(&x, vv_times(2 * n, sizeof *x), "bounds of times"));
    vv_status status = vv_dataset_read(c->coord->from, var, x, 2 * n);
    if (status == VV_OK) widen(c, x, 2 * n);
    vv_mem_put(&x);
    c->bounds = m->var[var].name;
    c->bounds_dim = m->dim[m->var[var].dim[1]].name;
    return status;
}

/* From the bounds, variable number `bounds` of the file, or else the values. */
static vv_status reach(cell *c, int bounds, vv_index n)
{
    vv_values *v;
    if (bounds >= 0) VV_TRY(reach_of_bounds(c, bounds, n));
    VV_TRY(vv_coord_values(c->coord, &v));
    if (v && bounds < 0) widen(c, v->at, v->n);
    c->at = v && v->n == 1 ? v->at[0] : c->lo + (c->hi - c->lo) / 2; /* a single time stays where it is */
    vv_values_free(&v);
    return VV_OK;
}

/* *found: the array has one. */
static vv_status find_cell(const vv_array *a, cell *c, bool *found)
{
    const vv_array *reduction = reduction_of(a);
    int d = reduction ? reduced_time(reduction) : -1;
    *found = false;
    if (d < 0) return VV_OK;
    const vv_array *in = reduction->input[0];
    *c = (cell){.coord = &in->coord[d], .name = in->dim[d], .lo = INFINITY, .hi = -INFINITY};
    for (int k = 0; k < a->shape.nd; k++) {
        if (strcmp(a->dim[k], c->name) != 0) continue;
        if (a->shape.n[k] != 1 || a->coord[k].from || a->coord[k].value) return VV_OK; /* made anew since */
        c->kept = true;
    }
    VV_TRY(reach(c, bounds_of(c->coord, in->shape.n[d]), in->shape.n[d]));
    *found = c->lo <= c->hi && isfinite(c->at);
    return VV_OK;
}

/* --- items --- */

/* Whether a dimension of this name could not have length n in the output. */
static bool dim_differs(const vv_output *o, const char *name, vv_index n)
{
    for (int i = 0; i < o->n_items; i++) {
        const vv_item *item = &o->item[i];
        for (int d = 0; item->array && d < item->array->shape.nd; d++)
            if (!strcmp(item->array->dim[d], name) && item->array->shape.n[d] != n) return true;
        const vv_meta *m = item->carried ? item->carried->file->meta : NULL;
        for (int d = 0; m && d < m->var[item->var].shape.nd; d++)
            if (!strcmp(m->dim[m->var[item->var].dim[d]].name, name) && m->var[item->var].shape.n[d] != n) return true;
    }
    return false;
}

const char *vv_outfile_bounds_dim(const vv_output *o, const char *usual, const char *dim)
{
    const char *const names[] = {usual ? usual : "bnds", "bnds", "nv", "bounds"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], dim) != 0 && !dim_differs(o, names[i], 2)) return names[i];
    return NULL;
}

/* An item of n values like the cell's coordinate; the output owns it. */
static vv_status make_item(vv_output *o, const char *name, const cell *c, vv_made_as as, vv_index n, vv_item **out)
{
    vv_values *v;
    VV_TRY(vv_values_new(n, &v));
    vv_status status = vv_output_add_item(o, name, NULL, NULL, -1);
    if (status != VV_OK) {
        vv_values_free(&v);
        return status;
    }
    *out = &o->item[o->n_items - 1];
    (*out)->made = (vv_coord){.from = c->coord->from, .var = c->coord->var, .moved = true, .value = v};
    (*out)->made_as = as;
    (*out)->cell_dim = c->kept ? c->name : NULL;
    return VV_OK;
}

static vv_status make_items(vv_output *o, const cell *c)
{
    char default_name[300];
    vv_item *item;
    snprintf(default_name, sizeof default_name, "%.255s_bnds", c->name);
    const char *bounds = c->bounds ? c->bounds : default_name, *dim = vv_outfile_bounds_dim(o, c->bounds_dim, c->name);
    bool bounded = dim && !vv_output_has(o, bounds);
    if (bounded) {
        VV_TRY(make_item(o, bounds, c, VV_MADE_BOUNDS, 2, &item));
        bounds = item->name;
        item->bounds_dim = dim;
        item->made.value->at[0] = c->lo;
        item->made.value->at[1] = c->hi;
    }
    VV_TRY(make_item(o, c->name, c, VV_MADE_CELL, 1, &item));
    item->bounds = bounded ? bounds : NULL;
    item->made.value->at[0] = c->at;
    return VV_OK;
}

static bool same_cell(const cell *a, const cell *b)
{
    return a->coord->from == b->coord->from && !strcmp(a->name, b->name) && a->lo == b->lo && a->hi == b->hi &&
           a->kept == b->kept;
}

vv_status vv_outfile_make_cells(vv_output *o)
{
    cell all = {0}, c;
    int n = o->n_items;
    for (int i = 0; i < n; i++) {
        bool found = false;
        if (o->item[i].array) VV_TRY(find_cell(o->item[i].array, &c, &found));
        if (!found) continue;
        if (all.name && !same_cell(&all, &c))
            return VV_OK; /* variables of different times: a time of the file would be wrong for one */
        all = c;
    }
    if (!all.name || vv_output_has(o, all.name) || (!all.kept && dim_differs(o, all.name, -1))) return VV_OK;
    return make_items(o, &all);
}
