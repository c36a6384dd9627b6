#include "cli/words.h"

#include <stdlib.h>
#include <string.h>

vv_status vv_cli_words_add(vv_cli_words *w, const char *text, size_t length)
{
    char *copy = strndup(text, length);
    char **item = realloc(w->item, (size_t)(w->n + 1) * sizeof *item);
    if (item) w->item = item;
    if (!copy || !item) {
        free(copy);
        return vv_error(VV_ERR_NOMEM, "no memory for the command line");
    }
    w->item[w->n++] = copy;
    return VV_OK;
}

static bool has(const vv_cli_words *w, const char *text, size_t length)
{
    for (int i = 0; i < w->n; i++)
        if (!strncmp(w->item[i], text, length) && !w->item[i][length]) return true;
    return false;
}

vv_status vv_cli_words_split(vv_cli_words *w, const char *text, const char *what)
{
    for (const char *at = text;; at++) {
        size_t length = strcspn(at, ",");
        if (length == 0) return vv_error(VV_ERR_USAGE, "%s '%s' has an empty name in it", what, text);
        if (!has(w, at, length)) {
            vv_status status = vv_cli_words_add(w, at, length);
            if (status != VV_OK) return status;
        }
        at += length;
        if (!*at) return VV_OK;
    }
}

bool vv_cli_words_has(const vv_cli_words *w, const char *word)
{
    return has(w, word, strlen(word));
}

static vv_status add_new(vv_cli_words *w, const vv_cli_words *from)
{
    vv_status status = VV_OK;
    for (int i = 0; status == VV_OK && i < from->n; i++)
        if (!vv_cli_words_has(w, from->item[i])) status = vv_cli_words_add(w, from->item[i], strlen(from->item[i]));
    return status;
}

vv_status vv_cli_words_both(const vv_cli_words *a, const vv_cli_words *b, vv_cli_words *out)
{
    vv_status status = add_new(out, a);
    return status == VV_OK ? add_new(out, b) : status;
}

char *vv_cli_words_join(const vv_cli_words *w)
{
    size_t size = 1;
    for (int i = 0; i < w->n; i++) size += strlen(w->item[i]) + 1;
    char *text = malloc(size), *end = text;
    if (!text) return NULL;
    *text = 0;
    for (int i = 0; i < w->n; i++) {
        if (i) *end++ = ',';
        end = stpcpy(end, w->item[i]);
    }
    return text;
}

void vv_cli_words_free(vv_cli_words *w)
{
    for (int i = 0; i < w->n; i++) free(w->item[i]);
    free(w->item);
    *w = (vv_cli_words){0};
}
