#include "exec/tasks/desk.h"

#include <stdlib.h>
#include <string.h>

enum { SLAB = VV_ENTRY_SLAB, PLACE_BITS = 32 };

/* --- entries by number --- */

vv_entry *vv_desk_find(const vv_desk *d, int64_t id)
{
    int64_t place = (id & (((int64_t)1 << PLACE_BITS) - 1)) - 1;
    if (id <= 0 || place < 0 || place / SLAB >= d->n_slabs) return NULL;
    vv_entry *e = &d->slab[place / SLAB][place % SLAB];
    return e->id == id && e->refs > 0 ? e : NULL;
}

static vv_status more_entries(vv_desk *d)
{
    vv_entry *slab;
    VV_TRY(vv_grow(&d->slab, d->n_slabs, sizeof *d->slab, "tasks"));
    VV_TRY(vv_new(&slab, SLAB, sizeof *slab));
    for (int i = SLAB - 1; i >= 0; i--) {
        slab[i].id = (int64_t)d->n_slabs * SLAB + i + 1;
        slab[i].next = d->free;
        d->free = &slab[i];
    }
    d->slab[d->n_slabs++] = slab;
    return VV_OK;
}

vv_status vv_entry_new(vv_desk *d, vv_entry **out)
{
    if (!d->free) VV_TRY(more_entries(d));
    vv_entry *e = d->free;
    d->free = e->next;
    *e = (vv_entry){.id = e->id, .refs = 2, .rank = -1};
    d->stats.alive++;
    *out = e;
    return VV_OK;
}

/* --- values --- */

vv_entry *vv_entry_source(vv_entry *e)
{
    while (e->leader) e = e->leader;
    return e;
}

vv_status vv_entry_copied(vv_entry *e, int rank)
{
    vv_copies *c = e->copies;
    for (int i = 0; c && i < c->n; i++)
        if (c->rank[i] == rank) return VV_OK;
    if (rank == e->rank) return VV_OK;
    if (!c || c->n == c->room) {
        int room = c ? 2 * c->room : 4;
        vv_copies *more = realloc(c, sizeof *c + sizeof(int) * (size_t)room);
        if (!more) return vv_fail(VV_ERR_NOMEM, "no memory for a list of ranks");
        if (!c) more->n = 0;
        more->room = room;
        e->copies = c = more;
    }
    c->rank[c->n++] = rank;
    return VV_OK;
}

/* Ranks need not keep it. */
static void drop_value(vv_desk *d, vv_entry *e)
{
    vv_record r = {.say = VV_SAY_DROP, .id = e->id};
    d->stats.results -= e->size;
    vv_wire_say(&d->host->wire, e->rank, &r, NULL);
    for (int i = 0; e->copies && i < e->copies->n; i++) vv_wire_say(&d->host->wire, e->copies->rank[i], &r, NULL);
}

static void blame_free(vv_blame *b)
{
    if (b && --b->users == 0) free(b);
}

/* Frees what it has; returns the one that it held, which may be free now, too. */
static vv_entry *clear(vv_desk *d, vv_entry *e)
{
    vv_entry *leader = e->leader;
    if (e->state == VV_ENTRY_FAILED) blame_free(e->value.blame);
    if (e->state == VV_ENTRY_FINISHED && e->large)
        drop_value(d, e);
    else if (e->state == VV_ENTRY_FINISHED && e->kind == VV_ARG_BYTES)
        free(e->value.data);
    free(e->copies);
    free(e->spec);
    while (e->watch) {
        vv_watch *w = e->watch;
        e->watch = w->next;
        free(w);
    }
    e->id += (int64_t)1 << PLACE_BITS;
    if (e->id < 0) e->id &= ((int64_t)1 << PLACE_BITS) - 1;
    e->refs = 0;
    e->next = d->free;
    d->free = e;
    d->stats.alive--;
    return leader;
}

void vv_entry_release(vv_desk *d, vv_entry *e)
{
    while (e && --e->refs == 0) e = clear(d, e);
}

void vv_entry_undo(vv_desk *d, vv_entry *e)
{
    e->refs = 1;
    vv_entry_release(d, e);
}

/* --- who waits for it --- */

vv_status vv_entry_watch(vv_desk *d, vv_entry *e, vv_watcher *tell, void *context)
{
    vv_watch *w, **at = &e->watch;
    (void)d;
    if (vv_entry_ended(e)) {
        tell(context, e->id);
        return VV_OK;
    }
    VV_TRY(vv_new(&w, 1, sizeof *w));
    *w = (vv_watch){.tell = tell, .context = context};
    while (*at) at = &(*at)->next;
    *at = w;
    return VV_OK;
}

void vv_entry_unwatch(vv_entry *e, const void *context)
{
    for (vv_watch **at = &e->watch; *at;) {
        vv_watch *w = *at;
        if (w->context != context) {
            at = &w->next;
            continue;
        }
        *at = w->next;
        free(w);
    }
}

/* What it was given is not needed any more. */
static void release_inputs(vv_desk *d, vv_entry *e)
{
    vv_spec *s = e->spec;
    e->spec = NULL;
    if (!s) return;
    const char *at = (const char *)&s->head + sizeof s->head, *end = (const char *)&s->head + s->size;
    while (s->n_inputs > 0 && at < end) {
        vv_packed_arg a;
        memcpy(&a, at, sizeof a);
        at += sizeof a + (size_t)(a.kind == VV_ARG_BYTES ? vv_wire_padded(a.x) : 0);
        if (a.kind == VV_ARG_FUTURE) vv_entry_release(d, vv_desk_find(d, a.x));
    }
    free(s);
}

/* A task one of whose inputs has ended. */
static void input_ended(vv_desk *d, vv_entry *user, const vv_entry *e)
{
    if (vv_entry_ended(user)) return;
    if (e->state == VV_ENTRY_FAILED) {
        e->value.blame->users++;
        user->value.blame = e->value.blame;
        vv_entry_end(d, user, VV_ENTRY_FAILED);
    } else if (e->state == VV_ENTRY_CANCELLED) {
        vv_entry_end(d, user, VV_ENTRY_CANCELLED);
    } else if (user->state == VV_ENTRY_FOLLOWS) {
        user->kind = VV_ARG_FUTURE; /* and nothing of its own */
        vv_entry_end(d, user, VV_ENTRY_FINISHED);
    } else if (--user->waiting == 0 && vv_entry_ready(d, user) != VV_OK) {
        vv_entry_fail(d, user, VV_ERR_NOMEM, 0, vv_last_error());
    }
}

static void tell_users(vv_desk *d, vv_entry *e)
{
    while (e->users) {
        vv_user_of *l = e->users;
        e->users = l->next;
        input_ended(d, l->user, e);
        vv_entry_release(d, l->user);
        l->next = d->free_links;
        d->free_links = l;
    }
    while (e->watch) {
        vv_watch *w = e->watch;
        e->watch = w->next;
        w->tell(w->context, e->id);
        free(w);
    }
}

/* What ends because of it is told in turn, not within: chains may be long. */
void vv_entry_end(vv_desk *d, vv_entry *e, vv_entry_state state)
{
    if (e->leader && state != VV_ENTRY_FINISHED) {
        vv_entry_release(d, e->leader);
        e->leader = NULL;
    }
    e->state = (uint8_t)state;
    d->stats.finished += state == VV_ENTRY_FINISHED;
    d->stats.failed += state == VV_ENTRY_FAILED;
    d->stats.cancelled += state == VV_ENTRY_CANCELLED;
    e->next = NULL;
    *d->ended_last = e;
    d->ended_last = &e->next;
    if (d->telling) return;
    d->telling = true;
    while (d->ended) {
        vv_entry *first = d->ended;
        d->ended = first->next;
        if (!d->ended) d->ended_last = &d->ended;
        release_inputs(d, first);
        tell_users(d, first);
        vv_entry_release(d, first);
    }
    d->telling = false;
}

void vv_entry_fail(vv_desk *d, vv_entry *e, vv_status code, int rank, const char *text)
{
    vv_blame *b = malloc(sizeof *b + strlen(text) + 1);
    if (!b) { /* nothing can be said: it ends all the same */
        vv_entry_end(d, e, VV_ENTRY_CANCELLED);
        return;
    }
    *b = (vv_blame){.users = 1, .rank = rank, .code = code};
    strcpy(b->text, text);
    e->value.blame = b;
    vv_entry_end(d, e, VV_ENTRY_FAILED);
}

/* --- begin and end --- */

vv_status vv_desk_open(vv_net *net, const vv_host_options *o, vv_desk **out)
{
    vv_desk *d;
    VV_TRY(vv_new(&d, 1, sizeof *d));
    d->net = net;
    d->ranks = net->size;
    d->threads = o->threads < 1 ? 1 : o->threads;
    d->ended_last = &d->ended;
    vv_status status = vv_new(&d->seat, (size_t)d->ranks, sizeof *d->seat);
    if (status == VV_OK) status = vv_host_open(net, o, &d->host);
    if (status != VV_OK) {
        free(d->seat);
        free(d);
        return status;
    }
    d->host->desk = vv_desk_take;
    d->host->desk_context = d;
    *out = d;
    return VV_OK;
}

static void free_entries(vv_desk *d)
{
    for (int i = 0; i < d->n_slabs; i++) {
        for (int k = 0; k < SLAB; k++) {
            vv_entry *e = &d->slab[i][k];
            if (e->refs == 0) continue;
            e->large = false;
            (void)clear(d, e);
        }
        free(d->slab[i]);
    }
    free(d->slab);
}

void vv_desk_close(vv_desk **desk)
{
    vv_desk *d = *desk;
    *desk = NULL;
    if (!d) return;
    free_entries(d);
    vv_host_close(&d->host);
    while (d->link_slabs) {
        vv_user_of *slab = d->link_slabs;
        d->link_slabs = slab->next;
        free(slab);
    }
    for (int i = 0; i < d->ranks; i++) {
        vv_heap_free(&d->seat[i].own);
        vv_heap_free(&d->seat[i].pinned);
    }
    for (int i = 0; i < d->n_functions; i++) vv_symbol_free(&d->function[i].symbol);
    vv_heap_free(&d->any);
    vv_buf_free(&d->scratch);
    free(d->function);
    free(d->made);
    free(d->seat);
    free(d);
}
