#include "cli/inputs.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* "virtual:x?shape=..." is an address of a format, not FILE:VAR and not a glob. */
static bool is_address(const char *text)
{
    size_t scheme = strspn(text, "abcdefghijklmnopqrstuvwxyz");
    return scheme > 1 && text[scheme] == ':' && strchr(text + scheme, '?');
}

/* The colon of FILE:VAR, NULL when the text is a file's name as it stands. A variable of a group is called "/group/name". */
static const char *variable_colon(const char *text)
{
    const char *colon = strrchr(text, ':');
    if (!colon || colon == text || !colon[1] || is_address(text)) return NULL;
    if (colon[1] != '/' && strchr(colon, '/')) return NULL;
    return access(text, F_OK) ? colon : NULL;
}

static vv_status add(vv_cli_inputs *out, const char *path, const char *variables, const vv_cli_request *r)
{
    vv_cli_input *item = realloc(out->item, (size_t)(out->n + 1) * sizeof *item);
    if (item) out->item = item;
    char *copy = strdup(path);
    if (!item || !copy) {
        free(copy);
        return vv_error(VV_ERR_NOMEM, "no memory for the names of inputs");
    }
    vv_cli_input *in = &out->item[out->n++];
    *in = (vv_cli_input){.path = copy, .word = out->words.n - 1};
    vv_status status = variables ? vv_cli_words_split(&in->variables, variables, "input") : VV_OK;
    for (int i = 0; status == VV_OK && i < r->variables.n; i++)
        status = vv_cli_words_split(&in->variables, r->variables.item[i], "--var");
    return status;
}

/* A directory that may not be looked into ends the search: some of the files would be missing, and nobody would know. */
static int may_not(const char *path, int reason)
{
    (void)path;
    return reason == EACCES;
}

static vv_status expand(vv_cli_inputs *out, const char *pattern, const char *variables, const vv_cli_request *r)
{
    bool plain = is_address(pattern) || !strpbrk(pattern, "*?[") || !access(pattern, F_OK);
    if (plain) return add(out, pattern, variables, r);
    glob_t found;
    int failed = glob(pattern, 0, may_not, &found);
    if (failed == GLOB_NOMATCH) return vv_error(VV_ERR_NOT_FOUND, "no file matches '%s'", pattern);
    if (failed) return vv_error(VV_ERR_READ, "the files of '%s' cannot be listed: %s", pattern, strerror(errno));
    vv_status status = VV_OK;
    for (size_t i = 0; status == VV_OK && i < found.gl_pathc; i++) status = add(out, found.gl_pathv[i], variables, r);
    globfree(&found);
    return status;
}

vv_status vv_cli_inputs_find(const vv_cli_request *r, vv_cli_inputs *out)
{
    return vv_cli_inputs_behind(r, 0, out);
}

vv_status vv_cli_inputs_behind(const vv_cli_request *r, int skip, vv_cli_inputs *out)
{
    *out = (vv_cli_inputs){0};
    if (r->inputs.n <= skip)
        return vv_error(VV_ERR_USAGE, "%s needs an input file: varve %s %s", r->command.name, r->command.name,
                        r->command.arguments);
    for (int i = skip; i < r->inputs.n; i++) {
        const char *text = r->inputs.item[i], *colon = variable_colon(text);
        char *path = colon ? strndup(text, (size_t)(colon - text)) : strdup(text);
        if (!path) return vv_error(VV_ERR_NOMEM, "no memory for the names of inputs");
        vv_status status = vv_cli_words_add(&out->words, path, strlen(path));
        if (status == VV_OK) status = expand(out, path, colon ? colon + 1 : NULL, r);
        free(path);
        if (status != VV_OK) return status;
    }
    return VV_OK;
}

static vv_status all_variables(const vv_cli_inputs *in, vv_cli_words *out)
{
    vv_status status = VV_OK;
    for (int i = 0; i < in->n; i++)
        for (int k = 0; k < in->item[i].variables.n && status == VV_OK; k++) {
            const char *name = in->item[i].variables.item[k];
            if (!vv_cli_words_has(out, name)) status = vv_cli_words_add(out, name, strlen(name));
        }
    return status;
}

/* A forgotten -o makes the output an input. */
static vv_status last_is_there(const vv_cli_request *r, const vv_cli_inputs *in)
{
    const char *last = in->item[in->n - 1].path;
    if (in->n == 1 || r->output || is_address(last) || !access(last, F_OK)) return VV_OK;
    return vv_error(VV_ERR_USAGE, "there is no input file %s; if it is the output, give it as -o %s", last, last);
}

static vv_status not_the_output(const vv_cli_request *r, const vv_cli_inputs *in)
{
    for (int i = 0; i < in->n && r->output; i++)
        if (vv_cli_same_file(r->output, in->item[i].path))
            return vv_error(VV_ERR_EXISTS, "output %s exists and is the input; write to another file", r->output);
    return VV_OK;
}

vv_status vv_cli_inputs_check(const vv_cli_request *r, const vv_cli_inputs *in, vv_cli_words *variables)
{
    *variables = (vv_cli_words){0};
    vv_status status = last_is_there(r, in);
    if (status == VV_OK) status = not_the_output(r, in);
    return status == VV_OK ? all_variables(in, variables) : status;
}

vv_status vv_cli_inputs_open(vv_session *s, const vv_cli_request *r, const vv_cli_inputs *in, vv_dataset **out,
                             vv_cli_words *variables)
{
    vv_status status = vv_cli_inputs_check(r, in, variables);
    if (status != VV_OK) return status;
    *out = vv_dataset_open_list(s, (const char *const *)in->words.item, in->words.n, r->concat);
    return vv_dataset_status(*out);
}

void vv_cli_inputs_free(vv_cli_inputs *inputs)
{
    for (int i = 0; i < inputs->n; i++) {
        free(inputs->item[i].path);
        vv_cli_words_free(&inputs->item[i].variables);
    }
    free(inputs->item);
    vv_cli_words_free(&inputs->words);
    *inputs = (vv_cli_inputs){0};
}

bool vv_cli_same_file(const char *a, const char *b)
{
    struct stat x, y;
    return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}
