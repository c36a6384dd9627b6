/* Walking a chunk: rows, tiles, program, fold.
 *
 * The box of a chunk is a loop nest over its dimensions. Neighbouring dimensions of the same kind (kept or reduced) become one loop where the chunk
 * covers the inner one fully; then the innermost loop is the row. A row of kept elements is folded vertically (each into its own
 * cell), a row of reduced elements horizontally (all into one cell).
 *
 * Which dimensions join depends on the grid alone, and a cell sees its elements in row-major order of the reduced dimensions in any nest:
 * so the order of the loops is free. For blocks in memory with kept rows the reduced loops go inside the tile loop: a tile's cells stay in
 * the first-level cache while all of the chunk's elements behind them pass by. */
#include "base/fault.h"
#include "exec/work.h"

#include <string.h>

typedef struct loop {
    vv_index n;
    bool reduced;
    vv_index cell;                  /* stride in the output chunk */
    vv_index at[VV_PROGRAM_INPUTS]; /* stride in each input's block */
} loop;

typedef struct nest {
    int n;
    loop loop[VV_MAX_DIMS];
    vv_index cell;
    vv_index at[VV_PROGRAM_INPUTS];
} nest;

static bool joins(const vv_job *job, const vv_box *box, int inner)
{
    const vv_grid *g = &job->step->work;
    return box->n[inner] == (job->whole_dims ? g->shape.n[inner] : g->chunk[inner]);
}

static void make_nest(const vv_worker *w, const vv_box *box, nest *out)
{
    const vv_step *s = w->job->step;
    vv_index cell[VV_MAX_DIMS], cells = 1;
    for (int d = box->nd - 1; d >= 0; d--) {
        cell[d] = s->reduced[d] ? 0 : cells;
        if (!s->reduced[d]) cells *= box->n[d];
    }
    out->n = 0;
    for (int d = 0; d < box->nd; d++) {
        loop *last = out->n ? &out->loop[out->n - 1] : NULL;
        bool join = last && last->reduced == s->reduced[d] && joins(w->job, box, d);
        loop *l = join ? last : &out->loop[out->n++];
        l->n = join ? l->n * box->n[d] : box->n[d];
        l->reduced = s->reduced[d];
        l->cell = cell[d];
        for (int i = 0; i < s->n_inputs; i++) l->at[i] = w->block[i].stride[d];
    }
    if (out->n == 0) out->loop[out->n++] = (loop){.n = 1};
    out->cell = 0;
    for (int i = 0; i < s->n_inputs; i++) out->at[i] = w->block[i].first;
}

/* One tile: at[] are its first elements in the blocks, cell its (first) cell. */
static vv_status do_tile(vv_worker *w, bool horizontal, vv_index cell, const vv_index at[], vv_index n, char *state)
{
    const vv_step *s = w->job->step;
    const void *inputs[VV_PROGRAM_INPUTS];
    char *tile = w->program + vv_program_workspace(s->program);
    for (int i = 0; i < s->n_inputs; i++, tile += VV_TILE * 8) VV_TRY(vv_block_tile(w, i, at[i], n, tile, &inputs[i]));
    const void *values = vv_program_run(s->program, n, inputs, w->program);
    if (s->op == VV_STEP_MAP) {
        vv_bytes size = vv_dtype_size(s->program->type[s->program->output]);
        memcpy(state + cell * size, values, (size_t)(n * size));
        return VV_OK;
    }
    for (int r = 0; r < s->n_results; r++) {
        const vv_red *red = &s->result[r].red;
        if (horizontal)
            vv_red_horizontal(red, state, cell, n, values);
        else
            vv_red_vertical(red, state, cell, n, values);
        state += vv_state_size(red, ((vv_red_head *)(void *)state)->cells);
    }
    return VV_OK;
}

static vv_status do_tiles(vv_worker *w, const loop *row, vv_index cell, const vv_index at[], char *state)
{
    vv_index here[VV_PROGRAM_INPUTS];
    memcpy(here, at, sizeof here[0] * (size_t)w->job->step->n_inputs);
    for (vv_index i = 0; i < row->n; i += VV_TILE) {
        vv_index n = vv_imin(VV_TILE, row->n - i);
        VV_TRY(do_tile(w, row->reduced, cell + i * row->cell, here, n, state));
        for (int k = 0; k < w->job->step->n_inputs; k++) here[k] += n * row->at[k];
    }
    return VV_OK;
}

/* Runs `body` at every position of loops [0, n) of a nest, offsets moved along. */
typedef vv_status visitor(vv_worker *w, const nest *inner, vv_index cell, const vv_index at[], char *state);

static vv_status walk(vv_worker *w, const nest *outer, const nest *inner, vv_index cell, const vv_index start[],
                      visitor *body, char *state)
{
    vv_index position[VV_MAX_DIMS] = {0}, n[VV_MAX_DIMS];
    for (int l = 0; l < outer->n; l++) {
        n[l] = outer->loop[l].n;
        if (n[l] == 0) return VV_OK;
    }
    do {
        vv_index c = cell, at[VV_PROGRAM_INPUTS];
        memcpy(at, start, sizeof at[0] * (size_t)w->job->step->n_inputs);
        for (int l = 0; l < outer->n; l++) {
            c += position[l] * outer->loop[l].cell;
            for (int i = 0; i < w->job->step->n_inputs; i++) at[i] += position[l] * outer->loop[l].at[i];
        }
        VV_TRY(body(w, inner, c, at, state));
    } while (vv_odometer(outer->n, n, position));
    return VV_OK;
}

static vv_status visit_row(vv_worker *w, const nest *inner, vv_index cell, const vv_index at[], char *state)
{
    return do_tiles(w, &inner->loop[0], cell, at, state);
}

static vv_status visit_tile(vv_worker *w, const nest *inner, vv_index cell, const vv_index at[], char *state)
{
    return do_tile(w, false, cell, at, inner->loop[0].n, state);
}

/* A kept row whose tiles stay put while the reduced loops run: inner is {row, reduced loops ...}. */
static vv_status visit_column(vv_worker *w, const nest *inner, vv_index cell, const vv_index at[], char *state)
{
    nest reduced = {.n = inner->n - 1}, tile = {.n = 1, .loop = {inner->loop[0]}};
    memcpy(reduced.loop, inner->loop + 1, sizeof reduced.loop[0] * (size_t)reduced.n);
    vv_index here[VV_PROGRAM_INPUTS];
    memcpy(here, at, sizeof here[0] * (size_t)w->job->step->n_inputs);
    for (vv_index i = 0; i < inner->loop[0].n; i += VV_TILE) {
        tile.loop[0].n = vv_imin(VV_TILE, inner->loop[0].n - i);
        VV_TRY(walk(w, &reduced, &tile, cell + i, here, visit_tile, state));
        for (int k = 0; k < w->job->step->n_inputs; k++) here[k] += tile.loop[0].n * inner->loop[0].at[k];
    }
    return VV_OK;
}

static vv_status fold_chunk(vv_worker *w, const vv_box *box, char *state)
{
    nest all, outer = {0}, inner = {.n = 1};
    make_nest(w, box, &all);
    const loop *row = &all.loop[all.n - 1];
    inner.loop[0] = *row;
    bool columns = !w->job->streams && !row->reduced && w->job->step->op == VV_STEP_REDUCE;
    for (int l = 0; l < all.n - 1; l++) {
        nest *to = columns && all.loop[l].reduced ? &inner : &outer;
        to->loop[to->n++] = all.loop[l];
    }
    return walk(w, &outer, &inner, 0, all.at, columns ? visit_column : visit_row, state);
}

/* Elements behind each cell in a chunk. */
static vv_index behind(const vv_step *s, const vv_box *box)
{
    vv_index n = 1;
    for (int d = 0; d < box->nd; d++)
        if (s->reduced[d]) n *= box->n[d];
    return n;
}

static void count(const vv_step *s, char *state, vv_index n)
{
    for (int r = 0; s->op == VV_STEP_REDUCE && r < s->n_results; r++) {
        vv_index cells = ((vv_red_head *)(void *)state)->cells;
        vv_red_count(state, n);
        state += vv_state_size(&s->result[r].red, cells);
    }
}

static void init_state(const vv_step *s, vv_index cells, char *state)
{
    for (int r = 0; s->op == VV_STEP_REDUCE && r < s->n_results; r++) {
        vv_red_init(&s->result[r].red, cells, state);
        state += vv_state_size(&s->result[r].red, cells);
    }
}

vv_status vv_worker_run(vv_worker *w, vv_unit u, vv_index position, void *state)
{
    const vv_step *s = w->job->step;
    vv_box box;
    VV_TRY(vv_fault(VV_FAULT_TASK));
    vv_grid_box(&s->grid, u.out, &box);
    init_state(s, vv_box_elements(&box), state);
    vv_index first, last, coords[VV_MAX_DIMS];
    vv_unit_chunks(s, u, &first, &last);
    for (vv_index q = first; q < last; q++) {
        if (w->stop(w->context)) return vv_fail(VV_ERR_CANCELLED, "stopped");
        vv_unit_coords(s, u.out, q, coords);
        vv_grid_box_at(&s->work, coords, &box);
        for (int i = 0; i < s->n_inputs; i++) VV_TRY(vv_block_load(w, i, coords, &box, position + q - first));
        VV_TRY(fold_chunk(w, &box, state));
        count(s, state, behind(s, &box));
    }
    return VV_OK;
}

vv_status vv_worker_open(const vv_job *job, vv_worker *w)
{
    *w = (vv_worker){.job = job};
    VV_TRY(vv_fault(VV_FAULT_ALLOC));
    VV_TRY(vv_codec_new(&w->codec));
    if (job->work.stored) VV_TRY(vv_mem_get(&w->stored, job->work.stored - 64, "a compressed chunk"));
    VV_TRY(vv_mem_get(&w->program, job->work.program - 64, "registers"));
    for (int i = 0; i < job->step->n_inputs; i++) VV_TRY(vv_mem_get(&w->memory[i], job->work.block - 64, "a chunk"));
    return VV_OK;
}

void vv_worker_close(vv_worker *w)
{
    vv_codec_free(&w->codec);
    vv_mem_put(&w->stored);
    vv_mem_put(&w->program);
    for (int i = 0; i < VV_PROGRAM_INPUTS; i++) vv_mem_put(&w->memory[i]);
}
