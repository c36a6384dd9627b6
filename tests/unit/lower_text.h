/* For tests of lowering: variables of files that are not there, and plans as text.
 *
 *     1 reduce t: work 100x80 in 10x80, over 0, leaf 4, outputs; chunk 0(d0 d1)
 *
 * An input: its access, then each part: the step that it comes from and, by dimension of that step, what is followed: dN work dimension N; with @START,
 * *STRIDE, ?TABLE where they are not 0, 1 and none; or a fixed index. A part that is not all of the work has its box in front: [lo+n, ...]. */
#ifndef VV_TESTS_UNIT_LOWER_TEXT_H
#define VV_TESTS_UNIT_LOWER_TEXT_H

#include "scratch.h"

#include "plan/lower/lower.h"
#include "plan/place.h"
#include "varve/create.h"
#include "varve/move.h"

static vv_context context;
static vv_lowering lowering;
static vv_target target[64];

static inline int fresh(void **state)
{
    (void)state;
    context = (vv_context){0};
    lowering = (vv_lowering){0};
    return 0;
}

static inline int done(void **state)
{
    (void)state;
    vv_lowering_free(&lowering);
    vv_context_free(&context);
    return 0;
}

/* A variable as the virtual format describes it: "t?shape=time:100,lat:80&chunk=10,80". fast: as if its stored bytes could be read directly. */
static inline vv_array *open_as(const char *what, bool fast)
{
    char name[64], path[256];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(what, "?"), what);
    snprintf(path, sizeof path, "virtual:%s", what);
    vv_dataset *d = vv_dataset_open_in(&context, path);
    must(d->status);
    d->file->meta->var[vv_meta_find_var(d->file->meta, name)].fast = fast;
    vv_array *a = vv_dataset_array(d, name);
    must(vv_array_status(a));
    return a;
}

static inline vv_array *stored(const char *what)
{
    return open_as(what, true);
}

/* Lowers for a file when `file` is set, else to be gathered. */
static inline vv_status try_lower_to(int n, vv_array *const arrays[], int ranks, int placement, bool file)
{
    vv_lowering_free(&lowering);
    for (int i = 0; i < n; i++) target[i] = (vv_target){.array = arrays[i], .output_variable = file ? i : -1};
    VV_TRY(vv_lower(target, n, ranks, placement, &lowering));
    if (file) VV_TRY(vv_strdup(&lowering.plan->output, "out.nc"));
    return vv_plan_validate(lowering.plan);
}

static inline void put_lengths(vv_buf *b, int nd, const vv_index n[])
{
    if (nd == 0) vv_buf_text(b, "scalar");
    for (int d = 0; d < nd; d++) vv_buf_printf(b, d ? "x%lld" : "%lld", (long long)n[d]);
}

static inline void put_grid(vv_buf *b, const vv_grid *g)
{
    put_lengths(b, g->shape.nd, g->shape.n);
    vv_buf_text(b, " in ");
    put_lengths(b, g->shape.nd, g->chunk);
    for (int d = 0; d < g->shape.nd; d++)
        if (g->shift[d]) vv_buf_printf(b, " less %lld of d%d", (long long)g->shift[d], d);
}

static inline void put_part(vv_buf *b, const vv_step *s, const vv_part *p)
{
    vv_buf_printf(b, " %d", p->from);
    if (p->result) vv_buf_printf(b, ".%d", p->result);
    bool whole = true;
    for (int d = 0; d < p->box.nd; d++) whole = whole && p->box.n[d] == s->work.shape.n[d];
    for (int d = 0; d < p->box.nd && !whole; d++)
        vv_buf_printf(b, "%s%lld+%lld%s", d ? " " : "[", (long long)p->box.lo[d], (long long)p->box.n[d],
                      d < p->box.nd - 1 ? "" : "]");
    vv_buf_text(b, "(");
    for (int d = 0; d < p->nd; d++) {
        if (d) vv_buf_text(b, " ");
        if (p->dim[d] < 0) {
            vv_buf_printf(b, "%lld", (long long)p->start[d]);
            continue;
        }
        vv_buf_printf(b, "d%d", p->dim[d]);
        if (p->start[d]) vv_buf_printf(b, "@%lld", (long long)p->start[d]);
        if (p->stride[d] != 1) vv_buf_printf(b, "*%lld", (long long)p->stride[d]);
        if (d == p->table_dim) vv_buf_text(b, "?");
    }
    vv_buf_text(b, ")");
}

static inline void put_compute(vv_buf *b, const vv_step *s)
{
    static const char *const access[VV_ACCESSES] = {"stream", "chunk", "box", "push"};
    vv_buf_text(b, " work ");
    put_grid(b, &s->work);
    for (int d = 0, n = 0; d < s->work.shape.nd; d++)
        if (s->reduced[d]) vv_buf_printf(b, n++ ? " %d" : ", over %d", d);
    for (int d = 0, n = 0; d < s->work.shape.nd; d++)
        if (s->join[d]) vv_buf_printf(b, n++ ? " %d" : ", join %d", d);
    if (s->groups.dim >= 0) vv_buf_printf(b, ", %lld groups of d%d", (long long)s->groups.n, s->groups.dim);
    if (s->op == VV_STEP_REDUCE) vv_buf_printf(b, ", leaf %lld", (long long)s->leaf);
    vv_buf_printf(b, ", %s", vv_placement_name[s->placement]);
    for (int k = 0; k < s->n_inputs; k++) {
        const vv_input *in = &s->input[k];
        vv_buf_printf(b, "; %s%s", access[in->access], in->lookup ? " look-up" : "");
        for (int d = 0; d < s->work.shape.nd; d++)
            if (in->before[d] || in->after[d])
                vv_buf_printf(b, " halo %lld/%lld of d%d", (long long)in->before[d], (long long)in->after[d], d);
        for (int i = 0; i < in->n_parts; i++) put_part(b, s, &in->part[i]);
    }
    vv_buf_text(b, " ->");
    for (int r = 0; r < s->n_results; r++) vv_buf_printf(b, " %s", s->result[r].name);
}

static inline void put_plan(vv_buf *b, const vv_plan *p)
{
    static const char *const op[] = {"read", "map", "reduce", "write", "gather", "keep"};
    for (int i = 0; i < p->n_steps; i++) {
        const vv_step *s = &p->step[i];
        vv_buf_printf(b, "%d %s %s:", i, s->block ? "block" : s->product ? "product" : op[s->op], s->name);
        if (vv_step_computes(s)) {
            put_compute(b, s);
        } else if (s->op == VV_STEP_READ) {
            vv_buf_text(b, " ");
            put_grid(b, &s->grid);
        } else {
            vv_buf_printf(b, " %d.%d", s->from, s->result_of);
        }
        vv_buf_text(b, "\n");
    }
}

/* The plan of arrays reads like this. */
static inline void planned_to(bool file, int n, vv_array *const arrays[], const char *expected)
{
    vv_buf b = {0};
    for (int i = 0; i < n; i++) must(vv_array_status(arrays[i]));
    must(try_lower_to(n, arrays, 2, -1, file));
    put_plan(&b, lowering.plan);
    must(vv_buf_status(&b));
    if (strcmp(b.data, expected)) print_error("planned:\n%sexpected:\n%s", b.data, expected);
    assert_string_equal(b.data, expected);
    vv_buf_free(&b);
}
#define planned(array, ...)       planned_to(false, 1, (vv_array *[]){array}, __VA_ARGS__)
#define planned2(a, b, ...)       planned_to(false, 2, (vv_array *[]){a, b}, __VA_ARGS__)
#define planned_write(array, ...) planned_to(true, 1, (vv_array *[]){array}, __VA_ARGS__)

#endif
