/* From argv to a request, by the tables of options and commands.
 *
 * Whether a command takes the options given is checked at the end, because options may stand before their command. */
#include "cli/options.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OPTIONS = VV_CLI_MAX_OPTIONS, MAX_COMMANDS = 256 };

typedef struct parser {
    int argc, at; /* argv[at] is the next word */
    char *const *argv;
    vv_cli_request *r;
    bool seen[MAX_OPTIONS];
    bool options_over; /* after -- */
} parser;

/* --- commands --- */

vv_status vv_cli_unknown(const char *what, const char *word, const char *const names[], int n)
{
    const char *near = vv_suggest(word, names, n);
    return vv_error(VV_ERR_USAGE, "unknown %s '%s'%s%s%s", what, word, near ? "; did you mean '" : "", near ? near : "",
                    near ? "'?" : "");
}

vv_status vv_cli_command_find(const char *name, vv_cli_command *out)
{
    const char *names[MAX_COMMANDS];
    int n = 0;
    for (; n < MAX_COMMANDS && vv_cli_command_at(n, out); n++) {
        if (!strcmp(name, out->name)) return VV_OK;
        names[n] = out->name;
    }
    return vv_cli_unknown("command", name, names, n);
}

/* The first word is the command, or `explain` or `graph` before the command that is to be explained. */
static vv_status take_word(parser *p, const char *word)
{
    vv_cli_request *r = p->r;
    bool drawing = r->has_command && r->command.run == vv_cli_graph;
    bool explaining = drawing || (r->has_command && r->command.run == vv_cli_explain);
    if (r->has_command && !explaining) return vv_cli_words_add(&r->inputs, word, strlen(word));
    vv_status status = vv_cli_command_find(word, &r->command);
    if (status != VV_OK) return status;
    r->has_command = true;
    if (!explaining) return VV_OK;
    if (!r->command.plans)
        return vv_error(VV_ERR_USAGE,
                        "%s wants a command that computes, such as 'varve %s mean FILE'; '%s' has no plan",
                        drawing ? "graph" : "explain", drawing ? "graph" : "explain", word);
    if (r->explain == VV_CLI_EXPLAIN_NOT) r->explain = drawing ? VV_CLI_EXPLAIN_SVG : VV_CLI_EXPLAIN_TEXT;
    return VV_OK;
}

/* --- options --- */

/* Of options with the same name or letter the one that the command has, where it stands before them; else the one that all commands have. */
static int fit(const parser *p, const vv_cli_option *o)
{
    if (p->r->has_command && o->group & p->r->command.groups) return 2;
    return o->group & VV_CLI_EVERYWHERE ? 1 : 0;
}

static const vv_cli_option *better(const parser *p, const vv_cli_option *a, const vv_cli_option *b)
{
    return a && fit(p, a) >= fit(p, b) ? a : b;
}

static const vv_cli_option *find_long(const parser *p, const char *name, size_t length)
{
    const vv_cli_option *found = NULL;
    for (int i = 0; i < vv_cli_n_options; i++)
        if (!strncmp(vv_cli_options[i].name, name, length) && !vv_cli_options[i].name[length])
            found = better(p, found, &vv_cli_options[i]);
    return found;
}

static const vv_cli_option *find_letter(const parser *p, char letter)
{
    const vv_cli_option *found = NULL;
    for (int i = 0; i < vv_cli_n_options; i++)
        if (vv_cli_options[i].letter == letter) found = better(p, found, &vv_cli_options[i]);
    return found;
}

static vv_status unknown_option(const char *name, size_t length)
{
    const char *names[MAX_OPTIONS];
    for (int i = 0; i < vv_cli_n_options; i++) names[i] = vv_cli_options[i].name;
    char word[64] = "";
    strncat(word, name, length < sizeof word ? length : sizeof word - 1);
    const char *near = vv_suggest(word, names, vv_cli_n_options);
    if (!near) return vv_error(VV_ERR_USAGE, "unknown option '--%s'; --help lists them", word);
    return vv_error(VV_ERR_USAGE, "unknown option '--%s'; did you mean '--%s'?", word, near);
}

static vv_status set(parser *p, const vv_cli_option *o, const char *text)
{
    p->seen[o - vv_cli_options] = true;
    return o->set(o, p->r, text);
}

/* The value that stands in the next word. A word that looks like an option is a forgotten value, unless it is a number. */
static vv_status next_value(parser *p, const vv_cli_option *o, const char *as_given, const char **value)
{
    const char *word = p->at < p->argc ? p->argv[p->at] : NULL;
    bool option = word && word[0] == '-' && word[1] && !isdigit((unsigned char)word[1]) && word[1] != '.';
    if (!word || option) return vv_error(VV_ERR_USAGE, "option %s needs %s", as_given, o->value);
    p->at++;
    *value = word;
    return VV_OK;
}

static vv_status take_long(parser *p, const char *word)
{
    const char *name = word + 2;
    size_t length = strcspn(name, "=");
    const char *value = name[length] ? name + length + 1 : NULL;
    const vv_cli_option *o = find_long(p, name, length);
    if (!o && length > 3 && !strncmp(name, "no-", 3)) {
        o = find_long(p, name + 3, length - 3);
        if (o && o->negatable && !value) return set(p, o, NULL);
        o = NULL;
    }
    if (!o) return unknown_option(name, length);
    if (!o->value && value) return vv_error(VV_ERR_USAGE, "option --%s takes no value", o->name);
    if (!value) value = o->value ? o->omitted : "";
    if (!value) {
        vv_status status = next_value(p, o, word, &value);
        if (status != VV_OK) return status;
    }
    return set(p, o, value);
}

static vv_status take_letters(parser *p, const char *word)
{
    for (const char *c = word + 1; *c; c++) {
        const vv_cli_option *o = find_letter(p, *c);
        char as_given[3] = {'-', *c, 0};
        if (!o && word[2]) return vv_error(VV_ERR_USAGE, "unknown option '%s' in '%s'", as_given, word);
        if (!o) return vv_error(VV_ERR_USAGE, "unknown option '%s'; --help lists them", as_given);
        const char *value = o->value ? c + 1 : "";
        vv_status status = o->value && !*value ? next_value(p, o, as_given, &value) : VV_OK;
        if (status == VV_OK) status = set(p, o, value);
        if (status != VV_OK || o->value) return status;
    }
    return VV_OK;
}

static vv_status take(parser *p)
{
    const char *word = p->argv[p->at++];
    if (p->options_over || word[0] != '-' || !word[1]) return take_word(p, word);
    if (word[1] != '-') return take_letters(p, word);
    if (word[2]) return take_long(p, word);
    p->options_over = true;
    return VV_OK;
}

/* --- afterwards --- */

/* Another machine can be modelled, but nothing can run there. */
static vv_status check_model(const parser *p)
{
    for (int i = 0; i < vv_cli_n_options; i++) {
        const vv_cli_option *o = &vv_cli_options[i];
        if (!p->seen[i] || !(o->group & VV_CLI_MODEL) || (o->group & p->r->command.groups)) continue;
        return vv_error(VV_ERR_USAGE, "--%s describes the machine that --explain is to speak of; add --explain",
                        o->name);
    }
    return VV_OK;
}

static vv_status check_options(const parser *p)
{
    const vv_cli_command *c = &p->r->command;
    for (int i = 0; i < vv_cli_n_options; i++) {
        const vv_cli_option *o = &vv_cli_options[i];
        if (!p->seen[i] || (o->group & (c->groups | VV_CLI_EVERYWHERE))) continue;
        return vv_error(VV_ERR_USAGE, "%s takes no option --%s; see 'varve %s --help'", c->name, o->name, c->name);
    }
    if (p->r->explain == VV_CLI_EXPLAIN_NOT) return check_model(p);
    if (!c->plans && c->run != vv_cli_explain && c->run != vv_cli_graph && p->r->explain != VV_CLI_DRY_RUN)
        return vv_error(VV_ERR_USAGE, "%s has no plan to explain", c->name);
    return VV_OK;
}

vv_status vv_cli_parse(int argc, char *const argv[], vv_cli_request *r)
{
    parser p = {.argc = argc, .at = 1, .argv = argv, .r = r};
    r->argc = argc;
    r->argv = (const char *const *)argv;
    while (p.at < argc) {
        vv_status status = take(&p);
        if (status != VV_OK) return status;
    }
    if (r->help || r->version) return VV_OK;
    if (r->dry_run && r->explain == VV_CLI_EXPLAIN_NOT) r->explain = VV_CLI_DRY_RUN; /* a short way of explaining */
    if (!r->has_command) return vv_error(VV_ERR_USAGE, "no command given; 'varve --help' lists them");
    return check_options(&p);
}
