/* The file that tells how a run is getting on (varve/heartbeat.h), as the coordinator writes it; where a signal ends the job, every rank removes it. One at a time
 * in a process. A file that cannot be written is no reason for a run to fail: then there is none. */
#ifndef VV_OBSERVE_BEAT_H
#define VV_OBSERVE_BEAT_H

#include "exec/engine.h"
#include "varve/heartbeat.h"

/* The file beside an output; the caller frees the path. */
VV_WARN_UNUSED vv_status vv_beat_path(const char *output, char **path);
/* An output is being made by so many ranks. */
void vv_beat_begin(const char *output, const char *command, int ranks, int threads, vv_bytes memory);
/* A plan for it begins, which reads so much. */
void vv_beat_plan(vv_bytes bytes);
void vv_beat_update(const vv_rank_report rank[], int ranks);
void vv_beat_end(void);

#endif
