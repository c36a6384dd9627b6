#include "plan/copy.h"

#include <string.h>

/* Shorter runs of contiguous data are cheaper to read through a window. */
enum { LEAST_RUN = 4096 };

/* --- steps that change nothing --- */

/* What is missing, as it was read, is what would be written for it. */
static bool same_missing(const vv_decode *d, const vv_encode *e)
{
    if (d->n_missing == 0) return !(e->checked && e->has_fill); /* a value could be taken for missing */
    if (d->n_missing > 1 || !e->has_fill) return false;
    return vv_dtype_is_float(d->stored) && vv_dtype_load(e->to, e->fill) == d->missing[0].f;
}

static bool same_elements(const vv_source *s, const vv_write_to *to)
{
    const vv_decode *d = &s->decode;
    if (!s->raw || s->generated || s->held || s->chunked != to->chunked) return false;
    if (!s->chunked && (s->address < 0 || s->pitch)) return false;
    if (d->stored != to->encode.to || d->scaled || d->has_min || d->has_max || to->encode.scaled ||
        to->encode.quantize.how)
        return false;
    return !(d->swap && vv_dtype_size(d->stored) > 1) && same_missing(d, &to->encode);
}

static bool changes_nothing(const vv_step *s)
{
    if (s->op != VV_STEP_MAP || vv_step_packs(s) || s->reshaped || s->n_inputs != 1 || s->n_results != 1 ||
        s->program->n > 0)
        return false;
    return s->input[0].access != VV_ACCESS_PUSH && !s->input[0].lookup && s->input[0].n_parts > 0;
}

static bool feeds(const vv_step *s, int step)
{
    for (int k = 0; k < s->n_inputs; k++)
        for (int j = 0; j < s->input[k].n_parts; j++)
            if (s->input[k].part[j].from == step) return true;
    return false;
}

static int only_target(const vv_plan *p, int step)
{
    int target = -1;
    for (int i = step + 1; i < p->n_steps; i++) {
        const vv_step *s = &p->step[i];
        if (vv_step_computes(s) && feeds(s, step)) return -1;
        if (!vv_step_delivers(s) || s->from != step) continue;
        if (target >= 0 || s->op != VV_STEP_WRITE) return -1;
        target = i;
    }
    return target;
}

/* --- places --- */

/* A chunk of the output has the shape of a stored one, and their borders meet. */
static bool chunks_meet(const vv_part *part, const vv_grid *stored, const vv_grid *to)
{
    int last = -1;
    if (part->table_dim >= 0) return false;
    for (int d = 0; d < part->nd; d++) {
        int w = part->dim[d];
        vv_index size = stored->chunk[d];
        if (w < 0 ? size != 1 : w <= last || part->stride[d] != 1 || size != to->chunk[w]) return false;
        if (w < 0) continue;
        if ((part->start[d] + stored->shift[d] - part->box.lo[w] - to->shift[w]) % size) return false;
        last = w;
    }
    for (int w = 0; w < to->shape.nd; w++)
        if (to->chunk[w] != 1 && !vv_part_follows(part, w)) return false;
    return true;
}

/* Dimensions in order, one by one: there are runs. */
static bool has_runs(const vv_part *part)
{
    int last = -1;
    if (part->table_dim >= 0) return false;
    for (int d = 0; d < part->nd; d++) {
        if (part->dim[d] < 0) continue;
        if (part->dim[d] <= last || part->stride[d] != 1) return false;
        last = part->dim[d];
    }
    return true;
}

int vv_copy_outer(const vv_source *from, const vv_part *part, const vv_grid *to, const vv_box *box)
{
    int w = box->nd;
    for (int d = part->nd - 1; w > 0 && d >= 0 && part->dim[d] == w - 1; d--) {
        w--;
        if (box->n[w] < to->shape.n[w] || box->n[w] < from->stored.shape.n[d]) break;
    }
    return w;
}

static bool long_runs(const vv_source *from, const vv_part *part, const vv_grid *to)
{
    vv_box box;
    vv_bytes run = vv_dtype_size(from->decode.stored);
    if (!has_runs(part)) return false;
    vv_grid_box(to, 0, &box);
    for (int w = vv_copy_outer(from, part, to, &box); w < box.nd; w++) run = vv_times(run, box.n[w]);
    return run >= LEAST_RUN;
}

static bool fits(const vv_plan *p, const vv_step *s, const vv_part *part)
{
    const vv_source *source = vv_part_stored(p, part);
    return source->chunked ? chunks_meet(part, &source->stored, &s->grid) : long_runs(source, part, &s->grid);
}

int vv_copy_target(const vv_plan *p, int step)
{
    const vv_step *s = &p->step[step];
    if (!changes_nothing(s) || vv_step_outs(s) == 0) return -1;
    int target = only_target(p, step);
    if (target < 0) return -1;
    bool any = false;
    for (int i = 0; i < s->input[0].n_parts; i++) {
        const vv_source *source = vv_part_stored(p, &s->input[0].part[i]);
        if (!source || !same_elements(source, &p->step[target].to)) return -1;
        any = any || fits(p, s, &s->input[0].part[i]);
    }
    return any ? target : -1;
}

/* --- chunk by chunk --- */

static bool contains(const vv_box *a, const vv_box *b)
{
    for (int d = 0; d < a->nd; d++)
        if (b->lo[d] < a->lo[d] || b->lo[d] + b->n[d] > a->lo[d] + a->n[d]) return false;
    return true;
}

static bool begins_behind(const vv_box *a, const vv_box *b)
{
    for (int d = 0; d < a->nd; d++)
        if (a->lo[d] != b->lo[d]) return a->lo[d] > b->lo[d];
    return false;
}

/* The part that covers all of a box. Parts of what was put together stand in order: the last one that begins in front of it comes first. */
static const vv_part *part_of(const vv_input *in, const vv_box *box)
{
    int low = 0, high = in->n_parts;
    while (high - low > 1) {
        int middle = low + (high - low) / 2;
        *(begins_behind(&in->part[middle].box, box) ? &high : &low) = middle;
    }
    if (contains(&in->part[low].box, box)) return &in->part[low];
    for (int i = 0; i < in->n_parts; i++)
        if (contains(&in->part[i].box, box)) return &in->part[i];
    return NULL;
}

/* Some of the chunk's elements are absent, and what it holds there is not theirs. */
static bool is_cut(const vv_source *s, int d, vv_index coord)
{
    vv_index end = s->stored.shape.n[d] - s->absent[d];
    return s->absent[d] > 0 && vv_grid_begin(&s->stored, d, coord) < end && vv_grid_end(&s->stored, d, coord) > end;
}

/* The box is one stored chunk as far as that reaches into its array: then its number. */
static bool whole_chunk(const vv_part *part, const vv_source *source, const vv_box *box, vv_index *number)
{
    const vv_grid *stored = &source->stored;
    vv_index coords[VV_MAX_DIMS];
    for (int d = 0; d < part->nd; d++) {
        int w = part->dim[d];
        vv_index first = w < 0 ? part->start[d] : vv_part_index(part, d, box->lo[w]);
        coords[d] = vv_grid_at(stored, d, first);
        if (is_cut(source, d, coords[d])) return false;
        if (w >= 0 &&
            (first != vv_grid_begin(stored, d, coords[d]) || first + box->n[w] != vv_grid_end(stored, d, coords[d])))
            return false;
    }
    *number = vv_grid_number(stored, coords);
    return true;
}

/* Every element comes from a part with long runs. */
static bool all_in_runs(const vv_plan *p, const vv_step *s, const vv_box *box)
{
    vv_index found = 0;
    for (int i = 0; i < s->input[0].n_parts; i++) {
        vv_box common;
        if (!vv_box_intersect(&s->input[0].part[i].box, box, &common)) continue;
        if (!fits(p, s, &s->input[0].part[i])) return false;
        found += vv_box_elements(&common);
    }
    return found == vv_box_elements(box);
}

bool vv_copy_of(const vv_plan *p, const vv_step *s, vv_index out, vv_copied *copy)
{
    vv_box box;
    vv_grid_box(&s->grid, out, &box);
    *copy = (vv_copied){NULL, -1, -1};
    if (!p->step[s->copied_to].to.chunked) return all_in_runs(p, s, &box);
    copy->part = part_of(&s->input[0], &box);
    if (!copy->part || !fits(p, s, copy->part)) return false;
    const vv_source *source = vv_part_stored(p, copy->part);
    copy->source = (int)(source - p->source);
    return whole_chunk(copy->part, source, &box, &copy->chunk);
}
