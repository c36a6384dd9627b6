/* The list of formats: a new one is one file with one vv_format, and one line here. */
#ifndef VV_STORAGE_FORMATS_H
#define VV_STORAGE_FORMATS_H

#include "storage/storage.h"

#define VV_FORMAT_LIST(X)                                                                                              \
    X(virtual)                                                                                                         \
    X(hdf5)                                                                                                            \
    X(classic)                                                                                                         \
    X(template)

#define VV_FORMAT_DECLARE(name) extern const vv_format vv_format_##name;
VV_FORMAT_LIST(VV_FORMAT_DECLARE)
#undef VV_FORMAT_DECLARE

#endif
