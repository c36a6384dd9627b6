/* Lowering of several targets: what becomes one pass over shared inputs, and what must not. Plans as text (lower_text.h). */
#include "lower_text.h"

#define U "u?shape=t:100,y:80,x:120&chunk=10,40,60"
#define V "v?shape=t:100,y:80,x:120&chunk=10,40,60"

static void test_quadratic_means(void **state)
{
    (void)state;
    vv_array *u = stored(U), *v = stored(V);
    vv_array *all[] = {vv_mean(vv_mul(u, u), "t"), vv_mean(vv_mul(v, v), "t"), vv_mean(vv_mul(u, v), "t"),
                       vv_max(vv_mul(v, v), "t")};
    planned_to(
        false, 4, all,
        "0 read u: 100x80x120 in 10x40x60\n"
        "1 read v: 100x80x120 in 10x40x60\n"
        "2 reduce u: work 100x80x120 in 10x40x60, over 0, join 2, leaf 4, outputs; chunk 0(d0 d1 d2); chunk 1(d0 "
        "d1 d2) -> mean mean mean max\n"
        "3 gather u: 2.0\n"
        "4 gather v: 2.2\n"
        "5 gather u: 2.1\n"
        "6 gather v: 2.3\n");
    const vv_step *s = &lowering.plan->step[2];
    assert_int_equal(s->program->n, 3); /* v * v once */
    assert_int_equal(s->program->n_outputs, 3);
    assert_int_equal(s->result[2].value, s->result[3].value);
}

/* What is delivered is made in one pass, if it is cut into loops alike: sums over other dimensions and what waits for them are steps of their own. */
static void test_maps(void **state)
{
    (void)state;
    vv_array *u = stored(U), *v = stored(V);
    planned_to(true, 2, (vv_array *[]){vv_add(u, v), vv_mul(u, v)},
               "0 read u: 100x80x120 in 10x40x60\n"
               "1 read v: 100x80x120 in 10x40x60\n"
               "2 map u: work 100x80x120 in 10x40x60, join 1 2, outputs; chunk 0(d0 d1 d2); chunk 1(d0 d1 d2) -> u u\n"
               "3 write u: 2.0\n"
               "4 write u: 2.1\n");
    vv_array *square = vv_square(u);
    planned_to(true, 3, (vv_array *[]){vv_sqrt(u), vv_sub(square, vv_mean(square, "t")), vv_max(square, "y")},
               "0 read u: 100x80x120 in 10x40x60\n"
               "1 map u: work 100x80x120 in 10x40x60, join 1 2, outputs; chunk 0(d0 d1 d2) -> u\n"
               "2 write u: 1.0\n"
               "3 reduce u: work 100x80x120 in 10x40x60, over 0, join 2, leaf 4, outputs; chunk 0(d0 d1 d2) -> mean\n"
               "4 map u: work 100x80x120 in 10x40x60, join 2, outputs; chunk 0(d0 d1 d2); push 3(d1 d2) -> u\n"
               "5 write u: 4.0\n"
               "6 reduce u: work 100x80x120 in 10x40x60, over 1, leaf 1, outputs; chunk 0(d0 d1 d2) -> max\n"
               "7 write u: 6.0\n");
}

static int reduces(int n, vv_array *const arrays[])
{
    int count = 0;
    for (int i = 0; i < n; i++) must(vv_array_status(arrays[i]));
    must(try_lower_to(n, arrays, 2, -1, false));
    for (int i = 0; i < lowering.plan->n_steps; i++) count += lowering.plan->step[i].op == VV_STEP_REDUCE;
    return count;
}

/* The second one needs the first, although both read the same. */
static void test_dependent(void **state)
{
    (void)state;
    vv_array *u = stored(U), *mean = vv_mean(u, "t"), *spread = vv_mean(vv_square(vv_sub(u, mean)), "t");
    assert_int_equal(reduces(2, (vv_array *[]){mean, spread}), 2);
    assert_int_equal(reduces(2, (vv_array *[]){spread, mean}), 2);
    /* A third one that needs neither joins the first. */
    assert_int_equal(reduces(3, (vv_array *[]){spread, vv_mean(vv_square(u), "t"), mean}), 2);
}

/* Whatever decides the order of additions has to be alike, or bits would depend on what else is asked for. */
static void test_what_keeps_apart(void **state)
{
    (void)state;
    vv_array *u = stored(U), *v = stored(V), *other = stored("o?shape=t:100,y:80,x:120&chunk=20,40,60");
    assert_int_equal(reduces(2, (vv_array *[]){vv_mean(u, "t"), vv_mean(vv_square(u), "y")}), 2);
    assert_int_equal(reduces(2, (vv_array *[]){vv_mean(u, "t"), vv_mean(v, "t")}), 2);
    assert_int_equal(reduces(2, (vv_array *[]){vv_mean(u, "t"), vv_mean(vv_mul(u, v), "t")}), 1);
    assert_int_equal(reduces(2, (vv_array *[]){vv_mean(other, "t"), vv_mean(vv_mul(u, other), "t")}), 2);
    vv_index label[100];
    for (int i = 0; i < 100; i++) label[i] = i % 3;
    vv_array *g = vv_group_labels(u, "t", label, 100, 3, "three", NULL);
    assert_int_equal(reduces(2, (vv_array *[]){vv_mean(u, "t"), vv_mean(vv_square(g), "t")}), 2);
    assert_int_equal(reduces(2, (vv_array *[]){vv_mean(g, "t"), vv_mean(vv_square(g), "t")}), 1);
}

/* Streams join streams, whatever the size of their elements. */
static void test_streams(void **state)
{
    (void)state;
    vv_array *a = stored("a?shape=t:100,y:80,x:120&dtype=f32"), *b = stored("b?shape=t:100,y:80,x:120&dtype=f32");
    vv_array *wide = stored("w?shape=t:100,y:80,x:120&dtype=f64");
    assert_int_equal(reduces(2, (vv_array *[]){vv_mean(a, "t"), vv_mean(vv_mul(a, b), "t")}), 1);
    assert_true(vv_step_streams(&lowering.plan->step[lowering.plan->step[target[0].step].from]));
    assert_int_equal(reduces(2, (vv_array *[]){vv_mean(a, "t"), vv_mean(vv_mul(a, wide), "t")}), 1);
}

/* Room for results and inputs has an end; what does not fit stays in steps of its own, and nothing gets lost. */
static void test_many(void **state)
{
    (void)state;
    vv_array *u = stored(U), *all[40];
    for (int i = 0; i < 40; i++) all[i] = vv_mean(vv_mul(u, vv_node_scalar(&context, 1.5 + i)), "t");
    assert_int_equal(reduces(40, all), (40 + VV_MAX_RESULTS - 1) / VV_MAX_RESULTS);
    for (int i = 0; i < 40; i++) {
        const vv_step *t = &lowering.plan->step[target[i].step], *s = &lowering.plan->step[t->from];
        const vv_program *p = s->program;
        const vv_instruction *k = p->code;
        while (k->out != s->result[t->result_of].value) k++;
        const vv_instruction *c = p->code;
        while (c->out != k->in[1]) c++;
        assert_true(c->constant_f == 1.5 + i);
    }
}

static void written(const char *shape, const char *chunk, bool in_chunks, const char *expected)
{
    char what[128];
    vv_buf b = {0};
    snprintf(what, sizeof what, "u?shape=%s&chunk=%s&dtype=f32", shape, chunk);
    vv_array *a = vv_sqrt(stored(what));
    vv_lowering_free(&lowering);
    target[0] = (vv_target){.array = a, .output_variable = 0, .chunked = in_chunks};
    must(vv_lower(target, 1, 2, -1, &lowering));
    const vv_step *t = &lowering.plan->step[target[0].step];
    put_grid(&b, &t->grid);
    assert_string_equal(b.data, expected);
    vv_buf_free(&b);
}

/* Contiguous variables are written in long runs, unless they are small; chunked ones have the chunks of the step. */
static void test_short_runs(void **state)
{
    (void)state;
    written("t:2000,y:100,x:50", "2000,100,1", false, "2000x100x50 in 400x100x50");
    written("t:2000,y:100,x:50", "2000,100,1", true, "2000x100x50 in 2000x100x1");
    written("t:2000,y:10,x:5", "2000,10,1", false, "2000x10x5 in 2000x10x1");
    written("t:2000,y:100,x:50", "1,100,50", false, "2000x100x50 in 1x100x50");
    written("t:100,y:300,x:900", "10,30,90", false, "100x300x900 in 10x30x900");
    written("y:30,x:900000", "10,1000", false, "30x900000 in 10x17000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_quadratic_means, fresh, done),
        cmocka_unit_test_setup_teardown(test_maps, fresh, done),
        cmocka_unit_test_setup_teardown(test_dependent, fresh, done),
        cmocka_unit_test_setup_teardown(test_what_keeps_apart, fresh, done),
        cmocka_unit_test_setup_teardown(test_streams, fresh, done),
        cmocka_unit_test_setup_teardown(test_many, fresh, done),
        cmocka_unit_test_setup_teardown(test_short_runs, fresh, done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
