/* How many partial results of a reduction wait on a rank: those of finished subtrees whose other half is not there yet. */
#include "plan/cost/cost.h"

static int bits(vv_index n)
{
    int b = 0;
    for (; n > 0; n /= 2) b++;
    return b;
}

/* The present leaves of an output chunk, ascending; without groups all numbers. */
typedef struct leaf_row {
    const vv_index *list; /* NULL: 0, 1, 2 .. */
    vv_index n;
} leaf_row;

static vv_index leaf_at(const leaf_row *l, vv_index i)
{
    return l->list ? l->list[i] : i;
}

/* How many are below a number. */
static vv_index leaves_below(const leaf_row *l, vv_index number)
{
    vv_index low = 0, high = l->n;
    if (!l->list) return vv_imin(number, l->n);
    while (low < high) {
        vv_index middle = low + (high - low) / 2;
        if (l->list[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Partial results of one output that cross a border between ranks, behind which leaf number `at` is the first: into what has leaves [from, at), or out of what
 * has leaves [at, to). One for each level at which a left child that begins in the one meets a right child that begins in the other. */
static vv_index crossing(const leaf_row *l, vv_index from, vv_index at, vv_index to)
{
    vv_index n = 0;
    if (at <= 0 || at >= l->n) return 0;
    vv_index last = leaf_at(l, l->n - 1);
    for (int level = 0; last >> level > 0; level++) {
        vv_index left = leaf_at(l, at - 1) >> level;
        if (left % 2) continue;
        vv_index first = leaves_below(l, left << level), next = leaves_below(l, (left + 1) << level);
        n += first >= from && next >= at && next < to && leaf_at(l, next) < (left + 2) << level;
    }
    return n;
}

static leaf_row leaves_of(const vv_step *s, vv_index out)
{
    const vv_groups *g = &s->groups;
    if (g->dim < 0) return (leaf_row){NULL, vv_step_leaves(s)};
    vv_index first;
    vv_out_groups(s, out, &first, &(vv_index){0});
    vv_index block = first / g->chunk;
    return (leaf_row){g->leaf + g->leaf_first[block], g->leaf_first[block + 1] - g->leaf_first[block]};
}

/* Of a rank that has whole output chunks but for the first and the last one: partial results that come for the last one, at any time, and those of the first one that may
 * still be on their way. */
static vv_index crossing_of_rank(const vv_step *s, int rank, int ranks)
{
    vv_index own = vv_place_count(s, rank, ranks);
    if (own == 0) return 0;
    vv_unit first = vv_place_unit(s, rank, ranks, 0), last = vv_place_unit(s, rank, ranks, own - 1);
    leaf_row head = leaves_of(s, first.out), tail = leaves_of(s, last.out);
    vv_index begin = leaves_below(&head, first.leaf), end = leaves_below(&tail, last.leaf) + 1;
    bool one = first.out == last.out;
    return crossing(&head, 0, begin, one ? end : head.n) + crossing(&tail, one ? begin : 0, end, tail.n);
}

static vv_index most_crossing(const vv_step *s, int ranks)
{
    vv_index most = 0;
    for (int rank = 0; rank < ranks; rank++) most = vv_imax(most, crossing_of_rank(s, rank, ranks));
    return most;
}

/* The same where ranks have stretches of the leaves of all output chunks; what goes out is copied into messages: as many as come in elsewhere. */
static vv_index most_incoming(const vv_step *s, int ranks)
{
    leaf_row all = {NULL, vv_step_leaves(s)};
    vv_index most = 0;
    for (int rank = 0; rank < ranks; rank++) {
        vv_index own = vv_place_count(s, rank, ranks);
        if (own == 0) continue;
        vv_unit first = vv_place_unit(s, rank, ranks, 0), last = vv_place_unit(s, rank, ranks, own - 1);
        most = vv_imax(most, crossing(&all, first.leaf, last.leaf + 1, all.n));
        if (vv_step_outs(s) > 1 && last.leaf > first.leaf)
            most = vv_imax(most, crossing(&all, first.leaf, last.leaf, all.n));
    }
    return most;
}

/* With groups a tree has gaps. While a leaf is at work, what waits is one node for each ancestor that it is on the right side of. Two neighbours part at the
 * level of the highest bit in which their numbers differ; those ancestors are the levels that no later one has exceeded. */
static vv_index waiting_in_block(const vv_index leaf[], vv_index n)
{
    int stack[64], depth = 0, most = 0;
    for (vv_index i = 1; i < n; i++) {
        int level = bits(leaf[i - 1] ^ leaf[i]);
        while (depth > 0 && stack[depth - 1] <= level) depth--;
        stack[depth++] = level;
        most = depth > most ? depth : most;
    }
    return most;
}

static vv_index waiting_in_groups(const vv_step *s)
{
    const vv_groups *g = &s->groups;
    vv_index most = 0;
    for (vv_index b = 0; g->first && b < vv_ceil_div(g->n, g->chunk); b++)
        most = vv_imax(most, waiting_in_block(g->leaf + g->leaf_first[b], g->leaf_first[b + 1] - g->leaf_first[b]));
    return most;
}

/* In order, while a leaf of a stretch of n is at work, the finished subtrees before it number at most bits(n) - 1: their sizes are different powers of two. With several threads as many again may be finished out of order
 * (they count as working). What comes from other ranks may come early; what goes to them is copied into messages. */
vv_index vv_waiting_in_order(const vv_plan *p, const vv_step *s)
{
    vv_index leaves = vv_step_leaves(s), outs = vv_step_outs(s), own = vv_ceil_div(vv_step_units(s), p->ranks);
    if (s->op != VV_STEP_REDUCE || leaves == 1 || own == 0) return 0;
    if (s->groups.dim >= 0) return waiting_in_groups(s) + most_crossing(s, p->ranks);
    if (s->placement == VV_PLACE_OUTPUTS) return bits(vv_imin(own, leaves)) - 1 + most_crossing(s, p->ranks);
    vv_index messages = p->ranks > 1 ? most_incoming(s, p->ranks) : 0;
    vv_index stretch = vv_imin(vv_ceil_div(own, vv_imax(1, outs)) + 1, leaves), waiting = bits(stretch) - 1;
    if (s->placement == VV_PLACE_CYCLIC && p->ranks > 1) { /* hardly any neighbours of its own */
        waiting = stretch;
        messages = vv_imin(leaves, 2 * stretch);
    }
    return outs * (waiting + messages);
}
