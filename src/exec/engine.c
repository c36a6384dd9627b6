#include "exec/engine.h"

#include "base/fault.h"
#include "base/log.h"
#include "exec/run.h"

#include <stdlib.h>
#include <string.h>

/* Seconds between progress reports of a rank, and the patience with other ranks once the user wants an end. */
static const double report_every = 0.2, patience = 0.7;

void vv_run_fail(vv_run *r, vv_status status)
{
    pthread_mutex_lock(&r->lock);
    if (status != VV_ERR_CANCELLED && r->failure.code == VV_OK) vv_error_get(&r->failure);
    pthread_mutex_unlock(&r->lock);
    atomic_store(&r->cancelled, 1);
}

/* --- messages --- */

static vv_status flush_letters(vv_run *r, bool *moved)
{
    for (;;) {
        pthread_mutex_lock(&r->lock);
        vv_letter *l = r->letters;
        if (l && !(r->letters = l->next)) r->last_letter = &r->letters;
        pthread_mutex_unlock(&r->lock);
        if (!l) return VV_OK;
        vv_status status = vv_net_send(r->net, l->to, l->tag, &l->data, l->size);
        free(l);
        *moved = true;
        VV_TRY(status);
    }
}

static void take_progress(vv_run *r, int from, vv_index done, vv_bytes read)
{
    if (!r->done) return;
    r->done[from] = done;
    r->done_read[from] = read;
    vv_index all = 0, total = 0;
    vv_bytes bytes = 0;
    for (int i = 0; i < r->net->size; i++) {
        all += r->done[i];
        bytes += r->done_read[i];
    }
    for (int i = 0; i < r->plan->n_steps; i++)
        if (vv_step_computes(&r->plan->step[i]))
            total += vv_times(vv_step_outs(&r->plan->step[i]), vv_step_leaves(&r->plan->step[i]));
    if (r->hooks->progress) r->hooks->progress(r->hooks->context, all, total, bytes);
}

static vv_status report_progress(vv_run *r)
{
    double now = vv_now();
    if (!r->plan->progress || now - r->reported < report_every) return VV_OK;
    r->reported = now;
    int64_t report[2] = {atomic_load(&r->tasks), atomic_load(&r->read)};
    if (r->net->rank != 0) return vv_net_send_copy(r->net, 0, VV_TAG_PROGRESS, report, sizeof report);
    take_progress(r, 0, report[0], report[1]);
    return VV_OK;
}

static vv_status dispatch(vv_run *r, vv_message *m)
{
    switch (m->tag) {
    case VV_TAG_INDEX: return vv_index_receive(r, m);
    case VV_TAG_STATE: return vv_tree_receive(r, m);
    case VV_TAG_RESULT: return vv_deliver_receive(r, m);
    case VV_TAG_CANCEL: atomic_store(&r->cancelled, 1); return VV_OK;
    case VV_TAG_PROGRESS: take_progress(r, m->from, ((int64_t *)m->data)[0], ((int64_t *)m->data)[1]); return VV_OK;
    case VV_TAG_SIZES:
        vv_buf_bytes(&r->sizes, m->data, (size_t)m->size);
        r->sizes_in++;
        return VV_OK;
    case VV_TAG_PLACES:
        r->places = m->data;
        m->data = NULL;
        return VV_OK;
    default: return vv_fail(VV_ERR_INTERNAL, "an unexpected message (tag %d) from rank %d", (int)m->tag, m->from);
    }
}

static vv_status check_signal(vv_run *r)
{
    int number = r->hooks->signalled ? r->hooks->signalled(r->hooks->context) : 0;
    if (!number || atomic_load(&r->cancelled)) return VV_OK;
    return number == 2 ? vv_fail(VV_ERR_INTERRUPTED, "interrupted")
                       : vv_fail(VV_ERR_TERMINATED, "terminated by a signal");
}

vv_status vv_run_progress(vv_run *r, bool *moved)
{
    *moved = false;
    VV_TRY(check_signal(r));
    VV_TRY(flush_letters(r, moved));
    for (bool got = true; got && !atomic_load(&r->cancelled);) {
        vv_message m;
        VV_TRY(vv_net_receive(r->net, &m, &got));
        if (!got) break;
        *moved = true;
        vv_status status = dispatch(r, &m);
        vv_mem_put(&m.data);
        VV_TRY(status);
    }
    return report_progress(r);
}

vv_status vv_run_wait(vv_run *r, vv_backoff *b)
{
    bool moved;
    VV_TRY(vv_run_progress(r, &moved));
    if (atomic_load(&r->cancelled)) return vv_fail(VV_ERR_CANCELLED, "stopped");
    if (moved)
        vv_backoff_reset(b);
    else
        vv_backoff_wait(b);
    return VV_OK;
}

/* --- units --- */

static bool main_stop(void *context)
{
    vv_run *r = context;
    bool moved;
    vv_status status = vv_run_progress(r, &moved);
    if (status != VV_OK) vv_run_fail(r, status);
    return atomic_load(&r->cancelled);
}

static bool worker_stop(void *context)
{
    return atomic_load(&((vv_run *)context)->cancelled);
}

static vv_status run_unit(vv_stage *g, vv_worker *w, vv_index p)
{
    vv_run *r = g->run;
    vv_unit u = vv_place_unit(g->job.step, r->net->rank, r->net->size, p);
    vv_index position = vv_place_chunks_before(g->job.step, r->net->rank, r->net->size, p);
    vv_piece *piece;
    VV_TRY(vv_piece_get(g, &piece));
    vv_bytes before = w->read;
    vv_status status = vv_worker_run(w, u, position, piece->state);
    atomic_fetch_add(&r->read, w->read - before);
    if (status != VV_OK) {
        vv_piece_put(g, piece);
        return status;
    }
    piece->out = u.out;
    piece->level = 0;
    piece->i = u.leaf;
    VV_TRY(vv_tree_add(g, piece));
    atomic_fetch_add(&r->tasks, 1);
    return VV_OK;
}

/* One thread's part of a step: takes units until there are none. */
static void run_units(vv_stage *g, bool (*stop)(void *))
{
    vv_worker w;
    vv_status status = vv_worker_open(&g->job, &w);
    w.stop = stop;
    w.context = g->run;
    while (status == VV_OK && !stop(g->run)) {
        vv_index p = atomic_fetch_add(&g->next, 1);
        if (p >= g->job.own) break;
        status = run_unit(g, &w, p);
    }
    vv_worker_close(&w);
    if (status != VV_OK) vv_run_fail(g->run, status);
}

/* --- threads: helpers wait for the main thread to open a step, work it off, and report back --- */

typedef struct crew {
    vv_run *run;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int open;    /* number of steps opened so far */
    int stage;   /* step number of the one opened last; -1: go home */
    int working; /* helpers that have not finished it */
    int n;
    pthread_t *thread;
} crew;

static void *helper(void *argument)
{
    crew *c = argument;
    int seen = 0;
    for (;;) {
        pthread_mutex_lock(&c->lock);
        while (c->open == seen) pthread_cond_wait(&c->changed, &c->lock);
        seen = c->open;
        int stage = c->stage;
        pthread_mutex_unlock(&c->lock);
        if (stage < 0) return NULL;
        run_units(&c->run->stage[stage], worker_stop);
        pthread_mutex_lock(&c->lock);
        c->working--;
        pthread_mutex_unlock(&c->lock);
    }
}

static void crew_open(crew *c, int stage)
{
    pthread_mutex_lock(&c->lock);
    c->open++;
    c->stage = stage;
    c->working = c->n;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

static bool crew_busy(crew *c)
{
    pthread_mutex_lock(&c->lock);
    bool busy = c->working > 0;
    pthread_mutex_unlock(&c->lock);
    return busy;
}

static vv_status crew_start(crew *c, vv_run *r)
{
    *c = (crew){.run = r};
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, NULL);
    VV_TRY(vv_new(&c->thread, (size_t)r->plan->threads, sizeof *c->thread));
    while (c->n < r->plan->threads - 1) {
        int code = pthread_create(&c->thread[c->n], NULL, helper, c);
        if (code)
            return vv_fail(VV_ERR_RUN, "cannot start thread %d of %d: %s", c->n + 2, r->plan->threads, strerror(code));
        c->n++;
    }
    return VV_OK;
}

static void crew_end(crew *c)
{
    if (!c->run) return;
    crew_open(c, -1);
    for (int i = 0; i < c->n; i++) pthread_join(c->thread[i], NULL);
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->changed);
    free(c->thread);
}

/* --- a run --- */

static bool stage_done(vv_stage *g)
{
    pthread_mutex_lock(&g->lock);
    bool done = g->waiting == 0;
    pthread_mutex_unlock(&g->lock);
    return done;
}

/* Helpers use the stage until they report back, cancelled or not. */
static void await_crew(vv_run *r, crew *c)
{
    vv_backoff wait = {0};
    while (crew_busy(c)) {
        bool moved = false;
        vv_status status = atomic_load(&r->cancelled) ? VV_OK : vv_run_progress(r, &moved);
        if (status != VV_OK) vv_run_fail(r, status);
        if (!moved) vv_backoff_wait(&wait);
    }
}

static vv_status run_stage(vv_run *r, crew *c, int number)
{
    vv_stage *g = &r->stage[number];
    vv_backoff wait = {0};
    while (g->indexes_due > 0) VV_TRY(vv_run_wait(r, &wait));
    crew_open(c, number);
    run_units(g, main_stop);
    await_crew(r, c);
    while (!stage_done(g)) VV_TRY(vv_run_wait(r, &wait));
    if (atomic_load(&r->cancelled)) return vv_fail(VV_ERR_CANCELLED, "stopped");
    vv_stage_clear(g);
    return VV_OK;
}

static void stage_setup(vv_run *r, int number)
{
    vv_stage *g = &r->stage[number];
    const vv_step *s = &r->plan->step[number];
    g->run = r;
    g->job = (vv_job){.plan = r->plan, .step = s, .number = number};
    g->job.streams = vv_step_streams(r->plan, s);
    g->job.whole_dims = true;
    for (int i = 0; i < s->n_inputs; i++)
        if (r->plan->source[r->plan->step[s->input[i].step].source].chunked) g->job.whole_dims = false;
    g->job.own = vv_place_count(s, r->net->rank, r->net->size);
    vv_work_bytes(r->plan, s, &g->job.work);
    pthread_mutex_init(&g->lock, NULL);
}

static vv_index results_due(const vv_run *r)
{
    vv_index due = 0;
    for (int i = 0; i < r->plan->n_steps && r->net->rank == 0; i++) {
        const vv_step *s = &r->plan->step[i];
        if (s->op != VV_STEP_GATHER) continue;
        const vv_step *from = &r->plan->step[s->input[0].step];
        for (vv_index out = 0; out < vv_step_outs(from); out++)
            due += vv_place_owner(from, r->net->size, (vv_unit){out, 0}) != 0;
    }
    return due;
}

static vv_status prepare(vv_run *r)
{
    const vv_plan *p = r->plan;
    if (!p) return VV_ERR_CANCELLED; /* the failure is recorded already */
    VV_TRY(vv_new(&r->stage, (size_t)p->n_steps, sizeof *r->stage));
    for (int i = 0; i < p->n_steps; i++)
        if (vv_step_computes(&p->step[i])) stage_setup(r, i);
    VV_TRY(vv_fault(VV_FAULT_START));
    for (int i = 0; i < p->n_steps; i++)
        if (vv_step_computes(&p->step[i])) VV_TRY(vv_feeds_open(&r->stage[i]));
    r->results_due = results_due(r);
    if (p->progress && r->net->rank == 0) {
        VV_TRY(vv_new(&r->done, (size_t)r->net->size, sizeof *r->done));
        VV_TRY(vv_new(&r->done_read, (size_t)r->net->size, sizeof *r->done_read));
    }
    return r->net->rank == 0 ? vv_index_send(r) : VV_OK;
}

static vv_status run_all(vv_run *r, crew *c, int64_t *ready_us)
{
    VV_TRY(prepare(r));
    vv_backoff wait = {0};
    while (r->indexes_due > 0) VV_TRY(vv_run_wait(r, &wait));
    if (r->hooks->born > 0) *ready_us = (int64_t)((vv_clock() - r->hooks->born) * 1e6);
    VV_TRY(crew_start(c, r));
    for (int i = 0; i < r->plan->n_steps; i++)
        if (vv_step_computes(&r->plan->step[i])) VV_TRY(run_stage(r, c, i));
    while (r->results_in < r->results_due) VV_TRY(vv_run_wait(r, &wait));
    VV_TRY(vv_commit(r));
    bool moved;
    return flush_letters(r, &moved);
}

/* Tells everybody that this rank has failed, once. */
static void tell(vv_run *r)
{
    if (r->told || r->failure.code == VV_OK) return;
    r->told = true;
    for (int to = 0; to < r->net->size && !r->net->broken; to++)
        if (to != r->net->rank && vv_net_send_surely(r->net, to, VV_TAG_CANCEL, &to, sizeof to) != VV_OK)
            vv_error_clear();
}

/* One turn of the end game: messages are received and thrown away so that every sender can finish. */
static vv_status drain(vv_run *r, bool *got)
{
    vv_message m;
    VV_TRY(vv_net_receive(r->net, &m, got));
    if (*got) vv_mem_put(&m.data);
    return VV_OK;
}

/* When a signal has come, others may be dead already and will not answer. */
static bool out_of_patience(vv_run *r, double *since)
{
    if (!r->hooks->signalled || !r->hooks->signalled(r->hooks->context)) return false;
    if (*since == 0) *since = vv_now();
    return vv_now() - *since > patience;
}

static vv_status settle(vv_run *r, vv_agreement *a)
{
    bool begun = false, done = false;
    double since = 0;
    vv_backoff wait = {0};
    r->net->discarding = true;
    tell(r);
    while (!done) {
        bool got;
        if (r->net->broken || out_of_patience(r, &since)) {
            r->net->broken = true;
            if (r->failure.code == VV_OK) return vv_fail(VV_ERR_TERMINATED, "terminated by a signal");
            vv_error_set(&r->failure);
            return r->failure.code;
        }
        VV_TRY(drain(r, &got));
        if (!begun && r->net->sending == 0) {
            VV_TRY(r->net->kind->agree_begin(r->net, a));
            begun = true;
        }
        if (begun) VV_TRY(r->net->kind->agree_test(r->net, &done));
        if (got)
            vv_backoff_reset(&wait);
        else if (!done)
            vv_backoff_wait(&wait);
    }
    return VV_OK;
}

static void release(vv_run *r)
{
    for (int i = 0; r->stage && i < r->plan->n_steps; i++) {
        if (!r->stage[i].run) continue;
        vv_feeds_close(&r->stage[i]);
        vv_stage_clear(&r->stage[i]);
        pthread_mutex_destroy(&r->stage[i].lock);
    }
    while (r->letters) {
        vv_letter *l = r->letters;
        r->letters = l->next;
        vv_mem_put(&l->data);
        free(l);
    }
    for (vv_index i = 0; i < r->n_packed; i++) vv_mem_put(&r->packed[i].data);
    if (r->out_open) vv_raw_out_close(&r->out);
    vv_mem_put(&r->places);
    vv_buf_free(&r->sizes);
    free(r->packed);
    free(r->done);
    free(r->done_read);
    free(r->stage);
    pthread_mutex_destroy(&r->lock);
}

static void agreement_of(const vv_run *r, int64_t ready_us, vv_agreement *a)
{
    *a = (vv_agreement){.failure = r->failure};
    a->sum[0] = atomic_load(&r->tasks);
    a->sum[1] = atomic_load(&r->read);
    a->sum[2] = r->net->sent;
    a->sum[3] = atomic_load(&r->written);
    a->max[0] = vv_mem_resident_peak();
    a->max[1] = ready_us;
}

static void stats_of(const vv_agreement *a, vv_engine_stats *stats)
{
    *stats = (vv_engine_stats){.tasks = a->sum[0],
                               .read = a->sum[1],
                               .moved = a->sum[2],
                               .written = a->sum[3],
                               .peak = a->max[0],
                               .ready_us = a->max[1]};
}

vv_status vv_engine_run(vv_net *net, const vv_plan *plan, const vv_hooks *hooks, vv_engine_stats *stats)
{
    vv_run r = {.net = net, .plan = plan, .hooks = hooks};
    vv_agreement a;
    crew c = {0};
    int64_t ready_us = 0;
    pthread_mutex_init(&r.lock, NULL);
    r.last_letter = &r.letters;
    net->sent = 0;
    if (!plan) vv_error_get(&r.failure);
    vv_status status = run_all(&r, &c, &ready_us);
    if (status != VV_OK) vv_run_fail(&r, status);
    crew_end(&c);
    agreement_of(&r, ready_us, &a);
    status = settle(&r, &a);
    stats_of(&a, stats);
    net->discarding = false;
    release(&r);
    if (status == VV_OK && a.failure.code != VV_OK) {
        vv_error_set(&a.failure);
        return a.failure.code;
    }
    return status;
}
