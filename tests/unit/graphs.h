/* For tests of task graphs: random graphs whose results are byte patterns that follow from a task's number and every byte of its inputs, and the
 * same evaluated naively, one task after the other with all results kept. */
#ifndef VV_TESTS_UNIT_GRAPHS_H
#define VV_TESTS_UNIT_GRAPHS_H

#include "exec/graph/graph.h"
#include "unit/scratch.h"

static inline uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 31) * 0x9e3779b97f4a7c15u;
    return x ^ x >> 29;
}

/* What shape a random graph has. */
typedef struct shape {
    vv_index n;
    int inputs;      /* of a task, at most */
    vv_index reach;  /* how far back they lie, at most */
    vv_bytes size;   /* of a result, at most; some are empty */
    int large_every; /* when not 0: one of so many results has this many bytes: */
    vv_bytes large;
} shape;

typedef struct random_graph {
    vv_graph_table table;
    vv_index *first, *input;
    int *owner;
    vv_bytes *size;
    char **expected;  /* results by task */
    vv_index fail_at; /* this task fails; -1 for none */
    vv_index runs;    /* of this process */
    int *delivered;   /* how often, by task */
} random_graph;

static inline uint64_t hash_bytes(uint64_t h, const char *data, vv_bytes size)
{
    uint64_t word;
    vv_bytes i = 0;
    for (; i + 8 <= size; i += 8) {
        memcpy(&word, data + i, 8);
        h = mix(h ^ word) + (uint64_t)i;
    }
    for (; i < size; i++) h = mix(h ^ (unsigned char)data[i]) + 1;
    return mix(h + (uint64_t)size);
}

static inline void make_result(vv_index task, int n, const void *const in[], const vv_bytes size[], char *out,
                               vv_bytes own)
{
    uint64_t h = mix((uint64_t)task + 12345);
    for (int i = 0; i < n; i++) h = hash_bytes(h + (uint64_t)i, in[i], size[i]);
    vv_bytes i = 0;
    for (; i + 8 <= own; i += 8) memcpy(out + i, &(uint64_t){mix(h + (uint64_t)i)}, 8);
    for (; i < own; i++) out[i] = (char)mix(h + (uint64_t)i);
}

static inline vv_status run_random(void *context, vv_index task, int n, const void *const in[], const vv_bytes size[],
                                   void *out)
{
    random_graph *g = context;
    __atomic_fetch_add(&g->runs, 1, __ATOMIC_RELAXED);
    if (task == g->fail_at) return vv_fail(VV_ERR_RUN, "task %lld fails on purpose", (long long)task);
    make_result(task, n, in, size, out, g->size[task]);
    return VV_OK;
}

static inline void evaluate_naively(random_graph *g, vv_index n)
{
    const void *in[64];
    vv_bytes size[64];
    for (vv_index t = 0; t < n; t++) {
        int inputs = 0;
        for (vv_index i = g->first[t]; i < g->first[t + 1]; i++, inputs++) {
            in[inputs] = g->expected[g->input[i]];
            size[inputs] = g->size[g->input[i]];
        }
        g->expected[t] = malloc((size_t)g->size[t] + 1);
        make_result(t, inputs, in, size, g->expected[t], g->size[t]);
    }
}

static inline void random_graph_open(random_graph *g, shape s, int ranks, uint64_t seed)
{
    uint64_t r = mix(seed + 7);
    *g = (random_graph){.fail_at = -1};
    g->first = calloc((size_t)s.n + 1, sizeof *g->first);
    g->input = calloc((size_t)s.n * (size_t)s.inputs + 1, sizeof *g->input);
    g->owner = calloc((size_t)s.n + 1, sizeof *g->owner);
    g->size = calloc((size_t)s.n + 1, sizeof *g->size);
    g->expected = calloc((size_t)s.n + 1, sizeof *g->expected);
    g->delivered = calloc((size_t)s.n + 1, sizeof *g->delivered);
    for (vv_index t = 0; t < s.n; t++) {
        r = mix(r + (uint64_t)t);
        int inputs = t ? (int)(r % (uint64_t)(s.inputs + 1)) : 0;
        g->first[t + 1] = g->first[t] + inputs;
        vv_index reach = vv_imin(t, s.reach);
        for (int i = 0; i < inputs; i++) { /* now and then the same one twice */
            r = mix(r + 3);
            g->input[g->first[t] + i] = t - 1 - (vv_index)(r % (uint64_t)reach);
        }
        r = mix(r + 5);
        g->owner[t] = (int)(r >> 20) % ranks;
        if (g->owner[t] < 0) g->owner[t] += ranks;
        g->size[t] = (r >> 8) % 7 == 0 ? 0 : (vv_bytes)((r >> 16) % (uint64_t)(s.size + 1));
        if (s.large_every && (vv_index)(r >> 40) % s.large_every == 0) g->size[t] = s.large + (vv_bytes)(r % 9);
    }
    evaluate_naively(g, s.n);
    must(vv_graph_table_open(&g->table, s.n, g->first, g->input, g->owner, g->size));
    g->table.run = run_random;
    g->table.context = g;
}

static inline void random_graph_close(random_graph *g)
{
    for (vv_index t = 0; t < g->table.graph.n; t++) free(g->expected[t]);
    vv_graph_table_free(&g->table);
    free(g->first);
    free(g->input);
    free(g->owner);
    free(g->size);
    free(g->expected);
    free(g->delivered);
}

/* Every result is delivered somewhere else than where it was made, but for some that nobody wants. */
static inline int target_random(const vv_graph *g, vv_index task, int ranks)
{
    (void)g;
    return task % 5 == 4 ? -1 : (int)(mix((uint64_t)task * 31) % (uint64_t)ranks);
}

static inline vv_status check_delivery(void *context, vv_index task, const void *data, vv_bytes size)
{
    random_graph *g = context;
    if (size != g->size[task] || (size && memcmp(data, g->expected[task], (size_t)size)))
        return vv_fail(VV_ERR_CORRUPT, "the result of task %lld differs", (long long)task);
    g->delivered[task]++;
    return VV_OK;
}

static inline void check_delivered(const random_graph *g, int rank, int ranks)
{
    for (vv_index t = 0; t < g->table.graph.n; t++)
        assert_int_equal(g->delivered[t], target_random(&g->table.graph, t, ranks) == rank);
}

#endif
