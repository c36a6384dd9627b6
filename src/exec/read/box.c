/* Boxes put together from files: halos, concatenations, selections, transpositions, tables.
 *
 * Each part of the input is taken in slabs of its source: stored chunks, or pieces of what is not stored in chunks, as large as a buffer. A slab is
 * loaded when some element of it is wanted, once, decoded row by row and put into place. A table is followed in runs of entries at constant
 * distances, so that every copy is an affine one. */
#include "exec/work.h"
#include "kernels/strided.h"

#include <string.h>

/* One part of one box. */
typedef struct task {
    vv_worker *w;
    vv_feed *feed;
    const vv_part *part;
    vv_box target; /* what the part covers of the box */
    vv_box source; /* bound of the elements wanted */
    vv_dtype type;
    const vv_box *box;
    vv_index stride[VV_MAX_DIMS]; /* of the box, packed */
    char *to;
    vv_box slab_box;
    vv_slab slab;
    bool loaded;
} task;

/* --- one copy --- */

typedef struct axis {
    vv_index n, from, to;
} axis;

/* A piece as loops from the outermost to the innermost; neighbours that both sides walk as one are one. */
static int axes_of(const vv_box *piece, const vv_index from[], const vv_index to[], axis out[])
{
    int n = 0;
    for (int d = 0; d < piece->nd; d++) {
        axis a = {piece->n[d], from[d], to[d]};
        if (a.n == 1) continue;
        axis *last = n ? &out[n - 1] : NULL;
        if (last && last->from == a.from * a.n && last->to == a.to * a.n)
            *last = (axis){last->n * a.n, a.from, a.to};
        else
            out[n++] = a;
    }
    if (n == 0) out[n++] = (axis){1, 1, 1};
    return n;
}

/* Decodes a row into its place. */
static void copy_row(const task *t, axis row, vv_index from, char *to)
{
    _Alignas(64) char tile[VV_TILE * VV_WIDEST];
    vv_bytes size = vv_dtype_size(t->type);
    const vv_slab *s = &t->slab;
    for (vv_index i = 0; i < row.n; i += VV_TILE) {
        vv_index n = vv_imin(VV_TILE, row.n - i);
        char *place = to + i * row.to * size;
        void *room = row.to == 1 ? place : tile;
        const void *values = vv_slab_values(&s->decode, s->bytes, s->total, from + i * row.from, row.from, n, room);
        if (row.to != 1)
            vv_box_copy(1, &n, size, values, &(vv_index){1}, place, &row.to);
        else if (values != place)
            memcpy(place, values, (size_t)(n * size));
    }
}

static void copy_rows(const task *t, int n, const axis axes[], vv_index from, char *to)
{
    vv_index at[VV_MAX_DIMS] = {0}, extent[VV_MAX_DIMS];
    vv_bytes size = vv_dtype_size(t->type);
    for (int d = 0; d < n - 1; d++) extent[d] = axes[d].n;
    do {
        vv_index f = from;
        char *p = to;
        for (int d = 0; d < n - 1; d++) {
            f += at[d] * axes[d].from;
            p += at[d] * axes[d].to * size;
        }
        copy_row(t, axes[n - 1], f, p);
    } while (vv_odometer(n - 1, extent, at));
}

/* What an affine part takes from the slab in memory. */
static void copy_piece(const task *t, const vv_part *p, const vv_box *piece)
{
    const vv_slab *s = &t->slab;
    vv_index from = 0, to = 0, stride[VV_MAX_DIMS] = {0};
    for (int d = 0; d < p->nd; d++) {
        int w = p->dim[d];
        from += (vv_part_index(p, d, w < 0 ? 0 : piece->lo[w]) - s->origin[d]) * s->stride[d];
        if (w >= 0) stride[w] += p->stride[d] * s->stride[d];
    }
    for (int d = 0; d < piece->nd; d++) to += (piece->lo[d] - t->box->lo[d]) * t->stride[d];
    char *place = t->to + to * vv_dtype_size(t->type);
    if (vv_decode_is_plain(&s->decode)) {
        vv_bytes size = vv_dtype_size(t->type);
        vv_box_copy(piece->nd, piece->n, size, (const char *)s->bytes + from * size, stride, place, t->stride);
        return;
    }
    axis axes[VV_MAX_DIMS];
    int n = axes_of(piece, stride, t->stride, axes);
    copy_rows(t, n, axes, from, place);
}

/* --- slabs --- */

static bool in_stored_chunks(const vv_source *s)
{
    return s->chunked && !s->generated;
}

/* Slabs of a source: its stored chunks; else as much as fits a window, but along dimensions that are taken with gaps, one index. */
static void slabs_of(const task *t, vv_grid *out)
{
    const vv_source *s = t->feed->source;
    *out = s->stored;
    if (in_stored_chunks(s)) return;
    vv_index room = s->generated ? VV_TILE : VV_WINDOW / vv_dtype_size(s->decode.stored);
    for (int d = out->shape.nd - 1; d >= 0; d--) {
        bool innermost = d == out->shape.nd - 1;
        vv_index step = t->part->dim[d] < 0 ? 1 : t->part->stride[d];
        bool gaps = !innermost && (d == t->part->table_dim || step > 1 || step < -1);
        vv_index wanted = vv_imax(1, t->source.n[d]);
        out->chunk[d] = gaps ? 1 : vv_imax(1, vv_imin(wanted, room));
        /* Slabs start where the wanted elements do. */
        vv_index rest = t->source.lo[d] % out->chunk[d];
        out->shift[d] = rest ? out->chunk[d] - rest : 0;
        room /= out->chunk[d];
    }
}

static vv_status load(task *t, const vv_index coords[])
{
    const vv_source *s = t->feed->source;
    t->loaded = true;
    if (s->raw && in_stored_chunks(s)) return vv_slab_chunk(t->w, t->feed, coords, &t->w->decoded, &t->slab);
    return vv_slab_box(t->w, t->feed, &t->slab_box, &t->w->decoded, &t->slab);
}

static vv_status take(task *t, const vv_index coords[], const vv_part *affine)
{
    vv_box piece;
    if (!vv_part_target(affine, &t->slab_box, &piece) || !vv_box_intersect(&piece, &t->target, &piece)) return VV_OK;
    if (!t->loaded) VV_TRY(load(t, coords));
    copy_piece(t, affine, &piece);
    return VV_OK;
}

/* The entries from target index *from on as an affine part: as many as are at the same distance; *from moves behind them. */
static void next_run(const task *t, vv_index *from, vv_index end, vv_part *out)
{
    const vv_part *p = t->part;
    int d = p->table_dim, w = p->dim[d];
    vv_index i = *from, first = vv_part_index(p, d, i), before = first, n = 1;
    vv_index step = i + 1 < end ? vv_part_index(p, d, i + 1) - first : 0;
    for (; i + n < end && vv_part_index(p, d, i + n) - before == step; n++) before += step;
    for (int k = 0; k < p->nd; k++)
        if (p->dim[k] == w) out->start[k] = vv_part_index(p, k, i);
    out->dim[d] = step ? w : -1;
    out->stride[d] = step;
    out->box.lo[w] = i;
    out->box.n[w] = n;
    *from = i + n;
}

static vv_status take_slab(task *t, const vv_index coords[])
{
    int d = t->part->table_dim;
    t->loaded = false;
    if (d < 0) return take(t, coords, t->part);
    vv_part affine = *t->part; /* the table is not used through it, nor counted */
    affine.table_dim = -1;
    int w = t->part->dim[d];
    for (vv_index i = t->target.lo[w], end = i + t->target.n[w]; i < end;) {
        next_run(t, &i, end, &affine);
        VV_TRY(take(t, coords, &affine));
    }
    return VV_OK;
}

static vv_status take_part(task *t)
{
    vv_grid g;
    vv_index first[VV_MAX_DIMS], n[VV_MAX_DIMS], at[VV_MAX_DIMS] = {0}, coords[VV_MAX_DIMS];
    slabs_of(t, &g);
    for (int d = 0; d < g.shape.nd; d++) {
        first[d] = vv_grid_at(&g, d, t->source.lo[d]);
        n[d] = vv_grid_at(&g, d, t->source.lo[d] + t->source.n[d] - 1) - first[d] + 1;
    }
    do {
        for (int d = 0; d < g.shape.nd; d++) coords[d] = first[d] + at[d];
        vv_grid_box_at(&g, coords, &t->slab_box);
        (void)vv_box_intersect(&t->slab_box, &t->source, &t->slab_box);
        VV_TRY(take_slab(t, coords));
    } while (vv_odometer(g.shape.nd, n, at));
    return VV_OK;
}

/* Fill values everywhere, unless the parts are sure to cover everything. */
static void fill(const vv_input *in, const vv_edge *e, int first, int end, const vv_box *box, void *to)
{
    vv_index covered = 0, all = vv_box_elements(box);
    vv_box common;
    for (int k = first; k < end; k++)
        if (e->part[k].table_dim < 0 && vv_box_intersect(&e->part[k].box, box, &common))
            covered += vv_box_elements(&common);
    if (covered == all) return;
    vv_dtype type = vv_working_type(in->type);
    _Alignas(16) char element[16];
    vv_dtype_store(type, element, in->fill);
    vv_tile_gather(vv_dtype_size(type), all, element, 0, to);
}

vv_status vv_box_assemble(vv_worker *w, int input, const vv_box *box, void *to)
{
    const vv_job *job = w->job;
    const vv_edge *e = w->edge[input];
    const vv_input *in = &job->step->input[input];
    task t = {.w = w, .type = vv_working_type(in->type), .box = box, .to = to};
    vv_pack_strides(box->nd, box->n, t.stride);
    int first, end;
    vv_edge_near(e, box, &first, &end);
    fill(in, e, first, end, box, to);
    for (int k = first; k < end; k++) {
        t.part = &e->part[k];
        if (!vv_box_intersect(&t.part->box, box, &t.target) || !vv_part_source(t.part, &t.target, &t.source)) continue;
        t.feed = &job->feed[job->plan->step[t.part->from].source];
        VV_TRY(take_part(&t));
    }
    return VV_OK;
}
