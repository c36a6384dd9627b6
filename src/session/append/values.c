#include "session/append/append.h"

#include "array/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const vv_meta *file_meta(const vv_output *o)
{
    return o->append->file->file->meta;
}

/* --- alike --- */

static bool same_attr(const vv_attr *a, const vv_attr *b)
{
    if (!a || !b) return a == b;
    vv_bytes size = a->type == VV_NONE ? 1 : vv_dtype_size(a->type);
    return a->type == b->type && a->count == b->count && !memcmp(a->data, b->data, (size_t)(size * a->count));
}

static bool has_packing_of(const vv_attrs *a, const vv_attrs *b)
{
    for (int i = 0; i < a->n; i++)
        if (vv_cf_is_packing(a->item[i].name) && strcmp(a->item[i].name, "actual_range") != 0 &&
            !same_attr(&a->item[i], vv_attr_find(b, a->item[i].name)))
            return false;
    return true;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

bool vv_append_alike(const vv_meta *a, int va, const vv_meta *b, int vb)
{
    const vv_variable *v = &a->var[va], *w = &b->var[vb];
    if (v->type != w->type || (v->type == VV_NONE && !same_text(v->type_text, w->type_text))) return false;
    if (!has_packing_of(&v->attrs, &w->attrs) || !has_packing_of(&w->attrs, &v->attrs)) return false;
    const char *units = vv_cf_text(a, va, "units"), *other = vv_cf_text(b, vb, "units");
    return !units || !other || !strcmp(units, other);
}

/* --- values in the file's own terms --- */

/* Numbers of an item, as a user sees them. */
static vv_status numbers(const vv_item *item, vv_index n, double out[])
{
    if (item->carried) return vv_dataset_read(item->carried, item->var, out, n);
    memcpy(out, item->made.value->at, (size_t)vv_imin(n, item->made.value->n) * sizeof *out);
    return VV_OK;
}

/* Whole numbers, for times that a double does not hold to the last digit; *exact is false where there are none. */
static vv_status whole_numbers(const vv_item *item, vv_index n, int64_t out[], bool *exact)
{
    const vv_variable *v = item->carried ? &item->carried->file->meta->var[item->var] : NULL;
    vv_decode d = {0};
    vv_dtype type;
    *exact = false;
    if (!v || !vv_dtype_is_integer(v->type)) return VV_OK;
    VV_TRY(vv_cf_decode(v, &d, &type));
    if (d.scaled || d.n_missing || d.out != VV_I64) return VV_OK;
    vv_box whole = {.nd = v->shape.nd};
    memcpy(whole.n, v->shape.n, sizeof whole.n);
    char *raw;
    VV_TRY(vv_mem_get(&raw, vv_times(n, vv_dtype_size(v->type)), "a coordinate"));
    vv_status status = item->carried->file->format->read(item->carried->file, item->var, &whole, raw);
    d.swap = false;
    if (status == VV_OK) vv_decode_range(&d, raw, n, 0, n, out);
    *exact = status == VV_OK;
    vv_mem_put(&raw);
    return status;
}

static vv_status does_not_fit(const vv_output *o, const vv_variable *v, const char *text)
{
    const char *units = vv_attr_text(&v->attrs, "units");
    return vv_fail(VV_ERR_TYPE, "cannot append to %s: variable '%s': %s is no %s there%s%s%s", o->path, v->name, text,
                   vv_dtype_name(v->type), units ? ", in '" : "", units ? units : "", units ? "'" : "");
}

/* Elements of a variable from numbers. Packed and real ones may be rounded, whole ones are what they are. */
static vv_status encode(const vv_output *o, const vv_variable *v, const double x[], vv_index n, void *out)
{
    vv_encode e;
    char text[64];
    VV_TRY(vv_append_encode(v, VV_F64, &e));
    vv_index bad = vv_encode_check(&e, x, n);
    for (vv_index i = 0; bad < 0 && i < n && vv_dtype_is_integer(v->type) && !e.scaled; i++)
        if (isfinite(x[i]) && x[i] != trunc(x[i])) bad = i;
    if (bad < 0) {
        vv_encode_range(&e, x, n, out);
        return VV_OK;
    }
    snprintf(text, sizeof text, "%.17g", x[bad]);
    return does_not_fit(o, v, text);
}

/* One time: as a whole number where the file has such. */
static vv_status store_time(const vv_output *o, const vv_variable *v, const vv_time_axis *to, vv_instant t, void *out)
{
    char text[64];
    vv_date date;
    int64_t whole;
    bool plain = vv_dtype_is_integer(v->type) && !vv_attr_find(&v->attrs, "scale_factor");
    if (!plain) return encode(o, v, &(double){vv_time_value(to, t)}, 1, out);
    if (vv_time_whole(to, t, &whole)) {
        vv_encode e = {.in = VV_I64, .to = v->type, .scale = 1, .checked = true};
        vv_encode_range(&e, &whole, 1, out);
        if (vv_encode_check(&e, &whole, 1) < 0) return VV_OK;
    }
    vv_time_date(to, t, &date);
    return does_not_fit(o, v, vv_date_text(&date, text));
}

typedef struct times {
    vv_time_axis from, to;
    bool exact;
    int64_t *whole;
    double *x;
} times;

static vv_status convert(const vv_output *o, const vv_variable *v, const times *t, vv_index n, char *out)
{
    vv_bytes size = vv_dtype_size(v->type);
    for (vv_index i = 0; i < n; i++) {
        vv_instant at;
        if (!t->exact && isnan(t->x[i])) {
            VV_TRY(encode(o, v, &t->x[i], 1, out + i * size));
            continue;
        }
        VV_TRY(t->exact ? vv_time_instant_int(&t->from, t->whole[i], &at) : vv_time_instant(&t->from, t->x[i], &at));
        VV_TRY(store_time(o, v, &t->to, at, out + i * size));
    }
    return VV_OK;
}

/* Numbers, or times in other units than those of the file. */
static vv_status put_numbers(const vv_output *o, const vv_item *item, const vv_meta *here, int var, vv_index n,
                             void *out)
{
    const vv_meta *there = file_meta(o);
    const vv_variable *v = &there->var[item->base];
    const char *units = vv_cf_text(here, var, "units"), *their = vv_cf_text(there, item->base, "units");
    bool moved = units && their && strcmp(units, their) != 0; /* matched: both are times */
    times t = {0};
    vv_status status = vv_mem_get(&t.x, vv_times(n, sizeof *t.x), "a coordinate");
    if (status == VV_OK) status = numbers(item, n, t.x);
    if (status == VV_OK && !moved) status = encode(o, v, t.x, n, out);
    if (status == VV_OK && moved) {
        status = vv_mem_get(&t.whole, vv_times(n, sizeof *t.whole), "a coordinate");
        if (status == VV_OK) status = whole_numbers(item, n, t.whole, &t.exact);
        if (status == VV_OK) status = vv_time_parse(units, vv_cf_text(here, var, "calendar"), &t.from);
        if (status == VV_OK) status = vv_time_parse(their, vv_cf_text(there, item->base, "calendar"), &t.to);
        if (status == VV_OK) status = convert(o, v, &t, n, out);
    }
    vv_mem_put(&t.whole);
    vv_mem_put(&t.x);
    return status;
}

vv_status vv_append_times(const vv_output *o, vv_item *item)
{
    const vv_variable *v = &file_meta(o)->var[item->base];
    vv_index n = item->bytes / (vv_bytes)sizeof(double);
    times t = {.from = item->times->from, .to = item->times->to, .x = item->values};
    void *out;
    VV_TRY(vv_mem_get(&out, vv_times(n, vv_dtype_size(v->type)), "times"));
    vv_status status = convert(o, v, &t, n, out);
    vv_mem_put(&item->values);
    item->values = out;
    item->bytes = n * vv_dtype_size(v->type);
    return status;
}

/* Strings by their numbers. */
static vv_status put_strings(const vv_item *item, vv_index n, int64_t out[])
{
    const int64_t *number;
    const vv_values *made = item->made.value;
    for (vv_index i = 0; made && i < n; i++) out[i] = isnan(made->at[i]) ? 0 : (int64_t)made->at[i];
    if (made) return VV_OK;
    VV_TRY(vv_texts_of(item->carried, item->var, &number));
    memcpy(out, number, (size_t)n * sizeof *out);
    return VV_OK;
}

/* The same bytes mean the same. */
static vv_status put_stored(const vv_item *item, void *out)
{
    vv_file *f = item->carried->file;
    vv_box whole = {.nd = f->meta->var[item->var].shape.nd};
    memcpy(whole.n, f->meta->var[item->var].shape.n, sizeof whole.n);
    vv_status status = f->format->read(f, item->var, &whole, out);
    return status == VV_OK ? VV_OK : vv_error_prefix("%s: variable '%s'", item->carried->path, item->name);
}

vv_status vv_append_values(vv_output *o, vv_item *item, const vv_meta *here, int var)
{
    const vv_meta *there = file_meta(o);
    const vv_variable *v = &there->var[item->base];
    vv_index n = vv_shape_elements(&here->var[var].shape);
    item->strings = vv_variable_is(v, VV_STRINGS) && vv_variable_is(&here->var[var], VV_STRINGS);
    bool alike = item->carried && vv_append_alike(here, var, there, item->base);
    if (v->type != VV_NONE && vv_working_type(v->type) == VV_NONE && !alike)
        return vv_fail(VV_ERR_TYPE, "cannot append to %s: variable '%s' is of another type than %s here", o->path,
                       v->name, vv_dtype_name(v->type));
    item->bytes = vv_times(n, item->strings ? (vv_bytes)sizeof(int64_t) : vv_variable_element(v));
    if (n > 0) {
        VV_TRY(vv_mem_get(&item->values, item->bytes, "a coordinate"));
        VV_TRY(item->strings ? put_strings(item, n, item->values)
               : alike       ? put_stored(item, item->values)
                             : put_numbers(o, item, here, var, n, item->values));
    }
    item->carried = NULL;
    vv_coord_free(&item->made);
    item->gathered = true;
    return VV_OK;
}

/* --- order --- */

static vv_status decoded(const vv_variable *v, const void *elements, vv_index n, double out[])
{
    vv_decode d;
    vv_dtype type;
    VV_TRY(vv_cf_decode(v, &d, &type));
    d.swap = false;
    for (vv_index i = 0; i < n; i++) {
        unsigned char value[16];
        vv_decode_range(&d, elements, n, i, 1, value);
        out[i] = vv_dtype_load(d.out, value);
    }
    return VV_OK;
}

static const char *value_text(const vv_output *o, int var, double x, char *out, size_t size)
{
    if (!vv_dataset_time_text(o->append->file, var, x, out, size)) snprintf(out, size, "%.17g", x);
    return out;
}

static vv_status check_order(const vv_output *o, int var, const double old[], vv_index n_old, const double new[],
                             vv_index n_new)
{
    char text[2][64];
    bool down = n_old > 1 ? old[1] < old[0] : n_new > 1 && new[1] < new[0];
    for (vv_index i = 0; i < n_new; i++) {
        if (i == 0 && n_old == 0 && !isnan(new[0])) continue;
        double before = i ? new[i - 1] : n_old ? old[n_old - 1] : new[0];
        if (down ? new[i] < before : new[i] > before) continue;
        const char *name = file_meta(o)->var[var].name;
        return vv_fail(VV_ERR_SHAPE,
                       i ? "cannot append to %s: '%s' goes from %s to %s within what is appended"
                         : "cannot append to %s: its '%s' ends with %s, and what is appended begins with %s; select "
                           "what comes behind",
                       o->path, name, value_text(o, var, before, text[0], sizeof text[0]),
                       value_text(o, var, new[i], text[1], sizeof text[1]));
    }
    return VV_OK;
}

vv_status vv_append_order(const vv_output *o, const vv_item *item)
{
    const vv_variable *v = &file_meta(o)->var[item->base];
    const vv_growth *g = &o->append->growth;
    double *x;
    if (v->shape.nd != 1 || vv_working_type(v->type) == VV_NONE) return VV_OK;
    VV_TRY(vv_mem_get(&x, vv_times(g->old + g->more + 1, sizeof *x), "a coordinate"));
    vv_status status = vv_dataset_read(o->append->file, item->base, x, g->old);
    if (status == VV_OK) status = decoded(v, item->values, g->more, x + g->old);
    if (status == VV_OK) status = check_order(o, item->base, x, g->old, x + g->old, g->more);
    vv_mem_put(&x);
    return status;
}

/* --- other coordinates --- */

static vv_status compare(const vv_output *o, const vv_item *item, int var)
{
    const vv_variable *v = &file_meta(o)->var[var];
    vv_index n = vv_shape_elements(&v->shape);
    double *x;
    VV_TRY(vv_mem_get(&x, vv_times(2 * n + 1, sizeof *x), "a coordinate"));
    vv_status status = vv_dataset_read(o->append->file, var, x, n);
    if (status == VV_OK) status = numbers(item, n, x + n);
    for (vv_index i = 0; status == VV_OK && i < n; i++) {
        double a = x[i], b = x[n + i];
        if (a == b || (isnan(a) && isnan(b)) || (float)a == (float)b) continue;
        status = vv_fail(VV_ERR_SHAPE, "cannot append to %s: '%s' is %.9g at position %lld there and %.9g here",
                         o->path, v->name, a, (long long)i, b);
    }
    vv_mem_put(&x);
    return status;
}

/* Coordinates that are stored with other precisions are the same where they are so as f32. */
vv_status vv_append_same(const vv_output *o, const char *dim)
{
    const vv_meta *m = file_meta(o);
    int var = vv_meta_find_var(m, dim);
    if (var < 0 || !vv_meta_is_coordinate(m, var) || vv_working_type(m->var[var].type) == VV_NONE) return VV_OK;
    for (int i = 0; i < o->n_items; i++) {
        const vv_item *item = &o->item[i];
        bool numeric = item->made.value ||
                       (item->carried && vv_working_type(item->carried->file->meta->var[item->var].type) != VV_NONE);
        if (numeric && !strcmp(item->name, dim)) return compare(o, item, var);
    }
    return VV_OK;
}
