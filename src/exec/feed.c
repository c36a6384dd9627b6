/* Feeds: opened input files, and the part of the chunk index that this rank's tasks need.
 *
 * The coordinator collected the index; each rank gets the entries of its own chunks in the order of its own units, so that a task finds
 * its entries by counting. One message for each step and input. */
#include "base/fault.h"
#include "exec/run.h"

#include <stdlib.h>
#include <string.h>

typedef struct head {
    int64_t step, input, n, spare[5];
} head;

static bool indexed(const vv_source *s)
{
    return s->raw && s->chunked;
}

vv_status vv_feeds_open(vv_stage *g)
{
    const vv_plan *p = g->run->plan;
    const vv_step *s = g->job.step;
    for (int i = 0; i < s->n_inputs; i++) g->job.feed[i].file.fd = -1;
    for (int i = 0; i < s->n_inputs; i++) {
        vv_feed *f = &g->job.feed[i];
        f->source = &p->source[p->step[s->input[i].step].source];
        if (f->source->raw && g->job.own > 0) VV_TRY(vv_raw_open(f->source->path, &f->file));
        if (indexed(f->source)) g->indexes_due++;
    }
    g->run->indexes_due += g->indexes_due;
    return VV_OK;
}

void vv_feeds_close(vv_stage *g)
{
    for (int i = 0; g->job.step && i < g->job.step->n_inputs; i++) {
        vv_feed *f = &g->job.feed[i];
        if (f->source && f->file.fd >= 0) vv_raw_close(&f->file);
        vv_mem_put(&f->chunk);
        vv_file_close(&f->slow);
    }
}

/* Entries of one rank's chunks, behind a head. */
static vv_status slice(const vv_run *r, const vv_stage *g, int input, int rank, char **block, vv_bytes *size)
{
    const vv_step *s = g->job.step;
    int ranks = r->net->size;
    const vv_chunk_at *all = r->hooks->index[r->plan->step[s->input[input].step].source];
    vv_index units = vv_place_count(s, rank, ranks), n = vv_place_chunks_before(s, rank, ranks, units);
    *size = (vv_bytes)sizeof(head) + n * (vv_bytes)sizeof(vv_chunk_at);
    VV_TRY(vv_mem_get(block, *size, "a chunk index"));
    *(head *)(void *)*block = (head){g->job.number, input, n, {0}};
    vv_chunk_at *out = (vv_chunk_at *)(void *)(*block + sizeof(head));
    vv_index first, last, coords[VV_MAX_DIMS];
    for (vv_index p = 0; p < units; p++) {
        vv_unit u = vv_place_unit(s, rank, ranks, p);
        vv_unit_chunks(s, u, &first, &last);
        for (vv_index q = first; q < last; q++) {
            vv_unit_coords(s, u.out, q, coords);
            *out++ = all[vv_grid_number(&s->work, coords)];
        }
    }
    return VV_OK;
}

vv_status vv_index_send(vv_run *r)
{
    for (int i = 0; i < r->plan->n_steps; i++) {
        vv_stage *g = &r->stage[i];
        if (!vv_step_computes(&r->plan->step[i])) continue;
        for (int k = 0; k < g->job.step->n_inputs; k++)
            for (int rank = 0; indexed(g->job.feed[k].source) && rank < r->net->size; rank++) {
                char *block;
                vv_bytes size;
                VV_TRY(slice(r, g, k, rank, &block, &size));
                if (rank == 0) {
                    vv_message m = {0, VV_TAG_INDEX, size, block};
                    VV_TRY(vv_index_receive(r, &m));
                    vv_mem_put(&m.data);
                } else {
                    VV_TRY(vv_net_send(r->net, rank, VV_TAG_INDEX, &block, size));
                }
            }
    }
    return VV_OK;
}

vv_status vv_index_receive(vv_run *r, vv_message *m)
{
    const head *h = m->data;
    if (m->size < (vv_bytes)sizeof *h || h->step < 0 || h->step >= r->plan->n_steps || h->input < 0 ||
        h->input >= r->plan->step[h->step].n_inputs ||
        m->size != (vv_bytes)sizeof *h + h->n * (vv_bytes)sizeof(vv_chunk_at))
        return vv_fail(VV_ERR_INTERNAL, "a chunk index belongs to no step");
    vv_stage *g = &r->stage[h->step];
    vv_feed *f = &g->job.feed[h->input];
    if (h->n != vv_place_chunks_before(g->job.step, r->net->rank, r->net->size, g->job.own) || f->chunk)
        return vv_fail(VV_ERR_INTERNAL, "a chunk index of %lld entries does not fit", (long long)h->n);
    VV_TRY(vv_mem_get(&f->chunk, h->n * (vv_bytes)sizeof *f->chunk, "a chunk index"));
    memcpy(f->chunk, h + 1, (size_t)h->n * sizeof *f->chunk);
    g->indexes_due--;
    r->indexes_due--;
    return VV_OK;
}
