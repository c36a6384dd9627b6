/* What the benchmarks of `varve bench` share: the table that they fill, a row a run, and its pictures. */
#ifndef VV_CLI_BENCH_H
#define VV_CLI_BENCH_H

#include "cli/options.h"
#include "varve/array.h"

#include <stddef.h>

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

typedef struct vv_cli_column {
    const char *name;
    enum { VV_CLI_TEXT, VV_CLI_WHOLE, VV_CLI_REAL } kind;
    size_t at, room; /* in a row */
} vv_cli_column;
#define VV_CLI_COLUMN(type, kind, name)                                                                                \
    {                                                                                                                  \
#name, VV_CLI_##kind, offsetof(type, name), sizeof((type *)0)->name                                            \
    }
typedef struct vv_cli_rows {
    const char *name; /* of what makes it */
    const vv_cli_column *column;
    int n;
} vv_cli_rows;

/* Adds a row to a file, which is begun if it is not there; refuses files of another kind. */
VV_WARN_UNUSED vv_status vv_cli_rows_append(const char *path, const vv_cli_rows *t, const void *row);
VV_WARN_UNUSED vv_status vv_cli_measure_append(const char *path, const vv_cli_measure *m);
/* All rows, in their order; *out is freed with free(). */
VV_WARN_UNUSED vv_status vv_cli_measure_read(const char *path, vv_cli_measure **out, int *n);

/* Data that is made up, of about so many bytes: f32 of time, lat, lon, 8 : 1 : 2 or so; chunks are maps of some times. */
typedef struct vv_cli_field {
    vv_index time, lat, lon, maps; /* maps: of a chunk */
    int tile;                      /* sides of a chunk of series */
} vv_cli_field;
vv_cli_field vv_cli_field_of(vv_bytes size);
double vv_cli_field_bytes(const vv_cli_field *f);
vv_array *vv_cli_field_open(vv_session *s, const vv_cli_field *f);
/* Into a field of a row; text is freed. */
void vv_cli_take_text(char *text, char out[VV_CLI_BENCH_TEXT]);

/* The words behind `bench scaling` or `bench compare`, which are among n names of what is called `what`; none: all of these are meant. */
VV_WARN_UNUSED vv_status vv_cli_bench_words(const vv_cli_request *r, const char *what, const char *const names[], int n,
                                            vv_cli_words *out);

/* bench_scaling.c, bench_compare.c, bench_plot.c */
VV_WARN_UNUSED vv_status vv_cli_bench_scaling(vv_session *s, const vv_cli_request *r);
VV_WARN_UNUSED vv_status vv_cli_bench_compare(vv_session *s, const vv_cli_request *r);
VV_WARN_UNUSED vv_status vv_cli_bench_plot(const vv_cli_request *r);

#endif
