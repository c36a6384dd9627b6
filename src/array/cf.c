/* CF conventions: what attributes say about values, and what becomes of attributes.
 *
 * Decoding follows xarray: values equal to _FillValue or missing_value (compared as stored) are NaN; then value = stored * scale_factor +
 * add_offset. The decoded type is f32 where that is safe: stored f32, or integers of at most two bytes without offset; f64 otherwise. (This is
 * xarray's rule up to 2024.02, applied to the stored type: where it masked first, a 2-byte integer with fill value and offset became f32, which
 * loses digits; later releases give f64 there, as we do.) Integers without any of these attributes stay integers.
 *
 * Values outside valid_min, valid_max or valid_range are missing, too: so CF has it, and so read CDO and netCDF4-python; xarray does not look. */
#include "array/build.h"
#include "base/log.h"
#include "varve/move.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What the elements are: the attribute _Unsigned says that a signed type was only borrowed, or the other way round. */
static vv_dtype element_type(const vv_variable *v)
{
    const char *text = vv_attr_text(&v->attrs, "_Unsigned");
    char kind = vv_dtype_kind(v->type);
    if (text && kind == 'i' && !strcasecmp(text, "true")) return (vv_dtype)(v->type + (VV_U8 - VV_I8));
    if (text && kind == 'u' && !strcasecmp(text, "false")) return (vv_dtype)(v->type - (VV_U8 - VV_I8));
    return v->type;
}

/* Value i of an attribute as an element of `v`, into the next free place; false when no element can equal it. */
static bool take_missing(const vv_variable *v, const vv_attr *a, vv_index i, vv_decode *d)
{
    const char *at = (const char *)a->data + i * vv_dtype_size(a->type);
    bool same = a->type == v->type;                         /* then its bits count */
    if (same && (a->type == VV_I64 || a->type == VV_U64)) { /* these do not fit a double */
        memcpy(&d->missing[d->n_missing], at, 8);
        return true;
    }
    double value = vv_dtype_load(same ? d->stored : a->type, at);
    char kind = vv_dtype_kind(d->stored);
    if (kind == 'f') {
        bool narrow = d->stored == VV_F32;
        d->missing[d->n_missing].f = narrow ? (float)value : value;
        return !narrow || isinf((float)value) == isinf(value);
    }
    if (value != trunc(value) || value < (kind == 'i' ? -0x1p63 : 0) || value >= (kind == 'i' ? 0x1p63 : 0x1p64))
        return false;
    if (kind == 'i')
        d->missing[d->n_missing].i = (int64_t)value;
    else
        d->missing[d->n_missing].u = (uint64_t)value;
    return true;
}

/* By their bits, whatever the kind of number. */
static bool known_missing(const vv_decode *d, uint64_t bits)
{
    for (int i = 0; i < d->n_missing; i++)
        if (d->missing[i].u == bits) return true;
    return false;
}

/* *any: values are missing by some attribute, whether or not an element can equal it. */
static vv_status missing_values(const vv_variable *v, vv_decode *d, bool *any)
{
    static const char *const names[] = {"_FillValue", "missing_value"};
    for (int k = 0; k < 2; k++) {
        const vv_attr *a = vv_attr_find(&v->attrs, names[k]);
        double value;
        for (vv_index i = 0; a && i < a->count && vv_attr_number(&v->attrs, names[k], i, &value); i++) {
            if (isnan(value)) continue;
            vv_decode next = *d;
            next.n_missing = 0;
            *any = true;
            if (!take_missing(v, a, i, &next) || known_missing(d, next.missing[0].u)) continue;
            if (d->n_missing == VV_MAX_MISSING)
                return vv_fail(VV_ERR_UNSUPPORTED, "variable '%s' has more than %d missing values", v->name,
                               VV_MAX_MISSING);
            d->missing[d->n_missing++] = next.missing[0];
        }
    }
    return VV_OK;
}

/* --- valid ranges --- */

/* What a stored whole number means, with the rounding of the decoder. */
static double unpacked(const vv_decode *d, vv_dtype out, double stored)
{
    if (out == VV_F32) return (float)stored * (float)d->scale + (float)d->offset;
    return stored * d->scale + d->offset;
}

/* The last stored number from the valid side whose unpacked value is not beyond the bound. */
static double packed_bound(const vv_decode *d, vv_dtype out, double bound, bool lower)
{
    /* the division may round to the wrong side of a whole number: begin outside and go inwards */
    double inwards = lower == (d->scale > 0) ? 1 : -1, at = rint((bound - d->offset) / d->scale) - 2 * inwards;
    for (int i = 0; i < 4 && (lower ? unpacked(d, out, at) < bound : unpacked(d, out, at) > bound); i++) at += inwards;
    return at;
}

static bool range_number(const vv_variable *v, const char *name, vv_index i, const vv_decode *d, double *out,
                         vv_dtype *type)
{
    const vv_attr *a = vv_attr_find(&v->attrs, name);
    if (!vv_attr_number(&v->attrs, name, i, out) || isnan(*out)) return false;
    *type = a->type;
    if (a->type == v->type && d->stored != v->type) /* _Unsigned */
        *out = vv_dtype_load(d->stored, (const char *)a->data + i * vv_dtype_size(a->type));
    return true;
}

/* A bound that is real where whole numbers are stored speaks of unpacked values. `out`: the type that these have. */
static void set_bound(vv_decode *d, vv_dtype out, vv_dtype type, double bound, bool lower)
{
    if (d->scaled && vv_dtype_is_float(type) && !vv_dtype_is_float(d->stored)) {
        bound = packed_bound(d, out, bound, lower);
        lower = lower == (d->scale > 0);
    }
    *(lower ? &d->has_min : &d->has_max) = true;
    *(lower ? &d->valid_min : &d->valid_max) = bound;
}

static void valid_range(const vv_variable *v, vv_dtype out, vv_decode *d)
{
    vv_dtype low, high;
    double min = -INFINITY, max = INFINITY;
    bool has_min = range_number(v, "valid_range", 0, d, &min, &low) || range_number(v, "valid_min", 0, d, &min, &low);
    bool has_max = range_number(v, "valid_range", 1, d, &max, &high) || range_number(v, "valid_max", 0, d, &max, &high);
    if (min > max) {
        vv_say(VV_LOG_WARN, "variable '%s': its valid range %g .. %g is empty and not applied", v->name, min, max);
        return;
    }
    if (has_min) set_bound(d, out, low, min, true);
    if (has_max) set_bound(d, out, high, max, false);
}

static vv_dtype decoded_type(const vv_decode *d, bool offset)
{
    vv_bytes size = vv_dtype_size(d->stored);
    if (vv_dtype_is_float(d->stored)) return d->stored;
    return size <= 2 && !(d->scaled && offset) ? VV_F32 : VV_F64;
}

vv_status vv_cf_decode(const vv_variable *v, vv_decode *out, vv_dtype *dtype)
{
    vv_decode d = {.stored = element_type(v), .swap = v->swapped, .scale = 1};
    bool missing = false;
    if (v->type == VV_NONE)
        return vv_fail(VV_ERR_TYPE, "variable '%s' holds %s, not numbers", v->name,
                       v->type_text ? v->type_text : "text");
    d.out = vv_working_type(d.stored);
    if (d.out == VV_NONE)
        return vv_fail(VV_ERR_TYPE, "variable '%s': element type %s cannot be computed with", v->name,
                       vv_dtype_name(v->type));
    *dtype = d.stored;
    *out = d;
    if (vv_dtype_is_complex(d.stored)) return VV_OK; /* CF knows no complex numbers */
    bool scale = vv_attr_number(&v->attrs, "scale_factor", 0, &d.scale);
    bool offset = vv_attr_number(&v->attrs, "add_offset", 0, &d.offset);
    d.scaled = scale || offset;
    VV_TRY(missing_values(v, &d, &missing));
    valid_range(v, decoded_type(&d, offset), &d);
    missing = missing || d.has_min || d.has_max;
    *dtype = d.stored;
    if (d.scaled || (missing && !vv_dtype_is_float(v->type))) *dtype = d.out = decoded_type(&d, offset);
    *out = d;
    return VV_OK;
}

const char *vv_cf_text(const vv_meta *m, int var, const char *name)
{
    const char *text = vv_attr_text(&m->var[var].attrs, name);
    for (int i = 0; !text && i < m->n_vars; i++) {
        const char *bounds = vv_attr_text(&m->var[i].attrs, "bounds");
        if (!bounds) bounds = vv_attr_text(&m->var[i].attrs, "climatology");
        if (bounds && i != var && !strcmp(bounds, m->var[var].name)) text = vv_attr_text(&m->var[i].attrs, name);
    }
    return text;
}

bool vv_cf_is_packing(const char *attribute)
{
    static const char *const names[] = {"_FillValue", "missing_value", "scale_factor", "add_offset",  "valid_min",
                                        "valid_max",  "valid_range",   "_Unsigned",    "actual_range"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(attribute, names[i])) return true;
    return false;
}

/* Marks every variable named in a blank-separated attribute; "key: name" pairs count the names. */
static void mark(const vv_meta *m, vv_role *role, const vv_attrs *attrs, const char *attribute, vv_role as)
{
    const char *text = vv_attr_text(attrs, attribute);
    while (text && *text) {
        text += strspn(text, " \t\n");
        size_t n = strcspn(text, " \t\n");
        for (int v = 0; v < m->n_vars && n; v++)
            if (strlen(m->var[v].name) == n && !memcmp(m->var[v].name, text, n) && role[v] == VV_ROLE_DATA)
                role[v] = as;
        text += n;
    }
}

void vv_cf_roles(const vv_meta *m, vv_role *role)
{
    static const struct {
        const char *attribute;
        vv_role role;
    } by[] = {
        {"coordinates", VV_ROLE_AUXILIARY},       {"bounds", VV_ROLE_BOUNDS},
        {"climatology", VV_ROLE_BOUNDS},          {"grid_mapping", VV_ROLE_SUPPORT},
        {"cell_measures", VV_ROLE_SUPPORT},       {"formula_terms", VV_ROLE_SUPPORT},
        {"ancillary_variables", VV_ROLE_SUPPORT},
    };
    for (int v = 0; v < m->n_vars; v++) role[v] = vv_meta_is_coordinate(m, v) ? VV_ROLE_COORDINATE : VV_ROLE_DATA;
    for (int v = 0; v < m->n_vars; v++)
        for (size_t k = 0; k < sizeof by / sizeof *by; k++)
            mark(m, role, &m->var[v].attrs, by[k].attribute, by[k].role);
}

/* The same method again, of monthly means of daily means, is not said twice: nor do CDO and NCO. */
static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && !strcmp(text + n - m, end) && (n == m || text[n - m - 1] == ' ');
}

vv_status vv_cf_cell_method(vv_array *a, const vv_array *in, const bool reduced[], const char *method,
                            const char *group)
{
    if (!method) return VV_OK;
    vv_buf b = {0}, all = {0};
    const char *old = vv_attr_text(&a->attrs, "cell_methods");
    for (int d = 0; d < in->shape.nd; d++)
        if (reduced[d]) vv_buf_printf(&b, "%s: ", in->dim[d]);
    vv_buf_text(&b, method);
    if (group) vv_buf_printf(&b, " (by %s)", group);
    vv_status status = vv_buf_status(&b);
    if (status == VV_OK && !(old && ends_with(old, b.data))) {
        if (old && *old) vv_buf_printf(&all, "%s ", old);
        vv_buf_text(&all, b.data);
        status = vv_buf_status(&all);
        if (status == VV_OK) status = vv_attr_set_text(&a->attrs, "cell_methods", all.data);
    }
    vv_buf_free(&b);
    vv_buf_free(&all);
    return status;
}

vv_status vv_cf_statistic_units(vv_attrs *attrs, const char *how)
{
    const char *units = vv_attr_text(attrs, "units");
    if (!units) return VV_OK;
    static const char *const plain[] = {"count",       "count_nonzero", "argmin",    "argmax",    "argsort", "argtopk",
                                        "longest_run", "runs",          "run_total", "first_run", "last_run"};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (!strcmp(how, plain[i])) return vv_attr_set_text(attrs, "units", "1");
    if (strcmp(how, "var")) return VV_OK;
    char squared[256];
    bool simple = *units;
    for (const char *c = units; *c; c++) simple = simple && isalpha((unsigned char)*c);
    snprintf(squared, sizeof squared, simple ? "%s2" : "(%s)2", units);
    return vv_attr_set_text(attrs, "units", squared);
}

vv_status vv_cf_reduced_attrs(vv_array *a)
{
    bool grouped =
        a->group.dim >= 0 && strcmp(a->group.name, a->input[0]->dim[a->group.dim]) != 0; /* not periods of it */
    VV_TRY(vv_cf_cell_method(a, a->input[0], a->reduced, a->reduction->cell_method, grouped ? a->group.name : NULL));
    return vv_cf_statistic_units(&a->attrs, a->reduction->name);
}

vv_status vv_cf_moved_attrs(vv_attrs *to, const vv_attrs *from)
{
    for (int i = 0; i < from->n; i++) {
        const vv_attr *a = &from->item[i];
        if (vv_cf_is_packing(a->name) || !strcmp(a->name, "bounds") || !strcmp(a->name, "climatology")) continue;
        VV_TRY(vv_attr_set(to, a->name, a->type, a->count, a->data));
    }
    return VV_OK;
}

vv_status vv_cf_group_attrs(vv_attrs *to, const char *name)
{
    static const int32_t seasons[] = {0, 1, 2, 3};
    if (strcmp(name, "season") != 0) return VV_OK;
    VV_TRY(vv_attr_set(to, "flag_values", VV_I32, 4, seasons));
    return vv_attr_set_text(to, "flag_meanings", "DJF MAM JJA SON");
}

vv_array *vv_describe_as(vv_array *in, vv_array *like)
{
    vv_array *both[] = {in, like};
    if (vv_nodes_usable(both, 2) != VV_OK) return vv_node_inert(in->context ? in->context : like->context);
    vv_array *a = vv_node_seen_again(in);
    if (a->status != VV_OK) return a;
    vv_attrs_free(&a->attrs);
    return vv_node_settle(in->context, a, vv_attrs_copy(&a->attrs, &like->attrs));
}

vv_array *vv_with_attribute(vv_array *in, const char *name, const char *text)
{
    if (vv_array_status(in) != VV_OK) return vv_node_inert(in->context);
    vv_array *a = vv_node_seen_again(in);
    if (a->status != VV_OK) return a;
    if (text) return vv_node_settle(in->context, a, vv_attr_set_text(&a->attrs, name, text));
    vv_attr_remove(&a->attrs, name);
    return a;
}
