/* Views along one dimension: which positions of the input follow each other. */
#ifndef VV_ARRAY_TRACK_H
#define VV_ARRAY_TRACK_H

#include "array/build.h"

/* A stretch of the result along the dimension: positions start, start + step, ... of the input; step 0: the same again and again; start -1: nothing. */
typedef struct vv_stretch {
    vv_index n, start, step;
} vv_stretch;

/* One or a few stretches, or a table of positions. */
typedef struct vv_track {
    vv_index n; /* elements of the result */
    int n_stretches;
    vv_stretch at[3];
    vv_table *table; /* borrowed; then there are no stretches */
} vv_track;

/* Behind what there is: n positions from start on; n <= 0: none. */
void vv_track_add(vv_track *t, vv_index n, vv_index start, vv_index step);

/* The view of `in` that the track makes of dimension d; `fill` where elements come from nowhere. */
vv_array *vv_node_tracked(vv_array *in, int d, const vv_track *t, double fill);
/* The same by positions, which are >= 0. */
vv_array *vv_node_taken(vv_array *in, int d, vv_table *positions);

#endif
