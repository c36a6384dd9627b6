/* Expressions: arrays from text.
 *
 *     vv_array *speed = vv_expression(s, d, "sqrt(u10^2 + v10^2).mean(time)");
 *
 * The language is that of `varve eval`; its grammar is in src/README.md. Names are variables of a dataset and what was defined before; functions are
 * those of the registry (call.h) and of the language (vv_expression_function_at). Nothing is read but coordinates until a result is wanted, and what several
 * results share is computed once. An error tells the place: the text of vv_last_error() has three lines then, the message, the line of the text, and a mark beneath it.
 * All functions: Driver only. */
#ifndef VARVE_EXPRESSION_H
#define VARVE_EXPRESSION_H

#include "varve/call.h"
#include "varve/dataset.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One expression; d: whose variables it knows, NULL for none. Never NULL, inert when something is wrong. */
VV_API vv_array *vv_expression(vv_session *s, vv_dataset *d, const char *text);

/* Statements, one after the other: `NAME = EXPR` makes a result, `let NAME = EXPR` only a name for those that follow. */
typedef struct vv_script vv_script;

VV_API VV_WARN_UNUSED vv_status vv_script_new(vv_session *s, vv_dataset *d, vv_script **out);
/* A name for an array of your own. */
VV_API VV_WARN_UNUSED vv_status vv_script_define(vv_script *x, const char *name, vv_array *a);
/* How operands are lined up in what is run from now on: "exact" (the default): their labels must be the same, in whatever order; "inner": by the labels that all of them have. */
VV_API VV_WARN_UNUSED vv_status vv_script_align(vv_script *x, const char *how);
/* Statements are separated by line ends or semicolons. file: what messages call the text, "wind.vv"; NULL for nothing. May be called again, then names are still known. */
VV_API VV_WARN_UNUSED vv_status vv_script_run(vv_script *x, const char *text, const char *file);
VV_API int vv_script_n_results(const vv_script *x);
VV_API const char *vv_script_name(const vv_script *x, int i);
VV_API vv_array *vv_script_array(const vv_script *x, int i);
/* The results stay. *x becomes NULL; accepts NULL. */
VV_API void vv_script_free(vv_script **x);

/* The functions that only expressions have, for help texts: number i, false past the end. Local. */
VV_API bool vv_expression_function_at(int i, vv_function_info *out);

#ifdef __cplusplus
}
#endif
#endif
