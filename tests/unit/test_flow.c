/* Flow: producers' pieces fill every inbox exactly once, with what the view says; whoever waits for an inbox is found. */
#include "scratch.h"

#include "plan/flow.h"

static vv_index below(vv_index n)
{
    return rand() % n;
}

/* --- a random plan: one or two producers, and one step whose only input is a view of them --- */

static void random_grid(vv_grid *g, bool shifted)
{
    g->shape.nd = 1 + (int)below(3);
    for (int d = 0; d < g->shape.nd; d++) {
        g->shape.n[d] = 1 + below(8);
        g->chunk[d] = 1 + below(5);
        g->shift[d] = shifted && vv_ceil_div(g->shape.n[d], g->chunk[d]) > 1 ? below(g->chunk[d]) : 0;
    }
}

static void add_producer(vv_plan *p)
{
    vv_step *s;
    must(vv_plan_add_step(p, VV_STEP_MAP, "producer", &s));
    random_grid(&s->work, true);
    s->n_results = 1;
    must(vv_step_complete(s));
}

/* A view of the producer in this box of the work space. */
static vv_part random_part(const vv_plan *p, int from, const vv_box *box, bool with_table)
{
    const vv_grid *g = &p->step[from].grid;
    vv_part part = {.from = from, .box = *box, .nd = g->shape.nd, .table_dim = -1};
    int table_dim = with_table ? (int)below(part.nd) : -1;
    for (int d = 0; d < part.nd; d++) {
        vv_index n = g->shape.n[d], stride = 1 + below(2);
        part.dim[d] = below(4) && box->nd > 0 ? (int)below(box->nd) : -1;
        if (d == table_dim) part.dim[d] = (int)below(box->nd);
        vv_index reach = part.dim[d] < 0 ? 0 : box->n[part.dim[d]] - 1;
        if (d == table_dim) {
            part.table_dim = d;
            must(vv_table_new(reach + 1 + below(3), &part.table));
            for (vv_index i = 0; i < part.table->n; i++) part.table->at[i] = below(3) ? below(n + 1) - 1 : i % n;
            n = part.table->n;
        }
        if (reach * stride >= n) stride = 1;
        if (reach * stride >= n) part.dim[d] = -1;
        if (part.dim[d] < 0) {
            part.start[d] = below(n);
            if (d == table_dim) {
                vv_table_free(&part.table);
                part.table_dim = -1;
                part.start[d] = below(g->shape.n[d]);
            }
            continue;
        }
        bool back = below(2);
        part.stride[d] = back ? -stride : stride;
        part.start[d] = (back ? reach * stride : 0) + below(n - reach * stride);
    }
    return part;
}

/* Parts side by side along the first dimension, perhaps with a gap. */
static void add_parts(vv_plan *p, vv_step *s, vv_input *in)
{
    vv_index n = s->work.shape.n[0], cut = n > 1 && below(2) ? 1 + below(n - 1) : n;
    vv_box box = {.nd = s->work.shape.nd};
    memcpy(box.n, s->work.shape.n, sizeof box.n);
    box.n[0] = cut;
    bool alone = cut == n, table = below(3) == 0;
    vv_part part = random_part(p, (int)below(2), &box, table);
    in->lookup = alone && part.table_dim >= 0 && below(2);
    for (int d = 0; in->lookup && d < part.nd; d++) /* look-ups alone follow their dimension */
        if (d != part.table_dim && part.dim[d] == part.dim[part.table_dim]) in->lookup = false;
    must(vv_input_add_part(in, &part));
    if (alone) return;
    box.lo[0] = cut + below(n - cut);
    box.n[0] = n - box.lo[0];
    part = random_part(p, (int)below(2), &box, below(3) == 0);
    must(vv_input_add_part(in, &part));
}

static vv_plan *random_plan(void)
{
    vv_plan *p;
    vv_step *s;
    vv_input *in;
    must(vv_plan_new(&p));
    add_producer(p);
    add_producer(p);
    must(vv_plan_add_step(p, below(2) ? VV_STEP_REDUCE : VV_STEP_MAP, "consumer", &s));
    random_grid(&s->work, true);
    s->n_results = 1;
    for (int d = 0; d < s->work.shape.nd; d++) s->reduced[d] = s->op == VV_STEP_REDUCE && below(2);
    if (s->op == VV_STEP_REDUCE) s->leaf = 1 + below(3);
    s->placement = (vv_placement)below(VV_PLACEMENTS);
    if (s->reduced[0] && below(2)) {
        s->groups = (vv_groups){.dim = 0, .n = 3, .chunk = 1 + below(3)};
        must(vv_table_new(s->work.shape.n[0], &s->groups.label));
        for (vv_index i = 0; i < s->groups.label->n; i++) s->groups.label->at[i] = below(4) - 1;
    }
    must(vv_step_add_input(s, &in));
    in->access = VV_ACCESS_PUSH;
    add_parts(p, s, in);
    for (int d = 0; d < s->work.shape.nd && !in->lookup; d++) {
        in->before[d] = below(3) ? 0 : below(3);
        in->after[d] = below(3) ? 0 : below(3);
    }
    must(vv_step_complete(s));
    return p;
}

/* --- what must be in an inbox --- */

enum { FILL = -1 };

/* Where the element of a producer is that position w of the inboxes' space wants: step * 10000 + linear index. */
static int wanted(const vv_edge *e, const vv_index w[])
{
    for (int j = 0; j < e->n_parts; j++) {
        const vv_part *p = &e->part[j];
        const vv_grid *g = &e->plan->step[p->from].grid;
        bool in = true;
        for (int d = 0; d < p->box.nd; d++) in = in && w[d] >= p->box.lo[d] && w[d] < p->box.lo[d] + p->box.n[d];
        vv_index number = 0;
        for (int d = 0; d < p->nd && in; d++) {
            vv_index at = vv_part_index(p, d, p->dim[d] < 0 ? 0 : w[p->dim[d]]);
            if (at < 0) in = false;
            number = number * g->shape.n[d] + at;
        }
        if (in) return p->from * 10000 + (int)number;
    }
    return FILL;
}

typedef struct inboxes {
    int **at; /* by key */
    vv_index *due;
} inboxes;

static inboxes open_inboxes(const vv_edge *e)
{
    inboxes b = {calloc((size_t)e->keys, sizeof *b.at), calloc((size_t)e->keys, sizeof *b.due)};
    for (vv_index key = 0; key < e->keys; key++) {
        vv_box box;
        vv_edge_box(e, key, &box);
        vv_index n = vv_box_elements(&box);
        b.at[key] = malloc(sizeof(int) * (size_t)(n + 1));
        for (vv_index i = 0; i < n; i++) b.at[key][i] = FILL;
        b.due[key] = vv_edge_due(e, key);
    }
    return b;
}

typedef struct put {
    inboxes *boxes;
    int producer;
    vv_index out;
} put;

static vv_status put_piece(void *context, const vv_edge *e, int part, vv_index key, const vv_box *piece)
{
    const put *p = context;
    vv_box box, chunk;
    vv_index first, stride[VV_MAX_DIMS], at[VV_MAX_DIMS] = {0};
    const vv_grid *g = &e->plan->step[p->producer].grid;
    assert_true(key >= 0 && key < e->keys);
    vv_edge_box(e, key, &box);
    vv_grid_box(g, p->out, &chunk);
    vv_piece_strides(e, part, p->out, piece, NULL, &first, stride);
    do {
        vv_index in_box = 0, in_chunk = first, number = 0, rest, digits[VV_MAX_DIMS];
        for (int d = 0; d < piece->nd; d++) {
            vv_index w = piece->lo[d] + at[d];
            assert_true(w >= box.lo[d] && w < box.lo[d] + box.n[d]);
            in_box = in_box * box.n[d] + w - box.lo[d];
            in_chunk += at[d] * stride[d];
        }
        assert_true(in_chunk >= 0 && in_chunk < vv_box_elements(&chunk));
        rest = in_chunk;
        for (int d = chunk.nd - 1; d >= 0; d--) {
            digits[d] = rest % chunk.n[d] + chunk.lo[d];
            rest /= chunk.n[d];
        }
        for (int d = 0; d < chunk.nd; d++) number = number * g->shape.n[d] + digits[d];
        assert_int_equal(p->boxes->at[key][in_box], FILL); /* nobody came before */
        p->boxes->at[key][in_box] = p->producer * 10000 + (int)number;
        p->boxes->due[key]--;
    } while (vv_odometer(piece->nd, piece->n, at));
    return VV_OK;
}

static void fill_inboxes(const vv_edge *e, inboxes *b)
{
    for (int j = 0; j < e->n_parts; j++)
        for (vv_index out = 0; out < vv_grid_chunks(&e->plan->step[e->part[j].from].grid); out++) {
            put p = {b, e->part[j].from, out};
            must(vv_edge_pieces(e, j, out, put_piece, &p));
        }
}

static void check_inboxes(const vv_edge *e, const inboxes *b)
{
    for (vv_index key = 0; key < e->keys; key++) {
        vv_box box;
        vv_edge_box(e, key, &box);
        assert_int_equal(b->due[key], 0);
        vv_index at[VV_MAX_DIMS] = {0}, w[VV_MAX_DIMS], i = 0;
        do {
            for (int d = 0; d < box.nd; d++) w[d] = box.lo[d] + at[d];
            assert_int_equal(b->at[key][i++], wanted(e, w));
        } while (vv_odometer(box.nd, box.n, at));
    }
}

/* A work chunk finds all of its elements, with the halo, in the inbox of its key. */
static void check_chunks(const vv_edge *e)
{
    const vv_step *s = &e->plan->step[e->step];
    const vv_input *in = &s->input[e->input];
    for (vv_index c = 0; c < vv_grid_chunks(&s->work); c++) {
        vv_index coords[VV_MAX_DIMS];
        vv_box work, box;
        vv_grid_coords(&s->work, c, coords);
        vv_grid_box_at(&s->work, coords, &work);
        vv_edge_box(e, vv_edge_key(e, coords), &box);
        for (int d = 0; d < box.nd; d++) {
            if (!e->follows[d]) {
                assert_int_equal(box.n[d], 1);
            } else if (d != e->lookup) {
                assert_int_equal(box.lo[d], work.lo[d] - in->before[d]);
                assert_int_equal(box.n[d], work.n[d] + in->before[d] + in->after[d]);
            } else {
                const vv_part *p = &in->part[0];
                for (vv_index w = work.lo[d]; w < work.lo[d] + work.n[d]; w++) {
                    vv_index i = vv_part_index(p, p->table_dim, w);
                    assert_true(i < 0 || (i >= box.lo[d] && i < box.lo[d] + box.n[d]));
                }
            }
        }
    }
}

static void pieces_fill_inboxes(void **state)
{
    (void)state;
    srand(1);
    for (int round = 0; round < 4000; round++) {
        vv_plan *p = random_plan();
        vv_edge e;
        must(vv_edge_make(p, 2, 0, &e));
        inboxes b = open_inboxes(&e);
        fill_inboxes(&e, &b);
        check_inboxes(&e, &b);
        check_chunks(&e);
        for (vv_index key = 0; key < e.keys; key++) free(b.at[key]);
        free(b.at);
        free(b.due);
        vv_edge_free(&e);
        vv_plan_free(&p);
    }
}

/* --- who waits --- */

/* Uses of an inbox by (unit, chunk), counted over the units of a rank. */
static vv_index uses(const vv_edge *e, vv_index key, int rank, int ranks)
{
    const vv_step *s = &e->plan->step[e->step];
    vv_index n = 0, coords[VV_MAX_DIMS];
    for (vv_index p = 0; p < vv_place_count(s, rank, ranks); p++) {
        vv_unit u = vv_place_unit(s, rank, ranks, p);
        for (vv_index k = 0; k < vv_unit_chunks(s, u); k++) {
            vv_unit_coords(s, u, k, coords);
            n += vv_edge_key(e, coords) == key;
        }
    }
    return n;
}

static void check_waiting(const vv_edge *e, vv_index key, int ranks)
{
    bool want[8];
    int n = vv_edge_ranks(e, key, ranks, want), counted = 0;
    for (int rank = 0; rank < ranks; rank++) {
        vv_index due = uses(e, key, rank, ranks), found = 0, coords[VV_MAX_DIMS];
        vv_waiting w = {.edge = e, .key = key, .rank = rank, .ranks = ranks};
        vv_unit u;
        while (vv_waiting_next(&w, &u, coords)) {
            assert_int_equal(vv_place_owner(&e->plan->step[e->step], ranks, u), rank);
            assert_int_equal(vv_edge_key(e, coords), key);
            found++;
        }
        assert_int_equal(found, due);
        assert_int_equal(want[rank], due > 0);
        counted += due > 0;
    }
    assert_int_equal(n, counted);
}

static void everyone_who_waits_is_found(void **state)
{
    (void)state;
    srand(2);
    for (int round = 0; round < 800; round++) {
        vv_plan *p = random_plan();
        vv_edge e;
        must(vv_edge_make(p, 2, 0, &e));
        for (vv_index key = 0; key < e.keys; key++)
            for (int ranks = 1; ranks <= 4; ranks++) check_waiting(&e, key, ranks);
        vv_edge_free(&e);
        vv_plan_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_fill_inboxes),
        cmocka_unit_test(everyone_who_waits_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
