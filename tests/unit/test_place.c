/* Placement: every unit has one owner, numbering and owning are inverse, counting matches naive counting, units cover the work once. */
#include "scratch.h"

#include "plan/place.h"

static uint64_t seed = 31337;
static uint64_t draw(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return seed >> 20;
}

static vv_index below(vv_index n)
{
    return (vv_index)(draw() % (uint64_t)n);
}

/* Groups along a reduced dimension; some have no element. */
static void add_groups(vv_step *s)
{
    vv_groups *g = &s->groups;
    for (g->dim = 0; g->dim < s->work.shape.nd; g->dim++)
        if (s->reduced[g->dim] && s->work.shape.n[g->dim] > 0) break;
    if (g->dim == s->work.shape.nd) {
        g->dim = -1;
        return;
    }
    g->n = 1 + below(5);
    g->chunk = 1 + below(g->n);
    must(vv_table_new(s->work.shape.n[g->dim], &g->label));
    for (vv_index i = 0; i < g->label->n; i++) g->label->at[i] = below(g->n + 1) - 1;
}

static void random_step(vv_step *s)
{
    *s = (vv_step){.op = below(5) == 0 ? VV_STEP_MAP : VV_STEP_REDUCE, .leaf = 1, .groups.dim = -1};
    s->work.shape.nd = (int)below(5);
    for (int d = 0; d < s->work.shape.nd; d++) {
        s->work.shape.n[d] = below(12) == 0 ? 0 : 1 + below(9);
        s->work.chunk[d] = 1 + below(4);
        s->work.shift[d] = below(s->work.chunk[d]);
        s->reduced[d] = s->op == VV_STEP_REDUCE && below(2);
    }
    if (s->op == VV_STEP_REDUCE) s->leaf = 1 + below(6);
    if (s->op == VV_STEP_REDUCE && below(2)) add_groups(s);
    s->placement = (vv_placement)below(VV_PLACEMENTS);
    must(vv_step_complete(s));
}

static void step_free(vv_step *s)
{
    vv_table_free(&s->groups.label);
    free(s->groups.first);
    free(s->groups.present);
    free(s->groups.leaf_first);
    free(s->groups.leaf);
}

/* Whether a node of the tree has a unit below it, naively: by owners that were found. */
static int first_owner(const int *owner, vv_index leaves, vv_index out, int level, vv_index i, vv_index *leaf)
{
    for (*leaf = i << level; *leaf < vv_imin(leaves, (i + 1) << level); ++*leaf)
        if (owner[out * leaves + *leaf] >= 0) return owner[out * leaves + *leaf];
    return -1;
}

static void check_tree(const vv_step *s, int ranks, const int *owner)
{
    vv_index leaves = vv_step_leaves(s), leaf;
    for (vv_index out = 0; out < vv_step_outs(s); out++) {
        for (int level = 0; level <= vv_tree_levels(leaves); level++)
            for (vv_index i = 0; i < vv_tree_nodes(leaves, level); i++) {
                int first = first_owner(owner, leaves, out, level, i, &leaf);
                assert_int_equal(vv_tree_first_leaf(s, out, level, i), first < 0 ? -1 : leaf);
                if (first >= 0) assert_int_equal(vv_tree_owner(s, ranks, out, level, i), first);
            }
        assert_int_equal(vv_out_owner(s, ranks, out), first_owner(owner, leaves, out, 62, 0, &leaf));
    }
}

static void check_owners(const vv_step *s, int ranks)
{
    vv_index outs = vv_step_outs(s), leaves = vv_step_leaves(s), all = 0, least = VV_INDEX_MAX, most = 0;
    int *owner = malloc(sizeof *owner * (size_t)(outs * leaves + 1));
    for (vv_index i = 0; i < outs * leaves; i++) owner[i] = -1;
    for (int rank = 0; rank < ranks; rank++) {
        vv_index count = vv_place_count(s, rank, ranks);
        for (vv_index p = 0; p < count; p++) {
            vv_unit u = vv_place_unit(s, rank, ranks, p);
            assert_true(u.out >= 0 && u.out < outs && u.leaf >= 0 && u.leaf < leaves);
            assert_int_equal(owner[u.out * leaves + u.leaf], -1);
            owner[u.out * leaves + u.leaf] = rank;
            assert_int_equal(vv_place_owner(s, ranks, u), rank);
            assert_int_equal(vv_place_index(s, ranks, u), p);
        }
        all += count;
        least = vv_imin(least, count);
        most = vv_imax(most, count);
    }
    assert_int_equal(all, vv_step_units(s));
    if (s->groups.dim < 0) assert_int_equal(all, outs * leaves);
    assert_true(most - least <= 1); /* fair */
    check_tree(s, ranks, owner);
    free(owner);
}

static void test_owners(void **state)
{
    (void)state;
    for (int round = 0; round < 1500; round++) {
        vv_step s;
        random_step(&s);
        for (int placement = 0; placement < VV_PLACEMENTS; placement++) {
            s.placement = (vv_placement)placement;
            for (int ranks = 1; ranks <= 9; ranks += 1 + (ranks > 3)) check_owners(&s, ranks);
        }
        step_free(&s);
    }
}

/* The work chunk lies behind the cells of the output chunk. */
static void check_kept(const vv_step *s, const vv_index coords[], vv_index out)
{
    vv_box work, cells;
    int k = 0;
    vv_grid_box_at(&s->work, coords, &work);
    vv_grid_box(&s->grid, out, &cells);
    for (int d = 0; d < s->work.shape.nd; d++) {
        if (s->groups.dim == d) k++;
        if (s->reduced[d]) continue;
        assert_int_equal(work.lo[d], cells.lo[k]);
        assert_int_equal(work.n[d], cells.n[k++]);
    }
    assert_int_equal(k, cells.nd);
}

static bool has_label(const vv_step *s, const vv_index coords[], vv_index out)
{
    vv_index first, n;
    vv_box work;
    if (s->groups.dim < 0) return true;
    vv_out_groups(s, out, &first, &n);
    vv_grid_box_at(&s->work, coords, &work);
    for (vv_index i = 0; i < work.n[s->groups.dim]; i++) {
        vv_index label = s->groups.label->at[work.lo[s->groups.dim] + i];
        if (label >= first && label < first + n) return true;
    }
    return false;
}

/* Every work chunk is folded once for each output chunk that it belongs to, by the unit that vv_unit_of() names, in an order that the grid fixes. */
static void test_units_cover_the_work(void **state)
{
    (void)state;
    for (int round = 0; round < 3000; round++) {
        vv_step s;
        random_step(&s);
        vv_index seen = 0, due = 0;
        for (vv_index p = 0; p < vv_place_count(&s, 0, 1); p++) {
            vv_unit u = vv_place_unit(&s, 0, 1, p);
            vv_index before = -1;
            for (vv_index k = 0; k < vv_unit_chunks(&s, u); k++, seen++) {
                vv_index coords[VV_MAX_DIMS], first, n;
                vv_unit_coords(&s, u, k, coords);
                check_kept(&s, coords, u.out);
                assert_true(has_label(&s, coords, u.out));
                vv_out_groups(&s, u.out, &first, &n);
                vv_unit same = vv_unit_of(&s, coords, s.groups.dim < 0 ? 0 : first / s.groups.chunk);
                assert_int_equal(same.out, u.out);
                assert_int_equal(same.leaf, u.leaf);
                vv_index number = vv_grid_number(&s.work, coords); /* the groups' dimension runs slowest */
                if (s.groups.dim >= 0) number += coords[s.groups.dim] * vv_grid_chunks(&s.work);
                assert_true(number > before);
                before = number;
            }
        }
        for (vv_index out = 0; out < vv_step_outs(&s); out++)
            for (vv_index c = 0; c < vv_grid_chunks(&s.work); c++) {
                vv_index coords[VV_MAX_DIMS];
                vv_grid_coords(&s.work, c, coords);
                vv_index first, n;
                vv_out_groups(&s, out, &first, &n);
                vv_unit u = vv_unit_of(&s, coords, s.groups.dim < 0 ? 0 : first / s.groups.chunk);
                due += u.out == out && has_label(&s, coords, out);
            }
        assert_int_equal(seen, due);
        step_free(&s);
    }
}

static void test_tree(void **state)
{
    (void)state;
    for (vv_index leaves = 1; leaves < 600; leaves++) {
        vv_index nodes = leaves;
        int level = 0;
        for (; nodes > 1; level++, nodes = (nodes + 1) / 2) assert_int_equal(vv_tree_nodes(leaves, level), nodes);
        assert_int_equal(vv_tree_levels(leaves), level);
        assert_int_equal(vv_tree_nodes(leaves, level), 1);
        assert_int_equal(vv_tree_nodes(leaves, 70), 1);
    }
    assert_int_equal(vv_tree_levels(1LL << 61), 61);
}

/* Sizes that nobody enumerates: numbering and owning stay inverse, counts add up. */
static void test_large(void **state)
{
    (void)state;
    for (int round = 0; round < 2000; round++) {
        vv_step s = {.op = VV_STEP_REDUCE,
                     .leaf = 1 + below(100),
                     .placement = (vv_placement)below(VV_PLACEMENTS),
                     .groups.dim = -1};
        s.work = (vv_grid){.shape = {2, {1 + below(1LL << 30), 1 + below(1LL << 30)}},
                           .chunk = {1 + below(50), 1 + below(50)}};
        s.reduced[round % 2] = true;
        must(vv_step_complete(&s));
        int ranks = 1 + (int)below(20000);
        vv_index all = 0;
        for (int rank = 0; rank < ranks; rank += 1 + ranks / 50) {
            vv_index count = vv_place_count(&s, rank, ranks);
            if (count == 0) continue;
            vv_index probe[] = {0, count - 1, below(count)};
            for (int i = 0; i < 3; i++)
                assert_int_equal(vv_place_owner(&s, ranks, vv_place_unit(&s, rank, ranks, probe[i])), rank);
        }
        for (int rank = 0; rank < ranks; rank++) all += vv_place_count(&s, rank, ranks);
        assert_int_equal(all, vv_step_outs(&s) * vv_step_leaves(&s));
    }
}

/* A map of a box of a held array: every chunk is made by the rank that holds it, and numbering is the inverse of owning. */
static void test_held(void **state)
{
    (void)state;
    for (int trial = 0; trial < 400; trial++) {
        vv_grid held = {.shape.nd = (int)below(4)};
        vv_step s = {.op = VV_STEP_MAP, .leaf = 1, .groups.dim = -1, .placement = VV_PLACE_HELD};
        s.work.shape.nd = held.shape.nd;
        for (int d = 0; d < held.shape.nd; d++) {
            held.chunk[d] = s.work.chunk[d] = 1 + below(3);
            held.shape.n[d] = 1 + below(12);
            s.within.count[d] = vv_grid_count(&held, d);
            s.within.first[d] = below(s.within.count[d]);
            vv_index end = s.within.first[d] + 1 + below(s.within.count[d] - s.within.first[d]);
            s.work.shape.n[d] = vv_imin(end * held.chunk[d], held.shape.n[d]) - s.within.first[d] * held.chunk[d];
        }
        must(vv_step_complete(&s));
        int ranks = 1 + (int)below(6);
        vv_index all = 0;
        for (int rank = 0; rank < ranks; rank++) {
            vv_index n = vv_place_count(&s, rank, ranks);
            assert_true(n <= vv_place_most(&s, ranks));
            all += n;
            for (vv_index p = 0; p < n; p++) {
                vv_unit u = vv_place_unit(&s, rank, ranks, p);
                vv_index coords[VV_MAX_DIMS];
                vv_unit_coords(&s, u, 0, coords);
                for (int d = 0; d < held.shape.nd; d++) coords[d] += s.within.first[d];
                vv_index chunk = vv_grid_number(&held, coords);
                assert_int_equal(vv_place_owner(&s, ranks, u), rank);
                assert_int_equal(vv_held_owner(&held, ranks, chunk), rank);
                assert_true(chunk >= vv_held_first(&held, rank, ranks) &&
                            chunk < vv_held_first(&held, rank + 1, ranks));
                assert_int_equal(vv_place_index(&s, ranks, u), p);
            }
        }
        assert_int_equal(all, vv_step_outs(&s));
    }
}

static void test_names(void **state)
{
    (void)state;
    for (int i = 0; i < VV_PLACEMENTS; i++)
        for (int k = 0; k < i; k++) assert_string_not_equal(vv_placement_name[i], vv_placement_name[k]);
    assert_string_equal(vv_placement_name[VV_PLACE_OUTPUTS], "outputs");
    assert_string_equal(vv_placement_name[VV_PLACE_LEAVES], "leaves");
    assert_string_equal(vv_placement_name[VV_PLACE_CYCLIC], "cyclic");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_owners), cmocka_unit_test(test_units_cover_the_work),
        cmocka_unit_test(test_tree),   cmocka_unit_test(test_large),
        cmocka_unit_test(test_names),  cmocka_unit_test(test_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
