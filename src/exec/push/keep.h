/* Held arrays: chunks that a rank keeps in memory from one plan to the next.
 *
 * A keep step of a plan puts every finished chunk here, on the rank that owns it; a later plan reads them as it would read stored chunks
 * (block_slab.c). Which rank owns a chunk follows from the grid alone (vv_held_owner() in plan/place.h), so that nobody has to ask.
 *
 * Every plan says how much may stay in memory while it runs (plan->keep): what is beyond that goes to a scratch file of its own, with checksums, before
 * the plan begins or when it is finished; it stays there. So held arrays never stand in the way of a plan: they become slower to read.
 *
 *     begin   the plan's limit; room for the arrays that it will keep
 *     put     from any thread
 *     find, read   of earlier plans' arrays, from any thread
 *     end     of a run that failed: what it kept is dropped
 *     drop    the driver has let go of the array */
#ifndef VV_EXEC_PUSH_KEEP_H
#define VV_EXEC_PUSH_KEEP_H

#include "plan/plan.h"

typedef struct vv_keep vv_keep;

VV_WARN_UNUSED vv_status vv_keep_new(vv_keep **out);
void vv_keep_free(vv_keep **k);

VV_WARN_UNUSED vv_status vv_keep_begin(vv_keep *k, const vv_plan *p, int rank);
void vv_keep_end(vv_keep *k, const vv_plan *p, bool succeeded);
void vv_keep_drop(vv_keep *k, int array);
/* Between plans: an array whose chunks first .. first + n - 1 will be put here, of so many bytes; half of what the budget leaves may stay in memory. */
VV_WARN_UNUSED vv_status vv_keep_add(vv_keep *k, int array, vv_index first, vv_index n, vv_bytes bytes);

/* A chunk of an array that the plan keeps. */
VV_WARN_UNUSED vv_status vv_keep_put(vv_keep *k, int array, vv_index chunk, const void *data, vv_bytes size);
/* The same of a block from vv_mem_get(): *block is the keep's from here on, and NULL, unless the chunk had to go to the scratch file. */
VV_WARN_UNUSED vv_status vv_keep_take(vv_keep *k, int array, vv_index chunk, void **block, vv_bytes size);
/* A chunk where it lies in memory; NULL when it is not there: in the scratch file, or not on this rank. Valid until the next plan begins. */
const void *vv_keep_find(vv_keep *k, int array, vv_index chunk);
/* From the scratch file. */
VV_WARN_UNUSED vv_status vv_keep_read(vv_keep *k, int array, vv_index chunk, vv_bytes size, void *out);

/* In memory now, and in the scratch file. */
vv_bytes vv_keep_bytes(const vv_keep *k);
vv_bytes vv_keep_spilled(const vv_keep *k);

#endif
