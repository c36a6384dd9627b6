/* What the benchmarks of `varve bench` share: the table that they fill, a row a run, and its pictures. */
#ifndef VV_CLI_BENCH_H
#define VV_CLI_BENCH_H

#include "cli/options.h"

enum { VV_CLI_BENCH_TEXT = 256 };

/* A row. */
typedef struct vv_cli_measure {
    char benchmark[16], scaling[16], source[16]; /* "reduce", "strong" or "weak", "memory" or "disk" */
    int ranks, nodes, threads;
    double bytes;         /* of the data, on all ranks together */
    double amount;        /* what the rate counts: bytes of the data, or floating-point operations */
    char unit[8];         /* "B", "flop" */
    double seconds, rate; /* of the middle run of `runs` */
    double read, moved, across, written, peak; /* peak: of the rank that had most, in its life so far */
    int runs;
    char placed[VV_CLI_BENCH_TEXT], machine[VV_CLI_BENCH_TEXT], version[16], date[32];
} vv_cli_measure;

/* Adds a row to a file, which is begun if it is not there; refuses files of another kind. */
VV_WARN_UNUSED vv_status vv_cli_measure_append(const char *path, const vv_cli_measure *m);
/* All rows, in their order; *out is freed with free(). */
VV_WARN_UNUSED vv_status vv_cli_measure_read(const char *path, vv_cli_measure **out, int *n);

/* bench_scaling.c, bench_plot.c */
VV_WARN_UNUSED vv_status vv_cli_bench_scaling(vv_session *s, const vv_cli_request *r);
VV_WARN_UNUSED vv_status vv_cli_bench_plot(const vv_cli_request *r);

#endif
