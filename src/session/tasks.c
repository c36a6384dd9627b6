#include "session/tasks.h"

#include "base/log.h"

#include <string.h>

/* What ranks are told when tasks begin. */
typedef struct beginning {
    int64_t epoch;
    int32_t threads, log;
    vv_bytes memory;
    char scratch[4096];
} beginning;

static vv_host_options options_of(const beginning *b)
{
    vv_bytes baseline = vv_mem_baseline();
    vv_mem_set_budget(b->memory, baseline);
    return (vv_host_options){b->epoch, b->threads, vv_imax(1, (b->memory - baseline) / 2), b->scratch};
}

/* A task function is given nothing but arguments. There is one session in a process. */
static vv_keep *keep_here;

vv_keep *vv_tasks_keep(void)
{
    return keep_here;
}

/* --- rank 0 --- */

static vv_status open_desk(vv_session *s)
{
    static int64_t epochs;
    beginning b = {.epoch = ++epochs, .threads = s->threads, .log = vv_log_get(), .memory = s->memory};
    vv_placed_tell(s);
    if (s->scratch) strncpy(b.scratch, s->scratch, sizeof b.scratch - 1);
    vv_host_options o = options_of(&b);
    keep_here = s->keep;
    VV_TRY(vv_spread(s->net, VV_TAG_TASKS, &b, sizeof b));
    return vv_desk_open(s->net, &o, &s->desk);
}

vv_status vv_tasks_desk(vv_session *s, vv_desk **out)
{
    if (!s->desk) VV_TRY(open_desk(s));
    *out = s->desk;
    return VV_OK;
}

vv_status vv_tasks_pause(vv_session *s)
{
    return s->desk && s->desk->failure.code == VV_OK ? vv_desk_pause(s->desk, vv_signals_seen) : VV_OK;
}

/* After a failure, when records may be missing: every rank closes what it has, and says so. */
static vv_status stop_all(vv_session *s)
{
    vv_backoff wait = {0};
    int left = s->net->size - 1;
    for (int i = 1; i < s->net->size; i++) VV_TRY(vv_net_send_surely(s->net, i, VV_TAG_STOP, "", 1));
    while (left > 0 && !s->net->broken) {
        vv_message m;
        bool got;
        VV_TRY(vv_net_receive(s->net, &m, &got));
        if (got) {
            left -= m.tag == VV_TAG_STOP;
            vv_mem_put(&m.data);
            vv_backoff_reset(&wait);
            continue;
        }
        if (vv_signals_seen(NULL)) s->net->broken = true;
        vv_backoff_wait(&wait);
    }
    return VV_OK;
}

vv_status vv_tasks_end(vv_session *s)
{
    if (!s->desk) return VV_OK;
    vv_status status = s->desk->failure.code == VV_OK ? vv_desk_end(s->desk, vv_signals_seen) : s->desk->failure.code;
    if (status != VV_OK) {
        vv_failure e;
        vv_error_get(&e);
        if (vv_signals_seen(NULL)) s->net->broken = true;
        if (stop_all(s) != VV_OK) s->net->broken = true;
        vv_error_set(&e);
    }
    if (!s->net->broken)
        vv_desk_close(&s->desk);
    else
        s->desk = NULL; /* tasks may be running: the process ends */
    return status;
}

/* --- the others --- */

vv_status vv_tasks_begin(vv_net *net, const vv_message *m, vv_keep *keep, vv_host **host)
{
    beginning b;
    VV_TRY(vv_spread(net, VV_TAG_TASKS, m->data, m->size));
    memcpy(&b, m->data, sizeof b);
    vv_log_set((vv_log_level)b.log);
    vv_host_options o = options_of(&b);
    keep_here = keep;
    return vv_host_open(net, &o, host);
}

static void check(vv_host *h, vv_status status)
{
    if (status != VV_OK && !h->broken) vv_host_broken(h);
}

void vv_tasks_turn(vv_net *net, vv_host **host, bool moved)
{
    vv_host *h = *host;
    (void)net;
    if (!h->broken) check(h, vv_host_turn(h, &moved));
    if (h->ended_all && h->wire.peer[0].out.size == 0)
        vv_host_close(host);
    else if (!moved)
        vv_host_rest(h, 1);
}

/* STOP: the desk has given up, perhaps when this rank had ended all tasks and just said so. */
bool vv_tasks_take(vv_net *net, vv_host **host, vv_message *m)
{
    vv_host *h = *host;
    bool mine = m->tag == VV_TAG_STOP || (h && (m->tag == VV_TAG_TASK || m->tag == VV_TAG_VALUE));
    if (!mine) return false;
    if (m->tag == VV_TAG_STOP) {
        vv_host_close(host);
        if (vv_net_send_surely(net, 0, VV_TAG_STOP, "", 1) != VV_OK) net->broken = true;
    } else if (!h->broken) {
        check(h, vv_host_receive(h, m));
    }
    vv_mem_put(&m->data);
    return true;
}
