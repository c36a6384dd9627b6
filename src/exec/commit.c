/* After the tasks: compressed chunks get their places in the file, every rank writes its own, and what was written is synced.
 *
 * All ranks tell the coordinator the sizes of their chunks; it orders them by chunk number - so the file's bytes do not depend on who had
 * which - lets storage place them, and answers with addresses in each rank's own order. One exchange for a whole output. */
#include "base/fault.h"
#include "exec/run.h"

#include <stdlib.h>
#include <string.h>

typedef struct entry {
    int64_t step, chunk, size, rank, position; /* position: in its rank's list */
} entry;

static bool has_packed_outputs(const vv_plan *p)
{
    for (int i = 0; i < p->n_steps; i++)
        if (p->step[i].op == VV_STEP_WRITE && p->step[i].to.chunked) return true;
    return false;
}

static int by_chunk(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->step != y->step) return x->step < y->step ? -1 : 1;
    return x->chunk < y->chunk ? -1 : x->chunk > y->chunk;
}

static vv_status my_entries(const vv_run *r, char **block)
{
    VV_TRY(vv_mem_get(block, r->n_packed * (vv_bytes)sizeof(entry), "a list of chunks"));
    entry *e = (entry *)(void *)*block;
    for (vv_index i = 0; i < r->n_packed; i++)
        e[i] = (entry){r->packed[i].step, r->packed[i].chunk, r->packed[i].size, r->net->rank, i};
    return VV_OK;
}

/* Coordinator: everybody's lists, one behind the other. */
static vv_status collect(vv_run *r, const char *mine)
{
    vv_backoff wait = {0};
    while (r->sizes_in < r->net->size - 1) VV_TRY(vv_run_wait(r, &wait));
    vv_buf_bytes(&r->sizes, mine, (size_t)r->n_packed * sizeof(entry));
    return vv_buf_status(&r->sizes);
}

/* Places one output variable's chunks, which stand together in `e`; addresses replace the sizes. */
static vv_status place(vv_run *r, entry *e, vv_index n)
{
    vv_index *chunk = NULL;
    uint32_t *size = NULL;
    vv_bytes *address = NULL;
    vv_status status;
    VV_TRY_GOTO(status, done, vv_new(&chunk, (size_t)n, sizeof *chunk));
    VV_TRY_GOTO(status, done, vv_new(&size, (size_t)n, sizeof *size));
    VV_TRY_GOTO(status, done, vv_new(&address, (size_t)n, sizeof *address));
    for (vv_index i = 0; i < n; i++) {
        chunk[i] = e[i].chunk;
        size[i] = (uint32_t)e[i].size;
    }
    int variable = r->plan->step[e->step].to.variable;
    VV_TRY_GOTO(status, done, r->hooks->place(r->hooks->context, variable, n, chunk, size, address));
    for (vv_index i = 0; i < n; i++) e[i].size = address[i];
done:
    free(chunk);
    free(size);
    free(address);
    return status;
}

/* Addresses in the order of each rank's own list. */
static vv_status answer(vv_run *r, const entry *all, vv_index n, vv_bytes **mine)
{
    for (int rank = 0; rank < r->net->size; rank++) {
        vv_index count = 0;
        for (vv_index i = 0; i < n; i++) count += all[i].rank == rank;
        vv_bytes *address;
        VV_TRY(vv_mem_get(&address, count * (vv_bytes)sizeof *address, "addresses"));
        for (vv_index i = 0; i < n; i++)
            if (all[i].rank == rank) address[all[i].position] = all[i].size;
        if (rank == 0)
            *mine = address;
        else
            VV_TRY(vv_net_send(r->net, rank, VV_TAG_PLACES, &address, count * (vv_bytes)sizeof *address));
    }
    return VV_OK;
}

static vv_status coordinate(vv_run *r, const char *mine)
{
    VV_TRY(collect(r, mine));
    entry *all = (entry *)(void *)r->sizes.data;
    vv_index n = (vv_index)(r->sizes.size / sizeof *all);
    if (n) qsort(all, (size_t)n, sizeof *all, by_chunk);
    for (vv_index i = 0, j; i < n; i = j) {
        for (j = i; j < n && all[j].step == all[i].step; j++)
            ;
        VV_TRY(place(r, all + i, j - i));
    }
    return answer(r, all, n, &r->places);
}

static vv_status ask(vv_run *r, char **mine)
{
    VV_TRY(vv_net_send(r->net, 0, VV_TAG_SIZES, mine, r->n_packed * (vv_bytes)sizeof(entry)));
    vv_backoff wait = {0};
    while (!r->places) VV_TRY(vv_run_wait(r, &wait));
    return VV_OK;
}

static vv_status write_packed(vv_run *r, const vv_bytes *address)
{
    if (r->n_packed) VV_TRY(vv_run_output(r));
    for (vv_index i = 0; i < r->n_packed; i++) {
        const vv_packed *k = &r->packed[i];
        vv_status status = vv_raw_write(&r->out, address[i], k->size, k->data);
        if (status != VV_OK)
            return vv_error_prefix("output variable '%s', chunk %lld, rank %d", r->plan->step[k->step].name,
                                   (long long)k->chunk, vv_this_rank());
        atomic_fetch_add(&r->written, (vv_bytes)k->size);
    }
    return VV_OK;
}

static vv_status place_and_write(vv_run *r)
{
    char *mine;
    VV_TRY(my_entries(r, &mine));
    vv_status status = r->net->rank == 0 ? coordinate(r, mine) : ask(r, &mine);
    vv_mem_put(&mine);
    return status == VV_OK ? write_packed(r, r->places) : status;
}

vv_status vv_commit(vv_run *r)
{
    if (has_packed_outputs(r->plan)) VV_TRY(place_and_write(r));
    return r->out_open ? vv_raw_out_sync(&r->out) : VV_OK;
}
