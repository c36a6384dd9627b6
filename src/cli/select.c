/* Part of a file: 'time=1990-01:1999-12,lat=-30:30,level=#0'. */
#include "cli/move.h"

#include <string.h>

/* DIM=WHAT of each dimension. */
typedef struct selection {
    vv_cli_words dims, whats;
} selection;

static vv_status no_selection(const char *text)
{
    return vv_error(VV_ERR_USAGE,
                    "'%s' is no selection; they are written 'time=1990-01:1999-12,lat=-30:30' or time=#0:10", text);
}

static vv_status take_selection(selection *x, const char *text, size_t length)
{
    const char *equals = memchr(text, '=', length);
    if (!equals || equals == text || equals + 1 == text + length) return no_selection(text);
    int before = x->dims.n;
    vv_status status = vv_cli_words_add(&x->dims, text, (size_t)(equals - text));
    if (status == VV_OK) status = vv_cli_words_add(&x->whats, equals + 1, length - (size_t)(equals + 1 - text));
    for (int i = 0; i < before && status == VV_OK; i++)
        if (!strcmp(x->dims.item[i], x->dims.item[before]))
            return vv_error(VV_ERR_USAGE, "'%s' is selected along twice", x->dims.item[i]);
    return status;
}

static vv_status read_selection(selection *x, const char *text)
{
    vv_status status = *text ? VV_OK : no_selection(text);
    while (status == VV_OK && *text) {
        size_t length = strcspn(text, ",");
        status = take_selection(x, text, length);
        text += length + (text[length] == ',');
    }
    return status;
}

static vv_array *selected(const vv_cli_move *m, const vv_var_info *v, vv_array *const arrays[])
{
    const selection *x = m->context;
    vv_array *a = arrays[0];
    for (int i = 0; i < x->dims.n; i++)
        if (vv_cli_move_has_dim(m, v, x->dims.item[i])) a = vv_select(a, x->dims.item[i], x->whats.item[i]);
    return a;
}

vv_status vv_cli_select(vv_session *s, const vv_cli_request *r)
{
    selection x = {0};
    vv_cli_move m = {.dims = &x.dims, .context = &x, .make = selected};
    vv_status status =
        r->inputs.n > 0 ? read_selection(&x, r->inputs.item[0])
                        : vv_error(VV_ERR_USAGE, "select needs a selection and a file: varve select 'time=1990' FILE");
    if (status == VV_OK) status = vv_cli_move_all(s, r, 1, &m);
    vv_cli_words_free(&x.dims);
    vv_cli_words_free(&x.whats);
    return status;
}
