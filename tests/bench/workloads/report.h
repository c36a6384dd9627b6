/* What a run took beside what was predicted, as a line of a table or of JSON. */
#ifndef REPORT_H
#define REPORT_H

#include "workload.h"

/* From explain; -1 where it does not say. */
typedef struct wl_prediction {
    double read, moved, written, peak, seconds;
} wl_prediction;

typedef struct wl_figures {
    double scale;
    int ranks, threads;
    vv_bytes budget, input, stored; /* per rank; of all inputs in memory; and in files */
    double build, explain;          /* seconds: opening and building the arrays; predicting */
    double cpu;                     /* seconds of the processor that rank 0 took for the run, its waiting included */
    vv_run_stats measured;
    wl_prediction predicted;
    vv_index compared; /* elements of results */
    const char *error; /* NULL: none */
} wl_figures;

/* Reads explain's JSON. */
void wl_read_prediction(const char *json, wl_prediction *out);

void wl_print_head(void);
void wl_print(const wl_run *r, const wl_figures *f, bool json);
/* What a workload is, and its inputs at a scale. */
void wl_print_workload(const wl_run *r, bool json);

#endif
