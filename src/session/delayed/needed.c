/* What a computation needs again.
 *
 * What the driver wants at once - arrays, or results of calls - is one computation, however many plans and submissions it takes: arrays whose chunks calls need are held before the calls run, and may be made of other calls
 * themselves. Most results are let go of as soon as what they were made for has them. One that something later in the same computation needs, too, is held until the end, so that its call runs once:
 *
 *     c  ->  array a  ->  call of a chunk of a and of c  ->  array b          c runs for a; its result stays until b's calls have it */
#include "session/delayed/delayed.h"

#include <stdlib.h>

void vv_computation_begin(vv_session *s, const vv_computation *what)
{
    if (s->computation.depth == 0) s->computation = *what;
    s->computation.depth++;
}

void vv_computation_end(vv_session *s)
{
    vv_computation *c = &s->computation;
    if (--c->depth > 0) return;
    for (int i = 0; i < c->n_held; i++) {
        vv_entry *e = s->desk ? vv_desk_find(s->desk, c->held[i]) : NULL;
        if (e) vv_entry_release(s->desk, e);
    }
    free(c->held);
    *c = (vv_computation){0};
    if (!s->explaining) vv_promises_settle(s);
}

vv_status vv_computation_hold(vv_session *s, int64_t future)
{
    vv_computation *c = &s->computation;
    VV_TRY(vv_grow(&c->held, c->n_held, sizeof *c->held, "results"));
    c->held[c->n_held++] = future;
    return VV_OK;
}

/* --- what is left of it --- */

/* Calls from which all others of the computation are found. */
typedef struct roots {
    vv_delayed **call;
    int n;
} roots;

static vv_status add(roots *r, vv_delayed *const call[], int n)
{
    for (int i = 0; i < n; i++) {
        VV_TRY(vv_grow(&r->call, r->n, sizeof(vv_delayed *), "delayed calls"));
        r->call[r->n++] = call[i];
    }
    return VV_OK;
}

/* Of arrays that are marked and neither held nor just being made; the driver's own calls. */
static vv_status find_roots(const vv_session *s, roots *r)
{
    r->n = 0;
    VV_TRY(add(r, s->computation.call, s->computation.n_calls));
    for (const vv_promise *p = s->promises; p; p = p->next)
        if (p->array->marked && !p->array->held && p->number == 0) VV_TRY(add(r, p->call, p->n));
    return VV_OK;
}

/* Arrays whose chunks are calls, and what they are made of. False when all of that was marked before. */
static bool mark_arrays(const vv_session *s, vv_delayed *const order[], int64_t n)
{
    bool more = false;
    for (int64_t i = 0; i < n; i++) {
        vv_array *a = order[i]->offer ? order[i]->offer->array : NULL;
        if (!a || a->marked) continue;
        a->marked = more = true;
    }
    if (more) vv_arrays_mark_inputs(s);
    return more;
}

/* Of calls that have not run; a chunk is where its array is held. */
static void mark_inputs(vv_delayed *const order[], int64_t n)
{
    for (int64_t i = 0; i < n; i++) order[i]->needed = false;
    for (int64_t i = 0; i < n; i++) {
        const vv_delayed *d = order[i];
        const char *at = NULL;
        if (d->wanted || vv_delayed_has_future(d->session, d)) continue;
        for (int64_t number; vv_delayed_next(d, &at, &number);) {
            vv_delayed *input = vv_delayed_of(d->session, number);
            input->needed = !input->offer;
        }
    }
}

vv_status vv_computation_mark_needed(vv_session *s)
{
    roots r = {0};
    vv_status status = VV_OK;
    vv_arrays_mark(s, s->computation.target, s->computation.n_targets);
    for (bool more = true; more && status == VV_OK;) {
        vv_delayed **order = NULL;
        int64_t n = 0;
        status = find_roots(s, &r);
        if (status == VV_OK) status = vv_delayed_order(r.call, r.n, &order, &n);
        more = status == VV_OK && mark_arrays(s, order, n);
        if (status == VV_OK && !more) mark_inputs(order, n);
        free(order);
    }
    for (int i = 0; i < r.n && status == VV_OK; i++) r.call[i]->needed = !r.call[i]->offer;
    free(r.call);
    return status;
}
