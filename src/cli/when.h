/* Conditions of values on the command line. */
#ifndef VV_CLI_WHEN_H
#define VV_CLI_WHEN_H

#include "cli/options.h"
#include "varve/array.h"

/* '>25' as "greater" and 25. */
VV_WARN_UNUSED vv_status vv_cli_condition(const char *text, const char **op, double *value);
/* An array, or with --when whether its values fulfil the condition. */
vv_array *vv_cli_when(vv_session *s, const vv_cli_request *r, vv_array *a);

#endif
