/* Units of random steps against naive evaluation: every access, kind of view, source and fold in awkward shapes. timeout: 300 */
#include "exec/push/store.h"
#include "exec/work.h"
#include "random_plan.h"

/* --- steps --- */

/* What each result is made of: 3 * the first + the second - the third, in f64; 3 * the first; the first, of reals only. */
enum { SUM, TRIPLE, PLAIN };
static int made_of[3];

static void make_program(vv_step *s)
{
    int in[4], sum, three, reg[3];
    must(vv_new(&s->program, 1, sizeof *s->program));
    for (int k = 0; k < s->n_inputs; k++) must(vv_program_input(s->program, vv_working_type(s->input[k].type), &in[k]));
    must(vv_program_constant(s->program, VV_F64, 3, &three));
    must(vv_program_op(s->program, vv_op_find("multiply"), (int[]){in[0], three}, &sum));
    reg[TRIPLE] = sum;
    for (int k = 1; k < s->n_inputs; k++)
        must(vv_program_op(s->program, vv_op_find(k == 1 ? "add" : "subtract"), (int[]){sum, in[k]}, &sum));
    reg[SUM] = sum;
    reg[PLAIN] = vv_dtype_is_float(s->program->type[in[0]]) ? in[0] : sum;
    for (int r = 0; r < 3; r++) {
        made_of[r] = chance(50) ? SUM : (int)below(3);
        s->result[r].value = reg[made_of[r]];
        if (s->result[r].value == sum) made_of[r] = SUM;
    }
}

/* After the number of results is known. */
static void add_outputs(vv_step *s)
{
    vv_program_set_output(s->program, s->result[0].value);
    for (int r = 1; r < s->n_results; r++) must(vv_program_add_output(s->program, s->result[r].value));
}

static double program(const vv_step *s, int result, const vv_index w[])
{
    double sum = 0;
    if (made_of[result] != SUM) return (made_of[result] == PLAIN ? 1 : 3) * at_work(&s->input[0], w);
    for (int k = 0; k < s->n_inputs; k++) sum += (k == 0 ? 3 : k == 1 ? 1 : -1) * at_work(&s->input[k], w);
    return sum;
}

static void random_grid(void)
{
    work = (vv_grid){.shape.nd = 1 + (int)below(4)};
    for (int d = 0; d < work.shape.nd; d++) {
        work.shape.n[d] = 1 + below(chance(10) ? 60 : 9);
        work.chunk[d] = 1 + below(work.shape.n[d] + 2);
        work.shift[d] = chance(25) ? below(work.chunk[d]) : 0;
    }
    if (chance(10)) work.shape.n[work.shape.nd - 1] = work.chunk[work.shape.nd - 1] = 2000 + below(3000);
}

static const char *const reductions[] = {"sum", "max", "count"};

static void make_reduce(vv_step *s)
{
    bool any = false;
    for (int d = 0; d < work.shape.nd; d++) any = (s->reduced[d] = chance(50)) || any;
    s->n_results = 3;
    for (int r = 0; r < 3; r++) {
        s->result[r].red = (vv_red){
            .kind = vv_reduction_find(reductions[r]), .in = s->program->type[s->result[r].value], .skip = true};
        s->result[r].type = r == 2 ? VV_I64 : VV_F64;
        must(vv_strdup(&s->result[r].name, reductions[r]));
    }
    for (int d = 1; d < work.shape.nd; d++) s->join[d] = s->reduced[d] == s->reduced[d - 1] && chance(70);
    s->leaf = 1 + below(4);
    s->placement = (vv_placement)below(VV_PLACEMENTS);
    if (!any || chance(50)) return;
    vv_groups *g = &s->groups;
    do g->dim = (int)below(work.shape.nd);
    while (!s->reduced[g->dim]);
    g->n = 1 + below(6);
    g->chunk = 1 + below(g->n);
    must(vv_table_new(work.shape.n[g->dim], &g->label));
    for (vv_index i = 0; i < g->label->n; i++)
        g->label->at[i] = i > 0 && chance(50) ? g->label->at[i - 1] : below(g->n + 1) - 1;
}

static int add_step(vv_step_op op, int inputs)
{
    vv_step *s;
    vv_input *in;
    int index = plan->n_steps;
    must(vv_plan_add_step(plan, op, "step", &s));
    s->work = work;
    for (int k = 0; k < inputs; k++) {
        must(vv_step_add_input(s, &in));
        *in = draft[k];
        draft[k] = (vv_input){0};
    }
    return index;
}

static int random_step(void)
{
    random_grid();
    int inputs = 1 + (int)below(3);
    bool streams = chance(20);
    for (int k = 0; k < inputs; k++) {
        int what = (int)below(100);
        if (streams)
            direct_input(k, VV_ACCESS_STREAM, chance(60));
        else if (what < 30)
            direct_input(k, VV_ACCESS_CHUNK, chance(50));
        else
            boxed_input(k, what > 75);
    }
    int index = add_step(chance(30) ? VV_STEP_MAP : VV_STEP_REDUCE, inputs);
    vv_step *s = &plan->step[index];
    make_program(s);
    if (s->op == VV_STEP_REDUCE) {
        make_reduce(s);
    } else {
        s->n_results = 1 + (int)below(3);
        for (int r = 0; r < s->n_results; r++) {
            s->result[r].type = VV_F64;
            must(vv_strdup(&s->result[r].name, "r"));
        }
        for (int d = 1; d < work.shape.nd; d++) s->join[d] = chance(50);
    }
    add_outputs(s);
    must(vv_step_complete(s));
    return index;
}

/* Windows and running sums, of a view without broadcast dimensions. Windows are defined for reals only. */
static int random_block(void)
{
    vv_part p;
    vv_shape shape;
    vv_box box;
    vv_block_call call = {0};
    random_grid();
    bool window = chance(60), pushed = chance(30);
    call.op = vv_block_op_find(window ? "window_sum" : "cumulative_sum");
    if (!window) call.axis = (int)below(work.shape.nd);
    if (!window) work.chunk[call.axis] = work.shape.n[call.axis], work.shift[call.axis] = 0;
    whole(&box);
    do {
        make_part(&box, chance(50), false, &p, &shape);
    } while (p.nd < box.nd || p.dim[box.nd - 1] < 0);
    int from, kinds = CONTIGUOUS | CHUNKED | VIRTUAL | GENERATED;
    do {
        from = pushed ? make_producer(&shape) : make_source(&shape, kinds, NULL);
    } while (window && !vv_dtype_is_float(type_of(from)));
    draft[0].access = pushed ? VV_ACCESS_PUSH : VV_ACCESS_BOX;
    draft[0].type = type_of(from);
    draft[0].fill = (double)NAN;
    for (int d = 0; d < work.shape.nd && window; d++) {
        call.before[d] = draft[0].before[d] = below(3);
        call.after[d] = draft[0].after[d] = below(4);
    }
    add_part(&draft[0], &p, from);
    int index = add_step(VV_STEP_MAP, 1);
    vv_step *s = &plan->step[index];
    s->block = true;
    s->call = call;
    s->n_results = 1;
    s->result[0].type = vv_block_ops[call.op].result(vv_working_type(s->input[0].type));
    must(vv_strdup(&s->result[0].name, "r"));
    must(vv_step_complete(s));
    return index;
}

/* c[.., i, j, ..] = sum of a[.., i, l, ..] * b[.., l, j, ..], with the dimensions in any order and some that both or none have. */
static int random_product(void)
{
    do random_grid();
    while (work.shape.nd < 2);
    int sum = (int)below(work.shape.nd), from[2];
    vv_box box;
    whole(&box);
    for (int k = 0; k < 2; k++) {
        vv_part p;
        vv_shape shape;
        do make_part(&box, false, false, &p, &shape);
        while (!vv_part_follows(&p, sum));
        do from[k] = make_source(&shape, CONTIGUOUS | CHUNKED | VIRTUAL, NULL);
        while (type_of(from[k]) != VV_F64);
        draft[k].access = VV_ACCESS_BOX;
        draft[k].type = VV_F64;
        add_part(&draft[k], &p, from[k]);
    }
    int index = add_step(VV_STEP_REDUCE, 2);
    vv_step *s = &plan->step[index];
    s->product = s->reduced[sum] = true;
    s->leaf = 1 + below(3);
    s->n_results = 1;
    s->result[0].red = (vv_red){.kind = vv_reduction_find("sum"), .in = VV_F64};
    s->result[0].type = VV_F64;
    must(vv_strdup(&s->result[0].name, "r"));
    must(vv_step_complete(s));
    return index;
}

/* --- running: ranks one after the other, each with what it would be sent --- */

static vv_status keep(vv_net *n, int to, vv_tag tag, void *data, vv_bytes size)
{
    vv_message *m = (vv_message *)(void *)n->early;
    assert_int_equal(tag, VV_TAG_INDEX);
    m[to] = (vv_message){.from = 0, .tag = tag, .size = size, .data = data};
    return VV_OK;
}

/* The chunk indexes that a coordinator would send. */
static void send_indexes(int ranks, vv_message messages[])
{
    static const vv_net_kind kind = {.name = "test", .send = keep};
    vv_net net = {.kind = &kind, .size = ranks, .early = (struct vv_early *)(void *)messages};
    vv_feeds feeds;
    must(vv_feeds_open(plan, 0, indexes, NULL, &feeds));
    must(vv_feeds_send(&feeds, &net));
    vv_feeds_close(&feeds);
}

static bool go_on(void *context)
{
    (void)context;
    return false;
}

/* All elements of all inboxes of an input, one by one. */
static void fill_inboxes(vv_store *store, int step, int input)
{
    const vv_edge *e = vv_store_edge(store, step, input);
    const vv_input *in = &plan->step[step].input[input];
    vv_dtype type = vv_working_type(in->type);
    for (vv_index key = 0; key < e->keys; key++) {
        vv_box box, one, source;
        vv_index at[VV_MAX_DIMS] = {0}, stride[VV_MAX_DIMS] = {0};
        bool want[8];
        if (!vv_edge_ranks(e, key, plan->ranks, want)) continue;
        vv_edge_box(e, key, &box);
        do {
            one = box;
            for (int d = 0; d < box.nd; d++) one.lo[d] += at[d], one.n[d] = 1;
            for (int j = 0; j < e->n_parts; j++) {
                int64_t sequence;
                char value[16];
                if (!vv_part_source(&e->part[j], &one, &source)) continue;
                vv_dtype_store(type, value, *element(&arrays[e->part[j].from], source.lo));
                must(vv_store_put(store, step, input, key, &one, value, stride, &sequence));
            }
        } while (vv_odometer(box.nd, box.n, at));
    }
}

typedef struct output {
    array result[3];
    char **state; /* by output chunk: leaves seen so far, combined */
} output;

static void combine(const vv_step *s, vv_index out, char *left, char *right)
{
    vv_index first, groups, cells = vv_unit_cells(s, out);
    vv_out_groups(s, out, &first, &groups);
    for (vv_index g = 0; g < groups; g++)
        for (int r = 0; r < s->n_results; r++)
            vv_red_combine(&s->result[r].red, vv_state_at(s, cells, left, g, r), vv_state_at(s, cells, right, g, r));
}

static void run_rank(int step, int rank, vv_message messages[], output *o)
{
    const vv_step *s = &plan->step[step];
    vv_feeds feeds;
    vv_store *store;
    vv_worker w;
    vv_job job = {.plan = plan, .step = s, .number = step};
    must(vv_feeds_open(plan, rank, indexes, NULL, &feeds));
    if (feeds.due) must(vv_feeds_receive(&feeds, &messages[rank]));
    must(vv_store_new(plan, rank, &store));
    must(vv_work_bytes(plan, s, &job.work));
    job.feed = feeds.feed;
    job.store = store;
    for (int k = 0; k < s->n_inputs; k++) {
        job.edge[k] = vv_store_edge(store, step, k);
        if (s->input[k].access == VV_ACCESS_PUSH && vv_place_count(s, rank, plan->ranks) > 0)
            fill_inboxes(store, step, k);
    }
    must(vv_worker_open(&w));
    w.stop = go_on;
    w.job = &job;
    for (vv_index p = 0; p < vv_place_count(s, rank, plan->ranks); p++) {
        vv_unit u = vv_place_unit(s, rank, plan->ranks, p);
        char *piece;
        must(vv_mem_get(&piece, job.work.state, "a piece"));
        must(vv_worker_run(&w, u, piece));
        if (o->state[u.out]) {
            combine(s, u.out, o->state[u.out], piece);
            vv_mem_put(&piece);
        } else {
            o->state[u.out] = piece;
        }
    }
    vv_worker_close(&w);
    vv_store_free(&store);
    vv_feeds_close(&feeds);
}

static void finish(const vv_step *s, output *o)
{
    for (vv_index out = 0; out < vv_step_outs(s); out++) {
        vv_box box;
        vv_grid_box(&s->grid, out, &box);
        double *values = malloc((size_t)vv_box_elements(&box) * 8 + 8);
        assert_non_null(o->state[out]);
        for (int r = 0; r < s->n_results; r++) {
            vv_dtype type;
            vv_index at[VV_MAX_DIMS] = {0}, where[VV_MAX_DIMS], i = 0;
            must(vv_finish_values(s, out, o->state[out], r, values, &type));
            do {
                for (int d = 0; d < box.nd; d++) where[d] = box.lo[d] + at[d];
                *element(&o->result[r], where) = vv_dtype_load(type, (char *)values + i++ * vv_dtype_size(type));
            } while (vv_odometer(box.nd, box.n, at));
        }
        free(values);
        vv_mem_put(&o->state[out]);
    }
}

/* --- what must come out --- */

static void expect_window(const vv_step *s, array *out)
{
    vv_index w[VV_MAX_DIMS] = {0}, in[VV_MAX_DIMS], n[VV_MAX_DIMS];
    const vv_block_call *c = &s->call;
    do {
        vv_index at[VV_MAX_DIMS] = {0};
        double sum = 0;
        for (int d = 0; d < s->work.shape.nd; d++) n[d] = c->before[d] + c->after[d] + 1;
        do {
            bool inside = true;
            for (int d = 0; d < s->work.shape.nd; d++) {
                in[d] = w[d] - c->before[d] + at[d];
                inside = inside && in[d] >= 0 && in[d] < s->work.shape.n[d];
            }
            double x = inside ? at_work(&s->input[0], in) : (double)NAN;
            sum += isnan(x) ? 0 : x;
        } while (vv_odometer(s->work.shape.nd, n, at));
        *element(out, w) = sum;
    } while (vv_odometer(s->work.shape.nd, s->work.shape.n, w));
}

static void expect_scan(const vv_step *s, array *out)
{
    vv_index w[VV_MAX_DIMS] = {0};
    do {
        double x = at_work(&s->input[0], w);
        vv_index before[VV_MAX_DIMS];
        memcpy(before, w, sizeof before);
        before[s->call.axis]--;
        *element(out, w) = (isnan(x) ? 0 : x) + (before[s->call.axis] < 0 ? 0 : *element(out, before));
    } while (vv_odometer(s->work.shape.nd, s->work.shape.n, w));
}

static void expect_product(const vv_step *s, array *out)
{
    vv_index w[VV_MAX_DIMS] = {0}, at[VV_MAX_DIMS];
    do {
        int k = 0;
        for (int d = 0; d < s->work.shape.nd; d++)
            if (!s->reduced[d]) at[k++] = w[d];
        *element(out, at) += at_work(&s->input[0], w) * at_work(&s->input[1], w);
    } while (vv_odometer(s->work.shape.nd, s->work.shape.n, w));
}

/* One element of the work goes into a cell of every result. */
static void expect_element(const vv_step *s, const vv_index w[], const vv_index cell[], output *o)
{
    for (int r = 0; r < s->n_results; r++) {
        double x = program(s, r, w), *to = element(&o->result[r], cell);
        if (s->op == VV_STEP_MAP)
            *to = x;
        else if (!isnan(x))
            *to = r == 0 ? *to + x : r == 1 ? fmax(*to, x) : *to + 1;
    }
}

static void expect(const vv_step *s, output *o)
{
    vv_index w[VV_MAX_DIMS] = {0}, at[VV_MAX_DIMS];
    for (int r = 0; r < s->n_results; r++) {
        vv_index n = vv_shape_elements(&s->grid.shape);
        o->result[r].shape = s->grid.shape;
        o->result[r].value = calloc((size_t)n, sizeof(double));
        for (vv_index i = 0; i < n; i++) o->result[r].value[i] = r == 1 ? (double)NAN : 0;
    }
    if (!s->program) {
        (s->product ? expect_product : vv_block_ops[s->call.op].window ? expect_window : expect_scan)(s, &o->result[0]);
        return;
    }
    do {
        int k = 0;
        bool out = false;
        for (int d = 0; d < s->work.shape.nd; d++) {
            bool groups = s->op == VV_STEP_REDUCE && d == s->groups.dim;
            if (groups) out = s->groups.label->at[w[d]] < 0;
            if (groups)
                at[k++] = s->groups.label->at[w[d]];
            else if (s->op == VV_STEP_MAP || !s->reduced[d])
                at[k++] = w[d];
        }
        if (!out) expect_element(s, w, at, o);
    } while (vv_odometer(s->work.shape.nd, s->work.shape.n, w));
}

static void compare(const output *have, const output *want, int results, uint64_t seed)
{
    for (int r = 0; r < results; r++)
        for (vv_index i = 0; i < vv_shape_elements(&want->result[r].shape); i++) {
            double a = have->result[r].value[i], b = want->result[r].value[i];
            if (!(a == b || (isnan(a) && isnan(b))) && fabs(a - b) > 1e-9 * fabs(b))
                fail_msg("seed %llu: result %d, element %lld: %g instead of %g", (unsigned long long)seed, r,
                         (long long)i, a, b);
        }
}

static void drop_case(void)
{
    for (int i = 0; i < plan->n_steps; i++) free(arrays[i].value);
    for (int i = 0; i < plan->n_sources; i++) {
        free(indexes[i]);
        if (plan->source[i].raw) unlink(plan->source[i].path);
    }
    memset(arrays, 0, sizeof arrays);
    memset(indexes, 0, sizeof indexes);
    vv_plan_free(&plan);
}

static void run_case(uint64_t seed, int (*make)(void))
{
    state = seed * 0x9e3779b97f4a7c15u;
    must(vv_plan_new(&plan));
    plan->ranks = 1 + (int)below(4);
    plan->threads = 1;
    int step = make();
    const vv_step *s = &plan->step[step];
    if (vv_plan_validate(plan) != VV_OK) fail_msg("seed %llu: %s", (unsigned long long)seed, vv_last_error());
    output have = {0}, want = {0};
    vv_message messages[8] = {0};
    expect(s, &want);
    have.state = calloc((size_t)vv_step_outs(s), sizeof *have.state);
    for (int r = 0; r < s->n_results; r++) {
        have.result[r].shape = s->grid.shape;
        have.result[r].value = calloc((size_t)vv_shape_elements(&s->grid.shape), sizeof(double));
    }
    if (plan->ranks > 1) send_indexes(plan->ranks, messages);
    for (int rank = 0; rank < plan->ranks; rank++) run_rank(step, rank, messages, &have);
    finish(s, &have);
    compare(&have, &want, s->n_results, seed);
    for (int r = 0; r < 3; r++) free(have.result[r].value), free(want.result[r].value);
    for (int i = 0; i < 8; i++) vv_mem_put(&messages[i].data);
    free(have.state);
    drop_case();
    assert_int_equal(vv_mem_used(), 0);
}

/* VV_TEST_SEED=n runs one case. */
static void run_cases(uint64_t n, int (*make)(void))
{
    const char *only = getenv("VV_TEST_SEED");
    for (uint64_t seed = 1; seed <= n; seed++)
        if (!only || seed == strtoull(only, NULL, 10)) run_case(seed, make);
}

static void programs(void **unused)
{
    (void)unused;
    run_cases(300, random_step);
}

static void blocks(void **unused)
{
    (void)unused;
    run_cases(100, random_block);
}

static void products(void **unused)
{
    (void)unused;
    run_cases(100, random_product);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs),
        cmocka_unit_test(blocks),
        cmocka_unit_test(products),
    };
    return cmocka_run_group_tests(tests, make_scratch, drop_scratch);
}
