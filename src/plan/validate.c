/* What a rank checks before it trusts the bytes of a plan: every reference points to something that fits. */
#include "plan/copy.h"
#include "plan/cost/cost.h"

#include <string.h>

static vv_status bad(const vv_plan *p, int step, const char *what)
{
    return vv_fail(VV_ERR_INTERNAL, "plan: step %d of %d: %s", step, p->n_steps, what);
}

/* Lengths and halos below this can be added up without a thought. */
static const vv_index FAR = VV_INDEX_MAX / 8;

static bool grid_ok(const vv_grid *g)
{
    if (g->shape.nd < 0 || g->shape.nd > VV_MAX_DIMS) return false;
    for (int d = 0; d < g->shape.nd; d++)
        if (g->shape.n[d] < 0 || g->shape.n[d] > FAR || g->chunk[d] < 1 || g->chunk[d] > FAR || g->shift[d] < 0 ||
            g->shift[d] >= g->chunk[d])
            return false;
    return true;
}

/* Filters that are known, of which one shuffles and one compresses what is shuffled; nothing is absent that is not there. */
static bool stored_ok(const vv_source *s)
{
    int compressors = 0, shuffles = 0;
    if (s->n_filters < 0 || s->n_filters > VV_MAX_FILTERS) return false;
    for (int i = 0; i < s->n_filters; i++) {
        if (s->filter[i] == 0 || s->filter[i] >= VV_FILTERS) return false;
        shuffles += s->filter[i] == VV_FILTER_SHUFFLE;
        if (s->filter[i] == VV_FILTER_SHUFFLE && compressors) return false;
        compressors += s->filter[i] == VV_FILTER_DEFLATE || s->filter[i] == VV_FILTER_ZSTD;
    }
    for (int d = 0; d < s->stored.shape.nd; d++)
        if (s->absent[d] < 0 || s->absent[d] > s->stored.shape.n[d]) return false;
    return compressors == s->compressed && shuffles == s->decode.shuffled;
}

static bool source_ok(const vv_source *s)
{
    const vv_decode *d = &s->decode;
    if (s->generated && !s->given && !vv_random_makes(s->random.kind, d->stored)) return false;
    if (vv_dtype_is_complex(d->stored) != vv_dtype_is_complex(d->out)) return false;
    if (vv_dtype_is_complex(d->stored) && (d->scaled || d->n_missing || d->has_min || d->has_max)) return false;
    return stored_ok(s) && s->path && s->variable && grid_ok(&s->stored) && vv_working_type(d->stored) != VV_NONE &&
           vv_working_type(d->out) == d->out && d->out != VV_NONE && d->n_missing >= 0 &&
           d->n_missing <= VV_MAX_MISSING;
}

static bool is_working(vv_dtype type)
{
    return type != VV_NONE && vv_working_type(type) == type;
}

/* Working type of what a step hands on as result r. */
static vv_dtype handed_on(const vv_plan *p, const vv_step *s, int r)
{
    if (s->op == VV_STEP_READ) return p->source[s->source].decode.out;
    return vv_working_type(s->result[r].type);
}

/* Entries of a table are elements of a source, or none. */
static bool entries_within(const vv_table *t, vv_index n)
{
    for (vv_index i = 0; i < t->n; i++)
        if (t->at[i] < -1 || t->at[i] >= n) return false;
    return true;
}

/* Indices start, start + stride, ... of `steps` steps lie within [0, n). */
static bool steps_within(vv_index start, vv_index stride, vv_index steps, vv_index n)
{
    if (start < 0 || start >= n) return false;
    if (steps == 0) return true;
    if (stride == VV_INDEX_MAX || stride < -VV_INDEX_MAX) return false;
    return steps <= (stride > 0 ? (n - 1 - start) / stride : start / -stride);
}

/* Every index that a part can ask for is there. */
static bool within(const vv_part *part, const vv_shape *source)
{
    for (int d = 0; d < part->nd; d++) {
        int w = part->dim[d];
        if (w < -1 || w >= part->box.nd || (w >= 0 && part->stride[d] == 0)) return false;
        vv_index n = source->n[d];
        if (d == part->table_dim) {
            if (w < 0 || !part->table || !entries_within(part->table, n)) return false;
            n = part->table->n;
        }
        if (!steps_within(part->start[d], w < 0 ? 1 : part->stride[d], w < 0 ? 0 : part->box.n[w] - 1, n)) return false;
    }
    return true;
}

static bool box_within(const vv_box *b, const vv_shape *shape)
{
    if (b->nd != shape->nd) return false;
    for (int d = 0; d < b->nd; d++)
        if (b->lo[d] < 0 || b->lo[d] > shape->n[d] || b->n[d] < 1 || b->n[d] > shape->n[d] - b->lo[d]) return false;
    return true;
}

/* Of surroundings elements may lie outside of the work. */
static bool box_around(const vv_box *b, const vv_shape *shape, const vv_input *in)
{
    vv_box moved = *b;
    vv_shape larger = *shape;
    for (int d = 0; d < shape->nd; d++) {
        if (b->nd != shape->nd || b->lo[d] < -in->before[d]) return false;
        moved.lo[d] += in->before[d];
        larger.n[d] += in->before[d] + in->after[d];
    }
    return box_within(&moved, &larger);
}

/* Along dimension d of its source every work chunk lies within one stored chunk. */
static bool in_one_chunk(const vv_step *s, const vv_part *part, const vv_grid *stored, int d)
{
    int w = part->dim[d];
    vv_index size = stored->chunk[d], n = w < 0 ? 1 : s->work.shape.n[w], begin = part->start[d];
    if (w >= 0 && part->stride[d] != 1) return false;
    if (w < 0 || vv_grid_count(&s->work, w) <= 1) return begin / size == (begin + n - 1) / size;
    return size % s->work.chunk[w] == 0 && (begin - s->work.shift[w]) % s->work.chunk[w] == 0;
}

/* All chunks of the work are chunks of the held array. */
static bool first_ok(const vv_step *s)
{
    return s->placement == VV_PLACE_FIRST && s->op == VV_STEP_MAP;
}

static bool held_ok(const vv_step *s)
{
    if (s->placement != VV_PLACE_HELD || s->op != VV_STEP_MAP) return false;
    vv_index all = 1;
    for (int d = 0; d < s->work.shape.nd; d++) {
        const vv_within *w = &s->within;
        vv_index n = vv_grid_count(&s->work, d);
        if (w->count[d] < 1 || w->count[d] > FAR || w->first[d] < 0 || w->first[d] > w->count[d] - n) return false;
        all = vv_times(all, w->count[d]);
    }
    return all < FAR;
}

/* An input that is used where it lies: one part for all of the work space, from a source of the right kind. */
static bool direct_ok(const vv_plan *p, const vv_step *s, const vv_input *in)
{
    if (in->n_parts != 1 || in->part[0].table_dim >= 0) return false;
    const vv_part *part = &in->part[0];
    const vv_source *source = vv_part_stored(p, part);
    if (!source || !source->raw || source->chunked != (in->access == VV_ACCESS_CHUNK)) return false;
    if (vv_box_elements(&part->box) != vv_shape_elements(&s->work.shape)) return false;
    for (int d = 0; d < s->work.shape.nd; d++)
        if (in->before[d] || in->after[d]) return false;
    for (int d = 0; d < part->nd && source->chunked; d++)
        if (!in_one_chunk(s, part, &source->stored, d)) return false;
    return true;
}

static vv_status check_part(const vv_plan *p, int i, const vv_input *in, const vv_part *part)
{
    const vv_step *s = &p->step[i];
    if (part->from < 0 || part->from >= i) return bad(p, i, "an input that does not come before it");
    const vv_step *from = &p->step[part->from];
    bool stored = from->op == VV_STEP_READ;
    if (!stored && !vv_step_computes(from)) return bad(p, i, "an input that has no elements");
    if (!stored && (part->result < 0 || part->result >= from->n_results)) return bad(p, i, "unknown result");
    if (stored && p->source[from->source].given && s->placement != VV_PLACE_FIRST)
        return bad(p, i, "elements that only rank 0 has");
    if (stored == (in->access == VV_ACCESS_PUSH)) return bad(p, i, "an input that cannot be had so");
    if (handed_on(p, from, part->result) != vv_working_type(in->type)) return bad(p, i, "an input of another type");
    if (part->nd != from->grid.shape.nd || !box_around(&part->box, &s->work.shape, in) ||
        !within(part, &from->grid.shape))
        return bad(p, i, "a view beyond its array");
    return VV_OK;
}

static vv_status check_input(const vv_plan *p, int i, int k)
{
    const vv_step *s = &p->step[i];
    const vv_input *in = &s->input[k];
    if (in->access < 0 || in->access >= VV_ACCESSES || vv_working_type(in->type) == VV_NONE)
        return bad(p, i, "an input of no type or access");
    if (s->program && s->program->type[k] != vv_working_type(in->type)) return bad(p, i, "an input of another type");
    if (s->op == VV_STEP_REDUCE && in->access == VV_ACCESS_STREAM && !vv_step_streams(s))
        return bad(p, i, "not all inputs are streamed");
    if (in->lookup && in->n_parts != 1) return bad(p, i, "a look-up in several parts");
    for (int d = 0; d < s->work.shape.nd; d++)
        if (in->before[d] < 0 || in->after[d] < 0 || in->before[d] > FAR || in->after[d] > FAR)
            return bad(p, i, "a halo below zero or beyond all bounds");
    for (int j = 0; j < in->n_parts; j++) VV_TRY(check_part(p, i, in, &in->part[j]));
    bool direct = in->access == VV_ACCESS_STREAM || in->access == VV_ACCESS_CHUNK;
    return !direct || direct_ok(p, s, in) ? VV_OK : bad(p, i, "an input that is not where it is wanted");
}

static vv_status check_groups(const vv_plan *p, int i)
{
    const vv_step *s = &p->step[i];
    const vv_groups *g = &s->groups;
    if (g->dim < 0) return VV_OK;
    if (g->dim >= s->work.shape.nd || !s->reduced[g->dim] || g->n < 1 || g->chunk < 1 || !g->label ||
        g->label->n != s->work.shape.n[g->dim])
        return bad(p, i, "groups of another length");
    for (vv_index k = 0; k < g->label->n; k++)
        if (g->label->at[k] < -1 || g->label->at[k] >= g->n) return bad(p, i, "an unknown group");
    return VV_OK;
}

static bool told_ok(const vv_plan *p, int i)
{
    int told = p->step[i].told_to;
    if (told <= i || told >= p->n_steps) return false;
    const vv_step *w = &p->step[told];
    return w->op == VV_STEP_WRITE && w->from == i && w->to.chunked;
}

/* A lane lies in one chunk. */
static bool lanes_ok(const vv_step *s)
{
    vv_index n = 1;
    bool some = false;
    for (int d = 0; d < s->work.shape.nd; d++) {
        if (!s->call.along[d]) continue;
        n = vv_times(n, s->work.shape.n[d]);
        if (vv_grid_count(&s->work, d) != 1 || s->work.shift[d] || s->work.shape.n[d] < 1) return false;
        if (s->input[0].before[d] || s->input[0].after[d]) return false;
        some = true;
    }
    return some && s->call.length >= 1 && vv_block_ops[s->call.op].fits(&s->call, n);
}

/* An array has those of the function along the dimensions that it has, and no others. */
static bool surroundings_ok(const vv_input *in, const vv_user *u, const vv_user_operand *o, int nd)
{
    for (int d = 0; d < nd; d++) {
        bool has = false;
        for (int i = 0; i < o->nd; i++) has = has || o->dim[i] == d;
        if (in->before[d] != (has ? u->before[d] : 0) || in->after[d] != (has ? u->after[d] : 0)) return false;
    }
    return true;
}

/* Its own dimensions and pieces are those of the work; what it wants whole is. */
static bool user_ok(const vv_step *s)
{
    const vv_user *u = s->user;
    int nd = s->work.shape.nd;
    if (s->op != VV_STEP_MAP || !s->block || !vv_user_valid(u, nd) || s->n_inputs != vv_imax(1, u->n_in)) return false;
    for (int d = 0; d < nd; d++) {
        vv_index n = vv_grid_count(&s->work, d);
        if (u->origin[d] > u->work.n[d] - s->work.shape.n[d]) return false;
        if (u->whole[d] && (n > 1 || s->work.shape.n[d] != u->work.n[d])) return false;
        bool all = vv_user_differs(u, d) || u->before[d] || u->after[d];
        if (all && s->work.shape.n[d] != u->work.n[d]) return false;
        if (vv_user_differs(u, d) && n > 1 && vv_ceil_div(u->length[d], u->piece[d]) != n) return false;
        if (vv_user_differs(u, d) && n == 0 && u->length[d] > 0) return false;
    }
    for (int k = 0; k < u->n_in; k++) {
        if (vv_working_type(s->input[k].type) != vv_working_type(u->in[k].type)) return false;
        if (!surroundings_ok(&s->input[k], u, &u->in[k], nd)) return false;
    }
    return vv_working_type(s->result[0].type) == vv_working_type(u->type);
}

/* Pieces are where the operation wants them, and only those of the first operand, along one dimension. */
static bool tiles_ok(const vv_step *s)
{
    const vv_tile_call *c = &s->tile;
    int cut = 0, nd = s->work.shape.nd;
    if (c->type != VV_F64 && c->type != VV_C128) return false;
    if (c->op < 0 || c->op >= vv_n_tile_ops || c->first < 1 || c->first > 2 || nd < c->first || nd > c->first + 2)
        return false;
    const vv_tile_op *op = &vv_tile_ops[c->op];
    if (s->n_inputs < op->least || s->n_inputs > op->most || (s->n_inputs > 1) != (nd > c->first)) return false;
    for (int d = 0; d < nd; d++) {
        bool whole = vv_grid_count(&s->work, d) == 1;
        if (s->work.shape.n[d] < 1 || s->work.shift[d] || s->work.chunk[d] != c->cut[d]) return false;
        if (c->extent[d] < VV_TILE_SAME || c->extent[d] > FAR || (!whole && (d >= c->first || c->extent[d] == 0)))
            return false;
        cut += !whole;
        for (int k = 0; k < s->n_inputs; k++)
            if (s->input[k].before[d] || s->input[k].after[d] || s->input[k].lookup) return false;
    }
    return cut <= 1;
}

static vv_status check_map(const vv_plan *p, int i)
{
    const vv_step *s = &p->step[i];
    if (s->copied_to ? s->copied_to != vv_copy_target(p, i) : s->copied_all)
        return bad(p, i, "a copy of what is not stored so");
    if (s->told_to && !told_ok(p, i)) return bad(p, i, "places of chunks that it does not make");
    for (int d = 0; d < s->work.shape.nd; d++)
        if (s->reduced[d]) return bad(p, i, "a map that reduces");
    if (s->reshaped && (s->block || s->n_results != 1 || s->copied_to))
        return bad(p, i, "another shape of several things");
    if (s->block && s->n_results != 1) return bad(p, i, "an operation on blocks of several results");
    if (s->tiled && (s->reshaped || s->n_results != 1 || !tiles_ok(s))) return bad(p, i, "tiles that are no tiles");
    if (vv_step_lanes(s) && !lanes_ok(s)) return bad(p, i, "lanes that are no lanes");
    return s->leaf == 1 ? VV_OK : bad(p, i, "a map of several chunks");
}

/* What a reduction is told besides, and the other values that it folds. */
static vv_status check_spec(const vv_plan *p, int i, const vv_result *result)
{
    const vv_step *s = &p->step[i];
    const vv_red_spec *spec = result->red.spec;
    if ((spec ? spec->length : 0) != s->length) return bad(p, i, "results of different lengths");
    if (!spec) return VV_OK;
    if (!s->program || !vv_red_spec_ok(spec)) return bad(p, i, "a reduction that is told nonsense");
    for (int k = 1; k < spec->n_values; k++)
        if (!vv_program_has_output(s->program, result->more[k - 1]) ||
            s->program->type[result->more[k - 1]] != spec->type[k])
            return bad(p, i, "a reduction of values that are not there");
    return VV_OK;
}

static vv_status check_reduce(const vv_plan *p, int i)
{
    const vv_step *s = &p->step[i];
    for (int r = 0; r < s->n_results; r++) {
        const vv_red *red = &s->result[r].red;
        vv_dtype in = s->program ? s->program->type[s->result[r].value] : vv_working_type(s->input[0].type);
        if (!red->kind) return bad(p, i, "unknown reduction");
        if (red->width != 0 && red->width != 1 && red->width != 2 && red->width != 4 && red->width != 8)
            return bad(p, i, "counts of an odd width");
        if (red->in != in || !vv_red_defined(red)) return bad(p, i, "a reduction of another type");
        VV_TRY(check_spec(p, i, &s->result[r]));
    }
    if (s->length < 0) return bad(p, i, "results of no length");
    if (s->product && (s->n_inputs != 2 || s->n_results != 1)) return bad(p, i, "a product of other than two");
    return check_groups(p, i);
}

static vv_status check_compute(const vv_plan *p, int i)
{
    const vv_step *s = &p->step[i];
    if (!grid_ok(&s->work) || s->leaf < 1 || s->n_inputs < 1) return bad(p, i, "no grid, leaf or input");
    if (s->n_results < 1 || s->n_results > VV_MAX_RESULTS) return bad(p, i, "number of results");
    if (!s->program != vv_step_packs(s) || s->block + s->product + s->tiled > 1)
        return bad(p, i, "no program, or one too many");
    if (s->program && s->program->n_inputs != s->n_inputs) return bad(p, i, "program and inputs differ");
    if (s->user && !user_ok(s)) return bad(p, i, "a function of other blocks");
    if (s->block && !s->user && (s->n_inputs != 1 || s->call.op < 0 || s->call.op >= vv_n_block_ops))
        return bad(p, i, "unknown block operation");
    if (s->block && !s->user && vv_block_ops[s->call.op].result(vv_working_type(s->input[0].type)) == VV_NONE)
        return bad(p, i, "a block operation of another type");
    if (s->placement < 0 || (s->placement >= VV_PLACEMENTS && !held_ok(s) && !first_ok(s)))
        return bad(p, i, "placement");
    for (int k = 0; k < s->n_inputs; k++) VV_TRY(check_input(p, i, k));
    for (int r = 0; s->program && r < s->n_results; r++)
        if (!vv_program_has_output(s->program, s->result[r].value)) return bad(p, i, "a result that is not computed");
    VV_TRY(s->op == VV_STEP_MAP ? check_map(p, i) : check_reduce(p, i));
    for (int r = 0; r < s->n_results; r++)
        if (vv_dtype_is_complex(vv_step_values(s, r)) != vv_dtype_is_complex(s->result[r].type))
            return bad(p, i, "a result of another type");
    vv_grid kept;
    vv_step_result_grid(s, &kept);
    return vv_grid_equal(&kept, &s->grid) ? VV_OK : bad(p, i, "a result of another shape");
}

/* Chunks of new elements are those of the step, numbered alike. */
static bool grown_ok(const vv_plan *p, const vv_step *s)
{
    const vv_grown *g = &s->to.grown;
    if (!g->on) return true;
    return p->original && s->to.chunked && grid_ok(&g->grid) && g->dim >= 0 && g->dim < g->grid.shape.nd &&
           g->kept >= 0 && g->kept < g->grid.chunk[g->dim] && g->first >= 0 &&
           vv_grid_chunks(&g->grid) == vv_grid_chunks(&s->grid) &&
           vv_shape_elements(&g->grid.shape) == vv_shape_elements(&s->grid.shape);
}

static vv_status check_deliver(const vv_plan *p, int i)
{
    const vv_step *s = &p->step[i];
    if (s->from < 0 || s->from >= i || !vv_step_computes(&p->step[s->from])) return bad(p, i, "nothing to deliver");
    const vv_step *from = &p->step[s->from];
    if (s->result_of < 0 || s->result_of >= from->n_results) return bad(p, i, "unknown result");
    if (!vv_grid_equal(&s->grid, &from->grid) || !is_working(s->to.encode.in))
        return bad(p, i, "delivers something else");
    if (vv_working_type(s->to.encode.to) == VV_NONE ||
        vv_dtype_is_complex(s->to.encode.in) != vv_dtype_is_complex(s->to.encode.to))
        return bad(p, i, "element type");
    if (!grown_ok(p, s)) return bad(p, i, "appends other chunks");
    return s->op != VV_STEP_WRITE || p->output ? VV_OK : bad(p, i, "no output file");
}

static vv_status check_step(const vv_plan *p, int i)
{
    const vv_step *s = &p->step[i];
    if (s->op < 0 || s->op >= VV_STEP_OPS || !s->name) return bad(p, i, "unknown operation");
    if (!grid_ok(&s->grid)) return bad(p, i, "grid");
    if (vv_step_computes(s)) return check_compute(p, i);
    if (s->op != VV_STEP_READ) return check_deliver(p, i);
    if (s->source < 0 || s->source >= p->n_sources) return bad(p, i, "unknown source");
    return vv_grid_equal(&s->grid, &p->source[s->source].stored) ? VV_OK : bad(p, i, "another shape than its source");
}

vv_status vv_plan_validate(const vv_plan *p)
{
    if (p->ranks < 1 || p->threads < 1)
        return vv_fail(VV_ERR_INTERNAL, "plan: for %d ranks, %d threads", p->ranks, p->threads);
    for (int i = 0; i < p->n_sources; i++)
        if (!source_ok(&p->source[i])) return vv_fail(VV_ERR_INTERNAL, "plan: source %d cannot be read", i);
    for (int i = 0; i < p->n_steps; i++) VV_TRY(check_step(p, i));
    return VV_OK;
}
