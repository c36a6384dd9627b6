#include "exec/tasks/wire.h"

#include "base/fault.h"
#include "exec/net/bell.h"

#include <stdlib.h>
#include <string.h>

/* Seconds without a word until a rank that is expected to say something is asked. */
static const double quiet = 1;

/* In front of every message. */
typedef struct head {
    int64_t number, epoch;
} head;

/* A message that came before an earlier one. */
typedef struct vv_wire_early {
    struct vv_wire_early *next;
    vv_message m;
} vv_wire_early;

static int64_t number_of(const vv_message *m)
{
    return ((const head *)m->data)->number;
}

static int64_t setting(const char *name)
{
    const char *text = getenv(name);
    return text ? atoll(text) : 0;
}

vv_status vv_wire_open(vv_wire *w, vv_net *net, int64_t epoch, vv_wire_taker *take, void *context)
{
    enum { PATIENCE = 20 };
    int64_t patience = setting("VARVE_PATIENCE");
    *w = (vv_wire){.net = net, .take = take, .context = context, .epoch = epoch, .lose = setting("VARVE_LOSE")};
    w->patience = patience > 0 ? (double)patience : PATIENCE;
    w->fuzz = (uint64_t)setting("VARVE_FUZZ") * 2 * (uint64_t)(net->rank + 1);
    return vv_new(&w->peer, (size_t)net->size, sizeof *w->peer);
}

void vv_wire_close(vv_wire *w)
{
    for (int i = 0; w->peer && i < w->net->size; i++) {
        vv_wire_peer *p = &w->peer[i];
        vv_buf_free(&p->out);
        while (p->early) {
            vv_wire_early *e = p->early;
            p->early = e->next;
            vv_mem_put(&e->m.data);
            free(e);
        }
    }
    free(w->peer);
    *w = (vv_wire){0};
}

/* --- sending --- */

void vv_wire_say(vv_wire *w, int to, const vv_record *r, const void *body)
{
    static const char zeros[16];
    vv_buf *b = &w->peer[to].out;
    if (b->size == 0) vv_buf_bytes(b, &(head){0}, sizeof(head));
    vv_buf_bytes(b, r, sizeof *r);
    vv_buf_bytes(b, body, (size_t)r->size);
    vv_buf_bytes(b, zeros, (size_t)(vv_wire_padded(r->size) - r->size));
}

static vv_status send(vv_wire *w, int to, vv_tag tag, void *block, vv_bytes size)
{
    *(head *)block = (head){w->peer[to].sent++, w->epoch};
    vv_status status = tag == VV_TAG_VALUE ? vv_net_send(w->net, to, tag, &block, size)
                                           : vv_net_send_surely(w->net, to, tag, block, size);
    if (w->net->bell && !vv_net_crosses(w->net, to)) vv_bell_ring(&w->net->bell[to]);
    return status;
}

vv_status vv_wire_send(vv_wire *w, int to)
{
    enum { KEEP = 1 << 16 };
    vv_wire_peer *p = &w->peer[to];
    VV_TRY(vv_buf_status(&p->out));
    if (p->out.size == 0 || to == w->net->rank) return VV_OK;
    vv_status status = send(w, to, VV_TAG_TASK, p->out.data, (vv_bytes)p->out.size);
    p->out.size = 0;
    if (p->out.capacity > KEEP) vv_buf_free(&p->out);
    return status;
}

vv_status vv_wire_value(vv_wire *w, int to, int64_t id, int kind, const void *data, vv_bytes size)
{
    char *block;
    VV_TRY(vv_wire_send(w, to)); /* what was said before is known before */
    VV_TRY(vv_mem_get(&block, (vv_bytes)(sizeof(head) + sizeof(vv_record)) + size, "a value for another rank"));
    memcpy(block + sizeof(head), &(vv_record){.say = VV_SAY_VALUE, .a = kind, .id = id, .size = size},
           sizeof(vv_record));
    if (size) memcpy(block + sizeof(head) + sizeof(vv_record), data, (size_t)size);
    return send(w, to, VV_TAG_VALUE, block, (vv_bytes)(sizeof(head) + sizeof(vv_record)) + size);
}

/* --- taking --- */

static vv_status take_records(vv_wire *w, int from, const char *data, vv_bytes size, void **block)
{
    for (const char *at = data + sizeof(head), *end = data + size; at < end;) {
        const vv_record *r = (const vv_record *)(const void *)at;
        const char *body = at + sizeof *r;
        at = body + vv_wire_padded(r->size);
        if (r->say == VV_SAY_PING)
            vv_wire_say(w, from, &(vv_record){.say = VV_SAY_PONG}, NULL);
        else if (r->say == VV_SAY_PONG)
            w->peer[from].asked = false;
        else
            VV_TRY(w->take(w->context, from, r, body, block));
    }
    return VV_OK;
}

static vv_status take_own(vv_wire *w, bool *moved)
{
    vv_wire_peer *p = &w->peer[w->net->rank];
    while (p->out.size > 0) {
        vv_buf mine = p->out;
        void *none = NULL;
        p->out = (vv_buf){0};
        vv_status status = vv_buf_status(&mine);
        if (status == VV_OK) status = take_records(w, w->net->rank, mine.data, (vv_bytes)mine.size, &none);
        if (p->out.size == 0 && !p->out.data) {
            p->out = mine; /* its memory serves again */
            p->out.size = 0;
        } else {
            vv_buf_free(&mine);
        }
        VV_TRY(status);
        *moved = true;
    }
    return VV_OK;
}

/* For tests: most messages wait a little now and then. */
static bool hesitates(vv_wire *w)
{
    if (!w->fuzz) return false;
    w->fuzz = w->fuzz * 6364136223846793005u + 1442695040888963407u;
    return (w->fuzz >> 60) < 10;
}

vv_status vv_wire_flush(vv_wire *w, bool *moved)
{
    VV_TRY(take_own(w, moved));
    for (int to = 0; to < w->net->size; to++)
        if (to != w->net->rank && w->peer[to].out.size > 0 && !hesitates(w)) {
            *moved = true;
            VV_TRY(vv_wire_send(w, to));
        }
    return VV_OK;
}

static vv_status take_message(vv_wire *w, vv_message *m)
{
    w->peer[m->from].taken++;
    return take_records(w, m->from, m->data, m->size, m->tag == VV_TAG_VALUE ? &m->data : &(void *){NULL});
}

static vv_status set_aside(vv_wire_peer *p, vv_message *m)
{
    vv_wire_early *e, **at = &p->early;
    VV_TRY(vv_new(&e, 1, sizeof *e));
    e->m = *m;
    m->data = NULL;
    while (*at && number_of(&(*at)->m) < number_of(&e->m)) at = &(*at)->next;
    e->next = *at;
    *at = e;
    if (p->missed == 0) p->missed = vv_now();
    return VV_OK;
}

vv_status vv_wire_receive(vv_wire *w, vv_message *m)
{
    vv_wire_peer *p = &w->peer[m->from];
    VV_TRY(vv_fault(VV_FAULT_RECEIVE));
    if (m->size >= (vv_bytes)sizeof(head) && ((const head *)m->data)->epoch != w->epoch) return VV_OK;
    p->heard = vv_now();
    if (w->lose > 0 && --w->lose == 0) return VV_OK;
    if (m->size < (vv_bytes)sizeof(head) || number_of(m) < p->taken)
        return vv_fail(VV_ERR_INTERNAL, "rank %d sent a message twice, or a damaged one", m->from);
    if (number_of(m) > p->taken) return set_aside(p, m);
    VV_TRY(take_message(w, m));
    while (p->early && number_of(&p->early->m) == p->taken) {
        vv_wire_early *e = p->early;
        p->early = e->next;
        vv_status status = take_message(w, &e->m);
        vv_mem_put(&e->m.data);
        free(e);
        VV_TRY(status);
    }
    p->missed = p->early ? p->heard : 0;
    return VV_OK;
}

vv_status vv_wire_expect(vv_wire *w, int from)
{
    vv_wire_peer *p = &w->peer[from];
    double now = vv_now();
    if (p->missed > 0 && now - p->missed > w->patience)
        return vv_fail(VV_ERR_MPI, "message %lld of rank %d to rank %d was lost on the way", (long long)p->taken, from,
                       w->net->rank);
    if (p->heard == 0) p->heard = now;
    if (p->asked && from != 0 && now - p->heard > w->patience) /* rank 0 answers when its driver lets it */
        return vv_fail(VV_ERR_MPI, "rank %d has not answered rank %d for %g seconds: a message was lost on the way",
                       from, w->net->rank, w->patience);
    if (p->asked || now - p->heard < quiet || from == w->net->rank) return VV_OK;
    p->asked = true;
    p->heard = now;
    vv_wire_say(w, from, &(vv_record){.say = VV_SAY_PING}, NULL);
    return VV_OK;
}
