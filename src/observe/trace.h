/* What a program's runs did, as files for people: a trace for Perfetto (ui.perfetto.dev) or chrome://tracing, and a report, a page of HTML with the plan, what was predicted beside what was
 * measured, and what every thread did when. Both are written when the driver has ended; a file is there whole or not at all.
 *
 * One record at a time in a process, on the coordinator: begin, then for each plan its name, the ranks' traces as they come, and how it ended. Programs of very many plans fill a record: later ones
 * are counted only. */
#ifndef VV_OBSERVE_TRACE_H
#define VV_OBSERVE_TRACE_H

#include "exec/engine.h"

/* Events of all ranks in a plan, about; what a rank may tell; bytes that the coordinator holds for a record. */
enum { VV_TRACE_EVENTS = 1 << 17, VV_TRACE_LEAST = 64, VV_TRACE_MOST = 1 << 15 };
#define VV_TRACE_BYTES (2 * VV_TRACE_EVENTS * (vv_bytes)sizeof(vv_event) + (4 << 20))

typedef struct vv_record_names {
    const char *trace, *report; /* paths; NULL: not wanted */
    const char *command;        /* what was run, for the heading */
    const char *place;          /* on what */
} vv_record_names;

/* A plan that has ended well. */
typedef struct vv_record_plan {
    const char *table;   /* predicted beside measured */
    const char *picture; /* of the plan, SVG; NULL: none */
    double seconds, plan_seconds;
    vv_bytes read, moved, written, peak, budget;
    vv_index tasks;
} vv_record_plan;

/* Looks whether the files can be written; one that is there already is replaced. */
VV_WARN_UNUSED vv_status vv_record_begin(const vv_record_names *names);
bool vv_record_on(void);
/* How many events a rank of a plan may tell of; 0: no record. */
int vv_record_room(int ranks);
/* A plan begins; a rank has told; it has ended well. */
VV_WARN_UNUSED vv_status vv_record_plan_begin(const vv_plan *p);
void vv_record_rank(const vv_rank_trace *t);
VV_WARN_UNUSED vv_status vv_record_plan_end(const vv_record_plan *p);
/* Writes the files when `ok`; the record is gone. */
VV_WARN_UNUSED vv_status vv_record_end(bool ok);

#endif
