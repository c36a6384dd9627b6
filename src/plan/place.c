#include "plan/place.h"

const char *const vv_placement_name[VV_PLACE_ALL] = {"outputs", "leaves", "cyclic", "held chunks", "rank 0"};

static bool grouped(const vv_step *s)
{
    return s->op == VV_STEP_REDUCE && s->groups.dim >= 0;
}

static bool reduced(const vv_step *s, int d)
{
    return s->op == VV_STEP_REDUCE && s->reduced[d];
}

vv_index vv_step_outs(const vv_step *s)
{
    return vv_grid_chunks(&s->grid);
}

/* Chunks of `work` behind one output chunk, along the reduced dimensions; with groups: but for the groups' own. */
static vv_index reduced_chunks(const vv_step *s)
{
    vv_index n = 1;
    for (int d = 0; d < s->work.shape.nd; d++)
        if (reduced(s, d) && !(grouped(s) && d == s->groups.dim)) n = vv_times(n, vv_grid_count(&s->work, d));
    return n;
}

vv_index vv_step_leaves(const vv_step *s)
{
    vv_index n = grouped(s) ? vv_grid_count(&s->work, s->groups.dim) : reduced_chunks(s);
    return vv_imax(1, vv_ceil_div(n, s->leaf));
}

/* --- groups: an output chunk belongs to a block of groups; (outer, block, inner) are its coordinates before, at and after the groups' dimension --- */

typedef struct spot {
    vv_index outer, block, inner;
} spot;

/* Where the groups' dimension lies in the result, and the number of chunks behind it. */
static int group_dim_of_result(const vv_step *s)
{
    int k = 0;
    for (int d = 0; d < s->groups.dim; d++) k += !reduced(s, d);
    return k;
}

static vv_index blocks(const vv_step *s)
{
    return vv_ceil_div(s->groups.n, s->groups.chunk);
}

static vv_index inner_chunks(const vv_step *s)
{
    vv_index n = 1;
    for (int k = group_dim_of_result(s) + 1; k < s->grid.shape.nd; k++) n *= vv_grid_count(&s->grid, k);
    return n;
}

static spot spot_of(const vv_step *s, vv_index out)
{
    vv_index inner = inner_chunks(s), b = blocks(s);
    return (spot){out / inner / b, out / inner % b, out % inner};
}

static vv_index out_of(const vv_step *s, spot p)
{
    return (p.outer * blocks(s) + p.block) * inner_chunks(s) + p.inner;
}

static vv_index leaves_of_block(const vv_step *s, vv_index block)
{
    return s->groups.leaf_first[block + 1] - s->groups.leaf_first[block];
}

/* The last i with first[i] <= at. */
static vv_index stretch_of(const vv_index first[], vv_index n, vv_index at)
{
    vv_index low = 0, high = n - 1;
    while (low < high) {
        vv_index mid = low + (high - low + 1) / 2;
        if (first[mid] <= at)
            low = mid;
        else
            high = mid - 1;
    }
    return low;
}

/* Position of the first entry >= value in an ascending list. */
static vv_index lower_bound(const vv_index list[], vv_index n, vv_index value)
{
    vv_index low = 0, high = n;
    while (low < high) {
        vv_index mid = low + (high - low) / 2;
        if (list[mid] < value)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

vv_index vv_step_units(const vv_step *s)
{
    if (!grouped(s)) return vv_times(vv_step_outs(s), vv_step_leaves(s));
    vv_index outer = vv_step_outs(s) / vv_imax(1, blocks(s));
    return vv_times(outer, s->groups.leaf_first[blocks(s)]);
}

/* Out-major: all leaves of an output chunk follow each other. */
static vv_index group_number(const vv_step *s, vv_unit u)
{
    const vv_groups *g = &s->groups;
    spot p = spot_of(s, u.out);
    vv_index inner = inner_chunks(s), of_block = leaves_of_block(s, p.block);
    vv_index at = lower_bound(g->leaf + g->leaf_first[p.block], of_block, u.leaf);
    return (p.outer * g->leaf_first[blocks(s)] + g->leaf_first[p.block]) * inner + p.inner * of_block + at;
}

static vv_unit group_unit(const vv_step *s, vv_index number)
{
    const vv_groups *g = &s->groups;
    vv_index inner = inner_chunks(s), b = blocks(s), row = g->leaf_first[b] * inner;
    spot p = {.outer = number / row};
    vv_index rest = number % row;
    p.block = stretch_of(g->leaf_first, b, rest / inner);
    vv_index of_block = leaves_of_block(s, p.block);
    rest -= g->leaf_first[p.block] * inner;
    p.inner = rest / of_block;
    return (vv_unit){out_of(s, p), g->leaf[g->leaf_first[p.block] + rest % of_block]};
}

/* --- numbers of units, cut into stretches --- */

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

vv_index vv_held_first(const vv_grid *g, int rank, int ranks)
{
    return cut(vv_grid_chunks(g), rank, ranks);
}

int vv_held_owner(const vv_grid *g, int ranks, vv_index chunk)
{
    return cut_owner(vv_grid_chunks(g), ranks, chunk);
}

static bool by_held(const vv_step *s)
{
    return s->placement == VV_PLACE_HELD;
}

static vv_index held_chunks(const vv_step *s)
{
    vv_index n = 1;
    for (int d = 0; d < s->work.shape.nd; d++) n *= s->within.count[d];
    return n;
}

/* The held chunk of an output chunk. */
static vv_index held_number(const vv_step *s, vv_index out)
{
    vv_index coords[VV_MAX_DIMS], number = 0;
    for (int d = s->work.shape.nd - 1; d >= 0; d--) {
        vv_index n = vv_grid_count(&s->work, d);
        coords[d] = s->within.first[d] + out % n;
        out /= n;
    }
    for (int d = 0; d < s->work.shape.nd; d++) number = number * s->within.count[d] + coords[d];
    return number;
}

/* How many chunks of the work are held chunks below a number: both are counted row by row, so these are the first ones. */
static vv_index held_below(const vv_step *s, vv_index number)
{
    vv_index low = 0, high = vv_step_outs(s);
    while (low < high) {
        vv_index mid = low + (high - low) / 2;
        if (held_number(s, mid) < number)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* First unit number of a rank. */
static vv_index stretch_begin(const vv_step *s, int rank, int ranks)
{
    if (s->placement == VV_PLACE_FIRST) return rank == 0 ? 0 : vv_step_units(s);
    if (!by_held(s)) return cut(vv_step_units(s), rank, ranks);
    return rank == ranks ? vv_step_outs(s) : held_below(s, cut(held_chunks(s), rank, ranks));
}

vv_index vv_place_most(const vv_step *s, int ranks)
{
    if (s->placement == VV_PLACE_FIRST) return vv_step_units(s);
    if (!by_held(s)) return vv_ceil_div(vv_step_units(s), ranks);
    return vv_imin(vv_step_units(s), vv_ceil_div(held_chunks(s), ranks));
}

static vv_index number_of(const vv_step *s, vv_unit u)
{
    if (grouped(s)) return group_number(s, u);
    return s->placement == VV_PLACE_OUTPUTS ? u.out * vv_step_leaves(s) + u.leaf : u.leaf * vv_step_outs(s) + u.out;
}

static vv_unit unit_of(const vv_step *s, vv_index number)
{
    if (grouped(s)) return group_unit(s, number);
    vv_index leaves = vv_step_leaves(s), outs = vv_step_outs(s);
    return s->placement == VV_PLACE_OUTPUTS ? (vv_unit){number / leaves, number % leaves}
                                            : (vv_unit){number % outs, number / outs};
}

vv_index vv_place_count(const vv_step *s, int rank, int ranks)
{
    vv_index n = vv_step_units(s);
    if (s->placement == VV_PLACE_CYCLIC && !grouped(s)) return n / ranks + (rank < n % ranks);
    return stretch_begin(s, rank + 1, ranks) - stretch_begin(s, rank, ranks);
}

vv_unit vv_place_unit(const vv_step *s, int rank, int ranks, vv_index p)
{
    bool cyclic = s->placement == VV_PLACE_CYCLIC && !grouped(s);
    return unit_of(s, cyclic ? p * ranks + rank : stretch_begin(s, rank, ranks) + p);
}

int vv_place_owner(const vv_step *s, int ranks, vv_unit u)
{
    vv_index number = number_of(s, u);
    if (s->placement == VV_PLACE_CYCLIC && !grouped(s)) return (int)(number % ranks);
    if (s->placement == VV_PLACE_FIRST) return 0;
    if (by_held(s)) return cut_owner(held_chunks(s), ranks, held_number(s, u.out));
    return cut_owner(vv_step_units(s), ranks, number);
}

vv_index vv_place_index(const vv_step *s, int ranks, vv_unit u)
{
    vv_index number = number_of(s, u);
    if (s->placement == VV_PLACE_CYCLIC && !grouped(s)) return number / ranks;
    return number - stretch_begin(s, vv_place_owner(s, ranks, u), ranks);
}

/* --- the tree --- */

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

vv_index vv_tree_first_leaf(const vv_step *s, vv_index out, int level, vv_index i)
{
    vv_index from = i << level;
    if (!grouped(s)) return from < vv_step_leaves(s) ? from : -1;
    const vv_groups *g = &s->groups;
    vv_index block = spot_of(s, out).block, n = leaves_of_block(s, block);
    const vv_index *leaf = g->leaf + g->leaf_first[block];
    vv_index at = lower_bound(leaf, n, from);
    return at < n && leaf[at] < from + ((vv_index)1 << level) ? leaf[at] : -1;
}

int vv_tree_owner(const vv_step *s, int ranks, vv_index out, int level, vv_index i)
{
    return vv_place_owner(s, ranks, (vv_unit){out, vv_tree_first_leaf(s, out, level, i)});
}

int vv_out_owner(const vv_step *s, int ranks, vv_index out)
{
    return vv_tree_owner(s, ranks, out, vv_tree_levels(vv_step_leaves(s)), 0);
}

/* --- the chunks of a unit --- */

/* Entries of the block's list of present chunks that lie in a leaf. */
static void present_in_leaf(const vv_step *s, vv_unit u, vv_index *first, vv_index *n)
{
    const vv_groups *g = &s->groups;
    vv_index block = spot_of(s, u.out).block;
    const vv_index *list = g->present + g->first[block];
    vv_index all = g->first[block + 1] - g->first[block];
    *first = lower_bound(list, all, u.leaf * s->leaf);
    *n = lower_bound(list, all, (u.leaf + 1) * s->leaf) - *first;
    *first += g->first[block];
}

vv_index vv_unit_chunks(const vv_step *s, vv_unit u)
{
    vv_index rest = reduced_chunks(s);
    if (!grouped(s)) return vv_imin(s->leaf, rest - u.leaf * s->leaf);
    vv_index first, n;
    present_in_leaf(s, u, &first, &n);
    return n * rest;
}

/* Coordinates along kept dimensions from the output chunk, along reduced ones from a number among them. */
static void coords_of(const vv_step *s, vv_index out, vv_index number, vv_index coords[])
{
    for (int d = s->work.shape.nd - 1; d >= 0; d--) {
        if (grouped(s) && d == s->groups.dim) {
            out /= blocks(s);
            continue;
        }
        vv_index *from = reduced(s, d) ? &number : &out;
        vv_index n = vv_grid_count(&s->work, d);
        coords[d] = *from % n;
        *from /= n;
    }
}

void vv_unit_coords(const vv_step *s, vv_unit u, vv_index k, vv_index coords[])
{
    if (!grouped(s)) {
        coords_of(s, u.out, u.leaf * s->leaf + k, coords);
        return;
    }
    vv_index first, n, rest = reduced_chunks(s);
    present_in_leaf(s, u, &first, &n);
    coords_of(s, u.out, k % rest, coords);
    coords[s->groups.dim] = s->groups.present[first + k / rest];
}

vv_unit vv_unit_of(const vv_step *s, const vv_index coords[], vv_index block)
{
    vv_index out = 0, number = 0;
    for (int d = 0; d < s->work.shape.nd; d++) {
        if (grouped(s) && d == s->groups.dim)
            out = out * blocks(s) + block;
        else if (reduced(s, d))
            number = number * vv_grid_count(&s->work, d) + coords[d];
        else
            out = out * vv_grid_count(&s->work, d) + coords[d];
    }
    return (vv_unit){out, (grouped(s) ? coords[s->groups.dim] : number) / s->leaf};
}

void vv_out_groups(const vv_step *s, vv_index out, vv_index *first, vv_index *n)
{
    *first = 0;
    *n = 1;
    if (!grouped(s)) return;
    *first = spot_of(s, out).block * s->groups.chunk;
    *n = vv_imin(s->groups.chunk, s->groups.n - *first);
}
