/* Attributes of elementwise results. Arithmetic makes another quantity, so names and comments go; but units stay where the operation keeps them and all
 * operands agree, and so does what tells where the values lie. A choice of elements of one array still is that quantity. */
#include "expr/value.h"

#include <string.h>

/* Whether the result is in the units of its operands. */
static bool keeps_units(const char *function)
{
    static const char *const names[] = {
        "add",  "subtract",    "negative", "positive", "absolute", "fabs",  "minimum",   "maximum", "fmin",  "fmax",
        "clip", "nan_to_zero", "floor",    "ceil",     "rint",     "trunc", "remainder", "fmod",    "where", NULL};
    for (int i = 0; names[i]; i++)
        if (!strcmp(names[i], function)) return true;
    return false;
}

/* The text that all operands have; NULL when they differ, or when one that is no number has none. */
static const char *common(vv_array *const in[], int first, int n, const char *name)
{
    const char *all = NULL;
    for (int i = first; i < n; i++) {
        if (in[i]->kind == VV_NODE_SCALAR) continue;
        const char *text = vv_attr_text(&in[i]->attrs, name);
        if (!text || (all && strcmp(all, text) != 0)) return NULL;
        all = text;
    }
    return all;
}

/* Of those that have it, the first; where others say something else, none. */
static const char *unopposed(vv_array *const in[], int n, const char *name)
{
    const char *all = NULL;
    for (int i = 0; i < n; i++) {
        const char *text = vv_attr_text(&in[i]->attrs, name);
        if (text && all && strcmp(all, text) != 0) return NULL;
        if (text) all = text;
    }
    return all;
}

static vv_status keep(vv_array *out, const char *name, const char *text)
{
    return text ? vv_attr_set_text(&out->attrs, name, text) : VV_OK;
}

vv_status vv_carry_attributes(const char *function, vv_array *const in[], int n, vv_array *out)
{
    bool choice = !strcmp(function, "where");
    const vv_array *only = NULL;
    int arrays = 0;
    for (int i = choice; i < n; i++)
        if (in[i]->kind != VV_NODE_SCALAR && arrays++ == 0) only = in[i];
    bool same = (choice || !strcmp(function, "nan_to_zero") || !strcmp(function, "clip")) && arrays == 1;
    if (same) return vv_attrs_copy(&out->attrs, &only->attrs);
    const char *units = keeps_units(function) ? common(in, choice, n, "units") : NULL;
    if (units && !strstr(units, " since ")) VV_TRY(keep(out, "units", units));
    VV_TRY(keep(out, "grid_mapping", unopposed(in, n, "grid_mapping")));
    return keep(out, "coordinates", unopposed(in, n, "coordinates"));
}
