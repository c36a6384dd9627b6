/* A NetCDF-4 file in the making, as the parts of the writer share it. */
#ifndef VV_STORAGE_HDF5_DEFINE_H
#define VV_STORAGE_HDF5_DEFINE_H

#include "storage/hdf5/record.h"
#include "storage/storage.h"

struct vv_writer {
    char *path;
    vv_meta *meta; /* own copy, with the layouts that were chosen */
    vv_h5_record record;
    hid_t file;
    bool failed; /* some call has failed: close without complaint */
    bool grows;  /* elements are added to what is there: */
    vv_growth growth;
};

/* Whether the file is to be without what only netCDF knows. */
bool vv_h5_is_plain(const vv_meta *m);
/* The dataset of a variable. The caller closes it. */
VV_WARN_UNUSED vv_status vv_h5_open_dataset(const vv_writer *w, int var, hid_t *out);
/* Makes variables and the dimension as long as w->growth says. */
VV_WARN_UNUSED vv_status vv_h5_grow(vv_writer *w, const char *history);
/* The new elements of a variable, in the type that vv_h5_var_type() tells. */
VV_WARN_UNUSED vv_status vv_h5_put_grown(const vv_writer *w, int var, hid_t dataset, hid_t type, const void *data);

/* Creates every dimension, variable and attribute of w->meta in the empty file. */
VV_WARN_UNUSED vv_status vv_h5_define(vv_writer *w);

/* The name of a variable's dataset: its own, unless a dimension of that name needs it. The caller frees it. */
VV_WARN_UNUSED vv_status vv_h5_link_name(const vv_meta *m, int var, char **out);
/* The type that a variable is stored with and written from memory with. The caller closes it. */
hid_t vv_h5_var_type(const vv_variable *v);

#endif
