/* What a command has built, and where it goes: a file, standard output, or an explanation. */
#ifndef VV_CLI_RESULTS_H
#define VV_CLI_RESULTS_H

#include "cli/options.h"
#include "varve/output.h"

typedef struct vv_cli_result {
    char *name;
    vv_array *array;
} vv_cli_result;

typedef struct vv_cli_results {
    vv_session *session;
    const vv_cli_request *request;
    vv_dataset *source; /* what is carried over, and labels of coordinates, come from here */
    char *touched;      /* dimensions that are reduced away, or along which elements were moved, "time,lat" */
    bool alone;         /* nothing is carried over but what belongs to the results */
    bool rechunked;     /* --chunk is done with */
    bool like_input;    /* stored like the input, where nothing else is asked for */
    int n;
    vv_cli_result *item;
    vv_run_stats total; /* of the computations so far */
    char *reports;      /* of each, predicted beside measured; NULL without --stats */
} vv_cli_results;

/* Takes an array; an inert one ends the command here, with its cause. name is copied. */
VV_WARN_UNUSED vv_status vv_cli_results_add(vv_cli_results *x, const char *name, vv_array *a);
/* As VAR, or VAR_SUFFIX. */
VV_WARN_UNUSED vv_status vv_cli_results_add_as(vv_cli_results *x, const char *variable, const char *suffix,
                                               vv_array *a);
/* Saves, prints or explains, as the request says. */
VV_WARN_UNUSED vv_status vv_cli_results_deliver(vv_cli_results *x);
/* What --explain asks for. */
vv_explain_options vv_cli_explain_options(const vv_cli_request *r);
void vv_cli_results_free(vv_cli_results *x);

/* Computes all and prints a table of labels and values. */
VV_WARN_UNUSED vv_status vv_cli_values_print(vv_cli_results *x);
/* Adds the statistics, and the report if one was asked for, of the computation that has just ended. */
void vv_cli_results_count(vv_cli_results *x);

#endif
