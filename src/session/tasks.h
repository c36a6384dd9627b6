/* Tasks in a session: rank 0 has the desk (exec/tasks/desk.h), every other rank a host beside what else it serves. They begin with the first task and end with the driver. */
#ifndef VV_SESSION_TASKS_H
#define VV_SESSION_TASKS_H

#include "exec/tasks/desk.h"
#include "session/session.h"

/* The desk, which is opened, with hosts on all ranks, when there is none. */
VV_WARN_UNUSED vv_status vv_tasks_desk(vv_session *s, vv_desk **out);
/* Before anything else that ranks do together: no task runs, nothing about tasks is under way. */
VV_WARN_UNUSED vv_status vv_tasks_pause(vv_session *s);
/* Held arrays of this rank, for tasks that put chunks there or use them; tasks run beside each other. */
vv_keep *vv_tasks_keep(void);
/* All tasks have ended, nothing is left of them. */
VV_WARN_UNUSED vv_status vv_tasks_end(vv_session *s);

/* On ranks other than 0. begin: at the coordinator's message. turn: between two looks for messages; waits a moment when nothing moved. take: a message, if it is about tasks. What fails is told
 * to rank 0, which ends all. */
VV_WARN_UNUSED vv_status vv_tasks_begin(vv_net *net, const vv_message *m, vv_keep *keep, vv_host **host);
void vv_tasks_turn(vv_net *net, vv_host **host, bool moved);
VV_WARN_UNUSED bool vv_tasks_take(vv_net *net, vv_host **host, vv_message *m);

#endif
