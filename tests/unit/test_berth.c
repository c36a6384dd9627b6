/* What a process finds out about the computer that it runs on, from made-up trees of /proc and /sys, and made-up environments of Slurm's. */
#include "base/berth.h"

#include "base/cgroup.h"
#include "scratch.h"

#include <stdlib.h>
#include <string.h>

static void put(const char *path, const char *text)
{
    char folder[512], full[1024];
    snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = 0;
    assert_int_equal(0, shell("mkdir -p '%s%s'", scratch, folder));
    snprintf(full, sizeof full, "%s%s", scratch, path);
    FILE *f = fopen(full, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* A computer of 8 CPUs in two NUMA nodes, and one of memory alone; 16 GiB; this process may run on two of the CPUs. */
static void computer(const char *allowed)
{
    char status[128];
    static const char *const names[] = {"SLURM_MEM_PER_CPU", "SLURM_MEM_PER_NODE", "SLURM_CPUS_ON_NODE",
                                        "SLURM_CPUS_PER_TASK"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) unsetenv(names[i]);
    assert_int_equal(0, shell("rm -rf '%s'/*", scratch));
    snprintf(status, sizeof status, "Name:\tvarve\nCpus_allowed:\tff\nCpus_allowed_list:\t%s\n", allowed);
    put("/proc/self/status", status);
    put("/proc/meminfo", "MemTotal:       16777216 kB\nMemFree: 12 kB\n");
    put("/proc/cpuinfo", "processor\t: 0\nmodel name\t: Abacus 9\n");
    put("/sys/devices/system/cpu/online", "0-7\n");
    put("/sys/devices/system/node/node0/cpulist", "0-3\n");
    put("/sys/devices/system/node/node1/cpulist", "4-7\n");
    put("/sys/devices/system/node/node2/cpulist", "\n");
}

static vv_berth look(void)
{
    vv_berth b;
    vv_berth_look(scratch, &b);
    return b;
}

/* The limit of this kind that is least; 0: none. */
static const vv_limit *least(const vv_berth *b, int kind)
{
    static const vv_limit none;
    const vv_limit *found = &none;
    for (int i = 0; i < b->n_limits; i++)
        if (b->limit[i].kind == kind && (found == &none || b->limit[i].bytes < found->bytes)) found = &b->limit[i];
    return found;
}

static void cpus_are_read(void **state)
{
    (void)state;
    vv_cpus c, d;
    vv_cpus_parse("0-3,8,10-11\n", &c);
    assert_int_equal(7, vv_cpus_count(&c));
    assert_true(vv_cpus_has(&c, 8) && !vv_cpus_has(&c, 9));
    vv_cpus_parse("9,64-70", &d);
    assert_false(vv_cpus_meet(&c, &d));
    vv_cpus_join(&c, &d);
    assert_int_equal(15, vv_cpus_count(&c));
    for (const char *const *t = (const char *const[]){"", "x", "3-", "-", "2047-2050", "5000", NULL}; *t; t++) {
        vv_cpus_parse(*t, &c);
        assert_true(vv_cpus_count(&c) <= 1);
    }
}

static void bound_and_unbound(void **state)
{
    (void)state;
    computer("2,6");
    vv_berth b = look();
    assert_int_equal(2, vv_cpus_count(&b.bound));
    assert_int_equal(8, vv_cpus_count(&b.available));
    assert_int_equal(3, b.numa_bound);
    computer("4-5");
    b = look();
    assert_int_equal(2, b.numa_bound);
    assert_int_equal(3, b.numa_of_job);
    assert_int_equal(1, b.n_limits);
    assert_int_equal(16LL << 30, least(&b, VV_LIMIT_MACHINE)->bytes);
    char text[256];
    vv_computer_text(scratch, text, sizeof text);
    assert_non_null(strstr(text, "Abacus 9, 8 CPUs, 2 NUMA nodes, 17.2 GB, Linux"));
}

static void version_two(void **state)
{
    (void)state;
    computer("0-3");
    put("/proc/self/cgroup", "0::/system.slice/slurmstepd.scope/job_7/step_0/user/task_1\n");
    put("/proc/self/mountinfo",
        "25 1 0:23 / /proc rw - proc proc rw\n30 1 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n");
    put("/sys/fs/cgroup/system.slice/slurmstepd.scope/job_7/memory.max", "4294967296\n");
    put("/sys/fs/cgroup/system.slice/slurmstepd.scope/job_7/step_0/memory.max", "max\n");
    put("/sys/fs/cgroup/system.slice/slurmstepd.scope/job_7/step_0/memory.high", "3221225472\n");
    put("/sys/fs/cgroup/system.slice/slurmstepd.scope/job_7/step_0/user/task_1/memory.max", "max\n");
    put("/sys/fs/cgroup/system.slice/slurmstepd.scope/job_7/step_0/user/task_1/cpuset.cpus.effective", "0-3\n");
    vv_berth b = look();
    assert_int_equal(3, b.n_limits);
    assert_int_equal(3LL << 30, least(&b, VV_LIMIT_CGROUP)->bytes);
    assert_int_equal(4, vv_cpus_count(&b.available));
    assert_int_equal(1, b.numa_of_job);
    uint64_t of_step = least(&b, VV_LIMIT_CGROUP)->shared;
    /* Another task of the step shares what is the step's, and has a limit of its own. */
    put("/proc/self/cgroup", "0::/system.slice/slurmstepd.scope/job_7/step_0/user/task_2\n");
    put("/sys/fs/cgroup/system.slice/slurmstepd.scope/job_7/step_0/user/task_2/memory.max", "1073741824\n");
    b = look();
    assert_int_equal(4, b.n_limits);
    assert_int_equal(1LL << 30, least(&b, VV_LIMIT_CGROUP)->bytes);
    assert_true(least(&b, VV_LIMIT_CGROUP)->shared != of_step);
    assert_int_equal(of_step, b.limit[2].shared);
}

static void version_one(void **state)
{
    (void)state;
    computer("0-7");
    put("/proc/self/cgroup",
        "9:memory,hugetlb:/slurm/uid_0/job_3/step_0/task_0\n4:cpuset:/slurm/uid_0/job_3\n1:name=systemd:/\n");
    put("/proc/self/mountinfo", "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory,hugetlb\n"
                                "36 31 0:33 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n");
    put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    put("/sys/fs/cgroup/memory/slurm/uid_0/job_3/memory.limit_in_bytes", "2147483648\n");
    put("/sys/fs/cgroup/memory/slurm/uid_0/job_3/step_0/memory.limit_in_bytes", "2147483648\n");
    put("/sys/fs/cgroup/memory/slurm/uid_0/job_3/step_0/task_0/memory.limit_in_bytes", "9223372036854771712\n");
    put("/sys/fs/cgroup/cpuset/slurm/uid_0/job_3/cpuset.cpus", "4-5\n");
    vv_berth b = look();
    assert_int_equal(3, b.n_limits);
    assert_int_equal(2LL << 30, least(&b, VV_LIMIT_CGROUP)->bytes);
    assert_int_equal(2, vv_cpus_count(&b.available));
    assert_int_equal(2, b.numa_of_job);
}

/* Version 1 has the controllers, version 2 the tree of services; and a container that sees its own part of the tree alone. */
static void hybrid_and_contained(void **state)
{
    (void)state;
    computer("0-7");
    put("/proc/self/cgroup", "4:memory:/docker/abc\n0::/system.slice/x.service\n");
    put("/proc/self/mountinfo", "35 31 0:32 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
                                "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
    put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824\n");
    put("/sys/fs/cgroup/unified/system.slice/x.service/cgroup.procs", "1\n");
    vv_berth b = look();
    assert_int_equal(2, b.n_limits);
    assert_int_equal(1LL << 30, least(&b, VV_LIMIT_CGROUP)->bytes);
    /* The group's name means nothing here: its part of the tree is what is seen. */
    put("/proc/self/mountinfo", "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
    b = look();
    assert_int_equal(1LL << 30, least(&b, VV_LIMIT_CGROUP)->bytes);
    vv_cgroup g;
    assert_true(vv_cgroup_find(scratch, "memory", &g));
    assert_false(vv_cgroup_up(&g));
    assert_false(vv_cgroup_find(scratch, "cpuset", &g));
    /* Broken lines are no groups. */
    put("/proc/self/mountinfo", "x\n - cgroup\n1 - cgroup2 c rw\n1 2 3 4 - cgroup c memory\n\n");
    assert_false(vv_cgroup_find(scratch, "memory", &g));
}

static void slurm(void **state)
{
    (void)state;
    computer("0-7");
    setenv("SLURM_MEM_PER_NODE", "4000", 1);
    setenv("SLURM_CPUS_ON_NODE", "4", 1);
    vv_berth b = look();
    assert_int_equal(4000LL << 20, least(&b, VV_LIMIT_SLURM_NODE)->bytes);
    assert_int_equal(4, b.granted);
    setenv("SLURM_MEM_PER_NODE", "0", 1); /* all of it */
    b = look();
    assert_int_equal(1, b.n_limits);
    unsetenv("SLURM_MEM_PER_NODE");
    setenv("SLURM_MEM_PER_CPU", "500", 1);
    b = look();
    assert_int_equal(2000LL << 20, least(&b, VV_LIMIT_SLURM_CPU)->bytes);
    assert_int_equal(0, least(&b, VV_LIMIT_SLURM_CPU)->shared);
    unsetenv("SLURM_CPUS_ON_NODE");
    setenv("SLURM_CPUS_PER_TASK", "3", 1);
    b = look();
    assert_int_equal(1500LL << 20, least(&b, VV_LIMIT_SLURM_CPU)->bytes);
    assert_true(least(&b, VV_LIMIT_SLURM_CPU)->shared != 0);
}

/* A deep tree with a limit at each level: the tightest are kept. */
static void many_limits(void **state)
{
    (void)state;
    char path[512] = "/sys/fs/cgroup", file[600], text[32];
    computer("0-7");
    put("/proc/self/cgroup", "0::/a/a/a/a/a/a/a/a/a/a/a/a\n");
    put("/proc/self/mountinfo", "30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    for (int i = 12; i > 0; i--) {
        strcat(path, "/a");
        snprintf(file, sizeof file, "%s/memory.max", path);
        snprintf(text, sizeof text, "%lld\n", (long long)(i == 9 ? 1 : 100 + i) << 20);
        put(file, text);
    }
    vv_berth b = look();
    assert_int_equal(VV_BERTH_LIMITS, b.n_limits);
    assert_int_equal(1 << 20, least(&b, VV_LIMIT_CGROUP)->bytes);
}

static int least_quota(const vv_berth *b)
{
    int found = 0;
    for (int i = 0; i < b->n_quotas; i++)
        if (i == 0 || b->quota[i].cpus < found) found = b->quota[i].cpus;
    return found;
}

static void quotas(void **state)
{
    (void)state;
    computer("0-7");
    assert_int_equal(0, look().n_quotas);
    put("/proc/self/cgroup", "0::/pod/container\n");
    put("/proc/self/mountinfo", "30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    put("/sys/fs/cgroup/pod/cpu.max", "max 100000\n");
    put("/sys/fs/cgroup/pod/container/cpu.max", "250000 100000\n");
    vv_berth b = look();
    assert_int_equal(1, b.n_quotas);
    assert_int_equal(2500, b.quota[0].cpus);
    put("/sys/fs/cgroup/pod/cpu.max", "50000 100000\n");
    b = look();
    assert_int_equal(2, b.n_quotas);
    assert_int_equal(500, least_quota(&b));
    assert_true(b.quota[0].shared != b.quota[1].shared);
    for (const char *const *t = (const char *const[]){"", "x", "100000", "1 0\n", "-1 100000\n", "1e30 1\n", NULL}; *t;
         t++) {
        put("/sys/fs/cgroup/pod/cpu.max", *t);
        assert_int_equal(1, look().n_quotas);
    }
    /* Version 1. */
    computer("0-7");
    put("/proc/self/cgroup", "4:cpu,cpuacct:/docker/abc\n");
    put("/proc/self/mountinfo", "35 31 0:32 /docker/abc /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n");
    put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
    put("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    assert_int_equal(0, look().n_quotas);
    put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "300000\n");
    b = look();
    assert_int_equal(1, b.n_quotas);
    assert_int_equal(3000, b.quota[0].cpus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cpus_are_read),        cmocka_unit_test(bound_and_unbound),
        cmocka_unit_test(version_two),          cmocka_unit_test(version_one),
        cmocka_unit_test(hybrid_and_contained), cmocka_unit_test(slurm),
        cmocka_unit_test(many_limits),          cmocka_unit_test(quotas),
    };
    return cmocka_run_group_tests(tests, make_scratch, drop_scratch);
}
