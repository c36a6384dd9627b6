/* The order of steps: what a step takes elements from comes before it, and what was put in late right before the first that wants it. */
#include "plan/lower/build.h"

#include <stdlib.h>
#include <string.h>

typedef struct sorting {
    vv_plan *p;
    int *order, *number, *stack; /* old numbers in new order; the other way round */
    int n;
    bool *done;
} sorting;

/* A step that `step` needs and that is not placed yet; -1 for none. */
static int missing(const sorting *x, int step)
{
    const vv_step *s = &x->p->step[step];
    if (vv_step_delivers(s)) return x->done[s->from] ? -1 : s->from;
    for (int k = 0; k < s->n_inputs; k++)
        for (int i = 0; i < s->input[k].n_parts; i++)
            if (!x->done[s->input[k].part[i].from]) return s->input[k].part[i].from;
    return -1;
}

/* Chains may be long: nothing here calls itself. */
static void place(sorting *x, int step)
{
    int depth = 0;
    x->stack[depth++] = step;
    while (depth > 0) {
        int at = x->stack[depth - 1], first = missing(x, at);
        if (first >= 0) {
            x->stack[depth++] = first;
            continue;
        }
        x->done[at] = true;
        x->number[at] = x->n;
        x->order[x->n++] = at;
        depth--;
    }
}

static void renumber(const sorting *x, vv_step moved[])
{
    vv_plan *p = x->p;
    for (int i = 0; i < x->n; i++) moved[i] = p->step[x->order[i]];
    memcpy(p->step, moved, sizeof *moved * (size_t)x->n);
    p->n_steps = x->n;
    for (int i = 0; i < p->n_steps; i++) {
        vv_step *s = &p->step[i];
        if (vv_step_delivers(s)) s->from = x->number[s->from];
        for (int k = 0; k < s->n_inputs; k++)
            for (int j = 0; j < s->input[k].n_parts; j++)
                s->input[k].part[j].from = x->number[s->input[k].part[j].from];
    }
}

vv_status vv_lower_order(vv_plan *p, const bool gone[], vv_target targets[], int n)
{
    sorting x = {.p = p};
    vv_step *moved = NULL;
    size_t all = (size_t)p->n_steps + 1;
    vv_status status;
    VV_TRY_GOTO(status, out, vv_new(&x.order, all, sizeof *x.order));
    VV_TRY_GOTO(status, out, vv_new(&x.number, all, sizeof *x.number));
    VV_TRY_GOTO(status, out, vv_new(&x.stack, all, sizeof *x.stack));
    VV_TRY_GOTO(status, out, vv_new(&x.done, all, sizeof *x.done));
    VV_TRY_GOTO(status, out, vv_new(&moved, all, sizeof *moved));
    for (int i = 0; i < p->n_steps; i++)
        if (!x.done[i] && !(gone && gone[i])) place(&x, i);
    for (int i = 0; gone && i < p->n_steps; i++)
        if (gone[i]) vv_step_free(&p->step[i]);
    renumber(&x, moved);
    for (int i = 0; i < n; i++) targets[i].step = x.number[targets[i].step];
out:
    free(x.order);
    free(x.number);
    free(x.stack);
    free(x.done);
    free(moved);
    return status;
}
