/* The life of tasks and results on a rank: opened, ready, run, used, dropped.
 *
 * Tasks are opened in order, and only when few are ready, so that what is open stays in the cache. When a task is opened, each of its inputs is either
 * a node already - an own result is kept until its last consumer here has run - or the result of another rank that has not come: then
 * a node is made that waits for it. */
#include "exec/graph/run.h"

#include "base/fault.h"

#include <stdlib.h>

uint64_t vv_graph_random(vv_graph_state *r)
{
    r->random = r->random * 6364136223846793005u + 1442695040888963407u;
    uint64_t x = r->random ^ r->random >> 32;
    return (x * 0x9e3779b97f4a7c15u) >> 16;
}

static vv_status make_ready(vv_graph_state *r, vv_node *n)
{
    int64_t key = r->o.fuzz ? (int64_t)(vv_graph_random(r) >> 8) : r->o.sched->rank(n->task, n->n_in);
    return vv_heap_push(&r->ready, key, n);
}

vv_index vv_live_front(const vv_graph_state *r, vv_node **node)
{
    *node = r->oldest < r->newest ? r->open[r->oldest % r->o.lookahead] : NULL;
    if (*node) return (*node)->task;
    return r->next < r->graph->n ? r->next : VV_INDEX_MAX;
}

/* --- opening --- */

static vv_index own_from(const vv_graph *g, int me, int ranks, vv_index from)
{
    vv_index task = from;
    if (g->own) return g->own(g, me, ranks, from);
    while (task < g->n && g->owner(g, task, ranks) != me) task++;
    return task;
}

void vv_live_start(vv_graph_state *r)
{
    r->next = own_from(r->graph, r->me, r->ranks, 0);
}

static vv_status find_input(vv_graph_state *r, vv_index task, vv_index input, vv_node **out)
{
    if (input < 0 || input >= task)
        return vv_fail(VV_ERR_INTERNAL, "task %lld cannot use the result of task %lld", (long long)task,
                       (long long)input);
    *out = vv_graph_store_find(&r->store, input);
    if (*out) return VV_OK;
    int owner = r->graph->owner(r->graph, input, r->ranks);
    if (owner == r->me)
        return vv_fail(VV_ERR_INTERNAL, "the consumers of task %lld do not name task %lld", (long long)input,
                       (long long)task);
    VV_TRY(vv_graph_store_add(&r->store, input, out));
    (*out)->from = owner;
    return VV_OK;
}

static vv_status connect(vv_graph_state *r, vv_node *n, vv_graph_edge *e, vv_index input)
{
    VV_TRY(find_input(r, n->task, input, &e->input));
    e->waiter = n;
    if (e->input->here) return VV_OK;
    e->next = e->input->waiting;
    e->input->waiting = e;
    n->missing++;
    return VV_OK;
}

static vv_status open_next(vv_graph_state *r)
{
    const vv_graph *g = r->graph;
    vv_node *n;
    VV_TRY(vv_graph_store_add(&r->store, r->next, &n));
    n->from = r->me;
    int inputs = g->inputs(g, n->task, r->list);
    VV_TRY(vv_node_edges(n, inputs));
    for (int i = 0; i < inputs; i++) VV_TRY(connect(r, n, &n->in[i], r->list[i]));
    n->position = r->newest++;
    r->open[n->position % r->o.lookahead] = n;
    r->next = own_from(g, r->me, r->ranks, n->task + 1);
    return n->missing ? VV_OK : make_ready(r, n);
}

/* Not when a credit's worth of results waits for its receivers, unless they wait for this rank themselves. */
static bool may_open(const vv_graph_state *r)
{
    return r->newest - r->oldest < r->o.lookahead && (r->held <= r->o.credit || vv_peers_let(r, r->next));
}

vv_status vv_live_open(vv_graph_state *r, vv_index enough)
{
    while (r->ready.n < enough && r->next < r->graph->n && may_open(r)) VV_TRY(open_next(r));
    return VV_OK;
}

/* --- using and dropping --- */

void vv_live_settle(vv_graph_state *r, vv_node *n)
{
    if (!n->here || n->users || n->sends) return;
    if (n->from != r->me) vv_peer_used(r, n->from, n->size);
    vv_graph_store_drop(&r->store, n);
}

static void release_inputs(vv_graph_state *r, vv_node *n)
{
    for (int i = 0; i < n->n_in; i++) {
        vv_node *input = n->in[i].input;
        input->users--;
        vv_live_settle(r, input);
    }
    if (n->in != n->few) free(n->in);
    n->in = n->few;
    n->n_in = 0;
}

static vv_status wake(vv_graph_state *r, vv_node *n)
{
    n->here = true;
    for (vv_graph_edge *e = n->waiting; e; e = e->next)
        if (--e->waiter->missing == 0) VV_TRY(make_ready(r, e->waiter));
    n->waiting = NULL;
    return VV_OK;
}

static vv_status deliver(vv_graph_state *r, vv_node *n)
{
    VV_TRY(vv_fault(VV_FAULT_FINISH));
    return r->o.deliver(r->o.context, n->task, n->data, n->size);
}

static int target_of(const vv_graph_state *r, vv_index task)
{
    return r->o.target ? r->o.target(r->graph, task, r->ranks) : -1;
}

/* Notes that rank `to` wants a result, first for its task `first`; each rank is listed once. */
static void add_destination(vv_graph_state *r, int to, vv_index first, int *n_dest)
{
    vv_peer *p = &r->peer[to];
    if (p->stamp != r->stamp) {
        p->stamp = r->stamp;
        p->first = first;
        r->dest[(*n_dest)++] = to;
    }
    if (first < p->first) p->first = first;
}

/* Who needs the result: counts its uses here, and has it sent to the other ranks. */
static vv_status route(vv_graph_state *r, vv_node *n, bool made_here)
{
    const vv_graph *g = r->graph;
    int n_dest = 0, consumers = g->consumers(g, n->task, r->list), target = target_of(r, n->task);
    r->stamp++;
    for (int i = 0; i < consumers; i++) {
        int to = g->owner(g, r->list[i], r->ranks);
        if (to == r->me)
            n->users++;
        else if (made_here)
            add_destination(r, to, r->list[i], &n_dest);
    }
    if (target == r->me) VV_TRY(deliver(r, n));
    if (target >= 0 && target != r->me && made_here) add_destination(r, target, VV_INDEX_MAX, &n_dest);
    for (int i = 0; i < n_dest; i++) VV_TRY(vv_peer_want(r, r->dest[i], n, r->peer[r->dest[i]].first));
    return VV_OK;
}

static void retire(vv_graph_state *r, const vv_node *n)
{
    r->open[n->position % r->o.lookahead] = NULL;
    while (r->oldest < r->newest && !r->open[r->oldest % r->o.lookahead]) r->oldest++;
}

vv_status vv_live_finish(vv_graph_state *r, vv_node *n)
{
    r->tasks++;
    retire(r, n);
    release_inputs(r, n);
    VV_TRY(route(r, n, true));
    VV_TRY(wake(r, n));
    vv_live_settle(r, n);
    return VV_OK;
}

vv_status vv_live_expect(vv_graph_state *r, int from, vv_index task, vv_bytes size, vv_node **out)
{
    *out = vv_graph_store_find(&r->store, task);
    if (!*out) VV_TRY(vv_graph_store_add(&r->store, task, out));
    if ((*out)->here || (*out)->n_in) return vv_fail(VV_ERR_INTERNAL, "task %lld came twice", (long long)task);
    (*out)->from = from;
    (*out)->size = size;
    return VV_OK;
}

vv_status vv_live_arrive(vv_graph_state *r, vv_node *n)
{
    int target = target_of(r, n->task);
    VV_TRY(route(r, n, false));
    if (target == r->me) r->due--;
    VV_TRY(wake(r, n));
    vv_live_settle(r, n);
    return VV_OK;
}
