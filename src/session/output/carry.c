/* What the coordinator writes by itself: coordinates that were made, variables that are carried over as they are, strings. */
#include "array/text.h"
#include "session/output/file.h"

#include <math.h>
#include <string.h>

vv_status vv_outfile_put_strings(const vv_output *o, const int64_t number[], vv_index n, vv_writer *w, int var)
{
    const char **at;
    if (n == 0) return VV_OK;
    VV_TRY(vv_mem_get(&at, vv_times(n, sizeof *at), "strings"));
    vv_status status = vv_texts_look_up(&o->session->context, number, n, at);
    if (status == VV_OK) status = vv_writer_put(w, var, at);
    vv_mem_put(&at);
    return status;
}

static vv_status put_made_strings(const vv_output *o, const vv_values *value, vv_writer *w, int var)
{
    int64_t *number;
    VV_TRY(vv_mem_get(&number, vv_times(value->n, sizeof *number), "a coordinate"));
    for (vv_index i = 0; i < value->n; i++) number[i] = isnan(value->at[i]) ? 0 : (int64_t)value->at[i];
    vv_status status = vv_outfile_put_strings(o, number, value->n, w, var);
    vv_mem_put(&number);
    return status;
}

vv_status vv_outfile_put_made(const vv_output *o, const vv_item *item, const vv_variable *v, vv_writer *w, int var)
{
    const vv_values *value = item->made.value;
    vv_bytes size = vv_dtype_size(v->type);
    char *data;
    if (value->n == 0) return VV_OK;
    if (v->type == VV_NONE) return put_made_strings(o, value, w, var);
    VV_TRY(vv_mem_get(&data, vv_times(value->n, size), "a coordinate"));
    for (vv_index i = 0; i < value->n; i++) vv_dtype_store(v->type, data + i * size, value->at[i]);
    vv_status status = vv_writer_put(w, var, data);
    vv_mem_put(&data);
    return status;
}

static vv_status copy_elements(const vv_item *item, const vv_variable *v, vv_writer *w, int var)
{
    vv_file *f = item->carried->file;
    vv_box whole = {.nd = v->shape.nd};
    vv_bytes bytes = vv_times(vv_shape_elements(&v->shape), vv_variable_element(v));
    char *data;
    memcpy(whole.n, v->shape.n, sizeof whole.n);
    VV_TRY(vv_mem_get(&data, bytes, "a carried variable"));
    vv_status status = f->format->read(f, item->var, &whole, data);
    if (status != VV_OK) status = vv_error_prefix("%s", item->carried->path);
    if (status == VV_OK) status = vv_writer_put(w, var, data);
    vv_mem_put(&data);
    return status;
}

vv_status vv_outfile_put_carried(const vv_output *o, const vv_item *item, const vv_variable *v, vv_writer *w, int var)
{
    vv_index n = vv_shape_elements(&v->shape);
    const int64_t *number;
    if (n == 0) return VV_OK;
    if (!vv_variable_is(v, VV_STRINGS)) return copy_elements(item, v, w, var);
    VV_TRY(vv_texts_of(item->carried, item->var, &number));
    return vv_outfile_put_strings(o, number, n, w, var);
}
