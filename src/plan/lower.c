#include "plan/lower.h"

#include "plan/place.h"

#include <stdlib.h>
#include <string.h>

/* How virtual chunks of contiguous data are cut: the state of a piece's cells stays in the second-level cache, a chunk is a few
 * megabytes, so that a leaf is worth a task and a combine. Fixed numbers: they decide the order of additions. */
enum { CELLS = 64 * 1024, ELEMENTS = 2 * 1024 * 1024, LEAF_ELEMENTS = 32 };

typedef struct builder {
    vv_lowering *l;
    int placement;
    vv_array **expression; /* of each step that computes: what its program evaluates; other entries are undefined */
} builder;

/* --- sources and the expression --- */

static vv_status source_of(builder *b, const vv_array *a, int *index)
{
    vv_plan *p = b->l->plan;
    const vv_variable *v = &a->origin->file->meta->var[a->var];
    vv_source *s;
    vv_origin *origin = realloc(b->l->origin, sizeof *origin * ((size_t)p->n_sources + 1));
    if (!origin) return vv_fail(VV_ERR_NOMEM, "no memory for the plan");
    b->l->origin = origin;
    origin[p->n_sources] = (vv_origin){a->origin->file, a->var};
    *index = p->n_sources;
    VV_TRY(vv_plan_add_source(p, &s));
    VV_TRY(vv_strdup(&s->path, a->origin->path));
    VV_TRY(vv_strdup(&s->variable, v->name));
    s->raw = v->fast;
    s->chunked = v->layout == VV_LAYOUT_CHUNKED;
    s->deflated = v->deflate >= 0;
    s->fletcher32 = v->fletcher32;
    s->filters = v->shuffle + s->deflated + s->fletcher32;
    s->decode = a->decode;
    s->decode.shuffled = v->shuffle;
    s->stored.shape = v->shape;
    memcpy(s->fill, v->fill, sizeof s->fill);
    s->address = -1;
    s->total = v->stored;
    for (int d = 0; d < v->shape.nd; d++) s->stored.chunk[d] = s->chunked ? v->chunk[d] : vv_imax(1, v->shape.n[d]);
    return VV_OK;
}

static bool same_decode(const vv_decode *a, const vv_decode *b)
{
    return a->out == b->out && a->scaled == b->scaled && a->n_missing == b->n_missing;
}

/* The read step of a stored variable, shared by everything that reads it in the same way. */
static vv_status read_step(builder *b, const vv_array *a, int *step)
{
    vv_plan *p = b->l->plan;
    for (int i = 0; i < p->n_steps; i++) {
        if (p->step[i].op != VV_STEP_READ) continue;
        const vv_origin *o = &b->l->origin[p->step[i].source];
        if (o->file == a->origin->file && o->var == a->var &&
            same_decode(&p->source[p->step[i].source].decode, &a->decode)) {
            *step = i;
            return VV_OK;
        }
    }
    int source = -1;
    VV_TRY(source_of(b, a, &source));
    vv_step *s;
    *step = p->n_steps;
    VV_TRY(vv_plan_add_step(p, VV_STEP_READ, a->name, &s));
    s->source = source;
    s->grid = p->source[source].stored;
    return VV_OK;
}

typedef struct inputs {
    int n;
    int step[VV_PROGRAM_INPUTS];
    int reg[VV_PROGRAM_INPUTS];
    vv_dtype type[VV_PROGRAM_INPUTS];
} inputs;

/* Nodes that were visited already: shared parts are collected, and run, once. */
typedef struct memo {
    int n;
    const vv_array *node[VV_PROGRAM_MAX];
    int reg[VV_PROGRAM_MAX];
} memo;

static vv_status too_long(void)
{
    return vv_fail(VV_ERR_UNSUPPORTED, "an expression of more than %d operations", VV_PROGRAM_MAX);
}

static vv_status collect(builder *b, const vv_array *a, memo *m, inputs *in)
{
    for (int i = 0; i < m->n; i++)
        if (m->node[i] == a) return VV_OK;
    if (m->n == VV_PROGRAM_MAX) return too_long();
    m->node[m->n++] = a;
    if (a->kind == VV_NODE_REDUCE)
        return vv_fail(VV_ERR_UNSUPPORTED,
                       "'%s': a computation on the result of a reduction in the same run; save or compute %s first",
                       a->name, a->reduction->name);
    for (int i = 0; i < a->n_inputs; i++) VV_TRY(collect(b, a->input[i], m, in));
    if (a->kind != VV_NODE_OPEN) return VV_OK;
    int step;
    VV_TRY(read_step(b, a, &step));
    for (int i = 0; i < in->n; i++)
        if (in->step[i] == step) return VV_OK;
    if (in->n == VV_PROGRAM_INPUTS)
        return vv_fail(VV_ERR_UNSUPPORTED, "an expression over more than %d variables", VV_PROGRAM_INPUTS);
    in->type[in->n] = a->decode.out;
    in->step[in->n++] = step;
    return VV_OK;
}

static vv_status compile(builder *b, const vv_array *a, const inputs *in, memo *m, vv_program *p, int *reg)
{
    for (int i = 0; i < m->n; i++)
        if (m->node[i] == a) {
            *reg = m->reg[i];
            return VV_OK;
        }
    if (m->n == VV_PROGRAM_MAX) return too_long();
    if (a->kind == VV_NODE_OPEN) {
        int step;
        VV_TRY(read_step(b, a, &step));
        for (int i = 0; i < in->n; i++)
            if (in->step[i] == step) *reg = in->reg[i];
    } else if (a->kind == VV_NODE_MAP) {
        int operand[3];
        /* Working types alone would promote i64 with u8 to f64, and f32 with i8 too. */
        vv_dtype type = vv_working_type(vv_node_operand_type(a->op, a->input, a->n_inputs));
        for (int i = 0; i < a->n_inputs; i++)
            if (a->input[i]->kind != VV_NODE_SCALAR) VV_TRY(compile(b, a->input[i], in, m, p, &operand[i]));
        for (int i = 0; i < a->n_inputs; i++)
            if (a->input[i]->kind == VV_NODE_SCALAR)
                VV_TRY(vv_program_constant(p, type, a->input[i]->scalar, &operand[i]));
            else if (i > 0 || !a->op->condition)
                VV_TRY(vv_program_cast(p, type, operand[i], &operand[i]));
        VV_TRY(vv_program_op(p, a->op, operand, reg));
    } else {
        VV_TRY(vv_program_constant(p, VV_F64, a->scalar, reg));
    }
    m->node[m->n] = a;
    m->reg[m->n++] = *reg;
    return VV_OK;
}

static vv_status compile_expression(builder *b, const vv_array *e, int step, inputs *in)
{
    vv_program *p;
    VV_TRY(vv_new(&p, 1, sizeof *p));
    b->l->plan->step[step].program = p;
    for (int i = 0; i < in->n; i++) VV_TRY(vv_program_input(p, in->type[i], &in->reg[i]));
    memo *m;
    VV_TRY(vv_new(&m, 1, sizeof *m));
    int output = 0;
    vv_status status = compile(b, e, in, m, p, &output);
    if (status == VV_OK) vv_program_set_output(p, output);
    free(m);
    return status;
}

/* --- grids --- */

/* As much of a dimension as fits, in equal parts. */
static vv_index part(vv_index n, vv_index room)
{
    if (n <= 1) return 1;
    room = vv_imax(1, room);
    return n <= room ? n : vv_ceil_div(n, vv_ceil_div(n, room));
}

/* Chunks for data that has none: whole inner dimensions as long as cells and elements are within limits, then stretches. */
static void virtual_grid(vv_step *s)
{
    vv_index elements = 1, cells = 1;
    bool open = true; /* all inner kept dimensions are whole, so that runs in the file are long */
    for (int d = s->work.shape.nd - 1; d >= 0; d--) {
        vv_index n = s->work.shape.n[d], c = 1;
        vv_index room = ELEMENTS / elements;
        if (s->reduced[d])
            c = part(n, room);
        else if (open)
            c = part(n, s->op == VV_STEP_REDUCE ? vv_imin(room, CELLS / cells) : room);
        s->work.chunk[d] = c;
        elements *= c;
        if (!s->reduced[d]) cells *= c;
        open = open && c >= n;
    }
}

static vv_status work_grid(builder *b, vv_step *s)
{
    vv_plan *p = b->l->plan;
    const vv_source *chosen = NULL;
    for (int i = 0; i < s->n_inputs; i++) {
        const vv_source *source = &p->source[p->step[s->input[i].step].source];
        s->work.shape = source->stored.shape;
        if (!source->chunked) continue;
        if (chosen && memcmp(chosen->stored.chunk, source->stored.chunk,
                             sizeof source->stored.chunk[0] * (size_t)s->work.shape.nd))
            return vv_fail(VV_ERR_UNSUPPORTED,
                           "'%s' and '%s' are stored in chunks of different shapes; rechunk one of them first",
                           chosen->variable, source->variable);
        chosen = source;
    }
    if (chosen)
        memcpy(s->work.chunk, chosen->stored.chunk, sizeof s->work.chunk);
    else
        virtual_grid(s);
    return VV_OK;
}

/* Chunks of a leaf: enough elements behind a cell that combining leaves costs little beside folding them. */
static vv_index leaf_length(const vv_step *s)
{
    vv_index behind = 1;
    for (int d = 0; d < s->work.shape.nd; d++)
        if (s->reduced[d]) behind = vv_times(behind, vv_imin(s->work.chunk[d], vv_imax(1, s->work.shape.n[d])));
    return vv_ceil_div(LEAF_ELEMENTS, behind);
}

/* Whole outputs per rank: few messages, few states at a time. Contiguous data is rather read in the file's order, as long as few outputs
 * are open at once. */
static vv_placement choose_placement(const builder *b, const vv_step *s)
{
    enum { FEW = 64 };
    if (b->placement >= 0) return (vv_placement)b->placement;
    bool in_order = vv_step_streams(b->l->plan, s) && vv_step_leaves(s) > 1 && vv_step_outs(s) <= FEW;
    return in_order ? VV_PLACE_LEAVES : VV_PLACE_OUTPUTS;
}

/* --- steps --- */

/* Whether two expressions are the same though they were built separately. Gives up on very large ones: then they are computed twice. */
static bool same_expression(const vv_array *a, const vv_array *b, int *patience)
{
    if (a == b) return true;
    if (--*patience < 0 || a->kind != b->kind || a->n_inputs != b->n_inputs || a->op != b->op) return false;
    if (a->kind == VV_NODE_OPEN)
        return a->origin == b->origin && a->var == b->var && same_decode(&a->decode, &b->decode);
    if (a->kind == VV_NODE_SCALAR) return a->scalar == b->scalar;
    for (int i = 0; i < a->n_inputs; i++)
        if (!same_expression(a->input[i], b->input[i], patience)) return false;
    return a->kind == VV_NODE_MAP;
}

static bool same_reduced(const vv_step *s, const vv_array *a)
{
    return !memcmp(s->reduced, a->reduced, sizeof s->reduced);
}

/* A step that already computes this expression over these dimensions, with room for another result. */
static int find_compute(const builder *b, const vv_array *a, const vv_array *expression)
{
    const vv_plan *p = b->l->plan;
    for (int i = 0; i < p->n_steps; i++) {
        const vv_step *s = &p->step[i];
        int patience = VV_PROGRAM_MAX;
        if (!vv_step_computes(s) || !same_expression(b->expression[i], expression, &patience)) continue;
        if (s->op == VV_STEP_MAP && a->kind != VV_NODE_REDUCE) return i;
        if (s->op == VV_STEP_REDUCE && a->kind == VV_NODE_REDUCE && same_reduced(s, a) && s->n_results < VV_MAX_RESULTS)
            return i;
    }
    return -1;
}

static vv_status new_compute(builder *b, vv_array *a, vv_array *expression, int *index)
{
    vv_plan *p = b->l->plan;
    inputs in = {0};
    memo *m;
    VV_TRY(vv_new(&m, 1, sizeof *m));
    vv_status status = collect(b, expression, m, &in);
    free(m);
    VV_TRY(status);
    if (in.n == 0) return vv_fail(VV_ERR_UNSUPPORTED, "'%s' depends on no stored variable", a->name);
    vv_step *s;
    *index = p->n_steps;
    VV_TRY(vv_plan_add_step(p, a->kind == VV_NODE_REDUCE ? VV_STEP_REDUCE : VV_STEP_MAP, a->name, &s));
    vv_array **more = realloc(b->expression, sizeof *more * (size_t)p->n_steps);
    if (!more) return vv_fail(VV_ERR_NOMEM, "no memory for the plan");
    b->expression = more;
    b->expression[*index] = expression;
    s->n_inputs = in.n;
    vv_index_map map = a->kind == VV_NODE_REDUCE ? VV_MAP_REDUCE : VV_MAP_SAME;
    for (int i = 0; i < in.n; i++) s->input[i] = (vv_edge){in.step[i], 0, map};
    if (a->kind == VV_NODE_REDUCE) memcpy(s->reduced, a->reduced, sizeof s->reduced);
    VV_TRY(compile_expression(b, expression, *index, &in));
    s = &p->step[*index];
    VV_TRY(work_grid(b, s));
    s->leaf = a->kind == VV_NODE_REDUCE ? leaf_length(s) : 1;
    vv_step_result_grid(s, &s->grid);
    s->placement = choose_placement(b, s);
    return VV_OK;
}

static vv_index elements_behind(const vv_step *s)
{
    vv_index n = 1;
    for (int d = 0; d < s->work.shape.nd; d++)
        if (s->reduced[d]) n = vv_times(n, s->work.shape.n[d]);
    return n;
}

static vv_status add_result(vv_step *s, const vv_array *a, int *result)
{
    vv_dtype in = s->program->type[s->program->output];
    vv_red red = {0};
    if (a->kind == VV_NODE_REDUCE)
        red = (vv_red){a->reduction, in, !a->options.keep_nan, a->options.ddof, elements_behind(s) > UINT32_MAX};
    for (int r = 0; r < s->n_results; r++) {
        const vv_result *have = &s->result[r];
        if (have->type == a->dtype && have->red.kind == red.kind && have->red.skip == red.skip &&
            have->red.ddof == red.ddof) {
            *result = r;
            return VV_OK;
        }
    }
    *result = s->n_results++;
    s->result[*result] = (vv_result){.type = a->dtype, .red = red};
    return vv_strdup(&s->result[*result].name, a->kind == VV_NODE_REDUCE ? a->reduction->name : a->name);
}

static vv_status deliver(builder *b, vv_target *t, int compute, int result)
{
    vv_plan *p = b->l->plan;
    vv_step *s;
    t->step = p->n_steps;
    VV_TRY(vv_plan_add_step(p, t->output_variable < 0 ? VV_STEP_GATHER : VV_STEP_WRITE, t->array->name, &s));
    const vv_step *from = &p->step[compute];
    s->n_inputs = 1;
    s->input[0] = (vv_edge){compute, result, VV_MAP_SAME};
    s->grid = from->grid;
    vv_dtype values =
        from->op == VV_STEP_REDUCE ? vv_red_out(&from->result[result].red) : from->program->type[from->program->output];
    s->to.variable = t->output_variable;
    s->to.encode = (vv_encode){.in = values, .to = t->array->dtype, .scale = 1};
    return VV_OK;
}

static vv_status lower_target(builder *b, vv_target *t)
{
    VV_TRY(vv_array_status(t->array));
    vv_array *expression = t->array->kind == VV_NODE_REDUCE ? t->array->input[0] : t->array;
    int compute = find_compute(b, t->array, expression), result;
    if (compute < 0) VV_TRY(new_compute(b, t->array, expression, &compute));
    VV_TRY(add_result(&b->l->plan->step[compute], t->array, &result));
    return deliver(b, t, compute, result);
}

vv_status vv_lower(vv_target targets[], int n, int ranks, int placement, vv_lowering *out)
{
    *out = (vv_lowering){0};
    VV_TRY(vv_plan_new(&out->plan));
    out->plan->ranks = ranks;
    out->plan->threads = 1;
    builder b = {.l = out, .placement = placement};
    vv_status status = VV_OK;
    for (int i = 0; i < n && status == VV_OK; i++) status = lower_target(&b, &targets[i]);
    free(b.expression);
    if (status != VV_OK) vv_lowering_free(out);
    return status;
}

void vv_lowering_free(vv_lowering *l)
{
    vv_plan_free(&l->plan);
    free(l->origin);
    l->origin = NULL;
}
