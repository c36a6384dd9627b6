/* Chunks that an earlier run has finished go to the new output: from that one's, or from its journal (spared.h). */
#include "exec/run.h"
#include "kernels/codec/checksum.h"

#include <stdlib.h>

/* A box of a contiguous variable, whose first element is at `base` of a file. */
static vv_status read_contiguous(const vv_step *s, vv_raw_file *f, vv_bytes base, const vv_box *box, char *data)
{
    vv_runs runs;
    vv_bytes at, size;
    vv_runs_begin(s, box, &runs);
    while (vv_runs_next(&runs, &at, &size)) {
        VV_TRY(vv_raw_read(f, base + at, size, data));
        data += size;
    }
    return VV_OK;
}

/* Bytes of a chunk as they lie in what another run has left of its output. */
static vv_status read_placed(vv_run *r, const vv_step *s, const vv_saved *node, const vv_box *box, char *data)
{
    vv_raw_file f;
    char *path;
    VV_TRY(vv_journal_part(r->plan->journal, node->run, &path));
    vv_status status = vv_raw_open(path, &f);
    if (status == VV_OK) {
        status =
            s->to.chunked ? vv_raw_read(&f, node->at, node->size, data) : read_contiguous(s, &f, node->at, box, data);
        vv_raw_close(&f);
    }
    if (status == VV_OK && vv_checksum_of(data, node->size) != node->sum)
        status = vv_fail(VV_ERR_CORRUPT, "%s is damaged: -O without --resume begins anew", path);
    free(path);
    return status;
}

static vv_status restore_placed(vv_run *r, int step, vv_index out, const vv_saved *node)
{
    const vv_step *s = &r->plan->step[step];
    vv_box box;
    char *data;
    vv_grid_box(vv_write_grid(s), out, &box);
    if (node->size != vv_write_bytes(s, out))
        return vv_fail(VV_ERR_CORRUPT, "the journal %s does not fit: -O without --resume begins anew",
                       r->plan->journal);
    VV_TRY(vv_mem_get(&data, node->size, "an output chunk"));
    vv_status status = read_placed(r, s, node, &box, data);
    if (status == VV_OK) status = vv_write_stored(r, step, out, &box, data);
    vv_mem_put(&data);
    return status;
}

vv_status vv_restore_unit(vv_run *r, vv_worker *w, const vv_task *t)
{
    const vv_stage *g = &r->stage[t->step];
    if (w->stop(w->context)) return vv_fail(VV_ERR_CANCELLED, "stopped");
    for (int i = 0; i < g->n_targets; i++) {
        if (g->target[i].edge) continue;
        int step = g->target[i].step;
        const vv_saved *node = vv_saved_chunk(r->plan, step, t->unit.out);
        if (!node) return vv_fail(VV_ERR_INTERNAL, "a chunk that was spared is not in the journal");
        vv_status status =
            node->placed ? restore_placed(r, step, t->unit.out, node) : vv_write_later(r, step, t->unit.out, node);
        if (status != VV_OK)
            return vv_error_prefix("output variable '%s', rank %d", r->plan->step[step].name, vv_this_rank());
    }
    return VV_OK;
}
