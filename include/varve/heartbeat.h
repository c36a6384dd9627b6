/* How a run is getting on, seen from outside: from another process, another node, or a login node that shares the file system.
 *
 * While a program saves an output, a small file beside it (".NAME.varve-status") tells every few seconds how far each rank is; it goes when the run ends,
 * whether well or not. A run that was killed leaves it behind, with the time of its last beat. `varve status` shows it. */
#ifndef VARVE_HEARTBEAT_H
#define VARVE_HEARTBEAT_H

#include "varve/types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vv_heartbeat_rank {
    char host[32];
    vv_index done, units;  /* pieces of work, of all that it has; units 0: it has not told yet */
    vv_bytes read, memory; /* stored bytes; resident memory */
} vv_heartbeat_rank;

typedef struct vv_heartbeat {
    char *output, *command; /* absolute path; the command line, as in the history, or "" */
    char host[64], job[64]; /* of rank 0; the batch system's number, or "" */
    long process;           /* of rank 0 */
    double started, planned,
        beat;           /* of the program's saving, of the computation at work, of the last sign; seconds since 1970 */
    double every;       /* seconds between beats */
    int ranks, threads; /* threads of a rank */
    vv_bytes memory;    /* that a rank may use */
    vv_bytes bytes;     /* that the computation at work reads in all */
    vv_heartbeat_rank *rank; /* `ranks` of them */
} vv_heartbeat;

/* Of an output that is being written: VV_ERR_NOT_FOUND when there is none. No session is needed. Freed with vv_heartbeat_free(). */
VV_API vv_status vv_heartbeat_read(const char *output, vv_heartbeat **out);
VV_API void vv_heartbeat_free(vv_heartbeat **h);

/* Seconds since 1970 in which nothing has been heard of a run that still goes are fewer than this. */
VV_API double vv_heartbeat_patience(const vv_heartbeat *h);

#ifdef __cplusplus
}
#endif

#endif
