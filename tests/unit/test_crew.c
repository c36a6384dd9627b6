/* What ranks may use, and what is said of how they were placed, from made-up computers. */
#include "session/crew.h"

#include "scratch.h"

#include <string.h>

enum { RANKS = 8 };
static const vv_bytes GiB = 1LL << 30;

/* A rank on a computer of 8 CPUs and two NUMA nodes, with 16 GiB. */
static vv_berth rank_on(const char *host, const char *bound)
{
    vv_berth b = {.n_limits = 1, .limit = {{0, 16 * GiB, VV_LIMIT_MACHINE}}, .numa_of_job = 3};
    vv_cpus low;
    snprintf(b.host, sizeof b.host, "%s", host);
    vv_cpus_parse("0-7", &b.available);
    vv_cpus_parse(bound, &b.bound);
    vv_cpus_parse("0-3", &low);
    b.numa_bound = vv_cpus_meet(&low, &b.bound);
    vv_cpus_parse("4-7", &low);
    b.numa_bound |= vv_cpus_meet(&low, &b.bound) ? 2 : 0;
    return b;
}

static void limit(vv_berth *b, int kind, vv_bytes bytes, uint64_t shared)
{
    b->limit[b->n_limits++] = (vv_limit){shared, bytes, kind};
}

/* Ranks on one computer, bound to these CPUs. */
static vv_crew bound_to(const char *const cpus[], int ranks)
{
    vv_berth b[RANKS];
    vv_crew c;
    for (int i = 0; i < ranks; i++) b[i] = rank_on("n1", cpus[i]);
    must(vv_crew_count(b, ranks, &c));
    return c;
}

static int warnings(const vv_crew *c, int threads, char text[512])
{
    char one[512];
    int n = 0;
    for (*text = 0; vv_crew_warning(c, threads, false, n, one, sizeof one); n++) snprintf(text, 512, "%s", one);
    return n;
}

#define assert_warns(crew, threads, part)                                                                              \
    do {                                                                                                               \
        char text_[512];                                                                                               \
        assert_int_equal(1, warnings(&(crew), (threads), text_));                                                      \
        if (!strstr(text_, (part))) fail_msg("'%s' does not say '%s'", text_, (part));                                 \
    } while (0)
#define assert_content(crew, threads)                                                                                  \
    do {                                                                                                               \
        char text_[512];                                                                                               \
        if (warnings(&(crew), (threads), text_)) fail_msg("warns: %s", text_);                                         \
    } while (0)

static void one_rank_for_each_core(void **state)
{
    (void)state;
    char line[512];
    vv_crew c = bound_to((const char *const[]){"0", "1", "2", "3", "4", "5", "6", "7"}, 8);
    assert_int_equal(1, c.threads);
    assert_content(c, 1);
    vv_crew_line(&c, c.threads, c.memory, line, sizeof line);
    assert_string_equal(
        "8 on 1 node, 8 each; bound to 1 CPU each; 1 thread each; 1.72 GB of memory each, a share of the "
        "machine's",
        line);
    assert_warns(c, 4, "a rank on n1 may use 1 CPU, but 4 threads were asked for: use --threads 1, or bind");
}

static void one_rank_for_each_socket(void **state)
{
    (void)state;
    vv_crew c = bound_to((const char *const[]){"0-3", "4-7"}, 2);
    assert_int_equal(4, c.threads);
    assert_content(c, 4);
    /* Several ranks in each socket, as mpirun does by itself: they divide it. */
    c = bound_to((const char *const[]){"0-3", "4-7", "0-3", "4-7", "0-3"}, 5);
    assert_int_equal(1, c.threads);
    assert_content(c, 1);
    c = bound_to((const char *const[]){"0-3", "4-7", "0-3"}, 3);
    assert_int_equal(2, c.threads);
    assert_content(c, 2);
    assert_warns(c, 4, "2 ranks on n1 may use 4 CPUs, but 4 threads each");
}

static void not_bound(void **state)
{
    (void)state;
    char line[512];
    vv_crew c = bound_to((const char *const[]){"0-7", "0-7"}, 2);
    assert_int_equal(4, c.threads);
    assert_false(c.bound);
    assert_content(c, 4);
    vv_crew_line(&c, 2, GiB, line, sizeof line);
    assert_string_equal("2 on 1 node, 2 each; not bound; 2 threads each; 1.07 GB of memory each, as was asked for",
                        line);
    c = bound_to((const char *const[]){"0-7"}, 1);
    assert_int_equal(8, c.threads);
    assert_warns(c, 9, "use --threads 8");
}

static void sharing_though_there_are_enough(void **state)
{
    (void)state;
    vv_crew c = bound_to((const char *const[]){"0,4", "0,4"}, 2);
    assert_int_equal(1, c.threads);
    assert_warns(c, 1, "2 ranks on n1 share 2 CPUs, though there are 8: bind them apart");
    c = bound_to((const char *const[]){"0", "0", "1-3", "4-7"}, 4);
    assert_warns(c, 1, "2 ranks on n1 share 1 CPU, though");
    /* Overlaps in a chain are one huddle. */
    c = bound_to((const char *const[]){"0-1,4", "1-2", "2-3"}, 3);
    assert_int_equal(3, c.needless.ranks);
    assert_int_equal(5, c.needless.cpus);
}

static void more_ranks_than_cores(void **state)
{
    (void)state;
    char text[512];
    vv_berth b[3];
    vv_crew c;
    for (int i = 0; i < 3; i++) {
        b[i] = rank_on("n1", "0-1");
        vv_cpus_parse("0-1", &b[i].available);
    }
    must(vv_crew_count(b, 3, &c));
    assert_int_equal(1, c.threads);
    assert_warns(c, 1, "3 ranks on n1 have 2 CPUs in all");
    assert_false(vv_crew_warning(&c, 1, true, 0, text, sizeof text)); /* mpirun --oversubscribe */
    assert_true(vv_crew_warning(&c, 2, true, 0, text, sizeof text));
}

static void one_numa_node(void **state)
{
    (void)state;
    vv_crew c = bound_to((const char *const[]){"0", "1", "2"}, 3);
    assert_warns(c, 1, "all ranks on n1 are on one NUMA node of 2");
    c = bound_to((const char *const[]){"0-3"}, 1);
    assert_warns(c, 4, "the rank on n1 is on one NUMA node of 2");
    /* The job has no other CPUs. */
    vv_berth b = rank_on("n1", "0-3");
    b.granted = 4;
    must(vv_crew_count(&b, 1, &c));
    assert_content(c, 4);
}

static void several_nodes(void **state)
{
    (void)state;
    vv_berth b[5];
    vv_crew c;
    char line[512];
    for (int i = 0; i < 5; i++)
        b[i] = rank_on(i % 2 ? "b" : "a", i % 2 ? "0-3" : i == 4 ? "4-5" : i == 2 ? "2-3" : "0-1");
    limit(&b[3], VV_LIMIT_SLURM_NODE, 4 * GiB, 0);
    must(vv_crew_count(b, 5, &c));
    assert_int_equal(2, c.nodes);
    assert_int_equal(2, c.least);
    assert_int_equal(3, c.most);
    assert_int_equal(2, c.threads);
    assert_int_equal(VV_LIMIT_SLURM_NODE, c.memory_kind);
    assert_int_equal(4 * GiB / 20 * 19 / 2, c.memory);
    vv_crew_line(&c, c.threads, c.memory, line, sizeof line);
    assert_string_equal("5 on 2 nodes, 2 to 3 each; bound to 2 to 4 CPUs each; 2 threads each; 2.04 GB of memory each, "
                        "by SLURM_MEM_PER_NODE",
                        line);
}

/* A task's own group is for it alone; a step's group is divided; numbers of groups mean nothing on another computer. */
static void limits_are_divided_among_who_shares_them(void **state)
{
    (void)state;
    vv_berth b[4];
    vv_crew c;
    for (int i = 0; i < 4; i++) {
        b[i] = rank_on(i < 3 ? "a" : "b", "0-7");
        limit(&b[i], VV_LIMIT_CGROUP, 6 * GiB, 77);
        limit(&b[i], VV_LIMIT_CGROUP, i == 1 ? 3 * GiB : 5 * GiB, 100 + (uint64_t)i);
    }
    must(vv_crew_count(b, 4, &c));
    assert_int_equal(6 * GiB / 20 * 19 / 3, c.memory);
    assert_int_equal(3, c.memory_ranks);
    assert_int_equal(VV_LIMIT_CGROUP, c.memory_kind);
    b[1].limit[2].bytes = GiB;
    must(vv_crew_count(b, 4, &c));
    assert_int_equal(GiB / 20 * 19, c.memory);
    assert_int_equal(1, c.memory_ranks);
}

/* A container whose 8 CPUs it may keep busy for a quarter of the time, all ranks together; and one with a quota for each task. */
static void quotas_are_divided_too(void **state)
{
    (void)state;
    vv_berth b[4];
    vv_crew c;
    char line[512];
    for (int i = 0; i < 4; i++) {
        b[i] = rank_on("a", "0-7");
        b[i].quota[b[i].n_quotas++] = (vv_quota){77, 4500};
    }
    must(vv_crew_count(b, 1, &c));
    assert_int_equal(4, c.threads);
    vv_crew_line(&c, 4, c.memory, line, sizeof line);
    assert_non_null(strstr(line, "4 threads each, by the control group's quota;"));
    vv_crew_line(&c, 2, c.memory, line, sizeof line);
    assert_non_null(strstr(line, "2 threads each;"));
    assert_content(c, 4);
    assert_warns(c, 8, "a rank on a may use 4 CPUs, but 8 threads were asked for: use --threads 4");
    must(vv_crew_count(b, 2, &c));
    assert_int_equal(2, c.threads);
    must(vv_crew_count(b, 4, &c));
    assert_int_equal(1, c.threads);
    assert_content(c, 1);
    b[2].quota[b[2].n_quotas++] = (vv_quota){78, 500}; /* half a CPU */
    must(vv_crew_count(b, 4, &c));
    assert_int_equal(1, c.threads);
    for (int i = 0; i < 4; i++) b[i].quota[0].cpus = 64000; /* more than there are */
    must(vv_crew_count(b, 2, &c));
    assert_int_equal(4, c.threads);
    assert_false(c.by_quota);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_rank_for_each_core),
        cmocka_unit_test(one_rank_for_each_socket),
        cmocka_unit_test(not_bound),
        cmocka_unit_test(sharing_though_there_are_enough),
        cmocka_unit_test(more_ranks_than_cores),
        cmocka_unit_test(one_numa_node),
        cmocka_unit_test(several_nodes),
        cmocka_unit_test(limits_are_divided_among_who_shares_them),
        cmocka_unit_test(quotas_are_divided_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
