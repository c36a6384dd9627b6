#include "exec/push/spill.h"

#include "base/fault.h"
#include "base/mem.h"
#include "kernels/codec/checksum.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct vv_spill {
    char *directory;
    pthread_mutex_t lock; /* guards making the file */
    _Atomic int fd;       /* -1: not made yet */
    _Atomic vv_bytes end;
};

vv_status vv_spill_open(const char *directory, vv_spill **out)
{
    vv_spill *s;
    const char *temporary = getenv("TMPDIR");
    if (!directory) directory = temporary && *temporary ? temporary : "/tmp";
    VV_TRY(vv_new(&s, 1, sizeof *s));
    vv_status status = vv_strdup(&s->directory, directory);
    if (status != VV_OK) {
        free(s);
        return status;
    }
    pthread_mutex_init(&s->lock, NULL);
    atomic_store(&s->fd, -1);
    *out = s;
    return VV_OK;
}

void vv_spill_close(vv_spill **spill)
{
    vv_spill *s = *spill;
    if (!s) return;
    if (atomic_load(&s->fd) >= 0) close(atomic_load(&s->fd));
    pthread_mutex_destroy(&s->lock);
    free(s->directory);
    free(s);
    *spill = NULL;
}

/* A file without a name; where the file system has none, a name that lives for an instant. */
static int nameless(const char *directory)
{
    char path[4096];
    int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) return fd;
    if (snprintf(path, sizeof path, "%s/.varve-spill-XXXXXX", directory) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) unlink(path);
    return fd;
}

static vv_status make_file(vv_spill *s)
{
    vv_status status = VV_OK;
    pthread_mutex_lock(&s->lock);
    if (atomic_load(&s->fd) < 0) {
        int fd = nameless(s->directory);
        if (fd < 0) status = vv_fail_errno(VV_ERR_WRITE, "cannot make a scratch file in %s", s->directory);
        atomic_store(&s->fd, fd);
    }
    pthread_mutex_unlock(&s->lock);
    return status;
}

vv_status vv_spill_write(vv_spill *s, const void *data, vv_bytes size, vv_extent *out)
{
    VV_TRY(vv_fault(VV_FAULT_SPILL_WRITE));
    if (atomic_load(&s->fd) < 0) VV_TRY(make_file(s));
    *out = (vv_extent){atomic_fetch_add(&s->end, size), size, vv_checksum_of(data, size)};
    for (vv_bytes done = 0; done < size;) {
        ssize_t n = pwrite(atomic_load(&s->fd), (const char *)data + done, (size_t)(size - done), out->at + done);
        if (n > 0)
            done += n;
        else if (n < 0 && errno != EINTR)
            return vv_fail_errno(VV_ERR_WRITE, "cannot write to the scratch directory %s", s->directory);
    }
    return VV_OK;
}

vv_status vv_spill_read(vv_spill *s, const vv_extent *e, void *out)
{
    VV_TRY(vv_fault(VV_FAULT_SPILL_READ));
    for (vv_bytes done = 0; done < e->size;) {
        ssize_t n = pread(atomic_load(&s->fd), (char *)out + done, (size_t)(e->size - done), e->at + done);
        if (n > 0)
            done += n;
        else if (n == 0)
            return vv_fail(VV_ERR_CORRUPT, "the scratch file in %s is shorter than what was written", s->directory);
        else if (errno != EINTR)
            return vv_fail_errno(VV_ERR_READ, "cannot read back from the scratch directory %s", s->directory);
    }
    if (vv_checksum_of(out, e->size) == e->sum) return VV_OK;
    return vv_fail(VV_ERR_CORRUPT, "the scratch file in %s gives back something else than was written", s->directory);
}

/* Where the file system cannot punch holes the bytes stay until the end: no harm but their room. */
void vv_spill_drop(vv_spill *s, const vv_extent *e)
{
    (void)!fallocate(atomic_load(&s->fd), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, e->at, e->size);
}

vv_bytes vv_spill_written(const vv_spill *s)
{
    return atomic_load(&s->end);
}

const char *vv_spill_directory(const vv_spill *s)
{
    return s->directory;
}
