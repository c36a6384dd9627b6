/* The line that a command adds to the history attribute, as CDO and NCO write it:
 *
 *     Fri Nov 20 19:20:00 2026: varve mean -d time in.nc -o out.nc # varve 0.1.0
 *
 * It can be pasted into a shell. The time is local; with SOURCE_DATE_EPOCH it is that one, in UTC, so that outputs can be reproduced. */
#ifndef VV_CLI_HISTORY_H
#define VV_CLI_HISTORY_H

#include "varve/session.h"

#include <stdio.h>

/* To be freed. */
VV_WARN_UNUSED vv_status vv_cli_history(int argc, const char *const argv[], char **out);
/* The command alone, likewise. */
VV_WARN_UNUSED vv_status vv_cli_command_line(int argc, const char *const argv[], char **out);
/* A word as a shell reads it. */
void vv_cli_quote(FILE *out, const char *word);

#endif
