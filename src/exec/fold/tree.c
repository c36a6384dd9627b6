/* The tree of partial results of an output chunk (plan/place.h): combines left with right as soon as both are here, and never in another order.
 *
 * A node that has only one child is that child: with groups, leaves without a label of an output chunk are absent from its tree.
 *
 * A thread that brings a piece takes its sibling out of the table under the lock and combines outside of it; so each piece has one owner at any
 * time and combining runs on all threads. */
#include "base/fault.h"
#include "exec/run.h"

#include <stdlib.h>
#include <string.h>

/* Head of a message with a partial result; used states follow, each at a multiple of 64. */
typedef struct head {
    int64_t step, out, level, i, cells, spare[3];
} head;

vv_status vv_piece_get(vv_stage *g, vv_piece **out)
{
    pthread_mutex_lock(&g->lock);
    vv_piece *p = g->pool;
    if (p) g->pool = p->next;
    pthread_mutex_unlock(&g->lock);
    if (p) {
        p->whole = false;
        *out = p;
        return VV_OK;
    }
    VV_TRY(vv_fault(VV_FAULT_ALLOC));
    VV_TRY(vv_new(&p, 1, sizeof *p));
    vv_status status = vv_mem_get(&p->state, g->job.work.state, "a partial result");
    if (status != VV_OK) {
        free(p);
        return status;
    }
    *out = p;
    return VV_OK;
}

static void piece_free(vv_piece *p)
{
    vv_mem_put(&p->state);
    free(p);
}

void vv_piece_put(vv_stage *g, vv_piece *p)
{
    if (!p->state) {
        piece_free(p);
        return;
    }
    pthread_mutex_lock(&g->lock);
    p->next = g->pool;
    g->pool = p;
    pthread_mutex_unlock(&g->lock);
}

static void free_list(vv_piece **list)
{
    while (*list) {
        vv_piece *p = *list;
        *list = p->next;
        piece_free(p);
    }
}

void vv_stage_clear(vv_stage *g)
{
    free_list(&g->pool);
    free_list(&g->late);
    for (int b = 0; b < VV_TREE_BUCKETS; b++) free_list(&g->bucket[b]);
    atomic_store(&g->waiting, 0);
}

void vv_stages_clear(vv_run *r)
{
    for (int i = 0; i < r->plan->n_steps; i++) {
        vv_stage *g = &r->stage[i];
        if (!g->run || g->cleared || atomic_load(&g->left) > 0) continue;
        pthread_mutex_lock(&g->lock);
        bool ended = g->waiting == 0 && !g->late;
        pthread_mutex_unlock(&g->lock);
        if (!ended) continue;
        vv_stage_clear(g);
        g->cleared = true;
    }
}

bool vv_trees_wait(vv_run *r, int act)
{
    for (int i = 0; i < r->plan->n_steps; i++) {
        vv_stage *g = &r->stage[i];
        if (!g->run || vv_agenda_act_of(r->agenda, i) >= act) continue;
        pthread_mutex_lock(&g->lock);
        bool wait = g->waiting > 0 || g->late;
        pthread_mutex_unlock(&g->lock);
        if (wait) return true;
    }
    return false;
}

static vv_piece **bucket(vv_stage *g, vv_index out, vv_index level, vv_index i)
{
    uint64_t h =
        (uint64_t)out * 0x9e3779b97f4a7c15u ^ (uint64_t)i * 0xc2b2ae3d27d4eb4fu ^ (uint64_t)level * 0x165667b19e3779f9u;
    return &g->bucket[(h >> 32) % VV_TREE_BUCKETS];
}

/* Takes the sibling of `p` out of the table, or puts p in to wait for it. */
static vv_piece *meet(vv_stage *g, vv_piece *p)
{
    vv_index other = p->i ^ 1;
    pthread_mutex_lock(&g->lock);
    vv_piece *found = NULL;
    for (vv_piece **at = bucket(g, p->out, p->level, other); *at; at = &(*at)->next)
        if ((*at)->out == p->out && (*at)->level == p->level && (*at)->i == other) {
            found = *at;
            *at = found->next;
            atomic_fetch_sub(&g->waiting, 1);
            break;
        }
    if (!found) {
        vv_piece **at = bucket(g, p->out, p->level, p->i);
        p->next = *at;
        *at = p;
        atomic_fetch_add(&g->waiting, 1);
    }
    pthread_mutex_unlock(&g->lock);
    return found;
}

/* --- states of a piece: for each group of its output chunk one after the other of all results --- */

typedef struct shape {
    vv_index cells, groups; /* cells of one group */
} shape;

static shape shape_of(const vv_step *s, vv_index out)
{
    vv_index first, n;
    vv_out_groups(s, out, &first, &n);
    return (shape){vv_unit_cells(s, out), n};
}

/* Groups that a side has not seen anything of change nothing: as if that side were not there. */
static void combine_state(const vv_red *red, vv_bytes size, char *left, const char *right)
{
    const vv_red_head *l = (const vv_red_head *)(const void *)left, *r = (const vv_red_head *)(const void *)right;
    if (r->count == 0) return;
    if (l->count == 0)
        memcpy(left, right, (size_t)size);
    else
        vv_red_combine(red, left, right);
}

static vv_status combine(const vv_step *s, vv_piece *left, const vv_piece *right)
{
    shape p = shape_of(s, left->out);
    char *l = left->state;
    const char *r = right->state;
    for (vv_index g = 0; g < p.groups; g++)
        for (int k = 0; k < s->n_results; k++) {
            const vv_red *red = &s->result[k].red;
            vv_bytes size = vv_state_size(red, p.cells);
            if (s->groups.dim >= 0)
                combine_state(red, vv_red_used_bytes(red, r), l, r);
            else
                vv_red_combine(red, l, r);
            if (vv_red_check(red, l) != VV_OK)
                return vv_error_prefix("'%s', output chunk %lld, rank %d", s->name, (long long)left->out,
                                       vv_this_rank());
            l += size;
            r += size;
        }
    return VV_OK;
}

static vv_bytes used(const vv_red *red, const void *state)
{
    return (vv_red_used_bytes(red, state) + 63) / 64 * 64;
}

/* --- messages --- */

static vv_bytes used_of_all(const vv_step *s, const shape *p, const char *state)
{
    vv_bytes size = 0;
    for (vv_index g = 0; g < p->groups; g++)
        for (int k = 0; k < s->n_results; k++) {
            size += used(&s->result[k].red, state);
            state += vv_state_size(&s->result[k].red, p->cells);
        }
    return size;
}

vv_bytes vv_states_size(const vv_step *s, const vv_piece *p)
{
    shape n = shape_of(s, p->out);
    return used_of_all(s, &n, p->state);
}

void vv_states_put(const vv_step *s, const vv_piece *p, char *at)
{
    shape n = shape_of(s, p->out);
    const char *state = p->state;
    for (vv_index i = 0; i < n.groups; i++)
        for (int k = 0; k < s->n_results; k++) {
            const vv_red *red = &s->result[k].red;
            vv_bytes bytes = vv_red_used_bytes(red, state), room = used(red, state);
            memcpy(at, state, (size_t)bytes);
            memset(at + bytes, 0, (size_t)(room - bytes));
            at += room;
            state += vv_state_size(red, n.cells);
        }
}

static vv_status send_up(vv_stage *g, vv_piece *p, int to)
{
    const vv_step *s = g->job.step;
    vv_bytes size = (vv_bytes)sizeof(head) + vv_states_size(s, p);
    char *block;
    VV_TRY(vv_mem_get(&block, size, "a message"));
    *(head *)(void *)block = (head){g->job.number, p->out, p->level, p->i, shape_of(s, p->out).cells, {0}};
    vv_states_put(s, p, block + sizeof(head));
    vv_piece_put(g, p);
    return vv_run_letter(g->run, to, VV_TAG_STATE, &block, size);
}

static vv_status take_state(const vv_red *red, const shape *n, const char **at, const char *end, char *state)
{
    if (end - *at < (vv_bytes)sizeof(vv_red_head)) return vv_fail(VV_ERR_INTERNAL, "it is too short");
    const vv_red_head *h = (const vv_red_head *)(const void *)*at;
    if (h->cells != n->cells || vv_red_used_bytes(red, h) > vv_red_state_bytes(red, n->cells) ||
        end - *at < used(red, h))
        return vv_fail(VV_ERR_INTERNAL, "it does not fit");
    memcpy(state, *at, (size_t)vv_red_used_bytes(red, h));
    *at += used(red, h);
    return VV_OK;
}

vv_status vv_states_take(const vv_step *s, const char *at, vv_bytes size, vv_piece *p)
{
    shape n = shape_of(s, p->out);
    const char *end = at + size;
    char *state = p->state;
    for (vv_index i = 0; i < n.groups; i++)
        for (int k = 0; k < s->n_results; k++) {
            const vv_red *red = &s->result[k].red;
            VV_TRY(take_state(red, &n, &at, end, state));
            state += vv_state_size(red, n.cells);
        }
    return VV_OK;
}

static vv_status unpack(vv_stage *g, const vv_message *m, vv_piece *p)
{
    const head *h = m->data;
    p->out = h->out;
    p->level = h->level;
    p->i = h->i;
    if (vv_states_take(g->job.step, (const char *)(h + 1), m->size - (vv_bytes)sizeof *h, p) == VV_OK) return VV_OK;
    return vv_error_prefix("a partial result from rank %d", m->from);
}

/* --- up the tree --- */

/* The other child of a node's parent; false when it is absent: then the node is its parent. */
static bool has_sibling(const vv_step *s, const vv_piece *p)
{
    return vv_tree_first_leaf(s, p->out, (int)p->level, p->i ^ 1) >= 0;
}

/* While the main thread waits for letters to go it only takes in what others send: whatever that finishes would have to be sent too. */
static vv_status deliver(vv_stage *g, vv_piece *p)
{
    vv_run *r = g->run;
    vv_save_done(g, p);
    if (!pthread_equal(pthread_self(), r->main) || !r->draining) return vv_deliver(g, p);
    p->next = g->late;
    g->late = p;
    r->late++;
    return VV_OK;
}

vv_status vv_tree_add(vv_stage *g, vv_piece *p)
{
    const vv_step *s = g->job.step;
    vv_index leaves = vv_step_leaves(s);
    int me = g->run->net->rank, ranks = g->run->net->size;
    while (vv_tree_nodes(leaves, (int)p->level) > 1) {
        if (has_sibling(s, p)) {
            if (p->i % 2) {
                int parent = vv_tree_owner(s, ranks, p->out, (int)p->level, p->i - 1);
                if (parent != me) return send_up(g, p, parent);
            }
            vv_piece *other = meet(g, p);
            if (!other) return VV_OK;
            vv_piece *left = p->i % 2 ? other : p, *right = p->i % 2 ? p : other;
            vv_status status = combine(s, left, right);
            vv_piece_put(g, right);
            if (status != VV_OK) vv_piece_put(g, left);
            VV_TRY(status);
            p = left;
        }
        p->level++;
        p->i /= 2;
    }
    return deliver(g, p);
}

/* Whether a node of an output chunk is one that other ranks may send. */
static bool is_node(const vv_step *s, const head *h)
{
    if (h->out < 0 || h->out >= vv_step_outs(s) || h->level < 0 || h->level > vv_tree_levels(vv_step_leaves(s)))
        return false;
    return h->i >= 0 && h->i < vv_tree_nodes(vv_step_leaves(s), (int)h->level);
}

vv_status vv_tree_receive(vv_run *r, const vv_message *m)
{
    VV_TRY(vv_fault(VV_FAULT_RECEIVE));
    const head *h = m->data;
    if (m->size < (vv_bytes)sizeof *h || h->step < 0 || h->step >= r->plan->n_steps ||
        r->plan->step[h->step].op != VV_STEP_REDUCE || !is_node(&r->plan->step[h->step], h))
        return vv_fail(VV_ERR_INTERNAL, "a partial result from rank %d belongs to no step", m->from);
    vv_stage *g = &r->stage[h->step];
    vv_piece *p;
    VV_TRY(vv_piece_get(g, &p));
    vv_status status = unpack(g, m, p);
    if (status != VV_OK) {
        vv_piece_put(g, p);
        return status;
    }
    return vv_tree_add(g, p);
}
