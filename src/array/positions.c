#include "array/positions.h"

#include "array/text.h"

#include <stdio.h>
#include <stdlib.h>

int vv_positions_variable(const vv_meta *m, int dim)
{
    int var = vv_meta_find_var(m, m->dim[dim].name);
    if (var < 0 || !vv_meta_is_coordinate(m, var)) return -1;
    return m->var[var].type != VV_NONE || vv_variable_is(&m->var[var], VV_STRINGS) ? var : -1;
}

int vv_positions_number_variable(const vv_meta *m, int dim)
{
    int var = vv_positions_variable(m, dim);
    return var >= 0 && m->var[var].type != VV_NONE ? var : -1;
}

static vv_status read_strings(vv_dataset *d, int dim, int var, double **out)
{
    const int64_t *number;
    vv_index n = d->file->meta->dim[dim].length;
    vv_status status = vv_texts_of(d, var, &number);
    if (status == VV_ERR_UNSUPPORTED) { /* so much text is not compared */
        vv_error_clear();
        return VV_OK;
    }
    VV_TRY(status);
    VV_TRY(vv_new(out, (size_t)n + 1, sizeof **out));
    for (vv_index i = 0; i < n; i++) (*out)[i] = (double)number[i];
    return VV_OK;
}

vv_status vv_positions_read_numbers(vv_dataset *d, int dim, double **out)
{
    const vv_meta *m = d->file->meta;
    int var = vv_positions_number_variable(m, dim);
    *out = NULL;
    if (var < 0) return VV_OK;
    VV_TRY(vv_new(out, (size_t)m->dim[dim].length + 1, sizeof **out));
    vv_status status = vv_dataset_read(d, var, *out, m->dim[dim].length);
    if (status != VV_OK) {
        free(*out);
        *out = NULL;
    }
    return status;
}

vv_status vv_positions_read(vv_dataset *d, int dim, double **out)
{
    int var = vv_positions_variable(d->file->meta, dim);
    *out = NULL;
    if (var >= 0 && d->file->meta->var[var].type == VV_NONE) return read_strings(d, dim, var, out);
    return vv_positions_read_numbers(d, dim, out);
}

const char *vv_positions_text(vv_dataset *d, int dim, double value, char *out, size_t size)
{
    const char *label = "";
    const vv_meta *m = d->file->meta;
    int var = vv_positions_variable(m, dim);
    snprintf(out, size, "%.17g", value);
    if (var < 0 || m->var[var].type != VV_NONE) return out;
    if (vv_text_at(d->context, (int64_t)value, &label) != VV_OK) vv_error_clear();
    snprintf(out, size, "'%s'", label);
    return out;
}
