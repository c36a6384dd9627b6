#include "cli/help.h"

#include "varve/array.h"
#include "varve/expression.h"

#include <stdlib.h>
#include <string.h>

enum { WIDTH = 79, TEXT_AT = 28 };

const char vv_cli_summary[] = "reductions of NetCDF-4 and HDF5 data larger than memory";

const vv_cli_fact vv_cli_exit_codes[] = {
    {"0", "done"},
    {"1", "the run failed"},
    {"2", "wrong usage"},
    {"3", "bad input data"},
    {"4", "does not fit the memory budget"},
    {"5", "output could not be written"},
    {"130, 143", "interrupted, terminated"},
    {NULL, NULL},
};

const vv_cli_topic vv_cli_topics[] = {
    {"Options", ~(unsigned)VV_CLI_EVERYWHERE, NULL},
    {"How output is written", VV_CLI_WRITE, NULL},
    {"How it runs", VV_CLI_RUN, NULL},
    {"With --explain: on a machine that is not here", VV_CLI_MODEL,
     "What the same command would send, hold and take there. Neither ranks nor data have to be there, only the "
     "metadata of the input. What is not given is as it is here, where 'varve bench machine' measures it."},
    {"General", VV_CLI_GENERAL, NULL},
    {NULL, 0, NULL},
};

void vv_cli_option_term(const vv_cli_option *o, char *out, size_t size)
{
    char letter[5] = "";
    if (o->letter) snprintf(letter, sizeof letter, "-%c, ", o->letter);
    snprintf(out, size, "%s--%s%s%s%s%s", letter, o->negatable ? "[no-]" : "", o->name,
             o->omitted ? "[="
             : o->value ? " "
                        : "",
             o->value ? o->value : "", o->omitted ? "]" : "");
}

char *vv_cli_examples(const vv_cli_command *c)
{
    char *text = NULL;
    if (c->examples) return strdup(c->examples);
    if (c->run == vv_cli_reduction &&
        asprintf(&text, "varve %s -d time t2m.nc -o t2m_%s.nc\nmpirun -n 64 varve %s -d lat,lon t2m.nc -o series.nc",
                 c->name, c->name, c->name) < 0)
        return NULL;
    return text;
}

/* "\nStatistics: sum, mean ...": the functions of a family. */
static void family(FILE *out, const char *title, const char *name, bool (*at)(int, vv_function_info *))
{
    vv_function_info f;
    int n = 0;
    fprintf(out, "\n%s: ", title);
    for (int i = 0; at(i, &f); i++)
        if (!strcmp(f.family, name) && strncmp(f.name, "as_", 3) != 0) fprintf(out, n++ ? ", %s" : "%s", f.name);
}

char *vv_cli_about(const vv_cli_command *c)
{
    if (!c->about || c->run != vv_cli_eval) return c->about ? strdup(c->about) : NULL;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out) return NULL;
    fputs(c->about, out);
    family(out, "Statistics", "reduction", vv_function_at);
    family(out, "Element by element", "elementwise", vv_function_at);
    family(out, "Of arrays", "array", vv_function_at);
    family(out, "And", "expression", vv_expression_function_at);
    fputs("\nA call with too few arguments tells which there are.", out);
    return fclose(out) ? NULL : text;
}

/* --- wrapping --- */

/* One paragraph whose lines are indented by `indent`; the first begins where the cursor is, at that column. */
static void paragraph(FILE *out, const char *text, int length, int indent)
{
    int column = indent;
    for (const char *at = text, *end = text + length; at < end;) {
        int word = (int)strcspn(at, " \n");
        bool first = at == text;
        if (!first && column + 1 + word > WIDTH) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
        } else if (!first) {
            column += fprintf(out, " ");
        }
        column += fprintf(out, "%.*s", word, at);
        at += word + (at[word] == ' ');
    }
    fputc('\n', out);
}

/* Paragraphs, an empty line between them. */
static void wrap(FILE *out, const char *text, int indent)
{
    for (const char *at = text; *at;) {
        int length = (int)strcspn(at, "\n");
        if (at != text) fprintf(out, "\n%*s", indent, "");
        paragraph(out, at, length, indent);
        at += length + (at[length] == '\n');
    }
}

/* "  term      text that goes on\n            here" */
static void entry(FILE *out, const char *term, const char *text, int text_at)
{
    int column = fprintf(out, "  %s", term);
    if (column + 2 > text_at) {
        fputc('\n', out);
        column = 0;
    }
    fprintf(out, "%*s", text_at - column, "");
    wrap(out, text, text_at);
}

/* --- pieces --- */

static void topic(FILE *out, const vv_cli_topic *t)
{
    fprintf(out, "\n%s:\n", t->title);
    if (!t->about) return;
    fputs("  ", out);
    wrap(out, t->about, 2);
    fputc('\n', out);
}

static void options(FILE *out, unsigned groups)
{
    for (const vv_cli_topic *t = vv_cli_topics; t->title; t++) {
        bool first = true;
        for (int i = 0; i < vv_cli_n_options; i++) {
            const vv_cli_option *o = &vv_cli_options[i];
            if (!(o->group & t->groups & groups)) continue;
            if (first) topic(out, t);
            first = false;
            char term[64];
            vv_cli_option_term(o, term, sizeof term);
            entry(out, term, o->help, TEXT_AT);
        }
    }
}

static void commands(FILE *out)
{
    vv_cli_command c;
    const char *section = "";
    for (int i = 0; vv_cli_command_at(i, &c); i++) {
        if (strcmp(section, c.section)) fprintf(out, "\n%s:\n", c.section);
        section = c.section;
        entry(out, c.name, c.help, 17);
    }
}

static void indented(FILE *out, const char *lines)
{
    for (const char *at = lines; *at;) {
        int length = (int)strcspn(at, "\n");
        fprintf(out, "  %.*s\n", length, at);
        at += length + (at[length] == '\n');
    }
}

static void program_help(FILE *out)
{
    fprintf(out, "varve %s: %s\n\n", vv_version(), vv_cli_summary);
    fputs("Usage: varve COMMAND [options] INPUT... [-o OUTPUT]\n"
          "       mpirun -n 64 varve mean -d time t2m.nc -o mean.nc\n",
          out);
    commands(out);
    options(out, VV_CLI_EVERYWHERE);
    fputs("\nExit status:\n", out);
    for (const vv_cli_fact *f = vv_cli_exit_codes; f->term; f++) entry(out, f->term, f->text, 13);
    fputs("\n'varve COMMAND --help' has the options of a command.\n", out);
}

static void command_help(FILE *out, const vv_cli_command *c)
{
    fprintf(out, "varve %s: %s\n\nUsage: varve %s%s%s\n", c->name, c->help, c->name, *c->arguments ? " " : "",
            c->arguments);
    char *about = vv_cli_about(c);
    if (about) {
        fputc('\n', out);
        wrap(out, about, 0);
    }
    free(about);
    char *examples = vv_cli_examples(c);
    if (examples) {
        fputs("\nExamples:\n", out);
        indented(out, examples);
    }
    free(examples);
    options(out, c->groups | (c->plans ? VV_CLI_EVERYWHERE : VV_CLI_GENERAL));
}

void vv_cli_print_help(FILE *out, const vv_cli_command *command)
{
    if (command)
        command_help(out, command);
    else
        program_help(out);
}

/* --- the commands --- */

vv_status vv_cli_help(vv_session *s, const vv_cli_request *r)
{
    (void)s;
    vv_cli_command c;
    bool about = r->inputs.n > 0;
    if (r->inputs.n > 1) return vv_error(VV_ERR_USAGE, "help takes one command");
    if (about) {
        vv_status status = vv_cli_command_find(r->inputs.item[0], &c);
        if (status != VV_OK) return status;
    }
    (r->manual ? vv_cli_print_manual : vv_cli_print_help)(stdout, about ? &c : NULL);
    return VV_OK;
}

vv_status vv_cli_version(vv_session *s, const vv_cli_request *r)
{
    (void)s;
    (void)r;
    printf("varve %s\n", vv_version());
    return VV_OK;
}
