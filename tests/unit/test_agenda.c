/* The agenda: every unit comes once, whatever the policy; consumers before producers and the other way round; hand in hand; throttled; several threads. */
#include "scratch.h"

#include "exec/agenda.h"
#include "exec/sched.h"

#include <pthread.h>
#include <stdatomic.h>

enum { N = 12, RANKS = 3 };

static int policy_of(const char *name)
{
    int i = 0;
    while (vv_sched_at(i) != vv_sched_find(name)) i++;
    return i;
}

/* A step over N single elements; each input is all of an earlier step. */
static int add_step(vv_plan *p, bool reduce, int n, const int from[])
{
    vv_step *s;
    must(vv_plan_add_step(p, reduce ? VV_STEP_REDUCE : VV_STEP_MAP, "step", &s));
    s->work = (vv_grid){.shape = {1, {N}}, .chunk = {1}};
    s->reduced[0] = reduce;
    s->n_results = 1;
    s->result[0].type = VV_F64;
    s->result[0].red = (vv_red){vv_reduction_find("sum"), VV_F64, false, 0, 0, NULL, 0};
    must(vv_new(&s->program, 1, sizeof *s->program));
    for (int k = 0, reg; k < n || k == 0; k++) must(vv_program_input(s->program, VV_F64, &reg));
    vv_program_set_output(s->program, 0);
    for (int k = 0; k < n; k++) {
        vv_input *in;
        vv_part part;
        must(vv_step_add_input(s, &in));
        in->access = VV_ACCESS_PUSH;
        in->type = VV_F64;
        vv_part_same(&s->work.shape, &part);
        part.from = from[k];
        if (p->step[from[k]].op == VV_STEP_REDUCE) part.nd = 0;
        must(vv_input_add_part(in, &part));
    }
    must(vv_step_complete(s));
    return p->n_steps - 1;
}

typedef struct bench {
    vv_plan *plan;
    vv_store *store;
    vv_agenda *agenda;
} bench;

static void open_bench(bench *b, int rank)
{
    b->plan->store = 1 << 20;
    must(vv_store_new(b->plan, rank, &b->store));
    must(vv_agenda_open(b->plan, rank, b->store, &b->agenda));
}

static void close_bench(bench *b)
{
    vv_agenda_close(&b->agenda);
    vv_store_free(&b->store);
}

/* What the engine does when a unit of a map step has run: its element goes to all who want it. */
static void finish(bench *b, const vv_task *t)
{
    const vv_plan *p = b->plan;
    const vv_step *s = &p->step[t->step];
    for (int k = 0; k < s->n_inputs; k++) {
        const void *block;
        double room[1];
        vv_index coords[VV_MAX_DIMS];
        vv_unit_coords(s, t->unit, 0, coords);
        vv_index key = vv_edge_key(vv_store_edge(b->store, t->step, k), coords);
        must(vv_store_use(b->store, t->step, k, key, room, &block));
        assert_true(*(const double *)block == (double)t->unit.out);
        vv_store_done(b->store, t->step, k, key);
    }
    for (int to = t->step + 1; to < p->n_steps; to++)
        for (int k = 0; k < p->step[to].n_inputs; k++) {
            if (p->step[to].input[k].part[0].from != t->step) continue;
            int64_t sequence;
            double value = (double)t->unit.out;
            vv_box piece = {1, {t->unit.out}, {1}};
            must(vv_store_put(b->store, to, k, t->unit.out, &piece, &value, (vv_index[]){1}, &sequence));
            assert_true(sequence > 0);
            must(vv_agenda_add(b->agenda, to, k, t->unit.out, sequence));
        }
}

/* Runs all: the order of steps as letters, 'a' for step 0. */
static void run_all(bench *b, char *order)
{
    int ran[8][N] = {{0}}, n = 0;
    vv_index left = vv_agenda_left(b->agenda);
    for (;;) {
        vv_task t;
        bool got;
        must(vv_agenda_take(b->agenda, false, &t, &got));
        if (!got) break;
        assert_int_equal(ran[t.step][t.unit.out]++, 0);
        order[n++] = (char)('a' + t.step);
        finish(b, &t);
        assert_int_equal(vv_agenda_left(b->agenda), left - n + 1);
        assert_true(vv_agenda_ended(b->agenda, t.step) == (n < left));
    }
    order[n] = 0;
    assert_int_equal(n, left);
    assert_int_equal(vv_store_count(b->store), 0);
}

/* Two sources, and a step that wants both. */
static vv_plan *pair_plan(int policy, int64_t fuzz)
{
    vv_plan *p;
    must(vv_plan_new(&p));
    p->ranks = 1;
    p->policy = policy;
    p->fuzz = fuzz;
    int a = add_step(p, false, 0, NULL), b = add_step(p, false, 0, NULL);
    add_step(p, false, 2, (int[]){a, b});
    return p;
}

static void policies_differ(void **state)
{
    (void)state;
    char order[4 * N];
    bench b = {.plan = pair_plan(policy_of("memory"), 0)};
    open_bench(&b, 0);
    run_all(&b, order);
    assert_string_equal(order, "abcabcabcabcabcabcabcabcabcabcabcabc");
    close_bench(&b);
    b.plan->policy = policy_of("critical-path");
    open_bench(&b, 0);
    run_all(&b, order);
    assert_string_equal(order, "ababababababababababababcccccccccccc");
    close_bench(&b);
    vv_plan_free(&b.plan);
}

/* A step behind a reduction waits for it; a source that only meets it there is not begun before. */
static void later_sources_come_later(void **state)
{
    (void)state;
    vv_plan *p;
    must(vv_plan_new(&p));
    p->ranks = 1;
    p->policy = policy_of("memory");
    int other = add_step(p, false, 0, NULL), before = add_step(p, false, 0, NULL);
    int sum = add_step(p, true, 1, &before);
    add_step(p, false, 2, (int[]){other, sum});
    bench b = {.plan = p};
    open_bench(&b, 0);
    for (int i = 0; i < 2 * N; i++) {
        vv_task t;
        bool got;
        must(vv_agenda_take(b.agenda, false, &t, &got));
        assert_true(got);
        assert_int_equal(t.step, i < N ? before : other);
    }
    close_bench(&b);
    vv_plan_free(&p);
}

static void fuzz_runs_everything(void **state)
{
    (void)state;
    char order[4 * N], first[4 * N] = "";
    int different = 0;
    for (int seed = 1; seed < 60; seed++) {
        bench b = {.plan = pair_plan(seed % 2, seed)};
        open_bench(&b, 0);
        run_all(&b, order);
        if (seed == 1) strcpy(first, order);
        different += strcmp(order, first) != 0;
        close_bench(&b);
        open_bench(&b, 0);
        char again[4 * N];
        run_all(&b, again);
        assert_string_equal(again, order); /* a seed means an order */
        close_bench(&b);
        vv_plan_free(&b.plan);
    }
    assert_true(different > 40);
}

static void throttled_is_what_waits_only(void **state)
{
    (void)state;
    bench b = {.plan = pair_plan(policy_of("memory"), 0)};
    vv_task t;
    bool got;
    open_bench(&b, 0);
    must(vv_agenda_take(b.agenda, true, &t, &got));
    assert_false(got);
    for (int i = 0; i < 2; i++) {
        must(vv_agenda_take(b.agenda, false, &t, &got));
        assert_true(got);
        finish(&b, &t);
    }
    must(vv_agenda_take(b.agenda, true, &t, &got));
    assert_true(got && t.step == 2 && t.unit.out == 0);
    finish(&b, &t);
    must(vv_agenda_take(b.agenda, true, &t, &got));
    assert_false(got);
    close_bench(&b);
    vv_plan_free(&b.plan);
}

/* With too many partial results waiting only the first unit that has not begun may run, and only when it can. */
static void watched_units_come_in_order(void **state)
{
    (void)state;
    bench b = {0};
    must(vv_plan_new(&b.plan));
    b.plan->ranks = b.plan->threads = 1;
    add_step(b.plan, false, 0, NULL);
    add_step(b.plan, false, 1, (int[]){0});
    _Atomic vv_index waiting = 3;
    vv_task made[N], t;
    bool got;
    open_bench(&b, 0);
    must(vv_agenda_watch(b.agenda, 1, &waiting, 2));
    for (int i = 0; i < N; i++) {
        must(vv_agenda_take(b.agenda, false, &made[i], &got));
        assert_true(got && made[i].step == 0 && made[i].unit.out == i);
    }
    for (int i = N - 1; i > 0; i--) finish(&b, &made[i]);
    must(vv_agenda_take(b.agenda, false, &t, &got));
    assert_false(got); /* the first one cannot run yet */
    waiting = 2;
    must(vv_agenda_take(b.agenda, false, &t, &got));
    assert_true(got && t.step == 1 && t.unit.out == N - 1);
    finish(&b, &t);
    waiting = 3;
    finish(&b, &made[0]);
    for (int i = 0; i < N - 1; i++) {
        must(vv_agenda_take(b.agenda, false, &t, &got));
        assert_true(got && t.step == 1 && t.unit.out == i);
        finish(&b, &t);
    }
    waiting = 0;
    must(vv_agenda_take(b.agenda, false, &t, &got));
    assert_false(got); /* none comes twice */
    close_bench(&b);
    vv_plan_free(&b.plan);
}

/* Steps that have nothing to do with each other; with fuzz each is an act of its own. */
static void acts_come_one_after_the_other(void **state)
{
    (void)state;
    bench b = {0};
    must(vv_plan_new(&b.plan));
    b.plan->ranks = b.plan->threads = 1;
    b.plan->fuzz = 5;
    for (int i = 0; i < 3; i++) add_step(b.plan, false, 0, NULL);
    open_bench(&b, 0);
    assert_int_equal(vv_agenda_acts(b.agenda), 3);
    for (int act = 0; act < 3; act++) {
        vv_task t;
        bool got;
        for (int i = 0; i < N; i++) {
            assert_int_equal(vv_agenda_acts_ended(b.agenda), act);
            must(vv_agenda_take(b.agenda, false, &t, &got));
            assert_true(got && t.step == act && vv_agenda_act_of(b.agenda, t.step) == act);
            (void)vv_agenda_ended(b.agenda, t.step);
        }
        must(vv_agenda_take(b.agenda, false, &t, &got));
        assert_false(got);
        vv_agenda_begin_act(b.agenda, act + 1);
        vv_agenda_begin_act(b.agenda, act); /* late news changes nothing */
    }
    assert_int_equal(vv_agenda_acts_ended(b.agenda), 3);
    close_bench(&b);
    b.plan->fuzz = 0; /* they are small */
    open_bench(&b, 0);
    assert_int_equal(vv_agenda_acts(b.agenda), 1);
    close_bench(&b);
    vv_plan_free(&b.plan);
}

/* All ranks together have every unit once. */
static void ranks_share(void **state)
{
    (void)state;
    int ran[2][N] = {{0}};
    bench b = {.plan = pair_plan(0, 0)};
    b.plan->ranks = RANKS;
    for (int s = 0; s < 3; s++) b.plan->step[s].placement = (vv_placement)s;
    for (int rank = 0; rank < RANKS; rank++) {
        open_bench(&b, rank);
        for (bool got = true; got;) {
            vv_task t;
            must(vv_agenda_take(b.agenda, false, &t, &got));
            if (got) ran[t.step][t.unit.out]++;
        }
        close_bench(&b);
    }
    for (int i = 0; i < 2 * N; i++) assert_int_equal(ran[i / N][i % N], 1);
    vv_plan_free(&b.plan);
}

static void *hand(void *argument)
{
    bench *b = argument;
    while (vv_agenda_left(b->agenda) > 0) {
        vv_task t;
        bool got;
        if (vv_agenda_take(b->agenda, false, &t, &got) != VV_OK) return (void *)1;
        if (!got) {
            vv_agenda_rest(b->agenda, 100000);
            continue;
        }
        finish(b, &t);
        vv_agenda_ended(b->agenda, t.step);
    }
    return NULL;
}

static void threads_share(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++) {
        bench b = {.plan = pair_plan(i % 2, i % 3 ? i : 0)};
        pthread_t thread[3];
        open_bench(&b, 0);
        for (int k = 0; k < 3; k++) assert_int_equal(pthread_create(&thread[k], NULL, hand, &b), 0);
        for (int k = 0; k < 3; k++) {
            void *failed;
            pthread_join(thread[k], &failed);
            assert_null(failed);
        }
        assert_int_equal(vv_store_count(b.store), 0);
        close_bench(&b);
        vv_plan_free(&b.plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policies_differ),
        cmocka_unit_test(later_sources_come_later),
        cmocka_unit_test(fuzz_runs_everything),
        cmocka_unit_test(throttled_is_what_waits_only),
        cmocka_unit_test(watched_units_come_in_order),
        cmocka_unit_test(acts_come_one_after_the_other),
        cmocka_unit_test(ranks_share),
        cmocka_unit_test(threads_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
