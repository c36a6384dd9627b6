/* Reading files in a process of its own.
 *
 * The HDF5 library trusts what it reads: of 1,000 damaged files a handful make it crash, run in circles or, which is worse, free memory that it does not own
 * (src/README.md has the figures). Nothing that happens to it may harm a run. So its calls happen in a second process, the reader, which does what a
 * vv_format does and sends back plain data: metadata, addresses of chunks, the values of what cannot be read raw. A reader that dies is an
 * error that names the file; the next file gets a new reader. What is read raw, by any number of ranks and threads, does not pass through here.
 *
 * The reader is forked before MPI starts, while the process is small, and waits for requests on a socket; it ends when its owner does. A process that never
 * called vv_apart_begin(), as unit tests are, reads by itself.
 *
 *     vv_apart_begin();              in vv_run(), before MPI
 *     vv_file_open("t2m.nc", &f);    formats that are marked `apart` are opened by the reader; f->format works as ever
 *     vv_apart_end(); */
#ifndef VV_STORAGE_APART_H
#define VV_STORAGE_APART_H

#include "storage/header.h"

/* Starts the reader. VARVE_APART=0 in the environment: files are read by this process, for debuggers. */
VV_WARN_UNUSED vv_status vv_apart_begin(void);
void vv_apart_end(void);
/* Whether files are to be opened by a reader. */
bool vv_apart_wanted(void);

/* As f->format->open(), by the reader; on success f->format is one whose functions ask the reader. */
VV_WARN_UNUSED vv_status vv_apart_open(vv_file *f);

/* All that is to be known of a file that is not open, by the reader, which does not keep it open. */
VV_WARN_UNUSED vv_status vv_apart_header(const vv_file *f, vv_header **out);

/* --- between the two halves --- */

typedef enum vv_apart_op {
    VV_APART_OPEN,
    VV_APART_HEADER,
    VV_APART_CLOSE,
    VV_APART_OFFSET,
    VV_APART_INDEX,
    VV_APART_READ,
    VV_APART_TEXT
} vv_apart_op;

/* A request, followed by `payload` bytes: a path, the numbers of chunks. */
typedef struct vv_apart_request {
    int64_t op, file, var, payload;
    int64_t format;           /* to open */
    int64_t log, rank, ranks; /* as the owner has them */
    vv_box box;               /* to read */
} vv_apart_request;

/* An answer, followed by `payload` bytes: packed metadata, a packed header, an address, vv_chunk_at, elements, strings; after a failure, the vv_failure. */
typedef struct vv_apart_answer {
    int64_t status, file, payload;
} vv_apart_answer;

/* The reader's life: serves requests until the other end of the socket is closed. Does not return. */
_Noreturn void vv_apart_serve(int socket);

/* All of it, or false at the end of the stream. */
bool vv_apart_send(int socket, const void *data, size_t size);
bool vv_apart_take(int socket, void *out, size_t size);

#endif
