/* What expressions are worth, and what all files of this folder know of the evaluation at hand. */
#ifndef VV_EXPR_VALUE_H
#define VV_EXPR_VALUE_H

#include "array/align.h"
#include "array/node.h"
#include "expr/tree.h"
#include "varve/expression.h"

typedef enum vv_value_kind {
    VV_VALUE_NUMBER,
    VV_VALUE_TEXT,
    VV_VALUE_ARRAY,
    VV_VALUE_LIST,
    VV_VALUE_PENDING /* rolling(...), and others that wait for a statistic */
} vv_value_kind;

typedef enum vv_pending_kind { VV_ROLLING, VV_COARSEN, VV_WEIGHTED, VV_RESAMPLED } vv_pending_kind;

typedef struct vv_value {
    vv_value_kind kind;
    double number; /* NUMBER */
    bool whole;    /* NUMBER: an integer */
    const char *text;
    vv_array *array; /* ARRAY, PENDING */
    const struct vv_value *item;
    int n; /* LIST */
    struct {
        vv_pending_kind kind;
        const char *name; /* "rolling": for messages */
        const char *dims; /* ROLLING, COARSEN: "time:30"; RESAMPLED: the dimension */
        vv_array *weights;
        bool centered, trim;
        vv_index least;
    } pending;
} vv_value;

/* A name and what it stands for. */
typedef struct vv_meaning {
    const char *name;
    vv_value value;
    bool result;
} vv_meaning;

struct vv_script {
    vv_context *context;
    vv_dataset *dataset; /* NULL: none */
    vv_array **variable; /* of the dataset, once they were wanted */
    vv_pool pool;
    const vv_passage *source; /* of what is evaluated now */
    bool inner;               /* operands are lined up by what all of them have */
    int n;
    vv_meaning *meaning; /* the newest last */
};

/* vv_script_new() without a session. */
VV_WARN_UNUSED vv_status vv_script_begin(vv_context *c, vv_dataset *d, vv_script **out);
VV_WARN_UNUSED vv_status vv_evaluate(vv_script *x, const vv_expr *e, vv_value *out);
/* The same where only an array, or a number as one, will do. */
VV_WARN_UNUSED vv_status vv_evaluate_array(vv_script *x, const vv_expr *e, vv_array **out);
/* Elementwise, with operands lined up; numbers alone stay numbers. place: where to point when it fails. */
VV_WARN_UNUSED vv_status vv_apply(vv_script *x, vv_span place, const char *function, const vv_value operands[], int n,
                                  vv_value *out);

/* names.c: what a name means. */
const vv_meaning *vv_meaning_find(const vv_script *x, const char *name);
VV_WARN_UNUSED vv_status vv_meaning_add(vv_script *x, const char *name, const vv_value *v, bool result);
VV_WARN_UNUSED vv_status vv_name_value(vv_script *x, const vv_expr *e, vv_value *out);
bool vv_is_name(const vv_script *x, const char *name); /* of anything */
bool vv_is_function(const char *name);

/* call.c */
VV_WARN_UNUSED vv_status vv_evaluate_call(vv_script *x, const vv_expr *e, vv_value *out);
/* index.c */
VV_WARN_UNUSED vv_status vv_evaluate_index(vv_script *x, const vv_expr *e, vv_value *out);
/* x[time=0:10, lat=5] and x[0:10, :] of items of a call or an index, from number `first` on. */
VV_WARN_UNUSED vv_status vv_take_positions(vv_script *x, const vv_expr *e, int first, vv_array *a, vv_value *out);
/* labels.c: sel(x, lat=-30:30) */
VV_WARN_UNUSED vv_status vv_take_labels(vv_script *x, const vv_expr *e, vv_array *a, vv_value *out);
/* meaning.c: what attributes the result of an elementwise function has. */
VV_WARN_UNUSED vv_status vv_carry_attributes(const char *function, vv_array *const operands[], int n, vv_array *out);

/* --- small things --- */

static inline vv_value vv_value_array(vv_array *a)
{
    return (vv_value){.kind = VV_VALUE_ARRAY, .array = a};
}
static inline vv_value vv_value_number(double x, bool whole)
{
    return (vv_value){.kind = VV_VALUE_NUMBER, .number = x, .whole = whole};
}
/* An array, or the place where its making went wrong. */
VV_WARN_UNUSED vv_status vv_made(vv_script *x, vv_span place, vv_array *a, vv_value *out);
/* "an array", "the text \"a\"": what a value is called in messages. */
const char *vv_value_text(const vv_value *v, char out[80]);
/* A number as it is written in arguments: 3, 0.05. */
vv_status vv_number_text(vv_script *x, const vv_value *v, const char **out);
VV_WARN_UNUSED vv_status vv_pool_printf(vv_pool *p, const char **out, const char *format, ...) VV_PRINTF(3, 4);

#endif
