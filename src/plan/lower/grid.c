/* How the work of a step is cut into chunks.
 *
 * The grid decides in which order numbers are added, so it follows from shapes and stored chunks alone. Chunks of the work should be chunks of the file, as
 * they are seen through the view: then a task reads whole chunks and nobody else needs them. Inputs have their say in the order of what is wanted of them, stored ones before computed ones;
 * dimensions that none has cut are cut by fixed numbers: the state of a piece's cells stays in the second-level cache, a chunk is a few
 * megabytes, so that a leaf is worth a task and a combine. */
#include "plan/lower/build.h"

#include "base/reshape.h"

#include <string.h>

enum { CELLS = 64 * 1024, ELEMENTS = 2 * 1024 * 1024, LEAST = 256 * 1024, SIDE = 1024 };

/* As much of a dimension as fits, in equal parts. */
static vv_index part(vv_index n, vv_index room)
{
    if (n <= 1) return 1;
    room = vv_imax(1, room);
    return n <= room ? n : vv_ceil_div(n, vv_ceil_div(n, room));
}

/* Long stretches end at multiples of EVEN, so that pieces of a power of two lie inside them (array/linalg/qr.c). */
static vv_index even_part(vv_index n, vv_index room)
{
    enum { EVEN = 16384 };
    vv_index c = part(n, room), above = vv_ceil_div(c, EVEN) * EVEN;
    return c == n || c < 2 * EVEN ? c : above <= room ? above : above - EVEN;
}

static vv_index modulo(vv_index a, vv_index n)
{
    return (a % n + n) % n;
}

static vv_index floor_div(vv_index a, vv_index b)
{
    return (a - modulo(a, b)) / b;
}

/* Element i of the part's box is source element start + stride * i; chunks of the source begin at multiples of `chunk` less `shift`. */
bool vv_grid_seen(const vv_part *p, int d, vv_index chunk, vv_index shift, vv_index *seen, vv_index *seen_shift)
{
    if (p->dim[d] < 0 || d == p->table_dim) return false;
    vv_index step = p->stride[d] < 0 ? -p->stride[d] : p->stride[d], lo = p->box.lo[p->dim[d]];
    if (chunk % step) return false;
    *seen = chunk / step;
    vv_index whole = floor_div(p->start[d] + shift, step);
    *seen_shift = modulo(p->stride[d] > 0 ? whole - lo : -(lo + whole + 1), *seen);
    return true;
}

/* --- what inputs suggest --- */

typedef struct candidate {
    const vv_part *part;
    const vv_grid *grid;
    bool stored;
    vv_index wanted;
} candidate;

static bool before(const candidate *a, const candidate *b)
{
    return a->stored != b->stored ? a->stored : a->wanted > b->wanted;
}

static vv_index wanted(const vv_part *p)
{
    vv_box box;
    return vv_part_source(p, &p->box, &box) ? vv_box_elements(&box) : 0;
}

/* The largest part of every input that has chunks, best first. Small inputs have no say beside large ones. */
static int candidates(const vv_plan *p, const vv_step *s, candidate out[])
{
    int n = 0;
    vv_index most = 0;
    for (int k = 0; k < s->n_inputs; k++) {
        candidate c = {.wanted = -1};
        for (int i = 0; i < s->input[k].n_parts; i++) {
            vv_index w = wanted(&s->input[k].part[i]);
            if (w > c.wanted) c = (candidate){.part = &s->input[k].part[i], .wanted = w};
        }
        if (!c.part) continue;
        most = vv_imax(most, c.wanted);
        const vv_source *source = vv_part_stored(p, c.part);
        if (source && !source->chunked) continue;
        c.stored = source && !source->generated;
        c.grid = &p->step[c.part->from].grid;
        int at = n++;
        for (; at > 0 && before(&c, &out[at - 1]); at--) out[at] = out[at - 1];
        out[at] = c;
    }
    int kept = 0;
    for (int i = 0; i < n; i++)
        if (out[i].wanted >= most / 16) out[kept++] = out[i];
    return kept;
}

/* Sets what is not set yet; fixed[d]: by a stored variable. True when it was set by another one. */
static bool suggest(const candidate *c, vv_step *s, bool fixed[])
{
    bool free = false;
    for (int d = 0; d < c->part->nd; d++) {
        int w = c->part->dim[d];
        vv_index seen, shift;
        if (w < 0 || s->work.chunk[w] || !vv_grid_seen(c->part, d, c->grid->chunk[d], c->grid->shift[d], &seen, &shift))
            continue;
        s->work.chunk[w] = seen;
        s->work.shift[w] = shift;
        fixed[w] = c->stored && !s->block;
        free = free || !fixed[w];
    }
    return free;
}

static void follow_hint(vv_step *s, const vv_hint *hint, const bool fixed[])
{
    for (int d = 0; d < s->work.shape.nd; d++) {
        bool stays =
            fixed[d] && s->op == VV_STEP_REDUCE; /* a sum can be had of any chunks: those of the file cost nothing */
        if (hint->chunk[d] == 0 || stays) continue;
        s->work.chunk[d] = hint->chunk[d];
        s->work.shift[d] = hint->shift[d];
    }
}

/* --- dimensions that are not cut yet --- */

/* Elements that a cell finishes as; some are as good as one, since states of one have some numbers, too. */
static vv_index cell_length(const vv_step *s)
{
    enum { SOME = 3 };
    return vv_ceil_div(vv_step_length(s), SOME);
}

/* Whole inner dimensions as long as cells and elements are within limits, then stretches. */
static void fill_up(vv_step *s)
{
    vv_index elements = 1, cells = cell_length(s);
    bool open = true; /* all inner kept dimensions are whole, so that runs in the file are long */
    for (int d = 0; d < s->work.shape.nd; d++) {
        if (s->work.chunk[d] == 0) continue;
        elements = vv_times(elements, vv_imin(s->work.chunk[d], vv_imax(1, s->work.shape.n[d])));
        if (!s->reduced[d]) cells = vv_times(cells, vv_imin(s->work.chunk[d], vv_imax(1, s->work.shape.n[d])));
    }
    for (int d = s->work.shape.nd - 1; d >= 0; d--) {
        vv_index n = s->work.shape.n[d], c = 1;
        vv_index room = ELEMENTS / elements;
        if (s->work.chunk[d]) {
            open = open && s->work.chunk[d] >= n;
            continue;
        }
        if (s->reduced[d])
            c = part(n, room);
        else if (open)
            c = s->op == VV_STEP_REDUCE ? part(n, vv_imin(room, vv_imax(1, CELLS / cells))) : even_part(n, room);
        s->work.chunk[d] = c;
        elements = vv_times(elements, c);
        if (!s->reduced[d]) cells = vv_times(cells, c);
        open = open && c >= n;
    }
}

void vv_lower_fill_grid(vv_grid *g)
{
    vv_step s = {.op = VV_STEP_MAP, .work = *g};
    fill_up(&s);
    *g = s.work;
}

static vv_index chunk_elements(const vv_grid *g)
{
    vv_index n = 1;
    for (int d = 0; d < g->shape.nd; d++) n = vv_times(n, vv_imin(g->chunk[d], vv_imax(1, g->shape.n[d])));
    return n;
}

static vv_index chunk_cells(const vv_step *s)
{
    vv_index n = cell_length(s);
    for (int d = 0; d < s->work.shape.nd; d++)
        if (!s->reduced[d]) n = vv_times(n, vv_imin(s->work.chunk[d], vv_imax(1, s->work.shape.n[d])));
    return n;
}

/* Chunks of inputs that come in pieces may be tiny: several of them make one of ours. The shortest side is doubled first, so that neighbours
 * with surroundings share little. */
static void merge_tiny(vv_step *s, const bool fixed[])
{
    vv_grid *g = &s->work;
    while (2 * chunk_elements(g) <= LEAST) {
        int shortest = -1;
        for (int d = 0; d < g->shape.nd; d++) {
            bool cells = s->op == VV_STEP_REDUCE && !s->reduced[d] && 2 * chunk_cells(s) > CELLS;
            if (fixed[d] || cells || vv_grid_count(g, d) < 2) continue;
            if (shortest < 0 || g->chunk[d] < g->chunk[shortest]) shortest = d;
        }
        if (shortest < 0) return;
        g->chunk[shortest] *= 2;
        if (g->shift[shortest] == 0) g->chunk[shortest] = vv_imin(g->chunk[shortest], g->shape.n[shortest]);
    }
}

/* Cuts the other dimensions finer until a chunk is of a handy size. */
static void cut_finer(vv_grid *g, const bool kept[])
{
    for (int d = 0; d < g->shape.nd; d++) {
        vv_index pieces = vv_ceil_div(chunk_elements(g), 2 * ELEMENTS),
                 c = vv_imin(g->chunk[d], vv_imax(1, g->shape.n[d]));
        if (kept[d] || pieces < 2) continue;
        pieces = vv_imin(pieces, c);
        while (pieces < c && g->chunk[d] % pieces) pieces++; /* pieces of a chunk lie inside it */
        g->chunk[d] = vv_imax(1, g->chunk[d] / pieces);
        g->shift[d] %= g->chunk[d];
    }
}

/* Functions of the user's see the chunks that they are told they see; what is wanted whole may come in a list of the chunks that it has. */
static void user_chunks(vv_step *s)
{
    vv_grid *g = &s->work;
    vv_user *u = s->user;
    bool kept[VV_MAX_DIMS] = {false};
    for (int d = 0; d < g->shape.nd; d++) {
        vv_index n = vv_imax(1, g->shape.n[d]);
        kept[d] = u->kind == VV_USER_BLOCKS || u->whole[d] || u->chunk[d] > 0;
        if (u->chunk[d] > 0 || u->whole[d]) {
            u->list[d] = vv_imin(n, u->chunk[d] > 0 ? u->chunk[d] : g->chunk[d]);
            u->list_shift[d] = u->chunk[d] > 0 ? 0 : g->shift[d] % u->list[d];
            g->chunk[d] = u->whole[d] ? n : u->list[d];
            g->shift[d] = 0;
        }
    }
    cut_finer(g, kept);
}

/* A scan runs along its whole axis, a lane is one piece. A window's chunks are twice as long as what they need around them, lest the same elements go to very many. */
static void block_chunks(vv_step *s)
{
    vv_grid *g = &s->work;
    bool kept[VV_MAX_DIMS] = {false};
    if (!s->block) return;
    if (s->user) {
        user_chunks(s);
        return;
    }
    for (int d = 0; d < g->shape.nd; d++) {
        if (!vv_block_whole(&s->call, d)) continue;
        kept[d] = true;
        g->chunk[d] = vv_imax(1, g->shape.n[d]);
        g->shift[d] = 0;
    }
    for (int d = 0; d < g->shape.nd; d++) {
        vv_index around = s->call.before[d] + s->call.after[d];
        if (around == 0) continue;
        kept[d] = true;
        vv_index long_enough = vv_ceil_div(2 * around, g->chunk[d]) * g->chunk[d];
        if (g->chunk[d] < long_enough) g->chunk[d] = vv_imin(long_enough, g->shape.n[d] + g->shift[d]);
    }
    cut_finer(g, kept);
}

/* A shift of the only chunk says nothing; nor, where a reduction folds it, does a length beyond the end. */
static void settle(vv_grid *g, bool folded)
{
    for (int d = 0; d < g->shape.nd; d++)
        if (g->chunk[d] >= g->shape.n[d] + g->shift[d] && (g->shift[d] || folded)) {
            g->chunk[d] = vv_imax(1, g->shape.n[d]);
            g->shift[d] = 0;
        }
}

void vv_lower_grid(const vv_plan *p, vv_step *s, const vv_hint *hint)
{
    candidate all[VV_PROGRAM_INPUTS];
    bool fixed[VV_MAX_DIMS] = {false};
    int n = candidates(p, s, all);
    for (int d = 0; d < s->work.shape.nd; d++) s->work.chunk[d] = s->work.shift[d] = 0;
    bool said = false, tiny = false;
    for (int i = 0; i < n; i++) tiny = suggest(&all[i], s, fixed) || tiny;
    follow_hint(s, hint, fixed);
    for (int d = 0; d < s->work.shape.nd; d++) said = said || hint->chunk[d];
    fill_up(s);
    bool seen = s->user && s->user->kind == VV_USER_BLOCKS; /* the function sees which chunks there are */
    if (tiny && !said && !seen) merge_tiny(s, fixed);
    block_chunks(s);
    settle(&s->work, s->op == VV_STEP_REDUCE);
}

/* --- other shapes --- */

/* Dimensions that stay keep their chunks; those that are merged or split are cut into stretches of what then has room in a chunk. */
void vv_lower_reshape_grid(vv_step *s)
{
    vv_dims_pair pair[VV_MAX_DIMS];
    vv_grid *g = &s->work;
    vv_index room = ELEMENTS;
    int n = vv_reshape_pairs(&g->shape, &s->shown, pair);
    for (int i = 0; i < n; i++)
        if (vv_pair_is_single(&pair[i])) room /= vv_imax(1, vv_imin(g->chunk[pair[i].in], g->shape.n[pair[i].in]));
    for (int i = n - 1; i >= 0; i--) {
        const vv_dims_pair *p = &pair[i];
        if (vv_pair_is_single(p)) continue;
        bool merged = p->n_in > 1;
        const vv_index *many = merged ? g->shape.n + p->in : s->shown.n + p->out;
        vv_index stretch = vv_reshape_stretch(many, merged ? p->n_in : p->n_out, vv_imax(1, room));
        (void)vv_reshape_cut(g->shape.n + p->in, p->n_in, stretch, g->chunk + p->in);
        for (int d = p->in; d < p->in + p->n_in; d++) g->shift[d] = 0;
        room /= stretch;
    }
}

/* --- products --- */

/* About SIDE along one dimension: several chunks of the input, equal parts of a large one, or of all. */
static void side(vv_grid *g, int d, vv_index room)
{
    vv_index n = vv_imax(1, g->shape.n[d]), c = vv_imin(g->chunk[d], n), cut = part(c, room);
    if (c > room && c % cut == 0) {
        g->chunk[d] = cut;
        g->shift[d] %= cut;
    } else if (g->chunk[d] == 0 || c > room) {
        g->chunk[d] = part(n, room);
        g->shift[d] = 0;
    } else {
        g->chunk[d] = c < n ? vv_imin(c * (room / c), n + g->shift[d]) : n;
        g->shift[d] %= g->chunk[d];
    }
}

enum { SUMMED = 2, BOTH = 3 };

static bool follows(const vv_step *s, int k, int d)
{
    return s->input[k].n_parts > 0 && vv_part_follows(&s->input[k].part[0], d);
}

/* 0, 1: a dimension that only this input follows. */
static int role(const vv_step *s, int d)
{
    if (s->reduced[d]) return SUMMED;
    if (follows(s, 0, d)) return follows(s, 1, d) ? BOTH : 0;
    return 1;
}

/* Blocks of about SIDE x SIDE; of many small matrices as many as make such a block. */
void vv_lower_product_grid(const vv_plan *p, vv_step *s)
{
    candidate all[VV_PROGRAM_INPUTS];
    bool fixed[VV_MAX_DIMS];
    vv_grid *g = &s->work;
    int n = candidates(p, s, all);
    for (int d = 0; d < g->shape.nd; d++) g->chunk[d] = g->shift[d] = 0;
    for (int i = 0; i < n; i++) (void)suggest(&all[i], s, fixed);
    vv_index have[3] = {1, 1,
                        1}; /* along what only the first input follows, only the second one, what is summed over */
    for (int d = g->shape.nd - 1; d >= 0; d--) {
        int which = role(s, d);
        if (which == BOTH) continue;
        side(g, d, vv_imax(1, SIDE / have[which]));
        have[which] *= vv_imin(g->chunk[d], vv_imax(1, g->shape.n[d]));
    }
    vv_index largest = vv_imax(have[0] * have[1], vv_imax(have[0], have[1]) * have[2]);
    for (int d = g->shape.nd - 1; d >= 0; d--) {
        if (role(s, d) != BOTH) continue;
        side(g, d, vv_imax(1, (vv_index)SIDE * SIDE / largest));
        largest *= vv_imin(g->chunk[d], vv_imax(1, g->shape.n[d]));
    }
    settle(g, true);
}
