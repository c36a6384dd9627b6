/* Blocks of inboxes that are gone, for those to come.
 *
 * Memory that goes back to the system comes again page by page, each cleared: that costs as much as filling an inbox. So blocks are kept, but only as long as
 * the next ones are of their size: what is kept and what is in use are never more than what was in use at once. Any thread may get and put. */
#ifndef VV_EXEC_SPARE_H
#define VV_EXEC_SPARE_H

#include "base/mem.h"

#include <pthread.h>

enum { VV_SPARES = 256 };

typedef struct vv_spares {
    pthread_mutex_t lock;
    int n;
    vv_bytes bytes; /* of each */
    void *block[VV_SPARES];
} vv_spares;

void vv_spares_open(vv_spares *s);
void vv_spares_close(vv_spares *s);
/* What is in the block is not said. */
VV_WARN_UNUSED vv_status vv_spares_get(vv_spares *s, vv_bytes bytes, void **out);
/* `block`: one of so many bytes, from here or from vv_mem_get(). */
void vv_spares_put(vv_spares *s, vv_bytes bytes, void *block);

#endif
