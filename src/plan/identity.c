/* What a step is, whoever does it: the hash of everything that its values depend on, with the steps that feed it. */
#include "plan/plan.h"

#include <stdlib.h>
#include <string.h>

/* Copies of a step's inputs that stand for themselves: how elements get there, and the numbers of steps, are left out. */
static vv_status bare_inputs(const vv_step *s, vv_input **out)
{
    vv_status status = vv_new(out, (size_t)s->n_inputs + 1, sizeof **out);
    for (int k = 0; k < s->n_inputs && status == VV_OK; k++) {
        vv_input *in = &(*out)[k];
        *in = s->input[k];
        in->access = VV_ACCESS_STREAM;
        in->part = NULL;
        status = vv_new(&in->part, (size_t)in->n_parts + 1, sizeof *in->part);
        for (int j = 0; j < in->n_parts && status == VV_OK; j++) {
            in->part[j] = s->input[k].part[j];
            in->part[j].from = 0;
        }
    }
    return status;
}

static void free_inputs(const vv_step *s, vv_input *in)
{
    for (int k = 0; in && k < s->n_inputs; k++) free(in[k].part);
    free(in);
}

/* identity: of the steps in front of this one. */
static vv_status identify(const vv_plan *p, int step, uint64_t identity[])
{
    char nameless[] = "";
    const vv_step *s = &p->step[step];
    vv_step alone = *s;
    vv_plan content = {.n_steps = 1, .step = &alone};
    alone.name = nameless;
    alone.source = alone.from = alone.copied_to = alone.told_to = 0;
    alone.copied_all = false;
    alone.to.address = 0;
    alone.placement = VV_PLACE_OUTPUTS;
    if (s->op == VV_STEP_READ) {
        content.n_sources = 1;
        content.source = &p->source[s->source];
    }
    vv_buf b = {0};
    vv_status status = bare_inputs(s, &alone.input);
    if (status == VV_OK) vv_plan_pack(&content, &b);
    for (int k = 0; k < s->n_inputs; k++)
        for (int j = 0; j < s->input[k].n_parts; j++) vv_buf_put_i64(&b, (int64_t)identity[s->input[k].part[j].from]);
    if (vv_step_delivers(s)) vv_buf_put_i64(&b, (int64_t)identity[s->from]);
    if (status == VV_OK) status = vv_buf_status(&b);
    if (status == VV_OK) identity[step] = vv_hash(b.data, b.size);
    free_inputs(s, alone.input);
    vv_buf_free(&b);
    return status;
}

vv_status vv_plan_identities(const vv_plan *p, uint64_t identity[])
{
    for (int i = 0; i < p->n_steps; i++) VV_TRY(identify(p, i, identity));
    return VV_OK;
}
