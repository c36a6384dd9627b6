/* Pictures of arrays: maps, sections, lines, histograms, as PNG, SVG or PDF, or as characters.
 *
 *     vv_plot(&anomaly, NULL, 1, "map.png", NULL);
 *
 * What is drawn along which axis follows from what coordinates mean (units, axis, standard_name, positive, as CF has them): longitudes to the right and latitudes upwards, pressure
 * and depth downwards, times with dates of their calendar. Dimensions that are not drawn are taken at their first position, which the subtitle tells. A large field is
 * reduced to the picture's pixels on the ranks that have it: rank 0 gets means of blocks of cells, never all of them. All functions: Driver only. */
#ifndef VARVE_PLOT_H
#define VARVE_PLOT_H

#include "varve/output.h"

#include <math.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum vv_plot_kind {
    VV_PLOT_AUTO,     /* two dimensions or more: a map; one: a line */
    VV_PLOT_MAP,      /* colours over two dimensions: maps, sections, Hovmöller diagrams */
    VV_PLOT_LINE,     /* along one */
    VV_PLOT_HISTOGRAM /* of all values */
} vv_plot_kind;

typedef struct vv_plot_options {
    vv_plot_kind kind;
    const char *dims; /* along the axes: "time", "level,lat"; NULL: chosen */
    const char
        *select; /* as vv_select() reads it, several with commas between: "time=1990-01,level=850"; "season=JJA" */
    const char *panels; /* a dimension: a panel for each of its positions; NULL: none. Several fields are panels, too */
    const char *title;  /* NULL: from attributes */
    const char *cmap;   /* vv_plot_colormap_name(), with "_r" the other way round; NULL: chosen */
    double vmin, vmax;  /* limits of colours, or of the axis of a line's values; NAN: from the data */
    double center;      /* a diverging map's palest colour belongs here; NAN: 0 where values lie on both sides of it */
    bool uncentered;    /* nowhere */
    bool robust;        /* limits from the 2nd to the 98th percentile of what is shown */
    const char *levels; /* classes of one colour each: about so many ("10"), or between these borders ("-4,-2,0,2,4") */
    int bins;           /* of a histogram; 0: 40 */
    int width, height;  /* in pixels; 0: what suits */
    int dpi;            /* pixels of an inch: how large letters and lines are; 0: 100 */
    bool overwrite;
} vv_plot_options;
#define VV_PLOT_OPTIONS_INIT                                                                                           \
    {                                                                                                                  \
        .vmin = (double)NAN, .vmax = (double)NAN, .center = (double)NAN                                                \
    }

/* n arrays in one picture; path ends in .png, .svg or .pdf and gets the picture when it is complete. names: what to call them, NULL for their own. */
VV_API VV_WARN_UNUSED vv_status vv_plot(vv_array *const arrays[], const char *const names[], int n, const char *path,
                                        const vv_plot_options *options);
/* The same as characters for a terminal of so many columns; color: with escape sequences for 24-bit colours. *text is freed with free(). */
VV_API VV_WARN_UNUSED vv_status vv_plot_text(vv_array *const arrays[], const char *const names[], int n, int columns,
                                             bool color, const vv_plot_options *options, char **text);
/* The plan of what a picture of this width computes; nothing is drawn. *text is freed with free(). */
VV_API VV_WARN_UNUSED vv_status vv_plot_explain(vv_array *const arrays[], int n, const vv_plot_options *options,
                                                const vv_explain_options *how, char **text);

/* Numbers as curves, in panels side by side: scaling curves, for example. */
typedef struct vv_curve {
    const char *name; /* NULL: what the curve before it is measured against, drawn pale in its colour */
    const double *y;  /* NAN: none */
} vv_curve;
typedef struct vv_curves {
    const char *title, *x_label, *y_label;
    int n, n_curves;
    const double *x; /* n places, rising */
    const vv_curve *curve;
    bool log_x, log_y; /* of values above zero */
} vv_curves;
/* path and options as of vv_plot(): title, width, height, dpi and overwrite count. Local. */
VV_API VV_WARN_UNUSED vv_status vv_plot_curves(const vv_curves panels[], int n, const char *path,
                                               const vv_plot_options *options);

/* Whether a file's name ends as a picture's does. Local. */
VV_API bool vv_plot_is_picture(const char *path);
/* Colour maps and what they look like: NULL past the end. Local. */
VV_API const char *vv_plot_colormap_name(int i);
VV_API const char *vv_plot_colormap_help(int i);

#ifdef __cplusplus
}
#endif
#endif
