/* Copying as stored: what a plan writes the way it lies in a file goes there without being decoded and encoded.
 *
 * A map step that changes no element (its program is empty) and feeds nothing but one write step is a selection, a concatenation, a stack, a renaming
 * or a rechunking. Where one of its chunks is exactly one stored chunk - the same elements at the same places, nothing cut off - and the output has the
 * same element type, filters and fill value, the stored bytes are the output's: they are copied, with the mask of skipped filters, and a chunk that
 * was never written stays so. Contiguous data goes likewise, run by run. Other chunks of the same step, at a seam, are computed as usual.
 *
 * These are pure functions of the plan, like those of place.h and flow.h. Whether filters and fill values agree is the session's to know, who sets
 * vv_step.copied_to. */
#ifndef VV_PLAN_COPY_H
#define VV_PLAN_COPY_H

#include "plan/place.h"

/* Where an output chunk lies: it is a stored chunk of one source; or all of it is in contiguous data, perhaps that of several parts. */
typedef struct vv_copied {
    const vv_part *part; /* NULL: contiguous data of every part that reaches into the chunk */
    int source;
    vv_index chunk; /* its number there */
} vv_copied;

/* The write step that takes all that a map step makes, if this may go there as it is stored; -1 when there is none. */
int vv_copy_target(const vv_plan *p, int step);

/* Whether output chunk `out` of a step with such a target is a stored chunk, or lies in contiguous data. */
bool vv_copy_of(const vv_plan *p, const vv_step *s, vv_index out, vv_copied *copy);

/* Contiguous data: elements of a box of the output lie together in both files along its dimensions from this one on. */
int vv_copy_outer(const vv_source *from, const vv_part *part, const vv_grid *to, const vv_box *box);

#endif
