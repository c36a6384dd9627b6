/* Positions: x[0:10, :, ::2], x[time=0], x[..., [0, 5]]. Negative ones count from the end. */
#include "expr/value.h"

#include "base/mem.h"
#include "varve/move.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static vv_status position(vv_script *x, const vv_expr *e, vv_index *out)
{
    vv_value v;
    char text[80];
    VV_TRY(vv_evaluate(x, e, &v));
    if (v.kind == VV_VALUE_NUMBER && v.whole) {
        *out = (vv_index)v.number;
        return VV_OK;
    }
    if (v.kind == VV_VALUE_TEXT)
        return vv_passage_error(x->source, e->span, VV_ERR_USAGE,
                                "positions are whole numbers; labels are chosen by sel(x, dim=\"%.40s\")", v.text);
    if (v.kind == VV_VALUE_ARRAY && v.array->dtype == VV_BOOL)
        return vv_passage_error(
            x->source, e->span, VV_ERR_USAGE,
            "elements are chosen by truth values with extract(x, mask, to=name); where(mask, x, nan) keeps the shape");
    return vv_passage_error(x->source, e->span, VV_ERR_USAGE, "a position is a whole number, not %s",
                            vv_value_text(&v, text));
}

static vv_status bound(vv_script *x, const vv_expr *e, vv_index otherwise, vv_index *out)
{
    *out = otherwise;
    return e ? position(x, e, out) : VV_OK;
}

static vv_status by_range(vv_script *x, const vv_expr *e, const char *dim, vv_array **a)
{
    vv_index start, stop, step;
    VV_TRY(bound(x, e->item[0], VV_BEGIN, &start));
    VV_TRY(bound(x, e->item[1], VV_END, &stop));
    VV_TRY(bound(x, e->item[2], 1, &step));
    if (start == VV_BEGIN && stop == VV_END && step == 1) return VV_OK;
    *a = vv_slice(*a, dim, start, stop, step);
    return VV_OK;
}

static vv_status by_list(vv_script *x, const vv_expr *e, const char *dim, vv_array **a)
{
    vv_index *at;
    VV_TRY(vv_new(&at, (size_t)e->n + 1, sizeof *at));
    vv_status status = VV_OK;
    for (int i = 0; status == VV_OK && i < e->n; i++) status = position(x, e->item[i], &at[i]);
    if (status == VV_OK) *a = vv_take(*a, dim, at, e->n);
    free(at);
    return status;
}

static vv_status along(vv_script *x, const vv_expr *e, const char *dim, vv_array **a)
{
    vv_index at;
    if (e->kind == VV_EXPR_RANGE) {
        VV_TRY(by_range(x, e, dim, a));
    } else if (e->kind == VV_EXPR_LIST) {
        VV_TRY(by_list(x, e, dim, a));
    } else {
        VV_TRY(position(x, e, &at));
        *a = vv_at(*a, dim, at);
    }
    return vv_array_status(*a) == VV_OK ? VV_OK : vv_passage_blame(x->source, e->span);
}

/* The dimension that item i without a name is along. -1: "...", which stands for those in between. */
static vv_status count_items(vv_script *x, const vv_expr *e, int first, const vv_array *a, int *ellipsis, int *n)
{
    *ellipsis = -1;
    *n = 0;
    for (int i = first; i < e->n; i++) {
        const vv_expr *item = e->item[i];
        if (item->key) continue;
        if (item->kind == VV_EXPR_ELLIPSIS && *ellipsis >= 0)
            return vv_passage_error(x->source, item->span, VV_ERR_USAGE, "'...' twice");
        if (item->kind == VV_EXPR_ELLIPSIS)
            *ellipsis = i;
        else if (++*n > a->shape.nd)
            return vv_passage_error(x->source, item->span, VV_ERR_SHAPE,
                                    "'%s' has %d dimension%s, and this is one more", a->name, a->shape.nd,
                                    a->shape.nd == 1 ? "" : "s");
    }
    return VV_OK;
}

vv_status vv_take_positions(vv_script *x, const vv_expr *e, int first, vv_array *a, vv_value *out)
{
    int ellipsis, n, d = 0;
    vv_array *now = a;
    VV_TRY(count_items(x, e, first, a, &ellipsis, &n));
    for (int i = first; i < e->n; i++) {
        const vv_expr *item = e->item[i];
        if (i == ellipsis)
            d += a->shape.nd - n;
        else if (!item->key)
            VV_TRY(along(x, item, a->dim[d++], &now));
        else if (along(x, item, item->key, &now) != VV_OK)
            return vv_passage_blame(x->source, item->key_span);
    }
    *out = vv_value_array(now);
    return VV_OK;
}

vv_status vv_evaluate_index(vv_script *x, const vv_expr *e, vv_value *out)
{
    vv_array *a;
    vv_value v;
    char text[80];
    VV_TRY(vv_evaluate(x, e->item[0], &v));
    if (v.kind != VV_VALUE_ARRAY)
        return vv_passage_error(x->source, e->item[0]->span, VV_ERR_TYPE, "only arrays have elements, not %s",
                                vv_value_text(&v, text));
    a = v.array;
    return vv_take_positions(x, e, 1, a, out);
}
