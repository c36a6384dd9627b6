/* From views of nodes to the parts of an input.
 *
 * Views compose: what a slice of a concatenation of slices wants is again a list of parts. Three things end that, and the array below is then made by a step of its
 * own, of which the parts take their elements: it is a computation; elements that no part covers would have two fill values; or one table would be looked up in
 * another one's dimension. Only the box that is wanted is made, unless somebody else wants the array too. */
#include "plan/lower/build.h"

#include <stdlib.h>
#include <string.h>

void vv_view_free(vv_view *v)
{
    for (int i = 0; i < v->n; i++) vv_part_free(&v->part[i]);
    free(v->part);
    *v = (vv_view){0};
}

/* Takes the part over. */
static vv_status add_part(vv_view *v, vv_part *part)
{
    vv_status status = vv_grow(&v->part, v->n, sizeof *v->part, "parts of a view");
    if (status == VV_OK)
        v->part[v->n++] = *part;
    else
        vv_part_free(part);
    return status;
}

static vv_status add_copy(vv_view *v, const vv_part *part)
{
    vv_part copy;
    vv_part_copy(part, &copy);
    return add_part(v, &copy);
}

vv_status vv_view_copy(const vv_view *v, vv_view *out)
{
    *out = (vv_view){.full = v->full, .filled = v->filled, .fill = v->fill};
    vv_status status = VV_OK;
    for (int i = 0; i < v->n && status == VV_OK; i++) status = add_copy(out, &v->part[i]);
    if (status != VV_OK) vv_view_free(out);
    return status;
}

vv_status vv_view_box(const vv_box *box, vv_view *out)
{
    vv_shape shape = {.nd = box->nd};
    memcpy(shape.n, box->n, sizeof shape.n);
    vv_part part;
    vv_part_same(&shape, &part);
    memcpy(part.start, box->lo, sizeof part.start);
    *out = (vv_view){.full = true};
    return vv_shape_elements(&shape) ? add_part(out, &part) : VV_OK;
}

static bool same_value(double a, double b)
{
    return a == b || (a != a && b != b);
}

static bool same_fill(const vv_view *a, const vv_view *b)
{
    return a->filled == b->filled && (!a->filled || same_value(a->fill, b->fill));
}

bool vv_view_equal(const vv_view *a, const vv_view *b)
{
    if (a->n != b->n || a->full != b->full || !same_fill(a, b)) return false;
    for (int i = 0; i < a->n; i++)
        if (!vv_part_equal(&a->part[i], &b->part[i])) return false;
    return true;
}

/* Elements of the work space that a part covers: not those whose table entry is none. */
static vv_index covered(const vv_part *p)
{
    vv_index n = vv_box_elements(&p->box);
    if (p->table_dim < 0 || n == 0) return n;
    int w = p->dim[p->table_dim];
    vv_index some = 0;
    for (vv_index i = p->box.lo[w]; i < p->box.lo[w] + p->box.n[w]; i++) some += vv_part_index(p, p->table_dim, i) >= 0;
    return n / p->box.n[w] * some;
}

static vv_index all_covered(const vv_view *v)
{
    vv_index n = 0;
    for (int i = 0; i < v->n; i++) n += covered(&v->part[i]);
    return n;
}

/* --- through a view node --- */

/* One position of a table was looked up, and it is none. */
static bool of_nothing(const vv_part *p)
{
    for (int d = 0; d < p->nd; d++)
        if (p->dim[d] < 0 && p->start[d] < 0) return true;
    return false;
}

static vv_status compose_all(const vv_array *a, const vv_view *v, vv_view *out, bool *fits)
{
    *fits = true;
    for (int i = 0; i < v->n; i++)
        for (int k = 0; k < a->n_parts; k++) {
            vv_part part;
            bool any;
            vv_status status = vv_part_compose(&v->part[i], &a->part[k], &part, &any);
            if (status == VV_ERR_UNSUPPORTED) {
                vv_error_clear();
                *fits = false;
                return VV_OK;
            }
            VV_TRY(status);
            if (any && !of_nothing(&part)) VV_TRY(add_part(out, &part));
        }
    return VV_OK;
}

/* One fill value for what v and what the node itself leave uncovered. */
static bool merge_fill(const vv_array *a, const vv_view *v, vv_view *out)
{
    bool holes = all_covered(out) < all_covered(v);
    out->full = v->full && !holes;
    out->filled = v->filled || holes;
    out->fill = v->filled ? v->fill : a->fill;
    return !holes || !v->filled || same_value(v->fill, a->fill);
}

vv_status vv_view_through(const vv_builder *b, int node, const vv_view *v, vv_view *out, int *child, bool *fits)
{
    const vv_dag_node *g = &b->graph.node[node];
    *out = (vv_view){0};
    *child = -1;
    vv_status status = compose_all(g->array, v, out, fits);
    if (status == VV_OK && *fits) *fits = merge_fill(g->array, v, out);
    if (status != VV_OK || !*fits) {
        vv_view_free(out);
        return status;
    }
    for (int i = 0; i < out->n; i++) {
        int from = g->input[out->part[i].from];
        if (i > 0 && from != *child) {
            *child = -1;
            break;
        }
        *child = from;
    }
    return VV_OK;
}

/* --- what is wanted of a node --- */

static void extend(vv_box *box, const vv_box *by)
{
    for (int d = 0; d < box->nd; d++) {
        vv_index end = vv_imax(box->lo[d] + box->n[d], by->lo[d] + by->n[d]);
        box->lo[d] = vv_imin(box->lo[d], by->lo[d]);
        box->n[d] = end - box->lo[d];
    }
}

/* False when nothing is. */
static bool wanted_box(const vv_array *a, const vv_view *v, bool whole, vv_box *out)
{
    bool any = false;
    for (int i = 0; i < v->n; i++) {
        vv_box box;
        if (!vv_part_source(&v->part[i], &v->part[i].box, &box)) continue;
        if (any)
            extend(out, &box);
        else
            *out = box;
        any = true;
    }
    if (any && whole) {
        memset(out->lo, 0, sizeof out->lo);
        memcpy(out->n, a->shape.n, sizeof out->n);
    }
    return any;
}

/* The table with indices counted from lo; entries that are not in use may lie outside of [lo, lo + n). */
static vv_status move_table(vv_part *p, vv_index lo, vv_index n)
{
    vv_table *t;
    VV_TRY(vv_table_new(p->table->n, &t));
    for (vv_index i = 0; i < t->n; i++) {
        vv_index at = p->table->at[i] - lo;
        t->at[i] = at < 0 || at >= n ? -1 : at;
    }
    vv_table_free(&p->table);
    p->table = t;
    return VV_OK;
}

vv_status vv_lower_move(vv_part *p, const vv_box *box)
{
    for (int d = 0; d < p->nd; d++)
        if (d == p->table_dim)
            VV_TRY(move_table(p, box->lo[d], box->n[d]));
        else
            p->start[d] -= box->lo[d];
    return VV_OK;
}

/* A part of a node becomes one of the result of the step that makes a box of it. A reduction's result lacks the dimensions that are kept with length 1; a step that
 * converts it has them. */
static vv_status redirect(const vv_array *a, const vv_made *m, const vv_part *p, vv_part *out)
{
    vv_part moved;
    vv_part_copy(p, &moved);
    *out = (vv_part){.from = m->step, .result = m->result, .box = p->box, .table_dim = -1};
    vv_status status = vv_lower_move(&moved, &m->box);
    for (int d = 0; d < p->nd && status == VV_OK; d++) {
        int k = m->as == VV_NONE ? vv_lower_result_dim(a, d) : d;
        if (k < 0) continue;
        out->nd = k + 1;
        out->dim[k] = moved.dim[d];
        out->start[k] = moved.start[d];
        out->stride[k] = moved.stride[d];
        if (d != p->table_dim) continue;
        out->table_dim = k;
        out->table = vv_table_share(moved.table);
    }
    vv_part_free(&moved);
    return status;
}

static vv_status from_made(vv_builder *b, int node, const vv_view *v, vv_dtype as, vv_input *in)
{
    const vv_array *a = b->graph.node[node].array;
    const vv_made *m;
    vv_box box;
    if (!wanted_box(a, v, b->graph.node[node].uses > 1, &box)) return VV_OK;
    VV_TRY(vv_lower_make(b, node, &box, vv_working_type(a->dtype) == vv_working_type(as) ? VV_NONE : as, &m));
    vv_made made = *m;
    for (int i = 0; i < v->n; i++) {
        vv_part part;
        VV_TRY(redirect(a, &made, &v->part[i], &part));
        VV_TRY(vv_input_add_part(in, &part));
    }
    return VV_OK;
}

static vv_status from_stored(vv_builder *b, int node, const vv_view *v, vv_input *in)
{
    int step;
    if (v->n == 0) return VV_OK;
    VV_TRY(vv_lower_read(b, node, &step));
    for (int i = 0; i < v->n; i++) {
        vv_part part;
        vv_part_copy(&v->part[i], &part);
        part.from = step;
        part.result = 0;
        VV_TRY(vv_input_add_part(in, &part));
    }
    return VV_OK;
}

/* An input as it grows. top: the node that it was asked for; nobody else makes it, so it must not become a step for that. */
typedef struct collector {
    vv_builder *b;
    vv_hint *hint;
    vv_input *in;
    int top;
    bool filled; /* in->fill is decided */
} collector;

static vv_status collect(collector *c, int node, const vv_view *v);

/* The parts of several inputs, input by input. */
static vv_status from_children(collector *c, int node, const vv_view *v)
{
    const vv_array *a = c->b->graph.node[node].array;
    vv_status status = VV_OK;
    for (int k = 0; k < a->n_inputs && status == VV_OK; k++) {
        vv_view some = {0};
        for (int i = 0; i < v->n && status == VV_OK; i++)
            if (v->part[i].from == k) status = add_copy(&some, &v->part[i]);
        if (status == VV_OK && some.n) status = collect(c, c->b->graph.node[node].input[k], &some);
        vv_view_free(&some);
    }
    return status;
}

static vv_status through(collector *c, int node, const vv_view *v)
{
    vv_view seen = *v, below;
    int child;
    bool fits;
    seen.filled = c->filled;
    seen.fill = c->in->fill;
    VV_TRY(vv_view_through(c->b, node, &seen, &below, &child, &fits));
    if (!fits && node == c->top)
        return vv_fail(VV_ERR_UNSUPPORTED, "'%s': a view that cannot be followed", c->b->graph.node[node].array->name);
    if (!fits) return from_made(c->b, node, v, c->in->type, c->in);
    c->filled = below.filled;
    if (below.filled) c->in->fill = below.fill;
    vv_status status = from_children(c, node, &below);
    vv_view_free(&below);
    return status;
}

/* Appends the parts of a node. */
static vv_status collect(collector *c, int node, const vv_view *v)
{
    const vv_dag_node *g = &c->b->graph.node[node];
    const vv_array *a = g->array;
    bool open = node == c->top || !g->cut, same_type = vv_working_type(a->dtype) == vv_working_type(c->in->type);
    if (a->kind == VV_NODE_RECHUNK && open) {
        vv_hint_through(a, v, c->hint);
        if (node == c->top) c->top = g->input[0];
        return collect(c, g->input[0], v);
    }
    if (a->kind == VV_NODE_VIEW && open) return through(c, node, v);
    bool source = a->kind == VV_NODE_OPEN || a->kind == VV_NODE_RANDOM || a->kind == VV_NODE_HELD;
    if (source && same_type) return from_stored(c->b, node, v, c->in);
    return from_made(c->b, node, v, c->in->type, c->in);
}

vv_status vv_lower_input(vv_builder *b, int node, const vv_view *v, vv_dtype type, bool top, vv_hint *hint,
                         vv_input *out)
{
    *out = (vv_input){.type = type, .fill = v->filled ? v->fill : 0};
    collector c = {b, hint, out, top ? node : -1, v->filled};
    vv_status status = collect(&c, node, v);
    if (status != VV_OK) vv_input_free(out);
    return status;
}

void vv_input_free(vv_input *in)
{
    for (int i = 0; i < in->n_parts; i++) vv_part_free(&in->part[i]);
    free(in->part);
    in->part = NULL;
    in->n_parts = 0;
}

bool vv_input_equal(const vv_input *a, const vv_input *b)
{
    if (a->type != b->type || a->access != b->access || a->lookup != b->lookup || a->n_parts != b->n_parts ||
        !vv_same_bits(a->fill, b->fill) || memcmp(a->before, b->before, sizeof a->before) ||
        memcmp(a->after, b->after, sizeof a->after))
        return false;
    for (int i = 0; i < a->n_parts; i++)
        if (!vv_part_equal(&a->part[i], &b->part[i])) return false;
    return true;
}

void vv_hint_through(const vv_array *a, const vv_view *v, vv_hint *hint)
{
    const vv_part *p = NULL;
    for (int i = 0; i < v->n; i++)
        if (!p || vv_box_elements(&v->part[i].box) > vv_box_elements(&p->box)) p = &v->part[i];
    for (int d = 0; p && d < a->shape.nd; d++) {
        vv_index n = vv_imax(1, a->shape.n[d]), chunk = a->chunk[d] < 0 ? n : vv_imin(a->chunk[d], n), seen, shift;
        if (chunk == 0 || p->dim[d] < 0 || hint->chunk[p->dim[d]] > 0) continue;
        if (!vv_grid_seen(p, d, chunk, 0, &seen, &shift)) continue;
        hint->chunk[p->dim[d]] = seen;
        hint->shift[p->dim[d]] = shift;
    }
}
