/* Acts: what has nothing to do with each other, and holds much, runs one after the other (plan/cost/cost.h).
 *
 * A rank that has ended an act - all its units, all partial results combined, everything sent and received - tells the coordinator. When all have, the
 * coordinator tells everybody that the next act begins. Units of the act at work never wait for those of a later one, so each act ends. */
#include "exec/run.h"

static vv_status begin(vv_run *r, int act)
{
    int64_t number = act;
    for (int rank = 1; rank < r->net->size; rank++)
        VV_TRY(vv_net_send_copy(r->net, rank, VV_TAG_ACT, &number, sizeof number));
    vv_agenda_begin_act(r->agenda, act);
    return VV_OK;
}

/* Coordinator: a rank has ended so many acts. Messages may overtake each other: an older one says nothing new. */
static vv_status note(vv_run *r, int rank, int ended)
{
    int before = ended, after = ended;
    if (ended <= r->ended[rank]) return VV_OK;
    for (int i = 0; i < r->net->size; i++)
        if (r->ended[i] < before) before = r->ended[i];
    r->ended[rank] = ended;
    for (int i = 0; i < r->net->size; i++)
        if (r->ended[i] < after) after = r->ended[i];
    return after > before && after < vv_agenda_acts(r->agenda) ? begin(r, after) : VV_OK;
}

vv_status vv_act_look(vv_run *r)
{
    if (!r->agenda || r->draining || vv_agenda_acts(r->agenda) == 1) return VV_OK;
    int ended = vv_agenda_acts_ended(r->agenda);
    if (ended <= r->told || atomic_load(&r->queued) + atomic_load(&r->flying) > 0 || vv_trees_wait(r, ended))
        return VV_OK;
    vv_stages_clear(r);
    r->told = ended;
    int64_t number = ended;
    if (r->net->rank == 0) return note(r, 0, ended);
    return vv_net_send_copy(r->net, 0, VV_TAG_ACT, &number, sizeof number);
}

bool vv_act_untold(const vv_run *r)
{
    return vv_agenda_acts(r->agenda) > 1 && r->told < vv_agenda_acts(r->agenda);
}

vv_status vv_act_receive(vv_run *r, const vv_message *m)
{
    int64_t number = -1;
    if (m->size == sizeof number) number = *(const int64_t *)m->data;
    if (number < 0 || number > vv_agenda_acts(r->agenda))
        return vv_fail(VV_ERR_INTERNAL, "rank %d speaks of an act that there is not", m->from);
    if (r->net->rank == 0) return note(r, m->from, (int)number);
    vv_agenda_begin_act(r->agenda, (int)number);
    return VV_OK;
}
