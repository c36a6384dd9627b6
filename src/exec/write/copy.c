/* Copying: chunks that the output has as they are stored in a source go from file to file (plan/copy.h).
 *
 * The coordinator gave every such chunk its place before the run, as their sizes are known from the chunk indexes; a rank gets the places of its own chunks
 * together with its part of those indexes (feed.c). So the bytes pass once, and nothing waits. */
#include "base/fault.h"
#include "exec/run.h"

/* Bytes at `at` of the source to `to` of the output. */
static vv_status copy_bytes(vv_run *r, vv_worker *w, vv_feed *f, vv_bytes at, vv_bytes to, vv_bytes size, int target)
{
    double start = vv_now();
    VV_TRY(vv_room_for(&w->stored, VV_COPY_ROOM, "bytes to copy"));
    VV_TRY(vv_feed_hold(f));
    vv_status status = vv_raw_copy(&f->file, at, &r->out, to, size, w->stored.data, VV_COPY_ROOM);
    vv_feed_release(f);
    VV_TRY(status);
    w->seconds_read += vv_now() - start;
    w->read += size;
    vv_note_written(r, target, size);
    return VV_OK;
}

static vv_status copy_chunk(vv_run *r, vv_worker *w, const vv_step *s, vv_index out, const vv_copied *copy)
{
    vv_feed *f = &r->feeds.feed[copy->source];
    vv_chunk_at at, to;
    VV_TRY(vv_feed_chunk(f, copy->chunk, &at));
    if (at.address < 0) return VV_OK;
    VV_TRY(vv_feed_chunk(&r->feeds.places[s->copied_to], out, &to));
    if (to.address <= 0 || to.size != at.size) return vv_fail(VV_ERR_INTERNAL, "the chunk has no place of its size");
    return copy_bytes(r, w, f, at.address, to.address, at.size, s->copied_to);
}

/* Where element `at` of a box lies in a variable of this shape, in elements. */
static vv_index position(const vv_shape *shape, const vv_index at[])
{
    vv_index n = 0;
    for (int d = 0; d < shape->nd; d++) n = n * shape->n[d] + at[d];
    return n;
}

/* The current error, told of which chunk of a source or, of contiguous data, of which place in it. */
static vv_status copy_error(const vv_plan *p, const vv_part *part, const vv_index at[])
{
    return vv_slab_error(vv_part_stored(p, part), part->nd, at);
}

/* The runs of a box that lies in one part. */
static vv_status copy_runs(vv_run *r, vv_worker *w, const vv_step *s, const vv_box *box, const vv_part *part)
{
    const vv_source *source = vv_part_stored(r->plan, part);
    vv_feed *f = &r->feeds.feed[source - r->plan->source];
    vv_bytes size = vv_dtype_size(source->decode.stored), bytes = size;
    vv_index at[VV_MAX_DIMS] = {0}, from[VV_MAX_DIMS] = {0}, to[VV_MAX_DIMS];
    int outer = vv_copy_outer(source, part, &s->grid, box);
    vv_status status = VV_OK;
    for (int d = outer; d < box->nd; d++) bytes *= box->n[d];
    do {
        for (int d = 0; d < box->nd; d++) to[d] = box->lo[d] + (d < outer ? at[d] : 0);
        for (int d = 0; d < part->nd; d++) from[d] = vv_part_index(part, d, part->dim[d] < 0 ? 0 : to[part->dim[d]]);
        vv_bytes in = source->address + position(&source->stored.shape, from) * size;
        vv_bytes out = r->plan->step[s->copied_to].to.address + position(&s->grid.shape, to) * size;
        if (status == VV_OK) status = copy_bytes(r, w, f, in, out, bytes, s->copied_to);
    } while (status == VV_OK && outer > 0 && vv_odometer(outer, box->n, at));
    return status == VV_OK ? VV_OK : copy_error(r->plan, part, from);
}

static vv_status copy_box(vv_run *r, vv_worker *w, const vv_step *s, vv_index out)
{
    vv_box box, common;
    vv_grid_box(&s->grid, out, &box);
    for (int j = 0; j < s->input[0].n_parts; j++)
        if (vv_box_intersect(&s->input[0].part[j].box, &box, &common))
            VV_TRY(copy_runs(r, w, s, &common, &s->input[0].part[j]));
    return VV_OK;
}

vv_status vv_copy_unit(vv_run *r, vv_worker *w, const vv_task *t, bool *copied)
{
    const vv_step *s = &r->plan->step[t->step];
    vv_copied copy;
    *copied = s->copied_to && vv_copy_of(r->plan, s, t->unit.out, &copy);
    if (!*copied) return VV_OK;
    if (w->stop(w->context)) return vv_fail(VV_ERR_CANCELLED, "stopped");
    VV_TRY(vv_fault(VV_FAULT_TASK));
    VV_TRY(vv_run_output(r));
    if (!copy.part) return copy_box(r, w, s, t->unit.out);
    if (copy_chunk(r, w, s, t->unit.out, &copy) == VV_OK) return VV_OK;
    vv_index at[VV_MAX_DIMS];
    vv_grid_coords(&r->plan->source[copy.source].stored, copy.chunk, at);
    return copy_error(r->plan, copy.part, at);
}
