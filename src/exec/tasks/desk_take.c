/* What hosts say, and the desk's turns. */
#include "exec/tasks/desk.h"

#include <stdlib.h>
#include <string.h>

/* --- a task has ended --- */

/* The rank has one less; what its function takes is learnt. */
static void leave(vv_desk *d, vv_entry *e, int from, double seconds, bool ran)
{
    static const double weight = 0.1;
    vv_seat *s = &d->seat[from];
    vv_seat_ahead(d, from, -1);
    s->seconds = s->ahead > 0 ? s->seconds - (double)e->expected : 0;
    s->bytes = s->ahead > 0 ? vv_imax(0, s->bytes - e->size) : 0;
    d->full = false;
    if (!ran || !e->spec) return;
    vv_desk_function *f = &d->function[e->spec->head.function];
    f->seconds += (seconds - f->seconds) * weight;
    d->stats.seconds += seconds;
}

static vv_status keep_small(vv_entry *e, const vv_record *r, const void *body)
{
    e->kind = (uint8_t)r->a;
    e->size = r->size;
    if (e->kind != VV_ARG_BYTES) {
        memcpy(&e->value, body, sizeof e->value.i);
        return VV_OK;
    }
    e->value.data = NULL;
    if (r->size == 0) return VV_OK;
    e->value.data = malloc((size_t)r->size);
    if (!e->value.data) return vv_fail(VV_ERR_NOMEM, "no memory for the result of a task");
    memcpy(e->value.data, body, (size_t)r->size);
    return VV_OK;
}

static void keep_large(vv_desk *d, vv_entry *e, const vv_record *r, const void *body)
{
    e->kind = (uint8_t)(r->a - VV_ARG_KINDS);
    e->large = true;
    memcpy(&e->size, body, sizeof e->size);
    d->stats.results += e->size;
}

/* Scattered data has come to another rank. */
static void arrived(vv_desk *d, vv_entry *e)
{
    if (--e->waiting == 0) vv_entry_end(d, e, VV_ENTRY_FINISHED);
}

/* Of one that was cancelled meanwhile nothing is kept. */
static void forget(vv_desk *d, vv_entry *e, int from, bool large)
{
    if (large) vv_wire_say(&d->host->wire, from, &(vv_record){.say = VV_SAY_DROP, .id = e->id}, NULL);
    vv_entry_release(d, e);
}

static vv_status did(vv_desk *d, vv_entry *e, int from, const vv_record *r, const void *body)
{
    bool large = r->a >= VV_ARG_KINDS;
    if (!e->spec && e->state == VV_ENTRY_SENT) {
        arrived(d, e);
        return VV_OK;
    }
    leave(d, e, from, r->x, true);
    if (e->state != VV_ENTRY_SENT) {
        forget(d, e, from, large);
        return VV_OK;
    }
    if (large)
        keep_large(d, e, r, body);
    else
        VV_TRY(keep_small(e, r, body));
    vv_entry_end(d, e, VV_ENTRY_FINISHED);
    return VV_OK;
}

static vv_status again(vv_desk *d, vv_entry *e)
{
    e->spec->retries--;
    e->spec->head.attempt++;
    if (!e->spec->head.pinned) e->rank = -1;
    d->stats.retried++;
    return vv_entry_ready(d, e);
}

static vv_status failed(vv_desk *d, vv_entry *e, int from, const vv_record *r, const void *body)
{
    vv_failure f = {0};
    memcpy(&f, body, (size_t)vv_imin(r->size, (vv_bytes)sizeof f));
    leave(d, e, from, r->x, true);
    if (e->state != VV_ENTRY_SENT) {
        forget(d, e, from, false);
        return VV_OK;
    }
    if (e->spec->retries > 0) return again(d, e);
    f.text[VV_ERROR_TEXT - 1] = 0;
    vv_entry_fail(d, e, f.code, from, f.text);
    return VV_OK;
}

static vv_status back(vv_desk *d, vv_entry *e, int from)
{
    leave(d, e, from, 0, false);
    if (e->state != VV_ENTRY_SENT) {
        forget(d, e, from, false);
        return VV_OK;
    }
    if (!e->spec->head.pinned) e->rank = -1;
    d->stats.taken++;
    return vv_entry_ready(d, e);
}

/* --- tasks that tasks submit --- */

static vv_status remember(vv_desk *d, vv_entry *e)
{
    VV_TRY(vv_grow(&d->made, d->n_made, sizeof *d->made, "tasks"));
    d->made[d->n_made++] = e;
    return VV_OK;
}

/* Futures by their numbers here instead of those that the task has for them. */
static vv_status rename_futures(const vv_desk *d, char *at, const char *end)
{
    while (at < end) {
        vv_packed_arg a;
        memcpy(&a, at, sizeof a);
        if (a.kind == VV_ARG_FUTURE) {
            if (a.x >= 0 || -a.x > d->n_made)
                return vv_fail(VV_ERR_INTERNAL, "a task names a future that it has not made");
            a.x = d->made[-a.x - 1]->id;
            memcpy(at, &a, sizeof a);
        }
        at += sizeof a + (size_t)(a.kind == VV_ARG_BYTES ? vv_wire_padded(a.x) : 0);
    }
    return VV_OK;
}

static vv_status submitted(vv_desk *d, const vv_record *r, const void *body)
{
    vv_run_head head;
    vv_entry *e;
    const char *at = (const char *)body + sizeof head, *end = (const char *)body + r->size;
    memcpy(&head, body, sizeof head);
    if (head.function < 0) {
        vv_symbol s;
        memcpy(&s, at, sizeof s);
        s.module = (char *)at + sizeof s;
        at += vv_wire_padded((vv_bytes)(sizeof s + strlen(s.module) + 1));
        VV_TRY(vv_desk_symbol_number(d, &s, &head.function));
    }
    VV_TRY(rename_futures(d, (char *)at, end));
    VV_TRY(vv_desk_submit_packed(d, &head, at, end - at, &(vv_desk_options){.rank = -1}, &e));
    return remember(d, e);
}

/* Its result is that of another one, which it holds from here on. */
static void becomes(vv_desk *d, vv_entry *e, int from, const vv_record *r, const void *body)
{
    int64_t number;
    memcpy(&number, body, sizeof number);
    vv_entry *leader = number < 0 && -number <= d->n_made ? d->made[-number - 1] : NULL;
    leave(d, e, from, r->x, true);
    if (e->state != VV_ENTRY_SENT) {
        forget(d, e, from, false);
    } else if (!leader) {
        vv_entry_fail(d, e, VV_ERR_INTERNAL, from, "a task returns a future that is not there");
    } else if (vv_desk_follow(d, e, leader) != VV_OK) {
        vv_entry_fail(d, e, VV_ERR_NOMEM, 0, vv_last_error());
    }
}

/* The futures that a task has made are its own until it has ended. */
static void release_made(vv_desk *d)
{
    while (d->n_made > 0) vv_entry_release(d, d->made[--d->n_made]);
}

/* --- records --- */

static vv_status take_outcome(vv_desk *d, int from, const vv_record *r, const void *body)
{
    vv_entry *e = vv_desk_find(d, r->id);
    vv_status status = VV_OK;
    if (!e) return vv_fail(VV_ERR_INTERNAL, "rank %d speaks of a task that does not exist", from);
    switch ((vv_saying)r->say) {
    case VV_SAY_DID:
        release_made(d);
        status = did(d, e, from, r, body);
        break;
    case VV_SAY_FAILED: status = failed(d, e, from, r, body); break;
    case VV_SAY_BACK: status = back(d, e, from); break;
    default: becomes(d, e, from, r, body); release_made(d);
    }
    return status;
}

static vv_status broken(int from, const void *body, vv_bytes size)
{
    vv_failure f = {0};
    memcpy(&f, body, (size_t)vv_imin(size, (vv_bytes)sizeof f));
    f.text[VV_ERROR_TEXT - 1] = 0;
    return vv_fail(f.code, "tasks cannot go on: rank %d: %s", from, f.text);
}

vv_status vv_desk_take(void *desk, int from, const vv_record *r, const void *body)
{
    vv_desk *d = desk;
    switch ((vv_saying)r->say) {
    case VV_SAY_DID:
    case VV_SAY_FAILED:
    case VV_SAY_BACK:
    case VV_SAY_BECOMES: return take_outcome(d, from, r, body);
    case VV_SAY_SUBMIT: return submitted(d, r, body);
    case VV_SAY_TOOK: d->seat[from].taking = false; return VV_OK;
    case VV_SAY_STOPPED: d->seat[from].stopped = true; return VV_OK;
    case VV_SAY_ENDED: d->seat[from].ended = true; return VV_OK;
    case VV_SAY_BROKEN: return broken(from, body, r->size);
    case VV_SAY_VALUE: /* of a future that was released while it was on its way */
    case VV_SAY_GONE: return VV_OK;
    default: return vv_fail(VV_ERR_INTERNAL, "rank %d says %d, which means nothing", from, (int)r->say);
    }
}

/* --- turns --- */

/* From here on no task ends any more: all have failed. */
static vv_status give_up(vv_desk *d, vv_status status)
{
    if (d->failure.code == VV_OK) vv_error_get(&d->failure);
    for (int i = 0; i < d->n_slabs; i++)
        for (int k = 0; k < VV_ENTRY_SLAB; k++) {
            vv_entry *e = &d->slab[i][k];
            if (e->refs > 0 && !vv_entry_ended(e))
                vv_entry_fail(d, e, d->failure.code, d->failure.rank, d->failure.text);
        }
    vv_error_set(&d->failure);
    return status;
}

static vv_status receive(vv_desk *d, bool *moved)
{
    enum { MOST = 64 };
    bool got = true;
    for (int i = 0; i < MOST && got; i++) {
        vv_message m;
        VV_TRY(vv_net_receive(d->net, &m, &got));
        if (!got) break;
        *moved = true;
        vv_status status = VV_OK;
        if (m.tag == VV_TAG_TASK || m.tag == VV_TAG_VALUE)
            status = vv_host_receive(d->host, &m);
        else
            status = vv_fail(VV_ERR_INTERNAL, "an unexpected message (tag %d) from rank %d", (int)m.tag, m.from);
        vv_mem_put(&m.data);
        VV_TRY(status);
    }
    return VV_OK;
}

/* Ranks that have tasks are expected to say something. */
static vv_status expect(vv_desk *d)
{
    for (int i = 0; i < d->ranks; i++)
        if (d->seat[i].ahead > 0 || d->seat[i].taking) VV_TRY(vv_wire_expect(&d->host->wire, i));
    return VV_OK;
}

static vv_status turn(vv_desk *d, bool *moved)
{
    d->unsent = 0;
    d->unsent_seconds = 0;
    VV_TRY(receive(d, moved));
    VV_TRY(vv_host_turn(d->host, moved));
    VV_TRY(vv_desk_hand_out(d));
    VV_TRY(vv_wire_flush(&d->host->wire, moved));
    return d->host->looks ? expect(d) : VV_OK;
}

vv_status vv_desk_turn(vv_desk *d, bool *moved)
{
    if (d->failure.code != VV_OK) {
        vv_error_set(&d->failure);
        return d->failure.code;
    }
    if (d->paused) {
        d->paused = false;
        for (int i = 0; i < d->ranks; i++) vv_wire_say(&d->host->wire, i, &(vv_record){.say = VV_SAY_RESUME}, NULL);
    }
    vv_status status = turn(d, moved);
    if (*moved) vv_host_wake(d->host);
    return status == VV_OK ? VV_OK : give_up(d, status);
}

vv_status vv_desk_step(vv_desk *d, double limit)
{
    bool moved = false;
    VV_TRY(vv_desk_turn(d, &moved));
    if (!moved) vv_host_rest(d->host, limit);
    return VV_OK;
}

/* --- pause and end --- */

typedef bool seat_test(const vv_seat *s);

static bool has_stopped(const vv_seat *s)
{
    return s->stopped;
}

static bool has_ended(const vv_seat *s)
{
    return s->ended;
}

/* Turns without handing out, until every rank has answered. */
static vv_status await(vv_desk *d, seat_test *test, int (*signalled)(void *))
{
    for (int i = 0; i < d->ranks; i++) {
        while (!test(&d->seat[i])) {
            bool moved = false;
            VV_TRY(receive(d, &moved));
            VV_TRY(vv_host_turn(d->host, &moved));
            VV_TRY(vv_wire_expect(&d->host->wire, i));
            if (signalled && signalled(NULL)) return vv_fail(VV_ERR_INTERRUPTED, "interrupted");
            if (moved)
                vv_host_wake(d->host);
            else
                vv_host_rest(d->host, 1);
        }
    }
    return VV_OK;
}

static vv_status ask_all(vv_desk *d, vv_saying what, seat_test *test, int (*signalled)(void *))
{
    for (int i = 0; i < d->ranks; i++) vv_wire_say(&d->host->wire, i, &(vv_record){.say = what}, NULL);
    vv_status status = await(d, test, signalled);
    if (status != VV_OK && d->failure.code == VV_OK) return give_up(d, status);
    return status;
}

vv_status vv_desk_pause(vv_desk *d, int (*signalled)(void *))
{
    if (d->paused) return VV_OK;
    for (int i = 0; i < d->ranks; i++) d->seat[i].stopped = false;
    d->paused = true;
    return ask_all(d, VV_SAY_PAUSE, has_stopped, signalled);
}

vv_status vv_desk_end(vv_desk *d, int (*signalled)(void *))
{
    VV_TRY(vv_desk_pause(d, signalled)); /* nobody waits for a value from a rank that has ended */
    return ask_all(d, VV_SAY_END, has_ended, signalled);
}
