/* Text: variables of characters and of strings. They are moved, joined and saved, and nothing is computed with them.
 *
 * Characters are bytes: an array of them is one of u8 elements. Strings have no fixed size, so what is moved is their numbers: the context keeps every string that
 * it has met once (vv_texts), and an array of strings is one of i64 numbers, which rank 0 has. Equal strings have equal numbers, whatever files they
 * come from, so that coordinates of strings are compared like others. Who saves them looks the strings up. Number 0 is the empty
 * string: what nothing was moved to.
 *
 *     station = "OSLO", "ROMA", "KIEV"      numbers 1, 2, 3
 *     vv_select(station, "x", "#::-1")      numbers 3, 2, 1, moved by the same views as the data */
#ifndef VV_ARRAY_TEXT_H
#define VV_ARRAY_TEXT_H

#include "array/node.h"
#include "base/text.h"

/* A variable of text as an array; inert when it is none. */
vv_array *vv_node_text(vv_dataset *d, int var);

/* The numbers of all strings of a variable, in row-major order; they stay with the dataset. */
VV_WARN_UNUSED vv_status vv_texts_of(vv_dataset *d, int var, const int64_t **out);
/* Numbers of n strings that stand one behind the other, each with its end. */
VV_WARN_UNUSED vv_status vv_texts_add(vv_context *c, const vv_buf *text, vv_index n, int64_t number[]);
/* Strings along a new dimension. */
vv_array *vv_node_strings(vv_context *c, const char *dim, const char *const text[], vv_index n);
/* A string by its number, which is an error when there is none. */
VV_WARN_UNUSED vv_status vv_text_at(const vv_context *c, int64_t number, const char **out);
/* The number of a string that is known; -1: none is like it. */
int64_t vv_text_find(const vv_context *c, const char *text);
/* Where the strings of n numbers are. */
VV_WARN_UNUSED vv_status vv_texts_look_up(const vv_context *c, const int64_t number[], vv_index n, const char *out[]);

/* Whether a coordinate's values are numbers of strings. */
bool vv_coord_is_text(const vv_coord *c);

void vv_texts_free(vv_texts *t);

#endif
