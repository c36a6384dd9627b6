/* Lowering: what becomes one step, how work is cut and placed, what is refused. */
#include "lower_text.h"

#include "plan/cost/cost.h"

static vv_array *open_path(const char *path)
{
    return open_as(path + strlen("virtual:"), false);
}

static vv_status try_lower(int n, vv_array *const arrays[], int ranks, int placement)
{
    return try_lower_to(n, arrays, ranks, placement, false);
}

static const vv_plan *lower(int n, vv_array *const arrays[])
{
    must(try_lower(n, arrays, 2, -1));
    return lowering.plan;
}

static int count(const vv_plan *p, vv_step_op op)
{
    int n = 0;
    for (int i = 0; i < p->n_steps; i++) n += p->step[i].op == op;
    return n;
}

static const vv_step *first(const vv_plan *p, vv_step_op op)
{
    for (int i = 0; i < p->n_steps; i++)
        if (p->step[i].op == op) return &p->step[i];
    fail();
    return NULL;
}

#define ERA "virtual:t2m?shape=time:2920,lat:361,lon:720&chunk=24,181,360"

/* --- sharing and fusion --- */

static void test_one_pass_for_many_results(void **state)
{
    (void)state;
    vv_array *t = open_path(ERA);
    vv_array *all[] = {vv_mean(t, "time"), vv_std(t, "time"), vv_max(t, "time"), vv_mean(t, "time")};
    const vv_plan *p = lower(4, all);
    assert_int_equal(count(p, VV_STEP_READ), 1);
    assert_int_equal(count(p, VV_STEP_REDUCE), 1);
    assert_int_equal(count(p, VV_STEP_GATHER), 4);
    assert_int_equal(p->n_sources, 1);
    const vv_step *s = first(p, VV_STEP_REDUCE);
    assert_int_equal(s->n_results, 3); /* the second mean is the first one */
    for (int i = 0; i < 4; i++) {
        const vv_step *g = &p->step[target[i].step];
        assert_int_equal(g->op, VV_STEP_GATHER);
        assert_int_equal(g->result_of, i % 3);
    }
}

/* The same variable opened twice is the same input, and the same expression built twice the same step. */
static void test_one_pass_for_equal_expressions(void **state)
{
    (void)state;
    vv_array *a = open_path(ERA), *b = open_path(ERA), *two = vv_node_scalar(&context, 2);
    const vv_plan *p = lower(2, (vv_array *[]){vv_mean(a, "time"), vv_std(b, "time")});
    assert_int_equal(count(p, VV_STEP_READ), 1);
    assert_int_equal(count(p, VV_STEP_REDUCE), 1);
    p = lower(2,
              (vv_array *[]){vv_mean(vv_mul(a, two), "time"), vv_max(vv_mul(b, vv_node_scalar(&context, 2)), "time")});
    assert_int_equal(count(p, VV_STEP_REDUCE), 1);
    p = lower(2,
              (vv_array *[]){vv_mean(vv_mul(a, two), "time"), vv_max(vv_mul(b, vv_node_scalar(&context, 3)), "time")});
    assert_int_equal(count(p, VV_STEP_REDUCE), 1); /* of two values */
    assert_int_not_equal(first(p, VV_STEP_REDUCE)->result[0].value, first(p, VV_STEP_REDUCE)->result[1].value);
}

static void test_what_is_not_shared(void **state)
{
    (void)state;
    vv_array *t = open_path(ERA), *u = open_path("virtual:u?shape=time:2920,lat:361,lon:720&chunk=24,181,360");
    const vv_plan *p = lower(2, (vv_array *[]){vv_mean(t, "time"), vv_mean(t, "lat")});
    assert_int_equal(count(p, VV_STEP_REDUCE), 2);
    assert_int_equal(count(p, VV_STEP_READ), 1);
    p = lower(2, (vv_array *[]){vv_mean(t, "time"), vv_mean(u, "time")});
    assert_int_equal(count(p, VV_STEP_REDUCE), 2);
    assert_int_equal(count(p, VV_STEP_READ), 2);
    p = lower(2, (vv_array *[]){vv_mean(t, "time"), vv_sqrt(t)});
    assert_int_equal(count(p, VV_STEP_REDUCE), 1);
    assert_int_equal(count(p, VV_STEP_MAP), 1);
    assert_int_equal(count(p, VV_STEP_READ), 1);
}

static void test_options_are_results_of_their_own(void **state)
{
    (void)state;
    vv_array *t = open_path(ERA);
    vv_reduce_options nan = {.keep_nan = true}, one = {.ddof = 1}, dims = {.keep_dims = true};
    const vv_plan *p = lower(4, (vv_array *[]){vv_std(t, "time"), vv_reduce(t, "std", "time", &nan),
                                               vv_reduce(t, "std", "time", &one), vv_reduce(t, "std", "time", &dims)});
    assert_int_equal(count(p, VV_STEP_REDUCE), 1);
    const vv_step *s = first(p, VV_STEP_REDUCE);
    assert_int_equal(s->n_results, 3); /* kept dimensions change nothing that is computed */
    assert_true(s->result[0].red.skip && !s->result[1].red.skip && s->result[2].red.ddof == 1);
    assert_int_equal(p->step[target[3].step].result_of, 0);
}

static void test_more_results_than_a_step_has(void **state)
{
    (void)state;
    vv_array *t = open_path(ERA), *many[VV_MAX_RESULTS + 3];
    for (int i = 0; i < VV_MAX_RESULTS + 3; i++) {
        vv_reduce_options o = {.ddof = i};
        many[i] = vv_reduce(t, "var", "time", &o);
    }
    const vv_plan *p = lower(VV_MAX_RESULTS + 3, many);
    assert_int_equal(count(p, VV_STEP_REDUCE), 2);
    assert_int_equal(count(p, VV_STEP_GATHER), VV_MAX_RESULTS + 3);
}

static void test_fusion(void **state)
{
    (void)state;
    vv_array *u = open_path("virtual:u?shape=time:2920,lat:361,lon:720&chunk=24,181,360");
    vv_array *v = open_path("virtual:v?shape=time:2920,lat:361,lon:720&chunk=24,181,360");
    vv_array *speed = vv_sqrt(vv_add(vv_square(u), vv_square(v)));
    const vv_plan *p = lower(2, (vv_array *[]){vv_mean(speed, "time"), vv_max(speed, "time")});
    assert_int_equal(count(p, VV_STEP_READ), 2);
    assert_int_equal(count(p, VV_STEP_MAP), 0);
    assert_int_equal(count(p, VV_STEP_REDUCE), 1);
    const vv_step *s = first(p, VV_STEP_REDUCE);
    assert_int_equal(s->n_inputs, 2);
    assert_int_equal(s->program->n, 4);
    vv_array *t = vv_mul(u, u);
    p = lower(1, (vv_array *[]){vv_sub(vv_add(t, t), t)});
    assert_int_equal(count(p, VV_STEP_MAP), 1);
    s = first(p, VV_STEP_MAP);
    assert_int_equal(s->n_inputs, 1);
    assert_int_equal(s->program->n, 3); /* what is shared inside runs once */
    assert_int_equal(s->leaf, 1);
    assert_int_equal(vv_step_leaves(s), 1);
}

/* Plain numbers do not widen f32. */
static void test_numbers(void **state)
{
    (void)state;
    vv_array *t = open_path(ERA), *half = vv_node_scalar(&context, 0.5);
    vv_array *w = vv_where(vv_greater(t, half), half, t);
    assert_int_equal(vv_array_dtype(w), VV_F32);
    const vv_plan *p = lower(1, (vv_array *[]){w});
    const vv_step *s = first(p, VV_STEP_MAP);
    assert_int_equal(s->program->type[s->program->output[0]], VV_F32);
    assert_int_equal(first(p, VV_STEP_GATHER)->to.encode.to, VV_F32);
    assert_int_equal(first(p, VV_STEP_GATHER)->to.encode.in, VV_F32);
}

/* Types of the nodes and of the program agree for everything that can be built. */
static void test_types_agree(void **state)
{
    (void)state;
    static const char *const type[] = {"f32", "f64", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "bool"};
    enum { TYPES = sizeof type / sizeof *type };
    vv_array *x[TYPES + 1];
    for (int t = 0; t < TYPES; t++) {
        char path[128];
        snprintf(path, sizeof path, "virtual:x?shape=time:10,lat:6&dtype=%s", type[t]);
        x[t] = open_path(path);
    }
    x[TYPES] = vv_node_scalar(&context, 2);
    for (int o = 0; o < vv_n_ops; o++)
        for (int i = 0; i < TYPES; i++)
            for (int k = 0; k <= (vv_ops[o]->arity > 1 ? TYPES : 0); k++) {
                vv_array *a =
                    vv_node_elementwise(&context, vv_ops[o]->name, (vv_array *[]){x[i], x[k], x[k]}, vv_ops[o]->arity);
                if (vv_array_status(a) == VV_ERR_TYPE) continue;
                must(vv_array_status(a));
                const vv_plan *p = lower(1, (vv_array *[]){a});
                const vv_step *s = first(p, VV_STEP_MAP);
                vv_dtype computed = s->program->type[s->program->output[0]];
                bool truth = vv_array_dtype(a) == VV_BOOL && computed == VV_I64; /* made as 0 and 1, u8 when stored */
                if (computed != vv_working_type(vv_array_dtype(a)) && !truth)
                    fail_msg("%s of %s and %s: computed as %s for %s", vv_ops[o]->name, vv_dtype_name(x[i]->dtype),
                             vv_dtype_name(x[k]->dtype), vv_dtype_name(computed), vv_dtype_name(vv_array_dtype(a)));
            }
}

/* --- grids --- */

static void test_stored_chunks_are_the_work(void **state)
{
    (void)state;
    const vv_plan *p = lower(1, (vv_array *[]){vv_mean(open_path(ERA), "time")});
    const vv_step *s = first(p, VV_STEP_REDUCE);
    assert_int_equal(vv_grid_chunks(&s->work), 122 * 2 * 2);
    assert_int_equal(vv_step_outs(s), 4);
    assert_int_equal(vv_step_leaves(s), 61);
    assert_int_equal(s->leaf, 2); /* 48 elements behind a cell */
    assert_int_equal(s->grid.shape.nd, 2);
    assert_int_equal(s->grid.chunk[0], 181);
}

/* Grid, leaf and tree decide the bits: nothing but shapes and stored chunks may. */
static void test_order_is_independent(void **state)
{
    (void)state;
    static const char *const path[] = {ERA, "virtual:x?shape=time:50000,lat:41,lon:37",
                                       "virtual:x?shape=a:1,b:1000000,c:3"};
    for (int k = 0; k < 3; k++) {
        vv_array *m = vv_sum(open_path(path[k]), k == 2 ? "b" : "time");
        vv_step reference = {0};
        for (int ranks = 1; ranks < 300; ranks = ranks * 3 + 1)
            for (int placement = -1; placement < VV_PLACEMENTS; placement++) {
                must(try_lower(1, &m, ranks, placement));
                const vv_step *s = first(lowering.plan, VV_STEP_REDUCE);
                if (placement >= 0) assert_int_equal(s->placement, placement);
                if (ranks == 1 && placement < 0) reference = *s;
                assert_memory_equal(&s->work, &reference.work, sizeof s->work);
                assert_memory_equal(&s->grid, &reference.grid, sizeof s->grid);
                assert_int_equal(s->leaf, reference.leaf);
            }
    }
}

static vv_index chunk_elements(const vv_grid *g)
{
    vv_index n = 1;
    for (int d = 0; d < g->shape.nd; d++) n *= vv_imin(g->chunk[d], vv_imax(1, g->shape.n[d]));
    return n;
}

/* Contiguous data is cut so that chunks are bounded, balanced, and read in long runs. */
static void test_virtual_chunks(void **state)
{
    (void)state;
    static const char *const shape[] = {"a:1000000000",
                                        "a:3,b:5,c:7",
                                        "a:2920,b:361,c:720",
                                        "a:10,b:20000000",
                                        "a:20000000,b:10",
                                        "a:0,b:7",
                                        "a:7,b:0",
                                        "a:1,b:1,c:1",
                                        "a:40,b:50,c:60,d:70",
                                        "a:2097153",
                                        ""};
    for (size_t k = 0; k < sizeof shape / sizeof *shape; k++) {
        char path[128];
        snprintf(path, sizeof path, "virtual:x?shape=%s", shape[k]);
        vv_array *x = open_path(path);
        int nd = vv_array_n_dims(x);
        for (int mask = 0; mask < 1 << nd; mask++) {
            char dims[32] = "";
            for (int d = 0; d < nd; d++)
                if (mask >> d & 1) sprintf(dims + strlen(dims), "%s,", vv_array_dim(x, d));
            vv_array *a = mask ? vv_sum(x, dims) : vv_square(x);
            const vv_plan *p = lower(1, &a);
            const vv_step *s = first(p, mask ? VV_STEP_REDUCE : VV_STEP_MAP);
            assert_true(chunk_elements(&s->work) <= 2 * 1024 * 1024);
            if (mask) assert_true(chunk_elements(&s->grid) <= 64 * 1024);
            for (int d = 0; d < nd; d++) {
                vv_index n = s->work.shape.n[d], c = s->work.chunk[d];
                assert_int_equal(n, vv_array_length(x, d));
                assert_true(c >= 1 && c <= vv_imax(1, n));
                vv_index equal = vv_ceil_div(n, vv_imax(1, vv_grid_count(&s->work, d)));
                bool even = !mask && c % 16384 == 0 && labs(c - equal) < 16384; /* long ones */
                assert_true(equal == (n ? c : 0) || even);
            }
        }
    }
}

static void test_leaf_lengths(void **state)
{
    (void)state;
    for (int chunk = 1; chunk < 70; chunk++) {
        char path[128];
        snprintf(path, sizeof path, "virtual:x?shape=time:1000,lat:5&chunk=%d,5", chunk);
        const vv_plan *p = lower(1, (vv_array *[]){vv_sum(open_path(path), "time")});
        const vv_step *s = first(p, VV_STEP_REDUCE);
        assert_true(s->leaf * chunk >= 32);
        assert_true((s->leaf - 1) * chunk < 32);
    }
    const vv_plan *p = lower(1, (vv_array *[]){vv_sum(open_path("virtual:x?shape=time:1,lat:5&chunk=1,5"), "time")});
    assert_int_equal(vv_step_leaves(first(p, VV_STEP_REDUCE)), 1);
}

static void test_placement_choice(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int ranks;
        vv_placement expected;
    } known[] = {
        {ERA, 2, VV_PLACE_OUTPUTS},  /* two outputs for each rank */
        {ERA, 16, VV_PLACE_OUTPUTS}, /* chunks are not read in the order of the file */
        {"virtual:x?shape=time:20,lat:5&chunk=20,5", 4, VV_PLACE_OUTPUTS},         /* one leaf */
        {"virtual:x?shape=time:100000,lat:500&chunk=50,1", 400, VV_PLACE_OUTPUTS}, /* too many outputs to hold open */
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        vv_array *m = vv_mean(open_path(known[i].path), "time");
        must(try_lower(1, &m, known[i].ranks, -1));
        if (first(lowering.plan, VV_STEP_REDUCE)->placement != known[i].expected)
            fail_msg("%s on %d ranks: by %s", known[i].path, known[i].ranks,
                     vv_placement_name[first(lowering.plan, VV_STEP_REDUCE)->placement]);
    }
}

/* --- what is refused --- */

static void test_errors(void **state)
{
    (void)state;
    vv_array *t = open_path(ERA);
    vv_array *number = vv_add(vv_node_scalar(&context, 1), vv_node_scalar(&context, 2));
    assert_int_equal(try_lower(1, &number, 2, -1), VV_ERR_UNSUPPORTED);
    assert_null(lowering.plan);
    vv_array *bare = vv_node_scalar(&context, 1);
    assert_int_equal(try_lower(1, &bare, 2, -1), VV_ERR_UNSUPPORTED);
    assert_message("no stored variable");
    vv_array *inert = vv_mean(t, "nowhere");
    assert_int_equal(try_lower(2, (vv_array *[]){t, inert}, 2, -1), VV_ERR_NOT_FOUND);
}

/* What was computed is computed with. */
static void test_results_of_results(void **state)
{
    (void)state;
    vv_array *t = open_path(ERA);
    const vv_plan *p = lower(1, (vv_array *[]){vv_sqrt(vv_mean(t, "time"))});
    assert_int_equal(count(p, VV_STEP_REDUCE), 1);
    const vv_step *s = first(p, VV_STEP_MAP);
    assert_int_equal(s->input[0].access, VV_ACCESS_PUSH);
    assert_int_equal(s->input[0].type, VV_F32); /* as the mean is typed, not as it is summed */
    p = lower(1, (vv_array *[]){vv_max(vv_mean(t, "time"), "lat")});
    assert_int_equal(count(p, VV_STEP_REDUCE), 2);
    assert_int_equal(count(p, VV_STEP_MAP), 0);
}

/* Chunks of different shapes: those of the first are the work, the others come in pieces or, being small, in boxes. */
static void test_mixed_chunks(void **state)
{
    (void)state;
    vv_array *t = open_path(ERA), *cut = open_path("virtual:u?shape=time:2920,lat:361,lon:720&chunk=12,181,360");
    const vv_plan *p = lower(1, (vv_array *[]){vv_add(t, cut)});
    const vv_step *s = &p->step[p->step[target[0].step].from];
    assert_int_equal(s->work.chunk[0], 24);
    assert_int_equal(s->input[0].access, VV_ACCESS_BOX);
    assert_int_equal(s->input[1].access, VV_ACCESS_BOX); /* two whole chunks each */
    p = lower(1, (vv_array *[]){vv_add(cut, t)});
    s = &p->step[p->step[target[0].step].from];
    assert_int_equal(s->work.chunk[0], 12);
    assert_int_equal(s->input[1].access, VV_ACCESS_PUSH); /* half a chunk each */
    assert_int_equal(count(p, VV_STEP_MAP), 2);
    assert_non_null(strstr(first(p, VV_STEP_MAP)->why, "loaded once"));
    must(try_lower(1, (vv_array *[]){vv_add(t, open_path("virtual:u?shape=time:2920,lat:361,lon:720"))}, 2, -1));
}

/* What does not fit into one program is several steps. */
static void test_too_many(void **state)
{
    (void)state;
    vv_array *t = open_path("virtual:x?shape=time:100"), *sum = t, *a = vv_add(t, t);
    for (int i = 0; i < 3 * VV_PROGRAM_INPUTS; i++) {
        char path[128];
        snprintf(path, sizeof path, "virtual:x?shape=time:100&seed=%d", i + 1);
        sum = vv_add(sum, open_path(path));
        const vv_plan *p = lower(1, &sum);
        assert_int_equal(count(p, VV_STEP_READ), i + 2);
        assert_int_equal(count(p, VV_STEP_MAP),
                         i + 2 <= VV_PROGRAM_INPUTS ? 1 : 1 + (i + 2 - 2) / (VV_PROGRAM_INPUTS - 1));
    }
    vv_array *number = vv_node_scalar(&context, 3);
    for (int i = 0; i < 200; i++) a = vv_mul(vv_add(a, t), number);
    const vv_plan *p = lower(1, &a);
    int operations = 0;
    for (int i = 0; i < p->n_steps; i++)
        for (int k = 0; p->step[i].program && k < p->step[i].program->n; k++)
            operations += p->step[i].program->code[k].op >= 0;
    assert_int_equal(operations, 401);
    assert_int_equal(count(p, VV_STEP_MAP), 3); /* the numbers are constants: 600 instructions */
    for (int i = 0; i < 100000; i++) a = vv_add(a, t);
    p = lower(1, &a);
    assert_in_range(count(p, VV_STEP_MAP), 100000 / 256, 100000 / 200);
}

/* Steps upon steps, deeper than any stack. */
static void test_high(void **state)
{
    (void)state;
    vv_array *a = open_path("virtual:x?shape=t:100,y:50&chunk=10,50");
    for (int i = 0; i < 500; i++) a = vv_sub(vv_rolling(a, "t", 3, "mean", 1, true), vv_mean(a, "t"));
    const vv_plan *p = lower(1, &a);
    assert_int_equal(count(p, VV_STEP_REDUCE), 500);
}

/* Every node is used twice by the next: the paths through it double each time, the work must not. */
static void test_shared_inside(void **state)
{
    (void)state;
    vv_array *a = open_path("virtual:x?shape=time:100");
    for (int i = 0; i < 60; i++) a = vv_add(a, a);
    const vv_plan *p = lower(1, &a);
    assert_int_equal(first(p, VV_STEP_MAP)->program->n, 60);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_one_pass_for_many_results),
        TEST(test_one_pass_for_equal_expressions),
        TEST(test_what_is_not_shared),
        TEST(test_options_are_results_of_their_own),
        TEST(test_more_results_than_a_step_has),
        TEST(test_fusion),
        TEST(test_numbers),
        TEST(test_types_agree),
        TEST(test_stored_chunks_are_the_work),
        TEST(test_order_is_independent),
        TEST(test_virtual_chunks),
        TEST(test_leaf_lengths),
        TEST(test_placement_choice),
        TEST(test_errors),
        TEST(test_results_of_results),
        TEST(test_mixed_chunks),
        TEST(test_high),
        TEST(test_too_many),
        TEST(test_shared_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
