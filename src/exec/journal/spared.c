#include "exec/journal/spared.h"

#include "exec/journal/journal.h"

#include <stdlib.h>

typedef struct bits {
    uint64_t *word; /* NULL: none is set */
} bits;

/* Inboxes of an input, by key, for which some unit waits: of any rank, of this one. */
typedef struct waiting {
    bits anywhere, here;
} waiting;

struct vv_spared {
    const vv_plan *plan;
    int rank;
    vv_edge_of *edge;
    const void *context;
    bits *unit;        /* by step: numbers of units (plan/place.h) as one rank would have them */
    waiting **waiting; /* by step, by input */
};

static vv_status make_bits(bits *b, vv_index n)
{
    return vv_new(&b->word, (size_t)(n / 64 + 1), sizeof *b->word);
}

static void set_bit(bits *b, vv_index i)
{
    b->word[i / 64] |= (uint64_t)1 << i % 64;
}

static bool bit(const bits *b, vv_index i)
{
    return b->word && (b->word[i / 64] >> i % 64 & 1);
}

/* --- who waits --- */

static const vv_edge *pushed(const vv_spared *s, int step, int input)
{
    if (s->plan->step[step].input[input].access != VV_ACCESS_PUSH) return NULL;
    return s->edge(s->context, step, input);
}

static vv_status make_waiting(vv_spared *s, int step)
{
    const vv_step *t = &s->plan->step[step];
    VV_TRY(vv_new(&s->waiting[step], (size_t)t->n_inputs + 1, sizeof **s->waiting));
    for (int k = 0; k < t->n_inputs; k++) {
        const vv_edge *e = pushed(s, step, k);
        if (!e) continue;
        VV_TRY(make_bits(&s->waiting[step][k].anywhere, e->keys));
        VV_TRY(make_bits(&s->waiting[step][k].here, e->keys));
    }
    return VV_OK;
}

static void unit_waits(vv_spared *s, int step, vv_unit u)
{
    const vv_step *t = &s->plan->step[step];
    bool here = vv_place_owner(t, s->plan->ranks, u) == s->rank;
    vv_index coords[VV_MAX_DIMS], n = vv_unit_chunks(t, u);
    for (vv_index c = 0; c < n; c++) {
        vv_unit_coords(t, u, c, coords);
        for (int k = 0; k < t->n_inputs; k++) {
            const vv_edge *e = pushed(s, step, k);
            if (!e) continue;
            vv_index key = vv_edge_key(e, coords);
            set_bit(&s->waiting[step][k].anywhere, key);
            if (here) set_bit(&s->waiting[step][k].here, key);
        }
    }
}

/* --- who is spared --- */

typedef struct look {
    const bits *wanted;
    bool found;
} look;

static vv_status visit(void *context, const vv_edge *e, int part, vv_index key, const vv_box *piece)
{
    look *l = context;
    (void)e;
    (void)part;
    l->found = l->found || (vv_box_elements(piece) > 0 && bit(l->wanted, key));
    return VV_OK;
}

/* Whether some unit waits for a chunk that a step makes. Steps come after those that feed them. */
static vv_status is_wanted(const vv_spared *s, int step, vv_index out, bool *wanted)
{
    *wanted = false;
    for (int to = step + 1; to < s->plan->n_steps && !*wanted; to++) {
        const vv_step *t = &s->plan->step[to];
        for (int k = 0; vv_step_computes(t) && k < t->n_inputs && !*wanted; k++) {
            const vv_edge *e = pushed(s, to, k);
            look l = {e ? &s->waiting[to][k].anywhere : NULL, false};
            for (int j = 0; e && j < e->n_parts && !l.found; j++)
                if (e->part[j].from == step) VV_TRY(vv_edge_pieces(e, j, out, visit, &l));
            *wanted = l.found;
        }
    }
    return VV_OK;
}

/* All that of a map's chunk goes to the file is kept, and nothing goes elsewhere. */
static bool is_kept(const vv_plan *p, int step, vv_index out)
{
    for (int i = step + 1; i < p->n_steps; i++) {
        const vv_step *t = &p->step[i];
        if (!vv_step_delivers(t) || t->from != step) continue;
        if (t->op != VV_STEP_WRITE || !vv_saved_chunk(p, i, out)) return false;
    }
    return true;
}

static vv_status is_spared(const vv_spared *s, int step, vv_unit u, bool *spared)
{
    const vv_plan *p = s->plan;
    bool wanted = true;
    *spared = vv_saved_find(p, step, u) != NULL;
    if (*spared || p->step[step].op != VV_STEP_MAP || !is_kept(p, step, u.out)) return VV_OK;
    VV_TRY(is_wanted(s, step, u.out, &wanted));
    *spared = !wanted;
    return VV_OK;
}

static vv_status look_at_step(vv_spared *s, int step)
{
    const vv_step *t = &s->plan->step[step];
    vv_index n = vv_place_count(t, 0, 1);
    VV_TRY(make_waiting(s, step));
    for (vv_index i = 0; i < n; i++) {
        vv_unit u = vv_place_unit(t, 0, 1, i);
        bool spared;
        VV_TRY(is_spared(s, step, u, &spared));
        if (!spared) unit_waits(s, step, u);
        if (spared && !s->unit[step].word) VV_TRY(make_bits(&s->unit[step], n));
        if (spared) set_bit(&s->unit[step], i);
    }
    return VV_OK;
}

vv_status vv_spared_find(const vv_plan *p, int rank, vv_edge_of *edge, const void *context, vv_spared **out)
{
    vv_spared *s;
    vv_status status;
    *out = NULL;
    if (p->n_saved == 0) return VV_OK;
    VV_TRY(vv_new(&s, 1, sizeof *s));
    *s = (vv_spared){.plan = p, .rank = rank, .edge = edge, .context = context};
    VV_TRY_GOTO(status, failed, vv_new(&s->unit, (size_t)p->n_steps, sizeof *s->unit));
    VV_TRY_GOTO(status, failed, vv_new(&s->waiting, (size_t)p->n_steps, sizeof(waiting *)));
    for (int i = p->n_steps - 1; i >= 0; i--)
        if (vv_step_computes(&p->step[i])) VV_TRY_GOTO(status, failed, look_at_step(s, i));
    *out = s;
    return VV_OK;
failed:
    vv_spared_free(&s);
    return status;
}

void vv_spared_free(vv_spared **out)
{
    vv_spared *s = *out;
    if (!s) return;
    for (int i = 0; i < s->plan->n_steps; i++) {
        if (s->unit) free(s->unit[i].word);
        for (int k = 0; s->waiting && s->waiting[i] && k < s->plan->step[i].n_inputs; k++) {
            free(s->waiting[i][k].anywhere.word);
            free(s->waiting[i][k].here.word);
        }
        if (s->waiting) free(s->waiting[i]);
    }
    free(s->unit);
    free(s->waiting);
    free(s);
    *out = NULL;
}

bool vv_spared_has(const vv_spared *s, int step, vv_unit u)
{
    return s && s->unit[step].word && bit(&s->unit[step], vv_place_index(&s->plan->step[step], 1, u));
}

bool vv_spared_any(const vv_spared *s, int step)
{
    return s && s->unit[step].word;
}

bool vv_spared_waits(const vv_spared *s, int step, int input, vv_index key)
{
    return !s || bit(&s->waiting[step][input].here, key);
}
