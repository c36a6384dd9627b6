/* What the commands share that only move data: which variables, in which form, and what becomes of the rest. */
#ifndef VV_CLI_MOVE_H
#define VV_CLI_MOVE_H

#include "cli/inputs.h"
#include "cli/results.h"
#include "varve/move.h"

/* One such command at work. */
typedef struct vv_cli_move {
    vv_cli_results results; /* its source: all files joined, or the first one */
    const vv_cli_request *request;
    vv_cli_inputs inputs;
    vv_cli_words variables;   /* that were asked for; none: those that suit */
    vv_dataset *grown;        /* the output that is appended to; NULL: there is none yet */
    const vv_cli_words *dims; /* those along which elements are moved */
    bool apart; /* files are not joined but put side by side: every data variable is moved, whatever its dimensions */
    vv_dataset **file; /* then: by input */
    bool stays;        /* elements stay where they are: what belongs to a variable needs no moving */
    void *context;
    /* Steps of a command's own, NULL: none. When the files are open; whether a variable is left out; when all variables are moved. */
    vv_status (*opened)(struct vv_cli_move *m);
    bool (*leaves)(const struct vv_cli_move *m, const vv_var_info *v);
    vv_status (*moved)(struct vv_cli_move *m);
    /* The result of a variable: of its array; of its arrays in all files where these are apart. */
    vv_array *(*make)(const struct vv_cli_move *m, const vv_var_info *v, vv_array *const arrays[]);
} vv_cli_move;

/* Opens the inputs behind the first `skip` words, moves what there is to move, delivers, and frees everything. */
VV_WARN_UNUSED vv_status vv_cli_move_all(vv_session *s, const vv_cli_request *r, int skip, vv_cli_move *m);

bool vv_cli_move_has_dim(const vv_cli_move *m, const vv_var_info *v, const char *name);

#endif
