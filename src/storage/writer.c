/* Writing NetCDF-4 with one process in charge of HDF5 and all ranks writing bytes.
 *
 * The coordinator keeps the file open through the driver of hdf5_record.h. Contiguous variables have their space from the start. For chunks, place()
 * lets HDF5 reserve space and enter them in its index while the driver drops the bytes; the ranks that have them pwrite them to the
 * addresses. HDF5 itself never touches raw data that it did not get through put(), and at closing cuts the file at the end of what it has
 * reserved, so nothing that others wrote is lost, whether they wrote before or after. */
#include "base/fault.h"
#include "base/mem.h"
#include "storage/hdf5/define.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Every call ends here: a write that the driver could not do counts as the call's failure. */
static vv_status finish(vv_writer *w, vv_status status)
{
    if (status == VV_OK && w->record.error.code != VV_OK) {
        vv_error_set(&w->record.error);
        status = w->record.error.code;
    }
    if (status != VV_OK) w->failed = true;
    return status;
}

static vv_status copy_meta(const vv_meta *from, vv_meta **out)
{
    vv_buf packed = {0};
    vv_meta_pack(from, &packed);
    vv_status status = vv_buf_status(&packed);
    vv_reader r = {.data = packed.data, .size = packed.size};
    if (status == VV_OK) status = vv_meta_unpack(out, &r);
    vv_buf_free(&packed);
    return status;
}

static hid_t creation_list(void)
{
    hid_t list = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_obj_track_times(list, false);
    H5Pset_link_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
    H5Pset_attr_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
    return list;
}

static vv_status not_opened(const vv_writer *w, const char *what)
{
    const char *reason = vv_h5_reason();
    errno = w->record.open_errno;
    return errno ? vv_fail_errno(VV_ERR_WRITE, "cannot %s %s", what, w->path)
                 : vv_fail(VV_ERR_WRITE, "cannot %s %s: %s", what, w->path, reason);
}

static vv_status create_file(vv_writer *w)
{
    hid_t fapl = vv_h5_record_fapl(w->path, &w->record);
    if (fapl < 0) return vv_fail(VV_ERR_RUN, "HDF5 refuses the file driver: %s", vv_h5_reason());
    H5Pset_libver_bounds(fapl, H5F_LIBVER_V18, H5F_LIBVER_V18);
    hid_t fcpl = creation_list();
    w->file = H5Fcreate(w->path, H5F_ACC_TRUNC, fcpl, fapl);
    vv_status status = w->file < 0 ? not_opened(w, "create") : VV_OK;
    H5Pclose(fcpl);
    H5Pclose(fapl);
    return status;
}

static vv_status open_file(vv_writer *w)
{
    hid_t fapl = vv_h5_record_fapl(w->path, &w->record);
    if (fapl < 0) return vv_fail(VV_ERR_RUN, "HDF5 refuses the file driver: %s", vv_h5_reason());
    w->file = H5Fopen(w->path, H5F_ACC_RDWR, fapl);
    vv_status status = w->file < 0 ? not_opened(w, "open") : VV_OK;
    H5Pclose(fapl);
    return status;
}

/* Growth NULL: a new file. */
static vv_status fill_file(vv_writer *w, const char *path, const vv_meta *meta, const vv_growth *growth,
                           const char *history)
{
    VV_TRY(vv_strdup(&w->path, path));
    VV_TRY(copy_meta(meta, &w->meta));
    w->grows = growth != NULL;
    if (growth) w->growth = *growth;
    VV_TRY(growth ? open_file(w) : create_file(w));
    vv_status status = growth ? vv_h5_grow(w, history) : vv_h5_define(w);
    if (status != VV_OK) status = vv_error_prefix("%s", path);
    return finish(w, status);
}

static vv_status new_writer(const char *path, const vv_meta *meta, const vv_growth *growth, const char *history,
                            vv_writer **out)
{
    *out = NULL;
    VV_TRY(vv_fault(VV_FAULT_CREATE_OUTPUT));
    VV_TRY(vv_h5_setup());
    VV_TRY(vv_new(out, 1, sizeof **out));
    (*out)->file = -1;
    vv_status status = fill_file(*out, path, meta, growth, history);
    if (status == VV_OK) return VV_OK;
    (*out)->failed = true;
    (void)!vv_writer_close(out);
    return status;
}

vv_status vv_writer_create(const char *path, const vv_meta *meta, vv_writer **out)
{
    return new_writer(path, meta, NULL, NULL, out);
}

vv_status vv_writer_append(const char *path, const vv_meta *meta, const vv_growth *g, const char *history,
                           vv_writer **out)
{
    return new_writer(path, meta, g, history, out);
}

vv_status vv_h5_open_dataset(const vv_writer *w, int var, hid_t *out)
{
    char *name;
    VV_TRY(vv_h5_link_name(w->meta, var, &name));
    *out = H5Dopen2(w->file, name, H5P_DEFAULT);
    free(name);
    return *out < 0 ? vv_fail(VV_ERR_WRITE, "cannot be opened: %s", vv_h5_reason()) : VV_OK;
}

/* --- whole variables --- */

static vv_status put(vv_writer *w, int var, const void *data)
{
    const vv_variable *v = &w->meta->var[var];
    hid_t dataset;
    VV_TRY(vv_fault(VV_FAULT_WRITE));
    VV_TRY(vv_h5_open_dataset(w, var, &dataset));
    hid_t type = vv_h5_var_type(v);
    vv_status status = VV_OK;
    if (w->grows)
        status = vv_h5_put_grown(w, var, dataset, type, data);
    else if (vv_shape_elements(&v->shape) > 0 && H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
        status = vv_fail(VV_ERR_WRITE, "cannot be written: %s", vv_h5_reason());
    H5Tclose(type);
    if (H5Dclose(dataset) < 0 && status == VV_OK)
        status = vv_fail(VV_ERR_WRITE, "cannot be written: %s", vv_h5_reason());
    return status;
}

vv_status vv_writer_put(vv_writer *w, int var, const void *data)
{
    vv_status status = put(w, var, data);
    if (status != VV_OK) status = vv_error_prefix("%s: %s", w->path, w->meta->var[var].name);
    return finish(w, status);
}

vv_status vv_writer_offset(vv_writer *w, int var, vv_bytes *address)
{
    const vv_variable *v = &w->meta->var[var];
    hid_t dataset;
    if (v->layout != VV_LAYOUT_CONTIGUOUS)
        return finish(w, vv_fail(VV_ERR_INTERNAL, "%s: %s is stored in chunks", w->path, v->name));
    if (vv_h5_open_dataset(w, var, &dataset) != VV_OK) return finish(w, vv_error_prefix("%s: %s", w->path, v->name));
    haddr_t at = H5Dget_offset(dataset);
    H5Dclose(dataset);
    *address = at == HADDR_UNDEF ? -1 : (vv_bytes)at;
    if (*address < 0 && vv_shape_elements(&v->shape) > 0)
        return finish(w, vv_fail(VV_ERR_WRITE, "%s: %s has no place in the file", w->path, v->name));
    return VV_OK;
}

/* --- placing chunks --- */

/* The chunks that are numbered, and where the first of them begins. */
static void numbered_grid(const vv_writer *w, const vv_variable *v, vv_grid *g, vv_index first[])
{
    int dim = w->grows ? vv_growth_dim(&w->growth, w->meta, v) : -1;
    vv_index kept;
    *g = (vv_grid){.shape = v->shape};
    memcpy(g->chunk, v->chunk, sizeof v->chunk);
    memset(first, 0, sizeof *first * VV_MAX_DIMS);
    if (dim < 0) return;
    vv_growth_grid(&w->growth, v, dim, g, &kept);
    first[dim] = w->growth.old - kept;
}

static vv_status place_one(vv_writer *w, hid_t dataset, const vv_grid *g, const vv_index first[], vv_index chunk,
                           uint32_t size, uint32_t mask, vv_bytes *address)
{
    vv_box box;
    hsize_t offset[VV_MAX_DIMS];
    vv_grid_box(g, chunk, &box);
    for (int d = 0; d < box.nd; d++) offset[d] = (hsize_t)(box.lo[d] + first[d]);
    w->record.address = -1;
    if (H5Dwrite_chunk(dataset, H5P_DEFAULT, mask, offset, size, w->record.token) < 0 || w->record.address < 0)
        return vv_fail(VV_ERR_WRITE, "chunk %lld of %u bytes cannot be placed: %s", (long long)chunk, size,
                       vv_h5_reason());
    *address = w->record.address;
    return VV_OK;
}

static vv_status place(vv_writer *w, int var, vv_index n, const vv_index *chunks, const uint32_t *sizes,
                       const uint32_t *masks, vv_bytes *address)
{
    const vv_variable *v = &w->meta->var[var];
    vv_grid g;
    vv_index first[VV_MAX_DIMS];
    hid_t dataset;
    VV_TRY(vv_fault(VV_FAULT_PLACE));
    if (v->layout != VV_LAYOUT_CHUNKED) return vv_fail(VV_ERR_INTERNAL, "not stored in chunks");
    numbered_grid(w, v, &g, first);
    VV_TRY(vv_h5_open_dataset(w, var, &dataset));
    vv_status status = VV_OK;
    for (vv_index i = 0; i < n && status == VV_OK; i++)
        status = place_one(w, dataset, &g, first, chunks[i], sizes[i], masks ? masks[i] : 0, &address[i]);
    H5Dclose(dataset);
    return status;
}

vv_status vv_writer_place(vv_writer *w, int var, vv_index n, const vv_index *chunks, const uint32_t *sizes,
                          const uint32_t *masks, vv_bytes *address)
{
    vv_status status = place(w, var, n, chunks, sizes, masks, address);
    if (status != VV_OK) status = vv_error_prefix("%s: %s", w->path, w->meta->var[var].name);
    return finish(w, status);
}

/* --- others write --- */

vv_status vv_writer_object(vv_writer *w, int var, vv_bytes *object)
{
    hid_t dataset;
    H5O_info_t info;
    vv_status status = vv_h5_open_dataset(w, var, &dataset);
    if (status == VV_OK) {
        if (H5Oget_info(dataset, &info) < 0) status = vv_fail(VV_ERR_WRITE, "cannot be found: %s", vv_h5_reason());
        H5Dclose(dataset);
    }
    if (status != VV_OK) return finish(w, vv_error_prefix("%s: %s", w->path, w->meta->var[var].name));
    *object = (vv_bytes)info.addr;
    return VV_OK;
}

vv_status vv_writer_let_go(vv_writer *w)
{
    herr_t closed = H5Fclose(w->file);
    w->file = -1;
    if (closed < 0) return finish(w, vv_fail(VV_ERR_WRITE, "%s: cannot be closed: %s", w->path, vv_h5_reason()));
    return finish(w, VV_OK);
}

vv_status vv_writer_take_back(vv_writer *w)
{
    hid_t fapl = vv_h5_record_fapl(w->path, &w->record);
    if (fapl < 0)
        return finish(w, vv_fail(VV_ERR_RUN, "%s: HDF5 refuses the file driver: %s", w->path, vv_h5_reason()));
    H5Pset_libver_bounds(fapl, H5F_LIBVER_V18, H5F_LIBVER_V18);
    w->file = H5Fopen(w->path, H5F_ACC_RDWR, fapl);
    H5Pclose(fapl);
    if (w->file >= 0) return VV_OK;
    return finish(w, vv_fail(VV_ERR_WRITE, "%s: cannot be opened again: %s", w->path, vv_h5_reason()));
}

/* --- the end --- */

/* After a failure the record of that failure must survive what goes wrong while closing. */
static vv_status close_file(vv_writer *w)
{
    vv_failure first;
    vv_error_get(&first);
    bool failed = w->file >= 0 && H5Fclose(w->file) < 0;
    if (w->failed) {
        vv_error_set(&first);
        return VV_OK;
    }
    if (failed) return vv_fail(VV_ERR_WRITE, "%s: cannot be closed: %s", w->path, vv_h5_reason());
    return finish(w, VV_OK);
}

vv_status vv_writer_close(vv_writer **writer)
{
    vv_writer *w = *writer;
    if (!w) return VV_OK;
    vv_status status = close_file(w);
    vv_meta_free(&w->meta);
    free(w->path);
    free(w);
    *writer = NULL;
    return status;
}

vv_bytes vv_writer_reserve(void)
{
    enum { HDF5_ITSELF = 4 << 20 };
    return vv_h5_started() ? 0 : HDF5_ITSELF;
}
