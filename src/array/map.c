/* Elementwise operations: operands are matched by the names of their dimensions.
 *
 * The result has the dimensions of the first operand that has any, then what the others have besides. Whoever lacks some of them, or has them
 * in another order, is seen through a view, so that all operands of a MAP have its own shape. When one is grouped along `time` by `month`, an
 * operand with a dimension `month` instead of `time` is seen through the labels: element [t] of it is its group's. */
#include "array/build.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The least integer type that holds a whole number. */
static vv_dtype type_of_whole(double x, bool is_signed)
{
    static const vv_dtype types[2][4] = {{VV_U8, VV_U16, VV_U32, VV_U64}, {VV_I8, VV_I16, VV_I32, VV_I64}};
    int i = 0;
    for (; i < 3; i++) {
        double end = ldexp(1, (8 << i) - is_signed);
        if (x < end && x >= (is_signed ? -end : 0)) break;
    }
    return types[is_signed][i];
}

/* NumPy's rule: a number counts only where an array's type cannot hold it; truth values are none. */
static vv_dtype with_whole(vv_dtype type, double x)
{
    if (vv_dtype_kind(type) == 'b') return VV_I64;
    if (!vv_dtype_is_integer(type)) return type;
    bool is_signed = vv_dtype_kind(type) == 'i';
    return vv_dtype_promote(type, type_of_whole(x, is_signed || x < 0));
}

vv_dtype vv_node_operand_type(const vv_op *op, vv_array *const operands[], int n)
{
    vv_dtype type = VV_NONE;
    bool scalar = false, all_whole = true, complex_scalar = false;
    const int first = op->condition ? 1 : 0;
    for (int i = first; i < n; i++) {
        if (operands[i]->kind == VV_NODE_SCALAR) {
            scalar = true;
            all_whole = all_whole && operands[i]->whole;
            complex_scalar = complex_scalar || operands[i]->dtype == VV_C128;
        } else {
            type = type == VV_NONE ? operands[i]->dtype : vv_dtype_promote(type, operands[i]->dtype);
        }
    }
    if (complex_scalar && vv_dtype_is_complex(type)) return type;
    if (complex_scalar) return type == VV_F32 ? VV_C64 : VV_C128;
    if (type == VV_NONE) return all_whole ? VV_I64 : VV_F64;
    if (!all_whole) return scalar && vv_dtype_is_integer(vv_working_type(type)) ? VV_F64 : type;
    for (int i = first; i < n; i++)
        if (operands[i]->kind == VV_NODE_SCALAR) type = with_whole(type, operands[i]->scalar);
    return type;
}

/* The operand whose groups count: the first grouped one. */
static const vv_array *grouped_operand(vv_array *const operands[], int n)
{
    for (int i = 0; i < n; i++)
        if (vv_node_grouping(operands[i])) return operands[i];
    return NULL;
}

/* The dimension of an operand that holds one element for each group of another one; -1 when it has none. */
static int group_dim(const vv_array *operand, const vv_array *grouped)
{
    if (!grouped || vv_node_dim(grouped, grouped->group.name) >= 0) return -1;
    if (vv_node_dim(operand, grouped->dim[grouped->group.dim]) >= 0) return -1;
    return vv_node_dim(operand, grouped->group.name);
}

static bool has_coordinate(const vv_coord *c)
{
    return c->value || (c->var >= 0 && !c->moved);
}

static vv_status do_not_line_up(const vv_array *a, const vv_array *from, int k, vv_array *const operands[])
{
    char both[VV_TWO_TEXT];
    int first = 0;
    while (operands[first] != from && vv_node_dim(operands[first], from->dim[k]) < 0) first++;
    return vv_fail(VV_ERR_SHAPE, "%s: operands do not line up along '%s': %s", a->op->name, from->dim[k],
                   vv_describe_two(operands[first], from, both));
}

/* Dimension k of an operand, which may be there already. */
static vv_status join_dim(vv_array *a, const vv_array *from, int k, vv_array *const operands[])
{
    int d = vv_node_dim(a, from->dim[k]);
    if (d < 0) return vv_node_like_dim(a, a->shape.nd, from, k);
    if (a->shape.n[d] != from->shape.n[k]) return do_not_line_up(a, from, k, operands);
    if (!has_coordinate(&a->coord[d]) && has_coordinate(&from->coord[k])) {
        vv_coord_free(&a->coord[d]);
        vv_coord_copy(&from->coord[k], &a->coord[d]);
    }
    return VV_OK;
}

static vv_status join_dims(vv_array *a, vv_array *const operands[], int n, const vv_array *grouped)
{
    for (int i = 0; i < n; i++) {
        int matched = group_dim(operands[i], grouped);
        if (!a->origin) a->origin = operands[i]->origin;
        for (int k = 0; k < operands[i]->shape.nd; k++)
            if (k == matched)
                VV_TRY(join_dim(a, grouped, grouped->group.dim, operands));
            else
                VV_TRY(join_dim(a, operands[i], k, operands));
    }
    return VV_OK;
}

/* --- matching groups --- */

static bool ascends(const vv_values *v)
{
    for (vv_index i = 1; i < v->n; i++)
        if (!(v->at[i - 1] < v->at[i])) return false;
    return true;
}

/* Where a value is; -1: nowhere. */
static vv_index find_value(const vv_values *v, bool ascending, double value)
{
    vv_index low = 0, high = v->n;
    while (ascending && low < high) {
        vv_index middle = low + (high - low) / 2;
        if (v->at[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    while (!ascending && low < v->n && v->at[low] != value) low++;
    return low < v->n && v->at[low] == value ? low : -1;
}

static bool same_values(const vv_values *a, const vv_values *b)
{
    return a->n == b->n && !memcmp(a->at, b->at, (size_t)a->n * sizeof *a->at);
}

/* The position along dimension k of each group: by value where both sides have a coordinate, else by number. */
static vv_status group_positions(const vv_array *operand, int k, const vv_grouping *g, vv_index position[])
{
    vv_values *have, *want = g->coord.value;
    VV_TRY(vv_coord_values(&operand->coord[k], &have));
    bool by_value = have && want && !same_values(have, want), ascending = by_value && ascends(have);
    for (vv_index i = 0; i < g->n; i++) position[i] = by_value ? find_value(have, ascending, want->at[i]) : i;
    vv_values_free(&have);
    if (by_value || operand->shape.n[k] == g->n) return VV_OK;
    return vv_fail(VV_ERR_SHAPE, "'%s' has %lld elements along '%s' for %lld groups", operand->name,
                   (long long)operand->shape.n[k], g->name, (long long)g->n);
}

/* Labels as positions along dimension k of an operand; *gaps: some elements have none. */
static vv_status label_table(const vv_array *operand, int k, const vv_grouping *g, vv_table **out, bool *gaps)
{
    vv_index *position;
    bool same = true;
    *gaps = false;
    VV_TRY(vv_new(&position, (size_t)g->n, sizeof *position));
    vv_status status = group_positions(operand, k, g, position);
    for (vv_index i = 0; i < g->n; i++) same = same && position[i] == i;
    if (status == VV_OK && same) *out = vv_table_share(g->label);
    if (status == VV_OK && !same) status = vv_table_new(g->label->n, out);
    for (vv_index i = 0; status == VV_OK && i < g->label->n; i++) {
        vv_index label = g->label->at[i];
        if (!same) (*out)->at[i] = label < 0 ? -1 : position[label];
        *gaps = *gaps || (*out)->at[i] < 0;
    }
    free(position);
    return status;
}

static vv_array *seen_by_group(const vv_array *result, vv_array *operand, int k, const vv_array *grouped)
{
    const vv_grouping *g = &grouped->group;
    vv_table *labels = NULL;
    bool gaps;
    if (label_table(operand, k, g, &labels, &gaps) != VV_OK) return vv_node_inert(operand->context);
    vv_array *values = operand;
    if (gaps)
        values = vv_node_as_real(operand);
    else
        (void)vv_node_again(values);
    vv_array *a = vv_node_seen_as(values, result, g->name, vv_node_dim(result, grouped->dim[g->dim]), labels);
    vv_table_free(&labels);
    vv_release(&values);
    return a;
}

/* --- the node --- */

static vv_status add_operand(vv_array *a, vv_array *operand, const vv_array *grouped)
{
    if (operand->kind == VV_NODE_SCALAR) return vv_node_input(a, operand);
    int k = group_dim(operand, grouped);
    vv_array *seen = k >= 0 ? seen_by_group(a, operand, k, grouped) : vv_node_seen_as(operand, a, NULL, -1, NULL);
    vv_status status = vv_array_status(seen);
    if (status == VV_OK) status = vv_node_input(a, seen);
    vv_release(&seen);
    return status;
}

/* What NumPy computes of truth values instead; NULL: the operation itself. `refused`: it has none. */
static const char *for_truth(const char *op, bool *refused)
{
    static const struct {
        const char *op, *instead;
    } row[] = {{"invert", "logical_not"}, {"subtract", NULL}, {"negative", NULL}, {"positive", NULL}, {"sign", NULL}};
    *refused = false;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        if (!strcmp(row[i].op, op)) {
            *refused = !row[i].instead;
            return row[i].instead;
        }
    return NULL;
}

static vv_status not_defined(const vv_array *a, vv_dtype in, vv_array *const operands[], int n)
{
    char text[VV_TWO_TEXT];
    if (n == 2)
        vv_describe_two(operands[0], operands[1], text);
    else
        vv_describe(operands[n - 1], text, sizeof text);
    return vv_fail(VV_ERR_TYPE, "%s is not defined for %s: %s", a->op->name, vv_dtype_name(in), text);
}

static vv_status infer_type(vv_array *a, vv_array *const operands[], int n)
{
    vv_dtype in = vv_node_operand_type(a->op, a->input, a->n_inputs), working = vv_working_type(in);
    bool refused = false;
    if (in == VV_BOOL) (void)for_truth(a->op->name, &refused);
    if (refused || working == VV_NONE || (working = vv_op_cast(a->op, working)) == VV_NONE)
        return not_defined(a, in, operands, n);
    vv_dtype result = vv_op_result(a->op, working);
    a->dtype = a->op->gives != VV_NONE ? a->op->gives : result == vv_working_type(in) ? in : result;
    return VV_OK;
}

/* In NumPy an array of narrow integers wraps after every operation, truth values become true again: what follows sees that. */
static vv_array *wrapped(vv_array *a)
{
    vv_dtype working = vv_working_type(a->dtype);
    if (a->status != VV_OK || !a->op->wraps || a->dtype == working) return a;
    char name[16];
    snprintf(name, sizeof name, "as_%s", vv_dtype_name(a->dtype));
    vv_array *narrow = vv_node_elementwise(a->context, name, &a, 1);
    vv_release(&a);
    return narrow;
}

static vv_status fill_map(vv_array *a, vv_array *const operands[], int n)
{
    const vv_array *grouped = grouped_operand(operands, n);
    VV_TRY(join_dims(a, operands, n, grouped));
    for (int i = 0; i < n; i++) VV_TRY(add_operand(a, operands[i], grouped));
    VV_TRY(infer_type(a, operands, n));
    return grouped ? vv_node_keep_groups(a, grouped) : VV_OK;
}

vv_array *vv_node_elementwise(vv_context *c, const char *name, vv_array *const operands[], int n)
{
    if (vv_nodes_usable(operands, n) != VV_OK) return vv_node_inert(c);
    if (!strcmp(name, "power") && n == 2 && operands[1]->kind == VV_NODE_SCALAR &&
        !vv_dtype_is_complex(operands[1]->dtype) &&
        !vv_dtype_is_integer(vv_working_type(operands[0]->dtype))) { /* as NumPy does, and exact */
        if (operands[1]->scalar == 2) return vv_node_elementwise(c, "square", operands, 1);
        if (operands[1]->scalar == 0.5) return vv_node_elementwise(c, "sqrt", operands, 1);
    }
    bool truth = n > 0, refused;
    for (int i = 0; i < n; i++) truth = truth && operands[i]->kind != VV_NODE_SCALAR && operands[i]->dtype == VV_BOOL;
    const char *instead = truth ? for_truth(name, &refused) : NULL;
    const vv_op *op = vv_op_find(instead ? instead : name);
    if (!op || op->arity != n) {
        (void)vv_fail(VV_ERR_USAGE, op ? "%s takes %d operands, not %d" : "there is no operation '%s'", name,
                      op ? op->arity : 0, n);
        return vv_node_inert(c);
    }
    const vv_array *named = operands[0]->kind == VV_NODE_SCALAR && n > 1 ? operands[1] : operands[0];
    vv_array *a = vv_node_new(c, VV_NODE_MAP, named->name);
    if (a->status != VV_OK) return a;
    a->op = op;
    return wrapped(vv_node_settle(c, a, fill_map(a, operands, n)));
}

vv_array *vv_node_as_real(vv_array *a)
{
    if (a->status != VV_OK || !vv_dtype_is_complex(a->dtype)) return vv_node_as_inexact(a);
    (void)vv_fail(
        VV_ERR_TYPE,
        "'%s' is complex (%s), and this is defined for real numbers; take vv_real(), vv_imag() or vv_absolute() of it",
        a->name, vv_dtype_name(a->dtype));
    return vv_node_inert(a->context);
}

vv_array *vv_node_as_inexact(vv_array *a)
{
    if (a->status != VV_OK || !vv_dtype_is_integer(vv_working_type(a->dtype))) return vv_node_again(a);
    vv_array *one = vv_node_scalar(a->context, 1);
    vv_array *real = vv_node_elementwise(a->context, "multiply", (vv_array *[]){a, one}, 2);
    vv_release(&one);
    return real->status == VV_OK ? vv_node_settle(a->context, real, vv_attrs_copy(&real->attrs, &a->attrs)) : real;
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

vv_array *vv_node_of(const char *op, vv_array *a, vv_array *b)
{
    vv_array *operands[] = {a, b};
    vv_array *made = vv_node_elementwise(a->context, op, operands, b ? 2 : 1);
    vv_release(&a);
    vv_release(&b);
    return made;
}
