/* What columns.c and columns_records.c share. */
#ifndef VV_KERNELS_ORDER_COLUMNS_OWN_H
#define VV_KERNELS_ORDER_COLUMNS_OWN_H

#include "kernels/codec/decode.h"
#include "kernels/order/columns.h"

/* The records of a column that have no element: so many in front of its sorted elements, and so many behind them. */
typedef struct vv_filling {
    vv_index before, behind;
} vv_filling;

/* Keys of working values in the order that is wanted: the least comes first. NaN is the greatest whatever that is. */
void vv_columns_turn(const vv_columns *c, vv_index n, void *keys);
/* Record p of a column goes to run p % columns. words: 32-bit ones of a record. */
void vv_columns_deal(const vv_columns *c, int words, const void *from, void *to);

/* Records of several words. Of the first step x are n working values, the first of them element `at` of the lane. */
vv_bytes vv_records_scratch(const vv_columns *c);
void vv_records_first(const vv_columns *c, vv_filling f, vv_index at, vv_index n, const void *x, uint64_t *to,
                      char *scratch);
void vv_records_again(const vv_columns *c, const uint64_t *from, uint64_t *to, uint64_t *scratch);
/* The first n of both halves of a window together. */
void vv_records_last(const vv_columns *c, const uint64_t *window, vv_index n, void *out);

static inline vv_dtype vv_columns_working(const vv_columns *c)
{
    return vv_working_type(c->in);
}

static inline vv_bytes vv_round64(vv_bytes n)
{
    return (n + 63) / 64 * 64;
}

#endif
