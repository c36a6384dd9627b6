/* Views: the same elements at other places.
 *
 * Two shapes of builders cover all of them. A *frame* reorders, drops, adds or renames whole dimensions: one part. A *track* says, for one
 * dimension, which positions of the input follow each other: a few stretches with a step, each a part, or a table. Coordinates and labels of groups
 * go the same way as the elements. */
#include "array/build.h"

#include "varve/move.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- whole dimensions --- */

typedef struct frame {
    int nd;
    struct {
        int from; /* dimension of the input, or -1: a new one */
        const char *name;
        vv_index n; /* of a new one */
    } dim[VV_MAX_DIMS];
    vv_index at[VV_MAX_DIMS]; /* by dimension of the input: the position of those that are dropped */
} frame;

static vv_status frame_dim(vv_array *a, int d, const vv_array *in, const frame *f)
{
    int from = f->dim[d].from;
    if (vv_node_dim(a, f->dim[d].name) >= 0)
        return vv_fail(VV_ERR_SHAPE, "'%s' has a dimension '%s' already", in->name, f->dim[d].name);
    VV_TRY(vv_node_set_dim(a, d, f->dim[d].name, from < 0 ? f->dim[d].n : in->shape.n[from]));
    if (from >= 0) vv_coord_copy(&in->coord[from], &a->coord[d]);
    return VV_OK;
}

static vv_status fill_framed(vv_array *a, const vv_array *in, const frame *f)
{
    const vv_grouping *g = vv_node_grouping(in);
    vv_part p;
    a->dtype = in->dtype;
    a->fill = NAN;
    VV_TRY(vv_attrs_copy(&a->attrs, &in->attrs));
    for (int d = 0; d < f->nd; d++) VV_TRY(frame_dim(a, d, in, f));
    if (in->kind == VV_NODE_SCALAR && vv_dtype_is_complex(in->dtype))
        return vv_fail(VV_ERR_TYPE,
                       "a complex number has no dimensions to be shown along: vv_make_complex() of vv_full() "
                       "and vv_full() is an array of it");
    if (in->kind == VV_NODE_SCALAR) { /* a number everywhere: nothing but fill */
        a->fill = in->scalar;
        return VV_OK;
    }
    vv_part_same(&in->shape, &p);
    for (int k = 0; k < in->shape.nd; k++) {
        p.dim[k] = -1;
        p.start[k] = f->at[k];
    }
    p.box = (vv_box){.nd = f->nd};
    for (int d = 0; d < f->nd; d++) {
        p.box.n[d] = a->shape.n[d];
        if (f->dim[d].from < 0) continue;
        p.dim[f->dim[d].from] = d;
        p.start[f->dim[d].from] = 0;
        if (g && g->dim == f->dim[d].from) VV_TRY(vv_grouping_copy(g, d, &a->group));
    }
    return vv_node_add_part(a, &p);
}

static vv_array *framed(vv_array *in, const frame *f)
{
    vv_array *a = vv_node_upon(in, VV_NODE_VIEW);
    return a->status == VV_OK ? vv_node_settle(in->context, a, fill_framed(a, in, f)) : a;
}

static void frame_add(frame *f, const vv_array *in, int from)
{
    f->dim[f->nd].from = from;
    f->dim[f->nd++].name = in->dim[from];
}

static void frame_same(frame *f, const vv_array *in)
{
    *f = (frame){0};
    for (int d = 0; d < in->shape.nd; d++) frame_add(f, in, d);
}

vv_array *vv_node_seen_again(vv_array *in)
{
    frame f;
    frame_same(&f, in);
    return framed(in, &f);
}

static vv_status transposed_frame(const vv_array *in, const char *dims, frame *f)
{
    bool used[VV_MAX_DIMS] = {false};
    *f = (frame){0};
    for (;;) {
        int d;
        VV_TRY(vv_next_dim(in, &dims, &d));
        if (d < 0) break;
        if (used[d]) return vv_fail(VV_ERR_USAGE, "dimension '%s' is named twice", in->dim[d]);
        used[d] = true;
        frame_add(f, in, d);
    }
    for (int d = 0; d < in->shape.nd; d++)
        if (!used[d])
            return vv_fail(VV_ERR_USAGE, "all dimensions of '%s' must be named; '%s' is not", in->name, in->dim[d]);
    return VV_OK;
}

vv_array *vv_transpose(vv_array *a, const char *dims)
{
    frame f = {0};
    if (vv_array_status(a) != VV_OK) return vv_node_inert(a->context);
    for (int d = a->shape.nd - 1; d >= 0 && !dims; d--) frame_add(&f, a, d);
    if (dims && transposed_frame(a, dims, &f) != VV_OK) return vv_node_inert(a->context);
    return framed(a, &f);
}

/* A position counted from the end when negative. */
vv_status vv_node_position(const vv_array *a, int d, vv_index *at)
{
    vv_index n = a->shape.n[d];
    if (*at < -n || *at >= n)
        return vv_fail(VV_ERR_SHAPE, "position %lld is outside of '%s', which has %lld elements along '%s'",
                       (long long)*at, a->name, (long long)n, a->dim[d]);
    if (*at < 0) *at += n;
    return VV_OK;
}

vv_array *vv_at(vv_array *a, const char *dim, vv_index position)
{
    frame f = {0};
    int at;
    if (vv_array_status(a) != VV_OK || vv_node_find_dim(a, dim, &at) != VV_OK ||
        vv_node_position(a, at, &position) != VV_OK)
        return vv_node_inert(a->context);
    for (int d = 0; d < a->shape.nd; d++)
        if (d != at) frame_add(&f, a, d);
    f.at[at] = position;
    return framed(a, &f);
}

static vv_status expanded_frame(const vv_array *a, const char *dim, vv_index length, int position, frame *f)
{
    int nd = a->shape.nd + 1;
    if (length < 0) return vv_fail(VV_ERR_USAGE, "a dimension cannot have %lld elements", (long long)length);
    if (position < -nd || position >= nd)
        return vv_fail(VV_ERR_USAGE, "'%s' has %d dimensions; a new one cannot be number %d", a->name, nd - 1,
                       position);
    if (nd > VV_MAX_DIMS) return vv_fail(VV_ERR_SHAPE, "'%s' has %d dimensions already", a->name, nd - 1);
    if (position < 0) position += nd;
    *f = (frame){0};
    for (int d = 0; d < nd; d++)
        if (d == position) {
            f->dim[d].from = -1;
            f->dim[d].name = dim;
            f->dim[d].n = length;
            f->nd++;
        } else {
            frame_add(f, a, d < position ? d : d - 1);
        }
    return VV_OK;
}

vv_array *vv_expand(vv_array *a, const char *dim, vv_index length, int position)
{
    frame f;
    if (vv_array_status(a) != VV_OK || expanded_frame(a, dim, length, position, &f) != VV_OK)
        return vv_node_inert(a->context);
    return framed(a, &f);
}

vv_array *vv_rename(vv_array *a, const char *old_dim, const char *new_dim)
{
    frame f;
    int d;
    if (vv_array_status(a) != VV_OK || vv_node_find_dim(a, old_dim, &d) != VV_OK) return vv_node_inert(a->context);
    frame_same(&f, a);
    f.dim[d].name = new_dim;
    return framed(a, &f);
}

static vv_status squeezed(const vv_array *a, const char *dims, bool gone[])
{
    for (int d = 0; d < a->shape.nd; d++) gone[d] = !dims && a->shape.n[d] == 1;
    for (int d; dims;) {
        VV_TRY(vv_next_dim(a, &dims, &d));
        if (d < 0) break;
        if (a->shape.n[d] != 1)
            return vv_fail(VV_ERR_SHAPE, "'%s' has %lld elements along '%s', not one", a->name,
                           (long long)a->shape.n[d], a->dim[d]);
        gone[d] = true;
    }
    return VV_OK;
}

vv_array *vv_squeeze(vv_array *a, const char *dims)
{
    frame f = {0};
    bool gone[VV_MAX_DIMS];
    if (vv_array_status(a) != VV_OK || squeezed(a, dims, gone) != VV_OK) return vv_node_inert(a->context);
    for (int d = 0; d < a->shape.nd; d++)
        if (!gone[d]) frame_add(&f, a, d);
    return framed(a, &f);
}

/* --- one dimension, position by position --- */

/* A stretch of the result along the dimension: positions start, start + step, ... of the input; step 0: the same again and again; start -1: nothing. */
typedef struct stretch {
    vv_index n, start, step;
} stretch;

/* One or a few stretches, or a table of positions. */
typedef struct track {
    vv_index n; /* elements of the result */
    int n_stretches;
    stretch at[3];
    vv_table *table; /* borrowed; then there are no stretches */
} track;

static void track_add(track *t, vv_index n, vv_index start, vv_index step)
{
    if (n <= 0) return;
    t->at[t->n_stretches++] = (stretch){n, start, n == 1 && step != 0 ? 1 : step};
    t->n += n;
}

/* All of it as it is. */
static bool stays(const track *t, vv_index n)
{
    return t->n == n && t->n_stretches == 1 && t->at[0].start == 0 && t->at[0].step == 1;
}

/* Where each element of the result comes from; -1: nowhere. */
static void track_positions(const track *t, vv_index out[])
{
    if (t->table) memcpy(out, t->table->at, (size_t)t->n * sizeof *out);
    for (int i = 0; i < t->n_stretches; i++)
        for (vv_index k = 0; k < t->at[i].n; k++) *out++ = t->at[i].start < 0 ? -1 : t->at[i].start + k * t->at[i].step;
}

/* `each` values for a position. */
static vv_status moved_values(const vv_values *old, const vv_index position[], vv_index n, int each, vv_values **out)
{
    if (!old) return VV_OK;
    VV_TRY(vv_values_new(each * n, out));
    for (vv_index i = 0; i < n; i++)
        for (int k = 0; k < each; k++)
            (*out)->at[each * i + k] = position[i] < 0 ? (double)NAN : old->at[each * position[i] + k];
    return VV_OK;
}

static vv_status moved_coord(vv_array *a, const vv_array *in, int d, const vv_index position[])
{
    vv_values *old;
    vv_coord *c = &a->coord[d];
    VV_TRY(vv_coord_values(&in->coord[d], &old));
    *c = in->coord[d];
    c->value = c->bounds = NULL;
    c->moved = true;
    vv_status status = moved_values(old, position, a->shape.n[d], 1, &c->value);
    if (status == VV_OK) status = moved_values(in->coord[d].bounds, position, a->shape.n[d], 2, &c->bounds);
    vv_values_free(&old);
    return status;
}

static vv_status moved_labels(vv_array *a, const vv_array *in, int d, const vv_index position[])
{
    const vv_grouping *g = vv_node_grouping(in);
    if (!g || g->dim != d) return vv_node_keep_groups(a, in);
    VV_TRY(vv_grouping_copy(g, d, &a->group));
    vv_table_free(&a->group.label);
    VV_TRY(vv_table_new(a->shape.n[d], &a->group.label));
    for (vv_index i = 0; i < a->shape.n[d]; i++)
        a->group.label->at[i] = position[i] < 0 ? -1 : g->label->at[position[i]];
    return VV_OK;
}

static vv_status add_stretch(vv_array *a, const vv_array *in, int d, vv_index lo, const stretch *s)
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

static vv_status add_parts(vv_array *a, const vv_array *in, int d, const track *t)
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

static vv_status fill_tracked(vv_array *a, const vv_array *in, int d, const track *t)
{
    vv_index *position;
    a->dtype = in->dtype;
    VV_TRY(vv_attrs_copy(&a->attrs, &in->attrs));
    for (int k = 0; k < in->shape.nd; k++)
        if (k != d)
            VV_TRY(vv_node_like_dim(a, k, in, k));
        else
            VV_TRY(vv_node_set_dim(a, k, in->dim[k], t->n));
    VV_TRY(vv_new(&position, (size_t)t->n, sizeof *position));
    track_positions(t, position);
    vv_status status = moved_coord(a, in, d, position);
    if (status == VV_OK) status = moved_labels(a, in, d, position);
    free(position);
    return status == VV_OK ? add_parts(a, in, d, t) : status;
}

static vv_array *tracked(vv_array *in, int d, const track *t, double fill)
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

static void sliced(vv_index n, vv_index start, vv_index stop, vv_index step, track *t)
{
    *t = (track){0};
    if (step > 0) {
        start = bound(start, n, 0, n);
        stop = bound(stop, n, 0, n);
        track_add(t, start < stop ? (stop - start - 1) / step + 1 : 0, start, step);
    } else {
        start = start == VV_BEGIN ? n - 1 : bound(start, n, -1, n - 1);
        stop = stop == VV_END ? -1 : bound(stop, n, -1, n - 1);
        step = vv_imax(step, -VV_INDEX_MAX);
        track_add(t, start > stop ? (start - stop - 1) / -step + 1 : 0, start, step);
    }
}

vv_array *vv_slice(vv_array *a, const char *dim, vv_index start, vv_index stop, vv_index step)
{
    int d;
    track t;
    if (vv_array_status(a) != VV_OK || vv_node_find_dim(a, dim, &d) != VV_OK) return vv_node_inert(a->context);
    if (step == 0) {
        (void)vv_fail(VV_ERR_USAGE, "'%s': a slice along '%s' with step 0", a->name, dim);
        return vv_node_inert(a->context);
    }
    sliced(a->shape.n[d], start, stop, step, &t);
    return tracked(a, d, &t, NAN);
}

vv_array *vv_roll(vv_array *a, const char *dim, vv_index shift)
{
    int d;
    track t = {0};
    if (vv_array_status(a) != VV_OK || vv_node_find_dim(a, dim, &d) != VV_OK) return vv_node_inert(a->context);
    vv_index n = a->shape.n[d];
    shift = n > 0 ? (shift % n + n) % n : 0;
    track_add(&t, shift, n - shift, 1);
    track_add(&t, n - shift, 0, 1);
    return tracked(a, d, &t, NAN);
}

/* Positions that are a stretch with one step are kept as such. */
static bool even_steps(const vv_index at[], vv_index n, track *t)
{
    vv_index step = n > 1 ? at[1] - at[0] : 1;
    for (vv_index i = 1; i < n; i++)
        if (at[i] - at[i - 1] != step) return false;
    *t = (track){0};
    if (n > 0) track_add(t, n, at[0], step);
    return true;
}

static vv_array *taken(vv_array *a, int d, vv_table *positions)
{
    track t = {.n = positions->n, .table = positions};
    (void)even_steps(positions->at, positions->n, &t);
    return tracked(a, d, &t, NAN);
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
    vv_array *out = status == VV_OK ? taken(a, d, t) : vv_node_inert(a->context);
    vv_table_free(&t);
    return out;
}

/* --- padding --- */

typedef struct padding {
    vv_index n, before, after;
} padding;

/* Where position i of the unpadded axis lies when it goes on for ever, outside of 0 .. n - 1 too. */
static vv_index wrapped(vv_index i, vv_index n)
{
    return (i % n + n) % n;
}

static vv_index reflected(vv_index i, vv_index n)
{
    if (n == 1) return 0;
    vv_index k = wrapped(i, 2 * (n - 1));
    return k < n ? k : 2 * (n - 1) - k;
}

static vv_index mirrored(vv_index i, vv_index n)
{
    vv_index k = wrapped(i, 2 * n);
    return k < n ? k : 2 * n - 1 - k;
}

static void pad_nothing(const padding *p, track *t)
{
    track_add(t, p->before, -1, 1);
    track_add(t, p->n, 0, 1);
    track_add(t, p->after, -1, 1);
}

static void pad_edge(const padding *p, track *t)
{
    track_add(t, p->before, 0, 0);
    track_add(t, p->n, 0, 1);
    track_add(t, p->after, p->n - 1, 0);
}

static void pad_wrap(const padding *p, track *t)
{
    track_add(t, p->before, p->n - p->before, 1);
    track_add(t, p->n, 0, 1);
    track_add(t, p->after, 0, 1);
}

static void pad_reflect(const padding *p, track *t)
{
    track_add(t, p->before, p->before, -1);
    track_add(t, p->n, 0, 1);
    track_add(t, p->after, p->n - 2, -1);
}

static void pad_symmetric(const padding *p, track *t)
{
    track_add(t, p->before, p->before - 1, -1);
    track_add(t, p->n, 0, 1);
    track_add(t, p->after, p->n - 1, -1);
}

static const struct pad_mode {
    const char *name;
    void (*stretches)(const padding *p, track *t);
    vv_index (*position)(vv_index i, vv_index n); /* for what reaches further than stretches can say */
    vv_index short_of;                            /* stretches reach n - short_of */
    bool fills, ramps;
} pad_modes[] = {
    {"constant", pad_nothing, NULL, 0, true, false},
    {"nan", pad_nothing, NULL, 0, true, false},
    {"edge", pad_edge, NULL, 0, false, false},
    {"wrap", pad_wrap, wrapped, 0, false, false},
    {"reflect", pad_reflect, reflected, 1, false, false},
    {"symmetric", pad_symmetric, mirrored, 0, false, false},
    {"linear_ramp", pad_edge, NULL, 0, false, true},
};
enum { PAD_MODES = sizeof pad_modes / sizeof *pad_modes };

static vv_status find_pad_mode(const char *how, const struct pad_mode **out)
{
    const char *names[PAD_MODES];
    for (int i = 0; i < PAD_MODES; i++) {
        *out = &pad_modes[i];
        names[i] = pad_modes[i].name;
        if (!strcmp(names[i], how)) return VV_OK;
    }
    const char *near = vv_nearest(how, names, PAD_MODES);
    return vv_fail(VV_ERR_USAGE,
                   "there is no padding '%s'%s%s%s; use constant, nan, edge, wrap, reflect, symmetric or linear_ramp",
                   how, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static vv_status check_padding(const vv_array *a, const char *dim, const struct pad_mode *m, const padding *p)
{
    enum { MOST = 1 << 30 };
    if (p->before < 0 || p->after < 0 || p->before > MOST || p->after > MOST)
        return vv_fail(VV_ERR_USAGE, "'%s' cannot be padded by %lld and %lld along '%s'", a->name, (long long)p->before,
                       (long long)p->after, dim);
    if (p->n == 0 && !m->fills)
        return vv_fail(VV_ERR_SHAPE, "'%s' has no elements along '%s' to pad with", a->name, dim);
    return VV_OK;
}

/* Further than one period: position by position. */
static vv_array *padded_far(vv_array *a, int d, const struct pad_mode *m, const padding *p)
{
    vv_table *t;
    if (vv_table_new(p->before + p->n + p->after, &t) != VV_OK) return vv_node_inert(a->context);
    for (vv_index i = 0; i < t->n; i++) t->at[i] = m->position(i - p->before, p->n);
    vv_array *out = taken(a, d, t);
    vv_table_free(&t);
    return out;
}

/* Edges that go on, and on a straight line to the value. */
static vv_array *ramped(vv_array *a, int d, const padding *p, double value)
{
    track t = {0};
    pad_edge(p, &t);
    vv_array *real = vv_node_as_inexact(a), *out = real;
    if (p->before + p->after == 0 || real->status != VV_OK) return out;
    out = vv_node_then(out, tracked(out, d, &t, NAN));
    return vv_node_then(out, vv_node_ramp(out, d, p->before, p->after, value));
}

/* Whether a value is one of an integer type's. */
static bool holds(vv_dtype type, double value)
{
    unsigned char element[16];
    if (vv_dtype_is_float(type)) return true;
    if (isnan(value) || value != trunc(value)) return false;
    vv_dtype_store(type, element, value);
    return vv_dtype_load(type, element) == value;
}

vv_array *vv_pad(vv_array *a, const char *dim, vv_index before, vv_index after, const char *how, double value)
{
    int d;
    const struct pad_mode *m;
    if (vv_array_status(a) != VV_OK || vv_node_find_dim(a, dim, &d) != VV_OK || find_pad_mode(how, &m) != VV_OK)
        return vv_node_inert(a->context);
    padding p = {a->shape.n[d], before, after};
    if (check_padding(a, dim, m, &p) != VV_OK) return vv_node_inert(a->context);
    if (m->ramps) return ramped(a, d, &p, value);
    if (m->position && vv_imax(before, after) > p.n - m->short_of) return padded_far(a, d, m, &p);
    track t = {0};
    m->stretches(&p, &t);
    if (!strcmp(how, "nan")) value = NAN;
    if (!m->fills || before + after == 0 || holds(a->dtype, value)) return tracked(a, d, &t, value);
    vv_array *real = vv_node_as_inexact(a);
    vv_array *out = real->status == VV_OK ? tracked(real, d, &t, value) : vv_node_inert(a->context);
    vv_release(&real);
    return out;
}

/* --- as other operands want it --- */

static bool lies_so(const vv_array *a, const vv_array *shape)
{
    bool same = a->shape.nd == shape->shape.nd;
    for (int d = 0; same && d < a->shape.nd; d++) same = !strcmp(a->dim[d], shape->dim[d]);
    return same;
}

static vv_status fill_seen(vv_array *a, const vv_array *in, const vv_array *shape, const char *group, int along,
                           vv_table *labels)
{
    vv_part p;
    a->dtype = in->dtype;
    a->fill = NAN;
    VV_TRY(vv_attrs_copy(&a->attrs, &in->attrs));
    for (int d = 0; d < shape->shape.nd; d++) VV_TRY(vv_node_like_dim(a, d, shape, d));
    vv_part_same(&in->shape, &p);
    p.box = (vv_box){.nd = shape->shape.nd};
    memcpy(p.box.n, shape->shape.n, sizeof p.box.n);
    for (int k = 0; k < in->shape.nd; k++) {
        bool looked_up = labels && !strcmp(in->dim[k], group);
        p.dim[k] = looked_up ? along : vv_node_dim(shape, in->dim[k]);
        if (looked_up) p.table_dim = k;
    }
    p.table = vv_table_share(labels);
    return vv_node_add_part(a, &p);
}

vv_array *vv_node_labelled_as(vv_array *in, const vv_array *like)
{
    vv_array *a = vv_node_upon(in, VV_NODE_VIEW);
    if (a->status != VV_OK) return a;
    return vv_node_settle(in->context, a, fill_seen(a, in, like, NULL, -1, NULL));
}

vv_array *vv_node_seen_as(vv_array *in, const vv_array *shape, const char *group, int along, vv_table *labels)
{
    if (in->status == VV_OK && !labels && lies_so(in, shape)) return vv_node_again(in);
    vv_array *a = vv_node_upon(in, VV_NODE_VIEW);
    if (a->status != VV_OK) return a;
    return vv_node_settle(in->context, a, fill_seen(a, in, shape, group, along, labels));
}
