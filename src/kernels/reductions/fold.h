/* What reductions are made from.
 *
 * VV_FOLD makes the three loops of a reduction with one number of state per cell, from a step (state with one element) and a merge (state with
 * state), both written as macros in two arguments:
 *
 *     name_vertical[cpu](n, x, state)      state[i] = step(state[i], x[i])
 *     name_horizontal[cpu](n, x, state)    *state = merge(*state, x folded in lanes)
 *     name_merge[cpu](n, right, left)      left[i] = merge(left[i], right[i])
 *
 * The horizontal loop deals elements out to lanes, each beginning with `start`, and merges lanes pairwise, as far apart as possible first.
 * There are VV_LANES lanes, so that folding a row is a vertical fold of short rows, which compilers vectorise well whatever the step is;
 * for rows below VV_LONG_ROW, where merging so many would take longer than folding, VV_FEW_LANES. This order holds on every machine.
 *
 * Reductions that need to know how many elements are valid take their elements through vv_fold_vertical() and vv_fold_horizontal():
 * these cut rows into tiles, cast integers to f64, and count NaNs, so that the reduction's own loop is told whether a tile has any. */
#ifndef VV_KERNELS_REDUCTIONS_FOLD_H
#define VV_KERNELS_REDUCTIONS_FOLD_H

#include "base/index.h"
#include "kernels/clones.h"
#include "kernels/codec/decode.h"
#include "kernels/reduce.h"
#include "kernels/reductions/list.h"

#include <math.h>

#define VV_REDUCTION_EXTERN(name) extern const vv_reduction vv_reduction_of_##name;
VV_REDUCTION_LIST(VV_REDUCTION_EXTERN)
#undef VV_REDUCTION_EXTERN

enum { VV_LONG_ROW = 4 * VV_LANES };

typedef void vv_fold_loop(vv_index n, const void *x, void *state);
typedef struct vv_fold {
    vv_fold_loop *const *vertical, *const *horizontal, *const *merge; /* by vv_cpu_level */
} vv_fold;

#define VV_FOLD(name, xtype, stype, start, STEP, MERGE)                                                                \
    VV_KERNEL void name##_vertical_body(vv_index n, const xtype *restrict x, stype *restrict state)                    \
    {                                                                                                                  \
        for (vv_index i = 0; i < n; i++) state[i] = STEP(state[i], x[i]);                                              \
    }                                                                                                                  \
    VV_KERNEL void name##_merge_body(vv_index n, const stype *restrict right, stype *restrict left)                    \
    {                                                                                                                  \
        for (vv_index i = 0; i < n; i++) left[i] = MERGE(left[i], right[i]);                                           \
    }                                                                                                                  \
    VV_KERNEL void name##_in_lanes(vv_index lanes, vv_index n, const xtype *x, stype *state)                           \
    {                                                                                                                  \
        _Alignas(64) stype lane[VV_LANES];                                                                             \
        for (vv_index l = 0; l < lanes; l++) lane[l] = start;                                                          \
        for (; n >= lanes; n -= lanes, x += lanes) name##_vertical_body(lanes, x, lane);                               \
        name##_vertical_body(n, x, lane);                                                                              \
        for (vv_index w = lanes / 2; w; w /= 2) name##_merge_body(w, lane + w, lane);                                  \
        *state = MERGE(*state, lane[0]);                                                                               \
    }                                                                                                                  \
    VV_KERNEL void name##_horizontal_body(vv_index n, const xtype *x, stype *state)                                    \
    {                                                                                                                  \
        if (n < VV_LONG_ROW)                                                                                           \
            name##_in_lanes(VV_FEW_LANES, n, x, state);                                                                \
        else                                                                                                           \
            name##_in_lanes(VV_LANES, n, x, state);                                                                    \
    }                                                                                                                  \
    VV_CLONES(name##_vertical, name##_vertical_body, (vv_index n, const void *x, void *state), (n, x, state))          \
    VV_CLONES(name##_horizontal, name##_horizontal_body, (vv_index n, const void *x, void *state), (n, x, state))      \
    VV_CLONES(name##_merge, name##_merge_body, (vv_index n, const void *x, void *state), (n, x, state))                \
    static const vv_fold name = {name##_vertical, name##_horizontal, name##_merge};

/* For a reduction whose whole state is one number (a complex one takes two planes, side by side): its vertical(), horizontal() and combine() from a table of folds[working type][skip]. */
typedef const vv_fold *const vv_fold_table[VV_DTYPE_COUNT][2];
#define VV_FOLD_FUNCTIONS(folds)                                                                                       \
    static void vertical(const vv_red *r, vv_red_head *head, void *const planes[], void *missing, vv_index first,      \
                         vv_index n, const void *x)                                                                    \
    {                                                                                                                  \
        (void)head, (void)missing;                                                                                     \
        int64_t *state = (int64_t *)planes[0] + first * (vv_dtype_is_complex(r->in) ? 2 : 1);                          \
        folds[r->in][r->skip]->vertical[vv_cpu()](n, x, state);                                                        \
    }                                                                                                                  \
    static void horizontal(const vv_red *r, vv_red_head *head, void *const planes[], void *missing, vv_index cell,     \
                           vv_index n, const void *x)                                                                  \
    {                                                                                                                  \
        (void)head, (void)missing;                                                                                     \
        int64_t *state = (int64_t *)planes[0] + cell * (vv_dtype_is_complex(r->in) ? 2 : 1);                           \
        folds[r->in][r->skip]->horizontal[vv_cpu()](n, x, state);                                                      \
    }                                                                                                                  \
    static void combine(const vv_red *r, vv_index cells, const vv_red_head *lh, void *const left[],                    \
                        const void *lmissing, const vv_red_head *rh, void *const right[], const void *rmissing)        \
    {                                                                                                                  \
        (void)lh, (void)rh, (void)lmissing, (void)rmissing;                                                            \
        folds[r->in][r->skip]->merge[vv_cpu()](cells, right[0], left[0]);                                              \
    }

void vv_fold_vertical(const vv_red *r, vv_red_head *head, void *const planes[], void *missing, vv_index first,
                      vv_index n, const void *x, vv_fold_piece *piece);
void vv_fold_horizontal(const vv_red *r, vv_red_head *head, void *const planes[], void *missing, vv_index cell,
                        vv_index n, const void *x, vv_fold_piece *piece);

/* Whether rows are such as loops over elements take them: floats of the working type in order, none of them missing. */
bool vv_rows_plain(const vv_red *r, const vv_decode *d, vv_index n, const vv_stored_rows *from);

/* The plane of missing counts: bytes of one, and one; the counts of another state of the same shape added. */
static inline vv_bytes vv_missing_size(int width)
{
    return width ? width : (vv_bytes)sizeof(uint32_t);
}
static inline int64_t vv_missing_at(const vv_red_head *head, const void *missing, vv_index i)
{
    switch (head->width) {
    case 1: return ((const uint8_t *)missing)[i];
    case 2: return ((const uint16_t *)missing)[i];
    case 4: return ((const uint32_t *)missing)[i];
    default: return ((const int64_t *)missing)[i];
    }
}
void vv_missing_add(const vv_red_head *head, void *missing, const void *more);

/* Elements of cell i that are not missing. */
static inline double vv_valid(const vv_red_head *head, const void *missing, vv_index i)
{
    return (double)(head->count - (head->has_missing ? vv_missing_at(head, missing, i) : 0));
}

/* Result types that several reductions share. */
vv_dtype vv_result_same(vv_dtype stored);  /* any number */
vv_dtype vv_result_total(vv_dtype stored); /* integers widen to 64 bits, truth values to i64 */
vv_dtype vv_result_real(vv_dtype stored);  /* integers become f64 */
int vv_one_plane(vv_dtype in);             /* for every working type */

/* Reductions that count in one plane of int64: the result's type, the beginning, the end. */
vv_dtype vv_count_result(vv_dtype stored);
void vv_count_init(const vv_red *r, vv_index cells, void *const planes[]);
void vv_count_finish(const vv_red *r, vv_index cells, const vv_red_head *head, void *const planes[],
                     const void *missing, void *out);

#endif
