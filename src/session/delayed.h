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
    int64_t future; /* its task, as long as that exists */
    uint8_t seen;   /* 0 no, 1 its inputs are being looked at, 2 yes */
    bool wanted;
};

/* All nodes of a session. */
typedef struct vv_graph_book {
    vv_delayed **node; /* by number less 1; NULL: released */
    int64_t n, room;
    vv_delayed **bucket;
    int bits;
    int64_t alive;
} vv_graph_book;

/* The numbers of the calls that it uses, one after the other: at is where to look next, NULL at first. False behind the last. */
bool vv_delayed_next(const vv_delayed *d, const char **at, int64_t *number);
vv_delayed *vv_delayed_of(const vv_session *s, int64_t number);
/* Calls in an order in which inputs come first; VV_ERR_USAGE names a cycle. *order is freed with free(). */
VV_WARN_UNUSED vv_status vv_delayed_order(vv_delayed *const d[], int n, vv_delayed ***order, int64_t *count);
void vv_delayed_free_all(vv_session *s);
/* What a call is named by in messages and pictures. */
const char *vv_delayed_name(const vv_delayed *d, char *out, size_t size);
/* vv_delay() with options, which the call is not known by. */
vv_delayed *vv_delay_with(vv_session *s, vv_task_function *f, const vv_arg args[], int n, const vv_desk_options *o);
/* delayed_arrays.c */
void vv_promises_free(vv_session *s);

#endif
