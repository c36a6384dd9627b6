/* After the tasks: compressed chunks get their places in the file, every rank writes its own, and what was written is synced.
 *
 * All ranks tell the coordinator the sizes of their chunks; it orders them by chunk number - so the file's bytes do not depend on who had
 * which - lets storage place them, and answers with addresses in the same order. One exchange for a whole output. What did not fit in memory is read back
 * from the scratch file chunk by chunk. */
#include "base/fault.h"
#include "exec/run.h"

#include <stdlib.h>
#include <string.h>

typedef struct entry {
    int64_t chunk, size; /* then its address */
    int32_t step, rank;
} entry;
_Static_assert(sizeof(entry) == 24, "what the cost of a plan counts");

static bool has_packed_outputs(const vv_plan *p)
{
    for (int i = 0; i < p->n_steps; i++)
        if (p->step[i].op == VV_STEP_WRITE && p->step[i].to.chunked && !vv_write_placed(&p->step[i]) &&
            !vv_write_told(p, i))
            return true;
    return false;
}

static int by_chunk(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->step != y->step) return x->step < y->step ? -1 : 1;
    return x->chunk < y->chunk ? -1 : x->chunk > y->chunk;
}

/* The order in which this rank's chunks are told, and in which their addresses come back. */
static int by_packed(const void *a, const void *b)
{
    const vv_packed *x = a, *y = b;
    if (x->step != y->step) return x->step < y->step ? -1 : 1;
    return x->chunk < y->chunk ? -1 : x->chunk > y->chunk;
}

void vv_packed_sort(vv_run *r)
{
    if (r->n_packed) qsort(r->packed, (size_t)r->n_packed, sizeof *r->packed, by_packed);
}

static vv_status my_entries(vv_run *r, char **block)
{
    VV_TRY(vv_mem_get(block, r->n_packed * (vv_bytes)sizeof(entry), "a list of chunks"));
    entry *e = (entry *)(void *)*block;
    vv_packed_sort(r);
    for (vv_index i = 0; i < r->n_packed; i++)
        e[i] = (entry){r->packed[i].chunk, r->packed[i].at.size, r->packed[i].step, r->net->rank};
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

/* Each rank's addresses in the order of its list, which is that of all. */
static vv_status answer(vv_run *r, const entry *all, vv_index n, vv_bytes **mine)
{
    for (int rank = 0; rank < r->net->size; rank++) {
        vv_index count = 0, k = 0;
        for (vv_index i = 0; i < n; i++) count += all[i].rank == rank;
        vv_bytes *address;
        VV_TRY(vv_mem_get(&address, count * (vv_bytes)sizeof *address, "addresses"));
        for (vv_index i = 0; i < n; i++)
            if (all[i].rank == rank) address[k++] = all[i].size;
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

/* A chunk that is not in memory is read back first. */
static vv_status write_one(vv_run *r, const vv_packed *k, vv_bytes address)
{
    if (k->data) return vv_raw_write(&r->out, address, k->at.size, k->data);
    char *data;
    VV_TRY(vv_mem_get(&data, k->at.size, "a compressed chunk"));
    vv_status status = vv_packed_read(r, k, data);
    if (status == VV_OK) status = vv_raw_write(&r->out, address, k->at.size, data);
    vv_mem_put(&data);
    if (k->in == VV_PACKED_SCRATCH) vv_spill_drop(vv_store_scratch(r->store), &k->at);
    return status;
}

static vv_status write_packed(vv_run *r, const vv_bytes *address)
{
    if (r->n_packed) VV_TRY(vv_run_output(r));
    for (vv_index i = 0; i < r->n_packed; i++) {
        vv_packed *k = &r->packed[i];
        vv_stage *g = &r->stage[k->step];
        int64_t begin = vv_ticks();
        if (write_one(r, k, address[i]) != VV_OK)
            return vv_error_prefix("output variable '%s', chunk %lld, rank %d", r->plan->step[k->step].name,
                                   (long long)k->chunk, vv_this_rank());
        vv_mem_put(&k->data);
        atomic_fetch_add(&r->written, k->at.size);
        atomic_fetch_add(&g->written, k->at.size);
        vv_spend(g, VV_SPENT_WRITE, vv_ticks() - begin);
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
    if (r->plan->collective && r->plan->output)
        VV_TRY(vv_write_collectively(r));
    else if (has_packed_outputs(r->plan))
        VV_TRY(place_and_write(r));
    return r->out_open ? vv_raw_out_sync(&r->out) : VV_OK;
}
