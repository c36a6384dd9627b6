#include "session/crew.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ranks of one computer, one behind the other in `of`. */
typedef struct node {
    const vv_berth *berth; /* of all ranks */
    const int *of;
    int n;
    int *leader;  /* by place in `of`: a rank of the same huddle, up to one that leads it */
    vv_cpus used; /* by any of them */
    int available;
} node;

/* --- huddles --- */

static int leader_of(int *leader, int i)
{
    while (leader[i] != i) i = leader[i] = leader[leader[i]];
    return i;
}

/* Ranks that have a CPU in common have the same leader. */
static void find_huddles(node *v)
{
    int owner[VV_BERTH_CPUS];
    memset(owner, -1, sizeof owner);
    for (int i = 0; i < v->n; i++) {
        const vv_cpus *mine = &v->berth[v->of[i]].bound;
        v->leader[i] = i;
        vv_cpus_join(&v->used, mine);
        for (int c = 0; c < VV_BERTH_CPUS; c++) {
            if (!vv_cpus_has(mine, c)) continue;
            if (owner[c] >= 0) v->leader[leader_of(v->leader, i)] = leader_of(v->leader, owner[c]);
            owner[c] = i;
        }
    }
}

static vv_huddle huddle_of(const node *v, int leader, int *least_bound)
{
    const vv_berth *first = &v->berth[v->of[0]];
    vv_huddle h = {.available = v->available};
    vv_cpus all = {{0}};
    *least_bound = VV_BERTH_CPUS;
    for (int i = leader; i < v->n; i++) {
        if (leader_of(v->leader, i) != leader_of(v->leader, leader)) continue;
        int n = vv_cpus_count(&v->berth[v->of[i]].bound);
        if (n < *least_bound) *least_bound = n;
        vv_cpus_join(&all, &v->berth[v->of[i]].bound);
        h.ranks++;
    }
    h.cpus = vv_cpus_count(&all);
    memcpy(h.host, first->host, sizeof h.host);
    return h;
}

static bool is_first(const node *v, int i)
{
    for (int j = 0; j < i; j++)
        if (leader_of(v->leader, j) == leader_of(v->leader, i)) return false;
    return true;
}

static void note_threads(vv_crew *c, const vv_huddle *h, int most)
{
    const vv_huddle *t = &c->tightest;
    int threads = h->cpus / h->ranks < most ? h->cpus / h->ranks : most;
    if (threads < 1) threads = 1;
    if (c->threads == 0 || threads < c->threads) c->threads = threads;
    if (t->ranks == 0 || h->ranks * t->cpus > t->ranks * h->cpus) c->tightest = *h;
}

static void note_huddle(vv_crew *c, const node *v, const vv_huddle *h, int least_bound)
{
    note_threads(c, h, least_bound);
    bool left = vv_cpus_count(&v->used) < v->available || h->cpus < h->ranks;
    if (h->ranks > 1 && v->n <= v->available && left && c->needless.ranks == 0) c->needless = *h;
}

/* --- quotas --- */

static int sharing_quota(const node *v, uint64_t shared)
{
    int n = 0;
    for (int i = 0; i < v->n; i++) {
        const vv_berth *s = &v->berth[v->of[i]];
        bool has = false;
        for (int k = 0; !has && k < s->n_quotas; k++) has = s->quota[k].shared == shared;
        n += has;
    }
    return n;
}

/* Ranks under a quota are a huddle on as many whole CPUs: another thread would have all of them stopped for a part of each period. */
static void note_quotas(vv_crew *c, const node *v)
{
    for (int i = 0; i < v->n; i++) {
        const vv_berth *s = &v->berth[v->of[i]];
        for (int k = 0; k < s->n_quotas; k++) {
            int cpus = s->quota[k].cpus >= 1000 ? s->quota[k].cpus / 1000 : 1, before = c->threads;
            vv_huddle h = {.ranks = sharing_quota(v, s->quota[k].shared), .cpus = cpus, .available = cpus};
            memcpy(h.host, s->host, sizeof h.host);
            note_threads(c, &h, cpus);
            c->by_quota = c->by_quota || c->threads < before;
        }
    }
}

/* --- memory --- */

static int sharing(const node *v, uint64_t shared)
{
    int n = 0;
    for (int i = 0; i < v->n; i++) {
        const vv_berth *s = &v->berth[v->of[i]];
        bool has = shared == 0;
        for (int k = 0; !has && k < s->n_limits; k++) has = s->limit[k].shared == shared;
        n += has;
    }
    return n;
}

/* Of what the job was given most, but for its scripts and daemons; of the whole machine four fifths. */
static vv_bytes usable(const vv_limit *l)
{
    return l->kind == VV_LIMIT_MACHINE ? l->bytes / 10 * 8 : l->bytes / 20 * 19;
}

static void note_memory(vv_crew *c, const node *v)
{
    for (int i = 0; i < v->n; i++) {
        const vv_berth *s = &v->berth[v->of[i]];
        for (int k = 0; k < s->n_limits; k++) {
            const vv_limit *l = &s->limit[k];
            if (c->memory && usable(l) / v->n >= c->memory) continue; /* whoever shares it */
            int ranks = sharing(v, l->shared);
            if (c->memory && usable(l) / ranks >= c->memory) continue;
            c->memory = usable(l) / ranks;
            c->memory_kind = l->kind;
            c->memory_ranks = ranks;
        }
    }
}

/* --- nodes --- */

static void note_numa(vv_crew *c, const node *v)
{
    uint64_t bound = 0, of_job = 0;
    for (int i = 0; i < v->n; i++) {
        bound |= v->berth[v->of[i]].numa_bound;
        of_job |= v->berth[v->of[i]].numa_of_job;
    }
    if (__builtin_popcountll(bound) != 1 || __builtin_popcountll(of_job) < 2 || c->narrow.ranks > 0) return;
    if (vv_cpus_count(&v->used) >= v->available) return; /* the job has no others */
    memcpy(c->narrow.host, v->berth[v->of[0]].host, sizeof c->narrow.host);
    c->narrow.ranks = v->n;
    c->narrow.nodes = __builtin_popcountll(of_job);
}

static void note_binding(vv_crew *c, const node *v)
{
    for (int i = 0; i < v->n; i++) {
        int n = vv_cpus_count(&v->berth[v->of[i]].bound);
        if (c->fewest_cpus == 0 || n < c->fewest_cpus) c->fewest_cpus = n;
        if (n > c->most_cpus) c->most_cpus = n;
        c->bound = c->bound || n < v->available;
    }
}

static vv_status count_node(vv_crew *c, node *v)
{
    const vv_berth *first = &v->berth[v->of[0]];
    int granted = first->granted;
    v->available = vv_cpus_count(&first->available);
    if (granted > 0 && granted < v->available) v->available = granted;
    VV_TRY(vv_new(&v->leader, (size_t)v->n, sizeof *v->leader));
    find_huddles(v);
    for (int i = 0; i < v->n; i++) {
        int least_bound;
        if (!is_first(v, i)) continue;
        vv_huddle h = huddle_of(v, i, &least_bound);
        note_huddle(c, v, &h, least_bound);
    }
    free(v->leader);
    note_quotas(c, v);
    note_memory(c, v);
    note_numa(c, v);
    note_binding(c, v);
    c->nodes++;
    if (c->least == 0 || v->n < c->least) c->least = v->n;
    if (v->n > c->most) c->most = v->n;
    return VV_OK;
}

static int by_host(const void *a, const void *b, void *context)
{
    const vv_berth *berth = context;
    int x = *(const int *)a, y = *(const int *)b, order = strcmp(berth[x].host, berth[y].host);
    return order ? order : x - y;
}

vv_status vv_crew_count(const vv_berth berth[], int ranks, vv_crew *out)
{
    int *of;
    vv_status status = VV_OK;
    *out = (vv_crew){.ranks = ranks};
    VV_TRY(vv_new(&of, (size_t)ranks, sizeof *of));
    for (int i = 0; i < ranks; i++) of[i] = i;
    qsort_r(of, (size_t)ranks, sizeof *of, by_host, (void *)(uintptr_t)berth);
    for (int i = 0, end; status == VV_OK && i < ranks; i = end) {
        for (end = i; end < ranks && !strcmp(berth[of[i]].host, berth[of[end]].host);) end++;
        node v = {.berth = berth, .of = of + i, .n = end - i};
        status = count_node(out, &v);
    }
    free(of);
    return status;
}

/* --- for people --- */

static const char *plural(int n)
{
    return n == 1 ? "" : "s";
}

/* "2", "2 to 4" */
static const char *span(int least, int most, char out[32])
{
    snprintf(out, 32, least == most ? "%d" : "%d to %d", least, most);
    return out;
}

static const char *origin(const vv_crew *c, vv_bytes memory)
{
    static const char *const name[] = {[VV_LIMIT_MACHINE] = "a share of the machine's",
                                       [VV_LIMIT_SLURM_NODE] = "by SLURM_MEM_PER_NODE",
                                       [VV_LIMIT_SLURM_CPU] = "by SLURM_MEM_PER_CPU",
                                       [VV_LIMIT_CGROUP] = "by the control group"};
    return memory == c->memory ? name[c->memory_kind] : "as was asked for";
}

void vv_crew_line(const vv_crew *c, int threads, vv_bytes memory, char *out, size_t size)
{
    char text[3][32], where[64] = "", binding[64] = "not bound";
    if (c->ranks > 1) snprintf(where, sizeof where, ", %s each", span(c->least, c->most, text[0]));
    if (c->bound)
        snprintf(binding, sizeof binding, "bound to %s CPU%s each", span(c->fewest_cpus, c->most_cpus, text[1]),
                 plural(c->most_cpus));
    snprintf(out, size, "%d on %d node%s%s; %s; %d thread%s each%s; %s of memory each, %s", c->ranks, c->nodes,
             plural(c->nodes), where, binding, threads, plural(threads),
             c->by_quota && threads == c->threads ? ", by the control group's quota" : "",
             vv_bytes_text(memory, text[2]), origin(c, memory));
}

static bool crowded(const vv_crew *c, int threads, bool allowed, char *out, size_t size)
{
    const vv_huddle *h = &c->tightest;
    char more[128] = "", who[32] = "a rank";
    bool known = threads == 1 && (allowed || c->needless.ranks > 0); /* asked for, or told already */
    if ((int64_t)h->ranks * threads <= h->cpus || known) return false;
    if (h->ranks > 1) snprintf(who, sizeof who, "%d ranks", h->ranks);
    if (h->cpus < h->available)
        snprintf(more, sizeof more,
                 ", or bind ranks to more CPUs (mpirun --map-by slot:PE=%d, srun --cpus-per-task=%d)", threads,
                 threads);
    if (threads == 1)
        snprintf(out, size, "%d ranks on %s have %d CPU%s in all: fewer ranks would be faster", h->ranks, h->host,
                 h->cpus, plural(h->cpus));
    else
        snprintf(out, size, "%s on %s may use %d CPU%s, but %d threads%s were asked for: use --threads %d%s", who,
                 h->host, h->cpus, plural(h->cpus), threads, h->ranks == 1 ? "" : " each", c->threads, more);
    return true;
}

static bool shares_needlessly(const vv_crew *c, char *out, size_t size)
{
    const vv_huddle *h = &c->needless;
    if (h->ranks == 0) return false;
    snprintf(out, size,
             "%d ranks on %s share %d CPU%s, though there are %d: bind them apart (mpirun --bind-to core, srun "
             "--cpu-bind=cores)",
             h->ranks, h->host, h->cpus, plural(h->cpus), h->available);
    return true;
}

static bool is_narrow(const vv_crew *c, char *out, size_t size)
{
    int n = c->narrow.ranks;
    if (n == 0) return false;
    snprintf(out, size,
             "%s on %s %s on one NUMA node of %d, so that memory is as fast as that one: spread them (mpirun --map-by "
             "numa, srun --distribution=block:cyclic)",
             n == 1 ? "the rank" : "all ranks", c->narrow.host, n == 1 ? "is" : "are", c->narrow.nodes);
    return true;
}

bool vv_crew_warning(const vv_crew *c, int threads, bool allowed, int i, char *out, size_t size)
{
    int at = -1;
    if (shares_needlessly(c, out, size) && ++at == i) return true;
    if (crowded(c, threads, allowed, out, size) && ++at == i) return true;
    return is_narrow(c, out, size) && ++at == i;
}
