/* All ranks on their computers: what each may use follows from the berths (base/berth.h) of all of them, gathered on rank 0 when the session starts.
 *
 *     varve: ranks: 8 on 2 nodes, 4 each; bound to 2 CPUs each; 2 threads each; 3.8 GB of memory each, by SLURM_MEM_PER_NODE
 *
 * Ranks whose CPUs overlap are a *huddle*: they divide these among themselves. Limits of memory, and quotas of processor time, are divided among the ranks that share them. The least that any rank may
 * have is what all get, because plans are the same for all. What looks like a mistake in how ranks were placed is told once, when it is known how many threads they will run. */
#ifndef VV_SESSION_CREW_H
#define VV_SESSION_CREW_H

#include "base/berth.h"

typedef struct vv_huddle {
    char host[VV_BERTH_NAME];
    int ranks, cpus; /* of the ranks that share CPUs; ranks 0: there is none */
    int available;   /* CPUs of the job on that computer */
} vv_huddle;

typedef struct vv_crew {
    int ranks, nodes, least, most; /* least, most: ranks of a node */
    int fewest_cpus, most_cpus;    /* that a rank is bound to */
    bool bound;                    /* some rank to less than what the job has */
    int threads;                   /* of a rank: what the CPUs are for */
    bool by_quota;                 /* a quota decides that */
    vv_bytes memory;               /* of a rank */
    int memory_kind, memory_ranks; /* vv_limit_kind of the limit that decides; ranks that share it */
    vv_huddle tightest;            /* the huddle with most ranks for its CPUs, be it of one rank */
    vv_huddle needless;            /* one that shares CPUs while others are left */
    struct {
        char host[VV_BERTH_NAME];
        int ranks, nodes; /* ranks there, all on one of so many NUMA nodes; 0: nowhere */
    } narrow;
} vv_crew;

/* berth: of all ranks. */
VV_WARN_UNUSED vv_status vv_crew_count(const vv_berth berth[], int ranks, vv_crew *out);
/* In one line; threads and memory as they were chosen. */
void vv_crew_line(const vv_crew *c, int threads, vv_bytes memory, char *out, size_t size);
/* Warning i of what a user would want to place otherwise; false past the end. allowed: the user asked for more ranks than CPUs. */
bool vv_crew_warning(const vv_crew *c, int threads, bool allowed, int i, char *out, size_t size);

#endif
