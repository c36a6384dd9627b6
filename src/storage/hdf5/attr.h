/* Attributes of HDF5 objects, read and written as NetCDF-4 has them. */
#ifndef VV_STORAGE_HDF5_ATTR_H
#define VV_STORAGE_HDF5_ATTR_H

#include "storage/hdf5/lib.h"

/* The visible attributes of an object, in the order of creation when the object keeps it, else by name. What dimension scales and NetCDF-4
 * keep for themselves is left out; so is what a vv_attr cannot hold (arrays of strings, compounds), with a line in the debug log. */
VV_WARN_UNUSED vv_status vv_h5_attrs_read(hid_t object, bool creation_order, vv_attrs *out);

/* A text attribute into `out` (cut at its size); false when it is absent or no text. For internal attributes too. */
bool vv_h5_attr_text(hid_t object, const char *name, char *out, size_t size);
/* Up to n integers of an internal attribute; the number read, 0 when absent. */
int vv_h5_attr_ints(hid_t object, const char *name, int n, int out[]);

/* Numbers become 1-D arrays and text a scalar of fixed length, as netCDF-C writes them. */
VV_WARN_UNUSED vv_status vv_h5_attr_write(hid_t object, const vv_attr *a);
VV_WARN_UNUSED vv_status vv_h5_attrs_write(hid_t object, const vv_attrs *a);
VV_WARN_UNUSED vv_status vv_h5_attr_write_text(hid_t object, const char *name, const char *text);
/* The same with its final NUL: HDF5 knows a dimension scale by a CLASS of exactly 16 bytes. */
VV_WARN_UNUSED vv_status vv_h5_attr_write_label(hid_t object, const char *name, const char *text);
/* One integer as a scalar, or n of them as an array. */
VV_WARN_UNUSED vv_status vv_h5_attr_write_int(hid_t object, const char *name, int value);
VV_WARN_UNUSED vv_status vv_h5_attr_write_ints(hid_t object, const char *name, int n, const int value[]);

#endif
