#include "plan/flow.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static const vv_step *step_of(const vv_edge *e)
{
    return &e->plan->step[e->step];
}

static const vv_input *input_of(const vv_edge *e)
{
    return &step_of(e)->input[e->input];
}

static const vv_grid *source_grid(const vv_edge *e, int part)
{
    return &e->plan->step[e->part[part].from].grid;
}

/* --- components --- */

static int root_of(const int component[], int step)
{
    while (component[step] != step) step = component[step];
    return step;
}

void vv_components(const vv_plan *p, int component[])
{
    for (int to = 0; to < p->n_steps; to++) {
        const vv_step *s = &p->step[to];
        component[to] = to;
        for (int k = 0; vv_step_computes(s) && k < s->n_inputs; k++)
            for (int j = 0; s->input[k].access == VV_ACCESS_PUSH && j < s->input[k].n_parts; j++) {
                int a = root_of(component, s->input[k].part[j].from), b = root_of(component, to);
                component[a > b ? a : b] = a < b ? a : b;
            }
    }
    for (int i = 0; i < p->n_steps; i++) component[i] = root_of(component, i);
}

/* --- making an edge --- */

/* The source's chunks that a work chunk's table entries span; false when it has none. */
static bool span_of_chunk(const vv_edge *e, vv_index chunk, vv_index *from, vv_index *to)
{
    const vv_part *p = &input_of(e)->part[0];
    const vv_grid *work = &step_of(e)->work, *grid = source_grid(e, 0);
    vv_box box = p->box, found;
    int w = e->lookup, d = p->table_dim;
    vv_index begin = vv_grid_begin(work, w, chunk), end = vv_grid_end(work, w, chunk);
    for (int k = 0; k < box.nd; k++)
        if (k != w) box.n[k] = vv_imin(box.n[k], 1);
    box.lo[w] = vv_imax(p->box.lo[w], begin);
    box.n[w] = vv_imax(0, vv_imin(p->box.lo[w] + p->box.n[w], end) - box.lo[w]);
    if (!vv_part_source(p, &box, &found)) return false;
    *from = vv_grid_at(grid, d, found.lo[d]);
    *to = vv_grid_at(grid, d, found.lo[d] + found.n[d] - 1);
    return true;
}

/* Known spans by (first chunk, last chunk) in a square, as long as that is small; otherwise only recent ones are known again: the same span under two
 * numbers costs a second inbox, not a wrong value. */
typedef struct span_list {
    vv_index n, side;
    vv_index *known; /* number + 1 */
    vv_index *from, *to;
} span_list;

static vv_index span_number(span_list *l, vv_index from, vv_index to)
{
    enum { RECENT = 16 };
    vv_index *known = l->known ? &l->known[from * l->side + to] : NULL;
    if (known && *known) return *known - 1;
    for (vv_index i = l->n; !known && i > vv_imax(0, l->n - RECENT); i--)
        if (l->from[i - 1] == from && l->to[i - 1] == to) return i - 1;
    l->from[l->n] = from;
    l->to[l->n] = to;
    if (known) *known = l->n + 1;
    return l->n++;
}

static void number_spans(vv_edge *e, vv_index chunks, span_list *l)
{
    for (vv_index c = 0; c < chunks; c++) {
        vv_index from = 0, to = 0; /* a chunk that looks nothing up waits for the first one: it is there anyway */
        (void)span_of_chunk(e, c, &from, &to);
        e->span_of[c] = span_number(l, from, to);
    }
    const vv_grid *grid = source_grid(e, 0);
    int d = input_of(e)->part[0].table_dim;
    for (vv_index i = 0; i < l->n; i++) {
        e->span_lo[i] = vv_grid_begin(grid, d, l->from[i]);
        e->span_n[i] = vv_grid_end(grid, d, l->to[i]) - e->span_lo[i];
    }
}

/* Turns counts at first[i + 1] into the beginnings of stretches, and back after the stretches were filled by first[i]++. */
static void begin_stretches(vv_index first[], vv_index n)
{
    for (vv_index i = 0; i < n; i++) first[i + 1] += first[i];
}

static void end_stretches(vv_index first[], vv_index n)
{
    memmove(first + 1, first, (size_t)n * sizeof *first);
    first[0] = 0;
}

/* Who uses a span, and which spans a chunk of the source is in: lists, so that nobody has to search. */
static vv_status list_spans(vv_edge *e, vv_index chunks, const span_list *l)
{
    vv_index pairs = 0;
    for (vv_index i = 0; i < l->n; i++) pairs += l->to[i] - l->from[i] + 1;
    VV_TRY(vv_new(&e->user_first, (size_t)l->n + 1, sizeof(vv_index)));
    VV_TRY(vv_new(&e->user, (size_t)chunks + 1, sizeof(vv_index)));
    VV_TRY(vv_new(&e->near_first, (size_t)l->side + 1, sizeof(vv_index)));
    VV_TRY(vv_new(&e->near, (size_t)pairs + 1, sizeof(vv_index)));
    for (vv_index c = 0; c < chunks; c++) e->user_first[e->span_of[c] + 1]++;
    for (vv_index i = 0; i < l->n; i++)
        for (vv_index k = l->from[i]; k <= l->to[i]; k++) e->near_first[k + 1]++;
    begin_stretches(e->user_first, l->n);
    begin_stretches(e->near_first, l->side);
    for (vv_index c = 0; c < chunks; c++) e->user[e->user_first[e->span_of[c]]++] = c;
    for (vv_index i = 0; i < l->n; i++)
        for (vv_index k = l->from[i]; k <= l->to[i]; k++) e->near[e->near_first[k]++] = i;
    end_stretches(e->user_first, l->n);
    end_stretches(e->near_first, l->side);
    return VV_OK;
}

static vv_status make_spans(vv_edge *e)
{
    enum { SIDE = 1024 };
    vv_index chunks = vv_grid_count(&step_of(e)->work, e->lookup);
    span_list l = {.side = vv_grid_count(source_grid(e, 0), input_of(e)->part[0].table_dim)};
    vv_status status = VV_OK;
    VV_TRY_GOTO(status, done, vv_new(&e->span_of, (size_t)chunks, sizeof(vv_index)));
    VV_TRY_GOTO(status, done, vv_new(&e->span_lo, (size_t)chunks, sizeof(vv_index)));
    VV_TRY_GOTO(status, done, vv_new(&e->span_n, (size_t)chunks, sizeof(vv_index)));
    VV_TRY_GOTO(status, done, vv_new(&l.from, (size_t)chunks, sizeof(vv_index)));
    VV_TRY_GOTO(status, done, vv_new(&l.to, (size_t)chunks, sizeof(vv_index)));
    if (l.side <= SIDE) VV_TRY_GOTO(status, done, vv_new(&l.known, (size_t)(l.side * l.side), sizeof(vv_index)));
    number_spans(e, chunks, &l);
    e->count[e->lookup] = l.n;
    status = list_spans(e, chunks, &l);
done:
    free(l.known);
    free(l.from);
    free(l.to);
    return status;
}

/* The only part as seen from a block that lies in the source's own indices along the table's dimension. */
static void untable(vv_edge *e)
{
    vv_part *p = &e->part[0];
    int d = p->table_dim, w = p->dim[d];
    e->lookup = w;
    p->box.lo[w] = p->start[d] = 0;
    p->box.n[w] = source_grid(e, 0)->shape.n[d];
    p->stride[d] = 1;
    vv_part_free(p);
}

/* Where elements come from changes along d: a part follows it, or does not reach over all of it. An operation on blocks wants every element in its
 * place, repeated ones too; a matrix comes whole. */
static bool depends(const vv_edge *e, int d)
{
    if (step_of(e)->block && !step_of(e)->user) return true;
    if (step_of(e)->tiled) return vv_tile_sees(&step_of(e)->tile, e->input, d);
    for (int j = 0; j < e->n_parts; j++)
        if (vv_part_follows(&e->part[j], d) || e->part[j].box.n[d] != step_of(e)->work.shape.n[d]) return true;
    return false;
}

/* The first dimension along which every part begins where the one before it has ended, or later. */
static int ordered_along(const vv_edge *e)
{
    for (int d = 0; d < step_of(e)->work.shape.nd; d++) {
        int j = 1;
        while (j < e->n_parts && e->part[j].box.lo[d] >= e->part[j - 1].box.lo[d] + e->part[j - 1].box.n[d]) j++;
        if (j >= e->n_parts) return d;
    }
    return -1;
}

void vv_edge_near(const vv_edge *e, const vv_box *box, int *first, int *end)
{
    int d = e->ordered;
    *first = 0;
    *end = e->n_parts;
    if (d < 0) return;
    for (int high = e->n_parts; *first < high;) { /* the first one that ends behind the box's begin */
        int middle = *first + (high - *first) / 2;
        if (e->part[middle].box.lo[d] + e->part[middle].box.n[d] > box->lo[d])
            high = middle;
        else
            *first = middle + 1;
    }
    for (int low = *first; low < *end;) { /* the first one that begins behind its end */
        int middle = low + (*end - low) / 2;
        if (e->part[middle].box.lo[d] >= box->lo[d] + box->n[d])
            *end = middle;
        else
            low = middle + 1;
    }
}

vv_status vv_edge_make(const vv_plan *p, int step, int input, vv_edge *out)
{
    *out = (vv_edge){.plan = p, .step = step, .input = input, .lookup = -1, .keys = 1};
    const vv_input *in = input_of(out);
    const vv_grid *work = &step_of(out)->work;
    VV_TRY(vv_new(&out->part, (size_t)in->n_parts + 1, sizeof *out->part));
    for (int j = 0; j < in->n_parts; j++) vv_part_copy(&in->part[j], &out->part[j]);
    out->n_parts = in->n_parts;
    if (in->lookup) untable(out);
    out->ordered = ordered_along(out);
    vv_status status = VV_OK;
    for (int d = 0; d < work->shape.nd && status == VV_OK; d++) {
        out->follows[d] = depends(out, d);
        out->count[d] = out->follows[d] ? vv_grid_count(work, d) : 1;
        if (d == out->lookup) status = make_spans(out);
        out->keys = vv_times(out->keys, out->count[d]);
    }
    if (status != VV_OK) vv_edge_free(out);
    return status;
}

void vv_edge_free(vv_edge *e)
{
    for (int j = 0; j < e->n_parts; j++) vv_part_free(&e->part[j]);
    free(e->part);
    free(e->span_of);
    free(e->span_lo);
    free(e->span_n);
    free(e->user_first);
    free(e->user);
    free(e->near_first);
    free(e->near);
    *e = (vv_edge){.lookup = -1};
}

/* --- keys and boxes --- */

vv_index vv_edge_key(const vv_edge *e, const vv_index coords[])
{
    vv_index key = 0;
    for (int d = 0; d < step_of(e)->work.shape.nd; d++) {
        vv_index c = d == e->lookup ? e->span_of[coords[d]] : e->follows[d] ? coords[d] : 0;
        key = key * e->count[d] + c;
    }
    return key;
}

static void key_coords(const vv_edge *e, vv_index key, vv_index at[])
{
    for (int d = step_of(e)->work.shape.nd - 1; d >= 0; d--) {
        at[d] = key % e->count[d];
        key /= e->count[d];
    }
}

/* Along dimension d, the range of the inboxes whose key has coordinate c there. */
static void key_range(const vv_edge *e, int d, vv_index c, vv_index *lo, vv_index *n)
{
    const vv_grid *work = &step_of(e)->work;
    const vv_input *in = input_of(e);
    *lo = 0;
    *n = 1;
    if (d == e->lookup) {
        *lo = e->span_lo[c];
        *n = e->span_n[c];
    } else if (e->follows[d]) {
        *lo = vv_grid_begin(work, d, c) - in->before[d];
        *n = vv_grid_end(work, d, c) + in->after[d] - *lo;
    }
}

void vv_edge_box(const vv_edge *e, vv_index key, vv_box *out)
{
    vv_index at[VV_MAX_DIMS];
    key_coords(e, key, at);
    out->nd = step_of(e)->work.shape.nd;
    for (int d = 0; d < out->nd; d++) key_range(e, d, at[d], &out->lo[d], &out->n[d]);
}

/* Elements of a box of the target that a part with a table has: entries that are none are not there. */
static vv_index entries(const vv_part *p, const vv_box *box)
{
    vv_index n = 1, some = 0;
    int w = p->dim[p->table_dim];
    for (int d = 0; d < box->nd; d++)
        if (d != w) n *= box->n[d];
    for (vv_index i = box->lo[w]; i < box->lo[w] + box->n[w]; i++) some += vv_part_index(p, p->table_dim, i) >= 0;
    return n * some;
}

vv_index vv_edge_due(const vv_edge *e, vv_index key)
{
    vv_box box, common;
    vv_index due = 0;
    int first, end;
    vv_edge_box(e, key, &box);
    vv_edge_near(e, &box, &first, &end);
    for (int j = first; j < end; j++) {
        const vv_part *p = &e->part[j];
        if (!vv_box_intersect(&p->box, &box, &common)) continue;
        due += p->table_dim < 0 ? vv_box_elements(&common) : entries(p, &common);
    }
    return due;
}

/* --- pieces --- */

/* Key coordinates along d whose inboxes may reach into [lo, lo + n); of a look-up: positions in the list of spans near this chunk of the source. */
static void keys_near(const vv_edge *e, int d, vv_index lo, vv_index n, vv_index *first, vv_index *count)
{
    const vv_grid *work = &step_of(e)->work;
    const vv_input *in = input_of(e);
    *first = 0;
    *count = e->count[d];
    if (!e->follows[d]) return;
    if (d == e->lookup) {
        vv_index chunk = vv_grid_at(source_grid(e, 0), in->part[0].table_dim, lo);
        *first = e->near_first[chunk];
        *count = e->near_first[chunk + 1] - *first;
        return;
    }
    vv_index last = work->shape.n[d] - 1;
    *first = vv_grid_at(work, d, vv_imin(last, vv_imax(0, lo - in->after[d])));
    *count = vv_grid_at(work, d, vv_imax(0, vv_imin(last, lo + n - 1 + in->before[d]))) - *first + 1;
}

typedef struct call {
    const vv_edge *e;
    int part;
    vv_box source; /* the producer's chunk */
    vv_flow_visitor *visit;
    void *context;
} call;

/* A box along whose table dimension entries come from anywhere: runs of them that lie in the producer's chunk, at constant steps. */
static vv_status visit_runs(const call *c, vv_index key, const vv_box *box)
{
    const vv_part *p = &c->e->part[c->part];
    int d = p->table_dim, w = p->dim[d];
    vv_index lo = c->source.lo[d], hi = lo + c->source.n[d], end = box->lo[w] + box->n[w];
    for (vv_index i = box->lo[w]; i < end;) {
        vv_index first = vv_part_index(p, d, i), before = first, run = 1;
        if (first < lo || first >= hi) {
            i++;
            continue;
        }
        vv_index step = i + 1 < end ? vv_part_index(p, d, i + 1) - first : 0;
        for (; i + run < end; run++) {
            vv_index next = vv_part_index(p, d, i + run);
            if (next < lo || next >= hi || next - before != step) break;
            before = next;
        }
        vv_box piece = *box;
        piece.lo[w] = i;
        piece.n[w] = run;
        VV_TRY(c->visit(c->context, c->e, c->part, key, &piece));
        i += run;
    }
    return VV_OK;
}

vv_status vv_edge_pieces(const vv_edge *e, int part, vv_index out, vv_flow_visitor *visit, void *context)
{
    const vv_part *p = &e->part[part];
    call c = {.e = e, .part = part, .visit = visit, .context = context};
    vv_box target;
    vv_index first[VV_MAX_DIMS], count[VV_MAX_DIMS], at[VV_MAX_DIMS] = {0};
    vv_grid_box(source_grid(e, part), out, &c.source);
    if (!vv_part_target(p, &c.source, &target)) return VV_OK;
    for (int d = 0; d < target.nd; d++) {
        if (!e->follows[d]) target.lo[d] = 0, target.n[d] = 1;
        keys_near(e, d, target.lo[d], target.n[d], &first[d], &count[d]);
    }
    for (int d = 0; d < target.nd; d++)
        if (count[d] == 0) return VV_OK;
    do {
        vv_index key = 0;
        vv_box box, piece;
        for (int d = 0; d < target.nd; d++) {
            vv_index c = first[d] + at[d];
            key = key * e->count[d] + (d == e->lookup ? e->near[c] : c);
        }
        vv_edge_box(e, key, &box);
        if (!vv_box_intersect(&box, &target, &piece)) continue;
        VV_TRY(p->table_dim >= 0 ? visit_runs(&c, key, &piece) : visit(context, e, part, key, &piece));
    } while (vv_odometer(target.nd, count, at));
    return VV_OK;
}

void vv_piece_strides(const vv_edge *e, int part, vv_index out, const vv_box *piece, const vv_index layout[],
                      vv_index *first, vv_index stride[])
{
    const vv_part *p = &e->part[part];
    vv_box chunk;
    vv_grid_box(source_grid(e, part), out, &chunk);
    memset(stride, 0, sizeof *stride * (size_t)piece->nd);
    *first = 0;
    vv_index step = 1;
    for (int d = p->nd - 1; d >= 0; d--) {
        int w = p->dim[d];
        vv_index at = vv_part_index(p, d, w < 0 ? 0 : piece->lo[w]);
        if (layout) step = layout[d];
        *first += (at - chunk.lo[d]) * step;
        if (w >= 0 && piece->n[w] > 1) stride[w] += (vv_part_index(p, d, piece->lo[w] + 1) - at) * step;
        step *= chunk.n[d];
    }
}

/* --- who waits --- */

static vv_index group_blocks(const vv_step *s)
{
    return s->op == VV_STEP_REDUCE && s->groups.dim >= 0 ? vv_ceil_div(s->groups.n, s->groups.chunk) : 1;
}

/* Whether the chunk at this coordinate along the groups' dimension has a label of a block. */
static bool has_group(const vv_step *s, vv_index coord, vv_index block)
{
    if (s->op != VV_STEP_REDUCE || s->groups.dim < 0) return true;
    const vv_groups *g = &s->groups;
    vv_index low = g->first[block], high = g->first[block + 1];
    while (low < high) {
        vv_index mid = low + (high - low) / 2;
        if (g->present[mid] < coord)
            low = mid + 1;
        else
            high = mid;
    }
    return low < g->first[block + 1] && g->present[low] == coord;
}

/* Grid coordinates [first, first + n) along d of the work chunks that use inboxes with coordinate c there; of a look-up: positions in the list of the span's
 * users. */
static void users_along(const vv_edge *e, int d, vv_index c, vv_index *first, vv_index *n)
{
    *first = e->follows[d] ? c : 0;
    *n = e->follows[d] ? 1 : vv_grid_count(&step_of(e)->work, d);
    if (d != e->lookup) return;
    *first = e->user_first[c];
    *n = e->user_first[c + 1] - *first;
}

/* Moves on to the next work chunk and block; false at the end. */
static bool advance(vv_waiting *w, const vv_index first[], const vv_index n[])
{
    const vv_step *s = step_of(w->edge);
    int nd = s->work.shape.nd;
    if (!w->begun) {
        w->begun = true;
        memcpy(w->at, first, sizeof w->at[0] * (size_t)nd);
        w->at[nd] = 0;
        return true;
    }
    if (++w->at[nd] < group_blocks(s)) return true;
    w->at[nd] = 0;
    for (int d = nd - 1; d >= 0; d--) {
        if (++w->at[d] < first[d] + n[d]) return true;
        w->at[d] = first[d];
    }
    return false;
}

bool vv_waiting_next(vv_waiting *w, vv_unit *u, vv_index coords[])
{
    const vv_edge *e = w->edge;
    const vv_step *s = step_of(e);
    vv_index key[VV_MAX_DIMS], first[VV_MAX_DIMS], n[VV_MAX_DIMS];
    int nd = s->work.shape.nd;
    key_coords(e, w->key, key);
    for (int d = 0; d < nd; d++) users_along(e, d, key[d], &first[d], &n[d]);
    for (int d = 0; d < nd; d++)
        if (n[d] == 0) return false;
    while (advance(w, first, n)) {
        memcpy(coords, w->at, sizeof w->at[0] * (size_t)nd);
        if (e->lookup >= 0) coords[e->lookup] = e->user[w->at[e->lookup]];
        if (s->groups.dim >= 0 && !has_group(s, coords[s->groups.dim], w->at[nd])) continue;
        *u = vv_unit_of(s, coords, w->at[nd]);
        if (w->rank < 0 || vv_place_owner(s, w->ranks, *u) == w->rank) return true;
    }
    return false;
}

int vv_edge_ranks(const vv_edge *e, vv_index key, int ranks, bool want[])
{
    vv_waiting w = {.edge = e, .key = key, .rank = -1, .ranks = ranks};
    vv_unit u;
    vv_index coords[VV_MAX_DIMS];
    int found = 0;
    memset(want, 0, (size_t)ranks * sizeof *want);
    while (found < ranks && vv_waiting_next(&w, &u, coords)) {
        int owner = vv_place_owner(step_of(e), ranks, u);
        found += !want[owner];
        want[owner] = true;
    }
    return found;
}
