/* Several files as one dataset. For src/array and src/session.
 *
 * Files of one series have the same variables on the same grid and differ along one dimension, time as a rule. Joined they look like one file: its variables
 * that have this dimension are those of all files, one behind the other, ordered by the values of the dimension's coordinate; the others are the first
 * file's. What files disagree about is settled, or refused with the names of file and attribute, when they are joined:
 *
 *   the other dimensions   lengths and coordinates are the same in all files
 *   order, overlap         each file's coordinate is strictly monotonic, all in one direction, and no two files overlap
 *   gaps                   are allowed; a warning tells where the step from one file to the next is longer than any within them
 *   units of time          may differ: values become those of the first file's units (and are f64 from then on). Calendars may not
 *   other units            are the same
 *   packing, element type  may differ: each file's elements are decoded by its own attributes
 *   chunks, filters        may differ; that costs reading, not correctness
 *   other attributes       are the first file's; a log line (info; for standard_name and cell_methods a warning) tells what differs and where
 *   missing variables      one that has the dimension must be in all files, else it is left out with a warning; others come from the first file that
 *                          has them
 *
 * Of the data nothing is read for this but coordinates. */
#ifndef VV_ARRAY_JOINED_H
#define VV_ARRAY_JOINED_H

#include "array/node.h"

/* The files, as opened datasets, in the order given; dim NULL: the one dimension along which they differ. `name` is what messages call it. An inert
 * dataset when they cannot be joined. The context owns it. */
vv_dataset *vv_dataset_join_in(vv_context *c, const char *name, vv_dataset *const files[], int n, const char *dim);

/* A dataset that was opened by somebody else, as vv_dataset_open_in() would make it; the file is taken over. */
vv_dataset *vv_dataset_of_file(vv_context *c, vv_file **file);

/* Path of file i in the order of the joined dataset. */
const char *vv_joined_file(const vv_dataset *d, int i);
/* Variable `var` of a joined dataset. */
vv_array *vv_node_joined(vv_dataset *d, int var, bool decoded);

#endif
