/* Outputs are complete or absent.
 *
 * A result is written under a hidden temporary name in the directory of its final name, so that the last step is one atomic rename on one
 * file system. Without -O that step must not replace a file that appeared while the run was going (another run, the user): renameat2 with
 * RENAME_NOREPLACE says so atomically; file systems without it get link() + unlink(), which fails in the same way, and those without
 * hard links a look before an ordinary rename. The directory is synced after the rename, as the rename itself lives there. */
#include "storage/storage.h"

#include "base/fault.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The directory part of a path, "." when there is none, and the name behind it. */
static vv_status split(const char *path, char **directory, const char **name)
{
    const char *slash = strrchr(path, '/');
    *name = slash ? slash + 1 : path;
    VV_TRY(vv_strdup(directory, slash ? path : "."));
    if (slash) (*directory)[slash == path ? 1 : slash - path] = 0;
    return VV_OK;
}

static vv_status check_directory(const char *path, const char *directory)
{
    struct stat s;
    if (stat(directory, &s)) return vv_fail_errno(VV_ERR_WRITE, "cannot write %s: directory %s", path, directory);
    if (!S_ISDIR(s.st_mode)) return vv_fail(VV_ERR_WRITE, "cannot write %s: %s is not a directory", path, directory);
    if (faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS))
        return vv_fail_errno(VV_ERR_WRITE, "cannot write %s: directory %s is not writable", path, directory);
    return VV_OK;
}

static vv_status check_target(const char *path, bool overwrite)
{
    struct stat s;
    if (stat(path, &s) && lstat(path, &s)) return VV_OK;
    if (S_ISDIR(s.st_mode)) return vv_fail(VV_ERR_WRITE, "cannot write %s: it is a directory", path);
    if (!S_ISREG(s.st_mode) && !S_ISLNK(s.st_mode))
        return vv_fail(VV_ERR_WRITE, "cannot write %s: it is not a regular file", path);
    return overwrite ? VV_OK : vv_fail(VV_ERR_EXISTS, "%s exists; use -O to overwrite", path);
}

/* Names may have 255 bytes: a very long one is cut in the temporary name. */
static vv_status hidden_beside(const char *directory, const char *name, const char *what, char **out)
{
    size_t size = strlen(directory) + strlen(name) + strlen(what) + 8;
    VV_TRY(vv_new(out, size, 1));
    snprintf(*out, size, "%s/.%.200s.%s", directory, name, what);
    return VV_OK;
}

static vv_status make_temporary(const char *directory, const char *name, char **temporary)
{
    char what[48];
    snprintf(what, sizeof what, "%ld.varve-part", (long)getpid());
    return hidden_beside(directory, name, what, temporary);
}

vv_status vv_output_path_beside(const char *path, const char *what, char **out)
{
    char *directory;
    const char *name;
    VV_TRY(split(path, &directory, &name));
    vv_status status = hidden_beside(directory, name, what, out);
    free(directory);
    return status;
}

vv_status vv_output_path_check(const char *path, bool overwrite, char **temporary)
{
    char *directory;
    const char *name;
    *temporary = NULL;
    VV_TRY(split(path, &directory, &name));
    vv_status status = check_directory(path, directory);
    if (status == VV_OK && (!*name || !strcmp(name, ".") || !strcmp(name, "..")))
        status = vv_fail(VV_ERR_WRITE, "cannot write '%s': it is a directory", path);
    if (status == VV_OK && strlen(name) > 255)
        status = vv_fail(VV_ERR_WRITE, "cannot write %s: the name is longer than 255 bytes", path);
    if (status == VV_OK) status = check_target(path, overwrite);
    if (status == VV_OK) status = make_temporary(directory, name, temporary);
    free(directory);
    return status;
}

static int rename_by_link(const char *from, const char *to)
{
    if (!link(from, to)) return unlink(from);
    if (errno == EEXIST) return -1;
    struct stat s;
    if (!lstat(to, &s)) {
        errno = EEXIST;
        return -1;
    }
    return rename(from, to);
}

static int rename_new(const char *from, const char *to)
{
    if (!renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE)) return 0;
    return errno == EINVAL || errno == ENOSYS ? rename_by_link(from, to) : -1;
}

static vv_status sync_directory(const char *path)
{
    char *directory;
    const char *name;
    VV_TRY(split(path, &directory, &name));
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(directory);
    if (fd < 0) return VV_OK; /* a directory may be writable and not readable: the rename itself succeeded */
    bool failed = fsync(fd) && errno != EINVAL && errno != EROFS;
    vv_status status = failed ? vv_fail_errno(VV_ERR_WRITE, "cannot sync the directory of %s", path) : VV_OK;
    close(fd);
    return status;
}

vv_status vv_output_path_commit(const char *temporary, const char *path, bool overwrite)
{
    VV_TRY(vv_fault(VV_FAULT_RENAME));
    int failed = overwrite ? rename(temporary, path) : rename_new(temporary, path);
    if (failed && errno == EEXIST && !overwrite)
        return vv_fail(VV_ERR_EXISTS, "%s appeared while the run was going; use -O to overwrite", path);
    if (failed) return vv_fail_errno(VV_ERR_WRITE, "cannot give the finished output its name %s", path);
    return sync_directory(path);
}

void vv_output_path_discard(const char *temporary)
{
    if (temporary) unlink(temporary);
}
