/* From words to trees: by recursion for what is nested, by precedence for operators. Whatever the text is, recursion and trees stay shallow. */
#include "base/mem.h"
#include "expr/token.h"
#include "expr/tree.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 1 << 20, MOST_NESTED = 150, MOST_DEEP = 1000, MOST_ITEMS = 10000 };

/* How strongly signs bind. */
enum { OR = 1, AND, NOT, COMPARISON, BIT_OR, BIT_AND, SHIFT, SUM, PRODUCT };

static const struct operator
{
    const char *sign, *function;
    int binds;
}
operators[] = {{"or", "logical_or", OR},
               {"and", "logical_and", AND},
               {"==", "equal", COMPARISON},
               {"!=", "not_equal", COMPARISON},
               {"<", "less", COMPARISON},
               {"<=", "less_equal", COMPARISON},
               {">", "greater", COMPARISON},
               {">=", "greater_equal", COMPARISON},
               {"|", "bitwise_or", BIT_OR},
               {"&", "bitwise_and", BIT_AND},
               {"<<", "left_shift", SHIFT},
               {">>", "right_shift", SHIFT},
               {"+", "add", SUM},
               {"-", "subtract", SUM},
               {"*", "multiply", PRODUCT},
               {"/", "divide", PRODUCT},
               {"//", "floor_divide", PRODUCT},
               {"%", "remainder", PRODUCT}};
enum { OPERATORS = sizeof operators / sizeof *operators };

typedef struct parser {
    const vv_passage *source;
    vv_pool *pool;
    vv_lexer lexer;
    vv_token token; /* the next one */
    vv_span last;   /* the one before it */
    int nested;
} parser;

static vv_status parse_choice(parser *p, vv_expr **out);
static vv_status parse_sign(parser *p, vv_expr **out);

/* --- words --- */

static vv_status advance(parser *p)
{
    p->last = p->token.span;
    return vv_lexer_next(&p->lexer, &p->token);
}

static bool is_sign(const parser *p, const char *sign)
{
    return p->token.kind == VV_TOKEN_SIGN && !strcmp(p->token.sign, sign);
}

static bool is_word(const parser *p, const char *word)
{
    size_t n = strlen(word);
    return p->token.kind == VV_TOKEN_NAME && !p->token.quoted && p->token.span.end - p->token.span.at == n &&
           !memcmp(p->source->text + p->token.span.at, word, n);
}

static vv_status unexpected(const parser *p, const char *wanted)
{
    char found[80];
    return vv_passage_error(p->source, p->token.span, VV_ERR_USAGE, "expected %s, found %s", wanted,
                            vv_token_text(p->source, &p->token, found));
}

static vv_status expect(parser *p, const char *sign, const char *wanted)
{
    if (!is_sign(p, sign)) return unexpected(p, wanted);
    return advance(p);
}

/* --- nodes --- */

static vv_status new_node(parser *p, vv_expr_kind kind, vv_span span, vv_expr *const items[], int n, vv_expr **out)
{
    VV_TRY(vv_pool_get(p->pool, sizeof **out, out));
    vv_expr *x = *out;
    *x = (vv_expr){.kind = kind, .span = span, .place = span, .depth = 1, .n = n};
    if (n > 0) VV_TRY(vv_pool_get(p->pool, (size_t)n * sizeof *x->item, &x->item));
    for (int i = 0; i < n; i++) {
        x->item[i] = items[i];
        if (items[i] && items[i]->depth >= x->depth) x->depth = items[i]->depth + 1;
    }
    if (x->depth <= MOST_DEEP) return VV_OK;
    return vv_passage_error(p->source, p->last, VV_ERR_USAGE,
                            "more than %d operations upon one another; give parts of it a name with let", MOST_DEEP);
}

static vv_status word_text(parser *p, vv_expr *x)
{
    const vv_token *t = &p->token;
    x->quoted = t->quoted;
    return vv_pool_text(p->pool, p->source->text + t->inner.at, t->inner.end - t->inner.at, &x->text);
}

static vv_status constant_text(parser *p, vv_expr *x, const char *text)
{
    return vv_pool_text(p->pool, text, strlen(text), &x->text);
}

static vv_status operation(parser *p, const char *function, vv_span place, vv_expr *const items[], int n, vv_expr **out)
{
    vv_span span = vv_span_to(items[0]->span, items[n - 1]->span);
    if (place.at < span.at) span.at = place.at;
    VV_TRY(new_node(p, VV_EXPR_OPERATION, span, items, n, out));
    (*out)->place = place;
    return constant_text(p, *out, function);
}

/* --- items --- */

typedef struct items {
    int n;
    vv_expr **at;
} items;

static vv_status add_item(const parser *p, items *list, vv_expr *x)
{
    if (list->n == MOST_ITEMS)
        return vv_passage_error(p->source, x->span, VV_ERR_USAGE, "more than %d items", MOST_ITEMS);
    VV_TRY(vv_grow(&list->at, list->n, sizeof *list->at, "expressions"));
    list->at[list->n++] = x;
    return VV_OK;
}

static bool ends_bound(const parser *p)
{
    return is_sign(p, ":") || is_sign(p, ",") || is_sign(p, "]") || is_sign(p, ")");
}

/* start:stop:step, of which the start is there already or NULL. */
static vv_status parse_range(parser *p, vv_expr *start, vv_span begin, vv_expr **out)
{
    vv_expr *bound[3] = {start, NULL, NULL};
    for (int i = 1; i < 3 && is_sign(p, ":"); i++) {
        VV_TRY(advance(p));
        if (!ends_bound(p)) VV_TRY(parse_choice(p, &bound[i]));
    }
    return new_node(p, VV_EXPR_RANGE, vv_span_to(begin, p->last), bound, 3, out);
}

static vv_status parse_value(parser *p, vv_expr **out)
{
    vv_span begin = p->token.span;
    if (is_sign(p, "...")) {
        VV_TRY(advance(p));
        return new_node(p, VV_EXPR_ELLIPSIS, begin, NULL, 0, out);
    }
    vv_expr *start = NULL;
    if (!is_sign(p, ":")) VV_TRY(parse_choice(p, &start));
    if (is_sign(p, ":")) return parse_range(p, start, begin, out);
    *out = start;
    return VV_OK;
}

static bool has_key(const parser *p)
{
    vv_lexer ahead = p->lexer;
    vv_token next;
    if (p->token.kind != VV_TOKEN_NAME) return false;
    bool key = vv_lexer_next(&ahead, &next) == VV_OK && next.kind == VV_TOKEN_SIGN && !strcmp(next.sign, "=");
    vv_error_clear();
    return key;
}

static vv_status parse_item(parser *p, vv_expr **out)
{
    char *key = NULL;
    vv_span key_span = p->token.span;
    if (has_key(p)) {
        VV_TRY(
            vv_pool_text(p->pool, p->source->text + p->token.inner.at, p->token.inner.end - p->token.inner.at, &key));
        VV_TRY(advance(p));
        VV_TRY(advance(p));
    }
    VV_TRY(parse_value(p, out));
    if (!key) return VV_OK;
    if ((*out)->key) return vv_passage_error(p->source, key_span, VV_ERR_USAGE, "two names for one item");
    (*out)->key = key;
    (*out)->key_span = key_span;
    return VV_OK;
}

static vv_status no_bracket(const parser *p, const char *close, vv_span open)
{
    char found[80];
    bool end = p->token.kind == VV_TOKEN_END || p->token.kind == VV_TOKEN_LINE;
    if (end)
        return vv_passage_error(p->source, open, VV_ERR_USAGE, "this bracket is not closed: '%s' is missing", close);
    if (is_sign(p, "="))
        return vv_passage_error(p->source, p->token.span, VV_ERR_USAGE,
                                "'=' gives an item a name; to compare write '=='");
    return vv_passage_error(p->source, p->token.span, VV_ERR_USAGE, "expected ',' or '%s', found %s", close,
                            vv_token_text(p->source, &p->token, found));
}

/* What stands up to a closing bracket, which is read too. */
static vv_status parse_items(parser *p, const char *close, vv_span open, items *list)
{
    while (!is_sign(p, close)) {
        vv_expr *x;
        VV_TRY(parse_item(p, &x));
        VV_TRY(add_item(p, list, x));
        if (is_sign(p, close)) break;
        if (!is_sign(p, ",")) return no_bracket(p, close, open);
        VV_TRY(advance(p));
    }
    return advance(p);
}

/* A node of these items, behind `first` if there is one. */
static vv_status parse_bracket(parser *p, vv_expr_kind kind, const char *close, vv_expr *first, vv_expr **out)
{
    items list = {0};
    vv_span open = p->token.span;
    vv_status status = advance(p);
    if (status == VV_OK && first) status = add_item(p, &list, first);
    if (status == VV_OK) status = parse_items(p, close, open, &list);
    vv_span span = vv_span_to(first ? first->span : open, p->last);
    if (status == VV_OK) status = new_node(p, kind, span, list.at, list.n, out);
    free(list.at);
    return status;
}

/* --- primaries --- */

static vv_status parse_parenthesis(parser *p, vv_expr **out)
{
    vv_span open = p->token.span;
    VV_TRY(parse_bracket(p, VV_EXPR_LIST, ")", NULL, out));
    vv_expr *list = *out;
    if (list->n == 0)
        return vv_passage_error(p->source, vv_span_to(open, p->last), VV_ERR_USAGE, "nothing in brackets");
    const vv_expr *x = list->item[0];
    if (list->n == 1 && (x->kind == VV_EXPR_RANGE || x->kind == VV_EXPR_ELLIPSIS || x->key))
        return vv_passage_error(p->source, x->key ? x->key_span : x->span, VV_ERR_USAGE,
                                "expected an expression in these brackets");
    if (list->n == 1) *out = list->item[0];
    return VV_OK;
}

static vv_status parse_call(parser *p, vv_expr *name, vv_expr *receiver, vv_expr **out)
{
    VV_TRY(parse_bracket(p, VV_EXPR_CALL, ")", receiver, out));
    (*out)->text = name->text;
    (*out)->place = name->place;
    (*out)->span.at = receiver ? receiver->span.at : name->span.at;
    (*out)->method = receiver != NULL;
    return VV_OK;
}

static vv_status parse_name(parser *p, vv_expr **out)
{
    bool quoted = p->token.quoted;
    VV_TRY(new_node(p, VV_EXPR_NAME, p->token.span, NULL, 0, out));
    VV_TRY(word_text(p, *out));
    VV_TRY(advance(p));
    return is_sign(p, "(") && !quoted ? parse_call(p, *out, NULL, out) : VV_OK;
}

static vv_status instead(const parser *p, const char *write)
{
    return vv_passage_error(p->source, p->token.span, VV_ERR_USAGE, "'%.*s' is written '%s'",
                            (int)(p->token.span.end - p->token.span.at), p->source->text + p->token.span.at, write);
}

static vv_status parse_primary(parser *p, vv_expr **out)
{
    vv_token t = p->token;
    if (is_word(p, "and") || is_word(p, "or") || is_word(p, "let")) return unexpected(p, "an expression");
    if (t.kind == VV_TOKEN_NAME) return parse_name(p, out);
    if (t.kind == VV_TOKEN_NUMBER) {
        VV_TRY(new_node(p, VV_EXPR_NUMBER, t.span, NULL, 0, out));
        (*out)->number = t.number;
        (*out)->whole = t.whole;
        return advance(p);
    }
    if (t.kind == VV_TOKEN_TEXT) {
        VV_TRY(new_node(p, VV_EXPR_TEXT, t.span, NULL, 0, out));
        VV_TRY(word_text(p, *out));
        return advance(p);
    }
    if (is_sign(p, "(")) return parse_parenthesis(p, out);
    if (is_sign(p, "[")) return parse_bracket(p, VV_EXPR_LIST, "]", NULL, out);
    if (is_sign(p, "!")) return instead(p, "not");
    return unexpected(p, "an expression");
}

static vv_status parse_field(parser *p, vv_expr **out)
{
    vv_expr *of = *out, *field;
    VV_TRY(advance(p));
    if (p->token.kind != VV_TOKEN_NAME) return unexpected(p, "the name of a function after '.'");
    vv_span name = p->token.span;
    VV_TRY(new_node(p, VV_EXPR_FIELD, vv_span_to(of->span, name), &of, 1, &field));
    VV_TRY(word_text(p, field));
    field->place = name;
    VV_TRY(advance(p));
    *out = field;
    return is_sign(p, "(") ? parse_call(p, field, of, out) : VV_OK;
}

static vv_status parse_postfix(parser *p, vv_expr **out)
{
    VV_TRY(parse_primary(p, out));
    for (;;) {
        if (is_sign(p, "."))
            VV_TRY(parse_field(p, out));
        else if (is_sign(p, "["))
            VV_TRY(parse_bracket(p, VV_EXPR_INDEX, "]", *out, out));
        else if (is_sign(p, "("))
            return vv_passage_error(p->source, p->token.span, VV_ERR_USAGE,
                                    "only a name can be called; is a '*' missing?");
        else
            return VV_OK;
    }
}

/* --- operators --- */

static vv_status too_nested(const parser *p)
{
    return vv_passage_error(p->source, p->token.span, VV_ERR_USAGE, "nested more than %d levels deep", MOST_NESTED);
}

static vv_status parse_power(parser *p, vv_expr **out)
{
    vv_expr *pair[2];
    VV_TRY(parse_postfix(p, &pair[0]));
    *out = pair[0];
    if (!is_sign(p, "**") && !is_sign(p, "^")) return VV_OK;
    if (p->nested == MOST_NESTED) return too_nested(p);
    vv_span place = p->token.span;
    p->nested++;
    VV_TRY(advance(p));
    VV_TRY(parse_sign(p, &pair[1]));
    p->nested--;
    return operation(p, "power", place, pair, 2, out);
}

static vv_status parse_sign(parser *p, vv_expr **out)
{
    const char *function = is_sign(p, "-")   ? "negative"
                           : is_sign(p, "+") ? "positive"
                           : is_sign(p, "~") ? "invert"
                                             : NULL;
    if (!function) return parse_power(p, out);
    if (p->nested == MOST_NESTED) return too_nested(p);
    vv_span place = p->token.span;
    vv_expr *x;
    p->nested++;
    VV_TRY(advance(p));
    VV_TRY(parse_sign(p, &x));
    p->nested--;
    return operation(p, function, place, &x, 1, out);
}

static const struct operator* next_operator(const parser *p)
{
    for (int i = 0; i < OPERATORS; i++)
        if (is_sign(p, operators[i].sign) || is_word(p, operators[i].sign)) return &operators[i];
    return NULL;
}

static vv_status parse_operators(parser *p, int least, vv_expr **out);

static vv_status parse_not(parser *p, int least, vv_expr **out)
{
    if (!is_word(p, "not")) return parse_sign(p, out);
    if (least > NOT)
        return vv_passage_error(p->source, p->token.span, VV_ERR_USAGE,
                                "'not' binds less than the sign before it; put brackets around: (not x)");
    if (p->nested == MOST_NESTED) return too_nested(p);
    vv_span place = p->token.span;
    vv_expr *x;
    p->nested++;
    VV_TRY(advance(p));
    VV_TRY(parse_operators(p, NOT, &x));
    p->nested--;
    return operation(p, "logical_not", place, &x, 1, out);
}

/* a < b, and what goes on with < c. */
static vv_status parse_comparison(parser *p, vv_expr **out)
{
    items list = {0};
    const char **compared = NULL;
    vv_span *between = NULL;
    vv_status status = add_item(p, &list, *out);
    const struct operator* o = next_operator(p);
    while (status == VV_OK && o && o->binds == COMPARISON) {
        if ((list.n & (list.n - 1)) == 0) { /* room for twice as many */
            const char **old = compared;
            const vv_span *was = between;
            size_t n = (size_t)list.n;
            status = vv_pool_get(p->pool, 2 * n * sizeof *compared, &compared);
            if (status == VV_OK) status = vv_pool_get(p->pool, 2 * n * sizeof *between, &between);
            if (status == VV_OK && old) memcpy(compared, old, (n - 1) * sizeof *old);
            if (status == VV_OK && was) memcpy(between, was, (n - 1) * sizeof *was);
        }
        if (status != VV_OK) break;
        compared[list.n - 1] = o->function;
        between[list.n - 1] = p->token.span;
        vv_expr *x = NULL;
        status = advance(p);
        if (status == VV_OK) status = parse_operators(p, COMPARISON + 1, &x);
        if (status == VV_OK) status = add_item(p, &list, x);
        o = next_operator(p);
    }
    if (status == VV_OK)
        status = new_node(p, VV_EXPR_COMPARISON, vv_span_to(list.at[0]->span, p->last), list.at, list.n, out);
    if (status == VV_OK) {
        (*out)->compared = compared;
        (*out)->between = between;
    }
    free(list.at);
    return status;
}

/* Operators that bind at least so strongly. */
static vv_status parse_operators(parser *p, int least, vv_expr **out)
{
    VV_TRY(parse_not(p, least, out));
    for (;;) {
        const struct operator* o = next_operator(p);
        if (is_sign(p, "&&")) return instead(p, "and");
        if (is_sign(p, "||")) return instead(p, "or");
        if (!o || o->binds < least) return VV_OK;
        if (o->binds == COMPARISON) {
            VV_TRY(parse_comparison(p, out));
            continue;
        }
        vv_expr *pair[2] = {*out, NULL};
        vv_span place = p->token.span;
        VV_TRY(advance(p));
        VV_TRY(parse_operators(p, o->binds + 1, &pair[1]));
        VV_TRY(operation(p, o->function, place, pair, 2, out));
    }
}

static vv_status parse_choice(parser *p, vv_expr **out)
{
    vv_expr *three[3];
    if (p->nested == MOST_NESTED) return too_nested(p);
    p->nested++;
    VV_TRY(parse_operators(p, OR, &three[0]));
    *out = three[0];
    if (is_sign(p, "?")) {
        vv_span place = p->token.span;
        VV_TRY(advance(p));
        VV_TRY(parse_choice(p, &three[1]));
        VV_TRY(expect(p, ":", "':' and what else (condition ? a : b)"));
        VV_TRY(parse_choice(p, &three[2]));
        VV_TRY(operation(p, "where", place, three, 3, out));
    }
    p->nested--;
    return VV_OK;
}

/* --- statements --- */

static bool at_end(const parser *p)
{
    return p->token.kind == VV_TOKEN_END || p->token.kind == VV_TOKEN_LINE;
}

static vv_status begin(parser *p, const vv_passage *s, vv_pool *pool)
{
    *p = (parser){.source = s, .pool = pool, .lexer = {.source = s}};
    if (s->size > MOST_BYTES)
        return vv_fail(VV_ERR_USAGE, "%s%san expression of %zu bytes; %d at most", s->name ? s->name : "",
                       s->name ? ": " : "", s->size, MOST_BYTES);
    return advance(p);
}

static vv_status no_end(const parser *p, const char *what)
{
    char found[80];
    if (is_word(p, "if"))
        return vv_passage_error(p->source, p->token.span, VV_ERR_USAGE, "a choice is written condition ? a : b");
    return vv_passage_error(p->source, p->token.span, VV_ERR_USAGE,
                            "expected an operator or the end of the %s, found %s", what,
                            vv_token_text(p->source, &p->token, found));
}

static vv_status parse_statement(parser *p, vv_statement *out)
{
    *out = (vv_statement){.let = is_word(p, "let")};
    if (out->let) VV_TRY(advance(p));
    bool key = has_key(p);
    if (!key && p->token.kind == VV_TOKEN_NAME && !out->let) {
        vv_span first = p->token.span;
        vv_expr *x;
        VV_TRY(parse_choice(p, &x)); /* a mistake in it is told first */
        if (is_sign(p, "="))
            return vv_passage_error(p->source, vv_span_to(first, p->last), VV_ERR_USAGE,
                                    "only a name can stand before '='; other signs than letters want backquotes: `2t`");
        return vv_passage_error(p->source, first, VV_ERR_USAGE, "a result has a name: write NAME = ...");
    }
    if (!key && out->let && p->token.kind == VV_TOKEN_NAME) {
        VV_TRY(advance(p));
        return unexpected(p, "'=' after the name");
    }
    if (!key) return unexpected(p, out->let ? "NAME = EXPRESSION after let" : "NAME = EXPRESSION");
    out->span = p->token.span;
    VV_TRY(
        vv_pool_text(p->pool, p->source->text + p->token.inner.at, p->token.inner.end - p->token.inner.at, &out->name));
    VV_TRY(advance(p));
    VV_TRY(advance(p));
    VV_TRY(parse_choice(p, &out->value));
    if (at_end(p)) return VV_OK;
    if (is_sign(p, "="))
        return vv_passage_error(p->source, p->token.span, VV_ERR_USAGE, "a second '='; to compare write '=='");
    return no_end(p, "statement");
}

vv_status vv_parse_statements(const vv_passage *s, vv_pool *pool, vv_statement **out, int *n)
{
    parser p;
    int room = 0;
    *out = NULL;
    *n = 0;
    VV_TRY(begin(&p, s, pool));
    while (p.token.kind != VV_TOKEN_END) {
        if (p.token.kind == VV_TOKEN_LINE) {
            VV_TRY(advance(&p));
            continue;
        }
        if (*n == room) {
            vv_statement *more;
            room = room ? 2 * room : 8;
            VV_TRY(vv_pool_get(pool, (size_t)room * sizeof *more, &more));
            if (*n > 0) memcpy(more, *out, (size_t)*n * sizeof *more);
            *out = more;
        }
        VV_TRY(parse_statement(&p, &(*out)[*n]));
        ++*n;
    }
    return VV_OK;
}

vv_status vv_parse_expression(const vv_passage *s, vv_pool *pool, vv_expr **out)
{
    parser p;
    VV_TRY(begin(&p, s, pool));
    while (p.token.kind == VV_TOKEN_LINE) VV_TRY(advance(&p));
    VV_TRY(parse_choice(&p, out));
    while (p.token.kind == VV_TOKEN_LINE) VV_TRY(advance(&p));
    return p.token.kind == VV_TOKEN_END ? VV_OK : no_end(&p, "expression");
}
