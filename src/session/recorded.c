/* Records of runs (observe/trace.h): what a plan has to tell of itself, before it runs and afterwards. */
#include "observe/trace.h"
#include "session/session.h"

#include <stdlib.h>

vv_status vv_session_record(vv_session *s, const char *command, const char *trace, const char *report)
{
    char *machine = vv_machine_text(), *placed = vv_session_placed(s);
    vv_buf place = {0};
    vv_buf_printf(&place, "%s; ranks: %s", machine ? machine : "", placed ? placed : "");
    free(machine);
    free(placed);
    vv_status status = vv_buf_status(&place);
    if (status == VV_OK) status = vv_record_begin(&(vv_record_names){trace, report, command, place.data});
    vv_buf_free(&place);
    return status;
}

void vv_recorded_rank(void *prepared, const vv_rank_trace *t)
{
    (void)prepared;
    vv_record_rank(t);
}

vv_status vv_recorded_end(vv_session *s, vv_prepared *p)
{
    const vv_run_stats *t = &s->stats;
    vv_explain_options svg = {.form = VV_EXPLAIN_SVG};
    vv_record_plan x = {.table = s->report,
                        .seconds = t->seconds,
                        .plan_seconds = t->plan_seconds,
                        .read = t->read,
                        .moved = t->moved,
                        .written = t->written,
                        .peak = t->peak,
                        .budget = p->lowering.plan->budget,
                        .tasks = t->tasks};
    char *picture = NULL;
    if (p->lowering.plan->trace == 0) return VV_OK;
    VV_TRY(vv_prepared_explain(s, p, &svg, &picture));
    x.picture = picture;
    vv_status status = vv_record_plan_end(&x);
    free(picture);
    return status;
}
