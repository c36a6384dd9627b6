/* Plans as data: packing loses nothing, damaged bytes are refused, size does not grow with chunks. */
#include "scratch.h"

#include "base/fault.h"
#include "plan/lower/lower.h"
#include "plan/place.h"

#include <time.h>

static vv_context context;
static vv_lowering lowering;

static int fresh(void **state)
{
    (void)state;
    context = (vv_context){0};
    lowering = (vv_lowering){0};
    return 0;
}

static int done(void **state)
{
    (void)state;
    vv_lowering_free(&lowering);
    vv_context_free(&context);
    return 0;
}

static uint64_t seed = 8675309;
static uint64_t draw(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return seed >> 20;
}

static vv_array *open_path(const char *path)
{
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(path + 8, "?"), path + 8);
    vv_array *a = vv_dataset_array(vv_dataset_open_in(&context, path), name);
    must(vv_array_status(a));
    return a;
}

/* Every other array goes to variable i of an output file. */
static vv_plan *lower(int n, vv_array *const arrays[], int ranks, bool to_file)
{
    vv_target target[16];
    vv_lowering_free(&lowering);
    for (int i = 0; i < n; i++)
        target[i] = (vv_target){.array = arrays[i], .output_variable = to_file && i % 2 == 0 ? i : -1};
    must(vv_lower(target, n, ranks, -1, &lowering));
    if (to_file) must(vv_strdup(&lowering.plan->output, "out.nc.part"));
    must(vv_plan_validate(lowering.plan));
    return lowering.plan;
}

#define ERA(name) "virtual:" name "?shape=time:2920,lat:361,lon:720&chunk=24,181,360"

/* A plan with something of everything. */
static vv_plan *rich_plan(void)
{
    vv_array *u = open_path(ERA("u")), *v = open_path(ERA("v")), *two = vv_node_scalar(&context, 2);
    vv_array *speed = vv_sqrt(vv_add(vv_square(u), vv_square(v)));
    vv_reduce_options o = {.keep_nan = true, .ddof = 1};
    vv_array *all[] = {vv_mean(speed, "time"), vv_reduce(speed, "std", "time", &o), vv_mul(u, two),
                       vv_max(v, "lat,lon"), vv_where(vv_greater(u, v), u, two)};
    vv_plan *p = lower(5, all, 7, true);
    p->threads = 3;
    p->budget = 123456789012;
    p->log = 2;
    p->report_every = 200;
    p->fill_bad = true;
    return p;
}

static vv_buf packed(const vv_plan *p)
{
    vv_buf b = {0};
    vv_plan_pack(p, &b);
    must(vv_buf_status(&b));
    return b;
}

static void check_same_bytes(const vv_plan *p, const vv_plan *q)
{
    vv_buf a = packed(p), b = packed(q);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    assert_true(vv_plan_hash(p) == vv_plan_hash(q));
    vv_buf_free(&a);
    vv_buf_free(&b);
}

static vv_plan *through_bytes(const vv_plan *p)
{
    vv_buf b = packed(p);
    vv_plan *q;
    must(vv_plan_unpack(b.data, (vv_bytes)b.size, &q));
    vv_buf_free(&b);
    return q;
}

/* --- packing --- */

/* Fields of a structure whose bytes are random: none may be forgotten. */
#define SAME(field) assert_memory_equal(&a->field, &b->field, sizeof a->field)

static void check_grid(const vv_grid *a, const vv_grid *b)
{
    SAME(shape.nd);
    assert_memory_equal(a->shape.n, b->shape.n, sizeof a->shape.n[0] * (size_t)a->shape.nd);
    assert_memory_equal(a->chunk, b->chunk, sizeof a->chunk[0] * (size_t)a->shape.nd);
    assert_memory_equal(a->shift, b->shift, sizeof a->shift[0] * (size_t)a->shape.nd);
}

static void check_source(const vv_source *a, const vv_source *b)
{
    assert_string_equal(a->path, b->path);
    assert_string_equal(a->variable, b->variable);
    check_grid(&a->stored, &b->stored);
    SAME(generated), SAME(random.kind), SAME(random.seed), SAME(random.a), SAME(random.b);
    SAME(raw), SAME(chunked), SAME(compressed), SAME(n_filters), SAME(filter), SAME(absent), SAME(fill), SAME(address),
        SAME(pitch), SAME(largest), SAME(total);
    SAME(decode.stored), SAME(decode.out), SAME(decode.swap), SAME(decode.shuffled), SAME(decode.scaled),
        SAME(decode.scale);
    SAME(decode.offset), SAME(decode.n_missing), SAME(decode.missing), SAME(decode.has_min), SAME(decode.has_max);
    SAME(decode.valid_min), SAME(decode.valid_max);
}

static void check_program(const vv_program *a, const vv_program *b)
{
    vv_buf x = {0}, y = {0};
    vv_program_print(a, &x);
    vv_program_print(b, &y);
    assert_string_equal(x.data, y.data);
    assert_int_equal(vv_program_workspace(a), vv_program_workspace(b));
    vv_buf_free(&x);
    vv_buf_free(&y);
}

static void check_input(const vv_input *a, const vv_input *b)
{
    SAME(n_parts), SAME(access), SAME(type), SAME(fill), SAME(lookup), SAME(before), SAME(after);
    for (int j = 0; j < a->n_parts; j++) assert_true(vv_part_equal(&a->part[j], &b->part[j]));
}

static void check_groups(const vv_groups *a, const vv_groups *b)
{
    SAME(dim);
    if (a->dim < 0) return;
    SAME(n), SAME(chunk);
    assert_int_equal(a->label->n, b->label->n);
    assert_memory_equal(a->label->at, b->label->at, (size_t)a->label->n * sizeof a->label->at[0]);
}

static void check_call(const vv_block_call *a, const vv_block_call *b)
{
    SAME(op), SAME(before), SAME(after), SAME(min_count), SAME(ddof), SAME(keep_nan), SAME(axis), SAME(n_weights);
    if (a->n_weights) assert_memory_equal(a->weight, b->weight, (size_t)a->n_weights * sizeof a->weight[0]);
}

static void check_compute(const vv_step *a, const vv_step *b)
{
    check_grid(&a->work, &b->work);
    SAME(block), SAME(product), SAME(reduced), SAME(join), SAME(leaf), SAME(placement), SAME(n_results), SAME(n_inputs);
    for (int i = 0; i < a->n_inputs; i++) check_input(&a->input[i], &b->input[i]);
    check_groups(&a->groups, &b->groups);
    if (a->block) check_call(&a->call, &b->call);
    assert_int_equal(!a->program, !b->program);
    if (a->program) check_program(a->program, b->program);
    for (int r = 0; r < a->n_results; r++) {
        assert_string_equal(a->result[r].name, b->result[r].name);
        SAME(result[r].type), SAME(result[r].red.kind), SAME(result[r].red.in), SAME(result[r].red.skip);
        SAME(result[r].red.ddof), SAME(result[r].red.width);
    }
}

static void check_step(const vv_step *a, const vv_step *b)
{
    SAME(op), SAME(source), SAME(from), SAME(result_of);
    assert_string_equal(a->name, b->name);
    assert_null(b->why); /* for explain on the coordinator alone */
    check_grid(&a->grid, &b->grid);
    if (vv_step_computes(a)) check_compute(a, b);
    if (a->op != VV_STEP_WRITE && a->op != VV_STEP_GATHER) return;
    SAME(to.address), SAME(to.variable), SAME(to.chunked), SAME(to.deflate), SAME(to.shuffle);
    SAME(to.zstd), SAME(to.encode.checked), SAME(to.encode.quantize.how), SAME(to.encode.quantize.keep);
    SAME(to.encode.in), SAME(to.encode.to), SAME(to.encode.has_fill), SAME(to.encode.fill), SAME(to.encode.scaled);
    SAME(to.encode.scale), SAME(to.encode.offset);
}

/* Any filters that can be: others are refused. */
static void scramble_storage(vv_source *s)
{
    static const unsigned char any[] = {VV_FILTER_FLETCHER32, VV_FILTER_DEFLATE, VV_FILTER_ZSTD};
    s->n_filters = 0;
    s->compressed = false;
    s->decode.shuffled = draw() & 1;
    if (s->decode.shuffled) s->filter[s->n_filters++] = VV_FILTER_SHUFFLE;
    for (uint64_t n = draw() % 3; n > 0; n--) {
        unsigned char filter = any[s->compressed ? 0 : draw() % 3];
        s->filter[s->n_filters++] = filter;
        s->compressed = s->compressed || filter != VV_FILTER_FLETCHER32;
    }
    for (int d = 0; d < s->stored.shape.nd; d++)
        s->absent[d] = (vv_index)(draw() % ((uint64_t)s->stored.shape.n[d] + 1));
}

/* Values that nobody would choose, in every field that lowering leaves alone. */
static void scramble(vv_plan *p)
{
    for (int i = 0; i < p->n_sources; i++) {
        vv_source *s = &p->source[i];
        s->random = (vv_random){(int)(draw() % 3), draw(), (double)draw(), 0.3};
        s->address = (vv_bytes)draw() - 5, s->pitch = (vv_bytes)draw(), s->largest = (vv_bytes)draw(),
        s->total = (vv_bytes)draw();
        for (size_t k = 0; k < sizeof s->fill; k++) s->fill[k] = (unsigned char)draw();
        vv_decode *d = &s->decode;
        d->swap = draw() & 1, d->scaled = draw() & 1, d->has_min = draw() & 1, d->has_max = draw() & 1;
        scramble_storage(s);
        d->scale = (double)draw() / 3, d->offset = -(double)draw() / 7, d->valid_min = 0.1, d->valid_max = 1e300;
        d->n_missing = (int)(draw() % (VV_MAX_MISSING + 1));
        for (int k = 0; k < VV_MAX_MISSING; k++) d->missing[k].u = draw() * 0x9e3779b97f4a7c15u;
    }
    for (int i = 0; i < p->n_steps; i++) {
        vv_write_to *w = &p->step[i].to;
        w->address = (vv_bytes)draw(), w->variable = (int)(draw() % 9), w->chunked = draw() & 1,
        w->shuffle = draw() & 1;
        w->deflate = (int)(draw() % 10) - 1;
        w->zstd = (int)(draw() % 20);
        w->encode.checked = draw() & 1;
        w->encode.quantize = (vv_quantize){(vv_quantizer)(draw() % 4), (int)(draw() % 9)};
        w->encode.has_fill = draw() & 1, w->encode.scaled = draw() & 1;
        w->encode.scale = (double)draw() / 11, w->encode.offset = (double)draw();
        for (size_t k = 0; k < sizeof w->encode.fill; k++) w->encode.fill[k] = (unsigned char)draw();
        for (int r = 0; r < p->step[i].n_results; r++) p->step[i].result[r].red.width = 1 << draw() % 4;
        if (vv_step_computes(&p->step[i])) p->step[i].placement = (vv_placement)(draw() % VV_PLACEMENTS);
    }
}

static void test_round_trip(void **state)
{
    (void)state;
    vv_plan *p = rich_plan();
    for (int round = 0; round < 50; round++) {
        scramble(p);
        vv_plan *q = through_bytes(p);
        check_same_bytes(p, q);
        assert_int_equal(q->ranks, 7);
        assert_int_equal(q->threads, 3);
        assert_int_equal(q->budget, 123456789012);
        assert_int_equal(q->log, 2);
        assert_int_equal(q->report_every, 200);
        assert_true(q->fill_bad);
        assert_string_equal(q->output, "out.nc.part");
        assert_int_equal(p->n_sources, q->n_sources);
        assert_int_equal(p->n_steps, q->n_steps);
        for (int i = 0; i < p->n_sources; i++) check_source(&p->source[i], &q->source[i]);
        for (int i = 0; i < p->n_steps; i++) check_step(&p->step[i], &q->step[i]);
        vv_plan_free(&q);
        assert_null(q);
    }
    uint64_t before = vv_plan_hash(p);
    p->step[0].grid.chunk[0]++;
    assert_true(vv_plan_hash(p) != before);
}

/* The same question gives the same bytes. */
static void test_deterministic(void **state)
{
    uint64_t hash = vv_plan_hash(rich_plan());
    for (int i = 0; i < 5; i++) {
        done(state);
        fresh(state);
        assert_true(vv_plan_hash(rich_plan()) == hash);
    }
}

static void test_empty_plan(void **state)
{
    (void)state;
    vv_plan *p;
    must(vv_plan_new(&p));
    p->ranks = p->threads = 1;
    must(vv_plan_validate(p));
    vv_plan *q = through_bytes(p);
    check_same_bytes(p, q);
    vv_plan_free(&p);
    vv_plan_free(&q);
    vv_plan_free(&q);
}

static void test_size_is_symbolic(void **state)
{
    (void)state;
    static const long chunks[] = {1000, 1000000, 1000000000};
    size_t size[3];
    for (int i = 0; i < 3; i++) {
        char path[128];
        snprintf(path, sizeof path, "virtual:x?shape=time:%010ld,lat:10&chunk=1,10", chunks[i]);
        vv_array *x = open_path(path);
        clock_t begin = clock();
        vv_plan *p = lower(2, (vv_array *[]){vv_mean(x, "time"), vv_std(x, "time")}, 64, false);
        assert_int_equal(vv_grid_chunks(&p->source[0].stored), chunks[i]);
        vv_buf b = packed(p);
        size[i] = b.size;
        vv_plan *q;
        must(vv_plan_unpack(b.data, (vv_bytes)b.size, &q));
        vv_plan_free(&q);
        vv_buf_free(&b);
        assert_true(clock() - begin < CLOCKS_PER_SEC / 4);
    }
    assert_int_equal(size[0], size[1]);
    assert_int_equal(size[1], size[2]);
    assert_true(size[2] < 4096);
}

/* --- damage --- */

static void refuse(const vv_plan *p, const char *what)
{
    if (vv_plan_validate(p) != VV_ERR_INTERNAL) fail_msg("validated though %s", what);
    vv_buf b = packed(p);
    vv_plan *q;
    assert_int_equal(vv_plan_unpack(b.data, (vv_bytes)b.size, &q), VV_ERR_INTERNAL);
    assert_null(q);
    vv_buf_free(&b);
}

/* Breaks one thing, demands a refusal, mends it. */
#define BREAK(field, value)                                                                                            \
    do {                                                                                                               \
        __typeof__(field) whole_ = (field);                                                                            \
        (field) = (value);                                                                                             \
        refuse(p, #field " = " #value);                                                                                \
        (field) = whole_;                                                                                              \
        must(vv_plan_validate(p));                                                                                     \
    } while (0)

static void test_validate(void **state)
{
    (void)state;
    vv_plan *p = rich_plan();
    int read = -1, reduce = -1, map = -1, write = -1, gather = -1;
    for (int i = p->n_steps - 1; i >= 0; i--) {
        vv_step_op op = p->step[i].op;
        *(op == VV_STEP_READ     ? &read
          : op == VV_STEP_REDUCE ? &reduce
          : op == VV_STEP_MAP    ? &map
          : op == VV_STEP_WRITE  ? &write
                                 : &gather) = i;
    }
    assert_true(read >= 0 && reduce >= 0 && map >= 0 && write >= 0 && gather >= 0);
    BREAK(p->ranks, 0);
    BREAK(p->ranks, -1);
    BREAK(p->threads, 0);
    BREAK(p->step[read].source, -1);
    BREAK(p->step[read].source, p->n_sources);
    BREAK(p->step[read].op, (vv_step_op)17);
    BREAK(p->step[read].op, (vv_step_op)-1);
    BREAK(p->source[0].stored.chunk[1], 0);
    BREAK(p->source[0].stored.shape.n[0], -1);
    BREAK(p->source[0].decode.stored, (vv_dtype)99);
    BREAK(p->source[0].decode.stored, VV_NONE);
    BREAK(p->source[0].decode.stored, VV_C64);
    BREAK(p->source[0].decode.out, VV_I16);
    BREAK(p->source[0].decode.out, VV_F64); /* not what the programs read */
    BREAK(p->source[0].decode.n_missing, VV_MAX_MISSING + 1);
    BREAK(p->source[0].decode.n_missing, -1);
    BREAK(p->step[reduce].grid.chunk[0], 0);
    BREAK(p->step[reduce].grid.chunk[0], 180); /* not the work's */
    BREAK(p->step[reduce].grid.shape.n[0], 1);
    BREAK(p->step[reduce].work.chunk[0], -3);
    BREAK(p->step[reduce].work.shape.nd, 2);
    BREAK(p->step[reduce].reduced[1], true);
    BREAK(p->step[reduce].reduced[0], false);
    BREAK(p->step[map].reduced[0], true);
    BREAK(p->step[map].leaf, 2);
    BREAK(p->step[reduce].leaf, 0);
    BREAK(p->step[reduce].leaf, -5);
    BREAK(p->step[reduce].placement, (vv_placement)VV_PLACEMENTS);
    BREAK(p->step[reduce].placement, (vv_placement)-1);
    BREAK(p->step[reduce].result[0].red.in, VV_F64); /* not what the program gives */
    BREAK(p->step[reduce].result[0].red.kind, NULL);
    vv_part *part = &p->step[reduce].input[0].part[0];
    BREAK(part->from, reduce);
    BREAK(part->from, -1);
    BREAK(part->box.n[0], 2921);
    BREAK(part->start[0], 1);
    BREAK(part->stride[0], -1);
    BREAK(part->stride[0], 0);
    BREAK(part->dim[0], 3);
    BREAK(part->nd, 2);
    BREAK(part->table_dim, 0);
    BREAK(p->step[reduce].input[0].access, VV_ACCESS_STREAM);
    BREAK(p->step[reduce].input[0].access, VV_ACCESS_CHUNK); /* of a format that reads by itself */
    BREAK(p->step[reduce].input[0].access, VV_ACCESS_PUSH);
    BREAK(p->step[reduce].input[0].access, (vv_access)-1);
    BREAK(p->step[reduce].input[0].before[0], -1);
    BREAK(p->step[reduce].input[0].type, VV_F64);
    BREAK(p->step[reduce].block, true);
    BREAK(p->step[reduce].product, true);
    BREAK(p->step[reduce].work.shift[0], 24);
    BREAK(p->step[write].from, read);
    BREAK(p->step[write].from, p->n_steps);
    BREAK(p->step[write].result_of, p->step[p->step[write].from].n_results);
    BREAK(p->step[write].result_of, -1);
    BREAK(p->step[write].grid.chunk[0], 7); /* not what is delivered */
    BREAK(p->step[write].to.encode.in, VV_I16);
    BREAK(p->step[write].to.encode.to, VV_NONE);
    BREAK(p->step[gather].to.encode.to, (vv_dtype)-4);
    BREAK(p->output, NULL);
}

static void test_truncated(void **state)
{
    (void)state;
    vv_buf b = packed(rich_plan());
    for (size_t n = 0; n < b.size; n++) {
        char *exact = malloc(n ? n : 1);
        memcpy(exact, b.data, n);
        vv_plan *q;
        assert_int_not_equal(vv_plan_unpack(exact, (vv_bytes)n, &q), VV_OK);
        assert_null(q);
        free(exact);
    }
    vv_buf_free(&b);
}

static int64_t odd_number(void)
{
    static const int64_t odd[] = {0,   1,   -1,        2,         3,         5,         31,        32,       33,
                                  255, 256, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, 1LL << 32, 1LL << 62};
    return draw() & 1 ? odd[draw() % (sizeof odd / sizeof *odd)] : (int64_t)(draw() * 0x9e3779b97f4a7c15u);
}

/* Whatever bytes arrive: no crash, no endless work, and what is accepted is as good as any plan. */
static void test_mutations(void **state)
{
    (void)state;
    vv_buf b = packed(rich_plan());
    int accepted = 0;
    clock_t begin = clock();
    for (int round = 0; round < 20000; round++) {
        char *exact = malloc(b.size);
        memcpy(exact, b.data, b.size);
        for (uint64_t k = 1 + draw() % 3; k > 0; k--) {
            size_t at = draw() % b.size;
            if (draw() % 3 == 0)
                exact[at] = (char)draw();
            else
                memcpy(exact + (at & ~(size_t)7), &(int64_t){odd_number()}, b.size - (at & ~(size_t)7) < 8 ? 1 : 8);
        }
        vv_plan *q;
        if (vv_plan_unpack(exact, (vv_bytes)b.size, &q) == VV_OK) {
            accepted++;
            must(vv_plan_validate(q));
            vv_plan *again = through_bytes(q);
            check_same_bytes(q, again);
            vv_plan_free(&again);
            vv_plan_free(&q);
        }
        assert_null(q);
        free(exact);
    }
    assert_true(accepted > 50 && accepted < 19000); /* some numbers may be anything; most may not */
    assert_true(clock() - begin < 60 * CLOCKS_PER_SEC);
    vv_buf_free(&b);
}

static void test_planted_fault(void **state)
{
    (void)state;
    vv_buf b = packed(rich_plan());
    vv_plan *q;
    setenv("VV_FAULT", "plan-decode:1", 1);
    must(vv_fault_setup());
    assert_int_equal(vv_plan_unpack(b.data, (vv_bytes)b.size, &q), VV_ERR_FAULT);
    assert_null(q);
    must(vv_plan_unpack(b.data, (vv_bytes)b.size, &q));
    vv_plan_free(&q);
    unsetenv("VV_FAULT");
    must(vv_fault_setup());
    vv_buf_free(&b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_round_trip), TEST(test_deterministic), TEST(test_empty_plan), TEST(test_size_is_symbolic),
        TEST(test_validate),   TEST(test_truncated),     TEST(test_mutations),  TEST(test_planted_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
