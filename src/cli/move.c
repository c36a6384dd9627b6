#include "cli/move.h"

#include "cli/picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool vv_cli_move_has_dim(const vv_cli_move *m, const vv_var_info *v, const char *name)
{
    for (int i = 0; i < v->n_dims; i++)
        if (!strcmp(vv_dataset_dim(m->results.source, v->dim[i]).name, name)) return true;
    return false;
}

static bool is_text(const vv_var_info *v)
{
    return v->type == VV_NONE && (!strcmp(v->type_text, "char") || !strcmp(v->type_text, "string"));
}

static bool is_touched(const vv_cli_move *m, const vv_var_info *v)
{
    for (int i = 0; i < m->dims->n; i++)
        if (vv_cli_move_has_dim(m, v, m->dims->item[i])) return true;
    return m->apart && v->role == VV_ROLE_DATA;
}

/* Data is moved if it was named, or if nothing was; what belongs to data goes with it. Coordinates of dimensions are written with the arrays that have them. */
static bool is_moved(const vv_cli_move *m, const vv_var_info *v)
{
    if (v->role == VV_ROLE_COORDINATE || !is_touched(m, v) || (m->leaves && m->leaves(m, v))) return false;
    if (vv_cli_picture_wanted(m->request) && (is_text(v) || v->role != VV_ROLE_DATA)) return false;
    if (is_text(v) && m->stays && m->variables.n == 0) return false;
    if (v->role != VV_ROLE_DATA) return !m->stays && !m->apart;
    return m->variables.n == 0 || vv_cli_words_has(&m->variables, v->name);
}

static void say(const vv_cli_move *m, const vv_var_info *v, const char *what)
{
    if (!m->request->quiet)
        fprintf(stderr, "varve: %s: variable '%s' %s\n", vv_dataset_path(m->results.source), v->name, what);
}

/* --- one variable --- */

/* Packed values stay packed, unless they are drawn, others are to be made of them, or they go to a file that packs in another way. */
static bool as_stored(const vv_cli_move *m, const char *name)
{
    if (vv_cli_picture_wanted(m->request)) return false;
    if (m->grown && !vv_dataset_packed_alike(m->results.source, m->grown, name)) return false;
    return !m->request->dtype && !m->request->quantize;
}

static bool packed_alike(const vv_cli_move *m, const vv_var_info *v)
{
    for (int i = 1; m->apart && i < m->inputs.n; i++)
        if (!vv_dataset_packed_alike(m->file[0], m->file[i], v->name)) return false;
    return true;
}

static vv_status add_one(vv_cli_move *m, const vv_var_info *v)
{
    vv_array *a = (as_stored(m, v->name) ? vv_dataset_stored : vv_dataset_array)(m->results.source, v->name);
    vv_status status = vv_array_status(a);
    if (status == VV_ERR_UNSUPPORTED && is_text(v) && m->variables.n == 0) { /* more than can be carried */
        if (!m->request->quiet) fprintf(stderr, "varve: %s; it is left out\n", vv_last_error());
        return VV_OK;
    }
    return status == VV_OK ? vv_cli_results_add(&m->results, v->name, m->make(m, v, &a)) : status;
}

static vv_status add_of_all(vv_cli_move *m, const vv_var_info *v, bool stored)
{
    vv_array **array = m->inputs.n > 0 ? calloc((size_t)m->inputs.n, sizeof(vv_array *)) : NULL;
    if (!array) return vv_error(VV_ERR_NOMEM, "no memory for a list of %d arrays", m->inputs.n);
    vv_status status = VV_OK;
    for (int i = 0; i < m->inputs.n && status == VV_OK; i++) {
        array[i] = (stored ? vv_dataset_stored : vv_dataset_array)(m->file[i], v->name);
        status = vv_array_status(array[i]);
    }
    if (status == VV_OK) status = vv_cli_results_add(&m->results, v->name, m->make(m, v, array));
    free(array);
    return status;
}

static vv_status move_variable(vv_cli_move *m, const vv_var_info *v)
{
    if (v->decoded == VV_NONE && !is_text(v)) {
        say(m, v, "is left out: only numbers and text can be moved");
        return VV_OK;
    }
    if (!m->apart) return add_one(m, v);
    bool alike = packed_alike(m, v);
    if (!alike) say(m, v, "is unpacked: files pack it in different ways");
    return add_of_all(m, v, alike && as_stored(m, v->name));
}

/* --- all variables --- */

static vv_status names_fit(const vv_cli_move *m)
{
    const vv_dataset *d = m->results.source;
    for (int i = 0; i < m->variables.n; i++) {
        int var = vv_dataset_find_var(d, m->variables.item[i]);
        if (var < 0) return VV_ERR_NOT_FOUND;
        vv_var_info v = vv_dataset_var(d, var);
        if (!is_touched(m, &v))
            return vv_error(VV_ERR_SHAPE, "%s: variable '%s' has no dimension '%s'", vv_dataset_path(d), v.name,
                            m->dims->item[0]);
    }
    return VV_OK;
}

static vv_status dims_exist(const vv_cli_move *m)
{
    for (int i = 0; i < m->dims->n && !m->apart; i++)
        if (vv_dataset_find_dim(m->results.source, m->dims->item[i]) < 0) return VV_ERR_NOT_FOUND;
    return VV_OK;
}

static vv_status move_variables(vv_cli_move *m)
{
    const vv_dataset *d = m->results.source;
    vv_status status = m->opened ? m->opened(m) : VV_OK;
    if (status == VV_OK) status = dims_exist(m);
    if (status == VV_OK) status = names_fit(m);
    for (int i = 0; status == VV_OK && i < vv_dataset_n_vars(d); i++) {
        vv_var_info v = vv_dataset_var(d, i);
        if (is_moved(m, &v)) status = move_variable(m, &v);
    }
    if (status == VV_OK && m->results.n > 0 && m->moved) status = m->moved(m);
    if (status != VV_OK || m->results.n > 0) return status;
    return vv_error(VV_ERR_SHAPE, "%s has no data variable with dimension '%s'; 'varve info' shows what it has",
                    vv_dataset_path(d), m->dims->item[0]);
}

/* --- files --- */

static vv_status open_apart(vv_session *s, vv_cli_move *m)
{
    m->file = m->inputs.n > 0 ? calloc((size_t)m->inputs.n, sizeof(vv_dataset *)) : NULL;
    if (!m->file) return vv_error(VV_ERR_NOMEM, "no memory for a list of %d files", m->inputs.n);
    vv_status status = vv_cli_inputs_check(m->request, &m->inputs, &m->variables);
    for (int i = 0; i < m->inputs.n && status == VV_OK; i++) {
        m->file[i] = vv_dataset_open(s, m->inputs.item[i].path);
        status = vv_dataset_status(m->file[i]);
    }
    m->results.source = m->file[0];
    return status;
}

static vv_status open_inputs(vv_session *s, vv_cli_move *m)
{
    const vv_cli_request *r = m->request;
    if (!r->output) return vv_error(VV_ERR_USAGE, "%s writes a file: name it with -o OUTPUT", r->command.name);
    return m->apart ? open_apart(s, m) : vv_cli_inputs_open(s, r, &m->inputs, &m->results.source, &m->variables);
}

static vv_status hand_over(vv_cli_move *m)
{
    vv_cli_results *x = &m->results;
    x->like_input = true;
    if (!m->stays && !m->apart && !(x->touched = vv_cli_words_join(m->dims)))
        return vv_error(VV_ERR_NOMEM, "no memory for the dimensions");
    x->alone = m->apart && m->variables.n > 0;
    return vv_cli_results_deliver(x);
}

vv_status vv_cli_move_all(vv_session *s, const vv_cli_request *r, int skip, vv_cli_move *m)
{
    m->request = m->results.request = r;
    m->results.session = s;
    vv_status status = vv_cli_inputs_behind(r, skip, &m->inputs);
    if (status == VV_OK) status = open_inputs(s, m);
    if (status == VV_OK && r->append && !access(r->output, F_OK)) m->grown = vv_dataset_open(s, r->output);
    if (status == VV_OK) status = move_variables(m);
    if (status == VV_OK) status = hand_over(m);
    vv_cli_results_free(&m->results);
    vv_cli_words_free(&m->variables);
    vv_cli_inputs_free(&m->inputs);
    free(m->file);
    return status;
}
