#include "exec/engine.h"

#include "base/fault.h"
#include "exec/run.h"
#include "exec/settle.h"

#include <stdlib.h>

void vv_run_fail(vv_run *r, vv_status status)
{
    pthread_mutex_lock(&r->lock);
    if (status != VV_ERR_CANCELLED && r->failure.code == VV_OK) vv_error_get(&r->failure);
    pthread_mutex_unlock(&r->lock);
    atomic_store(&r->cancelled, 1);
    if (r->agenda) vv_agenda_wake(r->agenda);
}

static vv_status stage_setup(vv_run *r, int number)
{
    vv_stage *g = &r->stage[number];
    const vv_step *s = &r->plan->step[number];
    g->run = r;
    pthread_mutex_init(&g->lock, NULL);
    g->job = (vv_job){.plan = r->plan, .step = s, .number = number, .feed = r->feeds.feed, .store = r->store};
    for (int i = 0; i < s->n_inputs; i++) g->job.edge[i] = vv_store_edge(r->store, number, i);
    g->job.own = vv_place_count(s, r->net->rank, r->net->size);
    atomic_store(&g->left, g->job.own);
    vv_index most = vv_waiting_in_order(r->plan, s);
    if (most > 0 && vv_step_waits(s)) VV_TRY(vv_agenda_watch(r->agenda, number, &g->waiting, most));
    return vv_work_bytes(r->plan, s, &g->job.work);
}

static vv_index results_due(const vv_run *r)
{
    vv_index due = 0;
    for (int i = 0; i < r->plan->n_steps && r->net->rank == 0; i++) {
        const vv_step *s = &r->plan->step[i];
        if (s->op != VV_STEP_GATHER) continue;
        const vv_step *from = &r->plan->step[s->from];
        for (vv_index out = 0; out < vv_step_outs(from); out++) due += vv_out_owner(from, r->net->size, out) != 0;
    }
    return due;
}

static vv_status prepare(vv_run *r)
{
    const vv_plan *p = r->plan;
    int rank = r->net->rank;
    if (!p) return VV_ERR_CANCELLED; /* the failure is recorded already */
    if (p->ranks != r->net->size) return vv_fail(VV_ERR_INTERNAL, "a plan for %d ranks on %d", p->ranks, r->net->size);
    r->main = pthread_self();
    r->turn = p->n_steps;
    r->random = (uint64_t)p->fuzz + (uint64_t)rank;
    VV_TRY(vv_new(&r->stage, (size_t)p->n_steps + 1, sizeof *r->stage));
    VV_TRY(vv_new(&r->open, (size_t)r->net->size, sizeof *r->open));
    VV_TRY(vv_new(&r->ended, (size_t)r->net->size, sizeof *r->ended));
    VV_TRY(vv_new(&r->counts, (size_t)p->n_steps + 1, sizeof *r->counts));
    VV_TRY(vv_fault(VV_FAULT_START));
    VV_TRY(vv_store_new(p, rank, &r->store));
    VV_TRY(vv_agenda_open(p, rank, r->store, &r->agenda));
    VV_TRY(vv_feeds_open(p, rank, r->hooks->index, r->hooks->places, &r->feeds));
    for (int i = 0; i < p->n_sources; i++) r->feeds.feed[i].keep = r->hooks->keep;
    if (r->hooks->keep) VV_TRY(vv_keep_begin(r->hooks->keep, p, rank));
    for (int i = 0; i < p->n_steps; i++)
        if (vv_step_computes(&p->step[i])) VV_TRY(stage_setup(r, i));
    VV_TRY(vv_targets_make(r));
    VV_TRY(vv_stuck_begin(r));
    VV_TRY(vv_grown_begin(r));
    VV_TRY(vv_journal_open(p, rank, &r->journal));
    VV_TRY(vv_trace_begin(r));
    r->results_due = results_due(r);
    if (p->report_every && rank == 0) VV_TRY(vv_new(&r->report, (size_t)r->net->size, sizeof *r->report));
    return rank == 0 ? vv_feeds_send(&r->feeds, r->net) : VV_OK;
}

static vv_status run_all(vv_run *r, int64_t *ready_us)
{
    VV_TRY(prepare(r));
    vv_backoff wait = {0};
    while (r->feeds.due > 0) VV_TRY(vv_run_wait(r, &wait));
    if (r->hooks->born > 0) *ready_us = (int64_t)((vv_clock() - r->hooks->born) * 1e6);
    VV_TRY(vv_crew_work(r));
    while (vv_trees_wait(r, vv_agenda_acts(r->agenda)) || vv_act_untold(r) || r->results_in < r->results_due)
        VV_TRY(vv_run_wait(r, &wait));
    VV_TRY(vv_letters_flush(r));
    VV_TRY(vv_feeds_check(&r->feeds));
    vv_event commit = {.begin = vv_ticks(), .step = VV_EVENT_COMMIT};
    VV_TRY(vv_commit(r));
    commit.end = vv_ticks();
    if (r->out_open) vv_trace_add(r, 0, &commit);
    VV_TRY(vv_trace_gather(r));
    return vv_counts_gather(r);
}

static void release(vv_run *r)
{
    for (int i = 0; r->stage && i < r->plan->n_steps; i++) {
        free(r->stage[i].target);
        if (!r->stage[i].run) continue;
        vv_stage_clear(&r->stage[i]);
        pthread_mutex_destroy(&r->stage[i].lock);
    }
    vv_feeds_close(&r->feeds);
    vv_grown_end(r);
    vv_journal_close(&r->journal);
    vv_letters_drop(r);
    vv_trace_end(r);
    vv_desks_free(r);
    vv_agenda_close(&r->agenda);
    vv_store_free(&r->store);
    for (vv_index i = 0; i < r->n_packed; i++) vv_mem_put(&r->packed[i].data);
    if (r->out_open) vv_raw_out_close(&r->out);
    vv_mem_put(&r->places);
    vv_buf_free(&r->sizes);
    free(r->packed);
    free(r->report);
    free(r->ended);
    free(r->quiet);
    free(r->counts);
    free(r->open);
    free(r->stage);
    pthread_mutex_destroy(&r->lock);
}

static void agreement_of(const vv_run *r, int64_t ready_us, vv_agreement *a)
{
    *a = (vv_agreement){.failure = r->failure};
    a->sum[0] = atomic_load(&r->tasks);
    a->sum[1] = atomic_load(&r->read);
    a->sum[2] = atomic_load(&r->moved);
    a->sum[3] = atomic_load(&r->written);
    a->sum[4] = r->store ? vv_store_spilled(r->store) : 0;
    a->sum[5] = vv_feeds_bad(&r->feeds);
    a->sum[6] = r->hooks->keep ? vv_keep_bytes(r->hooks->keep) : 0;
    a->sum[7] = atomic_load(&r->messages);
    a->sum[8] = atomic_load(&r->across);
    a->sum[9] = r->net->sends;
    a->sum[10] = r->net->control;
    a->max[0] = vv_mem_resident_peak();
    a->max[1] = ready_us;
}

static void stats_of(const vv_agreement *a, vv_engine_stats *stats)
{
    *stats = (vv_engine_stats){.tasks = a->sum[0],
                               .read = a->sum[1],
                               .moved = a->sum[2],
                               .written = a->sum[3],
                               .spilled = a->sum[4],
                               .bad = a->sum[5],
                               .held = a->sum[6],
                               .messages = a->sum[7],
                               .across = a->sum[8],
                               .sends = a->sum[9],
                               .control = a->sum[10],
                               .peak = a->max[0],
                               .ready_us = a->max[1]};
}

vv_status vv_engine_run(vv_net *net, const vv_plan *plan, const vv_hooks *hooks, vv_engine_stats *stats)
{
    vv_run r = {.net = net, .plan = plan, .hooks = hooks};
    vv_agreement a;
    int64_t ready_us = 0;
    pthread_mutex_init(&r.lock, NULL);
    r.last_letter = &r.letters;
    net->sends = net->control = 0;
    vv_mem_reset_peak();
    if (!plan) vv_error_get(&r.failure);
    vv_status status = run_all(&r, &ready_us);
    if (status != VV_OK) vv_run_fail(&r, status);
    if (status != VV_OK) vv_save_open(&r);
    agreement_of(&r, ready_us, &a);
    status = vv_settle(net, &a, hooks->signalled, hooks->context);
    stats_of(&a, stats);
    release(&r);
    vv_mem_rest();
    if (hooks->keep && plan) vv_keep_end(hooks->keep, plan, status == VV_OK && a.failure.code == VV_OK);
    if (status == VV_OK && a.failure.code != VV_OK) {
        vv_error_set(&a.failure);
        return a.failure.code;
    }
    return status;
}
