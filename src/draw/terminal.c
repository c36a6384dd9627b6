/* Pictures of characters, for terminals: a field as cells, two above each other in one character where there are colours, else as shades; lines as dots, eight in
 * a character (Braille). */
#include "draw/parts.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_ROWS = 6, MOST_ROWS = 40, LINE_ROWS = 16, STRIP = 24, RAMP = 10 };
static const char ramp[] = " .:-=+*#%@";

typedef struct screen {
    const vv_panel *p;
    int columns, rows; /* of characters */
    bool color;
    vv_buf *out;
} screen;

static void put_number(vv_buf *out, double x)
{
    vv_buf_printf(out, "%s%.4g", x < 0 ? "-" : "", fabs(x));
}

/* --- fields --- */

static void put_color(vv_buf *out, int ground, vv_rgb c)
{
    vv_buf_printf(out, "\x1b[%d;2;%d;%d;%dm", ground, (int)(c.r * 255 + 0.5), (int)(c.g * 255 + 0.5),
                  (int)(c.b * 255 + 0.5));
}

static vv_rgb color_of(const screen *s, double value)
{
    return isnan(value) ? (vv_rgb){0.35, 0.35, 0.35} : vv_scale_color(&s->p->scale, value);
}

static char shade_of(const vv_scale *s, double value)
{
    double share = s->hi > s->lo ? (value - s->lo) / (s->hi - s->lo) : 0.5;
    int i = (int)(share * RAMP);
    return isnan(value) ? '?' : ramp[i < 0 ? 0 : i >= RAMP ? RAMP - 1 : i];
}

static void put_field_row(const screen *s, const vv_cells *x, const vv_cells *y, int row)
{
    for (int i = 0; i < s->columns; i++) {
        if (!s->color) {
            vv_buf_printf(s->out, "%c", shade_of(&s->p->scale, vv_cells_mean(s->p, x, y, i, row)));
            continue;
        }
        put_color(s->out, 38, color_of(s, vv_cells_mean(s->p, x, y, i, 2 * row)));
        put_color(s->out, 48, color_of(s, vv_cells_mean(s->p, x, y, i, 2 * row + 1)));
        vv_buf_text(s->out, "\u2580");
    }
    if (s->color) vv_buf_text(s->out, "\x1b[0m");
}

/* The name of the tick that belongs to this row, or blanks. */
static void put_margin(const screen *s, const vv_ticks *t, int row, int width)
{
    const char *text = "";
    for (int i = 0; i < t->n; i++) {
        double place = (1 - vv_axis_place(&s->p->y, t->tick[i].at)) * s->rows;
        if ((int)fmin(place, s->rows - 1) == row) text = t->tick[i].text;
    }
    int letters = 0;
    for (const char *c = text; *c; c++) letters += ((unsigned char)*c & 0xc0) != 0x80;
    vv_buf_printf(s->out, "%*s%s ", width - letters, "", text);
}

static int margin_width(const vv_ticks *t)
{
    int most = 0;
    for (int i = 0; i < t->n; i++) {
        int letters = 0;
        for (const char *c = t->tick[i].text; *c; c++) letters += ((unsigned char)*c & 0xc0) != 0x80;
        most = letters > most ? letters : most;
    }
    return most;
}

/* Names of ticks below, those that have room. */
static void put_foot(const screen *s, const vv_axis *a, int margin)
{
    vv_ticks t;
    int used = 0;
    if (a->kind == VV_AXIS_LONGITUDE)
        vv_ticks_degrees(a->lo, a->hi, 8, true, &t);
    else if (a->kind == VV_AXIS_LATITUDE)
        vv_ticks_degrees(a->lo, a->hi, 8, false, &t);
    else if (a->kind == VV_AXIS_TIME)
        vv_ticks_dates(&a->time, a->lo, a->hi, 6, &t);
    else
        vv_ticks_numbers(a->lo, a->hi, 6, &t);
    vv_buf_printf(s->out, "%*s", margin + 1, "");
    for (int i = 0; i < t.n; i++) {
        char name[2 * VV_TICK_TEXT];
        snprintf(name, sizeof name, "%s%s%s", t.tick[i].text, *t.tick[i].under ? " " : "", t.tick[i].under);
        int letters = 0;
        for (const char *c = name; *c; c++) letters += ((unsigned char)*c & 0xc0) != 0x80;
        int at = (int)(vv_axis_place(a, t.tick[i].at) * s->columns) - letters / 2;
        if (at < 0) at = 0;
        if (at < used + (used > 0) || at + letters > s->columns + 2) continue;
        vv_buf_printf(s->out, "%*s%s", at - used, "", name);
        used = at + letters;
    }
    vv_buf_text(s->out, "\n");
}

static void put_strip(const screen *s, int margin)
{
    const vv_scale *scale = &s->p->scale;
    vv_buf_printf(s->out, "%*s", margin + 1, "");
    put_number(s->out, scale->lo);
    vv_buf_text(s->out, s->color ? " " : " |");
    for (int i = 0; i < STRIP; i++) {
        double value = scale->lo + (i + 0.5) / STRIP * (scale->hi - scale->lo);
        if (s->color) put_color(s->out, 48, vv_scale_color(scale, value));
        vv_buf_printf(s->out, "%c", s->color ? ' ' : shade_of(scale, value));
    }
    vv_buf_text(s->out, s->color ? "\x1b[0m " : "| ");
    put_number(s->out, scale->hi);
    vv_buf_printf(s->out, " %s\n", s->p->scale_label ? s->p->scale_label : "");
}

static void y_ticks(const vv_axis *a, int about, vv_ticks *out)
{
    if (a->kind == VV_AXIS_LATITUDE || a->kind == VV_AXIS_LONGITUDE)
        vv_ticks_degrees(a->lo, a->hi, about, a->kind == VV_AXIS_LONGITUDE, out);
    else if (a->kind == VV_AXIS_LOG)
        vv_ticks_log(a->lo, a->hi, out);
    else if (a->kind == VV_AXIS_TIME)
        vv_ticks_dates(&a->time, a->lo, a->hi, about, out);
    else
        vv_ticks_numbers(a->lo, a->hi, about, out);
}

static vv_status put_field(screen *s, int columns)
{
    vv_ticks t;
    vv_cells x = {0}, y = {0};
    const vv_axis *across = &s->p->x, *up = &s->p->y;
    bool map = across->kind == VV_AXIS_LONGITUDE && up->kind == VV_AXIS_LATITUDE;
    y_ticks(up, 7, &t);
    int margin = margin_width(&t);
    s->columns = columns - margin - 2 < 16 ? 16 : columns - margin - 2;
    double rows = map ? s->columns * (up->hi - up->lo) / (across->hi - across->lo) / 2 : s->columns / 4.0;
    s->rows = rows < LEAST_ROWS ? LEAST_ROWS : rows > MOST_ROWS ? MOST_ROWS : (int)lrint(rows);
    vv_status status = vv_cells_new(across, false, s->columns, &x);
    if (status == VV_OK) status = vv_cells_new(up, true, s->color ? 2 * s->rows : s->rows, &y);
    for (int row = 0; status == VV_OK && row < s->rows; row++) {
        put_margin(s, &t, row, margin);
        put_field_row(s, &x, &y, row);
        vv_buf_text(s->out, "\n");
    }
    if (status == VV_OK) put_foot(s, across, margin);
    if (status == VV_OK) put_strip(s, margin);
    vv_cells_free(&x);
    vv_cells_free(&y);
    return status;
}

/* --- lines and bars --- */

typedef struct dots {
    int width, height; /* in dots: 2 x 4 a character */
    uint8_t *cell;
} dots;

static void set_dot(dots *d, int x, int y)
{
    static const uint8_t bit[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    if (x < 0 || y < 0 || x >= d->width || y >= d->height) return;
    d->cell[(y / 4) * (d->width / 2) + x / 2] |= bit[y % 4][x % 2];
}

static void draw_stroke(dots *d, double x0, double y0, double x1, double y1)
{
    int n = (int)fmax(fabs(x1 - x0), fabs(y1 - y0)) + 1;
    for (int i = 0; i <= n; i++) set_dot(d, (int)floor(x0 + (x1 - x0) * i / n), (int)floor(y0 + (y1 - y0) * i / n));
}

static void draw_series(const vv_panel *p, const vv_series *s, dots *d)
{
    bool bars = p->kind == VV_PANEL_BARS;
    vv_index n = p->upright ? p->y.n : p->x.n;
    double before[2] = {NAN, NAN};
    for (vv_index i = 0; i < n; i++) {
        double place = bars ? (p->x.edge[i] + p->x.edge[i + 1]) / 2 : p->upright ? p->y.at[i] : p->x.at[i];
        double along = vv_axis_place(p->upright ? &p->y : &p->x, place);
        double across = vv_axis_place(p->upright ? &p->x : &p->y, s->value[i]);
        double x = (p->upright ? across : along) * (d->width - 1);
        double y = (1 - (p->upright ? along : across)) * (d->height - 1);
        if (bars)
            draw_stroke(d, x, d->height - 1, x, y);
        else if (!isnan(y) && !isnan(x))
            draw_stroke(d, isnan(before[0]) ? x : before[0], isnan(before[1]) ? y : before[1], x, y);
        before[0] = isnan(y) ? NAN : x;
        before[1] = isnan(x) ? NAN : y;
    }
}

static void put_dots_row(const screen *s, const dots *all, int row)
{
    for (int i = 0; i < s->columns; i++) {
        int shown = 0, code = 0;
        for (int k = 0; k < s->p->n_series; k++)
            if (all[k].cell[row * s->columns + i]) {
                code |= all[k].cell[row * s->columns + i];
                shown = k;
            }
        if (s->color && code) put_color(s->out, 38, vv_series_color(shown));
        const char text[] = {(char)0xe2, (char)(0xa0 | code >> 6), (char)(0x80 | (code & 63)), 0};
        vv_buf_text(s->out, code ? text : " ");
        if (s->color && code) vv_buf_text(s->out, "\x1b[0m");
    }
}

static void put_names(const screen *s, int margin)
{
    vv_buf_printf(s->out, "%*s", margin + 1, "");
    for (int i = 0; s->p->n_series > 1 && i < s->p->n_series; i++) {
        if (s->color) put_color(s->out, 38, vv_series_color(i));
        vv_buf_printf(s->out, "\u2500%s %s  ", s->color ? "\x1b[0m" : "",
                      s->p->series[i].name ? s->p->series[i].name : "");
    }
    vv_buf_printf(s->out, "%s\n", s->p->y.label ? s->p->y.label : "");
}

static vv_status put_lines(screen *s, int columns)
{
    vv_ticks t;
    dots *all;
    y_ticks(&s->p->y, 5, &t);
    int margin = margin_width(&t);
    s->columns = columns - margin - 2 < 16 ? 16 : columns - margin - 2;
    s->rows = LINE_ROWS;
    VV_TRY(vv_new(&all, (size_t)s->p->n_series, sizeof *all));
    vv_status status = VV_OK;
    for (int k = 0; status == VV_OK && k < s->p->n_series; k++) {
        all[k] = (dots){.width = 2 * s->columns, .height = 4 * s->rows};
        status = vv_new(&all[k].cell, (size_t)s->columns, (size_t)s->rows);
        if (status == VV_OK) draw_series(s->p, &s->p->series[k], &all[k]);
    }
    if (status == VV_OK) put_names(s, margin);
    for (int row = 0; status == VV_OK && row < s->rows; row++) {
        put_margin(s, &t, row, margin);
        put_dots_row(s, all, row);
        vv_buf_text(s->out, "\n");
    }
    if (status == VV_OK) put_foot(s, &s->p->x, margin);
    for (int k = 0; k < s->p->n_series; k++) free(all[k].cell);
    free(all);
    return status;
}

vv_status vv_picture_text(const vv_picture *p, int columns, bool color, vv_buf *out)
{
    if (p->title) vv_buf_printf(out, "%s%s%s\n", color ? "\x1b[1m" : "", p->title, color ? "\x1b[0m" : "");
    if (p->subtitle) vv_buf_printf(out, "%s\n", p->subtitle);
    for (int i = 0; i < p->n_panels; i++) {
        screen s = {.p = &p->panel[i], .color = color, .out = out};
        if (p->panel[i].title) vv_buf_printf(out, "%s\n", p->panel[i].title);
        VV_TRY(s.p->kind == VV_PANEL_FIELD ? put_field(&s, columns) : put_lines(&s, columns));
    }
    return vv_buf_status(out);
}
