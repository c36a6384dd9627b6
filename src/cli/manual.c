/* Manual pages in roff: varve.1 and one page for each command, from the same tables as the help texts. */
#include "cli/help.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Hyphens that are typed stay hyphens; a line does not begin with a control character. */
static void roff(FILE *out, const char *text)
{
    bool line_start = true;
    for (const char *c = text; *c; c++) {
        if (line_start && (*c == '.' || *c == '\'')) fputs("\\&", out);
        if (*c == '\n') {
            fputs("\n.PP\n", out);
        } else if (*c == '-') {
            fputs("\\-", out);
        } else if (*c == '\\') {
            fputs("\\e", out);
        } else {
            fputc(*c, out);
        }
        line_start = *c == '\n';
    }
}

static void line(FILE *out, const char *text)
{
    roff(out, text);
    fputc('\n', out);
}

static void roff_entry(FILE *out, const char *term, const char *text)
{
    fputs(".TP\n.B ", out);
    line(out, term);
    line(out, text);
}

static void title(FILE *out, const char *command, const char *help)
{
    fprintf(out, ".TH \"VARVE%s", command ? "\\-" : "");
    for (const char *c = command ? command : ""; *c; c++) fputc(toupper((unsigned char)*c), out);
    fprintf(out, "\" 1 \"\" \"varve %s\" \"User commands\"\n.SH NAME\nvarve%s%s \\- ", vv_version(),
            command ? "\\-" : "", command ? command : "");
    line(out, help);
}

static void roff_topic(FILE *out, const vv_cli_topic *t)
{
    fputs(".SS ", out);
    line(out, t->title);
    if (t->about) line(out, t->about);
}

static void roff_options(FILE *out, unsigned groups)
{
    for (const vv_cli_topic *t = vv_cli_topics; t->title; t++) {
        bool first = true;
        for (int i = 0; i < vv_cli_n_options; i++) {
            const vv_cli_option *o = &vv_cli_options[i];
            if (!(o->group & t->groups & groups)) continue;
            if (first) roff_topic(out, t);
            first = false;
            char term[64];
            vv_cli_option_term(o, term, sizeof term);
            roff_entry(out, term, o->help);
        }
    }
}

static void roff_examples(FILE *out, const char *lines)
{
    fputs(".SH EXAMPLES\n.nf\n", out);
    for (const char *at = lines; *at;) {
        size_t length = strcspn(at, "\n");
        char *one = strndup(at, length);
        line(out, one ? one : "");
        free(one);
        at += length + (at[length] == '\n');
    }
    fputs(".fi\n", out);
}

static void program_page(FILE *out)
{
    title(out, NULL, vv_cli_summary);
    fputs(".SH SYNOPSIS\n.B varve\n.I COMMAND\n[options]\n.I INPUT\n\\&... [\\-o\n.IR OUTPUT ]\n.SH DESCRIPTION\n"
          "Runs on one process, or on any number of them under\n.BR mpirun (1)\nor\n.BR srun (1);\n"
          "results have the same bits. Options may stand before and after the command.\n.SH COMMANDS\n",
          out);
    vv_cli_command c;
    const char *section = "";
    for (int i = 0; vv_cli_command_at(i, &c); i++) {
        if (strcmp(section, c.section)) fprintf(out, ".SS %s\n", c.section);
        section = c.section;
        roff_entry(out, c.name, c.help);
    }
    fputs(".SH OPTIONS\n\\&'varve COMMAND \\-\\-help' tells which of the first a command takes; all take the others.\n",
          out);
    roff_options(out, ~0u);
    fputs(".SH EXIT STATUS\n", out);
    for (const vv_cli_fact *f = vv_cli_exit_codes; f->term; f++) roff_entry(out, f->term, f->text);
    fputs(".SH ENVIRONMENT\n", out);
    roff_entry(out, "SOURCE_DATE_EPOCH",
               "seconds since 1970 that the history attribute gives as its time, for outputs that can be reproduced");
    roff_entry(
        out, "VARVE_MACHINE",
        "file of the rates that 'varve bench machine' stores and --explain reads; default: varve/machine.json in "
        "$XDG_CONFIG_HOME, else in ~/.config");
    roff_entry(out, "VARVE_CACHE", "directory where headers of input files are kept, unless --cache names one");
    roff_entry(out, "TMPDIR", "directory for what does not fit in memory, unless --scratch names one");
    roff_entry(out, "NO_COLOR", "when set, info prints without colour");
}

static void command_page(FILE *out, const vv_cli_command *c)
{
    title(out, c->name, c->help);
    fprintf(out, ".SH SYNOPSIS\n.B varve %s\n", c->name);
    line(out, c->arguments);
    char *about = vv_cli_about(c);
    if (about) {
        fputs(".SH DESCRIPTION\n", out);
        line(out, about);
    }
    free(about);
    fputs(".SH OPTIONS\n", out);
    roff_options(out, c->groups | (c->plans ? VV_CLI_EVERYWHERE : VV_CLI_GENERAL));
    char *text = vv_cli_examples(c);
    if (text) roff_examples(out, text);
    free(text);
    fputs(".SH SEE ALSO\n.BR varve (1)\n", out);
}

void vv_cli_print_manual(FILE *out, const vv_cli_command *command)
{
    if (command)
        command_page(out, command);
    else
        program_page(out);
}
