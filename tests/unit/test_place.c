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

/* The grid of the result: kept dimensions of the work. */
static void result_grid(vv_step *s)
{
    s->grid.shape.nd = 0;
    for (int d = 0; d < s->work.shape.nd; d++) {
        if (s->op == VV_STEP_REDUCE && s->reduced[d]) continue;
        int k = s->grid.shape.nd++;
        s->grid.shape.n[k] = s->work.shape.n[d];
        s->grid.chunk[k] = s->work.chunk[d];
    }
}

static void random_step(vv_step *s)
{
    *s = (vv_step){.op = below(5) == 0 ? VV_STEP_MAP : VV_STEP_REDUCE, .leaf = 1};
    s->work.shape.nd = (int)below(5);
    for (int d = 0; d < s->work.shape.nd; d++) {
        s->work.shape.n[d] = below(12) == 0 ? 0 : 1 + below(9);
        s->work.chunk[d] = 1 + below(4);
        s->reduced[d] = s->op == VV_STEP_REDUCE && below(2);
    }
    if (s->op == VV_STEP_REDUCE) s->leaf = 1 + below(6);
    s->placement = (vv_placement)below(VV_PLACEMENTS);
    result_grid(s);
}

static vv_index unit_chunks(const vv_step *s, vv_unit u)
{
    vv_index first, last;
    vv_unit_chunks(s, u, &first, &last);
    assert_true(first <= last && last - first <= s->leaf);
    return last - first;
}

static void check_owners(const vv_step *s, int ranks)
{
    vv_index outs = vv_step_outs(s), leaves = vv_step_leaves(s), all = 0, least = VV_INDEX_MAX, most = 0;
    int *owner = malloc(sizeof *owner * (size_t)(outs * leaves + 1));
    for (vv_index i = 0; i < outs * leaves; i++) owner[i] = -1;
    for (int rank = 0; rank < ranks; rank++) {
        vv_index count = vv_place_count(s, rank, ranks), chunks = 0;
        for (vv_index p = 0; p < count; p++) {
            assert_int_equal(vv_place_chunks_before(s, rank, ranks, p), chunks);
            vv_unit u = vv_place_unit(s, rank, ranks, p);
            assert_true(u.out >= 0 && u.out < outs && u.leaf >= 0 && u.leaf < leaves);
            assert_int_equal(owner[u.out * leaves + u.leaf], -1);
            owner[u.out * leaves + u.leaf] = rank;
            assert_int_equal(vv_place_owner(s, ranks, u), rank);
            chunks += unit_chunks(s, u);
        }
        assert_int_equal(vv_place_chunks_before(s, rank, ranks, count), chunks);
        all += count;
        least = vv_imin(least, count);
        most = vv_imax(most, count);
    }
    assert_int_equal(all, outs * leaves);
    assert_true(most - least <= 1); /* fair */
    for (vv_index out = 0; out < outs; out++)
        for (int level = 0; level <= vv_tree_levels(leaves); level++)
            for (vv_index i = 0; i < vv_tree_nodes(leaves, level); i++)
                assert_int_equal(vv_tree_owner(s, ranks, out, level, i), owner[out * leaves + (i << level)]);
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
            for (int ranks = 1; ranks <= 9; ranks++) check_owners(&s, ranks);
        }
    }
}

static void test_units_cover_the_work(void **state)
{
    (void)state;
    for (int round = 0; round < 3000; round++) {
        vv_step s;
        random_step(&s);
        vv_index chunks = vv_grid_chunks(&s.work), seen = 0;
        int *hits = calloc((size_t)chunks + 1, sizeof *hits);
        for (vv_index out = 0; out < vv_step_outs(&s); out++) {
            vv_index expected = 0; /* a unit's chunks follow on each other */
            for (vv_index leaf = 0; leaf < vv_step_leaves(&s); leaf++) {
                vv_index first, last, previous = -1;
                vv_unit_chunks(&s, (vv_unit){out, leaf}, &first, &last);
                assert_int_equal(first, expected);
                expected = last;
                for (vv_index q = first; q < last; q++, seen++) {
                    vv_index coords[VV_MAX_DIMS];
                    vv_box work, cells;
                    vv_unit_coords(&s, out, q, coords);
                    vv_index number = vv_grid_number(&s.work, coords);
                    assert_true(number >= 0 && number < chunks);
                    hits[number]++;
                    assert_true(number > previous); /* row-major */
                    previous = number;
                    vv_grid_box_at(&s.work, coords, &work);
                    vv_grid_box(&s.grid, out, &cells);
                    int k = 0;
                    for (int d = 0; d < s.work.shape.nd; d++) {
                        if (s.reduced[d]) continue;
                        assert_int_equal(work.lo[d], cells.lo[k]);
                        assert_int_equal(work.n[d], cells.n[k++]);
                    }
                    assert_int_equal(k, cells.nd);
                }
            }
        }
        assert_int_equal(seen, chunks);
        for (vv_index i = 0; i < chunks; i++) assert_int_equal(hits[i], 1);
        free(hits);
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
        vv_step s = {.op = VV_STEP_REDUCE, .leaf = 1 + below(100), .placement = (vv_placement)below(VV_PLACEMENTS)};
        s.work = (vv_grid){.shape = {2, {1 + below(1LL << 30), 1 + below(1LL << 30)}},
                           .chunk = {1 + below(50), 1 + below(50)}};
        s.reduced[round % 2] = true;
        result_grid(&s);
        int ranks = 1 + (int)below(20000);
        vv_index all = 0, chunks = 0;
        for (int rank = 0; rank < ranks; rank += 1 + ranks / 50) {
            vv_index count = vv_place_count(&s, rank, ranks);
            if (count == 0) continue;
            vv_index probe[] = {0, count - 1, below(count)};
            for (int i = 0; i < 3; i++) {
                vv_unit u = vv_place_unit(&s, rank, ranks, probe[i]);
                assert_int_equal(vv_place_owner(&s, ranks, u), rank);
                vv_index step = vv_place_chunks_before(&s, rank, ranks, probe[i] + 1) -
                                vv_place_chunks_before(&s, rank, ranks, probe[i]);
                assert_int_equal(step, unit_chunks(&s, u));
            }
        }
        for (int rank = 0; rank < ranks; rank++) {
            vv_index count = vv_place_count(&s, rank, ranks);
            all += count;
            chunks += vv_place_chunks_before(&s, rank, ranks, count);
        }
        assert_int_equal(all, vv_step_outs(&s) * vv_step_leaves(&s));
        assert_int_equal(chunks, vv_grid_chunks(&s.work));
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
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
