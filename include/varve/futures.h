/* Futures: tasks that are handed out while the driver runs, and whose results decide what comes next. All functions: Driver only.
 *
 *     static int square(vv_task *t) { return vv_return_i64(t, vv_task_i64(t, 0) * vv_task_i64(t, 0)); }
 *
 *     static int driver(vv_session *s, int argc, char **argv)
 *     {
 *         vv_future f;
 *         int64_t nine;
 *         vv_status status = vv_submit(s, square, VV_ARGS(vv_i64(3)), NULL, &f);   starts at once, on any rank
 *         if (status == VV_OK) status = vv_gather_i64(s, f, &nine);                waits for it
 *         ...
 *
 * What a task function may do is said in task.h. Where tasks run and what they cost:
 *
 * - Every rank has as many threads for tasks as vv_session_threads() says, rank 0 too. Rank 0 hands tasks out: to the rank that has most of their input's bytes, else to one that has room.
 *   Each rank gets tasks ahead, so that it always has something to do: at most 8,192, 32 MiB of arguments, and what its threads do in 5 seconds. A rank that has nothing takes what others have not begun.
 * - The driver hands out and takes in while it is in any function of this header. While it computes by itself ranks work on what they have got ahead; what needs results of that begins when the driver is back, so a
 *   driver that computes for longer had best look in every few seconds: any wait of 0 seconds will do.
 * - Results of up to 256 bytes are kept by rank 0. Larger ones stay on the rank that made them, until they are wanted elsewhere; they count against the memory budget, and the oldest go to
 *   a scratch file when they are more than half of it. A task not yet finished takes about 200 bytes of rank 0's memory and its arguments, one that has about
 *   100 until it is released: a million by vv_submit_map() with items of 8 bytes take 211 MB while none has run.
 * - A task, or a chain of tasks, takes microseconds to hand out: make it take some tens, or give it many items.
 * - Arrays may be computed at any time between; tasks that have begun are waited for first, others wait.
 *
 * Failures: a task that fails, or needs the result of one that did, is told by vv_gather...() and nothing else; the run goes on. What is told is the first failure, with its rank. A function that
 * divides by 0 or touches memory that is not there, in its own code, fails, and the place and who called it are told (for addr2line); when that happens within a library that it calls, the C library's free() say, the whole job ends with a message,
 * because nothing would be right afterwards. Loss of a message between ranks ends all tasks with an error.
 *
 * What a driver does not need any more it gives back by vv_future_release(). What it has not given back when it returns is gone, and what has not begun by then is not begun any more. */
#ifndef VARVE_FUTURES_H
#define VARVE_FUTURES_H

#include "varve/session.h"
#include "varve/task.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { VV_ANYWHERE = -1, VV_EVERYWHERE = -2 };

typedef struct vv_submit_options {
    int priority; /* higher ones first; 0 */
    int rank;     /* where it had best run; VV_ANYWHERE */
    bool pinned;  /* nowhere but there */
    int retries;  /* so often it is tried again when it fails */
    double
        timeout; /* seconds that it may take, 0 for any: then it has failed. Its thread cannot be stopped and goes on, its result is not used */
} vv_submit_options;
#define VV_SUBMIT_OPTIONS_INIT                                                                                         \
    {                                                                                                                  \
        0, VV_ANYWHERE, false, 0, 0                                                                                    \
    }

/* Arguments may be at most 16 MiB; more is given by vv_scatter(). options NULL: none. */
VV_API VV_WARN_UNUSED vv_status vv_submit(vv_session *s, vv_task_function *f, const vv_arg args[], int n,
                                          const vv_submit_options *options, vv_future *out);
/* n tasks: the first argument of task i are the `each` bytes at items + i * each, the others are the same for all. */
VV_API VV_WARN_UNUSED vv_status vv_submit_map(vv_session *s, vv_task_function *f, const void *items, vv_bytes each,
                                              vv_index n, const vv_arg args[], int n_args,
                                              const vv_submit_options *options, vv_future out[]);

/* Data as a future: copied to a rank, to any, or to all of them. */
VV_API VV_WARN_UNUSED vv_status vv_scatter(vv_session *s, const void *data, vv_bytes size, int rank, vv_future *out);

typedef enum vv_future_state {
    VV_FUTURE_UNKNOWN, /* no such future, or released */
    VV_FUTURE_PENDING, /* not begun: inputs are missing, or it is not its turn */
    VV_FUTURE_SENT,    /* a rank has it, and may have begun */
    VV_FUTURE_FINISHED,
    VV_FUTURE_FAILED,
    VV_FUTURE_CANCELLED
} vv_future_state;
VV_API vv_future_state vv_future_status(vv_session *s, vv_future f);
/* The rank that has a task or its result, -1 when none has. */
VV_API int vv_future_rank(vv_session *s, vv_future f);

/* The result, once there is one. VV_ERR_TYPE when it is something else; vv_gather_f64 takes integers, too. Failures are those of the task; VV_ERR_CANCELLED
 * when it was cancelled, or needs one that was. */
VV_API VV_WARN_UNUSED vv_status vv_gather_i64(vv_session *s, vv_future f, int64_t *out);
VV_API VV_WARN_UNUSED vv_status vv_gather_f64(vv_session *s, vv_future f, double *out);
/* Bytes, or the 8 of a number, into a buffer that has room for so many; *size (or NULL) are those of the result. */
VV_API VV_WARN_UNUSED vv_status vv_gather(vv_session *s, vv_future f, void *buffer, vv_bytes room, vv_bytes *size);
/* The same in memory that is to be freed with free(). */
VV_API VV_WARN_UNUSED vv_status vv_gather_new(vv_session *s, vv_future f, void **data, vv_bytes *size);
/* Of many: each result has just `each` bytes; result i is at buffer + i * each. The first failure is told, in the order of f. */
VV_API VV_WARN_UNUSED vv_status vv_gather_all(vv_session *s, const vv_future f[], vv_index n, void *buffer,
                                              vv_bytes each);

/* Until all of them, or any, have finished, failed or been cancelled, or so many seconds are over (a negative number: for ever). *done (or NULL): how many have. */
VV_API VV_WARN_UNUSED vv_status vv_wait_all(vv_session *s, const vv_future f[], vv_index n, double seconds,
                                            vv_index *done);
VV_API VV_WARN_UNUSED vv_status vv_wait_any(vv_session *s, const vv_future f[], vv_index n, double seconds,
                                            vv_index *done);

/* What has not begun does not begin any more; nor does what needs it. A task that is running goes on, but its result is not used. */
VV_API VV_WARN_UNUSED vv_status vv_cancel(vv_session *s, const vv_future f[], vv_index n);
/* The driver needs them no more. Tasks that were submitted run all the same, and what needs their results gets them. Futures become {0}. */
VV_API void vv_future_release(vv_session *s, vv_future f[], vv_index n);

/* Called by the next function of this header that sees the future finished, failed or cancelled; at once if it has been before. It may submit, but not wait or gather anything but this. */
typedef void vv_future_callback(vv_session *s, vv_future f, void *context);
VV_API VV_WARN_UNUSED vv_status vv_future_then(vv_session *s, vv_future f, vv_future_callback *call, void *context);

/* Futures in the order in which they finish; more may be added while it goes on:
 *
 *     vv_completed *c;
 *     VV_TRY(vv_completed_new(s, f, 10, &c));
 *     while (vv_completed_next(c, -1, &done)) {
 *         ... vv_gather_f64(s, done, &value) ... vv_submit(..., &next) ... vv_completed_add(c, &next, 1)
 *     }
 *     vv_completed_free(&c);
 *
 * next: false when all have been told, when so many seconds are over (negative: for ever), or when tasks cannot go on at all, which vv_completed_status tells. */
typedef struct vv_completed vv_completed;
VV_API VV_WARN_UNUSED vv_status vv_completed_new(vv_session *s, const vv_future f[], vv_index n, vv_completed **out);
VV_API VV_WARN_UNUSED vv_status vv_completed_add(vv_completed *c, const vv_future f[], vv_index n);
VV_API bool vv_completed_next(vv_completed *c, double seconds, vv_future *out);
VV_API vv_index vv_completed_left(const vv_completed *c); /* not told yet */
VV_API VV_WARN_UNUSED vv_status vv_completed_status(const vv_completed *c);
VV_API void vv_completed_free(vv_completed **c);

/* Of all ranks, since the first task. */
typedef struct vv_futures_stats {
    vv_index submitted, finished, failed, cancelled, retried,
        taken;         /* taken: by ranks that had nothing to do from others */
    vv_index alive;    /* futures that rank 0 knows now */
    double seconds;    /* spent in task functions */
    vv_bytes results;  /* larger than 256 bytes, with ranks now */
    vv_bytes received; /* of such results, by rank 0 */
} vv_futures_stats;
VV_API void vv_futures_get_stats(vv_session *s, vv_futures_stats *out);

/* Ends all tasks: what has begun is waited for, the rest is cancelled, all futures are gone. The next vv_submit() begins anew. The end of the driver does that, too. */
VV_API VV_WARN_UNUSED vv_status vv_futures_end(vv_session *s);

#ifdef __cplusplus
}
#endif
#endif
