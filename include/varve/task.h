/* Tasks: plain C functions that run on any rank, what they are given and what they give back. futures.h and delayed.h say how tasks come about.
 *
 *     static int slope(vv_task *t)
 *     {
 *         double x = vv_task_f64(t, 0);              the first argument, a number
 *         vv_bytes size;
 *         const float *y = vv_task_data(t, 1, &size); the second, bytes: of a buffer, or the result of another task
 *         ...
 *         return vv_return_f64(t, result);
 *     }
 *
 * A task function
 *
 * - may be static; ranks find it by file and offset, so that all have to run the same build of the program. (A library that rank 0 has loaded by itself
 *   is loaded there, too.)
 * - depends on nothing but its arguments: variables of the driver's have on other ranks the values that they had before vv_run();
 * - sees its arguments in the order in which they were given; where a future or a delayed call was given there is its result. Data is aligned to 16 bytes, is not
 *   to be changed, and is gone when the function returns;
 * - gives back at most one result: a number or bytes, by one of vv_return_...(); without one the result is empty, no bytes;
 * - returns 0. Anything else is the task's failure, told to whoever wants its result, with the rank; `return vv_error(VV_ERR_RUN, "no convergence at %g", x);`
 *   says what happened. So is an argument asked for as what it is not, or a result that is written past its end;
 * - runs on a thread of its own, beside others. It calls no function of Varve's but those of this header, vv_error() and those marked Local.
 *
 * All functions: Local, inside a task function, with the task that it was called with. */
#ifndef VARVE_TASK_H
#define VARVE_TASK_H

#include "varve/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A result to come, by number: a plain value to be copied about. {0} is none. */
typedef struct vv_future {
    int64_t id;
} vv_future;

/* --- arguments --- */

typedef enum vv_arg_kind { VV_ARG_I64, VV_ARG_F64, VV_ARG_BYTES, VV_ARG_LIST, VV_ARG_FUTURE, VV_ARG_KINDS } vv_arg_kind;

typedef struct vv_arg {
    vv_arg_kind kind;
    int64_t i;        /* VV_ARG_I64; VV_ARG_FUTURE: its number */
    double f;         /* VV_ARG_F64 */
    const void *data; /* VV_ARG_BYTES */
    vv_bytes size;
    const struct vv_arg *list; /* VV_ARG_LIST: of any kinds, lists among them */
    vv_index n;
} vv_arg;

/* Arguments as they are given. What they point to is copied by the call that gets them: it may be gone afterwards. */
static inline vv_arg vv_i64(int64_t i)
{
    vv_arg a = {VV_ARG_I64, i, 0, 0, 0, 0, 0};
    return a;
}
static inline vv_arg vv_f64(double f)
{
    vv_arg a = {VV_ARG_F64, 0, f, 0, 0, 0, 0};
    return a;
}
static inline vv_arg vv_buffer(const void *data, vv_bytes size)
{
    vv_arg a = {VV_ARG_BYTES, 0, 0, data, size, 0, 0};
    return a;
}
/* The result of another task. */
static inline vv_arg vv_of(vv_future f)
{
    vv_arg a = {VV_ARG_FUTURE, f.id, 0, 0, 0, 0, 0};
    return a;
}
static inline vv_arg vv_list(const vv_arg list[], vv_index n)
{
    vv_arg a = {VV_ARG_LIST, 0, 0, 0, 0, list, n};
    return a;
}
/* Text, with its terminating 0. */
VV_API vv_arg vv_string(const char *text);

/* Several arguments where a function wants `args, n`: vv_submit(s, add, VV_ARGS(vv_i64(1), vv_of(f)), NULL, &sum). Without any: NULL, 0. */
#define VV_ARGS(...) (const vv_arg[]){__VA_ARGS__}, (int)(sizeof((const vv_arg[]){__VA_ARGS__}) / sizeof(vv_arg))

/* --- inside a task --- */

typedef struct vv_task {
    int n;             /* arguments */
    const vv_arg *arg; /* futures are replaced by what came of them: VV_ARG_I64, VV_ARG_F64 or VV_ARG_BYTES */
    int rank;          /* where it runs */
    int attempt;       /* 0, 1 .. when it is tried again */
} vv_task;

typedef int vv_task_function(vv_task *t);

/* Argument k as a number, as bytes, as text, or element j of the list that it is. One that is something else makes the task fail when it returns, and is 0, NULL or
 * empty till then. vv_task_f64 takes integers, too. size may be NULL. */
VV_API int64_t vv_task_i64(vv_task *t, int k);
VV_API double vv_task_f64(vv_task *t, int k);
VV_API const void *vv_task_data(vv_task *t, int k, vv_bytes *size);
VV_API const char *vv_task_string(vv_task *t, int k);
VV_API vv_index vv_task_length(vv_task *t, int k);
VV_API vv_arg vv_task_element(vv_task *t, int k, vv_index j);

/* The result; the last call counts. They return what the function is to return. */
VV_API int vv_return_i64(vv_task *t, int64_t i);
VV_API int vv_return_f64(vv_task *t, double f);
VV_API int vv_return_bytes(vv_task *t, const void *data, vv_bytes size); /* copied */
/* Room for a result of so many bytes, to be filled in by the task, aligned to 64. NULL when there is no memory: return VV_ERR_NOMEM then. */
VV_API void *vv_return_room(vv_task *t, vv_bytes size);
/* The result is that of another task, which this one has made by vv_task_submit(), once there is one: recursion without anyone waiting. */
VV_API int vv_return_future(vv_task *t, vv_future f);

/* A new task, whose arguments may be futures that this one has made (not ones of the driver's: give it their results). It begins when this one has ended well; one that nobody
 * needs for a result runs all the same. {0} when it is refused; then this task fails. */
VV_API vv_future vv_task_submit(vv_task *t, vv_task_function *f, const vv_arg args[], int n);

#ifdef __cplusplus
}
#endif
#endif
