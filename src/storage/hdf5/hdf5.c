/* NetCDF-4 and HDF5 files.
 *
 * One open file serves everything: metadata once at opening (hdf5_scan.c, hdf5_meta.c, hdf5_storage.c), the chunk index through a driver that takes
 * notes (hdf5_index.c), and HDF5's own reading of boxes for what is stored in a way that Varve does not decode itself. HDF5's caches
 * are kept small, as the memory of a process is counted. */
#include "base/fault.h"
#include "base/mem.h"
#include "storage/hdf5/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool probe(const char *path, const unsigned char *head, size_t n)
{
    static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    (void)path;
    for (size_t at = 0; at + sizeof signature <= n; at = at ? 2 * at : 512)
        if (!memcmp(head + at, signature, sizeof signature)) return true;
    return false;
}

static vv_status explain_open(const vv_h5_record *r)
{
    const char *why = vv_h5_reason();
    const char *stored = strstr(why, "stored_eof = ");
    long long size;
    if (strstr(why, "truncated file") && stored && sscanf(stored, "stored_eof = %lld", &size) == 1)
        return vv_fail(VV_ERR_FORMAT, "the file is truncated: %lld bytes of %lld", (long long)r->file_size, size);
    return vv_fail(VV_ERR_FORMAT, "the HDF5 file is damaged or of an unknown version: %s", why);
}

static vv_status open_hdf5(vv_file *f, vv_h5_file *h)
{
    hid_t fapl = vv_h5_record_fapl(f->path, &h->record);
    if (fapl < 0) return vv_fail(VV_ERR_RUN, "HDF5 refuses the file driver: %s", vv_h5_reason());
    h->file = H5Fopen(f->path, H5F_ACC_RDONLY, fapl);
    vv_status status = h->file < 0 ? explain_open(&h->record) : VV_OK;
    H5Pclose(fapl);
    return status;
}

static void close_hdf5(vv_file *f)
{
    vv_h5_file *h = f->handle;
    if (!h) return;
    if (h->dataset >= 0) H5Dclose(h->dataset);
    if (h->file >= 0) H5Fclose(h->file);
    for (int i = 0; i < h->n_paths; i++) free(h->path[i]);
    free(h->path);
    free(h);
    f->handle = NULL;
}

static vv_status open_file(vv_file *f)
{
    vv_h5_file *h;
    VV_TRY(vv_h5_setup());
    VV_TRY(vv_new(&h, 1, sizeof *h));
    f->handle = h;
    h->file = h->dataset = -1;
    h->open_var = -1;
    vv_status status = open_hdf5(f, h);
    if (status == VV_OK) status = vv_h5_meta_read(f);
    return status == VV_OK ? VV_OK : vv_error_prefix("%s", f->path);
}

vv_status vv_h5_dataset(vv_file *f, int var, hid_t *out)
{
    vv_h5_file *h = f->handle;
    if (h->open_var != var) {
        if (h->dataset >= 0) H5Dclose(h->dataset);
        h->dataset = H5Dopen2(h->file, h->path[var], H5P_DEFAULT);
        h->open_var = h->dataset < 0 ? -1 : var;
    }
    *out = h->dataset;
    return h->dataset < 0 ? vv_fail(VV_ERR_READ, "cannot be opened again: %s", vv_h5_reason()) : VV_OK;
}

static vv_status offset(vv_file *f, int var, vv_bytes *address)
{
    hid_t dataset;
    if (f->meta->var[var].layout != VV_LAYOUT_CONTIGUOUS)
        return vv_fail(VV_ERR_INTERNAL, "%s: %s is not contiguous", f->path, f->meta->var[var].name);
    if (vv_h5_dataset(f, var, &dataset) != VV_OK) return vv_error_prefix("%s: %s", f->path, f->meta->var[var].name);
    haddr_t at = H5Dget_offset(dataset);
    *address = at == HADDR_UNDEF ? -1 : (vv_bytes)at;
    return VV_OK;
}

/* --- reading a box through HDF5 --- */

static void fill_all(const vv_variable *v, vv_index n, void *out)
{
    size_t size = (size_t)vv_variable_element(v);
    for (vv_index i = 0; i < n; i++) memcpy((char *)out + (size_t)i * size, v->fill, size);
}

vv_box vv_h5_existing(hid_t space, const vv_box *box)
{
    hsize_t extent[VV_MAX_DIMS];
    vv_box whole = {.nd = box->nd}, part;
    H5Sget_simple_extent_dims(space, extent, NULL);
    for (int d = 0; d < box->nd; d++) whole.n[d] = (vv_index)extent[d];
    vv_box_intersect(&whole, box, &part);
    return part;
}

/* Why HDF5 gave no data: a filter that is not there says so badly. */
static vv_status explain_read(const vv_h5_record *r, hid_t dataset)
{
    char why[160], name[80], text[96];
    unsigned flags, config;
    snprintf(why, sizeof why, "%s", vv_h5_reason());
    hid_t list = H5Dget_create_plist(dataset);
    int missing = -1, n = H5Pget_layout(list) == H5D_CHUNKED ? H5Pget_nfilters(list) : 0;
    for (int i = 0; i < n; i++) {
        size_t none = 0;
        H5Z_filter_t id = H5Pget_filter2(list, (unsigned)i, &flags, &none, NULL, sizeof name, name, &config);
        if (H5Zfilter_avail(id) > 0) continue;
        missing = id;
        vv_h5_filter_text(id, name, text, sizeof text);
    }
    H5Pclose(list);
    if (missing < 0) return vv_fail(r->read_failed ? VV_ERR_READ : VV_ERR_CORRUPT, "HDF5 cannot read it: %s", why);
    return vv_fail(VV_ERR_UNSUPPORTED,
                   "HDF5 has no filter %s (number %d): install its plug-in and set HDF5_PLUGIN_PATH to its directory",
                   text, missing);
}

vv_status vv_h5_transfer(vv_h5_record *r, hid_t dataset, hid_t memory, hid_t space, const vv_box *part,
                         const vv_box *box, void *out)
{
    hsize_t lo[VV_MAX_DIMS], at[VV_MAX_DIMS], n[VV_MAX_DIMS], whole[VV_MAX_DIMS];
    for (int d = 0; d < box->nd; d++) {
        lo[d] = (hsize_t)part->lo[d];
        n[d] = (hsize_t)part->n[d];
        at[d] = (hsize_t)(part->lo[d] - box->lo[d]);
        whole[d] = (hsize_t)box->n[d];
    }
    r->read_failed = false;
    hid_t target = box->nd ? H5Screate_simple(box->nd, whole, NULL) : H5Screate(H5S_SCALAR);
    bool ok = target >= 0 && (!box->nd || (H5Sselect_hyperslab(space, H5S_SELECT_SET, lo, NULL, n, NULL) >= 0 &&
                                           H5Sselect_hyperslab(target, H5S_SELECT_SET, at, NULL, n, NULL) >= 0));
    ok = ok && H5Dread(dataset, memory, target, space, H5P_DEFAULT, out) >= 0;
    vv_status status = ok ? VV_OK : explain_read(r, dataset);
    H5Sclose(target);
    return status;
}

static hid_t open_memory_type(hid_t dataset)
{
    hid_t stored = H5Dget_type(dataset);
    vv_h5_type type;
    vv_h5_describe_type(stored, &type);
    hid_t memory = vv_h5_memory_type(stored, &type);
    H5Tclose(stored);
    return memory;
}

static vv_status read_box(vv_file *f, int var, const vv_box *box, void *out)
{
    const vv_variable *v = &f->meta->var[var];
    hid_t dataset;
    VV_TRY(vv_h5_dataset(f, var, &dataset));
    hid_t memory = open_memory_type(dataset);
    if (memory < 0) return vv_fail(VV_ERR_UNSUPPORTED, "elements of type %s cannot be read", v->type_text);
    hid_t space = H5Dget_space(dataset);
    vv_box part = vv_h5_existing(space, box);
    if (vv_box_elements(&part) < vv_box_elements(box)) fill_all(v, vv_box_elements(box), out);
    vv_status status = vv_box_elements(&part) > 0
                           ? vv_h5_transfer(&((vv_h5_file *)f->handle)->record, dataset, memory, space, &part, box, out)
                           : VV_OK;
    H5Sclose(space);
    H5Tclose(memory);
    return status;
}

static vv_status read_file(vv_file *f, int var, const vv_box *box, void *out)
{
    VV_TRY(vv_fault(VV_FAULT_READ_CHUNK));
    return read_box(f, var, box, out);
}

const vv_format vv_format_hdf5 = {
    .name = "hdf5",
    .help = "NetCDF-4 and HDF5 files",
    .probe = probe,
    .open = open_file,
    .close = close_hdf5,
    .offset = offset,
    .index = vv_h5_index,
    .read = read_file,
    .text = vv_h5_text,
    .apart = true,
};
