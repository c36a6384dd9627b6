/* The agenda: which unit of this rank runs next.
 *
 * Units come from two kinds of walks. A step that waits for nothing has one walk over all its own units from the start: threads draw numbers from
 * a counter, without any lock. An inbox that completes gives a walk over the units that wait for it; those for which it was the last one run (store.h).
 *
 * Which walk goes on next is the policy's choice (sched.h), by the place of its step in the plan: a step's position counts the steps still behind it,
 * so that "critical-path" prefers what is farthest from the end and "memory" what is nearest, which frees inboxes. Walks from the start are taken in this order: act by act (act.c); in an act first those
 * whose results are needed first (a step in front of a reduction before one behind it), then the plan's; steps that feed the same consumer, however
 * indirectly, go hand in hand, each by the share it has done: neither fills inboxes that wait for the other.
 * When the store is full, what can empty it goes first whatever the policy says; while too many bytes are under way to other
 * ranks, no unit from the start is taken.
 *
 * Inboxes complete in any order, partial results combine in one: a reduction fed by inboxes whose units ran as they become ready might end up with a
 * partial result for each of them. Therefore a step is *watched*: while more than a given number of its partial results wait for others, only the first
 * of its units in the order of numbers that has not begun may run, as soon as it can. That one is next for its output chunk, and waits for earlier steps
 * only, so the end of a plan is always reached.
 *
 * fuzz: all choices are random, and the units of a step come in a random order; for tests. Results never depend on any of this. */
#ifndef VV_EXEC_AGENDA_H
#define VV_EXEC_AGENDA_H

#include "exec/push/store.h"

typedef struct vv_agenda vv_agenda;

typedef struct vv_task {
    int step;
    vv_unit unit;
} vv_task;

VV_WARN_UNUSED vv_status vv_agenda_open(const vv_plan *plan, int rank, vv_store *store, vv_agenda **out);
void vv_agenda_close(vv_agenda **a);

/* Before any unit is taken: *waiting partial results of the step are there, and more than `most` are too many. */
VV_WARN_UNUSED vv_status vv_agenda_watch(vv_agenda *a, int step, const _Atomic vv_index *waiting, vv_index most);

/* An inbox is complete: any thread. */
VV_WARN_UNUSED vv_status vv_agenda_add(vv_agenda *a, int step, int input, vv_index key, int64_t sequence);
/* The next unit, false when there is none at the moment. throttled: none from the start. */
VV_WARN_UNUSED vv_status vv_agenda_take(vv_agenda *a, bool throttled, vv_task *out, bool *got);
/* A unit of a step has ended; false for the very last one. */
bool vv_agenda_ended(vv_agenda *a, int step);
vv_index vv_agenda_left(const vv_agenda *a);

/* Acts (plan/cost/cost.h): units from the start are taken from the act at work and those before it; at first that is number 0. How many there are; which one a step
 * belongs to; how many have no unit left here, counted from the first. What has begun stays so: beginning an earlier act changes nothing. */
int vv_agenda_acts(const vv_agenda *a);
int vv_agenda_act_of(const vv_agenda *a, int step);
int vv_agenda_acts_ended(const vv_agenda *a);
void vv_agenda_begin_act(vv_agenda *a, int act);

/* Waits until something may have changed, for at most so many microseconds; wakes everybody who does. */
void vv_agenda_rest(vv_agenda *a, int64_t microseconds);
void vv_agenda_wake(vv_agenda *a);

#endif
