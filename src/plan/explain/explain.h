/* explain: a plan, what it costs and what it is expected to take, for people (text, a picture) and for programs (JSON). */
#ifndef VV_PLAN_EXPLAIN_H
#define VV_PLAN_EXPLAIN_H

#include "plan/model.h"

typedef struct vv_explained {
    const vv_plan *plan;
    const vv_cost *cost;
    vv_bytes baseline;
    const vv_model *model; /* may be NULL: no seconds */
    bool measured;         /* the model's rates were measured here; else they are the usual ones */
} vv_explained;

void vv_explain_text(const vv_explained *x, vv_buf *out);
void vv_explain_json(const vv_explained *x, vv_buf *out);
void vv_explain_svg(const vv_explained *x, vv_buf *out);
void vv_explain_brief(const vv_explained *x, vv_buf *out);

/* What a step, or a run, has done on all ranks together; seconds are those of a rank. */
typedef struct vv_measured {
    vv_index tasks;
    vv_bytes read, pushed, moved, written;
    double seconds;
} vv_measured;
/* A table of both; measured: by step. The cost is a counted one. */
void vv_explain_beside(const vv_explained *x, const vv_measured measured[], const vv_measured *all, vv_bytes peak,
                       vv_buf *out);

/* Words that all of them share. */
extern const char *const vv_step_op_name[];
extern const char *const vv_access_name[VV_ACCESSES];
/* How an input sees its arrays: "same chunk", "permute", "broadcast, halo", ... */
void vv_explain_map(const vv_plan *p, const vv_step *s, int input, vv_buf *out);
/* "[24, 361]": extents, or chunks. */
void vv_explain_dims(vv_buf *b, const vv_grid *g, bool chunks);
/* What is read of it over what is wanted at all; 1 when nothing is. */
double vv_explain_amplification(const vv_step_cost *c);
/* "850 us", "1.25 s", "2 h 5 min". */
const char *vv_seconds_text(double seconds, char out[32]);

#endif
