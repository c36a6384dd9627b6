/* Sidecars: headers kept on disk, so that files which have not changed need not be opened to be known.
 *
 * A cache directory has one sidecar for each directory of data files, named after its path. It begins with an index - for every data file name, size, time of
 * change, and where its header lies in the sidecar, with a checksum - so that opening some of the files reads their headers only. A header counts when
 * size and time of change are the file's present ones. Sidecars are replaced whole (written beside, renamed), so that any number of processes may use one;
 * one that is damaged, foreign or of another version is as good as none: a debug line says so, and the next store replaces it. */
#ifndef VV_STORAGE_SIDECAR_H
#define VV_STORAGE_SIDECAR_H

#include "storage/header.h"

/* out[i]: the header of paths[i] when one is kept and is of the present file, else NULL. Files that are not there have none. */
VV_WARN_UNUSED vv_status vv_sidecar_find(const char *cache, int n, const char *const paths[], vv_header *out[]);

/* Keeps headers in addition to what is kept already. Makes the cache directory. A failure to keep them harms nobody: it is a warning. Those of
 * files that changed in the moment before they were read are left out: a second change might not show in their time. */
void vv_sidecar_keep(const char *cache, int n, vv_header *const headers[]);

#endif
