/* A process's berth: what it may use of the computer that it runs on.
 *
 * Which CPUs it may run on, as its launcher bound it; which ones the job has there, and the NUMA nodes that they belong to; and every limit of memory and quota of processor time that it
 * is under, with a number that says who shares it: a control group of one task is for that task alone, one of a job for all its ranks on that computer. How much a rank may take follows only from the
 * berths of all ranks together (session/crew.h). All of it is read from files below `root`, and from the environment, so that tests can make computers up. */
#ifndef VV_BASE_BERTH_H
#define VV_BASE_BERTH_H

#include "base/status.h"

enum { VV_BERTH_CPUS = 2048, VV_BERTH_LIMITS = 8, VV_BERTH_NAME = 64 };

typedef struct vv_cpus {
    uint64_t word[VV_BERTH_CPUS / 64];
} vv_cpus;

typedef enum vv_limit_kind { VV_LIMIT_MACHINE, VV_LIMIT_SLURM_NODE, VV_LIMIT_SLURM_CPU, VV_LIMIT_CGROUP } vv_limit_kind;
typedef struct vv_limit {
    uint64_t shared; /* ranks of a computer that have the same number here share it */
    vv_bytes bytes;
    int kind;
} vv_limit;

/* How much processor time a control group gives to those in it, whichever CPUs they run on. */
typedef struct vv_quota {
    uint64_t shared; /* as with limits */
    int cpus;        /* in thousandths */
} vv_quota;

typedef struct vv_berth {
    char host[VV_BERTH_NAME];
    vv_cpus bound, available;         /* this process may run on; this job may, on this computer */
    uint64_t numa_bound, numa_of_job; /* NUMA nodes of those, by bits; of the first 64 */
    int granted;                      /* CPUs that Slurm gave to the job on this computer; 0: not said */
    int n_limits;
    vv_limit limit[VV_BERTH_LIMITS];
    int n_quotas;
    vv_quota quota[VV_BERTH_LIMITS];
} vv_berth;

/* root: "" for the real thing. */
void vv_berth_look(const char *root, vv_berth *out);

/* "0-3,8" */
void vv_cpus_parse(const char *text, vv_cpus *out);
int vv_cpus_count(const vv_cpus *c);
bool vv_cpus_has(const vv_cpus *c, int cpu);
bool vv_cpus_meet(const vv_cpus *a, const vv_cpus *b);
void vv_cpus_join(vv_cpus *into, const vv_cpus *other);

/* "AMD EPYC 7763, 128 CPUs, 8 NUMA nodes, 504 GB, Linux 6.1". */
void vv_computer_text(const char *root, char *out, size_t size);

#endif
