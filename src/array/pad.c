/* Padding: a track that goes on beyond the ends of a dimension. */
#include "array/track.h"

#include "varve/move.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

static void pad_nothing(const padding *p, vv_track *t)
{
    vv_track_add(t, p->before, -1, 1);
    vv_track_add(t, p->n, 0, 1);
    vv_track_add(t, p->after, -1, 1);
}

static void pad_edge(const padding *p, vv_track *t)
{
    vv_track_add(t, p->before, 0, 0);
    vv_track_add(t, p->n, 0, 1);
    vv_track_add(t, p->after, p->n - 1, 0);
}

static void pad_wrap(const padding *p, vv_track *t)
{
    vv_track_add(t, p->before, p->n - p->before, 1);
    vv_track_add(t, p->n, 0, 1);
    vv_track_add(t, p->after, 0, 1);
}

static void pad_reflect(const padding *p, vv_track *t)
{
    vv_track_add(t, p->before, p->before, -1);
    vv_track_add(t, p->n, 0, 1);
    vv_track_add(t, p->after, p->n - 2, -1);
}

static void pad_symmetric(const padding *p, vv_track *t)
{
    vv_track_add(t, p->before, p->before - 1, -1);
    vv_track_add(t, p->n, 0, 1);
    vv_track_add(t, p->after, p->n - 1, -1);
}

static const struct pad_mode {
    const char *name;
    void (*stretches)(const padding *p, vv_track *t);
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
    vv_array *out = vv_node_taken(a, d, t);
    vv_table_free(&t);
    return out;
}

/* Edges that go on, and on a straight line to the value. */
static vv_array *ramped(vv_array *a, int d, const padding *p, double value)
{
    vv_track t = {0};
    pad_edge(p, &t);
    vv_array *real = vv_node_as_inexact(a), *out = real;
    if (p->before + p->after == 0 || real->status != VV_OK) return out;
    out = vv_node_then(out, vv_node_tracked(out, d, &t, NAN));
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
    vv_track t = {0};
    m->stretches(&p, &t);
    if (!strcmp(how, "nan")) value = NAN;
    if (!m->fills || before + after == 0 || holds(a->dtype, value)) return vv_node_tracked(a, d, &t, value);
    vv_array *real = vv_node_as_inexact(a);
    vv_array *out = real->status == VV_OK ? vv_node_tracked(real, d, &t, value) : vv_node_inert(a->context);
    vv_release(&real);
    return out;
}
