/* What a rank may use: memory from the control group, Slurm or the machine; cores from its affinity. */
#include "session/session.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static long number_from_env(const char *name)
{
    const char *text = getenv(name);
    return text ? strtol(text, NULL, 10) : 0;
}

/* Ranks that share this machine. */
static int local_ranks(int ranks)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS", "SLURM_NTASKS_PER_NODE"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        long n = number_from_env(names[i]);
        if (n > 0) return (int)n;
    }
    return ranks;
}

static vv_bytes number_from_file(const char *path)
{
    FILE *f = fopen(path, "r");
    long long n = 0;
    if (!f) return 0;
    if (fscanf(f, "%lld", &n) != 1) n = 0; /* "max": no limit */
    fclose(f);
    return n > 0 && n < (1LL << 60) ? n : 0;
}

/* The tightest limit on the way from the process's own control group to the root. v2 and v1. */
static vv_bytes group_limit(void)
{
    FILE *f = fopen("/proc/self/cgroup", "r");
    char line[1024], path[1400];
    vv_bytes least = 0;
    while (f && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = 0;
        char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!group) continue;
        *group++ = 0;
        bool v2 = controllers[1] == 0, v1 = strstr(controllers, "memory") != NULL;
        while ((v2 || v1) && *group) {
            snprintf(path, sizeof path,
                     v2 ? "/sys/fs/cgroup%s/memory.max" : "/sys/fs/cgroup/memory%s/memory.limit_in_bytes", group);
            vv_bytes limit = number_from_file(path);
            if (limit && (!least || limit < least)) least = limit;
            char *slash = strrchr(group, '/');
            *(slash ? slash : group) = 0;
        }
    }
    if (f) fclose(f);
    return least;
}

static vv_bytes slurm_limit(int local)
{
    long per_cpu = number_from_env("SLURM_MEM_PER_CPU"), per_node = number_from_env("SLURM_MEM_PER_NODE");
    long cpus = number_from_env("SLURM_CPUS_PER_TASK");
    if (per_cpu > 0) return (vv_bytes)per_cpu * (cpus > 0 ? cpus : 1) << 20;
    return per_node > 0 ? ((vv_bytes)per_node << 20) / local : 0;
}

vv_bytes vv_default_memory(int ranks)
{
    int local = local_ranks(ranks);
    vv_bytes machine = (vv_bytes)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
    vv_bytes share = machine / 10 * 8 / local;
    vv_bytes slurm = slurm_limit(local), group = group_limit() / local;
    if (slurm && slurm < share) share = slurm / 20 * 19;
    if (group && group < share) share = group / 20 * 19;
    return share;
}

int vv_default_threads(int ranks)
{
    cpu_set_t set;
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    int mine = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    if (online < 1) online = 1;
    /* Ranks that run on the same cores as this one, when all are bound alike. */
    long sharing = ((long)local_ranks(ranks) * mine + online - 1) / online;
    int threads = (int)(mine / (sharing > 1 ? sharing : 1));
    return threads > 1 ? threads : 1;
}
