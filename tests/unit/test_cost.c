/* Costs: figures against naive counting, budgets that are suggested are enough, explanations as text and JSON. */
#include "scratch.h"

#include "plan/cost.h"
#include "plan/lower.h"
#include "plan/place.h"

#include <time.h>

static vv_context context;
static vv_lowering lowering;
static vv_cost cost;

static int fresh(void **state)
{
    (void)state;
    context = (vv_context){0};
    lowering = (vv_lowering){0};
    cost = (vv_cost){0};
    return 0;
}

static int done(void **state)
{
    (void)state;
    vv_cost_free(&cost);
    vv_lowering_free(&lowering);
    vv_context_free(&context);
    return 0;
}

static uint64_t seed = 5150;
static vv_index below(vv_index n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (vv_index)((seed >> 20) % (uint64_t)n);
}

static vv_array *open_path(const char *path)
{
    vv_array *a = vv_dataset_array(vv_dataset_open_in(&context, path), "x");
    must(vv_array_status(a));
    return a;
}

static vv_plan *plan(int n, vv_array *const arrays[], int ranks, int placement)
{
    vv_target target[4];
    vv_cost_free(&cost);
    vv_lowering_free(&lowering);
    for (int i = 0; i < n; i++) target[i] = (vv_target){.array = arrays[i], .output_variable = -1};
    must(vv_lower(target, n, ranks, placement, &lowering));
    must(vv_cost_of(lowering.plan, &cost));
    return lowering.plan;
}

static int find(const vv_plan *p, vv_step_op op)
{
    int i = 0;
    while (p->step[i].op != op) i++;
    return i;
}

/* Bytes of the states that cross ranks when every unit's owner is asked, one combine after the other. */
static vv_bytes naive_moved(const vv_plan *p, const vv_step *s)
{
    vv_bytes bytes = 0;
    vv_index leaves = vv_step_leaves(s);
    int *owner = malloc(sizeof *owner * (size_t)leaves);
    for (vv_index out = 0; out < vv_step_outs(s); out++) {
        vv_box box;
        vv_grid_box(&s->grid, out, &box);
        vv_bytes state = 64; /* the message's head */
        for (int r = 0; r < s->n_results; r++) {
            vv_bytes planes = s->result[r].red.kind->planes(s->result[r].red.in);
            state += ((vv_bytes)sizeof(vv_red_head) + planes * vv_box_elements(&box) * 8 + 63) / 64 * 64;
        }
        for (vv_index i = 0; i < leaves; i++) owner[i] = vv_place_owner(s, p->ranks, (vv_unit){out, i});
        for (vv_index n = leaves; n > 1; n = (n + 1) / 2)
            for (vv_index i = 0; i < n; i += 2) {
                if (i + 1 < n && owner[i + 1] != owner[i]) bytes += state;
                owner[i / 2] = owner[i];
            }
    }
    free(owner);
    return bytes;
}

static vv_bytes naive_gathered(const vv_plan *p, const vv_step *from, vv_bytes size)
{
    vv_bytes bytes = 0;
    for (vv_index out = 0; out < vv_step_outs(from); out++) {
        vv_box box;
        vv_grid_box(&from->grid, out, &box);
        if (vv_place_owner(from, p->ranks, (vv_unit){out, 0}) != 0) bytes += 64 + vv_box_elements(&box) * size;
    }
    return bytes;
}

static void test_moved(void **state)
{
    for (int round = 0; round < 400; round++) {
        char path[160];
        snprintf(path, sizeof path, "virtual:x?shape=a:%d,b:%d,c:%d&chunk=%d,%d,%d", 1 + (int)below(200),
                 1 + (int)below(20), 1 + (int)below(20), 1 + (int)below(20), 1 + (int)below(6), 1 + (int)below(6));
        static const char *const dims[] = {"a", "b", "a,c", "c", NULL, "a,b"};
        vv_array *x = open_path(path), *m = vv_mean(x, dims[below(6)]);
        int ranks = 1 + (int)below(9);
        for (int placement = 0; placement < VV_PLACEMENTS; placement++) {
            vv_plan *p = plan(1, &m, ranks, placement);
            int reduce = find(p, VV_STEP_REDUCE), gather = find(p, VV_STEP_GATHER);
            vv_bytes states = naive_moved(p, &p->step[reduce]), results = naive_gathered(p, &p->step[reduce], 4);
            assert_int_equal(cost.step[reduce].moved, states);
            assert_int_equal(cost.step[gather].moved, results);
            assert_int_equal(cost.moved, states + results);
            assert_int_equal(cost.step[reduce].tasks,
                             vv_step_outs(&p->step[reduce]) * vv_step_leaves(&p->step[reduce]));
            if (ranks == 1) assert_int_equal(cost.moved, 0);
        }
        done(state);
    }
}

static void test_read_once(void **state)
{
    (void)state;
    vv_array *x = open_path("virtual:x?shape=a:100,b:70&chunk=10,10&dtype=i16");
    vv_plan *p = plan(3, (vv_array *[]){vv_mean(x, "a"), vv_max(x, "a"), vv_std(x, "a")}, 3, -1);
    p->source[0].total = 12345;
    vv_cost_free(&cost);
    must(vv_cost_of(p, &cost));
    assert_int_equal(cost.read, 12345);
    p = plan(2, (vv_array *[]){vv_mean(x, "a"), vv_mean(x, "b")}, 3, -1);
    assert_int_equal(cost.read, 2 * p->source[0].total); /* two passes, and the figure says so */
}

static void test_memory_follows_what_is_held(void **state)
{
    (void)state;
    vv_array *x = open_path("virtual:x?shape=a:4000,b:400,c:400&chunk=10,200,200"), *m = vv_mean(x, "a");
    vv_bytes last = 0;
    for (int threads = 1; threads <= 8; threads++) { /* every thread has a chunk and a state */
        plan(1, &m, 2, -1)->threads = threads;
        vv_cost_free(&cost);
        must(vv_cost_of(lowering.plan, &cost));
        assert_true(cost.memory >= last + 10 * 200 * 200 * 4 || threads == 1);
        assert_true(cost.memory >= threads * 10 * 200 * 200 * 4);
        last = cost.memory;
    }
    const vv_step *s = &lowering.plan->step[find(lowering.plan, VV_STEP_REDUCE)];
    vv_work w;
    vv_work_bytes(lowering.plan, s, &w);
    assert_int_equal(w.cells, 200 * 200);
    assert_true(w.block >= 10 * 200 * 200 * 4);
    assert_true(w.state >= vv_state_bytes(s, w.cells));
    assert_true(w.finish >= 200 * 200 * 12);
    for (vv_bytes raw = 0; raw < 1 << 20; raw = raw * 3 + 1)
        assert_true(vv_compressed_bound(raw) >= raw + raw / 16383 * 5 + 18);
}

static void test_budget(void **state)
{
    (void)state;
    vv_array *x = open_path("virtual:x?shape=a:4000,b:400,c:400&chunk=10,200,200"), *m = vv_mean(x, "a");
    vv_plan *p = plan(1, &m, 2, -1);
    vv_bytes baseline = 30000000, peak = vv_cost_peak(&cost, baseline);
    assert_int_equal(peak, baseline + cost.memory);
    must(vv_cost_check(p, &cost, baseline)); /* unlimited */
    p->budget = peak;
    must(vv_cost_check(p, &cost, baseline));
    p->budget = peak - 1;
    assert_int_equal(vv_cost_check(p, &cost, baseline), VV_ERR_BUDGET);
    const char *hint = strstr(vv_last_error(), "--memory ");
    assert_non_null(hint);
    char size[32];
    snprintf(size, sizeof size, "%.*s", (int)strcspn(hint + 9, " "), hint + 9);
    must(vv_bytes_parse(size, &p->budget));
    must(vv_cost_check(p, &cost, baseline)); /* what it suggests is enough */
    assert_true(p->budget <= peak + 2000000);
}

/* A plan over very many chunks is costed at once, whatever its placement. */
static void test_many_chunks(void **state)
{
    (void)state;
    static const char *const path[] = {"virtual:x?shape=time:1000000,lat:10&chunk=1,10",
                                       "virtual:x?shape=time:1000,lat:1000&chunk=1,1"};
    for (int k = 0; k < 2; k++) {
        vv_array *m = vv_mean(open_path(path[k]), "time");
        for (int placement = -1; placement < VV_PLACEMENTS; placement++) {
            clock_t begin = clock();
            plan(1, &m, 256, placement);
            assert_true(clock() - begin < 2 * CLOCKS_PER_SEC);
            assert_true(cost.memory > 0 && cost.memory < 4000000000);
        }
    }
}

static void test_json(void **state)
{
    (void)state;
    if (!have_python("json")) return;
    make_scratch(state);
    vv_array *x = open_path("virtual:x?shape=a:100,b:70&chunk=10,10");
    vv_plan *p = plan(2, (vv_array *[]){vv_mean(x, "a"), vv_sqrt(x)}, 3, -1);
    free(p->step[1].name);
    must(vv_strdup(&p->step[1].name, "quo\"te \\ \x01 tab\t"));
    vv_buf b = {0};
    vv_explain_json(p, &cost, 1000, &b);
    must(vv_buf_status(&b));
    FILE *f = fopen(scratch_path("plan.json"), "w");
    fputs(b.data, f);
    fclose(f);
    assert_int_equal(
        shell("%s -c 'import json,sys; p=json.load(open(sys.argv[1])); s=p[\"steps\"]; "
              "assert len(s)==%d and p[\"ranks\"]==3 and p[\"read\"]==%lld and p[\"peak_per_rank\"]==%lld; "
              "assert s[1][\"op\"]==\"reduce\" and s[1][\"inputs\"]==[0] and s[1][\"shape\"]==[70]; "
              "assert [ord(c) for c in s[1][\"name\"]][-6:]==[32,1,32,116,97,98,9][-6:]' '%s'",
              python(), p->n_steps, (long long)cost.read, (long long)vv_cost_peak(&cost, 1000),
              scratch_path("plan.json")),
        0);
    vv_buf_free(&b);
    drop_scratch(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_moved),  TEST(test_read_once),   TEST(test_memory_follows_what_is_held),
        TEST(test_budget), TEST(test_many_chunks), TEST(test_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
