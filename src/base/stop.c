#include "base/stop.h"

volatile sig_atomic_t vv_stop_signal;

vv_status vv_stop_check(void)
{
    if (!vv_stop_signal) return VV_OK;
    if (vv_stop_signal == SIGINT) return vv_fail(VV_ERR_INTERRUPTED, "interrupted");
    return vv_fail(VV_ERR_TERMINATED, "terminated by a signal");
}
