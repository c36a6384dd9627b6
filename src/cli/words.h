/* Lists of words: what a user gave as `-d lat,lon`, as inputs, as reductions. Words are copies owned by their list. */
#ifndef VV_CLI_WORDS_H
#define VV_CLI_WORDS_H

#include "varve/session.h"

typedef struct vv_cli_words {
    int n;
    char **item;
} vv_cli_words;

/* Adds the first `length` bytes of text. */
VV_WARN_UNUSED vv_status vv_cli_words_add(vv_cli_words *w, const char *text, size_t length);
/* Adds the pieces between commas; empty ones are an error that names `what`. A piece that is there already is not added again. */
VV_WARN_UNUSED vv_status vv_cli_words_split(vv_cli_words *w, const char *text, const char *what);
/* Words of both lists, each once, behind those of *out. */
VV_WARN_UNUSED vv_status vv_cli_words_both(const vv_cli_words *a, const vv_cli_words *b, vv_cli_words *out);
bool vv_cli_words_has(const vv_cli_words *w, const char *word);
/* "a,b,c", to be freed; NULL without memory. */
char *vv_cli_words_join(const vv_cli_words *w);
void vv_cli_words_free(vv_cli_words *w);

#endif
