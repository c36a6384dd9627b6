#include "exec/graph/graph.h"

#include "base/fault.h"
#include "exec/graph/run.h"
#include "exec/settle.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- counters --- */

/* An event longer than this is worth two looks at the clock. */
static const double long_event = 5e-6;

/* Seconds of a task that is not worth a message of its own. */
static const double shorter_than_message = 0.3e-6;

void vv_meter_start(vv_meter *m)
{
    if (m->left == 0) m->start = vv_now();
}

void vv_meter_stop(vv_meter *m)
{
    enum { SAMPLE = 32 };
    if (m->left-- > 0) return;
    double took = vv_now() - m->start;
    bool brief = took < long_event;
    m->last = took;
    m->seconds += brief && m->stride ? took * m->stride : took;
    m->stride = brief ? SAMPLE : 1;
    m->left = m->stride - 1;
}

/* --- locking and failing --- */

static void lock(vv_graph_state *r)
{
    if (r->o.threads > 1) pthread_mutex_lock(&r->lock);
}

static void unlock(vv_graph_state *r)
{
    if (r->o.threads > 1) pthread_mutex_unlock(&r->lock);
}

/* The first failure of this rank counts; under the lock. */
static void fail(vv_graph_state *r, vv_status status)
{
    if (status != VV_ERR_CANCELLED && r->failure.code == VV_OK) vv_error_get(&r->failure);
    atomic_store(&r->cancelled, 1);
}

/* --- running tasks, on any thread --- */

static vv_status run_task(vv_hand *h, vv_node *n)
{
    const vv_graph *g = h->run->graph;
    for (int i = 0; i < n->n_in; i++) {
        h->in[i] = n->in[i].input->data;
        h->size[i] = n->in[i].input->size;
    }
    n->size = g->size(g, n->task);
    VV_TRY(vv_fault(VV_FAULT_TASK));
    VV_TRY(vv_node_room(n));
    vv_meter_start(&h->kernel);
    vv_status status = g->run(g, n->task, n->n_in, h->in, h->size, n->data);
    vv_meter_stop(&h->kernel);
    return status;
}

/* Takes a ready task, opening more when they run low, and runs it. The caller holds the lock, which is free while the task runs. */
static vv_status step(vv_hand *h, bool *ran)
{
    enum { LOW = 4 }; /* ready tasks that each thread should find */
    vv_graph_state *r = h->run;
    VV_TRY(vv_live_open(r, r->o.fuzz ? r->o.lookahead : LOW * r->o.threads));
    vv_node *n = vv_heap_pop(&r->ready);
    *ran = n != NULL;
    if (!n) return VV_OK;
    if (r->sleeping && r->ready.n) pthread_cond_signal(&r->work);
    unlock(r);
    vv_status status = run_task(h, n);
    lock(r);
    if (status != VV_OK) return status;
    return vv_live_finish(r, n);
}

/* A thread without work looks around for a moment, then sleeps until it is called. Under the lock. */
static void rest(vv_graph_state *r, int *idle)
{
    enum { LOOK = 50 };
    if ((*idle)++ < LOOK) {
        unlock(r);
        sched_yield();
        lock(r);
        return;
    }
    r->sleeping++;
    pthread_cond_wait(&r->work, &r->lock);
    r->sleeping--;
    *idle = 0;
}

static void *helper(void *argument)
{
    vv_hand *h = argument;
    vv_graph_state *r = h->run;
    int idle = 0;
    lock(r);
    while (!r->stop && !atomic_load(&r->cancelled)) {
        bool ran;
        vv_status status = step(h, &ran);
        if (status != VV_OK) fail(r, status);
        if (ran)
            idle = 0;
        else if (status == VV_OK)
            rest(r, &idle);
    }
    unlock(r);
    return NULL;
}

/* --- the main thread --- */

static vv_status check_signal(const vv_graph_state *r)
{
    int number = r->o.signalled ? r->o.signalled(r->o.context) : 0;
    if (!number) return VV_OK;
    return number == 2 ? vv_fail(VV_ERR_INTERRUPTED, "interrupted")
                       : vv_fail(VV_ERR_TERMINATED, "terminated by a signal");
}

static vv_status dispatch(vv_graph_state *r, vv_message *m)
{
    switch (m->tag) {
    case VV_TAG_BATCH:
    case VV_TAG_BLOCK: return vv_peers_receive(r, m);
    case VV_TAG_CANCEL: return vv_fail(VV_ERR_CANCELLED, "stopped");
    default: return vv_fail(VV_ERR_INTERNAL, "an unexpected message (tag %d) from rank %d", (int)m->tag, m->from);
    }
}

static vv_status receive(vv_graph_state *r, bool *moved)
{
    for (bool got = true; got;) {
        vv_message m;
        VV_TRY(vv_net_receive(r->net, &m, &got));
        if (!got) break;
        *moved = true;
        lock(r);
        vv_status status = dispatch(r, &m);
        unlock(r);
        vv_mem_put(&m.data);
        VV_TRY(status);
    }
    return VV_OK;
}

/* Runs tasks between two looks at the net: a few when they take less than a message does. With longer ones a rank would begin another one while
 * its neighbour waits for the result of the last. */
static vv_status run_some(vv_hand *h, bool *moved)
{
    enum { BURST = 8 };
    vv_graph_state *r = h->run;
    int burst = h->kernel.last < shorter_than_message ? BURST : 1;
    bool ran = true;
    vv_status status = VV_OK;
    lock(r);
    for (int i = 0; i < burst && ran && status == VV_OK && !atomic_load(&r->cancelled); i++) status = step(h, &ran);
    if (status == VV_OK && r->ranks > 1) status = vv_peers_flush(r);
    if (r->tasks != r->seen) *moved = true; /* by helpers, too */
    r->seen = r->tasks;
    unlock(r);
    return status;
}

static bool finished(vv_graph_state *r)
{
    lock(r);
    bool done = r->next >= r->graph->n && r->oldest == r->newest && r->n_dirty == 0 && r->held == 0 && r->due == 0;
    unlock(r);
    return done;
}

/* What the main thread does when nothing moves: looks again at once for as long as an answer usually takes - unless there are more threads than
 * cores -, then lets others run, then sleeps. */
typedef struct lull {
    int idle;
    double since, waited;
    vv_backoff backoff;
} lull;

static void wake(lull *l)
{
    if (l->since > 0) l->waited += vv_now() - l->since;
    *l = (lull){.waited = l->waited};
}

static vv_status doze(vv_graph_state *r, lull *l)
{
    enum { LOOK = 200, COUNT = 4, TELL = 32, YIELD = 1000 };
    vv_status status = VV_OK;
    if (++l->idle == COUNT) l->since = vv_now();
    if (l->idle >= TELL && (l->idle > YIELD || (l->idle & (l->idle - 1)) == 0)) {
        lock(r);
        status = vv_peers_idle(r);
        unlock(r);
    }
    if (l->idle > YIELD)
        vv_backoff_wait(&l->backoff);
    else if (r->crowded || l->idle > LOOK)
        sched_yield();
    return status;
}

static vv_status run_loop(vv_graph_state *r, vv_hand *h, lull *l)
{
    while (!finished(r)) {
        bool moved = false;
        VV_TRY(check_signal(r));
        VV_TRY(run_some(h, &moved));
        VV_TRY(receive(r, &moved));
        if (atomic_load(&r->cancelled)) return vv_fail(VV_ERR_CANCELLED, "stopped");
        if (moved)
            wake(l);
        else
            VV_TRY(doze(r, l));
    }
    return VV_OK;
}

/* --- setting up and clearing away --- */

static vv_status hands_open(vv_graph_state *r, vv_hand **out)
{
    int n = r->graph->max_inputs;
    VV_TRY(vv_new(out, (size_t)r->o.threads, sizeof **out));
    for (int i = 0; i < r->o.threads; i++) {
        vv_hand *h = &(*out)[i];
        h->run = r;
        VV_TRY(vv_new(&h->in, (size_t)n, sizeof *h->in));
        VV_TRY(vv_new(&h->size, (size_t)n, sizeof *h->size));
    }
    return VV_OK;
}

static void hands_close(vv_graph_state *r, vv_hand *hand)
{
    for (int i = 0; hand && i < r->o.threads; i++) {
        free(hand[i].in);
        free(hand[i].size);
    }
    free(hand);
}

static vv_status start_helpers(vv_graph_state *r, vv_hand *hand, int *n)
{
    for (*n = 1; *n < r->o.threads; ++*n) {
        int code = pthread_create(&hand[*n].thread, NULL, helper, &hand[*n]);
        if (code) return vv_fail(VV_ERR_RUN, "cannot start thread %d of %d: %s", *n + 1, r->o.threads, strerror(code));
    }
    return VV_OK;
}

static void stop_helpers(vv_graph_state *r, vv_hand *hand, int n)
{
    lock(r);
    r->stop = true;
    pthread_cond_broadcast(&r->work);
    unlock(r);
    for (int i = 1; i < n; i++) pthread_join(hand[i].thread, NULL);
}

static vv_index deliveries_due(const vv_graph_state *r)
{
    vv_index due = 0;
    for (vv_index t = 0; r->o.target && t < r->graph->n; t++)
        due += r->o.target(r->graph, t, r->ranks) == r->me && r->graph->owner(r->graph, t, r->ranks) != r->me;
    return due;
}

static vv_status state_open(vv_graph_state *r)
{
    const vv_graph *g = r->graph;
    VV_TRY(vv_fault(VV_FAULT_START));
    VV_TRY(vv_graph_store_open(&r->store));
    VV_TRY(vv_peers_open(r));
    VV_TRY(vv_new(&r->open, (size_t)r->o.lookahead, sizeof(vv_node *)));
    VV_TRY(vv_new(&r->list, (size_t)vv_imax(g->max_inputs, g->max_consumers), sizeof *r->list));
    r->due = deliveries_due(r);
    vv_live_start(r);
    return VV_OK;
}

static void state_close(vv_graph_state *r)
{
    vv_peers_close(r);
    vv_graph_store_close(&r->store);
    vv_heap_free(&r->ready);
    free(r->open);
    free(r->list);
    pthread_cond_destroy(&r->work);
    pthread_mutex_destroy(&r->lock);
}

static void state_init(vv_graph_state *r, vv_net *net, const vv_graph *g, const vv_graph_options *o)
{
    enum { LOOKAHEAD = 1024, CREDIT = 4 << 20 };
    *r = (vv_graph_state){.net = net, .graph = g, .o = *o, .me = net->rank, .ranks = net->size};
    if (r->o.threads < 1) r->o.threads = 1;
    if (r->o.lookahead < 1) r->o.lookahead = LOOKAHEAD;
    if (r->o.credit < 1) r->o.credit = CREDIT;
    r->crowded = (long)net->local * r->o.threads > sysconf(_SC_NPROCESSORS_ONLN);
    if (!r->o.sched) r->o.sched = vv_sched_find(NULL);
    r->random = o->fuzz + (uint64_t)net->rank * 1000003u;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->work, NULL);
}

static vv_status run_all(vv_graph_state *r, vv_hand **hand, lull *l)
{
    int helpers = 0;
    VV_TRY(state_open(r));
    VV_TRY(hands_open(r, hand));
    vv_status status = start_helpers(r, *hand, &helpers);
    if (status == VV_OK) status = run_loop(r, *hand, l);
    lock(r);
    if (status != VV_OK) fail(r, status);
    unlock(r);
    stop_helpers(r, *hand, helpers);
    return status;
}

static int64_t nanoseconds(double seconds)
{
    return (int64_t)(seconds * 1e9);
}

static void agreement_of(const vv_graph_state *r, const vv_hand *hand, const lull *l, vv_agreement *a)
{
    double kernel = 0;
    for (int i = 0; hand && i < r->o.threads; i++) kernel += hand[i].kernel.seconds;
    *a = (vv_agreement){.failure = r->failure,
                        .sum = {r->tasks, r->messages, r->moved, nanoseconds(kernel), nanoseconds(r->send.seconds),
                                nanoseconds(l->waited)},
                        .max = {r->store.most, r->waiting}};
}

static void stats_of(const vv_agreement *a, vv_graph_stats *stats)
{
    *stats = (vv_graph_stats){.tasks = a->sum[0],
                              .messages = a->sum[1],
                              .moved = a->sum[2],
                              .kernel = 1e-9 * (double)a->sum[3],
                              .send = 1e-9 * (double)a->sum[4],
                              .wait = 1e-9 * (double)a->sum[5],
                              .live = a->max[0],
                              .waiting = a->max[1]};
}

vv_status vv_graph_run(vv_net *net, const vv_graph *g, const vv_graph_options *o, vv_graph_stats *stats)
{
    vv_graph_state r;
    vv_hand *hand = NULL;
    vv_agreement a;
    lull l = {0};
    state_init(&r, net, g, o);
    vv_status status = run_all(&r, &hand, &l);
    if (status != VV_OK) fail(&r, status);
    agreement_of(&r, hand, &l, &a);
    hands_close(&r, hand);
    state_close(&r);
    status = vv_settle(net, &a, o->signalled, o->context);
    stats_of(&a, stats);
    if (status == VV_OK && a.failure.code != VV_OK) {
        vv_error_set(&a.failure);
        return a.failure.code;
    }
    return status;
}
