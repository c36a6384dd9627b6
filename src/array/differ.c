/* Differences of neighbours, slopes, and blocks of neighbours taken together. */
#include "array/build.h"

#include "varve/create.h"
#include "varve/move.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* An operation of two arrays that serve nothing else. */
static vv_array *of_two(const char *op, vv_array *left, vv_array *right)
{
    vv_context *c = left->context ? left->context : right->context;
    vv_array *out = vv_node_elementwise(c, op, (vv_array *[]){left, right}, 2);
    vv_release(&left);
    vv_release(&right);
    return out;
}

static vv_array *number(const vv_array *like, double value)
{
    return vv_node_scalar(like->context, value);
}

/* --- differences --- */

vv_array *vv_diff(vv_array *a, const char *dim, int order)
{
    int d;
    if (vv_array_status(a) != VV_OK || vv_node_find_dim(a, dim, &d) != VV_OK) return vv_node_inert(a->context);
    if (order < 0) {
        (void)vv_fail(VV_ERR_USAGE, "'%s': differences of order %d", a->name, order);
        return vv_node_inert(a->context);
    }
    vv_array *out = vv_node_again(a);
    for (int i = 0; i < order && out->status == VV_OK; i++) {
        const char *op = a->dtype == VV_BOOL ? "not_equal" : "subtract";
        vv_array *upper = vv_slice(out, dim, 1, VV_END, 1), *lower = vv_slice(out, dim, 0, -1, 1);
        out = vv_node_then(out, of_two(op, upper, lower));
    }
    return order > 0 ? vv_node_about(out, a) : out;
}

/* Along dimension d the next element of each one (step 1) or the one before (-1); at the end it is itself. */
static vv_array *neighbour(vv_array *a, int d, int step)
{
    const char *dim = a->dim[d];
    vv_array *x = vv_pad(a, dim, step<0, step> 0, "edge", 0);
    x = vv_node_then(x, step > 0 ? vv_slice(x, dim, 1, VV_END, 1) : vv_slice(x, dim, 0, -1, 1));
    return x->status == VV_OK ? vv_node_then(x, vv_node_labelled_as(x, a)) : x;
}

vv_array *vv_sliding_window(vv_array *a, const char *dim, vv_index n, const char *new_dim)
{
    enum { MOST = 100000 };
    int d;
    vv_array **at;
    if (vv_array_status(a) != VV_OK || vv_node_find_dim(a, dim, &d) != VV_OK) return vv_node_inert(a->context);
    if (n < 1 || n > vv_imin(a->shape.n[d], MOST)) {
        (void)vv_fail(VV_ERR_SHAPE, "'%s': windows of %lld along '%s', which has %lld elements", a->name, (long long)n,
                      dim, (long long)a->shape.n[d]);
        return vv_node_inert(a->context);
    }
    if (vv_new(&at, (size_t)n, sizeof(vv_array *)) != VV_OK) return vv_node_inert(a->context);
    for (vv_index k = 0; k < n; k++) at[k] = vv_slice(a, dim, k, a->shape.n[d] - n + 1 + k, 1);
    vv_array *out = vv_node_stack(a->context, at, (int)n, new_dim);
    for (vv_index k = 0; k < n; k++) vv_release(&at[k]);
    free(at);
    return vv_node_about(vv_node_then(out, vv_moveaxis(out, new_dim, -1)), a);
}

/* How far neighbours are from each other: twice the spacing, at the ends once. */
static vv_array *distance(const vv_array *a, int d, double spacing)
{
    vv_array *at = vv_node_sequence(a->context, a->dim[d], a->shape.n[d], 0, 1, VV_F64);
    vv_array *steps = of_two("subtract", neighbour(at, 0, 1), neighbour(at, 0, -1));
    vv_release(&at);
    vv_array *far = of_two("multiply", steps, number(a, spacing));
    return vv_node_then(far, vv_astype(far, a->dtype));
}

vv_array *vv_gradient(vv_array *a, const char *dim, double spacing)
{
    int d;
    if (vv_array_status(a) != VV_OK || vv_node_find_dim(a, dim, &d) != VV_OK) return vv_node_inert(a->context);
    if (a->shape.n[d] < 2 || !isfinite(spacing) || spacing == 0) {
        (void)vv_fail(VV_ERR_SHAPE, "'%s': no gradient along '%s' of %lld elements %g apart", a->name, dim,
                      (long long)a->shape.n[d], spacing);
        return vv_node_inert(a->context);
    }
    vv_array *real = vv_node_as_inexact(a);
    vv_array *difference = of_two("subtract", neighbour(real, d, 1), neighbour(real, d, -1));
    vv_array *out = of_two("divide", difference, distance(real, d, spacing));
    return vv_node_about(vv_node_then(real, out), a);
}

/* --- ramps --- */

/* value + i * ((edge - value) / n), i counted from the outer end: as NumPy computes it. */
static vv_array *line(vv_array *edge, int d, vv_index n, double value, bool left)
{
    vv_index total = edge->shape.n[d];
    vv_array *i =
        vv_node_sequence(edge->context, edge->dim[d], total, left ? 0 : (double)(total - 1), left ? 1 : -1, VV_F64);
    vv_array *step = of_two("subtract", vv_node_again(edge), number(edge, value));
    step = of_two("divide", step, number(edge, (double)n));
    return of_two("add", of_two("multiply", step, i), number(edge, value));
}

/* Elements of `other` where positions along d are before n, from one end. */
static vv_array *instead(vv_array *a, int d, vv_index n, bool left, vv_array *other)
{
    vv_index total = a->shape.n[d];
    vv_array *i = vv_node_sequence(a->context, a->dim[d], total, left ? 0 : (double)(total - 1), left ? 1 : -1, VV_F64);
    vv_array *outer = of_two("less", i, number(a, (double)n));
    outer = vv_node_then(outer, vv_node_seen_as(outer, a, NULL, -1, NULL));
    vv_array *out = vv_node_elementwise(a->context, "where", (vv_array *[]){outer, other, a}, 3);
    vv_release(&outer);
    vv_release(&other);
    return out;
}

vv_array *vv_node_ramp(vv_array *a, int d, vv_index before, vv_index after, double value)
{
    vv_array *wide = vv_astype(a, VV_F64), *out = vv_node_again(wide);
    if (before > 0) out = vv_node_then(out, instead(out, d, before, true, line(wide, d, before, value, true)));
    if (after > 0) out = vv_node_then(out, instead(out, d, after, false, line(wide, d, after, value, false)));
    vv_release(&wide);
    return vv_node_about(vv_node_then(out, vv_astype(out, a->dtype)), a);
}
