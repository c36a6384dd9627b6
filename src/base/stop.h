/* Whether something asks this process to end: the session's handlers of signals write it down, and work that lasts without the engine, which looks by itself,
 * asks now and then.
 *
 *     VV_TRY(vv_stop_check());
 */
#ifndef VV_BASE_STOP_H
#define VV_BASE_STOP_H

#include "base/status.h"

#include <signal.h>

/* The last signal that has come; 0: none has. */
extern volatile sig_atomic_t vv_stop_signal;

/* VV_ERR_INTERRUPTED by a SIGINT, VV_ERR_TERMINATED by another signal. */
VV_WARN_UNUSED vv_status vv_stop_check(void);

#endif
