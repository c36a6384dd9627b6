/* Which inboxes fill and empty as the work goes on.
 *
 * Where producers and consumers go through the same dimensions in the same order, chunks are made row by row, and along the first dimension whose chunks
 * differ a front moves through the inboxes. On one side of it everything has come up to the end of the row of chunks at work, on the other up to its
 * beginning:
 *
 *     inboxes    +-------+-------+-------+      open are those that a border between rows of chunks lies in (cut), and where
 *                |=======|===    |       |      chunks are being made all that such a chunk reaches into (band)
 *     chunks     |#######|###----|-------|
 *                +-------+-------+-------+      a halo makes inboxes reach further
 *
 * "Before" and "behind" are meant in the order in which chunks are made, the walk. That is the order of the dimensions, unless producers make them in another one
 * (a load in bands) along dimensions of which consumers have but one chunk: what they are numbered by is the same then.
 *
 * Inboxes that lie across the border between two ranks' shares wait for the neighbour, who may come to them last. */
#include "plan/cost/inboxes.h"

/* Beside an inbox's block: its header, its place in the store's tables. */
enum { INBOX_HEAD = 192 };

/* --- how many, and how large --- */

/* Grid positions that a rank's units touch: along the kept dimensions a stretch of `kept` consecutive positions, along the reduced ones of `reduced`. */
typedef struct stretch {
    vv_index kept, reduced;
} stretch;

static bool is_reduced(const vv_step *s, int d)
{
    return s->op == VV_STEP_REDUCE && s->reduced[d];
}

/* Output chunks of the rank that has most, when their units lie one behind the other. */
static vv_index most_outs(const vv_plan *p, const vv_step *s)
{
    vv_index most = 0;
    for (int rank = 0; rank < p->ranks; rank++) {
        vv_index own = vv_place_count(s, rank, p->ranks);
        if (own == 0) continue;
        vv_unit first = vv_place_unit(s, rank, p->ranks, 0), last = vv_place_unit(s, rank, p->ranks, own - 1);
        most = vv_imax(most, last.out - first.out + 1);
    }
    return most;
}

static stretch stretch_of(const vv_plan *p, const vv_step *s)
{
    vv_index kept = 1, reduced = 1, own = vv_place_most(s, p->ranks);
    for (int d = 0; d < s->work.shape.nd; d++) *(is_reduced(s, d) ? &reduced : &kept) *= vv_grid_count(&s->work, d);
    if (p->ranks == 1 || (s->op == VV_STEP_REDUCE && s->groups.dim >= 0)) return (stretch){kept, reduced};
    stretch x = {vv_imin(kept, own), vv_imin(reduced, vv_times(own, s->leaf))};
    if (s->placement == VV_PLACE_OUTPUTS) x.kept = vv_imin(x.kept, most_outs(p, s));
    if (s->placement == VV_PLACE_LEAVES)
        x.reduced = vv_imin(x.reduced, (vv_ceil_div(own, vv_imax(1, kept)) + 1) * s->leaf);
    return x;
}

/* Different keys among a stretch of row-major positions, at most. */
static vv_index keys_of_rank(const vv_plan *p, const vv_edge *e)
{
    const vv_step *s = &p->step[e->step];
    stretch x = stretch_of(p, s);
    vv_index keys = 1, inner[2] = {1, 1}, length[2] = {x.kept, x.reduced}, part[2] = {1, 1};
    for (int d = s->work.shape.nd - 1; d >= 0; d--) {
        int k = is_reduced(s, d);
        vv_index touched = vv_imin(e->count[d], vv_ceil_div(length[k], inner[k]) + 1);
        if (e->follows[d]) part[k] = vv_times(part[k], touched);
        inner[k] = vv_times(inner[k], vv_grid_count(&s->work, d));
    }
    for (int k = 0; k < 2; k++) keys = vv_times(keys, vv_imin(part[k], vv_imax(1, length[k])));
    return vv_imin(e->keys, keys);
}

/* Extents of the largest box, and bytes of all boxes together. */
typedef struct boxes {
    vv_bytes largest, all;
} boxes;

static boxes boxes_of(const vv_edge *e)
{
    const vv_step *s = &e->plan->step[e->step];
    const vv_input *in = &s->input[e->input];
    boxes b = {vv_dtype_size(vv_working_type(in->type)), vv_dtype_size(vv_working_type(in->type))};
    for (int d = 0; d < s->work.shape.nd; d++) {
        vv_index halo = in->before[d] + in->after[d], most = 1, sum = 1;
        if (d == e->lookup) {
            sum = 0;
            for (vv_index i = 0; i < e->count[d]; i++) {
                most = vv_imax(most, e->span_n[i]);
                sum += e->span_n[i];
            }
        } else if (e->follows[d]) {
            most = vv_imin(s->work.chunk[d], vv_imax(1, s->work.shape.n[d])) + halo;
            sum = s->work.shape.n[d] + halo * e->count[d];
        }
        b.largest = vv_times(b.largest, most);
        b.all = vv_times(b.all, sum);
    }
    return b;
}

/* --- order --- */

/* Dimensions of the work space from the slowest to the fastest, and the place of each among them. */
typedef struct walk {
    int nd, dim[VV_MAX_DIMS], at[VV_MAX_DIMS];
} walk;

static bool behind(const walk *w, int k, int d)
{
    return w->at[k] > w->at[d];
}

static void natural_walk(const vv_step *s, walk *w)
{
    w->nd = s->work.shape.nd;
    for (int d = 0; d < w->nd; d++) w->dim[d] = w->at[d] = d;
}

static bool is_natural(const walk *w)
{
    for (int d = 0; d < w->nd; d++)
        if (w->at[d] != d) return false;
    return true;
}

/* As the first part's source has them; those that it does not follow come last. */
static void source_walk(const vv_edge *e, walk *w)
{
    const vv_part *part = &e->part[0];
    int n = 0;
    for (int d = 0; d < w->nd; d++) w->at[d] = -1;
    for (int k = 0; k < part->nd; k++)
        if (part->dim[k] >= 0 && w->at[part->dim[k]] < 0) w->at[part->dim[k]] = n++;
    for (int d = 0; d < w->nd; d++)
        if (w->at[d] < 0) w->at[d] = n++;
    for (int d = 0; d < w->nd; d++) w->dim[w->at[d]] = d;
}

/* The part keeps the order of dimensions and of elements. */
static bool keeps_order(const walk *w, const vv_part *part)
{
    int last = -1;
    for (int d = 0; d < part->nd; d++) {
        if (part->dim[d] < 0) continue;
        if (w->at[part->dim[d]] <= last || part->stride[d] < 0 || d == part->table_dim) return false;
        last = w->at[part->dim[d]];
    }
    return true;
}

static bool all_keep_order(const walk *w, const vv_edge *e)
{
    for (int j = 0; j < e->n_parts; j++)
        if (!keeps_order(w, &e->part[j])) return false;
    return true;
}

/* Work chunks follow each other along the walk, too. */
static bool numbered_alike(const vv_step *s, const walk *w)
{
    int last = -1;
    for (int i = 0; i < w->nd; i++) {
        if (vv_grid_count(&s->work, w->dim[i]) <= 1) continue;
        if (w->dim[i] < last) return false;
        last = w->dim[i];
    }
    return true;
}

/* Every part keeps the order of some walk, and the input follows all that there is to follow. */
static bool edge_keeps_order(const vv_plan *p, const vv_edge *e, walk *w)
{
    const vv_step *s = &p->step[e->step];
    natural_walk(s, w);
    if (e->lookup >= 0) return false;
    for (int d = 0; d < s->work.shape.nd; d++)
        if (!e->follows[d] && vv_grid_count(&s->work, d) > 1) return false;
    if (all_keep_order(w, e)) return true;
    source_walk(e, w);
    return numbered_alike(s, w) && all_keep_order(w, e);
}

static bool edge_streams(const vv_plan *p, const bool prompt[], const vv_edge *e, walk *w)
{
    const vv_step *s = &p->step[e->step];
    if (!edge_keeps_order(p, e, w)) return false;
    for (int j = 0; j < e->n_parts; j++) {
        const vv_part *part = &e->part[j];
        if (!prompt[part->from]) return false;
        int first = w->nd > 0 ? w->dim[0] : 0;
        vv_index shift = part->nd > 0 && part->dim[0] == first ? part->start[0] - part->box.lo[first] : 0;
        if (shift > p->step[part->from].grid.chunk[0] || -shift > s->work.chunk[first]) return false;
    }
    return true;
}

/* An output chunk's work chunks follow each other when no reduced dimension is slower than a kept one. */
static bool reduces_in_order(const vv_step *s)
{
    bool seen = false;
    for (int d = 0; d < s->work.shape.nd; d++) {
        if (vv_grid_count(&s->work, d) <= 1) continue;
        if (s->reduced[d])
            seen = true;
        else if (seen)
            return false;
    }
    return s->groups.dim < 0;
}

/* --- producers' chunks beside inboxes, along one dimension --- */

/* The dimension of a part's source that follows work dimension d; -1 for none. */
static int source_dim(const vv_part *part, int d)
{
    for (int k = 0; k < part->nd; k++)
        if (part->dim[k] == d) return k;
    return -1;
}

/* One chunk of one step has all that any inbox wants along d. */
static bool single(const vv_plan *p, const vv_edge *e, int d)
{
    if (vv_grid_count(&p->step[e->step].work, d) > 1) return false;
    for (int j = 0; j < e->n_parts; j++) {
        const vv_part *part = &e->part[j];
        int k = source_dim(part, d);
        if (part->from != e->part[0].from || (k >= 0 && vv_grid_count(&p->step[part->from].grid, k) > 1)) return false;
    }
    return true;
}

/* Chunks and inboxes begin at the same element, and one kind's extents are multiples of the other's. */
static bool same_origin(const vv_plan *p, const vv_edge *e, const vv_part *part, int d)
{
    const vv_grid *work = &p->step[e->step].work, *from = &p->step[part->from].grid;
    int k = source_dim(part, d);
    return k >= 0 && part->start[k] == part->box.lo[d] && part->stride[k] == 1 && from->shift[k] == work->shift[d];
}

/* Whether producer and consumer have the same chunks along dimension d of the work space, seen through every part. */
static bool aligned(const vv_plan *p, const vv_edge *e, int d)
{
    const vv_step *s = &p->step[e->step];
    const vv_input *in = &s->input[e->input];
    if (single(p, e, d)) return true;
    if (in->before[d] || in->after[d]) return false;
    for (int j = 0; j < e->n_parts; j++) {
        const vv_part *part = &e->part[j];
        int k = source_dim(part, d);
        if (part->box.n[d] != s->work.shape.n[d]) return false;
        if (k >= 0 && (!same_origin(p, e, part, d) || p->step[part->from].grid.chunk[k] != s->work.chunk[d]))
            return false;
    }
    return true;
}

/* Inboxes along d: that one chunk of a producer reaches into, at most; and that the border between two chunks lies in. */
typedef struct reach {
    vv_index band, cut;
} reach;

static reach reach_of(const vv_plan *p, const vv_edge *e, int d)
{
    const vv_step *s = &p->step[e->step];
    const vv_input *in = &s->input[e->input];
    vv_index own = s->work.chunk[d], halo = vv_ceil_div(in->before[d] + in->after[d], own);
    reach r = {1, 0};
    for (int j = 0; j < e->n_parts; j++) {
        const vv_part *part = &e->part[j];
        int k = source_dim(part, d);
        if (k < 0) continue;
        vv_index chunk = p->step[part->from].grid.chunk[k];
        bool fits = same_origin(p, e, part, d) && part->box.n[d] == s->work.shape.n[d];
        vv_index between = fits ? vv_common_divisor(chunk, own) : 1; /* of the places where borders of both kinds lie */
        r.band = vv_imax(r.band, vv_ceil_div(chunk + own - between, own));
        r.cut = vv_imax(r.cut, !fits || chunk % own > 0);
    }
    return (reach){r.band + halo, r.cut + halo};
}

/* A leaf of several chunks waits for all of them: the slowest dimension along which it has more than one, if any, and how many. */
static vv_index layers_of_leaf(const vv_step *s, int *dim)
{
    vv_index inner = 1, layers = 0;
    for (int d = s->work.shape.nd - 1; d >= 0; d--) {
        if (!is_reduced(s, d) || vv_grid_count(&s->work, d) <= 1 || inner >= s->leaf) continue;
        *dim = d;
        layers = vv_ceil_div(s->leaf, inner);
        inner = vv_times(inner, vv_grid_count(&s->work, d));
    }
    return s->leaf > 1 ? layers : 0;
}

/* --- ranks beside each other --- */

/* Coordinates of the first work chunk, or the first output chunk, of a rank; false when it begins inside of one. */
static bool begin_of(const vv_plan *p, const vv_step *s, int rank, bool out, vv_index coords[])
{
    if (vv_place_count(s, rank, p->ranks) == 0) return false;
    vv_unit u = vv_place_unit(s, rank, p->ranks, 0);
    if (u.leaf != 0) return false;
    if (out)
        vv_grid_coords(&s->grid, u.out, coords);
    else
        vv_unit_coords(s, u, 0, coords);
    return true;
}

/* Whether a rank's shares on both sides of a part begin at the same element, at a border of dimension d and of all before it. */
static bool begins_alike(const vv_plan *p, const vv_edge *e, const walk *w, const vv_part *part, int rank, int d)
{
    const vv_step *s = &p->step[e->step], *from = &p->step[part->from];
    vv_index at[VV_MAX_DIMS], there[VV_MAX_DIMS];
    if (!begin_of(p, s, rank, false, at) || !begin_of(p, from, rank, true, there)) return false;
    for (int k = 0; k < part->nd; k++)
        if (part->dim[k] < 0 && vv_grid_count(&from->grid, k) > 1) return false;
    for (int k = 0; k < s->work.shape.nd; k++) {
        int source = source_dim(part, k);
        if (source < 0 || single(p, e, k)) continue;
        bool past = d == w->nd ? false : behind(w, k, d);
        if (past && (at[k] > 0 || there[source] > 0)) return false;
        if (past) continue;
        vv_index element = vv_part_index(part, source, vv_grid_begin(&s->work, k, at[k]));
        if (element != vv_grid_begin(&from->grid, source, there[source])) return false;
    }
    return true;
}

/* Every rank's inboxes are filled by itself alone: no halo and no inbox crosses the border between ranks. d: the first dimension that is not aligned. */
static bool borders_hold(const vv_plan *p, const vv_edge *e, const walk *w, int d)
{
    const vv_step *s = &p->step[e->step];
    const vv_input *in = &s->input[e->input];
    if (s->placement != VV_PLACE_OUTPUTS) return false;
    if (d < s->work.shape.nd && (in->before[d] || in->after[d])) return false;
    for (int j = 0; j < e->n_parts; j++) {
        const vv_step *from = &p->step[e->part[j].from];
        if (!vv_step_computes(from) || from->placement != VV_PLACE_OUTPUTS || s->groups.dim >= 0 ||
            from->groups.dim >= 0)
            return false;
        for (int rank = 1; rank < p->ranks; rank++)
            if (!begins_alike(p, e, w, &e->part[j], rank, d)) return false;
    }
    return true;
}

/* Of the walk up to `end`, the first dimension along which chunks differ; nd: none. */
static int first_unaligned(const vv_plan *p, const vv_edge *e, const walk *w, int end)
{
    int i = 0;
    while (i < end && aligned(p, e, w->dim[i])) i++;
    return i < w->nd ? w->dim[i] : w->nd;
}

bool vv_edge_is_local(const vv_plan *p, const vv_edge *e)
{
    if (p->ranks == 1) return true;
    const vv_step *s = &p->step[e->step];
    if (s->op == VV_STEP_REDUCE && s->placement != VV_PLACE_OUTPUTS) return false;
    walk w;
    return edge_keeps_order(p, e, &w) && borders_hold(p, e, &w, first_unaligned(p, e, &w, w.nd));
}

/* --- all together --- */

/* A layer of inboxes: all there are behind dimension d. */
static vv_bytes layer_bytes(const vv_edge *e, const walk *w, int d)
{
    const vv_step *s = &e->plan->step[e->step];
    const vv_input *in = &s->input[e->input];
    vv_bytes bytes = vv_dtype_size(vv_working_type(in->type));
    for (int k = 0; k < s->work.shape.nd; k++) {
        if (!e->follows[k]) continue;
        vv_index halo = in->before[k] + in->after[k], n = vv_imax(1, s->work.shape.n[k]);
        bytes = vv_times(bytes, behind(w, k, d) ? n + halo * e->count[k] : vv_imin(s->work.chunk[k], n) + halo);
    }
    return bytes;
}

/* Inboxes of a layer of dimension d; of which are at the place where chunks are being made. */
static vv_index row_of(const vv_edge *e, const walk *w, int d)
{
    vv_index row = 1;
    for (int i = w->at[d] + 1; i < w->nd; i++) row = vv_times(row, e->count[w->dim[i]]);
    return row;
}

static vv_index front_of(const vv_plan *p, const vv_edge *e, const walk *w, int d)
{
    if (w->at[d] + 1 >= w->nd) return 1;
    int next = w->dim[w->at[d] + 1];
    vv_index band = aligned(p, e, next) ? 1 : reach_of(p, e, next).band;
    return vv_times(vv_imin(e->count[next], band), row_of(e, w, next));
}

/* Where a work chunk lies in its layer. */
static vv_index place_in_row(const vv_step *s, const walk *w, vv_unit u, int d)
{
    vv_index at[VV_MAX_DIMS], place = 0;
    vv_unit_coords(s, u, 0, at);
    for (int i = w->at[d] + 1; i < w->nd; i++) place = place * vv_grid_count(&s->work, w->dim[i]) + at[w->dim[i]];
    return place;
}

/* The place in the work space, along d, of an element of the part's source. */
static vv_index work_at(const vv_part *part, int d, int k, vv_index element)
{
    vv_index at = (element - part->start[k]) / vv_imax(1, part->stride[k]);
    return part->box.lo[d] + vv_imax(0, vv_imin(at, part->box.n[d] - 1));
}

/* The number of a work chunk that lies, along the dimensions before d, where a chunk of the source does; along d at element `at`; behind d first or last. */
static vv_index work_chunk(const vv_edge *e, const walk *w, const vv_part *part, const vv_index source[], int d,
                           vv_index at, bool last)
{
    const vv_grid *work = &e->plan->step[e->step].work;
    vv_index n = 0;
    for (int i = 0; i < work->shape.nd; i++) {
        vv_index count = vv_grid_count(work, i), coord = last ? count - 1 : 0;
        int k = source_dim(part, i);
        if (behind(w, d, i)) coord = k >= 0 && !single(e->plan, e, i) ? source[k] : 0;
        if (i == d) coord = vv_grid_at(work, d, vv_imax(0, vv_imin(at, work->shape.n[d] - 1)));
        n = n * count + coord;
    }
    return n;
}

/* The border in front of a rank: the first work chunk that wants what this rank makes first, and the last one that wants what the one before makes last. */
typedef struct border {
    vv_index first, last;
} border;

static bool border_of(const vv_edge *e, const walk *w, const vv_part *part, int d, int rank, border *out)
{
    const vv_plan *p = e->plan;
    const vv_step *from = &p->step[part->from];
    const vv_input *in = &p->step[e->step].input[e->input];
    vv_index begun[VV_MAX_DIMS], ended[VV_MAX_DIMS], own = vv_place_count(from, rank - 1, p->ranks);
    int k = source_dim(part, d);
    if (k < 0 || !vv_step_computes(from) || from->placement != VV_PLACE_OUTPUTS || from->groups.dim >= 0) return false;
    if (own == 0 || vv_place_count(from, rank, p->ranks) == 0) return false;
    vv_grid_coords(&from->grid, vv_place_unit(from, rank, p->ranks, 0).out, begun);
    vv_grid_coords(&from->grid, vv_place_unit(from, rank - 1, p->ranks, own - 1).out, ended);
    vv_index begin = work_at(part, d, k, vv_grid_begin(&from->grid, k, begun[k])) - in->after[d];
    vv_index end = work_at(part, d, k, vv_grid_end(&from->grid, k, ended[k]) - 1) + in->before[d];
    out->first = work_chunk(e, w, part, begun, d, begin, false);
    out->last = work_chunk(e, w, part, ended, d, end, true);
    return true;
}

/* Over all parts; without places that say so, as many layers as one chunk can reach into. */
static border border_before(const vv_edge *e, const walk *w, int d, int rank)
{
    enum { MOST_PARTS = 8 };
    const vv_step *s = &e->plan->step[e->step];
    vv_index row = row_of(e, w, d), reach = (reach_of(e->plan, e, d).band - 1) * row;
    vv_unit first = vv_place_unit(s, rank, e->plan->ranks, 0);
    border b = {VV_INDEX_MAX, -1}, one;
    for (int j = 0; j < e->n_parts && e->n_parts <= MOST_PARTS; j++) {
        if (!border_of(e, w, &e->part[j], d, rank, &one)) continue;
        b.first = vv_imin(b.first, one.first);
        b.last = vv_imax(b.last, one.last);
    }
    if (b.last >= 0) return b;
    vv_index at = first.out - place_in_row(s, w, first, d);
    return (border){at - reach, at + row + reach - 1};
}

/* Inboxes of the rank that has most of them that wait for a neighbour from beginning to end. */
static vv_index at_borders(const vv_plan *p, const vv_edge *e, const walk *w, int d)
{
    const vv_step *s = &p->step[e->step];
    vv_index most = 0, row = row_of(e, w, d);
    if (p->ranks == 1 || borders_hold(p, e, w, d)) return 0;
    if (s->op != VV_STEP_MAP || s->placement == VV_PLACE_CYCLIC)
        return vv_times(row, vv_times(reach_of(p, e, d).band, vv_imin(2, p->ranks - 1)));
    for (int rank = 0; rank < p->ranks; rank++) {
        vv_index own = vv_place_count(s, rank, p->ranks), n = 0;
        if (own == 0) continue;
        vv_index first = vv_place_unit(s, rank, p->ranks, 0).out;
        if (rank > 0) n += vv_imax(0, border_before(e, w, d, rank).last - first + 1);
        if (rank + 1 < p->ranks && vv_place_count(s, rank + 1, p->ranks) > 0)
            n += vv_imax(0, first + own - border_before(e, w, d, rank + 1).first);
        most = vv_imax(most, vv_imin(n, own));
    }
    return most;
}

/* Bytes of a streaming edge's inboxes that are open at once. */
static vv_bytes frontier(const vv_plan *p, const vv_edge *e, const walk *w, vv_bytes largest)
{
    const vv_step *s = &p->step[e->step];
    int leaf_dim = w->nd;
    vv_index leaf_layers = layers_of_leaf(s, &leaf_dim);
    int d = first_unaligned(p, e, w, leaf_dim < w->nd ? w->at[leaf_dim] : w->nd);
    if (d == w->nd) return vv_times(p->threads, largest);
    vv_index row = row_of(e, w, d), front = front_of(p, e, w, d);
    reach r = reach_of(p, e, d);
    vv_index open = vv_times(vv_imin(e->count[d], r.band), front);
    open += vv_times(vv_imin(e->count[d], r.cut), row - front);
    if (d == leaf_dim) open += vv_times(vv_imin(e->count[d], leaf_layers), row);
    if (!is_natural(w)) open += row; /* a band is used up while the next one is loaded */
    open += at_borders(p, e, w, d);
    vv_bytes bytes = vv_times(open, vv_ceil_div(layer_bytes(e, w, d), row) + INBOX_HEAD);
    return bytes + (p->threads - 1) * largest;
}

/* Of a product whose ranks have shares of what it sums over: sources come layer by layer of that. Open are the layers of a leaf that fills, of one at work or at the border
 * to the next rank, and what a chunk reaches into. */
static bool sums_in_layers(const vv_plan *p, const bool prompt[], const vv_edge *e, vv_bytes all, vv_bytes *held)
{
    const vv_step *s = &p->step[e->step];
    int d = -1;
    if (!s->product || s->placement != VV_PLACE_LEAVES || e->lookup >= 0) return false;
    for (int k = 0; k < s->work.shape.nd; k++) {
        if (!s->reduced[k] || vv_grid_count(&s->work, k) <= 1) continue;
        if (d >= 0) return false;
        d = k;
    }
    if (d < 0 || !e->follows[d]) return false;
    for (int j = 0; j < e->n_parts; j++) {
        const vv_part *part = &e->part[j];
        int from = source_dim(part, d);
        if (from < 0 || !prompt[part->from] || part->stride[from] < 0) return false;
        for (int k = 0; k < from; k++)
            if (vv_grid_count(&p->step[part->from].grid, k) > 1) return false;
    }
    vv_index layers = vv_imin(e->count[d], 2 * s->leaf + reach_of(p, e, d).band);
    *held = vv_imin(all, vv_times(layers, vv_ceil_div(all, e->count[d])));
    return true;
}

static vv_inboxes inboxes_of_edge(const vv_plan *p, const bool prompt[], const vv_edge *e, bool *streams)
{
    boxes b = boxes_of(e);
    vv_index keys = keys_of_rank(p, e);
    vv_bytes all = vv_imin(vv_times(keys, b.largest), b.all) + vv_times(keys, INBOX_HEAD);
    vv_bytes largest = b.largest + INBOX_HEAD;
    walk w;
    *streams = edge_streams(p, prompt, e, &w);
    vv_bytes held = *streams ? vv_imin(all, frontier(p, e, &w, largest)) : all;
    if (!*streams) *streams = sums_in_layers(p, prompt, e, b.all + vv_times(e->keys, INBOX_HEAD), &held);
    return (vv_inboxes){.all = all, .held = held, .largest = largest};
}

/* The only input that is fed, by chunks of this rank that are its own: a task runs as soon as one is there. */
static bool passes(const vv_plan *p, const vv_step *s, const vv_edge edge[])
{
    const vv_edge *only = NULL;
    for (int k = 0; k < s->n_inputs; k++) {
        if (s->input[k].access != VV_ACCESS_PUSH) continue;
        if (only) return false;
        only = &edge[k];
    }
    walk w;
    return only && s->leaf <= 1 && edge_keeps_order(p, only, &w) && first_unaligned(p, only, &w, w.nd) == w.nd &&
           vv_edge_is_local(p, only);
}

/* When one of a step's inputs comes late, all others wait for it. */
vv_inboxes vv_inboxes_of(const vv_plan *p, bool prompt[], int step, const vv_edge edge[])
{
    const vv_step *s = &p->step[step];
    vv_inboxes sum = {0};
    bool all_stream = true;
    for (int k = 0; k < s->n_inputs; k++) {
        if (s->input[k].access != VV_ACCESS_PUSH) continue;
        bool streams;
        vv_inboxes one = inboxes_of_edge(p, prompt, &edge[k], &streams);
        all_stream = all_stream && streams;
        sum.all += one.all;
        sum.held += one.held;
        sum.largest += one.largest;
    }
    if (!all_stream) sum.held = sum.all;
    bool apart = s->product && s->placement == VV_PLACE_LEAVES; /* all comes at the end */
    prompt[step] = all_stream && (s->op == VV_STEP_MAP || reduces_in_order(s)) && !apart;
    if (all_stream && passes(p, s, edge)) {
        sum.passing = sum.held;
        sum.held = 0;
    }
    return sum;
}
