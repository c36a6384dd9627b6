/* A plan as bytes, and back. One walk serves both directions, so that they cannot differ: an archive either puts or takes. */
#include "base/fault.h"
#include "plan/plan.h"

#include <stdlib.h>
#include <string.h>

enum { MAGIC = 0x31504c4156 };

typedef struct archive {
    vv_buf *put;     /* writing when set */
    vv_reader *take; /* reading when set */
    vv_status status;
} archive;

static void number(archive *a, int64_t *v)
{
    if (a->put)
        vv_buf_put_i64(a->put, *v);
    else
        *v = vv_read_i64(a->take);
}

/* Any integer, bool or enum: the assignment converts back. */
#define NUMBER(a, field)                                                                                               \
    do {                                                                                                               \
        int64_t number_ = (int64_t)(field);                                                                            \
        number((a), &number_);                                                                                         \
        if ((a)->take) (field) = number_;                                                                              \
    } while (0)

static void real(archive *a, double *v)
{
    if (a->put)
        vv_buf_put_f64(a->put, *v);
    else
        *v = vv_read_f64(a->take);
}

static void bytes(archive *a, void *data, size_t size)
{
    if (a->put) {
        vv_buf_bytes(a->put, data, size);
        return;
    }
    const void *p = vv_read_bytes(a->take, size);
    if (p) memcpy(data, p, size);
}

/* A string that may be NULL. */
static void string(archive *a, char **text)
{
    int64_t present = *text != NULL;
    number(a, &present);
    if (!present) return;
    if (a->put) {
        vv_buf_put_string(a->put, *text);
        return;
    }
    const char *s = vv_read_string(a->take);
    if (!a->take->failed && a->status == VV_OK) a->status = vv_strdup(text, s);
}

static void grid(archive *a, vv_grid *g)
{
    NUMBER(a, g->shape.nd);
    if (a->take && (g->shape.nd < 0 || g->shape.nd > VV_MAX_DIMS)) {
        a->take->failed = true;
        g->shape.nd = 0;
    }
    for (int d = 0; d < g->shape.nd; d++) {
        NUMBER(a, g->shape.n[d]);
        NUMBER(a, g->chunk[d]);
    }
}

static void decode(archive *a, vv_decode *d)
{
    NUMBER(a, d->stored);
    NUMBER(a, d->out);
    NUMBER(a, d->swap);
    NUMBER(a, d->shuffled);
    NUMBER(a, d->scaled);
    real(a, &d->scale);
    real(a, &d->offset);
    NUMBER(a, d->n_missing);
    bytes(a, d->missing, sizeof d->missing);
    NUMBER(a, d->has_min);
    NUMBER(a, d->has_max);
    real(a, &d->valid_min);
    real(a, &d->valid_max);
}

static void source(archive *a, vv_source *s)
{
    string(a, &s->path);
    string(a, &s->variable);
    NUMBER(a, s->raw);
    NUMBER(a, s->chunked);
    NUMBER(a, s->deflated);
    NUMBER(a, s->fletcher32);
    NUMBER(a, s->filters);
    grid(a, &s->stored);
    decode(a, &s->decode);
    bytes(a, s->fill, sizeof s->fill);
    NUMBER(a, s->address);
    NUMBER(a, s->largest);
    NUMBER(a, s->total);
}

static void reduction(archive *a, vv_red *r)
{
    char *name = a->put && r->kind ? (char *)r->kind->name : NULL;
    string(a, &name);
    if (a->take && name) {
        r->kind = vv_reduction_find(name);
        free(name);
    }
    NUMBER(a, r->in);
    NUMBER(a, r->skip);
    real(a, &r->ddof);
    NUMBER(a, r->wide);
}

static void program(archive *a, vv_step *s)
{
    if (a->put) {
        vv_program_pack(s->program, a->put);
        return;
    }
    vv_reader peek = *a->take; /* a program begins with the number of its inputs */
    if (s->n_inputs < 1 || vv_read_i64(&peek) != s->n_inputs) a->take->failed = true;
    if (a->status == VV_OK) a->status = vv_new(&s->program, 1, sizeof *s->program);
    if (a->status == VV_OK && !a->take->failed) a->status = vv_program_unpack(s->program, a->take);
}

static void compute(archive *a, vv_step *s)
{
    program(a, s);
    grid(a, &s->work);
    for (int d = 0; d < s->work.shape.nd; d++) NUMBER(a, s->reduced[d]);
    NUMBER(a, s->leaf);
    NUMBER(a, s->placement);
    NUMBER(a, s->n_results);
    if (s->n_results < 0 || s->n_results > VV_MAX_RESULTS) s->n_results = 0;
    for (int r = 0; r < s->n_results; r++) {
        NUMBER(a, s->result[r].type);
        string(a, &s->result[r].name);
        reduction(a, &s->result[r].red);
    }
}

static void write_to(archive *a, vv_write_to *w)
{
    NUMBER(a, w->address);
    NUMBER(a, w->variable);
    NUMBER(a, w->chunked);
    NUMBER(a, w->deflate);
    NUMBER(a, w->shuffle);
    NUMBER(a, w->encode.in);
    NUMBER(a, w->encode.to);
    NUMBER(a, w->encode.has_fill);
    bytes(a, w->encode.fill, sizeof w->encode.fill);
    NUMBER(a, w->encode.scaled);
    real(a, &w->encode.scale);
    real(a, &w->encode.offset);
}

static void step(archive *a, vv_step *s)
{
    NUMBER(a, s->op);
    string(a, &s->name);
    NUMBER(a, s->n_inputs);
    if (s->n_inputs < 0 || s->n_inputs > VV_PROGRAM_INPUTS) s->n_inputs = 0;
    for (int k = 0; k < s->n_inputs; k++) {
        NUMBER(a, s->input[k].step);
        NUMBER(a, s->input[k].result);
        NUMBER(a, s->input[k].map);
    }
    grid(a, &s->grid);
    NUMBER(a, s->source);
    if (vv_step_computes(s)) compute(a, s);
    if (s->op == VV_STEP_WRITE || s->op == VV_STEP_GATHER) write_to(a, &s->to);
}

static void head(archive *a, vv_plan *p)
{
    NUMBER(a, p->ranks);
    NUMBER(a, p->threads);
    NUMBER(a, p->budget);
    NUMBER(a, p->log);
    NUMBER(a, p->progress);
    string(a, &p->output);
}

void vv_plan_pack(const vv_plan *plan, vv_buf *out)
{
    vv_plan *p = (vv_plan *)plan; /* writing changes nothing */
    archive a = {.put = out};
    vv_buf_put_i64(out, MAGIC);
    head(&a, p);
    vv_buf_put_i64(out, p->n_sources);
    vv_buf_put_i64(out, p->n_steps);
    for (int i = 0; i < p->n_sources; i++) source(&a, &p->source[i]);
    for (int i = 0; i < p->n_steps; i++) step(&a, &p->step[i]);
}

static vv_status take_parts(archive *a, vv_plan *p)
{
    if (vv_read_i64(a->take) != MAGIC) return vv_fail(VV_ERR_INTERNAL, "these bytes are no plan");
    head(a, p);
    int64_t n_sources = vv_read_i64(a->take), n_steps = vv_read_i64(a->take);
    for (int64_t i = 0; i < n_sources && !a->take->failed; i++) {
        vv_source *s;
        VV_TRY(vv_plan_add_source(p, &s));
        source(a, s);
    }
    for (int64_t i = 0; i < n_steps && !a->take->failed; i++) {
        vv_step *s;
        VV_TRY(vv_plan_add_step(p, VV_STEP_READ, "", &s));
        free(s->name);
        s->name = NULL;
        step(a, s);
    }
    VV_TRY(a->status);
    if (a->take->failed) return vv_fail(VV_ERR_INTERNAL, "the plan's bytes end early");
    return vv_plan_validate(p);
}

vv_status vv_plan_unpack(const void *data, vv_bytes size, vv_plan **out)
{
    *out = NULL;
    VV_TRY(vv_fault(VV_FAULT_PLAN_DECODE));
    vv_reader r = {.data = data, .size = (size_t)size};
    archive a = {.take = &r};
    VV_TRY(vv_plan_new(out));
    vv_status status = take_parts(&a, *out);
    if (status != VV_OK) vv_plan_free(out);
    return status;
}
