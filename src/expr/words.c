/* Arguments in words. A bare name is a word where an argument is one: the name of a dimension, of a statistic, of an element type; but a name that stands for a
 * number or a text means that, unless an operand has a dimension of this name. */
#include "expr/call.h"

#include <stdlib.h>
#include <string.h>

int vv_dim_of(const vv_array *a, const char *name)
{
    for (int d = 0; d < a->shape.nd; d++)
        if (!strcmp(a->dim[d], name)) return d;
    return -1;
}

vv_status vv_join_words(vv_script *x, const char *word, const char **list)
{
    if (*list) return vv_pool_printf(&x->pool, list, "%s,%s", *list, word);
    *list = word;
    return VV_OK;
}

bool vv_looks_like_word(const vv_expr *e)
{
    return e->kind == VV_EXPR_NAME || e->kind == VV_EXPR_TEXT || e->kind == VV_EXPR_LIST || e->kind == VV_EXPR_RANGE;
}

static vv_status value_word(vv_script *x, const vv_expr *e, const vv_value *v, const char **out)
{
    char text[80];
    if (v->kind == VV_VALUE_NUMBER) return vv_number_text(x, v, out);
    if (v->kind == VV_VALUE_TEXT) {
        *out = v->text;
        return VV_OK;
    }
    return vv_passage_error(x->source, e->span, VV_ERR_TYPE, "expected a name, a number or a text, found %s",
                            vv_value_text(v, text));
}

static vv_status name_word(vv_script *x, const vv_expr *e, vv_array *const in[], int n_in, const char **out)
{
    const vv_meaning *m = vv_meaning_find(x, e->text);
    *out = e->text;
    for (int i = 0; i < n_in; i++)
        if (vv_dim_of(in[i], e->text) >= 0) return VV_OK;
    if (m && (m->value.kind == VV_VALUE_NUMBER || m->value.kind == VV_VALUE_TEXT))
        return value_word(x, e, &m->value, out);
    static const char *const words[][2] = {{"true", "1"}, {"false", "0"}, {"pi", "3.141592653589793"}};
    for (size_t i = 0; i < sizeof words / sizeof *words && !e->quoted; i++)
        if (!strcmp(words[i][0], e->text)) *out = words[i][1];
    return VV_OK;
}

static vv_status parts_word(vv_script *x, const vv_expr *e, vv_array *const in[], int n_in, const char **out)
{
    *out = "";
    for (int i = 0; i < e->n; i++) {
        const char *part = "";
        if (e->kind == VV_EXPR_RANGE && i == 2 && !e->item[2]) break;
        if (e->item[i]) VV_TRY(vv_item_word(x, e->item[i], in, n_in, &part));
        VV_TRY(vv_pool_printf(&x->pool, out, "%s%s%s", *out, i == 0 ? "" : e->kind == VV_EXPR_RANGE ? ":" : ",", part));
    }
    return VV_OK;
}

vv_status vv_item_word(vv_script *x, const vv_expr *e, vv_array *const in[], int n_in, const char **out)
{
    vv_value v;
    switch (e->kind) {
    case VV_EXPR_NAME: return name_word(x, e, in, n_in, out);
    case VV_EXPR_LIST:
    case VV_EXPR_RANGE: return parts_word(x, e, in, n_in, out);
    case VV_EXPR_FIELD:
        if (e->item[0]->kind == VV_EXPR_NAME) return vv_pool_printf(&x->pool, out, "%s.%s", e->item[0]->text, e->text);
        break;
    default: break;
    }
    VV_TRY(vv_evaluate(x, e, &v));
    return value_word(x, e, &v, out);
}

vv_status vv_item_real(vv_script *x, const vv_expr *e, double *out)
{
    vv_value v;
    char text[80];
    VV_TRY(vv_evaluate(x, e, &v));
    if (v.kind != VV_VALUE_NUMBER)
        return vv_passage_error(x->source, e->span, VV_ERR_TYPE, "expected a number, found %s",
                                vv_value_text(&v, text));
    *out = v.number;
    return VV_OK;
}

vv_status vv_item_whole(vv_script *x, const vv_expr *e, vv_index *out)
{
    vv_value v;
    char text[80];
    VV_TRY(vv_evaluate(x, e, &v));
    if (v.kind != VV_VALUE_NUMBER || !v.whole)
        return vv_passage_error(x->source, e->span, VV_ERR_TYPE, "expected a whole number, found %s",
                                vv_value_text(&v, text));
    *out = (vv_index)v.number;
    return VV_OK;
}

vv_status vv_item_flag(vv_script *x, const vv_expr *e, bool *out)
{
    double number = 0;
    VV_TRY(vv_item_real(x, e, &number));
    *out = number != 0;
    return VV_OK;
}

vv_status vv_first_array(vv_script *x, const vv_expr *e, vv_array **out)
{
    if (e->n == 0 || e->item[0]->key)
        return vv_passage_error(x->source, e->place, VV_ERR_USAGE, "%s wants an array first: %s(x, ...)", e->text,
                                e->text);
    VV_TRY(vv_evaluate_array(x, e->item[0], out));
    if ((*out)->kind != VV_NODE_SCALAR) return VV_OK;
    *out = vv_node_full(x->context, "", NULL, (*out)->scalar,
                        (*out)->whole ? VV_I64 : VV_F64); /* with elements, as others have */
    return vv_array_status(*out) == VV_OK ? VV_OK : vv_passage_blame(x->source, e->item[0]->span);
}

/* --- messages --- */

/* The words of "dims? ddof?" without their marks. */
static int argument_names(vv_script *x, const char *arguments, const char *names[], int most)
{
    int n = 0;
    for (const char *at = arguments; *at && n < most; at += strspn(at, " ")) {
        size_t length = strcspn(at, " "), name = at[length - 1] == '?' ? length - 1 : length;
        char *copy;
        if (vv_pool_text(&x->pool, at, name, &copy) != VV_OK) return n;
        names[n++] = copy;
        at += length;
    }
    return n;
}

vv_status vv_no_argument(vv_script *x, const vv_expr *e, const vv_expr *item, const char *arguments)
{
    const char *names[32] = {NULL}, *list = NULL;
    int n = argument_names(x, arguments, names, 32);
    const char *near = vv_nearest(item->key, names, n);
    for (int i = 0; i < n; i++)
        VV_TRY(vv_pool_printf(&x->pool, &list, "%s%s%s", list ? list : "", list ? ", " : "", names[i]));
    if (!strcmp(item->key, "axis"))
        return vv_passage_error(x->source, item->key_span, VV_ERR_USAGE,
                                "dimensions have names here: %s(x, time) instead of axis=0", e->text);
    return vv_passage_error(x->source, item->key_span, VV_ERR_USAGE, "%s has no argument '%.60s'%s%s%s %s", e->text,
                            item->key, near ? "; did you mean '" : "", near ? near : "",
                            near ? "'? It takes" : "; it takes", list ? list : "none");
}

/* Whether the message speaks of this text: as 'text', or as argument=text. */
static bool is_told(vv_script *x, const char *message, const char *text, size_t n)
{
    const char *quoted, *said;
    if (n == 0 || n > 60 || vv_pool_printf(&x->pool, &quoted, "'%.*s'", (int)n, text) != VV_OK) return false;
    if (vv_pool_printf(&x->pool, &said, "=%.*s ", (int)n, text) != VV_OK) return false;
    return strstr(message, quoted) || strstr(message, said);
}

vv_status vv_blame_call(vv_script *x, const vv_expr *e)
{
    const char *message = vv_last_error();
    for (int i = e->n > 0; i < e->n; i++) {
        const vv_expr *item = e->item[i];
        const char *text = item->kind == VV_EXPR_TEXT ? item->text : x->source->text + item->span.at;
        size_t n = item->kind == VV_EXPR_TEXT ? strlen(text) : item->span.end - item->span.at;
        if (item->key && is_told(x, message, item->key, strlen(item->key)))
            return vv_passage_blame(x->source, item->key_span);
        if (is_told(x, message, text, n)) return vv_passage_blame(x->source, item->span);
    }
    return vv_passage_blame(x->source, e->place);
}
