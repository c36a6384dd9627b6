/* A file that is appended to is not touched: a copy of it grows, and takes its name when it is complete.
 *
 * HDF5 changes metadata in place - headers of variables, nodes of the chunk index, the end of the file - and a process that dies between two of these writes leaves
 * a file that nobody can read any more. No order of writes avoids that, and a journal would have to be known to every other program that opens the
 * file. So the price of an append is a copy: nothing where the file system shares blocks (XFS, Btrfs), else the old file is read and written once. NCO does
 * the same.
 *
 * The original is locked with a lock that belongs to the open file, for as long as the append goes on: a second one is refused at once instead of
 * taking the first one's steps away. What other programs do to the file meanwhile shows in its size and times: then the copy is given up. */
#include "storage/storage.h"

#include "base/fault.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

struct vv_original {
    char *path;
    int fd;
    struct stat stat; /* when it was opened */
};

static vv_status lock(const vv_original *f)
{
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (!fcntl(f->fd, F_OFD_SETLK, &all)) return VV_OK;
    if (errno != EAGAIN && errno != EACCES) return VV_OK; /* a file system without locks */
    return vv_fail(VV_ERR_WRITE, "cannot append to %s: somebody else is writing to it", f->path);
}

static vv_status open_original(vv_original *f)
{
    f->fd = open(f->path, O_RDWR | O_CLOEXEC);
    if (f->fd < 0 && errno == ENOENT) return vv_fail_errno(VV_ERR_NOT_FOUND, "cannot open %s", f->path);
    if (f->fd < 0 || fstat(f->fd, &f->stat)) return vv_fail_errno(VV_ERR_WRITE, "cannot append to %s", f->path);
    if (!S_ISREG(f->stat.st_mode)) return vv_fail(VV_ERR_WRITE, "cannot append to %s: it is not a file", f->path);
    VV_TRY(lock(f));
    return vv_original_check(f);
}

vv_status vv_original_open(const char *path, vv_original **out)
{
    VV_TRY(vv_new(out, 1, sizeof **out));
    (*out)->fd = -1;
    vv_status status = vv_strdup(&(*out)->path, path);
    if (status == VV_OK) status = open_original(*out);
    if (status != VV_OK) vv_original_close(out);
    return status;
}

void vv_original_close(vv_original **f)
{
    if (!*f) return;
    if ((*f)->fd >= 0) close((*f)->fd);
    free((*f)->path);
    free(*f);
    *f = NULL;
}

vv_bytes vv_original_size(const vv_original *f)
{
    return f->stat.st_size;
}

static bool same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

vv_status vv_original_check(const vv_original *f)
{
    struct stat now;
    if (!stat(f->path, &now) && same(&now, &f->stat)) return VV_OK;
    return vv_fail(VV_ERR_WRITE, "%s changed while it was appended to: nothing was written to it", f->path);
}

/* --- copying --- */

static vv_status copy_bytes(const vv_original *f, const vv_raw_out *to, int (*stop)(void *), vv_bytes *copied)
{
    enum { PIECE = 64 << 20, ROOM = 1 << 20 };
    vv_raw_file from = {.fd = f->fd, .size = f->stat.st_size, .path = f->path};
    char *room;
    VV_TRY(vv_mem_get(&room, ROOM, "bytes to copy"));
    vv_status status = VV_OK;
    while (status == VV_OK && *copied < from.size) {
        vv_bytes some = from.size - *copied < PIECE ? from.size - *copied : PIECE;
        status = stop(NULL) ? vv_fail(VV_ERR_INTERRUPTED, "interrupted")
                            : vv_raw_copy(&from, *copied, to, *copied, some, room, ROOM);
        *copied += some;
    }
    vv_mem_put(&room);
    return status;
}

/* Owner and group stay where that is allowed. */
static void keep_owner(const vv_original *f, int fd)
{
    if (fchown(fd, f->stat.st_uid, f->stat.st_gid)) (void)!fchown(fd, (uid_t)-1, f->stat.st_gid);
    (void)!fchmod(fd, f->stat.st_mode & 07777);
}

vv_status vv_original_copy(const vv_original *f, const char *to, int (*stop)(void *), vv_bytes *copied)
{
    *copied = 0;
    VV_TRY(vv_fault(VV_FAULT_CREATE_OUTPUT));
    vv_raw_out out = {.fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), .path = to};
    if (out.fd < 0) return vv_fail_errno(VV_ERR_WRITE, "cannot create %s", to);
    vv_status status = ioctl(out.fd, FICLONE, f->fd) ? copy_bytes(f, &out, stop, copied) : VV_OK;
    keep_owner(f, out.fd);
    vv_raw_out_close(&out);
    return status == VV_OK ? VV_OK : vv_error_prefix("%s cannot be copied", f->path);
}
