/* What builders share: finding dimensions, reading lists of them, taking over what an array already has. For src/array only. */
#ifndef VV_ARRAY_BUILD_H
#define VV_ARRAY_BUILD_H

#include "array/node.h"

/* A half-built node whose building failed becomes the inert one. */
vv_array *vv_node_settle(vv_context *c, vv_array *a, vv_status status);
/* Both operands, for messages: "t (lat: 361) f32, 1.44 kB and u (lat: 180) f32, 720 B". */
enum { VV_TWO_TEXT = 512 };
const char *vv_describe_two(const vv_array *a, const vv_array *b, char out[VV_TWO_TEXT]);
/* What is known of chunks before there is a plan, by dimension; 0 where the planner chooses. */
void vv_node_known_chunks(const vv_array *a, vv_index chunk[]);
/* The first inert one's error, when there is one. */
VV_WARN_UNUSED vv_status vv_nodes_usable(vv_array *const arrays[], int n);
/* A node of a kind with `in` as its only input, and its name and origin; inert when `in` is. */
vv_array *vv_node_upon(vv_array *in, vv_node_kind kind);

/* The dimensions of the stored variable that a node is made of, with their coordinates. */
VV_WARN_UNUSED vv_status vv_node_stored_dims(vv_array *a, const vv_variable *v);

/* The number of a dimension, -1 when there is none; the same as an error that suggests the nearest name. */
int vv_node_dim(const vv_array *a, const char *name);
VV_WARN_UNUSED vv_status vv_node_find_dim(const vv_array *a, const char *name, int *out);

/* Reads "time:8760, lat:all" item by item: *text moves on. `value` is empty where there is none. *any is false at the end. */
typedef struct vv_item_text {
    char name[256], value[64];
} vv_item_text;
VV_WARN_UNUSED vv_status vv_next_item(const char **text, vv_item_text *out, bool *any);
/* Reads "time, lat" name by name: the number of each dimension; -1 at the end. */
VV_WARN_UNUSED vv_status vv_next_dim(const vv_array *a, const char **text, int *out);
/* A positive number. */
VV_WARN_UNUSED vv_status vv_item_number(const vv_item_text *item, vv_index *out);

/* Dimension d of `a` becomes like dimension k of `from`: name, length, coordinate. */
VV_WARN_UNUSED vv_status vv_node_like_dim(vv_array *a, int d, const vv_array *from, int k);
/* Element type, attributes, dimensions, coordinates and groups of another array. */
VV_WARN_UNUSED vv_status vv_node_like(vv_array *a, const vv_array *in);
VV_WARN_UNUSED vv_status vv_grouping_copy(const vv_grouping *from, int dim, vv_grouping *to);
/* Groups of `in` stay groups of `a`, along the dimension of the same name, where `a` has it. */
VV_WARN_UNUSED vv_status vv_node_keep_groups(vv_array *a, const vv_array *in);

/* complex.c: a part of complex numbers (or of reals, which have none), and complex numbers of two parts, which are given away. */
vv_array *vv_node_part(vv_array *in, bool imaginary);
vv_array *vv_node_of_parts(vv_array *re, vv_array *im);
vv_array *vv_node_reduce_complex(vv_array *in, const char *how, const char *dims, const vv_reduce_options *options);

/* Over dimensions whose lanes an operation reduces to one element each ("lanes_median"); NULL dims: all. */
vv_array *vv_node_reduce_lanes(vv_array *in, int op, const char *dims, const vv_reduce_options *options);
/* An operation on lanes, of what the call says without its weights. */
vv_array *vv_node_lanes(vv_array *in, const vv_block_call *call);
/* A reduction with a spec (taken over, whatever happens) of arrays that are lined up like operands; NULL dims: over all. Its elements are of a type; those of a cell lie along a
 * new last dimension, if there is one. */
vv_array *vv_node_reduce_told(vv_array *const arrays[], int n, const vv_reduction *kind, vv_red_spec *spec,
                              vv_dtype type, const char *dims, const char *name, const char *length_dim);
/* Which dimensions a list names; NULL or nothing: all. */
VV_WARN_UNUSED vv_status vv_node_named_dims(const vv_array *in, const char *dims, bool named[]);

/* The month, the hour ... of each time along a dimension, seasons from 0 (DJF) to 3; VV_INDEX_MAX where the time is missing. To be freed. */
VV_WARN_UNUSED vv_status vv_date_part_keys(const vv_array *a, int d, const char *part, vv_table **out);

/* Appends a part to a view; it is taken over whatever happens. */
VV_WARN_UNUSED vv_status vv_node_add_part(vv_array *a, vv_part *p);

/* `old` has served to build `made`: one handle less. vv_node_then(x, vv_flip(x, "lat")). */
static inline vv_array *vv_node_then(vv_array *old, vv_array *made)
{
    vv_release(&old);
    return made;
}
/* Elements a, a + b, a + 2 b ... along a new array's only dimension; VV_F64 or VV_I64. */
vv_array *vv_node_sequence(vv_context *c, const char *dim, vv_index n, double a, double b, vv_dtype dtype);
/* vv_unique(), vv_union1d() and vv_isin() where one array at least is complex (lookup_complex.c). */
vv_array *vv_node_unique_complex(vv_array *a, const char *new_dim, vv_array **counts, vv_array **inverse);
vv_array *vv_node_union_complex(vv_array *a, vv_array *b, const char *new_dim);
vv_array *vv_node_isin_complex(vv_array *in, vv_array *set, bool invert);
/* Numbers of its own along one dimension: n of a working type, as elements of another one. */
vv_array *vv_node_listed(vv_context *c, const char *dim, vv_index n, const void *x, vv_dtype in, vv_dtype dtype);
/* The result of one operation upon others keeps the name, the attributes and the origin of the array that it is still about. */
vv_array *vv_node_about(vv_array *made, const vv_array *in);
/* Names and lengths, "lat:180,lon:360", as dimensions behind those that are there. */
VV_WARN_UNUSED vv_status vv_node_read_dims(vv_array *a, const char *dims);
/* A position that counts from the end when negative. */
VV_WARN_UNUSED vv_status vv_node_position(const vv_array *a, int d, vv_index *at);
/* Elements of `a` with the dimensions and coordinates of `like`, which has the same shape. */
vv_array *vv_node_labelled_as(vv_array *a, const vv_array *like);

/* The first and last elements along dimension d as a line from `value` to the next one. */
vv_array *vv_node_ramp(vv_array *a, int d, vv_index before, vv_index after, double value);

/* Whether all elements of it are reduced and too many to be ordered in one place; their quantile, or with how -1 their median (order_long.c). */
bool vv_node_is_long(const vv_array *a, const bool along[]);
vv_array *vv_node_select_long(vv_array *a, int how, double q, bool keep_nan);

/* Values of an array as reals, so that they can be missing: integers become f64, complex numbers are refused; the same with complex numbers as they are. */
vv_array *vv_node_as_real(vv_array *a);
vv_array *vv_node_as_inexact(vv_array *a);
/* An elementwise operation on one array or, where b is not NULL, two, which are given away. */
vv_array *vv_node_of(const char *op, vv_array *a, vv_array *b);
/* All of an array as a view of it: something to hang other labels on. */
vv_array *vv_node_seen_again(vv_array *in);
/* The same, without groups. */
vv_array *vv_node_ungrouped(vv_array *in);
/* Seen with these dimensions, in this order: those that `a` lacks are broadcast. `labels` (or NULL): its dimension `group` is looked up along
 * dimension `along` of the result; entries of -1 are missing. The caller has one reference; of `a` itself when nothing changes. */
vv_array *vv_node_seen_as(vv_array *a, const vv_array *shape, const char *group, int along, vv_table *labels);

#endif
