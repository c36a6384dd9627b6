/* The colour bar: the scale from its low end to its high one, an arrow where values lie beyond. */
#include "draw/parts.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

enum { PER_TICK = 44, ARROW = 16, STEPS = 256, LABEL_ROOM = 26, SHORT = 90 };

static void bar_ticks(const vv_scale *s, double height, vv_ticks *out)
{
    int about = (int)(height / PER_TICK) < 3 ? 3 : (int)(height / PER_TICK);
    if (s->n_levels > 1)
        vv_ticks_listed(s->level, s->n_levels, (int)(height / 20), out);
    else
        vv_ticks_numbers(s->lo, s->hi, about > 9 ? 9 : about, out);
}

/* A short label stands above the bar, a long one runs upwards beside it. */
static bool is_short(vv_canvas *c, const char *label)
{
    vv_font font = vv_draw_font(VV_TICK_SIZE, false, vv_ink);
    return !label || c->kind->text_width(c, label, &font) < SHORT;
}

double vv_bar_room(vv_canvas *c, const vv_panel *p, double height)
{
    vv_ticks t;
    bar_ticks(&p->scale, height, &t);
    char *label = vv_axis_title(p->scale_label, t.power);
    double beside = is_short(c, label) ? 0 : LABEL_ROOM, above = 0;
    vv_font font = vv_draw_font(VV_TICK_SIZE, false, vv_ink);
    if (label && beside == 0) above = c->kind->text_width(c, label, &font);
    free(label);
    return VV_BAR_GAP + fmax(above, VV_BAR_WIDTH + VV_TICK_LENGTH + 6 + vv_widest(c, &t) + beside);
}

/* Of classes each is as high as the others. */
static double bar_place(const vv_scale *s, double value, int level)
{
    if (s->n_levels > 1) return (double)level / (s->n_levels - 1);
    return s->hi > s->lo ? (value - s->lo) / (s->hi - s->lo) : 0.5;
}

static vv_status draw_colors(vv_canvas *c, const vv_scale *s, const vv_box *box)
{
    int n = s->n_levels > 1 ? s->n_levels - 1 : STEPS;
    vv_pixels p = {.width = 1, .height = n};
    VV_TRY(vv_new(&p.rgba, (size_t)n, 4));
    for (int i = 0; i < n; i++) {
        double share = 1 - (i + 0.5) / n;
        int k = n - 1 - i;
        double value = s->n_levels > 1 ? (s->level[k] + s->level[k + 1]) / 2 : s->lo + share * (s->hi - s->lo);
        vv_rgb color = vv_scale_color(s, value);
        uint8_t *to = p.rgba + 4 * i;
        to[0] = (uint8_t)(color.r * 255 + 0.5), to[1] = (uint8_t)(color.g * 255 + 0.5);
        to[2] = (uint8_t)(color.b * 255 + 0.5), to[3] = 255;
    }
    c->kind->image(c, box->x, box->y, box->width, box->height, &p);
    free(p.rgba);
    return VV_OK;
}

static void draw_arrow(vv_canvas *c, const vv_scale *s, const vv_box *box, bool up)
{
    static const vv_line frame = {.width = 1, .color = {0.13, 0.13, 0.13}, .alpha = 1};
    double foot = up ? box->y : box->y + box->height, tip = up ? foot - ARROW : foot + ARROW;
    const double xy[] = {box->x, foot, box->x + box->width / 2, tip, box->x + box->width, foot};
    vv_line fill = {.color = vv_scale_color(s, up ? s->hi : s->lo), .alpha = 1};
    c->kind->shape(c, xy, 3, &fill);
    c->kind->shape(c, xy, 3, &frame);
}

static void draw_frame(vv_canvas *c, const vv_scale *s, const vv_box *box)
{
    static const vv_line frame = {.width = 1, .color = {0.13, 0.13, 0.13}, .alpha = 1};
    double right = box->x + box->width, foot = box->y + box->height;
    vv_draw_segment(c, box->x, box->y, box->x, foot, &frame);
    vv_draw_segment(c, right, box->y, right, foot, &frame);
    if (!s->above) vv_draw_segment(c, box->x, box->y, right, box->y, &frame);
    if (!s->below) vv_draw_segment(c, box->x, foot, right, foot, &frame);
}

/* The class border that a tick belongs to. */
static int level_of(const vv_scale *s, double at)
{
    int best = 0;
    for (int i = 1; i < s->n_levels; i++)
        if (fabs(s->level[i] - at) < fabs(s->level[best] - at)) best = i;
    return best;
}

vv_status vv_draw_bar(vv_canvas *c, const vv_panel *p, const vv_box *place)
{
    static const vv_line line = {.width = 1, .color = {0.13, 0.13, 0.13}, .alpha = 1};
    const vv_scale *s = &p->scale;
    vv_font font = vv_draw_font(VV_TICK_SIZE, false, vv_ink);
    vv_box box = *place;
    vv_ticks t;
    box.width = VV_BAR_WIDTH;
    if (s->above) box.y += ARROW, box.height -= ARROW;
    if (s->below) box.height -= ARROW;
    VV_TRY(draw_colors(c, s, &box));
    if (s->above) draw_arrow(c, s, &box, true);
    if (s->below) draw_arrow(c, s, &box, false);
    draw_frame(c, s, &box);
    bar_ticks(s, box.height, &t);
    double right = box.x + box.width;
    for (int i = 0; i < t.n; i++) {
        double y = box.y + (1 - bar_place(s, t.tick[i].at, level_of(s, t.tick[i].at))) * box.height;
        vv_draw_segment(c, right, y, right + VV_TICK_LENGTH, y, &line);
        c->kind->text(c, right + VV_TICK_LENGTH + 5, y + VV_TICK_SIZE * 0.36, t.tick[i].text, &font, VV_ANCHOR_LEFT);
    }
    char *label = vv_axis_title(p->scale_label, t.power);
    if (label && *label && is_short(c, label)) {
        c->kind->text(c, box.x, place->y - 9, label, &font, VV_ANCHOR_LEFT);
    } else if (label && *label) {
        font = vv_draw_font(VV_LABEL_SIZE, false, vv_ink);
        font.upwards = true;
        double room = vv_bar_room(c, p, place->height) - VV_BAR_GAP;
        c->kind->text(c, box.x + room - 4, place->y + place->height / 2, label, &font, VV_ANCHOR_MIDDLE);
    }
    free(label);
    return VV_OK;
}
