/* Delayed calls: a graph of tasks that is put together first and run when results are wanted. All functions: Driver only.
 *
 *     vv_delayed *a = vv_delay(s, read_year, VV_ARGS(vv_string("2001.nc")));      nothing runs yet
 *     vv_delayed *b = vv_delay(s, read_year, VV_ARGS(vv_string("2002.nc")));
 *     vv_delayed *d = vv_delay(s, difference, VV_ARGS(vv_later(a), vv_later(b)));
 *     double value;
 *     vv_status status = vv_delayed_f64(d, &value);                               runs all three, the first two at once
 *
 * What a task function is given and may do is said in task.h, where tasks run and what they cost in futures.h. Calls are arguments of others, also within lists, by vv_later().
 *
 * - The same function with the same arguments is the same call, and runs once, however often it was made: the second vv_delay() gives the first one's handle. vv_delay_impure() makes one of its own: for
 *   functions that look at a clock, read what changes, or draw numbers.
 * - A call belongs to the session until it is released as often as it was made; calls that use it hold it. vv_delay() fails by giving a call that tells the reason when it is computed, as arrays do, so that a
 *   chain of calls needs one check.
 * - What several results have in common runs once when they are computed together. What one has computed is forgotten when nobody needs it any more, unless its future is held.
 * - There is no cycle, as a call is made of calls that are there; vv_delayed_set() could make one, which computing refuses.
 * - Any number of graphs may be there and under way at once: vv_delayed_submit() does not wait, and the futures that it gives are waited for in any order. A grid of steps by points, say, in
 *   which a call has a payload and the results of `n` points of the step before, gives a payload back, and belongs to one of several graphs:
 *
 *       vv_arg args[MOST + 4] = {vv_i64(graph), vv_i64(step), vv_i64(point), vv_buffer(payload, size)};
 *       for (int k = 0; k < n; k++) args[4 + k] = vv_later(row[step - 1][from[k]]);
 *       row[step][point] = vv_delay(s, work, args, n + 4);       in work(): vv_task_data(t, 3 .. t->n - 1, &size), vv_return_room(t, size)
 *
 *   (Without the number of the graph as an argument equal graphs would be the same graph, and run once.) A row that was used may be released; the last one is submitted. */
#ifndef VARVE_DELAYED_H
#define VARVE_DELAYED_H

#include "varve/array.h"
#include "varve/futures.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vv_delayed vv_delayed;

VV_API vv_delayed *vv_delay(vv_session *s, vv_task_function *f, const vv_arg args[], int n);
/* options (or NULL) as those of vv_submit(). */
VV_API vv_delayed *vv_delay_impure(vv_session *s, vv_task_function *f, const vv_arg args[], int n,
                                   const vv_submit_options *options);
/* As an argument of another call. */
VV_API vv_arg vv_later(const vv_delayed *d);
/* Argument k of an impure call becomes another one: for graphs that are read from somewhere, in any order. */
VV_API VV_WARN_UNUSED vv_status vv_delayed_set(vv_delayed *d, int k, vv_arg value);
/* VV_OK, or why it is no call. */
VV_API VV_WARN_UNUSED vv_status vv_delayed_status(const vv_delayed *d);

/* Submits what n calls need, and gives their results as futures without waiting for them; each is to be released. */
VV_API VV_WARN_UNUSED vv_status vv_delayed_submit(vv_delayed *const d[], int n, vv_future out[]);
/* One result, waited for. */
VV_API VV_WARN_UNUSED vv_status vv_delayed_i64(vv_delayed *d, int64_t *out);
VV_API VV_WARN_UNUSED vv_status vv_delayed_f64(vv_delayed *d, double *out);
VV_API VV_WARN_UNUSED vv_status vv_delayed_bytes(vv_delayed *d, void **data, vv_bytes *size); /* to be freed */

/* Handles become NULL. */
VV_API void vv_delayed_release(vv_delayed *d[], int n);

/* The calls that n results need as a picture: a file that ends in .svg, .png or .pdf, or in .dot for Graphviz. Each call is a box with its function and arguments, drawn dashed if it is impure; lines go to the calls that get its result. At most
 * 2,000 calls can be drawn; .dot takes any number. */
VV_API VV_WARN_UNUSED vv_status vv_delayed_visualise(vv_delayed *const d[], int n, const char *path);

/* The chunks of an array as calls: each gives the elements of one, as bytes, in row-major order of their places; *out is freed with free(), after vv_delayed_release(*out, *n). Nothing is computed yet. When calls of
 * chunks are wanted, their arrays are persisted, those that can be by one plan, and stay so until vv_unpersist() or until neither the array nor a call of it is there any more; tasks that use a chunk go where it is. */
VV_API VV_WARN_UNUSED vv_status vv_delayed_from_array(vv_array *a, vv_delayed ***out, int *n);
/* An array whose chunks are results of n calls, in row-major order: "time:12,lat:180", cut into "time:1" (NULL: one chunk), of so many bytes as its elements take. The calls run when
 * the array is computed first, and their results stay with the ranks as those of a persisted array do.
 *
 * Both can be put together in any way, array after calls after array, and one vv_compute() or vv_save() of the last one does all of it: what arrays are needed by calls, and calls by arrays, is found then, and what
 * several of these need runs once. A part that the computed array shares with one whose chunks are calls is held until the computation ends if a rank's share of it takes less than a quarter of its memory,
 * and is computed twice otherwise. vv_explain() runs none of it; it says which calls would come first. */
VV_API vv_array *vv_array_from_delayed(vv_session *s, vv_delayed *const d[], int n, const char *dims,
                                       const char *chunks, vv_dtype dtype);

#ifdef __cplusplus
}
#endif
#endif
