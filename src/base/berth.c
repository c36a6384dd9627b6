#include "base/berth.h"

#include "base/cgroup.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { LINE = 8192 };

/* --- sets of CPUs --- */

static void add(vv_cpus *c, long cpu)
{
    if (cpu >= 0 && cpu < VV_BERTH_CPUS) c->word[cpu / 64] |= 1ULL << (cpu % 64);
}

void vv_cpus_parse(const char *text, vv_cpus *out)
{
    char *end;
    *out = (vv_cpus){{0}};
    for (const char *at = text; *at;) {
        long first = strtol(at, &end, 10), last = first;
        if (end == at) return;
        if (*end == '-') {
            at = end + 1;
            last = strtol(at, &end, 10);
            if (end == at) return;
        }
        for (long i = first; i <= last && i < VV_BERTH_CPUS; i++) add(out, i);
        at = end + (*end == ',');
        if (*end != ',') return;
    }
}

int vv_cpus_count(const vv_cpus *c)
{
    int n = 0;
    for (size_t i = 0; i < VV_BERTH_CPUS / 64; i++) n += __builtin_popcountll(c->word[i]);
    return n;
}

bool vv_cpus_has(const vv_cpus *c, int cpu)
{
    return (c->word[cpu / 64] >> (cpu % 64)) & 1;
}

bool vv_cpus_meet(const vv_cpus *a, const vv_cpus *b)
{
    for (size_t i = 0; i < VV_BERTH_CPUS / 64; i++)
        if (a->word[i] & b->word[i]) return true;
    return false;
}

void vv_cpus_join(vv_cpus *into, const vv_cpus *other)
{
    for (size_t i = 0; i < VV_BERTH_CPUS / 64; i++) into->word[i] |= other->word[i];
}

/* --- files of the system --- */

static bool first_line(const char *root, const char *file, char out[LINE])
{
    char path[VV_CGROUP_PATH];
    snprintf(path, sizeof path, "%s%s", root, file);
    FILE *f = fopen(path, "r");
    bool got = f && fgets(out, LINE, f);
    if (f) fclose(f);
    return got;
}

/* What stands behind "Word:" in a file of such lines. */
static bool value_of(const char *root, const char *file, const char *word, char out[LINE])
{
    char path[VV_CGROUP_PATH], line[LINE];
    size_t n = strlen(word);
    bool found = false;
    snprintf(path, sizeof path, "%s%s", root, file);
    FILE *f = fopen(path, "r");
    while (f && !found && fgets(line, sizeof line, f)) {
        size_t gap = strspn(line + (strncmp(line, word, n) ? 0 : n), " \t");
        found = !strncmp(line, word, n) && line[n + gap] == ':';
        if (!found) continue;
        const char *value = line + n + gap + 1;
        snprintf(out, LINE, "%s", value + strspn(value, " \t"));
        out[strcspn(out, "\n")] = 0;
    }
    if (f) fclose(f);
    return found;
}

static vv_bytes physical_memory(const char *root)
{
    char text[LINE];
    return value_of(root, "/proc/meminfo", "MemTotal", text)
               ? strtoll(text, NULL, 10) * 1024
               : (vv_bytes)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
}

/* --- CPUs --- */

/* Of the job: those of its control group; else all that there are. */
static void cpus_of_job(const char *root, vv_cpus *out)
{
    static const char *const file[] = {"cpuset.cpus.effective", "cpuset.effective_cpus", "cpuset.cpus"};
    static vv_cgroup group;
    char text[LINE];
    *out = (vv_cpus){{0}};
    for (int version = 2; version >= 1; version--) {
        if (!vv_cgroup_find(root, version == 2 ? NULL : "cpuset", &group)) continue;
        for (size_t i = 0; i < sizeof file / sizeof *file; i++) {
            if (vv_cgroup_line(&group, file[i], text, sizeof text)) vv_cpus_parse(text, out);
            if (vv_cpus_count(out) > 0) return;
        }
    }
    if (first_line(root, "/sys/devices/system/cpu/online", text)) vv_cpus_parse(text, out);
    for (long i = sysconf(_SC_NPROCESSORS_ONLN) - 1; vv_cpus_count(out) == 0 && i >= 0; i--) add(out, i);
}

static void cpus_of_process(const char *root, const vv_cpus *of_job, vv_cpus *out)
{
    char text[LINE];
    *out = (vv_cpus){{0}};
    if (value_of(root, "/proc/self/status", "Cpus_allowed_list", text)) vv_cpus_parse(text, out);
    if (vv_cpus_count(out) == 0) *out = *of_job;
}

static int numa_nodes(const char *root, const vv_cpus *bound, const vv_cpus *of_job, uint64_t *numa_bound,
                      uint64_t *numa_of_job)
{
    char path[64], text[LINE];
    int n = 0;
    for (int i = 0; i < 64; i++) {
        vv_cpus here;
        snprintf(path, sizeof path, "/sys/devices/system/node/node%d/cpulist", i);
        if (!first_line(root, path, text)) continue;
        vv_cpus_parse(text, &here);
        if (vv_cpus_count(&here) == 0) continue; /* memory alone */
        n++;
        if (vv_cpus_meet(&here, bound)) *numa_bound |= 1ULL << i;
        if (vv_cpus_meet(&here, of_job)) *numa_of_job |= 1ULL << i;
    }
    return n;
}

/* --- memory --- */

static long number_from_env(const char *name)
{
    const char *text = getenv(name);
    return text ? strtol(text, NULL, 10) : 0;
}

/* When there are more than there is room for, the loosest goes. */
static void note_limit(vv_berth *s, vv_limit_kind kind, vv_bytes bytes, uint64_t shared)
{
    int at = s->n_limits;
    if (bytes <= 0) return;
    if (at == VV_BERTH_LIMITS) {
        at = 0;
        for (int i = 1; i < VV_BERTH_LIMITS; i++)
            if (s->limit[i].bytes > s->limit[at].bytes) at = i;
        if (s->limit[at].bytes <= bytes) return;
    } else {
        s->n_limits++;
    }
    s->limit[at] = (vv_limit){shared, bytes, kind};
}

/* A group's directory has one number, whatever it is called where it is seen from. */
static uint64_t identity(const char *path)
{
    struct stat is;
    return stat(path, &is) ? 1 : ((uint64_t)is.st_dev << 40) ^ (uint64_t)is.st_ino;
}

/* "max", and what is as large as version 1 says for it, is no limit. */
static vv_bytes limit_in(const vv_cgroup *g, const char *file)
{
    char text[64];
    if (!vv_cgroup_line(g, file, text, sizeof text)) return 0;
    long long n = strtoll(text, NULL, 10);
    return n > 0 && n < (1LL << 60) ? n : 0;
}

static void limits_of_groups(const char *root, vv_berth *s)
{
    static const char *const file[][2] = {{"memory.max", "memory.high"}, {"memory.limit_in_bytes", NULL}};
    static vv_cgroup group;
    for (int version = 2; version >= 1; version--) {
        if (!vv_cgroup_find(root, version == 2 ? NULL : "memory", &group)) continue;
        do {
            for (int i = 0; i < 2 && file[2 - version][i]; i++)
                note_limit(s, VV_LIMIT_CGROUP, limit_in(&group, file[2 - version][i]), identity(group.path));
        } while (vv_cgroup_up(&group));
    }
}

static void note_quota(vv_berth *s, double cpus, uint64_t shared)
{
    int at = s->n_quotas;
    if (cpus <= 0 || cpus > VV_BERTH_CPUS) return; /* there is none */
    vv_quota q = {shared, (int)(1000 * cpus + 0.5)};
    if (at == VV_BERTH_LIMITS) {
        at = 0;
        for (int i = 1; i < VV_BERTH_LIMITS; i++)
            if (s->quota[i].cpus > s->quota[at].cpus) at = i;
        if (s->quota[at].cpus <= q.cpus) return;
    } else {
        s->n_quotas++;
    }
    s->quota[at] = q;
}

/* CPUs that a group may keep busy: "200000 100000" of microseconds in version 2, a file for each number in version 1; "max", and -1, are none. */
static double quota_in(const vv_cgroup *g)
{
    char text[64], period[64];
    if (g->version == 2) {
        if (!vv_cgroup_line(g, "cpu.max", text, sizeof text)) return 0;
        const char *gap = strchr(text, ' ');
        snprintf(period, sizeof period, "%s", gap ? gap : "");
    } else if (!vv_cgroup_line(g, "cpu.cfs_quota_us", text, sizeof text) ||
               !vv_cgroup_line(g, "cpu.cfs_period_us", period, sizeof period)) {
        return 0;
    }
    double of = strtod(period, NULL);
    return of > 0 ? strtod(text, NULL) / of : 0;
}

static void quotas_of_groups(const char *root, vv_berth *s)
{
    static vv_cgroup group;
    for (int version = 2; version >= 1; version--) {
        if (!vv_cgroup_find(root, version == 2 ? NULL : "cpu", &group)) continue;
        do note_quota(s, quota_in(&group), identity(group.path));
        while (vv_cgroup_up(&group));
    }
}

/* Slurm gives memory by node or by CPU, in MiB, for all tasks of the job there; 0 is a whole node's. */
static void limits_of_slurm(vv_berth *s)
{
    long by_cpu = number_from_env("SLURM_MEM_PER_CPU"), by_node = number_from_env("SLURM_MEM_PER_NODE");
    long cpus = number_from_env("SLURM_CPUS_ON_NODE");
    s->granted = cpus > 0 ? (int)cpus : 0;
    note_limit(s, VV_LIMIT_SLURM_NODE, (vv_bytes)by_node << 20, 0);
    if (by_cpu > 0 && cpus > 0) note_limit(s, VV_LIMIT_SLURM_CPU, (vv_bytes)by_cpu * cpus << 20, 0);
    if (by_cpu <= 0 || cpus > 0) return;
    long of_task = number_from_env("SLURM_CPUS_PER_TASK");
    note_limit(s, VV_LIMIT_SLURM_CPU, (vv_bytes)by_cpu * (of_task > 0 ? of_task : 1) << 20, (uint64_t)getpid());
}

void vv_berth_look(const char *root, vv_berth *out)
{
    *out = (vv_berth){.n_limits = 0};
    (void)gethostname(out->host, sizeof out->host - 1);
    cpus_of_job(root, &out->available);
    cpus_of_process(root, &out->available, &out->bound);
    numa_nodes(root, &out->bound, &out->available, &out->numa_bound, &out->numa_of_job);
    note_limit(out, VV_LIMIT_MACHINE, physical_memory(root), 0);
    limits_of_slurm(out);
    limits_of_groups(root, out);
    quotas_of_groups(root, out);
}

/* --- the computer --- */

void vv_computer_text(const char *root, char *out, size_t size)
{
    char model[LINE] = "", text[LINE], memory[32];
    vv_cpus cpus = {{0}};
    uint64_t unused[2] = {0};
    struct utsname u = {.sysname = ""};
    if (!value_of(root, "/proc/cpuinfo", "model name", model)) snprintf(model, sizeof model, "unknown processor");
    if (first_line(root, "/sys/devices/system/cpu/online", text)) vv_cpus_parse(text, &cpus);
    int numa = numa_nodes(root, &cpus, &cpus, &unused[0], &unused[1]);
    (void)uname(&u);
    char *dot = strchr(u.release, '.'); /* its version is enough, without how it was built */
    if (dot) dot[1 + strspn(dot + 1, "0123456789")] = 0;
    int n = vv_cpus_count(&cpus);
    snprintf(out, size, "%.80s, %d CPU%s, %d NUMA node%s, %s, %s %s", model, n, n == 1 ? "" : "s", numa > 1 ? numa : 1,
             numa > 1 ? "s" : "", vv_bytes_text(physical_memory(root), memory), u.sysname, u.release);
}
