/* Functions of the user's: a step whose work has the result's dimensions and those that are contracted. Arrays are views of it, as the factors of a product are; what
 * a boundary puts around them are parts that reach beyond the work, where surroundings lie. */
#include "plan/lower/build.h"

#include <string.h>

static bool surrounded(const vv_user *u, int w)
{
    return u->before[w] > 0 || u->after[w] > 0;
}

bool vv_lower_user_whole(const vv_user *u, int d)
{
    return vv_user_differs(u, d) || u->whole[d] || u->by_rank || surrounded(u, d);
}

/* Array k of the node, as the work wants it. */
static vv_status operand(vv_builder *b, int node, int k, const vv_box *work, vv_hint *hint, vv_input *out)
{
    const vv_user *u = b->graph.node[node].array->user;
    const vv_user_operand *o = &u->in[k];
    vv_part part = {.nd = o->nd, .table_dim = -1, .box.nd = work->nd};
    vv_view v = {.n = 1, .part = &part, .full = true};
    vv_index before[VV_MAX_DIMS] = {0}, after[VV_MAX_DIMS] = {0};
    memcpy(part.box.n, work->n, sizeof part.box.n);
    for (int d = 0; d < o->nd; d++) {
        int w = o->dim[d];
        part.dim[d] = w;
        part.stride[d] = 1;
        if (w < 0) continue;
        part.start[d] = work->lo[w];
        before[w] = u->before[w];
        after[w] = u->after[w];
        if (u->open[w]) continue;
        part.box.lo[w] = -before[w]; /* the array has been padded by as much */
        part.box.n[w] += before[w] + after[w];
    }
    if (vv_box_elements(&part.box) == 0) v.n = 0;
    VV_TRY(vv_lower_input(b, b->graph.node[node].input[k], &v, o->type, false, hint, out));
    memcpy(out->before, before, sizeof before);
    memcpy(out->after, after, sizeof after);
    return VV_OK;
}

/* The part of the work that makes a box of the result. */
static void work_of(const vv_user *u, const vv_box *made, vv_box *out)
{
    *out = *made;
    for (int d = 0; d < made->nd; d++)
        if (vv_user_differs(u, d)) {
            out->lo[d] = 0;
            out->n[d] = u->work.n[d];
        }
}

static vv_status fill(vv_builder *b, int node, vv_input input[], const vv_box *work, const vv_hint *hint, vv_step *s)
{
    const vv_array *a = b->graph.node[node].array;
    vv_input *room;
    s->work.shape.nd = work->nd;
    memcpy(s->work.shape.n, work->n, sizeof work->n);
    for (int k = 0; k < vv_imax(1, a->n_inputs); k++) {
        VV_TRY(vv_step_add_input(s, &room));
        *room = input[k];
        input[k] = (vv_input){.type = VV_F64};
    }
    s->block = true;
    VV_TRY(vv_user_copy(a->user, &s->user));
    memcpy(s->user->origin, work->lo, sizeof work->lo);
    vv_lower_cut(b, a, work, hint, s);
    s->n_results = 1;
    s->result[0] = (vv_result){.type = a->dtype};
    VV_TRY(vv_strdup(&s->result[0].name, a->name));
    return vv_step_complete(s);
}

vv_status vv_lower_user(vv_builder *b, int node, vv_made *m)
{
    const vv_array *a = b->graph.node[node].array;
    vv_input input[VV_PROGRAM_INPUTS] = {{.type = VV_F64}}; /* without arrays: one that has nothing */
    vv_hint hint = {0};
    vv_box work;
    vv_step *s;
    vv_status status = VV_OK;
    work_of(a->user, &m->box, &work);
    for (int k = 0; k < a->n_inputs && status == VV_OK; k++) status = operand(b, node, k, &work, &hint, &input[k]);
    m->step = b->l->plan->n_steps;
    if (status == VV_OK) status = vv_plan_add_step(b->l->plan, VV_STEP_MAP, a->name, &s);
    if (status == VV_OK) status = fill(b, node, input, &work, &hint, s);
    for (int k = 0; k < a->n_inputs; k++) vv_input_free(&input[k]);
    return status;
}
