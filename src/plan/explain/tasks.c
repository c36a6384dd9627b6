/* Pictures of plans for programs that draw graphs (DOT), and of all tasks of small plans (DOT and SVG).
 *
 * A task is a unit of a step: one leaf of one output chunk. Where an output chunk has several leaves there is a node for the finished chunk, too. Lines are what tasks
 * wait for: pieces of the chunks of earlier steps, found with the functions that ranks use to send them (flow.h); stored variables, buffers and files are one node each. */
#include "plan/explain/tasks.h"

#include "plan/flow.h"
#include "plan/place.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_LINES = 20000 };

static const char *const rank_colour[] = {"#cfe3f7", "#d3eed3", "#fbe3bd", "#e6d4f4",
                                          "#f7cfd3", "#cdeeee", "#ececb8", "#dedede"};
enum { COLOURS = sizeof rank_colour / sizeof *rank_colour };

/* --- steps, as DOT --- */

/* Inside of quotes. */
static void quoted(vv_buf *b, const char *text)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') vv_buf_text(b, "\\");
        vv_buf_bytes(b, (unsigned char)*text < 0x20 ? " " : text, 1);
    }
}

static void dot_step(const vv_explained *x, int i, vv_buf *b)
{
    const vv_step *s = &x->plan->step[i];
    vv_buf_printf(b, "  s%d [label=\"%d %s ", i, i, vv_step_op_name[s->op]);
    quoted(b, s->user ? s->user->name : s->name);
    vv_buf_text(b, "\\n");
    vv_explain_dims(b, &s->grid, false);
    vv_buf_text(b, " in ");
    vv_explain_dims(b, &s->grid, true);
    vv_index tasks = x->cost->step[i].tasks;
    if (tasks > 0) vv_buf_printf(b, "\\n%lld task%s", (long long)tasks, tasks == 1 ? "" : "s");
    vv_buf_printf(b, "\", fillcolor=\"%s\"];\n", rank_colour[s->op]);
}

static void dot_line(const vv_explained *x, int from, int to, int input, vv_buf *b)
{
    const vv_step *s = &x->plan->step[to];
    vv_buf_printf(b, "  s%d -> s%d", from, to);
    if (input >= 0) {
        vv_buf_text(b, " [label=\"");
        vv_explain_map(x->plan, s, input, b);
        vv_buf_printf(b, "\"%s]", s->input[input].access == VV_ACCESS_PUSH ? ", penwidth=2" : "");
    }
    vv_buf_text(b, ";\n");
}

static void dot_head(vv_buf *b)
{
    vv_buf_text(b, "digraph plan {\n  rankdir=LR;\n  node [shape=box, style=\"rounded,filled\", fontname=Helvetica, "
                   "fontsize=11];\n  edge [fontname=Helvetica, fontsize=9, color=\"#777777\"];\n");
}

void vv_explain_dot(const vv_explained *x, vv_buf *out)
{
    const vv_plan *p = x->plan;
    dot_head(out);
    for (int i = 0; i < p->n_steps; i++) dot_step(x, i, out);
    for (int i = 0; i < p->n_steps; i++) {
        const vv_step *s = &p->step[i];
        if (vv_step_delivers(s)) dot_line(x, s->from, i, -1, out);
        for (int k = 0; k < s->n_inputs; k++)
            for (int j = 0; j < s->input[k].n_parts; j++)
                if (j == 0 || s->input[k].part[j].from != s->input[k].part[j - 1].from)
                    dot_line(x, s->input[k].part[j].from, i, k, out);
    }
    vv_buf_text(out, "}\n");
}

/* --- tasks --- */

/* A task, a finished chunk (leaf -1), or all that a read or a delivering step is (out -1). */
typedef struct node {
    int step, rank;
    vv_index out, leaf;
    int column, row;
} node;

typedef struct line {
    int from, to;
} line;

typedef struct tasks {
    const vv_plan *plan;
    int n, n_lines;
    node *node;
    line *line;
    int *first;  /* by step: its first node */
    int *chunks; /* by step: the first one of its finished chunks; of steps of one leaf that of its tasks */
    int *column; /* by step: that of its tasks; finished chunks are in the next one */
    int columns, rows;
} tasks;

static bool has_leaves(const vv_step *s)
{
    return vv_step_leaves(s) > 1;
}

static vv_index nodes_of(const vv_step *s)
{
    if (!vv_step_computes(s)) return 1;
    vv_index outs = vv_step_outs(s), leaves = vv_step_leaves(s);
    return vv_times(outs, leaves) + (has_leaves(s) ? outs : 0);
}

vv_status vv_explain_tasks_check(const vv_plan *p)
{
    vv_index n = 0;
    for (int i = 0; i < p->n_steps; i++) n += vv_imin(nodes_of(&p->step[i]), VV_INDEX_MAX / (2 * (p->n_steps + 1)));
    if (n <= VV_EXPLAIN_MOST_TASKS) return VV_OK;
    return vv_fail(VV_ERR_USAGE, "%lld tasks are no picture: at most %d can be drawn; draw the steps", (long long)n,
                   VV_EXPLAIN_MOST_TASKS);
}

static int task_node(const tasks *t, int step, vv_unit u)
{
    return t->first[step] + (int)(u.out * vv_step_leaves(&t->plan->step[step]) + u.leaf);
}

static int chunk_node(const tasks *t, int step, vv_index out)
{
    return vv_step_computes(&t->plan->step[step]) ? t->chunks[step] + (int)out : t->first[step];
}

static void add_nodes(tasks *t, int i)
{
    const vv_step *s = &t->plan->step[i];
    t->first[i] = t->chunks[i] = t->n;
    if (!vv_step_computes(s)) {
        t->node[t->n++] = (node){.step = i, .out = -1, .rank = -1, .column = t->column[i]};
        return;
    }
    vv_index outs = vv_step_outs(s), leaves = vv_step_leaves(s);
    for (vv_index out = 0; out < outs; out++)
        for (vv_index leaf = 0; leaf < leaves; leaf++) {
            vv_unit u = {out, leaf};
            bool absent = s->groups.dim >= 0; /* with groups some are; who has them matters little here */
            int rank = absent ? -1 : vv_place_owner(s, t->plan->ranks, u);
            t->node[t->n++] = (node){.step = i, .out = out, .leaf = leaf, .rank = rank, .column = t->column[i]};
        }
    if (!has_leaves(s)) return;
    t->chunks[i] = t->n;
    for (vv_index out = 0; out < outs; out++)
        t->node[t->n++] = (node){.step = i,
                                 .out = out,
                                 .leaf = -1,
                                 .rank = vv_out_owner(s, t->plan->ranks, out),
                                 .column = t->column[i] + 1};
}

static vv_status add_line(tasks *t, int from, int to)
{
    if (t->n_lines > 0 && t->line[t->n_lines - 1].from == from && t->line[t->n_lines - 1].to == to) return VV_OK;
    if (t->n_lines == MOST_LINES)
        return vv_fail(VV_ERR_USAGE, "more than %d lines between tasks are no picture; draw the steps", MOST_LINES);
    VV_TRY(vv_grow(&t->line, t->n_lines, sizeof *t->line, "lines of a picture"));
    t->line[t->n_lines++] = (line){from, to};
    return VV_OK;
}

typedef struct giving {
    tasks *t;
    int from;
} giving;

static vv_status add_piece(void *context, const vv_edge *e, int part, vv_index key, const vv_box *piece)
{
    giving *g = context;
    vv_waiting w = {.edge = e, .key = key, .rank = -1, .ranks = g->t->plan->ranks};
    vv_unit u;
    vv_index coords[VV_MAX_DIMS];
    (void)part;
    (void)piece;
    while (vv_waiting_next(&w, &u, coords)) VV_TRY(add_line(g->t, g->from, task_node(g->t, e->step, u)));
    return VV_OK;
}

/* What tasks of earlier steps push. */
static vv_status add_pushed(tasks *t, int step, int input)
{
    vv_edge e;
    VV_TRY(vv_edge_make(t->plan, step, input, &e));
    vv_status status = VV_OK;
    for (int j = 0; j < e.n_parts && status == VV_OK; j++) {
        int from = e.part[j].from;
        for (vv_index out = 0; out < vv_step_outs(&t->plan->step[from]) && status == VV_OK; out++)
            status = vv_edge_pieces(&e, j, out, add_piece, &(giving){t, chunk_node(t, from, out)});
    }
    vv_edge_free(&e);
    return status;
}

static vv_status add_lines(tasks *t, int i)
{
    const vv_step *s = &t->plan->step[i];
    vv_index outs = vv_step_computes(s) ? vv_step_outs(s) : 0, leaves = outs ? vv_step_leaves(s) : 0;
    for (vv_index out = 0; vv_step_delivers(s) && out < vv_step_outs(&t->plan->step[s->from]); out++)
        VV_TRY(add_line(t, chunk_node(t, s->from, out), t->first[i]));
    for (int k = 0; k < s->n_inputs; k++) {
        if (s->input[k].access == VV_ACCESS_PUSH) {
            VV_TRY(add_pushed(t, i, k));
            continue;
        }
        for (int j = 0; j < s->input[k].n_parts; j++)
            for (vv_index u = 0; u < outs * leaves; u++)
                VV_TRY(add_line(t, t->first[s->input[k].part[j].from], t->first[i] + (int)u));
    }
    for (vv_index u = 0; u < outs * leaves && leaves > 1; u++)
        VV_TRY(add_line(t, t->first[i] + (int)u, t->chunks[i] + (int)(u / leaves)));
    return VV_OK;
}

static int by_ends(const void *a, const void *b)
{
    const line *x = a, *y = b;
    return x->from != y->from ? x->from - y->from : x->to - y->to;
}

/* Steps stand behind those that they take elements from; nodes of a column below each other, with room for a title above those of a step. */
static void lay_out(tasks *t)
{
    int *row = t->first + t->plan->n_steps + 1; /* by column; the room is there */
    memset(row, 0, sizeof *row * (size_t)t->columns);
    for (int i = 0; i < t->n; i++) {
        node *n = &t->node[i];
        bool first = i == t->first[n->step] || i == t->chunks[n->step];
        n->row = row[n->column] + (first ? 2 : 0);
        row[n->column] = n->row + 1;
        if (row[n->column] > t->rows) t->rows = row[n->column];
    }
}

static void find_columns(tasks *t)
{
    const vv_plan *p = t->plan;
    for (int i = 0; i < p->n_steps; i++) {
        const vv_step *s = &p->step[i];
        int behind = -1;
        for (int k = -1; k < s->n_inputs; k++) {
            int parts = k < 0 ? vv_step_delivers(s) : s->input[k].n_parts;
            for (int j = 0; j < parts; j++) {
                int from = k < 0 ? s->from : s->input[k].part[j].from;
                int end = t->column[from] + (vv_step_computes(&p->step[from]) && has_leaves(&p->step[from]));
                if (end > behind) behind = end;
            }
        }
        t->column[i] = behind + 1;
        int last = t->column[i] + (vv_step_computes(s) && has_leaves(s));
        if (last + 1 > t->columns) t->columns = last + 1;
    }
}

static void tasks_free(tasks *t)
{
    free(t->node);
    free(t->line);
    free(t->first);
    free(t->chunks);
    free(t->column);
}

static vv_status tasks_make(const vv_plan *p, tasks *t)
{
    size_t steps = (size_t)p->n_steps + 1;
    vv_index n = 0;
    *t = (tasks){.plan = p};
    VV_TRY(vv_explain_tasks_check(p));
    for (int i = 0; i < p->n_steps; i++) n += nodes_of(&p->step[i]);
    VV_TRY(vv_new(&t->node, (size_t)n + 1, sizeof *t->node));
    VV_TRY(vv_new(&t->first, 3 * steps + 2, sizeof *t->first)); /* and rows by column, at most two a step */
    VV_TRY(vv_new(&t->chunks, steps, sizeof *t->chunks));
    VV_TRY(vv_new(&t->column, steps, sizeof *t->column));
    find_columns(t);
    for (int i = 0; i < p->n_steps; i++) add_nodes(t, i);
    for (int i = 0; i < p->n_steps; i++) VV_TRY(add_lines(t, i));
    if (t->n_lines) qsort(t->line, (size_t)t->n_lines, sizeof *t->line, by_ends);
    lay_out(t);
    return VV_OK;
}

static bool repeated(const tasks *t, int i)
{
    return i > 0 && by_ends(&t->line[i - 1], &t->line[i]) == 0;
}

/* "0,2" a chunk by its place in the grid, "0,2 #1" a leaf of it. */
static void label(const tasks *t, int i, vv_buf *b)
{
    const node *n = &t->node[i];
    const vv_step *s = &t->plan->step[n->step];
    vv_index at[VV_MAX_DIMS];
    if (n->out < 0) {
        quoted(b, s->name);
        return;
    }
    vv_grid_coords(&s->grid, n->out, at);
    for (int d = 0; d < s->grid.shape.nd; d++) vv_buf_printf(b, d ? ",%lld" : "%lld", (long long)at[d]);
    if (s->grid.shape.nd == 0) vv_buf_text(b, "()");
    if (n->leaf >= 0 && has_leaves(s)) vv_buf_printf(b, " #%lld", (long long)n->leaf);
}

static const char *colour_of(const node *n)
{
    return n->rank < 0 ? "#ffffff" : rank_colour[n->rank % COLOURS];
}

/* --- as DOT --- */

static void tasks_dot(const tasks *t, vv_buf *b)
{
    dot_head(b);
    for (int i = 0; i < t->n; i++) {
        const node *n = &t->node[i];
        const vv_step *s = &t->plan->step[n->step];
        if (i == t->first[n->step]) {
            vv_buf_printf(b, "  subgraph cluster_%d {\n    label=\"%d %s ", n->step, n->step, vv_step_op_name[s->op]);
            quoted(b, s->user ? s->user->name : s->name);
            vv_buf_text(b, "\";\n");
        }
        vv_buf_printf(b, "    t%d [label=\"", i);
        label(t, i, b);
        vv_buf_printf(b, "\", fillcolor=\"%s\"];\n", colour_of(n));
        if (i + 1 == t->n || t->node[i + 1].step != n->step) vv_buf_text(b, "  }\n");
    }
    for (int i = 0; i < t->n_lines; i++)
        if (!repeated(t, i)) vv_buf_printf(b, "  t%d -> t%d;\n", t->line[i].from, t->line[i].to);
    vv_buf_text(b, "}\n");
}

/* --- as SVG --- */

enum { WIDTH = 92, HEIGHT = 20, GAP_X = 110, STEP_Y = 26, MARGIN = 24, TOP = 40 };

static double left_of(const node *n)
{
    return MARGIN + n->column * (double)(WIDTH + GAP_X);
}

static double top_of(const node *n)
{
    return TOP + (n->row - 1) * (double)STEP_Y;
}

static void svg_escaped(vv_buf *b, const char *text)
{
    for (; *text; text++) switch (*text) {
        case '<': vv_buf_text(b, "&lt;"); break;
        case '>': vv_buf_text(b, "&gt;"); break;
        case '&': vv_buf_text(b, "&amp;"); break;
        default: vv_buf_bytes(b, (unsigned char)*text < 0x20 ? " " : text, 1);
        }
}

static void svg_node(const tasks *t, int i, vv_buf *b)
{
    const node *n = &t->node[i];
    const vv_step *s = &t->plan->step[n->step];
    double x = left_of(n), y = top_of(n);
    vv_buf text = {0};
    if (i == t->first[n->step]) {
        vv_buf_printf(b, "<text x=\"%.0f\" y=\"%.0f\" class=\"h\">%d %s ", x, y - 8, n->step, vv_step_op_name[s->op]);
        svg_escaped(b, s->user ? s->user->name : s->name);
        vv_buf_text(b, "</text>\n");
    }
    label(t, i, &text);
    vv_buf_text(b, "<g>");
    if (n->rank >= 0) vv_buf_printf(b, "<title>rank %d</title>", n->rank);
    vv_buf_printf(b,
                  "<rect x=\"%.0f\" y=\"%.0f\" width=\"%d\" height=\"%d\" rx=\"4\" fill=\"%s\" stroke=\"#888\"/>"
                  "<text x=\"%.0f\" y=\"%.0f\">",
                  x, y, WIDTH, HEIGHT, colour_of(n), x + 6, y + 14);
    svg_escaped(b, text.data ? text.data : "");
    vv_buf_text(b, "</text></g>\n");
    vv_buf_free(&text);
}

static void svg_line(const tasks *t, const line *l, vv_buf *b)
{
    const node *from = &t->node[l->from], *to = &t->node[l->to];
    double x0 = left_of(from) + WIDTH, y0 = top_of(from) + HEIGHT / 2.0, x1 = left_of(to),
           y1 = top_of(to) + HEIGHT / 2.0;
    bool crosses = from->rank >= 0 && to->rank >= 0 && from->rank != to->rank;
    vv_buf_printf(b, "<path d=\"M%.0f %.0fC%.0f %.0f %.0f %.0f %.0f %.0f\"%s/>\n", x0, y0, x0 + GAP_X / 2.0, y0,
                  x1 - GAP_X / 2.0, y1, x1, y1, crosses ? " class=\"x\"" : "");
}

static void tasks_svg(const tasks *t, vv_buf *b)
{
    double width = 2.0 * MARGIN + t->columns * (double)(WIDTH + GAP_X) - GAP_X;
    double height = TOP + t->rows * (double)STEP_Y + MARGIN;
    vv_buf_printf(
        b,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\">\n"
        "<style>text{font-family:Helvetica,Arial,sans-serif;font-size:11px;fill:#222}.h{font-weight:bold}"
        "path{fill:none;stroke:#9aa3ad}.x{stroke:#b5482a}</style>\n"
        "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
        width, height, width, height);
    vv_buf_printf(b, "<text x=\"%d\" y=\"22\">tasks of %d rank%s, by colour; red: from one rank to another</text>\n",
                  MARGIN, t->plan->ranks, t->plan->ranks == 1 ? "" : "s");
    for (int i = 0; i < t->n_lines; i++)
        if (!repeated(t, i)) svg_line(t, &t->line[i], b);
    for (int i = 0; i < t->n; i++) svg_node(t, i, b);
    vv_buf_text(b, "</svg>\n");
}

vv_status vv_explain_tasks(const vv_plan *p, bool dot, vv_buf *out)
{
    tasks t;
    vv_status status = tasks_make(p, &t);
    if (status == VV_OK) {
        if (dot)
            tasks_dot(&t, out);
        else
            tasks_svg(&t, out);
        status = vv_buf_status(out);
    }
    tasks_free(&t);
    return status;
}
