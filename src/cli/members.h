/* Members of an ensemble: files side by side, each a position along a dimension that none of them has. */
#ifndef VV_CLI_MEMBERS_H
#define VV_CLI_MEMBERS_H

#include "cli/inputs.h"

typedef struct vv_cli_members {
    vv_session *session;
    const char *dim; /* NULL: files are one dataset, joined */
    int n;
    vv_dataset **file;
} vv_cli_members;

/* Opens the inputs: joined, or, where --stack says so or -d names a member, ensemble or realization that the first file does not have, one by one. *out is the joined dataset, or the first file. */
VV_WARN_UNUSED vv_status vv_cli_members_open(vv_session *s, const vv_cli_request *r, const vv_cli_inputs *in,
                                             vv_cli_members *m, vv_dataset **out, vv_cli_words *variables);
void vv_cli_members_free(vv_cli_members *m);

/* A variable: of the source, or of all files along the dimension, in front. */
vv_array *vv_cli_members_array(const vv_cli_members *m, vv_dataset *source, const char *name);
/* The dimensions of the list that files have. To be freed by the caller. */
VV_WARN_UNUSED vv_status vv_cli_members_dims(const vv_cli_members *m, const vv_cli_words *dims, vv_cli_words *out);

#endif
