#include "session/output/file.h"

#include "array/text.h"
#include "base/log.h"

#include <math.h>
#include <stdio.h>
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

/* --- storage that is kept --- */

/* The stored variable that an array's elements are moved from, unchanged; NULL when they are computed. The first one, where there are several. *rechunked: on
 * the way they got other chunks. */
static const vv_variable *moved_from(const vv_array *a, bool *rechunked)
{
    vv_dtype type = a->dtype;
    for (*rechunked = false; a->kind == VV_NODE_VIEW || a->kind == VV_NODE_RECHUNK; a = a->input[0]) {
        *rechunked = *rechunked || a->kind == VV_NODE_RECHUNK;
        if (a->n_inputs == 0) return NULL;
    }
    if (a->kind != VV_NODE_OPEN) return NULL;
    const vv_variable *v = stored(a->origin, a->var);
    return v->type == type || a->text == VV_TEXT_CHARS ? v : NULL;
}

/* The variable that an item is stored like. What is carried over always is. */
static const vv_variable *stored_like(const vv_output *o, const vv_item *item, bool *rechunked)
{
    *rechunked = false;
    if (!item->array || (!o->options.like_input && item->array->kind != VV_NODE_OPEN)) return NULL;
    return moved_from(item->array, rechunked);
}

static bool is_compressed(const vv_output *o)
{
    const vv_encoding *e = &o->encoding;
    return e->says_filter ? e->deflate > 0 || e->zstd > 0 : o->options.deflate > 0;
}

bool vv_item_keeps_chunks(const vv_output *o, const vv_item *item)
{
    enum { CRUMB = 4096 };
    bool rechunked;
    const vv_variable *like = stored_like(o, item, &rechunked);
    vv_bytes chunk = like ? vv_variable_element(like) : 0;
    if (!like) return false;
    if (rechunked || like->layout != VV_LAYOUT_CHUNKED) return rechunked;
    for (int d = 0; d < like->shape.nd; d++) chunk = vv_times(chunk, like->chunk[d]);
    return chunk >= CRUMB;
}

void vv_item_filters(const vv_output *o, const vv_item *item, vv_variable *v)
{
    bool rechunked;
    const vv_variable *like = stored_like(o, item, &rechunked);
    v->deflate = -1;
    if (!vv_item_needs_chunks(o, item) || item->strings) return; /* of strings only their places would be compressed */
    if (o->encoding.says_filter || o->options.deflate >= 0) {
        int deflate = o->encoding.says_filter ? o->encoding.deflate : o->options.deflate;
        v->deflate = deflate > 0 ? deflate : -1;
        v->zstd = o->encoding.zstd;
        v->shuffle = o->options.shuffle && is_compressed(o);
    } else if (like) {
        v->deflate = like->deflate;
        v->zstd = like->zstd;
        v->shuffle = (like->deflate >= 0 || like->zstd > 0) && like->shuffle && o->options.shuffle;
        v->fletcher32 = like->fletcher32;
        if (v->shuffle == like->shuffle) { /* netCDF takes sums of what goes into the filters, h5py of what comes out */
            v->n_filters = like->n_filters;
            memcpy(v->filter, like->filter, sizeof v->filter);
        }
    }
}

/* --- dimensions --- */

/* A dimension that is as it was in its file, under its name there. */
static bool intact(const vv_array *a, int d)
{
    const vv_coord *c = &a->coord[d];
    return c->from && !c->moved && vv_meta_find_dim(c->from->file->meta, a->dim[d]) >= 0 &&
           (c->var < 0 || !strcmp(stored(c->from, c->var)->name, a->dim[d]));
}

/* A dimension that could grow can do so still: as long as it has all of its elements, or periods of them, or the output is like its input. */
static bool could_grow(const vv_output *o, const vv_array *a, int d)
{
    const vv_coord *c = &a->coord[d];
    int dim = c->from ? vv_meta_find_dim(c->from->file->meta, a->dim[d]) : -1;
    if (dim < 0 || !c->from->file->meta->dim[dim].unlimited) return false;
    return o->options.like_input || c->bounds ||
           (intact(a, d) && c->from->file->meta->dim[dim].length == a->shape.n[d]);
}

static bool can_grow(const vv_output *o, const vv_array *a, int d)
{
    return vv_encoding_unlimited(&o->encoding, a->dim[d], could_grow(o, a, d));
}

bool vv_item_needs_chunks(const vv_output *o, const vv_item *item)
{
    const vv_array *a = item->array;
    if (a) {
        bool rechunked;
        const vv_variable *like = stored_like(o, item, &rechunked);
        if (a->shape.nd == 0) return false;
        for (int d = 0; d < a->shape.nd; d++)
            if (can_grow(o, a, d)) return true;
        return is_compressed(o) || item->chunk[0] > 0 || (like && (rechunked || like->layout == VV_LAYOUT_CHUNKED));
    }
    if (!item->carried) return false;
    for (int k = 0; k < stored(item->carried, item->var)->shape.nd; k++) {
        const vv_dim *d = stored_dim(item->carried, item->var, k);
        if (vv_encoding_unlimited(&o->encoding, d->name, d->unlimited)) return true;
    }
    return false;
}

bool vv_outfile_can_grow(const vv_output *o)
{
    for (int i = 0; i < o->n_items; i++)
        for (int d = 0; o->item[i].array && d < o->item[i].array->shape.nd; d++)
            if (can_grow(o, o->item[i].array, d)) return true;
    return false;
}

vv_dtype vv_item_type(const vv_output *o, const vv_item *item)
{
    bool kept = item->copied || item->array->text != VV_TEXT_NOT;
    return kept ? item->array->dtype : vv_encoding_type(&o->encoding, item->array->dtype);
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

static vv_status own_fill_value(vv_variable *v)
{
    const vv_attr *a = vv_attr_find(&v->attrs, "_FillValue");
    double value;
    if (a->type == v->type && a->count > 0)
        memcpy(v->fill, a->data, (size_t)vv_dtype_size(v->type));
    else if (vv_attr_number(&v->attrs, "_FillValue", 0, &value))
        vv_dtype_store(v->type, v->fill, value);
    return VV_OK;
}

static vv_status set_type_text(vv_variable *v, const char *text)
{
    free(v->type_text);
    v->type_text = NULL;
    return vv_strdup(&v->type_text, text ? text : "");
}

/* An attribute that names variables keeps those that the output has. */
static vv_status keep_names(const vv_output *o, vv_attrs *attrs, const char *attribute)
{
    const char *text = vv_attr_text(attrs, attribute);
    vv_buf kept = {0};
    while (text && *text) {
        char name[256];
        text += strspn(text, " ");
        size_t n = strcspn(text, " ");
        snprintf(name, sizeof name, "%.*s", (int)vv_imin((vv_index)n, 255), text);
        if (n > 0 && vv_output_has(o, name)) vv_buf_printf(&kept, kept.size ? " %s" : "%s", name);
        text += n;
    }
    vv_status status = vv_buf_status(&kept);
    if (status == VV_OK && kept.size) status = vv_attr_set_text(attrs, attribute, kept.data);
    if (status == VV_OK && !kept.size) vv_attr_remove(attrs, attribute);
    vv_buf_free(&kept);
    return status;
}

/* Stored elements that were moved keep their own fill value, or have none. */
static bool is_stored(const vv_array *a)
{
    bool unused;
    if (!moved_from(a, &unused)) return false;
    while (a->kind != VV_NODE_OPEN) a = a->input[0];
    return a->decode.n_missing == 0;
}

static vv_status add_name(vv_attrs *attrs, const char *attribute, const char *name)
{
    const char *text = vv_attr_text(attrs, attribute);
    vv_buf b = {0};
    vv_buf_printf(&b, "%s%s%s", text ? text : "", text ? " " : "", name);
    vv_status status = vv_buf_status(&b);
    if (status == VV_OK) status = vv_attr_set_text(attrs, attribute, b.data);
    vv_buf_free(&b);
    return status;
}

/* Attributes that speak of elements as they were stored, or of their type. */
static const char *const of_the_type[] = {"missing_value", "valid_range", "valid_min", "valid_max"};

/* Floats that become integers get a value for missing ones, which no other may have. Whole numbers have none missing. */
static vv_status change_type(const vv_item *item, vv_variable *v)
{
    bool was_real = vv_dtype_is_float(item->array->dtype);
    for (size_t i = 0; i < sizeof of_the_type / sizeof *of_the_type; i++) vv_attr_remove(&v->attrs, of_the_type[i]);
    vv_attr_remove(&v->attrs, "_FillValue");
    vv_encoding_fill(v->type, item->packed, v->fill);
    if (!was_real && !vv_dtype_is_float(v->type)) return VV_OK;
    VV_TRY(vv_attr_set(&v->attrs, "_FillValue", v->type, 1, v->fill));
    if (!item->packed) return VV_OK;
    VV_TRY(vv_attr_set(&v->attrs, "scale_factor", VV_F64, 1, &item->scale));
    return vv_attr_set(&v->attrs, "add_offset", VV_F64, 1, &item->offset);
}

static vv_status note_quantizer(const vv_output *o, const vv_item *item, vv_variable *v)
{
    const vv_quantize *q = &o->encoding.quantize;
    const int32_t keep = q->keep;
    for (int how = VV_BIT_GROOM; how <= VV_GRANULAR_BIT_ROUND && !item->copied; how++)
        vv_attr_remove(&v->attrs, vv_quantize_attribute((vv_quantizer)how));
    if (q->how == VV_QUANTIZE_NOT || item->copied || !vv_dtype_is_float(v->type)) return VV_OK;
    if (keep > vv_quantize_most(q->how, v->type))
        return vv_fail(VV_ERR_USAGE, "variable '%s': elements of %s keep at most %d %s, not %d", v->name,
                       vv_dtype_name(v->type), vv_quantize_most(q->how, v->type),
                       q->how == VV_BIT_ROUND ? "bits" : "digits", keep);
    return vv_attr_set(&v->attrs, vv_quantize_attribute(q->how), VV_I32, 1, &keep);
}

static vv_status computed_variable(const vv_output *o, vv_meta *m, const vv_item *item)
{
    const vv_array *a = item->array;
    vv_variable *v;
    VV_TRY(vv_meta_add_var(m, item->name, vv_item_type(o, item), &v));
    VV_TRY(vv_attrs_copy(&v->attrs, &a->attrs));
    VV_TRY(keep_names(o, &v->attrs, "coordinates"));
    VV_TRY(keep_names(o, &v->attrs, "ancillary_variables"));
    for (int d = 0; d < a->shape.nd; d++) VV_TRY(add_dim(m, a->dim[d], a->shape.n[d], can_grow(o, a, d), v));
    if (a->text != VV_TEXT_NOT) {
        v->type = VV_NONE;
        return set_type_text(v, a->text == VV_TEXT_CHARS ? VV_CHARS : VV_STRINGS);
    }
    VV_TRY(note_quantizer(o, item, v));
    if (v->type != a->dtype) return change_type(item, v);
    if (vv_attr_find(&v->attrs, "_FillValue")) return own_fill_value(v); /* what is not decoded keeps its own */
    return vv_dtype_is_float(a->dtype) && !(o->options.like_input && is_stored(a)) ? fill_value(a, v) : VV_OK;
}

static vv_status carried_variable(const vv_output *o, vv_meta *m, const vv_item *item)
{
    const vv_variable *from = stored(item->carried, item->var);
    vv_variable *v;
    VV_TRY(vv_meta_add_var(m, item->name, from->type, &v));
    if (from->type == VV_NONE) VV_TRY(set_type_text(v, from->type_text));
    VV_TRY(vv_attrs_copy(&v->attrs, &from->attrs));
    memcpy(v->fill, from->fill, sizeof v->fill);
    for (int k = 0; k < from->shape.nd; k++) {
        const vv_dim *d = stored_dim(item->carried, item->var, k);
        VV_TRY(add_dim(m, d->name, d->length, vv_encoding_unlimited(&o->encoding, d->name, d->unlimited), v));
    }
    return VV_OK;
}

/* Every value is one of the type's. */
static bool all_fit(vv_dtype type, const vv_values *v)
{
    unsigned char element[16];
    for (vv_index i = 0; i < v->n; i++) {
        if (vv_dtype_is_integer(type) && isnan(v->at[i])) return false;
        vv_dtype_store(type, element, v->at[i]);
        double back = vv_dtype_load(type, element);
        if (back != v->at[i] && !(isnan(back) && isnan(v->at[i]))) return false;
    }
    return true;
}

/* The type of the file's own coordinate, where it holds the values; whole numbers without a file are small integers, which every program reads. */
static vv_dtype made_type(const vv_coord *c)
{
    vv_dtype type = c->from && c->var >= 0 ? stored(c->from, c->var)->type : VV_I32;
    if (vv_coord_is_text(c)) return VV_NONE;
    return all_fit(type, c->value) ? type : VV_F64;
}

static vv_status made_variable(const vv_output *o, vv_meta *m, const vv_item *item)
{
    vv_variable *v;
    const vv_coord *c = &item->made;
    VV_TRY(vv_meta_add_var(m, item->name, made_type(c), &v));
    if (v->type == VV_NONE) VV_TRY(set_type_text(v, VV_STRINGS));
    if (item->made_as == VV_MADE_BOUNDS) {
        if (item->cell_dim)
            VV_TRY(add_dim(m, item->cell_dim, c->value->n / 2,
                           vv_encoding_unlimited(&o->encoding, item->cell_dim, false), v));
        return add_dim(m, item->bounds_dim, 2, false, v);
    }
    if (c->from && c->var >= 0) {
        const char *bounds = vv_attr_text(&stored(c->from, c->var)->attrs, "bounds");
        VV_TRY(vv_cf_moved_attrs(&v->attrs, &stored(c->from, c->var)->attrs));
        if (bounds && vv_output_has(o, bounds)) VV_TRY(vv_attr_set_text(&v->attrs, "bounds", bounds));
    } else {
        VV_TRY(vv_cf_group_attrs(&v->attrs, item->name));
    }
    if (item->bounds) VV_TRY(vv_attr_set_text(&v->attrs, "bounds", item->bounds));
    const char *dim = item->made_as == VV_MADE_CELL ? item->cell_dim : item->name;
    return dim ? add_dim(m, dim, c->value->n, vv_encoding_unlimited(&o->encoding, dim, false), v) : VV_OK;
}

static vv_status add_variable(const vv_output *o, vv_meta *m, const vv_item *item)
{
    if (item->array) return computed_variable(o, m, item);
    return item->carried ? carried_variable(o, m, item) : made_variable(o, m, item);
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
    for (int i = 0; i < o->n_items; i++) {
        const vv_item *item = &o->item[i];
        VV_TRY(add_variable(o, m, item));
        if (item->made_as == VV_MADE_CELL && !item->cell_dim) VV_TRY(add_name(&m->attrs, "coordinates", item->name));
    }
    return vv_encoding_check(&o->encoding, m);
}

vv_status vv_outfile_meta(const vv_output *o, vv_meta **out)
{
    VV_TRY(vv_meta_new(out));
    if (o->encoding.plain) VV_TRY(vv_strdup(&(*out)->format, VV_PLAIN_HDF5));
    return fill_meta(o, *out);
}

/* --- carrying over --- */

/* Characters, and strings unless they are too many. What is neither number nor text stays behind. */
static vv_status is_carried_text(vv_dataset *d, int var, bool *out)
{
    const vv_variable *v = stored(d, var);
    const int64_t *number;
    vv_failure why;
    *out = vv_variable_is(v, VV_CHARS);
    if (*out || v->type != VV_NONE) return VV_OK;
    if (!vv_variable_is(v, VV_STRINGS)) {
        vv_say(VV_LOG_WARN, "%s: variable '%s' (%s) is not carried over: only numbers and text are", d->path, v->name,
               v->type_text ? v->type_text : "unknown");
        return VV_OK;
    }
    vv_status status = vv_texts_of(d, var, &number);
    *out = status == VV_OK;
    if (status != VV_ERR_UNSUPPORTED) return status;
    vv_error_get(&why);
    vv_say(VV_LOG_WARN, "%s; it is not carried over", why.text);
    vv_error_clear();
    return VV_OK;
}

static vv_status carry(vv_output *o, vv_dataset *d, int var)
{
    const vv_variable *v = stored(d, var);
    if (vv_output_has(o, v->name)) return VV_OK;
    bool text;
    VV_TRY(is_carried_text(d, var, &text));
    if (v->type == VV_NONE && !text) return VV_OK;
    vv_bytes bytes = vv_times(vv_shape_elements(&v->shape), vv_dtype_size(v->type));
    if (text || bytes <= CARRY_ALONE || vv_working_type(v->type) == VV_NONE)
        return vv_output_add_item(o, v->name, NULL, d, var);
    vv_array *copy = vv_node_open(d, var, false);
    vv_status status = vv_array_status(copy);
    if (status != VV_OK) {
        vv_release(&copy);
        return status;
    }
    VV_TRY(vv_output_add_item(o, v->name, copy, NULL, -1));
    o->item[o->n_items - 1].copied = true;
    return VV_OK;
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

/* All dimensions of the stored variable are the array's, where they were. */
static bool fits(const vv_dataset *d, int var, const vv_array *a)
{
    for (int k = 0; k < stored(d, var)->shape.nd; k++) {
        int at = 0;
        while (at < a->shape.nd && strcmp(a->dim[at], stored_dim(d, var, k)->name)) at++;
        if (at == a->shape.nd || a->coord[at].from != d || !intact(a, at)) return false;
    }
    return true;
}

/* Variables that an attribute names, where they fit. */
static vv_status carry_named(vv_output *o, const vv_array *a, const char *text)
{
    vv_dataset *d = a->origin;
    for (int v = 0; d && text && v < d->file->meta->n_vars; v++)
        if (in_list(text, stored(d, v)->name) && fits(d, v, a)) VV_TRY(carry(o, d, v));
    return VV_OK;
}

static vv_status carry_with_bounds(vv_output *o, vv_dataset *d, int var)
{
    VV_TRY(carry(o, d, var));
    const char *bounds = vv_attr_text(&stored(d, var)->attrs, "bounds");
    int b = bounds ? vv_meta_find_var(d->file->meta, bounds) : -1;
    return b >= 0 ? carry(o, d, b) : VV_OK;
}

/* An item of values (taken over, whatever happens) that speak of dimension d. */
static vv_status make_item(vv_output *o, const char *name, const vv_array *a, int d, vv_values *v, vv_item **out)
{
    vv_status status = vv_output_add_item(o, name, NULL, NULL, -1);
    if (status != VV_OK) {
        vv_values_free(&v);
        return status;
    }
    *out = &o->item[o->n_items - 1];
    (*out)->made = a->coord[d];
    (*out)->made.value = v;
    (*out)->made.bounds = NULL;
    return VV_OK;
}

/* Bounds of all positions: called as in the input, where it has any. *bounds is their name, NULL when there are none. */
static vv_status make_bounds(vv_output *o, const vv_array *a, int d, const char **bounds)
{
    const vv_coord *c = &a->coord[d];
    const char *usual = c->from && c->var >= 0 ? vv_attr_text(&stored(c->from, c->var)->attrs, "bounds") : NULL;
    const char *dim = vv_outfile_bounds_dim(o, NULL, a->dim[d]);
    char name[300];
    vv_item *item;
    *bounds = NULL;
    snprintf(name, sizeof name, usual ? "%.255s" : "%.255s_bnds", usual ? usual : a->dim[d]);
    if (!c->bounds || !dim || vv_output_has(o, name)) return VV_OK;
    VV_TRY(make_item(o, name, a, d, vv_values_share(c->bounds), &item));
    item->made_as = VV_MADE_BOUNDS;
    item->cell_dim = a->dim[d];
    item->bounds_dim = dim;
    *bounds = item->name;
    return VV_OK;
}

static vv_status make(vv_output *o, const vv_array *a, int d)
{
    vv_values *v;
    const char *bounds;
    vv_item *item;
    VV_TRY(vv_coord_values(&a->coord[d], &v));
    if (!v || vv_output_has(o, a->dim[d])) {
        vv_values_free(&v);
        return VV_OK;
    }
    vv_status status = make_bounds(o, a, d, &bounds);
    if (status != VV_OK) {
        vv_values_free(&v);
        return status;
    }
    VV_TRY(make_item(o, a->dim[d], a, d, v, &item));
    item->bounds = bounds;
    return VV_OK;
}

vv_status vv_outfile_make_coordinates(vv_output *o, const vv_array *a)
{
    for (int d = 0; d < a->shape.nd; d++)
        if (!intact(a, d)) VV_TRY(make(o, a, d));
    return VV_OK;
}

vv_status vv_outfile_carry_coordinates(vv_output *o, const vv_array *a)
{
    if (a->origin) o->globals = a->origin;
    for (int d = 0; d < a->shape.nd; d++)
        if (intact(a, d) && a->coord[d].var >= 0) VV_TRY(carry_with_bounds(o, a->coord[d].from, a->coord[d].var));
    VV_TRY(vv_outfile_make_coordinates(o, a));
    VV_TRY(carry_named(o, a, vv_attr_text(&a->attrs, "coordinates")));
    return carry_named(o, a, vv_attr_text(&a->attrs, "grid_mapping"));
}
