/* Delivering: a finished output chunk becomes values, and values go to the output file or to rank 0's memory.
 *
 * Contiguous variables are written at once, run by run. Chunks of a compressed variable are compressed here, by the rank and thread that has them,
 * and wait in memory for their place in the file (commit.c). */
#include "base/fault.h"
#include "exec/run.h"

#include <stdlib.h>
#include <string.h>

typedef struct head {
    int64_t step, out, bytes, spare[5];
} head;

/* Buffers of one delivery: all on the thread that delivers. */
typedef struct desk {
    vv_codec *codec;
    char *values, *encoded;
} desk;

vv_status vv_run_letter(vv_run *r, int to, vv_tag tag, void *data_address, vv_bytes size)
{
    void **data = data_address;
    vv_letter *l;
    vv_status status = vv_new(&l, 1, sizeof *l);
    if (status != VV_OK) {
        vv_mem_put(data);
        return status;
    }
    *l = (vv_letter){NULL, to, tag, size, *data};
    *data = NULL;
    pthread_mutex_lock(&r->lock);
    *r->last_letter = l;
    r->last_letter = &l->next;
    pthread_mutex_unlock(&r->lock);
    return VV_OK;
}

vv_status vv_run_output(vv_run *r)
{
    vv_status status = VV_OK;
    pthread_mutex_lock(&r->lock);
    if (!r->out_open) status = vv_raw_out_open(r->plan->output, &r->out);
    r->out_open = r->out_open || status == VV_OK;
    pthread_mutex_unlock(&r->lock);
    return status;
}

/* A box of a contiguous variable: one write for each run of elements that lie together. */
static vv_status write_contiguous(vv_run *r, const vv_step *s, const vv_box *box, const char *data)
{
    vv_bytes size = vv_dtype_size(s->to.encode.to);
    vv_index stride[VV_MAX_DIMS], n = 1, at[VV_MAX_DIMS] = {0};
    VV_TRY(vv_run_output(r));
    for (int d = box->nd - 1; d >= 0; d--) {
        stride[d] = n;
        n *= s->grid.shape.n[d];
    }
    int outer = box->nd - 1; /* loops above this one; it and what is below make a run */
    while (outer > 0 && box->n[outer] == s->grid.shape.n[outer]) outer--;
    vv_index run = 1;
    for (int d = vv_imax(outer, 0); d < box->nd; d++) run *= box->n[d];
    do {
        vv_index first = 0;
        for (int d = 0; d < box->nd; d++) first += (box->lo[d] + (d < outer ? at[d] : 0)) * stride[d];
        VV_TRY(vv_raw_write(&r->out, s->to.address + first * size, run * size, data));
        data += run * size;
        atomic_fetch_add(&r->written, run * size);
    } while (outer > 0 && vv_odometer(outer, box->n, at));
    return VV_OK;
}

/* The box's elements in a full chunk, the rest filled. */
static void pad(const vv_step *s, const vv_box *box, const char *data, char *chunk, vv_index total)
{
    vv_bytes size = vv_dtype_size(s->to.encode.to);
    for (vv_index i = 0; i < total; i++) memcpy(chunk + i * size, s->to.encode.fill, (size_t)size);
    vv_index row = box->nd ? box->n[box->nd - 1] : 1, at[VV_MAX_DIMS] = {0};
    do {
        vv_index first = 0;
        for (int d = 0; d < box->nd - 1; d++) first = (first + at[d]) * s->grid.chunk[d + 1];
        memcpy(chunk + first * size, data, (size_t)(row * size));
        data += row * size;
    } while (box->nd > 1 && vv_odometer(box->nd - 1, box->n, at));
}

static vv_status keep_packed(vv_run *r, vv_packed packed)
{
    vv_status status = VV_OK;
    pthread_mutex_lock(&r->lock);
    if (r->n_packed == r->room_packed) {
        vv_index room = 2 * r->room_packed + 16;
        vv_packed *more = realloc(r->packed, sizeof *more * (size_t)room);
        if (more) {
            r->packed = more;
            r->room_packed = room;
        } else {
            status = vv_fail(VV_ERR_NOMEM, "no memory for a list of %lld chunks", (long long)room);
        }
    }
    if (status == VV_OK) r->packed[r->n_packed++] = packed;
    pthread_mutex_unlock(&r->lock);
    return status;
}

/* A full chunk as it will be stored, in a block of its own size: compressed, or plain when the variable has no filters. */
static vv_status compress(const vv_step *s, desk *k, const char *chunk, char *shuffled, vv_index total, vv_packed *out)
{
    vv_bytes size = vv_dtype_size(s->to.encode.to), raw = total * size, packed = raw, bound = vv_deflate_bound(raw);
    const char *from = chunk;
    char *room = NULL;
    vv_status status = VV_OK;
    if (s->to.deflate > 0) {
        if (s->to.shuffle) vv_shuffle(chunk, total, (int)size, shuffled);
        VV_TRY(vv_mem_get(&room, bound, "a compressed chunk"));
        status = vv_deflate(k->codec, s->to.deflate, s->to.shuffle ? shuffled : chunk, raw, room, bound, &packed);
        from = room;
    }
    if (status == VV_OK) status = vv_mem_get(&out->data, packed, "a compressed chunk");
    if (status == VV_OK) memcpy(out->data, from, (size_t)packed);
    out->size = (uint32_t)packed;
    vv_mem_put(&room);
    return status;
}

static vv_status write_packed(vv_run *r, int step, desk *k, vv_index out, const vv_box *box, const char *data)
{
    const vv_step *s = &r->plan->step[step];
    vv_index total = 1;
    for (int d = 0; d < box->nd; d++) total *= s->grid.chunk[d];
    vv_bytes raw = total * vv_dtype_size(s->to.encode.to);
    char *chunk = NULL, *shuffled = NULL;
    vv_packed packed = {.step = step, .chunk = out};
    vv_status status;
    VV_TRY_GOTO(status, done, vv_mem_get(&chunk, raw, "an output chunk"));
    VV_TRY_GOTO(status, done, vv_mem_get(&shuffled, raw, "an output chunk"));
    pad(s, box, data, chunk, total);
    VV_TRY_GOTO(status, done, compress(s, k, chunk, shuffled, total, &packed));
    VV_TRY_GOTO(status, done, keep_packed(r, packed));
    packed.data = NULL; /* the run's now */
done:
    vv_mem_put(&packed.data);
    vv_mem_put(&chunk);
    vv_mem_put(&shuffled);
    return status;
}

static void into_buffer(const vv_grid *g, const vv_box *box, vv_bytes size, const char *data, char *buffer)
{
    vv_index row = box->nd ? box->n[box->nd - 1] : 1, at[VV_MAX_DIMS] = {0};
    do {
        vv_index first = 0;
        for (int d = 0; d < box->nd; d++) first = first * g->shape.n[d] + box->lo[d] + (d < box->nd - 1 ? at[d] : 0);
        memcpy(buffer + first * size, data, (size_t)(row * size));
        data += row * size;
    } while (box->nd > 1 && vv_odometer(box->nd - 1, box->n, at));
}

static vv_status gather(vv_run *r, int step, vv_index out, const vv_box *box, const char *data)
{
    const vv_step *s = &r->plan->step[step];
    vv_bytes size = vv_dtype_size(s->to.encode.to), bytes = vv_box_elements(box) * size;
    if (r->net->rank == 0) {
        into_buffer(&s->grid, box, size, data, r->hooks->gather[step]);
        return VV_OK;
    }
    char *block;
    VV_TRY(vv_mem_get(&block, (vv_bytes)sizeof(head) + bytes, "a message"));
    *(head *)(void *)block = (head){step, out, bytes, {0}};
    memcpy(block + sizeof(head), data, (size_t)bytes);
    return vv_run_letter(r, 0, VV_TAG_RESULT, &block, (vv_bytes)sizeof(head) + bytes);
}

vv_status vv_deliver_receive(vv_run *r, const vv_message *m)
{
    VV_TRY(vv_fault(VV_FAULT_RECEIVE));
    const head *h = m->data;
    if (m->size < (vv_bytes)sizeof *h || h->step < 0 || h->step >= r->plan->n_steps ||
        h->bytes != m->size - (vv_bytes)sizeof *h)
        return vv_fail(VV_ERR_INTERNAL, "a result from rank %d belongs to no step", m->from);
    const vv_step *s = &r->plan->step[h->step];
    vv_box box;
    vv_grid_box(&s->grid, h->out, &box);
    if (vv_box_elements(&box) * vv_dtype_size(s->to.encode.to) != h->bytes)
        return vv_fail(VV_ERR_INTERNAL, "a result from rank %d has the wrong size", m->from);
    into_buffer(&s->grid, &box, vv_dtype_size(s->to.encode.to), (const char *)m->data + sizeof *h,
                r->hooks->gather[h->step]);
    r->results_in++;
    return VV_OK;
}

/* Values of result k of a piece, in the working type. */
static const void *values_of(const vv_step *s, const vv_piece *p, int k, desk *d)
{
    const char *state = p->state;
    if (s->op == VV_STEP_MAP) return state;
    vv_index cells = ((const vv_red_head *)(const void *)state)->cells;
    for (int i = 0; i < k; i++) state += vv_state_size(&s->result[i].red, cells);
    vv_red_finish(&s->result[k].red, state, d->values);
    return d->values;
}

static vv_status deliver_result(vv_stage *g, vv_piece *p, const vv_box *box, int target, desk *k)
{
    const vv_step *s = g->job.step, *t = &g->run->plan->step[target];
    const void *values = values_of(s, p, t->input[0].result, k);
    vv_mem_put(&k->encoded);
    VV_TRY(vv_mem_get(&k->encoded, vv_box_elements(box) * vv_dtype_size(t->to.encode.to), "values"));
    vv_encode_range(&t->to.encode, values, vv_box_elements(box), k->encoded);
    if (t->op == VV_STEP_GATHER) return gather(g->run, target, p->out, box, k->encoded);
    vv_status status = t->to.chunked ? write_packed(g->run, target, k, p->out, box, k->encoded)
                                     : write_contiguous(g->run, t, box, k->encoded);
    return status == VV_OK ? VV_OK : vv_error_prefix("output variable '%s', rank %d", t->name, vv_this_rank());
}

vv_status vv_deliver(vv_stage *g, vv_piece *p)
{
    const vv_plan *plan = g->run->plan;
    desk k = {0};
    vv_box box;
    vv_status status;
    vv_grid_box(&g->job.step->grid, p->out, &box);
    vv_index cells = vv_box_elements(&box);
    VV_TRY_GOTO(status, done, vv_fault(VV_FAULT_FINISH));
    VV_TRY_GOTO(status, done, vv_codec_new(&k.codec));
    VV_TRY_GOTO(status, done, vv_mem_get(&k.values, cells * 8, "values"));
    for (int i = g->job.number + 1; i < plan->n_steps; i++) {
        const vv_step *t = &plan->step[i];
        if ((t->op == VV_STEP_WRITE || t->op == VV_STEP_GATHER) && t->input[0].step == g->job.number)
            VV_TRY_GOTO(status, done, deliver_result(g, p, &box, i, &k));
    }
done:
    vv_codec_free(&k.codec);
    vv_mem_put(&k.values);
    vv_mem_put(&k.encoded);
    vv_piece_put(g, p);
    return status;
}
