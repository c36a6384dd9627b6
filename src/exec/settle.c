#include "exec/settle.h"

/* Seconds of patience with other ranks once the user wants an end. */
static const double patience = 0.7;

static void tell(vv_net *net, const vv_agreement *a)
{
    if (a->failure.code == VV_OK) return;
    for (int to = 0; to < net->size && !net->broken; to++)
        if (to != net->rank && vv_net_send_surely(net, to, VV_TAG_CANCEL, &to, sizeof to) != VV_OK) vv_error_clear();
}

static vv_status drain(vv_net *net, bool *got)
{
    vv_message m;
    VV_TRY(vv_net_receive(net, &m, got));
    if (*got) vv_mem_put(&m.data);
    return VV_OK;
}

static vv_status give_up(vv_net *net, const vv_agreement *a)
{
    net->broken = true;
    if (a->failure.code == VV_OK) return vv_fail(VV_ERR_TERMINATED, "terminated by a signal");
    vv_error_set(&a->failure);
    return a->failure.code;
}

/* One turn. *begun: this rank has entered the agreement. */
static vv_status turn(vv_net *net, vv_agreement *a, bool *begun, bool *done, vv_backoff *wait)
{
    bool got;
    VV_TRY(drain(net, &got));
    if (!*begun && net->sending == 0) {
        VV_TRY(net->kind->agree_begin(net, a));
        *begun = true;
    }
    if (*begun) VV_TRY(net->kind->agree_test(net, done));
    if (got)
        vv_backoff_reset(wait);
    else if (!*done)
        vv_backoff_wait(wait);
    return VV_OK;
}

vv_status vv_settle(vv_net *net, vv_agreement *a, int (*signalled)(void *context), void *context)
{
    bool begun = false, done = false;
    double since = 0;
    vv_backoff wait = {0};
    vv_status status = VV_OK;
    net->discarding = true;
    tell(net, a);
    while (!done && status == VV_OK) {
        if (since == 0 && signalled && signalled(context)) since = vv_now();
        if (net->broken || (since > 0 && vv_now() - since > patience))
            status = give_up(net, a);
        else
            status = turn(net, a, &begun, &done, &wait);
    }
    net->discarding = false;
    return status;
}
