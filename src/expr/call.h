/* What the files that make calls share. */
#ifndef VV_EXPR_CALL_H
#define VV_EXPR_CALL_H

#include "expr/value.h"

/* A function of the language alone. Items of the call are its operands and arguments. */
typedef vv_status vv_special(vv_script *x, const vv_expr *e, vv_value *out);
typedef struct vv_special_function {
    const char *name, *arguments, *help;
    int operands;
    vv_special *call;
} vv_special_function;
const vv_special_function *vv_special_find(const char *name);
/* The registry's name of a function that is known by another one, too. */
const char *vv_usual_name(const char *name);
/* Other names: alias i, NULL past the end. */
const char *vv_alias(int i);

/* words.c: an item as an argument in words: names of dimensions, numbers, texts, "time:12". in: arrays whose dimensions go before names of numbers. */
VV_WARN_UNUSED vv_status vv_item_word(vv_script *x, const vv_expr *e, vv_array *const in[], int n_in, const char **out);
/* Puts another word behind, with a comma. */
VV_WARN_UNUSED vv_status vv_join_words(vv_script *x, const char *word, const char **list);
bool vv_looks_like_word(const vv_expr *e);
VV_WARN_UNUSED vv_status vv_item_real(vv_script *x, const vv_expr *e, double *out);
VV_WARN_UNUSED vv_status vv_item_flag(vv_script *x, const vv_expr *e, bool *out);
VV_WARN_UNUSED vv_status vv_item_whole(vv_script *x, const vv_expr *e, vv_index *out);
/* The first operand. */
VV_WARN_UNUSED vv_status vv_first_array(vv_script *x, const vv_expr *e, vv_array **out);
/* "std has no argument 'dof'; did you mean 'ddof'? It takes dims, ddof" */
VV_WARN_UNUSED vv_status vv_no_argument(vv_script *x, const vv_expr *e, const vv_expr *item, const char *arguments);
int vv_dim_of(const vv_array *a, const char *name);
/* A call that failed: at the item whose word the message speaks of, else at the function's name. */
vv_status vv_blame_call(vv_script *x, const vv_expr *e);

/* statistics.c: reductions by name; of groups, windows and weighted values, too. */
VV_WARN_UNUSED vv_status vv_evaluate_statistic(vv_script *x, const vv_expr *e, const char *how, vv_value *out);
vv_special vv_call_quantile, vv_call_percentile;
/* special.c's: rolling(x, time=30), coarsen, weighted, resample, group. */
vv_special vv_call_rolling, vv_call_coarsen, vv_call_weighted, vv_call_resample, vv_call_group;
/* climate.c: climate_index(tasmax, SU). */
vv_special vv_call_climate_index;
/* call.c: by the registry. */
VV_WARN_UNUSED vv_status vv_call_registered(vv_script *x, const vv_expr *e, const char *name, vv_value *out);

#endif
