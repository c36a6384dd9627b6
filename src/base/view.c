#include "base/view.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

vv_status vv_table_new(vv_index n, vv_table **out)
{
    VV_TRY(vv_new(out, 1, sizeof **out + (size_t)n * sizeof(vv_index)));
    (*out)->references = 1;
    (*out)->n = n;
    return VV_OK;
}

vv_table *vv_table_share(vv_table *t)
{
    if (t) t->references++;
    return t;
}

void vv_table_free(vv_table **t)
{
    if (*t && --(*t)->references == 0) free(*t);
    *t = NULL;
}

void vv_part_same(const vv_shape *shape, vv_part *out)
{
    *out = (vv_part){.nd = shape->nd, .table_dim = -1};
    out->box.nd = shape->nd;
    for (int d = 0; d < shape->nd; d++) {
        out->box.n[d] = shape->n[d];
        out->dim[d] = d;
        out->stride[d] = 1;
    }
}

vv_index vv_part_index(const vv_part *p, int d, vv_index w)
{
    if (p->dim[d] < 0) return p->start[d];
    vv_index i = p->start[d] + p->stride[d] * (w - p->box.lo[p->dim[d]]);
    return d == p->table_dim ? p->table->at[i] : i;
}

/* Smallest range that holds the table's entries for target indices [lo, lo + n); false when there are none. */
static bool table_span(const vv_part *p, vv_index lo, vv_index n, vv_index *first, vv_index *count)
{
    vv_index least = VV_INDEX_MAX, most = -1;
    for (vv_index w = lo; w < lo + n; w++) {
        vv_index i = vv_part_index(p, p->table_dim, w);
        if (i < 0) continue; /* in no group: nothing is looked up */
        least = vv_imin(least, i);
        most = vv_imax(most, i);
    }
    *first = least;
    *count = most - least + 1;
    return most >= 0;
}

bool vv_part_source(const vv_part *p, const vv_box *target, vv_box *source)
{
    vv_box b;
    if (!vv_box_intersect(&p->box, target, &b)) return false;
    source->nd = p->nd;
    for (int d = 0; d < p->nd; d++) {
        int w = p->dim[d];
        source->lo[d] = p->start[d];
        source->n[d] = 1;
        if (w < 0) continue;
        if (d == p->table_dim) {
            if (!table_span(p, b.lo[w], b.n[w], &source->lo[d], &source->n[d])) return false;
            continue;
        }
        vv_index first = vv_part_index(p, d, b.lo[w]), last = vv_part_index(p, d, b.lo[w] + b.n[w] - 1);
        source->lo[d] = vv_imin(first, last);
        source->n[d] = vv_imax(first, last) - source->lo[d] + 1;
    }
    return true;
}

static vv_index floor_div(vv_index a, vv_index b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

/* Steps i at which start + stride * i lies within [lo, lo + n): from *first on, *count of them. */
static void steps_within(vv_index start, vv_index stride, vv_index lo, vv_index n, vv_index *first, vv_index *count)
{
    vv_index a = lo - start, b = lo + n - 1 - start;
    vv_index from = stride > 0 ? -floor_div(-a, stride) : -floor_div(b, -stride);
    vv_index to = stride > 0 ? floor_div(b, stride) : floor_div(-a, -stride);
    *first = from;
    *count = vv_imax(0, to - from + 1);
}

/* Target indices of a part's box whose table entries lie within [lo, lo + n): their bound. */
static void table_target(const vv_part *p, vv_index lo, vv_index n, vv_index *first, vv_index *count)
{
    int w = p->dim[p->table_dim];
    vv_index from = VV_INDEX_MAX, end = VV_INDEX_MAX; /* surroundings may lie below 0 */
    for (vv_index i = p->box.lo[w]; i < p->box.lo[w] + p->box.n[w]; i++) {
        vv_index at = vv_part_index(p, p->table_dim, i);
        if (at < lo || at >= lo + n) continue;
        from = vv_imin(from, i);
        end = i + 1;
    }
    *first = from;
    *count = end - from; /* none: 0 */
}

/* Restricts the target range [*lo, *lo + *n) of a dimension to [first, first + count). */
static void restrict_to(vv_index *lo, vv_index *n, vv_index first, vv_index count)
{
    vv_index from = vv_imax(*lo, first), to = vv_imin(*lo + *n, first + count);
    *lo = from;
    *n = vv_imax(0, to - from);
}

bool vv_part_target(const vv_part *p, const vv_box *source, vv_box *target)
{
    *target = p->box;
    for (int d = 0; d < p->nd; d++) {
        int w = p->dim[d];
        vv_index first, count;
        if (w < 0) {
            if (p->start[d] < source->lo[d] || p->start[d] >= source->lo[d] + source->n[d]) return false;
            continue;
        }
        if (d == p->table_dim) {
            table_target(p, source->lo[d], source->n[d], &first, &count);
        } else {
            steps_within(p->start[d], p->stride[d], source->lo[d], source->n[d], &first, &count);
            first += p->box.lo[w];
        }
        restrict_to(&target->lo[w], &target->n[w], first, count);
        if (target->n[w] == 0) return false;
    }
    return vv_box_elements(target) > 0;
}

bool vv_part_follows(const vv_part *p, int target_dim)
{
    for (int d = 0; d < p->nd; d++)
        if (p->dim[d] == target_dim) return true;
    return false;
}

/* Moves the beginning of a part's box along one target dimension; starts follow. */
static void begin_at(vv_part *p, int w, vv_index lo)
{
    for (int d = 0; d < p->nd; d++)
        if (p->dim[d] == w) p->start[d] += p->stride[d] * (lo - p->box.lo[w]);
    p->box.lo[w] = lo;
}

/* Every entry of the table that the part can look up lies within [lo, lo + n), or is none. */
static bool table_within(const vv_part *p, vv_index lo, vv_index n)
{
    vv_index first, count;
    int w = p->dim[p->table_dim];
    if (!table_span(p, p->box.lo[w], p->box.n[w], &first, &count)) return true;
    return first >= lo && first + count <= lo + n;
}

/* Some target index looks up nothing. */
static bool table_has_none(const vv_part *p)
{
    int w = p->dim[p->table_dim];
    for (vv_index i = p->box.lo[w]; i < p->box.lo[w] + p->box.n[w]; i++)
        if (vv_part_index(p, p->table_dim, i) < 0) return true;
    return false;
}

/* Restricts a part to where its source lies within `box`. */
static vv_status clip(vv_part *p, const vv_box *box, bool *any)
{
    *any = false;
    for (int d = 0; d < p->nd; d++) {
        int w = p->dim[d];
        if (w < 0) {
            if (p->start[d] < box->lo[d] || p->start[d] >= box->lo[d] + box->n[d]) return VV_OK;
            continue;
        }
        if (d == p->table_dim) {
            if (table_within(p, box->lo[d], box->n[d])) continue;
            return vv_fail(VV_ERR_UNSUPPORTED, "a table that reaches beyond a part of a view");
        }
        vv_index first, count, lo = p->box.lo[w];
        steps_within(p->start[d], p->stride[d], box->lo[d], box->n[d], &first, &count);
        restrict_to(&lo, &p->box.n[w], p->box.lo[w] + first, count);
        if (p->box.n[w] == 0) return VV_OK;
        begin_at(p, w, lo);
    }
    *any = vv_box_elements(&p->box) > 0;
    return VV_OK;
}

/* The table of dimension d of `inner` as reached through the table of `outer`: one look-up instead of two, or of one and an affine step. */
static vv_status joint_table(const vv_part *outer, const vv_part *inner, int d, vv_part *out)
{
    vv_table *t;
    VV_TRY(vv_table_new(outer->table->n, &t));
    vv_index lo = inner->box.lo[inner->dim[d]], n = inner->box.n[inner->dim[d]];
    for (vv_index i = 0; i < t->n; i++) { /* entries beyond inner's box are not in use: see table_within() */
        vv_index v = outer->table->at[i];
        t->at[i] = v < lo || v >= lo + n ? -1 : vv_part_index(inner, d, v);
    }
    vv_table_free(&out->table);
    out->table = t;
    return VV_OK;
}

/* Dimension d of the composition; `outer` is clipped to inner's box already. */
static vv_status compose_dim(const vv_part *outer, const vv_part *inner, int d, vv_part *out)
{
    int v = inner->dim[d], w = v < 0 ? -1 : outer->dim[v];
    out->dim[d] = w;
    if (w < 0) {
        out->start[d] = v < 0 ? inner->start[d] : vv_part_index(inner, d, outer->start[v]);
        return VV_OK;
    }
    bool looked_up = v == outer->table_dim;
    if (looked_up || d == inner->table_dim) {
        if (out->table_dim >= 0) return vv_fail(VV_ERR_UNSUPPORTED, "tables along two dimensions of a view");
        out->table_dim = d;
    }
    if (looked_up) {
        out->start[d] = outer->start[v];
        out->stride[d] = outer->stride[v];
        return joint_table(outer, inner, d, out);
    }
    out->start[d] = inner->start[d] + inner->stride[d] * (outer->start[v] - inner->box.lo[v]);
    out->stride[d] = inner->stride[d] * outer->stride[v];
    if (d == inner->table_dim) out->table = vv_table_share(inner->table);
    return VV_OK;
}

vv_status vv_part_compose(const vv_part *outer, const vv_part *inner, vv_part *out, bool *any)
{
    vv_part clipped = *outer;
    *out = (vv_part){.from = inner->from, .result = inner->result, .nd = inner->nd, .table_dim = -1};
    VV_TRY(clip(&clipped, &inner->box, any));
    if (!*any) return VV_OK;
    if (outer->table_dim >= 0 && !vv_part_follows(inner, outer->table_dim) && table_has_none(&clipped))
        return vv_fail(VV_ERR_UNSUPPORTED, "a table that leaves elements out of a broadcast");
    out->box = clipped.box;
    for (int d = 0; d < inner->nd; d++) {
        vv_status status = compose_dim(&clipped, inner, d, out);
        bool nothing = out->dim[d] < 0 && out->start[d] < 0; /* a fixed index that looks up none */
        if (status == VV_OK && !nothing) continue;
        vv_part_free(out);
        *any = *any && !nothing;
        return status;
    }
    return VV_OK;
}

void vv_part_copy(const vv_part *p, vv_part *out)
{
    *out = *p;
    out->table = vv_table_share(p->table);
}

void vv_part_free(vv_part *p)
{
    vv_table_free(&p->table);
    p->table_dim = -1;
}

static bool same_table(const vv_table *a, const vv_table *b)
{
    return a == b || (a && b && a->n == b->n && !memcmp(a->at, b->at, (size_t)a->n * sizeof a->at[0]));
}

static bool same_numbers(int n, const vv_index a[], const vv_index b[])
{
    return !memcmp(a, b, (size_t)n * sizeof a[0]);
}

bool vv_part_equal(const vv_part *a, const vv_part *b)
{
    if (a->from != b->from || a->result != b->result || a->nd != b->nd || a->table_dim != b->table_dim) return false;
    if (a->box.nd != b->box.nd || !same_numbers(a->box.nd, a->box.lo, b->box.lo) ||
        !same_numbers(a->box.nd, a->box.n, b->box.n))
        return false;
    for (int d = 0; d < a->nd; d++)
        if (a->dim[d] != b->dim[d] || a->start[d] != b->start[d] || (a->dim[d] >= 0 && a->stride[d] != b->stride[d]))
            return false;
    return same_table(a->table, b->table);
}
