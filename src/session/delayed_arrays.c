/* Arrays feed tasks, tasks feed arrays: both through what ranks hold (exec/keep.h).
 *
 * A chunk of a persisted array is the result of a task that is pinned to its owner. An array of delayed calls is a promise: a node without values, for which the ranks hold the results of its calls from the
 * moment on when a plan first needs it; plans never see the difference. */
#include "session/delayed.h"

#include "plan/place.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Tasks that look, beside one that enters an array. */
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;

/* --- arrays feed tasks --- */

static int held_chunk(vv_task *t)
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

static vv_bytes chunk_bytes(const vv_grid *g, vv_index chunk, vv_dtype type)
{
    vv_box box;
    vv_grid_box(g, chunk, &box);
    return vv_box_elements(&box) * vv_dtype_size(type);
}

vv_status vv_delayed_from_array(vv_array *a, vv_delayed ***out, int *n)
{
    *out = NULL;
    *n = 0;
    VV_TRY(vv_persist(a));
    vv_session *s = (vv_session *)(void *)a->context;
    const vv_grid *g = a->held->held_grid;
    vv_index chunks = vv_grid_chunks(g);
    if (chunks > INT32_MAX) return vv_fail(VV_ERR_USAGE, "'%s' has %lld chunks", a->name, (long long)chunks);
    VV_TRY(vv_new(out, (size_t)chunks + 1, sizeof **out));
    for (*n = 0; *n < chunks; ++*n) {
        vv_desk_options o = {.rank = vv_held_owner(g, s->net->size, *n), .pinned = true};
        (*out)[*n] = vv_delay_with(
            s, held_chunk, VV_ARGS(vv_i64(a->held->held_number), vv_i64(*n), vv_i64(chunk_bytes(g, *n, a->dtype))), &o);
    }
    return VV_OK;
}

/* --- tasks feed arrays --- */

struct vv_promise {
    struct vv_promise *next;
    vv_array *array; /* a reference */
    vv_grid grid;
    int n;
    vv_delayed **call;
};
typedef struct vv_promise vv_promise;

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
    if (fill_promise(p, d, n) != VV_OK) {
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
static vv_status submit_holding(vv_session *s, const vv_promise *p, int number, const vv_future value[], vv_future f[])
{
    int ranks = s->net->size;
    vv_submit_options o = VV_SUBMIT_OPTIONS_INIT;
    o.pinned = true;
    for (o.rank = 0; o.rank < ranks; o.rank++) {
        vv_index first = vv_held_first(&p->grid, o.rank, ranks), n = vv_held_first(&p->grid, o.rank + 1, ranks) - first;
        vv_bytes bytes = 0;
        for (vv_index c = first; c < first + n; c++) bytes += chunk_bytes(&p->grid, c, p->array->dtype);
        VV_TRY(
            vv_submit(s, hold_array, VV_ARGS(vv_i64(number), vv_i64(first), vv_i64(n), vv_i64(bytes)), &o, &f[o.rank]));
    }
    for (int c = 0; c < p->n; c++) {
        o.rank = vv_held_owner(&p->grid, ranks, c);
        VV_TRY(vv_submit(s, hold_chunk,
                         VV_ARGS(vv_i64(number), vv_i64(c), vv_i64(chunk_bytes(&p->grid, c, p->array->dtype)),
                                 vv_of(f[o.rank]), vv_of(value[c])),
                         &o, &f[ranks + c]));
    }
    return VV_OK;
}

static vv_status hold(vv_session *s, const vv_promise *p, int number, vv_future value[], vv_future f[])
{
    int all = s->net->size + p->n;
    VV_TRY(vv_delayed_submit(p->call, p->n, value));
    vv_status status = submit_holding(s, p, number, value, f);
    vv_future_release(s, value, p->n);
    if (status == VV_OK) status = vv_gather_all(s, f, all, NULL, 0); /* empty, or a failure */
    vv_future_release(s, f, all);
    return status;
}

static vv_status keep_promise(vv_session *s, vv_promise *p)
{
    vv_future *f;
    int number = ++s->held;
    VV_TRY(vv_new(&f, 2 * (size_t)p->n + (size_t)s->net->size, sizeof *f));
    vv_status status = hold(s, p, number, f, f + p->n);
    free(f);
    if (status == VV_OK) {
        vv_array *h = vv_node_held(p->array, number, &p->grid);
        status = vv_array_status(h);
        if (status == VV_OK) p->array->held = h;
    }
    if (status != VV_OK) s->context.forget(&s->context, number);
    return status;
}

/* Inputs are older than what is made of them, and the list of arrays has the youngest first. */
static void mark(vv_session *s, const vv_target targets[], int n)
{
    for (vv_array *a = s->context.arrays; a; a = a->next) a->marked = false;
    for (int i = 0; i < n; i++) targets[i].array->marked = true;
    for (vv_array *a = s->context.arrays; a; a = a->next)
        for (int i = 0; a->marked && !a->held && i < a->n_inputs; i++) a->input[i]->marked = true;
}

vv_status vv_promises_keep(vv_session *s, const vv_target targets[], int n)
{
    if (!s->promises) return VV_OK;
    mark(s, targets, n);
    for (vv_promise **at = &s->promises; *at;) {
        vv_promise *p = *at;
        if (!p->array->marked) {
            at = &p->next;
            continue;
        }
        VV_TRY(keep_promise(s, p));
        *at = p->next;
        vv_array *a = p->array;
        promise_free(p);
        vv_node_drop(&a);
    }
    return VV_OK;
}
