/* Writing: elements of a finished chunk, as they are stored, go to the output file.
 *
 * Contiguous variables are written at once, run by run; so are chunks without filters, whose places are known. Chunks of a compressed
 * variable are compressed here, by the rank and thread that has them, and wait for their place in the file (commit.c): the first few in memory, all
 * others in the scratch file, so that an output of any size fits.
 *
 * A large output of plain elements, or of chunks that are copied, goes straight to the disk (storage/raw.c): its pages would fill the cache, and be written back
 * from there at the end. */
#include "base/fault.h"
#include "exec/run.h"
#include "kernels/codec/checksum.h"
#include "kernels/strided.h"

#include <stdlib.h>
#include <string.h>

/* Bytes from which on an output is large: those of its plain variables, and of those whose chunks are copied as they are stored, counted as elements. */
static const vv_bytes large_output = (vv_bytes)1 << 30;

static bool in_large_blocks(const vv_plan *p, int step)
{
    const vv_write_to *to = &p->step[step].to;
    return !to->chunked || vv_write_plain(to) || p->step[p->step[step].from].copied_to == step;
}

bool vv_writes_direct(const vv_plan *p)
{
    const char *text = getenv("VARVE_DIRECT");
    vv_bytes sum = 0;
    if (text && *text) return *text != '0';
    for (int i = 0; i < p->n_steps; i++) {
        const vv_step *s = &p->step[i];
        if (s->op != VV_STEP_WRITE || !in_large_blocks(p, i)) continue;
        sum += vv_imin(large_output, vv_times(vv_shape_elements(&s->grid.shape), vv_dtype_size(s->to.encode.to)));
    }
    return sum >= large_output;
}

vv_status vv_run_output(vv_run *r)
{
    vv_status status = VV_OK;
    pthread_mutex_lock(&r->lock);
    if (!r->out_open) {
        status = vv_raw_out_open(r->plan->output, &r->out);
        r->out_open = status == VV_OK;
        if (r->out_open && vv_writes_direct(r->plan)) vv_raw_out_direct(&r->out);
    }
    pthread_mutex_unlock(&r->lock);
    return status;
}

void vv_note_written(vv_run *r, int step, vv_bytes bytes)
{
    atomic_fetch_add(&r->written, bytes);
    atomic_fetch_add(&r->stage[step].written, bytes);
}

void vv_runs_begin(const vv_step *s, const vv_box *box, vv_runs *out)
{
    vv_bytes size = vv_dtype_size(s->to.encode.to), stride = size;
    *out = (vv_runs){.box = box, .outer = box->nd - 1, .run = size};
    for (int d = box->nd - 1; d >= 0; d--) {
        out->stride[d] = stride;
        stride *= s->grid.shape.n[d];
    }
    while (out->outer > 0 && box->n[out->outer] == s->grid.shape.n[out->outer]) out->outer--;
    for (int d = vv_imax(out->outer, 0); d < box->nd; d++) out->run *= box->n[d];
}

bool vv_runs_next(vv_runs *r, vv_bytes *at, vv_bytes *size)
{
    const vv_box *box = r->box;
    if (r->over) return false;
    *at = 0;
    *size = r->run;
    for (int d = 0; d < box->nd; d++) *at += (box->lo[d] + (d < r->outer ? r->at[d] : 0)) * r->stride[d];
    r->over = r->outer <= 0 || !vv_odometer(r->outer, box->n, r->at);
    return true;
}

static bool is_noted(const vv_run *r, int step)
{
    return r->journal && r->plan->step[r->plan->step[step].from].op == VV_STEP_MAP;
}

/* The journal hears of what has been written. */
static void note_placed(vv_run *r, int step, vv_index out, vv_bytes at, vv_checksum *sum)
{
    const vv_node_record record = {.step = step, .out = out, .size = sum->size};
    if (is_noted(r, step)) vv_journal_placed(r->journal, &record, at, vv_checksum_end(sum));
}

/* A box of a contiguous variable: one write for each run of elements that lie together. */
static vv_status write_contiguous(vv_run *r, int step, vv_index out, const vv_box *box, const char *data)
{
    const vv_step *s = &r->plan->step[step];
    bool noted = is_noted(r, step);
    vv_checksum sum;
    vv_runs runs;
    vv_bytes at, size;
    VV_TRY(vv_run_output(r));
    vv_checksum_begin(&sum);
    vv_runs_begin(s, box, &runs);
    while (vv_runs_next(&runs, &at, &size)) {
        VV_TRY(vv_raw_write(&r->out, s->to.address + at, size, data));
        if (noted) vv_checksum_add(&sum, data, size); /* while the cache has it */
        data += size;
        vv_note_written(r, step, size);
    }
    note_placed(r, step, out, s->to.address, &sum);
    return VV_OK;
}

/* Elements of a chunk as the file has it. */
static vv_index chunk_elements(const vv_step *s)
{
    vv_index total = 1;
    for (int d = 0; d < vv_write_grid(s)->shape.nd; d++) total *= vv_write_grid(s)->chunk[d];
    return total;
}

void vv_lay_rows(const vv_grid *g, const vv_box *box, vv_bytes size, const char *data, char *chunk)
{
    vv_index row = box->nd ? box->n[box->nd - 1] : 1, at[VV_MAX_DIMS] = {0};
    do {
        vv_index first = 0;
        for (int d = 0; d < box->nd - 1; d++) first = (first + at[d]) * g->chunk[d + 1];
        memcpy(chunk + first * size, data, (size_t)(row * size));
        data += row * size;
    } while (box->nd > 1 && vv_odometer(box->nd - 1, box->n, at));
}

/* The box's elements in a full chunk, the rest filled. */
static void pad(const vv_step *s, const vv_box *box, const char *data, char *chunk, vv_index total)
{
    vv_bytes size = vv_dtype_size(s->to.encode.to);
    const vv_grid *g = vv_write_grid(s);
    _Alignas(16) unsigned char fill[16];
    memcpy(fill, s->to.encode.fill, sizeof fill);
    if (vv_box_elements(box) < total) vv_tile_gather(size, total, fill, 0, chunk);
    vv_lay_rows(g, box, size, data, chunk);
}

/* A full chunk as its elements are before compression. `spare`: room for another one; NULL: none. */
static vv_status fill_chunk(vv_run *r, int step, vv_index out, const char *data, char *chunk, char *spare)
{
    const vv_step *s = &r->plan->step[step];
    vv_index total = chunk_elements(s);
    vv_box box;
    vv_grid_box(vv_write_grid(s), out, &box);
    pad(s, &box, data, chunk, total);
    if (s->to.grown.kept) VV_TRY(vv_grown_keep(r, step, &box, chunk, spare));
    if (s->to.swap) vv_byteswap(chunk, total, (int)vv_dtype_size(s->to.encode.to));
    return VV_OK;
}

static vv_status keep_packed(vv_run *r, vv_packed packed)
{
    pthread_mutex_lock(&r->lock);
    vv_status status = vv_grow(&r->packed, r->n_packed, sizeof *r->packed, "chunks of an output");
    if (status == VV_OK) r->packed[r->n_packed++] = packed;
    pthread_mutex_unlock(&r->lock);
    return status;
}

/* Bytes of a chunk that waits: in memory as long as there is room for them, else in the scratch file. With a journal they are in that in any case. */
static vv_status put_aside(vv_run *r, const char *bytes, vv_bytes size, vv_packed *out)
{
    const vv_node_record record = {.step = out->step, .out = out->chunk, .values = bytes, .size = size};
    bool map = r->plan->step[r->plan->step[out->step].from].op == VV_STEP_MAP;
    bool kept = r->journal && map && vv_journal_chunk(r->journal, &record, &out->at);
    out->in = kept ? VV_PACKED_JOURNAL : VV_PACKED_SCRATCH;
    pthread_mutex_lock(&r->lock);
    bool here = r->packed_bytes + size <= VV_PACKED_HELD;
    if (here) r->packed_bytes += size;
    pthread_mutex_unlock(&r->lock);
    out->at.size = size;
    if (kept && !here) return VV_OK;
    if (!here) return vv_spill_write(vv_store_scratch(r->store), bytes, size, &out->at);
    VV_TRY(vv_mem_get(&out->data, size, "a compressed chunk"));
    memcpy(out->data, bytes, (size_t)size);
    return VV_OK;
}

/* Puts a sum behind so many bytes; how many there are then. */
static vv_bytes add_sum(char *bytes, vv_bytes size)
{
    uint32_t sum = vv_fletcher32(bytes, size);
    for (int i = 0; i < VV_SUM_BYTES; i++) bytes[size + i] = (char)(sum >> 8 * i);
    return size + VV_SUM_BYTES;
}

/* Whole elements are shuffled; what is left of a sum stays behind them. */
static void shuffle(const char *bytes, vv_bytes size, vv_bytes element, char *shuffled)
{
    vv_index n = size / element;
    vv_shuffle(bytes, n, (int)element, shuffled);
    memcpy(shuffled + n * element, bytes + n * element, (size_t)(size - n * element));
}

/* A full chunk as it will be stored: compressed, or plain when the variable has no filters. Behind it and `shuffled` is room for a sum. */
static vv_status compress(vv_run *r, const vv_step *s, vv_desk *d, char *chunk, char *shuffled, vv_index total,
                          vv_packed *out)
{
    bool zstd = s->to.zstd > 0, last = s->to.sum && !s->to.sum_first;
    vv_bytes size = vv_dtype_size(s->to.encode.to), raw = total * size, packed;
    char *room;
    if (s->to.sum && s->to.sum_first) raw = add_sum(chunk, raw);
    if (s->to.shuffle) {
        shuffle(chunk, raw, size, shuffled);
        chunk = shuffled;
    }
    if (!zstd && s->to.deflate <= 0) return put_aside(r, chunk, last ? add_sum(chunk, raw) : raw, out);
    vv_bytes bound = zstd ? vv_zstd_bound(raw) : vv_deflate_bound(raw);
    if (!d->codec) VV_TRY(vv_codec_new(&d->codec));
    VV_TRY(vv_mem_get(&room, bound + VV_SUM_BYTES, "a compressed chunk"));
    vv_status status = zstd ? vv_zstd(d->codec, s->to.zstd, chunk, raw, room, bound, &packed)
                            : vv_deflate(d->codec, s->to.deflate, chunk, raw, room, bound, &packed);
    if (status == VV_OK) status = put_aside(r, room, last ? add_sum(room, packed) : packed, out);
    vv_mem_put(&room);
    return status;
}

static vv_status write_packed(vv_run *r, int step, vv_desk *d, vv_index out, const char *data)
{
    const vv_step *s = &r->plan->step[step];
    vv_index total = chunk_elements(s);
    vv_bytes raw = total * vv_dtype_size(s->to.encode.to);
    char *chunk = NULL, *shuffled = NULL;
    vv_packed packed = {.step = step, .chunk = out};
    vv_status status;
    VV_TRY_GOTO(status, done, vv_mem_get(&chunk, raw + VV_SUM_BYTES, "an output chunk"));
    if (s->to.shuffle) VV_TRY_GOTO(status, done, vv_mem_get(&shuffled, raw + VV_SUM_BYTES, "an output chunk"));
    VV_TRY_GOTO(status, done, fill_chunk(r, step, out, data, chunk, shuffled));
    VV_TRY_GOTO(status, done, compress(r, s, d, chunk, shuffled, total, &packed));
    VV_TRY_GOTO(status, done, keep_packed(r, packed));
    packed.data = NULL; /* the run's now */
done:
    vv_mem_put(&packed.data);
    vv_mem_put(&chunk);
    vv_mem_put(&shuffled);
    return status;
}

/* A box as it is, until all ranks write. */
static vv_status keep_whole(vv_run *r, int step, vv_index out, const char *data, vv_bytes size)
{
    vv_packed packed = {.step = step, .chunk = out};
    vv_status status = put_aside(r, data, size, &packed);
    packed.at.sum = vv_checksum_of(data, size); /* it will be read back */
    if (status == VV_OK) status = keep_packed(r, packed);
    if (status != VV_OK) vv_mem_put(&packed.data);
    return status;
}

static vv_status place_of(vv_run *r, int step, vv_index out, vv_bytes raw, vv_bytes *address)
{
    const vv_step *s = &r->plan->step[step];
    vv_chunk_at at;
    *address = s->to.address + out * raw;
    if (vv_write_placed(s)) return VV_OK;
    VV_TRY(vv_feed_chunk(&r->feeds.places[step], out, &at));
    *address = at.address;
    return at.address > 0 && at.size == raw ? VV_OK : vv_fail(VV_ERR_INTERNAL, "a chunk has no place of its size");
}

static vv_status write_raw(vv_run *r, int step, vv_index out, vv_bytes address, const char *data, vv_bytes size)
{
    vv_checksum sum;
    VV_TRY(vv_raw_write(&r->out, address, size, data));
    vv_note_written(r, step, size);
    vv_checksum_begin(&sum);
    if (is_noted(r, step)) vv_checksum_add(&sum, data, size);
    note_placed(r, step, out, address, &sum);
    return VV_OK;
}

/* A chunk without filters whose place is known. */
static vv_status write_plain(vv_run *r, int step, vv_index out, const char *data)
{
    const vv_step *s = &r->plan->step[step];
    vv_bytes raw = chunk_elements(s) * vv_dtype_size(s->to.encode.to);
    vv_bytes address;
    char *chunk;
    vv_box box;
    VV_TRY(vv_run_output(r));
    VV_TRY(place_of(r, step, out, raw, &address));
    vv_grid_box(vv_write_grid(s), out, &box);
    if (vv_box_elements(&box) == chunk_elements(s) && !s->to.grown.kept && !s->to.swap) {
        return write_raw(r, step, out, address, data, raw);
    }
    VV_TRY(vv_mem_get(&chunk, raw, "an output chunk"));
    vv_status status = fill_chunk(r, step, out, data, chunk, NULL);
    if (status == VV_OK) status = write_raw(r, step, out, address, chunk, raw);
    vv_mem_put(&chunk);
    return status;
}

vv_bytes vv_write_bytes(const vv_step *s, vv_index out)
{
    vv_box box;
    vv_grid_box(vv_write_grid(s), out, &box);
    return (s->to.chunked ? chunk_elements(s) : vv_box_elements(&box)) * vv_dtype_size(s->to.encode.to);
}

vv_status vv_write_stored(vv_run *r, int step, vv_index out, const vv_box *box, const char *data)
{
    const vv_step *s = &r->plan->step[step];
    vv_bytes address, raw = vv_write_bytes(s, out);
    if (!s->to.chunked) return write_contiguous(r, step, out, box, data);
    VV_TRY(vv_run_output(r));
    VV_TRY(place_of(r, step, out, raw, &address));
    return write_raw(r, step, out, address, data, raw);
}

vv_status vv_write_later(vv_run *r, int step, vv_index out, const vv_saved *node)
{
    return keep_packed(
        r,
        (vv_packed){.step = step, .in = VV_PACKED_EARLIER, .chunk = out, .at = {.size = node->size, .sum = node->sum}});
}

vv_status vv_packed_read(vv_run *r, const vv_packed *k, char *room)
{
    if (k->in == VV_PACKED_SCRATCH) return vv_spill_read(vv_store_scratch(r->store), &k->at, room);
    if (k->in == VV_PACKED_JOURNAL) return vv_journal_read(r->journal, &k->at, room);
    return vv_saved_take(r->plan, vv_saved_chunk(r->plan, k->step, k->chunk), room);
}

vv_status vv_write_elements(vv_run *r, int step, vv_desk *d, vv_index out, const vv_box *box, const char *elements)
{
    const vv_step *s = &r->plan->step[step];
    if (r->plan->collective)
        return keep_whole(r, step, out, elements, vv_box_elements(box) * vv_dtype_size(s->to.encode.to));
    if (!s->to.chunked) return write_contiguous(r, step, out, box, elements);
    if (vv_write_placed(s) || vv_write_told(r->plan, step)) return write_plain(r, step, out, elements);
    return write_packed(r, step, d, out, elements);
}
