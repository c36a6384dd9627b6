/* Whether a graph's functions agree with each other: for tests of graphs. */
#include "exec/graph/graph.h"

#include <stdlib.h>

typedef struct lists {
    const vv_graph *g;
    int ranks;
    vv_index *in, *out;
    vv_index edges_in, edges_out;
} lists;

static int count(const vv_index list[], int n, vv_index task)
{
    int times = 0;
    for (int i = 0; i < n; i++) times += list[i] == task;
    return times;
}

/* Each consumer names the task as often as the task names it. */
static vv_status check_consumers(lists *l, vv_index task)
{
    const vv_graph *g = l->g;
    int n = g->consumers(g, task, l->out);
    if (n < 0 || n > g->max_consumers)
        return vv_fail(VV_ERR_INTERNAL, "task %lld has %d consumers", (long long)task, n);
    l->edges_out += n;
    for (int i = 0; i < n; i++) {
        vv_index to = l->out[i];
        if (to <= task || to >= g->n)
            return vv_fail(VV_ERR_INTERNAL, "task %lld names consumer %lld", (long long)task, (long long)to);
        if (count(l->in, g->inputs(g, to, l->in), task) != count(l->out, n, to))
            return vv_fail(VV_ERR_INTERNAL, "task %lld names consumer %lld, which does not name it as often",
                           (long long)task, (long long)to);
    }
    return VV_OK;
}

static vv_status check_task(lists *l, vv_index task)
{
    const vv_graph *g = l->g;
    int n = g->inputs(g, task, l->in), owner = g->owner(g, task, l->ranks);
    if (n < 0 || n > g->max_inputs) return vv_fail(VV_ERR_INTERNAL, "task %lld has %d inputs", (long long)task, n);
    if (owner < 0 || owner >= l->ranks)
        return vv_fail(VV_ERR_INTERNAL, "task %lld belongs to rank %d of %d", (long long)task, owner, l->ranks);
    for (int i = 0; i < n; i++)
        if (l->in[i] < 0 || l->in[i] >= task)
            return vv_fail(VV_ERR_INTERNAL, "task %lld names input %lld", (long long)task, (long long)l->in[i]);
    for (int rank = 0; g->own && rank < l->ranks; rank++)
        if ((g->own(g, rank, l->ranks, task) == task) != (rank == owner))
            return vv_fail(VV_ERR_INTERNAL, "task %lld and the tasks of rank %d disagree", (long long)task, rank);
    l->edges_in += n;
    return check_consumers(l, task);
}

vv_status vv_graph_check(const vv_graph *g, int ranks)
{
    lists l = {.g = g, .ranks = ranks};
    VV_TRY(vv_new(&l.in, (size_t)g->max_inputs, sizeof *l.in));
    vv_status status = vv_new(&l.out, (size_t)g->max_consumers, sizeof *l.out);
    for (vv_index task = 0; status == VV_OK && task < g->n; task++) status = check_task(&l, task);
    free(l.in);
    free(l.out);
    VV_TRY(status);
    if (l.edges_in != l.edges_out)
        return vv_fail(VV_ERR_INTERNAL, "%lld uses of inputs, but %lld of them are known to the consumers",
                       (long long)l.edges_in, (long long)l.edges_out);
    return VV_OK;
}
