/* Looking elements up in a sorted table: where each would stand in it, or whether it is in it.
 *
 * The table are call->n_weights numbers behind call->weight, ascending and NaN last: doubles for reals, bits of 64-bit integers for integers. NaN is greater than everything, as NumPy
 * sorts, but no element of a table: nothing is equal to it. */
#include "kernels/block/kernels.h"

#include <string.h>

vv_bytes vv_search_workspace(const vv_block_call *c, vv_dtype in, int nd, const vv_index n_in[], const vv_index n_out[])
{
    (void)c, (void)in, (void)nd, (void)n_in, (void)n_out;
    return 0;
}

#define LESS_REAL(a, b)    (((a) < (b)) | (((a) == (a)) & ((b) != (b))))
#define LESS_INTEGER(a, b) ((a) < (b))

/* How many of n table elements are less than x; or, with `after`, not greater. */
#define SEARCH(name, xtype, ttype, LESS)                                                                               \
    static inline vv_index before_##name(const ttype *table, vv_index n, ttype x, bool after)                          \
    {                                                                                                                  \
        vv_index low = 0;                                                                                              \
        while (n > 0) {                                                                                                \
            vv_index half = n / 2;                                                                                     \
            ttype t = table[low + half];                                                                               \
            bool right = after ? !(LESS(x, t)) : (LESS(t, x));                                                         \
            low = right ? low + half + 1 : low;                                                                        \
            n = right ? n - half - 1 : half;                                                                           \
        }                                                                                                              \
        return low;                                                                                                    \
    }                                                                                                                  \
    static void places_##name(const vv_block_call *c, vv_index n, const void *from, int64_t *to, bool after)           \
    {                                                                                                                  \
        const xtype *x = from;                                                                                         \
        const ttype *table = (const ttype *)(const void *)c->weight;                                                   \
        for (vv_index i = 0; i < n; i++) to[i] = before_##name(table, c->n_weights, (ttype)x[i], after);               \
    }                                                                                                                  \
    static void there_##name(const vv_block_call *c, vv_index n, const void *from, int64_t *to)                        \
    {                                                                                                                  \
        const xtype *x = from;                                                                                         \
        const ttype *table = (const ttype *)(const void *)c->weight;                                                   \
        for (vv_index i = 0; i < n; i++) {                                                                             \
            vv_index at = before_##name(table, c->n_weights, (ttype)x[i], false);                                      \
            to[i] = at < c->n_weights && table[at] == (ttype)x[i];                                                     \
        }                                                                                                              \
    }
SEARCH(F32, float, double, LESS_REAL)
SEARCH(F64, double, double, LESS_REAL)
SEARCH(I64, int64_t, int64_t, LESS_INTEGER)
SEARCH(U64, uint64_t, uint64_t, LESS_INTEGER)

static vv_index elements(int nd, const vv_index n[])
{
    vv_index all = 1;
    for (int d = 0; d < nd; d++) all *= n[d];
    return all;
}

static void places(const vv_block_call *c, vv_dtype in, vv_index n, const void *from, int64_t *to, bool after)
{
    if (in == VV_F32)
        places_F32(c, n, from, to, after);
    else if (in == VV_F64)
        places_F64(c, n, from, to, after);
    else if (in == VV_I64)
        places_I64(c, n, from, to, after);
    else
        places_U64(c, n, from, to, after);
}

VV_BLOCK_RUN(vv_each_place_before)
{
    (void)n_in, (void)workspace;
    places(c, in, elements(nd, n_out), from, to, false);
}

VV_BLOCK_RUN(vv_each_place_after)
{
    (void)n_in, (void)workspace;
    places(c, in, elements(nd, n_out), from, to, true);
}

VV_BLOCK_RUN(vv_each_in)
{
    vv_index n = elements(nd, n_out);
    (void)n_in, (void)workspace;
    if (in == VV_F32)
        there_F32(c, n, from, to);
    else if (in == VV_F64)
        there_F64(c, n, from, to);
    else if (in == VV_I64)
        there_I64(c, n, from, to);
    else
        there_U64(c, n, from, to);
}
