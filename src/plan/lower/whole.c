/* Bits are a matter of the expression alone.
 *
 * In which order numbers are added follows from how the work of a reduction is cut into chunks and leaves. Of a result that is sliced only the wanted box is made,
 * and then its inputs are boxes too: cut by what it reads there, the same expression would give other bits than as a whole, or beside others that want more of it.
 * So reductions, windows and products are cut on paper first: all of them whole, in a plan that is never run. What is run takes from there
 * the grid as it lies over the box, the leaf, and the loops that join. A slice then only selects output chunks or cells of them; a slice under a reduction
 * is part of what is reduced.
 *
 *     mean(t)[10:20]    work chunks, leaves and tree of mean(t), of the chunks that have cells 10 to 19
 *     mean(t[10:20])    its own */
#include "plan/lower/build.h"

#include <stdlib.h>
#include <string.h>

/* Whether a box of some result, or of what goes into it, could be made: then there are views above it. What is made of a held array is cut as if that were
 * computed here. */
bool vv_lower_needs_whole(const vv_dag *g)
{
    bool *above = calloc((size_t)g->n + 1, sizeof *above), needs = !above; /* above a step */
    for (int i = 0; i < g->n && !needs; i++) {
        const vv_dag_node *n = &g->node[i];
        for (int k = 0; k < n->array->n_inputs; k++)
            above[i] = above[i] || above[n->input[k]] || vv_dag_barrier(g, n->input[k]);
        needs = (above[i] && n->array->kind == VV_NODE_VIEW) || n->array->kind == VV_NODE_HELD;
    }
    free(above);
    return needs;
}

vv_status vv_lower_shapes(vv_builder *b)
{
    vv_target *step;
    const vv_made *m;
    int n = b->graph.n;
    VV_TRY(vv_new(&b->shape_of, (size_t)n + 1, sizeof *b->shape_of));
    VV_TRY(vv_new(&step, (size_t)n + 1, sizeof *step));
    vv_status status = VV_OK;
    for (int i = 0; i < n && status == VV_OK; i++) {
        if (!vv_dag_barrier(&b->graph, i) && !b->graph.node[i].early) continue;
        status = vv_lower_make_whole(b, i, &m);
        if (status == VV_OK) step[i].step = m->step;
    }
    if (status == VV_OK) status = vv_lower_access(b, step, n); /* keeps count of where steps go */
    for (int i = 0; i < n; i++) b->shape_of[i] = vv_dag_barrier(&b->graph, i) ? step[i].step : -1;
    free(step);
    return status;
}

/* How the whole array is cut; NULL when it is made here and now. */
static const vv_step *shape_of(const vv_builder *b, const vv_array *a)
{
    int node = b->whole ? vv_dag_find(&b->whole->graph, a) : -1;
    int step = node < 0 ? -1 : b->whole->shape_of[node];
    return step < 0 ? NULL : &b->whole->l->plan->step[step];
}

void vv_lower_cut(const vv_builder *b, const vv_array *a, const vv_box *box, const vv_hint *hint, vv_step *s)
{
    const vv_step *whole = shape_of(b, a);
    if (!whole && s->product) vv_lower_product_grid(b->l->plan, s);
    if (!whole && !s->product) vv_lower_grid(b->l->plan, s, hint);
    if (!whole) return;
    for (int d = 0; d < s->work.shape.nd; d++) {
        s->work.chunk[d] = whole->work.chunk[d];
        s->work.shift[d] = (whole->work.shift[d] + box->lo[d]) % whole->work.chunk[d];
    }
    memcpy(s->join, whole->join, sizeof s->join);
    s->leaf = whole->leaf;
    if (s->user) {
        memcpy(s->user->list, whole->user->list, sizeof s->user->list);
        memcpy(s->user->list_shift, whole->user->list_shift, sizeof s->user->list_shift);
    }
    s->shaped = true;
}

void vv_lower_whole_chunks(const vv_builder *b, const vv_array *a, vv_box *box)
{
    bool by_chunks = a->kind == VV_NODE_PRODUCT || a->kind == VV_NODE_USER;
    const vv_step *whole = by_chunks ? shape_of(b, a) : NULL;
    for (int d = 0; whole && d < box->nd; d++) {
        const vv_grid *g = &whole->grid;
        if (box->n[d] == 0) continue;
        vv_index first = vv_grid_at(g, d, box->lo[d]), last = vv_grid_at(g, d, box->lo[d] + box->n[d] - 1);
        box->lo[d] = vv_grid_begin(g, d, first);
        box->n[d] = vv_grid_end(g, d, last) - box->lo[d];
    }
}
