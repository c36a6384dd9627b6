/* What is spilled of inboxes: pieces gather in memory until they are worth a record of the scratch file. */
#include "exec/push/inbox.h"
#include "kernels/strided.h"

#include <stdlib.h>
#include <string.h>

enum { SMALL_RECORD = 4 << 10 };

/* A piece in a record: this, lo[nd] and n[nd] within the inbox's box, the values. */
typedef struct piece_head {
    int64_t bytes; /* of the values; the next piece follows at a multiple of 8 */
} piece_head;

vv_status vv_spilled_new(vv_spilled **out)
{
    VV_TRY(vv_new(out, 1, sizeof **out));
    pthread_mutex_init(&(*out)->lock, NULL);
    return VV_OK;
}

void vv_spilled_free(vv_store *s, vv_spilled **spilled)
{
    vv_spilled *p = *spilled;
    if (!p) return;
    for (int i = 0; i < p->n; i++) vv_spill_drop(s->spill, &p->extent[i]);
    atomic_fetch_sub(&s->pending, p->capacity);
    pthread_mutex_destroy(&p->lock);
    free(p->extent);
    vv_mem_put(&p->pending);
    free(p);
    *spilled = NULL;
}

void vv_inbox_copy_in(const vv_gate *g, const vv_box *box, const vv_box *piece, const void *values,
                      const vv_index from[], char *block)
{
    vv_index to[VV_MAX_DIMS], first = 0;
    vv_pack_strides(box->nd, box->n, to);
    for (int d = 0; d < box->nd; d++) first += (piece->lo[d] - box->lo[d]) * to[d];
    vv_box_copy(box->nd, piece->n, g->size, values, from, block + first * g->size, to);
}

/* --- out --- */

/* What a rank's inboxes take at most: with a store of this size nothing is ever spilled. */
static vv_bytes everything(const vv_store *s)
{
    vv_bytes sum = 0;
    for (int i = 0; i < s->plan->n_steps; i++)
        for (int k = 0; s->gate[i] && k < s->plan->step[i].n_inputs; k++) {
            const vv_gate *g = &s->gate[i][k];
            if (!g->pushed) continue;
            vv_bytes one = g->size;
            for (int d = 0; d < s->plan->step[i].work.shape.nd; d++) {
                const vv_input *in = &s->plan->step[i].input[k];
                if (g->edge.follows[d])
                    one = vv_times(one, s->plan->step[i].work.chunk[d] + in->before[d] + in->after[d]);
            }
            vv_bytes all = vv_times(one, g->edge.keys);
            sum = all > VV_INDEX_MAX - sum ? VV_INDEX_MAX : sum + all;
        }
    return sum;
}

/* Says what the user can do about a scratch directory that takes no more. */
static vv_status explain(const vv_store *s, vv_status status)
{
    vv_failure e;
    char spilled[32], enough[32];
    vv_error_get(&e);
    if (status != VV_ERR_WRITE) return status;
    vv_bytes more = vv_imax(0, everything(s) - s->plan->store);
    return vv_fail(VV_ERR_WRITE,
                   "%.300s (%s are there already); choose another directory with --scratch, or --memory %s, with which "
                   "nothing is spilled",
                   e.text, vv_bytes_text(vv_store_spilled(s), spilled), vv_bytes_text(s->plan->budget + more, enough));
}

static vv_status write_record(vv_store *s, vv_spilled *p, const char *record, vv_bytes size)
{
    VV_TRY(vv_grow(&p->extent, p->n, sizeof *p->extent, "extents"));
    vv_status status = vv_spill_write(s->spill, record, size, &p->extent[p->n]);
    if (status != VV_OK) return explain(s, status);
    p->n++;
    return VV_OK;
}

static vv_status flush_pending(vv_store *s, vv_spilled *p)
{
    if (p->fill == 0) return VV_OK;
    VV_TRY(write_record(s, p, p->pending, p->fill));
    p->fill = 0;
    return VV_OK;
}

static vv_status pending_room(vv_store *s, vv_spilled *p, vv_bytes bytes)
{
    if (p->fill > 0 && p->fill + bytes > VV_SPILL_RECORD) VV_TRY(flush_pending(s, p));
    if (p->fill + bytes <= p->capacity) return VV_OK;
    vv_bytes capacity = vv_imax(p->fill + bytes, vv_imin(2 * p->capacity, VV_SPILL_RECORD));
    char *more;
    VV_TRY(vv_mem_get(&more, capacity, "pieces to spill"));
    if (p->fill) memcpy(more, p->pending, (size_t)p->fill);
    vv_mem_put(&p->pending);
    p->pending = more;
    atomic_fetch_add(&s->pending, capacity - p->capacity);
    p->capacity = capacity;
    return VV_OK;
}

static void pending_release(vv_store *s, vv_spilled *p)
{
    vv_mem_put(&p->pending);
    atomic_fetch_sub(&s->pending, p->capacity);
    p->capacity = 0;
}

static vv_bytes piece_bytes(const vv_gate *g, const vv_box *piece)
{
    vv_bytes head = (vv_bytes)sizeof(piece_head) + 2 * piece->nd * (vv_bytes)sizeof(vv_index);
    return head + (vv_box_elements(piece) * g->size + 7) / 8 * 8;
}

static void pack_piece(const vv_gate *g, const vv_box *box, const vv_box *piece, const void *values,
                       const vv_index from[], char *at)
{
    vv_index to[VV_MAX_DIMS], *where = (vv_index *)(void *)(at + sizeof(piece_head));
    *(piece_head *)(void *)at = (piece_head){vv_box_elements(piece) * g->size};
    for (int d = 0; d < piece->nd; d++) {
        where[d] = piece->lo[d] - box->lo[d];
        where[piece->nd + d] = piece->n[d];
    }
    memset(at + piece_bytes(g, piece) - 8, 0, 8); /* the gap behind the values is summed too */
    vv_pack_strides(piece->nd, piece->n, to);
    vv_box_copy(piece->nd, piece->n, g->size, values, from, (char *)(where + 2 * piece->nd), to);
}

/* In two halves when it is too large for a record; in bits that need no memory when there is none. */
static vv_status spill_piece(vv_store *s, const vv_gate *g, vv_spilled *p, const vv_box *box, const vv_box *piece,
                             const void *values, const vv_index from[], vv_bytes most)
{
    char small[SMALL_RECORD];
    vv_bytes bytes = piece_bytes(g, piece);
    if (bytes > most) {
        vv_box half[2] = {*piece, *piece};
        int d = 0;
        while (d < piece->nd - 1 && piece->n[d] == 1) d++;
        half[0].n[d] = piece->n[d] / 2;
        half[1].n[d] -= half[0].n[d];
        half[1].lo[d] += half[0].n[d];
        VV_TRY(spill_piece(s, g, p, box, &half[0], values, from, most));
        return spill_piece(s, g, p, box, &half[1], (const char *)values + half[0].n[d] * from[d] * g->size, from, most);
    }
    if (most == SMALL_RECORD) {
        pack_piece(g, box, piece, values, from, small);
        return write_record(s, p, small, bytes);
    }
    vv_status status = pending_room(s, p, bytes);
    if (status == VV_ERR_BUDGET || status == VV_ERR_NOMEM)
        return spill_piece(s, g, p, box, piece, values, from, SMALL_RECORD);
    VV_TRY(status);
    pack_piece(g, box, piece, values, from, p->pending + p->fill);
    p->fill += bytes;
    /* A quarter of the share may wait; the rest is lost to growing and to the gaps between blocks. */
    if (p->fill < VV_SPILL_RECORD && atomic_load(&s->pending) <= vv_spill_share(s->plan->store) / 4) return VV_OK;
    VV_TRY(flush_pending(s, p));
    pending_release(s, p);
    return VV_OK;
}

vv_status vv_spilled_put(vv_store *s, const vv_gate *g, vv_spilled *p, const vv_box *box, const vv_box *piece,
                         const void *values, const vv_index stride[])
{
    pthread_mutex_lock(&p->lock);
    vv_status status = spill_piece(s, g, p, box, piece, values, stride, VV_SPILL_RECORD);
    pthread_mutex_unlock(&p->lock);
    return status;
}

/* --- and back --- */

/* Puts the pieces of a record into the block. */
static void unpack(const vv_gate *g, const vv_box *box, const char *record, vv_bytes size, char *block)
{
    vv_box piece = {.nd = box->nd};
    vv_index from[VV_MAX_DIMS];
    for (const char *at = record; at < record + size;) {
        const piece_head *h = (const piece_head *)(const void *)at;
        const vv_index *where = (const vv_index *)(const void *)(at + sizeof *h);
        for (int d = 0; d < box->nd; d++) {
            piece.lo[d] = box->lo[d] + where[d];
            piece.n[d] = where[box->nd + d];
        }
        vv_pack_strides(piece.nd, piece.n, from);
        at += sizeof *h + 2 * (size_t)box->nd * sizeof *where;
        vv_inbox_copy_in(g, box, &piece, at, from, block);
        at += (h->bytes + 7) / 8 * 8;
    }
}

vv_status vv_spilled_read(vv_store *s, const vv_gate *g, const vv_spilled *p, const vv_box *box, char *block)
{
    vv_bytes largest = 0;
    char *record = NULL;
    vv_status status = VV_OK;
    for (int i = 0; i < p->n; i++) largest = vv_imax(largest, p->extent[i].size);
    if (largest) status = vv_new(&record, (size_t)largest, 1); /* VV_SPILL_RECORD at most */
    for (int i = 0; i < p->n && status == VV_OK; i++) {
        status = vv_spill_read(s->spill, &p->extent[i], record);
        if (status == VV_OK) unpack(g, box, record, p->extent[i].size, block);
    }
    free(record);
    if (status == VV_OK && p->fill) unpack(g, box, p->pending, p->fill, block);
    return status;
}
