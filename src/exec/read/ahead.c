/* Reading ahead: before a chunk is read and reduced, the system is told which stored bytes come behind it, so that a disk or a file server fetches them
 * meanwhile. No thread and no memory of ours: the bytes wait in the page cache.
 *
 * What comes behind is the chunk after the next one of the unit at work, then those of the unit that has the next number on this rank: units that read
 * files become ready in this order. A wrong guess costs a call.
 *
 * Chunks that are smaller than what the system reads ahead by itself are left to it: it then has them already, read in larger pieces (measured with 8 MiB of
 * read-ahead: announcing chunks of 1 MiB made a cold file a quarter slower). */
#include "exec/work.h"
#include "kernels/strided.h"

#include <fcntl.h>
#include <stdlib.h>

/* Linux takes no more of an announcement than what it reads ahead anyway, which is 128 KiB as a rule: hence PIECE.
 * Chunks between the one at work and the one that is announced: the next one has been announced before. Stored bytes worth a call; of contiguous data, the
 * most that is announced at once; chunks of one box. */
enum { DISTANCE = 2, WORTH = 32 << 10, PIECE = 128 << 10, MOST = 16 << 20, MOST_CHUNKS = 64 };

static bool wanted(void)
{
    static _Atomic int known; /* 1: no, 2: yes */
    if (!known) {
        const char *text = getenv("VARVE_AHEAD");
        known = text && *text == '0' ? 1 : 2;
    }
    return known == 2;
}

static void announce(const vv_feed *f, vv_bytes at, vv_bytes size)
{
    if (size < WORTH || size <= f->file.ahead || at < 0) return;
    for (vv_bytes done = 0; done < size; done += PIECE)
        (void)posix_fadvise(f->file.fd, at + done, vv_imin(PIECE, size - done), POSIX_FADV_WILLNEED);
}

/* Stored chunks that a box of a source touches. */
static void announce_chunks(const vv_feed *f, const vv_box *box)
{
    const vv_grid *g = &f->source->stored;
    vv_index first[VV_MAX_DIMS], n[VV_MAX_DIMS], at[VV_MAX_DIMS] = {0}, coords[VV_MAX_DIMS], left = MOST_CHUNKS;
    for (int d = 0; d < box->nd; d++) {
        first[d] = vv_grid_at(g, d, box->lo[d]);
        n[d] = vv_grid_at(g, d, box->lo[d] + box->n[d] - 1) - first[d] + 1;
    }
    do {
        vv_chunk_at where;
        for (int d = 0; d < box->nd; d++) coords[d] = first[d] + at[d];
        if (vv_feed_chunk(f, vv_grid_number(g, coords), &where) != VV_OK)
            vv_error_clear(); /* not this rank's, after all */
        else
            announce(f, where.address, where.size);
    } while (--left > 0 && vv_odometer(box->nd, n, at));
}

/* A box of contiguous data, where it is most of what lies between its ends. */
static void announce_stretch(const vv_feed *f, const vv_box *box)
{
    const vv_source *s = f->source;
    vv_index stride[VV_MAX_DIMS], first = 0, last = 0;
    vv_pack_strides(box->nd, s->stored.shape.n, stride);
    for (int d = 0; d < box->nd; d++) {
        first += box->lo[d] * stride[d];
        last += (box->lo[d] + box->n[d] - 1) * stride[d];
    }
    vv_bytes size = vv_dtype_size(s->decode.stored), bytes = (last - first + 1) * size;
    if (s->pitch == 0 && s->address >= 0 && vv_box_elements(box) * size * 2 > bytes)
        announce(f, s->address + first * size, vv_imin(bytes, MOST));
}

static void announce_part(const vv_worker *w, const vv_part *part, const vv_box *box)
{
    const vv_source *s = vv_part_stored(w->job->plan, part);
    vv_box target, source;
    if (!s || !s->raw || s->generated || !vv_box_intersect(&part->box, box, &target)) return;
    vv_feed *f = &w->job->feed[s - w->job->plan->source];
    if (!atomic_load_explicit(&f->open, memory_order_acquire) || !vv_part_source(part, &target, &source)) return;
    if (vv_box_elements(&source) == 0) return;
    if (vv_feed_hold(f) != VV_OK) {
        vv_error_clear(); /* who wants the bytes will say it */
        return;
    }
    (s->chunked ? announce_chunks : announce_stretch)(f, &source);
    vv_feed_release(f);
}

/* What a work chunk reads from files. */
static void announce_inputs(const vv_worker *w, const vv_index coords[])
{
    const vv_step *s = w->job->step;
    for (int i = 0; i < s->n_inputs; i++) {
        const vv_input *in = &s->input[i];
        vv_box box;
        if (in->access == VV_ACCESS_PUSH) continue;
        if (vv_block_assembled(s, i))
            vv_edge_box(w->edge[i], vv_edge_key(w->edge[i], coords), &box);
        else
            vv_grid_box_at(&s->work, coords, &box);
        for (int k = 0; k < in->n_parts; k++) announce_part(w, &in->part[k], &box);
    }
}

/* Chunk k of a unit, or, when it has not that many, of those that follow it on this rank. */
static bool find(const vv_job *job, vv_unit u, vv_index k, vv_index coords[])
{
    const vv_step *s = job->step;
    int rank = vv_this_rank(), ranks = job->plan->ranks;
    vv_index n = vv_unit_chunks(s, u), p = -1;
    while (k >= n) {
        k -= n;
        if (p < 0) p = vv_place_index(s, ranks, u);
        if (++p >= job->own) return false;
        u = vv_place_unit(s, rank, ranks, p);
        n = vv_unit_chunks(s, u);
    }
    vv_unit_coords(s, u, k, coords);
    return true;
}

void vv_ahead(const vv_worker *w, vv_unit u, vv_index k)
{
    vv_index coords[VV_MAX_DIMS];
    if (wanted() && find(w->job, u, k + DISTANCE, coords)) announce_inputs(w, coords);
}
