/* Matrices made from pieces of matrices become steps. How they are cut is part of what they mean (kernels/tile/tile.h), so nothing is left to decide. */
#include "plan/lower/build.h"

#include <string.h>

/* All of operand k as a view of the work space, in which its dimensions are those from number `first` on. */
static vv_status operand(vv_builder *b, int node, int k, const vv_shape *work, int first, vv_input *out)
{
    const vv_array *in = b->graph.node[node].array->input[k];
    vv_part part = {.nd = in->shape.nd, .table_dim = -1};
    vv_view v = {.n = 1, .part = &part, .full = true};
    vv_hint none = {0};
    part.box.nd = work->nd;
    memcpy(part.box.n, work->n, sizeof part.box.n);
    for (int d = 0; d < part.nd; d++) {
        part.dim[d] = first + d;
        part.stride[d] = 1;
    }
    return vv_lower_input(b, b->graph.node[node].input[k], &v, b->graph.node[node].array->tile.type, false, &none, out);
}

static void work_of(const vv_array *a, vv_shape *work)
{
    *work = (vv_shape){0};
    for (int k = 0; k < a->n_inputs; k++)
        for (int d = 0; d < a->input[k]->shape.nd; d++) work->n[work->nd++] = a->input[k]->shape.n[d];
}

static vv_status fill(vv_step *s, const vv_array *a, const vv_shape *work, vv_input in[])
{
    s->work.shape = *work;
    s->tiled = true;
    s->tile = a->tile;
    memcpy(s->work.chunk, a->tile.cut, sizeof s->work.chunk);
    for (int k = 0; k < a->n_inputs; k++) {
        vv_input *room;
        VV_TRY(vv_step_add_input(s, &room));
        *room = in[k];
        in[k] = (vv_input){0};
    }
    s->n_results = 1;
    s->result[0] = (vv_result){.type = a->dtype};
    VV_TRY(vv_strdup(&s->result[0].name, vv_tile_ops[a->tile.op].name));
    return vv_step_complete(s);
}

vv_status vv_lower_tile(vv_builder *b, int node, vv_made *m)
{
    const vv_array *a = b->graph.node[node].array;
    vv_input in[VV_TILE_INPUTS] = {{0}};
    vv_shape work;
    vv_step *s;
    vv_status status = VV_OK;
    work_of(a, &work);
    for (int k = 0; k < a->n_inputs && status == VV_OK; k++)
        status = operand(b, node, k, &work, k ? a->tile.first : 0, &in[k]);
    m->step = b->l->plan->n_steps;
    m->result = 0;
    if (status == VV_OK) status = vv_plan_add_step(b->l->plan, VV_STEP_MAP, a->name, &s);
    if (status == VV_OK) status = fill(s, a, &work, in);
    for (int k = 0; k < VV_TILE_INPUTS; k++) vv_input_free(&in[k]);
    return status;
}
