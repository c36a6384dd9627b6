/* Bells: how ranks of one machine, and threads of a rank, wake a rank's main thread.
 *
 * Messages are found by looking, and who has nothing to do looks less and less often. So that nobody is late who sleeps, a rank says that it is going to, looks once more, and sleeps until somebody rings or the time is
 * over; whoever has sent it something, or ended a task for it, rings:
 *
 *     vv_bell_lay(b); look;  vv_bell_sleep(b, seconds);      |      send;  vv_bell_ring(b)        costs nothing unless b sleeps
 *
 * Nothing depends on a bell but how soon something is seen: one that is not there, on another machine say, or rings for nothing does no harm.
 *
 * Ranks of a machine share a piece of memory that has no name (memfd), and which one of them has made; the others open it as the maker's. */
#ifndef VV_EXEC_NET_BELL_H
#define VV_EXEC_NET_BELL_H

#include "base/status.h"

#include <stdatomic.h>

typedef struct vv_bell {
    _Atomic uint32_t asleep; /* or about to */
    char apart[60];          /* a cache line for each */
} vv_bell;

/* Where the bells of a machine are, as plain data; made by one of its ranks and sent to the others. */
typedef struct vv_belfry {
    int64_t sign; /* that it is the one; 0: there is none */
    int32_t process, file, n;
} vv_belfry;

void vv_belfry_make(int n, vv_belfry *out);
/* The n bells; NULL when they cannot be had. */
vv_bell *vv_belfry_enter(const vv_belfry *b);
void vv_belfry_leave(vv_bell *bells, int n);

static inline bool vv_bell_asleep(const vv_bell *b)
{
    return atomic_load_explicit(&b->asleep, memory_order_relaxed) != 0;
}
void vv_bell_ring(vv_bell *b);
/* From here on it can be rung. */
void vv_bell_lay(vv_bell *b);
void vv_bell_sleep(vv_bell *b, double seconds);
/* Awake again, without having slept. */
void vv_bell_rise(vv_bell *b);

#endif
