/* Order statistics by group, of which order.c decides what is asked. */
#ifndef VV_ARRAY_ORDER_H
#define VV_ARRAY_ORDER_H

#include "array/node.h"

typedef struct vv_group_order {
    const double *q;
    vv_index n;      /* quantiles; 0: the median */
    bool several;    /* they lie along a dimension of their own */
    int how;         /* their definition */
    bool picks;      /* which takes elements as they are */
    vv_index window; /* elements around each one that count as its group's, too; 0: none */
    bool keep_nan, keep_dims;
} vv_group_order;

/* Of an array that is grouped along one of these dimensions. */
vv_array *vv_node_order_groups(vv_array *in, const bool along[], const vv_group_order *o);

/* order_columns.c: `a`, which is `in` sorted along dimension `lane`, or the best of it, gets a way that does without whole lanes, where these are long. */
VV_WARN_UNUSED vv_status vv_node_sort_columns(vv_array *a, vv_array *in, int lane);

#endif
