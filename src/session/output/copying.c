/* What goes to the output as it is stored (plan/copy.h): the coordinator's part, who alone knows the files' filters and chunk indexes. And places of
 * chunks that have a known size before they are computed, as they have no filters: these need not wait for a place. */
#include "plan/copy.h"
#include "session/session.h"

#include <stdlib.h>
#include <string.h>

static const vv_variable *origin_of(const vv_prepared *p, int source)
{
    const vv_origin *o = &p->lowering.origin[source];
    return &o->file->meta->var[o->var];
}

/* Never written chunks have this fill value; the output's have its own. */
static bool missing_stay(const vv_prepared *p, int source, const vv_write_to *to)
{
    const vv_source *s = &p->lowering.plan->source[source];
    vv_bytes size = vv_dtype_size(s->decode.stored);
    if (to->encode.has_fill && !memcmp(s->fill, to->encode.fill, (size_t)size)) return true;
    for (vv_index k = 0; k < vv_grid_chunks(&s->stored); k++)
        if (p->index[source][k].address < 0) return false;
    return true;
}

/* The filters of a source are those of the output, in their order. */
static bool stored_alike(const vv_prepared *p, int source, const vv_write_to *to, const vv_variable *v)
{
    const vv_variable *from = origin_of(p, source);
    if (!to->chunked) return true;
    unsigned char filter[VV_MAX_FILTERS];
    int n = vv_variable_filters(v, filter);
    return !to->swap && n == from->n_filters && !memcmp(filter, from->filter, (size_t)n) &&
           from->deflate == v->deflate && from->zstd == v->zstd && missing_stay(p, source, to);
}

static bool all_alike(const vv_prepared *p, const vv_input *in, const vv_write_to *to, const vv_variable *v)
{
    int last = -1;
    for (int i = 0; i < in->n_parts; i++) {
        int source = (int)(vv_part_stored(p->lowering.plan, &in->part[i]) - p->lowering.plan->source);
        if (source != last && !stored_alike(p, source, to, v)) return false;
        last = source;
    }
    return true;
}

/* Needs to know its target. */
static vv_index count_copies(const vv_prepared *p, const vv_step *s)
{
    vv_copied copy;
    vv_index n = 0;
    for (vv_index out = 0; out < vv_step_outs(s); out++) n += vv_copy_of(p->lowering.plan, s, out, &copy);
    return n;
}

static vv_status explain(vv_step *s, vv_index copies, bool chunked)
{
    vv_buf b = {0};
    vv_index outs = vv_step_outs(s);
    if (copies == outs)
        vv_buf_printf(&b, "copied as stored%s", chunked ? ", not decompressed" : "");
    else
        vv_buf_printf(&b, "copied as stored: %lld of %lld chunks; the others are computed", (long long)copies,
                      (long long)outs);
    vv_status status = vv_buf_status(&b);
    if (status == VV_OK) {
        free(s->why);
        s->why = b.data;
    }
    return status;
}

/* All chunks of the variable are made by one map step, for it alone, and have no filters. */
static bool tells_all(const vv_plan *p, int write_step)
{
    const vv_step *w = &p->step[write_step], *s = &p->step[w->from];
    if (s->op != VV_STEP_MAP || s->n_results > 1 || !vv_write_plain(&w->to)) return false;
    for (int i = w->from + 1; i < p->n_steps; i++)
        if (i != write_step && p->step[i].op == VV_STEP_WRITE && p->step[i].from == w->from) return false;
    return true;
}

vv_status vv_copying_choose(vv_prepared *p, int write_step, vv_variable *v)
{
    vv_plan *plan = p->lowering.plan;
    const vv_write_to *to = &plan->step[write_step].to;
    vv_step *s = &plan->step[plan->step[write_step].from];
    if (plan->collective) return VV_OK; /* HDF5 gives places, and takes values */
    bool alike = !plan->fill_bad && vv_copy_target(plan, plan->step[write_step].from) == write_step &&
                 all_alike(p, &s->input[0], to, v);
    s->copied_to = alike ? write_step : 0;
    vv_index copies = alike ? count_copies(p, s) : 0;
    if (copies < vv_step_outs(s) && v->fletcher32 && !to->sum) {
        v->fletcher32 = false;
        v->n_filters = 0;
        copies = 0;
    }
    if (copies == 0) s->copied_to = 0;
    s->told_to = to->chunked && (copies > 0 || tells_all(plan, write_step)) ? write_step : 0;
    if (copies == 0) return VV_OK;
    s->copied_all = copies == vv_step_outs(s);
    return explain(s, copies, to->chunked);
}

/* --- places --- */

typedef struct placing {
    vv_index n, *chunk;
    uint32_t *size, *mask;
    vv_bytes *address;
} placing;

static vv_status new_placing(vv_index n, placing *x)
{
    VV_TRY(vv_mem_get(&x->chunk, n * (vv_bytes)sizeof *x->chunk, "a list of chunks"));
    VV_TRY(vv_mem_get(&x->size, n * (vv_bytes)sizeof *x->size, "a list of chunks"));
    VV_TRY(vv_mem_get(&x->mask, n * (vv_bytes)sizeof *x->mask, "a list of chunks"));
    return vv_mem_get(&x->address, n * (vv_bytes)sizeof *x->address, "a list of chunks");
}

static void free_placing(placing *x)
{
    vv_mem_put(&x->chunk);
    vv_mem_put(&x->size);
    vv_mem_put(&x->mask);
    vv_mem_put(&x->address);
}

static void add_place(placing *x, vv_index out, const vv_chunk_at *at)
{
    x->chunk[x->n] = out;
    x->size[x->n] = at->size;
    x->mask[x->n++] = at->filter_mask;
}

/* What was never written has no place; what is computed has one if its size is known. */
static void list_chunks(const vv_prepared *p, const vv_step *s, const vv_step *write, placing *x)
{
    vv_copied copy;
    const vv_write_to *to = &write->to;
    vv_bytes raw = vv_dtype_size(to->encode.to);
    for (int d = 0; d < vv_write_grid(write)->shape.nd; d++) raw = vv_times(raw, vv_write_grid(write)->chunk[d]);
    for (vv_index out = 0; out < vv_step_outs(s); out++) {
        bool copied = s->copied_to && vv_copy_of(p->lowering.plan, s, out, &copy);
        vv_chunk_at plain = {.address = vv_write_plain(to) ? 0 : -1, .size = (uint32_t)raw};
        const vv_chunk_at *at = copied ? &p->index[copy.source][copy.chunk] : &plain;
        if (at->address >= 0) add_place(x, out, at);
    }
}

static vv_status place_all(vv_prepared *p, int write_step, placing *x)
{
    const vv_step *s = &p->lowering.plan->step[p->lowering.plan->step[write_step].from];
    vv_index outs = vv_step_outs(s);
    vv_chunk_at **table = &p->places[write_step];
    VV_TRY(new_placing(outs, x));
    list_chunks(p, s, &p->lowering.plan->step[write_step], x);
    VV_TRY(vv_writer_place(p->writer, p->lowering.plan->step[write_step].to.variable, x->n, x->chunk, x->size, x->mask,
                           x->address));
    VV_TRY(vv_mem_get(table, outs * (vv_bytes)sizeof **table, "places of chunks"));
    if (x->n > 0) vv_raw_allocate(p->lowering.plan->output, x->address[x->n - 1] + x->size[x->n - 1]);
    for (vv_index out = 0; out < outs; out++) (*table)[out] = (vv_chunk_at){.address = -1};
    for (vv_index i = 0; i < x->n; i++) (*table)[x->chunk[i]] = (vv_chunk_at){x->address[i], x->size[i], x->mask[i]};
    return VV_OK;
}

vv_status vv_copying_place(vv_prepared *p, int write_step)
{
    const vv_plan *plan = p->lowering.plan;
    placing x = {0};
    if (plan->step[plan->step[write_step].from].told_to != write_step) return VV_OK;
    vv_status status = place_all(p, write_step, &x);
    free_placing(&x);
    return status;
}
