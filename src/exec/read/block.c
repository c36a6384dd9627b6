/* The blocks of a work chunk: one for each input, by its access. */
#include "base/fault.h"
#include "exec/push/store.h"
#include "exec/work.h"
#include "kernels/strided.h"

#include <string.h>

/* The work box's elements in memory whose first element has index origin[] and whose strides along the source's dimensions are given. */
static void follow(const vv_part *p, const vv_index origin[], const vv_index stride[], const vv_box *box, vv_block *b)
{
    b->first = 0;
    memset(b->stride, 0, sizeof b->stride[0] * (size_t)box->nd);
    for (int d = 0; d < p->nd; d++) {
        int w = p->dim[d];
        b->first += (vv_part_index(p, d, w < 0 ? 0 : box->lo[w]) - origin[d]) * stride[d];
        if (w >= 0) b->stride[w] += p->stride[d] * stride[d];
    }
}

void vv_block_fill(vv_block *b, vv_dtype type, double value)
{
    vv_dtype_store(type, b->fill, value);
    b->bytes = b->fill;
    b->decode = (vv_decode){.stored = type, .out = type};
    b->total = 1;
    b->first = 0;
    memset(b->stride, 0, sizeof b->stride);
}

/* --- direct access --- */

/* The stored chunk that holds the box, unless it is still here. */
static vv_status load_chunk(vv_worker *w, int input, const vv_box *box)
{
    const vv_part *p = &w->job->step->input[input].part[0];
    vv_feed *f = &w->job->feed[w->job->plan->step[p->from].source];
    const vv_grid *g = &f->source->stored;
    vv_slab *slab = &w->slab[input];
    vv_block *b = &w->block[input];
    vv_index coords[VV_MAX_DIMS];
    for (int d = 0; d < p->nd; d++)
        coords[d] = vv_grid_at(g, d, vv_part_index(p, d, p->dim[d] < 0 ? 0 : box->lo[p->dim[d]]));
    vv_index number = vv_grid_number(g, coords);
    if (w->key[input] != number) {
        w->key[input] = -1;
        VV_TRY(vv_slab_chunk(w, f, coords, &w->memory[input], slab));
        w->key[input] = number;
    }
    b->bytes = slab->bytes;
    b->decode = slab->decode;
    b->total = slab->total;
    follow(p, slab->origin, slab->stride, box, b);
    return VV_OK;
}

/* Rows of contiguous data, in memory. */
static vv_status load_rows(vv_worker *w, vv_feed *f, int input, const vv_box *box)
{
    const vv_part *p = &w->job->step->input[input].part[0];
    vv_slab *slab = &w->slab[input];
    vv_block *b = &w->block[input];
    vv_box source;
    if (!vv_part_source(p, box, &source)) return vv_fail(VV_ERR_INTERNAL, "rows that nobody has");
    VV_TRY(vv_slab_box(w, f, &source, &w->memory[input], slab));
    b->bytes = slab->bytes;
    b->decode = slab->decode;
    b->total = slab->total;
    follow(p, slab->origin, slab->stride, box, b);
    return VV_OK;
}

/* Contiguous data: describe where the box's elements lie in the file; tiles are read through a window. */
static vv_status open_stream(vv_worker *w, int input, const vv_box *box)
{
    const vv_part *p = &w->job->step->input[input].part[0];
    vv_feed *f = &w->job->feed[w->job->plan->step[p->from].source];
    const vv_source *s = f->source;
    vv_block *b = &w->block[input];
    vv_index stride[VV_MAX_DIMS], origin[VV_MAX_DIMS] = {0};
    vv_box source;
    if (w->rows > 0) return load_rows(w, f, input, box);
    b->decode = s->decode;
    if (s->address < 0) {
        memcpy(b->fill, s->fill, sizeof b->fill);
        b->bytes = b->fill;
        b->decode.swap = false;
        b->total = 1;
        b->first = 0;
        memset(b->stride, 0, sizeof b->stride);
        return VV_OK;
    }
    VV_TRY(vv_room_for(&w->memory[input], VV_WINDOW, "a window"));
    if (!vv_part_source(p, box, &source)) return vv_fail(VV_ERR_INTERNAL, "a chunk that wants nothing");
    b->bytes = NULL;
    b->total = vv_pack_strides(s->stored.shape.nd, s->stored.shape.n, stride);
    follow(p, origin, stride, box, b);
    int d = source.nd - 1;
    while (d > 0 && source.n[d] == s->stored.shape.n[d]) d--;
    vv_index inner = d < 0 ? 1 : stride[d];
    b->run = d < 0 ? 1 : source.n[d] * inner;
    b->run_start = d < 0 ? 0 : source.lo[d] * inner;
    b->run_cycle = d < 0 ? 1 : s->stored.shape.n[d] * inner;
    b->window_n = 0;
    return VV_OK;
}

/* --- packed boxes --- */

/* The work box in a packed box of the inboxes' space. Along a dimension that is looked up the block stays at its begin: fold.c moves it. */
static void lay_in_box(vv_worker *w, int input, const vv_box *box, const void *values)
{
    const vv_edge *e = w->edge[input];
    const vv_box *packed = &w->box[input];
    vv_block *b = &w->block[input];
    vv_dtype type = vv_working_type(w->job->step->input[input].type);
    b->bytes = values;
    b->decode = (vv_decode){.stored = type, .out = type};
    b->total = vv_pack_strides(box->nd, packed->n, b->stride);
    b->first = 0;
    for (int d = 0; d < box->nd; d++) {
        if (!e->follows[d])
            b->stride[d] = 0;
        else if (d != e->lookup)
            b->first += (box->lo[d] - packed->lo[d]) * b->stride[d];
    }
}

static vv_status load_packed(vv_worker *w, int input, const vv_index coords[], const vv_box *box)
{
    const vv_job *job = w->job;
    const vv_edge *e = w->edge[input];
    vv_room *room = &w->memory[input];
    vv_index key = vv_edge_key(e, coords);
    bool again = w->key[input] == key;
    w->key[input] = -1;
    vv_edge_box(e, key, &w->box[input]);
    VV_TRY(vv_room_for(room, vv_inbox_bytes(e, &w->box[input]), "a box of values"));
    const void *values = room->data;
    if (!vv_block_assembled(job->step, input)) {
        VV_TRY(vv_store_use(job->store, job->number, input, key, room->data, &values));
    } else {
        if (!again) VV_TRY(vv_box_assemble(w, input, &w->box[input], room->data));
        w->key[input] = key;
    }
    lay_in_box(w, input, box, values);
    return VV_OK;
}

vv_status vv_block_load(vv_worker *w, int input, const vv_index coords[], const vv_box *box)
{
    vv_access access = w->job->step->input[input].access;
    if (access == VV_ACCESS_PUSH || vv_block_assembled(w->job->step, input)) return load_packed(w, input, coords, box);
    return access == VV_ACCESS_STREAM ? open_stream(w, input, box) : load_chunk(w, input, box);
}

void vv_block_done(vv_worker *w, int input, const vv_index coords[])
{
    const vv_job *job = w->job;
    if (job->step->input[input].access == VV_ACCESS_PUSH)
        vv_store_done(job->store, job->number, input, vv_edge_key(w->edge[input], coords));
}

/* --- tiles --- */

vv_status vv_block_read(vv_worker *w, int input, vv_index offset, vv_index n, void *to)
{
    const vv_part *p = &w->job->step->input[input].part[0];
    vv_feed *f = &w->job->feed[w->job->plan->step[p->from].source];
    double start = vv_now();
    if (vv_feed_elements(f, offset, n, to) != VV_OK)
        return vv_error_prefix("%s: variable '%s', rank %d", f->source->path, f->source->variable, vv_this_rank());
    double seconds = vv_now() - start;
    w->seconds_read += seconds;
    w->seconds_kernel -= seconds; /* it happens inside of a chunk's fold */
    w->read += n * vv_dtype_size(f->source->decode.stored);
    return VV_OK;
}

/* Moves the window so that it holds [offset, offset + n), and reaches as far as the run and the window do. What it holds of that already is moved,
 * not read again. */
static vv_status slide(vv_worker *w, int input, vv_index offset, vv_index need)
{
    const vv_part *p = &w->job->step->input[input].part[0];
    vv_feed *f = &w->job->feed[w->job->plan->step[p->from].source];
    vv_block *b = &w->block[input];
    vv_bytes size = vv_dtype_size(f->source->decode.stored);
    vv_index left = b->run_start + b->run - offset % b->run_cycle;
    vv_index n = vv_imax(need, vv_imin(left, VV_WINDOW / size)), end = b->window_first + b->window_n;
    vv_index have = offset >= b->window_first && offset < end ? vv_imin(n, end - offset) : 0;
    char *window = w->memory[input].data;
    if (have) memmove(window, window + (offset - b->window_first) * size, (size_t)(have * size));
    VV_TRY(vv_block_read(w, input, offset + have, n - have, window + have * size));
    b->window_first = offset;
    b->window_n = n;
    return VV_OK;
}

vv_index vv_block_reach(const vv_block *b, vv_index stride)
{
    if (b->bytes || stride == 0 || stride == 1) return VV_TILE;
    vv_index room = VV_WINDOW / vv_dtype_size(b->decode.stored), apart = stride < 0 ? -stride : stride;
    return vv_imin(VV_TILE, (room - 1) / apart + 1);
}

vv_status vv_block_at(vv_worker *w, int input, vv_index offset, vv_index stride, vv_index n, vv_stored *out)
{
    vv_block *b = &w->block[input];
    *out = (vv_stored){b->bytes, b->total, offset};
    if (b->bytes) return VV_OK;
    vv_index span = (n - 1) * stride, lo = vv_imin(offset, offset + span), hi = vv_imax(offset, offset + span) + 1;
    if (lo < b->window_first || hi > b->window_first + b->window_n) VV_TRY(slide(w, input, lo, hi - lo));
    *out = (vv_stored){w->memory[input].data, b->window_n, offset - b->window_first};
    return VV_OK;
}

vv_status vv_block_tile(vv_worker *w, int input, vv_index offset, vv_index stride, vv_index n, void *tile,
                        const void **values)
{
    vv_stored s;
    VV_TRY(vv_block_at(w, input, offset, stride, n, &s));
    *values = vv_slab_values(&w->block[input].decode, s.bytes, s.total, s.first, stride, n, tile);
    return VV_OK;
}
