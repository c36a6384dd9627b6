/* Memory of a rank, in time proportional to the steps; and the sums over everything. */
#include "plan/cost/inboxes.h"

#include <stdlib.h>
#include <string.h>

/* What the process gains while it runs and no block accounts for: MPI's queues, thread stacks, the allocator's slack. */
enum { MARGIN = 3 << 20, PER_THREAD = 256 << 10 };

static vv_bytes round64(vv_bytes n)
{
    return (n + 63) / 64 * 64 + 64;
}

/* --- how many states a rank holds at once --- */

static vv_index waiting_states(const vv_plan *p, const vv_step *s)
{
    vv_index in_order = vv_waiting_in_order(p, s);
    return vv_step_waits(s) ? 2 * in_order : in_order;
}

/* A leaf at work on every thread, and as many finished out of order. */
static vv_index working_states(const vv_plan *p, const vv_step *s)
{
    return vv_imin(2 * p->threads - 1, vv_ceil_div(vv_step_units(s), p->ranks));
}

/* --- what waits to be written or sent, and what a rank keeps to know its way --- */

/* Finished chunks of the rank that owns most: those that wait for a place; what lists of them take; those on their way to rank 0. */
typedef struct finished {
    vv_bytes packed, lists, gathered;
} finished;

static finished finished_of(const vv_plan *p, const vv_step *s)
{
    vv_index outs = vv_step_outs(&p->step[s->from]);
    vv_index own = vv_imin(outs, vv_imax(vv_ceil_div(outs, p->ranks) + 1, vv_place_most(&p->step[s->from], p->ranks)));
    vv_bytes chunk = vv_dtype_size(s->to.encode.to);
    const vv_grid *stored = vv_write_grid(s);
    for (int d = 0; d < stored->shape.nd; d++) chunk = vv_times(chunk, stored->chunk[d]);
    if (s->op == VV_STEP_GATHER) return (finished){.gathered = p->ranks > 1 ? vv_times(2 * own, round64(chunk)) : 0};
    if (p->collective && s->op == VV_STEP_WRITE)
        return (finished){.packed = vv_times(own, round64(chunk)), .lists = vv_times(own, 2 * VV_PACKED_ENTRY)};
    if (!s->to.chunked || s->op == VV_STEP_KEEP) return (finished){0};
    const vv_step *from = &p->step[s->from];
    bool told = from->op == VV_STEP_MAP && from->told_to == (int)(s - p->step);
    vv_bytes places = told ? vv_times(outs, VV_PLACES_TOLD * (p->ranks > 1 ? 2 : 1)) : 0;
    if (told && (from->copied_all || vv_write_plain(&s->to))) return (finished){.lists = places};
    return (finished){.packed = vv_times(own, round64(vv_compressed_bound(chunk))),
                      .lists = places + vv_times(own, 2 * VV_PACKED_ENTRY) + vv_times(outs, VV_PACKED_PLACING)};
}

/* All steps share the memory for chunks that wait. */
static void add_finished(vv_memory *m, const finished *f)
{
    vv_bytes before = vv_imin(m->packed, VV_PACKED_HELD);
    m->packed += f->packed;
    m->results += vv_imin(m->packed, VV_PACKED_HELD) - before + f->lists + f->gathered;
}

/* The coordinator has the whole index of a source, and sends every other rank its part of it. */
static vv_bytes index_bytes(const vv_plan *p)
{
    vv_bytes bytes = 0;
    for (int i = 0; i < p->n_steps; i++) {
        const vv_step *s = &p->step[i];
        if (s->op != VV_STEP_READ || !p->source[s->source].raw || !p->source[s->source].chunked ||
            p->source[s->source].held)
            continue;
        vv_bytes all = vv_times(vv_grid_chunks(&p->source[s->source].stored), sizeof(vv_chunk_at));
        bytes += p->ranks > 1 ? 2 * all : all;
    }
    return bytes;
}

static vv_bytes table_bytes(const vv_plan *p)
{
    vv_bytes bytes = 0, weights = 0; /* of what is looked up: there may be millions */
    for (int i = 0; i < p->n_steps; i++) {
        const vv_step *s = &p->step[i];
        const vv_groups *g = &s->groups;
        if (vv_step_computes(s) && g->dim >= 0 && g->label)
            bytes += 8 * (g->label->n + (g->first ? g->first[vv_ceil_div(g->n, g->chunk)] * 2 : 0));
        for (int k = 0; k < s->n_inputs; k++)
            for (int j = 0; j < s->input[k].n_parts; j++)
                bytes += 8 * (s->input[k].part[j].table ? s->input[k].part[j].table->n : 0) + (vv_bytes)sizeof(vv_part);
        if (s->block) weights += 8 * s->call.n_weights;
    }
    bytes += (vv_bytes)(p->n_steps * sizeof(vv_step) + p->n_sources * sizeof(vv_source));
    return 2 * bytes +
           3 * weights; /* the plan as packed or received, as it is used, and for large ones as it was lowered on paper */
}

typedef struct messages {
    bool any;
    vv_bytes piece; /* the largest one */
    vv_bytes chunk; /* what one finished chunk sends at most */
} messages;

static vv_bytes chunk_values(const vv_step *from, vv_dtype type)
{
    vv_index elements = 1;
    for (int d = 0; d < from->grid.shape.nd; d++)
        elements = vv_times(elements, vv_imin(from->grid.chunk[d], from->grid.shape.n[d]));
    return vv_times(elements, vv_dtype_size(vv_working_type(type)));
}

/* Of an input of a step, if other ranks feed it: each element once to every rank, and what overlaps once more. */
static void note_messages(const vv_plan *p, const vv_edge *e, vv_bytes inbox, messages *m)
{
    if (!e->plan || p->step[e->step].input[e->input].access != VV_ACCESS_PUSH || vv_edge_is_local(p, e)) return;
    for (int j = 0; j < e->n_parts; j++) {
        vv_bytes chunk = chunk_values(&p->step[e->part[j].from], p->step[e->step].input[e->input].type);
        m->piece = vv_imax(m->piece, vv_imin(chunk, inbox));
        m->chunk = vv_imax(m->chunk, vv_times(vv_imax(2, p->ranks - 1), chunk));
    }
    m->any = true;
}

/* On their way out: what may be there before everybody stops to make more, a parcel for every rank, and what goes over these limits because it is one
 * piece. On their way in: what is taken before it is looked at, and as much over. */
static vv_bytes message_bytes(const vv_plan *p, const messages *m)
{
    if (!m->any) return 0;
    vv_bytes parcels = vv_imin(vv_times(p->ranks - 1, VV_PARCEL), m->chunk);
    vv_bytes out = vv_imax(2 * VV_FLIGHT, m->piece) + (p->threads - 1) * m->piece;
    return out + p->threads * parcels + VV_TAKEN + vv_imax(m->piece, VV_PARCEL);
}

/* --- steps, one by one --- */

/* What one step holds. */
typedef struct share {
    vv_work work;
    vv_bytes states;
    vv_inboxes inboxes;
} share;

static vv_status share_of(const vv_plan *p, int i, bool prompt[], messages *sent, share *out)
{
    const vv_step *s = &p->step[i];
    vv_edge edge[VV_PROGRAM_INPUTS];
    VV_TRY(vv_work_edges(p, s, edge));
    vv_work_of_edges(p, s, edge, &out->work);
    out->inboxes = vv_inboxes_of(p, prompt, i, edge);
    for (int k = 0; k < s->n_inputs; k++) note_messages(p, &edge[k], out->inboxes.largest, sent);
    vv_work_edges_free(s, edge);
    out->states = vv_times(waiting_states(p, s) + working_states(p, s), out->work.state);
    return VV_OK;
}

static vv_status shares_of(const vv_plan *p, messages *sent, share shares[])
{
    bool *prompt;
    vv_status status = VV_OK;
    VV_TRY(vv_new(&prompt, (size_t)p->n_steps + 1, sizeof *prompt));
    for (int i = 0; i < p->n_steps && status == VV_OK; i++) {
        prompt[i] = p->step[i].op == VV_STEP_READ;
        if (vv_step_computes(&p->step[i])) status = share_of(p, i, prompt, sent, &shares[i]);
    }
    free(prompt);
    return status;
}

/* --- acts --- */

/* Small parts of a plan run together: less than this is not worth that ranks wait for each other. (With fuzz every part is an act, so that tests see some.) */
enum { ACT = 16 << 20 };

/* What belongs together is in one act; acts follow the order of the plan. */
static void divide(const vv_plan *p, const share shares[], const int component[], int act[], int *n)
{
    vv_bytes sum = 0;
    *n = 1;
    for (int i = 0; i < p->n_steps; i++) {
        act[i] = i > 0 ? *n - 1 : 0;
        if (!vv_step_computes(&p->step[i])) continue;
        if (component[i] != i) { /* the first one of its component stands before it */
            act[i] = act[component[i]];
            continue;
        }
        vv_bytes own = 0;
        for (int k = i; k < p->n_steps; k++)
            if (component[k] == i && vv_step_computes(&p->step[k]))
                own += shares[k].states + shares[k].inboxes.held + shares[k].inboxes.passing;
        if (sum > 0 && sum + own > (p->fuzz ? 0 : ACT)) {
            ++*n;
            sum = 0;
        }
        sum += own;
        act[i] = *n - 1;
    }
}

static vv_status acts_of(const vv_plan *p, const share shares[], int act[], int *n)
{
    int *component;
    VV_TRY(vv_new(&component, (size_t)p->n_steps + 1, sizeof *component));
    vv_components(p, component);
    divide(p, shares, component, act, n);
    free(component);
    return VV_OK;
}

vv_status vv_acts_of(const vv_plan *p, int act[], int *n)
{
    share *shares;
    messages sent = {0};
    VV_TRY(vv_new(&shares, (size_t)p->n_steps + 1, sizeof *shares));
    vv_status status = shares_of(p, &sent, shares);
    if (status == VV_OK) status = acts_of(p, shares, act, n);
    free(shares);
    return status;
}

/* --- the whole --- */

/* Of one act: steps of several acts do not hold anything at the same time. */
static void add_act(const vv_plan *p, const share shares[], const int act[], int number, vv_memory *m)
{
    vv_bytes states = 0, passing = 0;
    vv_inboxes in = {0};
    for (int i = 0; i < p->n_steps; i++) {
        if (act[i] != number || !vv_step_computes(&p->step[i])) continue;
        const vv_inboxes *one = &shares[i].inboxes;
        states += shares[i].states;
        in.all += one->all;
        in.held += one->held;
        passing = vv_imax(passing, one->passing);
        in.largest = vv_imax(in.largest, one->largest);
    }
    m->states = vv_imax(m->states, states);
    m->inboxes = vv_imax(m->inboxes, in.all);
    m->held = vv_imax(m->held, vv_imin(in.all, in.held + passing));
    m->largest = vv_imax(m->largest, in.largest);
}

/* Threads keep their buffers from step to step, and so do those who finish chunks. */
static vv_bytes buffer_bytes(const vv_plan *p, const share shares[])
{
    vv_bytes work = 0, blas = 0, room[VV_FINISH_ROOMS] = {0}, passing = 0;
    vv_index desks = 0;
    for (int i = 0; i < p->n_steps; i++) {
        if (!vv_step_computes(&p->step[i])) continue;
        const vv_work *w = &shares[i].work;
        work = vv_imax(work, vv_work_total(&p->step[i], w));
        blas = vv_imax(blas, w->blas);
        for (int k = 0; k < VV_FINISH_ROOMS; k++) room[k] = vv_imax(room[k], w->room[k]);
        passing = vv_imax(passing, w->passing);
        desks = vv_imax(desks, vv_imin(p->threads, vv_step_outs(&p->step[i])));
    }
    for (int k = 0; k < VV_FINISH_ROOMS; k++) passing += room[k];
    return p->threads * (work + blas + PER_THREAD) + desks * passing;
}

static vv_bytes finish_bytes(const vv_work *w)
{
    vv_bytes bytes = w->passing;
    for (int k = 0; k < VV_FINISH_ROOMS; k++) bytes += w->room[k];
    return bytes;
}

/* What explain shows of a step. */
static vv_bytes step_bytes(const vv_plan *p, int i, const share *x)
{
    const vv_step *s = &p->step[i];
    vv_bytes buffers = p->threads * (vv_work_total(s, &x->work) + x->work.blas + PER_THREAD);
    buffers += vv_imin(p->threads, vv_step_outs(s)) * finish_bytes(&x->work);
    return buffers + x->states + x->inboxes.held + x->inboxes.passing;
}

/* What HDF5 and MPI's I/O take for a collective call: a chunk before and after its filters, and buffers to exchange it. */
static vv_bytes collective_bytes(const vv_plan *p)
{
    enum { EXCHANGING = 32 << 20 };
    vv_bytes most = 0;
    for (int i = 0; i < p->n_steps && p->collective; i++) {
        const vv_step *s = &p->step[i];
        vv_bytes chunk = vv_dtype_size(s->to.encode.to);
        if (s->op != VV_STEP_WRITE) continue;
        for (int d = 0; d < s->grid.shape.nd; d++) chunk = vv_times(chunk, s->grid.chunk[d]);
        most = vv_imax(most, vv_times(2, chunk) + EXCHANGING);
    }
    return most;
}

static void add_delivery(const vv_plan *p, const vv_step *s, vv_memory *m, vv_bytes *memory)
{
    finished done = finished_of(p, s);
    add_finished(m, &done);
    *memory = vv_imin(done.packed, VV_PACKED_HELD) + done.lists + done.gathered;
}

static vv_status memory_of(const vv_plan *p, vv_memory *m, vv_step_cost *cost)
{
    messages sent = {0};
    share *shares = NULL;
    int *act = NULL;
    vv_status status;
    *m = (vv_memory){0};
    VV_TRY_GOTO(status, done, vv_new(&shares, (size_t)p->n_steps + 1, sizeof *shares));
    VV_TRY_GOTO(status, done, vv_new(&act, (size_t)p->n_steps + 1, sizeof *act));
    VV_TRY_GOTO(status, done, shares_of(p, &sent, shares));
    VV_TRY_GOTO(status, done, acts_of(p, shares, act, &m->acts));
    for (int k = 0; k < m->acts; k++) add_act(p, shares, act, k, m);
    for (int i = 0; i < p->n_steps; i++) {
        vv_bytes memory = 0;
        if (vv_step_computes(&p->step[i]))
            memory = step_bytes(p, i, &shares[i]);
        else if (p->step[i].op != VV_STEP_READ)
            add_delivery(p, &p->step[i], m, &memory);
        if (cost) cost[i].memory = memory;
    }
    m->results += collective_bytes(p);
    m->buffers = buffer_bytes(p, shares);
    m->index = index_bytes(p);
    m->kept = vv_imin(p->held, p->keep);
    m->tables = table_bytes(p);
    m->messages = message_bytes(p, &sent);
    m->spilling = 3 * p->threads * VV_SPILL_RECORD;
    m->least = vv_imin(m->inboxes, p->threads * m->largest);
done:
    free(shares);
    free(act);
    return status;
}

vv_status vv_memory_of(const vv_plan *p, vv_memory *out)
{
    return memory_of(p, out, NULL);
}

vv_bytes vv_memory_peak(const vv_memory *m, vv_bytes store, vv_bytes baseline)
{
    vv_bytes inboxes = store < m->inboxes ? store + vv_spill_share(store) + m->spilling : m->inboxes;
    return baseline + MARGIN + m->buffers + m->states + m->results + m->index + m->messages + m->tables + m->extra +
           m->kept + inboxes;
}

/* --- sums --- */

/* What is read from a read step when every step that uses it reads all of it once; a guess for boxes. */
static vv_bytes guess_read(const vv_plan *p, int read)
{
    vv_bytes bytes = 0;
    for (int i = read + 1; i < p->n_steps; i++)
        for (int k = 0; k < p->step[i].n_inputs; k++)
            for (int j = 0; j < p->step[i].input[k].n_parts; j++)
                if (p->step[i].input[k].part[j].from == read) {
                    bytes += p->source[p->step[read].source].total;
                    break;
                }
    return bytes;
}

static vv_bytes delivered_bytes(const vv_step *s)
{
    return vv_times(vv_shape_elements(&s->grid.shape), vv_dtype_size(s->to.encode.to));
}

vv_status vv_cost_of(const vv_plan *p, vv_cost *out)
{
    *out = (vv_cost){0};
    VV_TRY(vv_new(&out->step, (size_t)p->n_steps + 1, sizeof *out->step));
    vv_status status = memory_of(p, &out->memory, out->step);
    if (status != VV_OK) vv_cost_free(out);
    for (int i = 0; i < p->n_steps && status == VV_OK; i++) {
        const vv_step *s = &p->step[i];
        vv_step_cost *c = &out->step[i];
        if (vv_step_computes(s)) c->tasks = vv_step_units(s);
        if (s->op == VV_STEP_READ) c->read = guess_read(p, i);
        if (s->op == VV_STEP_WRITE) c->written = delivered_bytes(s);
        out->read = vv_plus(out->read, c->read);
        out->written = vv_plus(out->written, c->written);
    }
    return status;
}

/* Figures that belong to this step alone go where people look for them: what is read to the step it is read from. */
static void note_step(const vv_plan *p, const vv_counter *counter, int i, vv_cost *c)
{
    vv_step_cost *k = &c->step[i];
    k->read = p->step[i].op == VV_STEP_READ ? k->tally.read : 0;
    k->moved = k->tally.moved;
    k->written = k->tally.written;
    if (p->step[i].op == VV_STEP_READ) k->wanted = vv_counter_wanted(counter, p->step[i].source);
    c->read += k->read;
    c->moved += k->moved;
    c->across += k->tally.across;
    c->messages += k->tally.messages;
    c->written += k->written;
}

static void add_tally(vv_tally *sum, const vv_tally *t)
{
    sum->tasks += t->tasks;
    sum->chunks += t->chunks;
    sum->elements += t->elements;
    sum->read += t->read;
    sum->inflated += t->inflated;
    sum->stored += t->stored;
    sum->computed += t->computed;
    sum->made += t->made;
    sum->packed += t->packed;
    sum->values += t->values;
    sum->pushed += t->pushed;
    sum->moved += t->moved;
    sum->across += t->across;
    sum->messages += t->messages;
    sum->written += t->written;
    sum->deflated += t->deflated;
}

static vv_status count_ranks(const vv_plan *p, vv_counter *counter, vv_cost *c)
{
    vv_tally *t;
    VV_TRY(vv_new(&t, (size_t)p->n_steps + 1, sizeof *t));
    vv_status status = VV_OK;
    for (int rank = 0; rank < p->ranks && status == VV_OK; rank++) {
        memset(t, 0, sizeof *t * (size_t)p->n_steps);
        status = vv_tally_rank(counter, rank, 0, t);
        for (int i = 0; i < p->n_steps; i++) {
            add_tally(&c->step[i].tally, &t[i]);
            c->step[i].imbalance =
                c->step[i].imbalance > (double)t[i].elements ? c->step[i].imbalance : (double)t[i].elements;
        }
    }
    free(t);
    return status;
}

vv_status vv_cost_count(const vv_plan *p, const vv_chunk_at *const index[], vv_cost *c)
{
    vv_counter *counter;
    VV_TRY(vv_counter_new(p, index, &counter));
    for (int i = 0; i < p->n_steps; i++) {
        c->step[i].tally = (vv_tally){0};
        c->step[i].imbalance = 0;
    }
    vv_status status = count_ranks(p, counter, c);
    c->read = c->moved = c->across = c->written = c->messages = 0;
    for (int i = 0; i < p->n_steps && status == VV_OK; i++) {
        note_step(p, counter, i, c);
        double mean = (double)c->step[i].tally.elements / p->ranks;
        c->step[i].imbalance = mean > 0 ? c->step[i].imbalance / mean : 1;
    }
    c->counted = status == VV_OK;
    vv_counter_free(&counter);
    return status;
}

void vv_cost_free(vv_cost *c)
{
    free(c->step);
    c->step = NULL;
}

vv_bytes vv_cost_peak(const vv_plan *p, const vv_cost *c, vv_bytes baseline)
{
    return vv_memory_peak(&c->memory, p->store, baseline);
}

/* What a process has before its plan differs from one run to the next, by what the system has of its libraries in memory: whoever takes our advice should not be
 * refused again. Millions of bytes. */
enum { ROOM = 4 };

vv_bytes vv_cost_enough(const vv_plan *p, const vv_cost *c, vv_bytes baseline)
{
    vv_bytes peak = vv_cost_peak(p, c, baseline);
    return p->budget && peak > p->budget ? vv_ceil_div(peak, 1000000) + ROOM : 0;
}

vv_status vv_cost_check(const vv_plan *p, const vv_cost *c, vv_bytes baseline)
{
    vv_bytes enough = vv_cost_enough(p, c, baseline);
    if (!enough) return VV_OK;
    char budget[32], need[32];
    return vv_fail(VV_ERR_BUDGET, "the plan needs %s per rank and the memory budget is %s; --memory %lldMB would do",
                   vv_bytes_text(vv_cost_peak(p, c, baseline), need), vv_bytes_text(p->budget, budget),
                   (long long)enough);
}
