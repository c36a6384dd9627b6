#include "exec/push/inbox.h"
#include "kernels/strided.h"

#include <stdlib.h>
#include <string.h>

/* --- gates --- */

static vv_status make_gate(vv_store *s, int step, int input)
{
    const vv_input *in = &s->plan->step[step].input[input];
    vv_gate *g = &s->gate[step][input];
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
    for (int i = 0; i < VV_STORE_LOCKS; i++) pthread_mutex_init(&s->lock[i], NULL);
    pthread_mutex_init(&s->order, NULL);
    vv_status status = make_gates(s);
    if (status == VV_OK) status = vv_spared_find(plan, rank, edge_of, s, &s->spared);
    if (status == VV_OK) status = vv_spill_open(plan->scratch, &s->spill);
    if (status != VV_OK) vv_store_free(&s);
    *out = s;
    return status;
}

static void inbox_free(vv_store *s, vv_inbox *b)
{
    if (b->own) atomic_fetch_sub(&s->held, b->bytes);
    vv_mem_put(&b->own);
    vv_spilled_free(s, &b->spilled);
    free(b);
    atomic_fetch_sub(&s->count, 1);
}

void vv_store_free(vv_store **store)
{
    vv_store *s = *store;
    if (!s) return;
    for (int i = 0; i < VV_STORE_BUCKETS; i++)
        while (s->bucket[i]) {
            vv_inbox *b = s->bucket[i];
            s->bucket[i] = b->next;
            inbox_free(s, b);
        }
    for (int i = 0; s->gate && i < s->plan->n_steps; i++) {
        for (int k = 0; s->gate[i] && k < s->plan->step[i].n_inputs; k++)
            if (s->gate[i][k].made) vv_edge_free(&s->gate[i][k].edge);
        free(s->gate[i]);
    }
    free(s->gate);
    for (int i = 0; i < VV_STORE_LOCKS; i++) pthread_mutex_destroy(&s->lock[i]);
    pthread_mutex_destroy(&s->order);
    vv_spill_close(&s->spill);
    vv_spared_free(&s->spared);
    free(s);
    *store = NULL;
}

const vv_edge *vv_store_edge(const vv_store *s, int step, int input)
{
    const vv_gate *g = &s->gate[step][input];
    return g->made ? &g->edge : NULL;
}

/* --- making and finding --- */

static unsigned bucket_of(int step, int input, vv_index key)
{
    uint64_t h = ((uint64_t)key * 64 + (uint64_t)input) * 0x9e3779b97f4a7c15u ^ (uint64_t)step * 0xc2b2ae3d27d4eb4fu;
    return (unsigned)(h >> 40) % VV_STORE_BUCKETS;
}

static vv_inbox *find(const vv_store *s, unsigned bucket, int step, int input, vv_index key)
{
    vv_inbox *b = s->bucket[bucket];
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

static void fill_block(const vv_gate *g, vv_index n, char *block)
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
static vv_status make_room(vv_store *s, const vv_gate *g, vv_inbox *b)
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
    return vv_spilled_new(&b->spilled);
}

/* A block that is all of an inbox already. */
typedef struct ready {
    const void *block;
    void **own; /* vv_store_lend() */
} ready;

static void adopt(vv_store *s, const ready *with, vv_inbox *b)
{
    atomic_store(&b->block, with->block);
    if (!with->own) return;
    b->own = *with->own;
    *with->own = NULL;
    atomic_fetch_add(&s->held, b->bytes);
}

static vv_status make(vv_store *s, unsigned bucket, int step, int input, vv_index key, const ready *with,
                      vv_inbox **out)
{
    const vv_gate *g = &s->gate[step][input];
    vv_inbox *b;
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

static vv_status find_or_make(vv_store *s, int step, int input, vv_index key, vv_inbox **out)
{
    unsigned bucket = bucket_of(step, input, key);
    vv_status status = VV_OK;
    pthread_mutex_lock(&s->lock[bucket % VV_STORE_LOCKS]);
    *out = find(s, bucket, step, input, key);
    if (!*out) status = make(s, bucket, step, input, key, NULL, out);
    pthread_mutex_unlock(&s->lock[bucket % VV_STORE_LOCKS]);
    return status;
}

/* A spilled inbox into `room`; or into memory of its own when it will be used again and there is room for it now. */
static vv_status read_back(vv_store *s, vv_inbox *b, bool again, void *room, const void **block)
{
    const vv_gate *g = &s->gate[b->step][b->input];
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
            status = vv_spilled_read(s, g, b->spilled, &box, (char *)*block);
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

static int64_t completed(vv_store *s, vv_inbox *b)
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
    const vv_gate *g = &s->gate[step][input];
    vv_inbox *b;
    vv_box box;
    *sequence = 0;
    if (atomic_load_explicit(&s->lose, memory_order_relaxed) > 0 && atomic_fetch_sub(&s->lose, 1) == 1) return VV_OK;
    VV_TRY(find_or_make(s, step, input, key, &b));
    vv_edge_box(&g->edge, key, &box);
    if (b->spilled) {
        VV_TRY(vv_spilled_put(s, g, b->spilled, &box, piece, values, stride));
    } else {
        vv_inbox_copy_in(g, &box, piece, values, stride, b->own);
    }
    vv_index n = vv_box_elements(piece), left = atomic_fetch_sub(&b->due, n) - n;
    if (left < 0)
        return vv_fail(VV_ERR_INTERNAL, "step '%s' gets more than it waits for (input %d, inbox %lld)",
                       s->plan->step[step].name, input, (long long)key);
    if (left == 0) *sequence = completed(s, b);
    return VV_OK;
}

/* The values are an inbox as it should be: all of it, one behind the other, and nothing else is due. */
static bool is_inbox(const vv_gate *g, vv_index key, const vv_box *piece, const vv_index stride[])
{
    vv_box box;
    vv_index packed[VV_MAX_DIMS];
    vv_edge_box(&g->edge, key, &box);
    vv_pack_strides(box.nd, box.n, packed);
    for (int d = 0; d < box.nd; d++)
        if (piece->lo[d] != box.lo[d] || piece->n[d] != box.n[d] || (box.n[d] > 1 && stride[d] != packed[d]))
            return false;
    return vv_edge_due(&g->edge, key) == vv_box_elements(&box);
}

/* A block of the store's own counts as its others do; one that would be too much is put as pieces are. */
vv_status vv_store_lend(vv_store *s, int step, int input, vv_index key, const vv_box *piece, const void *values,
                        const vv_index stride[], void **own, int64_t *sequence)
{
    const vv_gate *g = &s->gate[step][input];
    unsigned bucket = bucket_of(step, input, key);
    vv_status status = VV_OK;
    vv_inbox *b = NULL;
    bool full = own && atomic_load(&s->held) + vv_box_elements(piece) * g->size > s->plan->store;
    *sequence = -1;
    if (full || atomic_load(&s->lose) > 0 || !is_inbox(g, key, piece, stride)) return VV_OK;
    pthread_mutex_lock(&s->lock[bucket % VV_STORE_LOCKS]);
    if (!find(s, bucket, step, input, key)) status = make(s, bucket, step, input, key, &(ready){values, own}, &b);
    pthread_mutex_unlock(&s->lock[bucket % VV_STORE_LOCKS]);
    if (status != VV_OK || !b) return status;
    atomic_store(&b->due, 0);
    *sequence = completed(s, b);
    return VV_OK;
}

/* An inbox that is not there has not got its first piece yet, or has no use any more, or waits for nothing. */
static int64_t sequence_of(vv_store *s, int step, int input, vv_index key)
{
    unsigned bucket = bucket_of(step, input, key);
    pthread_mutex_lock(&s->lock[bucket % VV_STORE_LOCKS]);
    vv_inbox *b = find(s, bucket, step, input, key);
    int64_t sequence = b ? atomic_load(&b->sequence) : -1;
    pthread_mutex_unlock(&s->lock[bucket % VV_STORE_LOCKS]);
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
            const vv_gate *g = &s->gate[step][i];
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
    vv_inbox *b;
    VV_TRY(find_or_make(s, step, input, key, &b));
    if (atomic_load(&b->sequence) < 0)
        return vv_fail(VV_ERR_INTERNAL, "step '%s' uses an inbox that is not complete (input %d, inbox %lld)",
                       s->plan->step[step].name, input, (long long)key);
    *block = atomic_load(&b->block);
    if (*block) return VV_OK;
    unsigned lock = bucket_of(step, input, key) % VV_STORE_LOCKS;
    pthread_mutex_lock(&s->lock[lock]);
    bool again = b->uses > 1;
    pthread_mutex_unlock(&s->lock[lock]);
    return read_back(s, b, again, room, block);
}

/* Where the list of a bucket has an inbox. */
static vv_inbox **place_of(vv_store *s, unsigned bucket, int step, int input, vv_index key)
{
    vv_inbox **at = &s->bucket[bucket];
    while (*at && ((*at)->key != key || (*at)->step != step || (*at)->input != input)) at = &(*at)->next;
    return at;
}

void vv_store_done(vv_store *s, int step, int input, vv_index key)
{
    unsigned bucket = bucket_of(step, input, key);
    vv_inbox *gone = NULL;
    pthread_mutex_lock(&s->lock[bucket % VV_STORE_LOCKS]);
    vv_inbox **at = place_of(s, bucket, step, input, key);
    if (*at && --(*at)->uses <= 0) {
        gone = *at;
        *at = gone->next;
    }
    pthread_mutex_unlock(&s->lock[bucket % VV_STORE_LOCKS]);
    if (gone) inbox_free(s, gone);
}

bool vv_store_take(vv_store *s, int step, int input, vv_index key, void **block)
{
    unsigned bucket = bucket_of(step, input, key);
    vv_inbox *gone = NULL;
    pthread_mutex_lock(&s->lock[bucket % VV_STORE_LOCKS]);
    vv_inbox **at = place_of(s, bucket, step, input, key);
    if (*at && (*at)->uses == 1 && !(*at)->spilled && (*at)->own == atomic_load(&(*at)->block)) {
        gone = *at;
        *at = gone->next;
    }
    pthread_mutex_unlock(&s->lock[bucket % VV_STORE_LOCKS]);
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
    for (int i = 0; i < VV_STORE_BUCKETS && !found; i++) {
        pthread_mutex_lock(&s->lock[i % VV_STORE_LOCKS]);
        for (const vv_inbox *b = s->bucket[i]; b && !found; b = b->next) {
            *out = (vv_lack){b->step, b->input, b->key, atomic_load(&b->due)};
            found = out->due > 0;
        }
        pthread_mutex_unlock(&s->lock[i % VV_STORE_LOCKS]);
    }
    return found;
}

vv_index vv_store_count(const vv_store *s)
{
    return atomic_load(&s->count);
}
