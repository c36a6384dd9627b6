/* The coordinator has asked other ranks for something, and hears what they say. */
#include "exec/net/net.h"
#include "session/session.h"

vv_status vv_answers_hear(vv_net *net, vv_tag tag, int answers, vv_status (*take)(void *context, const vv_message *m),
                          void *context)
{
    vv_backoff wait = {0};
    vv_status status = VV_OK;
    double ending = 0;
    while (answers > 0) {
        vv_message m;
        bool got;
        VV_TRY(vv_net_receive(net, &m, &got));
        if (!got) {
            vv_backoff_wait(&wait);
            if (vv_signals_seen(NULL) && ending == 0) ending = vv_now();
            if (ending == 0 || vv_now() - ending < 2) continue;
            net->broken = true;
            return vv_fail(VV_ERR_INTERRUPTED, "interrupted");
        }
        vv_backoff_reset(&wait);
        if (m.tag != tag)
            status = vv_fail(VV_ERR_INTERNAL, "a message of kind %d where answers of kind %d are waited for",
                             (int)m.tag, (int)tag);
        else if (status == VV_OK)
            status = take(context, &m);
        answers -= m.tag == tag;
        vv_mem_put(&m.data);
    }
    return status;
}
