#include "exec/store.h"

#include "exec/spill.h"
#include "kernels/strided.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    BUCKETS = 1 << 14,
    LOCKS = 256, /* bucket b is guarded by lock b % LOCKS */
    SMALL_RECORD = 4 << 10
};

/* What is on disk of a spilled inbox, and the pieces that are not there yet. */
typedef struct spilled {
    pthread_mutex_t lock;
    int n;
    vv_extent *extent;
    char *pending;
    vv_bytes fill, capacity;
} spilled;

typedef struct inbox {
    struct inbox *next;
    int step, input;
    vv_index key;
    _Atomic vv_index due;     /* elements that have not come */
    _Atomic int64_t sequence; /* -1 until it is complete */
    vv_index uses;            /* to come; guarded by the bucket's lock */
    vv_bytes bytes;
    const void *_Atomic block; /* NULL: spilled */
    void *own;                 /* what is freed with it; NULL: the block is lent, or there is none */
    spilled *spilled;
} inbox;

/* One input. */
typedef struct gate {
    vv_edge edge;
    bool made;
    bool pushed;
    vv_bytes size; /* of a working value */
    unsigned char fill[16];
} gate;

struct vv_store {
    const vv_plan *plan;
    int rank;
    gate **gate; /* by step, by input; NULL for steps that have none */
    inbox *bucket[BUCKETS];
    pthread_mutex_t lock[LOCKS];
    pthread_mutex_t order; /* guards giving numbers */
    int64_t sequence;
    _Atomic vv_bytes held;    /* by inboxes in memory */
    _Atomic vv_bytes pending; /* by pieces on their way to the file */
    _Atomic vv_index count;
    _Atomic int crowded;  /* an inbox had to be spilled */
    _Atomic int64_t lose; /* tests: so many pieces from now on one gets lost; 0: none does */
    vv_spill *spill;
    vv_spared *spared;
};

/* A piece in a record: this, lo[nd] and n[nd] within the inbox's box, the values. */
typedef struct piece_head {
    int64_t bytes; /* of the values; the next piece follows at a multiple of 8 */
} piece_head;

/* --- gates --- */

static vv_status make_gate(vv_store *s, int step, int input)
{
    const vv_input *in = &s->plan->step[step].input[input];
    gate *g = &s->gate[step][input];
    g->pushed = in->access == VV_ACCESS_PUSH;
    if (!g->pushed && in->access != VV_ACCESS_BOX) return VV_OK;
    vv_dtype type = vv_working_type(in->type);
    g->size = vv_dtype_size(type);
    vv_dtype_store(type, g->fill, in->fill);
    VV_TRY(vv_edge_make(s->plan, step, input, &g->edge));
    g->made = true;
    return VV_OK;
}

static vv_status make_gates(vv_store *s)
{
    VV_TRY(vv_new(&s->gate, (size_t)s->plan->n_steps + 1, sizeof *s->gate));
    for (int i = 0; i < s->plan->n_steps; i++) {
        const vv_step *step = &s->plan->step[i];
        if (!vv_step_computes(step) || step->n_inputs == 0) continue;
        VV_TRY(vv_new(&s->gate[i], (size_t)step->n_inputs, sizeof *s->gate[i]));
        for (int k = 0; k < step->n_inputs; k++) VV_TRY(make_gate(s, i, k));
    }
    return VV_OK;
}

static const vv_edge *edge_of(const void *store, int step, int input)
{
    return vv_store_edge(store, step, input);
}

const vv_spared *vv_store_spared(const vv_store *s)
{
    return s->spared;
}

vv_status vv_store_new(const vv_plan *plan, int rank, vv_store **out)
{
    vv_store *s;
    VV_TRY(vv_new(&s, 1, sizeof *s));
    const char *lose = getenv("VARVE_LOSE");
    s->plan = plan;
    s->rank = rank;
    atomic_store(&s->lose, lose ? strtoll(lose, NULL, 10) : 0);
    for (int i = 0; i < LOCKS; i++) pthread_mutex_init(&s->lock[i], NULL);
    pthread_mutex_init(&s->order, NULL);
    vv_status status = make_gates(s);
    if (status == VV_OK) status = vv_spared_find(plan, rank, edge_of, s, &s->spared);
    if (status == VV_OK) status = vv_spill_open(plan->scratch, &s->spill);
    if (status != VV_OK) vv_store_free(&s);
    *out = s;
    return status;
}

static void inbox_free(vv_store *s, inbox *b)
{
    if (b->own) atomic_fetch_sub(&s->held, b->bytes);
    vv_mem_put(&b->own);
    if (b->spilled) {
        for (int i = 0; i < b->spilled->n; i++) vv_spill_drop(s->spill, &b->spilled->extent[i]);
        atomic_fetch_sub(&s->pending, b->spilled->capacity);
        pthread_mutex_destroy(&b->spilled->lock);
        free(b->spilled->extent);
        vv_mem_put(&b->spilled->pending);
        free(b->spilled);
    }
    free(b);
    atomic_fetch_sub(&s->count, 1);
}

void vv_store_free(vv_store **store)
{
    vv_store *s = *store;
    if (!s) return;
    for (int i = 0; i < BUCKETS; i++)
        while (s->bucket[i]) {
            inbox *b = s->bucket[i];
            s->bucket[i] = b->next;
            inbox_free(s, b);
        }
    for (int i = 0; s->gate && i < s->plan->n_steps; i++) {
        for (int k = 0; s->gate[i] && k < s->plan->step[i].n_inputs; k++)
            if (s->gate[i][k].made) vv_edge_free(&s->gate[i][k].edge);
        free(s->gate[i]);
    }
    free(s->gate);
    for (int i = 0; i < LOCKS; i++) pthread_mutex_destroy(&s->lock[i]);
    pthread_mutex_destroy(&s->order);
    vv_spill_close(&s->spill);
    vv_spared_free(&s->spared);
    free(s);
    *store = NULL;
}

const vv_edge *vv_store_edge(const vv_store *s, int step, int input)
{
    const gate *g = &s->gate[step][input];
    return g->made ? &g->edge : NULL;
}

/* --- making and finding --- */

static unsigned bucket_of(int step, int input, vv_index key)
{
    uint64_t h = ((uint64_t)key * 64 + (uint64_t)input) * 0x9e3779b97f4a7c15u ^ (uint64_t)step * 0xc2b2ae3d27d4eb4fu;
    return (unsigned)(h >> 40) % BUCKETS;
}

static inbox *find(const vv_store *s, unsigned bucket, int step, int input, vv_index key)
{
    inbox *b = s->bucket[bucket];
    while (b && (b->key != key || b->step != step || b->input != input)) b = b->next;
    return b;
}

/* Room for bytes in memory, if there is. */
static bool reserve(vv_store *s, vv_bytes bytes)
{
    if (atomic_fetch_add(&s->held, bytes) + bytes <= s->plan->store) return true;
    atomic_fetch_sub(&s->held, bytes);
    return false;
}

static void fill_block(const gate *g, vv_index n, char *block)
{
    vv_bytes filled = g->size, bytes = n * g->size;
    if (bytes == 0) return;
    memcpy(block, g->fill, (size_t)g->size);
    for (; filled < bytes; filled *= 2) memcpy(block + filled, block, (size_t)vv_imin(filled, bytes - filled));
}

static vv_index count_uses(const vv_store *s, const vv_edge *e, vv_index key)
{
    vv_waiting w = {.edge = e, .key = key, .rank = s->rank, .ranks = s->plan->ranks};
    vv_unit u;
    vv_index coords[VV_MAX_DIMS], n = 0;
    while (vv_waiting_next(&w, &u, coords)) n += !vv_spared_has(s->spared, e->step, u);
    return n;
}

/* In memory when there is room, else spilled; nothing in it yet but fill values where no piece will come. */
static vv_status make_room(vv_store *s, const gate *g, inbox *b)
{
    vv_index elements = b->bytes / g->size;
    if (reserve(s, b->bytes)) {
        vv_status status = vv_mem_get(&b->own, b->bytes, "an inbox");
        if (status == VV_OK) {
            if (atomic_load(&b->due) < elements) fill_block(g, elements, b->own);
            atomic_store(&b->block, b->own);
            return VV_OK;
        }
        atomic_fetch_sub(&s->held, b->bytes);
        if (!vv_plan_spills(s->plan)) return status;
    }
    atomic_store(&s->crowded, 1);
    VV_TRY(vv_new(&b->spilled, 1, sizeof *b->spilled));
    pthread_mutex_init(&b->spilled->lock, NULL);
    return VV_OK;
}

/* A block that is all of an inbox already. */
typedef struct ready {
    const void *block;
    void **own; /* vv_store_lend() */
} ready;

static void adopt(vv_store *s, const ready *with, inbox *b)
{
    atomic_store(&b->block, with->block);
    if (!with->own) return;
    b->own = *with->own;
    *with->own = NULL;
    atomic_fetch_add(&s->held, b->bytes);
}

static vv_status make(vv_store *s, unsigned bucket, int step, int input, vv_index key, const ready *with, inbox **out)
{
    const gate *g = &s->gate[step][input];
    inbox *b;
    vv_box box;
    vv_status status = VV_OK;
    VV_TRY(vv_new(&b, 1, sizeof *b));
    atomic_fetch_add(&s->count, 1);
    vv_edge_box(&g->edge, key, &box);
    b->step = step;
    b->input = input;
    b->key = key;
    b->bytes = vv_inbox_bytes(&g->edge, &box);
    vv_index due = vv_edge_due(&g->edge, key);
    atomic_store(&b->due, due);
    atomic_store(&b->sequence, due > 0 ? -1 : 0);
    b->uses = count_uses(s, &g->edge, key);
    if (with)
        adopt(s, with, b);
    else
        status = make_room(s, g, b);
    if (status != VV_OK) {
        inbox_free(s, b);
        return status;
    }
    b->next = s->bucket[bucket];
    s->bucket[bucket] = b;
    *out = b;
    return VV_OK;
}

static vv_status find_or_make(vv_store *s, int step, int input, vv_index key, inbox **out)
{
    unsigned bucket = bucket_of(step, input, key);
    vv_status status = VV_OK;
    pthread_mutex_lock(&s->lock[bucket % LOCKS]);
    *out = find(s, bucket, step, input, key);
    if (!*out) status = make(s, bucket, step, input, key, NULL, out);
    pthread_mutex_unlock(&s->lock[bucket % LOCKS]);
    return status;
}

/* --- packed layout of a box --- */

static vv_index packed_strides(const vv_box *box, vv_index stride[])
{
    vv_index n = 1;
    for (int d = box->nd - 1; d >= 0; d--) {
        stride[d] = n;
        n *= box->n[d];
    }
    return n;
}

static void copy_in(const gate *g, const vv_box *box, const vv_box *piece, const void *values, const vv_index from[],
                    char *block)
{
    vv_index to[VV_MAX_DIMS], first = 0;
    packed_strides(box, to);
    for (int d = 0; d < box->nd; d++) first += (piece->lo[d] - box->lo[d]) * to[d];
    vv_box_copy(box->nd, piece->n, g->size, values, from, block + first * g->size, to);
}

/* --- spilling --- */

/* What a rank's inboxes take at most: with a store of this size nothing is ever spilled. */
static vv_bytes everything(const vv_store *s)
{
    vv_bytes sum = 0;
    for (int i = 0; i < s->plan->n_steps; i++)
        for (int k = 0; s->gate[i] && k < s->plan->step[i].n_inputs; k++) {
            const gate *g = &s->gate[i][k];
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

static vv_status write_record(vv_store *s, spilled *p, const char *record, vv_bytes size)
{
    VV_TRY(vv_grow(&p->extent, p->n, sizeof *p->extent, "extents"));
    vv_status status = vv_spill_write(s->spill, record, size, &p->extent[p->n]);
    if (status != VV_OK) return explain(s, status);
    p->n++;
    return VV_OK;
}

static vv_status flush_pending(vv_store *s, spilled *p)
{
    if (p->fill == 0) return VV_OK;
    VV_TRY(write_record(s, p, p->pending, p->fill));
    p->fill = 0;
    return VV_OK;
}

static vv_status pending_room(vv_store *s, spilled *p, vv_bytes bytes)
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

static void pending_release(vv_store *s, spilled *p)
{
    vv_mem_put(&p->pending);
    atomic_fetch_sub(&s->pending, p->capacity);
    p->capacity = 0;
}

static vv_bytes piece_bytes(const gate *g, const vv_box *piece)
{
    vv_bytes head = (vv_bytes)sizeof(piece_head) + 2 * piece->nd * (vv_bytes)sizeof(vv_index);
    return head + (vv_box_elements(piece) * g->size + 7) / 8 * 8;
}

static void pack_piece(const gate *g, const vv_box *box, const vv_box *piece, const void *values, const vv_index from[],
                       char *at)
{
    vv_index to[VV_MAX_DIMS], *where = (vv_index *)(void *)(at + sizeof(piece_head));
    *(piece_head *)(void *)at = (piece_head){vv_box_elements(piece) * g->size};
    for (int d = 0; d < piece->nd; d++) {
        where[d] = piece->lo[d] - box->lo[d];
        where[piece->nd + d] = piece->n[d];
    }
    memset(at + piece_bytes(g, piece) - 8, 0, 8); /* the gap behind the values is summed too */
    packed_strides(piece, to);
    vv_box_copy(piece->nd, piece->n, g->size, values, from, (char *)(where + 2 * piece->nd), to);
}

/* In two halves when it is too large for a record; in bits that need no memory when there is none. */
static vv_status spill_piece(vv_store *s, const gate *g, spilled *p, const vv_box *box, const vv_box *piece,
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

/* Puts the pieces of a record into the block. */
static void unpack(const gate *g, const vv_box *box, const char *record, vv_bytes size, char *block)
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
        packed_strides(&piece, from);
        at += sizeof *h + 2 * (size_t)box->nd * sizeof *where;
        copy_in(g, box, &piece, at, from, block);
        at += (h->bytes + 7) / 8 * 8;
    }
}

static vv_status read_records(vv_store *s, const gate *g, const spilled *p, const vv_box *box, char *block)
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

/* A spilled inbox into `room`; or into memory of its own when it will be used again and there is room for it now. */
static vv_status read_back(vv_store *s, inbox *b, bool again, void *room, const void **block)
{
    const gate *g = &s->gate[b->step][b->input];
    vv_box box;
    void *own = NULL;
    vv_status status = VV_OK;
    vv_edge_box(&g->edge, b->key, &box);
    pthread_mutex_lock(&b->spilled->lock);
    *block = atomic_load(&b->block);
    if (!*block) {
        if (again && reserve(s, b->bytes) && vv_mem_get(&own, b->bytes, "an inbox") != VV_OK)
            atomic_fetch_sub(&s->held, b->bytes);
        *block = own ? own : room;
        if (status == VV_OK) {
            fill_block(g, b->bytes / g->size, (char *)*block);
            status = read_records(s, g, b->spilled, &box, (char *)*block);
        }
        if (own) {
            b->own = own;
            atomic_store(&b->block, own);
        }
    }
    pthread_mutex_unlock(&b->spilled->lock);
    return status;
}

/* --- an inbox's life --- */

static int64_t completed(vv_store *s, inbox *b)
{
    pthread_mutex_lock(&s->order);
    int64_t sequence = ++s->sequence;
    atomic_store(&b->sequence, sequence);
    pthread_mutex_unlock(&s->order);
    return sequence;
}

vv_status vv_store_put(vv_store *s, int step, int input, vv_index key, const vv_box *piece, const void *values,
                       const vv_index stride[], int64_t *sequence)
{
    const gate *g = &s->gate[step][input];
    inbox *b;
    vv_box box;
    *sequence = 0;
    if (atomic_load_explicit(&s->lose, memory_order_relaxed) > 0 && atomic_fetch_sub(&s->lose, 1) == 1) return VV_OK;
    VV_TRY(find_or_make(s, step, input, key, &b));
    vv_edge_box(&g->edge, key, &box);
    if (b->spilled) {
        pthread_mutex_lock(&b->spilled->lock);
        vv_status status = spill_piece(s, g, b->spilled, &box, piece, values, stride, VV_SPILL_RECORD);
        pthread_mutex_unlock(&b->spilled->lock);
        VV_TRY(status);
    } else {
        copy_in(g, &box, piece, values, stride, b->own);
    }
    vv_index n = vv_box_elements(piece), left = atomic_fetch_sub(&b->due, n) - n;
    if (left < 0)
        return vv_fail(VV_ERR_INTERNAL, "step '%s' gets more than it waits for (input %d, inbox %lld)",
                       s->plan->step[step].name, input, (long long)key);
    if (left == 0) *sequence = completed(s, b);
    return VV_OK;
}

/* The values are an inbox as it should be: all of it, one behind the other, and nothing else is due. */
static bool is_inbox(const gate *g, vv_index key, const vv_box *piece, const vv_index stride[])
{
    vv_box box;
    vv_index packed[VV_MAX_DIMS];
    vv_edge_box(&g->edge, key, &box);
    packed_strides(&box, packed);
    for (int d = 0; d < box.nd; d++)
        if (piece->lo[d] != box.lo[d] || piece->n[d] != box.n[d] || (box.n[d] > 1 && stride[d] != packed[d]))
            return false;
    return vv_edge_due(&g->edge, key) == vv_box_elements(&box);
}

/* A block of the store's own counts as its others do; one that would be too much is put as pieces are. */
vv_status vv_store_lend(vv_store *s, int step, int input, vv_index key, const vv_box *piece, const void *values,
                        const vv_index stride[], void **own, int64_t *sequence)
{
    const gate *g = &s->gate[step][input];
    unsigned bucket = bucket_of(step, input, key);
    vv_status status = VV_OK;
    inbox *b = NULL;
    bool full = own && atomic_load(&s->held) + vv_box_elements(piece) * g->size > s->plan->store;
    *sequence = -1;
    if (full || atomic_load(&s->lose) > 0 || !is_inbox(g, key, piece, stride)) return VV_OK;
    pthread_mutex_lock(&s->lock[bucket % LOCKS]);
    if (!find(s, bucket, step, input, key)) status = make(s, bucket, step, input, key, &(ready){values, own}, &b);
    pthread_mutex_unlock(&s->lock[bucket % LOCKS]);
    if (status != VV_OK || !b) return status;
    atomic_store(&b->due, 0);
    *sequence = completed(s, b);
    return VV_OK;
}

/* An inbox that is not there has not got its first piece yet, or has no use any more, or waits for nothing. */
static int64_t sequence_of(vv_store *s, int step, int input, vv_index key)
{
    unsigned bucket = bucket_of(step, input, key);
    pthread_mutex_lock(&s->lock[bucket % LOCKS]);
    inbox *b = find(s, bucket, step, input, key);
    int64_t sequence = b ? atomic_load(&b->sequence) : -1;
    pthread_mutex_unlock(&s->lock[bucket % LOCKS]);
    if (!b && vv_edge_due(&s->gate[step][input].edge, key) == 0) return 0;
    return sequence;
}

/* Chunks are looked at from the last one backwards: they tend to come in order, so the first look tells that a unit is not ready. */
static bool complete(vv_store *s, int step, vv_unit u, int64_t most, int64_t *last)
{
    const vv_step *t = &s->plan->step[step];
    *last = 0;
    vv_index coords[VV_MAX_DIMS];
    for (vv_index k = vv_unit_chunks(t, u) - 1; k >= 0; k--) {
        vv_unit_coords(t, u, k, coords);
        for (int i = 0; i < t->n_inputs; i++) {
            const gate *g = &s->gate[step][i];
            if (!g->pushed) continue;
            int64_t here = sequence_of(s, step, i, vv_edge_key(&g->edge, coords));
            if (here < 0 || here > most) return false;
            *last = vv_imax(*last, here);
        }
    }
    return true;
}

bool vv_store_runs(vv_store *s, int step, vv_unit u, int64_t sequence)
{
    int64_t last;
    return complete(s, step, u, sequence, &last) && last == sequence;
}

bool vv_store_ready(vv_store *s, int step, vv_unit u)
{
    int64_t last;
    if (vv_spared_has(s->spared, step, u)) return true;
    return complete(s, step, u, INT64_MAX, &last);
}

vv_status vv_store_use(vv_store *s, int step, int input, vv_index key, void *room, const void **block)
{
    inbox *b;
    VV_TRY(find_or_make(s, step, input, key, &b));
    if (atomic_load(&b->sequence) < 0)
        return vv_fail(VV_ERR_INTERNAL, "step '%s' uses an inbox that is not complete (input %d, inbox %lld)",
                       s->plan->step[step].name, input, (long long)key);
    *block = atomic_load(&b->block);
    if (*block) return VV_OK;
    unsigned lock = bucket_of(step, input, key) % LOCKS;
    pthread_mutex_lock(&s->lock[lock]);
    bool again = b->uses > 1;
    pthread_mutex_unlock(&s->lock[lock]);
    return read_back(s, b, again, room, block);
}

/* Where the list of a bucket has an inbox. */
static inbox **place_of(vv_store *s, unsigned bucket, int step, int input, vv_index key)
{
    inbox **at = &s->bucket[bucket];
    while (*at && ((*at)->key != key || (*at)->step != step || (*at)->input != input)) at = &(*at)->next;
    return at;
}

void vv_store_done(vv_store *s, int step, int input, vv_index key)
{
    unsigned bucket = bucket_of(step, input, key);
    inbox *gone = NULL;
    pthread_mutex_lock(&s->lock[bucket % LOCKS]);
    inbox **at = place_of(s, bucket, step, input, key);
    if (*at && --(*at)->uses <= 0) {
        gone = *at;
        *at = gone->next;
    }
    pthread_mutex_unlock(&s->lock[bucket % LOCKS]);
    if (gone) inbox_free(s, gone);
}

bool vv_store_take(vv_store *s, int step, int input, vv_index key, void **block)
{
    unsigned bucket = bucket_of(step, input, key);
    inbox *gone = NULL;
    pthread_mutex_lock(&s->lock[bucket % LOCKS]);
    inbox **at = place_of(s, bucket, step, input, key);
    if (*at && (*at)->uses == 1 && !(*at)->spilled && (*at)->own == atomic_load(&(*at)->block)) {
        gone = *at;
        *at = gone->next;
    }
    pthread_mutex_unlock(&s->lock[bucket % LOCKS]);
    if (!gone) return false;
    *block = gone->own;
    gone->own = NULL;
    atomic_fetch_sub(&s->held, gone->bytes);
    inbox_free(s, gone);
    return true;
}

bool vv_store_full(const vv_store *s)
{
    return atomic_load(&s->crowded) && atomic_load(&s->held) > s->plan->store / 2;
}

vv_spill *vv_store_scratch(const vv_store *s)
{
    return s->spill;
}

vv_bytes vv_store_spilled(const vv_store *s)
{
    return vv_spill_written(s->spill);
}

bool vv_store_lacks(vv_store *s, vv_lack *out)
{
    bool found = false;
    for (int i = 0; i < BUCKETS && !found; i++) {
        pthread_mutex_lock(&s->lock[i % LOCKS]);
        for (const inbox *b = s->bucket[i]; b && !found; b = b->next) {
            *out = (vv_lack){b->step, b->input, b->key, atomic_load(&b->due)};
            found = out->due > 0;
        }
        pthread_mutex_unlock(&s->lock[i % LOCKS]);
    }
    return found;
}

vv_index vv_store_count(const vv_store *s)
{
    return atomic_load(&s->count);
}
