/* Predictions: what explain shows instead of a run, and what is put beside a run's own figures. Counting bytes takes time in proportion to the chunks, so it is
 * done only when somebody wants to see it. */
#include "plan/explain/tasks.h"
#include "session/session.h"

#include <stdlib.h>
#include <string.h>

/* Plans of more tasks and pieces are estimated from the ranks that the model follows. */
enum { MOST_COUNTED = 20000000 };

typedef struct prediction {
    vv_plan there; /* the plan, on the ranks that are asked about */
    int *node;     /* theirs, where the number of machines is told */
    vv_cost cost;
    vv_model model;
    bool measured;
} prediction;

static void prediction_free(prediction *x)
{
    free(x->node);
    vv_cost_free(&x->cost);
    vv_model_free(&x->model);
}

static vv_index tasks_of(const vv_plan *p)
{
    vv_index n = 0;
    for (int i = 0; i < p->n_steps; i++) {
        const vv_step *s = &p->step[i];
        if (vv_step_computes(s)) n += vv_step_units(s) + vv_model_pieces(p, s);
    }
    return n;
}

/* The ranks of machines that need not be here. */
static vv_status deal_ranks(const vv_elsewhere *e, prediction *x)
{
    int ranks = x->there.ranks;
    if (e->ranks > 0) x->there.node = NULL; /* those of the ranks that are here say nothing of others */
    if (e->nodes == 0) return VV_OK;
    if (e->nodes > ranks)
        return vv_fail(VV_ERR_USAGE, "%d nodes for %d rank%s", e->nodes, ranks, ranks == 1 ? "" : "s");
    VV_TRY(vv_new(&x->node, (size_t)ranks, sizeof *x->node));
    for (int i = 0; i < ranks; i++) x->node[i] = (int)((int64_t)i * e->nodes / ranks);
    x->there.node = x->node;
    return VV_OK;
}

/* Threads for each core where there are most: as told, or as the ranks are here. */
static double load_of(const vv_session *s, const vv_plan *p, const vv_explain_options *o)
{
    const vv_huddle *here = &s->crew.tightest;
    if (o->cores > 0)
        return (double)vv_ceil_div(o->ranks > 0 ? o->ranks : p->ranks, o->nodes > 0 ? o->nodes : 1) * p->threads /
               o->cores;
    return o->ranks > 0 || here->cpus <= 0 ? 1 : (double)here->ranks * p->threads / here->cpus;
}

static vv_status predict(vv_session *s, vv_prepared *p, const vv_explain_options *o, prediction *x)
{
    const vv_elsewhere elsewhere = {.ranks = o->ranks,
                                    .network = o->network,
                                    .latency = o->latency,
                                    .disk = o->disk,
                                    .nodes = o->nodes,
                                    .load = load_of(s, p->lowering.plan, o)},
                       *e = &elsewhere;
    const vv_chunk_at *const *index = (const vv_chunk_at *const *)p->index;
    vv_machine machine;
    *x = (prediction){.there = *p->lowering.plan};
    if (e->ranks > 0) x->there.ranks = e->ranks;
    vv_status status;
    VV_TRY_GOTO(status, failed, deal_ranks(e, x));
    VV_TRY_GOTO(status, failed, vv_machine_load(NULL, &machine, &x->measured));
    VV_TRY_GOTO(status, failed, vv_cost_of(&x->there, &x->cost));
    if (tasks_of(&x->there) <= MOST_COUNTED) VV_TRY_GOTO(status, failed, vv_cost_count(&x->there, index, &x->cost));
    VV_TRY_GOTO(status, failed, vv_model_of(&x->there, index, &machine, e, &x->model));
    if (!x->cost.counted) x->cost.moved = (vv_bytes)(x->model.sent * x->there.ranks);
    if (!x->cost.counted) x->cost.across = (vv_bytes)(x->model.across * x->there.ranks);
    if (!x->cost.counted) x->cost.messages = (vv_index)(x->model.messages * x->there.ranks);
    x->cost.memory.extra = p->extra;
    x->cost.written = vv_plus(x->cost.written, p->extra);
    return VV_OK;
failed:
    prediction_free(x);
    return status;
}

/* What a rank that has others to talk with holds more than a process alone: buffers of MPI (measured with Open MPI 4.1: 7.8 to 11 MB). */
enum { RANK_OF_SEVERAL = 8 << 20 };

static vv_explained explained(const vv_prepared *p, const prediction *x)
{
    bool joined = x->there.ranks > 1 && p->lowering.plan->ranks == 1;
    return (vv_explained){&x->there, &x->cost, p->baseline + (joined ? RANK_OF_SEVERAL : 0), &x->model, x->measured};
}

vv_status vv_prepared_explain(vv_session *s, vv_prepared *p, const vv_explain_options *options, char **text)
{
    static void (*const render[])(const vv_explained *, vv_buf *) = {vv_explain_text, vv_explain_json, vv_explain_svg,
                                                                     vv_explain_dot};
    vv_explain_options usual = VV_EXPLAIN_OPTIONS_INIT;
    const vv_explain_options *o = options ? options : &usual;
    prediction x;
    vv_buf b = {0};
    bool tasks = o->form == VV_EXPLAIN_TASKS_SVG || o->form == VV_EXPLAIN_TASKS_DOT;
    bool brief = o->form == VV_EXPLAIN_BRIEF;
    if (!tasks && !brief && (size_t)o->form >= sizeof render / sizeof *render)
        return vv_fail(VV_ERR_USAGE, "there is no form %d of an explanation", (int)o->form);
    if (o->ranks < 0 || o->nodes < 0 || o->cores < 0 || !(o->network >= 0) || !(o->latency >= 0) || !(o->disk >= 0))
        return vv_fail(VV_ERR_USAGE, "a machine with fewer than no ranks, bytes or seconds");
    VV_TRY(predict(s, p, o, &x));
    vv_explained e = explained(p, &x);
    vv_status status = VV_OK;
    if (p->lent.text && o->form == VV_EXPLAIN_TEXT) vv_buf_text(&b, p->lent.text);
    if (tasks)
        status = vv_explain_tasks(e.plan, o->form == VV_EXPLAIN_TASKS_DOT, &b);
    else if (brief)
        vv_explain_brief(&e, &b);
    else
        render[o->form](&e, &b);
    prediction_free(&x);
    if (status == VV_OK) status = vv_buf_status(&b);
    if (status == VV_OK)
        *text = b.data;
    else
        vv_buf_free(&b);
    return status;
}

void vv_predict_note(void *context, const vv_step_counts *counts)
{
    vv_prepared *p = context;
    const vv_plan *plan = p->lowering.plan;
    for (int i = 0; p->measured && i < plan->n_steps; i++) {
        vv_measured *m = &p->measured[i];
        *m = (vv_measured){
            .tasks = counts[i].tasks, .read = counts[i].read, .pushed = counts[i].pushed, .written = counts[i].written};
        for (int k = 0; k < VV_SPENDINGS; k++)
            if (k != VV_SPENT_WAIT) m->seconds += counts[i].seconds[k];
        m->seconds /= (double)plan->ranks * plan->threads;
    }
}

vv_status vv_predict_report(vv_session *s, vv_prepared *p)
{
    const vv_run_stats *r = &s->stats;
    vv_measured all = {
        .tasks = r->tasks, .read = r->read, .moved = r->moved, .written = r->written, .seconds = r->seconds};
    prediction x;
    vv_buf b = {0};
    VV_TRY(predict(s, p, &(vv_explain_options)VV_EXPLAIN_OPTIONS_INIT, &x));
    vv_explained e = explained(p, &x);
    vv_explain_beside(&e, p->measured, &all, r->peak, &b);
    prediction_free(&x);
    VV_TRY(vv_buf_status(&b));
    free(s->report);
    s->report = b.data;
    return VV_OK;
}
