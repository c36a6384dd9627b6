/* Datasets: what is in a file, or in several that are joined.
 *
 * A dataset is opened once per session and path. Like arrays, a dataset that could not be opened is inert: it has no variables,
 * arrays taken from it are inert, and vv_dataset_status() tells why. All functions: Driver only.
 *
 * Several files of one series are one dataset: joined along the dimension along which they differ, ordered by the values of its coordinate, whatever the
 * files are called. Units of time, packing, chunks and element types may differ between files; other dimensions must be the same, files must not
 * overlap, and gaps are told of. All ranks read the files' headers, each header once; a cache directory keeps them for the next time. */
#ifndef VARVE_DATASET_H
#define VARVE_DATASET_H

#include "varve/array.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vv_dataset vv_dataset;

typedef struct vv_dim_info {
    const char *name;
    vv_index length;
    bool unlimited;
} vv_dim_info;

typedef struct vv_attr_info {
    const char *name;
    vv_dtype type;  /* VV_NONE: text */
    vv_index count; /* elements, or bytes of the text */
    const void *data;
} vv_attr_info;

/* What a variable is for, by CF's rules. */
typedef enum vv_role {
    VV_ROLE_DATA,       /* a quantity of its own */
    VV_ROLE_COORDINATE, /* 1-D, named like its dimension */
    VV_ROLE_AUXILIARY,  /* named by a `coordinates` attribute */
    VV_ROLE_BOUNDS,     /* named by a `bounds` or `climatology` attribute */
    VV_ROLE_SUPPORT     /* named by grid_mapping, cell_measures, ancillary_variables or formula_terms */
} vv_role;

typedef struct vv_var_info {
    const char *name;
    vv_role role;
    vv_dtype type;         /* as stored; VV_NONE for text and other types without numbers */
    const char *type_text; /* "f32", "string", ... */
    vv_dtype decoded;      /* as an array of the program sees it: after unpacking and masking */
    int n_dims;
    const int *dim; /* dimension numbers of the dataset */
    const vv_index *shape;
    bool chunked;
    const vv_index *chunk; /* stored chunk shape when chunked */
    int deflate;           /* level, -1 without */
    int zstd;              /* level, 0 without */
    bool shuffle, fletcher32;
    vv_bytes stored; /* bytes in the file */
    vv_bytes memory; /* bytes when decoded */
    const char
        *slow_path; /* NULL, or why stored bytes are not read raw but by the format's driver (HDF5's own read path) */
    int n_attrs;
} vv_var_info;

/* path: a file, or a pattern of several ("era5_t2m_*.nc") when no file has that very name. Never NULL. Owned by the session. */
VV_API vv_dataset *vv_dataset_open(vv_session *s, const char *path);
/* n paths or patterns as one dataset. dim: the dimension to join along, NULL for the one along which the files differ. */
VV_API vv_dataset *vv_dataset_open_list(vv_session *s, const char *const paths[], int n, const char *dim);
VV_API vv_status vv_dataset_status(const vv_dataset *d); /* and vv_last_error() tells it */

VV_API const char *vv_dataset_path(const vv_dataset *d); /* of joined files: as they were given */
VV_API int vv_dataset_n_files(const vv_dataset *d);
VV_API const char *vv_dataset_file(const vv_dataset *d, int i); /* in the order in which they are joined */
VV_API const char *vv_dataset_format(const vv_dataset *d);      /* "NetCDF-4" */
VV_API int vv_dataset_n_dims(const vv_dataset *d);
VV_API vv_dim_info vv_dataset_dim(const vv_dataset *d, int i);
VV_API int vv_dataset_n_vars(const vv_dataset *d);
VV_API vv_var_info vv_dataset_var(const vv_dataset *d, int i);
/* Position of a variable or dimension; -1 when there is none, and the error then suggests the nearest name. */
VV_API int vv_dataset_find_var(const vv_dataset *d, const char *name);
VV_API int vv_dataset_find_dim(const vv_dataset *d, const char *name);
/* Attribute i of variable var; var -1 is the file itself. */
VV_API int vv_dataset_n_attrs(const vv_dataset *d, int var);
VV_API vv_attr_info vv_dataset_attr(const vv_dataset *d, int var, int i);
/* NULL when there is no such attribute or it is not text. */
VV_API const char *vv_dataset_attr_text(const vv_dataset *d, int var, const char *name);

/* Reads a small variable (a coordinate) on rank 0, decoded (unpacked, missing values are NaN), as doubles; room for `count` values. */
VV_API VV_WARN_UNUSED vv_status vv_dataset_read(vv_dataset *d, int var, double *out, vv_index count);
/* A coordinate's values [first and last] as text in its calendar ("1990-01-01 00:00") when its units are a CF time; false otherwise. */
VV_API bool vv_dataset_time_text(const vv_dataset *d, int var, double value, char *out, size_t size);

/* A variable as a lazy array: decoded (unpacked, missing values are NaN). Never NULL. One of characters or strings can be moved (selected, joined, transposed ...)
 * and saved, but nothing can be computed with it. */
VV_API vv_array *vv_dataset_array(vv_dataset *d, const char *variable);
/* The same as it is stored, packed values packed, with the attributes that tell how: for moving data from file to file, not for computing. */
VV_API vv_array *vv_dataset_stored(vv_dataset *d, const char *variable);
/* Whether stored values of a variable mean the same in both: element type and packing attributes agree. */
VV_API bool vv_dataset_packed_alike(const vv_dataset *a, const vv_dataset *b, const char *variable);

#ifdef __cplusplus
}
#endif
#endif
