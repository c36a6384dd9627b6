/* What the HDF5 reader and writer share: set-up, the reason of a failure, element types, names that NetCDF-4 gives a meaning. */
#ifndef VV_STORAGE_HDF5_LIB_H
#define VV_STORAGE_HDF5_LIB_H

#include "storage/storage.h"

/* Newer releases of HDF5 keep the calls of 1.10 under their names when asked to. */
#ifndef H5_USE_110_API
#define H5_USE_110_API
#endif
#include <hdf5.h>

#define VV_NC_NOT_A_VARIABLE   "This is a netCDF dimension but not a netCDF variable."
#define VV_NC_NON_COORDINATE   "_nc4_non_coord_"
#define VV_NC_DIMENSION_ID     "_Netcdf4Dimid"
#define VV_NC_COORDINATES      "_Netcdf4Coordinates"
#define VV_NC_PROPERTIES       "_NCProperties"
#define VV_H5_CLASS            "CLASS"
#define VV_H5_NAME             "NAME"
#define VV_H5_DIMENSION_SCALE  "DIMENSION_SCALE"
#define VV_H5_DIMENSION_LIST   "DIMENSION_LIST"
#define VV_H5_DIMENSION_LABELS "DIMENSION_LABELS"
#define VV_H5_REFERENCE_LIST   "REFERENCE_LIST"

/* hdf5_zstd.c: the number that HDF5's users have agreed on for zstd, and the filter itself. */
enum { VV_H5_ZSTD = 32015 };
VV_WARN_UNUSED vv_status vv_h5_zstd_register(void);

/* Starts the library once and turns its own printing of errors off. */
VV_WARN_UNUSED vv_status vv_h5_setup(void);
bool vv_h5_started(void);

/* What HDF5 says about its last failure: the innermost message. Valid until the next call. */
const char *vv_h5_reason(void);
/* The function inside HDF5 where that was found; "" when unknown. */
const char *vv_h5_reason_function(void);

/* What people call a filter; name: what the file calls it, for those that are not known. */
const char *vv_h5_filter_text(H5Z_filter_t id, const char *name, char *out, size_t size);

/* How a stored type is seen by the rest of the program. */
typedef struct vv_h5_type {
    vv_dtype type; /* VV_NONE: not a number */
    bool swapped;  /* differs from the host's type in byte order */
    bool exact;    /* the stored bytes are elements of `type`, apart from byte order */
    char text[64]; /* for people */
} vv_h5_type;
void vv_h5_describe_type(hid_t stored, vv_h5_type *out);

/* The type to read a stored one with, so that HDF5 gives elements of t->type; negative for strings and the like. The caller closes it. */
hid_t vv_h5_memory_type(hid_t stored, const vv_h5_type *t);
/* The type to store an element type as. The caller closes it. */
hid_t vv_h5_file_type(vv_dtype type);

#endif
