/* Memory accounting: every block of data that scales with the user's arrays comes from here.
 *
 * vv_mem_get() refuses what would take the process over its budget, so that a plan that was too optimistic ends with an error instead
 * of a killed job. The budget speaks of the whole process as the operating system sees it: what was resident before the first block
 * (libraries, MPI's own buffers) is the baseline and counts. Blocks are 64-byte aligned. Small bookkeeping uses plain malloc and is covered by the
 * planner's margin.
 *
 * Large blocks that are freed are kept for the next ones of the same size, because the system clears every page that it gives: that takes as long as filling it.
 * What is kept and what is in use never come to more than what was in use at once before, so that keeping does not raise the peak.
 *
 * After a run what is kept is the system's as soon as it wants it, and ours for as long as it does not (vv_mem_rest): a next run on arrays of the same size finds its
 * memory there. */
#ifndef VV_BASE_MEM_H
#define VV_BASE_MEM_H

#include "base/status.h"

/* From this size on blocks are kept; the system gives each pages of its own, so that freeing one leaves no gap, and they begin where a page does. */
enum { VV_MEM_LARGE = 256 << 10 };

/* 0 means no limit. `baseline` is what the process holds besides accounted blocks. Set between computations. */
void vv_mem_set_budget(vv_bytes budget, vv_bytes baseline);
vv_bytes vv_mem_budget(void);
vv_bytes vv_mem_used(void);
vv_bytes vv_mem_peak(void); /* most accounted bytes since the last reset */
void vv_mem_reset_peak(void);
vv_bytes vv_mem_kept(void); /* in freed blocks that wait for another use */
void vv_mem_rest(void);     /* the system may take their pages: after a run */
void vv_mem_trim(void);     /* gives them back */

/* *out = 64-byte aligned block of `bytes`, not cleared; NULL on failure. `what` names it in the error. */
VV_WARN_UNUSED vv_status vv_mem_get(void *out, vv_bytes bytes, const char *what);
/* Frees *block and sets it to NULL; accepts NULL. */
void vv_mem_put(void *block_address);

/* What is resident besides blocks in use and kept ones: what a budget is set with. */
vv_bytes vv_mem_baseline(void);
/* Resident set of this process now and its peak, as the system reports them. */
vv_bytes vv_mem_resident(void);
vv_bytes vv_mem_resident_peak(void);

/* malloc and calloc for bookkeeping that fail with a message; zeroed. */
VV_WARN_UNUSED vv_status vv_new(void *out, size_t count, size_t size);
VV_WARN_UNUSED vv_status vv_strdup(char **out, const char *text);

/* Room for one more element in the list at *list (a pointer to its elements), which has n. A list that grows through this alone has room
 * for the next power of two, so it is full when n is one, or 0. `what`: what its elements are, for the message. */
VV_WARN_UNUSED vv_status vv_grow_now(void *list, int64_t n, size_t size, const char *what);
VV_WARN_UNUSED static inline vv_status vv_grow(void *list, int64_t n, size_t size, const char *what)
{
    return n & (n - 1) ? VV_OK : vv_grow_now(list, n, size, what);
}

/* "1.5 GB" into out (at least 32 bytes); "256MB", "1.5G", "300k" into bytes. Both decimal; Ki/Mi/Gi suffixes are binary. */
const char *vv_bytes_text(vv_bytes n, char out[32]);
VV_WARN_UNUSED vv_status vv_bytes_parse(const char *text, vv_bytes *out);

#endif
