/* The engine on every rank at once, without a session: every rank makes the same plan, runs it, and must come to the same end - with planted
 * faults on any rank, without a plan, interrupted - and be ready for the next one.
 *
 * ranks: 1 2 3 4
 * timeout: 300
 * cores: 1 */
#include "unit/scratch.h"

#include "base/fault.h"
#include "exec/engine.h"
#include "plan/lower/lower.h"
#include "plan/place.h"

static vv_net *net;
static vv_context context;

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 31) * 0x9e3779b97f4a7c15u;
    return x ^ x >> 29;
}

/* --- agreement among the test programs themselves --- */

/* All ranks have the same number here. */
static void check_same(int64_t number)
{
    vv_agreement a = {.sum = {number}, .max = {number, -number}};
    bool done = false;
    must(net->kind->agree_begin(net, &a));
    vv_backoff wait = {0};
    while (!done) {
        must(net->kind->agree_test(net, &done));
        if (!done) vv_backoff_wait(&wait);
    }
    if (a.max[0] != -a.max[1])
        fail_msg("rank %d has %lld, others have %lld and %lld", net->rank, (long long)number, (long long)a.max[0],
                 (long long)-a.max[1]);
}

/* --- plans --- */

enum { TIME = 400, CELLS = 12 };
#define INPUT "virtual:x?shape=time:400,lat:3,lon:4&chunk=1,2,3&dtype=i32&value=index"

typedef struct job {
    vv_lowering lowering;
    int64_t sum[CELLS];
    int32_t all[TIME * CELLS], most[CELLS];
    void **gather;
} job;

static void prepare(job *j, int placement, int threads)
{
    memset(j, 0, sizeof *j);
    vv_array *x = vv_dataset_array(vv_dataset_open_in(&context, INPUT), "x");
    vv_target target[] = {{.array = vv_sum(x, "time"), .output_variable = -1},
                          {.array = vv_max(x, "time"), .output_variable = -1},
                          {.array = x, .output_variable = -1}};
    must(vv_lower(target, 3, net->size, placement, &j->lowering));
    j->lowering.plan->threads = threads;
    j->gather = calloc((size_t)j->lowering.plan->n_steps, sizeof *j->gather);
    j->gather[target[0].step] = j->sum;
    j->gather[target[1].step] = j->most;
    j->gather[target[2].step] = j->all;
    for (int i = 0; i < 3; i++) vv_release(&target[i].array);
}

static void finish(job *j)
{
    free(j->gather);
    vv_lowering_free(&j->lowering);
    vv_context_free(&context);
    assert_int_equal(vv_mem_used(), 0);
}

static void check_results(const job *j)
{
    for (int c = 0; c < CELLS && net->rank == 0; c++) {
        assert_int_equal(j->sum[c], (int64_t)CELLS * TIME * (TIME - 1) / 2 + (int64_t)TIME * c);
        assert_int_equal(j->most[c], (TIME - 1) * CELLS + c);
        for (int t = 0; t < TIME; t++) assert_int_equal(j->all[t * CELLS + c], t * CELLS + c);
    }
}

static vv_status run_job(job *j, const vv_plan *plan, vv_hooks hooks, vv_engine_stats *stats)
{
    hooks.gather = j->gather;
    vv_status status = vv_engine_run(net, plan, &hooks, stats);
    check_same(status);
    uint64_t hash = status == VV_OK ? 0 : vv_hash(vv_last_error(), strlen(vv_last_error()));
    check_same((int64_t)(hash >> 8)); /* and for the same reason */
    assert_int_equal(net->sending, 0);
    assert_false(net->discarding);
    return status;
}

static void run_good(int placement, int threads)
{
    job j;
    vv_engine_stats stats;
    prepare(&j, placement, threads);
    must(run_job(&j, j.lowering.plan, (vv_hooks){0}, &stats));
    check_results(&j);
    vv_index tasks = 0;
    for (int i = 0; i < j.lowering.plan->n_steps; i++) {
        const vv_step *s = &j.lowering.plan->step[i];
        if (vv_step_computes(s)) tasks += vv_step_outs(s) * vv_step_leaves(s);
    }
    assert_int_equal(stats.tasks, tasks); /* all tasks ran, once */
    assert_int_equal(stats.read, 2 * 4 * TIME * CELLS);
    assert_true(stats.peak > 0);
    check_same(stats.tasks);
    check_same(stats.moved);
    vv_cost cost;
    must(vv_cost_of(j.lowering.plan, &cost));
    must(vv_cost_count(j.lowering.plan, NULL, &cost));
    assert_int_equal(stats.moved, cost.moved); /* as it was foretold */
    vv_cost_free(&cost);
    finish(&j);
}

static void test_good(void **state)
{
    (void)state;
    for (int placement = -1; placement < VV_PLACEMENTS; placement++)
        for (int threads = 1; threads <= 4; threads++) run_good(placement, threads);
}

/* --- faults --- */

static vv_status run_with_fault(vv_fault_site site, int visit, int rank, int placement, int threads)
{
    char text[64];
    job j;
    vv_engine_stats stats;
    prepare(&j, placement, threads);
    snprintf(text, sizeof text, "%s:%d@%d", vv_fault_name(site), visit, rank);
    setenv("VV_FAULT", text, 1);
    must(vv_fault_setup());
    vv_status status = run_job(&j, j.lowering.plan, (vv_hooks){0}, &stats);
    unsetenv("VV_FAULT");
    must(vv_fault_setup());
    if (status == VV_OK) {
        check_results(&j); /* never got there */
    } else {
        assert_int_equal(status, VV_ERR_FAULT);
        assert_message(vv_fault_name(site));
        snprintf(text, sizeof text, "rank %d", rank);
        assert_message(text);
    }
    finish(&j);
    return status;
}

static void test_faults(void **state)
{
    (void)state;
    static const struct {
        vv_fault_site site;
        bool everywhere; /* every rank comes by; else only where ranks talk */
    } known[] = {{VV_FAULT_START, true},      {VV_FAULT_ALLOC, true}, {VV_FAULT_TASK, true},
                 {VV_FAULT_READ_CHUNK, true}, {VV_FAULT_SEND, false}, {VV_FAULT_RECEIVE, false},
                 {VV_FAULT_FINISH, false}};
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        int failed = 0;
        for (int rank = 0; rank < net->size; rank++)
            for (int visit = 1; visit < 30; visit = 3 * visit + 1)
                for (int placement = 0; placement < VV_PLACEMENTS; placement++) {
                    vv_status status =
                        run_with_fault(known[k].site, visit, rank, placement, 1 + (visit + placement) % 2);
                    failed += status != VV_OK;
                    if (known[k].everywhere && visit == 1) assert_int_equal(status, VV_ERR_FAULT);
                }
        if (net->size > 1 || known[k].everywhere) assert_true(failed > 0);
        run_good(-1, 2);
    }
}

/* A rank whose plan did not arrive whole. */
static void test_no_plan(void **state)
{
    (void)state;
    for (int rank = 0; rank < net->size; rank++) {
        job j;
        vv_engine_stats stats;
        prepare(&j, VV_PLACE_CYCLIC, 2);
        if (net->rank == rank) (void)vv_fail(VV_ERR_INTERNAL, "these bytes are no plan, says rank %d", rank);
        vv_status status = run_job(&j, net->rank == rank ? NULL : j.lowering.plan, (vv_hooks){0}, &stats);
        assert_int_equal(status, VV_ERR_INTERNAL);
        char text[64];
        snprintf(text, sizeof text, "says rank %d", rank);
        assert_message(text);
        finish(&j);
    }
    run_good(-1, 1);
}

/* --- hooks --- */

typedef struct listener {
    int asked, signal_at, signalled;
    vv_index done, total;
    int reports;
} listener;

static int signalled(void *c)
{
    listener *l = c;
    if (l->signalled || ++l->asked != l->signal_at) return 0;
    l->signalled = 1;
    return 2;
}

static void progress(void *c, const vv_rank_report rank[], int ranks)
{
    listener *l = c;
    vv_index done = 0, total = 0;
    assert_int_equal(ranks, net->size);
    for (int i = 0; i < ranks; i++) {
        assert_true(rank[i].done >= 0 && rank[i].done <= rank[i].units && rank[i].read >= 0);
        assert_true(rank[i].units == 0 || (rank[i].resident > 0 && rank[i].host[0]));
        done += rank[i].done;
        total += rank[i].units;
    }
    assert_true(done >= l->done && total >= l->total);
    l->done = done;
    l->total = total;
    l->reports++;
}

static void test_interrupted(void **state)
{
    (void)state;
    for (int rank = 0; rank < net->size; rank++)
        for (int at = 1; at < 60; at = 3 * at + 1) {
            job j;
            vv_engine_stats stats;
            listener l = {.signal_at = net->rank == rank ? at : -1};
            prepare(&j, VV_PLACE_LEAVES, 1);
            vv_status status = run_job(&j, j.lowering.plan, (vv_hooks){.signalled = signalled, .context = &l}, &stats);
            assert_int_equal(status, VV_ERR_INTERRUPTED);
            assert_false(net->broken);
            finish(&j);
        }
    run_good(-1, 1);
}

static void test_progress(void **state)
{
    (void)state;
    job j;
    vv_engine_stats stats;
    listener l = {0};
    prepare(&j, VV_PLACE_CYCLIC, 2);
    j.lowering.plan->report_every = 1;
    must(run_job(&j, j.lowering.plan, (vv_hooks){.progress = progress, .context = &l}, &stats));
    check_results(&j);
    if (net->rank == 0) assert_true(l.reports > 0 && l.total > 0 && l.total <= stats.tasks);
    finish(&j);
}

/* Good and bad ones in turn: nothing of one run is left in the next. */
static void test_in_a_row(void **state)
{
    (void)state;
    static const vv_fault_site site[] = {VV_FAULT_TASK, VV_FAULT_SEND, VV_FAULT_RECEIVE, VV_FAULT_FINISH,
                                         VV_FAULT_READ_CHUNK};
    for (int i = 0; i < 50; i++) {
        uint64_t r = mix((uint64_t)i + 77);
        int placement = (int)(r % VV_PLACEMENTS), threads = 1 + (int)(r / 3 % 3);
        if (r / 9 % 2)
            run_good(placement, threads);
        else
            (void)run_with_fault(site[r / 18 % 5], 1 + (int)(r / 90 % 40), (int)(r / 3600 % (uint64_t)net->size),
                                 placement, threads);
    }
    run_good(-1, 1);
}

int main(int argc, char **argv)
{
    setenv("CMOCKA_TEST_ABORT", "1", 1); /* a rank that fails ends the job: the others wait for it */
    unsetenv("VV_FAULT");
    if (vv_net_open(&argc, &argv, &net) != VV_OK) return 1;
    vv_set_rank(net->rank, net->size);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),        cmocka_unit_test(test_faults),   cmocka_unit_test(test_no_plan),
        cmocka_unit_test(test_interrupted), cmocka_unit_test(test_progress), cmocka_unit_test(test_in_a_row),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    vv_net_close(&net);
    return failed;
}
