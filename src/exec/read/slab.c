/* Slabs: stored elements in memory, as they lie in a chunk or as they were read, with what it takes to decode them. */
#include "base/fault.h"
#include "base/log.h"
#include "exec/work.h"
#include "kernels/strided.h"

#include <math.h>
#include <string.h>

vv_status vv_slab_error(const vv_source *s, int nd, const vv_index at[])
{
    char text[160];
    return vv_error_prefix("%s: variable '%s', chunk %s, rank %d", s->path, s->variable,
                           vv_dims_text(nd, at, text, sizeof text), vv_this_rank());
}

static void begin(const vv_source *s, vv_slab *out)
{
    *out = (vv_slab){.decode = s->decode};
}

/* Never written: the fill value wherever one looks. */
static void constant(const vv_source *s, vv_slab *out)
{
    memcpy(out->fill, s->fill, sizeof out->fill);
    out->bytes = out->fill;
    out->decode.shuffled = out->decode.swap = false;
    out->total = 1;
    memset(out->stride, 0, sizeof out->stride);
}

/* --- damage --- */

/* A damaged chunk's elements: missing, where its type has such a thing, else fill. */
static void missing(const vv_source *s, vv_slab *out)
{
    constant(s, out);
    if (!vv_dtype_is_float(s->decode.out)) return;
    out->decode = (vv_decode){.stored = s->decode.out, .out = s->decode.out};
    vv_dtype_store(s->decode.out, out->fill, NAN);
}

/* The current error happened at a chunk: the end of the run, unless it is damage and the user wants such chunks filled. */
static vv_status at_chunk(vv_worker *w, vv_feed *f, const vv_index coords[], vv_status status, vv_slab *out)
{
    enum { TELL = 10 };
    const vv_grid *g = &f->source->stored;
    vv_failure why;
    bool news;
    status = vv_slab_error(f->source, g->shape.nd, coords);
    if (status != VV_ERR_CORRUPT || !w->job->plan->fill_bad) return status;
    vv_error_get(&why);
    VV_TRY(vv_feed_note_bad(f, vv_grid_number(g, coords), &news));
    if (news && f->n_bad <= TELL)
        vv_say(VV_LOG_WARN, "filled with missing values: %s%s", why.text,
               f->n_bad == TELL ? " (more are not told)" : "");
    vv_error_clear();
    missing(f->source, out);
    return VV_OK;
}

/* --- stored chunks --- */

static vv_status decompress(vv_worker *w, vv_filter filter, const char *from, vv_bytes size, char *to,
                            vv_bytes expected)
{
    double start = vv_now();
    vv_status status = (filter == VV_FILTER_ZSTD ? vv_unzstd : vv_inflate)(w->codec, from, size, to, expected);
    w->seconds_inflate += vv_now() - start;
    return status;
}

/* Whether filter i of the pipeline was applied to a chunk. */
static bool applied(const vv_chunk_at *at, int i)
{
    return !(at->filter_mask >> i & 1);
}

/* Bytes that went into filter i: the elements, and the sums of filters in front of it. */
static vv_bytes bytes_into(const vv_source *s, const vv_chunk_at *at, int i, vv_bytes raw)
{
    for (int k = 0; k < i; k++)
        if (s->filter[k] == VV_FILTER_FLETCHER32 && applied(at, k)) raw += VV_SUM_BYTES;
    return raw;
}

/* Shuffled elements in order; bytes at the end that make no whole element, of a sum, are not shuffled. */
static void straighten(const vv_source *s, const char *from, vv_bytes bytes, char *to)
{
    int size = (int)vv_dtype_size(s->decode.stored);
    vv_index n = bytes / size;
    vv_unshuffle_range(from, n, size, 0, n, to);
    memcpy(to + n * size, from + n * size, (size_t)(bytes - n * size));
}

/* Undoes what HDF5's filter pipeline did, last filter first, as far as the decoder does not: shuffled bytes stay so, unless a sum of them in order
 * has to be checked. */
static vv_status unfilter(vv_worker *w, const vv_source *s, const vv_chunk_at *at, vv_room *room, vv_bytes raw,
                          vv_slab *out)
{
    const char *from = s->compressed ? w->stored.data : room->data;
    vv_bytes size = at->size;
    out->decode.shuffled = false;
    for (int i = s->n_filters - 1; i >= 0; i--) {
        if (!applied(at, i)) continue;
        if (s->filter[i] == VV_FILTER_SHUFFLE) {
            out->decode.shuffled = bytes_into(s, at, i, 0) == 0;
            if (out->decode.shuffled) continue;
            char *to = from == room->data ? w->stored.data : room->data;
            straighten(s, from, size, to);
            from = to;
        } else if (s->filter[i] == VV_FILTER_FLETCHER32) {
            VV_TRY(vv_fletcher32_check(from, &size));
        } else {
            vv_bytes expected = bytes_into(s, at, i, raw);
            VV_TRY(decompress(w, s->filter[i], from, size, room->data, expected));
            from = room->data;
            size = expected;
        }
    }
    out->bytes = room->data;
    if (size != raw)
        return vv_fail(VV_ERR_CORRUPT, "the stored chunk has %lld bytes instead of %lld", (long long)size,
                       (long long)raw);
    if (from != room->data) memcpy(room->data, from, (size_t)raw); /* other inputs' chunks pass there, too */
    return VV_OK;
}

/* --- chunks that reach beyond what is stored --- */

/* Elements of the chunk along d, from its begin, that are stored. */
static vv_index stored_along(const vv_source *s, int d, vv_index begin)
{
    vv_index end = s->stored.shape.n[d] - s->absent[d];
    return vv_imin(s->stored.chunk[d], vv_imax(0, end - begin));
}

static bool reaches_beyond(const vv_source *s, const vv_slab *slab)
{
    for (int d = 0; d < s->stored.shape.nd; d++)
        if (s->absent[d] > 0 && stored_along(s, d, slab->origin[d]) < s->stored.chunk[d]) return true;
    return false;
}

/* Fill values wherever the dataset has no elements: what its last chunk holds there is nobody's business. Rare, and therefore simple. */
static void cut(vv_worker *w, const vv_source *s, vv_room *room, vv_slab *slab)
{
    const vv_grid *g = &s->stored;
    int size = (int)vv_dtype_size(s->decode.stored);
    vv_bytes raw = slab->total * size;
    if (slab->decode.shuffled)
        straighten(s, room->data, raw, w->stored.data);
    else
        memcpy(w->stored.data, room->data, (size_t)raw);
    if (slab->decode.swap) vv_byteswap(w->stored.data, slab->total, size);
    slab->decode.shuffled = slab->decode.swap = false;
    vv_tile_gather(size, slab->total, s->fill, 0, room->data);
    vv_index n[VV_MAX_DIMS];
    for (int d = 0; d < g->shape.nd; d++) n[d] = stored_along(s, d, slab->origin[d]);
    vv_box_copy(g->shape.nd, n, size, w->stored.data, slab->stride, room->data, slab->stride);
}

static vv_status read_stored(vv_worker *w, vv_feed *f, vv_bytes at, vv_bytes size, void *to)
{
    double start = vv_now();
    vv_status status = vv_feed_raw(f, at, size, to);
    w->seconds_read += vv_now() - start;
    w->read += size;
    return status;
}

static vv_status load_chunk(vv_worker *w, vv_feed *f, const vv_index coords[], vv_room *room, vv_slab *out)
{
    const vv_source *s = f->source;
    vv_chunk_at at;
    VV_TRY(vv_feed_chunk(f, vv_grid_number(&s->stored, coords), &at));
    if (at.address < 0) {
        constant(s, out);
        return VV_OK;
    }
    vv_bytes raw = out->total * vv_dtype_size(s->decode.stored),
             most = s->compressed ? s->largest : bytes_into(s, &at, s->n_filters, raw);
    if (at.size > most)
        return vv_fail(VV_ERR_CORRUPT, "the stored chunk claims %u bytes, at most %lld are possible", at.size,
                       (long long)most);
    VV_TRY(vv_room_for(room, raw + VV_SUM_BYTES * VV_MAX_FILTERS, "a chunk"));
    vv_bytes second =
        vv_imax(s->compressed ? s->largest : 0, vv_source_straightens(s) ? raw + VV_SUM_BYTES * VV_MAX_FILTERS : 0);
    VV_TRY(vv_room_for(&w->stored, second, "a compressed chunk"));
    VV_TRY(read_stored(w, f, at.address, at.size, s->compressed ? w->stored.data : room->data));
    VV_TRY(unfilter(w, s, &at, room, raw, out));
    if (reaches_beyond(s, out)) cut(w, s, room, out);
    return VV_OK;
}

/* A chunk that this rank holds: where it is, or read back. */
static vv_status held_chunk(vv_worker *w, vv_feed *f, const vv_index coords[], vv_room *room, vv_slab *out)
{
    const vv_source *s = f->source;
    vv_index number = vv_grid_number(&s->stored, coords);
    vv_box box;
    vv_grid_box_at(&s->stored, coords, &box);
    out->total = vv_pack_strides(box.nd, box.n, out->stride);
    vv_bytes bytes = out->total * vv_dtype_size(s->decode.stored);
    if (!f->keep) return vv_fail(VV_ERR_INTERNAL, "this rank holds nothing");
    out->bytes = vv_keep_find(f->keep, s->held, number);
    if (out->bytes) return VV_OK;
    VV_TRY(vv_room_for(room, bytes, "a held chunk"));
    double start = vv_now();
    vv_status status = vv_keep_read(f->keep, s->held, number, bytes, room->data);
    w->seconds_read += vv_now() - start;
    out->bytes = room->data;
    return status;
}

vv_status vv_slab_chunk(vv_worker *w, vv_feed *f, const vv_index coords[], vv_room *room, vv_slab *out)
{
    const vv_grid *g = &f->source->stored;
    begin(f->source, out);
    out->total = vv_pack_strides(g->shape.nd, g->chunk, out->stride);
    for (int d = 0; d < g->shape.nd; d++) out->origin[d] = coords[d] * g->chunk[d] - g->shift[d];
    if (f->source->held) {
        vv_status held = held_chunk(w, f, coords, room, out);
        return held == VV_OK ? VV_OK : vv_slab_error(f->source, g->shape.nd, coords);
    }
    vv_status status = load_chunk(w, f, coords, room, out);
    return status == VV_OK ? VV_OK : at_chunk(w, f, coords, status, out);
}

/* --- boxes of everything else --- */

/* Calls `run` for each stretch of a box's elements that lie together in the whole variable: linear number of the first, how many, where they go. */
typedef vv_status run_visitor(vv_worker *w, vv_feed *f, vv_index first, vv_index n, char *to);

static vv_status each_run(vv_worker *w, vv_feed *f, const vv_box *box, char *to, run_visitor *visit)
{
    const vv_shape *shape = &f->source->stored.shape;
    vv_bytes size = vv_dtype_size(f->source->decode.stored);
    vv_index stride[VV_MAX_DIMS], at[VV_MAX_DIMS] = {0}, run = 1;
    vv_pack_strides(shape->nd, shape->n, stride);
    int outer = box->nd; /* dimensions in front of those that make a run */
    while (outer > 0) {
        run *= box->n[--outer];
        if (box->n[outer] != shape->n[outer]) break;
    }
    do {
        vv_index first = 0;
        for (int d = 0; d < box->nd; d++) first += (box->lo[d] + (d < outer ? at[d] : 0)) * stride[d];
        VV_TRY(visit(w, f, first, run, to));
        to += run * size;
    } while (vv_odometer(outer, box->n, at));
    return VV_OK;
}

static vv_status read_run(vv_worker *w, vv_feed *f, vv_index first, vv_index n, char *to)
{
    vv_bytes size = vv_dtype_size(f->source->decode.stored);
    double start = vv_now();
    vv_status status = vv_feed_elements(f, first, n, to);
    w->seconds_read += vv_now() - start;
    w->read += n * size;
    return status;
}

static vv_status generate_run(vv_worker *w, vv_feed *f, vv_index first, vv_index n, char *to)
{
    (void)w;
    if (f->source->given) {
        vv_bytes size = vv_dtype_size(f->source->decode.stored);
        if (!f->source->buffer) return vv_fail(VV_ERR_INTERNAL, "the buffer of '%s' is not here", f->source->variable);
        memcpy(to, (const char *)f->source->buffer + first * size, (size_t)(n * size));
        return VV_OK;
    }
    vv_random_fill(&f->source->random, f->source->decode.stored, first, n, to);
    return VV_OK;
}

static vv_status read_slowly(vv_worker *w, vv_feed *f, const vv_box *box, void *to)
{
    double start = vv_now();
    vv_status status = vv_feed_read(f, box, to);
    w->seconds_read += vv_now() - start;
    w->read += vv_box_elements(box) * vv_dtype_size(f->source->decode.stored);
    return status;
}

static vv_status load_box(vv_worker *w, vv_feed *f, const vv_box *box, vv_room *room, vv_slab *out)
{
    const vv_source *s = f->source;
    if (s->raw && s->address < 0) {
        constant(s, out);
        return VV_OK;
    }
    VV_TRY(vv_room_for(room, out->total * vv_dtype_size(s->decode.stored), "a box of elements"));
    out->bytes = room->data;
    if (s->generated) return each_run(w, f, box, room->data, generate_run);
    return s->raw ? each_run(w, f, box, room->data, read_run) : read_slowly(w, f, box, room->data);
}

vv_status vv_slab_box(vv_worker *w, vv_feed *f, const vv_box *box, vv_room *room, vv_slab *out)
{
    begin(f->source, out);
    out->decode.shuffled = false;
    out->decode.swap = f->source->raw && f->source->decode.swap;
    out->total = vv_pack_strides(box->nd, box->n, out->stride);
    memcpy(out->origin, box->lo, sizeof out->origin[0] * (size_t)box->nd);
    vv_status status = load_box(w, f, box, room, out);
    if (status == VV_OK) return VV_OK;
    vv_index chunk[VV_MAX_DIMS];
    for (int d = 0; d < box->nd; d++) chunk[d] = vv_grid_at(&f->source->stored, d, box->lo[d]);
    return at_chunk(w, f, chunk, status, out);
}

/* --- decoding --- */

/* Elements that are apart, one behind the other and in order. */
static void gather(const vv_decode *d, const void *bytes, vv_index total, vv_index first, vv_index stride, vv_index n,
                   void *out)
{
    vv_bytes size = vv_dtype_size(d->stored);
    if (d->shuffled) {
        const unsigned char *in = bytes;
        unsigned char *to = out;
        for (vv_bytes b = 0; b < size; b++)
            for (vv_index i = 0; i < n; i++) to[i * size + b] = in[b * total + first + i * stride];
    } else {
        vv_tile_gather(size, n, (const char *)bytes + first * size, stride, out);
    }
    if (d->swap) vv_byteswap(out, n, (int)size);
}

const void *vv_slab_values(const vv_decode *d, const void *bytes, vv_index total, vv_index first, vv_index stride,
                           vv_index n, void *tile)
{
    if (n == 1) stride = 1;
    if (stride == 1) {
        const char *elements = (const char *)bytes + first * vv_dtype_size(d->stored);
        if (vv_decode_is_ready(d, elements, n)) return elements;
        vv_decode_range(d, bytes, total, first, n, tile);
        return tile;
    }
    _Alignas(64) char stored[VV_TILE * VV_WIDEST];
    vv_decode in_order = *d;
    in_order.shuffled = in_order.swap = false;
    bool plain = vv_decode_is_plain(&in_order);
    if (stride == 0) {
        vv_decode_range(d, bytes, total, first, 1, stored);
        vv_tile_gather(vv_dtype_size(d->out), n, stored, 0, tile);
        return tile;
    }
    gather(d, bytes, total, first, stride, n, plain ? tile : stored);
    if (!plain) vv_decode_range(&in_order, stored, n, 0, n, tile);
    return tile;
}
