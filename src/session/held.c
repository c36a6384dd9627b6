/* Held arrays between plans: how much of the memory they get, and when they go.
 *
 * A plan comes first. It gets half of what the budget leaves above its least at least, and what it has no use for goes to the held arrays; what then does not
 * fit of them waits in scratch files (exec/push/keep.h). Nobody has to be asked: what a rank holds at most follows from grids.
 *
 * When the last reference to a persisted array is gone, the ranks hear of it at once, by a plan without steps; should that fail, by the next plan. */
#include "base/log.h"
#include "plan/fit.h"
#include "session/session.h"

#include <stdlib.h>
#include <string.h>

/* --- memory --- */

vv_status vv_held_note(vv_session *s, vv_plan *p)
{
    p->held = 0;
    for (const vv_array *a = s->context.arrays; a; a = a->next)
        if (a->status == VV_OK && a->held_grid) p->held += vv_held_bytes(a->held_grid, a->dtype, p->ranks);
    for (int i = 0; i < p->n_steps; i++)
        if (p->step[i].op == VV_STEP_KEEP)
            p->held += vv_held_bytes(&p->step[i].grid, p->step[i].to.encode.to, p->ranks);
    p->n_drops = 0;
    free(p->drop);
    p->drop = NULL;
    if (s->n_drops == 0) return VV_OK;
    VV_TRY(vv_new(&p->drop, (size_t)s->n_drops, sizeof *p->drop));
    memcpy(p->drop, s->drop, sizeof *p->drop * (size_t)s->n_drops);
    p->n_drops = s->n_drops;
    return VV_OK;
}

vv_status vv_held_share(vv_plan *p, vv_bytes baseline, vv_bytes *kept)
{
    vv_bytes least;
    p->keep = *kept = p->held;
    if (p->held == 0 || !p->budget) return VV_OK;
    p->keep = 0;
    VV_TRY(vv_fit_least(p, baseline, &least));
    p->keep = *kept = vv_imax(0, vv_imin(p->held, (p->budget - least) / 2));
    return VV_OK;
}

/* For tests: bytes of held arrays that stay in memory, whatever would fit. */
static void limit(vv_plan *p)
{
    const char *keep = getenv("VARVE_KEEP");
    if (keep && *keep) p->keep = vv_imin(p->keep, strtoll(keep, NULL, 10));
}

/* More than the plan's half, or less, as it has turned out. */
void vv_held_settle(vv_plan *p, vv_cost *c, vv_bytes baseline)
{
    if (p->held > 0 && p->budget) {
        vv_bytes spare = p->budget - vv_cost_peak(p, c, baseline);
        p->keep = vv_imax(0, vv_imin(p->held, p->keep + spare));
    }
    limit(p);
    c->memory.kept = vv_imin(p->held, p->keep);
}

/* --- when they go --- */

static vv_status note_drop(vv_session *s, int number)
{
    VV_TRY(vv_grow(&s->drop, s->n_drops, sizeof *s->drop, "held arrays"));
    s->drop[s->n_drops++] = number;
    return VV_OK;
}

static vv_status run_empty(vv_session *s, vv_plan *p)
{
    vv_hooks hooks = {.asked = vv_signals_asked, .signalled = vv_signals_seen, .keep = s->keep};
    vv_engine_stats stats;
    VV_TRY(vv_settings_apply(s, p));
    VV_TRY(vv_held_note(s, p));
    p->keep = VV_INDEX_MAX;
    p->budget = 0;
    p->log = vv_log_get();
    VV_TRY(vv_send_plan(s, p, 0));
    VV_TRY(vv_engine_run(s->net, p, &hooks, &stats));
    vv_held_dropped(s, p);
    s->stats.held = stats.held;
    return VV_OK;
}

static void forget(vv_context *c, int number)
{
    vv_session *s = (vv_session *)(void *)c; /* a session begins with its context */
    vv_plan *p;
    vv_failure before;
    vv_bytes plan_bytes = s->stats.plan_bytes;
    vv_error_get(&before);
    vv_status status = note_drop(s, number);
    if (status == VV_OK && !s->net->broken && vv_plan_new(&p) == VV_OK) {
        p->ranks = s->net->size;
        status = run_empty(s, p);
        vv_plan_free(&p);
    }
    s->stats.plan_bytes = plan_bytes;
    vv_error_set(&before); /* whoever lets go of an array does not want to hear of it */
}

void vv_held_dropped(vv_session *s, const vv_plan *p)
{
    s->n_drops -= p->n_drops;
    if (s->n_drops > 0) memmove(s->drop, s->drop + p->n_drops, sizeof *s->drop * (size_t)s->n_drops);
}

vv_status vv_held_begin(vv_session *s)
{
    s->context.forget = forget;
    s->context.compute = vv_compute;
    return vv_keep_new(&s->keep);
}

void vv_held_end(vv_session *s)
{
    vv_keep_free(&s->keep);
    free(s->drop);
    s->drop = NULL;
}
