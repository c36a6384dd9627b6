/* Classic NetCDF as its parser and its reader share it: where the elements of each variable begin. */
#ifndef VV_STORAGE_CLASSIC_H
#define VV_STORAGE_CLASSIC_H

#include "storage/storage.h"

typedef struct vv_classic_at {
    vv_bytes begin; /* of the variable's first element */
    vv_bytes row;   /* bytes of one record of it, or of all of a variable without records; without padding */
    bool record;    /* its first dimension is the unlimited one: row r is at begin + r * record_bytes */
    bool cut;       /* the file ends before its last element */
} vv_classic_at;

typedef struct vv_classic {
    vv_raw_file raw;
    vv_bytes record_bytes; /* from one record to the next: all record variables, padded */
    vv_index records;
    vv_classic_at *at; /* by variable */
} vv_classic;

/* The header of an opened file: fills f->meta but for what is decided about reading, and the positions. Errors do not name the file. */
VV_WARN_UNUSED vv_status vv_classic_header_read(vv_file *f);

/* Bytes of an element; characters have one. */
static inline vv_bytes vv_classic_size(const vv_variable *v)
{
    return v->type == VV_NONE ? 1 : vv_dtype_size(v->type);
}

#endif
