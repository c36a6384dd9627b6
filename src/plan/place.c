#include "plan/place.h"

const char *const vv_placement_name[VV_PLACEMENTS] = {"outputs", "leaves", "cyclic"};

vv_index vv_step_outs(const vv_step *s)
{
    return vv_grid_chunks(&s->grid);
}

vv_index vv_step_reduced_chunks(const vv_step *s)
{
    if (s->op != VV_STEP_REDUCE) return 1;
    vv_index n = 1;
    for (int d = 0; d < s->work.shape.nd; d++)
        if (s->reduced[d]) n = vv_times(n, vv_grid_count(&s->work, d));
    return n;
}

vv_index vv_step_leaves(const vv_step *s)
{
    return vv_imax(1, vv_ceil_div(vv_step_reduced_chunks(s), s->leaf));
}

/* First unit number of a rank when n numbers are cut into equal stretches. */
static vv_index cut(vv_index n, int rank, int ranks)
{
    return n / ranks * rank + n % ranks * rank / ranks;
}

static int cut_owner(vv_index n, int ranks, vv_index number)
{
    int low = 0, high = ranks - 1;
    while (low < high) {
        int mid = low + (high - low + 1) / 2;
        if (cut(n, mid, ranks) <= number)
            low = mid;
        else
            high = mid - 1;
    }
    return low;
}

static vv_index number_of(const vv_step *s, vv_unit u)
{
    return s->placement == VV_PLACE_OUTPUTS ? u.out * vv_step_leaves(s) + u.leaf : u.leaf * vv_step_outs(s) + u.out;
}

static vv_unit unit_of(const vv_step *s, vv_index number)
{
    vv_index leaves = vv_step_leaves(s), outs = vv_step_outs(s);
    return s->placement == VV_PLACE_OUTPUTS ? (vv_unit){number / leaves, number % leaves}
                                            : (vv_unit){number % outs, number / outs};
}

vv_index vv_place_count(const vv_step *s, int rank, int ranks)
{
    vv_index n = vv_times(vv_step_outs(s), vv_step_leaves(s));
    if (s->placement == VV_PLACE_CYCLIC) return n / ranks + (rank < n % ranks);
    return cut(n, rank + 1, ranks) - cut(n, rank, ranks);
}

vv_unit vv_place_unit(const vv_step *s, int rank, int ranks, vv_index p)
{
    vv_index n = vv_times(vv_step_outs(s), vv_step_leaves(s));
    return unit_of(s, s->placement == VV_PLACE_CYCLIC ? p * ranks + rank : cut(n, rank, ranks) + p);
}

int vv_place_owner(const vv_step *s, int ranks, vv_unit u)
{
    vv_index number = number_of(s, u);
    if (s->placement == VV_PLACE_CYCLIC) return (int)(number % ranks);
    return cut_owner(vv_times(vv_step_outs(s), vv_step_leaves(s)), ranks, number);
}

/* Units of the last leaf - the only one that may be short - among the first p of a rank. */
static vv_index last_leaves(const vv_step *s, int rank, int ranks, vv_index p)
{
    vv_index outs = vv_step_outs(s), leaves = vv_step_leaves(s), n = vv_times(outs, leaves);
    vv_index a = cut(n, rank, ranks), from = (leaves - 1) * outs;
    if (s->placement == VV_PLACE_OUTPUTS) return (a + p) / leaves - a / leaves;
    if (s->placement == VV_PLACE_LEAVES) return vv_imax(0, a + p - vv_imax(a, from));
    vv_index before = vv_imax(0, vv_ceil_div(vv_imax(0, from - rank), ranks));
    return vv_imax(0, p - before);
}

vv_index vv_place_chunks_before(const vv_step *s, int rank, int ranks, vv_index p)
{
    vv_index missing = vv_step_leaves(s) * s->leaf - vv_step_reduced_chunks(s);
    return p * s->leaf - last_leaves(s, rank, ranks, p) * missing;
}

vv_index vv_tree_nodes(vv_index leaves, int level)
{
    return level >= 62 ? 1 : vv_ceil_div(leaves, (vv_index)1 << level);
}

int vv_tree_levels(vv_index leaves)
{
    int level = 0;
    while (vv_tree_nodes(leaves, level) > 1) level++;
    return level;
}

int vv_tree_owner(const vv_step *s, int ranks, vv_index out, int level, vv_index i)
{
    return vv_place_owner(s, ranks, (vv_unit){out, i << level});
}

void vv_unit_chunks(const vv_step *s, vv_unit u, vv_index *first, vv_index *last)
{
    *first = u.leaf * s->leaf;
    *last = vv_imin(*first + s->leaf, vv_step_reduced_chunks(s));
}

void vv_unit_coords(const vv_step *s, vv_index out, vv_index reduced, vv_index coords[])
{
    for (int d = s->work.shape.nd - 1; d >= 0; d--) {
        vv_index *number = s->op == VV_STEP_REDUCE && s->reduced[d] ? &reduced : &out;
        vv_index n = vv_grid_count(&s->work, d);
        coords[d] = *number % n;
        *number /= n;
    }
}
