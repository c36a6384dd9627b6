/* Loading joined files: one step for all of them.
 *
 * An input that has a part of each of many files, one behind the other, cannot always be read where it is needed: chunks of files of 28, 31 and 30 days
 * do not follow one grid, and each belongs to two chunks of the work. A load for each file would be a thousand steps of a task or two, all placed alike. So
 * one step loads all files: its work space has the files along a dimension of their own, each as long as the longest, and its chunks are those of the files.
 *
 *     jan[31, y, x], feb[28, y, x], ...   ->   all[12, 31, y, x], chunks 1 x 31 x y x x; of all[1] the last three days are nothing, and nobody asks for them */
#include "plan/lower/build.h"

#include <stdlib.h>
#include <string.h>

enum { FEW = 4 };

/* What is wanted of each part's source; false when parts differ in more than the length along one dimension of theirs. */
static bool regions(const vv_plan *p, const vv_input *in, vv_box box[], int *axis)
{
    const vv_part *a = &in->part[0];
    const vv_source *first = vv_part_stored(p, a);
    *axis = -1;
    for (int j = 0; j < in->n_parts; j++) {
        const vv_part *x = &in->part[j];
        const vv_source *s = vv_part_stored(p, x);
        if (!s || s->generated || s->held || x->table_dim >= 0 || x->nd != a->nd || (j > 0 && x->from <= x[-1].from) ||
            s->decode.out != first->decode.out || s->chunked != first->chunked || !vv_part_source(x, &x->box, &box[j]))
            return false;
        for (int d = 0; d < x->nd; d++) {
            bool same = box[j].lo[d] == box[0].lo[d] && box[j].n[d] == box[0].n[d];
            if (x->dim[d] != a->dim[d] || (x->dim[d] >= 0 && x->stride[d] != a->stride[d])) return false;
            if (!same && *axis >= 0 && *axis != d) return false;
            if (!same) *axis = d;
        }
    }
    if (*axis < 0) *axis = 0;
    /* From the begin of a chunk on, so that chunks of all files begin at multiples. */
    for (int j = 0; j < in->n_parts; j++) {
        const vv_source *s = vv_part_stored(p, &in->part[j]);
        vv_index into = s->chunked ? (box[j].lo[*axis] + s->stored.shift[*axis]) % s->stored.chunk[*axis] : 0;
        box[j].lo[*axis] -= into;
        box[j].n[*axis] += into;
        if (box[j].lo[*axis] < 0) return false;
    }
    return true;
}

static void stacked_part(const vv_part *x, const vv_box *box, int j, vv_part *out)
{
    *out = (vv_part){.from = x->from, .nd = x->nd, .table_dim = -1, .box.nd = x->nd + 1};
    out->box.lo[0] = j;
    out->box.n[0] = 1;
    for (int d = 0; d < x->nd; d++) {
        out->box.n[d + 1] = box->n[d];
        out->dim[d] = d + 1;
        out->start[d] = box->lo[d];
        out->stride[d] = 1;
    }
}

/* A file to a layer, and of those its chunks. */
static void cut(const vv_plan *p, vv_step *s, const vv_box box[], int axis)
{
    const vv_input *in = &s->input[0];
    vv_hint hint = {.chunk = {1}};
    s->work.shape.nd = box[0].nd + 1;
    s->work.shape.n[0] = in->n_parts;
    for (int d = 0; d < box[0].nd; d++) s->work.shape.n[d + 1] = box[0].n[d];
    for (int j = 0; j < in->n_parts; j++) {
        const vv_source *source = vv_part_stored(p, &in->part[j]);
        s->work.shape.n[axis + 1] = vv_imax(s->work.shape.n[axis + 1], box[j].n[axis]);
        if (source->chunked) hint.chunk[axis + 1] = vv_imax(hint.chunk[axis + 1], source->stored.chunk[axis]);
    }
    if (hint.chunk[axis + 1]) hint.chunk[axis + 1] = vv_imin(hint.chunk[axis + 1], s->work.shape.n[axis + 1]);
    vv_lower_grid(p, s, &hint);
}

static vv_status add_step(vv_plan *p, const vv_input *in, const vv_box box[], int axis, vv_step **out)
{
    vv_part part;
    const vv_source *source = vv_part_stored(p, &in->part[0]);
    stacked_part(&in->part[0], &box[0], 0, &part);
    VV_TRY(vv_lower_identity(p, source->variable, source->decode.out, &part, out));
    for (int j = 1; j < in->n_parts; j++) {
        stacked_part(&in->part[j], &box[j], j, &part);
        VV_TRY(vv_input_add_part(&(*out)->input[0], &part));
    }
    cut(p, *out, box, axis);
    (*out)->input[0].access = VV_ACCESS_BOX;
    return VV_OK;
}

/* Whether a step made for another input loads the same. */
static bool loads(const vv_step *s, const vv_input *in, const vv_box box[])
{
    const vv_input *have = &s->input[0];
    if (have->n_parts != in->n_parts) return false;
    for (int j = 0; j < in->n_parts; j++) {
        vv_part part;
        stacked_part(&in->part[j], &box[j], j, &part);
        if (!vv_part_equal(&part, &have->part[j])) return false;
    }
    return true;
}

/* The input takes its elements from layers of the step. */
static vv_status use(vv_input *in, int step, const vv_box box[])
{
    for (int j = 0; j < in->n_parts; j++) {
        vv_part *x = &in->part[j];
        VV_TRY(vv_lower_move(x, &box[j]));
        memmove(x->dim + 1, x->dim, sizeof x->dim[0] * (size_t)x->nd);
        memmove(x->start + 1, x->start, sizeof x->start[0] * (size_t)x->nd);
        memmove(x->stride + 1, x->stride, sizeof x->stride[0] * (size_t)x->nd);
        x->dim[0] = -1;
        x->start[0] = j;
        x->stride[0] = 1;
        x->nd++;
        x->from = step;
        x->result = 0;
    }
    return VV_OK;
}

static vv_status stack(vv_plan *p, vv_input *in, vv_box box[], int first_load, vv_load_fits *fits, bool *done)
{
    int axis;
    vv_step *s;
    *done = regions(p, in, box, &axis);
    if (!*done) return VV_OK;
    for (int i = first_load; i < p->n_steps; i++)
        if (loads(&p->step[i], in, box)) return use(in, i, box);
    VV_TRY(add_step(p, in, box, axis, &s));
    *done = fits(p, s);
    if (*done) return use(in, p->n_steps - 1, box);
    vv_step_free(s);
    p->n_steps--;
    return VV_OK;
}

vv_status vv_lower_stack(vv_plan *p, vv_input *in, int first_load, vv_load_fits *fits, bool *done)
{
    vv_box *box;
    *done = false;
    if (in->n_parts < FEW || in->lookup || in->part[0].nd == 0 || in->part[0].nd >= VV_MAX_DIMS) return VV_OK;
    VV_TRY(vv_new(&box, (size_t)in->n_parts, sizeof *box));
    vv_status status = stack(p, in, box, first_load, fits, done);
    free(box);
    return status;
}
