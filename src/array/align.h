/* Operands with the same labels (align.c). */
#ifndef VV_ARRAY_ALIGN_H
#define VV_ARRAY_ALIGN_H

#include "array/node.h"

/* Operands whose elements are labelled in another order than those of an earlier one are replaced by views of them in that order; where labels differ, that is an error, or, with inner,
 * all are reduced to what all have. */
VV_WARN_UNUSED vv_status vv_node_line_up(vv_array *operands[], int n, bool inner);

#endif
