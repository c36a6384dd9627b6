/* A task on the rank that runs it: what it is given, and what came of it. */
#ifndef VV_EXEC_TASKS_JOB_H
#define VV_EXEC_TASKS_JOB_H

#include "base/symbol.h"
#include "exec/tasks/value.h"
#include "exec/tasks/wire.h"
#include "varve/task.h"

/* Results up to here travel with the message that a task has ended; arguments may take so much. */
enum { VV_SMALL_VALUE = 256, VV_MOST_ARGS = 16 << 20 };

/* In records RUN and SUBMIT; arguments follow. */
typedef struct vv_run_head {
    int32_t function; /* by the desk's number; in SUBMIT -1: a symbol follows the arguments */
    int32_t n, nodes; /* arguments, and with elements of lists */
    int32_t attempt;
    double timeout;
    int32_t priority;
    int16_t pinned,
        heir; /* pinned: it is not given back to be run elsewhere; heir: it goes before others, since it frees what it was given */
} vv_run_head;

/* An argument in a record: bytes follow it, padded, and elements of a list. */
typedef struct vv_packed_arg {
    int32_t kind, rank; /* rank: of a future, who has the value */
    int64_t x;          /* the number; its bits; bytes; elements; a future's number */
} vv_packed_arg;

typedef enum vv_job_state { VV_JOB_LACKING, VV_JOB_READY, VV_JOB_RUNNING, VV_JOB_ENDED } vv_job_state;

struct vv_host;
typedef struct vv_job {
    vv_task task; /* first: what the function gets */
    struct vv_host *host;
    int64_t id;
    int function;
    double timeout, seconds;
    vv_job_state state;
    bool cancelled;
    int lacking;      /* values on their way */
    int nodes;        /* arguments and elements of lists, in arg */
    int n_inputs;     /* values among them */
    vv_kept **pinned; /* of those in memory */
    int n_pinned;
    struct vv_job *next;
    /* what came of it */
    int kind;
    int64_t i;
    double f;
    vv_bytes size;
    void *block;     /* of a large one, between guards */
    int64_t becomes; /* 0: nothing else */
    int64_t made;    /* tasks submitted */
    vv_buf submitted;
    vv_failure *failure;
    vv_arg *arg;
    char *blob;                                     /* its record */
    _Alignas(16) char few[VV_SMALL_VALUE + 2 * 64]; /* of a small one, likewise */
} vv_job;

enum { VV_GUARD = 64 };

VV_WARN_UNUSED vv_status vv_job_new(struct vv_host *host, int64_t id, const vv_run_head *head, vv_bytes size,
                                    vv_job **out);
void vv_job_free(vv_job *j);
/* Keeps the calling thread's error as the job's. */
void vv_job_fail(vv_job *j);
/* Room for a result of so many bytes, between guards; NULL when there is none. */
void *vv_job_room(vv_job *j, vv_bytes size);
/* Where the result's bytes are. */
const void *vv_job_result(const vv_job *j);
/* After its function has returned: nothing was written beside the result. */
VV_WARN_UNUSED vv_status vv_job_check(vv_job *j);

/* Arguments as they travel, at the end of b; *nodes grows by how many there are. Refuses what is not an argument. */
VV_WARN_UNUSED vv_status vv_args_pack(vv_buf *b, const vv_arg args[], vv_index n, vv_index *nodes);

#endif
