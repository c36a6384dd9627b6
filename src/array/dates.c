/* Times by parts of their dates: 'month=6:8', 'season=DJF', 'hour=0,12'. */
#include "array/build.h"

#include "varve/move.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Stretches of keys, both ends included; one whose end is before its begin goes over the turn. */
typedef struct stretch {
    long long first, last;
} stretch;

enum { MOST = 64 };

typedef struct wanted {
    const char *part, *what;
    bool turns; /* after the last one comes the first one */
    int n;
    stretch at[MOST];
} wanted;

static vv_status not_understood(const wanted *w)
{
    return vv_fail(VV_ERR_USAGE, "%s=%s: %s", w->part, w->what,
                   !strcmp(w->part, "season")
                       ? "a season is a row of months by their first letters, such as DJF or JJAS"
                       : "whole numbers and ranges are written 6, 6:8 or 1,4,7,10");
}

/* The months of "JJAS": the only place where these letters stand in a row of years. */
static vv_status read_season(wanted *w, const char *text, size_t length)
{
    static const char months[] = "JFMAMJJASONDJFMAMJJASOND";
    char name[13] = "";
    int found = -1;
    if (length < 2 || length > 12) return not_understood(w);
    for (size_t i = 0; i < length; i++) name[i] = (char)toupper((unsigned char)text[i]);
    for (int m = 0; m < 12; m++) {
        if (strncmp(months + m, name, length) != 0) continue;
        if (found >= 0) return not_understood(w);
        found = m;
    }
    if (found < 0) return not_understood(w);
    w->at[w->n++] = (stretch){found + 1, (found + (int)length - 1) % 12 + 1};
    if (length == 12) w->at[w->n - 1] = (stretch){1, 12};
    return VV_OK;
}

static vv_status read_stretch(wanted *w, const char *text, size_t length)
{
    char *end;
    stretch s;
    s.first = s.last = strtoll(text, &end, 10);
    if (end == text) return not_understood(w);
    if (*end == ':') {
        const char *second = end + 1;
        s.last = strtoll(second, &end, 10);
        if (end == second) return not_understood(w);
    }
    if (end != text + length || (!w->turns && s.last < s.first)) return not_understood(w);
    w->at[w->n++] = s;
    return VV_OK;
}

static vv_status read_wanted(wanted *w)
{
    bool season = !strcmp(w->part, "season");
    for (const char *at = w->what;; at++) {
        size_t length = strcspn(at, ",");
        if (w->n == MOST) return vv_fail(VV_ERR_USAGE, "%s=%s: more than %d ranges", w->part, w->what, MOST);
        VV_TRY((season ? read_season : read_stretch)(w, at, length));
        at += length;
        if (!*at) return VV_OK;
    }
}

static bool is_wanted(const wanted *w, vv_index key)
{
    for (int i = 0; i < w->n; i++) {
        const stretch *s = &w->at[i];
        bool after = key >= s->first, before = key <= s->last;
        if (s->first <= s->last ? after && before : after || before) return true;
    }
    return false;
}

static vv_status choose(const vv_array *a, int d, wanted *w, bool keep[])
{
    vv_table *key;
    bool any = false;
    VV_TRY(read_wanted(w));
    VV_TRY(vv_date_part_keys(a, d, !strcmp(w->part, "season") ? "month" : w->part, &key));
    for (vv_index i = 0; i < key->n; i++) {
        keep[i] = key->at[i] != VV_INDEX_MAX && is_wanted(w, key->at[i]);
        any = any || keep[i];
    }
    vv_table_free(&key);
    return any ? VV_OK
               : vv_fail(VV_ERR_NOT_FOUND, "'%s' has no times along '%s' with %s=%s", a->name, a->dim[d], w->part,
                         w->what);
}

vv_array *vv_select_dates(vv_array *a, const char *dim, const char *part, const char *what)
{
    int d;
    bool *keep;
    wanted w = {.part = part, .what = what, .turns = strcmp(part, "year") != 0};
    if (vv_array_status(a) != VV_OK || vv_node_find_dim(a, dim, &d) != VV_OK) return vv_node_inert(a->context);
    vv_index n = a->shape.n[d];
    if (vv_new(&keep, (size_t)n + 1, sizeof *keep) != VV_OK) return vv_node_inert(a->context);
    vv_array *made = choose(a, d, &w, keep) == VV_OK ? vv_compress(a, dim, keep, n) : vv_node_inert(a->context);
    free(keep);
    return made;
}
