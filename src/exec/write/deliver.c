/* Delivering: a finished output chunk becomes values, and values go to the output file, to rank 0's memory, to what this
 * rank holds (keep.c), and to later steps (push.c).
 *
 * Later steps get what a file would have got: values are rounded to the element type of the result (a mean of f32 is made in f64), so that it
 * makes no difference whether something is computed at once or saved and read again. */
#include "base/fault.h"
#include "exec/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct head {
    int64_t step, out, bytes, spare[5];
} head;

/* --- desks --- */

static void desk_free(vv_desk *d, int ranks)
{
    for (int i = 0; d->parcel && i < ranks; i++) vv_mem_put(&d->parcel[i].data);
    for (int i = 0; i < VV_FINISH_ROOMS; i++) vv_mem_put(&d->room[i]);
    vv_codec_free(&d->codec);
    free(d->parcel);
    free(d->want);
    free(d->share);
    free(d->touched);
    free(d);
}

static vv_status desk_new(int ranks, vv_desk **out)
{
    vv_desk *d;
    vv_status status;
    VV_TRY(vv_new(&d, 1, sizeof *d));
    VV_TRY_GOTO(status, failed, vv_new(&d->want, (size_t)ranks, sizeof *d->want));
    VV_TRY_GOTO(status, failed, vv_new(&d->share, (size_t)ranks, sizeof *d->share));
    VV_TRY_GOTO(status, failed, vv_new(&d->parcel, (size_t)ranks, sizeof *d->parcel));
    VV_TRY_GOTO(status, failed, vv_new(&d->touched, (size_t)ranks, sizeof *d->touched));
    *out = d;
    return VV_OK;
failed:
    desk_free(d, ranks);
    return status;
}

static vv_status desk_get(vv_run *r, vv_desk **out)
{
    pthread_mutex_lock(&r->lock);
    vv_desk *d = *out = r->desks;
    if (d) r->desks = d->next;
    pthread_mutex_unlock(&r->lock);
    return d ? VV_OK : desk_new(r->net->size, out);
}

static void desk_put(vv_run *r, vv_desk *d)
{
    if (!d) return;
    pthread_mutex_lock(&r->lock);
    d->next = r->desks;
    r->desks = d;
    pthread_mutex_unlock(&r->lock);
}

void vv_desks_free(vv_run *r)
{
    while (r->desks) {
        vv_desk *d = r->desks;
        r->desks = d->next;
        desk_free(d, r->net->size);
    }
}

/* One of the desk's rooms, at least so large; what was in it is lost when it has to grow. */
static vv_status room(vv_desk *d, int which, vv_bytes size, char **out)
{
    if (!d->room[which] || d->size[which] < size) {
        vv_mem_put(&d->room[which]);
        d->size[which] = 0;
        VV_TRY(vv_mem_get(&d->room[which], size, "values"));
        d->size[which] = size;
    }
    *out = d->room[which];
    return VV_OK;
}

/* --- rank 0's memory --- */

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

/* --- values --- */

/* An output chunk: states, or the values of a map. */
typedef struct finished {
    vv_index out;
    const void *state;
    const vv_index *layout; /* NULL: packed */
    bool stays;             /* as it is, where it is, until the run has ended */
    bool whole;             /* there is no NaN among them */
} finished;

/* Values of a result, in the working type that its step makes. Those of a map lie in the piece as they are. */
static vv_status values_of(const vv_stage *g, const finished *p, int result, vv_desk *d, const vv_box *box,
                           const void **values, vv_dtype *type)
{
    const vv_step *s = g->job.step;
    *values = vv_state_at(s, vv_unit_cells(s, p->out), (void *)(uintptr_t)p->state, 0, result);
    *type = vv_step_values(s, result);
    if (s->op == VV_STEP_MAP) return VV_OK;
    char *to;
    VV_TRY(room(d, VV_FINISH_VALUES, vv_box_elements(box) * vv_dtype_size(*type), &to));
    *values = to;
    return vv_finish_values(s, p->out, p->state, result, to, type);
}

/* Values as an array of this element type has them, in its working type. */
static vv_status rounded(vv_desk *d, vv_dtype array, vv_index n, vv_dtype type, const void **values)
{
    vv_dtype working = vv_working_type(array);
    if (array == type) return VV_OK;
    const vv_encode to = {.in = type, .to = array};
    const vv_decode back = {.stored = array, .out = working};
    char *encoded, *decoded;
    VV_TRY(room(d, VV_FINISH_ENCODED, n * vv_dtype_size(array), &encoded));
    vv_encode_range(&to, *values, n, encoded);
    *values = encoded;
    if (array == working) return VV_OK;
    VV_TRY(room(d, VV_FINISH_DECODED, n * vv_dtype_size(working), &decoded));
    for (vv_index i = 0; i < n; i += VV_TILE)
        vv_decode_range(&back, encoded, n, i, vv_imin(VV_TILE, n - i), decoded + i * vv_dtype_size(working));
    *values = decoded;
    return VV_OK;
}

static vv_status keep(vv_run *r, const vv_step *t, vv_desk *d, vv_index out, const char *data, vv_bytes bytes)
{
    if (!r->hooks->keep) return vv_fail(VV_ERR_INTERNAL, "this rank holds nothing");
    bool own = d->own && *d->own == data;
    vv_status status = own ? vv_keep_take(r->hooks->keep, t->to.variable, out, d->own, bytes)
                           : vv_keep_put(r->hooks->keep, t->to.variable, out, data, bytes);
    return status == VV_OK ? VV_OK : vv_error_prefix("held array '%s', rank %d", t->name, vv_this_rank());
}

/* Values that a chosen type cannot hold: says which one, and where. */
static vv_status check_fit(const vv_step *s, const vv_box *box, const void *values)
{
    const vv_encode *e = &s->to.encode;
    vv_index bad = vv_encode_check(e, values, vv_box_elements(box)), at[VV_MAX_DIMS] = {0};
    char where[256] = "", range[128] = "";
    if (bad < 0) return VV_OK;
    double value = vv_dtype_load(e->in, (const char *)values + bad * vv_dtype_size(e->in));
    for (int d = box->nd - 1; d >= 0; d--) {
        at[d] = box->lo[d] + bad % box->n[d];
        bad /= box->n[d];
    }
    for (int d = 0; d < box->nd; d++)
        snprintf(where + strlen(where), sizeof where - strlen(where), "%s%lld", d ? ", " : " at position ",
                 (long long)at[d]);
    if (e->scaled) snprintf(range, sizeof range, " packed with scale %.9g and offset %.9g", e->scale, e->offset);
    return vv_fail(VV_ERR_TYPE, "value %.9g%s cannot be stored as %s%s%s", value, where, vv_dtype_name(e->to), range,
                   e->has_fill ? ", or would be taken for missing" : "");
}

/* Row by row: an element is told by its place in the variable. */
static void quantize(const vv_step *s, const vv_box *box, char *data)
{
    const vv_encode *e = &s->to.encode;
    vv_index row = box->nd ? box->n[box->nd - 1] : 1, at[VV_MAX_DIMS] = {0};
    if (e->quantize.how == VV_QUANTIZE_NOT) return;
    do {
        vv_index first = 0;
        for (int d = 0; d < box->nd; d++)
            first = first * s->grid.shape.n[d] + box->lo[d] + (d < box->nd - 1 ? at[d] : 0);
        vv_quantize_range(&e->quantize, e->to, first, row, e->has_fill ? e->fill : NULL, data);
        data += row * vv_dtype_size(e->to);
    } while (box->nd > 1 && vv_odometer(box->nd - 1, box->n, at));
}

/* Elements as they are stored: the values themselves, or in the desk's room. */
static vv_status encode(const vv_step *t, vv_desk *d, const vv_box *box, const void *values, const char **out)
{
    vv_index n = vv_box_elements(box);
    char *to;
    *out = values;
    if (t->to.encode.checked && check_fit(t, box, values) != VV_OK)
        return vv_error_prefix("output variable '%s', rank %d", t->name, vv_this_rank());
    if (!t->to.swap && !vv_encode_changes(&t->to.encode, values, d->whole ? 0 : n)) return VV_OK;
    VV_TRY(room(d, VV_FINISH_STORED, n * vv_dtype_size(t->to.encode.to), &to));
    vv_encode_range(&t->to.encode, values, n, to);
    quantize(t, box, to);
    *out = to;
    return VV_OK;
}

static vv_status write_result(vv_run *r, int step, vv_desk *d, vv_index out, const vv_box *box, const void *values)
{
    const vv_step *t = &r->plan->step[step];
    vv_index n = vv_box_elements(box);
    const char *encoded;
    VV_TRY(encode(t, d, box, values, &encoded));
    if (t->op == VV_STEP_GATHER) return gather(r, step, out, box, encoded);
    if (t->op == VV_STEP_KEEP) return keep(r, t, d, out, encoded, n * vv_dtype_size(t->to.encode.to));
    if (vv_write_elements(r, step, d, out, box, encoded) == VV_OK) return VV_OK;
    return vv_error_prefix("output variable '%s', rank %d", t->name, vv_this_rank());
}

static bool is_for(const vv_target *t, int result, bool pushed)
{
    return t->result == result && pushed == (t->edge != NULL);
}

static bool wanted(const vv_stage *g, int result, bool pushed)
{
    for (int i = 0; i < g->n_targets; i++)
        if (is_for(&g->target[i], result, pushed)) return true;
    return false;
}

/* To files and to rank 0: values as they were made, where the encoding takes them, or as the array has them. */
static vv_status write_all(vv_stage *g, const finished *p, int result, const vv_box *box, vv_desk *d,
                           const void *values, vv_dtype type)
{
    for (int i = 0; i < g->n_targets; i++) {
        if (!is_for(&g->target[i], result, false)) continue;
        int step = g->target[i].step;
        const void *some = values;
        int64_t begin = vv_ticks();
        if (g->run->plan->step[step].to.encode.in != type)
            VV_TRY(rounded(d, g->job.step->result[result].type, vv_box_elements(box), type, &some));
        VV_TRY(write_result(g->run, step, d, p->out, box, some));
        vv_spend(&g->run->stage[step], VV_SPENT_WRITE, vv_ticks() - begin);
    }
    return VV_OK;
}

static vv_status push_all(vv_stage *g, const finished *p, int result, const vv_box *box, vv_desk *d, const void *values,
                          vv_dtype type)
{
    int64_t begin = vv_ticks();
    const void *as_made = values;
    VV_TRY(rounded(d, g->job.step->result[result].type, vv_box_elements(box), type, &values));
    bool stays = p->stays && values == as_made;
    for (int i = 0; i < g->n_targets; i++)
        if (is_for(&g->target[i], result, true)) VV_TRY(vv_push(g, d, &g->target[i], p->out, values, p->layout, stays));
    VV_TRY(vv_push_flush(g->run, d));
    vv_spend(g, VV_SPENT_SEND, vv_ticks() - begin);
    return VV_OK;
}

static vv_status deliver_result(vv_stage *g, const finished *p, int result, const vv_box *box, vv_desk *d)
{
    const void *values;
    vv_dtype type;
    bool write = wanted(g, result, false), push = wanted(g, result, true);
    if (!write && !push) return VV_OK;
    VV_TRY(values_of(g, p, result, d, box, &values, &type));
    if (write) VV_TRY(write_all(g, p, result, box, d, values, type));
    return push ? push_all(g, p, result, box, d, values, type) : VV_OK;
}

static vv_status deliver(vv_stage *g, const finished *p, void **own)
{
    vv_desk *d = NULL;
    vv_box box;
    vv_status status = vv_fault(VV_FAULT_FINISH);
    vv_grid_box(&g->job.step->grid, p->out, &box);
    if (status == VV_OK) status = desk_get(g->run, &d);
    if (d) {
        d->own = own;
        d->whole = p->whole;
    }
    for (int k = 0; k < g->job.step->n_results && status == VV_OK; k++) status = deliver_result(g, p, k, &box, d);
    desk_put(g->run, d);
    return status;
}

/* The values of a map fill the state: the block may go where they are kept. */
static bool fills_state(const vv_stage *g, vv_index out)
{
    enum { LITTLE = 4096 };
    const vv_step *s = g->job.step;
    vv_box box;
    if (s->op != VV_STEP_MAP || s->n_results != 1) return false;
    vv_grid_box(&s->grid, out, &box);
    return g->job.work.state - vv_box_elements(&box) * vv_dtype_size(vv_step_values(s, 0)) < LITTLE;
}

vv_status vv_deliver(vv_stage *g, vv_piece *p)
{
    void *state = p->state;
    vv_status status = deliver(g, &(finished){.out = p->out, .state = state, .whole = p->whole},
                               fills_state(g, p->out) ? &state : NULL);
    p->state = state;
    vv_piece_put(g, p);
    return status;
}

vv_status vv_deliver_values(vv_stage *g, vv_index out, const void *values, const vv_index layout[], void **own)
{
    return deliver(g, &(finished){.out = out, .state = values, .layout = layout}, own);
}

vv_status vv_deliver_held(vv_stage *g, vv_index out, const void *values, const vv_index layout[])
{
    return deliver(g, &(finished){.out = out, .state = values, .layout = layout, .stays = true}, NULL);
}

bool vv_deliver_pushes(const vv_stage *g)
{
    for (int i = 0; i < g->n_targets; i++)
        if (!g->target[i].edge) return false;
    return true;
}

/* --- targets --- */

static vv_status add_target(vv_run *r, int from, vv_target target)
{
    vv_stage *g = &r->stage[from];
    VV_TRY(vv_grow(&g->target, g->n_targets, sizeof *g->target, "targets"));
    g->target[g->n_targets++] = target;
    return VV_OK;
}

vv_status vv_targets_make(vv_run *r)
{
    for (int i = 0; i < r->plan->n_steps; i++) {
        const vv_step *s = &r->plan->step[i];
        if (vv_step_delivers(s)) VV_TRY(add_target(r, s->from, (vv_target){s->result_of, i, NULL, 0}));
        for (int k = 0; vv_step_computes(s) && k < s->n_inputs; k++) {
            const vv_edge *e = vv_store_edge(r->store, i, k);
            for (int j = 0; s->input[k].access == VV_ACCESS_PUSH && j < e->n_parts; j++)
                VV_TRY(add_target(r, e->part[j].from, (vv_target){e->part[j].result, i, e, j}));
        }
    }
    return VV_OK;
}
