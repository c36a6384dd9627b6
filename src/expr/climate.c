/* Climate indices: climate_index(tasmax, SU), tasmax.climate_index(WSDI, base="1961:1990"), climate_index(tasmax, tasmin, DTR, freq=season). */
#include "expr/call.h"

#include "varve/climate.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char arguments[] = "name freq? complete? base? method? threshold?";

/* A call as it was written. */
typedef struct asked {
    const vv_expr *name; /* the item */
    vv_climate_info index;
    vv_climate_options o;
    double threshold;
    vv_array *in[VV_DAILY_KINDS];
    int n;
} asked;

static vv_status keyed(vv_script *x, const vv_expr *e, const vv_expr *item, asked *a)
{
    const struct {
        const char *key;
        const char **to;
    } words[] = {{"freq", &a->o.frequency}, {"base", &a->o.base}, {"method", &a->o.method}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(item->key, words[i].key)) return vv_item_word(x, item, NULL, 0, words[i].to);
    if (!strcmp(item->key, "complete")) return vv_item_flag(x, item, &a->o.complete);
    if (!strcmp(item->key, "threshold")) {
        a->o.threshold = &a->threshold;
        return vv_item_real(x, item, &a->threshold);
    }
    if (strcmp(item->key, "name") != 0) return vv_no_argument(x, e, item, arguments);
    a->name = item;
    return VV_OK;
}

static bool is_index(const char *name, vv_climate_info *out)
{
    for (int i = 0; vv_climate_index_at(i, out); i++)
        if (!strcasecmp(name, out->name)) return true;
    return false;
}

/* Arrays, and behind them the name: the last item without a key. */
static vv_status items(vv_script *x, const vv_expr *e, asked *a)
{
    int plain = 0, at = 0;
    for (int i = 0; i < e->n; i++) {
        if (e->item[i]->key)
            VV_TRY(keyed(x, e, e->item[i], a));
        else
            plain++;
    }
    int arrays = a->name ? plain : plain - 1;
    if (arrays < 1 || arrays > VV_DAILY_KINDS)
        return vv_passage_error(x->source, e->place, VV_ERR_USAGE,
                                "%s wants daily values and the name of an index: %s(tasmax, SU)", e->text, e->text);
    for (int i = 0; i < e->n; i++) {
        if (e->item[i]->key) continue;
        if (at++ == arrays)
            a->name = e->item[i];
        else
            VV_TRY(vv_evaluate_array(x, e->item[i], &a->in[a->n++]));
    }
    return VV_OK;
}

static vv_status find_index(vv_script *x, asked *a)
{
    const char *names[128], *name = a->name->text;
    int n = 0;
    if (a->name->kind != VV_EXPR_NAME) VV_TRY(vv_item_word(x, a->name, NULL, 0, &name));
    if (is_index(name, &a->index)) return VV_OK;
    for (; n < 128 && vv_climate_index_at(n, &a->index); n++) names[n] = a->index.name;
    const char *near = vv_nearest(name, names, n);
    return vv_passage_error(x->source, a->name->span, VV_ERR_USAGE,
                            "there is no climate index '%.60s'%s%s%s; 'varve index --list' has all", name,
                            near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* The arrays are, in this order, of the series that the index needs. */
static vv_status series(vv_script *x, const vv_expr *e, const asked *a, vv_array *daily[])
{
    char wanted[300] = "";
    int n = 0, given = 0;
    for (int k = 0; k < VV_DAILY_KINDS; k++) {
        if (!(a->index.needs & 1u << k)) continue;
        if (n++ > 0) strcat(wanted, ", ");
        strcat(wanted, vv_daily_name((vv_daily)k));
        if (given < a->n) daily[k] = a->in[given++];
    }
    if (n == a->n) return VV_OK;
    return vv_passage_error(x->source, e->place, VV_ERR_USAGE, "%s is of %s; %d array%s given", a->index.name, wanted,
                            a->n, a->n == 1 ? " was" : "s were");
}

vv_status vv_call_climate_index(vv_script *x, const vv_expr *e, vv_value *out)
{
    asked a = {.o = VV_CLIMATE_OPTIONS_INIT};
    vv_array *daily[VV_DAILY_KINDS] = {NULL};
    VV_TRY(items(x, e, &a));
    VV_TRY(find_index(x, &a));
    VV_TRY(series(x, e, &a, daily));
    if (a.o.base && !a.index.has_base)
        return vv_passage_error(x->source, e->place, VV_ERR_USAGE,
                                "%s is no index of percentiles: it has no base period", a.index.name);
    vv_array *made = vv_climate_index(a.index.name, daily, &a.o);
    if (vv_array_status(made) != VV_OK) return vv_blame_call(x, e);
    *out = vv_value_array(made);
    return VV_OK;
}
