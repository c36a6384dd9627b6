/* The parts of pictures, and what they share. For src/draw only. */
#ifndef VV_DRAW_PARTS_H
#define VV_DRAW_PARTS_H

#include "draw/canvas.h"
#include "draw/picture.h"
#include "draw/ticks.h"

typedef struct vv_box {
    double x, y, width, height;
} vv_box;

/* Sizes of letters and gaps. */
#define VV_TITLE_SIZE    22.0
#define VV_SUBTITLE_SIZE 14.5
#define VV_HEAD_SIZE     15.0
#define VV_LABEL_SIZE    15.0
#define VV_TICK_SIZE     14.0
#define VV_TICK_LENGTH   5.0
#define VV_BAR_WIDTH     18.0
#define VV_BAR_GAP       24.0

extern const vv_rgb vv_ink, vv_faint;

vv_font vv_draw_font(double size, bool bold, vv_rgb color);

/* axes.c: ticks that fit, their room, and drawing them. */
void vv_ticks_of(vv_canvas *c, const vv_axis *a, bool horizontal, double length, vv_ticks *out);
double vv_axis_room(vv_canvas *c, const vv_axis *a, bool horizontal, double length);
void vv_draw_axis(vv_canvas *c, const vv_axis *a, bool horizontal, const vv_box *box, bool named);
void vv_draw_grid(vv_canvas *c, const vv_panel *p, const vv_box *box);
/* "temperature (10⁻⁵ K)", to be freed. */
char *vv_axis_title(const char *label, int power);
double vv_widest(vv_canvas *c, const vv_ticks *t);

/* field.c: which cells a row of pixels shows: the first and last one, of those whose middles lie in the pixel, or the one that it lies in; -1: none. */
typedef struct vv_cells {
    int *first, *last;
} vv_cells;
VV_WARN_UNUSED vv_status vv_cells_new(const vv_axis *a, bool vertical, int pixels, vv_cells *out);
void vv_cells_free(vv_cells *c);
double vv_cells_mean(const vv_panel *p, const vv_cells *x, const vv_cells *y, int i, int j);
VV_WARN_UNUSED vv_status vv_draw_field(vv_canvas *c, const vv_panel *p, const vv_box *box);

/* bar.c: the colour bar. */
double vv_bar_room(vv_canvas *c, const vv_panel *p, double height);
VV_WARN_UNUSED vv_status vv_draw_bar(vv_canvas *c, const vv_panel *p, const vv_box *box);

/* lines.c: lines, bars and their legend. */
vv_rgb vv_series_color(int i);
void vv_draw_lines(vv_canvas *c, const vv_panel *p, const vv_box *box);
void vv_draw_bars(vv_canvas *c, const vv_panel *p, const vv_box *box);
/* The legend in rows of this width, from x, y on; returns its height. measure: nothing is drawn. */
double vv_draw_legend(vv_canvas *c, const vv_panel *p, double x, double y, double width, bool measure);

#endif
