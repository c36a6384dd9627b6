#include "kernels/reduce.h"

#include "base/index.h"
#include "kernels/clones.h"
#include "kernels/codec/decode.h"
#include "kernels/reductions/fold.h"

#include <string.h>

const vv_reduction *const vv_reductions[] = {
#define ENTRY(name) &vv_reduction_of_##name,
    VV_REDUCTION_LIST(ENTRY)
#undef ENTRY
};
const int vv_n_reductions = sizeof vv_reductions / sizeof *vv_reductions;

const vv_reduction *vv_reduction_find(const char *name)
{
    for (int i = 0; i < vv_n_reductions; i++)
        if (!strcmp(vv_reductions[i]->name, name) || (vv_reductions[i]->also && !strcmp(vv_reductions[i]->also, name)))
            return vv_reductions[i];
    return NULL;
}

const vv_reduction *vv_reduction_any(const char *name)
{
    static const vv_reduction *const inner[] = {&vv_reduction_dot,      &vv_reduction_histogram, &vv_reduction_bincount,
                                                &vv_reduction_distinct, &vv_reduction_own,       &vv_reduction_pairs};
    for (size_t i = 0; i < sizeof inner / sizeof *inner; i++)
        if (!strcmp(inner[i]->name, name)) return inner[i];
    return vv_reduction_find(name);
}

bool vv_red_defined(const vv_red *r)
{
    if (!r->kind || (r->spec != NULL) != (r->kind->told != VV_TOLD_NOTHING)) return false;
    return r->spec ? r->spec->told == r->kind->told && r->in == r->spec->type[0]
                   : vv_reduction_planes(r->kind, r->in) > 0;
}

int vv_reduction_planes(const vv_reduction *r, vv_dtype in)
{
    return !r->planes || (vv_dtype_is_complex(in) && !r->complex_too) ? 0 : r->planes(in);
}

enum { MAX_PLANES = 8, CELL = 8 };

/* A state's parts, found from its head. */
typedef struct view {
    vv_red_head *head;
    void *planes[MAX_PLANES];
    void *missing;
} view;

static view view_of(const vv_red *r, const void *state)
{
    view v = {.head = (vv_red_head *)(uintptr_t)state};
    char *at = (char *)(v.head + 1);
    if (r->spec) {
        v.planes[0] = at;
        return v;
    }
    int n = r->kind->planes(r->in);
    for (int p = 0; p < n; p++, at += v.head->cells * CELL) v.planes[p] = at;
    v.missing = at;
    return v;
}

vv_bytes vv_red_cell_bytes(const vv_red *r)
{
    return r->spec ? r->spec->state : r->kind->planes(r->in) * (vv_bytes)CELL;
}

vv_index vv_red_length(const vv_red *r)
{
    return r->spec && r->spec->length ? r->spec->length : 1;
}

static vv_bytes bytes_of(const vv_red *r, vv_index cells, bool missing)
{
    vv_bytes cell = vv_red_cell_bytes(r) + (missing ? vv_missing_size(r->width) : 0);
    return (vv_bytes)sizeof(vv_red_head) + vv_times(cell, cells);
}

int vv_count_width(int64_t elements)
{
    return elements <= UINT8_MAX ? 1 : elements <= UINT16_MAX ? 2 : elements <= UINT32_MAX ? 4 : 8;
}

vv_bytes vv_red_state_bytes(const vv_red *r, vv_index cells)
{
    return bytes_of(r, cells, r->kind->counts_missing && r->skip && vv_dtype_is_float(r->in));
}

vv_bytes vv_red_used_bytes(const vv_red *r, const void *state)
{
    const vv_red_head *head = state;
    return bytes_of(r, head->cells, head->has_missing);
}

vv_dtype vv_red_out(const vv_red *r)
{
    if (r->spec) return r->spec->result;
    vv_dtype type = vv_working_type(r->kind->result(r->in));
    return type == VV_F32 ? VV_F64 : type == VV_C64 ? VV_C128 : type;
}

void vv_red_init(const vv_red *r, vv_index cells, void *state)
{
    vv_red_head *head = state;
    *head = (vv_red_head){.cells = cells, .width = vv_missing_size(r->width)};
    view v = view_of(r, state);
    r->kind->init(r, cells, v.planes);
}

void vv_red_at(void *state, vv_index place, vv_index step)
{
    vv_red_head *head = state;
    head->place = place;
    head->place_step = step;
}

void vv_red_vertical(const vv_red *r, void *state, vv_index first, vv_index n, const void *x)
{
    view v = view_of(r, state);
    r->kind->vertical(r, v.head, v.planes, v.missing, first, n, x);
}

bool vv_red_takes_stored(const vv_red *r, const vv_decode *d)
{
    if ((!r->kind->valid && !r->kind->rows) || !vv_dtype_is_float(r->in) || d->out != r->in || d->has_min || d->has_max)
        return false;
    return vv_dtype_is_float(d->stored) ? d->stored == d->out && !d->scaled : r->kind->packed != NULL;
}

/* A tile with missing values, stored elements in order: the long way. */
static void fold_missing(const vv_red *r, void *state, vv_index first, vv_index n, const vv_decode *d, const void *x)
{
    _Alignas(64) double tile[VV_TILE];
    vv_decode in_order = *d;
    in_order.shuffled = in_order.swap = false;
    vv_decode_range(&in_order, x, n, 0, n, tile);
    vv_red_vertical(r, state, first, n, tile);
}

void vv_red_stored(const vv_red *r, void *state, vv_index first, vv_index n, const vv_decode *d, const void *block,
                   vv_index total, vv_index at)
{
    _Alignas(64) double room[VV_TILE];
    view v = view_of(r, state);
    const void *x = vv_decode_order(d, block, total, at, n, room);
    if ((r->skip || d->n_missing) && vv_decode_any_missing(d, x, n))
        fold_missing(r, state, first, n, d, x);
    else if (!r->kind->valid)
        r->kind->vertical(r, v.head, v.planes, v.missing, first, n, x);
    else if (vv_dtype_is_float(d->stored))
        r->kind->valid(r->in, false, v.planes, first, n, x);
    else
        r->kind->packed(r->in, d, v.planes, first, n, x);
}

static void fold_rows(const vv_red_into *into, vv_index first, vv_index n, const vv_decode *d, const vv_stored_rows *x)
{
    const vv_red *r = into->red;
    view v = view_of(r, into->state);
    vv_index done = r->kind->rows ? r->kind->rows(r, d, v.planes, first, n, x) : 0;
    for (vv_index k = 0; k < x->rows && done < n; k++)
        vv_red_stored(r, into->state, first + done, n - done, d, x->block, x->total, x->first + k * x->step + done);
}

/* What several reductions want is put in order and looked through once for all of them. */
static vv_decode prepare_rows(const vv_decode *d, vv_index n, vv_stored_rows *x, char *room)
{
    vv_decode in_order = *d;
    vv_bytes size = vv_dtype_size(d->stored);
    if (size > 1 && (d->shuffled || d->swap)) {
        for (vv_index k = 0; k < x->rows; k++)
            (void)vv_decode_order(d, x->block, x->total, x->first + k * x->step, n, room + k * n * size);
        *x = (vv_stored_rows){.block = room, .total = x->rows * n, .step = n, .rows = x->rows};
    }
    in_order.shuffled = in_order.swap = false;
    x->valid = true;
    for (vv_index k = 0; k < x->rows && x->valid; k++)
        x->valid = !vv_decode_any_missing(d, (const char *)x->block + (x->first + k * x->step) * size, n);
    return in_order;
}

void vv_red_stored_rows(const vv_red_into into[], int n_into, vv_index first, vv_index n, const vv_decode *d,
                        const vv_stored_rows *from)
{
    _Alignas(64) char room[VV_FOLD_ROWS * VV_TILE * sizeof(double)];
    for (vv_index done = 0; done < from->rows; done += VV_FOLD_ROWS) {
        vv_stored_rows x = *from;
        x.rows = vv_imin(from->rows - done, VV_FOLD_ROWS);
        x.first += done * x.step;
        vv_decode as = n_into > 1 ? prepare_rows(d, n, &x, room) : *d;
        for (int k = 0; k < n_into; k++) fold_rows(&into[k], first, n, &as, &x);
    }
}

void vv_red_horizontal(const vv_red *r, void *state, vv_index cell, vv_index n, const void *x)
{
    view v = view_of(r, state);
    r->kind->horizontal(r, v.head, v.planes, v.missing, cell, n, x);
}

void vv_red_fold(const vv_red *r, void *state, vv_index first, vv_index step, vv_index n, const void *const x[])
{
    view v = view_of(r, state);
    if (!v.head->failed) r->kind->fold(r, v.head, v.planes[0], first, step, n, x);
}

vv_status vv_red_check(const vv_red *r, const void *state)
{
    const vv_red_head *head = state;
    return head->failed ? r->kind->failure(r, head) : VV_OK;
}

void vv_red_count(void *state, int64_t per_cell)
{
    ((vv_red_head *)state)->count += per_cell;
}

static void combine_missing(view *l, const view *r)
{
    if (!r->head->has_missing) return;
    if (!l->head->has_missing) {
        memcpy(l->missing, r->missing, (size_t)(l->head->width * l->head->cells));
        l->head->has_missing = 1;
        return;
    }
    vv_missing_add(l->head, l->missing, r->missing);
}

void vv_red_combine(const vv_red *r, void *left, const void *right)
{
    view a = view_of(r, left), b = view_of(r, right);
    if (a.head->failed || b.head->failed) return;
    r->kind->combine(r, a.head->cells, a.head, a.planes, a.missing, b.head, b.planes, b.missing);
    combine_missing(&a, &b);
    a.head->count += b.head->count;
}

/* Which of two NaNs a sum keeps is the processor's choice, so that they all leave as one and the same. */
void vv_red_finish(const vv_red *r, const void *state, void *out)
{
    view v = view_of(r, state);
    r->kind->finish(r, v.head->cells, v.head, v.planes, v.missing, out);
    vv_dtype type = vv_red_out(r), part = vv_dtype_is_complex(type) ? vv_dtype_part(type) : type;
    vv_index n = v.head->cells * vv_red_length(r) * (part == type ? 1 : 2);
    double *values = out;
    for (vv_index i = 0; part == VV_F64 && i < n; i++) values[i] = values[i] == values[i] ? values[i] : (double)NAN;
    for (vv_index i = 0; part == VV_F32 && i < n; i++)
        if (((float *)out)[i] != ((float *)out)[i]) ((float *)out)[i] = (float)NAN;
}
