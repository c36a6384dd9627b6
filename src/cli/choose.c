#include "cli/choose.h"

#include <stdlib.h>
#include <string.h>

static bool has_dim(const vv_dataset *d, const vv_var_info *v, const char *name)
{
    for (int i = 0; i < v->n_dims; i++)
        if (!strcmp(vv_dataset_dim(d, v->dim[i]).name, name)) return true;
    return false;
}

/* The first wanted dimension that the variable does not have, NULL when it has all. */
static const char *missing_dim(const vv_dataset *d, const vv_var_info *v, const vv_cli_words *dims)
{
    for (int i = 0; i < dims->n; i++)
        if (!has_dim(d, v, dims->item[i])) return dims->item[i];
    return NULL;
}

static vv_status choose_named(const vv_dataset *d, const char *name, const vv_cli_words *dims, vv_var_info *out)
{
    int var = vv_dataset_find_var(d, name);
    if (var < 0) return VV_ERR_NOT_FOUND;
    *out = vv_dataset_var(d, var);
    if (out->decoded == VV_NONE)
        return vv_error(VV_ERR_TYPE, "%s: variable '%s' is of type %s, which cannot be reduced", vv_dataset_path(d),
                        name, out->type_text);
    const char *missing = missing_dim(d, out, dims);
    if (missing)
        return vv_error(VV_ERR_SHAPE, "%s: variable '%s' has no dimension '%s'", vv_dataset_path(d), name, missing);
    return VV_OK;
}

static bool suits(const vv_dataset *d, const vv_var_info *v, const vv_cli_words *dims)
{
    return v->role == VV_ROLE_DATA && v->decoded != VV_NONE && v->n_dims > 0 && !missing_dim(d, v, dims);
}

static vv_status none_suits(const vv_dataset *d, const vv_cli_words *dims)
{
    char *names = vv_cli_words_join(dims);
    vv_status status =
        dims->n == 0
            ? vv_error(VV_ERR_SHAPE, "%s has no data variable with dimensions to reduce", vv_dataset_path(d))
            : vv_error(VV_ERR_SHAPE, "%s has no data variable with %s %s; 'varve info' shows what it has",
                       vv_dataset_path(d), dims->n == 1 ? "dimension" : "all of the dimensions", names ? names : "");
    free(names);
    return status;
}

vv_status vv_cli_choose(vv_dataset *d, const vv_cli_words *variables, const vv_cli_words *dims, vv_cli_work *work,
                        void *context)
{
    return vv_cli_choose_but(d, variables, dims, &(vv_cli_words){0}, work, context);
}

vv_status vv_cli_choose_but(vv_dataset *d, const vv_cli_words *variables, const vv_cli_words *dims,
                            const vv_cli_words *but, vv_cli_work *work, void *context)
{
    vv_status status = VV_OK;
    int n = 0;
    for (int i = 0; status == VV_OK && i < variables->n; i++) {
        vv_var_info v;
        status = choose_named(d, variables->item[i], dims, &v);
        if (status == VV_OK) status = work(context, &v);
    }
    if (status != VV_OK || variables->n > 0) return status;
    for (int i = 0; status == VV_OK && i < vv_dataset_n_vars(d); i++) {
        vv_var_info v = vv_dataset_var(d, i);
        if (!suits(d, &v, dims) || vv_cli_words_has(but, v.name)) continue;
        status = work(context, &v);
        n++;
    }
    return status != VV_OK || n > 0 ? status : none_suits(d, dims);
}

vv_status vv_cli_check_dims(const vv_dataset *d, const vv_cli_words *dims)
{
    for (int i = 0; i < dims->n; i++)
        if (vv_dataset_find_dim(d, dims->item[i]) < 0) return VV_ERR_NOT_FOUND;
    return VV_OK;
}

vv_status vv_cli_time_dim(const vv_dataset *d, const vv_cli_words *among, const char **out)
{
    const char *found = NULL;
    for (int i = 0; i < vv_dataset_n_vars(d); i++) {
        vv_var_info v = vv_dataset_var(d, i);
        char text[64];
        if (v.role != VV_ROLE_COORDINATE || v.n_dims != 1 || !vv_dataset_time_text(d, i, 0, text, sizeof text))
            continue;
        if (among->n > 0 && !vv_cli_words_has(among, v.name)) continue;
        if (found)
            return vv_error(VV_ERR_USAGE, "%s has times along '%s' and along '%s'; -d says which is meant",
                            vv_dataset_path(d), found, v.name);
        found = v.name;
    }
    *out = found;
    return found ? VV_OK
                 : vv_error(VV_ERR_SHAPE, "%s has no dimension with times (\"hours since 1990-01-01\")",
                            vv_dataset_path(d));
}
