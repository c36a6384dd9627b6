/* Progress on standard error: how far a computation is, how fast it goes, when it will be done.
 *
 * On a terminal one line is redrawn in place, at most ten times a second, and erased at the end:
 *
 *     varve [#########---------------]  37 %  1.11 GB of 3.04 GB  1.90 GB/s  1.0 s left
 *
 * In the log of a batch job (a batch system's variable says so), and elsewhere when they were asked for, there are plain lines, further and further apart:
 *
 *     varve: 37 %, 1.11 GB of 3.04 GB, 1.90 GB/s, 1.0 s left
 *
 * Work that is over in half a second shows nothing. There is one computation at a time in a process, so the state is the process's own. The
 * functions are called by one thread; an update that draws nothing costs one reading of the clock. */
#ifndef VV_OBSERVE_PROGRESS_H
#define VV_OBSERVE_PROGRESS_H

#include "varve/session.h"

#include <stdio.h>

/* Where lines go and what time it is. */
typedef struct vv_progress_sink {
    FILE *out;
    bool terminal;
    int columns;         /* of the terminal */
    double (*now)(void); /* seconds, from any start */
} vv_progress_sink;

/* Replaces standard error and the system's clock, for tests; NULL restores them. The sink is copied. */
void vv_progress_set_sink(const vv_progress_sink *sink);

/* Units are tasks or whatever the caller counts; how far things are is told by bytes, by units when total_bytes is 0. */
void vv_progress_begin(vv_progress_mode mode, vv_index total_units, vv_bytes total_bytes);
/* So much is done by now. Does nothing outside begin and end. */
void vv_progress_update(vv_index done_units, vv_bytes done_bytes);
/* ok: it is done; otherwise it failed, and the message that follows finds an empty line. */
void vv_progress_end(bool ok);

#endif
