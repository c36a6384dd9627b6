/* Tasks feed arrays: an array of delayed calls is a promise, a node without values, for which the ranks hold the results of its calls (exec/push/keep.h) from the moment on when a plan first needs it; plans never see the
 * difference.
 *
 * Promises that a plan needs are kept together, so that what their calls have in common runs once. Calls may need chunks of arrays (delayed_chunks.c), and these arrays other promises: before a plan runs, what it
 * waits for is found in rounds, arrays and calls in turn. What the plan itself needs of such an array's computation is held beside the array, until the plan has run, so that it is not computed again. */
#include "session/delayed/delayed.h"

#include "plan/place.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Tasks that look, beside one that enters an array. */
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;

int vv_held_chunk_task(vv_task *t)
{
    int array = (int)vv_task_i64(t, 0);
    vv_index chunk = vv_task_i64(t, 1);
    vv_bytes bytes = vv_task_i64(t, 2);
    void *out = vv_return_room(t, bytes);
    if (!out) return VV_ERR_NOMEM;
    pthread_rwlock_rdlock(&lock);
    const void *data = vv_keep_find(vv_tasks_keep(), array, chunk);
    vv_status status = VV_OK;
    if (data)
        memcpy(out, data, (size_t)bytes);
    else if (bytes > 0)
        status = vv_keep_read(vv_tasks_keep(), array, chunk, bytes, out);
    pthread_rwlock_unlock(&lock);
    return status == VV_OK ? VV_OK : vv_error_prefix("an array that was persisted");
}

/* --- tasks feed arrays --- */

static void promise_free(vv_promise *p)
{
    vv_delayed_release(p->call, p->n);
    free(p->call);
    free(p);
}

void vv_promises_free(vv_session *s)
{
    while (s->promises) {
        vv_promise *p = s->promises;
        s->promises = p->next;
        promise_free(p);
    }
}

static vv_status fill_promise(vv_promise *p, vv_delayed *const d[], int n)
{
    p->grid.shape = p->array->shape;
    for (int i = 0; i < p->array->shape.nd; i++) {
        vv_index chunk = p->array->kind == VV_NODE_RECHUNK ? p->array->chunk[i] : 0;
        p->grid.chunk[i] = chunk > 0 ? chunk : vv_imax(1, p->array->shape.n[i]);
    }
    if (vv_grid_chunks(&p->grid) != n)
        return vv_fail(VV_ERR_SHAPE, "an array of %lld chunks from %d delayed calls",
                       (long long)vv_grid_chunks(&p->grid), n);
    VV_TRY(vv_new(&p->call, (size_t)n + 1, sizeof *p->call));
    for (int i = 0; i < n; i++) {
        VV_TRY(vv_delayed_status(d[i]));
        d[i]->refs++;
        p->call[p->n++] = d[i];
    }
    return VV_OK;
}

vv_array *vv_array_from_delayed(vv_session *s, vv_delayed *const d[], int n, const char *dims, const char *chunks,
                                vv_dtype dtype)
{
    vv_promise *p;
    vv_array *a = vv_node_full(&s->context, dims, chunks, 0, dtype);
    if (a->status != VV_OK) return a;
    if (vv_new(&p, 1, sizeof *p) != VV_OK) return vv_node_inert(&s->context);
    p->array = a;
    free(a->name);
    a->name = NULL;
    if (vv_strdup(&a->name, "delayed") != VV_OK || fill_promise(p, d, n) != VV_OK) {
        vv_array *inert = vv_node_inert(&s->context);
        promise_free(p);
        vv_release(&a);
        return inert;
    }
    a->references++; /* the promise's */
    p->next = s->promises;
    s->promises = p;
    return a;
}

/* --- keeping promises --- */

static int hold_array(vv_task *t)
{
    pthread_rwlock_wrlock(&lock);
    vv_status status =
        vv_keep_add(vv_tasks_keep(), (int)vv_task_i64(t, 0), vv_task_i64(t, 1), vv_task_i64(t, 2), vv_task_i64(t, 3));
    pthread_rwlock_unlock(&lock);
    return status;
}

/* A number is its eight bytes. */
static const void *bytes_of(const vv_arg *a, vv_bytes *size)
{
    *size = a->kind == VV_ARG_BYTES ? a->size : (vv_bytes)sizeof a->i;
    return a->kind == VV_ARG_BYTES ? a->data : a->kind == VV_ARG_I64 ? (const void *)&a->i : &a->f;
}

static int hold_chunk(vv_task *t)
{
    vv_index chunk = vv_task_i64(t, 1);
    vv_bytes wanted = vv_task_i64(t, 2), size;
    const void *data = bytes_of(&t->arg[4], &size);
    if (size != wanted)
        return vv_error(VV_ERR_SHAPE, "chunk %lld of an array is to have %lld bytes, and a delayed call gave %lld",
                        (long long)chunk, (long long)wanted, (long long)size);
    pthread_rwlock_rdlock(&lock);
    vv_status status = vv_keep_put(vv_tasks_keep(), (int)vv_task_i64(t, 0), chunk, data, size);
    pthread_rwlock_unlock(&lock);
    return status;
}

/* Every rank gets to know the array, then its chunks: f[0 .. ranks) and f[ranks .. ranks + n). */
static vv_status submit_holding(vv_session *s, const vv_promise *p, const vv_future value[], vv_future f[])
{
    int ranks = s->net->size;
    vv_submit_options o = VV_SUBMIT_OPTIONS_INIT;
    o.pinned = true;
    for (o.rank = 0; o.rank < ranks; o.rank++) {
        vv_index first = vv_held_first(&p->grid, o.rank, ranks), n = vv_held_first(&p->grid, o.rank + 1, ranks) - first;
        vv_bytes bytes = 0;
        for (vv_index c = first; c < first + n; c++) bytes += vv_chunk_bytes(&p->grid, c, p->array->dtype);
        VV_TRY(vv_submit(s, hold_array, VV_ARGS(vv_i64(p->number), vv_i64(first), vv_i64(n), vv_i64(bytes)), &o,
                         &f[o.rank]));
    }
    for (int c = 0; c < p->n; c++) {
        o.rank = vv_held_owner(&p->grid, ranks, c);
        VV_TRY(vv_submit(s, hold_chunk,
                         VV_ARGS(vv_i64(p->number), vv_i64(c), vv_i64(vv_chunk_bytes(&p->grid, c, p->array->dtype)),
                                 vv_of(f[o.rank]), vv_of(value[c])),
                         &o, &f[ranks + c]));
    }
    return VV_OK;
}

/* All calls at once, then all their chunks. */
static vv_status hold(vv_session *s, vv_promise *const p[], int n, vv_delayed *const call[], vv_future value[],
                      vv_future f[])
{
    int calls = 0, at = 0;
    for (int i = 0; i < n; i++) calls += p[i]->n;
    VV_TRY(vv_calls_submit(s, call, calls, value));
    vv_status status = VV_OK;
    for (int i = 0, from = 0; i < n && status == VV_OK; from += p[i++]->n) {
        status = submit_holding(s, p[i], value + from, f + at);
        at += s->net->size + p[i]->n;
    }
    vv_future_release(s, value, calls);
    if (status == VV_OK) status = vv_gather_all(s, f, at, NULL, 0); /* empty, or a failure */
    vv_future_release(s, f, calls + n * s->net->size);
    return status;
}

static vv_status stand_in(const vv_promise *p)
{
    vv_array *h = vv_node_held(p->array, p->number, &p->grid);
    VV_TRY(vv_array_status(h));
    p->array->held = h;
    return VV_OK;
}

/* --- what a plan needs --- */

enum { BY_PLAN = 1, BY_CALLS = 2 };

static void mark_none(const vv_session *s)
{
    for (vv_array *a = s->context.arrays; a; a = a->next) a->marked = 0;
}

/* Inputs are older than what is made of them, and the list of arrays has the youngest first. */
void vv_arrays_mark_inputs(const vv_session *s)
{
    for (vv_array *a = s->context.arrays; a; a = a->next)
        for (int i = 0; a->marked && !a->held && i < a->n_inputs; i++) a->input[i]->marked = BY_PLAN;
}

void vv_arrays_mark(const vv_session *s, const vv_target targets[], int n)
{
    mark_none(s);
    for (int i = 0; i < n; i++) targets[i].array->marked = BY_PLAN;
    vv_arrays_mark_inputs(s);
}

bool vv_promises_below(const vv_session *s, vv_array *a)
{
    bool below = false;
    vv_arrays_mark(s, &(vv_target){.array = a}, 1);
    for (const vv_promise *p = s->promises; p; p = p->next) below = below || (p->array->marked && !p->array->held);
    return below;
}

/* Worth holding: it is computed, and a rank's share is small beside its memory. */
static bool worth_holding(const vv_session *s, const vv_array *a, vv_lent *lent)
{
    static const bool computed[] = {
        [VV_NODE_MAP] = true,     [VV_NODE_REDUCE] = true, [VV_NODE_BLOCK] = true, [VV_NODE_TILE] = true,
        [VV_NODE_PRODUCT] = true, [VV_NODE_USER] = true,   [VV_NODE_HELD] = false};
    vv_bytes share = vv_times(vv_shape_elements(&a->shape), vv_dtype_size(a->dtype)) / s->net->size;
    if (a->kind > VV_NODE_HELD || !computed[a->kind] || a->text != VV_TEXT_NOT || share > s->memory / 4 - lent->bytes)
        return false;
    lent->bytes += share;
    return true;
}

static vv_status lend(vv_lent *lent, vv_array *a)
{
    VV_TRY(vv_grow(&lent->array, lent->n, sizeof *lent->array, "arrays"));
    lent->array[lent->n++] = a;
    a->references++;
    return VV_OK;
}

/* What arrays that calls need have in common with the plan, below those arrays: where both ways first meet. */
static vv_status find_shared(const vv_session *s, const vv_target targets[], int n, vv_offer *const offer[],
                             int n_offers, vv_lent *out)
{
    mark_none(s);
    for (int i = 0; i < n; i++) targets[i].array->marked |= BY_PLAN;
    for (int i = 0; i < n_offers; i++) offer[i]->array->marked |= BY_CALLS;
    for (vv_array *a = s->context.arrays; a; a = a->next) {
        bool offered = false;
        if (!a->marked || a->held) continue;
        for (int i = 0; i < n_offers; i++) offered = offered || offer[i]->array == a;
        if (a->marked == (BY_PLAN | BY_CALLS) && !offered && worth_holding(s, a, out)) {
            VV_TRY(lend(out, a));
            continue;
        }
        /* an array that is held itself is where the plan takes it from */
        for (int i = 0; i < a->n_inputs; i++) a->input[i]->marked |= offered ? BY_CALLS : a->marked;
    }
    return VV_OK;
}

vv_status vv_calls_hold_inputs(vv_session *s, const vv_target targets[], int n, vv_delayed *const call[], int calls,
                               vv_lent *lent)
{
    vv_status status = VV_OK;
    for (int missing = 1; missing > 0 && s->offers && status == VV_OK;) {
        vv_offer **list;
        int before = lent->n;
        VV_TRY(vv_new(&list, (size_t)vv_offers_count(s) + 1, sizeof(vv_offer *)));
        status = vv_delayed_missing(s, call, calls, list, &missing);
        if (status == VV_OK && missing > 0) status = find_shared(s, targets, n, list, missing, lent);
        if (status == VV_OK && missing > 0)
            status = vv_offers_hold(list, missing, lent->n > before ? &lent->array[before] : NULL, lent->n - before);
        free(list);
    }
    return status;
}

void vv_lent_free(vv_session *s, vv_lent *lent)
{
    void (*forget)(vv_context *, int) = s ? s->context.forget : NULL;
    if (lent->pretended) s->context.forget = NULL; /* nobody knows of them */
    for (int i = 0; i < lent->n; i++) {
        vv_unpersist(lent->array[i]);
        vv_node_drop(&lent->array[i]);
    }
    if (lent->pretended) s->context.forget = forget;
    free(lent->array);
    free(lent->text);
    *lent = (vv_lent){0};
}

/* --- keeping promises --- */

static void forget_all(vv_session *s, vv_promise *const p[], int n)
{
    for (int i = 0; i < n; i++) {
        if (p[i]->number && !p[i]->array->held) s->context.forget(&s->context, p[i]->number);
        p[i]->number = 0;
    }
}

/* They are arrays like others now. */
void vv_promises_settle(vv_session *s)
{
    for (vv_promise **at = &s->promises; *at;) {
        vv_promise *p = *at;
        if (!p->array->held) {
            at = &p->next;
            continue;
        }
        *at = p->next;
        vv_array *a = p->array;
        promise_free(p);
        vv_node_drop(&a);
    }
}

static vv_status hold_all(vv_session *s, vv_promise *const p[], int n, vv_delayed *const call[], int calls)
{
    vv_future *f;
    VV_TRY(vv_new(&f, 2 * (size_t)calls + (size_t)n * (size_t)s->net->size, sizeof *f));
    for (int i = 0; i < n; i++) p[i]->number = ++s->held;
    vv_status status = hold(s, p, n, call, f, f + calls);
    for (int i = 0; i < n && status == VV_OK; i++) status = stand_in(p[i]);
    free(f);
    return status;
}

/* The calls of those that are still to be kept, one behind the other. */
static vv_status calls_of(vv_promise *p[], int *n, vv_delayed ***out, int *calls)
{
    vv_index all = 0;
    int left = 0;
    *calls = 0;
    for (int i = 0; i < *n; i++)
        if (!p[i]->array->held) p[left++] = p[i];
    *n = left;
    for (int i = 0; i < left; i++) all += p[i]->n;
    if (all > INT32_MAX / 4) return vv_fail(VV_ERR_USAGE, "arrays of %lld delayed calls at once", (long long)all);
    VV_TRY(vv_new(out, (size_t)all + 1, sizeof(vv_delayed *)));
    for (int i = 0; i < left; i++)
        for (int k = 0; k < p[i]->n; k++) (*out)[(*calls)++] = p[i]->call[k];
    return VV_OK;
}

/* Arrays that the calls need come first, and with them perhaps some of the promises. */
static vv_status keep(vv_session *s, const vv_target targets[], int n_targets, vv_promise *p[], int n, vv_lent *lent)
{
    vv_delayed **call;
    vv_failure e;
    int calls;
    VV_TRY(calls_of(p, &n, &call, &calls));
    vv_status status = vv_calls_hold_inputs(s, targets, n_targets, call, calls, lent);
    free(call);
    VV_TRY(status);
    VV_TRY(calls_of(p, &n, &call, &calls));
    if (n > 0) status = hold_all(s, p, n, call, calls);
    free(call);
    vv_error_get(&e);
    forget_all(s, p, n);
    if (status != VV_OK) vv_error_set(&e);
    return status;
}

/* For explain: as if they were held, and what would have come before. */
static vv_status pretend(vv_session *s, vv_promise *const p[], int n, vv_lent *lent)
{
    vv_buf b = {0};
    char bytes[32];
    lent->pretended = true;
    VV_TRY(vv_new(&lent->array, (size_t)n + 1, sizeof(vv_array *)));
    for (int i = 0; i < n; i++) {
        vv_array *a = p[i]->array;
        p[i]->number = ++s->held;
        vv_status status = stand_in(p[i]);
        p[i]->number = 0;
        VV_TRY(status);
        a->references++;
        lent->array[lent->n++] = a;
        vv_buf_printf(&b, "first: %d delayed call%s, whose results '%s' is made of (%s, held)\n", p[i]->n,
                      p[i]->n == 1 ? "" : "s", a->name,
                      vv_bytes_text(vv_times(vv_shape_elements(&a->shape), vv_dtype_size(a->dtype)), bytes));
    }
    lent->text = b.data;
    return vv_buf_status(&b);
}

vv_status vv_promises_keep(vv_session *s, const vv_target targets[], int n, vv_lent *lent)
{
    vv_promise **p;
    int marked = 0, all = 0;
    for (vv_promise *q = s->promises; q; q = q->next) all++;
    if (all == 0) return VV_OK;
    vv_arrays_mark(s, targets, n);
    VV_TRY(vv_new(&p, (size_t)all, sizeof(vv_promise *)));
    for (vv_promise *q = s->promises; q; q = q->next)
        if (q->array->marked && !q->array->held) p[marked++] = q;
    vv_status status = VV_OK;
    vv_computation_begin(s, &(vv_computation){.target = targets, .n_targets = n});
    if (marked > 0) status = s->explaining ? pretend(s, p, marked, lent) : keep(s, targets, n, p, marked, lent);
    vv_computation_end(s);
    if (status != VV_OK) vv_lent_free(s, lent);
    free(p);
    return status;
}
