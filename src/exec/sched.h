/* When: which of the tasks that could run now runs first.
 *
 * A policy is a number for each ready task; the lowest goes first. Write one here, in one line of the list in sched.c. Results never depend on it. */
#ifndef VV_EXEC_SCHED_H
#define VV_EXEC_SCHED_H

#include "base/index.h"

typedef struct vv_sched {
    const char *name;
    int64_t (*rank)(vv_index task, int inputs); /* tasks are numbered in the static order */
} vv_sched;

/* By name: "critical-path" (the task that was planned first: others wait for it longest) or "memory" (the one that was planned last, so that results
 * are used up before new ones are begun). NULL when there is none; the first of the list for NULL. */
const vv_sched *vv_sched_find(const char *name);
/* The i-th policy, NULL behind the last. */
const vv_sched *vv_sched_at(int i);

/* A heap of pointers, lowest key first; equal keys in any order. Zeroed is empty. */
typedef struct vv_heap {
    struct vv_heap_item {
        int64_t key;
        void *item;
    } * at;
    vv_index n, room;
} vv_heap;

VV_WARN_UNUSED vv_status vv_heap_push(vv_heap *h, int64_t key, void *item);
/* NULL when it is empty. */
void *vv_heap_pop(vv_heap *h);
void vv_heap_free(vv_heap *h);

#endif
