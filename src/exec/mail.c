/* Messages: what other ranks say, and letters that this rank's threads have left for the main thread to send. */
#include "exec/run.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int64_t vv_ticks(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* --- letters ---
 *
 * Few messages are under way at a time: MPI looks at each of them again and again. Meanwhile letters wait, and pieces for one rank collect in one letter: so
 * they travel alone while there is little to do, and in company when there is much. */

enum { TOGETHER = 64 << 10, UNDER_WAY = 16 };

/* Appends pieces to a letter that still waits. */
static vv_status append(vv_letter *l, const void *data, vv_bytes size)
{
    if (l->size + size > l->room) {
        vv_bytes room = vv_imax(l->size + size, vv_imin(2 * l->size, TOGETHER));
        char *more;
        VV_TRY(vv_mem_get(&more, room, "a message"));
        memcpy(more, l->data, (size_t)l->size);
        vv_mem_put(&l->data);
        l->data = more;
        l->room = room;
    }
    memcpy((char *)l->data + l->size, data, (size_t)size);
    l->size += size;
    return VV_OK;
}

static vv_status add_letter(vv_run *r, int to, vv_tag tag, void **data, vv_bytes size)
{
    vv_letter *l, *open = tag == VV_TAG_PIECES ? r->open[to] : NULL;
    if (open && open->size + size <= TOGETHER) return append(open, *data, size);
    VV_TRY(vv_new(&l, 1, sizeof *l));
    *l = (vv_letter){NULL, to, tag, size, size, *data};
    *data = NULL;
    *r->last_letter = l;
    r->last_letter = &l->next;
    if (tag == VV_TAG_PIECES) r->open[to] = l;
    return VV_OK;
}

vv_status vv_run_letter(vv_run *r, int to, vv_tag tag, void *data_address, vv_bytes size)
{
    void **data = data_address;
    pthread_mutex_lock(&r->lock);
    vv_status status = add_letter(r, to, tag, data, size);
    if (status == VV_OK) atomic_fetch_add(&r->queued, size);
    pthread_mutex_unlock(&r->lock);
    vv_mem_put(data);
    atomic_fetch_add_explicit(&r->messages, 1, memory_order_relaxed);
    if (tag != VV_TAG_PIECES) vv_run_moved(r, to, size); /* pieces are counted one by one */
    return status;
}

void vv_run_moved(vv_run *r, int to, vv_bytes bytes)
{
    atomic_fetch_add_explicit(&r->moved, bytes, memory_order_relaxed);
    if (vv_net_crosses(r->net, to)) atomic_fetch_add_explicit(&r->across, bytes, memory_order_relaxed);
}

/* fuzz: whether the next letter has to wait for another turn. */
static bool held_back(vv_run *r)
{
    r->random = r->random * 6364136223846793005u + 1442695040888963407u;
    return (r->random >> 40) % 4 != 0;
}

static vv_letter *next_letter(vv_run *r)
{
    pthread_mutex_lock(&r->lock);
    vv_letter *l = r->letters;
    if (l && !(r->letters = l->next)) r->last_letter = &r->letters;
    if (l && l->tag == VV_TAG_PIECES && r->open[l->to] == l) r->open[l->to] = NULL;
    if (l) atomic_fetch_sub(&r->queued, l->size);
    pthread_mutex_unlock(&r->lock);
    return l;
}

static vv_status send_letter(vv_run *r, vv_letter *l)
{
    vv_status status = vv_net_send(r->net, l->to, l->tag, &l->data, l->size);
    free(l);
    return status;
}

static vv_status send_letters(vv_run *r, bool *moved)
{
    int most = UNDER_WAY + r->net->size;
    while (atomic_load(&r->queued) > 0 && r->net->sending < most && !(r->plan->fuzz && held_back(r))) {
        vv_letter *l = next_letter(r);
        if (!l) break;
        *moved = true;
        VV_TRY(send_letter(r, l));
    }
    return VV_OK;
}

vv_status vv_letters_flush(vv_run *r)
{
    for (vv_letter *l; (l = next_letter(r));) VV_TRY(send_letter(r, l));
    return VV_OK;
}

void vv_letters_drop(vv_run *r)
{
    while (r->letters) {
        vv_letter *l = r->letters;
        r->letters = l->next;
        vv_mem_put(&l->data);
        free(l);
    }
}

/* --- what others say --- */

/* Messages may overtake each other: an older report is not looked at. */
static void take_report(vv_run *r, int from, const vv_rank_report *report)
{
    if (!r->report || report->done < r->report[from].done) return;
    r->report[from] = *report;
    if (r->hooks->progress) r->hooks->progress(r->hooks->context, r->report, r->net->size);
}

static vv_index own_units(const vv_run *r)
{
    vv_index n = 0;
    for (int i = 0; i < r->plan->n_steps; i++)
        if (vv_step_computes(&r->plan->step[i])) n += vv_place_count(&r->plan->step[i], r->net->rank, r->net->size);
    return n;
}

static vv_status report_progress(vv_run *r)
{
    if (!r->plan->report_every) return VV_OK;
    double now = vv_now();
    if (now - r->reported < 1e-3 * r->plan->report_every) return VV_OK;
    r->reported = now;
    if (r->units == 0) r->units = own_units(r);
    vv_rank_report report = {.done = atomic_load(&r->tasks),
                             .units = r->units,
                             .read = atomic_load(&r->read),
                             .resident = vv_mem_resident()};
    (void)gethostname(report.host, sizeof report.host - 1);
    if (r->net->rank == 0) {
        take_report(r, 0, &report);
        return VV_OK;
    }
    /* A rank that has nothing to do is silent, so that its being stuck can be seen (stuck.c). */
    int64_t seen = report.done + report.read + 1;
    if (seen == r->told_progress) return VV_OK;
    r->told_progress = seen;
    return vv_net_send_copy(r->net, 0, VV_TAG_PROGRESS, &report, sizeof report);
}

static vv_status take_counts(vv_run *r, const vv_message *m)
{
    if (!r->counts || m->size != r->plan->n_steps * (vv_bytes)sizeof *r->counts)
        return vv_fail(VV_ERR_INTERNAL, "counts from rank %d do not fit", m->from);
    vv_counts_add(r, m->data);
    r->counts_in++;
    vv_stuck_ended(r, m->from);
    return VV_OK;
}

static vv_status dispatch(vv_run *r, vv_message *m)
{
    if (m->tag != VV_TAG_QUIET && m->tag != VV_TAG_PROGRESS) atomic_fetch_add(&r->events, 1);
    switch (m->tag) {
    case VV_TAG_INDEX: return vv_feeds_receive(&r->feeds, m);
    case VV_TAG_STATE: return vv_tree_receive(r, m);
    case VV_TAG_PIECES: return vv_push_receive(r, m);
    case VV_TAG_RESULT: return vv_deliver_receive(r, m);
    case VV_TAG_CANCEL: atomic_store(&r->cancelled, 1); return VV_OK;
    case VV_TAG_PROGRESS: take_report(r, m->from, m->data); return VV_OK;
    case VV_TAG_ACT: return vv_act_receive(r, m);
    case VV_TAG_COUNTS: return take_counts(r, m);
    case VV_TAG_TRACE: return vv_trace_receive(r, m);
    case VV_TAG_TURN: return vv_turn_receive(r, m);
    case VV_TAG_QUIET: return vv_stuck_receive(r, m);
    case VV_TAG_SIZES:
        vv_buf_bytes(&r->sizes, m->data, (size_t)m->size);
        r->sizes_in++;
        return VV_OK;
    case VV_TAG_PLACES:
        r->places = m->data;
        m->data = NULL;
        return VV_OK;
    default: return vv_fail(VV_ERR_INTERNAL, "an unexpected message (tag %d) from rank %d", (int)m->tag, m->from);
    }
}

vv_status vv_run_signal(const vv_run *r)
{
    int number = r->hooks->signalled ? r->hooks->signalled(r->hooks->context) : 0;
    if (!number || atomic_load(&r->cancelled)) return VV_OK;
    return number == 2 ? vv_fail(VV_ERR_INTERRUPTED, "interrupted")
                       : vv_fail(VV_ERR_TERMINATED, "terminated by a signal");
}

bool vv_run_throttled(const vv_run *r)
{
    return atomic_load(&r->queued) + atomic_load(&r->flying) > VV_FLIGHT;
}

bool vv_run_jams(const vv_run *r, vv_bytes more)
{
    vv_bytes there = atomic_load(&r->queued) + atomic_load(&r->flying);
    return there > 0 && there + more > 2 * VV_FLIGHT;
}

bool vv_run_jammed(const vv_run *r)
{
    return vv_run_jams(r, 0);
}

/* Threads that were held back by what is under way go on when it has landed. */
static void note_flying(vv_run *r)
{
    bool before = vv_run_throttled(r);
    atomic_store(&r->flying, r->net->sending_bytes);
    if (before && !vv_run_throttled(r)) vv_agenda_wake(r->agenda);
}

vv_status vv_run_progress(vv_run *r, bool *moved)
{
    *moved = false;
    VV_TRY(vv_run_signal(r));
    VV_TRY(send_letters(r, moved));
    for (bool got = true; got && !atomic_load(&r->cancelled);) {
        vv_message m;
        VV_TRY(vv_net_receive(r->net, &m, &got));
        if (!got) break;
        *moved = true;
        vv_status status = dispatch(r, &m);
        vv_mem_put(&m.data);
        VV_TRY(status);
    }
    note_flying(r);
    if (r->late > 0 && !r->draining) VV_TRY(vv_push_late(r));
    VV_TRY(vv_act_look(r));
    VV_TRY(vv_stuck_look(r));
    vv_save_look(r);
    return report_progress(r);
}

vv_status vv_run_wait(vv_run *r, vv_backoff *b)
{
    bool moved;
    VV_TRY(vv_run_progress(r, &moved));
    if (atomic_load(&r->cancelled)) return vv_fail(VV_ERR_CANCELLED, "stopped");
    if (moved)
        vv_backoff_reset(b);
    else
        vv_backoff_wait(b);
    return VV_OK;
}
