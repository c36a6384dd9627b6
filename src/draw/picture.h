/* Pictures: what is to be drawn, as numbers and words, and nothing of where they come from.
 *
 * A picture has a title and panels. A panel has two axes and either a field (values of cells), lines (values at places along one of the axes) or bars. How large margins
 * are, where ticks go and how panels are put side by side follows from what is in them. */
#ifndef VV_DRAW_PICTURE_H
#define VV_DRAW_PICTURE_H

#include "base/calendar.h"
#include "base/text.h"
#include "draw/color.h"

typedef enum vv_axis_kind {
    VV_AXIS_NUMBERS,
    VV_AXIS_LOG,
    VV_AXIS_LONGITUDE,
    VV_AXIS_LATITUDE,
    VV_AXIS_TIME
} vv_axis_kind;

typedef struct vv_axis {
    vv_axis_kind kind;
    bool down;  /* values grow downwards, as pressure does */
    bool whole; /* NUMBERS: there is nothing between whole ones */
    vv_time_axis time;
    char *label;   /* NULL: none */
    double lo, hi; /* lo < hi */
    vv_index n;
    double *at;   /* n places; NULL: an axis of values */
    double *edge; /* n + 1 borders of cells, ascending or descending; NULL: points */
} vv_axis;

typedef struct vv_series {
    char *name;
    double *value;      /* one for each place; NaN: missing */
    double *low, *high; /* a band around it; NULL: none */
    bool pale;          /* LINES: what the series before it is measured against: of its colour, without dots and name */
} vv_series;

typedef enum vv_panel_kind { VV_PANEL_FIELD, VV_PANEL_LINES, VV_PANEL_BARS } vv_panel_kind;

typedef struct vv_panel {
    vv_panel_kind kind;
    char *title; /* NULL: none */
    vv_axis x, y;
    double *value; /* FIELD: y.n rows of x.n; NaN: missing */
    vv_scale scale;
    char *scale_label;
    vv_series *series; /* LINES, BARS */
    int n_series;
    bool upright; /* LINES: places lie along y, values along x */
} vv_panel;

typedef struct vv_picture {
    char *title, *subtitle; /* NULL: none */
    vv_panel *panel;
    int n_panels;
    bool one_scale;       /* of all panels */
    bool one_legend;      /* the first panel's is that of all */
    int columns;          /* of panels; 0: what suits */
    double width, height; /* in pixels of 1/100 inch; 0: what suits */
    double scale;         /* real pixels for each */
} vv_picture;

/* Frees what is in it. */
void vv_picture_free(vv_picture *p);

/* The whole file, of the format that the ending of `path` names. */
VV_WARN_UNUSED vv_status vv_picture_draw(const vv_picture *p, const char *path, vv_buf *out);
/* For terminals: fields and lines as characters, `columns` wide; color: by escape sequences, else by shades. */
VV_WARN_UNUSED vv_status vv_picture_text(const vv_picture *p, int columns, bool color, vv_buf *out);

/* Where a value lies along an axis: 0 at its beginning, 1 at its end, left to right and bottom to top. */
double vv_axis_place(const vv_axis *a, double value);

#endif
