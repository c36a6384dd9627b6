/* Words of the language: numbers, texts, names, signs. */
#ifndef VV_EXPR_TOKEN_H
#define VV_EXPR_TOKEN_H

#include "expr/passage.h"

typedef enum vv_token_kind {
    VV_TOKEN_END,
    VV_TOKEN_LINE,
    VV_TOKEN_NUMBER,
    VV_TOKEN_TEXT,
    VV_TOKEN_NAME,
    VV_TOKEN_SIGN
} vv_token_kind;

typedef struct vv_token {
    vv_token_kind kind;
    vv_span span;
    vv_span inner;    /* TEXT, NAME: without quotes */
    bool quoted;      /* NAME: in backquotes, so that it is never a word of the language */
    double number;    /* NUMBER */
    bool whole;       /* NUMBER: written without point and exponent */
    const char *sign; /* SIGN: "**" */
} vv_token;

/* Reads the words of a text one by one. Line ends count outside of brackets only, and not behind a sign that wants something to follow. */
typedef struct vv_lexer {
    const vv_passage *source;
    size_t at;
    int open;      /* brackets */
    bool complete; /* the last word can end a statement */
} vv_lexer;

VV_WARN_UNUSED vv_status vv_lexer_next(vv_lexer *l, vv_token *out);
/* "'+'", "the end", "the name 'u10'": what a word is called in messages. */
const char *vv_token_text(const vv_passage *s, const vv_token *t, char out[80]);

#endif
