/* Help texts and manual pages, written from the tables of commands and options. */
#ifndef VV_CLI_HELP_H
#define VV_CLI_HELP_H

#include "cli/options.h"

#include <stdio.h>

/* command NULL: the program as a whole. */
void vv_cli_print_help(FILE *out, const vv_cli_command *command);
void vv_cli_print_manual(FILE *out, const vv_cli_command *command);

/* What both say. */
typedef struct vv_cli_fact {
    const char *term, *text;
} vv_cli_fact;
extern const char vv_cli_summary[];           /* one line on what varve is */
extern const vv_cli_fact vv_cli_exit_codes[]; /* NULL term at the end */

/* The options of these groups that a help text shows together; false when there are none. */
typedef struct vv_cli_topic {
    const char *title;
    unsigned groups;
    const char *about; /* a paragraph in front of the options; NULL: none */
} vv_cli_topic;
extern const vv_cli_topic vv_cli_topics[]; /* NULL title at the end */

/* "-d, --dim DIM[,DIM]" */
void vv_cli_option_term(const vv_cli_option *o, char *out, size_t size);
/* What a command is about, to be freed: that of eval goes on with the functions that there are. NULL: nothing. */
char *vv_cli_about(const vv_cli_command *c);
/* The example lines of a command, to be freed: its own or one made from its name. NULL: none. */
char *vv_cli_examples(const vv_cli_command *c);

#endif
