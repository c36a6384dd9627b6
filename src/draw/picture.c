/* Pictures: titles, panels in rows and columns, colour bars; what goes where.
 *
 *     title                                      panels that have an axis in common name its ticks once: at the left, at the bottom;
 *     subtitle                                   panels of one scale share a colour bar at the right
 *     legend
 *     +--------+ +--------+  #
 *     | panel  | | panel  |  #
 *     +--------+ +--------+  # */
#include "draw/picture.h"

#include "base/mem.h"
#include "draw/parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MARGIN = 26,
    WIDTH = 1200,
    LEAST_WIDTH = 560,
    MOST_HEIGHT = 860,
    MOST_UPRIGHT = 620,
    GAP = 30,
    HEAD = 27,
    LEAST_PLOT = 40
};

typedef struct layout {
    vv_canvas *c;
    const vv_picture *p;
    int columns, rows;
    bool fields, one_x, one_y, one_bar;
    double x_room, y_room, bar_room, legend, head, top;
    double width, height; /* of the picture */
    double plot_width, plot_height;
    double left;   /* of the first plot */
    double raised; /* above the title, where a height was asked for that maps do not fill */
} layout;

/* --- what panels have in common --- */

static bool same_axis(const vv_axis *a, const vv_axis *b)
{
    bool names = (!a->label && !b->label) || (a->label && b->label && !strcmp(a->label, b->label));
    return a->kind == b->kind && a->down == b->down && a->lo == b->lo && a->hi == b->hi && names;
}

static void find_common(layout *l)
{
    const vv_picture *p = l->p;
    l->one_x = l->one_y = true;
    for (int i = 0; i < p->n_panels; i++) {
        l->one_x = l->one_x && same_axis(&p->panel[i].x, &p->panel[0].x);
        l->one_y = l->one_y && same_axis(&p->panel[i].y, &p->panel[0].y);
        if (p->panel[i].title) l->head = HEAD;
    }
    l->fields = p->panel[0].kind == VV_PANEL_FIELD;
    l->one_bar = p->one_scale || p->n_panels == 1;
}

static void choose_grid(layout *l)
{
    static const int columns[] = {1, 1, 2, 3, 2, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4};
    int n = l->p->n_panels;
    if (l->p->columns > 0)
        l->columns = l->p->columns;
    else
        l->columns = n < (int)(sizeof columns / sizeof *columns) ? columns[n] : n <= 25 ? 5 : 6;
    if (!l->fields && l->p->panel[0].x.kind == VV_AXIS_TIME && l->p->columns == 0) l->columns = n <= 5 ? 1 : 2;
    l->rows = (n + l->columns - 1) / l->columns;
}

static void measure(layout *l)
{
    const vv_picture *p = l->p;
    for (int i = 0; i < p->n_panels; i++) {
        const vv_panel *q = &p->panel[i];
        l->x_room = fmax(l->x_room, vv_axis_room(l->c, &q->x, true, 400));
        l->y_room = fmax(l->y_room, vv_axis_room(l->c, &q->y, false, 300));
        if (q->kind == VV_PANEL_FIELD) l->bar_room = fmax(l->bar_room, vv_bar_room(l->c, q, 300));
    }
}

/* --- sizes --- */

/* Height of a plot for its width: degrees are as long one way as the other where a map's middle lies. */
static double shape_of(const vv_panel *p)
{
    if (p->x.kind == VV_AXIS_LONGITUDE && p->y.kind == VV_AXIS_LATITUDE) {
        double height = p->y.hi - p->y.lo, middle = (p->y.hi + p->y.lo) / 2;
        double stretch = height < 90 ? cos(middle * acos(-1) / 180) : 1;
        double ratio = height / ((p->x.hi - p->x.lo) * fmax(stretch, 0.2));
        return ratio < 0.2 ? 0.2 : ratio > 2 ? 2 : ratio;
    }
    if (p->upright) return 1.15;
    if (p->kind != VV_PANEL_FIELD) return 0.46;
    return p->y.kind == VV_AXIS_TIME ? 0.62 : 0.5;
}

/* What is beside the plots, and above and below. */
static double beside(const layout *l)
{
    double cells = (l->one_y ? 0 : (l->columns - 1) * l->y_room) + (l->columns - 1) * GAP;
    double bars = !l->fields ? 0 : l->one_bar ? l->bar_room : l->columns * l->bar_room;
    return 2 * MARGIN + l->y_room + cells + bars + (l->fields ? 0 : 12);
}

static double above_and_below(const layout *l)
{
    double rows = l->rows * l->head + (l->rows - 1) * (l->one_x ? GAP * 0.6 : l->x_room + GAP * 0.6);
    return l->top + rows + l->x_room + MARGIN;
}

/* Above lines the units of their axis stand. */
static double top_of(const vv_picture *p, double legend)
{
    double top = MARGIN * 0.8 + (p->panel[0].kind == VV_PANEL_FIELD ? 0 : 10);
    if (p->title) top += VV_TITLE_SIZE + 8;
    if (p->subtitle) top += VV_SUBTITLE_SIZE + 7;
    return top + legend + (legend > 0 ? 10 : 6);
}

/* Plots as large as width and height allow; where these are left to us, they follow from the plots. */
static void choose_sizes(layout *l)
{
    const vv_picture *p = l->p;
    double width = p->width > 0 ? p->width : WIDTH, ratio = shape_of(&p->panel[0]);
    bool map = p->panel[0].x.kind == VV_AXIS_LONGITUDE && p->panel[0].y.kind == VV_AXIS_LATITUDE;
    l->legend =
        p->n_panels == 1 || p->one_legend ? vv_draw_legend(l->c, &p->panel[0], 0, 0, width - 2 * MARGIN, true) : 0;
    l->top = top_of(p, l->legend);
    l->plot_width = (width - beside(l)) / l->columns;
    l->plot_height = l->plot_width * ratio;
    double most = (p->height > 0         ? p->height - above_and_below(l)
                   : p->panel[0].upright ? MOST_UPRIGHT
                                         : MOST_HEIGHT) /
                  l->rows;
    if (l->rows > 1 && !map && p->height <= 0) most = fmax(most, 180);
    if (p->height > 0 && !map) l->plot_height = most;
    if (l->plot_height > most) {
        l->plot_height = most;
        if (map || p->width <= 0) l->plot_width = fmin(l->plot_width, most / ratio);
    }
}

static vv_status set_size(layout *l)
{
    const vv_picture *p = l->p;
    double width = beside(l) + l->columns * l->plot_width, height = above_and_below(l) + l->rows * l->plot_height;
    l->width = p->width > 0 ? p->width : fmax(ceil(width), LEAST_WIDTH);
    l->height = p->height > 0 ? p->height : ceil(height);
    l->raised = fmax(0, (l->height - height) / 2);
    l->top += l->raised;
    l->left = MARGIN + l->y_room + fmax(0, (l->width - width) / 2);
    if (l->plot_width >= LEAST_PLOT && l->plot_height >= LEAST_PLOT) return VV_OK;
    return vv_fail(VV_ERR_USAGE, "a picture of %.0f x %.0f pixels has no room for %s; make it larger", l->width,
                   l->height, p->n_panels > 1 ? "its panels" : "a plot between its labels");
}

/* --- drawing --- */

/* Text that is made smaller, then cut, so that it ends before `width`. */
static void fitted_text(vv_canvas *c, double x, double y, const char *text, vv_font font, double width)
{
    double least = font.size * 0.7, needed = c->kind->text_width(c, text, &font);
    if (needed > width) font.size = fmax(least, font.size * width / needed);
    char *cut = strdup(text);
    size_t n = cut ? strlen(cut) : 0;
    while (n > 1 && c->kind->text_width(c, cut, &font) > width) {
        n -= 4;
        while (n > 1 && ((unsigned char)cut[n] & 0xc0) == 0x80) n--;
        strcpy(cut + n, "\u2026");
        if (n < 5) break;
    }
    c->kind->text(c, x, y, cut ? cut : "", &font, VV_ANCHOR_LEFT);
    free(cut);
}

static void draw_titles(const layout *l)
{
    const vv_picture *p = l->p;
    double y = l->raised + MARGIN * 0.8, width = l->c->width - l->left - MARGIN;
    if (p->title) {
        y += VV_TITLE_SIZE;
        fitted_text(l->c, l->left, y, p->title, vv_draw_font(VV_TITLE_SIZE, true, vv_ink), width);
        y += 8;
    }
    if (p->subtitle) {
        y += VV_SUBTITLE_SIZE;
        fitted_text(l->c, l->left, y, p->subtitle, vv_draw_font(VV_SUBTITLE_SIZE, false, vv_faint), width);
        y += 7;
    }
    if (p->n_panels == 1 || p->one_legend) (void)vv_draw_legend(l->c, &p->panel[0], l->left, y + 2, width, false);
}

/* On a whole pixel of the file, so that lines are sharp. */
static double snap(const vv_canvas *c, double x)
{
    return rint(x * c->scale) / c->scale;
}

static vv_box box_of(const layout *l, int i)
{
    int row = i / l->columns, column = i % l->columns;
    double bar = l->fields && !l->one_bar ? l->bar_room : 0;
    double across = l->plot_width + GAP + bar + (l->one_y ? 0 : l->y_room);
    double down = l->head + l->plot_height + GAP * 0.6 + (l->one_x ? 0 : l->x_room);
    vv_box box = {snap(l->c, l->left + column * across), snap(l->c, l->top + l->head + row * down),
                  snap(l->c, l->plot_width), snap(l->c, l->plot_height)};
    return box;
}

static vv_status draw_panel(const layout *l, int i)
{
    const vv_panel *p = &l->p->panel[i];
    vv_box box = box_of(l, i);
    bool lowest = i + l->columns >= l->p->n_panels, first = i % l->columns == 0;
    if (p->kind == VV_PANEL_FIELD) VV_TRY(vv_draw_field(l->c, p, &box));
    if (p->kind == VV_PANEL_LINES) vv_draw_lines(l->c, p, &box);
    if (p->kind == VV_PANEL_BARS) vv_draw_bars(l->c, p, &box);
    vv_draw_axis(l->c, &p->x, true, &box, !l->one_x || lowest);
    vv_draw_axis(l->c, &p->y, false, &box, !l->one_y || first);
    if (p->title) fitted_text(l->c, box.x, box.y - 8, p->title, vv_draw_font(VV_HEAD_SIZE, true, vv_ink), box.width);
    if (p->kind != VV_PANEL_FIELD || l->one_bar) return VV_OK;
    box.x += box.width + VV_BAR_GAP;
    return vv_draw_bar(l->c, p, &box);
}

/* Beside all panels, as high as they are together. */
static vv_status draw_common_bar(const layout *l)
{
    vv_box right = box_of(l, l->columns - 1), foot = box_of(l, l->columns * (l->rows - 1));
    vv_box box = {right.x + right.width + VV_BAR_GAP, right.y, VV_BAR_WIDTH, foot.y + foot.height - right.y};
    return vv_draw_bar(l->c, &l->p->panel[0], &box);
}

static vv_status draw_all(const layout *l)
{
    static const vv_line white = {.color = {1, 1, 1}, .alpha = 1};
    vv_draw_rect(l->c, 0, 0, l->c->width, l->c->height, &white);
    draw_titles(l);
    for (int i = 0; i < l->p->n_panels; i++) VV_TRY(draw_panel(l, i));
    return l->fields && l->one_bar ? draw_common_bar(l) : VV_OK;
}

/* Widths of text are asked of a canvas of any size, before it is known how large the picture has to be. */
static vv_status lay_out(layout *l, vv_canvas *c)
{
    c->width = c->height = 8;
    VV_TRY(c->kind->open(c));
    l->c = c;
    find_common(l);
    choose_grid(l);
    measure(l);
    choose_sizes(l);
    vv_status status = set_size(l), closed = c->kind->close(c);
    vv_buf_free(&c->out);
    c->clips = 0;
    c->width = l->width;
    c->height = l->height;
    return status == VV_OK ? closed : status;
}

vv_status vv_picture_draw(const vv_picture *p, const char *path, vv_buf *out)
{
    vv_canvas c = {.scale = p->scale, .title = p->title};
    layout l = {.p = p};
    VV_TRY(vv_canvas_kind_of(path, &c.kind));
    VV_TRY(lay_out(&l, &c));
    VV_TRY(c.kind->open(&c));
    vv_status status = draw_all(&l), closed = c.kind->close(&c);
    if (status == VV_OK) status = closed;
    if (status == VV_OK) status = vv_buf_status(&c.out);
    if (status == VV_OK)
        *out = c.out;
    else
        vv_buf_free(&c.out);
    return status;
}

/* --- memory --- */

static void free_axis(vv_axis *a)
{
    free(a->label);
    free(a->at);
    free(a->edge);
}

static void free_panel(vv_panel *p)
{
    free(p->title);
    free_axis(&p->x);
    free_axis(&p->y);
    free(p->value);
    free(p->scale.level);
    free(p->scale_label);
    for (int i = 0; i < p->n_series; i++) {
        free(p->series[i].name);
        free(p->series[i].value);
        free(p->series[i].low);
        free(p->series[i].high);
    }
    free(p->series);
}

void vv_picture_free(vv_picture *p)
{
    for (int i = 0; i < p->n_panels; i++) free_panel(&p->panel[i]);
    free(p->panel);
    free(p->title);
    free(p->subtitle);
    *p = (vv_picture){0};
}
