/* Passing on: units whose values are those of their only input, as they lie there. Nothing is computed, and nothing is copied: the finished chunk is the inbox, the
 * held chunk, or the stored one when it is decoded, itself. So what a rechunk or a transposition costs is what cutting and joining pieces costs.
 *
 * A stored chunk may lie in another order than the step's: pieces are cut from any (plan/lower/bands.c). An inbox that nobody else uses is given away: a held
 * array keeps its block as it is (deliver.c). */
#include "exec/run.h"

static bool same_box(const vv_box *a, const vv_box *b)
{
    for (int d = 0; d < a->nd; d++)
        if (a->lo[d] != b->lo[d] || a->n[d] != b->n[d]) return false;
    return a->nd == b->nd;
}

/* A map whose program is its only input. */
static bool changes_nothing(const vv_step *s)
{
    return s->op == VV_STEP_MAP && s->program && s->n_inputs == 1 && s->n_results == 1 && !s->reshaped &&
           s->program->n == 0 && !s->input[0].lookup;
}

/* --- inboxes, and boxes put together from files --- */

/* Packed blocks in which each element of the work has one of its own, in the same order. */
static bool is_block(const vv_worker *w, const vv_index coords[], const vv_box *box)
{
    const vv_edge *e = w->job->edge[0];
    vv_access access = w->job->step->input[0].access;
    vv_box block;
    if ((access != VV_ACCESS_PUSH && access != VV_ACCESS_BOX) || !e || e->lookup >= 0) return false;
    for (int d = 0; d < box->nd; d++)
        if (!e->follows[d] && box->n[d] != 1) return false;
    vv_edge_box(e, vv_edge_key(e, coords), &block);
    for (int d = 0; d < box->nd; d++) /* along dimensions that the block does not follow it is at 0 */
        if (block.n[d] != box->n[d] || (e->follows[d] && block.lo[d] != box->lo[d])) return false;
    return true;
}

static vv_status pass_block(vv_stage *g, vv_worker *w, vv_index out, const vv_index coords[], const vv_box *box)
{
    const vv_edge *e = g->job.edge[0];
    void *own = NULL;
    VV_TRY(vv_block_load(w, 0, coords, box));
    const void *values = w->block[0].bytes;
    bool mine = g->job.step->input[0].access == VV_ACCESS_PUSH &&
                vv_store_take(g->job.store, g->job.number, 0, vv_edge_key(e, coords), &own);
    vv_status status = vv_deliver_values(g, out, values, NULL, &own);
    if (mine)
        vv_mem_put(&own);
    else
        vv_block_done(w, 0, coords);
    return status;
}

/* --- stored chunks --- */

/* The chunk that this rank holds, all of it and in the same order: packed as it is. */
static bool is_held_chunk(const vv_source *source, const vv_part *part, const vv_box *box)
{
    vv_index coords[VV_MAX_DIMS];
    vv_box from, chunk;
    if (!source->held || !vv_decode_is_plain(&source->decode) || part->nd != box->nd) return false;
    for (int d = 0; d < part->nd; d++)
        if (part->dim[d] != d || part->stride[d] != 1) return false;
    if (!vv_part_source(part, box, &from)) return false;
    for (int d = 0; d < from.nd; d++) coords[d] = vv_grid_at(&source->stored, d, from.lo[d]);
    vv_grid_box_at(&source->stored, coords, &chunk);
    return same_box(&from, &chunk);
}

/* Decoding all of a chunk for a small part of it would be dearer than gathering that. */
static bool worth_decoding(const vv_step *s, const vv_source *source, const vv_box *box)
{
    vv_index all = 1;
    if (s->result[0].type != s->program->type[0]) return false; /* it is rounded, in order */
    for (int d = 0; d < source->stored.shape.nd; d++) all = vv_times(all, source->stored.chunk[d]);
    return vv_decode_is_plain(&source->decode) || 2 * vv_box_elements(box) >= all;
}

/* The block's elements as working values, in the order in which they are stored: where they lie, or in *room. */
static vv_status decoded(vv_worker *w, const char **values, char **room)
{
    const vv_block *b = &w->block[0];
    vv_bytes size = vv_dtype_size(b->decode.out);
    *room = NULL;
    *values = b->bytes;
    if (vv_decode_is_plain(&b->decode)) return VV_OK;
    VV_TRY(vv_mem_get(room, b->total * size, "values of a chunk"));
    double start = vv_now();
    for (vv_index i = 0; i < b->total; i += VV_TILE)
        vv_decode_range(&b->decode, b->bytes, b->total, i, vv_imin(VV_TILE, b->total - i), *room + i * size);
    w->seconds_kernel += vv_now() - start;
    *values = *room;
    return VV_OK;
}

static vv_status pass_chunk(vv_stage *g, vv_worker *w, vv_index out, const vv_index coords[], const vv_box *box,
                            const vv_source *source, bool packed)
{
    const vv_block *b = &w->block[0];
    const char *values;
    char *room;
    VV_TRY(vv_block_load(w, 0, coords, box));
    VV_TRY(decoded(w, &values, &room));
    values += b->first * vv_dtype_size(b->decode.out);
    const vv_index *layout = packed ? NULL : b->stride;
    bool stays = source->held && !room && b->bytes != w->memory[0].data; /* not read back */
    vv_status status =
        stays ? vv_deliver_held(g, out, values, layout) : vv_deliver_values(g, out, values, layout, NULL);
    vv_mem_put(&room);
    return status;
}

vv_status vv_pass_unit(vv_run *r, vv_worker *w, const vv_task *t, bool *passed)
{
    vv_stage *g = &r->stage[t->step];
    const vv_step *s = g->job.step;
    vv_index coords[VV_MAX_DIMS];
    vv_box box;
    *passed = false;
    if (!changes_nothing(s) || vv_unit_chunks(s, t->unit) != 1) return VV_OK;
    vv_unit_coords(s, t->unit, 0, coords);
    vv_grid_box_at(&s->work, coords, &box);
    w->job = &g->job;
    const vv_input *in = &s->input[0];
    const vv_source *source = NULL;
    if (in->access == VV_ACCESS_CHUNK && in->n_parts == 1) source = vv_part_stored(r->plan, &in->part[0]);
    bool block = is_block(w, coords, &box), held = source && is_held_chunk(source, &in->part[0], &box);
    *passed = block || held || (source && vv_deliver_pushes(g) && worth_decoding(s, source, &box));
    if (!*passed) return VV_OK;
    VV_TRY(vv_worker_begin(w));
    if (w->stop(w->context)) return vv_fail(VV_ERR_CANCELLED, "stopped");
    vv_ahead(w, t->unit, 0);
    return block ? pass_block(g, w, t->unit.out, coords, &box)
                 : pass_chunk(g, w, t->unit.out, coords, &box, source, held);
}
