#include "base/fault.h"
#include "exec/work.h"

#include <pthread.h>
#include <string.h>

/* The formats' own reading happens on one thread at a time (the HDF5 library is not thread-safe). */
static pthread_mutex_t slow_lock = PTHREAD_MUTEX_INITIALIZER;

static vv_status where(const vv_source *s, const vv_index coords[], int nd)
{
    char at[160];
    return vv_error_prefix("%s: variable '%s', chunk %s, rank %d", s->path, s->variable,
                           vv_dims_text(nd, coords, at, sizeof at), vv_this_rank());
}

/* Strides of a box inside a row-major block of the given extents. */
static vv_index strides(int nd, const vv_index extent[], vv_index stride[])
{
    vv_index n = 1;
    for (int d = nd - 1; d >= 0; d--) {
        stride[d] = n;
        n *= extent[d];
    }
    return n;
}

static void constant_block(vv_block *b, const vv_source *s, int nd)
{
    b->constant = true;
    b->bytes = s->fill;
    b->decode.shuffled = b->decode.swap = false;
    b->total = 1;
    memset(b->stride, 0, sizeof b->stride[0] * (size_t)nd);
    b->first = 0;
}

/* Undoes what HDF5's filter pipeline did, as far as the decoder does not: checksum, deflate. Filters are numbered in pipeline order; a
 * set bit says that one was skipped when the chunk was written. */
static vv_status unfilter(vv_worker *w, int input, const vv_chunk_at *at, vv_bytes raw)
{
    const vv_source *s = w->job->feed[input].source;
    vv_block *b = &w->block[input];
    uint32_t bit = s->decode.shuffled ? 2 : 1;
    uint32_t deflate_bit = bit, fletcher_bit = s->deflated ? bit << 1 : bit;
    bool deflated = s->deflated && !(at->filter_mask & deflate_bit);
    bool summed = s->fletcher32 && !(at->filter_mask & fletcher_bit);
    b->decode.shuffled = s->decode.shuffled && !(at->filter_mask & 1);
    const char *from = s->deflated ? w->stored : w->memory[input];
    vv_bytes size = at->size;
    if (summed) VV_TRY(vv_fletcher32_check(from, &size));
    b->bytes = w->memory[input];
    if (deflated) return vv_inflate(w->codec, from, size, w->memory[input], raw);
    if (size != raw)
        return vv_fail(VV_ERR_CORRUPT, "the stored chunk has %lld bytes instead of %lld", (long long)size,
                       (long long)raw);
    b->bytes = from;
    return VV_OK;
}

static vv_status load_chunk(vv_worker *w, int input, const vv_chunk_at *at, int nd)
{
    const vv_feed *f = &w->job->feed[input];
    const vv_source *s = f->source;
    vv_block *b = &w->block[input];
    b->total = strides(nd, s->stored.chunk, b->stride);
    b->first = 0;
    if (at->address < 0) {
        constant_block(b, s, nd);
        return VV_OK;
    }
    vv_bytes raw = b->total * vv_dtype_size(s->decode.stored);
    vv_bytes room = s->deflated ? s->largest : raw + 4;
    if (at->size > room)
        return vv_fail(VV_ERR_CORRUPT, "the stored chunk claims %u bytes, at most %lld are possible", at->size,
                       (long long)room);
    VV_TRY(vv_raw_read(&f->file, at->address, at->size, s->deflated ? w->stored : w->memory[input]));
    w->read += at->size;
    return unfilter(w, input, at, raw);
}

/* Contiguous data: describe where the box's elements lie in the file; tiles are read through a window. */
static void open_stream(vv_worker *w, int input, const vv_box *box)
{
    const vv_source *s = w->job->feed[input].source;
    vv_block *b = &w->block[input];
    if (s->address < 0) {
        constant_block(b, s, box->nd);
        return;
    }
    b->total = strides(box->nd, s->stored.shape.n, b->stride);
    b->first = 0;
    for (int d = 0; d < box->nd; d++) b->first += box->lo[d] * b->stride[d];
    int d = box->nd - 1;
    while (d > 0 && box->n[d] == s->stored.shape.n[d]) d--;
    vv_index inner = d < 0 ? 1 : b->stride[d];
    b->run = d < 0 ? 1 : box->n[d] * inner;
    b->run_start = d < 0 ? 0 : box->lo[d] * inner;
    b->run_cycle = d < 0 ? 1 : s->stored.shape.n[d] * inner;
    b->window_n = 0;
}

/* A box as one packed block: contiguous data read run by run, or whatever the format's own reading gives. */
static vv_status read_runs(vv_worker *w, int input, const vv_box *box)
{
    const vv_feed *f = &w->job->feed[input];
    vv_bytes size = vv_dtype_size(f->source->decode.stored);
    open_stream(w, input, box);
    vv_block stream = w->block[input];
    char *out = w->memory[input];
    vv_index at[VV_MAX_DIMS] = {0}, n[VV_MAX_DIMS];
    int outer = box->nd - 1;
    while (outer > 0 && box->n[outer] == f->source->stored.shape.n[outer]) outer--;
    memcpy(n, box->n, sizeof n);
    do {
        vv_index first = stream.first;
        for (int d = 0; d < outer; d++) first += at[d] * stream.stride[d];
        VV_TRY(vv_raw_read(&f->file, f->source->address + first * size, stream.run * size, out));
        out += stream.run * size;
        w->read += stream.run * size;
    } while (vv_odometer(outer, n, at));
    return VV_OK;
}

static vv_status read_slow(vv_worker *w, int input, const vv_box *box)
{
    vv_feed *f = (vv_feed *)&w->job->feed[input]; /* the file is opened on first use, under the lock */
    pthread_mutex_lock(&slow_lock);
    vv_status status = vv_fault(VV_FAULT_READ_CHUNK);
    if (status == VV_OK && !f->slow) status = vv_file_open(f->source->path, &f->slow);
    int var = status == VV_OK ? vv_meta_find_var(f->slow->meta, f->source->variable) : -1;
    if (status == VV_OK && var < 0) status = vv_fail(VV_ERR_READ, "the variable is gone");
    if (status == VV_OK) status = f->slow->format->read(f->slow, var, box, w->memory[input]);
    pthread_mutex_unlock(&slow_lock);
    w->read += vv_box_elements(box) * vv_dtype_size(f->source->decode.stored);
    return status;
}

static vv_status load_packed(vv_worker *w, int input, const vv_box *box)
{
    const vv_source *s = w->job->feed[input].source;
    vv_block *b = &w->block[input];
    if (s->raw && s->address < 0) {
        constant_block(b, s, box->nd);
        return VV_OK;
    }
    VV_TRY(s->raw ? read_runs(w, input, box) : read_slow(w, input, box));
    b->bytes = w->memory[input];
    b->decode.shuffled = false;
    b->decode.swap = s->raw && s->decode.swap;
    b->total = strides(box->nd, box->n, b->stride);
    b->first = 0;
    return VV_OK;
}

vv_status vv_block_load(vv_worker *w, int input, const vv_index coords[], const vv_box *box, vv_index at)
{
    const vv_feed *f = &w->job->feed[input];
    vv_block *b = &w->block[input];
    b->constant = false;
    b->bytes = NULL;
    b->decode = f->source->decode;
    vv_status status = VV_OK;
    if (w->job->streams)
        open_stream(w, input, box);
    else if (f->source->raw && f->source->chunked)
        status = load_chunk(w, input, &f->chunk[at], box->nd);
    else
        status = load_packed(w, input, box);
    return status == VV_OK ? VV_OK : where(f->source, coords, box->nd);
}

/* Slides the window so that it starts at `offset` and reaches as far as the run and the window do. What it holds of that already is moved,
 * not read again. */
static vv_status slide(vv_worker *w, int input, vv_index offset)
{
    const vv_feed *f = &w->job->feed[input];
    vv_block *b = &w->block[input];
    vv_bytes size = vv_dtype_size(f->source->decode.stored);
    vv_index left = b->run_start + b->run - offset % b->run_cycle;
    vv_index n = vv_imin(left, VV_WINDOW / size), end = b->window_first + b->window_n;
    vv_index have = offset >= b->window_first && offset < end ? vv_imin(n, end - offset) : 0;
    char *window = w->memory[input];
    if (have) memmove(window, window + (offset - b->window_first) * size, (size_t)(have * size));
    vv_status status =
        vv_raw_read(&f->file, f->source->address + (offset + have) * size, (n - have) * size, window + have * size);
    if (status != VV_OK)
        return vv_error_prefix("%s: variable '%s', rank %d", f->source->path, f->source->variable, vv_this_rank());
    b->window_first = offset;
    b->window_n = n;
    w->read += (n - have) * size;
    return VV_OK;
}

static const void *fill_tile(const vv_block *b, vv_index n, void *tile)
{
    vv_decode_range(&b->decode, b->bytes, 1, 0, 1, tile);
    vv_bytes size = vv_dtype_size(b->decode.out);
    for (vv_index i = 1; i < n; i++) memcpy((char *)tile + i * size, tile, (size_t)size);
    return tile;
}

vv_status vv_block_tile(vv_worker *w, int input, vv_index offset, vv_index n, void *tile, const void **values)
{
    vv_block *b = &w->block[input];
    if (b->constant) {
        *values = fill_tile(b, n, tile);
        return VV_OK;
    }
    const char *bytes = b->bytes;
    vv_index first = offset, total = b->total;
    if (!bytes) {
        if (offset < b->window_first || offset + n > b->window_first + b->window_n) VV_TRY(slide(w, input, offset));
        bytes = w->memory[input];
        first = offset - b->window_first;
        total = b->window_n;
    }
    if (vv_decode_is_plain(&b->decode)) {
        *values = bytes + first * vv_dtype_size(b->decode.stored);
        return VV_OK;
    }
    vv_decode_range(&b->decode, bytes, total, first, n, tile);
    *values = tile;
    return VV_OK;
}
