/* Pieces of trees to the journal (journal.h), and back.
 *
 * Reductions are kept at every node. Of the other steps only what goes to the user is: what goes to a file is kept as it is stored (write.c), and what they hand on is made
 * again from what there is. */
#include "exec/run.h"

#include <stdlib.h>
#include <string.h>

static bool is_kept(const vv_stage *g)
{
    const vv_step *s = g->job.step;
    if (s->op == VV_STEP_REDUCE) return true;
    for (int i = 0; i < g->n_targets; i++)
        if (!g->target[i].edge && g->run->plan->step[g->target[i].step].op == VV_STEP_GATHER) return true;
    return false;
}

/* Bytes of a map chunk's values. */
static vv_bytes values_size(const vv_step *s, vv_index out)
{
    return vv_state_bytes(s, vv_unit_cells(s, out));
}

static void save(vv_stage *g, const vv_piece *p, void (*put)(vv_journal *j, const vv_node_record *r))
{
    const vv_step *s = g->job.step;
    vv_journal *j = g->run->journal;
    vv_node_record r = {.step = g->job.number, .out = p->out, .level = p->level, .i = p->i};
    if (vv_saved_has(g->run->plan, &r)) return;
    if (s->op == VV_STEP_MAP) {
        r.values = p->state;
        r.size = values_size(s, p->out);
        put(j, &r);
        return;
    }
    char *block;
    r.size = vv_states_size(s, p);
    if (vv_mem_get(&block, r.size, "a record of the journal") != VV_OK) {
        vv_error_clear(); /* no room: then it is not kept */
        return;
    }
    vv_states_put(s, p, block);
    r.values = block;
    put(j, &r);
    vv_mem_put(&block);
}

void vv_save_done(vv_stage *g, const vv_piece *p)
{
    if (g->run->journal && is_kept(g)) save(g, p, vv_journal_done);
}

/* What waits in the trees of a step. Nothing is combined meanwhile. */
static void save_stage(vv_stage *g)
{
    pthread_mutex_lock(&g->lock);
    for (int b = 0; b < VV_TREE_BUCKETS; b++)
        for (const vv_piece *p = g->bucket[b]; p; p = p->next) save(g, p, vv_journal_put);
    pthread_mutex_unlock(&g->lock);
}

void vv_save_open(vv_run *r)
{
    if (!r->journal) return;
    vv_failure before;
    vv_error_get(&before);
    vv_journal_begin(r->journal);
    for (int i = 0; i < r->plan->n_steps; i++)
        if (r->stage[i].run && !r->stage[i].cleared) save_stage(&r->stage[i]);
    pthread_mutex_lock(&r->lock);
    bool open = r->out_open;
    pthread_mutex_unlock(&r->lock);
    vv_journal_end(r->journal, open ? &r->out : NULL);
    vv_error_set(&before);
}

void vv_save_look(vv_run *r)
{
    if (!r->journal) return;
    int asked = r->hooks->asked ? r->hooks->asked(r->hooks->context) : 0;
    if (vv_journal_due(r->journal, asked)) vv_save_open(r);
}

/* --- back --- */

static vv_status fill(vv_stage *g, const vv_saved *node, vv_piece *p)
{
    const vv_step *s = g->job.step;
    p->out = node->out;
    p->level = node->level;
    p->i = node->i;
    if (s->op == VV_STEP_MAP) {
        if (node->size != values_size(s, node->out))
            return vv_fail(VV_ERR_CORRUPT, "the journal %s does not fit: remove it and begin anew",
                           g->run->plan->journal);
        return vv_saved_take(g->run->plan, node, p->state);
    }
    char *block;
    VV_TRY(vv_mem_get(&block, node->size, "a record of the journal"));
    vv_status status = vv_saved_take(g->run->plan, node, block);
    if (status == VV_OK) status = vv_states_take(s, block, node->size, p);
    vv_mem_put(&block);
    return status == VV_OK ? VV_OK : vv_error_prefix("'%s', output chunk %lld", s->name, (long long)node->out);
}

vv_status vv_save_take(vv_stage *g, vv_unit u, bool *saved, vv_piece **out)
{
    vv_run *r = g->run;
    const vv_saved *node = r->journal ? vv_saved_find(r->plan, g->job.number, u) : NULL;
    *saved = node != NULL;
    *out = NULL;
    if (!node || vv_tree_first_leaf(g->job.step, u.out, (int)node->level, node->i) != u.leaf) return VV_OK;
    VV_TRY(vv_piece_get(g, out));
    vv_status status = fill(g, node, *out);
    if (status != VV_OK) vv_piece_put(g, *out);
    return status;
}
