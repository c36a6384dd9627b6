/* Functions of all elements along core dimensions, at every position of the others. */
#include "array/gufunc.h"

#include "varve/move.h"

#include <stdio.h>
#include <string.h>

/* --- signatures --- */

vv_status vv_signature_wrong(const vv_applying *b, const vv_signature *s)
{
    return vv_fail(VV_ERR_USAGE, "%s: '%s' is no signature at '%s'; one is (m,n),(n)->(m)", b->what, s->text, s->at);
}

static void skip_blanks(vv_signature *s)
{
    while (*s->at == ' ') s->at++;
}

bool vv_signature_take(vv_signature *s, const char *what)
{
    skip_blanks(s);
    if (strncmp(s->at, what, strlen(what)) != 0) return false;
    s->at += strlen(what);
    return true;
}

vv_status vv_signature_core(const vv_applying *b, vv_signature *s)
{
    s->core.n = 0;
    if (!vv_signature_take(s, "(")) return vv_signature_wrong(b, s);
    while (!vv_signature_take(s, ")")) {
        if (s->core.n > 0 && !vv_signature_take(s, ",")) return vv_signature_wrong(b, s);
        skip_blanks(s);
        size_t n = strcspn(s->at, "(),-> ");
        if (n == 0 || n >= VV_LABEL || s->core.n == VV_MAX_DIMS) return vv_signature_wrong(b, s);
        memcpy(s->core.name[s->core.n], s->at, n);
        s->core.name[s->core.n++][n] = 0;
        s->at += n;
    }
    return VV_OK;
}

int vv_label_find(const vv_labels *l, const char *name)
{
    for (int i = 0; i < l->n; i++)
        if (!strcmp(l->name[i], name)) return i;
    return -1;
}

/* --- arrays --- */

/* Which of an array's dimensions its core ones are: by name, or the last ones. */
static vv_status place_core(const vv_applying *b, int k, const vv_signature *s, int at[])
{
    const vv_array *in = b->in[k];
    bool named = true;
    for (int i = 0; i < s->core.n; i++) {
        at[i] = vv_node_dim(in, s->core.name[i]);
        named = named && at[i] >= 0;
        for (int j = 0; j < i; j++)
            if (!strcmp(s->core.name[i], s->core.name[j]))
                return vv_fail(VV_ERR_USAGE, "%s: '%s' twice for one array in '%s'", b->what, s->core.name[i], s->text);
    }
    if (s->core.n > in->shape.nd)
        return vv_fail(VV_ERR_SHAPE, "%s: '%s' has %d dimensions, '%s' wants %d of it", b->what, in->name, in->shape.nd,
                       s->text, s->core.n);
    for (int i = 0; i < s->core.n && !named; i++) at[i] = in->shape.nd - s->core.n + i;
    return VV_OK;
}

static vv_status add_label(vv_applying *b, vv_signature *s, const char *label, const char *name, vv_index n, int *out)
{
    if (s->all.n == VV_MAX_DIMS) return vv_signature_wrong(b, s);
    VV_TRY(vv_apply_add_dim(b, name, n, out));
    s->dim[s->all.n] = *out;
    strcpy(s->all.name[s->all.n++], label);
    return VV_OK;
}

/* Core dimensions are the operand's last ones. The array is the caller's, transposed if it has to be. */
static vv_status add_core(vv_applying *b, int k, vv_signature *s, const int at[])
{
    for (int i = 0; i < s->core.n; i++) {
        const vv_array *in = b->in[k];
        int label = vv_label_find(&s->all, s->core.name[i]), dim = label < 0 ? -1 : s->dim[label];
        if (dim < 0) VV_TRY(add_label(b, s, s->core.name[i], in->dim[at[i]], in->shape.n[at[i]], &dim));
        b->user.in[k].dim[at[i]] = dim;
        VV_TRY(vv_apply_same_dim(b, k, at[i], dim));
        if (in->shape.n[at[i]] != b->dim[dim].n)
            return vv_fail(VV_ERR_SHAPE, "%s: core dimension '%s' of '%s' has %lld elements, that of '%s' has %lld",
                           b->what, s->core.name[i], in->name, (long long)in->shape.n[at[i]], b->dim[dim].from->name,
                           (long long)b->dim[dim].n);
    }
    return VV_OK;
}

static bool is_core(const int at[], int n, int d)
{
    for (int i = 0; i < n; i++)
        if (at[i] == d) return true;
    return false;
}

/* A loop: by its name among those that are no core dimensions. */
static vv_status add_loop(vv_applying *b, int k, int d, bool loop[])
{
    int dim = -1;
    for (int i = 0; i < b->nd && dim < 0; i++)
        if (loop[i] && !strcmp(b->dim[i].name, b->in[k]->dim[d])) dim = i;
    if (dim < 0) VV_TRY(vv_apply_add_dim(b, b->in[k]->dim[d], b->in[k]->shape.n[d], &dim));
    loop[dim] = true;
    return vv_apply_same_dim(b, k, d, dim);
}

/* The function gets core dimensions in the signature's order, behind the loops: the operand's dimensions in that order. */
static vv_array *ordered(vv_array *a, const int at[], int n)
{
    vv_buf dims = {0};
    for (int d = 0; d < a->shape.nd; d++)
        if (!is_core(at, n, d)) vv_buf_printf(&dims, dims.size ? ",%s" : "%s", a->dim[d]);
    for (int i = 0; i < n; i++) vv_buf_printf(&dims, dims.size ? ",%s" : "%s", a->dim[at[i]]);
    vv_array *out = vv_buf_status(&dims) != VV_OK ? vv_node_inert(a->context)
                    : dims.size                   ? vv_transpose(a, dims.data)
                                                  : vv_node_again(a);
    vv_buf_free(&dims);
    return out;
}

/* --- results --- */

vv_status vv_signature_length(const vv_applying *b, const char *label, vv_index *out)
{
    vv_item_text item;
    const char *text = b->o.dims;
    bool any = text != NULL;
    while (any) {
        VV_TRY(vv_next_item(&text, &item, &any));
        if (any && !strcmp(item.name, label)) return vv_item_number(&item, out);
    }
    return vv_fail(VV_ERR_USAGE, "%s: no array has the core dimension '%s', and options.dims does not say its length",
                   b->what, label);
}

static vv_status new_core(vv_applying *b, vv_signature *s, const char *label, int *out)
{
    vv_index n;
    VV_TRY(vv_signature_length(b, label, &n));
    VV_TRY(add_label(b, s, label, label, 1, out));
    b->dim[*out].made = n;
    return VV_OK;
}

static vv_status arrange(vv_applying *b, vv_signature *s)
{
    int order[VV_MAX_DIMS], n = 0, place[VV_MAX_DIMS];
    for (int d = 0; d < b->nd; d++)
        if (s->loop[d]) order[n++] = d;
    b->user.loops = n;
    for (int i = 0; i < s->core.n; i++, n++) {
        int label = vv_label_find(&s->all, s->core.name[i]);
        if (n == VV_MAX_DIMS) return vv_signature_wrong(b, s);
        if (label < 0)
            VV_TRY(new_core(b, s, s->core.name[i], &order[n]));
        else
            order[n] = s->dim[label];
    }
    VV_TRY(vv_apply_arrange(b, order, n));
    int behind = n;
    for (int d = 0; d < b->nd; d++) place[d] = -1;
    for (int i = 0; i < n; i++) place[order[i]] = i;
    for (int d = 0; d < b->nd; d++)
        if (place[d] < 0) place[d] = behind++;
    b->user.n_sizes = s->all.n;
    for (int i = 0; i < s->all.n; i++) b->user.size_dim[i] = place[s->dim[i]];
    for (int d = b->user.loops; d < b->nd; d++) b->user.whole[d] = true;
    return VV_OK;
}

vv_status vv_signature_operands(vv_applying *b, vv_signature *s, vv_array *turned[])
{
    for (int k = 0; k < b->n; k++) {
        int at[VV_MAX_DIMS];
        if (k > 0 && !vv_signature_take(s, ",")) return vv_signature_wrong(b, s);
        VV_TRY(vv_signature_core(b, s));
        VV_TRY(place_core(b, k, s, at));
        turned[k] = ordered(b->in[k], at, s->core.n);
        VV_TRY(vv_array_status(turned[k]));
    }
    b->in = turned;
    s->at = s->text;
    for (int k = 0; k < b->n; k++) {
        int at[VV_MAX_DIMS], nd = b->in[k]->shape.nd;
        (void)vv_signature_take(s, ",");
        VV_TRY(vv_signature_core(b, s));
        for (int i = 0; i < s->core.n; i++) at[i] = nd - s->core.n + i;
        for (int d = 0; d < nd - s->core.n; d++) VV_TRY(add_loop(b, k, d, s->loop));
        VV_TRY(add_core(b, k, s, at));
    }
    return vv_signature_take(s, "->") ? VV_OK : vv_signature_wrong(b, s);
}

vv_status vv_signature_end(const vv_applying *b, vv_signature *s)
{
    skip_blanks(s);
    return *s->at ? vv_signature_wrong(b, s) : VV_OK;
}

static vv_status begin(vv_applying *b, vv_function *f, vv_signature *s, vv_array *const in[], int n,
                       const vv_apply_options *o, vv_array *turned[])
{
    VV_TRY(vv_apply_begin(b, VV_USER_GUFUNC, f, in, n, o));
    VV_TRY(vv_signature_operands(b, s, turned));
    VV_TRY(vv_signature_core(b, s));
    VV_TRY(vv_signature_end(b, s));
    return arrange(b, s);
}

vv_array *vv_node_gufunc(vv_context *c, vv_gufunc_function *f, const char *text, vv_array *const in[], int n,
                         const vv_apply_options *o)
{
    vv_applying b = {.what = "vv_apply_gufunc", .context = c};
    vv_signature s = {.text = text, .at = text};
    vv_array *turned[VV_PROGRAM_INPUTS] = {NULL};
    vv_array *a = vv_apply_finish(&b, begin(&b, (vv_function *)f, &s, in, n, o, turned));
    for (int k = 0; k < VV_PROGRAM_INPUTS; k++) vv_release(&turned[k]);
    return a;
}

/* --- along an axis --- */

/* Of an array whose last dimension is the axis: loops, then what takes the axis' place, then the axis itself. */
static vv_status begin_lanes(vv_applying *b, vv_lane_function *f, vv_array *const in[], const vv_apply_options *o)
{
    const vv_array *a = in[0];
    int order[VV_MAX_DIMS], n = 0, dim;
    vv_item_text item;
    VV_TRY(vv_apply_begin(b, VV_USER_LANES, (vv_function *)f, in, 1, o));
    for (int d = 0; d < a->shape.nd; d++) {
        VV_TRY(vv_apply_add_dim(b, a->dim[d], a->shape.n[d], &dim));
        VV_TRY(vv_apply_same_dim(b, 0, d, dim));
        if (d < a->shape.nd - 1) order[n++] = dim;
    }
    b->user.loops = n;
    const char *text = b->o.dims;
    for (bool any = text != NULL; any && n < VV_MAX_DIMS;) {
        VV_TRY(vv_next_item(&text, &item, &any));
        if (!any) break;
        VV_TRY(vv_apply_add_dim(b, item.name, 1, &order[n]));
        vv_work_dim *w = &b->dim[order[n++]];
        VV_TRY(vv_item_number(&item, &w->made));
    }
    VV_TRY(vv_apply_arrange(b, order, n));
    for (int d = b->user.loops; d < b->nd; d++) b->user.whole[d] = true;
    return VV_OK;
}

/* What took the axis' place goes there. */
static vv_array *back_in_place(vv_array *a, const vv_array *in, int axis, int loops)
{
    vv_buf dims = {0};
    if (a->status != VV_OK) return a;
    for (int d = 0; d < in->shape.nd; d++) {
        if (d != axis) vv_buf_printf(&dims, dims.size ? ",%s" : "%s", in->dim[d]);
        for (int k = loops; d == axis && k < a->shape.nd; k++)
            vv_buf_printf(&dims, dims.size ? ",%s" : "%s", a->dim[k]);
    }
    vv_array *out = vv_buf_status(&dims) != VV_OK ? vv_node_inert(a->context)
                    : dims.size                   ? vv_transpose(a, dims.data)
                                                  : vv_node_again(a);
    vv_buf_free(&dims);
    return vv_node_then(a, out);
}

/* Where the axis stays what it was, it keeps its coordinate. */
static vv_status keep_coord(vv_array *a, const vv_array *in, int axis)
{
    int d = vv_node_dim(a, in->dim[axis]);
    if (d < 0 || a->shape.n[d] != in->shape.n[axis] || !a->coord) return VV_OK;
    vv_coord_free(&a->coord[d]);
    vv_coord_copy(&in->coord[axis], &a->coord[d]);
    return VV_OK;
}

vv_array *vv_apply_along_axis(vv_lane_function *f, vv_array *in, const char *dim, const vv_apply_options *options)
{
    vv_applying b = {.what = "vv_apply_along_axis", .context = in->context};
    int axis;
    if (vv_array_status(in) != VV_OK || vv_node_find_dim(in, dim, &axis) != VV_OK) return vv_node_inert(in->context);
    vv_array *turned = ordered(in, &axis, 1);
    vv_array *a = vv_apply_finish(&b, begin_lanes(&b, f, &turned, options));
    vv_release(&turned);
    a = back_in_place(a, in, axis, b.user.loops);
    return a->status == VV_OK ? vv_node_settle(a->context, a, keep_coord(a, in, axis)) : a;
}
