#include "session/append/append.h"

#include "varve/move.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL = 4 << 20 };

static const vv_variable *stored(const vv_output *o, const vv_item *item)
{
    return &o->append->file->file->meta->var[item->base];
}

/* --- elements --- */

static void fill_of(const vv_variable *v, vv_encode *e)
{
    const vv_attr *a = vv_attr_find(&v->attrs, "_FillValue");
    if (!a) a = vv_attr_find(&v->attrs, "missing_value");
    if (!a || a->type == VV_NONE || a->count < 1) return;
    e->has_fill = true;
    if (vv_dtype_size(a->type) == vv_dtype_size(e->to) && vv_dtype_is_float(a->type) == vv_dtype_is_float(e->to))
        memcpy(e->fill, a->data, (size_t)vv_dtype_size(e->to));
    else
        vv_dtype_store(e->to, e->fill, vv_dtype_load(a->type, a->data));
}

vv_status vv_append_encode(const vv_variable *v, vv_dtype in, vv_encode *out)
{
    vv_decode d;
    vv_dtype type;
    VV_TRY(vv_cf_decode(v, &d, &type));
    *out = (vv_encode){
        .in = in, .to = d.stored, .scale = d.scale, .offset = d.offset, .scaled = d.scaled, .checked = true};
    fill_of(v, out);
    return VV_OK;
}

vv_dtype vv_append_type(const vv_output *o, const vv_item *item)
{
    if (item->array && item->array->text != VV_TEXT_NOT) return item->array->dtype;
    return item->times ? VV_F64 : stored(o, item)->type;
}

/* --- chunks --- */

static bool sum_first(const vv_variable *v)
{
    return v->n_filters > 0 && v->filter[0] == VV_FILTER_FLETCHER32;
}

/* The order in which filters are applied here; another one cannot be. NetCDF-C has sums first, h5py has them last. */
static bool usual_filters(const vv_variable *v)
{
    unsigned char filter[VV_FILTERS + 1];
    int n = 0;
    if (sum_first(v)) filter[n++] = VV_FILTER_FLETCHER32;
    if (v->shuffle) filter[n++] = VV_FILTER_SHUFFLE;
    if (v->deflate >= 0) filter[n++] = VV_FILTER_DEFLATE;
    if (v->zstd > 0) filter[n++] = VV_FILTER_ZSTD;
    if (v->fletcher32 && !sum_first(v)) filter[n++] = VV_FILTER_FLETCHER32;
    return n == v->n_filters && !memcmp(filter, v->filter, (size_t)n);
}

static vv_status not_writable(const vv_output *o, const vv_variable *v)
{
    return vv_fail(
        VV_ERR_UNSUPPORTED,
        "cannot append to %s: so much of variable '%s' would be written through the HDF5 library by one rank "
        "alone (%s); 'varve rechunk %s --filter zstd -o NEW' makes a file that all ranks can write",
        o->path, v->name, v->why_not_fast ? v->why_not_fast : "unusual order of filters", o->path);
}

/* An array whose elements are preceded by others that mean nothing: those that the file's last chunk has already. */
static vv_array *continued(vv_array *a, const vv_growth *g, const vv_variable *v, int dim)
{
    vv_buf text = {0};
    vv_grid grid;
    vv_index kept;
    vv_growth_grid(g, v, dim, &grid, &kept);
    vv_array *padded = kept ? vv_pad(a, g->dim, kept, 0, "edge", 0) : vv_node_again(a);
    for (int d = 0; d < v->shape.nd; d++)
        vv_buf_printf(&text, "%s%s:%lld", d ? "," : "", a->dim[d],
                      (long long)vv_imin(v->chunk[d], vv_imax(1, grid.shape.n[d])));
    vv_array *out = vv_buf_status(&text) == VV_OK ? vv_rechunk(padded, text.data) : vv_node_inert(a->context);
    vv_release(&padded);
    vv_buf_free(&text);
    return out;
}

vv_status vv_append_array(vv_output *o, vv_item *item, bool raw)
{
    const vv_variable *v = stored(o, item);
    vv_array *a = item->array;
    int dim = vv_growth_dim(&o->append->growth, o->append->file->file->meta, v);
    vv_bytes bytes = vv_times(vv_shape_elements(&a->shape), vv_dtype_size(vv_append_type(o, item)));
    item->raw = raw;
    item->gathered = bytes <= SMALL || item->strings;
    if (a->text == VV_TEXT_NOT && vv_working_type(v->type) == VV_NONE)
        return vv_fail(VV_ERR_UNSUPPORTED, "cannot append to %s: variable '%s' is of type %s", o->path, v->name,
                       vv_dtype_name(v->type));
    if (item->gathered) return VV_OK;
    if (item->times)
        return vv_fail(
            VV_ERR_UNSUPPORTED,
            "cannot append to %s: variable '%s' has other units of time there, and so many are not converted", o->path,
            v->name);
    if (!v->fast || v->layout != VV_LAYOUT_CHUNKED || !usual_filters(v)) return not_writable(o, v);
    item->array = continued(a, &o->append->growth, v, dim);
    vv_node_take_over(item->array);
    vv_node_drop(&a);
    return vv_array_status(item->array);
}

static vv_status set_name(vv_step *s, const char *name)
{
    free(s->name);
    s->name = NULL;
    return vv_strdup(&s->name, name);
}

static void set_storage(const vv_variable *v, vv_write_to *to)
{
    to->chunked = true;
    to->deflate = v->deflate ? v->deflate : 1; /* level 0 is a stream, too */
    to->zstd = v->zstd;
    to->shuffle = v->shuffle;
    to->sum = v->fletcher32;
    to->sum_first = sum_first(v);
    to->swap = v->swapped;
    to->grown.on = true;
}

vv_status vv_append_lay_out(const vv_output *o, const vv_item *item, vv_variable *v, vv_prepared *p, int step)
{
    vv_step *s = &p->lowering.plan->step[step];
    vv_dtype in = vv_working_type(item->array->dtype);
    const vv_growth *g = &o->append->growth;
    if (item->raw)
        s->to.encode = (vv_encode){.in = in, .to = vv_append_type(o, item), .scale = 1};
    else if (item->times)
        s->to.encode = (vv_encode){.in = in, .to = VV_F64, .scale = 1};
    else
        VV_TRY(vv_append_encode(stored(o, item), in, &s->to.encode));
    if (vv_dtype_is_float(v->type) && !item->raw) s->to.encode.quantize = o->encoding.quantize;
    if (item->gathered) return VV_OK;
    int dim = vv_growth_dim(g, o->append->file->file->meta, stored(o, item));
    set_storage(v, &s->to);
    s->to.grown.dim = dim;
    vv_growth_grid(g, v, dim, &s->to.grown.grid, &s->to.grown.kept);
    s->to.grown.first = g->old - s->to.grown.kept;
    VV_TRY(set_name(s, v->name));
    return vv_copying_choose(p, step, v);
}
