/* Statements, and the functions that users call. */
#include "expr/value.h"

#include "base/mem.h"
#include "session/session.h"

#include <stdlib.h>
#include <string.h>

/* --- statements --- */

static vv_status check_result_name(vv_script *x, const vv_statement *s)
{
    const vv_meaning *m = vv_meaning_find(x, s->name);
    if (strchr(s->name, '/'))
        return vv_passage_error(x->source, s->span, VV_ERR_USAGE, "a variable of a file cannot have a '/' in its name");
    if (m && m->result) return vv_passage_error(x->source, s->span, VV_ERR_USAGE, "'%s' is a result already", s->name);
    if (x->dataset && vv_meta_find_dim(x->dataset->file->meta, s->name) >= 0)
        return vv_passage_error(
            x->source, s->span, VV_ERR_USAGE,
            "'%s' is a dimension, whose values are its coordinate; give the result another name, or write let %s",
            s->name, s->name);
    return VV_OK;
}

static vv_status result_array(vv_script *x, const vv_statement *s, vv_value *v)
{
    char text[80];
    if (v->kind == VV_VALUE_NUMBER)
        return vv_made(x, s->value->span, vv_node_full(x->context, "", NULL, v->number, v->whole ? VV_I64 : VV_F64), v);
    if (v->kind == VV_VALUE_PENDING)
        return vv_passage_error(x->source, s->value->place, VV_ERR_TYPE,
                                "%s(...) wants a statistic first: %s(...).mean()", v->pending.name, v->pending.name);
    if (v->kind != VV_VALUE_ARRAY)
        return vv_passage_error(x->source, s->value->span, VV_ERR_TYPE, "a result is an array or a number, not %s",
                                vv_value_text(v, text));
    return VV_OK;
}

static vv_status run_statement(vv_script *x, const vv_statement *s)
{
    vv_value v;
    if (!s->let) VV_TRY(check_result_name(x, s));
    VV_TRY(vv_evaluate(x, s->value, &v));
    if (!s->let) VV_TRY(result_array(x, s, &v));
    return vv_meaning_add(x, s->name, &v, !s->let);
}

static vv_status run_text(vv_script *x, const vv_passage *s)
{
    vv_statement *statement;
    int n;
    VV_TRY(vv_parse_statements(s, &x->pool, &statement, &n));
    for (int i = 0; i < n; i++) VV_TRY(run_statement(x, &statement[i]));
    return VV_OK;
}

vv_status vv_script_align(vv_script *x, const char *how)
{
    x->inner = !strcmp(how, "inner");
    if (x->inner || !strcmp(how, "exact")) return VV_OK;
    return vv_fail(VV_ERR_USAGE,
                   "arrays are lined up by labels that are equal (exact) or that all have (inner), not '%s'", how);
}

vv_status vv_script_run(vv_script *x, const char *text, const char *file)
{
    vv_passage s = {.text = text, .size = strlen(text), .name = file};
    x->source = &s;
    vv_status status = run_text(x, &s);
    x->source = NULL;
    return status;
}

/* --- scripts --- */

vv_status vv_script_begin(vv_context *c, vv_dataset *d, vv_script **out)
{
    *out = NULL;
    if (d) VV_TRY(vv_dataset_status(d));
    VV_TRY(vv_new(out, 1, sizeof **out));
    (*out)->context = c;
    (*out)->dataset = d;
    vv_status status =
        d ? vv_new(&(*out)->variable, (size_t)d->file->meta->n_vars + 1, sizeof *(*out)->variable) : VV_OK;
    if (status != VV_OK) vv_script_free(out);
    return status;
}

vv_status vv_script_new(vv_session *s, vv_dataset *d, vv_script **out)
{
    return vv_script_begin(&s->context, d, out);
}

vv_status vv_script_define(vv_script *x, const char *name, vv_array *a)
{
    VV_TRY(vv_array_status(a));
    vv_value v = vv_value_array(a);
    return vv_meaning_add(x, name, &v, false);
}

static const vv_meaning *result(const vv_script *x, int i)
{
    for (int k = 0; k < x->n; k++)
        if (x->meaning[k].result && i-- == 0) return &x->meaning[k];
    return NULL;
}

int vv_script_n_results(const vv_script *x)
{
    int n = 0;
    for (int k = 0; k < x->n; k++) n += x->meaning[k].result;
    return n;
}

const char *vv_script_name(const vv_script *x, int i)
{
    const vv_meaning *m = result(x, i);
    return m ? m->name : NULL;
}

vv_array *vv_script_array(const vv_script *x, int i)
{
    const vv_meaning *m = result(x, i);
    return m ? m->value.array : NULL;
}

void vv_script_free(vv_script **x)
{
    if (!*x) return;
    vv_pool_free(&(*x)->pool);
    free((*x)->variable);
    free((*x)->meaning);
    free(*x);
    *x = NULL;
}

/* --- one expression --- */

static vv_status one_expression(vv_script *x, const vv_passage *s, vv_array **out)
{
    vv_expr *e;
    vv_value v;
    x->source = s;
    VV_TRY(vv_parse_expression(s, &x->pool, &e));
    VV_TRY(vv_evaluate(x, e, &v));
    const vv_statement statement = {.value = e, .span = e->span};
    VV_TRY(result_array(x, &statement, &v));
    *out = v.array;
    return VV_OK;
}

vv_array *vv_expression(vv_session *s, vv_dataset *d, const char *text)
{
    vv_script *x;
    vv_array *a = NULL;
    vv_passage source = {.text = text, .size = strlen(text)};
    vv_status status = vv_script_new(s, d, &x);
    if (status == VV_OK) status = one_expression(x, &source, &a);
    vv_script_free(&x);
    return status == VV_OK ? a : vv_node_inert(&s->context);
}
