/* What tells the positions along a stored dimension: its coordinate variable, of numbers or of strings. For src/array. */
#ifndef VV_ARRAY_POSITIONS_H
#define VV_ARRAY_POSITIONS_H

#include "array/node.h"

/* The coordinate variable of a dimension; -1: there is none. And that only where it holds numbers. */
int vv_positions_variable(const vv_meta *m, int dim);
int vv_positions_number_variable(const vv_meta *m, int dim);

/* Its values, to be freed: strings by their numbers (text.h). *out is NULL without a coordinate. And those of numbers only. */
VV_WARN_UNUSED vv_status vv_positions_read(vv_dataset *d, int dim, double **out);
VV_WARN_UNUSED vv_status vv_positions_read_numbers(vv_dataset *d, int dim, double **out);
/* One of its values, for messages. */
const char *vv_positions_text(vv_dataset *d, int dim, double value, char *out, size_t size);

#endif
