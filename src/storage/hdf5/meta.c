/* From the datasets of a file to its vv_meta: dimensions in netCDF's order, then variables with their attributes. */
#include "base/mem.h"
#include "storage/hdf5/attr.h"
#include "storage/hdf5/file.h"
#include "storage/hdf5/scan.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct reading {
    vv_meta *meta;
    vv_h5_scan scan;
    int *dim_of; /* dimension of each entry that is a scale, -1 */
    int first_anonymous;
} reading;

/* --- dimensions --- */

/* The next scale in the order of netCDF's numbers; scales without one come behind, as they were found. */
static int next_scale(const reading *r)
{
    int best = -1, best_key = 0;
    for (int i = 0; i < r->scan.n; i++) {
        const vv_h5_entry *e = &r->scan.entry[i];
        int key = e->dim_id < 0 ? INT_MAX : e->dim_id;
        if (!e->scale || r->dim_of[i] >= 0 || (best >= 0 && key >= best_key)) continue;
        best = i;
        best_key = key;
    }
    return best;
}

static vv_status add_named_dims(reading *r)
{
    for (int i = 0; i < r->scan.n; i++) r->dim_of[i] = -1;
    for (int i; (i = next_scale(r)) >= 0;) {
        const vv_h5_entry *e = &r->scan.entry[i];
        VV_TRY(vv_meta_add_dim(r->meta, e->name, e->length, e->most[0] == H5S_UNLIMITED, &r->dim_of[i]));
    }
    r->first_anonymous = r->meta->n_dims;
    return VV_OK;
}

static bool used(const vv_variable *v, int nd, int dim)
{
    for (int d = 0; d < nd; d++)
        if (v->dim[d] == dim) return true;
    return false;
}

/* An anonymous dimension is shared by all of the same length, but not twice in one variable; named as netCDF-C names it. */
static vv_status anonymous_dim(reading *r, const vv_variable *v, int d, vv_index length, bool unlimited, int *out)
{
    vv_meta *m = r->meta;
    for (int i = r->first_anonymous; i < m->n_dims; i++)
        if (m->dim[i].length == length && m->dim[i].unlimited == unlimited && !used(v, d, i)) {
            *out = i;
            return VV_OK;
        }
    char name[32];
    snprintf(name, sizeof name, "phony_dim_%d", m->n_dims);
    return vv_meta_add_dim(m, name, length, unlimited, out);
}

static vv_status set_dims(reading *r, const vv_h5_entry *e, vv_variable *v)
{
    for (int d = 0; d < e->nd; d++) {
        if (e->scale_of[d] >= 0)
            v->dim[d] = r->dim_of[e->scale_of[d]];
        else
            VV_TRY(anonymous_dim(r, v, d, (vv_index)e->extent[d], e->most[d] == H5S_UNLIMITED, &v->dim[d]));
        v->shape.n[d] = r->meta->dim[v->dim[d]].length;
    }
    v->shape.nd = e->nd;
    return VV_OK;
}

/* --- variables --- */

static bool tracks_attributes(hid_t creation_list)
{
    unsigned order = 0;
    H5Pget_attr_creation_order(creation_list, &order);
    H5Pclose(creation_list);
    return order & H5P_CRT_ORDER_TRACKED;
}

static vv_status read_var(reading *r, const vv_h5_entry *e)
{
    hid_t stored = H5Dget_type(e->dataset);
    if (stored < 0) return vv_fail(VV_ERR_FORMAT, "its type is unreadable: %s", vv_h5_reason());
    vv_h5_type type;
    vv_h5_describe_type(stored, &type);
    H5Tclose(stored);
    vv_variable *v;
    VV_TRY(vv_meta_add_var(r->meta, e->name, type.type, &v));
    free(v->type_text);
    VV_TRY(vv_strdup(&v->type_text, type.text));
    v->swapped = type.swapped;
    VV_TRY(set_dims(r, e, v));
    VV_TRY(vv_h5_storage_read(e->dataset, e->extent, type.exact, v));
    return vv_h5_attrs_read(e->dataset, tracks_attributes(H5Dget_create_plist(e->dataset)), &v->attrs);
}

static vv_status read_vars(reading *r, vv_h5_file *h)
{
    VV_TRY(vv_new(&h->path, (size_t)r->scan.n, sizeof *h->path));
    for (int i = 0; i < r->scan.n; i++) {
        vv_h5_entry *e = &r->scan.entry[i];
        if (!e->variable) continue;
        if (read_var(r, e) != VV_OK) return vv_error_prefix("%s", e->name);
        h->path[h->n_paths++] = e->path;
        e->path = NULL;
    }
    return VV_OK;
}

static bool is_netcdf(hid_t root, const vv_h5_scan *s)
{
    if (H5Aexists(root, VV_NC_PROPERTIES) > 0 || H5Aexists(root, "_nc3_strict") > 0) return true;
    for (int i = 0; i < s->n; i++)
        if (s->entry[i].scale) return true;
    return false;
}

static vv_status read_root(reading *r, hid_t file)
{
    hid_t root = H5Gopen2(file, "/", H5P_DEFAULT);
    if (root < 0) return vv_fail(VV_ERR_FORMAT, "the root group cannot be opened: %s", vv_h5_reason());
    vv_status status = vv_strdup(&r->meta->format, is_netcdf(root, &r->scan) ? "NetCDF-4" : "HDF5");
    if (status == VV_OK) status = vv_h5_attrs_read(root, tracks_attributes(H5Gget_create_plist(root)), &r->meta->attrs);
    H5Gclose(root);
    return status;
}

vv_status vv_h5_meta_read(vv_file *f)
{
    vv_h5_file *h = f->handle;
    reading r = {0};
    VV_TRY(vv_meta_new(&f->meta));
    r.meta = f->meta;
    VV_TRY(vv_strdup(&f->meta->path, f->path));
    VV_TRY(vv_h5_scan_file(h->file, &r.scan));
    vv_status status = vv_new(&r.dim_of, (size_t)r.scan.n, sizeof *r.dim_of);
    if (status == VV_OK) status = add_named_dims(&r);
    if (status == VV_OK) status = read_vars(&r, h);
    if (status == VV_OK) status = read_root(&r, h->file);
    free(r.dim_of);
    vv_h5_scan_free(&r.scan);
    return status;
}
