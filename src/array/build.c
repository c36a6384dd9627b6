/* Builders: what the result of an operation looks like - shape, dimensions, element type, attributes - without computing it. Here: what all of them
 * share, leaves and reductions; map.c has the elementwise operations, arrange.c and track.c the views, group.c the groups, block.c windows, and make.c the rest. */
#include "array/build.h"

#include "array/joined/joined.h"
#include "array/positions.h"
#include "array/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- shared --- */

vv_array *vv_node_settle(vv_context *c, vv_array *a, vv_status status)
{
    if (status == VV_OK) return a;
    vv_release(&a);
    return vv_node_inert(c);
}

vv_status vv_nodes_usable(vv_array *const arrays[], int n)
{
    for (int i = 0; i < n; i++) VV_TRY(vv_array_status(arrays[i]));
    return VV_OK;
}

vv_array *vv_node_upon(vv_array *in, vv_node_kind kind)
{
    if (vv_array_status(in) != VV_OK) return vv_node_inert(in->context);
    vv_array *a = vv_node_new(in->context, kind, in->name);
    if (a->status != VV_OK) return a;
    a->origin = in->origin;
    return vv_node_settle(in->context, a, vv_node_input(a, in));
}

int vv_node_dim(const vv_array *a, const char *name)
{
    for (int d = 0; d < a->shape.nd; d++)
        if (!strcmp(a->dim[d], name)) return d;
    return -1;
}

vv_status vv_node_find_dim(const vv_array *a, const char *name, int *out)
{
    *out = vv_node_dim(a, name);
    if (*out >= 0) return VV_OK;
    vv_buf has = {0};
    for (int d = 0; d < a->shape.nd; d++) vv_buf_printf(&has, d ? ", %s" : "%s", a->dim[d]);
    const char *near = vv_nearest(name, (const char *const *)a->dim, a->shape.nd);
    vv_status status = vv_fail(VV_ERR_NOT_FOUND, "'%s' has no dimension '%s'%s%s%s has %s", a->name, name,
                               near ? "; did you mean '" : "", near ? near : "", near ? "'? It" : "; it",
                               has.data ? has.data : "none");
    vv_buf_free(&has);
    return status;
}

/* A word up to one of `ends`, into a buffer of `size`. */
static vv_status take_word(const char **text, const char *ends, char *out, size_t size)
{
    size_t n = strcspn(*text, ends);
    if (n >= size) return vv_fail(VV_ERR_USAGE, "name too long in a list of dimensions: %.40s...", *text);
    memcpy(out, *text, n);
    out[n] = 0;
    *text += n;
    return VV_OK;
}

vv_status vv_next_item(const char **text, vv_item_text *out, bool *any)
{
    out->value[0] = 0;
    *text += strspn(*text, ", ");
    *any = **text != 0;
    if (!*any) return VV_OK;
    VV_TRY(take_word(text, ":, ", out->name, sizeof out->name));
    if (**text != ':') return VV_OK;
    ++*text;
    return take_word(text, ", ", out->value, sizeof out->value);
}

vv_status vv_next_dim(const vv_array *a, const char **text, int *out)
{
    char name[256];
    *text += strspn(*text, ", ");
    *out = -1;
    if (!**text) return VV_OK;
    VV_TRY(take_word(text, ", ", name, sizeof name));
    return vv_node_find_dim(a, name, out);
}

vv_status vv_item_number(const vv_item_text *item, vv_index *out)
{
    char *end;
    long long v = strtoll(item->value, &end, 10);
    if (end == item->value || *end || v < 1 || v > VV_INDEX_MAX / 2)
        return vv_fail(VV_ERR_USAGE, "'%s:%s' is not a dimension and a positive number", item->name, item->value);
    *out = v;
    return VV_OK;
}

vv_status vv_node_like_dim(vv_array *a, int d, const vv_array *from, int k)
{
    VV_TRY(vv_node_set_dim(a, d, from->dim[k], from->shape.n[k]));
    vv_coord_copy(&from->coord[k], &a->coord[d]);
    return VV_OK;
}

vv_status vv_node_like(vv_array *a, const vv_array *in)
{
    a->dtype = in->dtype;
    VV_TRY(vv_attrs_copy(&a->attrs, &in->attrs));
    for (int d = 0; d < in->shape.nd; d++) VV_TRY(vv_node_like_dim(a, d, in, d));
    return vv_node_keep_groups(a, in);
}

/* --- leaves --- */

static vv_status copy_unpacked_attrs(vv_array *a, const vv_attrs *from)
{
    VV_TRY(vv_attrs_copy(&a->attrs, from));
    for (int i = a->attrs.n - 1; i >= 0; i--)
        if (vv_cf_is_packing(a->attrs.item[i].name)) vv_attr_remove(&a->attrs, a->attrs.item[i].name);
    return VV_OK;
}

vv_status vv_node_stored_dims(vv_array *a, const vv_variable *v)
{
    const vv_meta *m = a->origin->file->meta;
    for (int d = 0; d < v->shape.nd; d++) {
        VV_TRY(vv_node_set_dim(a, d, m->dim[v->dim[d]].name, m->dim[v->dim[d]].length));
        a->coord[d] = (vv_coord){.from = a->origin, .var = vv_positions_variable(m, v->dim[d])};
    }
    return VV_OK;
}

static vv_status fill_open(vv_array *a, vv_dataset *d, int var, bool decoded)
{
    const vv_variable *v = &d->file->meta->var[var];
    a->origin = d;
    a->var = var;
    VV_TRY(vv_cf_decode(v, &a->decode, &a->dtype));
    if (!decoded) {
        a->decode = (vv_decode){.stored = v->type, .swap = v->swapped, .out = vv_working_type(v->type), .scale = 1};
        a->dtype = v->type;
        VV_TRY(vv_attrs_copy(&a->attrs, &v->attrs));
    } else {
        VV_TRY(copy_unpacked_attrs(a, &v->attrs));
    }
    return vv_node_stored_dims(a, v);
}

vv_array *vv_node_open(vv_dataset *d, int var, bool decoded)
{
    if (d->n_files > 1) return vv_node_joined(d, var, decoded);
    if (d->file->meta->var[var].type == VV_NONE) return vv_node_text(d, var);
    vv_array *a = vv_node_new(d->context, VV_NODE_OPEN, d->file->meta->var[var].name);
    if (a->status != VV_OK) return a;
    vv_status status = fill_open(a, d, var, decoded);
    if (status != VV_OK) (void)vv_error_prefix("%s", d->path);
    return vv_node_settle(d->context, a, status);
}

vv_array *vv_node_scalar(vv_context *c, double value)
{
    vv_array *a = vv_node_new(c, VV_NODE_SCALAR, "scalar");
    if (a->status == VV_OK) {
        a->scalar = value;
        a->dtype = VV_F64;
    }
    return a;
}

vv_array *vv_node_whole(vv_context *c, double value)
{
    vv_array *a = vv_node_scalar(c, value);
    a->whole = a->status == VV_OK;
    return a;
}

vv_array *vv_node_complex_scalar(vv_context *c, double re, double im)
{
    vv_array *a = vv_node_scalar(c, re);
    if (a->status == VV_OK) {
        a->imaginary = im;
        a->dtype = VV_C128;
    }
    return a;
}

/* --- reductions --- */

vv_status vv_node_named_dims(const vv_array *in, const char *dims, bool named[])
{
    for (int d = 0; d < in->shape.nd; d++) named[d] = !dims || !*dims;
    if (!dims) return VV_OK;
    for (;;) {
        int d;
        VV_TRY(vv_next_dim(in, &dims, &d));
        if (d < 0) return VV_OK;
        named[d] = true;
    }
}

/* The groups become a dimension in the place of theirs. */
static vv_status group_dim(vv_array *a, int d)
{
    int same = vv_node_dim(a->input[0], a->group.name);
    if (same >= 0 && same != a->group.dim)
        return vv_fail(VV_ERR_SHAPE, "'%s' cannot be grouped by '%s': it has a dimension of this name", a->name,
                       a->group.name);
    VV_TRY(vv_node_set_dim(a, d, a->group.name, a->group.n));
    vv_coord_copy(&a->group.coord, &a->coord[d]);
    return VV_OK;
}

static vv_status reduced_dims(vv_array *a, const vv_array *in)
{
    for (int d = 0; d < in->shape.nd; d++)
        if (!a->reduced[d])
            VV_TRY(vv_node_like_dim(a, a->shape.nd, in, d));
        else if (d == a->group.dim)
            VV_TRY(group_dim(a, a->shape.nd));
        else if (a->options.keep_dims)
            VV_TRY(vv_node_set_dim(a, a->shape.nd, in->dim[d], 1));
    return VV_OK;
}

/* A place among no elements at all is an error in NumPy, too. */
static vv_status check_places(const vv_array *a, const vv_array *in)
{
    for (int d = 0; d < in->shape.nd && a->reduction->places; d++)
        if (a->reduced[d] && in->shape.n[d] == 0)
            return vv_fail(VV_ERR_SHAPE, "%s of '%s' over dimension '%s', which has no elements", a->reduction->name,
                           in->name, in->dim[d]);
    return VV_OK;
}

static vv_status check_order(const vv_array *a, const vv_array *in)
{
    int dims = 0;
    vv_index n = 0;
    for (int d = 0; d < in->shape.nd; d++)
        if (a->reduced[d]) dims++, n = in->shape.n[d];
    if (!a->reduction->in_order || (dims == 1 && n < INT32_MAX / 2)) return VV_OK;
    return vv_fail(VV_ERR_USAGE, "%s of '%s' goes along one dimension of at most %d elements: say which",
                   a->reduction->name, in->name, INT32_MAX / 2);
}

static vv_status fill_reduce(vv_array *a, vv_array *in, const char *dims)
{
    const vv_grouping *g = vv_node_grouping(in);
    VV_TRY(vv_node_named_dims(in, dims, a->reduced));
    vv_dtype working = vv_working_type(in->dtype);
    if (working == VV_NONE || !vv_reduction_planes(a->reduction, working))
        return vv_fail(VV_ERR_TYPE, "%s is not defined for %s ('%s')", a->reduction->name, vv_dtype_name(in->dtype),
                       in->name);
    VV_TRY(check_places(a, in));
    VV_TRY(check_order(a, in));
    a->dtype = a->reduction->result(in->dtype);
    if (g && a->reduced[g->dim]) VV_TRY(vv_grouping_copy(g, g->dim, &a->group));
    VV_TRY(reduced_dims(a, in));
    VV_TRY(vv_attrs_copy(&a->attrs, &in->attrs));
    return vv_cf_reduced_attrs(a);
}

/* Operations on lanes that make one element of each are reductions, too: number i of them; -1 past the end. */
static int lane_reduction(int i)
{
    for (int op = 0; op < vv_n_block_ops; op++)
        if (vv_block_ops[op].reduces && i-- == 0) return op;
    return -1;
}

static const char *lane_name(int op)
{
    return vv_block_ops[op].name + strlen("lanes_");
}

/* One of the two: *out, or the number of an operation on lanes. */
static vv_status find_reduction(const char *how, const vv_reduction **out, int *op)
{
    *out = vv_reduction_find(how);
    if (*out) return VV_OK;
    for (int i = 0; (*op = lane_reduction(i)) >= 0; i++)
        if (!strcmp(lane_name(*op), how)) return VV_OK;
    const char *names[64];
    int n = 0;
    for (; n < 64 && (names[n] = vv_reduction_name(n)); n++) continue;
    const char *near = vv_nearest(how, names, n);
    return vv_fail(VV_ERR_USAGE, "there is no reduction '%s'%s%s%s", how, near ? "; did you mean '" : "",
                   near ? near : "", near ? "'?" : "");
}

/* Groups along a dimension that is still there stay: the grouping of a REDUCE itself is what it reduces by, so a view carries them. */
static vv_array *still_grouped(vv_array *reduced, const vv_array *in)
{
    const vv_grouping *g = vv_node_grouping(in);
    if (reduced->status != VV_OK || !g || reduced->group.dim >= 0) return reduced;
    vv_array *a = vv_node_seen_again(reduced);
    vv_release(&reduced);
    return a->status == VV_OK ? vv_node_settle(a->context, a, vv_node_keep_groups(a, in)) : a;
}

vv_array *vv_reduce(vv_array *in, const char *how, const char *dims, const vv_reduce_options *options)
{
    const vv_reduction *reduction;
    int op;
    if (vv_array_status(in) != VV_OK || find_reduction(how, &reduction, &op) != VV_OK)
        return vv_node_inert(in->context);
    if (vv_dtype_is_complex(in->dtype) && !(reduction && reduction->complex_too))
        return vv_node_reduce_complex(in, reduction ? reduction->name : how, dims, options);
    if (!reduction) return vv_node_reduce_lanes(in, op, dims, options);
    vv_array *a = vv_node_upon(in, VV_NODE_REDUCE);
    if (a->status != VV_OK) return a;
    a->reduction = reduction;
    if (options) a->options = *options;
    return still_grouped(vv_node_settle(in->context, a, fill_reduce(a, in, dims)), in);
}

static vv_status fill_told(vv_array *a, vv_array *const in[], int n, const char *dims, const char *length_dim)
{
    const vv_grouping *g = vv_node_grouping(in[0]);
    for (int k = 0; k < n; k++) {
        if (vv_working_type(in[k]->dtype) == VV_NONE)
            return vv_fail(VV_ERR_TYPE, "%s is not defined for %s ('%s')", a->reduction->name,
                           vv_dtype_name(in[k]->dtype), in[k]->name);
        VV_TRY(vv_node_input(a, in[k]));
        if (!a->origin) a->origin = in[k]->origin;
    }
    VV_TRY(vv_node_named_dims(in[0], dims, a->reduced));
    if (g && a->reduced[g->dim]) VV_TRY(vv_grouping_copy(g, g->dim, &a->group));
    VV_TRY(reduced_dims(a, in[0]));
    if (!a->spec->length) return VV_OK;
    if (vv_node_dim(a, length_dim) >= 0)
        return vv_fail(VV_ERR_SHAPE, "%s of '%s': the result has a dimension '%s' already", a->name, in[0]->name,
                       length_dim);
    return vv_node_set_dim(a, a->shape.nd, length_dim, a->spec->length);
}

vv_array *vv_node_reduce_told(vv_array *const arrays[], int n, const vv_reduction *kind, vv_red_spec *spec,
                              vv_dtype type, const char *dims, const char *name, const char *length_dim)
{
    vv_context *c = arrays[0]->context;
    vv_array *in[VV_RED_VALUES], *a = vv_node_inert(c);
    vv_status status = vv_nodes_usable(arrays, n);
    if (status == VV_OK) {
        vv_node_broadcast(c, arrays, n, in);
        status = vv_nodes_usable(in, n);
        a = vv_node_then(a, vv_node_new(c, VV_NODE_REDUCE, name));
        if (status == VV_OK) status = a->status;
        if (a->status == VV_OK) {
            a->reduction = kind;
            a->spec = spec;
            a->dtype = type;
            spec = NULL;
        }
        if (status == VV_OK) status = fill_told(a, in, n, dims, length_dim);
        for (int k = 0; k < n; k++) vv_release(&in[k]);
    }
    vv_red_spec_free(&spec);
    return still_grouped(vv_node_settle(c, a, status), arrays[0]);
}

#define REDUCTION(name)                                                                                                \
    vv_array *vv_##name(vv_array *a, const char *dims)                                                                 \
    {                                                                                                                  \
        return vv_reduce(a, #name, dims, NULL);                                                                        \
    }
REDUCTION(sum)
REDUCTION(mean)
REDUCTION(min)
REDUCTION(max)
REDUCTION(var)
REDUCTION(std)
REDUCTION(argmin)
REDUCTION(argmax)
REDUCTION(median)

const char *vv_reduction_name(int i)
{
    if (i >= 0 && i < vv_n_reductions) return vv_reductions[i]->name;
    int op = i < 0 ? -1 : lane_reduction(i - vv_n_reductions);
    return op < 0 ? NULL : lane_name(op);
}

const char *vv_reduction_help(int i)
{
    if (i >= 0 && i < vv_n_reductions) return vv_reductions[i]->help;
    int op = i < 0 ? -1 : lane_reduction(i - vv_n_reductions);
    return op < 0 ? NULL : vv_block_ops[op].help;
}
