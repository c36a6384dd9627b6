/* Sorting lanes that are longer than a task may hold, by Leighton's columnsort: the elements are a matrix whose columns are sorted one by one, and between that every element goes to a
 * place that depends on where it is, not on what it is. So the way of every byte is known before the run, and a plan can have it like that of any other step.
 *
 * s columns (an even number) of r = s * m records each, m at least 2 s. Four steps, each of them a function of a chunk:
 *
 *     first   a share of the lane                  -> sorted, dealt out to runs: record p is in run p % s             [i, j, m] <- [i]
 *     again   run j of every column                -> sorted, cut into s runs that follow each other                  [j, i, m] <- [i, j, m]
 *     again   run i of every column of these       -> sorted                                                          [i] <- [j, i, m]
 *     last    second half of a column, first half of the next one -> merged                                           [i] <- [i]
 *
 * That sorts whatever the elements are (T. Leighton, Tight bounds on the complexity of parallel sorting, 1985: r >= 2 (s - 1)^2). Records without an element fill the columns up: half a column
 * of the least ones, so that each merged window is exactly a chunk of the result, and the greatest ones, which come behind it.
 *
 * A record of reals or integers that are sorted by value is the element itself. Places, and complex numbers, need more: words of 64 bits that compare one after the other as the elements do, with the
 * element's number as the last of them, so that equal ones stay in order; behind them complex numbers as they are. */
#ifndef VV_KERNELS_ORDER_COLUMNS_H
#define VV_KERNELS_ORDER_COLUMNS_H

#include "base/dtype.h"
#include "varve/function.h"

typedef struct vv_columns {
    vv_dtype in;                  /* of the lane's elements */
    bool greatest;                /* these come first */
    bool places;                  /* the result are places, i64, instead of elements */
    bool valid;                   /* missing ones have no place, as in topk: NaN, -1 */
    vv_index n;                   /* elements of the lane */
    vv_index columns, run, share; /* s, m; elements of the lane that a column begins with */
} vv_columns;

/* Decides how n elements are cut; false where they are too few for it. */
bool vv_columns_cut(vv_index n, vv_columns *c);
/* Records of a column; elements of the type in which they are handed on, which a record has. */
vv_index vv_columns_length(const vv_columns *c);
vv_dtype vv_columns_type(const vv_columns *c);
int vv_columns_words(const vv_columns *c);

/* A chunk may have several lanes, along its first dimensions. data: vv_columns. And the scratch that each needs. */
vv_block_function vv_columns_first, vv_columns_again, vv_columns_last;
vv_bytes vv_columns_scratch_first(const vv_columns *c);
vv_bytes vv_columns_scratch_again(const vv_columns *c);
vv_bytes vv_columns_scratch_last(const vv_columns *c);

#endif
