/* The second way to write: all ranks open the file through MPI-IO and hand their values to parallel HDF5, which does the rest - filters, places, bytes.
 *
 * The file is made by the writer of writer.c, with the same header; then nobody has it open, and the ranks open it together. Every call is one of HDF5's
 * collective ones: a rank that has nothing to write takes part with nothing selected. A rank that fails inside of a call, or stays away from one, may leave
 * the others in it for ever; so the caller sees to it that all come, and whatever fails here ends the whole job.
 *
 * A process alone has no communicator and uses HDF5's serial calls, in the same order.
 *
 * MPI is known here by what HDF5's own header says of it: a communicator is handed on, nothing else. */
#include "base/mem.h"
#include "storage/hdf5/record.h"

#include <stdlib.h>

struct vv_collective {
    const char *path; /* borrowed */
    vv_h5_record record;
    hid_t file, transfer;
    vv_bytes object; /* the variable that is open */
    hid_t dataset;
};

static hid_t access_list(vv_collective *c, void *communicator)
{
    if (!communicator) return vv_h5_record_fapl(c->path, &c->record);
#ifdef H5_HAVE_PARALLEL
    hid_t list = H5Pcreate(H5P_FILE_ACCESS);
    bool good = H5Pset_fapl_mpio(list, *(MPI_Comm *)communicator, MPI_INFO_NULL) >= 0 &&
                H5Pset_coll_metadata_write(list, true) >= 0 && H5Pset_all_coll_metadata_ops(list, true) >= 0 &&
                H5Pset_cache(list, 0, 521, 0, 0.75) >= 0;
    if (good) return list;
    H5Pclose(list);
#endif
    return -1;
}

static hid_t transfer_list(bool together)
{
    hid_t list = H5Pcreate(H5P_DATASET_XFER);
#ifdef H5_HAVE_PARALLEL
    if (together) H5Pset_dxpl_mpio(list, H5FD_MPIO_COLLECTIVE);
#else
    (void)together;
#endif
    return list;
}

bool vv_collective_possible(void)
{
#ifdef H5_HAVE_PARALLEL
    return true;
#else
    return false;
#endif
}

static vv_status open_file(vv_collective *c, void *communicator, unsigned how)
{
    hid_t list = access_list(c, communicator);
    if (list < 0) return vv_fail(VV_ERR_RUN, "HDF5 refuses MPI's files: %s", vv_h5_reason());
    H5Pset_libver_bounds(list, H5F_LIBVER_V18, H5F_LIBVER_V18);
    c->file = H5Fopen(c->path, how, list);
    H5Pclose(list);
    if (c->file >= 0) return VV_OK;
    return vv_fail(VV_ERR_WRITE, "%s: cannot be opened by all ranks: %s", c->path, vv_h5_reason());
}

static vv_status make(const char *path, void *communicator, unsigned how, vv_collective **out)
{
    *out = NULL;
    VV_TRY(vv_h5_setup());
    VV_TRY(vv_new(out, 1, sizeof **out));
    **out = (vv_collective){.path = path, .file = -1, .dataset = -1, .transfer = transfer_list(communicator != NULL)};
    vv_status status = open_file(*out, communicator, how);
    if (status == VV_OK) return VV_OK;
    H5Pclose((*out)->transfer);
    free(*out);
    *out = NULL;
    return status;
}

vv_status vv_collective_open(const char *path, void *communicator, vv_collective **out)
{
    return make(path, communicator, H5F_ACC_RDWR, out);
}

vv_status vv_collective_look(const char *path, vv_collective **out)
{
    return make(path, NULL, H5F_ACC_RDONLY, out);
}

static vv_status open_dataset(vv_collective *c, vv_bytes object)
{
    if (c->dataset >= 0 && c->object == object) return VV_OK;
    if (c->dataset >= 0 && H5Dclose(c->dataset) < 0)
        return vv_fail(VV_ERR_WRITE, "%s: a variable cannot be closed: %s", c->path, vv_h5_reason());
    c->dataset = H5Oopen_by_addr(c->file, (haddr_t)object);
    c->object = object;
    if (c->dataset >= 0) return VV_OK;
    return vv_fail(VV_ERR_WRITE, "%s: a variable cannot be opened: %s", c->path, vv_h5_reason());
}

/* The box in the file, and as it lies in memory. */
static bool select_box(hid_t file, const vv_box *box, hid_t *memory)
{
    hsize_t lo[VV_MAX_DIMS], n[VV_MAX_DIMS];
    for (int d = 0; box && d < box->nd; d++) {
        lo[d] = (hsize_t)box->lo[d];
        n[d] = (hsize_t)box->n[d];
    }
    *memory = box && box->nd > 0 ? H5Screate_simple(box->nd, n, NULL) : H5Screate(H5S_SCALAR);
    if (!box) return H5Sselect_none(file) >= 0 && H5Sselect_none(*memory) >= 0;
    return box->nd == 0 || H5Sselect_hyperslab(file, H5S_SELECT_SET, lo, NULL, n, NULL) >= 0;
}

vv_status vv_collective_write(vv_collective *c, vv_bytes object, const vv_box *box, const void *data)
{
    static const char nothing = 0;
    VV_TRY(open_dataset(c, object));
    hid_t type = H5Dget_type(c->dataset), file = H5Dget_space(c->dataset), memory = -1;
    bool good = select_box(file, box, &memory) &&
                H5Dwrite(c->dataset, type, memory, file, c->transfer, box ? data : &nothing) >= 0;
    vv_status status =
        good ? VV_OK : vv_fail(VV_ERR_WRITE, "%s: HDF5's collective call failed: %s", c->path, vv_h5_reason());
    H5Sclose(memory);
    H5Sclose(file);
    H5Tclose(type);
    if (status != VV_OK || c->record.error.code == VV_OK) return status;
    vv_error_set(&c->record.error);
    return c->record.error.code;
}

vv_status vv_collective_read(vv_collective *c, vv_bytes object, const vv_box *box, void *data)
{
    VV_TRY(open_dataset(c, object));
    hid_t type = H5Dget_type(c->dataset), file = H5Dget_space(c->dataset), memory = -1;
    bool good = select_box(file, box, &memory) && H5Dread(c->dataset, type, memory, file, H5P_DEFAULT, data) >= 0;
    vv_status status = good ? VV_OK : vv_fail(VV_ERR_WRITE, "%s: cannot be read back: %s", c->path, vv_h5_reason());
    H5Sclose(memory);
    H5Sclose(file);
    H5Tclose(type);
    return status;
}

vv_status vv_collective_close(vv_collective **collective)
{
    vv_collective *c = *collective;
    if (!c) return VV_OK;
    bool good = c->dataset < 0 || H5Dclose(c->dataset) >= 0;
    good = H5Fclose(c->file) >= 0 && good;
    vv_status status =
        good ? VV_OK : vv_fail(VV_ERR_WRITE, "%s: cannot be closed by all ranks: %s", c->path, vv_h5_reason());
    if (status == VV_OK && c->record.error.code != VV_OK) {
        vv_error_set(&c->record.error);
        status = c->record.error.code;
    }
    H5Pclose(c->transfer);
    free(c);
    *collective = NULL;
    return status;
}
