/* Getting results: into memory, or into a file that is complete or absent.
 *
 * All functions: Driver only; the other ranks work along. */
#ifndef VARVE_OUTPUT_H
#define VARVE_OUTPUT_H

#include "varve/array.h"
#include "varve/dataset.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The whole array into a buffer on rank 0, row-major, of vv_array_dtype() elements. bytes: the buffer's size, checked. */
VV_API VV_WARN_UNUSED vv_status vv_compute(vv_array *a, void *buffer, vv_bytes bytes);
/* Several at once, each into a buffer of its own: what they share is read and computed once.
 * vv_compute_all((vv_array *[]){mean, spread}, (void *[]){m, s}, (vv_bytes[]){sizeof m, sizeof s}, 2). */
VV_API VV_WARN_UNUSED vv_status vv_compute_all(vv_array *const arrays[], void *const buffers[], const vv_bytes bytes[],
                                               int n);

/* Computes an array and keeps its values with the ranks, each its own chunks, until the array is released, or vv_unpersist(). Whatever is built on it,
 * before or after, takes them from there instead of computing them again, and has the same bits as without. They count against the memory budget: a later
 * plan may need their room, then chunks move to scratch files (checksummed, gone with the process) and are read back from there. Fails as every
 * compute does, and then nothing is held.
 *
 *     vv_array *anomaly = vv_sub(vv_group(t, "time.month"), clim);
 *     VV_TRY(vv_persist(anomaly));   then vv_save(vv_std(anomaly, "time"), ...), vv_compute(vv_max(anomaly, NULL), ...) */
VV_API VV_WARN_UNUSED vv_status vv_persist(vv_array *a);
/* Several at once: what they share is computed once. */
VV_API VV_WARN_UNUSED vv_status vv_persist_all(vv_array *const arrays[], int n);

typedef struct vv_save_options {
    bool overwrite; /* replace an existing file; without it that is an error before any work */
    int deflate; /* 0 none (contiguous data), 1..9 compressed chunks; -1: not said, as the input if like_input, else none */
    bool shuffle;        /* with deflate */
    const char *history; /* line for the history attribute; NULL: none */
    bool
        like_input; /* what only moves stored elements - views, rechunked or not - is stored like its input where nothing else is said: in chunks, with
                          * its filters, along dimensions that can grow; chunks that stay as they were are copied without being decompressed */
    /* In words, NULL where nothing is said: */
    const char *chunks; /* "time=1,lat=361" (-1: all), "auto": what readers of maps and of series want alike */
    const char *filter; /* "deflate:4", "zstd", "zstd:9", "none": instead of `deflate` */
    const char *
        dtype; /* "f32", "i16": values that do not fit are errors; "i16:packed": floats, scale and offset from their range; or
                            * "i16:packed,scale=0.01,offset=273.15" */
    const char *quantize; /* "3" or "bitgroom:3", "granular:3" digits, "bitround:9" bits: of floats, as netCDF-C does */
    const char *unlimited; /* "time", "none": dimensions that can grow; NULL: those that could in the input */
    const char *
        append; /* NULL: not. Else results are added to the file if it is there, behind what it has along this dimension, which must be unlimited ("":
                         * its only one): types, packing, units of time, chunks and filters are the file's own, other variables of it stay as they are. If
                         * it is not there it is made, with a dimension that can grow. Not with `overwrite` */
    double
        checkpoint; /* seconds: so often partial results are written to a journal beside the output (".NAME.varve-journal"), and on SIGUSR1, on an
                        * end by a signal, and two minutes before a Slurm job's time is over; the journal goes when the output is complete. 0: never */
    bool
        resume; /* goes on from the journal of a run that was ended; begins when there is none. The results have the same bits on any number of
                  * ranks. Refused when inputs, version or what is computed differ */
    const char *format; /* "netcdf4"; "hdf5": dimension scales and labels, but nothing that only netCDF knows */
    const char *
        writer; /* "direct": every rank writes its own bytes; "hdf5": all ranks together, when all is computed, by parallel HDF5's collective
                            * calls: slower, and the same values */
} vv_save_options;
#define VV_SAVE_OPTIONS_INIT                                                                                           \
    {                                                                                                                  \
        .deflate = -1, .shuffle = true                                                                                 \
    }

/* One array with its coordinates as a NetCDF-4 file. options: NULL for the defaults. */
VV_API VV_WARN_UNUSED vv_status vv_save(vv_array *a, const char *path, const vv_save_options *options);

/* A file of several variables: all are computed in one pass where they share their input. */
typedef struct vv_output vv_output;

/* Checks at once that the file may be written. *out is NULL on failure. */
VV_API VV_WARN_UNUSED vv_status vv_output_new(vv_session *s, const char *path, const vv_save_options *options,
                                              vv_output **out);
/* Adds an array under a name (NULL: its own), with the coordinates of its dimensions. */
VV_API VV_WARN_UNUSED vv_status vv_output_add(vv_output *o, const char *name, vv_array *a);
/* Adds what a dataset has besides: every variable whose dimensions all survive in the output (or that no command touched) and that was
 * not added by name; global attributes; `touched` names the dimensions that were reduced away, NULL for none. */
VV_API VV_WARN_UNUSED vv_status vv_output_carry(vv_output *o, vv_dataset *d, const char *touched);
/* Computes, writes, renames; the handle is gone and *o is NULL whatever happens. */
VV_API VV_WARN_UNUSED vv_status vv_output_save(vv_output **o);
/* Gives up without writing. */
VV_API void vv_output_free(vv_output **o);

/* What explain shows, and of which machine: zero is what the run itself would use. Rates are bytes per second and rank, the latency seconds per message. */
typedef enum vv_explain_form {
    VV_EXPLAIN_TEXT,
    VV_EXPLAIN_JSON,
    VV_EXPLAIN_SVG,       /* a picture of the steps */
    VV_EXPLAIN_DOT,       /* likewise, for Graphviz */
    VV_EXPLAIN_TASKS_SVG, /* of all tasks, and what waits for what: of 2,000 at most */
    VV_EXPLAIN_TASKS_DOT,
    VV_EXPLAIN_BRIEF /* some lines: bytes read and written, memory, time */
} vv_explain_form;
typedef struct vv_explain_options {
    vv_explain_form form;
    int ranks;
    double network, latency, disk;
    int nodes; /* which share the ranks evenly; then the network is what is between them */
    int cores; /* of a node; enough of them when 0 */
} vv_explain_options;
#define VV_EXPLAIN_OPTIONS_INIT                                                                                        \
    {                                                                                                                  \
        VV_EXPLAIN_TEXT, 0, 0, 0, 0, 0, 0                                                                              \
    }
/* The plan of a save instead of its run; options NULL: text. *text is freed with free(). Nothing is computed; another number of ranks needs no
 * such ranks. Driver only. */
VV_API VV_WARN_UNUSED vv_status vv_output_explain(vv_output *o, const vv_explain_options *options, char **text);
/* The plan of a compute, likewise. */
VV_API VV_WARN_UNUSED vv_status vv_explain(vv_array *a, const vv_explain_options *options, char **text);
/* The plan of a persist. */
VV_API VV_WARN_UNUSED vv_status vv_explain_persist(vv_array *const arrays[], int n, const vv_explain_options *options,
                                                   char **text);
/* The plan of a compute of several. */
VV_API VV_WARN_UNUSED vv_status vv_explain_all(vv_array *const arrays[], int n, const vv_explain_options *options,
                                               char **text);
/* A picture of the plan of a compute: of its steps, or of all its tasks on the ranks that there are, if these are few. path ends in .svg, or in .dot for Graphviz; the file is written
 * anew. vv_visualise(&anomaly, 1, "plan.svg", false). Driver only. */
VV_API VV_WARN_UNUSED vv_status vv_visualise(vv_array *const arrays[], int n, const char *path, bool tasks);

#ifdef __cplusplus
}
#endif
#endif
