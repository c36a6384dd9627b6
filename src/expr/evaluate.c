/* From trees to lazy arrays. Numbers stay numbers as long as they are among themselves, computed by the same kernels as arrays. */
#include "expr/value.h"

#include "base/log.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double most_whole = 9007199254740992.0; /* 2^53: integers up to here are exact as f64 */

vv_status vv_pool_printf(vv_pool *p, const char **out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = NULL;
    int n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0) return vv_fail(VV_ERR_NOMEM, "no memory for an expression");
    char *copy = NULL;
    vv_status status = vv_pool_text(p, text, (size_t)n, &copy);
    free(text);
    *out = copy;
    return status;
}

vv_status vv_made(vv_script *x, vv_span place, vv_array *a, vv_value *out)
{
    if (vv_array_status(a) != VV_OK) return vv_passage_blame(x->source, place);
    *out = vv_value_array(a);
    return VV_OK;
}

const char *vv_value_text(const vv_value *v, char out[80])
{
    switch (v->kind) {
    case VV_VALUE_NUMBER: snprintf(out, 80, "the number %.9g", v->number); break;
    case VV_VALUE_TEXT: snprintf(out, 80, "the text \"%.40s\"", v->text); break;
    case VV_VALUE_ARRAY: snprintf(out, 80, "the array '%.40s'", v->array->name); break;
    case VV_VALUE_LIST: snprintf(out, 80, "a list"); break;
    case VV_VALUE_PENDING: snprintf(out, 80, "%s(...)", v->pending.name); break;
    }
    return out;
}

vv_status vv_number_text(vv_script *x, const vv_value *v, const char **out)
{
    if (v->whole) return vv_pool_printf(&x->pool, out, "%.0f", v->number);
    char text[40];
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v->number);
        if (strtod(text, NULL) == v->number) break;
    }
    return vv_pool_printf(&x->pool, out, "%s", text);
}

/* --- numbers --- */

static vv_value whole_or_real(double x, bool whole)
{
    return vv_value_number(x, whole && fabs(x) <= most_whole && x == floor(x));
}

/* By the kernel of the operation; what is undefined for f64 is computed as integers. False: not at all. */
static bool fold(const char *function, const vv_value v[], int n, vv_value *out)
{
    const vv_op *op = vv_op_find(function);
    bool whole = true;
    double in[3] = {0};
    int64_t integer[3] = {0}, result = 0;
    if (!op || op->arity != n) return false;
    for (int i = 0; i < n; i++) {
        whole = whole && v[i].whole;
        in[i] = v[i].number;
        integer[i] = v[i].whole ? (int64_t)v[i].number : 0;
    }
    if (op->condition) {
        *out = v[in[0] != 0 ? 1 : 2]; /* NaN is true, as in arrays */
        return true;
    }
    vv_dtype type = op->cast(VV_F64);
    if (type == VV_F64) {
        double real = 0;
        vv_dtype gives = op->result(VV_F64);
        op->kernel(VV_F64)(1, &in[0], &in[1], &in[2], gives == VV_F64 ? (void *)&real : (void *)&result);
        bool stays = op->cast(VV_I64) == VV_I64; /* of integers it is one */
        *out = gives == VV_F64 ? whole_or_real(real, whole && stays) : vv_value_number((double)result, true);
        return true;
    }
    if (!whole || op->cast(VV_I64) != VV_I64) return false;
    op->kernel(VV_I64)(1, &integer[0], &integer[1], &integer[2], &result);
    *out = vv_value_number((double)result, true);
    return true;
}

static vv_array *number_array(vv_context *c, const vv_value *v)
{
    return v->whole ? vv_node_whole(c, v->number) : vv_node_scalar(c, v->number);
}

/* --- elementwise --- */

static const char *sign_of(const char *function)
{
    static const char *const row[][2] = {
        {"add", "'+'"},           {"subtract", "'-'"},    {"multiply", "'*'"},       {"divide", "'/'"},
        {"floor_divide", "'//'"}, {"remainder", "'%'"},   {"power", "'^'"},          {"negative", "'-'"},
        {"positive", "'+'"},      {"invert", "'~'"},      {"logical_or", "'or'"},    {"logical_and", "'and'"},
        {"logical_not", "'not'"}, {"equal", "'=='"},      {"not_equal", "'!='"},     {"less", "'<'"},
        {"less_equal", "'<='"},   {"greater", "'>'"},     {"greater_equal", "'>='"}, {"bitwise_or", "'|'"},
        {"bitwise_and", "'&'"},   {"left_shift", "'<<'"}, {"right_shift", "'>>'"}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        if (!strcmp(row[i][0], function)) return row[i][1];
    return function;
}

static vv_status not_an_operand(vv_script *x, vv_span place, const char *function, const vv_value *v)
{
    char text[80];
    if (v->kind == VV_VALUE_PENDING)
        return vv_passage_error(x->source, place, VV_ERR_TYPE, "%s(...) wants a statistic first: %s(...).mean()",
                                v->pending.name, v->pending.name);
    return vv_passage_error(x->source, place, VV_ERR_TYPE, "%s takes arrays and numbers, not %s", sign_of(function),
                            vv_value_text(v, text));
}

static vv_status not_defined(vv_script *x, vv_span place, const char *function)
{
    const char *sign = sign_of(function);
    if (!strcmp(function, "invert"))
        return vv_passage_error(x->source, place, VV_ERR_TYPE,
                                "'~' is of integers and truth values; of others write 'not'");
    if (strncmp(function, "bitwise_", 8) != 0) return vv_passage_blame(x->source, place);
    return vv_passage_error(x->source, place, VV_ERR_TYPE,
                            "%s is of integers and truth values, and binds more than comparisons do: write "
                            "(a > 1) %c (b < 2), or '%s'",
                            sign, sign[1], sign[1] == '&' ? "and" : "or");
}

/* Angles in degrees are mistaken for radians sooner or later. */
static void warn_of_degrees(const vv_script *x, const char *function, const vv_array *a)
{
    const char *units = vv_attr_text(&a->attrs, "units");
    bool angle = !strcmp(function, "sin") || !strcmp(function, "cos") || !strcmp(function, "tan");
    (void)x;
    if (angle && units && !strncmp(units, "degree", 6))
        vv_say(VV_LOG_WARN, "%s(%s): '%s' is in %s, and %s takes radians: write %s(radians(%s))", function, a->name,
               a->name, units, function, function, a->name);
}

static vv_status apply_to_arrays(vv_script *x, vv_span place, const char *function, vv_array *in[], int n,
                                 vv_value *out)
{
    for (int i = 0; i < n; i++)
        if (in[i]->kind != VV_NODE_SCALAR) warn_of_degrees(x, function, in[i]);
    if (vv_node_line_up(in, n, x->inner) != VV_OK) return vv_passage_blame(x->source, place);
    vv_array *a = vv_node_elementwise(x->context, function, in, n);
    vv_status status = vv_array_status(a);
    if (status == VV_ERR_TYPE) return not_defined(x, place, function);
    if (status != VV_OK) return vv_passage_blame(x->source, place);
    VV_TRY(vv_carry_attributes(function, in, n, a));
    *out = vv_value_array(a);
    return VV_OK;
}

vv_status vv_apply(vv_script *x, vv_span place, const char *function, const vv_value v[], int n, vv_value *out)
{
    vv_array *in[3];
    bool numbers = true;
    if (n > 3) return vv_passage_error(x->source, place, VV_ERR_USAGE, "%s takes at most 3 operands", function);
    for (int i = 0; i < n; i++) {
        numbers = numbers && v[i].kind == VV_VALUE_NUMBER;
        if (v[i].kind != VV_VALUE_NUMBER && v[i].kind != VV_VALUE_ARRAY)
            return not_an_operand(x, place, function, &v[i]);
    }
    if (numbers && fold(function, v, n, out)) return VV_OK;
    bool root = !strcmp(function, "power") && n == 2 && v[1].kind == VV_VALUE_NUMBER && v[1].number < 0;
    for (int i = 0; i < n; i++) { /* an integer to a negative power is a real number */
        vv_value operand = v[i];
        if (root) operand.whole = false;
        in[i] = operand.kind == VV_VALUE_ARRAY ? operand.array : number_array(x->context, &operand);
    }
    return apply_to_arrays(x, place, function, in, n, out);
}

static vv_status operation(vv_script *x, const vv_expr *e, vv_value *out)
{
    vv_value v[3];
    for (int i = 0; i < e->n; i++) VV_TRY(vv_evaluate(x, e->item[i], &v[i]));
    if (!strcmp(e->text, "where") && v[0].kind == VV_VALUE_NUMBER) { /* nothing is chosen by elements */
        *out = v[v[0].number != 0 ? 1 : 2];
        return VV_OK;
    }
    return vv_apply(x, e->place, e->text, v, e->n, out);
}

static vv_status comparison(vv_script *x, const vv_expr *e, vv_value *out)
{
    vv_value pair[2], both[2];
    VV_TRY(vv_evaluate(x, e->item[0], &pair[0]));
    for (int i = 1; i < e->n; i++) {
        VV_TRY(vv_evaluate(x, e->item[i], &pair[1]));
        VV_TRY(vv_apply(x, e->between[i - 1], e->compared[i - 1], pair, 2, &both[i > 1]));
        if (i > 1) VV_TRY(vv_apply(x, e->between[i - 1], "logical_and", both, 2, &both[0]));
        pair[0] = pair[1];
    }
    *out = both[0];
    return VV_OK;
}

/* --- the rest --- */

static vv_status list(vv_script *x, const vv_expr *e, vv_value *out)
{
    vv_value *items;
    VV_TRY(vv_pool_get(&x->pool, (size_t)(e->n + 1) * sizeof *items, &items));
    for (int i = 0; i < e->n; i++) {
        if (e->item[i]->key)
            return vv_passage_error(x->source, e->item[i]->key_span, VV_ERR_USAGE, "a list has no names in it");
        VV_TRY(vv_evaluate(x, e->item[i], &items[i]));
    }
    *out = (vv_value){.kind = VV_VALUE_LIST, .item = items, .n = e->n};
    return VV_OK;
}

static vv_status field(vv_script *x, const vv_expr *e)
{
    if (e->item[0]->kind != VV_EXPR_NAME || vv_is_function(e->text))
        return vv_passage_error(x->source, e->place, VV_ERR_USAGE, "a method is called: .%s(...)", e->text);
    return vv_passage_error(
        x->source, e->place, VV_ERR_USAGE,
        "expected a method, such as .mean(...); parts of a date are for groups: x.group(time.month)");
}

vv_status vv_evaluate(vv_script *x, const vv_expr *e, vv_value *out)
{
    switch (e->kind) {
    case VV_EXPR_NUMBER: *out = vv_value_number(e->number, e->whole); return VV_OK;
    case VV_EXPR_TEXT: *out = (vv_value){.kind = VV_VALUE_TEXT, .text = e->text}; return VV_OK;
    case VV_EXPR_NAME: return vv_name_value(x, e, out);
    case VV_EXPR_OPERATION: return operation(x, e, out);
    case VV_EXPR_COMPARISON: return comparison(x, e, out);
    case VV_EXPR_CALL: return vv_evaluate_call(x, e, out);
    case VV_EXPR_INDEX: return vv_evaluate_index(x, e, out);
    case VV_EXPR_LIST: return list(x, e, out);
    case VV_EXPR_FIELD: return field(x, e);
    case VV_EXPR_RANGE:
        return vv_passage_error(x->source, e->span, VV_ERR_USAGE, "a range from:to has no meaning here");
    case VV_EXPR_ELLIPSIS: break;
    }
    return vv_passage_error(x->source, e->span, VV_ERR_USAGE, "'...' has a meaning in x[...] only");
}

vv_status vv_evaluate_array(vv_script *x, const vv_expr *e, vv_array **out)
{
    vv_value v;
    char text[80];
    VV_TRY(vv_evaluate(x, e, &v));
    if (v.kind == VV_VALUE_NUMBER)
        *out = number_array(x->context, &v);
    else if (v.kind == VV_VALUE_ARRAY)
        *out = v.array;
    else if (v.kind == VV_VALUE_PENDING)
        return vv_passage_error(x->source, e->span, VV_ERR_TYPE, "%s(...) wants a statistic first: %s(...).mean()",
                                v.pending.name, v.pending.name);
    else
        return vv_passage_error(x->source, e->span, VV_ERR_TYPE, "expected an array, found %s",
                                vv_value_text(&v, text));
    return vv_array_status(*out);
}
