/* `varve plot`: variables of files, or expressions, as a picture. */
#include "varve/plot.h"
#include "cli/calculation.h"
#include "cli/inputs.h"
#include "cli/picture.h"
#include "varve/expression.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct plotted {
    vv_cli_results results;
    vv_cli_request files; /* the request with its inputs only */
    vv_cli_inputs inputs;
    vv_cli_words calculations, variables;
    vv_script *script;
} plotted;

/* NAME = ..., or what has a call, a position or a sum in it and is no file. */
static bool is_calculation(const char *word)
{
    if (vv_cli_is_statement(word)) return true;
    if (!access(word, F_OK)) return false;
    const char *bracket = strchr(word, '[');
    if (strchr(word, '(') || (bracket && strchr(bracket, '='))) return true;
    static const char *const signs[] = {" - ", " + ", " * ", " / ", " ^ ", " ** "};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (strstr(word, signs[i])) return true;
    return false;
}

static vv_status sort_plotted(plotted *p, const vv_cli_request *r)
{
    vv_status status = VV_OK;
    p->files.inputs = (vv_cli_words){0};
    for (int i = 0; i < r->inputs.n && status == VV_OK; i++) {
        const char *word = r->inputs.item[i];
        status = vv_cli_words_add(is_calculation(word) ? &p->calculations : &p->files.inputs, word, strlen(word));
    }
    return status;
}

/* --- expressions --- */

static vv_status run_calculations(vv_session *s, plotted *p)
{
    vv_status status = vv_script_new(s, p->results.source, &p->script);
    for (int i = 0; i < p->calculations.n && status == VV_OK; i++) {
        const char *text = p->calculations.item[i];
        int before = vv_script_n_results(p->script);
        if (vv_cli_is_statement(text)) {
            status = vv_script_run(p->script, text, NULL);
            for (int k = before; k < vv_script_n_results(p->script) && status == VV_OK; k++)
                status = vv_cli_results_add(&p->results, vv_script_name(p->script, k), vv_script_array(p->script, k));
        } else {
            status = vv_cli_results_add(&p->results, text, vv_expression(s, p->results.source, text));
        }
    }
    if (status == VV_OK && p->results.n == 0)
        return vv_error(VV_ERR_USAGE,
                        "nothing to draw: names that begin with let are not drawn; write 'NAME = EXPRESSION'");
    return status;
}

/* --- variables --- */

static bool can_be_drawn(const vv_var_info *v)
{
    return v->role == VV_ROLE_DATA && v->decoded != VV_NONE && v->n_dims > 0;
}

/* The only one that there is; of several the user has to say which. */
static vv_status add_only_variable(plotted *p)
{
    vv_dataset *d = p->results.source;
    vv_cli_words names = {0};
    vv_status status = VV_OK;
    for (int i = 0; i < vv_dataset_n_vars(d) && status == VV_OK; i++) {
        vv_var_info v = vv_dataset_var(d, i);
        if (can_be_drawn(&v)) status = vv_cli_words_add(&names, v.name, strlen(v.name));
    }
    if (status == VV_OK && names.n == 0)
        status = vv_error(VV_ERR_SHAPE, "%s has no variable that could be drawn; 'varve info' shows what it has",
                          vv_dataset_path(d));
    if (status == VV_OK && names.n > 1) {
        char *all = vv_cli_words_join(&names);
        status = vv_error(VV_ERR_USAGE, "%s has several variables, %s: which one? varve plot %s:%s", vv_dataset_path(d),
                          all ? all : "", vv_dataset_path(d), names.item[0]);
        free(all);
    }
    if (status == VV_OK) status = vv_cli_results_add(&p->results, names.item[0], vv_dataset_array(d, names.item[0]));
    vv_cli_words_free(&names);
    return status;
}

static vv_status add_variables(plotted *p)
{
    vv_status status = VV_OK;
    if (p->variables.n == 0) return add_only_variable(p);
    for (int i = 0; i < p->variables.n && status == VV_OK; i++) {
        const char *name = p->variables.item[i];
        status = vv_dataset_find_var(p->results.source, name) < 0
                     ? VV_ERR_NOT_FOUND
                     : vv_cli_results_add(&p->results, name, vv_dataset_array(p->results.source, name));
    }
    return status;
}

/* --- the command --- */

static vv_status check_output_name(const vv_cli_request *r)
{
    if (!r->output || !strcmp(r->output, "-") || vv_plot_is_picture(r->output)) return VV_OK;
    return vv_error(VV_ERR_USAGE, "'%s': a picture's name ends in .png, .svg or .pdf", r->output);
}

static vv_status open_plotted(vv_session *s, plotted *p)
{
    if (p->files.inputs.n == 0 && p->calculations.n > 0) return VV_OK;
    vv_status status = vv_cli_inputs_find(&p->files, &p->inputs);
    if (status == VV_OK) status = vv_cli_inputs_open(s, &p->files, &p->inputs, &p->results.source, &p->variables);
    if (status == VV_OK && p->calculations.n > 0 && p->variables.n > 0)
        return vv_error(VV_ERR_USAGE, "expressions say which variables they are of: give the file without ':%s'",
                        p->variables.item[0]);
    return status;
}

vv_status vv_cli_plot(vv_session *s, const vv_cli_request *r)
{
    plotted p = {.files = *r};
    p.results.session = s;
    p.results.request = r;
    vv_status status = sort_plotted(&p, r);
    if (status == VV_OK) status = check_output_name(r);
    if (status == VV_OK) status = open_plotted(s, &p);
    if (status == VV_OK) status = p.calculations.n > 0 ? run_calculations(s, &p) : add_variables(&p);
    if (status == VV_OK) status = vv_cli_results_deliver(&p.results);
    vv_script_free(&p.script);
    vv_cli_results_free(&p.results);
    vv_cli_words_free(&p.calculations);
    vv_cli_words_free(&p.variables);
    vv_cli_words_free(&p.files.inputs);
    vv_cli_inputs_free(&p.inputs);
    return status;
}
