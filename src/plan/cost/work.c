/* The buffers of one thread that runs a step: what the engine allocates, and what the memory contract counts. */
#include "plan/cost/cost.h"

#include "kernels/gemm.h"

/* And the header of an accounted block. */
static vv_bytes round64(vv_bytes n)
{
    return (n + 63) / 64 * 64 + 64;
}

static vv_index largest_chunk(const vv_grid *g)
{
    vv_index n = 1;
    for (int d = 0; d < g->shape.nd; d++) n = vv_times(n, vv_imin(g->chunk[d], g->shape.n[d]));
    return n;
}

static vv_index full_chunk(const vv_grid *g)
{
    vv_index n = 1;
    for (int d = 0; d < g->shape.nd; d++) n = vv_times(n, g->chunk[d]);
    return n;
}

vv_bytes vv_held_bytes(const vv_grid *g, vv_dtype type, int ranks)
{
    vv_bytes chunk = round64(vv_times(largest_chunk(g), vv_dtype_size(type)));
    return vv_times(vv_ceil_div(vv_grid_chunks(g), ranks), chunk);
}

vv_bytes vv_compressed_bound(vv_bytes raw)
{
    return raw + raw / 250 + 1024; /* zstd's own bound is raw + raw / 256 and a little */
}

vv_bytes vv_result_bytes(const vv_step *s, int result, vv_index cells)
{
    if (s->op == VV_STEP_REDUCE) return vv_state_size(&s->result[result].red, cells);
    return (vv_times(cells, vv_dtype_size(vv_step_values(s, result))) + 63) / 64 * 64;
}

vv_bytes vv_state_bytes(const vv_step *s, vv_index cells)
{
    vv_bytes bytes = 0;
    for (int r = 0; r < s->n_results; r++) bytes += vv_result_bytes(s, r, cells);
    return bytes;
}

vv_dtype vv_step_values(const vv_step *s, int result)
{
    if (s->op == VV_STEP_REDUCE) return vv_red_out(&s->result[result].red);
    if (s->program) return s->program->type[s->result[result].value];
    if (s->user) return vv_working_type(s->user->type);
    if (s->tiled) return s->tile.type;
    return vv_block_ops[s->call.op].result(vv_working_type(s->input[0].type));
}

vv_bytes vv_inbox_bytes(const vv_edge *e, const vv_box *box)
{
    const vv_input *in = &e->plan->step[e->step].input[e->input];
    return vv_times(vv_box_elements(box), vv_dtype_size(vv_working_type(in->type)));
}

/* The largest box that an input puts together, by dimension of the work space. */
static void largest_box(const vv_edge *e, vv_box *out)
{
    const vv_step *s = &e->plan->step[e->step];
    const vv_input *in = &s->input[e->input];
    *out = (vv_box){.nd = s->work.shape.nd};
    for (int d = 0; d < out->nd; d++) {
        out->n[d] = 1;
        if (d == e->lookup)
            for (vv_index i = 0; i < e->count[d]; i++) out->n[d] = vv_imax(out->n[d], e->span_n[i]);
        else if (e->follows[d])
            out->n[d] = vv_imin(s->work.chunk[d], vv_imax(1, s->work.shape.n[d])) + in->before[d] + in->after[d];
    }
}

/* A chunk as it comes out of inflating. */
static vv_bytes decoded_chunk(const vv_source *source)
{
    vv_bytes size = vv_dtype_size(source->decode.stored);
    if (source->generated) return vv_tile_bytes(source->decode.out);
    if (!source->chunked) return VV_WINDOW + 64;
    return vv_times(full_chunk(&source->stored), size) + 4 * VV_MAX_FILTERS; /* Fletcher sums may follow */
}

/* Whether a block has to be packed for the step's operation, wherever it comes from. */
static bool packs(const vv_step *s, const vv_input *in)
{
    return in->access == VV_ACCESS_BOX || vv_step_packs(s);
}

static void add_stored(const vv_plan *p, const vv_step *s, const vv_input *in, vv_work *out, vv_bytes *block)
{
    for (int k = 0; k < in->n_parts; k++) {
        const vv_source *source = vv_part_stored(p, &in->part[k]);
        if (!source) continue;
        vv_bytes decoded = round64(decoded_chunk(source));
        if (in->access == VV_ACCESS_CHUNK && !source->chunked)
            decoded = round64(vv_times(full_chunk(&s->work), vv_dtype_size(source->decode.stored)));
        if (packs(s, in))
            out->decoded = vv_imax(out->decoded, decoded);
        else
            *block = vv_imax(*block, decoded);
        if (source->raw && source->compressed) out->stored = vv_imax(out->stored, round64(source->largest));
        if (source->raw && vv_source_straightens(source)) out->stored = vv_imax(out->stored, decoded);
    }
}

static void add_input(const vv_plan *p, const vv_step *s, int k, const vv_edge *e, vv_work *out)
{
    const vv_input *in = &s->input[k];
    vv_box box;
    if (in->access == VV_ACCESS_STREAM && !packs(s, in)) {
        int dim;
        vv_index rows = vv_step_rows(p, s, &dim);
        out->block[k] = round64((rows ? vv_input_rows(p, s, k, rows) : VV_WINDOW) + 64);
        return;
    }
    if (in->access != VV_ACCESS_PUSH) add_stored(p, s, in, out, &out->block[k]);
    if (in->access == VV_ACCESS_PUSH ? !vv_plan_spills(p) : !packs(s, in)) return;
    largest_box(e, &box);
    out->block[k] = round64(vv_inbox_bytes(e, &box));
}

/* --- operations on blocks, products --- */

static vv_bytes block_workspace(const vv_step *s)
{
    vv_index in[VV_MAX_DIMS], out[VV_MAX_DIMS];
    for (int d = 0; d < s->work.shape.nd; d++) {
        out[d] = vv_imin(s->work.chunk[d], vv_imax(1, s->work.shape.n[d]));
        in[d] = out[d] + s->input[0].before[d] + s->input[0].after[d];
    }
    vv_dtype type = vv_working_type(s->input[0].type);
    return round64(vv_block_ops[s->call.op].workspace(&s->call, type, s->work.shape.nd, in, out));
}

static vv_bytes user_workspace(const vv_step *s, const vv_edge edge[])
{
    const bool *follows[VV_PROGRAM_INPUTS];
    vv_index n[VV_MAX_DIMS], out[VV_MAX_DIMS];
    for (int d = 0; d < s->work.shape.nd; d++) {
        n[d] = vv_imin(s->work.chunk[d], vv_imax(1, s->work.shape.n[d]));
        out[d] = vv_imin(s->grid.chunk[d], vv_imax(1, s->grid.shape.n[d]));
    }
    for (int k = 0; k < s->n_inputs; k++) follows[k] = edge[k].follows;
    return round64(vv_user_workspace(s->user, n, out, follows));
}

static vv_bytes tile_workspace(const vv_step *s)
{
    vv_index n[VV_MAX_DIMS];
    vv_tile_work w = {.from = s->tile.from};
    for (int d = 0; d < s->work.shape.nd; d++) n[d] = vv_imin(s->work.chunk[d], vv_imax(1, s->work.shape.n[d]));
    for (int k = 0; k < s->n_inputs; k++) vv_tile_shape(&s->tile, k, s->work.shape.nd, n, &w.in[k]);
    vv_tile_result(&s->tile, n, &w.out);
    return round64(vv_tile_workspace(&s->tile, &w));
}

/* Rows, columns and what is summed over, with the strides of the two packed blocks; dimensions that both have and that stay are done one by one. Which of
 * several rows (or columns, or sums) is given to BLAS depends on the block, so these count as packed, and together. */
typedef struct product {
    vv_index n[3];         /* m, n, k */
    vv_index stride[2][3]; /* of a and b along them */
} product;

static void product_of(const vv_step *s, const vv_edge e[2], product *out)
{
    *out = (product){.n = {1, 1, 1}};
    vv_index step[2] = {1, 1};
    for (int d = s->work.shape.nd - 1; d >= 0; d--) {
        vv_index length = vv_imin(s->work.chunk[d], vv_imax(1, s->work.shape.n[d]));
        bool both = e[0].follows[d] && e[1].follows[d];
        int which = s->reduced[d] ? 2 : both ? -1 : e[0].follows[d] ? 0 : 1;
        for (int k = 0; k < 2; k++) {
            if (which >= 0) out->stride[k][which] = e[k].follows[d] && out->n[which] == 1 ? step[k] : 0;
            if (e[k].follows[d]) step[k] *= length;
        }
        if (which >= 0) out->n[which] *= length;
    }
}

static vv_bytes product_workspace(const vv_step *s, const vv_edge e[2])
{
    product x;
    product_of(s, e, &x);
    return round64(vv_gemm_workspace(vv_working_type(s->input[0].type), x.n[0], x.n[1], x.n[2], x.stride[0][0],
                                     x.stride[0][2], x.stride[1][2], x.stride[1][1]));
}

/* --- the whole --- */

/* What a zstd compressor keeps: tables that grow with level and chunk (as measured, rounded up). */
static vv_bytes compressor_bytes(int zstd, vv_bytes raw)
{
    if (zstd <= 0) return 0;
    return zstd <= 3 ? 2 << 20 : vv_imin(28 * raw + (1 << 16), 96 << 20);
}

static void grow(vv_bytes *room, vv_bytes bytes)
{
    *room = vv_imax(*room, round64(bytes));
}

/* Values as the array has them, where they are not made that way. */
static void add_rounding(vv_work *w, vv_dtype type, vv_dtype array, vv_index cells)
{
    if (array == type) return;
    grow(&w->room[VV_FINISH_ENCODED], cells * vv_dtype_size(array));
    if (array != vv_working_type(array))
        grow(&w->room[VV_FINISH_DECODED], cells * vv_dtype_size(vv_working_type(array)));
}

static void add_values(vv_work *w, const vv_step *s, int result, vv_index cells)
{
    if (s->op == VV_STEP_REDUCE) grow(&w->room[VV_FINISH_VALUES], cells * vv_dtype_size(vv_step_values(s, result)));
}

/* Delivered to a file, or to rank 0. */
static void add_delivery(vv_work *w, const vv_step *s, const vv_step *to, vv_index cells)
{
    vv_dtype type = vv_step_values(s, to->result_of);
    vv_bytes size = vv_dtype_size(to->to.encode.to), raw = full_chunk(vv_write_grid(to)) * size;
    add_values(w, s, to->result_of, cells);
    if (to->to.encode.in != type) add_rounding(w, type, s->result[to->result_of].type, cells);
    grow(&w->room[VV_FINISH_STORED], cells * size);
    vv_bytes straight = to->op == VV_STEP_WRITE && raw >= VV_DIRECT_ROOM ? round64(VV_DIRECT_ROOM) : 0;
    w->passing = vv_imax(w->passing, straight);
    if (to->op == VV_STEP_GATHER || !to->to.chunked) return;
    vv_bytes packing = to->to.deflate > 0 || to->to.zstd > 0 ? round64(vv_compressed_bound(raw)) : 0;
    packing += compressor_bytes(to->to.zstd, raw) + straight;
    w->passing = vv_imax(w->passing, round64(raw) * (to->to.shuffle || to->to.grown.kept ? 2 : 1) + packing);
}

static void add_finishing(const vv_plan *p, int step, vv_index cells, vv_work *w)
{
    const vv_step *from = &p->step[step];
    for (int i = step + 1; i < p->n_steps; i++) {
        const vv_step *s = &p->step[i];
        if (vv_step_delivers(s) && s->from == step) add_delivery(w, from, s, cells);
        for (int k = 0; k < s->n_inputs; k++)
            for (int j = 0; j < s->input[k].n_parts; j++) {
                const vv_part *part = &s->input[k].part[j];
                if (part->from != step) continue;
                add_values(w, from, part->result, cells);
                add_rounding(w, vv_step_values(from, part->result), from->result[part->result].type, cells);
            }
    }
}

vv_status vv_work_edges(const vv_plan *p, const vv_step *s, vv_edge edge[])
{
    vv_status status = VV_OK;
    for (int k = 0; k < s->n_inputs; k++) edge[k] = (vv_edge){.lookup = -1};
    for (int k = 0; k < s->n_inputs && status == VV_OK; k++)
        if (packs(s, &s->input[k]) || s->input[k].access == VV_ACCESS_PUSH)
            status = vv_edge_make(p, (int)(s - p->step), k, &edge[k]);
    if (status != VV_OK) vv_work_edges_free(s, edge);
    return status;
}

void vv_work_edges_free(const vv_step *s, vv_edge edge[])
{
    for (int k = 0; k < s->n_inputs; k++) vv_edge_free(&edge[k]);
}

void vv_work_of_edges(const vv_plan *p, const vv_step *s, const vv_edge edge[], vv_work *out)
{
    int number = (int)(s - p->step);
    vv_index elements = largest_chunk(&s->grid), cells = elements / vv_step_length(s), groups = 1;
    if (s->op == VV_STEP_REDUCE && s->groups.dim >= 0) groups = vv_imin(s->groups.chunk, s->groups.n);
    *out = (vv_work){.cells = cells / groups, .groups = groups};
    for (int k = 0; k < s->n_inputs; k++) add_input(p, s, k, &edge[k], out);
    vv_bytes registers = s->program ? vv_program_workspace(s->program) : 0;
    for (int k = 0; k < s->n_inputs; k++) registers += vv_tile_bytes(vv_working_type(s->input[k].type));
    out->program = round64(registers);
    if (s->block) out->special = s->user ? user_workspace(s, edge) : block_workspace(s);
    if (s->product) out->special = product_workspace(s, edge);
    if (s->tiled) out->special = tile_workspace(s);
    if (s->product || s->tiled) out->blas = VV_GEMM_LIBRARY;
    out->state = round64(vv_times(groups, vv_state_bytes(s, out->cells)));
    add_finishing(p, number, elements, out);
    if (s->copied_all) *out = (vv_work){.cells = out->cells, .groups = out->groups};
    if (s->copied_to) out->stored = vv_imax(out->stored, round64(VV_COPY_ROOM));
}

vv_status vv_work_bytes(const vv_plan *p, const vv_step *s, vv_work *out)
{
    vv_edge edge[VV_PROGRAM_INPUTS];
    VV_TRY(vv_work_edges(p, s, edge));
    vv_work_of_edges(p, s, edge, out);
    vv_work_edges_free(s, edge);
    return VV_OK;
}

vv_bytes vv_work_total(const vv_step *s, const vv_work *w)
{
    vv_bytes bytes = w->stored + w->decoded + w->program + w->special;
    for (int k = 0; k < s->n_inputs; k++) bytes += w->block[k];
    return bytes;
}
