/* What `varve info` found out about a file, before it becomes text or JSON. */
#ifndef VV_CLI_INFO_H
#define VV_CLI_INFO_H

#include "cli/inputs.h"

#include <stdio.h>

/* A coordinate's values in short. */
typedef struct vv_cli_range {
    bool known;   /* read, and there are any */
    bool regular; /* with this step */
    double first, last, step;
    bool time; /* first and last as text in the calendar */
    char first_text[64], last_text[64];
} vv_cli_range;

/* Reads coordinate `var` unless that would take long; a range that is not known is no error. */
VV_WARN_UNUSED vv_status vv_cli_range_read(vv_dataset *d, int var, vv_cli_range *out);

/* Size of the file, or of all files together; -1 when there is none. */
vv_bytes vv_cli_file_bytes(const vv_dataset *d);
const char *vv_cli_role_name(vv_role role);

/* chosen[i]: variable i is shown. */
VV_WARN_UNUSED vv_status vv_cli_info_json(vv_dataset *d, const bool *chosen, FILE *out);

#endif
