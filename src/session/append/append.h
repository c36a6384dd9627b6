/* Appending to an output that is there: new elements along its unlimited dimension, stored as the file stores what it has.
 *
 * The file decides: its element types, packing, units of time, chunks and filters are those of the new elements too, and what does not fit is an error
 * before any work. All of its variables along the dimension get new elements; whatever else it has stays as it is. It is copied first and takes the old one's
 * place when it is complete (storage/original.c).
 *
 *     append.c         opens the file and matches items with its variables
 *     append_values.c  coordinates and other small variables: values in the file's own terms
 *     append_store.c   results: how they are encoded, and chunks that continue those of the file */
#ifndef VV_SESSION_APPEND_H
#define VV_SESSION_APPEND_H

#include "base/calendar.h"
#include "session/output/file.h"

typedef struct vv_time_change {
    vv_time_axis from, to;
} vv_time_change;

struct vv_append {
    vv_original *original;
    vv_dataset *file; /* as it is; nobody else's */
    int dim;          /* of it, along which it grows */
    vv_growth growth;
    vv_bytes copied;
};

/* Opens the file at o->path, which becomes its real path. o->append stays NULL when there is none: then a new file is made. */
VV_WARN_UNUSED vv_status vv_append_begin(vv_output *o);
void vv_append_end(vv_output *o);
/* A new file that will be appended to: sees to it that it can grow. */
VV_WARN_UNUSED vv_status vv_append_first(vv_output *o);
/* Matches the items with the file's variables, by vv_item.base; leaves out what stays as it is. */
VV_WARN_UNUSED vv_status vv_append_items(vv_output *o);

/* The variables of the items, in their order, as the file has them and with the lengths that they shall have. */
VV_WARN_UNUSED vv_status vv_append_meta(const vv_output *o, vv_meta **out);
/* Whether the elements of two variables are the same bytes for the same values. */
bool vv_append_alike(const vv_meta *a, int va, const vv_meta *b, int vb);
/* Replaces a carried or made item by its values as variable `base` of the file stores them; `here`: the item's variable as it would be in a new file. */
VV_WARN_UNUSED vv_status vv_append_values(vv_output *o, vv_item *item, const vv_meta *here, int var);
/* Times that were gathered become the file's. */
VV_WARN_UNUSED vv_status vv_append_times(const vv_output *o, vv_item *item);
/* The coordinate goes on where the file's ends. */
VV_WARN_UNUSED vv_status vv_append_order(const vv_output *o, const vv_item *item);
/* The coordinate of another dimension is that of the file. */
VV_WARN_UNUSED vv_status vv_append_same(const vv_output *o, const char *dim);

/* The type that the elements of an array are computed as. */
vv_dtype vv_append_type(const vv_output *o, const vv_item *item);
/* How values of this working type become elements of a variable. */
VV_WARN_UNUSED vv_status vv_append_encode(const vv_variable *v, vv_dtype in, vv_encode *out);
/* An array item: small ones are gathered; others get the chunks of the file. raw: it has the file's elements already. */
VV_WARN_UNUSED vv_status vv_append_array(vv_output *o, vv_item *item, bool raw);
VV_WARN_UNUSED vv_status vv_append_lay_out(const vv_output *o, const vv_item *item, vv_variable *v, vv_prepared *p,
                                           int step);

/* Copies the file and opens the copy. */
VV_WARN_UNUSED vv_status vv_append_open(vv_output *o, const vv_meta *meta, vv_writer **w);

#endif
