/* The end of every run: all ranks agree on its outcome, whatever happened to any of them.
 *
 * A rank that comes here has stopped sending. One that failed tells the others, once. Messages that still arrive are thrown away, so that every
 * sender can finish; when this rank's own sends have landed it enters the agreement. Nobody can hang on a rank that failed. */
#ifndef VV_EXEC_SETTLE_H
#define VV_EXEC_SETTLE_H

#include "exec/net/net.h"

/* Collective. a: in: this rank's failure and numbers, out: everybody's. signalled may be NULL; after a signal others may be gone, and
 * waiting for them ends soon: then the net is broken. Returns what happened to the agreement itself; a->failure is the run's. */
VV_WARN_UNUSED vv_status vv_settle(vv_net *net, vv_agreement *a, int (*signalled)(void *context), void *context);

#endif
