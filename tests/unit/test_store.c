/* The store: pieces in any order, from several threads, with any amount of memory: inboxes have what was put and fill values elsewhere; every unit is
 * found exactly once; nothing stays. */
#include "scratch.h"

#include "exec/push/store.h"

#include <pthread.h>
#include <stdatomic.h>

static uint64_t seed = 1;
static uint64_t draw(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return seed >> 24;
}

/* --- a plan of producers and a consumer whose inputs are views of them --- */

enum { INPUTS = 2, FILL = -7 };

static void set_grid(vv_grid *g, int nd)
{
    *g = (vv_grid){.shape.nd = nd};
    for (int d = 0; d < nd; d++) {
        g->shape.n[d] = 3 + (vv_index)(draw() % 12);
        g->chunk[d] = 1 + (vv_index)(draw() % 5);
    }
}

/* Input k sees producer k, all of it or a part: shifted into the work space, along some of its dimensions. */
static void add_view(vv_plan *p, vv_step *s, int k)
{
    vv_input *in;
    const vv_grid *g = &p->step[k].grid;
    vv_part part = {.from = k, .box = {.nd = s->work.shape.nd}, .nd = g->shape.nd, .table_dim = -1};
    must(vv_step_add_input(s, &in));
    in->access = VV_ACCESS_PUSH;
    in->type = VV_F32;
    in->fill = FILL - k;
    for (int d = 0; d < part.box.nd; d++) part.box.n[d] = s->work.shape.n[d];
    for (int d = 0; d < part.nd; d++) {
        part.dim[d] = d;
        part.stride[d] = 1;
        vv_index room = s->work.shape.n[d];
        part.box.lo[d] = (vv_index)(draw() % 2 ? 0 : draw() % (uint64_t)room);
        part.box.n[d] = vv_imin(room - part.box.lo[d], g->shape.n[d]);
    }
    must(vv_input_add_part(in, &part));
    in->before[0] = (vv_index)(draw() % 2);
}

static vv_plan *random_plan(void)
{
    vv_plan *p;
    vv_step *s;
    must(vv_plan_new(&p));
    for (int k = 0; k < INPUTS; k++) {
        must(vv_plan_add_step(p, VV_STEP_MAP, "producer", &s));
        set_grid(&s->work, k == 0 ? 2 : 1);
        s->n_results = 1;
        s->result[0].type = VV_F32;
        must(vv_step_complete(s));
    }
    must(vv_plan_add_step(p, draw() % 2 ? VV_STEP_REDUCE : VV_STEP_MAP, "consumer", &s));
    set_grid(&s->work, 2);
    s->n_results = 1;
    s->result[0].type = VV_F32;
    if (s->op == VV_STEP_REDUCE) {
        s->reduced[draw() % 2] = true;
        s->leaf = 1 + (vv_index)(draw() % 4);
    }
    s->placement = (vv_placement)(draw() % VV_PLACEMENTS);
    for (int k = 0; k < INPUTS; k++) add_view(p, s, k);
    must(vv_step_complete(s));
    p->ranks = 1;
    return p;
}

/* --- everything that is pushed, in a random order --- */

typedef struct shipment {
    int input;
    vv_index key;
    vv_box box;
} shipment;

typedef struct traffic {
    const vv_plan *plan;
    vv_store *store;
    int consumer, n;
    shipment *at;
    atomic_int next, failed;
    atomic_int n_complete;
    struct {
        int input;
        vv_index key;
        int64_t sequence;
    } complete[4096];
} traffic;

static vv_status note(void *context, const vv_edge *e, int part, vv_index key, const vv_box *piece)
{
    traffic *t = context;
    (void)part;
    t->at = realloc(t->at, sizeof *t->at * (size_t)(t->n + 1));
    t->at[t->n++] = (shipment){e->input, key, *piece};
    return VV_OK;
}

static void collect(traffic *t)
{
    for (int k = 0; k < INPUTS; k++)
        for (vv_index out = 0; out < vv_step_outs(&t->plan->step[k]); out++)
            must(vv_edge_pieces(vv_store_edge(t->store, t->consumer, k), 0, out, note, t));
    for (int i = t->n - 1; i > 0; i--) {
        int j = (int)(draw() % (uint64_t)(i + 1));
        shipment x = t->at[i];
        t->at[i] = t->at[j];
        t->at[j] = x;
    }
}

/* The value at a position of an inbox's space. */
static float value_at(int input, const vv_index w[])
{
    return (float)(input * 10000 + w[0] * 100 + w[1]);
}

static void fill_piece(const shipment *s, float *out)
{
    vv_index at[2] = {0}, w[2], i = 0;
    do {
        w[0] = s->box.lo[0] + at[0];
        w[1] = s->box.lo[1] + at[1];
        out[i++] = value_at(s->input, w);
    } while (vv_odometer(2, s->box.n, at));
}

static void *put_all(void *argument)
{
    traffic *t = argument;
    for (int i; (i = atomic_fetch_add(&t->next, 1)) < t->n;) {
        const shipment *s = &t->at[i];
        float values[1024];
        int64_t sequence;
        fill_piece(s, values);
        const vv_index stride[] = {s->box.n[1], 1};
        if (vv_store_put(t->store, t->consumer, s->input, s->key, &s->box, values, stride, &sequence) != VV_OK)
            atomic_store(&t->failed, 1);
        if (sequence > 0) {
            int c = atomic_fetch_add(&t->n_complete, 1);
            t->complete[c].input = s->input;
            t->complete[c].key = s->key;
            t->complete[c].sequence = sequence;
        }
    }
    return NULL;
}

/* --- using --- */

static void check_block(const traffic *t, int input, vv_index key, const float *block)
{
    const vv_edge *e = vv_store_edge(t->store, t->consumer, input);
    const vv_box *covered = &e->part[0].box;
    vv_box box;
    vv_edge_box(e, key, &box);
    vv_index at[2] = {0}, i = 0;
    do {
        vv_index w[2] = {box.lo[0] + at[0], box.lo[1] + at[1]};
        bool in = true;
        for (int d = 0; d < 2; d++)
            in = in && w[d] >= covered->lo[d] && w[d] < covered->lo[d] + (e->follows[d] ? covered->n[d] : 1);
        float want = in ? value_at(input, w) : (float)(FILL - input);
        if (block[i++] != want) fail_msg("input %d, inbox %lld: %g, not %g", input, (long long)key, block[i - 1], want);
    } while (vv_odometer(2, box.n, at));
}

static void use_unit(const traffic *t, vv_unit u)
{
    const vv_step *s = &t->plan->step[t->consumer];
    for (vv_index k = 0; k < vv_unit_chunks(s, u); k++)
        for (int i = 0; i < INPUTS; i++) {
            vv_index coords[VV_MAX_DIMS];
            _Alignas(64) float room[1024];
            const void *block;
            vv_unit_coords(s, u, k, coords);
            vv_index key = vv_edge_key(vv_store_edge(t->store, t->consumer, i), coords);
            must(vv_store_use(t->store, t->consumer, i, key, room, &block));
            check_block(t, i, key, block);
            /* Every other inbox is taken by its last user, if it is in memory. */
            void *own;
            if (key % 2 == 0 && vv_store_take(t->store, t->consumer, i, key, &own)) {
                assert_ptr_equal(own, block);
                vv_mem_put(&own);
            } else {
                vv_store_done(t->store, t->consumer, i, key);
            }
        }
}

/* Runs every unit that the walk over what waits for an inbox finds to be its own. */
static void walk(const traffic *t, int c, int *ran)
{
    const vv_step *s = &t->plan->step[t->consumer];
    const vv_edge *e = vv_store_edge(t->store, t->consumer, t->complete[c].input);
    vv_waiting w = {.edge = e, .key = t->complete[c].key, .rank = 0, .ranks = 1};
    vv_unit u;
    vv_index coords[VV_MAX_DIMS];
    while (vv_waiting_next(&w, &u, coords)) {
        vv_index number = u.out * vv_step_leaves(s) + u.leaf;
        if (ran[number] || !vv_store_runs(t->store, t->consumer, u, t->complete[c].sequence)) continue;
        use_unit(t, u);
        ran[number]++;
    }
}

static void check_plan(vv_plan *p, vv_bytes limit, int threads)
{
    traffic t = {.plan = p, .consumer = INPUTS};
    const vv_step *s = &p->step[t.consumer];
    vv_bytes before = vv_mem_used();
    p->store = limit;
    must(vv_store_new(p, 0, &t.store));
    collect(&t);
    pthread_t thread[3];
    for (int i = 1; i < threads; i++) assert_int_equal(pthread_create(&thread[i], NULL, put_all, &t), 0);
    put_all(&t);
    for (int i = 1; i < threads; i++) pthread_join(thread[i], NULL);
    assert_int_equal(atomic_load(&t.failed), 0);
    if (limit == 0 && t.n > 0) assert_true(vv_store_count(t.store) > 0);
    vv_index units = vv_step_outs(s) * vv_step_leaves(s);
    int *ran = calloc((size_t)units, sizeof *ran), n = atomic_load(&t.n_complete);
    for (vv_index i = 0; i < units; i++) { /* those that wait for nothing */
        vv_unit u = {i / vv_step_leaves(s), i % vv_step_leaves(s)};
        if (!vv_store_runs(t.store, t.consumer, u, 0)) continue;
        use_unit(&t, u);
        ran[i]++;
    }
    for (int c = n - 1, shift = (int)(draw() % 7); c >= 0; c--) walk(&t, (c + shift) % n, ran);
    for (vv_index i = 0; i < units; i++) assert_int_equal(ran[i], 1);
    assert_int_equal(vv_store_count(t.store), 0);
    vv_store_free(&t.store);
    assert_int_equal(vv_mem_used(), before);
    free(ran);
    free(t.at);
}

static void random_plans(void **state)
{
    (void)state;
    for (int i = 0; i < 150; i++) {
        vv_plan *p = random_plan();
        check_plan(p, i % 3 == 0 ? 0 : i % 3 == 1 ? 400 : 1 << 30, 1 + i % 3);
        vv_plan_free(&p);
    }
}

/* --- pieces that are larger than a record of the scratch file --- */

enum { ROWS = 400, COLUMNS = 700 };

/* Two chunks, one above the other, that one inbox wants. */
static vv_plan *tall_plan(void)
{
    vv_plan *p;
    vv_step *s;
    must(vv_plan_new(&p));
    must(vv_plan_add_step(p, VV_STEP_MAP, "producer", &s));
    s->work = (vv_grid){.shape = {2, {2 * ROWS, COLUMNS}}, .chunk = {ROWS, COLUMNS}};
    s->n_results = 1;
    s->result[0].type = VV_F32;
    must(vv_step_complete(s));
    must(vv_plan_add_step(p, VV_STEP_MAP, "consumer", &s));
    s->work = (vv_grid){.shape = {2, {2 * ROWS, COLUMNS}}, .chunk = {2 * ROWS, COLUMNS}};
    s->n_results = 1;
    s->result[0].type = VV_F32;
    add_view(p, s, 0);
    vv_part_same(&s->work.shape, &s->input[0].part[0]);
    s->input[0].before[0] = 0;
    must(vv_step_complete(s));
    p->ranks = 1;
    return p;
}

/* *spilled: what went to the scratch file; a record and each of its pieces have a head. tight: without any memory to gather pieces in. */
static void spill_tall(bool tight, vv_bytes *spilled)
{
    vv_plan *p = tall_plan();
    traffic t = {.plan = p, .consumer = 1};
    vv_index stride[] = {COLUMNS, 1};
    float *values = malloc(sizeof *values * ROWS * COLUMNS), *room = malloc(sizeof *room * 2 * ROWS * COLUMNS);
    const void *block;
    int64_t sequence = 0;
    must(vv_store_new(p, 0, &t.store));
    for (vv_index out = 0; out < 2; out++) must(vv_edge_pieces(vv_store_edge(t.store, 1, 0), 0, out, note, &t));
    assert_int_equal(t.n, 2);
    if (tight) vv_mem_set_budget(vv_mem_used() + 2000, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sequence, 0);
        fill_piece(&t.at[i], values);
        must(vv_store_put(t.store, 1, 0, 0, &t.at[i].box, values, stride, &sequence));
    }
    vv_mem_set_budget(0, 0);
    assert_true(sequence > 0);
    must(vv_store_use(t.store, 1, 0, 0, room, &block));
    check_block(&t, 0, 0, block);
    vv_store_done(t.store, 1, 0, 0);
    *spilled = vv_store_spilled(t.store);
    assert_int_equal(vv_store_count(t.store), 0);
    vv_store_free(&t.store);
    vv_plan_free(&p);
    free(values);
    free(room);
    free(t.at);
}

static void large_pieces_go_in_several_records(void **state)
{
    (void)state;
    vv_bytes all = 4 * 2 * ROWS * COLUMNS, usual, tight;
    assert_true(all / 2 > 4 * VV_SPILL_RECORD);
    spill_tall(false, &usual);
    assert_true(usual > all && usual < all + 10000);
    spill_tall(true, &tight);
    assert_true(tight > usual + 10000 && tight < 2 * all);
}

/* Values that are all of an inbox become it where they lie, somebody else's or the store's own; what is not all of one, or too much, has to be put. */
static void whole_inboxes_are_lent(void **state)
{
    (void)state;
    vv_plan *p = tall_plan();
    vv_store *s;
    vv_box box, part;
    vv_index packed[] = {COLUMNS, 1}, turned[] = {1, 2 * ROWS};
    float *theirs = calloc(2 * (size_t)ROWS * COLUMNS, sizeof *theirs);
    void *own, *taken;
    const void *block;
    int64_t sequence;
    vv_bytes used = vv_mem_used(), size = 4 * 2 * ROWS * COLUMNS;
    must(vv_store_new(p, 0, &s));
    vv_edge_box(vv_store_edge(s, 1, 0), 0, &box);
    part = box;
    part.n[0]--;
    must(vv_store_lend(s, 1, 0, 0, &part, theirs, packed, NULL, &sequence));
    assert_int_equal(sequence, -1);
    must(vv_store_lend(s, 1, 0, 0, &box, theirs, turned, NULL, &sequence));
    assert_int_equal(sequence, -1);
    for (int mine = 0; mine < 2; mine++) {
        must(vv_mem_get(&own, 64 + size, "a message"));
        const void *values = mine ? (char *)own + 64 : (const void *)theirs;
        p->store = mine ? size - 1 : 0;
        if (mine) must(vv_store_lend(s, 1, 0, 0, &box, values, packed, &own, &sequence));
        if (mine) assert_int_equal(sequence, -1);
        p->store = mine ? size : 0;
        must(vv_store_lend(s, 1, 0, 0, &box, values, packed, mine ? &own : NULL, &sequence));
        assert_true(sequence > 0 && (own == NULL) == mine);
        must(vv_store_use(s, 1, 0, 0, NULL, &block));
        assert_ptr_equal(block, values);
        assert_false(vv_store_take(s, 1, 0, 0, &taken));
        vv_store_done(s, 1, 0, 0);
        assert_int_equal(vv_store_count(s), 0);
        vv_mem_put(&own);
        assert_int_equal(vv_mem_used(), used);
    }
    vv_store_free(&s);
    vv_plan_free(&p);
    free(theirs);
}

/* Putting more than is due is a mistake that is told. */
static void too_much_is_refused(void **state)
{
    (void)state;
    vv_plan *p = random_plan();
    traffic t = {.plan = p, .consumer = INPUTS};
    int64_t sequence;
    float values[1024] = {0};
    p->store = 1 << 30;
    must(vv_store_new(p, 0, &t.store));
    collect(&t);
    const shipment *s = &t.at[0];
    vv_status status = VV_OK;
    for (int i = 0; i < 1000 && status == VV_OK; i++)
        status = vv_store_put(t.store, t.consumer, s->input, s->key, &s->box, values, (vv_index[]){0, 0}, &sequence);
    assert_int_equal(status, VV_ERR_INTERNAL);
    assert_message("more than it waits for");
    vv_store_free(&t.store);
    vv_plan_free(&p);
    free(t.at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_plans),
        cmocka_unit_test(large_pieces_go_in_several_records),
        cmocka_unit_test(whole_inboxes_are_lent),
        cmocka_unit_test(too_much_is_refused),
    };
    return cmocka_run_group_tests(tests, make_scratch, drop_scratch);
}
