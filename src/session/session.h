/* A session: what vv_run sets up, shared by the files of this folder. Lives on rank 0 with the driver; the other ranks hold the net only. */
#ifndef VV_SESSION_SESSION_H
#define VV_SESSION_SESSION_H

#include "array/node.h"
#include "exec/engine.h"
#include "plan/lower.h"
#include "varve/output.h"
#include "varve/session.h"

struct vv_session {
    vv_context context; /* arrays and opened files */
    vv_net *net;
    vv_bytes memory;
    int threads;
    int placement; /* -1: the planner chooses */
    vv_progress_mode progress;
    vv_run_stats stats;
};

/* A plan with everything the coordinator needs to run it. */
typedef struct vv_prepared {
    vv_lowering lowering;
    vv_cost cost;
    double born;         /* when planning began, by vv_clock() */
    vv_bytes baseline;   /* resident before the plan's own memory */
    vv_chunk_at **index; /* by source */
    void **gather;       /* by step: buffers, not owned */
    vv_writer *writer;   /* of compressed outputs; not owned */
} vv_prepared;

/* Lowers targets, collects chunk indexes and computes the cost. extra: bytes of results that rank 0 holds and writes itself. */
VV_WARN_UNUSED vv_status vv_prepare(vv_session *s, vv_target targets[], int n, vv_bytes extra, vv_prepared *out);
/* Cost again, after write steps have got their layout. */
VV_WARN_UNUSED vv_status vv_prepare_cost(vv_prepared *p, vv_bytes extra);
void vv_prepared_free(vv_prepared *p);
/* Checks the budget; then sends the plan to all ranks and runs it. */
VV_WARN_UNUSED vv_status vv_prepared_run(vv_session *s, vv_prepared *p);
/* The text of an explanation; freed with free(). */
VV_WARN_UNUSED vv_status vv_prepared_explain(vv_session *s, vv_prepared *p, vv_explain_form form, char **text);

/* limits.c: what the machine and the launcher leave to this rank. */
vv_bytes vv_default_memory(int ranks);
int vv_default_threads(int ranks);

/* signals.c: the signal that asked this process to end, 0 for none. */
void vv_signals_catch(void);
int vv_signals_seen(void *unused);

/* serve.c: a message to all ranks along a binomial tree; every receiver calls it again with its own rank. */
VV_WARN_UNUSED vv_status vv_spread(vv_net *net, vv_tag tag, const void *data, vv_bytes size);
/* Ranks other than 0: runs plans until the coordinator quits; returns the exit status. */
int vv_serve(vv_net *net);

#endif
