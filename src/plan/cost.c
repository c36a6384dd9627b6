/* Memory of a rank, in time proportional to the steps; and the sums over everything. */
#include "plan/cost.h"

#include <stdlib.h>
#include <string.h>

/* What the process gains while it runs and no block accounts for: MPI's queues, thread stacks, the allocator's slack. */
enum { MARGIN = 3 << 20, PER_THREAD = 256 << 10 };

/* Beside an inbox's block: its header, its place in the store's tables. */
enum { INBOX_HEAD = 192 };

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

/* --- inboxes --- */

/* Grid positions that a rank's units touch: along the kept dimensions a stretch of `kept` consecutive positions, along the reduced ones of `reduced`. */
typedef struct stretch {
    vv_index kept, reduced;
} stretch;

static bool is_reduced(const vv_step *s, int d)
{
    return s->op == VV_STEP_REDUCE && s->reduced[d];
}

static stretch stretch_of(const vv_plan *p, const vv_step *s)
{
    vv_index kept = 1, reduced = 1, own = vv_place_most(s, p->ranks), leaves = vv_step_leaves(s);
    for (int d = 0; d < s->work.shape.nd; d++) *(is_reduced(s, d) ? &reduced : &kept) *= vv_grid_count(&s->work, d);
    if (p->ranks == 1 || (s->op == VV_STEP_REDUCE && s->groups.dim >= 0)) return (stretch){kept, reduced};
    stretch x = {vv_imin(kept, own), vv_imin(reduced, vv_times(own, s->leaf))};
    if (s->placement == VV_PLACE_OUTPUTS) x.kept = vv_imin(x.kept, vv_ceil_div(own, leaves) + 1);
    if (s->placement == VV_PLACE_LEAVES)
        x.reduced = vv_imin(x.reduced, (vv_ceil_div(own, vv_imax(1, kept)) + 1) * s->leaf);
    return x;
}

/* Different keys among a stretch of row-major positions, at most. */
static vv_index keys_of_rank(const vv_plan *p, const vv_edge *e)
{
    const vv_step *s = &p->step[e->step];
    stretch x = stretch_of(p, s);
    vv_index keys = 1, inner[2] = {1, 1}, length[2] = {x.kept, x.reduced}, part[2] = {1, 1};
    for (int d = s->work.shape.nd - 1; d >= 0; d--) {
        int k = is_reduced(s, d);
        vv_index touched = vv_imin(e->count[d], vv_ceil_div(length[k], inner[k]) + 1);
        if (e->follows[d]) part[k] = vv_times(part[k], touched);
        inner[k] = vv_times(inner[k], vv_grid_count(&s->work, d));
    }
    for (int k = 0; k < 2; k++) keys = vv_times(keys, vv_imin(part[k], vv_imax(1, length[k])));
    return vv_imin(e->keys, keys);
}

/* Extents of the largest box, and bytes of all boxes together. */
typedef struct boxes {
    vv_bytes largest, all;
} boxes;

static boxes boxes_of(const vv_edge *e)
{
    const vv_step *s = &e->plan->step[e->step];
    const vv_input *in = &s->input[e->input];
    boxes b = {vv_dtype_size(vv_working_type(in->type)), vv_dtype_size(vv_working_type(in->type))};
    for (int d = 0; d < s->work.shape.nd; d++) {
        vv_index halo = in->before[d] + in->after[d], most = 1, sum = 1;
        if (d == e->lookup) {
            sum = 0;
            for (vv_index i = 0; i < e->count[d]; i++) {
                most = vv_imax(most, e->span_n[i]);
                sum += e->span_n[i];
            }
        } else if (e->follows[d]) {
            most = vv_imin(s->work.chunk[d], vv_imax(1, s->work.shape.n[d])) + halo;
            sum = s->work.shape.n[d] + halo * e->count[d];
        }
        b.largest = vv_times(b.largest, most);
        b.all = vv_times(b.all, sum);
    }
    return b;
}

/* --- which inboxes fill and empty as the work goes on --- */

/* Steps whose chunks are finished roughly in row-major order from the start: not those that wait for a whole pass over something. */
typedef struct flow {
    bool *prompt; /* by step */
} flow;

/* The part keeps the order of dimensions and of elements. */
static bool keeps_order(const vv_part *part)
{
    int last = -1;
    for (int d = 0; d < part->nd; d++) {
        if (part->dim[d] < 0) continue;
        if (part->dim[d] <= last || part->stride[d] < 0 || d == part->table_dim) return false;
        last = part->dim[d];
    }
    return true;
}

static bool edge_streams(const vv_plan *p, const flow *f, const vv_edge *e)
{
    const vv_step *s = &p->step[e->step];
    if (e->lookup >= 0) return false;
    for (int d = 0; d < s->work.shape.nd; d++)
        if (!e->follows[d] && vv_grid_count(&s->work, d) > 1) return false;
    for (int j = 0; j < e->n_parts; j++) {
        const vv_part *part = &e->part[j];
        if (!keeps_order(part) || !f->prompt[part->from]) return false;
        vv_index shift = part->nd > 0 && part->dim[0] == 0 ? part->start[0] - part->box.lo[0] : 0;
        if (shift > p->step[part->from].grid.chunk[0] || -shift > s->work.chunk[0]) return false;
    }
    return true;
}

/* An output chunk's work chunks follow each other when no reduced dimension is slower than a kept one. */
static bool reduces_in_order(const vv_step *s)
{
    bool seen = false;
    for (int d = 0; d < s->work.shape.nd; d++) {
        if (vv_grid_count(&s->work, d) <= 1) continue;
        if (s->reduced[d])
            seen = true;
        else if (seen)
            return false;
    }
    return s->groups.dim < 0;
}

/* The part's source dimension k has the chunks that the work space has along d. */
static bool same_chunks(const vv_grid *from, const vv_step *s, const vv_part *part, int k, int d)
{
    if (vv_grid_count(from, k) == 1 && vv_grid_count(&s->work, d) == 1) return true;
    return part->start[k] == part->box.lo[d] && part->stride[k] == 1 && from->chunk[k] == s->work.chunk[d] &&
           from->shift[k] == s->work.shift[d];
}

/* Whether producer and consumer have the same chunks along dimension d of the work space, seen through every part. */
static bool aligned(const vv_plan *p, const vv_edge *e, int d)
{
    const vv_step *s = &p->step[e->step];
    const vv_input *in = &s->input[e->input];
    if (in->before[d] || in->after[d]) return false;
    for (int j = 0; j < e->n_parts; j++) {
        const vv_part *part = &e->part[j];
        if (part->box.n[d] != s->work.shape.n[d]) return false;
        for (int k = 0; k < part->nd; k++)
            if (part->dim[k] == d && !same_chunks(&p->step[part->from].grid, s, part, k, d)) return false;
    }
    return true;
}

/* A leaf of several chunks waits for all of them: the slowest dimension along which it has more than one, if any, and how many. */
static vv_index layers_of_leaf(const vv_step *s, int *dim)
{
    vv_index inner = 1, layers = 0;
    for (int d = s->work.shape.nd - 1; d >= 0; d--) {
        if (!is_reduced(s, d) || vv_grid_count(&s->work, d) <= 1 || inner >= s->leaf) continue;
        *dim = d;
        layers = vv_ceil_div(s->leaf, inner);
        inner = vv_times(inner, vv_grid_count(&s->work, d));
    }
    return s->leaf > 1 ? layers : 0;
}

/* Layers of inboxes along dimension d that one chunk of a producer reaches into; small chunks hardly ever more than one. */
static vv_index layers_touched(const vv_plan *p, const vv_edge *e, int d)
{
    vv_index own = p->step[e->step].work.chunk[d], most = 1;
    for (int j = 0; j < e->n_parts; j++) {
        const vv_part *part = &e->part[j];
        for (int k = 0; k < part->nd; k++) {
            vv_index chunk = p->step[part->from].grid.chunk[k];
            if (part->dim[k] == d && 2 * chunk > own) most = vv_imax(most, vv_ceil_div(chunk, own) + 1);
        }
    }
    return most;
}

/* Inboxes of a streaming edge that are open at once: along the first dimension whose chunks differ a layer for what is being filled, those that the halo
 * reaches into, and one that waits for a neighbour rank; behind it everything. Full ones are used up at once. */
static vv_index frontier(const vv_plan *p, const vv_edge *e)
{
    const vv_step *s = &p->step[e->step];
    const vv_input *in = &s->input[e->input];
    vv_index open = p->threads;
    int d = 0, leaf_dim = s->work.shape.nd;
    vv_index leaf_layers = layers_of_leaf(s, &leaf_dim);
    while (d < leaf_dim && aligned(p, e, d)) d++;
    if (d == s->work.shape.nd) return open;
    vv_index layers = layers_touched(p, e, d) + (p->ranks > 1) + (d == leaf_dim ? leaf_layers : 0);
    layers += vv_ceil_div(vv_imax(in->before[d], in->after[d]), s->work.chunk[d]);
    vv_index layer = 1;
    for (int k = d + 1; k < s->work.shape.nd; k++) layer = vv_times(layer, e->count[k]);
    return vv_times(layer, vv_imin(e->count[d], layers)) + open;
}

typedef struct inboxes {
    vv_bytes all, held, largest;
} inboxes;

static inboxes inboxes_of_edge(const vv_plan *p, const flow *f, const vv_edge *e, bool *streams)
{
    boxes b = boxes_of(e);
    vv_index keys = keys_of_rank(p, e), open = keys;
    *streams = edge_streams(p, f, e);
    if (*streams) open = vv_imin(keys, frontier(p, e));
    vv_bytes heads = vv_times(keys, INBOX_HEAD), all = vv_imin(vv_times(keys, b.largest), b.all);
    return (inboxes){all + heads, vv_imin(all, vv_times(open, b.largest)) + vv_times(open, INBOX_HEAD),
                     b.largest + INBOX_HEAD};
}

/* Of one step. When one of its inputs comes late, all others wait for it. */
static inboxes inboxes_of_step(const vv_plan *p, flow *f, int step, const vv_edge edge[])
{
    const vv_step *s = &p->step[step];
    inboxes sum = {0};
    bool prompt = true;
    for (int k = 0; k < s->n_inputs; k++) {
        if (s->input[k].access != VV_ACCESS_PUSH) continue;
        bool streams;
        inboxes one = inboxes_of_edge(p, f, &edge[k], &streams);
        prompt = prompt && streams;
        sum.all += one.all;
        sum.held += one.held;
        sum.largest += one.largest; /* a task needs all of its inboxes */
    }
    if (!prompt) sum.held = sum.all;
    f->prompt[step] = prompt && (s->op == VV_STEP_MAP || reduces_in_order(s));
    return sum;
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
    for (int d = 0; d < s->grid.shape.nd; d++) chunk = vv_times(chunk, s->grid.chunk[d]);
    if (s->op == VV_STEP_GATHER) return (finished){.gathered = p->ranks > 1 ? vv_times(2 * own, round64(chunk)) : 0};
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
    vv_bytes bytes = 0;
    for (int i = 0; i < p->n_steps; i++) {
        const vv_step *s = &p->step[i];
        const vv_groups *g = &s->groups;
        if (vv_step_computes(s) && g->dim >= 0 && g->label)
            bytes += 8 * (g->label->n + (g->first ? g->first[vv_ceil_div(g->n, g->chunk)] * 2 : 0));
        for (int k = 0; k < s->n_inputs; k++)
            for (int j = 0; j < s->input[k].n_parts; j++)
                bytes += 8 * (s->input[k].part[j].table ? s->input[k].part[j].table->n : 0) + (vv_bytes)sizeof(vv_part);
    }
    bytes += (vv_bytes)(p->n_steps * sizeof(vv_step) + p->n_sources * sizeof(vv_source));
    return 2 * bytes; /* the plan as packed or received, and as it is used */
}

typedef struct messages {
    bool any;
    vv_bytes burst; /* by one finished chunk, at most */
} messages;

/* What one finished chunk of a step sends at most: everything once, and overlaps; or to every rank, where all want the same. */
static vv_bytes sent_by_chunk(const vv_plan *p, const vv_edge *e, int part)
{
    const vv_step *s = &p->step[e->step], *from = &p->step[e->part[part].from];
    vv_index copies = 2, elements = 1;
    for (int d = 0; d < s->work.shape.nd; d++)
        if (!e->follows[d] && vv_grid_count(&s->work, d) > 1) copies = vv_imax(copies, p->ranks - 1);
    for (int d = 0; d < from->grid.shape.nd; d++)
        elements = vv_times(elements, vv_imin(from->grid.chunk[d], from->grid.shape.n[d]));
    return vv_times(copies, vv_times(elements, vv_dtype_size(vv_working_type(s->input[e->input].type))));
}

/* Of an input of a step, if it is fed by others. */
static void note_messages(const vv_plan *p, const vv_edge *e, messages *m)
{
    if (!e->plan || p->step[e->step].input[e->input].access != VV_ACCESS_PUSH || p->ranks == 1) return;
    for (int j = 0; j < e->n_parts; j++) {
        if (!vv_step_computes(&p->step[e->part[j].from])) continue;
        m->burst = vv_imax(m->burst, sent_by_chunk(p, e, j));
    }
    m->any = true;
}

/* Pieces and states under way: what may be there before everybody stops to make more and what threads at work add; and as much that comes in. */
static vv_bytes message_bytes(const vv_plan *p, const messages *m)
{
    if (!m->any) return 0;
    return 2 * (2 * VV_FLIGHT + p->threads * m->burst);
}

/* --- the whole --- */

static vv_status add_step(const vv_plan *p, flow *f, messages *sent, int i, vv_memory *m, vv_bytes *work_state,
                          vv_bytes *memory)
{
    const vv_step *s = &p->step[i];
    vv_edge edge[VV_PROGRAM_INPUTS];
    vv_work w;
    VV_TRY(vv_work_edges(p, s, edge));
    vv_work_of_edges(p, s, edge, &w);
    inboxes in = inboxes_of_step(p, f, i, edge);
    for (int k = 0; k < s->n_inputs; k++) note_messages(p, &edge[k], sent);
    vv_work_edges_free(s, edge);
    vv_bytes buffers = p->threads * (vv_work_total(s, &w) + PER_THREAD);
    buffers += vv_imin(p->threads, vv_step_outs(s)) * w.finish;
    vv_bytes waiting = vv_times(waiting_states(p, s), w.state), working = vv_times(working_states(p, s), w.state);
    m->buffers = vv_imax(m->buffers, buffers);
    m->states += waiting;
    *work_state = vv_imax(*work_state, working);
    m->inboxes += in.all;
    m->held += in.held;
    m->largest = vv_imax(m->largest, in.largest);
    *memory = buffers + waiting + working + in.held;
    return VV_OK;
}

static vv_status memory_of(const vv_plan *p, vv_memory *m, vv_step_cost *cost)
{
    flow f = {0};
    messages sent = {0};
    vv_bytes working = 0, of_step;
    *m = (vv_memory){0};
    VV_TRY(vv_new(&f.prompt, (size_t)p->n_steps + 1, sizeof *f.prompt));
    vv_status status = VV_OK;
    for (int i = 0; i < p->n_steps && status == VV_OK; i++) {
        const vv_step *s = &p->step[i];
        of_step = 0;
        if (vv_step_computes(s)) {
            status = add_step(p, &f, &sent, i, m, &working, &of_step);
        } else if (s->op == VV_STEP_READ) {
            f.prompt[i] = true;
        } else {
            finished done = finished_of(p, s);
            add_finished(m, &done);
            of_step = vv_imin(done.packed, VV_PACKED_HELD) + done.lists + done.gathered;
        }
        if (cost) cost[i].memory = of_step;
    }
    free(f.prompt);
    m->states += working;
    m->index = index_bytes(p);
    m->kept = vv_imin(p->held, p->keep);
    m->tables = table_bytes(p);
    m->messages = message_bytes(p, &sent);
    m->spilling = 3 * p->threads * VV_SPILL_RECORD;
    m->least = vv_imin(m->inboxes, p->threads * m->largest);
    return status;
}

vv_status vv_memory_of(const vv_plan *p, vv_memory *out)
{
    return memory_of(p, out, NULL);
}

vv_bytes vv_memory_peak(const vv_memory *m, vv_bytes store, vv_bytes baseline)
{
    vv_bytes inboxes = store < m->inboxes ? store + store / VV_SPILL_SHARE + m->spilling : m->inboxes;
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
        out->read += c->read;
        out->written += c->written;
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
    c->written += k->written;
}

static void add_tally(vv_tally *sum, const vv_tally *t)
{
    sum->tasks += t->tasks;
    sum->chunks += t->chunks;
    sum->elements += t->elements;
    sum->read += t->read;
    sum->inflated += t->inflated;
    sum->values += t->values;
    sum->pushed += t->pushed;
    sum->moved += t->moved;
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
    c->read = c->moved = c->written = 0;
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

vv_status vv_cost_check(const vv_plan *p, const vv_cost *c, vv_bytes baseline)
{
    vv_bytes peak = vv_cost_peak(p, c, baseline);
    if (!p->budget || peak <= p->budget) return VV_OK;
    char budget[32], need[32];
    vv_bytes enough = vv_ceil_div(peak, 1000000) + 1;
    return vv_fail(VV_ERR_BUDGET, "the plan needs %s per rank and the memory budget is %s; --memory %lldMB would do",
                   vv_bytes_text(peak, need), vv_bytes_text(p->budget, budget), (long long)enough);
}
