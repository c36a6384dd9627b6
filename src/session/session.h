/* A session: what vv_run sets up, shared by the files of this folder. Lives on rank 0 with the driver; the other ranks hold the net only. */
#ifndef VV_SESSION_SESSION_H
#define VV_SESSION_SESSION_H

#include "array/node.h"
#include "exec/engine.h"
#include "plan/explain/explain.h"
#include "plan/lower/lower.h"
#include "session/crew.h"
#include "varve/output.h"
#include "varve/session.h"

/* What the driver wants at once, arrays or delayed calls, and all that plans and calls turn out to need for it; see delayed_needed.c. */
typedef struct vv_computation {
    int depth; /* computations of inputs within each other; 0: none is under way */
    const vv_target *target;
    struct vv_delayed *const *call;
    int n_targets, n_calls;
    int64_t *held; /* futures of calls whose results are needed again */
    int n_held;
} vv_computation;

struct vv_session {
    vv_context context; /* arrays and opened files */
    vv_net *net;
    vv_crew crew; /* where the ranks are */
    bool told;    /* the user has been told of that */
    vv_bytes memory;
    int threads;
    int placement; /* -1: the planner chooses */
    int policy;    /* exec/sched.h; -1: $VARVE_POLICY, else memory */
    bool fill_bad; /* damaged chunks become missing values */
    char *scratch; /* NULL: $TMPDIR, else /tmp */
    char *cache;   /* of headers; NULL: $VARVE_CACHE, else none */
    vv_progress_mode progress;
    bool predict; /* exact predictions before each run, for the report */
    vv_run_stats stats;
    char *report;                /* of the last run: predicted beside measured */
    vv_keep *keep;               /* held arrays of this rank */
    int held;                    /* numbers given to held arrays so far */
    int n_drops, *drop;          /* those that the ranks may forget and do not know of yet */
    struct vv_desk *desk;        /* of tasks; NULL: there are none */
    struct vv_graph_book *calls; /* delayed ones; NULL: there are none */
    struct vv_promise *promises; /* arrays that delayed calls will make */
    struct vv_offer *offers;     /* arrays whose chunks are delayed calls */
    vv_computation computation;  /* that is under way */
    bool explaining;             /* a plan is made to be looked at: nothing runs for it */
};

/* Arrays that are held as long as a plan needs that: parts that it shares with arrays that were held for delayed calls. Of an explained plan those that calls would have made: nobody holds them. */
typedef struct vv_lent {
    vv_array **array; /* references */
    int n;
    vv_bytes bytes; /* of a rank */
    bool pretended;
    char *text; /* what would come before the plan; NULL: nothing */
} vv_lent;

/* A plan with everything the coordinator needs to run it. */
typedef struct vv_prepared {
    vv_session *session;
    vv_lowering lowering;
    vv_cost cost;
    vv_bytes extra;        /* that rank 0 holds and writes itself */
    double born;           /* when planning began, by vv_clock() */
    vv_bytes baseline;     /* resident before the plan's own memory */
    vv_bytes kept;         /* of held arrays in memory, in any case */
    vv_chunk_at **index;   /* by source */
    vv_chunk_at **places;  /* by write step: of chunks that have a place before the run */
    void **gather;         /* by step: buffers, not owned */
    vv_writer *writer;     /* of compressed outputs; not owned */
    vv_measured *measured; /* by step, after a run that was predicted */
    vv_lent lent;
} vv_prepared;

/* Lowers targets, collects chunk indexes, fits the plan to the budget and computes the cost.
 * extra: bytes of results that rank 0 holds and writes itself. */
VV_WARN_UNUSED vv_status vv_prepare(vv_session *s, vv_target targets[], int n, vv_bytes extra, vv_prepared *out);
/* Cost again, after write steps have got their layout. */
VV_WARN_UNUSED vv_status vv_prepare_cost(vv_prepared *p, vv_bytes extra);
void vv_prepared_free(vv_prepared *p);
/* Checks the budget; then sends the plan to all ranks and runs it. */
VV_WARN_UNUSED vv_status vv_prepared_run(vv_session *s, vv_prepared *p);
/* The text of an explanation; freed with free(). */
VV_WARN_UNUSED vv_status vv_prepared_explain(vv_session *s, vv_prepared *p, const vv_explain_options *options,
                                             char **text);

/* copying.c: chunks that go to an output variable as they are stored, once its write step knows how it is stored. May take back a checksum that
 * computed chunks would not have. */
VV_WARN_UNUSED vv_status vv_copying_choose(vv_prepared *p, int write_step, vv_variable *v);
/* Gives them their places in the file. */
VV_WARN_UNUSED vv_status vv_copying_place(vv_prepared *p, int write_step);

/* settings.c: a plan gets what the session says, or the environment. */
VV_WARN_UNUSED vv_status vv_settings_apply(vv_session *s, vv_plan *p);
void vv_settings_limit_store(vv_plan *p);
void vv_settings_free(vv_session *s);

/* predict.c: what a run has measured, as a hook of the engine; then s->report from it. */
void vv_predict_note(void *prepared, const vv_step_counts *counts);
VV_WARN_UNUSED vv_status vv_predict_report(vv_session *s, vv_prepared *p);

/* recorded.c: what a rank has done, as a hook of the engine; and a plan, when it has run; if somebody wants to know. */
void vv_recorded_rank(void *prepared, const vv_rank_trace *t);
VV_WARN_UNUSED vv_status vv_recorded_end(vv_session *s, vv_prepared *p);

/* held.c: held arrays in the plan's figures; the part of the budget that they get; what the ranks may forget, and that they did. */
vv_status vv_held_begin(vv_session *s);
void vv_held_end(vv_session *s);
VV_WARN_UNUSED vv_status vv_held_note(vv_session *s, vv_plan *p);
VV_WARN_UNUSED vv_status vv_held_share(vv_plan *p, vv_bytes baseline, vv_bytes *kept);
void vv_held_settle(vv_plan *p, vv_cost *c, vv_bytes baseline);
void vv_held_dropped(vv_session *s, const vv_plan *p);

/* prepare.c: a plan to all ranks. */
VV_WARN_UNUSED vv_status vv_send_plan(vv_session *s, const vv_plan *p, double born);

/* placed.c: where all ranks are, on rank 0; Collective. Then, once, for the user. */
VV_WARN_UNUSED vv_status vv_placed_gather(vv_net *net, vv_crew *out);
void vv_placed_tell(vv_session *s);

/* signals.c: the signal that asked this process to end, 0 for none. */
void vv_signals_catch(void);
int vv_signals_seen(void *unused);
/* The exit status of a process that a signal has asked to end: 130 for SIGINT, else 143. */
int vv_signals_exit(void);
/* A number that changes with each request to write the journal. */
int vv_signals_asked(void *unused);

/* open.c, on ranks other than 0: reads the headers that the coordinator asks for. */
VV_WARN_UNUSED vv_status vv_open_serve(vv_net *net, const vv_message *m);

/* answers.c: every one of `answers` ranks that were asked is heard, whatever happens, unless the job is ending. Failures of `take` count when all were heard. */
VV_WARN_UNUSED vv_status vv_answers_hear(vv_net *net, vv_tag tag, int answers,
                                         vv_status (*take)(void *context, const vv_message *m), void *context);

/* verify.c, on ranks other than 0: verifies records of a journal that the coordinator asks for. */
VV_WARN_UNUSED vv_status vv_verify_serve(vv_net *net, const vv_message *m);

/* visualise.c: a file that is there whole or not at all. */
VV_WARN_UNUSED vv_status vv_write_file(const char *path, const void *data, size_t size);

/* delayed_arrays.c: arrays that targets need and that delayed calls make are made, and held by the ranks from here on. */
VV_WARN_UNUSED vv_status vv_promises_keep(vv_session *s, const vv_target targets[], int n, vv_lent *lent);
void vv_lent_free(vv_session *s, vv_lent *lent);

/* compute.c: vv_persist_all() with the chunks that each is to have (or NULL), whatever they are held in now. */
VV_WARN_UNUSED vv_status vv_persist_in(vv_array *const arrays[], const vv_grid *const grid[], int n);

/* serve.c: a message to all ranks along a binomial tree; every receiver calls it again with its own rank. */
VV_WARN_UNUSED vv_status vv_spread(vv_net *net, vv_tag tag, const void *data, vv_bytes size);
/* Ranks other than 0: runs plans until the coordinator quits; returns the exit status. */
int vv_serve(vv_net *net);

#endif
