/* From targets to a running plan: lower, index, cost, check, broadcast, run. Coordinator only. */
#include "base/fault.h"
#include "base/log.h"
#include "kernels/order/columns.h"
#include "observe/beat.h"
#include "observe/progress.h"
#include "observe/trace.h"
#include "plan/fit.h"
#include "session/tasks.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Milliseconds between what a rank tells of its progress: for eyes on a terminal, and for the file beside the output. */
enum { SEEN = 200, UNSEEN = 2000 };

/* The index is collected before the plan's memory is counted: a file that claims absurd numbers of chunks is refused here. */
static vv_status check_index(const vv_prepared *p, const vv_source *s, vv_index n)
{
    vv_bytes need = vv_times(n, (vv_bytes)(sizeof(vv_chunk_at) + sizeof(vv_index)));
    vv_bytes budget = p->lowering.plan->budget;
    if (!budget || need <= budget) return VV_OK;
    char text[32], given[32];
    return vv_fail(VV_ERR_BUDGET,
                   "%s: variable '%s' has %lld chunks: the memory budget is %s and their index alone takes %s", s->path,
                   s->variable, (long long)n, vv_bytes_text(budget, given), vv_bytes_text(need, text));
}

/* Where the chunks of one source lie, with the figures that the plan carries. */
static vv_status index_chunks(vv_prepared *p, int i)
{
    vv_source *s = &p->lowering.plan->source[i];
    const vv_origin *o = &p->lowering.origin[i];
    vv_index n = vv_grid_chunks(&s->stored), *numbers;
    VV_TRY(check_index(p, s, n));
    VV_TRY(vv_mem_get(&p->index[i], n * (vv_bytes)sizeof(vv_chunk_at), "a chunk index"));
    VV_TRY(vv_mem_get(&numbers, n * (vv_bytes)sizeof *numbers, "a chunk index"));
    for (vv_index k = 0; k < n; k++) numbers[k] = k;
    vv_status status = o->file->format->index(o->file, o->var, n, numbers, p->index[i]);
    vv_mem_put(&numbers);
    if (status != VV_OK) return vv_error_prefix("%s: variable '%s'", s->path, s->variable);
    s->total = s->largest = 0;
    for (vv_index k = 0; k < n; k++) {
        if (p->index[i][k].address < 0) continue;
        s->total += p->index[i][k].size;
        s->largest = vv_imax(s->largest, p->index[i][k].size);
    }
    return VV_OK;
}

/* A damaged index could claim chunks of any size: more than a stream that does not compress at all is refused before memory is. */
static vv_status check_largest(const vv_source *s)
{
    vv_bytes raw = vv_dtype_size(s->decode.stored);
    for (int d = 0; d < s->stored.shape.nd; d++) raw = vv_times(raw, s->stored.chunk[d]);
    if (s->largest <= 2 * vv_compressed_bound(raw)) return VV_OK;
    return vv_fail(VV_ERR_CORRUPT, "%s: variable '%s': a chunk claims %lld stored bytes for %lld", s->path, s->variable,
                   (long long)s->largest, (long long)raw);
}

/* The slow way is said once for all files of a kind. */
static void tell_slow(const vv_plan *p, int i, const vv_origin origin[])
{
    const vv_source *s = &p->source[i];
    const vv_variable *v = &origin[i].file->meta->var[origin[i].var];
    if (s->raw || !v->why_not_fast || v->layout == VV_LAYOUT_COMPACT || origin[i].file->format->concurrent) return;
    for (int k = 0; k < i; k++) {
        if (p->source[k].generated || p->source[k].held || p->source[k].raw ||
            strcmp(p->source[k].variable, s->variable))
            continue;
        const char *why = origin[k].file->meta->var[origin[k].var].why_not_fast;
        if (why && !strcmp(why, v->why_not_fast)) return;
    }
    vv_say(VV_LOG_WARN, "%s: variable '%s' is read through the HDF5 library, more slowly: %s", s->path, s->variable,
           v->why_not_fast);
}

/* A header may claim any number of elements: believed only if the file is long enough for them. */
static vv_status check_extent(const vv_source *s)
{
    vv_index rows = s->stored.shape.nd ? s->stored.shape.n[0] : 1;
    vv_bytes bytes = s->pitch ? vv_times(rows - 1, s->pitch) : 0, left = s->stamp.size - s->address;
    vv_bytes last = s->pitch ? s->total / vv_imax(1, rows) : s->total;
    if (s->address < 0 || s->total == 0 || s->stamp.changed == 0 || (bytes <= left && last <= left - bytes))
        return VV_OK;
    return vv_fail(VV_ERR_FORMAT,
                   "%s: variable '%s': the file is truncated: it ends at %lld, inside or before the data", s->path,
                   s->variable, (long long)s->stamp.size);
}

static vv_status complete_source(vv_prepared *p, int i)
{
    vv_source *s = &p->lowering.plan->source[i];
    const vv_origin *o = &p->lowering.origin[i];
    vv_bytes all = vv_times(vv_shape_elements(&s->stored.shape), vv_dtype_size(s->decode.stored));
    if (s->generated || s->held) {
        s->total = 0;
        return VV_OK;
    }
    if (s->raw && s->chunked) {
        VV_TRY(index_chunks(p, i));
        return check_largest(s);
    }
    s->total = all;
    tell_slow(p->lowering.plan, i, p->lowering.origin);
    if (!s->raw) return VV_OK;
    VV_TRY(o->file->format->offset(o->file, o->var, &s->address));
    if (s->address < 0) s->total = 0;
    return check_extent(s);
}

static vv_status cost_plan(vv_prepared *p)
{
    vv_cost_free(&p->cost);
    vv_settings_limit_store(p->lowering.plan);
    VV_TRY(vv_cost_of(p->lowering.plan, &p->cost));
    p->cost.memory.extra = p->extra;
    p->cost.written = vv_plus(p->cost.written, p->extra);
    vv_held_settle(p->lowering.plan, &p->cost, p->baseline);
    return VV_OK;
}

vv_status vv_prepare_cost(vv_prepared *p, vv_bytes extra)
{
    p->extra = extra;
    p->lowering.plan->keep = p->kept;
    VV_TRY(vv_fit_store(p->lowering.plan, p->baseline + extra));
    return cost_plan(p);
}

static bool delivers(const vv_step *s)
{
    return vv_step_delivers(s);
}

/* Fitting may insert steps, but keeps the order of those that deliver: targets find theirs again by counting. */
static vv_status fit(vv_plan *p, vv_bytes baseline, vv_target targets[], int n)
{
    for (int i = 0; i < n; i++) {
        int before = 0;
        for (int k = 0; k < targets[i].step; k++) before += delivers(&p->step[k]);
        targets[i].step = before;
    }
    VV_TRY(vv_fit(p, baseline));
    for (int i = 0; i < n; i++) {
        int step = 0;
        for (int before = targets[i].step; before > 0 || !delivers(&p->step[step]); step++)
            before -= delivers(&p->step[step]);
        targets[i].step = step;
    }
    return VV_OK;
}

static vv_status fill_plan(vv_session *s, vv_target targets[], int n, vv_prepared *p)
{
    vv_plan *plan = p->lowering.plan;
    plan->log = vv_log_get();
    plan->node = s->net->node;
    bool seen = s->progress == VV_PROGRESS_ON || (s->progress == VV_PROGRESS_AUTO && isatty(STDERR_FILENO));
    plan->report_every = seen ? SEEN : UNSEEN;
    VV_TRY(vv_settings_apply(s, plan));
    VV_TRY(vv_new(&p->index, (size_t)plan->n_sources + 1, sizeof *p->index));
    for (int i = 0; i < plan->n_sources; i++) VV_TRY(complete_source(p, i));
    for (int i = 0; i < n; i++) plan->step[targets[i].step].to.chunked = targets[i].chunked;
    VV_TRY(vv_held_note(s, plan));
    VV_TRY(vv_held_share(plan, p->baseline + p->extra, &p->kept));
    VV_TRY(fit(plan, p->baseline + p->extra, targets, n));
    VV_TRY(vv_new(&p->gather, (size_t)plan->n_steps, sizeof *p->gather));
    VV_TRY(vv_new(&p->places, (size_t)plan->n_steps, sizeof *p->places));
    return cost_plan(p);
}

static bool too_much(const vv_prepared *p)
{
    const vv_plan *plan = p->lowering.plan;
    return plan->budget && vv_cost_peak(plan, &p->cost, p->baseline) > plan->budget;
}

/* Too much for the budget, because of products that have all their sums open at once. */
static bool sums_too_much(const vv_prepared *p)
{
    const vv_plan *plan = p->lowering.plan;
    bool apart = false;
    for (int i = 0; i < plan->n_steps; i++)
        apart = apart || (plan->step[i].product && plan->step[i].placement == VV_PLACE_LEAVES);
    return apart && too_much(p);
}

/* Whether lanes are sorted as a whole. */
static bool sorts(const vv_plan *p)
{
    bool any = false;
    for (int i = 0; i < p->n_steps; i++)
        any = any || (vv_step_lanes(&p->step[i]) && vv_block_ops[p->step[i].call.op].sorts);
    return any;
}

/* whole: what a rank would have needed. */
static vv_status explain_columns(vv_plan *p, vv_bytes whole)
{
    char bytes[32];
    for (int i = 0; i < p->n_steps; i++) {
        vv_step *s = &p->step[i];
        if (!s->user || s->user->function != (vv_function *)vv_columns_first) continue;
        const vv_columns *c = s->user->data;
        vv_buf why = {0};
        if (s->why) vv_buf_printf(&why, "%s; ", s->why);
        vv_buf_printf(&why, "sorted in %lld columns of %lld: with lanes in one piece a rank would need %s",
                      (long long)c->columns, (long long)vv_columns_length(c), vv_bytes_text(whole, bytes));
        VV_TRY(vv_buf_status(&why));
        free(s->why);
        s->why = why.data;
    }
    return VV_OK;
}

/* What a plan is made with. */
typedef struct way {
    int placement;
    bool columns; /* long lanes are sorted column by column */
} way;

static vv_status prepare(vv_session *s, vv_target targets[], int n, const way *w, vv_prepared *out)
{
    VV_TRY(vv_lower_columns(targets, n, s->net->size, w->placement, w->columns, &out->lowering));
    vv_status status = fill_plan(s, targets, n, out);
    if (status != VV_OK) vv_prepared_free(out);
    return status;
}

/* Another way when the first does not fit. */
static vv_status prepare_fitting(vv_session *s, vv_target targets[], int n, vv_prepared *out)
{
    way w = {.placement = s->placement};
    out->baseline = vv_mem_baseline() + vv_writer_reserve() + (vv_record_on() ? VV_TRACE_BYTES : 0);
    vv_mem_set_budget(0, 0);
    VV_TRY(prepare(s, targets, n, &w, out));
    if (s->placement < 0 && sums_too_much(out)) {
        vv_prepared_free(out);
        w.placement = VV_PLACE_OUTPUTS;
        VV_TRY(prepare(s, targets, n, &w, out));
    }
    if (!too_much(out) || !sorts(out->lowering.plan)) return VV_OK;
    vv_bytes whole = vv_cost_peak(out->lowering.plan, &out->cost, out->baseline);
    vv_prepared_free(out);
    w.columns = true;
    VV_TRY(prepare(s, targets, n, &w, out));
    return explain_columns(out->lowering.plan, whole);
}

vv_status vv_prepare(vv_session *s, vv_target targets[], int n, vv_bytes extra, vv_prepared *out)
{
    vv_lent lent = {0};
    *out = (vv_prepared){.born = vv_clock(), .extra = extra, .session = s};
    VV_TRY(vv_promises_keep(s, targets, n, &lent));
    vv_status status = prepare_fitting(s, targets, n, out);
    out->lent = lent;
    if (status != VV_OK) vv_lent_free(s, &out->lent);
    return status;
}

void vv_prepared_free(vv_prepared *p)
{
    for (int i = 0; p->index && i < p->lowering.plan->n_sources; i++) vv_mem_put(&p->index[i]);
    for (int i = 0; p->places && i < p->lowering.plan->n_steps; i++) vv_mem_put(&p->places[i]);
    free(p->index);
    free(p->places);
    free(p->gather);
    free(p->measured);
    vv_lent_free(p->session, &p->lent);
    p->measured = NULL;
    p->index = p->places = NULL;
    p->gather = NULL;
    vv_cost_free(&p->cost);
    vv_lowering_free(&p->lowering);
}

static vv_status place(void *context, int variable, vv_index n, const vv_index *chunks, const uint32_t *sizes,
                       vv_bytes *address)
{
    vv_prepared *p = context;
    return vv_writer_place(p->writer, variable, n, chunks, sizes, NULL, address);
}

static void progress(void *context, const vv_rank_report rank[], int ranks)
{
    vv_index done = 0;
    vv_bytes read = 0;
    (void)context;
    for (int i = 0; i < ranks; i++) {
        done += rank[i].done;
        read += rank[i].read;
    }
    vv_progress_update(done, read);
    if (!vv_signals_seen(NULL)) vv_beat_update(rank, ranks); /* else other ranks may have removed it already */
}

static vv_index total_tasks(const vv_prepared *p)
{
    vv_index n = 0;
    for (int i = 0; i < p->lowering.plan->n_steps; i++) n += p->cost.step[i].tasks;
    return n;
}

/* The time planning began, then the packed plan. */
vv_status vv_send_plan(vv_session *s, const vv_plan *p, double born)
{
    vv_placed_tell(s);
    vv_buf b = {0};
    VV_TRY(vv_tasks_pause(s));
    vv_status status = vv_fault(VV_FAULT_PLAN_SEND);
    if (status == VV_OK) {
        vv_buf_put_f64(&b, born);
        size_t before = b.size;
        vv_plan_pack(p, &b);
        status = vv_buf_status(&b);
        s->stats.plan_bytes = (vv_bytes)(b.size - before);
    }
    if (status == VV_OK) status = vv_spread(s->net, VV_TAG_PLAN, b.data, (vv_bytes)b.size);
    vv_buf_free(&b);
    return status;
}

static void note_stats(vv_session *s, const vv_engine_stats *e, double seconds)
{
    s->stats.seconds = seconds;
    s->stats.plan_seconds = 1e-6 * (double)e->ready_us;
    s->stats.tasks = e->tasks;
    s->stats.read = e->read;
    s->stats.moved = e->moved;
    s->stats.across = e->across;
    s->stats.messages = e->messages;
    s->stats.sends = e->sends;
    s->stats.control = e->control;
    s->stats.written = e->written;
    s->stats.peak = e->peak;
    s->stats.bad_chunks = e->bad;
    if (e->bad)
        vv_say(VV_LOG_WARN, "%lld damaged chunk%s filled with missing values", (long long)e->bad,
               e->bad == 1 ? " was" : "s were");
    s->stats.held = e->held;
}

vv_status vv_prepared_run(vv_session *s, vv_prepared *p)
{
    vv_plan *plan = p->lowering.plan;
    double begin = vv_now();
    VV_TRY(vv_cost_check(plan, &p->cost, p->baseline));
    VV_TRY(vv_plan_validate(plan));
    if (vv_signals_seen(NULL)) return vv_fail(VV_ERR_INTERRUPTED, "interrupted");
    VV_TRY(vv_record_plan_begin(plan));
    VV_TRY(vv_send_plan(s, plan, p->born));
    bool predict = s->predict || plan->trace > 0;
    if (predict) VV_TRY(vv_new(&p->measured, (size_t)plan->n_steps, sizeof *p->measured));
    vv_hooks hooks = {.index = p->index,
                      .places = p->places,
                      .gather = p->gather,
                      .place = place,
                      .progress = progress,
                      .asked = vv_signals_asked,
                      .signalled = vv_signals_seen,
                      .context = p,
                      .born = p->born,
                      .counted = vv_predict_note,
                      .traced = vv_recorded_rank,
                      .keep = s->keep};
    vv_engine_stats stats;
    vv_mem_set_budget(plan->budget, p->baseline);
    vv_progress_begin(s->progress, total_tasks(p), p->cost.read);
    vv_beat_plan(p->cost.read);
    vv_status status = vv_engine_run(s->net, plan, &hooks, &stats);
    vv_progress_end(status == VV_OK);
    vv_mem_set_budget(0, 0);
    note_stats(s, &stats, vv_now() - begin);
    if (status == VV_OK) vv_held_dropped(s, plan);
    if (status == VV_OK && predict) status = vv_predict_report(s, p);
    return status == VV_OK ? vv_recorded_end(s, p) : status;
}
