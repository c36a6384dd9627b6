/* Explanations and the model behind them: words, JSON and pictures of hand-made plans; seconds from known rates; ranks that are not here. */
#include "handmade.h"

#include "plan/explain/tasks.h"
#include "plan/fit.h"

typedef struct explained {
    vv_plan *plan;
    vv_cost cost;
    vv_model model;
    vv_machine machine;
    vv_explained x;
} explained;

/* Takes the plan over. */
static explained *explain(vv_plan *p, const vv_elsewhere *e)
{
    static explained it;
    it = (explained){.plan = p};
    must(vv_cost_of(p, &it.cost));
    must(vv_cost_count(p, NULL, &it.cost));
    vv_machine_usual(&it.machine);
    must(vv_model_of(p, NULL, &it.machine, e ? e : &(vv_elsewhere){0}, &it.model));
    it.x = (vv_explained){p, &it.cost, 10 << 20, &it.model, false};
    return &it;
}

static void done(explained *it)
{
    vv_cost_free(&it->cost);
    vv_model_free(&it->model);
    vv_plan_free(&it->plan);
}

static void expect(const vv_buf *b, const char *part)
{
    must(vv_buf_status(b));
    if (!strstr(b->data, part)) fail_msg("no '%s' in:\n%s", part, b->data);
}

/* A step for every kind of input. */
static vv_plan *many_maps(void)
{
    vv_grid g = hand_grid(2, (vv_index[]){60, 40}, (vv_index[]){10, 40}),
            t = hand_grid(2, (vv_index[]){40, 60}, (vv_index[]){40, 10}),
            part_of = hand_grid(2, (vv_index[]){59, 40}, (vv_index[]){10, 40});
    vv_plan *p = hand_plan(2);
    vv_part part;
    int x = hand_read(p, "a<b>&\"c\"", &g), a = hand_step(p, VV_STEP_MAP, "same", &g);
    hand_same(p, a, x, VV_ACCESS_CHUNK);
    must(vv_step_complete(&p->step[a]));
    int b = hand_step(p, VV_STEP_MAP, "turned", &t);
    vv_part_same(&t.shape, &part);
    part.dim[0] = 1;
    part.dim[1] = 0;
    hand_input(p, b, a, VV_ACCESS_PUSH, &part);
    must(vv_step_complete(&p->step[b]));
    int c = hand_step(p, VV_STEP_MAP, "shifted", &part_of);
    vv_part_same(&part_of.shape, &part);
    part.start[0] = 1;
    hand_input(p, c, a, VV_ACCESS_PUSH, &part);
    p->step[c].input[0].before[1] = 1;
    must(vv_step_complete(&p->step[c]));
    int mean = hand_step(p, VV_STEP_REDUCE, "mean", &g);
    p->step[mean].reduced[0] = true;
    hand_same(p, mean, x, VV_ACCESS_CHUNK);
    must(vv_step_complete(&p->step[mean]));
    int d = hand_step(p, VV_STEP_MAP, "anomaly", &g);
    hand_same(p, d, x, VV_ACCESS_BOX);
    hand_broadcast(p, d, mean, VV_ACCESS_PUSH, ~1u);
    must(vv_step_complete(&p->step[d]));
    int e = hand_step(p, VV_STEP_MAP, "taken", &g);
    vv_part_same(&g.shape, &part);
    part.table_dim = 0;
    must(vv_table_new(60, &part.table));
    hand_input(p, e, a, VV_ACCESS_PUSH, &part);
    must(vv_step_complete(&p->step[e]));
    for (int i = b; i <= e; i++) hand_deliver(p, i % 2 ? VV_STEP_WRITE : VV_STEP_GATHER, i);
    must(vv_plan_validate(p));
    return p;
}

static void test_maps_in_words(void **state)
{
    (void)state;
    static const char *const expected[][2] = {{"same", "same chunk"},      {"turned", "permute"},
                                              {"shifted", "region, halo"}, {"mean", "same chunk"},
                                              {"anomaly", "same chunk"},   {"taken", "table"}};
    vv_plan *p = many_maps();
    for (size_t k = 0; k < sizeof expected / sizeof *expected; k++)
        for (int i = 0; i < p->n_steps; i++)
            if (vv_step_computes(&p->step[i]) && !strcmp(p->step[i].name, expected[k][0])) {
                vv_buf b = {0};
                vv_explain_map(p, &p->step[i], 0, &b);
                assert_string_equal(b.data, expected[k][1]);
                vv_buf_free(&b);
            }
    vv_buf b = {0};
    vv_explain_map(p, &p->step[5], 1, &b);
    assert_string_equal(b.data, "broadcast");
    vv_buf_free(&b);
    vv_plan_free(&p);
}

static void test_text(void **state)
{
    (void)state;
    vv_grid g = hand_grid(3, (vv_index[]){480, 90, 120}, (vv_index[]){24, 45, 60});
    vv_plan *p = hand_anomaly(3, &g, 4);
    p->budget = 100 << 20;
    must(vv_fit(p, 10 << 20));
    explained *it = explain(p, NULL);
    vv_buf b = {0};
    vv_explain_text(&it->x, &b);
    static const char *const parts[] = {"read    t2m [480, 90, 120] f32",
                                        "80 chunks [24, 45, 60]",
                                        "held: read once",
                                        "(x 1.00)",
                                        "reduce  mean",
                                        "map     anomaly",
                                        "broadcast; push",
                                        "3 ranks x 1 thread",
                                        "expected: ",
                                        "messages per rank",
                                        "memory per rank",
                                        "budget 105 MB",
                                        "usual rates"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) expect(&b, parts[i]);
    vv_buf_free(&b);
    done(it);
}

/* Brackets and quotes of a JSON text match. */
static void check_json(const char *text)
{
    char open[64];
    int depth = 0;
    bool quoted = false;
    for (; *text; text++) {
        if (quoted && *text == '\\') {
            text++;
        } else if (*text == '"') {
            quoted = !quoted;
        } else if (!quoted && (*text == '{' || *text == '[')) {
            assert_in_range(depth, 0, 62);
            open[depth++] = *text == '{' ? '}' : ']';
        } else if (!quoted && (*text == '}' || *text == ']')) {
            assert_true(depth > 0 && open[--depth] == *text);
        }
    }
    assert_true(depth == 0 && !quoted);
}

static void test_json(void **state)
{
    (void)state;
    explained *it = explain(many_maps(), NULL);
    vv_buf b = {0};
    char figure[64];
    vv_explain_json(&it->x, &b);
    check_json(b.data);
    expect(&b, "\"name\": \"a<b>&\\\"c\\\"\"");
    expect(&b, "\"access\": \"push\", \"map\": \"region, halo\"");
    expect(&b, "\"counted\": true");
    snprintf(figure, sizeof figure, "\"moved\": %lld, \"across\": 0, \"messages\": %lld, \"written\": %lld",
             (long long)it->cost.moved, (long long)it->cost.messages, (long long)it->cost.written);
    assert_true(it->cost.moved > 0 && it->cost.messages > 0 && it->cost.written > 0);
    expect(&b, figure);
    vv_buf_free(&b);
    done(it);
}

/* Tags open and close in order, and nothing but tags has < or >. */
static void check_markup(const char *text)
{
    const char *open[16];
    int depth = 0;
    for (const char *at = strchr(text, '<'); at; at = strchr(at + 1, '<')) {
        const char *end = strchr(at, '>');
        assert_non_null(end);
        assert_true(memchr(at + 1, '<', (size_t)(end - at - 1)) == NULL);
        if (at[1] == '/') {
            assert_true(depth > 0);
            size_t n = (size_t)(end - at - 2);
            assert_int_equal(strncmp(open[--depth], at + 2, n), 0);
        } else if (end[-1] != '/') {
            assert_in_range(depth, 0, 15);
            open[depth++] = at + 1;
        }
    }
    assert_int_equal(depth, 0);
}

static void test_svg(void **state)
{
    (void)state;
    explained *it = explain(many_maps(), NULL);
    vv_buf b = {0};
    vv_explain_svg(&it->x, &b);
    check_markup(b.data);
    expect(&b, "a&lt;b&gt;&amp;");
    int boxes = 0;
    for (const char *at = b.data; (at = strstr(at, "rx=\"7\"")); at++) boxes++;
    assert_int_equal(boxes, it->plan->n_steps);
    const char *save = getenv("VARVE_TEST_SVG");
    FILE *f = save ? fopen(save, "w") : NULL;
    if (f) {
        fputs(b.data, f);
        fclose(f);
    }
    vv_buf_free(&b);
    done(it);
}

/* Braces and quotes are closed, and every line goes from a node that is there to one. */
static void check_dot(const char *text)
{
    int depth = 0;
    bool inside = false;
    char from[16], to[16], node[32];
    for (const char *at = text; *at; at++) {
        if (*at == '"' && at[-1] != '\\') inside = !inside;
        depth += !inside && *at == '{' ? 1 : !inside && *at == '}' ? -1 : 0;
        assert_true(depth >= 0);
        if (inside || strncmp(at, " -> ", 4) != 0) continue;
        const char *name = at;
        while (name[-1] != ' ') name--;
        assert_int_equal(sscanf(name, "%15s -> %15[a-z0-9]", from, to), 2);
        snprintf(node, sizeof node, " %s [label=", from);
        assert_non_null(strstr(text, node));
        snprintf(node, sizeof node, " %s [label=", to);
        assert_non_null(strstr(text, node));
    }
    assert_true(depth == 0 && !inside);
}

static int count_of(const char *text, const char *what)
{
    int n = 0;
    for (; (text = strstr(text, what)); text++) n++;
    return n;
}

static void test_dot(void **state)
{
    (void)state;
    explained *it = explain(many_maps(), NULL);
    vv_buf b = {0};
    vv_explain_dot(&it->x, &b);
    check_dot(b.data);
    expect(&b, "a<b>&\\\"c\\\"");
    expect(&b, "region, halo");
    assert_int_equal(count_of(b.data, "fillcolor"), it->plan->n_steps);
    vv_buf_free(&b);
    done(it);
}

/* As many boxes as there are tasks, finished chunks of several leaves, and steps that have no tasks. */
static void test_tasks(void **state)
{
    (void)state;
    explained *it = explain(many_maps(), NULL);
    vv_buf b = {0};
    int boxes = 0;
    for (int i = 0; i < it->plan->n_steps; i++) {
        const vv_step *s = &it->plan->step[i];
        vv_index leaves = vv_step_computes(s) ? vv_step_leaves(s) : 1;
        boxes += vv_step_computes(s) ? (int)(vv_step_outs(s) * (leaves + (leaves > 1))) : 1;
    }
    must(vv_explain_tasks(it->plan, true, &b));
    check_dot(b.data);
    assert_int_equal(count_of(b.data, "fillcolor"), boxes);
    vv_buf_free(&b);
    must(vv_explain_tasks(it->plan, false, &b));
    check_markup(b.data);
    assert_int_equal(count_of(b.data, "rx=\"4\""), boxes);
    vv_buf_free(&b);
    done(it);
}

static void test_predicted_beside_measured(void **state)
{
    (void)state;
    explained *it = explain(many_maps(), NULL);
    vv_measured measured[16] = {{0}}, all = {.read = 123456, .moved = 7, .seconds = 3};
    measured[4] = (vv_measured){.tasks = 4321, .read = 5000, .pushed = 81000, .seconds = 0.75};
    vv_buf b = {0};
    vv_explain_beside(&it->x, measured, &all, 99000000, &b);
    static const char *const parts[] = {"  4 reduce mean",  "4321",  "4.80 kB /   5.00 kB", "/   81.0 kB", "/ 750 ms",
                                        "14.4 kB / 123 kB", "/ 7 B", "/ 99.0 MB",           "/ 3.00 s"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) expect(&b, parts[i]);
    assert_null(strstr(b.data, "  0 read"));
    vv_buf_free(&b);
    done(it);
}

/* --- the model --- */

static void close_to(double a, double b)
{
    if (a < b * (1 - 1e-9) - 1e-12 || a > b * (1 + 1e-9) + 1e-12) fail_msg("%.12g is not %.12g", a, b);
}

static void test_seconds_follow_from_rates(void **state)
{
    (void)state;
    vv_grid g = hand_grid(2, (vv_index[]){1000, 1000}, (vv_index[]){100, 1000});
    vv_plan *p = hand_plan(1);
    int x = hand_read(p, "x", &g), mean = hand_step(p, VV_STEP_REDUCE, "mean", &g);
    p->step[mean].reduced[0] = true;
    hand_same(p, mean, x, VV_ACCESS_CHUNK);
    must(vv_step_complete(&p->step[mean]));
    int write = hand_deliver(p, VV_STEP_WRITE, mean);
    vv_machine m;
    vv_machine_usual(&m);
    m.read = 1e6;
    m.inflate = 2e6;
    m.fold = 4e6;
    m.tasks = 10;
    m.chunks = 5;
    m.write = 1000;
    m.copy = 1e15;
    m.outputs = 4;
    vv_model model;
    must(vv_model_of(p, NULL, &m, &(vv_elsewhere){0}, &model));
    close_to(model.step[mean].read, 2); /* 2 MB stored */
    close_to(model.step[mean].compute,
             2 + 1 + 10 / 10.0 + 10 / 5.0); /* 4 MB inflated and folded, 10 tasks, 10 chunks */
    close_to(model.step[write].write, 4);
    close_to(vv_seconds_sum(&model.most), 12.25); /* an output's quarter */
    close_to(model.imbalance, 1);
    vv_model_free(&model);
    p->step[write].to.deflate = 1; /* the input is stored in half of its size, and so the output will be */
    p->step[write].to.chunked = true;
    m.deflate = 8000;
    must(vv_model_of(p, NULL, &m, &(vv_elsewhere){0}, &model));
    close_to(model.step[write].write, 2);
    close_to(model.step[write].compute, 0.5);
    vv_model_free(&model);
    p->threads = 2;
    must(vv_model_of(p, NULL, &m, &(vv_elsewhere){.disk = 500e3}, &model));
    close_to(model.step[mean].read, 4); /* a disk does not get faster with threads */
    close_to(model.step[mean].compute, 3);
    vv_model_free(&model);
    vv_plan_free(&p);
}

/* Four ranks of a machine: two cores for them, one file, memory for what they hold. */
static void test_what_ranks_share(void **state)
{
    (void)state;
    vv_grid from = hand_grid(2, (vv_index[]){1000, 1000}, (vv_index[]){100, 1000}),
            to = hand_grid(2, (vv_index[]){1000, 1000}, (vv_index[]){1000, 100});
    vv_plan *p = hand_plan(4);
    vv_part part;
    int x = hand_read(p, "x", &from), a = hand_step(p, VV_STEP_MAP, "same", &from);
    hand_same(p, a, x, VV_ACCESS_CHUNK);
    must(vv_step_complete(&p->step[a]));
    int b = hand_step(p, VV_STEP_MAP, "other chunks", &to);
    vv_part_same(&to.shape, &part);
    hand_input(p, b, a, VV_ACCESS_PUSH, &part);
    must(vv_step_complete(&p->step[b]));
    int write = hand_deliver(p, VV_STEP_WRITE, b);
    vv_machine m;
    vv_model alone, shared, paged;
    vv_machine_usual(&m);
    m.write = m.file = 4e6;
    must(vv_model_of(p, NULL, &m, &(vv_elsewhere){0}, &alone));
    must(vv_model_of(p, NULL, &m, &(vv_elsewhere){.load = 2}, &shared));
    close_to(shared.step[a].compute, 2 * alone.step[a].compute);
    close_to(shared.step[a].read, 2 * alone.step[a].read);
    close_to(alone.step[write].write, 1.2); /* three chunks of ten, 0.4 MB each, by a quarter of the rate */
    close_to(shared.step[write].write, 1.2);
    m.pages /= 1000;
    must(vv_model_of(p, NULL, &m, &(vv_elsewhere){0}, &paged));
    assert_true(paged.step[a].compute > 2 * alone.step[a].compute);
    vv_model_free(&paged);
    vv_model_free(&shared);
    vv_model_free(&alone);
    vv_plan_free(&p);
}

/* Means over long columns on thousands of ranks: as many messages as there are cuts through columns. */
static void test_ranks_that_are_not_here(void **state)
{
    (void)state;
    vv_grid g = hand_grid(2, (vv_index[]){1 << 20, 64}, (vv_index[]){16, 64});
    vv_plan *p = hand_plan(1);
    int x = hand_read(p, "x", &g), mean = hand_step(p, VV_STEP_REDUCE, "mean", &g);
    p->step[mean].reduced[0] = true;
    hand_same(p, mean, x, VV_ACCESS_CHUNK);
    must(vv_step_complete(&p->step[mean]));
    vv_machine m;
    vv_model model;
    vv_machine_usual(&m);
    must(vv_model_of(p, NULL, &m, &(vv_elsewhere){.ranks = 4096, .network = 25e9, .latency = 2e-6, .disk = 2e9},
                     &model));
    assert_int_equal(model.ranks, 4096);
    assert_true(model.sampled < 100);
    assert_in_range((int)(model.messages * 100), 90, 100); /* every rank but the first sends one state */
    assert_in_range((int)model.messages_most, 1, 1);
    close_to(model.step[mean].read, (double)p->source[0].total / 4096 / 2e9);
    assert_true(model.imbalance >= 1 && model.imbalance < 1.1);
    assert_int_equal(p->ranks, 1);
    vv_model_free(&model);
    vv_plan_free(&p);
}

/* All ranks followed: the averages are the counted sums. */
static void test_model_agrees_with_counting(void **state)
{
    (void)state;
    for (int ranks = 1; ranks <= 4; ranks++) {
        vv_plan *p = many_maps();
        p->ranks = ranks;
        explained *it = explain(p, NULL);
        double messages = 0;
        for (int i = 0; i < p->n_steps; i++) messages += (double)it->cost.step[i].tally.messages;
        close_to(it->model.messages * ranks, messages);
        close_to(it->model.sent * ranks, (double)it->cost.moved);
        done(it);
    }
}

/* --- the machine's file --- */

static void test_machine_is_kept(void **state)
{
    (void)state;
    char path[400];
    vv_machine m, back;
    bool measured;
    snprintf(path, sizeof path, "%s/new/folder/machine.json", scratch);
    vv_machine_usual(&m);
    m.inflate = 123456789;
    m.tasks = 0.5;
    must(vv_machine_save(path, &m));
    must(vv_machine_load(path, &back, &measured));
    assert_true(measured);
    close_to(back.inflate, 123457000); /* six digits */
    close_to(back.tasks, 0.5);
    close_to(back.network, m.network);
    setenv("VARVE_MACHINE", path, 1);
    must(vv_machine_load(NULL, &back, &measured));
    assert_true(measured && back.tasks == 0.5);
    snprintf(path, sizeof path, "%s/none.json", scratch);
    setenv("VARVE_MACHINE", path, 1);
    must(vv_machine_load(NULL, &back, &measured));
    vv_machine_usual(&m);
    assert_false(measured);
    assert_memory_equal(&back, &m, sizeof m);
    assert_int_equal(vv_machine_load(path, &back, &measured), VV_ERR_NOT_FOUND);
    unsetenv("VARVE_MACHINE");
}

static void test_damaged_machine_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"{\"read\": fast}", "{\"read\": -1}",  "{\"inflate\": 0}",
                                      "{\"copy\" 3}",     "{\"fold\": nan}", "{\"write\": inf"};
    char path[400];
    vv_machine m;
    bool measured;
    snprintf(path, sizeof path, "%s/bad.json", scratch);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fputs(bad[i], f);
        fclose(f);
        assert_int_equal(vv_machine_load(path, &m, &measured), VV_ERR_FORMAT);
        assert_message("varve bench machine");
    }
}

static void test_seconds_in_words(void **state)
{
    (void)state;
    static const struct {
        double s;
        const char *text;
    } cases[] = {{0, "0 us"},     {12e-6, "12 us"},  {0.25, "250 ms"},
                 {1.5, "1.50 s"}, {600, "10.0 min"}, {36000, "10.0 h"}};
    char out[32];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(vv_seconds_text(cases[i].s, out), cases[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_maps_in_words),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_svg),
        cmocka_unit_test(test_dot),
        cmocka_unit_test(test_tasks),
        cmocka_unit_test(test_predicted_beside_measured),
        cmocka_unit_test(test_seconds_follow_from_rates),
        cmocka_unit_test(test_what_ranks_share),
        cmocka_unit_test(test_ranks_that_are_not_here),
        cmocka_unit_test(test_model_agrees_with_counting),
        cmocka_unit_test(test_machine_is_kept),
        cmocka_unit_test(test_damaged_machine_is_refused),
        cmocka_unit_test(test_seconds_in_words),
    };
    return cmocka_run_group_tests(tests, make_scratch, drop_scratch);
}
