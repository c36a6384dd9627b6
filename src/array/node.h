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
#include "kernels/decode.h"
#include "kernels/program.h"
#include "kernels/reduce.h"
#include "storage/storage.h"
#include "varve/array.h"
#include "varve/dataset.h"

typedef struct vv_context {
    vv_array *arrays;     /* all nodes, linked */
    vv_dataset *datasets; /* all opened files, linked */
} vv_context;

/* An opened file with what CF says about its variables. */
struct vv_dataset {
    vv_context *context;
    vv_dataset *next;
    char *path;
    vv_status status;
    vv_failure error;
    vv_file *file; /* NULL when inert */
    vv_role *role; /* of each variable */
};

typedef enum vv_node_kind { VV_NODE_SCALAR, VV_NODE_OPEN, VV_NODE_MAP, VV_NODE_REDUCE } vv_node_kind;

struct vv_array {
    vv_context *context;
    vv_array *next, **link; /* in context->arrays */
    int references;
    vv_status status;
    vv_failure *error; /* when inert */
    vv_node_kind kind;
    char *name;
    vv_shape shape;
    char *dim[VV_MAX_DIMS];
    vv_dtype dtype;
    vv_attrs attrs;
    vv_dataset *origin; /* where the coordinates of the dimensions are; may be NULL */
    int n_inputs;
    vv_array *input[3];

    double scalar;                 /* SCALAR */
    int var;                       /* OPEN: variable of origin */
    vv_decode decode;              /* OPEN */
    const vv_op *op;               /* MAP */
    const vv_reduction *reduction; /* REDUCE, with what follows */
    bool reduced[VV_MAX_DIMS];     /* by dimension of the input */
    vv_reduce_options options;
};

void vv_context_free(vv_context *c);

/* A node without inputs yet, named and counted once. On failure an inert node. */
vv_array *vv_node_new(vv_context *c, vv_node_kind kind, const char *name);
/* The calling thread's error as an inert node. */
vv_array *vv_node_inert(vv_context *c);
/* Makes `in` an input of `a`, counted. */
void vv_node_input(vv_array *a, vv_array *in);
VV_WARN_UNUSED vv_status vv_node_set_dim(vv_array *a, int d, const char *name, vv_index length);

/* Builders that the public functions wrap. */
vv_dataset *vv_dataset_open_in(vv_context *c, const char *path);
vv_array *vv_node_open(vv_dataset *d, int var, bool decoded);
vv_array *vv_node_scalar(vv_context *c, double value);
vv_array *vv_node_elementwise(vv_context *c, const char *op, vv_array *const operands[], int n);
/* The element type that an operation promotes its operands to. Like NumPy's rule for Python numbers: a scalar does not widen a float
 * array. A condition has no say. */
vv_dtype vv_node_operand_type(const vv_op *op, vv_array *const operands[], int n);

/* How CF attributes of a stored variable say that its values are to be decoded, and the element type that a user sees. */
VV_WARN_UNUSED vv_status vv_cf_decode(const vv_variable *v, vv_decode *out, vv_dtype *dtype);
/* Attributes that describe the packing of a variable: they do not survive decoding. */
bool vv_cf_is_packing(const char *attribute);
/* Roles of all variables. */
void vv_cf_roles(const vv_meta *m, vv_role *role);
/* The attributes of a reduction's result: cell_methods, units, no packing. */
VV_WARN_UNUSED vv_status vv_cf_reduced_attrs(const vv_array *a);

#endif
