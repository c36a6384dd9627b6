/* Inside the engine: what its files share while a plan runs on this rank. */
#ifndef VV_EXEC_RUN_H
#define VV_EXEC_RUN_H

#include "exec/engine.h"
#include "exec/work.h"

#include <pthread.h>
#include <stdatomic.h>

/* A block of one state (or of a map chunk's values), reused within a step. */
typedef struct vv_piece {
    struct vv_piece *next;
    vv_index out, i, level; /* its node in the tree */
    char state[];
} vv_piece;

enum { VV_TREE_BUCKETS = 1024 };

/* A compressed output chunk that waits for its place. */
typedef struct vv_packed {
    int step;
    vv_index chunk;
    uint32_t size;
    void *data;
} vv_packed;

/* A message that a worker wants sent: only the main thread talks. */
typedef struct vv_letter {
    struct vv_letter *next;
    int to;
    vv_tag tag;
    vv_bytes size;
    void *data;
} vv_letter;

typedef struct vv_run {
    vv_net *net;
    const vv_plan *plan;
    const vv_hooks *hooks;
    struct vv_stage *stage; /* by step number; in use for steps that compute */

    _Atomic int cancelled;
    _Atomic vv_bytes read, written;
    _Atomic vv_index tasks;

    pthread_mutex_t lock; /* guards what threads share, down to the next blank line */
    vv_failure failure;   /* the first one here */
    vv_letter *letters, **last_letter;
    vv_packed *packed;
    vv_index n_packed, room_packed;
    vv_raw_out out;
    bool out_open;

    /* The main thread's own. */
    bool told;                        /* the others know that this rank has failed */
    int indexes_due;                  /* chunk indexes not yet here */
    vv_index results_due, results_in; /* rank 0: chunks that come from other ranks */
    vv_buf sizes;                     /* rank 0: lists of compressed chunks */
    int sizes_in;
    vv_bytes *places; /* where this rank's compressed chunks go */
    vv_index *done;   /* rank 0, with progress: tasks and bytes by rank */
    vv_bytes *done_read;
    double reported;
} vv_run;

/* A step as it runs here. */
typedef struct vv_stage {
    vv_job job;
    vv_run *run;
    _Atomic vv_index next; /* unit to take */
    pthread_mutex_t lock;  /* guards the tree and the pool */
    vv_piece *bucket[VV_TREE_BUCKETS];
    vv_index waiting; /* pieces in the tree */
    vv_piece *pool;
    int indexes_due; /* chunk indexes not yet here */
} vv_stage;

/* Records a failure of this rank (the first one counts; VV_ERR_CANCELLED never does) and stops its tasks. */
void vv_run_fail(vv_run *r, vv_status status);

/* tree.c: a finished node of an output chunk's tree; the piece belongs to the tree from here on. */
VV_WARN_UNUSED vv_status vv_tree_add(vv_stage *g, vv_piece *p);
VV_WARN_UNUSED vv_status vv_tree_receive(vv_run *r, const vv_message *m);
VV_WARN_UNUSED vv_status vv_piece_get(vv_stage *g, vv_piece **out);
void vv_piece_put(vv_stage *g, vv_piece *p);
void vv_stage_clear(vv_stage *g);

/* deliver.c: a finished output chunk goes where the plan wants it. */
VV_WARN_UNUSED vv_status vv_deliver(vv_stage *g, vv_piece *p);
VV_WARN_UNUSED vv_status vv_deliver_receive(vv_run *r, const vv_message *m);
VV_WARN_UNUSED vv_status vv_run_letter(vv_run *r, int to, vv_tag tag, void *data_address, vv_bytes size);
VV_WARN_UNUSED vv_status vv_run_output(vv_run *r);

/* feed.c: opens inputs, and hands out the chunk index. */
VV_WARN_UNUSED vv_status vv_feeds_open(vv_stage *g);
void vv_feeds_close(vv_stage *g);
VV_WARN_UNUSED vv_status vv_index_send(vv_run *r);
VV_WARN_UNUSED vv_status vv_index_receive(vv_run *r, vv_message *m);

/* commit.c: after the tasks: compressed chunks get their places and are written; everything is synced. Collective within a run. */
VV_WARN_UNUSED vv_status vv_commit(vv_run *r);

/* engine.c: looks after messages once; *moved when something happened. */
VV_WARN_UNUSED vv_status vv_run_progress(vv_run *r, bool *moved);
/* The same, with a rest when nothing did; VV_ERR_CANCELLED when the run was stopped. For loops that wait for a message. */
VV_WARN_UNUSED vv_status vv_run_wait(vv_run *r, vv_backoff *b);

#endif
