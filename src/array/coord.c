/* Coordinates: values that a dimension's positions have, and where they come from. */
#include "array/build.h"

#include "array/text.h"
#include "base/calendar.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

vv_status vv_values_new(vv_index n, vv_values **out)
{
    if (n > VV_INDEX_MAX / 16) return vv_fail(VV_ERR_NOMEM, "no memory for %lld values of a coordinate", (long long)n);
    VV_TRY(vv_new(out, 1, sizeof **out + (size_t)n * sizeof(double)));
    (*out)->references = 1;
    (*out)->n = n;
    return VV_OK;
}

vv_values *vv_values_share(vv_values *v)
{
    if (v) v->references++;
    return v;
}

void vv_values_free(vv_values **v)
{
    if (*v && --(*v)->references == 0) free(*v);
    *v = NULL;
}

void vv_coord_copy(const vv_coord *from, vv_coord *to)
{
    *to = *from;
    to->value = vv_values_share(from->value);
    to->bounds = vv_values_share(from->bounds);
}

void vv_coord_free(vv_coord *c)
{
    vv_values_free(&c->value);
    vv_values_free(&c->bounds);
    *c = (vv_coord){.var = -1};
}

static vv_status read_values(vv_dataset *d, int var, vv_values *v)
{
    const int64_t *number;
    if (d->file->meta->var[var].type != VV_NONE) return vv_dataset_read(d, var, v->at, v->n);
    VV_TRY(vv_texts_of(d, var, &number));
    for (vv_index i = 0; i < v->n; i++) v->at[i] = (double)number[i];
    return VV_OK;
}

/* Read once; later calls share. */
static vv_status stored_values(vv_dataset *d, int var, vv_values **out)
{
    if (!d->values) VV_TRY(vv_new(&d->values, (size_t)d->file->meta->n_vars, sizeof *d->values));
    if (!d->values[var]) {
        vv_values *v;
        vv_index n = vv_shape_elements(&d->file->meta->var[var].shape);
        if (vv_values_new(n, &v) != VV_OK)
            return vv_error_prefix("%s: variable '%s'", d->path, d->file->meta->var[var].name);
        vv_status status = read_values(d, var, v);
        if (status != VV_OK) {
            vv_values_free(&v);
            return status;
        }
        d->values[var] = v;
    }
    *out = vv_values_share(d->values[var]);
    return VV_OK;
}

/* So many strings are left where they are: the dimension has no coordinate then. */
static vv_status go_without(const vv_coord *c)
{
    vv_failure why;
    vv_error_get(&why);
    if (c->from->told_of != c->var + 1) vv_say(VV_LOG_WARN, "%s; it is left out", why.text);
    c->from->told_of = c->var + 1;
    vv_error_clear();
    return VV_OK;
}

vv_status vv_coord_values(const vv_coord *c, vv_values **out)
{
    *out = vv_values_share(c->value);
    if (*out || c->moved || !c->from || c->var < 0) return VV_OK;
    vv_status status = stored_values(c->from, c->var, out);
    return status == VV_ERR_UNSUPPORTED && vv_coord_is_text(c) ? go_without(c) : status;
}

bool vv_coord_time(const vv_coord *c, const char **units, const char **calendar)
{
    if (!c->from || c->var < 0) return false;
    *units = vv_dataset_attr_text(c->from, c->var, "units");
    *calendar = vv_dataset_attr_text(c->from, c->var, "calendar");
    return *units && vv_time_is_units(*units);
}

vv_status vv_array_coordinate(const vv_array *a, const char *dim, double *out, vv_index room)
{
    int d;
    vv_values *v;
    VV_TRY(vv_array_status(a));
    VV_TRY(vv_node_find_dim(a, dim, &d));
    if (vv_coord_is_text(&a->coord[d]))
        return vv_fail(VV_ERR_TYPE, "the coordinate of '%s' along '%s' holds strings, not numbers", a->name, dim);
    if (room < a->shape.n[d])
        return vv_fail(VV_ERR_USAGE, "'%s' has %lld positions along '%s', room for %lld", a->name,
                       (long long)a->shape.n[d], dim, (long long)room);
    VV_TRY(vv_coord_values(&a->coord[d], &v));
    if (!v) return vv_fail(VV_ERR_NOT_FOUND, "'%s' has no coordinate along '%s'", a->name, dim);
    memcpy(out, v->at, (size_t)v->n * sizeof *out);
    vv_values_free(&v);
    return VV_OK;
}

vv_array *vv_coordinate(vv_array *a, const char *dim)
{
    int d;
    double *x;
    if (vv_array_status(a) != VV_OK || vv_node_find_dim(a, dim, &d) != VV_OK) return vv_node_inert(a->context);
    vv_index n = a->shape.n[d];
    if (vv_new(&x, (size_t)n + 1, sizeof *x) != VV_OK) return vv_node_inert(a->context);
    vv_array *out = vv_array_coordinate(a, dim, x, n) == VV_OK ? vv_node_listed(a->context, dim, n, x, VV_F64, VV_F64)
                                                               : vv_node_inert(a->context);
    free(x);
    return out;
}

static vv_status assign(vv_array *a, const char *dim, const double values[], vv_index n)
{
    int d;
    VV_TRY(vv_node_find_dim(a, dim, &d));
    if (n != a->shape.n[d])
        return vv_fail(VV_ERR_SHAPE, "'%s' has %lld positions along '%s', not %lld", a->name, (long long)a->shape.n[d],
                       dim, (long long)n);
    vv_coord_free(&a->coord[d]);
    VV_TRY(vv_values_new(n, &a->coord[d].value));
    memcpy(a->coord[d].value->at, values, (size_t)n * sizeof *values);
    return VV_OK;
}

vv_array *vv_assign_coordinate(vv_array *in, const char *dim, const double values[], vv_index n)
{
    if (vv_array_status(in) != VV_OK) return vv_node_inert(in->context);
    vv_array *a = vv_node_seen_again(in);
    return a->status == VV_OK ? vv_node_settle(in->context, a, assign(a, dim, values, n)) : a;
}

/* --- groups --- */

const vv_grouping *vv_node_grouping(const vv_array *a)
{
    return a->kind == VV_NODE_REDUCE || a->group.dim < 0 ? NULL : &a->group;
}

vv_status vv_grouping_copy(const vv_grouping *from, int dim, vv_grouping *to)
{
    VV_TRY(vv_strdup(&to->name, from->name));
    to->dim = dim;
    to->n = from->n;
    to->label = vv_table_share(from->label);
    vv_coord_copy(&from->coord, &to->coord);
    return VV_OK;
}

vv_status vv_node_keep_groups(vv_array *a, const vv_array *in)
{
    const vv_grouping *g = vv_node_grouping(in);
    int dim = g ? vv_node_dim(a, in->dim[g->dim]) : -1;
    return dim < 0 ? VV_OK : vv_grouping_copy(g, dim, &a->group);
}
