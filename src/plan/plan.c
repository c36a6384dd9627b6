#include "plan/plan.h"

#include <stdlib.h>
#include <string.h>

vv_status vv_plan_new(vv_plan **out)
{
    return vv_new(out, 1, sizeof **out);
}

void vv_plan_free(vv_plan **plan)
{
    vv_plan *p = *plan;
    if (!p) return;
    for (int i = 0; i < p->n_sources; i++) {
        free(p->source[i].path);
        free(p->source[i].variable);
    }
    for (int i = 0; i < p->n_steps; i++) {
        vv_step *s = &p->step[i];
        free(s->name);
        free(s->program);
        for (int r = 0; r < VV_MAX_RESULTS; r++) free(s->result[r].name);
    }
    free(p->source);
    free(p->step);
    free(p->output);
    free(p);
    *plan = NULL;
}

/* Grows *items by one zeroed element of `size` bytes. */
static vv_status grow(void *items, int *n, size_t size, void *out)
{
    void **array = items;
    char *more = realloc(*array, ((size_t)*n + 1) * size);
    if (!more) return vv_fail(VV_ERR_NOMEM, "no memory for a plan of %d parts", *n + 1);
    memset(more + (size_t)*n * size, 0, size);
    *array = more;
    *(void **)out = more + (size_t)*n * size;
    (*n)++;
    return VV_OK;
}

vv_status vv_plan_add_source(vv_plan *p, vv_source **out)
{
    return grow(&p->source, &p->n_sources, sizeof **out, out);
}

vv_status vv_plan_add_step(vv_plan *p, vv_step_op op, const char *name, vv_step **out)
{
    VV_TRY(grow(&p->step, &p->n_steps, sizeof **out, out));
    (*out)->op = op;
    return vv_strdup(&(*out)->name, name);
}

bool vv_step_streams(const vv_plan *p, const vv_step *s)
{
    for (int i = 0; i < s->n_inputs; i++) {
        const vv_source *source = &p->source[p->step[s->input[i].step].source];
        if (!source->raw || source->chunked) return false;
    }
    return true;
}

uint64_t vv_plan_hash(const vv_plan *p)
{
    vv_buf b = {0};
    char somewhere[] = "";
    vv_plan content = *p;
    if (p->output) content.output = somewhere; /* the same plan, wherever its temporary output lies */
    vv_plan_pack(&content, &b);
    uint64_t h = vv_hash(b.data, b.size);
    vv_buf_free(&b);
    return h;
}

/* --- validation --- */

static vv_status bad(const vv_plan *p, int step, const char *what)
{
    return vv_fail(VV_ERR_INTERNAL, "plan: step %d of %d: %s", step, p->n_steps, what);
}

static bool grid_ok(const vv_grid *g)
{
    if (g->shape.nd < 0 || g->shape.nd > VV_MAX_DIMS) return false;
    for (int d = 0; d < g->shape.nd; d++)
        if (g->shape.n[d] < 0 || g->chunk[d] < 1) return false;
    return true;
}

/* The first nd dimensions alone. */
static bool same_grid(const vv_grid *a, const vv_grid *b)
{
    return vv_shape_equal(&a->shape, &b->shape) &&
           !memcmp(a->chunk, b->chunk, sizeof a->chunk[0] * (size_t)a->shape.nd);
}

static bool source_ok(const vv_source *s)
{
    const vv_decode *d = &s->decode;
    return s->path && s->variable && grid_ok(&s->stored) && vv_working_type(d->stored) != VV_NONE &&
           vv_working_type(d->out) == d->out && d->out != VV_NONE && d->n_missing >= 0 &&
           d->n_missing <= VV_MAX_MISSING;
}

/* The work that `s` does on its input k is what this input's source has. */
static bool input_fits(const vv_plan *p, const vv_step *s, int k)
{
    const vv_source *source = &p->source[p->step[s->input[k].step].source];
    bool fits = vv_shape_equal(&source->stored.shape, &s->work.shape) && s->program->type[k] == source->decode.out;
    return fits && (!source->chunked || same_grid(&source->stored, &s->work));
}

void vv_step_result_grid(const vv_step *s, vv_grid *out)
{
    *out = (vv_grid){0};
    for (int d = 0; d < s->work.shape.nd; d++) {
        if (s->op == VV_STEP_REDUCE && s->reduced[d]) continue;
        int k = out->shape.nd++;
        out->shape.n[k] = s->work.shape.n[d];
        out->chunk[k] = vv_imin(s->work.chunk[d], vv_imax(1, s->work.shape.n[d]));
    }
}

static bool result_fits(const vv_step *s)
{
    vv_grid kept;
    vv_step_result_grid(s, &kept);
    return same_grid(&kept, &s->grid);
}

static vv_status check_map(const vv_plan *p, int i)
{
    const vv_step *s = &p->step[i];
    for (int d = 0; d < s->work.shape.nd; d++)
        if (s->reduced[d]) return bad(p, i, "a map that reduces");
    return s->n_results == 1 && s->leaf == 1 ? VV_OK : bad(p, i, "a map of several results or chunks");
}

static vv_status check_reduce(const vv_plan *p, int i)
{
    const vv_step *s = &p->step[i];
    for (int r = 0; r < s->n_results; r++) {
        const vv_red *red = &s->result[r].red;
        if (!red->kind) return bad(p, i, "unknown reduction");
        if (red->in != s->program->type[s->program->output] || !red->kind->planes(red->in))
            return bad(p, i, "a reduction of another type");
    }
    return VV_OK;
}

static vv_status check_compute(const vv_plan *p, int i)
{
    const vv_step *s = &p->step[i];
    if (!s->program || !grid_ok(&s->work) || s->leaf < 1) return bad(p, i, "no program, grid or leaf");
    if (s->n_results < 1 || s->n_results > VV_MAX_RESULTS) return bad(p, i, "number of results");
    if (s->n_inputs < 1 || s->program->n_inputs != s->n_inputs) return bad(p, i, "program and inputs differ");
    if (s->placement < 0 || s->placement >= VV_PLACEMENTS) return bad(p, i, "placement");
    for (int k = 0; k < s->n_inputs; k++)
        if (p->step[s->input[k].step].op != VV_STEP_READ)
            return bad(p, i, "an input that is not stored");
        else if (!input_fits(p, s, k))
            return bad(p, i, "an input of another shape or type");
    if (!result_fits(s)) return bad(p, i, "a result of another shape");
    return s->op == VV_STEP_MAP ? check_map(p, i) : check_reduce(p, i);
}

static vv_status check_deliver(const vv_plan *p, int i)
{
    const vv_step *s = &p->step[i];
    if (s->n_inputs != 1 || !vv_step_computes(&p->step[s->input[0].step])) return bad(p, i, "nothing to deliver");
    const vv_step *from = &p->step[s->input[0].step];
    int result = s->input[0].result;
    if (result < 0 || result >= from->n_results) return bad(p, i, "unknown result");
    vv_dtype values =
        from->op == VV_STEP_REDUCE ? vv_red_out(&from->result[result].red) : from->program->type[from->program->output];
    if (!same_grid(&s->grid, &from->grid) || s->to.encode.in != values) return bad(p, i, "delivers something else");
    if (vv_working_type(s->to.encode.to) == VV_NONE) return bad(p, i, "element type");
    return s->op == VV_STEP_GATHER || p->output ? VV_OK : bad(p, i, "no output file");
}

static vv_status check_step(const vv_plan *p, int i)
{
    const vv_step *s = &p->step[i];
    if (s->op > VV_STEP_GATHER || !s->name) return bad(p, i, "unknown operation");
    if (s->n_inputs < 0 || s->n_inputs > VV_PROGRAM_INPUTS) return bad(p, i, "number of inputs");
    if (!grid_ok(&s->grid)) return bad(p, i, "grid");
    for (int k = 0; k < s->n_inputs; k++)
        if (s->input[k].step < 0 || s->input[k].step >= i) return bad(p, i, "an input that does not come before it");
    if (s->op == VV_STEP_READ && (s->source < 0 || s->source >= p->n_sources)) return bad(p, i, "unknown source");
    if (vv_step_computes(s)) return check_compute(p, i);
    return s->op == VV_STEP_READ ? VV_OK : check_deliver(p, i);
}

vv_status vv_plan_validate(const vv_plan *p)
{
    if (p->ranks < 1 || p->threads < 1)
        return vv_fail(VV_ERR_INTERNAL, "plan: for %d ranks, %d threads", p->ranks, p->threads);
    for (int i = 0; i < p->n_sources; i++)
        if (!source_ok(&p->source[i])) return vv_fail(VV_ERR_INTERNAL, "plan: source %d cannot be read", i);
    for (int i = 0; i < p->n_steps; i++) VV_TRY(check_step(p, i));
    return VV_OK;
}
