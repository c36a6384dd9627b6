/* Delayed calls: nodes that the driver holds, known by what they are made of.
 *
 * A node's arguments are packed as those of a task are, with numbers of other nodes in the place of futures. Two calls are the same when function and packed arguments are: their nodes
 * are numbered, so that whole graphs need not be compared. */
#ifndef VV_SESSION_DELAYED_H
#define VV_SESSION_DELAYED_H

#include "session/tasks.h"
#include "varve/delayed.h"

struct vv_delayed {
    vv_session *session;
    vv_status status;
    char *why; /* of one that is no call */
    int64_t number;
    int refs;
    vv_task_function *call;
    bool impure;
    vv_desk_options options;
    vv_run_head head;
    vv_buf args;
    uint64_t hash;
    struct vv_delayed *chain; /* of the same hash */
    /* while it is computed */
    int64_t future;         /* its task, as long as that exists */
    uint8_t seen;           /* 0 no, 1 its inputs are being looked at, 2 yes */
    bool wanted;            /* is to be submitted now */
    bool needed;            /* by something else of the same computation, later */
    struct vv_offer *offer; /* of a chunk of an array; NULL: a call like others */
};

/* All nodes of a session. */
typedef struct vv_graph_book {
    vv_delayed **node; /* by number less 1; NULL: released */
    int64_t n;
    vv_delayed **bucket;
    int bits;
    int64_t alive;
} vv_graph_book;

/* An array whose chunks are calls: known by its number and theirs, in chunks that are settled before anything is computed. */
typedef struct vv_offer {
    struct vv_offer *next;
    vv_array *array; /* a reference */
    int64_t number, users;
    vv_grid grid;
    bool wanted;  /* of use while calls are looked through */
    bool waiting; /* for a plan that holds its array */
} vv_offer;

/* An array whose chunks will be results of calls: once they have run it is held by the ranks, and no promise any more. */
typedef struct vv_promise {
    struct vv_promise *next;
    vv_array *array; /* a reference */
    vv_grid grid;
    int n;
    vv_delayed **call;
    int number; /* of the held array that it is becoming */
} vv_promise;

/* The numbers of the calls that it uses, one after the other: at is where to look next, NULL at first. False behind the last. */
bool vv_delayed_next(const vv_delayed *d, const char **at, int64_t *number);
/* The packed argument at `at`, lists' elements behind them; returns where the next one is. */
const char *vv_delayed_arg(const char *at, vv_packed_arg *a);
vv_delayed *vv_delayed_of(const vv_session *s, int64_t number);
/* Calls in an order in which inputs come first; VV_ERR_USAGE names a cycle. *order is freed with free(). */
VV_WARN_UNUSED vv_status vv_delayed_order(vv_delayed *const d[], int n, vv_delayed ***order, int64_t *count);
void vv_delayed_free_all(vv_session *s);
/* What a call is named by in messages and pictures. */
const char *vv_delayed_name(const vv_delayed *d, char *out, size_t size);
/* vv_delay() with options, which the call is not known by. */
vv_delayed *vv_delay_with(vv_session *s, vv_task_function *f, const vv_arg args[], int n, const vv_desk_options *o);
/* delayed_arrays.c. The task: a chunk of a held array, its number, the chunk and its bytes given. */
void vv_promises_free(vv_session *s);
int vv_held_chunk_task(vv_task *t);
/* Promises that were kept are arrays like others. */
void vv_promises_settle(vv_session *s);
/* An array needs results of calls that have not run. */
bool vv_promises_below(const vv_session *s, vv_array *a);
/* Marks what n arrays are made of, as far as it is not held; what marked arrays are made of. */
void vv_arrays_mark(const vv_session *s, const vv_target targets[], int n);
void vv_arrays_mark_inputs(const vv_session *s);
/* Arrays whose chunks the calls need are held, with what the targets of a plan share with them: by one plan those that wait for nothing, then what waits for these. */
VV_WARN_UNUSED vv_status vv_calls_hold_inputs(vv_session *s, const vv_target targets[], int n, vv_delayed *const call[],
                                              int calls, vv_lent *lent);

/* delayed_chunks.c: chunks of arrays as calls. One call less uses it; at the end of the session; and a chunk's call as a task. */
void vv_offer_release(vv_session *s, vv_offer *o);
void vv_offers_free(vv_session *s);
VV_WARN_UNUSED vv_status vv_chunk_submit(vv_desk *desk, const vv_delayed *d, vv_entry **out);
/* Of those that are marked as wanted the ones whose arrays are to be held next, none when all are; no offer is marked afterwards. The list has room for all offers. */
VV_WARN_UNUSED vv_status vv_offers_missing(const vv_session *s, vv_offer *list[], int *n);
int vv_offers_count(const vv_session *s);
/* Several arrays, and `more` besides them, are held from here on, by one plan. */
VV_WARN_UNUSED vv_status vv_offers_hold(vv_offer *const list[], int n, vv_array *const more[], int n_more);
vv_bytes vv_chunk_bytes(const vv_grid *g, vv_index chunk, vv_dtype type);

/* delayed_run.c: the offers whose arrays n calls need and that are not held. */
VV_WARN_UNUSED vv_status vv_delayed_missing(vv_session *s, vv_delayed *const d[], int n, vv_offer *list[],
                                            int *missing);
/* Whether its result is there or on its way. */
bool vv_delayed_has_future(const vv_session *s, const vv_delayed *d);
/* vv_delayed_submit() of calls for which all arrays that they need are held. */
VV_WARN_UNUSED vv_status vv_calls_submit(vv_session *s, vv_delayed *const d[], int n, vv_future out[]);

/* delayed_needed.c. One within another is part of that. */
void vv_computation_begin(vv_session *s, const vv_computation *what);
void vv_computation_end(vv_session *s);
/* Marks the calls whose results what is left of the computation will need, when those that are `wanted` have run. */
VV_WARN_UNUSED vv_status vv_computation_mark_needed(vv_session *s);
/* A future that the computation holds from here on instead of the caller. */
VV_WARN_UNUSED vv_status vv_computation_hold(vv_session *s, int64_t future);

#endif
