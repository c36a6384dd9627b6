/* Spilling: bytes for which there is no room wait in a file of this rank's own.
 *
 * The file has no name (O_TMPFILE, or removed as soon as it is made): whatever ends the process, nothing is left behind. It is made by the first write.
 * Writes go one behind the other; a piece that is read back is checked against a checksum that stays in memory, and what
 * is no longer wanted is given back to the disk by punching holes. Any thread may call everything but open and close. */
#ifndef VV_EXEC_PUSH_SPILL_H
#define VV_EXEC_PUSH_SPILL_H

#include "base/status.h"

typedef struct vv_spill vv_spill;

/* Where bytes lie in the file, and their checksum (kernels/codec/checksum.h). */
typedef struct vv_extent {
    vv_bytes at, size;
    uint64_t sum;
} vv_extent;

/* directory: NULL for $TMPDIR or /tmp. Nothing is made yet. */
VV_WARN_UNUSED vv_status vv_spill_open(const char *directory, vv_spill **out);
void vv_spill_close(vv_spill **s);
VV_WARN_UNUSED vv_status vv_spill_write(vv_spill *s, const void *data, vv_bytes size, vv_extent *out);
/* VV_ERR_CORRUPT when it is not what was written. */
VV_WARN_UNUSED vv_status vv_spill_read(vv_spill *s, const vv_extent *e, void *out);
void vv_spill_drop(vv_spill *s, const vv_extent *e);
vv_bytes vv_spill_written(const vv_spill *s);
const char *vv_spill_directory(const vv_spill *s);

#endif
