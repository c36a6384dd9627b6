#include "storage/hdf5/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct driver_file {
    H5FD_t base; /* HDF5's own part comes first */
    int fd;
    haddr_t eoa, eof;
    bool writable;
    vv_h5_record *record;
} driver_file;

typedef struct driver_info {
    vv_h5_record *record;
} driver_info;

static H5FD_t *refuse(vv_h5_record *r, int why)
{
    r->open_errno = why;
    return NULL;
}

static H5FD_t *open_file(const char *name, unsigned flags, hid_t fapl, haddr_t maxaddr)
{
    (void)maxaddr;
    const driver_info *info = H5Pget_driver_info(fapl);
    if (!info) return NULL;
    int how = (flags & H5F_ACC_RDWR ? O_RDWR : O_RDONLY) | (flags & H5F_ACC_CREAT ? O_CREAT : 0) |
              (flags & H5F_ACC_TRUNC ? O_TRUNC : 0) | (flags & H5F_ACC_EXCL ? O_EXCL : 0) | O_CLOEXEC;
    int fd = open(name, how, 0666);
    if (fd < 0) return refuse(info->record, errno);
    struct stat s;
    driver_file *f = fstat(fd, &s) ? NULL : calloc(1, sizeof *f);
    if (!f) {
        close(fd);
        return refuse(info->record, ENOMEM);
    }
    f->fd = fd;
    f->writable = flags & H5F_ACC_RDWR;
    f->record = info->record;
    f->eof = (haddr_t)s.st_size;
    f->record->open_errno = 0;
    f->record->file_size = s.st_size;
    return &f->base;
}

static herr_t close_file(H5FD_t *base)
{
    driver_file *f = (driver_file *)base;
    close(f->fd);
    free(f);
    return 0;
}

static herr_t query(const H5FD_t *base, unsigned long *flags)
{
    (void)base;
    *flags = 0; /* no accumulating, no sieve: requests arrive as they are */
    return 0;
}

static haddr_t get_eoa(const H5FD_t *base, H5FD_mem_t type)
{
    (void)type;
    return ((const driver_file *)base)->eoa;
}

static herr_t set_eoa(H5FD_t *base, H5FD_mem_t type, haddr_t eoa)
{
    (void)type;
    ((driver_file *)base)->eoa = eoa;
    return 0;
}

static haddr_t get_eof(const H5FD_t *base, H5FD_mem_t type)
{
    (void)type;
    return ((const driver_file *)base)->eof;
}

static bool noted(const driver_file *f, haddr_t at, size_t size, const void *buffer)
{
    if (buffer != f->record->token) return false;
    f->record->address = (vv_bytes)at;
    f->record->size = (vv_bytes)size;
    return true;
}

/* HDF5 looks for its header beyond the end of short files and expects zeros there. Data that is not there is damage, and so is metadata that claims
 * to be large: memory for it must not be touched. */
static bool zeros_there(const driver_file *f, H5FD_mem_t type, size_t size)
{
    enum { HEADER = 1 << 16 };
    return f->writable || (type != H5FD_MEM_DRAW && size <= HEADER);
}

static herr_t read_file(H5FD_t *base, H5FD_mem_t type, hid_t dxpl, haddr_t at, size_t size, void *out)
{
    (void)dxpl;
    const driver_file *f = (const driver_file *)base;
    if (noted(f, at, size, out)) return 0;
    if (at > INT64_MAX - size || (at + size > f->eof && !zeros_there(f, type, size))) {
        f->record->read_failed = true;
        return -1;
    }
    for (char *p = out; size > 0;) {
        ssize_t n = pread(f->fd, p, size, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 || (n == 0 && !zeros_there(f, type, size))) {
            f->record->read_failed = true;
            return -1;
        }
        if (n == 0) {
            memset(p, 0, size);
            return 0;
        }
        p += n;
        at += (haddr_t)n;
        size -= (size_t)n;
    }
    return 0;
}

static vv_status write_all(const driver_file *f, haddr_t at, size_t size, const void *data)
{
    vv_raw_out out = {.fd = f->fd, .path = f->record->path};
    return vv_raw_write(&out, (vv_bytes)at, (vv_bytes)size, data);
}

static herr_t write_file(H5FD_t *base, H5FD_mem_t type, hid_t dxpl, haddr_t at, size_t size, const void *data)
{
    (void)type;
    (void)dxpl;
    driver_file *f = (driver_file *)base;
    if (at + size > f->eof) f->eof = at + size;
    if (noted(f, at, size, data) || f->record->error.code != VV_OK) return 0;
    if (write_all(f, at, size, data) != VV_OK) vv_error_get(&f->record->error);
    return 0;
}

/* To the end of what HDF5 has allocated: all that other ranks wrote lies before it. */
static herr_t truncate_file(H5FD_t *base, hid_t dxpl, hbool_t closing)
{
    (void)dxpl;
    (void)closing;
    driver_file *f = (driver_file *)base;
    if (f->record->error.code == VV_OK && ftruncate(f->fd, (off_t)f->eoa)) {
        if (vv_fail_errno(VV_ERR_WRITE, "%s: cannot set the file's size", f->record->path) != VV_OK)
            vv_error_get(&f->record->error);
    }
    f->eof = f->eoa;
    return 0;
}

static const H5FD_class_t driver = {
#if H5_VERSION_GE(1, 13, 2)
    .version = H5FD_CLASS_VERSION,
    .value = 387, /* from the range that HDF5 leaves to unregistered drivers */
#endif
    .name = "varve-record",
    .maxaddr = (haddr_t)INT64_MAX,
    .fc_degree = H5F_CLOSE_WEAK,
    .fapl_size = sizeof(driver_info),
    .open = open_file,
    .close = close_file,
    .query = query,
    .get_eoa = get_eoa,
    .set_eoa = set_eoa,
    .get_eof = get_eof,
    .read = read_file,
    .write = write_file,
    .truncate = truncate_file,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

enum { ALIGNED_FROM = 1 << 20 };

/* HDF5's own caches stay small: the memory of a process is counted. */
static void limit_caches(hid_t fapl)
{
    H5AC_cache_config_t c = {.version = H5AC__CURR_CACHE_CONFIG_VERSION};
    H5Pset_cache(fapl, 0, 521, 1 << 20, 0.75);
    if (H5Pget_mdc_config(fapl, &c) < 0) return;
    c.set_initial_size = true;
    c.initial_size = 1 << 20;
    c.min_size = 1 << 20;
    c.max_size = 4 << 20;
    H5Pset_mdc_config(fapl, &c);
}

hid_t vv_h5_record_fapl(const char *path, vv_h5_record *record)
{
    static hid_t id = -1;
    *record = (vv_h5_record){.path = path, .address = -1};
    if (id < 0) id = H5FDregister(&driver);
    driver_info info = {.record = record};
    hid_t fapl = id < 0 ? -1 : H5Pcreate(H5P_FILE_ACCESS);
    if (fapl >= 0 && H5Pset_driver(fapl, id, &info) < 0) {
        H5Pclose(fapl);
        fapl = -1;
    }
    if (fapl >= 0) limit_caches(fapl);
    /* What may be written straight to the disk begins where a page does (storage/raw.c); file systems of clusters like it, too. */
    if (fapl >= 0) H5Pset_alignment(fapl, ALIGNED_FROM, VV_PAGE);
    return fapl;
}
