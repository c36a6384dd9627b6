/* Lines over an axis, bars on one, and what tells them apart. */
#include "draw/parts.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

enum { FEW = 40, ROW = 22, SWATCH = 26 };

/* Okabe's and Ito's colours, which colour-blind eyes tell apart, the palest last. */
static const uint32_t colors[] = {0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7, 0x56B4E9, 0xE69F00, 0x333333, 0x8C6D31};
enum { N_COLORS = sizeof colors / sizeof *colors };

vv_rgb vv_series_color(int i)
{
    return vv_rgb_hex(colors[i % N_COLORS]);
}

/* A pale line has that of the series before it. */
static vv_rgb color_of(const vv_panel *p, int number)
{
    int named = 0;
    for (int i = 0; i < number; i++) named += !p->series[i].pale;
    return vv_series_color(p->series[number].pale && named > 0 ? named - 1 : named);
}

/* Where point i of a line stands. */
static void point(const vv_panel *p, const vv_box *box, vv_index i, double value, double xy[2])
{
    double along = vv_axis_place(p->upright ? &p->y : &p->x, (p->upright ? p->y.at : p->x.at)[i]);
    double across = vv_axis_place(p->upright ? &p->x : &p->y, value);
    xy[0] = box->x + (p->upright ? across : along) * box->width;
    xy[1] = box->y + (1 - (p->upright ? along : across)) * box->height;
}

static vv_index places(const vv_panel *p)
{
    return p->upright ? p->y.n : p->x.n;
}

static void draw_dot(vv_canvas *c, const double at[2], double radius, vv_rgb color)
{
    enum { CORNERS = 16 };
    double xy[2 * CORNERS];
    const vv_line fill = {.color = color, .alpha = 1};
    for (int i = 0; i < CORNERS; i++) {
        double turn = 2 * acos(-1) * i / CORNERS;
        xy[2 * i] = at[0] + radius * cos(turn);
        xy[2 * i + 1] = at[1] + radius * sin(turn);
    }
    c->kind->shape(c, xy, CORNERS, &fill);
}

/* Dots where there are few values, and where one has no neighbour to draw a line to. */
static void draw_dots(vv_canvas *c, const vv_panel *p, const vv_series *s, const double *xy, vv_rgb color)
{
    vv_index n = places(p);
    for (vv_index i = 0; i < n; i++) {
        bool alone = (i == 0 || isnan(s->value[i - 1])) && (i == n - 1 || isnan(s->value[i + 1]));
        if (!isnan(s->value[i]) && (n <= FEW || alone)) draw_dot(c, xy + 2 * i, n <= FEW ? 3 : 1.5, color);
    }
}

/* Between the lowest and the highest of what each point stands for, stretch by stretch. */
static void draw_band(vv_canvas *c, const vv_panel *p, const vv_box *box, const vv_series *s, double *xy, vv_rgb color)
{
    const vv_line fill = {.color = color, .alpha = 0.25};
    vv_index n = places(p);
    for (vv_index from = 0, to; from < n; from = to + 1) {
        for (to = from; to < n && !isnan(s->low[to]); to++) point(p, box, to, s->low[to], xy + 2 * (to - from));
        vv_index length = to - from;
        for (vv_index i = 0; i < length; i++) point(p, box, to - 1 - i, s->high[to - 1 - i], xy + 2 * (length + i));
        if (length > 1) c->kind->shape(c, xy, (int)(2 * length), &fill);
    }
}

static void draw_one(vv_canvas *c, const vv_panel *p, const vv_box *box, int number)
{
    const vv_series *s = &p->series[number];
    vv_rgb color = color_of(p, number);
    vv_line line = {.width = places(p) > 1000 ? 1.2 : 2.2, .color = color, .alpha = 1};
    if (s->pale) line = (vv_line){.width = 1.4, .color = color, .alpha = 0.4};
    double *xy;
    vv_index n = places(p);
    if (vv_new(&xy, 4 * (size_t)n, sizeof *xy) != VV_OK) {
        c->out.failed = true;
        return;
    }
    if (s->low) draw_band(c, p, box, s, xy, color);
    for (vv_index i = 0; i < n; i++) point(p, box, i, s->value[i], xy + 2 * i);
    c->kind->shape(c, xy, (int)n, &line);
    if (!s->pale) draw_dots(c, p, s, xy, color);
    free(xy);
}

/* The line of zero, where values lie on both sides. */
static void draw_zero(vv_canvas *c, const vv_panel *p, const vv_box *box)
{
    static const vv_line line = {.width = 1.2, .color = {0.45, 0.45, 0.45}, .alpha = 1};
    const vv_axis *a = p->upright ? &p->x : &p->y;
    if (a->kind != VV_AXIS_NUMBERS || !(a->lo < 0 && a->hi > 0)) return;
    double share = vv_axis_place(a, 0);
    if (p->upright)
        vv_draw_segment(c, box->x + share * box->width, box->y, box->x + share * box->width, box->y + box->height,
                        &line);
    else
        vv_draw_segment(c, box->x, box->y + (1 - share) * box->height, box->x + box->width,
                        box->y + (1 - share) * box->height, &line);
}

static void draw_spines(vv_canvas *c, const vv_box *box)
{
    static const vv_line line = {.width = 1, .color = {0.13, 0.13, 0.13}, .alpha = 1};
    vv_draw_segment(c, box->x, box->y, box->x, box->y + box->height, &line);
    vv_draw_segment(c, box->x, box->y + box->height, box->x + box->width, box->y + box->height, &line);
}

void vv_draw_lines(vv_canvas *c, const vv_panel *p, const vv_box *box)
{
    vv_draw_grid(c, p, box);
    draw_zero(c, p, box);
    c->kind->clip(c, box->x - 4, box->y - 4, box->width + 8, box->height + 8);
    for (int i = 0; i < p->n_series; i++) draw_one(c, p, box, i);
    c->kind->clip_end(c);
    draw_spines(c, box);
}

/* --- bars --- */

static void draw_steps(vv_canvas *c, const vv_panel *p, const vv_box *box, int number)
{
    vv_rgb color = vv_series_color(number);
    const vv_line solid = {.color = color, .alpha = p->n_series > 1 ? 0.35 : 1};
    const vv_line outline = {.width = 1.6, .color = color, .alpha = 1};
    const double *value = p->series[number].value, foot = box->y + box->height;
    double gap = p->n_series > 1 || box->width < 4 * (double)p->x.n ? 0 : 1;
    for (vv_index i = 0; i < p->x.n; i++) {
        double x0 = box->x + vv_axis_place(&p->x, p->x.edge[i]) * box->width;
        double x1 = box->x + vv_axis_place(&p->x, p->x.edge[i + 1]) * box->width;
        double top = foot - vv_axis_place(&p->y, value[i]) * box->height;
        if (!(top < foot)) continue;
        vv_draw_rect(c, x0 + gap / 2, top, x1 - x0 - gap, foot - top, &solid);
        if (p->n_series > 1) vv_draw_segment(c, x0, top, x1, top, &outline);
    }
}

void vv_draw_bars(vv_canvas *c, const vv_panel *p, const vv_box *box)
{
    vv_draw_grid(c, p, box);
    c->kind->clip(c, box->x, box->y, box->width, box->height);
    for (int i = 0; i < p->n_series; i++) draw_steps(c, p, box, i);
    c->kind->clip_end(c);
    draw_spines(c, box);
}

/* --- the legend --- */

double vv_draw_legend(vv_canvas *c, const vv_panel *p, double x, double y, double width, bool measure)
{
    vv_font font = vv_draw_font(VV_TICK_SIZE, false, vv_ink);
    double at = 0, row = 0;
    if (p->kind == VV_PANEL_FIELD || p->n_series < 2) return 0;
    for (int i = 0; i < p->n_series; i++) {
        const char *name = p->series[i].name ? p->series[i].name : "";
        if (p->series[i].pale) continue;
        double needed = SWATCH + 6 + c->kind->text_width(c, name, &font);
        if (at > 0 && at + needed > width) at = 0, row++;
        double left = x + at, base = y + row * ROW + ROW * 0.7;
        const vv_line line = {.width = p->kind == VV_PANEL_BARS ? 10 : 3, .color = color_of(p, i), .alpha = 1};
        if (!measure) {
            vv_draw_segment(c, left, base - VV_TICK_SIZE * 0.36, left + SWATCH - 4, base - VV_TICK_SIZE * 0.36, &line);
            c->kind->text(c, left + SWATCH + 2, base, name, &font, VV_ANCHOR_LEFT);
        }
        at += needed + 22;
    }
    return (row + 1) * ROW;
}
