/* Counts: what each step did, summed over threads and ranks. */
#include "exec/run.h"

#include <stdlib.h>

const char *const vv_spending_name[VV_SPENDINGS] = {"read", "inflate", "kernel", "send", "wait", "write"};

void vv_count_add(vv_step_counts *sum, const vv_step_counts *more)
{
    sum->tasks += more->tasks;
    sum->read += more->read;
    sum->pushed += more->pushed;
    sum->written += more->written;
    for (int k = 0; k < VV_SPENDINGS; k++) sum->seconds[k] += more->seconds[k];
}

void vv_counts_add(vv_run *r, const vv_step_counts *more)
{
    for (int i = 0; i < r->plan->n_steps; i++) vv_count_add(&r->counts[i], &more[i]);
}

/* What threads and deliveries of this rank have counted. */
static void mine(vv_run *r, vv_step_counts *out)
{
    for (int i = 0; i < r->plan->n_steps; i++) {
        vv_stage *g = &r->stage[i];
        out[i] = g->counts;
        out[i].pushed += atomic_load(&g->pushed);
        out[i].written += atomic_load(&g->written);
        for (int k = 0; k < VV_SPENDINGS; k++) out[i].seconds[k] += 1e-9 * (double)atomic_load(&g->nanoseconds[k]);
    }
}

vv_status vv_counts_gather(vv_run *r)
{
    vv_step_counts *counts;
    vv_backoff wait = {0};
    vv_bytes size = r->plan->n_steps * (vv_bytes)sizeof *counts;
    VV_TRY(vv_mem_get(&counts, size, "counts"));
    mine(r, counts);
    if (r->net->rank != 0) return vv_net_send(r->net, 0, VV_TAG_COUNTS, &counts, size);
    vv_counts_add(r, counts);
    vv_mem_put(&counts);
    while (r->counts_in < r->net->size - 1) VV_TRY(vv_run_wait(r, &wait));
    if (r->hooks->counted) r->hooks->counted(r->hooks->context, r->counts);
    return VV_OK;
}
