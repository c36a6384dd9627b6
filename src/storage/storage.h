/* Formats behind one table of functions.
 *
 * Reading: a driver opens a file and fills its vv_meta. Data comes out in two ways:
 *   raw  - index() tells where the stored bytes of chunks lie, once, on the coordinator; every rank and thread then
 *          preads them from the plain file (vv_raw_file) and decodes them itself. Contiguous variables have one address.
 *   read - the driver's own decoding of a box, on one thread; works for everything the format can hold. The reference in tests.
 * Writing: the coordinator creates a file with all metadata; contiguous variables get an address at once; compressed chunks get theirs in
 * place() when their sizes are known; every rank pwrites its own bytes. A file is written under a temporary name beside its final one and
 * renamed when all of it is on disk (vv_output_path_*).
 *
 * Drivers: hdf5.c (NetCDF-4 and HDF5), classic.c (NetCDF's older formats), virtual.c (data computed from the index; for tests and benchmarks),
 * template.c (to copy).
 * Rules: the coordinator's driver calls happen on one thread; nothing here talks to other ranks. */
#ifndef VV_STORAGE_STORAGE_H
#define VV_STORAGE_STORAGE_H

#include "storage/dataset.h"

typedef struct vv_file vv_file;

/* Where a chunk's stored bytes lie. address -1: never written, all fill values. */
typedef struct vv_chunk_at {
    vv_bytes address;
    uint32_t size;        /* stored bytes of one chunk are below 4 GiB in HDF5 */
    uint32_t filter_mask; /* bit i set: filter i of the pipeline was skipped for this chunk */
} vv_chunk_at;

typedef struct vv_format {
    const char *name; /* "hdf5" */
    const char *help;
    /* Whether the driver wants this path; head holds the first n bytes of the file, n 0 when it is no file. */
    bool (*probe)(const char *path, const unsigned char *head, size_t n);
    vv_status (*open)(vv_file *f); /* fills f->meta and f->handle */
    void (*close)(vv_file *f);
    /* Address of a contiguous variable's data; -1 when nothing was ever written. */
    vv_status (*offset)(vv_file *f, int var, vv_bytes *address);
    /* Locations of chunks with the given linear numbers (row-major over the variable's chunk grid), n of them, in this order.
     * All chunks in ascending order is the fast case. */
    vv_status (*index)(vv_file *f, int var, vv_index n, const vv_index *chunks, vv_chunk_at *out);
    /* A box of elements, decoded, in the variable's type and host byte order. Errors leave it to the caller to name file and variable. */
    vv_status (*read)(vv_file *f, int var, const vv_box *box, void *out);
    /* All strings of a variable of VV_STRINGS in row-major order, each with the 0 that ends it; no more than VV_MOST_TEXT bytes, else
     * VV_ERR_UNSUPPORTED. NULL: the format has none. */
    vv_status (*text)(vv_file *f, int var, vv_buf *out);
    bool concurrent; /* any number of threads may read at once */
    bool apart;      /* not to be trusted with damaged files: works in a process of its own (apart.h) */
} vv_format;

/* What tells one version of a file from the next. */
typedef struct vv_stamp {
    vv_bytes size;
    int64_t changed; /* nanoseconds since 1970; 0: no file of the file system */
} vv_stamp;
/* The present stamp of a file; {0} for what is none, such as an address of a format. */
VV_WARN_UNUSED vv_status vv_stamp_of(const char *path, vv_stamp *out);
/* VV_ERR_READ when the path leads to another version of the file by now. */
VV_WARN_UNUSED vv_status vv_stamp_check(const char *path, const vv_stamp *s);

struct vv_file {
    const vv_format *format;
    char *path;
    vv_stamp stamp; /* from before its metadata were read */
    vv_meta *meta;
    void *handle; /* the driver's own */
};

enum { VV_MOST_TEXT = 64 << 20 };

extern const vv_format *const vv_formats[];
extern const int vv_n_formats;

/* Opens with the first format that wants the file. Errors: VV_ERR_NOT_FOUND (with the reason of the system), VV_ERR_FORMAT (names what it looks like, if known). */
VV_WARN_UNUSED vv_status vv_file_open(const char *path, vv_file **out);
void vv_file_close(vv_file **f);
/* The same without opening it: f->format is the one that wants the file. */
VV_WARN_UNUSED vv_status vv_file_find(const char *path, vv_file **out);
/* Whether a path stands for data that is computed when it is read (virtual.c): nothing is stored anywhere. */
bool vv_path_is_computed(const char *path);

/* Plain positional reading, for any thread. Short reads are errors that name the file. Local. */
typedef struct vv_raw_file {
    int fd;
    vv_bytes size;    /* when opened */
    const char *path; /* borrowed */
    vv_bytes ahead;   /* what the system reads ahead of a reader by itself, 0 when unknown */
} vv_raw_file;
VV_WARN_UNUSED vv_status vv_raw_open(const char *path, vv_raw_file *out);
/* VV_ERR_READ when it is not, or not any more, the version of the file that a stamp is of. */
VV_WARN_UNUSED vv_status vv_raw_check(const vv_raw_file *f, const vv_stamp *s);
VV_WARN_UNUSED vv_status vv_raw_read(const vv_raw_file *f, vv_bytes at, vv_bytes size, void *out);
void vv_raw_close(vv_raw_file *f);

/* --- writing --- */

typedef struct vv_writer vv_writer;

/* Creates a NetCDF-4 file at `path` (replacing it) with everything in meta: dimensions (coordinate variables become dimension scales), variables with their
 * layout, filters and fill values, attributes. No data yet. Coordinator only. Elements are stored in the host's byte order, bool as i8 with xarray's dtype="bool",
 * complex as a named compound. Fill values come from the attribute _FillValue (converted to the variable's type), else they are netCDF's. A
 * contiguous variable along an unlimited dimension gets chunks of its own choice: write it with put().
 * meta->format VV_PLAIN_HDF5: an HDF5 file that has dimension scales and labels, and nothing that only netCDF knows. */
#define VV_PLAIN_HDF5 "HDF5"
VV_WARN_UNUSED vv_status vv_writer_create(const char *path, const vv_meta *meta, vv_writer **out);
/* What is added to a file: `old` elements along a dimension become `old + more`. Grids of new elements begin with the chunk that the first of them lies in: the
 * `kept` elements before it in that chunk belong to them. */
typedef struct vv_growth {
    const char *dim; /* as the file calls it; borrowed */
    vv_index old, more;
} vv_growth;
/* Opens a file to which elements are added. meta: variables along the dimension, with chunks and filters as the file has them and the shapes that they
 * shall have. Then put() takes new elements alone, and place() numbers of chunks in the grid of new elements (vv_growth_grid). history: a line to put in
 * front of the attribute; NULL: none. Never on a file that others rely on: what is not closed is damaged. Coordinator only. */
VV_WARN_UNUSED vv_status vv_writer_append(const char *path, const vv_meta *meta, const vv_growth *g,
                                          const char *history, vv_writer **out);
/* Which dimension of a variable grows; -1: none. The chunks of its new elements, with those of their first chunk that are there already: *kept. */
int vv_growth_dim(const vv_growth *g, const vv_meta *m, const vv_variable *v);
void vv_growth_grid(const vv_growth *g, const vv_variable *v, int dim, vv_grid *out, vv_index *kept);
/* What the process will grow by when it writes its first file: the library's own code and tables. 0 afterwards. */
vv_bytes vv_writer_reserve(void);
/* A whole variable from memory, host order; any layout. Of strings: where each of them is (char *). */
VV_WARN_UNUSED vv_status vv_writer_put(vv_writer *w, int var, const void *data);
/* Address of a contiguous variable's data: every rank may pwrite there from now on. */
VV_WARN_UNUSED vv_status vv_writer_offset(vv_writer *w, int var, vv_bytes *address);
/* Reserves file space for chunks of a chunked variable (linear numbers, stored sizes) in the order given and enters them in its index; out: their addresses.
 * masks: of the filters that were skipped (vv_chunk_at); NULL: none was. */
VV_WARN_UNUSED vv_status vv_writer_place(vv_writer *w, int var, vv_index n, const vv_index *chunks,
                                         const uint32_t *sizes, const uint32_t *masks, vv_bytes *address);
/* Lets go of the file, so that others may open it, and takes it again. In between only close() may be called, which then has nothing to write. */
VV_WARN_UNUSED vv_status vv_writer_let_go(vv_writer *w);
VV_WARN_UNUSED vv_status vv_writer_take_back(vv_writer *w);
/* By what vv_collective_write() finds a variable. */
VV_WARN_UNUSED vv_status vv_writer_object(vv_writer *w, int var, vv_bytes *object);
/* Writes what is left of the metadata and closes. After a failure, or to give up: closes without complaint. The handle is gone in any case. */
VV_WARN_UNUSED vv_status vv_writer_close(vv_writer **w);

/* All ranks write a file that vv_writer_let_go() has left, by parallel HDF5's collective calls (hdf5_collective.c). Collective, all of them: on every rank, in
 * the same order. A failure of any call leaves the others perhaps waiting in it: it has to end the job.
 * communicator: the address of MPI's, as exec/net/net.h has it; NULL: this process writes alone. */
typedef struct vv_collective vv_collective;
bool vv_collective_possible(void); /* with several ranks */
VV_WARN_UNUSED vv_status vv_collective_open(const char *path, void *communicator, vv_collective **out);
/* A box of a variable's elements, as they are stored but for filters; NULL: this rank has none to write. */
VV_WARN_UNUSED vv_status vv_collective_write(vv_collective *c, vv_bytes object, const vv_box *box, const void *data);
VV_WARN_UNUSED vv_status vv_collective_close(vv_collective **c);
/* Local: opens the file to look at what was written, alone; to be closed likewise. */
VV_WARN_UNUSED vv_status vv_collective_look(const char *path, vv_collective **out);
VV_WARN_UNUSED vv_status vv_collective_read(vv_collective *c, vv_bytes object, const vv_box *box, void *data);

/* Plain positional writing, for any thread of any rank. Errors name the file and say when the disk is full. Local. */
typedef struct vv_raw_out {
    int fd;
    bool direct; /* large blocks go to the disk at once, by direct_fd, from memory at multiples of so many bytes */
    vv_bytes aligned;
    int direct_fd;
    const char *path; /* borrowed */
} vv_raw_out;
VV_WARN_UNUSED vv_status vv_raw_out_open(const char *path, vv_raw_out *out);
/* For outputs so large that the page cache would only be in the way: the whole pages of what is written in large blocks go by it, through so much room where the
 * data does not begin at a page of memory as it does in the file. Where a file system does not offer that, nothing changes. */
enum { VV_PAGE = 4096, VV_DIRECT_ROOM = 1 << 20 };
void vv_raw_out_direct(vv_raw_out *out);
/* Before: the disk's blocks up to here, at once, so that ranks need not take turns in getting them. Where the system does not know how, or has not so many, nothing
 * changes. */
void vv_raw_allocate(const char *path, vv_bytes end);
VV_WARN_UNUSED vv_status vv_raw_write(const vv_raw_out *f, vv_bytes at, vv_bytes size, const void *data);
/* Bytes of one file to another, by the file system itself where it is one of a network; else in pieces through `room`, whose whole pages go straight to the disk if
 * the output is such a one and the room begins at a page. */
VV_WARN_UNUSED vv_status vv_raw_copy(const vv_raw_file *from, vv_bytes at, const vv_raw_out *to, vv_bytes to_at,
                                     vv_bytes size, void *room, vv_bytes room_size);
VV_WARN_UNUSED vv_status vv_raw_out_sync(const vv_raw_out *f);
void vv_raw_out_close(vv_raw_out *f);

/* --- outputs: complete or absent --- */

/* Checks before any work: the directory exists and is writable, the output does not exist unless overwrite; makes the temporary name beside it. */
VV_WARN_UNUSED vv_status vv_output_path_check(const char *path, bool overwrite, char **temporary);
/* The temporary file becomes the output: renamed (without -O: only if no output appeared meanwhile), its directory synced. */
VV_WARN_UNUSED vv_status vv_output_path_commit(const char *temporary, const char *path, bool overwrite);
void vv_output_path_discard(const char *temporary);
/* "DIRECTORY/.NAME.WHAT": a hidden file beside an output, freed with free(). */
VV_WARN_UNUSED vv_status vv_output_path_beside(const char *path, const char *what, char **out);

/* A file that a larger copy of itself will replace. It is never written to: until the rename, and after whatever failure, it is what it was. Locked, so
 * that of two who append one is refused. */
typedef struct vv_original vv_original;
/* VV_ERR_NOT_FOUND when there is no such file. */
VV_WARN_UNUSED vv_status vv_original_open(const char *path, vv_original **out);
void vv_original_close(vv_original **f);
vv_bytes vv_original_size(const vv_original *f);
/* Copies it, with its permissions: at once where the file system shares blocks between files, else byte by byte as long as `stop` is false. *copied: bytes that
 * were copied. */
VV_WARN_UNUSED vv_status vv_original_copy(const vv_original *f, const char *to, int (*stop)(void *), vv_bytes *copied);
/* An error when it is not the same file any more, or somebody has written to it. */
VV_WARN_UNUSED vv_status vv_original_check(const vv_original *f);

#endif
