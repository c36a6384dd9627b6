/* Views of whole dimensions: the same elements at other places. A *frame* reorders, drops, adds or renames dimensions: one part. Coordinates and labels
 * of groups go the same way as the elements. Views along one dimension are in track.c. */
#include "array/build.h"

#include "varve/move.h"

#include <math.h>
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
