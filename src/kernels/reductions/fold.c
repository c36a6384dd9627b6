#include "kernels/reductions/fold.h"

#include <string.h>

#define IS_NAN(xname, xtype)                                                                                           \
    VV_KERNEL void has_nan_##xname##_body(vv_index n, const xtype *x, int *found)                                      \
    {                                                                                                                  \
        int any = 0;                                                                                                   \
        for (vv_index i = 0; i < n; i++) any |= x[i] != x[i];                                                          \
        *found = any;                                                                                                  \
    }                                                                                                                  \
    VV_CLONES(has_nan_##xname, has_nan_##xname##_body, (vv_index n, const void *x, int *found), (n, x, found))
IS_NAN(F32, float)
IS_NAN(F64, double)

#define MARK_NAN(xname, xtype, mname, mtype)                                                                           \
    VV_KERNEL void mark_nan_##xname##_##mname##_body(vv_index n, const xtype *restrict x, mtype *restrict missing)     \
    {                                                                                                                  \
        for (vv_index i = 0; i < n; i++) missing[i] = (mtype)(missing[i] + (x[i] != x[i]));                            \
    }                                                                                                                  \
    VV_CLONES(mark_nan_##xname##_##mname, mark_nan_##xname##_##mname##_body,                                           \
              (vv_index n, const void *x, void *missing), (n, x, missing))
#define MARK_NANS(mname, mtype) MARK_NAN(F32, float, mname, mtype) MARK_NAN(F64, double, mname, mtype)
MARK_NANS(8, uint8_t)
MARK_NANS(16, uint16_t)
MARK_NANS(32, uint32_t)
MARK_NANS(64, int64_t)

#define COUNT_NAN(xname, xtype)                                                                                        \
    VV_KERNEL void count_nan_##xname##_body(vv_index n, const xtype *x, int64_t *count)                                \
    {                                                                                                                  \
        int64_t some = 0;                                                                                              \
        for (vv_index i = 0; i < n; i++) some += x[i] != x[i];                                                         \
        *count = some;                                                                                                 \
    }                                                                                                                  \
    VV_CLONES(count_nan_##xname, count_nan_##xname##_body, (vv_index n, const void *x, int64_t *count), (n, x, count))
COUNT_NAN(F32, float)
COUNT_NAN(F64, double)

static bool has_nan(vv_dtype in, vv_index n, const void *x)
{
    int found;
    (in == VV_F32 ? has_nan_F32 : has_nan_F64)[vv_cpu()](n, x, &found);
    return found;
}

/* The plane of missing counts holds garbage until the first NaN arrives. */
static void use_missing(vv_red_head *head, void *missing)
{
    if (head->has_missing) return;
    memset(missing, 0, (size_t)(head->width * head->cells));
    head->has_missing = 1;
}

static void mark(const vv_red_head *head, vv_dtype in, vv_index n, const void *x, void *missing, vv_index first)
{
    void *at = (char *)missing + first * head->width;
    switch (head->width) {
    case 1: (in == VV_F32 ? mark_nan_F32_8 : mark_nan_F64_8)[vv_cpu()](n, x, at); break;
    case 2: (in == VV_F32 ? mark_nan_F32_16 : mark_nan_F64_16)[vv_cpu()](n, x, at); break;
    case 4: (in == VV_F32 ? mark_nan_F32_32 : mark_nan_F64_32)[vv_cpu()](n, x, at); break;
    default: (in == VV_F32 ? mark_nan_F32_64 : mark_nan_F64_64)[vv_cpu()](n, x, at);
    }
}

/* Counts never exceed what a cell sees, which fits. */
static void add(const vv_red_head *head, void *missing, vv_index cell, int64_t some)
{
    switch (head->width) {
    case 1: ((uint8_t *)missing)[cell] = (uint8_t)(((uint8_t *)missing)[cell] + some); break;
    case 2: ((uint16_t *)missing)[cell] = (uint16_t)(((uint16_t *)missing)[cell] + some); break;
    case 4: ((uint32_t *)missing)[cell] += (uint32_t)some; break;
    default: ((int64_t *)missing)[cell] += some;
    }
}

void vv_missing_add(const vv_red_head *head, void *missing, const void *more)
{
    for (vv_index i = 0; i < head->cells; i++) add(head, missing, i, vv_missing_at(head, more, i));
}

static void count(const vv_red_head *head, vv_dtype in, vv_index n, const void *x, void *missing, vv_index cell)
{
    int64_t some;
    (in == VV_F32 ? count_nan_F32 : count_nan_F64)[vv_cpu()](n, x, &some);
    add(head, missing, cell, some);
}

/* The next tile of x: in place for floats, as f64 in `tile` for integers. */
static const void *next_tile(vv_dtype in, const void *x, vv_index at, vv_index n, double *tile)
{
    if (vv_dtype_is_float(in)) return (const char *)x + at * vv_dtype_size(in);
    const vv_decode widen = {.stored = in, .out = VV_F64};
    vv_decode_range(&widen, x, at + n, at, n, tile);
    return tile;
}

void vv_fold_vertical(const vv_red *r, vv_red_head *head, void *const planes[], void *missing, vv_index first,
                      vv_index n, const void *x, vv_fold_piece *piece)
{
    vv_dtype in = r->in == VV_F32 ? VV_F32 : VV_F64;
    _Alignas(64) double tile[VV_TILE];
    for (vv_index at = 0; at < n; at += VV_TILE) {
        vv_index some = vv_imin(VV_TILE, n - at);
        const void *t = next_tile(r->in, x, at, some, tile);
        bool masked = r->skip && has_nan(in, some, t);
        if (masked) {
            use_missing(head, missing);
            mark(head, in, some, t, missing, first + at);
        }
        piece(in, masked, planes, first + at, some, t);
    }
}

void vv_fold_horizontal(const vv_red *r, vv_red_head *head, void *const planes[], void *missing, vv_index cell,
                        vv_index n, const void *x, vv_fold_piece *piece)
{
    vv_dtype in = r->in == VV_F32 ? VV_F32 : VV_F64;
    _Alignas(64) double tile[VV_TILE];
    for (vv_index at = 0; at < n; at += VV_TILE) {
        vv_index some = vv_imin(VV_TILE, n - at);
        const void *t = next_tile(r->in, x, at, some, tile);
        bool masked = r->skip && has_nan(in, some, t);
        if (masked) {
            use_missing(head, missing);
            count(head, in, some, t, missing, cell);
        }
        piece(in, masked, planes, cell, some, t);
    }
}

bool vv_rows_plain(const vv_red *r, const vv_decode *d, vv_index n, const vv_stored_rows *from)
{
    if (d->stored != r->in || d->shuffled || d->swap) return false;
    bool valid = true;
    for (vv_index k = 0; k < from->rows && valid && !from->valid; k++)
        valid = !vv_decode_any_missing(
            d, (const char *)from->block + (from->first + k * from->step) * vv_dtype_size(r->in), n);
    return valid;
}

vv_dtype vv_result_same(vv_dtype stored)
{
    return vv_dtype_kind(stored) == 'c' ? VV_NONE : stored;
}

vv_dtype vv_result_total(vv_dtype stored)
{
    return stored == VV_BOOL ? VV_I64 : vv_working_type(stored);
}

vv_dtype vv_result_real(vv_dtype stored)
{
    vv_dtype in = vv_working_type(stored);
    return in == VV_I64 || in == VV_U64 ? VV_F64 : in;
}

int vv_one_plane(vv_dtype in)
{
    (void)in;
    return 1;
}

vv_dtype vv_count_result(vv_dtype stored)
{
    return vv_working_type(stored) == VV_NONE ? VV_NONE : VV_I64;
}

void vv_count_init(const vv_red *r, vv_index cells, void *const planes[])
{
    (void)r;
    memset(planes[0], 0, 8 * (size_t)cells);
}

void vv_count_finish(const vv_red *r, vv_index cells, const vv_red_head *head, void *const planes[],
                     const void *missing, void *out)
{
    (void)r, (void)head, (void)missing;
    memcpy(out, planes[0], 8 * (size_t)cells);
}
