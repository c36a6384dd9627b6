/* Messages about results of tasks: batches, credits, fronts.
 *
 * What a rank wants gets into its batch, which leaves once per turn of the engine; large results leave on their own, as the very block they were
 * made in when nobody else needs it. A batch begins with two numbers: how many bytes of the receiver's results are used up here (its credits
 * come back), and the front, the oldest unfinished task here.
 *
 * Without credit a result is held, in order of who needs it first. Two rules keep this from ending in a deadlock, where T is the unfinished task
 * with the lowest number of all ranks, on rank A:
 * - T is open: its inputs are made, perhaps held on B. A, idle, tells its front to the owners of T's missing inputs; a result that is
 *   needed by a front is sent without credit.
 * - T is not open, because A holds too many results that others may not take. Those others are idle or go on; an idle rank tells its front to those
 *   whose results fill its room, A among them. A then sees that its next task is below the fronts of all ranks it holds results for, and opens it. */
#include "exec/graph/run.h"

#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

typedef struct batch_header {
    int64_t used, front;
} batch_header;

typedef struct record {
    int64_t task, size;
} record;

enum {
    BATCH = 8192,      /* bytes of a message with small results */
    SMALL = BATCH / 4, /* larger results travel alone */
    FLIGHTS = 4,       /* messages under way for each rank; more wait and become larger */
    BACK = 4           /* credits go back when this part of them is used up */
};
_Static_assert(sizeof(record) <= VV_BLOCK_HEADER, "a block's header holds a record");

/* Bytes in a batch; and what a result that is waiting there costs its receiver, which is what credits are about. */
static vv_bytes packed_size(vv_bytes size)
{
    return (vv_bytes)sizeof(record) + vv_ceil_div(size, 8) * 8;
}

static vv_bytes cost_of(vv_bytes size)
{
    return (vv_bytes)sizeof(vv_node) + size;
}

vv_status vv_peers_open(vv_graph_state *r)
{
    VV_TRY(vv_new(&r->peer, (size_t)r->ranks, sizeof *r->peer));
    VV_TRY(vv_new(&r->dirty, (size_t)r->ranks, sizeof *r->dirty));
    VV_TRY(vv_new(&r->dest, (size_t)r->ranks, sizeof *r->dest));
    for (int i = 0; i < r->ranks; i++) r->peer[i].fill = (vv_bytes)sizeof(batch_header);
    return VV_OK;
}

void vv_peers_close(vv_graph_state *r)
{
    for (int i = 0; r->peer && i < r->ranks; i++) {
        vv_mem_put(&r->peer[i].batch);
        vv_heap_free(&r->peer[i].held);
    }
    free(r->peer);
    free(r->dirty);
    free(r->dest);
}

/* --- towards a peer --- */

static void mark(vv_graph_state *r, int to)
{
    if (r->peer[to].dirty) return;
    r->peer[to].dirty = true;
    r->dirty[r->n_dirty++] = to;
}

static bool allowed(const vv_graph_state *r, const vv_peer *p, vv_bytes cost, vv_index first)
{
    return p->outstanding == 0 || p->outstanding + cost <= r->o.credit || first <= p->front;
}

static bool crowded(const vv_graph_state *r)
{
    return r->net->sending >= FLIGHTS * r->ranks;
}

static void note_sent(vv_graph_state *r, vv_bytes size)
{
    r->messages++;
    r->moved += size;
}

static vv_status batch_room(vv_peer *p)
{
    return p->batch ? VV_OK : vv_mem_get(&p->batch, BATCH, "a message to another rank");
}

static vv_status append(vv_peer *p, const vv_node *n)
{
    record head = {n->task, n->size};
    VV_TRY(batch_room(p));
    memcpy(p->batch + p->fill, &head, sizeof head);
    memcpy(p->batch + p->fill + sizeof head, n->data, (size_t)n->size);
    p->fill += packed_size(n->size);
    p->outstanding += cost_of(n->size);
    return VV_OK;
}

static vv_status send_batch(vv_graph_state *r, int to)
{
    vv_peer *p = &r->peer[to];
    vv_node *node;
    batch_header head = {p->owed, vv_live_front(r, &node)};
    VV_TRY(batch_room(p));
    memcpy(p->batch, &head, sizeof head);
    vv_bytes size = p->fill;
    p->owed = 0;
    p->told = head.front;
    p->fill = (vv_bytes)sizeof head;
    note_sent(r, size);
    return vv_net_send_copy(r->net, to, VV_TAG_BATCH, p->batch, size);
}

/* The block itself leaves when this was the last use of it. */
static vv_status send_block(vv_graph_state *r, int to, vv_node *n)
{
    char *block = n->block;
    vv_bytes size = VV_BLOCK_HEADER + n->size;
    if (n->users == 0 && n->sends == 0) {
        n->block = NULL;
    } else {
        VV_TRY(vv_mem_get(&block, size, "a message to another rank"));
        memcpy(block + VV_BLOCK_HEADER, n->data, (size_t)n->size);
    }
    memcpy(block, &(record){n->task, n->size}, sizeof(record));
    r->peer[to].outstanding += cost_of(n->size);
    note_sent(r, size);
    return vv_net_send(r->net, to, VV_TAG_BLOCK, &block, size);
}

vv_status vv_peer_want(vv_graph_state *r, int to, vv_node *n, vv_index first)
{
    vv_peer *p = &r->peer[to];
    vv_bytes cost = cost_of(n->size);
    mark(r, to);
    bool now =
        n->size <= SMALL && p->held.n == 0 && p->fill + packed_size(n->size) <= BATCH && allowed(r, p, cost, first);
    if (now && !r->o.fuzz) return append(p, n);
    VV_TRY(vv_heap_push(&p->held, first, n));
    n->sends++;
    r->held += cost;
    return VV_OK;
}

static vv_status send_held(vv_graph_state *r, int to)
{
    vv_peer *p = &r->peer[to];
    vv_node *n = vv_heap_pop(&p->held);
    vv_bytes cost = cost_of(n->size);
    r->held -= cost;
    n->sends--;
    if (n->size > SMALL) {
        VV_TRY(send_block(r, to, n));
    } else {
        if (p->fill + packed_size(n->size) > BATCH) VV_TRY(send_batch(r, to));
        VV_TRY(append(p, n));
    }
    vv_live_settle(r, n);
    return VV_OK;
}

static bool may_send_held(const vv_graph_state *r, const vv_peer *p)
{
    if (p->held.n == 0) return false;
    const vv_node *n = p->held.at[0].item;
    return allowed(r, p, cost_of(n->size), p->held.at[0].key);
}

/* *again: there is more to send, later. */
static vv_status flush(vv_graph_state *r, int to, bool *again)
{
    vv_peer *p = &r->peer[to];
    *again = crowded(r) || (r->o.fuzz && vv_graph_random(r) % 2);
    while (!*again && may_send_held(r, p)) {
        VV_TRY(send_held(r, to));
        *again = crowded(r) || (r->o.fuzz && vv_graph_random(r) % 3 == 0);
    }
    if (crowded(r)) return VV_OK;
    if (p->fill > (vv_bytes)sizeof(batch_header) || p->owed > r->o.credit / BACK) VV_TRY(send_batch(r, to));
    return VV_OK;
}

vv_status vv_peers_flush(vv_graph_state *r)
{
    int n = r->n_dirty, kept = 0;
    if (n == 0) return VV_OK;
    vv_meter_start(&r->send);
    for (int i = 0; i < n; i++) { /* none becomes dirty on the way */
        int to = r->dirty[i];
        bool again;
        VV_TRY(flush(r, to, &again));
        r->peer[to].dirty = again;
        if (again) r->dirty[kept++] = to;
    }
    r->n_dirty = kept;
    vv_meter_stop(&r->send);
    return VV_OK;
}

/* --- from a peer --- */

void vv_peer_used(vv_graph_state *r, int from, vv_bytes size)
{
    vv_peer *p = &r->peer[from];
    p->waiting -= cost_of(size);
    p->owed += cost_of(size);
    if (p->owed > r->o.credit / BACK) mark(r, from);
}

static vv_status begin_arrival(vv_graph_state *r, int from, const record *head, vv_node **n)
{
    vv_peer *p = &r->peer[from];
    VV_TRY(vv_live_expect(r, from, head->task, head->size, n));
    p->waiting += cost_of(head->size);
    r->waiting = vv_imax(r->waiting, p->waiting);
    return VV_OK;
}

static vv_status receive_batch(vv_graph_state *r, const vv_message *m)
{
    vv_peer *p = &r->peer[m->from];
    const char *at = m->data, *end = at + m->size;
    batch_header batch;
    memcpy(&batch, at, sizeof batch);
    p->outstanding -= batch.used;
    p->front = vv_imax(p->front, batch.front);
    if (p->held.n) mark(r, m->from);
    for (at += sizeof batch; at < end;) {
        record head;
        vv_node *n;
        memcpy(&head, at, sizeof head);
        VV_TRY(begin_arrival(r, m->from, &head, &n));
        VV_TRY(vv_node_room(n));
        memcpy(n->data, at + sizeof head, (size_t)head.size);
        at += packed_size(head.size);
        VV_TRY(vv_live_arrive(r, n));
    }
    return VV_OK;
}

static vv_status receive_block(vv_graph_state *r, vv_message *m)
{
    record head;
    vv_node *n;
    memcpy(&head, m->data, sizeof head);
    VV_TRY(begin_arrival(r, m->from, &head, &n));
    n->block = m->data;
    n->data = n->block + VV_BLOCK_HEADER;
    m->data = NULL;
    return vv_live_arrive(r, n);
}

vv_status vv_peers_receive(vv_graph_state *r, vv_message *m)
{
    VV_TRY(vv_fault(VV_FAULT_RECEIVE));
    return m->tag == VV_TAG_BATCH ? receive_batch(r, m) : receive_block(r, m);
}

/* --- idle --- */

/* Which peers owe the oldest task an input. */
static void find_lacking(vv_graph_state *r, const vv_node *front)
{
    for (int i = 0; i < r->ranks; i++) r->peer[i].lacking = false;
    for (int i = 0; front && i < front->n_in; i++)
        if (!front->in[i].input->here) r->peer[front->in[i].input->from].lacking = true;
}

vv_status vv_peers_idle(vv_graph_state *r)
{
    vv_node *node;
    vv_index front = vv_live_front(r, &node);
    find_lacking(r, node);
    for (int to = 0; to < r->ranks; to++) {
        vv_peer *p = &r->peer[to];
        bool tell = p->told < front && (p->waiting > 0 || p->lacking);
        if (to != r->me && (p->owed > 0 || tell)) VV_TRY(send_batch(r, to));
    }
    return VV_OK;
}

bool vv_peers_let(const vv_graph_state *r, vv_index next)
{
    for (int i = 0; i < r->ranks; i++)
        if (r->peer[i].held.n && next >= r->peer[i].front) return false;
    return true;
}
