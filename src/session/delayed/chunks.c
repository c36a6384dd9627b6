/* Arrays feed tasks: a chunk of an array is a call.
 *
 * Nothing is computed when the calls are made, only planned, which says what the chunks are. When calls are wanted their arrays are persisted, in just those chunks: then each is the result of a task that is
 * pinned to the rank that holds it (exec/push/keep.h). */
#include "session/delayed/delayed.h"

#include "plan/place.h"

#include <stdlib.h>
#include <string.h>

/* --- offers --- */

void vv_offer_release(vv_session *s, vv_offer *o)
{
    if (--o->users > 0) return;
    vv_offer **at = &s->offers;
    while (*at && *at != o) at = &(*at)->next;
    if (*at) *at = o->next;
    vv_node_drop(&o->array);
    free(o);
}

/* Arrays go with their session. */
void vv_offers_free(vv_session *s)
{
    for (vv_offer *o = s->offers; o; o = o->next) o->array = NULL;
}

/* The chunks that an array is held in, or would be. */
static vv_status grid_of(vv_session *s, vv_array *a, vv_grid *out)
{
    vv_target t = {.array = a, .output_variable = -1, .keep = 1};
    vv_lowering l;
    if (a->held) {
        *out = *a->held->held_grid;
        return VV_OK;
    }
    VV_TRY(vv_lower(&t, 1, s->net->size, s->placement, &l));
    *out = l.plan->step[t.step].grid;
    vv_lowering_free(&l);
    return VV_OK;
}

/* Used once, by the caller. */
static vv_status offer_of(vv_session *s, vv_array *a, vv_offer **out)
{
    static int64_t numbers;
    vv_offer *o = s->offers;
    while (o && o->array != a) o = o->next;
    if (!o) {
        VV_TRY(vv_new(&o, 1, sizeof *o));
        *o = (vv_offer){.next = s->offers, .array = a, .number = ++numbers};
        vv_status status = grid_of(s, a, &o->grid);
        if (status != VV_OK) {
            free(o);
            return status;
        }
        a->references++;
        s->offers = o;
    }
    o->users++;
    *out = o;
    return VV_OK;
}

int vv_offers_count(const vv_session *s)
{
    int n = 0;
    for (const vv_offer *o = s->offers; o; o = o->next) n++;
    return n;
}

/* What waits for no calls goes together, by one plan. Where there is none, one that does: its plan has them run first, and chunks of other arrays before these. */
static int ready_first(const vv_session *s, vv_offer *list[], int n)
{
    int ready = 0;
    for (int i = 0; i < n; i++)
        if (!vv_promises_below(s, list[i]->array)) list[ready++] = list[i];
    return ready > 0 ? ready : n > 0;
}

vv_status vv_offers_missing(const vv_session *s, vv_offer *list[], int *n)
{
    const vv_offer *twice = NULL;
    *n = 0;
    for (vv_offer *o = s->offers; o; o = o->next) {
        const vv_array *h = o->array->held;
        if (o->wanted && !(h && vv_grid_equal(h->held_grid, &o->grid))) {
            list[(*n)++] = o;
            if (o->waiting) twice = o;
        }
        o->wanted = false;
    }
    if (!twice) {
        *n = ready_first(s, list, *n);
        return VV_OK;
    }
    return vv_fail(VV_ERR_USAGE,
                   "delayed calls that wait for each other: '%s' is made of calls that need its own chunks",
                   twice->array->name);
}

vv_status vv_offers_hold(vv_offer *const list[], int n, vv_array *const more[], int n_more)
{
    size_t all = (size_t)n + (size_t)n_more;
    vv_array **array;
    const vv_grid **grid;
    VV_TRY(vv_new(&array, all, sizeof(vv_array *)));
    vv_status status = vv_new(&grid, all, sizeof(vv_grid *));
    for (int i = 0; i < n && status == VV_OK; i++) {
        array[i] = list[i]->array;
        grid[i] = &list[i]->grid;
    }
    for (int i = 0; i < n_more && status == VV_OK; i++) array[n + i] = more[i];
    if (status == VV_OK) {
        for (int i = 0; i < n; i++) list[i]->waiting = true;
        status = vv_persist_in(array, grid, (int)all);
        for (int i = 0; i < n; i++) list[i]->waiting = false;
        free(grid);
    }
    free(array);
    return status;
}

/* --- chunks --- */

vv_bytes vv_chunk_bytes(const vv_grid *g, vv_index chunk, vv_dtype type)
{
    vv_box box;
    vv_grid_box(g, chunk, &box);
    return vv_box_elements(&box) * vv_dtype_size(type);
}

/* What a chunk's call is known by; what runs is a task with the number that the ranks know the array by. */
static int chunk_of_array(vv_task *t)
{
    return vv_error(VV_ERR_INTERNAL, "chunk %lld of an array without the array", (long long)vv_task_i64(t, 1));
}

vv_status vv_chunk_submit(vv_desk *desk, const vv_delayed *d, vv_entry **out)
{
    vv_packed_arg arg[2];
    memcpy(arg, d->args.data, sizeof arg);
    const vv_offer *o = d->offer;
    vv_index chunk = arg[1].x;
    vv_desk_options options = {
        .rank = vv_held_owner(&o->grid, d->session->net->size, chunk), .pinned = true, .retries = d->options.retries};
    return vv_desk_submit(desk, vv_held_chunk_task,
                          VV_ARGS(vv_i64(o->array->held->held_number), vv_i64(chunk),
                                  vv_i64(vv_chunk_bytes(&o->grid, chunk, o->array->dtype))),
                          &options, out);
}

vv_status vv_delayed_from_array(vv_array *a, vv_delayed ***out, int *n)
{
    vv_offer *o;
    *out = NULL;
    *n = 0;
    VV_TRY(vv_array_status(a));
    vv_session *s = (vv_session *)(void *)a->context;
    VV_TRY(offer_of(s, a, &o));
    vv_index chunks = vv_grid_chunks(&o->grid);
    vv_status status = chunks <= INT32_MAX ? vv_new(out, (size_t)chunks + 1, sizeof **out)
                                           : vv_fail(VV_ERR_USAGE, "'%s' has %lld chunks", a->name, (long long)chunks);
    for (; status == VV_OK && *n < chunks; ++*n) {
        vv_delayed *d = vv_delay(s, chunk_of_array, VV_ARGS(vv_i64(o->number), vv_i64(*n)));
        if (d->status == VV_OK && !d->offer) {
            d->offer = o;
            o->users++;
        }
        (*out)[*n] = d;
    }
    vv_offer_release(s, o);
    return status;
}
