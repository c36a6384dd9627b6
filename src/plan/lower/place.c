/* What follows from how a step has its inputs: the loops over a chunk, the leaves of a reduction, which rank runs what. */
#include "plan/lower/build.h"

#include "plan/cost/cost.h"
#include "plan/place.h"

#include <string.h>

enum { LEAF_ELEMENTS = 32, LEAF_PUSHED = 64 * 1024, FEW_OUTPUTS = 64, MOST_OPEN = 32 << 20 };
/* Of a product: chunks of a leaf at most, and tasks that there should be; bytes of all its sums that may be open at once. */
enum { LONG_LEAF = 4, MANY_TASKS = 32, SUMS_OPEN = 128 << 20 };

/* --- held arrays --- */

/* Whether somebody keeps what a step makes: then it has to be made where it will be held. */
static bool is_kept(const vv_plan *p, const vv_step *s)
{
    for (int i = 0; i < p->n_steps; i++)
        if (p->step[i].op == VV_STEP_KEEP && &p->step[p->step[i].from] == s) return true;
    return false;
}

/* A reduction that folds every held chunk as a leaf of its own can run where these are, if its units are numbered as they are: with the reduced dimensions
 * behind the others output by output, with these in front leaf by leaf. */
static bool folds_held(const vv_plan *p, const vv_step *s, const vv_input *in, vv_placement *out)
{
    const vv_part *part = &in->part[0];
    const vv_source *source = in->n_parts == 1 ? vv_part_stored(p, part) : NULL;
    bool one = s->shaped && s->leaf == 1 && s->groups.dim < 0 && !s->product;
    if (!source || !source->held || s->op != VV_STEP_REDUCE || !one || !vv_input_direct(s, in)) return false;
    if (part->nd != s->work.shape.nd) return false;
    bool reduced = false, kept = false, kept_first = true, reduced_first = true;
    for (int d = 0; d < s->work.shape.nd; d++) {
        const vv_grid *g = &source->stored;
        bool same = s->work.shape.n[d] == g->shape.n[d] && s->work.shape.n[d] > 0 && s->work.shift[d] == 0;
        vv_index n = vv_grid_count(&s->work, d);
        if (!same || part->dim[d] != d || part->start[d] != 0 || part->stride[d] != 1) return false;
        if (n != vv_grid_count(g, d) || (n > 1 && s->work.chunk[d] != g->chunk[d])) return false;
        kept_first = kept_first && !(n > 1 && !s->reduced[d] && reduced);
        reduced_first = reduced_first && !(n > 1 && s->reduced[d] && kept);
        *(s->reduced[d] ? &reduced : &kept) |= n > 1;
    }
    *out = kept_first ? VV_PLACE_OUTPUTS : VV_PLACE_LEAVES;
    return kept_first || (reduced_first && vv_step_outs(s) <= FEW_OUTPUTS);
}

/* Where a reduction takes held chunks directly, that says where it runs. */
static bool placed_by_held(const vv_plan *p, const vv_step *s, vv_placement *out)
{
    for (int k = 0; k < s->n_inputs; k++)
        if (s->input[k].access == VV_ACCESS_CHUNK && folds_held(p, s, &s->input[k], out)) return true;
    return false;
}

/* Every chunk of the work is one of a held array, or of a box of it: then the step can run where they are. */
static bool within_held(const vv_plan *p, const vv_step *s, const vv_input *in, vv_within *out)
{
    const vv_part *part = &in->part[0];
    const vv_source *source = in->n_parts == 1 ? vv_part_stored(p, part) : NULL;
    if (!source || !source->held || s->op != VV_STEP_MAP || !vv_input_direct(s, in) || part->nd != s->work.shape.nd)
        return false;
    *out = (vv_within){0};
    for (int d = 0; d < part->nd; d++) {
        const vv_grid *g = &source->stored;
        vv_index begin = part->start[d], end = begin + s->work.shape.n[d] - 1;
        bool one = vv_grid_count(&s->work, d) == 1 && begin / g->chunk[d] == end / g->chunk[d];
        bool same = s->work.chunk[d] == g->chunk[d] && begin % g->chunk[d] == s->work.shift[d];
        if (part->dim[d] != d || part->stride[d] != 1 || s->work.shape.n[d] == 0 || (!one && !same)) return false;
        out->first[d] = begin / g->chunk[d];
        out->count[d] = vv_grid_count(g, d);
        if (is_kept(p, s) && out->count[d] != vv_grid_count(&s->work, d)) return false;
    }
    return true;
}

/* The held array by whose chunks a step is placed: the first that it can take directly. */
static bool placed_within(const vv_plan *p, const vv_step *s, vv_within *out)
{
    for (int k = 0; k < s->n_inputs && !vv_step_packs(s); k++)
        if (within_held(p, s, &s->input[k], out)) return true;
    return false;
}

bool vv_lower_by_held(const vv_plan *p, const vv_step *s, const vv_input *in)
{
    vv_within here, other;
    vv_placement unused;
    if (folds_held(p, s, in, &unused)) return true;
    if (vv_step_packs(s) || !within_held(p, s, in, &here) || !placed_within(p, s, &other)) return false;
    return !memcmp(&here, &other, sizeof here);
}
/* --- loops and leaves --- */

/* Source dimension that follows work dimension w; -1 for none. */
static int followed(const vv_part *p, int w)
{
    for (int d = 0; d < p->nd; d++)
        if (p->dim[d] == w) return d;
    return -1;
}

/* Whether an input's elements along work dimensions w - 1 and w are one row wherever the chunk is full along w. */
static bool input_joins(const vv_plan *p, const vv_step *s, const vv_input *in, int w)
{
    bool outer = false, inner = false;
    for (int i = 0; i < in->n_parts; i++) {
        int table = in->part[i].table_dim < 0 ? -1 : in->part[i].dim[in->part[i].table_dim];
        if (table == w || table == w - 1) return false;
        outer = outer || vv_part_follows(&in->part[i], w - 1) || in->part[i].box.n[w - 1] != s->work.shape.n[w - 1];
        inner = inner || vv_part_follows(&in->part[i], w) || in->part[i].box.n[w] != s->work.shape.n[w];
    }
    if (outer != inner) return false;
    if (!outer || in->access == VV_ACCESS_BOX || in->access == VV_ACCESS_PUSH) return true;
    const vv_grid *stored = &vv_part_stored(p, &in->part[0])->stored;
    int a = followed(&in->part[0], w - 1), b = followed(&in->part[0], w);
    if (b != a + 1) return false;
    vv_index extent = in->access == VV_ACCESS_STREAM ? stored->shape.n[b] : stored->chunk[b];
    return s->work.chunk[w] == extent;
}

/* Cells see their elements in the order of the joined loops. Where only contiguous data comes in, chunks are of our own making, and loops join where they are whole. */
static void set_joins(const vv_plan *p, vv_step *s)
{
    bool cut = false;
    for (int k = 0; k < s->n_inputs; k++)
        for (int i = 0; i < s->input[k].n_parts; i++) {
            const vv_source *source = vv_part_stored(p, &s->input[k].part[i]);
            cut = cut || !source || source->chunked;
        }
    for (int w = 1; w < s->work.shape.nd; w++) {
        bool join = s->reduced[w] == s->reduced[w - 1] && s->groups.dim != w && s->groups.dim != w - 1;
        if (!cut) join = join && s->work.chunk[w] == s->work.shape.n[w];
        for (int k = 0; k < s->n_inputs && join; k++) join = input_joins(p, s, &s->input[k], w);
        s->join[w] = join && !vv_step_packs(s);
    }
}

static vv_index chunk_length(const vv_step *s, int d)
{
    return vv_imin(s->work.chunk[d], vv_imax(1, s->work.shape.n[d]));
}

/* A product's states are large, so that joining two takes as long as a fair part of multiplying: leaves are longer where enough of them are left to keep ranks busy. */
static vv_index product_leaf(const vv_step *s)
{
    vv_index chunks = 1, summed = 1;
    for (int d = 0; d < s->work.shape.nd; d++) {
        chunks = vv_times(chunks, vv_grid_count(&s->work, d));
        if (s->reduced[d]) summed = vv_times(summed, vv_grid_count(&s->work, d));
    }
    vv_index leaf = vv_imax(1, vv_imin(LONG_LEAF, chunks / MANY_TASKS));
    return summed ? vv_ceil_div(summed, vv_ceil_div(summed, leaf)) : 1; /* even ones */
}

/* Chunks of a leaf: enough elements behind a cell that combining leaves costs little beside folding them. With groups, a leaf's state has cells for each of them. */
static vv_index leaf_length(const vv_step *s)
{
    vv_index enough = LEAF_ELEMENTS, behind = 1, all = 1, grouped = s->groups.dim >= 0 ? 4 * s->groups.n : 0;
    for (int d = 0; d < s->work.shape.nd; d++) {
        all = vv_times(all, chunk_length(s, d));
        if (s->reduced[d] && d != s->groups.dim)
            behind = vv_times(behind, s->groups.dim >= 0 ? vv_imax(1, s->work.shape.n[d]) : chunk_length(s, d));
    }
    if (s->groups.dim >= 0) {
        vv_index along = vv_imax(vv_ceil_div(LEAF_ELEMENTS, behind), grouped);
        return vv_ceil_div(along, chunk_length(s, s->groups.dim));
    }
    vv_index least = s->product ? product_leaf(s) : 1;
    if (vv_step_waits(s)) return vv_imax(least, vv_ceil_div(LEAF_PUSHED, vv_imax(1, all)));
    for (int r = 0; r < s->n_results; r++) /* large states: as many elements as a state has bytes, half of them */
        if (s->result[r].red.spec) enough = vv_imax(enough, vv_red_cell_bytes(&s->result[r].red) / 2);
    return vv_imax(least, vv_ceil_div(enough, behind));
}

/* --- placement --- */

/* Held chunks come from owners of consecutive ones; a reduction over the slowest dimension meets them in that order leaf by leaf. */
static bool in_held_order(const vv_plan *p, const vv_step *s)
{
    int d = 0;
    if (s->n_inputs == 0) return false;
    for (int k = 0; k < s->n_inputs; k++)
        for (int i = 0; i < s->input[k].n_parts; i++)
            if (p->step[s->input[k].part[i].from].placement != VV_PLACE_HELD) return false;
    while (d < s->work.shape.nd - 1 && vv_grid_count(&s->work, d) <= 1) d++;
    return d < s->work.shape.nd && s->reduced[d];
}

/* Chunks of equal length are unequal work where they have to be inflated: those of one region take longer than those of another. Dealt out leaf by leaf, every
 * rank has some of each region; that pays where what
 * has to travel and to be open at once is little beside what is read. (Who asks about other ranks than there are gets the plan that would run there.) */
static bool deals_inflating(const vv_plan *p, const vv_step *s)
{
    if (s->op != VV_STEP_REDUCE || s->n_inputs == 0) return false;
    vv_index cells = 1;
    vv_bytes read = 0;
    for (int k = 0; k < s->n_inputs; k++) {
        if (s->input[k].access != VV_ACCESS_CHUNK || s->input[k].n_parts == 0)
            return false; /* without parts it is all fill */
        const vv_source *source = vv_part_stored(p, &s->input[k].part[0]);
        if (!source || !source->compressed) return false;
        read += vv_times(vv_shape_elements(&s->work.shape), vv_dtype_size(source->decode.stored));
    }
    for (int d = 0; d < s->grid.shape.nd; d++) cells = vv_times(cells, vv_imin(s->grid.chunk[d], s->grid.shape.n[d]));
    vv_bytes states = vv_times(vv_step_outs(s), vv_state_bytes(s, cells));
    return states <= MOST_OPEN && states <= read / 100;
}

/* A product that is small beside its factors: every rank multiplies its share of what is summed over, and has only that of the factors; sums travel instead. Should all
 * sums at once be too much for the budget, a plan with another placement is tried (session/prepare.c). */
bool vv_lower_sums_apart(const vv_builder *b, const vv_step *s)
{
    const vv_plan *p = b->l->plan;
    vv_bytes sums = 8, factors = 0;
    if (!s->product || (b->placement >= 0 && b->placement != VV_PLACE_LEAVES) || is_kept(p, s)) return false;
    for (int d = 0; d < s->work.shape.nd; d++)
        if (!s->reduced[d]) sums = vv_times(sums, s->work.shape.n[d]);
    for (int k = 0; k < s->n_inputs; k++) {
        vv_bytes bytes = vv_dtype_size(s->input[k].type);
        for (int d = 0; d < s->work.shape.nd; d++)
            if (s->input[k].n_parts > 0 && vv_part_follows(&s->input[k].part[0], d))
                bytes = vv_times(bytes, s->work.shape.n[d]);
        factors += bytes;
    }
    return sums <= SUMS_OPEN && sums <= factors / 8;
}

/* Whole outputs per rank: few messages, few states at a time. Contiguous data is rather read in the file's order, as long as few outputs are open at once. */
static vv_placement choose_placement(const vv_builder *b, const vv_step *s)
{
    const vv_plan *p = b->l->plan;
    vv_placement held;
    if (s->groups.dim >= 0) return VV_PLACE_OUTPUTS;
    if (placed_by_held(p, s, &held)) return held;
    if (b->placement >= 0) return (vv_placement)b->placement;
    if (vv_step_leaves(s) == 1 || vv_step_outs(s) > FEW_OUTPUTS) return VV_PLACE_OUTPUTS;
    bool leaves = vv_lower_sums_apart(b, s) || vv_step_streams(s) || in_held_order(p, s) || deals_inflating(p, s);
    return leaves ? VV_PLACE_LEAVES : VV_PLACE_OUTPUTS;
}

/* Rank 0 hands out what it was given. */
static bool loads_given(const vv_plan *p, const vv_step *s)
{
    return s->n_inputs == 1 && s->input[0].access == VV_ACCESS_BOX && vv_input_given(p, &s->input[0]);
}

vv_status vv_lower_finish(const vv_builder *b, vv_step *s)
{
    if (!s->shaped) set_joins(b->l->plan, s);
    if (!s->shaped) s->leaf = s->op == VV_STEP_REDUCE ? leaf_length(s) : 1;
    VV_TRY(vv_step_complete(s));
    s->placement = loads_given(b->l->plan, s)                 ? VV_PLACE_FIRST
                   : placed_within(b->l->plan, s, &s->within) ? VV_PLACE_HELD
                   : is_kept(b->l->plan, s)                   ? VV_PLACE_OUTPUTS
                                                              : choose_placement(b, s);
    return VV_OK;
}
