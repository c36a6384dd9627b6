/* Expressions: 'speed = sqrt(u10^2 + v10^2)' as statements on the command line or in a script, all of them one plan. */
#include "cli/calculation.h"
#include "cli/inputs.h"
#include "cli/results.h"
#include "varve/expression.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct calculation {
    vv_cli_results results;
    vv_cli_request files; /* the request with its inputs only */
    vv_cli_inputs inputs;
    vv_cli_words statements, variables; /* variables: of FILE:VAR */
    vv_script *script;
    char *text; /* of the script file */
} calculation;

bool vv_cli_is_statement(const char *word)
{
    const char *at = word + strspn(word, " \t\n;#");
    if (!access(word, F_OK)) return false;
    if (*at == '`') {
        at = strchr(at + 1, '`');
        if (!at++) return true;
    } else {
        if (!strncmp(at, "let", 3) && isspace((unsigned char)at[3])) return true;
        while (isalnum((unsigned char)*at) || *at == '_' || (unsigned char)*at >= 0x80) at++;
    }
    at += strspn(at, " \t");
    return at > word && *at == '=' && at[1] != '=';
}

bool vv_cli_is_expression(const char *word)
{
    bool file = !access(word, F_OK) || strpbrk(word, ":?*") || !strpbrk(word, "()=") || strchr(word, '/');
    return !file;
}

static vv_status without_name(const char *word)
{
    if (!vv_cli_is_expression(word)) return VV_OK;
    return vv_error(VV_ERR_USAGE, "'%s' is no file, and as a result it has no name: write 'NAME = %s'", word, word);
}

static vv_status sort_words(calculation *j, const vv_cli_request *r)
{
    vv_status status = VV_OK;
    j->files.inputs = (vv_cli_words){0};
    for (int i = 0; i < r->inputs.n && status == VV_OK; i++) {
        const char *word = r->inputs.item[i];
        bool statement = vv_cli_is_statement(word);
        if (!statement) status = without_name(word);
        if (status == VV_OK)
            status = vv_cli_words_add(statement ? &j->statements : &j->files.inputs, word, strlen(word));
    }
    return status;
}

static vv_status read_script_file(calculation *j, const char *path)
{
    enum { MOST = 1 << 20 };
    FILE *f = !strcmp(path, "-") ? stdin : fopen(path, "r");
    if (!f) return vv_error(VV_ERR_NOT_FOUND, "script %s cannot be opened", path);
    j->text = malloc(MOST + 2);
    size_t n = j->text ? fread(j->text, 1, MOST + 1, f) : 0;
    bool failed = ferror(f);
    if (f != stdin) fclose(f);
    if (!j->text) return vv_error(VV_ERR_NOMEM, "no memory for script %s", path);
    if (failed) return vv_error(VV_ERR_READ, "script %s cannot be read", path);
    j->text[n] = 0;
    if (strlen(j->text) != n) return vv_error(VV_ERR_USAGE, "script %s is no text", path);
    return VV_OK;
}

static vv_status run_statements(calculation *j, const vv_cli_request *r)
{
    vv_status status = r->script ? read_script_file(j, r->script) : VV_OK;
    if (status == VV_OK && r->script) status = vv_script_run(j->script, j->text, r->script);
    for (int i = 0; i < j->statements.n && status == VV_OK; i++)
        status = vv_script_run(j->script, j->statements.item[i], NULL);
    int n = status == VV_OK ? vv_script_n_results(j->script) : 0;
    for (int i = 0; i < n && status == VV_OK; i++)
        status = vv_cli_results_add(&j->results, vv_script_name(j->script, i), vv_script_array(j->script, i));
    if (status == VV_OK && n == 0)
        return vv_error(VV_ERR_USAGE, "no result: names that begin with let are not saved; write 'NAME = EXPRESSION'");
    return status;
}

static vv_status open_files(vv_session *s, calculation *j)
{
    if (j->files.inputs.n == 0) return VV_OK;
    vv_status status = vv_cli_inputs_find(&j->files, &j->inputs);
    if (status == VV_OK) status = vv_cli_inputs_open(s, &j->files, &j->inputs, &j->results.source, &j->variables);
    if (status == VV_OK && j->variables.n > 0)
        return vv_error(VV_ERR_USAGE, "eval takes whole files, not FILE:%s: expressions say which variables",
                        j->variables.item[0]);
    return status;
}

vv_status vv_cli_eval(vv_session *s, const vv_cli_request *r)
{
    calculation j = {.files = *r};
    j.results.session = s;
    j.results.request = r;
    j.results.alone = true;
    vv_status status = sort_words(&j, r);
    if (status == VV_OK && j.statements.n == 0 && !r->script)
        status = vv_error(VV_ERR_USAGE,
                          "eval needs statements: varve eval 'NAME = EXPRESSION' FILE, or a script of them with -f");
    if (status == VV_OK) status = open_files(s, &j);
    if (status == VV_OK) status = vv_script_new(s, j.results.source, &j.script);
    if (status == VV_OK && r->align) status = vv_script_align(j.script, r->align);
    if (status == VV_OK) status = run_statements(&j, r);
    if (status == VV_OK) status = vv_cli_results_deliver(&j.results);
    vv_script_free(&j.script);
    vv_cli_results_free(&j.results);
    vv_cli_words_free(&j.statements);
    vv_cli_words_free(&j.variables);
    vv_cli_words_free(&j.files.inputs);
    vv_cli_inputs_free(&j.inputs);
    free(j.text);
    return status;
}
