/* An open HDF5 file, as the parts of the reader share it. */
#ifndef VV_STORAGE_HDF5_FILE_H
#define VV_STORAGE_HDF5_FILE_H

#include "storage/hdf5/record.h"

typedef struct vv_h5_file {
    vv_h5_record record;
    hid_t file;
    char **path; /* of each variable inside the file, as in meta->var */
    int n_paths;
    int open_var; /* the variable whose dataset is open, -1 for none: calls on one variable come in runs */
    hid_t dataset;
} vv_h5_file;

/* Fills f->meta and the handle's paths. */
VV_WARN_UNUSED vv_status vv_h5_meta_read(vv_file *f);
/* Layout, filters, fill value and size of a stored dataset into v, whose type and shape are set. */
VV_WARN_UNUSED vv_status vv_h5_storage_read(hid_t dataset, const hsize_t extent[], bool exact, vv_variable *v);

/* The dataset of a variable, open until another one is asked for or the file is closed. */
VV_WARN_UNUSED vv_status vv_h5_dataset(vv_file *f, int var, hid_t *out);
VV_WARN_UNUSED vv_status vv_h5_index(vv_file *f, int var, vv_index n, const vv_index *chunks, vv_chunk_at *out);

/* The part of a box that a dataset really has; it may be shorter than its unlimited dimension. Reads it to its place among elements of all of the box. */
vv_box vv_h5_existing(hid_t space, const vv_box *box);
VV_WARN_UNUSED vv_status vv_h5_transfer(vv_h5_record *r, hid_t dataset, hid_t memory, hid_t space, const vv_box *part,
                                        const vv_box *box, void *out);
/* hdf5_text.c: vv_format.text */
VV_WARN_UNUSED vv_status vv_h5_text(vv_file *f, int var, vv_buf *out);

#endif
