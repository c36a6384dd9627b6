/* Views along one dimension: a track says which positions of the input follow each other, a few stretches with a step, each a part, or a table. Coordinates
 * and labels of groups go the same way as the elements. Slices, rolls and lists of positions are tracks; padding (pad.c) is, too. */
#include "array/track.h"

#include "varve/move.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void vv_track_add(vv_track *t, vv_index n, vv_index start, vv_index step)
{
    if (n <= 0) return;
    t->at[t->n_stretches++] = (vv_stretch){n, start, n == 1 && step != 0 ? 1 : step};
    t->n += n;
}

/* All of it as it is. */
static bool stays(const vv_track *t, vv_index n)
{
    return t->n == n && t->n_stretches == 1 && t->at[0].start == 0 && t->at[0].step == 1;
}

/* Where each element of the result comes from, -1: nowhere; to be freed. Made for what moves along only: dimensions may be longer than memory. */
static vv_status track_positions(const vv_track *t, vv_index **out)
{
    VV_TRY(vv_new(out, (size_t)t->n, sizeof **out));
    vv_index *at = *out;
    if (t->table) memcpy(at, t->table->at, (size_t)t->n * sizeof *at);
    for (int i = 0; i < t->n_stretches; i++)
        for (vv_index k = 0; k < t->at[i].n; k++) *at++ = t->at[i].start < 0 ? -1 : t->at[i].start + k * t->at[i].step;
    return VV_OK;
}

/* `each` values for a position. */
static vv_status moved_values(const vv_values *old, const vv_track *t, int each, vv_values **out)
{
    vv_index *position;
    if (!old) return VV_OK;
    VV_TRY(track_positions(t, &position));
    vv_status status = vv_values_new(each * t->n, out);
    for (vv_index i = 0; i < t->n && status == VV_OK; i++)
        for (int k = 0; k < each; k++)
            (*out)->at[each * i + k] = position[i] < 0 ? (double)NAN : old->at[each * position[i] + k];
    free(position);
    return status;
}

static vv_status moved_coord(vv_array *a, const vv_array *in, int d, const vv_track *t)
{
    vv_values *old;
    vv_coord *c = &a->coord[d];
    VV_TRY(vv_coord_values(&in->coord[d], &old));
    *c = in->coord[d];
    c->value = c->bounds = NULL;
    c->moved = true;
    vv_status status = moved_values(old, t, 1, &c->value);
    if (status == VV_OK) status = moved_values(in->coord[d].bounds, t, 2, &c->bounds);
    vv_values_free(&old);
    return status;
}

static vv_status moved_labels(vv_array *a, const vv_array *in, int d, const vv_track *t)
{
    const vv_grouping *g = vv_node_grouping(in);
    vv_index *position;
    if (!g || g->dim != d) return vv_node_keep_groups(a, in);
    VV_TRY(vv_grouping_copy(g, d, &a->group));
    vv_table_free(&a->group.label);
    VV_TRY(vv_table_new(t->n, &a->group.label));
    VV_TRY(track_positions(t, &position));
    for (vv_index i = 0; i < t->n; i++) a->group.label->at[i] = position[i] < 0 ? -1 : g->label->at[position[i]];
    free(position);
    return VV_OK;
}

static vv_status add_stretch(vv_array *a, const vv_array *in, int d, vv_index lo, const vv_stretch *s)
{
    vv_part p;
    if (s->start < 0) return VV_OK;
    vv_part_same(&in->shape, &p);
    p.box.lo[d] = lo;
    p.box.n[d] = s->n;
    p.start[d] = s->start;
    if (s->step == 0)
        p.dim[d] = -1;
    else
        p.stride[d] = s->step;
    return vv_node_add_part(a, &p);
}

static vv_status add_parts(vv_array *a, const vv_array *in, int d, const vv_track *t)
{
    vv_index lo = 0;
    for (int i = 0; i < t->n_stretches; i++) {
        VV_TRY(add_stretch(a, in, d, lo, &t->at[i]));
        lo += t->at[i].n;
    }
    if (!t->table || t->n == 0) return VV_OK;
    vv_part p;
    vv_part_same(&in->shape, &p);
    p.box.n[d] = t->n;
    p.table_dim = d;
    p.table = vv_table_share(t->table);
    return vv_node_add_part(a, &p);
}

static vv_status fill_tracked(vv_array *a, const vv_array *in, int d, const vv_track *t)
{
    a->dtype = in->dtype;
    VV_TRY(vv_attrs_copy(&a->attrs, &in->attrs));
    for (int k = 0; k < in->shape.nd; k++)
        if (k != d)
            VV_TRY(vv_node_like_dim(a, k, in, k));
        else
            VV_TRY(vv_node_set_dim(a, k, in->dim[k], t->n));
    VV_TRY(moved_coord(a, in, d, t));
    VV_TRY(moved_labels(a, in, d, t));
    return add_parts(a, in, d, t);
}

vv_array *vv_node_tracked(vv_array *in, int d, const vv_track *t, double fill)
{
    if (stays(t, in->shape.n[d])) return vv_node_again(in);
    vv_array *a = vv_node_upon(in, VV_NODE_VIEW);
    if (a->status != VV_OK) return a;
    a->fill = in->text == VV_TEXT_NOT ? fill : 0;
    return vv_node_settle(in->context, a, fill_tracked(a, in, d, t));
}

/* A bound of a Python slice, put within [low, high]. */
static vv_index bound(vv_index at, vv_index n, vv_index low, vv_index high)
{
    if (at < 0 && at >= -n) at += n;
    return vv_imax(low, vv_imin(high, at));
}

static void sliced(vv_index n, vv_index start, vv_index stop, vv_index step, vv_track *t)
{
    *t = (vv_track){0};
    if (step > 0) {
        start = bound(start, n, 0, n);
        stop = bound(stop, n, 0, n);
        vv_track_add(t, start < stop ? (stop - start - 1) / step + 1 : 0, start, step);
    } else {
        start = start == VV_BEGIN ? n - 1 : bound(start, n, -1, n - 1);
        stop = stop == VV_END ? -1 : bound(stop, n, -1, n - 1);
        step = vv_imax(step, -VV_INDEX_MAX);
        vv_track_add(t, start > stop ? (start - stop - 1) / -step + 1 : 0, start, step);
    }
}

vv_array *vv_slice(vv_array *a, const char *dim, vv_index start, vv_index stop, vv_index step)
{
    int d;
    vv_track t;
    if (vv_array_status(a) != VV_OK || vv_node_find_dim(a, dim, &d) != VV_OK) return vv_node_inert(a->context);
    if (step == 0) {
        (void)vv_fail(VV_ERR_USAGE, "'%s': a slice along '%s' with step 0", a->name, dim);
        return vv_node_inert(a->context);
    }
    sliced(a->shape.n[d], start, stop, step, &t);
    return vv_node_tracked(a, d, &t, NAN);
}

vv_array *vv_roll(vv_array *a, const char *dim, vv_index shift)
{
    int d;
    vv_track t = {0};
    if (vv_array_status(a) != VV_OK || vv_node_find_dim(a, dim, &d) != VV_OK) return vv_node_inert(a->context);
    vv_index n = a->shape.n[d];
    shift = n > 0 ? (shift % n + n) % n : 0;
    vv_track_add(&t, shift, n - shift, 1);
    vv_track_add(&t, n - shift, 0, 1);
    return vv_node_tracked(a, d, &t, NAN);
}

/* Positions that are a stretch with one step are kept as such. */
static bool even_steps(const vv_index at[], vv_index n, vv_track *t)
{
    vv_index step = n > 1 ? at[1] - at[0] : 1;
    for (vv_index i = 1; i < n; i++)
        if (at[i] - at[i - 1] != step) return false;
    *t = (vv_track){0};
    if (n > 0) vv_track_add(t, n, at[0], step);
    return true;
}

vv_array *vv_node_taken(vv_array *a, int d, vv_table *positions)
{
    vv_track t = {.n = positions->n, .table = positions};
    (void)even_steps(positions->at, positions->n, &t);
    return vv_node_tracked(a, d, &t, NAN);
}

static vv_status read_positions(const vv_array *a, int d, const vv_index indices[], vv_index n, vv_table **out)
{
    *out = NULL;
    if (n < 0) return vv_fail(VV_ERR_USAGE, "%lld positions", (long long)n);
    VV_TRY(vv_table_new(n, out));
    for (vv_index i = 0; i < n; i++) {
        (*out)->at[i] = indices[i];
        VV_TRY(vv_node_position(a, d, &(*out)->at[i]));
    }
    return VV_OK;
}

vv_array *vv_take(vv_array *a, const char *dim, const vv_index indices[], vv_index n)
{
    int d;
    if (vv_array_status(a) != VV_OK || vv_node_find_dim(a, dim, &d) != VV_OK) return vv_node_inert(a->context);
    vv_table *t = NULL;
    vv_status status = read_positions(a, d, indices, n, &t);
    vv_array *out = status == VV_OK ? vv_node_taken(a, d, t) : vv_node_inert(a->context);
    vv_table_free(&t);
    return out;
}
