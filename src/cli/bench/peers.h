/* Programs that others measure themselves by, and how `varve bench compare` runs them: each as a process of its own, from its start to its end. */
#ifndef VV_CLI_BENCH_PEERS_H
#define VV_CLI_BENCH_PEERS_H

#include "varve/session.h"

enum { VV_CLI_PEERS = 6, VV_CLI_TRIALS = 5 };

typedef struct vv_cli_peer {
    const char *name;
    const char *program; /* looked for where the shell would; NULL: this very program */
    const char *imports; /* of Python programs: modules that it needs, "numpy, h5py" */
    const char *script;  /* of Python programs: is given TRIAL INPUT OUTPUT THREADS TILE */
} vv_cli_peer;
extern const vv_cli_peer vv_cli_peers[VV_CLI_PEERS];

/* What all are asked for. */
typedef struct vv_cli_trial {
    const char *name, *help;
    bool deflated; /* the input is compressed */
    const char *words
        [VV_CLI_PEERS]; /* behind the program: {in}, {out}, {threads}, {times}, {tile}; NULL: it cannot. Of Python programs: the trial's name there */
} vv_cli_trial;
extern const vv_cli_trial vv_cli_trials[VV_CLI_TRIALS];

typedef struct vv_cli_task {
    const char *in, *out;
    int threads, times, tile;
} vv_cli_task;

typedef enum vv_cli_outcome { VV_CLI_DONE, VV_CLI_FAILED, VV_CLI_LATE, VV_CLI_INTERRUPTED } vv_cli_outcome;
typedef struct vv_cli_cost {
    vv_cli_outcome outcome;
    double seconds, processor, peak; /* from outside; processor: of all its threads; peak: bytes */
} vv_cli_cost;

/* Whether it can be run here; Local. */
bool vv_cli_peer_installed(const vv_cli_peer *p);
/* Runs it, for `limit` seconds at most. said: a file for what it prints. */
VV_WARN_UNUSED vv_status vv_cli_peer_run(const vv_cli_peer *p, const char *words, const vv_cli_task *t,
                                         const char *said, double limit, vv_cli_cost *out);

#endif
