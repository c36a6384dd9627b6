/* Moments of pairs, for what is made of them. For src/array only. */
#ifndef VV_ARRAY_PAIRS_H
#define VV_ARRAY_PAIRS_H

#include "array/build.h"

/* Over dims: the moments of each cell along a new last dimension. weights: NULL for none. */
vv_array *vv_node_pairs(vv_array *x, vv_array *y, vv_array *weights, const char *dims, const char *name);
vv_array *vv_node_moment(vv_array *pairs, vv_pair_moment which);
/* A statistic by name, vv_pairs() tells which. samples: how many pairs count for its significance; NULL: all. Arrays made on the way are the caller's to release. */
vv_array *vv_node_of_pairs(vv_array *pairs, const char *what, double ddof, vv_array *samples);

#endif
