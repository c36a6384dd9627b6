#include "storage/storage.h"

#include "base/fault.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

/* --- versions --- */

static vv_stamp stamp_of(const struct stat *s)
{
    return (vv_stamp){s->st_size, (int64_t)s->st_mtim.tv_sec * 1000000000 + s->st_mtim.tv_nsec};
}

static vv_status compare(const char *path, const vv_stamp *now, const vv_stamp *s)
{
    if (now->size == s->size && now->changed == s->changed) return VV_OK;
    return vv_fail(VV_ERR_READ, "%s has changed since it was opened", path);
}

vv_status vv_stamp_of(const char *path, vv_stamp *out)
{
    struct stat s;
    *out = (vv_stamp){0};
    if (stat(path, &s)) return strchr(path, ':') ? VV_OK : vv_fail_errno(VV_ERR_NOT_FOUND, "cannot open %s", path);
    *out = stamp_of(&s);
    return VV_OK;
}

vv_status vv_stamp_check(const char *path, const vv_stamp *s)
{
    vv_stamp now;
    VV_TRY(vv_stamp_of(path, &now));
    return compare(path, &now, s);
}

vv_status vv_raw_check(const vv_raw_file *f, const vv_stamp *s)
{
    struct stat now;
    if (fstat(f->fd, &now)) return vv_fail_errno(VV_ERR_READ, "cannot inspect %s", f->path);
    vv_stamp stamp = stamp_of(&now);
    return compare(f->path, &stamp, s);
}

/* --- reading --- */

/* Linux tells it for each device, file systems of networks included. */
static vv_bytes read_ahead(dev_t device)
{
    char path[80];
    long long kib = 0;
    snprintf(path, sizeof path, "/sys/class/bdi/%u:%u/read_ahead_kb", major(device), minor(device));
    FILE *f = fopen(path, "re");
    if (!f) return 0;
    if (fscanf(f, "%lld", &kib) != 1 || kib < 0 || kib > 1 << 30) kib = 0;
    fclose(f);
    return (vv_bytes)kib << 10;
}

vv_status vv_raw_open(const char *path, vv_raw_file *out)
{
    struct stat s;
    *out = (vv_raw_file){.fd = open(path, O_RDONLY | O_CLOEXEC), .path = path};
    if (out->fd < 0) return vv_fail_errno(VV_ERR_READ, "cannot open %s", path);
    if (fstat(out->fd, &s)) {
        vv_status status = vv_fail_errno(VV_ERR_READ, "cannot inspect %s", path);
        vv_raw_close(out);
        return status;
    }
    out->size = s.st_size;
    out->ahead = read_ahead(s.st_dev);
    return VV_OK;
}

static vv_status read_bytes(const vv_raw_file *f, vv_bytes at, vv_bytes size, void *out)
{
    vv_bytes done = 0;
    while (done < size) {
        ssize_t n = pread(f->fd, (char *)out + done, (size_t)(size - done), at + done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0)
            return vv_fail_errno(VV_ERR_READ, "%s: cannot read %lld bytes at position %lld", f->path, (long long)size,
                                 (long long)at);
        if (n == 0)
            return vv_fail(VV_ERR_READ, "%s: the file ends at %lld, inside the %lld bytes at position %lld", f->path,
                           (long long)(at + done), (long long)size, (long long)at);
        done += n;
    }
    return VV_OK;
}

vv_status vv_raw_read(const vv_raw_file *f, vv_bytes at, vv_bytes size, void *out)
{
    VV_TRY(vv_fault(VV_FAULT_READ_CHUNK));
    return read_bytes(f, at, size, out);
}

void vv_raw_close(vv_raw_file *f)
{
    if (f->fd >= 0) close(f->fd);
    f->fd = -1;
}

vv_status vv_raw_out_open(const char *path, vv_raw_out *out)
{
    *out = (vv_raw_out){.fd = open(path, O_WRONLY | O_CLOEXEC), .path = path};
    return out->fd < 0 ? vv_fail_errno(VV_ERR_WRITE, "cannot open %s for writing", path) : VV_OK;
}

/* --- by the page cache or straight to the disk ---
 *
 * The system copies what is written to a file into its page cache, under a lock of that file: ranks that write one file take turns in copying, and in getting pages
 * for what nobody will read soon. For a large output it is many times cheaper to have the disk fetch blocks from where they are (O_DIRECT). Both ways go together
 * as long as no page of the file is written in both: so whole pages go the one way, and what begins or ends within a page the other one. Where pages or blocks of
 * the file system have another size, everything goes by the cache. */

enum { DIRECT_LEAST = 1 << 20 };

/* There is a disk behind it, with blocks of no more than a page. */
static bool may_go_direct(int fd)
{
    struct statvfs blocks;
    struct statfs kind;
    if (sysconf(_SC_PAGESIZE) != VV_PAGE || fstatvfs(fd, &blocks) || fstatfs(fd, &kind)) return false;
    return blocks.f_frsize <= VV_PAGE && kind.f_type != TMPFS_MAGIC;
}

/* Where memory has to begin that the disk fetches from, as far as the system tells. */
static vv_bytes memory_alignment(int fd)
{
#ifdef STATX_DIOALIGN
    struct statx s;
    if (!statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &s) && s.stx_mask & STATX_DIOALIGN && s.stx_dio_mem_align > 0)
        return s.stx_dio_mem_align;
#endif
    (void)fd;
    return VV_PAGE;
}

void vv_raw_out_direct(vv_raw_out *out)
{
    if (out->direct || !may_go_direct(out->fd)) return;
    out->aligned = memory_alignment(out->fd);
    out->direct_fd = open(out->path, O_WRONLY | O_CLOEXEC | O_DIRECT);
    out->direct = out->direct_fd >= 0;
}

void vv_raw_allocate(const char *path, vv_bytes end)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0 && may_go_direct(fd)) (void)!fallocate(fd, 0, 0, (off_t)end);
    if (fd >= 0) close(fd);
}

/* What has reached the disk of these whole pages. Less where that is not possible, or fails: the other way tells why. */
static vv_bytes write_pages(const vv_raw_out *f, vv_bytes at, vv_bytes size, const char *data)
{
    vv_bytes done = 0;
    while (done < size) {
        ssize_t n = pwrite(f->direct_fd, data + done, (size_t)(size - done), at + done);
        if (n < 0 && errno == EINTR) continue;
        if (n < VV_PAGE) break;
        done += n / VV_PAGE * VV_PAGE;
    }
    return done;
}

/* The same of data that begins where the disk cannot fetch it: it is copied to where pages begin, which costs a tenth of what the page cache does. */
static vv_status write_shifted(const vv_raw_out *f, vv_bytes at, vv_bytes size, const char *data, vv_bytes *done)
{
    char *room;
    *done = 0;
    VV_TRY(vv_mem_get(&room, VV_DIRECT_ROOM, "pages to write"));
    for (vv_bytes some = 1; *done < size && some > 0; *done += some) {
        vv_bytes n = size - *done < VV_DIRECT_ROOM ? size - *done : VV_DIRECT_ROOM;
        memcpy(room, data + *done, (size_t)n);
        some = write_pages(f, at + *done, n, room);
    }
    vv_mem_put(&room);
    return VV_OK;
}

/* The disk begins with whole pages of what has come into the cache, so that the sync at the end finds little left to do. An error of the disk's shows
 * there, as without this. Crumbs are left to the system, which may join them. */
static void begin_write_back(int fd, vv_bytes at, vv_bytes size)
{
    enum { LEAST = 256 << 10 };
    vv_bytes first = (at + VV_PAGE - 1) / VV_PAGE * VV_PAGE, end = (at + size) / VV_PAGE * VV_PAGE;
    if (end - first >= LEAST) (void)sync_file_range(fd, first, end - first, SYNC_FILE_RANGE_WRITE);
}

/* By the page cache. */
static vv_status write_cached(const vv_raw_out *f, vv_bytes at, vv_bytes size, const char *data)
{
    vv_bytes done = 0;
    while (done < size) {
        ssize_t n = pwrite(f->fd, data + done, (size_t)(size - done), at + done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == ENOSPC || errno == EDQUOT))
            return vv_fail_errno(VV_ERR_WRITE, "%s: disk full, %lld bytes at position %lld were not written", f->path,
                                 (long long)(size - done), (long long)(at + done));
        if (n <= 0)
            return vv_fail_errno(VV_ERR_WRITE, "%s: cannot write %lld bytes at position %lld", f->path, (long long)size,
                                 (long long)at);
        done += n;
    }
    begin_write_back(f->fd, at, size);
    return VV_OK;
}

vv_status vv_raw_write(const vv_raw_out *f, vv_bytes at, vv_bytes size, const void *data)
{
    VV_TRY(vv_fault(VV_FAULT_WRITE));
    const char *bytes = data;
    if (!f->direct || size < DIRECT_LEAST) return write_cached(f, at, size, bytes);
    vv_bytes head = (VV_PAGE - at % VV_PAGE) % VV_PAGE, pages = (size - head) / VV_PAGE * VV_PAGE, done;
    if ((uintptr_t)(bytes + head) % (uintptr_t)f->aligned)
        VV_TRY(write_shifted(f, at + head, pages, bytes + head, &done));
    else
        done = write_pages(f, at + head, pages, bytes + head);
    VV_TRY(write_cached(f, at, head, bytes));
    return write_cached(f, at + head + done, size - head - done, bytes + head + done);
}

/* File systems of networks copy on their server. Others would pass single pages through a pipe, which takes half as much time again as reading and
 * writing does; and what could share blocks wants whole ones, which chunks are not. */
static bool copies_by_itself(int fd)
{
    static const unsigned kind[] = {NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, CIFS_SUPER_MAGIC, SMB2_SUPER_MAGIC,
                                    CEPH_SUPER_MAGIC};
    struct statfs s;
    if (fstatfs(fd, &s)) return false;
    for (size_t k = 0; k < sizeof kind / sizeof *kind; k++)
        if ((unsigned)s.f_type == kind[k]) return true;
    return false;
}

/* What the system has copied of them; less than `size` when it cannot go on, for whatever reason. */
static vv_bytes copy_in_kernel(int from, vv_bytes at, int to, vv_bytes to_at, vv_bytes size)
{
    off_t in = at, out = to_at;
    while (in - at < size) {
        ssize_t n = copy_file_range(from, &in, to, &out, (size_t)(size - (in - at)), 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
    }
    return in - at;
}

/* Bytes through `room`, by the page cache. */
static vv_status copy_cached(const vv_raw_file *from, vv_bytes at, const vv_raw_out *to, vv_bytes to_at, vv_bytes size,
                             char *room, vv_bytes room_size)
{
    for (vv_bytes done = 0, some; done < size; done += some) {
        some = room_size < size - done ? room_size : size - done;
        VV_TRY(read_bytes(from, at + done, some, room));
        VV_TRY(write_cached(to, to_at + done, some, room));
    }
    return VV_OK;
}

/* Whole pages of the output through `room`, which begins at a page of memory: read to where they begin, they need not be moved. *done: what has reached the disk. */
static vv_status copy_pages(const vv_raw_file *from, vv_bytes at, const vv_raw_out *to, vv_bytes to_at, vv_bytes size,
                            char *room, vv_bytes room_size, vv_bytes *done)
{
    *done = 0;
    for (vv_bytes some = 1; *done < size && some > 0; *done += some) {
        vv_bytes n = room_size < size - *done ? room_size : size - *done;
        VV_TRY(read_bytes(from, at + *done, n, room));
        some = write_pages(to, to_at + *done, n, room);
    }
    return VV_OK;
}

vv_status vv_raw_copy(const vv_raw_file *from, vv_bytes at, const vv_raw_out *to, vv_bytes to_at, vv_bytes size,
                      void *room, vv_bytes room_size)
{
    VV_TRY(vv_fault(VV_FAULT_READ_CHUNK));
    VV_TRY(vv_fault(VV_FAULT_WRITE));
    vv_bytes done = copies_by_itself(to->fd) ? copy_in_kernel(from->fd, at, to->fd, to_at, size) : 0;
    vv_bytes head = (VV_PAGE - to_at % VV_PAGE) % VV_PAGE, whole_room = room_size / VV_PAGE * VV_PAGE;
    if (!done && to->direct && size >= DIRECT_LEAST && whole_room > 0 && (uintptr_t)room % VV_PAGE == 0) {
        vv_bytes pages = (size - head) / VV_PAGE * VV_PAGE;
        VV_TRY(copy_cached(from, at, to, to_at, head, room, room_size));
        VV_TRY(copy_pages(from, at + head, to, to_at + head, pages, room, whole_room, &done));
        done += head;
    }
    /* the rest, also after an error, which shows again */
    return copy_cached(from, at + done, to, to_at + done, size - done, room, room_size);
}

vv_status vv_raw_out_sync(const vv_raw_out *f)
{
    VV_TRY(vv_fault(VV_FAULT_SYNC));
    while (fsync(f->fd)) {
        if (errno == EINTR) continue;
        /* Pipes and some network file systems have nothing to sync. */
        if (errno == EINVAL || errno == EROFS) return VV_OK;
        return vv_fail_errno(VV_ERR_WRITE, "%s: %s", f->path,
                             errno == ENOSPC || errno == EDQUOT ? "disk full" : "cannot sync");
    }
    return VV_OK;
}

void vv_raw_out_close(vv_raw_out *f)
{
    if (f->fd >= 0) close(f->fd);
    if (f->direct) close(f->direct_fd);
    f->fd = -1;
    f->direct = false;
}
