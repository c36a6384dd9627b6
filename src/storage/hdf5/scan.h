/* The datasets of an HDF5 file and how they share dimensions.
 *
 * NetCDF-4 keeps a dimension as a "dimension scale": a dataset that other datasets refer to, per dimension, in their DIMENSION_LIST. A scale is a
 * coordinate variable too, unless its NAME says that it is not. _Netcdf4Dimid numbers the dimensions; a scale of several dimensions (and
 * newer variables) lists these numbers in _Netcdf4Coordinates. A file without scales has anonymous dimensions only.
 *
 * The scan opens each dataset once and keeps it open until the metadata are read; entries point at each other by position. */
#ifndef VV_STORAGE_HDF5_SCAN_H
#define VV_STORAGE_HDF5_SCAN_H

#include "storage/hdf5/lib.h"

typedef struct vv_h5_entry {
    char *path; /* "/group/name" */
    char *name; /* as shown: without the slash for the root group, without NetCDF-4's prefix */
    hid_t dataset;
    haddr_t address; /* of the object: what references contain */
    int nd;
    hsize_t extent[VV_MAX_DIMS], most[VV_MAX_DIMS];
    bool scale;
    bool variable;             /* false for a scale that is a dimension and nothing else */
    int dim_id;                /* _Netcdf4Dimid, -1 without */
    int scale_of[VV_MAX_DIMS]; /* the entry that names each dimension, -1 for an anonymous one */
    vv_index length;           /* of a scale: of its dimension */
} vv_h5_entry;

typedef struct vv_h5_scan {
    int n;
    vv_h5_entry *entry;
    int n_groups;
    haddr_t *group; /* groups seen, as links may form circles */
} vv_h5_scan;

VV_WARN_UNUSED vv_status vv_h5_scan_file(hid_t file, vv_h5_scan *out);
void vv_h5_scan_free(vv_h5_scan *s);

#endif
