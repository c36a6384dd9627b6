/* A graph as a table: dependencies in compressed rows, their inverse made here once. */
#include "exec/graph/graph.h"

#include <stdlib.h>
#include <string.h>

static const vv_graph_table *table(const vv_graph *g)
{
    return g->context;
}

static int owner(const vv_graph *g, vv_index task, int ranks)
{
    const vv_graph_table *t = table(g);
    return t->owner ? t->owner[task] % ranks : (int)(task / vv_ceil_div(g->n, ranks));
}

static int copy_row(const vv_index *first, const vv_index *entry, vv_index task, vv_index out[])
{
    vv_index n = first[task + 1] - first[task];
    for (vv_index i = 0; i < n; i++) out[i] = entry[first[task] + i];
    return (int)n;
}

static int inputs(const vv_graph *g, vv_index task, vv_index from[])
{
    return copy_row(table(g)->first, table(g)->input, task, from);
}

static int consumers(const vv_graph *g, vv_index task, vv_index to[])
{
    return copy_row(table(g)->first_consumer, table(g)->consumer, task, to);
}

static vv_bytes size_of(const vv_graph *g, vv_index task)
{
    return table(g)->size[task];
}

static vv_status run(const vv_graph *g, vv_index task, int n, const void *const in[], const vv_bytes size[], void *out)
{
    return table(g)->run(table(g)->context, task, n, in, size, out);
}

static vv_status longest_row(const vv_index *first, vv_index n, const char *what, int *out)
{
    vv_index longest = 0;
    for (vv_index t = 0; t < n; t++) longest = vv_imax(longest, first[t + 1] - first[t]);
    if (longest > INT32_MAX) return vv_fail(VV_ERR_USAGE, "a task has %lld %s", (long long)longest, what);
    *out = (int)longest;
    return VV_OK;
}

static vv_status check_rows(const vv_graph_table *t)
{
    if (t->first[0] != 0) return vv_fail(VV_ERR_USAGE, "the inputs of task 0 do not begin at 0");
    for (vv_index task = 0; task < t->graph.n; task++) {
        if (t->first[task + 1] < t->first[task])
            return vv_fail(VV_ERR_USAGE, "task %lld has a negative number of inputs", (long long)task);
        if (t->size[task] < 0) return vv_fail(VV_ERR_USAGE, "task %lld has a result of negative size", (long long)task);
        if (t->owner && t->owner[task] < 0) return vv_fail(VV_ERR_USAGE, "task %lld has no owner", (long long)task);
        for (vv_index i = t->first[task]; i < t->first[task + 1]; i++)
            if (t->input[i] < 0 || t->input[i] >= task)
                return vv_fail(VV_ERR_USAGE, "task %lld cannot use the result of task %lld", (long long)task,
                               (long long)t->input[i]);
    }
    return VV_OK;
}

/* Counting sort of the edges by their input; consumers come out in ascending order. */
static vv_status invert(vv_graph_table *t)
{
    vv_index n = t->graph.n, *next;
    VV_TRY(vv_new(&t->first_consumer, (size_t)n + 2, sizeof *t->first_consumer));
    VV_TRY(vv_new(&t->consumer, (size_t)t->first[n], sizeof *t->consumer));
    next = t->first_consumer + 1; /* shifted by one: filling moves each start to its end */
    for (vv_index i = 0; i < t->first[n]; i++) next[t->input[i] + 1]++;
    for (vv_index task = 0; task < n; task++) next[task + 1] += next[task];
    for (vv_index task = 0; task < n; task++)
        for (vv_index i = t->first[task]; i < t->first[task + 1]; i++) t->consumer[next[t->input[i]]++] = task;
    return VV_OK;
}

static vv_status build(vv_graph_table *t)
{
    VV_TRY(check_rows(t));
    VV_TRY(longest_row(t->first, t->graph.n, "inputs", &t->graph.max_inputs));
    VV_TRY(invert(t));
    return longest_row(t->first_consumer, t->graph.n, "consumers", &t->graph.max_consumers);
}

vv_status vv_graph_table_open(vv_graph_table *out, vv_index n, const vv_index *first, const vv_index *input,
                              const int *owners, const vv_bytes *size)
{
    *out = (vv_graph_table){.first = first, .input = input, .owner = owners, .size = size};
    out->graph = (vv_graph){
        .n = n, .owner = owner, .inputs = inputs, .consumers = consumers, .size = size_of, .run = run, .context = out};
    vv_status status = build(out);
    if (status != VV_OK) vv_graph_table_free(out);
    return status;
}

void vv_graph_table_free(vv_graph_table *t)
{
    free(t->first_consumer);
    free(t->consumer);
    *t = (vv_graph_table){0};
}
