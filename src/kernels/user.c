#include "kernels/user.h"

#include "base/mem.h"
#include "kernels/codec/decode.h"

#include <stdlib.h>
#include <string.h>

/* --- plain data --- */

vv_status vv_user_copy(const vv_user *u, vv_user **out)
{
    VV_TRY(vv_new(out, 1, sizeof **out));
    **out = *u;
    (*out)->name = NULL;
    (*out)->data = NULL;
    vv_status status = vv_symbol_copy(&u->symbol, &(*out)->symbol);
    if (status == VV_OK) status = vv_strdup(&(*out)->name, u->name);
    if (status == VV_OK && u->data_size > 0) status = vv_new(&(*out)->data, (size_t)u->data_size, 1);
    if (status == VV_OK && u->data_size > 0) memcpy((*out)->data, u->data, (size_t)u->data_size);
    if (status != VV_OK) vv_user_free(out);
    return status;
}

void vv_user_free(vv_user **u)
{
    if (!*u) return;
    vv_symbol_free(&(*u)->symbol);
    free((*u)->name);
    free((*u)->data);
    free(*u);
    *u = NULL;
}

static bool same_operand(const vv_user_operand *a, const vv_user_operand *b)
{
    return a->type == b->type && a->nd == b->nd && !memcmp(a->dim, b->dim, sizeof a->dim[0] * (size_t)a->nd);
}

static bool same_numbers(const vv_index a[], const vv_index b[])
{
    return !memcmp(a, b, sizeof a[0] * VV_MAX_DIMS);
}

bool vv_user_equal(const vv_user *a, const vv_user *b)
{
    bool same = a->kind == b->kind && vv_symbol_equal(&a->symbol, &b->symbol) && a->n_in == b->n_in &&
                a->type == b->type && a->result_nd == b->result_nd && vv_shape_equal(&a->work, &b->work) &&
                !memcmp(a->whole, b->whole, sizeof a->whole) && same_numbers(a->chunk, b->chunk) &&
                same_numbers(a->length, b->length) && same_numbers(a->piece, b->piece) &&
                same_numbers(a->before, b->before) && same_numbers(a->after, b->after) &&
                !memcmp(a->open, b->open, sizeof a->open) && a->loops == b->loops && a->n_sizes == b->n_sizes &&
                !memcmp(a->size_dim, b->size_dim, sizeof a->size_dim) && same_numbers(a->size, b->size) &&
                a->n_results == b->n_results && !memcmp(a->result_at, b->result_at, sizeof a->result_at) &&
                a->lists == b->lists && a->by_rank == b->by_rank && a->scratch == b->scratch &&
                a->data_size == b->data_size && (a->data_size == 0 || !memcmp(a->data, b->data, (size_t)a->data_size));
    for (int k = 0; same && k < a->n_in; k++) same = same_operand(&a->in[k], &b->in[k]);
    return same;
}

static bool operand_valid(const vv_user_operand *o, int nd)
{
    if (vv_working_type(o->type) == VV_NONE || o->nd < 0 || o->nd > VV_MAX_DIMS) return false;
    for (int d = 0; d < o->nd; d++)
        if (o->dim[d] < -1 || o->dim[d] >= nd) return false;
    return true;
}

/* What is walked is the work's, what is not comes whole and behind it: in the work, and in every array. */
static bool loops_valid(const vv_user *u)
{
    bool walks = vv_user_walks(u);
    for (int d = 0; d < u->work.nd; d++) {
        bool same = u->kind == VV_USER_BLOCKS || (walks && d >= u->loops) || !vv_user_differs(u, d);
        if (!same || (walks && d >= u->loops && !u->whole[d])) return false;
    }
    for (int k = 0; k < u->n_in && walks; k++)
        for (int d = 1; d < u->in[k].nd; d++)
            if (u->in[k].dim[d - 1] >= u->loops && u->in[k].dim[d] < u->loops) return false;
    return true;
}

/* Where several results begin: within what the step makes at a position. */
static bool results_valid(const vv_user *u)
{
    if (u->n_results < 0 || u->n_results > VV_USER_RESULTS || (u->n_results > 0) != (u->kind == VV_USER_SEVERAL))
        return false;
    if (u->n_results > 0 && (u->type != VV_I64 || u->result_nd != u->loops + 1)) return false;
    for (int r = 0; r < u->n_results; r++)
        if (u->result_at[r] < 0 || u->result_at[r] / 8 > u->length[u->loops] || u->result_at[r] % 8) return false;
    return true;
}

bool vv_user_valid(const vv_user *u, int nd)
{
    static const vv_index far = VV_INDEX_MAX / 8;
    if (!u->function || !u->name || u->kind < 0 || u->kind >= VV_USER_KINDS || u->n_in < 0 ||
        u->n_in > VV_PROGRAM_INPUTS || vv_working_type(u->type) == VV_NONE)
        return false;
    if (u->work.nd != nd || u->result_nd < 0 || u->result_nd > nd || u->loops < 0 || u->loops > nd || u->n_sizes < 0 ||
        u->n_sizes > VV_MAX_DIMS || u->scratch < 0 || u->scratch > far)
        return false;
    for (int i = 0; i < u->n_sizes; i++)
        if (u->size_dim[i] < -1 || u->size_dim[i] >= nd || u->size[i] < 0) return false;
    for (int d = 0; d < nd; d++) {
        if (u->origin[d] < 0 || u->origin[d] > far || u->work.n[d] < 0 || u->work.n[d] > far) return false;
        if (u->before[d] < 0 || u->before[d] > far || u->after[d] < 0 || u->after[d] > far) return false;
        if (u->length[d] < -1 || u->length[d] > far || (u->length[d] >= 0 && u->piece[d] < 1)) return false;
        if (u->lists && u->whole[d] && (u->list[d] < 1 || u->list_shift[d] < 0 || u->list_shift[d] >= u->list[d]))
            return false;
        if (d >= u->result_nd && u->length[d] != 1) return false;
    }
    for (int k = 0; k < u->n_in; k++)
        if (!operand_valid(&u->in[k], nd)) return false;
    return loops_valid(u) && results_valid(u) && (u->kind != VV_USER_LANES || u->n_in == 1) &&
           (u->kind != VV_USER_INDEX || u->n_in == 0);
}
