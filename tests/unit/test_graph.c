/* Task graphs on one rank: results against naive evaluation, for tables and for functions, with threads, policies and shuffled schedules; memory
 * that follows what is alive; failures; and that mistakes in a graph are found.
 *
 * timeout: 300 */
#include "unit/graphs.h"

#include "base/fault.h"

static vv_net *net;

static void run_checked(random_graph *g, vv_graph_options o)
{
    vv_graph_stats stats;
    o.target = target_random;
    o.deliver = check_delivery;
    o.context = g;
    g->runs = 0;
    memset(g->delivered, 0, (size_t)g->table.graph.n * sizeof *g->delivered);
    must(vv_graph_run(net, &g->table.graph, &o, &stats));
    check_delivered(g, 0, 1);
    assert_int_equal(g->runs, g->table.graph.n);
    assert_int_equal(stats.tasks, g->table.graph.n);
    assert_int_equal(stats.messages, 0);
    assert_int_equal(vv_mem_used(), 0);
}

static void test_random_graphs(void **state)
{
    (void)state;
    static const shape kind[] = {
        {0, 1, 1, 1, 0, 0},         {1, 3, 3, 10, 0, 0},           {500, 3, 40, 100, 0, 0},
        {500, 1, 1, 64, 0, 0},      {2000, 12, 2000, 300, 0, 0},   {300, 40, 300, 65, 0, 0},
        {2000, 4, 30, 8, 50, 5000}, {100, 3, 10, 100, 10, 300000},
    };
    for (size_t k = 0; k < sizeof kind / sizeof *kind; k++)
        for (uint64_t seed = 1; seed <= 12; seed++) {
            random_graph g;
            random_graph_open(&g, kind[k], 1, seed);
            must(vv_graph_check(&g.table.graph, 1));
            for (int i = 0; vv_sched_at(i); i++)
                run_checked(&g,
                            (vv_graph_options){.sched = vv_sched_at(i), .threads = 1 + (int)(seed + (uint64_t)i) % 3});
            run_checked(&g, (vv_graph_options){.fuzz = seed, .threads = 1 + (int)(seed % 2)});
            run_checked(&g, (vv_graph_options){.lookahead = 1 + (vv_index)(seed % 3)});
            random_graph_close(&g);
        }
}

/* --- a graph of functions: a chain of sums beside many tasks that nobody wants --- */

typedef struct ladder {
    vv_index width;
    uint64_t sum;
} ladder;

static int ladder_owner(const vv_graph *g, vv_index task, int ranks)
{
    return (int)(task % ((const ladder *)g->context)->width) % ranks;
}

/* Task t of a row uses its two neighbours of the row before, cyclically. */
static int ladder_inputs(const vv_graph *g, vv_index task, vv_index from[])
{
    vv_index w = ((const ladder *)g->context)->width, row = task / w;
    if (row == 0) return 0;
    from[0] = (row - 1) * w + task % w;
    from[1] = (row - 1) * w + (task + 1) % w;
    return 2;
}

static int ladder_consumers(const vv_graph *g, vv_index task, vv_index to[])
{
    vv_index w = ((const ladder *)g->context)->width, row = task / w;
    if ((row + 2) * w > g->n) return 0;
    to[0] = (row + 1) * w + task % w;
    to[1] = (row + 1) * w + (task + w - 1) % w;
    return 2;
}

static vv_bytes ladder_size(const vv_graph *g, vv_index task)
{
    (void)g;
    (void)task;
    return 8;
}

static vv_status ladder_run(const vv_graph *g, vv_index task, int n, const void *const in[], const vv_bytes size[],
                            void *out)
{
    uint64_t sum = n ? 0 : (uint64_t)(task + 1);
    (void)g;
    for (int i = 0; i < n; i++) {
        uint64_t one;
        if (size[i] != 8) return vv_fail(VV_ERR_INTERNAL, "an input of task %lld has a wrong size", (long long)task);
        memcpy(&one, in[i], 8);
        sum += one;
    }
    memcpy(out, &sum, 8);
    return VV_OK;
}

static vv_graph ladder_graph(ladder *l, vv_index rows)
{
    return (vv_graph){.n = rows * l->width,
                      .max_inputs = 2,
                      .max_consumers = 2,
                      .owner = ladder_owner,
                      .inputs = ladder_inputs,
                      .consumers = ladder_consumers,
                      .size = ladder_size,
                      .run = ladder_run,
                      .context = l};
}

static int last_row(const vv_graph *g, vv_index task, int ranks)
{
    (void)ranks;
    return task >= g->n - ((const ladder *)g->context)->width ? 0 : -1;
}

static vv_status add_up(void *context, vv_index task, const void *data, vv_bytes size)
{
    uint64_t one; /* sums wrap */
    (void)task;
    memcpy(&one, data, (size_t)size);
    ((ladder *)context)->sum += one;
    return VV_OK;
}

/* The sum doubles from row to row; and a graph ten times longer keeps no more alive. */
static void test_functions(void **state)
{
    (void)state;
    for (vv_index width = 2; width < 40; width += 9) {
        vv_index live[2];
        for (int i = 0; i < 2; i++) {
            ladder l = {.width = width};
            vv_graph g = ladder_graph(&l, i ? 20000 : 2000);
            vv_graph_stats stats;
            must(vv_graph_check(&g, 3));
            must(vv_graph_run(net, &g, &(vv_graph_options){.target = last_row, .deliver = add_up, .context = &l},
                              &stats));
            uint64_t sum = (uint64_t)(width * (width + 1) / 2);
            for (vv_index row = 1; row < g.n / width; row++) sum *= 2;
            assert_int_equal(l.sum, sum);
            live[i] = stats.live;
        }
        assert_int_equal(live[0], live[1]);
    }
}

/* --- failures --- */

static void test_failures(void **state)
{
    (void)state;
    random_graph g;
    random_graph_open(&g, (shape){400, 4, 50, 200, 20, 4000}, 1, 99);
    for (vv_index at = 0; at < 400; at += 57)
        for (int threads = 1; threads <= 3; threads++) {
            vv_graph_stats stats;
            g.fail_at = at;
            assert_int_equal(vv_graph_run(net, &g.table.graph, &(vv_graph_options){.threads = threads}, &stats),
                             VV_ERR_RUN);
            assert_message("on purpose");
            assert_int_equal(vv_mem_used(), 0);
            assert_true(stats.tasks < 400);
        }
    g.fail_at = -1;
    run_checked(&g, (vv_graph_options){0});
    random_graph_close(&g);
}

static void test_faults(void **state)
{
    (void)state;
    static const char *const fault[] = {"start:1", "task:1", "task:399", "finish:30"};
    random_graph g;
    random_graph_open(&g, (shape){400, 4, 50, 200, 20, 4000}, 1, 5);
    for (size_t i = 0; i < sizeof fault / sizeof *fault; i++)
        for (int threads = 1; threads <= 2; threads++) {
            vv_graph_stats stats;
            vv_graph_options o = {
                .threads = threads, .target = target_random, .deliver = check_delivery, .context = &g};
            setenv("VV_FAULT", fault[i], 1);
            must(vv_fault_setup());
            assert_int_equal(vv_graph_run(net, &g.table.graph, &o, &stats), VV_ERR_FAULT);
            unsetenv("VV_FAULT");
            must(vv_fault_setup());
            assert_int_equal(vv_mem_used(), 0);
        }
    run_checked(&g, (vv_graph_options){.threads = 2});
    random_graph_close(&g);
}

static int interrupt_later(void *context)
{
    int *left = context;
    return --*left <= 0 ? 2 : 0;
}

static void test_interrupted(void **state)
{
    (void)state;
    random_graph g;
    random_graph_open(&g, (shape){400, 4, 50, 200, 0, 0}, 1, 6);
    for (int at = 1; at < 30; at += 7) {
        int left = at;
        vv_graph_stats stats;
        vv_graph_options o = {.signalled = interrupt_later, .context = &left};
        assert_int_equal(vv_graph_run(net, &g.table.graph, &o, &stats), VV_ERR_INTERRUPTED);
        assert_int_equal(vv_mem_used(), 0);
    }
    random_graph_close(&g);
}

/* --- mistakes in graphs --- */

static void test_bad_tables(void **state)
{
    (void)state;
    vv_graph_table t;
    vv_bytes size[3] = {1, 1, 1};
    assert_int_equal(vv_graph_table_open(&t, 2, (vv_index[]){0, 0, 1}, (vv_index[]){1}, NULL, size), VV_ERR_USAGE);
    assert_message("task 1 cannot use the result of task 1");
    assert_int_equal(vv_graph_table_open(&t, 2, (vv_index[]){0, 0, 1}, (vv_index[]){-1}, NULL, size), VV_ERR_USAGE);
    assert_int_equal(vv_graph_table_open(&t, 2, (vv_index[]){0, 1, 0}, (vv_index[]){0}, NULL, size), VV_ERR_USAGE);
    assert_int_equal(vv_graph_table_open(&t, 2, (vv_index[]){0, 0, 1}, (vv_index[]){0}, (int[]){0, -1}, size),
                     VV_ERR_USAGE);
    size[1] = -1;
    assert_int_equal(vv_graph_table_open(&t, 2, (vv_index[]){0, 0, 1}, (vv_index[]){0}, NULL, size), VV_ERR_USAGE);
}

static int forgetful_consumers(const vv_graph *g, vv_index task, vv_index to[])
{
    int n = ladder_consumers(g, task, to);
    return task == 4 ? 0 : n;
}

static void test_bad_functions(void **state)
{
    (void)state;
    ladder l = {.width = 3};
    vv_graph g = ladder_graph(&l, 10);
    vv_graph_stats stats;
    g.consumers = forgetful_consumers;
    assert_int_equal(vv_graph_check(&g, 2), VV_ERR_INTERNAL);
    assert_int_equal(vv_graph_run(net, &g, &(vv_graph_options){.lookahead = 1}, &stats), VV_ERR_INTERNAL);
    assert_message("task 4");
    assert_int_equal(vv_mem_used(), 0);
}

/* --- the queue --- */

static void test_heap(void **state)
{
    (void)state;
    vv_heap h = {0};
    char item[300];
    assert_null(vv_heap_pop(&h));
    for (int round = 0; round < 50; round++) {
        int n = 1 + (int)(mix((uint64_t)round) % 300), key[300], last = -1;
        for (int i = 0; i < n; i++) {
            key[i] = (int)(mix((uint64_t)(round * 1000 + i)) % 100);
            must(vv_heap_push(&h, key[i], &item[i]));
        }
        for (int i = 0; i < n; i++) {
            char *p = vv_heap_pop(&h);
            assert_non_null(p);
            assert_true(key[p - item] >= last);
            last = key[p - item];
            key[p - item] = -2; /* each comes out once */
        }
        assert_null(vv_heap_pop(&h));
    }
    vv_heap_free(&h);
    assert_string_equal(vv_sched_find("memory")->name, "memory");
    assert_ptr_equal(vv_sched_find(NULL), vv_sched_at(0));
    assert_null(vv_sched_find("none"));
}

int main(void)
{
    unsetenv("VV_FAULT");
    if (vv_net_self_open(&net) != VV_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_graphs), cmocka_unit_test(test_functions),   cmocka_unit_test(test_failures),
        cmocka_unit_test(test_faults),        cmocka_unit_test(test_interrupted), cmocka_unit_test(test_bad_tables),
        cmocka_unit_test(test_bad_functions), cmocka_unit_test(test_heap),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    vv_net_close(&net);
    return failed;
}
