/* Lowering with persisted arrays: how they are kept, how they are read where they are, and that what is made of them is cut as if it were made of what
 * they were made of. Plans as text (lower_text.h). */
#include "lower_text.h"

#define X "x?shape=t:100,y:80,x:120&chunk=10,40,60&dtype=f32"
#define C "c?shape=t:100,y:80,x:120&dtype=f32" /* contiguous */

/* Persisted, as a session does it. */
static vv_array *persisted(vv_array *a)
{
    static int number;
    vv_target t = {.array = a, .output_variable = -1, .keep = ++number};
    vv_lowering l;
    must(vv_array_status(a));
    must(vv_lower(&t, 1, 2, -1, &l));
    must(vv_plan_validate(l.plan));
    a->held = vv_node_held(a, number, &l.plan->step[t.step].grid);
    must(vv_array_status(a->held));
    vv_lowering_free(&l);
    return a;
}

static void keeps(vv_array *a, const char *expected)
{
    vv_buf b = {0};
    vv_lowering_free(&lowering);
    target[0] = (vv_target){.array = a, .output_variable = -1, .keep = 7};
    must(vv_lower(target, 1, 2, -1, &lowering));
    must(vv_plan_validate(lowering.plan));
    assert_int_equal(lowering.plan->step[target[0].step].to.variable, 7);
    put_plan(&b, lowering.plan);
    must(vv_buf_status(&b));
    assert_string_equal(b.data, expected);
    vv_buf_free(&b);
}

/* A map is made where it will be held; a reduction, or chunks that begin in the middle, are moved there. */
static void test_kept(void **state)
{
    (void)state;
    vv_array *x = stored(X);
    keeps(vv_sqrt(x), "0 read x: 100x80x120 in 10x40x60\n"
                      "1 map x: work 100x80x120 in 10x40x60, join 1 2, outputs; chunk 0(d0 d1 d2) -> x\n"
                      "2 keep x: 1.0\n");
    keeps(vv_mean(x, "t"), "0 read x: 100x80x120 in 10x40x60\n"
                           "1 reduce x: work 100x80x120 in 10x40x60, over 0, join 2, leaf 4, outputs; chunk 0(d0 d1 "
                           "d2) -> mean\n"
                           "2 map x: work 80x120 in 40x60, join 1, outputs; push 1(d0 d1) -> x\n"
                           "3 keep x: 2.0\n");
    keeps(vv_slice(x, "t", 15, 95, 1),
          "0 read x: 100x80x120 in 10x40x60\n"
          "1 map x: work 80x80x120 in 10x40x60 less 5 of d0, join 1 2, outputs; chunk 0(d0@15 d1 d2) -> x\n"
          "2 map x: work 80x80x120 in 10x40x60, join 1 2, outputs; push 1(d0 d1 d2) -> x\n"
          "3 keep x: 2.0\n");
}

/* Elementwise steps run where the chunks are, all of them or a box. */
static void test_where_they_are(void **state)
{
    (void)state;
    vv_array *p = persisted(vv_square(stored(X))), *q = persisted(vv_sqrt(stored(X)));
    planned(vv_exp(p), "0 read x: 100x80x120 in 10x40x60\n"
                       "1 map x: work 100x80x120 in 10x40x60, join 1 2, held chunks; chunk 0(d0 d1 d2) -> x\n"
                       "2 gather x: 1.0\n");
    planned(vv_add(p, q), "0 read x: 100x80x120 in 10x40x60\n"
                          "1 read x: 100x80x120 in 10x40x60\n"
                          "2 map x: work 100x80x120 in 10x40x60, join 1 2, held chunks; chunk 0(d0 d1 d2); chunk 1(d0 "
                          "d1 d2) -> x\n"
                          "3 gather x: 2.0\n");
    planned(vv_negative(vv_slice(p, "t", 25, 45, 1)),
            "0 read x: 100x80x120 in 10x40x60\n"
            "1 map x: work 20x80x120 in 10x40x60 less 5 of d0, join 1 2, held chunks; chunk 0(d0@25 d1 d2) -> x\n"
            "2 gather x: 1.0\n");
    const vv_step *s = &lowering.plan->step[1];
    assert_int_equal(s->within.first[0], 2);
    assert_int_equal(s->within.count[0], 10);
    /* What is kept of that has chunks of its own. */
    keeps(vv_negative(vv_slice(p, "t", 20, 40, 1)),
          "0 read x: 100x80x120 in 10x40x60\n"
          "1 map x: work 20x80x120 in 10x40x60, join 1 2, held chunks; chunk 0(d0@20 d1 d2) -> x\n"
          "2 map x: work 20x80x120 in 10x40x60, join 1 2, outputs; push 1(d0 d1 d2) -> x\n"
          "3 keep x: 2.0\n");
}

/* The step that makes a target's values; `work` with leaf and joins. */
static const vv_step *reduce_of(vv_array *a)
{
    must(try_lower_to(1, &a, 2, -1, false));
    return &lowering.plan->step[lowering.plan->step[target[0].step].from];
}

static void cut_alike(vv_array *held, vv_array *plain)
{
    const vv_step *s = reduce_of(plain);
    vv_step without = *s;
    s = reduce_of(held);
    int nd = s->work.shape.nd;
    for (int i = 0; i < lowering.plan->n_sources; i++) assert_true(lowering.plan->source[i].held > 0);
    assert_int_equal(s->op, VV_STEP_REDUCE);
    assert_int_equal(s->leaf, without.leaf);
    assert_memory_equal(s->work.chunk, without.work.chunk, sizeof s->work.chunk[0] * (size_t)nd);
    assert_memory_equal(s->work.shift, without.work.shift, sizeof s->work.shift[0] * (size_t)nd);
    assert_memory_equal(s->join, without.join, sizeof s->join);
}

/* Also where by itself it would be cut otherwise: contiguous data has no chunks, what is held has. */
static void test_same_order(void **state)
{
    (void)state;
    static const char *const source[] = {X, C, "n?shape=t:3000,y:8,x:12&chunk=1,8,12&dtype=f64"};
    static const char *const dims[] = {"t", "y", "x", "y,x", "t,x", NULL};
    for (size_t i = 0; i < sizeof source / sizeof *source; i++)
        for (size_t d = 0; d < sizeof dims / sizeof *dims; d++) {
            vv_array *p = persisted(vv_square(stored(source[i]))), *q = vv_square(stored(source[i]));
            cut_alike(vv_mean(p, dims[d]), vv_mean(q, dims[d]));
            cut_alike(vv_mean(vv_sqrt(p), dims[d]), vv_mean(vv_sqrt(q), dims[d]));
            cut_alike(vv_mean(vv_flip(p, "t"), dims[d]), vv_mean(vv_flip(q, "t"), dims[d]));
        }
}

/* Chunks pass from their owners to who reduces them. */
static void test_passed_on(void **state)
{
    (void)state;
    vv_array *p = persisted(vv_square(stored(X)));
    planned(vv_mean(p, "t"),
            "0 read x: 100x80x120 in 10x40x60\n"
            "1 map x: work 100x80x120 in 10x40x60, join 1 2, held chunks; chunk 0(d0 d1 d2) -> x\n"
            "2 reduce x: work 100x80x120 in 10x40x60, over 0, join 2, leaf 4, leaves; push 1(d0 d1 d2) -> mean\n"
            "3 gather x: 2.0\n");
    assert_non_null(strstr(lowering.plan->step[1].why, "its owners hold it"));
    planned(vv_at(vv_mean(p, "t"), "x", 70),
            "0 read x: 100x80x120 in 10x40x60\n"
            "1 map x: work 100x80x1 in 10x40x1, join 1, held chunks; chunk 0(d0 d1 d2@70) -> x\n"
            "2 reduce x: work 100x80x1 in 10x40x60 less 10 of d2, over 0, join 2, leaf 4, leaves; push 1(d0 d1 d2) -> "
            "mean\n"
            "3 map x: work 80 in 80, outputs; push 2(d0 0) -> x\n"
            "4 gather x: 3.0\n");
}

/* Chunks that are leaves are folded where they are. */
static void test_folded(void **state)
{
    (void)state;
    vv_array *p = persisted(vv_square(stored("x?shape=t:100,y:80,x:120&chunk=50,40,60&dtype=f32")));
    planned(vv_mean(vv_sqrt(p), "t"),
            "0 read x: 100x80x120 in 50x40x60\n"
            "1 reduce x: work 100x80x120 in 50x40x60, over 0, join 2, leaf 1, leaves; chunk 0(d0 d1 d2) -> mean\n"
            "2 gather x: 1.0\n");
    planned(vv_mean(p, "y,x"),
            "0 read x: 100x80x120 in 50x40x60\n"
            "1 reduce x: work 100x80x120 in 50x40x60, over 1 2, join 2, leaf 1, outputs; chunk 0(d0 d1 d2) -> mean\n"
            "2 gather x: 1.0\n");
    planned(vv_mean(p, "y"), /* kept, reduced, kept: numbered otherwise */
            "0 read x: 100x80x120 in 50x40x60\n"
            "1 map x: work 100x80x120 in 50x40x60, join 1 2, held chunks; chunk 0(d0 d1 d2) -> x\n"
            "2 reduce x: work 100x80x120 in 50x40x60, over 1, leaf 1, outputs; push 1(d0 d1 d2) -> mean\n"
            "3 gather x: 2.0\n");
}

/* What is asked for twice is held once, whatever is built in between; what is behind it is dropped. */
static void test_nothing_behind(void **state)
{
    (void)state;
    vv_array *behind = vv_mean(stored("z?shape=t:100,y:80&chunk=10,40"), "t");
    vv_array *p = persisted(vv_add(stored(X), behind));
    must(try_lower_to(2, (vv_array *[]){vv_sum(p, NULL), vv_sub(p, vv_mean(p, "t"))}, 2, -1, false));
    assert_int_equal(lowering.plan->n_sources, 1);
    assert_true(lowering.plan->source[0].held > 0);
    vv_node_drop(&p->held);
    must(try_lower_to(1, &p, 2, -1, false));
    assert_int_equal(lowering.plan->n_sources, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kept, fresh, done),
        cmocka_unit_test_setup_teardown(test_where_they_are, fresh, done),
        cmocka_unit_test_setup_teardown(test_same_order, fresh, done),
        cmocka_unit_test_setup_teardown(test_passed_on, fresh, done),
        cmocka_unit_test_setup_teardown(test_folded, fresh, done),
        cmocka_unit_test_setup_teardown(test_nothing_behind, fresh, done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
