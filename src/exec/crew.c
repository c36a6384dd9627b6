/* The crew: all threads of a rank take units from the agenda until none is left.
 *
 * The main thread works like the others; between chunks it looks for messages, because nobody else does. Who finds nothing to do rests until an
 * inbox completes; the main thread rests in short naps, since a message wakes nobody. */
#include "exec/run.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Nanoseconds: the main thread looks for messages no more often than this. */
static const int64_t look_every = 2000;

/* One thread. */
typedef struct hand {
    vv_run *run;
    pthread_t thread;
    bool main;
    int number;
    int64_t looked;         /* main: when it looked for messages last */
    int64_t idle_since;     /* 0: at work */
    int turns;              /* main: idle ones */
    vv_step_counts *counts; /* by step */
    vv_worker worker;
} hand;

/* --- stopping --- */

static bool helper_stop(void *context)
{
    return atomic_load(&((hand *)context)->run->cancelled);
}

/* Main thread: looks for messages. */
static void look(hand *h)
{
    bool moved;
    vv_status status = vv_run_progress(h->run, &moved);
    if (status != VV_OK) vv_run_fail(h->run, status);
    if (moved) h->turns = 0;
}

static bool main_stop(void *context)
{
    hand *h = context;
    int64_t now = vv_ticks();
    if (now - h->looked >= look_every) {
        h->looked = now;
        look(h);
    }
    return atomic_load(&h->run->cancelled);
}

/* --- working --- */

static void count(hand *h, int step, vv_bytes read_before, const double before[])
{
    vv_step_counts *c = &h->counts[step];
    const vv_worker *w = &h->worker;
    vv_bytes read = w->read - read_before;
    c->tasks++;
    c->read += read;
    c->seconds[VV_SPENT_READ] += w->seconds_read - before[0];
    c->seconds[VV_SPENT_INFLATE] += w->seconds_inflate - before[1];
    c->seconds[VV_SPENT_KERNEL] += w->seconds_kernel - before[2];
    if (read) atomic_fetch_add_explicit(&h->run->read, read, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->run->tasks, 1, memory_order_relaxed);
}

static void end_unit(vv_run *r, vv_stage *g)
{
    atomic_fetch_sub(&g->left, 1);
    vv_agenda_ended(r->agenda, g->job.number);
}

/* What worker `w` had done before a unit. */
typedef struct before {
    vv_bytes read;
    double seconds[3];
} before;

static vv_status compute(hand *h, vv_stage *g, const vv_task *t, const before *b)
{
    vv_piece *piece;
    VV_TRY(vv_piece_get(g, &piece));
    vv_status status = vv_worker_run(&h->worker, t->unit, piece->state);
    if (status != VV_OK) {
        vv_piece_put(g, piece);
        return status;
    }
    count(h, t->step, b->read, b->seconds);
    piece->out = t->unit.out;
    piece->level = 0;
    piece->i = t->unit.leaf;
    piece->whole = h->worker.whole;
    return vv_tree_add(g, piece);
}

/* What an earlier run has done. */
static vv_status take_back(hand *h, vv_stage *g, const vv_task *t, const before *b)
{
    vv_piece *piece;
    bool saved;
    VV_TRY(vv_save_take(g, t->unit, &saved, &piece));
    if (!saved) VV_TRY(vv_restore_unit(h->run, &h->worker, t));
    count(h, t->step, b->read, b->seconds);
    return piece ? vv_tree_add(g, piece) : VV_OK;
}

/* Copied, passed on, or computed. */
static vv_status make_unit(hand *h, vv_stage *g, const vv_task *t, const before *b)
{
    bool done;
    VV_TRY(vv_copy_unit(h->run, &h->worker, t, &done));
    h->worker.job = &g->job;
    if (!done) VV_TRY(vv_pass_unit(h->run, &h->worker, t, &done));
    if (!done) return compute(h, g, t, b);
    count(h, t->step, b->read, b->seconds);
    return VV_OK;
}

static void trace(hand *h, const vv_task *t, const before *b, int64_t begin)
{
    const vv_worker *w = &h->worker;
    vv_event e = {.begin = begin, .end = vv_ticks(), .units = 1, .read = w->read - b->read, .step = (int32_t)t->step};
    const double now[] = {w->seconds_read, w->seconds_inflate, w->seconds_kernel};
    for (int k = 0; k < 3; k++) e.seconds[k] = (float)(now[k] - b->seconds[k]);
    vv_trace_add(h->run, h->number, &e);
}

static vv_status run_unit(hand *h, const vv_task *t)
{
    vv_run *r = h->run;
    vv_stage *g = &r->stage[t->step];
    vv_worker *w = &h->worker;
    int64_t begin = r->lane ? vv_ticks() : 0;
    before b = {w->read, {w->seconds_read, w->seconds_inflate, w->seconds_kernel}};
    bool spared = vv_spared_has(vv_store_spared(r->store), t->step, t->unit);
    VV_TRY(spared ? take_back(h, g, t, &b) : make_unit(h, g, t, &b));
    if (r->lane) trace(h, t, &b, begin);
    end_unit(r, g);
    return VV_OK;
}

/* --- resting --- */

static void rest(hand *h)
{
    enum { SPIN = 64, SHORTEST = 20, LONGEST = 2000, HELPER = 20000, JAMMED = 100000 };
    int64_t now = vv_ticks();
    if (h->idle_since == 0) h->idle_since = now;
    if (!h->main) {
        if (vv_run_jammed(h->run))
            nanosleep(&(struct timespec){.tv_nsec = JAMMED}, NULL);
        else
            vv_agenda_rest(h->run->agenda, HELPER);
        return;
    }
    look(h);
    if (h->turns++ == 0) vv_stages_clear(h->run);
    if (h->turns < SPIN) {
        sched_yield();
        return;
    }
    int doublings = (h->turns - SPIN) / 8;
    vv_agenda_rest(h->run->agenda, doublings < 7 ? SHORTEST << doublings : LONGEST);
}

static void end_rest(hand *h, int step)
{
    if (h->idle_since) h->counts[step].seconds[VV_SPENT_WAIT] += 1e-9 * (double)(vv_ticks() - h->idle_since);
    h->idle_since = 0;
    h->turns = 0;
}

static vv_status work(hand *h)
{
    vv_run *r = h->run;
    int last = -1;
    if (h->main) look(h); /* others may be through with everything before this thread has begun */
    while (!atomic_load(&r->cancelled) && vv_agenda_left(r->agenda) > 0) {
        vv_task t;
        bool got = false;
        if (!vv_run_jammed(r)) VV_TRY(vv_agenda_take(r->agenda, vv_run_throttled(r), &t, &got));
        if (!got) {
            rest(h);
            continue;
        }
        end_rest(h, t.step);
        if (h->main && t.step != last) vv_stages_clear(r);
        last = t.step;
        atomic_fetch_add(&r->at_work, 1);
        atomic_fetch_add(&r->events, 1);
        vv_status status = run_unit(h, &t);
        atomic_fetch_sub(&r->at_work, 1);
        VV_TRY(status);
    }
    return VV_OK;
}

static void add_counts(hand *h)
{
    vv_run *r = h->run;
    pthread_mutex_lock(&r->lock);
    for (int i = 0; i < r->plan->n_steps; i++) vv_count_add(&r->stage[i].counts, &h->counts[i]);
    pthread_mutex_unlock(&r->lock);
}

static void *run_hand(void *argument)
{
    hand *h = argument;
    vv_status status = vv_worker_open(&h->worker);
    h->worker.stop = h->main ? main_stop : helper_stop;
    h->worker.context = h;
    if (status == VV_OK) status = work(h);
    vv_worker_close(&h->worker);
    if (status != VV_OK) vv_run_fail(h->run, status);
    add_counts(h);
    return NULL;
}

static vv_status start(vv_run *r, hand *h, int i)
{
    *h = (hand){.run = r, .main = i == 0, .number = i};
    VV_TRY(vv_new(&h->counts, (size_t)r->plan->n_steps + 1, sizeof *h->counts));
    int code = i == 0 ? 0 : pthread_create(&h->thread, NULL, run_hand, h);
    if (code == 0) return VV_OK;
    free(h->counts);
    return vv_fail(VV_ERR_RUN, "cannot start thread %d of %d: %s", i + 1, r->plan->threads, strerror(code));
}

vv_status vv_crew_work(vv_run *r)
{
    hand *h;
    int n = 0;
    vv_status status = VV_OK;
    VV_TRY(vv_new(&h, (size_t)r->plan->threads, sizeof *h));
    while (n < r->plan->threads && status == VV_OK) {
        status = start(r, &h[n], n);
        n += status == VV_OK;
    }
    if (status == VV_OK)
        run_hand(&h[0]);
    else
        vv_run_fail(r, status);
    for (int i = 0; i < n; i++) {
        if (i > 0) pthread_join(h[i].thread, NULL);
        free(h[i].counts);
    }
    free(h);
    if (status == VV_OK && atomic_load(&r->cancelled)) status = vv_fail(VV_ERR_CANCELLED, "stopped");
    if (status == VV_OK) vv_stages_clear(r);
    return status;
}
