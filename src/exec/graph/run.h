/* Inside the engine of task graphs: what its files share while a graph runs on this rank.
 *
 * A node is a task that is open here, or a result that is here or expected; often first one, then the other. All of it is guarded by one lock,
 * which exists only when there are helper threads. */
#ifndef VV_EXEC_GRAPH_RUN_H
#define VV_EXEC_GRAPH_RUN_H

#include "exec/graph/graph.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    VV_NODE_SMALL = 64, /* bytes of a result that fit into its node */
    VV_NODE_EDGES = 4,  /* inputs that fit into it */
    VV_BLOCK_HEADER =
        64 /* in front of larger results: room for the header of a message, so that a block can be sent as it is */
};

typedef struct vv_graph_edge {
    struct vv_node *input, *waiter;
    struct vv_graph_edge *next; /* of those that wait for the same input */
} vv_graph_edge;

typedef struct vv_node {
    vv_index task;
    struct vv_node *chain;  /* in its bucket, or in the pool */
    vv_graph_edge *waiting; /* open tasks that wait for this result */
    vv_graph_edge *in;      /* of an open task */
    vv_index position;      /* of an open task among those of this rank */
    int n_in, missing;      /* inputs, and how many of them are not here */
    int from;               /* rank that made the result */
    bool here;              /* the result is */
    int users;              /* uses by tasks of this rank that are still to come; known once the result is here */
    int sends;              /* messages that still need it */
    vv_bytes size;
    void *data;
    char *block; /* of a result that is not small: header, then data */
    vv_graph_edge few[VV_NODE_EDGES];
    _Alignas(16) char small[VV_NODE_SMALL];
} vv_node;

/* All nodes by task number, and a pool of free ones. */
typedef struct vv_graph_store {
    vv_node **bucket;
    int bits; /* log2 of the number of buckets */
    vv_index n, most;
    vv_node *pool;
    struct vv_slab *slabs;
} vv_graph_store;

/* Another rank, as seen from here. */
typedef struct vv_peer {
    char *batch; /* message in the making */
    vv_bytes fill;
    vv_heap held;         /* nodes whose results it wants and may not get yet, by their first consumer there */
    bool dirty;           /* in vv_graph_state.dirty: something may have to be sent */
    bool lacking;         /* the oldest task here waits for a result of that rank */
    vv_bytes outstanding; /* sent and not used up there */
    vv_bytes waiting;     /* received and not used up here */
    vv_bytes owed;        /* used up here, and not told yet */
    vv_index front;       /* its oldest unfinished task, as last told */
    vv_index told;        /* the front that was told to it */
    int64_t stamp;        /* of the task that was last routed to it */
    vv_index first;       /* that task's first consumer there */
} vv_peer;

/* Measures every long event and one of SAMPLE short ones. */
typedef struct vv_meter {
    double start, seconds, last;
    int stride, left;
} vv_meter;

/* One thread. */
typedef struct vv_hand {
    struct vv_graph_state *run;
    pthread_t thread;
    vv_meter kernel;
    const void **in;
    vv_bytes *size;
} vv_hand;

typedef struct vv_graph_state {
    vv_net *net;
    const vv_graph *graph;
    vv_graph_options o;
    int me, ranks;
    bool crowded; /* this machine runs more threads than it has cores */

    pthread_mutex_t lock; /* guards everything below when there are helpers */
    pthread_cond_t work;  /* there may be ready tasks, or the end */
    int sleeping;
    bool stop;
    _Atomic int cancelled;
    vv_failure failure; /* the first one here */

    vv_graph_store store;
    vv_heap ready;
    vv_node **open;          /* by position among this rank's tasks, modulo lookahead; NULL: finished */
    vv_index oldest, newest; /* positions: unfinished ones begin here, unopened ones here */
    vv_index next;           /* number of the task at `newest`; graph->n at the end */
    vv_index *list;          /* for inputs and consumers */
    vv_index due;            /* deliveries from other ranks that have not come */
    vv_index tasks;          /* that have run */
    vv_index seen;           /* of them, when the main thread last looked */
    uint64_t random;         /* state of the fuzzer */

    vv_peer *peer; /* by rank */
    int *dirty, n_dirty;
    int *dest; /* for routing */
    int64_t stamp;
    vv_bytes held; /* bytes in all peers' heaps */
    vv_index messages;
    vv_bytes moved, waiting; /* waiting: most that any peer had */
    vv_meter send;
} vv_graph_state;

/* --- graph_store.c --- */
VV_WARN_UNUSED vv_status vv_graph_store_open(vv_graph_store *s);
void vv_graph_store_close(vv_graph_store *s);
vv_node *vv_graph_store_find(const vv_graph_store *s, vv_index task);
VV_WARN_UNUSED vv_status vv_graph_store_add(vv_graph_store *s, vv_index task, vv_node **out);
void vv_graph_store_drop(vv_graph_store *s, vv_node *n);
/* Room for a result of n->size bytes: n->data. */
VV_WARN_UNUSED vv_status vv_node_room(vv_node *n);
/* Room for the edges of a task. */
VV_WARN_UNUSED vv_status vv_node_edges(vv_node *n, int inputs);

/* --- graph_live.c: tasks and results from opening to dropping; the caller holds the lock --- */
/* Finds the first own task. */
void vv_live_start(vv_graph_state *r);
/* Opens own tasks while fewer than `enough` are ready and the limits allow it. */
VV_WARN_UNUSED vv_status vv_live_open(vv_graph_state *r, vv_index enough);
/* A task has run. */
VV_WARN_UNUSED vv_status vv_live_finish(vv_graph_state *r, vv_node *n);
/* A result has come: its node, into which the data goes (or `block`, which is taken over), then the call that makes it known. */
VV_WARN_UNUSED vv_status vv_live_expect(vv_graph_state *r, int from, vv_index task, vv_bytes size, vv_node **out);
VV_WARN_UNUSED vv_status vv_live_arrive(vv_graph_state *r, vv_node *n);
/* Drops a result that nobody here needs any more. */
void vv_live_settle(vv_graph_state *r, vv_node *n);
/* The oldest unfinished task of this rank: its number (VV_INDEX_MAX when all are done), and its node or NULL. */
vv_index vv_live_front(const vv_graph_state *r, vv_node **node);

/* --- graph_peer.c: messages about results; the main thread, under the lock --- */
VV_WARN_UNUSED vv_status vv_peers_open(vv_graph_state *r);
void vv_peers_close(vv_graph_state *r);
/* Any thread: a result is wanted on rank `to`, first by task `first` there. */
VV_WARN_UNUSED vv_status vv_peer_want(vv_graph_state *r, int to, vv_node *n, vv_index first);
/* Any thread: `bytes` of a result that came from `from` are used up. */
void vv_peer_used(vv_graph_state *r, int from, vv_bytes size);
VV_WARN_UNUSED vv_status vv_peers_flush(vv_graph_state *r);
VV_WARN_UNUSED vv_status vv_peers_receive(vv_graph_state *r, vv_message *m);
/* This rank has nothing to do: tells those who may wait for it what it has used and what it waits for. */
VV_WARN_UNUSED vv_status vv_peers_idle(vv_graph_state *r);
/* Whether the unopened task `next` may be opened although results are held back. */
bool vv_peers_let(const vv_graph_state *r, vv_index next);

/* --- what all of them use --- */
uint64_t vv_graph_random(vv_graph_state *r);
void vv_meter_start(vv_meter *m);
void vv_meter_stop(vv_meter *m);

#endif
