/* Expressions as trees.
 *
 *     statement  = [ "let" ] NAME "=" choice                  ; statements are separated by line ends or ";"
 *     choice     = or [ "?" choice ":" choice ]
 *     or         = and { "or" and }
 *     and        = not { "and" not }
 *     not        = "not" not | comparison
 *     comparison = bits { ( "==" | "!=" | "<" | "<=" | ">" | ">=" ) bits }     ; a < b < c is a < b and b < c
 *     bits       = both { "|" both }
 *     both       = shifted { "&" shifted }
 *     shifted    = sum { ( "<<" | ">>" ) sum }
 *     sum        = product { ( "+" | "-" ) product }
 *     product    = sign { ( "*" | "/" | "//" | "%" ) sign }
 *     sign       = ( "-" | "+" | "~" ) sign | power
 *     power      = postfix [ ( "**" | "^" ) sign ]                  ; so that -x^2 is -(x^2), and 2^-1 is one half
 *     postfix    = primary { "." NAME [ "(" items ")" ] | "[" items "]" }
 *     primary    = NUMBER | TEXT | NAME | NAME "(" items ")" | "(" choice ")" | "(" items ")" | "[" items "]"
 *     items      = [ item { "," item } [ "," ] ]
 *     item       = [ NAME "=" ] ( choice | [ choice ] ":" [ choice ] [ ":" [ choice ] ] | "..." )
 *
 * NAME in backquotes is any name: `2t`, `wind speed`. */
#ifndef VV_EXPR_TREE_H
#define VV_EXPR_TREE_H

#include "expr/passage.h"

typedef enum vv_expr_kind {
    VV_EXPR_NUMBER,
    VV_EXPR_TEXT,
    VV_EXPR_NAME,
    VV_EXPR_OPERATION,  /* `text` is the function's name: "add" */
    VV_EXPR_COMPARISON, /* a chain: n operands, text[i] between i and i + 1 */
    VV_EXPR_CALL,       /* text(items) */
    VV_EXPR_INDEX,      /* item 0 at the others */
    VV_EXPR_FIELD,      /* item 0 . text */
    VV_EXPR_LIST,
    VV_EXPR_RANGE, /* start, stop, step: NULL where left out */
    VV_EXPR_ELLIPSIS
} vv_expr_kind;

typedef struct vv_expr {
    vv_expr_kind kind;
    vv_span span;  /* all of it */
    vv_span place; /* the operator, or the name of what is called: where to point */
    int depth;
    double number;
    bool whole, quoted, method; /* method: x.mean(...), x is item 0 */
    char *text;                 /* of NAME, TEXT, FIELD, CALL, OPERATION */
    char *key;                  /* of an item: its name in NAME = ..., else NULL */
    vv_span key_span;
    const char **compared; /* COMPARISON */
    vv_span *between;      /* COMPARISON: places of the signs */
    int n;
    struct vv_expr **item;
} vv_expr;

typedef struct vv_statement {
    char *name;
    vv_span span; /* of the name */
    bool let;
    vv_expr *value;
} vv_statement;

/* Memory that goes at once. */
typedef struct vv_pool {
    struct vv_pool_block *last;
} vv_pool;
VV_WARN_UNUSED vv_status vv_pool_get(vv_pool *p, size_t bytes, void *out); /* zeroed; *(void **)out */
VV_WARN_UNUSED vv_status vv_pool_text(vv_pool *p, const char *text, size_t n, char **out);
void vv_pool_free(vv_pool *p);

/* All statements of a text, or its one expression. What they are made of lies in the pool; messages point into the source. */
VV_WARN_UNUSED vv_status vv_parse_statements(const vv_passage *s, vv_pool *pool, vv_statement **out, int *n);
VV_WARN_UNUSED vv_status vv_parse_expression(const vv_passage *s, vv_pool *pool, vv_expr **out);

#endif
