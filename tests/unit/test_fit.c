/* Fitting: groups, second reads and the store follow the budget, and nothing that results depend on does; the budget that is suggested is enough, and
 * hardly more than enough. */
#include "handmade.h"

#include "plan/fit.h"

enum { BASE = 20 << 20 };

static vv_bytes peak_of(const vv_plan *p)
{
    vv_cost c;
    must(vv_cost_of(p, &c));
    vv_bytes peak = vv_cost_peak(p, &c, BASE);
    vv_cost_free(&c);
    return peak;
}

static vv_status check(const vv_plan *p)
{
    vv_cost c;
    must(vv_cost_of(p, &c));
    vv_status status = vv_cost_check(p, &c, BASE);
    vv_cost_free(&c);
    return status;
}

/* "... --memory 123MB would do" */
static vv_bytes suggested(void)
{
    const char *at = strstr(vv_last_error(), "--memory ");
    assert_non_null(at);
    return strtoll(at + 9, NULL, 10) * 1000000;
}

/* Means by the groups of the first dimension, and differences from them: group 0 .. n - 1 in turn, `run` elements each. */
static vv_plan *group_anomaly(int ranks, const vv_grid *g, vv_index n, vv_index run)
{
    vv_plan *p = hand_plan(ranks);
    int x = hand_read(p, "x", g), mean = hand_step(p, VV_STEP_REDUCE, "mean", g);
    vv_step *s = &p->step[mean];
    s->reduced[0] = true;
    s->leaf = 2;
    s->groups = (vv_groups){.dim = 0, .n = n, .chunk = n};
    must(vv_table_new(g->shape.n[0], &s->groups.label));
    for (vv_index i = 0; i < g->shape.n[0]; i++) s->groups.label->at[i] = i / run % n;
    hand_same(p, mean, x, VV_ACCESS_CHUNK);
    must(vv_step_complete(&p->step[mean]));
    int anomaly = hand_step(p, VV_STEP_MAP, "anomaly", g);
    hand_same(p, anomaly, x, VV_ACCESS_CHUNK);
    vv_part part;
    vv_part_same(&g->shape, &part);
    part.table_dim = 0;
    part.table = vv_table_share(p->step[mean].groups.label);
    hand_input(p, anomaly, mean, VV_ACCESS_PUSH, &part);
    p->step[anomaly].input[1].lookup = true;
    must(vv_step_complete(&p->step[anomaly]));
    hand_deliver(p, VV_STEP_WRITE, anomaly);
    hand_deliver(p, VV_STEP_GATHER, mean);
    return p;
}

static vv_step *named(vv_plan *p, const char *name, vv_step_op op)
{
    for (int i = 0; i < p->n_steps; i++)
        if (p->step[i].op == op && !strcmp(p->step[i].name, name)) return &p->step[i];
    fail_msg("no step %s", name);
    return NULL;
}

static void fit(vv_plan *p, vv_bytes budget)
{
    p->budget = budget;
    must(vv_fit(p, BASE));
    must(vv_plan_validate(p));
}

/* --- groups --- */

static void test_amplification(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        vv_grid g = hand_grid(1, (vv_index[]){1 + below(200)}, (vv_index[]){1 + below(20)});
        vv_plan *p = group_anomaly(1, &g, 1 + below(30), 1 + below(6));
        vv_step *s = &p->step[1];
        for (vv_index i = 0; i < g.shape.n[0]; i++)
            if (below(4) == 0) s->groups.label->at[i] = below(s->groups.n + 1) - 1;
        for (vv_index chunk = 1; chunk <= s->groups.n; chunk++) {
            s->groups.chunk = chunk;
            must(vv_step_complete(s));
            vv_index blocks = vv_ceil_div(s->groups.n, chunk), any = 0;
            for (vv_index c = 0; c < vv_grid_count(&g, 0); c++) {
                bool some = false;
                for (vv_index i = vv_grid_begin(&g, 0, c); i < vv_grid_end(&g, 0, c); i++)
                    some = some || s->groups.label->at[i] >= 0;
                any += some;
            }
            double got;
            must(vv_fit_amplification(s, chunk, &got));
            double expected = any ? (double)s->groups.first[blocks] / (double)any : 1;
            assert_true(got > expected - 1e-12 && got < expected + 1e-12);
        }
        vv_plan_free(&p);
    }
}

static void test_groups_follow_the_budget(void **state)
{
    (void)state;
    /* 366 groups of 128 x 128 cells: 16 bytes each cell, about 95 MB; chunks of 12, so that rows of 12 groups are read once */
    vv_grid g = hand_grid(3, (vv_index[]){1464, 128, 128}, (vv_index[]){12, 128, 128});
    vv_index last = 366;
    bool smaller = false;
    for (vv_bytes budget = 3000000000; budget > 60000000; budget = budget * 3 / 4) {
        vv_plan *p = group_anomaly(1, &g, 366, 1);
        fit(p, budget);
        vv_step *s = named(p, "mean", VV_STEP_REDUCE);
        assert_true(s->groups.chunk <= last && s->groups.chunk >= 1);
        last = s->groups.chunk;
        smaller = smaller || last < 366;
        if (last < 366 && check(p) == VV_OK) {
            assert_non_null(strstr(s->why, "groups at a time"));
            double chosen, more;
            must(vv_fit_amplification(s, last, &chosen));
            must(vv_fit_amplification(s, last > 1 ? last - 1 : 1, &more));
            assert_true(chosen <= more);
        }
        assert_int_equal(named(p, "out", VV_STEP_GATHER)->grid.chunk[0], last); /* what delivers them follows */
        assert_int_equal(s->leaf, 2);
        assert_memory_equal(&s->work, &g, sizeof g);
        vv_plan_free(&p);
    }
    assert_true(smaller);
}

static void test_rows_of_groups_are_not_cut(void **state)
{
    (void)state;
    /* A chunk has 24 hours of each of 10 days: any multiple of 10 days reads it once. */
    vv_grid g = hand_grid(3, (vv_index[]){24000, 100, 100}, (vv_index[]){240, 100, 100});
    vv_plan *p = group_anomaly(1, &g, 1000, 24);
    fit(p, BASE + 150000000);
    vv_step *s = named(p, "mean", VV_STEP_REDUCE);
    double read;
    must(vv_fit_amplification(s, s->groups.chunk, &read));
    assert_true(s->groups.chunk > 10 && s->groups.chunk < 1000);
    assert_int_equal(s->groups.chunk % 10, 0);
    assert_true(read == 1.0);
    must(check(p));
    vv_plan_free(&p);
}

/* --- budgets --- */

static void test_suggested_budget_is_enough_and_hardly_more(void **state)
{
    (void)state;
    for (int round = 0; round < 600; round++) {
        vv_grid g = hand_grid(3, (vv_index[]){200 + below(2000), 50 + below(200), 50 + below(200)},
                              (vv_index[]){1 + below(30), 20 + below(100), 20 + below(100)});
        int ranks = 1 + (int)below(4);
        vv_index n = 1 + below(100), run = 1 + below(20);
        bool groups = below(2);
        vv_plan *p = groups ? group_anomaly(ranks, &g, n, run) : hand_anomaly(ranks, &g, 3);
        fit(p, BASE + 1);
        assert_int_equal(check(p), VV_ERR_BUDGET);
        vv_bytes enough = suggested();
        vv_plan_free(&p);
        for (vv_bytes budget = enough; budget < 40 * enough; budget += budget / 3) { /* every larger one does as well */
            p = groups ? group_anomaly(ranks, &g, n, run) : hand_anomaly(ranks, &g, 3);
            fit(p, budget);
            must(check(p));
            assert_true(peak_of(p) <= budget);
            vv_plan_free(&p);
        }
        p = groups ? group_anomaly(ranks, &g, n, run) : hand_anomaly(ranks, &g, 3);
        fit(p, enough - 5500000);
        assert_int_equal(check(p), VV_ERR_BUDGET);
        vv_plan_free(&p);
    }
}

static void test_without_a_budget_everything_stays(void **state)
{
    (void)state;
    vv_grid g = hand_grid(3, (vv_index[]){1464, 128, 128}, (vv_index[]){12, 128, 128});
    vv_plan *p = group_anomaly(1, &g, 366, 1);
    fit(p, 0);
    assert_int_equal(named(p, "mean", VV_STEP_REDUCE)->groups.chunk, 366);
    assert_false(vv_plan_spills(p));
    must(check(p));
    vv_plan_free(&p);
}

static void test_store(void **state)
{
    (void)state;
    vv_grid g = hand_grid(2, (vv_index[]){3000, 3000}, (vv_index[]){10, 3000}),
            t = hand_grid(2, (vv_index[]){3000, 3000}, (vv_index[]){3000, 10});
    for (int large = 0; large < 2; large++) {
        vv_plan *p = hand_plan(1);
        int x = hand_read(p, "x", &g), a = hand_step(p, VV_STEP_MAP, "a", &g);
        hand_same(p, a, x, VV_ACCESS_CHUNK);
        must(vv_step_complete(&p->step[a]));
        int b = hand_step(p, VV_STEP_MAP, "b", &t);
        hand_same(p, b, a, VV_ACCESS_PUSH);
        must(vv_step_complete(&p->step[b]));
        hand_deliver(p, VV_STEP_WRITE, b);
        vv_bytes array = 3000 * 3000 * 4;
        fit(p, BASE + (large ? 2 * array : array));
        must(check(p));
        assert_true(vv_plan_spills(p) == !large);
        if (!large) assert_in_range(p->store, array / 4, array);
        vv_plan_free(&p);
    }
}

static void test_streaming_needs_little_store(void **state)
{
    (void)state;
    vv_grid g = hand_grid(2, (vv_index[]){100000, 1000}, (vv_index[]){10, 1000}),
            other = hand_grid(2, (vv_index[]){100000, 1000}, (vv_index[]){7, 1000});
    vv_plan *p = hand_plan(1);
    int x = hand_read(p, "x", &g), a = hand_step(p, VV_STEP_MAP, "a", &g);
    hand_same(p, a, x, VV_ACCESS_CHUNK);
    must(vv_step_complete(&p->step[a]));
    int b = hand_step(p, VV_STEP_MAP, "b", &other);
    hand_same(p, b, a, VV_ACCESS_PUSH);
    must(vv_step_complete(&p->step[b]));
    hand_deliver(p, VV_STEP_WRITE, b);
    fit(p, 4000000000); /* all 400 MB would fit */
    assert_in_range(p->store, 4 * 7 * 1000 * 4, 12 << 20);
    assert_true(peak_of(p) < BASE + (20 << 20));
    vv_plan_free(&p);
}

/* --- held or read again --- */

static vv_bytes counted_read(const vv_plan *p, double *amplification)
{
    vv_cost c;
    must(vv_cost_of(p, &c));
    must(vv_cost_count(p, NULL, &c));
    vv_bytes read = c.read;
    *amplification = (double)c.step[0].read / (double)c.step[0].wanted;
    vv_cost_free(&c);
    return read;
}

static void test_held_when_it_fits(void **state)
{
    (void)state;
    vv_grid g = hand_grid(3, (vv_index[]){500, 100, 100}, (vv_index[]){10, 50, 50});
    vv_bytes array = 500 * 100 * 100 * 4;
    double times;
    for (int large = 0; large < 2; large++) {
        vv_plan *p = hand_anomaly(2, &g, 4);
        fit(p, BASE + (large ? 10 * array : array));
        must(check(p));
        assert_int_equal(counted_read(p, &times), (large ? 1 : 2) * p->source[0].total);
        assert_true(times == (large ? 1.0 : 2.0));
        assert_int_equal(p->n_steps, large ? 5 : 4);
        vv_step *mean = named(p, "mean", VV_STEP_REDUCE), *anomaly = named(p, "anomaly", VV_STEP_MAP);
        assert_int_equal(mean->leaf, 4); /* what the bits depend on */
        assert_memory_equal(&mean->work, &g, sizeof g);
        assert_memory_equal(&anomaly->work, &g, sizeof g);
        assert_int_equal(p->step[p->n_steps - 1].from, anomaly - p->step);
        const char *why = large ? p->step[1].why : anomaly->why;
        assert_non_null(strstr(why, large ? "held: " : "read again: "));
        assert_int_equal(mean->input[0].access, large ? VV_ACCESS_PUSH : VV_ACCESS_CHUNK);
        vv_plan_free(&p);
    }
}

static void test_plain_data_is_read_again(void **state)
{
    (void)state;
    vv_grid g = hand_grid(2, (vv_index[]){500, 100}, (vv_index[]){10, 50});
    vv_plan *p = hand_anomaly(1, &g, 4);
    p->source[0].compressed = false;
    p->source[0].n_filters = 0;
    fit(p, 0);
    assert_int_equal(p->n_steps, 4);
    assert_non_null(strstr(p->step[2].why, "read again: "));
    vv_plan_free(&p);
    /* Two steps that do not wait for each other: nothing to hold, but it is told. */
    p = hand_anomaly(1, &g, 4);
    p->step[2].input[1].part[0].from = 0;
    p->step[2].input[1].part[0].nd = 2;
    vv_part_same(&g.shape, &p->step[2].input[1].part[0]);
    p->step[2].input[1].access = VV_ACCESS_CHUNK;
    fit(p, 0);
    assert_int_equal(p->n_steps, 4);
    assert_non_null(strstr(p->step[2].why, "another way"));
    vv_plan_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_amplification),
        cmocka_unit_test(test_groups_follow_the_budget),
        cmocka_unit_test(test_rows_of_groups_are_not_cut),
        cmocka_unit_test(test_suggested_budget_is_enough_and_hardly_more),
        cmocka_unit_test(test_without_a_budget_everything_stays),
        cmocka_unit_test(test_store),
        cmocka_unit_test(test_streaming_needs_little_store),
        cmocka_unit_test(test_held_when_it_fits),
        cmocka_unit_test(test_plain_data_is_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
