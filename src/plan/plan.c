#include "plan/plan.h"

#include "base/reshape.h"

#include <stdlib.h>
#include <string.h>

vv_status vv_plan_new(vv_plan **out)
{
    return vv_new(out, 1, sizeof **out);
}

static void free_groups(vv_groups *g)
{
    free(g->first);
    free(g->present);
    free(g->leaf_first);
    free(g->leaf);
    g->first = g->present = g->leaf_first = g->leaf = NULL;
}

void vv_result_free(vv_result *r)
{
    vv_red_spec *spec = (vv_red_spec *)(uintptr_t)r->red.spec;
    vv_red_spec_free(&spec);
    r->red.spec = NULL;
    free(r->name);
    r->name = NULL;
}

void vv_step_free(vv_step *s)
{
    for (int k = 0; k < s->n_inputs; k++) {
        for (int i = 0; i < s->input[k].n_parts; i++) vv_part_free(&s->input[k].part[i]);
        free(s->input[k].part);
    }
    for (int r = 0; r < VV_MAX_RESULTS; r++) vv_result_free(&s->result[r]);
    free_groups(&s->groups);
    vv_table_free(&s->groups.label);
    free(s->call.weight);
    vv_user_free(&s->user);
    free(s->input);
    free(s->program);
    free(s->name);
    free(s->why);
}

void vv_plan_free(vv_plan **plan)
{
    vv_plan *p = *plan;
    if (!p) return;
    for (int i = 0; i < p->n_sources; i++) {
        free(p->source[i].path);
        free(p->source[i].variable);
    }
    for (int i = 0; i < p->n_steps; i++) vv_step_free(&p->step[i]);
    free(p->source);
    free(p->step);
    free(p->output);
    free(p->heartbeat);
    free(p->original);
    free(p->scratch);
    free(p->journal);
    free(p->saved);
    free(p->drop);
    free(p);
    *plan = NULL;
}

/* Grows *items by one zeroed element of `size` bytes. */
static vv_status grow(void *items, int *n, size_t size, void *out)
{
    VV_TRY(vv_grow(items, *n, size, "parts of a plan"));
    char **array = items;
    char *new = &array[0][size * (size_t)*n];
    memset(new, 0, size);
    *(void **)out = new;
    (*n)++;
    return VV_OK;
}

vv_status vv_plan_add_source(vv_plan *p, vv_source **out)
{
    return grow(&p->source, &p->n_sources, sizeof **out, out);
}

vv_status vv_plan_add_step(vv_plan *p, vv_step_op op, const char *name, vv_step **out)
{
    VV_TRY(grow(&p->step, &p->n_steps, sizeof **out, out));
    (*out)->op = op;
    (*out)->groups.dim = -1;
    (*out)->leaf = 1;
    return vv_strdup(&(*out)->name, name);
}

vv_status vv_step_add_input(vv_step *s, vv_input **out)
{
    return grow(&s->input, &s->n_inputs, sizeof **out, out);
}

vv_status vv_input_add_part(vv_input *in, vv_part *part)
{
    vv_part *room = NULL;
    vv_status status = grow(&in->part, &in->n_parts, sizeof *room, &room);
    if (status == VV_OK)
        *room = *part;
    else
        vv_part_free(part);
    *part = (vv_part){.table_dim = -1};
    return status;
}

int vv_step_find_result(const vv_step *s, const vv_result *like)
{
    for (int r = 0; r < s->n_results; r++) {
        const vv_result *have = &s->result[r];
        if (have->type == like->type && have->value == like->value && have->red.kind == like->red.kind &&
            have->red.in == like->red.in && have->red.skip == like->red.skip && have->red.ddof == like->red.ddof &&
            have->red.least == like->red.least && have->red.width == like->red.width &&
            vv_red_spec_equal(have->red.spec, like->red.spec) && !memcmp(have->more, like->more, sizeof have->more))
            return r;
    }
    return -1;
}

bool vv_step_waits(const vv_step *s)
{
    for (int k = 0; vv_step_computes(s) && k < s->n_inputs; k++)
        if (s->input[k].access == VV_ACCESS_PUSH) return true;
    return false;
}

vv_bytes vv_input_rows(const vv_plan *p, const vv_step *s, int input, vv_index rows)
{
    vv_bytes bytes = rows * vv_dtype_size(vv_part_stored(p, &s->input[input].part[0])->decode.stored);
    bool behind = false; /* dimensions of one element are in front of that of the rows */
    for (int d = 0; d < s->work.shape.nd; d++) {
        vv_index n = vv_imin(s->work.chunk[d], vv_imax(1, s->work.shape.n[d]));
        if (behind) bytes = vv_times(bytes, n);
        behind = behind || n > 1;
    }
    return bytes;
}

/* Two rows are the least that are worth it, and of many there is nothing to gain. */
vv_index vv_step_rows(const vv_plan *p, const vv_step *s, int *dim)
{
    enum { MOST = 1 << 20 };
    int nd = s->work.shape.nd, d = 0, kept = 0;
    vv_bytes one = 0;
    if (s->op != VV_STEP_REDUCE || !vv_step_streams(s)) return 0;
    while (d < nd && vv_imin(s->work.chunk[d], s->work.shape.n[d]) <= 1) d++;
    if (d == nd || !s->reduced[d]) return 0;
    for (int k = d + 1; k < nd; k++) {
        if (s->reduced[k] && kept > 0) return 0;
        kept += !s->reduced[k];
    }
    for (int k = 0; k < s->n_inputs; k++) one += vv_input_rows(p, s, k, 1);
    *dim = d;
    return kept == 0 || one == 0 || 2 * one > MOST ? 0 : vv_imin(MOST / one, s->work.chunk[d]);
}

bool vv_source_straightens(const vv_source *s)
{
    bool summed = false;
    for (int i = 0; i < s->n_filters; i++) {
        if (summed && s->filter[i] == VV_FILTER_SHUFFLE) return true;
        summed = summed || s->filter[i] == VV_FILTER_FLETCHER32;
    }
    for (int d = 0; d < s->stored.shape.nd; d++)
        if (s->absent[d] > 0) return true;
    return false;
}

const vv_source *vv_part_stored(const vv_plan *p, const vv_part *part)
{
    const vv_step *from = &p->step[part->from];
    return from->op == VV_STEP_READ ? &p->source[from->source] : NULL;
}

/* --- what follows from the rest of a step --- */

void vv_step_result_grid(const vv_step *s, vv_grid *out)
{
    bool lane = false; /* its first dimension has been */
    *out = (vv_grid){0};
    if (s->reshaped) {
        if (!vv_reshape_grid(&s->work, &s->shown, out)) *out = (vv_grid){.shape.nd = -1};
        return;
    }
    for (int d = 0; d < s->work.shape.nd; d++) {
        bool groups = s->op == VV_STEP_REDUCE && d == s->groups.dim;
        if (s->tiled && (d >= s->tile.first || s->tile.extent[d] == 0)) continue;
        if (s->op == VV_STEP_REDUCE && s->reduced[d] && !groups) continue;
        int k = out->shape.nd++;
        if (s->user && vv_user_differs(s->user, d)) {
            out->shape.n[k] = s->user->length[d];
            out->chunk[k] = vv_grid_count(&s->work, d) <= 1 ? out->shape.n[k] : s->user->piece[d];
            continue;
        }
        if (s->tiled && s->tile.extent[d] != VV_TILE_SAME) {
            out->chunk[k] = s->tile.extent[d];
            out->shape.n[k] = vv_times(s->tile.extent[d], vv_grid_count(&s->work, d));
            continue;
        }
        if (vv_step_lanes(s) && s->call.along[d]) {
            out->shape.n[k] = out->chunk[k] = lane ? 1 : s->call.length;
            lane = true;
            continue;
        }
        out->shape.n[k] = groups ? s->groups.n : s->work.shape.n[d];
        out->chunk[k] = vv_imin(groups ? s->groups.chunk : s->work.chunk[d], vv_imax(1, out->shape.n[k]));
        bool one = vv_grid_count(&s->work, d) <= 1; /* a grid of one chunk needs no shift */
        out->shift[k] = groups || one ? 0 : s->work.shift[d];
        if (out->shift[k] > 0) out->chunk[k] = s->work.chunk[d];
    }
    if (s->length == 0 || out->shape.nd == VV_MAX_DIMS) return;
    out->shape.n[out->shape.nd] = out->chunk[out->shape.nd] = s->length;
    out->shape.nd++;
}

/* Appends to a list that doubles its room. */
typedef struct list {
    vv_index n;
    vv_index *at;
} list;

static vv_status append(list *l, vv_index value)
{
    VV_TRY(vv_grow(&l->at, l->n, sizeof *l->at, "groups"));
    l->at[l->n++] = value;
    return VV_OK;
}

/* Sorted (block, chunk) pairs, one for each chunk along the groups' dimension and block that has a label in it. seen[block]: the last chunk noted for it. */
static vv_status note_chunk(const vv_step *s, vv_index chunk, vv_index seen[], list present[])
{
    const vv_groups *g = &s->groups;
    vv_index end = vv_grid_end(&s->work, g->dim, chunk);
    for (vv_index i = vv_grid_begin(&s->work, g->dim, chunk); i < end; i++) {
        vv_index label = g->label->at[i];
        if (label < 0 || seen[label / g->chunk] == chunk) continue;
        seen[label / g->chunk] = chunk;
        VV_TRY(append(&present[label / g->chunk], chunk));
    }
    return VV_OK;
}

/* Chunks of one block, and the leaves that they are in. A block without any has one leaf of no chunks, so that somebody finishes it. */
static vv_status note_block(vv_step *s, vv_index block, const list *present, list *chunks, list *leaves)
{
    vv_groups *g = &s->groups;
    g->first[block] = chunks->n;
    g->leaf_first[block] = leaves->n;
    for (vv_index i = 0; i < present->n; i++) {
        VV_TRY(append(chunks, present->at[i]));
        vv_index leaf = present->at[i] / s->leaf;
        if (leaves->n == g->leaf_first[block] || leaves->at[leaves->n - 1] != leaf) VV_TRY(append(leaves, leaf));
    }
    return present->n > 0 ? VV_OK : append(leaves, 0);
}

static vv_status group_lists(vv_step *s, vv_index blocks, list present[], vv_index seen[])
{
    vv_groups *g = &s->groups;
    list chunks = {0}, leaves = {0};
    vv_status status = VV_OK;
    for (vv_index c = 0; c < vv_grid_count(&s->work, g->dim) && status == VV_OK; c++)
        status = note_chunk(s, c, seen, present);
    for (vv_index b = 0; b < blocks && status == VV_OK; b++) status = note_block(s, b, &present[b], &chunks, &leaves);
    g->first[blocks] = chunks.n;
    g->leaf_first[blocks] = leaves.n;
    g->present = chunks.at;
    g->leaf = leaves.at;
    return status;
}

static vv_status complete_groups(vv_step *s)
{
    vv_groups *g = &s->groups;
    vv_index blocks = vv_ceil_div(g->n, g->chunk), *seen = NULL;
    list *present = NULL;
    free_groups(g);
    VV_TRY(vv_new(&g->first, (size_t)blocks + 1, sizeof *g->first));
    VV_TRY(vv_new(&g->leaf_first, (size_t)blocks + 1, sizeof *g->leaf_first));
    vv_status status = vv_new(&present, (size_t)blocks, sizeof *present);
    if (status == VV_OK) status = vv_new(&seen, (size_t)blocks, sizeof *seen);
    for (vv_index b = 0; status == VV_OK && b < blocks; b++) seen[b] = -1;
    if (status == VV_OK) status = group_lists(s, blocks, present, seen);
    for (vv_index b = 0; present && b < blocks; b++) free(present[b].at);
    free(present);
    free(seen);
    return status;
}

vv_status vv_step_complete(vv_step *s)
{
    if (s->op == VV_STEP_REDUCE && s->groups.dim >= 0) VV_TRY(complete_groups(s));
    vv_step_result_grid(s, &s->grid);
    return VV_OK;
}

bool vv_plan_keeps_output(const vv_plan *p)
{
    bool keeps = false;
    for (int i = 0; i < p->n_steps && !keeps; i++) {
        const vv_step *s = &p->step[i];
        bool map = s->op == VV_STEP_WRITE && p->step[s->from].op == VV_STEP_MAP;
        keeps = map && (!s->to.chunked || vv_write_plain(&s->to));
    }
    return keeps && p->journal && !p->collective;
}
