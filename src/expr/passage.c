#include "expr/passage.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What fits into an error: the message is cut where it must be, the line shows a window around the place. */
enum { WINDOW = 72, MARKED = 4 * WINDOW + 16, MESSAGE = 300 };

static bool continues(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80; /* of a character of several bytes */
}

/* Characters from one byte to another. */
static size_t columns(const char *text, size_t from, size_t to)
{
    size_t n = 0;
    for (size_t i = from; i < to; i++) n += !continues(text[i]);
    return n;
}

/* So many characters on from a byte, at most to the end. */
static size_t forward(const char *text, size_t from, size_t end, size_t n)
{
    while (from < end && (n > 0 || continues(text[from]))) n -= !continues(text[from++]);
    return from;
}

static size_t backward(const char *text, size_t from, size_t begin, size_t n)
{
    for (; from > begin && n > 0; n--) do
            from--;
        while (from > begin && continues(text[from]));
    return from;
}

/* A line of the text, and the part of it that is shown. */
typedef struct window {
    size_t begin, end, from, to;
    int line;
} window;

static window look(const vv_passage *s, vv_span place)
{
    window w = {.line = 1};
    for (size_t i = 0; i < place.at; i++)
        if (s->text[i] == '\n') {
            w.begin = i + 1;
            w.line++;
        }
    const char *newline = w.begin < s->size ? memchr(s->text + w.begin, '\n', s->size - w.begin) : NULL;
    w.end = newline ? (size_t)(newline - s->text) : s->size;
    w.from = w.begin;
    w.to = forward(s->text, w.begin, w.end, WINDOW);
    if (place.at + 8 > w.to && w.to < w.end) { /* the place lies further on */
        w.from = backward(s->text, place.at, w.begin, WINDOW / 2);
        w.to = forward(s->text, w.from, w.end, WINDOW);
    }
    return w;
}

static void put(char *out, size_t *used, const char *text, size_t n)
{
    for (size_t i = 0; i < n && *used + 1 < MARKED; i++) {
        unsigned char c = (unsigned char)text[i];
        out[(*used)++] = c < 32 || c == 127 ? ' ' : (char)c;
    }
    out[*used] = 0;
}

static void fill(char *out, size_t *used, char c, size_t n)
{
    while (n-- > 0) put(out, used, &c, 1);
}

static void show(const vv_passage *s, const window *w, vv_span place, char line[MARKED], char mark[MARKED])
{
    size_t n = 0, m = 0;
    const char *before = w->from > w->begin ? "..." : "";
    put(line, &n, before, strlen(before));
    put(line, &n, s->text + w->from, w->to - w->from);
    if (w->to < w->end) put(line, &n, "...", 3);
    fill(mark, &m, ' ', strlen(before) + columns(s->text, w->from, place.at));
    put(mark, &m, "^", 1);
    size_t end = place.end < w->to ? place.end : w->to, marked = end > place.at ? columns(s->text, place.at, end) : 0;
    if (marked > 1) fill(mark, &m, '~', marked - 1);
}

static vv_status fail_at(const vv_passage *s, vv_span place, vv_status code, const char *message)
{
    char line[MARKED], mark[MARKED];
    if (place.at > s->size) place.at = s->size;
    if (place.at > 0 &&
        place.at == s->size) /* what is missing at the end of the text is missing behind its last line */
        while (place.at > 1 && s->text[place.at - 1] == '\n') place.at--;
    window w = look(s, place);
    show(s, &w, place, line, mark);
    if (s->name) return vv_fail(code, "%s:%d: %.*s\n    %s\n    %s", s->name, w.line, MESSAGE, message, line, mark);
    return vv_fail(code, "%.*s\n    %s\n    %s", MESSAGE, message, line, mark);
}

vv_status vv_passage_error(const vv_passage *s, vv_span place, vv_status code, const char *format, ...)
{
    char message[VV_ERROR_TEXT];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return fail_at(s, place, code, message);
}

vv_status vv_passage_blame(const vv_passage *s, vv_span place)
{
    vv_failure e;
    vv_error_get(&e);
    if (strstr(e.text, "\n    ")) return e.code; /* a place inside has been found already */
    return fail_at(s, place, e.code, e.text);
}
