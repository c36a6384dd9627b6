/* What a file says about itself: dimensions, variables, attributes. Plain data in memory, the same for every format.
 *
 * Readers fill a vv_meta, writers take one. Strings and arrays are owned by the meta. */
#ifndef VV_STORAGE_DATASET_H
#define VV_STORAGE_DATASET_H

#include "base/dtype.h"
#include "base/index.h"
#include "base/text.h"

typedef struct vv_attr {
    char *name;
    vv_dtype type;  /* VV_NONE: text */
    vv_index count; /* elements, or bytes of the text */
    void *data;     /* host byte order; text is 0-terminated */
} vv_attr;

typedef struct vv_attrs {
    int n;
    vv_attr *item;
} vv_attrs;

typedef struct vv_dim {
    char *name;
    vv_index length;
    bool unlimited;
} vv_dim;

/* Filters that are undone without help of the format's library; numbered for good, as caches may keep them. */
typedef enum vv_filter {
    VV_FILTER_SHUFFLE = 1,
    VV_FILTER_DEFLATE,
    VV_FILTER_FLETCHER32,
    VV_FILTER_ZSTD,
    VV_FILTERS
} vv_filter;
enum { VV_MAX_FILTERS = 4 };
extern const char *const vv_filter_names[VV_FILTERS];

typedef enum vv_layout { VV_LAYOUT_CONTIGUOUS, VV_LAYOUT_CHUNKED, VV_LAYOUT_COMPACT, VV_LAYOUT_OTHER } vv_layout;

typedef struct vv_variable {
    char *name;
    vv_dtype type; /* stored element type; VV_NONE for what is not a number (strings, compounds): see type_text */
    char *
        type_text; /* what the file calls it, for messages and info; VV_CHARS are read and written as bytes, VV_STRINGS as texts */
    bool swapped; /* stored in the byte order that is not the host's */
    vv_shape shape;
    int dim[VV_MAX_DIMS]; /* index into meta->dim */
    vv_layout layout;
    vv_index chunk[VV_MAX_DIMS]; /* stored chunk shape, for VV_LAYOUT_CHUNKED */
    bool shuffle, fletcher32;
    int deflate; /* level, -1 without */
    int zstd;    /* level from 1, 0 without; HDF5's filter 32015 */
    /* Of a file that was read, or of an output whose chunks may come from one: the filters (vv_filter) in the order in which they are applied; bit i of a
     * chunk's filter mask belongs to filter i. An output may leave it to vv_variable_filters().
     * At most one compresses, and what shuffles stands before it. */
    int n_filters;
    unsigned char filter[VV_MAX_FILTERS];
    /* So many elements at the end of each dimension are not stored but fill: a variable may be shorter than its unlimited dimension. */
    vv_index absent[VV_MAX_DIMS];
    unsigned char fill[16]; /* value of elements never written, in `type`, host order */
    vv_bytes
        pitch; /* contiguous: from one index of the first dimension to the next, where other things lie between; else 0 */
    bool fast;          /* chunks may be read raw; else only through the driver's read() */
    char *why_not_fast; /* NULL when fast: "filter szip" */
    vv_bytes stored;    /* bytes on disk */
    vv_attrs attrs;
} vv_variable;

typedef struct vv_meta {
    char *path;
    char *format; /* "NetCDF-4", "HDF5" */
    int n_dims, n_vars;
    vv_dim *dim;
    vv_variable *var;
    vv_attrs attrs;
} vv_meta;

/* What is text among the types that are not numbers: single characters, as netCDF's older formats have them, and strings of any length. */
#define VV_CHARS   "char"
#define VV_STRINGS "string"
static inline bool vv_variable_is(const vv_variable *v, const char *type_text)
{
    return v->type == VV_NONE && v->type_text && !strcmp(v->type_text, type_text);
}
/* Bytes of an element in memory: of a text, one for each character. */
vv_bytes vv_variable_element(const vv_variable *v);

VV_WARN_UNUSED vv_status vv_meta_new(vv_meta **out);
void vv_meta_free(vv_meta **meta);
VV_WARN_UNUSED vv_status vv_meta_add_dim(vv_meta *m, const char *name, vv_index length, bool unlimited, int *id);
/* The new variable has no dimensions, no attributes and contiguous layout; the pointer is valid until the next addition. */
VV_WARN_UNUSED vv_status vv_meta_add_var(vv_meta *m, const char *name, vv_dtype type, vv_variable **out);
int vv_meta_find_var(const vv_meta *m, const char *name); /* -1 when there is none */
int vv_meta_find_dim(const vv_meta *m, const char *name);
/* Layout, chunks, filters and fill value of another variable; byte order is not among them: what is read through HDF5 has the host's. */
void vv_variable_store_like(vv_variable *v, const vv_variable *like);
/* The filters of a variable in the order in which they are applied, VV_MAX_FILTERS at most: the one it names, else shuffle, compression, sum. */
int vv_variable_filters(const vv_variable *v, unsigned char filter[]);
/* True for a 1-D variable with the name of its only dimension. */
bool vv_meta_is_coordinate(const vv_meta *m, int var);

const vv_attr *vv_attr_find(const vv_attrs *a, const char *name);
/* Adds or replaces. */
VV_WARN_UNUSED vv_status vv_attr_set(vv_attrs *a, const char *name, vv_dtype type, vv_index count, const void *data);
VV_WARN_UNUSED vv_status vv_attr_set_text(vv_attrs *a, const char *name, const char *text);
void vv_attr_remove(vv_attrs *a, const char *name);
VV_WARN_UNUSED vv_status vv_attrs_copy(vv_attrs *to, const vv_attrs *from);
void vv_attrs_free(vv_attrs *a);                               /* what is in it */
const char *vv_attr_text(const vv_attrs *a, const char *name); /* NULL when absent or not text */
bool vv_attr_number(const vv_attrs *a, const char *name, vv_index i,
                    double *out); /* element i; false when absent or text */

/* netCDF's fill value of a type, for variables that have no _FillValue of their own. Up to 8 bytes. */
void vv_default_fill(vv_dtype type, void *element);

/* Packed form, so that ranks other than the coordinator need not open the file. */
void vv_meta_pack(const vv_meta *m, vv_buf *out);
VV_WARN_UNUSED vv_status vv_meta_unpack(vv_meta **out, vv_reader *in);

#endif
