/* One element of more than fit into memory, by its rank: the bits of its key (keys.h), 16 at a time.
 *
 * A pass counts, of all elements whose keys begin with the bits that are known, which 16 bits come next; so the next 16 bits of the element wanted are known. Two passes find an
 * f32, four an f64; what is kept are two tables of counts, because two neighbours are wanted, between which a quantile lies. A pass is a reduction of the user's kind
 * (red_spec.h), and what follows from its counts is a generalized ufunc: so all of it is an ordinary plan.
 *
 *     counts of x -> state -> counts of x beside the state -> ... -> value        state: see vv_select_state */
#ifndef VV_KERNELS_ORDER_SELECT_H
#define VV_KERNELS_ORDER_SELECT_H

#include "base/dtype.h"
#include "varve/function.h"

enum { VV_SELECT_BITS = 16, VV_SELECT_BINS = 1 << VV_SELECT_BITS, VV_SELECT_COUNTS = 2 * VV_SELECT_BINS + 1 };

/* What the functions are told. */
typedef struct vv_selection {
    vv_dtype in; /* of the elements: VV_F32 or VV_F64; they come as f64 */
    int how;     /* index in vv_quantile_methods; -1: the median */
    double q;
    bool keep_nan;
    int pass;
} vv_selection;

/* Between passes, as that many doubles. Prefixes are the bits that are known, ranks count among the elements that have them. */
typedef enum vv_select_state {
    VV_SELECT_N, /* valid elements; below 0: the result is NaN */
    VV_SELECT_WEIGHT,
    VV_SELECT_PREFIX,
    VV_SELECT_RANK,
    VV_SELECT_NEXT_PREFIX,
    VV_SELECT_NEXT_RANK,
    VV_SELECT_STATE
} vv_select_state;

static inline int vv_select_passes(vv_dtype in)
{
    return (int)vv_dtype_size(in) * 8 / VV_SELECT_BITS;
}

/* A pass over elements, and from the second one on over both prefixes beside them: VV_SELECT_COUNTS of i64. */
vv_state_init vv_select_init;
vv_state_fold vv_select_fold;
vv_state_combine vv_select_combine;
vv_state_finish vv_select_finish;
/* Counts, and from the second pass on the state, to the next state; after the last pass to the value, f64. */
vv_gufunc_function vv_select_step;

#endif
