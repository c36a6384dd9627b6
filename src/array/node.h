/* Lazy nodes: an array is a node of a graph that nobody has computed yet.
 *
 * A node knows what a user can ask about it (name, dimensions, element type, attributes) and how it is made from other nodes. It holds no data
 * and knows nothing of plans or ranks. Nodes live in a context, one a session, and are counted: the user's handle is one reference,
 * each node built on it another.
 *
 * A failed node is inert: `status` and `error` tell the first cause; builders pass it on instead of failing themselves. */
#ifndef VV_ARRAY_NODE_H
#define VV_ARRAY_NODE_H

#include "base/index.h"
#include "base/mem.h"
#include "base/view.h"
#include "kernels/block/op.h"
#include "kernels/codec/decode.h"
#include "kernels/program/program.h"
#include "kernels/random/random.h"
#include "kernels/reduce.h"
#include "kernels/tile/tile.h"
#include "kernels/user.h"
#include "storage/storage.h"
#include "varve/apply.h"
#include "varve/array.h"
#include "varve/dataset.h"

/* Numbers shared by who refers to them: coordinates are long, and every node of a chain has them. */
typedef struct vv_values {
    int references;
    vv_index n;
    double at[];
} vv_values;
VV_WARN_UNUSED vv_status vv_values_new(vv_index n, vv_values **out); /* one reference */
vv_values *vv_values_share(vv_values *v);                            /* NULL stays NULL */
void vv_values_free(vv_values **v);

/* Every string that was met, once; by number (text.h). */
typedef struct vv_texts {
    vv_index n, n_slots;
    const char **at;
    vv_index *slot; /* by hash: number + 1, 0 where free */
    int n_blocks;
    char **block; /* where they are */
} vv_texts;

/* What elements stand for where they are not numbers (text.h). */
typedef enum vv_text { VV_TEXT_NOT, VV_TEXT_CHARS, VV_TEXT_STRINGS } vv_text;

typedef struct vv_context {
    vv_array *arrays;     /* all nodes, linked: the newest first */
    int64_t made;         /* so far */
    vv_dataset *datasets; /* all opened files, linked */
    vv_texts texts;
    void (*forget)(struct vv_context *c, int number); /* nobody wants a held array any more; may be NULL */
    vv_status (*compute)(vv_array *a, void *buffer, vv_bytes bytes); /* now, for masks; NULL without a session */
} vv_context;

/* An opened file, or several joined (joined.h), with what CF says about its variables. */
struct vv_dataset {
    vv_context *context;
    vv_dataset *next;
    char *path;
    vv_status status;
    vv_failure error;
    bool outdated; /* the file has been replaced: nobody else gets it */
    int n_files;
    char *key;          /* of joined files: what they were opened by */
    vv_file *file;      /* NULL when inert */
    vv_role *role;      /* of each variable */
    vv_values **values; /* of each variable: its values, once somebody wanted them as a coordinate */
    int64_t **texts;    /* of each variable of strings: their numbers, once somebody wanted them */
    int told_of; /* a variable of so much text that it is no coordinate: 1 + its number, once somebody was told */
};

typedef enum vv_node_kind {
    VV_NODE_SCALAR,
    VV_NODE_OPEN,   /* a stored variable */
    VV_NODE_RANDOM, /* random numbers, by linear index */
    VV_NODE_MAP, /* elementwise; all inputs but scalars have the node's own shape: others were broadcast by a view before */
    VV_NODE_VIEW,    /* elements of the inputs at other places: parts, whose `from` is the number of an input */
    VV_NODE_REDUCE,  /* over dimensions, perhaps by group */
    VV_NODE_BLOCK,   /* windows and scans: an operation on a whole block; the shape stays */
    VV_NODE_TILE,    /* of one or two matrices, in whole pieces: factorisations */
    VV_NODE_PRODUCT, /* of two inputs, summed over one dimension of each */
    VV_NODE_USER, /* a function of the user's, of blocks of the inputs; dimensions behind user->result_nd have length 1 */
    VV_NODE_RESHAPE, /* the same elements in the same order in another shape: dimensions are merged or split */
    VV_NODE_RECHUNK, /* the same elements in chunks of another shape */
    VV_NODE_HELD     /* stands for a persisted array in plans: its chunks are with the ranks */
} vv_node_kind;

/* The coordinate of a dimension. A dimension that is as it was in a file has the file's coordinate variable; where elements were moved, their
 * values moved along, and the variable tells the attributes only. */
typedef struct vv_coord {
    vv_dataset *from;  /* the file that the dimension comes from; NULL: none */
    int var;           /* its coordinate variable there; -1: none */
    bool moved;        /* positions are not those of the file */
    vv_values *value;  /* where moved, or without a file; NULL: no coordinate */
    vv_values *bounds; /* of periods that were made here: two for each position; NULL: none, or those of the file */
} vv_coord;

/* Labels along a dimension: by index, 0 .. n - 1 or -1 for none; and what the groups are called. */
typedef struct vv_grouping {
    int dim; /* -1: not grouped */
    vv_index n;
    vv_table *label;
    char *name;     /* of the dimension that the groups become: "month" */
    vv_coord coord; /* its coordinate, n values or none */
} vv_grouping;

struct vv_array {
    vv_context *context;
    vv_array *next, **link;  /* in context->arrays */
    int64_t serial;          /* since when it is there */
    int references, handles; /* handles: those of the references that the user has */
    vv_status status;
    vv_failure *error; /* when inert */
    vv_node_kind kind;
    char *name;
    vv_shape shape;
    char *dim[VV_MAX_DIMS];
    vv_dtype dtype;
    vv_text text; /* then it can only be moved */
    vv_attrs attrs;
    vv_dataset *origin; /* of the first file below: where global attributes come from; may be NULL */
    vv_coord *coord;    /* by dimension */
    vv_grouping
        group; /* of this array's elements, made by vv_group(); or, of a REDUCE, by which it reduces its input */
    int n_inputs;
    vv_array **input;
    vv_array *held; /* persisted: what stands for it, a reference; NULL: computed when it is wanted */
    vv_array *
        columns; /* BLOCK: the same elements, sorted column by column (order_columns.c), a reference; NULL: there is no such way */
    uint8_t marked; /* of use to whoever looks through all arrays */

    int held_number;             /* HELD: what the ranks know it by */
    vv_grid *held_grid;          /* HELD */
    double scalar, imaginary;    /* SCALAR: f64, or c128 with the second one */
    bool whole;                  /* SCALAR: an integer, which leaves integer arrays what they are */
    int var;                     /* OPEN: variable of origin */
    vv_decode decode;            /* OPEN */
    vv_random random;            /* RANDOM */
    const void *given;           /* RANDOM: not random, but the elements of this buffer */
    vv_values *given_values;     /* which is this, the array's own; NULL: somebody else's */
    vv_index chunk[VV_MAX_DIMS]; /* RANDOM, RECHUNK: 0 leaves the choice to the planner */
    char *
        pieces; /* RECHUNK: "time:31+28+31", of chunks of different lengths, which functions of chunks see; NULL: none */
    const vv_op *op; /* MAP */
    int n_parts;     /* VIEW: target: the node's own index space */
    vv_part *part;
    double fill;                   /* VIEW: elements that no part covers */
    const vv_reduction *reduction; /* REDUCE, with what follows; inputs have one shape, several with a spec */
    vv_red_spec *spec;             /* NULL for most */
    bool reduced[VV_MAX_DIMS];     /* by dimension of the input */
    vv_reduce_options options;
    vv_block_call call; /* BLOCK */
    vv_user *user;      /* USER */
    vv_tile_call tile;  /* TILE */
    int n_summed;       /* PRODUCT: its work has the result's dimensions and then so many that are summed over */
    int work_dim[2][VV_MAX_DIMS]; /* PRODUCT: what each dimension of each factor is in the work */
};

void vv_context_free(vv_context *c);

/* A node without inputs yet, named and counted once. On failure an inert node. */
vv_array *vv_node_new(vv_context *c, vv_node_kind kind, const char *name);
/* One more handle of the same node; and a handle becomes a reference that no user has, to be given back by vv_node_drop(). */
vv_array *vv_node_again(vv_array *a);
void vv_node_take_over(vv_array *a);
void vv_node_drop(vv_array **a);
void vv_context_release(vv_context *c, int64_t since, vv_array *const keep[], int n);
/* The calling thread's error as an inert node. */
vv_array *vv_node_inert(vv_context *c);
/* Makes `in` an input of `a`, counted. Text may only be moved, and joined with its like. */
VV_WARN_UNUSED vv_status vv_node_input(vv_array *a, vv_array *in);
/* A dimension without a coordinate; dimensions are set in order. */
VV_WARN_UNUSED vv_status vv_node_set_dim(vv_array *a, int d, const char *name, vv_index length);

/* Builders that the public functions wrap. */
vv_dataset *vv_dataset_open_in(vv_context *c, const char *path);
/* One that is open already, of a single file; NULL when there is none. */
vv_dataset *vv_dataset_find_in(vv_context *c, const char *path);
/* A dataset without a file yet. What became of it: inert, with the error, unless the status is VV_OK. */
vv_dataset *vv_dataset_new(vv_context *c, const char *path);
void vv_dataset_settle(vv_dataset *d, vv_status status);
vv_array *vv_node_open(vv_dataset *d, int var, bool decoded);
vv_array *vv_node_scalar(vv_context *c, double value);
/* A whole number, as Python's int: with arrays of integers the result has their type, or the next one that holds the number. At most 2^53. */
vv_array *vv_node_whole(vv_context *c, double value);
vv_array *vv_node_complex_scalar(vv_context *c, double re, double im);
vv_array *vv_node_elementwise(vv_context *c, const char *op, vv_array *const operands[], int n);
vv_array *vv_node_concat(vv_context *c, vv_array *const arrays[], int n, const char *dim);
vv_array *vv_node_stack(vv_context *c, vv_array *const arrays[], int n, const char *dim);
vv_array *vv_node_einsum(vv_context *c, const char *letters, vv_array *const arrays[], int n);
vv_array *vv_node_full(vv_context *c, const char *dims, const char *chunks, double value, vv_dtype dtype);
vv_array *vv_node_arange(vv_context *c, const char *dim, double start, double stop, double step, vv_dtype dtype);
vv_array *vv_node_linspace(vv_context *c, const char *dim, double start, double stop, vv_index n, bool open);
vv_array *vv_node_fftfreq(vv_context *c, const char *dim, vv_index n, double distance);
vv_array *vv_node_rfftfreq(vv_context *c, const char *dim, vv_index n, double distance);
vv_array *vv_node_eye(vv_context *c, const char *dims, vv_index k, vv_dtype dtype);
vv_array *vv_node_tri(vv_context *c, const char *dims, vv_index k, vv_dtype dtype);
vv_array *vv_node_indices(vv_context *c, const char *dims, const char *axis, vv_dtype dtype);
void vv_node_broadcast(vv_context *c, vv_array *const arrays[], int n, vv_array *out[]);
void vv_node_broadcast_by_position(vv_context *c, vv_array *const arrays[], int n, vv_array *out[]);
vv_array *vv_node_block(vv_context *c, vv_array *const arrays[], const char *grid);
vv_array *vv_node_given(vv_context *c, const char *dims, const char *chunks, vv_dtype dtype, const void *buffer);
/* A parameter that is NaN is the kind's own. */
vv_array *vv_node_random(vv_context *c, const char *kind, double first, double second, const char *dims,
                         const char *chunks, uint64_t seed, vv_dtype dtype);
vv_array *vv_node_call(vv_context *c, const char *name, vv_array *const in[], int n, const char *arguments);
vv_array *vv_node_user_map(vv_context *c, vv_element_function *f, vv_array *const in[], int n,
                           const vv_apply_options *o);
vv_array *vv_node_fromfunction(vv_context *c, vv_index_function *f, const char *dims, const char *chunks,
                               vv_dtype dtype, const void *data, vv_bytes data_size);
vv_array *vv_node_from_ranks(vv_context *c, vv_block_function *f, int ranks, const char *dims, vv_dtype dtype,
                             const void *data, vv_bytes data_size);
vv_array *vv_node_map_blocks(vv_context *c, vv_block_function *f, vv_array *const in[], int n,
                             const vv_apply_options *o);
vv_array *vv_node_blockwise(vv_context *c, vv_block_function *f, const char *letters, vv_array *const in[], int n,
                            const vv_apply_options *o);
vv_array *vv_node_map_overlap(vv_context *c, vv_block_function *f, vv_array *const in[], int n, const char *depth,
                              const char *boundary, const vv_apply_options *o);
void vv_node_gufuncs(vv_context *c, vv_gufuncs_function *f, const char *signature, vv_array *const in[], int n,
                     const vv_dtype types[], vv_array *results[], int n_results, const vv_apply_options *o);
vv_array *vv_node_gufunc(vv_context *c, vv_gufunc_function *f, const char *signature, vv_array *const in[], int n,
                         const vv_apply_options *o);
/* The same with arguments that may hold anything. */
typedef struct vv_word {
    const char *key, *value;
} vv_word;
vv_array *vv_node_call_words(vv_context *c, const char *name, vv_array *const in[], int n, const vv_word words[],
                             int n_words);
/* What stands for a persisted array. */
vv_array *vv_node_held(const vv_array *a, int number, const vv_grid *grid);
/* The element type that an operation promotes its operands to. Like NumPy's rule for Python numbers: a scalar does not widen a float
 * array. A condition has no say. */
vv_dtype vv_node_operand_type(const vv_op *op, vv_array *const operands[], int n);
/* How the elements of an array are grouped; NULL when they are not. (The grouping of a REDUCE is that of its input.) */
const vv_grouping *vv_node_grouping(const vv_array *a);

/* Values of a coordinate, shared; *out is NULL when there are none. */
VV_WARN_UNUSED vv_status vv_coord_values(const vv_coord *c, vv_values **out);
/* CF's units of a time coordinate; false when it is none. */
bool vv_coord_time(const vv_coord *c, const char **units, const char **calendar);
void vv_coord_copy(const vv_coord *from, vv_coord *to);
void vv_coord_free(vv_coord *c);

/* How CF attributes of a stored variable say that its values are to be decoded, and the element type that a user sees. */
VV_WARN_UNUSED vv_status vv_cf_decode(const vv_variable *v, vv_decode *out, vv_dtype *dtype);
/* Attributes that describe the packing of a variable: they do not survive decoding. */
bool vv_cf_is_packing(const char *attribute);
/* A text attribute of a variable; bounds have the units of what they bound. NULL: there is none. */
const char *vv_cf_text(const vv_meta *m, int var, const char *name);
/* Roles of all variables. */
void vv_cf_roles(const vv_meta *m, vv_role *role);
/* The attributes of a reduction's result: cell_methods ("time: mean", with groups "time: mean (by month)"), units, no packing. */
VV_WARN_UNUSED vv_status vv_cf_reduced_attrs(vv_array *a);
/* Adds "lat: lon: method (by group)" to the cell methods of what was made of `in` by reducing these dimensions of it; method, group: NULL for none. */
VV_WARN_UNUSED vv_status vv_cf_cell_method(vv_array *a, const vv_array *in, const bool reduced[], const char *method,
                                           const char *group);
/* The attributes of a coordinate whose positions were moved: those of the file's, without its bounds and what tells of its packing. */
VV_WARN_UNUSED vv_status vv_cf_moved_attrs(vv_attrs *to, const vv_attrs *from);
/* What the values of a group coordinate of this name mean. */
VV_WARN_UNUSED vv_status vv_cf_group_attrs(vv_attrs *to, const char *name);
/* The units of a statistic of values with these attributes: "var" squares them, "count" has none. */
VV_WARN_UNUSED vv_status vv_cf_statistic_units(vv_attrs *attrs, const char *how);

#endif
