/* Delayed calls become tasks: inputs first, each once. */
#include "session/delayed/delayed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- an order --- */

typedef struct walk {
    vv_delayed **order, **stack;
    const char **at; /* of the stack's nodes: which inputs are left */
    int64_t n, depth;
} walk;

/* The calls on the stack from d on, which is among its own inputs. */
static vv_status cycle(const walk *w, const vv_delayed *d)
{
    enum { SHOWN = 8 };
    char name[64], text[512];
    int64_t from = w->depth - 1;
    int used = 0;
    while (w->stack[from] != d) from--;
    for (int64_t i = from; i < w->depth && i < from + SHOWN && used < (int)sizeof text; i++)
        used += snprintf(text + used, sizeof text - (size_t)used, "%s <- ",
                         vv_delayed_name(w->stack[i], name, sizeof name));
    return vv_fail(VV_ERR_USAGE, "delayed calls that wait for each other: %s%s%s", text,
                   w->depth - from > SHOWN ? "... <- " : "", vv_delayed_name(d, name, sizeof name));
}

static vv_status enter(walk *w, vv_delayed *d)
{
    if (d->seen == 1) return cycle(w, d);
    if (d->seen == 2) return VV_OK;
    VV_TRY(vv_delayed_status(d));
    d->seen = 1;
    w->at[w->depth] = NULL;
    w->stack[w->depth++] = d;
    return VV_OK;
}

/* Depth first, so that what is begun together ends together, and little is held at a time. */
static vv_status visit(walk *w, vv_delayed *d)
{
    VV_TRY(enter(w, d));
    while (w->depth > 0) {
        vv_delayed *top = w->stack[w->depth - 1];
        int64_t number;
        if (vv_delayed_next(top, &w->at[w->depth - 1], &number)) {
            VV_TRY(enter(w, vv_delayed_of(top->session, number)));
            continue;
        }
        top->seen = 2;
        w->order[w->n++] = top;
        w->depth--;
    }
    return VV_OK;
}

static vv_status walk_open(walk *w, int64_t most)
{
    VV_TRY(vv_new(&w->order, (size_t)most, sizeof(vv_delayed *)));
    VV_TRY(vv_new(&w->stack, (size_t)most, sizeof(vv_delayed *)));
    return vv_new(&w->at, (size_t)most, sizeof(char *));
}

static vv_status check(vv_delayed *const d[], int n)
{
    for (int i = 0; i < n; i++) {
        if (!d[i]) return vv_fail(VV_ERR_USAGE, "delayed call %d is NULL", i);
        VV_TRY(vv_delayed_status(d[i]));
    }
    return VV_OK;
}

vv_status vv_delayed_order(vv_delayed *const d[], int n, vv_delayed ***order, int64_t *count)
{
    walk w = {0};
    *order = NULL;
    *count = 0;
    VV_TRY(check(d, n));
    if (n == 0) return VV_OK;
    vv_status status = walk_open(&w, d[0]->session->calls->alive + 1);
    for (int i = 0; i < n && status == VV_OK; i++) status = visit(&w, d[i]);
    for (int64_t i = 0; i < w.n; i++) w.order[i]->seen = 0;
    for (int64_t i = 0; i < w.depth; i++) w.stack[i]->seen = 0;
    free(w.stack);
    free(w.at);
    if (status != VV_OK) {
        free(w.order);
        return status;
    }
    *order = w.order;
    *count = w.n;
    return VV_OK;
}

/* --- submitting --- */

bool vv_delayed_has_future(const vv_session *s, const vv_delayed *d)
{
    const vv_entry *e = d->future && s->desk ? vv_desk_find(s->desk, d->future) : NULL;
    return e && e->state != VV_ENTRY_FAILED && e->state != VV_ENTRY_CANCELLED;
}

/* Packed arguments with futures in the place of calls. */
static vv_status name_futures(const vv_delayed *d, vv_buf *out)
{
    vv_buf_bytes(out, d->args.data ? d->args.data : "", d->args.size);
    VV_TRY(vv_buf_status(out));
    const char *at = NULL;
    for (int64_t number; vv_delayed_next(d, &at, &number);) {
        vv_packed_arg a = {.kind = VV_ARG_FUTURE, .rank = -1, .x = vv_delayed_of(d->session, number)->future};
        memcpy(out->data + (at - d->args.data) - sizeof a, &a, sizeof a);
    }
    return VV_OK;
}

static vv_status submit_call(vv_desk *desk, const vv_delayed *d, vv_entry **out)
{
    vv_buf args = {0};
    vv_run_head head = d->head;
    VV_TRY(vv_desk_function_number(desk, d->call, &head.function));
    vv_status status = name_futures(d, &args);
    if (status == VV_OK) status = vv_desk_submit_packed(desk, &head, args.data, (vv_bytes)args.size, &d->options, out);
    vv_buf_free(&args);
    return status;
}

static vv_status submit(vv_desk *desk, vv_delayed *d)
{
    vv_entry *e = NULL;
    vv_status status = d->offer ? vv_chunk_submit(desk, d, &e) : submit_call(desk, d, &e);
    d->future = e ? e->id : 0;
    return status;
}

/* Calls that somebody still waits for: what has a future needs no inputs. */
static void mark_wanted(const vv_session *s, vv_delayed *const d[], int n, vv_delayed *const order[], int64_t count)
{
    for (int64_t i = 0; i < count; i++) order[i]->wanted = false;
    for (int i = 0; i < n; i++) d[i]->wanted = true;
    for (int64_t i = count - 1; i >= 0; i--) {
        const char *at = NULL;
        if (!order[i]->wanted || vv_delayed_has_future(s, order[i])) continue;
        for (int64_t number; vv_delayed_next(order[i], &at, &number);) vv_delayed_of(s, number)->wanted = true;
    }
}

static vv_status submit_all(vv_session *s, vv_delayed *const order[], int64_t count)
{
    enum { TOGETHER = 256 };
    vv_status status = VV_OK;
    for (int64_t i = 0; i < count; i++) {
        bool moved = false;
        order[i]->wanted = order[i]->wanted && status == VV_OK && !vv_delayed_has_future(s, order[i]);
        if (!order[i]->wanted) continue;
        status = submit(s->desk, order[i]);
        order[i]->wanted = status == VV_OK; /* from here on: it was submitted now, and is let go of when all are */
        if (status == VV_OK && i % TOGETHER == TOGETHER - 1) status = vv_desk_turn(s->desk, &moved);
    }
    return status;
}

vv_status vv_delayed_missing(vv_session *s, vv_delayed *const d[], int n, vv_offer *list[], int *missing)
{
    vv_delayed **order;
    int64_t count;
    *missing = 0;
    if (n == 0 || !s->offers) return VV_OK;
    VV_TRY(vv_delayed_order(d, n, &order, &count));
    mark_wanted(s, d, n, order, count);
    for (int64_t i = 0; i < count; i++) {
        if (order[i]->wanted && order[i]->offer && !vv_delayed_has_future(s, order[i])) order[i]->offer->wanted = true;
        order[i]->wanted = false;
    }
    free(order);
    return vv_offers_missing(s, list, missing);
}

/* Those that were submitted belong to what needs them, of the rest of the computation too. */
static vv_status let_go(vv_session *s, vv_delayed *const order[], int64_t count)
{
    vv_status status = s->computation.depth > 1 ? vv_computation_mark_needed(s) : VV_OK;
    for (int64_t i = 0; i < count; i++) {
        vv_delayed *d = order[i];
        bool keep = d->wanted && d->needed && status == VV_OK;
        if (keep) status = vv_computation_hold(s, d->future);
        if (d->wanted && !(keep && status == VV_OK)) vv_entry_release(s->desk, vv_desk_find(s->desk, d->future));
        d->wanted = d->needed = false;
    }
    return status;
}

vv_status vv_calls_submit(vv_session *s, vv_delayed *const d[], int n, vv_future out[])
{
    vv_delayed **order;
    vv_desk *desk;
    int64_t count;
    bool moved = false;
    for (int i = 0; i < n; i++) out[i] = (vv_future){0};
    VV_TRY(vv_tasks_desk(s, &desk));
    VV_TRY(vv_delayed_order(d, n, &order, &count));
    mark_wanted(s, d, n, order, count);
    vv_status status = submit_all(s, order, count);
    for (int i = 0; i < n && status == VV_OK; i++) {
        vv_desk_find(desk, d[i]->future)->refs++;
        out[i].id = d[i]->future;
    }
    vv_status then = let_go(s, order, count);
    if (status == VV_OK) status = then;
    if (status == VV_OK) status = vv_desk_turn(desk, &moved);
    if (status != VV_OK) vv_future_release(s, out, n);
    free(order);
    return status;
}

vv_status vv_delayed_submit(vv_delayed *const d[], int n, vv_future out[])
{
    vv_lent none = {0};
    for (int i = 0; i < n; i++) out[i] = (vv_future){0};
    if (n == 0) return VV_OK;
    VV_TRY(check(d, n));
    vv_session *s = d[0]->session;
    vv_computation_begin(s, &(vv_computation){.call = d, .n_calls = n});
    vv_status status = vv_calls_hold_inputs(s, NULL, 0, d, n, &none);
    if (status == VV_OK) status = vv_calls_submit(s, d, n, out);
    vv_computation_end(s);
    return status;
}

/* --- one result --- */

vv_status vv_delayed_i64(vv_delayed *d, int64_t *out)
{
    vv_future f;
    VV_TRY(vv_delayed_submit(&d, 1, &f));
    vv_status status = vv_gather_i64(d->session, f, out);
    vv_future_release(d->session, &f, 1);
    return status;
}

vv_status vv_delayed_f64(vv_delayed *d, double *out)
{
    vv_future f;
    VV_TRY(vv_delayed_submit(&d, 1, &f));
    vv_status status = vv_gather_f64(d->session, f, out);
    vv_future_release(d->session, &f, 1);
    return status;
}

vv_status vv_delayed_bytes(vv_delayed *d, void **data, vv_bytes *size)
{
    vv_future f;
    VV_TRY(vv_delayed_submit(&d, 1, &f));
    vv_status status = vv_gather_new(d->session, f, data, size);
    vv_future_release(d->session, &f, 1);
    return status;
}
