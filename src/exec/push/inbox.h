/* The store's inside: inboxes, and what is on disk of those that are spilled. For store.c and store_spill.c alone. */
#ifndef VV_EXEC_PUSH_INBOX_H
#define VV_EXEC_PUSH_INBOX_H

#include "exec/push/store.h"

#include <pthread.h>
#include <stdatomic.h>

enum { VV_STORE_BUCKETS = 1 << 14, VV_STORE_LOCKS = 256 /* bucket b is guarded by lock b % VV_STORE_LOCKS */ };

/* What is on disk of a spilled inbox, and the pieces that are not there yet. */
typedef struct vv_spilled {
    pthread_mutex_t lock;
    int n;
    vv_extent *extent;
    char *pending;
    vv_bytes fill, capacity;
} vv_spilled;

typedef struct vv_inbox {
    struct vv_inbox *next;
    int step, input;
    vv_index key;
    _Atomic vv_index due;     /* elements that have not come */
    _Atomic int64_t sequence; /* -1 until it is complete */
    vv_index uses;            /* to come; guarded by the bucket's lock */
    vv_bytes bytes;
    const void *_Atomic block; /* NULL: spilled */
    void *own;                 /* what is freed with it; NULL: the block is lent, or there is none */
    vv_spilled *spilled;
} vv_inbox;

/* One input. */
typedef struct vv_gate {
    vv_edge edge;
    bool made;
    bool pushed;
    vv_bytes size; /* of a working value */
    unsigned char fill[16];
} vv_gate;

struct vv_store {
    const vv_plan *plan;
    int rank;
    vv_gate **gate; /* by step, by input; NULL for steps that have none */
    vv_inbox *bucket[VV_STORE_BUCKETS];
    pthread_mutex_t lock[VV_STORE_LOCKS];
    pthread_mutex_t order; /* guards giving numbers */
    int64_t sequence;
    _Atomic vv_bytes held;    /* by inboxes in memory */
    _Atomic vv_bytes pending; /* by pieces on their way to the file */
    _Atomic vv_index count;
    _Atomic int crowded;  /* an inbox had to be spilled */
    _Atomic int64_t lose; /* tests: so many pieces from now on one gets lost; 0: none does */
    vv_spill *spill;
    vv_spared *spared;
};

/* Values of a box `piece` go to where they belong in the block of an inbox that has the box. */
void vv_inbox_copy_in(const vv_gate *g, const vv_box *box, const vv_box *piece, const void *values,
                      const vv_index from[], char *block);

VV_WARN_UNUSED vv_status vv_spilled_new(vv_spilled **out);
void vv_spilled_free(vv_store *s, vv_spilled **spilled);
/* A piece of the inbox with this box; any thread. */
VV_WARN_UNUSED vv_status vv_spilled_put(vv_store *s, const vv_gate *g, vv_spilled *p, const vv_box *box,
                                        const vv_box *piece, const void *values, const vv_index stride[]);
/* All pieces into the block; under the lock. */
VV_WARN_UNUSED vv_status vv_spilled_read(vv_store *s, const vv_gate *g, const vv_spilled *p, const vv_box *box,
                                         char *block);

#endif
