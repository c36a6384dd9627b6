/* Calls: f(x, ...) and x.f(...), which is the same. What the registry knows is called by its list of operands and arguments alone, so that a function that is
 * added there is a function here. */
#include "expr/call.h"

#include "varve/create.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 32 };

/* A call on its way to the registry. */
typedef struct calling {
    vv_script *script;
    const vv_expr *e;
    vv_function_info f;
    int n_in;
    vv_array **in;
    int n_names; /* arguments of the function */
    char *name[MOST];
    bool may_miss[MOST];
    const char *value[MOST]; /* by argument; NULL: not said */
    int n_along;             /* roll(x, lon=180): items whose key is a dimension */
    const vv_expr *along[MOST];
} calling;

/* --- which function --- */

static bool find_registered(const char *name, vv_function_info *out)
{
    for (int i = 0; vv_function_at(i, out); i++)
        if (!strcmp(out->name, name)) return true;
    return false;
}

static vv_status unknown(vv_script *x, const vv_expr *e)
{
    vv_function_info f;
    const char **names;
    int n = 0;
    for (int i = 0; vv_function_at(i, &f); i++) n++;
    for (int i = 0; vv_expression_function_at(i, &f); i++) n++;
    for (int i = 0; vv_alias(i); i++) n++;
    for (int i = 0; vv_random_name(i); i++) n++;
    VV_TRY(vv_pool_get(&x->pool, (size_t)n * sizeof *names, &names));
    n = 0;
    for (int i = 0; vv_expression_function_at(i, &f); i++) names[n++] = f.name;
    for (int i = 0; vv_function_at(i, &f); i++) names[n++] = f.name;
    for (int i = 0; vv_alias(i); i++) names[n++] = vv_alias(i);
    for (int i = 0; vv_random_name(i); i++)
        VV_TRY(vv_pool_printf(&x->pool, &names[n++], "random_%s", vv_random_name(i)));
    const char *near = vv_nearest(e->text, names, n);
    bool variable = !e->method && vv_is_name(x, e->text);
    return vv_passage_error(x->source, e->place, VV_ERR_USAGE, "there is no function '%.80s'%s%s%s%s", e->text,
                            variable ? "; of a variable's elements, write "
                            : near   ? "; did you mean '"
                                     : "; 'varve eval --help' lists them",
                            variable ? e->text
                            : near   ? near
                                     : "",
                            variable ? "[...]"
                            : near   ? "'?"
                                     : "",
                            "");
}

/* --- the function's arguments --- */

static vv_status read_names(calling *c)
{
    for (const char *at = c->f.arguments; *at && c->n_names < MOST; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        bool may_miss = at[length - 1] == '?';
        VV_TRY(vv_pool_text(&c->script->pool, at, length - may_miss, &c->name[c->n_names]));
        c->may_miss[c->n_names++] = may_miss;
        at += length;
    }
    return VV_OK;
}

static int find_name(const calling *c, const char *name)
{
    for (int i = 0; i < c->n_names; i++)
        if (!strcmp(c->name[i], name)) return i;
    return -1;
}

/* "roll(x, dim, by)" */
static vv_status signature(calling *c, const char **out)
{
    vv_pool *p = &c->script->pool;
    const char *in = c->f.most == INT_MAX ? "a, b, ..."
                     : c->f.operands == 3 ? "a, b, c"
                     : c->f.operands == 2 ? "a, b"
                     : c->f.operands == 1 ? "x"
                                          : "";
    VV_TRY(vv_pool_printf(p, out, "%s(%s", c->e->text, in));
    for (int i = 0; i < c->n_names; i++)
        VV_TRY(vv_pool_printf(p, out, "%s%s%s%s", *out, i || *in ? ", " : "", c->name[i],
                              c->f.most == INT_MAX ? "=..."
                              : c->may_miss[i]     ? "?"
                                                   : ""));
    return vv_pool_printf(p, out, "%s)", *out);
}

static vv_status wrong_call(calling *c, vv_span place, const char *what)
{
    const char *how = "";
    VV_TRY(signature(c, &how));
    return vv_passage_error(c->script->source, place, VV_ERR_USAGE, "%s: %s", what, how);
}

/* Lists of names with lengths, "time:12,lat:180": which may be given as time=12, lat=180. */
static bool takes_pairs(const calling *c, const char *name)
{
    if (!strcmp(name, "dims"))
        return c->f.operands == 0 || !strcmp(c->f.name, "reshape") || !strcmp(c->f.name, "broadcast_to");
    return !strcmp(name, "chunks") || !strcmp(name, "blocks") || !strcmp(name, "region") || !strcmp(name, "grid");
}

static bool takes_list(const calling *c, const char *name)
{
    return !strcmp(name, "dims") || takes_pairs(c, name);
}

/* --- operands --- */

static vv_status operand(calling *c, const vv_expr *e)
{
    vv_array *a;
    if (e->kind == VV_EXPR_LIST && c->f.most == INT_MAX) { /* concat([a, b], dim=time) */
        for (int i = 0; i < e->n; i++) VV_TRY(operand(c, e->item[i]));
        return VV_OK;
    }
    VV_TRY(vv_evaluate_array(c->script, e, &a));
    if (a->kind == VV_NODE_SCALAR) { /* with an element, as others have */
        a = vv_node_full(c->script->context, "", NULL, a->scalar, a->whole ? VV_I64 : VV_F64);
        VV_TRY(vv_array_status(a));
    }
    if ((c->n_in & (c->n_in - 1)) == 0) {
        vv_array **more;
        VV_TRY(vv_pool_get(&c->script->pool, (size_t)(c->n_in ? 2 * c->n_in : 1) * sizeof *more, &more));
        if (c->n_in > 0) memcpy(more, c->in, (size_t)c->n_in * sizeof *more);
        c->in = more;
    }
    c->in[c->n_in++] = a;
    return VV_OK;
}

static vv_status read_operands(calling *c, int *next)
{
    const vv_expr *e = c->e;
    for (*next = 0; *next < e->n && c->n_in < c->f.most; ++*next) {
        if (e->item[*next]->key) break;
        VV_TRY(operand(c, e->item[*next]));
    }
    if (c->n_in >= c->f.operands) return VV_OK;
    return wrong_call(c, e->place, c->f.operands == 1 ? "an array is missing" : "an operand is missing");
}

/* --- words --- */

/* Element types by NumPy's names, too. */
static const char *element_type(const char *word)
{
    static const char *const names[][2] = {
        {"float32", "f32"}, {"float64", "f64"}, {"float", "f64"},     {"int8", "i8"},        {"int16", "i16"},
        {"int32", "i32"},   {"int64", "i64"},   {"int", "i64"},       {"uint8", "u8"},       {"uint16", "u16"},
        {"uint32", "u32"},  {"uint64", "u64"},  {"complex64", "c64"}, {"complex128", "c128"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(names[i][0], word)) return names[i][1];
    return word;
}

static vv_status say(calling *c, int i, const vv_expr *item)
{
    const char *word;
    if (takes_pairs(c, c->name[i]) && item->kind == VV_EXPR_NUMBER)
        return wrong_call(c, item->span, "dimensions have names and lengths, such as x=3");
    VV_TRY(vv_item_word(c->script, item, c->in, c->n_in, &word));
    if (!strcmp(c->name[i], "dtype")) word = element_type(word);
    if (c->value[i] && !takes_list(c, c->name[i])) return wrong_call(c, item->span, "said twice");
    return vv_join_words(c->script, word, &c->value[i]);
}

/* Words without names go to the arguments in their order; a list of dimensions takes as many as there are. */
static vv_status read_in_order(calling *c, int first)
{
    int at = 0;
    for (int i = first; i < c->e->n; i++) {
        const vv_expr *item = c->e->item[i];
        if (item->key) continue;
        bool another = at > 0 && takes_list(c, c->name[at - 1]) && vv_looks_like_word(item) &&
                       (at == c->n_names || item->kind == VV_EXPR_NAME || item->kind == VV_EXPR_RANGE);
        if (another)
            at--;
        else if (at < c->n_names && takes_list(c, c->name[at]) && c->may_miss[at] && !vv_looks_like_word(item))
            at++;
        if (at >= c->n_names) return wrong_call(c, item->span, "one more than it takes");
        VV_TRY(say(c, at++, item));
    }
    return VV_OK;
}

/* A key that is no argument: a dimension, with its length or with what the argument behind `dim` says. */
static vv_status read_dimension(calling *c, const vv_expr *item)
{
    static const char *const makes_dims[] = {"expand", "repeat", "tile", NULL};
    for (int i = 0; i < c->n_names; i++)
        if (takes_pairs(c, c->name[i])) {
            const char *word, *pair;
            VV_TRY(vv_item_word(c->script, item, c->in, c->n_in, &word));
            VV_TRY(vv_pool_printf(&c->script->pool, &pair, "%s:%s", item->key, word));
            return vv_join_words(c->script, pair, &c->value[i]);
        }
    bool known = false;
    for (int i = 0; i < c->n_in; i++) known = known || vv_dim_of(c->in[i], item->key) >= 0;
    for (int i = 0; makes_dims[i]; i++) known = known || !strcmp(c->f.name, makes_dims[i]);
    if (!known || c->n_names < 2 || strcmp(c->name[0], "dim") != 0 || c->n_along == MOST)
        return vv_no_argument(c->script, c->e, item, c->f.arguments);
    c->along[c->n_along++] = item;
    return VV_OK;
}

static vv_status read_keyed(calling *c, int first)
{
    for (int i = first; i < c->e->n; i++) {
        const vv_expr *item = c->e->item[i];
        if (!item->key) continue;
        int at = find_name(c, item->key);
        if (at < 0 && !strcmp(item->key, "axis")) at = find_name(c, "dim");
        if (at >= 0 && c->value[at]) return wrong_call(c, item->key_span, "said twice");
        if (at >= 0)
            VV_TRY(say(c, at, item));
        else
            VV_TRY(read_dimension(c, item));
    }
    return VV_OK;
}

/* --- calling --- */

static vv_status all_said(calling *c)
{
    for (int i = 0; i < c->n_names; i++) {
        bool along = c->n_along > 0 && i < 2;
        if (c->value[i] || c->may_miss[i] || along) continue;
        const char *what;
        VV_TRY(vv_pool_printf(&c->script->pool, &what, "'%s' is missing", c->name[i]));
        return wrong_call(c, c->e->place, what);
    }
    return VV_OK;
}

static vv_status call_once(calling *c, vv_value *out)
{
    vv_word word[MOST];
    int n = 0;
    for (int i = 0; i < c->n_names; i++)
        if (c->value[i]) word[n++] = (vv_word){c->name[i], c->value[i]};
    vv_array *a = vv_node_call_words(c->script->context, c->f.name, c->in, c->n_in, word, n);
    if (vv_array_status(a) != VV_OK) return vv_blame_call(c->script, c->e);
    *out = vv_value_array(a);
    return VV_OK;
}

/* roll(x, lon=180, lat=3): one after the other. */
static vv_status call_along(calling *c, vv_value *out)
{
    for (int i = 0; i < c->n_along; i++) {
        const vv_expr *item = c->along[i];
        const char *part[3] = {NULL, NULL, NULL};
        c->value[0] = item->key;
        if (item->kind == VV_EXPR_RANGE && c->n_names > 3) { /* start, stop, step */
            for (int k = 0; k < 3; k++)
                if (item->item[k]) VV_TRY(vv_item_word(c->script, item->item[k], c->in, c->n_in, &part[k]));
            for (int k = 0; k < 3; k++) c->value[1 + k] = part[k];
        } else {
            VV_TRY(vv_item_word(c->script, item, c->in, c->n_in, &c->value[1]));
        }
        VV_TRY(call_once(c, out));
        c->in[0] = out->array;
    }
    return VV_OK;
}

vv_status vv_call_registered(vv_script *x, const vv_expr *e, const char *name, vv_value *out)
{
    calling c = {.script = x, .e = e};
    int first;
    if (!find_registered(name, &c.f)) return unknown(x, e);
    VV_TRY(read_names(&c));
    VV_TRY(read_operands(&c, &first));
    VV_TRY(read_in_order(&c, first));
    VV_TRY(read_keyed(&c, first));
    VV_TRY(all_said(&c));
    if (vv_node_line_up(c.in, c.f.most == INT_MAX ? 0 : c.n_in, x->inner) != VV_OK)
        return vv_passage_blame(x->source, e->place);
    return c.n_along > 0 ? call_along(&c, out) : call_once(&c, out);
}

/* --- elementwise functions --- */

static vv_status elementwise(vv_script *x, const vv_expr *e, const vv_function_info *f, vv_value *out)
{
    vv_value v[3];
    calling c = {.script = x, .e = e, .f = *f};
    for (int i = 0; i < e->n; i++)
        if (e->item[i]->key) return vv_no_argument(x, e, e->item[i], "");
    if (!strcmp(f->name, "where") && e->n == 2)
        return vv_passage_error(x->source, e->place, VV_ERR_USAGE,
                                "where takes three operands: where(condition, a, b); b may be nan");
    if (e->n > f->operands) return wrong_call(&c, e->item[f->operands]->span, "one operand too many");
    if (e->n < f->operands) return wrong_call(&c, e->place, "an operand is missing");
    for (int i = 0; i < e->n && i < 3; i++) VV_TRY(vv_evaluate(x, e->item[i], &v[i]));
    return vv_apply(x, e->place, f->name, v, e->n, out);
}

/* random_normal(x=100, seed=1) is random(normal, ...). */
static vv_status random_of_kind(vv_script *x, const vv_expr *e, const char *kind, vv_value *out)
{
    vv_expr as = *e, word = {.kind = VV_EXPR_TEXT, .span = e->place, .place = e->place, .text = (char *)kind};
    VV_TRY(vv_pool_get(&x->pool, (size_t)(e->n + 1) * sizeof *as.item, &as.item));
    as.item[0] = &word;
    for (int i = 0; i < e->n; i++) as.item[i + 1] = e->item[i];
    as.n = e->n + 1;
    return vv_call_registered(x, &as, "random", out);
}

static const char *random_kind(const char *name)
{
    static const char prefix[] = "random_";
    if (strncmp(name, prefix, sizeof prefix - 1) != 0) return NULL;
    for (int i = 0; vv_random_name(i); i++)
        if (!strcmp(vv_random_name(i), name + sizeof prefix - 1)) return vv_random_name(i);
    return NULL;
}

static vv_status call_by_name(vv_script *x, const vv_expr *e, vv_value *out)
{
    vv_function_info f;
    const char *name = vv_usual_name(e->text);
    const vv_special_function *special = vv_special_find(name);
    if (special) return special->call(x, e, out);
    if (random_kind(name)) return random_of_kind(x, e, random_kind(name), out);
    if (!find_registered(name, &f)) return unknown(x, e);
    if (!strcmp(f.family, "reduction") || !strcmp(name, "median") || !strcmp(name, "sum_of_weights"))
        return vv_evaluate_statistic(x, e, name, out);
    if (!strcmp(f.family, "elementwise")) return elementwise(x, e, &f, out);
    return vv_call_registered(x, e, name, out);
}

/* align=inner holds for the call, and for what is written in it. */
static vv_status aligned_call(vv_script *x, const vv_expr *e, int align, vv_value *out)
{
    const char *how;
    vv_expr as = *e;
    VV_TRY(vv_item_word(x, e->item[align], NULL, 0, &how));
    if (strcmp(how, "inner") != 0 && strcmp(how, "exact") != 0)
        return vv_passage_error(x->source, e->item[align]->span, VV_ERR_USAGE,
                                "align is exact (labels must be equal) or inner (what all have)");
    VV_TRY(vv_pool_get(&x->pool, (size_t)(e->n + 1) * sizeof *as.item, &as.item));
    as.n = 0;
    for (int i = 0; i < e->n; i++)
        if (i != align) as.item[as.n++] = e->item[i];
    bool before = x->inner;
    x->inner = !strcmp(how, "inner");
    vv_status status = call_by_name(x, &as, out);
    x->inner = before;
    return status;
}

vv_status vv_evaluate_call(vv_script *x, const vv_expr *e, vv_value *out)
{
    for (int i = 0; i < e->n; i++)
        if (e->item[i]->key && !strcmp(e->item[i]->key, "align")) return aligned_call(x, e, i, out);
    return call_by_name(x, e, out);
}
