/* Functions of the user's in plans: what they become, and how they travel. */
#include "lower_text.h"

#include "base/text.h"
#include "plan/explain/tasks.h"

static int nothing(const vv_block_task *t)
{
    return t->n_in;
}

static int no_lane(const void *in, vv_index n, void *out, vv_index n_out, const void *data)
{
    (void)in, (void)n, (void)out, (void)n_out, (void)data;
    return 0;
}

/* A boundary is parts that reach beyond the work. */
static void test_overlap(void **state)
{
    (void)state;
    vv_array *t = stored("t?shape=time:100,lat:80&chunk=10,80");
    planned(vv_node_map_overlap(&context, nothing, &t, 1, "time:2,lat:1:0", "lat:periodic", NULL),
            "0 read t: 100x80 in 10x80\n"
            "1 block t: work 100x80 in 10x80, outputs; box halo 2/2 of d0 halo 1/0 of d1 0[0+100 -1+1](d0 d1@79) 0(d0 "
            "d1) -> t\n"
            "2 gather t: 1.0\n");
}

static void test_blockwise(void **state)
{
    (void)state;
    vv_array *a = stored("a?shape=y:100,x:80&chunk=10,20"), *b = stored("b?shape=x:80,z:60&chunk=20,30");
    planned(vv_node_blockwise(&context, nothing, "ij,jk->ik", (vv_array *[]){a, b}, 2, NULL),
            "0 read a: 100x80 in 10x20\n"
            "1 read b: 80x60 in 20x30\n"
            "2 block a: work 100x60x80 in 10x30x80, outputs; box 0(d0 d2); box 1(d2 d1) -> a\n"
            "3 map a: work 100x60 in 100x60, join 1, outputs; push 2(d0 d1 0) -> a\n"
            "4 gather a: 3.0\n");
}

/* The axis comes whole and last, whatever order the file has. */
static void test_along_axis(void **state)
{
    (void)state;
    vv_array *t = stored("t?shape=time:100,lat:80&chunk=10,80");
    planned(vv_apply_along_axis(no_lane, t, "time", &(vv_apply_options){.dims = "k:3"}),
            "0 read t: 100x80 in 10x80\n"
            "1 block t: work 80x1x100 in 80x1x100, outputs; box 0(d2 d0) -> t\n"
            "2 map t: work 3x80 in 3x80, join 1, outputs; push 1(d1 d0 0) -> t\n"
            "3 gather t: 2.0\n");
}

/* Of a slice whole chunks are made, in which the function sees what it sees of all. */
static void test_slice(void **state)
{
    (void)state;
    vv_array *t = stored("t?shape=time:100,lat:80&chunk=10,80");
    vv_array *a = vv_node_map_blocks(&context, nothing, &t, 1, NULL);
    planned(vv_slice(a, "time", 25, 42, 1), "0 read t: 100x80 in 10x80\n"
                                            "1 block t: work 30x80 in 10x80, outputs; box 0(d0@20 d1) -> t\n"
                                            "2 map t: work 17x80 in 17x80, join 1, outputs; push 1(d0@5 d1) -> t\n"
                                            "3 gather t: 2.0\n");
    const vv_user *u = lowering.plan->step[1].user;
    assert_int_equal(u->origin[0], 20);
}

static vv_buf packed_plan(void)
{
    vv_buf b = {0};
    vv_array *t = stored("t?shape=time:100,lat:80&chunk=10,80");
    vv_array *a = vv_node_map_overlap(&context, nothing, &t, 1, "time:2", "nearest",
                                      &(vv_apply_options){.data = "words", .data_size = 6, .scratch = 100});
    must(try_lower_to(1, &a, 2, -1, false));
    vv_plan_pack(lowering.plan, &b);
    must(vv_buf_status(&b));
    return b;
}

static void test_packing(void **state)
{
    (void)state;
    vv_plan *p;
    vv_buf b = packed_plan();
    must(vv_plan_unpack(b.data, (vv_bytes)b.size, &p));
    assert_int_equal(vv_plan_hash(p), vv_plan_hash(lowering.plan));
    const vv_user *u = NULL, *v = NULL;
    for (int i = 0; i < p->n_steps; i++)
        if (p->step[i].user) u = p->step[i].user, v = lowering.plan->step[i].user;
    assert_non_null(u);
    assert_true(vv_user_equal(u, v));
    assert_ptr_equal(u->function, (vv_function *)nothing);
    assert_string_equal((char *)u->data, "words");
    vv_plan_free(&p);
    for (size_t i = 0; i < b.size; i++) { /* damaged bytes are refused, or mean something else that is one */
        b.data[i] ^= 0x55;
        if (vv_plan_unpack(b.data, (vv_bytes)b.size, &p) == VV_OK) vv_plan_free(&p);
        b.data[i] ^= 0x55;
    }
    vv_buf_free(&b);
}

/* A rank that runs another build says so. */
static void test_another_build(void **state)
{
    (void)state;
    vv_plan *p;
    vv_buf b = packed_plan();
    const vv_symbol *s = NULL;
    for (int i = 0; i < lowering.plan->n_steps; i++)
        if (lowering.plan->step[i].user) s = &lowering.plan->step[i].user->symbol;
    for (size_t i = 0; i + VV_SYMBOL_ID < b.size; i++)
        if (!memcmp(b.data + i, s->id, sizeof s->id)) b.data[i] ^= 1;
    assert_int_equal(vv_plan_unpack(b.data, (vv_bytes)b.size, &p), VV_ERR_RUN);
    assert_non_null(strstr(vv_last_error(), "another build of 'unit_lower_user'"));
    vv_buf_free(&b);
}

/* Every task, and what it waits for. */
static void test_tasks_as_a_picture(void **state)
{
    (void)state;
    vv_buf b = {0};
    vv_array *t = stored("t?shape=time:30,lat:8&chunk=10,8");
    vv_array *around = vv_node_map_overlap(
        &context, nothing, (vv_array *[]){vv_node_map_blocks(&context, nothing, &t, 1, NULL)}, 1, "time:1", NULL, NULL);
    must(try_lower_to(1, &around, 2, -1, false));
    must(vv_explain_tasks(lowering.plan, true, &b));
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++) {
            char line[32];
            snprintf(line, sizeof line, " t%d -> t%d;", 1 + i, 4 + k);
            assert_int_equal(strstr(b.data, line) != NULL,
                             k - i <= 1 && i - k <= 1); /* neighbours wait for each other */
        }
    assert_non_null(strstr(b.data, "t0 -> t1;\n  t0 -> t2;\n  t0 -> t3;\n"));
    assert_non_null(strstr(b.data, "t6 -> t7;\n}"));
    vv_buf_free(&b);
    t = stored("t?shape=time:3000,lat:8&chunk=1,8");
    t = vv_node_map_blocks(&context, nothing, &t, 1, NULL);
    must(try_lower_to(1, &t, 2, -1, false));
    assert_int_equal(vv_explain_tasks(lowering.plan, true, &b), VV_ERR_USAGE);
    assert_non_null(strstr(vv_last_error(), "3002 tasks are no picture"));
    vv_buf_free(&b);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, done)
    const struct CMUnitTest tests[] = {
        TEST(test_overlap), TEST(test_blockwise),     TEST(test_along_axis),        TEST(test_slice),
        TEST(test_packing), TEST(test_another_build), TEST(test_tasks_as_a_picture)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
