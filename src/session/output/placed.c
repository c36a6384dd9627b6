/* Where the ranks are: gathered when a session starts, told when its first plan or its first task goes out. */
#include "base/log.h"
#include "observe/job.h"
#include "session/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

vv_status vv_placed_gather(vv_net *net, vv_crew *out)
{
    vv_berth mine, *all = NULL;
    vv_berth_look("", &mine);
    if (net->rank == 0) VV_TRY(vv_new(&all, (size_t)net->size, sizeof *all));
    vv_status status = vv_net_gather(net, &mine, (int)sizeof mine, all);
    if (status == VV_OK && all) status = vv_crew_count(all, net->size, out);
    free(all);
    return status;
}

/* In the log of a batch job, with --stats, and where log lines are wanted. */
static void tell_line(const vv_session *s)
{
    char line[512];
    vv_log_level level = vv_log_get();
    bool log = s->progress != VV_PROGRESS_OFF && vv_batch_job();
    vv_crew_line(&s->crew, s->threads, s->memory, line, sizeof line);
    if (level >= VV_LOG_WARN && (log || s->predict))
        fprintf(stderr, "varve: ranks: %s\n", line);
    else
        vv_say(VV_LOG_INFO, "ranks: %s", line);
}

void vv_placed_tell(vv_session *s)
{
    char text[512];
    const char *said = getenv("OMPI_MCA_rmaps_base_oversubscribe"); /* mpirun --oversubscribe */
    bool allowed = said && atoi(said) == 1;
    if (s->told) return;
    s->told = true;
    tell_line(s);
    for (int i = 0; vv_crew_warning(&s->crew, s->threads, allowed, i, text, sizeof text); i++)
        vv_say(VV_LOG_WARN, "%s", text);
}

int vv_session_nodes(const vv_session *s)
{
    return s->crew.nodes;
}

char *vv_session_placed(const vv_session *s)
{
    char line[512];
    vv_crew_line(&s->crew, s->threads, s->memory, line, sizeof line);
    return strdup(line);
}

char *vv_machine_text(void)
{
    char text[256];
    vv_computer_text("", text, sizeof text);
    return strdup(text);
}
