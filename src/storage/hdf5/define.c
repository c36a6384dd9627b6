/* All objects of a NetCDF-4 file, made with plain HDF5 so that netCDF-C takes the file for its own, and can append to it.
 *
 * - Creation order of links and attributes is tracked: netCDF-C keeps the order of variables in it.
 * - A dimension is a scale: the coordinate variable of its name, or a dataset that says it is not a variable; either with its _Netcdf4Dimid.
 * - A variable names its dimensions in DIMENSION_LIST, a scale its users in REFERENCE_LIST. Both are written here, once each, rather than by
 *   H5DSattach_scale(), which rewrites a scale's list for every user and leaves bytes of its memory in the file.
 * - Contiguous data get their space now and are never filled; chunks get theirs when they are placed.
 * - A plain HDF5 file has scales and lists of them as well, and names of dimensions as labels; no scales without values, none of netCDF's own attributes.
 * - No times are kept in object headers: equal data give equal files. */
#include "storage/hdf5/define.h"

#include "base/mem.h"
#include "storage/hdf5/attr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Users of one scale, and the scale itself, as references. */
typedef struct user {
    hobj_ref_t dataset;
    unsigned dimension;
} user;

typedef struct scale {
    int var; /* the coordinate variable, -1: a dimension without one */
    hobj_ref_t self;
    int n_users;
    user *user;
} scale;

/* --- names --- */

/* The variable that is the scale of a dimension: it has its name and runs along it first. */
static bool is_scale_of(const vv_meta *m, int var, int dim)
{
    const vv_variable *v = &m->var[var];
    return v->shape.nd > 0 && v->dim[0] == dim && !strcmp(v->name, m->dim[dim].name);
}

static int scale_var(const vv_meta *m, int dim)
{
    int var = vv_meta_find_var(m, m->dim[dim].name);
    return var >= 0 && is_scale_of(m, var, dim) ? var : -1;
}

/* The name without its groups. */
static const char *base_name(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

bool vv_h5_is_plain(const vv_meta *m)
{
    return m->format && !strcmp(m->format, VV_PLAIN_HDF5);
}

vv_status vv_h5_link_name(const vv_meta *m, int var, char **out)
{
    const char *name = m->var[var].name;
    int dim = vv_meta_find_dim(m, name);
    bool taken = dim >= 0 && !is_scale_of(m, var, dim) && !vv_h5_is_plain(m);
    size_t size = strlen(name) + sizeof VV_NC_NON_COORDINATE;
    VV_TRY(vv_new(out, size, 1));
    int group = (int)(base_name(name) - name);
    snprintf(*out, size, "%.*s%s%s", group, name, taken ? VV_NC_NON_COORDINATE : "", name + group);
    return VV_OK;
}

/* The groups that a name such as "/forecast/t2m" goes through, in the order of creation, as netCDF-C wants them. */
static vv_status create_groups(const vv_writer *w, const char *name)
{
    char *path;
    if (*name != '/')
        return strchr(name, '/') ? vv_fail(VV_ERR_UNSUPPORTED, "the name '%s' has a '/' but no group", name) : VV_OK;
    VV_TRY(vv_strdup(&path, name));
    vv_status status = VV_OK;
    hid_t list = H5Pcreate(H5P_GROUP_CREATE);
    H5Pset_link_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
    H5Pset_attr_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
    for (char *end = path; status == VV_OK && (end = strchr(end + 1, '/'));) {
        *end = 0;
        hid_t group = H5Lexists(w->file, path, H5P_DEFAULT) > 0
                          ? H5Gopen2(w->file, path, H5P_DEFAULT)
                          : H5Gcreate2(w->file, path, H5P_DEFAULT, list, H5P_DEFAULT);
        if (group < 0) status = vv_fail(VV_ERR_WRITE, "group %s cannot be created: %s", path, vv_h5_reason());
        if (group >= 0) H5Gclose(group);
        *end = '/';
    }
    H5Pclose(list);
    free(path);
    return status;
}

/* --- types and fill values --- */

/* Characters and strings, these as netCDF-C has them. */
hid_t vv_h5_var_type(const vv_variable *v)
{
    if (v->type != VV_NONE) return vv_h5_file_type(v->type);
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_strpad(type, H5T_STR_NULLTERM);
    if (!vv_variable_is(v, VV_STRINGS)) return type;
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
}

/* netCDF knows compound types only by name. */
static vv_status commit_complex(hid_t file, vv_dtype type, hid_t *out)
{
    const char *name = type == VV_C64 ? "_PFNC_FLOAT_COMPLEX_TYPE" : "_PFNC_DOUBLE_COMPLEX_TYPE";
    if (H5Lexists(file, name, H5P_DEFAULT) > 0) {
        *out = H5Topen2(file, name, H5P_DEFAULT);
    } else {
        *out = vv_h5_file_type(type);
        hid_t list = H5Pcreate(H5P_DATATYPE_CREATE);
        H5Pset_obj_track_times(list, false);
        vv_status status = VV_OK;
        if (H5Tcommit2(file, name, *out, H5P_DEFAULT, list, H5P_DEFAULT) < 0)
            status = vv_fail(VV_ERR_WRITE, "the complex type cannot be created: %s", vv_h5_reason());
        H5Pclose(list);
        if (status != VV_OK) H5Tclose(*out);
        return status;
    }
    return *out < 0 ? vv_fail(VV_ERR_WRITE, "the complex type cannot be opened: %s", vv_h5_reason()) : VV_OK;
}

static void fill_of(const vv_variable *v, unsigned char out[16])
{
    const vv_attr *a = vv_attr_find(&v->attrs, "_FillValue");
    memset(out, 0, 16);
    if (a && a->type == v->type && a->count > 0)
        memcpy(out, a->data, (size_t)vv_dtype_size(v->type));
    else if (a && a->type != VV_NONE && a->count > 0)
        vv_dtype_store(v->type, out, vv_dtype_load(a->type, a->data));
    else
        vv_default_fill(v->type, out);
}

/* --- layout --- */

/* Chunks of a variable along an unlimited dimension that asked for none: one record each, of 4 MiB at most. */
static void choose_chunks(const vv_meta *m, vv_variable *v)
{
    v->layout = VV_LAYOUT_CHUNKED;
    for (int d = 0; d < v->shape.nd; d++) {
        bool record = m->dim[v->dim[d]].unlimited;
        v->chunk[d] = vv_imax(1, !record ? v->shape.n[d] : v->shape.nd == 1 ? vv_imin(v->shape.n[d], 4096) : 1);
    }
    vv_grid g = {.shape.nd = v->shape.nd};
    for (;;) {
        int longest = 0;
        for (int d = 0; d < v->shape.nd; d++) {
            g.shape.n[d] = v->chunk[d];
            if (v->chunk[d] > v->chunk[longest]) longest = d;
        }
        if (vv_times(vv_shape_elements(&g.shape), 16) <= 4 << 20 || v->chunk[longest] == 1) return;
        v->chunk[longest] = vv_ceil_div(v->chunk[longest], 2);
    }
}

static vv_status settle_layout(const vv_meta *m, vv_variable *v)
{
    bool unlimited = false;
    for (int d = 0; d < v->shape.nd; d++) unlimited = unlimited || m->dim[v->dim[d]].unlimited;
    if (v->layout != VV_LAYOUT_CHUNKED) {
        v->layout = VV_LAYOUT_CONTIGUOUS;
        if (v->shuffle || v->fletcher32 || v->deflate >= 0 || v->zstd > 0)
            return vv_fail(VV_ERR_USAGE, "compression needs a chunked layout");
        if (unlimited) choose_chunks(m, v);
    }
    for (int d = 0; v->layout == VV_LAYOUT_CHUNKED && d < v->shape.nd; d++)
        if (v->chunk[d] < 1 || (v->shape.n[d] > 0 && v->chunk[d] > v->shape.n[d] && !m->dim[v->dim[d]].unlimited))
            return vv_fail(VV_ERR_SHAPE, "chunk length %lld along %s, which has %lld elements", (long long)v->chunk[d],
                           m->dim[v->dim[d]].name, (long long)v->shape.n[d]);
    return VV_OK;
}

static hid_t creation_list(void)
{
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_obj_track_times(list, false);
    H5Pset_attr_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
    return list;
}

static herr_t set_filter(hid_t list, vv_filter filter, const vv_variable *v)
{
    unsigned level = (unsigned)v->zstd;
    switch (filter) {
    case VV_FILTER_SHUFFLE: return H5Pset_shuffle(list);
    case VV_FILTER_DEFLATE: return H5Pset_deflate(list, (unsigned)v->deflate);
    case VV_FILTER_FLETCHER32: return H5Pset_fletcher32(list);
    default: return H5Pset_filter(list, VV_H5_ZSTD, H5Z_FLAG_MANDATORY, 1, &level);
    }
}

static vv_status var_creation_list(const vv_variable *v, hid_t type, hid_t *out)
{
    hid_t list = *out = creation_list();
    unsigned char fill[16];
    hsize_t chunk[VV_MAX_DIMS];
    bool ok = list >= 0;
    if (v->type != VV_NONE && vv_dtype_kind(v->type) != 'c') {
        fill_of(v, fill);
        ok = ok && H5Pset_fill_value(list, type, fill) >= 0;
    }
    if (v->layout == VV_LAYOUT_CHUNKED) {
        for (int d = 0; d < v->shape.nd; d++) chunk[d] = (hsize_t)v->chunk[d];
        ok = ok && H5Pset_chunk(list, v->shape.nd, chunk) >= 0;
        unsigned char filter[VV_MAX_FILTERS];
        int n = vv_variable_filters(v, filter);
        for (int i = 0; i < n; i++) ok = ok && set_filter(list, (vv_filter)filter[i], v) >= 0;
    } else if (!vv_variable_is(v, VV_STRINGS)) { /* which are written by HDF5 alone */
        ok = ok && H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY) >= 0 &&
             H5Pset_fill_time(list, H5D_FILL_TIME_NEVER) >= 0;
    }
    return ok ? VV_OK : vv_fail(VV_ERR_WRITE, "cannot be created: %s", vv_h5_reason());
}

static hid_t var_space(const vv_meta *m, const vv_variable *v)
{
    hsize_t n[VV_MAX_DIMS], most[VV_MAX_DIMS];
    if (v->shape.nd == 0) return H5Screate(H5S_SCALAR);
    for (int d = 0; d < v->shape.nd; d++) {
        n[d] = (hsize_t)v->shape.n[d];
        most[d] = m->dim[v->dim[d]].unlimited ? H5S_UNLIMITED : n[d];
    }
    return H5Screate_simple(v->shape.nd, n, most);
}

/* --- datasets --- */

static vv_status mark_scale(const vv_writer *w, hid_t dataset, const char *name, int dim)
{
    VV_TRY(vv_h5_attr_write_label(dataset, VV_H5_CLASS, VV_H5_DIMENSION_SCALE));
    VV_TRY(vv_h5_attr_write_label(dataset, VV_H5_NAME, name));
    if (vv_h5_is_plain(w->meta)) return VV_OK;
    return vv_h5_attr_write_int(dataset, VV_NC_DIMENSION_ID, dim);
}

/* A dimension without coordinate variable. */
static vv_status create_dim(const vv_writer *w, int dim)
{
    const vv_dim *d = &w->meta->dim[dim];
    hsize_t n = (hsize_t)d->length, most = d->unlimited ? H5S_UNLIMITED : n, one = 1;
    char name[128];
    VV_TRY(create_groups(w, d->name));
    snprintf(name, sizeof name, "%s%10lld", VV_NC_NOT_A_VARIABLE, (long long)d->length);
    hid_t list = creation_list(), space = H5Screate_simple(1, &n, &most);
    if (d->unlimited) H5Pset_chunk(list, 1, &one);
    hid_t dataset = H5Dcreate2(w->file, d->name, H5T_IEEE_F32BE, space, H5P_DEFAULT, list, H5P_DEFAULT);
    vv_status status = dataset < 0
                           ? vv_fail(VV_ERR_WRITE, "dimension %s cannot be created: %s", d->name, vv_h5_reason())
                           : mark_scale(w, dataset, name, dim);
    if (dataset >= 0) H5Dclose(dataset);
    H5Sclose(space);
    H5Pclose(list);
    return status;
}

/* _FillValue of strings is one. */
static vv_status move_string_fill(hid_t dataset, vv_variable *v)
{
    const char *text = vv_attr_text(&v->attrs, "_FillValue");
    hsize_t one = 1;
    if (!text) return VV_OK;
    hid_t type = vv_h5_var_type(v), space = H5Screate_simple(1, &one, NULL);
    hid_t attr = H5Acreate2(dataset, "_FillValue", type, space, H5P_DEFAULT, H5P_DEFAULT);
    bool good = attr >= 0 && H5Awrite(attr, type, &text) >= 0;
    if (attr >= 0) H5Aclose(attr);
    H5Sclose(space);
    H5Tclose(type);
    vv_attr_remove(&v->attrs, "_FillValue");
    return good ? VV_OK : vv_fail(VV_ERR_WRITE, "_FillValue cannot be written: %s", vv_h5_reason());
}

/* _FillValue must have the variable's own type; netCDF has no bool, which is told in xarray's way. */
static vv_status write_attrs(hid_t dataset, vv_variable *v)
{
    unsigned char fill[16];
    if (v->type != VV_NONE && vv_attr_find(&v->attrs, "_FillValue")) {
        fill_of(v, fill);
        VV_TRY(vv_attr_set(&v->attrs, "_FillValue", v->type, 1, fill));
    }
    if (v->type == VV_BOOL && !vv_attr_find(&v->attrs, "dtype")) VV_TRY(vv_attr_set_text(&v->attrs, "dtype", "bool"));
    if (vv_variable_is(v, VV_STRINGS)) VV_TRY(move_string_fill(dataset, v));
    return vv_h5_attrs_write(dataset, &v->attrs);
}

static vv_status write_var_attrs(const vv_writer *w, hid_t dataset, vv_variable *v, int dim)
{
    if (dim >= 0) {
        VV_TRY(mark_scale(w, dataset, base_name(v->name), dim));
        if (v->shape.nd > 1 && !vv_h5_is_plain(w->meta))
            VV_TRY(vv_h5_attr_write_ints(dataset, VV_NC_COORDINATES, v->shape.nd, v->dim));
    }
    return write_attrs(dataset, v);
}

/* Which dimension a variable is the scale of, -1 for none. */
static int scaled_dim(const vv_meta *m, int var)
{
    int dim = vv_meta_find_dim(m, m->var[var].name);
    return dim >= 0 && is_scale_of(m, var, dim) ? dim : -1;
}

static vv_status create_with(const vv_writer *w, int var, hid_t type, hid_t list)
{
    vv_variable *v = &w->meta->var[var];
    char *name;
    VV_TRY(vv_h5_link_name(w->meta, var, &name));
    hid_t space = var_space(w->meta, v);
    hid_t dataset = H5Dcreate2(w->file, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    vv_status status = dataset < 0 ? vv_fail(VV_ERR_WRITE, "cannot be created: %s", vv_h5_reason())
                                   : write_var_attrs(w, dataset, v, scaled_dim(w->meta, var));
    if (dataset >= 0) H5Dclose(dataset);
    H5Sclose(space);
    free(name);
    return status;
}

static vv_status create_dataset(const vv_writer *w, int var, hid_t type)
{
    hid_t list;
    vv_status status = var_creation_list(&w->meta->var[var], type, &list);
    if (status == VV_OK) status = create_with(w, var, type, list);
    if (list >= 0) H5Pclose(list);
    return status;
}

static vv_status create_var(const vv_writer *w, int var)
{
    vv_variable *v = &w->meta->var[var];
    hid_t type = -1;
    VV_TRY(create_groups(w, v->name));
    if (v->type == VV_NONE && !vv_variable_is(v, VV_CHARS) && !vv_variable_is(v, VV_STRINGS))
        return vv_fail(VV_ERR_UNSUPPORTED, "elements of type %s cannot be written", v->type_text);
    VV_TRY(settle_layout(w->meta, v));
    if (vv_dtype_kind(v->type) == 'c' && !vv_h5_is_plain(w->meta))
        VV_TRY(commit_complex(w->file, v->type, &type));
    else
        type = vv_h5_var_type(v);
    vv_status status = create_dataset(w, var, type);
    H5Tclose(type);
    return status;
}

/* --- who uses which scale --- */

static vv_status reference(hid_t file, const char *name, hobj_ref_t *out)
{
    if (H5Rcreate(out, file, name, H5R_OBJECT, -1) >= 0) return VV_OK;
    return vv_fail(VV_ERR_WRITE, "%s cannot be referred to: %s", name, vv_h5_reason());
}

static vv_status write_list(hid_t dataset, const char *name, hid_t stored, hid_t memory, int n, const void *data)
{
    hsize_t count = (hsize_t)n;
    hid_t space = H5Screate_simple(1, &count, NULL);
    hid_t attr = H5Acreate2(dataset, name, stored, space, H5P_DEFAULT, H5P_DEFAULT);
    vv_status status = attr < 0 || H5Awrite(attr, memory, data) < 0
                           ? vv_fail(VV_ERR_WRITE, "%s cannot be written: %s", name, vv_h5_reason())
                           : VV_OK;
    if (attr >= 0) H5Aclose(attr);
    H5Sclose(space);
    return status;
}

static vv_status write_dimension_list(hid_t dataset, const vv_variable *v, scale *scales)
{
    hvl_t list[VV_MAX_DIMS];
    for (int d = 0; d < v->shape.nd; d++)
        list[d] = (hvl_t){.len = scales[v->dim[d]].self ? 1 : 0, .p = &scales[v->dim[d]].self};
    hid_t type = H5Tvlen_create(H5T_STD_REF_OBJ);
    vv_status status = write_list(dataset, VV_H5_DIMENSION_LIST, type, type, v->shape.nd, list);
    H5Tclose(type);
    return status;
}

/* Names of the dimensions, where no scale tells them. */
static vv_status write_labels(hid_t dataset, const vv_meta *m, const vv_variable *v)
{
    const char *label[VV_MAX_DIMS];
    for (int d = 0; d < v->shape.nd; d++) label[d] = base_name(m->dim[v->dim[d]].name);
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    vv_status status = write_list(dataset, VV_H5_DIMENSION_LABELS, type, type, v->shape.nd, label);
    H5Tclose(type);
    return status;
}

static vv_status add_user(scale *s, hobj_ref_t dataset, int dimension)
{
    VV_TRY(vv_grow(&s->user, s->n_users, sizeof *s->user, "users of a dimension"));
    memset(&s->user[s->n_users], 0, sizeof *s->user);
    s->user[s->n_users].dataset = dataset;
    s->user[s->n_users++].dimension = (unsigned)dimension;
    return VV_OK;
}

static vv_status connect_var(const vv_writer *w, int var, scale *scales)
{
    const vv_variable *v = &w->meta->var[var];
    char *name;
    hobj_ref_t self = 0;
    if (v->shape.nd == 0 || scales[v->dim[0]].var == var) return VV_OK;
    VV_TRY(vv_h5_link_name(w->meta, var, &name));
    vv_status status = reference(w->file, name, &self);
    for (int d = 0; d < v->shape.nd && status == VV_OK; d++)
        if (scales[v->dim[d]].self) status = add_user(&scales[v->dim[d]], self, d);
    hid_t dataset = H5Dopen2(w->file, name, H5P_DEFAULT);
    free(name);
    if (status == VV_OK) status = write_dimension_list(dataset, v, scales);
    if (status == VV_OK && vv_h5_is_plain(w->meta)) status = write_labels(dataset, w->meta, v);
    H5Dclose(dataset);
    return status;
}

static vv_status write_users(const vv_writer *w, int dim, const scale *s)
{
    if (s->n_users == 0) return VV_OK;
    hid_t memory = H5Tcreate(H5T_COMPOUND, sizeof(user));
    H5Tinsert(memory, "dataset", HOFFSET(user, dataset), H5T_STD_REF_OBJ);
    H5Tinsert(memory, "dimension", HOFFSET(user, dimension), H5T_NATIVE_UINT);
    hid_t dataset = H5Dopen2(w->file, w->meta->dim[dim].name, H5P_DEFAULT);
    vv_status status = write_list(dataset, VV_H5_REFERENCE_LIST, memory, memory, s->n_users, s->user);
    H5Dclose(dataset);
    H5Tclose(memory);
    return status;
}

static vv_status connect_all(const vv_writer *w, scale *scales)
{
    const vv_meta *m = w->meta;
    for (int d = 0; d < m->n_dims; d++) {
        scales[d].var = scale_var(m, d);
        if (scales[d].var >= 0 || !vv_h5_is_plain(m)) VV_TRY(reference(w->file, m->dim[d].name, &scales[d].self));
    }
    for (int i = 0; i < m->n_vars; i++) VV_TRY(connect_var(w, i, scales));
    for (int d = 0; d < m->n_dims; d++) VV_TRY(write_users(w, d, &scales[d]));
    return VV_OK;
}

static vv_status connect(const vv_writer *w)
{
    scale *scales;
    VV_TRY(vv_new(&scales, (size_t)w->meta->n_dims, sizeof *scales));
    vv_status status = connect_all(w, scales);
    for (int d = 0; d < w->meta->n_dims; d++) free(scales[d].user);
    free(scales);
    return status;
}

static vv_status write_root(const vv_writer *w)
{
    unsigned major = 0, minor = 0, release = 0;
    char properties[64];
    H5get_libversion(&major, &minor, &release);
    snprintf(properties, sizeof properties, "version=2,varve=1,hdf5=%u.%u.%u", major, minor, release);
    hid_t root = H5Gopen2(w->file, "/", H5P_DEFAULT);
    vv_status status = vv_h5_is_plain(w->meta) ? VV_OK : vv_h5_attr_write_text(root, VV_NC_PROPERTIES, properties);
    if (status == VV_OK) status = vv_h5_attrs_write(root, &w->meta->attrs);
    H5Gclose(root);
    return status;
}

vv_status vv_h5_define(vv_writer *w)
{
    const vv_meta *m = w->meta;
    VV_TRY(write_root(w));
    for (int d = 0; d < m->n_dims; d++)
        if (scale_var(m, d) < 0 && !vv_h5_is_plain(m)) VV_TRY(create_dim(w, d));
    for (int i = 0; i < m->n_vars; i++)
        if (create_var(w, i) != VV_OK) return vv_error_prefix("variable %s", m->var[i].name);
    return connect(w);
}
