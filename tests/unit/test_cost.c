/* Costs: bytes against naive counting, element by element; memory follows what is held. */
#include "handmade.h"

#include "base/stop.h"
#include "plan/cost/inboxes.h"

static vv_cost counted(const vv_plan *p, const vv_chunk_at *const index[])
{
    vv_cost c;
    must(vv_cost_of(p, &c));
    must(vv_cost_count(p, index, &c));
    return c;
}

static vv_grid random_grid(int nd, vv_index longest)
{
    vv_grid g = {.shape.nd = nd};
    for (int d = 0; d < nd; d++) {
        g.shape.n[d] = 1 + below(longest);
        g.chunk[d] = 1 + below(5);
    }
    return g;
}

/* --- states that cross ranks --- */

static void add_groups(vv_step *s, int dim)
{
    vv_groups *g = &s->groups;
    g->dim = dim;
    g->n = 1 + below(7);
    g->chunk = 1 + below(g->n);
    must(vv_table_new(s->work.shape.n[dim], &g->label));
    for (vv_index i = 0; i < g->label->n; i++) g->label->at[i] = below(g->n + 1) - 1;
}

static vv_bytes naive_state(const vv_step *s, vv_index out)
{
    vv_box box;
    vv_index first, groups;
    vv_grid_box(&s->grid, out, &box);
    vv_out_groups(s, out, &first, &groups);
    vv_bytes planes = s->result[0].red.kind->planes(s->result[0].red.in);
    return 64 +
           groups * (((vv_bytes)sizeof(vv_red_head) + planes * (vv_box_elements(&box) / groups) * 8 + 63) / 64 * 64);
}

/* One combine after the other, with every unit's owner found by asking every rank for its units. cross: by rank, partial results that it gets and sends. */
static vv_bytes naive_moved(const vv_plan *p, const vv_step *s, vv_index cross[])
{
    vv_bytes bytes = 0;
    vv_index leaves = vv_step_leaves(s), outs = vv_step_outs(s);
    int *owner = malloc(sizeof *owner * (size_t)(leaves * outs));
    for (vv_index i = 0; i < leaves * outs; i++) owner[i] = -1;
    for (int rank = 0; rank < p->ranks; rank++)
        for (vv_index k = 0; k < vv_place_count(s, rank, p->ranks); k++) {
            vv_unit u = vv_place_unit(s, rank, p->ranks, k);
            owner[u.out * leaves + u.leaf] = rank;
        }
    for (vv_index out = 0; out < outs; out++) {
        int *at = owner + out * leaves;
        for (vv_index n = leaves; n > 1; n = (n + 1) / 2)
            for (vv_index i = 0; i < n; i += 2) {
                int left = at[i], right = i + 1 < n ? at[i + 1] : -1;
                if (left >= 0 && right >= 0 && left != right) {
                    bytes += naive_state(s, out);
                    cross[left]++;
                    cross[right]++;
                }
                at[i / 2] = left >= 0 ? left : right;
            }
    }
    free(owner);
    return bytes;
}

/* What waits in the order of leaves is the same on any number of ranks; beside it there is what crosses. */
static void check_waiting(const vv_plan *p, const vv_step *s, const vv_index cross[])
{
    vv_plan alone = *p;
    vv_index most = 0;
    alone.ranks = 1;
    for (int rank = 0; rank < p->ranks; rank++) most = vv_imax(most, cross[rank]);
    vv_index waiting = vv_waiting_in_order(p, s), in_order = vv_waiting_in_order(&alone, s);
    if (s->groups.dim >= 0)
        assert_int_equal(waiting, in_order + most);
    else if (s->placement == VV_PLACE_OUTPUTS)
        assert_true(waiting >= most && waiting <= in_order + most);
}

static vv_bytes naive_gathered(const vv_plan *p, const vv_step *from)
{
    vv_bytes bytes = 0;
    for (vv_index out = 0; out < vv_step_outs(from); out++) {
        vv_box box;
        vv_grid_box(&from->grid, out, &box);
        if (vv_out_owner(from, p->ranks, out) != 0) bytes += 64 + vv_box_elements(&box) * 4;
    }
    return bytes;
}

static void test_states_and_results(void **state)
{
    (void)state;
    for (int round = 0; round < 600; round++) {
        vv_plan *p = hand_plan(1 + (int)below(9));
        vv_grid g = random_grid(1 + (int)below(3), 40);
        int x = hand_read(p, "x", &g), r = hand_step(p, VV_STEP_REDUCE, "mean", &g);
        vv_step *s = &p->step[r];
        unsigned reduced = (unsigned)below(8);
        for (int d = 0; d < g.shape.nd; d++) s->reduced[d] = reduced >> d & 1;
        s->leaf = 1 + below(4);
        s->placement = (vv_placement)below(VV_PLACEMENTS);
        for (int d = 0; d < g.shape.nd && below(2); d++)
            if (s->reduced[d] && s->groups.dim < 0) add_groups(s, d);
        hand_same(p, r, x, VV_ACCESS_CHUNK);
        must(vv_step_complete(&p->step[r]));
        int gather = hand_deliver(p, VV_STEP_GATHER, r), write = hand_deliver(p, VV_STEP_WRITE, r);
        vv_cost c = counted(p, NULL);
        vv_index cross[9] = {0};
        assert_int_equal(c.step[r].moved, naive_moved(p, &p->step[r], cross));
        check_waiting(p, &p->step[r], cross);
        assert_int_equal(c.step[gather].moved, naive_gathered(p, &p->step[r]));
        assert_int_equal(c.moved, c.step[r].moved + c.step[gather].moved);
        assert_int_equal(c.step[write].written, vv_shape_elements(&p->step[r].grid.shape) * 4);
        assert_int_equal(c.step[r].tasks, vv_step_units(&p->step[r]));
        assert_int_equal(c.step[r].tally.tasks, c.step[r].tasks);
        if (p->ranks == 1) assert_int_equal(c.moved, 0);
        vv_cost_free(&c);
        vv_plan_free(&p);
    }
}

/* --- views --- */

/* Some view of `work` onto an array of `from`: permuted, flipped, with steps, offsets and perhaps a table; part of the work space. False: it does not fit. */
static bool random_part(const vv_grid *work, const vv_grid *from, vv_part *part)
{
    int used = 0, nd = work->shape.nd;
    *part = (vv_part){.box.nd = nd, .nd = from->shape.nd, .table_dim = -1};
    for (int d = 0; d < nd; d++) {
        part->box.lo[d] = below(4) ? 0 : below(work->shape.n[d]);
        part->box.n[d] = below(4) ? work->shape.n[d] - part->box.lo[d] : 1 + below(work->shape.n[d] - part->box.lo[d]);
    }
    for (int d = 0; d < part->nd; d++) {
        vv_index n = from->shape.n[d];
        int w = (int)below(nd + 1) - 1;
        if (w >= 0 && used >> w & 1) w = -1;
        part->dim[d] = w;
        part->start[d] = below(n);
        if (w < 0) continue;
        used |= 1 << w;
        vv_index steps = part->box.n[w] - 1, most = steps ? (n - 1) / steps : 1;
        if (most < 1 || (part->table_dim < 0 && below(5) == 0)) {
            if (part->table_dim >= 0) return false;
            part->table_dim = d;
            must(vv_table_new(steps + 3, &part->table));
            for (vv_index i = 0; i < steps + 3; i++) part->table->at[i] = below(n + 1) - 1;
            part->start[d] = below(3);
            part->stride[d] = 1;
            continue;
        }
        part->stride[d] = 1 + below(most);
        vv_index slack = n - 1 - part->stride[d] * steps;
        part->start[d] = below(slack + 1);
        if (below(3) == 0) {
            part->start[d] = n - 1 - part->start[d];
            part->stride[d] = -part->stride[d];
        }
    }
    return true;
}

/* Source indices of a target element; false when there are none. */
static bool element_of(const vv_part *part, const vv_index at[], vv_index out[])
{
    for (int d = 0; d < part->box.nd; d++)
        if (at[d] < part->box.lo[d] || at[d] >= part->box.lo[d] + part->box.n[d]) return false;
    for (int d = 0; d < part->nd; d++) {
        out[d] = vv_part_index(part, d, part->dim[d] < 0 ? 0 : at[part->dim[d]]);
        if (out[d] < 0) return false;
    }
    return true;
}

/* --- reading --- */

typedef struct naive_read {
    const vv_chunk_at *index;
    bool *wanted, *ever;
    vv_bytes read;
} naive_read;

static void read_box_naively(const vv_edge *e, vv_index key, const vv_grid *g, naive_read *n)
{
    vv_box box;
    vv_edge_box(e, key, &box);
    for (int j = 0; j < e->n_parts; j++) {
        memset(n->wanted, 0, (size_t)vv_grid_chunks(g));
        vv_index at[VV_MAX_DIMS] = {0}, target[VV_MAX_DIMS], source[VV_MAX_DIMS], coords[VV_MAX_DIMS];
        do {
            for (int d = 0; d < box.nd; d++) target[d] = box.lo[d] + at[d];
            if (!element_of(&e->part[j], target, source)) continue;
            for (int d = 0; d < g->shape.nd; d++) coords[d] = vv_grid_at(g, d, source[d]);
            vv_index k = vv_grid_number(g, coords);
            n->wanted[k] = n->ever[k] = true;
        } while (vv_odometer(box.nd, box.n, at));
        for (vv_index k = 0; k < vv_grid_chunks(g); k++)
            if (n->wanted[k] && n->index[k].address >= 0) n->read += n->index[k].size;
    }
}

static vv_bytes read_naively(const vv_plan *p, int step, const vv_chunk_at *index, vv_bytes *wanted)
{
    const vv_step *s = &p->step[step];
    const vv_grid *g = &p->source[0].stored;
    size_t chunks = (size_t)vv_grid_chunks(g);
    naive_read n = {index, calloc(chunks, 1), calloc(chunks, 1), 0};
    vv_edge e;
    must(vv_edge_make(p, step, 0, &e));
    for (vv_index u = 0; u < vv_step_units(s); u++) {
        vv_unit unit = vv_place_unit(s, 0, 1, u);
        vv_index coords[VV_MAX_DIMS], last = -1;
        for (vv_index k = 0; k < vv_unit_chunks(s, unit); k++) {
            vv_unit_coords(s, unit, k, coords);
            vv_index key = vv_edge_key(&e, coords);
            if (key != last) read_box_naively(&e, key, g, &n);
            last = key;
        }
    }
    *wanted = 0;
    for (size_t k = 0; k < chunks; k++)
        if (n.ever[k] && index[k].address >= 0) *wanted += index[k].size;
    vv_edge_free(&e);
    free(n.wanted);
    free(n.ever);
    return n.read;
}

static void test_boxes_read(void **state)
{
    (void)state;
    for (int round = 0; round < 500; round++) {
        vv_plan *p = hand_plan(1 + (int)below(4));
        vv_grid g = random_grid(1 + (int)below(3), 14), work = random_grid(1 + (int)below(3), 12);
        vv_part part;
        int x = hand_read(p, "x", &g), r = hand_step(p, VV_STEP_REDUCE, "mean", &work);
        vv_step *s = &p->step[r];
        for (int d = 0; d < work.shape.nd; d++) s->reduced[d] = below(2);
        s->leaf = 1 + below(3);
        s->placement = (vv_placement)below(VV_PLACEMENTS);
        if (s->reduced[0] && below(3) == 0) add_groups(s, 0);
        if (!random_part(&work, &g, &part)) {
            vv_part_free(&part);
            vv_plan_free(&p);
            continue;
        }
        hand_input(p, r, x, VV_ACCESS_BOX, &part);
        for (int d = 0; d < work.shape.nd && below(2); d++) p->step[r].input[0].before[d] = below(3);
        must(vv_step_complete(&p->step[r]));
        vv_chunk_at *index = calloc((size_t)vv_grid_chunks(&g), sizeof *index);
        for (vv_index k = 0; k < vv_grid_chunks(&g); k++)
            index[k] = (vv_chunk_at){below(6) ? 1000 * k : -1, (uint32_t)(1 + below(5000)), 0};
        vv_bytes wanted, read = read_naively(p, r, index, &wanted);
        vv_cost c = counted(p, (const vv_chunk_at *const[]){index});
        assert_int_equal(c.read, read);
        assert_int_equal(c.step[x].read, read);
        assert_int_equal(c.step[r].tally.read, read);
        assert_int_equal(c.step[x].wanted, wanted);
        vv_cost_free(&c);
        free(index);
        vv_plan_free(&p);
    }
}

/* Counting may take minutes, and only here a signal is seen meanwhile. */
static void test_signals_end_the_counting(void **state)
{
    (void)state;
    static const struct {
        int signal;
        vv_status status;
    } sent[] = {{SIGTERM, VV_ERR_TERMINATED}, {SIGUSR2, VV_ERR_TERMINATED}, {SIGINT, VV_ERR_INTERRUPTED}};
    vv_grid g = hand_grid(2, (vv_index[]){100, 70}, (vv_index[]){10, 10});
    vv_plan *p = hand_anomaly(3, &g, 4);
    vv_cost c;
    must(vv_cost_of(p, &c));
    for (size_t i = 0; i < sizeof sent / sizeof *sent; i++) {
        vv_stop_signal = sent[i].signal;
        assert_int_equal(vv_cost_count(p, NULL, &c), sent[i].status);
    }
    vv_stop_signal = 0;
    must(vv_cost_count(p, NULL, &c));
    vv_cost_free(&c);
    vv_plan_free(&p);
}

static void test_every_byte_once(void **state)
{
    (void)state;
    vv_grid g = hand_grid(2, (vv_index[]){100, 70}, (vv_index[]){10, 10});
    vv_plan *p = hand_anomaly(3, &g, 4);
    p->source[0].total = 12347; /* does not divide by the number of chunks */
    vv_cost c = counted(p, NULL);
    assert_int_equal(c.read, 2 * 12347);
    assert_int_equal(c.step[0].wanted, 12347);
    assert_int_equal(c.step[1].tally.read, 12347);
    assert_int_equal(c.step[1].tally.elements, 7000);
    assert_int_equal(c.step[1].tally.inflated, 7000 * 4);
    vv_cost_free(&c);
    p->source[0].generated = true;
    c = counted(p, NULL);
    assert_int_equal(c.read, 0);
    vv_cost_free(&c);
    vv_plan_free(&p);
}

/* --- pushing --- */

/* Owner of the output chunk of `from` that holds a source element. */
static int producer(const vv_plan *p, const vv_step *from, const vv_index at[])
{
    vv_index coords[VV_MAX_DIMS];
    for (int d = 0; d < from->grid.shape.nd; d++) coords[d] = vv_grid_at(&from->grid, d, at[d]);
    return vv_out_owner(from, p->ranks, vv_grid_number(&from->grid, coords));
}

static void push_naively(const vv_plan *p, int step, vv_bytes *pushed, vv_bytes *remote)
{
    const vv_step *s = &p->step[step];
    vv_edge e;
    must(vv_edge_make(p, step, 0, &e));
    for (vv_index key = 0; key < e.keys; key++) {
        vv_box box;
        vv_edge_box(&e, key, &box);
        for (int rank = 0; rank < p->ranks; rank++) {
            bool wants = false;
            vv_index coords[VV_MAX_DIMS], at[VV_MAX_DIMS] = {0}, target[VV_MAX_DIMS], source[VV_MAX_DIMS];
            for (vv_index u = 0; u < vv_place_count(s, rank, p->ranks); u++) {
                vv_unit_coords(s, vv_place_unit(s, rank, p->ranks, u), 0, coords);
                wants = wants || vv_edge_key(&e, coords) == key;
            }
            if (!wants) continue;
            do {
                for (int d = 0; d < box.nd; d++) target[d] = box.lo[d] + at[d];
                if (!element_of(&e.part[0], target, source)) continue;
                *pushed += 4;
                if (producer(p, &p->step[e.part[0].from], source) != rank) *remote += 4;
            } while (vv_odometer(box.nd, box.n, at));
        }
    }
    vv_edge_free(&e);
}

static void test_pushed(void **state)
{
    (void)state;
    for (int round = 0; round < 300; round++) {
        vv_plan *p = hand_plan(1 + (int)below(4));
        vv_grid g = random_grid(1 + (int)below(2), 12), work = random_grid(1 + (int)below(3), 10);
        vv_part part;
        int x = hand_read(p, "x", &g), a = hand_step(p, VV_STEP_MAP, "a", &g);
        hand_same(p, a, x, VV_ACCESS_CHUNK);
        p->step[a].placement = (vv_placement)below(VV_PLACEMENTS);
        must(vv_step_complete(&p->step[a]));
        int b = hand_step(p, VV_STEP_MAP, "b", &work);
        p->step[b].placement = (vv_placement)below(VV_PLACEMENTS);
        if (!random_part(&work, &g, &part)) {
            vv_part_free(&part);
            vv_plan_free(&p);
            continue;
        }
        hand_input(p, b, a, VV_ACCESS_PUSH, &part);
        for (int d = 0; d < work.shape.nd; d++) p->step[b].input[0].after[d] = below(2);
        must(vv_step_complete(&p->step[b]));
        vv_bytes pushed = 0, remote = 0;
        push_naively(p, b, &pushed, &remote);
        vv_cost c = counted(p, NULL);
        assert_int_equal(c.step[a].tally.pushed, pushed);
        vv_bytes heads = c.step[a].moved - remote; /* one for each piece, several of which share a message */
        assert_true(heads % VV_MESSAGE_HEAD == 0 && heads >= VV_MESSAGE_HEAD * c.step[a].tally.messages);
        assert_int_equal(c.step[a].tally.messages > 0, remote > 0);
        assert_int_equal(c.step[b].tally.pushed, 0);
        vv_edge e;
        must(vv_edge_make(p, b, 0, &e));
        if (vv_edge_is_local(p, &e)) assert_int_equal(remote, 0);
        vv_edge_free(&e);
        assert_true((remote > 0) == (c.step[a].tally.messages > 0));
        vv_cost_free(&c);
        vv_plan_free(&p);
    }
}

/* --- samples --- */

static void test_samples_agree_with_all(void **state)
{
    (void)state;
    vv_grid g = hand_grid(2, (vv_index[]){64000, 40}, (vv_index[]){10, 10});
    vv_plan *p = hand_anomaly(2, &g, 8);
    vv_counter *c;
    vv_tally all[8] = {{0}}, some[8] = {{0}};
    must(vv_counter_new(p, NULL, &c));
    must(vv_tally_rank(c, 1, 0, all));
    must(vv_tally_rank(c, 1, 100, some));
    for (int i = 0; i < p->n_steps; i++) {
        assert_int_equal(some[i].tasks, all[i].tasks);
        assert_in_range(some[i].read, all[i].read * 98 / 100, all[i].read * 102 / 100);
        assert_in_range(some[i].elements, all[i].elements * 98 / 100, all[i].elements * 102 / 100);
    }
    vv_counter_free(&c);
    vv_plan_free(&p);
}

/* --- memory --- */

static vv_memory memory_of(const vv_plan *p)
{
    vv_memory m;
    must(vv_memory_of(p, &m));
    return m;
}

static void test_memory_follows_what_is_held(void **state)
{
    (void)state;
    vv_grid g = hand_grid(3, (vv_index[]){4000, 400, 400}, (vv_index[]){10, 200, 200});
    vv_plan *p = hand_anomaly(1, &g, 4);
    vv_memory m = memory_of(p);
    vv_bytes chunk = 10 * 200 * 200 * 4, means = 400 * 400 * 4;
    assert_in_range(m.buffers, 2 * chunk,
                    4 * chunk + (1 << 20)); /* a chunk as stored and as inflated, and what is written */
    assert_in_range(m.inboxes, means, means * 11 / 10);
    assert_int_equal(m.held, m.inboxes); /* every mean is wanted until the end */
    p->threads = 4;
    vv_memory four = memory_of(p);
    assert_true(four.buffers > 3 * m.buffers && four.buffers <= 4 * m.buffers);
    p->threads = 1;
    p->step[1].placement = VV_PLACE_LEAVES;
    assert_true(memory_of(p).states > 2 * m.states); /* all outputs are open at once */
    p->step[1].placement = VV_PLACE_OUTPUTS;
    p->store = 0;
    vv_memory spilling = memory_of(p);
    assert_true(spilling.buffers > m.buffers); /* room to read an inbox back */
    assert_int_equal(spilling.least, spilling.largest);
    vv_plan_free(&p);
}

static void test_streaming_edges_hold_a_frontier(void **state)
{
    (void)state;
    vv_grid g = hand_grid(2, (vv_index[]){10000, 100}, (vv_index[]){10, 100}),
            other = hand_grid(2, (vv_index[]){10000, 100}, (vv_index[]){7, 50});
    vv_plan *p = hand_plan(1);
    int x = hand_read(p, "x", &g), a = hand_step(p, VV_STEP_MAP, "a", &g);
    hand_same(p, a, x, VV_ACCESS_CHUNK);
    must(vv_step_complete(&p->step[a]));
    int b = hand_step(p, VV_STEP_MAP, "b", &other);
    hand_same(p, b, a, VV_ACCESS_PUSH);
    must(vv_step_complete(&p->step[b]));
    vv_memory m = memory_of(p);
    assert_in_range(m.inboxes, 10000 * 100 * 4, 10000 * 100 * 4 * 5 / 4);
    assert_in_range(m.held, 4 * 7 * 50 * 4, m.inboxes / 20);
    /* Turned over: the last chunk is wanted first. */
    p->step[b].input[0].part[0].start[0] = 9999;
    p->step[b].input[0].part[0].stride[0] = -1;
    m = memory_of(p);
    assert_int_equal(m.held, m.inboxes);
    vv_plan_free(&p);
}

/* Bands of 10 rows into inboxes of 50 rows and 20 columns, on two ranks. */
static void test_what_a_rank_makes_itself(void **state)
{
    (void)state;
    vv_grid g = hand_grid(2, (vv_index[]){1000, 200}, (vv_index[]){10, 200}),
            tiles = hand_grid(2, (vv_index[]){1000, 200}, (vv_index[]){50, 20});
    vv_plan *p = hand_plan(2);
    int x = hand_read(p, "x", &g), a = hand_step(p, VV_STEP_MAP, "a", &g);
    hand_same(p, a, x, VV_ACCESS_CHUNK);
    must(vv_step_complete(&p->step[a]));
    int b = hand_step(p, VV_STEP_MAP, "b", &tiles);
    hand_same(p, b, a, VV_ACCESS_PUSH);
    must(vv_step_complete(&p->step[b]));
    vv_edge e;
    must(vv_edge_make(p, b, 0, &e));
    assert_true(vv_edge_is_local(p, &e)); /* both are cut at row 500 */
    vv_bytes layer = 50 * 200 * 4;
    vv_memory m = memory_of(p);
    assert_int_equal(m.messages, 0);
    assert_in_range(m.held, layer, layer * 11 / 10);
    vv_edge_free(&e);
    p->ranks = 3; /* not at a border of tiles */
    must(vv_edge_make(p, b, 0, &e));
    assert_false(vv_edge_is_local(p, &e));
    vv_edge_free(&e);
    m = memory_of(p);
    assert_true(m.messages > 0 && m.held > layer && m.held <= 3 * layer * 11 / 10);
    p->ranks = 2;
    p->step[b].input[0].after[0] = 1; /* a halo reaches over the border */
    assert_true(memory_of(p).messages > 0);
    vv_plan_free(&p);
}

/* Parts of a plan that have nothing to do with each other are counted one at a time, unless they are small. */
static void test_acts(void **state)
{
    (void)state;
    enum { PARTS = 3 };
    for (int large = 0; large < 2; large++) {
        vv_index side = large ? 2000 : 20;
        vv_grid g = hand_grid(3, (vv_index[]){40, side, side}, (vv_index[]){10, side, side});
        vv_plan *p = hand_plan(1), *one = hand_plan(1);
        int act[4 * PARTS], n;
        for (int i = 0; i <= PARTS; i++) {
            vv_plan *to = i < PARTS ? p : one;
            int x = hand_read(to, "x", &g), r = hand_step(to, VV_STEP_REDUCE, "mean", &g);
            to->step[r].reduced[0] = true;
            hand_same(to, r, x, VV_ACCESS_CHUNK);
            must(vv_step_complete(&to->step[r]));
        }
        must(vv_acts_of(p, act, &n));
        assert_int_equal(n, large ? PARTS : 1);
        assert_int_equal(act[2 * PARTS - 1], large ? PARTS - 1 : 0);
        assert_int_equal(memory_of(p).states, memory_of(one).states * (large ? 1 : PARTS));
        vv_plan_free(&p);
        vv_plan_free(&one);
    }
}

/* A load that walks band by band, or tile by tile, into inboxes with all of time for each row: one band, or tile, is held. */
static void test_series_of_bands(void **state)
{
    (void)state;
    const vv_index chunk[2][3] = {{6, 30, 100}, {50, 50, 24}};
    const int order[2][3] = {{1, 0, 2}, {1, 2, 0}};
    for (int k = 0; k < 2; k++) {
        vv_index n[] = {600, 200, 100}, wanted[] = {600, 1, 50}, walked[3];
        for (int d = 0; d < 3; d++) walked[d] = n[order[k][d]];
        vv_grid series = hand_grid(3, n, wanted), load = hand_grid(3, walked, (vv_index *)chunk[k]);
        vv_plan *p = hand_plan(2);
        int x = hand_read(p, "x", &load), a = hand_step(p, VV_STEP_MAP, "a", &load);
        hand_same(p, a, x, VV_ACCESS_CHUNK);
        must(vv_step_complete(&p->step[a]));
        int b = hand_step(p, VV_STEP_MAP, "b", &series);
        vv_part part;
        vv_part_same(&series.shape, &part);
        for (int d = 0; d < 3; d++) part.dim[d] = order[k][d];
        hand_input(p, b, a, VV_ACCESS_PUSH, &part);
        must(vv_step_complete(&p->step[b]));
        vv_memory m = memory_of(p);
        vv_bytes held = 600 * 4 * (k ? 50 * 50 : 6 * 100), border = 600 * 4 * 6 * 100;
        assert_in_range(m.held, held, held * 5 / 4 + border);
        assert_in_range(m.inboxes, 600 * 200 * 100 * 4 / 2, 600 * 200 * 100 * 4 * 3 / 4);
        vv_plan_free(&p);
    }
}

static void test_transposed_rows_wait_for_everything(void **state)
{
    (void)state;
    vv_grid g = hand_grid(2, (vv_index[]){500, 300}, (vv_index[]){1, 300}),
            t = hand_grid(2, (vv_index[]){300, 500}, (vv_index[]){1, 500});
    vv_plan *p = hand_plan(2);
    int x = hand_read(p, "x", &g), a = hand_step(p, VV_STEP_MAP, "a", &g);
    hand_same(p, a, x, VV_ACCESS_CHUNK);
    must(vv_step_complete(&p->step[a]));
    int b = hand_step(p, VV_STEP_MAP, "b", &t);
    vv_part part;
    vv_part_same(&t.shape, &part);
    part.dim[0] = 1;
    part.dim[1] = 0;
    hand_input(p, b, a, VV_ACCESS_PUSH, &part);
    must(vv_step_complete(&p->step[b]));
    vv_memory m = memory_of(p);
    vv_bytes half = 500 * 300 * 4 / 2;
    assert_in_range(m.held, half, half * 5 / 4); /* of one of two ranks */
    assert_int_equal(m.held, m.inboxes);
    vv_plan_free(&p);
}

/* A load in bands (y, t, x) of what is wanted as (t, y, x) in chunks of all t: one band is loaded while the one before is used up. */
static void test_bands_are_held_one_by_one(void **state)
{
    (void)state;
    vv_grid g = hand_grid(3, (vv_index[]){200, 1000, 100}, (vv_index[]){10, 50, 100}),
            wanted = hand_grid(3, (vv_index[]){1000, 200, 100}, (vv_index[]){1000, 10, 20});
    vv_plan *p = hand_plan(1);
    int x = hand_read(p, "x", &g), a = hand_step(p, VV_STEP_MAP, "a", &g);
    hand_same(p, a, x, VV_ACCESS_CHUNK);
    must(vv_step_complete(&p->step[a]));
    int b = hand_step(p, VV_STEP_MAP, "b", &wanted);
    vv_part part;
    vv_part_same(&wanted.shape, &part);
    part.dim[0] = 1;
    part.dim[1] = 0;
    hand_input(p, b, a, VV_ACCESS_PUSH, &part);
    must(vv_step_complete(&p->step[b]));
    vv_bytes band = 1000 * 10 * 100 * 4;
    vv_memory m = memory_of(p);
    assert_in_range(m.held, 2 * band, 2 * band * 11 / 10);
    p->ranks = 3; /* a border in the middle of a band: its inboxes wait for the neighbour */
    m = memory_of(p);
    assert_in_range(m.held, 2 * band, 4 * band * 11 / 10);
    /* Cut along t as well, the rows follow each other in another order than the bands. */
    p->ranks = 1;
    p->step[b].work.chunk[0] = p->step[b].grid.chunk[0] = 500;
    m = memory_of(p);
    assert_int_equal(m.held, m.inboxes);
    vv_plan_free(&p);
}

static void test_groups_have_states_of_their_own(void **state)
{
    (void)state;
    vv_grid g = hand_grid(2, (vv_index[]){120, 90}, (vv_index[]){12, 90});
    vv_plan *p = hand_plan(1);
    int x = hand_read(p, "x", &g), r = hand_step(p, VV_STEP_REDUCE, "mean", &g);
    p->step[r].reduced[0] = true;
    p->step[r].groups = (vv_groups){.dim = 0, .n = 12, .chunk = 5};
    must(vv_table_new(120, &p->step[r].groups.label));
    for (vv_index i = 0; i < 120; i++) p->step[r].groups.label->at[i] = i % 12;
    hand_same(p, r, x, VV_ACCESS_CHUNK);
    must(vv_step_complete(&p->step[r]));
    vv_work w;
    must(vv_work_bytes(p, &p->step[r], &w));
    assert_int_equal(w.groups, 5);
    assert_int_equal(w.cells, 90);
    assert_int_equal(w.state, 64 + 5 * vv_state_bytes(&p->step[r], 90));
    vv_cost c = counted(p, NULL);
    assert_int_equal(c.read,
                     3 * p->source[0].total); /* every chunk has all twelve: it is read for 5, 5 and 2 of them */
    assert_int_equal(c.step[x].wanted, p->source[0].total);
    vv_cost_free(&c);
    vv_plan_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states_and_results),
        cmocka_unit_test(test_boxes_read),
        cmocka_unit_test(test_signals_end_the_counting),
        cmocka_unit_test(test_every_byte_once),
        cmocka_unit_test(test_pushed),
        cmocka_unit_test(test_samples_agree_with_all),
        cmocka_unit_test(test_memory_follows_what_is_held),
        cmocka_unit_test(test_streaming_edges_hold_a_frontier),
        cmocka_unit_test(test_what_a_rank_makes_itself),
        cmocka_unit_test(test_acts),
        cmocka_unit_test(test_series_of_bands),
        cmocka_unit_test(test_transposed_rows_wait_for_everything),
        cmocka_unit_test(test_groups_have_states_of_their_own),
        cmocka_unit_test(test_bands_are_held_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
