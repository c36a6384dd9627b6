#include "storage/formats.h"

#include "base/fault.h"
#include "base/mem.h"
#include "storage/apart.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const vv_format *const vv_formats[] = {
#define ROW(name) &vv_format_##name,
    VV_FORMAT_LIST(ROW)
#undef ROW
};
const int vv_n_formats = sizeof vv_formats / sizeof *vv_formats;

/* Enough for an HDF5 signature behind a user block of 8 KiB. */
enum { HEAD = 8192 + 8 };

/* --- what a file that nobody wants looks like --- */

static const struct {
    size_t at, n;
    const char *bytes;
    const char *what;
} known[] = {
    {0, 4, "GRIB", "a GRIB file; convert it with: cdo -f nc4 copy IN OUT"},
    {0, 4, "\016\003\023\001", "an HDF4 file"},
    {0, 4, "PK\003\004", "a zip archive"},
    {0, 2, "\037\213", "a gzip file; unpack it with gunzip"},
    {0, 3, "BZh", "a bzip2 file"},
    {0, 6, "\3757zXZ", "an xz file"},
    {0, 4, "\050\265\057\375", "a zstd file"},
    {257, 5, "ustar", "a tar archive"},
    {0, 4, "BUFR", "a BUFR file"},
    {0, 4, "II*\0", "a TIFF file"},
    {0, 4, "MM\0*", "a TIFF file"},
    {0, 4, "%PDF", "a PDF file"},
    {0, 4, "\177ELF", "a program"},
    {0, 9, "<!DOCTYPE", "a web page, perhaps of a failed download"},
    {0, 5, "<html", "a web page, perhaps of a failed download"},
};

static bool is_text(const unsigned char *head, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (head[i] < 0x20 && !isspace(head[i])) return false;
    return n > 0;
}

static const char *looks_like(const unsigned char *head, size_t n)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].at + known[i].n <= n && !memcmp(head + known[i].at, known[i].bytes, known[i].n))
            return known[i].what;
    if (n == 0) return "an empty file";
    return is_text(head, n) ? "a text file" : NULL;
}

static vv_status nobody_wants(const char *path, const unsigned char *head, size_t n)
{
    const char *what = looks_like(head, n);
    if (what) return vv_fail(VV_ERR_FORMAT, "%s is not NetCDF or HDF5 but %s", path, what);
    return vv_fail(VV_ERR_FORMAT, "%s is not a NetCDF or HDF5 file", path);
}

/* --- opening --- */

static const vv_format *who_wants(const char *path, const unsigned char *head, size_t n)
{
    for (int i = 0; i < vv_n_formats; i++)
        if (vv_formats[i]->probe(path, head, n)) return vv_formats[i];
    return NULL;
}

static vv_status read_head(const char *path, unsigned char *head, size_t *n)
{
    struct stat s;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return vv_fail_errno(errno == ENOENT ? VV_ERR_NOT_FOUND : VV_ERR_READ, "cannot open %s", path);
    vv_status status = VV_OK;
    ssize_t got = 0;
    if (fstat(fd, &s))
        status = vv_fail_errno(VV_ERR_READ, "cannot inspect %s", path);
    else if (S_ISDIR(s.st_mode))
        status = vv_fail(VV_ERR_FORMAT, "%s is a directory", path);
    else if (!S_ISREG(s.st_mode) && !S_ISBLK(s.st_mode))
        status = vv_fail(VV_ERR_FORMAT, "%s is not a regular file", path);
    else
        do got = pread(fd, head, HEAD, 0);
        while (got < 0 && errno == EINTR);
    if (got < 0) status = vv_fail_errno(VV_ERR_READ, "cannot read %s", path);
    close(fd);
    *n = got > 0 ? (size_t)got : 0;
    return status;
}

static vv_status choose(const char *path, const vv_format **out)
{
    unsigned char head[HEAD] = {0};
    size_t n = 0;
    *out = who_wants(path, head, 0);
    if (*out) return VV_OK;
    VV_TRY(read_head(path, head, &n));
    *out = n ? who_wants(path, head, n) : NULL;
    return *out ? VV_OK : nobody_wants(path, head, n);
}

vv_status vv_file_find(const char *path, vv_file **out)
{
    const vv_format *format;
    *out = NULL;
    VV_TRY(vv_fault(VV_FAULT_OPEN_INPUT));
    VV_TRY(choose(path, &format));
    VV_TRY(vv_new(out, 1, sizeof **out));
    (*out)->format = format;
    vv_status status = vv_strdup(&(*out)->path, path);
    if (vv_stamp_of(path, &(*out)->stamp) != VV_OK) vv_error_clear(); /* opening it will tell */
    if (status != VV_OK) vv_file_close(out);
    return status;
}

vv_status vv_file_open(const char *path, vv_file **out)
{
    VV_TRY(vv_file_find(path, out));
    const vv_format *format = (*out)->format;
    vv_status status = format->apart && vv_apart_wanted() ? vv_apart_open(*out) : format->open(*out);
    if (status != VV_OK) vv_file_close(out);
    return status;
}

void vv_file_close(vv_file **f)
{
    if (!*f) return;
    (*f)->format->close(*f);
    vv_meta_free(&(*f)->meta);
    free((*f)->path);
    free(*f);
    *f = NULL;
}
