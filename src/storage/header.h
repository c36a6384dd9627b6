/* Headers: all that opening a file tells, as plain data that travels between ranks and is kept on disk (sidecar.h).
 *
 * A header has the metadata, where the chunks of variables lie, and the values of coordinates and other small variables. A file made of a header answers
 * from it; the real file is opened only for what is not there. So a thousand files can be opened by many ranks at once, each header is
 * read once, and none of the files stays open. */
#ifndef VV_STORAGE_HEADER_H
#define VV_STORAGE_HEADER_H

#include "storage/storage.h"

/* What is known of a variable's data. */
typedef struct vv_places {
    bool has_address; /* of contiguous data */
    vv_bytes address;
    vv_index n_chunks; /* 0: not collected */
    vv_chunk_at *chunk;
    vv_bytes size; /* of `values`: all elements as the format's read(), or its text(), gives them; 0: not kept */
    void *values;
} vv_places;

typedef struct vv_header {
    char *path;
    vv_stamp stamp; /* changed 0: no file of the file system, nothing to keep on disk */
    vv_meta *meta;
    vv_places *places; /* by variable */
} vv_header;

/* Opens the file, takes everything down and closes it. Errors as of vv_file_open(). */
VV_WARN_UNUSED vv_status vv_header_read(const char *path, vv_header **out);
/* The same of a file that is open; takes its metadata. */
VV_WARN_UNUSED vv_status vv_header_of(vv_file *f, vv_header **out);
/* A file's header will be read soon: has the system fetch the begin of the file, without waiting for it. */
void vv_header_expect(const char *path);
void vv_header_free(vv_header **h);

void vv_header_pack(const vv_header *h, vv_buf *out);
/* VV_ERR_FORMAT when the bytes make no sense. */
VV_WARN_UNUSED vv_status vv_header_unpack(vv_reader *in, vv_header **out);

/* An opened file out of a header, which belongs to the file from here on, whatever happens. */
VV_WARN_UNUSED vv_status vv_header_file(vv_header **h, vv_file **out);

#endif
