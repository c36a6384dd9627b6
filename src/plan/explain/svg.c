/* A picture of a plan: steps as boxes in columns, one column behind the last of the steps it takes elements from; lines say how elements get
 * from one to the next. The order within a column follows the boxes that a box is connected to, so that few lines cross. */
#include "plan/explain/explain.h"

#include <stdlib.h>
#include <string.h>

enum {
    WIDTH = 262,
    HEIGHT = 122,
    GAP_X = 92,
    GAP_Y = 30,
    MARGIN_X = 28,
    TOP = 84,
    BOTTOM = 62,
    LINE_CHARS = 38,
    SWEEPS = 4
};

typedef struct node {
    int column, row;
    double place; /* where it would like to be among its column */
} node;

typedef struct picture {
    const vv_explained *x;
    node *node; /* by step */
    int *order; /* steps, sorted */
    int columns, rows;
    double slowest;
} picture;

static const struct {
    const char *fill, *line;
} colour[] = {{"#e8f1fb", "#3b78b5"},
              {"#eaf6ea", "#3f8f46"},
              {"#fdf1df", "#c07c1b"},
              {"#f3eafa", "#7d4fa3"},
              {"#f1f1f1", "#666666"}};

/* --- layout --- */

/* Calls back for every step that step i takes elements from, once for every input. */
typedef void visit_input(picture *g, int from, int to, int input, void *context);

static void each_input(picture *g, int i, visit_input *visit, void *context)
{
    const vv_step *s = &g->x->plan->step[i];
    if (vv_step_delivers(s)) visit(g, s->from, i, -1, context);
    for (int k = 0; k < s->n_inputs; k++)
        for (int j = 0; j < s->input[k].n_parts; j++)
            if (j == 0 || s->input[k].part[j].from != s->input[k].part[j - 1].from)
                visit(g, s->input[k].part[j].from, i, k, context);
}

static void push_right(picture *g, int from, int to, int input, void *context)
{
    (void)input;
    (void)context;
    if (g->node[to].column <= g->node[from].column) g->node[to].column = g->node[from].column + 1;
}

typedef struct pull {
    double sum[2]; /* rows of what a step is connected to, and how many; by step */
} pull;

static void attract(picture *g, int from, int to, int input, void *context)
{
    pull *p = context;
    (void)input;
    p[to].sum[0] += g->node[from].row;
    p[to].sum[1]++;
    p[from].sum[0] += g->node[to].row;
    p[from].sum[1]++;
}

static picture *sorting; /* qsort has no context */

static int by_place(const void *a, const void *b)
{
    const node *x = &sorting->node[*(const int *)a], *y = &sorting->node[*(const int *)b];
    if (x->column != y->column) return x->column - y->column;
    if (x->place != y->place) return x->place < y->place ? -1 : 1;
    return *(const int *)a - *(const int *)b;
}

static void number_rows(picture *g)
{
    int n = g->x->plan->n_steps, row = 0;
    sorting = g;
    qsort(g->order, (size_t)n, sizeof *g->order, by_place);
    g->rows = 1;
    for (int i = 0; i < n; i++) {
        node *at = &g->node[g->order[i]];
        row = i > 0 && g->node[g->order[i - 1]].column == at->column ? row + 1 : 0;
        at->row = row;
        if (row >= g->rows) g->rows = row + 1;
    }
}

/* What is read stands right before its first user. */
static void pull_reads(picture *g, int from, int to, int input, void *context)
{
    int *nearest = context;
    (void)input;
    if (nearest[from] == 0 || g->node[to].column < nearest[from]) nearest[from] = g->node[to].column;
}

static vv_status lay_out(picture *g)
{
    int n = g->x->plan->n_steps, *nearest;
    pull *p;
    for (int i = 0; i < n; i++) each_input(g, i, push_right, NULL);
    VV_TRY(vv_new(&nearest, (size_t)n + 1, sizeof *nearest));
    for (int i = 0; i < n; i++) each_input(g, i, pull_reads, nearest);
    for (int i = 0; i < n; i++) {
        if (g->x->plan->step[i].op == VV_STEP_READ && nearest[i] > 0) g->node[i].column = nearest[i] - 1;
        if (g->node[i].column >= g->columns) g->columns = g->node[i].column + 1;
        g->order[i] = i;
        g->node[i].place = i;
    }
    free(nearest);
    number_rows(g);
    VV_TRY(vv_new(&p, (size_t)n + 1, sizeof *p));
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        memset(p, 0, sizeof *p * (size_t)n);
        for (int i = 0; i < n; i++) each_input(g, i, attract, p);
        for (int i = 0; i < n; i++) g->node[i].place = p[i].sum[1] > 0 ? p[i].sum[0] / p[i].sum[1] : g->node[i].row;
        number_rows(g);
    }
    free(p);
    return VV_OK;
}

static double left(const node *n)
{
    return MARGIN_X + n->column * (double)(WIDTH + GAP_X);
}

/* Short columns stand in the middle. */
static double top(const picture *g, const node *n)
{
    int rows = 0;
    for (int i = 0; i < g->x->plan->n_steps; i++) rows += g->node[i].column == n->column;
    return TOP + (n->row + 0.5 * (g->rows - rows)) * (HEIGHT + GAP_Y);
}

/* --- drawing --- */

static void escaped(vv_buf *b, const char *text, size_t longest)
{
    size_t n = strlen(text), end = n > longest ? longest - 1 : n;
    for (size_t i = 0; i < end; i++) switch (text[i]) {
        case '<': vv_buf_text(b, "&lt;"); break;
        case '>': vv_buf_text(b, "&gt;"); break;
        case '&': vv_buf_text(b, "&amp;"); break;
        default: vv_buf_bytes(b, (unsigned char)text[i] < 0x20 ? " " : &text[i], 1);
        }
    if (end < n) vv_buf_text(b, "\xe2\x80\xa6");
}

static void text_at(vv_buf *b, double x, double y, const char *class, const char *text, size_t longest)
{
    vv_buf_printf(b, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">", x, y, class);
    escaped(b, text, longest);
    vv_buf_text(b, "</text>\n");
}

static void draw_edge(picture *g, int from, int to, int input, void *context)
{
    vv_buf *b = context;
    const node *f = &g->node[from], *t = &g->node[to];
    double x0 = left(f) + WIDTH, y0 = top(g, f) + HEIGHT / 2.0, x1 = left(t), y1 = top(g, t) + HEIGHT / 2.0;
    const vv_step *s = &g->x->plan->step[to];
    if (input >= 0 && s->n_inputs > 1) y1 += (input - 0.5 * (s->n_inputs - 1)) * 14;
    double bend = (x1 - x0) * 0.5, sag = t->column - f->column > 1 ? 112 : 0; /* below what stands between */
    vv_buf_printf(b, "<path d=\"M%.1f %.1f C%.1f %.1f %.1f %.1f %.1f %.1f\" class=\"e%s\" marker-end=\"url(#tip)\"/>\n",
                  x0, y0, x0 + bend, y0 + sag, x1 - bend, y1 + sag, x1 - 3, y1,
                  input >= 0 && s->input[input].access == VV_ACCESS_PUSH ? " push" : "");
}

/* "0 same chunk, 4 broadcast": how elements of other steps are seen. */
static void line_of_maps(const vv_plan *p, const vv_step *s, vv_buf *b)
{
    for (int k = 0; k < s->n_inputs; k++) {
        if (s->input[k].n_parts == 0) continue;
        vv_buf_printf(b, "%s%d: ", k ? "; " : "from ", s->input[k].part[0].from);
        vv_explain_map(p, s, k, b);
    }
}

static void line_of_grid(const vv_step *s, const vv_step_cost *c, vv_buf *b)
{
    vv_explain_dims(b, &s->grid, false);
    if (c->tasks > 0)
        vv_buf_printf(b, "  %lld tasks", (long long)c->tasks);
    else
        vv_buf_printf(b, "  %lld chunks", (long long)vv_grid_chunks(&s->grid));
}

static void line_of_bytes(const vv_step *s, const vv_step_cost *c, vv_buf *b)
{
    char t[32];
    vv_bytes read = vv_step_computes(s) ? c->tally.read : c->read;
    if (read > 0) vv_buf_printf(b, "reads %s", vv_bytes_text(read, t));
    if (c->wanted > 0) vv_buf_printf(b, " (x %.2f)", vv_explain_amplification(c));
    if (c->moved > 0) vv_buf_printf(b, "%smoves %s", b->size ? ", " : "", vv_bytes_text(c->moved, t));
    if (c->written > 0) vv_buf_printf(b, "%swrites %s", b->size ? ", " : "", vv_bytes_text(c->written, t));
}

static void draw_lines(picture *g, int i, double x, double y, vv_buf *b)
{
    const vv_step *s = &g->x->plan->step[i];
    const vv_step_cost *c = &g->x->cost->step[i];
    char t[32];
    vv_buf line[5] = {0};
    line_of_maps(g->x->plan, s, &line[0]);
    line_of_grid(s, c, &line[1]);
    line_of_bytes(s, c, &line[2]);
    if (c->memory > 0) vv_buf_printf(&line[3], "memory %s", vv_bytes_text(c->memory, t));
    double seconds = g->x->model ? vv_seconds_sum(&g->x->model->step[i]) : 0;
    if (seconds > 0) vv_buf_printf(&line[3], "%s%s", line[3].size ? ", " : "", vv_seconds_text(seconds, t));
    if (s->why) vv_buf_text(&line[4], s->why);
    for (int k = 0, at = 0; k < 5; k++) {
        static const char *const class[] = {"map", "l", "l", "l", "why"};
        if (line[k].size > 0) text_at(b, x + 12, y + 41 + 16 * at++, class[k], line[k].data, k % 4 ? LINE_CHARS : 46);
        vv_buf_free(&line[k]);
    }
    if (seconds > 0 && g->slowest > 0)
        vv_buf_printf(b, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"4\" fill=\"%s\" rx=\"2\"/>\n", x + 12,
                      y + HEIGHT - 9, (WIDTH - 24) * seconds / g->slowest, colour[s->op].line);
}

static void draw_step(picture *g, int i, vv_buf *b)
{
    const vv_step *s = &g->x->plan->step[i];
    double x = left(&g->node[i]), y = top(g, &g->node[i]);
    vv_buf title = {0};
    vv_buf_printf(&title, "%d %s %s", i, vv_step_op_name[s->op], s->name);
    vv_buf_text(b, "<g><title>");
    escaped(b, title.data ? title.data : s->name, 1000);
    if (s->why) vv_buf_text(b, ": ");
    escaped(b, s->why ? s->why : "", 1000);
    vv_buf_printf(
        b, "</title><rect x=\"%.1f\" y=\"%.1f\" width=\"%d\" height=\"%d\" rx=\"7\" fill=\"%s\" stroke=\"%s\"/>\n", x,
        y, WIDTH, HEIGHT, colour[s->op].fill, colour[s->op].line);
    text_at(b, x + 12, y + 22, "t", title.data ? title.data : s->name, 30);
    draw_lines(g, i, x, y, b);
    vv_buf_text(b, "</g>\n");
    vv_buf_free(&title);
}

static const char style[] =
    "<style>text{font-family:Helvetica,Arial,sans-serif;fill:#222}.h{font-size:17px;font-weight:bold}.s{font-size:13px;"
    "fill:#555}"
    ".t{font-size:14px;font-weight:bold}.l{font-size:12px}.why{font-size:10.5px;fill:#8a3b12}"
    ".map{font-size:11px;fill:#666}.e{fill:none;stroke:#9aa3ad;stroke-width:1.6}"
    ".push{stroke:#555;stroke-width:2.2}</style>\n"
    "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" "
    "orient=\"auto\" "
    "markerUnits=\"userSpaceOnUse\"><path d=\"M0 0L8 4L0 8z\" fill=\"#777\"/></marker></defs>\n";

static void draw_head(const picture *g, double width, double height, vv_buf *b)
{
    const vv_explained *x = g->x;
    char t[5][32];
    vv_buf line = {0};
    vv_buf_printf(
        b,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\">\n%s"
        "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
        width, height, width, height, style);
    vv_buf_printf(&line, "%d rank%s x %d thread%s", x->plan->ranks, x->plan->ranks == 1 ? "" : "s", x->plan->threads,
                  x->plan->threads == 1 ? "" : "s");
    if (x->model) vv_buf_printf(&line, ", expected %s", vv_seconds_text(vv_seconds_sum(&x->model->most), t[0]));
    if (line.data) text_at(b, MARGIN_X, 34, "h", line.data, 200);
    vv_buf_free(&line);
    vv_buf_printf(&line, "reads %s, moves %s, writes %s; %s of memory per rank", vv_bytes_text(x->cost->read, t[0]),
                  vv_bytes_text(x->cost->moved, t[1]), vv_bytes_text(x->cost->written, t[2]),
                  vv_bytes_text(vv_cost_peak(x->plan, x->cost, x->baseline), t[3]));
    if (x->plan->budget) vv_buf_printf(&line, " of %s", vv_bytes_text(x->plan->budget, t[4]));
    if (line.data) text_at(b, MARGIN_X, 56, "s", line.data, 200);
    vv_buf_free(&line);
}

static void draw(picture *g, vv_buf *b)
{
    int n = g->x->plan->n_steps;
    double width = 2.0 * MARGIN_X + g->columns * (double)(WIDTH + GAP_X) - GAP_X;
    double height = TOP + g->rows * (double)(HEIGHT + GAP_Y) - GAP_Y + BOTTOM;
    for (int i = 0; g->x->model && i < n; i++) {
        double seconds = vv_seconds_sum(&g->x->model->step[i]);
        if (seconds > g->slowest) g->slowest = seconds;
    }
    draw_head(g, width > 640 ? width : 640, height, b);
    for (int i = 0; i < n; i++) each_input(g, i, draw_edge, b);
    for (int i = 0; i < n; i++) draw_step(g, i, b);
    text_at(b, MARGIN_X, height - 16, "s",
            "dark lines: elements pushed by earlier tasks; bars: share of the expected time", 200);
    vv_buf_text(b, "</svg>\n");
}

void vv_explain_svg(const vv_explained *x, vv_buf *out)
{
    picture g = {.x = x};
    size_t n = (size_t)x->plan->n_steps + 1;
    vv_status status = vv_new(&g.node, n, sizeof *g.node);
    if (status == VV_OK) status = vv_new(&g.order, n, sizeof *g.order);
    if (status == VV_OK) status = lay_out(&g);
    if (status == VV_OK)
        draw(&g, out);
    else
        out->failed = true;
    free(g.node);
    free(g.order);
}
