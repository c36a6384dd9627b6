/* Transport: how ranks talk. One small interface, two worlds behind it: MPI, and one process alone that never calls MPI.
 *
 * Messages are blocks of bytes with a tag. Sending is nonblocking and takes the block (it is freed when the receiver has it); receiving is
 * polled. Nothing here waits: loops back off with vv_backoff when nothing moves, so an idle rank uses no core. One thread per
 * process uses a net.
 *
 * Agreement ends a phase: every rank enters it once all its sends were received (sends are synchronous for that reason), with its
 * own failure or none; the lowest failing rank's failure wins everywhere. Numbers are summed and maximised on the way. When an agreement
 * is done no message of the phase is under way any more.
 *
 * Ranks are numbered machine by machine, whatever order the launcher has: neighbours in a tree of partial results, or in a stretch of an array, are then mostly on
 * the same machine, and what these combine crosses to another one once. */
#ifndef VV_EXEC_NET_H
#define VV_EXEC_NET_H

#include "base/index.h"
#include "base/mem.h"

/* Every tag there is. */
typedef enum vv_tag {
    VV_TAG_PLAN = 1, /* coordinator: a plan to run */
    VV_TAG_QUIT,     /* coordinator: the driver has returned */
    VV_TAG_HEADERS,  /* coordinator: files whose headers to read; back: the headers */
    VV_TAG_VERIFY,   /* coordinator: records of a journal; back: which of them are whole */
    VV_TAG_INDEX,    /* coordinator: where the chunks of a rank's tasks lie */
    VV_TAG_STATE,    /* a partial result, up its tree */
    VV_TAG_RESULT,   /* a finished chunk for rank 0's memory */
    VV_TAG_SIZES,    /* compressed chunks of a rank, for the coordinator to place */
    VV_TAG_PLACES,   /* their addresses */
    VV_TAG_TURN,     /* of collective writing: what a rank has to write next; back: what all write */
    VV_TAG_CANCEL,   /* a rank has failed: stop */
    VV_TAG_PROGRESS, /* tasks done, for the coordinator */
    VV_TAG_PIECES,   /* elements for inboxes of another rank */
    VV_TAG_COUNTS,   /* what a rank counted by step, for the coordinator */
    VV_TAG_TRACE,    /* what its threads did when, likewise */
    VV_TAG_ACT,      /* to the coordinator: acts that a rank has ended; from it: the act that begins */
    VV_TAG_QUIET,    /* a rank has had nothing to do for a while */
    VV_TAG_BATCH,    /* of a task graph: small results, credits, where a rank is */
    VV_TAG_BLOCK,    /* of a task graph: a large result */
    VV_TAG_TASKS,    /* coordinator: tasks will come */
    VV_TAG_TASK,     /* of tasks that are handed out: records of exec/tasks/wire.h */
    VV_TAG_VALUE,    /* likewise: a value */
    VV_TAG_STOP,     /* coordinator: all tasks have failed; back: there are none here any more */
    VV_TAG_BIG       /* announces a message that comes in pieces */
} vv_tag;

typedef struct vv_message {
    int from;
    vv_tag tag;
    vv_bytes size;
    void *data; /* from vv_mem_get; the receiver's now */
} vv_message;

enum { VV_AGREE_SUMS = 11, VV_AGREE_MAXES = 2 };
typedef struct vv_agreement {
    vv_failure failure; /* in: this rank's, code VV_OK for none; out: the one that all ranks return */
    int64_t sum[VV_AGREE_SUMS];
    int64_t max[VV_AGREE_MAXES];
} vv_agreement;

typedef struct vv_net vv_net;
typedef struct vv_net_kind {
    const char *name;
    vv_status (*send)(vv_net *n, int to, vv_tag tag, void *data, vv_bytes size);
    vv_status (*receive)(vv_net *n, vv_message *m, bool *got);
    vv_status (*gather)(vv_net *n, const void *mine, int size, void *all);
    vv_status (*agree_begin)(vv_net *n, vv_agreement *a);
    vv_status (*agree_test)(vv_net *n, bool *done);
    void (*close)(vv_net *n);
} vv_net_kind;

struct vv_net {
    const vv_net_kind *kind;
    int rank, size;
    void *communicator;      /* the address of MPI's, for libraries that talk by themselves; NULL without MPI */
    int local;               /* ranks on this machine, this one among them */
    int *node, nodes;        /* by rank: the number of its machine; how many there are. NULL: one */
    int sending;             /* messages sent and not yet received */
    vv_bytes sending_bytes;  /* in those */
    bool discarding;         /* incoming messages are thrown away: they no longer count against the budget */
    bool broken;             /* given up in the middle of an agreement: MPI cannot be finalized any more */
    vv_index sends, control; /* messages since the last reset: with elements or partial results, and all others */
    struct vv_early *early;  /* messages put back */
    struct vv_bell *bell;    /* by rank: of those on this machine; NULL: they have none */
};

static inline bool vv_net_crosses(const vv_net *n, int to)
{
    return n->node && n->node[to] != n->node[n->rank];
}

/* MPI when the process was started with other ranks beside it, else one process alone. */
VV_WARN_UNUSED vv_status vv_net_open(int *argc, char ***argv, vv_net **out);
/* Finalizes MPI unless the net was broken. */
void vv_net_close(vv_net **n);

/* data is a block from vv_mem_get and belongs to the net from here on, whatever happens; *data_address becomes NULL. */
VV_WARN_UNUSED vv_status vv_net_send(vv_net *n, int to, vv_tag tag, void *data_address, vv_bytes size);
/* Copies `size` bytes and sends the copy. */
VV_WARN_UNUSED vv_status vv_net_send_copy(vv_net *n, int to, vv_tag tag, const void *data, vv_bytes size);
/* The same for what a rank must hear, or it would never meet the others in an agreement: a send that fails is tried again, and when that is no use the
 * net is broken, and only the launcher can end the job. */
VV_WARN_UNUSED vv_status vv_net_send_surely(vv_net *n, int to, vv_tag tag, const void *data, vv_bytes size);
/* Moves everything along; *got with a message when one has arrived whole. */
VV_WARN_UNUSED vv_status vv_net_receive(vv_net *n, vv_message *m, bool *got);

/* Collective, when nothing is under way, and waits: rank 0 gets `size` bytes of every rank, in their order. all: on rank 0 only. */
VV_WARN_UNUSED vv_status vv_net_gather(vv_net *n, const void *mine, int size, void *all);

/* Puts a message back: it is received again, before newer ones. For who waits for one message and gets others first. */
VV_WARN_UNUSED vv_status vv_net_put_back(vv_net *n, const vv_message *m);

/* Waiting without burning a core: spins shortly, then sleeps longer and longer, 2 ms at most. */
typedef struct vv_backoff {
    int idle;
} vv_backoff;
void vv_backoff_wait(vv_backoff *b);
static inline void vv_backoff_reset(vv_backoff *b)
{
    b->idle = 0;
}

/* Monotonic seconds; and seconds that mean the same on all ranks, as well as the machines' clocks agree. */
double vv_now(void);
double vv_clock(void);

vv_status vv_net_self_open(vv_net **out);
vv_status vv_net_mpi_open(int *argc, char ***argv, vv_net **out);

#endif
