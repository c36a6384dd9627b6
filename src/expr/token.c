#include "expr/token.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longer ones first. */
static const char *const signs[] = {"...", "**", "//", "==", "!=", "<=", ">=", "<<", ">>", "&&", "||", "+", "-",
                                    "*",   "/",  "%",  "^",  "<",  ">",  "&",  "|",  "~",  "!",  "?",  ":", "=",
                                    ",",   ".",  "(",  ")",  "[",  "]",  ";",  "@",  "{",  "}",  NULL};

static bool begins_name(char c)
{
    return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool continues_name(char c)
{
    return begins_name(c) || isdigit((unsigned char)c);
}

static char at(const vv_lexer *l, size_t i)
{
    return i < l->source->size ? l->source->text[i] : 0;
}

static void skip_blanks(vv_lexer *l)
{
    for (;;) {
        char c = at(l, l->at);
        if (c == ' ' || c == '\t' || c == '\r' || (c == '\n' && (l->open > 0 || !l->complete)))
            l->at++;
        else if (c == '\\' && at(l, l->at + 1) == '\n')
            l->at += 2;
        else if (c == '\\' && at(l, l->at + 1) == '\r' && at(l, l->at + 2) == '\n')
            l->at += 3;
        else if (c == '#')
            while (l->at < l->source->size && at(l, l->at) != '\n') l->at++;
        else
            return;
    }
}

static size_t digits(const vv_lexer *l, size_t i)
{
    while (isdigit((unsigned char)at(l, i))) i++;
    return i;
}

static vv_status number_word(vv_lexer *l, vv_token *t)
{
    size_t i = digits(l, l->at), end = i;
    char word[64];
    t->whole = true;
    if (at(l, i) == '.' && at(l, i + 1) != '.' && !begins_name(at(l, i + 1))) {
        t->whole = false;
        end = i = digits(l, i + 1);
    }
    if (at(l, i) == 'e' || at(l, i) == 'E') {
        size_t first = i + 1 + (at(l, i + 1) == '+' || at(l, i + 1) == '-');
        if (isdigit((unsigned char)at(l, first))) {
            t->whole = false;
            end = digits(l, first);
        }
    }
    t->kind = VV_TOKEN_NUMBER;
    t->span.end = end;
    while (continues_name(at(l, end))) end++;
    if (end > t->span.end)
        return vv_passage_error(
            l->source, (vv_span){l->at, end}, VV_ERR_USAGE,
            "a number cannot end in letters; a product is written 2 * x, texts such as \"1D\" stand in quotes");
    if (at(l, l->at) == '0' && isdigit((unsigned char)at(l, l->at + 1)) && t->whole)
        return vv_passage_error(l->source, t->span, VV_ERR_USAGE,
                                "a whole number does not begin with 0; dates stand in quotes: \"1990-01\"");
    if (end - l->at >= sizeof word)
        return vv_passage_error(l->source, t->span, VV_ERR_USAGE, "a number of more than %d characters",
                                (int)sizeof word - 1);
    memcpy(word, l->source->text + l->at, end - l->at);
    word[end - l->at] = 0;
    t->number = strtod(word, NULL);
    if (isinf(t->number))
        return vv_passage_error(l->source, t->span, VV_ERR_USAGE, "a number this great is infinite; write inf");
    t->whole = t->whole && t->number <= 9007199254740992.0; /* those that are exact as f64 */
    return VV_OK;
}

/* "text", 'text' and `name`: without escapes, on one line. */
static vv_status quoted_word(vv_lexer *l, char quote, vv_token *t)
{
    size_t end = l->at + 1;
    while (end < l->source->size && at(l, end) != quote && at(l, end) != '\n') end++;
    t->inner = (vv_span){l->at + 1, end};
    t->span.end = end + 1;
    if (end == l->source->size || at(l, end) != quote)
        return vv_passage_error(l->source, (vv_span){l->at, end}, VV_ERR_USAGE, "the quote %c is not closed", quote);
    t->quoted = quote == '`';
    t->kind = t->quoted ? VV_TOKEN_NAME : VV_TOKEN_TEXT;
    if (memchr(l->source->text + t->inner.at, 0, t->inner.end - t->inner.at) || (t->quoted && t->inner.at == end))
        return vv_passage_error(l->source, t->span, VV_ERR_USAGE,
                                t->inner.at == end ? "a name is empty" : "a zero byte");
    return VV_OK;
}

static vv_status sign_word(vv_lexer *l, vv_token *t)
{
    const char *text = l->source->text + l->at;
    size_t left = l->source->size - l->at;
    for (int i = 0; signs[i]; i++) {
        size_t n = strlen(signs[i]);
        if (n > left || memcmp(signs[i], text, n) != 0) continue;
        *t = (vv_token){.kind = VV_TOKEN_SIGN, .span = {l->at, l->at + n}, .sign = signs[i]};
        if (strchr("([", *signs[i])) l->open++;
        if (strchr(")]", *signs[i]) && l->open > 0) l->open--;
        l->complete = strchr(")]", *signs[i]) || !strcmp(signs[i], "...");
        if (*signs[i] == ';') {
            t->kind = VV_TOKEN_LINE;
            l->open = 0;
        }
        return VV_OK;
    }
    if (isprint((unsigned char)*text))
        return vv_passage_error(l->source, t->span, VV_ERR_USAGE, "'%c' is no sign of the language", *text);
    return vv_passage_error(l->source, t->span, VV_ERR_USAGE, "a byte %d, which is no text", (unsigned char)*text);
}

static void name_word(vv_lexer *l, vv_token *t)
{
    size_t end = l->at;
    while (continues_name(at(l, end))) end++;
    t->kind = VV_TOKEN_NAME;
    t->span.end = t->inner.end = end;
}

vv_status vv_lexer_next(vv_lexer *l, vv_token *t)
{
    vv_status status = VV_OK;
    skip_blanks(l);
    char c = at(l, l->at);
    *t = (vv_token){.span = {l->at, l->at + 1}, .inner = {l->at, l->at + 1}};
    if (l->at >= l->source->size) {
        t->span.end = l->at;
        return VV_OK;
    }
    bool number = isdigit((unsigned char)c) || (c == '.' && isdigit((unsigned char)at(l, l->at + 1)));
    bool sign = false;
    if (c == '\n')
        t->kind = VV_TOKEN_LINE;
    else if (number)
        status = number_word(l, t);
    else if (begins_name(c))
        name_word(l, t);
    else if (c == '"' || c == '\'' || c == '`')
        status = quoted_word(l, c, t);
    else if ((sign = true))
        status = sign_word(l, t);
    if (!sign) l->complete = t->kind != VV_TOKEN_LINE;
    l->at = t->span.end;
    return status;
}

const char *vv_token_text(const vv_passage *s, const vv_token *t, char out[80])
{
    int n = (int)(t->span.end - t->span.at);
    const char *what = t->kind == VV_TOKEN_NAME ? "the name " : t->kind == VV_TOKEN_NUMBER ? "the number " : "";
    if (t->kind == VV_TOKEN_END || t->kind == VV_TOKEN_LINE)
        snprintf(out, 80, "%s", t->kind == VV_TOKEN_END ? "the end" : "the end of the statement");
    else if (t->kind == VV_TOKEN_TEXT)
        snprintf(out, 80, "the text %.*s%s", n > 40 ? 40 : n, s->text + t->span.at, n > 40 ? "..." : "");
    else
        snprintf(out, 80, "%s'%.*s%s'", what, n > 40 ? 40 : n, s->text + t->span.at, n > 40 ? "..." : "");
    return out;
}
