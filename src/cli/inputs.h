/* Inputs as users write them: FILE, FILE:VAR,VAR, a quoted glob, or several of these. */
#ifndef VV_CLI_INPUTS_H
#define VV_CLI_INPUTS_H

#include "cli/options.h"
#include "varve/dataset.h"
#include "varve/session.h"

typedef struct vv_cli_input {
    char *path;
    int word;               /* of the inputs as given: which one it comes from */
    vv_cli_words variables; /* of FILE:VAR and -v; none: the command chooses */
} vv_cli_input;

typedef struct vv_cli_inputs {
    int n;
    vv_cli_input *item;
    vv_cli_words words; /* as given, without their variables */
} vv_cli_inputs;

/* Globs are expanded, in the order of names. *out is to be freed whatever is returned. At least one input on success. */
VV_WARN_UNUSED vv_status vv_cli_inputs_find(const vv_cli_request *r, vv_cli_inputs *out);
/* All of them as one dataset, several files joined; the variables asked for, of any of them, in *variables, which is to be freed. Not the
 * request's output. */
VV_WARN_UNUSED vv_status vv_cli_inputs_open(vv_session *s, const vv_cli_request *r, const vv_cli_inputs *in,
                                            vv_dataset **out, vv_cli_words *variables);
void vv_cli_inputs_free(vv_cli_inputs *inputs);

/* The same of the words after the first `skip`. */
VV_WARN_UNUSED vv_status vv_cli_inputs_behind(const vv_cli_request *r, int skip, vv_cli_inputs *out);
/* Before anything is opened: the output, if there is one, is none of the inputs; and the variables asked for, as above. */
VV_WARN_UNUSED vv_status vv_cli_inputs_check(const vv_cli_request *r, const vv_cli_inputs *in, vv_cli_words *variables);

/* Both name the same existing file. */
bool vv_cli_same_file(const char *a, const char *b);

#endif
