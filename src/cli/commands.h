/* Commands: one descriptor each, in one list.
 *
 * Parsing, --help, the manual pages and the driver all read the list. The reductions of the library's registry are commands too: a new
 * one is there, with its help, without a line in this folder. */
#ifndef VV_CLI_COMMANDS_H
#define VV_CLI_COMMANDS_H

#include "varve/session.h"

struct vv_cli_request;

/* Does a command. The session is NULL for commands that need none. */
typedef vv_status vv_cli_function(vv_session *s, const struct vv_cli_request *r);

typedef struct vv_cli_command {
    const char *section;   /* heading in the list of commands */
    const char *name;      /* "mean" */
    const char *help;      /* one line */
    const char *arguments; /* "[-d DIM,...] FILE [-o OUTPUT]" */
    const char *about;     /* paragraphs, separated by a newline; NULL: none */
    const char *examples;  /* lines; NULL: none */
    unsigned groups;       /* groups of options it takes besides those that every command takes */
    bool plans;            /* has a plan that can be explained */
    bool at_once;          /* answered without a session: no MPI, no files */
    vv_cli_function *run;
} vv_cli_command;

/* Command i in the order of the help text; false past the end. */
bool vv_cli_command_at(int i, vv_cli_command *out);
/* By name; the error suggests the nearest one. */
VV_WARN_UNUSED vv_status vv_cli_command_find(const char *name, vv_cli_command *out);

vv_cli_function vv_cli_info, vv_cli_reduction, vv_cli_reduce, vv_cli_quantile, vv_cli_explain, vv_cli_bench,
    vv_cli_help, vv_cli_version;
vv_cli_function vv_cli_clim, vv_cli_anom, vv_cli_resample, vv_cli_rolling;
vv_cli_function vv_cli_trend, vv_cli_detrend, vv_cli_relate, vv_cli_eof;
vv_cli_function vv_cli_index;
vv_cli_function vv_cli_select, vv_cli_concat, vv_cli_stack, vv_cli_rechunk;
vv_cli_function vv_cli_eval, vv_cli_status, vv_cli_plot, vv_cli_jobscript;
vv_cli_function vv_cli_graph;
vv_cli_function vv_cli_histogram, vv_cli_completion, vv_cli_run;

/* Quantiles of groups (-g) or periods (-f): climate.c. */
VV_WARN_UNUSED vv_status vv_cli_group_quantiles(vv_session *s, const struct vv_cli_request *r, const double q[]);

/* Whether there is a reduction of this name. */
VV_WARN_UNUSED vv_status vv_cli_check_method(const char *name);
/* The error for a word that is none of `n` names: "unknown command 'maen'; did you mean 'mean'?" */
VV_WARN_UNUSED vv_status vv_cli_unknown(const char *what, const char *word, const char *const names[], int n);

#endif
