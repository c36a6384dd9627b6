/* Plans whose steps push into each other, written by hand and given to the engine as they are: broadcasts, rechunks, halos, several pushed inputs,
 * groups, gaps, tables. Every step's result is gathered and compared with a naive evaluation of the same plan; with any number of threads, any size of
 * store, either policy and random schedules the bits must be the same. Then the same runs with planted faults: all ranks end with one error.
 *
 * ranks: 1 2 3 4
 * timeout: 300
 * cores: 1 */
#include "unit/scratch.h"

#include "base/fault.h"
#include "exec/engine.h"
#include "exec/sched.h"

#include <math.h>
#include <signal.h>
#include <sys/resource.h>

static vv_net *net;
static uint64_t seed = 1;

static uint64_t draw(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return seed >> 24;
}

/* --- writing plans --- */

static vv_grid grid(int nd, const vv_index n[], const vv_index chunk[])
{
    vv_grid g = {.shape.nd = nd};
    for (int d = 0; d < nd; d++) {
        g.shape.n[d] = n[d];
        g.chunk[d] = chunk[d];
    }
    return g;
}

static int count;
static int add_step(vv_plan *p, vv_step_op op, vv_step **s)
{
    char name[16];
    snprintf(name, sizeof name, "s%d", count++);
    must(vv_plan_add_step(p, op, name, s));
    return p->n_steps - 1;
}

/* Random whole numbers, so that sums are exact in any order. */
static int add_source(vv_plan *p, vv_grid g)
{
    vv_source *source;
    vv_step *s;
    must(vv_plan_add_source(p, &source));
    must(vv_strdup(&source->path, ""));
    must(vv_strdup(&source->variable, "x"));
    source->generated = true;
    source->random = (vv_random){vv_random_find("integers"), 7 + (uint64_t)p->n_sources, -50, 50};
    source->stored = g;
    source->decode = (vv_decode){.stored = VV_I64, .out = VV_I64};
    int number = add_step(p, VV_STEP_READ, &s);
    s->source = p->n_sources - 1;
    s->grid = g;
    return number;
}

static vv_dtype type_of(const vv_plan *p, int step)
{
    return p->step[step].op == VV_STEP_READ ? VV_I64 : p->step[step].result[0].type;
}

static vv_input *add_input(vv_plan *p, vv_step *s, int from)
{
    vv_input *in;
    must(vv_step_add_input(s, &in));
    in->access = p->step[from].op == VV_STEP_READ ? VV_ACCESS_BOX : VV_ACCESS_PUSH;
    in->type = type_of(p, from);
    return in;
}

static void add_same(vv_plan *p, vv_step *s, int from)
{
    vv_part part;
    vv_part_same(&p->step[from].grid.shape, &part);
    part.from = from;
    must(vv_input_add_part(add_input(p, s, from), &part));
}

static void take_part(vv_input *in, vv_part part)
{
    must(vv_input_add_part(in, &part));
}

/* The sum of all inputs, the k-th one k + 1 times, in f64. */
static void add_program(vv_step *s)
{
    int input[8], sum = -1, factor;
    must(vv_new(&s->program, 1, sizeof *s->program));
    for (int k = 0; k < s->n_inputs; k++)
        must(vv_program_input(s->program, vv_working_type(s->input[k].type), &input[k]));
    for (int k = 0; k < s->n_inputs; k++) {
        int term;
        must(vv_program_cast(s->program, VV_F64, input[k], &term));
        must(vv_program_constant(s->program, VV_F64, k + 1, &factor));
        must(vv_program_op(s->program, vv_op_find("multiply"), (int[]){term, factor}, &term));
        if (k > 0) must(vv_program_op(s->program, vv_op_find("add"), (int[]){sum, term}, &term));
        sum = term;
    }
    vv_program_set_output(s->program, sum);
    s->result[0].value = sum;
}

static void finish_map(vv_step *s, vv_dtype type)
{
    if (!s->block) add_program(s);
    s->n_results = 1;
    s->result[0].type = type;
    s->placement = (vv_placement)(draw() % VV_PLACEMENTS);
    must(vv_strdup(&s->result[0].name, "r"));
    must(vv_step_complete(s));
}

static void finish_reduce(vv_step *s, const char *how, vv_dtype type, vv_index leaf)
{
    finish_map(s, type);
    s->leaf = leaf;
    s->result[0].red = (vv_red){.kind = vv_reduction_find(how), .in = VV_F64, .skip = true};
    must(vv_step_complete(s));
}

/* A gather step for each computing step. */
static void add_gathers(vv_plan *p)
{
    int n = p->n_steps;
    for (int i = 0; i < n; i++) {
        vv_step *s;
        if (!vv_step_computes(&p->step[i])) continue;
        add_step(p, VV_STEP_GATHER, &s);
        s->from = i;
        s->grid = p->step[i].grid;
        s->to.encode = (vv_encode){.in = vv_step_values(&p->step[i], 0), .to = p->step[i].result[0].type};
    }
}

/* --- the plans --- */

enum { T = 23, Y = 11, X = 7 };
static const vv_index shape[] = {T, Y, X}, chunks[] = {4, 3, 4};

/* x, its sum over time, and x less that: the sum has an inbox for each (y, x) chunk. */
static void broadcast(vv_plan *p)
{
    vv_step *s;
    int x = add_source(p, grid(3, shape, chunks));
    int sum = add_step(p, VV_STEP_REDUCE, &s);
    s->work = grid(3, shape, chunks);
    s->reduced[0] = true;
    add_same(p, s, x);
    finish_reduce(s, "sum", VV_F64, 2);
    add_step(p, VV_STEP_MAP, &s);
    s->work = grid(3, shape, chunks);
    add_same(p, s, x);
    vv_part part = {.from = sum, .box = {3, {0}, {T, Y, X}}, .nd = 2, .dim = {1, 2}, .stride = {1, 1}, .table_dim = -1};
    take_part(add_input(p, s, sum), part);
    finish_map(s, VV_F64);
}

/* Means are rounded to f32 on their way. */
static void rounded(vv_plan *p)
{
    vv_step *s;
    int x = add_source(p, grid(3, shape, chunks));
    int mean = add_step(p, VV_STEP_REDUCE, &s);
    s->work = grid(3, shape, chunks);
    s->reduced[1] = true;
    add_same(p, s, x);
    finish_reduce(s, "mean", VV_F32, 1);
    int small = add_step(p, VV_STEP_MAP, &s);
    s->work = grid(2, (vv_index[]){T, X}, (vv_index[]){5, 2});
    add_same(p, s, mean);
    finish_map(s, VV_I16);
    add_step(p, VV_STEP_MAP, &s);
    s->work = grid(2, (vv_index[]){T, X}, (vv_index[]){9, 7});
    add_same(p, s, small);
    finish_map(s, VV_F64);
}

static void rechunk(vv_plan *p)
{
    vv_step *s;
    int x = add_source(p, grid(3, shape, chunks));
    int a = add_step(p, VV_STEP_MAP, &s);
    s->work = grid(3, shape, (vv_index[]){1, Y, X});
    add_same(p, s, x);
    finish_map(s, VV_F64);
    int b = add_step(p, VV_STEP_MAP, &s);
    s->work = grid(3, shape, (vv_index[]){T, 2, 3});
    add_same(p, s, a);
    finish_map(s, VV_F64);
    add_step(p, VV_STEP_REDUCE, &s); /* transposed and backwards, several chunks in a leaf */
    s->work = grid(3, (vv_index[]){X, T, Y}, (vv_index[]){2, 5, 4});
    s->reduced[0] = s->reduced[1] = true;
    vv_part part = {.from = b,
                    .box = {3, {0}, {X, T, Y}},
                    .nd = 3,
                    .dim = {1, 2, 0},
                    .start = {0, Y - 1, 0},
                    .stride = {1, -1, 1},
                    .table_dim = -1};
    take_part(add_input(p, s, b), part);
    finish_reduce(s, "sum", VV_F64, 3);
}

/* A window of what another step made; fill values around it. */
static void halo(vv_plan *p)
{
    vv_step *s;
    int x = add_source(p, grid(3, shape, chunks));
    int a = add_step(p, VV_STEP_MAP, &s);
    s->work = grid(3, shape, chunks);
    add_same(p, s, x);
    finish_map(s, VV_F64);
    add_step(p, VV_STEP_MAP, &s);
    s->work = grid(3, shape, (vv_index[]){3, 2, 7});
    add_same(p, s, a);
    s->block = true;
    s->call = (vv_block_call){.op = vv_block_op_find("window_sum"), .before = {2, 1}, .after = {1, 3}};
    for (int d = 0; d < 3; d++) {
        s->input[0].before[d] = s->call.before[d];
        s->input[0].after[d] = s->call.after[d];
    }
    finish_map(s, VV_F64);
}

/* A reduction of two pushed inputs, one of them the same for all chunks of a leaf. */
static void two_inputs(vv_plan *p)
{
    vv_step *s;
    int x = add_source(p, grid(3, shape, chunks)), y = add_source(p, grid(2, shape + 1, chunks + 1));
    int a = add_step(p, VV_STEP_MAP, &s);
    s->work = grid(3, shape, chunks);
    add_same(p, s, x);
    finish_map(s, VV_F64);
    int b = add_step(p, VV_STEP_MAP, &s);
    s->work = grid(2, shape + 1, (vv_index[]){4, 7});
    add_same(p, s, y);
    finish_map(s, VV_F64);
    add_step(p, VV_STEP_REDUCE, &s);
    s->work = grid(3, shape, (vv_index[]){2, 3, 4});
    s->reduced[0] = s->reduced[2] = true;
    add_same(p, s, a);
    vv_part part = {.from = b, .box = {3, {0}, {T, Y, X}}, .nd = 2, .dim = {1, 2}, .stride = {1, 1}, .table_dim = -1};
    take_part(add_input(p, s, b), part);
    finish_reduce(s, "sum", VV_F64, 5);
}

/* Pieces of two steps in a larger frame: inboxes that get everything, some, or nothing at all. */
static void frame(vv_plan *p)
{
    vv_step *s;
    int x = add_source(p, grid(3, shape, chunks));
    int a = add_step(p, VV_STEP_MAP, &s);
    s->work = grid(3, shape, chunks);
    add_same(p, s, x);
    finish_map(s, VV_F64);
    int b = add_step(p, VV_STEP_REDUCE, &s);
    s->work = grid(3, shape, chunks);
    s->reduced[0] = true;
    add_same(p, s, x);
    finish_reduce(s, "max", VV_F64, 1);
    add_step(p, VV_STEP_MAP, &s);
    s->work = grid(2, (vv_index[]){40, 30}, (vv_index[]){6, 4});
    vv_input *in = add_input(p, s, a);
    in->fill = -3;
    take_part(in, (vv_part){.from = a,
                            .box = {2, {2, 5}, {11, X}},
                            .nd = 3,
                            .dim = {0, -1, 1},
                            .start = {1, 5, 0},
                            .stride = {2, 0, 1},
                            .table_dim = -1});
    take_part(in, (vv_part){.from = b,
                            .box = {2, {20, 13}, {X, Y}},
                            .nd = 2,
                            .dim = {1, 0},
                            .start = {Y - 1, 0},
                            .stride = {-1, 1},
                            .table_dim = -1});
    finish_map(s, VV_F64);
}

/* Anomalies of sums by group, one group without elements: looked up, and by a table. */
static void groups(vv_plan *p, bool lookup)
{
    vv_step *s;
    vv_table *label;
    must(vv_table_new(T, &label));
    for (int i = 0; i < T; i++) label->at[i] = i % 6 == 4 ? -1 : i % 4;
    int x = add_source(p, grid(3, shape, chunks));
    int sum = add_step(p, VV_STEP_REDUCE, &s);
    s->work = grid(3, shape, chunks);
    s->reduced[0] = true;
    s->groups = (vv_groups){.dim = 0, .n = 7, .chunk = 2, .label = vv_table_share(label)};
    add_same(p, s, x);
    finish_reduce(s, "sum", VV_F64, 2);
    add_step(p, VV_STEP_MAP, &s);
    s->work = grid(3, shape, chunks);
    add_same(p, s, x);
    vv_input *in = add_input(p, s, sum);
    in->fill = 1000;
    in->lookup = lookup;
    take_part(in, (vv_part){.from = sum,
                            .box = {3, {0}, {T, Y, X}},
                            .nd = 3,
                            .dim = {0, 1, 2},
                            .stride = {1, 1, 1},
                            .table_dim = 0,
                            .table = label});
    finish_map(s, VV_F64);
}

static void make_plan(int which, vv_plan **out)
{
    static void (*const simple[])(vv_plan *) = {broadcast, rounded, rechunk, halo, two_inputs, frame};
    enum { SIMPLE = sizeof simple / sizeof *simple };
    seed = (uint64_t)which + 1;
    must(vv_plan_new(out));
    if (which < SIMPLE)
        simple[which](*out);
    else
        groups(*out, which % 2);
    add_gathers(*out);
    (*out)->ranks = net->size;
    (*out)->threads = 1;
    (*out)->scratch = NULL;
}
enum { PLANS = 8 };

/* --- naive evaluation: every step's whole result --- */

static double element(const vv_plan *p, double *const result[], const vv_input *in, const vv_index w[])
{
    for (int j = 0; j < in->n_parts; j++) {
        const vv_part *part = &in->part[j];
        const vv_grid *g = &p->step[part->from].grid;
        bool inside = true;
        vv_index number = 0;
        for (int d = 0; d < part->box.nd; d++)
            inside = inside && w[d] >= part->box.lo[d] && w[d] < part->box.lo[d] + part->box.n[d];
        for (int d = 0; d < part->nd && inside; d++) {
            vv_index at = vv_part_index(part, d, part->dim[d] < 0 ? 0 : w[part->dim[d]]);
            inside = at >= 0;
            number = number * g->shape.n[d] + at;
        }
        if (inside) return result[part->from][number];
    }
    return in->fill;
}

static double rounded_to(vv_dtype type, double v)
{
    unsigned char room[16];
    vv_dtype_store(type, room, v);
    return vv_dtype_load(type, room);
}

static double naive_value(const vv_plan *p, double *const result[], const vv_step *s, const vv_index w[])
{
    double sum = 0;
    vv_index at[VV_MAX_DIMS], n[VV_MAX_DIMS], here[VV_MAX_DIMS];
    for (int k = 0; k < s->n_inputs && !s->block; k++) sum += (k + 1) * element(p, result, &s->input[k], w);
    if (!s->block) return sum;
    for (int d = 0; d < s->work.shape.nd; d++) {
        at[d] = 0;
        n[d] = s->call.before[d] + s->call.after[d] + 1;
    }
    do {
        for (int d = 0; d < s->work.shape.nd; d++) here[d] = w[d] + at[d] - s->call.before[d];
        sum += element(p, result, &s->input[0], here);
    } while (vv_odometer(s->work.shape.nd, n, at));
    return sum;
}

/* Cell of the result that an element goes to; -1 for none. */
static vv_index cell_of(const vv_step *s, const vv_index w[])
{
    vv_index cell = 0;
    for (int d = 0; d < s->work.shape.nd; d++) {
        bool grouped = s->op == VV_STEP_REDUCE && d == s->groups.dim;
        if (s->op == VV_STEP_REDUCE && s->reduced[d] && !grouped) continue;
        vv_index i = grouped ? s->groups.label->at[w[d]] : w[d];
        if (i < 0) return -1;
        cell = cell * (grouped ? s->groups.n : s->work.shape.n[d]) + i;
    }
    return cell;
}

static void naive_step(const vv_plan *p, int i, double *result[])
{
    const vv_step *s = &p->step[i];
    vv_index n = vv_shape_elements(&s->grid.shape), w[VV_MAX_DIMS] = {0};
    int *seen = calloc((size_t)n, sizeof *seen);
    const char *how = s->op == VV_STEP_REDUCE ? s->result[0].red.kind->name : "sum";
    do {
        vv_index cell = cell_of(s, w);
        if (cell < 0) continue;
        double v = naive_value(p, result, s, w), *c = &result[i][cell];
        *c = !strcmp(how, "max") ? (seen[cell] ? fmax(*c, v) : v) : *c + v;
        seen[cell]++;
    } while (vv_odometer(s->work.shape.nd, s->work.shape.n, w));
    for (vv_index c = 0; c < n; c++) {
        if (!strcmp(how, "mean")) result[i][c] /= seen[c];
        result[i][c] = rounded_to(s->result[0].type, result[i][c]);
    }
    free(seen);
}

static double **naive(const vv_plan *p)
{
    double **result = calloc((size_t)p->n_steps, sizeof *result);
    for (int i = 0; i < p->n_steps; i++) {
        const vv_step *s = &p->step[i];
        vv_index n = vv_shape_elements(&s->grid.shape);
        result[i] = calloc((size_t)n, sizeof **result);
        if (s->op == VV_STEP_READ) {
            int64_t *x = malloc((size_t)n * sizeof *x);
            vv_random_fill(&p->source[s->source].random, VV_I64, 0, n, x);
            for (vv_index k = 0; k < n; k++) result[i][k] = (double)x[k];
            free(x);
        }
        if (vv_step_computes(s)) naive_step(p, i, result);
    }
    return result;
}

/* --- running --- */

static void **buffers(const vv_plan *p)
{
    void **b = calloc((size_t)p->n_steps, sizeof *b);
    for (int i = 0; i < p->n_steps; i++)
        if (p->step[i].op == VV_STEP_GATHER)
            b[i] = calloc((size_t)vv_shape_elements(&p->step[i].grid.shape) + 1,
                          (size_t)vv_dtype_size(p->step[i].to.encode.to));
    return b;
}

static void free_all(const vv_plan *p, void **b)
{
    for (int i = 0; i < p->n_steps; i++) free(b[i]);
    free(b);
}

static vv_step_counts counted[32];
static void note_counts(void *context, const vv_step_counts *counts)
{
    const vv_plan *p = context;
    memcpy(counted, counts, sizeof *counts * (size_t)p->n_steps);
}

static vv_status run(const vv_plan *p, void *const *gather, vv_engine_stats *stats)
{
    vv_chunk_at *index[8] = {0};
    vv_hooks hooks = {.index = index, .gather = gather, .context = (void *)(uintptr_t)p, .counted = note_counts};
    return vv_engine_run(net, p, &hooks, stats);
}

static void compare(const vv_plan *p, void *const *gather, double *const *want, const char *what)
{
    for (int i = 0; i < p->n_steps; i++) {
        const vv_step *s = &p->step[i];
        if (s->op != VV_STEP_GATHER) continue;
        for (vv_index k = 0; k < vv_shape_elements(&s->grid.shape); k++) {
            double got = vv_dtype_load(s->to.encode.to, (char *)gather[i] + k * vv_dtype_size(s->to.encode.to));
            if (got != want[s->from][k])
                fail_msg("%s: step %d, element %lld: %.17g, not %.17g", what, s->from, (long long)k, got,
                         want[s->from][k]);
        }
    }
}

static vv_index units(const vv_plan *p)
{
    vv_index n = 0;
    for (int i = 0; i < p->n_steps; i++)
        if (vv_step_computes(&p->step[i])) n += vv_step_units(&p->step[i]);
    return n;
}

static void check_run(vv_plan *p, double *const *want, const char *what)
{
    vv_engine_stats stats;
    void **gather = buffers(p);
    vv_bytes before = vv_mem_used();
    must(run(p, gather, &stats));
    assert_int_equal(vv_mem_used(), before);
    assert_int_equal(stats.tasks, units(p));
    if (p->store == 0) assert_true(stats.spilled > 0);
    if (p->store > 1000000) assert_int_equal(stats.spilled, 0);
    if (net->size == 1) assert_int_equal(stats.moved, 0);
    if (net->rank == 0) {
        vv_index tasks = 0;
        for (int i = 0; i < p->n_steps; i++) tasks += counted[i].tasks;
        assert_int_equal(tasks, stats.tasks);
        compare(p, gather, want, what);
    }
    free_all(p, gather);
}

/* Bytes are what the cost of the plan says, to the last one. */
static void check_bytes(const vv_plan *p)
{
    vv_engine_stats stats;
    vv_cost cost;
    vv_bytes pushed = 0, predicted = 0;
    void **gather = buffers(p);
    must(run(p, gather, &stats));
    must(vv_cost_of(p, &cost));
    must(vv_cost_count(p, NULL, &cost));
    for (int i = 0; i < p->n_steps; i++) {
        pushed += counted[i].pushed;
        predicted += cost.step[i].tally.pushed;
    }
    assert_int_equal(stats.moved, cost.moved);
    if (net->rank == 0) assert_int_equal(pushed, predicted);
    vv_cost_free(&cost);
    free_all(p, gather);
}

static void test_plans(void **state)
{
    (void)state;
    static const vv_bytes stores[] = {(vv_bytes)1 << 30, 0, 3000};
    for (int which = 0; which < PLANS; which++) {
        vv_plan *p;
        make_plan(which, &p);
        must(vv_plan_validate(p));
        double **want = naive(p);
        p->store = stores[0];
        check_bytes(p);
        for (int c = 0; c < 3 * 2 * 2 * 3; c++) {
            char what[80];
            p->store = stores[c % 3];
            p->threads = 1 + c / 3 % 2;
            p->policy = c / 6 % 2;
            p->fuzz = c < 12 ? 0 : 17 * c + which;
            snprintf(what, sizeof what, "plan %d, store %lld, %d threads, policy %d, fuzz %lld", which,
                     (long long)p->store, p->threads, p->policy, (long long)p->fuzz);
            check_run(p, want, what);
        }
        free_all(p, (void **)want);
        vv_plan_free(&p);
    }
}

/* Every policy there is has a name, and one that there is not is refused everywhere. */
static void test_policies(void **state)
{
    (void)state;
    vv_plan *p;
    make_plan(0, &p);
    double **want = naive(p);
    for (p->policy = 0; vv_sched_at(p->policy); p->policy++) check_run(p, want, vv_sched_at(p->policy)->name);
    assert_true(p->policy >= 2);
    void **gather = buffers(p);
    vv_engine_stats stats;
    assert_int_equal(run(p, gather, &stats), VV_ERR_INTERNAL);
    assert_message("scheduling policy");
    free_all(p, gather);
    free_all(p, (void **)want);
    vv_plan_free(&p);
}

/* --- failures --- */

static void plant(const char *fault)
{
    setenv("VV_FAULT", fault, 1);
    must(vv_fault_setup());
}

static void test_faults(void **state)
{
    (void)state;
    static const char *const site[] = {"start", "task", "alloc", "finish", "spill", "unspill", "send", "receive"};
    int hit = 0;
    for (int c = 0; c < 64; c++) {
        vv_plan *p;
        char fault[64];
        make_plan(c % PLANS, &p);
        p->threads = 1 + c / 8 % 2;
        p->store = c % 3 == 0 ? 3000 : 0;
        int rank = c / 5 % net->size, visit = 1 + c / 16 * 4;
        snprintf(fault, sizeof fault, "%s:%d@%d", site[(c / 8 + c) % 8], visit, rank);
        plant(fault);
        void **gather = buffers(p);
        vv_engine_stats stats;
        vv_status status = run(p, gather, &stats);
        if (status != VV_OK) {
            assert_int_equal(status, VV_ERR_FAULT);
            assert_message("planted fault");
            hit++;
        }
        plant("");
        double **want = naive(p);
        check_run(p, want, fault); /* and the next run is as good as ever */
        free_all(p, (void **)want);
        free_all(p, gather);
        vv_plan_free(&p);
    }
    assert_true(hit > 20);
}

/* A scratch directory that is not there, on one rank. */
static void test_no_scratch(void **state)
{
    (void)state;
    vv_plan *p;
    make_plan(0, &p);
    if (net->rank == net->size - 1) must(vv_strdup(&p->scratch, "/nowhere/at/all"));
    void **gather = buffers(p);
    vv_engine_stats stats;
    assert_int_equal(run(p, gather, &stats), VV_ERR_WRITE);
    assert_message("/nowhere/at/all");
    assert_message("--scratch");
    assert_message("--memory");
    free_all(p, gather);
    vv_plan_free(&p);
}

/* A scratch directory that is full, on one rank: its file may not grow beyond the first few records. */
static void test_full_scratch(void **state)
{
    (void)state;
    struct rlimit old, small;
    vv_plan *p;
    make_plan(2, &p);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = (struct rlimit){2000, old.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    void **gather = buffers(p);
    vv_engine_stats stats;
    if (net->rank == 0) assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    vv_status status = run(p, gather, &stats);
    if (net->rank == 0) assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(status, VV_ERR_WRITE);
    assert_message("--scratch");
    double **want = naive(p);
    check_run(p, want, "after a full scratch directory");
    free_all(p, (void **)want);
    free_all(p, gather);
    vv_plan_free(&p);
}

int main(int argc, char **argv)
{
    must(vv_net_open(&argc, &argv, &net));
    vv_set_rank(net->rank, net->size);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plans),      cmocka_unit_test(test_policies),     cmocka_unit_test(test_faults),
        cmocka_unit_test(test_no_scratch), cmocka_unit_test(test_full_scratch),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    fflush(NULL);
    if (failed) _exit(1); /* others may wait for this rank */
    vv_net_close(&net);
    return 0;
}
