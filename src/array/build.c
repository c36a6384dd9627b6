/* Builders: what the result of an operation looks like - shape, dimensions, element type, attributes - without computing it. */
#include "array/node.h"

#include <stdlib.h>
#include <string.h>

static vv_status copy_unpacked_attrs(vv_array *a, const vv_attrs *from)
{
    VV_TRY(vv_attrs_copy(&a->attrs, from));
    for (int i = a->attrs.n - 1; i >= 0; i--)
        if (vv_cf_is_packing(a->attrs.item[i].name)) vv_attr_remove(&a->attrs, a->attrs.item[i].name);
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
    a->shape.nd = v->shape.nd;
    for (int i = 0; i < v->shape.nd; i++)
        VV_TRY(vv_node_set_dim(a, i, d->file->meta->dim[v->dim[i]].name, v->shape.n[i]));
    return VV_OK;
}

/* A half-built node whose building failed becomes the inert one. */
static vv_array *settle(vv_context *c, vv_array *a, vv_status status)
{
    if (status == VV_OK) return a;
    vv_release(&a);
    return vv_node_inert(c);
}

vv_array *vv_node_open(vv_dataset *d, int var, bool decoded)
{
    vv_array *a = vv_node_new(d->context, VV_NODE_OPEN, d->file->meta->var[var].name);
    if (a->status != VV_OK) return a;
    vv_status status = fill_open(a, d, var, decoded);
    if (status != VV_OK) (void)vv_error_prefix("%s", d->path);
    return settle(d->context, a, status);
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

/* --- elementwise --- */

vv_dtype vv_node_operand_type(const vv_op *op, vv_array *const operands[], int n)
{
    vv_dtype type = VV_NONE;
    bool scalar = false;
    for (int i = op->condition ? 1 : 0; i < n; i++) {
        if (operands[i]->kind == VV_NODE_SCALAR)
            scalar = true;
        else
            type = type == VV_NONE ? operands[i]->dtype : vv_dtype_promote(type, operands[i]->dtype);
    }
    if (type == VV_NONE) return VV_F64;
    return scalar && !vv_dtype_is_float(type) ? VV_F64 : type;
}

static vv_status same_dims(const vv_array *a, const vv_array *b, const char *op)
{
    char left[160], right[160];
    bool same = vv_shape_equal(&a->shape, &b->shape);
    for (int d = 0; same && d < a->shape.nd; d++) same = !strcmp(a->dim[d], b->dim[d]);
    if (same) return VV_OK;
    return vv_fail(VV_ERR_SHAPE, "%s: operands do not line up: %s and %s", op, vv_describe(a, left, sizeof left),
                   vv_describe(b, right, sizeof right));
}

static vv_status fill_map(vv_array *a, vv_array *const operands[], int n)
{
    vv_array *shaped = NULL;
    for (int i = 0; i < n; i++) {
        if (operands[i]->kind == VV_NODE_SCALAR) continue;
        if (shaped) VV_TRY(same_dims(shaped, operands[i], a->op->name));
        if (!shaped) shaped = operands[i];
    }
    for (int i = 0; i < n; i++) vv_node_input(a, operands[i]);
    vv_dtype in = vv_node_operand_type(a->op, operands, n), working = vv_working_type(in);
    if (working == VV_NONE || (a->op->cast && (working = a->op->cast(working)) == VV_NONE))
        return vv_fail(VV_ERR_TYPE, "%s is not defined for %s", a->op->name, vv_dtype_name(in));
    vv_dtype result = a->op->result(working);
    a->dtype = result == vv_working_type(in) ? in : result;
    if (!shaped) return VV_OK;
    a->origin = shaped->origin;
    a->shape.nd = shaped->shape.nd;
    for (int d = 0; d < a->shape.nd; d++) VV_TRY(vv_node_set_dim(a, d, shaped->dim[d], shaped->shape.n[d]));
    return VV_OK;
}

vv_array *vv_node_elementwise(vv_context *c, const char *name, vv_array *const operands[], int n)
{
    for (int i = 0; i < n; i++)
        if (operands[i]->status != VV_OK) {
            (void)vv_array_status(operands[i]);
            return vv_node_inert(c);
        }
    const vv_op *op = vv_op_find(name);
    if (!op || op->arity != n) {
        (void)vv_fail(VV_ERR_USAGE, op ? "%s takes %d operands, not %d" : "there is no operation '%s'", name,
                      op ? op->arity : 0, n);
        return vv_node_inert(c);
    }
    const vv_array *named = operands[0]->kind == VV_NODE_SCALAR && n > 1 ? operands[1] : operands[0];
    vv_array *a = vv_node_new(c, VV_NODE_MAP, named->name);
    if (a->status != VV_OK) return a;
    a->op = op;
    return settle(c, a, fill_map(a, operands, n));
}

#define UNARY(name)                                                                                                    \
    vv_array *vv_##name(vv_array *a)                                                                                   \
    {                                                                                                                  \
        return vv_node_elementwise(a->context, #name, (vv_array *[]){a}, 1);                                           \
    }
#define BINARY(name)                                                                                                   \
    vv_array *vv_##name(vv_array *a, vv_array *b)                                                                      \
    {                                                                                                                  \
        return vv_node_elementwise(a->context, #name, (vv_array *[]){a, b}, 2);                                        \
    }
VV_UNARY_LIST(UNARY)
VV_BINARY_LIST(BINARY)

vv_array *vv_sub(vv_array *a, vv_array *b)
{
    return vv_subtract(a, b);
}

vv_array *vv_mul(vv_array *a, vv_array *b)
{
    return vv_multiply(a, b);
}

vv_array *vv_where(vv_array *condition, vv_array *a, vv_array *b)
{
    return vv_node_elementwise(a->context, "where", (vv_array *[]){condition, a, b}, 3);
}

/* --- reductions --- */

static vv_status no_such_dim(const vv_array *in, const char *name)
{
    const char *names[VV_MAX_DIMS];
    vv_buf has = {0};
    for (int d = 0; d < in->shape.nd; d++) {
        names[d] = in->dim[d];
        vv_buf_printf(&has, d ? ", %s" : "%s", in->dim[d]);
    }
    const char *near = vv_nearest(name, names, in->shape.nd);
    vv_status status =
        vv_fail(VV_ERR_NOT_FOUND, "'%s' has no dimension '%s'%s%s%s; it has %s", in->name, name,
                near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "", has.data ? has.data : "none");
    vv_buf_free(&has);
    return status;
}

static vv_status parse_dims(vv_array *a, const vv_array *in, const char *dims)
{
    if (!dims || !*dims) {
        for (int d = 0; d < in->shape.nd; d++) a->reduced[d] = true;
        return VV_OK;
    }
    while (*dims) {
        char name[256];
        dims += strspn(dims, ", ");
        size_t n = strcspn(dims, ", ");
        if (n == 0) break;
        if (n >= sizeof name) return vv_fail(VV_ERR_USAGE, "dimension name too long: %.40s...", dims);
        memcpy(name, dims, n);
        name[n] = 0;
        int d = 0;
        while (d < in->shape.nd && strcmp(in->dim[d], name)) d++;
        if (d == in->shape.nd) return no_such_dim(in, name);
        a->reduced[d] = true;
        dims += n;
    }
    return VV_OK;
}

static vv_status fill_reduce(vv_array *a, vv_array *in, const char *dims)
{
    vv_node_input(a, in);
    a->origin = in->origin;
    VV_TRY(parse_dims(a, in, dims));
    vv_dtype working = vv_working_type(in->dtype);
    if (working == VV_NONE || !a->reduction->planes(working))
        return vv_fail(VV_ERR_TYPE, "%s is not defined for %s ('%s')", a->reduction->name, vv_dtype_name(in->dtype),
                       in->name);
    a->dtype = a->reduction->result(in->dtype);
    for (int d = 0; d < in->shape.nd; d++)
        if (!a->reduced[d] || a->options.keep_dims) {
            int k = a->shape.nd++;
            VV_TRY(vv_node_set_dim(a, k, in->dim[d], a->reduced[d] ? 1 : in->shape.n[d]));
        }
    VV_TRY(vv_attrs_copy(&a->attrs, &in->attrs));
    return vv_cf_reduced_attrs(a);
}

static vv_status find_reduction(const char *how, const vv_reduction **out)
{
    *out = vv_reduction_find(how);
    if (*out) return VV_OK;
    const char *names[64];
    int n = vv_n_reductions < 64 ? vv_n_reductions : 64;
    for (int i = 0; i < n; i++) names[i] = vv_reductions[i]->name;
    const char *near = vv_nearest(how, names, n);
    return vv_fail(VV_ERR_USAGE, "there is no reduction '%s'%s%s%s", how, near ? "; did you mean '" : "",
                   near ? near : "", near ? "'?" : "");
}

vv_array *vv_reduce(vv_array *in, const char *how, const char *dims, const vv_reduce_options *options)
{
    vv_context *c = in->context;
    const vv_reduction *reduction;
    if (vv_array_status(in) != VV_OK || find_reduction(how, &reduction) != VV_OK) return vv_node_inert(c);
    vv_array *a = vv_node_new(c, VV_NODE_REDUCE, in->name);
    if (a->status != VV_OK) return a;
    a->reduction = reduction;
    if (options) a->options = *options;
    return settle(c, a, fill_reduce(a, in, dims));
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

const char *vv_reduction_name(int i)
{
    return i >= 0 && i < vv_n_reductions ? vv_reductions[i]->name : NULL;
}

const char *vv_reduction_help(int i)
{
    return i >= 0 && i < vv_n_reductions ? vv_reductions[i]->help : NULL;
}
