#include "exec/net/net.h"

#include "base/fault.h"
#include "base/log.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double vv_now(void)
{
    return seconds(CLOCK_MONOTONIC);
}

double vv_clock(void)
{
    return seconds(CLOCK_REALTIME);
}

void vv_backoff_wait(vv_backoff *b)
{
    enum { SPIN = 64, SHORT = 20, LONGEST_US = 2000, PATIENT = 1000, PATIENT_US = 8000 };
    if (b->idle < PATIENT) b->idle++;
    if (b->idle == PATIENT) { /* nothing for two seconds: looking costs more than being late */
        nanosleep(&(struct timespec){0, PATIENT_US * 1000}, NULL);
        return;
    }
    if (b->idle <= SPIN) {
        sched_yield();
        return;
    }
    long us = SHORT;
    for (int i = SPIN; i < b->idle && us < LONGEST_US; i += 8) us *= 2;
    if (us > LONGEST_US) us = LONGEST_US;
    nanosleep(&(struct timespec){0, us * 1000}, NULL);
}

/* How launchers tell a process how many ranks were started. Only Open MPI's and MPICH's own variables and PMIx's with Slurm's count
 * for it: Slurm's variables alone also stand in a batch script's environment, where a plain process must stay alone. */
static int launched_ranks(void)
{
    static const char *const count[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MPI_LOCALNRANKS"};
    for (size_t i = 0; i < sizeof count / sizeof *count; i++) {
        const char *text = getenv(count[i]);
        if (text) return atoi(text);
    }
    const char *step = getenv("SLURM_STEP_NUM_TASKS");
    if (getenv("PMIX_RANK")) return step ? atoi(step) : 2;
    return 1;
}

vv_status vv_net_open(int *argc, char ***argv, vv_net **out)
{
    return launched_ranks() > 1 ? vv_net_mpi_open(argc, argv, out) : vv_net_self_open(out);
}

void vv_net_close(vv_net **n)
{
    if (*n) (*n)->kind->close(*n);
    *n = NULL;
}

vv_status vv_net_send(vv_net *n, int to, vv_tag tag, void *data_address, vv_bytes size)
{
    void **data = data_address, *block = *data;
    *data = NULL;
    vv_status status = vv_fault(VV_FAULT_SEND);
    if (status != VV_OK) {
        vv_mem_put(&block);
        return status;
    }
    bool of_plan = tag == VV_TAG_STATE || tag == VV_TAG_RESULT || tag == VV_TAG_PIECES;
    if (to != n->rank) ++*(of_plan ? &n->sends : &n->control);
    return n->kind->send(n, to, tag, block, size);
}

vv_status vv_net_send_copy(vv_net *n, int to, vv_tag tag, const void *data, vv_bytes size)
{
    void *block;
    VV_TRY(vv_mem_get(&block, size, "a message"));
    if (size) memcpy(block, data, (size_t)size);
    return vv_net_send(n, to, tag, &block, size);
}

vv_status vv_net_send_surely(vv_net *n, int to, vv_tag tag, const void *data, vv_bytes size)
{
    enum { TRIES = 3 };
    vv_status status = VV_OK;
    for (int i = 0; i < TRIES; i++) {
        status = vv_net_send_copy(n, to, tag, data, size);
        if (status == VV_OK) return VV_OK;
        vv_say(VV_LOG_INFO, "sending to rank %d again: %s", to, vv_last_error());
    }
    n->broken = true;
    return status;
}

vv_status vv_net_gather(vv_net *n, const void *mine, int size, void *all)
{
    return n->kind->gather(n, mine, size, all);
}

struct vv_early {
    struct vv_early *next;
    vv_message m;
};

vv_status vv_net_put_back(vv_net *n, const vv_message *m)
{
    struct vv_early *e, **end = &n->early;
    VV_TRY(vv_new(&e, 1, sizeof *e));
    e->m = *m;
    while (*end) end = &(*end)->next;
    *end = e;
    return VV_OK;
}

vv_status vv_net_receive(vv_net *n, vv_message *m, bool *got)
{
    struct vv_early *e = n->early;
    *got = e != NULL;
    if (e) {
        *m = e->m;
        n->early = e->next;
        free(e);
        return VV_OK;
    }
    return n->kind->receive(n, m, got);
}
