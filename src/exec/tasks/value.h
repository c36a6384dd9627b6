/* Values that this rank has: results of tasks and scattered data, larger than what fits a message about them.
 *
 * They are counted. Beyond a limit the oldest that nobody is using go to the scratch file, and come back when somebody does: pinned values stay in
 * memory. The table is guarded by its owner's lock. */
#ifndef VV_EXEC_TASKS_VALUE_H
#define VV_EXEC_TASKS_VALUE_H

#include "exec/push/spill.h"

#include "base/mem.h"

typedef struct vv_kept {
    int64_t id;
    int kind; /* vv_arg_kind */
    vv_bytes size;
    void *block;      /* from vv_mem_get; NULL: in the scratch file */
    const char *data; /* in the block */
    vv_extent extent;
    int users;                     /* that need it in memory */
    bool dropped;                  /* goes with its last user */
    struct vv_kept *older, *newer; /* of those in memory */
    struct vv_kept *chain;
} vv_kept;

typedef struct vv_shelf {
    vv_kept **bucket;
    int bits;
    vv_index n;
    vv_kept *oldest, *newest;
    vv_bytes bytes, limit; /* in memory */
    vv_spill *spill;
} vv_shelf;

/* limit: bytes to be held in memory, 0 for any. scratch: NULL for the usual directory. */
VV_WARN_UNUSED vv_status vv_shelf_open(vv_shelf *v, vv_bytes limit, const char *scratch);
void vv_shelf_close(vv_shelf *v);
/* Takes *block, of which `offset` is where the value begins; older ones may be spilled. */
VV_WARN_UNUSED vv_status vv_shelf_put(vv_shelf *v, int64_t id, int kind, void **block, vv_bytes offset, vv_bytes size);
vv_kept *vv_shelf_find(const vv_shelf *v, int64_t id);
/* In memory until it is let go. */
VV_WARN_UNUSED vv_status vv_shelf_pin(vv_shelf *v, vv_kept *k);
void vv_shelf_unpin(vv_kept *k);
/* Nothing happens when there is none. */
void vv_shelf_drop(vv_shelf *v, int64_t id);
/* Spills until so many bytes more would be within the limit, or all is spilled that can be. */
VV_WARN_UNUSED vv_status vv_shelf_make_room(vv_shelf *v, vv_bytes more);

#endif
