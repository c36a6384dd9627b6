/* Pictures of a plan for other programs to draw, and of the tasks of a small one. */
#ifndef VV_PLAN_EXPLAIN_TASKS_H
#define VV_PLAN_EXPLAIN_TASKS_H

#include "plan/explain/explain.h"

enum { VV_EXPLAIN_MOST_TASKS = 2000 };

/* Steps and how elements get from one to the next, in Graphviz's language. */
void vv_explain_dot(const vv_explained *x, vv_buf *out);
/* Tasks by rank, and what waits for what: in the same language, or drawn. VV_ERR_USAGE when there are more than a picture can show. */
VV_WARN_UNUSED vv_status vv_explain_tasks(const vv_plan *p, bool dot, vv_buf *out);
VV_WARN_UNUSED vv_status vv_explain_tasks_check(const vv_plan *p);

#endif
