/* Which task goes where, and when. */
#include "exec/tasks/desk.h"

#include <string.h>

/* Seconds of work that each thread of a rank has ahead, so that a driver may compute as long without anyone starving; what handing out and in takes, at least. What turns out to be unequal ranks take from each other.
 * Tasks that a rank has ahead at most, and bytes of arguments and of results that are fetched for them. */
static const double horizon = 5, overhead = 1e-6;
enum { MOST_AHEAD = 8192, MOST_BYTES_AHEAD = 32 << 20 };

/* Seconds that bytes take from rank to rank, about: a task waits so long for the rank that has them. */
static const double per_byte = 1e-9;

static bool has_room(const vv_desk *d, const vv_seat *s)
{
    return s->ahead <= d->threads ||
           (s->ahead < MOST_AHEAD && s->bytes < MOST_BYTES_AHEAD && s->seconds < horizon * d->threads);
}

/* --- queues --- */

static int64_t key_of(vv_desk *d, const vv_entry *e)
{
    enum { ORDER_BITS = 40 };
    int64_t class = -2 * (int64_t)e->spec->head.priority - e->heir;
    return class * ((int64_t)1 << ORDER_BITS) + d->order++;
}

static const char *args_begin(const vv_entry *e)
{
    return (const char *)&e->spec->head + sizeof e->spec->head;
}

static const char *args_end(const vv_entry *e)
{
    return (const char *)&e->spec->head + e->spec->size;
}

static const char *next_arg(const char *at, vv_packed_arg *a)
{
    memcpy(a, at, sizeof *a);
    return at + sizeof *a + (size_t)(a->kind == VV_ARG_BYTES ? vv_wire_padded(a->x) : 0);
}

static bool has_copy(const vv_entry *e, int rank)
{
    bool has = e->rank == rank;
    for (int i = 0; e->copies && i < e->copies->n && !has; i++) has = e->copies->rank[i] == rank;
    return has;
}

/* Bytes of its inputs that a rank has. */
static vv_bytes bytes_at(const vv_desk *d, const vv_entry *e, int rank)
{
    vv_bytes bytes = 0;
    vv_packed_arg a;
    for (const char *at = args_begin(e); at < args_end(e);) {
        at = next_arg(at, &a);
        if (a.kind != VV_ARG_FUTURE) continue;
        const vv_entry *input = vv_entry_source(vv_desk_find(d, a.x));
        if (input->large && has_copy(input, rank)) bytes += input->size;
    }
    return bytes;
}

/* The rank that has most, where that is worth waiting for; -1 when none has any. */
static int best_rank(const vv_desk *d, const vv_entry *e)
{
    vv_packed_arg a;
    vv_bytes most = 0;
    int best = -1;
    for (const char *at = args_begin(e); at < args_end(e);) {
        at = next_arg(at, &a);
        if (a.kind != VV_ARG_FUTURE) continue;
        const vv_entry *input = vv_entry_source(vv_desk_find(d, a.x));
        if (!input->large) continue;
        for (int i = -1; i < (input->copies ? input->copies->n : 0); i++) {
            int rank = i < 0 ? input->rank : input->copies->rank[i];
            vv_bytes bytes = bytes_at(d, e, rank);
            if (bytes > most || (bytes == most && d->seat[rank].seconds < d->seat[best].seconds)) best = rank;
            most = vv_imax(most, bytes);
        }
    }
    return best;
}

vv_status vv_entry_ready(vv_desk *d, vv_entry *e)
{
    vv_run_head *head = &e->spec->head;
    int rank = e->rank;
    head->heir = e->heir;
    if (rank < 0 && e->spec->n_inputs > 0) rank = best_rank(d, e);
    vv_heap *queue = rank < 0 ? &d->any : head->pinned ? &d->seat[rank].pinned : &d->seat[rank].own;
    e->state = VV_ENTRY_READY;
    if (!e->queued) e->refs++;
    e->queued = true;
    vv_status status = vv_heap_push(queue, key_of(d, e), e);
    if (status != VV_OK) vv_entry_release(d, e);
    return status;
}

/* The first of a queue that is still to be run. */
static vv_entry *first_of(vv_desk *d, vv_heap *queue)
{
    while (queue->n > 0) {
        vv_entry *e = queue->at[0].item;
        if (e->state == VV_ENTRY_READY) return e;
        (void)vv_heap_pop(queue);
        vv_entry_release(d, e);
    }
    return NULL;
}

static int64_t key_at(const vv_heap *queue)
{
    return queue->n > 0 ? queue->at[0].key : INT64_MAX;
}

/* From the longest queue of another rank. */
static vv_heap *other_queue(vv_desk *d, int rank)
{
    vv_heap *longest = NULL;
    for (int i = 0; i < d->ranks; i++) {
        vv_heap *queue = &d->seat[i].own;
        if (i != rank && first_of(d, queue) && (!longest || queue->n > longest->n)) longest = queue;
    }
    return longest;
}

static bool worth_moving(const vv_desk *d, const vv_entry *e, int from)
{
    return per_byte * (double)bytes_at(d, e, from) <
           d->seat[from].seconds + d->function[e->spec->head.function].seconds;
}

/* The queue that a rank's next task comes from, NULL when there is none. */
static vv_heap *queue_for(vv_desk *d, int rank)
{
    vv_seat *s = &d->seat[rank];
    vv_heap *queue[] = {&s->pinned, &s->own, &d->any}, *best = NULL;
    for (size_t i = 0; i < sizeof queue / sizeof *queue; i++)
        if (first_of(d, queue[i]) && key_at(queue[i]) < key_at(best ? best : &(vv_heap){0})) best = queue[i];
    if (best || s->ahead >= d->threads) return best;
    best = other_queue(d, rank);
    if (!best) return NULL;
    int from = 0;
    while (best != &d->seat[from].own) from++;
    if (!worth_moving(d, best->at[0].item, from)) return NULL;
    d->stats.taken++;
    return best;
}

/* --- handing out --- */

/* Arguments with what is known of their futures: a small value itself, of a large one who has it; fetched grows by what the rank does not have. */
static vv_status put_args(vv_desk *d, const vv_entry *e, int rank, vv_buf *b, vv_bytes *fetched)
{
    vv_packed_arg a;
    for (const char *at = args_begin(e), *next; at < args_end(e); at = next) {
        next = next_arg(at, &a);
        if (a.kind != VV_ARG_FUTURE) {
            vv_buf_bytes(b, at, (size_t)(next - at));
            continue;
        }
        vv_entry *input = vv_entry_source(vv_desk_find(d, a.x));
        if (input->large) {
            a = (vv_packed_arg){VV_ARG_FUTURE, input->rank, input->id};
            vv_buf_bytes(b, &a, sizeof a);
            if (!has_copy(input, rank)) *fetched += input->size;
            VV_TRY(vv_entry_copied(input, rank));
            continue;
        }
        vv_arg value = {
            .kind = (vv_arg_kind)input->kind, .i = input->value.i, .f = input->value.f, .size = input->size};
        if (input->kind == VV_ARG_BYTES) value.data = input->value.data;
        vv_index nodes = 0;
        VV_TRY(vv_args_pack(b, &value, 1, &nodes));
    }
    return vv_buf_status(b);
}

void vv_seat_ahead(vv_desk *d, int rank, int more)
{
    vv_seat *s = &d->seat[rank];
    vv_rest *r = &d->host->rest;
    bool here = rank == d->net->rank || !(r->bound || vv_net_crosses(d->net, rank));
    if (here) r->busy -= (int)vv_imin(s->ahead, d->threads);
    s->ahead += more;
    if (here) r->busy += (int)vv_imin(s->ahead, d->threads);
}

static vv_status hand_to(vv_desk *d, vv_entry *e, int rank)
{
    const vv_spec *s = e->spec;
    vv_seat *seat = &d->seat[rank];
    vv_record r = {.say = VV_SAY_RUN, .id = e->id, .size = s->size};
    const void *body = &s->head;
    vv_bytes fetched = 0;
    if (s->n_inputs > 0) {
        vv_buf *b = &d->scratch;
        b->size = 0;
        b->failed = false;
        vv_buf_bytes(b, &s->head, sizeof s->head);
        VV_TRY(put_args(d, e, rank, b, &fetched));
        body = b->data;
        r.size = (vv_bytes)b->size;
    }
    vv_wire_say(&d->host->wire, rank, &r, body);
    e->state = VV_ENTRY_SENT;
    e->rank = rank;
    e->expected = (float)(d->function[s->head.function].seconds + overhead);
    vv_seat_ahead(d, rank, 1);
    seat->seconds += (double)e->expected;
    seat->bytes += e->size = r.size + fetched;
    d->unsent++;
    return VV_OK;
}

/* A rank that has nothing at all gets some of what another has not begun. */
static void take_from_others(vv_desk *d)
{
    static const double worth = 200e-6;
    int busiest = -1;
    bool idle = false;
    for (int i = 0; i < d->ranks; i++) {
        const vv_seat *s = &d->seat[i];
        if (s->taking) return; /* one at a time */
        idle |= s->ahead < d->threads;
        if (s->ahead > d->threads && (busiest < 0 || s->seconds > d->seat[busiest].seconds)) busiest = i;
    }
    if (!idle || busiest < 0) return;
    vv_seat *s = &d->seat[busiest];
    double waiting = s->seconds * (s->ahead - d->threads) / s->ahead;
    if (waiting < worth) return;
    s->taking = true;
    vv_record r = {.say = VV_SAY_TAKE, .a = (s->ahead - d->threads + 1) / 2};
    vv_wire_say(&d->host->wire, busiest, &r, NULL);
}

vv_status vv_desk_hand_out(vv_desk *d)
{
    int tried = 0;
    if (d->full || d->paused) return VV_OK;
    while (tried < d->ranks) {
        int rank = d->turn_of++ % d->ranks;
        if (d->turn_of >= d->ranks) d->turn_of = 0;
        vv_heap *queue = has_room(d, &d->seat[rank]) ? queue_for(d, rank) : NULL;
        tried++;
        if (!queue) continue;
        vv_entry *e = vv_heap_pop(queue);
        e->queued = false;
        vv_status status = hand_to(d, e, rank);
        vv_entry_release(d, e);
        VV_TRY(status);
        tried = 0;
    }
    d->full = d->any.n > 0; /* and nobody has room, until something ends */
    if (d->any.n == 0) take_from_others(d);
    return VV_OK;
}
