/* Units: their chunks one after the other, and a chunk cut where groups want it cut.
 *
 * With groups, a chunk's elements go to several states: stretches of equal labels along the groups' dimension are boxes of their own. Cuts depend on
 * labels and the grid alone. */
#include "base/fault.h"
#include "exec/work.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* --- states --- */

vv_index vv_unit_cells(const vv_step *s, vv_index out)
{
    vv_box box;
    vv_index first, n;
    vv_grid_box(&s->grid, out, &box);
    vv_out_groups(s, out, &first, &n);
    return vv_box_elements(&box) / n / vv_step_length(s);
}

void *vv_state_at(const vv_step *s, vv_index cells, void *states, vv_index group, int result)
{
    char *at = (char *)states + group * vv_state_bytes(s, cells);
    for (int r = 0; r < result; r++) at += vv_result_bytes(s, r, cells);
    return at;
}

/* --- one chunk --- */

/* A chunk on its way into its states. */
typedef struct chunk {
    vv_worker *w;
    const vv_step *s;
    const vv_box *box;
    const vv_index *coords; /* in the grid */
    char *states;
    vv_index cells, state_bytes; /* of one group */
    vv_index first_group, groups;
} chunk;

static vv_index elements_behind(const vv_step *s, const vv_box *box)
{
    vv_index n = 1;
    for (int d = 0; d < box->nd; d++)
        if (s->reduced[d]) n *= box->n[d];
    return n;
}

/* Every cell of a state has seen the elements of a box behind it. */
static void count(const chunk *c, const vv_box *box, char *state)
{
    if (c->s->op != VV_STEP_REDUCE) return;
    vv_index n = elements_behind(c->s, box);
    for (int r = 0; r < c->s->n_results; r++) {
        vv_red_count(state, n);
        state += vv_state_size(&c->s->result[r].red, c->cells);
    }
}

/* The box with all inputs in place. */
static vv_status fold_box(const chunk *c, const vv_box *box, char *state)
{
    vv_worker *w = c->w;
    const vv_step *s = c->s;
    if (s->user) return vv_fold_user(w, box, state);
    if (s->tiled) return vv_fold_tile(w, c->coords, box, state);
    if (s->block) return vv_fold_call(w, box, state);
    if (s->product) return vv_fold_product(w, box, state);
    vv_index at[VV_PROGRAM_INPUTS];
    for (int i = 0; i < s->n_inputs; i++) {
        int looked_up = s->input[i].lookup ? w->edge[i]->lookup : -1;
        at[i] = w->block[i].first;
        for (int d = 0; d < box->nd; d++)
            if (d != looked_up) at[i] += (box->lo[d] - c->box->lo[d]) * w->block[i].stride[d];
    }
    return vv_fold_box(w, c->box, box, at, state);
}

/* Whether the states could take in what they were given. */
static vv_status check_states(const chunk *c)
{
    const vv_step *s = c->s;
    char *state = c->states, where[128] = "";
    for (vv_index g = 0; g < c->groups && s->op == VV_STEP_REDUCE; g++)
        for (int r = 0; r < s->n_results; r++) {
            if (vv_red_check(&s->result[r].red, state) != VV_OK) {
                for (int d = 0; d < c->box->nd; d++)
                    snprintf(where + strlen(where), sizeof where - strlen(where), d ? ", %lld" : "%lld",
                             (long long)c->box->lo[d]);
                return vv_error_prefix("'%s', chunk at (%s), rank %d", s->name, where, vv_this_rank());
            }
            state += vv_state_size(&s->result[r].red, c->cells);
        }
    return VV_OK;
}

static vv_status fold_groups(const chunk *c)
{
    const vv_groups *g = &c->s->groups;
    const vv_index *label = g->label->at;
    int d = g->dim;
    vv_index end = c->box->lo[d] + c->box->n[d];
    for (vv_index i = c->box->lo[d], n; i < end; i += n) {
        for (n = 1; i + n < end && label[i + n] == label[i]; n++) continue;
        vv_index group = label[i] - c->first_group;
        if (label[i] < 0 || group < 0 || group >= c->groups) continue;
        vv_box some = *c->box;
        some.lo[d] = i;
        some.n[d] = n;
        VV_TRY(fold_box(c, &some, c->states + group * c->state_bytes));
        count(c, &some, c->states + group * c->state_bytes);
    }
    return VV_OK;
}

static vv_status fold_whole(const chunk *c)
{
    VV_TRY(fold_box(c, c->box, c->states));
    count(c, c->box, c->states);
    return VV_OK;
}

/* --- units --- */

static void init_states(const chunk *c)
{
    for (vv_index g = 0; g < c->groups && c->s->op == VV_STEP_REDUCE; g++) {
        char *state = c->states + g * c->state_bytes;
        for (int r = 0; r < c->s->n_results; r++) {
            vv_red_init(&c->s->result[r].red, c->cells, state);
            state += vv_state_size(&c->s->result[r].red, c->cells);
        }
    }
}

static vv_status fold_chunk(chunk *c)
{
    vv_worker *w = c->w;
    double start = vv_now();
    bool groups = c->s->op == VV_STEP_REDUCE && c->s->groups.dim >= 0;
    vv_status status = groups ? fold_groups(c) : fold_whole(c);
    if (status == VV_OK) status = check_states(c);
    w->seconds_kernel += vv_now() - start;
    return status;
}

/* Inboxes that are in use are given back whatever happens. */
static vv_status run_chunk(chunk *c, const vv_index coords[])
{
    int loaded = 0;
    vv_status status = VV_OK;
    while (loaded < c->s->n_inputs && status == VV_OK) {
        status = vv_block_load(c->w, loaded, coords, c->box);
        if (status == VV_OK) loaded++;
    }
    if (status == VV_OK) status = fold_chunk(c);
    while (loaded > 0) vv_block_done(c->w, --loaded, coords);
    return status;
}

/* Rows of streamed data that go into the same cells are brought into memory several at a time: a cell is fetched once for all of them. */
static vv_status run_rows(chunk *c, const vv_index coords[])
{
    const vv_box *whole = c->box;
    vv_box some = *whole;
    int d = c->w->rows_dim;
    vv_index rows = c->w->rows, end = whole->lo[d] + whole->n[d];
    vv_status status = VV_OK;
    if (rows == 0) return run_chunk(c, coords);
    c->box = &some;
    for (; some.lo[d] < end && status == VV_OK; some.lo[d] += rows) {
        some.n[d] = vv_imin(rows, end - some.lo[d]);
        status = run_chunk(c, coords);
    }
    c->box = whole;
    return status;
}

/* --- workers --- */

vv_status vv_room_for(vv_room *r, vv_bytes size, const char *what)
{
    if (size <= r->size) return VV_OK;
    if (size > r->own_size) {
        vv_mem_put(&r->own);
        r->own_size = 0;
        VV_TRY(vv_mem_get(&r->own, size, what));
        r->own_size = size;
    }
    r->data = r->own;
    r->size = r->own_size;
    return VV_OK;
}

static void give_back(vv_room *r)
{
    vv_mem_put(&r->own);
    *r = (vv_room){0};
}

/* Sizes in vv_work count the header of an accounted block; here that is the distance to the next room. */
static void carve(vv_room *r, char **at, vv_bytes size)
{
    give_back(r);
    if (size > 64) *r = (vv_room){.data = *at, .size = size - 64};
    *at += size;
}

/* Edges: the job's, but for inputs that only an operation on blocks wants packed. Tables are shared with the plan, whose count of references is not for
 * several threads at once. */
static pthread_mutex_t edge_lock = PTHREAD_MUTEX_INITIALIZER;

static void free_edges(vv_worker *w)
{
    pthread_mutex_lock(&edge_lock);
    for (int i = 0; i < VV_PROGRAM_INPUTS; i++)
        if (w->own_edge[i].plan) vv_edge_free(&w->own_edge[i]);
    pthread_mutex_unlock(&edge_lock);
}

static vv_status make_edge(vv_worker *w, int input)
{
    pthread_mutex_lock(&edge_lock);
    vv_status status = vv_edge_make(w->job->plan, w->job->number, input, &w->own_edge[input]);
    pthread_mutex_unlock(&edge_lock);
    w->edge[input] = &w->own_edge[input];
    return status;
}

static vv_status find_edges(vv_worker *w)
{
    const vv_job *job = w->job;
    free_edges(w);
    for (int i = 0; i < job->step->n_inputs; i++) {
        w->edge[i] = job->edge[i];
        if (w->edge[i] || !vv_block_assembled(job->step, i)) continue;
        VV_TRY(make_edge(w, i));
    }
    return VV_OK;
}

static vv_status lay_out(vv_worker *w)
{
    const vv_job *job = w->job;
    if (w->laid == job) return VV_OK;
    const vv_work *k = &job->work;
    vv_bytes all = vv_work_total(job->step, k);
    w->laid = NULL;
    w->rows = vv_step_rows(job->plan, job->step, &w->rows_dim);
    VV_TRY(find_edges(w));
    if (all > w->arena_size) {
        vv_mem_put(&w->arena);
        w->arena_size = 0;
        VV_TRY(vv_fault(VV_FAULT_ALLOC));
        VV_TRY(vv_mem_get(&w->arena, all, "a worker's buffers"));
        w->arena_size = all;
    }
    char *at = w->arena;
    carve(&w->stored, &at, k->stored);
    carve(&w->decoded, &at, k->decoded);
    carve(&w->program, &at, k->program);
    carve(&w->special, &at, k->special);
    for (int i = 0; i < job->step->n_inputs; i++) carve(&w->memory[i], &at, k->block[i]);
    w->laid = job;
    return VV_OK;
}

vv_status vv_worker_begin(vv_worker *w)
{
    VV_TRY(vv_fault(VV_FAULT_TASK));
    VV_TRY(lay_out(w));
    for (int i = 0; i < w->job->step->n_inputs; i++) w->key[i] = -1;
    return VV_OK;
}

vv_status vv_worker_run(vv_worker *w, vv_unit u, void *state)
{
    const vv_step *s = w->job->step;
    vv_index coords[VV_MAX_DIMS], n = vv_unit_chunks(s, u);
    vv_box box;
    VV_TRY(vv_worker_begin(w));
    chunk c = {.w = w, .s = s, .box = &box, .coords = coords, .states = state, .cells = vv_unit_cells(s, u.out)};
    c.state_bytes = vv_state_bytes(s, c.cells);
    vv_out_groups(s, u.out, &c.first_group, &c.groups);
    w->whole = false;
    init_states(&c);
    for (vv_index k = 0; k < n; k++) {
        if (w->stop(w->context)) return vv_fail(VV_ERR_CANCELLED, "stopped");
        vv_unit_coords(s, u, k, coords);
        vv_grid_box_at(&s->work, coords, &box);
        vv_ahead(w, u, k);
        VV_TRY(run_rows(&c, coords));
    }
    return VV_OK;
}

vv_status vv_worker_open(vv_worker *w)
{
    *w = (vv_worker){0};
    VV_TRY(vv_fault(VV_FAULT_ALLOC));
    return vv_codec_new(&w->codec);
}

void vv_worker_close(vv_worker *w)
{
    vv_codec_free(&w->codec);
    free_edges(w);
    vv_mem_put(&w->arena);
    give_back(&w->stored);
    give_back(&w->decoded);
    give_back(&w->program);
    give_back(&w->special);
    for (int i = 0; i < VV_PROGRAM_INPUTS; i++) give_back(&w->memory[i]);
}
