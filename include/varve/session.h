/* Sessions: starting, and the driver that reads like a serial program.
 *
 * vv_run() starts MPI when the process was launched by mpirun or srun with more than one rank (otherwise it does without), calls the driver
 * on rank 0, lets every other rank serve, and returns the same exit status on all of them. When the driver returns an error code,
 * its message is printed once.
 *
 *     static int driver(vv_session *s, int argc, char **argv) { ... return VV_OK; }
 *     int main(int argc, char **argv) { return vv_run(argc, argv, driver); }
 */
#ifndef VARVE_SESSION_H
#define VARVE_SESSION_H

#include "varve/types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vv_session vv_session;

/* The user's program: runs on rank 0 only. Returns a vv_status; codes other than VV_OK end the run with their exit status. */
typedef int vv_driver(vv_session *s, int argc, char **argv);

/* Collective. Returns the process exit status. */
VV_API int vv_run(int argc, char **argv, vv_driver *driver);

/* What this run has. Driver only. */
VV_API int vv_session_ranks(const vv_session *s);
VV_API int vv_session_threads(const vv_session *s);     /* per rank */
VV_API vv_bytes vv_session_memory(const vv_session *s); /* per rank */

VV_API int vv_session_nodes(const vv_session *s); /* computers */
/* "8 on 2 nodes, 4 each; bound to 2 CPUs each; 2 threads each; 3.8 GB of memory each, by SLURM_MEM_PER_NODE", to be freed. Told on stderr when the first plan
 * runs: in a batch job's log, with a report, at log level "info"; and what was likely placed by mistake in any case, as a warning. Driver only. */
VV_API char *vv_session_placed(const vv_session *s);

/* Memory budget per rank, as the operating system counts the whole process. Default: what Slurm or the control group leaves to
 * this rank, else its share of 80 % of the machine's memory. Driver only. */
VV_API vv_status vv_session_set_memory(vv_session *s, vv_bytes per_rank);
/* Threads per rank, at least 1. Default: the cores this rank may use divided among the ranks that share them, at least 1. Driver only. */
VV_API vv_status vv_session_set_threads(vv_session *s, int per_rank);

/* Progress on stderr: a bar on a terminal, plain lines otherwise; `automatic` shows it only on a terminal, and, from time to time, in the log of a batch job. Driver only. */
typedef enum vv_progress_mode { VV_PROGRESS_AUTO, VV_PROGRESS_ON, VV_PROGRESS_OFF } vv_progress_mode;
VV_API void vv_session_set_progress(vv_session *s, vv_progress_mode mode);

/* Placement of work on ranks: "outputs" (a rank owns whole results), "leaves" (a rank owns a stretch of the input), "cyclic"
 * (chunks are dealt out in turn), "auto". Results have the same bits with all of them. Driver only. */
VV_API vv_status vv_session_set_placement(vv_session *s, const char *name);

/* Which of the tasks that could run comes first: "critical-path" or "memory". Results have the same bits with both. Driver only. */
VV_API vv_status vv_session_set_policy(vv_session *s, const char *name);
/* Directory, best on a disk of the rank's own machine, for what does not fit in memory. Default: $TMPDIR, else /tmp. Driver only. */
VV_API vv_status vv_session_set_scratch(vv_session *s, const char *directory);

/* Directory for the headers of opened files: files that have not changed since (by size and time) need not be opened again. Default: $VARVE_CACHE, else
 * none are kept. Driver only. */
VV_API vv_status vv_session_set_cache(vv_session *s, const char *directory);

/* What a chunk that cannot be decoded or whose checksum is wrong does: it ends the run (the default), or, with fill, its elements are missing values (fill
 * values, for integers that have none) and the chunk is counted in vv_run_stats.bad_chunks. Driver only. */
VV_API void vv_session_fill_bad_chunks(vv_session *s, bool fill);

/* With it on, every compute and save leaves a report: what was predicted for each step beside what was measured. It takes a moment for plans of millions of
 * chunks. The text is valid until the next run; empty without one. Driver only. */
VV_API void vv_session_set_report(vv_session *s, bool on);
VV_API const char *vv_session_report(const vv_session *s);

/* From here on what runs do is recorded, and written when the driver has returned VV_OK: as a trace for Perfetto or chrome://tracing (JSON), as a page of HTML with plan, figures and what every
 * thread did when, or both. NULL: not wanted; files that exist are replaced. `command` is the heading. A long run is recorded in less detail, in about 16 MB of memory. Driver only. */
VV_API VV_WARN_UNUSED vv_status vv_session_record(vv_session *s, const char *command, const char *trace,
                                                  const char *report);

/* What the last compute, save or persist did on all ranks together. */
typedef struct vv_run_stats {
    double seconds;      /* from the call to its return */
    double plan_seconds; /* until the last rank had its plan */
    vv_index tasks;
    vv_bytes read, moved, written; /* bytes of stored data read, sent between ranks, written to output data */
    vv_bytes plan_bytes;           /* the symbolic plan as broadcast */
    vv_index bad_chunks;           /* damaged and filled; a chunk that several ranks need counts for each */
    vv_bytes peak;                 /* largest resident set of a rank so far, as the system counts it */
    vv_bytes across;               /* of what was moved: from one machine to another */
    vv_index messages; /* with elements and partial results, as explain foretells them; some may travel together */
    vv_index sends, control; /* messages that MPI was given: with these, and all others while the plan ran */
    vv_bytes held;           /* of persisted arrays in the memory of all ranks, then or since the last release */
} vv_run_stats;
VV_API void vv_session_stats(const vv_session *s, vv_run_stats *out);

/* What this computer is: "AMD EPYC 7763, 128 CPUs, 8 NUMA nodes, 504 GB, Linux 6.1", to be freed. Local. */
VV_API char *vv_machine_text(void);
/* How fast this machine is: what explain expects a run to take comes from these rates. */
typedef struct vv_machine_figure {
    const char *name, *help; /* "inflate", "bytes that come out of inflating" */
    double rate;             /* per second and thread */
    bool measured;           /* else it stays what it was: of an earlier measurement, or of an ordinary machine */
} vv_machine_figure;
typedef void vv_machine_visit(void *context, const vv_machine_figure *figure);
/* Measures every rate, for some tenths of a second each, tells them one by one, and stores them in a file; path NULL: where explain looks for
 * them. The network needs two ranks or more, tasks want one. Driver only. */
VV_API VV_WARN_UNUSED vv_status vv_machine_measure(vv_session *s, const char *path, vv_machine_visit *visit,
                                                   void *context);
/* That place, to be freed: $VARVE_MACHINE, else varve/machine.json in the user's configuration; NULL when there is none. Local. */
VV_API char *vv_machine_file(void);

/* Log lines on stderr: "error", "warn" (default), "info", "debug"; of every rank from the next compute on. Driver only. */
VV_API vv_status vv_session_set_log(vv_session *s, const char *level);

/* Fails with a formatted message of your own: `return vv_error(VV_ERR_USAGE, "no %s", x);`. Local. */
VV_API VV_WARN_UNUSED vv_status vv_error(vv_status code, const char *format, ...) VV_PRINTF(2, 3);

/* The candidate nearest to a misspelled word, NULL when none is near: for messages. Local. */
VV_API const char *vv_suggest(const char *word, const char *const candidates[], int n);

/* "1.5 GB" and back ("512MB", "1.5G", "300k"; Ki, Mi, Gi are binary). Local. */
VV_API const char *vv_format_bytes(vv_bytes n, char out[32]);
VV_API VV_WARN_UNUSED vv_status vv_parse_bytes(const char *text, vv_bytes *out);

/* "0.1.0". Local. */
VV_API const char *vv_version(void);

#ifdef __cplusplus
}
#endif
#endif
