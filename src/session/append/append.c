#include "session/append/append.h"

#include "array/joined/joined.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const vv_meta *file_meta(const vv_output *o)
{
    return o->append->file->file->meta;
}

/* --- the file --- */

static vv_status no_dimension(const vv_output *o)
{
    const vv_meta *m = file_meta(o);
    const char *name = m->n_dims > 0 ? m->dim[0].name : "time";
    return vv_fail(VV_ERR_SHAPE,
                   "cannot append to %s: none of its dimensions can grow; 'varve select %s=: %s --unlimited %s -o NEW' "
                   "makes a file that can",
                   o->path, name, o->path, name);
}

static vv_status named_dimension(const vv_output *o, const char *name, int *dim)
{
    *dim = vv_dataset_find_dim(o->append->file, name);
    if (*dim < 0) return VV_ERR_NOT_FOUND;
    if (file_meta(o)->dim[*dim].unlimited) return VV_OK;
    return vv_fail(VV_ERR_SHAPE,
                   "cannot append to %s along '%s', whose length is fixed; 'varve select %s=: %s --unlimited %s -o "
                   "NEW' makes a file that can grow",
                   o->path, name, name, o->path, name);
}

static vv_status only_dimension(const vv_output *o, int *dim)
{
    const vv_meta *m = file_meta(o);
    *dim = -1;
    for (int d = 0; d < m->n_dims; d++) {
        if (!m->dim[d].unlimited) continue;
        if (*dim >= 0)
            return vv_fail(VV_ERR_USAGE, "%s can grow along '%s' and '%s': say which with --append=%s", o->path,
                           m->dim[*dim].name, m->dim[d].name, m->dim[*dim].name);
        *dim = d;
    }
    return *dim < 0 ? no_dimension(o) : VV_OK;
}

static vv_status open_dataset(vv_output *o)
{
    vv_append *a = o->append;
    vv_file *file;
    VV_TRY(vv_file_open(o->path, &file));
    a->file = vv_dataset_of_file(&o->session->context, &file);
    VV_TRY(vv_dataset_status(a->file));
    a->file->outdated = true;
    if (strcmp(a->file->file->format->name, "hdf5") != 0)
        return vv_fail(VV_ERR_UNSUPPORTED,
                       "cannot append to %s: its format is %s; 'nccopy -4 %s NEW' makes a NetCDF-4 file of it", o->path,
                       file_meta(o)->format, o->path);
    const char *name = o->options.append;
    VV_TRY(*name ? named_dimension(o, name, &a->dim) : only_dimension(o, &a->dim));
    a->growth = (vv_growth){.dim = file_meta(o)->dim[a->dim].name, .old = file_meta(o)->dim[a->dim].length};
    return VV_OK;
}

/* How the file stores its variables is not to be chosen any more; how precisely values are kept is. */
static vv_status forget_encoding(vv_output *o)
{
    vv_quantize q = o->encoding.quantize;
    if (o->encoding.collective)
        return vv_fail(VV_ERR_UNSUPPORTED, "the writer 'hdf5' makes new files; to append is the writer 'direct'");
    vv_encoding_free(&o->encoding);
    o->encoding = (vv_encoding){.deflate = -1, .scale = 1, .quantize = q};
    o->options.deflate = -1;
    return VV_OK;
}

vv_status vv_append_begin(vv_output *o)
{
    struct stat s;
    if (o->options.overwrite) return vv_fail(VV_ERR_USAGE, "%s: either append to it or overwrite it", o->path);
    if (stat(o->path, &s)) return VV_OK; /* whatever is wrong shows when the new file is made */
    char *real = realpath(o->path, NULL);
    if (!real) return vv_fail_errno(VV_ERR_WRITE, "cannot append to %s", o->path);
    free(o->path);
    o->path = real;
    VV_TRY(vv_new(&o->append, 1, sizeof *o->append));
    VV_TRY(vv_original_open(o->path, &o->append->original));
    VV_TRY(forget_encoding(o));
    return open_dataset(o);
}

void vv_append_end(vv_output *o)
{
    if (!o->append) return;
    vv_original_close(&o->append->original);
    if (o->append->file) {
        o->append->file->status = VV_ERR_NOT_FOUND;
        vv_file_close(&o->append->file->file);
    }
    free(o->append);
    o->append = NULL;
}

/* --- a new file --- */

static int time_of(const vv_array *a)
{
    const char *units, *calendar;
    for (int d = 0; d < a->shape.nd; d++)
        if (vv_coord_time(&a->coord[d], &units, &calendar)) return d;
    return -1;
}

/* The dimension that was named, or else the first one that is time; NULL: there is none. */
static const char *first_dimension(const vv_output *o)
{
    const char *name = o->options.append;
    for (int i = 0; i < o->n_items; i++) {
        const vv_array *a = o->item[i].array;
        for (int d = 0; a && *name && d < a->shape.nd; d++)
            if (!strcmp(a->dim[d], name)) return name;
        int time = a && !*name ? time_of(a) : -1;
        if (time >= 0) return a->dim[time];
    }
    return NULL;
}

vv_status vv_append_first(vv_output *o)
{
    const char *name = o->options.append;
    if (o->encoding.unlimited) return VV_OK;
    if (!*name && vv_outfile_can_grow(o)) return VV_OK;
    const char *dim = first_dimension(o);
    if (dim) return vv_strdup(&o->encoding.unlimited, dim);
    if (*name)
        return vv_fail(VV_ERR_SHAPE, "%s: none of its variables has the dimension '%s', along which it is to grow",
                       o->path, name);
    return vv_fail(VV_ERR_SHAPE,
                   "%s is not there yet, and nothing tells along which dimension it is to grow: say --append=DIM",
                   o->path);
}

/* --- one variable --- */

/* As the output would have it, and as the file has it. */
typedef struct match {
    vv_output *o;
    vv_item *item;
    const vv_meta *here, *there;
    int h, t;
    const char *dim;
} match;

static int axis(const vv_meta *m, int var, const char *dim)
{
    for (int d = 0; d < m->var[var].shape.nd; d++)
        if (!strcmp(m->dim[m->var[var].dim[d]].name, dim)) return d;
    return -1;
}

static const char *dims_text(const vv_meta *m, int var, char *out, size_t size)
{
    size_t n = 0;
    *out = 0;
    for (int d = 0; d < m->var[var].shape.nd && n < size; d++) {
        const vv_dim *dim = &m->dim[m->var[var].dim[d]];
        n += (size_t)snprintf(out + n, size - n, "%s%s: %lld", d ? ", " : "", dim->name, (long long)dim->length);
    }
    return out;
}

static vv_status check_dims(const match *x)
{
    const vv_variable *a = &x->here->var[x->h], *b = &x->there->var[x->t];
    char text[2][512];
    bool same = a->shape.nd == b->shape.nd;
    for (int d = 0; same && d < a->shape.nd; d++) {
        const char *name = x->there->dim[b->dim[d]].name;
        same = !strcmp(x->here->dim[a->dim[d]].name, name) && (!strcmp(name, x->dim) || a->shape.n[d] == b->shape.n[d]);
    }
    if (same) return VV_OK;
    return vv_fail(VV_ERR_SHAPE, "cannot append to %s: variable '%s' is (%s) there and (%s) here", x->o->path, b->name,
                   dims_text(x->there, x->t, text[0], sizeof text[0]),
                   dims_text(x->here, x->h, text[1], sizeof text[1]));
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

static vv_status check_times(const match *x, const char *there, const char *here)
{
    vv_time_axis a, b;
    const char *name = x->there->var[x->t].name;
    if (vv_time_parse(there, vv_cf_text(x->there, x->t, "calendar"), &a) != VV_OK ||
        vv_time_parse(here, vv_cf_text(x->here, x->h, "calendar"), &b) != VV_OK)
        return vv_error_prefix("cannot append to %s: variable '%s'", x->o->path, name);
    if (a.calendar == b.calendar) return VV_OK;
    return vv_fail(VV_ERR_SHAPE, "cannot append to %s: variable '%s' has the calendar %s there and %s here", x->o->path,
                   name, vv_calendar_name(a.calendar), vv_calendar_name(b.calendar));
}

/* Times may have other units, which are converted; everything else has the same, as far as both say so. */
static vv_status check_units(const match *x)
{
    const char *there = vv_cf_text(x->there, x->t, "units"), *here = vv_cf_text(x->here, x->h, "units");
    if (!there || !here) return VV_OK;
    if (vv_time_is_units(there) && vv_time_is_units(here)) return check_times(x, there, here);
    if (same_text(there, here)) return VV_OK;
    return vv_fail(VV_ERR_SHAPE, "cannot append to %s: variable '%s' has the units '%s' there and '%s' here",
                   x->o->path, x->there->var[x->t].name, there, here);
}

static void compare_meaning(const match *x)
{
    static const char *const names[] = {"standard_name", "cell_methods"};
    const vv_variable *a = &x->there->var[x->t], *b = &x->here->var[x->h];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *there = vv_attr_text(&a->attrs, names[i]), *here = vv_attr_text(&b->attrs, names[i]);
        if (there && here && strcmp(there, here) != 0)
            vv_say(VV_LOG_WARN, "%s: variable '%s' keeps its %s '%s', which is '%s' for what is appended", x->o->path,
                   a->name, names[i], there, here);
    }
}

static bool is_text(const vv_variable *v)
{
    return v->type == VV_NONE;
}

/* Whether an array has stored elements that are not decoded: attributes that tell of packing are still there. */
static bool is_stored(const vv_array *a)
{
    for (int i = 0; i < a->attrs.n; i++)
        if (vv_cf_is_packing(a->attrs.item[i].name) && strcmp(a->attrs.item[i].name, "actual_range") != 0) return true;
    return false;
}

static vv_status decode_copied(vv_item *item)
{
    vv_array *old = item->array;
    item->array = vv_node_open(old->origin, old->var, true);
    vv_node_take_over(item->array);
    item->copied = false;
    vv_status status = vv_array_status(item->array);
    vv_node_drop(&old);
    return status;
}

/* Times in other units, if they are such. */
static vv_status note_times(const match *x)
{
    const char *there = vv_cf_text(x->there, x->t, "units"), *here = vv_cf_text(x->here, x->h, "units");
    if (!there || !here || !strcmp(there, here)) return VV_OK;
    VV_TRY(vv_new(&x->item->times, 1, sizeof *x->item->times));
    VV_TRY(vv_time_parse(here, vv_cf_text(x->here, x->h, "calendar"), &x->item->times->from));
    return vv_time_parse(there, vv_cf_text(x->there, x->t, "calendar"), &x->item->times->to);
}

static vv_status match_array(const match *x)
{
    bool alike = vv_append_alike(x->here, x->h, x->there, x->t);
    bool stored = x->item->copied || x->item->array->text != VV_TEXT_NOT || is_stored(x->item->array);
    if (stored && !alike && x->item->copied) {
        VV_TRY(decode_copied(x->item));
        stored = false;
    }
    if (stored && !alike)
        return vv_fail(VV_ERR_TYPE,
                       "cannot append to %s: variable '%s' comes as it is stored, which is not as the file stores it",
                       x->o->path, x->there->var[x->t].name);
    if (!alike) VV_TRY(note_times(x));
    return vv_append_array(x->o, x->item, stored);
}

/* A variable that gets new elements. */
static vv_status match_growing(const match *x)
{
    const vv_variable *there = &x->there->var[x->t];
    VV_TRY(check_dims(x));
    if (is_text(there) != is_text(&x->here->var[x->h]))
        return vv_fail(VV_ERR_TYPE, "cannot append to %s: variable '%s' is of type %s there and %s here", x->o->path,
                       there->name, there->type_text, x->here->var[x->h].type_text);
    VV_TRY(check_units(x));
    compare_meaning(x);
    x->item->base = x->t;
    if (x->item->array) return match_array(x);
    VV_TRY(vv_append_values(x->o, x->item, x->here, x->h));
    return !strcmp(there->name, x->dim) && !is_text(there) ? vv_append_order(x->o, x->item) : VV_OK;
}

/* What happens to an item: it grows, stays as it is in the file, or is in the way. */
static vv_status match_item(const match *x, bool *grows)
{
    const char *name = x->here->var[x->h].name;
    bool here = axis(x->here, x->h, x->dim) >= 0, there = x->t >= 0 && axis(x->there, x->t, x->dim) >= 0;
    bool result = x->item->array && !x->item->copied;
    *grows = here && there;
    if (*grows) return match_growing(x);
    if (result && x->t < 0)
        return vv_fail(VV_ERR_NOT_FOUND, "cannot append to %s: it has no variable '%s'", x->o->path, name);
    if (there || (result && !here))
        return vv_fail(VV_ERR_SHAPE,
                       "cannot append to %s: variable '%s' has no dimension '%s' here; reductions keep it with "
                       "--keepdims, of length 1",
                       x->o->path, name, x->dim);
    if (here && x->t >= 0)
        return vv_fail(VV_ERR_SHAPE, "cannot append to %s: variable '%s' has no dimension '%s' there", x->o->path, name,
                       x->dim);
    if (here) vv_say(VV_LOG_WARN, "%s: it has no variable '%s': that is left out", x->o->path, name);
    return VV_OK;
}

/* --- all of them --- */

static vv_status all_grow(const vv_output *o)
{
    const vv_meta *m = file_meta(o);
    for (int v = 0; v < m->n_vars; v++) {
        bool found = axis(m, v, o->append->growth.dim) < 0;
        for (int i = 0; i < o->n_items && !found; i++) found = o->item[i].base == v;
        if (found) continue;
        return vv_fail(VV_ERR_SHAPE,
                       "cannot append to %s: its variable '%s' runs along '%s', too, and is not among what is "
                       "appended; all of them must get new elements",
                       o->path, m->var[v].name, o->append->growth.dim);
    }
    return VV_OK;
}

static vv_status check_coordinates(const vv_output *o)
{
    const vv_meta *m = file_meta(o);
    for (int d = 0; d < m->n_dims; d++) {
        bool used = false;
        for (int i = 0; i < o->n_items; i++)
            used = used || (o->item[i].base >= 0 && axis(m, o->item[i].base, m->dim[d].name) >= 0);
        if (used && d != o->append->dim) VV_TRY(vv_append_same(o, m->dim[d].name));
    }
    return VV_OK;
}

static void leave_out_others(vv_output *o)
{
    int n = 0;
    for (int i = 0; i < o->n_items; i++) {
        if (o->item[i].base >= 0)
            o->item[n++] = o->item[i];
        else
            vv_item_free(&o->item[i]);
    }
    o->n_items = n;
}

static vv_status match_all(vv_output *o, const vv_meta *here)
{
    const char *dim = o->append->growth.dim;
    int length = vv_meta_find_dim(here, dim);
    o->append->growth.more = length < 0 ? 0 : here->dim[length].length;
    for (int i = 0; i < o->n_items; i++) {
        bool grows;
        match x = {o, &o->item[i], here, file_meta(o), i, vv_meta_find_var(file_meta(o), here->var[i].name), dim};
        o->item[i].base = -1;
        VV_TRY(match_item(&x, &grows));
    }
    VV_TRY(all_grow(o));
    return check_coordinates(o);
}

vv_status vv_append_items(vv_output *o)
{
    vv_meta *here = NULL;
    vv_status status = vv_outfile_meta(o, &here);
    if (status == VV_OK) status = match_all(o, here);
    vv_meta_free(&here);
    if (status == VV_OK) leave_out_others(o);
    return status;
}

/* --- the grown file --- */

static vv_status add_dims(const vv_output *o, vv_meta *m, const vv_variable *from, vv_variable *v)
{
    const vv_meta *there = file_meta(o);
    const vv_growth *g = &o->append->growth;
    v->shape.nd = from->shape.nd;
    for (int d = 0; d < from->shape.nd; d++) {
        const vv_dim *dim = &there->dim[from->dim[d]];
        vv_index n = from->dim[d] == o->append->dim ? g->old + g->more : dim->length;
        int id = vv_meta_find_dim(m, dim->name);
        if (id < 0) VV_TRY(vv_meta_add_dim(m, dim->name, n, dim->unlimited, &id));
        v->dim[d] = id;
        v->shape.n[d] = n;
    }
    return VV_OK;
}

static vv_status add_variable(const vv_output *o, vv_meta *m, const vv_variable *from)
{
    vv_variable *v;
    VV_TRY(vv_meta_add_var(m, from->name, from->type, &v));
    if (is_text(from)) {
        free(v->type_text);
        v->type_text = NULL;
        VV_TRY(vv_strdup(&v->type_text, from->type_text));
    }
    VV_TRY(vv_attrs_copy(&v->attrs, &from->attrs));
    vv_variable_store_like(v, from);
    v->swapped = from->swapped;
    return add_dims(o, m, from, v);
}

vv_status vv_append_meta(const vv_output *o, vv_meta **out)
{
    const vv_meta *there = file_meta(o);
    VV_TRY(vv_meta_new(out));
    if (there->format) VV_TRY(vv_strdup(&(*out)->format, there->format));
    for (int i = 0; i < o->n_items; i++) VV_TRY(add_variable(o, *out, &there->var[o->item[i].base]));
    return VV_OK;
}

vv_status vv_append_open(vv_output *o, const vv_meta *meta, vv_writer **w)
{
    vv_append *a = o->append;
    VV_TRY(vv_original_copy(a->original, o->temporary, vv_signals_seen, &a->copied));
    return vv_writer_append(o->temporary, meta, &a->growth, o->history, w);
}
