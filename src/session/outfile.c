#include "session/outfile.h"

#include "base/log.h"

#include <stdlib.h>
#include <string.h>

/* NetCDF's default fill value of both float types: what CDO, NCO and ncview expect where nothing else is said. */
static const double default_fill = 9.9692099683868690e+36;

/* Carried variables above this size are copied by all ranks in the plan, smaller ones by the coordinator. */
enum { CARRY_ALONE = 16 << 20 };

static const vv_variable *stored(const vv_dataset *d, int var)
{
    return &d->file->meta->var[var];
}

static const vv_dim *stored_dim(const vv_dataset *d, int var, int k)
{
    return &d->file->meta->dim[stored(d, var)->dim[k]];
}

/* --- dimensions --- */

static bool was_unlimited(const vv_dataset *d, const char *dim, vv_index length)
{
    int k = d ? vv_meta_find_dim(d->file->meta, dim) : -1;
    return k >= 0 && d->file->meta->dim[k].unlimited && d->file->meta->dim[k].length == length;
}

bool vv_item_needs_chunks(const vv_output *o, const vv_item *item)
{
    if (item->array) {
        for (int d = 0; d < item->array->shape.nd; d++)
            if (was_unlimited(item->array->origin, item->array->dim[d], item->array->shape.n[d])) return true;
        return o->options.deflate > 0 && item->array->shape.nd > 0;
    }
    for (int k = 0; k < stored(item->carried, item->var)->shape.nd; k++)
        if (stored_dim(item->carried, item->var, k)->unlimited) return true;
    return false;
}

static vv_status add_dim(vv_meta *m, const char *name, vv_index length, bool unlimited, vv_variable *v)
{
    int id = vv_meta_find_dim(m, name);
    if (id >= 0 && m->dim[id].length != length)
        return vv_fail(VV_ERR_SHAPE, "variable '%s': dimension '%s' has %lld elements and elsewhere in the output %lld",
                       v->name, name, (long long)length, (long long)m->dim[id].length);
    if (id < 0) VV_TRY(vv_meta_add_dim(m, name, length, unlimited, &id));
    v->dim[v->shape.nd] = id;
    v->shape.n[v->shape.nd++] = length;
    return VV_OK;
}

/* --- variables --- */

static vv_status fill_value(const vv_array *a, vv_variable *v)
{
    double value = default_fill;
    if (a->origin && a->kind != VV_NODE_SCALAR) {
        int var = vv_meta_find_var(a->origin->file->meta, a->name);
        if (var >= 0 && stored(a->origin, var)->type == a->dtype)
            (void)vv_attr_number(&stored(a->origin, var)->attrs, "_FillValue", 0, &value);
    }
    vv_dtype_store(v->type, v->fill, value);
    return vv_attr_set(&v->attrs, "_FillValue", v->type, 1, v->fill);
}

static vv_status computed_variable(vv_meta *m, const vv_item *item)
{
    const vv_array *a = item->array;
    vv_variable *v;
    VV_TRY(vv_meta_add_var(m, item->name, a->dtype, &v));
    VV_TRY(vv_attrs_copy(&v->attrs, &a->attrs));
    for (int d = 0; d < a->shape.nd; d++)
        VV_TRY(add_dim(m, a->dim[d], a->shape.n[d], was_unlimited(a->origin, a->dim[d], a->shape.n[d]), v));
    if (vv_attr_find(&v->attrs, "_FillValue")) { /* an undecoded copy keeps its own */
        memcpy(v->fill, stored(a->origin, a->var)->fill, sizeof v->fill);
        return VV_OK;
    }
    return vv_dtype_is_float(a->dtype) ? fill_value(a, v) : VV_OK;
}

static vv_status carried_variable(vv_meta *m, const vv_item *item)
{
    const vv_variable *from = stored(item->carried, item->var);
    vv_variable *v;
    VV_TRY(vv_meta_add_var(m, item->name, from->type, &v));
    if (from->type == VV_NONE) VV_TRY(vv_strdup(&v->type_text, from->type_text));
    VV_TRY(vv_attrs_copy(&v->attrs, &from->attrs));
    memcpy(v->fill, from->fill, sizeof v->fill);
    for (int k = 0; k < from->shape.nd; k++) {
        const vv_dim *d = stored_dim(item->carried, item->var, k);
        VV_TRY(add_dim(m, d->name, d->length, d->unlimited, v));
    }
    return VV_OK;
}

static vv_status history(const vv_output *o, vv_meta *m)
{
    if (!o->history) return VV_OK;
    const char *old = vv_attr_text(&m->attrs, "history");
    vv_buf b = {0};
    vv_buf_text(&b, o->history);
    if (old && *old) vv_buf_printf(&b, "\n%s", old);
    vv_status status = vv_buf_status(&b);
    if (status == VV_OK) status = vv_attr_set_text(&m->attrs, "history", b.data);
    vv_buf_free(&b);
    return status;
}

static vv_status fill_meta(const vv_output *o, vv_meta *m)
{
    if (o->globals) VV_TRY(vv_attrs_copy(&m->attrs, &o->globals->file->meta->attrs));
    if (!vv_attr_find(&m->attrs, "Conventions")) VV_TRY(vv_attr_set_text(&m->attrs, "Conventions", "CF-1.8"));
    VV_TRY(history(o, m));
    for (int i = 0; i < o->n_items; i++)
        VV_TRY(o->item[i].array ? computed_variable(m, &o->item[i]) : carried_variable(m, &o->item[i]));
    return VV_OK;
}

vv_status vv_outfile_meta(const vv_output *o, vv_meta **out)
{
    VV_TRY(vv_meta_new(out));
    return fill_meta(o, *out);
}

/* --- carrying over --- */

static vv_status carry(vv_output *o, vv_dataset *d, int var)
{
    const vv_variable *v = stored(d, var);
    if (vv_output_has(o, v->name)) return VV_OK;
    bool text = v->type == VV_NONE && v->type_text && !strcmp(v->type_text, "char");
    if (v->type == VV_NONE && !text) {
        vv_say(VV_LOG_WARN, "%s: variable '%s' (%s) is not carried over: only numbers and characters are", d->path,
               v->name, v->type_text ? v->type_text : "text");
        return VV_OK;
    }
    vv_bytes bytes = vv_times(vv_shape_elements(&v->shape), vv_dtype_size(v->type));
    if (text || bytes <= CARRY_ALONE || vv_working_type(v->type) == VV_NONE)
        return vv_output_add_item(o, v->name, NULL, d, var);
    vv_array *copy = vv_node_open(d, var, false);
    vv_status status = vv_array_status(copy);
    if (status != VV_OK) {
        vv_release(&copy);
        return status;
    }
    return vv_output_add_item(o, v->name, copy, NULL, -1);
}

static bool in_list(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = list; at && *at; at += strspn(at, ", ")) {
        size_t word = strcspn(at, ", ");
        if (word == n && !memcmp(at, name, n)) return true;
        at += word;
    }
    return false;
}

static bool touched_by(const vv_dataset *d, int var, const char *touched)
{
    for (int k = 0; k < stored(d, var)->shape.nd; k++)
        if (in_list(touched, stored_dim(d, var, k)->name)) return true;
    return false;
}

vv_status vv_output_carry(vv_output *o, vv_dataset *d, const char *touched)
{
    VV_TRY(vv_dataset_status(d));
    if (!o->globals) o->globals = d;
    for (int v = 0; v < d->file->meta->n_vars; v++)
        if (!touched_by(d, v, touched)) VV_TRY(carry(o, d, v));
    return VV_OK;
}

static bool has_dim(const vv_array *a, const char *name, vv_index length)
{
    for (int d = 0; d < a->shape.nd; d++)
        if (!strcmp(a->dim[d], name) && a->shape.n[d] == length) return true;
    return false;
}

/* All dimensions of the stored variable are the array's. */
static bool fits(const vv_dataset *d, int var, const vv_array *a)
{
    for (int k = 0; k < stored(d, var)->shape.nd; k++)
        if (!has_dim(a, stored_dim(d, var, k)->name, stored_dim(d, var, k)->length)) return false;
    return true;
}

/* Variables that an attribute names, where they fit. */
static vv_status carry_named(vv_output *o, const vv_array *a, const char *text)
{
    vv_dataset *d = a->origin;
    for (int v = 0; text && v < d->file->meta->n_vars; v++)
        if (in_list(text, stored(d, v)->name) && fits(d, v, a)) VV_TRY(carry(o, d, v));
    return VV_OK;
}

vv_status vv_outfile_carry_coordinates(vv_output *o, const vv_array *a)
{
    vv_dataset *d = a->origin;
    o->globals = d;
    for (int v = 0; v < d->file->meta->n_vars; v++) {
        if (d->role[v] != VV_ROLE_COORDINATE || !fits(d, v, a)) continue;
        VV_TRY(carry(o, d, v));
        const char *bounds = vv_attr_text(&stored(d, v)->attrs, "bounds");
        int b = bounds ? vv_meta_find_var(d->file->meta, bounds) : -1;
        if (b >= 0) VV_TRY(carry(o, d, b));
    }
    VV_TRY(carry_named(o, a, vv_attr_text(&a->attrs, "coordinates")));
    return carry_named(o, a, vv_attr_text(&a->attrs, "grid_mapping"));
}
