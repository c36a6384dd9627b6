/* Labels: sel(x, lat=-30:30, time="1990-01":"1999-12", level=~850). One number takes its dimension away, as a position does; ranges, lists and dates, which
 * are periods, keep it. */
#include "expr/value.h"

#include "base/mem.h"
#include "varve/move.h"

#include <stdlib.h>
#include <string.h>

typedef struct choice {
    vv_script *script;
    const char *dim;
    bool time; /* the coordinate has dates */
} choice;

static vv_status no_date(const choice *c, const vv_expr *e)
{
    return vv_passage_error(c->script->source, e->span, VV_ERR_USAGE,
                            "a date stands in quotes: %s=\"1990-12\" or %s=\"1990-06\":\"1991-05\"", c->dim, c->dim);
}

/* One label as vv_select() reads it. */
static vv_status label(const choice *c, const vv_expr *e, const char **out)
{
    vv_value v;
    char text[80];
    const char *nearest = "";
    if (e->kind == VV_EXPR_OPERATION && !strcmp(e->text, "invert")) {
        nearest = "~";
        e = e->item[0];
    }
    VV_TRY(vv_evaluate(c->script, e, &v));
    if (v.kind == VV_VALUE_TEXT) return vv_pool_printf(&c->script->pool, out, "%s%s", nearest, v.text);
    if (v.kind != VV_VALUE_NUMBER)
        return vv_passage_error(c->script->source, e->span, VV_ERR_TYPE, "a label is a number or a text, not %s",
                                vv_value_text(&v, text));
    if (c->time && (e->kind != VV_EXPR_NUMBER || !v.whole)) return no_date(c, e); /* 1990-12 is 1978 */
    const char *number;
    VV_TRY(vv_number_text(c->script, &v, &number));
    return vv_pool_printf(&c->script->pool, out, "%s%s", nearest, number);
}

static vv_status range(const choice *c, const vv_expr *e, const char **out)
{
    const char *from = "", *to = "";
    if (e->item[2])
        return vv_passage_error(c->script->source, e->item[2]->span, VV_ERR_USAGE,
                                "labels have no step; x[%s=::2] takes every second position", c->dim);
    if (e->item[0]) VV_TRY(label(c, e->item[0], &from));
    if (e->item[1]) VV_TRY(label(c, e->item[1], &to));
    return vv_pool_printf(&c->script->pool, out, "%s:%s", from, to);
}

static vv_status listed(const choice *c, const vv_expr *e, vv_array *a, vv_array **out)
{
    vv_array **part;
    const char *what = NULL;
    if (e->n == 0) return vv_passage_error(c->script->source, e->span, VV_ERR_USAGE, "an empty list selects nothing");
    VV_TRY(vv_new(&part, (size_t)e->n, sizeof *part));
    vv_status status = VV_OK;
    for (int i = 0; status == VV_OK && i < e->n; i++) {
        status = label(c, e->item[i], &what);
        if (status == VV_OK) part[i] = vv_select(a, c->dim, what);
        if (status == VV_OK && vv_array_status(part[i]) != VV_OK)
            status = vv_passage_blame(c->script->source, e->item[i]->span);
    }
    if (status == VV_OK) *out = vv_node_concat(c->script->context, part, e->n, c->dim);
    free(part);
    return status;
}

static int find_dim(const vv_array *a, const char *name)
{
    for (int d = 0; d < a->shape.nd; d++)
        if (!strcmp(a->dim[d], name)) return d;
    return -1;
}

static vv_status select_along(choice *c, const vv_expr *e, vv_array **a)
{
    const char *units, *calendar, *what = NULL;
    int d = find_dim(*a, c->dim);
    c->time = d >= 0 && vv_coord_time(&(*a)->coord[d], &units, &calendar);
    if (e->kind == VV_EXPR_LIST) return listed(c, e, *a, a);
    VV_TRY(e->kind == VV_EXPR_RANGE ? range(c, e, &what) : label(c, e, &what));
    if (what[0] == '#')
        return vv_passage_error(c->script->source, e->span, VV_ERR_USAGE, "positions are chosen by x[%s=...]", c->dim);
    vv_array *chosen = vv_select(*a, c->dim, what);
    if (vv_array_status(chosen) != VV_OK) return vv_passage_blame(c->script->source, e->span);
    bool one = e->kind != VV_EXPR_RANGE && !c->time && chosen->shape.n[d] == 1;
    *a = one ? vv_at(chosen, c->dim, 0) : chosen;
    return vv_array_status(*a);
}

/* sel(x, season="DJF", month=6:8): parts of the dates of the only dimension that has some. */
static vv_status select_dates(vv_script *x, const vv_expr *e, vv_array **a)
{
    const char *units, *calendar, *what, *dim = NULL;
    choice c = {.script = x, .dim = e->key};
    for (int d = 0; d < (*a)->shape.nd && !dim; d++)
        if (vv_coord_time(&(*a)->coord[d], &units, &calendar)) dim = (*a)->dim[d];
    if (!dim)
        return vv_passage_error(x->source, e->key_span, VV_ERR_USAGE,
                                "'%s' has no dimension whose coordinate has times", (*a)->name);
    VV_TRY(e->kind == VV_EXPR_RANGE ? range(&c, e, &what) : label(&c, e, &what));
    *a = vv_select_dates(*a, dim, e->key, what);
    return vv_array_status(*a) == VV_OK ? VV_OK : vv_passage_blame(x->source, e->span);
}

vv_status vv_take_labels(vv_script *x, const vv_expr *e, vv_array *a, vv_value *out)
{
    if (e->n < 2)
        return vv_passage_error(x->source, e->place, VV_ERR_USAGE,
                                "sel wants labels: sel(x, lat=-30:30, time=\"1990-01\")");
    for (int i = 1; i < e->n; i++) {
        const vv_expr *item = e->item[i];
        if (!item->key)
            return vv_passage_error(x->source, item->span, VV_ERR_USAGE,
                                    "sel wants the dimension before its labels: sel(x, lat=...)");
        choice c = {.script = x, .dim = item->key};
        int d = find_dim(a, item->key);
        if (d < 0 && vv_is_date_part(item->key)) {
            VV_TRY(select_dates(x, item, &a));
            continue;
        }
        if (d < 0) { /* the library's message has the nearest name */
            (void)vv_array_status(vv_select(a, item->key, "0"));
            return vv_passage_blame(x->source, item->key_span);
        }
        VV_TRY(select_along(&c, item, &a));
        if (vv_array_status(a) != VV_OK) return vv_passage_blame(x->source, item->span);
    }
    *out = vv_value_array(a);
    return VV_OK;
}
