/* One read, many outputs: steps that walk the same elements become one.
 *
 * Two steps join when their work is cut, folded and placed alike, most of what the smaller one reads is read by the other one too, and neither needs what
 * the other makes. The step then has the inputs of both once, one program with a register for every result (what both compute is computed once), and the
 * results of both: mean(u*u), mean(v*v) and mean(u*v) read u and v once.
 *
 * Nothing may change a bit: whoever asks for more results must get the same ones. Hence everything that decides the order in which a cell sees its elements
 * has to be alike: grid, loops that join, leaves, groups.
 *
 * Elementwise steps join when all that they make is delivered: where others take elements of it, these might want them at different times, and what one
 * wants late would have to be kept. How much a piece of several results may take is a fixed number, because a plan must not depend on the budget. */
#include "plan/cost/cost.h"
#include "plan/lower/build.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_STATE = 32 << 20 };

/* --- what may be joined --- */

static bool same_lengths(const vv_index *a, const vv_index *b, int nd)
{
    return !memcmp(a, b, sizeof *a * (size_t)nd);
}

static bool same_work(const vv_step *a, const vv_step *b)
{
    int nd = a->work.shape.nd;
    return vv_shape_equal(&a->work.shape, &b->work.shape) && same_lengths(a->work.chunk, b->work.chunk, nd) &&
           same_lengths(a->work.shift, b->work.shift, nd) && !memcmp(a->reduced, b->reduced, sizeof a->reduced) &&
           !memcmp(a->join, b->join, sizeof a->join) && a->leaf == b->leaf && a->placement == b->placement &&
           (a->placement != VV_PLACE_HELD || !memcmp(&a->within, &b->within, sizeof a->within));
}

static bool same_groups(const vv_groups *a, const vv_groups *b)
{
    if (a->dim != b->dim || a->dim < 0) return a->dim == b->dim;
    return a->n == b->n && a->chunk == b->chunk && a->label->n == b->label->n &&
           (a->label == b->label || same_lengths(a->label->at, b->label->at, (int)a->label->n));
}

static int find_input(const vv_step *s, const vv_input *in)
{
    for (int k = 0; k < s->n_inputs; k++)
        if (vv_input_equal(&s->input[k], in)) return k;
    return -1;
}

/* Elements that an input takes from where they are; damaged files claim more than an integer can count. */
static double elements_of(const vv_input *in)
{
    double n = 0;
    for (int i = 0; i < in->n_parts; i++) {
        vv_box box;
        if (vv_part_source(&in->part[i], &in->part[i].box, &box)) n += (double)vv_box_elements(&box);
    }
    return n;
}

/* At least half of what one of them reads is read by the other one; and the inputs of both are not too many. */
static bool overlap(const vv_step *a, const vv_step *b)
{
    double all[2] = {0, 0}, shared = 0;
    int n = a->n_inputs;
    for (int k = 0; k < a->n_inputs; k++) all[0] += elements_of(&a->input[k]);
    for (int k = 0; k < b->n_inputs; k++) {
        double some = elements_of(&b->input[k]);
        bool both = find_input(a, &b->input[k]) >= 0;
        all[1] += some;
        if (both) shared += some;
        n += !both;
    }
    return n <= VV_PROGRAM_INPUTS && shared > 0 && 2 * shared >= fmin(all[0], all[1]);
}

/* Nobody takes elements of a step's results. */
static bool only_delivered(const vv_plan *p, int step)
{
    for (int i = 0; i < p->n_steps; i++)
        for (int k = 0; k < p->step[i].n_inputs; k++)
            for (int j = 0; j < p->step[i].input[k].n_parts; j++)
                if (p->step[i].input[k].part[j].from == step) return false;
    return true;
}

static bool joinable(const vv_plan *p, int i, int k)
{
    const vv_step *a = &p->step[i], *b = &p->step[k];
    if (a->reshaped || b->reshaped || a->op != b->op || !a->program || !b->program || !same_work(a, b) ||
        !same_groups(&a->groups, &b->groups) || a->length != b->length)
        return false;
    if (a->program->n_outputs + b->program->n_outputs > VV_PROGRAM_OUTPUTS) return false;
    if (a->n_results + b->n_results > VV_MAX_RESULTS || a->program->n + b->program->n > VV_PROGRAM_MAX) return false;
    vv_index cells = 1;
    for (int d = 0; d < a->grid.shape.nd; d++) cells = vv_times(cells, vv_imin(a->grid.chunk[d], a->grid.shape.n[d]));
    if (vv_state_bytes(a, cells) + vv_state_bytes(b, cells) > MOST_STATE && a->op == VV_STEP_MAP) return false;
    if (!overlap(a, b) || vv_step_streams(a) != vv_step_streams(b)) return false;
    return a->op == VV_STEP_REDUCE || (only_delivered(p, i) && only_delivered(p, k));
}

/* --- who needs whom --- */

typedef struct search {
    int *stack;
    bool *seen;
} search;

static void visit(search *x, int step, int *depth)
{
    if (x->seen[step]) return;
    x->seen[step] = true;
    x->stack[(*depth)++] = step;
}

/* Whether what `step` makes takes anything of `other`, at first or any hand. */
static bool needs(const vv_plan *p, search *x, int step, int other)
{
    int depth = 0;
    memset(x->seen, 0, sizeof *x->seen * (size_t)p->n_steps);
    visit(x, step, &depth);
    while (depth > 0) {
        const vv_step *s = &p->step[x->stack[--depth]];
        for (int k = 0; k < s->n_inputs; k++)
            for (int j = 0; j < s->input[k].n_parts; j++) visit(x, s->input[k].part[j].from, &depth);
    }
    return x->seen[other];
}

/* --- joining --- */

/* The inputs of b that a does not have become a's; at: where each of b's is then. */
static vv_status take_inputs(vv_step *a, vv_step *b, int at[])
{
    for (int k = 0; k < b->n_inputs; k++) {
        vv_input *room;
        at[k] = find_input(a, &b->input[k]);
        if (at[k] >= 0) continue;
        at[k] = a->n_inputs;
        VV_TRY(vv_step_add_input(a, &room));
        *room = b->input[k];
        b->input[k] = (vv_input){0};
    }
    return VV_OK;
}

/* Registers that a result folds besides its first one. */
static int n_more(const vv_result *r)
{
    return r->red.spec ? r->red.spec->n_values - 1 : 0;
}

static void move_values(vv_step *s, const int reg[])
{
    for (int r = 0; r < s->n_results; r++) {
        s->result[r].value = reg[s->result[r].value];
        for (int k = 0; k < n_more(&s->result[r]); k++) s->result[r].more[k] = reg[s->result[r].more[k]];
    }
}

static vv_status add_outputs(const vv_step *s, vv_program *out)
{
    for (int r = 0; r < s->n_results; r++) {
        VV_TRY(vv_program_add_output(out, s->result[r].value));
        for (int k = 0; k < n_more(&s->result[r]); k++) VV_TRY(vv_program_add_output(out, s->result[r].more[k]));
    }
    return VV_OK;
}

/* One program for the results of both; the results know their registers in it. */
static vv_status join_programs(vv_step *a, vv_step *b, const int at[], vv_program *out)
{
    int same[VV_PROGRAM_INPUTS], reg[VV_PROGRAM_MAX + VV_PROGRAM_INPUTS];
    for (int k = 0; k < a->n_inputs; k++) VV_TRY(vv_program_input(out, vv_working_type(a->input[k].type), &same[k]));
    VV_TRY(vv_program_embed(out, a->program, same, reg));
    move_values(a, reg);
    VV_TRY(vv_program_embed(out, b->program, at, reg));
    move_values(b, reg);
    vv_program_set_output(out, a->result[0].value);
    VV_TRY(add_outputs(a, out));
    return add_outputs(b, out);
}

/* b's results behind a's, but for those that a has; number: what each is there. */
static void take_results(vv_step *a, vv_step *b, int number[])
{
    for (int r = 0; r < b->n_results; r++) {
        number[r] = vv_step_find_result(a, &b->result[r]);
        if (number[r] >= 0) continue;
        number[r] = a->n_results;
        a->result[a->n_results++] = b->result[r];
        b->result[r].name = NULL;
        b->result[r].red.spec = NULL;
    }
}

static void redirect(vv_plan *p, int from, int to, const int number[])
{
    for (int i = 0; i < p->n_steps; i++) {
        vv_step *s = &p->step[i];
        if (vv_step_delivers(s) && s->from == from) {
            s->from = to;
            s->result_of = number[s->result_of];
        }
        for (int k = 0; k < s->n_inputs; k++)
            for (int j = 0; j < s->input[k].n_parts; j++) {
                vv_part *part = &s->input[k].part[j];
                if (part->from != from) continue;
                part->from = to;
                part->result = number[part->result];
            }
    }
}

static vv_status join(vv_plan *p, int i, int k)
{
    vv_step *a = &p->step[i], *b = &p->step[k];
    vv_program *both;
    int at[VV_PROGRAM_INPUTS], number[VV_MAX_RESULTS];
    VV_TRY(take_inputs(a, b, at));
    VV_TRY(vv_new(&both, 1, sizeof *both));
    vv_status status = join_programs(a, b, at, both);
    free(a->program);
    a->program = both;
    VV_TRY(status);
    take_results(a, b, number);
    redirect(p, k, i, number);
    if (!a->why) {
        a->why = b->why;
        b->why = NULL;
    }
    return vv_step_complete(a);
}

/* Everything that joins step i, until nothing more does: it grows, and others overlap with it then. */
static vv_status join_all(vv_plan *p, search *x, bool gone[], int i)
{
    for (int k = i + 1; k < p->n_steps; k++) {
        if (gone[k] || !vv_step_computes(&p->step[k]) || !joinable(p, i, k)) continue;
        if (needs(p, x, i, k) || needs(p, x, k, i)) continue;
        VV_TRY(join(p, i, k));
        gone[k] = true;
        k = i;
    }
    return VV_OK;
}

vv_status vv_lower_share(vv_plan *p, vv_target targets[], int n)
{
    search x = {0};
    bool *gone = NULL;
    size_t all = (size_t)p->n_steps + 1;
    vv_status status;
    VV_TRY_GOTO(status, out, vv_new(&x.stack, all, sizeof *x.stack));
    VV_TRY_GOTO(status, out, vv_new(&x.seen, all, sizeof *x.seen));
    VV_TRY_GOTO(status, out, vv_new(&gone, all, sizeof *gone));
    for (int i = 0; i < p->n_steps; i++)
        if (!gone[i] && vv_step_computes(&p->step[i])) VV_TRY_GOTO(status, out, join_all(p, &x, gone, i));
    status = vv_lower_order(p, gone, targets, n);
out:
    free(x.stack);
    free(x.seen);
    free(gone);
    return status;
}
