/* Axes: ticks that do not run into each other, with their names and the axis's own. */
#include "draw/parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PER_TICK_Y = 40, PER_TICK_LAT = 62, SHORT = 44, PER_TICK_X = 58, LABEL_ROOM = 24 };

const vv_rgb vv_ink = {0.13, 0.13, 0.13}, vv_faint = {0.40, 0.40, 0.40};
static const vv_rgb grid_color = {0.89, 0.89, 0.89};

vv_font vv_draw_font(double size, bool bold, vv_rgb color)
{
    return (vv_font){.size = size, .bold = bold, .color = color};
}

double vv_axis_place(const vv_axis *a, double value)
{
    double share = a->kind == VV_AXIS_LOG ? log(value / a->lo) / log(a->hi / a->lo) : (value - a->lo) / (a->hi - a->lo);
    return a->down ? 1 - share : share;
}

double vv_widest(vv_canvas *c, const vv_ticks *t)
{
    vv_font font = vv_draw_font(VV_TICK_SIZE, false, vv_ink);
    double most = 0;
    for (int i = 0; i < t->n; i++) {
        most = fmax(most, c->kind->text_width(c, t->tick[i].text, &font));
        most = fmax(most, c->kind->text_width(c, t->tick[i].under, &font));
    }
    return most;
}

static void ticks_about(const vv_axis *a, int about, vv_ticks *out)
{
    switch (a->kind) {
    case VV_AXIS_LOG: vv_ticks_log(a->lo, a->hi, out); break;
    case VV_AXIS_LONGITUDE: vv_ticks_degrees(a->lo, a->hi, about, true, out); break;
    case VV_AXIS_LATITUDE: vv_ticks_degrees(a->lo, a->hi, about, false, out); break;
    case VV_AXIS_TIME: vv_ticks_dates(&a->time, a->lo, a->hi, about, out); break;
    default: (a->whole ? vv_ticks_whole : vv_ticks_numbers)(a->lo, a->hi, about, out);
    }
}

/* Names of neighbours have a gap between them. */
static bool fit(vv_canvas *c, const vv_axis *a, double length, const vv_ticks *t)
{
    vv_font font = vv_draw_font(VV_TICK_SIZE, false, vv_ink);
    double end = -INFINITY;
    for (int i = 0; i < t->n; i++) {
        double half = c->kind->text_width(c, t->tick[i].text, &font) / 2;
        double at = vv_axis_place(a, t->tick[i].at) * length;
        if (at - half < end + 12) return false;
        end = at + half;
    }
    return true;
}

/* The second line of a name that would run into the next one's is left away. */
static void thin_second_lines(vv_canvas *c, const vv_axis *a, double length, vv_ticks *t)
{
    vv_font font = vv_draw_font(VV_TICK_SIZE, false, vv_ink);
    double begin = INFINITY;
    for (int i = t->n - 1; i >= 0; i--) {
        if (!*t->tick[i].under) continue;
        double half = c->kind->text_width(c, t->tick[i].under, &font) / 2;
        double at = vv_axis_place(a, t->tick[i].at) * length;
        if (at + half + 10 > begin)
            t->tick[i].under[0] = 0;
        else
            begin = at - half;
    }
}

/* Beside a vertical axis there is one line for each. */
static void join_lines(vv_ticks *t)
{
    for (int i = 0; i < t->n; i++) {
        vv_tick *k = &t->tick[i];
        size_t used = strlen(k->text);
        if (*k->under) snprintf(k->text + used, sizeof k->text - used, " %.20s", k->under);
        k->under[0] = 0;
    }
}

void vv_ticks_of(vv_canvas *c, const vv_axis *a, bool horizontal, double length, vv_ticks *out)
{
    int about = (int)(length / (horizontal ? PER_TICK_X : a->kind == VV_AXIS_LATITUDE ? PER_TICK_LAT : PER_TICK_Y));
    for (about = about < 2 ? 2 : about > 12 ? 12 : about; about > 0; about--) {
        ticks_about(a, about, out);
        if (!horizontal || a->kind == VV_AXIS_LOG || about == 1 || fit(c, a, length, out)) break;
    }
    if (horizontal && a->kind == VV_AXIS_TIME) thin_second_lines(c, a, length, out);
    if (!horizontal) join_lines(out);
}

char *vv_axis_title(const char *label, int power)
{
    char exponent[VV_TICK_TEXT], *text = NULL;
    const char *name = label ? label : "";
    if (power == 0) return strdup(name);
    vv_power_text(power, exponent);
    size_t n = strlen(name);
    const char *units = n > 0 && name[n - 1] == ']' ? strrchr(name, '[') : NULL;
    int made = units ? asprintf(&text, "%.*s[10%s %s", (int)(units - name), name, exponent, units + 1)
                     : asprintf(&text, "10%s%s%s", exponent, *name ? " " : "", name);
    return made < 0 ? NULL : text;
}

/* A time's second line stands under the first. */
static bool has_under(const vv_ticks *t)
{
    for (int i = 0; i < t->n; i++)
        if (*t->tick[i].under) return true;
    return false;
}

/* Of a vertical axis: it stands above the ticks instead of running upwards beside them. */
static bool is_short(vv_canvas *c, const char *label)
{
    vv_font font = vv_draw_font(VV_TICK_SIZE, false, vv_ink);
    return c->kind->text_width(c, label, &font) < SHORT;
}

double vv_axis_room(vv_canvas *c, const vv_axis *a, bool horizontal, double length)
{
    vv_ticks t;
    vv_ticks_of(c, a, horizontal, length, &t);
    char *text = vv_axis_title(a->label, t.power);
    double label = text && *text && (horizontal || !is_short(c, text)) ? LABEL_ROOM : 0;
    free(text);
    if (horizontal) return VV_TICK_LENGTH + 6 + VV_TICK_SIZE + (has_under(&t) ? VV_TICK_SIZE + 4 : 0) + label;
    return VV_TICK_LENGTH + 6 + vv_widest(c, &t) + label;
}

static void draw_title(vv_canvas *c, const vv_axis *a, const vv_ticks *t, bool horizontal, const vv_box *box)
{
    vv_font font = vv_draw_font(VV_LABEL_SIZE, false, vv_ink);
    char *text = vv_axis_title(a->label, t->power);
    double room = vv_axis_room(c, a, horizontal, horizontal ? box->width : box->height);
    if (!text || !*text) {
        free(text);
        return;
    }
    if (!horizontal && is_short(c, text)) {
        font.size = VV_TICK_SIZE;
        c->kind->text(c, box->x - VV_TICK_LENGTH - 5, box->y - 9, text, &font, VV_ANCHOR_RIGHT);
        free(text);
        return;
    }
    if (horizontal)
        c->kind->text(c, box->x + box->width / 2, box->y + box->height + room - 3, text, &font, VV_ANCHOR_MIDDLE);
    font.upwards = true;
    if (!horizontal)
        c->kind->text(c, box->x - room + VV_LABEL_SIZE - 4, box->y + box->height / 2, text, &font, VV_ANCHOR_MIDDLE);
    free(text);
}

void vv_draw_axis(vv_canvas *c, const vv_axis *a, bool horizontal, const vv_box *box, bool named)
{
    static const vv_line line = {.width = 1, .color = {0.13, 0.13, 0.13}, .alpha = 1};
    vv_font font = vv_draw_font(VV_TICK_SIZE, false, vv_ink);
    vv_ticks t;
    vv_ticks_of(c, a, horizontal, horizontal ? box->width : box->height, &t);
    for (int i = 0; i < t.n; i++) {
        double share = vv_axis_place(a, t.tick[i].at);
        double x = box->x + share * box->width, y = box->y + (1 - share) * box->height, foot = box->y + box->height;
        if (horizontal)
            vv_draw_segment(c, x, foot, x, foot + VV_TICK_LENGTH, &line);
        else
            vv_draw_segment(c, box->x - VV_TICK_LENGTH, y, box->x, y, &line);
        if (!named) continue;
        if (horizontal) {
            double base = foot + VV_TICK_LENGTH + 3 + VV_TICK_SIZE;
            c->kind->text(c, x, base, t.tick[i].text, &font, VV_ANCHOR_MIDDLE);
            if (*t.tick[i].under)
                c->kind->text(c, x, base + VV_TICK_SIZE + 4, t.tick[i].under, &font, VV_ANCHOR_MIDDLE);
        } else {
            c->kind->text(c, box->x - VV_TICK_LENGTH - 5, y + VV_TICK_SIZE * 0.36, t.tick[i].text, &font,
                          VV_ANCHOR_RIGHT);
        }
    }
    if (named) draw_title(c, a, &t, horizontal, box);
}

void vv_draw_grid(vv_canvas *c, const vv_panel *p, const vv_box *box)
{
    const vv_line line = {.width = 1, .color = grid_color, .alpha = 1};
    vv_ticks t;
    vv_ticks_of(c, &p->y, false, box->height, &t);
    for (int i = 0; i < t.n; i++) {
        double y = box->y + (1 - vv_axis_place(&p->y, t.tick[i].at)) * box->height;
        vv_draw_segment(c, box->x, y, box->x + box->width, y, &line);
    }
    if (p->kind == VV_PANEL_BARS) return;
    vv_ticks_of(c, &p->x, true, box->width, &t);
    for (int i = 0; i < t.n; i++) {
        double x = box->x + vv_axis_place(&p->x, t.tick[i].at) * box->width;
        vv_draw_segment(c, x, box->y, x, box->y + box->height, &line);
    }
}
