/* Chunks of any lengths, "time:31+28+31", for functions of chunks. For src/array. */
#ifndef VV_ARRAY_PIECES_H
#define VV_ARRAY_PIECES_H

#include "array/apply.h"

/* The first item of a list of chunks that has several lengths. */
typedef struct vv_pieces {
    const char *begin, *lengths, *after; /* in the list */
    size_t name;                         /* so many characters from begin on */
} vv_pieces;

bool vv_pieces_find(const char *chunks, vv_pieces *out);
/* Its lengths, to be freed. */
VV_WARN_UNUSED vv_status vv_pieces_read(const vv_pieces *p, vv_index **length, vv_index *count, vv_index *sum);

/* "lat:5" and what was said in this way when an array was rechunked, of other dimensions than these. */
VV_WARN_UNUSED vv_status vv_pieces_of_array(const vv_array *a, const char *chunks, vv_buf *out);

/* vv_map_blocks() whose options' chunks have pieces. */
vv_array *vv_node_map_pieces(vv_context *c, vv_block_function *f, vv_array *const in[], int n,
                             const vv_apply_options *o, const vv_pieces *p);

#endif
