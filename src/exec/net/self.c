/* One process alone: messages to oneself are a queue, agreement is immediate. No MPI. */
#include "exec/net/net.h"

#include <stdlib.h>
#include <string.h>

typedef struct letter {
    struct letter *next;
    vv_message m;
} letter;

typedef struct self {
    vv_net net;
    letter *first, **last;
} self;

static vv_status self_send(vv_net *n, int to, vv_tag tag, void *data, vv_bytes size)
{
    self *s = (self *)n;
    letter *l;
    vv_status status = vv_new(&l, 1, sizeof *l);
    if (status != VV_OK) {
        vv_mem_put(&data);
        return status;
    }
    l->m = (vv_message){to, tag, size, data};
    *s->last = l;
    s->last = &l->next;
    n->sending++;
    n->sending_bytes += size;
    return VV_OK;
}

static vv_status self_receive(vv_net *n, vv_message *m, bool *got)
{
    self *s = (self *)n;
    letter *l = s->first;
    if (!l) return VV_OK;
    s->first = l->next;
    if (!s->first) s->last = &s->first;
    *m = l->m;
    *got = true;
    n->sending--;
    n->sending_bytes -= m->size;
    free(l);
    return VV_OK;
}

static vv_status self_gather(vv_net *n, const void *mine, int size, void *all)
{
    (void)n;
    memcpy(all, mine, (size_t)size);
    return VV_OK;
}

static vv_status self_agree_begin(vv_net *n, vv_agreement *a)
{
    (void)n;
    (void)a;
    return VV_OK;
}

static vv_status self_agree_test(vv_net *n, bool *done)
{
    (void)n;
    *done = true;
    return VV_OK;
}

static void self_close(vv_net *n)
{
    vv_message m;
    bool got = true;
    while (got) {
        got = false;
        (void)self_receive(n, &m, &got);
        if (got) vv_mem_put(&m.data);
    }
    free(n);
}

static const vv_net_kind kind = {"self",           self_send,       self_receive, self_gather,
                                 self_agree_begin, self_agree_test, self_close};

vv_status vv_net_self_open(vv_net **out)
{
    self *s;
    VV_TRY(vv_new(&s, 1, sizeof *s));
    s->net = (vv_net){.kind = &kind, .rank = 0, .size = 1, .local = 1, .nodes = 1};
    s->last = &s->first;
    *out = &s->net;
    return VV_OK;
}
