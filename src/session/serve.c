/* Ranks other than 0: wait for plans without using a core, run them, read headers of files, verify journals, end when the driver has ended. */
#include "base/log.h"
#include "session/tasks.h"

#include <stdlib.h>
#include <string.h>

vv_status vv_spread(vv_net *net, vv_tag tag, const void *data, vv_bytes size)
{
    for (int64_t step = 1; step < net->size; step *= 2)
        if (step > net->rank && net->rank + step < net->size)
            VV_TRY(vv_net_send_surely(net, (int)(net->rank + step), tag, data, size));
    return VV_OK;
}

/* Messages of the next plan that came before the plan itself. */
typedef struct early {
    int n;
    vv_message *message;
} early;

static vv_status keep(early *e, const vv_message *m)
{
    VV_TRY(vv_grow(&e->message, e->n, sizeof *e->message, "messages"));
    e->message[e->n++] = *m;
    return VV_OK;
}

/* Gives them to what was ordered in the order in which they came, or throws them away; what is about tasks is not for an engine. */
static vv_status give_back(vv_net *net, early *e, vv_tag order, vv_status status)
{
    for (int i = 0; i < e->n; i++) {
        vv_message *m = &e->message[i];
        bool stray = order != VV_TAG_TASKS && (m->tag == VV_TAG_TASK || m->tag == VV_TAG_VALUE);
        if (status == VV_OK && !stray) status = vv_net_put_back(net, m);
        if (status != VV_OK || stray) vv_mem_put(&m->data);
    }
    free(e->message);
    return status;
}

static bool is_order(vv_tag tag)
{
    return tag == VV_TAG_PLAN || tag == VV_TAG_HEADERS || tag == VV_TAG_VERIFY || tag == VV_TAG_TASKS ||
           tag == VV_TAG_QUIT;
}

/* A rank that cannot send any more ends by itself, and its launcher ends the others, which wait for what it has to say. */
static vv_status cut_off(const vv_net *net)
{
    vv_failure e;
    vv_error_get(&e);
    return vv_fail(VV_ERR_MPI, "rank %d cannot send to other ranks: %s", net->rank, e.text);
}

/* Waits for a plan, a list of files or records, tasks or the end, and runs tasks meanwhile. Others' messages for the next plan may come first: the plan travels along a tree, they do not. */
static vv_status await(vv_net *net, vv_host **host, vv_message *out)
{
    vv_backoff wait = {0};
    early before = {0};
    vv_status status = VV_OK;
    while (status == VV_OK) {
        bool got;
        status = vv_net_receive(net, out, &got);
        if (status != VV_OK || (got && is_order(out->tag))) break;
        if (got) {
            vv_backoff_reset(&wait);
            if (!vv_tasks_take(net, host, out)) status = keep(&before, out);
            if (!*host) continue;
        }
        if (vv_signals_seen(NULL)) status = vv_fail(VV_ERR_TERMINATED, "terminated by a signal");
        if (*host)
            vv_tasks_turn(net, host, got);
        else
            vv_backoff_wait(&wait);
        if (net->broken) status = cut_off(net);
    }
    return give_back(net, &before, out->tag, status);
}

static void run_plan(vv_net *net, const vv_message *m, vv_keep *keep)
{
    vv_hooks hooks = {.asked = vv_signals_asked, .signalled = vv_signals_seen, .keep = keep};
    vv_plan *plan = NULL;
    vv_engine_stats stats;
    vv_status status = vv_spread(net, VV_TAG_PLAN, m->data, m->size);
    if (status == VV_OK) {
        vv_reader r = {.data = m->data, .size = (size_t)m->size};
        hooks.born = vv_read_f64(&r);
        status = vv_plan_unpack(r.data + r.at, (vv_bytes)(r.size - r.at), &plan);
    }
    if (status == VV_OK) {
        vv_log_set((vv_log_level)plan->log);
        vv_mem_set_budget(plan->budget, vv_mem_baseline());
    }
    status = vv_engine_run(net, status == VV_OK ? plan : NULL, &hooks, &stats);
    /* The coordinator removes the output of a failed run; when a signal ends the job it may be gone already. */
    if (status != VV_OK && vv_signals_seen(NULL) && plan) {
        if (!vv_plan_keeps_output(plan)) vv_output_path_discard(plan->output);
        vv_output_path_discard(plan->heartbeat);
    }
    vv_plan_free(&plan);
}

/* Until the coordinator quits. */
static int serve(vv_net *net, vv_keep *keep)
{
    vv_host *host = NULL; /* of tasks */
    for (;;) {
        vv_message m;
        vv_status status = await(net, &host, &m);
        if (status != VV_OK) {
            net->broken = true;
            return vv_signals_seen(NULL) ? vv_signals_exit() : vv_status_exit(status);
        }
        if (m.tag == VV_TAG_QUIT) {
            int code = *(int *)m.data;
            status = vv_spread(net, VV_TAG_QUIT, m.data, m.size);
            vv_mem_put(&m.data);
            return status == VV_OK ? code : vv_status_exit(status);
        }
        if (m.tag == VV_TAG_PLAN)
            run_plan(net, &m, keep);
        else if (m.tag == VV_TAG_TASKS)
            net->broken |= vv_tasks_begin(net, &m, keep, &host) != VV_OK;
        else if ((m.tag == VV_TAG_VERIFY ? vv_verify_serve(net, &m) : vv_open_serve(net, &m)) != VV_OK)
            net->broken = true;
        vv_mem_put(&m.data);
        if (net->broken) return vv_signals_seen(NULL) ? vv_signals_exit() : vv_status_exit(VV_ERR_MPI);
    }
}

/* Without its table of held arrays a rank can run plans all the same, until one wants some. */
int vv_serve(vv_net *net)
{
    vv_keep *keep = NULL;
    if (vv_keep_new(&keep) != VV_OK) vv_error_clear();
    int code = serve(net, keep);
    vv_keep_free(&keep);
    return code;
}
