#include "cli/members.h"

#include "varve/move.h"

#include <stdlib.h>
#include <string.h>

/* What the members of an ensemble are called. */
static bool is_usual(const char *dim)
{
    static const char *const names[] = {"member", "ensemble", "realization", "ens", "realisation"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(dim, names[i])) return true;
    return false;
}

static bool has_dim(const vv_dataset *d, const char *name)
{
    for (int i = 0; i < vv_dataset_n_dims(d); i++)
        if (!strcmp(vv_dataset_dim(d, i).name, name)) return true;
    return false;
}

/* The dimension that files are to lie along; NULL: they are joined. */
static vv_status member_dim(vv_session *s, const vv_cli_request *r, const vv_cli_inputs *in, const char **out)
{
    *out = NULL;
    for (int i = 0; i < r->dims.n && !r->stack; i++)
        if (in->n > 1 && is_usual(r->dims.item[i])) *out = r->dims.item[i];
    if (r->stack) *out = r->stack;
    if (!*out) return VV_OK;
    vv_dataset *first = vv_dataset_open(s, in->item[0].path);
    if (vv_dataset_status(first) != VV_OK) return vv_dataset_status(first);
    if (!has_dim(first, *out)) return VV_OK;
    if (r->stack) return vv_error(VV_ERR_SHAPE, "--stack %s: %s has that dimension already", *out, in->item[0].path);
    *out = NULL;
    return VV_OK;
}

static vv_status open_each(vv_cli_members *m, const vv_cli_inputs *in)
{
    m->file = calloc((size_t)in->n, sizeof *m->file);
    if (!m->file) return vv_error(VV_ERR_NOMEM, "no memory for a list of %d files", in->n);
    vv_status status = VV_OK;
    for (m->n = 0; status == VV_OK && m->n < in->n; m->n++) {
        m->file[m->n] = vv_dataset_open(m->session, in->item[m->n].path);
        status = vv_dataset_status(m->file[m->n]);
    }
    return status;
}

vv_status vv_cli_members_open(vv_session *s, const vv_cli_request *r, const vv_cli_inputs *in, vv_cli_members *m,
                              vv_dataset **out, vv_cli_words *variables)
{
    *m = (vv_cli_members){.session = s};
    *variables = (vv_cli_words){0};
    vv_status status = member_dim(s, r, in, &m->dim);
    if (status != VV_OK) return status;
    if (!m->dim) return vv_cli_inputs_open(s, r, in, out, variables);
    status = vv_cli_inputs_check(r, in, variables);
    if (status == VV_OK) status = open_each(m, in);
    *out = m->file ? m->file[0] : NULL;
    return status;
}

void vv_cli_members_free(vv_cli_members *m)
{
    free(m->file);
    *m = (vv_cli_members){0};
}

static bool same_lengths(const vv_array *a, const vv_array *b)
{
    bool same = vv_array_n_dims(a) == vv_array_n_dims(b);
    for (int d = 0; same && d < vv_array_n_dims(a); d++) same = vv_array_length(a, d) == vv_array_length(b, d);
    return same;
}

/* Members line up by their labels; of other lengths they are refused. */
vv_array *vv_cli_members_array(const vv_cli_members *m, vv_dataset *source, const char *name)
{
    if (!m->dim) return vv_dataset_array(source, name);
    vv_array **member = calloc((size_t)m->n, sizeof *member);
    if (!member) return vv_failed(m->session, vv_error(VV_ERR_NOMEM, "no memory for a list of %d files", m->n));
    for (int i = 0; i < m->n; i++) {
        member[i] = vv_dataset_array(m->file[i], name);
        bool usable = vv_array_status(member[i]) == VV_OK && vv_array_status(member[0]) == VV_OK;
        if (usable && same_lengths(member[0], member[i])) member[i] = vv_align(member[i], member[0]);
    }
    vv_array *all = vv_stack(m->session, member, m->n, m->dim);
    free(member);
    return all;
}

vv_status vv_cli_members_dims(const vv_cli_members *m, const vv_cli_words *dims, vv_cli_words *out)
{
    vv_status status = VV_OK;
    for (int i = 0; status == VV_OK && i < dims->n; i++)
        if (!m->dim || strcmp(dims->item[i], m->dim) != 0)
            status = vv_cli_words_add(out, dims->item[i], strlen(dims->item[i]));
    return status;
}
