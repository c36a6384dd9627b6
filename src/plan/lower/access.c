/* How the elements of inputs get to tasks.
 *
 * Every stored chunk should be read and decoded once. Where each belongs to one chunk of the work, the task that needs it reads it: as it lies (CHUNK), through a window
 * (STREAM), or picked from boxes (BOX). Otherwise a load step reads it along its own chunks and passes pieces on (PUSH). A load reads only the region that is
 * wanted, and one load serves all steps that want the region; regions that are far apart are loads of their own. */
#include "plan/lower/build.h"

#include <stdlib.h>
#include <string.h>

enum { SMALL = 1 << 20, LONG_RUN = 64 * 1024 };

/* --- one part and its source --- */

/* Chunks of the work along dimension w that a part reaches into. */
static vv_index reach(const vv_step *s, const vv_part *p, int w)
{
    vv_index n = s->work.shape.n[w], lo = vv_imax(0, vv_imin(p->box.lo[w], n - 1)); /* surroundings may lie outside */
    if (p->box.n[w] == 0 || n == 0) return 0;
    return vv_grid_at(&s->work, w, vv_imin(vv_imax(lo, p->box.lo[w] + p->box.n[w] - 1), n - 1)) -
           vv_grid_at(&s->work, w, lo) + 1;
}

/* Whether boundaries of work chunks are boundaries of the source's chunks along dimension d of the source. */
static bool aligned(const vv_step *s, const vv_part *p, int d, const vv_grid *stored)
{
    int w = p->dim[d];
    vv_index seen, shift;
    if (w < 0 || reach(s, p, w) <= 1) return true;
    if (d != p->table_dim && (p->stride[d] >= stored->chunk[d] || -p->stride[d] >= stored->chunk[d])) return true;
    if (!vv_grid_seen(p, d, stored->chunk[d], stored->shift[d], &seen, &shift)) return false;
    return s->work.chunk[w] % seen == 0 && (s->work.shift[w] - shift) % seen == 0;
}

/* Whether several work chunks want the same elements of the source, or of one chunk of it. */
static bool wanted_twice(const vv_step *s, const vv_input *in, const vv_part *p, const vv_source *source)
{
    for (int w = 0; w < s->work.shape.nd; w++)
        if ((!vv_part_follows(p, w) || in->before[w] || in->after[w]) && reach(s, p, w) > 1) return true;
    for (int d = 0; d < p->nd; d++) {
        if (d == p->table_dim && reach(s, p, p->dim[d]) > 1) return true;
        if (source->chunked && !aligned(s, p, d, &source->stored)) return true;
    }
    return false;
}

/* Two parts want the same chunk of the same source. */
static bool meet(const vv_plan *p, const vv_part *left, const vv_part *right)
{
    const vv_grid *g = &p->step[left->from].grid;
    vv_box a, b;
    if (left->from != right->from || !vv_part_source(left, &left->box, &a) || !vv_part_source(right, &right->box, &b))
        return false;
    for (int d = 0; d < a.nd; d++)
        if (vv_grid_at(g, d, a.lo[d]) > vv_grid_at(g, d, b.lo[d] + b.n[d] - 1) ||
            vv_grid_at(g, d, b.lo[d]) > vv_grid_at(g, d, a.lo[d] + a.n[d] - 1))
            return false;
    return true;
}

static bool parts_meet(const vv_plan *p, const vv_input *in)
{
    for (int i = 0; i < in->n_parts; i++)
        for (int k = 0; k < i; k++)
            if (meet(p, &in->part[i], &in->part[k])) return true;
    return false;
}

/* Bytes that lie together in a contiguous source and belong to one chunk of the work: whole inner dimensions, and the first that is cut. */
static vv_bytes run_bytes(const vv_step *s, const vv_part *p, const vv_source *source)
{
    vv_bytes run = vv_dtype_size(source->decode.stored);
    for (int d = p->nd - 1; d >= 0; d--) {
        int w = p->dim[d];
        if (d == p->table_dim) break;
        vv_index n = w < 0 ? 1 : vv_imin(s->work.chunk[w], p->box.n[w]);
        run = vv_times(run, n);
        if (n < source->stored.shape.n[d]) break;
    }
    return run;
}

/* Chunks of the work cut the rows of contiguous data into pieces that are not worth a read each: chunks that somebody asked for. */
static bool cuts_rows(const vv_plan *p, const vv_step *s, const vv_input *in)
{
    enum { WORTH_A_READ = 16 * 1024, SHORTER = 4 };
    const vv_part *part = &in->part[0];
    const vv_source *source = vv_part_stored(p, part);
    vv_step whole = {.work = s->work};
    memcpy(whole.work.chunk, s->work.shape.n, sizeof whole.work.chunk);
    vv_bytes run = run_bytes(s, part, source);
    return run < WORTH_A_READ && run_bytes(&whole, part, source) / SHORTER >= run;
}

/* All that an input comes from is small. (A thousand small files are not.) */
static bool small(const vv_plan *p, const vv_input *in)
{
    vv_index all = 0;
    for (int i = 0; i < in->n_parts && all <= SMALL; i++) {
        const vv_part *part = &in->part[i];
        if (i == 0 || part->from != in->part[i - 1].from)
            all += vv_imin(SMALL + 1, vv_shape_elements(&vv_part_stored(p, part)->stored.shape));
    }
    return all <= SMALL;
}

/* Most of what lies between the wanted elements is not wanted: whoever loads it all reads in vain. */
static bool sparse(const vv_part *p)
{
    enum { THIN = 4 };
    vv_box box;
    vv_index taken = 1;
    for (int d = 0; d < p->nd; d++)
        if (p->dim[d] >= 0) taken = vv_times(taken, p->box.n[p->dim[d]]);
    return vv_part_source(p, &p->box, &box) && vv_box_elements(&box) / THIN > taken;
}

/* Why a part cannot be read where it is needed; NULL when it can. */
static const char *unfit_for_boxes(const vv_step *s, const vv_input *in, const vv_part *p, const vv_source *source)
{
    if (source->generated) return NULL;
    if (wanted_twice(s, in, p, source)) return "several chunks of the work want the same of it";
    if (source->raw && !source->chunked && run_bytes(s, p, source) < LONG_RUN && !sparse(p))
        return "its pieces in the file are short";
    return NULL;
}

/* The only part is all of the work space, without surroundings or look-up. */
bool vv_input_direct(const vv_step *s, const vv_input *in)
{
    if (in->n_parts != 1 || in->part[0].table_dim >= 0) return false;
    for (int w = 0; w < s->work.shape.nd; w++)
        if (in->before[w] || in->after[w] || in->part[0].box.n[w] != s->work.shape.n[w]) return false;
    return true;
}

/* Dimensions in order, forward, one by one. */
static bool in_order(const vv_part *p)
{
    int last = -1;
    for (int d = 0; d < p->nd; d++) {
        if (p->dim[d] < 0) continue;
        if (p->dim[d] <= last || p->stride[d] != 1) return false;
        last = p->dim[d];
    }
    return true;
}

static bool streams(const vv_plan *p, const vv_step *s, const vv_input *in)
{
    if (!vv_input_direct(s, in) || vv_step_packs(s)) return false;
    const vv_part *part = &in->part[0];
    const vv_source *source = vv_part_stored(p, part);
    if (!source || !source->raw || source->chunked || part->nd != s->work.shape.nd || !in_order(part)) return false;
    for (int d = 0; d < part->nd; d++)
        if (part->dim[d] < 0) return false;
    return true;
}

/* Every chunk of the work lies inside one stored chunk. */
static bool inside(const vv_step *s, const vv_part *p, const vv_grid *stored)
{
    for (int d = 0; d < p->nd; d++) {
        int w = p->dim[d];
        if (w < 0) continue;
        vv_index last = p->start[d] + p->box.n[w] - 1;
        if (p->start[d] / stored->chunk[d] == last / stored->chunk[d]) continue;
        vv_index seen, shift;
        if (!vv_grid_seen(p, d, stored->chunk[d], stored->shift[d], &seen, &shift)) return false;
        if (seen % s->work.chunk[w] || (shift - s->work.shift[w]) % s->work.chunk[w]) return false;
    }
    return true;
}

static bool by_chunk(const vv_plan *p, const vv_step *s, const vv_input *in)
{
    if (!vv_input_direct(s, in) || vv_step_packs(s)) return false;
    const vv_part *part = &in->part[0];
    const vv_source *source = vv_part_stored(p, part);
    if (!source || !source->raw || !source->chunked || part->nd == 0 || !in_order(part)) return false;
    if (part->dim[part->nd - 1] != s->work.shape.nd - 1) return false;
    return inside(s, part, &source->stored) && !wanted_twice(s, in, part, source);
}

/* --- inputs --- */

static bool computed(const vv_plan *p, const vv_input *in)
{
    for (int i = 0; i < in->n_parts; i++)
        if (!vv_part_stored(p, &in->part[i])) return true;
    return false;
}

static bool held_part(const vv_plan *p, const vv_input *in)
{
    for (int i = 0; i < in->n_parts; i++)
        if (vv_part_stored(p, &in->part[i]) && vv_part_stored(p, &in->part[i])->held) return true;
    return false;
}

bool vv_input_given(const vv_plan *p, const vv_input *in)
{
    for (int i = 0; i < in->n_parts; i++)
        if (vv_part_stored(p, &in->part[i]) && vv_part_stored(p, &in->part[i])->given) return true;
    return false;
}

/* The access of an input by itself; `why` when it is to be pushed though it is stored. */
static vv_access choose(const vv_plan *p, const vv_step *s, const vv_input *in, const char **why)
{
    *why = NULL;
    if (computed(p, in)) {
        *why = "other parts of the input are computed";
        return VV_ACCESS_PUSH;
    }
    if (vv_input_given(p, in)) {
        *why = "only rank 0 has it";
        return VV_ACCESS_PUSH;
    }
    if (in->n_parts > 0 && held_part(p, in)) {
        if (vv_lower_by_held(p, s, in)) return VV_ACCESS_CHUNK;
        *why = "its owners hold it";
        return VV_ACCESS_PUSH;
    }
    if (by_chunk(p, s, in)) return VV_ACCESS_CHUNK;
    if (small(p, in)) return VV_ACCESS_BOX;
    for (int i = 0; i < in->n_parts && !*why; i++)
        *why = unfit_for_boxes(s, in, &in->part[i], vv_part_stored(p, &in->part[i]));
    if (!*why && parts_meet(p, in)) {
        const vv_source *source = vv_part_stored(p, &in->part[0]);
        if (source->chunked && !source->generated) *why = "several parts want the same of it";
    }
    return *why ? VV_ACCESS_PUSH : VV_ACCESS_BOX;
}

/* Another input has it loaded: this one gets it from there too. */
static bool shares_load(const vv_plan *p, const vv_step *s, const vv_input *in)
{
    for (int i = 0; i < in->n_parts; i++)
        for (int k = 0; k < s->n_inputs; k++) {
            const vv_input *other = &s->input[k];
            for (int j = 0; other->access == VV_ACCESS_PUSH && j < other->n_parts; j++)
                if (meet(p, &other->part[j], &in->part[i])) return true;
        }
    return false;
}

/* With few entries for many elements along it, a table is looked up element by element. */
static bool looks_up(const vv_plan *p, const vv_step *s, const vv_input *in)
{
    if (vv_step_packs(s) || in->n_parts != 1 || in->part[0].table_dim < 0) return false;
    const vv_part *part = &in->part[0];
    return 4 * p->step[part->from].grid.shape.n[part->table_dim] <= part->box.n[part->dim[part->table_dim]];
}

/* --- loads --- */

typedef struct load {
    int read; /* step */
    vv_box box;
    const char *why;
    int step;
    vv_walk walk;
    bool banded; /* walked in bands, in this order of dimensions */
    int order[VV_MAX_DIMS];
} load;

typedef struct loads {
    int n;
    load *at;
} loads;

static vv_box bound(const vv_box *a, const vv_box *b)
{
    vv_box out = *a;
    for (int d = 0; d < a->nd; d++) {
        out.lo[d] = vv_imin(a->lo[d], b->lo[d]);
        out.n[d] = vv_imax(a->lo[d] + a->n[d], b->lo[d] + b->n[d]) - out.lo[d];
    }
    return out;
}

static bool merges(const load *a, const load *b)
{
    if (a->read != b->read) return false;
    vv_box both = bound(&a->box, &b->box);
    return vv_box_elements(&both) <= vv_box_elements(&a->box) + vv_box_elements(&b->box);
}

/* Merges the last one with others for as long as that reads nothing that nobody wants. */
static void merge_last(loads *l)
{
    for (int i = 0; i < l->n - 1; i++) {
        load *last = &l->at[l->n - 1];
        if (!merges(&l->at[i], last)) continue;
        l->at[i].box = bound(&l->at[i].box, &last->box);
        vv_walk_merge(&last->walk, last->box.nd, &l->at[i].walk);
        load grown = l->at[i];
        memmove(&l->at[i], &l->at[i + 1], sizeof *l->at * (size_t)(l->n - 2 - i));
        l->n--;
        l->at[l->n - 1] = grown;
        i = -1;
    }
}

static vv_status note_load(const vv_step *s, const vv_input *in, const vv_part *part, bool apart, const char *why,
                           loads *l)
{
    VV_TRY(vv_grow(&l->at, l->n, sizeof *l->at, "loads"));
    load new = {.read = part->from, .why = why, .step = -1};
    if (!vv_part_source(part, &part->box, &new.box)) return VV_OK;
    vv_walk_note(s, in, part, apart, &new.walk);
    l->at[l->n++] = new;
    merge_last(l);
    return VV_OK;
}

static load *find_load(const loads *l, const vv_part *part)
{
    vv_box box;
    if (!vv_part_source(part, &part->box, &box)) return NULL;
    for (int i = 0; i < l->n; i++) {
        bool within = l->at[i].read == part->from;
        for (int d = 0; within && d < box.nd; d++)
            within = box.lo[d] >= l->at[i].box.lo[d] && box.lo[d] + box.n[d] <= l->at[i].box.lo[d] + l->at[i].box.n[d];
        if (within) return &l->at[i];
    }
    return NULL;
}

/* For explain: what is read in boxes and why it may be. */
static vv_status explain_boxes(const vv_plan *p, vv_step *s)
{
    vv_buf b = {0};
    for (int k = 0; k < s->n_inputs; k++) {
        const vv_input *in = &s->input[k];
        if (in->access != VV_ACCESS_BOX || in->n_parts == 0) continue;
        const vv_source *source = vv_part_stored(p, &in->part[0]);
        const char *why = source->generated ? "made where it is wanted"
                          : small(p, in)    ? "it is small"
                                            : "no stored chunk is wanted twice";
        vv_buf_printf(&b, "%s%s in boxes: %s", b.size ? "; " : "", source->variable, why);
    }
    if (b.size == 0 || s->why) {
        vv_buf_free(&b);
        return VV_OK;
    }
    s->why = b.data;
    return vv_buf_status(&b);
}

static bool all_fit(const vv_plan *p, const vv_step *s)
{
    for (int j = 0; j < s->input[0].n_parts; j++)
        if (unfit_for_boxes(s, &s->input[0], &s->input[0].part[j], vv_part_stored(p, &s->input[0].part[j])))
            return false;
    return true;
}

enum { HELD, ONCE, BANDS };
static vv_status why_loaded(vv_step *s, int how, const char *reason)
{
    static const char *const words[] = {"passed on: %s", "loaded once and passed on: %s",
                                        "loaded once, in the order in which it is wanted, and passed on: %s"};
    vv_buf why = {0};
    vv_buf_printf(&why, words[how], reason);
    VV_TRY(vv_buf_status(&why));
    s->why = why.data;
    return VV_OK;
}

/* What a step's inputs want loaded: joined files by a step at once, others one by one when all are known. */
static vv_status note_loads(const vv_builder *b, int step, const char *const why[], int first_load, loads *l)
{
    vv_plan *p = b->l->plan;
    bool apart = vv_lower_sums_apart(b, &p->step[step]);
    for (int k = 0; k < p->step[step].n_inputs; k++) {
        vv_input *in = &p->step[step].input[k];
        bool done = false;
        if (in->access != VV_ACCESS_PUSH || in->n_parts == 0) continue;
        if (!computed(p, in)) VV_TRY(vv_lower_stack(p, in, first_load, all_fit, &done));
        if (done && !p->step[in->part[0].from].why) VV_TRY(why_loaded(&p->step[in->part[0].from], ONCE, why[k]));
        for (int i = 0; i < in->n_parts && !done; i++)
            if (vv_part_stored(p, &in->part[i])) VV_TRY(note_load(&p->step[step], in, &in->part[i], apart, why[k], l));
    }
    return VV_OK;
}

/* A map walks the elements of a box once and in order: they need not be put into one, whatever its other inputs are. */
static bool walked_once(const vv_plan *p, const vv_step *s, const vv_input *in)
{
    return s->op == VV_STEP_MAP && in->access == VV_ACCESS_BOX && streams(p, s, in) && !small(p, in) &&
           !cuts_rows(p, s, in);
}

/* Chooses for one step, and notes what has to be loaded for it. Loads are steps from number first_load on. */
static vv_status choose_all(const vv_builder *b, int step, int first_load, loads *l)
{
    vv_plan *p = b->l->plan;
    vv_step *s = &p->step[step];
    const char *why[VV_PROGRAM_INPUTS] = {NULL};
    bool stream = s->n_inputs > 0, changed = true;
    for (int k = 0; k < s->n_inputs; k++)
        stream = stream && streams(p, s, &s->input[k]) && (small(p, &s->input[k]) || !cuts_rows(p, s, &s->input[k]));
    for (int k = 0; k < s->n_inputs; k++) {
        vv_input *in = &s->input[k];
        in->lookup = looks_up(p, s, in);
        in->access = stream ? VV_ACCESS_STREAM : choose(p, s, in, &why[k]);
        if (walked_once(p, s, in)) in->access = VV_ACCESS_STREAM;
    }
    while (changed && !stream) {
        changed = false;
        for (int k = 0; k < s->n_inputs; k++) {
            if (s->input[k].access == VV_ACCESS_PUSH || !shares_load(p, s, &s->input[k])) continue;
            s->input[k].access = VV_ACCESS_PUSH;
            why[k] = "it is wanted in several views at once";
            changed = true;
        }
    }
    VV_TRY(explain_boxes(p, s));
    return note_loads(b, step, why, first_load, l);
}

/* Data may be walked in another order than it is stored in. */
static bool in_bands(const vv_source *source, load *l, vv_grid *work)
{
    vv_bytes size = vv_dtype_size(source->decode.stored);
    bool turns = source->chunked && !source->generated && !source->held;
    if (turns && vv_walk_summed(&l->walk, &l->box, &source->stored, l->order, work)) return true;
    if (!source->raw || source->generated || source->held) return false;
    return source->chunked ? vv_walk_chunks(&l->walk, &l->box, &source->stored, size, l->order, work)
                           : vv_walk_bands(&l->walk, &l->box, size, l->order, work);
}

/* The step of a load: the region as it is stored, chunk by chunk. */
static vv_status add_load(vv_plan *p, load *l)
{
    vv_step *s;
    vv_part part;
    vv_grid work;
    const vv_source *source = &p->source[p->step[l->read].source];
    vv_shape shape = {.nd = l->box.nd};
    memcpy(shape.n, l->box.n, sizeof shape.n);
    l->banded = in_bands(source, l, &work);
    if (l->banded) shape = work.shape;
    vv_part_same(&shape, &part);
    for (int k = 0; k < shape.nd && l->banded; k++) part.dim[l->order[k]] = k;
    memcpy(part.start, l->box.lo, sizeof part.start);
    part.from = l->read;
    l->step = p->n_steps;
    VV_TRY(vv_lower_identity(p, source->variable, source->decode.out, &part, &s));
    s->work.shape = shape;
    if (l->banded) {
        s->work = work;
        s->input[0].access = source->chunked && source->raw ? VV_ACCESS_CHUNK : VV_ACCESS_BOX;
        return why_loaded(s, BANDS, l->why);
    }
    vv_lower_grid(p, s, &(vv_hint){0});
    VV_TRY(why_loaded(s, source->held ? HELD : ONCE, l->why));
    const char *unused;
    s->input[0].access = streams(p, s, &s->input[0]) ? VV_ACCESS_STREAM
                         : source->given             ? VV_ACCESS_BOX
                                                     : choose(p, s, &s->input[0], &unused);
    return VV_OK;
}

/* Parts of pushed inputs now come from the loads. */
static vv_status use_loads(const vv_plan *p, const loads *l, vv_step *s)
{
    for (int k = 0; k < s->n_inputs; k++) {
        vv_input *in = &s->input[k];
        for (int i = 0; in->access == VV_ACCESS_PUSH && i < in->n_parts; i++) {
            vv_part *part = &in->part[i];
            const load *from = vv_part_stored(p, part) ? find_load(l, part) : NULL;
            if (!from) continue;
            part->from = from->step;
            part->result = 0;
            VV_TRY(vv_lower_move(part, &from->box));
            if (from->banded) vv_walk_permute(from->order, part);
        }
    }
    return VV_OK;
}

vv_status vv_lower_access(vv_builder *b, vv_target targets[], int n)
{
    vv_plan *p = b->l->plan;
    loads l = {0};
    int old_steps = p->n_steps;
    vv_status status = VV_OK;
    for (int i = 0; i < old_steps && status == VV_OK; i++)
        if (vv_step_computes(&p->step[i])) status = choose_all(b, i, old_steps, &l);
    for (int i = 0; i < l.n && status == VV_OK; i++) status = add_load(p, &l.at[i]);
    for (int i = 0; i < old_steps && status == VV_OK; i++) status = use_loads(p, &l, &p->step[i]);
    if (status == VV_OK && p->n_steps > old_steps) status = vv_lower_order(p, NULL, targets, n);
    free(l.at);
    for (int i = 0; i < p->n_steps && status == VV_OK; i++)
        if (vv_step_computes(&p->step[i])) status = vv_lower_finish(b, &p->step[i]);
    return status;
}
