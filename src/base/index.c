#include "base/index.h"

#include <stdio.h>
#include <string.h>

vv_index vv_times(vv_index a, vv_index b)
{
    if (a == 0 || b == 0) return 0;
    return a > VV_INDEX_MAX / b ? VV_INDEX_MAX : a * b;
}

static vv_index product(int nd, const vv_index n[])
{
    vv_index p = 1;
    for (int d = 0; d < nd; d++)
        if (n[d] == 0) return 0;
    for (int d = 0; d < nd; d++) p = vv_times(p, n[d]);
    return p;
}

vv_index vv_shape_elements(const vv_shape *s)
{
    return product(s->nd, s->n);
}

vv_index vv_box_elements(const vv_box *b)
{
    return product(b->nd, b->n);
}

bool vv_shape_equal(const vv_shape *a, const vv_shape *b)
{
    return a->nd == b->nd && !memcmp(a->n, b->n, sizeof a->n[0] * (size_t)a->nd);
}

bool vv_grid_equal(const vv_grid *a, const vv_grid *b)
{
    size_t n = sizeof a->chunk[0] * (size_t)a->shape.nd;
    return vv_shape_equal(&a->shape, &b->shape) && !memcmp(a->chunk, b->chunk, n) && !memcmp(a->shift, b->shift, n);
}

bool vv_box_equal(const vv_box *a, const vv_box *b)
{
    size_t bytes = sizeof a->n[0] * (size_t)a->nd;
    return a->nd == b->nd && !memcmp(a->lo, b->lo, bytes) && !memcmp(a->n, b->n, bytes);
}

bool vv_box_intersect(const vv_box *a, const vv_box *b, vv_box *out)
{
    bool any = true;
    out->nd = a->nd;
    for (int d = 0; d < a->nd; d++) {
        vv_index lo = vv_imax(a->lo[d], b->lo[d]);
        vv_index hi = vv_imin(a->lo[d] + a->n[d], b->lo[d] + b->n[d]);
        out->lo[d] = lo;
        out->n[d] = hi > lo ? hi - lo : 0;
        any = any && hi > lo;
    }
    return any;
}

vv_index vv_grid_chunks(const vv_grid *g)
{
    vv_index p = 1;
    for (int d = 0; d < g->shape.nd; d++)
        if (g->shape.n[d] == 0) return 0;
    for (int d = 0; d < g->shape.nd; d++) p = vv_times(p, vv_grid_count(g, d));
    return p;
}

void vv_grid_coords(const vv_grid *g, vv_index chunk, vv_index coords[])
{
    for (int d = g->shape.nd - 1; d >= 0; d--) {
        vv_index n = vv_grid_count(g, d);
        coords[d] = chunk % n;
        chunk /= n;
    }
}

vv_index vv_grid_number(const vv_grid *g, const vv_index coords[])
{
    vv_index number = 0;
    for (int d = 0; d < g->shape.nd; d++) number = number * vv_grid_count(g, d) + coords[d];
    return number;
}

void vv_grid_box_at(const vv_grid *g, const vv_index coords[], vv_box *out)
{
    out->nd = g->shape.nd;
    for (int d = 0; d < g->shape.nd; d++) {
        out->lo[d] = vv_grid_begin(g, d, coords[d]);
        out->n[d] = vv_grid_end(g, d, coords[d]) - out->lo[d];
    }
}

void vv_grid_box(const vv_grid *g, vv_index chunk, vv_box *out)
{
    vv_index coords[VV_MAX_DIMS];
    vv_grid_coords(g, chunk, coords);
    vv_grid_box_at(g, coords, out);
}

bool vv_odometer(int nd, const vv_index n[], vv_index at[])
{
    for (int d = nd - 1; d >= 0; d--) {
        if (++at[d] < n[d]) return true;
        at[d] = 0;
    }
    return false;
}

const char *vv_dims_text(int nd, const vv_index n[], char *out, size_t size)
{
    size_t used = (size_t)snprintf(out, size, "[");
    for (int d = 0; d < nd && used < size; d++)
        used += (size_t)snprintf(out + used, size - used, d ? ", %lld" : "%lld", (long long)n[d]);
    if (used < size) snprintf(out + used, size - used, "]");
    return out;
}
