/* A plan that is stuck ends with an error instead of waiting for ever.
 *
 * That should not happen: every unit waits for earlier steps only, and taking a piece waits for nothing. If it does, because of a fault of ours or of a transport
 * that loses messages, every rank sees the same: no thread is at work, nothing is to be sent, everything sent was received. One rank alone cannot tell that from
 * waiting for a slow one. So a rank that is quiet says so to the coordinator, again and again, with the number of events - units begun, messages
 * taken in - that it has seen. Its next report is made after the one before was received. When reports of all ranks are there, and then two
 * more of each with the same numbers, the second of these was made when all first ones were there: between the two moments nothing has happened anywhere, and
 * nothing was under way. Nothing ever will.
 *
 * Ranks that have ended are quiet for good. A busy one never reports, and so costs nothing. */
#include "exec/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Seconds without an event until the first report; between reports. */
static const double patience = 2, pause = 0.5;
enum { FURTHER = 2 };

typedef struct report {
    int64_t events;
    char state[240]; /* what this rank still has to do; may be empty */
} report;

typedef struct vv_quiet {
    bool ended, reported;
    int further; /* reports with the same number of events since those of all ranks are there */
    report last;
} vv_quiet;

vv_status vv_stuck_begin(vv_run *r)
{
    return r->net->rank == 0 ? vv_new(&r->quiet, (size_t)r->net->size, sizeof *r->quiet) : VV_OK;
}

/* --- a rank --- */

static bool is_quiet(const vv_run *r)
{
    return r->agenda && atomic_load(&r->at_work) == 0 && atomic_load(&r->queued) == 0 && r->net->sending == 0 &&
           r->late == 0 && !r->draining && !atomic_load(&r->cancelled);
}

static vv_index partials_waiting(vv_run *r)
{
    vv_index n = 0;
    for (int i = 0; i < r->plan->n_steps; i++) n += atomic_load(&r->stage[i].waiting);
    return n;
}

/* The first step that has not ended here, and the first inbox that lacks something. */
static void describe(vv_run *r, char *out, size_t size)
{
    vv_lack lack;
    int step = 0;
    *out = 0;
    while (step < r->plan->n_steps && (!r->stage[step].run || atomic_load(&r->stage[step].left) == 0)) step++;
    vv_index partial = partials_waiting(r);
    bool lacks = vv_store_lacks(r->store, &lack);
    if (step == r->plan->n_steps && !lacks && partial == 0) return;
    size_t n = 0;
    if (step < r->plan->n_steps)
        n += (size_t)snprintf(out, size, "%lld tasks of step %d (%.40s) have not run",
                              (long long)atomic_load(&r->stage[step].left), step, r->plan->step[step].name);
    if (lacks && n < size)
        n += (size_t)snprintf(out + n, size - n, "%sinbox %lld of step %d, input %d, waits for %lld elements",
                              n ? ", " : "", (long long)lack.key, lack.step, lack.input, (long long)lack.due);
    if (partial > 0 && n < size)
        snprintf(out + n, size - n, "%s%lld partial results wait", n ? ", " : "", (long long)partial);
}

/* --- the coordinator --- */

static vv_status give_up(const vv_run *r)
{
    int rank = 0;
    while (rank + 1 < r->net->size && !r->quiet[rank].last.state[0]) rank++;
    const char *state = r->quiet[rank].last.state;
    return vv_fail(VV_ERR_INTERNAL,
                   "the plan is stuck: no rank has anything to do and nothing is under way; rank %d: %s. Please report "
                   "this with what --explain says",
                   rank, *state ? state : "waits for another one");
}

static vv_status note(vv_run *r, int from, const report *n)
{
    vv_quiet *q = &r->quiet[from];
    bool all = true, enough = true;
    if (!q->reported || q->last.events != n->events)
        for (int i = 0; i < r->net->size; i++) r->quiet[i].further = 0;
    for (int i = 0; i < r->net->size; i++) all = all && (r->quiet[i].reported || r->quiet[i].ended);
    q->further += all && q->last.events == n->events;
    q->reported = true;
    q->last = *n;
    q->last.state[sizeof q->last.state - 1] = 0;
    for (int i = 0; i < r->net->size; i++) enough = enough && (r->quiet[i].further >= FURTHER || r->quiet[i].ended);
    return enough ? give_up(r) : VV_OK;
}

vv_status vv_stuck_receive(vv_run *r, const vv_message *m)
{
    if (!r->quiet || m->size != sizeof(report))
        return vv_fail(VV_ERR_INTERNAL, "a report from rank %d does not fit", m->from);
    return note(r, m->from, m->data);
}

void vv_stuck_ended(vv_run *r, int rank)
{
    if (r->quiet) r->quiet[rank].ended = true;
}

vv_status vv_stuck_look(vv_run *r)
{
    if (!is_quiet(r)) {
        r->quiet_since = 0;
        return VV_OK;
    }
    double now = vv_now();
    int64_t events = atomic_load(&r->events);
    if (r->quiet_since == 0 || r->quiet_events != events) {
        r->quiet_since = r->quiet_told = now;
        r->quiet_events = events;
    }
    if (now - r->quiet_since < patience || now - r->quiet_told < pause) return VV_OK;
    r->quiet_told = now;
    report n = {.events = events};
    describe(r, n.state, sizeof n.state);
    return r->net->rank == 0 ? note(r, 0, &n) : vv_net_send_copy(r->net, 0, VV_TAG_QUIET, &n, sizeof n);
}
