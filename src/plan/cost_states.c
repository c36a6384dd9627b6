/* How many partial results of a reduction wait on a rank: those of finished subtrees whose other half is not there yet. */
#include "plan/cost.h"

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

/* Whether some output chunk has units on several ranks, of a step placed by outputs. */
static bool shares_outputs(const vv_step *s, int ranks)
{
    for (int rank = 1; rank < ranks; rank++) {
        vv_index before = vv_place_count(s, rank - 1, ranks);
        if (before == 0 || vv_place_count(s, rank, ranks) == 0) continue;
        vv_unit last = vv_place_unit(s, rank - 1, ranks, before - 1), first = vv_place_unit(s, rank, ranks, 0);
        if (last.out == first.out) return true;
    }
    return false;
}

/* In order, while a leaf of a stretch of n is at work, the finished subtrees before it number at most bits(n) - 1: their sizes are different powers of two. With several threads as many again may be finished out of order
 * (they count as working). What comes from other ranks may come early. What goes to them is copied into messages: as many as come in elsewhere. */
vv_index vv_waiting_in_order(const vv_plan *p, const vv_step *s)
{
    vv_index leaves = vv_step_leaves(s), outs = vv_step_outs(s), own = vv_ceil_div(vv_step_units(s), p->ranks);
    if (s->op != VV_STEP_REDUCE || leaves == 1 || own == 0) return 0;
    if (s->groups.dim >= 0) return (shares_outputs(s, p->ranks) ? 2 : 1) * waiting_in_groups(s);
    vv_index messages = p->ranks > 1 ? most_incoming(s, p->ranks) : 0;
    if (s->placement == VV_PLACE_OUTPUTS) return bits(vv_imin(own, leaves)) - 1 + messages;
    vv_index stretch = vv_imin(vv_ceil_div(own, vv_imax(1, outs)) + 1, leaves), waiting = bits(stretch) - 1;
    if (s->placement == VV_PLACE_CYCLIC && p->ranks > 1) { /* hardly any neighbours of its own */
        waiting = stretch;
        messages = vv_imin(leaves, 2 * stretch);
    }
    return outs * (waiting + messages);
}
