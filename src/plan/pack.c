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
        NUMBER(a, g->shift[d]);
    }
}

static void shape(archive *a, vv_shape *s)
{
    NUMBER(a, s->nd);
    if (a->take && (s->nd < 0 || s->nd > VV_MAX_DIMS)) {
        a->take->failed = true;
        s->nd = 0;
    }
    for (int d = 0; d < s->nd; d++) NUMBER(a, s->n[d]);
}

static void box(archive *a, vv_box *b)
{
    NUMBER(a, b->nd);
    if (a->take && (b->nd < 0 || b->nd > VV_MAX_DIMS)) {
        a->take->failed = true;
        b->nd = 0;
    }
    for (int d = 0; d < b->nd; d++) {
        NUMBER(a, b->lo[d]);
        NUMBER(a, b->n[d]);
    }
}

/* A count of things of `size` bytes each, which must still be there to read. */
static int64_t counted(archive *a, int64_t n, int64_t size)
{
    number(a, &n);
    if (!a->take || (n >= 0 && n <= (int64_t)a->take->size / size)) return n;
    a->take->failed = true;
    return 0;
}

/* Differences of neighbours are small and often all the same: runs of (difference, length). */
static void put_runs(archive *a, const vv_table *t)
{
    vv_index before = 0;
    for (vv_index i = 0; i < t->n;) {
        int64_t step = t->at[i] - before, run = 0;
        for (; i < t->n && t->at[i] - before == step; i++, run++) before = t->at[i];
        number(a, &step);
        number(a, &run);
    }
}

static void take_runs(archive *a, vv_table *t)
{
    vv_index at = 0;
    for (vv_index i = 0; i < t->n && !a->take->failed;) {
        int64_t step = vv_read_i64(a->take), run = vv_read_i64(a->take);
        if (run < 1 || run > t->n - i) a->take->failed = true;
        for (; run > 0 && !a->take->failed; run--) {
            if (__builtin_add_overflow(at, step, &at)) a->take->failed = true;
            t->at[i++] = at;
        }
    }
}

/* A table that may be NULL. Its length is that of a dimension, not bounded by the bytes that hold it. */
static void table(archive *a, vv_table **t)
{
    enum { MOST = 1 << 26 };
    int64_t n = *t ? (*t)->n : -1;
    number(a, &n);
    if (n < 0) return;
    if (a->put) {
        put_runs(a, *t);
        return;
    }
    if (n > MOST) a->take->failed = true;
    if (!a->take->failed && a->status == VV_OK) a->status = vv_table_new(n, t);
    if (*t) take_runs(a, *t);
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
    NUMBER(a, s->stamp.size);
    NUMBER(a, s->stamp.changed);
    NUMBER(a, s->raw);
    NUMBER(a, s->generated);
    NUMBER(a, s->given);
    NUMBER(a, s->held);
    NUMBER(a, s->random.kind);
    NUMBER(a, s->random.seed);
    real(a, &s->random.a);
    real(a, &s->random.b);
    NUMBER(a, s->chunked);
    NUMBER(a, s->compressed);
    NUMBER(a, s->n_filters);
    bytes(a, s->filter, sizeof s->filter);
    grid(a, &s->stored);
    for (int d = 0; d < s->stored.shape.nd; d++) NUMBER(a, s->absent[d]);
    decode(a, &s->decode);
    bytes(a, s->fill, sizeof s->fill);
    NUMBER(a, s->address);
    NUMBER(a, s->pitch);
    NUMBER(a, s->largest);
    NUMBER(a, s->total);
}

/* A function by its place in its module; it is looked for when all has been read. */
static void symbol(archive *a, vv_symbol *s)
{
    string(a, &s->module);
    bytes(a, s->id, sizeof s->id);
    NUMBER(a, s->n_id);
    int64_t offset = (int64_t)s->offset;
    number(a, &offset);
    s->offset = (uint64_t)offset;
    if (a->take && (!s->module || s->n_id < 0 || s->n_id > VV_SYMBOL_ID)) a->take->failed = true;
}

/* Functions of the user's: those of this process are looked for when all has been read. */
static void own(archive *a, vv_red_spec *s)
{
    bool any = s->own != NULL;
    NUMBER(a, any);
    if (!any || (a->take && a->take->failed)) return;
    if (a->take && a->status == VV_OK) a->status = vv_new(&s->own, 1, sizeof *s->own);
    vv_own *o = s->own;
    if (!o) return;
    string(a, &o->name);
    for (int i = 0; i < VV_OWN_FUNCTIONS; i++) symbol(a, &o->symbol[i]);
    o->data_size = counted(a, o->data_size, 1);
    if (a->take && o->data_size > 0 && a->status == VV_OK) a->status = vv_new(&o->data, (size_t)o->data_size, 1);
    if (o->data) bytes(a, o->data, (size_t)o->data_size);
    for (int i = 0; i < VV_OWN_FUNCTIONS; i++)
        if (a->take && !a->take->failed && a->status == VV_OK)
            a->status = vv_symbol_load(&o->symbol[i], &o->function[i]);
}

static void histogram(archive *a, vv_red_spec *s)
{
    int64_t edges = 0;
    NUMBER(a, s->n_axes);
    if (s->n_axes < 0 || s->n_axes > VV_RED_VALUES) s->n_axes = 0;
    for (int k = 0; k < s->n_axes; k++) {
        NUMBER(a, s->n_bins[k]);
        if (s->n_bins[k] < 0 || s->n_bins[k] > INT32_MAX) s->n_bins[k] = 0;
        edges += s->n_bins[k] + 1;
    }
    int64_t n = counted(a, edges, sizeof(double));
    if (a->take && n != edges) a->take->failed = true;
    if (a->take && edges > 0 && !a->take->failed && a->status == VV_OK)
        a->status = vv_new(&s->edge, (size_t)edges, sizeof *s->edge);
    for (int64_t i = 0; i < edges && s->edge; i++) real(a, &s->edge[i]);
}

static void spec(archive *a, vv_red *r)
{
    bool any = r->spec != NULL;
    vv_red_spec *s = (vv_red_spec *)(uintptr_t)r->spec;
    NUMBER(a, any);
    if (!any || (a->take && a->take->failed)) return;
    if (a->take && a->status == VV_OK) a->status = vv_red_spec_new(&s);
    if (!s) return;
    r->spec = s;
    NUMBER(a, s->told);
    NUMBER(a, s->room);
    NUMBER(a, s->n_values);
    if (s->n_values < 0 || s->n_values > VV_RED_VALUES) s->n_values = 0;
    for (int k = 0; k < s->n_values; k++) NUMBER(a, s->type[k]);
    NUMBER(a, s->result);
    NUMBER(a, s->length);
    NUMBER(a, s->state);
    histogram(a, s);
    own(a, s);
    if (a->take && !a->take->failed && a->status == VV_OK && vv_red_spec_ok(s)) vv_red_spec_settle(s);
}

static void reduction(archive *a, vv_red *r)
{
    char *name = a->put && r->kind ? (char *)r->kind->name : NULL;
    string(a, &name);
    if (a->take && name) {
        r->kind = vv_reduction_any(name);
        free(name);
    }
    NUMBER(a, r->in);
    NUMBER(a, r->skip);
    real(a, &r->ddof);
    real(a, &r->least);
    NUMBER(a, r->width);
    spec(a, r);
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

static void part(archive *a, vv_part *p)
{
    NUMBER(a, p->from);
    NUMBER(a, p->result);
    box(a, &p->box);
    NUMBER(a, p->nd);
    if (a->take && (p->nd < 0 || p->nd > VV_MAX_DIMS)) {
        a->take->failed = true;
        p->nd = 0;
    }
    for (int d = 0; d < p->nd; d++) {
        NUMBER(a, p->dim[d]);
        NUMBER(a, p->start[d]);
        NUMBER(a, p->stride[d]);
    }
    NUMBER(a, p->table_dim);
    table(a, &p->table);
}

static void input(archive *a, vv_input *in, int nd)
{
    int64_t n = counted(a, in->n_parts, sizeof(int64_t));
    NUMBER(a, in->access);
    NUMBER(a, in->type);
    real(a, &in->fill);
    NUMBER(a, in->lookup);
    for (int d = 0; d < nd; d++) {
        NUMBER(a, in->before[d]);
        NUMBER(a, in->after[d]);
    }
    for (int64_t j = 0; j < n && a->put; j++) part(a, &in->part[j]);
    for (int64_t j = 0; j < n && a->take && !a->take->failed && a->status == VV_OK; j++) {
        vv_part p = {.table_dim = -1};
        part(a, &p);
        vv_status status = vv_input_add_part(in, &p);
        if (a->status == VV_OK) a->status = status;
    }
}

static void inputs(archive *a, vv_step *s)
{
    int64_t n = counted(a, s->n_inputs, sizeof(int64_t));
    for (int64_t k = 0; k < n && a->put; k++) input(a, &s->input[k], s->work.shape.nd);
    for (int64_t k = 0; k < n && a->take && !a->take->failed && a->status == VV_OK; k++) {
        vv_input *in;
        a->status = vv_step_add_input(s, &in);
        if (a->status == VV_OK) input(a, in, s->work.shape.nd);
    }
}

static void call(archive *a, vv_block_call *c, int nd)
{
    NUMBER(a, c->op);
    for (int d = 0; d < nd; d++) {
        NUMBER(a, c->before[d]);
        NUMBER(a, c->after[d]);
        NUMBER(a, c->along[d]);
    }
    NUMBER(a, c->length);
    NUMBER(a, c->points);
    real(a, &c->scale);
    NUMBER(a, c->how);
    NUMBER(a, c->groups);
    NUMBER(a, c->extent);
    NUMBER(a, c->first);
    NUMBER(a, c->min_count);
    real(a, &c->ddof);
    NUMBER(a, c->keep_nan);
    NUMBER(a, c->axis);
    c->n_weights = counted(a, c->n_weights, sizeof(double));
    if (a->take && c->n_weights > 0 && a->status == VV_OK)
        a->status = vv_new(&c->weight, (size_t)c->n_weights, sizeof *c->weight);
    for (vv_index i = 0; i < c->n_weights && c->weight; i++) real(a, &c->weight[i]);
}

static void operand(archive *a, vv_user_operand *o)
{
    NUMBER(a, o->type);
    NUMBER(a, o->nd);
    if (a->take && (o->nd < 0 || o->nd > VV_MAX_DIMS)) {
        a->take->failed = true;
        o->nd = 0;
    }
    for (int d = 0; d < o->nd; d++) NUMBER(a, o->dim[d]);
}

static void user_dims(archive *a, vv_user *u, int nd)
{
    shape(a, &u->work);
    for (int d = 0; d < nd; d++) {
        NUMBER(a, u->origin[d]);
        NUMBER(a, u->whole[d]);
        NUMBER(a, u->chunk[d]);
        NUMBER(a, u->length[d]);
        NUMBER(a, u->piece[d]);
        NUMBER(a, u->before[d]);
        NUMBER(a, u->after[d]);
        NUMBER(a, u->open[d]);
        NUMBER(a, u->list[d]);
        NUMBER(a, u->list_shift[d]);
    }
}

static void user_data(archive *a, vv_user *u)
{
    u->data_size = counted(a, u->data_size, 1);
    if (u->data_size == 0) return;
    if (a->take && a->status == VV_OK) a->status = vv_new(&u->data, (size_t)u->data_size, 1);
    if (u->data) bytes(a, u->data, (size_t)u->data_size);
}

static void user(archive *a, vv_user **out, int nd)
{
    if (a->take && a->status == VV_OK) a->status = vv_new(out, 1, sizeof **out);
    vv_user *u = *out;
    if (!u) return;
    NUMBER(a, u->kind);
    string(a, &u->name);
    symbol(a, &u->symbol);
    NUMBER(a, u->n_in);
    if (a->take && (u->n_in < 0 || u->n_in > VV_PROGRAM_INPUTS)) {
        a->take->failed = true;
        u->n_in = 0;
    }
    for (int k = 0; k < u->n_in; k++) operand(a, &u->in[k]);
    NUMBER(a, u->type);
    NUMBER(a, u->result_nd);
    user_dims(a, u, nd);
    NUMBER(a, u->loops);
    NUMBER(a, u->n_sizes);
    for (int i = 0; i < VV_MAX_DIMS; i++) NUMBER(a, u->size_dim[i]);
    for (int i = 0; i < VV_MAX_DIMS; i++) NUMBER(a, u->size[i]);
    NUMBER(a, u->n_results);
    for (int r = 0; r < VV_USER_RESULTS; r++) NUMBER(a, u->result_at[r]);
    NUMBER(a, u->lists);
    NUMBER(a, u->by_rank);
    NUMBER(a, u->scratch);
    user_data(a, u);
    if (a->take && !a->take->failed && a->status == VV_OK) a->status = vv_symbol_load(&u->symbol, &u->function);
}

static void tile(archive *a, vv_tile_call *c, int nd)
{
    NUMBER(a, c->op);
    NUMBER(a, c->type);
    NUMBER(a, c->first);
    NUMBER(a, c->from);
    for (int d = 0; d < nd; d++) {
        NUMBER(a, c->cut[d]);
        NUMBER(a, c->extent[d]);
    }
}

static void groups(archive *a, vv_groups *g)
{
    NUMBER(a, g->dim);
    if (g->dim < 0) return;
    NUMBER(a, g->n);
    NUMBER(a, g->chunk);
    table(a, &g->label);
}

static void compute(archive *a, vv_step *s)
{
    grid(a, &s->work);
    inputs(a, s);
    NUMBER(a, s->block);
    NUMBER(a, s->product);
    NUMBER(a, s->tiled);
    if (!vv_step_packs(s)) program(a, s);
    int64_t function = s->user != NULL;
    number(a, &function);
    if (function) user(a, &s->user, s->work.shape.nd);
    if (s->block && !function) call(a, &s->call, s->work.shape.nd);
    if (s->tiled) tile(a, &s->tile, s->work.shape.nd);
    for (int d = 0; d < s->work.shape.nd; d++) {
        NUMBER(a, s->reduced[d]);
        NUMBER(a, s->join[d]);
    }
    NUMBER(a, s->reshaped);
    if (s->reshaped) shape(a, &s->shown);
    groups(a, &s->groups);
    NUMBER(a, s->leaf);
    NUMBER(a, s->placement);
    for (int d = 0; d < s->work.shape.nd && s->placement == VV_PLACE_HELD; d++) {
        NUMBER(a, s->within.first[d]);
        NUMBER(a, s->within.count[d]);
    }
    NUMBER(a, s->copied_to);
    NUMBER(a, s->copied_all);
    NUMBER(a, s->told_to);
    NUMBER(a, s->n_results);
    if (s->n_results < 0 || s->n_results > VV_MAX_RESULTS) s->n_results = 0;
    for (int r = 0; r < s->n_results; r++) {
        NUMBER(a, s->result[r].type);
        NUMBER(a, s->result[r].value);
        string(a, &s->result[r].name);
        reduction(a, &s->result[r].red);
        const vv_red_spec *spec = s->result[r].red.spec;
        for (int k = 1; spec && k < spec->n_values; k++) NUMBER(a, s->result[r].more[k - 1]);
    }
    NUMBER(a, s->length);
}

static void grown(archive *a, vv_grown *g)
{
    NUMBER(a, g->on);
    if (!g->on) return;
    grid(a, &g->grid);
    NUMBER(a, g->dim);
    NUMBER(a, g->kept);
    NUMBER(a, g->first);
}

static void write_to(archive *a, vv_write_to *w)
{
    NUMBER(a, w->address);
    NUMBER(a, w->variable);
    NUMBER(a, w->chunked);
    NUMBER(a, w->deflate);
    NUMBER(a, w->zstd);
    NUMBER(a, w->shuffle);
    NUMBER(a, w->sum);
    NUMBER(a, w->sum_first);
    NUMBER(a, w->swap);
    grown(a, &w->grown);
    NUMBER(a, w->encode.in);
    NUMBER(a, w->encode.to);
    NUMBER(a, w->encode.has_fill);
    bytes(a, w->encode.fill, sizeof w->encode.fill);
    NUMBER(a, w->encode.scaled);
    real(a, &w->encode.scale);
    real(a, &w->encode.offset);
    NUMBER(a, w->encode.checked);
    NUMBER(a, w->encode.quantize.how);
    NUMBER(a, w->encode.quantize.keep);
}

static void step(archive *a, vv_step *s)
{
    NUMBER(a, s->op);
    string(a, &s->name);
    grid(a, &s->grid);
    NUMBER(a, s->source);
    NUMBER(a, s->from);
    NUMBER(a, s->result_of);
    if (vv_step_computes(s)) compute(a, s);
    if (vv_step_delivers(s)) write_to(a, &s->to);
}

static void drops(archive *a, vv_plan *p)
{
    p->n_drops = (int)counted(a, p->n_drops, sizeof(int64_t));
    if (a->take && p->n_drops > 0 && a->status == VV_OK)
        a->status = vv_new(&p->drop, (size_t)p->n_drops, sizeof *p->drop);
    for (int i = 0; i < p->n_drops && p->drop; i++) NUMBER(a, p->drop[i]);
}

static void saved(archive *a, vv_saved *s)
{
    int64_t sum = (int64_t)s->sum;
    NUMBER(a, s->step);
    NUMBER(a, s->run);
    NUMBER(a, s->rank);
    NUMBER(a, s->done);
    NUMBER(a, s->placed);
    NUMBER(a, s->out);
    NUMBER(a, s->level);
    NUMBER(a, s->i);
    NUMBER(a, s->at);
    NUMBER(a, s->size);
    number(a, &sum);
    s->sum = (uint64_t)sum;
}

static void journal(archive *a, vv_plan *p)
{
    string(a, &p->journal);
    if (!p->journal) return;
    NUMBER(a, p->journal_run);
    NUMBER(a, p->journal_every);
    NUMBER(a, p->journal_end);
    p->n_saved = counted(a, p->n_saved, 11 * (int64_t)sizeof(int64_t));
    if (a->take && p->n_saved > 0 && a->status == VV_OK)
        a->status = vv_new(&p->saved, (size_t)p->n_saved, sizeof *p->saved);
    for (vv_index i = 0; i < p->n_saved && p->saved; i++) saved(a, &p->saved[i]);
}

static void head(archive *a, vv_plan *p)
{
    NUMBER(a, p->ranks);
    NUMBER(a, p->threads);
    NUMBER(a, p->budget);
    NUMBER(a, p->store);
    NUMBER(a, p->keep);
    NUMBER(a, p->policy);
    NUMBER(a, p->fuzz);
    NUMBER(a, p->log);
    NUMBER(a, p->report_every);
    NUMBER(a, p->fill_bad);
    NUMBER(a, p->collective);
    string(a, &p->output);
    string(a, &p->heartbeat);
    string(a, &p->original);
    string(a, &p->scratch);
    drops(a, p);
    journal(a, p);
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
    VV_TRY(vv_plan_validate(p));
    for (int i = 0; i < p->n_steps; i++)
        if (vv_step_computes(&p->step[i])) VV_TRY(vv_step_complete(&p->step[i]));
    return VV_OK;
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

uint64_t vv_plan_hash(const vv_plan *p)
{
    vv_buf b = {0};
    char somewhere[] = "";
    vv_plan content = *p;
    if (p->output) content.output = somewhere; /* the same plan, wherever its temporary output lies */
    content.heartbeat = content.scratch = content.journal = NULL;
    vv_plan_pack(&content, &b);
    uint64_t h = vv_hash(b.data, b.size);
    vv_buf_free(&b);
    return h;
}
