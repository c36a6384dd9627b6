/* Delayed calls as pictures: for Graphviz, or drawn. Calls stand in columns, each right of the last of those that it uses, near the middle of them. */
#include "draw/canvas.h"
#include "session/delayed/delayed.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_DRAWN = 2000, WIDTH = 210, HEIGHT = 22, GAP_X = 60, STEP_Y = 30, MARGIN = 20, LABEL_CHARS = 34 };

/* --- what a call is called --- */

static void put_number(vv_buf *b, const vv_packed_arg *a)
{
    double x;
    memcpy(&x, &a->x, sizeof x);
    if (a->kind == VV_ARG_I64)
        vv_buf_printf(b, "%lld", (long long)a->x);
    else if (a->kind == VV_ARG_F64)
        vv_buf_printf(b, "%g", x);
    else if (a->kind == VV_ARG_BYTES)
        vv_buf_printf(b, "%lld B", (long long)a->x);
    else
        vv_buf_text(b, a->kind == VV_ARG_LIST ? "[..]" : "_");
}

/* "add(1, _)": numbers, how many bytes, and _ for what other calls give. */
static void put_label(vv_buf *b, const vv_delayed *d)
{
    char name[64];
    vv_packed_arg a;
    if (d->offer)
        vv_buf_printf(b, "chunk of %s(", d->offer->array->name);
    else
        vv_buf_printf(b, "%s(", vv_delayed_name(d, name, sizeof name));
    const char *at = d->args.data;
    for (int k = 0; k < d->head.n; k++) {
        int64_t left = 1;
        for (bool first = true; left > 0; left--, first = false) {
            at = vv_delayed_arg(at, &a);
            if (first && !(d->offer && k == 0)) {
                if (k > (d->offer ? 1 : 0)) vv_buf_text(b, ", ");
                put_number(b, &a);
            }
            if (a.kind == VV_ARG_LIST) left += a.x;
        }
    }
    vv_buf_text(b, ")");
}

/* --- for Graphviz --- */

static void dot_call(vv_buf *b, const vv_delayed *d)
{
    const char *at = NULL;
    vv_buf label = {0};
    put_label(&label, d);
    vv_buf_printf(b, "    n%lld [label=\"", (long long)d->number);
    for (const char *c = label.data; c && *c; c++) {
        if (*c == '"' || *c == '\\') vv_buf_text(b, "\\");
        vv_buf_bytes(b, (unsigned char)*c < 0x20 ? " " : c, 1);
    }
    vv_buf_printf(b, "\"%s];\n", d->impure ? ", style=dashed" : "");
    vv_buf_free(&label);
    for (int64_t number; vv_delayed_next(d, &at, &number);)
        vv_buf_printf(b, "    n%lld -> n%lld;\n", (long long)number, (long long)d->number);
}

static void dot(vv_delayed *const order[], int64_t count, vv_buf *b)
{
    vv_buf_text(b, "digraph calls {\n    rankdir=LR;\n    node [shape=box, fontname=\"sans-serif\"];\n");
    for (int64_t i = 0; i < count; i++) dot_call(b, order[i]);
    vv_buf_text(b, "}\n");
}

/* --- drawn --- */

typedef struct place {
    const vv_delayed *call;
    int column;
    double y; /* of its middle */
} place;

typedef struct picture {
    place *at; /* in an order in which inputs come first */
    int n, columns;
    int *by_number; /* of a call: its place */
    place **sorted;
    double bottom;
} picture;

static int by_column(const void *a, const void *b)
{
    const place *x = *(place *const *)a, *y = *(place *const *)b;
    if (x->column != y->column) return x->column - y->column;
    if (x->y < y->y || y->y < x->y) return x->y < y->y ? -1 : 1;
    return (x > y) - (x < y);
}

/* Where it would like to be: in the middle of its inputs. */
static double middle(const picture *g, const place *p)
{
    double sum = 0;
    int n = 0;
    const char *at = NULL;
    for (int64_t number; vv_delayed_next(p->call, &at, &number); n++) sum += g->at[g->by_number[number]].y;
    return n > 0 ? sum / n : (double)(p - g->at);
}

static void lay_out(picture *g)
{
    for (int i = 0; i < g->n; i++) {
        place *p = &g->at[i];
        const char *at = NULL;
        for (int64_t number; vv_delayed_next(p->call, &at, &number);)
            p->column = (int)vv_imax(p->column, g->at[g->by_number[number]].column + 1);
        g->columns = (int)vv_imax(g->columns, p->column + 1);
        g->sorted[i] = p;
    }
    for (int column = 0; column < g->columns; column++) {
        double free_from = MARGIN + HEIGHT / 2.0;
        for (int i = 0; i < g->n; i++)
            if (g->at[i].column == column) g->at[i].y = middle(g, &g->at[i]);
        qsort(g->sorted, (size_t)g->n, sizeof *g->sorted, by_column);
        for (int i = 0; i < g->n; i++) {
            place *p = g->sorted[i];
            if (p->column != column) continue;
            p->y = column > 0 && p->y > free_from ? p->y : free_from;
            free_from = p->y + STEP_Y;
            if (free_from > g->bottom) g->bottom = free_from;
        }
    }
}

static double left_of(const place *p)
{
    return MARGIN + p->column * (double)(WIDTH + GAP_X);
}

static void draw_lines(vv_canvas *c, const picture *g, const place *p)
{
    const vv_line line = {1, vv_rgb_hex(0x9aa3ad), 1};
    const char *at = NULL;
    for (int64_t number; vv_delayed_next(p->call, &at, &number);) {
        const place *from = &g->at[g->by_number[number]];
        vv_draw_segment(c, left_of(from) + WIDTH, from->y, left_of(p), p->y, &line);
    }
}

static void draw_dashes(vv_canvas *c, double x, double y, const vv_line *line)
{
    enum { DASH = 5 };
    for (int from = 0; from < WIDTH; from += 2 * DASH) {
        int to = from + DASH < WIDTH ? from + DASH : WIDTH;
        vv_draw_segment(c, x + from, y, x + to, y, line);
        vv_draw_segment(c, x + from, y + HEIGHT, x + to, y + HEIGHT, line);
    }
    vv_draw_segment(c, x, y, x, y + HEIGHT, line);
    vv_draw_segment(c, x + WIDTH, y, x + WIDTH, y + HEIGHT, line);
}

static void draw_call(vv_canvas *c, const place *p)
{
    const vv_font font = {11, false, false, vv_rgb_hex(0x222222)};
    const vv_line area = {0, vv_rgb_hex(p->call->offer ? 0xd3eed3 : 0xcfe3f7), 1},
                  border = {1, vv_rgb_hex(0x888888), 1};
    double x = left_of(p), y = p->y - HEIGHT / 2.0;
    vv_buf label = {0};
    put_label(&label, p->call);
    vv_draw_rect(c, x, y, WIDTH, HEIGHT, &area);
    if (p->call->impure)
        draw_dashes(c, x, y, &border);
    else
        vv_draw_rect(c, x, y, WIDTH, HEIGHT, &border);
    if (label.size > LABEL_CHARS) memcpy(label.data + LABEL_CHARS - 2, "..", 3);
    if (label.data) c->kind->text(c, x + 6, p->y + 4, label.data, &font, VV_ANCHOR_LEFT);
    vv_buf_free(&label);
}

static vv_status draw_on(picture *g, const char *path, vv_buf *out)
{
    vv_canvas c = {.scale = 1, .title = "delayed calls"};
    VV_TRY(vv_canvas_kind_of(path, &c.kind));
    lay_out(g);
    c.width = 2.0 * MARGIN + g->columns * (double)(WIDTH + GAP_X) - GAP_X;
    c.height = g->bottom + MARGIN - (STEP_Y - HEIGHT / 2.0);
    const vv_line paper = {0, vv_rgb_hex(0xffffff), 1};
    VV_TRY(c.kind->open(&c));
    vv_draw_rect(&c, 0, 0, c.width, c.height, &paper);
    for (int i = 0; i < g->n; i++) draw_lines(&c, g, &g->at[i]);
    for (int i = 0; i < g->n; i++) draw_call(&c, &g->at[i]);
    vv_status status = c.kind->close(&c);
    *out = c.out;
    return status;
}

static vv_status draw(vv_delayed *const order[], int64_t count, const char *path, vv_buf *out)
{
    picture g = {.n = (int)count};
    if (count > MOST_DRAWN)
        return vv_fail(VV_ERR_USAGE, "%lld delayed calls are no picture: at most %d can be drawn; .dot takes more",
                       (long long)count, MOST_DRAWN);
    int64_t numbers = count > 0 ? order[0]->session->calls->n : 0;
    vv_status status = vv_new(&g.at, (size_t)count + 1, sizeof *g.at);
    if (status == VV_OK) status = vv_new(&g.sorted, (size_t)count + 1, sizeof *g.sorted);
    if (status == VV_OK) status = vv_new(&g.by_number, (size_t)numbers + 1, sizeof *g.by_number);
    if (status == VV_OK) {
        for (int i = 0; i < g.n; i++) {
            g.at[i].call = order[i];
            g.by_number[order[i]->number] = i;
        }
        status = draw_on(&g, path, out);
    }
    free(g.at);
    free(g.sorted);
    free(g.by_number);
    return status;
}

vv_status vv_delayed_visualise(vv_delayed *const d[], int n, const char *path)
{
    vv_delayed **order;
    int64_t count;
    vv_buf b = {0};
    const char *end = strrchr(path, '.');
    VV_TRY(vv_delayed_order(d, n, &order, &count));
    vv_status status = VV_OK;
    if (end && (!strcmp(end, ".dot") || !strcmp(end, ".gv")))
        dot(order, count, &b);
    else
        status = draw(order, count, path, &b);
    free(order);
    if (status == VV_OK) status = vv_buf_status(&b);
    if (status == VV_OK) status = vv_write_file(path, b.data, b.size);
    vv_buf_free(&b);
    return status;
}
