/* The side of rank 0 alone: knows every task and who has its result, and hands tasks out.
 *
 *     waiting (inputs are missing)  ->  ready (in a queue)  ->  sent (to a rank)  ->  finished, failed; cancelled from anywhere
 *
 * - Numbers of tasks name an entry and its generation: a future that was released is found out.
 * - An entry lives while somebody holds it: the driver, a task that uses its result, a queue. What a task was given stays until it has ended, so that it can
 *   be tried again; so do its inputs.
 * - Ready tasks wait in one queue for any rank, or in that of the rank that has most of their input's bytes, or that the driver prefers. Each rank is given
 *   tasks ahead up to `horizon` seconds, as functions have taken them so far, and up to some thousand of them and some MiB of arguments. A rank that has none takes from another's queue; when nothing waits here,
 *   from what another has been given and not begun.
 * - Tasks that wait for others go before those that wait for none, since they free results; else what was submitted first goes first.
 * - Small results are here, and are put into the arguments of tasks that use them. Of large ones the desk knows who has them. */
#ifndef VV_EXEC_TASKS_DESK_H
#define VV_EXEC_TASKS_DESK_H

#include "exec/tasks/host.h"

enum { VV_ENTRY_SLAB = 1024 }; /* entries that lie together */

typedef enum vv_entry_state {
    VV_ENTRY_WAITING,
    VV_ENTRY_READY,
    VV_ENTRY_SENT,
    VV_ENTRY_FOLLOWS, /* has run; its result is that of another */
    VV_ENTRY_FINISHED,
    VV_ENTRY_FAILED,
    VV_ENTRY_CANCELLED
} vv_entry_state;

/* Why a task failed; shared by all that fail with it. */
typedef struct vv_blame {
    int users, rank;
    vv_status code;
    char text[];
} vv_blame;

struct vv_entry;
typedef struct vv_user_of {
    struct vv_user_of *next;
    struct vv_entry *user;
} vv_user_of;

/* Somebody wants to know when it has ended. */
typedef void vv_watcher(void *context, int64_t id);
typedef struct vv_watch {
    struct vv_watch *next;
    vv_watcher *tell;
    void *context;
} vv_watch;

typedef struct vv_copies {
    int n, room;
    int rank[];
} vv_copies;

/* What a task is made of, until it has ended. */
typedef struct vv_spec {
    vv_bytes size; /* of what follows, arguments included */
    int n_inputs, retries;
    vv_run_head head;
} vv_spec;

typedef struct vv_entry {
    int64_t id; /* generation and place; 0: free */
    uint8_t state, kind;
    bool large, queued, heir; /* large: the value is with ranks; queued: in a queue; heir: has had inputs */
    int refs, waiting;
    int rank;       /* preferred; it was sent to; it has the value */
    float expected; /* seconds, while it is sent */
    vv_bytes size;  /* of the value; while it is sent, of what the rank gets for it */
    union {
        int64_t i;
        double f;
        void *data; /* of a small value of bytes */
        vv_blame *blame;
    } value;
    struct vv_entry *leader; /* whose result is its own; held */
    vv_spec *spec;
    vv_user_of *users;
    vv_watch *watch;
    vv_copies *copies;     /* besides `rank` */
    struct vv_entry *next; /* of those that have just ended, or are free */
} vv_entry;

typedef struct vv_desk_function {
    vv_task_function *call;
    vv_symbol symbol;
    double seconds; /* that it takes, about */
} vv_desk_function;

/* What the desk thinks of a rank. */
typedef struct vv_seat {
    int ahead;      /* tasks that it has */
    double seconds; /* that they will take */
    vv_bytes bytes; /* of their arguments, and fetched for them */
    bool taking;    /* asked to give some back */
    bool stopped, ended;
    vv_heap own, pinned;
} vv_seat;

typedef struct vv_desk_stats {
    vv_index submitted, finished, failed, cancelled, retried, taken, alive;
    double seconds;
    vv_bytes results, received;
} vv_desk_stats;

typedef struct vv_desk {
    vv_net *net;
    vv_host *host; /* of rank 0 */
    int ranks, threads;
    vv_entry **slab;
    int n_slabs;
    vv_entry *free;
    vv_user_of *free_links, *link_slabs;
    vv_heap any;
    vv_seat *seat;
    int turn_of; /* the seat that gets the next task for any */
    bool full;   /* no seat has room, as was found last */
    int64_t order;
    vv_desk_function *function;
    int n_functions;
    vv_entry *ended, **ended_last; /* whose users are to be told */
    bool telling;
    vv_entry **made; /* by the task whose records are just being read */
    int n_made;
    bool paused;
    int64_t unsent; /* tasks submitted or handed out since the last turn, and what those submitted will take */
    double unsent_seconds;
    vv_failure failure; /* no task can go on */
    vv_desk_stats stats;
    vv_buf scratch;
} vv_desk;

typedef struct vv_desk_options {
    int priority, rank; /* -1: any */
    bool pinned;
    int retries;
    double timeout;
} vv_desk_options;

VV_WARN_UNUSED vv_status vv_desk_open(vv_net *net, const vv_host_options *o, vv_desk **out);
/* After vv_desk_end(). */
void vv_desk_close(vv_desk **d);

/* desk.c: entries. NULL when there is none of that number. */
vv_entry *vv_desk_find(const vv_desk *d, int64_t id);
/* Held by the caller, and by itself until it has ended. */
VV_WARN_UNUSED vv_status vv_entry_new(vv_desk *d, vv_entry **out);
void vv_entry_release(vv_desk *d, vv_entry *e);
/* One that could not be begun. */
void vv_entry_undo(vv_desk *d, vv_entry *e);
static inline bool vv_entry_ended(const vv_entry *e)
{
    return e->state >= VV_ENTRY_FINISHED;
}
/* It has ended, in this state: tells whoever waits for it. */
void vv_entry_end(vv_desk *d, vv_entry *e, vv_entry_state state);
void vv_entry_fail(vv_desk *d, vv_entry *e, vv_status code, int rank, const char *text);
/* The entry that has the value of one that has finished. */
vv_entry *vv_entry_source(vv_entry *e);
VV_WARN_UNUSED vv_status vv_entry_watch(vv_desk *d, vv_entry *e, vv_watcher *tell, void *context);
void vv_entry_unwatch(vv_entry *e, const void *context);
VV_WARN_UNUSED vv_status vv_entry_copied(vv_entry *e, int rank);

/* desk_submit.c */
VV_WARN_UNUSED vv_status vv_desk_function_number(vv_desk *d, vv_task_function *f, int *out);
VV_WARN_UNUSED vv_status vv_desk_symbol_number(vv_desk *d, const vv_symbol *s, int *out);
/* Held once for the caller. */
VV_WARN_UNUSED vv_status vv_desk_submit(vv_desk *d, vv_task_function *f, const vv_arg args[], int n,
                                        const vv_desk_options *o, vv_entry **out);
/* The same of packed arguments, whose futures have numbers of the desk. */
VV_WARN_UNUSED vv_status vv_desk_submit_packed(vv_desk *d, const vv_run_head *head, const void *args, vv_bytes size,
                                               const vv_desk_options *o, vv_entry **out);
VV_WARN_UNUSED vv_status vv_desk_scatter(vv_desk *d, const void *data, vv_bytes size, int rank, bool everywhere,
                                         vv_entry **out);
void vv_desk_cancel(vv_desk *d, vv_entry *e);
/* What has run has the result of another task, which it holds from here on. */
VV_WARN_UNUSED vv_status vv_desk_follow(vv_desk *d, vv_entry *e, vv_entry *leader);

/* desk_hand.c */
VV_WARN_UNUSED vv_status vv_entry_ready(vv_desk *d, vv_entry *e);
VV_WARN_UNUSED vv_status vv_desk_hand_out(vv_desk *d);
/* A rank has one task more, or one less. */
void vv_seat_ahead(vv_desk *d, int rank, int more);

/* desk_take.c: what hosts say; turns. */
VV_WARN_UNUSED vv_status vv_desk_take(void *desk, int from, const vv_record *r, const void *body);
/* Messages in, tasks and messages out. Fails only when no task can go on, now and ever after. */
VV_WARN_UNUSED vv_status vv_desk_turn(vv_desk *d, bool *moved);
/* A turn, and a moment's rest when nothing moved: `limit` seconds at most. */
VV_WARN_UNUSED vv_status vv_desk_step(vv_desk *d, double limit);
/* No rank runs a task or has anything to say, until the next submit or step. */
VV_WARN_UNUSED vv_status vv_desk_pause(vv_desk *d, int (*signalled)(void *));
/* All hosts have ended. */
VV_WARN_UNUSED vv_status vv_desk_end(vv_desk *d, int (*signalled)(void *));

#endif
