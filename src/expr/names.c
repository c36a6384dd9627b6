/* Names: what was defined before, then variables of the dataset, then constants. */
#include "expr/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    double value;
    bool whole;
} constants[] = {
    {"pi", M_PI, false}, {"nan", NAN, false}, {"inf", INFINITY, false}, {"true", 1, true}, {"false", 0, true}};
enum { CONSTANTS = sizeof constants / sizeof *constants };

const vv_meaning *vv_meaning_find(const vv_script *x, const char *name)
{
    for (int i = x->n - 1; i >= 0; i--)
        if (!strcmp(x->meaning[i].name, name)) return &x->meaning[i];
    return NULL;
}

vv_status vv_meaning_add(vv_script *x, const char *name, const vv_value *v, bool result)
{
    VV_TRY(vv_grow(&x->meaning, x->n, sizeof *x->meaning, "names"));
    char *copy;
    VV_TRY(vv_pool_text(&x->pool, name, strlen(name), &copy));
    x->meaning[x->n++] = (vv_meaning){copy, *v, result};
    return VV_OK;
}

static int constant(const char *name)
{
    for (int i = 0; i < CONSTANTS; i++)
        if (!strcmp(constants[i].name, name)) return i;
    return -1;
}

static int variable(const vv_script *x, const char *name)
{
    return x->dataset ? vv_meta_find_var(x->dataset->file->meta, name) : -1;
}

static int dimension(const vv_script *x, const char *name)
{
    return x->dataset ? vv_meta_find_dim(x->dataset->file->meta, name) : -1;
}

bool vv_is_name(const vv_script *x, const char *name)
{
    return vv_meaning_find(x, name) || variable(x, name) >= 0 || dimension(x, name) >= 0 || constant(name) >= 0;
}

/* --- what is not there --- */

bool vv_is_function(const char *name)
{
    vv_function_info f;
    for (int i = 0; vv_function_at(i, &f); i++)
        if (!strcmp(f.name, name)) return true;
    for (int i = 0; vv_expression_function_at(i, &f); i++)
        if (!strcmp(f.name, name)) return true;
    return false;
}

static const char *nearest(vv_script *x, const char *name)
{
    const vv_meta *m = x->dataset ? x->dataset->file->meta : NULL;
    const char **names;
    int n = 0, variables = m ? m->n_vars : 0;
    if (vv_pool_get(&x->pool, (size_t)(x->n + variables + CONSTANTS) * sizeof *names, &names) != VV_OK) return NULL;
    for (int i = x->n - 1; i >= 0; i--) names[n++] = x->meaning[i].name;
    for (int i = 0; i < variables; i++) names[n++] = m->var[i].name;
    for (int i = 0; i < CONSTANTS; i++) names[n++] = constants[i].name;
    return vv_nearest(name, names, n);
}

/* "a, b, c and 5 more" */
static const char *what_there_is(const vv_script *x, vv_buf *b)
{
    const vv_meta *m = x->dataset ? x->dataset->file->meta : NULL;
    int n = m ? m->n_vars : 0, shown = 0;
    for (int i = 0; i < n && shown < 8; i++)
        if (m->var[i].type != VV_NONE) vv_buf_printf(b, shown++ ? ", %.40s" : "%.40s", m->var[i].name);
    if (n > shown && shown == 8) vv_buf_printf(b, " and %d more", n - shown);
    return shown ? b->data : NULL;
}

static vv_status unknown(vv_script *x, const vv_expr *e)
{
    const char *near = nearest(x, e->text), *name = e->text;
    if (!e->quoted && vv_is_function(name))
        return vv_passage_error(x->source, e->span, VV_ERR_USAGE, "'%s' is a function; call it: %s(...)", name, name);
    if (dimension(x, name) >= 0)
        return vv_passage_error(x->source, e->span, VV_ERR_NOT_FOUND,
                                "dimension '%s' has no coordinate variable, so there are no values of this name", name);
    if (near)
        return vv_passage_error(x->source, e->span, VV_ERR_NOT_FOUND, "there is no '%.80s'; did you mean '%s'?", name,
                                near);
    vv_buf b = {0};
    const char *there = what_there_is(x, &b);
    vv_status status = vv_passage_error(x->source, e->span, VV_ERR_NOT_FOUND, "there is no '%.80s'%s%s", name,
                                        there ? "; the input has " : "", there ? there : "");
    vv_buf_free(&b);
    return status;
}

static vv_status of_variable(vv_script *x, const vv_expr *e, int var, vv_value *out)
{
    vv_array **a = &x->variable[var];
    if (!*a) {
        vv_array *opened = vv_dataset_array(x->dataset, e->text);
        VV_TRY(vv_made(x, e->span, opened, out));
        *a = opened;
    }
    *out = vv_value_array(*a);
    return VV_OK;
}

vv_status vv_name_value(vv_script *x, const vv_expr *e, vv_value *out)
{
    const vv_meaning *m = vv_meaning_find(x, e->text);
    int var = variable(x, e->text), k = e->quoted ? -1 : constant(e->text);
    if (m) {
        *out = m->value;
        return VV_OK;
    }
    if (var >= 0) return of_variable(x, e, var, out);
    if (k < 0) return unknown(x, e);
    *out = vv_value_number(constants[k].value, constants[k].whole);
    return VV_OK;
}
