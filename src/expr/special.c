/* Functions that only the language has: groups, windows and blocks that wait for a statistic, positions and labels by name, and what takes no words but arrays. */
#include "expr/call.h"

#include "varve/move.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- times --- */

static vv_status no_times(vv_script *x, const vv_expr *e, const vv_array *a, int found)
{
    const char *dims = NULL;
    for (int d = 0; d < a->shape.nd; d++) VV_TRY(vv_join_words(x, a->dim[d], &dims));
    if (found)
        return vv_passage_error(x->source, e->place, VV_ERR_USAGE,
                                "'%s' has %d dimensions with times; say which: %s(x, time.month)", a->name, found,
                                e->text);
    return vv_passage_error(x->source, e->place, VV_ERR_USAGE,
                            "'%s' has no dimension whose coordinate has times; it has %s", a->name,
                            dims ? dims : "none");
}

static vv_status time_dim(vv_script *x, const vv_expr *e, const vv_array *a, const char **out)
{
    const char *units, *calendar;
    int found = 0;
    for (int d = 0; d < a->shape.nd; d++)
        if (vv_coord_time(&a->coord[d], &units, &calendar)) {
            *out = a->dim[d];
            found++;
        }
    return found == 1 ? VV_OK : no_times(x, e, a, found);
}

/* month, time.month, "1D", time="1D": what vv_group() is told. */
static vv_status grouping(vv_script *x, const vv_expr *e, vv_array *a, const char **dim, const char **what)
{
    const char *by;
    if (e->n < 2)
        return vv_passage_error(x->source, e->place, VV_ERR_USAGE,
                                "%s wants what to group by: x.group(month), x.resample(\"1D\")", e->text);
    if (e->n > 2) return vv_passage_error(x->source, e->item[2]->span, VV_ERR_USAGE, "%s takes one grouping", e->text);
    const vv_expr *item = e->item[1];
    *dim = item->key;
    bool pair = item->kind == VV_EXPR_OPERATION && !strcmp(item->text, "add") && item->item[0]->kind == VV_EXPR_NAME &&
                item->item[1]->kind == VV_EXPR_NAME;
    if (pair) /* month + hour */
        VV_TRY(vv_pool_printf(&x->pool, &by, "%s+%s", item->item[0]->text, item->item[1]->text));
    else if (item->kind == VV_EXPR_NAME)
        by = item->text;
    else
        VV_TRY(vv_item_word(x, item, NULL, 0, &by));
    const char *point = strrchr(by, '.');
    if (point && !*dim) {
        char *name;
        VV_TRY(vv_pool_text(&x->pool, by, (size_t)(point - by), &name));
        *dim = name;
        by = point + 1;
    }
    if (!*dim) VV_TRY(time_dim(x, e, a, dim));
    return vv_pool_printf(&x->pool, what, "%s.%s", *dim, by);
}

/* x.group(basin), where basin is no part of a date but a variable, or what has been made of some. */
static bool groups_by_values(const vv_script *x, const vv_expr *e)
{
    const vv_expr *by = e->n == 2 ? e->item[1] : NULL;
    if (!by || by->key) return false;
    if (by->kind == VV_EXPR_CALL || by->kind == VV_EXPR_INDEX) return true;
    if (by->kind != VV_EXPR_NAME || vv_is_date_part(by->text)) return false;
    bool variable = x->dataset && vv_meta_find_var(x->dataset->file->meta, by->text) >= 0;
    return variable || vv_meaning_find(x, by->text);
}

static vv_status group_by_values(vv_script *x, const vv_expr *e, vv_array *a, vv_value *out)
{
    const vv_expr *by = e->item[1];
    vv_array *labels;
    const char *merged = NULL;
    VV_TRY(vv_evaluate_array(x, by, &labels));
    for (int d = 0; d < labels->shape.nd; d++) /* "lat_lon" */
        VV_TRY(vv_pool_printf(&x->pool, &merged, "%s%s%s", merged ? merged : "", merged ? "_" : "", labels->dim[d]));
    return vv_made(x, by->span, vv_group_by(a, labels, merged ? merged : ""), out);
}

vv_status vv_call_group(vv_script *x, const vv_expr *e, vv_value *out)
{
    vv_array *a;
    const char *dim, *what;
    VV_TRY(vv_first_array(x, e, &a));
    if (groups_by_values(x, e)) return group_by_values(x, e, a, out);
    VV_TRY(grouping(x, e, a, &dim, &what));
    vv_array *g = vv_group(a, what);
    if (vv_array_status(g) != VV_OK) return vv_passage_blame(x->source, e->item[1]->span);
    *out = vv_value_array(g);
    return VV_OK;
}

vv_status vv_call_resample(vv_script *x, const vv_expr *e, vv_value *out)
{
    vv_array *a;
    const char *dim, *frequency;
    bool complete = false;
    int n = 0;
    VV_TRY(vv_first_array(x, e, &a));
    vv_expr as = *e; /* without complete=true */
    VV_TRY(vv_pool_get(&x->pool, (size_t)(e->n + 1) * sizeof *as.item, &as.item));
    for (int i = 0; i < e->n; i++)
        if (e->item[i]->key && !strcmp(e->item[i]->key, "complete"))
            VV_TRY(vv_item_flag(x, e->item[i], &complete));
        else
            as.item[n++] = e->item[i];
    as.n = n;
    VV_TRY(grouping(x, &as, a, &dim, &frequency));
    vv_array *periods = vv_resample(a, dim, strrchr(frequency, '.') + 1, complete);
    if (vv_array_status(periods) != VV_OK) return vv_passage_blame(x->source, as.item[1]->span);
    *out = (vv_value){.kind = VV_VALUE_PENDING, .array = periods};
    out->pending.kind = VV_RESAMPLED;
    out->pending.name = "resample";
    out->pending.dims = dim;
    return VV_OK;
}

/* --- windows and blocks --- */

/* time=30, lat=5 among the items; what is none of the dimensions goes to `other`. */
static vv_status lengths(vv_script *x, const vv_expr *e, const vv_array *a, const char *arguments, vv_value *v,
                         vv_status (*other)(vv_script *, const vv_expr *, vv_value *, bool *))
{
    for (int i = 1; i < e->n; i++) {
        const vv_expr *item = e->item[i];
        bool known = false;
        vv_index n;
        if (!item->key)
            return vv_passage_error(x->source, item->span, VV_ERR_USAGE, "%s wants dimension=length: %s(x, time=30)",
                                    e->text, e->text);
        if (vv_dim_of(a, item->key) < 0) VV_TRY(other(x, item, v, &known));
        if (known) continue;
        if (vv_dim_of(a, item->key) < 0) {
            const char *all = arguments;
            for (int d = a->shape.nd - 1; d >= 0; d--) VV_TRY(vv_pool_printf(&x->pool, &all, "%s %s", a->dim[d], all));
            return vv_no_argument(x, e, item, all);
        }
        const char *word;
        VV_TRY(vv_item_whole(x, item, &n));
        VV_TRY(vv_pool_printf(&x->pool, &word, "%s:%lld", item->key, (long long)n));
        VV_TRY(vv_join_words(x, word, &v->pending.dims));
    }
    if (v->pending.dims) return VV_OK;
    return vv_passage_error(x->source, e->place, VV_ERR_USAGE, "%s wants dimension=length: %s(x, time=30)", e->text,
                            e->text);
}

static vv_status rolling_option(vv_script *x, const vv_expr *item, vv_value *v, bool *known)
{
    *known = true;
    if (!strcmp(item->key, "center") || !strcmp(item->key, "centered"))
        return vv_item_flag(x, item, &v->pending.centered);
    if (!strcmp(item->key, "min_periods") || !strcmp(item->key, "least"))
        return vv_item_whole(x, item, &v->pending.least);
    *known = false;
    return VV_OK;
}

static vv_status coarsen_option(vv_script *x, const vv_expr *item, vv_value *v, bool *known)
{
    *known = !strcmp(item->key, "trim");
    return *known ? vv_item_flag(x, item, &v->pending.trim) : VV_OK;
}

static int positional(const vv_expr *e)
{
    int n = 0;
    for (int i = 0; i < e->n; i++) n += !e->item[i]->key;
    return n;
}

static bool has_item(const vv_expr *e, const char *key)
{
    for (int i = 0; i < e->n; i++)
        if (e->item[i]->key && !strcmp(e->item[i]->key, key)) return true;
    return false;
}

static vv_status pending(vv_script *x, const vv_expr *e, vv_pending_kind kind, const char *name, vv_value *out)
{
    vv_array *a;
    VV_TRY(vv_first_array(x, e, &a));
    *out = (vv_value){.kind = VV_VALUE_PENDING, .array = a};
    out->pending.kind = kind;
    out->pending.name = name;
    return VV_OK;
}

vv_status vv_call_rolling(vv_script *x, const vv_expr *e, vv_value *out)
{
    if (positional(e) > 3 || has_item(e, "how")) return vv_call_registered(x, e, "rolling", out);
    VV_TRY(pending(x, e, VV_ROLLING, "rolling", out));
    return lengths(x, e, out->array, "center? min_periods?", out, rolling_option);
}

vv_status vv_call_coarsen(vv_script *x, const vv_expr *e, vv_value *out)
{
    if (positional(e) > 2 || has_item(e, "how")) return vv_call_registered(x, e, "coarsen", out);
    VV_TRY(pending(x, e, VV_COARSEN, "coarsen", out));
    return lengths(x, e, out->array, "trim?", out, coarsen_option);
}

vv_status vv_call_weighted(vv_script *x, const vv_expr *e, vv_value *out)
{
    if (positional(e) > 2 || has_item(e, "how")) return vv_call_registered(x, e, "weighted", out);
    if (e->n != 2 || e->item[1]->key)
        return vv_passage_error(x->source, e->place, VV_ERR_USAGE,
                                "weighted wants weights: x.weighted(w).mean(lat, lon)");
    VV_TRY(pending(x, e, VV_WEIGHTED, "weighted", out));
    return vv_evaluate_array(x, e->item[1], &out->pending.weights);
}

/* --- positions and labels --- */

static vv_status call_sel(vv_script *x, const vv_expr *e, vv_value *out)
{
    vv_array *a;
    VV_TRY(vv_first_array(x, e, &a));
    return vv_take_labels(x, e, a, out);
}

static vv_status call_isel(vv_script *x, const vv_expr *e, vv_value *out)
{
    vv_array *a;
    VV_TRY(vv_first_array(x, e, &a));
    return vv_take_positions(x, e, 1, a, out);
}

/* A view of the whole without the coordinates of these dimensions. */
static vv_status call_drop_labels(vv_script *x, const vv_expr *e, vv_value *out)
{
    vv_array *a;
    VV_TRY(vv_first_array(x, e, &a));
    for (int i = 1; i < e->n; i++) {
        const char *dim;
        VV_TRY(vv_item_word(x, e->item[i], &a, 1, &dim));
        vv_array *bare = vv_rename(a, dim, dim);
        if (vv_array_status(bare) != VV_OK) return vv_passage_blame(x->source, e->item[i]->span);
        vv_coord *c = &bare->coord[vv_dim_of(bare, dim)];
        vv_coord_free(c);
        *c = (vv_coord){.var = -1};
        a = bare;
    }
    *out = vv_value_array(a);
    return VV_OK;
}

/* --- two arrays --- */

static vv_status two_arrays(vv_script *x, const vv_expr *e, vv_array *in[2], const char **dims, double *ddof)
{
    if (e->n < 2 || e->item[1]->key)
        return vv_passage_error(x->source, e->place, VV_ERR_USAGE, "%s wants two arrays: %s(a, b, time)", e->text,
                                e->text);
    VV_TRY(vv_first_array(x, e, &in[0]));
    VV_TRY(vv_evaluate_array(x, e->item[1], &in[1]));
    *dims = NULL;
    for (int i = 2; i < e->n; i++) {
        const vv_expr *item = e->item[i];
        const char *word;
        if (item->key && !strcmp(item->key, "ddof") && ddof)
            VV_TRY(vv_item_real(x, item, ddof));
        else if (item->key && strcmp(item->key, "dims") != 0)
            return vv_no_argument(x, e, item, ddof ? "dims? ddof?" : "dims?");
        else {
            VV_TRY(vv_item_word(x, item, in, 2, &word));
            VV_TRY(vv_join_words(x, word, dims));
        }
    }
    return vv_node_line_up(in, 2, x->inner) == VV_OK ? VV_OK : vv_passage_blame(x->source, e->place);
}

static vv_status made_by_call(vv_script *x, const vv_expr *e, vv_array *a, vv_value *out)
{
    if (vv_array_status(a) != VV_OK) return vv_blame_call(x, e);
    *out = vv_value_array(a);
    return VV_OK;
}

static vv_status call_cov(vv_script *x, const vv_expr *e, vv_value *out)
{
    vv_array *in[2];
    const char *dims;
    double ddof = 1; /* as xarray.cov */
    VV_TRY(two_arrays(x, e, in, &dims, &ddof));
    return made_by_call(x, e, vv_cov(in[0], in[1], dims, ddof), out);
}

static vv_status call_corr(vv_script *x, const vv_expr *e, vv_value *out)
{
    vv_array *in[2];
    const char *dims;
    VV_TRY(two_arrays(x, e, in, &dims, NULL));
    return made_by_call(x, e, vv_corr(in[0], in[1], dims), out);
}

static vv_status call_dot(vv_script *x, const vv_expr *e, vv_value *out)
{
    vv_array *in[2];
    const char *dims;
    VV_TRY(two_arrays(x, e, in, &dims, NULL));
    return made_by_call(x, e, vv_dot(in[0], in[1], dims), out);
}

static vv_status call_ungroup(vv_script *x, const vv_expr *e, vv_value *out)
{
    vv_array *a;
    VV_TRY(vv_first_array(x, e, &a));
    return made_by_call(x, e, vv_ungroup(a), out);
}

static vv_status call_split_pairs(vv_script *x, const vv_expr *e, vv_value *out)
{
    vv_array *a;
    VV_TRY(vv_first_array(x, e, &a));
    return made_by_call(x, e, vv_split_pairs(a), out);
}

static vv_status call_fillna(vv_script *x, const vv_expr *e, vv_value *out)
{
    vv_value v[3], missing;
    if (e->n != 2)
        return vv_passage_error(x->source, e->place, VV_ERR_USAGE, "fillna wants an array and a value: fillna(x, 0)");
    VV_TRY(vv_evaluate(x, e->item[0], &v[2]));
    VV_TRY(vv_evaluate(x, e->item[1], &v[1]));
    VV_TRY(vv_apply(x, e->place, "isnan", &v[2], 1, &missing));
    v[0] = missing;
    return vv_apply(x, e->place, "where", v, 3, out);
}

/* NumPy's order: arange(x, stop), arange(x, start, stop), arange(x, start, stop, step); of whole numbers, unless a type is said. */
static vv_status call_arange(vv_script *x, const vv_expr *e, vv_value *out)
{
    static const char *const keys[][4] = {{"dim", "stop"}, {"dim", "start", "stop"}, {"dim", "start", "stop", "step"}};
    int n = positional(e), at = 0;
    bool whole = true;
    vv_expr as = *e, type = {.kind = VV_EXPR_TEXT, .span = e->place, .text = (char *)"i64", .key = (char *)"dtype"};
    if (n < 2 || n > 4) return vv_call_registered(x, e, "arange", out);
    VV_TRY(vv_pool_get(&x->pool, (size_t)(e->n + 1) * sizeof *as.item, &as.item));
    for (int i = 0; i < e->n; i++) {
        vv_value v;
        vv_expr *item;
        VV_TRY(vv_pool_get(&x->pool, sizeof *item, &item));
        *item = *e->item[i];
        if (!item->key) item->key = (char *)keys[n - 2][at++];
        as.item[i] = item;
        if (!strcmp(item->key, "dim") || !strcmp(item->key, "dtype")) continue;
        VV_TRY(vv_evaluate(x, item, &v));
        whole = whole && v.kind == VV_VALUE_NUMBER && v.whole;
    }
    if (whole && !has_item(&as, "dtype")) as.item[as.n++] = &type;
    return vv_call_registered(x, &as, "arange", out);
}

/* --- the list --- */

static const vv_special_function functions[] = {
    {"sel", "labels", "by labels: sel(x, lat=-30:30, time=\"1990-01\":\"1999-12\", level=~850)", 1, call_sel},
    {"isel", "positions", "by positions, as x[time=0:10]", 1, call_isel},
    {"group", "by",
     "groups: x.group(month), x.group(time.dayofyear), x.group(basin) of a variable; then statistics, or arithmetic "
     "with one "
     "value a group",
     1, vv_call_group},
    {"ungroup", "", "without groups", 1, call_ungroup},
    {"split_pairs", "", "the dimension of pairs of groups, x.group(month + hour).mean(), as two", 1, call_split_pairs},
    {"resample", "by complete?", "periods of time, for a statistic: resample(x, \"1D\").mean()", 1, vv_call_resample},
    {"rolling", "lengths center? min_periods?", "windows, for a statistic: rolling(x, time=30).mean()", 1,
     vv_call_rolling},
    {"coarsen", "lengths trim?", "blocks of neighbours, for a statistic: coarsen(x, lat=2, lon=2).mean()", 1,
     vv_call_coarsen},
    {"weighted", "weights", "weighted values, for a statistic: x.weighted(w).mean(lat, lon)", 2, vv_call_weighted},
    {"quantile", "q dims? method? window? skipna? keepdims? weights?",
     "exact quantiles; a list of them lies along a new dimension 'quantile'; of groups with a window: "
     "quantile(x.group(dayofyear), 0.9, window=5)",
     1, vv_call_quantile},
    {"percentile", "q dims? method? window? skipna? keepdims? weights?", "the same, of 100", 1, vv_call_percentile},
    {"cov", "dims? ddof?", "covariance of two arrays; ddof 1 unless said", 2, call_cov},
    {"corr", "dims?", "correlation of two arrays", 2, call_corr},
    {"dot", "dims?", "products, summed over dimensions of both", 2, call_dot},
    {"arange", "dim start? stop step? dtype?", "start, start + step ... before stop, along a new dimension", 0,
     call_arange},
    {"climate_index", "name freq? complete? base? method? threshold?",
     "a climate index of daily values by its name: climate_index(tasmax, SU), climate_index(tasmax, tasmin, DTR, "
     "freq=season); 'varve index --list' has all",
     1, vv_call_climate_index},
    {"fillna", "value", "another value where it is missing", 1, call_fillna},
    {"drop_labels", "dims", "without the coordinates of dimensions, so that arrays line up by position", 1,
     call_drop_labels},
};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

const vv_special_function *vv_special_find(const char *name)
{
    for (int i = 0; i < FUNCTIONS; i++)
        if (!strcmp(functions[i].name, name)) return &functions[i];
    return NULL;
}

bool vv_expression_function_at(int i, vv_function_info *out)
{
    if (i < 0 || i >= FUNCTIONS) return false;
    const vv_special_function *f = &functions[i];
    *out = (vv_function_info){f->name, "expression", f->arguments, f->help, f->operands, f->operands};
    return true;
}

static const char *const aliases[][2] = {
    {"abs", "absolute"},       {"pow", "power"},     {"mod", "remainder"},   {"round", "rint"},
    {"asin", "arcsin"},        {"acos", "arccos"},   {"atan", "arctan"},     {"atan2", "arctan2"},
    {"asinh", "arcsinh"},      {"acosh", "arccosh"}, {"atanh", "arctanh"},   {"ln", "log"},
    {"concat", "concatenate"}, {"isnull", "isnan"},  {"deg2rad", "radians"}, {"rad2deg", "degrees"},
    {"amin", "min"},           {"amax", "max"},      {"groupby", "group"},   {"average", "mean"},
    {"sub", "subtract"},       {"mul", "multiply"},  {"div", "divide"},      {"expand_dims", "expand"}};
enum { ALIASES = sizeof aliases / sizeof *aliases };

const char *vv_usual_name(const char *name)
{
    for (int i = 0; i < ALIASES; i++)
        if (!strcmp(aliases[i][0], name)) return aliases[i][1];
    return name;
}

const char *vv_alias(int i)
{
    return i < ALIASES ? aliases[i][0] : NULL;
}
