/* Pictures of what a command has built. */
#ifndef VV_CLI_PICTURE_H
#define VV_CLI_PICTURE_H

#include "cli/results.h"

/* The output is a picture's name, or nothing and the command is plot. */
bool vv_cli_picture_wanted(const vv_cli_request *r);
/* Draws all results into the output, or in the terminal; or explains what that would take. */
VV_WARN_UNUSED vv_status vv_cli_picture_draw(vv_cli_results *x);

#endif
