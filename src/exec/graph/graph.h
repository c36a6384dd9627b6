/* Explicit task graphs: tasks that depend on results of other tasks, run by all ranks together.
 *
 * A graph is a set of pure functions that give the same answers on every rank: who owns a task, what it needs, who needs it. Nothing is stored per
 * task: a rank walks its own tasks in order of their numbers, with a bounded number of them open, and forgets a task when it has run and
 * its result when the last consumer on this rank has used it and every other rank that wants it has got it. So memory follows
 * what is alive, not the size of the graph. Graphs that do have a list - delayed, futures - are written as a table (vv_graph_table), which implements the same functions.
 *
 *     static int inputs(const vv_graph *g, vv_index task, vv_index from[])
 *     {
 *         from[0] = task - 1;
 *         return task > 0;
 *     }
 *
 * Invariants
 * - An input has a lower number than the task that uses it. The numbers are the static order: what should come first gets a low one.
 * - consumers() is the exact inverse of inputs(), also in how often (an input used twice names its consumer twice).
 * - A result crosses to another rank once, however many tasks use it there. Small ones wait for each other and go in one message for each rank
 *   and turn of the engine.
 * - Credits: a rank never holds more than options.credit bytes of one sender's results that are not used up (or a single one), beyond inputs that its
 *   oldest task could not go on without.
 * - No deadlock: the unfinished task with the lowest number of all ranks can always run. Its inputs exist; where a lack of credit holds one
 *   back, the rank that waits says which task is its oldest (its front), and what a front needs is sent without credit. graph_peer.c tells more.
 * - Any failure ends the run on all ranks with the same message; the ranks meet in the agreement of settle.h.
 *
 * Which result a task computes does not depend on ranks, threads, policy or messages: `fuzz` shuffles all of them, for tests. */
#ifndef VV_EXEC_GRAPH_H
#define VV_EXEC_GRAPH_H

#include "exec/net/net.h"
#include "exec/sched.h"

typedef struct vv_graph vv_graph;
struct vv_graph {
    vv_index n; /* tasks 0 .. n-1 */
    int max_inputs, max_consumers;
    int (*owner)(const vv_graph *g, vv_index task, int ranks);
    /* How many there are, at most max_inputs or max_consumers. */
    int (*inputs)(const vv_graph *g, vv_index task, vv_index from[]);
    int (*consumers)(const vv_graph *g, vv_index task, vv_index to[]);
    vv_bytes (*size)(const vv_graph *g, vv_index task); /* of its result */
    /* Local, on any thread of the owner: makes the result of a task from its inputs, in the order of inputs(). out is aligned to 16 bytes. */
    vv_status (*run)(const vv_graph *g, vv_index task, int n, const void *const in[], const vv_bytes size[], void *out);
    /* The first task of a rank that is not below `from`; n or more when there is none. NULL: found by asking owner() for each. */
    vv_index (*own)(const vv_graph *g, int rank, int ranks, vv_index from);
    const void *context;
};

typedef struct vv_graph_options {
    int threads;        /* of this rank, the calling one among them; 0: one */
    vv_index lookahead; /* own tasks from the oldest unfinished one to the newest open one, at most; 0: 1024 */
    vv_bytes
        credit; /* bytes of results, bookkeeping included, that a rank may have sent another and that are not used up there; 0: 4 MiB */
    const vv_sched *sched; /* NULL: critical path first */
    uint64_t fuzz;         /* not 0: a seed; order of tasks and moment of sends are random */
    /* The rank on which deliver() is called with a task's result, -1 for none. NULL: none anywhere. */
    int (*target)(const vv_graph *g, vv_index task, int ranks);
    /* One call at a time, on any thread; data is valid during the call. */
    vv_status (*deliver)(void *context, vv_index task, const void *data, vv_bytes size);
    int (*signalled)(void *context); /* as in vv_hooks */
    void *context;
} vv_graph_options;

/* Of all ranks. Seconds are summed over threads; those of short kernels and sends come from samples. */
typedef struct vv_graph_stats {
    vv_index tasks, messages;
    vv_bytes moved; /* in messages about results, headers included */
    double kernel, send, wait;
    vv_index live;    /* most open tasks and kept results on any rank */
    vv_bytes waiting; /* most of what credits count that any rank held of one sender */
} vv_graph_stats;

/* Collective: the same graph and options everywhere; all ranks return the same code. */
VV_WARN_UNUSED vv_status vv_graph_run(vv_net *net, const vv_graph *g, const vv_graph_options *o, vv_graph_stats *stats);

/* For tests of graphs: the functions keep their promises (numbers, bounds, inverse, own). Slow. */
VV_WARN_UNUSED vv_status vv_graph_check(const vv_graph *g, int ranks);

/* A graph that is written down. The arrays belong to the caller and outlive the table. */
typedef struct vv_graph_table {
    vv_graph graph; /* to run; its context is the table */
    const vv_index *first, *input;
    const int *owner;
    const vv_bytes *size;
    vv_index *first_consumer, *consumer;
    vv_status (*run)(void *context, vv_index task, int n, const void *const in[], const vv_bytes size[], void *out);
    void *context;
} vv_graph_table;

/* Task t uses input[first[t]] .. input[first[t + 1] - 1]; first has n + 1 entries. owner may be NULL: blocks of equal length. size[t]: bytes of its
 * result. *out does not move while it is used; free it with vv_graph_table_free. Errors: VV_ERR_USAGE for an input that is not below its task. */
VV_WARN_UNUSED vv_status vv_graph_table_open(vv_graph_table *out, vv_index n, const vv_index *first,
                                             const vv_index *input, const int *owner, const vv_bytes *size);
void vv_graph_table_free(vv_graph_table *t);

#endif
