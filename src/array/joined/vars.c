/* The variables of a joined dataset: what files disagree about is settled, or refused. */
#include "array/joined/build.h"

#include "base/log.h"

#include <math.h>
#include <stdlib.h>

static int axis_along(const vv_meta *m, const vv_variable *v, const char *name)
{
    for (int d = 0; d < v->shape.nd; d++)
        if (!strcmp(m->dim[v->dim[d]].name, name)) return d;
    return -1;
}

static vv_status check_shape(const vv_joined *j, const vv_member *m, int i)
{
    const vv_variable *a = vv_joined_variable(j, m, 0), *b = vv_joined_variable(j, m, i);
    bool same = a->shape.nd == b->shape.nd;
    for (int d = 0; d < a->shape.nd && same; d++)
        same = !strcmp(vv_joined_meta(j, 0)->dim[a->dim[d]].name, vv_joined_meta(j, i)->dim[b->dim[d]].name) &&
               (d == m->axis || a->shape.n[d] == b->shape.n[d]);
    if (same) return VV_OK;
    return vv_fail(VV_ERR_SHAPE, "variable '%s' has other dimensions in %s than in %s", a->name, j->file[i]->path,
                   j->file[0]->path);
}

static bool same_attr(const vv_attr *a, const vv_attr *b)
{
    if (!a || !b) return a == b;
    size_t size = a->type == VV_NONE ? 1 : (size_t)vv_dtype_size(a->type);
    return a->type == b->type && a->count == b->count && !memcmp(a->data, b->data, size * (size_t)a->count);
}

static vv_status check_units(const vv_joined *j, vv_member *m, int i)
{
    const vv_variable *v = vv_joined_variable(j, m, i);
    const char *a = vv_cf_text(vv_joined_meta(j, 0), m->var[0], "units"),
               *b = vv_cf_text(vv_joined_meta(j, i), m->var[i], "units");
    if (v->type == VV_NONE || vv_same_text(a, b)) return VV_OK;
    if (a && b && vv_time_is_units(a) && vv_time_is_units(b)) {
        vv_time_axis from, to;
        m->times = m->decoded = true;
        if (vv_joined_axis(vv_joined_meta(j, 0), m->var[0], &to) != VV_OK)
            return vv_error_prefix("%s: '%s'", j->file[0]->path, v->name);
        if (vv_joined_axis(vv_joined_meta(j, i), m->var[i], &from) != VV_OK)
            return vv_error_prefix("%s: '%s'", j->file[i]->path, v->name);
        if (from.calendar == to.calendar) return VV_OK;
        return vv_fail(VV_ERR_SHAPE, "variable '%s' has the calendar %s in %s and %s in %s", v->name,
                       vv_calendar_name(to.calendar), j->file[0]->path, vv_calendar_name(from.calendar),
                       j->file[i]->path);
    }
    return vv_fail(VV_ERR_SHAPE, "variable '%s' has the units '%s' in %s and '%s' in %s", v->name, a ? a : "",
                   j->file[0]->path, b ? b : "", j->file[i]->path);
}

/* One line for the first file that differs in an attribute. */
static void compare_attr(const vv_joined *j, const char *variable, const vv_attrs *a, int i, const char *name,
                         const vv_attr *b, bool *told)
{
    static const char *const weighty[] = {"standard_name", "cell_methods"};
    if (*told || !strcmp(name, "units") || same_attr(vv_attr_find(a, name), b)) return;
    vv_log_level level = VV_LOG_INFO;
    for (size_t k = 0; k < sizeof weighty / sizeof *weighty; k++)
        if (!strcmp(name, weighty[k])) level = VV_LOG_WARN;
    if (vv_cf_is_packing(name)) level = VV_LOG_INFO;
    vv_say(level, "%s%s%sattribute '%s' differs: that of %s is used, not that of %s", variable ? "variable '" : "",
           variable ? variable : "", variable ? "': " : "", name, j->file[0]->path, j->file[i]->path);
    *told = true;
}

/* Each attribute of the first file is told of once, for the first file that has another value of it; so is each that only others have. */
static vv_status compare_attrs(const vv_joined *j, const vv_member *m, const char *variable)
{
    const vv_attrs *a = m ? &vv_joined_variable(j, m, 0)->attrs : &vv_joined_meta(j, 0)->attrs;
    bool *told;
    VV_TRY(vv_new(&told, (size_t)a->n + 1, sizeof *told));
    for (int i = 1; i < j->n; i++) {
        const vv_attrs *b = m ? &vv_joined_variable(j, m, i)->attrs : &vv_joined_meta(j, i)->attrs;
        for (int k = 0; k < a->n; k++)
            compare_attr(j, variable, a, i, a->item[k].name, vv_attr_find(b, a->item[k].name), &told[k]);
        for (int k = 0; k < b->n; k++)
            if (!vv_attr_find(a, b->item[k].name))
                compare_attr(j, variable, a, i, b->item[k].name, &b->item[k], &told[a->n]);
    }
    free(told);
    return VV_OK;
}

static bool same_packing(const vv_variable *a, const vv_variable *b)
{
    if (a->type != b->type) return false;
    for (int k = 0; k < 2; k++) {
        const vv_variable *x = k ? b : a, *y = k ? a : b;
        for (int i = 0; i < x->attrs.n; i++)
            if (vv_cf_is_packing(x->attrs.item[i].name) && strcmp(x->attrs.item[i].name, "actual_range") != 0 &&
                !same_attr(&x->attrs.item[i], vv_attr_find(&y->attrs, x->attrs.item[i].name)))
                return false;
    }
    return true;
}

static void tell_of_storage(const vv_joined *j, const vv_variable *a, const vv_variable *b, int i, bool *told)
{
    bool same = a->layout == b->layout && a->deflate == b->deflate && a->zstd == b->zstd && a->shuffle == b->shuffle;
    for (int d = 0; same && a->layout == VV_LAYOUT_CHUNKED && d < a->shape.nd; d++) same = a->chunk[d] == b->chunk[d];
    if (same || *told) return;
    vv_say(VV_LOG_INFO, "variable '%s': chunks or filters of %s are not those of %s", a->name, j->file[i]->path,
           j->file[0]->path);
    *told = true;
}

/* A variable that all files have, of all files: the joined variable gets its type and attributes. */
static vv_status settle_member(const vv_joined *j, vv_member *m, vv_variable *v)
{
    const vv_variable *a = vv_joined_variable(j, m, 0);
    vv_dtype type = VV_NONE, own;
    vv_decode decode;
    bool told = false, same_chunks = true;
    for (int i = 0; i < j->n; i++) {
        const vv_variable *b = vv_joined_variable(j, m, i);
        VV_TRY(check_shape(j, m, i));
        VV_TRY(check_units(j, m, i));
        if ((a->type == VV_NONE) != (b->type == VV_NONE) ||
            (a->type == VV_NONE && !vv_same_text(a->type_text, b->type_text)))
            return vv_fail(VV_ERR_TYPE, "variable '%s' is of type %s in %s and %s in %s", a->name, a->type_text,
                           j->file[0]->path, b->type_text, j->file[i]->path);
        if (!same_packing(a, b)) m->decoded = true;
        tell_of_storage(j, a, b, i, &told);
        same_chunks = same_chunks && a->layout == b->layout && !memcmp(a->chunk, b->chunk, sizeof a->chunk);
        v->stored += b->stored;
    }
    VV_TRY(compare_attrs(j, m, a->name));
    VV_TRY(vv_attrs_copy(&v->attrs, &a->attrs));
    if (!same_chunks) v->layout = VV_LAYOUT_CONTIGUOUS;
    if (!m->decoded) return VV_OK;
    for (int i = 0; i < j->n; i++) {
        if (vv_cf_decode(vv_joined_variable(j, m, i), &decode, &own) != VV_OK)
            return vv_error_prefix("%s", j->file[i]->path);
        type = i ? vv_dtype_promote(type, own) : own;
    }
    v->type = m->times ? VV_F64 : type;
    free(v->type_text);
    v->type_text = NULL;
    for (int i = v->attrs.n - 1; i >= 0; i--)
        if (vv_cf_is_packing(v->attrs.item[i].name)) vv_attr_remove(&v->attrs, v->attrs.item[i].name);
    vv_dtype_store(v->type, v->fill, (double)NAN);
    return vv_strdup(&v->type_text, vv_dtype_name(v->type));
}

/* The joined variable as that of one file, without attributes yet. */
static vv_status add_variable(vv_meta *m, const vv_meta *from, const vv_variable *x, vv_variable **out)
{
    vv_variable *v;
    VV_TRY(vv_meta_add_var(m, x->name, x->type, &v));
    free(v->type_text);
    v->type_text = NULL;
    VV_TRY(vv_strdup(&v->type_text, x->type_text ? x->type_text : ""));
    v->shape.nd = x->shape.nd;
    for (int d = 0; d < x->shape.nd; d++) {
        int id = vv_meta_find_dim(m, from->dim[x->dim[d]].name);
        if (id < 0)
            VV_TRY(vv_meta_add_dim(m, from->dim[x->dim[d]].name, from->dim[x->dim[d]].length,
                                   from->dim[x->dim[d]].unlimited, &id));
        v = &m->var[m->n_vars - 1];
        v->dim[d] = id;
        v->shape.n[d] = m->dim[id].length;
    }
    vv_variable_store_like(v, x);
    v->fast = x->fast;
    if (x->why_not_fast) VV_TRY(vv_strdup(&v->why_not_fast, x->why_not_fast));
    *out = v;
    return VV_OK;
}

static vv_status new_member(vv_joined *j, vv_member **out)
{
    VV_TRY(vv_grow(&j->member, j->n_members, sizeof *j->member, "variables of joined files"));
    *out = &j->member[j->n_members++];
    **out = (vv_member){.from = -1};
    return vv_new(&(*out)->var, (size_t)j->n, sizeof *(*out)->var);
}

/* The number of a variable in every file, or the first file that lacks it. */
static int find_everywhere(const vv_joined *j, const char *name, const char *dim, int var[])
{
    for (int i = 0; i < j->n; i++) {
        const vv_meta *m = vv_joined_meta(j, i);
        var[i] = vv_meta_find_var(m, name);
        if (var[i] < 0 || axis_along(m, &m->var[var[i]], dim) < 0) return i;
    }
    return -1;
}

/* Variable `var` of file `from`, which is the first one that has it. */
static vv_status take_variable(vv_joined *j, vv_meta *m, const char *dim, int from, int var)
{
    const vv_meta *source = vv_joined_meta(j, from);
    const vv_variable *x = &source->var[var];
    vv_member *k = NULL;
    vv_variable *v;
    int axis = axis_along(source, x, dim);
    VV_TRY(new_member(j, &k));
    if (axis >= 0) {
        int without = find_everywhere(j, x->name, dim, k->var);
        if (without >= 0) {
            vv_say(VV_LOG_WARN, "variable '%s' of %s is left out: %s does not have it along '%s'", x->name,
                   j->file[from]->path, j->file[without]->path, dim);
            free(k->var);
            j->n_members--;
            return VV_OK;
        }
        k->along = true;
        k->axis = axis;
    } else {
        k->from = from;
        *k->var = var;
    }
    VV_TRY(add_variable(m, source, x, &v));
    if (k->along) return settle_member(j, k, v);
    v->stored = x->stored;
    return vv_attrs_copy(&v->attrs, &x->attrs);
}

static bool in_earlier(const vv_joined *j, int file, const char *name)
{
    for (int i = 0; i < file; i++)
        if (vv_meta_find_var(vv_joined_meta(j, i), name) >= 0) return true;
    return false;
}

vv_status vv_joined_fill_meta(vv_joined *j, const char *dim, vv_meta *m)
{
    const vv_meta *first = vv_joined_meta(j, 0);
    VV_TRY(vv_strdup(&m->format, first->format ? first->format : ""));
    for (int d = 0; d < first->n_dims; d++) {
        bool along = !strcmp(first->dim[d].name, dim);
        if (along) j->dim = d;
        VV_TRY(vv_meta_add_dim(m, first->dim[d].name, along ? j->first[j->n] : first->dim[d].length,
                               first->dim[d].unlimited, NULL));
    }
    for (int i = 0; i < j->n; i++) {
        const vv_meta *source = vv_joined_meta(j, i);
        for (int var = 0; var < source->n_vars; var++) {
            bool known = i && vv_meta_find_var(m, source->var[var].name) >= 0;
            if (!known && !in_earlier(j, i, source->var[var].name)) VV_TRY(take_variable(j, m, dim, i, var));
        }
    }
    VV_TRY(compare_attrs(j, NULL, NULL));
    return vv_attrs_copy(&m->attrs, &first->attrs);
}
