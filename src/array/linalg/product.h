/* Products of two arrays, summed over dimensions: what product.c and einsum.c share. For src/array only. */
#ifndef VV_ARRAY_LINALG_PRODUCT_H
#define VV_ARRAY_LINALG_PRODUCT_H

#include "array/build.h"

/* What becomes of the dimensions of two factors. */
typedef struct vv_pairing {
    const char *what;            /* for messages: "matmul" */
    int same[VV_MAX_DIMS];       /* dimension of the first one that is dimension d of the second one, or -1 */
    bool summed[2][VV_MAX_DIMS]; /* those of the first one, those of the second one */
    const char
        *label[VV_MAX_DIMS]; /* of the second one: its name in the result if its own is taken; NULL: that is an error */
} vv_pairing;

/* No dimension is the same as another one. */
void vv_pairing_begin(vv_pairing *p, const char *what);
/* The product: something is summed over; what is, both factors have. */
vv_array *vv_node_product(vv_array *left, vv_array *right, const vv_pairing *p);

#endif
