/* Joined datasets (joined.h) and their arrays. */
#include "array/joined/build.h"

#include <math.h>
#include <stdlib.h>

/* --- the dataset --- */

static vv_status new_joined(vv_dataset *const files[], int n, vv_joined **out)
{
    VV_TRY(vv_new(out, 1, sizeof **out));
    (*out)->n = n;
    vv_status status = vv_new(&(*out)->file, (size_t)n, sizeof *(*out)->file);
    if (status == VV_OK) memcpy((*out)->file, files, (size_t)n * sizeof *files);
    if (status != VV_OK) vv_joined_free(*out);
    return status;
}

static vv_status join(vv_dataset *d, vv_dataset *const files[], int n, const char *dim)
{
    vv_joined *j;
    char *name = NULL;
    for (int i = 0; i < n; i++) VV_TRY(vv_dataset_status(files[i]));
    VV_TRY(vv_new(&d->file, 1, sizeof *d->file));
    d->file->format = &vv_joined_format;
    VV_TRY(vv_strdup(&d->file->path, d->path));
    VV_TRY(new_joined(files, n, &j));
    d->file->handle = j;
    VV_TRY(vv_meta_new(&d->file->meta));
    VV_TRY(vv_strdup(&d->file->meta->path, d->path));
    VV_TRY(vv_joined_choose_dim(j, dim));
    VV_TRY(vv_strdup(&name, vv_joined_meta(j, 0)->dim[j->dim].name));
    vv_status status = vv_joined_check_dim(j, name);
    if (status == VV_OK) status = vv_joined_order(j, name);
    if (status == VV_OK) status = vv_joined_fill_meta(j, name, d->file->meta);
    free(name);
    VV_TRY(status);
    VV_TRY(vv_new(&d->role, (size_t)d->file->meta->n_vars + 1, sizeof *d->role));
    vv_cf_roles(d->file->meta, d->role);
    d->n_files = n;
    return VV_OK;
}

vv_dataset *vv_dataset_join_in(vv_context *c, const char *name, vv_dataset *const files[], int n, const char *dim)
{
    vv_dataset *d = vv_dataset_new(c, name);
    if (d->status == VV_OK) vv_dataset_settle(d, join(d, files, n, dim));
    return d;
}

const char *vv_joined_file(const vv_dataset *d, int i)
{
    return ((const vv_joined *)d->file->handle)->file[i]->path;
}

/* --- arrays --- */

/* The same as numbers: new = old * scale + offset. */
static void between(const vv_time_axis *from, const vv_time_axis *to, double *scale, double *offset)
{
    *scale = (double)from->unit / (double)to->unit;
    *offset = vv_time_value(to, from->origin);
}

/* The array's dimensions are those of the joined file. */
static void relabel(vv_array *a, vv_dataset *d, int var)
{
    const vv_variable *v = &d->file->meta->var[var];
    for (int k = 0; k < a->shape.nd; k++)
        a->coord[k] = (vv_coord){.from = d, .var = vv_positions_variable(d->file->meta, v->dim[k])};
}

static vv_status add_file(vv_array *a, const vv_joined *j, const vv_member *m, int i, bool decoded)
{
    vv_part p;
    vv_array *in = vv_node_open(j->file[i], m->var[i], decoded || m->decoded);
    vv_status status = vv_array_status(in);
    if (status == VV_OK) status = vv_node_input(a, in);
    vv_array *node = in; /* held by `a` now */
    vv_release(&in);
    VV_TRY(status);
    if (m->decoded) {
        node->dtype = a->dtype;
        node->decode.out = vv_working_type(a->dtype);
    }
    if (m->times) {
        vv_time_axis from, to;
        double scale, shift;
        VV_TRY(vv_joined_axis(vv_joined_meta(j, i), m->var[i], &from));
        VV_TRY(vv_joined_axis(vv_joined_meta(j, 0), m->var[0], &to));
        between(&from, &to, &scale, &shift);
        node->decode.scaled = true;
        node->decode.offset = node->decode.offset * scale + shift;
        node->decode.scale *= scale;
    }
    vv_part_same(&node->shape, &p);
    p.from = i;
    p.box.lo[m->axis] = j->first[i];
    return p.box.n[m->axis] ? vv_node_add_part(a, &p) : VV_OK;
}

static vv_status fill_along(vv_array *a, vv_dataset *d, int var, bool decoded)
{
    const vv_joined *j = d->file->handle;
    const vv_member *m = &j->member[var];
    const vv_variable *v = &d->file->meta->var[var];
    vv_decode decode;
    a->origin = d;
    a->var = var;
    a->fill = NAN;
    bool text = v->type == VV_NONE;
    if (text)
        a->dtype = vv_variable_is(v, VV_STRINGS) ? VV_I64 : VV_U8;
    else
        VV_TRY(vv_cf_decode(v, &decode, &a->dtype));
    if (!decoded && !text) a->dtype = v->type;
    VV_TRY(vv_attrs_copy(&a->attrs, &v->attrs));
    for (int i = a->attrs.n - 1; decoded && !text && i >= 0; i--)
        if (vv_cf_is_packing(a->attrs.item[i].name)) vv_attr_remove(&a->attrs, a->attrs.item[i].name);
    for (int k = 0; k < v->shape.nd; k++)
        VV_TRY(vv_node_set_dim(a, k, d->file->meta->dim[v->dim[k]].name, v->shape.n[k]));
    relabel(a, d, var);
    for (int i = 0; i < j->n; i++) VV_TRY(add_file(a, j, m, i, decoded));
    return VV_OK;
}

vv_array *vv_node_joined(vv_dataset *d, int var, bool decoded)
{
    const vv_joined *j = d->file->handle;
    const vv_member *m = &j->member[var];
    if (m->along) {
        vv_array *a = vv_node_new(d->context, VV_NODE_VIEW, d->file->meta->var[var].name);
        if (a->status != VV_OK) return a;
        vv_status status = fill_along(a, d, var, decoded);
        if (status != VV_OK) (void)vv_error_prefix("%s", d->path);
        return vv_node_settle(d->context, a, status);
    }
    vv_array *a = vv_node_open(j->file[m->from], *m->var, decoded);
    if (vv_array_status(a) == VV_OK) relabel(a, d, var);
    return a;
}
