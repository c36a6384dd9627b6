/* The files of a journal (journal.h), for those who write and read them. */
#ifndef VV_EXEC_JOURNAL_FILE_H
#define VV_EXEC_JOURNAL_FILE_H

#include "exec/journal/journal.h"
#include "kernels/codec/checksum.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { VV_JOURNAL_PATH = 4096, VV_JOURNAL_MAGIC = 0x4c4a5656 };

typedef enum vv_journal_what {
    VV_JOURNAL_VALUES, /* follow */
    VV_JOURNAL_PLACED, /* are in the output */
    VV_JOURNAL_SYNCED  /* all before `at` of this file is on the disk */
} vv_journal_what;

/* Of a record. */
typedef struct vv_journal_head {
    uint32_t magic, kind;
    uint64_t identity; /* of the step */
    int64_t out, level, i, at, size;
    uint64_t sum; /* of the values */
    uint64_t own; /* of all before this */
} vv_journal_head;

static inline void vv_journal_path(const char *directory, int run, int rank, const char *what,
                                   char out[VV_JOURNAL_PATH])
{
    snprintf(out, VV_JOURNAL_PATH, "%s/%d-%d.%s", directory, run, rank, what);
}

static inline const char *vv_journal_kind(bool done)
{
    return done ? "done" : "open";
}

static inline bool vv_journal_read_all(int fd, void *data, vv_bytes size, vv_bytes at)
{
    for (vv_bytes n = 0; n < size;) {
        ssize_t k = pread(fd, (char *)data + n, (size_t)(size - n), at + n);
        if (k > 0)
            n += k;
        else if (k == 0 || errno != EINTR)
            return false;
    }
    return true;
}

static inline uint64_t vv_journal_head_sum(const vv_journal_head *h)
{
    return vv_checksum_of(h, (vv_bytes)offsetof(vv_journal_head, own));
}

#endif
