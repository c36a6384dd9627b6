/* Task graphs on all ranks: every result, delivered to a random rank, against naive evaluation on each - with shuffled schedules, tiny credits, small
 * windows, threads, empty and large results - and failures anywhere, after which the next run is good.
 *
 * ranks: 1 2 3 4
 * timeout: 300
 * cores: 1 */
#include "unit/graphs.h"

#include "base/fault.h"

enum { PIECE = 300000 }; /* messages above it travel in pieces */

static vv_net *net;

/* All ranks have the same number here. */
static void check_same(int64_t number)
{
    vv_agreement a = {.max = {number, -number}};
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

static vv_status run_graph(random_graph *g, vv_graph_options o, vv_graph_stats *stats)
{
    o.target = target_random;
    o.deliver = check_delivery;
    o.context = g;
    memset(g->delivered, 0, (size_t)g->table.graph.n * sizeof *g->delivered);
    vv_status status = vv_graph_run(net, &g->table.graph, &o, stats);
    check_same(status);
    uint64_t hash = 0;
    for (const char *c = vv_last_error(); status != VV_OK && *c; c++) hash = mix(hash + (unsigned char)*c);
    check_same((int64_t)(hash >> 8)); /* and for the same reason */
    assert_int_equal(net->sending, 0);
    assert_false(net->discarding);
    assert_int_equal(vv_mem_used(), 0);
    return status;
}

static vv_graph_stats run_good(random_graph *g, vv_graph_options o)
{
    vv_graph_stats stats;
    must(run_graph(g, o, &stats));
    check_delivered(g, net->rank, net->size);
    assert_int_equal(stats.tasks, g->table.graph.n);
    check_same(stats.messages);
    return stats;
}

static void test_good(void **state)
{
    (void)state;
    static const shape kind[] = {
        {0, 1, 1, 1, 0, 0},        {1, 3, 3, 10, 0, 0},      {400, 3, 40, 100, 0, 0},      {300, 1, 1, 64, 0, 0},
        {800, 12, 800, 300, 0, 0}, {200, 40, 200, 65, 0, 0}, {400, 4, 30, 3000, 50, 5000}, {60, 3, 10, 100, 10, 400000},
    };
    for (size_t k = 0; k < sizeof kind / sizeof *kind; k++)
        for (uint64_t seed = 1; seed <= 3; seed++) {
            random_graph g;
            random_graph_open(&g, kind[k], net->size, seed);
            must(vv_graph_check(&g.table.graph, net->size));
            for (int i = 0; vv_sched_at(i); i++)
                run_good(&g, (vv_graph_options){.sched = vv_sched_at(i), .threads = 1 + (int)(seed % 3)});
            random_graph_close(&g);
        }
}

static void test_shuffled(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        random_graph g;
        shape s = {50 + (vv_index)(mix(seed) % 400),
                   1 + (int)(seed % 7),
                   1 + (vv_index)(mix(seed * 3) % 90),
                   (vv_bytes)(mix(seed * 5) % 400),
                   0,
                   0};
        random_graph_open(&g, s, net->size, seed);
        for (int threads = 1; threads <= 2; threads++)
            run_good(&g, (vv_graph_options){.fuzz = seed + 1000 * (uint64_t)threads,
                                            .threads = threads,
                                            .lookahead = seed % 4 ? 0 : 1 + (vv_index)(seed % 5)});
        random_graph_close(&g);
    }
}

/* No room at all, or for very little: all the same. */
static void test_tiny_credits(void **state)
{
    (void)state;
    enum { INPUTS = 3, SIZE = 200 };
    for (uint64_t seed = 1; seed <= 20; seed++) {
        random_graph g;
        random_graph_open(&g, (shape){500, INPUTS, 1 + (vv_index)(mix(seed) % 200), SIZE, 0, 0}, net->size, seed);
        static const vv_bytes credit[] = {1, 700, 3000};
        for (int i = 0; i < 3; i++) {
            vv_graph_stats stats = run_good(&g, (vv_graph_options){.credit = credit[i],
                                                                   .fuzz = seed % 2 ? seed : 0,
                                                                   .sched = vv_sched_at((int)(seed / 2 % 2)),
                                                                   .threads = 1 + (int)(seed / 4 % 2)});
            if (net->size > 1) assert_true(stats.waiting > 0);
        }
        random_graph_close(&g);
    }
}

/* A rank that makes much faster than the others use waits for them, instead of holding everything. */
static void test_flood(void **state)
{
    (void)state;
    enum { PAIRS = 3000, SIZE = 1000, CREDIT = 40000, BOOKKEEPING = 400 };
    vv_index first[2 * PAIRS + 1], input[PAIRS];
    int owner[2 * PAIRS];
    vv_bytes size[2 * PAIRS];
    random_graph g = {.fail_at = -1, .size = size};
    first[0] = 0;
    for (int i = 0; i < PAIRS; i++) { /* even tasks on rank 0 make, odd ones on the others use */
        input[i] = 2 * i;
        first[2 * i + 1] = i;
        first[2 * i + 2] = i + 1;
        owner[2 * i] = 0;
        owner[2 * i + 1] = net->size > 1 ? 1 + i % (net->size - 1) : 0;
        size[2 * i] = SIZE;
        size[2 * i + 1] = 0;
    }
    must(vv_graph_table_open(&g.table, 2 * PAIRS, first, input, owner, size));
    g.table.run = run_random;
    g.table.context = &g;
    for (int threads = 1; threads <= 2; threads++) {
        vv_graph_stats stats;
        vv_graph_options o = {.credit = CREDIT, .lookahead = 64, .threads = threads};
        must(vv_graph_run(net, &g.table.graph, &o, &stats));
        assert_int_equal(stats.tasks, 2 * PAIRS);
        assert_true(stats.waiting <= CREDIT + SIZE + BOOKKEEPING);
        assert_true(stats.live <= 64 + net->size * (6 * CREDIT / SIZE));
        check_same(stats.live);
    }
    vv_graph_table_free(&g.table);
}

/* --- failures --- */

static void test_failing_tasks(void **state)
{
    (void)state;
    random_graph g;
    random_graph_open(&g, (shape){300, 4, 50, 200, 20, 4000}, net->size, 99);
    for (int rank = 0; rank < net->size; rank++)
        for (vv_index at = 0; at < 300; at += 1 + (vv_index)(mix((uint64_t)at) % 60)) {
            vv_graph_stats stats;
            while (g.owner[at] != rank && at < 299) at++;
            g.fail_at = at;
            assert_int_equal(
                run_graph(&g, (vv_graph_options){.threads = 1 + (int)at % 2, .fuzz = (uint64_t)(at % 3)}, &stats),
                VV_ERR_RUN);
            char text[64];
            snprintf(text, sizeof text, "task %lld fails on purpose", (long long)at);
            assert_message(text);
            g.fail_at = -1;
            if (at % 4 == 0) run_good(&g, (vv_graph_options){.threads = 2});
        }
    random_graph_close(&g);
}

static void test_faults(void **state)
{
    (void)state;
    static const vv_fault_site site[] = {VV_FAULT_START, VV_FAULT_TASK, VV_FAULT_SEND, VV_FAULT_RECEIVE,
                                         VV_FAULT_FINISH};
    random_graph g;
    random_graph_open(&g, (shape){300, 4, 50, 3000, 20, 4000}, net->size, 4);
    for (size_t k = 0; k < sizeof site / sizeof *site; k++) {
        int failed = 0;
        for (int rank = 0; rank < net->size; rank++)
            for (int visit = 1; visit < 100; visit = 3 * visit + 1) {
                char text[64];
                vv_graph_stats stats;
                snprintf(text, sizeof text, "%s:%d@%d", vv_fault_name(site[k]), visit, rank);
                setenv("VV_FAULT", text, 1);
                must(vv_fault_setup());
                vv_status status = run_graph(&g, (vv_graph_options){.threads = 1 + visit % 2, .credit = 20000}, &stats);
                unsetenv("VV_FAULT");
                must(vv_fault_setup());
                failed += status != VV_OK;
                if (status != VV_OK) assert_int_equal(status, VV_ERR_FAULT);
                if (status == VV_OK) check_delivered(&g, net->rank, net->size);
            }
        if (net->size > 1 || (site[k] != VV_FAULT_SEND && site[k] != VV_FAULT_RECEIVE)) assert_true(failed > 0);
        run_good(&g, (vv_graph_options){0});
    }
    random_graph_close(&g);
}

/* A result that does not fit the budget of one rank. */
static void test_over_budget(void **state)
{
    (void)state;
    random_graph g;
    random_graph_open(&g, (shape){100, 4, 50, 200, 5, 400000}, net->size, 8);
    for (int rank = 0; rank < net->size; rank++) {
        vv_graph_stats stats;
        if (net->rank == rank) vv_mem_set_budget(100000, 0);
        assert_int_equal(run_graph(&g, (vv_graph_options){.threads = 1 + rank % 2}, &stats), VV_ERR_BUDGET);
        vv_mem_set_budget(0, 0);
    }
    run_good(&g, (vv_graph_options){0});
    random_graph_close(&g);
}

/* --- sizes --- */

static void test_several_megabytes(void **state)
{
    (void)state;
    random_graph g;
    random_graph_open(&g, (shape){40, 3, 10, 0, 3, 4 << 20}, net->size, 21);
    for (int threads = 1; threads <= 2; threads++) {
        run_good(&g, (vv_graph_options){.threads = threads});
        run_good(&g, (vv_graph_options){.threads = threads, .credit = 1});
        run_good(&g, (vv_graph_options){.threads = threads, .fuzz = 5});
    }
    random_graph_close(&g);
}

static void test_nothing(void **state)
{
    (void)state;
    random_graph g;
    random_graph_open(&g, (shape){500, 5, 30, 0, 0, 0}, net->size, 22);
    vv_graph_stats stats = run_good(&g, (vv_graph_options){0});
    if (net->size > 1) assert_true(stats.messages > 0 && stats.moved > 0);
    run_good(&g, (vv_graph_options){.fuzz = 3, .threads = 2, .credit = 1});
    random_graph_close(&g);
}

int main(int argc, char **argv)
{
    char piece[32];
    snprintf(piece, sizeof piece, "%d", PIECE);
    setenv("VV_MPI_PIECE", piece, 1);
    setenv("CMOCKA_TEST_ABORT", "1", 1); /* a rank that fails ends the job: the others wait for it */
    unsetenv("VV_FAULT");
    if (vv_net_open(&argc, &argv, &net) != VV_OK) return 1;
    vv_set_rank(net->rank, net->size);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),          cmocka_unit_test(test_shuffled),
        cmocka_unit_test(test_tiny_credits),  cmocka_unit_test(test_flood),
        cmocka_unit_test(test_failing_tasks), cmocka_unit_test(test_faults),
        cmocka_unit_test(test_over_budget),   cmocka_unit_test(test_several_megabytes),
        cmocka_unit_test(test_nothing),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    vv_net_close(&net);
    return failed;
}
