/* The engine: runs this rank's share of a plan.
 *
 * Every rank works out its own units (plan/place.h) and runs them on its threads as they become ready (agenda.h). A finished leaf goes into the tree of its
 * output chunk: it is combined with its sibling when that one is here, kept when it will come, sent up when the parent lives elsewhere. A finished chunk
 * is delivered to the file or to rank 0, and pushed into the inboxes of the units that wait for it, here and on other ranks (store.h). The main thread is
 * the only one that talks to other ranks; between chunks of its own work it looks for messages.
 *
 * Failure: the first error of a rank is kept, everybody is told to cancel, tasks end at the next chunk, and all ranks meet in the agreement that ends
 * every run. No rank ever waits for a message that a failed rank owes it. */
#ifndef VV_EXEC_ENGINE_H
#define VV_EXEC_ENGINE_H

#include "exec/net/net.h"
#include "exec/push/keep.h"
#include "plan/cost/cost.h"

/* What time goes to. Seconds of all threads together; kernel is everything between inflating and a finished state. */
typedef enum vv_spending {
    VV_SPENT_READ,
    VV_SPENT_INFLATE,
    VV_SPENT_KERNEL,
    VV_SPENT_SEND,  /* into inboxes, here and elsewhere */
    VV_SPENT_WAIT,  /* for units that can run, before one of this step */
    VV_SPENT_WRITE, /* encoding, compressing and writing: of the write or gather step */
    VV_SPENDINGS
} vv_spending;
extern const char *const vv_spending_name[VV_SPENDINGS];

/* What a step did on all ranks together. */
typedef struct vv_step_counts {
    vv_index tasks;
    vv_bytes read;    /* stored bytes */
    vv_bytes pushed;  /* into inboxes */
    vv_bytes written; /* of a write step */
    double seconds[VV_SPENDINGS];
} vv_step_counts;

/* What a rank tells the coordinator of itself while it runs. */
typedef struct vv_rank_report {
    vv_index done, units; /* of its own share; units 0: it has told nothing yet */
    vv_bytes read, resident;
    char host[32];
} vv_rank_report;

/* What a thread did: units of a step, one behind the other, of several steps, or bytes that it wrote when all was computed. */
enum { VV_EVENT_SEVERAL = -1, VV_EVENT_COMMIT = -2 };
typedef struct vv_event {
    int64_t begin, end; /* nanoseconds since 1970, by the clock of the rank's machine */
    vv_index units;
    vv_bytes read;    /* stored bytes */
    float seconds[3]; /* the first three of vv_spending */
    int32_t step;     /* or VV_EVENT_ */
} vv_event;

/* What all threads of a rank did while a plan ran; see trace.c. */
typedef struct vv_rank_trace {
    int rank, threads;
    char host[32];
    vv_bytes peak;         /* resident set so far */
    const vv_index *n;     /* events by thread */
    const vv_event *event; /* of the first thread, the second one ... */
} vv_rank_trace;

/* What only the coordinator has, and who listens. All may be NULL. */
typedef struct vv_hooks {
    vv_chunk_at *const *index; /* coordinator: by source, all chunks; NULL where none is needed */
    vv_chunk_at *const
        *places;         /* coordinator: by write step, of chunks that have one before the run (vv_step.told_to) */
    void *const *gather; /* coordinator: by step, the buffer of a gather step */
    /* Coordinator: gives compressed chunks of an output variable their places. */
    vv_status (*place)(void *context, int variable, vv_index n, const vv_index *chunks, const uint32_t *sizes,
                       vv_bytes *address);
    void (*progress)(void *context, const vv_rank_report rank[], int ranks); /* coordinator, with plan->report_every */
    int (*asked)(void *context); /* how often somebody has asked for the journal to be written; may grow at any time */
    int (*signalled)(void *context); /* a signal's number when the user wants an end, else 0 */
    void *context;
    double born; /* when planning began, by vv_clock(); for the statistics */
    /* Coordinator, at the end of a run that succeeds: by step, plan->n_steps of them. */
    void (*counted)(void *context, const vv_step_counts *counts);
    /* Coordinator, with plan->trace: likewise, rank by rank as they tell it. */
    void (*traced)(void *context, const vv_rank_trace *t);
    vv_keep *keep; /* held arrays of this rank; without it a plan can neither keep nor use any */
} vv_hooks;

typedef struct vv_engine_stats {
    vv_index tasks;
    vv_bytes read, moved, written; /* of all ranks */
    vv_bytes across;               /* of what was moved: between machines */
    vv_index messages;       /* with elements and partial results, as the plan has them: some may travel together */
    vv_index sends, control; /* messages that MPI was given: with these, and all others while the plan ran */
    vv_bytes peak;           /* largest resident set of any rank */
    vv_bytes spilled;        /* to scratch directories, of all ranks */
    vv_index bad;            /* damaged chunks that were filled, of all ranks */
    vv_bytes held;           /* of held arrays in memory, of all ranks */
    int64_t ready_us;        /* from the begin of planning until the last rank was ready to run, microseconds */
} vv_engine_stats;

/* Whether large blocks of the output go straight to the disk: it is large itself. VARVE_DIRECT: 0 for never, 1 for any size. */
bool vv_writes_direct(const vv_plan *p);

/* Collective: all ranks with the same plan; all return the same code. A rank that could not get its plan passes NULL, with its error
 * recorded: then all fail. */
VV_WARN_UNUSED vv_status vv_engine_run(vv_net *net, const vv_plan *plan, const vv_hooks *hooks, vv_engine_stats *stats);

#endif
