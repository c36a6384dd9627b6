/* Walking a box of work elements: rows, tiles, program, fold.
 *
 * The box is a loop nest over its dimensions. Neighbouring dimensions of the same kind (kept or reduced) become one loop where the step says so and the
 * box is a full chunk along the inner one; then the innermost loop is the row. A row of kept elements is folded vertically (each into its own
 * cell), a row of reduced elements horizontally (all into one cell).
 *
 * Which dimensions join the row of reduced elements depends on the grid alone, because it decides in which order they are added; where an input's
 * elements do not lie at one distance all along such a row (a broadcast one, say), its tiles are put together from stretches that do. A cell sees its
 * elements in row-major order of the reduced dimensions in any nest, so the order of the other loops is free. For blocks in memory with kept rows the
 * reduced loops go inside the tile loop: a tile's cells stay in the first-level cache while all of the chunk's elements behind them pass by.
 *
 * Nor may it show how much of a result is made, or where elements come from: whether a row is kept or reduced is a matter of the grid, not of how many cells
 * are wanted, and tiles of reduced rows have one length, however an input lies.
 *
 * An input that is looked up lies in its source's indices along one dimension: a position there is an entry of the table, and without one it is all fill. */
#include "exec/work.h"
#include "kernels/strided.h"

#include <string.h>

/* Tiles that go straight from their stored bytes into states: such as leave both in a first-level cache of 32 KiB. */
enum { STORED_TILE = VV_TILE / 2, STORED_RESULTS = 8 };

/* Kept rows shorter than this are joined with the loop around them even if some input has to be put together. */
enum { SHORT_ROW = 256 };

/* The offset of what a table has no entry for, whatever else is added to it: real ones are not negative. */
static const vv_index NOWHERE = -((vv_index)1 << 60);

typedef struct loop {
    vv_index n;
    int dim;
    bool reduced, looks_up;         /* looks_up: some input along it */
    vv_index cell;                  /* stride in the output chunk */
    vv_index place;                 /* stride among all elements of a cell; 0 along kept dimensions */
    vv_index at[VV_PROGRAM_INPUTS]; /* stride in each input's block; 0 where it is looked up */
} loop;

/* Where a tile goes: its (first) cell, and which of all elements of that cell its first one is. */
typedef struct spot {
    vv_index cell, place;
} spot;

typedef struct nest {
    int n;
    loop loop[VV_MAX_DIMS];
} nest;

struct fold;
typedef vv_status visitor(struct fold *f, spot to, const vv_index at[], vv_index n);

/* One box on its way into one state. */
typedef struct fold {
    vv_worker *w;
    const vv_step *s;
    const vv_box *box;
    char *state;
    int n_inputs;
    int looked_up[VV_PROGRAM_INPUTS]; /* dimension; -1: none */
    bool walked[VV_MAX_DIMS];         /* some loop or the row runs along it */
    nest outer, inner;                /* inner: the row, then reduced loops that go inside of it */
    vv_index cells;                   /* of a state */
    spot begin;                       /* of the box's first element */
    bool places;                      /* some result wants to know places */
    vv_index place[VV_MAX_DIMS];      /* then: stride by dimension */
    vv_index row_at;                  /* where in the row the tile at work begins */
    vv_index reach;                   /* longest tile */
    visitor *tile;                    /* what happens to one */
    bool whole;                       /* it takes the loop inside of the row with it */
    vv_red_into into[STORED_RESULTS]; /* and these states */
    /* The row's dimensions, for inputs that have to be put together. */
    bool mixed[VV_PROGRAM_INPUTS];
    int row_dims, row_dim[VV_MAX_DIMS];
    vv_index row_n[VV_MAX_DIMS];
} fold;

/* --- look-ups --- */

/* Where the entry for a position of the box along the looked-up dimension lies, from where the block begins. */
static vv_index entry_at(const fold *f, int input, vv_index position)
{
    const vv_part *p = &f->s->input[input].part[0];
    int w = f->looked_up[input];
    vv_index i = f->box->lo[w] + position;
    bool covered = i >= p->box.lo[w] && i < p->box.lo[w] + p->box.n[w];
    vv_index entry = covered ? vv_part_index(p, p->table_dim, i) : -1;
    return entry < 0 ? NOWHERE : (entry - f->w->box[input].lo[w]) * f->w->block[input].stride[w];
}

/* What a position along a dimension adds to an input's offset. */
static vv_index step_to(const fold *f, int input, int dim, vv_index position)
{
    return dim == f->looked_up[input] ? entry_at(f, input, position) : position * f->w->block[input].stride[dim];
}

static void fill_tile(const fold *f, int input, vv_index n, void *tile)
{
    vv_dtype type = f->w->block[input].decode.out;
    _Alignas(16) char element[16];
    vv_dtype_store(type, element, f->s->input[input].fill);
    vv_tile_gather(vv_dtype_size(type), n, element, 0, tile);
}

/* --- tiles --- */

/* n values of an input from `offset` on, `stride` apart, to where they shall be. */
static vv_status copy_values(fold *f, int input, vv_index offset, vv_index stride, vv_index n, char *to)
{
    const void *found;
    if (offset < 0) {
        fill_tile(f, input, n, to);
        return VV_OK;
    }
    VV_TRY(vv_block_tile(f->w, input, offset, stride, n, to, &found));
    if (found != to) memcpy(to, found, (size_t)(n * vv_dtype_size(f->w->block[input].decode.out)));
    return VV_OK;
}

/* How many entries from a position on are at one distance, or nothing. */
static vv_index stretch_at(const fold *f, int input, vv_index position, vv_index most, vv_index *step)
{
    vv_index first = entry_at(f, input, position), n = 1;
    *step = 0;
    if (most > 1 && first >= 0) {
        vv_index second = entry_at(f, input, position + 1);
        if (second < 0) return 1;
        *step = second - first;
    }
    while (n < most && entry_at(f, input, position + n) == (first < 0 ? NOWHERE : first + n * *step)) n++;
    return n;
}

/* Elements [row_at, row_at + n) of the row of an input whose elements lie in stretches. */
static vv_status mixed_tile(fold *f, int input, vv_index start, vv_index n, char *tile, const void **values)
{
    const vv_block *b = &f->w->block[input];
    vv_bytes size = vv_dtype_size(b->decode.out);
    vv_index at[VV_MAX_DIMS], rest = f->row_at;
    int last = f->row_dims - 1;
    for (int k = last; k >= 0; k--) {
        at[k] = rest % f->row_n[k];
        rest /= f->row_n[k];
    }
    for (vv_index done = 0; done < n;) {
        vv_index some = vv_imin(n - done, f->row_n[last] - at[last]), offset = start,
                 step = b->stride[f->row_dim[last]];
        for (int k = 0; k <= last; k++) offset += step_to(f, input, f->row_dim[k], at[k]);
        if (f->row_dim[last] == f->looked_up[input]) some = stretch_at(f, input, at[last], some, &step);
        some = vv_imin(some, vv_block_reach(b, step));
        VV_TRY(copy_values(f, input, offset, step, some, tile + done * size));
        done += some;
        at[last] += some - 1;
        vv_odometer(f->row_dims, f->row_n, at);
    }
    *values = tile;
    return VV_OK;
}

/* A row of several dimensions is in places that lie at one distance only along the last of them. */
static void fold_in_places(const fold *f, const vv_red *red, char *state, spot to, vv_index n, const char *values)
{
    vv_bytes size = vv_dtype_size(red->in);
    int last = f->row_dims - 1;
    for (vv_index done = 0, some; done < n; done += some) {
        vv_index place = to.place, rest = f->row_at + done;
        some = last < 0 ? n : vv_imin(n - done, f->row_n[last] - rest % f->row_n[last]);
        for (int k = last; k >= 0; k--) {
            place += rest % f->row_n[k] * f->place[f->row_dim[k]];
            rest /= f->row_n[k];
        }
        vv_red_at(state, place, last < 0 ? 0 : f->place[f->row_dim[last]]);
        vv_red_horizontal(red, state, to.cell, some, values + done * size);
    }
}

static void fold_tile(const fold *f, const vv_red *red, char *state, spot to, vv_index n, const void *values)
{
    bool reduced = f->inner.loop[0].reduced;
    if (reduced && red->kind->places) {
        fold_in_places(f, red, state, to, n, values);
    } else if (reduced) {
        vv_red_horizontal(red, state, to.cell, n, values);
    } else {
        if (red->kind->places) vv_red_at(state, to.place, 0);
        vv_red_vertical(red, state, to.cell, n, values);
    }
}

/* The same of several values, which have no places. */
static void fold_values(const fold *f, const vv_result *result, char *state, spot to, vv_index n,
                        const void *const inputs[])
{
    const void *values[VV_RED_VALUES];
    for (int k = 0; k < result->red.spec->n_values; k++)
        values[k] =
            vv_program_values(f->s->program, k ? result->more[k - 1] : result->value, inputs, f->w->program.data);
    vv_red_fold(&result->red, state, to.cell, f->inner.loop[0].reduced ? 0 : 1, n, values);
}

/* Where the values of a map with one result go; NULL: those of other steps have no place of their own. */
static void *place_of(const fold *f, spot to)
{
    const vv_step *s = f->s;
    if (s->op != VV_STEP_MAP || s->n_results != 1 || s->result[0].value != s->program->output[0]) return NULL;
    return f->state + to.cell * vv_dtype_size(s->program->type[s->result[0].value]);
}

static bool looks_for_nan(const fold *f)
{
    const vv_step *s = f->s;
    return place_of(f, f->begin) && vv_dtype_is_float(s->program->type[s->result[0].value]);
}

/* What the program has made of a tile goes into the states, or is the result. */
static void hand_on(const fold *f, spot to, vv_index n, const void *const inputs[])
{
    const vv_step *s = f->s;
    char *state = f->state;
    for (int r = 0; r < s->n_results; r++) {
        const vv_result *result = &s->result[r];
        const void *values = vv_program_values(s->program, result->value, inputs, f->w->program.data);
        vv_bytes size = vv_dtype_size(s->program->type[result->value]);
        if (s->op == VV_STEP_MAP)
            memcpy(state + to.cell * size, values, (size_t)(n * size));
        else if (result->red.spec)
            fold_values(f, result, state, to, n, inputs);
        else
            fold_tile(f, &result->red, state, to, n, values);
        state += vv_result_bytes(s, r, f->cells);
    }
}

/* A tile of the only input, as it is stored, into the only state; of a block in memory all that the loop inside of the row walks over. */
static vv_status do_stored_tile(fold *f, spot to, const vv_index at[], vv_index n)
{
    const loop *inside = &f->inner.loop[1];
    vv_stored s;
    VV_TRY(vv_block_at(f->w, 0, at[0], 1, n, &s));
    vv_stored_rows rows = {.block = s.bytes,
                           .total = s.total,
                           .first = s.first,
                           .step = f->whole ? inside->at[0] : 0,
                           .rows = f->whole ? inside->n : 1};
    vv_red_stored_rows(f->into, f->s->n_results, to.cell, n, &f->w->block[0].decode, &rows);
    return VV_OK;
}

/* Whether there is nothing to do between decoding a tile and folding it into a row of cells, and the reduction knows a short way for both. */
static bool folds_stored(fold *f)
{
    const vv_step *s = f->s;
    char *state = f->state;
    const loop *row = &f->inner.loop[0];
    if (s->op != VV_STEP_REDUCE || f->n_inputs != 1 || s->n_results > STORED_RESULTS || s->program->n > 0 ||
        row->reduced || row->at[0] != 1 || f->mixed[0])
        return false;
    for (int r = 0; r < s->n_results; r++) {
        const vv_red *red = &s->result[r].red;
        if (red->kind->places || !vv_red_takes_stored(red, &f->w->block[0].decode)) return false;
        f->into[r] = (vv_red_into){red, state};
        state += vv_result_bytes(s, r, f->cells);
    }
    return true;
}

/* One tile: at[] are its first elements in the blocks (of the row, where an input is mixed). */
static vv_status do_tile(fold *f, spot to, const vv_index at[], vv_index n)
{
    vv_worker *w = f->w;
    const vv_step *s = f->s;
    const loop *row = &f->inner.loop[0];
    const void *inputs[VV_PROGRAM_INPUTS];
    char *tile = w->program.data + vv_program_workspace(s->program);
    for (int i = 0; i < f->n_inputs; tile += vv_tile_bytes(f->w->block[i].decode.out), i++) {
        inputs[i] = tile;
        if (at[i] < 0)
            fill_tile(f, i, n, tile);
        else if (f->mixed[i])
            VV_TRY(mixed_tile(f, i, at[i], n, tile, &inputs[i]));
        else
            VV_TRY(vv_block_tile(w, i, at[i], row->at[i], n, tile, &inputs[i]));
    }
    void *place = place_of(f, to);
    if (vv_program_run_to(s->program, n, inputs, w->program.data, place) != place) hand_on(f, to, n, inputs);
    if (w->whole) w->whole = !vv_any_nan(s->program->type[s->result[0].value], place, n);
    return VV_OK;
}

/* Runs `body` at every position of `n` loops, offsets moved along. */
static vv_status walk(fold *f, int n_loops, const loop loops[], spot begin, const vv_index start[], vv_index n,
                      visitor *body)
{
    vv_index position[VV_MAX_DIMS], extent[VV_MAX_DIMS];
    for (int l = 0; l < n_loops; l++) {
        position[l] = 0;
        extent[l] = loops[l].n;
    }
    do {
        spot to = begin;
        vv_index at[VV_PROGRAM_INPUTS];
        memcpy(at, start, sizeof at[0] * (size_t)f->n_inputs);
        for (int l = 0; l < n_loops; l++) {
            to.cell += position[l] * loops[l].cell;
            to.place += position[l] * loops[l].place;
            for (int i = 0; i < f->n_inputs; i++) at[i] += position[l] * loops[l].at[i];
            for (int i = 0; loops[l].looks_up && i < f->n_inputs; i++)
                if (f->looked_up[i] == loops[l].dim) at[i] += entry_at(f, i, position[l]);
        }
        VV_TRY(body(f, to, at, n));
    } while (vv_odometer(n_loops, extent, position));
    return VV_OK;
}

/* Rows that are streamed, long, and not changed by anything: they are read to where the chunk has them. */
static bool reads_rows(const fold *f)
{
    enum { LONG = VV_WINDOW / 4 };
    const vv_step *s = f->s;
    const loop *row = &f->inner.loop[0];
    const vv_block *b = &f->w->block[0];
    if (s->op != VV_STEP_MAP || s->program->n > 0 || f->n_inputs != 1 || s->n_results != 1) return false;
    return !b->bytes && f->looked_up[0] < 0 && !f->mixed[0] && row->at[0] == 1 && row->cell == 1 && f->inner.n == 1 &&
           vv_decode_is_plain(&b->decode) && row->n * vv_dtype_size(b->decode.out) >= LONG;
}

static vv_status read_row(fold *f, spot to, const vv_index at[], vv_index n)
{
    return vv_block_read(f->w, 0, at[0], n, f->state + to.cell * vv_dtype_size(f->w->block[0].decode.out));
}

/* A row, tile by tile; the reduced loops that go inside run over each tile. */
static vv_status visit_row(fold *f, spot begin, const vv_index at[], vv_index n)
{
    const loop *row = &f->inner.loop[0];
    vv_index here[VV_PROGRAM_INPUTS];
    memcpy(here, at, sizeof here[0] * (size_t)f->n_inputs);
    for (vv_index i = 0; i < n; i += f->reach) {
        vv_index some = vv_imin(f->reach, n - i);
        spot to = {begin.cell + i * row->cell, begin.place};
        f->row_at = i;
        if (f->inner.n == 1 || f->whole)
            VV_TRY(f->tile(f, to, here, some));
        else
            VV_TRY(walk(f, f->inner.n - 1, f->inner.loop + 1, to, here, some, f->tile));
        for (int k = 0; k < f->n_inputs; k++)
            if (!f->mixed[k]) here[k] += some * row->at[k];
    }
    return VV_OK;
}

/* --- the nest --- */

/* Whether the step walks dimensions from (outer) and to (inner) as one in this box; dimensions between them have one element. */
static bool joins(const vv_step *s, const vv_box *box, int from, int to)
{
    if ((s->op == VV_STEP_REDUCE && s->reduced[from] != s->reduced[to]) || box->n[to] != s->work.chunk[to])
        return false;
    for (int d = from + 1; d <= to; d++)
        if (!s->join[d]) return false;
    return true;
}

/* Whether input i's elements of a loop around dimension `to` lie at the distance that continues those of it. */
static bool continues(const fold *f, int i, int from, int to, vv_index n)
{
    const vv_block *b = &f->w->block[i];
    return b->stride[from] == b->stride[to] * n && f->looked_up[i] != from;
}

/* Which dimensions make up the row: from list[*first] to the last one. */
static void find_row(fold *f, const vv_box *box, const vv_index cell[], const int list[], int n, int *first)
{
    *first = n - 1;
    vv_index length = box->n[list[n - 1]];
    bool reduced = f->s->op == VV_STEP_REDUCE && f->s->reduced[list[n - 1]];
    for (int i = 0; i < f->n_inputs; i++) f->mixed[i] = f->looked_up[i] == list[n - 1];
    while (*first > 0 && joins(f->s, box, list[*first - 1], list[*first])) {
        int from = list[*first - 1], to = list[*first];
        bool even = true;
        if (cell[from] != cell[to] * box->n[to]) break; /* other cells lie between */
        for (int i = 0; i < f->n_inputs; i++) even = even && (f->mixed[i] || continues(f, i, from, to, box->n[to]));
        if (!even && !reduced && length >= SHORT_ROW) break;
        for (int i = 0; i < f->n_inputs; i++) f->mixed[i] = f->mixed[i] || !continues(f, i, from, to, box->n[to]);
        length *= box->n[from];
        (*first)--;
    }
}

static void set_loop(const fold *f, const vv_box *box, int d, vv_index cell, loop *l)
{
    l->n = box->n[d];
    l->dim = d;
    l->looks_up = false;
    l->reduced = f->s->op == VV_STEP_REDUCE && f->s->reduced[d];
    l->cell = cell;
    l->place = f->places && l->reduced ? f->place[d] : 0;
    for (int i = 0; i < f->n_inputs; i++) {
        bool looks_up = f->looked_up[i] == d;
        l->at[i] = looks_up ? 0 : f->w->block[i].stride[d];
        l->looks_up = l->looks_up || looks_up;
    }
}

/* One more loop around the row, or a longer one of the loop before. */
static void add_loop(fold *f, nest *to, const loop *l, bool may_join)
{
    loop *last = to->n ? &to->loop[to->n - 1] : NULL;
    bool even = may_join && last && last->cell == l->cell * l->n && last->place == l->place * l->n && !last->looks_up &&
                !l->looks_up;
    for (int i = 0; even && i < f->n_inputs; i++) even = last->at[i] == l->at[i] * l->n;
    if (!even) {
        to->loop[to->n++] = *l;
        return;
    }
    vv_index n = last->n * l->n;
    *last = *l;
    last->n = n;
}

static void make_row(fold *f, const vv_box *box, const int list[], int first, int n, const vv_index cell[])
{
    loop *row = &f->inner.loop[0];
    set_loop(f, box, list[n - 1], cell[list[n - 1]], row);
    f->row_dims = n - first;
    row->n = 1;
    for (int k = 0; k < f->row_dims; k++) {
        f->row_dim[k] = list[first + k];
        f->row_n[k] = box->n[f->row_dim[k]];
        row->n *= f->row_n[k];
    }
    f->reach = VV_TILE;
    for (int i = 0; i < f->n_inputs; i++) {
        vv_index reach = vv_block_reach(&f->w->block[i], row->at[i]);
        if (reach < VV_TILE && row->reduced) f->mixed[i] = true;
        if (!f->mixed[i]) f->reach = vv_imin(f->reach, reach);
    }
}

/* Dimensions of one element are left out, but not where the cells of a row would not follow each other then, or only few of the cells are made. */
static bool walked(const vv_step *s, const vv_box *chunk, const vv_box *box, int d, vv_index cell)
{
    if (box->n[d] > 1 || (cell == 1 && chunk->n[d] > 1)) return true;
    return s->op == VV_STEP_REDUCE && !s->reduced[d] && s->work.chunk[d] > 1;
}

/* Elements of a cell are counted in row-major order of the reduced dimensions. */
static void find_places(fold *f, const vv_box *box)
{
    vv_index stride = 1;
    f->places = false;
    f->begin.place = 0;
    for (int r = 0; r < f->s->n_results && f->s->op == VV_STEP_REDUCE; r++)
        f->places = f->places || f->s->result[r].red.kind->places;
    for (int d = box->nd - 1; d >= 0 && f->places; d--) {
        f->place[d] = f->s->reduced[d] ? stride : 0;
        f->begin.place += box->lo[d] * f->place[d];
        if (f->s->reduced[d]) stride *= f->s->work.shape.n[d];
    }
}

/* chunk: what the state's cells stand for. */
static void make_nest(fold *f, const vv_box *chunk, const vv_box *box)
{
    const vv_step *s = f->s;
    vv_index cell[VV_MAX_DIMS], cells = 1;
    int list[VV_MAX_DIMS + 1], n = 0, first;
    f->begin.cell = 0;
    find_places(f, box);
    for (int d = box->nd - 1; d >= 0; d--) {
        bool reduced = s->op == VV_STEP_REDUCE && s->reduced[d];
        cell[d] = reduced ? 0 : cells;
        if (!reduced) cells *= chunk->n[d];
        f->begin.cell += (box->lo[d] - chunk->lo[d]) * cell[d];
    }
    f->cells = cells;
    for (int d = 0; d < box->nd; d++)
        if ((f->walked[d] = walked(s, chunk, box, d, cell[d]))) list[n++] = d;
    f->outer.n = 0;
    f->inner.n = 1;
    if (n == 0) { /* one element */
        f->inner.loop[0] = (loop){.n = 1, .reduced = s->op == VV_STEP_REDUCE && box->nd > 0 && s->reduced[box->nd - 1]};
        f->reach = VV_TILE;
        f->row_dims = 0;
        return;
    }
    find_row(f, box, cell, list, n, &first);
    make_row(f, box, list, first, n, cell);
    /* Loops inside of a kept row: windows of streamed data would jump to and fro. */
    bool columns = (!vv_step_streams(s) || f->w->rows > 0) && !f->inner.loop[0].reduced && s->op == VV_STEP_REDUCE;
    bool before_inside = false;
    for (int k = 0; k < first; k++) {
        loop l;
        set_loop(f, box, list[k], cell[list[k]], &l);
        bool inside = columns && l.reduced;
        nest *to = inside ? &f->inner : &f->outer;
        add_loop(f, to, &l, k > 0 && inside == before_inside && (!inside || to->n > 1));
        before_inside = inside;
    }
}

/* Where an input begins: no loop looks up along a dimension of one element. */
static vv_index begin_of(const fold *f, int input, vv_index at)
{
    int d = f->looked_up[input];
    return d < 0 || f->walked[d] ? at : at + entry_at(f, input, 0);
}

vv_status vv_fold_box(vv_worker *w, const vv_box *chunk, const vv_box *box, const vv_index at[], char *state)
{
    fold f;
    vv_index first[VV_PROGRAM_INPUTS];
    f.w = w;
    f.s = w->job->step;
    f.state = state;
    f.n_inputs = f.s->n_inputs;
    f.box = box;
    f.row_at = 0;
    memset(f.mixed, 0, sizeof f.mixed);
    for (int i = 0; i < f.n_inputs; i++) f.looked_up[i] = f.s->input[i].lookup ? w->edge[i]->lookup : -1;
    make_nest(&f, chunk, box);
    for (int i = 0; i < f.n_inputs; i++) first[i] = begin_of(&f, i, at[i]);
    f.tile = folds_stored(&f) ? do_stored_tile : do_tile;
    f.whole = f.tile == do_stored_tile && f.inner.n == 2;
    if (f.tile == do_stored_tile) f.reach = vv_imin(f.reach, STORED_TILE);
    visitor *visit = reads_rows(&f) ? read_row : visit_row;
    w->whole = visit == visit_row && looks_for_nan(&f); /* values are looked at while the cache has them */
    return walk(&f, f.outer.n, f.outer.loop, f.begin, first, f.inner.loop[0].n, visit);
}
