/* The first and the last value. In the order of elements where one dimension is reduced; of several, in the order of chunks and of elements inside of
 * a chunk. */
#include "kernels/reductions/fold.h"

#include <string.h>

enum { VALUE, FOUND, PLANES };

static int planes_of(vv_dtype in)
{
    (void)in;
    return PLANES;
}

static void init(const vv_red *r, vv_index cells, void *const planes[])
{
    double none = vv_dtype_is_float(r->in) ? (double)NAN : 0;
    for (vv_index i = 0; i < cells; i++) memcpy((char *)planes[VALUE] + 8 * i, &none, 8);
    memset(planes[FOUND], 0, 8 * (size_t)cells);
}

/* An element as a state keeps it: floats as f64. Whether it counts. */
static bool load(const vv_red *r, const void *x, vv_index i, uint64_t *bits)
{
    if (!vv_dtype_is_float(r->in)) {
        *bits = ((const uint64_t *)x)[i];
        return true;
    }
    double v = r->in == VV_F32 ? (double)((const float *)x)[i] : ((const double *)x)[i];
    memcpy(bits, &v, 8);
    return !r->skip || v == v;
}

static void take(const vv_red *r, void *const planes[], vv_index cell, bool last, const void *x, vv_index i)
{
    int64_t *found = (int64_t *)planes[FOUND] + cell;
    uint64_t bits;
    if ((*found && !last) || !load(r, x, i, &bits)) return;
    ((uint64_t *)planes[VALUE])[cell] = bits;
    *found = 1;
}

static void merge(vv_index cells, void *const left[], void *const right[], bool last)
{
    uint64_t *value = left[VALUE];
    int64_t *found = left[FOUND];
    for (vv_index i = 0; i < cells; i++) {
        if (!((const int64_t *)right[FOUND])[i] || (found[i] && !last)) continue;
        value[i] = ((const uint64_t *)right[VALUE])[i];
        found[i] = 1;
    }
}

static void finish(const vv_red *r, vv_index cells, const vv_red_head *head, void *const planes[], const void *missing,
                   void *out)
{
    (void)r, (void)head, (void)missing;
    memcpy(out, planes[VALUE], 8 * (size_t)cells);
}

#define END(id, text, is_last)                                                                                         \
    static void vertical_##id(const vv_red *r, vv_red_head *head, void *const planes[], void *missing, vv_index first, \
                              vv_index n, const void *x)                                                               \
    {                                                                                                                  \
        (void)head, (void)missing;                                                                                     \
        for (vv_index i = 0; i < n; i++) take(r, planes, first + i, is_last, x, i);                                    \
    }                                                                                                                  \
    static void horizontal_##id(const vv_red *r, vv_red_head *head, void *const planes[], void *missing,               \
                                vv_index cell, vv_index n, const void *x)                                              \
    {                                                                                                                  \
        (void)head, (void)missing;                                                                                     \
        for (vv_index i = 0; i < n; i++) take(r, planes, cell, is_last, x, i);                                         \
    }                                                                                                                  \
    static void combine_##id(const vv_red *r, vv_index cells, const vv_red_head *lh, void *const left[],               \
                             const void *lmissing, const vv_red_head *rh, void *const right[], const void *rmissing)   \
    {                                                                                                                  \
        (void)r, (void)lh, (void)lmissing, (void)rh, (void)rmissing;                                                   \
        merge(cells, left, right, is_last);                                                                            \
    }                                                                                                                  \
    const vv_reduction vv_reduction_of_##id = {.name = #id,                                                            \
                                               .help = text,                                                           \
                                               .cell_method = "point",                                                 \
                                               .planes = planes_of,                                                    \
                                               .result = vv_result_same,                                               \
                                               .init = init,                                                           \
                                               .vertical = vertical_##id,                                              \
                                               .horizontal = horizontal_##id,                                          \
                                               .combine = combine_##id,                                                \
                                               .finish = finish};
END(first, "first value that is not missing", false)
END(last, "last value that is not missing", true)
