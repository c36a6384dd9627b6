/* Fitting a plan to its budget.
 *
 * Lowering decides what is computed and in which order numbers are added; none of that may depend on memory. What may is chosen here, once
 * the stored bytes of the sources are known:
 *
 *   groups   how many of them share an output chunk: as many as their states fit, for each further chunk may read the input again. Among the numbers that fit,
 *            the one with the least read amplification; of those the largest.
 *   held     a compressed source that is needed again when a result of its first use is known (an anomaly) is read and inflated once and held, when it fits into
 *            half of what is free; else it is read again.
 *   store    how many bytes of inboxes stay in memory: what is expected to be open at once and some more, as far as the budget goes; the rest goes to the
 *            scratch directory.
 *
 * Nothing of this changes a bit of the results: leaves, trees and the chunks of the work stay as they are.
 *
 * A plan is refused (vv_cost_check) when it does not fit with one group at a time, nothing held and the least store. Since every budget from there on is
 * accepted, that figure is the smallest budget that would do. */
#ifndef VV_PLAN_FIT_H
#define VV_PLAN_FIT_H

#include "plan/cost/cost.h"

/* baseline: what a rank holds already. Steps may be inserted: deliver steps keep their order. Their grids follow. Notes the reasons in step.why. */
VV_WARN_UNUSED vv_status vv_fit(vv_plan *p, vv_bytes baseline);
/* The store alone: again when something else has changed. Deliver steps have to.chunked before either. */
VV_WARN_UNUSED vv_status vv_fit_store(vv_plan *p, vv_bytes baseline);

/* How often the input of a reduce step with groups is read when `chunk` of them share an output chunk; 1.0 is best. */
VV_WARN_UNUSED vv_status vv_fit_amplification(const vv_step *s, vv_index chunk, double *out);

/* What a rank needs at the least: the choices are open again after this. */
VV_WARN_UNUSED vv_status vv_fit_least(vv_plan *p, vv_bytes baseline, vv_bytes *peak);

#endif
