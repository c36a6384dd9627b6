/* Generalized ufuncs with several results. One call makes all of them, so one step does: its elements at every position are those results one behind the other, as words of 8 bytes that
 * nobody looks into; and each result is a function that takes its own part of these. Who computes several of them computes the first step once. */
#include "array/gufunc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD = 8 };

/* Where a result is among the words. */
typedef struct place {
    vv_bytes at, size;
} place;

/* And what its core dimensions are. */
typedef struct part {
    place place;
    int nd, label[VV_MAX_DIMS];
} part;

typedef struct several {
    vv_applying b;
    vv_signature s;
    vv_work_dim core[VV_MAX_DIMS]; /* by label */
    const vv_dtype *type;
    int n;
    part part[VV_USER_RESULTS];
} several;

/* --- the words --- */

static vv_status new_label(several *x, const char *label)
{
    vv_signature *s = &x->s;
    vv_work_dim *w = &x->core[s->all.n];
    if (s->all.n == VV_MAX_DIMS) return vv_signature_wrong(&x->b, s);
    *w = (vv_work_dim){.made = -1};
    VV_TRY(vv_signature_length(&x->b, label, &w->n));
    strcpy(w->name, label); /* labels are shorter */
    s->dim[s->all.n] = -1;
    strcpy(s->all.name[s->all.n++], label);
    return VV_OK;
}

static vv_status read_result(several *x, part *p)
{
    vv_index n = 1;
    VV_TRY(vv_signature_core(&x->b, &x->s));
    for (int i = 0; i < x->s.core.n; i++) {
        const char *label = x->s.core.name[i];
        if (vv_label_find(&x->s.all, label) < 0) VV_TRY(new_label(x, label));
        p->label[p->nd++] = vv_label_find(&x->s.all, label);
        n = vv_times(n, x->core[p->label[i]].n);
    }
    p->place.size = vv_times(n, vv_dtype_size(x->type[p - x->part]));
    return VV_OK;
}

/* All results; *words: what they are together. */
static vv_status read_results(several *x, vv_index *words)
{
    vv_bytes all = 0;
    for (int r = 0; r < x->n; r++) {
        if (vv_working_type(x->type[r]) == VV_NONE)
            return vv_fail(VV_ERR_TYPE, "%s: functions of %s are not there yet", x->b.what, vv_dtype_name(x->type[r]));
        if (r > 0 && !vv_signature_take(&x->s, ","))
            return vv_fail(VV_ERR_USAGE, "%s: %d results, but '%s' has %d", x->b.what, x->n, x->s.text, r);
        VV_TRY(read_result(x, &x->part[r]));
        x->part[r].place.at = all;
        all += vv_times(vv_ceil_div(x->part[r].place.size, WORD), WORD);
    }
    if (vv_signature_take(&x->s, ","))
        return vv_fail(VV_ERR_USAGE, "%s: '%s' has more than %d results", x->b.what, x->s.text, x->n);
    *words = vv_imax(1, all / WORD);
    return vv_signature_end(&x->b, &x->s);
}

/* Loops, then the words; core dimensions of the operands behind them. */
static vv_status arrange(several *x, vv_index words)
{
    vv_applying *b = &x->b;
    vv_user *u = &b->user;
    int order[VV_MAX_DIMS], at[VV_MAX_DIMS], n = 0, made;
    for (int d = 0; d < b->nd; d++)
        if (x->s.loop[d]) order[n++] = d;
    u->loops = n;
    VV_TRY(vv_apply_add_dim(b, "(words)", 1, &made));
    b->dim[made].made = words;
    order[n++] = made;
    for (int d = 0, behind = n; d < b->nd; d++)
        if (d != made && !x->s.loop[d]) at[d] = behind++;
    VV_TRY(vv_apply_arrange(b, order, n));
    u->n_sizes = x->s.all.n;
    for (int i = 0; i < u->n_sizes; i++) {
        u->size[i] = x->core[i].n;
        u->size_dim[i] = x->s.dim[i] < 0 ? -1 : at[x->s.dim[i]];
    }
    for (int d = u->loops; d < b->nd; d++) u->whole[d] = true;
    u->n_results = x->n;
    for (int r = 0; r < x->n; r++) u->result_at[r] = x->part[r].place.at;
    return VV_OK;
}

static vv_status begin(several *x, vv_function *f, vv_array *const in[], int n, const vv_apply_options *o,
                       vv_array *turned[])
{
    vv_index words = 1;
    if (x->n < 1 || x->n > VV_USER_RESULTS)
        return vv_fail(VV_ERR_USAGE, "%s: %d results; at most %d at once", x->b.what, x->n, VV_USER_RESULTS);
    VV_TRY(vv_apply_begin(&x->b, VV_USER_SEVERAL, f, in, n, o));
    x->b.user.type = VV_I64;
    VV_TRY(vv_signature_operands(&x->b, &x->s, turned));
    for (int i = 0; i < x->s.all.n; i++) x->core[i] = x->b.dim[x->s.dim[i]];
    VV_TRY(read_results(x, &words));
    return arrange(x, words);
}

/* --- the results --- */

/* The function of the step that takes a result out of the words. */
static int take_out(const void *const in[], void *out, const vv_index size[], const void *data)
{
    const place *p = data;
    (void)size;
    memcpy(out, (const char *)in[0] + p->at, (size_t)p->size);
    return 0;
}

/* The core dimensions, which are the last ones, with the names and coordinates that they have in the operands. */
static vv_status name_core(const several *x, const part *p, vv_array *a)
{
    int loops = a->shape.nd - p->nd;
    for (int i = 0; i < p->nd; i++) {
        const vv_work_dim *w = &x->core[p->label[i]];
        if (vv_node_dim(a, w->name) >= 0)
            return vv_fail(VV_ERR_SHAPE, "%s: two dimensions of a result are called '%s'; vv_rename() one", x->b.what,
                           w->name);
        free(a->dim[loops + i]);
        VV_TRY(vv_strdup(&a->dim[loops + i], w->name));
        if (!w->from) continue;
        vv_coord_free(&a->coord[loops + i]);
        vv_coord_copy(&w->from->coord[w->from_dim], &a->coord[loops + i]);
    }
    return VV_OK;
}

/* What options.name calls result r: "slope,offset". */
static void name_of(const several *x, int r, char name[256])
{
    const char *text = x->b.o.name;
    snprintf(name, 256, "%s", text && text[0] ? text : x->b.n > 0 ? x->b.in[0]->name : "function");
    for (int k = 0; text && text[0]; k++) {
        size_t n = strcspn(text, ",");
        if (k == r) snprintf(name, 256, "%.*s", (int)n, text);
        text = text[n] ? text + n + 1 : NULL;
    }
}

static vv_array *result(const several *x, vv_array *words, int r)
{
    char signature[VV_MAX_DIMS * 8] = "(?)->(", dims[VV_MAX_DIMS * 32] = "", name[256];
    const part *p = &x->part[r];
    size_t at = strlen(signature), dim = 0;
    for (int i = 0; i < p->nd; i++) {
        at += (size_t)snprintf(signature + at, sizeof signature - at, i ? ",?%d" : "?%d", i);
        dim += (size_t)snprintf(dims + dim, sizeof dims - dim, i ? ",?%d:%lld" : "?%d:%lld", i,
                                (long long)x->core[p->label[i]].n);
    }
    snprintf(signature + at, sizeof signature - at, ")");
    name_of(x, r, name);
    const vv_apply_options o = {
        .name = name, .dtype = x->type[r], .dims = dims, .data = &p->place, .data_size = sizeof p->place};
    vv_array *a = vv_node_gufunc(words->context, take_out, signature, &words, 1, &o);
    return a->status == VV_OK ? vv_node_settle(a->context, a, name_core(x, p, a)) : a;
}

void vv_node_gufuncs(vv_context *c, vv_gufuncs_function *f, const char *text, vv_array *const in[], int n,
                     const vv_dtype types[], vv_array *results[], int n_results, const vv_apply_options *o)
{
    several x = {.b = {.what = "vv_apply_gufuncs", .context = c}, .s = {.text = text, .at = text}};
    vv_array *turned[VV_PROGRAM_INPUTS] = {NULL};
    x.type = types;
    x.n = n_results;
    vv_status status = begin(&x, (vv_function *)f, in, n, o, turned);
    const char *names = x.b.o.name;
    x.b.o.name = NULL;
    vv_array *words = vv_apply_finish(&x.b, status);
    x.b.o.name = names;
    for (int r = 0; r < n_results; r++)
        results[r] = words->status == VV_OK ? result(&x, words, r) : vv_node_again(words);
    vv_release(&words);
    for (int k = 0; k < VV_PROGRAM_INPUTS; k++) vv_release(&turned[k]);
}
