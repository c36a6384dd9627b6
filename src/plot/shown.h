/* From arrays to pictures: what is shown of each array, and where. For src/plot only.
 *
 *     choose.c    arrays -> shown: which dimensions lie along the axes, what becomes of the others, panels
 *     fetch.c     shown -> numbers: reduced to the picture's pixels by the ranks, then gathered
 *     limits.c    numbers -> scales: limits, centre, classes
 *     compose.c   everything -> a vv_picture, which src/draw draws
 *     curves.c    numbers of the user's -> a vv_picture of lines
 *     curvilinear.c   fields on grids whose latitudes and longitudes have two dimensions
 *     labels.c    what attributes and coordinates say, as people write it */
#ifndef VV_PLOT_SHOWN_H
#define VV_PLOT_SHOWN_H

#include "array/node.h"
#include "base/text.h"
#include "draw/picture.h"
#include "varve/plot.h"

/* What a dimension's coordinate is. */
typedef enum vv_direction { VV_ALONG_OTHER, VV_ALONG_LON, VV_ALONG_LAT, VV_ALONG_LEVEL, VV_ALONG_TIME } vv_direction;

/* Latitudes and longitudes of two dimensions: variables of the array's file, and the array's dimensions y and x. lat -1: none. */
typedef struct vv_plot_grid {
    int lat, lon, y, x;
} vv_plot_grid;

/* One field, line or histogram. */
typedef struct vv_shown {
    vv_array *array;                  /* its dimensions are those drawn: y and x, or one; of a histogram all */
    vv_array *source;                 /* what it was taken from: for titles */
    const char *name;                 /* what the user calls it */
    char *place;                      /* where dimensions were taken that are not drawn: "1990-01-01, 850 hPa" */
    char *panel_place, *series_place; /* of the dimension that panels, or lines, belong to */
    int panel;
    vv_index factor[2]; /* so many elements became one along each dimension */
    int n_values;
    vv_array *reduced[3]; /* what is computed: means, and of long lines the least and the greatest */
    double *value[3];
    vv_plot_grid grid;
    double *edge; /* of a histogram's bins */
} vv_shown;

typedef struct vv_plotting {
    const vv_plot_options *o;
    vv_plot_kind kind;
    int n, room;
    vv_shown *item;
    int n_panels, n_arrays;
    double width; /* of the picture in real pixels, or of a terminal in characters */
} vv_plotting;

enum { VV_PLOT_PANELS = 36, VV_PLOT_LINES = 8 };

/* Fills p->item, in the order of panels. */
VV_WARN_UNUSED vv_status vv_plot_choose(vv_plotting *p, vv_array *const arrays[], const char *const names[], int n);
/* Arrays of what is computed; then the computing. */
VV_WARN_UNUSED vv_status vv_plot_reduce(vv_plotting *p);
VV_WARN_UNUSED vv_status vv_plot_fetch(vv_plotting *p);
VV_WARN_UNUSED vv_status vv_plot_compose(const vv_plotting *p, vv_picture *out);
VV_WARN_UNUSED vv_status vv_plot_compose_curves(const vv_curves panels[], int n, const char *title, vv_picture *out);
/* The scale of n values in several pieces. */
VV_WARN_UNUSED vv_status vv_plot_scale(const vv_plot_options *o, const vv_shown *first, double *const value[],
                                       const vv_index n[], int pieces, vv_scale *out);
/* curvilinear.c: the grid of an array, if it has one; its latitudes and longitudes as s->reduced[1] and [2]; and the field on a regular grid. */
bool vv_plot_find_grid(const vv_array *a, vv_plot_grid *out);
VV_WARN_UNUSED vv_status vv_plot_reduce_grid(vv_shown *s);
VV_WARN_UNUSED vv_status vv_plot_paint_grid(const vv_shown *s, double pixels, vv_panel *out);
void vv_plotting_free(vv_plotting *p);

/* --- labels.c --- */

vv_direction vv_plot_direction(const vv_array *a, int d);
/* By units and standard_name, which may be NULL: longitude, latitude or other. */
vv_direction vv_plot_direction_of(const char *units, const char *standard_name);
/* Values of a coordinate, to be freed; NULL without error when there are none, or they neither ascend nor descend (*out), and then positions are drawn. */
VV_WARN_UNUSED vv_status vv_plot_coordinate(const vv_array *a, int d, double **out);
const char *vv_plot_coord_attr(const vv_array *a, int d, const char *name);
/* Grows downwards: depth, pressure. And pressure of the air, whose axis is logarithmic when it goes far up. */
bool vv_plot_grows_down(const vv_array *a, int d);
bool vv_plot_is_pressure(const vv_array *a, int d);
/* All of these are to be freed; NULL without memory. */
char *vv_plot_units(const vv_array *a);                            /* "m s⁻¹"; "" without */
char *vv_plot_pretty_units(const char *units);                     /* the same of a text */
char *vv_plot_title_of(const vv_array *a, const char *name);       /* "2 metre temperature, mean over time" */
char *vv_plot_dim_label(const vv_array *a, int d, bool positions); /* "pressure [hPa]"; of positions "x" */
char *vv_plot_place_text(const vv_array *a, int d, vv_index at,
                         bool first); /* "1990-01-01"; first: ", first of 1096" */
bool vv_plot_is_celsius(const vv_array *a);
bool vv_plot_is_anomaly(const vv_array *a, const char *name);

#endif
