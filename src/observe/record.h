/* What a record holds, for those who write it. */
#ifndef VV_OBSERVE_RECORD_H
#define VV_OBSERVE_RECORD_H

#include "base/text.h"
#include "observe/trace.h"

#include <stdio.h>

typedef struct vv_recorded_rank {
    int rank, threads;
    char host[32];
    vv_bytes peak;
    vv_index *n; /* by thread */
    vv_event *event;
} vv_recorded_rank;

typedef struct vv_recorded_plan {
    int n_steps, n_ranks, threads;
    char **step; /* "2 reduce t2m" */
    vv_recorded_rank *rank;
    char *table, *picture;
    vv_record_plan figures; /* but for its texts */
} vv_recorded_plan;

typedef struct vv_record {
    char *trace, *report, *command, *place;
    int n_plans, left_out; /* plans without events, because there was no room */
    vv_recorded_plan *plan;
    vv_index events;
    int64_t begin, end; /* of the first event and the last one */
    bool failed;        /* no memory: what there is is written */
} vv_record;

/* report.c: the page. */
void vv_record_write_report(const vv_record *x, FILE *f);

/* Name of an event's step. */
const char *vv_record_step(const vv_recorded_plan *p, const vv_event *e);

#endif
