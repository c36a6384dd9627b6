/* varve/futures.h: the driver's view of the desk. */
#include "varve/futures.h"

#include "session/tasks.h"

#include <stdlib.h>
#include <string.h>

/* --- submitting --- */

/* Ranks without work get it at once; else some wait for each other to go in one message, if they take little time: nobody knows when the driver will be back. */
static vv_status push_on(vv_desk *d, const vv_entry *e)
{
    enum { TOGETHER = 64 };
    static const double little = 200e-6;
    bool moved = false;
    d->unsent++;
    if (e->spec) d->unsent_seconds += d->function[e->spec->head.function].seconds;
    if (d->telling) return VV_OK; /* a callback: the turn goes on */
    if (d->unsent < TOGETHER && d->unsent_seconds < little && d->stats.alive > d->ranks * d->threads) return VV_OK;
    return vv_desk_turn(d, &moved);
}

static vv_desk_options options_of(const vv_submit_options *o)
{
    static const vv_submit_options none = VV_SUBMIT_OPTIONS_INIT;
    if (!o) o = &none;
    return (vv_desk_options){o->priority, o->rank, o->pinned, o->retries, o->timeout};
}

vv_status vv_submit(vv_session *s, vv_task_function *f, const vv_arg args[], int n, const vv_submit_options *options,
                    vv_future *out)
{
    vv_desk *d;
    vv_entry *e;
    vv_desk_options o = options_of(options);
    *out = (vv_future){0};
    VV_TRY(vv_tasks_desk(s, &d));
    VV_TRY(vv_desk_submit(d, f, args, n, &o, &e));
    out->id = e->id;
    return push_on(d, e);
}

vv_status vv_submit_map(vv_session *s, vv_task_function *f, const void *items, vv_bytes each, vv_index n,
                        const vv_arg args[], int n_args, const vv_submit_options *options, vv_future out[])
{
    vv_arg *all;
    vv_status status = VV_OK;
    for (vv_index i = 0; i < n; i++) out[i] = (vv_future){0};
    VV_TRY(vv_new(&all, (size_t)n_args + 1, sizeof *all));
    if (n_args > 0) memcpy(all + 1, args, sizeof *all * (size_t)n_args);
    for (vv_index i = 0; i < n && status == VV_OK; i++) {
        all[0] = vv_buffer((const char *)items + i * each, each);
        status = vv_submit(s, f, all, n_args + 1, options, &out[i]);
    }
    free(all);
    return status;
}

vv_status vv_scatter(vv_session *s, const void *data, vv_bytes size, int rank, vv_future *out)
{
    vv_desk *d;
    vv_entry *e;
    *out = (vv_future){0};
    if (rank < VV_EVERYWHERE) return vv_fail(VV_ERR_USAGE, "data cannot be scattered to rank %d", rank);
    VV_TRY(vv_tasks_desk(s, &d));
    VV_TRY(vv_desk_scatter(d, data, size, rank, rank == VV_EVERYWHERE, &e));
    out->id = e->id;
    return push_on(d, e);
}

/* --- looking --- */

static vv_status find(vv_session *s, vv_future f, vv_desk **d, vv_entry **e)
{
    *d = s->desk;
    *e = s->desk ? vv_desk_find(s->desk, f.id) : NULL;
    if (*e) return VV_OK;
    return vv_fail(VV_ERR_USAGE,
                   f.id ? "there is no such future any more: it was released" : "a future that is none: {0}");
}

/* What has come by now. */
static void look(vv_session *s)
{
    bool moved = false;
    if (s->desk && vv_desk_turn(s->desk, &moved) != VV_OK) vv_error_clear(); /* entries tell it */
}

vv_future_state vv_future_status(vv_session *s, vv_future f)
{
    static const vv_future_state state[] = {VV_FUTURE_PENDING,  VV_FUTURE_PENDING, VV_FUTURE_SENT,     VV_FUTURE_SENT,
                                            VV_FUTURE_FINISHED, VV_FUTURE_FAILED,  VV_FUTURE_CANCELLED};
    look(s);
    const vv_entry *e = s->desk ? vv_desk_find(s->desk, f.id) : NULL;
    return e ? state[e->state] : VV_FUTURE_UNKNOWN;
}

int vv_future_rank(vv_session *s, vv_future f)
{
    look(s);
    vv_entry *e = s->desk ? vv_desk_find(s->desk, f.id) : NULL;
    return e && e->state >= VV_ENTRY_SENT && e->state <= VV_ENTRY_FINISHED ? vv_entry_source(e)->rank : -1;
}

/* --- waiting --- */

/* A moment of waiting, a look at least; false when the time is over. until: 0 for ever. */
static vv_status wait_on(vv_desk *d, double until, bool *in_time)
{
    double left = until > 0 ? until - vv_now() : 1;
    *in_time = left > 0;
    if (vv_signals_seen(NULL)) return vv_fail(VV_ERR_INTERRUPTED, "interrupted");
    bool moved = false;
    return *in_time ? vv_desk_step(d, left) : vv_desk_turn(d, &moved);
}

static double time_until(double seconds)
{
    return seconds < 0 ? 0 : vv_now() + seconds;
}

/* The first of f[from ..] that has not ended; n when all have. */
static vv_status first_open(vv_session *s, const vv_future f[], vv_index n, vv_index *from)
{
    for (; *from < n; ++*from) {
        vv_desk *d;
        vv_entry *e;
        VV_TRY(find(s, f[*from], &d, &e));
        if (!vv_entry_ended(e)) return VV_OK;
    }
    return VV_OK;
}

static vv_status count_ended(vv_session *s, const vv_future f[], vv_index n, vv_index *out)
{
    *out = 0;
    for (vv_index i = 0; i < n; i++) {
        vv_desk *d;
        vv_entry *e;
        VV_TRY(find(s, f[i], &d, &e));
        *out += vv_entry_ended(e);
    }
    return VV_OK;
}

vv_status vv_wait_all(vv_session *s, const vv_future f[], vv_index n, double seconds, vv_index *done)
{
    double until = time_until(seconds);
    vv_index at = 0;
    bool in_time = true;
    VV_TRY(first_open(s, f, n, &at));
    while (at < n && in_time) {
        VV_TRY(wait_on(s->desk, until, &in_time));
        VV_TRY(first_open(s, f, n, &at));
    }
    return done ? count_ended(s, f, n, done) : VV_OK;
}

static void note_ended(void *context, int64_t id)
{
    (void)id;
    *(bool *)context = true;
}

vv_status vv_wait_any(vv_session *s, const vv_future f[], vv_index n, double seconds, vv_index *done)
{
    double until = time_until(seconds);
    bool any = n == 0, in_time = true;
    vv_status status = VV_OK;
    vv_index watched = 0;
    for (; watched < n && status == VV_OK; watched++) {
        vv_desk *d;
        vv_entry *e;
        status = find(s, f[watched], &d, &e);
        if (status == VV_OK) status = vv_entry_watch(d, e, note_ended, &any);
    }
    while (status == VV_OK && !any && in_time) status = wait_on(s->desk, until, &in_time);
    for (vv_index i = 0; i < watched; i++) {
        vv_entry *e = vv_desk_find(s->desk, f[i].id);
        if (e) vv_entry_unwatch(e, &any);
    }
    VV_TRY(status);
    return done ? count_ended(s, f, n, done) : VV_OK;
}

/* --- gathering --- */

static vv_status tell_failure(const vv_entry *e)
{
    if (e->state == VV_ENTRY_CANCELLED)
        return vv_fail(VV_ERR_CANCELLED, "the future was cancelled, or needs one that was");
    vv_failure f = {.code = e->value.blame->code, .rank = e->value.blame->rank};
    strncpy(f.text, e->value.blame->text, sizeof f.text - 1);
    vv_error_set(&f);
    return f.code;
}

/* The entry that has the value, ended well. */
static vv_status finished(vv_session *s, vv_future f, vv_desk **d, vv_entry **out)
{
    bool in_time;
    VV_TRY(find(s, f, d, out));
    while (!vv_entry_ended(*out)) VV_TRY(wait_on(*d, 0, &in_time));
    if ((*out)->state != VV_ENTRY_FINISHED) return tell_failure(*out);
    *out = vv_entry_source(*out);
    return VV_OK;
}

static vv_kept *kept(vv_desk *d, int64_t id)
{
    pthread_mutex_lock(&d->host->lock);
    vv_kept *k = vv_shelf_find(&d->host->values, id);
    pthread_mutex_unlock(&d->host->lock);
    return k;
}

/* A large value to rank 0, unless it is there. */
static vv_status ask(vv_desk *d, const vv_entry *e)
{
    return e->large && e->rank != d->net->rank && !kept(d, e->id) ? vv_host_ask(d->host, e->id, e->rank) : VV_OK;
}

static bool copied_here(const vv_desk *d, const vv_entry *e)
{
    bool here = e->rank == d->net->rank;
    for (int i = 0; e->copies && i < e->copies->n; i++) here |= e->copies->rank[i] == d->net->rank;
    return here;
}

/* Of a large value, into a buffer. What came for the driver alone is not kept here. */
static vv_status copy_large(vv_desk *d, const vv_entry *e, void *buffer)
{
    bool in_time;
    VV_TRY(ask(d, e));
    while (!kept(d, e->id)) VV_TRY(wait_on(d, 0, &in_time));
    pthread_mutex_lock(&d->host->lock);
    vv_kept *k = vv_shelf_find(&d->host->values, e->id);
    vv_status status = vv_shelf_pin(&d->host->values, k);
    if (status == VV_OK) {
        memcpy(buffer, k->data, (size_t)k->size);
        vv_shelf_unpin(k);
    }
    if (!copied_here(d, e)) {
        vv_shelf_drop(&d->host->values, e->id);
        d->stats.received += e->size;
    }
    pthread_mutex_unlock(&d->host->lock);
    return status;
}

static vv_status copy(vv_desk *d, const vv_entry *e, void *buffer)
{
    if (e->large) return copy_large(d, e, buffer);
    if (e->size) memcpy(buffer, e->kind == VV_ARG_BYTES ? e->value.data : &e->value, (size_t)e->size);
    return VV_OK;
}

static vv_status wrong_kind(const vv_entry *e, const char *wanted)
{
    if (e->kind == VV_ARG_BYTES)
        return vv_fail(VV_ERR_TYPE, "the result is %lld bytes, not %s", (long long)e->size, wanted);
    return vv_fail(VV_ERR_TYPE, "the result is %s, not %s", e->kind == VV_ARG_I64 ? "an integer" : "a real number",
                   wanted);
}

vv_status vv_gather_i64(vv_session *s, vv_future f, int64_t *out)
{
    vv_desk *d;
    vv_entry *e;
    VV_TRY(finished(s, f, &d, &e));
    if (e->kind != VV_ARG_I64) return wrong_kind(e, "an integer");
    *out = e->value.i;
    return VV_OK;
}

vv_status vv_gather_f64(vv_session *s, vv_future f, double *out)
{
    vv_desk *d;
    vv_entry *e;
    VV_TRY(finished(s, f, &d, &e));
    if (e->kind != VV_ARG_F64 && e->kind != VV_ARG_I64) return wrong_kind(e, "a number");
    *out = e->kind == VV_ARG_F64 ? e->value.f : (double)e->value.i;
    return VV_OK;
}

vv_status vv_gather(vv_session *s, vv_future f, void *buffer, vv_bytes room, vv_bytes *size)
{
    vv_desk *d;
    vv_entry *e;
    VV_TRY(finished(s, f, &d, &e));
    if (size) *size = e->size;
    if (e->size > room)
        return vv_fail(VV_ERR_USAGE, "the result has %lld bytes, the buffer %lld", (long long)e->size, (long long)room);
    return copy(d, e, buffer);
}

vv_status vv_gather_new(vv_session *s, vv_future f, void **data, vv_bytes *size)
{
    vv_desk *d;
    vv_entry *e;
    *data = NULL;
    VV_TRY(finished(s, f, &d, &e));
    if (size) *size = e->size;
    VV_TRY(vv_new(data, 1, (size_t)vv_imax(1, e->size)));
    vv_status status = copy(d, e, *data);
    if (status == VV_OK) return VV_OK;
    free(*data);
    *data = NULL;
    return status;
}

vv_status vv_gather_all(vv_session *s, const vv_future f[], vv_index n, void *buffer, vv_bytes each)
{
    enum { AHEAD = 8 }; /* values asked for before the first is copied */
    VV_TRY(vv_wait_all(s, f, n, -1, NULL));
    for (vv_index i = 0, asked = 0; i < n; i++) {
        vv_desk *d;
        vv_entry *e;
        for (; asked < vv_imin(n, i + AHEAD); asked++) {
            VV_TRY(finished(s, f[asked], &d, &e));
            VV_TRY(ask(d, e));
        }
        VV_TRY(finished(s, f[i], &d, &e));
        if (e->size != each)
            return vv_fail(VV_ERR_USAGE, "result %lld has %lld bytes, not %lld", (long long)i, (long long)e->size,
                           (long long)each);
        VV_TRY(copy(d, e, (char *)buffer + i * each));
    }
    return VV_OK;
}

/* --- giving up --- */

vv_status vv_cancel(vv_session *s, const vv_future f[], vv_index n)
{
    for (vv_index i = 0; i < n; i++) {
        vv_desk *d;
        vv_entry *e;
        VV_TRY(find(s, f[i], &d, &e));
        vv_desk_cancel(d, e);
    }
    look(s);
    return VV_OK;
}

void vv_future_release(vv_session *s, vv_future f[], vv_index n)
{
    for (vv_index i = 0; i < n; i++) {
        vv_entry *e = s->desk ? vv_desk_find(s->desk, f[i].id) : NULL;
        if (e) vv_entry_release(s->desk, e);
        f[i] = (vv_future){0};
    }
}

/* --- being told --- */

typedef struct callback {
    vv_session *session;
    vv_future_callback *call;
    void *context;
} callback;

static void call_back(void *context, int64_t id)
{
    callback c = *(callback *)context;
    free(context);
    c.call(c.session, (vv_future){id}, c.context);
}

vv_status vv_future_then(vv_session *s, vv_future f, vv_future_callback *call, void *context)
{
    vv_desk *d;
    vv_entry *e;
    callback *c;
    VV_TRY(find(s, f, &d, &e));
    VV_TRY(vv_new(&c, 1, sizeof *c));
    *c = (callback){s, call, context};
    vv_status status = vv_entry_watch(d, e, call_back, c);
    if (status != VV_OK) free(c);
    return status;
}

struct vv_completed {
    vv_session *session;
    int64_t *done; /* a ring of those that have ended and were not told */
    vv_index first, n, room;
    vv_index waiting;
    vv_failure failure;
};

static void note_completed(void *context, int64_t id)
{
    vv_completed *c = context;
    c->waiting--;
    c->done[(c->first + c->n++) % c->room] = id;
}

/* Room for all that wait, so that being told cannot fail. */
static vv_status make_room(vv_completed *c, vv_index more)
{
    vv_index need = c->n + c->waiting + more, room = c->room;
    int64_t *done;
    if (need <= room) return VV_OK;
    room = 2 * need;
    VV_TRY(vv_new(&done, (size_t)room, sizeof *done));
    for (vv_index i = 0; i < c->n; i++) done[i] = c->done[(c->first + i) % c->room];
    free(c->done);
    c->done = done;
    c->first = 0;
    c->room = room;
    return VV_OK;
}

vv_status vv_completed_add(vv_completed *c, const vv_future f[], vv_index n)
{
    VV_TRY(make_room(c, n));
    for (vv_index i = 0; i < n; i++) {
        vv_desk *d;
        vv_entry *e;
        VV_TRY(find(c->session, f[i], &d, &e));
        c->waiting++;
        vv_status status = vv_entry_watch(d, e, note_completed, c);
        c->waiting -= status != VV_OK;
        VV_TRY(status);
    }
    return VV_OK;
}

vv_status vv_completed_new(vv_session *s, const vv_future f[], vv_index n, vv_completed **out)
{
    VV_TRY(vv_new(out, 1, sizeof **out));
    (*out)->session = s;
    vv_status status = vv_completed_add(*out, f, n);
    if (status != VV_OK) vv_completed_free(out);
    return status;
}

bool vv_completed_next(vv_completed *c, double seconds, vv_future *out)
{
    double until = time_until(seconds);
    bool in_time = true;
    *out = (vv_future){0};
    while (c->n == 0 && c->waiting > 0 && in_time)
        if (wait_on(c->session->desk, until, &in_time) != VV_OK && c->n == 0) {
            vv_error_get(&c->failure);
            return false;
        }
    if (c->n == 0) return false;
    out->id = c->done[c->first];
    c->first = (c->first + 1) % c->room;
    c->n--;
    return true;
}

vv_index vv_completed_left(const vv_completed *c)
{
    return c->n + c->waiting;
}

vv_status vv_completed_status(const vv_completed *c)
{
    if (c->failure.code != VV_OK) vv_error_set(&c->failure);
    return c->failure.code;
}

/* Futures that it still waits for must not tell it any more. */
static void unwatch_all(vv_completed *c)
{
    vv_desk *d = c->session->desk;
    for (int i = 0; d && c->waiting > 0 && i < d->n_slabs; i++)
        for (int k = 0; k < VV_ENTRY_SLAB; k++) vv_entry_unwatch(&d->slab[i][k], c);
}

void vv_completed_free(vv_completed **c)
{
    if (!*c) return;
    unwatch_all(*c);
    free((*c)->done);
    free(*c);
    *c = NULL;
}

/* --- all of them --- */

void vv_futures_get_stats(vv_session *s, vv_futures_stats *out)
{
    look(s);
    *out = (vv_futures_stats){0};
    if (!s->desk) return;
    const vv_desk_stats *t = &s->desk->stats;
    *out = (vv_futures_stats){t->submitted, t->finished, t->failed,  t->cancelled, t->retried,
                              t->taken,     t->alive,    t->seconds, t->results,   t->received};
}

vv_status vv_futures_end(vv_session *s)
{
    return vv_tasks_end(s);
}
