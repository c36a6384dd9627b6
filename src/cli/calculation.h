/* Which words of a command line are calculations. */
#ifndef VV_CLI_CALCULATION_H
#define VV_CLI_CALCULATION_H

#include <stdbool.h>

/* NAME = ..., with or without let, which is no file. */
bool vv_cli_is_statement(const char *word);
/* What is neither: an expression without a name more likely than a file. */
bool vv_cli_is_expression(const char *word);

#endif
