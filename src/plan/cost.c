#include "plan/cost.h"

#include "plan/place.h"

#include <stdlib.h>
#include <string.h>

/* What the process gains while it runs and no block accounts for: MPI's queues, thread stacks, the allocator's slack. */
enum { MARGIN = 3 << 20, PER_THREAD = 256 << 10 };

enum { MESSAGE_HEAD = 64 };

static vv_bytes round64(vv_bytes n)
{
    return (n + 63) / 64 * 64 + 64; /* and the header of an accounted block */
}

static vv_index largest_chunk(const vv_grid *g)
{
    vv_index n = 1;
    for (int d = 0; d < g->shape.nd; d++) n = vv_times(n, vv_imin(g->chunk[d], g->shape.n[d]));
    return n;
}

static vv_index full_chunk(const vv_grid *g)
{
    vv_index n = 1;
    for (int d = 0; d < g->shape.nd; d++) n = vv_times(n, g->chunk[d]);
    return n;
}

vv_bytes vv_compressed_bound(vv_bytes raw)
{
    return raw + raw / 1000 + 1024;
}

vv_bytes vv_state_bytes(const vv_step *s, vv_index cells)
{
    vv_bytes bytes = 0;
    for (int r = 0; r < s->n_results; r++)
        bytes += s->op == VV_STEP_REDUCE ? vv_state_size(&s->result[r].red, cells) : 0;
    return bytes;
}

static vv_bytes finish_bytes(const vv_plan *p, int step, vv_index cells)
{
    vv_bytes most = 0;
    for (int i = step + 1; i < p->n_steps; i++) {
        const vv_step *s = &p->step[i];
        if ((s->op != VV_STEP_WRITE && s->op != VV_STEP_GATHER) || s->input[0].step != step) continue;
        vv_bytes size = vv_dtype_size(s->to.encode.to), bytes = round64(cells * 8) + round64(cells * size);
        vv_bytes raw = full_chunk(&s->grid) * size;
        if (s->to.chunked) bytes += 2 * round64(raw) + round64(vv_compressed_bound(raw));
        most = vv_imax(most, bytes);
    }
    return most;
}

void vv_work_bytes(const vv_plan *p, const vv_step *s, vv_work *out)
{
    *out = (vv_work){.cells = largest_chunk(&s->grid)};
    bool streams = vv_step_streams(p, s);
    for (int i = 0; i < s->n_inputs; i++) {
        const vv_source *source = &p->source[p->step[s->input[i].step].source];
        vv_bytes size = vv_dtype_size(source->decode.stored);
        vv_bytes block =
            streams ? VV_WINDOW + 64 : vv_times(full_chunk(&s->work), size) + 4; /* a Fletcher sum may follow */
        out->block = vv_imax(out->block, round64(block));
        if (source->raw && source->deflated) out->stored = vv_imax(out->stored, round64(source->largest));
    }
    out->program = round64(vv_program_workspace(s->program) + (vv_bytes)s->n_inputs * VV_TILE * 8);
    out->state = s->op == VV_STEP_REDUCE ? round64(vv_state_bytes(s, out->cells)) : round64(out->cells * 8);
    out->finish = finish_bytes(p, (int)(s - p->step), out->cells);
}

/* --- how many states a rank holds at once --- */

static int bits(vv_index n)
{
    int b = 0;
    for (; n > 0; n /= 2) b++;
    return b;
}

/* Partial results of one output that come from other ranks to the one that has leaves [from, to): one for each level at which
 * a left child is its own and the right child is not. */
static vv_index incoming(vv_index leaves, vv_index from, vv_index to)
{
    vv_index n = 0;
    for (int level = 0; vv_tree_nodes(leaves, level) > 1; level++) {
        vv_index i = (to - 1) >> level, left = i - i % 2;
        n += left << level >= from && left << level < to && (left + 1) << level >= to &&
             left + 1 < vv_tree_nodes(leaves, level);
    }
    return n;
}

/* The most over all ranks. */
static vv_index most_incoming(const vv_step *s, int ranks)
{
    vv_index leaves = vv_step_leaves(s), outs = vv_step_outs(s), most = 0;
    for (int rank = 0; rank < ranks; rank++) {
        vv_index own = vv_place_count(s, rank, ranks);
        if (own == 0) continue;
        vv_unit first = vv_place_unit(s, rank, ranks, 0), last = vv_place_unit(s, rank, ranks, own - 1);
        vv_index from = s->placement == VV_PLACE_OUTPUTS && first.out != last.out ? 0 : first.leaf;
        most = vv_imax(most, incoming(leaves, from, last.leaf + 1));
        if (s->placement == VV_PLACE_LEAVES && outs > 1 && last.leaf > from)
            most = vv_imax(most, incoming(leaves, from, last.leaf));
    }
    return most;
}

/* In order, the finished subtrees of a stretch of n leaves number at most bits(n - 1); the leaf at work comes on top, and with several
 * threads as many again may be finished out of order. What comes from other ranks may come early. What goes to them is copied
 * into messages: as many as come in elsewhere. */
static vv_index states(const vv_plan *p, const vv_step *s, vv_index own)
{
    vv_index leaves = vv_step_leaves(s), outs = vv_step_outs(s), working = 2 * p->threads - 1;
    if (s->op != VV_STEP_REDUCE || leaves == 1) return vv_imin(working, own);
    vv_index messages = p->ranks > 1 ? most_incoming(s, p->ranks) : 0;
    if (s->placement == VV_PLACE_OUTPUTS) return working + bits(vv_imin(own, leaves) - 1) + messages;
    vv_index stretch = vv_imin(vv_ceil_div(own, vv_imax(1, outs)) + 1, leaves), waiting = bits(stretch - 1);
    if (s->placement == VV_PLACE_CYCLIC && p->ranks > 1) { /* hardly any neighbours of its own */
        waiting = stretch;
        messages = vv_imin(leaves, 2 * stretch);
    }
    return working + outs * (waiting + messages);
}

/* --- bytes that cross ranks: every right child whose owner is not its parent's --- */

/* A message with a state in which nothing is missing. */
static vv_bytes used_state(const vv_step *s, vv_index cells)
{
    vv_bytes bytes = MESSAGE_HEAD;
    for (int r = 0; r < s->n_results; r++) {
        vv_bytes planes = s->result[r].red.kind->planes(s->result[r].red.in);
        bytes += ((vv_bytes)sizeof(vv_red_head) + planes * cells * 8 + 63) / 64 * 64;
    }
    return bytes;
}

static vv_index moved_nodes(const vv_plan *p, const vv_step *s, vv_index out)
{
    vv_index moved = 0, leaves = vv_step_leaves(s);
    for (int level = 0; vv_tree_nodes(leaves, level) > 1; level++)
        for (vv_index i = 1; i < vv_tree_nodes(leaves, level); i += 2)
            moved += vv_tree_owner(s, p->ranks, out, level, i) != vv_tree_owner(s, p->ranks, out, level, i - 1);
    return moved;
}

static vv_bytes moved_of_out(const vv_plan *p, const vv_step *s, vv_index out)
{
    vv_box box;
    vv_grid_box(&s->grid, out, &box);
    return moved_nodes(p, s, out) * used_state(s, vv_box_elements(&box));
}

static vv_bytes moved_bytes(const vv_plan *p, const vv_step *s)
{
    vv_bytes bytes = 0;
    if (s->op != VV_STEP_REDUCE) return 0;
    if (s->placement != VV_PLACE_OUTPUTS) {
        for (vv_index out = 0; p->ranks > 1 && out < vv_step_outs(s); out++) bytes += moved_of_out(p, s, out);
        return bytes;
    }
    /* Only outputs that a cut between two ranks goes through. */
    vv_index last = -1;
    for (int rank = 1; rank < p->ranks; rank++) {
        if (vv_place_count(s, rank, p->ranks) == 0) continue;
        vv_unit u = vv_place_unit(s, rank, p->ranks, 0);
        if (u.leaf == 0 || u.out == last) continue; /* no cut through it, or the second one */
        bytes += moved_of_out(p, s, u.out);
        last = u.out;
    }
    return bytes;
}

/* --- a step --- */

static vv_bytes result_bytes(const vv_step *s, vv_dtype type)
{
    return vv_times(vv_shape_elements(&s->grid.shape), vv_dtype_size(type));
}

static void cost_compute(const vv_plan *p, const vv_step *s, vv_step_cost *c)
{
    vv_work w;
    vv_work_bytes(p, s, &w);
    c->tasks = vv_times(vv_step_outs(s), vv_step_leaves(s));
    c->moved = moved_bytes(p, s);
    vv_index own = vv_ceil_div(c->tasks, p->ranks); /* of the rank that has most: the first one may have none */
    vv_bytes per_thread = w.stored + s->n_inputs * w.block + w.program + PER_THREAD;
    c->memory = p->threads * per_thread + vv_imin(p->threads, vv_step_outs(s)) * w.finish + states(p, s, own) * w.state;
    for (int i = 0; i < s->n_inputs; i++) {
        const vv_source *source = &p->source[p->step[s->input[i].step].source];
        /* This rank's part of the chunk index; the coordinator holds all of it. */
        if (source->raw && source->chunked) c->memory += vv_times(vv_grid_chunks(&source->stored), sizeof(vv_chunk_at));
    }
}

/* Chunks that wait to be written or sent: those of the rank that owns most. */
static vv_bytes held_results(const vv_plan *p, const vv_step *s, const vv_step *from)
{
    vv_index outs = vv_imin(vv_step_outs(from), vv_ceil_div(vv_step_outs(from), p->ranks) + 1);
    vv_bytes chunk = full_chunk(&s->grid) * vv_dtype_size(s->to.encode.to);
    if (s->op == VV_STEP_WRITE) return s->to.chunked ? outs * round64(vv_compressed_bound(chunk)) : 0;
    return p->ranks > 1 ? 2 * outs * round64(chunk) : 0;
}

static void cost_deliver(const vv_plan *p, const vv_step *s, vv_step_cost *c)
{
    const vv_step *from = &p->step[s->input[0].step];
    vv_bytes bytes = result_bytes(s, s->to.encode.to);
    c->memory = held_results(p, s, from);
    if (s->op == VV_STEP_WRITE) {
        c->written = bytes;
        return;
    }
    for (vv_index out = 0; p->ranks > 1 && out < vv_step_outs(s); out++) {
        vv_box box;
        vv_grid_box(&s->grid, out, &box);
        if (vv_place_owner(from, p->ranks, (vv_unit){out, 0}) != 0)
            c->moved += MESSAGE_HEAD + vv_box_elements(&box) * vv_dtype_size(s->to.encode.to);
    }
}

/* Stored bytes are read once for each step that uses them. */
static vv_bytes read_bytes(const vv_plan *p, int read)
{
    vv_bytes bytes = 0;
    for (int i = read + 1; i < p->n_steps; i++)
        for (int k = 0; vv_step_computes(&p->step[i]) && k < p->step[i].n_inputs; k++)
            if (p->step[i].input[k].step == read) bytes += p->source[p->step[read].source].total;
    return bytes;
}

vv_status vv_cost_of(const vv_plan *p, vv_cost *out)
{
    *out = (vv_cost){0};
    VV_TRY(vv_new(&out->step, (size_t)p->n_steps, sizeof *out->step));
    vv_bytes working = 0, held = 0;
    for (int i = 0; i < p->n_steps; i++) {
        const vv_step *s = &p->step[i];
        vv_step_cost *c = &out->step[i];
        if (vv_step_computes(s)) {
            cost_compute(p, s, c);
            working = vv_imax(working, c->memory);
        } else if (s->op == VV_STEP_READ) {
            c->read = read_bytes(p, i);
        } else {
            cost_deliver(p, s, c);
            held += c->memory;
        }
        out->read += c->read;
        out->moved += c->moved;
        out->written += c->written;
    }
    out->memory = working + held + MARGIN;
    return VV_OK;
}

void vv_cost_free(vv_cost *c)
{
    free(c->step);
    c->step = NULL;
}

vv_bytes vv_cost_peak(const vv_cost *c, vv_bytes baseline)
{
    return baseline + c->memory;
}

vv_status vv_cost_check(const vv_plan *p, const vv_cost *c, vv_bytes baseline)
{
    vv_bytes peak = vv_cost_peak(c, baseline);
    if (!p->budget || peak <= p->budget) return VV_OK;
    char budget[32], need[32];
    vv_bytes enough = vv_ceil_div(peak, 1000000) + 1;
    return vv_fail(VV_ERR_BUDGET, "the plan needs %s per rank and the memory budget is %s; --memory %lldMB would do",
                   vv_bytes_text(peak, need), vv_bytes_text(p->budget, budget), (long long)enough);
}
