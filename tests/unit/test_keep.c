/* What a rank holds between plans: chunks in memory and in the scratch file, limits that change, arrays that go. */
#include "scratch.h"

#include "exec/push/keep.h"
#include "plan/place.h"

enum { CHUNKS = 10, ELEMENTS = 100, BYTES = ELEMENTS * (int)sizeof(double) };

/* A plan of `ranks` ranks that keeps arrays of CHUNKS chunks each, numbered from `first` on. */
static vv_plan *plan_of(int ranks, int first, int n, vv_bytes keep)
{
    vv_plan *p;
    must(vv_plan_new(&p));
    p->ranks = ranks;
    p->keep = keep;
    for (int i = 0; i < n; i++) {
        vv_step *s;
        must(vv_plan_add_step(p, VV_STEP_KEEP, "x", &s));
        s->grid = (vv_grid){.shape = {.nd = 1, .n = {CHUNKS * ELEMENTS}}, .chunk = {ELEMENTS}};
        s->to.variable = first + i;
    }
    return p;
}

static void begin(vv_keep *k, int ranks, int rank, int first, int n, vv_bytes keep)
{
    vv_plan *p = plan_of(ranks, first, n, keep);
    must(vv_keep_begin(k, p, rank));
    vv_plan_free(&p);
}

static void chunk_of(int array, vv_index chunk, double out[])
{
    for (int i = 0; i < ELEMENTS; i++) out[i] = array * 1e6 + (double)chunk * 1e3 + i;
}

static void put(vv_keep *k, int array, vv_index chunk)
{
    double values[ELEMENTS];
    chunk_of(array, chunk, values);
    must(vv_keep_put(k, array, chunk, values, BYTES));
}

/* Wherever it is, it is right; true when it is in memory. */
static bool check(vv_keep *k, int array, vv_index chunk)
{
    double values[ELEMENTS], back[ELEMENTS];
    const void *there = vv_keep_find(k, array, chunk);
    chunk_of(array, chunk, values);
    if (!there) must(vv_keep_read(k, array, chunk, BYTES, back));
    assert_memory_equal(there ? there : back, values, BYTES);
    return there != NULL;
}

static int in_memory(vv_keep *k, int array)
{
    int n = 0;
    for (vv_index c = 0; c < CHUNKS; c++) n += check(k, array, c);
    return n;
}

static void test_limits(void **state)
{
    (void)state;
    vv_keep *k;
    vv_bytes used = vv_mem_used();
    must(vv_keep_new(&k));
    begin(k, 1, 0, 1, 1, 7 * BYTES);
    for (vv_index c = 0; c < CHUNKS; c++) put(k, 1, c);
    assert_int_equal(in_memory(k, 1), 7);
    assert_int_equal(vv_keep_bytes(k), 7 * BYTES);
    assert_int_equal(vv_keep_spilled(k), 3 * BYTES);
    begin(k, 1, 0, 2, 1, 12 * BYTES);
    for (vv_index c = 0; c < CHUNKS; c++) put(k, 2, c);
    assert_int_equal(in_memory(k, 1), 7);
    assert_int_equal(in_memory(k, 2), 5);
    /* A plan that needs the room: the newest array gives way first. */
    begin(k, 1, 0, 3, 0, 3 * BYTES);
    assert_int_equal(in_memory(k, 1), 3);
    assert_int_equal(in_memory(k, 2), 0);
    assert_true(vv_mem_used() <= used + 4 * (BYTES + 128));
    begin(k, 1, 0, 3, 0, 0);
    assert_int_equal(in_memory(k, 1), 0);
    assert_int_equal(vv_keep_bytes(k), 0);
    vv_keep_free(&k);
    assert_int_equal(vv_mem_used(), used);
}

/* Blocks that are given instead of copied stay where they are; those for which there is no room stay the giver's. */
static void test_takes(void **state)
{
    (void)state;
    vv_keep *k;
    vv_bytes used = vv_mem_used();
    must(vv_keep_new(&k));
    begin(k, 1, 0, 1, 1, 6 * BYTES);
    for (vv_index c = 0; c < CHUNKS; c++) {
        void *block, *given;
        must(vv_mem_get(&block, BYTES, "a block"));
        given = block;
        chunk_of(1, c, block);
        must(vv_keep_take(k, 1, c, &block, BYTES));
        assert_ptr_equal(block, c < 6 ? NULL : given);
        assert_ptr_equal(vv_keep_find(k, 1, c), c < 6 ? given : NULL);
        vv_mem_put(&block);
    }
    assert_int_equal(in_memory(k, 1), 6);
    assert_int_equal(vv_keep_spilled(k), 4 * BYTES);
    vv_keep_drop(k, 1);
    assert_int_equal(vv_mem_used(), used);
    vv_keep_free(&k);
}

static void test_drops(void **state)
{
    (void)state;
    vv_keep *k;
    vv_bytes used = vv_mem_used();
    must(vv_keep_new(&k));
    begin(k, 1, 0, 1, 3, 5 * BYTES);
    for (int a = 1; a <= 3; a++)
        for (vv_index c = 0; c < CHUNKS; c++) put(k, a, c);
    vv_plan *next = plan_of(1, 4, 1, VV_INDEX_MAX);
    must(vv_new(&next->drop, 2, sizeof *next->drop));
    next->drop[0] = 2;
    next->drop[1] = 77; /* nobody knows it */
    next->n_drops = 2;
    must(vv_keep_begin(k, next, 0));
    assert_null(vv_keep_find(k, 2, 0));
    assert_int_equal(vv_keep_read(k, 2, 0, BYTES, (double[ELEMENTS]){0}), VV_ERR_INTERNAL);
    assert_int_equal(in_memory(k, 1), 5);
    assert_int_equal(in_memory(k, 3), 0);
    put(k, 4, 0);
    vv_keep_end(k, next, false); /* it failed: nothing of it stays */
    assert_null(vv_keep_find(k, 4, 0));
    assert_int_equal(vv_keep_bytes(k), 5 * BYTES);
    assert_int_equal(in_memory(k, 1), 5);
    vv_plan_free(&next);
    vv_keep_drop(k, 1);
    assert_int_equal(vv_mem_used(), used);
    vv_keep_free(&k);
}

/* Every chunk has one owner, and only that one takes it. */
static void test_owners(void **state)
{
    (void)state;
    const vv_grid g = {.shape = {.nd = 1, .n = {CHUNKS * ELEMENTS}}, .chunk = {ELEMENTS}};
    const double values[ELEMENTS] = {0};
    for (int ranks = 1; ranks <= 12; ranks++)
        for (int rank = 0; rank < ranks; rank++) {
            vv_keep *k;
            must(vv_keep_new(&k));
            begin(k, ranks, rank, 1, 1, VV_INDEX_MAX);
            for (vv_index c = 0; c < CHUNKS; c++) {
                bool mine = vv_held_owner(&g, ranks, c) == rank;
                assert_int_equal(vv_keep_put(k, 1, c, values, BYTES), mine ? VV_OK : VV_ERR_INTERNAL);
                if (mine) assert_int_equal(vv_keep_put(k, 1, c, values, BYTES), VV_ERR_INTERNAL); /* twice */
            }
            vv_keep_free(&k);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_takes),
        cmocka_unit_test(test_drops),
        cmocka_unit_test(test_owners),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
