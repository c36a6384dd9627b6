/* Outputs: from named arrays to a complete NetCDF-4 file.
 *
 * An output is described first (outfile.c makes its metadata), then planned, then created under a temporary name, computed into, and renamed. Large
 * results are written by the ranks that have them; small ones that need chunks (an unlimited dimension, compression) are gathered and written by
 * the coordinator in one piece, so that a compressed file does not consist of crumbs. */
#include "base/log.h"
#include "observe/beat.h"
#include "session/append/append.h"
#include "varve/move.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL = 4 << 20 };

vv_status vv_output_new(vv_session *s, const char *path, const vv_save_options *options, vv_output **out)
{
    vv_output *o;
    *out = NULL;
    VV_TRY(vv_new(&o, 1, sizeof *o));
    o->session = s;
    o->options = options ? *options : (vv_save_options)VV_SAVE_OPTIONS_INIT;
    vv_status status;
    VV_TRY_GOTO(status, failed, vv_strdup(&o->path, path));
    VV_TRY_GOTO(status, failed, vv_strdup(&o->given, path));
    if (o->options.history) {
        VV_TRY_GOTO(status, failed, vv_strdup(&o->history, o->options.history));
        o->options.history = o->history;
    }
    if (o->options.deflate < -1 || o->options.deflate > 9) {
        status = vv_fail(VV_ERR_USAGE, "deflate level %d is not within 0..9", o->options.deflate);
        goto failed;
    }
    VV_TRY_GOTO(status, failed, vv_encoding_read(&o->options, &o->encoding));
    if (o->encoding.collective && s->net->size > 1 && !vv_collective_possible()) {
        status = vv_fail(VV_ERR_UNSUPPORTED, "this HDF5 library writes by one process only: use the writer 'direct'");
        goto failed;
    }
    if (o->options.append) VV_TRY_GOTO(status, failed, vv_append_begin(o));
    VV_TRY_GOTO(status, failed, vv_output_path_check(o->path, o->options.overwrite || o->append, &o->temporary));
    *out = o;
    return VV_OK;
failed:
    vv_output_free(&o);
    return status;
}

void vv_item_free(vv_item *i)
{
    vv_node_drop(&i->array);
    free(i->name);
    vv_coord_free(&i->made);
    vv_mem_put(&i->values);
    free(i->times);
}

void vv_output_free(vv_output **out)
{
    vv_output *o = *out;
    if (!o) return;
    for (int i = 0; i < o->n_items; i++) vv_item_free(&o->item[i]);
    free(o->item);
    vv_append_end(o);
    vv_encoding_free(&o->encoding);
    free(o->path);
    free(o->given);
    free(o->history);
    free(o->temporary);
    free(o);
    *out = NULL;
}

/* Takes over one handle of `a`. */
vv_status vv_output_add_item(vv_output *o, const char *name, vv_array *a, vv_dataset *carried, int var)
{
    vv_status status = vv_grow(&o->item, o->n_items, sizeof *o->item, "variables of an output");
    if (status != VV_OK) {
        vv_release(&a);
        return status;
    }
    vv_item *i = &o->item[o->n_items++];
    if (a) vv_node_take_over(a);
    *i = (vv_item){.array = a, .carried = carried, .var = var, .target = -1};
    i->strings = a && a->text == VV_TEXT_STRINGS;
    return vv_strdup(&i->name, name);
}

bool vv_output_has(const vv_output *o, const char *name)
{
    for (int i = 0; i < o->n_items; i++)
        if (!strcmp(o->item[i].name, name)) return true;
    return false;
}

vv_status vv_output_add(vv_output *o, const char *name, vv_array *a)
{
    VV_TRY(vv_array_status(a));
    if (!name) name = a->name;
    if (vv_output_has(o, name)) return vv_fail(VV_ERR_USAGE, "%s: variable '%s' is there twice", o->path, name);
    VV_TRY(vv_output_add_item(o, name, vv_node_again(a), NULL, -1));
    return vv_outfile_make_coordinates(o, a);
}

/* --- planning --- */

static bool is_packed(const vv_output *o, const vv_item *item)
{
    return item->array && !item->copied && o->encoding.packed && vv_dtype_is_float(item->array->dtype);
}

/* The chunks that were asked for. Where an array is large, another one takes its place that has them. */
static vv_status choose_chunks(vv_output *o, vv_item *item)
{
    vv_array *a = item->array;
    vv_buf text = {0};
    vv_bytes size = vv_dtype_size(vv_item_type(o, item));
    if (item->copied || item->strings || a->shape.nd == 0 || !vv_encoding_has_chunks(&o->encoding, a->dim, a->shape.nd))
        return VV_OK;
    vv_encoding_chunks(&o->encoding, a->dim, &a->shape, size, item->chunk);
    if (vv_times(vv_shape_elements(&a->shape), size) <= SMALL) return VV_OK;
    for (int d = 0; d < a->shape.nd; d++)
        vv_buf_printf(&text, "%s%s:%lld", d ? "," : "", a->dim[d], (long long)item->chunk[d]);
    vv_status status = vv_buf_status(&text);
    if (status == VV_OK) {
        item->array = vv_rechunk(a, text.data);
        status = vv_array_status(item->array);
        vv_release(&a);
    }
    vv_buf_free(&text);
    return status;
}

/* What follows from the options for each computed item. */
static vv_status encode_items(vv_output *o)
{
    for (int i = 0; i < o->n_items; i++) {
        vv_item *item = &o->item[i];
        if (!item->array) continue;
        item->packed = is_packed(o, item);
        item->scale = o->encoding.scale;
        item->offset = o->encoding.offset;
        VV_TRY(choose_chunks(o, item));
    }
    return VV_OK;
}

static void choose_gathered(const vv_output *o, vv_item *item)
{
    vv_dtype type = o->append ? vv_append_type(o, item) : vv_item_type(o, item);
    item->bytes = vv_times(vv_shape_elements(&item->array->shape), vv_dtype_size(type));
    if (!o->append)
        item->gathered =
            item->strings || (vv_item_needs_chunks(o, item) && item->bytes <= SMALL && !vv_item_keeps_chunks(o, item));
}

/* What is computed: the arrays, in order of their items. Small results that need chunks are gathered. */
static vv_status make_targets(vv_output *o, vv_target **targets, int *n, vv_bytes *gathered)
{
    VV_TRY(vv_new(targets, (size_t)o->n_items, sizeof **targets));
    *n = 0;
    *gathered = 0;
    for (int i = 0; i < o->n_items; i++) {
        vv_item *item = &o->item[i];
        if (!item->array) continue;
        choose_gathered(o, item);
        if (item->gathered) *gathered += item->bytes;
        item->target = *n;
        (*targets)[(*n)++] = (vv_target){.array = item->array,
                                         .output_variable = item->gathered ? -1 : i,
                                         .chunked = !item->gathered && (o->append || vv_item_needs_chunks(o, item))};
    }
    return VV_OK;
}

/* The chunks of the step become those of the file, with the dimensions of length 1 that were kept. */
static void chunk_like_step(const vv_step *s, vv_variable *v)
{
    int k = 0;
    v->layout = VV_LAYOUT_CHUNKED;
    for (int d = 0; d < v->shape.nd; d++) {
        bool same = k < s->grid.shape.nd && v->shape.n[d] == s->grid.shape.n[k] &&
                    (v->shape.n[d] != 1 || v->shape.nd - d == s->grid.shape.nd - k);
        v->chunk[d] = same ? vv_imin(s->grid.chunk[k], vv_imax(1, v->shape.n[d])) : 1;
        k += same;
    }
}

/* Chunks of a variable that is written in one piece: as asked for; else whole, cut along the first dimension to at most a megabyte. */
static void chunk_whole(const vv_item *item, vv_variable *v)
{
    vv_bytes inner = vv_imax(1, vv_dtype_size(v->type));
    v->layout = VV_LAYOUT_CHUNKED;
    for (int d = v->shape.nd - 1; d >= 0; d--) {
        v->chunk[d] = item->chunk[0] ? item->chunk[d] : vv_imax(1, vv_imin(v->shape.n[d], (1 << 20) / inner));
        inner = vv_times(inner, v->chunk[d]);
    }
}

/* How elements become those of the file. Where somebody has chosen their type, they are first what the array says that they are: what is saved does not
 * depend on how precisely it was computed. */
static void encode(const vv_output *o, const vv_item *item, const vv_variable *v, vv_encode *e)
{
    bool text = item->array->text != VV_TEXT_NOT;
    e->to = text ? item->array->dtype : v->type;
    memcpy(e->fill, v->fill, sizeof v->fill);
    e->has_fill = vv_attr_find(&v->attrs, "_FillValue") != NULL;
    if (e->to != item->array->dtype) {
        e->in = vv_working_type(item->array->dtype);
        e->checked = true;
        e->scaled = item->packed;
        if (item->packed) {
            e->scale = item->scale;
            e->offset = item->offset;
        }
    }
    if (!item->copied && vv_dtype_is_float(v->type)) e->quantize = o->encoding.quantize;
}

static vv_status lay_out(vv_output *o, vv_item *item, vv_variable *v, vv_prepared *p, const vv_target *t)
{
    vv_plan *plan = p->lowering.plan;
    vv_step *s = t ? &plan->step[t->step] : NULL;
    bool chunked = vv_item_needs_chunks(o, item) && !item->strings; /* the writer chooses */
    if (o->append) return t ? vv_append_lay_out(o, item, v, p, t->step) : VV_OK;
    vv_item_filters(o, item, v);
    if (!chunked) v->layout = VV_LAYOUT_CONTIGUOUS;
    if (chunked && (!t || item->gathered)) chunk_whole(item, v);
    if (chunked && t && !item->gathered) chunk_like_step(s, v);
    if (!s) return VV_OK;
    s->to.chunked = chunked && !item->gathered;
    s->to.deflate = v->deflate ? v->deflate : 1; /* level 0 is a stream, too */
    s->to.zstd = v->zstd;
    s->to.shuffle = v->shuffle;
    encode(o, item, v, &s->to.encode);
    return vv_copying_choose(p, t->step, v);
}

typedef struct planned {
    vv_meta *meta;
    vv_target *target;
    vv_prepared prepared;
} planned;

static void planned_free(planned *p)
{
    vv_prepared_free(&p->prepared);
    vv_meta_free(&p->meta);
    free(p->target);
}

/* Coordinates of the arrays' dimensions, as far as nobody added or carried them. */
static vv_status add_coordinates(vv_output *o)
{
    int n = o->n_items;
    for (int i = 0; i < n; i++)
        if (o->item[i].array && o->item[i].array->origin) VV_TRY(vv_outfile_carry_coordinates(o, o->item[i].array));
    return vv_outfile_make_cells(o);
}

static vv_status plan_output(vv_output *o, planned *p)
{
    int n;
    vv_bytes gathered;
    *p = (planned){0};
    VV_TRY(o->append ? vv_append_meta(o, &p->meta) : vv_outfile_meta(o, &p->meta));
    VV_TRY(make_targets(o, &p->target, &n, &gathered));
    VV_TRY(vv_prepare(o->session, p->target, n, gathered, &p->prepared));
    vv_plan *plan = p->prepared.lowering.plan;
    plan->collective = o->encoding.collective;
    VV_TRY(vv_strdup(&plan->output, o->temporary));
    VV_TRY(vv_beat_path(o->path, &plan->heartbeat));
    if (o->append) VV_TRY(vv_strdup(&plan->original, o->path));
    for (int i = 0; i < o->n_items; i++)
        VV_TRY(lay_out(o, &o->item[i], &p->meta->var[i], &p->prepared,
                       o->item[i].target < 0 ? NULL : &p->target[o->item[i].target]));
    return vv_prepare_cost(&p->prepared, gathered);
}

/* --- writing --- */

static vv_status put_carried(vv_output *o, const planned *p, vv_writer *w)
{
    for (int i = 0; i < o->n_items; i++) {
        const vv_item *item = &o->item[i];
        const vv_variable *v = &p->meta->var[i];
        vv_status status = item->made.value ? vv_outfile_put_made(o, item, v, w, i)
                           : item->carried  ? vv_outfile_put_carried(o, item, v, w, i)
                                            : VV_OK;
        if (status != VV_OK) return vv_error_prefix("variable '%s'", v->name);
    }
    return VV_OK;
}

/* Addresses and buffers for what the ranks will deliver. */
static vv_status connect(vv_output *o, planned *p, vv_writer *w)
{
    vv_plan *plan = p->prepared.lowering.plan;
    p->prepared.writer = w;
    for (int i = 0; i < o->n_items; i++) {
        vv_item *item = &o->item[i];
        if (item->target < 0) continue;
        int step = p->target[item->target].step;
        if (item->gathered) {
            VV_TRY(vv_mem_get(&item->values, item->bytes, "a result"));
            p->prepared.gather[step] = item->values;
        } else if (plan->collective) {
            VV_TRY(vv_writer_object(w, i, &plan->step[step].to.address));
        } else if (!plan->step[step].to.chunked && item->bytes > 0) {
            VV_TRY(vv_writer_offset(w, i, &plan->step[step].to.address));
            if (vv_writes_direct(plan)) vv_raw_allocate(plan->output, plan->step[step].to.address + item->bytes);
        } else if (plan->step[step].to.chunked) {
            VV_TRY(vv_copying_place(&p->prepared, step));
        }
    }
    return VV_OK;
}

static vv_status put_values(const vv_output *o, const vv_item *item, vv_writer *w, int var)
{
    if (!item->strings) return vv_writer_put(w, var, item->values);
    return vv_outfile_put_strings(o, item->values, item->bytes / (vv_bytes)sizeof(int64_t), w, var);
}

static vv_status put_gathered(vv_output *o, vv_writer *w)
{
    for (int i = 0; i < o->n_items; i++)
        if (o->item[i].gathered && o->item[i].bytes > 0) {
            if (o->item[i].times) VV_TRY(vv_append_times(o, &o->item[i]));
            VV_TRY(put_values(o, &o->item[i], w, i));
            o->session->stats.written += o->item[i].bytes;
        }
    return VV_OK;
}

static vv_status sync_file(const char *path)
{
    vv_raw_out f;
    VV_TRY(vv_raw_out_open(path, &f));
    vv_status status = vv_raw_out_sync(&f);
    vv_raw_out_close(&f);
    return status;
}

static vv_status fill_file(vv_output *o, planned *p, vv_writer *w)
{
    bool collective = p->prepared.lowering.plan->collective;
    VV_TRY(put_carried(o, p, w));
    VV_TRY(connect(o, p, w));
    if (collective) VV_TRY(vv_writer_let_go(w));
    VV_TRY(vv_prepared_run(o->session, &p->prepared));
    if (collective) VV_TRY(vv_writer_take_back(w));
    return put_gathered(o, w);
}

static vv_status write_file(vv_output *o, planned *p)
{
    VV_TRY(vv_cost_check(p->prepared.lowering.plan, &p->prepared.cost, p->prepared.baseline));
    VV_TRY(vv_journal_prepare(o, p->prepared.lowering.plan));
    vv_writer *w;
    const vv_session *s = o->session;
    vv_beat_begin(o->path, o->history, s->net->size, s->threads, s->memory);
    vv_status status = o->append ? vv_append_open(o, p->meta, &w) : vv_writer_create(o->temporary, p->meta, &w);
    if (status == VV_OK) {
        vv_failure first;
        status = fill_file(o, p, w);
        vv_error_get(&first);
        vv_status closed = vv_writer_close(&w);
        if (status == VV_OK)
            status = closed;
        else
            vv_error_set(&first);
    }
    if (status == VV_OK) status = sync_file(o->temporary);
    if (status == VV_OK && vv_signals_seen(NULL)) status = vv_fail(VV_ERR_INTERRUPTED, "interrupted");
    if (status == VV_OK && o->append) status = vv_original_check(o->append->original);
    if (status == VV_OK) status = vv_output_path_commit(o->temporary, o->path, o->options.overwrite || o->append);
    if (status != VV_OK && !vv_plan_keeps_output(p->prepared.lowering.plan)) vv_output_path_discard(o->temporary);
    if (status == VV_OK) vv_journal_finish(o);
    vv_beat_end();
    return status;
}

/* --- packing --- */

/* The least and the greatest value of every item that is packed by its range: one plan, so that what they share is read once. */
typedef struct ranges {
    int n; /* items */
    vv_item **item;
    vv_target *target; /* two for each */
    double *value;
    vv_prepared prepared;
} ranges;

static void ranges_free(ranges *r)
{
    for (int i = 0; r->target && i < 2 * r->n; i++) vv_release(&r->target[i].array);
    vv_prepared_free(&r->prepared);
    free(r->item);
    free(r->target);
    free(r->value);
}

static vv_status list_ranges(vv_output *o, ranges *r)
{
    static const char *const how[] = {"min", "max"};
    VV_TRY(vv_new(&r->item, (size_t)o->n_items + 1, sizeof(vv_item *)));
    VV_TRY(vv_new(&r->target, 2 * (size_t)o->n_items + 1, sizeof *r->target));
    VV_TRY(vv_new(&r->value, 2 * (size_t)o->n_items + 1, sizeof *r->value));
    for (int i = 0; i < o->n_items; i++) {
        if (!o->item[i].packed || o->encoding.given) continue;
        r->item[r->n] = &o->item[i];
        for (int k = 0; k < 2; k++)
            r->target[2 * r->n + k] =
                (vv_target){.array = vv_reduce(o->item[i].array, how[k], NULL, NULL), .output_variable = -1};
        r->n++;
    }
    return VV_OK;
}

static vv_status run_ranges(vv_output *o, ranges *r)
{
    VV_TRY(vv_prepare(o->session, r->target, 2 * r->n, 0, &r->prepared));
    for (int i = 0; i < 2 * r->n; i++) r->prepared.gather[r->target[i].step] = &r->value[i];
    VV_TRY(vv_prepared_run(o->session, &r->prepared));
    for (int i = 0; i < r->n; i++) {
        double at[2];
        for (int k = 0; k < 2; k++) at[k] = vv_dtype_load(r->target[2 * i + k].array->dtype, &r->value[2 * i + k]);
        vv_encoding_pack_range(o->encoding.type, at[0], at[1], &r->item[i]->scale, &r->item[i]->offset);
    }
    return VV_OK;
}

/* `before`: a run of its own, in front of the one that the session tells of. */
static void add_stats(vv_run_stats *t, const vv_run_stats *before)
{
    t->plan_seconds += before->plan_seconds;
    t->tasks += before->tasks;
    t->read += before->read;
    t->moved += before->moved;
    t->across += before->across;
    t->messages += before->messages;
    t->sends += before->sends;
    t->control += before->control;
    t->written += before->written;
    t->plan_bytes += before->plan_bytes;
    t->peak = vv_imax(t->peak, before->peak);
}

static vv_status find_ranges(vv_output *o, vv_run_stats *stats)
{
    ranges r = {0};
    vv_status status = list_ranges(o, &r);
    if (status == VV_OK && r.n > 0) {
        status = run_ranges(o, &r);
        if (status == VV_OK) *stats = o->session->stats;
        if (status != VV_OK) status = vv_error_prefix("the range of values to pack");
    }
    ranges_free(&r);
    return status;
}

static vv_status prepare_items(vv_output *o)
{
    VV_TRY(add_coordinates(o));
    if (o->append) return vv_append_items(o);
    if (o->options.append) VV_TRY(vv_append_first(o));
    return encode_items(o);
}

static void warn_zstd(const vv_output *o)
{
    if (o->encoding.zstd > 0)
        vv_say(VV_LOG_WARN, "%s: compressed with zstd; other programs read it if they have HDF5's filter 32015",
               o->path);
}

/* What was opened under this name is another file now. */
static void forget_opened(vv_output *o)
{
    for (vv_dataset *d = o->session->context.datasets; d; d = d->next)
        if (d->path && !strcmp(d->path, o->given)) d->outdated = true;
}

static vv_status save(vv_output *o, planned *p, vv_run_stats *before)
{
    VV_TRY(prepare_items(o));
    if (o->append && o->append->growth.more == 0) {
        vv_say(VV_LOG_INFO, "%s: nothing is appended: there are no new elements", o->path);
        return VV_OK;
    }
    VV_TRY(find_ranges(o, before));
    VV_TRY(plan_output(o, p));
    VV_TRY(write_file(o, p));
    warn_zstd(o);
    forget_opened(o);
    if (o->append) before->written += o->append->copied;
    return VV_OK;
}

vv_status vv_output_save(vv_output **out)
{
    vv_output *o = *out;
    planned p = {0};
    vv_run_stats before = {0};
    double begin = vv_now();
    vv_status status = save(o, &p, &before);
    add_stats(&o->session->stats, &before);
    o->session->stats.seconds = vv_now() - begin;
    planned_free(&p);
    vv_output_free(out);
    return status;
}

/* What is not part of the plan. */
static vv_status explain_append(const vv_output *o, char **text)
{
    char bytes[32];
    char *all;
    const vv_growth *g = &o->append->growth;
    if (asprintf(&all, "%s%s gets %lld more along '%s' behind %lld; a copy of it (%s) takes its place\n", *text,
                 o->path, (long long)g->more, g->dim, (long long)g->old,
                 vv_bytes_text(vv_original_size(o->append->original), bytes)) < 0)
        return vv_fail(VV_ERR_NOMEM, "no memory for an explanation");
    free(*text);
    *text = all;
    return VV_OK;
}

vv_status vv_output_explain(vv_output *o, const vv_explain_options *options, char **text)
{
    planned p = {0};
    *text = NULL;
    vv_status status = prepare_items(o);
    o->session->explaining = true;
    if (status == VV_OK) status = plan_output(o, &p);
    o->session->explaining = false;
    if (status == VV_OK) status = vv_prepared_explain(o->session, &p.prepared, options, text);
    if (status == VV_OK && o->append && (!options || options->form == VV_EXPLAIN_TEXT))
        status = explain_append(o, text);
    planned_free(&p);
    return status;
}

/* Carries the coordinates of the files that the array came from. */
vv_status vv_save(vv_array *a, const char *path, const vv_save_options *options)
{
    VV_TRY(vv_array_status(a));
    vv_session *s = (vv_session *)(void *)a->context; /* a session begins with its context */
    vv_output *o;
    VV_TRY(vv_output_new(s, path, options, &o));
    vv_status status = vv_output_add(o, NULL, a);
    if (status == VV_OK) status = vv_outfile_carry_coordinates(o, a);
    if (status != VV_OK) {
        vv_output_free(&o);
        return status;
    }
    return vv_output_save(&o);
}
