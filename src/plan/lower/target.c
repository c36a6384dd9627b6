/* From targets to a plan: what each of them is a result of, and all the passes over the steps. */
#include "plan/lower/build.h"

#include <stdlib.h>
#include <string.h>

/* Rechunked to the chunks that it has: nothing is to be done. */
static vv_status same_chunks(vv_builder *b, int node, const vv_made **out)
{
    vv_hint hint = {0};
    const vv_array *a = b->graph.node[node].array;
    vv_box box = {.nd = a->shape.nd};
    memcpy(box.n, a->shape.n, sizeof box.n);
    vv_view v;
    *out = NULL;
    VV_TRY(vv_view_box(&box, &v));
    while (b->graph.node[node].array->kind == VV_NODE_RECHUNK) {
        vv_hint_through(b->graph.node[node].array, &v, &hint);
        node = b->graph.node[node].input[0];
    }
    vv_view_free(&v);
    if (!vv_dag_barrier(&b->graph, node)) return VV_OK;
    VV_TRY(vv_lower_make_whole(b, node, out));
    const vv_grid *g = &b->l->plan->step[(*out)->step].grid;
    for (int d = 0; d < box.nd; d++) {
        int k = vv_lower_result_dim(b->graph.node[node].array, d);
        if (k >= 0 && hint.chunk[d] && (hint.chunk[d] != g->chunk[k] || g->shift[k])) *out = NULL;
    }
    return VV_OK;
}

/* One box of another array, as it lies there; not repeated along dimensions behind its own. */
static bool is_slice(const vv_view *v, int nd)
{
    if (v->n != 1 || !v->full || v->part[0].nd != nd || v->part[0].box.nd != nd || v->part[0].table_dim >= 0)
        return false;
    for (int d = 0; d < nd; d++)
        if (v->part[0].dim[d] != d || v->part[0].stride[d] != 1) return false;
    return true;
}

/* Down through views, as long as there is one array below; *node is the last one. */
static vv_status follow_views(vv_builder *b, int *node, vv_view *v)
{
    while (b->graph.node[*node].array->kind == VV_NODE_VIEW) {
        vv_view below;
        int child;
        bool fits;
        VV_TRY(vv_view_through(b, *node, v, &below, &child, &fits));
        if (!fits) return VV_OK;
        vv_view_free(v);
        *v = below;
        if (child < 0) return VV_OK;
        *node = child;
    }
    return VV_OK;
}

/* A slice of something that only this target wants is that thing, made in part. */
static vv_status sliced(vv_builder *b, int node, const vv_made **out)
{
    const vv_array *a = b->graph.node[node].array;
    vv_box box = {.nd = a->shape.nd};
    memcpy(box.n, a->shape.n, sizeof box.n);
    vv_view v;
    *out = NULL;
    VV_TRY(vv_view_box(&box, &v));
    vv_status status = follow_views(b, &node, &v);
    const vv_dag_node *g = &b->graph.node[node];
    if (status == VV_OK && vv_dag_barrier(&b->graph, node) && g->uses < 2 && g->array->dtype == a->dtype &&
        is_slice(&v, g->array->shape.nd)) {
        memcpy(box.lo, v.part[0].start, sizeof box.lo);
        box.nd = v.part[0].nd;
        status = vv_lower_make(b, node, &box, VV_NONE, out);
        if (status == VV_OK && !vv_box_equal(&(*out)->box, &box)) *out = NULL;
    }
    vv_view_free(&v);
    return status;
}

static vv_status lower_target(vv_builder *b, vv_target *t)
{
    int node = vv_dag_find(&b->graph, t->array);
    const vv_made *m = NULL;
    if (t->array->kind == VV_NODE_RECHUNK) VV_TRY(same_chunks(b, node, &m));
    if (t->array->kind == VV_NODE_VIEW) VV_TRY(sliced(b, node, &m));
    if (!m) VV_TRY(vv_lower_make_whole(b, node, &m));
    return vv_lower_deliver(b->l->plan, t, m->step, m->result);
}

/* behind: see vv_dag_build(). */
static vv_status start(vv_builder *b, vv_target targets[], int n, bool behind)
{
    vv_array **root;
    for (int i = 0; i < n; i++) VV_TRY(vv_array_status(targets[i].array));
    VV_TRY(vv_new(&root, (size_t)n + 1, sizeof(vv_array *)));
    for (int i = 0; i < n; i++) root[i] = targets[i].array;
    vv_status status = vv_dag_build(root, n, behind, b->columns, &b->graph);
    free(root);
    VV_TRY(status);
    size_t nodes = (size_t)b->graph.n + 1;
    VV_TRY(vv_new(&b->made_of, nodes, sizeof *b->made_of));
    VV_TRY(vv_new(&b->read_of, nodes, sizeof *b->read_of));
    memset(b->made_of, 0xff, nodes * sizeof *b->made_of);
    memset(b->read_of, 0xff, nodes * sizeof *b->read_of);
    return VV_OK;
}

static vv_status lower_all(vv_builder *b, vv_target targets[], int n)
{
    const vv_made *m;
    for (int i = 0; i < b->graph.n; i++)
        if (b->graph.node[i].early) VV_TRY(vv_lower_make_whole(b, i, &m));
    for (int i = 0; i < n; i++) VV_TRY(lower_target(b, &targets[i]));
    VV_TRY(vv_lower_access(b, targets, n));
    return vv_lower_share(b->l->plan, targets, n);
}

static void builder_free(vv_builder *b)
{
    vv_dag_free(&b->graph);
    free(b->made_of);
    free(b->read_of);
    free(b->made);
    free(b->reduces);
    free(b->shape_of);
}

static vv_status lowering_new(int ranks, vv_lowering *out)
{
    *out = (vv_lowering){0};
    VV_TRY(vv_plan_new(&out->plan));
    out->plan->ranks = ranks;
    out->plan->threads = 1;
    return VV_OK;
}

/* First everything as a whole, where that says something: on paper only. */
static vv_status lower_both(vv_builder *b, vv_builder *whole, vv_target targets[], int n)
{
    VV_TRY(start(b, targets, n, false));
    if (vv_lower_needs_whole(&b->graph)) {
        VV_TRY(lowering_new(b->l->plan->ranks, whole->l));
        VV_TRY(start(whole, targets, n, true));
        VV_TRY(vv_lower_shapes(whole));
        b->whole = whole;
    }
    return lower_all(b, targets, n);
}

vv_status vv_lower(vv_target targets[], int n, int ranks, int placement, vv_lowering *out)
{
    return vv_lower_columns(targets, n, ranks, placement, false, out);
}

vv_status vv_lower_columns(vv_target targets[], int n, int ranks, int placement, bool columns, vv_lowering *out)
{
    vv_lowering paper = {0};
    vv_builder b = {.l = out, .placement = placement, .columns = columns};
    vv_builder whole = {.l = &paper, .placement = placement, .columns = columns};
    VV_TRY(lowering_new(ranks, out));
    vv_status status = lower_both(&b, &whole, targets, n);
    builder_free(&b);
    builder_free(&whole);
    vv_lowering_free(&paper);
    if (status != VV_OK) vv_lowering_free(out);
    return status;
}

void vv_lowering_free(vv_lowering *l)
{
    vv_plan_free(&l->plan);
    free(l->origin);
    l->origin = NULL;
}
