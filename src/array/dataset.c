/* Opened files: the public view of a vv_meta, with the roles that CF gives its variables. */
#include "array/joined/joined.h"
#include "base/calendar.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const vv_meta no_meta;

static const vv_meta *meta_of(const vv_dataset *d)
{
    return d->file ? d->file->meta : &no_meta;
}

/* Never handed out as fine: used when there is no memory for a dataset. */
static vv_dataset last_resort = {.status = VV_ERR_NOMEM,
                                 .error = {.code = VV_ERR_NOMEM, .text = "no memory for a dataset"}};

vv_dataset *vv_dataset_new(vv_context *c, const char *path)
{
    vv_dataset *d;
    if (vv_new(&d, 1, sizeof *d) != VV_OK) return &last_resort;
    d->context = c;
    d->next = c->datasets;
    d->n_files = 1;
    c->datasets = d;
    d->status = vv_strdup(&d->path, path);
    if (d->status != VV_OK) vv_error_get(&d->error);
    return d;
}

void vv_dataset_settle(vv_dataset *d, vv_status status)
{
    if (status == VV_OK || d == &last_resort) return;
    d->status = status;
    vv_error_get(&d->error);
    vv_file_close(&d->file);
}

vv_dataset *vv_dataset_find_in(vv_context *c, const char *path)
{
    for (vv_dataset *d = c->datasets; d; d = d->next)
        if (d->path && d->n_files == 1 && !d->outdated && !strcmp(d->path, path)) return d;
    return NULL;
}

static vv_status find_roles(vv_dataset *d)
{
    VV_TRY(vv_new(&d->role, (size_t)d->file->meta->n_vars, sizeof *d->role));
    vv_cf_roles(d->file->meta, d->role);
    return VV_OK;
}

static vv_status open_file(vv_dataset *d, const char *path)
{
    VV_TRY(vv_file_open(path, &d->file));
    return find_roles(d);
}

vv_dataset *vv_dataset_open_in(vv_context *c, const char *path)
{
    vv_dataset *d = vv_dataset_find_in(c, path);
    if (d) return d;
    d = vv_dataset_new(c, path);
    if (d->status == VV_OK) vv_dataset_settle(d, open_file(d, path));
    return d;
}

vv_dataset *vv_dataset_of_file(vv_context *c, vv_file **file)
{
    vv_dataset *d = vv_dataset_new(c, (*file)->path);
    if (d->status != VV_OK) {
        vv_file_close(file);
        return d;
    }
    d->file = *file;
    *file = NULL;
    vv_dataset_settle(d, find_roles(d));
    return d;
}

vv_status vv_dataset_status(const vv_dataset *d)
{
    if (d->status != VV_OK) vv_error_set(&d->error);
    return d->status;
}

const char *vv_dataset_path(const vv_dataset *d)
{
    return d->path ? d->path : "";
}

int vv_dataset_n_files(const vv_dataset *d)
{
    return d->n_files;
}

const char *vv_dataset_file(const vv_dataset *d, int i)
{
    if (i < 0 || i >= d->n_files || !d->file) return "";
    return d->n_files == 1 ? vv_dataset_path(d) : vv_joined_file(d, i);
}

const char *vv_dataset_format(const vv_dataset *d)
{
    return meta_of(d)->format ? meta_of(d)->format : "";
}

int vv_dataset_n_dims(const vv_dataset *d)
{
    return meta_of(d)->n_dims;
}

vv_dim_info vv_dataset_dim(const vv_dataset *d, int i)
{
    const vv_meta *m = meta_of(d);
    if (i < 0 || i >= m->n_dims) return (vv_dim_info){.name = ""};
    return (vv_dim_info){m->dim[i].name, m->dim[i].length, m->dim[i].unlimited};
}

int vv_dataset_n_vars(const vv_dataset *d)
{
    return meta_of(d)->n_vars;
}

vv_var_info vv_dataset_var(const vv_dataset *d, int i)
{
    const vv_meta *m = meta_of(d);
    if (i < 0 || i >= m->n_vars) return (vv_var_info){.name = ""};
    const vv_variable *v = &m->var[i];
    vv_var_info info = {
        .name = v->name,
        .role = d->role[i],
        .type = v->type,
        .type_text = v->type_text ? v->type_text : vv_dtype_name(v->type),
        .n_dims = v->shape.nd,
        .dim = v->dim,
        .shape = v->shape.n,
        .chunked = v->layout == VV_LAYOUT_CHUNKED,
        .chunk = v->chunk,
        .deflate = v->deflate,
        .zstd = v->zstd,
        .shuffle = v->shuffle,
        .fletcher32 = v->fletcher32,
        .stored = v->stored,
        .slow_path = v->fast ? NULL : v->why_not_fast,
        .n_attrs = v->attrs.n,
    };
    vv_decode decode;
    if (v->type != VV_NONE && vv_working_type(v->type) != VV_NONE && vv_cf_decode(v, &decode, &info.decoded) == VV_OK)
        info.memory = vv_times(vv_shape_elements(&v->shape), vv_dtype_size(info.decoded));
    return info;
}

/* The nearest name, else all of them, if these are few. names: NULL where there was no memory for them. */
static void not_there(const vv_dataset *d, const char *what, const char *name, const char *const names[], int n)
{
    enum { FEW = 16 };
    vv_buf all = {0};
    const char *near = names ? vv_nearest(name, names, n) : NULL;
    if (near) vv_buf_printf(&all, "; did you mean '%s'?", near);
    for (int i = 0; names && !near && n <= FEW && i < n; i++)
        vv_buf_printf(&all, "%s%s", i ? ", " : "; it has ", names[i]);
    (void)vv_fail(VV_ERR_NOT_FOUND, "%s has no %s '%s'%s", d->path, what, name, all.data ? all.data : "");
    vv_buf_free(&all);
}

int vv_dataset_find_var(const vv_dataset *d, const char *name)
{
    if (vv_dataset_status(d) != VV_OK) return -1;
    const vv_meta *m = meta_of(d);
    int i = vv_meta_find_var(m, name);
    if (i >= 0) return i;
    const char **names = malloc(sizeof *names * (size_t)(m->n_vars + 1));
    for (int v = 0; names && v < m->n_vars; v++) names[v] = m->var[v].name;
    not_there(d, "variable", name, names, m->n_vars);
    free(names);
    return -1;
}

int vv_dataset_find_dim(const vv_dataset *d, const char *name)
{
    if (vv_dataset_status(d) != VV_OK) return -1;
    const vv_meta *m = meta_of(d);
    int i = vv_meta_find_dim(m, name);
    if (i >= 0) return i;
    const char **names = malloc(sizeof *names * (size_t)(m->n_dims + 1));
    for (int v = 0; names && v < m->n_dims; v++) names[v] = m->dim[v].name;
    not_there(d, "dimension", name, names, m->n_dims);
    free(names);
    return -1;
}

static const vv_attrs *attrs_of(const vv_dataset *d, int var)
{
    const vv_meta *m = meta_of(d);
    return var >= 0 && var < m->n_vars ? &m->var[var].attrs : &m->attrs;
}

int vv_dataset_n_attrs(const vv_dataset *d, int var)
{
    return attrs_of(d, var)->n;
}

vv_attr_info vv_dataset_attr(const vv_dataset *d, int var, int i)
{
    const vv_attrs *a = attrs_of(d, var);
    if (i < 0 || i >= a->n) return (vv_attr_info){.name = ""};
    return (vv_attr_info){a->item[i].name, a->item[i].type, a->item[i].count, a->item[i].data};
}

const char *vv_dataset_attr_text(const vv_dataset *d, int var, const char *name)
{
    return vv_attr_text(attrs_of(d, var), name);
}

static void decode_all(const vv_decode *d, const void *elements, vv_index n, double *out)
{
    _Alignas(64) char tile[VV_TILE * VV_WIDEST];
    vv_bytes size = vv_dtype_size(d->out);
    for (vv_index done = 0; done < n; done += VV_TILE) {
        vv_index some = vv_imin(VV_TILE, n - done);
        vv_decode_range(d, elements, n, done, some, tile);
        for (vv_index i = 0; i < some; i++) out[done + i] = vv_dtype_load(d->out, tile + i * size);
    }
}

vv_status vv_dataset_read(vv_dataset *d, int var, double *out, vv_index count)
{
    VV_TRY(vv_dataset_status(d));
    const vv_meta *m = meta_of(d);
    if (var < 0 || var >= m->n_vars) return vv_fail(VV_ERR_USAGE, "%s has no variable number %d", d->path, var);
    const vv_variable *v = &m->var[var];
    vv_index n = vv_shape_elements(&v->shape);
    if (v->type == VV_NONE) return vv_fail(VV_ERR_TYPE, "%s: variable '%s' holds no numbers", d->path, v->name);
    if (n > count)
        return vv_fail(VV_ERR_USAGE, "%s: '%s' has %lld values, room for %lld", d->path, v->name, (long long)n,
                       (long long)count);
    if (n == 0) return VV_OK;
    vv_decode decode;
    vv_dtype type;
    VV_TRY(vv_cf_decode(v, &decode, &type));
    decode.swap = false; /* the driver's reading has done that */
    vv_box whole = {.nd = v->shape.nd};
    for (int i = 0; i < v->shape.nd; i++) whole.n[i] = v->shape.n[i];
    char *raw;
    VV_TRY(vv_mem_get(&raw, vv_times(n, vv_dtype_size(v->type)), "a coordinate"));
    vv_status status = d->file->format->read(d->file, var, &whole, raw);
    if (status == VV_OK) decode_all(&decode, raw, n, out);
    vv_mem_put(&raw);
    return status == VV_OK ? VV_OK : vv_error_prefix("%s: variable '%s'", d->path, v->name);
}

vv_array *vv_dataset_array(vv_dataset *d, const char *variable)
{
    int var = vv_dataset_find_var(d, variable);
    if (d == &last_resort) return vv_node_inert(d->context);
    return var < 0 ? vv_node_inert(d->context) : vv_node_open(d, var, true);
}

vv_array *vv_dataset_stored(vv_dataset *d, const char *variable)
{
    int var = vv_dataset_find_var(d, variable);
    return var < 0 ? vv_node_inert(d->context) : vv_node_open(d, var, false);
}

/* Every attribute of one that tells of packing is there in the other, with the same value. */
static bool has_packing_of(const vv_attrs *a, const vv_attrs *b)
{
    for (int i = 0; i < a->n; i++) {
        const vv_attr *x = &a->item[i], *y = vv_attr_find(b, x->name);
        if (!vv_cf_is_packing(x->name) || !strcmp(x->name, "actual_range")) continue;
        vv_bytes size = x->type == VV_NONE ? 1 : vv_dtype_size(x->type);
        if (!y || x->type != y->type || x->count != y->count || memcmp(x->data, y->data, (size_t)(x->count * size)))
            return false;
    }
    return true;
}

bool vv_dataset_packed_alike(const vv_dataset *a, const vv_dataset *b, const char *variable)
{
    int i = vv_meta_find_var(meta_of(a), variable), k = vv_meta_find_var(meta_of(b), variable);
    if (i < 0 || k < 0) return false;
    const vv_variable *v = &meta_of(a)->var[i], *w = &meta_of(b)->var[k];
    return v->type == w->type && has_packing_of(&v->attrs, &w->attrs) && has_packing_of(&w->attrs, &v->attrs);
}

static void date_text(const vv_date *t, char *out, size_t size)
{
    int n = snprintf(out, size, "%04lld-%02d-%02d", (long long)t->year, t->month, t->day);
    if (n < 0 || (size_t)n >= size || !(t->hour || t->minute || t->second)) return;
    snprintf(out + n, size - (size_t)n, t->second ? " %02d:%02d:%02d" : " %02d:%02d", t->hour, t->minute, t->second);
}

bool vv_dataset_time_text(const vv_dataset *d, int var, double value, char *out, size_t size)
{
    const char *units = vv_dataset_attr_text(d, var, "units");
    vv_time_axis axis;
    vv_date date;
    if (size == 0 || !units || !vv_time_is_units(units)) return false;
    if (vv_time_parse(units, vv_dataset_attr_text(d, var, "calendar"), &axis) != VV_OK ||
        vv_time_decode(&axis, value, &date) != VV_OK) {
        vv_error_clear();
        return false;
    }
    date_text(&date, out, size);
    return true;
}
