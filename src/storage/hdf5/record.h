/* A file driver for the HDF5 library that can take notes instead of moving raw data.
 *
 * HDF5 1.10 tells the address of a chunk in time that grows with the number of chunks: asking for all of them is quadratic. But
 * H5Dread_chunk() finds one chunk in constant time, and the driver below it sees the request: given `token` for a buffer, this driver writes
 * down address and size of the request and does no I/O. One H5Dread_chunk() per chunk collects the index about 400 times faster.
 * Writing uses the same trick: H5Dwrite_chunk() reserves space and enters the chunk in the index, the bytes are skipped here and written
 * by the rank that has them. Everything else passes through. (The kind of memory that HDF5 names cannot tell the two apart: global heaps
 * come as raw data too, and are written whenever the metadata cache is full.)
 *
 * Nothing here fails towards HDF5 when the disk is full: HDF5 cannot close a file whose writes fail, and would try again at exit. The
 * first failure is kept in `error`, later writes are dropped, and the caller looks at `error` after each HDF5 call.
 *
 *     vv_h5_record record;
 *     hid_t fapl = vv_h5_record_fapl(path, &record);
 *     hid_t file = H5Fopen(path, H5F_ACC_RDONLY, fapl);
 *     H5Dread_chunk(dataset, H5P_DEFAULT, offset, &mask, record.token);
 *     ... record.address, record.size ...
 *
 * There is no locking: files on read-only or remote file systems and files open elsewhere can be read. */
#ifndef VV_STORAGE_HDF5_RECORD_H
#define VV_STORAGE_HDF5_RECORD_H

#include "storage/hdf5/lib.h"

typedef struct vv_h5_record {
    const char *path; /* borrowed, for messages */
    char token[1];    /* the buffer of requests that are only noted */
    vv_bytes address; /* of the last noted request, -1: none since it was last set so */
    vv_bytes size;
    int open_errno;     /* why the file could not be opened, else 0 */
    vv_bytes file_size; /* when opened */
    bool read_failed;   /* the system could not read, since it was last set to false */
    vv_failure error;   /* code VV_OK: no write has failed */
} vv_h5_record;

/* Prepares *record and a file access property list that uses it; negative on failure. The record must outlive the file; the caller closes
 * the list. */
hid_t vv_h5_record_fapl(const char *path, vv_h5_record *record);

#endif
