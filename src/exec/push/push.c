/* Pushing: values of a finished chunk go into the inboxes that want them, here at once, on other ranks by messages.
 *
 * A message holds pieces: a head, the values, the next head at a multiple of 8. Small pieces for one rank share a message, at most those of
 * one chunk, so that nobody waits for a message to become full - and so that what is sent depends on the plan alone.
 *
 * Between computers a large chunk is gone through several times, and every rank gets a slice of its pieces each time, so that messages to all of them are under way at once. If all
 * sent what is for rank 0 first, its computer's network card would have to take in what all others send while theirs got nothing, one after the other. */
#include "base/fault.h"
#include "exec/run.h"
#include "kernels/strided.h"

#include <string.h>
#include <time.h>

enum { SLICE = 256 << 10, WALKS = 8, FIRST = 512, FEW = VV_PIECE_SPANS };

/* Where a piece lies, within its inbox's box, along one of the dimensions in which that has more than one element. */
typedef struct span {
    uint32_t lo, n;
} span;

/* With more such dimensions other lines of spans follow. */
typedef struct head {
    int32_t step, input;
    int64_t key, bytes;
    span span[FEW];
} head;
_Static_assert(sizeof(head) == VV_MESSAGE_HEAD && sizeof(span) * VV_PIECE_LINE == VV_MESSAGE_HEAD,
               "what the cost of a plan counts");

static span *span_at(head *h, int i)
{
    return i < FEW ? &h->span[i] : (span *)(void *)(h + 1) + (i - FEW);
}

static vv_bytes value_size(const vv_edge *e)
{
    return vv_dtype_size(vv_working_type(e->plan->step[e->step].input[e->input].type));
}

/* --- sending --- */

static vv_status send_parcel(vv_run *r, vv_desk *d, int to)
{
    struct vv_parcel *p = &d->parcel[to];
    vv_bytes size = p->fill;
    p->fill = p->size = 0;
    return size ? vv_run_letter(r, to, VV_TAG_PIECES, &p->data, size) : VV_OK;
}

vv_status vv_push_flush(vv_run *r, vv_desk *d)
{
    vv_status status = VV_OK;
    for (int i = 0; i < d->n_touched && status == VV_OK; i++) {
        d->parcel[d->touched[i]].touched = false;
        status = send_parcel(r, d, d->touched[i]);
    }
    d->n_touched = 0;
    return status;
}

/* Room for a piece at the end of a rank's parcel. */
static vv_status parcel_room(vv_run *r, vv_desk *d, int to, vv_bytes bytes, char **out)
{
    struct vv_parcel *p = &d->parcel[to];
    if (p->fill > 0 && p->fill + bytes > VV_PARCEL) VV_TRY(send_parcel(r, d, to));
    if (p->fill + bytes > p->size) {
        vv_bytes size = vv_imax(p->fill + bytes, vv_imin(vv_imax(FIRST, 2 * p->size), VV_PARCEL));
        char *more;
        VV_TRY(vv_mem_get(&more, size, "a message"));
        if (p->fill) memcpy(more, p->data, (size_t)p->fill);
        vv_mem_put(&p->data);
        p->data = more;
        p->size = size;
    }
    if (!p->touched) d->touched[d->n_touched++] = to;
    p->touched = true;
    *out = p->data + p->fill;
    p->fill += bytes;
    return VV_OK;
}

static vv_status write_head(const vv_edge *e, vv_index key, const vv_box *box, const vv_box *piece, vv_bytes bytes,
                            char *at)
{
    head *h = (head *)(void *)at;
    memset(h, 0, (size_t)vv_piece_head(box));
    *h = (head){.step = e->step, .input = e->input, .key = key, .bytes = bytes};
    for (int d = 0, i = 0; d < box->nd; d++) {
        if (box->n[d] == 1) continue;
        if (box->n[d] > UINT32_MAX) return vv_fail(VV_ERR_UNSUPPORTED, "a chunk of more than 2^32 elements in a row");
        *span_at(h, i++) = (span){(uint32_t)(piece->lo[d] - box->lo[d]), (uint32_t)piece->n[d]};
    }
    return VV_OK;
}

/* A piece waits while too much is under way for it to go, too. The main thread looks after messages, so that others who wait for this rank go on. */
static vv_status make_way(vv_run *r, vv_bytes bytes)
{
    enum { NAP = 100000 };
    vv_backoff wait = {0};
    vv_status status = VV_OK;
    bool main = pthread_equal(pthread_self(), r->main);
    if (main) r->draining = true;
    while (vv_run_jams(r, bytes) && status == VV_OK) {
        if (main)
            status = vv_run_wait(r, &wait);
        else if (atomic_load(&r->cancelled))
            status = vv_fail(VV_ERR_CANCELLED, "stopped");
        else
            nanosleep(&(struct timespec){.tv_nsec = NAP}, NULL);
    }
    if (main) r->draining = false;
    return status;
}

vv_status vv_push_late(vv_run *r)
{
    for (int i = 0; i < r->plan->n_steps && r->late > 0; i++)
        while (r->stage[i].late) {
            vv_piece *p = r->stage[i].late;
            r->stage[i].late = p->next;
            r->late--;
            VV_TRY(vv_deliver(&r->stage[i], p));
        }
    return VV_OK;
}

/* One chunk on its way to one input. */
typedef struct push {
    vv_stage *stage;
    vv_desk *desk;
    vv_index out;
    const char *values;
    const vv_index *layout;
    bool stays;     /* the values, where they are, until the run has ended */
    vv_bytes slice; /* what a rank gets in a walk, about */
    bool more;      /* some have not got all */
} push;

static vv_status pack(const push *p, const vv_edge *e, int to, vv_index key, const vv_box *piece, const char *first,
                      const vv_index stride[])
{
    vv_bytes size = value_size(e), bytes = vv_box_elements(piece) * size;
    vv_index packed[VV_MAX_DIMS];
    vv_box box;
    char *at;
    vv_edge_box(e, key, &box);
    vv_bytes head = vv_piece_head(&box);
    VV_TRY(make_way(p->stage->run, head + vv_piece_room(bytes)));
    VV_TRY(parcel_room(p->stage->run, p->desk, to, head + vv_piece_room(bytes), &at));
    VV_TRY(write_head(e, key, &box, piece, bytes, at));
    memset(at + head + vv_piece_room(bytes) - 8, 0, 8); /* the gap behind the values */
    vv_pack_strides(piece->nd, piece->n, packed);
    vv_box_copy(piece->nd, piece->n, size, first, stride, at + head, packed);
    vv_run_moved(p->stage->run, to, head + bytes);
    return p->desk->parcel[to].fill < VV_PARCEL ? VV_OK : send_parcel(p->stage->run, p->desk, to);
}

/* stays: the values may become the inbox themselves; own: with the block that they lie in. */
static vv_status put_here(vv_run *r, const vv_edge *e, vv_index key, const vv_box *piece, const char *first,
                          const vv_index stride[], bool stays, void **own)
{
    int64_t sequence = -1;
    if (!vv_spared_waits(vv_store_spared(r->store), e->step, e->input, key)) return VV_OK;
    if (stays) VV_TRY(vv_store_lend(r->store, e->step, e->input, key, piece, first, stride, own, &sequence));
    if (sequence < 0) VV_TRY(vv_store_put(r->store, e->step, e->input, key, piece, first, stride, &sequence));
    return sequence > 0 ? vv_agenda_add(r->agenda, e->step, e->input, key, sequence) : VV_OK;
}

/* Whether a rank gets this piece in this walk: each gets its pieces in their order, a slice in each walk. */
static bool is_its_turn(push *p, int to, vv_bytes bytes)
{
    struct vv_share *s = &p->desk->share[to];
    if (s->met++ < s->done) return false;
    bool now = s->given < p->slice;
    if (!now) p->more = true;
    if (now) s->done++;
    if (now) s->given += bytes;
    return now;
}

static vv_status visit(void *context, const vv_edge *e, int part, vv_index key, const vv_box *piece)
{
    push *p = context;
    vv_run *r = p->stage->run;
    vv_index first, stride[VV_MAX_DIMS];
    vv_bytes bytes = vv_box_elements(piece) * value_size(e);
    if (vv_box_elements(piece) == 0) return VV_OK;
    if (vv_edge_ranks(e, key, r->net->size, p->desk->want) == 0) return VV_OK;
    vv_piece_strides(e, part, p->out, piece, p->layout, &first, stride);
    const char *at = p->values + first * value_size(e);
    for (int to = 0; to < r->net->size; to++) {
        if (!p->desk->want[to] || !is_its_turn(p, to, bytes)) continue;
        atomic_fetch_add_explicit(&p->stage->pushed, bytes, memory_order_relaxed);
        if (to == r->net->rank)
            VV_TRY(put_here(r, e, key, piece, at, stride, p->stays, NULL));
        else
            VV_TRY(pack(p, e, to, key, piece, at, stride));
    }
    return VV_OK;
}

vv_status vv_push(vv_stage *g, vv_desk *d, const vv_target *t, vv_index out, const void *values,
                  const vv_index layout[], bool stays)
{
    int ranks = g->run->net->size;
    push p = {g, d, out, values, layout, stays, INT64_MAX, true};
    if (g->run->net->nodes > 1) p.slice = vv_imax(SLICE, vv_unit_cells(g->job.step, out) * 8 / ranks / WALKS);
    for (int to = 0; to < ranks; to++) d->share[to].done = 0;
    while (p.more) {
        p.more = false;
        for (int to = 0; to < ranks; to++) d->share[to].met = d->share[to].given = 0;
        VV_TRY(vv_edge_pieces(t->edge, t->part, out, visit, &p));
    }
    return VV_OK;
}

/* --- receiving --- */

static vv_status no_fit(const vv_message *m)
{
    return vv_fail(VV_ERR_INTERNAL, "pieces from rank %d do not fit", m->from);
}

/* The piece that a head speaks of; false when it speaks of none. */
static bool read_head(vv_run *r, const char *at, vv_bytes left, const vv_edge **edge, vv_bytes *values, vv_box *piece)
{
    head *h = (head *)(void *)(uintptr_t)at;
    if (left < (vv_bytes)sizeof *h || h->step < 0 || h->step >= r->plan->n_steps || h->input < 0) return false;
    const vv_step *s = &r->plan->step[h->step];
    if (!vv_step_computes(s) || h->input >= s->n_inputs || s->input[h->input].access != VV_ACCESS_PUSH) return false;
    const vv_edge *e = *edge = vv_store_edge(r->store, h->step, h->input);
    if (h->key < 0 || h->key >= e->keys) return false;
    vv_box box;
    vv_edge_box(e, h->key, &box);
    *piece = box;
    *values = vv_piece_head(&box);
    if (left < *values) return false;
    for (int d = 0, i = 0; d < box.nd; d++) {
        if (box.n[d] == 1) continue;
        const span *p = span_at(h, i++);
        if (p->n == 0 || (vv_index)p->lo + p->n > box.n[d]) return false;
        piece->lo[d] += p->lo;
        piece->n[d] = p->n;
    }
    return h->bytes == vv_box_elements(piece) * value_size(e) && left >= *values + vv_piece_room(h->bytes);
}

/* A message with a large piece that is all of an inbox becomes that inbox. */
vv_status vv_push_receive(vv_run *r, vv_message *m)
{
    VV_TRY(vv_fault(VV_FAULT_RECEIVE));
    const char *at = m->data, *end = at + m->size;
    vv_index packed[VV_MAX_DIMS];
    while (at < end) {
        const vv_edge *e;
        vv_bytes values;
        vv_box piece;
        if (!read_head(r, at, end - at, &e, &values, &piece)) return no_fit(m);
        const head *h = (const head *)(const void *)at;
        vv_pack_strides(piece.nd, piece.n, packed);
        vv_bytes bytes = values + vv_piece_room(h->bytes);
        bool alone = bytes == m->size && bytes >= VV_PARCEL;
        VV_TRY(put_here(r, e, h->key, &piece, at + values, packed, alone, &m->data));
        if (!m->data) return VV_OK;
        at += bytes;
    }
    return VV_OK;
}
