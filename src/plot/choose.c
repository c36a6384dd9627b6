/* Which dimensions of an array are drawn, and what becomes of the others: one can have a panel for each position, one of few positions a line each; of the rest
 * the first position is taken, which is told. */
#include "plot/shown.h"

#include "base/mem.h"
#include "varve/move.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int find_dim(const vv_array *a, const char *name)
{
    for (int d = 0; d < a->shape.nd; d++)
        if (!strcmp(a->dim[d], name)) return d;
    return -1;
}

static vv_status no_dim(const vv_array *a, const char *name, const char *what)
{
    const char *names[VV_MAX_DIMS];
    vv_buf all = {0};
    for (int d = 0; d < a->shape.nd; d++) {
        names[d] = a->dim[d];
        vv_buf_printf(&all, "%s%s", d ? ", " : "", a->dim[d]);
    }
    const char *near = vv_nearest(name, names, a->shape.nd);
    vv_status status =
        vv_fail(VV_ERR_SHAPE, "'%s' has no dimension '%s' for %s%s%s%s; it has %s", a->name, name, what,
                near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "", a->shape.nd ? all.data : "none");
    vv_buf_free(&all);
    return status;
}

/* --- selections --- */

/* How long a selection is with the values behind commas that belong to it: "level=850,500" of "level=850,500,time=1990". */
static size_t selection_length(const char *text)
{
    size_t length = strcspn(text, ",");
    while (text[length] == ',') {
        size_t next = strcspn(text + length + 1, ",=");
        if (text[length + 1 + next] == '=') break;
        length += 1 + next;
    }
    return length;
}

/* Along a dimension, where the array has it; or by a part of dates: season=JJA. */
static vv_status select_one(vv_array **a, const char *name, const char *what, bool known)
{
    if (find_dim(*a, name) >= 0) {
        *a = vv_select(*a, name, what);
    } else if (!known && vv_is_date_part(name)) {
        for (int d = 0; d < (*a)->shape.nd; d++)
            if (vv_plot_direction(*a, d) == VV_ALONG_TIME) {
                *a = vv_select_dates(*a, (*a)->dim[d], name, what);
                break;
            }
    } else if (!known) {
        return no_dim(*a, name, "a selection");
    }
    return vv_array_status(*a);
}

/* "time=1990-01,level=850,500": along each dimension that the array has. */
static vv_status select_parts(const char *text, vv_array **a, const char *const all_dims[], int n_dims)
{
    while (*text) {
        char dim[256];
        size_t length = selection_length(text), name = strcspn(text, "=");
        if (name == 0 || name >= length || name >= sizeof dim || name + 1 == length)
            return vv_fail(VV_ERR_USAGE, "a selection is DIM=WHAT, such as time=1990-01 or level=850, not '%.*s'",
                           (int)length, text);
        snprintf(dim, sizeof dim, "%.*s", (int)name, text);
        char *what = strndup(text + name + 1, length - name - 1);
        if (!what) return vv_fail(VV_ERR_NOMEM, "no memory for a selection");
        bool known = false;
        for (int i = 0; i < n_dims; i++) known = known || !strcmp(all_dims[i], dim);
        vv_status status = select_one(a, dim, what, known);
        free(what);
        VV_TRY(status);
        text += length + (text[length] == ',');
    }
    return VV_OK;
}

/* --- which dimensions --- */

typedef struct choice {
    int y, x;           /* along the axes; y -1: one is drawn; both -1: none, all elements count */
    int panels, series; /* -1: none */
} choice;

/* Better ones for a picture of two dimensions have greater numbers. */
static int worth(vv_direction one, vv_direction other)
{
    static const int pair[5][5] = {
        /* other, lon, lat, level, time */
        {1, 2, 2, 2, 3}, {2, 0, 9, 7, 6}, {2, 9, 0, 8, 6}, {2, 7, 8, 0, 5}, {3, 6, 6, 5, 0},
    };
    return pair[one][other];
}

static void choose_pair(const vv_array *a, choice *c)
{
    int best = -1;
    for (int i = 0; i < a->shape.nd; i++)
        for (int k = i + 1; k < a->shape.nd; k++) {
            if (i == c->panels || k == c->panels || a->shape.n[i] < 2 || a->shape.n[k] < 2) continue;
            int value = worth(vv_plot_direction(a, i), vv_plot_direction(a, k));
            if (value < best) continue;
            best = value;
            c->y = i;
            c->x = k;
        }
}

static void choose_one(const vv_array *a, choice *c)
{
    for (int d = 0; d < a->shape.nd; d++) {
        if (d == c->panels) continue;
        bool time = vv_plot_direction(a, d) == VV_ALONG_TIME && a->shape.n[d] > 1;
        bool longer = c->x < 0 || (a->shape.n[d] > a->shape.n[c->x] && vv_plot_direction(a, c->x) != VV_ALONG_TIME);
        if (time || longer) c->x = d;
    }
}

/* Longitude to the right, latitude and levels upwards; against time, latitude and levels still, and longitude is under it. */
static void orient(const vv_array *a, choice *c)
{
    static const int right[] = {
        [VV_ALONG_LEVEL] = 0, [VV_ALONG_OTHER] = 1, [VV_ALONG_LAT] = 2, [VV_ALONG_TIME] = 3, [VV_ALONG_LON] = 4};
    vv_direction y = vv_plot_direction(a, c->y), x = vv_plot_direction(a, c->x);
    if (right[y] <= right[x]) return;
    int swap = c->y;
    c->y = c->x;
    c->x = swap;
}

static vv_status named_dims(const vv_array *a, const char *dims, choice *c)
{
    int found[2], n = 0;
    for (const char *at = dims; *at;) {
        char name[256];
        size_t length = strcspn(at, ",");
        snprintf(name, sizeof name, "%.*s", (int)length, at);
        if (n == 2) return vv_fail(VV_ERR_USAGE, "a picture has one or two dimensions along its axes, not '%s'", dims);
        found[n] = find_dim(a, name);
        if (found[n] < 0) return no_dim(a, name, "an axis");
        if (n == 1 && found[0] == found[1]) return vv_fail(VV_ERR_USAGE, "'%s' names a dimension twice", dims);
        n++;
        at += length + (at[length] == ',');
    }
    c->x = n == 2 ? found[1] : found[0];
    c->y = n == 2 ? found[0] : -1;
    if (n == 2) orient(a, c);
    return VV_OK;
}

static int longer_dims(const vv_array *a, int except)
{
    int n = 0;
    for (int d = 0; d < a->shape.nd; d++) n += d != except && a->shape.n[d] > 1;
    return n;
}

/* A few series of one time, of members or stations: lines rather than colours. */
static bool is_bundle(const vv_array *a, int except)
{
    bool time = false, few = false;
    for (int d = 0; d < a->shape.nd; d++) {
        if (d == except || a->shape.n[d] < 2) continue;
        vv_direction way = vv_plot_direction(a, d);
        time = time || way == VV_ALONG_TIME;
        few = few || (way == VV_ALONG_OTHER && a->shape.n[d] <= VV_PLOT_LINES);
    }
    return time && few;
}

static vv_status choose_dims(const vv_plotting *p, const vv_array *a, choice *c)
{
    const vv_plot_options *o = p->o;
    vv_plot_grid grid;
    *c = (choice){-1, -1, -1, -1};
    if (o->panels && (c->panels = find_dim(a, o->panels)) < 0) return no_dim(a, o->panels, "panels");
    if (o->kind == VV_PLOT_HISTOGRAM) return VV_OK;
    int n = longer_dims(a, c->panels);
    if (o->dims && *o->dims) {
        VV_TRY(named_dims(a, o->dims, c));
    } else if (n == 0) {
        return vv_fail(VV_ERR_SHAPE, "'%s' is a single value: there is nothing to draw", a->name);
    } else if (o->kind != VV_PLOT_LINE && vv_plot_find_grid(a, &grid) && grid.y != c->panels && grid.x != c->panels) {
        c->y = grid.y;
        c->x = grid.x;
    } else if (o->kind == VV_PLOT_LINE || n == 1 || (o->kind == VV_PLOT_AUTO && n == 2 && is_bundle(a, c->panels))) {
        choose_one(a, c);
    } else {
        choose_pair(a, c);
        orient(a, c);
    }
    if (o->kind == VV_PLOT_MAP && c->y < 0)
        return vv_fail(VV_ERR_SHAPE, "'%s' has one dimension to draw, a map has two", a->name);
    if (o->kind == VV_PLOT_LINE && c->y >= 0)
        return vv_fail(VV_ERR_USAGE, "a line is drawn along one dimension, not along '%s'", o->dims);
    for (int d = 0; d < a->shape.nd && c->y < 0; d++) /* a line for each of few */
        if (d != c->x && d != c->panels && a->shape.n[d] > 1 && a->shape.n[d] <= VV_PLOT_LINES && n <= 2) c->series = d;
    return VV_OK;
}

/* --- items --- */

static vv_status add_item(vv_plotting *p, vv_shown **out)
{
    if (p->n == p->room) {
        int room = p->room ? 2 * p->room : 8;
        vv_shown *more = realloc(p->item, (size_t)room * sizeof *more);
        if (!more) return vv_fail(VV_ERR_NOMEM, "no memory for a list of panels");
        p->item = more;
        p->room = room;
    }
    *out = &p->item[p->n++];
    **out = (vv_shown){.factor = {1, 1}};
    return VV_OK;
}

static void append_place(char **to, char *more)
{
    char *all = NULL;
    if (!*to || !more) {
        if (!*to) *to = more;
        return;
    }
    if (asprintf(&all, "%s, %s", *to, more) < 0) all = NULL;
    free(*to);
    free(more);
    *to = all;
}

/* The array with one position of every dimension that is not drawn, its own in the order of the axes. */
static vv_status take(const vv_array *a, const choice *c, vv_index panel, vv_index line, vv_shown *s)
{
    vv_array *x = s->source;
    bool all = c->x < 0;
    for (int d = 0; d < a->shape.nd; d++) {
        if (d == c->x || d == c->y) continue;
        vv_index at = d == c->panels ? panel : d == c->series ? line : 0;
        if (d == c->panels)
            s->panel_place = vv_plot_place_text(a, d, at, false);
        else if (d == c->series)
            s->series_place = vv_plot_place_text(a, d, at, false);
        else if (all)
            continue;
        else
            append_place(&s->place, vv_plot_place_text(a, d, at, true));
        x = vv_at(x, a->dim[d], at);
    }
    if (c->y >= 0 && c->x >= 0 && c->y > c->x) {
        char order[600];
        snprintf(order, sizeof order, "%s,%s", a->dim[c->y], a->dim[c->x]);
        x = vv_transpose(x, order);
    }
    s->array = x;
    return vv_array_status(x);
}

static bool same_text(const char *a, const char *b)
{
    return !strcmp(a ? a : "", b ? b : "");
}

/* Lines share a panel where they are of one panel's position, along the same dimension, in the same units. */
static bool together(const vv_shown *a, const vv_shown *b)
{
    bool dims = a->array->shape.nd == b->array->shape.nd &&
                (a->array->shape.nd != 1 || !strcmp(a->array->dim[0], b->array->dim[0]));
    return dims && same_text(a->panel_place, b->panel_place) &&
           same_text(vv_attr_text(&a->source->attrs, "units"), vv_attr_text(&b->source->attrs, "units"));
}

static void find_panel(vv_plotting *p, vv_shown *s, bool field)
{
    s->panel = p->n_panels;
    int lines = 0;
    for (int i = 0; i < p->n - 1 && !field; i++)
        if (together(&p->item[i], s)) {
            s->panel = p->item[i].panel;
            lines++;
        }
    if (lines >= VV_PLOT_LINES) s->panel = p->n_panels;
    if (s->panel == p->n_panels) p->n_panels++;
}

static vv_status check_panels(const vv_plotting *p, const vv_array *a, const choice *c)
{
    vv_index n = c->panels < 0 ? 1 : a->shape.n[c->panels];
    if (n <= VV_PLOT_PANELS) return VV_OK;
    return vv_fail(VV_ERR_USAGE,
                   "'%s' has %lld positions along '%s', more than the %d panels that a picture has room for; select "
                   "some, such as %s=#0:12, or %s=#::%lld",
                   a->name, (long long)n, p->o->panels, VV_PLOT_PANELS, p->o->panels, p->o->panels,
                   (long long)(n - 1) / 12 + 1);
}

static vv_status choose_array(vv_plotting *p, vv_array *a, const char *name)
{
    choice c;
    if (a->text != VV_TEXT_NOT || a->dtype == VV_C64 || a->dtype == VV_C128)
        return vv_fail(VV_ERR_TYPE, "'%s' is %s, which has no picture%s", a->name, a->text ? "text" : "complex",
                       a->text ? "" : "; draw absolute(x), real(x) or imag(x) of it");
    VV_TRY(choose_dims(p, a, &c));
    VV_TRY(check_panels(p, a, &c));
    vv_index panels = c.panels < 0 ? 1 : a->shape.n[c.panels], lines = c.series < 0 ? 1 : a->shape.n[c.series];
    for (vv_index i = 0; i < panels; i++)
        for (vv_index k = 0; k < lines; k++) {
            vv_shown *s = NULL;
            VV_TRY(add_item(p, &s));
            s->source = a;
            s->name = name;
            VV_TRY(take(a, &c, i, k, s));
            bool curved = c.y >= 0 && vv_plot_find_grid(a, &s->grid) && s->grid.y == c.y && s->grid.x == c.x;
            if (!curved) s->grid.lat = -1;
            find_panel(p, s, c.y >= 0);
        }
    vv_plot_kind kind = c.x < 0 ? VV_PLOT_HISTOGRAM : c.y < 0 ? VV_PLOT_LINE : VV_PLOT_MAP;
    if (p->kind != VV_PLOT_AUTO && p->kind != kind)
        return vv_fail(VV_ERR_SHAPE, "'%s' is drawn as a %s, what is before it as a %s: they do not fit in one picture",
                       a->name, kind == VV_PLOT_LINE ? "line" : "map", kind == VV_PLOT_LINE ? "map" : "line");
    p->kind = kind;
    return VV_OK;
}

static int by_panel(const void *a, const void *b)
{
    const vv_shown *x = a, *y = b;
    return (x->panel > y->panel) - (x->panel < y->panel);
}

/* Names of all dimensions that some array has: what a selection may name. */
static int all_dims(vv_array *const arrays[], int n, const char *out[], int room)
{
    int found = 0;
    for (int i = 0; i < n; i++)
        for (int d = 0; d < arrays[i]->shape.nd && found < room; d++) out[found++] = arrays[i]->dim[d];
    return found;
}

vv_status vv_plot_choose(vv_plotting *p, vv_array *const arrays[], const char *const names[], int n)
{
    enum { MOST = 1024 };
    const char *dims[MOST];
    p->n_arrays = n;
    if (n < 1) return vv_fail(VV_ERR_USAGE, "there is nothing to draw");
    for (int i = 0; i < n; i++) VV_TRY(vv_array_status(arrays[i]));
    int n_dims = all_dims(arrays, n, dims, MOST);
    for (int i = 0; i < n; i++) {
        vv_array *a = arrays[i];
        if (p->o->select) VV_TRY(select_parts(p->o->select, &a, dims, n_dims));
        VV_TRY(choose_array(p, a, names && names[i] ? names[i] : arrays[i]->name));
    }
    if (p->n_panels > VV_PLOT_PANELS)
        return vv_fail(VV_ERR_USAGE, "%d panels are more than the %d that a picture has room for", p->n_panels,
                       VV_PLOT_PANELS);
    qsort(p->item, (size_t)p->n, sizeof *p->item, by_panel);
    return VV_OK;
}

void vv_plotting_free(vv_plotting *p)
{
    for (int i = 0; i < p->n; i++) {
        vv_shown *s = &p->item[i];
        free(s->place);
        free(s->panel_place);
        free(s->series_place);
        free(s->edge);
        for (int k = 0; k < 3; k++) free(s->value[k]);
    }
    free(p->item);
}
