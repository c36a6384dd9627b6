/* What becomes a step. Everything is made once, by number of its node (lower_graph.h), and only when some target needs it. */
#include "plan/lower/build.h"

#include "base/reshape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- stored and generated variables --- */

static vv_status add_source(vv_builder *b, vv_file *file, int var, const char *path, const char *variable,
                            vv_source **out)
{
    vv_plan *p = b->l->plan;
    VV_TRY(vv_grow(&b->l->origin, p->n_sources, sizeof *b->l->origin, "sources"));
    b->l->origin[p->n_sources] = (vv_origin){file, var};
    VV_TRY(vv_plan_add_source(p, out));
    (*out)->address = -1;
    VV_TRY(vv_strdup(&(*out)->path, path));
    return vv_strdup(&(*out)->variable, variable);
}

static vv_status stored_source(vv_builder *b, const vv_array *a)
{
    const vv_variable *v = &a->origin->file->meta->var[a->var];
    vv_source *s;
    VV_TRY(add_source(b, a->origin->file, a->var, a->origin->path, v->name, &s));
    s->stamp = a->origin->file->stamp;
    s->raw = v->fast;
    s->pitch = v->pitch;
    s->chunked = v->layout == VV_LAYOUT_CHUNKED;
    s->n_filters = v->fast ? v->n_filters : 0;
    memcpy(s->filter, v->filter, (size_t)s->n_filters);
    s->decode = a->decode;
    for (int i = 0; i < s->n_filters; i++) {
        s->compressed = s->compressed || v->filter[i] == VV_FILTER_DEFLATE || v->filter[i] == VV_FILTER_ZSTD;
        s->decode.shuffled = s->decode.shuffled || v->filter[i] == VV_FILTER_SHUFFLE;
    }
    memcpy(s->absent, v->absent, sizeof s->absent);
    s->stored.shape = v->shape;
    memcpy(s->fill, v->fill, sizeof s->fill);
    s->total = v->stored;
    for (int d = 0; d < v->shape.nd; d++) s->stored.chunk[d] = s->chunked ? v->chunk[d] : vv_imax(1, v->shape.n[d]);
    return VV_OK;
}

static vv_status random_source(vv_builder *b, const vv_array *a)
{
    vv_source *s;
    VV_TRY(add_source(b, NULL, -1, a->given ? "buffer" : vv_random_kinds[a->random.kind].name, a->name, &s));
    s->generated = true;
    s->given = a->given != NULL;
    s->buffer = a->given;
    s->random = a->random;
    s->decode = (vv_decode){.stored = a->dtype, .out = vv_working_type(a->dtype), .scale = 1};
    s->stored.shape = a->shape;
    for (int d = 0; d < a->shape.nd; d++) {
        s->chunked = s->chunked || a->chunk[d] > 0;
        s->stored.chunk[d] = vv_imin(vv_imax(0, a->chunk[d]), vv_imax(1, a->shape.n[d]));
    }
    if (s->chunked) vv_lower_fill_grid(&s->stored);
    for (int d = 0; d < a->shape.nd && !s->chunked; d++) s->stored.chunk[d] = vv_imax(1, a->shape.n[d]);
    return VV_OK;
}

/* Chunks that the ranks have are like stored ones without filters. */
static vv_status held_source(vv_builder *b, const vv_array *a)
{
    vv_source *s;
    VV_TRY(add_source(b, NULL, -1, "held", a->name, &s));
    s->held = a->held_number;
    s->raw = s->chunked = true;
    s->decode = (vv_decode){.stored = a->dtype, .out = vv_working_type(a->dtype), .scale = 1};
    s->stored = *a->held_grid;
    return VV_OK;
}

vv_status vv_lower_read(vv_builder *b, int node, int *step)
{
    const vv_array *a = b->graph.node[node].array;
    vv_plan *p = b->l->plan;
    *step = b->read_of[node];
    if (*step >= 0) return VV_OK;
    VV_TRY(a->kind == VV_NODE_OPEN   ? stored_source(b, a)
           : a->kind == VV_NODE_HELD ? held_source(b, a)
                                     : random_source(b, a));
    vv_step *s;
    *step = b->read_of[node] = p->n_steps;
    VV_TRY(vv_plan_add_step(p, VV_STEP_READ, a->name, &s));
    s->source = p->n_sources - 1;
    s->grid = p->source[s->source].stored;
    return VV_OK;
}

/* --- steps that compute --- */

static bool grouped(const vv_array *a)
{
    return a->kind == VV_NODE_REDUCE && a->group.label && a->group.dim >= 0;
}

int vv_lower_result_dim(const vv_array *a, int d)
{
    int node = 0, result = 0;
    if (a->kind != VV_NODE_REDUCE) return d;
    for (int i = 0; i < a->input[0]->shape.nd; i++) {
        bool stays = !a->reduced[i] || (grouped(a) && i == a->group.dim);
        if (stays || a->options.keep_dims) {
            if (node == d) return stays ? result : -1;
            node++;
        }
        result += stays;
    }
    return a->spec && a->spec->length && d == node ? result : -1;
}

static vv_status new_step(vv_builder *b, vv_step_op op, const char *name, const vv_box *work, vv_step **out)
{
    VV_TRY(vv_plan_add_step(b->l->plan, op, name, out));
    (*out)->work.shape.nd = work->nd;
    memcpy((*out)->work.shape.n, work->n, sizeof work->n);
    return VV_OK;
}

static vv_status add_result(vv_step *s, const vv_result *new, const char *name, int *result)
{
    *result = vv_step_find_result(s, new);
    if (*result >= 0) return VV_OK;
    *result = s->n_results++;
    s->result[*result] = *new;
    s->result[*result].red.spec = vv_red_spec_share(new->red.spec);
    return vv_strdup(&s->result[*result].name, name);
}

/* Of a map: value is the register of the program that has its elements. */
static vv_status add_elements(vv_step *s, const char *name, vv_dtype type, int value, int *result)
{
    return add_result(s, &(vv_result){.type = type, .value = value}, name, result);
}

/* Inputs and program belong to the step from here on. */
static void take_expression(vv_step *s, int n_inputs, vv_input *input, vv_program *program)
{
    s->n_inputs = n_inputs;
    s->input = input;
    s->program = program;
}

/* A step over the elements of a box of nodes of one shape: what a map makes, or what a reduction folds. */
static vv_status expression_of(vv_builder *b, vv_step_op op, const char *name, int n, const int nodes[],
                               const vv_box *box, const vv_dtype as[], vv_hint *hint, vv_step **out, int value[])
{
    vv_view v;
    int n_inputs;
    vv_input *input;
    vv_program *program;
    VV_TRY(vv_view_box(box, &v));
    vv_status status = vv_lower_expression(b, n, nodes, &v, as, hint, &n_inputs, &input, &program, value);
    vv_view_free(&v);
    VV_TRY(status);
    status = new_step(b, op, name, box, out);
    if (status == VV_OK) {
        take_expression(*out, n_inputs, input, program);
        return VV_OK;
    }
    for (int k = 0; k < n_inputs; k++) vv_input_free(&input[k]);
    free(input);
    free(program);
    return status;
}

static vv_status expression_step(vv_builder *b, vv_step_op op, const char *name, int node, const vv_box *box,
                                 vv_dtype as, vv_hint *hint, vv_step **out)
{
    int value;
    return expression_of(b, op, name, 1, &node, box, &as, hint, out, &value);
}

static vv_status map_step(vv_builder *b, int node, vv_made *m)
{
    const vv_array *a = b->graph.node[node].array;
    vv_hint hint = {0};
    vv_step *s;
    VV_TRY(expression_step(b, VV_STEP_MAP, a->name, node, &m->box, m->as, &hint, &s));
    m->step = b->l->plan->n_steps - 1;
    vv_lower_grid(b->l->plan, s, &hint);
    VV_TRY(add_elements(s, a->name, m->as == VV_NONE ? a->dtype : m->as, s->program->output[0], &m->result));
    return vv_step_complete(s);
}

/* --- reductions --- */

/* Of the group that has most elements along its dimension. */
static vv_status largest_group(const vv_groups *g, vv_index *out)
{
    vv_index *n;
    *out = 0;
    VV_TRY(vv_new(&n, (size_t)g->n + 1, sizeof *n));
    for (vv_index i = 0; i < g->label->n; i++)
        if (g->label->at[i] >= 0) *out = vv_imax(*out, ++n[g->label->at[i]]);
    free(n);
    return VV_OK;
}

/* Elements that a cell of the result is made from, at most. */
static vv_status elements_behind(const vv_step *s, vv_index *out)
{
    vv_index n = 1;
    if (s->groups.dim >= 0) VV_TRY(largest_group(&s->groups, &n));
    for (int d = 0; d < s->work.shape.nd; d++)
        if (s->reduced[d] && d != s->groups.dim) n = vv_times(n, s->work.shape.n[d]);
    *out = n;
    return VV_OK;
}

/* The box of a reduction's input that makes a box of its result. */
static void reduced_box(const vv_array *a, const vv_box *result, vv_box *out)
{
    int k = 0;
    *out = (vv_box){.nd = a->input[0]->shape.nd};
    for (int d = 0; d < out->nd; d++) {
        bool kept = !a->reduced[d] && !(grouped(a) && d == a->group.dim);
        out->lo[d] = kept ? result->lo[k] : 0;
        out->n[d] = kept ? result->n[k] : a->input[0]->shape.n[d];
        k += kept || (grouped(a) && d == a->group.dim) || a->options.keep_dims;
    }
}

/* A step that already reduces these elements over these dimensions, with room for another result. */
static int find_reduce(const vv_builder *b, const vv_array *a, int input, const vv_box *box)
{
    for (int i = 0; i < b->n_reduces; i++) {
        const vv_reduces *r = &b->reduces[i];
        if (r->input == input && vv_box_equal(&r->box, box) &&
            !memcmp(r->array->reduced, a->reduced, sizeof a->reduced) &&
            vv_same_grouping(&r->array->group, &a->group) && b->l->plan->step[r->step].n_results < VV_MAX_RESULTS)
            return r->step;
    }
    return -1;
}

static vv_status note_reduce(vv_builder *b, const vv_array *a, int input, const vv_box *box, int step)
{
    VV_TRY(vv_grow(&b->reduces, b->n_reduces, sizeof *b->reduces, "reductions"));
    b->reduces[b->n_reduces++] = (vv_reduces){a, input, step, *box};
    return VV_OK;
}

static void reduce_over(const vv_array *a, vv_step *s)
{
    memcpy(s->reduced, a->reduced, sizeof s->reduced);
    if (!grouped(a)) return;
    s->reduced[a->group.dim] = true;
    s->groups.dim = a->group.dim;
    s->groups.n = s->groups.chunk = a->group.n;
    s->groups.label = vv_table_share(a->group.label);
}

static vv_status new_reduce(vv_builder *b, const vv_array *a, int input, const vv_box *box, int *step)
{
    vv_hint hint = {0};
    vv_step *s;
    VV_TRY(expression_step(b, VV_STEP_REDUCE, a->name, input, box, VV_NONE, &hint, &s));
    *step = b->l->plan->n_steps - 1;
    reduce_over(a, s);
    vv_lower_cut(b, a, box, &hint, s);
    return note_reduce(b, a, input, box, *step);
}

/* What a reduction with a spec folds is its own: a step of its own. */
static vv_status told_reduce(vv_builder *b, int node, const vv_box *box, vv_made *m)
{
    const vv_array *a = b->graph.node[node].array;
    vv_result new = {.type = a->dtype, .red = {.kind = a->reduction, .in = a->spec->type[0], .spec = a->spec}};
    vv_hint hint = {0};
    vv_step *s;
    int value[VV_RED_VALUES];
    VV_TRY(expression_of(b, VV_STEP_REDUCE, a->name, a->spec->n_values, b->graph.node[node].input, box, a->spec->type,
                         &hint, &s, value));
    m->step = b->l->plan->n_steps - 1;
    reduce_over(a, s);
    s->length = a->spec->length;
    vv_lower_cut(b, a, box, &hint, s);
    new.value = value[0];
    for (int k = 1; k < a->spec->n_values; k++) new.more[k - 1] = value[k];
    VV_TRY(add_result(s, &new, a->name, &m->result));
    return vv_step_complete(s);
}

static vv_status reduce_step(vv_builder *b, int node, vv_made *m)
{
    const vv_array *a = b->graph.node[node].array;
    int input = b->graph.node[node].input[0];
    vv_box box;
    reduced_box(a, &m->box, &box);
    if (a->spec) return told_reduce(b, node, &box, m);
    m->step = find_reduce(b, a, input, &box);
    if (m->step < 0) VV_TRY(new_reduce(b, a, input, &box, &m->step));
    vv_step *s = &b->l->plan->step[m->step];
    int value = s->program->output[0];
    vv_index behind;
    VV_TRY(elements_behind(s, &behind));
    const vv_red red = {.kind = a->reduction,
                        .in = s->program->type[value],
                        .skip = !a->options.keep_nan,
                        .ddof = a->options.ddof,
                        .least = a->options.least,
                        .width = vv_count_width(behind)};
    const vv_result new = {.type = a->dtype, .value = value, .red = red};
    VV_TRY(add_result(s, &new, a->reduction->name, &m->result));
    return vv_step_complete(s);
}

/* --- operations on blocks, products --- */

static vv_status block_step(vv_builder *b, int node, vv_made *m)
{
    const vv_array *a = b->graph.node[node].array;
    const vv_block_op *op = &vv_block_ops[a->call.op];
    vv_dtype type = a->input[0]->dtype;
    vv_hint hint = {0};
    vv_step *s;
    vv_input in, *room;
    vv_view v;
    if (op->result(vv_working_type(type)) == VV_NONE) type = VV_F64;
    vv_box work = m->box;
    for (int d = 0; d < work.nd && op->lanes; d++)
        if (a->call.along[d]) work.n[d] = a->input[0]->shape.n[d];
    VV_TRY(vv_view_box(&work, &v));
    v.filled = op->window; /* what a window sees outside of the data is missing */
    v.fill = NAN;
    vv_status status = vv_lower_input(b, b->graph.node[node].input[0], &v, type, false, &hint, &in);
    vv_view_free(&v);
    VV_TRY(status);
    for (int d = 0; d < m->box.nd && op->window; d++) {
        in.before[d] = a->call.before[d];
        in.after[d] = a->call.after[d];
    }
    m->step = b->l->plan->n_steps;
    VV_TRY_GOTO(status, failed, new_step(b, VV_STEP_MAP, a->name, &work, &s));
    VV_TRY_GOTO(status, failed, vv_step_add_input(s, &room));
    *room = in;
    s->block = true;
    s->call = a->call;
    s->call.weight = NULL;
    if (a->call.n_weights > 0) {
        VV_TRY(vv_new(&s->call.weight, (size_t)a->call.n_weights, sizeof(double)));
        memcpy(s->call.weight, a->call.weight, sizeof(double) * (size_t)a->call.n_weights);
    }
    vv_lower_cut(b, a, &work, &hint, s);
    VV_TRY(add_elements(s, op->name, a->dtype, 0, &m->result));
    return vv_step_complete(s);
failed:
    vv_input_free(&in);
    return status;
}

/* Factor k of a product as a view of its work space. */
static vv_status factor(vv_builder *b, int node, int k, const vv_box *work, vv_dtype type, vv_input *out)
{
    const vv_array *a = b->graph.node[node].array;
    vv_part part = {.nd = a->input[k]->shape.nd, .table_dim = -1};
    vv_view v = {.n = 1, .part = &part, .full = true};
    vv_hint none = {0};
    part.box.nd = work->nd;
    memcpy(part.box.n, work->n, sizeof part.box.n);
    for (int d = 0; d < part.nd; d++) {
        part.dim[d] = a->work_dim[k][d];
        part.start[d] = work->lo[part.dim[d]];
        part.stride[d] = 1;
    }
    if (vv_box_elements(&part.box) == 0) v.n = 0;
    return vv_lower_input(b, b->graph.node[node].input[k], &v, type, false, &none, out);
}

/* The box of the result, with the dimensions that are summed over, whole. */
static void product_work(const vv_array *a, vv_box *work)
{
    for (int d = 0; d < a->input[0]->shape.nd; d++) {
        int w = a->work_dim[0][d];
        if (w < a->shape.nd) continue;
        work->lo[w] = 0;
        work->n[w] = a->input[0]->shape.n[d];
    }
    work->nd += a->n_summed;
}

static vv_status product_step(vv_builder *b, int node, vv_made *m)
{
    const vv_array *a = b->graph.node[node].array;
    vv_dtype type = vv_dtype_promote(vv_working_type(a->input[0]->dtype), vv_working_type(a->input[1]->dtype));
    vv_box work = m->box;
    vv_input in[2] = {{0}, {0}}, *room;
    vv_step *s;
    product_work(a, &work);
    vv_status status = factor(b, node, 0, &work, type, &in[0]);
    if (status == VV_OK) status = factor(b, node, 1, &work, type, &in[1]);
    m->step = b->l->plan->n_steps;
    if (status == VV_OK) status = new_step(b, VV_STEP_REDUCE, a->name, &work, &s);
    for (int k = 0; k < 2 && status == VV_OK; k++) {
        status = vv_step_add_input(s, &room);
        if (status == VV_OK) {
            *room = in[k];
            in[k] = (vv_input){0};
        }
    }
    vv_input_free(&in[0]);
    vv_input_free(&in[1]);
    VV_TRY(status);
    s->product = true;
    for (int d = a->shape.nd; d < work.nd; d++) s->reduced[d] = true;
    vv_lower_cut(b, a, &work, &(vv_hint){0}, s);
    const vv_result new = {.type = a->dtype, .red = {.kind = &vv_reduction_dot, .in = type}};
    VV_TRY(add_result(s, &new, a->name, &m->result));
    return vv_step_complete(s);
}

/* --- other shapes --- */

/* The box of the input that makes a box of the result, which is whole along all dimensions that are merged or split. */
static void reshaped_box(const vv_array *a, const vv_box *result, vv_box *out)
{
    vv_dims_pair pair[VV_MAX_DIMS];
    const vv_shape *in = &a->input[0]->shape;
    int n = vv_reshape_pairs(in, &a->shape, pair);
    *out = (vv_box){.nd = in->nd};
    memcpy(out->n, in->n, sizeof out->n);
    for (int i = 0; i < n; i++)
        if (vv_pair_is_single(&pair[i])) {
            out->lo[pair[i].in] = result->lo[pair[i].out];
            out->n[pair[i].in] = result->n[pair[i].out];
        }
}

static vv_status reshape_step(vv_builder *b, int node, vv_made *m)
{
    const vv_array *a = b->graph.node[node].array;
    vv_hint hint = {0};
    vv_box box;
    vv_step *s;
    reshaped_box(a, &m->box, &box);
    VV_TRY(expression_step(b, VV_STEP_MAP, a->name, b->graph.node[node].input[0], &box, VV_NONE, &hint, &s));
    m->step = b->l->plan->n_steps - 1;
    s->reshaped = true;
    s->shown.nd = m->box.nd;
    memcpy(s->shown.n, m->box.n, sizeof s->shown.n);
    vv_lower_grid(b->l->plan, s, &hint);
    vv_lower_reshape_grid(s);
    VV_TRY(add_elements(s, a->name, a->dtype, s->program->output[0], &m->result));
    return vv_step_complete(s);
}

/* --- everything once --- */

static void widen_reshaped(const vv_array *a, vv_box *box)
{
    vv_dims_pair pair[VV_MAX_DIMS];
    int n = vv_reshape_pairs(&a->input[0]->shape, &a->shape, pair);
    for (int i = 0; i < n; i++)
        for (int d = pair[i].out; d < pair[i].out + pair[i].n_out && !vv_pair_is_single(&pair[i]); d++) {
            box->lo[d] = 0;
            box->n[d] = a->shape.n[d];
        }
}

/* What a step has to make anyway when it makes a box of a node. */
static void widen(const vv_array *a, vv_box *box)
{
    if (a->kind == VV_NODE_RESHAPE) widen_reshaped(a, box);
    for (int d = 0; d < box->nd; d++) {
        bool whole = a->kind == VV_NODE_TILE;
        if (a->kind == VV_NODE_BLOCK && vv_block_ops[a->call.op].window) whole = a->call.before[d] || a->call.after[d];
        if (a->kind == VV_NODE_BLOCK) whole = whole || vv_block_whole(&a->call, d);
        if (a->kind == VV_NODE_USER) whole = vv_lower_user_whole(a->user, d);
        if (grouped(a)) {
            int k = vv_lower_result_dim(a, d), g = 0;
            for (int i = 0; i < a->group.dim; i++) g += !a->reduced[i];
            whole = k == g;
        }
        if (a->kind == VV_NODE_REDUCE && a->spec && a->spec->length) whole = whole || d == box->nd - 1;
        if (!whole) continue;
        box->lo[d] = 0;
        box->n[d] = a->shape.n[d];
    }
}

static bool contains(const vv_box *a, const vv_box *b)
{
    for (int d = 0; d < a->nd; d++)
        if (b->lo[d] < a->lo[d] || b->lo[d] + b->n[d] > a->lo[d] + a->n[d]) return false;
    return true;
}

static vv_status make(vv_builder *b, int node, vv_made *m)
{
    if (m->as != VV_NONE) return map_step(b, node, m);
    switch (b->graph.node[node].array->kind) {
    case VV_NODE_REDUCE: return reduce_step(b, node, m);
    case VV_NODE_BLOCK: return block_step(b, node, m);
    case VV_NODE_TILE: return vv_lower_tile(b, node, m);
    case VV_NODE_PRODUCT: return product_step(b, node, m);
    case VV_NODE_USER: return vv_lower_user(b, node, m);
    case VV_NODE_RESHAPE: return reshape_step(b, node, m);
    default: return map_step(b, node, m);
    }
}

vv_status vv_lower_make(vv_builder *b, int node, const vv_box *box, vv_dtype as, const vv_made **out)
{
    vv_made m = {.node = node, .as = as, .box = *box};
    widen(b->graph.node[node].array, &m.box);
    vv_lower_whole_chunks(b, b->graph.node[node].array, &m.box);
    for (int i = b->made_of[node]; i >= 0; i = b->made[i].next)
        if (b->made[i].as == as && contains(&b->made[i].box, &m.box)) {
            *out = &b->made[i];
            return VV_OK;
        }
    VV_TRY(make(b, node, &m));
    VV_TRY(vv_grow(&b->made, b->n_made, sizeof *b->made, "parts of a plan"));
    m.next = b->made_of[node];
    b->made_of[node] = b->n_made;
    b->made[b->n_made] = m;
    *out = &b->made[b->n_made++];
    return VV_OK;
}

vv_status vv_lower_make_whole(vv_builder *b, int node, const vv_made **out)
{
    const vv_shape *shape = &b->graph.node[node].array->shape;
    vv_box box = {.nd = shape->nd};
    memcpy(box.n, shape->n, sizeof box.n);
    return vv_lower_make(b, node, &box, VV_NONE, out);
}
