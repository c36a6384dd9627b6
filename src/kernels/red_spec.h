/* What a reduction is told besides type and options: which bins a histogram has. Plain data, and shared: arrays and plans that mean the same refer to one.
 *
 * A kind with a spec folds `n_values` arrays together, element by element, has any number of bytes of state for a cell, and finishes a cell as `length` elements
 * along a dimension of their own.
 *
 *     vv_red_spec *spec;
 *     VV_TRY(vv_histogram_spec(1, (vv_index[]){100}, edges, VV_NONE, &spec));
 *     vv_red r = {.kind = &vv_reduction_histogram, .in = VV_F64, .spec = spec};
 *     ... vv_red_init, vv_red_fold(&r, state, 0, 0, n, (const void *[]){x}), ... vv_red_finish(&r, state, counts) ...
 *     vv_red_spec_free(&spec); */
#ifndef VV_KERNELS_RED_SPEC_H
#define VV_KERNELS_RED_SPEC_H

#include "base/dtype.h"
#include "base/symbol.h"
#include "varve/function.h"

enum { VV_RED_VALUES = 8 };

/* What is told: which of the fields below are in use. */
typedef enum vv_red_told {
    VV_TOLD_NOTHING,
    VV_TOLD_BINS,
    VV_TOLD_NUMBERS,
    VV_TOLD_ROOM,
    VV_TOLD_OWN,
    VV_TOLD_PAIRS,
    VV_TOLD_KINDS
} vv_red_told;

/* Functions of the user's: init, fold, combine, finish. */
enum { VV_OWN_FUNCTIONS = 4 };
typedef struct vv_own {
    char *name;
    vv_symbol symbol[VV_OWN_FUNCTIONS];
    vv_function *function[VV_OWN_FUNCTIONS]; /* on this rank */
    vv_bytes data_size;
    void *data;
} vv_own;

typedef struct vv_red_spec {
    int references;
    vv_red_told told;
    int n_values;
    vv_dtype type[VV_RED_VALUES]; /* working types of the values */
    vv_dtype result;              /* of what finish writes */
    vv_index length;              /* elements of a cell's result; 0: one, without a dimension */
    vv_bytes state;               /* of a cell; a multiple of 8 */

    /* BINS: values 0 .. n_axes - 1 choose a bin along each axis, row-major; the next one, if there is one, is the weight. */
    int n_axes;
    vv_index n_bins[VV_RED_VALUES];
    double *edge;             /* n_bins + 1 of each axis, one axis after the other, ascending */
    bool even[VV_RED_VALUES]; /* which bin it is follows from its number, one more or less */
    /* NUMBERS: the only value, or the first one of two, is the number of its bin; the next one is the weight. */

    vv_index room; /* ROOM: different elements of a cell */
    vv_own *own;   /* OWN */
} vv_red_spec;

/* Zeroed, one reference. Tables in it are the caller's to fill; they are freed with it. */
VV_WARN_UNUSED vv_status vv_red_spec_new(vv_red_spec **out);
vv_red_spec *vv_red_spec_share(const vv_red_spec *s); /* NULL stays NULL */
void vv_red_spec_free(vv_red_spec **s);
bool vv_red_spec_equal(const vv_red_spec *a, const vv_red_spec *b);
/* What follows from the rest, once that is filled in. */
void vv_red_spec_settle(vv_red_spec *s);
/* Sizes fit each other and the tables: what is asked of one that came from elsewhere. */
bool vv_red_spec_ok(const vv_red_spec *s);

/* Counts in bins between edges; weight: VV_NONE, or the working type (f64 or i64) of weights that are added up instead. An element on the last edge of all is in the last
 * bin, NaN is in none. */
VV_WARN_UNUSED vv_status vv_histogram_spec(int n_axes, const vv_index n_bins[], const double edges[], vv_dtype weight,
                                           vv_red_spec **out);
/* n + 1 edges of equal bins from lo to hi, as numpy.linspace has them; single: rounded to f32. Where lo is hi, from half less to half more. */
void vv_even_edges(vv_index n, double lo, double hi, bool single, double edges[]);
/* How often each whole number from 0 on occurs, below `length`; others are an error. */
VV_WARN_UNUSED vv_status vv_bincount_spec(vv_index length, vv_dtype weight, vv_red_spec **out);

/* All different elements, at most `room`, and how often each occurs; their working type is f64, i64 or u64. */
VV_WARN_UNUSED vv_status vv_distinct_spec(vv_index room, vv_dtype type, vv_red_spec **out);
/* Functions on states of so many bytes, which see elements of type `in` of n arrays and make results of another type. The data is copied. */
VV_WARN_UNUSED vv_status vv_own_spec(const char *name, int n, vv_dtype in, vv_dtype result, vv_bytes state,
                                     vv_index length, vv_function *const function[], const void *data,
                                     vv_bytes data_size, vv_red_spec **out);
/* Moments of pairs of f64 elements: what a cell's VV_PAIR_MOMENTS elements are. X and Y are means, XX, XY and YY sums of squares and products about them. N is
 * how many pairs are there or, with a third value, a weight, the sum of these. */
typedef enum vv_pair_moment {
    VV_PAIR_N,
    VV_PAIR_X,
    VV_PAIR_Y,
    VV_PAIR_XX,
    VV_PAIR_XY,
    VV_PAIR_YY,
    VV_PAIR_MOMENTS
} vv_pair_moment;
VV_WARN_UNUSED vv_status vv_pairs_spec(bool weighted, vv_red_spec **out);
/* Elements that wait in such a state to be put in order. */
vv_index vv_distinct_pile(vv_index room);

#endif
