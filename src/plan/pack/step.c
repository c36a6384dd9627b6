/* One step of a plan as bytes, and back. */
#include "plan/pack/archive.h"

#include <stdlib.h>

/* Functions of the user's: those of this process are looked for when all has been read. */
static void own(vv_archive *a, vv_red_spec *s)
{
    bool any = s->own != NULL;
    VV_ARCHIVE(a, any);
    if (!any || (a->take && a->take->failed)) return;
    if (a->take && a->status == VV_OK) a->status = vv_new(&s->own, 1, sizeof *s->own);
    vv_own *o = s->own;
    if (!o) return;
    vv_archive_string(a, &o->name);
    for (int i = 0; i < VV_OWN_FUNCTIONS; i++) vv_archive_symbol(a, &o->symbol[i]);
    o->data_size = vv_archive_counted(a, o->data_size, 1);
    if (a->take && o->data_size > 0 && a->status == VV_OK) a->status = vv_new(&o->data, (size_t)o->data_size, 1);
    if (o->data) vv_archive_bytes(a, o->data, (size_t)o->data_size);
    for (int i = 0; i < VV_OWN_FUNCTIONS; i++)
        if (a->take && !a->take->failed && a->status == VV_OK)
            a->status = vv_symbol_load(&o->symbol[i], &o->function[i]);
}

static void histogram(vv_archive *a, vv_red_spec *s)
{
    int64_t edges = 0;
    VV_ARCHIVE(a, s->n_axes);
    if (s->n_axes < 0 || s->n_axes > VV_RED_VALUES) s->n_axes = 0;
    for (int k = 0; k < s->n_axes; k++) {
        VV_ARCHIVE(a, s->n_bins[k]);
        if (s->n_bins[k] < 0 || s->n_bins[k] > INT32_MAX) s->n_bins[k] = 0;
        edges += s->n_bins[k] + 1;
    }
    int64_t n = vv_archive_counted(a, edges, sizeof(double));
    if (a->take && n != edges) a->take->failed = true;
    if (a->take && edges > 0 && !a->take->failed && a->status == VV_OK)
        a->status = vv_new(&s->edge, (size_t)edges, sizeof *s->edge);
    for (int64_t i = 0; i < edges && s->edge; i++) vv_archive_real(a, &s->edge[i]);
}

static void spec(vv_archive *a, vv_red *r)
{
    bool any = r->spec != NULL;
    vv_red_spec *s = (vv_red_spec *)(uintptr_t)r->spec;
    VV_ARCHIVE(a, any);
    if (!any || (a->take && a->take->failed)) return;
    if (a->take && a->status == VV_OK) a->status = vv_red_spec_new(&s);
    if (!s) return;
    r->spec = s;
    VV_ARCHIVE(a, s->told);
    VV_ARCHIVE(a, s->room);
    VV_ARCHIVE(a, s->n_values);
    if (s->n_values < 0 || s->n_values > VV_RED_VALUES) s->n_values = 0;
    for (int k = 0; k < s->n_values; k++) VV_ARCHIVE(a, s->type[k]);
    VV_ARCHIVE(a, s->result);
    VV_ARCHIVE(a, s->length);
    VV_ARCHIVE(a, s->state);
    histogram(a, s);
    own(a, s);
    if (a->take && !a->take->failed && a->status == VV_OK && vv_red_spec_ok(s)) vv_red_spec_settle(s);
}

static void reduction(vv_archive *a, vv_red *r)
{
    char *name = a->put && r->kind ? (char *)r->kind->name : NULL;
    vv_archive_string(a, &name);
    if (a->take && name) {
        r->kind = vv_reduction_any(name);
        free(name);
    }
    VV_ARCHIVE(a, r->in);
    VV_ARCHIVE(a, r->skip);
    vv_archive_real(a, &r->ddof);
    vv_archive_real(a, &r->least);
    VV_ARCHIVE(a, r->width);
    spec(a, r);
}

static void program(vv_archive *a, vv_step *s)
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

static void part(vv_archive *a, vv_part *p)
{
    VV_ARCHIVE(a, p->from);
    VV_ARCHIVE(a, p->result);
    vv_archive_box(a, &p->box);
    vv_archive_dims(a, &p->nd);
    for (int d = 0; d < p->nd; d++) {
        VV_ARCHIVE(a, p->dim[d]);
        VV_ARCHIVE(a, p->start[d]);
        VV_ARCHIVE(a, p->stride[d]);
    }
    VV_ARCHIVE(a, p->table_dim);
    vv_archive_table(a, &p->table);
}

static void input(vv_archive *a, vv_input *in, int nd)
{
    int64_t n = vv_archive_counted(a, in->n_parts, sizeof(int64_t));
    VV_ARCHIVE(a, in->access);
    VV_ARCHIVE(a, in->type);
    vv_archive_real(a, &in->fill);
    VV_ARCHIVE(a, in->lookup);
    for (int d = 0; d < nd; d++) {
        VV_ARCHIVE(a, in->before[d]);
        VV_ARCHIVE(a, in->after[d]);
    }
    for (int64_t j = 0; j < n && a->put; j++) part(a, &in->part[j]);
    for (int64_t j = 0; j < n && a->take && !a->take->failed && a->status == VV_OK; j++) {
        vv_part p = {.table_dim = -1};
        part(a, &p);
        vv_status status = vv_input_add_part(in, &p);
        if (a->status == VV_OK) a->status = status;
    }
}

static void inputs(vv_archive *a, vv_step *s)
{
    int64_t n = vv_archive_counted(a, s->n_inputs, sizeof(int64_t));
    for (int64_t k = 0; k < n && a->put; k++) input(a, &s->input[k], s->work.shape.nd);
    for (int64_t k = 0; k < n && a->take && !a->take->failed && a->status == VV_OK; k++) {
        vv_input *in;
        a->status = vv_step_add_input(s, &in);
        if (a->status == VV_OK) input(a, in, s->work.shape.nd);
    }
}

static void call(vv_archive *a, vv_block_call *c, int nd)
{
    VV_ARCHIVE(a, c->op);
    for (int d = 0; d < nd; d++) {
        VV_ARCHIVE(a, c->before[d]);
        VV_ARCHIVE(a, c->after[d]);
        VV_ARCHIVE(a, c->along[d]);
    }
    VV_ARCHIVE(a, c->length);
    VV_ARCHIVE(a, c->points);
    vv_archive_real(a, &c->scale);
    VV_ARCHIVE(a, c->how);
    VV_ARCHIVE(a, c->groups);
    VV_ARCHIVE(a, c->extent);
    VV_ARCHIVE(a, c->first);
    VV_ARCHIVE(a, c->min_count);
    vv_archive_real(a, &c->ddof);
    VV_ARCHIVE(a, c->keep_nan);
    VV_ARCHIVE(a, c->axis);
    c->n_weights = vv_archive_counted(a, c->n_weights, sizeof(double));
    if (a->take && c->n_weights > 0 && a->status == VV_OK)
        a->status = vv_new(&c->weight, (size_t)c->n_weights, sizeof *c->weight);
    for (vv_index i = 0; i < c->n_weights && c->weight; i++) vv_archive_real(a, &c->weight[i]);
}

static void operand(vv_archive *a, vv_user_operand *o)
{
    VV_ARCHIVE(a, o->type);
    vv_archive_dims(a, &o->nd);
    for (int d = 0; d < o->nd; d++) VV_ARCHIVE(a, o->dim[d]);
}

static void user_dims(vv_archive *a, vv_user *u, int nd)
{
    vv_archive_shape(a, &u->work);
    for (int d = 0; d < nd; d++) {
        VV_ARCHIVE(a, u->origin[d]);
        VV_ARCHIVE(a, u->whole[d]);
        VV_ARCHIVE(a, u->chunk[d]);
        VV_ARCHIVE(a, u->length[d]);
        VV_ARCHIVE(a, u->piece[d]);
        VV_ARCHIVE(a, u->before[d]);
        VV_ARCHIVE(a, u->after[d]);
        VV_ARCHIVE(a, u->open[d]);
        VV_ARCHIVE(a, u->list[d]);
        VV_ARCHIVE(a, u->list_shift[d]);
    }
}

static void user_data(vv_archive *a, vv_user *u)
{
    u->data_size = vv_archive_counted(a, u->data_size, 1);
    if (u->data_size == 0) return;
    if (a->take && a->status == VV_OK) a->status = vv_new(&u->data, (size_t)u->data_size, 1);
    if (u->data) vv_archive_bytes(a, u->data, (size_t)u->data_size);
}

static void user(vv_archive *a, vv_user **out, int nd)
{
    if (a->take && a->status == VV_OK) a->status = vv_new(out, 1, sizeof **out);
    vv_user *u = *out;
    if (!u) return;
    VV_ARCHIVE(a, u->kind);
    vv_archive_string(a, &u->name);
    vv_archive_symbol(a, &u->symbol);
    VV_ARCHIVE(a, u->n_in);
    if (a->take && (u->n_in < 0 || u->n_in > VV_PROGRAM_INPUTS)) {
        a->take->failed = true;
        u->n_in = 0;
    }
    for (int k = 0; k < u->n_in; k++) operand(a, &u->in[k]);
    VV_ARCHIVE(a, u->type);
    VV_ARCHIVE(a, u->result_nd);
    user_dims(a, u, nd);
    VV_ARCHIVE(a, u->loops);
    VV_ARCHIVE(a, u->n_sizes);
    for (int i = 0; i < VV_MAX_DIMS; i++) VV_ARCHIVE(a, u->size_dim[i]);
    for (int i = 0; i < VV_MAX_DIMS; i++) VV_ARCHIVE(a, u->size[i]);
    VV_ARCHIVE(a, u->n_results);
    for (int r = 0; r < VV_USER_RESULTS; r++) VV_ARCHIVE(a, u->result_at[r]);
    VV_ARCHIVE(a, u->lists);
    VV_ARCHIVE(a, u->by_rank);
    VV_ARCHIVE(a, u->scratch);
    user_data(a, u);
    if (a->take && !a->take->failed && a->status == VV_OK) a->status = vv_symbol_load(&u->symbol, &u->function);
}

static void tile(vv_archive *a, vv_tile_call *c, int nd)
{
    VV_ARCHIVE(a, c->op);
    VV_ARCHIVE(a, c->type);
    VV_ARCHIVE(a, c->first);
    VV_ARCHIVE(a, c->from);
    for (int d = 0; d < nd; d++) {
        VV_ARCHIVE(a, c->cut[d]);
        VV_ARCHIVE(a, c->extent[d]);
    }
}

static void groups(vv_archive *a, vv_groups *g)
{
    VV_ARCHIVE(a, g->dim);
    if (g->dim < 0) return;
    VV_ARCHIVE(a, g->n);
    VV_ARCHIVE(a, g->chunk);
    vv_archive_table(a, &g->label);
}

static void compute(vv_archive *a, vv_step *s)
{
    vv_archive_grid(a, &s->work);
    inputs(a, s);
    VV_ARCHIVE(a, s->block);
    VV_ARCHIVE(a, s->product);
    VV_ARCHIVE(a, s->tiled);
    if (!vv_step_packs(s)) program(a, s);
    int64_t function = s->user != NULL;
    vv_archive_number(a, &function);
    if (function) user(a, &s->user, s->work.shape.nd);
    if (s->block && !function) call(a, &s->call, s->work.shape.nd);
    if (s->tiled) tile(a, &s->tile, s->work.shape.nd);
    for (int d = 0; d < s->work.shape.nd; d++) {
        VV_ARCHIVE(a, s->reduced[d]);
        VV_ARCHIVE(a, s->join[d]);
    }
    VV_ARCHIVE(a, s->reshaped);
    if (s->reshaped) vv_archive_shape(a, &s->shown);
    groups(a, &s->groups);
    VV_ARCHIVE(a, s->leaf);
    VV_ARCHIVE(a, s->placement);
    for (int d = 0; d < s->work.shape.nd && s->placement == VV_PLACE_HELD; d++) {
        VV_ARCHIVE(a, s->within.first[d]);
        VV_ARCHIVE(a, s->within.count[d]);
    }
    VV_ARCHIVE(a, s->copied_to);
    VV_ARCHIVE(a, s->copied_all);
    VV_ARCHIVE(a, s->told_to);
    VV_ARCHIVE(a, s->n_results);
    if (s->n_results < 0 || s->n_results > VV_MAX_RESULTS) s->n_results = 0;
    for (int r = 0; r < s->n_results; r++) {
        VV_ARCHIVE(a, s->result[r].type);
        VV_ARCHIVE(a, s->result[r].value);
        vv_archive_string(a, &s->result[r].name);
        reduction(a, &s->result[r].red);
        const vv_red_spec *spec = s->result[r].red.spec;
        for (int k = 1; spec && k < spec->n_values; k++) VV_ARCHIVE(a, s->result[r].more[k - 1]);
    }
    VV_ARCHIVE(a, s->length);
}

static void grown(vv_archive *a, vv_grown *g)
{
    VV_ARCHIVE(a, g->on);
    if (!g->on) return;
    vv_archive_grid(a, &g->grid);
    VV_ARCHIVE(a, g->dim);
    VV_ARCHIVE(a, g->kept);
    VV_ARCHIVE(a, g->first);
}

static void write_to(vv_archive *a, vv_write_to *w)
{
    VV_ARCHIVE(a, w->address);
    VV_ARCHIVE(a, w->variable);
    VV_ARCHIVE(a, w->chunked);
    VV_ARCHIVE(a, w->deflate);
    VV_ARCHIVE(a, w->zstd);
    VV_ARCHIVE(a, w->shuffle);
    VV_ARCHIVE(a, w->sum);
    VV_ARCHIVE(a, w->sum_first);
    VV_ARCHIVE(a, w->swap);
    grown(a, &w->grown);
    VV_ARCHIVE(a, w->encode.in);
    VV_ARCHIVE(a, w->encode.to);
    VV_ARCHIVE(a, w->encode.has_fill);
    vv_archive_bytes(a, w->encode.fill, sizeof w->encode.fill);
    VV_ARCHIVE(a, w->encode.scaled);
    vv_archive_real(a, &w->encode.scale);
    vv_archive_real(a, &w->encode.offset);
    VV_ARCHIVE(a, w->encode.checked);
    VV_ARCHIVE(a, w->encode.quantize.how);
    VV_ARCHIVE(a, w->encode.quantize.keep);
}

void vv_archive_step(vv_archive *a, vv_step *s)
{
    VV_ARCHIVE(a, s->op);
    vv_archive_string(a, &s->name);
    vv_archive_grid(a, &s->grid);
    VV_ARCHIVE(a, s->source);
    VV_ARCHIVE(a, s->from);
    VV_ARCHIVE(a, s->result_of);
    if (vv_step_computes(s)) compute(a, s);
    if (vv_step_delivers(s)) write_to(a, &s->to);
}
