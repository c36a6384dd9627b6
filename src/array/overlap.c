/* Functions of chunks with their surroundings. What lies outside of the arrays is put there by padding them: a view like any other, which moves nothing. */
#include "array/apply.h"

#include "varve/move.h"

#include <stdlib.h>
#include <string.h>

typedef struct overlap {
    vv_index before, after;
    const char *mode; /* of vv_pad(); NULL: nothing is put there */
    double value;
} overlap;

static const struct boundary {
    const char *name, *mode;
} boundaries[] = {
    {"none", NULL}, {"periodic", "wrap"}, {"reflect", "symmetric"}, {"mirror", "reflect"}, {"nearest", "edge"},
};
enum { BOUNDARIES = sizeof boundaries / sizeof *boundaries };

static vv_status read_boundary(const vv_applying *b, const char *text, overlap *out)
{
    const char *names[BOUNDARIES];
    char *end;
    for (int i = 0; i < BOUNDARIES; i++) {
        names[i] = boundaries[i].name;
        out->mode = boundaries[i].mode;
        if (!strcmp(text, names[i])) return VV_OK;
    }
    out->mode = "constant";
    out->value = strtod(text, &end);
    if (end != text && !*end) return VV_OK;
    const char *near = vv_nearest(text, names, BOUNDARIES);
    return vv_fail(VV_ERR_USAGE,
                   "%s: there is no boundary '%s'%s%s%s; use none, periodic, reflect, mirror, nearest or a number",
                   b->what, text, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static vv_status find(const vv_applying *b, const char *name, int *d)
{
    *d = vv_apply_find_dim(b, name);
    return *d >= 0 ? VV_OK : vv_fail(VV_ERR_NOT_FOUND, "%s: no array has the dimension '%s'", b->what, name);
}

/* "1", or "2:3". */
static vv_status read_depth(const vv_applying *b, const vv_item_text *item, overlap *out)
{
    enum { MOST = 1 << 30 };
    char *end;
    out->before = out->after = strtoll(item->value, &end, 10);
    bool two = *end == ':' && end != item->value;
    const char *second = end + 1;
    if (two) out->after = strtoll(second, &end, 10);
    if (end != item->value && (!two || end != second) && !*end && out->before >= 0 && out->after >= 0 &&
        out->before <= MOST && out->after <= MOST)
        return VV_OK;
    return vv_fail(VV_ERR_USAGE, "%s: '%s:%s' is no depth: '%s:1', or before and after, '%s:2:3'", b->what, item->name,
                   item->value, item->name, item->name);
}

static vv_status read_depths(const vv_applying *b, const char *text, overlap out[])
{
    vv_item_text item;
    bool any = text != NULL;
    while (any) {
        int d;
        VV_TRY(vv_next_item(&text, &item, &any));
        if (!any) break;
        VV_TRY(find(b, item.name, &d));
        VV_TRY(read_depth(b, &item, &out[d]));
    }
    return VV_OK;
}

/* One word for all dimensions, or one for each. */
static vv_status read_boundaries(const vv_applying *b, const char *text, overlap out[])
{
    vv_item_text item;
    bool any = text != NULL;
    while (any) {
        int d;
        VV_TRY(vv_next_item(&text, &item, &any));
        if (!any) break;
        if (item.value[0]) {
            VV_TRY(find(b, item.name, &d));
            VV_TRY(read_boundary(b, item.value, &out[d]));
        } else {
            for (d = 0; d < b->nd; d++) VV_TRY(read_boundary(b, item.name, &out[d]));
        }
    }
    return VV_OK;
}

static vv_array *padded(const vv_applying *b, vv_array *a, const char *dim, const overlap *o)
{
    vv_array *out = vv_pad(a, dim, o->before, o->after, o->mode, o->value);
    if (out->status != VV_OK || out->dtype == a->dtype) return out;
    (void)vv_fail(VV_ERR_TYPE, "%s: %g around '%s' is no %s", b->what, o->value, a->name, vv_dtype_name(a->dtype));
    vv_release(&out);
    return vv_node_inert(b->context);
}

/* Arrays with their boundaries, in the place of `in`; the caller lets go of them. */
static vv_status pad_all(const vv_applying *b, const overlap o[], vv_array *out[])
{
    for (int k = 0; k < b->n; k++) {
        out[k] = vv_node_again(b->in[k]);
        for (int d = 0; d < b->in[k]->shape.nd; d++) {
            int w = b->user.in[k].dim[d];
            if (w < 0 || !o[w].mode || (o[w].before == 0 && o[w].after == 0)) continue;
            out[k] = vv_node_then(out[k], padded(b, out[k], b->in[k]->dim[d], &o[w]));
        }
    }
    return vv_nodes_usable(out, b->n);
}

static vv_status begin(vv_applying *b, vv_block_function *f, vv_array *const in[], int n, const vv_apply_options *o)
{
    if (n < 1) return vv_fail(VV_ERR_USAGE, "%s: of no array", b->what);
    VV_TRY(vv_apply_begin(b, VV_USER_BLOCKS, (vv_function *)f, in, n, o));
    for (int k = 0; k < n; k++)
        for (int d = 0; d < in[k]->shape.nd; d++) VV_TRY(vv_apply_by_name(b, k, d));
    return vv_apply_result_dims(b, b->o.dims);
}

static vv_status surround(vv_applying *b, const char *depth, const char *boundary, vv_array *around[])
{
    overlap o[VV_MAX_DIMS] = {{0}};
    VV_TRY(read_depths(b, depth, o));
    VV_TRY(read_boundaries(b, boundary, o));
    for (int d = 0; d < b->nd; d++) {
        b->user.before[d] = o[d].before;
        b->user.after[d] = o[d].after;
        b->user.open[d] = !o[d].mode && (o[d].before > 0 || o[d].after > 0);
        if ((o[d].before > 0 || o[d].after > 0) && (b->dim[d].made >= 0 || d >= b->user.result_nd))
            return vv_fail(VV_ERR_USAGE, "%s: '%s' has surroundings, so it keeps its length", b->what, b->dim[d].name);
    }
    return pad_all(b, o, around);
}

vv_array *vv_node_map_overlap(vv_context *c, vv_block_function *f, vv_array *const in[], int n, const char *depth,
                              const char *boundary, const vv_apply_options *options)
{
    vv_applying b = {.what = "vv_map_overlap", .context = c};
    vv_array *around[VV_PROGRAM_INPUTS] = {NULL};
    vv_status status = begin(&b, f, in, n, options);
    if (status == VV_OK) status = surround(&b, depth, boundary, around);
    if (status == VV_OK) b.in = around;
    vv_array *a = vv_apply_finish(&b, status);
    for (int k = 0; k < VV_PROGRAM_INPUTS; k++) vv_release(&around[k]);
    return a;
}
