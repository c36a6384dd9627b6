/* New tasks. */
#include "exec/tasks/desk.h"

#include <stdlib.h>
#include <string.h>

enum { LINKS = 1024 };

/* --- functions --- */

/* All ranks get to know it, before the first task that calls it. */
static void announce(vv_desk *d, const vv_symbol *s, int number)
{
    vv_buf b = {0};
    vv_buf_bytes(&b, s, sizeof *s);
    vv_buf_bytes(&b, s->module, strlen(s->module) + 1);
    vv_record r = {.say = VV_SAY_FUNCTION, .id = number, .size = (vv_bytes)b.size};
    for (int to = 0; to < d->ranks; to++) vv_wire_say(&d->host->wire, to, &r, b.data);
    vv_buf_free(&b);
}

static vv_status add_function(vv_desk *d, vv_task_function *f, const vv_symbol *s, int *out)
{
    static const double unknown = 1e-3;
    VV_TRY(vv_grow(&d->function, d->n_functions, sizeof *d->function, "functions"));
    vv_desk_function *n = &d->function[d->n_functions];
    *n = (vv_desk_function){.call = f, .seconds = unknown};
    VV_TRY(vv_symbol_copy(s, &n->symbol));
    *out = d->n_functions++;
    announce(d, s, *out);
    return VV_OK;
}

vv_status vv_desk_function_number(vv_desk *d, vv_task_function *f, int *out)
{
    vv_symbol s;
    for (int i = 0; i < d->n_functions; i++)
        if (d->function[i].call == f) {
            *out = i;
            return VV_OK;
        }
    VV_TRY(vv_symbol_find((vv_function *)f, &s));
    vv_status status = VV_OK;
    if (s.n_id == 0 && d->ranks > 1)
        status = vv_fail(VV_ERR_USAGE, "a task is a function of no program or library: other ranks cannot find it");
    if (status == VV_OK) status = add_function(d, f, &s, out);
    vv_symbol_free(&s);
    return status;
}

vv_status vv_desk_symbol_number(vv_desk *d, const vv_symbol *s, int *out)
{
    vv_function *f;
    for (int i = 0; i < d->n_functions; i++)
        if (vv_symbol_equal(&d->function[i].symbol, s)) {
            *out = i;
            return VV_OK;
        }
    VV_TRY(vv_symbol_load(s, &f));
    return add_function(d, (vv_task_function *)f, s, out);
}

/* --- inputs --- */

static vv_status link_to(vv_desk *d, vv_entry *input, vv_entry *user)
{
    if (!d->free_links) {
        vv_user_of *slab;
        VV_TRY(vv_new(&slab, LINKS, sizeof *slab));
        slab->next = d->link_slabs; /* the first one holds the others */
        d->link_slabs = slab;
        for (int i = 1; i < LINKS; i++) {
            slab[i].next = d->free_links;
            d->free_links = &slab[i];
        }
    }
    vv_user_of *l = d->free_links;
    d->free_links = l->next;
    *l = (vv_user_of){.next = input->users, .user = user};
    input->users = l;
    user->refs++;
    user->waiting++;
    return VV_OK;
}

typedef vv_status input_visit(vv_desk *d, vv_entry *e, vv_entry *input);

/* Walks the futures among packed arguments. */
static vv_status walk(vv_desk *d, vv_entry *e, const char *at, const char *end, input_visit *visit)
{
    while (at < end) {
        vv_packed_arg a;
        memcpy(&a, at, sizeof a);
        at += sizeof a + (size_t)(a.kind == VV_ARG_BYTES ? vv_wire_padded(a.x) : 0);
        if (a.kind != VV_ARG_FUTURE) continue;
        vv_entry *input = vv_desk_find(d, a.x);
        if (!input) return vv_fail(VV_ERR_USAGE, "an argument is a future that does not exist, or was released");
        VV_TRY(visit(d, e, input));
    }
    return VV_OK;
}

static vv_status count_input(vv_desk *d, vv_entry *e, vv_entry *input)
{
    (void)d, (void)input;
    e->spec->n_inputs++;
    return VV_OK;
}

static vv_status hold_input(vv_desk *d, vv_entry *e, vv_entry *input)
{
    input->refs++;
    e->heir = true;
    return vv_entry_ended(input) ? VV_OK : link_to(d, input, e);
}

/* One that has ended badly already. */
static vv_status inherit(vv_desk *d, vv_entry *e, vv_entry *input)
{
    if (vv_entry_ended(e)) return VV_OK;
    if (input->state == VV_ENTRY_FAILED) {
        input->value.blame->users++;
        e->value.blame = input->value.blame;
        vv_entry_end(d, e, VV_ENTRY_FAILED);
    } else if (input->state == VV_ENTRY_CANCELLED) {
        vv_entry_end(d, e, VV_ENTRY_CANCELLED);
    }
    return VV_OK;
}

static vv_status enlist(vv_desk *d, vv_entry *e)
{
    const char *args = (const char *)&e->spec->head + sizeof e->spec->head,
               *end = (const char *)&e->spec->head + e->spec->size;
    if (e->spec->head.nodes == 0) return vv_entry_ready(d, e);
    VV_TRY(walk(d, e, args, end, count_input));
    if (e->spec->n_inputs == 0) return vv_entry_ready(d, e);
    VV_TRY(walk(d, e, args, end, hold_input));
    e->refs++; /* it may end while it is looked at, and its arguments with it */
    vv_spec *s = e->spec;
    vv_status status = VV_OK;
    for (const char *at = args; at < end && e->spec == s && status == VV_OK;) {
        vv_packed_arg a;
        memcpy(&a, at, sizeof a);
        at += sizeof a + (size_t)(a.kind == VV_ARG_BYTES ? vv_wire_padded(a.x) : 0);
        if (a.kind == VV_ARG_FUTURE) status = inherit(d, e, vv_desk_find(d, a.x));
    }
    if (status == VV_OK && !vv_entry_ended(e) && e->waiting == 0) status = vv_entry_ready(d, e);
    vv_entry_release(d, e);
    return status;
}

/* --- submitting --- */

static vv_status check_options(const vv_desk *d, const vv_desk_options *o)
{
    enum { HIGHEST = 1 << 20 };
    if (o->rank >= d->ranks || o->rank < -1)
        return vv_fail(VV_ERR_USAGE, "a task is to run on rank %d, and there are %d", o->rank, d->ranks);
    if (o->pinned && o->rank < 0) return vv_fail(VV_ERR_USAGE, "a pinned task is pinned to no rank");
    if (o->priority > HIGHEST || o->priority < -HIGHEST)
        return vv_fail(VV_ERR_USAGE, "a priority of %d; it may be up to %d", o->priority, HIGHEST);
    if (o->retries < 0 || o->timeout < 0) return vv_fail(VV_ERR_USAGE, "retries and timeouts are not negative");
    return VV_OK;
}

vv_status vv_desk_submit_packed(vv_desk *d, const vv_run_head *head, const void *args, vv_bytes size,
                                const vv_desk_options *o, vv_entry **out)
{
    char text[32];
    vv_entry *e;
    if (d->failure.code != VV_OK) {
        vv_error_set(&d->failure);
        return d->failure.code;
    }
    VV_TRY(check_options(d, o));
    if (size > VV_MOST_ARGS)
        return vv_fail(VV_ERR_USAGE, "the arguments of a task take %s, more than 16 MiB; give them by vv_scatter()",
                       vv_bytes_text(size, text));
    VV_TRY(vv_entry_new(d, &e));
    vv_spec *s = malloc(sizeof *s + (size_t)size);
    if (!s) {
        vv_entry_undo(d, e);
        return vv_fail(VV_ERR_NOMEM, "no memory for a task with arguments of %s", vv_bytes_text(size, text));
    }
    *s = (vv_spec){.size = (vv_bytes)sizeof *head + size, .retries = o->retries, .head = *head};
    s->head.attempt = 0;
    s->head.timeout = o->timeout;
    s->head.priority = o->priority;
    s->head.pinned = o->pinned;
    if (size) memcpy(s + 1, args, (size_t)size);
    e->spec = s;
    e->rank = o->rank;
    d->stats.submitted++;
    vv_status status = enlist(d, e);
    if (status == VV_OK) {
        *out = e;
        return VV_OK;
    }
    vv_entry_undo(d, e);
    return status;
}

vv_status vv_desk_submit(vv_desk *d, vv_task_function *f, const vv_arg args[], int n, const vv_desk_options *o,
                         vv_entry **out)
{
    vv_run_head head = {.n = n};
    vv_index nodes = 0;
    if (n < 0) return vv_fail(VV_ERR_USAGE, "a task with %d arguments", n);
    VV_TRY(vv_desk_function_number(d, f, &head.function));
    d->scratch.size = 0;
    d->scratch.failed = false;
    VV_TRY(vv_args_pack(&d->scratch, args, n, &nodes));
    if (nodes > INT32_MAX) return vv_fail(VV_ERR_USAGE, "a task with %lld arguments", (long long)nodes);
    head.nodes = (int32_t)nodes;
    return vv_desk_submit_packed(d, &head, d->scratch.data, (vv_bytes)d->scratch.size, o, out);
}

vv_status vv_desk_follow(vv_desk *d, vv_entry *e, vv_entry *leader)
{
    leader->refs++;
    e->leader = leader;
    e->state = VV_ENTRY_FOLLOWS;
    if (!vv_entry_ended(leader)) return link_to(d, leader, e);
    VV_TRY(inherit(d, e, leader));
    if (vv_entry_ended(e)) return VV_OK;
    e->kind = VV_ARG_FUTURE;
    vv_entry_end(d, e, VV_ENTRY_FINISHED);
    return VV_OK;
}

/* --- data --- */

static vv_status put_here(vv_desk *d, vv_entry *e, const void *data)
{
    void *block;
    VV_TRY(vv_host_make_room(d->host, e->size));
    VV_TRY(vv_mem_get(&block, e->size, "scattered data"));
    memcpy(block, data, (size_t)e->size);
    pthread_mutex_lock(&d->host->lock);
    vv_status status = vv_shelf_put(&d->host->values, e->id, VV_ARG_BYTES, &block, 0, e->size);
    pthread_mutex_unlock(&d->host->lock);
    vv_mem_put(&block);
    return status;
}

/* To rank 0 it is copied, to others it is sent; it has ended when all have it. */
static vv_status put(vv_desk *d, vv_entry *e, int rank, const void *data)
{
    if (rank == d->net->rank) return put_here(d, e, data);
    e->waiting++;
    return vv_wire_value(&d->host->wire, rank, e->id, VV_ARG_BYTES, data, e->size);
}

vv_status vv_desk_scatter(vv_desk *d, const void *data, vv_bytes size, int rank, bool everywhere, vv_entry **out)
{
    vv_entry *e;
    if (size < 0 || rank >= d->ranks)
        return vv_fail(VV_ERR_USAGE, "%lld bytes are scattered to rank %d of %d", (long long)size, rank, d->ranks);
    VV_TRY(vv_entry_new(d, &e));
    e->kind = VV_ARG_BYTES;
    e->size = size;
    e->state = VV_ENTRY_SENT;
    vv_status status = VV_OK;
    if (size <= VV_SMALL_VALUE) {
        status = vv_new(&e->value.data, 1, (size_t)size);
        if (status == VV_OK && size) memcpy(e->value.data, data, (size_t)size);
    } else {
        e->large = true;
        e->rank = rank >= 0 ? rank : everywhere ? d->net->rank : d->turn_of % d->ranks;
        if (rank < 0 && !everywhere) d->turn_of++;
        d->stats.results += size;
        for (int i = 0; i < d->ranks && status == VV_OK; i++) {
            if (!everywhere && i != e->rank) continue;
            status = put(d, e, i, data);
            if (status == VV_OK && i != e->rank) status = vv_entry_copied(e, i);
        }
    }
    if (status == VV_OK && e->waiting == 0) vv_entry_end(d, e, VV_ENTRY_FINISHED);
    if (status != VV_OK) {
        e->large = false;
        vv_entry_undo(d, e);
    }
    if (status == VV_OK) *out = e;
    return status;
}

/* --- cancelling --- */

void vv_desk_cancel(vv_desk *d, vv_entry *e)
{
    if (vv_entry_ended(e) || (e->state == VV_ENTRY_SENT && !e->spec)) return; /* data that is under way */
    if (e->state == VV_ENTRY_SENT) {
        vv_record r = {.say = VV_SAY_CANCEL, .id = e->id};
        vv_wire_say(&d->host->wire, e->rank, &r, NULL);
        e->refs++; /* until the rank says what came of it */
    }
    vv_entry_end(d, e, VV_ENTRY_CANCELLED);
}
