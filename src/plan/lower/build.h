/* What the files of lowering share.
 *
 *     lower_graph   nodes that are the same computation get one number; where long chains are cut
 *     lower_parts   views of a node's elements become the parts of an input
 *     lower_expr    the elementwise operations over those inputs become a program
 *     lower         what becomes a step, each once
 *     lower_user    functions of the user's
 *     lower_tile    matrices made from matrices
 *     lower_target  targets, and the passes over all steps
 *     lower_whole   results that are made in part are cut as if they were made whole
 *     lower_grid    how the work of a step is cut into chunks: shapes and stored chunks decide, nothing else
 *     lower_write   what delivers a result, and in which chunks
 *     lower_bands   in which order contiguous data is loaded, so that little has to be held
 *     lower_access  how inputs get to tasks: directly, in boxes, or loaded once by a step of their own and passed on
 *     lower_place   what follows from that: loops, leaves, which rank runs what
 *     lower_share   steps that walk the same inputs alike become one
 *     lower_order   the order of steps */
#ifndef VV_PLAN_LOWER_BUILD_H
#define VV_PLAN_LOWER_BUILD_H

#include "plan/lower/graph.h"
#include "plan/lower/lower.h"

/* A result, or a box of it, that some step makes. */
typedef struct vv_made {
    int node;
    vv_dtype as; /* of another type than the node's, when not VV_NONE */
    vv_box box;  /* in the node's space: what the step makes of it */
    int step, result;
    int next; /* of the same node */
} vv_made;

/* Chunks that the work should have, as an array was rechunked, by work dimension; 0: nothing said. */
typedef struct vv_hint {
    vv_index chunk[VV_MAX_DIMS], shift[VV_MAX_DIMS];
} vv_hint;

/* What a reduce step folds: others that want the same are results of it. */
typedef struct vv_reduces {
    const vv_array *array; /* dimensions and groups */
    int input, step;
    vv_box box; /* of the input */
} vv_reduces;

typedef struct vv_builder {
    vv_lowering *l;
    int placement;
    bool columns; /* long lanes are sorted column by column */
    vv_dag graph;
    int n_made, *made_of; /* by node: the first one made of it */
    vv_made *made;
    int n_reduces;
    vv_reduces *reduces;
    int *read_of; /* by node: its read step, -1 for none */
    /* Everything made whole, on paper: how results are cut. NULL: as they are made here. There, by node: the step that makes it, -1 for none. */
    const struct vv_builder *whole;
    int *shape_of;
} vv_builder;

/* Elements of a node at other places: what a work space wants of it. */
typedef struct vv_view {
    int n;
    vv_part *part;
    bool full;   /* covers the work space */
    bool filled; /* `fill` is decided: some element is covered by nothing */
    double fill;
} vv_view;

/* --- lower_parts.c --- */

/* All of a box of a node's space; the work space is that box. */
VV_WARN_UNUSED vv_status vv_view_box(const vv_box *box, vv_view *out);
VV_WARN_UNUSED vv_status vv_view_copy(const vv_view *v, vv_view *out);
void vv_view_free(vv_view *v);
bool vv_view_equal(const vv_view *a, const vv_view *b);
/* Of view node `node` what v wants, as a view of its input `child` when all comes from one; *child -1: from several. *fits is false, and nothing made, when it is
 * no list of parts with one fill value. */
VV_WARN_UNUSED vv_status vv_view_through(const vv_builder *b, int node, const vv_view *v, vv_view *out, int *child,
                                         bool *fits);
/* The elements of a node as an input of a type: its parts lead to read steps, or to steps that are made now. top: the step is there to make this very node. */
VV_WARN_UNUSED vv_status vv_lower_input(vv_builder *b, int node, const vv_view *v, vv_dtype type, bool top,
                                        vv_hint *hint, vv_input *out);
void vv_input_free(vv_input *in);
/* The same elements, had in the same way. */
bool vv_input_equal(const vv_input *a, const vv_input *b);
/* Indices of the source are counted from where `box` begins, outside of which the part takes nothing. */
VV_WARN_UNUSED vv_status vv_lower_move(vv_part *p, const vv_box *box);
/* A rechunked node seen through a view. */
void vv_hint_through(const vv_array *rechunked, const vv_view *v, vv_hint *hint);

/* --- lower_expr.c --- */

/* Inputs and program of a step (of `space`) that computes the elements of one node, or of several of one shape; as: by node, VV_NONE, or cast to a type. hint: what
 * rechunks in them say. value: the register of each. */
VV_WARN_UNUSED vv_status vv_lower_expression(vv_builder *b, int n, const int nodes[], const vv_view *v,
                                             const vv_dtype as[], vv_hint *hint, int *n_inputs, vv_input **input,
                                             vv_program **program, int value[]);

/* --- lower.c --- */

/* The read step of a stored or generated variable. */
VV_WARN_UNUSED vv_status vv_lower_read(vv_builder *b, int node, int *step);
/* A step that makes at least `box` of a node, once for all; valid until the next one is made. */
VV_WARN_UNUSED vv_status vv_lower_make(vv_builder *b, int node, const vv_box *box, vv_dtype as, const vv_made **out);
VV_WARN_UNUSED vv_status vv_lower_make_whole(vv_builder *b, int node, const vv_made **out);
/* Which dimension of a step's result a node's dimension is: -1 for one of length 1 that is only kept in name. */
int vv_lower_result_dim(const vv_array *a, int d);

/* --- lower_user.c --- */

VV_WARN_UNUSED vv_status vv_lower_user(vv_builder *b, int node, vv_made *m);
/* Along this dimension all is made or nothing. */
bool vv_lower_user_whole(const vv_user *u, int d);

/* --- lower_whole.c --- */

bool vv_lower_needs_whole(const vv_dag *g);
/* Makes all that is not elementwise whole, and completes the steps; for another builder's `whole`. */
VV_WARN_UNUSED vv_status vv_lower_shapes(vv_builder *b);
/* Cuts the work of a step, a box of an array's whole work. */
void vv_lower_cut(const vv_builder *b, const vv_array *a, const vv_box *box, const vv_hint *hint, vv_step *s);
/* Products are made in whole chunks: BLAS adds in an order that depends on how many rows and columns it is given. So is what functions of the user's make, which may
 * see where chunks begin. */
void vv_lower_whole_chunks(const vv_builder *b, const vv_array *a, vv_box *box);

/* --- lower_tile.c --- */

/* The step of a tile node, which is always made whole; m: its step and result. */
VV_WARN_UNUSED vv_status vv_lower_tile(vv_builder *b, int node, vv_made *m);

/* --- lower_stack.c --- */

/* An input that is pushed and has a part of each of many files gets them from one step that loads them all: a new one, or one from number first_load on
 * that loads the same. *done is false, and nothing changes, where that cannot be; fits: whether every part of the new step's input can be read where it is needed. */
typedef bool vv_load_fits(const vv_plan *p, const vv_step *s);
VV_WARN_UNUSED vv_status vv_lower_stack(vv_plan *p, vv_input *in, int first_load, vv_load_fits *fits, bool *done);

/* --- lower_grid.c --- */

void vv_lower_grid(const vv_plan *p, vv_step *s, const vv_hint *hint);
/* Chunk lengths that are 0 are chosen. */
void vv_lower_fill_grid(vv_grid *g);
/* The chunks of a reshaped step become such as its result can have, too. */
void vv_lower_reshape_grid(vv_step *s);
void vv_lower_product_grid(const vv_plan *p, vv_step *s);
/* The grid of a source as it is seen through dimension d of a part; false when its chunks are not chunks there. */
bool vv_grid_seen(const vv_part *part, int d, vv_index chunk, vv_index shift, vv_index *seen, vv_index *seen_shift);

/* --- lower_bands.c --- */

/* Of those who want what a load gives, by dimension of its source: the length of their chunks, and an index at which one begins. banded: they all want it in
 * such chunks, one by one. */
typedef struct vv_walk {
    bool banded;
    bool apart;               /* products want it whose ranks have shares of what they sum over: */
    bool summed[VV_MAX_DIMS]; /* along these dimensions */
    vv_index chunk[VV_MAX_DIMS], origin[VV_MAX_DIMS];
} vv_walk;
void vv_walk_note(const vv_step *s, const vv_input *in, const vv_part *part, bool apart, vv_walk *out);
/* Others want it as well. */
void vv_walk_merge(const vv_walk *other, int nd, vv_walk *w);
/* Whether a box of contiguous data, elements of `size` bytes, is walked in bands: then order[] has its dimensions from the slowest on, grid chunks in this order. */
/* The same for data in chunks: its chunks, with the dimensions in the order of the walk. */
bool vv_walk_chunks(const vv_walk *w, const vv_box *box, const vv_grid *stored, vv_bytes size, int order[],
                    vv_grid *grid);
/* Likewise, of chunks whatever they are stored as: first by what is summed over. */
bool vv_walk_summed(const vv_walk *w, const vv_box *box, const vv_grid *stored, int order[], vv_grid *grid);
bool vv_walk_bands(const vv_walk *w, const vv_box *box, vv_bytes size, int order[], vv_grid *grid);
/* What a part takes from the box is in this order now. */
void vv_walk_permute(const int order[], vv_part *part);

/* --- lower_write.c --- */

/* The step that delivers a result of another one. */
VV_WARN_UNUSED vv_status vv_lower_deliver(vv_plan *p, vv_target *t, int step, int result);
/* A new step that hands on the elements of a part (taken over, whatever happens) as they are. Its work is the caller's to set. */
VV_WARN_UNUSED vv_status vv_lower_identity(vv_plan *p, const char *name, vv_dtype type, vv_part *part, vv_step **out);

/* --- lower_place.c --- */

/* Whether ranks have shares of what a product sums over. */
bool vv_lower_sums_apart(const vv_builder *b, const vv_step *s);

/* --- lower_access.c --- */

/* Decides how every input is had, puts load steps in, and completes all steps. */
VV_WARN_UNUSED vv_status vv_lower_access(vv_builder *b, vv_target targets[], int n);
/* The only part is all of the work space, without surroundings or look-up. */
bool vv_input_direct(const vv_step *s, const vv_input *in);
/* Something of it is what rank 0 was given. */
bool vv_input_given(const vv_plan *p, const vv_input *in);

/* --- lower_place.c --- */

/* Held chunks can be taken where they are: the step runs there. */
bool vv_lower_by_held(const vv_plan *p, const vv_step *s, const vv_input *in);
/* Completes a step whose inputs' access is known. */
VV_WARN_UNUSED vv_status vv_lower_finish(const vv_builder *b, vv_step *s);

/* --- lower_share.c --- */

/* Of a plan whose steps are complete. */
VV_WARN_UNUSED vv_status vv_lower_share(vv_plan *p, vv_target targets[], int n);

/* --- lower_order.c --- */

/* Puts the steps in order, without those that are gone (NULL: none is); nobody needs these. */
VV_WARN_UNUSED vv_status vv_lower_order(vv_plan *p, const bool gone[], vv_target targets[], int n);

#endif
