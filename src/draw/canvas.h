/* Canvases: what pictures are drawn on. One kind for each format, as a table of functions; what is drawn does not know which.
 *
 * Lengths are pixels of a screen at 100 dots per inch; `scale` says how many real pixels one of them has. PNG and PDF are drawn by cairo, SVG is written here,
 * so that its text stays text: it can be searched, and edited in a drawing program. */
#ifndef VV_DRAW_CANVAS_H
#define VV_DRAW_CANVAS_H

#include "base/text.h"
#include "draw/color.h"

typedef enum vv_anchor { VV_ANCHOR_LEFT, VV_ANCHOR_MIDDLE, VV_ANCHOR_RIGHT } vv_anchor;

typedef struct vv_font {
    double size;
    bool bold, upwards; /* upwards: turned by a right angle, for labels of vertical axes */
    vv_rgb color;
} vv_font;

typedef struct vv_line {
    double width; /* 0: the shape is filled */
    vv_rgb color;
    double alpha;
} vv_line;

/* A picture of pixels: rows from the top, 4 bytes each: red, green, blue, and 255 or 0 where there is nothing. */
typedef struct vv_pixels {
    int width, height;
    uint8_t *rgba;
} vv_pixels;

typedef struct vv_canvas {
    const struct vv_canvas_kind *kind;
    double width, height, scale;
    const char *title; /* for formats that can say what they show */
    vv_buf out;        /* the file */
    void *state;       /* the kind's own */
    int clips;         /* so far */
} vv_canvas;

typedef struct vv_canvas_kind {
    const char *ending; /* ".png" */
    vv_status (*open)(vv_canvas *c);
    /* n points, x and y in turn; NaN begins another stroke. Filled shapes are closed. */
    void (*shape)(vv_canvas *c, const double *xy, int n, const vv_line *line);
    /* y is the base line; of text that runs upwards, x is. */
    void (*text)(vv_canvas *c, double x, double y, const char *text, const vv_font *font, vv_anchor anchor);
    double (*text_width)(vv_canvas *c, const char *text, const vv_font *font);
    void (*image)(vv_canvas *c, double x, double y, double width, double height, const vv_pixels *p);
    /* Nothing is drawn outside until clip_end. */
    void (*clip)(vv_canvas *c, double x, double y, double width, double height);
    void (*clip_end)(vv_canvas *c);
    /* The last call: completes `out` and frees the state. */
    vv_status (*close)(vv_canvas *c);
} vv_canvas_kind;

/* By the ending of a file's name; an error lists those that there are. */
VV_WARN_UNUSED vv_status vv_canvas_kind_of(const char *path, const vv_canvas_kind **out);
bool vv_canvas_has_ending(const char *path);

/* Shapes that everything is made of. */
void vv_draw_rect(vv_canvas *c, double x, double y, double width, double height, const vv_line *line);
void vv_draw_segment(vv_canvas *c, double x0, double y0, double x1, double y1, const vv_line *line);
static inline vv_rgb vv_rgb_hex(uint32_t hex)
{
    return (vv_rgb){(hex >> 16 & 255) / 255.0, (hex >> 8 & 255) / 255.0, (hex & 255) / 255.0};
}

/* A PNG of pixels: RGB where all are opaque, else RGBA. dpi 0: not said. */
VV_WARN_UNUSED vv_status vv_png_encode(const vv_pixels *p, int dpi, const char *title, vv_buf *out);

#endif
