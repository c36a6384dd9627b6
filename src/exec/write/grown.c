/* Appending: the last chunk of a variable was not full. Its elements that are there already come from the file as it was (the original, which nobody writes
 * to), as its format reads them; so a chunk with whatever filters is completed as HDF5 would do it. */
#include "exec/run.h"

#include <stdlib.h>
#include <string.h>

typedef struct vv_before {
    vv_source source;
    vv_feed feed;
} before;

vv_status vv_grown_begin(vv_run *r)
{
    const vv_plan *p = r->plan;
    if (!p->original) return VV_OK;
    VV_TRY(vv_new(&r->before, (size_t)p->n_steps, sizeof *r->before));
    for (int i = 0; i < p->n_steps; i++) {
        before *b = &r->before[i];
        b->source.path = p->original;
        b->source.variable = p->step[i].name;
        b->feed.source = &b->source;
        b->feed.file.fd = -1;
    }
    return VV_OK;
}

void vv_grown_end(vv_run *r)
{
    for (int i = 0; r->before && i < r->plan->n_steps; i++) vv_file_close(&r->before[i].feed.slow);
    free(r->before);
    r->before = NULL;
}

vv_status vv_grown_keep(vv_run *r, int step, const vv_box *box, char *chunk, char *spare)
{
    const vv_step *s = &r->plan->step[step];
    const vv_grown *g = &s->to.grown;
    vv_bytes size = vv_dtype_size(s->to.encode.to);
    vv_box there = *box;
    char *own = NULL;
    if (box->lo[g->dim] >= g->kept) return VV_OK;
    there.n[g->dim] = g->kept; /* the box begins with its chunk */
    there.lo[g->dim] += g->first;
    if (!spare) VV_TRY(vv_mem_get(&own, vv_box_elements(&there) * size, "a chunk that is completed"));
    char *data = spare ? spare : own;
    vv_status status = vv_feed_read(&r->before[step].feed, &there, data);
    if (status == VV_OK)
        vv_lay_rows(&g->grid, &there, size, data, chunk);
    else
        status = vv_error_prefix("%s: the last chunk cannot be read", r->plan->original);
    vv_mem_put(&own);
    return status;
}
