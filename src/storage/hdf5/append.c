/* A file gets longer along its unlimited dimension.
 *
 * Extents of all variables along it, and of the dimension's own dataset where it has no coordinate variable, are set first; HDF5 allocates nothing for
 * that. Then new elements come as for a new file: small ones through HDF5, which completes the last chunk by itself, large ones as chunks that
 * ranks have made, placed one by one: a chunk that is there already gets another place when its size has changed. */
#include "storage/hdf5/define.h"

#include "base/mem.h"
#include "storage/hdf5/attr.h"

#include <stdlib.h>
#include <string.h>

int vv_growth_dim(const vv_growth *g, const vv_meta *m, const vv_variable *v)
{
    for (int d = 0; d < v->shape.nd; d++)
        if (!strcmp(m->dim[v->dim[d]].name, g->dim)) return d;
    return -1;
}

void vv_growth_grid(const vv_growth *g, const vv_variable *v, int dim, vv_grid *out, vv_index *kept)
{
    *out = (vv_grid){.shape = v->shape};
    memcpy(out->chunk, v->chunk, sizeof v->chunk);
    *kept = g->old % v->chunk[dim];
    out->shape.n[dim] = *kept + g->more;
}

/* --- extents --- */

static vv_status set_extent(hid_t dataset, int dim, vv_index n)
{
    hsize_t extent[VV_MAX_DIMS];
    hid_t space = H5Dget_space(dataset);
    bool fits = space >= 0 && H5Sget_simple_extent_ndims(space) <= VV_MAX_DIMS &&
                H5Sget_simple_extent_dims(space, extent, NULL) > dim;
    if (space >= 0) H5Sclose(space);
    if (fits) extent[dim] = (hsize_t)n;
    if (fits && H5Dset_extent(dataset, extent) >= 0) return VV_OK;
    return vv_fail(VV_ERR_WRITE, "cannot be made longer: %s", vv_h5_reason());
}

static vv_status grow_var(const vv_writer *w, int var)
{
    hid_t dataset;
    int dim = vv_growth_dim(&w->growth, w->meta, &w->meta->var[var]);
    if (dim < 0) return VV_OK;
    VV_TRY(vv_h5_open_dataset(w, var, &dataset));
    vv_status status = set_extent(dataset, dim, w->growth.old + w->growth.more);
    H5Dclose(dataset);
    return status;
}

/* A dimension without coordinate variable has a dataset of its own. */
static vv_status grow_dim(const vv_writer *w)
{
    const char *name = w->growth.dim;
    if (vv_meta_find_var(w->meta, name) >= 0 || H5Lexists(w->file, name, H5P_DEFAULT) <= 0) return VV_OK;
    hid_t dataset = H5Dopen2(w->file, name, H5P_DEFAULT);
    if (dataset < 0) return vv_fail(VV_ERR_WRITE, "dimension %s cannot be opened: %s", name, vv_h5_reason());
    vv_status status = set_extent(dataset, 0, w->growth.old + w->growth.more);
    H5Dclose(dataset);
    return status == VV_OK ? VV_OK : vv_error_prefix("dimension %s", name);
}

/* --- history --- */

static vv_status replace_history(hid_t root, const char *line)
{
    vv_attrs attrs = {0};
    vv_buf b = {0};
    vv_status status = vv_h5_attrs_read(root, false, &attrs);
    const char *old = vv_attr_text(&attrs, "history");
    vv_buf_printf(&b, old && *old ? "%s\n%s" : "%s", line, old);
    if (status == VV_OK) status = vv_buf_status(&b);
    if (status == VV_OK && vv_attr_find(&attrs, "history") && H5Adelete(root, "history") < 0)
        status = vv_fail(VV_ERR_WRITE, "the attribute history cannot be replaced: %s", vv_h5_reason());
    if (status == VV_OK) status = vv_h5_attr_write_text(root, "history", b.data);
    vv_buf_free(&b);
    vv_attrs_free(&attrs);
    return status;
}

static vv_status add_history(const vv_writer *w, const char *line)
{
    if (!line) return VV_OK;
    hid_t root = H5Gopen2(w->file, "/", H5P_DEFAULT);
    if (root < 0) return vv_fail(VV_ERR_WRITE, "the root group cannot be opened: %s", vv_h5_reason());
    vv_status status = replace_history(root, line);
    H5Gclose(root);
    return status;
}

vv_status vv_h5_grow(vv_writer *w, const char *history)
{
    for (int i = 0; i < w->meta->n_vars; i++)
        if (grow_var(w, i) != VV_OK) return vv_error_prefix("variable %s", w->meta->var[i].name);
    VV_TRY(grow_dim(w));
    return add_history(w, history);
}

/* --- elements --- */

vv_status vv_h5_put_grown(const vv_writer *w, int var, hid_t dataset, hid_t type, const void *data)
{
    const vv_variable *v = &w->meta->var[var];
    hsize_t lo[VV_MAX_DIMS] = {0}, n[VV_MAX_DIMS];
    int dim = vv_growth_dim(&w->growth, w->meta, v);
    if (dim < 0) return vv_fail(VV_ERR_INTERNAL, "does not grow");
    for (int d = 0; d < v->shape.nd; d++) n[d] = (hsize_t)(d == dim ? w->growth.more : v->shape.n[d]);
    lo[dim] = (hsize_t)w->growth.old;
    hid_t space = H5Dget_space(dataset), memory = H5Screate_simple(v->shape.nd, n, NULL);
    bool good = space >= 0 && memory >= 0 && H5Sselect_hyperslab(space, H5S_SELECT_SET, lo, NULL, n, NULL) >= 0 &&
                H5Dwrite(dataset, type, memory, space, H5P_DEFAULT, data) >= 0;
    vv_status status = good ? VV_OK : vv_fail(VV_ERR_WRITE, "cannot be written: %s", vv_h5_reason());
    if (memory >= 0) H5Sclose(memory);
    if (space >= 0) H5Sclose(space);
    return status;
}
