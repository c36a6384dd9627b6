/* Completion in shells, from the tables of commands and options: `varve completion bash`, `varve completion zsh`. */
#include "cli/help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned groups_of(const vv_cli_command *c)
{
    return c->groups | (c->plans ? (unsigned)VV_CLI_EVERYWHERE : (unsigned)VV_CLI_GENERAL);
}

static bool has(unsigned groups, const vv_cli_option *o)
{
    return (o->group & groups) != 0;
}

/* "auto|on|off" are words to choose from; "LON,LAT|FILE" are not. */
static bool is_choice(const vv_cli_option *o)
{
    return o->value && strchr(o->value, '|') && !o->value[strspn(o->value, "abcdefghijklmnopqrstuvwxyz0123456789|-")];
}

static bool takes_file(const vv_cli_option *o)
{
    static const char *const names[] = {"output", "scratch", "cache", "file", "reference",
                                        "points", "weights", "mask",  "by"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(o->name, names[i])) return true;
    return false;
}

static void words(FILE *out, const char *choices)
{
    for (const char *c = choices; *c; c++) fputc(*c == '|' ? ' ' : *c, out);
}

/* Words that stand behind a command and are no files; NULL: files. */
static const char *words_behind(const vv_cli_command *c)
{
    if (!strcmp(c->name, "completion")) return "bash zsh";
    if (!strcmp(c->name, "bench")) return "machine scaling compare plot";
    if (!strcmp(c->name, "help") || !strcmp(c->name, "explain") || !strcmp(c->name, "graph")) return "$commands";
    return NULL;
}

/* --- bash --- */

static void bash_options(FILE *out, const vv_cli_command *c)
{
    fprintf(out, "        %s) options='", c->name);
    for (int i = 0; i < vv_cli_n_options; i++) {
        const vv_cli_option *o = &vv_cli_options[i];
        if (!has(groups_of(c), o)) continue;
        fprintf(out, "--%s ", o->name);
        if (o->negatable) fprintf(out, "--no-%s ", o->name);
        if (o->letter) fprintf(out, "-%c ", o->letter);
    }
    fputs("'", out);
    if (words_behind(c)) fprintf(out, " behind=\"%s\"", words_behind(c));
    fputs(" ;;\n", out);
}

static void bash_values(FILE *out)
{
    for (int i = 0; i < vv_cli_n_options; i++) {
        const vv_cli_option *o = &vv_cli_options[i];
        if (!is_choice(o) || o->omitted) continue;
        fprintf(out, "        --%s) COMPREPLY=($(compgen -W '", o->name);
        words(out, o->value);
        fputs("' -- \"$word\")); return ;;\n", out);
    }
}

static void bash(FILE *out)
{
    vv_cli_command c;
    fputs("# Completion of varve in bash, written by 'varve completion bash'.\n"
          "_varve() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= options= behind= i\n"
          "    local commands='",
          out);
    for (int i = 0; vv_cli_command_at(i, &c); i++) fprintf(out, "%s%s", i ? " " : "", c.name);
    fputs("'\n"
          "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "        case \" $commands \" in *\" ${COMP_WORDS[i]} \"*) command=${COMP_WORDS[i]}; break ;; esac\n"
          "    done\n"
          "    case $before in\n",
          out);
    bash_values(out);
    fputs("    esac\n    case $command in\n", out);
    for (int i = 0; vv_cli_command_at(i, &c); i++) bash_options(out, &c);
    fputs("    esac\n"
          "    if [[ -z $command && $word != -* ]]; then behind=$commands; fi\n"
          "    if [[ $word == -* ]]; then\n"
          "        COMPREPLY=($(compgen -W \"${options:---help --version}\" -- \"$word\"))\n"
          "    elif [[ -n $behind ]]; then\n"
          "        COMPREPLY=($(compgen -W \"$behind\" -- \"$word\"))\n"
          "    fi\n"
          "}\n"
          "complete -o default -F _varve varve\n",
          out);
}

/* --- zsh --- */

/* Text between brackets, within single quotes. */
static void zsh_text(FILE *out, const char *text, size_t most)
{
    for (size_t i = 0; text[i] && text[i] != '\n' && i < most; i++) {
        if (text[i] == '\'')
            fputs("'\\''", out);
        else if (strchr("[]:\\`$", text[i]))
            fprintf(out, "\\%c", text[i]);
        else
            fputc(text[i], out);
    }
}

static void zsh_spec(FILE *out, const vv_cli_option *o, const char *flag, bool repeats)
{
    fprintf(out, "                '%s%s%s[", repeats ? "*" : "", flag,
            o->value && strlen(flag) > 2 ? (o->omitted ? "=-" : "=") : "");
    zsh_text(out, o->help, strcspn(o->help, ";"));
    fputc(']', out);
    if (o->value) {
        fputs(o->omitted ? "::" : ":", out);
        zsh_text(out, o->value, strlen(o->value));
        fputc(':', out);
        if (is_choice(o)) {
            fputc('(', out);
            words(out, o->value);
            fputc(')', out);
        } else if (takes_file(o)) {
            fputs("_files", out);
        }
    }
    fputs("' \\\n", out);
}

static void zsh_command(FILE *out, const vv_cli_command *c)
{
    fprintf(out, "            %s)\n            _arguments -S \\\n", c->name);
    for (int i = 0; i < vv_cli_n_options; i++) {
        const vv_cli_option *o = &vv_cli_options[i];
        char flag[64];
        if (!has(groups_of(c), o)) continue;
        snprintf(flag, sizeof flag, "--%s", o->name);
        zsh_spec(out, o, flag, o->value != NULL);
        snprintf(flag, sizeof flag, "--no-%s", o->name);
        if (o->negatable) zsh_spec(out, o, flag, false);
        snprintf(flag, sizeof flag, "-%c", o->letter);
        if (o->letter) zsh_spec(out, o, flag, o->value != NULL);
    }
    const char *behind = words_behind(c);
    if (!behind)
        fputs("                '*:input:_files'\n            ;;\n", out);
    else if (*behind == '$')
        fputs("                '*:command:{_describe command commands}'\n            ;;\n", out);
    else
        fprintf(out, "                '*:what:(%s)'\n            ;;\n", behind);
}

static void zsh(FILE *out)
{
    vv_cli_command c;
    fputs("#compdef varve\n# Completion of varve in zsh, written by 'varve completion zsh'.\n_varve() {\n"
          "    local context state line\n    local -a commands\n    commands=(\n",
          out);
    for (int i = 0; vv_cli_command_at(i, &c); i++) {
        fprintf(out, "        '%s:", c.name);
        zsh_text(out, c.help, strlen(c.help));
        fputs("'\n", out);
    }
    fputs("    )\n    _arguments -C '1:command:->command' '*::argument:->arguments'\n    case $state in\n"
          "        command) _describe command commands ;;\n        arguments)\n        case $words[1] in\n",
          out);
    for (int i = 0; vv_cli_command_at(i, &c); i++) zsh_command(out, &c);
    fputs("        esac ;;\n    esac\n}\n_varve \"$@\"\n", out);
}

vv_status vv_cli_completion(vv_session *s, const vv_cli_request *r)
{
    static const char *const shells[] = {"bash", "zsh"};
    (void)s;
    if (r->inputs.n != 1) return vv_error(VV_ERR_USAGE, "completion wants a shell: varve completion bash, or zsh");
    if (!strcmp(r->inputs.item[0], shells[0]))
        bash(stdout);
    else if (!strcmp(r->inputs.item[0], shells[1]))
        zsh(stdout);
    else
        return vv_cli_unknown("shell", r->inputs.item[0], shells, 2);
    return VV_OK;
}
