/* Inside the engine: what its files share while a plan runs on this rank. */
#ifndef VV_EXEC_RUN_H
#define VV_EXEC_RUN_H

#include "exec/agenda.h"
#include "exec/engine.h"
#include "exec/journal/journal.h"
#include "exec/push/spill.h"
#include "exec/push/store.h"
#include "exec/work.h"
#include "plan/copy.h"

#include <pthread.h>
#include <stdatomic.h>

/* A block of one state (or of a map chunk's values), reused within a step. */
typedef struct vv_piece {
    struct vv_piece *next;
    vv_index out, i, level; /* its node in the tree */
    char *state;
    bool whole; /* of a map: no NaN is among its values */
} vv_piece;

enum { VV_TREE_BUCKETS = 1024 };

/* An output chunk that waits for its place, compressed, or for the other ranks, its box as it is: in memory, in the scratch file, in the journal, or in that of
 * an earlier run. */
typedef enum vv_packed_in { VV_PACKED_SCRATCH, VV_PACKED_JOURNAL, VV_PACKED_EARLIER } vv_packed_in;
typedef struct vv_packed {
    int step;
    vv_packed_in in;
    vv_index chunk;
    void *data; /* NULL: it is not in memory */
    vv_extent at;
} vv_packed;
_Static_assert(sizeof(vv_packed) <= VV_PACKED_ENTRY, "what the cost of a plan counts");

/* A message that a worker wants sent: only the main thread talks. */
typedef struct vv_letter {
    struct vv_letter *next;
    int to;
    vv_tag tag;
    vv_bytes size, room; /* of the data, and of its block */
    void *data;
} vv_letter;

typedef struct vv_run {
    vv_net *net;
    const vv_plan *plan;
    const vv_hooks *hooks;
    struct vv_stage *stage; /* by step number; in use for steps that compute */
    vv_store *store;
    vv_agenda *agenda;
    vv_feeds feeds;
    vv_journal *journal;      /* NULL: none is kept */
    struct vv_before *before; /* by step, grown.c; NULL: nothing is appended */

    _Atomic int cancelled;
    _Atomic vv_bytes read, written;
    _Atomic vv_index tasks;
    _Atomic vv_index messages;      /* what other ranks are sent: what one chunk has for one of them, in parcels */
    _Atomic vv_bytes moved, across; /* in these, without the gaps that align values; and of that to other machines */
    _Atomic vv_bytes queued;        /* in letters */
    _Atomic int at_work;            /* threads that run a unit */
    _Atomic int64_t events;         /* units begun, messages that mean something */
    _Atomic vv_bytes flying;        /* sent and not yet received, when the main thread looked last */

    pthread_mutex_t lock; /* guards what threads share, down to the next blank line */
    vv_failure failure;   /* the first one here */
    vv_letter *letters, **last_letter;
    vv_letter **open; /* by rank: a letter with pieces to which more may be added */
    vv_packed *packed;
    vv_index n_packed;
    vv_bytes packed_bytes; /* of those in memory */
    vv_raw_out out;
    bool out_open;
    struct vv_desk *desks; /* those not in use */
    uint64_t random;       /* fuzz: state of the delays */

    /* The main thread's own. */
    vv_index results_due, results_in; /* rank 0: chunks that come from other ranks */
    vv_buf sizes;                     /* rank 0: lists of compressed chunks */
    int sizes_in;
    vv_bytes *places; /* where this rank's compressed chunks go */
    int turn,
        turns_in; /* of collective writing: the coordinator's answer; rank 0: the lowest word so far, and how many */
    vv_rank_report *report; /* rank 0: by rank, the last one; NULL: none are wanted */
    vv_index units;         /* of this rank, once it has reported */
    int64_t told_progress;  /* a number that grows with what it has reported; 0: nothing */
    vv_step_counts *counts; /* rank 0: of all ranks, by step */
    int counts_in;
    struct vv_lane *lane; /* by thread: what it did when; NULL: nobody wants to know */
    int traces_in;
    double reported;
    pthread_t main;
    bool draining; /* it waits until letters have gone: nothing is delivered meanwhile */
    vv_index late; /* pieces that wait for that */
    int told;      /* acts that the coordinator knows to have ended here */
    int *ended;    /* rank 0: by rank, what it has told */
    double quiet_since, quiet_told;
    int64_t quiet_events;
    struct vv_quiet *quiet; /* rank 0: by rank (stuck.c) */
} vv_run;

/* Where finished chunks of a step go: one for each write or gather step, and for each part of an input that is pushed from here. */
typedef struct vv_target {
    int result;
    int step;
    const vv_edge *edge; /* NULL: written or gathered */
    int part;
} vv_target;

/* What one thread needs to deliver a chunk, kept for the next one. */
typedef struct vv_desk {
    struct vv_desk *next;
    vv_codec *codec;
    char *room[VV_FINISH_ROOMS];
    vv_bytes size[VV_FINISH_ROOMS];
    void **own; /* the block that the chunk at work is, if it may be given away */
    bool whole; /* no NaN is among its values */
    bool *want; /* by rank */
    struct vv_share {
        vv_index met, done; /* pieces for a rank: seen in this walk, given in all */
        vv_bytes given;     /* in this walk */
    } * share;
    struct vv_parcel {
        char *data;
        vv_bytes fill, size;
        bool touched;        /* is in the list below */
    } * parcel;              /* pieces for one rank */
    int n_touched, *touched; /* ranks that have any */
} vv_desk;

/* A step as it runs here. */
typedef struct vv_stage {
    vv_job job;
    vv_run *run;
    _Atomic vv_index left;                     /* units that have not ended */
    _Atomic int64_t nanoseconds[VV_SPENDINGS]; /* of delivering */
    _Atomic vv_bytes pushed, written;
    vv_step_counts counts; /* of threads that have ended; guarded by the run's lock */
    pthread_mutex_t lock;  /* guards the tree and the pool */
    vv_piece *bucket[VV_TREE_BUCKETS];
    _Atomic vv_index waiting; /* pieces in the tree; changes under the lock */
    vv_piece *pool;
    bool cleared;   /* the main thread's own, and: */
    vv_piece *late; /* finished output chunks that it delivers later (push.c) */
    int n_targets;  /* inputs that are fed from here, by result */
    vv_target *target;
} vv_stage;

/* Records a failure of this rank (the first one counts; VV_ERR_CANCELLED never does) and stops its tasks. */
void vv_run_fail(vv_run *r, vv_status status);

/* tree.c: a finished node of an output chunk's tree; the piece belongs to the tree from here on. */
VV_WARN_UNUSED vv_status vv_tree_add(vv_stage *g, vv_piece *p);
VV_WARN_UNUSED vv_status vv_tree_receive(vv_run *r, const vv_message *m);
VV_WARN_UNUSED vv_status vv_piece_get(vv_stage *g, vv_piece **out);
void vv_piece_put(vv_stage *g, vv_piece *p); /* with its state, or without */
void vv_stage_clear(vv_stage *g);
/* Main thread: states of steps that have ended are not needed any more. */
void vv_stages_clear(vv_run *r);
/* Main thread: whether partial results of this rank wait for their other half, or finished ones to be delivered, in acts before this one. */
bool vv_trees_wait(vv_run *r, int act);

/* The states of a reduction's piece as they travel: only what is used of them, each at a multiple of 64. p->out is known before they are taken. */
vv_bytes vv_states_size(const vv_step *s, const vv_piece *p);
void vv_states_put(const vv_step *s, const vv_piece *p, char *at);
VV_WARN_UNUSED vv_status vv_states_take(const vv_step *s, const char *at, vv_bytes size, vv_piece *p);

/* save.c: pieces to the journal and back. A finished output chunk; all that is open, when it is time for that or in any case (main thread). */
void vv_save_done(vv_stage *g, const vv_piece *p);
void vv_save_look(vv_run *r);
void vv_save_open(vv_run *r);
/* A unit that an earlier run has done: *saved, with the piece that it brings, or NULL when another unit brings it. */
VV_WARN_UNUSED vv_status vv_save_take(vv_stage *g, vv_unit u, bool *saved, vv_piece **out);

/* restore.c: what an earlier run has made of a map's chunk. */
VV_WARN_UNUSED vv_status vv_restore_unit(vv_run *r, vv_worker *w, const vv_task *t);

/* deliver.c: a finished output chunk goes where the plan wants it. */
VV_WARN_UNUSED vv_status vv_deliver(vv_stage *g, vv_piece *p);
/* The same for a map's values that lie elsewhere. *own: the block that they begin, which may be given away (then it is NULL); or NULL. layout: their strides; then
 * all of them have to be pushed. NULL: they are packed. */
VV_WARN_UNUSED vv_status vv_deliver_values(vv_stage *g, vv_index out, const void *values, const vv_index layout[],
                                           void **own);
/* The same for values that stay as they are until the run has ended. */
VV_WARN_UNUSED vv_status vv_deliver_held(vv_stage *g, vv_index out, const void *values, const vv_index layout[]);
/* Whether all that a step makes is pushed. */
bool vv_deliver_pushes(const vv_stage *g);
VV_WARN_UNUSED vv_status vv_deliver_receive(vv_run *r, const vv_message *m);

/* write.c: the output is open from now on. Elements of a finished chunk, as they are stored but for filters, go to it. */
VV_WARN_UNUSED vv_status vv_run_output(vv_run *r);
VV_WARN_UNUSED vv_status vv_write_elements(vv_run *r, int step, vv_desk *d, vv_index out, const vv_box *box,
                                           const char *elements);
/* Of a chunk whose place is known: its bytes as they are stored there; they are written. */
vv_bytes vv_write_bytes(const vv_step *s, vv_index out);
VV_WARN_UNUSED vv_status vv_write_stored(vv_run *r, int step, vv_index out, const vv_box *box, const char *data);
/* Another one, which is in an earlier run's journal, will be written at the end. A chunk that waits, in memory: `room`, or its own. */
VV_WARN_UNUSED vv_status vv_write_later(vv_run *r, int step, vv_index out, const vv_saved *node);
VV_WARN_UNUSED vv_status vv_packed_read(vv_run *r, const vv_packed *k, char *room);

/* Runs of a box's elements that lie together in a contiguous variable, from its begin, in order. */
typedef struct vv_runs {
    const vv_box *box;
    int outer; /* loops above this one; it and what is below make a run */
    bool over;
    vv_bytes run;
    vv_index at[VV_MAX_DIMS];
    vv_bytes stride[VV_MAX_DIMS];
} vv_runs;
void vv_runs_begin(const vv_step *s, const vv_box *box, vv_runs *out);
bool vv_runs_next(vv_runs *runs, vv_bytes *at, vv_bytes *size);
/* Chunks of this output variable have known places: no filters, one behind the other. No file has anything at address 0. */
static inline bool vv_write_placed(const vv_step *s)
{
    return vv_write_plain(&s->to) && s->to.address > 0;
}
/* Chunks without filters whose places are told, one by one. */
static inline bool vv_write_told(const vv_plan *p, int step)
{
    const vv_step *s = &p->step[step];
    return vv_write_plain(&s->to) && p->step[s->from].told_to == step;
}
VV_WARN_UNUSED vv_status vv_targets_make(vv_run *r);
void vv_desks_free(vv_run *r);

/* write.c: elements of a box, packed, to where they belong in a full chunk. */
void vv_lay_rows(const vv_grid *g, const vv_box *box, vv_bytes size, const char *data, char *chunk);

/* grown.c: what the output had before: opened and closed; and the elements of a chunk, in its box, that are its own already. `spare`: room for a
 * chunk, or NULL. */
VV_WARN_UNUSED vv_status vv_grown_begin(vv_run *r);
void vv_grown_end(vv_run *r);
VV_WARN_UNUSED vv_status vv_grown_keep(vv_run *r, int step, const vv_box *box, char *chunk, char *spare);

/* Bytes that a write step has put into the output. */
void vv_note_written(vv_run *r, int step, vv_bytes bytes);

/* copy.c: a unit whose chunk is in a source as the output has it; *copied is false, and nothing done, when it is not. */
VV_WARN_UNUSED vv_status vv_copy_unit(vv_run *r, vv_worker *w, const vv_task *t, bool *copied);

/* pass.c: a unit that hands on what it gets; *passed is false, and nothing done, when it does not. */
VV_WARN_UNUSED vv_status vv_pass_unit(vv_run *r, vv_worker *w, const vv_task *t, bool *passed);

/* push.c: all values of a finished chunk, in the working type of the result, to an input of a later step. layout: strides by the chunk's dimensions; NULL: they
 * are packed. stays: until the run has ended, so that they need not be copied. */
VV_WARN_UNUSED vv_status vv_push(vv_stage *g, vv_desk *d, const vv_target *t, vv_index out, const void *values,
                                 const vv_index layout[], bool stays);
/* What has gathered for other ranks goes to them. */
VV_WARN_UNUSED vv_status vv_push_flush(vv_run *r, vv_desk *d);
VV_WARN_UNUSED vv_status vv_push_receive(vv_run *r, vv_message *m); /* takes m->data, or leaves it */

/* Main thread, outside of any delivery: delivers what came to an end while letters were waited for. */
VV_WARN_UNUSED vv_status vv_push_late(vv_run *r);

/* act.c: tells when acts have ended here, and begins the next one. */
VV_WARN_UNUSED vv_status vv_act_look(vv_run *r);
/* Others may wait for this rank's word. */
bool vv_act_untold(const vv_run *r);
VV_WARN_UNUSED vv_status vv_act_receive(vv_run *r, const vv_message *m);

/* stuck.c: whether nothing will ever happen again. What a rank says of itself; what others say; a rank that has ended. */
VV_WARN_UNUSED vv_status vv_stuck_begin(vv_run *r);
VV_WARN_UNUSED vv_status vv_stuck_look(vv_run *r);
VV_WARN_UNUSED vv_status vv_stuck_receive(vv_run *r, const vv_message *m);
void vv_stuck_ended(vv_run *r, int rank);

/* commit.c: after the tasks: compressed chunks get their places and are written; everything is synced. Collective within a run. */
VV_WARN_UNUSED vv_status vv_commit(vv_run *r);
/* The order in which this rank's chunks are written. */
void vv_packed_sort(vv_run *r);

/* collective.c: all chunks, in HDF5's collective calls. Collective within a run. */
VV_WARN_UNUSED vv_status vv_write_collectively(vv_run *r);
VV_WARN_UNUSED vv_status vv_turn_receive(vv_run *r, const vv_message *m);

/* mail.c: a letter for the main thread to send. */
VV_WARN_UNUSED vv_status vv_run_letter(vv_run *r, int to, vv_tag tag, void *data_address, vv_bytes size);
/* Counts bytes for another rank. */
void vv_run_moved(vv_run *r, int to, vv_bytes bytes);
/* Main thread: looks after messages once; *moved when something happened. */
VV_WARN_UNUSED vv_status vv_run_progress(vv_run *r, bool *moved);
/* The same, with a rest when nothing did; VV_ERR_CANCELLED when the run was stopped. For loops that wait for a message. */
VV_WARN_UNUSED vv_status vv_run_wait(vv_run *r, vv_backoff *b);
/* A failure when somebody wants this process to end. */
VV_WARN_UNUSED vv_status vv_run_signal(const vv_run *r);
VV_WARN_UNUSED vv_status vv_letters_flush(vv_run *r);
void vv_letters_drop(vv_run *r);
/* So many bytes are under way that no more should be made for now. */
bool vv_run_throttled(const vv_run *r);
/* So many that nothing at all should be made that may have to be sent. */
bool vv_run_jammed(const vv_run *r);
/* So many that another message of this size should wait. */
bool vv_run_jams(const vv_run *r, vv_bytes more);

/* crew.c: all units of this rank, on all its threads. */
VV_WARN_UNUSED vv_status vv_crew_work(vv_run *r);

/* count.c: what steps did, for the coordinator. */
void vv_count_add(vv_step_counts *sum, const vv_step_counts *more);
void vv_counts_add(vv_run *r, const vv_step_counts *more);
/* Collective within a run, after the tasks. */
VV_WARN_UNUSED vv_status vv_counts_gather(vv_run *r);

/* trace.c: what a thread has done is kept; `step` may be VV_EVENT_COMMIT. A thread's own lane is its own. */
VV_WARN_UNUSED vv_status vv_trace_begin(vv_run *r);
void vv_trace_add(vv_run *r, int thread, const vv_event *e);
VV_WARN_UNUSED vv_status vv_trace_receive(vv_run *r, const vv_message *m);
/* Collective within a run, after the tasks. */
VV_WARN_UNUSED vv_status vv_trace_gather(vv_run *r);
void vv_trace_end(vv_run *r);

/* Nanoseconds, for counting. */
int64_t vv_ticks(void);
static inline void vv_spend(vv_stage *g, vv_spending what, int64_t nanoseconds)
{
    atomic_fetch_add_explicit(&g->nanoseconds[what], nanoseconds, memory_order_relaxed);
}

#endif
