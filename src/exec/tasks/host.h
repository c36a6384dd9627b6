/* The side of every rank: threads that run tasks, and the values that stay here.
 *
 *     records of the desk (rank 0)  ->  jobs: lacking values, then ready, by priority  ->  a thread runs one  ->  ended  ->  DID, FAILED .. to the desk
 *
 * The main thread takes messages, asks other ranks for values that jobs lack, and tells what has ended. Threads only run jobs. Everything they share is
 * under one lock, which is free while a task runs.
 *
 * A signal that a task's own code raises (a division by 0, a wrong address) makes it fail; anywhere else, a lock of the C library might be held, and the process
 * ends with a message. A task that takes too long is given up: it is told as failed, its thread goes on alone and another one takes its place. */
#ifndef VV_EXEC_TASKS_HOST_H
#define VV_EXEC_TASKS_HOST_H

#include "exec/net/bell.h"
#include "exec/sched.h"
#include "exec/tasks/job.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>

/* A function that the desk has named. */
typedef struct vv_host_function {
    vv_task_function *call; /* NULL: not here */
    char name[64];
    uintptr_t low, high; /* code of its program or library */
    vv_failure *missing; /* why it is not here */
} vv_host_function;

/* A value that was asked for. */
typedef struct vv_fetch {
    struct vv_fetch *next;
    int64_t id;
    int from, n;
    vv_job **job; /* that lack it */
} vv_fetch;

enum { VV_FALLS = 6 };

typedef struct vv_hand {
    pthread_t thread;
    struct vv_host *host;
    vv_job *job; /* NULL: none */
    double since;
    bool given_up;                /* under the lock */
    volatile sig_atomic_t inside; /* of a task's function */
    sigjmp_buf back;
    uintptr_t fell[VV_FALLS]; /* where a signal was raised, and before that who had called whom */
    int n_fell;
    volatile sig_atomic_t tracing; /* finds that out */
    const vv_host_function *function;
    void *stack; /* for signal handlers */
} vv_hand;

/* How the main thread waits. */
typedef struct vv_rest {
    vv_bell *bell, own;
    int cores;     /* that this rank may use */
    bool bound;    /* it alone */
    int busy;      /* of the desk's host: threads of this machine, or of this rank if it is bound, that run tasks */
    int turns;     /* in which nothing has moved */
    bool looks;    /* there are cores to spare */
    double untold; /* seconds of tasks that have ended since the bell rang; under the lock */
    bool laid;     /* the bell has been told */
    bool prompt;   /* it gets its core at once when it wakes */
} vv_rest;

typedef struct vv_host {
    vv_wire wire;
    vv_status (*desk)(void *context, int from, const vv_record *r,
                      const void *body); /* on rank 0: what is told to the desk */
    void *desk_context;
    int threads;
    vv_hand **hand;
    pthread_mutex_t lock;
    pthread_cond_t work; /* for threads */
    /* under the lock */
    vv_heap ready;
    vv_job *ended, **ended_last;
    int idle, running, given_up;
    bool stop, paused;
    vv_shelf values;
    /* of the main thread */
    vv_host_function **function; /* by number; changes under the lock */
    int n_functions;
    vv_fetch *fetch;
    int lacking;
    int64_t order;         /* jobs so far */
    bool stopping, ending; /* the desk waits for STOPPED, ENDED */
    bool ended_all;        /* told ENDED */
    bool broken;           /* told BROKEN: does nothing any more */
    bool looks;            /* in this turn: for tasks that take too long, for messages that do not come */
    double looked;         /* when it did last */
    vv_rest rest;
    uint64_t fuzz;
} vv_host;

typedef struct vv_host_options {
    int64_t epoch; /* the same on all ranks, another one each time */
    int threads;
    vv_bytes results; /* bytes of results in memory, 0: any */
    const char *scratch;
} vv_host_options;

VV_WARN_UNUSED vv_status vv_host_open(vv_net *net, const vv_host_options *o, vv_host **out);
/* Waits for running tasks, but for those that were given up. */
void vv_host_close(vv_host **h);

/* A message of VV_TAG_TASK or VV_TAG_VALUE. */
VV_WARN_UNUSED vv_status vv_host_receive(vv_host *h, vv_message *m);
/* Tells what has ended, looks after what is late, sends. */
VV_WARN_UNUSED vv_status vv_host_turn(vv_host *h, bool *moved);
/* A value to come here, without a job that lacks it. */
VV_WARN_UNUSED vv_status vv_host_ask(vv_host *h, int64_t id, int from);
/* Tells the desk that this rank cannot go on, with the calling thread's error. */
void vv_host_broken(vv_host *h);

/* host_rest.c: begin and end are the main thread's. */
void vv_rest_begin(vv_host *h);
void vv_rest_end(vv_host *h);
/* When nothing moved in a turn: a moment's rest, longer from time to time, but no longer than until a task ends here or another rank rings. limit: seconds at most. */
void vv_host_rest(vv_host *h, double limit);
/* Something has moved. */
void vv_host_wake(vv_host *h);
/* A task has ended that took so long: for the main thread to tell. On any thread, under the lock, which is free for a moment. */
void vv_host_alert(vv_host *h, double seconds);

/* host_run.c: threads. */
VV_WARN_UNUSED vv_status vv_hands_start(vv_host *h);
void vv_hands_stop(vv_host *h);
/* Gives up tasks that take too long. */
VV_WARN_UNUSED vv_status vv_hands_check(vv_host *h);
/* A job has ended; under the lock. */
void vv_host_ended(vv_host *h, vv_job *j);
/* The desk's number of a function, -1 when it has none here. On any thread, without the lock. */
int vv_host_number(vv_host *h, vv_task_function *f);
/* Room for a result: older values go to the scratch file. On any thread, without the lock. */
VV_WARN_UNUSED vv_status vv_host_make_room(vv_host *h, vv_bytes size);

#endif
