/* Counting chunk by chunk what ranks will read, move and write. It follows each rank through its units as the engine will. */
#include "base/stop.h"
#include "plan/copy.h"
#include "plan/cost/cost.h"

#include <stdlib.h>
#include <string.h>

/* What was read of a source so far, by anybody. */
typedef struct seen {
    unsigned char *chunk; /* a bit for each */
    bool any;
    vv_box region; /* of data without chunks: what encloses everything read */
    vv_bytes wanted;
} seen;

struct vv_counter {
    const vv_plan *plan;
    const vv_chunk_at *const *index;
    int *first_edge; /* by step: its first input's edge; edges of inputs that need none are empty */
    vv_edge *edge;
    int n_edges;
    seen *seen; /* by source */
    /* Coordinates along each dimension of a source that a box wants. */
    vv_index *list[VV_MAX_DIMS], n[VV_MAX_DIMS];
    /* By rank: bytes in the parcel that is open for it. */
    vv_bytes *parcel;
    /* Ranks that want the inbox asked about last. */
    bool *want;
    int wanting;
    const vv_edge *want_edge;
    vv_index want_key;
};

/* --- making one --- */

static vv_status make_edges(vv_counter *c)
{
    const vv_plan *p = c->plan;
    for (int i = 0; i < p->n_steps; i++) {
        c->first_edge[i] = c->n_edges;
        c->n_edges += p->step[i].n_inputs;
    }
    VV_TRY(vv_new(&c->edge, (size_t)c->n_edges + 1, sizeof *c->edge));
    for (int i = 0; i < p->n_steps; i++)
        for (int k = 0; k < p->step[i].n_inputs; k++) VV_TRY(vv_edge_make(p, i, k, &c->edge[c->first_edge[i] + k]));
    return VV_OK;
}

static vv_status make_seen(vv_counter *c)
{
    const vv_plan *p = c->plan;
    VV_TRY(vv_new(&c->seen, (size_t)p->n_sources + 1, sizeof *c->seen));
    for (int i = 0; i < p->n_sources; i++)
        if (p->source[i].chunked)
            VV_TRY(vv_new(&c->seen[i].chunk, (size_t)vv_grid_chunks(&p->source[i].stored) / 8 + 1, 1));
    return VV_OK;
}

vv_status vv_counter_new(const vv_plan *p, const vv_chunk_at *const index[], vv_counter **out)
{
    vv_counter *c;
    VV_TRY(vv_new(&c, 1, sizeof *c));
    *c = (vv_counter){.plan = p, .index = index, .want_key = -1};
    vv_status status;
    VV_TRY_GOTO(status, failed, vv_new(&c->first_edge, (size_t)p->n_steps + 1, sizeof *c->first_edge));
    VV_TRY_GOTO(status, failed, vv_new(&c->want, (size_t)p->ranks, sizeof *c->want));
    VV_TRY_GOTO(status, failed, vv_new(&c->parcel, (size_t)p->ranks, sizeof *c->parcel));
    VV_TRY_GOTO(status, failed, make_edges(c));
    VV_TRY_GOTO(status, failed, make_seen(c));
    *out = c;
    return VV_OK;
failed:
    vv_counter_free(&c);
    return status;
}

void vv_counter_free(vv_counter **counter)
{
    vv_counter *c = *counter;
    if (!c) return;
    for (int i = 0; c->edge && i < c->n_edges; i++) vv_edge_free(&c->edge[i]);
    for (int i = 0; c->seen && i < c->plan->n_sources; i++) free(c->seen[i].chunk);
    for (int d = 0; d < VV_MAX_DIMS; d++) free(c->list[d]);
    free(c->edge);
    free(c->seen);
    free(c->first_edge);
    free(c->want);
    free(c->parcel);
    free(c);
    *counter = NULL;
}

vv_bytes vv_counter_wanted(const vv_counter *c, int source)
{
    const vv_source *s = &c->plan->source[source];
    const seen *w = &c->seen[source];
    if (!w->any) return w->wanted;
    return w->wanted + vv_times(vv_box_elements(&w->region), vv_dtype_size(s->decode.stored));
}

/* --- reading --- */

/* Stored bytes of a chunk. Without an index: such that all of them have the source's total. */
static vv_bytes chunk_bytes(const vv_counter *c, int source, vv_index chunk)
{
    const vv_source *s = &c->plan->source[source];
    if (c->index && c->index[source])
        return c->index[source][chunk].address < 0 ? 0 : (vv_bytes)c->index[source][chunk].size;
    vv_index n = vv_grid_chunks(&s->stored);
    return s->total / n + (chunk < s->total % n);
}

static void read_chunk(vv_counter *c, int source, vv_index chunk, vv_tally *t)
{
    const vv_source *s = &c->plan->source[source];
    seen *w = &c->seen[source];
    vv_bytes bytes = chunk_bytes(c, source, chunk);
    unsigned char bit = (unsigned char)(1u << (chunk % 8));
    if (!(w->chunk[chunk / 8] & bit)) w->wanted += bytes;
    w->chunk[chunk / 8] |= bit;
    t->read += bytes;
    t->stored += bytes > 0;
    if (!s->compressed || bytes == 0) return;
    vv_bytes raw = vv_dtype_size(s->decode.stored);
    for (int d = 0; d < s->stored.shape.nd; d++) raw *= s->stored.chunk[d];
    t->inflated += raw;
}

static void enclose(seen *w, const vv_box *b)
{
    if (!w->any) {
        w->any = true;
        w->region = *b;
        return;
    }
    for (int d = 0; d < b->nd; d++) {
        vv_index lo = vv_imin(w->region.lo[d], b->lo[d]);
        vv_index hi = vv_imax(w->region.lo[d] + w->region.n[d], b->lo[d] + b->n[d]);
        w->region.lo[d] = lo;
        w->region.n[d] = hi - lo;
    }
}

static vv_status append(vv_counter *c, int d, vv_index coord)
{
    VV_TRY(vv_grow(&c->list[d], c->n[d], sizeof *c->list[d], "chunks"));
    c->list[d][c->n[d]++] = coord;
    return VV_OK;
}

static bool listed(const vv_counter *c, int d, vv_index coord)
{
    for (vv_index i = c->n[d]; i > 0; i--)
        if (c->list[d][i - 1] == coord) return true;
    return false;
}

/* Chunks along dimension d in which a box wants an element. */
static vv_status list_chunks(vv_counter *c, const vv_grid *g, const vv_part *part, const vv_box *common,
                             const vv_box *box, int d)
{
    vv_index step = part->stride[d] < 0 ? -part->stride[d] : part->stride[d];
    int w = part->dim[d];
    c->n[d] = 0;
    if (w < 0 || (d != part->table_dim && step <= g->chunk[d])) {
        vv_index last = vv_grid_at(g, d, box->lo[d] + box->n[d] - 1);
        for (vv_index k = vv_grid_at(g, d, box->lo[d]); k <= last; k++) VV_TRY(append(c, d, k));
        return VV_OK;
    }
    for (vv_index i = common->lo[w]; i < common->lo[w] + common->n[w]; i++) {
        vv_index at = vv_part_index(part, d, i), chunk = at < 0 ? -1 : vv_grid_at(g, d, at);
        if (at >= 0 && !listed(c, d, chunk)) VV_TRY(append(c, d, chunk));
    }
    return VV_OK;
}

/* Wanted indices along dimension d of data without chunks. */
static vv_status rows_along(vv_counter *c, const vv_part *part, const vv_box *common, const vv_box *box, int d,
                            vv_index *rows)
{
    vv_grid single = {.shape.nd = part->nd};
    *rows = box->n[d];
    if (d == part->nd - 1 || part->dim[d] < 0) return VV_OK;
    *rows = vv_imin(box->n[d], common->n[part->dim[d]]);
    if (d != part->table_dim) return VV_OK;
    single.chunk[d] = 1;
    VV_TRY(list_chunks(c, &single, part, common, box, d));
    *rows = c->n[d];
    return VV_OK;
}

/* Elements along dimension d of the chunks that are wanted, as far as they lie in the box: what is read through the format's own reader. */
static vv_status pieces_along(vv_counter *c, const vv_grid *g, const vv_part *part, const vv_box *common,
                              const vv_box *box, int d, vv_index *elements)
{
    VV_TRY(list_chunks(c, g, part, common, box, d));
    *elements = 0;
    for (vv_index i = 0; i < c->n[d]; i++)
        *elements += vv_imin(vv_grid_end(g, d, c->list[d][i]), box->lo[d] + box->n[d]) -
                     vv_imax(vv_grid_begin(g, d, c->list[d][i]), box->lo[d]);
    return VV_OK;
}

static vv_status read_rows(vv_counter *c, int source, const vv_part *part, const vv_box *target, const vv_box *box,
                           vv_tally *t)
{
    const vv_source *s = &c->plan->source[source];
    vv_bytes bytes = vv_dtype_size(s->decode.stored);
    vv_box common;
    if (s->total == 0 || !vv_box_intersect(&part->box, target, &common)) return VV_OK;
    for (int d = 0; d < part->nd; d++) {
        vv_index n;
        VV_TRY(s->chunked ? pieces_along(c, &s->stored, part, &common, box, d, &n)
                          : rows_along(c, part, &common, box, d, &n));
        bytes *= n;
    }
    t->read += bytes;
    if (vv_path_is_computed(s->path)) {
        t->computed += bytes;
        t->made += bytes / vv_dtype_size(s->decode.stored);
    }
    enclose(&c->seen[source], box);
    return VV_OK;
}

static vv_status read_chunks(vv_counter *c, int source, const vv_part *part, const vv_box *target, const vv_box *box,
                             vv_tally *t)
{
    const vv_grid *g = &c->plan->source[source].stored;
    vv_index at[VV_MAX_DIMS] = {0}, coords[VV_MAX_DIMS];
    vv_box common;
    if (!vv_box_intersect(&part->box, target, &common)) return VV_OK;
    for (int d = 0; d < part->nd; d++) {
        VV_TRY(list_chunks(c, g, part, &common, box, d));
        if (c->n[d] == 0) return VV_OK;
    }
    do {
        for (int d = 0; d < part->nd; d++) coords[d] = c->list[d][at[d]];
        read_chunk(c, source, vv_grid_number(g, coords), t);
    } while (vv_odometer(part->nd, c->n, at));
    return VV_OK;
}

/* One part of a box, or of a chunk of work. */
static vv_status read_part(vv_counter *c, const vv_part *part, const vv_box *target, vv_tally *t)
{
    const vv_source *s = vv_part_stored(c->plan, part);
    vv_box box;
    if (!s || s->generated || s->held || !vv_part_source(part, target, &box)) return VV_OK;
    int source = (int)(s - c->plan->source);
    if (s->raw && s->chunked) return read_chunks(c, source, part, target, &box, t);
    return read_rows(c, source, part, target, &box, t);
}

/* --- a unit --- */

/* The block that each input had for the chunk before. */
typedef struct memory {
    vv_index key[VV_PROGRAM_INPUTS];
} memory;

static vv_status count_input(vv_counter *c, int step, int k, const vv_index coords[], const vv_box *work, memory *m,
                             vv_tally *t, vv_tally tally[])
{
    const vv_step *s = &c->plan->step[step];
    const vv_input *in = &s->input[k];
    const vv_edge *e = &c->edge[c->first_edge[step] + k];
    bool packed = in->access == VV_ACCESS_BOX || (vv_step_packs(s) && in->access != VV_ACCESS_PUSH);
    t->values += vv_box_elements(work) * vv_dtype_size(vv_working_type(in->type));
    if (in->access == VV_ACCESS_PUSH) return VV_OK;
    vv_index key = in->access == VV_ACCESS_STREAM && !packed ? -1 : vv_edge_key(e, coords);
    if (key >= 0 && key == m->key[k]) return VV_OK;
    m->key[k] = key;
    vv_box box = *work;
    int first = 0, end = in->n_parts;
    if (packed) {
        vv_edge_box(e, key, &box);
        vv_edge_near(e, &box, &first, &end);
        t->packed += vv_inbox_bytes(e, &box);
    }
    for (int j = first; j < end; j++) {
        vv_bytes before = t->read;
        VV_TRY(read_part(c, packed ? &e->part[j] : &in->part[j], &box, t));
        tally[in->part[j].from].read += t->read - before;
    }
    return VV_OK;
}

static vv_status count_chunks(vv_counter *c, int step, vv_unit u, vv_tally tally[])
{
    const vv_step *s = &c->plan->step[step];
    vv_tally *t = &tally[step];
    vv_index n = vv_unit_chunks(s, u), coords[VV_MAX_DIMS];
    memory m;
    for (int k = 0; k < s->n_inputs; k++) m.key[k] = -1;
    for (vv_index i = 0; i < n; i++) {
        vv_box box;
        vv_unit_coords(s, u, i, coords);
        vv_grid_box_at(&s->work, coords, &box);
        t->chunks++;
        t->elements += vv_box_elements(&box);
        for (int k = 0; k < s->n_inputs; k++) VV_TRY(count_input(c, step, k, coords, &box, &m, t, tally));
    }
    return VV_OK;
}

/* One message of so many bytes. */
static void count_message(const vv_plan *p, int rank, int to, vv_bytes bytes, vv_tally *t)
{
    t->messages++;
    t->moved += bytes;
    if (vv_plan_crosses(p, rank, to)) t->across += bytes;
}

/* A unit is the first leaf of one node at each level up to the one where it is a right child: there its owner sends the state to the left one's. Whom it sends one
 * to: the rank itself for nobody. */
static int state_goes_to(const vv_step *s, int rank, int ranks, vv_unit u)
{
    vv_index leaves = vv_step_leaves(s), i = u.leaf;
    for (int level = 0; vv_tree_nodes(leaves, level) > 1; level++, i /= 2) {
        vv_index left = i % 2 ? vv_tree_first_leaf(s, u.out, level, i - 1) : -1;
        if (left >= 0) return vv_place_owner(s, ranks, (vv_unit){u.out, left});
    }
    return rank;
}

/* A message with states in which nothing is missing. */
static vv_bytes used_state(const vv_step *s, vv_index out)
{
    vv_box box;
    vv_index first, groups;
    vv_grid_box(&s->grid, out, &box);
    vv_out_groups(s, out, &first, &groups);
    vv_index cells = vv_box_elements(&box) / vv_imax(1, groups) / vv_step_length(s);
    vv_bytes bytes = 0;
    for (int r = 0; r < s->n_results; r++) {
        vv_bytes cell = vv_red_cell_bytes(&s->result[r].red);
        bytes += ((vv_bytes)sizeof(vv_red_head) + cell * cells + 63) / 64 * 64;
    }
    return VV_MESSAGE_HEAD + groups * bytes;
}

/* --- a finished output chunk --- */

typedef struct pushing {
    vv_counter *counter;
    int rank;
    vv_tally *tally;
    vv_index before; /* messages before the result at hand */
} pushing;

/* As push.c packs them: a parcel goes when it is full, or when the next piece would make it so; the last one with the end of the chunk. */
static void put_in_parcel(const pushing *x, int to, vv_bytes head, vv_bytes values)
{
    vv_bytes *fill = &x->counter->parcel[to], bytes = head + vv_piece_room(values);
    if (*fill == 0 || *fill + bytes > VV_PARCEL) {
        *fill = 0;
        x->tally->messages++;
    }
    *fill += bytes;
    if (*fill >= VV_PARCEL) *fill = 0;
    x->tally->moved += head + values;
    if (vv_plan_crosses(x->counter->plan, x->rank, to)) x->tally->across += head + values;
}

static vv_status count_piece(void *context, const vv_edge *e, int part, vv_index key, const vv_box *piece)
{
    pushing *x = context;
    vv_counter *c = x->counter;
    (void)part;
    VV_TRY(vv_stop_check());
    if (c->want_edge != e || c->want_key != key) {
        c->wanting = vv_edge_ranks(e, key, c->plan->ranks, c->want);
        c->want_edge = e;
        c->want_key = key;
    }
    vv_bytes bytes = vv_inbox_bytes(e, piece);
    if (bytes == 0) return VV_OK;
    vv_box inbox;
    vv_edge_box(e, key, &inbox);
    x->tally->pushed += bytes * c->wanting;
    for (int to = 0, left = c->wanting; left > 0; to++) {
        left -= c->want[to];
        if (c->want[to] && to != x->rank) put_in_parcel(x, to, vv_piece_head(&inbox), bytes);
    }
    return VV_OK;
}

static vv_status count_pushes(vv_counter *c, int step, int rank, vv_index out, vv_tally *t)
{
    pushing x = {c, rank, t, t->messages};
    for (int result = 0; result < c->plan->step[step].n_results; result++) {
        for (int i = 0; i < c->n_edges; i++) {
            const vv_edge *e = &c->edge[i];
            if (c->plan->step[e->step].input[e->input].access != VV_ACCESS_PUSH) continue;
            for (int j = 0; j < e->n_parts; j++)
                if (e->part[j].from == step && e->part[j].result == result)
                    VV_TRY(vv_edge_pieces(e, j, out, count_piece, &x));
        }
        if (t->messages > x.before) memset(c->parcel, 0, sizeof *c->parcel * (size_t)c->plan->ranks);
        x.before = t->messages;
    }
    return VV_OK;
}

/* Chunks are stored whole, whatever they reach into. */
static vv_bytes full_chunk(const vv_grid *g, vv_dtype type)
{
    vv_bytes bytes = vv_dtype_size(type);
    for (int d = 0; d < g->shape.nd; d++) bytes = vv_times(bytes, g->chunk[d]);
    return bytes;
}

static void count_deliveries(const vv_plan *p, int step, int rank, vv_index out, vv_tally tally[])
{
    vv_box box;
    vv_grid_box(&p->step[step].grid, out, &box);
    for (int i = step + 1; i < p->n_steps; i++) {
        const vv_step *s = &p->step[i];
        if (!vv_step_delivers(s) || s->op == VV_STEP_KEEP || s->from != step) continue;
        vv_bytes bytes = vv_box_elements(&box) * vv_dtype_size(s->to.encode.to);
        if (s->op == VV_STEP_WRITE && vv_write_plain(&s->to)) bytes = full_chunk(vv_write_grid(s), s->to.encode.to);
        if (s->op == VV_STEP_WRITE) {
            tally[i].written += bytes;
            if (s->to.chunked && (s->to.deflate > 0 || s->to.zstd > 0)) tally[i].deflated += bytes;
        } else if (rank != 0) {
            count_message(p, rank, 0, VV_MESSAGE_HEAD + bytes, &tally[i]);
        }
    }
}

/* A chunk that is copied as it is stored. */
static vv_status count_copy(vv_counter *c, int step, vv_index out, vv_tally tally[], bool *copied)
{
    const vv_step *s = &c->plan->step[step];
    vv_tally *t = &tally[step], before = *t;
    vv_copied copy;
    vv_box box;
    *copied = s->copied_to && vv_copy_of(c->plan, s, out, &copy);
    if (!*copied) return VV_OK;
    vv_grid_box(&s->grid, out, &box);
    for (int j = 0; j < s->input[0].n_parts; j++) {
        const vv_part *part = &s->input[0].part[j];
        vv_bytes read = t->read;
        if (copy.part && part != copy.part) continue;
        VV_TRY(read_part(c, part, &box, t));
        tally[part->from].read += t->read - read;
    }
    tally[s->copied_to].written += t->read - before.read;
    t->inflated = before.inflated;
    t->stored = before.stored;
    t->chunks++;
    t->elements += vv_box_elements(&box);
    return VV_OK;
}

static vv_status count_unit(vv_counter *c, int step, int rank, vv_unit u, vv_tally tally[])
{
    const vv_plan *p = c->plan;
    const vv_step *s = &p->step[step];
    vv_tally *t = &tally[step];
    bool copied;
    VV_TRY(vv_stop_check());
    t->tasks++;
    VV_TRY(count_copy(c, step, u.out, tally, &copied));
    if (copied) return VV_OK;
    VV_TRY(count_chunks(c, step, u, tally));
    int to = s->op == VV_STEP_REDUCE && p->ranks > 1 ? state_goes_to(s, rank, p->ranks, u) : rank;
    if (to != rank) count_message(p, rank, to, used_state(s, u.out), t);
    if (vv_tree_first_leaf(s, u.out, vv_tree_levels(vv_step_leaves(s)), 0) != u.leaf) return VV_OK;
    count_deliveries(p, step, rank, u.out, tally);
    return count_pushes(c, step, rank, u.out, t);
}

/* --- a rank --- */

enum { FIELDS = sizeof(vv_tally) / sizeof(int64_t) };
_Static_assert(sizeof(vv_tally) == FIELDS * sizeof(int64_t), "a tally is a row of numbers");

/* What was added since `before`, as if it had happened `times` as often. */
static void scale(vv_tally *t, const vv_tally *before, double times)
{
    int64_t now[FIELDS], then[FIELDS];
    memcpy(now, t, sizeof now);
    memcpy(then, before, sizeof then);
    for (int i = 0; i < (int)FIELDS; i++) now[i] = then[i] + (int64_t)((double)(now[i] - then[i]) * times + 0.5);
    memcpy(t, now, sizeof now);
}

static vv_status tally_step(vv_counter *c, int step, int rank, vv_index units, vv_tally tally[])
{
    const vv_step *s = &c->plan->step[step];
    vv_index own = vv_place_count(s, rank, c->plan->ranks), n = units > 0 ? vv_imin(units, own) : own;
    for (vv_index k = 0; k < n; k++) {
        vv_index at = n == own ? k : own / n * k + own % n * k / n;
        VV_TRY(count_unit(c, step, rank, vv_place_unit(s, rank, c->plan->ranks, at), tally));
    }
    return VV_OK;
}

vv_status vv_tally_rank(vv_counter *c, int rank, vv_index units, vv_tally tally[])
{
    const vv_plan *p = c->plan;
    vv_tally *before;
    VV_TRY(vv_new(&before, (size_t)p->n_steps + 1, sizeof *before));
    vv_status status = VV_OK;
    for (int i = 0; i < p->n_steps && status == VV_OK; i++) {
        if (!vv_step_computes(&p->step[i])) continue;
        vv_index own = vv_place_count(&p->step[i], rank, p->ranks);
        memcpy(before, tally, sizeof *before * (size_t)p->n_steps);
        status = tally_step(c, i, rank, units, tally);
        for (int k = 0; units > 0 && own > units && k < p->n_steps; k++)
            scale(&tally[k], &before[k], (double)own / (double)units);
    }
    free(before);
    return status;
}
