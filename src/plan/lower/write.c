/* What is delivered: results go to variables of the output file, or to rank 0.
 *
 * A file has no chunks that begin in the middle, and a contiguous variable should be written in long runs: where the chunks of a result are not made for
 * that, an identity step behind it has the same elements in chunks that are. Its tasks get them pushed, as for any other rechunking. */
#include "plan/cost/cost.h"
#include "plan/lower/build.h"

#include <string.h>

/* Runs shorter than SHORT bytes are made LONG if the variable is larger than SMALL; more elements than MOST are no chunk. */
enum { SHORT = 4096, LONG = 64 * 1024, SMALL = 4 << 20, MOST = 2 * 1024 * 1024 };

vv_status vv_lower_identity(vv_plan *p, const char *name, vv_dtype type, vv_part *part, vv_step **out)
{
    vv_step *s = NULL;
    vv_input *in = NULL;
    int reg;
    vv_status status = vv_plan_add_step(p, VV_STEP_MAP, name, &s);
    if (status == VV_OK) status = vv_new(&s->program, 1, sizeof *s->program);
    if (status == VV_OK) status = vv_program_input(s->program, vv_working_type(type), &reg);
    if (status == VV_OK) status = vv_step_add_input(s, &in);
    if (status != VV_OK) {
        vv_part_free(part);
        return status;
    }
    in->type = type;
    VV_TRY(vv_input_add_part(in, part));
    s->n_results = 1;
    s->result[0].type = type;
    *out = s;
    return vv_strdup(&s->result[0].name, name);
}

static vv_index length(const vv_grid *g, int d)
{
    return vv_imin(g->chunk[d], vv_imax(1, g->shape.n[d]));
}

/* Bytes of a chunk that lie together in a contiguous variable. */
static vv_bytes run_bytes(const vv_grid *g, vv_bytes size)
{
    vv_bytes run = size;
    for (int d = g->shape.nd - 1; d >= 0; d--) {
        run = vv_times(run, length(g, d));
        if (length(g, d) < g->shape.n[d]) break;
    }
    return run;
}

/* Whole chunks along the inner dimensions until a run is long. The outer ones stay as they are, so that no chunk waits for more others than it has to; but
 * they are cut where a chunk would become too large. */
static void lengthen(vv_grid *g, vv_bytes size)
{
    int d = g->shape.nd - 1;
    for (vv_bytes run = size; d >= 0; d--) {
        vv_index c = length(g, d);
        g->chunk[d] = vv_imin(vv_imax(1, g->shape.n[d]), vv_ceil_div(vv_ceil_div(LONG, run), c) * c);
        run = vv_times(run, g->chunk[d]);
        if (run >= LONG) break;
    }
    vv_index elements = 1;
    for (int k = 0; k < g->shape.nd; k++) elements = vv_times(elements, length(g, k));
    for (int k = 0; k <= d; k++) {
        vv_index c = length(g, k), pieces = vv_imin(c, vv_ceil_div(elements, MOST));
        g->chunk[k] = vv_ceil_div(c, pieces);
        elements = elements / c * g->chunk[k];
    }
}

/* The grid that a target is written by, and why it is not that of its values; NULL when it is. */
static const char *write_grid(const vv_target *t, vv_grid *g)
{
    vv_bytes size = vv_dtype_size(t->array->dtype);
    bool shifted = false, large = vv_times(vv_shape_elements(&g->shape), size) > SMALL;
    if (t->output_variable < 0 && !t->keep) return NULL;
    for (int d = 0; d < g->shape.nd; d++) {
        shifted = shifted || g->shift[d];
        g->shift[d] = 0;
    }
    if (t->keep && t->grid && !vv_grid_equal(t->grid, g)) {
        *g = *t->grid;
        return "moved to the chunks that delayed calls take";
    }
    if (t->keep) return shifted ? "moved to chunks that can be held" : NULL;
    if (!t->chunked && large && run_bytes(g, size) < SHORT) {
        lengthen(g, size);
        return "moved to chunks that are written in long runs";
    }
    return shifted ? "moved to chunks that a file can have" : NULL;
}

/* An identity step where the file wants other chunks; else the step itself. */
static vv_status regular(vv_plan *p, const vv_target *t, int *step, int *result)
{
    vv_grid grid = p->step[*step].grid;
    vv_dtype type = p->step[*step].result[*result].type;
    const char *why = write_grid(t, &grid);
    if (!why && t->keep && p->step[*step].op != VV_STEP_MAP) why = "moved to the ranks that will hold it";
    if (!why) return VV_OK;
    vv_step *s;
    vv_part part;
    vv_part_same(&grid.shape, &part);
    part.from = *step;
    part.result = *result;
    *step = p->n_steps;
    *result = 0;
    VV_TRY(vv_lower_identity(p, t->array->name, type, &part, &s));
    s->work = grid;
    VV_TRY(vv_strdup(&s->why, why));
    return vv_step_complete(s);
}

vv_status vv_lower_deliver(vv_plan *p, vv_target *t, int step, int result)
{
    vv_step *s;
    VV_TRY(regular(p, t, &step, &result));
    t->step = p->n_steps;
    vv_step_op op = t->keep ? VV_STEP_KEEP : t->output_variable < 0 ? VV_STEP_GATHER : VV_STEP_WRITE;
    VV_TRY(vv_plan_add_step(p, op, t->array->name, &s));
    const vv_step *from = &p->step[step];
    s->from = step;
    s->result_of = result;
    s->grid = from->grid;
    s->to.variable = t->keep ? t->keep : t->output_variable;
    s->to.encode = (vv_encode){.in = vv_step_values(from, result), .to = t->array->dtype, .scale = 1};
    return VV_OK;
}
